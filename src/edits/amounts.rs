//! Rules about money and quantities.

use super::Report;
use crate::billing::record::BillingRecord;
use rust_decimal::Decimal;

/// Largest amount: eight digits before the point, two behind.
pub const LARGEST: Decimal = Decimal::from_parts(1_410_065_407, 2, 0, false, 2);

pub fn total(record: &BillingRecord, report: &mut Report<'_>) {
    let sum: Decimal = record.service_lines.iter().map(|line| line.charge).sum();
    let text =
        format!("the total {} is not the sum of the lines, {}", record.total_charge.normalize(), sum.normalize());
    report.require(record.total_charge == sum, "totalCharge", text);
}

pub fn ranges(record: &BillingRecord, report: &mut Report<'_>) {
    amount(report, "totalCharge".into(), record.total_charge);
    if let Some(paid) = record.patient_paid {
        amount(report, "patientPaid".into(), paid);
    }
    for (n, line) in record.service_lines.iter().enumerate() {
        amount(report, format!("serviceLines[{n}].charge"), line.charge);
    }
    for (n, payer) in record.other_payers.iter().enumerate() {
        if let Some(paid) = payer.paid {
            amount(report, format!("otherPayers[{n}].paid"), paid);
        }
    }
}

fn amount(report: &mut Report<'_>, path: String, value: Decimal) {
    let shown = value.normalize();
    if value.is_sign_negative() && !value.is_zero() {
        report.add(path, format!("the amount {shown} is negative"));
    } else if value > LARGEST {
        report.add(path, format!("the amount {shown} is more than {LARGEST}"));
    } else if shown.scale() > 2 {
        report.add(path, format!("the amount {shown} has fractions of a cent"));
    }
}

pub fn quantities(record: &BillingRecord, report: &mut Report<'_>) {
    for (n, line) in record.service_lines.iter().enumerate() {
        let quantity = line.quantity.normalize();
        let fine = quantity > Decimal::ZERO && quantity.scale() <= 3;
        report.require(
            fine,
            format_args!("serviceLines[{n}].quantity"),
            format_args!("line {} has the quantity {quantity}", n + 1),
        );
    }
}
