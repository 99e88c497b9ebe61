//! Code tables (`codes/*.tsv`, or a FHIR ConceptMap in `codes/*.json`): from a code of one list to a code of another.
//!
//! The first column is the code to translate, the second its translation; further columns are for people. A line that
//! begins with `#` is a comment, and a first line whose first cell is `from` or `code` is a
//! heading. The code `*` stands for every
//! code that has no line.

use crate::assets::Folder;
use crate::fault::{Issue, Place, codes};
use crate::lexicon::Lexicon;
use std::collections::HashMap;
use std::sync::Arc;

mod concept_map;

/// One table.
#[derive(Debug)]
pub struct Table {
    name: String,
    codes: Lexicon,
    /// By the numbers of the codes.
    translations: Vec<Option<String>>,
    fallback: Option<String>,
}

impl Table {
    /// Its file name without `.tsv`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The translation of a code.
    pub fn get(&self, code: &str) -> Option<&str> {
        let row = self.codes.number(code).and_then(|number| self.translations.get(number as usize)?.as_ref());
        row.or(self.fallback.as_ref()).map(String::as_str)
    }

    /// A table without rows.
    fn empty(name: &str) -> Table {
        Table { name: name.to_owned(), codes: Lexicon::default(), translations: Vec::new(), fallback: None }
    }

    /// Whether it translates nothing.
    fn is_empty(&self) -> bool {
        self.codes.is_empty() && self.fallback.is_none()
    }

    /// Adds a row, or replaces it; true when the code meant something else before.
    fn put(&mut self, code: &str, translation: &str) -> bool {
        let number = self.codes.enter(code) as usize;
        if number >= self.translations.len() {
            self.translations.resize(number + 1, None);
        }
        let before = self.translations[number].replace(translation.to_owned());
        before.is_some_and(|before| before != translation)
    }

    /// Takes a row away again.
    fn take_out(&mut self, code: &str) {
        if let Some(number) = self.codes.number(code) {
            self.translations[number as usize] = None;
        }
    }

    /// Reads the text of a table; what is wrong is added to the issues.
    pub fn parse(name: &str, path: &str, text: &str, issues: &mut Vec<Issue>) -> Table {
        let mut table = Table::empty(name);
        let mut first = true;
        for (n, line) in text.lines().enumerate() {
            let heading = first && (line.starts_with("from\t") || line.starts_with("code\t"));
            first &= line.starts_with('#');
            if heading || line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            let at = Place::File { path: path.to_owned(), line: u32::try_from(n + 1).unwrap_or(0), column: 1 };
            table.row(line, at, issues);
        }
        table
    }

    fn row(&mut self, line: &str, at: Place, issues: &mut Vec<Issue>) {
        let mut cells = line.split('\t').map(str::trim);
        let (Some(from), Some(to)) = (cells.next().filter(|cell| !cell.is_empty()), cells.next()) else {
            let issue = Issue::error(codes::MAPPING_SYNTAX, at, "a line of a code table needs two cells");
            return issues.push(issue.hint("write the code, a tab, and its translation"));
        };
        if from == "*" {
            self.fallback = Some(to.to_owned());
        } else if self.put(from, to) {
            let issue = Issue::error(codes::MAPPING_SYNTAX, at, format!("`{from}` has two translations"));
            issues.push(issue.hint("keep one of the two lines"));
        }
    }
}

/// All tables, by name.
#[derive(Debug, Default)]
pub struct Tables {
    tables: HashMap<String, Arc<Table>>,
}

impl Tables {
    /// Reads every `codes/*.tsv`, and every FHIR ConceptMap `codes/*.json`, of the folder.
    pub fn load(folder: &Folder, issues: &mut Vec<Issue>) -> Tables {
        let mut tables = Tables::default();
        for path in folder.list("codes") {
            let Some((name, ending)) = path.strip_prefix("codes/").and_then(|name| name.rsplit_once('.')) else {
                continue;
            };
            let (shown, text) = (folder.display(&path), folder.text(&path).unwrap_or_default());
            let table = match ending {
                "tsv" => Table::parse(name, &shown, &text, issues),
                "json" => concept_map::parse(name, &shown, &text, issues),
                _ => continue,
            };
            if tables.get(name).is_some() {
                let at = Place::File { path: shown, line: 1, column: 1 };
                let issue = Issue::error(codes::MAPPING_SYNTAX, at, format!("there are two code tables `{name}`"));
                issues.push(issue.hint("rename one of the two files"));
            }
            tables.add(table);
        }
        tables
    }

    pub fn add(&mut self, table: Table) {
        self.tables.insert(table.name.clone(), Arc::new(table));
    }

    pub fn get(&self, name: &str) -> Option<&Arc<Table>> {
        self.tables.get(name)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_translate() {
        let mut issues = Vec::new();
        let text = "# comment\nfrom\tto\tnote\nself\t18\tsubscriber\nspouse\t01\n*\tG8\n";
        let table = Table::parse("relationship", "codes/relationship.tsv", text, &mut issues);
        assert!(issues.is_empty(), "{issues:?}");
        assert_eq!([table.get("self"), table.get("spouse"), table.get("uncle")], [Some("18"), Some("01"), Some("G8")]);
    }

    #[test]
    fn mistakes_name_the_line() {
        let mut issues = Vec::new();
        Table::parse("t", "codes/t.tsv", "a\t1\na\t2\nb\n", &mut issues);
        let places: Vec<String> = issues.iter().map(|issue| issue.at.to_string()).collect();
        assert_eq!(places, ["codes/t.tsv:2:1", "codes/t.tsv:3:1"]);
    }
}
