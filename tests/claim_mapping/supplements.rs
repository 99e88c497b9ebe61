//! What few claims say and some payers ask for: repricing, subrogation, other countries and currencies, numbers of payers.

use super::{CARE_TEAM, EXTENSIONS, add, coded, holds, lacks, segments};
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

#[test]
fn an_employer_is_the_subscriber_of_a_work_accident() {
    let segments = segments(|body| {
        add(body, json!({"resourceType": "Organization", "id": "employer", "name": "Acme Steel"}));
        let cover = of(body, "Coverage");
        let cover = cover.as_object_mut().unwrap();
        cover.retain(|name, _| !matches!(name.as_str(), "subscriber" | "subscriberId"));
        cover.insert("policyHolder".into(), json!({"reference": "Organization/employer"}));
        cover.insert("relationship".into(), coded("https://codesystem.x12.org/005010/1069", "20"));
        cover.insert("type".into(), coded("https://codesystem.x12.org/005010/1032", "WC"));
    });
    holds(&segments, &["NM1*IL*2*ACME STEEL", "PAT*20", "NM1*QC*1*RIVERA*ANA"]);
}

/// Who did some of the lines is told in these lines: in the others it was the billing provider.
#[test]
fn who_did_one_line_stands_in_this_line() {
    let rendering = |lines: &'static [usize]| {
        segments(move |body| {
            let claim = of(body, "Claim");
            claim["careTeam"][0]["role"] = coded(CARE_TEAM, "rendering");
            for line in lines {
                claim["item"][*line]["careTeamSequence"] = json!([1]);
            }
        })
    };
    let place = |segments: &[String], start: &str| segments.iter().position(|segment| segment.starts_with(start));
    let both = rendering(&[0, 1]);
    assert!(place(&both, "NM1*82") < place(&both, "LX*1"), "{both:#?}");
    let first = rendering(&[0]);
    assert!(place(&first, "NM1*82") < place(&first, "LX*1"), "nobody else did anything: {first:#?}");
    let second = rendering(&[1]);
    assert!(place(&second, "NM1*82") > place(&second, "LX*2"), "{second:#?}");
    lacks(&second[..place(&second, "LX*2").unwrap()], &["NM1*82"]);
}

/// Nobody stored the practitioner, and still the caller says all that a payer asks for.
#[test]
fn a_reference_that_names_someone_is_enough() {
    let segments = segments(|body| {
        of(body, "Claim")["careTeam"][0]["provider"] = json!({
            "identifier": {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1679576722"},
            "display": "Dr. Nell N Nurse, MD"
        });
    });
    holds(&segments, &["NM1*82*1*NURSE*NELL*N***XX*1679576722"]);
}
