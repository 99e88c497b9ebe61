//! Files that are wrong on purpose, or whose envelopes are broken: each fault is found where the index of the corpus says
//! that it is.

use super::{issues, name, rows};
use crate::x12_corpus::{corpus, files, guides};
use claimgate::fault::{Issue, Place, Severity};

/// Row: file, loop, segment, element (or -), ordinal in its set (or -), IK or TA1 code (or -).
#[test]
fn what_is_invalid_is_found_at_its_segment() {
    let (guides, root) = (guides(), corpus());
    let table = rows(include_str!("../data/x12/invalid.tsv"));
    let mut wrong = Vec::new();
    for path in files(&root.join("invalid")) {
        let name = name(&root, &path);
        let own: Vec<_> = table.iter().filter(|row| row[0] == name).collect();
        let issues = issues(&guides, &path);
        if own.is_empty() {
            let told: Vec<_> = issues.iter().filter(|issue| issue.is_error()).map(Issue::to_string).collect();
            wrong.push(format!("{name} has no row; found\n  {}", told.join("\n  ")));
        }
        let missing = own.iter().filter(|row| !issues.iter().any(|issue| is_told(issue) && is_at(issue, row)));
        wrong.extend(missing.map(|row| format!("{name}: not found: {}", row.join(" "))));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Order and unknown codes are warnings.
fn is_told(issue: &Issue) -> bool {
    issue.severity >= Severity::Warning
}

fn is_at(issue: &Issue, row: &[&str]) -> bool {
    let Place::X12(at) = &issue.at else { return row[1..5].iter().all(|cell| *cell == "-") };
    let same = |cell: &str, found: Option<String>| cell == "-" || found.is_some_and(|found| found == cell);
    same(row[1], at.loop_id.clone())
        && same(row[2], at.segment.clone())
        && same(row[3], at.element.map(|n| n.to_string()))
        && same(row[4], at.ordinal.map(|n| n.to_string()))
        && same(row[5], at.error_code.clone())
}

/// Words of the index's notes, and an issue of the envelope that says it.
type Fault = (&'static str, fn(&Issue) -> bool);

const FAULTS: [Fault; 8] = [
    ("SE01=", |issue| says(issue, "SE01")),
    ("ST02=", |issue| says(issue, "SE02")),
    ("GE01=", |issue| says(issue, "GE01")),
    ("GS06=", |issue| says(issue, "GE02")),
    ("IEA01=", |issue| says(issue, "IEA01")),
    ("ISA13=", |issue| says(issue, "IEA02")),
    ("missing IEA", |issue| says(issue, "IEA")),
    ("fixed width broken", |issue| says(issue, "ISA")),
];

fn says(issue: &Issue, words: &str) -> bool {
    issue.code == "CG-1501" && issue.to_string().contains(words)
}

#[test]
fn broken_envelopes_are_found_as_the_index_tells_them() {
    let (guides, root) = (guides(), corpus());
    let index = std::fs::read_to_string(root.join("index.tsv")).unwrap();
    let (mut wrong, mut seen) = (Vec::new(), 0);
    // Without any envelope nothing is read.
    let has_envelope = |line: &&str| line.contains("ENVELOPE:") && !line.contains("envelope (starts at");
    for line in index.lines().filter(has_envelope) {
        let (file, notes) = (line.split('\t').next().unwrap(), line.split('\t').next_back().unwrap());
        let issues = issues(&guides, &root.join(file));
        for (note, is_told) in FAULTS.iter().filter(|(note, _)| notes.contains(note)) {
            seen += 1;
            if !issues.iter().any(is_told) {
                wrong.push(format!("{file}: {note} is not told: {:?}", issues.iter().take(4).collect::<Vec<_>>()));
            }
        }
    }
    assert!(seen > 100, "only {seen} notes");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
