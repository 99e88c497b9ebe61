//! Rules about payers: their order, their ids, and what earlier ones have decided.

use super::Report;
use super::code_sets::is_filing_indicator;
use crate::billing::line::ServiceLine;
use crate::billing::payer::{Coverage, OtherPayer};
use crate::billing::record::BillingRecord;
use rust_decimal::Decimal;

fn coverages(record: &BillingRecord) -> Vec<(String, &Coverage)> {
    let others = record
        .other_payers
        .iter()
        .enumerate()
        .map(|(n, payer)| (format!("otherPayers[{n}].coverage"), &payer.coverage));
    std::iter::once(("coverage".to_owned(), &record.coverage)).chain(others).collect()
}

pub fn sequences(record: &BillingRecord, report: &mut Report<'_>) {
    let coverages = coverages(record);
    for (n, (path, coverage)) in coverages.iter().enumerate() {
        let sequence = &coverage.payer_sequence;
        let again = coverages[..n].iter().any(|(_, earlier)| earlier.payer_sequence == *sequence);
        let text = format!("two payers have the place {sequence} in line");
        report.require(!again || sequence == "U", format_args!("{path}.payerSequence"), text);
    }
}

pub fn filing_indicators(record: &BillingRecord, report: &mut Report<'_>) {
    for (path, coverage) in coverages(record) {
        if let Some(code) = coverage.claim_filing_indicator.as_deref().filter(|code| !is_filing_indicator(code)) {
            report.add(format!("{path}.claimFilingIndicator"), format!("`{code}` is no kind of insurance"));
        }
    }
}

pub fn filing_unknown(record: &BillingRecord, report: &mut Report<'_>) {
    for (path, coverage) in coverages(record) {
        let known = coverage.claim_filing_indicator.as_deref().is_some_and(|code| code != "ZZ");
        let text = format!("the kind of insurance of {} is not known", coverage.payer_name);
        report.require(known, format_args!("{path}.claimFilingIndicator"), text);
    }
}

pub fn medicare_secondary(record: &BillingRecord, report: &mut Report<'_>) {
    let coverage = &record.coverage;
    let medicare = matches!(coverage.claim_filing_indicator.as_deref(), Some("MA" | "MB"));
    let behind = medicare && !matches!(coverage.payer_sequence.as_str(), "P" | "U");
    let told = !behind || coverage.insurance_type.is_some();
    report.require(told, "coverage.insuranceType", "Medicare is not the first payer, and the reason is missing");
}

pub fn payer_ids(record: &BillingRecord, report: &mut Report<'_>) {
    for (n, payer) in record.other_payers.iter().enumerate() {
        let id = &payer.coverage.payer_id;
        let path = format!("otherPayers[{n}].coverage.payerId");
        if id.is_empty() {
            report.add(path, format!("the payer {} has no id", payer.coverage.payer_name));
        } else if record.other_payers[..n].iter().any(|earlier| earlier.coverage.payer_id == *id) {
            report.add(path, format!("two other payers have the id `{id}`"));
        }
    }
}

pub fn earlier_payers(record: &BillingRecord, report: &mut Report<'_>) {
    let place = |coverage: &Coverage| "PSTABCDEFGH".find(coverage.payer_sequence.as_str());
    let Some(own) = place(&record.coverage) else { return };
    for (n, payer) in record.other_payers.iter().enumerate() {
        let earlier = place(&payer.coverage).is_some_and(|other| other < own);
        let text = format!("the payer {} comes first, and what it decided is missing", payer.coverage.payer_name);
        report.require(!earlier || payer.paid.is_some(), format_args!("otherPayers[{n}].paid"), text);
    }
}

/// For each other payer that has decided: charge = paid + adjustments, of the claim and of each line that it decided on.
pub fn balance(record: &BillingRecord, report: &mut Report<'_>) {
    for (n, payer) in record.other_payers.iter().enumerate().filter(|(_, payer)| payer.non_covered.is_none()) {
        let Some(paid) = payer.paid else { continue };
        let explained =
            paid + of_claim(payer) + record.service_lines.iter().map(|line| of_line(line, payer)).sum::<Decimal>();
        let text = format!(
            "{} paid {} and adjusted {}, which does not make up the total of {}",
            payer.coverage.payer_name,
            paid.normalize(),
            (explained - paid).normalize(),
            record.total_charge.normalize()
        );
        report.require(explained == record.total_charge, format_args!("otherPayers[{n}].paid"), text);
        record.service_lines.iter().enumerate().for_each(|(m, line)| line_balance(report, m, line, payer));
    }
}

fn of_claim(payer: &OtherPayer) -> Decimal {
    payer.adjustments.iter().map(|adjustment| adjustment.amount).sum()
}

fn of_line(line: &ServiceLine, payer: &OtherPayer) -> Decimal {
    let own = line.adjudications.iter().filter(|decided| decided.payer_id == payer.coverage.payer_id);
    own.flat_map(|decided| &decided.adjustments).map(|adjustment| adjustment.amount).sum()
}

fn line_balance(report: &mut Report<'_>, n: usize, line: &ServiceLine, payer: &OtherPayer) {
    let mut own = line
        .adjudications
        .iter()
        .enumerate()
        .filter(|(_, decided)| decided.payer_id == payer.coverage.payer_id)
        .peekable();
    let Some((first, _)) = own.peek().copied() else { return };
    let paid: Decimal = own.map(|(_, decided)| decided.paid).sum();
    let explained = paid + of_line(line, payer);
    let text = format!(
        "{} decided on {} of line {}, and its charge is {}",
        payer.coverage.payer_name,
        explained.normalize(),
        n + 1,
        line.charge.normalize()
    );
    report.require(explained == line.charge, format_args!("serviceLines[{n}].adjudications[{first}].paid"), text);
}
