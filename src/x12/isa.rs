//! The ISA: what it says about its interchange, also where it is not as it should be. A sender that does not pad its
//! elements, leaves one out or loses the terminator is understood as far as what follows the ISA leaves no doubt.

use crate::code_forms::is_digits;
use crate::x12::build::{is_date, is_time};
use crate::x12::delimiters::Delimiters;
use crate::x12::segment::Segment;
use crate::x12::wrapping::Wrap;

/// Bytes of an ISA before its terminator (005010: every element has a fixed width).
pub const ISA_LENGTH: usize = 105;
/// How many characters each element of an ISA has.
const WIDTHS: [usize; 16] = [2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1];
/// Where the element separators of a fixed-width ISA stand.
const SEPARATORS: [usize; 16] = [3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103];
/// An ISA is judged by no more bytes than these, so that the chunks of a stream do not matter.
pub(crate) const ISA_VIEW: usize = 256;
/// Bytes that must be there before an ISA, or text that may hold one, is judged.
pub(crate) const LOOK_AHEAD: usize = 16 * ISA_VIEW;
/// What may follow an ISA, and the elements of each.
const FOLLOWERS: [(&[u8], usize); 4] = [(b"GS", 8), (b"TA1", 5), (b"ST", 2), (b"IEA", 2)];

/// Elements of an ISA, what they must hold, and the TA105 when they do not.
type Row = (u8, &'static str, fn(&str) -> bool, &'static str);
const ROWS: [Row; 12] = [
    (1, "010", |text| matches!(text, "00" | "03"), "ISA01 is neither 00 nor 03"),
    (3, "012", |text| matches!(text, "00" | "01"), "ISA03 is neither 00 nor 01"),
    (5, "005", is_id_qualifier, "ISA05 is no qualifier of an id"),
    (6, "006", |text| !text.trim().is_empty(), "ISA06 names no sender"),
    (7, "007", is_id_qualifier, "ISA07 is no qualifier of an id"),
    (8, "008", |text| !text.trim().is_empty(), "ISA08 names no receiver"),
    (9, "014", |text| is_date(text) && text.len() == 6, "ISA09 is no date (YYMMDD)"),
    (10, "015", is_time, "ISA10 is no time (HHMM)"),
    (VERSION_AT, "017", |text| text == "00501", "ISA12 is not 00501"),
    (13, "018", |text| is_digits(text, 9), "ISA13 is no number of nine digits"),
    (14, "019", |text| matches!(text, "0" | "1"), "ISA14 is neither 0 nor 1"),
    (15, "020", |text| matches!(text, "P" | "T"), "ISA15 is neither P nor T"),
];

/// ISA12: where the groups are of the version that it names, it is right all the same.
pub(crate) const VERSION_AT: u8 = 12;

/// ISA05 and ISA07 (X12 005010, I05); the guides use few of them.
pub(crate) fn is_id_qualifier(text: &str) -> bool {
    (is_digits(text, 2) && ("01"..="38").contains(&text)) || matches!(text, "AM" | "NR" | "SA" | "SN" | "ZZ")
}

/// What an ISA says about its interchange.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IsaShape {
    pub delimiters: Delimiters,
    /// Bytes before the terminator.
    pub length: usize,
    /// Every element has its width.
    pub fixed: bool,
    /// The terminator is there.
    pub terminated: bool,
    /// Bytes of each line, where lines are cut in the middle of segments.
    pub width: Option<usize>,
}

/// Reads the ISA at the start of `text`, which stands at a column of its line; `width` is that of cut lines before it.
pub(crate) fn wrapped_isa_shape(text: &[u8], column: usize, width: Option<usize>) -> Option<IsaShape> {
    let text = text.get(..LOOK_AHEAD).unwrap_or(text);
    let shape = isa_shape(text);
    // A break before ISA16 or its terminator looks like one of them.
    let is_cut = |shape: &IsaShape| {
        let Delimiters { component, terminator, .. } = shape.delimiters;
        let cut_behind = width == Some(column + ISA_LENGTH) && matches!(terminator, b'\r' | b'\n');
        cut_behind || matches!(component, b'\r' | b'\n')
    };
    if let Some(shape) = shape.filter(|shape| shape.fixed && !is_cut(shape)) {
        let Delimiters { terminator, newline, .. } = shape.delimiters;
        let wrap = Wrap::of_lines(text, column, terminator, width).filter(|_| !matches!(terminator, b'\r' | b'\n'));
        let delimiters = Delimiters { newline: newline && wrap.is_none(), ..shape.delimiters };
        return Some(IsaShape { delimiters, width: wrap.map(|wrap| wrap.width), ..shape });
    }
    let joined = || {
        let wrap = Wrap::of_isa(text.get(..=ISA_LENGTH)?, column, width)?;
        let mut isa = Vec::with_capacity(ISA_VIEW);
        wrap.join(text, ISA_VIEW, &mut isa);
        let shape = isa_shape(&isa).filter(|shape| shape.fixed)?;
        // The breaks belong to its bytes.
        let length = wrap.join(text, shape.length + 1, &mut Vec::with_capacity(ISA_VIEW)) - 1;
        Some(IsaShape { length, width: Some(wrap.width), ..shape })
    };
    joined().or(shape)
}

/// Reads the delimiters of the ISA at the start of `text`; `None` when it is none, or broken beyond use.
pub fn isa_shape(text: &[u8]) -> Option<IsaShape> {
    let element = *text.strip_prefix(b"ISA")?.first()?;
    if !usable(element) {
        return None;
    }
    let text = text.get(..ISA_VIEW).unwrap_or(text);
    let fixed = SEPARATORS.iter().all(|at| text.get(*at) == Some(&element));
    if !fixed {
        return mended(text, element).or_else(|| counted(text, element));
    }
    let shape = ended(text, element, ISA_LENGTH, true);
    // A line that ends where the terminator should stand may have lost it, and so may an ISA that what follows is glued to.
    let is_doubtful = |shape: &IsaShape| {
        let Delimiters { component, terminator, .. } = shape.delimiters;
        matches!(terminator, b'\r' | b'\n') || component == terminator || component == element
    };
    if let Some(shape) = shape.filter(|shape| !is_doubtful(shape)) {
        return Some(shape);
    }
    let other = mended(text, element).filter(|mended| shape.is_none_or(|shape| !mended.agrees_with(&shape)));
    other.or(shape)
}

impl IsaShape {
    /// Whether another finds the same terminator in the same place.
    fn agrees_with(&self, other: &IsaShape) -> bool {
        (self.length, self.terminated) == (other.length, other.terminated)
            && self.delimiters.terminator == other.delimiters.terminator
    }
}

/// The ISA whose terminator follows so many bytes, the last of which is ISA16.
fn ended(text: &[u8], element: u8, length: usize, fixed: bool) -> Option<IsaShape> {
    let component = *text.get(length.checked_sub(1)?)?;
    let terminator = *text.get(length)?;
    if !usable(terminator) || terminator == element || !component.is_ascii() {
        return None;
    }
    let repetition = repetition_of(text.get(..length)?, element);
    let repetition = repetition.filter(|byte| ![element, component, terminator].contains(byte));
    let newline = begins_line(text.get(length + 1..).unwrap_or_default());
    let delimiters = Delimiters { element, component, repetition, terminator, newline };
    Some(IsaShape { delimiters, length, fixed, terminated: true, width: None })
}

/// An ISA whose elements do not have their widths: ISA16 follows the sixteenth separator.
fn counted(text: &[u8], element: u8) -> Option<IsaShape> {
    let component_at = memchr::memchr_iter(element, text).nth(15)? + 1;
    ended(text, element, component_at + 1, false)
}

/// An ISA that ends before the segment that follows it, whatever it holds; `None` when none is seen to follow.
fn mended(text: &[u8], element: u8) -> Option<IsaShape> {
    let (at, count) = follower(text, element)?;
    let before = text.get(..at)?.trim_ascii_end();
    let (&last, body) = before.split_last()?;
    let line_end = (before.len()..at).find(|at| matches!(text.get(*at), Some(b'\r' | b'\n')));
    // How the next segment ends tells how all of them do; else ISA16 is told from a terminator by what is before it.
    let own_line = line_end.filter(|_| body.last() == Some(&element) || !usable(last));
    let known = terminator_of(text.get(at..)?, element, count);
    let terminator = known.or_else(|| text.get(own_line?).copied()).unwrap_or(last);
    let (length, terminated) = match line_end {
        _ if terminator == last => (body.len(), true),
        Some(end) if text.get(end) == Some(&terminator) => (end, true),
        _ => (before.len(), false),
    };
    if !usable(terminator) || terminator == element {
        return None;
    }
    let isa = text.get(..length)?;
    let is_free = |byte: &u8| usable(*byte) && *byte != element && *byte != terminator;
    let own = isa.rsplit(|byte| *byte == element).next().unwrap_or_default().trim_ascii();
    let usual = [b':', b'>'].into_iter().find(is_free)?;
    let component = own.first().copied().filter(is_free).unwrap_or(usual);
    let repetition = repetition_of(isa, element).filter(|byte| *byte != component && *byte != terminator);
    let newline = terminated && begins_line(text.get(length + 1..).unwrap_or_default());
    let delimiters = Delimiters { element, component, repetition, terminator, newline };
    Some(IsaShape { delimiters, length, fixed: false, terminated, width: None })
}

/// Where the segment begins that follows an ISA, and how many elements it has.
fn follower(text: &[u8], element: u8) -> Option<(usize, usize)> {
    (4..text.len()).find_map(|at| {
        let rest = text.get(at..)?;
        let is_next = |id: &[u8]| rest.strip_prefix(id).is_some_and(|rest| rest.first() == Some(&element));
        // Inside of a word it is a part of a name.
        let stands_apart = !text.get(at - 1)?.is_ascii_alphanumeric() && text.get(at - 1) != Some(&element);
        let found = FOLLOWERS.iter().find(|(id, _)| stands_apart && is_next(id));
        found.map(|(_, count)| (at, *count))
    })
}

/// What stands behind the last element of a segment that has so many, when another segment follows.
fn terminator_of(segment: &[u8], element: u8, count: usize) -> Option<u8> {
    let last = memchr::memchr_iter(element, segment).nth(count - 1)? + 1;
    let behind = |from: usize| (from..segment.len()).find(|at| !segment[*at].is_ascii_alphanumeric());
    let mut end = behind(last)?;
    // ST03 is not always there.
    if segment.get(end) == Some(&element) && segment.starts_with(b"ST") {
        end = behind(end + 1)?;
    }
    let (byte, rest) = segment.get(end..)?.split_first()?;
    let is_followed = rest.trim_ascii_start().first().is_none_or(u8::is_ascii_uppercase);
    (is_followed && usable(*byte) && *byte != element).then_some(*byte)
}

/// ISA11 when it is a separator: before 005010 it was the letter U. Where elements are missing it is the first that looks
/// like one.
fn repetition_of(isa: &[u8], element: u8) -> Option<u8> {
    let separator = |text: &[u8]| match text.trim_ascii() {
        [byte] if usable(*byte) => Some(*byte),
        _ => None,
    };
    let elements: Vec<_> = isa.split(|byte| *byte == element).skip(1).collect();
    match elements.split_last() {
        Some((_, before)) if elements.len() != WIDTHS.len() => {
            let usual = Some(b'^').filter(|_| elements.len() < 11);
            before.iter().find_map(|text| separator(text)).or(usual)
        }
        _ => separator(elements.get(10)?),
    }
}

fn begins_line(text: &[u8]) -> bool {
    text.starts_with(b"\n") || text.starts_with(b"\r\n")
}

fn usable(byte: u8) -> bool {
    byte.is_ascii() && !byte.is_ascii_alphanumeric() && byte != b' '
}

/// ISA13; where elements are missing or too many, the one that has its form.
pub(crate) fn control_number<'a>(isa: &Segment<'a>) -> &'a str {
    let own = isa.element(13).trim();
    let is_number = |text: &&str| text.len() == 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    match isa.len() == WIDTHS.len() {
        true => own,
        false => isa.elements().find(is_number).unwrap_or(own),
    }
}

/// Whether element `n` of an ISA has its width, and is the one that it should be.
pub(crate) fn has_width(isa: &Segment<'_>, n: usize) -> bool {
    let width = n.checked_sub(1).and_then(|n| WIDTHS.get(n));
    isa.len() == WIDTHS.len() && width == Some(&isa.element(n).chars().count())
}

/// The elements of an ISA that do not hold what they must, their TA105 and what is wrong.
pub(crate) fn faults(isa: &Segment<'_>) -> impl Iterator<Item = (u8, &'static str, &'static str)> {
    let wrong = ROWS.iter().filter(move |(n, _, fits, _)| !fits(isa.element(usize::from(*n))));
    wrong.map(|(n, code, _, text)| (*n, *code, *text))
}

/// Which elements of an ISA do not have their width, or how many are missing.
pub(crate) fn width_fault(isa: &Segment<'_>) -> String {
    let count = isa.len();
    let fits = |n: &usize| WIDTHS.get(n - 1) == Some(&isa.element(*n).chars().count());
    let odd: Vec<usize> = (1..=WIDTHS.len()).filter(|n| !fits(n)).collect();
    let first = odd.first().copied().unwrap_or(WIDTHS.len());
    if count != WIDTHS.len() {
        let first = faults(isa).map(|(n, ..)| usize::from(n)).next().map_or(first, |n| n.min(first));
        return format!("the ISA has {count} elements instead of 16: ISA{first:02} is the first that does not fit");
    }
    let (length, width) = (isa.element(first).chars().count(), WIDTHS.get(first - 1).copied().unwrap_or_default());
    let one = format!("ISA{first:02} has {length} characters instead of {width}");
    match odd.len() {
        0 | 1 => format!("the ISA is not 106 characters wide: {one}"),
        n => format!("the ISA is not 106 characters wide: {n} elements do not have their width, {one}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x12::tokens::tests::isa;

    const GS: &str = "GS*HC*SENDER*RECEIVER*20250303*1200*7*X*005010X222A1";

    /// Delimiters, length and whether every element has its width, of an ISA that is changed, with a group behind it.
    fn shape(from: &str, to: &str, end: &str) -> (Delimiters, usize, bool, bool) {
        let text = isa('*', '^', ':', "~").replacen(from, to, 1) + GS + end + "ST*837*0001" + end;
        let shape = isa_shape(text.as_bytes()).unwrap();
        (shape.delimiters, shape.length, shape.fixed, shape.terminated)
    }

    #[test]
    fn an_old_or_unpadded_isa_is_understood() {
        let shape = isa_shape(isa('*', 'U', ':', "~").as_bytes()).unwrap();
        assert_eq!((shape.delimiters.repetition, shape.fixed), (None, true));
        let shape = isa_shape(b"ISA*00**00**ZZ*A*ZZ*B*250303*1200*^*00501*1*0*T*:~").unwrap();
        assert_eq!((shape.delimiters, shape.fixed), (Delimiters::default(), false));
        let lost = isa('*', '^', ':', "~").replacen("^*", "^ ", 1) + "GS*HC~";
        let shape = isa_shape(lost.as_bytes()).unwrap();
        assert_eq!((shape.delimiters.terminator, shape.fixed), (b'~', false));
    }

    #[test]
    fn a_broken_isa_ends_before_its_group() {
        let usual = Delimiters::default();
        for (from, to, length, terminated) in [
            ("*SENDER  ", "*SENDER ", 104, true),
            ("*0*T", "*T", 103, true),
            ("*0*T", "*0*0*T", 107, true),
            ("*:~", "~", 103, true),
            ("*:~", "*~", 104, true),
            ("*:~", "*:: ~", 107, true),
            ("*:~", "*:", 105, false),
            ("*:~", "*:\n", 105, false),
            ("*ZZ*RECEIVER       *250303*1200*^*00501*000000001*0*T*:", "", 50, true),
        ] {
            assert_eq!(shape(from, to, "~"), (usual, length, false, terminated), "{to:?}");
        }
        let lines = Delimiters { terminator: b'\n', ..usual };
        assert_eq!(shape("*:~", "*:\n", "\n"), (lines, 105, true, true));
        assert_eq!(shape("*T*:~", "*T\n", "\n"), (lines, 103, false, true));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (from, to, text) in [
            ("*SENDER  ", "*SENDER ", "ISA06 has 14 characters instead of 15"),
            ("*0*T", "*T", "the ISA has 15 elements instead of 16: ISA14 is the first that does not fit"),
            ("250303", "20250303", "ISA09 has 8 characters instead of 6"),
        ] {
            let text_of = isa('*', '^', ':', "").replacen(from, to, 1);
            let segment = Segment::new(&text_of, Delimiters::default());
            assert!(width_fault(&segment).contains(text), "{}", width_fault(&segment));
        }
    }
}
