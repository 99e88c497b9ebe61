//! One claim's life over HTTP: posted, queued, sent, acknowledged, accepted, paid, told; and what repeats is recognised.

use crate::support::claim::bundle;
use crate::support::server::{Server, eventually};
use crate::support::simulator::answer_all;
use claimgate::billing::id::PayerId;
use claimgate::clock::Clock;
use claimgate::config::Config;
use claimgate::flow::{dispatch, submit};
use claimgate::gateway::Gateway;
use serde_json::{Value, json};
use std::time::Duration;

fn complete(answer: &Value) -> bool {
    answer["outcome"] == "complete"
}

#[tokio::test]
async fn a_claim_comes_in_and_its_payment_comes_home() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &[]).await;
    let reply = server.post("/fhir/Claim/$submit", &bundle("JOURNEY1")).await;
    assert_eq!(reply.status, 201, "{:#}", reply.body);
    assert_eq!(reply.body["resourceType"], "ClaimResponse");
    assert_eq!(reply.body["outcome"], "queued");
    let claim = reply.body["request"]["reference"].as_str().unwrap().to_owned();

    answer_all(&server, "northwind").await;
    let paid = server.answered(&claim, complete).await;
    assert_eq!(paid["id"], reply.body["id"], "the same ClaimResponse, a later version");
    assert!(paid["payment"]["amount"]["value"].is_number(), "{paid:#}");
    assert!(paid["payment"]["identifier"]["value"].is_string());
    assert_eq!(paid["item"].as_array().unwrap().len(), 2);

    let history = server.get(&format!("/fhir/ClaimResponse/{}/_history", paid["id"].as_str().unwrap())).await;
    let outcomes: Vec<&str> =
        history.body["entry"].as_array().unwrap().iter().map(|e| e["resource"]["outcome"].as_str().unwrap()).collect();
    assert_eq!((outcomes.first(), outcomes.last()), (Some(&"complete"), Some(&"queued")), "newest first");

    let journey = server.get(&format!("/journeys/{claim}")).await;
    let steps: Vec<&str> =
        journey.body["steps"].as_array().unwrap().iter().map(|step| step["event"].as_str().unwrap()).collect();
    for step in ["received", "queued", "sealed", "sent", "acknowledged", "accepted", "adjudicated"] {
        assert!(steps.contains(&step), "{step} is missing in {steps:?}");
    }
    assert_eq!(journey.body["state"], "adjudicated");

    let trace = paid["payment"]["identifier"]["value"].as_str().unwrap();
    let found = server.get(&format!("/fhir/PaymentReconciliation?payment-identifier={trace}")).await;
    assert_eq!(found.body["total"], 1, "{:#}", found.body);

    let metrics = server.get("/metrics").await.body;
    let lines: Vec<&str> = metrics.as_str().unwrap().lines().collect();
    for line in [
        r#"claimgate_submissions_total{intent="claim",outcome="accepted"} 1"#,
        r#"claimgate_sends_total{payer="northwind",outcome="delivered"} "#,
        r#"claimgate_send_seconds_count{payer="northwind"} "#,
        r#"claimgate_sent_bytes_total{payer="northwind"} "#,
        r#"claimgate_received_total{payer="northwind",outcome="taken"} 3"#,
        r#"claimgate_received_bytes_total{payer="northwind"} "#,
        r#"claimgate_statements_total{kind="835",outcome="matched"} 1"#,
        r#"claimgate_queue_published_total{outcome="confirmed"} 1"#,
        "claimgate_store_commit_seconds_count ",
        "claimgate_store_commit_jobs_count ",
    ] {
        assert!(lines.iter().any(|found| found.starts_with(line)), "{line} is not in {lines:#?}");
    }
}

#[tokio::test]
async fn what_is_repeated_is_recognised() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &[]).await;
    let json = ("content-type", "application/fhir+json");
    let keyed = [json, ("idempotency-key", "key-1")];
    let body = bundle("SAME1").to_string().into_bytes();
    let first = server.send("/fhir/Claim/$submit", &keyed, body.clone()).await.unwrap();
    let second = server.send("/fhir/Claim/$submit", &keyed, body.clone()).await.unwrap();
    let third = server.send("/fhir/Claim/$submit", &[json], body).await.unwrap();
    assert_eq!((first.status, second.status, third.status), (201, 200, 200));
    assert_eq!(first.body["id"], second.body["id"], "by its key");
    assert_eq!(first.body["id"], third.body["id"], "by its content");

    let other = bundle("SAME2").to_string().into_bytes();
    let conflict = server.send("/fhir/Claim/$submit", &keyed, other).await.unwrap();
    assert_eq!((conflict.status, code(&conflict.body)), (409, "CG-1401"));
    let mut changed = bundle("SAME1");
    crate::support::claim::of(&mut changed, "Claim")["item"][0]["productOrService"]["coding"][0]["code"] =
        json!("99214");
    let conflict = server.post("/fhir/Claim/$submit", &changed).await;
    assert_eq!((conflict.status, code(&conflict.body)), (409, "CG-1402"));
}

fn code(outcome: &Value) -> &str {
    outcome["issue"][0]["details"]["coding"][0]["code"].as_str().unwrap_or_default()
}

/// An EHR pushes patient, coverage and the others first, and the claim a day later, by id.
#[tokio::test]
async fn references_resolve_against_what_was_stored_before() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &[]).await;
    let mut names: Vec<(String, String)> = Vec::new();
    let entries = bundle("STORED1")["entry"].as_array().unwrap().clone();
    let order = ["Patient", "Organization", "Practitioner", "Location", "PractitionerRole", "Coverage"];
    for kind in order {
        for entry in entries.iter().filter(|entry| entry["resource"]["resourceType"] == kind) {
            let old = format!("{kind}/{}", entry["resource"]["id"].as_str().unwrap());
            let reply = server.post(&format!("/fhir/{kind}"), &renamed(&entry["resource"], &names)).await;
            assert_eq!(reply.status, 201, "{kind}: {:#}", reply.body);
            names.push((old, format!("{kind}/{}", reply.body["id"].as_str().unwrap())));
        }
    }
    let reply = server.post("/fhir/Claim", &renamed(&entries[0]["resource"], &names)).await;
    assert_eq!(reply.status, 201, "{:#}", reply.body);
    assert_eq!(reply.body["resourceType"], "Claim");
    assert!(reply.location.unwrap().contains("/fhir/Claim/"));
    let claim = format!("Claim/{}", reply.body["id"].as_str().unwrap());
    let answer = server.answer(&claim).await;
    assert_eq!(answer["outcome"], "queued");
    eventually("the claim is sent", Duration::from_secs(30), async || {
        server.files("northwind", "outbound").first().cloned()
    })
    .await;
}

fn renamed(resource: &Value, names: &[(String, String)]) -> Value {
    let mut text = resource.to_string();
    for (old, new) in names {
        text = text.replace(&format!("\"reference\":\"{old}\""), &format!("\"reference\":\"{new}\""));
    }
    serde_json::from_str(&text).unwrap()
}

/// A batch: each entry by itself; a refused one does not stop the others.
#[tokio::test]
async fn a_batch_answers_each_entry() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &[]).await;
    let entries = bundle("BATCH1")["entry"].as_array().unwrap().clone();
    let requests: Vec<Value> = entries
        .iter()
        .map(|entry| {
            let mut entry = entry.clone();
            entry["request"] = json!({"method": "POST", "url": entry["resource"]["resourceType"]});
            entry
        })
        .collect();
    let transaction = json!({"resourceType": "Bundle", "type": "transaction", "entry": requests});
    let reply = server.post("/fhir", &transaction).await;
    assert_eq!((reply.status, reply.body["type"].as_str()), (200, Some("transaction-response")), "{:#}", reply.body);
    let responses = reply.body["entry"].as_array().unwrap();
    assert_eq!(responses.len(), entries.len());
    assert!(responses.iter().all(|entry| entry["response"]["status"].as_str().unwrap().starts_with("201")));

    let patient = entries.iter().find(|entry| entry["resource"]["resourceType"] == "Patient").unwrap();
    let good = json!({"resource": patient["resource"], "request": {"method": "POST", "url": "Patient"}});
    let bad = json!({"resource": {"resourceType": "Patient", "gender": "x"}, "request": {"method": "POST", "url": "Patient"}});
    let batch = json!({"resourceType": "Bundle", "type": "batch", "entry": [good, bad]});
    let reply = server.post("/fhir", &batch).await;
    assert_eq!((reply.status, reply.body["type"].as_str()), (200, Some("batch-response")));
    let statuses: Vec<&str> = reply.body["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["response"]["status"].as_str().unwrap()[..3])
        .collect();
    assert_eq!(statuses, ["201", "422"]);
}

#[tokio::test]
async fn a_collection_at_the_base_is_a_submission_too() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &[]).await;
    let reply = server.post("/fhir", &bundle("BASE1")).await;
    assert_eq!((reply.status, reply.body["resourceType"].as_str()), (201, Some("ClaimResponse")), "{:#}", reply.body);
    let metadata = server.get("/fhir/metadata").await;
    assert_eq!((metadata.status, metadata.body["resourceType"].as_str()), (200, Some("CapabilityStatement")));
    assert_eq!(server.get("/health/live").await.status, 200);
    let metrics = server.get("/metrics").await;
    assert!(metrics.body.as_str().unwrap_or_default().contains("claimgate_"), "{:?}", metrics.body);
}

/// RabbitMQ may hand out what was published twice in one batch.
#[tokio::test]
async fn a_claim_that_is_asked_for_twice_is_sealed_once() {
    let home = tempfile::tempdir().unwrap();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = Config {
        data_dir: home.path().into(),
        mappings_dir: root.join("mappings"),
        conformance_dir: root.join("conformance"),
        ..Config::default()
    };
    let gateway = Gateway::open(config, Clock::System).await.unwrap();
    let request = submit::Request { tenant: "default".into(), body: bundle("TWICE1"), idempotency_key: None };
    let id = submit::submit(&gateway, request).await.unwrap().submission;
    let payer = PayerId("northwind".into());
    let sealed = dispatch::seal(&gateway, &payer, &[id.clone(), id.clone()]).await.unwrap();
    assert_eq!(sealed.len(), 1);
    let interchange = gateway.store.interchange(&sealed[0]).await.unwrap().unwrap();
    let text = String::from_utf8(interchange.bytes).unwrap();
    let claim = format!("CLM{}", &text[3..4]);
    assert_eq!(text.matches(&claim).count(), 1, "{text}");
}
