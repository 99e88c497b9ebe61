//! What expressions work on: items of a collection, borrowed from the source wherever they can be.

use super::gather::Taker;
use super::time::{Moment, looks_like_date};
use super::walk::string;
use crate::billing::shape::{ObjectView, View};
use crate::digits::Digits;
use crate::json::property;
use rust_decimal::Decimal;
use serde_json::Value;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::rc::Rc;

/// A piece of the source: the value, the resource that holds it (references inside are relative to it), and the name of
/// its FHIR type where the mapping's compiler or the choice element tells it, else `""`.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    pub value: &'a Value,
    pub resource: &'a Value,
    pub kind: &'static str,
}

impl<'a> Node<'a> {
    /// A resource on its own.
    pub fn root(value: &'a Value) -> Node<'a> {
        Node { value, resource: value, kind: "" }
    }
}

/// A piece of a plain value (a payer's answer, a billing record), with its type as [`Node`] has it.
#[derive(Debug, Clone, Copy)]
pub struct Plain<'a> {
    pub view: View<'a>,
    pub kind: &'static str,
}

/// One item of a collection.
#[derive(Debug, Clone)]
pub enum Item<'a> {
    Node(Node<'a>),
    Plain(Plain<'a>),
    Text(Cow<'a, str>),
    Boolean(bool),
    Integer(i64),
    Decimal(Decimal),
    /// A date or time that an expression wrote or made.
    Time(Cow<'a, str>),
    Quantity(Rc<(Decimal, String)>),
    /// An object that a function made, for example one segment of `cas()`.
    Fields(Rc<Vec<(&'static str, Items<'a>)>>),
}

/// A collection. Most hold no item or one, and cost no allocation.
#[derive(Debug, Clone, Default)]
pub enum Items<'a> {
    #[default]
    None,
    One(Item<'a>),
    Many(Vec<Item<'a>>),
}

impl<'a> Items<'a> {
    pub fn as_slice(&self) -> &[Item<'a>] {
        match self {
            Items::None => &[],
            Items::One(item) => std::slice::from_ref(item),
            Items::Many(items) => items,
        }
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Item<'a>> {
        self.as_slice().iter()
    }

    pub fn len(&self) -> usize {
        self.as_slice().len()
    }

    pub fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }

    pub fn first(&self) -> Option<&Item<'a>> {
        self.as_slice().first()
    }

    pub fn push(&mut self, item: Item<'a>) {
        match self {
            Items::None => *self = Items::One(item),
            Items::Many(items) => items.push(item),
            Items::One(_) => {
                if let Items::One(first) = std::mem::take(self) {
                    *self = Items::Many(vec![first, item]);
                }
            }
        }
    }

    pub fn append(&mut self, other: Items<'a>) {
        match (&mut *self, other) {
            (Items::None, other) => *self = other,
            (_, Items::None) => {}
            (_, Items::One(item)) => self.push(item),
            (_, Items::Many(items)) => items.into_iter().for_each(|item| self.push(item)),
        }
    }

    /// Hands on each item; false when no more are wanted.
    pub fn hand_to(self, taker: &mut dyn Taker<'a>) -> bool {
        match self {
            Items::None => true,
            Items::One(item) => taker.take(item),
            Items::Many(items) => items.into_iter().all(|item| taker.take(item)),
        }
    }

    pub fn into_first(self) -> Option<Item<'a>> {
        match self {
            Items::None => None,
            Items::One(item) => Some(item),
            Items::Many(items) => items.into_iter().next(),
        }
    }

    pub fn boolean(value: bool) -> Items<'a> {
        Items::One(Item::Boolean(value))
    }

    pub fn text(value: impl Into<Cow<'a, str>>) -> Items<'a> {
        Items::One(Item::Text(value.into()))
    }
}

impl<'a> From<Item<'a>> for Items<'a> {
    fn from(item: Item<'a>) -> Items<'a> {
        Items::One(item)
    }
}

impl<'a> FromIterator<Item<'a>> for Items<'a> {
    fn from_iter<I: IntoIterator<Item = Item<'a>>>(items: I) -> Items<'a> {
        let mut out = Items::None;
        items.into_iter().for_each(|item| out.push(item));
        out
    }
}

impl<'a> IntoIterator for Items<'a> {
    type Item = Item<'a>;
    type IntoIter = std::iter::Chain<std::option::IntoIter<Item<'a>>, std::vec::IntoIter<Item<'a>>>;

    fn into_iter(self) -> Self::IntoIter {
        let (one, many) = match self {
            Items::None => (None, Vec::new()),
            Items::One(item) => (Some(item), Vec::new()),
            Items::Many(items) => (None, items),
        };
        one.into_iter().chain(many)
    }
}

impl<'a> Item<'a> {
    pub fn node(value: &'a Value) -> Item<'a> {
        Item::Node(Node::root(value))
    }

    /// A plain value on its own.
    pub fn plain(object: &'a dyn ObjectView) -> Item<'a> {
        Item::Plain(Plain { view: View::Object(object), kind: "" })
    }

    /// The object or primitive of the source behind this item; `None` for what stands in no JSON.
    pub fn value(&self) -> Option<&'a Value> {
        match self {
            Item::Node(node) => Some(node.value),
            _ => None,
        }
    }

    /// A property of an object of the source, as an item of a type.
    pub fn property(&self, name: &str, kind: &'static str) -> Option<Item<'a>> {
        match self {
            Item::Node(node) => Some(Item::Node(Node { value: property(node.value, name)?, kind, ..*node })),
            Item::Plain(Plain { view: View::Object(object), .. }) => {
                let place = object.names().iter().position(|known| *known == name)?;
                Some(Item::Plain(Plain { view: object.property(place)?, kind }))
            }
            _ => None,
        }
    }

    /// The text of a primitive; `None` for objects.
    pub fn as_text(&self) -> Option<Cow<'a, str>> {
        match self {
            Item::Node(node) => match node.value {
                Value::String(text) => Some(Cow::Borrowed(text)),
                Value::Number(number) => Some(Cow::Borrowed(number.as_str())),
                Value::Bool(yes) => Some(Cow::Borrowed(if *yes { "true" } else { "false" })),
                _ => None,
            },
            Item::Plain(plain) => match plain.view {
                View::Integer(number) => Some(Cow::Owned(number.to_string())),
                View::Boolean(yes) => Some(Cow::Borrowed(if yes { "true" } else { "false" })),
                view => text_of(view),
            },
            Item::Text(text) => Some(text.clone()),
            Item::Time(Cow::Borrowed(text)) => Some(Cow::Borrowed(text.trim_start_matches('T'))),
            Item::Time(text) => Some(Cow::Owned(text.trim_start_matches('T').to_owned())),
            Item::Boolean(yes) => Some(Cow::Borrowed(if *yes { "true" } else { "false" })),
            Item::Integer(number) => Some(Cow::Owned(number.to_string())),
            Item::Decimal(number) => Some(Cow::Owned(Digits::of_decimal(*number).as_str().to_owned())),
            Item::Quantity(quantity) => Some(Cow::Owned(format!("{} '{}'", quantity.0, quantity.1))),
            Item::Fields(_) => None,
        }
    }

    /// The same, not copied where it stands in the item.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        self.borrowed().map(Cow::Borrowed).or_else(|| self.as_text())
    }

    /// The text of an item that is text (not a number); what string functions take.
    pub fn as_string(&self) -> Option<Cow<'a, str>> {
        match self {
            Item::Node(Node { value: Value::String(text), .. }) => Some(Cow::Borrowed(text)),
            Item::Plain(plain) => text_of(plain.view),
            Item::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    pub fn as_boolean(&self) -> Option<bool> {
        match self {
            Item::Node(Node { value: Value::Bool(yes), .. }) => Some(*yes),
            Item::Plain(Plain { view: View::Boolean(yes), .. }) => Some(*yes),
            Item::Boolean(yes) => Some(*yes),
            _ => None,
        }
    }

    /// The number that an item is; texts of the record that hold decimals count too.
    pub fn as_decimal(&self) -> Option<Decimal> {
        match self {
            Item::Node(Node { value: Value::Number(number), .. }) => decimal(number.as_str()),
            Item::Node(Node { value: Value::String(text), kind: "decimal", .. }) => decimal(text),
            Item::Plain(Plain { view: View::Decimal(number), kind: "decimal" }) => Some(*number),
            Item::Plain(Plain { view: View::Integer(number), .. }) => Some(Decimal::from(*number)),
            Item::Integer(number) => Some(Decimal::from(*number)),
            Item::Decimal(number) => Some(*number),
            _ => None,
        }
    }

    pub fn is_integer(&self) -> bool {
        match self {
            Item::Integer(_) => true,
            Item::Node(Node { value: Value::Number(number), kind, .. }) => {
                *kind != "decimal" && number.as_str().bytes().all(|b| b.is_ascii_digit() || b == b'-')
            }
            Item::Plain(Plain { view: View::Integer(_), kind }) => *kind != "decimal",
            _ => false,
        }
    }

    /// The date or time that an item is, or that its text looks like.
    pub fn as_moment(&self) -> Option<Moment> {
        match self {
            Item::Time(text) => Moment::parse(text),
            Item::Node(Node { value: Value::String(text), kind, .. }) => match *kind {
                "date" | "dateTime" | "instant" => Moment::parse(text),
                "time" => Moment::parse(&format!("T{text}")),
                "" if looks_like_date(text) => Moment::parse(text),
                _ => None,
            },
            Item::Plain(Plain { view: View::Date(date), .. }) => Some(Moment::of(*date)),
            Item::Plain(Plain { view: View::Text(text), kind: "dateTime" }) => Moment::parse(text),
            Item::Plain(Plain { view: View::Text(text), kind: "" }) | Item::Text(Cow::Borrowed(text))
                if looks_like_date(text) =>
            {
                Moment::parse(text)
            }
            Item::Text(text) if looks_like_date(text) => Moment::parse(text),
            _ => None,
        }
    }

    /// A quantity: one that an expression wrote, or an object of the source with value and unit.
    pub fn as_quantity(&self) -> Option<(Decimal, Cow<'_, str>)> {
        match self {
            Item::Quantity(quantity) => Some((quantity.0, Cow::Borrowed(&quantity.1))),
            Item::Node(node) => {
                let number = property(node.value, "value").and_then(Value::as_number)?;
                let unit = string(node, "code").or_else(|| string(node, "unit")).unwrap_or("1");
                Some((decimal(number.as_str())?, Cow::Borrowed(unit)))
            }
            _ => None,
        }
    }

    /// The resource that holds this item.
    pub fn resource(&self) -> Option<&'a Value> {
        match self {
            Item::Node(node) => Some(node.resource),
            _ => None,
        }
    }

    /// `=`: `None` when FHIRPath says that it is unknown (dates of different precision).
    pub fn equals(&self, other: &Item<'a>) -> Option<bool> {
        if let (Some(left), Item::Text(right)) = (self.borrowed(), other)
            && !looks_like_date(right)
        {
            return Some(left == right);
        }
        if let (Some(left), Some(right)) = (self.as_decimal(), other.as_decimal()) {
            return Some(left == right);
        }
        let timed = matches!((self, other), (Item::Time(_), _) | (_, Item::Time(_)));
        if timed || (self.is_text() && other.is_text()) {
            if let (Some(left), Some(right)) = (self.as_moment(), other.as_moment()) {
                if !left.is_like(&right) {
                    return Some(false);
                }
                let alike = self.as_text() == other.as_text();
                return if alike { Some(true) } else { left.compare(right).map(Ordering::is_eq) };
            }
            return Some(self.is_text() && other.is_text() && self.as_text() == other.as_text());
        }
        if let (Some(left), Some(right)) = (self.as_boolean(), other.as_boolean()) {
            return Some(left == right);
        }
        if matches!((self, other), (Item::Quantity(_), _) | (_, Item::Quantity(_))) {
            return Some(self.as_quantity().is_some() && self.as_quantity() == other.as_quantity());
        }
        match (self, other) {
            (Item::Node(left), Item::Node(right)) => Some(same(left.value, right.value)),
            (Item::Plain(_), _) | (_, Item::Plain(_)) => {
                Some(self.json().zip(other.json()).is_some_and(|(left, right)| same(&left, &right)))
            }
            _ => Some(false),
        }
    }

    /// A text that stands somewhere.
    pub fn borrowed(&self) -> Option<&str> {
        match self {
            Item::Node(Node { value: Value::String(text), .. }) => Some(text),
            Item::Plain(Plain { view: View::Text(text), .. }) => Some(text),
            Item::Text(text) => Some(text),
            _ => None,
        }
    }

    fn is_text(&self) -> bool {
        match self {
            Item::Plain(plain) => matches!(plain.view, View::Text(_) | View::Date(_) | View::Decimal(_)),
            _ => matches!(self, Item::Text(_) | Item::Time(_) | Item::Node(Node { value: Value::String(_), .. })),
        }
    }

    /// A piece of a source as JSON.
    fn json(&self) -> Option<Cow<'a, Value>> {
        match self {
            Item::Node(node) => Some(Cow::Borrowed(node.value)),
            Item::Plain(plain) => Some(Cow::Owned(plain.view.json())),
            _ => None,
        }
    }

    /// `~`: texts without regard to case and spacing, decimals to the lesser precision.
    pub fn equivalent(&self, other: &Item<'a>) -> bool {
        if let (Some(left), Some(right)) = (self.as_decimal(), other.as_decimal()) {
            let scale = left.scale().min(right.scale());
            return left.round_dp(scale) == right.round_dp(scale);
        }
        if let (Some(left), Some(right)) = (self.as_moment(), other.as_moment()) {
            return left.compare(right) == Some(Ordering::Equal);
        }
        match (self.as_string(), other.as_string()) {
            (Some(left), Some(right)) => folded(&left) == folded(&right),
            _ => self.equals(other) == Some(true),
        }
    }

    /// Order of numbers, texts, dates and quantities; outer `None` when the two can't be compared at all.
    pub fn compare(&self, other: &Item<'a>) -> Option<Option<Ordering>> {
        if let (Some(left), Some(right)) = (self.as_decimal(), other.as_decimal()) {
            return Some(Some(left.cmp(&right)));
        }
        if let (Some(left), Some(right)) = (self.as_moment(), other.as_moment()) {
            return Some(left.compare(right));
        }
        if let (Some(left), Some(right)) = (self.as_string(), other.as_string()) {
            return Some(Some(left.cmp(&right)));
        }
        match (self.as_quantity(), other.as_quantity()) {
            (Some((left, a)), Some((right, b))) => Some((a == b).then(|| left.cmp(&right))),
            _ => None,
        }
    }
}

/// What JSON writes as a text.
fn text_of(view: View<'_>) -> Option<Cow<'_, str>> {
    match view {
        View::Text(text) => Some(Cow::Borrowed(text)),
        View::Date(date) => Some(Cow::Owned(Digits::of_date(date).as_str().to_owned())),
        View::Decimal(number) => Some(Cow::Owned(Digits::of_decimal(number).as_str().to_owned())),
        _ => None,
    }
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Equality of JSON where numbers count by value, not by spelling.
pub fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            left == right || decimal(left.as_str()).is_some_and(|number| Some(number) == decimal(right.as_str()))
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| same(value, other)))
        }
        _ => left == right,
    }
}

/// Reads a decimal as FHIR and JSON write it; `None` past 28 digits or when it is no number.
pub fn decimal(text: &str) -> Option<Decimal> {
    if text.bytes().any(|b| matches!(b, b'e' | b'E')) {
        return Decimal::from_scientific(text).ok();
    }
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'));
    plain.then(|| Decimal::from_str_exact(text).ok())?
}
