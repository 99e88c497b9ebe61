//! One segment, as a view of the text it was read from: nothing is copied, and elements are found when asked for.

use crate::fault::X12Place;
use crate::x12::delimiters::Delimiters;
use std::fmt;

/// A segment of an interchange. Elements, components and repetitions count from 1, as X12 counts them.
#[derive(Clone, Copy, PartialEq)]
pub struct Segment<'a> {
    pub(crate) raw: &'a str,
    pub delimiters: Delimiters,
    /// It was read from Latin-1, and is written so.
    pub(crate) latin1: bool,
    /// Ordinal in its transaction set, ST = 1; in its interchange, ISA = 1, when it stands outside a set.
    pub ordinal: u32,
    /// Byte of the input at which it begins.
    pub offset: u64,
    /// Line of the input, from 1.
    pub line: u32,
}

/// Shows no data: a segment may hold a patient.
impl fmt::Debug for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.id(), self.ordinal)
    }
}

impl<'a> Segment<'a> {
    /// A view of `raw`, which holds no terminator.
    pub fn new(raw: &'a str, delimiters: Delimiters) -> Segment<'a> {
        Segment { raw, delimiters, latin1: false, ordinal: 1, offset: 0, line: 1 }
    }

    /// The text without its terminator.
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// `CLM`; `""` when the segment is empty.
    pub fn id(&self) -> &'a str {
        self.element(0)
    }

    /// How many elements stand after the id, empty ones counted.
    pub fn len(&self) -> usize {
        memchr::memchr_iter(self.delimiters.element, self.raw.as_bytes()).count()
    }

    /// Whether no element stands after the id.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All elements, the first after the id first.
    pub fn elements(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        split(self.raw, Some(self.delimiters.element)).skip(1)
    }

    /// Element `n`; `""` when absent.
    pub fn element(&self, n: usize) -> &'a str {
        part(self.raw, self.delimiters.element, n)
    }

    /// Component `c` of element `n`, of its first repetition; `""` when absent.
    pub fn component(&self, n: usize, c: usize) -> &'a str {
        match c {
            0 => "",
            _ => part(first(self.element(n), self.delimiters.repetition), self.delimiters.component, c - 1),
        }
    }

    /// The components of element `n`, of its first repetition; none when the element is empty.
    pub fn components(&self, n: usize) -> impl Iterator<Item = &'a str> + use<'a> {
        let first = self.repetitions(n).next().unwrap_or_default();
        self.parts(first)
    }

    /// The repetitions of element `n`; none when the element is empty.
    pub fn repetitions(&self, n: usize) -> impl Iterator<Item = &'a str> + use<'a> {
        let element = self.element(n);
        let all = split(element, self.delimiters.repetition);
        all.filter(move |_| !element.is_empty())
    }

    /// The components of one repetition, which [`Segment::repetitions`] gave.
    pub fn parts(&self, repetition: &'a str) -> impl Iterator<Item = &'a str> + use<'a> {
        split(repetition, Some(self.delimiters.component)).filter(move |_| !repetition.is_empty())
    }

    /// Where it stands, as issues name it.
    pub fn place(&self) -> X12Place {
        X12Place {
            segment: Some(self.id().to_owned()),
            ordinal: Some(self.ordinal),
            offset: Some(self.offset),
            line: Some(self.line),
            ..X12Place::default()
        }
    }
}

/// Part `n` (from 0) of a text that a delimiter parts, found in one pass; `""` when there are fewer.
fn part(text: &str, delimiter: u8, n: usize) -> &str {
    let (mut left, mut start) = (n, 0);
    for (at, byte) in text.bytes().enumerate() {
        if byte != delimiter {
            continue;
        }
        if left == 0 {
            return text.get(start..at).unwrap_or_default();
        }
        left -= 1;
        start = at + 1;
    }
    if left == 0 { text.get(start..).unwrap_or_default() } else { "" }
}

/// The first repetition of an element.
fn first(text: &str, repetition: Option<u8>) -> &str {
    repetition.map_or(text, |repetition| part(text, repetition, 0))
}

/// Splits at a delimiter; without one the text is one part.
pub(crate) fn split(text: &str, delimiter: Option<u8>) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let at = delimiter.and_then(|delimiter| text.bytes().position(|byte| byte == delimiter));
        // A delimiter is ASCII (the reader sees to it), so the cut is never inside a character.
        let (part, tail) = match at.and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?))) {
            Some((part, tail)) => (part, Some(tail)),
            None => (text, None),
        };
        rest = tail;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(raw: &str) -> Segment<'_> {
        Segment::new(raw, Delimiters::default())
    }

    #[test]
    fn elements_components_and_repetitions_are_found() {
        let clm = segment("CLM*A37YH556*500***11:B:1^22*Y");
        assert_eq!((clm.id(), clm.len()), ("CLM", 6));
        assert_eq!((clm.element(1), clm.element(3), clm.element(9)), ("A37YH556", "", ""));
        assert_eq!((clm.component(5, 1), clm.component(5, 3), clm.component(5, 4)), ("11", "1", ""));
        assert_eq!(clm.repetitions(5).collect::<Vec<_>>(), ["11:B:1", "22"]);
        assert_eq!(clm.components(3).count(), 0);
        assert_eq!(clm.component(5, 0), "");
    }

    #[test]
    fn an_empty_segment_is_harmless() {
        let empty = segment("");
        assert_eq!((empty.id(), empty.len(), empty.element(1)), ("", 0, ""));
        assert!(empty.is_empty());
    }

    #[test]
    fn without_a_repetition_separator_nothing_repeats() {
        let delimiters = Delimiters { repetition: None, ..Delimiters::default() };
        let segment = Segment::new("EB*1**30^33", delimiters);
        assert_eq!(segment.repetitions(3).collect::<Vec<_>>(), ["30^33"]);
    }
}
