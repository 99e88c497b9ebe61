//! TA1 and 999 for what a payer sent us. Acknowledgments themselves are never acknowledged.

use crate::fault::{Fault, Issue};
use crate::gateway::Translator;
use crate::x12::acknowledge::file::{self, Told};
use crate::x12::guide::Guides;
use crate::x12::policy::Policy;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::io::{Read, Write};
use std::ops::ControlFlow;

/// The acknowledgment of everything in a file; empty when none is due.
///
/// `payer` is whose checks count, when it is known.
pub fn answer(translator: &Translator, payer: Option<&str>, bytes: &[u8], now: Timestamp) -> Vec<u8> {
    let mut out = Vec::new();
    // What is in memory can be read, and written to memory.
    let _ = write(&translator.guides, &translator.policy(payer), bytes, now, &mut out);
    out
}

/// Most issues of text outside of any interchange that are kept.
const OUTSIDE_MAX: usize = 1_000;

/// What became of a file.
#[derive(Debug, Default)]
pub struct Answered {
    /// What is wrong outside of any interchange.
    pub outside: Vec<Issue>,
    /// Whether an answer was due.
    pub any: bool,
}

/// Writes the acknowledgment of a file of any length, as soon as each of its interchanges has ended. A file that can't be
/// written is an [`std::io::Error`] in the result.
pub fn write(
    guides: &Guides,
    policy: &Policy,
    source: impl Read,
    now: Timestamp,
    out: &mut impl Write,
) -> Result<std::io::Result<Answered>, Fault> {
    let (mut answered, mut failed) = (Answered::default(), None);
    let at = TimeZone::UTC.to_datetime(now);
    file::acknowledge(guides, policy, source, at, |told| {
        match told {
            Told::Answer(piece) => {
                answered.any = true;
                failed = out.write_all(piece).err();
            }
            Told::Outside(issue) if answered.outside.len() < OUTSIDE_MAX => answered.outside.push(issue.clone()),
            Told::Outside(_) => {}
        }
        if failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(failed.map_or(Ok(answered), Err))
}
