//! How many claims a second the whole gateway takes: HTTP in, mapped, checked, committed to SQLite, published to a real
//! RabbitMQ and confirmed; client, gateway and broker share this machine's cores. Prints claims a second, and the time that
//! each station took. `cargo bench --bench front_door [-- CLAIMS CONNECTIONS]`
#![allow(clippy::disallowed_methods, reason = "it shares the support of the tests, which may wait on a thread")]
#![allow(clippy::unwrap_used, reason = "a bench that can't go on fails where it stands")]
#![allow(clippy::disallowed_types, reason = "rates are no money")]

#[path = "../support/claim.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod claim;
#[path = "../support/rabbit.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod rabbit;
#[path = "../support/server.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod server;

use server::Server;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[tokio::main]
async fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let (claims, connections) = (numbers.first().copied().unwrap_or(20_000), numbers.get(1).copied().unwrap_or(64));
    let broker = rabbit::Broker::start_new();
    let home = tempfile::tempdir().unwrap();
    let server =
        Arc::new(Server::start(home.path(), &[("CLAIMGATE_AMQP_URL", &broker.url()), ("CLAIMGATE_LOG", "warn")]).await);
    let bodies: Arc<Vec<Vec<u8>>> = Arc::new((0..claims).map(|n| of_one_patient(n).to_string().into_bytes()).collect());
    println!("{claims} bundles of {} resources, {} bytes each, {connections} connections", 8, bodies[0].len());

    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..connections {
        let (server, bodies) = (server.clone(), bodies.clone());
        tasks.spawn(async move {
            for body in bodies.iter().skip(n).step_by(connections) {
                let json = [("content-type", "application/fhir+json"), ("prefer", "return=minimal")];
                let reply = server.send("/fhir/Claim/$submit", &json, body.clone()).await.unwrap();
                assert_eq!(reply.status, 201, "{:#}", reply.body);
            }
        });
    }
    tasks.join_all().await;
    let accepted = begun.elapsed();
    server::eventually("the queue has confirmed all", Duration::from_secs(120), async || {
        let metrics = server.get("/metrics").await.body;
        let due = value(metrics.as_str()?, "claimgate_outbox_due ")?;
        (due == "0").then_some(())
    })
    .await;
    let confirmed = begun.elapsed();
    println!("accepted:  {:>7.0} claims/s ({accepted:.2?})", rate(claims, accepted));
    println!("confirmed: {:>7.0} claims/s ({confirmed:.2?})", rate(claims, confirmed));
    stations(&server, claims).await;
}

/// Each claim bills another member: else the gateway would take them for duplicates of one another.
fn of_one_patient(n: usize) -> serde_json::Value {
    let mut bundle = claim::bundle(&format!("B{n:07}"));
    claim::of(&mut bundle, "Coverage")["subscriberId"] = format!("NW{n:08}").into();
    bundle
}

#[allow(clippy::disallowed_types, reason = "a rate is no money")]
fn rate(claims: usize, time: Duration) -> f64 {
    claims as f64 / time.as_secs_f64()
}

/// The value of a metric's line.
fn value<'a>(metrics: &'a str, name: &str) -> Option<&'a str> {
    metrics.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

/// Mean time of each station of a submission, as the gateway counted it.
#[allow(clippy::disallowed_types, reason = "a mean of times is no money")]
async fn stations(server: &Server, claims: usize) {
    let metrics = server.get("/metrics").await.body;
    let metrics = metrics.as_str().unwrap_or_default();
    for station in ["read", "resolve", "prepare", "promise", "commit"] {
        let sum = value(metrics, &format!("claimgate_station_seconds_sum{{station=\"{station}\"}} "));
        let sum: f64 = sum.and_then(|sum| sum.parse().ok()).unwrap_or_default();
        println!("  {station:<9} {:>9.1} µs a claim", sum * 1e6 / claims as f64);
    }
}
