//! Documents that can drift are written from the code, and compared with it at every run. `CLAIMGATE_BLESS=1` writes them.

use claimgate::assets::Folder;
use claimgate::config::Config;
use claimgate::edits::Edit;
use claimgate::fault::{CATALOGUE, Severity};
use claimgate::telemetry::{Kind, METRICS};
use claimgate::x12::guide::Guides;
use serde_json::Value;
use std::fmt::Write;
use std::path::{Path, PathBuf};

const HOW: &str = "run `CLAIMGATE_BLESS=1 cargo test --test all documents`";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn blessing() -> bool {
    std::env::var_os("CLAIMGATE_BLESS").is_some_and(|value| value == "1")
}

/// The file must hold exactly this.
fn whole(path: &str, wanted: &str) {
    let file = root().join(path);
    if blessing() {
        std::fs::write(&file, wanted).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(found == wanted, "{path} is not what the code says: {HOW}");
}

/// The file must hold this between the comment that begins with `<!-- name:` and the next `<!-- end -->`.
fn section(path: &str, name: &str, wanted: &str) {
    let text = std::fs::read_to_string(root().join(path)).unwrap();
    let mark = text.find(&format!("<!-- {name}:")).unwrap_or_else(|| panic!("{path} has no section {name}"));
    let start = mark + text[mark..].find("-->").unwrap() + 4;
    let end = start + text[start..].find("<!-- end -->").unwrap();
    if blessing() {
        std::fs::write(root().join(path), format!("{}{wanted}{}", &text[..start], &text[end..])).unwrap();
    } else {
        assert!(text[start..end] == *wanted, "section {name} of {path} is not what the code says: {HOW}");
    }
}

/// Families of X12's checks.
const CHECKS: [(&str, &str); 4] = [
    ("CG-1504", "amounts must add up (SNIP 3)"),
    ("CG-1505", "situations (SNIP 4)"),
    ("CG-1502", "dates and times whose kind another element tells (SNIP 1)"),
    ("CG-1506", "codes (SNIP 5)"),
];

#[test]
fn the_list_of_checks_is_that_of_the_rule_files() {
    let guides = Guides::load(&Folder::ShippedConformance).unwrap();
    let mut text = String::from(
        "# Checks of X12\n\n\
         Beside the envelope (CG-1501), the syntax (CG-1502) and the guide (CG-1503) these are checked, each under a name that \
         never changes. A payer's profile takes them as it likes: `checks: { npi-form: error, room-days: off }`. The rules \
         stand in `*.rules`, the sums in `src/x12/balance.rs`.\n\n\
         Written by `CLAIMGATE_BLESS=1 cargo test --test all documents`.\n",
    );
    for (code, title) in CHECKS {
        writeln!(text, "\n## {code}: {title}\n\n| check | severity | guides | what is wrong | how to mend it |\n|---|---|---|---|---|").unwrap();
        for check in guides.checks().filter(|check| check.code == code) {
            let severity = match check.severity {
                Severity::Information => "note",
                Severity::Warning => "warning",
                _ => "error",
            };
            let of = if check.guides.is_empty() { "all".to_owned() } else { check.guides.join(", ") };
            writeln!(text, "| `{}` | {severity} | {of} | {} | {} |", check.name, check.say, check.mend).unwrap();
        }
    }
    assert!(guides.checks().all(|check| CHECKS.iter().any(|(code, _)| *code == check.code)), "a family is not listed");
    whole("conformance/x12/CHECKS.md", &text);
}

#[test]
fn the_error_catalogue_is_that_of_the_code() {
    let mut text = String::from(
        "# Error codes\n\n\
         Every complaint of claimgate carries one of these codes; they never change their meaning. In an OperationOutcome the \
         code stands in `issue.details.coding.code`, the place in `issue.expression` (a FHIRPath in the caller's own \
         resource), and how to mend it in `issue.diagnostics`. The HTTP status is that of the first error.\n\n\
         Written from `src/fault.rs` by `CLAIMGATE_BLESS=1 cargo test --test all documents`.\n",
    );
    let families = [
        ("1", "the caller mends these"),
        ("2", "mappings: whoever edits `mappings/` mends these; 21nn are values of one claim"),
        ("3", "the payer, or its answer"),
        ("9", "the gateway and its surroundings; a caller may try again after 503"),
    ];
    for (digit, title) in families {
        writeln!(text, "\n## CG-{digit}nnn: {title}\n\n| code | HTTP | FHIR issue type | meaning |\n|---|--:|---|---|")
            .unwrap();
        for row in CATALOGUE.iter().filter(|row| row.code.starts_with(&format!("CG-{digit}"))) {
            writeln!(text, "| {} | {} | `{}` | {} |", row.code, row.status, row.fhir, row.title).unwrap();
        }
    }
    let rows = text.lines().filter(|line| line.starts_with("| CG-")).count();
    assert_eq!(rows, CATALOGUE.len(), "a family of codes has no chapter");
    whole("conformance/ERRORS.md", &text);
}

#[test]
fn the_edits_are_those_of_the_code() {
    let mut text = String::from(
        "# Edits\n\n\
         The rules that a claim must pass before it leaves (SNIP 3, 4, 5 and 7), and the repairs that are done before. A payer's \
         profile switches rules off, makes them warn, refuse or hold, by family or by name (`edits` in `payer.yaml`). Claims: P \
         professional, I institutional, D dental.\n\n\
         Written from `src/edits/` by `CLAIMGATE_BLESS=1 cargo test --test all documents`.\n\n\
         ## Repairs\n\nDeterministic, never clinical; each is listed in the claim's journey, without the value.\n\n\
         | repair | what is done |\n|---|---|\n",
    );
    for repair in claimgate::edits::repairs::REPAIRS {
        writeln!(text, "| `{}` | {} |", repair.id, repair.what).unwrap();
    }
    text.push_str("\n## Rules\n\n| rule | family | claims | severity | what must hold | why | how to mend it |\n|---|---|---|---|---|---|---|\n");
    for edit in claimgate::edits::EDITS {
        let severity = format!("{:?}", edit.severity).to_lowercase();
        let Edit { id, code, claims, what, why, mend, .. } = edit;
        writeln!(text, "| `{id}` | {code} | {claims} | {severity} | {what} | {why} | {mend} |").unwrap();
    }
    text.push_str(
        "\nOne more rule looks into the store: `duplicate-claim` (CG-1325, warning): the same services of the same patient were \
         billed before under another number, in a claim that was neither rejected nor replaced.\n\n\
         ## Tables that are not shipped\n\n\
         `codes_dir` names a folder; what is in it is looked into, what is not there is not asked for. Cells stand between tabs or \
         commas, days are `CCYYMMDD` or `CCYY-MM-DD`, lines without a code in front (headings, notes, `#`) are passed over: the \
         files of CMS can be laid in as they are.\n\n\
         | file name begins with | cells |\n|---|---|\n\
         | `icd10cm`, `icd10pcs`, `hcpcs`, `cpt`, `cdt` | code, first day, last day (days may be left out) |\n\
         | `ncci-ptp` | first code, second code, (in existence before 1996,) first day, last day or `*`, modifier indicator 0, 1 or 9 |\n\
         | `mue` | code, most units, adjudication indicator (1 a line, 2 and 3 a day) |\n",
    );
    whole("conformance/EDITS.md", &text);
}

#[test]
fn the_metrics_table_is_that_of_the_code() {
    let mut text = String::from("| metric | kind | labels | meaning |\n|---|---|---|---|\n");
    for row in METRICS {
        let kind = match row.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        writeln!(text, "| `{}` | {kind} | {} | {} |", row.name, row.labels.join(", "), row.help).unwrap();
    }
    section("docker/README.md", "metrics", &text);
}

#[test]
fn the_reference_of_payer_settings_is_that_of_the_code() {
    section("mappings/payers/README.md", "settings", &claimgate::payers::settings::reference());
}

/// A field of a configuration struct: name and doc comment.
struct Knob {
    name: String,
    doc: String,
}

/// The public fields of a struct in `src/config.rs`, by its text: the doc comments are the reference.
fn knobs(source: &str, of: &str) -> Vec<Knob> {
    let start = source.find(&format!("pub struct {of} {{")).unwrap();
    let mut doc = Vec::new();
    let mut knobs = Vec::new();
    for line in source[start..].lines().skip(1).map(str::trim).take_while(|line| *line != "}") {
        if let Some(text) = line.strip_prefix("/// ") {
            doc.push(text);
        } else if let Some((name, _)) = line.strip_prefix("pub ").and_then(|field| field.split_once(':')) {
            knobs.push(Knob { name: name.into(), doc: std::mem::take(&mut doc).join(" ") });
        }
    }
    knobs
}

#[test]
fn the_configuration_reference_is_that_of_the_code() {
    let source = std::fs::read_to_string(root().join("src/config.rs")).unwrap();
    let defaults = serde_json::to_value(Config::default()).unwrap();
    let groups = [("limits", "Limits"), ("worker", "Worker"), ("notify", "Notify")];
    let mut text =
        String::from("| in `claimgate.toml` | in the environment | meaning, default, limit |\n|---|---|---|\n");
    let mut row = |key: &str, doc: &str| {
        assert!(doc.contains("Default") || doc.contains("Absent"), "`{key}` says no default in src/config.rs");
        let variable = key.to_uppercase().replace('.', "__");
        writeln!(text, "| `{key}` | `CLAIMGATE_{variable}` | {doc} |").unwrap();
    };
    let top = knobs(&source, "Config");
    for knob in top.iter().filter(|knob| groups.iter().all(|(group, _)| *group != knob.name)) {
        row(&knob.name, &knob.doc);
    }
    for (group, of) in groups {
        let knobs = knobs(&source, of);
        let fields = defaults[group].as_object().map_or(0, serde_json::Map::len);
        assert_eq!(knobs.len(), fields, "a field of {of} was not found in its source");
        knobs.iter().for_each(|knob| row(&format!("{group}.{}", knob.name), &knob.doc));
    }
    let groups_found = defaults.as_object().unwrap().values().filter(|value| matches!(value, Value::Object(_))).count();
    assert_eq!(groups_found, groups.len(), "a group of knobs is missing here");
    section("README.md", "configuration", &text);
}

/// The commands of the README's table; `a|b` are two.
fn commands(readme: &str) -> Vec<Vec<String>> {
    let table = readme.split("| command | what it does |").nth(1).unwrap().split("\n\n").next().unwrap();
    let rows = table.lines().filter_map(|row| row.strip_prefix("| `")?.split('`').next());
    rows.flat_map(|row| {
        let plain = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '|');
        let row = row.replace("\\|", "|");
        let mut words = row.split(' ').take_while(plain);
        let command = words.next().unwrap_or_default().to_owned();
        match words.next() {
            Some(subs) => subs.split('|').map(|sub| vec![command.clone(), sub.to_owned()]).collect(),
            None => vec![vec![command]],
        }
    })
    .collect()
}

#[test]
fn the_commands_of_the_readme_exist_and_have_an_example() {
    let commands = commands(&std::fs::read_to_string(root().join("README.md")).unwrap());
    assert!(commands.len() > 10, "{commands:?}");
    for words in commands {
        let help =
            std::process::Command::new(env!("CARGO_BIN_EXE_claimgate")).args(&words).arg("--help").output().unwrap();
        assert!(help.status.success(), "claimgate {}: {}", words.join(" "), String::from_utf8_lossy(&help.stderr));
    }
}

/// Our own documents: all Markdown outside of hidden and built folders.
fn documents(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && !["target", "data"].contains(&name.as_str()) {
            documents(&path, found);
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut files = Vec::new();
    documents(&root(), &mut files);
    let mut broken = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") && !file.with_file_name(target).exists() {
                broken.push(format!("{}: {link}", file.display()));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}
