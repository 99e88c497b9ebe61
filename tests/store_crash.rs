//! A store whose process is killed in the middle of writing has everything that it acknowledged.

use crate::support::store_contract as contract;
use claimgate::clock::Clock;
use claimgate::store::sqlite::SqliteStore;
use claimgate::store::{Accepted, DEFAULT_TENANT, KeyKind, NewSubmission, Store};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Tells the test below that it is the child, and where to write.
const CHILD: &str = "CLAIMGATE_TEST_STORE";

/// Acknowledgments after which the child is killed, one round after the other on the same file.
const ROUNDS: [usize; 3] = [40, 150, 400];

/// Writes for ever and prints what was acknowledged; does nothing when it is run as a test.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let store = Arc::new(SqliteStore::open(Path::new(&path), Clock::System).unwrap());
    let first = store.figures().await.unwrap().outbox as u32;
    let writers: Vec<_> = (0..8).map(|writer| tokio::spawn(write_for_ever(store.clone(), first + writer))).collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

async fn write_for_ever(store: Arc<SqliteStore>, first: u32) {
    for n in (first..).step_by(8) {
        let key = uuid::Uuid::new_v4().to_string();
        let new = NewSubmission {
            idempotency: Some((key.clone(), "hash".into())),
            business_key: None,
            ..contract::submission(n)
        };
        let id = new.id.clone();
        assert_eq!(store.accept(new).await.unwrap(), Accepted::New);
        let mut out = std::io::stdout().lock();
        // The parent may be gone already; then so is this process, soon.
        let _ = writeln!(out, "accepted {id} {key}").and_then(|()| out.flush());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_outlives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claimgate.sqlite");
    let mut acknowledged = Vec::new();
    for least in ROUNDS {
        acknowledged.extend(write_and_kill(&path, least));
        let store = SqliteStore::open(&path, Clock::System).unwrap();
        for (id, key) in &acknowledged {
            check(&store, id, key).await;
        }
        let figures = store.figures().await.unwrap();
        assert!(figures.outbox >= acknowledged.len() as u64, "what was not acknowledged may be there too, but whole");
    }
}

/// Lets a child write until it has acknowledged enough, kills it, and answers all that it acknowledged.
fn write_and_kill(path: &Path, least: usize) -> Vec<(String, String)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["store_crash::child", "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut acknowledged = Vec::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while let Some(Ok(line)) = lines.next() {
        // The harness writes on the same line before the first.
        let Some((_, said)) = line.split_once("accepted ") else { continue };
        if let Some((id, key)) = said.split_once(' ').filter(|(_, key)| key.len() == 36) {
            acknowledged.push((id.to_owned(), key.to_owned()));
        }
        if acknowledged.len() == least {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(acknowledged.len() >= least, "the child ended by itself after {}", acknowledged.len());
    acknowledged
}

async fn check(store: &SqliteStore, id: &str, key: &str) {
    let id = claimgate::billing::id::SubmissionId(id.to_owned());
    let submission = store.submission(&id).await.unwrap().expect("what was acknowledged is there");
    assert_eq!(submission.parts.len(), 2);
    assert_eq!(store.events(&id).await.unwrap().len(), 2);
    let known = store.known(DEFAULT_TENANT, KeyKind::Idempotency, key).await.unwrap();
    assert_eq!(known, Some((id, "hash".into())));
    let (kind, resource) = submission.focal.split_once('/').unwrap();
    assert!(store.read(DEFAULT_TENANT, kind, resource).await.unwrap().is_some());
}
