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
    pub when: Vec<Condition>,
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
        for check in checks.iter().filter(|check| check.element == element || check.element == EVERY) {
            let mut report = |repetition| {
                issues.push(check.check.issue(place(element, check.component, repetition, check.error_code)))
            };
            check.judge(segment, text, &mut report);
        }
    }
}

impl CodeCheck {
    /// Whether both are for the same values of one element.
    pub(crate) fn is_at(&self, other: &CodeCheck) -> bool {
        let same = (self.element, self.component) == (other.element, other.component);
        same && (self.element != EVERY || self.when == other.when)
    }

    /// Judges each repetition of an element.
    fn judge(&self, segment: &Segment<'_>, text: &str, report: &mut impl FnMut(usize)) {
        if !self.when.iter().filter(|condition| condition.element != EVERY).all(|condition| condition.holds(segment)) {
            return;
        }
        let separator = segment.delimiters.repetition.map_or('\0', char::from);
        let repeats = text.contains(separator);
        for (n, repetition) in (1..).zip(text.split(separator)) {
            let part = |component: usize| match component {
                0 => repetition,
                _ => segment.parts(repetition).nth(component - 1).unwrap_or_default(),
            };
            let own = self.when.iter().filter(|condition| condition.element == EVERY);
            let code = part(self.component);
            let is_meant = || own.clone().all(|condition| condition.takes(part(condition.component)));
            if !code.is_empty() && is_meant() && !self.set.holds(code) {
                report(if repeats { n } else { 0 });
            }
        }
    }
}

impl Condition {
    fn holds(&self, segment: &Segment<'_>) -> bool {
        let value = match self.component {
            0 => segment.element(self.element),
            component => segment.component(self.element, component),
        };
        self.takes(value)
    }

    fn takes(&self, value: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.holds(value))
    }
}

#[cfg(test)]
mod tests;
