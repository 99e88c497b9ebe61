//! Segments that are held in one text, which is used again and again: what was said once is kept without being owned.

use crate::x12::delimiters::Delimiters;
use crate::x12::segment::{Cuts, Segment};
use std::ops::Range;

/// A segment of such a text: its place in it, and what else is known of it.
#[derive(Debug)]
pub(crate) struct Mark {
    pub text: Range<usize>,
    delimiters: Delimiters,
    cuts: Cuts,
    latin1: bool,
    ordinal: u32,
    offset: u64,
    line: u32,
}

impl Mark {
    /// Puts a segment at the end of the text.
    pub fn put(text: &mut String, segment: &Segment<'_>) -> Mark {
        let start = text.len();
        text.push_str(segment.raw());
        let Segment { delimiters, cuts, latin1, ordinal, offset, line, .. } = *segment;
        Mark { text: start..text.len(), delimiters, cuts, latin1, ordinal, offset, line }
    }

    /// The segment again.
    pub fn segment<'t>(&self, text: &'t str) -> Segment<'t> {
        let raw = text.get(self.text.clone()).unwrap_or_default();
        let Mark { delimiters, cuts, latin1, ordinal, offset, line, .. } = *self;
        Segment { raw, delimiters, cuts, latin1, ordinal, offset, line }
    }
}
