//! What a payer said: reads TA1, 999, 997, 277CA, 277 and 835 into [`PayerResponse`]s, one file a transaction type, each
//! with the same verbs in the same order (`read`, `decide`, `keys`); and finds the claim that an answer is about.
//!
//! Readers walk the segments themselves and hang on to the few that open something (HL, CLP, SVC, AK2), not to the whole
//! guide: an answer with a missing or misplaced situational segment is read all the same, and never dropped. Whether it
//! meets its guide is `x12::check`'s business.
//!
//! Absent on purpose: the store, FHIR, the mapping. Everything here is a pure function.

use crate::billing::response::{PayerResponse, Remittance};
use crate::fault::{Issue, codes};
use crate::x12::reader::{self, Interchange, TransactionSet};
use crate::x12::text::Text;
pub use combine::combine;
use context::Context;
use meaning::Meanings;
use std::ops::Range;

mod acknowledgment;
mod claim_status;
mod combine;
mod context;
pub mod correlate;
pub mod lines;
pub mod meaning;
pub mod pairing;
mod remittance;
mod ta1;
#[cfg(test)]
mod tests;

/// Everything that one file of a payer says.
#[derive(Debug, Default)]
pub struct Reading {
    /// The statements, in the order of the file.
    pub responses: Vec<PayerResponse>,
    /// One for each 835 transaction set.
    pub remittances: Vec<Remittance>,
    /// For each remittance, which of `responses` are its claims, CLP by CLP.
    pub remitted: Vec<Range<usize>>,
    pub interchanges: Vec<Envelope>,
    /// What was odd. Nothing that could be read is left out because of it.
    pub issues: Vec<Issue>,
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

/// ST01, and what reads such a set.
type Reader = (&'static str, fn(&mut Context));

/// The readers. A transaction type is added with a file and a row.
const READERS: &[Reader] = &[
    ("999", acknowledgment::read),
    ("997", acknowledgment::read),
    ("277", claim_status::read),
    ("835", remittance::read),
];

/// Reads a file of a payer: any number of interchanges. Never fails: what can't be read is an issue.
pub fn read(meanings: &Meanings, input: &[u8]) -> Reading {
    let mut reading = Reading::default();
    let text = Text::decode(input);
    let (interchanges, issues) = reader::read_text(&text);
    reading.issues = issues;
    for interchange in &interchanges {
        reading.interchanges.push(envelope(interchange));
        let mut context = Context::new(meanings, interchange, &mut reading);
        ta1::read(&mut context);
        for group in &interchange.groups {
            for set in &group.sets {
                context.enter(group, set);
                read_set(&mut context, set);
            }
        }
    }
    reading
}

fn read_set(context: &mut Context, set: &TransactionSet) {
    match READERS.iter().find(|(id, _)| *id == set.id()) {
        Some((_, read)) => read(context),
        None => context.warn(
            codes::RESPONSE_UNREADABLE,
            set.segments.first(),
            format!("no reader for transaction set {}: it is kept unread", set.id()),
        ),
    }
}

fn envelope(interchange: &Interchange) -> Envelope {
    let sets = interchange.groups.iter().flat_map(|group| &group.sets);
    Envelope {
        control_number: interchange.control_number().to_owned(),
        sender: interchange.sender().to_owned(),
        receiver: interchange.receiver().to_owned(),
        usage: interchange.isa.element(15).to_owned(),
        transactions: (interchange.ta1.iter().map(|_| "TA1".to_owned()))
            .chain(sets.map(|set| set.id().to_owned()))
            .collect(),
    }
}
