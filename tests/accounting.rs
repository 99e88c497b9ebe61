//! The journal over real remittances: what the lines add up to is counted from raw segments, split by hand.

use crate::support::corpus;
use claimgate::config::Config;
use claimgate::flow::journal::{self, Format};
use claimgate::gateway::Translator;
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

fn translator() -> Translator {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config =
        Config { mappings_dir: root.join("mappings"), conformance_dir: root.join("conformance"), ..Config::default() };
    Translator::load(config).unwrap_or_else(|fault| panic!("{fault}"))
}

fn written(translator: &Translator, bytes: &[u8], format: Format) -> String {
    let mut out = Vec::new();
    journal::offline(translator, "generic", format, bytes, &mut out, &mut |_| {}).unwrap();
    String::from_utf8(out).unwrap()
}

fn lines(translator: &Translator, bytes: &[u8]) -> Vec<Value> {
    written(translator, bytes, Format::Ndjson).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn amount(line: &Value) -> Decimal {
    line["amount"].as_str().unwrap().parse().unwrap()
}

fn sum<'l>(lines: impl IntoIterator<Item = &'l Value>, kinds: &[&str]) -> Decimal {
    let these = lines.into_iter().filter(|line| kinds.contains(&line["kind"].as_str().unwrap()));
    these.map(amount).sum()
}

/// Elements of all segments; the element separator stands behind `ISA`, the terminator at its end.
fn raw(text: &str) -> Vec<Vec<&str>> {
    let text = &text[text.find("ISA").unwrap()..];
    let (element, terminator) = (text.chars().nth(3).unwrap(), text.chars().nth(105).unwrap());
    text.split(terminator).map(|segment| segment.trim().split(element).collect()).collect()
}

fn number(segment: &[&str], n: usize) -> Decimal {
    segment.get(n).and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// ISA to its terminator in 106 characters: the files whose envelope can be split by hand.
fn splits(text: &str) -> bool {
    text.find("ISA").is_some_and(|at| text[at..].chars().nth(105).is_some_and(|end| !end.is_ascii_alphanumeric()))
}

#[test]
fn the_journal_of_the_corpus_adds_up() {
    let translator = translator();
    let (mut balanced, mut claims) = (0, 0);
    for path in corpus::x12("835") {
        let bytes = std::fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if !splits(&text) {
            continue;
        }
        let (name, segments, lines) = (path.display(), raw(&text), lines(&translator, &bytes));
        let of = |id: &str| segments.iter().filter(|segment| segment[0] == id).collect::<Vec<_>>();
        let paid: Decimal = of("CLP").iter().map(|segment| number(segment, 4)).sum();
        let charged: Decimal = of("CLP").iter().map(|segment| number(segment, 3)).sum();
        let taken: Decimal = of("PLB").iter().flat_map(|plb| (4..plb.len()).step_by(2).map(|n| number(plb, n))).sum();
        let adjusted: Decimal =
            of("CAS").iter().flat_map(|cas| (3..cas.len()).step_by(3).map(|n| number(cas, n))).sum();
        assert_eq!(sum(&lines, &["payment", "interest", "providerAdjustment"]), paid - taken, "{name}");
        assert_eq!(sum(&lines, &["charge"]), charged, "{name}");
        assert_eq!(sum(&lines, &["adjustment", "patientResponsibility"]), adjusted, "{name}");
        let total: Decimal = of("BPR").iter().map(|segment| number(segment, 2)).sum();
        balanced += usize::from(total == paid - taken);
        claims += of("CLP").len();
    }
    assert!(balanced >= 15 && claims >= 100, "{balanced} balanced files, {claims} claims");
}

/// A payment with two lines, a deductible, interest, and a reversal with its correction.
const REMITTANCE: &str = "ISA*00*          *00*          *ZZ*NORTHWIND      *ZZ*CLAIMGATE      *260325*0605*^*00501*000000007*0*T*:~\
GS*HP*NORTHWIND*CLAIMGATE*20260325*0605*7*X*005010X221A1~ST*835*0001~BPR*I*121.5*C*ACH************20260325~\
TRN*1*EFT7*1999999999~N1*PR*NORTHWIND~N1*PE*CLINIC*XX*1234567893~LX*1~\
CLP*=A1*1*140*100*10*12*ICN1*11*1~NM1*QC*1*RIVERA*ANA~SVC*HC:99213:25*100*70~DTM*472*20260303~CAS*CO*45*20~CAS*PR*1*10~\
SVC*HC:87880*40*30~DTM*472*20260303~CAS*CO*45*10~\
CLP*B2*22*-80*-60**12*ICN2*11*1~NM1*QC*1*RIVERA*ANA~CAS*CO*45*-20~\
CLP*B2*1*80*80**12*ICN3*11*1~NM1*QC*1*RIVERA*ANA~\
PLB*1234567893*20261231*L6:ICN1*-1.5~SE*20*0001~GE*1*7~IEA*1*000000007~";

#[test]
fn each_amount_is_a_line_with_its_numbers() {
    let translator = translator();
    let all = lines(&translator, REMITTANCE.as_bytes());
    assert_eq!(sum(&all, &["payment", "interest", "providerAdjustment"]).to_string(), "121.50");
    let mut by_claim: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for line in &all {
        by_claim.entry(line["payerClaimControlNumber"].as_str().unwrap_or_default()).or_default().push(line);
    }
    for (claim, lines) in by_claim.iter().filter(|(claim, _)| !claim.is_empty()) {
        let lines = || lines.iter().copied();
        let charge = sum(lines(), &["charge"]);
        assert_eq!(charge, sum(lines(), &["payment", "adjustment", "patientResponsibility"]), "{claim}");
    }
    let reversal = by_claim["ICN2"].iter().find(|line| line["kind"] == "payment").unwrap();
    assert_eq!((reversal["amount"].as_str(), reversal["claimStatus"].as_str()), (Some("-60.00"), Some("22")));
    let interest = all.iter().find(|line| line["kind"] == "interest").unwrap();
    assert_eq!((interest["amount"].as_str(), interest["reference"].as_str()), (Some("1.50"), Some("ICN1")));
    let deductible = all.iter().find(|line| line["category"] == "deductible").unwrap();
    let expected = serde_json::json!({
        "date": "2026-03-25", "kind": "patientResponsibility", "category": "deductible", "amount": "10.00",
        "payer": "generic", "claimNumber": "=A1", "payerClaimControlNumber": "ICN1", "claimStatus": "1", "line": "1",
        "procedure": "99213:25", "group": "PR", "reason": "1", "traceNumber": "EFT7", "interchange": "000000007",
        "transactionSet": "0001",
    });
    assert_eq!(deductible, &expected);
}

#[test]
fn rows_are_safe_for_spreadsheets() {
    let text = written(&translator(), REMITTANCE.as_bytes(), Format::Csv);
    let rows: Vec<&str> = text.split("\r\n").collect();
    assert!(rows[0].starts_with("date,amount,kind,category,payer,claimNumber,"), "{}", rows[0]);
    assert!(rows[1].contains(",'=A1,"), "{}", rows[1]);
    assert!(text.contains("2026-03-25,-60.00,payment"), "numbers stay numbers: {text}");
    assert_eq!(rows.last(), Some(&""));
}
