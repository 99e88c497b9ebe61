//! Lives of claims as folders of data (`conformance/cases/<name>/`), walked forth and back: request.json → record.json →
//! 837p.x12 (837i.x12, 837d.x12) → the payer's answers → claim-response.json and journey.txt. `CLAIMGATE_BLESS=1` rewrites what is expected.

use crate::support::bless::{agrees, pretty, steady};
use claimgate::billing::id::{PayerId, SubmissionId};
use claimgate::clock::Clock;
use claimgate::config::Config;
use claimgate::flow::{dispatch, lookup, receive, submit};
use claimgate::gateway::Gateway;
use claimgate::store::{DEFAULT_TENANT, Query, Submission};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The answers in the order in which payers give them; several of a kind are told apart by a number behind the name.
const ANSWERS: &[&str] = &["ta1", "999", "277ca", "277", "835"];

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/cases");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(root).unwrap().flatten().map(|entry| entry.path()).collect();
    cases.retain(|case| case.join("request.json").is_file());
    cases.sort();
    cases
}

#[tokio::test]
async fn every_life_of_a_claim_goes_forth_and_back() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cases = cases();
    assert!(cases.len() >= 12, "there are only {} cases", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let found = walk(case).await;
        println!(
            "{:<40} {}",
            case.file_name().unwrap().to_string_lossy(),
            if found.is_empty() { "ok" } else { "WRONG" }
        );
        wrong.extend(found);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One case; answers what differs.
async fn walk(case: &Path) -> Vec<String> {
    let home = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = Config {
        data_dir: home.path().into(),
        mappings_dir: root.join("mappings"),
        conformance_dir: root.join("conformance"),
        default_payer: Some("generic".into()),
        ..Config::default()
    };
    let gateway = Gateway::open(config, Clock::fixed("2026-03-10T12:00:00Z".parse().unwrap())).await.unwrap();
    let body = serde_json::from_str(&std::fs::read_to_string(case.join("request.json")).unwrap()).unwrap();
    let request = submit::Request { tenant: DEFAULT_TENANT.into(), body, idempotency_key: None };
    let answer = match submit::submit(&gateway, request).await {
        Ok(answer) => answer,
        Err(fault) => return vec![format!("{}: refused: {fault}", case.display())],
    };
    let submission = gateway.store.submission(&answer.submission).await.unwrap().unwrap();
    let mut checks = vec![agrees(&case.join("record.json"), &untraced(&records(&submission), &submission))];
    let sent = send(&gateway, &submission.payer, &answer.submission).await;
    checks.push(agrees(&case.join(file_of(&sent)), &untraced(&sent, &submission)));
    let answers = answers(case);
    if answers.is_empty() {
        checks.push(Err(format!("{}: no payer answers", case.display())));
    }
    for file in answers {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = traced(&std::fs::read_to_string(&file).unwrap(), &submission);
        let received = receive::receive(&gateway, &submission.payer, &name, text.into_bytes()).await.unwrap();
        if received.unmatched > 0 || received.matched == 0 {
            checks.push(Err(format!(
                "{}: {} matched, {} unmatched",
                file.display(),
                received.matched,
                received.unmatched
            )));
        }
    }
    checks.push(agrees(
        &case.join("claim-response.json"),
        &untraced(&responses(&gateway, &answer.claim).await, &submission),
    ));
    checks.push(agrees(&case.join("journey.txt"), &journey(&gateway, &answer.claim).await));
    checks.into_iter().filter_map(Result::err).collect()
}

/// The billing records of the parts: one, or a list.
fn records(submission: &Submission) -> String {
    let mut records: Vec<Value> =
        submission.parts.iter().map(|part| serde_json::from_str(&part.record).unwrap()).collect();
    pretty(&if records.len() == 1 { records.remove(0) } else { Value::from(records) })
}

/// Trace numbers are new at every run.
fn untraced(text: &str, submission: &Submission) -> String {
    let trace = |text: String, part: &claimgate::store::ClaimPart| {
        text.replace(&part.trace_number, &format!("CGTRACE{}", part.number))
    };
    steady(&submission.parts.iter().fold(text.to_owned(), trace))
}

/// An answer with the trace numbers of this run, as the payer would echo them.
fn traced(text: &str, submission: &Submission) -> String {
    let trace = |text: String, part: &claimgate::store::ClaimPart| {
        text.replace(&format!("CGTRACE{}", part.number), &part.trace_number)
    };
    submission.parts.iter().fold(text.to_owned(), trace)
}

/// Seals and sends the submission; answers the file that the payer got.
async fn send(gateway: &Gateway, payer: &PayerId, id: &SubmissionId) -> String {
    let interchanges = dispatch::seal(gateway, payer, std::slice::from_ref(id)).await.unwrap();
    assert_eq!(interchanges.len(), 1);
    assert_eq!(dispatch::send(gateway, &interchanges[0]).await.unwrap(), dispatch::Dispatched::Sent);
    let interchange = gateway.store.interchange(&interchanges[0]).await.unwrap().unwrap();
    String::from_utf8(interchange.bytes).unwrap()
}

/// The name of what was sent, by its guide.
fn file_of(sent: &str) -> &'static str {
    match sent {
        sent if sent.contains("005010X223A2") => "837i.x12",
        sent if sent.contains("005010X224A2") => "837d.x12",
        _ => "837p.x12",
    }
}

fn answers(case: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(case).unwrap().flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "x12"));
    let rank = |file: &PathBuf| {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        (ANSWERS.iter().position(|kind| name.starts_with(kind)), name)
    };
    files.retain(|file| rank(file).0.is_some());
    files.sort_by_key(rank);
    files
}

/// The ClaimResponses of the claim as they stand at the end: one, or, after a correction, a list.
async fn responses(gateway: &Gateway, claim: &str) -> String {
    let query =
        Query { kind: "ClaimResponse".into(), conditions: vec![("request".into(), vec![claim.into()])], limit: 10 };
    let bundle = lookup::search(gateway, DEFAULT_TENANT, &query).await.unwrap();
    let mut found: Vec<Value> =
        bundle["entry"].as_array().unwrap().iter().map(|entry| entry["resource"].clone()).collect();
    found.reverse();
    steady(&pretty(&if found.len() == 1 { found.remove(0) } else { Value::from(found) }))
}

async fn journey(gateway: &Gateway, claim: &str) -> String {
    let journey = lookup::journey(gateway, DEFAULT_TENANT, claim).await.unwrap();
    let mut lines = vec![format!("state: {}", journey["state"].as_str().unwrap())];
    for step in journey["steps"].as_array().unwrap() {
        let detail = &step["detail"];
        let words =
            [&step["event"], &detail["transaction"], &detail["match"]].map(|word| word.as_str().unwrap_or_default());
        let codes = detail["codes"]
            .as_array()
            .map(|codes| codes.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "));
        lines.push(
            [words[0], words[1], codes.as_deref().unwrap_or_default(), words[2]].join(" · ").replace(" ·  ·", " ·"),
        );
    }
    lines.join("\n") + "\n"
}
