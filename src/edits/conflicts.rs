//! Rules about what does not go together: sex and age with codes, modifiers with one another. They only warn: people change
//! their sex, and codes are coarser than life. Modifier KX and condition code 45 say that it was looked at.

use super::Report;
use crate::billing::line::ServiceLine;
use crate::billing::record::BillingRecord;
use jiff::civil::Date;

/// A range of codes, the first and the last by their first characters, and whom it is for.
type Range = (&'static str, &'static str, &'static str);

/// Diagnoses of one sex (ICD-10-CM; the Medicare Code Editor has the same ones in single codes).
const DIAGNOSES_BY_SEX: &[Range] = &[
    ("C51", "C58", "F"),
    ("C60", "C63", "M"),
    ("N40", "N53", "M"),
    ("N70", "N77", "F"),
    ("N80", "N98", "F"),
    ("O00", "O9A", "F"),
    ("Z33", "Z37", "F"),
    ("Z39", "Z39", "F"),
];
/// Operations of one sex (CPT: male and female genital system, maternity).
const PROCEDURES_BY_SEX: &[Range] = &[("54000", "55899", "M"), ("56405", "58999", "F"), ("59000", "59899", "F")];

/// Diagnoses of an age, in years: from, to (not included).
const DIAGNOSES_BY_AGE: &[(&str, &str, i32, i32)] = &[
    ("O00", "O9A", 9, 65),
    ("Z0011", "Z0011", 0, 1),
    ("Z0012", "Z0012", 0, 18),
    ("Z000", "Z000", 18, 200),
    ("Z38", "Z38", 0, 1),
];

/// Services of an age, in years: preventive visits and intensive care of the newborn (CPT).
const SERVICES_BY_AGE: &[(&str, &str, i32, i32)] = &[
    ("99381", "99381", 0, 1),
    ("99382", "99382", 1, 5),
    ("99383", "99383", 5, 12),
    ("99384", "99384", 12, 18),
    ("99385", "99385", 18, 40),
    ("99386", "99386", 40, 65),
    ("99387", "99387", 65, 200),
    ("99391", "99391", 0, 1),
    ("99392", "99392", 1, 5),
    ("99393", "99393", 5, 12),
    ("99394", "99394", 12, 18),
    ("99395", "99395", 18, 40),
    ("99396", "99396", 40, 65),
    ("99397", "99397", 65, 200),
    ("99468", "99469", 0, 1),
    ("99471", "99472", 0, 2),
    ("99475", "99476", 2, 6),
];

fn lines(record: &BillingRecord) -> impl Iterator<Item = (usize, &ServiceLine)> {
    record.service_lines.iter().enumerate()
}

fn lies_in(code: &str, from: &str, to: &str) -> bool {
    code.get(..from.len()).is_some_and(|start| start >= from) && code.get(..to.len()).is_some_and(|start| start <= to)
}

/// Whether someone has said that the sex is meant: condition code 45.
fn is_meant(record: &BillingRecord) -> bool {
    record.condition_codes.iter().any(|code| code == "45")
}

fn other_sex(record: &BillingRecord, ranges: &[Range], code: &str) -> Option<&'static str> {
    let sex = record.patient.sex.as_deref().filter(|sex| matches!(*sex, "F" | "M"))?;
    let range = ranges.iter().find(|(from, to, _)| lies_in(code, from, to))?;
    (range.2 != sex).then_some(if range.2 == "F" { "women" } else { "men" })
}

pub fn sex_and_diagnoses(record: &BillingRecord, report: &mut Report<'_>) {
    let coded = record.diagnoses.iter().enumerate().filter(|(_, diagnosis)| diagnosis.code_set == "icd10");
    for (n, diagnosis) in coded.filter(|_| !is_meant(record)) {
        if let Some(of) = other_sex(record, DIAGNOSES_BY_SEX, &diagnosis.code) {
            let text = format!("the diagnosis `{}` is one of {of}, and the patient's sex is another", diagnosis.code);
            report.add(format!("diagnoses[{n}].code"), text);
        }
    }
}

pub fn sex_and_procedures(record: &BillingRecord, report: &mut Report<'_>) {
    let unmeant = |line: &ServiceLine| !is_meant(record) && !line.modifiers().iter().any(|modifier| modifier == "KX");
    for (n, line) in lines(record).filter(|(_, line)| line.procedure().len() == 5 && unmeant(line)) {
        if let Some(of) = other_sex(record, PROCEDURES_BY_SEX, line.procedure()) {
            let text = format!("the procedure `{}` is one of {of}, and the patient's sex is another", line.procedure());
            report.add(format!("serviceLines[{n}].code.value"), text);
        }
    }
}

/// Full years on a day.
fn age(born: Date, on: Date) -> i32 {
    let before_birthday = (on.month(), on.day()) < (born.month(), born.day());
    i32::from(on.year()) - i32::from(born.year()) - i32::from(before_birthday)
}

/// The patient's age on the first day of service.
fn age_at(record: &BillingRecord, day: Option<Date>) -> Option<i32> {
    let stay = record.statement_period.as_ref().and_then(|period| period.start);
    let first = day.or_else(|| record.service_lines.iter().filter_map(ServiceLine::first_day).min()).or(stay)?;
    Some(age(record.patient.birth_date?, first))
}

pub fn age_and_diagnoses(record: &BillingRecord, report: &mut Report<'_>) {
    let Some(age) = age_at(record, None) else { return };
    for (n, diagnosis) in record.diagnoses.iter().enumerate().filter(|(_, diagnosis)| diagnosis.code_set == "icd10") {
        let found = DIAGNOSES_BY_AGE.iter().find(|(from, to, ..)| lies_in(&diagnosis.code, from, to));
        if let Some((.., from, to)) = found.filter(|(.., from, to)| !(*from..*to).contains(&age)) {
            let text =
                format!("the diagnosis `{}` is one of the ages {from} to {}, and not of {age}", diagnosis.code, to - 1);
            report.add(format!("diagnoses[{n}].code"), text);
        }
    }
}

pub fn age_and_procedures(record: &BillingRecord, report: &mut Report<'_>) {
    for (n, line) in lines(record) {
        let Some(age) = age_at(record, line.first_day()) else { continue };
        let found = SERVICES_BY_AGE.iter().find(|(from, to, ..)| lies_in(line.procedure(), from, to));
        if let Some((.., from, to)) = found.filter(|(.., from, to)| !(*from..*to).contains(&age)) {
            let text = format!("`{}` is for the ages {from} to {}, and not for {age}", line.procedure(), to - 1);
            report.add(format!("serviceLines[{n}].code.value"), text);
        }
    }
}

/// Modifiers of which a line has one at most.
const EXCLUSIVE: &[&[&str]] = &[&["LT", "RT", "50"], &["26", "TC"], &["AA", "QX", "QZ"], &["NU", "RR", "UE"]];

pub fn modifiers(record: &BillingRecord, report: &mut Report<'_>) {
    for (n, line) in lines(record) {
        for set in EXCLUSIVE {
            let both: Vec<&str> =
                line.modifiers().iter().map(String::as_str).filter(|modifier| set.contains(modifier)).collect();
            if let [first, .., last] = both.as_slice()
                && first != last
            {
                let text = format!("the modifiers {} of line {} exclude one another", both.join(" and "), n + 1);
                report.add(format!("serviceLines[{n}].code.modifiers"), text);
            }
        }
    }
}
