//! Claims, requests for authorization and eligibility inquiries come in: by `$submit`, as a create, or in a Bundle at the base.

use crate::fault::{Fault, Place, codes};
use crate::flow::bill;
use crate::flow::exchange::{self, Exchanged};
use crate::flow::lookup;
use crate::flow::submit::{self, Answer, Request};
use crate::flow::{inquire, intake};
use crate::http::call::Call;
use crate::http::fhir::resource;
use crate::http::reply::Reply;
use serde_json::Value;
use warp::http::header;

/// `POST /fhir/Claim/$submit`, `POST /fhir/CoverageEligibilityRequest/$submit`: the resource, a Bundle around it, or Parameters
/// with either; answered with the ClaimResponse or CoverageEligibilityResponse.
pub async fn operation(call: Call) -> Result<Reply, Fault> {
    let answer = submit::submit(&call.gateway, request(&call, call.json()?)?).await?;
    Ok(told(&call, &answer))
}

/// `POST /fhir/Claim`: the same promise, answered with the Claim as it is kept.
pub async fn create_claim(call: Call) -> Result<Reply, Fault> {
    create(call, "Claim").await
}

/// `POST /fhir/CoverageEligibilityRequest`: likewise.
pub async fn create_eligibility(call: Call) -> Result<Reply, Fault> {
    create(call, "CoverageEligibilityRequest").await
}

async fn create(call: Call, kind: &str) -> Result<Reply, Fault> {
    if call.header("if-none-exist").is_some() {
        let hint = "send an Idempotency-Key; a claim with the same identifier is recognised anyway";
        let text = "If-None-Exist is not offered for what is carried to a payer";
        return Err(Fault::refuse(codes::PRECONDITION, Place::Whole, text, hint));
    }
    let answer = submit::submit(&call.gateway, request(&call, call.resource(kind)?)?).await?;
    kept(&call, &answer, status(&answer)).await
}

/// `PUT /fhir/Claim/{id}`: the next version of a claim that was submitted. It mends one that is held or was rejected,
/// replaces one that the payer has, or voids it (status cancelled).
pub async fn update(call: Call) -> Result<Reply, Fault> {
    let id = call.param(0).to_owned();
    let claim = call.resource("Claim")?;
    if claim["id"].as_str() != Some(&id) {
        let at = Place::FhirPath("Claim.id".into());
        let hint = "set Claim.id to the id in the URL";
        return Err(Fault::refuse(codes::NOT_A_RESOURCE, at, "the id of the claim is not the one in the URL", hint));
    }
    if let Some(wanted) = call.header("if-match") {
        let current = call.gateway.store.read(call.tenant(), "Claim", &id).await?;
        resource::unchanged(wanted, current.as_ref())?;
    }
    let answer = submit::update(&call.gateway, request(&call, claim)?, &format!("Claim/{id}")).await?;
    kept(&call, &answer, 200).await
}

/// The claim or request as it is kept.
async fn kept(call: &Call, answer: &Answer, status: u16) -> Result<Reply, Fault> {
    let (kind, id) = answer.claim.split_once('/').unwrap_or_default();
    let version = lookup::read(&call.gateway, call.tenant(), kind, id).await?;
    let reply = Reply::fhir(status, &lookup::resource(&version)?);
    let reply = located(call, reply, answer).version(version.version, version.updated);
    Ok(if call.prefers("minimal") { reply.without_body() } else { reply })
}

/// `POST /fhir/Claim/$inquire`: Parameters with `claim`, a reference to the Claim; or a Claim with an identifier of one that was
/// submitted, alone or in a Bundle. Answered with its ClaimResponse as it stands; the payer is asked meanwhile.
pub async fn inquire(call: Call) -> Result<Reply, Fault> {
    Ok(Reply::fhir(200, &inquire::inquire(&call.gateway, call.tenant(), call.json()?).await?))
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

/// `POST /fhir/Encounter/{id}/$bill`: the ClaimResponse of the claim that bills it, or what is missing.
pub async fn bill(call: Call) -> Result<Reply, Fault> {
    Ok(told(&call, &bill::ask(&call.gateway, call.tenant(), call.param(0)).await?))
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
    if answer.response["resourceType"] == "OperationOutcome" {
        // An encounter that is kept until what is missing comes.
        let records = format!("{}/billing-records/{}", call.base.trim_end_matches("/fhir"), answer.submission);
        return Reply::fhir(202, &answer.response).header(header::CONTENT_LOCATION, records);
    }
    let reply = Reply::fhir(status(answer), &answer.response);
    let part = |name: &str| answer.response[name].as_str().unwrap_or_default();
    let url = format!("{}/{}/{}", call.base, part("resourceType"), part("id"));
    let reply = reply.header(header::CONTENT_LOCATION, url);
    located(call, reply, answer)
}

/// `Location` is the claim: by its id everything else is found.
fn located(call: &Call, reply: Reply, answer: &Answer) -> Reply {
    reply.location(format!("{}/{}/_history/1", call.base, answer.claim))
}
