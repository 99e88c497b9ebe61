//! Subscriptions to topics (Subscriptions R5 Backport 1.1): kept, changed, deleted, and asked about.

use crate::fault::{Fault, Place, codes};
use crate::fhir::subscription::Content;
use crate::flow::{lookup, subscribe};
use crate::http::call::Call;
use crate::http::fhir::resource;
use crate::http::reply::Reply;
use crate::store::ResourceVersion;
use serde_json::Value;

const KIND: &str = "Subscription";

/// `POST /fhir/Subscription`.
pub async fn create(call: Call) -> Result<Reply, Fault> {
    let subscription = call.resource(KIND)?;
    let version = subscribe::create(&call.gateway, call.tenant(), &call.base, subscription).await?;
    told(&call, &version)
}

/// `PUT /fhir/Subscription/{id}`: also how one in error begins anew.
pub async fn update(call: Call) -> Result<Reply, Fault> {
    let (id, subscription) = (call.param(0).to_owned(), call.resource(KIND)?);
    if subscription["id"].as_str() != Some(&id) {
        let at = Place::FhirPath("Subscription.id".into());
        let hint = "set Subscription.id to the id in the URL";
        return Err(Fault::refuse(codes::NOT_A_RESOURCE, at, "the id of the resource is not the one in the URL", hint));
    }
    if let Some(wanted) = call.header("if-match") {
        let current = call.gateway.store.read(call.tenant(), KIND, &id).await?;
        resource::unchanged(wanted, current.as_ref())?;
    }
    let version = subscribe::update(&call.gateway, call.tenant(), &call.base, &id, subscription).await?;
    told(&call, &version)
}

/// `DELETE /fhir/Subscription/{id}`.
pub async fn delete(call: Call) -> Result<Reply, Fault> {
    subscribe::delete(&call.gateway, call.tenant(), call.param(0)).await?;
    Ok(Reply::nothing(204))
}

fn told(call: &Call, version: &ResourceVersion) -> Result<Reply, Fault> {
    let url = format!("{}/{KIND}/{}/_history/{}", call.base, version.id, version.version);
    let status = if version.version == 1 { 201 } else { 200 };
    let reply = Reply::fhir(status, &lookup::resource(version)?);
    let reply = reply.version(version.version, version.updated).location(url);
    Ok(if call.prefers("minimal") { reply.without_body() } else { reply })
}

/// `GET` or `POST /fhir/Subscription/$status` and `/fhir/Subscription/{id}/$status`.
pub async fn status(call: Call) -> Result<Reply, Fault> {
    let given = given(&call)?;
    let all = |name: &str| -> Vec<&str> {
        let values = given.iter().filter(|(each, _)| each == name).flat_map(|(_, value)| value.split(','));
        values.filter(|value| !value.is_empty()).collect()
    };
    let ids: Vec<&str> = match call.params.first() {
        Some(id) => vec![id],
        None => all("id"),
    };
    Ok(Reply::fhir(200, &subscribe::statuses(&call.gateway, call.tenant(), &ids, &all("status")).await?))
}

/// `GET` or `POST /fhir/Subscription/{id}/$events?eventsSinceNumber=…&eventsUntilNumber=…&content=…`: both numbers included.
pub async fn events(call: Call) -> Result<Reply, Fault> {
    let given = given(&call)?;
    let one = |name: &str| given.iter().find(|(each, _)| each == name).map(|(_, value)| value.as_str());
    let number = |name: &str, absent: u64| match one(name).map(str::parse::<u64>) {
        None => Ok(absent),
        Some(Ok(number)) => Ok(number),
        Some(Err(_)) => Err(refused(format!("`{name}` is not a number"), "write the number of an event")),
    };
    let range = (number("eventsSinceNumber", 1)?, number("eventsUntilNumber", u64::MAX)?);
    let content = match one("content") {
        None => None,
        Some(code) => Some(
            Content::of(code)
                .ok_or_else(|| refused("`content` is not known".into(), "ask for empty, id-only or full-resource"))?,
        ),
    };
    Ok(Reply::fhir(200, &subscribe::events(&call.gateway, call.tenant(), call.param(0), range, content).await?))
}

fn refused(text: String, hint: &str) -> Fault {
    Fault::refuse(codes::SEARCH_PARAMETER, Place::Whole, text, hint)
}

/// Parameters of an operation: those of the query, and those of a body.
fn given(call: &Call) -> Result<Vec<(String, String)>, Fault> {
    let mut given = call.query.clone();
    if !call.body.is_empty() {
        let body = call.resource("Parameters")?;
        for parameter in body["parameter"].as_array().into_iter().flatten() {
            let value = parameter.as_object().into_iter().flatten().find(|(name, _)| name.starts_with("value"));
            let text = value.map(|(_, value)| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            if let (Some(name), Some(text)) = (parameter["name"].as_str(), text) {
                given.push((name.to_owned(), text));
            }
        }
    }
    Ok(given)
}

/// `GET /fhir/SubscriptionTopic`: what can be subscribed to, as Basic resources.
pub async fn topics(call: Call) -> Result<Reply, Fault> {
    let mut bundle = call.gateway.topics.bundle();
    for entry in bundle.get_mut("entry").and_then(Value::as_array_mut).into_iter().flatten() {
        let url = entry["resource"]["extension"][0]["valueUri"].clone();
        entry["fullUrl"] = url;
    }
    Ok(Reply::fhir(200, &bundle))
}
