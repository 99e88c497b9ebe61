//! What a change of mappings changes: one claim through two versions, element by element. Pure, as `claimgate map` is.

use crate::clock::Clock;
use crate::fault::{Fault, Issue};
use crate::flow::{prepare, translate};
use crate::gateway::Translator;
use crate::mapping::LineageRow;
use serde::Serialize;
use std::collections::BTreeMap;

/// One element that the two versions make differently.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// `2300/2400[1]/SV1/02`; `refused` when a version does not take the claim.
    pub target: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Made>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Made>,
}

/// A value and the rule (`file:line`) that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Made {
    pub value: String,
    pub rule: String,
}

/// The differences for one claim, in the order of the elements. The fault is that of a file that can't be read.
pub fn claim(before: &Translator, after: &Translator, payer: &str, bytes: &[u8]) -> Result<Vec<Change>, Fault> {
    let mut changes: BTreeMap<(usize, String), Change> = BTreeMap::new();
    let mut order: BTreeMap<(String, usize), usize> = BTreeMap::new();
    let made = [made(before, payer, bytes)?, made(after, payer, bytes)?];
    for (n, rows) in made.into_iter().enumerate() {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for (target, made) in rows {
            let nth = seen.entry(target.clone()).or_default();
            let next = order.len();
            let place = *order.entry((target.clone(), *nth)).or_insert(next);
            *nth += 1;
            let change = changes.entry((place, target.clone())).or_insert(Change { target, before: None, after: None });
            *(if n == 0 { &mut change.before } else { &mut change.after }) = Some(made);
        }
    }
    let value = |made: &Option<Made>| made.as_ref().map(|made| made.value.clone());
    Ok(changes.into_values().filter(|change| value(&change.before) != value(&change.after)).collect())
}

/// Every element that a version makes, or why it refuses the claim.
fn made(translator: &Translator, payer: &str, bytes: &[u8]) -> Result<Vec<(String, Made)>, Fault> {
    let resources = translate::read(translator, bytes)?;
    let known = translate::known(&resources, Clock::System.now());
    if let Err(fault) = prepare::prepare(translator, &resources, Some(payer), &known) {
        return Ok(fault.issues.iter().map(refusal).collect());
    }
    match prepare::explain(translator, &resources, Some(payer), &known) {
        Ok(rows) => Ok(rows.into_iter().map(row).collect()),
        Err(fault) => Ok(fault.issues.iter().map(refusal).collect()),
    }
}

fn row(row: LineageRow) -> (String, Made) {
    (row.target, Made { value: row.value, rule: row.rule })
}

fn refusal(issue: &Issue) -> (String, Made) {
    ("refused".to_owned(), Made { value: format!("{} {}", issue.code, issue.text), rule: issue.at.to_string() })
}
