//! An Encounter becomes a claim: at once when everything is there, else held with a list of what is missing, until it comes.
//!
//! An Encounter in a Bundle, or asked for with `$bill`, is billed at once. One that is stored by itself is billed when it is
//! finished and nothing of it has come for a while: its charges come one by one.

use crate::billing::id::{PayerId, SubmissionId};
use crate::billing::journey::{EventKind, State};
use crate::fault::{Blame, Fault, Issue, Place, codes};
use crate::fhir::bundle::Resources;
use crate::fhir::outcome;
use crate::flow::correct::{self, Placed};
use crate::flow::derive::{self, Bill, Derived};
use crate::flow::hold::{self, Made, Resumed};
use crate::flow::naming::Named;
use crate::flow::receive::event;
use crate::flow::submit::{self, Answer, Arrived, Before};
use crate::flow::{duplicate, intake, lookup, next, prepare};
use crate::gateway::Gateway;
use crate::store::{Accepted, Held, NewSubmission, Query, RESULTS_MOST, ResourceVersion, Submission};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::time::Duration;

/// What an encounter is billed with, and by which parameter it names the encounter or the patient.
const BESIDE: &[(&str, &str, &str)] = &[
    ("ChargeItem", "context", "Encounter"),
    ("Procedure", "encounter", "Encounter"),
    ("Condition", "encounter", "Encounter"),
    ("Coverage", "beneficiary", "Patient"),
];

/// The journey of an Encounter that came in a Bundle or alone.
pub async fn take(gateway: &Gateway, arrived: Arrived, mut resources: Resources) -> Result<Answer, Fault> {
    let bill = Bill::default();
    complete(gateway, &arrived.tenant, &mut resources, &bill).await?;
    let settled = derive::settle(&gateway.translator, &resources)?;
    let encounter = derive::reference_of(settled.focal());
    let writes: Vec<Value> = settled.handed_in().cloned().collect();
    match claim(gateway, &arrived, &settled, &encounter, &bill).await {
        Ok(Claimed::Answered(answer)) => Ok(*answer),
        Ok(Claimed::Made(new)) => submit::accept(gateway, *new).await,
        Ok(Claimed::Missing(issues)) => {
            let key = correct::token(&settled.focal()["identifier"][0]);
            keep(gateway, &arrived, &settled, writes, &issues, key).await
        }
        Err(fault) if fault.blame == Blame::Caller && derive::is_billable(settled.focal()) => {
            let key = correct::token(&settled.focal()["identifier"][0]);
            keep(gateway, &arrived, &settled, writes, &fault.issues, key).await
        }
        Err(fault) => Err(fault),
    }
}

/// What became of the claim of an encounter.
enum Claimed {
    /// It was billed before, with the same content.
    Answered(Box<Answer>),
    Made(Box<NewSubmission>),
    Missing(Vec<Issue>),
}

/// The promise of the claim of a settled encounter.
async fn claim(
    gateway: &Gateway,
    arrived: &Arrived,
    settled: &Resources,
    encounter: &str,
    bill: &Bill,
) -> Result<Claimed, Fault> {
    let derived = derive::derive(&gateway.translator, settled, bill, gateway.clock.now())?;
    let tenant = &arrived.tenant;
    let placed = match submit::before(gateway, tenant, &derived.resources, &arrived.hash, None).await? {
        Before::Answered(answer) => return Ok(Claimed::Answered(answer)),
        Before::Same => Placed::default(),
        Before::Holder(holder) => correct::place(gateway, tenant, &derived.resources, None, holder).await?,
    };
    let (mut prepared, held) = match submit::judged(gateway, &derived.resources, &placed, &arrived.hash) {
        Ok(judged) => judged,
        Err(fault) if fault.blame == Blame::Caller => {
            return Ok(Claimed::Missing(derived.in_callers_words(fault.issues)));
        }
        Err(fault) => return Err(fault),
    };
    if let Some(issues) = submit::unique(gateway, tenant, &mut prepared, &placed, held).await? {
        return Ok(Claimed::Missing(derived.in_callers_words(issues)));
    }
    let new = submit::promised(gateway, arrived, &prepared, named(&derived), &placed, None)?;
    Ok(Claimed::Made(Box::new(NewSubmission { references: vec![encounter.to_owned()], ..new })))
}

/// The resources of a derived claim under the names that they have.
fn named(derived: &Derived) -> Named {
    let focal = derive::reference_of(derived.resources.focal());
    Named::settled(&focal, derived.resources.handed_in().cloned().collect())
}

/// Completes an encounter from the store: what it refers to, and what refers to it.
async fn complete(gateway: &Gateway, tenant: &str, resources: &mut Resources, bill: &Bill) -> Result<(), Fault> {
    intake::complete(gateway, tenant, resources).await?;
    let encounter = resources.focal()["id"].as_str().map(|id| format!("Encounter/{id}"));
    let patient = resources.resolve(resources.focal(), &resources.focal()["subject"]).map(derive::reference_of);
    for (kind, parameter, of) in BESIDE {
        let Some(reference) = (if *of == "Patient" { &patient } else { &encounter }) else { continue };
        let conditions = vec![((*parameter).to_owned(), vec![reference.clone()])];
        let query = Query { kind: (*kind).to_owned(), conditions, limit: RESULTS_MOST, ..Query::default() };
        let mut found = gateway.store.search(tenant, &query).await?;
        // The oldest first: charges in the order in which they came.
        found.reverse();
        for version in found.iter().filter(|version| !bill.billed.contains(&format!("{}/{}", version.kind, version.id)))
        {
            lend(resources, version);
        }
    }
    intake::complete(gateway, tenant, resources).await
}

fn lend(resources: &mut Resources, version: &ResourceVersion) {
    let reference = format!("{}/{}", version.kind, version.id);
    let known = resources.stored().any(|(known, _)| known == reference)
        || resources.handed_in().any(|given| derive::reference_of(given) == reference);
    if !known && let Ok(value) = serde_json::from_str(&version.body) {
        resources.add_stored(&version.kind, &version.id, value);
    }
}

/// Holds an encounter with its list of what is missing; `key` is the number that it is recognised by when it comes again in a
/// Bundle. One that is stored is known by its id.
async fn keep(
    gateway: &Gateway,
    arrived: &Arrived,
    settled: &Resources,
    writes: Vec<Value>,
    issues: &[Issue],
    key: Option<String>,
) -> Result<Answer, Fault> {
    let encounter = derive::reference_of(settled.focal());
    let now = gateway.clock.now();
    let named = Named::settled(&encounter, writes);
    let content = hold::content(&named);
    let rest = Duration::from_millis(gateway.translator.config.worker.encounter_rest_ms);
    let held = Held {
        content: content.to_string(),
        issues: hold::told(issues).to_string(),
        waits: waits(gateway, settled),
        patience: rest,
        due: Some(now + SignedDuration::try_from(rest).unwrap_or_default()),
    };
    let new = NewSubmission {
        id: SubmissionId::make(),
        tenant: arrived.tenant.clone(),
        focal: encounter.clone(),
        payer: PayerId(String::new()),
        guide: String::new(),
        mapping_version: gateway.translator.mappings.version().to_owned(),
        parts: Vec::new(),
        resources: named.resources.into_iter().map(submit::write).collect(),
        response: String::new(),
        idempotency: arrived.idempotency_key.clone().map(|key| (key, arrived.hash.clone())),
        business_key: key.map(|key| (key, arrived.hash.clone())),
        events: vec![
            event(EventKind::Received, None, now, &json!({ "encounter": encounter })),
            event(EventKind::Held, None, now, &hold::why(issues)),
        ],
        received: now,
        frequency: "1".into(),
        corrects: None,
        supersedes: Vec::new(),
        services: None,
        references: Vec::new(),
        held: Some(held),
    };
    let id = new.id.clone();
    match gateway.store.accept(new).await? {
        Accepted::New => Ok(told(gateway, id, encounter, issues, false)),
        Accepted::Same(id) => again(gateway, &id, issues).await,
        Accepted::KeyConflict(_) => Err(submit::key_conflict()),
        Accepted::BusinessConflict(_) => Err(correct::on_its_way()),
    }
}

async fn again(gateway: &Gateway, id: &SubmissionId, issues: &[Issue]) -> Result<Answer, Fault> {
    match gateway.store.submission(id).await? {
        Some(found) if found.response.is_empty() => Ok(told(gateway, id.clone(), found.focal, issues, true)),
        _ => submit::again(gateway, id).await,
    }
}

/// The list of what is missing, as the caller hears it.
fn told(gateway: &Gateway, submission: SubmissionId, encounter: String, issues: &[Issue], repeated: bool) -> Answer {
    let response = outcome::operation_outcome(issues, gateway.translator.config.limits.issues);
    Answer { submission, claim: encounter, response, repeated, stored: Vec::new() }
}

/// An encounter waits for each resource that it has or wants, and for everything about itself and its patient.
fn waits(gateway: &Gateway, settled: &Resources) -> Vec<String> {
    let mut keys: Vec<String> = settled.handed_in().map(derive::reference_of).collect();
    keys.extend(settled.stored().map(|(reference, _)| reference.to_owned()));
    for want in settled.unresolved(&gateway.translator.definitions) {
        keys.extend(want.reference.map(|(kind, id)| format!("{kind}/{id}")));
        keys.extend(want.identifier.map(|(system, value)| format!("{system}|{value}")));
    }
    keys.sort();
    keys.dedup();
    keys
}

/// An encounter was stored by itself: a finished one that has not been billed is held, to be billed in its time.
pub async fn noticed(gateway: &Gateway, tenant: &str, version: &ResourceVersion) -> Result<(), Fault> {
    let Ok(encounter) = serde_json::from_str::<Value>(&version.body) else { return Ok(()) };
    let reference = format!("Encounter/{}", version.id);
    if !derive::is_finished(&encounter) {
        return Ok(());
    }
    let Some(bill) = next_bill(gateway, tenant, &reference).await? else { return Ok(()) };
    let resources = stored(gateway, tenant, &reference, &bill).await?;
    let arrived = Arrived { tenant: tenant.to_owned(), hash: submit::content_hash(&encounter), idempotency_key: None };
    let missing = match derive::derive(&gateway.translator, &resources, &bill, gateway.clock.now()) {
        Ok(_) => Vec::new(),
        Err(fault) => fault.issues,
    };
    keep(gateway, &arrived, &resources, vec![encounter], &missing, None).await.map(drop)
}

/// Which bill of a stored encounter comes next; `None` when it is billed, or waits to be.
async fn next_bill(gateway: &Gateway, tenant: &str, reference: &str) -> Result<Option<Bill>, Fault> {
    let found = gateway.store.submission_of(tenant, reference).await?;
    if found.is_some_and(|found| found.state == State::Held && found.superseded.is_none()) {
        return Ok(None);
    }
    let claims = claims_of(gateway, tenant, reference).await?;
    let goes_on = claims.first().is_none_or(|newest| matches!(correct::own_frequency(newest), Some("2" | "3")));
    Ok(goes_on.then(|| Bill { billed: claims.iter().flat_map(charges_of).collect(), earlier: claims.len() }))
}

/// The claims that bill an encounter, the newest first; what was taken back counts no more.
async fn claims_of(gateway: &Gateway, tenant: &str, reference: &str) -> Result<Vec<Value>, Fault> {
    let conditions = vec![("encounter".to_owned(), vec![reference.to_owned()])];
    let query = Query { kind: "Claim".into(), conditions, limit: RESULTS_MOST, ..Query::default() };
    let found = gateway.store.search(tenant, &query).await?;
    let claims = found.iter().filter_map(|version| serde_json::from_str::<Value>(&version.body).ok());
    // What goes to a later payer bills nothing anew.
    Ok(claims.filter(|claim| claim["status"] == "active" && !next::claim::is_for_a_later_payer(claim)).collect())
}

/// The ChargeItems that the lines of a derived claim bill.
fn charges_of(claim: &Value) -> Vec<String> {
    let items = claim["item"].as_array().map(Vec::as_slice).unwrap_or_default();
    let extensions = items.iter().flat_map(|item| item["extension"].as_array().into_iter().flatten());
    let charges = extensions.filter(|extension| extension["url"] == CHARGE_ITEM);
    charges.filter_map(|extension| extension["valueReference"]["reference"].as_str().map(str::to_owned)).collect()
}

const CHARGE_ITEM: &str = "https://claimgate.dev/fhir/StructureDefinition/charge-item";

/// An encounter as it stands in the store, with everything beside it.
async fn stored(gateway: &Gateway, tenant: &str, reference: &str, bill: &Bill) -> Result<Resources, Fault> {
    let mut resources = hold::reload(gateway, tenant, &json!({ "resources": [reference] })).await?;
    complete(gateway, tenant, &mut resources, bill).await?;
    Ok(resources)
}

/// A held encounter, made once more.
pub async fn made(gateway: &Gateway, submission: &Submission, content: &Value, by_hand: bool) -> Result<Made, Fault> {
    let tenant = &submission.tenant;
    let mut resources = hold::reload(gateway, tenant, content).await?;
    let claims = claims_of(gateway, tenant, &submission.focal).await?;
    let bill = Bill { billed: claims.iter().flat_map(charges_of).collect(), earlier: claims.len() };
    complete(gateway, tenant, &mut resources, &bill).await?;
    let derived = match derive::derive(&gateway.translator, &resources, &bill, gateway.clock.now()) {
        Ok(derived) => derived,
        Err(fault) if fault.blame == Blame::Caller => {
            return Ok(Made::Missing(fault.issues, waits(gateway, &resources)));
        }
        Err(fault) => return Err(fault),
    };
    let placed = correct::place_again(gateway, &submission.id, &derived.resources).await?;
    if let Some(early) = placed.early {
        return Ok(Made::Early(vec![hold::early()], early));
    }
    let known = submit::known(gateway, &placed, by_hand);
    match prepare::prepare(&gateway.translator, &derived.resources, None, &known) {
        Ok(prepared) => {
            let new = submit::promise(tenant, &prepared, named(&derived), &known, None)?;
            let queued = json!({"payer": prepared.profile.id, "guide": prepared.route.guide, "claim": new.focal});
            let kind = if by_hand { EventKind::Released } else { EventKind::Queued };
            let events = vec![event(kind, None, known.now, &queued)];
            let references = vec![submission.focal.clone()];
            let services = duplicate::services(&prepared, &placed);
            let new = NewSubmission {
                id: submission.id.clone(),
                events,
                references,
                services,
                ..submit::placed_as(new, &placed)
            };
            Ok(Made::On(Box::new(new)))
        }
        Err(fault) if fault.blame == Blame::Caller => {
            Ok(Made::Missing(derived.in_callers_words(fault.issues), waits(gateway, &resources)))
        }
        Err(fault) => Err(fault),
    }
}

/// `Encounter/{id}/$bill`: bills a stored encounter now, or says what is missing.
pub async fn ask(gateway: &Gateway, tenant: &str, id: &str) -> Result<Answer, Fault> {
    let reference = format!("Encounter/{id}");
    lookup::read(gateway, tenant, "Encounter", id).await?;
    let found = gateway.store.submission_of(tenant, &reference).await?;
    if let Some(held) = found.as_ref().filter(|found| found.state == State::Held && found.focal == reference) {
        return match hold::resume(gateway, &held.id, false).await? {
            Resumed::Held(issues) => Ok(told(gateway, held.id.clone(), reference, &issues, true)),
            Resumed::On | Resumed::Gone => submit::again(gateway, &held.id).await,
        };
    }
    let Some(bill) = next_bill(gateway, tenant, &reference).await? else {
        return match found {
            Some(found) => submit::again(gateway, &found.id).await,
            None => Err(billed_by_the_caller()),
        };
    };
    let resources = stored(gateway, tenant, &reference, &bill).await?;
    if !derive::is_billable(resources.focal()) {
        let text = "the encounter is neither finished nor in progress";
        let at = Place::FhirPath("Encounter.status".into());
        return Err(Fault::refuse(codes::ENCOUNTER_INCOMPLETE, at, text, "ask again when it is finished"));
    }
    let arrived =
        Arrived { tenant: tenant.to_owned(), hash: submit::content_hash(resources.focal()), idempotency_key: None };
    let encounter = resources.focal().clone();
    match claim(gateway, &arrived, &resources, &reference, &bill).await {
        Ok(Claimed::Answered(answer)) => Ok(*answer),
        Ok(Claimed::Made(new)) => submit::accept(gateway, *new).await,
        Ok(Claimed::Missing(issues)) => keep(gateway, &arrived, &resources, vec![encounter], &issues, None).await,
        Err(fault) if fault.blame == Blame::Caller => {
            keep(gateway, &arrived, &resources, vec![encounter], &fault.issues, None).await
        }
        Err(fault) => Err(fault),
    }
}

fn billed_by_the_caller() -> Fault {
    let text = "a claim that was sent names this encounter: it is billed";
    let at = Place::FhirPath("Encounter".into());
    Fault::refuse(codes::DUPLICATE_CLAIM, at, text, "to correct that claim, send its next version")
}

/// Held encounters that a claim of the caller's own bills now.
pub async fn waiting_encounters(
    gateway: &Gateway,
    tenant: &str,
    resources: &Resources,
) -> Result<Vec<SubmissionId>, Fault> {
    let mut waiting = Vec::new();
    let encounters = resources.stored().filter(|(reference, _)| reference.starts_with("Encounter/"));
    for (reference, _) in encounters {
        let found = gateway.store.submission_of(tenant, reference).await?;
        waiting
            .extend(found.filter(|found| found.state == State::Held && found.focal == reference).map(|found| found.id));
    }
    Ok(waiting)
}
