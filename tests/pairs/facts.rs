//! The facts of one claim of an 837, so that two files can be compared without their order and spelling.

use claimgate::x12::guide::Guide;
use claimgate::x12::reader::read;
use claimgate::x12::segment::Segment;
use claimgate::x12::tree::{Loop, assign};
use std::collections::BTreeSet;

/// One fact: where it stands, and what it says. Places are loops with their number, a segment and an element:
/// `2400[1] SV1*02`.
pub type Facts = BTreeSet<(String, String)>;

/// The facts of the claim number `n` (from 1) of a file.
pub fn of_claim(guide: &Guide, text: &str, n: usize) -> Option<Facts> {
    let (interchanges, _) = read(text);
    let sets: Vec<_> = interchanges.iter().flat_map(|interchange| interchange.sets()).collect();
    let mut seen = 0;
    for set in sets {
        let (root, _) = assign(guide, set);
        let mut path = Vec::new();
        if let Some(facts) = walk(&root, &mut path, &mut seen, n) {
            return Some(facts);
        }
    }
    None
}

fn walk<'l, 'a>(here: &'l Loop<'a>, path: &mut Vec<&'l Loop<'a>>, seen: &mut usize, n: usize) -> Option<Facts> {
    if &*here.id == "2300" && here.segment("CLM").is_some() {
        *seen += 1;
        return (*seen == n).then(|| facts(path, here));
    }
    path.push(here);
    let found = here.children.iter().find_map(|child| walk(child, path, seen, n));
    path.pop();
    found
}

fn facts(path: &[&Loop<'_>], claim: &Loop<'_>) -> Facts {
    let mut facts = Facts::new();
    for level in path.iter().filter(|level| level.id.starts_with("2000")) {
        own(level, &level.id, &mut facts);
        for child in level.children.iter().filter(|child| child.id.starts_with("2010")) {
            own(child, &child.id, &mut facts);
        }
    }
    below(claim, "2300", &mut facts);
    effective(&mut facts);
    facts
}

fn below(here: &Loop<'_>, name: &str, facts: &mut Facts) {
    own(here, name, facts);
    let mut counts = std::collections::BTreeMap::new();
    for child in &here.children {
        let count = counts.entry(child.id.clone()).or_insert(0);
        *count += 1;
        let prefix = if name == "2300" { String::new() } else { format!("{name}/") };
        below(child, &format!("{prefix}{}[{count}]", child.id), facts);
    }
}

fn own(here: &Loop<'_>, name: &str, facts: &mut Facts) {
    for segment in &here.segments {
        match segment.id() {
            "HL" | "LX" => {}
            "CAS" => adjustments(segment, name, facts),
            "HI" => codes(segment, name, facts),
            "PER" => numbers(segment, name, facts),
            "DTP" => fact(facts, format!("{name} DTP*{}", segment.element(1)), &period(segment.element(3))),
            "TOO" | "DN2" => tooth(segment, name, facts),
            "SV1" | "SV2" | "SV3" | "SVD" | "CLM" | "SV5" | "CTP" => composites(segment, name, facts),
            _ => elements(segment, name, facts),
        }
    }
}

fn fact(facts: &mut Facts, at: String, value: &str) {
    let value = plain(value);
    if !value.is_empty() {
        facts.insert((at, value));
    }
}

/// Upper case, one space, decimals without trailing zeros.
fn plain(value: &str) -> String {
    let text = value.split_whitespace().collect::<Vec<_>>().join(" ").to_uppercase();
    let decimal = text.contains('.') && text.bytes().all(|byte| byte.is_ascii_digit() || b".-".contains(&byte));
    match text.parse::<rust_decimal::Decimal>() {
        Ok(number) if decimal => number.normalize().to_string(),
        _ => text,
    }
}

/// A range of one day is that day.
fn period(value: &str) -> String {
    match value.split_once('-') {
        Some((start, end)) if start == end => start.to_owned(),
        _ => value.to_owned(),
    }
}

fn elements(segment: &Segment<'_>, name: &str, facts: &mut Facts) {
    let first = segment.element(1);
    let qualified =
        matches!(segment.id(), "NM1" | "REF" | "AMT" | "QTY" | "MEA" | "PRV" | "PWK" | "CRC" | "NTE" | "K3");
    let key = if qualified { format!("{}*{first}", segment.id()) } else { segment.id().to_owned() };
    for n in (if qualified { 2 } else { 1 })..=segment.len() {
        // Qualifiers of a value say nothing without it.
        let qualifier = matches!((segment.id(), n), ("NM1", 8) | ("PRV", 2) | ("DMG", 1) | ("PWK", 5) | ("PAT", 5 | 7));
        if !qualifier {
            fact(facts, format!("{name} {key}*{n:02}"), segment.element(n));
        }
    }
}

fn composites(segment: &Segment<'_>, name: &str, facts: &mut Facts) {
    for n in 1..=segment.len() {
        for (c, part) in segment.components(n).enumerate() {
            let text = plain(part);
            let whole = text.strip_suffix(".").unwrap_or(&text);
            fact(facts, format!("{name} {}*{n:02}-{}", segment.id(), c + 1), whole);
        }
    }
}

fn adjustments(segment: &Segment<'_>, name: &str, facts: &mut Facts) {
    for triple in 0..6 {
        let at = 2 + triple * 3;
        if !segment.element(at).is_empty() {
            let quantity = plain(segment.element(at + 2));
            let text = format!("{} {} {}", segment.element(at), plain(segment.element(at + 1)), quantity);
            fact(facts, format!("{name} CAS*{}", segment.element(1)), text.trim());
        }
    }
}

/// Diagnoses of lines that point to them stand in their order, all other codes in any, with their date, amount and
/// whether they were present on admission.
fn codes(segment: &Segment<'_>, name: &str, facts: &mut Facts) {
    for n in 1..=segment.len() {
        let qualifier = segment.component(n, 1);
        let pointed = segment.component(1, 1).ends_with("BK") && segment.len() > 1 || qualifier.ends_with("BK");
        let place = if pointed && qualifier.contains('B') { format!("*{n:02}") } else { String::new() };
        let rest = [4, 5, 9].map(|component| plain(segment.component(n, component)));
        let text = [vec![segment.component(n, 2).to_owned()], rest.to_vec()].concat().join(" ");
        fact(facts, format!("{name} HI*{qualifier}{place}"), &text);
    }
}

/// A tooth with its surfaces or its status is one fact.
fn tooth(segment: &Segment<'_>, name: &str, facts: &mut Facts) {
    let (number, told) = if segment.id() == "TOO" { (2, 3) } else { (1, 2) };
    let mut surfaces: Vec<&str> = segment.components(told).collect();
    surfaces.sort_unstable();
    fact(facts, format!("{name} {}", segment.id()), &format!("{} {}", segment.element(number), surfaces.join(" ")));
}

fn numbers(segment: &Segment<'_>, name: &str, facts: &mut Facts) {
    for n in [3, 5, 7] {
        if !segment.element(n).is_empty() {
            fact(facts, format!("{name} PER*{}", segment.element(n)), segment.element(n + 1));
        }
    }
    fact(facts, format!("{name} PER*02"), segment.element(2));
}

/// What a line says only when it differs is said of each line: the place of service, and a dental claim's day.
fn effective(facts: &mut Facts) {
    let dental = facts.iter().any(|(at, _)| at.contains(" SV3*"));
    let mut shared = vec![("2300 CLM*05-1", if dental { "SV3*03-1" } else { "SV1*05-1" })];
    shared.extend(dental.then_some(("2300 DTP*472", "DTP*472")));
    let charge = if dental { " SV3*02-1" } else { " SV1*02-1" };
    let lines: BTreeSet<String> =
        facts.iter().filter_map(|(at, _)| at.strip_suffix(charge).map(str::to_owned)).collect();
    for (of_claim, of_line) in shared {
        let Some(value) = facts.iter().find(|(at, _)| at == of_claim).map(|(_, value)| value.clone()) else { continue };
        for line in &lines {
            let at = format!("{line} {of_line}");
            if !facts.iter().any(|(known, _)| *known == at) {
                facts.insert((at, value.clone()));
            }
        }
        facts.retain(|(at, _)| at != "2300 DTP*472" || !dental);
    }
}
