//! From FHIR to the segments of an 837D: teeth and their surfaces, prostheses, orthodontics, predeterminations.

use super::{EXTENSIONS, coded, holds, lacks, segments};
use crate::support::claim::of;
use serde_json::{Value, json};

const CDT: &str = "http://www.ada.org/cdt";
const TOOTH: &str = "http://terminology.hl7.org/CodeSystem/ADAUniversalToothDesignationSystem";
const SURFACE: &str = "http://terminology.hl7.org/CodeSystem/ADAToothSurfaceCodes";
const AREA: &str = "http://terminology.hl7.org/CodeSystem/ADAAreaOralCavitySystem";
const INFORMATION: &str = "http://terminology.hl7.org/CodeSystem/claiminformationcategory";

/// Makes the sample claim a dentist's: a filling and a cleaning of one day.
fn made(change: impl Fn(&mut Value)) -> Vec<String> {
    segments(|body| {
        let claim = of(body, "Claim");
        claim["type"] = coded("http://terminology.hl7.org/CodeSystem/claim-type", "oral");
        claim.as_object_mut().unwrap().remove("diagnosis");
        let items = claim["item"].as_array_mut().unwrap();
        items.iter_mut().for_each(|item| drop(item.as_object_mut().unwrap().remove("diagnosisSequence")));
        items[0]["productOrService"] = coded(CDT, "D2150");
        items[0]["bodySite"] = coded(TOOTH, "12");
        items[0]["subSite"] = json!([coded(SURFACE, "M"), coded(SURFACE, "O")]);
        items[1]["productOrService"] = coded(CDT, "D1110");
        change(claim);
    })
}

#[test]
fn one_day_is_told_of_the_claim() {
    let segments = made(|_| {});
    let claim_ends = segments.iter().position(|segment| segment == "LX*1").unwrap();
    let (claim, lines) = segments.split_at(claim_ends);
    holds(claim, &["CLM*C1*140***11:B:1*Y*A*Y*Y", "DTP*472*D8*20260303"]);
    holds(lines, &["SV3*AD:D2150*100****1", "TOO*JP*12*M:O", "SV3*AD:D1110*40****1"]);
    lacks(lines, &["DTP*472"]);
}

#[test]
fn days_that_differ_are_told_of_the_lines() {
    let segments = made(|claim| claim["item"][1]["servicedDate"] = json!("2026-03-05"));
    let claim_ends = segments.iter().position(|segment| segment == "LX*1").unwrap();
    let (claim, lines) = segments.split_at(claim_ends);
    lacks(claim, &["DTP*472"]);
    holds(lines, &["DTP*472*D8*20260303", "DTP*472*D8*20260305"]);
}

#[test]
fn teeth_of_other_designations_and_areas() {
    let segments = made(|claim| {
        let items = &mut claim["item"];
        items[0]["bodySite"] = coded("http://terminology.hl7.org/CodeSystem/ex-tooth", "24");
        items[0]["subSite"] = json!([
            coded("http://terminology.hl7.org/CodeSystem/FDI-surface", "MO"),
            coded("http://terminology.hl7.org/CodeSystem/FDI-surface", "V")
        ]);
        items[1]["productOrService"] = coded(CDT, "D4341");
        items[1]["bodySite"] = coded(AREA, "20");
    });
    holds(&segments, &["TOO*JP*12*M:O:F", "SV3*AD:D4341*40**20**1"]);
}

#[test]
fn several_teeth_with_surfaces_of_their_own() {
    let segments = made(|claim| {
        let tooth = |number: &str, surface: &str| {
            json!({"url": format!("{EXTENSIONS}too"), "extension": [
                {"url": "too02", "valueCode": number}, {"url": "too03", "valueCode": surface}, {"url": "too03", "valueCode": "D"}]})
        };
        let item = claim["item"][0].as_object_mut().unwrap();
        item.remove("bodySite");
        item.remove("subSite");
        item.insert("extension".into(), json!([tooth("3", "B"), tooth("AS", "L")]));
    });
    holds(&segments, &["TOO*JP*3*B:D", "TOO*JP*AS*L:D"]);
}

#[test]
fn prostheses_and_dates_of_treatment() {
    let segments = made(|claim| {
        let prosthesis = |n: u32| json!({"sequence": n, "category": coded(INFORMATION, "prosthesis")});
        let mut replaced = prosthesis(1);
        replaced["timingDate"] = json!("2015-01-20");
        claim["supportingInfo"] = json!([replaced, prosthesis(2)]);
        claim["item"][0]["informationSequence"] = json!([1]);
        claim["item"][1]["informationSequence"] = json!([2]);
        let date = |name: &str, day: &str| json!({"url": format!("{EXTENSIONS}dtp-{name}"), "valueDate": day});
        claim["item"][1]["extension"] =
            json!([date("196", "2026-03-01"), date("198", "2026-03-03"), date("446", "2026-03-02")]);
    });
    holds(
        &segments,
        &[
            "SV3*AD:D2150*100***R*1",
            "DTP*441*D8*20150120",
            "SV3*AD:D1110*40***I*1",
            "DTP*446*D8*20260302",
            "DTP*196*D8*20260301",
            "DTP*198*D8*20260303",
        ],
    );
}

#[test]
fn a_predetermination_of_orthodontics() {
    let segments = made(|claim| {
        claim["use"] = json!("predetermination");
        let items = claim["item"].as_array_mut().unwrap();
        items[0]["productOrService"] = coded(CDT, "D8080");
        items.iter_mut().for_each(|item| drop(item.as_object_mut().unwrap().remove("servicedDate")));
        let number = |name: &str, value: Value| json!({"url": format!("{EXTENSIONS}{name}"), "valueDecimal": value});
        claim["extension"] = json!([number("dn101", json!(24)), number("dn102", json!(23)),
            {"url": format!("{EXTENSIONS}dtp-452"), "valueDate": "2026-03-01"}, {"url": format!("{EXTENSIONS}ref-g3"), "valueString": "PRE-9"}]);
    });
    holds(
        &segments,
        &[
            "CLM*C1*140***11:B:1*Y*A*Y*Y**********PB",
            "DTP*452*D8*20260301",
            "DN1*24*23",
            "REF*G3*PRE-9",
            "SV3*AD:D8080*100****1",
        ],
    );
    lacks(&segments, &["DTP*472"]);
}

#[test]
fn diagnoses_may_be_of_snodent() {
    let segments = made(|claim| {
        claim["diagnosis"] =
            json!([{"sequence": 1, "diagnosisCodeableConcept": coded("http://www.ada.org/snodent", "109564008")}]);
        claim["item"][0]["diagnosisSequence"] = json!([1]);
    });
    holds(&segments, &["HI*TQ:109564008", "SV3*AD:D2150*100****1*****1"]);
}
