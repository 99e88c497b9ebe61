//! TA1 and 999 for what a payer sent us. Acknowledgments themselves are never acknowledged.

use crate::gateway::Translator;
use crate::x12::acknowledge::{self, Numbers};
use crate::x12::text::Text;
use crate::x12::{check, reader};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The acknowledgment of everything in a file; empty when none is due. Its control numbers are those of the interchange
/// that it answers: they are as unique as the payer's own.
///
/// `payer` is whose checks count, when it is known.
pub fn answer(translator: &Translator, payer: Option<&str>, bytes: &[u8], now: Timestamp) -> Vec<u8> {
    let policy = translator.policy(payer);
    let text = Text::decode(bytes);
    let (interchanges, _) = reader::read_text(&text);
    let at = TimeZone::UTC.to_datetime(now);
    let mut out = Vec::new();
    for interchange in &interchanges {
        let mut issues = check::check_interchange(&translator.guides, interchange);
        policy.apply(&mut issues);
        let number = interchange.control_number().trim().parse().unwrap_or(1).max(1);
        let numbers = Numbers { interchange: number, group: number };
        out.extend(acknowledge::acknowledge(interchange, &issues, numbers, at));
    }
    out
}
