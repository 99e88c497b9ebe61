//! How fast mappings run: a claim's resources to its billing record, and the record to the loops of its 837P. Reading,
//! checking and writing are not in the figures. `cargo bench --bench mapping`; every figure is of one thread.
#![allow(clippy::unwrap_used, reason = "a bench that can't go on fails where it stands")]

use claimgate::assets::Folder;
use claimgate::fhir::bundle::Resources;
use claimgate::fhir::definitions::Definitions;
use claimgate::mapping::{Mappings, Scope};
use claimgate::x12::guide::Guides;
use divan::{Bencher, black_box};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::OnceLock;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CLAIMS: &[&str] = &["1-paid.json", "2-partly-paid.json"];

fn main() {
    divan::main();
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn mappings() -> &'static Mappings {
    static LOADED: OnceLock<Mappings> = OnceLock::new();
    LOADED.get_or_init(load)
}

fn load() -> Mappings {
    let conformance = Folder::Disk(root().join("conformance"));
    let (guides, definitions) = (Guides::load(&conformance).unwrap(), Definitions::load(&conformance).unwrap());
    Mappings::load(&Folder::Disk(root().join("mappings")), &guides, &definitions).unwrap()
}

fn resources(name: &str) -> Resources {
    let bytes = std::fs::read(root().join("conformance/demo").join(name)).unwrap();
    Resources::collect(serde_json::from_slice(&bytes).unwrap(), 100).unwrap()
}

fn payer() -> Value {
    json!({"dependentsHaveOwnIds": false, "defaults": {"clm06": "Y", "clm07": "A", "clm08": "Y", "clm09": "Y"}})
}

/// Guides, definitions and all mappings, from text to compiled.
#[divan::bench(sample_count = 10)]
fn everything_loaded() {
    black_box(load());
}

/// What `claimgate mapping check` does after every save: all mappings, profiles and tables.
#[divan::bench(sample_count = 10)]
fn check_of_all_mappings(bencher: Bencher) {
    let conformance = Folder::Disk(root().join("conformance"));
    let (guides, definitions) = (Guides::load(&conformance).unwrap(), Definitions::load(&conformance).unwrap());
    let folder = Folder::Disk(root().join("mappings"));
    bencher.bench_local(|| Mappings::load(black_box(&folder), &guides, &definitions).unwrap());
}

/// A claim with so many lines: the two of the second demonstration claim, again and again.
fn of_lines(lines: usize) -> Resources {
    let bytes = std::fs::read(root().join("conformance/demo").join(CLAIMS[1])).unwrap();
    let mut body: Value = serde_json::from_slice(&bytes).unwrap();
    let entries = body["entry"].as_array_mut().unwrap();
    let claim =
        entries.iter_mut().map(|entry| &mut entry["resource"]).find(|resource| resource["resourceType"] == "Claim");
    let claim = claim.unwrap();
    let items = claim["item"].as_array().unwrap().clone();
    let line = |n: usize| {
        let mut line = items[n % items.len()].clone();
        line["sequence"] = json!(n + 1);
        line
    };
    claim["item"] = (0..lines).map(line).collect();
    Resources::collect(body, 100).unwrap()
}

/// Claim → record → loops of the 837P, as a submission goes.
#[divan::bench(args = [6, 50])]
fn claim_of_lines_to_loops(bencher: Bencher, lines: usize) {
    let (resources, payer) = (of_lines(lines), payer());
    let now = "2026-01-01T00:00:00Z";
    let scope = Scope { payer: &payer, now, vars: &[], resources: Some(&resources) };
    let record = mappings().record("generic", "record/claim").unwrap();
    let transaction = mappings().transaction("generic", "x12/837p").unwrap();
    bencher.bench_local(|| {
        let (made, _) = record.make(black_box(resources.focal()), &scope);
        transaction.make(&made, &scope);
    });
}

#[divan::bench(args = CLAIMS)]
fn claim_to_record(bencher: Bencher, name: &str) {
    let (resources, payer) = (resources(name), payer());
    let now = "2026-01-01T00:00:00Z";
    let scope = Scope { payer: &payer, now, vars: &[], resources: Some(&resources) };
    let mapping = mappings().record("generic", "record/claim").unwrap();
    bencher.bench_local(|| mapping.make(black_box(resources.focal()), &scope));
}

#[divan::bench(args = CLAIMS)]
fn record_to_loops(bencher: Bencher, name: &str) {
    let (resources, payer) = (resources(name), payer());
    let now = "2026-01-01T00:00:00Z";
    let scope = Scope { payer: &payer, now, vars: &[], resources: Some(&resources) };
    let (record, _) = mappings().record("generic", "record/claim").unwrap().make(resources.focal(), &scope);
    let mapping = mappings().transaction("generic", "x12/837p").unwrap();
    bencher.bench_local(|| mapping.make(black_box(&record), &scope));
}
