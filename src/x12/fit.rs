//! Whether a transaction set belongs into its group: ST03 is GS08, and GS01 is that of the guide. Which guide is meant is known
//! all the same, so that it is a warning.

use crate::fault::{Issue, Place, X12Place, codes};
use crate::x12::guide::Guides;
use crate::x12::plain;
use crate::x12::reader::TransactionSet;
use crate::x12::segment::Segment;

/// Compares a set, or its first part, with GS01 and GS08 of its group.
pub(crate) fn check(guides: &Guides, functional_id: &str, version: &str, set: &TransactionSet<'_>) -> Vec<Issue> {
    let mut issues = Vec::new();
    let mut warn = |text: String, hint: &str| {
        let at = X12Place {
            transaction_set: Some(set.control_number().to_owned()),
            ..set.segments.first().map(Segment::place).unwrap_or_default()
        };
        issues.push(Issue::warning(codes::X12_ENVELOPE, Place::X12(at), text).hint(hint));
    };
    let own = set.segments.first().map_or("", |st| st.element(3));
    if !own.is_empty() && !version.is_empty() && own != version {
        warn("ST03 names another guide than GS08".to_owned(), "send the same version in both");
    }
    let Some(guide) = guides.for_transaction(set) else { return issues };
    if !functional_id.is_empty() && guide.functional_id != functional_id {
        warn(format!("GS01 is not {}, that of transaction {}", guide.functional_id, guide.transaction), "correct GS01");
    }
    let (name, named) = if own.is_empty() { ("GS08", version) } else { ("ST03", own) };
    if !guide.is_version(named) {
        let known = guide.versions().collect::<Vec<_>>().join(", ");
        let hint = format!("versions of transaction {} that are known: {known}", guide.transaction);
        warn(format!("{name} {} is no version that is known: it was read as {}", plain::shown(named), guide.id), &hint);
    }
    issues
}
