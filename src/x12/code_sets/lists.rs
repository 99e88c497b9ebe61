//! Where the lists of codes come from.

use crate::assets::Folder;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// The folders that hold lists.
#[derive(Debug, Clone)]
pub struct Lists {
    /// `codes/*.tsv` of the mappings: a header line names the columns.
    pub tables: Folder,
    /// Whole lists of the user's own, one file a set: `icd-10-cm.txt`.
    pub whole: Option<PathBuf>,
}

impl Lists {
    /// Those that ship.
    pub fn shipped() -> Lists {
        Lists { tables: Folder::ShippedMappings, whole: None }
    }

    /// The codes of a table of the mappings, with what they mean; empty when there is no such table.
    pub fn words(&self, name: &str) -> HashMap<String, String> {
        let text = self.tables.text(&format!("codes/{name}.tsv")).unwrap_or_default();
        let rows = text.lines().filter(|line| !line.starts_with('#')).skip(1).filter_map(|line| line.split_once('\t'));
        let word = |rest: &str| rest.split('\t').next().unwrap_or_default().to_owned();
        rows.map(|(code, rest)| (code.to_owned(), word(rest))).collect()
    }

    /// A column of a table of the mappings; `None` when there is no such table or column.
    pub(super) fn table(&self, name: &str, column: &str) -> Option<HashSet<Box<str>>> {
        let text = self.tables.text(&format!("codes/{name}.tsv"))?;
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        let n = lines.next()?.split('\t').position(|title| title == column)?;
        Some(lines.filter_map(|line| line.split('\t').nth(n)).filter(|code| !code.is_empty()).map(Box::from).collect())
    }

    /// The user's own list of a set. Each line begins with a code, which ends at a tab, comma, semicolon or space; `#` begins a
    /// comment; a dot in a code is left out, as X12 does.
    pub(super) fn whole(&self, name: &str) -> Option<HashSet<Box<str>>> {
        let folder = self.whole.as_deref()?;
        let file = ENDINGS.iter().map(|ending| folder.join(format!("{name}.{ending}"))).find(|file| file.is_file())?;
        Some(codes(&read(&file)?))
    }
}

const ENDINGS: [&str; 3] = ["txt", "tsv", "csv"];

fn read(file: &Path) -> Option<String> {
    std::fs::read(file).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// The codes of a plain list.
pub(super) fn codes(text: &str) -> HashSet<Box<str>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let first = lines.filter_map(|line| line.split(['\t', ',', ';', ' ']).next());
    first.map(|code| code.trim_matches('"').replace('.', "")).filter(|code| !code.is_empty()).map(Box::from).collect()
}
