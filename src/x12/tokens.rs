//! Segments of a run of bytes one after another, by the delimiters that each ISA sets: the one scanner of this crate. A slice
//! goes through [`Tokens`], a stream through [`crate::x12::stream`]; both find the same, whatever the chunks that a stream
//! comes in. Knows nothing of groups or sets.

use crate::x12::delimiters::Delimiters;
use crate::x12::isa::{ISA_LENGTH, ISA_VIEW, IsaShape, LOOK_AHEAD, isa_shape, wrapped_isa_shape};
use crate::x12::segment::Cuts;
use crate::x12::short::Short;
use crate::x12::wrapping::Wrap;
use std::borrow::Cow;

/// A segment longer than this is passed over, and is an issue. No segment of the guides comes near it.
pub const MAX_SEGMENT: usize = 1 << 20;
/// The same for a segment that says how long its binary element is (BIN, BDS).
pub const MAX_BINARY: usize = 16 << 20;
/// The next piece of an input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Token<'a> {
    /// White space that stands before it, and terminators that end nothing.
    pub gap: &'a [u8],
    /// The segment without its terminator.
    pub raw: &'a [u8],
    pub delimiters: Delimiters,
    /// Byte of the input at which `raw` begins.
    pub offset: u64,
    /// Line of `raw`, from 1.
    pub line: u32,
    /// Whether the terminator was there (the last segment of an input may lack it).
    pub terminated: bool,
    pub kind: Kind,
    /// Where `raw` stands in its line, when the lines of its interchange are cut at one width.
    pub wrap: Option<Wrap>,
    /// `raw` as text, where that is known to be one.
    pub(crate) text: Option<&'a str>,
    /// The element separators of `raw`.
    pub(crate) cuts: Cuts,
}

impl<'a> Token<'a> {
    /// The element separators of its text, which is `raw` unless it was read otherwise: then it has another length.
    pub(crate) fn cuts_of(&self, text: &str) -> Cuts {
        match text.len() == self.raw.len() {
            true => self.cuts,
            false => Cuts::of(text.as_bytes(), self.delimiters.element),
        }
    }

    /// What was sent: `raw` without the line breaks that cut it.
    pub fn sent(&self) -> Cow<'a, [u8]> {
        match self.wrap.filter(|wrap| wrap.is_broken(self.raw)) {
            None => Cow::Borrowed(self.raw),
            Some(wrap) => {
                let mut sent = Vec::with_capacity(self.raw.len());
                wrap.join(self.raw, usize::MAX, &mut sent);
                Cow::Owned(sent)
            }
        }
    }
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An ISA that could be understood.
    Isa {
        fixed: bool,
    },
    Segment,
    /// Text that belongs to no interchange.
    Garbage,
    /// A part of a segment longer than [`MAX_SEGMENT`].
    Overlong,
}

impl Kind {
    /// A segment, rather than text to be passed over.
    pub fn is_segment(self) -> bool {
        matches!(self, Kind::Isa { .. } | Kind::Segment)
    }
}

/// A token as lengths, which borrows nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    /// White space before it.
    gap: usize,
    /// Bytes of it, without the terminator.
    length: usize,
    terminated: bool,
    kind: Kind,
    /// What an ISA sets.
    sets: Option<IsaShape>,
}

/// What stands next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Next {
    Span(Span),
    /// More bytes must be read before it can be told: so many in all, or any.
    More(usize),
    /// Nothing but so much white space.
    End(usize),
}

/// Where a reading stands.
#[derive(Debug, Clone)]
pub(crate) struct Scanner {
    delimiters: Option<Delimiters>,
    /// The terminator of the interchange that is open, or ended last.
    terminator: Option<u8>,
    offset: u64,
    line: u32,
    /// Byte at which the line begins.
    line_start: u64,
    /// Bytes of each line, in an interchange whose lines are cut, and behind it.
    width: Option<usize>,
    /// Inside of a segment that is too long.
    overlong: bool,
}

impl Scanner {
    pub fn new() -> Scanner {
        Scanner { delimiters: None, terminator: None, offset: 0, line: 1, line_start: 0, width: None, overlong: false }
    }

    /// Finds what stands next in `bytes`, which are all that is left when they are `complete`.
    pub fn next(&self, bytes: &[u8], complete: bool) -> Next {
        if let (true, Some(delimiters)) = (self.overlong, self.delimiters) {
            return rest_of_overlong(bytes, delimiters.terminator, complete);
        }
        let gap = gap_length(bytes, self.delimiters, self.terminator);
        let rest = &bytes[gap..];
        if gap >= MAX_SEGMENT {
            return Next::Span(Span { gap, length: 0, terminated: false, kind: Kind::Garbage, sets: None });
        }
        let Some(first) = rest.first() else {
            return if complete { Next::End(gap) } else { Next::More(0) };
        };
        let shape = || wrapped_isa_shape(rest, self.column(&bytes[..gap]), self.width);
        let Some(delimiters) = self.delimiters else {
            return outside(gap, rest, shape, complete);
        };
        if *first == b'I' && (rest.starts_with(b"ISA") || (rest.len() < 3 && b"ISA".starts_with(rest))) {
            if !complete && rest.len() < LOOK_AHEAD {
                return Next::More(0);
            }
            if let Some(shape) = shape() {
                return isa(gap, shape);
            }
        }
        segment(gap, rest, delimiters, complete)
    }

    /// Finds a short segment in `bytes`, as [`Scanner::next`] would; none when it is not plain that it would.
    #[inline]
    pub fn short(&self, bytes: &[u8]) -> Option<Short> {
        let delimiters = self.delimiters.filter(|_| self.width.is_none() && !self.overlong)?;
        Short::of(bytes, delimiters)
    }

    /// Takes what [`Scanner::short`] found in the same bytes.
    #[inline(always)]
    pub fn take_short<'a>(&mut self, bytes: &'a [u8], short: Short) -> Token<'a> {
        let (gap, rest) = bytes.split_at_checked(short.gap).unwrap_or((bytes, &[]));
        let raw = rest.get(..short.length).unwrap_or(rest);
        let delimiters = self.delimiters.unwrap_or_default();
        // It has no line feeds but one before it, and the one that ends it.
        self.advance(short.gap, short.gap > 0);
        let (offset, line) = (self.offset, self.line);
        self.advance(short.length + 1, delimiters.terminator == b'\n');
        let (terminated, kind, wrap, cuts) = (true, Kind::Segment, None, short.cuts);
        Token { gap, raw, delimiters, offset, line, terminated, kind, wrap, text: None, cuts }
    }

    /// Takes what [`Scanner::next`] found in the same bytes.
    pub fn take<'a>(&mut self, bytes: &'a [u8], span: Span) -> Token<'a> {
        let (gap, rest) = bytes.split_at_checked(span.gap).unwrap_or((bytes, &[]));
        let raw = rest.get(..span.length).unwrap_or(rest);
        if let Some(shape) = span.sets {
            (self.delimiters, self.width) = (Some(shape.delimiters), shape.width);
            self.terminator = Some(shape.delimiters.terminator);
        }
        self.pass(gap);
        let wrap = self.width.map(|width| Wrap { width, column: self.column(&[]) });
        let (offset, line) = (self.offset, self.line);
        self.pass(raw);
        let delimiters = self.delimiters.unwrap_or_default();
        if span.terminated {
            self.pass(&[delimiters.terminator]);
        }
        self.overlong = span.kind == Kind::Overlong && !span.terminated;
        // What follows an IEA is no segment before the next ISA says how segments end.
        let is_iea = |rest: &[u8]| rest.first().is_none_or(|byte| *byte == delimiters.element);
        if span.kind == Kind::Segment && raw.strip_prefix(b"IEA").is_some_and(is_iea) {
            self.delimiters = None;
        }
        let cuts = Cuts::of(raw, delimiters.element);
        let (terminated, kind) = (span.terminated, span.kind);
        Token { gap, raw, delimiters, offset, line, terminated, kind, wrap, text: None, cuts }
    }

    fn pass(&mut self, bytes: &[u8]) {
        let start = self.offset;
        self.offset += bytes.len() as u64;
        let count = line_feeds(bytes);
        if count > 0 {
            self.line = self.line.saturating_add(count);
            self.line_start = start + memchr::memrchr(b'\n', bytes).map_or(0, |at| at as u64 + 1);
        }
    }

    /// Passes over bytes that hold no line feed but, if so, as their last.
    #[inline]
    fn advance(&mut self, length: usize, ends_line: bool) {
        self.offset += length as u64;
        if ends_line {
            self.line = self.line.saturating_add(1);
            self.line_start = self.offset;
        }
    }

    /// Bytes of the line before what stands behind `gap`.
    fn column(&self, gap: &[u8]) -> usize {
        match memchr::memrchr(b'\n', gap) {
            Some(at) => gap.len() - at - 1,
            None => usize::try_from(self.offset - self.line_start).unwrap_or(usize::MAX).saturating_add(gap.len()),
        }
    }
}

impl Span {
    /// All bytes of it.
    pub fn total(&self) -> usize {
        self.gap + self.length + usize::from(self.terminated)
    }
}

fn isa(gap: usize, shape: IsaShape) -> Next {
    let kind = Kind::Isa { fixed: shape.fixed };
    Next::Span(Span { gap, length: shape.length, terminated: shape.terminated, kind, sets: Some(shape) })
}

/// Between interchanges: an ISA, or text up to the next.
fn outside(gap: usize, rest: &[u8], shape: impl Fn() -> Option<IsaShape>, complete: bool) -> Next {
    if !complete && rest.len() < LOOK_AHEAD {
        return Next::More(0);
    }
    if let Some(shape) = shape() {
        return isa(gap, shape);
    }
    let next = memchr::memmem::find_iter(rest, b"ISA").find(|at| *at > 0 && isa_shape(&rest[*at..]).is_some());
    let judged = if complete { rest.len() } else { rest.len() - ISA_VIEW };
    let length = next.filter(|at| *at < judged).unwrap_or(judged);
    Next::Span(Span { gap, length, terminated: false, kind: Kind::Garbage, sets: None })
}

/// White space before a segment; a byte order mark, the end mark of old systems and a terminator that ends nothing count, and
/// an element separator does not.
fn gap_length(bytes: &[u8], delimiters: Option<Delimiters>, terminator: Option<u8>) -> usize {
    const MARK: &[u8] = b"\xEF\xBB\xBF";
    const END_MARK: u8 = 0x1A;
    let mut at = 0;
    while let Some(byte) = bytes.get(at).filter(|_| at < MAX_SEGMENT) {
        let blank = byte.is_ascii_whitespace() || *byte == 0 || *byte == END_MARK || Some(*byte) == terminator;
        match blank && delimiters.is_none_or(|delimiters| delimiters.element != *byte) {
            true => at += 1,
            false if *byte == MARK[0] && bytes[at..].starts_with(MARK) => at += MARK.len(),
            false => break,
        }
    }
    at
}

/// A segment inside an interchange.
fn segment(gap: usize, rest: &[u8], delimiters: Delimiters, complete: bool) -> Next {
    let found = |length, terminated, kind| Next::Span(Span { gap, length, terminated, kind, sets: None });
    if rest[0] == b'B'
        && let Some(length) = binary_length(rest, delimiters).filter(|length| *length <= MAX_BINARY)
    {
        match rest.get(length) {
            Some(byte) if *byte == delimiters.terminator => return found(length, true, Kind::Segment),
            None if !complete => return Next::More(gap + length + 1),
            _ => {}
        }
    }
    let view = rest.get(..=MAX_SEGMENT).unwrap_or(rest);
    let end = match delimiters.newline {
        false => memchr::memchr(delimiters.terminator, view),
        true => match end_of_line(view, delimiters, complete) {
            End::Terminator(at) => at,
            End::Line(at) => return found(at, false, Kind::Segment),
            End::Unsure => return Next::More(0),
        },
    };
    if end.is_none() && !complete && rest.len() <= MAX_SEGMENT {
        return Next::More(0);
    }
    let length = end.unwrap_or(view.len());
    match inner_isa(rest, length, complete) {
        Inner::None => {}
        Inner::Unsure => return Next::More(0),
        Inner::At(at) => return found(at, false, Kind::Segment),
    }
    match end {
        Some(length) => found(length, true, Kind::Segment),
        None if rest.len() > MAX_SEGMENT => found(MAX_SEGMENT, false, Kind::Overlong),
        None => found(length, false, Kind::Segment),
    }
}

/// How a segment ends in a file that has a line for each.
enum End {
    Terminator(Option<usize>),
    /// Its terminator was lost, and it ends with its line: another segment begins in the next.
    Line(usize),
    /// More bytes are needed to tell.
    Unsure,
}

fn end_of_line(view: &[u8], delimiters: Delimiters, complete: bool) -> End {
    for at in memchr::memchr2_iter(delimiters.terminator, b'\n', view) {
        if view[at] == delimiters.terminator {
            return End::Terminator(Some(at));
        }
        let next = view[at + 1..].trim_ascii_start();
        let id = next.iter().take(4).position(|byte| *byte == delimiters.element);
        if id.is_none() && next.len() < 4 && !complete {
            return End::Unsure;
        }
        if id.and_then(|id| next.get(..id)).is_some_and(is_id) {
            return End::Line(at - usize::from(view[..at].ends_with(b"\r")));
        }
    }
    End::Terminator(None)
}

/// Two or three characters, a letter first.
fn is_id(bytes: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    (2..=3).contains(&bytes.len()) && bytes[0].is_ascii_uppercase() && bytes.iter().all(is_part)
}

/// The rest of a segment that is too long, or a part of it.
fn rest_of_overlong(bytes: &[u8], terminator: u8, complete: bool) -> Next {
    let view = bytes.get(..MAX_SEGMENT).unwrap_or(bytes);
    let end = memchr::memchr(terminator, view);
    let (length, terminated) = (end.unwrap_or(view.len()), end.is_some());
    match (terminated || view.len() == MAX_SEGMENT, complete) {
        (false, false) => Next::More(0),
        (false, true) if bytes.is_empty() => Next::End(0),
        _ => Next::Span(Span { gap: 0, length, terminated, kind: Kind::Overlong, sets: None }),
    }
}

/// An ISA inside of what seems to be a segment, whose terminator was lost.
enum Inner {
    None,
    At(usize),
    /// More bytes are needed to tell.
    Unsure,
}

/// A segment without terminator must not swallow the interchange that follows it.
fn inner_isa(rest: &[u8], length: usize, complete: bool) -> Inner {
    let ends_interchange = rest.starts_with(b"IEA");
    if length <= ISA_LENGTH && !ends_interchange {
        return Inner::None;
    }
    for at in memchr::memmem::find_iter(&rest[..length], b"ISA").filter(|at| *at > 0) {
        if !complete && rest.len() < at + ISA_VIEW {
            return Inner::Unsure;
        }
        let starts_line = matches!(rest[at - 1], b'\n' | b'\r');
        let is_isa = |shape: IsaShape| shape.fixed || (ends_interchange && starts_line);
        if isa_shape(&rest[at..]).is_some_and(is_isa) {
            return Inner::At(at);
        }
    }
    Inner::None
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
fn line_feeds(bytes: &[u8]) -> u32 {
    // Segments are short: a plain count is faster than a search.
    bytes.iter().map(|byte| u32::from(*byte == b'\n')).sum()
}

/// Iterates over the tokens of a slice.
#[derive(Debug, Clone)]
pub struct Tokens<'a> {
    rest: &'a [u8],
    scanner: Scanner,
}

impl<'a> Tokens<'a> {
    pub fn new<T: AsRef<[u8]> + ?Sized>(input: &'a T) -> Tokens<'a> {
        Tokens { rest: input.as_ref(), scanner: Scanner::new() }
    }

    /// What is left: behind the last token, white space.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.next_short().or_else(|| self.next_any())
    }
}

impl<'a> Tokens<'a> {
    /// The next token, when it is a short segment: nearly all are.
    #[inline(always)]
    pub(crate) fn next_short(&mut self) -> Option<Token<'a>> {
        let short = self.scanner.short(self.rest)?;
        let token = self.scanner.take_short(self.rest, short);
        self.rest = self.rest.get(short.total()..).unwrap_or_default();
        Some(token)
    }

    fn next_any(&mut self) -> Option<Token<'a>> {
        let Next::Span(span) = self.scanner.next(self.rest, true) else { return None };
        let token = self.scanner.take(self.rest, span);
        self.rest = self.rest.get(span.total()..).unwrap_or_default();
        Some(token)
    }
}

#[cfg(test)]
pub mod tests;
