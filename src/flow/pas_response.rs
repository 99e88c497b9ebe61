//! The answer to a request for authorization as Da Vinci PAS hands it over: a PAS Response Bundle, the ClaimResponse first, and
//! behind it whatever it refers to.

use crate::fault::Fault;
use crate::flow::lookup;
use crate::gateway::Gateway;
use jiff::Timestamp;
use serde_json::{Value, json};

const PROFILE: &str = "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/profile-pas-response-bundle";
/// Identifier of the Bundle: our own id of the answer.
const IDENTIFIER: &str = "https://claimgate.dev/fhir/sid/claim-response";
/// Resources whose own references are not followed: they would bring the whole request.
const LEAVES: &[&str] = &["Claim", "ClaimResponse"];

/// The Bundle of a ClaimResponse; `base` is the address that what it holds is named by. What is not stored is left out: its
/// reference says all that is known.
pub async fn bundle(
    gateway: &Gateway,
    (tenant, base): (&str, &str),
    response: Value,
    at: Timestamp,
) -> Result<Value, Fault> {
    let id = response["id"].as_str().unwrap_or_default().to_owned();
    let most = gateway.translator.config.limits.bundle_entries;
    let mut wanted = references(&response);
    let mut entries = vec![(format!("ClaimResponse/{id}"), response)];
    while let Some(reference) = wanted.pop() {
        if entries.len() >= most || entries.iter().any(|(known, _)| *known == reference) {
            continue;
        }
        let Some(found) = lookup::read_reference(gateway, tenant, &reference).await? else { continue };
        if !LEAVES.contains(&reference.split('/').next().unwrap_or_default()) {
            wanted.extend(references(&found));
        }
        entries.push((reference, found));
    }
    let entry = |(reference, resource): (String, Value)| json!({"fullUrl": format!("{base}/{reference}"), "resource": resource});
    Ok(json!({
        "resourceType": "Bundle",
        "id": id,
        "meta": {"profile": [PROFILE]},
        "identifier": {"system": IDENTIFIER, "value": id},
        "type": "collection",
        "timestamp": at.to_string(),
        "entry": entries.into_iter().map(entry).collect::<Vec<_>>(),
    }))
}

/// `Type/id` of all that a resource refers to, the first of them last.
fn references(resource: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = vec![resource];
    while let Some(value) = rest.pop() {
        match value {
            Value::Object(object) => {
                found.extend(
                    object
                        .get("reference")
                        .and_then(Value::as_str)
                        .filter(|told| told.contains('/'))
                        .map(str::to_owned),
                );
                rest.extend(object.values().rev());
            }
            Value::Array(items) => rest.extend(items.iter().rev()),
            _ => {}
        }
    }
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_wherever_they_stand() {
        let response = json!({"patient": {"reference": "Patient/1"}, "insurer": {"reference": "#payer"},
            "item": [{"extension": [{"valueReference": {"reference": "Practitioner/2"}}]}]});
        assert_eq!(references(&response), ["Practitioner/2", "Patient/1"]);
    }
}
