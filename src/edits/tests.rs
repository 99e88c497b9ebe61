//! Each rule is broken once, and speaks at the right place; a good claim passes all of them.

use super::*;
use crate::billing::dental::*;
use crate::billing::institutional::*;
use crate::billing::line::*;
use crate::billing::payer::*;
use crate::billing::record::*;
use jiff::civil::date;
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use std::sync::LazyLock;

#[cfg(test)]
mod breaking;
use breaking::BREAKING;

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

fn address(zip: &str) -> Option<Address> {
    let postal_code = text(zip);
    Some(Address {
        line1: text("1 MAIN ST"),
        city: text("MIAMI"),
        state: text("FL"),
        postal_code,
        ..Default::default()
    })
}

fn party(name: &str, npi: &str) -> Party {
    Party { organization: true, last_name: text(name), npi: text(npi), ..Default::default() }
}

fn cover(sequence: &str, id: &str) -> Coverage {
    Coverage {
        payer_sequence: sequence.into(),
        claim_filing_indicator: text("CI"),
        payer_name: "KEY".into(),
        payer_id: id.into(),
        ..Default::default()
    }
}

fn line(code: &str, charge: i64) -> ServiceLine {
    ServiceLine {
        code: Some(ProcedureCode { qualifier: "HC".into(), value: code.into(), ..Default::default() }),
        charge: charge.into(),
        unit: "UN".into(),
        quantity: Decimal::ONE,
        diagnosis_pointers: vec![1],
        service_date: Some(DateRange { start: Some(date(2025, 3, 3)), end: None }),
        ..Default::default()
    }
}

/// What CMS and others publish, in small.
fn tables() -> Tables {
    let mut tables = Tables::default();
    tables.read("ncci-ptp", "99213\t87880\t\t20260101\t*\t1\n99213\t87430\t\t20200101\t*\t1\n");
    tables.read("mue", "99214,1,3 Date of Service Edit\n");
    tables.read("hcpcs", "G0008\t20000101\n");
    tables
}

fn scrub(tables: &Tables) -> Scrub<'_> {
    static WANTED: LazyLock<Vec<String>> = LazyLock::new(|| vec!["70450-70498".into(), "E0601".into()]);
    Scrub { today: date(2025, 4, 1), severity: &|_, _, usual| Some(usual), authorization: &WANTED, tables }
}

/// A claim that every rule is content with.
pub fn good() -> BillingRecord {
    let patient = Party {
        last_name: text("SMITH"),
        member_id: text("M1"),
        birth_date: Some(date(1980, 1, 1)),
        sex: text("F"),
        address: address("33413"),
        ..Default::default()
    };
    let other = OtherPayer { coverage: cover("S", "OTHER"), relationship: "18".into(), ..Default::default() };
    BillingRecord {
        patient_control_number: "C1".into(),
        total_charge: 140.into(),
        place_of_service: text("11"),
        frequency_code: "1".into(),
        diagnoses: vec![Diagnosis { code: "J020".into(), code_set: "icd10".into(), ..Default::default() }],
        billing_provider: Party {
            employer_id: text("587654321"),
            taxonomy: text("207Q00000X"),
            address: address("331110001"),
            ..party("SERVICE", "1234567893")
        },
        patient_is_subscriber: true,
        subscriber: patient.clone(),
        patient,
        coverage: cover("P", "KEY"),
        other_payers: vec![other],
        service_lines: vec![line("99213", 100), line("87880", 40)],
        ..Default::default()
    }
}

/// An inpatient claim that every rule is content with.
fn inpatient() -> BillingRecord {
    let diagnosis = Diagnosis { present_on_admission: text("Y"), ..good().diagnoses[0].clone() };
    let room = |code: &str, charge| ServiceLine {
        revenue_code: text(code),
        code: None,
        service_date: None,
        diagnosis_pointers: Vec::new(),
        ..line("", charge)
    };
    let stay = Institutional {
        admission_type: text("1"),
        point_of_origin: text("1"),
        patient_status: text("01"),
        admitting_diagnosis: Some(diagnosis.clone()),
        diagnosis_related_group: text("247"),
        procedures: vec![InpatientProcedure {
            code: "02703DZ".into(),
            code_set: "icd10".into(),
            date: Some(date(2025, 3, 2)),
        }],
        occurrences: vec![Occurrence { code: "11".into(), date: Some(date(2025, 3, 1)) }],
        values: vec![ValueCode { code: "80".into(), amount: 3.into() }],
        ..Default::default()
    };
    BillingRecord {
        claim_type: "institutional".into(),
        statement_period: Some(DateRange { start: Some(date(2025, 3, 1)), end: Some(date(2025, 3, 4)) }),
        admission: serde_json::from_str("\"2025-03-01T08:30:00-05:00\"").unwrap(),
        discharge: serde_json::from_str("\"2025-03-04T11:00:00-05:00\"").unwrap(),
        institutional: Some(stay),
        diagnoses: vec![diagnosis],
        attending_provider: Some(Party { organization: false, ..party("JONES", "1999996667") }),
        service_lines: vec![room("0120", 100), room("0250", 40)],
        billing_provider: Party { organization: true, ..good().billing_provider },
        place_of_service: text("11"),
        ..good()
    }
}

/// A dental claim that every rule is content with.
fn dental() -> BillingRecord {
    let tooth = Tooth { number: "12".into(), surfaces: vec!["M".into(), "O".into()] };
    let filling = ServiceLine {
        code: Some(ProcedureCode { qualifier: "AD".into(), value: "D2150".into(), ..Default::default() }),
        dental: Some(DentalLine { teeth: vec![tooth], ..Default::default() }),
        service_date: None,
        diagnosis_pointers: Vec::new(),
        ..line("", 140)
    };
    let day = DateRange { start: Some(date(2025, 3, 3)), end: None };
    BillingRecord {
        claim_type: "oral".into(),
        dental: Some(Dental { service_date: Some(day), ..Default::default() }),
        diagnoses: Vec::new(),
        service_lines: vec![filling],
        ..good()
    }
}

/// The good claim that a rule is broken in.
fn good_for(edit: &Edit) -> BillingRecord {
    match edit.claims {
        "I" => inpatient(),
        "D" => dental(),
        _ => good(),
    }
}

fn stay(record: &mut BillingRecord) -> &mut Institutional {
    record.institutional.as_mut().unwrap()
}

fn found(record: &BillingRecord) -> Vec<Issue> {
    check(record, &scrub(&tables()))
}

#[test]
fn a_good_claim_passes() {
    for record in [good(), inpatient(), dental()] {
        assert_eq!(found(&record), [], "{}", record.claim_type);
    }
}

type Breaking = fn(&mut BillingRecord);

const TOOTH_NUMBER: &str = "serviceLines[0].dental.teeth[0].number";

fn adjustment(amount: i64) -> Adjustment {
    Adjustment { group: "CO".into(), reason: "45".into(), amount: amount.into(), quantity: None }
}

/// The other payer paid an amount for the first line, and adjusted another.
fn decided(record: &mut BillingRecord, paid: i64, adjusted: i64) {
    record.other_payers[0].paid = Some(paid.into());
    record.service_lines[0].adjudications = vec![LineAdjudication {
        payer_id: "OTHER".into(),
        paid: paid.into(),
        adjustments: vec![adjustment(adjusted)],
        ..Default::default()
    }];
}

#[test]
fn each_rule_speaks_at_its_place() {
    for (id, breaking, path) in BREAKING {
        let edit = EDITS.iter().find(|edit| edit.id == *id).unwrap_or_else(|| panic!("no rule {id}"));
        let mut record = good_for(edit);
        breaking(&mut record);
        let found = edit.found(&record, &scrub(&tables()));
        let paths: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
        assert!(paths.contains(path), "{id} does not complain of {path}, but of {paths:?}");
    }
}

#[test]
fn each_rule_has_a_breaking_case_and_texts() {
    let tested: BTreeSet<&str> = BREAKING.iter().map(|(id, ..)| *id).collect();
    let mut ids = BTreeSet::new();
    for edit in EDITS {
        assert!(tested.contains(edit.id), "no case breaks the rule {}", edit.id);
        assert!(ids.insert(edit.id), "two rules are called {}", edit.id);
        assert!(!edit.what.is_empty() && !edit.why.is_empty() && !edit.mend.is_empty(), "{} has no text", edit.id);
    }
}

#[test]
fn limits_hold_at_and_above() {
    let fails = |breaking: Breaking, id: &str| {
        let edit = EDITS.iter().find(|edit| edit.id == id).unwrap();
        let mut record = good_for(edit);
        breaking(&mut record);
        !edit.found(&record, &scrub(&tables())).is_empty()
    };
    assert_eq!(amounts::LARGEST.to_string(), "99999999.99");
    assert!(!fails(|r| r.service_lines[0].charge = amounts::LARGEST, "amount-range"));
    assert!(fails(|r| r.service_lines[0].charge = amounts::LARGEST + Decimal::new(1, 2), "amount-range"));
    assert!(!fails(|r| r.diagnoses = vec![r.diagnoses[0].clone(); 12], "diagnosis-missing"));
    assert!(fails(|r| r.diagnoses = vec![r.diagnoses[0].clone(); 13], "diagnosis-missing"));
    assert!(!fails(|r| r.patient_control_number = "9".repeat(38), "claim-number"));
    assert!(fails(|r| r.patient_control_number = "9".repeat(39), "claim-number"));
    assert!(!fails(|r| r.patient_control_number = "9".repeat(20), "claim-number-length"));
    assert!(!fails(|r| r.notes = vec![Note { code: "ADD".into(), text: "é".repeat(80) }], "note-length"));
    assert!(!fails(|r| r.service_lines[0].service_date.as_mut().unwrap().start = Some(date(2025, 4, 1)), "date-order"));
    assert!(!fails(|r| r.service_lines[0].diagnosis_pointers = vec![1; 4], "pointer"));
    assert!(!fails(|r| stay(r).values = vec![stay(r).values[0].clone(); institutional::MOST_CODES], "bill-codes"));
    assert!(fails(|r| stay(r).values = vec![stay(r).values[0].clone(); institutional::MOST_CODES + 1], "bill-codes"));
    assert!(!fails(|r| stay(r).procedures = vec![stay(r).procedures[0].clone(); 25], "inpatient-procedure"));
    assert!(fails(|r| stay(r).procedures = vec![stay(r).procedures[0].clone(); 26], "inpatient-procedure"));
}

#[test]
fn a_balanced_decision_passes() {
    let mut record = good();
    decided(&mut record, 60, 40);
    record.other_payers[0].adjustments = vec![adjustment(40)];
    assert_eq!(found(&record), []);
    record.other_payers[0] =
        OtherPayer { non_covered: Some(140.into()), paid: Some(0.into()), ..record.other_payers[0].clone() };
    record.service_lines[0].adjudications.clear();
    assert_eq!(found(&record), [], "a payer that covers nothing has nothing to balance");
}

#[test]
fn a_payer_can_do_without_a_family() {
    let mut record = good();
    record.billing_provider.taxonomy = text("X");
    let tables = tables();
    let without = |code: &str, _: &str, usual| (code != codes::EDIT_TAXONOMY).then_some(usual);
    assert_eq!(check(&record, &Scrub { severity: &without, ..scrub(&tables) }), []);
    let refusing = |_: &str, rule: &str, usual| Some(if rule == "taxonomy" { Severity::Error } else { usual });
    assert!(check(&record, &Scrub { severity: &refusing, ..scrub(&tables) })[0].is_error());
    assert_eq!(found(&record)[0].code, codes::EDIT_TAXONOMY);
    assert!(found(&record)[0].hint.is_some());
}
