//! Resources that an EHR stores ahead of its claims: created under an id of ours, updated under the id that they have.

use crate::fault::{Fault, Place, any_error, codes};
use crate::fhir::validate;
use crate::flow::{bill, naming, submit};
use crate::gateway::Gateway;
use crate::store::ResourceVersion;
use serde_json::Value;

/// Types that are stored on their own. A Claim is a submission; what the gateway itself makes can only be read.
pub const STORED: &[&str] = &[
    "ChargeItem",
    "Condition",
    "Coverage",
    "Encounter",
    "Location",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Procedure",
    "RelatedPerson",
    "ServiceRequest",
];

/// Checks and stores a new resource; its own id means nothing here.
pub async fn create(gateway: &Gateway, tenant: &str, mut resource: Value) -> Result<ResourceVersion, Fault> {
    check(gateway, &resource)?;
    naming::set_id(&mut resource, &uuid::Uuid::now_v7().to_string());
    put(gateway, tenant, resource).await
}

/// Checks and stores the next version of a resource, or its first under the id that the caller chose.
pub async fn update(gateway: &Gateway, tenant: &str, resource: Value) -> Result<ResourceVersion, Fault> {
    check(gateway, &resource)?;
    if !resource["id"].is_string() {
        let at = Place::FhirPath(format!("{}.id", resource["resourceType"].as_str().unwrap_or_default()));
        return Err(Fault::refuse(
            codes::CARDINALITY,
            at,
            "an update needs the id",
            "set the id that stands in the URL",
        ));
    }
    put(gateway, tenant, resource).await
}

fn check(gateway: &Gateway, resource: &Value) -> Result<(), Fault> {
    let kind = resource["resourceType"].as_str().unwrap_or_default();
    if !STORED.contains(&kind) {
        let text = format!("a {kind} is not stored here");
        let hint = format!("these types are: {}; a Claim is submitted", STORED.join(", "));
        return Err(Fault::refuse(codes::NOT_A_RESOURCE, Place::Whole, text, hint));
    }
    let issues = validate::resource(&gateway.translator.definitions, resource, kind);
    if any_error(&issues) { Err(Fault::caller(issues)) } else { Ok(()) }
}

async fn put(gateway: &Gateway, tenant: &str, resource: Value) -> Result<ResourceVersion, Fault> {
    let mut versions = gateway.store.put(tenant, vec![submit::write(resource)], gateway.clock.now()).await?;
    let version = versions.pop().ok_or_else(|| Fault::ours(codes::STORE, "the resource was not stored"))?;
    if version.kind == "Encounter" {
        bill::noticed(gateway, tenant, &version).await?;
    }
    Ok(version)
}
