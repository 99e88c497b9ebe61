//! Proof of the checks on real files: what is right has no errors, what is wrong is found where it is, our guides are those
//! of the element tables, and pyx12 says the same of the transactions that it knows. What is not so is a row of a table in
//! `tests/data/x12/`; a row that explains nothing is a fault too.

mod broken;
mod clean;
mod pyx12;
mod tables;

use claimgate::fault::Issue;
use claimgate::x12::check::check_interchange;
use claimgate::x12::guide::Guides;
use claimgate::x12::reader;
use claimgate::x12::text::Text;
use std::path::Path;

/// Every issue of a file, of reader and check.
fn issues(guides: &Guides, path: &Path) -> Vec<Issue> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    issues_of(guides, &bytes)
}

fn issues_of(guides: &Guides, bytes: &[u8]) -> Vec<Issue> {
    let text = Text::decode(bytes);
    let (interchanges, mut issues) = reader::read_text(&text);
    issues.extend(interchanges.iter().flat_map(|found| check_interchange(guides, found)));
    issues
}

/// `837p/name.edi`.
fn name(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/")
}

/// The rows of a table behind its header.
fn rows(table: &'static str) -> Vec<Vec<&'static str>> {
    let lines = table.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).skip(1);
    lines.map(|line| line.split('\t').collect()).collect()
}
