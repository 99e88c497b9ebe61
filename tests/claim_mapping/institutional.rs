//! From FHIR to the segments of an 837I: where the codes of the UB-04 stand, and what is told by what.

use super::{EXTENSIONS, add, coded, holds, lacks, prepare, segments};
use crate::support::claim::{bundle, of};
use claimgate::fault::codes;
use serde_json::{Value, json};

const CATEGORY: &str = "http://hl7.org/fhir/us/carin-bb/CodeSystem/C4BBSupportingInfoType";
const INFORMATION: &str = "http://terminology.hl7.org/CodeSystem/claiminformationcategory";
const KIND: &str = "http://hl7.org/fhir/us/carin-bb/CodeSystem/C4BBClaimDiagnosisType";
const ICD10: &str = "http://hl7.org/fhir/sid/icd-10-cm";

/// Makes the sample claim a hospital's, of outpatients.
fn hospital(body: &mut Value) {
    let claim = of(body, "Claim");
    claim["type"] = coded("http://terminology.hl7.org/CodeSystem/claim-type", "institutional");
    claim["billablePeriod"] = json!({"start": "2026-03-03", "end": "2026-03-04"});
    claim["careTeam"][0]["role"] =
        coded("http://hl7.org/fhir/us/carin-bb/CodeSystem/C4BBClaimCareTeamRole", "attending");
    for item in claim["item"].as_array_mut().unwrap() {
        item["revenue"] = coded("https://www.nubc.org/CodeSystem/RevenueCodes", "450");
    }
    tell(claim, CATEGORY, "typeofbill", "https://www.nubc.org/CodeSystem/TypeOfBill", "131");
    tell(claim, CATEGORY, "discharge-status", "https://www.nubc.org/CodeSystem/PatDischargeStatus", "01");
}

/// Adds supporting information; the new entry can be completed.
fn tell<'a>(claim: &'a mut Value, system: &str, category: &str, of: &str, code: &str) -> &'a mut Value {
    if claim["supportingInfo"].is_null() {
        claim["supportingInfo"] = json!([]);
    }
    let list = claim["supportingInfo"].as_array_mut().unwrap();
    list.push(json!({"sequence": list.len() + 1, "category": coded(system, category), "code": coded(of, code)}));
    list.last_mut().unwrap()
}

fn made(change: impl Fn(&mut Value)) -> Vec<String> {
    segments(|body| {
        hospital(body);
        change(body);
    })
}

#[test]
fn a_hospital_bills_by_revenue_code() {
    let segments = made(|_| {});
    holds(
        &segments,
        &[
            "CLM*C1*140***13:A:1**A*Y*Y",
            "DTP*434*RD8*20260303-20260304",
            "CL1*9**01",
            "NM1*71*1*KILDARE*BEN****XX*1999996667",
            "PRV*AT*PXC*207Q00000X",
            "SV2*0450*HC:99213*100*UN*1",
            "DTP*472*D8*20260303",
        ],
    );
    lacks(&segments, &["NM1*82", "SV1", "DTP*435", "DTP*096"]);
}

#[test]
fn the_encounter_tells_what_the_claim_does_not() {
    let segments = made(|body| {
        let act = |kind: &str, code: &str| coded(&format!("http://terminology.hl7.org/CodeSystem/{kind}"), code);
        add(
            body,
            json!({"resourceType": "Encounter", "id": "stay", "status": "finished",
                "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
                "priority": act("v3-ActPriority", "UR"), "subject": {"reference": "Patient/p1"},
                "participant": [{"type": [act("v3-ParticipationType", "ATND")], "individual": {"reference": "Practitioner/rendering"}}],
                "period": {"start": "2026-03-01T14:30:00-05:00", "end": "2026-03-04T11:05:00-05:00"},
                "hospitalization": {"admitSource": act("admit-source", "hosp-trans"), "dischargeDisposition": act("discharge-disposition", "snf")}}),
        );
        let procedure = json!({"resourceType": "Procedure", "id": "stent", "status": "completed", "subject": {"reference": "Patient/p1"},
            "code": coded("http://hl7.org/fhir/sid/icd-10-pcs", "02703DZ"), "performedDateTime": "2026-03-02",
            "performer": [{"actor": {"reference": "Practitioner/rendering"}}]});
        add(body, procedure);
        let claim = of(body, "Claim").as_object_mut().unwrap();
        ["supportingInfo", "careTeam", "billablePeriod"].iter().for_each(|name| drop(claim.remove(*name)));
        claim["item"][0]["encounter"] = json!([{"reference": "Encounter/stay"}]);
        claim["diagnosis"][0]["type"] = json!([coded(KIND, "principal"), coded(KIND, "admitting")]);
        claim.insert(
            "procedure".into(),
            json!([{"sequence": 1, "procedureReference": {"reference": "Procedure/stent"}}]),
        );
    });
    holds(
        &segments,
        &[
            "CLM*C1*140***11:A:1**A*Y*Y",
            "DTP*434*RD8*20260301-20260304",
            "DTP*435*DT*202603011430",
            "DTP*096*TM*1105",
            "CL1*2*4*03",
            "HI*BBR:02703DZ:D8:20260302",
            "NM1*71*1*KILDARE*BEN****XX*1999996667",
            "NM1*72*1*KILDARE*BEN****XX*1999996667",
        ],
    );
}

#[test]
fn diagnoses_go_where_their_type_says() {
    let segments = made(|body| {
        let diagnosis = |n: u32, code: &str, kinds: &[&str], poa: &str| {
            let mut made = json!({"sequence": n, "diagnosisCodeableConcept": coded(ICD10, code),
                "onAdmission": coded("http://terminology.hl7.org/CodeSystem/ex-diagnosis-on-admission", poa)});
            if !kinds.is_empty() {
                made["type"] = kinds.iter().map(|kind| coded(KIND, kind)).collect();
            }
            made
        };
        of(body, "Claim")["diagnosis"] = json!([
            diagnosis(1, "I10", &["other"], "y"),
            diagnosis(2, "S52.501A", &["principal", "admitting"], "n"),
            diagnosis(3, "W19.XXXA", &[], "1"),
            diagnosis(4, "Y92.009", &["secondary"], "w"),
            diagnosis(5, "M25.531", &["patientreasonforvisit"], "y"),
            diagnosis(6, "R55", &["patientreasonforvisit"], "y")
        ]);
    });
    holds(
        &segments,
        &[
            "HI*ABK:S52501A:::::::N",
            "HI*ABJ:S52501A",
            "HI*APR:M25531*APR:R55",
            "HI*ABN:W19XXXA",
            "HI*ABF:I10:::::::Y*ABF:Y92009:::::::W",
        ],
    );
}

#[test]
fn units_and_codes_of_lines() {
    let segments = made(|body| {
        let item = &mut of(body, "Claim")["item"];
        item[0]["revenue"] = coded("https://www.nubc.org/CodeSystem/RevenueCodes", "0120");
        item[0]["productOrService"] =
            coded("http://terminology.hl7.org/CodeSystem/data-absent-reason", "not-applicable");
        item[0].as_object_mut().unwrap().remove("servicedDate");
        item[1]["revenue"] = coded("https://www.nubc.org/CodeSystem/RevenueCodes", "0022");
        item[1]["productOrService"] = coded(
            "https://www.cms.gov/Medicare/Medicare-Fee-for-Service-Payment/ProspMedicareFeeSvcPmtGen/HIPPSCodes",
            "1A2B3",
        );
        item[1]["extension"] = json!([{"url": format!("{EXTENSIONS}sv207"), "valueDecimal": 7}]);
    });
    // Room and board without a unit are days; a line may have no date.
    holds(&segments, &["SV2*0120**100*DA*1", "SV2*0022*HP:1A2B3*40*UN*1**7"]);
    let lines: Vec<&String> = segments.iter().skip_while(|segment| *segment != "LX*1").collect();
    assert!(lines[2].starts_with("REF*6R"), "{lines:?}");

    let mut body = bundle("C1");
    hospital(&mut body);
    of(&mut body, "Claim")["item"][0]["productOrService"] = coded("urn:house-codes", "X1");
    let told = prepare(&body).issues;
    assert!(
        told.iter().any(|issue| issue.code == codes::MAPPING_CODE && issue.at.to_string().contains("item[0]")),
        "{told:?}"
    );
}

#[test]
fn what_does_not_fit_into_one_segment_goes_on_in_the_next() {
    let occurrences = |body: &mut Value, count: usize| {
        hospital(body);
        for n in 0..count {
            let told = tell(
                of(body, "Claim"),
                INFORMATION,
                "info",
                "http://terminology.hl7.org/CodeSystem/v2-0350",
                &format!("{:02}", 10 + n),
            );
            told["timingDate"] = json!("2026-03-01");
        }
    };
    let segments = segments(|body| occurrences(body, 24));
    let found: Vec<usize> = segments
        .iter()
        .filter(|segment| segment.starts_with("HI*BH"))
        .map(|segment| segment.matches("BH:").count())
        .collect();
    assert_eq!(found, [12, 12]);
    let mut body = bundle("C1");
    occurrences(&mut body, 25);
    let told = prepare(&body).issues;
    assert!(told.iter().any(|issue| issue.code == codes::EDIT_INSTITUTIONAL && issue.is_error()), "{told:?}");
}

#[test]
fn the_last_digit_of_the_bill_is_its_frequency() {
    let bill = |code: &str, change: fn(&mut Value)| {
        let code = code.to_owned();
        made(move |body| {
            of(body, "Claim")["supportingInfo"][0]["code"]["coding"][0]["code"] = json!(code);
            change(of(body, "Claim"));
        })
    };
    holds(&bill("0132", |_| {}), &["CLM*C1*140***13:A:2**A*Y*Y"]);
    let replaced = bill("0131", |claim| {
        claim["related"] = json!([{"relationship": coded("http://terminology.hl7.org/CodeSystem/ex-relatedclaimrelationship", "prior"),
                                   "reference": {"value": "ICN7"}}]);
    });
    holds(&replaced, &["CLM*C1*140***13:A:7**A*Y*Y", "REF*F8*ICN7"]);
}

#[test]
fn surgeons_of_one_line_stand_with_it() {
    let segments = made(|body| {
        let second = json!({"resourceType": "Practitioner", "id": "second", "name": [{"family": "Zhou", "given": ["Li"]}],
                            "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1679576722"}]});
        add(body, second);
        let claim = of(body, "Claim");
        let member = |n: u32, of: &str, role: &str| {
            json!({"sequence": n, "provider": {"reference": format!("Practitioner/{of}")},
                   "role": coded("http://hl7.org/fhir/us/carin-bb/CodeSystem/C4BBClaimCareTeamRole", role)})
        };
        claim["careTeam"].as_array_mut().unwrap().extend([
            member(2, "rendering", "operating"),
            member(3, "second", "operating"),
            member(4, "second", "otheroperating"),
            member(5, "second", "referring"),
        ]);
        claim["item"][1]["careTeamSequence"] = json!([3]);
    });
    let claim_ends = segments.iter().position(|segment| segment == "LX*1").unwrap();
    let (claim, lines) = segments.split_at(claim_ends);
    holds(
        claim,
        &[
            "NM1*72*1*KILDARE*BEN****XX*1999996667",
            "NM1*ZZ*1*ZHOU*LI****XX*1679576722",
            "NM1*DN*1*ZHOU*LI****XX*1679576722",
        ],
    );
    holds(lines, &["NM1*72*1*ZHOU*LI****XX*1679576722"]);
}

#[test]
fn another_payers_decision_on_a_stay() {
    let segments = made(|body| {
        super::other_payers::decided(body);
        let extension = |name: &str, value: Value| json!({"url": format!("{EXTENSIONS}{name}"), "valueDecimal": value});
        let response = of(body, "ClaimResponse");
        response["extension"] =
            json!([extension("mia01", json!(4)), extension("mia04", json!(120.5)), extension("mia24", json!(2))]);
        let claim = of(body, "Claim");
        claim["item"][0]["productOrService"] =
            coded("http://terminology.hl7.org/CodeSystem/data-absent-reason", "not-applicable");
        claim["insurance"][1]["extension"] = json!([{"url": format!("{EXTENSIONS}provider"), "extension": [
            {"url": "nm101", "valueCode": "71"}, {"url": "ref01", "valueCode": "LU"}, {"url": "ref02", "valueString": "LOC5"}]}]);
    });
    holds(
        &segments,
        &[
            "MIA*4***120.5*MA18*******************2",
            "NM1*71*1",
            "REF*LU*LOC5",
            "SVD*FI1*60**0450*1",
            "CAS*CO*45*25",
            "SVD*FI1*20*HC:87880*0450*1",
        ],
    );
    lacks(&segments, &["MOA"]);
}
