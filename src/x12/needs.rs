//! What a loop of a guide must hold, as bits. Most loops hold it, and nothing more often than once: one look tells, and
//! nothing need be counted.

use crate::x12::guide::{Guide, LoopIx, SegmentIx, Usage};
use crate::x12::guide_file::bit;

/// What one loop must hold. The default says nothing.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    /// The first segment of the loop: its segments have indices one after another.
    first: u16,
    segments: Kinds,
    children: Kinds,
    /// Every kind has its bit.
    is_known: bool,
}

/// Segments or loops of a loop, each by its bit.
#[derive(Debug, Default)]
struct Kinds {
    required: u128,
    not_used: u128,
    /// There is a number of them that is too many.
    limited: u128,
}

impl Needs {
    pub fn of(guide: &Guide, of: LoopIx) -> Needs {
        let spec = guide.loop_at(of);
        let first = spec.segments.first().map_or(0, |ix| ix.0);
        let mut needs = Needs { first, is_known: true, ..Needs::default() };
        for ix in &spec.segments {
            let segment = guide.segment_at(*ix);
            needs.is_known &= needs.segments.add(needs.segment(*ix), segment.usage, segment.max);
        }
        for ix in &spec.children {
            let child = guide.loop_at(*ix);
            // A loop that is not used is not forbidden: what begins it is.
            let usage = if child.usage == Usage::NotUsed { Usage::Situational } else { child.usage };
            needs.is_known &= needs.children.add(bit(usize::from(ix.0)), usage, child.max);
        }
        needs
    }

    fn segment(&self, ix: SegmentIx) -> u128 {
        bit(usize::from(ix.0.wrapping_sub(self.first)))
    }

    /// Whether a loop is surely right that holds these. When it is not, they must be counted.
    pub fn are_met(&self, segments: impl Iterator<Item = SegmentIx>, children: impl Iterator<Item = LoopIx>) -> bool {
        self.is_known
            && self.segments.are_met(segments.map(|ix| self.segment(ix)))
            && self.children.are_met(children.map(|ix| bit(usize::from(ix.0))))
    }
}

impl Kinds {
    /// Adds a kind; false when it has no bit.
    fn add(&mut self, own: u128, usage: Usage, max: Option<u32>) -> bool {
        match usage {
            Usage::Required => self.required |= own,
            Usage::NotUsed => self.not_used |= own,
            Usage::Situational => {}
        }
        // One that may not stand at all is too many at once.
        self.not_used |= if max == Some(0) { own } else { 0 };
        self.limited |= if max.is_some() { own } else { 0 };
        own != 0
    }

    fn are_met(&self, found: impl Iterator<Item = u128>) -> bool {
        let (mut here, mut again) = (0, 0);
        for own in found {
            again |= here & own;
            here |= own;
        }
        self.required & !here == 0 && self.not_used & here == 0 && self.limited & again == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x12::guide::tests::shipped;

    #[test]
    fn what_is_missing_forbidden_or_twice_is_counted() {
        let guide = shipped().get("837p").unwrap();
        let own = guide.loop_ix("2400").unwrap();
        let needs = &guide.loop_at(own).needs;
        let ix = |key: &str| guide.segment_ix(own, key).unwrap();
        let met = |keys: &[&str]| needs.are_met(keys.iter().map(|key| ix(key)), std::iter::empty());
        assert!(met(&["LX", "SV1", "DTP*472"]) && met(&["LX", "SV1", "DTP*472", "REF*6R"]));
        assert!(!met(&["LX", "DTP*472"]) && !met(&["LX", "LX", "SV1", "DTP*472"]));
        let lines = |count| std::iter::repeat_n(guide.loop_ix("2430").unwrap(), count);
        let whole = || ["LX", "SV1", "DTP*472"].iter().map(|key| ix(key));
        assert!(needs.are_met(whole(), lines(1)) && !needs.are_met(whole(), lines(2)));
        assert!(guide.loop_ixs().all(|(_, spec)| spec.needs.is_known) && !Needs::default().are_met(whole(), lines(1)));
    }
}
