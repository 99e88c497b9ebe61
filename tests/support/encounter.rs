//! An office visit and a stay in hospital, as an EHR knows them before anyone has made a claim of them.

use crate::support::claim::bundle;
use serde_json::{Value, json};

fn coded(system: &str, code: &str) -> Value {
    json!({"coding": [{"system": system, "code": code}]})
}

const CPT: &str = "http://www.ama-assn.org/go/cpt";
const REVENUE: &str = "https://www.nubc.org/CodeSystem/RevenueCodes";

/// The resources of an office visit: Encounter, Condition, two ChargeItems, and those that the sample claim has.
pub fn visit(number: &str) -> Vec<Value> {
    let claim = bundle(number);
    let entries = claim["entry"].as_array().unwrap().iter().map(|entry| entry["resource"].clone());
    let mut resources =
        vec![encounter(number), condition("J02.0"), charge("ch1", "99213", 100), charge("ch2", "87880", 40)];
    resources.extend(entries.filter(|resource| resource["resourceType"] != "Claim"));
    resources
}

/// An inpatient stay of three days, with a room, a pharmacy, an operation.
pub fn stay(number: &str) -> Vec<Value> {
    let mut resources = visit(number);
    let encounter = &mut resources[0];
    encounter["class"]["code"] = json!("IMP");
    encounter["priority"] = coded("http://terminology.hl7.org/CodeSystem/v3-ActPriority", "EM");
    encounter["period"] = json!({"start": "2026-03-01T14:30:00-05:00", "end": "2026-03-04T10:15:00-05:00"});
    encounter["diagnosis"] = json!([
        {"condition": {"reference": "Condition/dx"}, "use": coded("http://terminology.hl7.org/CodeSystem/diagnosis-role", "AD")},
        {"condition": {"reference": "Condition/dx"}, "rank": 1,
         "use": coded("http://terminology.hl7.org/CodeSystem/diagnosis-role", "DD")}
    ]);
    encounter["hospitalization"] = json!({
        "admitSource": coded("http://terminology.hl7.org/CodeSystem/admit-source", "emd"),
        "dischargeDisposition": coded("http://terminology.hl7.org/CodeSystem/discharge-disposition", "home")
    });
    resources[2]["code"] = coded(REVENUE, "0120");
    resources[2]["quantity"] = json!({"value": 3});
    resources[2]["priceOverride"]["value"] = json!(3000);
    resources[3]["code"] = coded(REVENUE, "0250");
    resources.push(json!({
        "resourceType": "Procedure", "id": "op", "status": "completed",
        "code": coded("http://www.cms.gov/Medicare/Coding/ICD10", "0DTJ4ZZ"),
        "subject": {"reference": "Patient/p1"}, "encounter": {"reference": "Encounter/enc"},
        "performedDateTime": "2026-03-02T08:00:00-05:00"
    }));
    resources
}

fn encounter(number: &str) -> Value {
    json!({
        "resourceType": "Encounter", "id": "enc",
        "identifier": [{"system": "https://ehr.example/visits", "value": number}],
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": "Patient/p1"},
        "participant": [{"type": [coded("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "ATND")],
                         "individual": {"reference": "Practitioner/rendering"}}],
        "period": {"start": "2026-03-03T09:00:00-05:00", "end": "2026-03-03T09:30:00-05:00"},
        "diagnosis": [{"condition": {"reference": "Condition/dx"}, "rank": 1}],
        "location": [{"location": {"reference": "Location/clinic"}}],
        "serviceProvider": {"reference": "Organization/billing"}
    })
}

fn condition(code: &str) -> Value {
    json!({
        "resourceType": "Condition", "id": "dx",
        "code": coded("http://hl7.org/fhir/sid/icd-10-cm", code), "subject": {"reference": "Patient/p1"},
        "encounter": {"reference": "Encounter/enc"}
    })
}

fn charge(id: &str, code: &str, price: u32) -> Value {
    json!({
        "resourceType": "ChargeItem", "id": id, "status": "billable", "code": coded(CPT, code),
        "subject": {"reference": "Patient/p1"}, "context": {"reference": "Encounter/enc"},
        "occurrenceDateTime": "2026-03-03T09:00:00-05:00", "quantity": {"value": 1},
        "priceOverride": {"value": price, "currency": "USD"}
    })
}

/// The resources as one collection.
pub fn collected(resources: &[Value]) -> Value {
    let entry = |resource: &Value| {
        let (kind, id) = (resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        json!({"fullUrl": format!("https://ehr.example/fhir/{kind}/{id}"), "resource": resource})
    };
    json!({"resourceType": "Bundle", "type": "collection", "entry": resources.iter().map(entry).collect::<Vec<_>>()})
}
