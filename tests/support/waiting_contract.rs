//! What every store must keep of submissions that wait, and of claims that correct one another.

use crate::support::store_contract::{at, submission};
use claimgate::billing::id::{InterchangeId, PayerId, SubmissionId};
use claimgate::billing::journey::{EventKind, State};
use claimgate::store::*;
use std::time::Duration;

fn event(kind: EventKind) -> NewEvent {
    NewEvent { kind, part: None, at: at(2), detail: "{}".into() }
}

fn held(waits: &[&str]) -> Held {
    Held {
        content: "{\"resources\":[]}".into(),
        issues: "[]".into(),
        waits: waits.iter().map(|key| (*key).to_owned()).collect(),
        patience: Duration::from_secs(5),
        due: None,
    }
}

fn waiting(n: u32, waits: &[&str]) -> NewSubmission {
    let events = vec![event(EventKind::Received), event(EventKind::Held)];
    NewSubmission { parts: vec![], events, held: Some(held(waits)), ..submission(n) }
}

fn resource(kind: &str, id: &str, index: &[(&str, &str)]) -> ResourceWrite {
    let entry = |(name, value): &(&str, &str)| IndexEntry { name: (*name).into(), value: (*value).into() };
    ResourceWrite { kind: kind.into(), id: id.into(), body: "{}".into(), index: index.iter().map(entry).collect() }
}

async fn due(store: &dyn Store, seconds: i64) -> Vec<SubmissionId> {
    store.wakened(at(seconds), 10).await.unwrap()
}

pub async fn what_is_held_wakes_when_what_it_waits_for_comes(store: &dyn Store) {
    let first = waiting(1, &["Coverage/c1", "sys|7"]);
    let second = waiting(2, &["Patient/p1"]);
    let (one, two) = (first.id.clone(), second.id.clone());
    store.accept(first).await.unwrap();
    store.accept(second).await.unwrap();
    assert_eq!(store.figures().await.unwrap().outbox, 0, "nothing held is due to be sent");
    let other = resource("Coverage", "c2", &[("beneficiary", "Patient/p9")]);
    store.put(DEFAULT_TENANT, vec![other], at(10)).await.unwrap();
    assert_eq!(due(store, 1_000).await, []);
    let named = resource("Coverage", "c2", &[("beneficiary", "Patient/p1")]);
    store.put(DEFAULT_TENANT, vec![named], at(20)).await.unwrap();
    assert_eq!((due(store, 24).await, due(store, 25).await), (vec![], vec![two.clone()]), "after its patience");
    let identified = resource("Organization", "o1", &[("identifier", "sys|7")]);
    store.put("other", vec![identified.clone()], at(30)).await.unwrap();
    assert_eq!(due(store, 1_000).await, [two.clone()], "another tenant's");
    store.put(DEFAULT_TENANT, vec![identified], at(30)).await.unwrap();
    assert_eq!(due(store, 1_000).await, [two, one]);
}

pub async fn what_comes_while_it_is_tried_is_not_missed(store: &dyn Store) {
    let new = waiting(1, &["Coverage/c1"]);
    let id = new.id.clone();
    store.accept(new).await.unwrap();
    let seen = store.held(&id).await.unwrap().unwrap();
    assert_eq!(seen, held(&["Coverage/c1"]));
    store.put(DEFAULT_TENANT, vec![resource("Coverage", "c1", &[])], at(10)).await.unwrap();
    assert!(store.hold(&id, seen, held(&["Coverage/c1"]), vec![]).await.unwrap());
    assert_eq!(due(store, 15).await, [id.clone()], "it came after it was seen");
    let seen = store.held(&id).await.unwrap().unwrap();
    let again = Held { issues: "[1]".into(), ..held(&["Patient/p1"]) };
    assert!(store.hold(&id, seen, again.clone(), vec![event(EventKind::Held)]).await.unwrap());
    assert_eq!((due(store, 1_000).await, store.held(&id).await.unwrap()), (vec![], Some(again)));
}

pub async fn a_held_submission_goes_on_once(store: &dyn Store) {
    let new = waiting(1, &["Coverage/c1"]);
    let id = new.id.clone();
    store.accept(new).await.unwrap();
    let whole = NewSubmission { id: id.clone(), payer: PayerId("southwind".into()), ..submission(1) };
    let whole = NewSubmission {
        events: vec![event(EventKind::Queued)],
        references: vec!["Encounter/e1".into()],
        focal: "Claim/derived".into(),
        ..whole
    };
    assert_eq!(store.resume(whole.clone()).await.unwrap(), Accepted::New);
    assert_eq!(store.resume(whole).await.unwrap(), Accepted::Same(id.clone()), "it is not held any more");
    let found = store.submission(&id).await.unwrap().unwrap();
    assert_eq!((found.state, found.payer.as_str(), found.parts.len()), (State::Queued, "southwind", 2));
    for reference in ["Claim/derived", "Encounter/e1", "Claim/1"] {
        assert_eq!(store.submission_of(DEFAULT_TENANT, reference).await.unwrap().unwrap().id, id, "{reference}");
    }
    assert_eq!((store.held(&id).await.unwrap(), store.figures().await.unwrap().outbox), (None, 1));
    assert_eq!(store.due(&PayerId("southwind".into()), 10).await.unwrap(), [id]);
}

pub async fn corrections_are_one_chain_and_an_answer_wakes_them(store: &dyn Store) {
    let first = submission(1);
    let root = first.id.clone();
    store.accept(first).await.unwrap();
    let second =
        NewSubmission { corrects: Some(root.clone()), frequency: "7".into(), ..waiting(2, &[&answer_to(&root)]) };
    let early = second.id.clone();
    store.accept(second).await.unwrap();
    let third = NewSubmission {
        corrects: Some(early.clone()),
        frequency: "8".into(),
        supersedes: vec![early.clone()],
        services: Some("hash".into()),
        ..submission(3)
    };
    let last = third.id.clone();
    store.accept(third).await.unwrap();
    let links = store.chain(&early).await.unwrap();
    let seen: Vec<(&SubmissionId, &str, bool)> = links
        .iter()
        .map(|link| (&link.submission.id, link.frequency.as_str(), link.submission.superseded.is_some()))
        .collect();
    assert_eq!(seen, [(&root, "1", false), (&early, "7", true), (&last, "8", false)]);
    assert_eq!(store.held(&early).await.unwrap(), None, "who is superseded waits no more");
    let known = store.known(DEFAULT_TENANT, KeyKind::Services, "hash").await.unwrap();
    assert_eq!(known.map(|(id, _)| id), Some(last));

    let fourth = NewSubmission { corrects: Some(root.clone()), ..waiting(4, &[&answer_to(&root)]) };
    let waiting = fourth.id.clone();
    store.accept(fourth).await.unwrap();
    let file = Inbound {
        id: InterchangeId::make(),
        tenant: DEFAULT_TENANT.into(),
        payer: PayerId("northwind".into()),
        hash: "h".into(),
        name: "835.x12".into(),
        bytes: vec![],
        at: at(3),
    };
    let answer = AnswerWrite {
        submission: root.clone(),
        events: vec![event(EventKind::Adjudicated)],
        resources: vec![],
        payer_claim_control_numbers: vec![(1, "ICN1".into())],
        response: None,
        answers: vec![],
        facts: vec![],
        drafts: vec![],
        overtaken: vec![],
    };
    let id = file.id.clone();
    store.receive(file).await.unwrap();
    store.apply(&id, InboundWrite { answers: vec![answer], ..InboundWrite::default() }).await.unwrap();
    assert_eq!(due(store, 1_000).await, [waiting]);
    let links = store.chain(&root).await.unwrap();
    assert_eq!(links[0].payer_claim_control_number.as_deref(), Some("ICN1"));
}
