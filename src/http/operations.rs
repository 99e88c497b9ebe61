//! For operators and probes: journeys, health, metrics.

use crate::fault::{Fault, Place, codes};
use crate::flow::{journey, lookup, unmatched};
use crate::http::call::Call;
use crate::http::reply::Reply;
use crate::telemetry;
use serde_json::json;

/// `GET /journeys/{id}`: by submission id, `Claim/{id}`, `ClaimResponse/{id}`, an identifier of the Claim or a patient control
/// number; as text for who asks for `text/plain`.
pub async fn journey(call: Call) -> Result<Reply, Fault> {
    let of = call.params.join("/");
    let journey = lookup::journey(&call.gateway, call.tenant(), &of).await?;
    Ok(match call.header("accept").is_some_and(|accept| accept.trim_start().starts_with("text/plain")) {
        true => Reply::text(200, journey::text(&journey)),
        false => Reply::json(200, &journey),
    })
}

/// `GET /admin/mappings`: the active version of the mappings, faults of the folder, and all that can be gone back to.
pub async fn mappings(call: Call) -> Result<Reply, Fault> {
    Ok(Reply::json(200, &call.gateway.translator.state()))
}

/// `POST /admin/mappings/{version}/activate`: goes back, or forward, to a version that is kept.
pub async fn activate(call: Call) -> Result<Reply, Fault> {
    let (gateway, version) = (call.gateway.clone(), call.param(0).to_owned());
    let broken = || Fault::ours(codes::INTERNAL, "the change of mappings ended by a fault of ours");
    let activated = tokio::task::spawn_blocking(move || gateway.translator.activate(&version)).await;
    activated.map_err(|_| broken())??;
    mappings(call).await
}

/// `POST /admin/responses/{id}/match` with `{"submission": "Claim/…", "part": 1}`: gives an answer to its claim by hand.
pub async fn match_response(call: Call) -> Result<Reply, Fault> {
    let body = call.json()?;
    let part = body["part"].as_u64().and_then(|part| u32::try_from(part).ok());
    let Some(submission) = body["submission"].as_str() else {
        let at = Place::FhirPath("submission".into());
        let hint = "send {\"submission\": \"Claim/{id}\"}";
        return Err(Fault::refuse(codes::JSON_SYNTAX, at, "the body names no submission", hint));
    };
    Ok(Reply::json(200, &unmatched::match_by_hand(&call.gateway, call.param(0), submission, part).await?))
}

/// `GET /health/live`: the process answers.
pub async fn live(_call: Call) -> Result<Reply, Fault> {
    Ok(Reply::json(200, &json!({ "status": "alive" })))
}

/// `GET /health/ready`: claims can be accepted. A broker that is down is told but stops nobody: what is accepted waits.
pub async fn ready(call: Call) -> Result<Reply, Fault> {
    let store = call.gateway.store.figures().await;
    let queue = if call.gateway.queue.ready() { "up" } else { "down" };
    Ok(match store {
        Ok(figures) => {
            Reply::json(200, &json!({ "status": "ready", "store": "up", "queue": queue, "outbox": figures.outbox }))
        }
        Err(_) => Reply::json(503, &json!({ "status": "not ready", "store": "down", "queue": queue })),
    })
}

/// `GET /metrics`: all numbers, for Prometheus.
pub async fn metrics(_call: Call) -> Result<Reply, Fault> {
    Ok(Reply::text(200, telemetry::metrics().render()))
}
