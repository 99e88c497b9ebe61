//! Real files: everything is read without a panic and written byte for byte, and what is clean has no issues.

use crate::support;
use claimgate::assets::Folder;
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
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Where the files are.
pub fn corpus() -> PathBuf {
    support::corpus::folder().join("x12")
}

pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let (folders, mut files): (Vec<_>, Vec<_>) = files.into_iter().partition(|path| path.is_dir());
    files.retain(|path| path.extension().is_some_and(|ext| ext == "edi"));
    files.extend(folders.iter().flat_map(|folder| self::files(folder)));
    files
}

pub fn guides() -> Guides {
    Guides::load(&Folder::ShippedConformance).unwrap_or_else(|fault| panic!("{fault}"))
}

/// Every transaction folder and the broken ones too.
#[test]
fn every_file_is_read_and_written_byte_for_byte() {
    let all = files(&corpus());
    assert!(all.len() > 200, "only {} files", all.len());
    for path in all {
        let bytes = std::fs::read(&path).unwrap();
        let mut out = Vec::new();
        format::as_read(bytes.as_slice(), &mut out).unwrap().unwrap();
        assert_eq!(out, bytes, "{}", path.display());
        let text = Text::decode(&bytes);
        let (interchanges, _) = reader::read_text(&text);
        for found in &interchanges {
            for segment in segments(found) {
                let mut raw = Vec::new();
                writer::write_segment(segment, &mut raw);
                let start = usize::try_from(segment.offset).unwrap();
                let written = raw.strip_suffix(b"\n").filter(|_| segment.delimiters.newline).unwrap_or(&raw);
                let read = bytes.get(start..start + written.len()).unwrap_or(&bytes[start..]);
                assert!(written.starts_with(read), "{} segment {segment:?}", path.display());
            }
        }
    }
}

fn segments<'i, 'a>(found: &'i Interchange<'a>) -> impl Iterator<Item = &'i Segment<'a>> {
    let groups = found.groups.iter().flat_map(|group| {
        let sets = group.sets.iter().flat_map(|set| &set.segments);
        // A set outside of any group has a group without GS.
        std::iter::once(&group.gs).filter(|gs| !gs.id().is_empty()).chain(sets).chain(&group.ge)
    });
    std::iter::once(&found.isa).chain(&found.ta1).chain(&found.strays).chain(groups).chain(&found.iea)
}

#[test]
fn every_file_is_checked_shown_and_answered_without_panic() {
    let guides = guides();
    let at = jiff::civil::date(2025, 3, 3).at(12, 0, 0, 0);
    for path in files(&corpus()) {
        let bytes = std::fs::read(&path).unwrap();
        let text = Text::decode(&bytes);
        let (interchanges, _) = reader::read_text(&text);
        for found in &interchanges {
            let issues = check_interchange(&guides, found);
            json::interchange(&guides, found);
            let answer = acknowledge(found, &issues, Numbers { interchange: 1, group: 1 }, at);
            let answer = String::from_utf8(answer).unwrap();
            for own in reader::read(&answer).0.iter().filter(|_| !answer.is_empty()) {
                let faults = check_interchange(&guides, own);
                assert!(faults.is_empty(), "{}: {faults:?}\n{answer}", path.display());
            }
        }
    }
}

#[test]
fn every_file_is_answered_portion_by_portion_as_it_is_as_a_whole() {
    let guides = guides();
    let at = jiff::civil::date(2025, 3, 3).at(12, 0, 0, 0);
    for path in files(&corpus()) {
        let bytes = std::fs::read(&path).unwrap();
        let text = Text::decode(&bytes);
        let (interchanges, _) = reader::read_text(&text);
        for (n, found) in interchanges.iter().enumerate() {
            let number = found.control_number().parse().unwrap_or(1);
            let numbers = Numbers { interchange: number, group: number };
            let expected = acknowledge(found, &check_interchange(&guides, found), numbers, at);
            // By itself, as it stands in the file: of the others it knows as little as the whole one does.
            let end = interchanges.get(n + 1).map_or(bytes.len() as u64, |next| next.isa.offset);
            let own = &bytes[found.isa.offset as usize..end as usize];
            let mut answer = Vec::new();
            let each = |told: Told<'_>| {
                if let Told::Answer(piece) = told {
                    answer.extend_from_slice(piece);
                }
                ControlFlow::Continue(())
            };
            file::acknowledge(&guides, &Policy::default(), own, at, each).unwrap();
            let [expected, answer] = [expected, answer].map(|bytes| String::from_utf8(bytes).unwrap());
            assert_eq!(answer, expected, "{} interchange {n}", path.display());
        }
    }
}

#[test]
fn every_file_streams_as_it_is_read() {
    for path in files(&corpus()) {
        let bytes = std::fs::read(&path).unwrap();
        let tokens = Tokens::new(&bytes).filter(|token| token.kind.is_segment());
        let expected: Vec<_> = tokens.map(|token| (token.offset, token.line, token.raw.to_vec())).collect();
        let mut stream = Segments::new(bytes.as_slice());
        let mut seen = Vec::new();
        while let Some(step) = stream.next_segment().unwrap() {
            if !step.garbage {
                let mut raw = Vec::new();
                writer::write_segment(&step.segment, &mut raw);
                raw.truncate(expected.get(seen.len()).map_or(0, |(_, _, raw)| raw.len()));
                seen.push((step.segment.offset, step.segment.line, raw));
            }
        }
        assert_eq!(seen, expected, "{}", path.display());
    }
}

#[test]
fn every_file_is_checked_portion_by_portion_as_it_is_as_a_whole() {
    let guides = guides();
    for path in files(&corpus()) {
        let bytes = std::fs::read(&path).unwrap();
        let text = Text::decode(&bytes);
        let (interchanges, mut expected) = reader::read_text(&text);
        expected.extend(interchanges.iter().flat_map(|found| check_interchange(&guides, found)));
        let mut found = Vec::new();
        let done = audit(&guides, bytes.as_slice(), |issue| {
            found.push(issue);
            ControlFlow::Continue(())
        });
        done.unwrap();
        let sorted = |issues: &[Issue]| {
            let mut all: Vec<_> = issues.iter().map(|issue| format!("{issue:?}")).collect();
            all.sort();
            all
        };
        // An interchange by itself does not know of the others of its file.
        found.retain(|issue| !issue.text.ends_with("is not unique in the file"));
        assert_eq!(sorted(&found), sorted(&expected), "{}", path.display());
    }
}
