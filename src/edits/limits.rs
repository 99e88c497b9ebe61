//! Rules about units, pairs of codes, validity by the day, and prior authorization: what the payer, or a table in `codes_dir`,
//! says.

use super::Report;
use crate::billing::line::ServiceLine;
use crate::billing::record::BillingRecord;
use crate::code_forms::is_digits;
use jiff::civil::Date;
use rust_decimal::Decimal;

fn lines(record: &BillingRecord) -> impl Iterator<Item = (usize, &ServiceLine)> {
    record.service_lines.iter().enumerate()
}

fn day_of(record: &BillingRecord, line: &ServiceLine) -> Option<Date> {
    line.first_day().or_else(|| record.statement_period.as_ref().and_then(|period| period.start))
}

fn has(line: &ServiceLine, modifier: &str) -> bool {
    line.modifiers().iter().any(|each| each == modifier)
}

pub fn whole_units(record: &BillingRecord, report: &mut Report<'_>) {
    for (n, line) in lines(record).filter(|(_, line)| line.unit == "UN" && !line.procedure().is_empty()) {
        let text = format!("line {} bills {} units of `{}`", n + 1, line.quantity.normalize(), line.procedure());
        report.require(line.quantity.fract().is_zero(), format_args!("serviceLines[{n}].quantity"), text);
    }
}

/// Visits that take place once on a day: office, hospital, emergency, consultation, preventive (CPT 99202 to 99397).
fn is_visit(code: &str) -> bool {
    const PROLONGED: std::ops::RangeInclusive<&str> = "99354"..="99360";
    is_digits(code, 5)
        && ("99202"..="99397").contains(&code)
        && !PROLONGED.contains(&code)
        && !("99291"..="99292").contains(&code)
}

pub fn one_unit(record: &BillingRecord, report: &mut Report<'_>) {
    for (n, line) in lines(record).filter(|(_, line)| line.quantity > Decimal::ONE) {
        let days = line.first_day().zip(line.last_day()).map_or(1, |(first, last)| (last - first).get_days() + 1);
        let path = format!("serviceLines[{n}].quantity");
        if is_visit(line.procedure()) && line.quantity > Decimal::from(days) {
            report.add(path, format!("`{}` on line {} took place more than once a day", line.procedure(), n + 1));
        } else if has(line, "50") {
            report.add(path, format!("line {} is bilateral (modifier 50) and has more than one unit", n + 1));
        }
    }
}

pub fn unit_limits(record: &BillingRecord, report: &mut Report<'_>) {
    for (n, line) in lines(record) {
        let Some(limit) = report.tables.unit_limit(line.procedure()) else { continue };
        let same = |other: &&ServiceLine| {
            other.procedure() == line.procedure() && day_of(record, other) == day_of(record, line)
        };
        let first = record.service_lines.iter().position(|other| same(&other)) == Some(n);
        let units = match limit.of_line {
            true => line.quantity,
            false if first => record.service_lines.iter().filter(same).map(|other| other.quantity).sum(),
            false => continue,
        };
        let text =
            format!("{} units of `{}`, and at most {} are paid", units.normalize(), line.procedure(), limit.most);
        report.require(units <= Decimal::from(limit.most), format_args!("serviceLines[{n}].quantity"), text);
    }
}

/// Modifiers that tell two services apart (NCCI policy manual, chapter I).
const APART: &[&str] = &[
    "25", "27", "57", "58", "59", "78", "79", "91", "XE", "XP", "XS", "XU", "LT", "RT", "E1", "E2", "E3", "E4", "FA",
    "F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "TA", "T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8", "T9",
    "LC", "LD", "LM", "RC", "RI",
];

pub fn pairs(record: &BillingRecord, report: &mut Report<'_>) {
    for (n, second) in lines(record) {
        let Some(day) = day_of(record, second) else { continue };
        let told_apart =
            |line: &ServiceLine| line.modifiers().iter().any(|modifier| APART.contains(&modifier.as_str()));
        let part = lines(record).find_map(|(m, first)| {
            let same_day = m != n && day_of(record, first) == Some(day);
            let by_modifier =
                report.tables.is_part_of(first.procedure(), second.procedure(), day).filter(|_| same_day)?;
            (!by_modifier || !(told_apart(first) || told_apart(second))).then_some((first, by_modifier))
        });
        if let Some((first, by_modifier)) = part {
            let how = if by_modifier { "; a modifier could tell them apart" } else { "" };
            let text = format!("`{}` is part of `{}` on the same day{how}", second.procedure(), first.procedure());
            report.add(format!("serviceLines[{n}].code.value"), text);
        }
    }
}

pub fn validity(record: &BillingRecord, report: &mut Report<'_>) {
    let first = record.service_lines.iter().filter_map(ServiceLine::first_day).min();
    let stay = record.statement_period.as_ref().and_then(|period| period.end.or(period.start));
    let on = if record.institutional.is_some() { stay.or(first) } else { first.or(stay) };
    if let Some(on) = on {
        for (n, diagnosis) in record.diagnoses.iter().enumerate().filter(|(_, each)| each.code_set == "icd10") {
            valid(report, "icd10cm", &diagnosis.code, on, format!("diagnoses[{n}].code"));
        }
        let procedures = record.institutional.iter().flat_map(|stay| stay.procedures.iter().enumerate());
        for (n, procedure) in procedures.filter(|(_, each)| each.code_set == "icd10") {
            let day = procedure.date.unwrap_or(on);
            valid(report, "icd10pcs", &procedure.code, day, format!("institutional.procedures[{n}].code"));
        }
    }
    for (n, line) in lines(record) {
        let Some(day) = day_of(record, line) else { continue };
        let list = match line.procedure().as_bytes().first() {
            Some(b'D') => "cdt",
            Some(byte) if byte.is_ascii_digit() => "cpt",
            Some(_) => "hcpcs",
            None => continue,
        };
        valid(report, list, line.procedure(), day, format!("serviceLines[{n}].code.value"));
    }
}

fn valid(report: &mut Report<'_>, list: &str, code: &str, on: Date, path: String) {
    if report.tables.is_valid(list, code, on) == Some(false) {
        report.add(path, format!("`{code}` is no code of {list} on {on}"));
    }
}

pub fn authorization(record: &BillingRecord, report: &mut Report<'_>) {
    let wanted = |code: &str| {
        report.authorization.iter().any(|range| match range.split_once('-') {
            Some((from, to)) => code.len() == from.len() && (from..=to).contains(&code),
            None => range == code,
        })
    };
    if record.prior_authorization.is_some() {
        return;
    }
    let unauthorized: Vec<(usize, String)> = lines(record)
        .filter(|(_, line)| line.prior_authorizations.is_empty())
        .filter_map(|(n, line)| {
            let codes = [line.procedure(), line.revenue_code.as_deref().unwrap_or_default()];
            codes.into_iter().find(|code| wanted(code)).map(|code| (n, code.to_owned()))
        })
        .collect();
    for (n, code) in unauthorized {
        let text = format!("this payer wants a prior authorization for `{code}`, and line {} has none", n + 1);
        report.add(format!("serviceLines[{n}].priorAuthorizations"), text);
    }
}
