//! What a payer's codes mean, in our own short words: the tables of `mappings/codes/`, loaded once.
//!
//! The lists are kept by X12 and CMS and change three times a year. An unknown code is no fault: it is kept, and has no
//! words.

use crate::assets::Folder;
use crate::billing::response::Decision;
use crate::fault::{Blame, Fault, Issue, Place, Retry, codes};
use crate::lexicon::Lexicon;

/// A code list that answers of payers use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum List {
    /// TA105.
    InterchangeNote,
    /// IK304, and AK304 of the 997.
    SegmentError,
    /// IK403, and AK403 of the 997.
    ElementError,
    /// IK501, AK501 and AK901.
    Acknowledgment,
    /// IK502 to IK506, and AK502 to AK506 of the 997.
    SetError,
    /// AK905 to AK909.
    GroupError,
    /// STC01-1.
    StatusCategory,
    /// STC01-2.
    Status,
    /// STC01-3, NM101.
    Entity,
    /// CLP02.
    ClaimStatus,
    /// CAS01.
    AdjustmentGroup,
    /// CAS02: CARC.
    Adjustment,
    /// MIA, MOA, LQ*HE: RARC.
    Remark,
    /// PLB03-1.
    ProviderAdjustment,
    /// AAA03.
    Reject,
    /// AAA04.
    FollowUp,
    /// HCR01.
    ReviewAction,
    /// EB01.
    Benefit,
    /// Codes of other lists that speak of a document that is missing: `CARC 252`, `RARC M127`, `STC 294`.
    Document,
    /// Not of a payer: what a state of ours is told as to those who ask by a 276.
    State,
}

/// Where each list is kept below the mappings.
const FILES: &[(List, &str)] = &[
    (List::InterchangeNote, "codes/ta1-note-codes.tsv"),
    (List::SegmentError, "codes/999-ik304.tsv"),
    (List::ElementError, "codes/999-ik403.tsv"),
    (List::Acknowledgment, "codes/999-ik501.tsv"),
    (List::SetError, "codes/999-ik502.tsv"),
    (List::GroupError, "codes/999-ak905.tsv"),
    (List::StatusCategory, "codes/claim-status-category.tsv"),
    (List::Status, "codes/claim-status-code.tsv"),
    (List::Entity, "codes/entity-identifier.tsv"),
    (List::ClaimStatus, "codes/clp02.tsv"),
    (List::AdjustmentGroup, "codes/cas-group.tsv"),
    (List::Adjustment, "codes/carc.tsv"),
    (List::Remark, "codes/rarc.tsv"),
    (List::ProviderAdjustment, "codes/plb.tsv"),
    (List::Reject, "codes/aaa-reject.tsv"),
    (List::FollowUp, "codes/aaa-follow-up.tsv"),
    (List::ReviewAction, "codes/hcr-action.tsv"),
    (List::Benefit, "codes/benefit-information.tsv"),
    (List::Document, "codes/requested-documents.tsv"),
    (List::State, "codes/claim-state.tsv"),
];

/// All code lists, in the order of [`List`].
pub struct Meanings {
    tables: Vec<Table>,
}

/// One list: rows by code; the first column is the code, the second its meaning.
struct Table {
    columns: Vec<String>,
    codes: Lexicon,
    /// By the number of their codes.
    rows: Vec<Vec<String>>,
}

impl Meanings {
    /// Loads every list; a list that is missing or malformed is a mistake of whoever edited the mappings, and all such
    /// mistakes are told at once.
    pub fn load(folder: &Folder) -> Result<Meanings, Fault> {
        let (mut tables, mut issues) = (Vec::new(), Vec::new());
        for (_, path) in FILES {
            match folder.text(path) {
                Some(text) => tables.push(Table::read(&text, &folder.display(path), &mut issues)),
                None => issues.push(
                    Issue::error(codes::MAPPING_SYNTAX, file(&folder.display(path), 0), "the code list is missing")
                        .hint("take it from the shipped mappings"),
                ),
            }
        }
        let fault = |issues| Fault { issues, blame: Blame::Gateway, retry: Retry::Never };
        if issues.is_empty() { Ok(Meanings { tables }) } else { Err(fault(issues)) }
    }

    /// The words for a code.
    pub fn of(&self, list: List, code: &str) -> Option<&str> {
        self.tables.get(list as usize)?.cell(code, 1)
    }

    /// Another column of a code's row.
    pub fn column(&self, list: List, code: &str, column: &str) -> Option<&str> {
        let table = self.tables.get(list as usize)?;
        table.cell(code, table.columns.iter().position(|name| name == column)?)
    }

    /// What a code decides about the claim, for the lists that have such a column.
    pub fn decision(&self, list: List, code: &str) -> Option<Decision> {
        self.column(list, code, "decision").map(Decision::of)
    }

    /// The words for a composite of STC: category, status and entity, with the codes behind them. A code without words
    /// still shows in the brackets.
    pub fn status(&self, category: &str, status: Option<&str>, entity: Option<&str>) -> String {
        self.words(category, status, entity, status.and_then(|code| self.of(List::Status, code)))
    }

    /// The same where the status code is of another list (STC01-4).
    pub fn foreign_status(&self, category: &str, status: Option<&str>, entity: Option<&str>) -> String {
        self.words(category, status, entity, None)
    }

    fn words(&self, category: &str, status: Option<&str>, entity: Option<&str>, said: Option<&str>) -> String {
        let words =
            [self.of(List::StatusCategory, category), said, entity.and_then(|code| self.of(List::Entity, code))];
        let codes = [Some(category), status, entity].into_iter().flatten().collect::<Vec<_>>().join(":");
        with_codes(&words.into_iter().flatten().collect::<Vec<_>>().join("; "), &codes)
    }
}

/// `Words (codes)`, the first letter large; only the codes when there are no words.
pub fn with_codes(words: &str, codes: &str) -> String {
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().collect::<String>() + letters.as_str() + " (" + codes + ")",
        None => codes.to_owned(),
    }
}

impl Table {
    fn read(text: &str, path: &str, issues: &mut Vec<Issue>) -> Table {
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let cells = |line: &str| line.split('\t').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
        let columns = lines.next().map(|(_, header)| cells(header)).unwrap_or_default();
        let (mut codes, mut rows) = (Lexicon::default(), Vec::new());
        for (number, line) in lines {
            let row = cells(line);
            let mistake = match row.len() {
                0 | 1 => Some("a row needs a code and its meaning, with a tab between"),
                n if n > columns.len() => Some("the row has more cells than the header"),
                _ => None,
            };
            if let Some(text) = mistake {
                issues.push(Issue::error(codes::MAPPING_SYNTAX, file(path, number + 1), text));
            } else if codes.number(&row[0]).is_none() {
                codes.enter(&row[0]);
                rows.push(row);
            } else {
                issues.push(Issue::error(codes::MAPPING_SYNTAX, file(path, number + 1), "the code stands here twice"));
            }
        }
        Table { columns, codes, rows }
    }

    fn cell(&self, code: &str, column: usize) -> Option<&str> {
        let row = self.rows.get(self.codes.number(code)? as usize)?;
        row.get(column).map(String::as_str).filter(|cell| !cell.is_empty())
    }
}

fn file(path: &str, line: usize) -> Place {
    let line = u32::try_from(line).unwrap_or(u32::MAX);
    Place::File { path: path.to_owned(), line, column: line.min(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> Meanings {
        Meanings::load(&Folder::ShippedMappings).unwrap()
    }

    #[test]
    fn every_list_ships_and_has_words() {
        let meanings = shipped();
        assert_eq!(meanings.tables.len(), FILES.len());
        FILES.iter().enumerate().for_each(|(n, (list, _))| assert_eq!(*list as usize, n));
        assert_eq!(meanings.of(List::Adjustment, "45"), Some("charge above fee schedule/contract"));
        assert_eq!(meanings.column(List::Adjustment, "45", "kind"), Some("contractual"));
        assert_eq!(meanings.decision(List::ClaimStatus, "22"), Some(Decision::Reversed));
        assert_eq!(meanings.decision(List::StatusCategory, "A7"), Some(Decision::Rejected));
    }

    #[test]
    fn decisions_are_words_of_decision() {
        let meanings = shipped();
        for list in [List::StatusCategory, List::ClaimStatus, List::Acknowledgment, List::ReviewAction] {
            for code in meanings.tables[list as usize].codes.words() {
                let word = meanings.column(list, code, "decision").unwrap();
                assert_eq!(Decision::of(word).word(), word, "{list:?} {code}");
            }
        }
    }

    #[test]
    fn a_status_is_told_in_words_and_codes() {
        let meanings = shipped();
        assert_eq!(
            meanings.status("A7", Some("164"), Some("IL")),
            "Rejected for invalid information; contract/member number; insured or subscriber (A7:164:IL)"
        );
        assert_eq!(meanings.status("ZZ", Some("99999"), None), "ZZ:99999");
    }

    #[test]
    fn an_edited_list_tells_all_its_mistakes() {
        let mut issues = Vec::new();
        Table::read("# about\ncode\tmeaning\n1\tone\n1\ttwice\nlonely\n2\ttwo\tmore\n", "codes/x.tsv", &mut issues);
        let places: Vec<String> = issues.iter().map(|issue| issue.at.to_string()).collect();
        assert_eq!(places, ["codes/x.tsv:4:1", "codes/x.tsv:5:1", "codes/x.tsv:6:1"]);
    }
}
