//! What a biller does next, prepared by what a payer has answered: the claim for the next payer after an 835, the claim to be
//! mended after a rejection or denial. Each is a draft: held until a person releases it (or sent by itself, where the payer's
//! profile says so), linked in both journeys, and written with the answer that asks for it.

use crate::billing::journey::{EventKind, State};
use crate::billing::response::{Decision, PayerResponse};
use crate::fault::{Blame, Fault};
use crate::fhir::bundle::Resources;
use crate::flow::receive::event;
use crate::flow::tell::Told;
use crate::flow::{intake, lookup, prepare};
use crate::gateway::Gateway;
use crate::payers::Secondary;
use crate::responses::next_step::{self, Advice, Reason, Step};
use crate::store::{KeyKind, Query, RESULTS_MOST};
use crate::telemetry::{Codes, name};
use claim::Answered;
use coverage::NextCoverage;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

pub mod change;
pub mod claim;
pub mod coverage;
pub mod draft;
pub mod offline;

pub use draft::{activate, discard, is_draft, of_held};

/// What a draft is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The claim for the payer that comes after the one that has decided.
    Secondary,
    /// The claim once more, with what to change.
    Replacement,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Kind::Secondary => "secondary",
            Kind::Replacement => "replacement",
        }
    }
}

/// Counts what became of a next step.
pub fn count(kind: &'static str, outcome: &'static str) {
    metrics::counter!(name::NEXT_STEPS, "kind" => kind, "outcome" => outcome).increment(1);
}

/// What comes next for a claim that was told something. An answer is never refused because of what it asks for: what can't
/// be prepared is left out.
pub async fn follow(gateway: &Gateway, told: &mut Told) -> Result<(), Fault> {
    let Some(said) = told.decided.take() else { return Ok(()) };
    if told.claim["resourceType"] != "Claim" {
        return Ok(());
    }
    match plan(gateway, told, &said).await {
        Err(fault) if fault.blame == Blame::Caller => {
            let submission = told.submission.id.as_str();
            tracing::warn!(submission, codes = %Codes(&fault.issues), "what comes next could not be prepared");
            Ok(())
        }
        done => done,
    }
}

async fn plan(gateway: &Gateway, told: &mut Told, said: &PayerResponse) -> Result<(), Fault> {
    let decision = Decision::of(&said.decision);
    if decision == Decision::Reversed {
        return overtake(gateway, told).await;
    }
    if said.adjudication.as_ref().is_some_and(|paid| paid.incomplete == Some(true)) {
        return Ok(());
    }
    let advice = next_step::advise(&gateway.translator.next_steps, said);
    if let Some(crossover) = &advice.crossover {
        count(Kind::Secondary.word(), "forwarded");
        let detail =
            json!({"next": "forwarded", "to": crossover.name, "payerId": crossover.id, "codes": [crossover.told_by]});
        told.note(event(EventKind::Noted, None, gateway.clock.now(), &detail));
    }
    // What is wrong with an envelope is no claim's fault.
    let claims = prepare::intent(&told.claim) == "claim" && said.transaction != "TA1";
    let next = match claims && wants_secondary(decision, &advice) {
        true => next_coverage(gateway, told).await?,
        false => None,
    };
    let drafted = match claims {
        true => drafts(gateway, told, said, &advice, next.as_ref()).await?,
        false => false,
    };
    if !drafted && advice.crossover.is_none() {
        say(gateway, told, &advice, next.is_some());
    }
    Ok(())
}

/// The drafts that an answer asks for; `true` when there is one.
async fn drafts(
    gateway: &Gateway,
    told: &mut Told,
    said: &PayerResponse,
    advice: &Advice,
    next: Option<&NextCoverage>,
) -> Result<bool, Fault> {
    let corrections =
        gateway.translator.payers.get(told.submission.payer.as_str()).is_none_or(|payer| payer.corrections);
    let mut drafted = false;
    if corrections && advice.changes().next().is_some() {
        drafted |= draft::replacement(gateway, told, said, advice).await?;
    }
    if let Some(next) = next {
        drafted |= draft::secondary(gateway, told, said, advice, next).await?;
    }
    Ok(drafted)
}

/// Money is left for somebody, or the payer says that it is another's; nobody has passed it on; and it is not denied for
/// what can be mended first.
fn wants_secondary(decision: Decision, advice: &Advice) -> bool {
    let left = advice.left.is_some_and(|left| left > rust_decimal::Decimal::ZERO);
    let others = advice.reasons.iter().any(|reason| reason.row.step == Step::BillNextPayer);
    let mended_first = decision == Decision::Denied && advice.changes().next().is_some();
    advice.left.is_some() && advice.crossover.is_none() && (left || others) && !mended_first
}

/// The coverage that comes next, of the claim's own and of the patient's others.
async fn next_coverage(gateway: &Gateway, told: &Told) -> Result<Option<NextCoverage>, Fault> {
    let known = patients_coverages(gateway, told).await?;
    let alone = told.claim["insurance"].as_array().is_none_or(|insurance| insurance.len() < 2);
    if alone && known.len() < 2 && known.iter().all(|(reference, _)| names(&told.claim, reference)) {
        return Ok(None);
    }
    let resources = resources(gateway, told).await?;
    Ok(coverage::after(&resources, &known))
}

fn names(claim: &Value, reference: &str) -> bool {
    claim["insurance"].as_array().is_some_and(|all| all.iter().any(|each| each["coverage"]["reference"] == reference))
}

/// What the patient is covered by, as it is stored.
async fn patients_coverages(gateway: &Gateway, told: &Told) -> Result<Vec<(String, Value)>, Fault> {
    let Some(patient) = told.claim["patient"]["reference"].as_str().filter(|patient| patient.starts_with("Patient/"))
    else {
        return Ok(Vec::new());
    };
    let conditions = vec![("beneficiary".to_owned(), vec![patient.to_owned()])];
    let query = Query { kind: "Coverage".into(), conditions, limit: RESULTS_MOST, ..Query::default() };
    let found = gateway.store.search(&told.submission.tenant, &query).await?;
    let read = |body: &str| serde_json::from_str::<Value>(body).ok();
    Ok(found.iter().filter_map(|each| Some((format!("Coverage/{}", each.id), read(&each.body)?))).collect())
}

/// The answered claim with everything that it refers to.
async fn resources(gateway: &Gateway, told: &Told) -> Result<Resources, Fault> {
    let mut claim = told.claim.clone();
    lookup::without_meta(&mut claim);
    let mut resources = Resources::collect(claim, gateway.translator.config.limits.bundle_entries)?;
    intake::complete(gateway, &told.submission.tenant, &mut resources).await?;
    Ok(resources)
}

/// What a claim of the future names of this one.
fn answered<'t>(told: &'t Told, said: &PayerResponse, response: &'t str) -> Answered<'t> {
    Answered {
        claim: &told.claim,
        reference: &told.submission.focal,
        response,
        decided: said.payment.as_ref().and_then(|payment| payment.date).or(said.stated),
        number: told.number(),
    }
}

/// Where no claim is to be made the journey says what is to be done.
fn say(gateway: &Gateway, told: &mut Told, advice: &Advice, next: bool) {
    let step = match advice.step() {
        Step::BillNextPayer if !next => Step::BillPatient,
        step => step,
    };
    if step != Step::NoAction {
        let reasons = advice.reasons.iter().filter(|reason| reason.row.step > Step::WriteOff || step == Step::WriteOff);
        let what: Vec<&str> = reasons.clone().map(|reason| reason.row.what.as_str()).collect();
        let detail = json!({"next": step.word(), "codes": codes(reasons), "what": what});
        told.note(event(EventKind::Noted, None, gateway.clock.now(), &detail));
    }
}

/// `CARC 16`, each once.
pub fn codes<'r>(reasons: impl Iterator<Item = &'r Reason>) -> Vec<String> {
    let mut codes: Vec<String> = Vec::new();
    for code in reasons.map(|reason| format!("{} {}", reason.system, reason.code)) {
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes
}

/// A payment was taken back: what was drafted by it is not to be sent.
async fn overtake(gateway: &Gateway, told: &mut Told) -> Result<(), Fault> {
    for kind in [Kind::Secondary, Kind::Replacement] {
        let key = draft::key(kind, &told.submission.id);
        let Some((id, _)) = gateway.store.known(&told.submission.tenant, KeyKind::Business, &key).await? else {
            continue;
        };
        let held = gateway.store.submission(&id).await?;
        if held.is_some_and(|draft| draft.state == State::Held && draft.superseded.is_none()) {
            let detail = json!({"reason": "the payer has taken back the decision that it was made by"});
            let event = event(EventKind::Discarded, None, gateway.clock.now(), &detail);
            told.overtaken.push((id, event));
            count(kind.word(), "overtaken");
        }
    }
    Ok(())
}

/// Today, as dates of claims count.
fn today(gateway: &Gateway) -> jiff::civil::Date {
    TimeZone::UTC.to_datetime(gateway.clock.now()).date()
}

/// Whether the claim that a payer gets after another goes out by itself.
fn sends(secondary: Secondary, advice: &Advice) -> bool {
    secondary == Secondary::Send && advice.changes().next().is_none()
}
