//! A marked patient goes through everything: none of the marks may stand in a log, a metric, a URL or a broker message.

use crate::support::claim::{bundle, of};
use crate::support::server::Server;
use crate::support::simulator::answer_all;
use serde_json::{Value, json};

/// What only this patient has.
const MARKS: &[&str] = &["Zyxwvu", "Qqmark", "MEMBERMARK77", "99 Marked Lane", "19710203", "1971-02-03"];

fn marked(number: &str) -> Value {
    let mut body = bundle(number);
    let patient = of(&mut body, "Patient");
    patient["name"] = json!([{"use": "official", "family": "Zyxwvu", "given": ["Qqmark"]}]);
    patient["address"][0]["line"] = json!(["99 Marked Lane"]);
    patient["birthDate"] = json!("1971-02-03");
    of(&mut body, "Coverage")["subscriberId"] = json!("MEMBERMARK77");
    body
}

#[tokio::test]
async fn nothing_of_the_patient_leaves_by_the_side_doors() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &[("CLAIMGATE_LOG", "trace")]).await;
    let reply = server.post("/fhir/Claim/$submit", &marked("MARK1")).await;
    assert_eq!(reply.status, 201, "{:#}", reply.body);
    let claim = reply.body["request"]["reference"].as_str().unwrap().to_owned();
    let mut refused = marked("MARK2");
    of(&mut refused, "Claim")["total"]["value"] = json!(1);
    assert_eq!(server.post("/fhir/Claim/$submit", &refused).await.status, 422);
    let broken = marked("MARK3").to_string();
    let json = [("content-type", "application/fhir+json")];
    server.send("/fhir/Claim/$submit", &json, broken[..broken.len() - 9].into()).await.unwrap();
    answer_all(&server, "northwind").await;
    server.answered(&claim, |answer| answer["outcome"] == "complete").await;

    let metrics = server.get("/metrics").await.body.to_string();
    let journey = server.get(&format!("/journeys/{claim}")).await.body.to_string();
    for mark in MARKS {
        assert!(!server.log().contains(mark), "{mark} stands in the log");
        assert!(!metrics.contains(mark), "{mark} stands in the metrics");
        assert!(!journey.contains(mark), "{mark} stands in the journey");
    }
    assert!(server.log().len() > 1000, "the log was written at all");
}
