//! What real payers say, counted by hand over raw segments and looked for in the FHIR that is made of it: every amount,
//! adjustment, remark, status, date, trace number and decision stands there exactly once, where it belongs. Nothing here
//! shares code with the readers: segments are split by hand, and resources are searched as plain JSON.

use crate::support::corpus;
use claimgate::config::Config;
use claimgate::fault::Issue;
use claimgate::fhir::{second_opinion, validate};
use claimgate::flow::convert::{self, Sink, Told};
use claimgate::gateway::Translator;
use raw::{Kind, expected};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::LazyLock;
use told::found;

#[path = "answer_facts/lost.rs"]
mod lost;
#[path = "answer_facts/raw.rs"]
mod raw;
#[path = "answer_facts/told.rs"]
mod told;

/// A fact (`paid`, `12.5`) and how often it stands there.
pub type Facts = BTreeMap<(String, String), i64>;

/// Counts one fact.
pub fn count(facts: &mut Facts, kind: &str, value: impl Into<String>) {
    *facts.entry((kind.to_owned(), value.into())).or_default() += 1;
}

static TRANSLATOR: LazyLock<Translator> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut config = Config::default();
    (config.mappings_dir, config.conformance_dir) = (root.join("mappings"), root.join("conformance"));
    Translator::load(config).unwrap_or_else(|fault| panic!("{fault}"))
});

#[derive(Default)]
struct Taken {
    resources: Vec<Value>,
    errors: Vec<String>,
}

impl Sink for Taken {
    fn resource(&mut self, _: &str, write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let mut text = Vec::new();
        write(&mut text)?;
        self.resources.push(serde_json::from_slice(&text)?);
        Ok(())
    }

    fn issue(&mut self, issue: &Issue) {
        if issue.is_error() {
            self.errors.push(issue.to_string());
        }
    }
}

fn convert(bytes: &[u8], told: Told) -> Taken {
    let mut taken = Taken::default();
    convert::convert(&TRANSLATOR, "generic", told, bytes, &mut taken).unwrap();
    taken
}

fn sound(resource: &Value, name: &str) {
    let kind = resource["resourceType"].as_str().unwrap();
    let wrong = validate::resource(&TRANSLATOR.definitions, resource, kind);
    assert!(wrong.is_empty(), "{name}: {wrong:?}\n{resource:#}");
    assert_eq!(second_opinion::judge(resource), [], "{name}");
}

/// Facts of the file without their equals in the FHIR, and the other way round.
fn compare(name: &str, kind: Kind, bytes: &[u8], resources: &[Value]) -> (usize, Vec<String>) {
    let (mut said, total) = {
        let said = expected(kind, bytes);
        let total = said.values().filter(|count| **count > 0).map(|count| *count as usize).sum::<usize>();
        (said, total)
    };
    for (fact, count) in found(kind, resources) {
        *said.entry(fact).or_default() -= count;
    }
    let odd = said.into_iter().filter(|(_, count)| *count != 0);
    let line = |((what, value), count): ((String, String), i64)| {
        format!("{name}: {what} {value}: {} in the {}", count.abs(), if count > 0 { "file only" } else { "FHIR only" })
    };
    (total, odd.map(line).collect())
}

fn every_fact_once(folders: &[&str], kind: Kind, least: usize) {
    let (mut facts, mut odd, mut seen) = (0, Vec::new(), 0);
    for path in folders.iter().flat_map(|folder| corpus::x12(folder)) {
        let bytes = std::fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let taken = convert(&bytes, Told::ClaimResponse);
        assert!(taken.errors.is_empty(), "{name}: {:?}", taken.errors);
        taken.resources.iter().for_each(|resource| sound(resource, &name));
        let (counted, lines) = compare(&name, kind, &bytes, &taken.resources);
        facts += counted;
        odd.extend(lines);
        odd.extend(lost::lost(&name, &bytes, &taken.resources));
        seen += 1;
    }
    assert!(odd.is_empty(), "{} facts:\n{}", odd.len(), odd.join("\n"));
    assert!(facts >= least, "only {facts} facts");
    eprintln!("{folders:?}: {facts} facts of {seen} files, each once");
}

/// What the answers of our own writing are, by the beginning of their names.
const OWN: &[(&str, Kind)] = &[
    ("835", Kind::Payment),
    ("277", Kind::Status),
    ("271", Kind::Eligibility),
    ("278", Kind::Review),
    ("999", Kind::Acknowledgment),
    ("ta1", Kind::Acknowledgment),
];

#[test]
fn every_fact_of_our_own_answers_stands_once() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/answers");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some((_, kind)) = OWN.iter().find(|(head, _)| name.starts_with(head) && name.ends_with(".x12")) else {
            continue;
        };
        let bytes = std::fs::read(&path).unwrap();
        let taken = convert(&bytes, Told::ClaimResponse);
        assert!(taken.errors.is_empty(), "{name}: {:?}", taken.errors);
        taken.resources.iter().for_each(|resource| sound(resource, &name));
        let (facts, odd) = compare(&name, *kind, &bytes, &taken.resources);
        assert!(odd.is_empty(), "{}", odd.join("\n"));
        let lost = lost::lost(&name, &bytes, &taken.resources);
        assert!(lost.is_empty(), "{}", lost.join("\n"));
        assert!(facts > 0, "{name} says nothing");
        seen += 1;
    }
    assert!(seen >= 12, "{seen} answers");
}

/// Segments that hold a file together, or open a loop; without one of them it is another file.
const FRAME: &[&str] = &["ISA", "GS", "ST", "SE", "GE", "IEA", "HL", "BHT", "BPR", "CLP", "SVC"];

/// What is odd about a file without one of its segments, which payers may leave out: the rest stands where it belongs, and what
/// is told is sound.
fn without(name: &str, kind: Kind, text: &str, missing: &str, at: usize) -> Vec<String> {
    let rest = format!("{}{}", &text[..at], &text[at + missing.len() + 1..]);
    let taken = convert(rest.as_bytes(), Told::ClaimResponse);
    let about = format!("{name} without {missing}");
    taken.resources.iter().for_each(|resource| sound(resource, &about));
    let odd = compare(&about, kind, rest.as_bytes(), &taken.resources).1;
    odd.into_iter().chain(lost::lost(&about, rest.as_bytes(), &taken.resources)).collect()
}

/// Segments of a file that can be left out, with their places.
fn segments(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let terminator = char::from(text.as_bytes().get(105).copied().unwrap_or(b'~'));
    let mut at = 0;
    let pieces = text.split(terminator).map(move |piece| {
        let begun = at;
        at += piece.len() + 1;
        (begun, piece)
    });
    let framed = |piece: &str| FRAME.iter().any(|id| piece.trim_start().starts_with(id));
    pieces.filter(move |(at, piece)| at + piece.len() < text.len() && !framed(piece) && !piece.trim().is_empty())
}

#[test]
fn every_fact_stands_once_whichever_segment_is_missing() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/answers");
    let (mut odd, mut seen) = (Vec::new(), 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some((_, kind)) = OWN.iter().find(|(head, _)| name.starts_with(head) && name.ends_with(".x12")) else {
            continue;
        };
        let text = std::fs::read_to_string(&path).unwrap();
        for (at, missing) in segments(&text) {
            odd.extend(without(&name, *kind, &text, missing, at));
            seen += 1;
        }
    }
    assert!(odd.is_empty(), "{} facts:\n{}", odd.len(), odd.join("\n"));
    assert!(seen >= 400, "{seen} files");
}

/// Nor is an element where it should be: whichever is missing, what is told is sound. One of seven is taken.
#[test]
fn what_is_told_is_sound_whichever_element_is_missing() {
    const EACH: usize = 7;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/answers");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !OWN.iter().any(|(head, _)| name.starts_with(head) && name.ends_with(".x12")) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let bounds = text.match_indices(['*', '~']).map(|(at, _)| at).collect::<Vec<_>>();
        let elements =
            bounds.windows(2).filter(|ends| ends[0] > 105 && text[ends[0]..].starts_with('*') && ends[1] > ends[0] + 1);
        for ends in elements.skip(name.len() % EACH).step_by(EACH) {
            let rest = format!("{}{}", &text[..=ends[0]], &text[ends[1]..]);
            let taken = convert(rest.as_bytes(), Told::ClaimResponse);
            let about = format!("{name} without {} at {}", &text[ends[0] + 1..ends[1]], ends[0]);
            taken.resources.iter().for_each(|resource| sound(resource, &about));
            seen += 1;
        }
    }
    assert!(seen >= 200, "{seen} files");
}

/// The same of small files of the corpus, each without some of its segments.
#[test]
fn every_fact_of_the_corpus_stands_once_whichever_segment_is_missing() {
    const EACH: usize = 11;
    let (mut odd, mut seen) = (Vec::new(), 0);
    let folders = [
        ("835", Kind::Payment),
        ("277ca", Kind::Status),
        ("277", Kind::Status),
        ("271", Kind::Eligibility),
        ("278", Kind::Review),
    ];
    for (path, kind) in
        folders.iter().flat_map(|(folder, kind)| corpus::x12(folder).into_iter().map(move |path| (path, *kind)))
    {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        if text.len() > 6_000 || !text.is_ascii() || !text.starts_with("ISA") {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        for (at, missing) in segments(&text).skip(name.len() % EACH).step_by(EACH) {
            odd.extend(without(&name, kind, &text, missing, at));
            seen += 1;
        }
    }
    assert!(odd.is_empty(), "{} facts:\n{}", odd.len(), odd.join("\n"));
    assert!(seen >= 100, "{seen} files");
}

#[test]
fn every_fact_of_an_835_of_the_corpus_stands_once() {
    every_fact_once(&["835"], Kind::Payment, 5_000);
}

#[test]
fn every_fact_of_a_277_of_the_corpus_stands_once() {
    every_fact_once(&["277ca", "277"], Kind::Status, 200);
}

#[test]
fn every_fact_of_a_271_of_the_corpus_stands_once() {
    every_fact_once(&["271"], Kind::Eligibility, 200);
}

#[test]
fn every_fact_of_a_278_of_the_corpus_stands_once() {
    every_fact_once(&["278"], Kind::Review, 15);
}

#[test]
fn every_complaint_of_a_999_or_ta1_of_the_corpus_stands_once() {
    every_fact_once(&["999", "997", "ta1"], Kind::Acknowledgment, 10);
}

#[test]
fn every_claim_of_the_corpus_becomes_a_sound_explanation_of_benefit() {
    let mut claims = 0;
    for path in corpus::x12("835") {
        let bytes = std::fs::read(&path).unwrap();
        let taken = convert(&bytes, Told::ExplanationOfBenefit);
        assert!(taken.errors.is_empty(), "{}: {:?}", path.display(), taken.errors);
        taken.resources.iter().for_each(|resource| sound(resource, &path.display().to_string()));
        claims += taken.resources.iter().filter(|each| each["resourceType"] == "ExplanationOfBenefit").count();
    }
    assert!(claims >= 500, "{claims} explanations of benefit");
}

#[test]
fn a_remittance_in_one_piece_and_one_in_many_tell_the_same() {
    let one = include_str!("../conformance/answers/835-paid-denied-reversal-plb.x12");
    let claim = &one[one.find("CLP*").unwrap()..one.find("PLB").unwrap_or(one.rfind("SE*").unwrap())];
    let many = one.replacen(claim, &claim.repeat(900), 1);
    let taken = convert(many.as_bytes(), Told::ClaimResponse);
    let last = taken.resources.last().unwrap();
    let claims = claim.matches("CLP*").count() * 900;
    assert_eq!(taken.resources.len(), claims + 1);
    let details = last["detail"].as_array().unwrap();
    let paid = details
        .iter()
        .filter(|detail| detail["type"]["coding"][0]["system"] != "https://claimgate.dev/fhir/CodeSystem/x12-plb");
    assert_eq!(paid.count(), claims);
    sound(last, "a long remittance");
}
