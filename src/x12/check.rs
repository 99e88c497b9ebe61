//! What is wrong with an interchange: its envelope (SNIP 1), its guide (SNIP 2), its balances (SNIP 3), its situations
//! (SNIP 4) and its codes (SNIP 5).

use crate::code_forms::is_digits;
use crate::fault::{Issue, Place, X12Place, codes};
use crate::x12::balance;
use crate::x12::build::{is_date, is_time};
use crate::x12::code_sets;
use crate::x12::fit;
use crate::x12::guide::{Guide, Guides, SegmentSpec};
use crate::x12::plain;
use crate::x12::reader::{Group, Interchange, TransactionSet};
use crate::x12::rules::{self, Finding, LoopFault, Read};
use crate::x12::segment::Segment;
use crate::x12::situations;
use crate::x12::tree::{self, Loop};
use std::collections::HashSet;

/// All issues of an interchange. Where a 999 or TA1 has a code for one, its place holds it.
pub fn check_interchange(guides: &Guides, interchange: &Interchange<'_>) -> Vec<Issue> {
    let mut issues = check_envelope(interchange);
    for group in &interchange.groups {
        for set in &group.sets {
            let mut found = fit::check(guides, group.functional_id(), group.version(), set);
            found.extend(check_set(guides, set));
            locate(&mut found, interchange, group);
            issues.append(&mut found);
        }
    }
    issues
}

/// The envelope alone: shape, counts and control numbers.
pub fn check_envelope(interchange: &Interchange<'_>) -> Vec<Issue> {
    let mut issues = interchange.issues.clone();
    if let Some(iea) = &interchange.iea {
        let at = |code| X12Place { error_code: Some(code), ..interchange.place(iea) };
        if !same_number(iea.element(1), interchange.groups.len()) {
            issues.push(envelope(at("021".into()), "IEA01 is not the number of groups"));
        }
        if number(iea.element(2)).is_none() || number(iea.element(2)) != number(interchange.control_number()) {
            issues.push(envelope(at("001".into()), "IEA02 is not the control number of the ISA"));
        }
    }
    issues.extend(isa_issues(interchange));
    let mut numbers = HashSet::new();
    for group in &interchange.groups {
        let mut found = group_issues(group, !numbers.insert(group.control_number()));
        locate(&mut found, interchange, group);
        issues.append(&mut found);
    }
    issues
}

/// Elements of an ISA, what they must hold, and the TA105 when they do not.
type IsaRow = (usize, &'static str, fn(&str) -> bool, &'static str);
const ISA: [IsaRow; 12] = [
    (1, "010", |text| matches!(text, "00" | "03"), "ISA01 is neither 00 nor 03"),
    (3, "012", |text| matches!(text, "00" | "01"), "ISA03 is neither 00 nor 01"),
    (5, "005", is_id_qualifier, "ISA05 is no qualifier of an id"),
    (6, "006", |text| !text.trim().is_empty(), "ISA06 names no sender"),
    (7, "007", is_id_qualifier, "ISA07 is no qualifier of an id"),
    (8, "008", |text| !text.trim().is_empty(), "ISA08 names no receiver"),
    (9, "014", |text| is_date(text) && text.len() == 6, "ISA09 is no date (YYMMDD)"),
    (10, "015", |text| is_time(text), "ISA10 is no time (HHMM)"),
    (12, "017", |text| text == "00501", "ISA12 is not 00501"),
    (13, "018", |text| text.len() == 9 && number(text).is_some(), "ISA13 is no number of nine digits"),
    (14, "019", |text| matches!(text, "0" | "1"), "ISA14 is neither 0 nor 1"),
    (15, "020", |text| matches!(text, "P" | "T"), "ISA15 is neither P nor T"),
];

/// ISA05 and ISA07 (X12 005010, I05); the guides use few of them.
fn is_id_qualifier(text: &str) -> bool {
    (is_digits(text, 2) && ("01"..="38").contains(&text)) || matches!(text, "AM" | "NR" | "SA" | "SN" | "ZZ")
}

fn isa_issues(interchange: &Interchange<'_>) -> Vec<Issue> {
    let isa = &interchange.isa;
    let broken = ISA.iter().filter(|(n, _, fits, _)| !fits(isa.element(*n)));
    let issue = |(n, code, _, text): &IsaRow| {
        let at =
            X12Place { element: u8::try_from(*n).ok(), error_code: Some((*code).to_owned()), ..interchange.place(isa) };
        // Whoever wrote a wrong ISA element may still have meant the rest.
        Issue::warning(codes::X12_ENVELOPE, Place::X12(at), *text)
    };
    broken.map(issue).collect()
}

fn group_issues(group: &Group<'_>, twice: bool) -> Vec<Issue> {
    let mut issues = Vec::new();
    let at = |code: &str, segment: &Segment<'_>| X12Place { error_code: Some(code.to_owned()), ..segment.place() };
    if let Some(ge) = &group.ge {
        if !same_number(ge.element(1), group.sets.len()) {
            issues.push(envelope(at("5", ge), "GE01 is not the number of transaction sets"));
        }
        if number(ge.element(2)) != number(group.control_number()) || number(ge.element(2)).is_none() {
            issues.push(envelope(at("4", ge), "GE02 is not the control number of the GS"));
        }
    }
    if twice {
        issues.push(envelope(at("19", &group.gs), "the control number of the group is not unique"));
    }
    let mut numbers = HashSet::new();
    for set in &group.sets {
        set_issues(set, !numbers.insert(set.control_number()), &mut issues);
    }
    issues
}

fn set_issues(set: &TransactionSet<'_>, twice: bool, issues: &mut Vec<Issue>) {
    let at = |code: &str| X12Place {
        transaction_set: Some(set.control_number().to_owned()),
        offset: set.segments.first().map(|st| st.offset),
        line: set.segments.first().map(|st| st.line),
        error_code: Some(code.to_owned()),
        ..X12Place::default()
    };
    if let Some(se) = set.se() {
        if !same_number(se.element(1), set.segments.len()) {
            issues.push(envelope(at("4"), "SE01 is not the number of segments"));
        }
        if se.element(2) != set.control_number() {
            issues.push(envelope(at("3"), "SE02 is not the control number of the ST"));
        }
    }
    if set.control_number().is_empty() {
        issues.push(envelope(at("7"), "ST02 is missing"));
    } else if twice {
        issues.push(envelope(at("23"), "the control number of the transaction set is not unique in its group"));
    }
}

fn envelope(at: X12Place, text: &str) -> Issue {
    Issue::error(codes::X12_ENVELOPE, Place::X12(at), text)
}

fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

fn same_number(text: &str, count: usize) -> bool {
    number(text) == Some(count as u64)
}

/// Says in which interchange and group the issues are.
fn locate(issues: &mut [Issue], interchange: &Interchange<'_>, group: &Group<'_>) {
    for issue in issues {
        if let Place::X12(at) = &mut issue.at {
            at.interchange = Some(interchange.control_number().to_owned());
            at.group = Some(group.control_number().to_owned());
        }
    }
}

/// The guide, the balances, the situations and the codes of one transaction set.
pub fn check_set(guides: &Guides, set: &TransactionSet<'_>) -> Vec<Issue> {
    let Some(guide) = guides.for_transaction(set) else {
        return plain::check(guides, set);
    };
    let (root, mut issues) = tree::assign(guide, set);
    issues.extend(check_tree(guide, set, &root));
    issues.extend(balance::check(set, &root));
    issues.extend(situations::check(guide, set, &root));
    issues
}

/// What the guide says about the segments and loops of a set.
pub fn check_tree(guide: &Guide, set: &TransactionSet<'_>, root: &Loop<'_>) -> Vec<Issue> {
    let mut issues = Vec::new();
    for found in root.descend() {
        for (segment, spec) in found.segments.iter().zip(&found.specs) {
            let Some(ix) = spec else { continue };
            let spec = guide.segment_at(*ix);
            let elements = segment.elements().map(|text| Read { text, delimiters: segment.delimiters });
            rules::check_elements(spec, segment.len(), elements, &mut |finding| {
                issues.push(element_issue(spec, set, found, segment, &finding));
            });
            code_sets::check_segment(guide, *ix, set, found, segment, &mut issues);
        }
        let segments = found.specs.iter().flatten().copied();
        let children = found.children.iter().map(|child| child.spec);
        rules::check_counts(guide, found.spec, segments, children, &mut |fault| {
            issues.push(loop_issue(guide, set, found, fault));
        });
    }
    issues
}

fn place(set: &TransactionSet<'_>, found: &Loop<'_>, segment: &Segment<'_>, error_code: &str) -> X12Place {
    X12Place {
        transaction_set: Some(set.control_number().to_owned()),
        loop_id: Some(found.id.to_string()),
        error_code: Some(error_code.to_owned()),
        ..segment.place()
    }
}

fn element_issue(
    spec: &SegmentSpec,
    set: &TransactionSet<'_>,
    found: &Loop<'_>,
    segment: &Segment<'_>,
    finding: &Finding,
) -> Issue {
    let position = |n: usize| (n > 0).then(|| u8::try_from(n).unwrap_or(u8::MAX));
    let at = X12Place {
        element: position(finding.element),
        component: position(finding.component),
        repetition: position(finding.repetition),
        ..place(set, found, segment, finding.fault.error_code())
    };
    let element = spec.element(finding.element, finding.component);
    let name = element.map_or("the element", |element| element.name.as_str());
    let code = if finding.fault.is_syntax() { codes::X12_SYNTAX } else { codes::X12_GUIDE };
    let make = if finding.fault.is_harmless() { Issue::warning } else { Issue::error };
    let hint = finding.fault.hint(at.element_name().as_deref().unwrap_or("the element"));
    make(code, Place::X12(at), format!("{name} {}", finding.fault.text(element))).hint(hint)
}

/// A fault of a loop stands at the first segment of the loop; one of too many, at the first that is too many.
fn loop_issue(guide: &Guide, set: &TransactionSet<'_>, found: &Loop<'_>, fault: LoopFault) -> Issue {
    let excess = match fault {
        LoopFault::SegmentTooOften(ix, max) => {
            let all = found.segments.iter().zip(&found.specs).filter(|(_, spec)| **spec == Some(ix));
            all.map(|(segment, _)| segment).nth(max as usize)
        }
        LoopFault::LoopTooOften(ix, max) => {
            let all = found.children.iter().filter(|child| child.spec == ix);
            all.filter_map(|child| child.segments.first()).nth(max as usize)
        }
        _ => None,
    };
    let first = found.descend().find_map(|inner| inner.segments.first());
    let at = match excess.or(first) {
        Some(segment) => place(set, found, segment, fault.error_code()),
        None => X12Place { error_code: Some(fault.error_code().to_owned()), ..X12Place::default() },
    };
    let named = fault.segment(guide).map(|ix| guide.segment_at(ix).id.clone());
    let at = X12Place { segment: named.or(at.segment), ..at };
    Issue::error(codes::X12_GUIDE, Place::X12(at), fault.text(guide)).hint(fault.hint(guide))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x12::guide::tests::shipped;
    use crate::x12::reader;
    use crate::x12::tokens::tests::isa;

    fn told(isa: &str, gs: &str, st: &str) -> Vec<String> {
        let text = format!("{isa}GS*{gs}~ST*{st}~SE*2*0001~GE*1*7~IEA*1*000000001~");
        let (interchanges, _) = reader::read(&text);
        let issues = check_interchange(shipped(), &interchanges[0]);
        let envelope = issues.into_iter().filter(|issue| issue.code == codes::X12_ENVELOPE);
        envelope.map(|issue| format!("{:?} {}", issue.severity, issue.text)).collect()
    }

    #[test]
    fn the_elements_of_the_isa_are_checked() {
        let (gs, st) = ("HC*S*R*20250303*1200*7*X*005010X222A1", "837*0001*005010X222A1");
        let good = isa('*', '^', ':', "~");
        assert_eq!(told(&good, gs, st), [""; 0]);
        for (from, to, text) in [
            ("ISA*00*", "ISA*09*", "ISA01"),
            ("*ZZ*SENDER  ", "*QQ*SENDER  ", "ISA05"),
            ("*RECEIVER       *", "*               *", "ISA08"),
            ("*1200*", "*2500*", "ISA10"),
            ("*0*T*", "*7*T*", "ISA14"),
            ("*0*T*", "*0*X*", "ISA15"),
        ] {
            let issues = told(&good.replacen(from, to, 1), gs, st);
            assert_eq!(issues.len(), 1, "{to}: {issues:?}");
            assert!(issues[0].starts_with("Warning") && issues[0].contains(text), "{issues:?}");
        }
    }

    #[test]
    fn a_set_belongs_into_its_group() {
        let good = isa('*', '^', ':', "~");
        let other = told(&good, "HC*S*R*20250303*1200*7*X*005010X222A1", "837*0001*005010X223A2");
        assert_eq!(other, ["Warning ST03 names another guide than GS08"]);
        let wrong = told(&good, "HP*S*R*20250303*1200*7*X*005010X222A1", "837*0001*005010X222A1");
        assert_eq!(wrong, ["Warning GS01 is not HC, that of transaction 837"]);
        assert_eq!(told(&good, "HC*S*R*20250303*1200*7*X*005010X222A1", "837*0001"), [""; 0]);
    }
}
