//! Code sets that X12 itself does not hold (SNIP 5): which elements of a segment take their codes from which set, and
//! whether a code is one of it. `conformance/x12/codes.rules` says it all; the lists are the tables of `mappings/codes/`,
//! those of `conformance/x12/codes/`, and whole ones that a user puts into the folder of the knob `codes_dir`.

mod compile;
mod forms;
mod lists;

pub(crate) use compile::compile;
pub use lists::Lists;

use crate::fault::{Issue, X12Place};
use crate::x12::guide::{Guide, SegmentIx};
use crate::x12::reader::TransactionSet;
use crate::x12::segment::Segment;
use crate::x12::situations::{Check, EVERY, Pattern, position};
use crate::x12::tree::Loop;
use std::collections::HashSet;
use std::sync::Arc;

/// A code set: the form of its codes, and its list where there is one.
#[derive(Debug, Default)]
pub struct CodeSet {
    pub name: String,
    pub(crate) form: Option<fn(&str) -> bool>,
    pub(crate) list: Option<HashSet<Box<str>>>,
}

impl CodeSet {
    /// Whether a code has the form of the set, and is in its list.
    pub fn holds(&self, code: &str) -> bool {
        self.form.is_none_or(|form| form(code)) && self.list.as_ref().is_none_or(|list| list.contains(code))
    }
}

/// An element of a segment that takes its code from a set.
#[derive(Debug, Clone)]
pub(crate) struct CodeCheck {
    pub check: Arc<Check>,
    pub set: Arc<CodeSet>,
    /// [`EVERY`]: each element of the segment.
    pub element: usize,
    /// 0: the element as a whole.
    pub component: usize,
    /// Shared by the checks of one line, so that it is judged once.
    pub when: Arc<[Condition]>,
    /// IK403 of a 999.
    pub error_code: &'static str,
}

/// Another element of the segment that must hold one of these.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    /// [`EVERY`]: the element that is checked.
    pub element: usize,
    pub component: usize,
    pub patterns: Vec<Pattern>,
}

/// Checks the codes of one segment.
pub(crate) fn check_segment(
    guide: &Guide,
    spec: SegmentIx,
    set: &TransactionSet<'_>,
    found: &Loop<'_>,
    segment: &Segment<'_>,
    issues: &mut Vec<Issue>,
) {
    let Some(checks) = guide.codes.get(usize::from(spec.0)).filter(|checks| !checks.is_empty()) else { return };
    let place = |element, component, repetition, error_code: &str| X12Place {
        transaction_set: Some(set.control_number().to_owned()),
        loop_id: Some(found.id.to_string()),
        element: position(element),
        component: position(component),
        repetition: position(repetition),
        error_code: Some(error_code.to_owned()),
        ..segment.place()
    };
    for (element, text) in (1..).zip(segment.elements()).filter(|(_, text)| !text.is_empty()) {
        let own = checks.iter().filter(|check| check.element == element || check.element == EVERY);
        if own.clone().next().is_none() {
            continue;
        }
        let separator = segment.delimiters.repetition.map_or('\0', char::from);
        let repeats = text.contains(separator);
        for (n, repetition) in (1..).zip(text.split(separator)) {
            let value = Value::new(segment, element, repetition);
            value.judge(own.clone(), &mut |check| {
                let at = place(element, check.component, if repeats { n } else { 0 }, check.error_code);
                issues.push(check.check.issue(at));
            });
        }
    }
}

/// Most components of an element.
const COMPONENTS: usize = 12;

/// One repetition of an element, taken apart once.
struct Value<'s, 'a> {
    segment: &'s Segment<'a>,
    element: usize,
    whole: &'a str,
    parts: [&'a str; COMPONENTS],
}

impl<'s, 'a> Value<'s, 'a> {
    fn new(segment: &'s Segment<'a>, element: usize, whole: &'a str) -> Value<'s, 'a> {
        let mut parts = [""; COMPONENTS];
        parts.iter_mut().zip(segment.parts(whole)).for_each(|(part, text)| *part = text);
        Value { segment, element, whole, parts }
    }

    fn part(&self, component: usize) -> &'a str {
        match component {
            0 => self.whole,
            _ => self.parts.get(component - 1).copied().unwrap_or_default(),
        }
    }

    /// Reports the checks that it fails.
    fn judge<'c>(&self, checks: impl Iterator<Item = &'c CodeCheck>, report: &mut impl FnMut(&CodeCheck)) {
        let mut judged: Option<(&Arc<[Condition]>, bool)> = None;
        for check in checks {
            let code = self.part(check.component);
            if code.is_empty() {
                continue;
            }
            let is_meant = match judged {
                Some((when, holds)) if Arc::ptr_eq(when, &check.when) => holds,
                _ => check.when.iter().all(|condition| self.meets(condition)),
            };
            judged = Some((&check.when, is_meant));
            if is_meant && !check.set.holds(code) {
                report(check);
            }
        }
    }

    fn meets(&self, condition: &Condition) -> bool {
        let is_own = condition.element == EVERY || condition.element == self.element;
        let value = match (is_own, condition.component) {
            (true, component) => self.part(component),
            (false, 0) => self.segment.element(condition.element),
            (false, component) => self.segment.component(condition.element, component),
        };
        condition.patterns.iter().any(|pattern| pattern.holds(value))
    }
}

impl CodeCheck {
    /// Whether both are for the same values of one element.
    pub(crate) fn is_at(&self, other: &CodeCheck) -> bool {
        let same = (self.element, self.component) == (other.element, other.component);
        same && (self.element != EVERY || self.when == other.when)
    }
}

#[cfg(test)]
mod tests;
