//! Follows names through the source: the one loop that every path of every mapping goes through.

use super::expr::{How, Step};
use super::gather::Taker;
use super::item::{Item, Node, Plain};
use super::types::choice_suffix;
use crate::billing::shape::{ObjectView, PlainPlace, View};
use crate::json;
use serde_json::Value;
use std::borrow::Cow;

/// Follows the steps from an item; false when no more is wanted of what they lead to.
#[inline]
pub fn walk_item<'a>(item: &Item<'a>, steps: &'a [Step], out: &mut dyn Taker<'a>) -> bool {
    match item {
        Item::Node(node) => walk(*node, steps, out),
        Item::Plain(plain) => walk_plain(*plain, steps, out),
        _ => walk_made(item, steps, out),
    }
}

/// The same from what an expression made.
fn walk_made<'a>(item: &Item<'a>, steps: &'a [Step], out: &mut dyn Taker<'a>) -> bool {
    match item {
        Item::Fields(fields) => {
            let Some((first, rest)) = steps.split_first() else { return out.take(item.clone()) };
            let found = fields.iter().find(|(name, _)| **name == *first.name);
            found.iter().flat_map(|(_, items)| items.iter()).all(|item| walk_item(item, rest, out))
        }
        Item::Quantity(quantity) => match steps {
            [] => out.take(item.clone()),
            [step] if &*step.name == "value" => out.take(Item::Decimal(quantity.0)),
            [step] if &*step.name == "unit" => out.take(Item::Text(Cow::Owned(quantity.1.clone()))),
            _ => true,
        },
        _ if steps.is_empty() => out.take(item.clone()),
        _ => true,
    }
}

/// Follows the steps from a part of the source; lists are looked through.
pub fn walk<'a>(mut node: Node<'a>, steps: &'a [Step], out: &mut dyn Taker<'a>) -> bool {
    if let Value::Array(items) = node.value {
        return items.iter().all(|value| walk(Node { value, ..node }, steps, out));
    }
    for (n, step) in steps.iter().enumerate() {
        let Some(next) = take_step(node, step) else { return true };
        node = next;
        if let Value::Array(items) = node.value {
            return items.iter().all(|value| walk(Node { value, ..node }, &steps[n + 1..], out));
        }
    }
    node.value.is_null() || out.take(Item::Node(node))
}

fn take_step<'a>(node: Node<'a>, step: &'a Step) -> Option<Node<'a>> {
    let Value::Object(map) = node.value else { return None };
    if step.how == How::TypeName {
        return (json::get(map, "resourceType").and_then(Value::as_str) == Some(&*step.name)).then_some(node);
    }
    match json::get(map, &step.name) {
        Some(value) => {
            let resource = if &*step.name == "resource" { value } else { node.resource };
            Some(Node { value, resource, kind: step.kind })
        }
        None if step.how == How::Choice => {
            let (kind, value) = map.iter().find_map(|(key, value)| Some((choice_suffix(key, &step.name)?, value)))?;
            Some(Node { value, resource: node.resource, kind })
        }
        None => None,
    }
}

/// Follows the steps through a plain value; lists are looked through.
pub fn walk_plain<'a>(mut plain: Plain<'a>, mut steps: &'a [Step], out: &mut dyn Taker<'a>) -> bool {
    loop {
        (plain, steps) = match (plain.view, steps) {
            (View::List(list), _) => {
                let mut items = (0..list.count()).filter_map(|n| list.item(n));
                return items.all(|view| walk_plain(Plain { view, ..plain }, steps, out));
            }
            (_, []) => return out.take(Item::Plain(plain)),
            (View::Object(object), [step, rest @ ..]) => match property_of(object, step) {
                Some(view) => (Plain { view, kind: step.kind }, rest),
                None => return true,
            },
            _ => return true,
        }
    }
}

/// Looks a name up, and remembers where it was.
fn found(object: &dyn ObjectView, step: &Step) -> Option<usize> {
    let place = object.names().iter().position(|name| **name == *step.name)?;
    step.seen.get_or_init(|| PlainPlace { kind: object.kind(), place });
    Some(place)
}

#[inline]
fn property_of<'a>(object: &'a dyn ObjectView, step: &Step) -> Option<View<'a>> {
    let kind = object.kind();
    match step.place {
        Some(known) if known.kind == kind => object.property(known.place),
        _ => match step.seen.get() {
            Some(known) if known.kind == kind => object.property(known.place),
            _ => object.property(found(object, step)?),
        },
    }
}

/// What stands below a property: the items of a list, or the one value.
pub fn below<'a>(node: Node<'a>, name: &str) -> impl Iterator<Item = Node<'a>> + Clone + use<'a> {
    let values = match json::property(node.value, name) {
        Some(Value::Array(values)) => values.as_slice(),
        Some(value) => std::slice::from_ref(value),
        None => &[],
    };
    values.iter().map(move |value| Node { value, kind: "", ..node })
}

/// The text of a property.
pub fn string<'a>(node: &Node<'a>, name: &str) -> Option<&'a str> {
    json::text(node.value, name)
}
