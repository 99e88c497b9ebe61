//! pyx12's x12valid and we find the same in the transactions that it knows.

use super::{issues_of, name, rows};
use crate::x12_corpus::{corpus, files, guides};
use claimgate::fault::{Issue, Place};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

const FOLDERS: [&str; 6] = ["837p", "837i", "835", "277ca", "277", "999"];

/// Versions that pyx12 knows by another name. Errata change nothing that it checks.
const VERSIONS: [(&str, &str); 7] = [
    ("005010X222A2", "005010X222A1"),
    ("005010X222", "005010X222A1"),
    ("005010X223A3", "005010X223A2"),
    ("005010X223A1", "005010X223A2"),
    ("005010X223", "005010X223A2"),
    ("005010X221", "005010X221A1"),
    ("005010X231", "005010X231A1"),
];

/// What pyx12 calls differently than the 999 does: kind, its code, ours. It has one code for a segment that is unknown, not
/// expected or not used.
const CODES: [(&str, &str, &str); 4] = [("ELE", "10", "I10"), ("SEG", "1", "I4"), ("SEG", "1", "2"), ("SEG", "1", "6")];

#[test]
fn pyx12_and_we_find_the_same() {
    let (guides, root) = (guides(), corpus());
    let folder = tempfile::tempdir().unwrap();
    let explained = rows(include_str!("../data/x12/pyx12-differences.tsv"));
    let (mut wrong, mut used) = (Vec::new(), BTreeSet::new());
    for path in FOLDERS.iter().flat_map(|folder| files(&root.join(folder))) {
        let name = name(&root, &path);
        let bytes = std::fs::read(&path).unwrap();
        let text = known(&String::from_utf8_lossy(&bytes));
        let copy = folder.path().join(path.file_name().unwrap());
        std::fs::write(&copy, &text).unwrap();
        let theirs = theirs(&copy);
        let ours = ours(&issues_of(&guides, text.as_bytes()));
        let rest =
            |some: &BTreeSet<String>, others: &BTreeSet<String>| some.difference(others).cloned().collect::<Vec<_>>();
        let difference = format!("{} | {}", rest(&theirs, &ours).join(" "), rest(&ours, &theirs).join(" "));
        match (difference.trim() == "|", explained.iter().find(|row| row[0] == name)) {
            (true, None) => {}
            (false, Some(row)) if row.get(1).is_some_and(|told| *told == difference.trim()) && row.len() > 2 => {
                used.insert(name);
            }
            (true, Some(_)) => wrong.push(format!("{name}: no difference, its row explains nothing")),
            (false, _) => wrong.push(format!("{name}\t{}\t", difference.trim())),
        }
    }
    assert!(wrong.is_empty(), "pyx12 alone | we alone:\n{}", wrong.join("\n"));
    assert_eq!(used.len(), explained.len(), "rows of files that are not there");
}

/// The text with versions that pyx12 knows, without byte order mark, indentation and line breaks.
fn known(text: &str) -> String {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let element = text.chars().nth(3).unwrap_or('*');
    let terminator = text.chars().nth(105).unwrap_or('~');
    let (isa, rest) = text.split_at(text.char_indices().nth(106).map_or(text.len(), |(at, _)| at));
    let segments: Vec<&str> = rest.split(terminator).map(str::trim).collect();
    let mut text = format!("{isa}{}", segments.join(&terminator.to_string()));
    for (from, to) in VERSIONS {
        for end in [element, terminator] {
            text = text.replace(&format!("{element}{from}{end}"), &format!("{element}{to}{end}"));
        }
    }
    text
}

/// `ELE 7`, `SEG 3`: what pyx12 logs. It fails to write its own acknowledgment of sets without ST03, after it has told all.
fn theirs(path: &PathBuf) -> BTreeSet<String> {
    let program = std::env::var_os("CLAIMGATE_PYX12");
    let program = program.unwrap_or_else(|| panic!("set CLAIMGATE_PYX12 to the path of pyx12's x12valid"));
    let output = Command::new(program).arg(path).output().expect("x12valid runs");
    let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let of_line = |line: &str| {
        let rest = line.split_once("ERROR Line:")?.1;
        let (_, rest) = rest.split_once(' ')?;
        let (kind, rest) = rest.split_once(':')?;
        let code = rest.split(' ').next()?;
        ["ELE", "SEG"].contains(&kind).then(|| format!("{kind} {code}"))
    };
    told.lines().filter_map(of_line).collect()
}

/// The same of our errors of syntax, guide and codes.
fn ours(issues: &[Issue]) -> BTreeSet<String> {
    let one = |issue: &Issue| {
        let Place::X12(at) = &issue.at else { return None };
        at.ordinal?;
        let kind = if at.element.is_some() { "ELE" } else { "SEG" };
        let code = at.error_code.as_deref()?;
        let theirs = CODES.iter().find(|(other, _, own)| *other == kind && *own == code);
        Some(format!("{kind} {}", theirs.map_or(code, |(_, theirs, _)| theirs)))
    };
    let wanted = |issue: &&Issue| issue.is_error() && ["CG-1502", "CG-1503", "CG-1506"].contains(&issue.code);
    issues.iter().filter(wanted).filter_map(one).collect()
}

#[test]
fn versions_are_told_to_pyx12_as_it_knows_them() {
    let isa =
        "ISA*00*          *00*          *ZZ*A              *ZZ*B              *250303*1200*^*00501*000000001*0*T*:~";
    let text = known(&format!("\u{feff}{isa}GS*HC*1*1*1*1*1*X*005010X222~ST*837*1*005010X222A2~"));
    assert!(text.ends_with("~ST*837*1*005010X222A1~"));
    assert_eq!(text.matches("005010X222A1").count(), 2, "{text}");
}
