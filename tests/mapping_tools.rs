//! The tools of who edits mappings, as they are called: test, diff, schema, explain, payers test.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn claimgate(arguments: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_claimgate"));
    command.current_dir(root()).env("CLAIMGATE_DATA_DIR", home.path()).env_remove("CLAIMGATE_BLESS").args(arguments);
    command.output().unwrap()
}

fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)))
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &target) } else { drop(std::fs::copy(entry.path(), target)) }
    }
}

#[test]
fn cases_are_walked_and_a_difference_is_told() {
    let passed = claimgate(&["mapping", "test", "denied", "--format", "json"]);
    assert_eq!((passed.status.code(), &json(&passed)[0]["passed"]), (Some(0), &Value::Bool(true)));
    let other = tempfile::tempdir().unwrap();
    copy(&root().join("conformance/cases/denied"), &other.path().join("denied"));
    let expected = other.path().join("denied/record.json");
    let text =
        std::fs::read_to_string(&expected).unwrap().replace("\"frequencyCode\": \"1\"", "\"frequencyCode\": \"7\"");
    std::fs::write(&expected, text).unwrap();
    let failed = claimgate(&["mapping", "test", "--cases", other.path().to_str().unwrap()]);
    let told = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert_eq!(failed.status.code(), Some(1));
    assert!(told.contains("record.json differs") && told.contains("frequencyCode"), "{told}");
}

#[test]
fn a_change_of_mappings_is_shown_element_by_element() {
    let changed = tempfile::tempdir().unwrap();
    copy(&root().join("mappings"), changed.path());
    let file = changed.path().join("x12/837.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("09: coverage.claimFilingIndicator"));
    std::fs::write(&file, text.replacen("09: coverage.claimFilingIndicator", "09: \"'ZZ'\"", 1)).unwrap();
    let after = changed.path().to_str().unwrap();
    let diff = claimgate(&["mapping", "diff", "mappings", after, "conformance/demo", "--format", "json"]);
    assert_eq!(diff.status.code(), Some(1), "{}", String::from_utf8_lossy(&diff.stderr));
    let report = json(&diff);
    let change = &report[0]["changes"][0];
    assert_eq!(change["target"], "2000B/SBR/09");
    assert_eq!((&change["after"]["value"], report[0]["changes"].as_array().unwrap().len()), (&"ZZ".into(), 1));
    assert!(change["before"]["rule"].as_str().unwrap().contains("x12/837.yaml:"));
    let same = claimgate(&["mapping", "diff", "mappings", "mappings", "conformance/demo"]);
    assert_eq!((same.status.code(), same.stdout.len()), (Some(0), 0));
}

#[test]
fn a_source_is_named_on_the_command_line() {
    let changed = tempfile::tempdir().unwrap();
    copy(&root().join("mappings"), changed.path());
    std::fs::create_dir_all(changed.path().join("sources/ehr")).unwrap();
    let overlay = "extends: record/claim\nbody:\n  referralNumber: \"'BY-SOURCE'\"\n";
    std::fs::write(changed.path().join("sources/ehr/claims.yaml"), overlay).unwrap();
    let map = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_claimgate"));
        command.current_dir(root()).env("CLAIMGATE_MAPPINGS_DIR", changed.path()).arg("map");
        let output = command.args(arguments).arg("conformance/demo/1-paid.json").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).contains("REF*9F*BY-SOURCE~")
    };
    assert!(map(&["--source", "ehr"]) && !map(&["--source", "other"]) && !map(&[]));
}

#[test]
fn mistakes_are_told_as_json_too() {
    let changed = tempfile::tempdir().unwrap();
    copy(&root().join("mappings"), changed.path());
    std::fs::write(changed.path().join("payers/northwind/837p.yaml"), "extends: x12/837q\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_claimgate"))
        .current_dir(root())
        .env("CLAIMGATE_MAPPINGS_DIR", changed.path())
        .args(["mapping", "check", "--format", "json"])
        .output()
        .unwrap();
    let report = json(&output);
    assert_eq!((output.status.code(), &report["clean"]), (Some(1), &Value::Bool(false)));
    assert_eq!(report["issues"][0]["at"]["file"]["line"], 1, "{report:#}");
    assert!(claimgate(&["mapping", "check"]).status.success());
}

/// Mistakes of several profiles, of a mapping and of a file astray do not wait for one another.
#[test]
fn mistakes_of_all_kinds_are_told_at_once() {
    let changed = tempfile::tempdir().unwrap();
    copy(&root().join("mappings"), changed.path());
    let edit = |file: &str, from: &str, to: &str| {
        let path = changed.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} holds no {from}");
        std::fs::write(path, text.replace(from, to)).unwrap();
    };
    edit("payers/northwind/payer.yaml", "claim.professional:", "claim.profesional:");
    edit("payers/sierra/payer.yaml", "mapping: x12/837i", "mapping: x12/837k");
    edit("payers/brightsmile/payer.yaml", "/payers/brightsmile/inbound", "/payers/northwind/inbound");
    edit("payers/northwind/837p.yaml", "birthDate.exists()", "birthDay.exists()");
    edit("payers/lakeside/submission.yaml", "makes:", "mkes:");
    std::fs::write(changed.path().join("payers/northwind/837i.yml"), "extends: x12/837i\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_claimgate"));
    command.current_dir(root()).env("CLAIMGATE_MAPPINGS_DIR", changed.path());
    let output = command.args(["mapping", "check", "--format", "json"]).output().unwrap();
    let report = json(&output);
    let told: Vec<(String, String)> = report["issues"].as_array().unwrap().iter().map(place_and_text).collect();
    let expected = [
        ("northwind/payer.yaml", "routes.claim.profesional: is no route"),
        ("sierra/payer.yaml", "routes.claim.institutional: there is no mapping x12/837k to X12"),
        ("northwind/payer.yaml", "both take their answers from"),
        ("northwind/837p.yaml", "has no `birthDay`"),
        ("lakeside/submission.yaml", ""),
        ("northwind/837i.yml", "nobody reads a file of this name here"),
    ];
    for (file, text) in expected {
        assert!(told.iter().any(|(at, what)| at.ends_with(file) && what.contains(text)), "{file} {text}: {told:#?}");
    }
    assert!(!told.iter().any(|(_, what)| what.contains("no mapping submission")), "it is there: {told:#?}");
    let hints = report["issues"].as_array().unwrap().iter().filter_map(|issue| issue["hint"].as_str());
    assert_eq!(hints.filter(|hint| hint.starts_with("did you mean `x12/837i`?")).count(), 1, "{report:#}");
}

/// The file of an issue, which must have a line and a column, and what it says.
fn place_and_text(issue: &Value) -> (String, String) {
    let at = &issue["at"]["file"];
    assert!(at["line"].as_u64() > Some(0) && at["column"].as_u64() > Some(0), "{issue:#}");
    (at["path"].as_str().unwrap().to_owned(), issue["text"].as_str().unwrap().to_owned())
}

#[test]
fn schemas_and_explanations_are_json() {
    assert!(json(&claimgate(&["mapping", "schema"]))["$defs"]["005010X222A1"].is_object());
    assert!(json(&claimgate(&["mapping", "schema", "--payer"]))["properties"]["tradingPartner"].is_object());
    let explained = json(&claimgate(&["explain", "--format", "json", "conformance/demo/1-paid.json"]));
    assert_eq!(explained[0]["loop"], "2000A");
    let text = claimgate(&["explain", "conformance/demo/1-paid.json"]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("source Claim.item[0].net.value = "), "{text}");
}

/// Each shipped payer is tried as its README says.
#[test]
fn shipped_payers_can_be_tried() {
    for payer in ["northwind", "lighthouse", "sierra", "brightsmile", "generic"] {
        let tried = claimgate(&["payers", "test", payer]);
        assert!(tried.status.success(), "{payer}: {}", String::from_utf8_lossy(&tried.stderr));
    }
    assert_eq!(claimgate(&["payers", "test", "nobody"]).status.code(), Some(1));
    let shown = json(&claimgate(&["payers", "show", "lighthouse"]));
    assert_eq!((&shown["characterSet"], &shown["transport"]["kind"]), (&"basic".into(), &"directory".into()));
}

/// `explain … | head` ends as it would have with all its lines read.
#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_claimgate"));
    command.current_dir(root()).args(["explain", "conformance/demo/1-paid.json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}
