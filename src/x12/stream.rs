//! Segments of a file of any length, in constant memory: what [`crate::x12::reader`] finds in a slice, read through a buffer.

use crate::fault::{Blame, Fault, Issue, Place, Retry, codes};
use crate::x12::envelope::{Role, Walk};
use crate::x12::guide::{Guide, Guides};
use crate::x12::segment::Segment;
use crate::x12::text;
use crate::x12::tokens::{Next, Scanner, Span, Token};
use crate::x12::tree::{Placed, Placer};
use std::io::Read;

/// Bytes asked for at once.
const CHUNK: usize = 64 * 1024;

/// Reads through a buffer: what is taken makes room for more.
#[derive(Debug)]
struct Source<R> {
    source: R,
    buffer: Vec<u8>,
    /// First byte of the buffer that was not given away, and the one behind the last that was read.
    at: usize,
    end: usize,
    complete: bool,
    /// The text of the buffer from this byte on, as far as it is UTF-8: found out once for many segments.
    text: String,
    text_at: usize,
}

impl<R: Read> Source<R> {
    fn held(&self) -> &[u8] {
        &self.buffer[self.at..self.end]
    }

    /// Reads more, once; `wanted` is what will be needed in all.
    fn fill(&mut self, wanted: usize) -> std::io::Result<()> {
        let held = self.end - self.at;
        // Room is made when there is none, and more of it only when nothing can be given away.
        if self.buffer.len() - self.end < CHUNK {
            self.buffer.copy_within(self.at..self.end, 0);
            let given_away = self.at.checked_sub(self.text_at).filter(|at| self.text.is_char_boundary(*at));
            self.text.drain(..given_away.unwrap_or(self.text.len()));
            (self.at, self.end, self.text_at) = (0, held, 0);
        }
        let room = wanted.max(held + CHUNK);
        if self.buffer.len() < room {
            self.buffer.reserve_exact(room + room / 2 - self.buffer.len());
            self.buffer.resize(room + room / 2, 0);
        }
        match self.source.read(&mut self.buffer[self.end..]) {
            Ok(0) => self.complete = true,
            Ok(count) => {
                self.end += count;
                self.extend_text();
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Takes to the text what is there now.
    fn extend_text(&mut self) {
        if self.text_at + self.text.len() < self.at {
            self.text.clear();
            self.text_at = self.at;
        }
        let more = self.buffer.get(self.text_at + self.text.len()..self.end).unwrap_or_default();
        // What is behind bytes that are none is looked at segment by segment.
        let text = match std::str::from_utf8(more) {
            Ok(text) => text,
            Err(error) => {
                more.get(..error.valid_up_to()).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
            }
        };
        self.text.push_str(text);
    }

    /// The text of some of the bytes, if it is known.
    #[inline]
    fn text(&self, start: usize, length: usize) -> Option<&str> {
        let start = start.checked_sub(self.text_at)?;
        self.text.get(start..start + length)
    }
}

/// Reads one token after another. Each borrows the buffer until the next is asked for.
#[derive(Debug)]
pub struct TokenStream<R> {
    source: Source<R>,
    scanner: Scanner,
}

/// A token, or the white space that ends a stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Streamed<'b> {
    Token(Token<'b>),
    End(&'b [u8]),
}

impl<R: Read> TokenStream<R> {
    pub fn new(source: R) -> TokenStream<R> {
        let (buffer, text) = Default::default();
        let source = Source { source, buffer, at: 0, end: 0, complete: false, text, text_at: 0 };
        TokenStream { source, scanner: Scanner::new() }
    }

    /// The next token; at the end, the white space that is left. A fault when the file can't be read.
    #[inline]
    pub fn next_token(&mut self) -> Result<Streamed<'_>, Fault> {
        if let Some(short) = self.scanner.short(self.source.held()) {
            let start = self.source.at;
            self.source.at += short.total();
            let token = self.scanner.take_short(&self.source.buffer[start..self.source.at], short);
            let text = self.source.text(start + short.gap, short.length);
            return Ok(Streamed::Token(Token { text, ..token }));
        }
        self.next_any()
    }

    /// As [`TokenStream::next_token`], of any token: nearly all are short segments.
    fn next_any(&mut self) -> Result<Streamed<'_>, Fault> {
        loop {
            match self.scanner.next(self.source.held(), self.source.complete) {
                Next::Span(span) => return Ok(Streamed::Token(self.take(span))),
                Next::End(gap) => {
                    let start = self.source.at;
                    self.source.at += gap;
                    return Ok(Streamed::End(&self.source.buffer[start..start + gap]));
                }
                Next::More(wanted) => self.source.fill(wanted).map_err(|error| unreadable(&error))?,
            }
        }
    }

    fn take(&mut self, span: Span) -> Token<'_> {
        let start = self.source.at;
        self.source.at += span.total();
        self.scanner.take(&self.source.buffer[start..self.source.at], span)
    }
}

fn unreadable(error: &std::io::Error) -> Fault {
    let issue = Issue::error(codes::X12_ENVELOPE, Place::Whole, format!("the file can't be read: {error}"));
    Fault { issues: vec![issue], blame: Blame::Caller, retry: Retry::Never }
}

/// Reads one segment after another, and walks through their envelope. Each borrows the buffer until the next is asked for.
#[derive(Debug)]
pub struct Segments<R> {
    tokens: TokenStream<R>,
    walk: Walk,
    /// The text of the last segment, when it is not its bytes: they are no UTF-8, or cut by line breaks.
    other: String,
    ended: bool,
}

/// A segment of a stream.
#[derive(Debug, Clone, Copy)]
pub struct Step<'b> {
    pub segment: Segment<'b>,
    pub role: Role,
    /// Text that belongs to no interchange, rather than a segment.
    pub garbage: bool,
    /// False when the file ends in the middle of it.
    pub terminated: bool,
}

impl<R: Read> Segments<R> {
    pub fn new(source: R) -> Segments<R> {
        Segments { tokens: TokenStream::new(source), walk: Walk::default(), other: String::new(), ended: false }
    }

    /// The next segment; `None` at the end. A fault when the file can't be read.
    pub fn next_segment(&mut self) -> Result<Option<Step<'_>>, Fault> {
        let Streamed::Token(token) = self.tokens.next_token()? else {
            if !std::mem::replace(&mut self.ended, true) {
                self.walk.end();
            }
            return Ok(None);
        };
        let (raw, is_latin1) = match text::own_text(&token) {
            Some(raw) => (raw, false),
            None => {
                self.other.clear();
                let is_latin1 = text::push_sent(&token, &mut self.other);
                (self.other.as_str(), is_latin1)
            }
        };
        let (role, segment) = self.walk.take(&token, raw, is_latin1);
        Ok(Some(Step { segment, role, garbage: role == Role::Garbage, terminated: token.terminated }))
    }

    /// Whether [`Segments::issues`] has any.
    pub fn has_issues(&self) -> bool {
        self.walk.has_issues()
    }

    /// What is wrong with the shape of the envelope, found since this was asked last.
    pub fn issues(&mut self) -> Vec<Issue> {
        let (mut ended, issues) = self.walk.issues();
        ended.extend(issues);
        ended
    }
}

/// Follows a stream through the loops of its guides, one segment at a time.
#[derive(Debug)]
pub struct Follower<'g> {
    guides: &'g Guides,
    placer: Option<Placer<'g>>,
    group_version: String,
    set_id: String,
    version: String,
    st: String,
    /// Where the ST was placed.
    start: Option<Placed>,
}

impl<'g> Follower<'g> {
    pub fn new(guides: &'g Guides) -> Follower<'g> {
        let (group_version, set_id, version, st) = Default::default();
        Follower { guides, placer: None, group_version, set_id, version, st, start: None }
    }

    /// GS08 of the open group.
    pub fn group_version(&self) -> &str {
        &self.group_version
    }

    /// The place of the ST in the guide of the open set.
    pub fn start(&self) -> Option<Placed> {
        self.start
    }

    /// Takes the next segment; gives back its place in the guide of its set, when there is one.
    pub fn take(&mut self, step: &Step<'_>) -> Option<Placed> {
        let segment = &step.segment;
        match step.role {
            Role::Gs => segment.element(8).clone_into(&mut self.group_version),
            Role::St { grouped: false } => self.group_version.clear(),
            _ => {}
        }
        match step.role {
            Role::St { .. } => self.begin(segment),
            Role::Body if segment.ordinal == 2 && segment.id() == "BHT" => self.choose(segment.element(2), segment),
            Role::Body | Role::Se => {}
            _ => {
                self.placer = None;
                return None;
            }
        }
        let placed = self.placer.as_mut().map(|placer| placer.place(segment));
        match step.role {
            Role::St { .. } => self.start = placed,
            Role::Se => self.placer = None,
            _ => {}
        }
        placed
    }

    /// The loop that the last segment stands in; `""` outside of a set.
    pub fn loop_id(&self) -> &str {
        self.placer.as_ref().map_or("", |placer| &placer.guide().loop_at(placer.innermost()).id)
    }

    /// How many loops the last segment stands in, the set not counted.
    pub fn depth(&self) -> usize {
        self.placer.as_ref().map_or(0, |placer| placer.path().count())
    }

    /// The guide of the set that is open.
    pub fn guide(&self) -> Option<&'g Guide> {
        self.placer.as_ref().map(Placer::guide)
    }

    fn begin(&mut self, st: &Segment<'_>) {
        let version = if st.element(3).is_empty() { self.group_version.as_str() } else { st.element(3) };
        version.trim_end().clone_into(&mut self.version);
        st.element(1).clone_into(&mut self.set_id);
        st.raw().clone_into(&mut self.st);
        self.placer = self.guides.for_set(&self.set_id, &self.version).map(|guide| Placer::new(guide));
    }

    /// A BHT may tell that another guide is meant: then the ST is placed anew.
    fn choose(&mut self, purpose: &str, bht: &Segment<'_>) {
        let Some(guide) = self.guides.for_purpose(&self.set_id, &self.version, purpose) else { return };
        if self.guide().is_some_and(|open| open.name != guide.name) {
            let mut placer = Placer::new(guide);
            self.start = Some(placer.place(&Segment::new(&self.st, bht.delimiters)));
            self.placer = Some(placer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x12::guide::tests::shipped;
    use crate::x12::tokens::tests::isa;
    use crate::x12::tokens::{Kind, MAX_SEGMENT, Tokens};

    /// Gives so many bytes at a time, one after the other, over and over.
    struct Slow<'a>(&'a [u8], std::iter::Cycle<std::slice::Iter<'a, usize>>);

    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let count = self.1.next().copied().unwrap_or(1).clamp(1, into.len()).min(self.0.len());
            let (now, rest) = self.0.split_at(count);
            into[..count].copy_from_slice(now);
            self.0 = rest;
            Ok(count)
        }
    }

    type Seen = (Vec<u8>, Vec<u8>, u64, u32, bool, Kind);

    fn seen(token: &Token<'_>) -> Seen {
        (token.gap.to_vec(), token.raw.to_vec(), token.offset, token.line, token.terminated, token.kind)
    }

    /// The tokens of a stream; garbage in one piece.
    fn streamed(source: impl Read) -> (Vec<Seen>, Vec<u8>) {
        let mut tokens = TokenStream::new(source);
        let mut all: Vec<Seen> = Vec::new();
        loop {
            match tokens.next_token().unwrap() {
                Streamed::End(gap) => return (all, gap.to_vec()),
                Streamed::Token(token) => match all.last_mut() {
                    Some(last) if last.5 == Kind::Garbage && token.kind == Kind::Garbage => {
                        last.1.extend([token.gap, token.raw].concat());
                    }
                    _ => all.push(seen(&token)),
                },
            }
        }
    }

    fn same(bytes: &[u8], chunks: &[usize]) -> usize {
        let mut tokens = Tokens::new(bytes);
        let expected: Vec<_> = tokens.by_ref().map(|token| seen(&token)).collect();
        let end = tokens.rest().to_vec();
        assert_eq!(streamed(Slow(bytes, chunks.iter().cycle())), (expected.clone(), end), "{chunks:?}");
        expected.len()
    }

    #[test]
    fn a_stream_gives_what_the_slice_gives() {
        let (first, second) = (isa('*', '^', ':', "~"), isa('|', '!', '>', "\r\n"));
        let unpadded = "ISA*00**00**ZZ*A*ZZ*B*250303*1200*^*00501*1*0*T*:~\n";
        let text = format!(
            "\u{feff}junk {first}GS*HC~\r\nBIN*3*a~b~BIN*99*a~b~IEA*1*1\n{second}GS|HC\r\nSE|1\r\nIEA|1\r\n{}{unpadded}SE*1~IEA~ x",
            "junk ISA*junk ".repeat(100)
        );
        for chunks in [&[1usize][..], &[2, 3, 5], &[100], &[511, 1], &[1 << 20]] {
            assert_eq!(same(text.as_bytes(), chunks), 16);
        }
    }

    #[test]
    fn a_segment_without_end_is_passed_over() {
        let text = format!("{}K3*{}~SE*1~IEA*1*1", isa('*', '^', ':', "~"), "A".repeat(3 * MAX_SEGMENT / 2));
        assert_eq!(same(text.as_bytes(), &[300_000]), 5);
        let mut segments = Segments::new(text.as_bytes());
        let mut roles = Vec::new();
        while let Some(step) = segments.next_segment().unwrap() {
            roles.push(step.role);
        }
        assert_eq!(roles, [Role::Isa, Role::Garbage, Role::Garbage, Role::Stray, Role::Iea]);
        let texts: Vec<_> = segments.issues().into_iter().map(|issue| issue.text).collect();
        assert_eq!(texts[0], "a segment longer than 1048576 bytes, or its terminator is missing");
        assert_eq!(texts.len(), 3, "{texts:?}");
    }

    #[test]
    fn bytes_that_are_no_utf8_are_latin1() {
        let bytes = [isa('*', '^', ':', "~").as_bytes(), b"N3*CAF\xC9~N4*A~"].concat();
        let mut segments = Segments::new(bytes.as_slice());
        segments.next_segment().unwrap();
        assert_eq!(
            segments.next_segment().unwrap().map(|step| step.segment.element(1).to_owned()).unwrap(),
            "CAF\u{c9}"
        );
    }

    #[test]
    fn loops_are_followed_across_sets() {
        let text = format!(
            "{}GS*HP*A*B*1*1*1*X*005010X221A1~ST*835*1~BPR*I~N1*PR~LX*1~CLP*A~SE*6*1~GE*1*1~\
             GS*HI*A*B*1*1*2*X*005010X217~ST*278*2*005010X217~BHT*0007*11~HL*1**20*1~SE*4*2~GE*1*2~IEA*2*1~",
            isa('*', '^', ':', "~")
        );
        let mut segments = Segments::new(text.as_bytes());
        let mut follower = Follower::new(shipped());
        let mut seen = Vec::new();
        while let Some(step) = segments.next_segment().unwrap() {
            follower.take(&step);
            seen.push(format!("{}{}:{}", step.segment.ordinal, step.segment.id(), follower.loop_id()));
            if step.segment.id() == "BHT" {
                assert_eq!(follower.guide().map(|guide| guide.name.as_str()), Some("278-response"));
            }
        }
        let expected = "1ISA: 2GS: 1ST:ST 2BPR:ST 3N1:1000A 4LX:2000 5CLP:2100 6SE: 9GE: 10GS: 1ST:ST 2BHT:ST 3HL:2000A 4SE: 15GE: 16IEA:";
        assert_eq!(seen.join(" "), expected);
    }
}
