//! What must hold for any bytes at all. Each target panics where it does not. `cargo fuzz` (see Cargo.toml beside) and the
//! integration tests drive the same functions.

use claimgate::fault::Issue;
use claimgate::x12::acknowledge::file::{self, Told};
use claimgate::x12::acknowledge::{Numbers, acknowledge};
use claimgate::x12::audit::audit;
use claimgate::x12::check::check_interchange;
use claimgate::x12::guide::Guides;
use claimgate::x12::policy::Policy;
use claimgate::x12::reader::{self, Interchange};
use claimgate::x12::segment::Segment;
use claimgate::x12::stream::Segments;
use claimgate::x12::text::Text;
use claimgate::x12::tokens::Tokens;
use claimgate::x12::{format, json, writer};
use std::io::Read;
use std::ops::ControlFlow;

/// Gives few bytes at a time.
struct Drops<'a>(&'a [u8], usize);

impl Read for Drops<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(into.len()).min(self.0.len());
        let (now, rest) = self.0.split_at(count);
        into[..count].copy_from_slice(now);
        self.0 = rest;
        Ok(count)
    }
}

/// Where a segment stands: ordinal, offset, line, text.
type Seen = (u32, u64, u32, String);

fn seen(segment: &Segment<'_>) -> Seen {
    (segment.ordinal, segment.offset, segment.line, segment.raw().to_owned())
}

fn all<'i, 'a>(found: &'i Interchange<'a>) -> impl Iterator<Item = &'i Segment<'a>> {
    let groups = found.groups.iter().flat_map(|group| {
        let sets = group.sets.iter().flat_map(|set| &set.segments);
        // A set outside of any group has a group without GS.
        std::iter::once(&group.gs).filter(|gs| !gs.raw().is_empty()).chain(sets).chain(&group.ge)
    });
    std::iter::once(&found.isa).chain(&found.ta1).chain(&found.strays).chain(groups).chain(&found.iea)
}

/// A stream gives what the slice gives, whatever the chunks; all that was read is written as it was.
pub fn reader(bytes: &[u8]) {
    let text = Text::decode(bytes);
    let (interchanges, _) = reader::read_text(&text);
    let mut expected: Vec<_> = interchanges.iter().flat_map(all).map(seen).collect();
    expected.sort_by_key(|(_, offset, ..)| *offset);
    for chunk in [1, 7, 1 << 16] {
        let mut segments = Segments::new(Drops(bytes, chunk));
        let mut found = Vec::new();
        while let Some(step) = segments.next_segment().unwrap_or_else(|fault| panic!("{fault}")) {
            found.extend(Some(seen(&step.segment)).filter(|_| !step.garbage && !step.segment.raw().is_empty()));
        }
        expected.retain(|(.., raw)| !raw.is_empty());
        assert_eq!(found, expected, "{chunk} bytes at a time");
    }
    let mut out = Vec::new();
    assert!(matches!(format::as_read(bytes, &mut out), Ok(Ok(_))));
    assert_eq!(out, bytes);
}

/// What is checked portion by portion is what is checked as a whole, and everything has an answer that can be read.
pub fn check(guides: &Guides, bytes: &[u8]) {
    let text = Text::decode(bytes);
    let (interchanges, mut expected) = reader::read_text(&text);
    let at = jiff::civil::date(2025, 3, 3).at(0, 0, 0, 0);
    for found in &interchanges {
        let issues = check_interchange(guides, found);
        let answer = acknowledge(found, &issues, Numbers { interchange: 1, group: 1 }, at);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (own, outside) = reader::read(&answer);
        assert!(answer.is_empty() || (own.len() == 1 && outside.is_empty()), "{answer}");
        // Whatever a sender wrote, the answer to it is right.
        let faults: Vec<_> = own.iter().flat_map(|own| check_interchange(guides, own)).collect();
        assert!(faults.is_empty(), "{faults:?}\n{answer}");
        json::interchange(guides, found);
        expected.extend(issues);
    }
    let answered = file::acknowledge(guides, &Policy::default(), bytes, at, |told| {
        if let Told::Answer(piece) = told {
            assert!(std::str::from_utf8(piece).is_ok());
        }
        ControlFlow::Continue(())
    });
    assert!(answered.is_ok());
    let mut found = Vec::new();
    let told = audit(guides, bytes, |issue| {
        found.push(issue);
        ControlFlow::Continue(())
    });
    assert!(told.is_ok());
    // An interchange by itself does not know of the others of its file.
    found.retain(|issue| !issue.text.ends_with("is not unique in the file"));
    let (found, expected) = (sorted(&found), sorted(&expected));
    let unlike = |one: &[String], other: &[String]| {
        one.iter().filter(|issue| !other.contains(issue)).cloned().collect::<Vec<_>>()
    };
    assert_eq!(unlike(&found, &expected), unlike(&expected, &found));
    assert_eq!(found.len(), expected.len());
}

fn sorted(issues: &[Issue]) -> Vec<String> {
    let mut all: Vec<_> = issues.iter().map(|issue| format!("{issue:?}")).collect();
    all.sort();
    all
}

/// Each segment is written as the bytes that it was read from, but for line breaks that cut it.
pub fn writer(bytes: &[u8]) {
    if Tokens::new(bytes).any(|token| token.wrap.is_some()) {
        return;
    }
    let text = Text::decode(bytes);
    for segment in reader::read_text(&text).0.iter().flat_map(all) {
        let mut out = Vec::new();
        writer::write_segment(segment, &mut out);
        let start = usize::try_from(segment.offset).unwrap_or(usize::MAX);
        let read = bytes.get(start..).unwrap_or_default();
        let newline = usize::from(segment.delimiters.newline);
        // The last segment may have lacked its terminator.
        let length = (out.len() - newline - 1).min(read.len());
        assert_eq!(out.get(..length), read.get(..length));
        let mut line = Vec::new();
        json::write_segment(segment, "", &mut line).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(String::from_utf8_lossy(&line).trim_end(), json::segment(segment, "").to_string());
    }
}
