//! Answers of real payers and of other projects, read whole: every CLP, every claim with an STC and every AK2 becomes one
//! statement, and the money of the file is the money of the statements. What to expect is counted here by hand, over raw
//! segments, without our reader.

use crate::support::corpus;
use claimgate::assets::Folder;
use claimgate::billing::response::PayerResponse;
use claimgate::responses::meaning::Meanings;
use claimgate::responses::{self, Reading};
use rust_decimal::Decimal;
use std::path::{Path, PathBuf};

/// X12 files below a folder of the corpus.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if !path.to_string_lossy().contains(".expected") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Segments as lists of elements, split by hand; Latin-1 is good enough for counting.
fn segments(bytes: &[u8]) -> Vec<Vec<String>> {
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let Some(isa) = text.find("ISA").map(|at| &text[at..]) else { return Vec::new() };
    let letters: Vec<char> = isa.chars().take(106).collect();
    let [element, terminator] = [letters[3], letters[105]];
    let pieces = isa.split(terminator).map(|piece| piece.trim_matches(['\r', '\n', ' ', '\t']));
    pieces.map(|piece| piece.split(element).map(str::to_owned).collect()).collect()
}

fn amount(segment: &[String], element: usize) -> Decimal {
    segment.get(element).and_then(|text| text.trim().parse().ok()).unwrap_or_default()
}

fn sum(segments: &[Vec<String>], id: &str, elements: &[usize]) -> Decimal {
    let of_id = segments.iter().filter(|segment| segment[0] == id);
    of_id.flat_map(|segment| elements.iter().map(|n| amount(segment, *n))).sum()
}

fn read(path: &Path) -> (Reading, Vec<Vec<String>>) {
    let bytes = std::fs::read(path).unwrap();
    let meanings = Meanings::load(&Folder::ShippedMappings).unwrap();
    (responses::read(&meanings, &bytes), segments(&bytes))
}

#[test]
fn every_clp_becomes_one_statement_with_its_money() {
    let corpus = corpus::folder();
    let (mut claims, mut unbalanced, mut money) = (0, 0, Decimal::ZERO);
    for path in files(&corpus.join("x12/835")) {
        let (reading, raw) = read(&path);
        let name = path.display();
        let by_hand: Vec<(Decimal, Decimal)> =
            raw.iter().filter(|segment| segment[0] == "CLP").map(|clp| (amount(clp, 3), amount(clp, 4))).collect();
        let paid: Vec<&PayerResponse> = reading.responses.iter().filter(|r| r.adjudication.is_some()).collect();
        let read: Vec<(Decimal, Decimal)> =
            paid.iter().filter_map(|r| r.adjudication.as_ref()).map(|a| (a.charge, a.paid)).collect();
        assert_eq!(read, by_hand, "{name}");
        same_sums(&reading, &raw, &name.to_string());
        claims += read.len();
        money += read.iter().map(|(_, paid)| *paid).sum::<Decimal>();
        unbalanced += paid.iter().filter(|r| !r.adjudication.as_ref().unwrap().balanced).count();
    }
    assert!(claims > 500, "the corpus has many claims: {claims}");
    eprintln!("835: {claims} claims, {money} paid, {unbalanced} claims do not balance");
}

fn same_sums(reading: &Reading, raw: &[Vec<String>], name: &str) {
    let adjudications: Vec<_> = reading.responses.iter().filter_map(|r| r.adjudication.as_ref()).collect();
    let lines = || adjudications.iter().flat_map(|a| &a.lines);
    let adjusted: Decimal = (adjudications.iter().flat_map(|a| &a.adjustments))
        .chain(lines().flat_map(|line| &line.adjustments))
        .map(|adjustment| adjustment.amount)
        .sum();
    assert_eq!(adjusted, sum(raw, "CAS", &[3, 6, 9, 12, 15, 18]), "CAS of {name}");
    assert_eq!(lines().map(|line| line.charge).sum::<Decimal>(), sum(raw, "SVC", &[2]), "SVC02 of {name}");
    assert_eq!(lines().map(|line| line.paid).sum::<Decimal>(), sum(raw, "SVC", &[3]), "SVC03 of {name}");
    let payments: Decimal = reading.remittances.iter().map(|remittance| remittance.payment.total).sum();
    assert_eq!(payments, sum(raw, "BPR", &[2]), "BPR02 of {name}");
    let provider = reading.remittances.iter().flat_map(|remittance| &remittance.provider_adjustments);
    assert_eq!(
        provider.map(|each| each.amount).sum::<Decimal>(),
        sum(raw, "PLB", &[4, 6, 8, 10, 12, 14]),
        "PLB of {name}"
    );
    let remitted: usize = reading.remitted.iter().map(|range| range.len()).sum();
    assert_eq!(remitted, adjudications.len(), "claims of the remittances of {name}");
}

/// Claims with an STC, by hand: a TRN below a patient's HL begins one.
fn claims_with_status(raw: &[Vec<String>]) -> usize {
    let (mut patient, mut counted, mut claims) = (false, true, 0);
    for segment in raw {
        match segment[0].as_str() {
            "HL" => (patient, counted) = (matches!(segment[3].as_str(), "PT" | "22" | "23"), false),
            "TRN" => counted = false,
            "STC" if patient && !counted => (claims, counted) = (claims + 1, true),
            _ => {}
        }
    }
    claims
}

#[test]
fn every_claim_with_a_status_becomes_one_statement() {
    let corpus = corpus::folder();
    let mut claims = 0;
    for folder in ["277ca", "277"] {
        for path in files(&corpus.join("x12").join(folder)) {
            let (reading, raw) = read(&path);
            let about_claims =
                |r: &&PayerResponse| r.transaction.starts_with("277") && r.keys.patient_last_name.is_some();
            let read = reading.responses.iter().filter(about_claims).count();
            assert_eq!(read, claims_with_status(&raw), "{}", path.display());
            let composites: usize = reading.responses.iter().map(|r| r.statuses.len()).sum();
            assert!(composites >= read, "{}", path.display());
            claims += read;
        }
    }
    assert!(claims > 25, "the corpus has many statuses: {claims}");
    eprintln!("277CA and 277: {claims} claims");
}

#[test]
fn every_ak2_and_every_ta1_becomes_one_statement() {
    let corpus = corpus::folder();
    let (mut sets, mut interchanges) = (0, 0);
    for folder in ["999", "997", "ta1"] {
        for path in files(&corpus.join("x12").join(folder)) {
            let (reading, raw) = read(&path);
            let count = |id: &str| raw.iter().filter(|segment| segment[0] == id).count();
            let named = reading.responses.iter().filter(|r| r.keys.transaction_set_control_number.is_some()).count();
            let ta1 = reading.responses.iter().filter(|r| r.transaction == "TA1").count();
            assert_eq!((named, ta1), (count("AK2"), count("TA1")), "{}", path.display());
            let rejected = reading.responses.iter().filter(|r| r.decision == "rejected").count();
            let by_hand = raw.iter().filter(|s| matches!(s[0].as_str(), "IK5" | "AK5") && s[1] == "R").count();
            let ta1_by_hand = raw.iter().filter(|s| s[0] == "TA1" && s[4] == "R").count();
            assert_eq!(rejected, by_hand + ta1_by_hand, "{}", path.display());
            (sets, interchanges) = (sets + named, interchanges + ta1);
        }
    }
    assert!(sets > 5 && interchanges > 2, "{sets} sets, {interchanges} interchanges");
    eprintln!("999 and 997: {sets} sets; TA1: {interchanges}");
}

#[test]
fn nothing_in_the_corpus_makes_a_reader_panic() {
    let corpus = corpus::folder();
    let meanings = Meanings::load(&Folder::ShippedMappings).unwrap();
    let mut read = 0;
    for path in files(&corpus.join("x12")) {
        let bytes = std::fs::read(&path).unwrap();
        responses::read(&meanings, &bytes);
        // Cut in the middle: a transfer that broke off.
        responses::read(&meanings, &bytes[..bytes.len() / 2]);
        read += 1;
    }
    assert!(read > 200, "{read} files");
    eprintln!("{read} files");
}
