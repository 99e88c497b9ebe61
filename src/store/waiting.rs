//! What a held submission waits for, and the submissions of one claim.

use super::Submission;
use crate::billing::id::SubmissionId;
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
