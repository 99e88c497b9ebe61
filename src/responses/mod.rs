//! What a payer said: reads TA1, 999, 997, 277CA, 277, 271, 278, 835 and FHIR into [`PayerResponse`]s, one file a
//! transaction type, each with the same verbs in the same order (`read`, `decide`, `keys`); and finds the claim that an
//! answer is about.
//!
//! Readers walk the segments themselves and hang on to the few that open something (HL, CLP, SVC, AK2), not to the whole
//! guide: an answer with a missing or misplaced situational segment is read all the same, and never dropped. Whether it
//! meets its guide is `x12::check`'s business.
//!
//! Absent on purpose: the store, the mapping. Everything here is a pure function.

use crate::billing::response::{PayerResponse, Remittance};
use crate::fault::Issue;
use crate::x12::segment::Segment;
pub use combine::combine;
use context::Context;
use meaning::Meanings;
use std::ops::Range;
pub use walk::Walk;

mod acknowledgment;
mod claim_status;
mod combine;
mod context;
pub mod correlate;
mod eligibility;
pub mod lines;
pub mod meaning;
pub mod next_step;
pub mod pairing;
mod remittance;
pub mod requests;
pub mod resource;
mod review;
pub mod standing;
mod ta1;
#[cfg(test)]
mod tests;
mod walk;

/// Everything that one file of a payer says.
#[derive(Debug, Default)]
pub struct Reading {
    /// The statements, in the order of the file.
    pub responses: Vec<PayerResponse>,
    /// One for each 835 transaction set.
    pub remittances: Vec<Remittance>,
    /// For each remittance, which of `responses` are its claims, CLP by CLP.
    pub remitted: Vec<Range<usize>>,
    /// 277CA and 277: what a batch or provider level says beside its claims, for those who keep no claims.
    pub batches: Vec<PayerResponse>,
    pub interchanges: Vec<Envelope>,
    /// Statements that were taken out of `responses` before the file was read to its end.
    pub taken: usize,
    /// What was odd. Nothing that could be read is left out because of it.
    pub issues: Vec<Issue>,
}

impl Reading {
    /// How many statements there have been.
    fn told(&self) -> usize {
        self.taken + self.responses.len()
    }

    /// For those who read on for long: of the envelopes only the open one is needed, and not what was in it. Whether there
    /// is any.
    pub fn keep_last_envelope(&mut self) -> bool {
        let envelopes = &mut self.interchanges;
        envelopes.drain(..envelopes.len().saturating_sub(1));
        envelopes.iter_mut().for_each(|envelope| envelope.transactions.clear());
        !envelopes.is_empty()
    }

    /// Takes the statements out that have been read so far.
    pub fn take(&mut self) -> Vec<PayerResponse> {
        self.taken += self.responses.len();
        std::mem::take(&mut self.responses)
    }
}

/// Who sent an interchange to whom, and what was in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Envelope {
    /// ISA13.
    pub control_number: String,
    /// ISA06.
    pub sender: String,
    /// ISA08.
    pub receiver: String,
    /// ISA15.
    pub usage: String,
    /// ST01 of each set, in order, and `TA1`.
    pub transactions: Vec<String>,
}

/// ST01, and what reads such a set, ST to SE.
type Reader = (&'static str, fn(&mut Context, &[Segment]));

/// The readers of sets that are read whole; an 835 is read claim by claim. A transaction type is added with a file and a
/// row.
const READERS: &[Reader] = &[
    ("999", acknowledgment::read),
    ("997", acknowledgment::read),
    ("277", claim_status::read),
    ("271", eligibility::read),
    ("278", review::read),
];

/// Reads a file of a payer: any number of interchanges. Never fails: what can't be read is an issue.
pub fn read(meanings: &Meanings, input: &[u8]) -> Reading {
    let mut walk = Walk::new(meanings, input);
    while walk.step() {}
    walk.reading
}
