//! FHIR ClaimResponse (R4, and the Da Vinci PAS shape) of a payer that speaks FHIR: one statement for each, alone or in a
//! Bundle. Amounts are read by the categories that HL7 and CARIN Blue Button give them, decisions by reviewAction.

use super::meaning::{List, Meanings};
use crate::billing::payer::Adjustment;
use crate::billing::response::*;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::Value;

const CARC: &str = "https://x12.org/codes/claim-adjustment-reason-codes";
const RARC: &str = "https://x12.org/codes/remittance-advice-remark-codes";
const REVIEW_ACTION: &str = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/extension-reviewAction";
const REVIEW_CODE: &str = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/extension-reviewActionCode";
const FOLLOW_UP: &str = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/extension-errorFollowupAction";
const CAS_GROUP: &str = "https://claimgate.dev/fhir/StructureDefinition/x12-cas-group";

/// Every ClaimResponse of a resource: itself, or those of a Bundle.
pub fn read(meanings: &Meanings, resource: &Value) -> Vec<PayerResponse> {
    let entries = list(&resource["entry"]).iter().map(|entry| &entry["resource"]);
    let all = std::iter::once(resource).chain(entries);
    all.filter(|each| each["resourceType"] == "ClaimResponse").map(|each| statement(meanings, each)).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn number(value: &Value) -> Option<Decimal> {
    value.is_number().then(|| value.to_string().parse().ok()).flatten()
}

fn day(value: &Value) -> Option<Date> {
    value.as_str()?.get(..10)?.parse().ok()
}

/// The first code of a system; of any system when it is empty.
fn code(concept: &Value, system: &str) -> Option<String> {
    let codings = list(&concept["coding"]).iter();
    let mut of_system = codings.filter(|coding| system.is_empty() || coding["system"] == system);
    of_system.find_map(|coding| text(&coding["code"]))
}

fn extension<'v>(of: &'v Value, url: &str) -> &'v Value {
    list(&of["extension"]).iter().find(|each| each["url"] == url).unwrap_or(&Value::Null)
}

fn statement(meanings: &Meanings, resource: &Value) -> PayerResponse {
    let review = review(resource);
    let adjudication = adjudication(meanings, resource);
    let complaints: Vec<Complaint> = list(&resource["error"]).iter().map(complaint).collect();
    let decision = decide(meanings, resource, review.as_ref(), adjudication.as_ref());
    let payment = &resource["payment"];
    PayerResponse {
        transaction: "FHIR".into(),
        decision: decision.word().into(),
        stated: day(&resource["created"]),
        keys: keys(resource),
        complaints,
        review,
        payment: payment.is_object().then(|| Payment {
            trace_number: text(&payment["identifier"]["value"]).unwrap_or_default(),
            date: day(&payment["date"]),
            currency: text(&payment["amount"]["currency"]),
            ..Payment::default()
        }),
        payer_name: text(&resource["insurer"]["display"]),
        payer_identifier: text(&resource["insurer"]["identifier"]["value"]),
        payer_claim_control_number: adjudication.is_some().then(|| own_number(resource)).flatten(),
        disposition: text(&resource["disposition"]),
        adjudication,
        ..PayerResponse::default()
    }
}

/// The payer's own number: of type uc (CARIN), else the first.
fn own_number(resource: &Value) -> Option<String> {
    let all = list(&resource["identifier"]);
    let unique = all.iter().find(|each| code(&each["type"], "").as_deref() == Some("uc")).or(all.first());
    unique.and_then(|identifier| text(&identifier["value"]))
}

/// What the answer was decided to be; `outcome` where nothing else says so.
fn decide(
    meanings: &Meanings,
    resource: &Value,
    review: Option<&Review>,
    adjudication: Option<&Adjudication>,
) -> Decision {
    let actions = review.into_iter().flat_map(|review| review.event.iter().chain(&review.services));
    let decisions: Vec<Decision> =
        actions.filter_map(|service| meanings.decision(List::ReviewAction, service.action.as_deref()?)).collect();
    let cancelled = resource["status"] == "cancelled";
    match resource["outcome"].as_str() {
        _ if cancelled => Decision::Reversed,
        Some("error") => Decision::Rejected,
        _ if decisions.contains(&Decision::Pended) => Decision::Pended,
        _ if !decisions.is_empty() && decisions.iter().all(|each| *each == Decision::Denied) => Decision::Denied,
        Some("queued") => Decision::Accepted,
        Some("partial") => Decision::Pended,
        Some("complete") if adjudication.is_some_and(refused) => Decision::Denied,
        Some("complete") => Decision::Adjudicated,
        _ => Decision::Informational,
    }
}

/// Nothing is paid and nothing is the patient's share.
fn refused(claim: &Adjudication) -> bool {
    let patients = claim.patient_responsibility.unwrap_or_default();
    claim.paid.is_zero() && patients.is_zero() && !claim.charge.is_zero()
}

fn keys(resource: &Value) -> CorrelationKeys {
    let request = &resource["request"];
    let patient = &resource["patient"];
    CorrelationKeys {
        patient_control_number: text(&request["identifier"]["value"]),
        inquiry_number: list(&resource["identifier"]).iter().find_map(|each| text(&each["value"])),
        member_id: text(&patient["identifier"]["value"]),
        charge: total(resource, "submitted"),
        ..CorrelationKeys::default()
    }
}

/// The amount of a category among the totals.
fn total(resource: &Value, category: &str) -> Option<Decimal> {
    amount_of(&resource["total"], category)
}

fn amount_of(entries: &Value, category: &str) -> Option<Decimal> {
    let mut of_category = list(entries).iter().filter(|each| code(&each["category"], "").as_deref() == Some(category));
    of_category.find_map(|each| number(&each["amount"]["value"]))
}

/// The money; `None` where the answer has none.
fn adjudication(meanings: &Meanings, resource: &Value) -> Option<Adjudication> {
    let lines: Vec<AdjudicatedLine> = list(&resource["item"]).iter().filter_map(line).collect();
    let paid = total(resource, "benefit").or_else(|| number(&resource["payment"]["amount"]["value"]));
    if lines.is_empty() && paid.is_none() {
        return None;
    }
    let sum = |of: fn(&AdjudicatedLine) -> Decimal| lines.iter().map(of).sum::<Decimal>();
    Some(Adjudication {
        charge: total(resource, "submitted").unwrap_or_else(|| sum(|line| line.charge)),
        paid: paid.unwrap_or_else(|| sum(|line| line.paid)),
        patient_responsibility: total(resource, "memberliability"),
        adjustments: adjustments(&resource["adjudication"]),
        remarks: list(&resource["processNote"]).iter().filter_map(|note| remark(meanings, note)).collect(),
        balanced: true,
        lines,
        ..Adjudication::default()
    })
}

/// An item with money; one with a decision alone is a reviewed service.
fn line(item: &Value) -> Option<AdjudicatedLine> {
    let entries = &item["adjudication"];
    let charge = amount_of(entries, "submitted");
    let paid = amount_of(entries, "benefit").or_else(|| amount_of(entries, "paidtoprovider"));
    let adjustments = adjustments(entries);
    if paid.is_none() && adjustments.is_empty() {
        return None;
    }
    Some(AdjudicatedLine {
        item_sequence: item["itemSequence"].as_u64().and_then(|n| u32::try_from(n).ok()),
        charge: charge.unwrap_or_default(),
        paid: paid.unwrap_or_default(),
        units_paid: Decimal::ONE,
        allowed: amount_of(entries, "eligible"),
        adjustments,
        balanced: true,
        ..AdjudicatedLine::default()
    })
}

fn adjustments(entries: &Value) -> Vec<Adjustment> {
    let adjustment = |entry: &Value| {
        let group = text(&extension(entry, CAS_GROUP)["valueCode"])
            .or_else(|| code(&entry["category"], "https://x12.org/codes/claim-adjustment-group-codes"));
        Some(Adjustment {
            reason: code(&entry["reason"], CARC)?,
            group: group.unwrap_or_else(|| "OA".into()),
            amount: number(&entry["amount"]["value"]).unwrap_or_default(),
            quantity: number(&entry["value"]),
        })
    };
    list(entries).iter().filter_map(adjustment).collect()
}

/// A remark with its code, or words alone.
fn remark(meanings: &Meanings, note: &Value) -> Option<Remark> {
    let coded = list(&note["extension"]).iter().find(|each| each["valueCoding"]["system"] == RARC);
    let code = coded.and_then(|each| text(&each["valueCoding"]["code"]))?;
    let words = meanings.of(List::Remark, &code).map(str::to_owned).or_else(|| text(&note["text"]));
    Some(Remark { code, list: "HE".into(), text: words, alert: None })
}

fn complaint(error: &Value) -> Complaint {
    Complaint {
        code: code(&error["code"], "").unwrap_or_default(),
        list: "AAA03".into(),
        line: error["itemSequence"].as_u64().and_then(|n| u32::try_from(n).ok()),
        follow_up: code(&extension(error, FOLLOW_UP)["valueCodeableConcept"], ""),
        meaning: text(&error["code"]["text"]).unwrap_or_else(|| "rejected".into()),
        ..Complaint::default()
    }
}

/// The decisions of a preauthorization.
fn review(resource: &Value) -> Option<Review> {
    let services: Vec<ReviewedService> = list(&resource["item"]).iter().filter_map(service).collect();
    let authorization = text(&resource["preAuthRef"]);
    if services.is_empty() && (resource["use"] != "preauthorization") {
        return None;
    }
    let event = authorization.map(|number| ReviewedService { number: Some(number), ..ReviewedService::default() });
    Some(Review { number: own_number(resource), event, services, ..Review::default() })
}

fn service(item: &Value) -> Option<ReviewedService> {
    let action = list(&item["adjudication"]).iter().map(|entry| extension(entry, REVIEW_ACTION));
    let action = action.into_iter().find(|action| action.is_object())?;
    let reasons = list(&action["extension"]).iter().filter(|each| each["url"] == "reasonCode");
    Some(ReviewedService {
        item_sequence: item["itemSequence"].as_u64().and_then(|n| u32::try_from(n).ok()),
        action: code(&extension(action, REVIEW_CODE)["valueCodeableConcept"], ""),
        number: text(&extension(action, "number")["valueString"]),
        reasons: reasons.filter_map(|each| code(&each["valueCodeableConcept"], "")).collect(),
        ..ReviewedService::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::Folder;
    use serde_json::json;

    fn one(resource: &Value) -> PayerResponse {
        let meanings = Meanings::load(&Folder::ShippedMappings).unwrap();
        read(&meanings, resource).remove(0)
    }

    #[test]
    fn money_is_read_by_its_categories() {
        let amount = |category: &str, value: u32| json!({"category": {"coding": [{"code": category}]}, "amount": {"value": value}});
        let adjustment = json!({
            "category": {"coding": [{"code": "deductible"}]},
            "extension": [{"url": CAS_GROUP, "valueCode": "PR"}],
            "reason": {"coding": [{"system": CARC, "code": "1"}]},
            "amount": {"value": 20}
        });
        let response = one(&json!({
            "resourceType": "ClaimResponse", "outcome": "complete", "use": "claim", "created": "2025-03-25T06:05:00Z",
            "request": {"identifier": {"value": "ACC1"}},
            "identifier": [{"value": "ICN1"}],
            "item": [{"itemSequence": 2, "adjudication": [amount("submitted", 100), amount("benefit", 80), adjustment]}],
            "total": [amount("submitted", 100), amount("benefit", 80)],
            "payment": {"amount": {"value": 80}, "date": "2025-03-26", "identifier": {"value": "EFT1"}}
        }));
        assert_eq!(response.decision, "adjudicated");
        assert_eq!(response.payer_claim_control_number.as_deref(), Some("ICN1"));
        assert_eq!(response.keys.patient_control_number.as_deref(), Some("ACC1"));
        let claim = response.adjudication.unwrap();
        assert_eq!((claim.charge, claim.paid), (Decimal::from(100), Decimal::from(80)));
        let line = &claim.lines[0];
        assert_eq!((line.item_sequence, line.adjustments[0].reason.as_str()), (Some(2), "1"));
    }

    #[test]
    fn decisions_of_a_preauthorization_are_read() {
        let pended = json!({"url": REVIEW_ACTION, "extension": [
            {"url": REVIEW_CODE, "valueCodeableConcept": {"coding": [{"code": "A4"}]}},
            {"url": "number", "valueString": "AUTH1"},
            {"url": "reasonCode", "valueCodeableConcept": {"coding": [{"code": "0U"}]}}
        ]});
        let bundle = json!({"resourceType": "Bundle", "entry": [{"resource": {
            "resourceType": "ClaimResponse", "outcome": "complete", "use": "preauthorization",
            "item": [{"itemSequence": 1, "adjudication": [{"category": {"coding": [{"code": "submitted"}]}, "extension": [pended]}]}]
        }}]});
        let response = one(&bundle);
        assert_eq!(response.decision, "pended");
        let service = &response.review.unwrap().services[0];
        assert_eq!((service.number.as_deref(), service.reasons[0].as_str()), (Some("AUTH1"), "0U"));
        assert!(response.adjudication.is_none());
    }
}
