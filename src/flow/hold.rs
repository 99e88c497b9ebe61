//! What can't go yet is kept, said why, and goes on by itself when what it waits for has come; or it is released by hand.
//!
//! A held submission is made again from its resources as they stand in the store then: what was mended meanwhile counts.

use crate::billing::id::SubmissionId;
use crate::billing::journey::{EventKind, State};
use crate::fault::{Blame, Fault, Issue, Place, Severity, codes};
use crate::fhir::bundle::Resources;
use crate::flow::correct::{self, Placed};
use crate::flow::receive::event;
use crate::flow::{bill, duplicate, intake, lookup, naming, next, prepare, submit};
use crate::gateway::Gateway;
use crate::store::{Accepted, Held, NewEvent, NewSubmission, Submission, answer_to};
use crate::telemetry::Codes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::time::Duration;

/// The first try after a submission is held: what came while it was being written is not missed.
const FIRST_TRY: SignedDuration = SignedDuration::from_secs(1);
/// Held submissions tried in one round.
const ROUND: usize = 64;

/// What became of a held submission.
#[derive(Debug)]
pub enum Resumed {
    /// It is not held any more.
    Gone,
    /// It still is, for these reasons.
    Held(Vec<Issue>),
    /// It goes on.
    On,
}

/// What a claim is made of again: its resources, the claim first.
pub fn content(named: &naming::Named) -> Value {
    let mut references = named.references();
    references.retain(|reference| *reference != named.focal_reference);
    references.insert(0, named.focal_reference.clone());
    json!({ "resources": references })
}

/// Why a correction waits.
pub fn early() -> Issue {
    let text = "the payer has not yet given the earlier claim its number, so it can't be told which one is meant";
    let hint = "nothing is to be done: it goes on by itself when the payer has answered the earlier claim";
    Issue::error(codes::REPLACEMENT_EARLY, Place::FhirPath("Claim.related".into()), text).hint(hint)
}

/// What the caller is told in the ClaimResponse.
pub fn disposition(issues: &[Issue]) -> String {
    let first = issues.iter().find(|issue| issue.is_error()).or(issues.first());
    format!("Held: {}", first.map_or("it is looked at", |issue| issue.text.as_str()))
}

/// Turns a promise into one that is held: nothing of it can be sent.
pub fn back(
    submission: NewSubmission,
    content: Value,
    issues: &[Issue],
    early: Option<&SubmissionId>,
    now: Timestamp,
) -> NewSubmission {
    let waits = waits(&content, early);
    let mut events: Vec<NewEvent> =
        submission.events.iter().filter(|event| event.kind == EventKind::Received).cloned().collect();
    events.push(event(EventKind::Held, None, now, &why(issues)));
    let held = Held {
        content: content.to_string(),
        issues: told(issues).to_string(),
        waits,
        patience: Duration::ZERO,
        due: Some(now + FIRST_TRY),
    };
    NewSubmission { parts: Vec::new(), events, held: Some(held), ..submission }
}

/// The payer's answer alone brings on what waits for it; else any of its resources does.
fn waits(content: &Value, early: Option<&SubmissionId>) -> Vec<String> {
    match early {
        Some(early) => vec![answer_to(early)],
        None => references(content).map(str::to_owned).collect(),
    }
}

fn references(content: &Value) -> impl Iterator<Item = &str> {
    content["resources"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// The reasons as the journey tells them: codes only.
pub fn why(issues: &[Issue]) -> Value {
    let mut reasons: Vec<&str> = issues.iter().filter(|issue| issue.is_error()).map(|issue| issue.code).collect();
    reasons.sort_unstable();
    reasons.dedup();
    json!({ "reasons": reasons })
}

/// The reasons as the worklist tells them: where (FHIRPath), what, and how to mend it.
pub fn told(issues: &[Issue]) -> Value {
    let one = |issue: &Issue| {
        json!({
            "severity": issue.severity,
            "code": issue.code,
            "at": issue.at.to_string(),
            "text": issue.text,
            "hint": issue.hint,
        })
    };
    issues.iter().filter(|issue| issue.severity >= Severity::Warning).map(one).collect()
}

/// Tries everything that is due; answers how many went on.
pub async fn round(gateway: &Gateway) -> Result<usize, Fault> {
    let mut on = 0;
    for id in gateway.store.wakened(gateway.clock.now(), ROUND).await? {
        match resume(gateway, &id, false).await {
            Ok(Resumed::On) => on += 1,
            Ok(_) => {}
            Err(fault) => {
                tracing::warn!(submission = id.as_str(), codes = %Codes(&fault.issues), "a held submission could not be tried");
                return Err(fault);
            }
        }
    }
    Ok(on)
}

/// Tries a held submission once more; by hand, edits only warn.
pub async fn resume(gateway: &Gateway, id: &SubmissionId, by_hand: bool) -> Result<Resumed, Fault> {
    let held = |found: &Submission| found.state == State::Held && found.superseded.is_none();
    let Some(submission) = gateway.store.submission(id).await?.filter(held) else { return Ok(Resumed::Gone) };
    let Some(seen) = gateway.store.held(id).await? else { return Ok(Resumed::Gone) };
    let content: Value = serde_json::from_str(&seen.content).unwrap_or(Value::Null);
    let made = match submission.focal.starts_with("Encounter/") {
        true => bill::made(gateway, &submission, &content, by_hand).await,
        false => made(gateway, &submission, &content, by_hand).await,
    };
    // A draft waits for a person and for nothing else.
    let waits_for = |waits: Vec<String>| if next::is_draft(&content) { Vec::new() } else { waits };
    match made {
        Ok(Made::On(new)) => match gateway.store.resume(*new).await? {
            Accepted::New => Ok(Resumed::On),
            _ => Ok(Resumed::Gone),
        },
        Ok(Made::Early(issues, of)) => keep(gateway, id, seen, issues, waits_for(waits(&content, Some(&of)))).await,
        Ok(Made::Missing(issues, waits)) => keep(gateway, id, seen, issues, waits).await,
        Err(fault) if fault.blame == Blame::Caller => {
            keep(gateway, id, seen, fault.issues, waits_for(waits(&content, None))).await
        }
        Err(fault) => Err(fault),
    }
}

/// A held submission, made once more.
pub enum Made {
    On(Box<NewSubmission>),
    /// The payer's answer to this submission must come first.
    Early(Vec<Issue>, SubmissionId),
    /// These things are missing, and it waits for those.
    Missing(Vec<Issue>, Vec<String>),
}

async fn made(gateway: &Gateway, submission: &Submission, content: &Value, by_hand: bool) -> Result<Made, Fault> {
    let tenant = &submission.tenant;
    let mut resources = reload(gateway, tenant, content).await?;
    intake::resolve(gateway, tenant, &mut resources).await?;
    let placed = correct::place_again(gateway, &submission.id, &resources).await?;
    if let Some(early) = placed.early {
        return Ok(Made::Early(vec![self::early()], early));
    }
    on(gateway, submission, &resources, &placed, by_hand).map(|new| Made::On(Box::new(new)))
}

/// Everything of the submission anew, under its id.
fn on(
    gateway: &Gateway,
    submission: &Submission,
    resources: &Resources,
    placed: &Placed,
    by_hand: bool,
) -> Result<NewSubmission, Fault> {
    let known = submit::known(gateway, placed, by_hand);
    let prepared = prepare::prepare(&gateway.translator, resources, None, &known)?;
    let named = naming::Named::alone(&submission.focal, resources.focal().clone());
    let new = submit::promise(&submission.tenant, &prepared, named, &known, None)?;
    let new = submit::keep_response(new, &submission.response);
    let services = duplicate::services(&prepared, placed);
    let queued = json!({"payer": prepared.profile.id, "guide": prepared.route.guide});
    let kind = if by_hand { EventKind::Released } else { EventKind::Queued };
    let events = vec![event(kind, None, known.now, &queued)];
    Ok(NewSubmission { id: submission.id.clone(), events, services, ..submit::placed_as(new, placed) })
}

/// The submission's resources as they stand now.
pub async fn reload(gateway: &Gateway, tenant: &str, content: &Value) -> Result<Resources, Fault> {
    let mut entries = Vec::new();
    for reference in references(content) {
        if let Some(mut resource) = lookup::read_reference(gateway, tenant, reference).await? {
            lookup::without_meta(&mut resource);
            next::activate(content, &mut resource);
            entries.push(json!({"fullUrl": reference, "resource": resource}));
        }
    }
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": entries});
    Resources::collect(bundle, gateway.translator.config.limits.bundle_entries)
}

/// Says anew why it is held; the journey hears of it when the reasons are others.
pub async fn keep(
    gateway: &Gateway,
    id: &SubmissionId,
    seen: Held,
    issues: Vec<Issue>,
    waits: Vec<String>,
) -> Result<Resumed, Fault> {
    let text = told(&issues).to_string();
    let events = match text == seen.issues {
        true => Vec::new(),
        false => vec![event(EventKind::Held, None, gateway.clock.now(), &why(&issues))],
    };
    let held = Held { issues: text, waits, due: None, ..seen.clone() };
    gateway.store.hold(id, seen, held, events).await?;
    Ok(Resumed::Held(issues))
}

/// `$release`: a person has looked at it. What is held goes, whatever edits say; what was rejected or given up is sent again.
pub async fn release(gateway: &Gateway, tenant: &str, id: &SubmissionId) -> Result<(), Fault> {
    let missing = || {
        let text = format!("there is no billing record {id}");
        Fault::refuse(codes::NOT_FOUND, Place::Whole, text, "GET /billing-records lists them")
    };
    let found = gateway.store.submission(id).await?.filter(|found| found.tenant == tenant).ok_or_else(missing)?;
    if matches!(found.state, State::Rejected | State::Failed) {
        let released = event(EventKind::Released, None, gateway.clock.now(), &json!({"by": "hand"}));
        return gateway.store.append(id, vec![released], Vec::new()).await.map(drop);
    }
    let draft = next::draft::draft_of(gateway, &found).await?;
    match resume(gateway, id, true).await? {
        Resumed::On => {
            draft.iter().for_each(|draft| next::count(next::draft::kind_of(draft), "released"));
            Ok(())
        }
        Resumed::Held(issues) => Err(Fault::caller(issues)),
        Resumed::Gone => {
            let text = format!("the submission is {}, not held", found.state.word());
            let hint = "only what is held, rejected or given up is released; see its journey";
            Err(Fault::refuse(codes::NOT_HELD, Place::Whole, text, hint))
        }
    }
}
