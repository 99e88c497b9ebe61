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
    assert_eq!(payers.ids().collect::<Vec<_>>(), ["generic", "harbor", "lakeside", "northwind", "prairie"]);
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
