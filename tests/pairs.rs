//! Real claims and FHIR bundles of the same facts: every bundle of `CLAIMGATE_CORPUS/pairs` is mapped for the payer
//! `generic`, judged by pyx12 (`CLAIMGATE_PYX12`, the path of its x12valid; it has no map of dental claims, which our own
//! guide judges), and compared with the original claim fact by fact. A difference must be explained by what the bundle does not hold (`pairs/explained.rs`).

mod explained;
mod facts;

use crate::support::corpus;
use crate::support::gateway::{Content, Prepared};
use claimgate::fault::{Issue, Place, any_error, codes};
use claimgate::x12::{check, reader};
use explained::{EXTRA, MISSING, explain};
use facts::Facts;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One row of `pairs/index.tsv`.
#[derive(Clone)]
struct Pair {
    bundle: String,
    /// The original's guide.
    guide: &'static str,
    original: PathBuf,
    /// Number of the claim in the original, from 1.
    claim: usize,
    /// What was changed so that it can be billed.
    changed: String,
    /// Why it may fairly be refused.
    refusable: String,
}

fn pairs(corpus: &Path) -> Vec<Pair> {
    let index = std::fs::read_to_string(corpus.join("pairs/index.tsv")).expect("pairs/index.tsv");
    let rows = index.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    rows.map(|cells| Pair {
        bundle: cells[0].to_owned(),
        guide: guide_of(cells[1]),
        original: corpus.join("x12").join(cells[2]),
        claim: cells[3].parse().expect("the claim's number"),
        changed: cells.get(5).copied().unwrap_or_default().to_owned(),
        refusable: cells.get(6).copied().unwrap_or_default().to_owned(),
    })
    .collect()
}

fn guide_of(transaction: &str) -> &'static str {
    match transaction {
        "837I" => "005010X223A2",
        "837D" => DENTAL,
        _ => "005010X222A1",
    }
}

const DENTAL: &str = "005010X224A2";

#[test]
fn real_claims_keep_their_facts() {
    let corpus = corpus::folder();
    let content = Content::shipped();
    let folder = tempfile::tempdir().expect("a folder for the files");
    let mapped: Vec<Mapped> =
        pairs(&corpus).into_iter().map(|pair| Mapped::new(&content, &corpus, folder.path(), pair)).collect();
    let judged = mapped.iter().filter(|each| !each.refused() && each.pair.guide != DENTAL);
    let clean = clean_by_pyx12(judged.map(|each| each.file.as_path()));
    let mut faults = Vec::new();
    for each in &mapped {
        let refused = each.refused();
        let dental = each.pair.guide == DENTAL;
        let clean = if dental { clean_by_guide(&content, &each.prepared) } else { clean.contains(&each.file) };
        let told = reasons(&each.prepared.issues);
        let state = match (refused, clean) {
            (true, _) => "refused",
            (false, true) => "mapped, clean",
            (false, false) => "mapped, NOT CLEAN",
        };
        println!("{:<75} {state:<18} {told}", each.pair.bundle);
        if refused && each.pair.refusable.is_empty() {
            faults.push(format!("{} is refused: {told}", each.pair.bundle));
        }
        if !refused && !clean {
            let told = if dental { each.prepared.text() } else { pyx12([each.file.as_path()]) };
            faults.push(format!("{} is not clean:\n{told}", each.pair.bundle));
        }
        if !refused {
            faults.extend(differences(&content, &each.pair, &each.prepared));
        }
    }
    let refused = mapped.iter().filter(|each| each.refused()).count();
    println!(
        "{} bundles: {} mapped, {refused} refused, {} of them clean by pyx12",
        mapped.len(),
        mapped.len() - refused,
        clean.len()
    );
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// A bundle, and what became of it.
struct Mapped {
    pair: Pair,
    prepared: Prepared,
    file: PathBuf,
}

impl Mapped {
    fn refused(&self) -> bool {
        any_error(&self.prepared.issues)
    }

    fn new(content: &Content, corpus: &Path, folder: &Path, pair: Pair) -> Mapped {
        let body = std::fs::read(corpus.join("pairs").join(&pair.bundle)).expect("the bundle");
        let prepared = content.prepare("generic", &body);
        let file = folder.join(pair.bundle.replace(".json", ".x12"));
        std::fs::write(&file, &prepared.interchange).expect("the file is written");
        Mapped { pair, prepared, file }
    }
}

fn reasons(issues: &[Issue]) -> String {
    let errors = issues.iter().filter(|issue| issue.is_error());
    errors.map(|issue| format!("{} {}: {}", issue.code, issue.at, issue.text)).collect::<Vec<_>>().join("; ")
}

/// Whether our own reading of the guide has nothing against what was made.
fn clean_by_guide(content: &Content, prepared: &Prepared) -> bool {
    let text = prepared.text();
    let (interchanges, read) = reader::read(&text);
    let checked = interchanges.iter().flat_map(|found| check::check_interchange(&content.translator.guides, found));
    !any_error(&read) && checked.into_iter().all(|issue| !issue.is_error())
}

/// The files of which pyx12 says that they are OK.
fn clean_by_pyx12<'f>(files: impl Iterator<Item = &'f Path>) -> HashSet<PathBuf> {
    let told = pyx12(files);
    told.lines().filter_map(|line| line.trim().strip_suffix(": OK")).map(PathBuf::from).collect()
}

/// What pyx12's x12valid says of some files.
fn pyx12<'f>(files: impl IntoIterator<Item = &'f Path>) -> String {
    let program = std::env::var_os("CLAIMGATE_PYX12");
    let program = program.unwrap_or_else(|| panic!("set CLAIMGATE_PYX12 to the path of pyx12's x12valid"));
    let output = Command::new(program).args(files).output().expect("x12valid runs");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Facts of the original that ours has not, and the other way round, without those that are explained.
fn differences(content: &Content, pair: &Pair, prepared: &Prepared) -> Vec<String> {
    let text = std::fs::read(&pair.original).expect("the original");
    let mut text = String::from_utf8_lossy(&text).into_owned();
    if text.contains(">B>") {
        // Components are parted by another character than ISA16 says.
        text = text.replace('>', ":");
    }
    let guide = content.translator.guides.get(pair.guide).expect("the guide is shipped");
    let Some(theirs) = facts::of_claim(guide, &text, pair.claim) else {
        return vec![format!("{}: the original claim is not found", pair.bundle)];
    };
    let Some(ours) = facts::of_claim(guide, &prepared.text(), 1) else {
        return vec![format!("{}: our claim is not found in\n{}", pair.bundle, prepared.text())];
    };
    let held =
        held(pair, &theirs, &ours).map(|fact| format!("{}: lost though the bundle holds it: {fact}", pair.bundle));
    let missing = unexplained(pair, &theirs, &ours, MISSING).map(|fact| format!("{}: missing {fact}", pair.bundle));
    let extra = unexplained(pair, &ours, &theirs, EXTRA).map(|fact| format!("{}: extra   {fact}", pair.bundle));
    let changes = |fact: &String| !changed(fact, pair);
    missing.chain(extra).chain(held).filter(changes).collect()
}

/// Facts of the original that ours has not, although their value stands in the bundle: no explanation excuses them, unless the
/// same words stand there for something else.
fn held<'f>(pair: &Pair, theirs: &'f Facts, ours: &'f Facts) -> impl Iterator<Item = String> + 'f {
    let body = std::fs::read(corpus::folder().join("pairs").join(&pair.bundle)).expect("the bundle");
    let mut scalars = HashSet::new();
    gather(&serde_json::from_slice(&body).expect("JSON"), &mut scalars);
    let bundle = pair.bundle.clone();
    let elsewhere = move |at: &str, value: &str| {
        ELSEWHERE.iter().any(|(name, start, text)| {
            bundle.starts_with(name) && at.starts_with(start) && (text.is_empty() || value == *text)
        })
    };
    let left = theirs.iter().filter(|fact| !ours.contains(*fact));
    let left = left.filter(move |(at, value)| {
        value.len() >= HELD_FROM && scalars.contains(value.as_str()) && !elsewhere(at, value)
    });
    left.map(|(at, value)| format!("{at} = {value}"))
}

/// Shorter values stand in every bundle for one thing or another.
const HELD_FROM: usize = 4;

/// Values that the bundle holds for something else, or the original has twice: bundle, place and value (`""` is any).
const ELSEWHERE: &[(&str, &str, &str)] = &[
    // The billing provider's ZIP code was completed; the patient's is the same without the four digits.
    ("s-linuxforhealth-837_005010x223a3-two-claims", "2010AA N4*03", "17111"),
    // What stands out of order in the original's lines is read as the claim's again, and as a line of its own.
    ("s-hdi-837d-all-fields__1", "2310B[2]", ""),
    ("s-hdi-837d-all-fields__1", "2310C[2]", ""),
    ("s-hdi-837d-all-fields__1", "2310D[2]", ""),
    ("s-hdi-837d-all-fields__1", "2310E[2]", ""),
    ("s-hdi-837d-all-fields__1", "2400[3]", ""),
    // The day of the service, and the name of an extension's part.
    ("s-hdi-837d-all-fields__1", "2300 DTP*439", "20230301"),
    ("s-hdi-837d-all-fields__1", "2400[1] REF*6R", "CONTROLNUMBER"),
    // Payers and plans without a street have no address; the towns are the patient's.
    ("s-hdi-837p-minimal__1", "2010BB N4*01", "MAIMI"),
    ("s-hdi-chiro__1", "2010BB N4*01", "BALTIMORE"),
    ("s-hdi-wheelchair__1", "2010BB N4*01", "LAFAYETTE"),
    ("s-hdi-gen-837p-all-fields__1", "2010AC N4", ""),
    ("s-hdi-gen-837p-all-fields__1", "2010AA N4*03", "33111"),
    // The same day is that of the discharge; a line's provider is the claim's.
    ("s-hdi-gen-837p-all-fields__1", "2300 DTP*09", "20050608"),
    ("s-hdi-gen-837p-all-fields__1", "2400[1]/2420", ""),
    // The day on which the claim was written.
    ("s-hdi-wheelchair__1", "2400[1] DTP*607", "20050326"),
    // The line's own code, the patient's town, and his ZIP code.
    ("s-hdi-wheelchair__1", "2400[1] SV5", "K0001"),
    ("s-hdi-wheelchair__1", "2400[1]/2420E[1] N4*01", "LAFAYETTE"),
    ("s-imsweb-x223-test__1", "2320[2]/2330A[1] N4*03", "54321"),
];

/// All texts and numbers of a resource as facts spell them; dates as X12 writes them.
fn gather(value: &Value, scalars: &mut HashSet<String>) {
    match value {
        Value::Object(object) => object.values().for_each(|each| gather(each, scalars)),
        Value::Array(list) => list.iter().for_each(|each| gather(each, scalars)),
        Value::Null | Value::Bool(_) => {}
        other => {
            let text = other.as_str().map_or_else(|| other.to_string(), str::to_owned).to_uppercase();
            let date = text.get(..10).filter(|day| day.split('-').count() == 3 && day.len() == 10);
            scalars.extend(date.map(|day| day.replace('-', "")));
            scalars.insert(text.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }
}

fn unexplained<'f>(
    pair: &'f Pair,
    some: &'f Facts,
    others: &'f Facts,
    table: &'static [(&str, &str)],
) -> impl Iterator<Item = String> + 'f {
    let left = some.iter().filter(|fact| !others.contains(*fact));
    left.filter(move |(at, _)| explain(table, &pair.bundle, at).is_none()).map(|(at, value)| format!("{at} = {value}"))
}

/// Whether the makers of the bundle say that they changed this value.
fn changed(fact: &str, pair: &Pair) -> bool {
    let value = fact.rsplit(" = ").next().unwrap_or_default();
    let completed =
        |what: &str, places: &[&str]| pair.changed.contains(what) && places.iter().any(|place| fact.contains(place));
    pair.changed.split("; ").any(|change| {
        let sides = change.split(" (").next().unwrap_or_default();
        sides
            .split_once(' ')
            .and_then(|(_, sides)| sides.split_once(" -> "))
            .is_some_and(|(from, to)| from.eq_ignore_ascii_case(value) || to.eq_ignore_ascii_case(value))
    }) || completed("birth date added", &["DMG*02"])
        || completed("sex added", &["DMG*03"])
        || completed("patient address completed", &["2010BA N3", "2010BA N4", "2010CA N3", "2010CA N4"])
        || completed("pointers past the diagnoses dropped", &["SV1*07"])
        || completed("diagnosis qualifiers put right", &["2300 HI"])
}

/// What is refused over a rule loses nothing either, once the rule is off.
#[test]
fn refused_claims_would_keep_their_facts() {
    let corpus = corpus::folder();
    let content = Content::shipped();
    let (lenient, folder) = Content::without_edits();
    let (mut seen, mut faults) = (0, Vec::new());
    for pair in pairs(&corpus) {
        if !Mapped::new(&content, &corpus, folder.path(), pair.clone()).refused() {
            continue;
        }
        let mapped = Mapped::new(&lenient, &corpus, folder.path(), pair);
        if mapped.refused() {
            // A value that X12 has no code for can't be written by any rule.
            println!("{}: {}", mapped.pair.bundle, reasons(&mapped.prepared.issues));
            continue;
        }
        seen += 1;
        let text = std::fs::read(&mapped.pair.original).expect("the original");
        let text = String::from_utf8_lossy(&text).into_owned();
        let guide = content.translator.guides.get(mapped.pair.guide).expect("the guide is shipped");
        let theirs = facts::of_claim(guide, &text, mapped.pair.claim).expect("the original claim");
        let ours = facts::of_claim(guide, &mapped.prepared.text(), 1).expect("our claim");
        let lost = held(&mapped.pair, &theirs, &ours).filter(|fact| !changed(fact, &mapped.pair));
        faults.extend(lost.map(|fact| format!("{}: lost: {fact}", mapped.pair.bundle)));
    }
    assert!(seen >= 7, "only {seen} refused bundles were mapped without edits");
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Claims of other makers: each is mapped, or refused with issues that say where and how to mend.
#[test]
fn other_claims_are_mapped_or_refused_with_reasons() {
    let content = Content::shipped();
    let (mut seen, mut mapped) = (0, 0);
    for folder in ["claim", "bundle-claim", "synthea"] {
        for entry in std::fs::read_dir(corpus::folder().join("fhir").join(folder)).expect("the folder").flatten() {
            let Ok(body) = std::fs::read(entry.path()) else { continue };
            for claim in claims(&body) {
                let prepared = content.prepare("generic", claim.to_string().as_bytes());
                seen += 1;
                mapped += usize::from(!any_error(&prepared.issues));
                for issue in prepared.issues.iter().filter(|issue| issue.is_error()) {
                    let told = issue.at != Place::Whole || issue.hint.is_some();
                    assert!(told && !issue.text.is_empty(), "{}: {issue}", entry.path().display());
                }
            }
        }
    }
    println!("{seen} other claims: {mapped} mapped");
    assert!(seen > 50, "only {seen} claims were found");
}

/// The claims of a file, each with everything else that stands there.
fn claims(body: &[u8]) -> Vec<Value> {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
    let Some(entries) = value["entry"].as_array() else { return vec![value] };
    let is_claim = |entry: &&Value| entry["resource"]["resourceType"] == "Claim";
    let others: Vec<&Value> = entries.iter().filter(|entry| !is_claim(entry)).collect();
    let bundle = |claim: &Value| {
        let all: Vec<&Value> = std::iter::once(claim).chain(others.iter().copied()).collect();
        json!({"resourceType": "Bundle", "type": "collection", "entry": all})
    };
    // A few of each file: they are all made alike.
    entries.iter().filter(is_claim).take(5).map(bundle).collect()
}

#[test]
fn codes_of_edits_are_in_the_catalogue() {
    assert!(claimgate::edits::EDITS.iter().all(|edit| claimgate::fault::row(edit.code).is_some()));
    assert!(claimgate::fault::row(codes::EDIT_NPI).is_some());
}
