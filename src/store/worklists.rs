//! What people work through, kept when it becomes known: answers that don't come, reasons why claims were not paid, and the
//! journal. All of it can be read without looking into a body.

use super::Reply;
use crate::billing::id::{InterchangeId, PayerId, SubmissionId};
use crate::billing::journal::Denial;
use crate::billing::journey::Awaited;
use crate::fault::Fault;
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

/// What one statement means for the worklists, beside its events.
#[derive(Debug, Clone, Default)]
pub struct AnswerFacts {
    pub part: u32,
    /// Not waited for any more.
    pub settled: &'static [Awaited],
    /// Reasons that are listed no more.
    pub ended: Ended,
    /// The payer's own number of the claim.
    pub number: Option<String>,
    pub denials: Vec<Denial>,
}

/// Which of a part's reasons a statement takes off the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Ended {
    #[default]
    None,
    /// Those of statuses: what a later status or an 835 says takes their place.
    Statuses,
    /// Those of statuses, and those of an 835 under one of these numbers of the payer, or without a number; without
    /// any number all.
    Payments(Vec<String>),
}

/// The journal of one 835.
#[derive(Debug, Clone, Default)]
pub struct JournalWrite {
    /// Hash of all that its lines say but for the file they came in: the same payment in another file is not posted twice.
    pub fingerprint: String,
    pub lines: Vec<JournalLine>,
}

/// One line, not yet in the store.
#[derive(Debug, Clone)]
pub struct JournalLine {
    /// The statement of the file that it is of; absent for what is said of a provider.
    pub position: Option<u32>,
    /// Whose claim it is, when that is known.
    pub submission: Option<SubmissionId>,
    pub date: Date,
    /// The entry as JSON text.
    pub body: String,
}

/// A line of the journal as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalRow {
    pub row: i64,
    pub date: Date,
    pub body: String,
    /// Submission and focal resource, when they are known.
    pub claim: Option<(SubmissionId, String)>,
    /// The file that brought it: id and name.
    pub inbound: (InterchangeId, String),
}

/// Which lines of the journal, in the order of their date and coming.
#[derive(Debug, Clone, Default)]
pub struct JournalFilter {
    pub tenant: String,
    /// First and last day.
    pub from: Option<Date>,
    pub to: Option<Date>,
    pub payer: Option<PayerId>,
    /// Behind this line: its date and row.
    pub after: Option<(Date, i64)>,
    pub limit: usize,
}

/// Which denials.
#[derive(Debug, Clone, Default)]
pub struct DenialFilter {
    pub tenant: String,
    pub payer: Option<PayerId>,
    pub from: Option<Date>,
    pub to: Option<Date>,
    /// `CO-50`; and the remark beside it.
    pub reason: Option<String>,
    pub remark: Option<String>,
    /// Behind the row of this number.
    pub after: i64,
    pub limit: usize,
}

/// One reason, over all claims that it was given for.
#[derive(Debug, Clone, PartialEq)]
pub struct ReasonSum {
    pub reason: String,
    pub remark: String,
    pub claims: u64,
    /// Times that it was given: once a line.
    pub times: u64,
    pub amount: Decimal,
}

/// One time that a reason was given.
#[derive(Debug, Clone, PartialEq)]
pub struct DenialRow {
    pub row: i64,
    pub submission: SubmissionId,
    pub focal: String,
    pub response: String,
    pub part: u32,
    /// CLM01.
    pub claim_number: String,
    pub payer: PayerId,
    /// CLP07 or REF*1K.
    pub number: Option<String>,
    pub denial: Denial,
}

/// An answer that a claim waits for.
#[derive(Debug, Clone, PartialEq)]
pub struct Overdue {
    pub submission: SubmissionId,
    pub part: u32,
    pub answer: Awaited,
    pub payer: PayerId,
    pub focal: String,
    pub state: String,
    /// CLM01.
    pub claim_number: String,
    /// When the claim was sent.
    pub since: Timestamp,
    pub due: Timestamp,
    /// The interchange it was sent in: id, name, ISA13, GS06, ST02.
    pub interchange: Option<SentIn>,
}

/// Where a claim went out.
#[derive(Debug, Clone, PartialEq)]
pub struct SentIn {
    pub id: InterchangeId,
    pub name: String,
    pub interchange_control_number: u32,
    pub group_control_number: u32,
    pub transaction_set: String,
}

/// Which overdue answers, those due longest first.
#[derive(Debug, Clone)]
pub struct OverdueFilter {
    pub tenant: String,
    pub now: Timestamp,
    pub payer: Option<PayerId>,
    pub answer: Option<Awaited>,
    /// How many are left out at the front.
    pub skip: usize,
    pub limit: usize,
}

/// The half of the store that people work through. All lists take at most [`super::RESULTS_MOST`] at a time.
pub trait Worklists {
    /// Overdue answers that nobody was told of yet, those due longest first.
    fn late(&self, now: Timestamp, limit: usize) -> Reply<'_, Vec<Overdue>>;

    /// Says of these that they are overdue, in the journeys of their claims: once each, and only while they are waited for.
    /// Answers which were said now.
    fn notice(&self, late: Vec<Overdue>, at: Timestamp) -> Reply<'_, Vec<Overdue>>;

    /// Answers that are overdue.
    fn overdue<'a>(&'a self, filter: &'a OverdueFilter) -> Reply<'a, Vec<Overdue>>;

    /// Reasons for which claims were not paid, that of the most money first.
    fn reasons<'a>(&'a self, filter: &'a DenialFilter) -> Reply<'a, Vec<ReasonSum>>;

    /// Claims that were not paid, with the reason, in the order of their coming. What a later submission of the same claim
    /// has taken up is listed no more.
    fn denials<'a>(&'a self, filter: &'a DenialFilter) -> Reply<'a, Vec<DenialRow>>;

    /// Lines of the journal.
    fn journal<'a>(&'a self, filter: &'a JournalFilter) -> Reply<'a, Vec<JournalRow>>;

    /// All lines of one submission.
    fn journal_of<'a>(&'a self, id: &'a SubmissionId) -> Reply<'a, Vec<JournalRow>>;
}

/// Amounts are summed as whole ten-thousandths: exact for what X12 writes, and SQL has no decimals.
pub fn ten_thousandths(amount: Decimal) -> i64 {
    use rust_decimal::prelude::ToPrimitive;
    (amount * Decimal::from(10_000)).round().to_i64().unwrap_or(i64::MAX)
}

/// The amount of so many ten-thousandths.
pub fn amount_of(ten_thousandths: i64) -> Decimal {
    Decimal::new(ten_thousandths, 4).normalize()
}

/// A list that can't be continued where it was told to.
pub fn no_such_place() -> Fault {
    use crate::fault::{Place, codes};
    let hint = "take `after` from the `next` of the answer before";
    Fault::refuse(codes::SEARCH_PARAMETER, Place::Whole, "the list has no such place", hint)
}
