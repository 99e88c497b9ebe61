//! Segments that were found without fault: one that comes again need not be looked at again, and in a long file most do.
//! What the situational rules see of each goes with it.

use crate::x12::build::problem_among;
use crate::x12::delimiters::Delimiters;
use crate::x12::guide::{Guide, SegmentIx, SegmentSpec};
use crate::x12::meanings::{self, Meanings, NONE, Word};
use crate::x12::segment::Segment;
use crate::x12::situations::ALL;
use crate::x12::words;

/// Segments that are remembered; one that comes later takes the slot of another.
const SLOTS: usize = 2048;
/// Stands for an element that may be anything.
const MARK: u8 = 0;
/// Longest segment that is remembered, so that a slot is a line of the processor's cache.
const LENGTH: usize = 56;
/// Segments that must have come before anything is remembered: a single claim is over before it would help.
const FIRST: usize = 200;

/// What was found without fault under one guide, by what it says and what the guide calls it. The default knows nothing.
#[derive(Debug, Default)]
pub(crate) struct Known {
    guide: String,
    delimiters: Delimiters,
    /// Segments that came.
    asked: usize,
    slots: Vec<Slot>,
    /// What the situational rules see.
    pub meanings: Meanings,
    /// The last segment without what may be anything.
    like: Like,
    /// Words of a meaning, used again and again.
    words: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    text: [u8; LENGTH],
    /// 0: nothing is remembered here.
    length: u8,
    /// It came again since another wanted the slot.
    is_used: bool,
    ix: SegmentIx,
    /// What the situational rules see of it.
    sense: u32,
}

const FREE: Slot = Slot { text: [0; LENGTH], length: 0, is_used: false, ix: SegmentIx(0), sense: NONE };

impl Known {
    /// Says by which guide these segments of a set are checked.
    pub fn follow(&mut self, guide: &Guide, segments: &[Segment<'_>]) {
        self.asked = self.asked.saturating_add(segments.len());
        if self.slots.is_empty() && self.asked >= FIRST {
            self.slots = vec![FREE; SLOTS];
            self.meanings.begin();
        }
        let delimiters = segments.first().map_or(self.delimiters, |first| first.delimiters);
        if self.guide != guide.name || self.delimiters != delimiters {
            guide.name.clone_into(&mut self.guide);
            self.delimiters = delimiters;
            self.forget();
        }
    }

    fn forget(&mut self) {
        if !self.slots.is_empty() {
            self.slots.fill(FREE);
            self.meanings.begin();
        }
    }

    /// What the rules see of a segment ([`Known::sense`]), when the same was found without fault.
    pub fn has(&mut self, ix: SegmentIx, segment: &Segment<'_>) -> Option<u32> {
        let raw = segment.raw().as_bytes();
        let slot = self.slots.get_mut(slot_of(ix, raw))?;
        let is_same = slot.is(ix, raw);
        slot.is_used |= is_same;
        is_same.then_some(slot.sense)
    }

    /// As [`Known::has`], of a segment that differs in nothing but in elements that may hold anything.
    pub fn has_like(&mut self, guide: &Guide, ix: SegmentIx, segment: &Segment<'_>) -> Option<u32> {
        self.like.length = 0;
        let free = guide.sight.free(ix);
        if self.slots.is_empty() || free == 0 || segment.raw().len() > 4 * LENGTH {
            return None;
        }
        let is_right = self.like.fill(guide.segment_at(ix), free, segment).is_some();
        if !is_right {
            self.like.length = 0;
            return None;
        }
        let like = self.like.text();
        let slot = self.slots.get(slot_of(ix, like))?;
        let sense = slot.is(ix, like).then_some(slot.sense)?;
        put(&mut self.slots, ix, segment.raw().as_bytes(), sense);
        Some(sense)
    }

    /// Remembers a segment without fault, which [`Known::has`] and [`Known::has_like`] were asked about.
    pub fn keep(&mut self, ix: SegmentIx, segment: &Segment<'_>, sense: u32) {
        put(&mut self.slots, ix, segment.raw().as_bytes(), sense);
        let like = self.like.text();
        if !like.is_empty() {
            put(&mut self.slots, ix, like, sense);
        }
    }

    /// What the situational rules see of a segment, as a word of the meaning of its loop.
    pub fn sense(&mut self, guide: &Guide, ix: SegmentIx, segment: &Segment<'_>) -> u32 {
        if self.slots.is_empty() {
            return NONE;
        }
        let seen = guide.sight.elements(ix);
        if seen == 0 {
            return Word::Segment.of(ix.0);
        }
        self.words.clear();
        self.words.push(Word::Values.of(ix.0));
        if seen == ALL {
            meanings::push_value(0, segment.raw(), &mut self.words);
        } else {
            let own = (1..64).zip(segment.elements()).filter(|(n, value)| seen >> n & 1 == 1 && !value.is_empty());
            own.for_each(|(n, value)| meanings::push_value(n, value, &mut self.words));
        }
        self.meanings.of(&self.words).word()
    }
}

fn put(slots: &mut [Slot], ix: SegmentIx, raw: &[u8], sense: u32) {
    let slot = slots.get_mut(slot_of(ix, raw));
    if let Some((slot, length)) = slot.zip(u8::try_from(raw.len()).ok())
        && let Some(text) = slot.text.get_mut(..raw.len())
        // What came again has one more chance against what may come but once.
        && !std::mem::take(&mut slot.is_used)
    {
        text.copy_from_slice(raw);
        (slot.length, slot.ix, slot.sense) = (length, ix, sense);
    }
}

/// A segment without the values that may be anything; empty when one of them is not right.
#[derive(Debug)]
struct Like {
    text: [u8; LENGTH],
    length: usize,
}

impl Default for Like {
    fn default() -> Like {
        Like { text: [MARK; LENGTH], length: 0 }
    }
}

impl Like {
    /// Becomes that of a segment, whose elements `free` may hold anything. None when one of them is not right, or too much is
    /// left.
    fn fill(&mut self, spec: &SegmentSpec, free: u64, segment: &Segment<'_>) -> Option<()> {
        let raw = segment.raw();
        let look = Look::of(raw.as_bytes(), segment.delimiters);
        // No segment begins so: what is like another is never taken for one.
        self.push(&[MARK])?;
        let mut copied = 0;
        for (n, range) in (1..64).zip(segment.ranges()) {
            if free >> n & 1 == 0 || range.is_empty() {
                continue;
            }
            let text = raw.get(range.clone()).unwrap_or_default();
            let is_right = |element| look.is_plain(text) && problem_among(element, text, look.are_printed).is_none();
            spec.element(n, 0).filter(|element| is_right(element))?;
            self.push(raw.as_bytes().get(copied..range.start)?)?;
            self.push(&[MARK])?;
            copied = range.end;
        }
        self.push(raw.as_bytes().get(copied..)?)
    }

    fn text(&self) -> &[u8] {
        self.text.get(..self.length).unwrap_or_default()
    }

    /// Puts more behind it, if there is room.
    fn push(&mut self, part: &[u8]) -> Option<()> {
        let end = self.length + part.len();
        self.text.get_mut(self.length..end)?.copy_from_slice(part);
        self.length = end;
        Some(())
    }
}

/// What one look at a segment tells of its values.
struct Look {
    /// It holds nothing but printed characters.
    are_printed: bool,
    /// Something in it has components or repetitions.
    have_parts: bool,
    delimiters: Delimiters,
}

impl Look {
    fn of(raw: &[u8], delimiters: Delimiters) -> Look {
        let repetition = delimiters.repetition.unwrap_or(delimiters.component);
        let (mut unprinted, mut parts) = (0, 0);
        let mut look = |word: [u8; 8]| {
            unprinted |= words::unprinted(word);
            parts |= words::marks(word, delimiters.component) | words::marks(word, repetition);
        };
        let (words, rest) = raw.as_chunks::<8>();
        words.iter().for_each(|word| look(*word));
        match raw.last_chunk::<8>() {
            // The last word overlaps the one before.
            Some(word) => look(*word),
            None => rest.iter().for_each(|byte| look([*byte; 8])),
        }
        Look { are_printed: unprinted == 0, have_parts: parts != 0, delimiters }
    }

    /// Whether a value has neither components nor repetitions.
    fn is_plain(&self, value: &str) -> bool {
        let Delimiters { component, repetition, .. } = self.delimiters;
        !self.have_parts || value.bytes().all(|byte| byte != component && Some(byte) != repetition)
    }
}

impl Slot {
    #[inline]
    fn is(&self, ix: SegmentIx, raw: &[u8]) -> bool {
        self.ix == ix && usize::from(self.length) == raw.len() && self.text.get(..raw.len()) == Some(raw)
    }
}

fn slot_of(ix: SegmentIx, raw: &[u8]) -> usize {
    const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
    let (words, rest) = raw.as_chunks::<8>();
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(MIX);
    let hash = words.iter().fold(u64::from(ix.0), |hash, word| mix(hash, u64::from_le_bytes(*word)));
    // The last word overlaps the one before.
    let last = raw.last_chunk::<8>().map(|word| u64::from_le_bytes(*word));
    let hash = mix(hash, last.unwrap_or_else(|| rest.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte))));
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
        let new = |raw| Segment::new(raw, Delimiters::default());
        let long = format!("NM1*QC*1*{}", "A".repeat(LENGTH));
        for count in [FIRST - 1, 1] {
            known.follow(guide("835"), &vec![new(""); count]);
            assert_eq!(known.has(own, &new("CAS*PR*3*10")), None);
            known.keep(own, &new("CAS*PR*3*10"), 7);
            known.keep(own, &new(&long), 7);
        }
        assert_eq!((known.has(own, &new("CAS*PR*3*10")), known.has(own, &new(&long))), (Some(7), None));
        assert_eq!((known.has(other, &new("CAS*PR*3*10")), known.has(own, &new("CAS*PR*3*11"))), (None, None));
        known.follow(guide("837p"), &[new("")]);
        assert_eq!(known.has(own, &new("CAS*PR*3*10")), None);
        known.keep(own, &new("CAS*PR*3*10"), 7);
        let delimiters = Delimiters { component: b'*', ..Delimiters::default() };
        known.follow(guide("837p"), &[Segment::new("", delimiters)]);
        assert_eq!(known.has(own, &Segment::new("CAS*PR*3*10", delimiters)), None);
        assert_eq!(known.has(own, &new("CAS*PR*3*10")), None);
    }
}
