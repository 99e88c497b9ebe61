//! Real claims and FHIR bundles of the same facts: every professional bundle of `CLAIMGATE_CORPUS/pairs` is mapped for the
//! payer `generic`, judged by pyx12 (`CLAIMGATE_PYX12`, the path of its x12valid), and compared with the original claim fact
//! by fact. A difference must be explained by what the bundle does not hold (`pairs/explained.rs`).

mod explained;
mod facts;

use crate::support::gateway::{Content, Prepared};
use claimgate::fault::{Issue, any_error, codes};
use explained::{EXTRA, MISSING, explain};
use facts::Facts;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One row of `pairs/index.tsv`.
struct Pair {
    bundle: String,
    original: PathBuf,
    /// Number of the claim in the original, from 1.
    claim: usize,
    /// What was changed so that it can be billed.
    changed: String,
    /// Why it may fairly be refused.
    refusable: String,
}

fn corpus() -> PathBuf {
    let path = std::env::var_os("CLAIMGATE_CORPUS")
        .unwrap_or_else(|| panic!("set CLAIMGATE_CORPUS to the folder with pairs/ and x12/"));
    PathBuf::from(path)
}

fn pairs(corpus: &Path) -> Vec<Pair> {
    let index = std::fs::read_to_string(corpus.join("pairs/index.tsv")).expect("pairs/index.tsv");
    let rows = index.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    rows.filter(|cells| cells[1] == "837P")
        .map(|cells| Pair {
            bundle: cells[0].to_owned(),
            original: corpus.join("x12").join(cells[2]),
            claim: cells[3].parse().expect("the claim's number"),
            changed: cells.get(5).copied().unwrap_or_default().to_owned(),
            refusable: cells.get(6).copied().unwrap_or_default().to_owned(),
        })
        .collect()
}

#[test]
fn real_claims_keep_their_facts() {
    let corpus = corpus();
    let content = Content::shipped();
    let folder = tempfile::tempdir().expect("a folder for the files");
    let mut faults = Vec::new();
    for pair in pairs(&corpus) {
        let body = std::fs::read(corpus.join("pairs").join(&pair.bundle)).expect("the bundle");
        let prepared = content.prepare("generic", &body);
        let refused = any_error(&prepared.issues);
        let file = folder.path().join(pair.bundle.replace(".json", ".x12"));
        std::fs::write(&file, &prepared.interchange).expect("the file is written");
        let verdict = pyx12(&file);
        let told = if refused { reasons(&prepared.issues) } else { String::new() };
        println!(
            "{:<75} {:<8} pyx12 {:<3} {told}",
            pair.bundle,
            if refused { "refused" } else { "mapped" },
            verdict.word()
        );
        for error in verdict.text.lines().filter(|line| line.contains("ERROR")) {
            println!("    {error}");
        }
        if refused && pair.refusable.is_empty() {
            faults.push(format!("{} is refused: {told}", pair.bundle));
        }
        if !refused && !verdict.clean {
            faults.push(format!("{}: pyx12 says\n{}", pair.bundle, verdict.text));
        }
        faults.extend(differences(&content, &pair, &prepared));
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn reasons(issues: &[Issue]) -> String {
    let errors = issues.iter().filter(|issue| issue.is_error());
    errors.map(|issue| format!("{} {}: {}", issue.code, issue.at, issue.text)).collect::<Vec<_>>().join("; ")
}

struct Verdict {
    clean: bool,
    text: String,
}

impl Verdict {
    fn word(&self) -> &'static str {
        if self.clean { "OK" } else { "BAD" }
    }
}

/// pyx12's x12valid says `…: OK` or `…: Failure`, and writes what it found beside it.
fn pyx12(file: &Path) -> Verdict {
    let program = std::env::var_os("CLAIMGATE_PYX12")
        .unwrap_or_else(|| panic!("set CLAIMGATE_PYX12 to the path of pyx12's x12valid"));
    let output = Command::new(program).arg(file).output().expect("x12valid runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Verdict { clean: text.contains(": OK"), text }
}

/// Facts of the original that ours has not, and the other way round, without those that are explained.
fn differences(content: &Content, pair: &Pair, prepared: &Prepared) -> Vec<String> {
    let text = std::fs::read(&pair.original).expect("the original");
    let mut text = String::from_utf8_lossy(&text).into_owned();
    if text.contains(">B>") {
        // Components are parted by another character than ISA16 says.
        text = text.replace('>', ":");
    }
    let Some(theirs) = facts::of_claim(&content.guides, &text, pair.claim) else {
        return vec![format!("{}: the original claim is not found", pair.bundle)];
    };
    let Some(ours) = facts::of_claim(&content.guides, &prepared.text(), 1) else {
        return vec![format!("{}: our claim is not found in\n{}", pair.bundle, prepared.text())];
    };
    let missing = unexplained(pair, &theirs, &ours, MISSING).map(|fact| format!("{}: missing {fact}", pair.bundle));
    let extra = unexplained(pair, &ours, &theirs, EXTRA).map(|fact| format!("{}: extra   {fact}", pair.bundle));
    let changes = |fact: &String| !changed(fact, pair);
    missing.chain(extra).filter(changes).collect()
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

#[test]
fn codes_of_edits_are_in_the_catalogue() {
    assert!(claimgate::edits::EDITS.iter().all(|edit| claimgate::fault::row(edit.code).is_some()));
    assert!(claimgate::fault::row(codes::EDIT_NPI).is_some());
}
