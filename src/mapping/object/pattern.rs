//! Objects written in one go. The claims of one file seldom differ in which values an object has, so what stands between the
//! values is put together once, for all claims with the same words. Where a claim is different after all, the object is
//! made part by part, as the first one was.

use super::{FieldRules, ObjectRules, Rules};
use crate::mapping::draft::Draft;
use crate::mapping::fhirpath::eval::Focus;
use crate::mapping::fhirpath::expr::Expr;
use crate::mapping::fhirpath::gather::With;
use crate::mapping::fhirpath::item::{Item, Items};
use crate::mapping::maker::Maker;
use crate::mapping::target::{self, Write};
use crate::mapping::template::{FrameStep, Rule};
use crate::mapping::verdicts::{Asked, Verdict, Verdicts};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// What an object, or an object in it, runs: a value, or a step before its values.
#[derive(Debug)]
pub(super) enum Leaf {
    Value(Arc<Rule>, Write),
    Let(usize, Arc<Rule>),
    When(Arc<Rule>),
}

/// Everything that runs below some fields, as far as it runs once for each of them.
pub(super) fn leaves(fields: &[FieldRules]) -> Box<[Leaf]> {
    let mut leaves = Vec::new();
    fields.iter().for_each(|field| gather(&field.rules, &mut leaves));
    leaves.into()
}

fn gather(rules: &Rules, leaves: &mut Vec<Leaf>) {
    match rules {
        Rules::Value(rule, how) => leaves.push(Leaf::Value(rule.clone(), *how)),
        Rules::Object(object) if object.frame.each.is_none() => {
            leaves.extend(object.frame.steps.iter().map(|step| match step {
                FrameStep::Let(slot, rule) => Leaf::Let(*slot, rule.clone()),
                FrameStep::When(rule) => Leaf::When(rule.clone()),
            }));
            object.fields.iter().for_each(|field| gather(&field.rules, leaves));
        }
        Rules::List(all) => all.iter().for_each(|member| gather(&member.rules, leaves)),
        Rules::Object(_) | Rules::Make(..) => {}
    }
}

impl Leaf {
    fn rule(&self) -> &Arc<Rule> {
        match self {
            Leaf::Value(rule, _) | Leaf::Let(_, rule) | Leaf::When(rule) => rule,
        }
    }

    /// Runs it: whether there is a value, which is written (or all, where there may be many), and whether a condition holds; none
    /// when it is not as simple as that.
    fn run<'a>(&'a self, maker: &Maker<'a>, many: bool, this: &Item<'a>, draft: &mut Draft) -> Option<bool> {
        match self {
            Leaf::Value(rule, how) => value(maker, rule, *how, many, this, draft),
            Leaf::Let(slot, rule) => {
                let may = maker.run.may(&rule.need);
                let items = if may { maker.run.eval(&rule.expr, Focus::on(this)).ok()? } else { Items::None };
                if !items.is_empty() {
                    rule.used.mark();
                }
                maker.run.set(*slot, items);
                Some(true)
            }
            Leaf::When(rule) => {
                let truth = maker.run.muted(|| maker.run.truth(&rule.expr, Focus::on(this)));
                let holds = truth.ok()? == Some(true);
                if holds {
                    rule.used.mark();
                }
                Some(holds)
            }
        }
    }
}

fn value<'a>(
    maker: &Maker<'a>,
    rule: &'a Rule,
    how: Write,
    many: bool,
    this: &Item<'a>,
    draft: &mut Draft,
) -> Option<bool> {
    let (mut count, mut simple) = (0, true);
    let mut one = |item: &Item<'a>| {
        let end = draft.end();
        if count > 0 {
            draft.raw(",");
        }
        match target::put(how, item, draft) {
            Ok(true) if count == 0 || many => count += 1,
            Ok(false) => draft.cut(end),
            _ => simple = false,
        }
        simple
    };
    match &rule.expr {
        Expr::Slot(slot) => {
            maker.run.with_slot(*slot, |items| items.iter().all(&mut one));
        }
        expr => {
            maker.run.gather(expr, Focus::on(this), &mut With(|item| one(&item))).ok()?;
        }
    }
    if count > 0 {
        rule.used.mark();
    }
    simple.then_some(count > 0)
}

/// The patterns that the objects of one place were found to have, with the one that was met last.
#[derive(Debug, Default)]
pub struct Patterns {
    known: [OnceLock<Option<Pattern>>; Patterns::MOST],
    last: AtomicUsize,
}

/// What comes of trying to write an object by what is known.
pub(super) enum Tried<'p> {
    Written,
    /// It has to be made part by part.
    Unlike,
    /// The same, and there is room to remember its pattern.
    New(&'p OnceLock<Option<Pattern>>),
}

impl Patterns {
    const MOST: usize = 4;

    /// Writes an object by a pattern that it has.
    pub(super) fn write<'p, 'a>(
        &'p self,
        maker: &Maker<'a>,
        object: &'a ObjectRules,
        this: &Item<'a>,
        draft: &mut Draft,
    ) -> Tried<'p> {
        let last = self.last.load(Ordering::Relaxed);
        let mut writes = |place: &OnceLock<Option<Pattern>>| match place.get() {
            Some(Some(pattern)) => pattern.write(maker, object, this, draft),
            _ => false,
        };
        if writes(&self.known[last]) {
            return Tried::Written;
        }
        for (n, place) in self.known.iter().enumerate() {
            match place.get() {
                None => return Tried::New(place),
                Some(None) => return Tried::Unlike,
                Some(Some(_)) if n != last && writes(place) => {
                    self.last.store(n, Ordering::Relaxed);
                    return Tried::Written;
                }
                Some(Some(_)) => {}
            }
        }
        Tried::Unlike
    }
}

/// Which values an object has, and everything that stands between them.
#[derive(Debug)]
pub struct Pattern {
    parts: Box<[Part]>,
    tail: Box<str>,
}

#[derive(Debug)]
struct Part {
    /// What is written before the value.
    head: Box<str>,
    leaf: usize,
    /// What running the leaf gave, and has to give again.
    gave: bool,
    many: bool,
}

impl Pattern {
    /// The pattern that an object has with the values of `this`; none where its parts have to be asked one by one.
    pub(super) fn of<'a>(
        maker: &Maker<'a>,
        object: &'a ObjectRules,
        this: &Item<'a>,
        verdicts: &Verdicts,
    ) -> Option<Pattern> {
        let mut drawing = Drawing {
            verdicts,
            leaves: &object.leaves,
            run: &|leaf, many| leaf.run(maker, many, this, &mut Draft::default()),
            parts: Vec::new(),
            text: String::new(),
        };
        let made = drawing.fields(object)?.is_some();
        made.then(|| Pattern { parts: drawing.parts.into(), tail: drawing.text.into() })
    }

    /// Writes an object; false, and nothing, when its values are not those of the pattern.
    pub(super) fn write<'a>(
        &self,
        maker: &Maker<'a>,
        object: &'a ObjectRules,
        this: &Item<'a>,
        draft: &mut Draft,
    ) -> bool {
        let start = draft.end();
        for part in &self.parts {
            draft.raw(&part.head);
            let gave = object.leaves.get(part.leaf).and_then(|leaf| leaf.run(maker, part.many, this, draft));
            if gave != Some(part.gave) {
                draft.cut(start);
                return false;
            }
        }
        draft.raw(&self.tail);
        true
    }
}

/// A pattern that is being drawn.
struct Drawing<'d, 'a> {
    verdicts: &'d Verdicts,
    leaves: &'a [Leaf],
    run: &'d dyn Fn(&'a Leaf, bool) -> Option<bool>,
    parts: Vec<Part>,
    /// What was written since the last value.
    text: String,
}

/// What was made: whether anything of it came from the source.
type Substantial = bool;

impl<'a> Drawing<'_, 'a> {
    /// Whether nothing comes of a rule or place.
    fn is_out(&self, asked: &Asked) -> bool {
        *self.verdicts.of(asked) == Verdict::No
    }

    /// Runs a leaf, now and whenever the pattern is written.
    fn leaf(&mut self, rule: &Arc<Rule>, many: bool) -> Option<bool> {
        let number = self.leaves.iter().position(|leaf| Arc::ptr_eq(leaf.rule(), rule))?;
        let leaf = &self.leaves[number];
        let gave = (self.run)(leaf, many)?;
        let written = gave && matches!(leaf, Leaf::Value(..));
        let head = if written { std::mem::take(&mut self.text) } else { String::new() };
        self.parts.push(Part { head: head.into(), leaf: number, gave, many });
        Some(gave)
    }

    /// An object in the object: what is made of it; none when that has to be asked.
    fn object(&mut self, object: &ObjectRules) -> Option<Option<Substantial>> {
        if object.frame.each.is_some() {
            return None;
        }
        for step in &object.frame.steps {
            match step {
                FrameStep::Let(_, rule) => _ = self.leaf(rule, false)?,
                FrameStep::When(rule) if self.is_out(&rule.need) || !self.leaf(rule, false)? => return Some(None),
                FrameStep::When(_) => {}
            }
        }
        self.fields(object)
    }

    /// The fields of an object. What is not made leaves no text.
    fn fields(&mut self, object: &ObjectRules) -> Option<Option<Substantial>> {
        let start = self.text.len();
        let asks = object.frame.asks();
        let (mut any, mut substantial) = (false, object.fixed || asks);
        for field in object.fields.iter().filter(|field| self.verdicts.of(&field.need) != &Verdict::No) {
            let before = self.text.len();
            if let Some(whole) = &field.whole {
                self.text.push_str(if any { "," } else { "{" });
                self.text.push_str(whole);
                any = true;
                continue;
            }
            self.text.push_str(if any { &field.next } else { &field.first });
            let (count, from_source) = self.place(&field.rules, field.many, 0)?;
            match count {
                0 if field.required => return None,
                0 => {
                    self.text.truncate(before);
                    continue;
                }
                1 => {}
                _ if field.many => {}
                _ => return None,
            }
            if field.many {
                self.text.push(']');
            }
            any = true;
            substantial |= from_source;
        }
        if any && substantial {
            self.text.push('}');
            return Some(Some(!object.fixed || asks));
        }
        self.text.truncate(start);
        Some(None)
    }

    /// What stands at a place, behind so many values there: how many there are then, and whether one of them came from the source.
    fn place(&mut self, rules: &Rules, many: bool, before: usize) -> Option<(usize, Substantial)> {
        let start = self.text.len();
        if let Rules::List(all) = rules {
            let (mut count, mut substantial) = (before, false);
            for member in all {
                if !self.is_out(&member.need) {
                    let (now, more) = self.place(&member.rules, many, count)?;
                    (count, substantial) = (now, substantial | more);
                }
            }
            return Some((count, substantial));
        }
        if before > 0 {
            self.text.push(',');
        }
        let made = match rules {
            Rules::Value(rule, _) if self.is_out(&rule.need) => None,
            Rules::Value(rule, _) if !rule.fixed => self.leaf(rule, many)?.then_some(true),
            Rules::Object(object) => self.object(object)?,
            _ => return None,
        };
        if made.is_none() {
            self.text.truncate(start);
        }
        Some((before + usize::from(made.is_some()), made.unwrap_or_default()))
    }
}
