//! Transaction sets without a guide (834, 820, 275, 824 …): no more than X12's own syntax can be checked.

use crate::fault::{Issue, Place, Severity, X12Place, codes};
use crate::x12::guide::Guides;
use crate::x12::reader::TransactionSet;
use crate::x12::segment::Segment;
use crate::x12::text;
use std::collections::HashSet;

/// HL01 of the levels that came so far.
pub(crate) type Levels = HashSet<String>;

/// What is wrong by X12 alone, after a note that says so.
pub(crate) fn check(guides: &Guides, set: &TransactionSet<'_>) -> Vec<Issue> {
    let mut issues = vec![no_guide(guides, set)];
    let whole = set.segments.iter().filter(|segment| !set.is_broken_off(segment));
    check_segments(set.control_number(), whole, &mut Levels::new(), &mut issues);
    issues
}

/// Checks segments of a set, or of a part of one; `levels` are those of the parts before.
pub(crate) fn check_segments<'s, 'a: 's>(
    set: &str,
    segments: impl IntoIterator<Item = &'s Segment<'a>>,
    levels: &mut Levels,
    issues: &mut Vec<Issue>,
) {
    for segment in segments {
        segment_issues(segment, levels, &mut |at, is_error, text| {
            let at = X12Place { transaction_set: Some(set.to_owned()), ..at };
            let make = if is_error { Issue::error } else { Issue::warning };
            issues.push(make(codes::X12_SYNTAX, Place::X12(at), text));
        });
    }
}

fn segment_issues(segment: &Segment<'_>, levels: &mut Levels, report: &mut impl FnMut(X12Place, bool, &str)) {
    let at = |code: &str| X12Place { error_code: Some(code.to_owned()), ..segment.place() };
    if !is_id(segment.id()) {
        return report(at("1"), true, "this is no segment id");
    }
    // Binary data may hold anything.
    if let Some(length_at) = segment.binary_length_at() {
        if !is_whole(segment, length_at) {
            let text = format!("{0}{length_at:02} is not the length of the data behind it", segment.id());
            report(X12Place { element: u8::try_from(length_at).ok(), ..at("7") }, true, &text);
        }
    } else if segment.elements().last() == Some("") {
        let element = u8::try_from(segment.len()).ok();
        report(X12Place { element, ..at("3") }, false, "the last element is empty, and should have been left out");
    }
    if segment.id() == "HL" {
        let parent = segment.element(2);
        if !parent.is_empty() && !levels.contains(parent) {
            report(X12Place { element: Some(2), ..at("7") }, true, "HL02 names no level before this one");
        }
        levels.insert(segment.element(1).to_owned());
    }
}

/// Whether binary data are as many bytes as the element before them says.
fn is_whole(segment: &Segment<'_>, length_at: usize) -> bool {
    let data = segment.raw().splitn(length_at + 2, char::from(segment.delimiters.element)).nth(length_at + 1);
    let count = text::encode(data.unwrap_or_default(), segment.latin1).len();
    segment.element(length_at).trim().parse::<usize>().is_ok_and(|length| length == count)
}

/// Two or three characters, a letter first.
fn is_id(id: &str) -> bool {
    let bytes = id.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_uppercase)
        && (2..=3).contains(&bytes.len())
        && bytes.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Says what was not checked. The place holds the IK502 by which [`crate::x12::acknowledge`] tells the sender that we do not
/// take such sets.
pub(crate) fn no_guide(guides: &Guides, set: &TransactionSet<'_>) -> Issue {
    let (id, version) = (shown(set.id()), shown(set.version()));
    let is_known = guides.iter().any(|guide| guide.transaction == set.id());
    if id.is_empty() {
        let at = X12Place {
            transaction_set: Some(set.control_number().to_owned()),
            error_code: Some("6".to_owned()),
            ..X12Place::default()
        };
        let issue = Issue::error(codes::X12_ENVELOPE, Place::X12(at), "ST01 names no transaction");
        return issue.hint("send the number of the transaction in ST01, 837 for claims");
    }
    let (error_code, text) = match is_known {
        true if version.is_empty() => (
            "19",
            format!("transaction {id} names no version (GS08, ST03) and is checked for envelope and syntax only"),
        ),
        true => ("19", format!("transaction {id} of version {version:?} is checked for envelope and syntax only")),
        false => ("1", format!("transaction {id} is checked for envelope and syntax only")),
    };
    let at = X12Place {
        transaction_set: Some(set.control_number().to_owned()),
        error_code: Some(error_code.to_owned()),
        ..X12Place::default()
    };
    let issue = Issue::warning(codes::X12_GUIDE, Place::X12(at), text);
    if is_known {
        let of_set = guides.iter().filter(|guide| guide.transaction == set.id());
        let known: Vec<_> = of_set.flat_map(|guide| guide.versions()).collect();
        return issue.hint(format!("versions of transaction {id} that are known: {}", known.join(", ")));
    }
    let hint = "there is no guide of it in conformance/x12: what its loops and elements should hold is not known";
    Issue { severity: Severity::Information, ..issue }.hint(hint)
}

/// What a sender wrote where a version should be, cut to what one could be.
pub(crate) fn shown(text: &str) -> String {
    text.chars().filter(|character| character.is_ascii_alphanumeric()).take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x12::guide::tests::shipped;
    use crate::x12::tree::tests::set;

    fn found(text: &str) -> Vec<String> {
        check(shipped(), &set(text)).iter().map(Issue::to_string).collect()
    }

    #[test]
    fn a_set_without_a_guide_is_told_of_and_no_error() {
        let issues = found("ST*834*0001*005010X220A1~BGN*00*1*20250303~SE*3*0001");
        assert_eq!(issues.len(), 1, "{issues:?}");
        assert!(issues[0].starts_with("note CG-1503") && issues[0].contains("834"), "{issues:?}");
        assert!(found("ST*837*0001*004010X098~SE*2*0001")[0].contains("004010X098"));
    }

    #[test]
    fn its_syntax_is_checked() {
        let issues = found("ST*834*0001~INS*Y*~4X*1~HL*1**1~HL*2*7*2~SE*6*0001");
        assert_eq!(issues.len(), 4, "{issues:?}");
        assert!(issues[1].contains("warning CG-1502") && issues[1].contains("INS02"), "{issues:?}");
        assert!(issues[2].contains("error") && issues[3].contains("HL02"), "{issues:?}");
    }
}
