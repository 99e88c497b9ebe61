//! For operators and probes: journeys, health, metrics.

use crate::fault::{Fault, codes};
use crate::flow::lookup;
use crate::http::call::Call;
use crate::http::reply::Reply;
use crate::telemetry;
use serde_json::json;

/// `GET /journeys/{id}`: by submission id, `Claim/{id}` or `ClaimResponse/{id}`.
pub async fn journey(call: Call) -> Result<Reply, Fault> {
    let of = call.params.join("/");
    Ok(Reply::json(200, &lookup::journey(&call.gateway, call.tenant(), &of).await?))
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
