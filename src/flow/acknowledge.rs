//! TA1 and 999 for what a payer sent us. Acknowledgments themselves are never acknowledged.

use crate::gateway::Translator;
use crate::x12::{acknowledge, check, reader};
use jiff::Timestamp;

/// The acknowledgment of everything in a file; empty when none is due.
pub fn answer(translator: &Translator, bytes: &[u8], now: Timestamp) -> Vec<u8> {
    let (interchanges, _) = reader::read(bytes);
    let at = now.to_zoned(jiff::tz::TimeZone::UTC).datetime();
    let mut out = Vec::new();
    for interchange in &interchanges {
        let issues = check::check_interchange(&translator.guides, interchange);
        out.extend(acknowledge::acknowledge(&translator.guides, interchange, &issues, at));
    }
    out
}
