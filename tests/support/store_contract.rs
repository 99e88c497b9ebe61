//! What every store must keep, whatever it is made of. Each function takes a fresh store.

use claimgate::billing::id::{InterchangeId, PayerId, SubmissionId};
use claimgate::billing::journey::{EventKind, State, advance};
use claimgate::fault::{Fault, codes};
use claimgate::span::Span;
use claimgate::store::*;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// A time of the tests, in seconds from their beginning.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::constant(1_764_000_000, 0) + SignedDuration::from_secs(seconds)
}

fn payer() -> PayerId {
    PayerId("northwind".into())
}

fn write(kind: &str, id: &str, body: &str, index: &[(&str, &str)]) -> ResourceWrite {
    let entry = |(name, value): &(&str, &str)| IndexEntry { name: (*name).into(), value: (*value).into() };
    ResourceWrite { kind: kind.into(), id: id.into(), body: body.into(), index: index.iter().map(entry).collect() }
}

fn event(kind: EventKind, seconds: i64) -> NewEvent {
    NewEvent { kind, part: None, at: at(seconds), detail: "{}".into() }
}

/// The n-th submission of the tests, with two parts.
pub fn submission(n: u32) -> NewSubmission {
    let part = |number: u32| ClaimPart {
        number,
        patient_control_number: format!("PCN{n:05}-{number}"),
        trace_number: format!("TRACE{n:05}{number}"),
        body: format!("HL*1**20*1~CLM*PCN{n:05}-{number}*100~"),
        record: format!("{{\"charge\":1.10,\"n\":{n}}}"),
        member_and_charge: Some(format!("M{n:05}|100")),
    };
    NewSubmission {
        id: SubmissionId::make(),
        tenant: DEFAULT_TENANT.into(),
        focal: format!("Claim/{n}"),
        payer: payer(),
        guide: "005010X222A1".into(),
        mapping_version: "abc123".into(),
        parts: vec![part(1), part(2)],
        resources: vec![
            write("Claim", &n.to_string(), &format!("{{\"total\":1.0e2,\"n\":{n}}}"), &[("status", "active")]),
            write(
                "ClaimResponse",
                &n.to_string(),
                "{\"v\":1}",
                &[("request", &format!("Claim/{n}")), ("outcome", "queued")],
            ),
        ],
        response: format!("ClaimResponse/{n}"),
        idempotency: Some((format!("key-{n}"), format!("hash-{n}"))),
        business_key: Some((format!("caller|claim-{n}"), format!("hash-{n}"))),
        events: vec![event(EventKind::Received, 1), event(EventKind::Queued, 1)],
        received: at(1),
        frequency: "1".into(),
        corrects: None,
        supersedes: vec![],
        services: None,
        references: vec![],
        held: None,
    }
}

async fn accept(store: &dyn Store, n: u32) -> SubmissionId {
    let new = submission(n);
    let id = new.id.clone();
    assert_eq!(store.accept(new).await.unwrap(), Accepted::New);
    id
}

async fn state(store: &dyn Store, id: &SubmissionId) -> State {
    store.submission(id).await.unwrap().unwrap().state
}

async fn append(store: &dyn Store, id: &SubmissionId, kind: EventKind, seconds: i64) -> State {
    store.append(id, vec![event(kind, seconds)], vec![]).await.unwrap()
}

fn kinds(events: &[Event]) -> Vec<EventKind> {
    events.iter().map(|event| event.kind).collect()
}

/// An interchange whose bytes name its numbers; every submission has two claims in it.
pub fn interchange(submissions: &[SubmissionId], seconds: i64) -> NewInterchange {
    NewInterchange {
        id: InterchangeId::make(),
        tenant: DEFAULT_TENANT.into(),
        payer: payer(),
        partner: "northwind:ME:THEM".into(),
        submissions: submissions.to_vec(),
        at: at(seconds),
        deadlines: Vec::new(),
        build: Box::new(|numbers, left| Ok(sealed_bytes(numbers, left))),
    }
}

fn sealed_bytes(numbers: ControlNumbers, left: &[SubmissionId]) -> SealedBytes {
    let claim = |n: usize, id: &SubmissionId, part: u32| SealedClaim {
        submission: id.clone(),
        part,
        transaction_set: "0001".into(),
        batch_number: format!("BATCH{}", numbers.interchange),
        first_segment: (10 * (2 * n as u32 + part)),
        last_segment: (10 * (2 * n as u32 + part)) + 9,
    };
    SealedBytes {
        bytes: format!("ISA*{:09}~GS*{}~", numbers.interchange, numbers.group).into_bytes(),
        name: format!("837P-{:09}.x12", numbers.interchange),
        claims: left.iter().enumerate().flat_map(|(n, id)| [claim(n, id, 1), claim(n, id, 2)]).collect(),
    }
}

async fn seal(store: &dyn Store, submissions: &[SubmissionId], seconds: i64) -> Interchange {
    store.seal(interchange(submissions, seconds)).await.unwrap().new.unwrap()
}

async fn outbox(store: &dyn Store, stale: i64) -> Vec<SubmissionId> {
    store.outbox(at(stale), 100).await.unwrap().into_iter().map(|line| line.submission).collect()
}

pub fn inbound(name: &str) -> Inbound {
    Inbound {
        id: InterchangeId::make(),
        tenant: DEFAULT_TENANT.into(),
        payer: payer(),
        hash: format!("hash of {name}"),
        name: name.into(),
        bytes: vec![0, 255, b'~'],
        at: at(50),
    }
}

pub fn answer(submission: &SubmissionId, kind: EventKind) -> AnswerWrite {
    AnswerWrite {
        submission: submission.clone(),
        events: vec![event(kind, 60)],
        resources: vec![],
        payer_claim_control_numbers: Vec::new(),
        response: None,
        answers: Vec::new(),
        facts: Vec::new(),
        drafts: Vec::new(),
        overtaken: Vec::new(),
    }
}

fn said(part: u32, body: &str) -> MatchedAnswer {
    MatchedAnswer { part, at: at(59), fresh: true, body: body.into() }
}

fn code(fault: &Fault) -> &'static str {
    fault.issues[0].code
}

pub async fn what_is_accepted_is_there(store: &dyn Store) {
    let new = submission(1);
    assert_eq!(store.accept(new.clone()).await.unwrap(), Accepted::New);
    let found = store.submission(&new.id).await.unwrap().unwrap();
    assert_eq!((&found.id, &found.tenant, &found.payer), (&new.id, &new.tenant, &new.payer));
    assert_eq!((&found.focal, &found.response), (&new.focal, &new.response));
    assert_eq!((&found.guide, &found.mapping_version), (&new.guide, &new.mapping_version));
    assert_eq!((found.state, found.since, found.received), (State::Queued, at(1), at(1)));
    assert_eq!((found.attempts, &found.interchange, &found.superseded), (0, &None, &None));
    assert_eq!(found.parts, new.parts);
    for resource in &new.resources {
        let kept = store.read(DEFAULT_TENANT, &resource.kind, &resource.id).await.unwrap().unwrap();
        assert_eq!((kept.version, kept.updated, &kept.body), (1, at(1), &resource.body), "texts come back unchanged");
    }
    let events = store.events(&new.id).await.unwrap();
    assert_eq!(kinds(&events), [EventKind::Received, EventKind::Queued]);
    assert_eq!(events.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2]);
    for reference in ["Claim/1", "ClaimResponse/1"] {
        let found = store.submission_of(DEFAULT_TENANT, reference).await.unwrap().unwrap();
        assert_eq!(found.id, new.id);
        assert_eq!(found.parts, new.parts);
    }
    assert!(store.submission(&SubmissionId::make()).await.unwrap().is_none());
    assert!(store.submission_of(DEFAULT_TENANT, "Claim/2").await.unwrap().is_none());
}

pub async fn a_repetition_is_recognised(store: &dyn Store) {
    let first = accept(store, 1).await;
    assert_eq!(store.accept(submission(1)).await.unwrap(), Accepted::Same(first.clone()));
    for (kind, key) in [(KeyKind::Idempotency, "key-1"), (KeyKind::Business, "caller|claim-1")] {
        assert_eq!(store.known(DEFAULT_TENANT, kind, key).await.unwrap(), Some((first.clone(), "hash-1".into())));
    }
    // The keys of one kind are not those of the other.
    assert_eq!(store.known(DEFAULT_TENANT, KeyKind::Business, "key-1").await.unwrap(), None);
    // Recognised by the claim's identifier alone; its new Idempotency-Key is known from then on.
    let again = NewSubmission { idempotency: Some(("key-b".into(), "hash-1".into())), ..submission(1) };
    assert_eq!(store.accept(again).await.unwrap(), Accepted::Same(first.clone()));
    let known = store.known(DEFAULT_TENANT, KeyKind::Idempotency, "key-b").await.unwrap();
    assert_eq!(known, Some((first.clone(), "hash-1".into())));
    assert_eq!(outbox(store, 0).await, [first.clone()]);
    assert_eq!(store.history(DEFAULT_TENANT, "ClaimResponse", "1").await.unwrap().len(), 1);
    // Without keys nothing is recognised.
    let keyless = NewSubmission { idempotency: None, business_key: None, ..submission(1) };
    assert_eq!(store.accept(keyless).await.unwrap(), Accepted::New);
}

pub async fn of_two_equal_posts_at_once_one_is_new(store: &dyn Store) {
    let replies = join_all((0..20).map(|_| store.accept(submission(7)))).await;
    let replies: Vec<Accepted> = replies.into_iter().map(Result::unwrap).collect();
    assert_eq!(replies.iter().filter(|reply| **reply == Accepted::New).count(), 1);
    let due = outbox(store, 0).await;
    assert_eq!(due.len(), 1);
    assert!(replies.iter().all(|reply| matches!(reply, Accepted::New) || *reply == Accepted::Same(due[0].clone())));
}

pub async fn other_content_under_a_key_is_refused(store: &dyn Store) {
    let first = accept(store, 1).await;
    let other = NewSubmission { idempotency: Some(("key-1".into(), "other".into())), ..submission(2) };
    assert_eq!(store.accept(other).await.unwrap(), Accepted::KeyConflict(first.clone()));
    let other = NewSubmission { business_key: Some(("caller|claim-1".into(), "other".into())), ..submission(2) };
    assert_eq!(store.accept(other).await.unwrap(), Accepted::BusinessConflict(first.clone()));
    assert!(store.read(DEFAULT_TENANT, "Claim", "2").await.unwrap().is_none(), "nothing of them is written");
    assert_eq!(outbox(store, 0).await, [first]);
}

pub async fn a_mended_claim_takes_the_place_of_one_that_stands_still(store: &dyn Store) {
    let held = accept(store, 1).await;
    append(store, &held, EventKind::Held, 2).await;
    let mended = NewSubmission {
        idempotency: Some(("key-2".into(), "mended".into())),
        business_key: Some(("caller|claim-1".into(), "mended".into())),
        ..submission(2)
    };
    assert_eq!(store.accept(mended.clone()).await.unwrap(), Accepted::New);
    assert_eq!(store.submission(&held).await.unwrap().unwrap().superseded, Some(mended.id.clone()));
    let known = store.known(DEFAULT_TENANT, KeyKind::Business, "caller|claim-1").await.unwrap();
    assert_eq!(known, Some((mended.id.clone(), "mended".into())));
    // The one before can't be sent beside it.
    let refused = store.append(&held, vec![event(EventKind::Released, 3)], vec![]).await.unwrap_err();
    assert_eq!(code(&refused), codes::CLAIM_STATUS);
    assert_eq!(state(store, &held).await, State::Held);
    assert_eq!(outbox(store, 0).await, [mended.id]);
}

pub async fn a_submission_without_a_state_is_refused_whole(store: &dyn Store) {
    let stateless = NewSubmission { events: vec![event(EventKind::Received, 1)], ..submission(1) };
    assert!(store.accept(stateless).await.is_err());
    assert!(store.read(DEFAULT_TENANT, "Claim", "1").await.unwrap().is_none());
    assert_eq!(store.known(DEFAULT_TENANT, KeyKind::Idempotency, "key-1").await.unwrap(), None);
    accept(store, 1).await;
}

pub async fn resources_have_versions(store: &dyn Store) {
    let put = |body: &str, seconds| store.put(DEFAULT_TENANT, vec![write("Patient", "p", body, &[])], at(seconds));
    assert_eq!(put("{\"a\":1.10}", 1).await.unwrap()[0].version, 1);
    assert_eq!(put("{\"a\":1.1}", 2).await.unwrap()[0].version, 2);
    let same = put("{\"a\":1.1}", 3).await.unwrap().remove(0);
    assert_eq!((same.version, same.updated), (2, at(2)), "what changes nothing makes no version");
    assert_eq!(put("{\"a\":1.10}", 4).await.unwrap()[0].version, 3);
    let newest = store.read(DEFAULT_TENANT, "Patient", "p").await.unwrap().unwrap();
    assert_eq!((newest.version, newest.updated, newest.body.as_str()), (3, at(4), "{\"a\":1.10}"));
    let history = store.history(DEFAULT_TENANT, "Patient", "p").await.unwrap();
    let versions: Vec<_> = history.iter().map(|v| (v.version, v.updated, v.body.as_str())).collect();
    assert_eq!(versions, [(3, at(4), "{\"a\":1.10}"), (2, at(2), "{\"a\":1.1}"), (1, at(1), "{\"a\":1.10}")]);
    assert!(store.read(DEFAULT_TENANT, "Coverage", "p").await.unwrap().is_none());
    assert!(store.history(DEFAULT_TENANT, "Patient", "q").await.unwrap().is_empty());
}

fn query(conditions: &[(&str, &[&str])]) -> Query {
    let words = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    Query {
        kind: "Patient".into(),
        conditions: conditions.iter().map(|(name, values)| ((*name).to_owned(), words(values))).collect(),
        limit: 100,
        ..Query::default()
    }
}

async fn ids(store: &dyn Store, query: &Query) -> Vec<String> {
    store.search(DEFAULT_TENANT, query).await.unwrap().into_iter().map(|found| found.id).collect()
}

pub async fn a_search_finds_by_the_newest_version(store: &dyn Store) {
    let patients = vec![
        write("Patient", "a", "1", &[("identifier", "mrn|1"), ("family", "roe"), ("family", "doe")]),
        write("Patient", "b", "2", &[("identifier", "mrn|2"), ("family", "roe")]),
        write("Patient", "c", "3", &[("identifier", "mrn|3"), ("identifier", "mrn|3")]),
        write("Person", "d", "4", &[("identifier", "mrn|1")]),
    ];
    store.put(DEFAULT_TENANT, patients, at(1)).await.unwrap();
    assert_eq!(ids(store, &query(&[])).await, ["c", "b", "a"]);
    assert_eq!(ids(store, &query(&[("identifier", &["mrn|1"])])).await, ["a"]);
    assert_eq!(ids(store, &query(&[("identifier", &["mrn|3", "mrn|1"])])).await, ["c", "a"]);
    assert_eq!(ids(store, &query(&[("family", &["roe"]), ("identifier", &["mrn|2", "mrn|3"])])).await, ["b"]);
    assert_eq!(ids(store, &query(&[("family", &["roe"]), ("family", &["doe"])])).await, ["a"]);
    assert_eq!(ids(store, &query(&[("_id", &["b", "a"]), ("family", &["doe"])])).await, ["a"]);
    assert!(ids(store, &query(&[("identifier", &[])])).await.is_empty());
    let moved = vec![write("Patient", "a", "1b", &[("identifier", "mrn|9")])];
    store.put(DEFAULT_TENANT, moved, at(2)).await.unwrap();
    assert!(ids(store, &query(&[("identifier", &["mrn|1"])])).await.is_empty());
    let found = store.search(DEFAULT_TENANT, &query(&[("identifier", &["mrn|9"])])).await.unwrap();
    assert_eq!((found.len(), found[0].version, found[0].body.as_str()), (1, 2, "1b"));
    assert_eq!(ids(store, &Query { limit: 2, ..query(&[]) }).await, ["c", "b"]);
}

pub async fn a_search_finds_by_time(store: &dyn Store) {
    let made = [("year", "2026"), ("day", "2026-03-03"), ("time", "2026-03-03T10:00:00.000Z"), ("later", "2026-04-01")];
    let resources = made.map(|(id, value)| write("Patient", id, id, &[("made", value)])).to_vec();
    store.put(DEFAULT_TENANT, resources, at(1)).await.unwrap();
    for (asked, found) in [
        ("2026-03-03", vec!["time", "day"]),
        ("2026", vec!["later", "time", "day", "year"]),
        ("ne2026-03-03", vec!["later", "year"]),
        ("2026-03-03T10:00Z", vec!["time"]),
        ("2026-03-03T11:00:00+01:00", vec!["time"]),
        ("gt2026-03-03T10:00:00Z", vec!["later", "day", "year"]),
        ("ge2026-03-03T10:00:00Z", vec!["later", "time", "day", "year"]),
        ("lt2026-03-03", vec!["year"]),
        ("le2026-03-03", vec!["time", "day", "year"]),
        ("lt2026-03-03T10:00:00Z", vec!["day", "year"]),
        ("sa2026-03-03", vec!["later"]),
        ("eb2026-03-03T10:00:01Z", vec!["time"]),
        ("eb2026-01-01", vec![]),
        ("sa2026", vec![]),
    ] {
        let spans = vec![("made".to_owned(), vec![Span::parse(asked).unwrap()])];
        assert_eq!(ids(store, &Query { spans, ..query(&[]) }).await, found, "{asked}");
    }
    let spans = ["lt2026-01-02", "2026-04"].map(|asked| Span::parse(asked).unwrap()).to_vec();
    let either = Query { spans: vec![("made".to_owned(), spans)], ..query(&[]) };
    assert_eq!(ids(store, &either).await, ["later", "year"], "any of several");
}

pub async fn a_search_has_limits(store: &dyn Store) {
    let values = |n: usize| Query {
        kind: "Patient".into(),
        conditions: vec![("family".into(), vec!["roe".to_owned(); n])],
        limit: usize::MAX,
        ..Query::default()
    };
    assert!(store.search(DEFAULT_TENANT, &values(SEARCH_VALUES_MOST)).await.is_ok());
    let refused = store.search(DEFAULT_TENANT, &values(SEARCH_VALUES_MOST + 1)).await.unwrap_err();
    assert_eq!(code(&refused), codes::TOO_MANY);
    for (n, found) in [(RESULTS_MOST, RESULTS_MOST), (RESULTS_MOST + 1, RESULTS_MOST)] {
        let patients = (0..n).map(|n| write("Patient", &n.to_string(), "{}", &[("family", "roe")])).collect();
        store.put(DEFAULT_TENANT, patients, at(1)).await.unwrap();
        assert_eq!(store.search(DEFAULT_TENANT, &values(1)).await.unwrap().len(), found);
    }
}

pub async fn tenants_see_only_their_own(store: &dyn Store) {
    let ours = accept(store, 1).await;
    let theirs = NewSubmission { tenant: "other".into(), ..submission(1) };
    assert_eq!(store.accept(theirs.clone()).await.unwrap(), Accepted::New, "keys are each tenant's own");
    assert_eq!(store.submission_of("other", "Claim/1").await.unwrap().unwrap().id, theirs.id);
    assert_eq!(store.submission_of(DEFAULT_TENANT, "Claim/1").await.unwrap().unwrap().id, ours);
    store.put("other", vec![write("Claim", "1", "theirs", &[("status", "draft")])], at(2)).await.unwrap();
    assert_eq!(store.history(DEFAULT_TENANT, "Claim", "1").await.unwrap().len(), 1);
    let active = Query {
        kind: "Claim".into(),
        conditions: vec![("status".into(), vec!["active".into()])],
        limit: 9,
        ..Query::default()
    };
    assert_eq!(store.search("other", &active).await.unwrap().len(), 0);
    assert_eq!(store.search(DEFAULT_TENANT, &active).await.unwrap().len(), 1);
    assert!(store.read("nobody", "Claim", "1").await.unwrap().is_none());
    assert!(store.seal(interchange(&[ours.clone(), theirs.id], 3)).await.is_err(), "nor are claims mixed on the wire");
    assert_eq!(seal(store, &[ours], 4).await.interchange_control_number, 1);
}

/// Any events, in any order: the state is their fold, the outbox holds the queued, the counts agree.
pub async fn the_state_is_the_fold_of_the_events(store: &dyn Store) {
    let strategy = prop::collection::vec(prop::sample::select(EventKind::ALL), 1..12);
    let mut runner = TestRunner::new(Config { cases: 48, ..Config::default() });
    let handle = tokio::runtime::Handle::current();
    let numbers = std::cell::Cell::new(0);
    // Each case is one more submission of the same store.
    let outcome = tokio::task::block_in_place(|| {
        runner.run(&strategy, |kinds| {
            numbers.set(numbers.get() + 1);
            handle.block_on(check_fold(store, numbers.get(), &kinds))
        })
    });
    outcome.unwrap();
    let figures = store.figures().await.unwrap();
    let queued = figures.submissions_by_state.iter().find(|(state, _)| *state == State::Queued).unwrap().1;
    assert_eq!(figures.outbox, queued);
    for (state, count) in figures.submissions_by_state {
        let filter = Filter { state: Some(state), limit: RESULTS_MOST, ..Filter::default() };
        assert_eq!(store.submissions(&filter).await.unwrap().len() as u64, count, "{}", state.word());
    }
}

async fn check_fold(store: &dyn Store, n: u32, kinds: &[EventKind]) -> Result<(), TestCaseError> {
    let id = accept(store, n).await;
    let mut expected = Some(State::Queued);
    for kind in kinds {
        expected = advance(expected, *kind);
        prop_assert_eq!(Some(append(store, &id, *kind, 5).await), expected);
    }
    let found = store.submission(&id).await.unwrap().unwrap();
    prop_assert_eq!(Some(found.state), expected);
    let events = store.events(&id).await.unwrap();
    prop_assert_eq!(events.len(), kinds.len() + 2);
    prop_assert!(events.iter().zip(1..).all(|(event, n)| event.sequence == n));
    let due = store.outbox(at(0), RESULTS_MOST).await.unwrap().iter().any(|line| line.submission == id);
    prop_assert_eq!(due, expected == Some(State::Queued));
    Ok(())
}

pub async fn the_outbox_holds_what_is_due(store: &dyn Store) {
    let mut submitted = Vec::new();
    for n in 1..=3 {
        submitted.push(accept(store, n).await);
    }
    let held = NewSubmission { events: vec![event(EventKind::Held, 1)], ..submission(4) };
    store.accept(held).await.unwrap();
    let lines = store.outbox(at(0), 100).await.unwrap();
    assert!(lines.iter().all(|line| line.payer == payer()));
    assert_eq!(outbox(store, 0).await, submitted, "in the order of acceptance; what is held is not due");
    assert_eq!(store.outbox(at(0), 2).await.unwrap().len(), 2);
    store.published(submitted[..2].to_vec(), at(10)).await.unwrap();
    assert_eq!(outbox(store, 10).await, submitted[2..], "published and not stale yet");
    assert_eq!(outbox(store, 11).await, [&submitted[2..], &submitted[..2]].concat(), "stale ones come after new ones");
    store.published(vec![submitted[0].clone()], at(20)).await.unwrap();
    assert_eq!(outbox(store, 15).await, [submitted[2].clone(), submitted[1].clone()]);
    seal(store, &submitted, 30).await;
    assert!(outbox(store, 100).await.is_empty());
    store.published(submitted, at(40)).await.unwrap();
    assert!(outbox(store, 100).await.is_empty(), "a late confirmation puts nothing back");
}

pub async fn a_hold_takes_a_claim_off_the_outbox(store: &dyn Store) {
    let id = accept(store, 1).await;
    store.published(vec![id.clone()], at(2)).await.unwrap();
    assert_eq!(append(store, &id, EventKind::Held, 3).await, State::Held);
    assert!(outbox(store, 100).await.is_empty());
    assert_eq!(append(store, &id, EventKind::Released, 4).await, State::Queued);
    assert_eq!(outbox(store, 0).await, [id.clone()], "due at once, as if never published");
    // With a resource: both or none.
    let answer = vec![write("ClaimResponse", "1", "{\"v\":2}", &[])];
    store.append(&id, vec![event(EventKind::Held, 5)], answer).await.unwrap();
    assert_eq!(store.read(DEFAULT_TENANT, "ClaimResponse", "1").await.unwrap().unwrap().version, 2);
    let nobody = SubmissionId::make();
    let answer = vec![write("ClaimResponse", "x", "{}", &[])];
    let refused = store.append(&nobody, vec![event(EventKind::Held, 5)], answer).await.unwrap_err();
    assert_eq!(code(&refused), codes::NOT_FOUND);
    assert!(store.read(DEFAULT_TENANT, "ClaimResponse", "x").await.unwrap().is_none());
}

pub async fn numbers_have_no_gaps(store: &dyn Store) {
    let mut submitted = Vec::new();
    for n in 0..40 {
        submitted.push(accept(store, n).await);
    }
    // Every third building fails or panics; all at once.
    let seals = submitted.iter().enumerate().map(|(n, id)| {
        let mut new = interchange(std::slice::from_ref(id), 5);
        match n % 6 {
            0 => new.build = Box::new(|_, _| Err(Fault::ours(codes::INTERNAL, "no"))),
            3 => new.build = Box::new(|_, _| panic!("while building")),
            _ => {}
        }
        store.seal(new)
    });
    let sealed: Vec<_> = join_all(seals).await.into_iter().filter_map(Result::ok).collect();
    let mut numbers: Vec<u32> =
        sealed.iter().map(|sealed| sealed.new.as_ref().unwrap().interchange_control_number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=26).collect::<Vec<u32>>());
    assert_eq!(outbox(store, 0).await.len(), 14, "what failed stays due");
    let other = NewInterchange { partner: "other".into(), ..interchange(&[submitted[0].clone()], 6) };
    let sealed = store.seal(other).await.unwrap().new.unwrap();
    assert_eq!((sealed.interchange_control_number, sealed.group_control_number), (1, 1), "each partner has its own");
}

pub async fn numbers_wrap(store: &dyn Store) {
    let partner = "northwind:ME:THEM";
    store.set_control_numbers(partner, ControlNumbers { interchange: 999_999_998, group: 41 }).await.unwrap();
    let mut numbers = Vec::new();
    for n in 0..3 {
        let id = accept(store, n).await;
        let sealed = seal(store, &[id], 5).await;
        numbers.push((sealed.interchange_control_number, sealed.group_control_number));
    }
    assert_eq!(numbers, [(999_999_999, 42), (1, 43), (2, 44)]);
    for interchange in [0, 999_999_999] {
        assert!(store.set_control_numbers(partner, ControlNumbers { interchange, group: 0 }).await.is_ok());
    }
    let over = ControlNumbers { interchange: 1_000_000_000, group: 0 };
    assert!(store.set_control_numbers(partner, over).await.is_err());
}

pub async fn sealing_twice_makes_one_interchange(store: &dyn Store) {
    let (a, b, c) = (accept(store, 1).await, accept(store, 2).await, accept(store, 3).await);
    let first = seal(store, &[a.clone(), b.clone(), a.clone()], 5).await;
    assert_eq!((first.name.as_str(), first.bytes.as_slice()), ("837P-000000001.x12", &b"ISA*000000001~GS*1~"[..]));
    assert_eq!(first.claims.len(), 4, "named twice, sealed once");
    let kept = store.interchange(&first.id).await.unwrap().unwrap();
    assert_eq!((&kept.bytes, &kept.name, &kept.claims), (&first.bytes, &first.name, &first.claims));
    assert_eq!((kept.sealed, kept.sent, kept.given_up, kept.attempts), (at(5), None, None, 0));
    let again = store.seal(interchange(&[b.clone(), a.clone()], 6)).await.unwrap();
    assert!(again.new.is_none());
    assert_eq!(again.already, [first.id.clone()]);
    let mixed = store.seal(interchange(&[a.clone(), c.clone()], 7)).await.unwrap();
    assert_eq!(mixed.already, [first.id.clone()]);
    let second = mixed.new.unwrap();
    assert_eq!(second.interchange_control_number, 2, "the redelivery used up no number");
    assert!(second.claims.iter().all(|claim| claim.submission == c));
    assert_eq!(store.submission(&a).await.unwrap().unwrap().interchange, Some(first.id));
    let events = store.events(&a).await.unwrap();
    assert_eq!(kinds(&events), [EventKind::Received, EventKind::Queued, EventKind::Sealed]);
    assert!(events[2].detail.contains("\"interchangeControlNumber\":1"), "{}", events[2].detail);
    assert!(store.interchange(&InterchangeId::make()).await.unwrap().is_none());
}

pub async fn sealing_leaves_out_what_is_not_queued(store: &dyn Store) {
    let (queued, held, nobody) = (accept(store, 1).await, accept(store, 2).await, SubmissionId::make());
    append(store, &held, EventKind::Held, 2).await;
    let sealed = store.seal(interchange(&[held.clone(), nobody.clone(), queued.clone()], 5)).await.unwrap();
    assert_eq!(sealed.skipped, [held.clone(), nobody]);
    assert!(sealed.new.unwrap().claims.iter().all(|claim| claim.submission == queued));
    let nothing = store.seal(interchange(&[held], 6)).await.unwrap();
    assert!(nothing.new.is_none() && nothing.already.is_empty());
}

pub async fn an_interchange_must_name_what_it_was_given(store: &dyn Store) {
    let (a, b) = (accept(store, 1).await, accept(store, 2).await);
    let mut stranger = interchange(std::slice::from_ref(&a), 5);
    let other = b.clone();
    stranger.build = Box::new(move |numbers, _| Ok(sealed_bytes(numbers, std::slice::from_ref(&other))));
    assert!(store.seal(stranger).await.is_err());
    let mut forgetful = interchange(&[a.clone(), b.clone()], 5);
    forgetful.build = Box::new(|numbers, left| Ok(sealed_bytes(numbers, &left[..1])));
    assert!(store.seal(forgetful).await.is_err());
    assert_eq!(outbox(store, 0).await, [a.clone(), b]);
    assert_eq!(seal(store, &[a], 6).await.interchange_control_number, 1);
}

pub async fn attempts_are_counted(store: &dyn Store) {
    let id = accept(store, 1).await;
    let sealed = seal(store, std::slice::from_ref(&id), 10).await.id;
    assert!(store.unsent(at(10), 9).await.unwrap().is_empty());
    assert_eq!(store.unsent(at(11), 9).await.unwrap(), [sealed.clone()]);
    assert_eq!(store.attempt(&sealed, at(20)).await.unwrap(), 1);
    assert!(store.unsent(at(20), 9).await.unwrap().is_empty(), "an attempt that has just begun is not stale");
    let failure = |seconds, last| Failure { at: at(seconds), detail: "{\"why\":\"timeout\"}".into(), last };
    store.failed(&sealed, failure(21, false)).await.unwrap();
    assert_eq!(store.attempt(&sealed, at(30)).await.unwrap(), 2);
    let found = store.submission(&id).await.unwrap().unwrap();
    assert_eq!((found.state, found.attempts), (State::Queued, 1));
    store.sent(&sealed, at(31)).await.unwrap();
    store.sent(&sealed, at(32)).await.unwrap();
    store.failed(&sealed, failure(33, true)).await.unwrap();
    let kept = store.interchange(&sealed).await.unwrap().unwrap();
    assert_eq!((kept.attempts, kept.sent, kept.given_up), (2, Some(at(31)), None));
    assert_eq!(state(store, &id).await, State::Sent);
    let events = kinds(&store.events(&id).await.unwrap());
    assert_eq!(events[2..], [EventKind::Sealed, EventKind::SendFailed, EventKind::Sent], "each once");
    assert!(store.unsent(at(100), 9).await.unwrap().is_empty());
    let nobody = InterchangeId::make();
    assert!(store.attempt(&nobody, at(1)).await.is_err());
    assert!(store.sent(&nobody, at(1)).await.is_err());
    assert!(store.failed(&nobody, failure(1, false)).await.is_err());
}

pub async fn what_is_given_up_is_due_no_more(store: &dyn Store) {
    let (a, b) = (accept(store, 1).await, accept(store, 2).await);
    let first = seal(store, &[a.clone(), b.clone()], 10).await.id;
    let given_up = Failure { at: at(20), detail: "{}".into(), last: true };
    store.failed(&first, given_up).await.unwrap();
    assert_eq!(state(store, &a).await, State::Failed);
    assert!(store.unsent(at(100), 9).await.unwrap().is_empty());
    // Released by hand: one of them goes out in a new interchange.
    assert_eq!(append(store, &a, EventKind::Released, 30).await, State::Queued);
    assert_eq!(outbox(store, 0).await, [a.clone()]);
    let second = seal(store, std::slice::from_ref(&a), 31).await;
    assert_eq!(second.interchange_control_number, 2);
    assert_eq!(store.submission(&a).await.unwrap().unwrap().attempts, 0);
    // The given-up one had arrived after all.
    store.sent(&first, at(40)).await.unwrap();
    assert_eq!(state(store, &b).await, State::Sent);
}

pub async fn a_rejected_claim_can_be_queued_again(store: &dyn Store) {
    let id = accept(store, 1).await;
    let first = seal(store, std::slice::from_ref(&id), 10).await.id;
    // While its interchange is on its way, a release makes nothing due: it would go out twice.
    append(store, &id, EventKind::Held, 11).await;
    append(store, &id, EventKind::Released, 12).await;
    assert!(outbox(store, 0).await.is_empty());
    assert_eq!(store.seal(interchange(std::slice::from_ref(&id), 13)).await.unwrap().already, [first.clone()]);
    store.sent(&first, at(14)).await.unwrap();
    append(store, &id, EventKind::Rejected, 15).await;
    append(store, &id, EventKind::Released, 16).await;
    assert_eq!(outbox(store, 0).await, [id.clone()]);
    let second = seal(store, std::slice::from_ref(&id), 17).await;
    assert_eq!(store.submission(&id).await.unwrap().unwrap().interchange, Some(second.id));
    // An answer to either interchange finds it, at its place in that one; otherwise its newest place counts.
    for (number, batch) in [(1, "BATCH1"), (2, "BATCH2")] {
        let found = store.find(None, &Key::InterchangeControlNumber(number)).await.unwrap();
        assert_eq!(found[0].sealed.as_ref().unwrap().batch_number, batch);
    }
    let found = store.find(None, &Key::PatientControlNumber("PCN00001-2".into())).await.unwrap();
    assert_eq!(found[0].sealed.as_ref().unwrap().batch_number, "BATCH2");
}

pub async fn a_file_is_taken_once(store: &dyn Store) {
    let file = inbound("a.x12");
    assert!(store.receive(file.clone()).await.unwrap());
    assert_eq!(store.inbound(&file.id).await.unwrap(), Some(file.clone()));
    store.apply(&file.id, InboundWrite::default()).await.unwrap();
    assert!(!store.receive(inbound("a.x12")).await.unwrap());
    let elsewhere = Inbound { payer: PayerId("southwind".into()), ..inbound("a.x12") };
    assert!(store.receive(elsewhere).await.unwrap(), "the same bytes of another payer are another file");
    assert!(store.receive(inbound("b.x12")).await.unwrap());
    assert_eq!(store.inbound(&InterchangeId::make()).await.unwrap(), None);
}

pub async fn a_file_that_was_not_applied_is_taken_again(store: &dyn Store) {
    let id = accept(store, 1).await;
    let (first, second) = (inbound("a.x12"), inbound("a.x12"));
    assert!(store.receive(first.clone()).await.unwrap());
    assert!(store.receive(second.clone()).await.unwrap());
    let write = || InboundWrite { answers: vec![answer(&id, EventKind::Accepted)], ..InboundWrite::default() };
    let refused = store.apply(&first.id, write()).await.unwrap_err();
    assert_eq!(code(&refused), codes::NOT_FOUND, "another worker has taken it over");
    store.apply(&second.id, write()).await.unwrap();
    store.apply(&second.id, write()).await.unwrap();
    let events = kinds(&store.events(&id).await.unwrap());
    assert_eq!(events.iter().filter(|kind| **kind == EventKind::Accepted).count(), 1, "applied twice, written once");
    assert!(!store.receive(inbound("a.x12")).await.unwrap());
}

pub async fn answers_change_submissions(store: &dyn Store) {
    let (a, b) = (accept(store, 1).await, accept(store, 2).await);
    let file = inbound("835.x12");
    store.receive(file.clone()).await.unwrap();
    let paid = AnswerWrite {
        resources: vec![write("ClaimResponse", "1", "{\"v\":2}", &[("request", "Claim/1"), ("outcome", "complete")])],
        payer_claim_control_numbers: vec![(2, "ICN77".into())],
        answers: vec![said(1, "{\"paid\":1.10}"), said(2, "{}")],
        ..answer(&a, EventKind::Adjudicated)
    };
    let corrected = AnswerWrite {
        resources: vec![write("ClaimResponse", "1-2", "{}", &[("request", "Claim/1")])],
        response: Some("ClaimResponse/1-2".into()),
        answers: vec![said(1, "{\"paid\":-1.10}")],
        ..answer(&a, EventKind::Reversed)
    };
    let remittance = write("PaymentReconciliation", "r", "{}", &[("payment-identifier", "TRN1")]);
    let answers = vec![paid, corrected, answer(&b, EventKind::Rejected)];
    let write = InboundWrite { answers, resources: vec![remittance], ..InboundWrite::default() };
    store.apply(&file.id, write).await.unwrap();
    let heard = store.answers(&a).await.unwrap();
    let bodies: Vec<_> = heard.iter().map(|said| (said.part, said.at, said.fresh, said.body.as_str())).collect();
    let expected =
        [(1, at(59), false, "{\"paid\":1.10}"), (2, at(59), false, "{}"), (1, at(59), false, "{\"paid\":-1.10}")];
    assert_eq!(bodies, expected);
    assert!(store.answers(&b).await.unwrap().is_empty());
    let found = store.submission(&a).await.unwrap().unwrap();
    assert_eq!((found.state, found.since, found.response.as_str()), (State::Adjudicated, at(60), "ClaimResponse/1-2"));
    assert_eq!(state(store, &b).await, State::Rejected);
    for reference in ["ClaimResponse/1", "ClaimResponse/1-2"] {
        assert_eq!(store.submission_of(DEFAULT_TENANT, reference).await.unwrap().unwrap().id, a);
    }
    let kept = store.read(DEFAULT_TENANT, "ClaimResponse", "1").await.unwrap().unwrap();
    assert_eq!((kept.version, kept.updated), (2, at(0)), "the clock of the store says when");
    assert!(store.read(DEFAULT_TENANT, "PaymentReconciliation", "r").await.unwrap().is_some());
    let found = store.find(None, &Key::PayerClaimControlNumber("ICN77".into())).await.unwrap();
    assert_eq!((&found[0].submission.id, found[0].part), (&a, 2));
    assert_eq!(found[0].payer_claim_control_number.as_deref(), Some("ICN77"));
    assert!(outbox(store, 100).await.is_empty(), "an answer says that it was sent");
}

pub async fn a_bad_answer_spoils_the_whole_file(store: &dyn Store) {
    let id = accept(store, 1).await;
    let file = inbound("277.x12");
    store.receive(file.clone()).await.unwrap();
    let answers = vec![answer(&id, EventKind::Accepted), answer(&SubmissionId::make(), EventKind::Accepted)];
    assert!(store.apply(&file.id, InboundWrite { answers, ..InboundWrite::default() }).await.is_err());
    assert_eq!(state(store, &id).await, State::Queued);
    assert!(store.receive(inbound("277.x12")).await.unwrap(), "it is not marked as taken in");
}

pub async fn answers_that_belong_to_nobody_are_kept(store: &dyn Store) {
    let id = accept(store, 1).await;
    let file = inbound("835.x12");
    store.receive(file.clone()).await.unwrap();
    let lost = |position: u32| UnmatchedAnswer {
        inbound: file.id.clone(),
        payer: payer(),
        position,
        body: format!("{{\"n\":{position}}}"),
        reason: "no claim of this number".into(),
        candidates: vec![id.clone()],
        row: 0,
    };
    let write = InboundWrite { unmatched: vec![lost(3), lost(4)], ..InboundWrite::default() };
    store.apply(&file.id, write).await.unwrap();
    let list = async |after: i64, limit: usize| {
        store.unmatched(&UnmatchedFilter { after, limit, ..UnmatchedFilter::default() }).await.unwrap()
    };
    let kept = list(0, 9).await;
    assert_eq!(
        kept.iter().map(|answer| (answer.position, answer.body.clone())).collect::<Vec<_>>(),
        [(3, lost(3).body), (4, lost(4).body)]
    );
    assert!(kept.iter().all(|answer| answer.candidates == [id.clone()]));
    assert_eq!(list(0, 1).await.len(), 1);
    assert_eq!(list(kept[0].row, 9).await.iter().map(|answer| answer.position).collect::<Vec<_>>(), [4]);
    let of = |payer: &str| UnmatchedFilter { payer: Some(PayerId(payer.into())), after: 0, limit: 9 };
    assert_eq!(store.unmatched(&of(payer().as_str())).await.unwrap().len(), 2);
    assert!(store.unmatched(&of("another")).await.unwrap().is_empty());
    assert_eq!(store.unmatched_at(&file.id, 4).await.unwrap().map(|answer| answer.body), Some(lost(4).body));
    assert!(store.unmatched_at(&file.id, 5).await.unwrap().is_none());
    assert_eq!(store.figures().await.unwrap().unmatched, 2);
    assert!(store.assign(&file.id, 3, answer(&id, EventKind::Adjudicated)).await.unwrap());
    assert!(!store.assign(&file.id, 3, answer(&id, EventKind::Adjudicated)).await.unwrap(), "once");
    assert!(!store.assign(&file.id, 9, answer(&id, EventKind::Adjudicated)).await.unwrap());
    assert_eq!(state(store, &id).await, State::Adjudicated);
    assert_eq!(list(0, 9).await.len(), 1);
    assert_eq!(store.figures().await.unwrap().unmatched, 1);
}

pub async fn claims_are_found_by_every_key(store: &dyn Store) {
    let (a, b) = (accept(store, 1).await, accept(store, 2).await);
    seal(store, &[a.clone(), b.clone()], 5).await;
    let unsealed = accept(store, 10).await;
    let all = [(&a, 1), (&a, 2), (&b, 1), (&b, 2)];
    let cases: &[(Key, &[(&SubmissionId, u32)])] = &[
        (Key::InterchangeControlNumber(1), &all),
        (Key::InterchangeControlNumber(2), &[]),
        (Key::GroupControlNumber(1, None), &all),
        (Key::GroupControlNumber(1, Some("0001".into())), &all),
        (Key::GroupControlNumber(1, Some("0002".into())), &[]),
        (Key::BatchNumber("BATCH1".into()), &all),
        (Key::BatchNumber("BATCH".into()), &[]),
        (Key::PatientControlNumber("PCN00002-1".into()), &[(&b, 1)]),
        (Key::PatientControlNumber("PCN00002".into()), &[]),
        (Key::PatientControlNumber("pcn00002-1".into()), &[]),
        (Key::PatientControlNumberAlike("00pcn 00002/1 ".into()), &[(&b, 1)]),
        (Key::PatientControlNumberAlike("PCN00002".into()), &[]),
        (Key::MemberAndCharge("M00002|100".into()), &[(&b, 1), (&b, 2)]),
        (Key::MemberAndCharge("M00002|10".into()), &[]),
        (Key::PatientControlNumberPrefix("PCN00001".into()), &[(&a, 1), (&a, 2)]),
        (Key::PatientControlNumberPrefix("PCN0001".into()), &[(&unsealed, 1), (&unsealed, 2)]),
        (Key::PatientControlNumberPrefix("PCN00001-2x".into()), &[]),
        (Key::TraceNumber("TRACE000022".into()), &[(&b, 2)]),
        (Key::PayerClaimControlNumber("ICN".into()), &[]),
    ];
    for (key, expected) in cases {
        let found = store.find(Some(&payer()), key).await.unwrap();
        let mut places: Vec<_> = found.iter().map(|found| (&found.submission.id, found.part)).collect();
        places.sort();
        assert_eq!(places, *expected, "{key:?}");
        assert_eq!(store.find(None, key).await.unwrap().len(), expected.len(), "{key:?}");
        assert!(store.find(Some(&PayerId("southwind".into())), key).await.unwrap().is_empty(), "{key:?}");
        for found in found {
            assert_eq!(found.submission.parts.len(), 2);
            assert_eq!(found.sealed.is_some(), found.submission.id != unsealed, "{key:?}");
            assert!(found.sealed.is_none_or(|sealed| sealed.part == found.part));
        }
    }
}

pub async fn lists_and_figures(store: &dyn Store) {
    let (a, b, c) = (accept(store, 1).await, accept(store, 2).await, accept(store, 3).await);
    append(store, &b, EventKind::Held, 9).await;
    append(store, &a, EventKind::Held, 12).await;
    append(store, &a, EventKind::Noted, 99).await;
    let elsewhere = NewSubmission { payer: PayerId("southwind".into()), tenant: "other".into(), ..submission(4) };
    store.accept(elsewhere.clone()).await.unwrap();
    let list = |filter: Filter| async move {
        let found = store.submissions(&filter).await.unwrap();
        found.into_iter().map(|submission| submission.id).collect::<Vec<_>>()
    };
    let every = || Filter { limit: 9, ..Filter::default() };
    let held = || Filter { state: Some(State::Held), ..every() };
    assert_eq!(list(held()).await, [b.clone(), a.clone()], "longest in its state first");
    assert_eq!(list(Filter { before: Some(at(12)), ..held() }).await, [b.clone()]);
    assert_eq!(list(Filter { payer: Some(elsewhere.payer.clone()), ..every() }).await, [elsewhere.id.clone()]);
    assert_eq!(list(Filter { tenant: Some(DEFAULT_TENANT.into()), ..every() }).await, [c.clone(), b, a]);
    assert_eq!(list(Filter { limit: 1, ..every() }).await, [c]);
    let figures = store.figures().await.unwrap();
    assert_eq!(figures.submissions_by_state.len(), State::ALL.len());
    let count = |state| figures.submissions_by_state.iter().find(|(each, _)| *each == state).unwrap().1;
    assert_eq!((count(State::Held), count(State::Queued), count(State::Sent)), (2, 2, 0));
    assert_eq!((figures.outbox, figures.unmatched), (2, 0));
}
