//! What every store keeps for the worklists.

use super::store_contract::{answer, at, inbound, interchange, submission};
use claimgate::billing::id::SubmissionId;
use claimgate::billing::journal::Denial;
use claimgate::billing::journey::{Awaited, EventKind};
use claimgate::store::{
    AnswerFacts, AnswerWrite, DEFAULT_TENANT, DenialFilter, Ended, InboundWrite, JournalFilter, JournalLine,
    JournalWrite, NewInterchange, OverdueFilter, Store, UnmatchedAnswer,
};
use std::time::Duration;

async fn accepted(store: &dyn Store, n: u32) -> SubmissionId {
    let new = submission(n);
    let id = new.id.clone();
    store.accept(new).await.unwrap();
    id
}

async fn apply(store: &dyn Store, name: &str, id: &SubmissionId, facts: Vec<AnswerFacts>) {
    let file = inbound(name);
    let answer = AnswerWrite { facts, ..answer(id, EventKind::Noted) };
    assert!(store.receive(file.clone()).await.unwrap());
    store.apply(&file.id, InboundWrite { answers: vec![answer], ..InboundWrite::default() }).await.unwrap();
}

fn overdue_filter(seconds: i64) -> OverdueFilter {
    OverdueFilter { tenant: DEFAULT_TENANT.into(), now: at(seconds), payer: None, answer: None, skip: 0, limit: 10 }
}

async fn missing(store: &dyn Store, seconds: i64) -> Vec<(u32, &'static str)> {
    let rows = store.overdue(&overdue_filter(seconds)).await.unwrap();
    rows.iter().map(|row| (row.part, row.answer.word())).collect()
}

pub async fn what_is_overdue_is_said_once(store: &dyn Store) {
    let id = accepted(store, 1).await;
    let deadlines =
        vec![(Awaited::Implementation999, Duration::from_secs(10)), (Awaited::Remittance835, Duration::from_secs(100))];
    let new = NewInterchange { deadlines, ..interchange(&[id.clone()], 1) };
    let sealed = store.seal(new).await.unwrap().new.unwrap();
    assert!(missing(store, 1_000).await.is_empty(), "what was not sent is not waited for");
    store.sent(&sealed.id, at(10)).await.unwrap();
    assert!(missing(store, 19).await.is_empty());
    assert_eq!(missing(store, 20).await, [(1, "999"), (2, "999")]);

    let late = store.late(at(20), 10).await.unwrap();
    assert_eq!(late.len(), 2);
    let before = store.events(&id).await.unwrap().len();
    assert_eq!(store.notice(late.clone(), at(20)).await.unwrap().len(), 2);
    assert!(store.notice(late, at(21)).await.unwrap().is_empty(), "nothing is said twice");
    assert!(store.late(at(21), 10).await.unwrap().is_empty());
    let events = store.events(&id).await.unwrap();
    assert_eq!(events.len(), before + 2);
    assert!(events.last().unwrap().detail.contains(r#""overdue":"999""#), "{:?}", events.last());
    assert_eq!(missing(store, 30).await.len(), 2, "it stays on the list until it comes");

    let settled = Awaited::settled_by("999", false);
    apply(store, "999", &id, vec![AnswerFacts { part: 1, settled, ..AnswerFacts::default() }]).await;
    assert_eq!(missing(store, 30).await, [(2, "999")]);
    let paid = AnswerFacts { part: 2, settled: Awaited::settled_by("835", false), ..AnswerFacts::default() };
    apply(store, "835", &id, vec![paid]).await;
    assert_eq!(missing(store, 1_000).await, [(1, "835")]);
}

fn denial(reason: &str, amount: i64, by_status: bool) -> Denial {
    Denial {
        date: jiff::civil::date(2026, 3, 2),
        reason: reason.into(),
        remark: "N1".into(),
        line: None,
        procedure: None,
        amount: amount.into(),
        by_status,
    }
}

fn facts(ended: Ended, number: Option<&str>, denials: Vec<Denial>) -> Vec<AnswerFacts> {
    vec![AnswerFacts { part: 1, ended, number: number.map(str::to_owned), denials, ..AnswerFacts::default() }]
}

async fn reasons(store: &dyn Store) -> Vec<String> {
    let filter = DenialFilter { tenant: DEFAULT_TENANT.into(), limit: 10, ..DenialFilter::default() };
    let sums = store.reasons(&filter).await.unwrap();
    sums.iter().map(|sum| format!("{} {} x{} {}", sum.reason, sum.remark, sum.claims, sum.amount)).collect()
}

pub async fn denials_are_replaced_by_what_corrects_them(store: &dyn Store) {
    let (one, two) = (accepted(store, 1).await, accepted(store, 2).await);
    apply(store, "277ca", &one, facts(Ended::Statuses, None, vec![denial("A7:562", 140, true)])).await;
    assert_eq!(reasons(store).await, ["A7:562 N1 x1 140"]);
    let payments = |number: &str| Ended::Payments(vec![number.to_owned()]);
    let denied = vec![denial("CO-50", 100, false), denial("CO-16", 40, false)];
    apply(store, "835a", &one, facts(payments("I1"), Some("I1"), denied)).await;
    assert_eq!(reasons(store).await, ["CO-50 N1 x1 100", "CO-16 N1 x1 40"], "an 835 knows better than a status");
    apply(store, "277", &one, facts(Ended::Statuses, None, vec![denial("F2:1", 140, true)])).await;
    assert_eq!(reasons(store).await.len(), 2, "what comes late says nothing new");
    apply(store, "835b", &two, facts(payments("I2"), Some("I2"), vec![denial("CO-16", 70, false)])).await;
    assert_eq!(reasons(store).await, ["CO-16 N1 x2 110", "CO-50 N1 x1 100"]);
    let by_reason = DenialFilter {
        tenant: DEFAULT_TENANT.into(),
        reason: Some("CO-16".into()),
        limit: 1,
        ..DenialFilter::default()
    };
    let first = store.denials(&by_reason).await.unwrap();
    let rest = store.denials(&DenialFilter { after: first[0].row, ..by_reason }).await.unwrap();
    assert_eq!((&first[0].submission, &rest[0].submission), (&one, &two));
    apply(store, "835c", &one, facts(payments("I9"), Some("I9"), vec![])).await;
    assert_eq!(reasons(store).await.len(), 2, "another piece of the claim takes nothing back");
    apply(store, "835d", &one, facts(payments("I1"), Some("I1"), vec![])).await;
    assert_eq!(reasons(store).await, ["CO-16 N1 x1 70"], "reversed");
}

fn line(position: Option<u32>, submission: Option<&SubmissionId>, day: i8, body: &str) -> JournalLine {
    JournalLine { position, submission: submission.cloned(), date: jiff::civil::date(2026, 3, day), body: body.into() }
}

async fn journal(store: &dyn Store, filter: JournalFilter) -> Vec<String> {
    let filter = JournalFilter { tenant: DEFAULT_TENANT.into(), limit: 2, ..filter };
    store.journal(&filter).await.unwrap().into_iter().map(|row| row.body).collect()
}

pub async fn the_journal_holds_every_payment_once(store: &dyn Store) {
    let id = accepted(store, 1).await;
    let file = inbound("835.x12");
    let lines = vec![line(Some(0), Some(&id), 9, "late"), line(Some(1), None, 2, "early"), line(None, None, 5, "plb")];
    let payment = JournalWrite { fingerprint: "same".into(), lines };
    let lost = UnmatchedAnswer {
        inbound: file.id.clone(),
        payer: file.payer.clone(),
        position: 1,
        body: "{}".into(),
        reason: "nobody".into(),
        candidates: Vec::new(),
        row: 0,
    };
    store.receive(file.clone()).await.unwrap();
    let write = InboundWrite { unmatched: vec![lost], journal: vec![payment.clone()], ..InboundWrite::default() };
    store.apply(&file.id, write).await.unwrap();
    let again = inbound("835-again.x12");
    store.receive(again.clone()).await.unwrap();
    store.apply(&again.id, InboundWrite { journal: vec![payment], ..InboundWrite::default() }).await.unwrap();

    assert_eq!(journal(store, JournalFilter::default()).await, ["early", "plb"]);
    let filter = JournalFilter { tenant: DEFAULT_TENANT.into(), limit: 2, ..JournalFilter::default() };
    let page = store.journal(&filter).await.unwrap();
    let after = page.last().map(|row| (row.date, row.row));
    assert_eq!(journal(store, JournalFilter { after, ..JournalFilter::default() }).await, ["late"]);
    let day = |day: i8| Some(jiff::civil::date(2026, 3, day));
    assert_eq!(journal(store, JournalFilter { from: day(3), to: day(8), ..JournalFilter::default() }).await, ["plb"]);
    assert_eq!(store.journal_of(&id).await.unwrap().len(), 1);

    let write = answer(&id, EventKind::Noted);
    assert!(store.assign(&file.id, 1, write).await.unwrap());
    let bodies: Vec<String> = store.journal_of(&id).await.unwrap().into_iter().map(|row| row.body).collect();
    assert_eq!(bodies, ["late", "early"], "an answer that has found its claim brings its money");
}
