//! The shipped profiles load, and a broken one tells all its mistakes at once, each with its place.

use super::*;
use std::path::Path;

fn here() -> Surroundings {
    Surroundings { data_dir: "data".into(), production: true }
}

fn shipped() -> Payers {
    Payers::load(&Folder::ShippedMappings, &here()).unwrap_or_else(|fault| panic!("{fault}"))
}

/// A folder with one payer, made from the sample by replacing a text.
fn changed(replacements: &[(&str, &str)]) -> Result<Payers, Fault> {
    let mut text = Folder::ShippedMappings.text("payers/northwind/payer.yaml").unwrap();
    for (from, to) in replacements {
        assert!(text.contains(from), "the sample has no {from}");
        text = text.replacen(from, to, 1);
    }
    let folder = tempfile::tempdir().unwrap();
    let payer = folder.path().join("payers/northwind");
    std::fs::create_dir_all(&payer).unwrap();
    std::fs::write(payer.join("payer.yaml"), text).unwrap();
    Payers::load(&Folder::Disk(folder.path().to_owned()), &here())
}

fn mistakes(replacements: &[(&str, &str)]) -> Vec<String> {
    changed(replacements).unwrap_err().issues.iter().map(|issue| issue.text.clone()).collect()
}

#[test]
fn shipped_profiles_load() {
    let payers = shipped();
    assert!(payers.ids().count() >= 8, "{:?}", payers.ids().collect::<Vec<_>>());
    let formats = ["harbor", "lakeside", "prairie"].map(|id| {
        let profile = payers.get(id).unwrap();
        profile.routes.values().next().map(|route| (route.format, route.guide.clone()))
    });
    let expected = [(Format::Fhir, "fhir"), (Format::Json, "json"), (Format::Csv, "csv")];
    assert_eq!(formats, expected.map(|(format, guide)| Some((format, guide.to_owned()))));
    assert_eq!(payers.get("prairie").unwrap().csv.delimiter, ';');
    let northwind = payers.get("northwind").unwrap();
    assert_eq!(northwind.route("claim", "professional").unwrap().guide, "005010X222A1");
    assert_eq!(northwind.route("claim", "institutional"), None);
    assert_eq!((northwind.delimiters.element, northwind.delimiters.component), (b'|', b'>'));
    assert_eq!(northwind.deadlines.remittance_835, Some(std::time::Duration::from_secs(45 * 86_400)));
    let TransportProfile::Directory { outbound, .. } = &northwind.transport else { panic!() };
    assert_eq!(outbound, Path::new("data/payers/northwind/outbound"));
    assert_eq!(northwind.facts()["defaults"]["clm06"], "Y");
}

#[test]
fn payers_are_found_by_identifier() {
    let payers = shipped();
    let found = |ids: &[&str]| -> Vec<String> {
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        payers.find(&ids).iter().map(|profile| profile.id.clone()).collect()
    };
    assert_eq!(found(&["NW001"]), ["northwind"]);
    assert_eq!(found(&["urn:any|NW001"]), ["northwind"]);
    assert_eq!(found(&["https://northwind.example/payer-id|1"]), ["northwind"]);
    assert_eq!(found(&["urn:other|1", "1"]), [""; 0]);
    assert_eq!(found(&[]), [""; 0]);
}

#[test]
fn usage_is_production_only_in_production() {
    let payers = changed(&[("usage: T ", "usage: P ")]).unwrap();
    assert_eq!(payers.get("northwind").unwrap().trading_partner.usage, 'P');
    assert_eq!(shipped().get("northwind").unwrap().trading_partner.usage, 'T');
}

#[test]
fn all_mistakes_are_told_at_once_with_place_and_hint() {
    let fault = changed(&[
        ("id: \"841234567\"", "id: \"8412345678901234\""),
        ("qualifier: \"30\"", "qualifier: \"31\""),
        ("element: \"|\"", "element: \"^\""),
        ("wait: 60s", "wait: 60"),
        ("name: Northwind Health Plan", "nmae: Northwind Health Plan"),
        ("clm07: A", "clm07: Z"),
    ])
    .unwrap_err();
    let told = fault.to_string();
    for (text, hint) in [
        ("8412345678901234` has 16 characters", "from 0 to 15"),
        ("`31` is not a qualifier", "ZZ"),
        ("two delimiters are the same character", "usual are"),
        ("batch.wait must be a duration", "3d"),
        ("name is missing", "as people know it"),
        ("nmae is not a setting", "did you mean `name`?"),
        ("clm07: `Z`", "A, B, C"),
    ] {
        assert!(told.contains(text) && told.contains(hint), "{text} / {hint} is not in:\n{told}");
    }
    for issue in &fault.issues {
        assert!(matches!(issue.at, Place::File { line: 1.., column: 1.., .. }), "{issue} has no place");
        assert!(issue.hint.is_some(), "{issue} has no hint");
    }
}

#[test]
fn limits_hold_at_and_above() {
    assert!(changed(&[("id: \"841234567\"", "id: \"841234567890123\"")]).is_ok(), "15 characters");
    assert_eq!(mistakes(&[("id: \"841234567\"", "id: \"8412345678901234\"")]).len(), 1, "16 characters");
    assert!(changed(&[("claims: 500", "claims: 5000")]).is_ok());
    assert_eq!(mistakes(&[("claims: 500", "claims: 5001")]).len(), 1);
    assert!(changed(&[("attempts: 12", "attempts: 100")]).is_ok());
    assert_eq!(mistakes(&[("attempts: 12", "attempts: 101")]).len(), 1);
    assert_eq!(mistakes(&[("wait: 60s", "wait: 25h")]).len(), 1);
}

#[test]
fn broken_yaml_and_unset_variables_are_told() {
    assert!(mistakes(&[("id: northwind", "id: [northwind")])[0].contains("line"));
    assert!(mistakes(&[("outbound: ${CLAIMGATE_DATA_DIR}", "outbound: ${CLAIMGATE_NOT_SET}")])[0].contains("not set"));
    assert!(mistakes(&[("outbound: ${CLAIMGATE_DATA_DIR}", "outbound: ${HOME}")])[0].contains("not set"));
    assert!(mistakes(&[("id: northwind", "id: southwind")])[0].contains("folder"));
}

/// Every group that a profile may hold, so that all of its keys are asked for.
const ALL_GROUPS: &str = "\nlimits: { lines: 40 }\nhours: { zone: America/Chicago, open: \"06:00\", close: \"22:00\", \
                          days: [mon] }\ncanary: { percent: 5 }\n";

#[test]
fn the_table_of_settings_names_what_is_read() {
    document::ASKED.with_borrow_mut(|asked| asked.clear());
    shipped();
    changed(&[("edits: {", &format!("{ALL_GROUPS}\nedits: {{"))]).unwrap();
    let plain = |path: &String| {
        let parts = path.split('.').map(|part| part.split('[').next().unwrap_or(part));
        let mut parts: Vec<&str> = parts.collect();
        // The key of a route holds a point itself.
        if parts[0] == "routes" && parts.len() > 2 {
            parts = vec!["routes", "*", parts[parts.len() - 1]];
        }
        parts.join(".")
    };
    let asked: std::collections::BTreeSet<String> =
        document::ASKED.with_borrow(|asked| asked.iter().map(plain).collect());
    let rows: Vec<String> = settings::SETTINGS.iter().map(|row| row.path.replace("[]", "")).collect();
    let missing: Vec<&String> = asked.iter().filter(|path| !rows.contains(path)).collect();
    assert!(missing.is_empty(), "src/payers/settings.rs has no row for {missing:?}");
    let unread: Vec<&String> = rows.iter().filter(|row| !row.ends_with('*') && !asked.contains(*row)).collect();
    assert!(unread.is_empty(), "src/payers/settings.rs has rows that nobody reads: {unread:?}");
}

#[test]
fn the_schema_of_profiles_has_every_setting() {
    let schema = settings::schema();
    let sender = &schema["properties"]["tradingPartner"]["properties"]["sender"];
    assert_eq!(sender["required"], serde_json::json!(["qualifier", "id"]));
    assert_eq!(schema["properties"]["identifiers"]["items"]["required"], serde_json::json!(["value"]));
    assert!(schema["properties"]["routes"]["additionalProperties"]["properties"]["guide"].is_object());
    assert_eq!(schema["properties"]["transport"]["required"], serde_json::json!(["kind"]));
}

#[test]
fn hours_limits_and_canaries_are_read_and_linted() {
    let with = |text: &str| changed(&[("edits: {", &format!("{text}\nedits: {{"))]);
    let payers = with(ALL_GROUPS).unwrap();
    let northwind = payers.get("northwind").unwrap();
    assert_eq!((northwind.lines, northwind.canary.as_ref().unwrap().percent), (Some(40), 5));
    assert_eq!(northwind.hours.as_ref().unwrap().days.len(), 1);
    for (text, wanted) in [
        ("canary: { percent: 101 }", "canary.percent: is from 0 to 100"),
        ("limits: { lines: 0 }", "limits.lines: a claim has at least one line"),
        ("characterSet: wide", "characterSet"),
        ("hours: { zone: Mars/Base, open: \"06:00\", close: \"22:00\" }", "hours.zone must be an IANA time zone"),
        ("hours: { zone: UTC, open: 6, close: \"22:00\" }", "hours.open must be a time of day"),
        ("hours: { zone: UTC, open: \"06:00\" }", "hours.close: is missing"),
        ("hours: { zone: UTC, open: \"06:00\", close: \"22:00\", days: [Monday] }", "`Monday` is no day"),
    ] {
        let told = with(text).unwrap_err().to_string();
        assert!(told.contains(wanted), "{text}: {wanted} is not in\n{told}");
    }
}

#[test]
fn secrets_stand_in_the_environment_or_in_a_file() {
    let https = |token: &str| {
        let text = format!("kind: https\n  url: https://payer.example\n  token: {token}\n#");
        changed(&[
            ("kind: directory\n  outbound: ${CLAIMGATE_DATA_DIR}/payers/northwind/outbound", &text),
            ("  inbound: ${CLAIMGATE_DATA_DIR}/payers/northwind/inbound", ""),
        ])
    };
    let token = |payers: Payers| match &payers.get("northwind").unwrap().transport {
        TransportProfile::Https { token, .. } => token.clone().unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(token(https("file:/run/secrets/nw").unwrap()), SecretSource::File("/run/secrets/nw".into()));
    let named = https("${CLAIMGATE_NW_TOKEN}").unwrap();
    assert_eq!(token(named), SecretSource::Environment("CLAIMGATE_NW_TOKEN".into()));
    assert!(https("s3cr3t").unwrap_err().to_string().contains("a secret must not stand here"));
}

#[test]
fn ids_are_short_enough_for_paths_and_queues() {
    let named = |id: &str| {
        let folder = tempfile::tempdir().unwrap();
        let payer = folder.path().join("payers").join(id);
        std::fs::create_dir_all(&payer).unwrap();
        let text = Folder::ShippedMappings.text("payers/generic/payer.yaml").unwrap();
        std::fs::write(payer.join("payer.yaml"), text.replacen("id: generic", &format!("id: {id}"), 1)).unwrap();
        Payers::load(&Folder::Disk(folder.path().to_owned()), &here())
    };
    assert!(named(&"a".repeat(64)).is_ok());
    assert!(named(&"a".repeat(65)).unwrap_err().to_string().contains("has 65 characters"));
}

#[test]
fn two_profiles_for_one_identifier_are_told_at_their_line() {
    let folder = tempfile::tempdir().unwrap();
    for id in ["acme", "northwind"] {
        let payer = folder.path().join("payers").join(id);
        std::fs::create_dir_all(&payer).unwrap();
        let text = Folder::ShippedMappings.text("payers/northwind/payer.yaml").unwrap();
        std::fs::write(payer.join("payer.yaml"), text.replacen("id: northwind", &format!("id: {id}"), 1)).unwrap();
    }
    let fault = Payers::load(&Folder::Disk(folder.path().to_owned()), &here()).unwrap_err();
    let Place::File { path, line, column } = &fault.issues[0].at else { panic!("{fault}") };
    assert!(path.ends_with("payers/northwind/payer.yaml") && (*line, *column) > (1, 1), "{fault}");
    assert!(fault.to_string().contains("both take their answers from"), "{fault}");
}
