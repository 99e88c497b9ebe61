//! Every case of `conformance/cases` goes forth and back ([`claimgate::flow::cases`]), and together they exercise the
//! mappings.

use claimgate::config::Config;
use claimgate::flow::cases;
use claimgate::gateway::Translator;
use std::path::Path;

/// How many of a hundred rules of the mappings the cases, requests and answers must use; it only rises.
const RULES_PERCENT: u32 = 95;

fn translator() -> Translator {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mappings_dir, conformance_dir) = (root.join("mappings"), root.join("conformance"));
    Translator::load(Config { mappings_dir, conformance_dir, ..Config::default() }).unwrap()
}

#[tokio::test]
async fn every_life_of_a_claim_goes_forth_and_back() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let translator = translator();
    let cases = cases::all(&translator.config.conformance_dir.join("cases")).unwrap();
    assert!(cases.len() >= 12, "there are only {} cases", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let found = cases::walk(&translator, case).await.unwrap_or_else(|fault| vec![fault.to_string()]);
        let name = case.file_name().unwrap().to_string_lossy();
        println!("{name:<40} {}", if found.is_empty() { "ok" } else { "WRONG" });
        wrong.extend(found);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    cases::use_samples(&translator).unwrap();
    let coverage = translator.mappings.coverage();
    for file in coverage.files.iter().filter(|file| file.used < file.rules) {
        println!("{} of {} rules used in {}", file.used, file.rules, file.file);
    }
    let percent = coverage.percent();
    assert!(
        percent >= RULES_PERCENT,
        "the cases use {percent} % of the rules: claimgate mapping coverage names the others"
    );
}
