//! What dental claims must say (005010X224A2): teeth, surfaces, prostheses, orthodontics.

use super::Report;
use super::code_sets::{is_of_one_tooth, is_oral_cavity, is_surface, is_tooth};
use crate::billing::dental::DentalLine;
use crate::billing::record::BillingRecord;

/// TOO03.
const MOST_SURFACES: usize = 5;
/// TOO.
const MOST_TEETH: usize = 32;
/// SV304.
const MOST_CAVITIES: usize = 5;

fn lines(record: &BillingRecord) -> impl Iterator<Item = (usize, &DentalLine)> {
    record.service_lines.iter().enumerate().filter_map(|(n, line)| Some((n, line.dental.as_ref()?)))
}

pub fn teeth(record: &BillingRecord, report: &mut Report<'_>) {
    let status = record.dental.iter().flat_map(|dental| dental.tooth_status.iter().enumerate());
    for (n, tooth) in status.filter(|(_, tooth)| !is_tooth(&tooth.tooth)) {
        report.add(format!("dental.toothStatus[{n}].tooth"), format!("`{}` is no tooth", tooth.tooth));
    }
    for (n, line) in lines(record) {
        let path = format!("serviceLines[{n}].dental.teeth");
        let text = format!("line {} has {} teeth, and {MOST_TEETH} can be sent", n + 1, line.teeth.len());
        report.require(line.teeth.len() <= MOST_TEETH, &path, text);
        for (m, tooth) in line.teeth.iter().enumerate() {
            report.require(
                is_tooth(&tooth.number),
                format_args!("{path}[{m}].number"),
                format_args!("`{}` is no tooth", tooth.number),
            );
            let few = tooth.surfaces.len() <= MOST_SURFACES;
            let text = format!("tooth {} has more than {MOST_SURFACES} surfaces", tooth.number);
            report.require(few, format_args!("{path}[{m}].surfaces"), text);
            for (s, surface) in tooth.surfaces.iter().enumerate().filter(|(_, surface)| !is_surface(surface)) {
                report.add(format!("{path}[{m}].surfaces[{s}]"), format!("`{surface}` is no surface of a tooth"));
            }
        }
    }
}

pub fn tooth_missing(record: &BillingRecord, report: &mut Report<'_>) {
    for (n, line) in record.service_lines.iter().enumerate().filter(|(_, line)| is_of_one_tooth(line.procedure())) {
        let named = line.dental.as_ref().is_some_and(|dental| !dental.teeth.is_empty());
        let text = format!("`{}` on line {} names no tooth", line.procedure(), n + 1);
        report.require(named, format_args!("serviceLines[{n}].code.value"), text);
    }
}

pub fn oral_cavities(record: &BillingRecord, report: &mut Report<'_>) {
    for (n, line) in lines(record) {
        let path = format!("serviceLines[{n}].dental.oralCavities");
        let text = format!("line {} names more than {MOST_CAVITIES} areas of the mouth", n + 1);
        report.require(line.oral_cavities.len() <= MOST_CAVITIES, &path, text);
        for (m, code) in line.oral_cavities.iter().enumerate().filter(|(_, code)| !is_oral_cavity(code)) {
            report.add(format!("{path}[{m}]"), format!("`{code}` is no area of the mouth"));
        }
    }
}

pub fn prostheses(record: &BillingRecord, report: &mut Report<'_>) {
    for (n, line) in lines(record).filter(|(_, line)| line.prosthesis.as_deref() == Some("R")) {
        let dated = line.prior_placement.is_some() || line.estimated_prior_placement.is_some();
        let text = format!("line {} replaces a prosthesis, and its placement has no date", n + 1);
        report.require(dated, format_args!("serviceLines[{n}].dental.priorPlacement"), text);
    }
}

pub fn orthodontics(record: &BillingRecord, report: &mut Report<'_>) {
    let treated = record.service_lines.iter().any(|line| ("D8010"..="D8090").contains(&line.procedure()));
    let told = record.dental.as_ref().is_some_and(|dental| dental.orthodontics.is_some());
    report.require(told || !treated, "dental.orthodontics", "the months of the orthodontic treatment are missing");
}
