//! Ten mistakes planted in one folder are found at once, each at its file, line and column, with the rule quoted and a hint.

use super::tests::{SHIPPED, claim, load, record};
use super::*;
use crate::fault::{Issue, Place, codes};
use serde_json::json;

/// A mistake, and what must be told of it.
struct Planted {
    what: &'static str,
    code: &'static str,
    /// What the complaint must quote.
    quotes: &'static str,
    hint: &'static str,
}

const TEN: &[Planted] = &[
    Planted {
        what: "unknown source element",
        code: codes::MAPPING_SOURCE,
        quotes: "`identifer.value.first()`: Claim has no `identifer`",
        hint: "did you mean `identifier`?",
    },
    Planted {
        what: "unknown target",
        code: codes::MAPPING_TARGET,
        quotes: "BillingRecord has no `onsett`",
        hint: "did you mean `onset`?",
    },
    Planted { what: "wrong type", code: codes::MAPPING_TYPE, quotes: "`total.value`", hint: "convert it" },
    Planted { what: "wrong length", code: codes::MAPPING_TYPE, quotes: "`'PROF'`", hint: "correct the value" },
    Planted {
        what: "missing required element of the guide",
        code: codes::MAPPING_REQUIRED,
        quotes: "DTP*431 requires DTP03",
        hint: "add a rule",
    },
    Planted {
        what: "dead rule",
        code: codes::MAPPING_DEAD,
        quotes: "`when: false` never holds",
        hint: "take the rule out",
    },
    Planted {
        what: "cycle of extends",
        code: codes::MAPPING_SYNTAX,
        quotes: "`extends` goes round",
        hint: "extend nothing",
    },
    Planted {
        what: "unknown function",
        code: codes::MAPPING_FUNCTION,
        quotes: "`created.frist()`",
        hint: "did you mean `first`?",
    },
    Planted { what: "arity", code: codes::MAPPING_FUNCTION, quotes: "`created.first(1)`", hint: "" },
    Planted {
        what: "unknown table",
        code: codes::MAPPING_FUNCTION,
        quotes: "`use.translate('relationshp')`",
        hint: "did you mean `relationship`?",
    },
];

/// File, line and column.
type Spot = (String, u32, u32);

/// Files of a folder; `«` stands where the mistake of the same number is planted, and is taken out.
fn folder() -> (Vec<(&'static str, String)>, Vec<Spot>) {
    let body = "  «1»onsett: created\n  onset: «2»total.value\n  lastSeen: created.«7»frist()\n  \
                initialTreatment: created.«8»first(1)\n  delayReason: use.translate(«9»'relationshp')\n  \
                notes: { when: «5»false, code: \"'ADD'\", text: use }\n";
    let mapping = record(body).replace("identifier.value.first()", "«0»identifer.value.first()");
    let overlay = "extends: x12/837p\n2300:\n  CLM: { 05-1: «3»\"'PROF'\" }\n  DTP*431: «4»{ when: onset.exists(), 03: remove }\n";
    let round = "extends: «6»payers/p/round\n";
    let mut files = vec![
        ("record/claim.yaml", mapping),
        ("payers/p/837p.yaml", overlay.to_owned()),
        ("payers/p/round.yaml", round.to_owned()),
    ];
    let mut places = vec![(String::new(), 0, 0); TEN.len()];
    for (file, text) in &mut files {
        while let Some(at) = text.find('«') {
            let number: usize = text[at..].chars().nth(1).unwrap().to_digit(10).unwrap() as usize;
            let line = text[..at].matches('\n').count() as u32 + 1;
            let column = text[..at].chars().rev().take_while(|c| *c != '\n').count() as u32 + 1;
            places[number] = ((*file).to_owned(), line, column);
            *text = text.replacen(&format!("«{number}»"), "", 1);
        }
    }
    files.extend(SHIPPED.map(|(path, text)| (path, text.to_owned())));
    files.push(("codes/relationship.tsv", "self\t18\n".to_owned()));
    (files, places)
}

#[test]
fn ten_planted_mistakes_are_all_found_at_their_place() {
    let (files, places) = folder();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let issues = load(&files).unwrap_err();
    for (planted, (file, line, column)) in TEN.iter().zip(&places) {
        let here = |issue: &&Issue| match &issue.at {
            Place::File { path, line: l, column: c } => path.ends_with(file.as_str()) && (l, c) == (line, column),
            _ => false,
        };
        let found: Vec<&Issue> = issues.iter().filter(here).collect();
        let told = found.iter().any(|issue| {
            issue.code == planted.code
                && issue.text.contains(planted.quotes)
                && issue.hint.as_deref().unwrap_or_default().contains(planted.hint)
        });
        assert!(told, "{} at {file}:{line}:{column} is not told:\n{found:#?}\n{issues:#?}", planted.what);
    }
    assert!(issues.iter().all(|issue| issue.hint.is_some()), "{issues:#?}");
}

/// An overlay for what a source writes, over the three record mappings at once, under a payer's.
#[test]
fn overlays_of_payer_and_source_lie_over_each_other() {
    let one = record("  onset: created\n");
    let other = record("  lastSeen: created\n");
    let source = "over: [record/claim, record/oral]\nbody:\n  patientControlNumber: \"'SOURCE'\"\n  onset: created\n";
    let payer = "extends: record/claim\nbody:\n  totalCharge: \"'7'\"\n";
    let uris = "name: An EHR\nuris: [\"https://ehr.example/\"]\n";
    let mappings = load(&[
        ("record/claim.yaml", &one),
        ("record/oral.yaml", &other),
        ("sources/ehr/claims.yaml", source),
        ("sources/ehr/source.yaml", uris),
        ("payers/p/record/claim.yaml", payer),
    ])
    .unwrap_or_else(|issues| panic!("{issues:#?}"));
    let (focal, payer) = (claim(), json!({}));
    let scope = Scope { payer: &payer, now: "2026-01-01T00:00:00Z", vars: &[], resources: None };
    let made = |source: Option<&str>, payer: &str, name: &str| {
        let (value, _) = mappings.record_from(source, payer, name).unwrap().make(&focal, &scope);
        ["patientControlNumber", "totalCharge"].map(|field| value[field].as_str().unwrap().to_owned())
    };
    let ehr = Some("https://ehr.example/site-1");
    assert_eq!(made(None, "q", "record/claim"), ["C1", "15.5"]);
    assert_eq!(made(ehr, "q", "record/claim"), ["SOURCE", "15.5"]);
    assert_eq!(made(Some("ehr"), "q", "record/oral"), ["SOURCE", "15.5"]);
    assert_eq!(made(None, "p", "record/claim"), ["C1", "7"]);
    assert_eq!(made(ehr, "p", "record/claim"), ["SOURCE", "7"]);
    assert_eq!(made(Some("https://other.example/"), "p", "record/claim"), ["C1", "7"]);
}

#[test]
fn templates_and_names_are_shared_through_several_bases() {
    let shared = "let: { word: \"'SHARED'\" }\ntemplates:\n  note: { code: \"'ADD'\", text: \"%word\" }\n";
    let mapping = format!("extends: [record/shared]\n{}", record("  notes: { when: use.exists(), use: note }\n"));
    let mappings =
        load(&[("record/shared.yaml", shared), ("record/claim.yaml", &mapping)]).unwrap_or_else(|i| panic!("{i:#?}"));
    let (focal, payer) = (claim(), json!({}));
    let scope = Scope { payer: &payer, now: "2026-01-01T00:00:00Z", vars: &[], resources: None };
    let (value, issues) = mappings.record("p", "record/claim").unwrap().make(&focal, &scope);
    assert_eq!((issues.len(), &value["notes"][0]["text"]), (0, &json!("SHARED")));
}

#[test]
fn overlays_over_several_mappings_have_their_mistakes_too() {
    let told = |path: &str, text: &str| -> String {
        let issues = load(&[("record/claim.yaml", &record("")), (path, text)]).err().unwrap_or_default();
        issues.iter().map(|issue| format!("{} {}\n", issue.text, issue.hint.clone().unwrap_or_default())).collect()
    };
    assert!(told("payers/p/all.yaml", "over: [record/clam]\n").contains("did you mean `record/claim`"));
    assert!(told("record/all.yaml", "over: [record/claim]\n").contains("names the mappings"));
    assert!(told("payers/p/all.yaml", "over: [record/claim, record/claim]\n").contains("another overlay"));
    assert!(told("sources/ehr/source.yaml", "uri: [x]\n").contains("did you mean `uris`"));
}

#[test]
fn concept_maps_are_code_tables() {
    let map = r#"{"resourceType": "ConceptMap", "group": [{"element": [
        {"code": "claim", "target": [{"code": "CLAIMED", "equivalence": "equal"}]}]}]}"#;
    let text = record("  delayReason: use.translate('uses')\n");
    let mappings = load(&[("record/claim.yaml", &text), ("codes/uses.json", map)]).unwrap_or_else(|i| panic!("{i:#?}"));
    let (focal, payer) = (claim(), json!({}));
    let scope = Scope { payer: &payer, now: "2026-01-01T00:00:00Z", vars: &[], resources: None };
    let (value, _) = mappings.record("p", "record/claim").unwrap().make(&focal, &scope);
    assert_eq!(value["delayReason"], "CLAIMED");
    let twice = load(&[("codes/uses.json", map), ("codes/uses.tsv", "a\tb\n")]).unwrap_err();
    assert!(twice[0].text.contains("two code tables"), "{twice:?}");
}
