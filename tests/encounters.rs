//! Encounters that become claims: at once, when the missing comes, or when they are asked for.

use crate::support::claim::bundle;
use crate::support::encounter::{collected, stay, visit};
use crate::support::gateway::Content;
use crate::support::house::House;
use claimgate::billing::journey::State;
use claimgate::flow::{bill, lookup, store};
use serde_json::{Value, json};

fn kind(resource: &Value) -> &str {
    resource["resourceType"].as_str().unwrap()
}

/// Stores resources under the ids that they have.
async fn put(house: &House, resources: &[Value], kinds: &[&str]) {
    for resource in resources.iter().filter(|resource| kinds.contains(&kind(resource))) {
        store::update(&house.gateway, "default", resource.clone()).await.unwrap_or_else(|fault| panic!("{fault}"));
    }
}

const PARTIES: &[&str] = &["Patient", "Organization", "Practitioner", "PractitionerRole", "Location"];

async fn state(house: &House) -> State {
    house.gateway.store.submission_of("default", "Encounter/enc").await.unwrap().unwrap().state
}

fn segment<'s>(sent: &'s str, id: &str) -> &'s str {
    let mut segments = sent.split('~').map(str::trim);
    segments.find(|segment| segment.split(['*', '|']).next() == Some(id)).unwrap_or_else(|| panic!("no {id} in {sent}"))
}

#[test]
fn a_visit_is_mapped_without_a_server() {
    let content = Content::shipped();
    let made = content.prepare("generic", collected(&visit("VISIT1")).to_string().as_bytes());
    let text = made.text();
    assert!(!text.is_empty(), "{:#?}", made.issues);
    assert_eq!(segment(&text, "CLM"), "CLM*VISIT1*140***11:B:1*Y*A*Y*Y");
    assert_eq!(text.matches("SV1*").count(), 2);
    assert!(text.contains("HI*ABK:J020~") && text.contains("NM1*82*1*KILDARE*BEN"), "{text}");
    assert!(text.contains("DTP*472*D8*20260303"), "{text}");
}

#[test]
fn a_stay_is_an_institutional_claim() {
    let content = Content::shipped();
    let made = content.prepare("generic", collected(&stay("STAY1")).to_string().as_bytes());
    let text = made.text();
    assert!(!text.is_empty(), "{:#?}", made.issues);
    assert_eq!(segment(&text, "CLM"), "CLM*STAY1*3040***11:A:1**A*Y*Y");
    assert_eq!(segment(&text, "CL1"), "CL1*1*1*01");
    for part in [
        "DTP*434*RD8*20260301-20260304",
        "DTP*435*DT*202603011430",
        "HI*ABK:J020",
        "HI*ABJ:J020",
        "HI*BBR:0DTJ4ZZ:D8:20260302",
        "SV2*0120**3000*DA*3",
        "SV2*0250**40*UN*1",
        "NM1*71*1*KILDARE",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
}

/// What the stay is changed to: class, taxonomy of who bills, type of the encounter with the system of types of bill, kind of
/// insurance; and the first two components of CLM05.
const BILLS: &[(&str, Option<&str>, Option<&str>, &str, &str)] = &[
    ("IMP", None, None, "CI", "11:A:1"),
    ("OBSENC", None, None, "CI", "13:A:1"),
    ("IMP", None, None, "MB", "12:A:1"),
    ("IMP", Some("275N00000X"), None, "MA", "18:A:1"),
    ("IMP", Some("314000000X"), None, "MA", "21:A:1"),
    ("IMP", Some("314000000X"), None, "MB", "22:A:1"),
    ("AMB", Some("314000000X"), None, "CI", "23:A:1"),
    ("HH", None, None, "MA", "32:A:1"),
    ("AMB", Some("261QR1300X"), None, "CI", "71:A:1"),
    ("AMB", Some("261QE0700X"), None, "CI", "72:A:1"),
    ("AMB", Some("261QF0400X"), None, "CI", "77:A:1"),
    ("HH", Some("251G00000X"), None, "MA", "81:A:1"),
    ("SS", Some("261QA1903X"), None, "CI", "83:A:1"),
    ("EMER", Some("282NC0060X"), None, "CI", "85:A:1"),
    ("IMP", Some("282NC0060X"), None, "MA", "11:A:1"),
    ("AMB", None, Some("0141"), "CI", "14:A:1"),
    ("HH", None, Some("34x"), "CI", "34:A:1"),
];

#[test]
fn the_type_of_bill_is_that_of_the_place_and_the_stay() {
    let content = Content::shipped();
    for (class, taxonomy, told, insurance, expected) in BILLS {
        let mut resources = stay("STAY9");
        for resource in &mut resources {
            match kind(resource) {
                "Encounter" => {
                    resource["class"]["code"] = json!(class);
                    if let Some(told) = told {
                        resource["type"] = json!([{"coding": [{"system": "https://www.nubc.org/CodeSystem/TypeOfBill", "code": told}]}]);
                    }
                }
                "Coverage" => {
                    let system = "https://codesystem.x12.org/005010/1032";
                    resource["type"] = json!({"coding": [{"system": system, "code": insurance}]});
                }
                "Organization" => {
                    if let Some(taxonomy) = taxonomy {
                        resource["type"] =
                            json!([{"coding": [{"system": "http://nucc.org/provider-taxonomy", "code": taxonomy}]}]);
                    }
                }
                _ => {}
            }
        }
        let made = content.prepare("generic", collected(&resources).to_string().as_bytes());
        let text = made.text();
        assert!(!text.is_empty(), "{class} {taxonomy:?}: {:#?}", made.issues);
        assert_eq!(
            segment(&text, "CLM"),
            format!("CLM*STAY9*3040***{expected}**A*Y*Y"),
            "{class} {taxonomy:?} {told:?}"
        );
    }
}

#[test]
fn everything_that_is_missing_is_told_at_once_in_the_callers_words() {
    let content = Content::shipped();
    let mut bare = visit("VISIT2");
    bare.retain(|resource| !matches!(kind(resource), "Coverage" | "ChargeItem" | "Condition"));
    bare[0]["diagnosis"] = json!([]);
    bare[0].as_object_mut().unwrap().shift_remove("diagnosis");
    let made = content.prepare("generic", collected(&bare).to_string().as_bytes());
    let places: Vec<String> = made.issues.iter().map(|issue| issue.at.to_string()).collect();
    assert_eq!(places, ["Coverage", "ChargeItem", "Condition"]);
    assert!(made.issues.iter().all(|issue| issue.code == "CG-1406" && issue.hint.is_some()));

    let mut wrong = visit("VISIT3");
    wrong[1]["code"] = json!({"coding": [{"system": "http://snomed.info/sct", "code": "43878008"}]});
    let made = content.prepare("generic", collected(&wrong).to_string().as_bytes());
    let places: Vec<String> = made.issues.iter().map(|issue| issue.at.to_string()).collect();
    assert!(places.iter().any(|at| at.contains("Condition")), "{:#?}", made.issues);
    let mut planned = visit("VISIT4");
    planned[0]["status"] = json!("planned");
    let made = content.prepare("generic", collected(&planned).to_string().as_bytes());
    assert_eq!(made.issues[0].at.to_string(), "Encounter.status");
}

#[tokio::test]
async fn it_goes_on_when_the_coverage_arrives() {
    let house = House::open().await;
    let resources = visit("VISIT5");
    put(&house, &resources, PARTIES).await;
    put(&house, &resources, &["Condition", "ChargeItem", "Encounter"]).await;
    assert_eq!(state(&house).await, State::Held);
    assert_eq!(house.wait(10).await, 0);
    let held = house.gateway.store.submission_of("default", "Encounter/enc").await.unwrap().unwrap();
    let missing = house.missing(&held.id).await;
    assert_eq!((missing.len(), &missing[0]["at"]), (1, &json!("Coverage")), "{missing:#?}");
    put(&house, &resources, &["Coverage"]).await;
    assert_eq!(house.wait(1).await, 0, "more may come");
    assert_eq!(house.wait(2).await, 1);
    assert_eq!(state(&house).await, State::Queued);
    let billed = house.submission(&held.id).await;
    let claim = lookup::read_reference(&house.gateway, "default", &billed.focal).await.unwrap().unwrap();
    assert_eq!((kind(&claim), &claim["item"][0]["encounter"][0]["reference"]), ("Claim", &json!("Encounter/enc")));
    assert_eq!(claim["insurance"][0]["coverage"]["reference"], "Coverage/cov");
    let sent = house.send(&held.id).await;
    assert!(sent.contains("CLM|VISIT5|140|"), "{sent}");
    house.answer(&held.id, &sent, &["999", "277CA", "835"]).await;
    assert_eq!(state(&house).await, State::Adjudicated);
    let journey = lookup::journey(&house.gateway, "default", "Encounter/enc").await.unwrap();
    assert_eq!(journey["claim"], billed.focal.as_str());
    put(&house, &resources, &["Encounter"]).await;
    assert_eq!(house.wait(10).await, 0, "what is billed is not billed again");
}

#[tokio::test]
async fn what_is_mended_goes_on_and_what_is_asked_for_goes_now() {
    let house = House::open().await;
    let mut resources = visit("VISIT6");
    let billing = resources.iter().position(|resource| resource["id"] == "billing").unwrap();
    let whole = resources[billing].clone();
    resources[billing].as_object_mut().unwrap().shift_remove("identifier");
    put(&house, &resources, PARTIES).await;
    put(&house, &resources, &["Condition", "ChargeItem", "Coverage", "Encounter"]).await;
    let asked = bill::ask(&house.gateway, "default", "enc").await.unwrap();
    assert_eq!(kind(&asked.response), "OperationOutcome");
    let places: Vec<&str> = house
        .missing(&asked.submission)
        .await
        .iter()
        .map(|each| each["code"].as_str().unwrap().to_owned())
        .map(|code| if code == "CG-1301" { "npi" } else { "other" })
        .collect();
    assert!(places.contains(&"npi"), "{:#?}", asked.response);
    store::update(&house.gateway, "default", whole).await.unwrap();
    let asked = bill::ask(&house.gateway, "default", "enc").await.unwrap();
    assert_eq!((kind(&asked.response), &asked.response["outcome"]), ("ClaimResponse", &json!("queued")));
    assert_eq!(house.state(&asked.submission).await, State::Queued);
    let again = bill::ask(&house.gateway, "default", "enc").await.unwrap();
    assert!(again.repeated && again.submission == asked.submission);
    assert_eq!(bill::ask(&house.gateway, "default", "nobody").await.unwrap_err().status(), 404);
}

#[tokio::test]
async fn a_bundle_with_everything_is_billed_at_once() {
    let house = House::open().await;
    let first = house.submit(collected(&visit("VISIT7"))).await;
    assert_eq!(house.state(&first.submission).await, State::Queued);
    assert!(first.claim.starts_with("Claim/"));
    assert!(house.submit(collected(&visit("VISIT7"))).await.repeated);
    let mut bare = visit("VISIT8");
    bare.retain(|resource| kind(resource) != "Coverage");
    let held = house.submit(collected(&bare)).await;
    assert_eq!(house.state(&held.submission).await, State::Held);
    let whole = house.submit(collected(&visit("VISIT8"))).await;
    assert_eq!(house.state(&whole.submission).await, State::Queued);
    assert_eq!(house.submission(&held.submission).await.superseded, Some(whole.submission));
    assert_eq!(house.missing(&held.submission).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_claim_of_the_callers_own_takes_the_encounters_place() {
    let house = House::open().await;
    let resources = visit("VISIT9");
    put(&house, &resources, PARTIES).await;
    put(&house, &resources, &["Encounter"]).await;
    assert_eq!(state(&house).await, State::Held);
    let held = house.gateway.store.submission_of("default", "Encounter/enc").await.unwrap().unwrap();
    let mut body = bundle("OWN1");
    crate::support::claim::of(&mut body, "Claim")["item"][0]["encounter"] = json!([{"reference": "Encounter/enc"}]);
    let own = house.submit(body).await;
    assert_eq!(house.submission(&held.id).await.superseded, Some(own.submission));
    put(&house, &resources, &["Condition", "ChargeItem", "Coverage"]).await;
    assert_eq!(house.wait(10).await, 0);
}

/// A long stay: billed while it goes on, and for the rest when it is over.
#[tokio::test]
async fn a_stay_that_goes_on_is_billed_in_parts() {
    let house = House::open().await;
    let mut resources = stay("LONG1");
    let payer = resources.iter_mut().find(|resource| resource["id"] == "payer").unwrap();
    payer["identifier"][0]["value"] = json!("ANY01");
    resources[0]["status"] = json!("in-progress");
    resources[0]["period"].as_object_mut().unwrap().shift_remove("end");
    resources[0]["hospitalization"].as_object_mut().unwrap().shift_remove("dischargeDisposition");
    put(&house, &resources, PARTIES).await;
    put(&house, &resources, &["Condition", "ChargeItem", "Coverage", "Procedure", "Encounter"]).await;
    assert_eq!(house.wait(10).await, 0, "nobody has asked");
    let first = bill::ask(&house.gateway, "default", "enc").await.unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(kind(&first.response), "ClaimResponse", "{:#}", first.response);
    let record = house.submission(&first.submission).await.parts[0].record.clone();
    assert!(record.contains("\"frequencyCode\":\"2\"") && record.contains("\"patientStatus\":\"30\""), "{record}");

    let mut charge = resources[2].clone();
    charge["id"] = json!("ch3");
    charge["occurrenceDateTime"] = json!("2026-03-05T09:00:00-05:00");
    charge["priceOverride"]["value"] = json!(500);
    let mut over = stay("LONG1")[0].clone();
    over["period"]["end"] = json!("2026-03-06T10:15:00-05:00");
    put(&house, &[charge, over], &["ChargeItem", "Encounter"]).await;
    assert_eq!(house.wait(3).await, 1, "{:#?}", state(&house).await);
    let last = house.gateway.store.submission_of("default", "Encounter/enc").await.unwrap().unwrap();
    assert_ne!(last.id, first.submission);
    let record: Value = serde_json::from_str(&last.parts[0].record).unwrap();
    assert_eq!((&record["frequencyCode"], &record["patientControlNumber"]), (&json!("4"), &json!("LONG1-2")));
    assert_eq!((record["serviceLines"].as_array().unwrap().len(), &record["totalCharge"]), (1, &json!("500")));
    put(&house, &[stay("LONG1")[0].clone()], &["Encounter"]).await;
    assert_eq!(house.wait(10).await, 0, "the last bill is the last");
}
