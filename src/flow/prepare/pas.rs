//! FHIR to FHIR: a submission as a Da Vinci PAS request Bundle (profile-pas-request-bundle), for payers that answer
//! `Claim/$submit` themselves. Nothing is invented: what came is put in order, named, and says the profiles it follows; the
//! codes that PAS wants on every item are those of the billing record.

use super::Known;
use crate::billing::record::BillingRecord;
use crate::fhir::bundle::Resources;
use crate::flow::naming;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

const BASE: &str = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/";

/// The profile of each type; organizations and patients are told apart by their part in the request.
const PROFILES: &[(&str, &str)] = &[
    ("Claim", "profile-claim"),
    ("Coverage", "profile-coverage"),
    ("Patient", "profile-beneficiary"),
    ("Organization", "profile-requestor"),
    ("Practitioner", "profile-practitioner"),
    ("PractitionerRole", "profile-practitionerrole"),
    ("Encounter", "profile-encounter"),
    ("Location", "profile-location"),
    ("ServiceRequest", "profile-servicerequest"),
    ("MedicationRequest", "profile-medicationrequest"),
    ("DeviceRequest", "profile-devicerequest"),
    ("NutritionOrder", "profile-nutritionorder"),
];

/// The Bundle: the Claim first, then everything else that came or was stored, each once, under a name of this Bundle.
pub fn bundle(resources: &Resources, record: &BillingRecord, known: &Known) -> Value {
    let focal = resources.focal();
    let others = resources.handed_in().chain(resources.stored().map(|(_, stored)| stored));
    let all: Vec<&Value> = std::iter::once(focal).chain(others.filter(|other| !std::ptr::eq(*other, focal))).collect();
    let names: HashMap<*const Value, String> = all
        .iter()
        .enumerate()
        .map(|(n, resource)| (std::ptr::from_ref(*resource), format!("urn:uuid:{}", name_of(&known.trace_number, n))))
        .collect();
    let entries = all.iter().map(|resource| {
        let mut copy = (*resource).clone();
        naming::rewrite(&mut copy, resource, resources, &names);
        let url = names.get(&std::ptr::from_ref(*resource)).cloned().unwrap_or_default();
        naming::set_id(&mut copy, url.trim_start_matches("urn:uuid:"));
        profiled(&mut copy, resource, resources);
        if std::ptr::eq(*resource, focal) {
            completed(&mut copy, record);
            insured(&mut copy, resources, &names);
        }
        json!({"fullUrl": url, "resource": copy})
    });
    json!({
        "resourceType": "Bundle",
        "meta": {"profile": [format!("{BASE}profile-pas-request-bundle")]},
        "identifier": {"system": "https://claimgate.dev/fhir/submission", "value": known.trace_number},
        "type": "collection",
        "timestamp": known.now.to_string(),
        "entry": entries.collect::<Vec<_>>(),
    })
}

/// A UUID (version 8, RFC 9562) of the request's number and the place: the same request has the same names.
fn name_of(trace: &str, n: usize) -> uuid::Uuid {
    let digest = Sha256::digest(format!("{trace}/{n}"));
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest.iter()).for_each(|(byte, hashed)| *byte = *hashed);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// Says the profile, unless the resource names one of PAS by itself.
fn profiled(copy: &mut Value, resource: &Value, resources: &Resources) {
    let kind = resource["resourceType"].as_str().unwrap_or_default();
    let Some((_, usual)) = PROFILES.iter().find(|(known, _)| *known == kind) else { return };
    let profile = match kind {
        "Organization" if is_insurer(resource, resources) => "profile-insurer",
        "Claim" if resource["related"].is_array() => "profile-claim-update",
        _ => *usual,
    };
    let stated = copy["meta"]["profile"].as_array().cloned().unwrap_or_default();
    if stated.iter().filter_map(Value::as_str).any(|url| url.starts_with(BASE)) {
        return;
    }
    let mut meta = copy["meta"].as_object().cloned().unwrap_or_default();
    let urls = stated.into_iter().chain([Value::from(format!("{BASE}{profile}"))]).collect();
    meta.insert("profile".into(), Value::Array(urls));
    put(copy, "meta", Value::Object(meta), 2);
}

/// A property at a place that people look for it, if the resource has it not yet.
fn put(resource: &mut Value, name: &str, value: Value, at: usize) {
    let Some(object) = resource.as_object_mut() else { return };
    if let Some(known) = object.get_mut(name) {
        *known = value;
        return;
    }
    let at = at.min(object.len());
    object.shift_insert(at, name.into(), value);
}

/// PAS wants the insurer on the Claim; a caller may have named it on the Coverage alone.
fn insured(claim: &mut Value, resources: &Resources, names: &HashMap<*const Value, String>) {
    if claim["insurer"].is_object() {
        return;
    }
    let payor = resources.handed_in().chain(resources.stored().map(|(_, stored)| stored));
    let payor = payor.filter(|resource| resource["resourceType"] == "Organization").find(|o| is_insurer(o, resources));
    if let Some(name) = payor.and_then(|payor| names.get(&std::ptr::from_ref(payor))) {
        put(claim, "insurer", json!({"reference": name}), 10);
    }
}

fn is_insurer(organization: &Value, resources: &Resources) -> bool {
    let focal = resources.focal();
    let is = |container: &Value, reference: &Value| {
        resources.resolve(container, reference).is_some_and(|found| std::ptr::eq(found, organization))
    };
    let insurances = focal["insurance"].as_array().map(Vec::as_slice).unwrap_or_default();
    let coverages = insurances.iter().filter_map(|insurance| resources.resolve(focal, &insurance["coverage"]));
    is(focal, &focal["insurer"]) || coverages.into_iter().any(|coverage| is(coverage, &coverage["payor"][0]))
}

/// Request category and certification type of each item, where the caller left them to the gateway.
fn completed(claim: &mut Value, record: &BillingRecord) {
    let Some(review) = &record.review else { return };
    let wanted = [
        ("extension-serviceItemRequestType", "1525", review.category.as_str()),
        ("extension-certificationType", "1322", review.certification_type.as_str()),
    ];
    for item in claim["item"].as_array_mut().into_iter().flatten() {
        let mut extensions = item["extension"].as_array().cloned().unwrap_or_default();
        for (name, element, code) in wanted {
            let url = format!("{BASE}{name}");
            if extensions.iter().all(|known| known["url"] != url.as_str()) {
                let system = format!("https://codesystem.x12.org/005010/{element}");
                let concept = json!({"coding": [{"system": system, "code": code}]});
                extensions.push(Value::Object(Map::from_iter([
                    ("url".to_owned(), Value::from(url)),
                    ("valueCodeableConcept".to_owned(), concept),
                ])));
            }
        }
        put(item, "extension", Value::Array(extensions), 0);
    }
}
