//! A Bundle at the base: a collection with one focal claim is a submission; a transaction is all or nothing; in a batch
//! each entry stands for itself, except that a claim may use the other resources of its batch.

use crate::fault::{Fault, Place, any_error, codes};
use crate::fhir::bundle::Resources;
use crate::fhir::outcome;
use crate::flow::submit::{self, Answer, Request};
use crate::flow::{bill, naming, store};
use crate::gateway::Gateway;
use serde_json::{Value, json};

/// What the caller hears.
pub enum Exchanged {
    /// The Bundle was a submission.
    Submitted(Box<Answer>),
    /// A batch-response or transaction-response.
    Responses(Value),
}

/// The journey.
pub async fn exchange(gateway: &Gateway, request: Request) -> Result<Exchanged, Fault> {
    match request.body["type"].as_str() {
        Some("batch") => batch(gateway, request).await.map(Exchanged::Responses),
        Some("transaction") => transaction(gateway, request).await.map(Exchanged::Responses),
        _ => submit::submit(gateway, request).await.map(|answer| Exchanged::Submitted(Box::new(answer))),
    }
}

/// Whether an entry is something to be carried to a payer.
fn is_claim(entry: &Value) -> bool {
    submit::is_carried(entry["resource"]["resourceType"].as_str().unwrap_or_default())
}

fn entries(body: &Value) -> &[Value] {
    body["entry"].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// All or nothing. One claim at most: the promise to carry it covers the whole transaction.
async fn transaction(gateway: &Gateway, request: Request) -> Result<Value, Fault> {
    for (n, entry) in entries(&request.body).iter().enumerate() {
        method(n, entry)?;
    }
    let claims = entries(&request.body).iter().filter(|entry| is_claim(entry)).count();
    let count = entries(&request.body).len();
    let stored = match claims {
        0 => all(gateway, request).await?,
        1 => submit::submit(gateway, request).await?.stored,
        _ => {
            let text = format!("a transaction with {claims} claims can't be promised as a whole");
            let at = Place::FhirPath("Bundle.entry".into());
            return Err(Fault::refuse(
                codes::BUNDLE_SHAPE,
                at,
                text,
                "send one claim a transaction, or a Bundle of type batch",
            ));
        }
    };
    // A transaction that was taken before stores nothing again.
    let response =
        |n: usize| stored.get(n).map_or_else(|| json!({"response": {"status": "200 OK"}}), |new| created(new));
    Ok(
        json!({"resourceType": "Bundle", "type": "transaction-response", "entry": (0..count).map(response).collect::<Vec<_>>()}),
    )
}

fn created(reference: &str) -> Value {
    json!({"response": {"status": "201 Created", "location": format!("{reference}/_history/1"), "etag": "W/\"1\""}})
}

/// Resources without a claim, stored together; references between them follow their new ids.
async fn all(gateway: &Gateway, request: Request) -> Result<Vec<String>, Fault> {
    let resources = Resources::gather(request.body, gateway.translator.config.limits.bundle_entries)?;
    let issues = resources.validate(&gateway.translator.definitions);
    if any_error(&issues) {
        return Err(Fault::caller(issues));
    }
    let named = naming::name(&resources);
    let writes = named.resources.into_iter().map(submit::write).collect();
    let versions = gateway.store.put(&request.tenant, writes, gateway.clock.now()).await?;
    for version in versions.iter().filter(|version| version.kind == "Encounter") {
        bill::noticed(gateway, &request.tenant, version).await?;
    }
    Ok(versions.into_iter().map(|version| format!("{}/{}", version.kind, version.id)).collect())
}

/// Each entry by itself; a refused one is told so and stops no other.
async fn batch(gateway: &Gateway, request: Request) -> Result<Value, Fault> {
    let most = gateway.translator.config.limits.bundle_entries;
    if entries(&request.body).len() > most {
        let text = format!("{} entries; {most} are allowed", entries(&request.body).len());
        let at = Place::FhirPath("Bundle.entry".into());
        return Err(Fault::refuse(codes::TOO_MANY, at, text, "send several smaller Bundles"));
    }
    let mut responses = Vec::new();
    for (n, entry) in entries(&request.body).iter().enumerate() {
        let done = one(gateway, &request, n, entry).await;
        responses.push(done.unwrap_or_else(|fault| refused(&fault, gateway.translator.config.limits.issues)));
    }
    Ok(json!({"resourceType": "Bundle", "type": "batch-response", "entry": responses}))
}

fn refused(fault: &Fault, limit: usize) -> Value {
    json!({"response": {"status": fault.status().to_string(), "outcome": outcome::operation_outcome(&fault.issues, limit)}})
}

async fn one(gateway: &Gateway, request: &Request, n: usize, entry: &Value) -> Result<Value, Fault> {
    let update = method(n, entry)?;
    if is_claim(entry) && !update {
        let body = with_others(&request.body, entry);
        let request = Request { tenant: request.tenant.clone(), body, idempotency_key: None };
        let answer = submit::submit(gateway, request).await?;
        return Ok(created(&answer.claim));
    }
    let resource = entry["resource"].clone();
    let version = match update {
        true => store::update(gateway, &request.tenant, resource).await?,
        false => store::create(gateway, &request.tenant, resource).await?,
    };
    Ok(created(&format!("{}/{}", version.kind, version.id)))
}

/// One claim of a batch with the resources that are no claims.
fn with_others(body: &Value, claim: &Value) -> Value {
    let others = entries(body).iter().filter(|entry| !is_claim(entry));
    let all: Vec<Value> = std::iter::once(claim).chain(others).cloned().collect();
    json!({"resourceType": "Bundle", "type": "collection", "entry": all})
}

/// Whether an entry is an update; only POST and PUT of the type that it holds are taken.
fn method(n: usize, entry: &Value) -> Result<bool, Fault> {
    let request = &entry["request"];
    let kind = entry["resource"]["resourceType"].as_str().unwrap_or_default();
    let url = request["url"].as_str().unwrap_or_default();
    let named = url.split('/').next().unwrap_or_default();
    let refuse = |what: &str, text: String, hint: &str| {
        let at = Place::FhirPath(format!("Bundle.entry[{n}].request.{what}"));
        Err(Fault::refuse(codes::BUNDLE_SHAPE, at, text, hint))
    };
    match request["method"].as_str() {
        Some("POST" | "PUT") if kind.is_empty() => {
            refuse("method", "the entry has no resource".into(), "add the resource")
        }
        Some("POST") if named == kind => Ok(false),
        Some("PUT") if url == format!("{kind}/{}", entry["resource"]["id"].as_str().unwrap_or_default()) => Ok(true),
        Some("POST" | "PUT") => {
            refuse("url", format!("the url {url:?} does not fit the {kind}"), "POST to {type}, PUT to {type}/{id}")
        }
        _ => refuse(
            "method",
            "only POST and PUT are taken in a Bundle".into(),
            "read and search with GET on the resource itself",
        ),
    }
}
