//! The changes that a payer asks for, each where the caller can make it.

use crate::fault::Place;
use crate::fhir::bundle::Resources;
use crate::flow::prepare::{self, Known};
use crate::gateway::Translator;
use crate::mapping::Lineage;
use crate::responses::next_step::{Advice, Reason};
use serde_json::{Value, json};

/// The list of an answer's changes: which code asks for what, where in the caller's resources (FHIRPath, by the lineage of the
/// mapping where it has one) and where in what was sent. What names no place is left out where others do.
pub fn list(translator: &Translator, resources: &Resources, payer: &str, known: &Known, advice: &Advice) -> Vec<Value> {
    let made = prepare::record_of(translator, resources, payer, known).ok();
    let own = |reason: &Reason| {
        let (record, lineage) = made.as_ref()?;
        source(reason, record, lineage)
    };
    let mut changes: Vec<Change> = Vec::new();
    for reason in advice.changes() {
        let (what, told) = traced(&reason.row.what);
        let at = told.map(str::to_owned).or_else(|| own(reason)).or_else(|| reason.row.fhirpath.clone());
        let placed = at.is_some();
        let at = at.unwrap_or_else(|| reason.line.map_or("Claim".to_owned(), |line| at_line(resources.focal(), line)));
        let same = |change: &&mut Change| {
            change.reason.system == reason.system && change.reason.code == reason.code && change.at == at
        };
        match changes.iter_mut().find(same) {
            Some(change) => change.lines.extend(reason.line),
            None => changes.push(Change { reason, at, what, placed, lines: reason.line.into_iter().collect() }),
        }
    }
    let any = changes.iter().any(|change| change.placed);
    changes.iter().filter(|change| change.placed || !any).map(Change::told).collect()
}

/// One change, with all the lines that ask for it.
struct Change<'r> {
    reason: &'r Reason,
    at: String,
    what: &'r str,
    placed: bool,
    lines: Vec<u32>,
}

impl Change<'_> {
    fn told(&self) -> Value {
        let Reason { system, code, row, .. } = self.reason;
        let mut told = json!({"system": system, "code": code, "at": self.at, "what": self.what});
        if let Some(x12) = &row.x12 {
            told["x12"] = Value::from(x12.clone());
        }
        if !self.lines.is_empty() {
            told["lines"] = Value::from(self.lines.clone());
        }
        told
    }
}

/// Every reason with the step that it asks for.
pub fn because(advice: &Advice) -> Vec<Value> {
    let one = |reason: &Reason| {
        let mut told = json!({"system": reason.system, "code": reason.code, "step": reason.row.step.word(), "what": traced(&reason.row.what).0});
        for (name, value) in [("group", reason.group.clone().map(Value::from)), ("line", reason.line.map(Value::from))]
        {
            if let Some(value) = value {
                told[name] = value;
            }
        }
        told
    };
    advice.reasons.iter().map(one).collect()
}

/// A complaint of a 999 was traced to the caller's path when it came.
fn traced(what: &str) -> (&str, Option<&str>) {
    match what.rsplit_once(", from ") {
        Some((what, at)) => (what, Some(at)),
        None => (what, None),
    }
}

/// The caller's own path of the place that a reason speaks of.
fn source(reason: &Reason, record: &Value, lineage: &Lineage) -> Option<String> {
    let path = reason.row.record.as_deref()?;
    let path = match (path.strip_prefix("serviceLines[]"), reason.line) {
        (None, _) => path.to_owned(),
        (Some(rest), Some(line)) => {
            let lines = record["serviceLines"].as_array()?;
            let n = lines.iter().position(|each| each["sequence"] == line)?;
            format!("serviceLines[{n}]{rest}")
        }
        (Some(rest), None) if record["serviceLines"].as_array().is_some_and(|lines| lines.len() == 1) => {
            format!("serviceLines[0]{rest}")
        }
        (Some(_), None) => return None,
    };
    lineage.source_of_place(&Place::Record(path))
}

fn at_line(claim: &Value, sequence: u32) -> String {
    let items = claim["item"].as_array().map(Vec::as_slice).unwrap_or_default();
    let n = items.iter().position(|item| item["sequence"] == sequence);
    n.map_or_else(|| "Claim.item".to_owned(), |n| format!("Claim.item[{n}]"))
}
