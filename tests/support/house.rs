//! A whole gateway in this process, with the simulated payer behind it: tests say what happens when.

use claimgate::assets::Folder;
use claimgate::billing::id::{PayerId, SubmissionId};
use claimgate::billing::journey::State;
use claimgate::clock::Clock;
use claimgate::config::Config;
use claimgate::fault::Fault;
use claimgate::flow::{dispatch, hold, receive, submit, worklist};
use claimgate::gateway::Gateway;
use claimgate::simulator::{self, scenario, scenario::Scenario};
use claimgate::store::{DEFAULT_TENANT, Submission};
use claimgate::x12::guide::Guides;
use jiff::SignedDuration;
use serde_json::Value;
use std::path::Path;

pub struct House {
    pub gateway: Gateway,
    scenario: Scenario,
    guides: Guides,
    _home: tempfile::TempDir,
}

impl House {
    /// With the mappings that ship, and the clock at noon of 10 March 2026.
    pub async fn open() -> House {
        House::with(|_| {}).await
    }

    /// The same, configured.
    pub async fn with(change: impl FnOnce(&mut Config)) -> House {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let home = tempfile::tempdir().unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let conformance = Folder::Disk(root.join("conformance"));
        let mut config = Config {
            data_dir: home.path().into(),
            mappings_dir: root.join("mappings"),
            conformance_dir: root.join("conformance"),
            default_payer: Some("generic".into()),
            ..Config::default()
        };
        change(&mut config);
        let clock = Clock::fixed("2026-03-10T12:00:00Z".parse().unwrap());
        House {
            gateway: Gateway::open(config, clock).await.unwrap(),
            scenario: Scenario::read(&conformance.text(scenario::DEFAULT).unwrap(), scenario::DEFAULT).unwrap(),
            guides: Guides::load(&conformance).unwrap(),
            _home: home,
        }
    }

    pub async fn try_submit(&self, body: Value) -> Result<submit::Answer, Fault> {
        let request = submit::Request { tenant: DEFAULT_TENANT.into(), body, idempotency_key: None };
        submit::submit(&self.gateway, request).await
    }

    pub async fn submit(&self, body: Value) -> submit::Answer {
        self.try_submit(body).await.unwrap_or_else(|fault| panic!("{fault}"))
    }

    pub async fn update(&self, claim: Value) -> Result<submit::Answer, Fault> {
        let reference = format!("Claim/{}", claim["id"].as_str().unwrap());
        let request = submit::Request { tenant: DEFAULT_TENANT.into(), body: claim, idempotency_key: None };
        submit::update(&self.gateway, request, &reference).await
    }

    pub async fn submission(&self, id: &SubmissionId) -> Submission {
        self.gateway.store.submission(id).await.unwrap().unwrap()
    }

    pub async fn state(&self, id: &SubmissionId) -> State {
        self.submission(id).await.state
    }

    /// Seals and sends a submission; the file as the payer gets it.
    pub async fn send(&self, id: &SubmissionId) -> String {
        let payer = self.submission(id).await.payer;
        let interchanges = dispatch::seal(&self.gateway, &payer, std::slice::from_ref(id)).await.unwrap();
        assert_eq!(interchanges.len(), 1, "it is sealed");
        assert_eq!(dispatch::send(&self.gateway, &interchanges[0]).await.unwrap(), dispatch::Dispatched::Sent);
        let interchange = self.gateway.store.interchange(&interchanges[0]).await.unwrap().unwrap();
        String::from_utf8(interchange.bytes).unwrap()
    }

    /// The payer answers a file with the transactions named (`999`, `277CA`, `835`).
    pub async fn answer(&self, id: &SubmissionId, sent: &str, transactions: &[&str]) {
        let payer: PayerId = self.submission(id).await.payer;
        let answers = simulator::answer(&self.scenario, &self.guides, sent.as_bytes(), &self.gateway.clock);
        for answer in answers {
            if transactions.iter().any(|name| answer.name.starts_with(&format!("{name}-"))) {
                let received = receive::receive(&self.gateway, &payer, &answer.name, answer.bytes).await.unwrap();
                assert!(received.matched > 0, "{} is matched", answer.name);
            }
        }
    }

    /// Time goes by, and what is held is tried when it is due; answers how many went on.
    pub async fn wait(&self, seconds: i64) -> usize {
        let clock = &self.gateway.clock;
        clock.set(clock.now() + SignedDuration::from_secs(seconds));
        hold::round(&self.gateway).await.unwrap()
    }

    /// What is missing of a held submission, as the worklist has it.
    pub async fn missing(&self, id: &SubmissionId) -> Vec<Value> {
        let list = worklist::list(&self.gateway, DEFAULT_TENANT, Some(State::Held), 50).await.unwrap();
        let record = list["records"].as_array().unwrap().iter().find(|record| record["id"] == id.as_str());
        record.map(|record| record["missing"].as_array().unwrap().clone()).unwrap_or_default()
    }

    /// The steps of a submission's journey.
    pub async fn steps(&self, id: &SubmissionId) -> Vec<&'static str> {
        self.gateway.store.events(id).await.unwrap().iter().map(|event| event.kind.word()).collect()
    }
}
