//! Real FHIR: the files of the corpus that its index calls sound have no error, the broken ones are refused, and nothing
//! panics. The corpus is named by `CLAIMGATE_CORPUS`; without it the tests fail.

use crate::support::corpus;
use claimgate::assets::Folder;
use claimgate::fault::{Issue, any_error};
use claimgate::fhir::bundle::Resources;
use claimgate::fhir::definitions::Definitions;
use claimgate::fhir::{index, outcome, parse, second_opinion, validate};
use serde_json::Value;
use std::path::PathBuf;

const DEPTH: usize = 64;
const ENTRIES: usize = 100_000;

/// Files that the corpus' own checker took and we refuse.
const REFUSED_BY_US: &[(&str, &str)] = &[
    ("eligibility/hcx-coverage_eligibility_check.json", "Patient.id has an underscore"),
    ("eligibility/hfcx-coverage_eligibility_check.json", "Patient.id has an underscore"),
    (
        "encounter/ms-fhir-converter-adt04-23-expected.json",
        "telecom.use HOME, telecom.system JP:1234567: required codes",
    ),
    ("eob/icanbwell-bundle1.json", "Procedure.id is longer than 64"),
];

/// Files that are called unsound and that we take.
const TAKEN_BY_US: &[(&str, &str)] =
    &[("encounter/hl7-stu3-encounter-example.json", "it is STU3, and the same in R4 for what it uses")];

/// Invalid files whose fault is none of structure.
const NOT_STRUCTURAL: &[(&str, &str)] = &[
    ("fhir-test-cases-ai5.json", "a profile's cardinality"),
    ("fhir-test-cases-bundle-conformsto.json", "a profile's slices"),
    ("fhir-test-cases-bundle-documentation-miss-last-updated.json", "an invariant of documents"),
    ("fhir-test-cases-bundle-id-search-2.json", "an invariant of searchset links"),
    ("fhir-test-cases-bundle-id-search-3.json", "displays of codes"),
    ("fhir-test-cases-bundle-urn.json", "extensions by name, reachability in a document"),
    ("fhir-test-cases-condition-extensions-on-pattern.json", "a profile"),
    ("fhir-test-cases-ips-htmlrefs-backwards.json", "a profile of an extension"),
    ("fhir-test-cases-ips-htmlrefs-forwards.json", "links inside a narrative"),
    ("fhir-test-cases-ips-link.json", "links inside a narrative"),
    ("fhir-test-cases-mni-patientoverview-bundle-example1b.json", "displays of codes"),
    ("fhir-test-cases-mr-covid-bnd1.json", "code systems"),
    ("fhir-test-cases-parameters-reference-bad.json", "a reference that leads nowhere, in Parameters"),
    ("fhir-test-cases-pat-security-bad-xhtml.json", "elements of a narrative"),
    ("fhir-test-cases-patient-ig-bad.json", "a profile"),
    ("fhir-test-cases-patient-with-turvakielto.json", "an extension by name"),
    ("fhir-test-cases-pulseoxbundle_25oct2022.json", "displays of codes"),
    ("fhir-test-cases-scoring-test.json", "extensible value sets"),
    ("fhir-test-cases-signatures-example-2.json", "a signature"),
    ("fhir-test-cases-uk-msg.json", "displays of codes"),
    ("fhir-test-cases-xml-bad-entities.json", "an entity in a narrative"),
    ("inferno-pas-missing_referenced_resource_request_bundle.json", "a reference that leads nowhere: see below"),
    ("inferno-pas-pas_subscription_example_bad_topic_and_criteria.json", "the topic of a Subscription"),
];

/// One row of the corpus' index.
struct File {
    path: PathBuf,
    name: String,
    sound: bool,
    invalid: bool,
}

/// All JSON files, but the expected outcomes beside the invalid ones.
fn files() -> Vec<File> {
    let folder = corpus::folder().join("fhir");
    let index = std::fs::read_to_string(folder.join("index.tsv")).expect("the corpus has an index");
    let rows = index.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    let json = rows.filter(|row| row[0].ends_with(".json") && !row[0].ends_with(".outcome.json"));
    json.map(|row| File {
        path: folder.join(row[0]),
        name: row[0].to_owned(),
        sound: row[6].contains(": ok"),
        invalid: row[0].starts_with("invalid/"),
    })
    .collect()
}

fn bytes(file: &File) -> Vec<u8> {
    std::fs::read(&file.path).expect("the file of the index is there")
}

fn definitions() -> Definitions {
    Definitions::load(&Folder::ShippedConformance).unwrap()
}

/// All complaints about a text, as a request would hear them.
fn judge(definitions: &Definitions, bytes: &[u8]) -> Vec<Issue> {
    let value = match parse::json(bytes, DEPTH) {
        Ok(value) => value,
        Err(fault) => return fault.issues,
    };
    let at = value.get("resourceType").and_then(Value::as_str).unwrap_or("Resource");
    validate::resource(definitions, &value, at)
}

fn listed(list: &[(&str, &str)], name: &str) -> bool {
    list.iter().any(|(each, _)| name.ends_with(each))
}

#[test]
fn sound_files_have_no_error() {
    let definitions = definitions();
    for file in files().iter().filter(|file| file.sound && !file.invalid) {
        let issues = judge(&definitions, &bytes(file));
        let refused = any_error(&issues);
        assert_eq!(refused, listed(REFUSED_BY_US, &file.name), "{}: {:?}", file.name, issues.first());
    }
}

#[test]
fn broken_files_are_refused() {
    let definitions = definitions();
    for file in files().iter().filter(|file| !file.sound || file.invalid) {
        let list = if file.invalid { NOT_STRUCTURAL } else { TAKEN_BY_US };
        let issues = judge(&definitions, &bytes(file));
        assert_eq!(!any_error(&issues), listed(list, &file.name), "{}: {:?}", file.name, issues.first());
        for issue in &issues {
            assert!(issue.hint.as_ref().is_some_and(|hint| !hint.is_empty()), "{}: {issue} has no hint", file.name);
        }
    }
}

#[test]
fn what_we_take_fhirbolt_takes_too() {
    let definitions = definitions();
    let mut taken = 0;
    for file in files() {
        let Ok(value) = parse::json(&bytes(&file), DEPTH) else { continue };
        if any_error(&validate::resource(&definitions, &value, "Resource")) {
            continue;
        }
        taken += 1;
        assert_eq!(second_opinion::judge(&value), [], "{}", file.name);
    }
    assert!(taken > 400 || files().is_empty());
}

#[test]
fn reading_changes_nothing() {
    for file in files() {
        let bytes = bytes(&file);
        let Ok(value) = parse::json(&bytes, DEPTH) else { continue };
        let theirs: Value = serde_json::from_slice(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes)).unwrap();
        assert_eq!(value.to_string(), theirs.to_string(), "{}", file.name);
    }
}

#[test]
fn bundles_of_claims_become_submissions_or_are_told_why_not() {
    let definitions = definitions();
    let mut taken = 0;
    for file in files() {
        let Ok(value) = parse::json(&bytes(&file), DEPTH) else { continue };
        index::index(&value);
        let resources = match Resources::collect(value, ENTRIES) {
            Ok(resources) => resources,
            Err(fault) => {
                assert!(fault.issues[0].hint.is_some(), "{}", file.name);
                continue;
            }
        };
        taken += 1;
        let mut issues = resources.validate(&definitions);
        issues.extend(resources.references(&definitions).1);
        let left = resources.unresolved(&definitions);
        outcome::operation_outcome(&issues, 200);
        if file.name.ends_with("inferno-pas-missing_referenced_resource_request_bundle.json") {
            assert!(!left.is_empty(), "the missing resource is wanted");
        }
    }
    assert!(taken > 150 || files().is_empty(), "{taken}");
}

/// Every file cut, with a byte changed, and with values exchanged: whatever comes out, nothing panics.
#[test]
fn no_spoiled_file_panics() {
    let definitions = definitions();
    for (n, file) in files().iter().enumerate() {
        let whole = bytes(file);
        let whole = &whole[..whole.len().min(20_000)];
        for step in 1..8 {
            let at = whole.len() * step / 8;
            judge(&definitions, &whole[..at]);
            let mut changed = whole.to_vec();
            if let Some(byte) = changed.get_mut(at) {
                *byte = b"\"{}[]0,:-\\\0\xff"[(n + step) % 12];
            }
            judge(&definitions, &changed);
        }
        if let Ok(mut value) = parse::json(&bytes(file), DEPTH) {
            spoil(&mut value, n);
            judge(&definitions, value.to_string().as_bytes());
            if let Ok(resources) = Resources::collect(value, ENTRIES) {
                resources.validate(&definitions);
                resources.references(&definitions);
                resources.unresolved(&definitions);
            }
        }
    }
}

/// Turns every seventh value into something else.
fn spoil(value: &mut Value, mut n: usize) -> usize {
    n += 1;
    if n.is_multiple_of(7) {
        let others =
            [Value::Null, Value::from(1), Value::from("#"), serde_json::json!([]), serde_json::json!([{}, null])];
        *value = others[n / 7 % others.len()].clone();
        return n;
    }
    match value {
        Value::Array(items) => items.iter_mut().fold(n, |n, item| spoil(item, n)),
        Value::Object(object) => object.values_mut().fold(n, |n, item| spoil(item, n)),
        _ => n,
    }
}
