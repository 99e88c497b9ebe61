//! The rows of a promise: what is written in one transaction when a claim is taken in.

use super::{text_of, write};
use crate::billing::id::SubmissionId;
use crate::billing::journey::EventKind;
use crate::fault::{Fault, Issue, any_error, codes};
use crate::flow::prepare::{self, Known, Prepared};
use crate::flow::{hold, naming};
use crate::mapping::Scope;
use crate::store::{ClaimPart, NewEvent, NewSubmission, ResourceWrite};
use serde_json::{Value, json};

/// All rows of the promise, to be written in one transaction; with what holds it back, when something does.
pub fn promise(
    tenant: &str,
    prepared: &Prepared,
    named: naming::Named,
    known: &Known,
    held: Option<&[Issue]>,
) -> Result<NewSubmission, Fault> {
    let response = queued_response(prepared, &named, known, held)?;
    let part = |name: &str| response[name].as_str().unwrap_or_default();
    let reference = format!("{}/{}", part("resourceType"), part("id"));
    let focal = named.focal_reference.clone();
    let mut resources: Vec<ResourceWrite> = named.resources.into_iter().map(write).collect();
    resources.push(write(response));
    Ok(NewSubmission {
        id: SubmissionId::make(),
        tenant: tenant.to_owned(),
        payer: prepared.profile.payer_id(),
        guide: prepared.route.guide.clone(),
        mapping_version: prepared.translator.mappings.version().to_owned(),
        parts: prepared.parts.iter().enumerate().map(|(n, part)| claim_part(n, part)).collect(),
        resources,
        response: reference,
        idempotency: None,
        business_key: None,
        events: first_events(prepared, &focal, known),
        received: known.now,
        frequency: prepared.parts.first().map_or_else(|| "1".into(), |part| part.record.frequency_code.clone()),
        corrects: None,
        supersedes: Vec::new(),
        services: None,
        references: Vec::new(),
        held: None,
        focal,
    })
}

fn claim_part(n: usize, part: &prepare::PreparedPart) -> ClaimPart {
    ClaimPart {
        number: n as u32 + 1,
        patient_control_number: part.record.patient_control_number.clone(),
        trace_number: part.record.trace_number.clone().unwrap_or_default(),
        body: part.body.clone(),
        record: text_of(&part.value),
        member_and_charge: part.record.member_and_charge(),
    }
}

fn first_events(prepared: &Prepared, focal: &str, known: &Known) -> Vec<NewEvent> {
    let mut received = json!({"claim": focal, "parts": prepared.parts.len(), "warnings": prepared.warnings.len()});
    if prepared.warnings.iter().any(|issue| issue.code == codes::EDIT_DUPLICATE) {
        received["duplicate"] = Value::from(true);
    }
    if !prepared.repaired.is_empty() {
        received["repairs"] = repairs(&prepared.repaired);
    }
    let queued = json!({
        "payer": prepared.profile.id,
        "guide": prepared.route.guide,
        "mappings": prepared.translator.mappings.version(),
    });
    [(EventKind::Received, received), (EventKind::Queued, queued)]
        .map(|(kind, detail)| NewEvent { kind, part: None, at: known.now, detail: detail.to_string() })
        .into()
}

/// Repairs as the journey lists them: names and places, no values.
pub fn repairs(notes: &[Issue]) -> Value {
    let name = |note: &Issue| note.text.split(':').next().unwrap_or_default().to_owned();
    notes.iter().map(|note| json!({"repair": name(note), "at": note.at.to_string()})).collect()
}

/// What an answer to each kind of request is made by, before a payer has said anything.
const FIRST_ANSWERS: &[(&str, &str)] =
    &[("Claim", "response/queued"), ("CoverageEligibilityRequest", "response/queued-eligibility")];

/// Whether resources of a type are carried to a payer when they are created.
pub fn is_carried(kind: &str) -> bool {
    FIRST_ANSWERS.iter().any(|(known, _)| *known == kind)
}

/// The first answer: queued.
fn queued_response(
    prepared: &Prepared,
    named: &naming::Named,
    known: &Known,
    held: Option<&[Issue]>,
) -> Result<Value, Fault> {
    let missing = || Fault::ours(codes::INTERNAL, "no mapping for the first answer is loaded");
    let kind = named.focal()["resourceType"].as_str().unwrap_or_default();
    let row = FIRST_ANSWERS.iter().find(|(known, _)| *known == kind).ok_or_else(missing)?;
    let mapping = prepared.translator.mappings.response(row.1).ok_or_else(missing)?;
    let record = prepared.parts.first().map_or(&Value::Null, |part| &part.value);
    let mut claim = named.focal().clone();
    claim["id"] = Value::from(named.focal_reference.rsplit('/').next().unwrap_or_default());
    let submission = held.map_or(Value::Null, |issues| json!({"held": hold::disposition(issues)}));
    let scope = Scope {
        payer: prepared.translator.facts(&prepared.profile.id),
        now: &known.now.to_string(),
        vars: &[("claim", (&claim).into()), ("record", record.into()), ("submission", (&submission).into())],
        resources: None,
    };
    let (mut response, issues) = mapping.make(&claim, &scope);
    if any_error(&issues) {
        return Err(Fault { issues, ..Fault::ours(codes::INTERNAL, "") });
    }
    naming::set_id(&mut response, &uuid::Uuid::now_v7().to_string());
    Ok(response)
}

/// The promise with the ClaimResponse that there is already, in its next version.
pub fn keep_response(mut submission: NewSubmission, reference: &str) -> NewSubmission {
    let Some((_, id)) = reference.split_once('/') else { return submission };
    if let Some(last) = submission.resources.last_mut() {
        let mut response = serde_json::from_str(&last.body).unwrap_or(Value::Null);
        naming::set_id(&mut response, id);
        *last = write(response);
    }
    NewSubmission { response: reference.to_owned(), ..submission }
}
