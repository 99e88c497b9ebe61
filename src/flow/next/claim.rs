//! The claims that come next, as FHIR: made of the claim that a payer has answered. Pure.

use super::coverage::NextCoverage;
use crate::flow::lookup;
use jiff::civil::Date;
use serde_json::{Value, json};

/// Days of a payer's decision that its ClaimResponse has no element for: nothing was paid (DTP*573).
const DECIDED: &str = "https://claimgate.dev/fhir/StructureDefinition/x12-dtp-573";
const FREQUENCY: &str = "https://claimgate.dev/fhir/StructureDefinition/x12-clm05-3";
const RELATIONSHIP: &str = "http://terminology.hl7.org/CodeSystem/ex-relatedclaimrelationship";

/// What a payer has answered, as a claim of the future names it.
pub struct Answered<'a> {
    pub claim: &'a Value,
    /// `Claim/…` and `ClaimResponse/…`.
    pub reference: &'a str,
    pub response: &'a str,
    /// When the payer decided (835 BPR16).
    pub decided: Option<Date>,
    /// The payer's own number of the claim.
    pub number: Option<&'a str>,
}

/// The claim for the next payer: the same services, the other coverage in focus, the decided one with its answer.
pub fn secondary(answered: &Answered, next: &NextCoverage, today: Date) -> Value {
    let mut claim = begun(answered.claim, today);
    let mut insurance = next.insurance.clone();
    for (n, each) in insurance.iter_mut().enumerate() {
        each["focal"] = Value::from(n == next.next);
    }
    if let Some(decided) = insurance.get_mut(next.decided) {
        decided["claimResponse"] = json!({ "reference": answered.response });
        let others = decided["extension"].as_array().into_iter().flatten().filter(|each| each["url"] != DECIDED);
        let mut extensions: Vec<Value> = others.cloned().collect();
        extensions.extend(answered.decided.map(|day| json!({"url": DECIDED, "valueDate": day.to_string()})));
        if !extensions.is_empty() {
            decided["extension"] = extensions.into();
        }
    }
    claim["insurance"] = insurance.into();
    renumber(&mut claim, next.place);
    original(&mut claim);
    relate(&mut claim, answered, "associated");
    // The insurer of before is not who gets it: the focal coverage names its payor.
    claim.as_object_mut().map(|claim| claim.shift_remove("insurer"));
    claim
}

/// The claim as it was, to be mended: a replacement of what the payer has, or an original where it has none.
pub fn replacement(answered: &Answered, today: Date) -> Value {
    let mut claim = begun(answered.claim, today);
    relate(&mut claim, answered, "prior");
    if let Some(related) = list_of(&mut claim, "related").last()
        && let Some(number) = answered.number
    {
        related["reference"] = json!({ "value": number });
    }
    claim
}

/// The same as a new claim: the payer could not process it, and has none to replace. It has a number of its own.
pub fn anew(answered: &Answered, today: Date) -> Value {
    let mut claim = begun(answered.claim, today);
    for identifier in list_of(&mut claim, "identifier") {
        if let Some(value) = identifier["value"].as_str() {
            identifier["value"] = Value::from(format!("{value}-R"));
        }
    }
    original(&mut claim);
    relate(&mut claim, answered, "associated");
    claim
}

/// A copy that nobody has promised to send.
fn begun(claim: &Value, today: Date) -> Value {
    let mut claim = claim.clone();
    lookup::without_meta(&mut claim);
    claim["status"] = Value::from("draft");
    claim["created"] = Value::from(today.to_string());
    claim
}

/// The items of a list to be changed; one that is not there stays away.
fn list_of<'c>(claim: &'c mut Value, name: &str) -> impl Iterator<Item = &'c mut Value> {
    claim.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten()
}

/// Each payer's claim has a number of its own (CLM01), so that the answers of two payers are told apart: `A100`, `A100-2`.
fn renumber(claim: &mut Value, place: usize) {
    let before = (place > 2 && is_derived(claim)).then(|| format!("-{}", place - 1));
    for identifier in list_of(claim, "identifier") {
        let Some(value) = identifier["value"].as_str() else { continue };
        let bare = before.as_ref().and_then(|suffix| value.strip_suffix(suffix.as_str())).unwrap_or(value);
        identifier["value"] = Value::from(format!("{bare}-{place}"));
    }
}

fn is_derived(claim: &Value) -> bool {
    claim["related"].as_array().is_some_and(|related| related.iter().any(|each| is_related(each, "associated")))
}

/// Whether the claim is the one for a later payer of another claim of the gateway's making.
pub fn is_for_a_later_payer(claim: &Value) -> bool {
    let insurance = claim["insurance"].as_array().map(Vec::as_slice).unwrap_or_default();
    is_derived(claim) && insurance.iter().any(|each| each["focal"] == false && each["claimResponse"].is_object())
}

fn is_related(related: &Value, code: &str) -> bool {
    let codings = related["relationship"]["coding"].as_array().map(Vec::as_slice).unwrap_or_default();
    codings.iter().any(|coding| coding["code"] == code)
}

/// To the next payer it is the first: frequency 1, wherever the claim said another.
fn original(claim: &mut Value) {
    if let Some(extensions) = claim.get_mut("extension").and_then(Value::as_array_mut) {
        extensions.retain(|each| each["url"] != FREQUENCY);
        if extensions.is_empty() {
            claim.as_object_mut().map(|claim| claim.shift_remove("extension"));
        }
    }
    for information in list_of(claim, "supportingInfo") {
        let category = information["category"]["coding"].as_array().map(Vec::as_slice).unwrap_or_default();
        if !category.iter().any(|coding| coding["code"] == "typeofbill") {
            continue;
        }
        let code = information.get_mut("code").and_then(|code| code.get_mut("coding")).and_then(Value::as_array_mut);
        for coding in code.into_iter().flatten() {
            let bill = coding["code"].as_str().filter(|bill| bill.len() >= 3 && bill.ends_with(['7', '8']));
            if let Some(first) = bill.and_then(|bill| bill.get(..bill.len() - 1)) {
                coding["code"] = Value::from(format!("{first}1"));
            }
        }
    }
}

/// Names the claim that was answered; what it replaced itself is not told on.
fn relate(claim: &mut Value, answered: &Answered, relationship: &str) {
    let kept = claim["related"].as_array().into_iter().flatten();
    let replaces = |each: &Value| {
        let codings = each["relationship"]["coding"].as_array().map_or(0, Vec::len);
        codings == 0 || ["prior", "replaces", "replacement", "associated"].iter().any(|code| is_related(each, code))
    };
    let mut related: Vec<Value> = kept.filter(|each| !replaces(each)).cloned().collect();
    related.push(json!({
        "claim": {"reference": answered.reference},
        "relationship": {"coding": [{"system": RELATIONSHIP, "code": relationship}]},
    }));
    claim["related"] = related.into();
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn claim() -> Value {
        json!({
            "resourceType": "Claim", "id": "1", "meta": {"versionId": "1"}, "status": "active",
            "extension": [{"url": FREQUENCY, "valueCode": "7"}],
            "identifier": [{"system": "s", "value": "A100"}],
            "insurer": {"reference": "Organization/1"},
            "related": [{"relationship": {"coding": [{"code": "prior"}]}, "reference": {"value": "ICN0"}}],
            "supportingInfo": [{"category": {"coding": [{"code": "typeofbill"}]}, "code": {"coding": [{"code": "0137"}]}}],
            "insurance": [
                {"sequence": 1, "focal": true, "coverage": {"reference": "Coverage/1"}},
                {"sequence": 2, "focal": false, "coverage": {"reference": "Coverage/2"}},
            ],
        })
    }

    fn answered(claim: &Value) -> Answered<'_> {
        let decided = Some(date(2026, 3, 24));
        Answered { claim, reference: "Claim/1", response: "ClaimResponse/1", decided, number: Some("ICN1") }
    }

    fn next(claim: &Value, place: usize) -> NextCoverage {
        let insurance = claim["insurance"].as_array().unwrap().clone();
        NextCoverage { insurance, decided: 0, next: 1, place }
    }

    #[test]
    fn the_next_payer_gets_an_original_with_the_answer_of_the_one_before() {
        let claim = claim();
        let made = secondary(&answered(&claim), &next(&claim, 2), date(2026, 4, 1));
        assert_eq!(made["status"], "draft");
        assert_eq!(made["created"], "2026-04-01");
        assert_eq!(made["identifier"][0]["value"], "A100-2");
        assert_eq!(made["insurance"][0]["focal"], false);
        assert_eq!(made["insurance"][1]["focal"], true);
        assert_eq!(made["insurance"][0]["claimResponse"]["reference"], "ClaimResponse/1");
        assert_eq!(made["insurance"][0]["extension"][0]["valueDate"], "2026-03-24");
        assert_eq!(made["related"].as_array().unwrap().len(), 1);
        assert!(is_related(&made["related"][0], "associated"));
        assert!(is_for_a_later_payer(&made) && !is_for_a_later_payer(&claim));
        assert_eq!(made["supportingInfo"][0]["code"]["coding"][0]["code"], "0131");
        for gone in ["insurer", "extension", "meta"] {
            assert!(made.get(gone).is_none(), "{gone}");
        }
        let third = secondary(&answered(&made), &next(&made, 3), date(2026, 4, 1));
        assert_eq!(third["identifier"][0]["value"], "A100-3");
    }

    #[test]
    fn what_a_claim_does_not_say_stays_unsaid() {
        let bare = json!({"resourceType": "Claim", "id": "1", "status": "active",
            "insurance": [{"sequence": 1, "focal": true}, {"sequence": 2, "focal": false}]});
        let made = [
            secondary(&answered(&bare), &next(&bare, 2), date(2026, 4, 1)),
            replacement(&answered(&bare), date(2026, 4, 1)),
            anew(&answered(&bare), date(2026, 4, 1)),
        ];
        for claim in made {
            assert!(claim.as_object().unwrap().values().all(|value| !value.is_null()), "{claim:#}");
        }
    }

    #[test]
    fn what_is_to_be_mended_names_what_it_replaces() {
        let claim = claim();
        let made = replacement(&answered(&claim), date(2026, 4, 1));
        assert_eq!(made["identifier"], claim["identifier"]);
        assert_eq!(made["related"].as_array().unwrap().len(), 1);
        assert!(is_related(&made["related"][0], "prior"));
        assert_eq!(made["related"][0]["claim"]["reference"], "Claim/1");
        assert_eq!(made["related"][0]["reference"]["value"], "ICN1");
        let made = anew(&answered(&claim), date(2026, 4, 1));
        assert_eq!(made["identifier"][0]["value"], "A100-R");
        assert_eq!(made["supportingInfo"][0]["code"]["coding"][0]["code"], "0131");
        assert!(is_related(&made["related"][0], "associated") && !is_for_a_later_payer(&made));
    }
}
