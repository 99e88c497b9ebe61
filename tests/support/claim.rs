//! A professional claim that northwind takes: eight resources, two lines. Tests change what they are about.

use serde_json::{Value, json};

/// A collection Bundle with the claim `number` (CLM01).
pub fn bundle(number: &str) -> Value {
    let entries = [claim(number), patient(), coverage(), payer(), billing(), rendering(), role(), facility()];
    let entry = |resource: Value| {
        let url = format!("https://ehr.example/fhir/{}/{}", text(&resource["resourceType"]), text(&resource["id"]));
        json!({"fullUrl": url, "resource": resource})
    };
    json!({"resourceType": "Bundle", "type": "collection", "entry": entries.map(entry)})
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn coded(system: &str, code: &str) -> Value {
    json!({"coding": [{"system": system, "code": code}]})
}

fn line(sequence: u32, code: &str, amount: &str) -> Value {
    let mut line = json!({
        "sequence": sequence,
        "diagnosisSequence": [1],
        "productOrService": coded("http://www.ama-assn.org/go/cpt", code),
        "servicedDate": "2026-03-03",
        "locationCodeableConcept": coded("https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set", "11"),
        "quantity": {"value": 1},
        "net": {"currency": "USD"}
    });
    line["net"]["value"] = serde_json::from_str(amount).unwrap();
    line
}

pub fn claim(number: &str) -> Value {
    json!({
        "resourceType": "Claim", "id": "c1",
        "identifier": [{"system": "https://ehr.example/claims", "value": number}],
        "status": "active",
        "type": coded("http://terminology.hl7.org/CodeSystem/claim-type", "professional"),
        "use": "claim",
        "patient": {"reference": "Patient/p1"},
        "created": "2026-03-04",
        "provider": {"reference": "Organization/billing"},
        "priority": coded("http://terminology.hl7.org/CodeSystem/processpriority", "normal"),
        "facility": {"reference": "Location/clinic"},
        "careTeam": [{"sequence": 1, "provider": {"reference": "Practitioner/rendering"},
                      "role": coded("http://hl7.org/fhir/us/carin-bb/CodeSystem/C4BBClaimCareTeamRole", "rendering")}],
        "diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": coded("http://hl7.org/fhir/sid/icd-10-cm", "J02.0")}],
        "insurance": [{"sequence": 1, "focal": true, "coverage": {"reference": "Coverage/cov"}}],
        "item": [line(1, "99213", "100.00"), line(2, "87880", "40.00")],
        "total": {"value": serde_json::from_str::<Value>("140.00").unwrap(), "currency": "USD"}
    })
}

fn patient() -> Value {
    json!({
        "resourceType": "Patient", "id": "p1",
        "name": [{"use": "official", "family": "Rivera", "given": ["Ana"]}],
        "gender": "female", "birthDate": "1980-05-01",
        "address": [{"use": "home", "line": ["236 N Main St"], "city": "Miami", "state": "FL", "postalCode": "33413"}]
    })
}

fn coverage() -> Value {
    json!({
        "resourceType": "Coverage", "id": "cov", "status": "active",
        "type": coded("https://codesystem.x12.org/005010/1032", "CI"),
        "subscriber": {"reference": "Patient/p1"}, "subscriberId": "NW00112233",
        "beneficiary": {"reference": "Patient/p1"},
        "relationship": coded("http://terminology.hl7.org/CodeSystem/subscriber-relationship", "self"),
        "payor": [{"reference": "Organization/payer"}],
        "order": 1
    })
}

fn payer() -> Value {
    json!({
        "resourceType": "Organization", "id": "payer", "name": "Northwind Health Plan",
        "identifier": [{"type": coded("http://hl7.org/fhir/us/carin-bb/CodeSystem/C4BBIdentifierType", "payerid"), "value": "NW001"}]
    })
}

fn billing() -> Value {
    json!({
        "resourceType": "Organization", "id": "billing", "name": "Ben Kildare Service",
        "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"},
                       {"system": "urn:oid:2.16.840.1.113883.4.4", "value": "58-7654321"}],
        "type": [coded("http://nucc.org/provider-taxonomy", "207Q00000X")],
        "address": [{"line": ["234 Seaway St"], "city": "Miami", "state": "FL", "postalCode": "33111-0000"}]
    })
}

fn rendering() -> Value {
    json!({
        "resourceType": "Practitioner", "id": "rendering",
        "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1999996667"}],
        "name": [{"family": "Kildare", "given": ["Ben"]}]
    })
}

fn role() -> Value {
    json!({
        "resourceType": "PractitionerRole", "id": "role",
        "practitioner": {"reference": "Practitioner/rendering"}, "organization": {"reference": "Organization/billing"},
        "specialty": [coded("http://nucc.org/provider-taxonomy", "207Q00000X")]
    })
}

fn facility() -> Value {
    json!({
        "resourceType": "Location", "id": "clinic", "name": "Kildare Associates",
        "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1581234568"}],
        "address": {"line": ["2345 Ocean Blvd"], "city": "Miami", "state": "FL", "postalCode": "33111-0001"}
    })
}

/// The first resource of a type in a Bundle, to be changed.
pub fn of<'a>(bundle: &'a mut Value, kind: &str) -> &'a mut Value {
    let entries = bundle["entry"].as_array_mut().unwrap();
    let found =
        entries.iter_mut().map(|entry| &mut entry["resource"]).find(|resource| resource["resourceType"] == kind);
    found.unwrap()
}
