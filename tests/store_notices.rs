//! What the store keeps of subscribers and their events, and the limits of what waits.

use crate::support::claim::bundle;
use crate::support::house::House;
use crate::support::receiver::Receiver;
use claimgate::clock::Clock;
use claimgate::fault::codes;
use claimgate::flow::{notify, subscribe};
use claimgate::store::notices::{Notices, Progress, Subscriber, SubscriberKind, SubscriberState, SubscriberWrite};
use claimgate::store::sqlite::SqliteStore;
use claimgate::store::{DEFAULT_TENANT, ResourceWrite, Store};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

fn at(seconds: i64) -> Timestamp {
    Timestamp::constant(1_764_000_000, 0) + SignedDuration::from_secs(seconds)
}

fn subscriber(id: &str) -> SubscriberWrite {
    SubscriberWrite {
        tenant: DEFAULT_TENANT.into(),
        id: id.into(),
        kind: SubscriberKind::Subscription,
        state: SubscriberState::Active,
        settings: "{}".into(),
        watches: vec!["Task".into()],
        due: None,
        resource: Some(resource("Subscription", id, "{\"v\":1}")),
        at: at(0),
        most: 2,
    }
}

fn resource(kind: &str, id: &str, body: &str) -> ResourceWrite {
    ResourceWrite { kind: kind.into(), id: id.into(), body: body.into(), index: Vec::new() }
}

fn open(folder: &tempfile::TempDir) -> SqliteStore {
    SqliteStore::open(&folder.path().join("claimgate.sqlite"), Clock::fixed(at(0))).unwrap()
}

async fn put(store: &SqliteStore, kind: &str, id: &str, body: &str) {
    store.put(DEFAULT_TENANT, vec![resource(kind, id, body)], at(1)).await.unwrap();
}

async fn found(store: &SqliteStore, id: &str) -> Subscriber {
    store.subscriber(DEFAULT_TENANT, id).await.unwrap().unwrap()
}

/// Gives all waiting changes to some subscribers.
async fn give(store: &SqliteStore, to: &[&str], kept: u64) {
    let changes = store.changes(100).await.unwrap().into_iter();
    let given = changes.map(|change| (change, to.iter().map(ToString::to_string).collect())).collect();
    store.fan_out(given, kept, at(2)).await.unwrap();
}

fn progress(state: SubscriberState, delivered: u64, failures: u32) -> Progress {
    Progress { state, delivered, failures, error: None, due: None, resource: None, at: at(3) }
}

#[tokio::test]
async fn changes_are_written_down_when_somebody_listens_and_numbered_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    put(&store, "Task", "t0", "{}").await;
    assert_eq!(store.changes(100).await.unwrap(), [], "nobody listens");
    store.subscribe(subscriber("a")).await.unwrap();
    put(&store, "Task", "t1", "{\"n\":1}").await;
    put(&store, "Task", "t1", "{\"n\":1}").await;
    put(&store, "Task", "t1", "{\"n\":2}").await;
    put(&store, "Patient", "p", "{}").await;
    let changes = store.changes(100).await.unwrap();
    let versions: Vec<(&str, u32)> = changes.iter().map(|change| (change.id.as_str(), change.version)).collect();
    assert_eq!(versions, [("t1", 1), ("t1", 2)], "an equal text is no change, another type nobody's business");
    // Two workers at once: the second finds it done.
    let given: Vec<_> = changes.into_iter().map(|change| (change, vec!["a".to_owned()])).collect();
    store.fan_out(given.clone(), 10, at(2)).await.unwrap();
    store.fan_out(given, 10, at(2)).await.unwrap();
    let subscriber = found(&store, "a").await;
    assert_eq!((subscriber.events, subscriber.delivered), (2, 0));
    let notices = store.notices(&subscriber, 1, 9, 9).await.unwrap();
    assert_eq!(notices.iter().map(|notice| (notice.number, notice.version)).collect::<Vec<_>>(), [(1, 1), (2, 2)]);
    let first = store.version(DEFAULT_TENANT, "Task", "t1", 1).await.unwrap().unwrap();
    assert_eq!((first.version, first.body.as_str()), (1, "{\"n\":1}"));
    assert!(store.version(DEFAULT_TENANT, "Task", "t1", 3).await.unwrap().is_none());
    assert_eq!(store.subscribers_due(at(2), 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn of_two_workers_one_tells_a_subscriber() {
    let folder = tempfile::tempdir().unwrap();
    let (store, other) = (open(&folder), open(&folder));
    store.subscribe(subscriber("a")).await.unwrap();
    put(&store, "Task", "t1", "{}").await;
    give(&store, &["a"], 10).await;
    let (ours, theirs) = tokio::join!(store.take_subscribers(at(3), at(9), 9), other.take_subscribers(at(3), at(9), 9));
    let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
    assert_eq!(ours.len() + theirs.len(), 1);
    let taken = [ours, theirs].concat().remove(0);
    // What comes meanwhile waits for the worker that has the subscriber.
    put(&store, "Task", "t2", "{}").await;
    give(&store, &["a"], 10).await;
    assert_eq!(other.take_subscribers(at(8), at(9), 9).await.unwrap(), []);
    assert!(store.progress(&taken, progress(SubscriberState::Active, 1, 0)).await.unwrap());
    let next = other.take_subscribers(at(4), at(9), 9).await.unwrap();
    assert_eq!(next.iter().map(|each| each.delivered).collect::<Vec<_>>(), [1]);
    // One that is given back, or whose worker is gone, is taken again.
    other.let_go(&next[0]).await.unwrap();
    assert_eq!(store.take_subscribers(at(4), at(9), 9).await.unwrap().len(), 1);
    assert_eq!(store.take_subscribers(at(8), at(20), 9).await.unwrap(), []);
    assert_eq!(store.take_subscribers(at(9), at(20), 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_begun_before_a_change_of_the_settings_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    store.subscribe(subscriber("a")).await.unwrap();
    put(&store, "Task", "t1", "{}").await;
    give(&store, &["a"], 10).await;
    let seen = found(&store, "a").await;
    store.subscribe(subscriber("a")).await.unwrap();
    assert!(!store.progress(&seen, progress(SubscriberState::Off, 1, 0)).await.unwrap());
    let now = found(&store, "a").await;
    assert_eq!((now.state, now.events, now.delivered), (SubscriberState::Active, 1, 0), "and numbering goes on");
    // An event that came meanwhile is due at once, unless the attempt failed.
    put(&store, "Task", "t2", "{}").await;
    give(&store, &["a"], 10).await;
    assert!(store.progress(&now, progress(SubscriberState::Active, 1, 0)).await.unwrap());
    assert_eq!(store.subscribers_due(at(3), 9).await.unwrap().len(), 1);
    assert!(store.progress(&now, progress(SubscriberState::Active, 1, 1)).await.unwrap());
    assert_eq!(store.subscribers_due(at(9), 9).await.unwrap(), []);
}

#[tokio::test]
async fn old_events_go_but_none_that_was_not_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    store.subscribe(subscriber("a")).await.unwrap();
    let numbers = async || {
        let notices = store.notices(&found(&store, "a").await, 1, 99, 99).await.unwrap();
        notices.iter().map(|notice| notice.number).collect::<Vec<_>>()
    };
    for n in 0..4 {
        put(&store, "Task", &format!("t{n}"), "{}").await;
        give(&store, &["a"], 2).await;
    }
    assert_eq!(numbers().await, [1, 2, 3, 4]);
    store.progress(&found(&store, "a").await, progress(SubscriberState::Active, 3, 0)).await.unwrap();
    put(&store, "Task", "t9", "{}").await;
    give(&store, &["a"], 2).await;
    assert_eq!(numbers().await, [4, 5]);
}

#[tokio::test]
async fn there_is_room_for_so_many_and_who_goes_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    for id in ["a", "b", "a"] {
        store.subscribe(subscriber(id)).await.unwrap();
    }
    assert_eq!(store.subscribe(subscriber("c")).await.unwrap_err().issues[0].code, codes::TOO_MANY);
    store.subscribe(SubscriberWrite { kind: SubscriberKind::Webhook, ..subscriber("d") }).await.unwrap();
    put(&store, "Task", "t1", "{}").await;
    give(&store, &["a", "b"], 10).await;
    assert!(store.unsubscribe(DEFAULT_TENANT, "a").await.unwrap());
    assert!(!store.unsubscribe(DEFAULT_TENANT, "a").await.unwrap());
    assert_eq!(store.read(DEFAULT_TENANT, "Subscription", "a").await.unwrap(), None);
    assert_eq!(found(&store, "b").await.events, 1);
    store.subscribe(subscriber("c")).await.unwrap();
    assert_eq!(store.subscribers().await.unwrap().len(), 3);
}

/// As Da Vinci PAS asks: results of requests for authorization, by the NPI of who made them.
#[tokio::test]
async fn results_of_authorizations_are_told_to_those_who_asked() {
    let house = House::with(|config| {
        config.notify.allow_http = true;
        config.notify.allow_private = true;
    })
    .await;
    let (gateway, receiver) = (&house.gateway, Receiver::start().await);
    let mut ids = Vec::new();
    for npi in ["1234567893", "1999999984"] {
        let wanted = json!({
            "resourceType": "Subscription", "status": "requested", "reason": "test",
            "criteria": "http://hl7.org/fhir/us/davinci-pas/SubscriptionTopic/PASSubscriptionTopic",
            "_criteria": {"extension": [{
                "url": "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-filter-criteria",
                "valueString": format!("orgIdentifier={npi}"),
            }]},
            "channel": {"type": "rest-hook", "endpoint": receiver.url("/")},
        });
        let kept = subscribe::create(gateway, DEFAULT_TENANT, "http://gateway.example/fhir", wanted).await.unwrap();
        ids.push(kept.id);
    }
    let of = |kind: &str, id: &str, value: serde_json::Value| resource(kind, id, &value.to_string());
    let npi = json!([{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}]);
    let mut response = json!({
        "resourceType": "ClaimResponse", "id": "r", "status": "active", "use": "preauthorization", "outcome": "queued",
        "requestor": {"reference": "PractitionerRole/p"},
    });
    let mut writes = vec![
        of("Organization", "o", json!({"resourceType": "Organization", "id": "o", "identifier": npi})),
        of(
            "PractitionerRole",
            "p",
            json!({"resourceType": "PractitionerRole", "organization": {"reference": "Organization/o"}}),
        ),
        of("ClaimResponse", "r", response.clone()),
    ];
    gateway.store.put(DEFAULT_TENANT, writes.clone(), at(0)).await.unwrap();
    response["outcome"] = json!("complete");
    writes = vec![of("ClaimResponse", "r", response.clone())];
    gateway.store.put(DEFAULT_TENANT, writes, at(1)).await.unwrap();
    response["use"] = json!("claim");
    gateway.store.put(DEFAULT_TENANT, vec![of("ClaimResponse", "r", response)], at(2)).await.unwrap();
    assert_eq!(notify::fan_out(gateway).await.unwrap(), 3);
    let events = async |id: &str| gateway.store.subscriber(DEFAULT_TENANT, id).await.unwrap().unwrap().events;
    assert_eq!((events(&ids[0]).await, events(&ids[1]).await), (1, 0), "neither the first answer nor a claim's");
}

/// Up to the limit all waits; the event above is not numbered, and the subscriber is given up.
#[tokio::test]
async fn too_much_that_waits_ends_a_subscription() {
    let house = House::with(|config| {
        config.notify.allow_http = true;
        config.notify.allow_private = true;
        config.notify.waiting = 2;
    })
    .await;
    let receiver = Receiver::start().await;
    let wanted = json!({
        "resourceType": "Subscription", "status": "requested", "reason": "test",
        "criteria": "https://claimgate.dev/fhir/SubscriptionTopic/claim-response-changed",
        "channel": {"type": "rest-hook", "endpoint": receiver.url("/")},
    });
    let gateway = &house.gateway;
    let kept = subscribe::create(gateway, DEFAULT_TENANT, "http://gateway.example/fhir", wanted).await.unwrap();
    let now = async || gateway.store.subscriber(DEFAULT_TENANT, &kept.id).await.unwrap().unwrap();
    notify::attend(gateway, &now().await).await.unwrap();
    assert_eq!(now().await.state, SubscriberState::Active);
    for number in ["WAIT1", "WAIT2"] {
        house.submit(bundle(number)).await;
    }
    assert_eq!(notify::fan_out(gateway).await.unwrap(), 2);
    assert_eq!((now().await.events, now().await.state), (2, SubscriberState::Active));
    house.submit(bundle("WAIT3")).await;
    assert_eq!(notify::fan_out(gateway).await.unwrap(), 1);
    assert_eq!((now().await.events, now().await.state), (2, SubscriberState::Off));
    let shown = gateway.store.read(DEFAULT_TENANT, "Subscription", &kept.id).await.unwrap().unwrap();
    assert!(shown.body.contains("\"off\"") && shown.body.contains("too many events"), "{}", shown.body);
    assert_eq!(notify::fan_out(gateway).await.unwrap(), 0);
}
