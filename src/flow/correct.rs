//! What a claim is to those sent before: looked up in the store, decided by [`correction::decide`].
//!
//! A caller says that a claim corrects another by `Claim.related` (relationship prior, replaces), by status cancelled, by an
//! update of the claim, or by sending other content under the same `Claim.identifier` after the payer has answered.

use crate::billing::correction::{self, Earlier, Intention, Refusal, Standing};
use crate::billing::id::SubmissionId;
use crate::billing::journey::State;
use crate::billing::record::BillingRecord;
use crate::fault::{Fault, Place, codes};
use crate::fhir::bundle::Resources;
use crate::gateway::Gateway;
use crate::store::{Key, KeyKind, Link};
use serde_json::Value;

/// A claim among those sent before.
#[derive(Debug, Default)]
pub struct Placed {
    /// CLM05-3 by the journey; `None` where the claim itself says it.
    pub frequency: Option<&'static str>,
    /// REF*F8 by the payer's newest answer.
    pub number: Option<String>,
    /// The submission whose answer must come first.
    pub early: Option<SubmissionId>,
    /// A submission of the same claim.
    pub corrects: Option<SubmissionId>,
    /// Those that can't be queued again now.
    pub supersedes: Vec<SubmissionId>,
}

impl Placed {
    /// Whether it is a replacement or void of a claim that the payer has.
    pub fn is_correction(&self) -> bool {
        matches!(self.frequency, Some("7" | "8"))
    }
}

/// Places a claim; `of` is the claim (`Claim/…`) that it is the next version of, `holder` the submission under the same
/// `Claim.identifier`. What only asks, a preauthorization or an inquiry, has no place.
pub async fn place(
    gateway: &Gateway,
    tenant: &str,
    resources: &Resources,
    of: Option<&str>,
    holder: Option<SubmissionId>,
) -> Result<Placed, Fault> {
    let claim = resources.focal();
    if claim["resourceType"] != "Claim" || claim["use"] != "claim" {
        return if claim["status"] == "entered-in-error" { Err(never_sent()) } else { Ok(Placed::default()) };
    }
    let Some(intention) = said(claim, of.is_some()) else { return Ok(Placed::default()) };
    let found = match earlier(gateway, tenant, resources, of).await? {
        Some(id) => Some(id),
        None if named(claim).is_some() => None,
        None => {
            if let Some(holder) = &holder {
                same_patient(gateway, resources, holder).await?;
            }
            holder
        }
    };
    match found {
        Some(id) => among(&gateway.store.chain(&id).await?, None, intention, resources),
        None if claim["status"] == "entered-in-error" => Err(never_sent()),
        None => Ok(Placed::default()),
    }
}

/// Places a held claim once more, now that something has come.
pub async fn place_again(gateway: &Gateway, own: &SubmissionId, resources: &Resources) -> Result<Placed, Fault> {
    let chain = gateway.store.chain(own).await?;
    let intention = match said(resources.focal(), true) {
        Some(intention) if chain.len() > 1 => intention,
        _ => return Ok(Placed::default()),
    };
    among(&chain, Some(own), intention, resources)
}

/// What the claim asks for; `None` when it names its frequency itself, as interim bills and late charges do.
fn said(claim: &Value, updates: bool) -> Option<Intention> {
    let status = claim["status"].as_str().unwrap_or_default();
    match own_frequency(claim) {
        _ if matches!(status, "cancelled" | "entered-in-error") => Some(Intention::Void),
        Some("8") => Some(Intention::Void),
        Some("7") => Some(Intention::Replace),
        Some("1") | None if updates || named(claim).is_some() => Some(Intention::Replace),
        Some("1") | None => Some(Intention::Again),
        Some(_) => None,
    }
}

/// CLM05-3 as the claim says it: the extension, or the last digit of the type of bill.
pub fn own_frequency(claim: &Value) -> Option<&str> {
    let extensions = claim["extension"].as_array().map(Vec::as_slice).unwrap_or_default();
    let given = extensions.iter().find(|each| each["url"] == FREQUENCY);
    let given = given.and_then(|each| each["valueCode"].as_str().or(each["valueString"].as_str()));
    let information = claim["supportingInfo"].as_array().map(Vec::as_slice).unwrap_or_default();
    let bill = information.iter().find_map(|each| {
        let coded = |concept: &Value, code: &str| codings(concept).iter().any(|coding| coding["code"] == code);
        let is_bill = coded(&each["category"], "typeofbill")
            || codings(&each["code"]).iter().any(|coding| coding["system"] == TYPE_OF_BILL);
        is_bill.then(|| codings(&each["code"]).first()?["code"].as_str()).flatten()
    });
    given.or_else(|| bill.filter(|bill| bill.is_ascii() && bill.len() >= 3).map(|bill| &bill[bill.len() - 1..]))
}

const FREQUENCY: &str = "https://claimgate.dev/fhir/StructureDefinition/x12-clm05-3";
const TYPE_OF_BILL: &str = "https://www.nubc.org/CodeSystem/TypeOfBill";

fn codings(concept: &Value) -> &[Value] {
    concept["coding"].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The `Claim.related` that names the claim to be replaced or voided.
fn named(claim: &Value) -> Option<&Value> {
    let related = claim["related"].as_array().map(Vec::as_slice).unwrap_or_default();
    related.iter().find(|each| {
        let codings = codings(&each["relationship"]);
        codings.is_empty() || codings.iter().any(|coding| coding["code"].as_str().is_some_and(replaces))
    })
}

/// As `mappings/codes/frequency.tsv` has them.
fn replaces(code: &str) -> bool {
    matches!(code, "prior" | "replaces" | "replacement")
}

/// The submission that the claim is the next version of, or that `Claim.related` names: by its reference, its identifier or
/// the payer's number.
async fn earlier(
    gateway: &Gateway,
    tenant: &str,
    resources: &Resources,
    of: Option<&str>,
) -> Result<Option<SubmissionId>, Fault> {
    let claim = resources.focal();
    if let Some(of) = of {
        return Ok(gateway.store.submission_of(tenant, of).await?.map(|found| found.id));
    }
    let Some(related) = named(claim) else { return Ok(None) };
    if let Some(reference) = related["claim"]["reference"].as_str() {
        let local = reference.rfind("Claim/").map_or(reference, |at| &reference[at..]);
        let local = local.split("/_history/").next().unwrap_or(local);
        if let Some(found) = gateway.store.submission_of(tenant, local).await? {
            return Ok(Some(found.id));
        }
    }
    let past = resources.resolve(claim, &related["claim"]).map(|past| &past["identifier"][0]);
    for identifier in [Some(&related["claim"]["identifier"]), past].into_iter().flatten() {
        let Some(key) = token(identifier) else { continue };
        if let Some((id, _)) = gateway.store.known(tenant, KeyKind::Business, &key).await? {
            return Ok(Some(id));
        }
    }
    let Some(number) = given_number(claim) else { return Ok(None) };
    let found = gateway.store.find(None, &Key::PayerClaimControlNumber(number.to_owned())).await?;
    Ok(found.into_iter().map(|found| found.submission).find(|found| found.tenant == tenant).map(|found| found.id))
}

/// Another patient's claim under the same number is no earlier version.
async fn same_patient(gateway: &Gateway, resources: &Resources, holder: &SubmissionId) -> Result<(), Fault> {
    let claim = resources.focal();
    let birth = resources.resolve(claim, &claim["patient"]).map(|patient| &patient["birthDate"]);
    let before = gateway.store.submission(holder).await?.and_then(|found| {
        let record: BillingRecord = serde_json::from_str(&found.parts.first()?.record).ok()?;
        record.patient.birth_date.map(|date| date.to_string())
    });
    match (birth.and_then(Value::as_str), before) {
        (Some(now), Some(before)) if now != before => Err(taken_number()),
        _ => Ok(()),
    }
}

/// `system|value`, as business keys are written.
pub fn token(identifier: &Value) -> Option<String> {
    let value = identifier["value"].as_str()?;
    Some(format!("{}|{value}", identifier["system"].as_str().unwrap_or("")))
}

/// REF*F8 as the caller knows it.
fn given_number(claim: &Value) -> Option<&str> {
    named(claim)?["reference"]["value"].as_str()
}

/// Places a claim in its chain, without the submission that it is itself.
fn among(
    chain: &[Link],
    own: Option<&SubmissionId>,
    intention: Intention,
    resources: &Resources,
) -> Result<Placed, Fault> {
    let chain: Vec<&Link> = chain.iter().filter(|link| Some(&link.submission.id) != own).collect();
    let earlier: Vec<Earlier> = chain.iter().map(|link| earlier_of(link)).collect();
    let placed = Placed {
        corrects: chain.first().map(|link| link.submission.id.clone()),
        supersedes: chain.iter().filter(|link| stands_still(link)).map(|link| link.submission.id.clone()).collect(),
        ..Placed::default()
    };
    match correction::decide(intention, &earlier, given_number(resources.focal())) {
        Standing::Original => Ok(Placed { frequency: Some("1"), ..placed }),
        Standing::Correction { frequency, number } => {
            Ok(Placed { frequency: Some(frequency), number: Some(number), ..placed })
        }
        Standing::Early { frequency, of } => {
            let early = chain.get(of).map(|link| link.submission.id.clone());
            Ok(Placed { frequency: Some(frequency), early, ..placed })
        }
        Standing::Refused(refusal) => Err(refused(refusal)),
    }
}

fn earlier_of(link: &Link) -> Earlier {
    Earlier {
        frequency: link.frequency.clone(),
        state: link.submission.state,
        superseded: link.submission.superseded.is_some(),
        number: link.payer_claim_control_number.clone(),
    }
}

/// Whether a submission could be queued again, which it must not when another takes its place.
fn stands_still(link: &Link) -> bool {
    let submission = &link.submission;
    submission.superseded.is_none() && matches!(submission.state, State::Held | State::Rejected | State::Failed)
}

fn refused(refusal: Refusal) -> Fault {
    let (at, text, hint) = match refusal {
        Refusal::NeverTaken => (
            "Claim.status",
            "the payer never took the claim that is to be voided: there is nothing to take back",
            "leave it as it is, or send the mended claim",
        ),
        Refusal::Voided => (
            "Claim.related",
            "the claim was voided: it can't be replaced or voided again",
            "send a new claim with an identifier of its own, without Claim.related",
        ),
        Refusal::NoNumber => (
            "Claim.related",
            "the payer has decided the claim without giving it a number, so it can't be told which one is meant",
            "ask the payer for its claim number, and give it in Claim.related.reference.value",
        ),
        Refusal::OnItsWay => return on_its_way(),
    };
    Fault::refuse(codes::REPLACEMENT_IMPOSSIBLE, Place::FhirPath(at.into()), text, hint)
}

/// The same number with other content while the payer has not answered: a mistake more often than a correction.
pub fn on_its_way() -> Fault {
    let text = "a claim with this Claim.identifier and other content is on its way to the payer";
    let hint = "to correct it, send a replacement: Claim.related with relationship prior or replaces";
    Fault::refuse(codes::DUPLICATE_CLAIM, Place::FhirPath("Claim.identifier[0]".into()), text, hint)
}

fn taken_number() -> Fault {
    let text = "this Claim.identifier belongs to a claim of another patient";
    let hint = "give each claim an identifier of its own";
    Fault::refuse(codes::DUPLICATE_CLAIM, Place::FhirPath("Claim.identifier[0]".into()), text, hint)
}

fn never_sent() -> Fault {
    let text = "a claim with status entered-in-error is not sent, and none was sent before that it could take back";
    let hint = "set status to active, or name the claim to be voided in Claim.related";
    Fault::refuse(codes::CLAIM_STATUS, Place::FhirPath("Claim.status".into()), text, hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn related(code: &str) -> Value {
        json!({"status": "active", "related": [{"relationship": {"coding": [{"code": code}]}}]})
    }

    #[test]
    fn what_a_claim_asks_for() {
        let bill = |code: &str| {
            json!({"status": "active", "supportingInfo": [{"category": {"coding": [{"code": "typeofbill"}]},
                   "code": {"coding": [{"code": code}]}}]})
        };
        let active = json!({"status": "active"});
        assert_eq!(said(&active, false), Some(Intention::Again));
        assert_eq!(said(&active, true), Some(Intention::Replace));
        assert_eq!(said(&related("prior"), false), Some(Intention::Replace));
        assert_eq!(said(&related("associated"), false), Some(Intention::Again));
        assert_eq!(said(&json!({"status": "cancelled"}), false), Some(Intention::Void));
        assert_eq!(said(&json!({"status": "entered-in-error"}), true), Some(Intention::Void));
        assert_eq!(said(&bill("0111"), false), Some(Intention::Again));
        assert_eq!(said(&bill("0117"), false), Some(Intention::Replace));
        assert_eq!(said(&bill("113"), false), None, "the next interim bill of a stay corrects nothing");
    }
}
