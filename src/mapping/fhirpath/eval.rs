//! Runs compiled expressions. Nothing is parsed and no source is copied here.

use super::ast::Operator;
use super::expr::{Expr, Step};
use super::functions::{self, Work};
use super::gather::First;
use super::item::{Item, Items, Node};
use super::logic::known;
use super::walk::walk;
use crate::fault::codes;
use crate::mapping::needs::Need;
use crate::mapping::tables::Tables;
use crate::mapping::verdicts::{Asked, Verdict, Verdicts};
use serde_json::Value;
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

/// Finds what a reference points to.
pub trait Resolver {
    /// `container` is the resource that holds the reference, `reference` the Reference object or its text.
    fn resolve<'a>(&'a self, container: &Value, reference: &Value) -> Option<&'a Value>;
    /// Every resource that came with the claim or was found for it.
    fn all(&self) -> Vec<&Value>;
    /// Where a resource stands, as a FHIRPath of what the caller sent.
    fn path_of(&self, resource: &Value) -> Option<String>;
}

/// Why an expression has no value: not that it is empty, but that it can't be computed.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    pub code: &'static str,
    pub text: String,
    pub hint: String,
}

impl Problem {
    pub fn value(text: impl Into<String>, hint: impl Into<String>) -> Box<Problem> {
        Box::new(Problem { code: codes::MAPPING_VALUE, text: text.into(), hint: hint.into() })
    }
}

pub type Outcome<'a> = Result<Items<'a>, Box<Problem>>;

/// Whether a condition holds, as far as that is known.
pub type Truth = Result<Option<bool>, Box<Problem>>;

/// Which parts of the source a result came from, gathered on request.
#[derive(Debug, Default)]
struct Trace<'a> {
    on: Cell<bool>,
    read: RefCell<Vec<&'a Value>>,
    /// What the value of each variable came from.
    slots: RefCell<HashMap<usize, Vec<&'a Value>>>,
    /// Above zero while a condition runs: what it reads decides, but is not written.
    muted: Cell<u32>,
}

impl<'a> Trace<'a> {
    #[inline]
    fn listens(&self) -> bool {
        self.on.get() && self.muted.get() == 0
    }

    #[cold]
    fn note_slot(&self, slot: usize) {
        let slots = self.slots.borrow();
        self.read.borrow_mut().extend(slots.get(&slot).into_iter().flatten());
    }
}

/// One run of a mapping: what it reads from, and the values of its variables.
pub struct Run<'a> {
    /// RFC 3339.
    pub now: &'a str,
    pub context: Item<'a>,
    pub resolver: Option<&'a dyn Resolver>,
    pub tables: &'a Tables,
    /// What the words of the source say of all needs; without them every rule is run.
    pub verdicts: Option<Arc<Verdicts>>,
    /// The values of the variables.
    slots: RefCell<Box<[Items<'a>]>>,
    each_index: Cell<usize>,
    trace: Trace<'a>,
    /// References that were followed already, by where they stand.
    resolved: RefCell<Vec<(&'a Value, Option<&'a Value>)>>,
}

/// `$this`, `$index` and `$total`.
#[derive(Clone, Copy)]
pub struct Focus<'r, 'a> {
    pub this: &'r Item<'a>,
    pub index: usize,
    pub total: Option<&'r Items<'a>>,
}

impl<'r, 'a> Focus<'r, 'a> {
    pub fn on(this: &'r Item<'a>) -> Focus<'r, 'a> {
        Focus { this, index: 0, total: None }
    }
}

impl<'a> Run<'a> {
    pub fn new(context: Item<'a>, tables: &'a Tables, slots: usize) -> Run<'a> {
        Run {
            now: "",
            context,
            resolver: None,
            tables,
            verdicts: None,
            slots: RefCell::new(std::iter::repeat_with(Items::default).take(slots).collect()),
            each_index: Cell::new(0),
            trace: Trace::default(),
            resolved: RefCell::default(),
        }
    }

    /// Keeps a trace of what is read from now on, or no longer.
    pub fn trace(&self, on: bool) {
        self.trace.on.set(on);
    }

    /// Gives a variable its value.
    pub fn set(&self, slot: usize, items: Items<'a>) {
        if let Some(place) = self.slots.borrow_mut().get_mut(slot) {
            *place = items;
        }
        if self.trace.on.get() {
            self.trace.slots.borrow_mut().insert(slot, self.trace.read.take());
        }
    }

    /// Whether a rule with this need may give anything.
    #[inline]
    pub fn may(&self, asked: &Asked) -> bool {
        match self.verdicts.as_ref().map(|verdicts| verdicts.of(asked)) {
            None | Some(Verdict::Yes) => true,
            Some(Verdict::No) => false,
            Some(Verdict::Depends(need)) => self.may_now(need),
        }
    }

    /// What is left of a need when the words of the source are known: variables that have a value.
    fn may_now(&self, need: &Need) -> bool {
        match need {
            Need::Always | Need::Word(_) => true,
            Need::Never => false,
            Need::Slot(slot) => self.slots.borrow().get(*slot).is_some_and(|items| !items.is_empty()),
            Need::All(needs) => needs.iter().all(|need| self.may_now(need)),
            Need::Any(needs) => needs.iter().any(|need| self.may_now(need)),
        }
    }

    /// Sets the place in the innermost `each`, and gives the one before.
    pub fn swap_each_index(&self, index: usize) -> usize {
        self.each_index.replace(index)
    }

    /// What has been read since the last call.
    pub fn take_trace(&self) -> Vec<&'a Value> {
        if self.trace.on.get() { self.trace.read.take() } else { Vec::new() }
    }

    /// Notes that a part of the source went into a result.
    #[inline]
    pub fn note(&self, item: &Item<'a>) {
        if self.trace.listens() {
            self.trace.read.borrow_mut().extend(item.value());
        }
    }

    /// Runs a condition: what it reads is not what is written.
    #[inline]
    pub fn muted<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = self.trace.muted.get();
        self.trace.muted.set(before.saturating_add(1));
        let result = work();
        self.trace.muted.set(before);
        result
    }

    /// Notes what the value of a variable came from.
    #[inline]
    fn note_slot(&self, slot: usize) {
        if self.trace.listens() {
            self.trace.note_slot(slot);
        }
    }

    /// The value of an expression.
    pub fn eval(&self, expr: &'a Expr, focus: Focus<'_, 'a>) -> Outcome<'a> {
        Ok(match expr {
            Expr::Empty => Items::None,
            Expr::Boolean(yes) => Items::boolean(*yes),
            Expr::Text(text) | Expr::Pattern(_, text) => Items::text(text.as_str()),
            Expr::Texts(texts) => texts.iter().map(|text| Item::Text(Cow::Borrowed(text))).collect(),
            Expr::FirstOf(operands) => return self.first_of(operands, focus),
            Expr::Path(..) | Expr::If(_) => return self.gathered(expr, focus),
            Expr::Join(operands) => return self.joined(operands, focus),
            Expr::OneOf(base, texts) => known(self.one_of(base, texts, focus)?),
            Expr::Integer(number) => Items::One(Item::Integer(*number)),
            Expr::Decimal(number) => Items::One(Item::Decimal(*number)),
            Expr::Time(text) => Items::One(Item::Time(Cow::Borrowed(text))),
            Expr::Quantity(number, unit) => Items::One(Item::Quantity((*number, unit.clone()).into())),
            Expr::Table(table) => Items::text(table.name()),
            Expr::This => Items::One(focus.this.clone()),
            Expr::Index => Items::One(Item::Integer(integer(focus.index))),
            Expr::Total => focus.total.cloned().unwrap_or_default(),
            Expr::Slot(slot) => self.with_slot(*slot, |items| items.iter().cloned().collect()),
            Expr::EachIndex => Items::One(Item::Integer(integer(self.each_index.get()))),
            Expr::Now => Items::One(Item::Time(Cow::Borrowed(self.now))),
            Expr::Context => Items::One(self.context.clone()),
            Expr::Resource => focus.this.resource().map(Item::node).into_iter().collect(),
            Expr::Shadow(base, step) => return self.shadow(base.as_deref(), step, focus),
            Expr::Call(function, base, arguments) => {
                let call = functions::Call { run: self, focus, base: base.as_deref(), arguments };
                return match function.work {
                    Work::Items(work) => work(&call, self.base(base.as_deref(), focus)?),
                    Work::Given(_) | Work::Truth(_) => self.gathered(expr, focus),
                };
            }
            Expr::At(base, index) => {
                let items = self.eval(base, focus)?;
                let index = self.integer(index, focus)?.and_then(|index| usize::try_from(index).ok());
                index.and_then(|index| items.as_slice().get(index).cloned()).into_iter().collect()
            }
            Expr::Minus(operand) => return self.minus(operand, focus),
            Expr::Binary(operator, left, right) => return self.binary(*operator, left, right, focus),
            Expr::Is(base, name) => match self.one(base, focus)? {
                Some(item) => Items::boolean(super::types::is(&item, name)),
                None => Items::None,
            },
            Expr::As(base, name) => {
                self.eval(base, focus)?.into_iter().filter(|item| super::types::is(item, name)).collect()
            }
        })
    }

    fn base(&self, base: Option<&'a Expr>, focus: Focus<'_, 'a>) -> Outcome<'a> {
        match base {
            Some(base) => self.eval(base, focus),
            None => Ok(Items::One(focus.this.clone())),
        }
    }

    /// What is handed on, in one collection.
    fn gathered(&self, expr: &'a Expr, focus: Focus<'_, 'a>) -> Outcome<'a> {
        let mut items = Items::None;
        self.gather(expr, focus, &mut items)?;
        Ok(items)
    }

    /// Looks at the items of a variable, which need not be copied for it.
    #[inline]
    pub fn with_slot<T>(&self, slot: usize, look: impl FnOnce(&[Item<'a>]) -> T) -> T {
        self.note_slot(slot);
        look(self.slots.borrow().get(slot).map_or(&[], Items::as_slice))
    }

    fn first_of(&self, operands: &'a [Expr], focus: Focus<'_, 'a>) -> Outcome<'a> {
        let mut first = First::default();
        for operand in operands {
            if !self.gather(operand, focus, &mut first)? {
                break;
            }
        }
        Ok(first.0.into_iter().collect())
    }

    fn joined(&self, operands: &'a [Expr], focus: Focus<'_, 'a>) -> Outcome<'a> {
        let mut text = String::with_capacity(SOME_TEXT);
        for operand in operands {
            match operand {
                Expr::Text(fixed) => text.push_str(fixed),
                _ => {
                    if let Some(item) = self.one(operand, focus)? {
                        self.note(&item);
                        super::arithmetic::concatenate(&mut text, &item)?;
                    }
                }
            }
        }
        Ok(Items::text(text))
    }

    /// `_name` of primitives, or the object itself where the name holds one.
    fn shadow(&self, base: Option<&'a Expr>, step: &'a Step, focus: Focus<'_, 'a>) -> Outcome<'a> {
        let mut out = Items::None;
        for item in self.base(base, focus)?.iter() {
            let Item::Node(node) = item else { continue };
            let Some(map) = node.value.as_object() else { continue };
            let plain = map.get(&*step.name).filter(|value| !is_primitive(value));
            let value = plain.or_else(|| map.get(&format!("_{}", step.name)));
            if let Some(value) = value {
                walk(Node { value, ..*node }, &[], &mut out);
            }
        }
        Ok(out)
    }

    /// The single integer that an argument gives.
    pub fn integer(&self, expr: &'a Expr, focus: Focus<'_, 'a>) -> Result<Option<i64>, Box<Problem>> {
        if let Expr::Integer(number) = expr {
            return Ok(Some(*number));
        }
        let Some(item) = self.one(expr, focus)? else { return Ok(None) };
        let number = item.as_decimal().filter(|_| item.is_integer());
        match number.and_then(|number| i64::try_from(number).ok()) {
            Some(number) => Ok(Some(number)),
            None => Err(Problem::value("a whole number is needed here", "use toInteger() on a text")),
        }
    }

    fn minus(&self, operand: &'a Expr, focus: Focus<'_, 'a>) -> Outcome<'a> {
        Ok(match self.one(operand, focus)? {
            None => Items::None,
            Some(Item::Integer(number)) => Items::One(Item::Integer(-number)),
            Some(Item::Quantity(quantity)) => Items::One(Item::Quantity((-quantity.0, quantity.1.clone()).into())),
            Some(item) => match item.as_decimal() {
                Some(number) => Items::One(Item::Decimal(-number)),
                None => return Err(Problem::value("only a number has a negative", "use toDecimal() on a text")),
            },
        })
    }

    fn binary(&self, operator: Operator, left: &'a Expr, right: &'a Expr, focus: Focus<'_, 'a>) -> Outcome<'a> {
        use Operator::*;
        match operator {
            And | Or | Xor | Implies => Ok(known(self.logic(operator, left, right, focus)?)),
            Equal | NotEqual | Equivalent | NotEquivalent => Ok(known(self.equality(operator, left, right, focus)?)),
            Union => {
                let mut items = self.eval(left, focus)?;
                items.append(self.eval(right, focus)?);
                Ok(functions::distinct(items))
            }
            In => self.member(right, left, focus),
            Contains => self.member(left, right, focus),
            LessThan | AtMost | GreaterThan | AtLeast => self.order(operator, left, right, focus),
            _ => {
                let (left, right) = (self.one(left, focus)?, self.one(right, focus)?);
                left.iter().chain(&right).for_each(|item| self.note(item));
                super::arithmetic::arithmetic(operator, left, right)
            }
        }
    }

    /// Follows a reference, with what it points to noted as its own container.
    pub fn resolve(&self, item: &Item<'a>) -> Option<Item<'a>> {
        let resolver = self.resolver?;
        let (container, reference) = match item {
            Item::Node(node) => (node.resource, node.value),
            _ => return None,
        };
        let target = self.target(resolver, container, reference)?;
        let text = reference.as_str().or_else(|| reference.get("reference")?.as_str());
        let inside = text.is_some_and(|text| text.starts_with('#'));
        let resource = if inside { container } else { target };
        Some(Item::Node(Node { value: target, resource, kind: "" }))
    }

    /// What a reference points to; looked up once for each reference.
    fn target(&self, resolver: &'a dyn Resolver, container: &'a Value, reference: &'a Value) -> Option<&'a Value> {
        let known =
            self.resolved.borrow().iter().find(|(known, _)| std::ptr::eq(*known, reference)).map(|(_, found)| *found);
        if let Some(found) = known {
            return found;
        }
        let found = resolver.resolve(container, reference);
        let mut resolved = self.resolved.borrow_mut();
        if resolved.len() < MAX_RESOLVED {
            resolved.push((reference, found));
        }
        found
    }

    /// The items of an expression that is written: they are noted as its sources.
    pub fn written(&self, expr: &'a Expr, focus: Focus<'_, 'a>) -> Outcome<'a> {
        let items = self.eval(expr, focus)?;
        if self.trace.listens() {
            items.iter().for_each(|item| self.note(item));
        }
        Ok(items)
    }
}

/// What most texts that are joined have room in.
const SOME_TEXT: usize = 96;

/// How many references are remembered: past that a search among them costs more than it saves.
const MAX_RESOLVED: usize = 64;

pub(super) fn integer(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn is_primitive(value: &Value) -> bool {
    match value {
        Value::Object(_) => false,
        Value::Array(items) => items.iter().all(|item| !item.is_object()),
        _ => true,
    }
}

pub fn several(n: usize) -> Box<Problem> {
    Problem::value(format!("one value is needed, but there are {n}"), "choose one with first(), where(…) or [0]")
}

/// The one item of a collection, or none.
pub fn singleton(items: Items<'_>) -> Result<Option<Item<'_>>, Box<Problem>> {
    match items {
        Items::Many(items) if items.len() > 1 => Err(several(items.len())),
        items => Ok(items.into_first()),
    }
}
