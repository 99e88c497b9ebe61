//! One segment, as a view of the text it was read from: nothing is copied, and elements are found when asked for.

use crate::fault::X12Place;
use crate::x12::delimiters::Delimiters;
use crate::x12::words::equal_bytes;
use std::fmt;
use std::ops::Range;

/// A segment of an interchange. Elements, components and repetitions count from 1, as X12 counts them.
#[derive(Clone, Copy, PartialEq)]
pub struct Segment<'a> {
    pub(crate) raw: &'a str,
    pub delimiters: Delimiters,
    /// Where the element separators of its first bytes stand ([`Cuts`]), found once and asked often.
    pub(crate) cuts: Cuts,
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
        let cuts = Cuts::of(raw.as_bytes(), delimiters.element);
        Segment { raw, delimiters, cuts, latin1: false, ordinal: 1, offset: 0, line: 1 }
    }

    /// The place of this one, and nothing in it.
    pub(crate) fn emptied(&self) -> Segment<'a> {
        Segment { raw: "", cuts: Cuts::default(), ..*self }
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
        match self.cuts.are_all(self.raw) {
            true => self.cuts.count(),
            false => memchr::memchr_iter(self.delimiters.element, self.raw.as_bytes()).count(),
        }
    }

    /// Whether no element stands after the id.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All elements, the first after the id first.
    pub fn elements(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let raw = self.raw;
        self.ranges().map(move |range| raw.get(range).unwrap_or_default())
    }

    /// Element `n`; `""` when absent.
    pub fn element(&self, n: usize) -> &'a str {
        match self.cuts.are_all(self.raw) {
            true => self.cuts.part(self.raw, n),
            false => part(self.raw, self.delimiters.element, n),
        }
    }

    /// Whether this is its id.
    #[inline]
    pub fn is(&self, id: &str) -> bool {
        let mut bytes = self.raw.bytes();
        // Most differ in the first character.
        id.bytes().all(|byte| bytes.next() == Some(byte))
            && bytes.next().is_none_or(|byte| byte == self.delimiters.element)
    }

    /// The element of a segment with binary data (BIN, BDS) that says how long the data are; they are the element behind it, and
    /// may hold any delimiter.
    pub fn binary_length_at(&self) -> Option<usize> {
        match self.id() {
            "BIN" => Some(1),
            "BDS" => Some(2),
            _ => None,
        }
    }

    /// The elements as they were meant: binary data are one.
    pub fn values(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let count = self.binary_length_at().map_or(usize::MAX, |at| at + 2);
        self.raw.splitn(count, char::from(self.delimiters.element)).skip(1)
    }

    /// The bytes of the id and of element 1.
    #[inline]
    pub(crate) fn head(&self) -> (&'a [u8], &'a [u8]) {
        let (raw, mut cuts) = (self.raw.as_bytes(), self.cuts);
        let (first, second) = (cuts.take(), cuts.take());
        if second.is_none() && !self.cuts.are_all(self.raw) {
            return (self.element(0).as_bytes(), self.element(1).as_bytes());
        }
        let (id, rest) = raw.split_at_checked(first.unwrap_or(raw.len())).unwrap_or_default();
        let rest = rest.get(..second.unwrap_or(raw.len()) - id.len()).unwrap_or_default();
        (id, rest.get(1..).unwrap_or_default())
    }

    /// The elements after the id, by where in the text they stand.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = Range<usize>> + use<'a> {
        let (raw, element) = (self.raw, self.delimiters.element);
        let (mut cuts, mut known, mut start) = (self.cuts, CUTS, 0);
        let mut next = move || {
            // Behind the first bytes of a long segment the next are looked at.
            while cuts == Cuts::default() && known < raw.len() {
                cuts = Cuts::at(raw.as_bytes(), element, known);
                known += CUTS;
            }
            let end = cuts.take().map_or(raw.len(), |at| known - CUTS + at);
            let range = start..end;
            start = end + 1;
            (range.start <= raw.len()).then_some(range)
        };
        next();
        std::iter::from_fn(next)
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
            segment: Some(shown(self.id())),
            ordinal: Some(self.ordinal),
            offset: Some(self.offset),
            line: Some(self.line),
            ..X12Place::default()
        }
    }
}

/// The characters of an id that are shown: what is longer is none, but text that stands where a segment should.
const SHOWN: usize = 12;

fn shown(id: &str) -> String {
    match id.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &id[..end]),
        None => id.to_owned(),
    }
}

/// Bytes of a segment whose separators are held.
pub(crate) const CUTS: usize = 64;

/// Where the element separators stand in the first [`CUTS`] bytes of a segment: bit n is byte n. Nearly every segment is
/// shorter, so that its elements are found without looking at it again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cuts(u64);

impl Cuts {
    pub fn of(raw: &[u8], separator: u8) -> Cuts {
        Cuts::at(raw, separator, 0)
    }

    /// Those bits that stand for the first bytes.
    pub fn below(bits: u64, length: usize) -> Cuts {
        Cuts(bits & !u64::MAX.checked_shl(u32::try_from(length).unwrap_or(u32::MAX)).unwrap_or_default())
    }

    /// Of the bytes from `start` on.
    fn at(raw: &[u8], separator: u8, start: usize) -> Cuts {
        let bytes = raw.get(start..).unwrap_or_default();
        let bytes = bytes.get(..CUTS).unwrap_or(bytes);
        let (words, rest) = bytes.as_chunks::<8>();
        let mut bits = words.iter().zip(0..).fold(0, |bits, (word, n)| bits | equal_bytes(*word, separator) << (8 * n));
        match bytes.last_chunk::<8>() {
            // The last word overlaps the one before.
            Some(word) => bits |= equal_bytes(*word, separator) << (bytes.len() - 8),
            None => {
                for (n, byte) in (0..).zip(rest) {
                    bits |= u64::from(*byte == separator) << n;
                }
            }
        }
        Cuts(bits)
    }

    /// Whether no separator of the text is unknown.
    fn are_all(self, raw: &str) -> bool {
        raw.len() <= CUTS
    }

    fn count(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Takes away the first separator, and tells where it stood.
    fn take(&mut self) -> Option<usize> {
        let first = (self.0 != 0).then(|| self.0.trailing_zeros() as usize);
        self.0 &= self.0.wrapping_sub(1);
        first
    }

    /// Part `n` (from 0) of the text, of which all separators are known; `""` when there are fewer.
    #[inline]
    fn part(mut self, raw: &str, n: usize) -> &str {
        let mut start = 0;
        for _ in 0..n {
            match self.take() {
                Some(at) => start = at + 1,
                None => return "",
            }
        }
        let end = self.take().unwrap_or(raw.len());
        raw.get(start..end).unwrap_or_default()
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

    #[test]
    fn text_that_stands_for_an_id_is_shown_in_part() {
        let delimiters = Delimiters::default();
        for (raw, named) in [("CLM*A", "CLM"), ("Claim 12 of 3*A", "Claim 12 of …"), ("ééééééééééééé", "éééééééééééé…")]
        {
            assert_eq!(Segment::new(raw, delimiters).place().segment.as_deref(), Some(named));
        }
    }

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
    fn elements_of_any_length_are_found() {
        for length in [0, 1, 5, 7, 8, 9, 31, 62, 63, 64, 65, 66, 127, 128, 129, 200] {
            for step in [1, 2, 7, 8, 13, 64, 70] {
                let raw: String = (0..length).map(|n| if n % step == step - 1 { '*' } else { 'x' }).collect();
                let (segment, expected) = (segment(&raw), raw.split('*').collect::<Vec<_>>());
                assert_eq!(segment.elements().collect::<Vec<_>>(), expected[1..], "{raw}");
                assert!(segment.is(segment.id()) && !segment.is("ZZ"), "{raw}");
                assert_eq!(segment.len(), expected.len() - 1, "{raw}");
                let head = (segment.element(0).as_bytes(), segment.element(1).as_bytes());
                assert_eq!(segment.head(), head, "{raw}");
                let each: Vec<_> = (0..=expected.len()).map(|n| segment.element(n)).collect();
                assert_eq!((&each[..expected.len()], each[expected.len()]), (&expected[..], ""), "{raw}");
            }
        }
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
