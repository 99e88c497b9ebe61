//! The shipped mappings load, and mistakes in mappings are found with their places.

use super::*;
use crate::assets::Folder;
use crate::fhir::definitions::Definitions;
use crate::x12::guide::Guides;
use std::sync::LazyLock;

static GUIDES: LazyLock<Guides> = LazyLock::new(|| Guides::load(&Folder::ShippedConformance).unwrap());
static DEFINITIONS: LazyLock<Definitions> = LazyLock::new(|| Definitions::load(&Folder::ShippedConformance).unwrap());

#[test]
fn the_shipped_mappings_are_clean() {
    let loaded = Mappings::load(&Folder::ShippedMappings, &GUIDES, &DEFINITIONS);
    if let Err(fault) = loaded {
        panic!("{} mistakes\n{fault}", fault.issues.len());
    }
}

#[test]
fn scratch() {
    let loaded = Mappings::load(&Folder::ShippedMappings, &GUIDES, &DEFINITIONS).unwrap();
    let text = std::fs::read("/tmp/a1.json").unwrap();
    let body: Value = serde_json::from_slice(&text).unwrap();
    let resources = crate::fhir::bundle::Resources::collect(body, 100).unwrap();
    let payer = serde_json::json!({"defaults": {"clm06": "Y", "clm07": "A", "clm08": "Y", "clm09": "Y", "oi03": "Y", "oi06": "Y"}});
    let scope = Scope { payer: &payer, now: "2025-03-10T00:00:00Z".parse().unwrap(), vars: &[], resources: Some(&resources) };
    let mapping = loaded.record("generic", "record/claim").unwrap();
    let (record, issues) = mapping.make(resources.focal(), &scope);
    println!("{}", serde_json::to_string_pretty(&record).unwrap());
    issues.iter().for_each(|i| println!("{i}"));
    let t = loaded.transaction("generic", "x12/837p").unwrap();
    let (mut node, issues) = t.make(&record, &scope);
    issues.iter().for_each(|i| println!("{i}"));
    crate::x12::build::arrange(&t.guide, &mut node);
    crate::x12::build::check(&t.guide, &node).iter().for_each(|i| println!("{i}"));
    let mut out = Vec::new();
    let d = crate::x12::delimiters::Delimiters { newline: true, ..Default::default() };
    crate::x12::writer::write_loop(&t.guide, &node, &d, &mut out);
    println!("{}", String::from_utf8_lossy(&out));
    for row in mapping.lineage(resources.focal(), &scope).rows.iter().take(40) { println!("{} <- {:?} {} = {}", row.target, row.sources, row.rule, row.value); }
    for row in t.lineage(&record, &scope).rows.iter().take(200) { println!("{:?} {} <- {:?} {} = {}", row.ordinal, row.target, row.sources, row.rule, row.value); }
    println!("--end");
}
