//! Our guides hold what the element tables of the domain say: each row has its element, with usage, lengths, repeats, codes.

use super::rows;
use crate::x12_corpus::{corpus, guides};
use claimgate::x12::guide::{ElementKind, ElementSpec, Guide, SegmentSpec, Usage};
use std::collections::HashMap;
use std::path::PathBuf;

/// Guides and their tables.
const GUIDES: [(&str, &str); 12] = [
    ("837p", "837P"),
    ("837i", "837I"),
    ("837d", "837D"),
    ("835", "835"),
    ("277ca", "277CA"),
    ("277", "277"),
    ("276", "276"),
    ("270", "270"),
    ("271", "271"),
    ("278-request", "278-request"),
    ("278-response", "278-response"),
    ("999", "999"),
];

/// Loops of the tables that are the set itself, or its envelope.
const HEADERS: [&str; 6] = ["", "HEADER", "DETAIL", "FOOTER", "ST_LOOP", "SUMMARY"];
const ENVELOPE: [&str; 2] = ["ISA_LOOP", "GS_LOOP"];

/// The folder of the tables: `CLAIMGATE_TABLES`, or beside the corpus.
fn folder() -> PathBuf {
    let own = std::env::var_os("CLAIMGATE_TABLES").map(PathBuf::from);
    own.unwrap_or_else(|| corpus().join("../../domain/tables"))
}

/// A segment of a table.
struct Segment {
    in_loop: String,
    id: String,
    name: String,
    usage: String,
    max: String,
    elements: Vec<Vec<String>>,
}

fn read(table: &str) -> Vec<Segment> {
    let path = folder().join(format!("{table}.tsv"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut segments: Vec<Segment> = Vec::new();
    for line in text.lines().skip(1) {
        let cells: Vec<String> = line.split('\t').map(str::to_owned).collect();
        let in_loop = if HEADERS.contains(&cells[1].as_str()) { "ST".to_owned() } else { cells[1].clone() };
        match cells[0].as_str() {
            _ if ENVELOPE.contains(&in_loop.as_str()) => {}
            "S" => segments.push(Segment {
                in_loop,
                id: cells[4].clone(),
                name: cells[5].clone(),
                usage: cells[6].clone(),
                max: cells[7].clone(),
                elements: Vec::new(),
            }),
            "E" => segments.last_mut().unwrap().elements.push(cells),
            _ => {}
        }
    }
    segments.retain(|segment| !["ISA", "GS", "GE", "IEA", "TA1"].contains(&segment.id.as_str()));
    segments
}

#[test]
fn guides_are_those_of_the_element_tables() {
    let guides = guides();
    let explained = rows(include_str!("../data/x12/table-differences.tsv"));
    let mut found = Vec::new();
    let mut elements = 0;
    for (guide, table) in GUIDES {
        let segments = read(table);
        elements += segments.iter().map(|segment| segment.elements.len()).sum::<usize>();
        found.extend(compare(guides.get(guide).unwrap(), &segments));
    }
    assert!(elements > 6_000, "only {elements} elements");
    let row = |difference: &String| explained.iter().find(|row| difference.starts_with(row[0]));
    let wrong: Vec<_> = found.iter().filter(|difference| row(difference).is_none()).cloned().collect();
    let stale = explained.iter().filter(|row| !found.iter().any(|difference| difference.starts_with(row[0])));
    let stale: Vec<_> = stale.map(|row| format!("explains nothing: {}", row[0])).collect();
    assert!(wrong.is_empty() && stale.is_empty(), "{}\n{}", wrong.join("\n"), stale.join("\n"));
}

/// `837p 2300 CLM 05-3: codes …`
fn compare(guide: &Guide, segments: &[Segment]) -> Vec<String> {
    let mut found = Vec::new();
    let mut taken: HashMap<(String, String, String), usize> = HashMap::new();
    for segment in segments {
        let at = format!("{} {} {}", guide.name, segment.in_loop, segment.id);
        let Some(ix) = guide.loop_ix(&segment.in_loop) else {
            found.push(format!("{at}: no such loop"));
            continue;
        };
        let key = (segment.in_loop.clone(), segment.id.clone(), segment.name.clone());
        let nth = taken.entry(key).or_default();
        let same_id = guide.segments_of(ix).map(|(_, spec)| spec).filter(|spec| spec.id == segment.id);
        let same_name: Vec<_> = same_id.filter(|spec| spec.name == segment.name).collect();
        let spec = same_name.get(*nth).copied();
        *nth += 1;
        match spec {
            Some(spec) => found.extend(compare_segment(&format!("{at} {}", segment.name), segment, spec)),
            None => found.push(format!("{at} {}: no such segment", segment.name)),
        }
    }
    found
}

fn compare_segment(at: &str, segment: &Segment, spec: &SegmentSpec) -> Vec<String> {
    let mut found = Vec::new();
    let max = spec.max.map_or(">1".to_owned(), |max| max.to_string());
    if segment.usage != letter(spec.usage) {
        found.push(format!("{at}: usage {} is {}", segment.usage, letter(spec.usage)));
    }
    if segment.max != max {
        found.push(format!("{at}: repeats {} is {max}", segment.max));
    }
    for cells in &segment.elements {
        let position = cells[8].trim_start_matches(&segment.id);
        let (n, c) = position.split_once('-').unwrap_or((position, "0"));
        let (Ok(n), Ok(c)) = (n.parse::<usize>(), c.parse::<usize>()) else { continue };
        match spec.element(n, c) {
            Some(element) => found.extend(compare_element(&format!("{at} {position}"), cells, element)),
            None if cells[10] == "N" => {}
            None => found.push(format!("{at} {position}: no such element")),
        }
    }
    found
}

fn compare_element(at: &str, cells: &[String], spec: &ElementSpec) -> Vec<String> {
    let mut found = Vec::new();
    if cells[10] != letter(spec.usage) {
        found.push(format!("{at}: usage {} is {}", cells[10], letter(spec.usage)));
    }
    let composite = spec.kind == ElementKind::Composite;
    if spec.usage == Usage::NotUsed || composite {
        return found;
    }
    for (what, table, own) in [("shortest", &cells[12], spec.min), ("longest", &cells[13], spec.max)] {
        if !table.is_empty() && *table != own.to_string() {
            found.push(format!("{at}: {what} {table} is {own}"));
        }
    }
    let codes = cells[14].split_whitespace().filter(|code| !code.contains(['(', ')', ':']));
    let missing: Vec<_> =
        codes.filter(|code| !spec.codes.is_empty() && !spec.codes.iter().any(|own| own == code)).collect();
    if !missing.is_empty() {
        found.push(format!("{at}: codes {} are missing", missing.join(" ")));
    }
    found
}

fn letter(usage: Usage) -> &'static str {
    match usage {
        Usage::Required => "R",
        Usage::Situational => "S",
        Usage::NotUsed => "N",
    }
}
