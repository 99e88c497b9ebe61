//! Claims come in: by `$submit`, as a create, or in a Bundle at the base.

use crate::fault::{Fault, Place, codes};
use crate::flow::exchange::{self, Exchanged};
use crate::flow::intake;
use crate::flow::lookup;
use crate::flow::submit::{self, Answer, Request};
use crate::http::call::Call;
use crate::http::reply::Reply;
use serde_json::Value;
use warp::http::header;

/// `POST /fhir/Claim/$submit`: a Claim, a Bundle around it, or Parameters with either; answered with the ClaimResponse.
pub async fn operation(call: Call) -> Result<Reply, Fault> {
    let answer = submit::submit(&call.gateway, request(&call, call.json()?)?).await?;
    Ok(told(&call, &answer))
}

/// `POST /fhir/Claim`: the same promise, answered with the Claim as it is kept.
pub async fn create(call: Call) -> Result<Reply, Fault> {
    if call.header("if-none-exist").is_some() {
        let hint = "send an Idempotency-Key; a claim with the same Claim.identifier is recognised anyway";
        return Err(Fault::refuse(codes::PRECONDITION, Place::Whole, "If-None-Exist is not offered for claims", hint));
    }
    let answer = submit::submit(&call.gateway, request(&call, call.resource("Claim")?)?).await?;
    let id = answer.claim.trim_start_matches("Claim/");
    let version = lookup::read(&call.gateway, call.tenant(), "Claim", id).await?;
    let reply = Reply::fhir(status(&answer), &lookup::resource(&version)?);
    let reply = located(&call, reply, &answer).version(version.version, version.updated);
    Ok(if call.prefers("minimal") { reply.without_body() } else { reply })
}

/// `POST /fhir`: a collection with a claim is a submission; batch and transaction are answered entry by entry.
pub async fn bundle(call: Call) -> Result<Reply, Fault> {
    let body = call.json()?;
    if body.get("resourceType").and_then(Value::as_str) != Some("Bundle") {
        let hint = "send a Bundle; a single resource goes to /fhir/{type}";
        return Err(Fault::refuse(codes::NOT_A_RESOURCE, Place::Whole, "the body is not a Bundle", hint));
    }
    match exchange::exchange(&call.gateway, request(&call, body)?).await? {
        Exchanged::Submitted(answer) => Ok(told(&call, &answer)),
        Exchanged::Responses(responses) => Ok(Reply::fhir(200, &responses)),
    }
}

/// The header by which a caller names the system that wrote a claim, when it can't write `meta.source`.
const SOURCE: &str = "x-claimgate-source";

fn request(call: &Call, mut body: Value) -> Result<Request, Fault> {
    if let Some(source) = call.header(SOURCE).filter(|source| !source.is_empty()) {
        intake::name_source(&mut body, source);
    }
    Ok(Request { tenant: call.tenant().to_owned(), body, idempotency_key: call.idempotency_key()? })
}

/// 201 for a new promise, 200 for one that was given before.
fn status(answer: &Answer) -> u16 {
    if answer.repeated { 200 } else { 201 }
}

fn told(call: &Call, answer: &Answer) -> Reply {
    let reply = Reply::fhir(status(answer), &answer.response);
    let id = answer.response["id"].as_str().unwrap_or_default();
    let reply = reply.header(header::CONTENT_LOCATION, format!("{}/ClaimResponse/{id}", call.base));
    located(call, reply, answer)
}

/// `Location` is the claim: by its id everything else is found.
fn located(call: &Call, reply: Reply, answer: &Answer) -> Reply {
    reply.location(format!("{}/{}/_history/1", call.base, answer.claim))
}
