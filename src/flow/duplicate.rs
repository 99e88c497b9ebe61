//! The same services, billed before under another number: seen by what is billed, whatever the claim is called.

use crate::billing::journey::State;
use crate::billing::line::ServiceLine;
use crate::billing::record::BillingRecord;
use crate::fault::{Fault, Issue, Place, Severity, codes};
use crate::flow::correct::Placed;
use crate::flow::prepare::Prepared;
use crate::gateway::{DUPLICATE_CLAIM, Gateway};
use crate::store::KeyKind;
use serde_json::json;
use sha2::{Digest, Sha256};

/// What is billed, as a hash: payer, provider, patient, and each line's day, code, modifiers, units and charge. `None` of a
/// correction, which bills the same on purpose.
pub fn services(prepared: &Prepared, placed: &Placed) -> Option<String> {
    if placed.is_correction() {
        return None;
    }
    let records = prepared.parts.iter().map(|part| &*part.record);
    let original =
        |record: &&BillingRecord| record.intent == "claim" && !matches!(record.frequency_code.as_str(), "7" | "8");
    let first = records.clone().next().filter(original)?;
    let mut lines: Vec<String> = records.flat_map(|record| &record.service_lines).map(line).collect();
    lines.sort();
    let whole = json!([prepared.profile.id, first.claim_type, first.intent, who(first), period(first), lines]);
    let digest = Sha256::digest(whole.to_string().as_bytes());
    Some(digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect())
}

fn who(record: &BillingRecord) -> serde_json::Value {
    let patient = &record.patient;
    json!([
        record.billing_provider.npi,
        record.subscriber.member_id,
        patient.last_name,
        patient.first_name,
        patient.birth_date.map(|date| date.to_string()),
    ])
}

/// Stays differ by their period; elsewhere the lines have their days.
fn period(record: &BillingRecord) -> String {
    let stay = record.statement_period.as_ref().filter(|_| record.institutional.is_some());
    format!("{:?}{}", stay.map(|period| (period.start, period.end)), record.frequency_code)
}

fn line(line: &ServiceLine) -> String {
    let code = line.revenue_code.as_deref().unwrap_or_default();
    let modifiers = line.modifiers().join(" ");
    let days = format!("{:?} {:?}", line.first_day(), line.last_day());
    let dental = format!("{:?}", line.dental);
    let (charge, quantity) = (line.charge.normalize(), line.quantity.normalize());
    format!("{code}|{}|{modifiers}|{days}|{charge}|{quantity}|{dental}", line.procedure())
}

/// Whether they were billed before, in a claim that is on its way or decided; as severe as the payer has it. Usually a
/// warning: payers deny the second claim.
pub async fn check(
    gateway: &Gateway,
    tenant: &str,
    prepared: &Prepared<'_>,
    placed: &Placed,
    services: Option<&str>,
) -> Result<Option<Issue>, Fault> {
    let usual = Severity::Warning;
    let severity = prepared.profile.edits.severity(codes::EDIT_DUPLICATE, DUPLICATE_CLAIM, usual);
    let (Some(services), Some(severity)) = (services, severity) else { return Ok(None) };
    let Some((id, _)) = gateway.store.known(tenant, KeyKind::Services, services).await? else { return Ok(None) };
    let Some(found) = gateway.store.submission(&id).await? else { return Ok(None) };
    let gone = found.superseded.is_some() || matches!(found.state, State::Rejected | State::Failed | State::Discarded);
    if gone || placed.supersedes.contains(&id) || placed.corrects.as_ref() == Some(&id) {
        return Ok(None);
    }
    let text = format!("the same services of this patient were billed before, in submission {id}");
    let hint =
        "if it is a correction, name the claim in Claim.related; if both are meant, tell them apart by a modifier";
    let at = Place::FhirPath("Claim.item".into());
    Ok(Some(Issue { severity, code: codes::EDIT_DUPLICATE, at, text, hint: Some(hint.to_owned()) }))
}
