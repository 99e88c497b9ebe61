//! TA1 and 999 for what a payer sent us. Acknowledgments themselves are never acknowledged.

use crate::gateway::Translator;
use crate::x12::text::Text;
use crate::x12::{acknowledge, check, reader};
use jiff::Timestamp;

/// The acknowledgment of everything in a file; empty when none is due.
pub fn answer(translator: &Translator, bytes: &[u8], now: Timestamp) -> Vec<u8> {
    let text = Text::decode(bytes);
    let (interchanges, _) = reader::read_text(&text);
    let at = jiff::tz::TimeZone::UTC.to_datetime(now);
    let mut out = Vec::new();
    for interchange in &interchanges {
        let issues = check::check_interchange(&translator.guides, interchange);
        out.extend(acknowledge::acknowledge(&translator.guides, interchange, &issues, at));
    }
    out
}
