//! The promise, under fire: what got a 2xx is delivered once and answered, whatever dies in between.

use crate::support::claim::bundle;
use crate::support::rabbit::Broker;
use crate::support::server::{Server, eventually};
use crate::support::simulator::answer_all;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Claims under load: number → `Claim/…`, for those that got a 2xx.
async fn load(server: Arc<Server>, numbers: Vec<String>, at_once: usize) -> BTreeMap<String, String> {
    let chunks: Vec<Vec<String>> =
        (0..at_once).map(|n| numbers.iter().skip(n).step_by(at_once).cloned().collect()).collect();
    let mut tasks = tokio::task::JoinSet::new();
    for chunk in chunks {
        let server = server.clone();
        tasks.spawn(async move {
            let mut accepted = Vec::new();
            for number in chunk {
                let json = [("content-type", "application/fhir+json")];
                let body = bundle(&number).to_string().into_bytes();
                match server.send("/fhir/Claim/$submit", &json, body).await {
                    Ok(reply) if reply.status / 100 == 2 => {
                        accepted.push((number, reply.body["request"]["reference"].as_str().unwrap().to_owned()));
                    }
                    Ok(reply) => assert!(reply.status >= 500, "{number}: {:#}", reply.body),
                    Err(_) => break,
                }
            }
            accepted
        });
    }
    tasks.join_all().await.into_iter().flatten().collect()
}

/// CLM01 → control numbers of the interchanges that hold it, over everything in the payer's directory.
fn delivered(server: &Server) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut files = server.files("northwind", "outbound");
    files.extend(server.files("northwind", "outbound/taken"));
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        let element = text.as_bytes()[3] as char;
        let terminator = text.as_bytes()[105] as char;
        let mut control = String::new();
        for segment in text.split(terminator).map(str::trim) {
            let elements: Vec<&str> = segment.split(element).collect();
            match elements[0] {
                "ISA" => control = elements[13].to_owned(),
                "CLM" => found.entry(elements[1].to_owned()).or_default().push(control.clone()),
                _ => {}
            }
        }
    }
    found
}

/// Waits until each accepted claim is delivered, and checks that none was twice.
async fn all_delivered_once(server: &Server, accepted: &BTreeMap<String, String>) {
    eventually("every accepted claim is delivered", Duration::from_secs(90), async || {
        let found = delivered(server);
        accepted.keys().all(|number| found.contains_key(number)).then_some(())
    })
    .await;
    for (number, controls) in delivered(server) {
        assert_eq!(controls.len(), 1, "{number} was delivered {} times: {controls:?}", controls.len());
    }
}

/// Control numbers of the partner have no gap and no double.
fn no_gaps(server: &Server) {
    let numbers: BTreeSet<u32> = delivered(server).into_values().flatten().map(|n| n.parse().unwrap()).collect();
    let wanted: BTreeSet<u32> = (1..=numbers.len() as u32).collect();
    assert_eq!(numbers, wanted, "control numbers");
}

async fn all_answered(server: &Server, accepted: &BTreeMap<String, String>) {
    answer_all(server, "northwind").await;
    for claim in accepted.values() {
        server.answered(claim, |answer: &Value| answer["outcome"] == "complete").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle_of_a_thousand() {
    let home = tempfile::tempdir().unwrap();
    let server = Arc::new(Server::start(home.path(), &[]).await);
    let mut accepted = load(server.clone(), (0..10).map(|n| format!("TEN{n}")).collect(), 2).await;
    assert_eq!(accepted.len(), 10);

    let loading = tokio::spawn(load(server.clone(), (0..1000).map(|n| format!("K{n:04}")).collect(), 8));
    let process = server.process_id();
    eventually("the load is under way", Duration::from_secs(60), async || {
        (delivered(&server).len() > 60).then_some(())
    })
    .await;
    crate::support::server::kill_now(process);
    accepted.extend(loading.await.unwrap());
    assert!(accepted.len() > 30 && accepted.len() < 1010, "killed in the middle: {} of 1010", accepted.len());

    let mut server = Arc::into_inner(server).unwrap();
    server.kill();
    server.again().await;
    all_delivered_once(&server, &accepted).await;
    no_gaps(&server);
    all_answered(&server, &accepted).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_broker_stops_and_starts_under_load() {
    let mut rabbit = Broker::start_new();
    let home = tempfile::tempdir().unwrap();
    let url = rabbit.url();
    let environment = [("CLAIMGATE_AMQP_URL", url.as_str()), ("CLAIMGATE_WORKER__REPUBLISH_MS", "5000")];
    let server = Arc::new(Server::start(home.path(), &environment).await);
    let loading = tokio::spawn(load(server.clone(), (0..300).map(|n| format!("R{n:04}")).collect(), 4));
    eventually("the load is under way", Duration::from_secs(60), async || {
        (delivered(&server).len() > 20).then_some(())
    })
    .await;
    tokio::task::block_in_place(|| {
        rabbit.stop();
        std::thread::sleep(Duration::from_secs(2));
        rabbit.start();
    });
    let accepted = loading.await.unwrap();
    assert_eq!(accepted.len(), 300, "the front door stays open while the broker is away");
    all_delivered_once(&server, &accepted).await;
    no_gaps(&server);
    all_answered(&server, &accepted).await;
}

/// Sixty-four messages are handed out ahead; a batch is filled from the store beyond them, and goes when it is full.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_may_hold_more_than_the_queue_hands_out() {
    let rabbit = Broker::start_new();
    let home = tempfile::tempdir().unwrap();
    let environment = [("CLAIMGATE_AMQP_URL", rabbit.url())];
    let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
    let server = Arc::new(Server::start_batching(home.path(), &environment, "{ claims: 100, wait: 10m }").await);
    let accepted = load(server.clone(), (0..200).map(|n| format!("B{n:04}")).collect(), 4).await;
    assert_eq!(accepted.len(), 200);
    all_delivered_once(&server, &accepted).await;
    let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
    delivered(&server).into_values().flatten().for_each(|control| *sizes.entry(control).or_default() += 1);
    assert_eq!(sizes.into_values().collect::<Vec<_>>(), [100, 100]);
}
