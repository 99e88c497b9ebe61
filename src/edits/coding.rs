//! Rules about diagnosis, procedure, drug, taxonomy and place codes.

use super::code_sets::is_place;
use super::parties::providers;
use super::{Report, letter};
use crate::billing::line::ServiceLine;
use crate::billing::record::BillingRecord;
use crate::code_forms::{is_dental_procedure, is_digits, is_hipps, is_icd9, is_icd10, is_modifier, is_procedure};
use jiff::civil::{Date, date};
use rust_decimal::Decimal;

/// HI of 005010X222A1, 005010X223A2 (the principal and 24 others) and 005010X224A2.
pub fn most_diagnoses(record: &BillingRecord) -> usize {
    match letter(record) {
        'I' => 25,
        'D' => 4,
        _ => 12,
    }
}
/// SV107.
const MOST_POINTERS: usize = 4;
/// SV101-3 to -6.
const MOST_MODIFIERS: usize = 4;
/// The day from which on ICD-10-CM counts.
const ICD10_FROM: Date = date(2015, 10, 1);

fn lines(record: &BillingRecord) -> impl Iterator<Item = (usize, &ServiceLine)> {
    record.service_lines.iter().enumerate()
}

pub fn diagnoses_present(record: &BillingRecord, report: &mut Report<'_>) {
    let most = most_diagnoses(record);
    match record.diagnoses.len() {
        0 => report.require(letter(record) == 'D', "diagnoses", "the claim has no diagnosis"),
        n if n > most => report.add("diagnoses", format!("the claim has {n} diagnoses, and {most} can be sent")),
        _ => {}
    }
}

pub fn diagnosis_codes(record: &BillingRecord, report: &mut Report<'_>) {
    // A code that is missing altogether was told by the mapping.
    for (n, diagnosis) in record.diagnoses.iter().enumerate().filter(|(_, diagnosis)| !diagnosis.code.is_empty()) {
        let (fine, set) = match diagnosis.code_set.as_str() {
            "icd9" => (is_icd9(&diagnosis.code), "ICD-9-CM"),
            "snodent" => (is_digits(&diagnosis.code, diagnosis.code.len()), "SNODENT"),
            _ => (is_icd10(&diagnosis.code), "ICD-10-CM"),
        };
        report.require(
            fine,
            format_args!("diagnoses[{n}].code"),
            format_args!("`{}` has not the form of an {set} code", diagnosis.code),
        );
    }
}

pub fn diagnosis_version(record: &BillingRecord, report: &mut Report<'_>) {
    let old = record.diagnoses.iter().any(|diagnosis| diagnosis.code_set == "icd9");
    let new = record.diagnoses.iter().any(|diagnosis| diagnosis.code_set == "icd10");
    if old && new {
        return report.add("diagnoses", "ICD-9-CM and ICD-10-CM stand side by side");
    }
    let starts = || deciding_days(record).into_iter();
    if let Some(day) = starts().find(|day| old && *day >= ICD10_FROM) {
        report.add("diagnoses[0].code", format!("an ICD-9-CM code for a service of {day}, after {ICD10_FROM}"));
    }
    if let Some(day) = starts().find(|day| new && *day < ICD10_FROM) {
        report.add("diagnoses[0].code", format!("an ICD-10-CM code for a service of {day}, before {ICD10_FROM}"));
    }
}

/// The days that decide on the code set: an institutional claim's last, the first of each line elsewhere.
fn deciding_days(record: &BillingRecord) -> Vec<Date> {
    match (letter(record), &record.statement_period) {
        ('I', Some(period)) => period.end.or(period.start).into_iter().collect(),
        _ => record.service_lines.iter().filter_map(ServiceLine::first_day).collect(),
    }
}

pub fn diagnosis_twice(record: &BillingRecord, report: &mut Report<'_>) {
    for (n, diagnosis) in record.diagnoses.iter().enumerate() {
        let again =
            !diagnosis.code.is_empty() && record.diagnoses[..n].iter().any(|earlier| earlier.code == diagnosis.code);
        report.require(
            !again,
            format_args!("diagnoses[{n}].code"),
            format_args!("the diagnosis `{}` stands twice", diagnosis.code),
        );
    }
}

pub fn pointers(record: &BillingRecord, report: &mut Report<'_>) {
    for (n, line) in lines(record) {
        let path = format!("serviceLines[{n}].diagnosisPointers");
        let pointers = &line.diagnosis_pointers;
        let needed = usize::from(letter(record) == 'P');
        if !(needed..=MOST_POINTERS).contains(&pointers.len()) {
            report.add(&path, format!("line {} points to {} diagnoses", n + 1, pointers.len()));
        }
        let beyond = pointers.iter().find(|pointer| **pointer == 0 || **pointer as usize > record.diagnoses.len());
        if let Some(pointer) = beyond {
            report.add(&path, format!("line {} points to diagnosis {pointer}, and there is none", n + 1));
        }
    }
}

/// How codes of each qualifier look (SV101-1, SV202-1, SV301-1), and what they are called.
type Form = (&'static str, fn(&str) -> bool, &'static str);
const FORMS: &[Form] = &[
    ("HC", is_procedure, "a CPT or HCPCS code"),
    ("HP", is_hipps, "a HIPPS code"),
    ("AD", is_dental_procedure, "a CDT code"),
];

pub fn procedures(record: &BillingRecord, report: &mut Report<'_>) {
    for (n, line) in lines(record) {
        let Some(code) = line.code.as_ref().filter(|code| !code.value.is_empty()) else { continue };
        let form = FORMS.iter().find(|(qualifier, ..)| *qualifier == code.qualifier);
        let Some((_, _, name)) = form.filter(|(_, fits, _)| !fits(&code.value)) else { continue };
        report.add(format!("serviceLines[{n}].code.value"), format!("`{}` has not the form of {name}", code.value));
    }
}

pub fn modifiers(record: &BillingRecord, report: &mut Report<'_>) {
    for (n, line) in lines(record) {
        let modifiers = line.modifiers();
        let path = format!("serviceLines[{n}].code.modifiers");
        report.require(
            modifiers.len() <= MOST_MODIFIERS,
            &path,
            format_args!("line {} has {} modifiers", n + 1, modifiers.len()),
        );
        for (m, modifier) in modifiers.iter().enumerate().filter(|(_, modifier)| !is_modifier(modifier)) {
            report.add(format!("{path}[{m}]"), format!("`{modifier}` is no modifier"));
        }
    }
}

pub fn modifier_twice(record: &BillingRecord, report: &mut Report<'_>) {
    for (n, line) in lines(record) {
        let modifiers = line.modifiers();
        for (m, modifier) in modifiers.iter().enumerate().filter(|(m, modifier)| modifiers[..*m].contains(modifier)) {
            let path = format!("serviceLines[{n}].code.modifiers[{m}]");
            report.add(path, format!("line {} has the modifier `{modifier}` twice", n + 1));
        }
    }
}

pub fn drugs(record: &BillingRecord, report: &mut Report<'_>) {
    for (n, drug) in lines(record).filter_map(|(n, line)| Some((n, line.drug.as_ref()?))) {
        let code = &drug.national_drug_code;
        let path = format!("serviceLines[{n}].drug");
        report.require(
            is_digits(code, 11),
            format_args!("{path}.nationalDrugCode"),
            format_args!("`{code}` has not eleven digits"),
        );
        let some = drug.quantity > Decimal::ZERO;
        report.require(
            some,
            format_args!("{path}.quantity"),
            format_args!("the drug of line {} has no quantity", n + 1),
        );
    }
}

pub fn taxonomies(record: &BillingRecord, report: &mut Report<'_>) {
    let fine =
        |code: &str| code.len() == 10 && code.ends_with('X') && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    for (path, party) in providers(record) {
        if let Some(code) = party.taxonomy.as_deref().filter(|code| !fine(code)) {
            report.add(format!("{path}.taxonomy"), format!("`{code}` is no taxonomy code"));
        }
    }
}

pub fn places(record: &BillingRecord, report: &mut Report<'_>) {
    match record.place_of_service.as_deref() {
        None => report.add("placeOfService", "the claim has no place of service"),
        Some(code) => report.require(is_place(code), "placeOfService", format_args!("`{code}` is no place of service")),
    }
    for (n, line) in lines(record) {
        if let Some(code) = line.place_of_service.as_deref().filter(|code| !is_place(code)) {
            report.add(format!("serviceLines[{n}].placeOfService"), format!("`{code}` is no place of service"));
        }
    }
}
