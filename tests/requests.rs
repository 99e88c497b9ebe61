//! Requests and what payers get of them (`conformance/requests/<name>/`): `request.json` mapped for each payer that a file is
//! named after: `generic.x12`, `lakeside.json`, `prairie.csv`, `harbor.fhir.json`; `generic-status-inquiry.x12` is the same
//! claim asked about. What is X12 must be clean by its guide. `CLAIMGATE_BLESS=1` rewrites what is expected.

use crate::support::bless::agrees;
use crate::support::gateway::Content;
use crate::support::server::Server;
use claimgate::billing::id::{PayerId, SubmissionId};
use claimgate::clock::Clock;
use claimgate::config::Config;
use claimgate::fault::any_error;
use claimgate::flow::prepare::{Inquiry, Known, prepare};
use claimgate::flow::{dispatch, document, inquire, submit, translate};
use claimgate::gateway::Gateway;
use claimgate::payers::Format;
use claimgate::store::{ControlNumbers, DEFAULT_TENANT, Filter, Key};
use claimgate::x12::{assemble, check, reader};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const INQUIRY: &str = "-status-inquiry";

#[test]
fn every_request_becomes_what_its_payers_take() {
    let content = Content::shipped();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/requests");
    let mut wrong = Vec::new();
    let mut guides = BTreeSet::new();
    for case in folders(&root).into_iter().filter(|case| case.is_dir()) {
        let request = std::fs::read(case.join("request.json")).expect("a request");
        let expected =
            folders(&case).into_iter().filter(|file| !file.ends_with("request.json") && !file.ends_with("README.md"));
        let expected: Vec<PathBuf> = expected.collect();
        assert!(!expected.is_empty(), "{}: nothing is expected", case.display());
        for file in expected {
            match sent(&content, &file, &request) {
                Ok((guide, text)) => {
                    wrong.extend(agrees(&file, &text).err());
                    wrong.extend(unclean(&content, &text).map(|told| format!("{}: {told}", file.display())));
                    guides.insert(guide);
                }
                Err(told) => wrong.push(format!("{}: {told}", file.display())),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let all = ["005010X212", "005010X217", "005010X222A1", "005010X223A2", "005010X279A1", "csv", "fhir", "json"];
    assert_eq!(guides.iter().map(String::as_str).collect::<Vec<_>>(), all);
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        std::fs::read_dir(root).expect("a folder").flatten().map(|entry| entry.path()).collect();
    all.sort();
    all
}

/// The payer's file and its guide, as `claimgate map` writes it at a fixed time.
fn sent(content: &Content, file: &Path, request: &[u8]) -> Result<(String, String), String> {
    let translator = &content.translator;
    let name = file.file_name().expect("a name").to_string_lossy().into_owned();
    let stem = name.split('.').next().unwrap_or_default();
    let inquiry = stem.ends_with(INQUIRY).then(Inquiry::default);
    let payer = stem.trim_end_matches(INQUIRY);
    let told = |fault: claimgate::fault::Fault| fault.to_string();
    let now = "2026-03-10T12:00:00Z".parse().expect("a time");
    let resources = translate::read(translator, request).map_err(told)?;
    let known = Known { inquiry, ..translate::known(&resources, now) };
    let prepared = prepare(translator, &resources, Some(payer), &known).map_err(told)?;
    let bodies: Vec<&str> = prepared.parts.iter().map(|part| part.body.as_str()).collect();
    let guide = prepared.route.guide.clone();
    let bytes = if prepared.route.format == Format::X12 {
        let guide = translator.guides.get(&guide).ok_or("the guide is not loaded")?;
        let numbers = ControlNumbers { interchange: 1, group: 1 };
        let envelope = dispatch::envelope(prepared.profile, numbers, now);
        let header = dispatch::header(prepared.profile, guide, numbers);
        assemble::assemble(guide, &envelope, &header, &bodies).map_err(told)?.bytes
    } else {
        document::assemble(prepared.route.format, prepared.profile, &bodies).map_err(told)?
    };
    Ok((guide, String::from_utf8(bytes).map_err(|error| error.to_string())?))
}

/// What our own reading of the guide has against an interchange.
fn unclean(content: &Content, text: &str) -> Option<String> {
    if !text.starts_with("ISA") {
        return None;
    }
    let (interchanges, mut issues) = reader::read(text);
    issues.extend(interchanges.iter().flat_map(|found| check::check_interchange(&content.translator.guides, found)));
    any_error(&issues).then(|| issues.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

/// A gateway of its own, at a fixed time.
async fn open(home: &Path) -> Gateway {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = Config {
        data_dir: home.into(),
        mappings_dir: root.join("mappings"),
        conformance_dir: root.join("conformance"),
        default_payer: Some("generic".into()),
        ..Config::default()
    };
    Gateway::open(config, Clock::fixed("2026-03-10T12:00:00Z".parse().unwrap())).await.unwrap()
}

/// Seals and sends one submission; gives the file's name and text.
async fn deliver(gateway: &Gateway, payer: &PayerId, id: &SubmissionId) -> (String, String) {
    let sealed = dispatch::seal(gateway, payer, std::slice::from_ref(id)).await.unwrap();
    assert_eq!(dispatch::send(gateway, &sealed[0]).await.unwrap(), dispatch::Dispatched::Sent);
    let interchange = gateway.store.interchange(&sealed[0]).await.unwrap().unwrap();
    (interchange.name, String::from_utf8(interchange.bytes).unwrap())
}

/// At the gateway each is accepted, answered `queued` by a resource of its own kind, and goes out to its payer.
#[tokio::test]
async fn requests_are_promised_and_sent() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let rows = [
        ("authorization-home-health", "", "ClaimResponse", "278-000000001.x12", "ST*278*0001*005010X217"),
        ("eligibility-plan", "", "CoverageEligibilityResponse", "270-000000001.x12", "ST*270*0001*005010X279A1"),
        ("own-formats", "PRAIRIE", "ClaimResponse", "claims-000000001.csv", "CLAIM_NO;LINE_NO;"),
    ];
    for (name, payor, answer, file, begins) in rows {
        let home = tempfile::tempdir().unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let gateway = open(home.path()).await;
        let text = std::fs::read_to_string(root.join("conformance/requests").join(name).join("request.json")).unwrap();
        let text = if payor.is_empty() { text } else { text.replace("66783JJT", payor) };
        let body = serde_json::from_str(&text).unwrap();
        let request = submit::Request { tenant: DEFAULT_TENANT.into(), body, idempotency_key: None };
        let answered = submit::submit(&gateway, request).await.unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!(
            (&answered.response["resourceType"], &answered.response["outcome"]),
            (&answer.into(), &"queued".into())
        );
        let asked = answered.response["request"]["reference"].as_str().unwrap();
        assert_eq!(asked, answered.claim, "{name}");
        let submission = gateway.store.submission(&answered.submission).await.unwrap().unwrap();
        let (name_sent, sent) = deliver(&gateway, &submission.payer, &answered.submission).await;
        assert_eq!(name_sent, file);
        assert!(sent.contains(begins), "{name}: {sent}");
        assert!(sent.contains(&submission.parts[0].trace_number), "{name}: no trace number in {sent}");
    }
}

/// A claim that the payer has is asked about once a day; the caller hears what is known.
#[tokio::test]
async fn a_claim_is_asked_about() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let home = tempfile::tempdir().unwrap();
    let gateway = open(home.path()).await;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("conformance/requests/status-dependent/request.json")).unwrap();
    let body: Value = serde_json::from_str(&text).unwrap();
    let request = submit::Request { tenant: DEFAULT_TENANT.into(), body: body.clone(), idempotency_key: None };
    let answered = submit::submit(&gateway, request).await.unwrap();
    let claim = gateway.store.submission(&answered.submission).await.unwrap().unwrap();
    let by_reference = json!({"resourceType": "Parameters",
        "parameter": [{"name": "claim", "valueReference": {"reference": answered.claim}}]});

    // Before it was sent there is nothing to ask.
    let known = inquire::inquire(&gateway, DEFAULT_TENANT, by_reference.clone()).await.unwrap();
    assert_eq!(known["request"]["reference"], answered.claim.as_str());
    assert_eq!(gateway.store.submissions(&Filter { limit: 10, ..Filter::default() }).await.unwrap().len(), 1);

    deliver(&gateway, &claim.payer, &answered.submission).await;
    for asked in [by_reference.clone(), body, by_reference] {
        let known = inquire::inquire(&gateway, DEFAULT_TENANT, asked).await.unwrap();
        assert_eq!(known["id"], answered.response["id"]);
    }
    let all = gateway.store.submissions(&Filter { limit: 10, ..Filter::default() }).await.unwrap();
    let inquiries: Vec<_> = all.iter().filter(|each| each.id != answered.submission).collect();
    assert_eq!(inquiries.len(), 1, "asked once a day");
    let (_, sent) = deliver(&gateway, &claim.payer, &inquiries[0].id).await;
    let trace = &claim.parts[0].trace_number;
    for wanted in
        [format!("TRN*1*{trace}~"), format!("REF*D9*{trace}~"), "REF*EJ*CHILD1003~".into(), "AMT*T3*140~".into()]
    {
        assert!(sent.contains(&wanted), "no {wanted} in {sent}");
    }
    // An answer about the claim finds the claim alone.
    let key = Key::PatientControlNumber("CHILD1003".into());
    let found = gateway.store.find(Some(&claim.payer), &key).await.unwrap();
    assert_eq!(found.iter().map(|found| &found.submission.id).collect::<Vec<_>>(), [&answered.submission]);
    let unknown = json!({"resourceType": "Claim", "identifier": [{"value": "NEVER"}]});
    assert_eq!(inquire::inquire(&gateway, DEFAULT_TENANT, unknown).await.unwrap_err().status(), 404);
}

#[tokio::test]
async fn eligibility_and_inquiries_have_doors() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &[("CLAIMGATE_DEFAULT_PAYER", "generic")]).await;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/requests");
    let body = |name: &str| -> Value {
        serde_json::from_str(&std::fs::read_to_string(root.join(name).join("request.json")).unwrap()).unwrap()
    };
    let answer = server.post("/fhir/CoverageEligibilityRequest/$submit", &body("eligibility-dependent")).await;
    assert_eq!((answer.status, &answer.body["outcome"]), (201, &json!("queued")), "{:#}", answer.body);
    let request = answer.body["request"]["reference"].as_str().unwrap();
    let found = server.get(&format!("/fhir/CoverageEligibilityResponse?request={request}")).await;
    assert_eq!(found.body["total"], 1, "{:#}", found.body);
    let claim = server.post("/fhir/Claim/$submit", &body("authorization-dental")).await;
    assert_eq!((claim.status, &claim.body["use"]), (201, &json!("preauthorization")), "{:#}", claim.body);
    let known = server.post("/fhir/Claim/$inquire", &body("authorization-dental")).await;
    assert_eq!((known.status, &known.body["id"]), (200, &claim.body["id"]), "{:#}", known.body);
    let unknown = server.post("/fhir/Claim/$inquire", &body("status-dependent")).await;
    assert_eq!(unknown.status, 404, "{:#}", unknown.body);
    let sent = || -> Vec<String> {
        let name = |file: PathBuf| file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        server.files("generic", "outbound").into_iter().map(name).collect()
    };
    let begun = Instant::now();
    while !["270", "278"].iter().all(|kind| sent().iter().any(|name| name.starts_with(kind))) {
        assert!(begun.elapsed() < Duration::from_secs(30), "sent in 30 s: {:?}", sent());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    benefits_come_home(&server, request).await;
}

/// The payer's 271, with the trace number of our 270, becomes the next version of the CoverageEligibilityResponse.
async fn benefits_come_home(server: &Server, request: &str) {
    let sent = server.files("generic", "outbound").into_iter();
    let sent: Vec<String> = sent.map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let inquiry = sent.iter().find(|text| text.contains("ST*270*")).unwrap();
    let trace = inquiry.split("TRN*1*").nth(1).unwrap().split('*').next().unwrap();
    let answer = include_str!("../conformance/answers/271-active.x12").replace("ELIG0001-1", trace);
    let x12 = [("content-type", "application/edi-x12")];
    let taken = server.send("/payers/generic/interchanges", &x12, answer.into_bytes()).await.unwrap();
    assert!(taken.status < 300, "{} {:#}", taken.status, taken.body);
    let found = server.get(&format!("/fhir/CoverageEligibilityResponse?request={request}")).await.body;
    let told = &found["entry"][0]["resource"];
    assert_eq!((&found["total"], &told["outcome"]), (&json!(1), &json!("complete")), "{found:#}");
    assert_eq!(told["request"]["reference"], request);
    assert!(told["insurance"][0]["item"].as_array().is_some_and(|items| items.len() >= 6), "{told:#}");
    assert_eq!(server.get(&format!("/fhir/ClaimResponse?request={request}")).await.body["total"], 0);
}
