//! The quick way of the scanner: a short segment is found, and its separators with it, by one look at its bytes, a word at
//! a time. It takes nearly every segment of a file; of what it is not sure it says nothing, and the scanner looks itself.

use crate::x12::delimiters::Delimiters;
use crate::x12::segment::{CUTS, Cuts};
use crate::x12::words::{equal_bytes, first, marks};

/// A segment that has its terminator in its first [`CUTS`] bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Short {
    /// The line break before it.
    pub gap: usize,
    /// Bytes of it, without the terminator.
    pub length: usize,
    pub cuts: Cuts,
}

impl Short {
    /// The short segment that `bytes` begin with. None at the end of what is there, for segments that may be an ISA or hold
    /// binary data, for those that hold a line feed, and behind anything but a line break.
    #[inline(always)]
    pub fn of(bytes: &[u8], delimiters: Delimiters) -> Option<Short> {
        let (gap, rest) = match bytes {
            [b'\n', rest @ ..] => (1, rest),
            [b'\r', b'\n', rest @ ..] => (2, rest),
            _ => (0, bytes),
        };
        let window = rest.first_chunk::<CUTS>()?;
        let is_plain = match window {
            [b'I', second, ..] => !matches!(second, b'S' | b'E'),
            [b'B', second, ..] => !matches!(second, b'I' | b'D'),
            [first, ..] => first.is_ascii_uppercase(),
        };
        if !is_plain || (gap > 0 && matches!(delimiters.element, b'\r' | b'\n')) {
            return None;
        }
        let (mut bits, mut at) = (0, 0);
        for word in window.as_chunks::<8>().0 {
            bits |= equal_bytes(*word, delimiters.element) << at;
            let (end, feed) = (marks(*word, delimiters.terminator), marks(*word, b'\n'));
            if end | feed != 0 {
                let length = at + first(end);
                return (first(end) <= first(feed)).then(|| Short { gap, length, cuts: Cuts::below(bits, length) });
            }
            at += 8;
        }
        None
    }

    /// All bytes of it.
    pub fn total(self) -> usize {
        self.gap + self.length + 1
    }
}
