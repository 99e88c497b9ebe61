//! Runs the rules of an object: what comes of them is written as JSON.

use super::pattern::{Pattern, Tried};
use super::{FieldRules, Member, ObjectRules, Rules, first_rule};
use crate::mapping::draft::Draft;
use crate::mapping::fhirpath::eval::several;
use crate::mapping::fhirpath::gather::With;
use crate::mapping::fhirpath::item::Item;
use crate::mapping::maker::{Maker, Trail};
use crate::mapping::target::{self, Write, Written, write};
use crate::mapping::template::Rule;

/// The values of one place, written one behind the other with commas between, and whether any of them came from the source.
pub struct Made<'d> {
    draft: &'d mut Draft,
    /// Where the first value ends.
    first: usize,
    count: usize,
    pub substantial: bool,
}

impl<'d> Made<'d> {
    /// A place that begins where the draft ends.
    pub fn new(draft: &'d mut Draft) -> Made<'d> {
        let first = draft.end();
        Made { draft, first, count: 0, substantial: false }
    }

    /// Writes one more value; nothing when `write` says that it is none.
    fn add(&mut self, write: impl FnOnce(&mut Draft) -> bool) -> bool {
        let before = self.draft.end();
        if self.count > 0 {
            self.draft.raw(",");
        }
        let made = write(self.draft);
        if made {
            self.count += 1;
            self.first = if self.count == 1 { self.draft.end() } else { self.first };
        } else {
            self.draft.cut(before);
        }
        made
    }

    /// What [`Made::back`] goes back to.
    fn mark(&self) -> (usize, usize, usize, bool) {
        (self.draft.end(), self.first, self.count, self.substantial)
    }

    /// Takes back what was written since.
    fn back(&mut self, (end, first, count, substantial): (usize, usize, usize, bool)) {
        self.draft.cut(end);
        (self.first, self.count, self.substantial) = (first, count, substantial);
    }

    /// Leaves the first value alone; false when there is none.
    pub fn keep_first(self) -> bool {
        self.draft.cut(self.first);
        self.count > 0
    }
}

/// Makes what stands at a place.
pub fn make<'a>(maker: &Maker<'a>, rules: &'a Rules, this: &Item<'a>, trail: &Trail<'_>, made: &mut Made<'_>) {
    match rules {
        Rules::Value(rule, how) => value(maker, rule, *how, this, trail, made),
        Rules::Object(object) => {
            maker.framed(&object.frame, this, trail, &mut |item| {
                let place = indexed(trail, made.count);
                if made.add(|draft| make_object(maker, object, item, &place, draft)) {
                    made.substantial |= !object.fixed || object.frame.asks();
                }
            });
        }
        Rules::List(all) => make_members(maker, all, this, trail, made),
        Rules::Make(frame, all) => {
            maker.framed(frame, this, trail, &mut |item| make_members(maker, all, item, trail, made));
        }
    }
}

fn make_members<'a>(maker: &Maker<'a>, all: &'a [Member], this: &Item<'a>, trail: &Trail<'_>, made: &mut Made<'_>) {
    let wanted = all.iter().filter(|member| maker.run.may(&member.need));
    wanted.for_each(|member| make(maker, &member.rules, this, trail, made));
}

/// The trail of the next item of a list; a trail that has no place is none of a list.
fn indexed<'t>(trail: &Trail<'t>, n: usize) -> Trail<'t> {
    Trail { index: trail.index.map(|_| n), ..*trail }
}

fn value<'a>(maker: &Maker<'a>, rule: &'a Rule, how: Write, this: &Item<'a>, trail: &Trail<'_>, made: &mut Made<'_>) {
    let before = made.mark();
    let whole = maker.hand(
        rule,
        this,
        trail,
        &mut With(|item| {
            if maker.keeps_lineage() {
                keep(maker, rule, how, &item, &indexed(trail, made.count));
            }
            let mut problem = None;
            let written = made.add(|draft| {
                target::put(how, &item, draft).unwrap_or_else(|found| {
                    problem = Some(found);
                    false
                })
            });
            made.substantial |= written && !rule.fixed;
            if let Some(problem) = problem {
                maker.problem(rule, this, trail, *problem);
            }
            true
        }),
    );
    if !whole {
        made.back(before);
    }
}

/// Keeps where a value comes from that is about to be written.
fn keep<'a>(maker: &Maker<'a>, rule: &'a Rule, how: Write, item: &Item<'a>, trail: &Trail<'_>) {
    if let Ok(written) = write(how, item)
        && !matches!(written, Written::Nothing)
    {
        maker.keep(rule, trail, &written.shown());
    }
}

/// One object; false when nothing in it came from the source, and then nothing of it stays.
fn make_object<'a>(
    maker: &Maker<'a>,
    object: &'a ObjectRules,
    this: &Item<'a>,
    trail: &Trail<'_>,
    draft: &mut Draft,
) -> bool {
    let parts = |draft: &mut Draft| make_fields(maker, object, this, trail, draft);
    if maker.keeps_lineage() {
        return parts(draft);
    }
    if object.fixed {
        if let Some(ready) = object.ready.get() {
            draft.bytes(ready);
            return true;
        }
        let (before, start) = (maker.issue_count(), draft.end());
        let made = parts(draft);
        if made && maker.issue_count() == before {
            object.ready.get_or_init(|| draft.since(start).into());
        }
        return made;
    }
    let has_pattern = trail.outer.is_some() && !object.leaves.is_empty();
    let verdicts = maker.run.verdicts.as_ref().filter(|_| has_pattern);
    let known = verdicts.and_then(|verdicts| Some((verdicts, verdicts.patterns(object.number)?)));
    let Some((verdicts, patterns)) = known else { return parts(draft) };
    match patterns.write(maker, object, this, draft) {
        Tried::Written => true,
        Tried::Unlike => parts(draft),
        Tried::New(place) => {
            let made = parts(draft);
            if made {
                place.get_or_init(|| Pattern::of(maker, object, this, verdicts));
            }
            made
        }
    }
}

fn make_fields<'a>(
    maker: &Maker<'a>,
    object: &'a ObjectRules,
    this: &Item<'a>,
    trail: &Trail<'_>,
    draft: &mut Draft,
) -> bool {
    let (mut substantial, mut missing, mut any) = (object.fixed || object.frame.asks(), Vec::new(), false);
    if !substantial && trail.outer.is_some() && !maker.run.may(&object.need) {
        return false;
    }
    let start = draft.end();
    let picked = |field: &FieldRules| trail.outer.is_some() || maker.picks(&field.name);
    for field in object.fields.iter().filter(|field| maker.run.may(&field.need) && picked(field)) {
        if let (Some(whole), Rules::Value(rule, _), false) = (&field.whole, &field.rules, maker.keeps_lineage()) {
            draft.raw(if any { "," } else { "{" });
            draft.raw(whole);
            rule.used.mark();
            any = true;
            continue;
        }
        let place = trail.step(&field.name, field.many.then_some(0));
        let before = if field.required { maker.issue_count() } else { 0 };
        let mark = draft.end();
        match any {
            true => draft.raw(&field.next),
            false => draft.raw(&field.first),
        }
        let mut made = Made::new(draft);
        make(maker, &field.rules, this, &place, &mut made);
        substantial |= made.substantial;
        let count = made.count;
        if count == 0 && field.required && maker.issue_count() == before {
            missing.push(field);
        }
        if count == 0 || !is_settled(maker, field, count, this, &place) {
            draft.cut(mark);
            continue;
        }
        if field.many {
            draft.raw("]");
        } else {
            made.keep_first();
        }
        any = true;
    }
    if !any || !(substantial || trail.outer.is_none()) {
        draft.cut(start);
        return false;
    }
    draft.raw("}");
    for field in missing {
        maker.missing(first_rule(&field.rules), this, &trail.step(&field.name, None));
    }
    true
}

/// Whether a field takes as many values as were made for it.
fn is_settled<'a>(maker: &Maker<'a>, field: &'a FieldRules, count: usize, this: &Item<'a>, trail: &Trail<'_>) -> bool {
    match first_rule(&field.rules) {
        Some(rule) if count > 1 && !field.many => {
            maker.problem(rule, this, trail, *several(count));
            false
        }
        _ => true,
    }
}
