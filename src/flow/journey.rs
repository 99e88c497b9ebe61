//! One claim's life, from the FHIR version that was received to the last payment: each step with its time, who took it, the
//! file, the control numbers and where in the file it stands, and the amounts. Nothing of a patient but ids.

use crate::billing::id::InterchangeId;
use crate::billing::journey::EventKind;
use crate::fault::Fault;
use crate::flow::lookup;
use crate::store::{Event, Interchange, Store, Submission};
use serde_json::{Value, json};
use std::fmt::Write;

/// The journey of what [`lookup::submission`] finds.
pub async fn of(store: &dyn Store, tenant: &str, of: &str) -> Result<Value, Fault> {
    let submission = lookup::submission(store, tenant, of).await?;
    let mut steps = Vec::new();
    for event in store.events(&submission.id).await? {
        steps.push(step(store, &submission, event).await?);
    }
    let mut journey = head(&submission, steps);
    let chain = store.chain(&submission.id).await?;
    if chain.len() > 1 {
        let others = chain.iter().map(|link| {
            let mut other = json!({
                "submission": link.submission.id.as_str(),
                "claim": link.submission.focal,
                "frequency": link.frequency,
                "state": link.submission.state.word(),
            });
            if let Some(by) = &link.submission.superseded {
                other["supersededBy"] = json!(by.as_str());
            }
            other
        });
        journey["corrections"] = others.collect();
    }
    Ok(journey)
}

async fn step(store: &dyn Store, submission: &Submission, event: Event) -> Result<Value, Fault> {
    let mut detail: Value = serde_json::from_str(&event.detail).unwrap_or(Value::Null);
    match event.kind {
        EventKind::Received => received(store, submission, &event, &mut detail).await?,
        EventKind::Sealed => sealed(store, submission, &mut detail).await?,
        _ => {}
    }
    let mut step = json!({
        "at": event.at.to_string(),
        "event": event.kind.word(),
        "by": by(event.kind, &detail),
        "detail": detail,
    });
    if let Some(part) = event.part {
        step["part"] = Value::from(part);
    }
    Ok(step)
}

/// Who took a step: the caller, the gateway, or the payer by its name.
fn by(kind: EventKind, detail: &Value) -> String {
    match (kind, detail["transaction"].as_str()) {
        (_, Some(_)) => detail["from"].as_str().unwrap_or("payer").to_owned(),
        (EventKind::Received, None) => "caller".to_owned(),
        _ => "gateway".to_owned(),
    }
}

/// The version of the claim's resource that was taken in.
async fn received(store: &dyn Store, submission: &Submission, event: &Event, detail: &mut Value) -> Result<(), Fault> {
    let Some((kind, id)) = submission.focal.split_once('/') else { return Ok(()) };
    let versions = store.history(&submission.tenant, kind, id).await?;
    let then = versions.iter().find(|version| version.updated <= event.at).or(versions.last());
    if let (Some(then), true) = (then, detail.is_object()) {
        detail["version"] = Value::from(then.version);
    }
    Ok(())
}

/// Where the claim stands in the interchange that it went out in.
async fn sealed(store: &dyn Store, submission: &Submission, detail: &mut Value) -> Result<(), Fault> {
    let id = InterchangeId(detail["interchange"].as_str().unwrap_or_default().to_owned());
    let Some(interchange) = store.interchange(&id).await? else { return Ok(()) };
    detail["file"] = Value::from(interchange.name.as_str());
    detail["claims"] = places(&interchange, submission);
    Ok(())
}

fn places(interchange: &Interchange, submission: &Submission) -> Value {
    let own = interchange.claims.iter().filter(|claim| claim.submission == submission.id);
    own.map(|claim| {
        json!({
            "part": claim.part,
            "set": claim.transaction_set,
            "batch": claim.batch_number,
            "segments": [claim.first_segment, claim.last_segment],
        })
    })
    .collect()
}

fn head(submission: &Submission, steps: Vec<Value>) -> Value {
    json!({
        "submission": submission.id.as_str(),
        "claim": submission.focal,
        "claimResponse": submission.response,
        "payer": submission.payer.as_str(),
        "guide": submission.guide,
        "mappings": submission.mapping_version,
        "state": submission.state.word(),
        "received": submission.received.to_string(),
        "parts": submission.parts.iter().map(part).collect::<Vec<_>>(),
        "steps": steps,
    })
}

fn part(part: &crate::store::ClaimPart) -> Value {
    let record: Value = serde_json::from_str(&part.record).unwrap_or(Value::Null);
    json!({
        "number": part.number,
        "patientControlNumber": part.patient_control_number,
        "traceNumber": part.trace_number,
        "charge": record["totalCharge"],
    })
}

/// The same for people: a line a step.
pub fn text(journey: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}  {}  to {}  {}  submission {}  mappings {}",
        word(&journey["claim"]),
        word(&journey["state"]),
        word(&journey["payer"]),
        word(&journey["guide"]),
        word(&journey["submission"]),
        word(&journey["mappings"]),
    );
    for part in journey["parts"].as_array().into_iter().flatten() {
        let (number, trace) = (word(&part["patientControlNumber"]), word(&part["traceNumber"]));
        let _ = writeln!(out, "  claim {number}  trace {trace}  charge {}", shown(&part["charge"]));
    }
    for step in journey["steps"].as_array().into_iter().flatten() {
        let line =
            format!("{:<32}{:<14}{:<24}{}", word(&step["at"]), word(&step["event"]), word(&step["by"]), told(step));
        let _ = writeln!(out, "{}", line.trim_end());
    }
    let others = journey["corrections"].as_array().into_iter().flatten();
    for other in others.filter(|other| other["submission"] != journey["submission"]) {
        let (claim, state) = (word(&other["claim"]), word(&other["state"]));
        let gone = if other["supersededBy"].is_string() { ", superseded" } else { "" };
        let _ = writeln!(out, "  of the same claim: {claim}  frequency {}  {state}{gone}", word(&other["frequency"]));
    }
    out
}

/// What is told of a step, in this order: words before, where it stands in its detail.
const TOLD: &[(&str, &str)] = &[
    ("", "/claim"),
    ("version", "/version"),
    ("", "/transaction"),
    ("overdue", "/overdue"),
    ("file", "/file"),
    ("ISA", "/interchangeControlNumber"),
    ("GS", "/groupControlNumber"),
    ("GS", "/group"),
    ("ST", "/set"),
    ("segments", "/segments"),
    ("next:", "/next"),
    ("", "/codes"),
    ("", "/reasons"),
    ("", "/what"),
    ("to", "/to"),
    ("charge", "/amounts/charge"),
    ("paid", "/amounts/paid"),
    ("patient", "/amounts/patientResponsibility"),
    ("TRN", "/traceNumber"),
    ("claim number", "/payerClaimControlNumber"),
    ("mappings", "/mappings"),
    ("reason", "/reason"),
    ("match:", "/match"),
];

fn told(step: &Value) -> String {
    let detail = &step["detail"];
    let mut words: Vec<String> = Vec::new();
    // Of an answer it is ISA13 of the payer's file; of what was sent our own id, which stands in the JSON.
    if detail["transaction"].is_string() && detail["interchange"].is_string() {
        words.push(format!("ISA {}", shown(&detail["interchange"])));
    }
    for (name, pointer) in TOLD {
        let value = detail.pointer(pointer).map(shown).unwrap_or_default();
        if !value.is_empty() {
            words.push(if name.is_empty() { value } else { format!("{name} {value}") });
        }
    }
    for claim in detail["claims"].as_array().into_iter().flatten() {
        words.push(format!("ST {} segments {}", shown(&claim["set"]), shown(&claim["segments"])));
    }
    words.join(", ")
}

/// A value in a line: texts and numbers as they are, a list with blanks between, a range of two with a dash.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Array(items) => {
            let separator = if items.iter().all(Value::is_number) { "-" } else { " " };
            items.iter().map(shown).collect::<Vec<_>>().join(separator)
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_told_on_a_line() {
        let step = json!({
            "at": "2026-03-01T10:00:00Z", "event": "adjudicated", "by": "NORTHWIND",
            "detail": {
                "transaction": "835", "file": "835.x12", "interchange": "000000007", "group": "7", "set": "0001",
                "segments": [12, 20], "codes": [], "match": "CLM01 is the same",
                "amounts": {"charge": "100", "paid": "60", "patientResponsibility": null}, "traceNumber": "CHK1",
            },
        });
        let journey = json!({"claim": "Claim/1", "state": "adjudicated", "steps": [step], "parts": []});
        let expected = "ISA 000000007, 835, file 835.x12, GS 7, ST 0001, segments 12-20, charge 100, paid 60, TRN CHK1, \
                        match: CLM01 is the same";
        assert!(text(&journey).contains(expected), "{}", text(&journey));
        let next = json!({
            "at": "2026-03-01T10:00:00Z", "event": "noted", "by": "gateway",
            "detail": {"next": "bill-patient", "codes": ["CARC 1"], "what": ["the deductible is the patient's: bill it"]},
        });
        let journey = json!({"claim": "Claim/1", "state": "adjudicated", "steps": [next], "parts": []});
        let expected = "next: bill-patient, CARC 1, the deductible is the patient's: bill it";
        assert!(text(&journey).contains(expected), "{}", text(&journey));
    }
}
