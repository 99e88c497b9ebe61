//! Segments that were found without fault: one that comes again need not be looked at again, and in a long file most do.

use crate::x12::delimiters::Delimiters;
use crate::x12::guide::{Guide, SegmentIx};
use crate::x12::segment::Segment;

/// Segments that are remembered; one that comes later takes the slot of another.
const SLOTS: usize = 2048;
/// Longest segment that is remembered, so that a slot is a line of the processor's cache.
const LENGTH: usize = 60;
/// Segments before anything is remembered: a single claim is over before it would help.
const FIRST: u32 = 200;

/// What was found without fault under one guide, by what it says and what the guide calls it. The default knows nothing.
#[derive(Debug, Default)]
pub(crate) struct Known {
    guide: String,
    delimiters: Delimiters,
    asked: u32,
    slots: Vec<Slot>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    text: [u8; LENGTH],
    /// 0: nothing is remembered here.
    length: u8,
    ix: SegmentIx,
}

const FREE: Slot = Slot { text: [0; LENGTH], length: 0, ix: SegmentIx(0) };

impl Known {
    /// Says by which guide is checked from here on.
    pub fn follow(&mut self, guide: &Guide) {
        if self.guide != guide.name {
            guide.name.clone_into(&mut self.guide);
            self.slots.fill(FREE);
        }
    }

    /// Whether the same segment was found without fault.
    pub fn has(&mut self, ix: SegmentIx, segment: &Segment<'_>) -> bool {
        if self.delimiters != segment.delimiters {
            self.delimiters = segment.delimiters;
            self.slots.fill(FREE);
        }
        let raw = segment.raw().as_bytes();
        match self.slots.get(slot_of(ix, raw)) {
            Some(slot) => slot.ix == ix && slot.text.get(..usize::from(slot.length)) == Some(raw),
            None => {
                self.asked += 1;
                if self.asked == FIRST {
                    self.slots = vec![FREE; SLOTS];
                }
                false
            }
        }
    }

    /// Remembers a segment without fault, which [`Known::has`] was asked about.
    pub fn keep(&mut self, ix: SegmentIx, segment: &Segment<'_>) {
        let raw = segment.raw().as_bytes();
        let slot = self.slots.get_mut(slot_of(ix, raw));
        if let Some((slot, length)) = slot.zip(u8::try_from(raw.len()).ok())
            && let Some(text) = slot.text.get_mut(..raw.len())
        {
            text.copy_from_slice(raw);
            (slot.length, slot.ix) = (length, ix);
        }
    }
}

fn slot_of(ix: SegmentIx, raw: &[u8]) -> usize {
    const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
    let (words, rest) = raw.as_chunks::<8>();
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(MIX);
    let hash = words.iter().fold(u64::from(ix.0), |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let rest = rest.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte));
    let hash = mix(hash, rest);
    usize::try_from(hash >> 32).unwrap_or_default() % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x12::guide::tests::shipped;

    #[test]
    fn the_same_segment_is_known_and_no_other() {
        let guide = |name| shipped().get(name).unwrap();
        let (mut known, own, other) = (Known::default(), SegmentIx(7), SegmentIx(8));
        known.follow(guide("835"));
        let new = |raw| Segment::new(raw, Delimiters::default());
        let long = format!("NM1*QC*1*{}", "A".repeat(LENGTH));
        for _ in 0..FIRST {
            assert!(!known.has(own, &new("CAS*PR*3*10")));
            known.keep(own, &new("CAS*PR*3*10"));
            known.keep(own, &new(&long));
        }
        assert!(known.has(own, &new("CAS*PR*3*10")) && !known.has(own, &new(&long)));
        assert!(!known.has(other, &new("CAS*PR*3*10")) && !known.has(own, &new("CAS*PR*3*11")));
        known.follow(guide("837p"));
        assert!(!known.has(own, &new("CAS*PR*3*10")));
        known.keep(own, &new("CAS*PR*3*10"));
        let delimiters = Delimiters { component: b'*', ..Delimiters::default() };
        assert!(!known.has(own, &Segment::new("CAS*PR*3*10", delimiters)));
        assert!(!known.has(own, &new("CAS*PR*3*10")));
    }
}
