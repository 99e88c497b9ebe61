//! Real files that are right, as their senders see it, have no errors.

use super::{issues, name, rows};
use crate::x12_corpus::{corpus, files, guides};

/// Folders of files that are right but for the rows of the table.
const FOLDERS: [&str; 19] = [
    "270",
    "271",
    "275",
    "276",
    "277",
    "277ca",
    "278",
    "820",
    "824",
    "834",
    "835",
    "837-other",
    "837d",
    "837i",
    "837p",
    "997",
    "999",
    "ta1",
    "other-version",
];

#[test]
fn what_is_clean_has_no_errors() {
    let (guides, root) = (guides(), corpus());
    let table = rows(include_str!("../data/x12/not-clean.tsv"));
    let mut wrong = Vec::new();
    let mut seen = 0;
    for path in FOLDERS.iter().flat_map(|folder| files(&root.join(folder))) {
        let name = name(&root, &path);
        let issues = issues(&guides, &path);
        let error = issues.iter().find(|issue| issue.is_error());
        let explained = table.iter().find(|row| row[0] == name);
        seen += usize::from(explained.is_some());
        match (error, explained) {
            (Some(issue), None) => wrong.push(format!("{name}: {issue}")),
            (None, Some(_)) => wrong.push(format!("{name} is clean: it needs no row")),
            (_, Some(row)) if row.len() < 2 || row[1].is_empty() => {
                wrong.push(format!("{name}: the row says no reason"))
            }
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(seen, table.len(), "rows of files that are not there");
}
