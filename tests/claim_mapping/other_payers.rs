//! Coordination of benefits: what an earlier payer decided goes along with the claim (loops 2320, 2330, 2430).

use super::{CPT, add, coded, holds, prepare, segments};
use crate::support::claim::{bundle, of};
use claimgate::fault::codes;
use serde_json::{Value, json};

fn money(value: u32) -> Value {
    json!({"value": value, "currency": "USD"})
}

fn adjustment(group: &str, reason: &str, amount: u32) -> Value {
    json!({"category": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/adjudication", "code": "deductible"},
                                   {"system": "https://x12.org/codes/claim-adjustment-group-codes", "code": group}]},
           "reason": coded("https://x12.org/codes/claim-adjustment-reason-codes", reason), "amount": money(amount)})
}

/// A second coverage, of a payer that has decided on both lines: 60 + 20 paid, 40 + 20 adjusted.
pub fn decided(body: &mut Value) {
    add(
        body,
        json!({"resourceType": "Organization", "id": "first", "name": "First Insurance",
                     "identifier": [{"type": coded("http://hl7.org/fhir/us/carin-bb/CodeSystem/C4BBIdentifierType", "payerid"), "value": "FI1"}]}),
    );
    add(
        body,
        json!({"resourceType": "Coverage", "id": "cov1", "status": "active",
                     "type": coded("http://terminology.hl7.org/CodeSystem/v3-ActCode", "HMO"),
                     "subscriber": {"reference": "Patient/p1"}, "subscriberId": "F1", "beneficiary": {"reference": "Patient/p1"},
                     "relationship": {"coding": [{"code": "self"}]}, "payor": [{"reference": "Organization/first"}], "order": 1}),
    );
    let category = |code: &str| coded("http://terminology.hl7.org/CodeSystem/adjudication", code);
    let item = |sequence: u32, paid: u32, adjustments: Vec<Value>| {
        let mut adjudication = vec![json!({"category": category("benefit"), "amount": money(paid)})];
        adjudication.extend(adjustments);
        json!({"itemSequence": sequence, "adjudication": adjudication})
    };
    add(
        body,
        json!({"resourceType": "ClaimResponse", "id": "cr1", "status": "active", "use": "claim", "outcome": "complete",
                     "type": coded("http://terminology.hl7.org/CodeSystem/claim-type", "professional"),
                     "patient": {"reference": "Patient/p1"}, "created": "2026-03-20", "insurer": {"reference": "Organization/first"},
                     "identifier": [{"value": "ICN1"}],
                     "payment": {"type": coded("http://terminology.hl7.org/CodeSystem/ex-paymenttype", "complete"), "date": "2026-03-19", "amount": money(80)},
                     "processNote": [{"number": 1, "text": "RARC MA18 (alert): sent on to the next payer"}],
                     "item": [item(1, 60, vec![adjustment("CO", "45", 25), adjustment("PR", "1", 15)]),
                              item(2, 20, vec![adjustment("CO", "45", 20)])]}),
    );
    of(body, "Coverage")["order"] = json!(2);
    let other = json!({"sequence": 2, "focal": false, "coverage": {"reference": "Coverage/cov1"}, "claimResponse": {"reference": "ClaimResponse/cr1"}});
    of(body, "Claim")["insurance"].as_array_mut().unwrap().push(other);
}

#[test]
fn what_an_earlier_payer_decided_goes_along() {
    let segments = segments(decided);
    holds(
        &segments,
        &[
            "SBR*S*18*******CI",
            "SBR*P*18*******HM",
            "AMT*D*80",
            "OI***Y***Y",
            "MOA***MA18",
            "NM1*IL*1*RIVERA*ANA****MI*F1",
            "NM1*PR*2*FIRST INSURANCE*****PI*FI1",
            "REF*F8*ICN1",
            "SVD*FI1*60*HC:99213**1",
            "CAS*CO*45*25",
            "CAS*PR*1*15",
            "DTP*573*D8*20260319",
            "SVD*FI1*20*HC:87880**1",
            "CAS*CO*45*20",
        ],
    );
    // Decided by lines: the date stands there, and not with the payer.
    assert_eq!(segments.iter().filter(|segment| segment.starts_with("DTP*573")).count(), 2);
}

#[test]
fn a_decision_that_does_not_balance_is_refused() {
    let mut body = bundle("C1");
    decided(&mut body);
    of(&mut body, "ClaimResponse")["payment"]["amount"]["value"] = json!(81);
    let prepared = prepare(&body);
    assert!(prepared.issues.iter().any(|issue| issue.code == codes::EDIT_COB && issue.is_error()));
}

#[test]
fn a_line_that_the_other_payer_took_apart_has_each_of_its_decisions() {
    let segments = segments(|body| {
        decided(body);
        let benefit = |value: u32| json!([{"category": coded("http://terminology.hl7.org/CodeSystem/adjudication", "benefit"), "amount": {"value": value, "currency": "USD"}}]);
        let adjusted = |paid: u32, less: u32| {
            let mut all = benefit(paid);
            all.as_array_mut().unwrap().push(json!({
                "extension": [{"url": "https://claimgate.dev/fhir/StructureDefinition/x12-cas-group", "valueCode": "CO"}],
                "category": coded("http://terminology.hl7.org/CodeSystem/adjudication", "deductible"),
                "reason": coded("https://x12.org/codes/claim-adjustment-reason-codes", "45"), "amount": {"value": less, "currency": "USD"}}));
            all
        };
        let response = of(body, "ClaimResponse");
        response["item"] = json!([
            {"itemSequence": 1, "adjudication": adjusted(40, 25)},
            {"itemSequence": 2, "adjudication": adjusted(20, 20)}]);
        response["addItem"] = json!([{"itemSequence": [1], "productOrService": coded("http://www.ama-assn.org/go/cpt", "99212"),
            "modifier": [coded("http://www.ama-assn.org/go/cpt", "25")], "quantity": {"value": 2}, "adjudication": adjusted(20, 15)}]);
    });
    holds(
        &segments,
        &[
            "SVD*FI1*40*HC:99213**1",
            "CAS*CO*45*25",
            "SVD*FI1*20*HC:99212:25**2",
            "CAS*CO*45*15",
            "SVD*FI1*20*HC:87880**1",
        ],
    );
}

#[test]
fn numbers_of_other_payers_stand_with_the_line() {
    let segments = segments(|body| {
        let part = |name: &str, value: &str| json!({"url": name, "valueString": value});
        let other = |kind: &str, number: &str| {
            json!({"url": "https://claimgate.dev/fhir/StructureDefinition/x12-ref",
                "extension": [part("ref01", kind), part("ref02", number), part("ref04", "FI1")]})
        };
        of(body, "Claim")["item"][0]["extension"] = json!([other("G1", "AUTH9"), other("9F", "REFER9")]);
    });
    holds(&segments, &["REF*G1*AUTH9**2U:FI1", "REF*9F*REFER9**2U:FI1"]);
}

#[test]
fn the_telephone_of_an_organizations_contact_is_the_billing_contact() {
    let segments = segments(|body| {
        let entries = body["entry"].as_array_mut().unwrap();
        let billing = entries.iter_mut().find(|entry| entry["resource"]["id"] == "billing").unwrap();
        billing["resource"]["contact"] =
            json!([{"name": {"text": "Billing Office"}, "telecom": [{"system": "phone", "value": "305-555-0177"}]}]);
    });
    holds(&segments, &["PER*IC*BILLING OFFICE*TE*3055550177"]);
}

/// Two details with prices make two lines; what was decided on them as one is told once, with the claim.
#[test]
fn what_was_decided_on_an_item_is_not_repeated_on_its_details() {
    let details = |body: &mut Value| {
        decided(body);
        of(body, "Claim")["item"][0]["detail"] = json!([
            {"sequence": 1, "productOrService": coded(CPT, "99212"), "net": money(60)},
            {"sequence": 2, "productOrService": coded(CPT, "36415"), "net": money(40)},
        ]);
    };
    let whole = segments(details);
    assert_eq!(
        whole.iter().filter(|segment| segment.starts_with("SVD*")).collect::<Vec<_>>(),
        ["SVD*FI1*20*HC:87880**1"]
    );
    holds(&whole, &["CAS*CO*45*25", "CAS*PR*1*15", "AMT*D*80", "SVD*FI1*20*HC:87880**1", "CAS*CO*45*20"]);

    let each = segments(|body| {
        details(body);
        let item = &mut of(body, "ClaimResponse")["item"][0];
        let (paid, adjusted) = (json!([item["adjudication"][0]]), adjustment("CO", "45", 40));
        item["detail"] =
            json!([{"detailSequence": 1, "adjudication": paid}, {"detailSequence": 2, "adjudication": [adjusted]}]);
    });
    holds(&each, &["SVD*FI1*60*HC:99212**1", "SVD*FI1*0*HC:36415**1", "CAS*CO*45*40", "SVD*FI1*20*HC:87880**1"]);
    assert_eq!(each.iter().filter(|segment| segment.starts_with("SVD*")).count(), 3);
}
