//! The truth: submissions and their events, FHIR resources and their versions, interchanges and their bytes, payers'
//! answers, the outbox. One narrow trait; every method is one transaction, and returns after the commit.
//!
//! Absent on purpose: FHIR, X12, the queue. The store keeps texts and gives them back unchanged.

use crate::billing::id::{InterchangeId, PayerId, SubmissionId};
use crate::billing::journey::{Awaited, EventKind, State};
use crate::fault::Fault;
use crate::span::Span;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use std::time::Duration;

mod key;
pub mod notices;
pub mod sqlite;
mod waiting;
mod worklists;

pub use crate::billing::key::Key;
pub use key::{Found, KeyKind};
pub use waiting::{Held, Link, UnmatchedAnswer, UnmatchedFilter, answer_to};
pub use worklists::*;

/// What every call answers with.
pub type Reply<'a, T> = BoxFuture<'a, Result<T, Fault>>;

/// The tenant that everything belongs to unless configured otherwise.
pub const DEFAULT_TENANT: &str = "default";

/// One version of a FHIR resource, as it is kept. `body` is the JSON text.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceVersion {
    pub kind: String,
    pub id: String,
    /// 1, 2, 3 …
    pub version: u32,
    pub updated: Timestamp,
    pub body: String,
}

/// A resource to be written: a new one, or the next version of one that exists. The id is the gateway's choice;
/// `meta.versionId` and `meta.lastUpdated` are added by the reader, never stored.
#[derive(Debug, Clone)]
pub struct ResourceWrite {
    pub kind: String,
    pub id: String,
    pub body: String,
    pub index: Vec<IndexEntry>,
}

/// What a resource can be found by. `name` is a search parameter (`identifier`, `request`, `patient`, `status` …);
/// tokens are written `system|value`, references `Type/id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexEntry {
    pub name: String,
    pub value: String,
}

/// Most results of one search, list or lookup by a claim's own key; a `limit` above it is read as this.
pub const RESULTS_MOST: usize = 1_000;

/// Most values in all conditions of one search together.
pub const SEARCH_VALUES_MOST: usize = 1_000;

/// The condition of a search that is not about what a resource says: those made before the resource of this id.
pub const PLACE: &str = "_place";

/// A search: all conditions hold, each by any of its values. `_id` and [`PLACE`] need no index entry.
#[derive(Debug, Clone, Default)]
pub struct Query {
    pub kind: String,
    pub conditions: Vec<(String, Vec<String>)>,
    /// The same for dates and times.
    pub spans: Vec<(String, Vec<Span>)>,
    /// At most this many, those made last first.
    pub limit: usize,
}

/// One claim on the wire. A submission has one, or several when it was split (more than 50 service lines).
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimPart {
    /// 1, 2, 3 …
    pub number: u32,
    /// CLM01.
    pub patient_control_number: String,
    /// REF*D9.
    pub trace_number: String,
    /// The transaction set's body from loop 2000A down, as X12 text in the payer's delimiters.
    pub body: String,
    /// The billing record it was made of, as JSON text.
    pub record: String,
    /// What it is found by without a number (`billing::key::member_and_charge`).
    pub member_and_charge: Option<String>,
}

/// A submission to be accepted, all of it in one transaction.
#[derive(Debug, Clone)]
pub struct NewSubmission {
    pub id: SubmissionId,
    pub tenant: String,
    /// The focal resource, `Claim/…`.
    pub focal: String,
    pub payer: PayerId,
    /// Route: guide of the transaction (`005010X222A1`).
    pub guide: String,
    /// Content hash of the mappings that made it.
    pub mapping_version: String,
    pub parts: Vec<ClaimPart>,
    /// Resources to be written with it: what was handed in, and the first ClaimResponse.
    pub resources: Vec<ResourceWrite>,
    /// `ClaimResponse/…`: the answer that is versioned from now on.
    pub response: String,
    /// Caller's `Idempotency-Key` and the hash of the content under it.
    pub idempotency: Option<(String, String)>,
    /// Business key (caller + `Claim.identifier`) and the hash of the content under it.
    pub business_key: Option<(String, String)>,
    /// First events, in order; the last decides the state.
    pub events: Vec<NewEvent>,
    pub received: Timestamp,
    /// CLM05-3: 1 for an original, 7, 8 …
    pub frequency: String,
    /// A submission of the claim that this one replaces or voids; all of a claim's submissions are one chain.
    pub corrects: Option<SubmissionId>,
    /// Submissions of the same claim that this one takes the place of; they can't be queued again.
    pub supersedes: Vec<SubmissionId>,
    /// What is billed, as a hash: to see the same services billed twice.
    pub services: Option<String>,
    /// Further resources that it is found by (`Encounter/…`).
    pub references: Vec<String>,
    /// What keeps it from going on; there when its events say that it is held.
    pub held: Option<Held>,
}

/// What became of an acceptance.
#[derive(Debug, Clone, PartialEq)]
pub enum Accepted {
    New,
    /// The same content was accepted before: the id of that submission.
    Same(SubmissionId),
    /// Other content under the same Idempotency-Key.
    KeyConflict(SubmissionId),
    /// Other content under the same business key, whose submission is on its way or decided. One that is held, was
    /// rejected or was given up is superseded instead: mending a claim keeps its identifier.
    BusinessConflict(SubmissionId),
}

/// An event to be appended. `detail` is JSON text without PHI beyond control numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    pub kind: EventKind,
    /// Which part it is about; `None` is all of them.
    pub part: Option<u32>,
    pub at: Timestamp,
    pub detail: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// 1, 2, 3 … in the submission.
    pub sequence: u32,
    pub kind: EventKind,
    pub part: Option<u32>,
    pub at: Timestamp,
    pub detail: String,
}

/// A submission as it stands.
#[derive(Debug, Clone)]
pub struct Submission {
    pub id: SubmissionId,
    pub tenant: String,
    pub focal: String,
    pub payer: PayerId,
    pub guide: String,
    pub mapping_version: String,
    pub response: String,
    pub state: State,
    /// When it came into its state.
    pub since: Timestamp,
    pub parts: Vec<ClaimPart>,
    /// Failed attempts to send it, since it was last queued.
    pub attempts: u32,
    pub received: Timestamp,
    /// The interchange that it was sealed in, unless it was queued again since.
    pub interchange: Option<InterchangeId>,
    /// The submission that took its place under its business key; it can't be queued again.
    pub superseded: Option<SubmissionId>,
}

/// Which submissions to list; what is `None` is not asked.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub tenant: Option<String>,
    pub state: Option<State>,
    pub payer: Option<PayerId>,
    /// In its state since before this time: for deadlines.
    pub before: Option<Timestamp>,
    /// Only drafts: held submissions whose content names one.
    pub drafts: bool,
    /// At most this many, those longest in their state first.
    pub limit: usize,
}

/// A line of the outbox: work that the queue must hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxLine {
    pub submission: SubmissionId,
    pub payer: PayerId,
}

/// Highest ISA13 and GS06: nine digits. After it comes 1.
pub const CONTROL_NUMBER_MOST: u32 = 999_999_999;

/// Control numbers of a trading partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ControlNumbers {
    /// ISA13.
    pub interchange: u32,
    /// GS06.
    pub group: u32,
}

/// Makes an interchange's bytes of the submissions that are left to be sealed, in the order of
/// [`NewInterchange::submissions`]. Runs inside the transaction: it must not wait for anything, and may be called again
/// when the transaction is.
pub type Build = Box<dyn Fn(ControlNumbers, &[SubmissionId]) -> Result<SealedBytes, Fault> + Send>;

/// An outbound interchange to be sealed: what goes in, and how its bytes are made once the numbers are known.
pub struct NewInterchange {
    pub id: InterchangeId,
    /// Tenant of all the submissions: an interchange holds one tenant's claims.
    pub tenant: String,
    pub payer: PayerId,
    /// Counter that the control numbers come from: one a trading partner.
    pub partner: String,
    pub submissions: Vec<SubmissionId>,
    pub at: Timestamp,
    /// Answers that are waited for from the sending on, and how long.
    pub deadlines: Vec<(Awaited, Duration)>,
    /// An error leaves the counter where it was.
    pub build: Build,
}

/// An interchange's bytes, and the numbers that answers will name.
#[derive(Debug, Clone)]
pub struct SealedBytes {
    pub bytes: Vec<u8>,
    /// Name for the wire (`837P-000000001.x12`).
    pub name: String,
    /// For each claim inside: submission, part, ST02, BHT03, ordinal of its first and last segment in the set (its own
    /// segments: from HL 2000B or CLM on; the whole set counts from ST = 1).
    pub claims: Vec<SealedClaim>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SealedClaim {
    pub submission: SubmissionId,
    pub part: u32,
    pub transaction_set: String,
    pub batch_number: String,
    pub first_segment: u32,
    pub last_segment: u32,
}

/// An outbound interchange as it is kept.
#[derive(Debug, Clone)]
pub struct Interchange {
    pub id: InterchangeId,
    pub tenant: String,
    pub payer: PayerId,
    pub partner: String,
    pub interchange_control_number: u32,
    pub group_control_number: u32,
    pub name: String,
    pub bytes: Vec<u8>,
    pub claims: Vec<SealedClaim>,
    /// Attempts begun.
    pub attempts: u32,
    pub sealed: Timestamp,
    pub sent: Option<Timestamp>,
    /// When it was given up; it is due no more.
    pub given_up: Option<Timestamp>,
}

/// What sealing did with each of the submissions.
#[derive(Debug, Clone, Default)]
pub struct Sealed {
    /// The new interchange, when anything was left to seal.
    pub new: Option<Interchange>,
    /// Interchanges that some of the submissions are in already (a redelivered message), each once.
    pub already: Vec<InterchangeId>,
    /// Unknown, or not queued any more (held, given up): they are in no interchange.
    pub skipped: Vec<SubmissionId>,
}

/// How an attempt to send an interchange failed.
#[derive(Debug, Clone)]
pub struct Failure {
    pub at: Timestamp,
    /// Detail of the event, JSON text.
    pub detail: String,
    /// Nothing is tried any more: the submissions inside fail.
    pub last: bool,
}

/// A file that came from a payer.
#[derive(Debug, Clone, PartialEq)]
pub struct Inbound {
    pub id: InterchangeId,
    /// Whose file it is: the tenant of what belongs to the file as a whole.
    pub tenant: String,
    pub payer: PayerId,
    /// Hash of the bytes: the same file is taken once.
    pub hash: String,
    pub name: String,
    pub bytes: Vec<u8>,
    pub at: Timestamp,
}

/// What one answer does to one submission.
#[derive(Debug, Clone)]
pub struct AnswerWrite {
    pub submission: SubmissionId,
    pub events: Vec<NewEvent>,
    /// New versions, usually one ClaimResponse; or a further resource.
    pub resources: Vec<ResourceWrite>,
    /// The payer's own number of the claim, remembered for replacements: part and number.
    pub payer_claim_control_numbers: Vec<(u32, String)>,
    /// When a correction opened a new ClaimResponse: its reference.
    pub response: Option<String>,
    /// The statements themselves, kept with the submission.
    pub answers: Vec<MatchedAnswer>,
    /// What they mean for the worklists, in order.
    pub facts: Vec<AnswerFacts>,
    /// What comes next by this answer: submissions to be accepted with it. One that is known already changes nothing.
    pub drafts: Vec<NewSubmission>,
    /// Drafts of before that this answer has overtaken, each with the event that says so.
    pub overtaken: Vec<(SubmissionId, NewEvent)>,
}

/// A statement of a payer about one part of a submission, as it was heard.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchedAnswer {
    pub part: u32,
    pub at: Timestamp,
    /// Not yet in the store.
    pub fresh: bool,
    /// The PayerResponse as JSON text, its lines bound to the caller's items.
    pub body: String,
}

/// Everything that taking in one file changes. The same submission may stand in several answers; they are written in order.
#[derive(Debug, Clone, Default)]
pub struct InboundWrite {
    pub answers: Vec<AnswerWrite>,
    pub unmatched: Vec<UnmatchedAnswer>,
    /// Resources of the file as a whole: PaymentReconciliation.
    pub resources: Vec<ResourceWrite>,
    /// The money of the file, one for each 835.
    pub journal: Vec<JournalWrite>,
}

/// Figures for `/metrics`, `/health/ready` and `queue list`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    pub submissions_by_state: Vec<(State, u64)>,
    pub outbox: u64,
    pub unmatched: u64,
}

/// The store. All writes are durable when the reply arrives.
pub trait Store: notices::Notices + Worklists + Send + Sync {
    /// Accepts a submission: resources, parts, events, outbox line and idempotency keys in one transaction; or finds that
    /// it was accepted before.
    fn accept(&self, submission: NewSubmission) -> Reply<'_, Accepted>;

    /// What an idempotency key or business key was used for: submission and content hash. Asked before any work is done.
    fn known<'a>(&'a self, tenant: &'a str, kind: KeyKind, key: &'a str) -> Reply<'a, Option<(SubmissionId, String)>>;

    /// Goes on with a held submission: everything of it is written anew, under its id. [`Accepted::Same`] when it is not
    /// held any more, or another has taken its place: then nothing is changed.
    fn resume(&self, submission: NewSubmission) -> Reply<'_, Accepted>;

    /// What keeps a submission from going on; `None` when nothing does.
    fn held<'a>(&'a self, id: &'a SubmissionId) -> Reply<'a, Option<Held>>;

    /// Says anew what keeps a held submission from going on. `false` when it is not held any more. What has come since
    /// `seen` was read stays: the submission is due all the same.
    fn hold<'a>(&'a self, id: &'a SubmissionId, seen: Held, held: Held, events: Vec<NewEvent>) -> Reply<'a, bool>;

    /// Held submissions whose time has come, those due longest first.
    fn wakened(&self, now: Timestamp, limit: usize) -> Reply<'_, Vec<SubmissionId>>;

    /// All submissions of a claim, oldest first: the one that corrects none, and all that correct it or one another.
    fn chain<'a>(&'a self, id: &'a SubmissionId) -> Reply<'a, Vec<Link>>;

    /// Writes resources that are no submission (an EHR pushes Patient and Coverage first); all or none. A text that is
    /// equal to the newest version makes no new one. What waits for one of them, or for what one of them names, is due.
    fn put(&self, tenant: &str, resources: Vec<ResourceWrite>, at: Timestamp) -> Reply<'_, Vec<ResourceVersion>>;

    /// Newest version of a resource.
    fn read<'a>(&'a self, tenant: &'a str, kind: &'a str, id: &'a str) -> Reply<'a, Option<ResourceVersion>>;

    /// All versions, newest first.
    fn history<'a>(&'a self, tenant: &'a str, kind: &'a str, id: &'a str) -> Reply<'a, Vec<ResourceVersion>>;

    /// Newest versions of the resources that a query finds, those made last first.
    fn search<'a>(&'a self, tenant: &'a str, query: &'a Query) -> Reply<'a, Vec<ResourceVersion>>;

    fn submission<'a>(&'a self, id: &'a SubmissionId) -> Reply<'a, Option<Submission>>;

    /// Those of several submissions that there are, in their order, as one snapshot shows them.
    fn submissions_named(&self, ids: Vec<SubmissionId>) -> Reply<'_, Vec<Submission>>;

    /// The newest submission whose focal resource or ClaimResponse, present or past, this is (`Claim/…`,
    /// `ClaimResponse/…`).
    fn submission_of<'a>(&'a self, tenant: &'a str, reference: &'a str) -> Reply<'a, Option<Submission>>;

    /// Submissions without their parts, those longest in their state first.
    fn submissions<'a>(&'a self, filter: &'a Filter) -> Reply<'a, Vec<Submission>>;

    fn events<'a>(&'a self, id: &'a SubmissionId) -> Reply<'a, Vec<Event>>;

    /// All statements heard about a submission, oldest first.
    fn answers<'a>(&'a self, id: &'a SubmissionId) -> Reply<'a, Vec<MatchedAnswer>>;

    /// Appends events (held, released, given up …) and moves the state. What becomes queued is due again: it comes to the
    /// outbox, unless its interchange is still on its way. What stops being queued is due no more.
    fn append<'a>(
        &'a self,
        id: &'a SubmissionId,
        events: Vec<NewEvent>,
        resources: Vec<ResourceWrite>,
    ) -> Reply<'a, State>;

    /// Lines of the outbox that were never published, or were published before `stale` and not sealed since.
    fn outbox(&self, stale: Timestamp, limit: usize) -> Reply<'_, Vec<OutboxLine>>;

    /// The submissions of a payer that are due, the oldest first; as many as one
    /// transaction set holds at most.
    fn due<'a>(&'a self, payer: &'a PayerId, limit: usize) -> Reply<'a, Vec<SubmissionId>>;

    /// The queue has confirmed these.
    fn published(&self, submissions: Vec<SubmissionId>, at: Timestamp) -> Reply<'_, ()>;

    /// The numbers that a partner saw last: the next are one above. For a move from another system.
    fn set_control_numbers<'a>(&'a self, partner: &'a str, last: ControlNumbers) -> Reply<'a, ()>;

    /// Allocates control numbers and keeps the bytes, in one transaction; takes the submissions off the outbox.
    fn seal(&self, interchange: NewInterchange) -> Reply<'_, Sealed>;

    fn interchange<'a>(&'a self, id: &'a InterchangeId) -> Reply<'a, Option<Interchange>>;

    /// Sealed interchanges that were neither sent nor given up, and whose last attempt (or sealing) was before `stale`.
    fn unsent(&self, stale: Timestamp, limit: usize) -> Reply<'_, Vec<InterchangeId>>;

    /// An attempt begins; answers how many there have been with this one. Counted here, so a lost broker resets nothing.
    fn attempt<'a>(&'a self, id: &'a InterchangeId, at: Timestamp) -> Reply<'a, u32>;

    /// The transport has taken it: `Sent` for every submission inside. A second time changes nothing.
    fn sent<'a>(&'a self, id: &'a InterchangeId, at: Timestamp) -> Reply<'a, ()>;

    /// The attempt failed: `SendFailed` for every submission inside, or `Failed` when it was the last. Changes nothing
    /// when it was sent or given up before.
    fn failed<'a>(&'a self, id: &'a InterchangeId, failure: Failure) -> Reply<'a, ()>;

    /// Takes in a file; `false` when the same bytes of the same payer were taken in completely before. A file that was
    /// received and never applied is taken again, under its new id; the old id is then unknown.
    fn receive(&self, file: Inbound) -> Reply<'_, bool>;

    /// A file that came from a payer, as it came.
    fn inbound<'a>(&'a self, id: &'a InterchangeId) -> Reply<'a, Option<Inbound>>;

    /// Writes everything that a received file changes, and marks the file as taken in. A second time changes nothing.
    fn apply<'a>(&'a self, inbound: &'a InterchangeId, write: InboundWrite) -> Reply<'a, ()>;

    /// Submissions of a payer that match a key, newest first; of all payers when it is `None`.
    fn find<'a>(&'a self, payer: Option<&'a PayerId>, key: &'a Key) -> Reply<'a, Vec<Found>>;

    /// Answers that belong to nobody yet, oldest first.
    fn unmatched<'a>(&'a self, filter: &'a UnmatchedFilter) -> Reply<'a, Vec<UnmatchedAnswer>>;

    /// One of them, by its file and its position there.
    fn unmatched_at<'a>(&'a self, inbound: &'a InterchangeId, position: u32) -> Reply<'a, Option<UnmatchedAnswer>>;

    /// An answer that belonged to nobody has found its submission: writes it, and takes it off the list. `false` when it
    /// was not on the list.
    fn assign<'a>(&'a self, inbound: &'a InterchangeId, position: u32, write: AnswerWrite) -> Reply<'a, bool>;

    fn figures(&self) -> Reply<'_, Figures>;
}
