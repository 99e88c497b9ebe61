//! Segments of a text one after another, by the delimiters that each ISA sets. Knows nothing of groups or sets.

use crate::x12::delimiters::Delimiters;

/// Bytes of an ISA before its terminator (005010: every element has a fixed width).
pub const ISA_LENGTH: usize = 105;
/// A segment longer than this is given up when a file is streamed. No segment of the guides comes near it.
pub const MAX_SEGMENT: usize = 1 << 20;
/// Where the element separators of a fixed-width ISA stand.
const ISA_SEPARATORS: [usize; 16] = [3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103];

/// The next segment of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Token<'a> {
    /// White space that stands before the segment.
    pub gap: &'a str,
    /// The segment without its terminator.
    pub raw: &'a str,
    pub delimiters: Delimiters,
    /// Byte of the text at which `raw` begins.
    pub start: usize,
    /// Line of `raw`, from 1.
    pub line: u32,
    /// Whether the terminator was there (the last segment of a text may lack it).
    pub terminated: bool,
    /// Text before an ISA that belongs to no interchange.
    pub garbage: bool,
    /// Set when it is an ISA that could be understood.
    pub isa: Option<IsaShape>,
}

/// What an ISA says about its interchange.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IsaShape {
    pub delimiters: Delimiters,
    /// Bytes before the terminator.
    pub length: usize,
    /// Every element has its width.
    pub fixed: bool,
}

/// Reads the delimiters of the ISA at the start of `text`; `None` when it is none, or broken beyond use.
pub fn isa_shape(text: &[u8]) -> Option<IsaShape> {
    let element = *text.strip_prefix(b"ISA")?.first()?;
    if !usable(element) {
        return None;
    }
    let fixed = ISA_SEPARATORS.iter().all(|at| text.get(*at) == Some(&element));
    // A sender that does not pad its elements is still understood: ISA16 follows the sixteenth separator. One that lost a
    // separator is, when what follows is what should.
    let component_at = match fixed || followed_by_group(text, element) {
        true => ISA_LENGTH - 1,
        false => memchr::memchr_iter(element, text).nth(15)? + 1,
    };
    let component = *text.get(component_at)?;
    let terminator = *text.get(component_at + 1)?;
    if !usable(terminator) || terminator == element || !component.is_ascii() {
        return None;
    }
    let repetition = repetition_of(text, element).filter(|byte| ![element, component, terminator].contains(byte));
    let rest = text.get(component_at + 2..).unwrap_or_default();
    let newline = rest.starts_with(b"\n") || rest.starts_with(b"\r\n");
    let delimiters = Delimiters { element, component, repetition, terminator, newline };
    Some(IsaShape { delimiters, length: component_at + 1, fixed })
}

/// Whether ISA16 and the terminator stand where they should, with a GS or TA1 behind them.
fn followed_by_group(text: &[u8], element: u8) -> bool {
    let behind = text.get(ISA_LENGTH + 1..).unwrap_or_default().trim_ascii_start();
    let next = [b"GS".as_slice(), b"TA1"]
        .iter()
        .any(|id| behind.strip_prefix(*id).is_some_and(|rest| rest.first() == Some(&element)));
    next && text.get(ISA_LENGTH - 2) == Some(&element)
}

/// ISA11 when it is a separator: before 005010 it was the letter U.
fn repetition_of(text: &[u8], element: u8) -> Option<u8> {
    let mut separators = memchr::memchr_iter(element, text).skip(10);
    let (start, end) = (separators.next()? + 1, separators.next()?);
    let byte = *text.get(start)?;
    (end == start + 1 && usable(byte)).then_some(byte)
}

fn usable(byte: u8) -> bool {
    byte.is_ascii() && !byte.is_ascii_alphanumeric() && byte != b' '
}

/// The next thing in a run of bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    /// White space before it.
    pub gap: usize,
    /// Bytes of it, without the terminator; 0 when nothing is left.
    pub length: usize,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Isa(IsaShape),
    Segment { terminated: bool },
    Garbage,
    End,
}

/// Bytes that must be there before an ISA, or text that may hold one, can be judged.
const LOOK_AHEAD: usize = 512;

/// Finds the next segment of `bytes`. `None` asks for more of them: never when they are `complete`.
pub(crate) fn span(bytes: &[u8], delimiters: Option<Delimiters>, complete: bool) -> Option<Span> {
    let gap = gap_length(bytes, delimiters);
    let rest = &bytes[gap..];
    let found = |length, kind| Some(Span { gap, length, kind });
    if rest.is_empty() {
        return found(0, Kind::End).filter(|_| complete);
    }
    let may_be_isa = rest.starts_with(b"ISA") || (rest.len() < 3 && b"ISA".starts_with(rest));
    if !complete && rest.len() < LOOK_AHEAD && (may_be_isa || delimiters.is_none()) {
        return None;
    }
    if let Some(shape) = isa_shape(rest) {
        return found(shape.length, Kind::Isa(shape));
    }
    let Some(delimiters) = delimiters else {
        return found(garbage_length(rest, complete), Kind::Garbage);
    };
    let length = segment_length(rest, delimiters, complete)?;
    let terminated = rest.get(length) == Some(&delimiters.terminator);
    found(length, Kind::Segment { terminated }).filter(|_| terminated || complete || length < rest.len())
}

/// Text that no interchange begins: up to the next ISA, or to the end of what can be judged.
fn garbage_length(rest: &[u8], complete: bool) -> usize {
    let next = memchr::memmem::find_iter(rest, b"ISA").find(|at| *at > 0 && isa_shape(&rest[*at..]).is_some());
    let judged = if complete { rest.len() } else { rest.len() - LOOK_AHEAD / 2 };
    next.unwrap_or(judged)
}

/// White space before a segment; a byte order mark counts, and a delimiter does not.
fn gap_length(bytes: &[u8], delimiters: Option<Delimiters>) -> usize {
    const MARK: &[u8] = b"\xEF\xBB\xBF";
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let blank = byte.is_ascii_whitespace() || *byte == 0;
        match blank && delimiters.is_none_or(|delimiters| delimiters.element != *byte) {
            true => at += 1,
            false if bytes[at..].starts_with(MARK) => at += MARK.len(),
            false => break,
        }
    }
    at
}

/// Bytes before the terminator; all of them when there is none.
fn segment_length(text: &[u8], delimiters: Delimiters, complete: bool) -> Option<usize> {
    if let Some(length) = binary_length(text, delimiters) {
        match text.get(length) {
            Some(byte) if *byte == delimiters.terminator => return Some(length),
            None if !complete && length < MAX_SEGMENT => return None,
            _ => {}
        }
    }
    let end = memchr::memchr(delimiters.terminator, text).unwrap_or(text.len());
    // An IEA without terminator must not swallow the interchange that follows it.
    let swallowed = text.starts_with(b"IEA").then(|| memchr::memmem::find(&text[..end], b"\nISA")).flatten();
    Some(swallowed.unwrap_or(end))
}

/// The length of a BIN or BDS segment, whose binary element may hold any byte: the element before gives its length.
fn binary_length(text: &[u8], delimiters: Delimiters) -> Option<usize> {
    let ids = [(b"BIN".as_slice(), 0), (b"BDS", 1)];
    let (_, skip) = ids.iter().find(|(id, _)| text.starts_with(id) && text.get(3) == Some(&delimiters.element))?;
    let mut separators = memchr::memchr_iter(delimiters.element, text).skip(*skip);
    let (start, end) = (separators.next()? + 1, separators.next()?);
    let digits = std::str::from_utf8(text.get(start..end)?).ok()?;
    (end + 1).checked_add(digits.parse().ok()?)
}

/// Line feeds in a run of bytes.
pub(crate) fn line_feeds(bytes: &[u8]) -> u32 {
    // Segments are short: a plain count is faster than a search.
    bytes.iter().map(|byte| u32::from(*byte == b'\n')).sum()
}

/// Iterates over the tokens of a text.
#[derive(Debug, Clone)]
pub struct Tokens<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    delimiters: Option<Delimiters>,
}

impl<'a> Tokens<'a> {
    pub fn new(text: &'a str) -> Tokens<'a> {
        Tokens { text, at: 0, line: 1, delimiters: None }
    }

    /// Takes `len` bytes and counts their lines.
    fn take(&mut self, len: usize) -> &'a str {
        let taken = self.text.get(self.at..self.at + len).unwrap_or_default();
        self.line = self.line.saturating_add(line_feeds(taken.as_bytes()));
        self.at += len;
        taken
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let span =
            span(&self.text.as_bytes()[self.at..], self.delimiters, true).filter(|span| span.kind != Kind::End)?;
        let isa = match span.kind {
            Kind::Isa(shape) => Some(shape),
            _ => None,
        };
        self.delimiters = isa.map(|shape| shape.delimiters).or(self.delimiters);
        let gap = self.take(span.gap);
        let (start, line) = (self.at, self.line);
        let raw = self.take(span.length);
        let terminated = matches!(span.kind, Kind::Isa(_) | Kind::Segment { terminated: true });
        self.take(usize::from(terminated));
        let delimiters = self.delimiters.unwrap_or_default();
        Some(Token { gap, raw, delimiters, start, line, terminated, garbage: span.kind == Kind::Garbage, isa })
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// An ISA with these delimiters, for tests.
    pub fn isa(element: char, repetition: char, component: char, terminator: &str) -> String {
        let e = element;
        format!(
            "ISA{e}00{e}          {e}00{e}          {e}ZZ{e}SENDER         {e}ZZ{e}RECEIVER       \
             {e}250303{e}1200{e}{repetition}{e}00501{e}000000001{e}0{e}T{e}{component}{terminator}"
        )
    }

    fn ids(text: &str) -> Vec<&str> {
        Tokens::new(text).map(|token| token.raw.split(['*', '|']).next().unwrap()).collect()
    }

    #[test]
    fn each_isa_sets_its_own_delimiters() {
        let text = format!("{}GS*HC~IEA*1~\r\n{}GS|HC\nIEA|1\n", isa('*', '^', ':', "~"), isa('|', '!', '>', "\n"));
        let tokens: Vec<_> = Tokens::new(&text).collect();
        assert_eq!(ids(&text), ["ISA", "GS", "IEA", "ISA", "GS", "IEA"]);
        assert_eq!(tokens[4].delimiters.repetition, Some(b'!'));
        assert!(tokens.iter().all(|token| token.terminated));
    }

    #[test]
    fn any_terminator_and_line_end_is_taken() {
        for (terminator, newline) in
            [("~", false), ("~\n", true), ("~\r\n", true), ("\n", false), ("\r\n", true), ("'", false)]
        {
            let text = format!("\u{feff} \n{}GS*HC{terminator}IEA*1{terminator}", isa('*', '^', ':', terminator));
            assert_eq!(ids(&text), ["ISA", "GS", "IEA"], "{terminator:?}");
            assert_eq!(Tokens::new(&text).next().unwrap().delimiters.newline, newline, "{terminator:?}");
        }
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
    fn garbage_and_a_missing_terminator_do_not_stop_the_reading() {
        let text = format!("hello{}IEA*1*1\n{}IEA*1*1", isa('*', '^', ':', "~"), isa('*', '^', ':', "~"));
        let tokens: Vec<_> = Tokens::new(&text).collect();
        assert_eq!(ids(&text), ["hello", "ISA", "IEA", "ISA", "IEA"]);
        assert!(tokens[0].garbage && !tokens[2].terminated && !tokens[4].terminated);
    }

    #[test]
    fn a_binary_element_may_hold_terminators() {
        let text = format!("{}BIN*5*a~b*c~SE*1~", isa('*', '^', ':', "~"));
        assert_eq!(Tokens::new(&text).nth(1).unwrap().raw, "BIN*5*a~b*c");
    }

    #[test]
    fn lines_and_offsets_are_those_of_the_text() {
        let text = format!("{}GS*HC~\nST*837~\n", isa('*', '^', ':', "~\n"));
        let places: Vec<_> = Tokens::new(&text).map(|token| (token.start, token.line)).collect();
        assert_eq!(places, [(0, 1), (107, 2), (114, 3)]);
    }
}
