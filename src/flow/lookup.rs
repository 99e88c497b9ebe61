//! What callers may know: resources, their versions, what was found by search, and a claim's journey.

use crate::billing::id::{InterchangeId, SubmissionId};
use crate::fault::{Fault, Place, codes};
use crate::flow::journey;
use crate::gateway::Gateway;
use crate::store::{Key, Query, ResourceVersion, Store, Submission};
use jiff::Timestamp;
use serde_json::{Value, json};

/// A version as a resource, with `meta.versionId` and `meta.lastUpdated`.
pub fn resource(version: &ResourceVersion) -> Result<Value, Fault> {
    let value = serde_json::from_str(&version.body)
        .map_err(|_| Fault::ours(codes::STORE, format!("{}/{} can't be read", version.kind, version.id)))?;
    Ok(with_meta(value, version.version, version.updated))
}

/// Adds what the server says of a version; the caller's own meta stays.
pub fn with_meta(mut resource: Value, version: u32, updated: Timestamp) -> Value {
    let Some(object) = resource.as_object_mut() else { return resource };
    let mut meta = object.shift_remove("meta").filter(Value::is_object).unwrap_or_else(|| json!({}));
    meta["versionId"] = Value::from(version.to_string());
    meta["lastUpdated"] = Value::from(updated.to_string());
    let at = object.len().min(2);
    object.shift_insert(at, "meta".into(), meta);
    resource
}

/// Takes away what `with_meta` has added.
pub fn without_meta(resource: &mut Value) {
    let Some(object) = resource.as_object_mut() else { return };
    if let Some(meta) = object.get_mut("meta").and_then(Value::as_object_mut) {
        meta.shift_remove("versionId");
        meta.shift_remove("lastUpdated");
    }
    if object.get("meta").and_then(Value::as_object).is_some_and(serde_json::Map::is_empty) {
        object.shift_remove("meta");
    }
}

/// Newest version, by `Type/id`.
pub async fn read_reference(gateway: &Gateway, tenant: &str, reference: &str) -> Result<Option<Value>, Fault> {
    let Some((kind, id)) = reference.split_once('/') else { return Ok(None) };
    gateway.store.read(tenant, kind, id).await?.as_ref().map(resource).transpose()
}

/// Newest version; a clear refusal when there is none.
pub async fn read(gateway: &Gateway, tenant: &str, kind: &str, id: &str) -> Result<ResourceVersion, Fault> {
    gateway.store.read(tenant, kind, id).await?.ok_or_else(|| not_found(&format!("{kind}/{id}")))
}

/// One version.
pub async fn version(gateway: &Gateway, tenant: &str, kind: &str, id: &str, n: u32) -> Result<ResourceVersion, Fault> {
    let all = gateway.store.history(tenant, kind, id).await?;
    let found = all.into_iter().find(|version| version.version == n);
    found.ok_or_else(|| not_found(&format!("{kind}/{id}/_history/{n}")))
}

/// All versions as a history Bundle, newest first.
pub async fn history(gateway: &Gateway, tenant: &str, kind: &str, id: &str) -> Result<Value, Fault> {
    let all = gateway.store.history(tenant, kind, id).await?;
    if all.is_empty() {
        return Err(not_found(&format!("{kind}/{id}")));
    }
    bundle("history", &all)
}

/// What a search finds as a searchset Bundle.
pub async fn search(gateway: &Gateway, tenant: &str, query: &Query) -> Result<Value, Fault> {
    bundle("searchset", &gateway.store.search(tenant, query).await?)
}

fn bundle(kind: &str, versions: &[ResourceVersion]) -> Result<Value, Fault> {
    let entries = versions.iter().map(|version| entry(kind, version)).collect::<Result<Vec<_>, Fault>>()?;
    let mut bundle = json!({"resourceType": "Bundle", "type": kind, "total": versions.len()});
    if !entries.is_empty() {
        bundle["entry"] = Value::from(entries);
    }
    Ok(bundle)
}

fn entry(kind: &str, version: &ResourceVersion) -> Result<Value, Fault> {
    let mut entry = json!({"fullUrl": format!("{}/{}", version.kind, version.id), "resource": resource(version)?});
    match kind {
        "history" => {
            let method = if version.version == 1 { "POST" } else { "PUT" };
            let status = if version.version == 1 { "201" } else { "200" };
            entry["request"] = json!({"method": method, "url": format!("{}/{}", version.kind, version.id)});
            entry["response"] = json!({"status": status, "etag": format!("W/\"{}\"", version.version)});
        }
        _ => entry["search"] = json!({"mode": "match"}),
    }
    Ok(entry)
}

/// A claim's life: what was received, sent and answered, in order.
pub async fn journey(gateway: &Gateway, tenant: &str, of: &str) -> Result<Value, Fault> {
    journey::of(gateway.store.as_ref(), tenant, of).await
}

/// The submission that is meant: by its id, the reference of a resource of it (`Claim/…`, `ClaimResponse/…`), the id or an
/// identifier of its Claim, or a patient control number; of several the newest.
pub async fn submission(store: &dyn Store, tenant: &str, of: &str) -> Result<Submission, Fault> {
    for reference in [of.to_owned(), format!("Claim/{of}")] {
        if let Some(found) = store.submission_of(tenant, &reference).await? {
            return Ok(found);
        }
    }
    if let Some(found) = store.submission(&SubmissionId(of.to_owned())).await? {
        return if found.tenant == tenant { Ok(found) } else { Err(not_found(of)) };
    }
    let conditions = vec![("identifier".to_owned(), vec![of.to_owned()])];
    let query = Query { kind: "Claim".into(), conditions, limit: 1, ..Query::default() };
    for claim in store.search(tenant, &query).await? {
        if let Some(found) = store.submission_of(tenant, &format!("Claim/{}", claim.id)).await? {
            return Ok(found);
        }
    }
    let found = store.find(None, &Key::PatientControlNumber(of.to_owned())).await?;
    let mut own = found.into_iter().map(|found| found.submission).filter(|found| found.tenant == tenant);
    own.next().ok_or_else(|| not_found(of))
}

/// The files of a journey, in order: what was sent and what was answered, each with its name. They hold PHI.
pub async fn files(gateway: &Gateway, journey: &Value) -> Result<Vec<(String, String)>, Fault> {
    let mut files: Vec<(String, String)> = Vec::new();
    for step in journey["steps"].as_array().into_iter().flatten() {
        let file = match (&step["event"], &step["detail"]) {
            (event, detail) if event == "sealed" => sent_file(gateway, &detail["interchange"]).await?,
            (_, detail) => answer_file(gateway, &detail["inbound"]).await?,
        };
        files.extend(file.filter(|(name, _)| !files.iter().any(|(known, _)| known == name)));
    }
    Ok(files)
}

async fn sent_file(gateway: &Gateway, id: &Value) -> Result<Option<(String, String)>, Fault> {
    let id = InterchangeId(id.as_str().unwrap_or_default().to_owned());
    let found = gateway.store.interchange(&id).await?;
    Ok(found.map(|interchange| (interchange.name, String::from_utf8_lossy(&interchange.bytes).into_owned())))
}

async fn answer_file(gateway: &Gateway, id: &Value) -> Result<Option<(String, String)>, Fault> {
    let Some(id) = id.as_str() else { return Ok(None) };
    let found = gateway.store.inbound(&InterchangeId(id.to_owned())).await?;
    Ok(found.map(|inbound| (inbound.name, String::from_utf8_lossy(&inbound.bytes).into_owned())))
}

fn not_found(what: &str) -> Fault {
    Fault::refuse(codes::NOT_FOUND, Place::Whole, format!("there is no {what}"), "check the type and the id")
}
