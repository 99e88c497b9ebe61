//! Objects written in one go. The claims of one file seldom differ in which values an object has, so what stands between the
//! values is put together once, for all claims with the same words. Where a claim is different after all, the object is
//! made part by part, as the first one was.

use super::{FieldRules, ObjectRules, Rules};
use crate::mapping::draft::Draft;
use crate::mapping::fhirpath::eval::Focus;
use crate::mapping::fhirpath::expr::Expr;
use crate::mapping::fhirpath::gather::With;
use crate::mapping::fhirpath::item::Item;
use crate::mapping::maker::Maker;
use crate::mapping::target::{self, Write};
use crate::mapping::template::Rule;
use crate::mapping::verdicts::{Asked, Verdict, Verdicts};
use std::sync::Arc;

/// A value of an object, or of one of the objects in it.
#[derive(Debug)]
pub(super) struct Leaf {
    rule: Arc<Rule>,
    how: Write,
}

/// The values below some fields, as far as nothing has to be asked before them, in the order in which they are written.
pub(super) fn leaves(fields: &[FieldRules]) -> Box<[Leaf]> {
    let mut leaves = Vec::new();
    fields.iter().for_each(|field| gather(&field.rules, &mut leaves));
    leaves.into()
}

fn gather(rules: &Rules, leaves: &mut Vec<Leaf>) {
    match rules {
        Rules::Value(rule, how) => leaves.push(Leaf { rule: rule.clone(), how: *how }),
        Rules::Object(object) if object.frame.is_empty() => {
            object.fields.iter().for_each(|field| gather(&field.rules, leaves));
        }
        Rules::List(all) => all.iter().for_each(|member| gather(&member.rules, leaves)),
        Rules::Object(_) | Rules::Make(..) => {}
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
    /// No value is there, and nothing is written.
    absent: bool,
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
            present: &|leaf, many| put(maker, leaf, many, this, &mut Draft::default()),
            parts: Vec::new(),
            text: String::new(),
        };
        let made = drawing.object(object)?;
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
            let Some(leaf) = object.leaves.get(part.leaf) else { return false };
            draft.raw(&part.head);
            if put(maker, leaf, part.many, this, draft) != Some(!part.absent) {
                draft.cut(start);
                return false;
            }
        }
        draft.raw(&self.tail);
        true
    }
}

/// Writes the value of a leaf, or all where there may be many: whether there was one; none when it is not as simple as that.
fn put<'a>(maker: &Maker<'a>, leaf: &'a Leaf, many: bool, this: &Item<'a>, draft: &mut Draft) -> Option<bool> {
    let Leaf { rule, how } = leaf;
    let (mut count, mut simple) = (0, true);
    let mut one = |item: &Item<'a>| {
        let end = draft.end();
        if count > 0 {
            draft.raw(",");
        }
        match target::put(*how, item, draft) {
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

/// A pattern that is being drawn.
struct Drawing<'d, 'a> {
    verdicts: &'d Verdicts,
    leaves: &'a [Leaf],
    /// Whether a leaf has a value now.
    present: &'d dyn Fn(&'a Leaf, bool) -> Option<bool>,
    parts: Vec<Part>,
    /// What was written since the last value.
    text: String,
}

impl<'a> Drawing<'_, 'a> {
    /// Whether nothing comes of a rule or place.
    fn is_out(&self, asked: &Asked) -> bool {
        *self.verdicts.of(asked) == Verdict::No
    }

    /// An object: whether it is made; none when that has to be asked. What is not made leaves no text.
    fn object(&mut self, object: &ObjectRules) -> Option<bool> {
        let (start, values) = (self.text.len(), self.parts.len());
        let (mut any, mut substantial) = (false, object.fixed || object.frame.asks());
        for field in object.fields.iter().filter(|field| self.verdicts.of(&field.need) != &Verdict::No) {
            let before = self.text.len();
            if let Some(whole) = &field.whole {
                self.text.push_str(if any { "," } else { "{" });
                self.text.push_str(whole);
                any = true;
                continue;
            }
            self.text.push_str(if any { &field.next } else { &field.first });
            let made = self.parts.len();
            let count = self.place(&field.rules, field.many, 0)?;
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
            substantial |= self.parts[made..].iter().any(|part| !part.absent);
        }
        if any && substantial {
            self.text.push('}');
            return Some(true);
        }
        if self.parts[values..].iter().all(|part| part.absent) {
            self.text.truncate(start);
            return Some(false);
        }
        None
    }

    /// A value: whether there is one now.
    fn value(&mut self, rule: &Arc<Rule>, many: bool) -> Option<bool> {
        let number = self.leaves.iter().position(|leaf| Arc::ptr_eq(&leaf.rule, rule))?;
        let present = (self.present)(&self.leaves[number], many)?;
        let head = if present { std::mem::take(&mut self.text) } else { String::new() };
        self.parts.push(Part { head: head.into(), leaf: number, absent: !present, many });
        Some(present)
    }

    /// What stands at a place, behind so many values there: how many there are then.
    fn place(&mut self, rules: &Rules, many: bool, before: usize) -> Option<usize> {
        let start = self.text.len();
        if before > 0 {
            self.text.push(',');
        }
        let made = match rules {
            Rules::Value(rule, _) if rule.fixed => return None,
            Rules::Value(rule, _) if self.is_out(&rule.need) => false,
            Rules::Value(rule, _) => self.value(rule, many)?,
            Rules::Object(object) if object.frame.is_empty() => self.object(object)?,
            Rules::List(all) => {
                self.text.truncate(start);
                let mut count = before;
                for member in all.iter() {
                    if !self.is_out(&member.need) {
                        count = self.place(&member.rules, many, count)?;
                    }
                }
                return Some(count);
            }
            Rules::Object(_) | Rules::Make(..) => return None,
        };
        if !made {
            self.text.truncate(start);
        }
        Some(before + usize::from(made))
    }
}
