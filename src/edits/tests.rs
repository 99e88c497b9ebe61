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
    check(record, |_| true, date(2025, 4, 1))
}

#[test]
fn a_good_claim_passes() {
    for record in [good(), inpatient(), dental()] {
        assert_eq!(found(&record), [], "{}", record.claim_type);
    }
}

type Breaking = fn(&mut BillingRecord);

/// Rule, what breaks it, and the path that it must name.
const BREAKING: &[(&str, Breaking, &str)] = &[
    ("npi-missing", |r| r.billing_provider.npi = None, "billingProvider.npi"),
    ("npi-check-digit", |r| r.billing_provider.npi = text("1234567890"), "billingProvider.npi"),
    (
        "npi-check-digit",
        |r| r.service_lines[1].ordering_provider = Some(party("X", "1")),
        "serviceLines[1].orderingProvider.npi",
    ),
    ("rendering-npi", |r| r.rendering_provider = Some(Party { npi: None, ..party("X", "") }), "renderingProvider.npi"),
    ("total", |r| r.total_charge = 141.into(), "totalCharge"),
    ("amount-range", |r| r.patient_paid = Some((-1).into()), "patientPaid"),
    ("amount-range", |r| r.service_lines[0].charge = Decimal::new(100_005, 3), "serviceLines[0].charge"),
    ("quantity", |r| r.service_lines[0].quantity = Decimal::ZERO, "serviceLines[0].quantity"),
    ("quantity", |r| r.service_lines[0].quantity = Decimal::new(10_001, 4), "serviceLines[0].quantity"),
    ("diagnosis-missing", |r| r.diagnoses.clear(), "diagnoses"),
    ("diagnosis-code", |r| r.diagnoses[0].code = "7215".into(), "diagnoses[0].code"),
    (
        "diagnosis-version",
        |r| r.service_lines[1].service_date.as_mut().unwrap().start = Some(date(2015, 9, 30)),
        "diagnoses[0].code",
    ),
    (
        "diagnosis-version",
        |r| r.diagnoses[0] = Diagnosis { code: "7215".into(), code_set: "icd9".into(), ..Default::default() },
        "diagnoses[0].code",
    ),
    (
        "diagnosis-version",
        |r| r.diagnoses.push(Diagnosis { code: "7215".into(), code_set: "icd9".into(), ..Default::default() }),
        "diagnoses",
    ),
    ("diagnosis-twice", |r| r.diagnoses.push(r.diagnoses[0].clone()), "diagnoses[1].code"),
    ("pointer", |r| r.service_lines[0].diagnosis_pointers = vec![2], "serviceLines[0].diagnosisPointers"),
    ("pointer", |r| r.service_lines[0].diagnosis_pointers.clear(), "serviceLines[0].diagnosisPointers"),
    ("pointer", |r| r.service_lines[0].diagnosis_pointers = vec![1; 5], "serviceLines[0].diagnosisPointers"),
    (
        "procedure-code",
        |r| r.service_lines[0].code.as_mut().unwrap().value = "D0120A".into(),
        "serviceLines[0].code.value",
    ),
    (
        "modifier",
        |r| r.service_lines[0].code.as_mut().unwrap().modifiers = vec!["2".into()],
        "serviceLines[0].code.modifiers[0]",
    ),
    (
        "modifier",
        |r| {
            r.service_lines[0].code.as_mut().unwrap().modifiers =
                ["25", "26", "27", "28", "29"].map(String::from).into()
        },
        "serviceLines[0].code.modifiers",
    ),
    (
        "modifier-twice",
        |r| r.service_lines[0].code.as_mut().unwrap().modifiers = vec!["25".into(); 2],
        "serviceLines[0].code.modifiers[1]",
    ),
    (
        "ndc",
        |r| {
            r.service_lines[0].drug =
                Some(Drug { national_drug_code: "1".into(), quantity: Decimal::ONE, ..Default::default() })
        },
        "serviceLines[0].drug.nationalDrugCode",
    ),
    (
        "ndc",
        |r| r.service_lines[0].drug = Some(Drug { national_drug_code: "60793070010".into(), ..Default::default() }),
        "serviceLines[0].drug.quantity",
    ),
    ("taxonomy", |r| r.billing_provider.taxonomy = text("207Q"), "billingProvider.taxonomy"),
    ("taxonomy", |r| r.billing_provider.taxonomy = text("203BF0100Y"), "billingProvider.taxonomy"),
    ("place-of-service", |r| r.place_of_service = None, "placeOfService"),
    ("place-of-service", |r| r.place_of_service = text("00"), "placeOfService"),
    ("place-of-service", |r| r.service_lines[1].place_of_service = text("1"), "serviceLines[1].placeOfService"),
    ("state", |r| r.subscriber.address.as_mut().unwrap().state = text("ST"), "subscriber.address.state"),
    ("state", |r| r.accident_state = text("XX"), "accidentState"),
    ("zip", |r| r.billing_provider.address = address("33111"), "billingProvider.address.postalCode"),
    ("zip", |r| r.subscriber.address = address("3341"), "subscriber.address.postalCode"),
    (
        "facility-zip",
        |r| r.service_facility = Some(Party { address: address("33111"), ..party("F", "1234567893") }),
        "serviceFacility.address.postalCode",
    ),
    ("address", |r| r.subscriber.address = None, "subscriber.address"),
    ("address", |r| r.billing_provider.address.as_mut().unwrap().city = None, "billingProvider.address.city"),
    (
        "billing-street",
        |r| r.billing_provider.address.as_mut().unwrap().line1 = text("P.O. Box 1"),
        "billingProvider.address.line1",
    ),
    (
        "date-order",
        |r| r.service_lines[0].service_date.as_mut().unwrap().start = Some(date(2025, 4, 2)),
        "serviceLines[0].serviceDate",
    ),
    (
        "date-order",
        |r| r.service_lines[0].service_date.as_mut().unwrap().end = Some(date(2025, 3, 2)),
        "serviceLines[0].serviceDate",
    ),
    ("date-order", |r| r.patient.birth_date = Some(date(2025, 3, 4)), "patient.birthDate"),
    ("date-order", |r| r.patient_death_date = Some(date(2025, 3, 2)), "patientDeathDate"),
    ("date-doubt", |r| r.onset = Some(date(2025, 3, 4)), "onset"),
    ("service-date", |r| r.service_lines[0].service_date = None, "serviceLines[0].serviceDate"),
    ("patient", |r| r.patient.sex = None, "patient.sex"),
    ("subscriber", |r| r.subscriber.member_id = None, "subscriber.memberId"),
    ("billing-name", |r| r.billing_provider.last_name = None, "billingProvider.lastName"),
    ("tax-id", |r| r.billing_provider.employer_id = None, "billingProvider.employerId"),
    ("tax-id", |r| r.billing_provider.employer_id = text("58-765432"), "billingProvider.employerId"),
    (
        "payer-sequence",
        |r| r.other_payers[0].coverage.payer_sequence = "P".into(),
        "otherPayers[0].coverage.payerSequence",
    ),
    ("filing-indicator", |r| r.coverage.claim_filing_indicator = text("99"), "coverage.claimFilingIndicator"),
    ("filing-unknown", |r| r.coverage.claim_filing_indicator = text("ZZ"), "coverage.claimFilingIndicator"),
    (
        "medicare-secondary",
        |r| {
            r.coverage = cover("T", "M");
            r.coverage.claim_filing_indicator = text("MB");
            r.other_payers.clear()
        },
        "coverage.insuranceType",
    ),
    ("other-payer", |r| r.other_payers[0].coverage.payer_id = String::new(), "otherPayers[0].coverage.payerId"),
    (
        "other-payer",
        |r| r.other_payers.push(OtherPayer { coverage: cover("T", "OTHER"), ..Default::default() }),
        "otherPayers[1].coverage.payerId",
    ),
    ("earlier-payer", |r| r.coverage.payer_sequence = "T".into(), "otherPayers[0].paid"),
    ("cob-balance", |r| r.other_payers[0].paid = Some(100.into()), "otherPayers[0].paid"),
    (
        "cob-balance",
        |r| {
            decided(r, 60, 30);
            r.other_payers[0].adjustments = vec![adjustment(50)]
        },
        "serviceLines[0].adjudications[0].paid",
    ),
    ("frequency", |r| r.frequency_code = "7".into(), "payerClaimControlNumber"),
    ("frequency", |r| r.frequency_code = "2".into(), "frequencyCode"),
    ("accident", |r| r.related_causes = vec!["AA".into()], "accidentState"),
    ("accident", |r| r.related_causes = vec!["OA".into()], "accidentDate"),
    ("admission", |r| r.place_of_service = text("21"), "admission"),
    (
        "unlisted",
        |r| r.service_lines[0].code.as_mut().unwrap().value = "J3490".into(),
        "serviceLines[0].code.description",
    ),
    ("minutes", |r| r.service_lines[0].unit = "MJ".into(), "serviceLines[0].unit"),
    ("anesthesia", |r| r.service_lines[0].code.as_mut().unwrap().value = "00142".into(), "serviceLines[0].unit"),
    ("ambulance", |r| r.service_lines[0].code.as_mut().unwrap().value = "A0427".into(), "serviceLines[0].pickUp"),
    (
        "attachment",
        |r| {
            r.attachments =
                vec![Attachment { report_type: "OZ".into(), transmission: "EL".into(), ..Attachment::default() }]
        },
        "attachments[0].controlNumber",
    ),
    ("note-length", |r| r.notes = vec![Note { code: "ADD".into(), text: "x".repeat(81) }], "notes[0].text"),
    ("claim-number", |r| r.patient_control_number = "9".repeat(39), "patientControlNumber"),
    ("claim-number", |r| r.patient_control_number = String::new(), "patientControlNumber"),
    ("claim-number-length", |r| r.patient_control_number = "9".repeat(21), "patientControlNumber"),
    (
        "lines",
        |r| {
            r.service_lines.clear();
            r.total_charge = 0.into()
        },
        "serviceLines",
    ),
    (
        "line-twice",
        |r| {
            r.service_lines[1] = r.service_lines[0].clone();
            r.total_charge = 200.into()
        },
        "serviceLines[1]",
    ),
    ("claim-type", |r| r.service_lines[1].revenue_code = text("0450"), "serviceLines[1].revenueCode"),
    ("type-of-bill", |r| r.place_of_service = text("99"), "placeOfService"),
    ("type-of-bill", |r| r.frequency_code = "6".into(), "frequencyCode"),
    ("revenue-code", |r| r.service_lines[0].revenue_code = None, "serviceLines[0].revenueCode"),
    ("revenue-code", |r| r.service_lines[1].revenue_code = text("0001"), "serviceLines[1].revenueCode"),
    ("revenue-code", |r| r.service_lines[1].revenue_code = text("120"), "serviceLines[1].revenueCode"),
    ("attending", |r| r.attending_provider = None, "attendingProvider"),
    ("attending", |r| r.attending_provider.as_mut().unwrap().organization = true, "attendingProvider"),
    ("billing-organization", |r| r.billing_provider.organization = false, "billingProvider"),
    ("admission-type", |r| stay(r).admission_type = text("6"), "institutional.admissionType"),
    ("admission-type", |r| stay(r).patient_status = None, "institutional.patientStatus"),
    ("inpatient", |r| r.admission = None, "admission"),
    ("inpatient", |r| stay(r).admitting_diagnosis = None, "institutional.admittingDiagnosis"),
    ("inpatient-doubt", |r| stay(r).point_of_origin = None, "institutional.pointOfOrigin"),
    ("inpatient-doubt", |r| r.discharge = None, "discharge"),
    ("inpatient-doubt", |r| r.diagnoses[0].present_on_admission = None, "diagnoses"),
    ("inpatient-doubt", |r| stay(r).admission_type = text("4"), "institutional.values"),
    ("drg", |r| stay(r).diagnosis_related_group = text("24"), "institutional.diagnosisRelatedGroup"),
    ("inpatient-procedure", |r| stay(r).procedures[0].code = "02703IZ".into(), "institutional.procedures[0].code"),
    ("inpatient-procedure", |r| stay(r).procedures[0].date = None, "institutional.procedures[0].date"),
    ("statement-period", |r| r.statement_period = None, "statementPeriod"),
    ("statement-period", |r| r.statement_period.as_mut().unwrap().end = Some(date(2025, 2, 1)), "statementPeriod"),
    (
        "outside-period",
        |r| r.service_lines[0].service_date = Some(DateRange { start: Some(date(2025, 3, 5)), end: None }),
        "serviceLines[0].serviceDate",
    ),
    ("bill-codes", |r| stay(r).occurrences[0].date = None, "institutional.occurrences[0]"),
    ("bill-codes", |r| r.condition_codes = vec!["9".into()], "conditionCodes[0]"),
    ("bill-codes", |r| stay(r).values = vec![stay(r).values[0].clone(); 25], "institutional.values"),
    ("tooth", |r| r.service_lines[0].dental.as_mut().unwrap().teeth[0].number = "33".into(), TOOTH_NUMBER),
    (
        "tooth",
        |r| r.service_lines[0].dental.as_mut().unwrap().teeth[0].surfaces = vec!["X".into()],
        "serviceLines[0].dental.teeth[0].surfaces[0]",
    ),
    ("tooth-missing", |r| r.service_lines[0].dental = None, "serviceLines[0].code.value"),
    (
        "oral-cavity",
        |r| r.service_lines[0].dental.as_mut().unwrap().oral_cavities = vec!["C1".into()],
        "serviceLines[0].dental.oralCavities[0]",
    ),
    (
        "prosthesis",
        |r| r.service_lines[0].dental.as_mut().unwrap().prosthesis = text("R"),
        "serviceLines[0].dental.priorPlacement",
    ),
    ("npi-doubt", |r| r.billing_provider.npi = text("1234567890"), "billingProvider.npi"),
    ("member", |r| r.subscriber.member_id = None, "subscriber.memberId"),
    (
        "inquired-member",
        |r| {
            r.subscriber.member_id = None;
            (r.subscriber.birth_date, r.patient.birth_date) = (None, None);
        },
        "subscriber.memberId",
    ),
    ("orthodontics", |r| r.service_lines[0].code.as_mut().unwrap().value = "D8080".into(), "dental.orthodontics"),
];

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
        let mut report = Report { today: date(2025, 4, 1), found: Vec::new() };
        (edit.check)(&record, &mut report);
        let paths: Vec<&str> = report.found.iter().map(|(path, _)| path.as_str()).collect();
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
        let mut report = Report { today: date(2025, 4, 1), found: Vec::new() };
        (edit.check)(&record, &mut report);
        !report.found.is_empty()
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
    let issues = check(&record, |code| code != codes::EDIT_TAXONOMY, date(2025, 4, 1));
    assert_eq!(issues, []);
    assert_eq!(found(&record)[0].code, codes::EDIT_TAXONOMY);
    assert!(found(&record)[0].hint.is_some());
}
