//! Segments of a file of any length, in constant memory: the same tokens as [`crate::x12::tokens`], read through a buffer.

use crate::fault::{Blame, Fault, Issue, Place, Retry, codes};
use crate::x12::delimiters::Delimiters;
use crate::x12::guide::{Guide, Guides};
use crate::x12::reader::TransactionSet;
use crate::x12::segment::Segment;
use crate::x12::tokens::{self, Kind, MAX_SEGMENT, Span};
use crate::x12::tree::{Placed, Placer};
use std::io::Read;

/// Bytes asked for at once.
const CHUNK: usize = 64 * 1024;

/// Reads one segment after another. Each borrows the buffer until the next is asked for.
#[derive(Debug)]
pub struct Segments<R> {
    source: R,
    buffer: Vec<u8>,
    /// First byte of the buffer that was not given away.
    at: usize,
    complete: bool,
    delimiters: Option<Delimiters>,
    offset: u64,
    line: u32,
    /// Segments of the interchange so far.
    ordinal: u32,
    /// Segments of the open set so far; 0 when none is open.
    in_set: u32,
    /// The last segment, when its bytes are no UTF-8.
    latin1: String,
}

/// A segment of a stream.
#[derive(Debug, Clone, Copy)]
pub struct Streamed<'b> {
    pub segment: Segment<'b>,
    /// Text that belongs to no interchange, rather than a segment.
    pub garbage: bool,
    /// False when the file ends in the middle of it.
    pub terminated: bool,
}

impl<R: Read> Segments<R> {
    pub fn new(source: R) -> Segments<R> {
        Segments {
            source,
            buffer: Vec::new(),
            at: 0,
            complete: false,
            delimiters: None,
            offset: 0,
            line: 1,
            ordinal: 0,
            in_set: 0,
            latin1: String::new(),
        }
    }

    /// The next segment; `None` at the end. A fault when the file can't be read, or holds a segment without end.
    pub fn next_segment(&mut self) -> Result<Option<Streamed<'_>>, Fault> {
        let span = loop {
            match tokens::span(&self.buffer[self.at..], self.delimiters, self.complete) {
                Some(span) => break span,
                None => self.fill()?,
            }
        };
        if span.kind == Kind::End {
            return Ok(None);
        }
        Ok(Some(self.take(span)))
    }

    /// Moves what is left to the front and reads more behind it.
    fn fill(&mut self) -> Result<(), Fault> {
        self.buffer.drain(..self.at);
        self.at = 0;
        let held = self.buffer.len();
        if held > MAX_SEGMENT {
            let at = Place::Text { line: self.line, column: 1 };
            let text = format!("a segment longer than {MAX_SEGMENT} bytes, or its terminator is missing");
            return Err(Fault::caller(vec![Issue::error(codes::X12_SYNTAX, at, text)]));
        }
        self.buffer.resize(held + CHUNK, 0);
        let read = self.source.read(&mut self.buffer[held..]);
        self.buffer.truncate(held + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(count) => self.complete = count == 0,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(&error)),
        }
        Ok(())
    }

    fn take(&mut self, span: Span) -> Streamed<'_> {
        self.pass(span.gap);
        let (start, offset, line) = (self.at, self.offset, self.line);
        let terminated = matches!(span.kind, Kind::Isa(_) | Kind::Segment { terminated: true });
        self.pass(span.length + usize::from(terminated));
        if let Kind::Isa(shape) = span.kind {
            self.delimiters = Some(shape.delimiters);
            (self.ordinal, self.in_set) = (0, 0);
        }
        let raw = &self.buffer[start..start + span.length];
        let raw = match std::str::from_utf8(raw) {
            Ok(raw) => raw,
            Err(_) => {
                self.latin1.clear();
                self.latin1.extend(raw.iter().map(|byte| char::from(*byte)));
                &self.latin1
            }
        };
        let view = Segment::new(raw, self.delimiters.unwrap_or_default());
        self.ordinal += 1;
        self.in_set = match view.id() {
            "ST" => 1,
            "GS" | "GE" | "IEA" => 0,
            _ if self.in_set > 0 => self.in_set + 1,
            _ => 0,
        };
        let ordinal = if self.in_set > 0 { self.in_set } else { self.ordinal };
        if view.id() == "SE" {
            self.in_set = 0;
        }
        let segment = Segment { ordinal, offset, line, ..view };
        Streamed { segment, garbage: span.kind == Kind::Garbage, terminated }
    }

    /// Gives bytes away.
    fn pass(&mut self, len: usize) {
        self.line = self.line.saturating_add(tokens::line_feeds(&self.buffer[self.at..self.at + len]));
        self.at += len;
        self.offset += len as u64;
    }
}

fn unreadable(error: &std::io::Error) -> Fault {
    let issue = Issue::error(codes::X12_ENVELOPE, Place::Whole, format!("the file can't be read: {error}"));
    Fault { issues: vec![issue], blame: Blame::Caller, retry: Retry::Never }
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
}

impl<'g> Follower<'g> {
    pub fn new(guides: &'g Guides) -> Follower<'g> {
        let (group_version, set_id, version, st) = Default::default();
        Follower { guides, placer: None, group_version, set_id, version, st }
    }

    /// Takes the next segment; gives back its place in the guide of its set, when there is one.
    pub fn take(&mut self, segment: &Segment<'_>) -> Option<Placed> {
        match segment.id() {
            "ISA" | "IEA" | "GE" => self.placer = None,
            "GS" => {
                self.placer = None;
                segment.element(8).clone_into(&mut self.group_version);
            }
            "ST" => self.start(segment),
            "BHT" if segment.ordinal == 2 => self.choose(segment.element(2), segment),
            _ => {}
        }
        let placed = self.placer.as_mut().map(|placer| placer.place(segment));
        if segment.id() == "SE" {
            self.placer = None;
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

    fn start(&mut self, st: &Segment<'_>) {
        let version = if st.element(3).is_empty() { self.group_version.as_str() } else { st.element(3) };
        version.clone_into(&mut self.version);
        st.element(1).clone_into(&mut self.set_id);
        st.raw().clone_into(&mut self.st);
        self.placer = self.guides.for_set(&self.set_id, &self.version).map(|guide| Placer::new(guide));
    }

    /// A BHT may tell that another guide is meant: then the ST is placed anew.
    fn choose(&mut self, purpose: &str, bht: &Segment<'_>) {
        let Some(guide) = self.guides.for_purpose(&self.set_id, &self.version, purpose) else { return };
        if self.guide().is_some_and(|open| open.name != guide.name) {
            let mut placer = Placer::new(guide);
            placer.place(&Segment::new(&self.st, bht.delimiters));
            self.placer = Some(placer);
        }
    }
}

/// One transaction set of a stream, with texts of its own.
#[derive(Debug, Clone)]
pub struct OwnedSet {
    pub isa: String,
    pub gs: String,
    pub(super) segments: Vec<Kept>,
    pub delimiters: Delimiters,
}

/// A segment that outlives the buffer.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub raw: String,
    pub ordinal: u32,
    pub offset: u64,
    pub line: u32,
}

impl Kept {
    pub fn of(segment: &Segment<'_>) -> Kept {
        let (ordinal, offset, line) = (segment.ordinal, segment.offset, segment.line);
        Kept { raw: segment.raw().to_owned(), ordinal, offset, line }
    }

    pub fn view(&self, delimiters: Delimiters) -> Segment<'_> {
        let (ordinal, offset, line) = (self.ordinal, self.offset, self.line);
        Segment { ordinal, offset, line, ..Segment::new(&self.raw, delimiters) }
    }
}

impl OwnedSet {
    /// The set, as the reader would have given it.
    pub fn view(&self) -> TransactionSet<'_> {
        let segments = self.segments.iter().map(|kept| kept.view(self.delimiters));
        TransactionSet::new(segments.collect(), Segment::new(&self.gs, self.delimiters).element(8))
    }
}

/// Reads one transaction set after another: no more than one is held at a time.
#[derive(Debug)]
pub struct Sets<R> {
    segments: Segments<R>,
    isa: String,
    gs: String,
    /// An ST that followed a set without SE.
    next: Option<Kept>,
}

impl<R: Read> Sets<R> {
    pub fn new(source: R) -> Sets<R> {
        Sets { segments: Segments::new(source), isa: String::new(), gs: String::new(), next: None }
    }

    /// The next set; `None` at the end.
    pub fn next_set(&mut self) -> Result<Option<OwnedSet>, Fault> {
        let mut open: Vec<_> = self.next.take().into_iter().collect();
        while let Some(Streamed { segment, .. }) = self.segments.next_segment()? {
            let owned = || Kept::of(&segment);
            let delimiters = segment.delimiters;
            let ends = match segment.id() {
                "ISA" | "GS" | "GE" | "IEA" => !open.is_empty(),
                "ST" if !open.is_empty() => {
                    self.next = Some(owned());
                    true
                }
                "SE" if !open.is_empty() => {
                    open.push(owned());
                    true
                }
                "ST" => {
                    open.push(owned());
                    false
                }
                _ => {
                    if !open.is_empty() {
                        open.push(owned());
                    }
                    false
                }
            };
            let done = ends.then(|| OwnedSet {
                isa: self.isa.clone(),
                gs: self.gs.clone(),
                segments: std::mem::take(&mut open),
                delimiters,
            });
            match segment.id() {
                "ISA" => segment.raw().clone_into(&mut self.isa),
                "GS" => segment.raw().clone_into(&mut self.gs),
                _ => {}
            }
            if done.is_some() {
                return Ok(done);
            }
        }
        let delimiters = self.segments.delimiters.unwrap_or_default();
        let (isa, gs) = (self.isa.clone(), self.gs.clone());
        Ok(Some(OwnedSet { isa, gs, segments: open, delimiters }).filter(|set| !set.segments.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x12::guide::tests::shipped;
    use crate::x12::tokens::Tokens;
    use crate::x12::tokens::tests::isa;

    /// Gives one byte at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            into[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    fn streamed(source: impl Read) -> Vec<(String, u64, u32)> {
        let mut segments = Segments::new(source);
        let mut all = Vec::new();
        while let Some(streamed) = segments.next_segment().unwrap() {
            all.push((streamed.segment.raw().to_owned(), streamed.segment.offset, streamed.segment.line));
        }
        all
    }

    #[test]
    fn a_stream_gives_what_the_slice_reader_gives() {
        let second = isa('|', '!', '>', "\r\n");
        let text =
            format!("\u{feff}junk {}GS*HC~\r\nBIN*3*a~b~IEA*1*1\n{second}GS|HC\r\nSE|1", isa('*', '^', ':', "~"));
        let expected: Vec<_> =
            Tokens::new(&text).map(|token| (token.raw.to_owned(), token.start as u64, token.line)).collect();
        assert_eq!(expected.len(), 8);
        assert_eq!(streamed(text.as_bytes()), expected);
        assert_eq!(streamed(Slow(text.as_bytes())), expected);
    }

    #[test]
    fn bytes_that_are_no_utf8_are_latin1() {
        let bytes = [isa('*', '^', ':', "~").as_bytes(), b"N3*CAF\xC9~N4*A~"].concat();
        assert_eq!(streamed(&bytes[..])[1].0, "N3*CAF\u{c9}");
    }

    #[test]
    fn a_segment_without_end_is_refused_at_the_limit() {
        let head = isa('*', '^', ':', "~");
        let of = |length: usize| format!("{head}K3*{}~IEA*1*1~", "A".repeat(length));
        let mut fine = Segments::new(std::io::Cursor::new(of(MAX_SEGMENT - CHUNK)));
        while fine.next_segment().unwrap().is_some() {}
        let mut endless = Segments::new(std::io::Cursor::new(of(MAX_SEGMENT + 2 * CHUNK)));
        endless.next_segment().unwrap();
        assert!(endless.next_segment().is_err());
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
        while let Some(Streamed { segment, .. }) = segments.next_segment().unwrap() {
            follower.take(&segment);
            seen.push(format!("{}{}:{}", segment.ordinal, segment.id(), follower.loop_id()));
            if segment.id() == "BHT" {
                assert_eq!(follower.guide().map(|guide| guide.name.as_str()), Some("278-response"));
            }
        }
        let expected = "1ISA: 2GS: 1ST:ST 2BPR:ST 3N1:1000A 4LX:2000 5CLP:2100 6SE: 9GE: 10GS: 1ST:ST 2BHT:ST 3HL:2000A 4SE: 15GE: 16IEA:";
        assert_eq!(seen.join(" "), expected);
    }

    #[test]
    fn sets_come_one_at_a_time() {
        let text = format!(
            "{}GS*HP*****1*X*V1~ST*835*1~BPR*I~SE*3*1~ST*835*2~BPR*I~ST*835*3~GE*1*1~GS*HC*****2*X*V2~ST*837*4~",
            isa('*', '^', ':', "~")
        );
        let mut sets = Sets::new(text.as_bytes());
        let mut seen = Vec::new();
        while let Some(set) = sets.next_set().unwrap() {
            let view = set.view();
            seen.push(format!("{}:{}:{}", view.control_number(), view.segments.len(), view.version()));
        }
        assert_eq!(seen, ["1:3:V1", "2:2:V1", "3:1:V1", "4:1:V2"]);
    }
}
