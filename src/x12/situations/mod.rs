//! Situational rules (SNIP 4): what must stand, or must not, because of something else. The rules are lines of
//! `conformance/x12/*.rules`, whose README tells the notation; here they are compiled to the loops and segments of one
//! guide and held against one loop at a time, with the loops around it.

mod compile;
mod demand;
mod find;
pub(crate) mod notation;
mod sight;
mod walk;

pub(crate) use compile::{compile, words};
pub(crate) use sight::{ALL, Sight};
pub(crate) use walk::{Seen, check};

use crate::fault::{Issue, Place, Severity, X12Place, X12Trigger};
use crate::x12::guide::{Guide, LoopIx, SegmentIx};
use crate::x12::guide_file::bit;
use crate::x12::segment::Segment;
use crate::x12::tree::Loop;
use std::sync::Arc;

/// A check as people see it: its stable name, how bad it is, its words.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// Stable; a payer's profile switches the check by it.
    pub name: String,
    pub severity: Severity,
    /// The family, one of [`crate::fault::codes`].
    pub code: &'static str,
    /// Names of the guides that it is for; empty for all.
    pub guides: Vec<String>,
    /// What is wrong, for a biller.
    pub say: String,
    /// How to mend it.
    pub mend: String,
}

impl Check {
    pub(crate) fn issue(&self, at: X12Place) -> Issue {
        let at = X12Place { check: Some(self.name.clone()), ..at };
        Issue {
            severity: self.severity,
            code: self.code,
            at: Place::X12(at),
            text: self.say.clone(),
            hint: Some(self.mend.clone()).filter(|mend| !mend.is_empty()),
        }
    }
}

/// The rules of one loop of one guide.
#[derive(Debug, Default)]
pub(crate) struct LoopRules {
    pub rules: Vec<Situation>,
    /// What several rules look at first, so that it is found once.
    pub probes: Vec<Vec<Term>>,
}

/// A rule in one loop of one guide.
#[derive(Debug)]
pub(crate) struct Situation {
    pub check: Arc<Check>,
    /// All must hold.
    pub when: Vec<Predicate>,
    pub demand: Predicate,
    /// The demand must not hold.
    pub forbids: bool,
    /// It looks at loops around its own, or beside them.
    pub looks_out: bool,
    /// Of each, one of the segments must be in the loop, or the rule has nothing to say. Bit n is the loop's segment n.
    pub gates: Vec<u128>,
    /// The gates of one segment, together: all of these must be there.
    pub must: u128,
    /// The probe of its first condition, when that is about the values or the presence of something.
    pub probe: Option<usize>,
}

/// Something that holds of a loop or not.
#[derive(Debug)]
pub(crate) struct Predicate {
    /// Any of them.
    pub terms: Vec<Term>,
    pub test: Test,
}

/// Segments or elements, in the loop itself, in one around it, or below one of these.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Term {
    /// Another loop than the rule's.
    pub scope: Option<Scope>,
    /// Empty: the loop as a whole.
    pub segments: Vec<SegmentIx>,
    /// Element, component and codes that a segment is told by, where the guide's own segment has more of them.
    pub qualifier: Option<(usize, usize, String)>,
    /// 0: the segment as a whole. [`EVERY`]: each of its elements.
    pub element: usize,
    /// 0: the element as a whole.
    pub component: usize,
    /// Segment id.
    pub id: String,
}

/// Another loop than the rule's: one around it, or one below one of these.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scope {
    pub ix: LoopIx,
    /// The loops of the guide above it.
    pub above: Loops,
    /// Units and levels of the guide ([`Guide::is_apart`]). What is inside of one is not seen from the outside, so that a set
    /// says the same portion by portion as it does as a whole.
    pub apart: Loops,
}

/// Some loops of a guide: bit n is that of loop n.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Loops(Vec<u64>);

impl Loops {
    pub fn contains(&self, ix: LoopIx) -> bool {
        self.0.get(usize::from(ix.0) / 64).is_some_and(|bits| bits >> (ix.0 % 64) & 1 == 1)
    }

    pub fn iter(&self) -> impl Iterator<Item = LoopIx> {
        (0..).take(64 * self.0.len()).map(LoopIx).filter(|ix| self.contains(*ix))
    }
}

impl FromIterator<LoopIx> for Loops {
    fn from_iter<I: IntoIterator<Item = LoopIx>>(all: I) -> Loops {
        let mut loops = Loops::default();
        for ix in all {
            let word = usize::from(ix.0) / 64;
            if loops.0.len() <= word {
                loops.0.resize(word + 1, 0);
            }
            loops.0[word] |= 1 << (ix.0 % 64);
        }
        loops
    }
}

/// Each element of a segment (`HI**-2`).
pub(crate) const EVERY: usize = usize::MAX;

#[derive(Debug)]
pub(crate) enum Test {
    Present,
    Absent,
    OneOf(Vec<Pattern>),
    /// There, and none of these.
    NoneOf(Vec<Pattern>),
    Zero,
    NonZero,
    /// The value stands there too.
    Equals(Term),
    /// The date (or the first day of a period) is not before that one.
    NotBefore(Term),
    /// The date (or the last day of a period) is not after that one.
    NotAfter(Term),
    /// No value twice, these excepted.
    Distinct(Vec<Pattern>),
    /// A period whose last day is not before its first.
    Ordered,
    /// 1, 2, 3 …
    Sequence,
    /// Each component is the number of an element that is there.
    PointsInto(Term),
}

/// A value, `J*` (whatever begins so) or `A0425..A0434` (from, to; also for dates and periods).
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Pattern {
    Exact(String),
    Prefix(String),
    Range(String, String),
}

impl Pattern {
    pub fn holds(&self, value: &str) -> bool {
        match self {
            Pattern::Exact(text) => text == value,
            Pattern::Prefix(text) => value.starts_with(text.as_str()),
            Pattern::Range(from, to) => {
                // Of a period the first day counts.
                let value = value.split('-').next().unwrap_or(value);
                value.len() == from.len() && (from.as_str()..=to.as_str()).contains(&value)
            }
        }
    }
}

/// Where something was found.
#[derive(Clone, Copy)]
pub(crate) struct Spot<'t, 'a> {
    pub found: &'t Loop<'a>,
    /// `None` when the loop as a whole is meant.
    pub segment: Option<&'t Segment<'a>>,
    pub element: usize,
    pub component: usize,
    pub value: &'a str,
}

/// Which rules of a loop are asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// Those that look at nothing but the loop and what is inside of it.
    pub inside: bool,
    /// The others.
    pub outside: bool,
}

impl Rules {
    fn ask(self, rule: &Situation) -> bool {
        if rule.looks_out { self.outside } else { self.inside }
    }
}

/// Checks one loop, the last of `path`; before it stand the loops around it, the set first.
fn check_loop(guide: &Guide, set: &str, path: &[&Loop<'_>], rules: Rules, issues: &mut Vec<Issue>) {
    let Some(innermost) = path.last() else { return };
    let Some(own) = guide.situations.get(usize::from(innermost.spec.0)).filter(|own| !own.rules.is_empty()) else {
        return;
    };
    let present = innermost.specs.iter().flatten().fold(0, |bits, ix| bits | segment_bit(guide, innermost.spec, *ix));
    let mut probed = [None; PROBES];
    let is_open = |rule: &&Situation| rule.must & !present == 0 && rule.gates.iter().all(|gate| gate & present != 0);
    for rule in own.rules.iter().filter(|rule| rules.ask(rule)).filter(is_open) {
        let probe = rule.probe.and_then(|n| Some((own.probes.get(n)?, probed.get_mut(n)?)));
        let may_hold = probe.is_none_or(|(terms, seen)| {
            let values = seen.get_or_insert_with(|| Probed::of(terms, path));
            rule.when.first().is_none_or(|first| values.may_hold(&first.test))
        });
        if may_hold {
            rule.check(guide, set, path, issues);
        }
    }
}

/// Most probes of a loop, and values of a probe.
const PROBES: usize = 16;
const PROBED: usize = 4;

/// What a probe found.
#[derive(Clone, Copy)]
struct Probed<'a> {
    values: [&'a str; PROBED],
    /// More than [`PROBED`] when there are more.
    count: usize,
}

impl<'a> Probed<'a> {
    fn of(terms: &[Term], path: &[&Loop<'a>]) -> Probed<'a> {
        let mut found = Probed { values: [""; PROBED], count: 0 };
        let mut take = |spot: Spot<'_, 'a>| {
            if let Some(value) = found.values.get_mut(found.count) {
                *value = spot.value;
            }
            found.count += 1;
            found.count > PROBED
        };
        terms.iter().any(|term| find::visit(term, path, &mut take));
        found
    }

    /// False when the condition can't hold.
    fn may_hold(&self, test: &Test) -> bool {
        let patterns = match test {
            Test::Present => return self.count > 0,
            Test::Absent => return self.count == 0,
            Test::OneOf(patterns) => patterns,
            _ => return true,
        };
        let values = self.values.get(..self.count);
        values.is_none_or(|values| values.iter().any(|value| patterns.iter().any(|pattern| pattern.holds(value))))
    }
}

/// The bit of a segment of a loop: segments of a loop have indices one after another.
pub(crate) fn segment_bit(guide: &Guide, of: LoopIx, ix: SegmentIx) -> u128 {
    let first = guide.loop_at(of).segments.first().map_or(0, |first| first.0);
    bit(usize::from(ix.0.wrapping_sub(first)))
}

impl Situation {
    fn check(&self, guide: &Guide, set: &str, path: &[&Loop<'_>], issues: &mut Vec<Issue>) {
        let mut trigger = None;
        for predicate in &self.when {
            let Some(witness) = predicate.holds(path) else { return };
            trigger = trigger.or(witness);
        }
        let Some(at) = demand::broken(self, guide, path).filter(|_| self.is_sure(path)) else { return };
        let trigger = trigger.and_then(|spot| Some((spot.segment?, spot))).map(|(segment, spot)| X12Trigger {
            segment: segment.id().to_owned(),
            ordinal: segment.ordinal,
            loop_id: spot.found.id.to_string(),
            element: position(spot.element),
            component: position(spot.component),
        });
        let at = X12Place { transaction_set: Some(set.to_owned()), trigger: trigger.map(Box::new), ..at };
        issues.push(self.check.issue(at));
    }

    /// Whether all of what the rule looks at is here, where a set comes in portions.
    fn is_sure(&self, path: &[&Loop<'_>]) -> bool {
        self.terms().all(|term| find::origin(term, path).is_none_or(|(found, _)| !found.part.is_cut))
    }

    fn predicates(&self) -> impl Iterator<Item = &Predicate> {
        self.when.iter().chain([&self.demand])
    }

    /// All that it looks at.
    fn terms(&self) -> impl Iterator<Item = &Term> {
        self.predicates().flat_map(|predicate| predicate.terms.iter().chain(predicate.test.other()))
    }
}

impl Test {
    /// What it compares with.
    fn other(&self) -> Option<&Term> {
        match self {
            Test::Equals(other) | Test::NotBefore(other) | Test::NotAfter(other) | Test::PointsInto(other) => {
                Some(other)
            }
            _ => None,
        }
    }
}

/// A position as places name it; none for 0.
pub(crate) fn position(n: usize) -> Option<u8> {
    (n > 0).then(|| u8::try_from(n).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests;
