//! The offline twin: a claim and a payer's answer in, what comes next out. Nothing is remembered: the only coverages are those
//! of the claim's own Bundle.

use super::claim::{self, Answered};
use super::{Kind, change, codes, coverage, wants_secondary};
use crate::billing::record::BillingRecord;
use crate::billing::response::{Decision, PayerResponse};
use crate::clock::Clock;
use crate::fault::{Fault, Place, codes as faults};
use crate::fhir::bundle::Resources;
use crate::flow::prepare::{self, Known};
use crate::flow::{derive, naming, tell, translate};
use crate::gateway::Translator;
use crate::responses::correlate::{self, Candidate, Match};
use crate::responses::next_step::{self, Advice, Step};
use crate::responses::{self};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

/// What comes next of a claim: the step, its reasons, the changes asked for, and, where a claim is to be made, a Bundle that
/// holds it with everything that it needs, ready to be mapped.
pub fn next(translator: &Translator, payer: &str, claim: &[u8], answer: &[u8]) -> Result<Value, Fault> {
    let resources = translate::read(translator, claim)?;
    let now = Clock::System.now();
    let known = Known { lenient: true, ..translate::known(&resources, now) };
    let prepared = prepare::prepare(translator, &resources, Some(payer), &known)?;
    let part = prepared.parts.first().ok_or_else(|| Fault::ours(faults::INTERNAL, "the claim makes no record"))?;
    let said = statement(translator, answer, &part.record)?;
    let advice = next_step::advise(&translator.next_steps, &said);
    let settled = derive::settle(translator, &resources)?;
    let response = answered(translator, payer, &settled, &part.value, &said, now)?;
    let (step, made) = made(&settled, &response, &said, &advice, TimeZone::UTC.to_datetime(now).date());
    let mut told = json!({
        "next": step,
        "decision": said.decision,
        "codes": codes(advice.reasons.iter().filter(|reason| reason.row.step == advice.step())),
        "because": change::because(&advice),
    });
    if let Some(crossover) = &advice.crossover {
        told["forwarded"] = json!({"to": crossover.name, "payerId": crossover.id, "toldBy": crossover.told_by});
    }
    if advice.changes().next().is_some() {
        told["changes"] = change::list(translator, &resources, payer, &known, &advice).into();
    }
    if let Some((kind, mut claim)) = made {
        naming::set_id(&mut claim, &uuid::Uuid::now_v7().to_string());
        claim["status"] = Value::from("active");
        told["kind"] = Value::from(kind.word());
        told["bundle"] = bundle(&settled, &claim, &response);
    }
    Ok(told)
}

/// The statement about the claim: found as the server finds it, or the only one that the answer holds.
fn statement(translator: &Translator, answer: &[u8], record: &BillingRecord) -> Result<PayerResponse, Fault> {
    let mut reading = responses::read(&translator.meanings, answer);
    let candidates = [Candidate { record: record.clone(), ..Candidate::default() }];
    let meant = |said: &PayerResponse| matches!(correlate::choose(said, &candidates), Match::These { .. });
    // The last word counts: a correction comes behind what it corrects.
    let found = reading.responses.iter().rposition(|said| said.keys.patient_control_number.is_some() && meant(said));
    let only = (reading.responses.len() == 1).then_some(0);
    let Some(at) = found.or(only) else {
        let text = format!("none of the {} statements of the answer is about this claim", reading.responses.len());
        let hint = "give the claim that the answer is about, and the payer's TA1, 999, 277CA, 277, 278 or 835";
        return Err(Fault::refuse(faults::NOT_FOUND, Place::Whole, text, hint));
    };
    let mut said = reading.responses.swap_remove(at);
    correlate::bind_lines(&mut said, record);
    Ok(said)
}

/// The ClaimResponse that tells the statement.
fn answered(
    translator: &Translator,
    payer: &str,
    settled: &Resources,
    record: &Value,
    said: &PayerResponse,
    now: Timestamp,
) -> Result<Value, Fault> {
    let claim = settled.focal();
    let submission = json!({"claim": derive::reference_of(claim), "payer": payer, "parts": 1});
    let vars = [("claim", claim.into()), ("record", record.into()), ("submission", (&submission).into())];
    let mut response = tell::make(translator, tell::mapping_of(said), payer, said.into(), &vars, now)?;
    naming::set_id(&mut response, &uuid::Uuid::now_v7().to_string());
    Ok(response)
}

/// The step, and the claim that it asks for.
fn made(
    settled: &Resources,
    response: &Value,
    said: &PayerResponse,
    advice: &Advice,
    today: jiff::civil::Date,
) -> (&'static str, Option<(Kind, Value)>) {
    let decision = Decision::of(&said.decision);
    let (reference, response) = (derive::reference_of(settled.focal()), derive::reference_of(response));
    let answered = Answered {
        claim: settled.focal(),
        reference: &reference,
        response: &response,
        decided: said.payment.as_ref().and_then(|payment| payment.date).or(said.stated),
        number: said.payer_claim_control_number.as_deref(),
    };
    let claims = prepare::intent(settled.focal()) == "claim" && decision != Decision::Reversed;
    let next = (claims && wants_secondary(decision, advice)).then(|| coverage::after(settled, &[])).flatten();
    if advice.crossover.is_some() {
        return ("forwarded", None);
    }
    match next {
        _ if claims && said.transaction != "TA1" && advice.changes().next().is_some() => {
            let claim = match advice.is_unprocessable() {
                true => claim::anew(&answered, today),
                false => claim::replacement(&answered, today),
            };
            (advice.step().word(), Some((Kind::Replacement, claim)))
        }
        Some(next) => (Step::BillNextPayer.word(), Some((Kind::Secondary, claim::secondary(&answered, &next, today)))),
        None if advice.step() == Step::BillNextPayer => (Step::BillPatient.word(), None),
        None => (advice.step().word(), None),
    }
}

/// Everything that the claim came with, the claim that comes next in its place, and the payer's answer.
fn bundle(settled: &Resources, claim: &Value, response: &Value) -> Value {
    let entry = |resource: &Value| json!({"fullUrl": derive::reference_of(resource), "resource": resource});
    let beside = settled.handed_in().filter(|resource| !std::ptr::eq(*resource, settled.focal()));
    let entries: Vec<Value> = std::iter::once(claim).chain(beside).chain([response]).map(entry).collect();
    json!({"resourceType": "Bundle", "type": "collection", "entry": entries})
}
