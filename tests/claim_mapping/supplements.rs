//! What few claims say and some payers ask for: repricing, subrogation, other countries and currencies, numbers of payers.

use super::{EXTENSIONS, add, coded, holds, segments};
use crate::support::claim::of;
use serde_json::{Value, json};

fn text(name: &str, value: &str) -> Value {
    json!({"url": format!("{EXTENSIONS}{name}"), "valueString": value})
}

#[test]
fn what_a_repricer_made_of_it() {
    let segments = segments(|body| {
        let claim = of(body, "Claim");
        claim["extension"] = json!([
            text("hcp01", "03"),
            text("hcp02", "120"),
            text("hcp03", "20"),
            text("hcp04", "RP1"),
            text("ref-9a", "R-1")
        ]);
        claim["item"][0]["extension"] = json!([
            text("hcp01", "03"),
            text("hcp02", "85.50"),
            text("hcp10", "99212"),
            text("hcp11", "UN"),
            text("hcp12", "1"),
            text("ref-9b", "RL-1"),
            text("ref-9d", "RL-2")
        ]);
    });
    holds(
        &segments,
        &["REF*9A*R-1", "HCP*03*120*20*RP1", "HCP*03*85.5*******HC*99212*UN*1", "REF*9B*RL-1", "REF*9D*RL-2"],
    );
}

#[test]
fn a_plan_that_has_paid_wants_it_back() {
    let segments = segments(|body| {
        let plan = json!({"resourceType": "Organization", "id": "plan", "name": "State Medicaid",
            "identifier": [{"type": coded("http://hl7.org/fhir/us/carin-bb/CodeSystem/C4BBIdentifierType", "payerid"), "value": "SM77"},
                           {"type": coded("http://terminology.hl7.org/CodeSystem/v2-0203", "TAX"), "value": "12-3456789"}],
            "address": [{"line": ["1 State St"], "city": "Miami", "state": "FL", "postalCode": "33111"}]});
        add(body, plan);
        of(body, "Claim")["payee"] = json!({"type": coded("http://terminology.hl7.org/CodeSystem/payeetype", "other"), "party": {"reference": "Organization/plan"}});
    });
    holds(&segments, &["NM1*PE*2*STATE MEDICAID*****PI*SM77", "N3*1 STATE ST", "REF*EI*123456789"]);
}

#[test]
fn other_countries_and_currencies() {
    let segments = segments(|body| {
        let money = json!({"value": 140, "currency": "EUR"});
        let claim = of(body, "Claim");
        claim["total"] = money;
        claim["item"].as_array_mut().unwrap().iter_mut().for_each(|item| item["net"]["currency"] = json!("EUR"));
        of(body, "Patient")["address"] = json!([{"use": "home", "line": ["Hauptstr. 1"], "city": "Berlin", "state": "BE", "postalCode": "10115", "country": "DE"}]);
    });
    holds(&segments, &["CUR*85*EUR", "N4*BERLIN**10115*DE***BE"]);
}

#[test]
fn a_vision_claim_is_a_professional_one() {
    let segments = segments(|body| {
        let claim = of(body, "Claim");
        claim["type"] = coded("http://terminology.hl7.org/CodeSystem/claim-type", "vision");
        claim["extension"] = json!([{"url": format!("{EXTENSIONS}crc"), "extension": [
            {"url": "crc01", "valueCode": "E1"}, {"url": "crc02", "valueCode": "Y"}, {"url": "crc03", "valueCode": "L1"}]}]);
    });
    holds(&segments, &["CLM*C1*140***11:B:1*Y*A*Y*Y", "CRC*E1*Y*L1"]);
}

#[test]
fn numbers_by_which_payers_know_payers() {
    let segments = segments(|body| {
        let payer = body["entry"].as_array_mut().unwrap().iter_mut();
        let mut payers = payer.filter(|entry| entry["resource"]["name"] == "Northwind Health Plan");
        payers.next().unwrap()["resource"]["extension"] = json!([text("ref-2u", "PLAN9"), text("ref-fy", "OFFICE3")]);
    });
    holds(&segments, &["REF*2U*PLAN9", "REF*FY*OFFICE3"]);
}
