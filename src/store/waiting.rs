//! What a held submission waits for, the submissions of one claim, and the answers that wait for theirs.

use super::Submission;
use crate::billing::id::{InterchangeId, PayerId, SubmissionId};
use jiff::Timestamp;

/// What keeps a submission from going on, and what brings it on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Held {
    /// What it is to be made of again, as JSON text.
    pub content: String,
    /// What is missing or wrong, as JSON text.
    pub issues: String,
    /// What it waits for: `Type/id`, `system|value`, and [`answer_to`] a submission. When one of these comes, it is due.
    pub waits: Vec<String>,
    /// How long after the last that came it is due.
    pub patience: std::time::Duration,
    /// Due at this time whatever comes.
    pub due: Option<Timestamp>,
}

/// What is waited for when a payer's answer to a submission is.
pub fn answer_to(submission: &SubmissionId) -> String {
    format!("answer:{submission}")
}

/// One submission of a claim's chain.
#[derive(Debug, Clone)]
pub struct Link {
    pub submission: Submission,
    pub frequency: String,
    /// The payer's own number of its first part, by the newest answer.
    pub payer_claim_control_number: Option<String>,
}

/// An answer that belongs to nobody yet; kept for ever, matched by hand or by a later file.
#[derive(Debug, Clone)]
pub struct UnmatchedAnswer {
    /// Its place in the list; the store's choice.
    pub row: i64,
    pub inbound: InterchangeId,
    pub payer: PayerId,
    /// Position among the file's statements.
    pub position: u32,
    /// The PayerResponse as JSON text.
    pub body: String,
    pub reason: String,
    /// Claims that it fits equally well.
    pub candidates: Vec<SubmissionId>,
}

/// Which answers that belong to nobody, oldest first.
#[derive(Debug, Clone, Default)]
pub struct UnmatchedFilter {
    pub payer: Option<PayerId>,
    /// Behind the row of this number.
    pub after: i64,
    /// At most this many.
    pub limit: usize,
}
