//! Mappings that are edited while the gateway runs: taken up whole or not at all, named with each claim, gone back to, and
//! tried on a share of the claims.

use crate::support::claim::bundle;
use claimgate::billing::id::{PayerId, SubmissionId};
use claimgate::clock::Clock;
use claimgate::config::Config;
use claimgate::flow::{dispatch, submit};
use claimgate::gateway::Gateway;
use claimgate::store::DEFAULT_TENANT;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A gateway over a copy of the shipped mappings.
struct Live {
    gateway: Gateway,
    home: tempfile::TempDir,
    edits: u64,
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

async fn open(home: &Path) -> Gateway {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = Config {
        data_dir: home.join("data"),
        mappings_dir: home.join("mappings"),
        conformance_dir: Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance"),
        ..Config::default()
    };
    Gateway::open(config, Clock::fixed("2026-03-10T12:00:00Z".parse().unwrap())).await.unwrap()
}

impl Live {
    async fn start() -> Live {
        let home = tempfile::tempdir().unwrap();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings"), &home.path().join("mappings"));
        Live { gateway: open(home.path()).await, home, edits: 0 }
    }

    fn version(&self) -> String {
        self.gateway.translator.mappings.version().to_owned()
    }

    fn file(&self, path: &str) -> PathBuf {
        self.home.path().join("mappings").join(path)
    }

    /// Replaces a text in a file, as an editor saves it: with a new time.
    fn edit(&mut self, path: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.file(path)).unwrap();
        assert!(text.contains(from), "{path} has no {from}");
        self.write(path, &text.replacen(from, to, 1));
    }

    fn write(&mut self, path: &str, text: &str) {
        std::fs::write(self.file(path), text).unwrap();
        self.edits += 1;
        let time = SystemTime::now() + Duration::from_secs(self.edits);
        std::fs::File::options().append(true).open(self.file(path)).unwrap().set_modified(time).unwrap();
    }

    /// Looks until the edit is over and taken, or refused.
    fn look(&self) -> Result<Option<String>, claimgate::fault::Fault> {
        assert_eq!(self.gateway.translator.look().unwrap(), None, "an edit that may go on is not taken");
        self.gateway.translator.look()
    }

    /// Submits a claim and sends it; answers the version in its events and what the payer got.
    async fn send(&self, number: &str) -> (String, String) {
        let request = submit::Request { tenant: DEFAULT_TENANT.into(), body: bundle(number), idempotency_key: None };
        let answer = submit::submit(&self.gateway, request).await.unwrap();
        (self.mappings_of(&answer.submission).await, self.dispatch(&answer.submission).await)
    }

    async fn mappings_of(&self, id: &SubmissionId) -> String {
        let events = self.gateway.store.events(id).await.unwrap();
        let details = events.iter().map(|event| serde_json::from_str::<Value>(&event.detail).unwrap());
        details.filter_map(|detail| detail["mappings"].as_str().map(str::to_owned)).next().unwrap()
    }

    async fn dispatch(&self, id: &SubmissionId) -> String {
        let payer = PayerId("northwind".into());
        let sealed = dispatch::seal(&self.gateway, &payer, std::slice::from_ref(id)).await.unwrap();
        let interchange = self.gateway.store.interchange(&sealed[0]).await.unwrap().unwrap();
        String::from_utf8(interchange.bytes).unwrap()
    }

    fn state(&self) -> Value {
        self.gateway.translator.state()
    }
}

/// A rule of northwind's overlay, before and after.
const OVERLAY: &str = "payers/northwind/837p.yaml";
const BEFORE: &str = "  REF*EA: remove\n";
const AFTER: &str = "  REF*EA: remove\n  CLM: { 20: \"'11'\" }\n";

#[tokio::test]
async fn edits_are_taken_up_and_gone_back_from() {
    let mut live = Live::start().await;
    let first = live.version();
    assert_eq!(live.gateway.translator.look().unwrap(), None, "nothing was edited");
    let (version, sent) = live.send("LIVE1").await;
    assert!(version == first && !sent.contains("|11~"), "{sent}");

    live.edit(OVERLAY, BEFORE, AFTER);
    let second = live.look().unwrap().unwrap();
    assert_ne!(first, second);
    let (version, sent) = live.send("LIVE2").await;
    assert!(version == second && sent.contains("|11~"), "{sent}");

    // A faulty edit is kept away, and told.
    live.edit(OVERLAY, "CLM: { 20", "CLMM: { 20");
    let fault = live.look().unwrap_err();
    assert!(fault.to_string().contains("did you mean `CLM`"), "{fault}");
    assert_eq!(live.version(), second);
    assert!(live.state()["faults"][0]["text"].as_str().unwrap().contains("CLMM"));
    assert_eq!(live.gateway.translator.look().unwrap(), None, "it is told once");

    // Back to the first, in a moment, also after a new start.
    live.gateway.translator.activate(&first).unwrap();
    let (version, sent) = live.send("LIVE3").await;
    assert!(version == first && !sent.contains("|11~"), "{sent}");
    assert!(live.gateway.translator.activate("000000000000").is_err());
    let versions = live.state()["versions"].as_array().unwrap().len();
    assert_eq!(versions, 2);
    live.edit(OVERLAY, "CLMM: { 20", "CLM: { 20");
    drop(live.gateway);
    live.gateway = open(live.home.path()).await;
    assert_eq!(live.version(), first, "the version that was asked for is active again");

    // The next edit is what the engineer wants now.
    live.edit(OVERLAY, "'11'", "'10'");
    let third = live.look().unwrap().unwrap();
    assert_eq!(live.version(), third);
}

#[tokio::test]
async fn a_canary_sends_its_share_of_new_claims_through_the_new_version() {
    let mut live = Live::start().await;
    let first = live.version();
    live.edit(OVERLAY, BEFORE, AFTER);
    // Another delimiter, too: each interchange must be in those of its own claims.
    live.edit("payers/northwind/payer.yaml", "element: \"|\"", "element: \"*\"");
    live.edit("payers/northwind/payer.yaml", "edits: {", "canary: { percent: 40 }\nedits: {");
    let second = live.look().unwrap().unwrap();
    let mut shares = [0, 0];
    for n in 0..40 {
        let (version, sent) = live.send(&format!("CANARY{n}")).await;
        let new = version == second;
        assert!(new || version == first);
        assert_eq!(sent.contains("*11~"), new, "{sent}");
        assert_eq!(sent.as_bytes()[3], if new { b'*' } else { b'|' }, "{sent}");
        shares[usize::from(new)] += 1;
    }
    assert!(shares[0] > 10 && shares[1] > 5, "{shares:?}");
    let canary = &live.state()["versions"][1]["canaries"][0];
    assert_eq!((canary["payer"].as_str(), canary["baseline"].as_str()), (Some("northwind"), Some(first.as_str())));

    // The baseline is found again after a new start.
    drop(live.gateway);
    live.gateway = open(live.home.path()).await;
    assert_eq!(live.version(), second);
    assert_eq!(live.gateway.translator.for_claim("northwind", "ffffffff").mappings.version(), first);
    assert_eq!(live.gateway.translator.for_claim("northwind", "00000000").mappings.version(), second);

    // Without the canary all go the new way.
    live.edit("payers/northwind/payer.yaml", "canary: { percent: 40 }\n", "");
    let third = live.look().unwrap().unwrap();
    assert_eq!(live.gateway.translator.for_claim("northwind", "ffffffff").mappings.version(), third);
}

#[tokio::test]
async fn a_payer_that_is_added_takes_claims_at_once() {
    let mut live = Live::start().await;
    let text = std::fs::read_to_string(live.file("payers/generic/payer.yaml")).unwrap();
    std::fs::create_dir(live.file("payers/newcomer")).unwrap();
    let text = text.replace("id: generic", "id: newcomer").replace("payers/generic/", "payers/newcomer/");
    live.write("payers/newcomer/payer.yaml", &text);
    live.look().unwrap().unwrap();
    assert!(live.gateway.transport(&PayerId("newcomer".into())).is_some());
}

#[tokio::test]
async fn operators_see_versions_and_go_back() {
    let home = tempfile::tempdir().unwrap();
    let server = crate::support::server::Server::start(home.path(), &[]).await;
    let state = server.get("/admin/mappings").await;
    let version = state.body["active"].as_str().unwrap().to_owned();
    assert_eq!((state.status, &state.body["faults"]), (200, &serde_json::json!([])));
    let activated = server.post(&format!("/admin/mappings/{version}/activate"), &Value::Null).await;
    assert_eq!((activated.status, activated.body["active"].as_str()), (200, Some(version.as_str())));
    assert_eq!(server.post("/admin/mappings/0123/activate", &Value::Null).await.status, 404);
}

/// What an EHR writes differently, taken up by a server that runs, and chosen by the header.
#[tokio::test]
async fn claims_of_a_source_go_by_its_overlay() {
    use crate::support::server::{Server, eventually};
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(home.path(), &[("CLAIMGATE_WORKER__RELOAD_MS", "50")]).await;
    let before = server.get("/admin/mappings").await.body["active"].clone();
    let overlay = "over: [record/claim, record/oral]\nbody:\n  referralNumber: \"'BY-SOURCE'\"\n";
    let source = home.path().join("mappings/sources/northside");
    std::fs::create_dir_all(&source).unwrap();
    std::fs::write(source.join("claims.yaml"), overlay).unwrap();
    eventually("the overlay is active", Duration::from_secs(60), async || {
        (server.get("/admin/mappings").await.body["active"] != before).then_some(())
    })
    .await;
    for (number, source) in [("SRC1", "northside"), ("SRC2", "elsewhere")] {
        let headers = [("x-claimgate-source", source), ("content-type", "application/fhir+json")];
        let body = bundle(number).to_string().into_bytes();
        let reply = server.send("/fhir/Claim/$submit", &headers, body).await.unwrap();
        assert_eq!(reply.status, 201, "{:#}", reply.body);
    }
    let sent = eventually("both are sent", Duration::from_secs(60), async || {
        let files = server.files("northwind", "outbound");
        let text: String = files.iter().map(|file| std::fs::read_to_string(file).unwrap_or_default()).collect();
        (text.contains("SRC1") && text.contains("SRC2")).then_some(text)
    })
    .await;
    assert_eq!(sent.matches("REF|9F|BY-SOURCE").count(), 1, "{sent}");
}
