//! Where in a loop the segments of each id stand, so that the search for a segment's place looks at no others.

use crate::x12::guide::{LoopIx, SegmentIx, Tag};
use std::ops::Deref;

/// The items of one loop by the id of the segment that they are or begin with.
#[derive(Debug, Default)]
pub(crate) struct Spots {
    /// Bits of the ids that are here: most segments are none of a loop, and one look tells.
    mask: u64,
    /// Each id once, and where its items begin in `items`.
    tags: Vec<(Tag, usize)>,
    /// Items, those of one id together in the order of the guide.
    items: Vec<usize>,
}

impl Spots {
    /// From the segments that are, or begin, the items of a loop.
    pub fn new(index: &[(Tag, SegmentIx)]) -> Spots {
        let mut spots = Spots::default();
        for (n, (tag, _)) in index.iter().enumerate() {
            if index[..n].iter().any(|(other, _)| other == tag) {
                continue;
            }
            spots.mask |= tag.bit();
            spots.tags.push((*tag, spots.items.len()));
            let alike = index.iter().enumerate().filter(|(_, (other, _))| other == tag);
            spots.items.extend(alike.map(|(item, _)| item));
        }
        spots
    }

    /// The items of an id, in the order of the guide.
    pub fn of(&self, tag: Tag) -> &[usize] {
        if self.mask & tag.bit() == 0 {
            return &[];
        }
        let Some(n) = self.tags.iter().position(|(other, _)| *other == tag) else { return &[] };
        let end = self.tags.get(n + 1).map_or(self.items.len(), |(_, end)| *end);
        self.items.get(self.tags[n].1..end).unwrap_or_default()
    }
}

/// Most loops that one segment opens: its own, and those around it that are missing.
const OPENED: usize = 4;

/// The loops that a segment opens, outermost first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Opened {
    loops: [LoopIx; OPENED],
    count: u8,
}

impl Opened {
    pub(crate) fn none() -> Opened {
        Opened { loops: [LoopIx(0); OPENED], count: 0 }
    }

    /// One more, inside the others.
    pub(crate) fn push(&mut self, ix: LoopIx) {
        if let Some(free) = self.loops.get_mut(usize::from(self.count)) {
            *free = ix;
            self.count += 1;
        }
    }
}

impl Deref for Opened {
    type Target = [LoopIx];

    fn deref(&self) -> &[LoopIx] {
        self.loops.get(..usize::from(self.count)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_found_by_id_in_the_order_of_the_guide() {
        let index: Vec<_> =
            ["CLM", "REF", "DTP", "REF", "NM1", "REF"].iter().map(|id| (Tag::of(id), SegmentIx(0))).collect();
        let spots = Spots::new(&index);
        assert_eq!((spots.of(Tag::of("REF")), spots.of(Tag::of("NM1"))), (&[1, 3, 5][..], &[4][..]));
        assert_eq!((spots.of(Tag::of("N3")), Spots::default().of(Tag::of("CLM"))), (&[][..], &[][..]));
    }

    #[test]
    fn no_more_loops_are_opened_than_may_be() {
        let mut opened = Opened::none();
        (0..9).map(LoopIx).for_each(|ix| opened.push(ix));
        assert_eq!(&*opened, [LoopIx(0), LoopIx(1), LoopIx(2), LoopIx(3)]);
    }
}
