//! From FHIR to the segments of an 837, one convention at a time: what a caller may write, and what a payer reads.

mod dental;
mod institutional;
mod other_payers;
mod supplements;

use crate::support::claim::{bundle, of};
use crate::support::gateway::{Content, Prepared};
use claimgate::fault::{any_error, codes};
use serde_json::{Value, json};
use std::sync::LazyLock;

static CONTENT: LazyLock<Content> = LazyLock::new(Content::shipped);

const CARE_TEAM: &str = "http://hl7.org/fhir/us/carin-bb/CodeSystem/C4BBClaimCareTeamRole";
const CPT: &str = "http://www.ama-assn.org/go/cpt";
const EXTENSIONS: &str = "https://claimgate.dev/fhir/StructureDefinition/x12-";

fn coded(system: &str, code: &str) -> Value {
    json!({"coding": [{"system": system, "code": code}]})
}

fn prepare(body: &Value) -> Prepared {
    CONTENT.prepare("generic", body.to_string().as_bytes())
}

/// Maps the sample claim as changed, which must pass; gives its segments.
fn segments(change: impl Fn(&mut Value)) -> Vec<String> {
    let mut body = bundle("C1");
    change(&mut body);
    let prepared = prepare(&body);
    let told: Vec<String> = prepared.issues.iter().map(ToString::to_string).collect();
    assert!(!any_error(&prepared.issues), "{}", told.join("\n"));
    prepared.text().split('~').map(|segment| segment.trim().to_owned()).collect()
}

fn add(body: &mut Value, resource: Value) {
    let url = format!(
        "https://ehr.example/fhir/{}/{}",
        resource["resourceType"].as_str().unwrap(),
        resource["id"].as_str().unwrap()
    );
    body["entry"].as_array_mut().unwrap().push(json!({"fullUrl": url, "resource": resource}));
}

#[track_caller]
fn holds(segments: &[String], wanted: &[&str]) {
    for wanted in wanted {
        assert!(segments.iter().any(|segment| segment == wanted), "no {wanted} in\n{}", segments.join("\n"));
    }
}

#[track_caller]
fn lacks(segments: &[String], unwanted: &[&str]) {
    for start in unwanted {
        let found = segments.iter().find(|segment| segment.starts_with(start));
        assert_eq!(found, None, "in\n{}", segments.join("\n"));
    }
}

#[test]
fn a_plain_claim() {
    let segments = segments(|_| {});
    holds(
        &segments,
        &[
            "HL*1**20*1",
            "PRV*BI*PXC*207Q00000X",
            "NM1*85*2*BEN KILDARE SERVICE*****XX*1234567893",
            "N3*234 SEAWAY ST",
            "N4*MIAMI*FL*331110000",
            "REF*EI*587654321",
            "HL*2*1*22*0",
            "SBR*P*18*******CI",
            "NM1*IL*1*RIVERA*ANA****MI*NW00112233",
            "DMG*D8*19800501*F",
            "NM1*PR*2*NORTHWIND HEALTH PLAN*****PI*NW001",
            "CLM*C1*140***11:B:1*Y*A*Y*Y",
            "REF*D9*CGC1",
            "HI*ABK:J020",
            "NM1*82*1*KILDARE*BEN****XX*1999996667",
            "PRV*PE*PXC*207Q00000X",
            "NM1*77*2*KILDARE ASSOCIATES*****XX*1581234568",
            "LX*1",
            "SV1*HC:99213*100*UN*1***1",
            "DTP*472*D8*20260303",
            "REF*6R*C1-1",
            "LX*2",
        ],
    );
    lacks(&segments, &["HL*3", "PAT", "NM1*87"]);
}

#[test]
fn a_dependent_hangs_under_the_subscriber() {
    let segments = segments(|body| {
        let parent = json!({"resourceType": "RelatedPerson", "id": "r1", "patient": {"reference": "Patient/p1"},
                            "name": [{"family": "Rivera", "given": ["Luz"]}]});
        add(body, parent);
        let coverage = of(body, "Coverage");
        coverage["subscriber"]["reference"] = json!("RelatedPerson/r1");
        coverage["relationship"] = coded("http://terminology.hl7.org/CodeSystem/subscriber-relationship", "child");
        coverage["class"] =
            json!([{"type": coded("http://terminology.hl7.org/CodeSystem/coverage-class", "group"), "value": "G7"}]);
    });
    holds(
        &segments,
        &[
            "HL*2*1*22*1",
            "SBR*P**G7******CI",
            "NM1*IL*1*RIVERA*LUZ****MI*NW00112233",
            "HL*3*2*23*0",
            "PAT*19",
            "NM1*QC*1*RIVERA*ANA",
            "DMG*D8*19800501*F",
        ],
    );
}

#[test]
fn dates_are_the_writers_own() {
    let segments = segments(|body| {
        let claim = of(body, "Claim");
        claim["item"][0].as_object_mut().unwrap().remove("servicedDate");
        claim["item"][0]["servicedPeriod"] =
            json!({"start": "2026-03-03T23:30:00-05:00", "end": "2026-03-04T00:30:00-05:00"});
        claim["item"][1].as_object_mut().unwrap().remove("servicedDate");
        claim["billablePeriod"] = json!({"start": "2026-03-05", "end": "2026-03-05"});
    });
    holds(&segments, &["DTP*472*RD8*20260303-20260304", "DTP*472*D8*20260305"]);
}

#[test]
fn a_partial_date_is_refused_with_its_place() {
    let mut body = bundle("C1");
    of(&mut body, "Claim")["item"][0]["servicedDate"] = json!("2026-03");
    let prepared = prepare(&body);
    let told: Vec<String> = prepared.issues.iter().map(ToString::to_string).collect();
    let found = prepared
        .issues
        .iter()
        .any(|issue| issue.code == codes::MAPPING_VALUE && issue.at.to_string().contains("Claim.item[0].serviced"));
    assert!(found, "{}", told.join("\n"));
}

#[test]
fn care_team_members_stand_for_the_claim_or_for_lines() {
    let second = |body: &mut Value| {
        add(
            body,
            json!({"resourceType": "Practitioner", "id": "second", "name": [{"family": "Zhou", "given": ["Li"]}],
                         "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1679576722"}]}),
        );
        let member = json!({"sequence": 2, "provider": {"reference": "Practitioner/second"}, "role": coded(CARE_TEAM, "rendering")});
        of(body, "Claim")["careTeam"].as_array_mut().unwrap().push(member);
    };
    // The member that no line names is the claim's.
    let segments1 = segments(|body| {
        second(body);
        of(body, "Claim")["item"][1]["careTeamSequence"] = json!([2]);
    });
    let at = |segments: &[String], start: &str| segments.iter().position(|segment| segment.starts_with(start)).unwrap();
    assert!(at(&segments1, "NM1*82*1*KILDARE") < at(&segments1, "LX*1"));
    assert!(at(&segments1, "NM1*82*1*ZHOU") > at(&segments1, "LX*2"));
    // A member that only a later line names is not.
    let segments2 = segments(|body| of(body, "Claim")["item"][1]["careTeamSequence"] = json!([1]));
    assert!(at(&segments2, "NM1*82*1*KILDARE") > at(&segments2, "LX*2"));
    // One that the first line names is, and lines that name it need not repeat it.
    let segments3 = segments(|body| {
        of(body, "Claim")["item"][0]["careTeamSequence"] = json!([1]);
        of(body, "Claim")["item"][1]["careTeamSequence"] = json!([1]);
    });
    assert_eq!(segments3.iter().filter(|segment| segment.starts_with("NM1*82")).count(), 1);
}

#[test]
fn other_roles_of_the_care_team() {
    let segments = segments(|body| {
        let claim = of(body, "Claim");
        let member = |sequence: u32, system: &str, code: &str| json!({"sequence": sequence, "provider": {"reference": "PractitionerRole/role"}, "role": coded(system, code)});
        claim["careTeam"] = json!([
            member(1, CARE_TEAM, "referring"),
            member(2, CARE_TEAM, "pcp"),
            member(3, CARE_TEAM, "ordering"),
            member(4, "http://terminology.hl7.org/CodeSystem/claimcareteamrole", "supervisor"),
        ]);
    });
    holds(
        &segments,
        &[
            "NM1*DN*1*KILDARE*BEN****XX*1999996667",
            "NM1*P3*1*KILDARE*BEN****XX*1999996667",
            "NM1*DQ*1*KILDARE*BEN****XX*1999996667",
            "NM1*DK*1*KILDARE*BEN****XX*1999996667",
        ],
    );
    lacks(&segments, &["NM1*82"]);
}

#[test]
fn a_role_bills_for_its_organization() {
    let segments = segments(|body| {
        let claim = of(body, "Claim");
        claim["provider"]["reference"] = json!("PractitionerRole/role");
        claim.as_object_mut().unwrap().remove("careTeam");
    });
    holds(&segments, &["NM1*85*2*BEN KILDARE SERVICE*****XX*1234567893", "NM1*82*1*KILDARE*BEN****XX*1999996667"]);
}

#[test]
fn a_practitioner_alone_bills_with_a_social_security_number() {
    let segments = segments(|body| {
        body["entry"].as_array_mut().unwrap().retain(|entry| entry["resource"]["resourceType"] != "PractitionerRole");
        let practitioner = of(body, "Practitioner");
        practitioner["identifier"]
            .as_array_mut()
            .unwrap()
            .push(json!({"system": "http://hl7.org/fhir/sid/us-ssn", "value": "123-45-6789"}));
        practitioner["address"] = json!([
            {"type": "postal", "line": ["PO Box 7"], "city": "Miami", "state": "Florida", "postalCode": "33111"},
            {"use": "work", "type": "physical", "line": ["1 Elm St", "Suite 2"], "city": "Miami", "state": "FL", "postalCode": "33111-2222"},
        ]);
        practitioner["telecom"] = json!([{"system": "phone", "value": "+1 (305) 555-0100"}]);
        of(body, "Claim")["provider"]["reference"] = json!("Practitioner/rendering");
    });
    holds(
        &segments,
        &[
            "NM1*85*1*KILDARE*BEN****XX*1999996667",
            "N3*1 ELM ST*SUITE 2",
            "REF*SY*123456789",
            "NM1*87*2",
            "N3*PO BOX 7",
            "N4*MIAMI*FL*33111",
            "PER*IC*BEN KILDARE*TE*3055550100",
        ],
    );
    lacks(&segments, &["NM1*82", "REF*EI"]);
}

#[test]
fn the_place_of_service_is_told_when_it_is_elsewhere() {
    let at_home = segments(|body| {
        for n in 0..2 {
            of(body, "Claim")["item"][n]["locationCodeableConcept"]["coding"][0]["code"] = json!("12");
        }
    });
    holds(&at_home, &["CLM*C1*140***12:B:1*Y*A*Y*Y"]);
    lacks(&at_home, &["NM1*77"]);
    let same = segments(|body| {
        of(body, "Location")["address"] =
            json!({"line": ["234 SEAWAY ST."], "city": "Miami", "state": "FL", "postalCode": "33111"})
    });
    lacks(&same, &["NM1*77"]);
    let other_line =
        segments(|body| of(body, "Claim")["item"][1]["locationCodeableConcept"]["coding"][0]["code"] = json!("22"));
    holds(&other_line, &["SV1*HC:87880*40*UN*1*22**1"]);
}

#[test]
fn details_with_prices_are_lines_and_a_drug_code_is_none() {
    let segments = segments(|body| {
        let item = &mut of(body, "Claim")["item"];
        item[0]["detail"] = json!([
            {"sequence": 1, "productOrService": coded(CPT, "99212"), "net": {"value": 60, "currency": "USD"}},
            {"sequence": 2, "productOrService": coded(CPT, "36415"), "net": {"value": 40, "currency": "USD"}},
        ]);
        item[1]["detail"] = json!([{
            "sequence": 1, "productOrService": coded("http://hl7.org/fhir/sid/ndc", "0002-1433-80"),
            "quantity": {"value": 1.5, "system": "http://unitsofmeasure.org", "code": "mL"}
        }]);
    });
    holds(
        &segments,
        &[
            "SV1*HC:99212*60*UN*1***1",
            "SV1*HC:36415*40*UN*1***1",
            "REF*6R*C1-1-1",
            "REF*6R*C1-1-2",
            "LX*3",
            "LIN**N4*00002143380",
            "CTP****1.5*ML",
        ],
    );
    lacks(&segments, &["SV1*HC:99213", "LX*4"]);
}

#[test]
fn a_payer_is_named_by_its_national_plan_id_where_that_is_its_only_one() {
    let named = |identifiers: Value| {
        segments(move |body| {
            for entry in body["entry"].as_array_mut().unwrap() {
                let resource = &mut entry["resource"];
                if resource["name"] == "Northwind Health Plan" {
                    resource["identifier"] = identifiers.clone();
                }
            }
        })
    };
    let plan = json!({"type": coded("https://codesystem.x12.org/005010/66", "XV"), "value": "7912345678"});
    holds(&named(json!([plan])), &["NM1*PR*2*NORTHWIND HEALTH PLAN*****XV*7912345678"]);
    let payer = json!({"type": coded("http://terminology.hl7.org/CodeSystem/v2-0203", "XX"), "value": "NW9"});
    let own = json!({"type": {"coding": [{"code": "payerid"}]}, "value": "NW9"});
    holds(&named(json!([payer, plan, own])), &["NM1*PR*2*NORTHWIND HEALTH PLAN*****PI*NW9"]);
}

#[test]
fn minutes_of_anesthesia() {
    let segments = segments(|body| {
        let line = &mut of(body, "Claim")["item"][0];
        line["productOrService"] = coded(CPT, "00142");
        line["quantity"] = json!({"value": 61, "unit": "min", "system": "http://unitsofmeasure.org", "code": "min"});
        of(body, "Claim")["procedure"] = json!([{"sequence": 1, "procedureCodeableConcept": coded(CPT, "66984")}]);
    });
    holds(&segments, &["SV1*HC:00142*100*MJ*61***1", "HI*BP:66984"]);
}

#[test]
fn supporting_information() {
    let segments = segments(|body| {
        let claim = of(body, "Claim");
        let category = |code: &str| coded("http://terminology.hl7.org/CodeSystem/claiminformationcategory", code);
        claim["supportingInfo"] = json!([
            {"sequence": 1, "category": category("onset"), "timingDate": "2026-03-01"},
            {"sequence": 2, "category": category("hospitalized"), "timingPeriod": {"start": "2026-03-02", "end": "2026-03-04"}},
            {"sequence": 3, "category": category("employmentimpacted"), "timingPeriod": {"start": "2026-03-02"}},
            {"sequence": 4, "category": category("info"), "valueString": "For the claim"},
            {"sequence": 5, "category": category("info"), "valueString": "For the line"},
            {"sequence": 6, "category": category("attachment"), "code": coded("http://loinc.org", "18842-5"),
             "valueReference": {"reference": "DocumentReference/d1"}},
            {"sequence": 7, "category": category("info"), "code": coded("https://www.nubc.org/CodeSystem/ConditionCodes", "17")},
            {"sequence": 8, "category": category("info"), "code": coded("https://codesystem.x12.org/005010/374", "304"), "timingDate": "2026-02-01"},
            {"sequence": 9, "category": coded("https://claimgate.dev/fhir/CodeSystem/x12-info", "info"),
             "code": coded("https://claimgate.dev/fhir/CodeSystem/x12-info", "clm10"), "valueString": "P"},
        ]);
        claim["item"][1]["informationSequence"] = json!([5]);
        claim["accident"] = json!({"date": "2026-03-01", "type": coded("http://terminology.hl7.org/CodeSystem/v3-ActCode", "MVA"),
                                   "locationAddress": {"state": "GA"}});
        claim["extension"] = json!([{"url": format!("{EXTENSIONS}clm07"), "valueCode": "C"}]);
        add(
            body,
            json!({"resourceType": "DocumentReference", "id": "d1", "status": "current", "identifier": [{"value": "DOC1"}],
                         "content": [{"attachment": {"title": "summary"}}]}),
        );
    });
    holds(
        &segments,
        &[
            "DTP*431*D8*20260301",
            "DTP*435*D8*20260302",
            "DTP*096*D8*20260304",
            "DTP*360*D8*20260302",
            "DTP*439*D8*20260301",
            "DTP*304*D8*20260201",
            "NTE*ADD*FOR THE CLAIM",
            "NTE*ADD*FOR THE LINE",
            "PWK*DS*EL***AC*DOC1",
            "HI*BG:17",
            "CLM*C1*140***11:B:1*Y*C*Y*Y*P*AA:::GA",
        ],
    );
}

#[test]
fn references_numbers_and_replacement() {
    let segments = segments(|body| {
        of(body, "Patient")["identifier"] =
            json!([{"type": coded("http://terminology.hl7.org/CodeSystem/v2-0203", "MR"), "value": "M5501"}]);
        of(body, "Organization")["identifier"].as_array_mut().unwrap();
        let claim = of(body, "Claim");
        claim["insurance"][0]["preAuthRef"] = json!(["AUTH1"]);
        claim["related"] = json!([{"relationship": coded("http://terminology.hl7.org/CodeSystem/ex-relatedclaimrelationship", "prior"),
                                   "reference": {"value": "ICN99"}}]);
        claim["referral"] = json!({"reference": "ServiceRequest/s1"});
        add(
            body,
            json!({"resourceType": "ServiceRequest", "id": "s1", "status": "active", "intent": "order",
                         "identifier": [{"value": "R77"}], "subject": {"reference": "Patient/p1"},
                         "requester": {"reference": "Practitioner/rendering"}}),
        );
    });
    holds(
        &segments,
        &[
            "CLM*C1*140***11:B:7*Y*A*Y*Y",
            "REF*F8*ICN99",
            "REF*G1*AUTH1",
            "REF*EA*M5501",
            "REF*9F*R77",
            "NM1*DN*1*KILDARE*BEN****XX*1999996667",
        ],
    );
    let void = self::segments(|body| {
        let claim = of(body, "Claim");
        claim["status"] = json!("cancelled");
        claim["related"] = json!([{"reference": {"value": "ICN99"}}]);
    });
    holds(&void, &["CLM*C1*140***11:B:8*Y*A*Y*Y", "REF*F8*ICN99"]);
}

#[test]
fn a_long_claim_is_split() {
    let mut body = bundle("C1");
    let claim = of(&mut body, "Claim");
    let line = claim["item"][0].clone();
    let lines: Vec<Value> = (1..=51)
        .map(|n| {
            let mut line = line.clone();
            line["sequence"] = json!(n);
            line
        })
        .collect();
    claim["item"] = json!(lines);
    claim["total"]["value"] = json!(5100);
    let text = prepare(&body).text();
    assert!(
        text.contains("CLM*C1A*5000*") && text.contains("CLM*C1B*100*") && text.contains("REF*6R*C1-51~"),
        "{text}"
    );
}

#[test]
fn contained_resources_and_identifiers_serve_as_references() {
    let segments = segments(|body| {
        let coverage = of(body, "Coverage").clone();
        body["entry"].as_array_mut().unwrap().retain(|entry| entry["resource"]["resourceType"] != "Coverage");
        let claim = of(body, "Claim");
        claim["contained"] = json!([coverage]);
        claim["insurance"][0]["coverage"]["reference"] = json!("#cov");
        claim["provider"] = json!({"type": "Organization", "identifier": {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}});
    });
    holds(&segments, &["SBR*P*18*******CI", "NM1*85*2*BEN KILDARE SERVICE*****XX*1234567893"]);
}

#[test]
fn the_overlay_of_a_payer_changes_three_rules() {
    let mut body = bundle("C1");
    add(
        &mut body,
        json!({"resourceType": "RelatedPerson", "id": "r1", "patient": {"reference": "Patient/p1"},
                          "name": [{"family": "Rivera", "given": ["Luz"]}], "birthDate": "1950-01-01",
                          "address": [{"line": ["1 Far St"], "city": "Miami", "state": "FL", "postalCode": "33413"}]}),
    );
    let coverage = of(&mut body, "Coverage");
    coverage["subscriber"]["reference"] = json!("RelatedPerson/r1");
    coverage["relationship"] = coded("http://terminology.hl7.org/CodeSystem/subscriber-relationship", "spouse");
    coverage["class"] = json!([{"type": coded("http://terminology.hl7.org/CodeSystem/coverage-class", "group"), "value": "G7", "name": "Group"}]);
    of(&mut body, "Patient")["identifier"] =
        json!([{"type": coded("http://terminology.hl7.org/CodeSystem/v2-0203", "MR"), "value": "M5501"}]);
    let plain = CONTENT.prepare("generic", body.to_string().as_bytes()).text();
    assert!(plain.contains("N3*1 FAR ST~") && plain.contains("REF*EA*M5501~"), "{plain}");
    let own = CONTENT.prepare("northwind", body.to_string().as_bytes()).text();
    assert!(
        own.contains("NM1|IL|1|RIVERA|LUZ||||MI|NW00112233~") && own.contains("CLM|C1|140|||11>B>1|Y|A|Y|Y~"),
        "{own}"
    );
    assert!(!own.contains("1 FAR ST") && !own.contains("M5501"), "{own}");
}
