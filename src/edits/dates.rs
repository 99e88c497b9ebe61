//! Rules about dates.

use super::Report;
use crate::billing::record::{BillingRecord, DateRange};
use jiff::civil::Date;

pub fn service_dates(record: &BillingRecord, report: &mut Report<'_>) {
    let told = record.dental.as_ref().is_some_and(|dental| dental.service_date.is_some());
    if told || record.intent == "predetermination" {
        return;
    }
    for (n, line) in record.service_lines.iter().enumerate() {
        let known = line.first_day().is_some();
        report.require(
            known,
            format_args!("serviceLines[{n}].serviceDate"),
            format_args!("line {} has no date of service", n + 1),
        );
    }
}

pub fn order(record: &BillingRecord, report: &mut Report<'_>) {
    let today = report.today;
    if let Some(dates) = record.dental.as_ref().and_then(|dental| dental.service_date.as_ref()) {
        range(report, "dental.serviceDate".into(), dates, today);
    }
    for (n, line) in record.service_lines.iter().enumerate() {
        let dates = line.service_date.iter();
        dates.for_each(|dates| range(report, format!("serviceLines[{n}].serviceDate"), dates, today));
    }
    let first = service_days(record).map(|(first, _)| first);
    if let Some(birth) = record.patient.birth_date {
        let late = birth > today || first.is_some_and(|first| birth > first);
        report.require(
            !late,
            "patient.birthDate",
            format_args!("the patient's birth date {birth} is after the service, or after today"),
        );
    }
    if let (Some(death), Some(first)) = (record.patient_death_date, first) {
        report.require(
            death >= first,
            "patientDeathDate",
            format_args!("the patient died on {death}, before the service of {first}"),
        );
    }
    if let Some(date) = record.accident_date.filter(|date| *date > today) {
        report.add("accidentDate", format!("the accident of {date} is in the future"));
    }
    if let (Some(admission), Some(discharge)) = (&record.admission, &record.discharge) {
        let (admission, discharge) = (admission.date(), discharge.date());
        report.require(
            discharge >= admission,
            "discharge",
            format_args!("the discharge of {discharge} is before the admission of {admission}"),
        );
    }
}

fn range(report: &mut Report<'_>, path: String, range: &DateRange, today: Date) {
    let last = range.end.or(range.start);
    if let (Some(start), Some(end)) = (range.start, range.end) {
        report.require(end >= start, &path, format_args!("the service ends on {end}, before it begins on {start}"));
    }
    if let Some(last) = last.filter(|last| *last > today) {
        report.add(path, format!("the service of {last} is in the future"));
    }
}

/// The first and the last day of service, of the lines or of the claim.
fn service_days(record: &BillingRecord) -> Option<(Date, Date)> {
    let of_claim = record.dental.iter().filter_map(|dental| dental.service_date.as_ref());
    let of_claim = of_claim.chain(record.statement_period.as_ref().filter(|_| record.institutional.is_some()));
    let of_lines = record.service_lines.iter().filter_map(|line| line.service_date.as_ref());
    let days = || of_lines.clone().chain(of_claim.clone()).flat_map(|range| [range.start, range.end]).flatten();
    Some((days().min()?, days().max()?))
}

pub fn doubts(record: &BillingRecord, report: &mut Report<'_>) {
    let Some((_, last)) = service_days(record) else { return };
    for (path, what, day) in [("onset", "onset", record.onset), ("accidentDate", "accident", record.accident_date)] {
        if let Some(day) = day.filter(|day| *day > last) {
            report.add(path, format!("the {what} of {day} is after the last service, of {last}"));
        }
    }
}
