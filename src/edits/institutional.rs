//! What institutional claims must say (005010X223A2): type of bill, revenue codes, admission and discharge, codes of the UB-04.

use super::Report;
use super::code_sets::is_bill;
use crate::billing::institutional::Institutional;
use crate::billing::record::{BillingRecord, Party};
use crate::code_forms::{is_digits, is_icd9_procedure, is_icd10_procedure};

/// Facility and classification of inpatient bills, which the admission belongs to.
const INPATIENT: &[&str] = &["11", "18", "21", "28", "41", "65", "66", "86"];
/// CLM05-3, the last digit of the type of bill.
const FREQUENCIES: &[&str] =
    &["0", "1", "2", "3", "4", "5", "7", "8", "9", "A", "B", "C", "D", "F", "G", "H", "I", "J"];
/// CL101.
const ADMISSION_TYPES: &[&str] = &["1", "2", "3", "4", "5", "9"];
/// HI: the codes of one kind.
pub const MOST_CODES: usize = 24;
/// HI*BBR and HI*BBQ.
const MOST_PROCEDURES: usize = 25;
/// HI*APR.
const MOST_REASONS: usize = 3;
/// HI*ABN.
const MOST_CAUSES: usize = 12;
/// The revenue code of the total, which is not sent.
const TOTAL: &str = "0001";

fn is_inpatient(record: &BillingRecord) -> bool {
    record.place_of_service.as_deref().is_some_and(|bill| INPATIENT.contains(&bill))
}

pub fn type_of_bill(record: &BillingRecord, report: &mut Report<'_>) {
    let bill = record.place_of_service.as_deref().unwrap_or_default();
    report.require(
        is_bill(bill),
        "placeOfService",
        format_args!("`0{bill}{}` is no type of bill", record.frequency_code),
    );
    let known = FREQUENCIES.contains(&record.frequency_code.as_str());
    let text = format!("`{}` is no frequency of a type of bill", record.frequency_code);
    report.require(known, "frequencyCode", text);
}

pub fn revenue_codes(record: &BillingRecord, report: &mut Report<'_>) {
    for (n, line) in record.service_lines.iter().enumerate() {
        let path = format!("serviceLines[{n}].revenueCode");
        match line.revenue_code.as_deref() {
            None => report.add(path, format!("line {} has no revenue code", n + 1)),
            Some(TOTAL) => report.add(path, format!("line {} is the total, which is not a line", n + 1)),
            Some(code) => report.require(is_digits(code, 4), path, format_args!("`{code}` is no revenue code")),
        }
    }
}

pub fn attending(record: &BillingRecord, report: &mut Report<'_>) {
    let transports = record.service_lines.iter().all(|line| line.revenue_code.as_deref() == Some("0540"));
    let known = record.attending_provider.is_some() || transports;
    report.require(known, "attendingProvider", "the attending provider is missing");
    let people = [
        ("attendingProvider", "attending provider", &record.attending_provider),
        ("operatingPhysician", "operating physician", &record.operating_physician),
        ("otherOperatingPhysician", "other operating physician", &record.other_operating_physician),
    ];
    for (path, name, party) in people {
        let person = !party.as_ref().is_some_and(|party: &Party| party.organization);
        report.require(person, path, format_args!("the {name} is an organization"));
    }
}

pub fn billing_organization(record: &BillingRecord, report: &mut Report<'_>) {
    let provider = &record.billing_provider;
    report.require(provider.organization, "billingProvider", "the billing provider is a person");
    report.require(provider.employer_id.is_some(), "billingProvider.employerId", "the employer id is missing");
}

pub fn admission_type(record: &BillingRecord, report: &mut Report<'_>) {
    let stay = record.institutional.clone().unwrap_or_default();
    let kind = stay.admission_type.unwrap_or_default();
    let text = format!("`{kind}` is no type of admission");
    report.require(ADMISSION_TYPES.contains(&kind.as_str()), "institutional.admissionType", text);
    match stay.patient_status {
        None => report.add("institutional.patientStatus", "the patient's status at the end is missing"),
        Some(code) => {
            let text = format!("`{code}` is no patient status");
            report.require(is_digits(&code, 2) || is_digits(&code, 1), "institutional.patientStatus", text);
        }
    }
}

pub fn inpatient(record: &BillingRecord, report: &mut Report<'_>) {
    if !is_inpatient(record) {
        return;
    }
    report.require(record.admission.is_some(), "admission", "the day of admission is missing");
    let told = record.institutional.as_ref().is_some_and(|stay| stay.admitting_diagnosis.is_some());
    report.require(told, "institutional.admittingDiagnosis", "the admitting diagnosis is missing");
}

pub fn inpatient_doubts(record: &BillingRecord, report: &mut Report<'_>) {
    let Some(stay) = record.institutional.as_ref().filter(|_| is_inpatient(record)) else { return };
    report.require(stay.point_of_origin.is_some(), "institutional.pointOfOrigin", "the point of origin is missing");
    let ended = matches!(record.frequency_code.as_str(), "1" | "4") && stay.patient_status.as_deref() != Some("30");
    let hour = record.discharge.as_ref().is_some_and(|discharge| discharge.time().is_some());
    report.require(hour || !ended, "discharge", "the hour of discharge is missing");
    let told = record.diagnoses.iter().any(|diagnosis| diagnosis.present_on_admission.is_some());
    report.require(told, "diagnoses", "it is not said which diagnoses were present on admission");
    let newborn = stay.admission_type.as_deref() == Some("4");
    let weighed = stay.values.iter().any(|value| value.code == "54");
    report.require(
        weighed || !newborn,
        "institutional.values",
        "the birth weight of the newborn (value code 54) is missing",
    );
}

pub fn drg(record: &BillingRecord, report: &mut Report<'_>) {
    let group = record.institutional.as_ref().and_then(|stay| stay.diagnosis_related_group.as_deref());
    if let Some(group) = group.filter(|group| !is_digits(group, 3) && !is_digits(group, 4)) {
        report.add("institutional.diagnosisRelatedGroup", format!("`{group}` is no DRG"));
    }
}

pub fn procedures(record: &BillingRecord, report: &mut Report<'_>) {
    let Some(stay) = &record.institutional else { return };
    at_most(report, "procedures", stay.procedures.len(), MOST_PROCEDURES);
    for (n, procedure) in stay.procedures.iter().enumerate().filter(|(_, procedure)| !procedure.code.is_empty()) {
        let path = format!("institutional.procedures[{n}]");
        let (fits, set) = match procedure.code_set.as_str() {
            "icd9" => (is_icd9_procedure(&procedure.code), "ICD-9-CM"),
            _ => (is_icd10_procedure(&procedure.code), "ICD-10-PCS"),
        };
        let text = format!("`{}` has not the form of an {set} procedure", procedure.code);
        report.require(fits, format_args!("{path}.code"), text);
        let text = format!("the procedure `{}` has no date", procedure.code);
        report.require(procedure.date.is_some(), format_args!("{path}.date"), text);
    }
}

pub fn statement_period(record: &BillingRecord, report: &mut Report<'_>) {
    let period = record.statement_period.clone().unwrap_or_default();
    let Some(start) = period.start.or(period.end) else {
        return report.add("statementPeriod", "the statement period is missing");
    };
    let end = period.end.unwrap_or(start);
    report.require(
        end >= start,
        "statementPeriod",
        format_args!("the statement ends on {end}, before it begins on {start}"),
    );
    report.require(
        end <= report.today,
        "statementPeriod",
        format_args!("the end of the statement, {end}, is in the future"),
    );
}

pub fn outside_period(record: &BillingRecord, report: &mut Report<'_>) {
    let Some(period) = &record.statement_period else { return };
    for (n, line) in record.service_lines.iter().enumerate() {
        let before = line.first_day().zip(period.start).is_some_and(|(day, start)| day < start);
        let after = line.last_day().zip(period.end.or(period.start)).is_some_and(|(day, end)| day > end);
        let text = format!("the service of line {} lies outside the statement period", n + 1);
        report.require(!before && !after, format_args!("serviceLines[{n}].serviceDate"), text);
    }
}

fn at_most(report: &mut Report<'_>, field: &str, count: usize, most: usize) {
    let text = format!("the claim has {count} {field}, and {most} can be sent");
    report.require(count <= most, format_args!("institutional.{field}"), text);
}

pub fn codes(record: &BillingRecord, report: &mut Report<'_>) {
    let Some(stay) = &record.institutional else { return };
    let counts = [
        ("occurrences", stay.occurrences.len(), MOST_CODES),
        ("occurrenceSpans", stay.occurrence_spans.len(), MOST_CODES),
        ("values", stay.values.len(), MOST_CODES),
        ("treatmentCodes", stay.treatment_codes.len(), MOST_CODES),
        ("reasonsForVisit", stay.reasons_for_visit.len(), MOST_REASONS),
        ("externalCauses", stay.external_causes.len(), MOST_CAUSES),
    ];
    counts.into_iter().for_each(|(field, count, most)| at_most(report, field, count, most));
    for (path, code, whole) in coded(stay, record) {
        let fits = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        report.require(fits, path.clone(), format_args!("`{code}` is no code of the UB-04"));
        report.require(whole, path, format_args!("the code `{code}` has no date"));
    }
}

/// Every two-character code with its path, and whether it has the dates that it needs.
fn coded<'r>(stay: &'r Institutional, record: &'r BillingRecord) -> Vec<(String, &'r str, bool)> {
    let mut found: Vec<(String, &str, bool)> = Vec::new();
    let at = |field: &str, n: usize| format!("institutional.{field}[{n}]");
    for (n, code) in stay.occurrences.iter().enumerate() {
        found.push((at("occurrences", n), &code.code, code.date.is_some()));
    }
    for (n, code) in stay.occurrence_spans.iter().enumerate() {
        found.push((at("occurrenceSpans", n), &code.code, code.start.is_some() && code.end.is_some()));
    }
    found.extend(stay.values.iter().enumerate().map(|(n, code)| (at("values", n), code.code.as_str(), true)));
    let conditions = record.condition_codes.iter().enumerate();
    found.extend(conditions.map(|(n, code)| (format!("conditionCodes[{n}]"), code.as_str(), true)));
    found
}
