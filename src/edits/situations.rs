//! Situational rules: what one value makes necessary of another.

use super::code_sets::{is_ambulance, is_anesthesia, is_unlisted, is_untimed_anesthesia};
use super::{Report, letter};
use crate::billing::line::ServiceLine;
use crate::billing::record::{Attachment, BillingRecord};

/// CLM01.
pub const LONGEST_CLAIM_NUMBER: usize = 38;
/// CLM01: what every payer must be able to return.
pub const SAFE_CLAIM_NUMBER: usize = 20;
/// NTE02.
pub const LONGEST_NOTE: usize = 80;

fn lines_of(record: &BillingRecord) -> impl Iterator<Item = (usize, &ServiceLine)> {
    record.service_lines.iter().enumerate()
}

pub fn frequency(record: &BillingRecord, report: &mut Report<'_>) {
    match record.frequency_code.as_str() {
        "1" => {}
        // The other frequencies of a type of bill are looked at with it.
        other if letter(record) == 'I' && !matches!(other, "7" | "8") => {}
        "7" | "8" => {
            let named = record.payer_claim_control_number.is_some();
            report.require(
                named,
                "payerClaimControlNumber",
                "the payer's number of the claim to be replaced or voided is missing",
            );
        }
        other => report.add("frequencyCode", format!("`{other}` is no frequency of such a claim")),
    }
}

pub fn accident(record: &BillingRecord, report: &mut Report<'_>) {
    let causes = &record.related_causes;
    if causes.iter().any(|cause| cause == "AA" || cause == "OA") {
        report.require(record.accident_date.is_some(), "accidentDate", "the date of the accident is missing");
    }
    if causes.iter().any(|cause| cause == "AA") {
        report.require(record.accident_state.is_some(), "accidentState", "the state of the car accident is missing");
    }
}

pub fn admission(record: &BillingRecord, report: &mut Report<'_>) {
    let inpatient = matches!(record.place_of_service.as_deref(), Some("21" | "51" | "61"));
    report.require(!inpatient || record.admission.is_some(), "admission", "the day of admission is missing");
}

pub fn unlisted(record: &BillingRecord, report: &mut Report<'_>) {
    for (n, line) in lines_of(record).filter(|(_, line)| is_unlisted(line.procedure())) {
        let told = line.code.as_ref().is_some_and(|code| code.description.is_some()) || line.note.is_some();
        report.require(
            told,
            format_args!("serviceLines[{n}].code.description"),
            format_args!("`{}` on line {} is not described", line.procedure(), n + 1),
        );
    }
}

pub fn minutes(record: &BillingRecord, report: &mut Report<'_>) {
    for (n, line) in lines_of(record).filter(|(_, line)| line.unit == "MJ") {
        let timed = is_anesthesia(line.procedure()) && !is_untimed_anesthesia(line.procedure());
        report.require(
            timed,
            format_args!("serviceLines[{n}].unit"),
            format_args!("line {} bills minutes for `{}`", n + 1, line.procedure()),
        );
    }
}

pub fn anesthesia(record: &BillingRecord, report: &mut Report<'_>) {
    for (n, line) in lines_of(record).filter(|(_, line)| line.unit != "MJ") {
        let timed = is_anesthesia(line.procedure()) && !is_untimed_anesthesia(line.procedure());
        report.require(
            !timed,
            format_args!("serviceLines[{n}].unit"),
            format_args!("line {} bills anesthesia in units", n + 1),
        );
    }
}

pub fn ambulance(record: &BillingRecord, report: &mut Report<'_>) {
    for (n, line) in lines_of(record).filter(|(_, line)| is_ambulance(line.procedure())) {
        let certified =
            line.condition_indicators.iter().chain(&record.condition_indicators).any(|c| c.category == "07");
        let parts = [
            ("ambulance", "reason and distance", line.ambulance.is_some() || record.ambulance.is_some()),
            ("conditionIndicators", "certification", certified),
            ("pickUp", "place of departure", line.pick_up.is_some() || record.pick_up.is_some()),
            ("dropOff", "destination", line.drop_off.is_some() || record.drop_off.is_some()),
        ];
        for (field, name, _) in parts.into_iter().filter(|(.., known)| !known) {
            report.add(
                format!("serviceLines[{n}].{field}"),
                format!("the {name} of the transport on line {} is missing", n + 1),
            );
        }
    }
}

pub fn attachments(record: &BillingRecord, report: &mut Report<'_>) {
    numbered(report, "attachments", &record.attachments);
    for (n, line) in lines_of(record) {
        numbered(report, &format!("serviceLines[{n}].attachments"), &line.attachments);
    }
}

fn numbered(report: &mut Report<'_>, path: &str, attachments: &[Attachment]) {
    let sent = |attachment: &Attachment| ["BM", "EL", "EM", "FT", "FX"].contains(&attachment.transmission.as_str());
    for (n, _) in attachments.iter().enumerate().filter(|(_, a)| sent(a) && a.control_number.is_none()) {
        report.add(format!("{path}[{n}].controlNumber"), "an attachment that is sent has no control number");
    }
}

pub fn notes(record: &BillingRecord, report: &mut Report<'_>) {
    let of_lines =
        lines_of(record).filter_map(|(n, line)| Some((format!("serviceLines[{n}].note.text"), line.note.as_ref()?)));
    let of_claim = record.notes.iter().enumerate().map(|(n, note)| (format!("notes[{n}].text"), note));
    for (path, note) in of_claim.chain(of_lines) {
        let length = note.text.chars().count();
        report.require(
            length <= LONGEST_NOTE,
            path,
            format_args!("a note has {length} characters; {LONGEST_NOTE} are sent"),
        );
    }
}

pub fn claim_number(record: &BillingRecord, report: &mut Report<'_>) {
    let number = &record.patient_control_number;
    let length = number.chars().count();
    let fine = (1..=LONGEST_CLAIM_NUMBER).contains(&length) && number.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    report.require(fine, "patientControlNumber", format_args!("`{number}` can't be the number of a claim"));
}

pub fn claim_number_length(record: &BillingRecord, report: &mut Report<'_>) {
    let length = record.patient_control_number.chars().count();
    let text = format!("the claim's number has {length} characters");
    report.require(!(SAFE_CLAIM_NUMBER + 1..=LONGEST_CLAIM_NUMBER).contains(&length), "patientControlNumber", text);
}

pub fn lines(record: &BillingRecord, report: &mut Report<'_>) {
    report.require(!record.service_lines.is_empty(), "serviceLines", "the claim has no lines");
}

pub fn claim_type(record: &BillingRecord, report: &mut Report<'_>) {
    for (n, line) in lines_of(record) {
        if let Some(code) = &line.revenue_code {
            let text = format!("line {} has the revenue code {code}, as in an institutional claim", n + 1);
            report.add(format!("serviceLines[{n}].revenueCode"), text);
        }
    }
}

pub fn line_twice(record: &BillingRecord, report: &mut Report<'_>) {
    let what = |line: &ServiceLine| (line.code.clone(), line.revenue_code.clone(), line.dental.clone());
    let same = |a: &ServiceLine, b: &ServiceLine| {
        a.charge == b.charge && a.service_date == b.service_date && what(a) == what(b)
    };
    for (n, line) in lines_of(record) {
        if let Some(m) = record.service_lines[..n].iter().position(|earlier| same(earlier, line)) {
            report.add(format!("serviceLines[{n}]"), format!("the lines {} and {} are the same", m + 1, n + 1));
        }
    }
}
