//! What the rules of a guide look at: all else of a segment or loop may change, and they say the same.

use crate::x12::code_sets::CodeCheck;
use crate::x12::guide::{ElementKind, ElementSpec, Guide, LoopIx, SegmentIx, SegmentSpec, Usage};
use crate::x12::situations::{EVERY, Situation, Term, Test};

/// What the situational rules of a guide see. The default is of a guide without rules.
#[derive(Debug, Default)]
pub(crate) struct Sight {
    /// By segment: bit n is set when a rule looks at element n; all are when one looks at each of them.
    elements: Vec<u64>,
    /// By loop: it is a unit or a level around units, and not looked into from the outside.
    apart: Vec<bool>,
    /// By segment: bit n is set when element n may hold any text that its type allows, and neither rules nor code sets look
    /// at it.
    free: Vec<u64>,
}

/// All elements of a segment.
pub(crate) const ALL: u64 = u64::MAX;

impl Sight {
    /// Of a guide whose rules and code checks are complete.
    pub fn of(guide: &Guide) -> Sight {
        let mut elements = vec![0; guide.segments.len()];
        for predicate in guide.situations.iter().flat_map(|own| &own.rules).flat_map(Situation::predicates) {
            predicate.terms.iter().for_each(|term| look_at(term, 0, &mut elements));
            // Numbers that point into a segment see which of its elements are there.
            let whole = if matches!(predicate.test, Test::PointsInto(_)) { ALL } else { 0 };
            predicate.test.other().into_iter().for_each(|term| look_at(term, whole, &mut elements));
        }
        let segments = guide.segments.iter().zip(&elements).zip(&guide.codes);
        let free = segments.map(|((spec, seen), checks)| free(spec) & !seen & !checked(checks)).collect();
        Sight { elements, apart: guide.loop_ixs().map(|(ix, _)| guide.is_apart(ix)).collect(), free }
    }

    pub fn elements(&self, ix: SegmentIx) -> u64 {
        self.elements.get(usize::from(ix.0)).copied().unwrap_or(ALL)
    }

    pub fn is_apart(&self, ix: LoopIx) -> bool {
        self.apart.get(usize::from(ix.0)).copied().unwrap_or_default()
    }

    /// The elements of a segment that may hold anything.
    pub fn free(&self, ix: SegmentIx) -> u64 {
        self.free.get(usize::from(ix.0)).copied().unwrap_or_default()
    }
}

fn look_at(term: &Term, more: u64, elements: &mut [u64]) {
    let qualifier = term.qualifier.as_ref().map_or(0, |(element, ..)| bits(*element));
    for ix in &term.segments {
        elements[usize::from(ix.0)] |= bits(term.element) | qualifier | more;
    }
}

/// Simple elements that a guide leaves open.
fn free(spec: &SegmentSpec) -> u64 {
    let is_free = |element: &ElementSpec| {
        let is_simple = !matches!(element.kind, ElementKind::Composite | ElementKind::B);
        is_simple && element.usage != Usage::NotUsed && (element.codes.is_empty() || element.external.is_some())
    };
    let own = (1..64).zip(&spec.elements).filter(|(_, element)| is_free(element));
    own.fold(0, |all, (n, _)| all | bits(n))
}

/// Elements that code sets look at.
fn checked(checks: &[CodeCheck]) -> u64 {
    let conditions = checks.iter().flat_map(|check| check.when.iter().map(|condition| condition.element));
    checks.iter().map(|check| check.element).chain(conditions).fold(0, |all, element| all | bits(element))
}

fn bits(element: usize) -> u64 {
    match element {
        0 => 0,
        EVERY => ALL,
        n => u32::try_from(n).ok().and_then(|n| 1u64.checked_shl(n)).unwrap_or(ALL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x12::guide::tests::shipped;

    #[test]
    fn what_no_rule_looks_at_is_not_seen() {
        let guide = shipped().get("837p").unwrap();
        let seen = |in_loop, key| {
            let ix = guide.segment_ix(guide.loop_ix(in_loop).unwrap(), key).unwrap();
            guide.sight.elements(ix)
        };
        let clm = seen("2300", "CLM");
        assert!(clm & (1 << 5) != 0 && clm & (1 << 1) == 0, "{clm:b}");
        assert_eq!(seen("2300", "HI*ABK"), ALL);
        let clm = guide.segment_ix(guide.loop_ix("2300").unwrap(), "CLM").unwrap();
        let free = guide.sight.free(clm);
        assert!(free & (1 << 1) != 0 && free & (1 << 5) == 0 && free & (1 << 6) == 0, "{free:b}");
        assert!(guide.sight.is_apart(guide.loop_ix("2300").unwrap()));
        assert!(!guide.sight.is_apart(guide.loop_ix("2400").unwrap()));
    }
}
