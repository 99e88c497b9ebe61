//! Splits a claim with more lines than a transaction takes into linked claims.
//!
//! 005010X222A1 and 005010X224A2 take 50 service lines a claim, 005010X223A2 takes 999 (loop 2400). Each part is a whole claim: same parties, diagnoses and payers,
//! its own number (CLM01 with a letter behind) and its own total. Line control numbers are kept, so that a remittance finds
//! its way back to the caller's lines.

use super::line::ServiceLine;
use super::payer::OtherPayer;
use super::record::BillingRecord;
use rust_decimal::Decimal;

/// Claims of a transaction set (implementation note of the 837 guides, CLM).
pub const CLAIMS_OF_A_SET: usize = 5_000;
/// CLM01.
const LONGEST_NUMBER: usize = 38;

/// The parts of a claim, in the order of its lines; a claim that is short enough is its own only part.
pub fn split(record: BillingRecord, most: usize) -> Vec<BillingRecord> {
    if record.service_lines.len() <= most || most == 0 {
        return vec![record];
    }
    let lines = record.service_lines.clone();
    let parts: Vec<&[ServiceLine]> = lines.chunks(most).collect();
    parts.iter().enumerate().map(|(n, lines)| part(&record, n, lines)).collect()
}

fn part(whole: &BillingRecord, n: usize, lines: &[ServiceLine]) -> BillingRecord {
    let suffix = letters(n);
    let room = LONGEST_NUMBER - suffix.len();
    let stem: String = whole.patient_control_number.chars().take(room).collect();
    let payers = whole.other_payers.iter().map(|payer| payer_of_part(payer, n, lines)).collect();
    BillingRecord {
        patient_control_number: stem + &suffix,
        total_charge: lines.iter().map(|line| line.charge).sum(),
        // What the patient paid is told once.
        patient_paid: whole.patient_paid.filter(|_| n == 0),
        other_payers: payers,
        service_lines: lines.to_vec(),
        ..whole.clone()
    }
}

/// What another payer decided on these lines. Amounts that are not of a line are told with the first part only.
fn payer_of_part(payer: &OtherPayer, n: usize, lines: &[ServiceLine]) -> OtherPayer {
    let decided =
        lines.iter().flat_map(|line| &line.adjudications).filter(|decided| decided.payer_id == payer.coverage.payer_id);
    let of_lines: Decimal = decided.map(|decided| decided.paid).sum();
    let first = n == 0;
    let adjustments = if first { payer.adjustments.clone() } else { Vec::new() };
    let of_claim: Decimal = adjustments.iter().map(|adjustment| adjustment.amount).sum();
    OtherPayer {
        paid: payer.paid.map(|_| of_lines - of_claim),
        adjustments,
        non_covered: payer.non_covered.map(|_| lines.iter().map(|line| line.charge).sum()),
        patient_liability: payer.patient_liability.filter(|_| first),
        ..payer.clone()
    }
}

/// A, B … Z, AA, AB …
fn letters(n: usize) -> String {
    let letter = char::from(b'A' + (n % 26) as u8);
    if n < 26 { letter.to_string() } else { letters(n / 26 - 1) + &letter.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::payer::{Coverage, LineAdjudication};
    use proptest::prelude::*;

    /// Loop 2400 of 005010X222A1.
    const LINES_OF_A_CLAIM: usize = 50;

    fn claim(lines: usize) -> BillingRecord {
        let service_lines: Vec<ServiceLine> = (0..lines)
            .map(|n| ServiceLine {
                sequence: n as u32 + 1,
                charge: Decimal::from(n + 1),
                control_number: format!("C1-{}", n + 1),
                adjudications: vec![LineAdjudication {
                    payer_id: "P".into(),
                    paid: Decimal::ONE,
                    ..Default::default()
                }],
                ..Default::default()
            })
            .collect();
        let paid = Some(Decimal::from(lines));
        let coverage = Coverage { payer_id: "P".into(), ..Default::default() };
        BillingRecord {
            patient_control_number: "C1".into(),
            total_charge: service_lines.iter().map(|line| line.charge).sum(),
            patient_paid: Some(Decimal::TEN),
            other_payers: vec![OtherPayer { coverage, paid, ..Default::default() }],
            service_lines,
            ..Default::default()
        }
    }

    #[test]
    fn fifty_lines_are_one_claim_and_fifty_one_are_two() {
        assert_eq!(split(claim(50), LINES_OF_A_CLAIM), [claim(50)]);
        let parts = split(claim(51), LINES_OF_A_CLAIM);
        let numbers: Vec<&str> = parts.iter().map(|part| part.patient_control_number.as_str()).collect();
        assert_eq!(numbers, ["C1A", "C1B"]);
        assert_eq!(parts[1].service_lines[0].control_number, "C1-51");
        assert_eq!((parts[0].patient_paid, parts[1].patient_paid), (Some(Decimal::TEN), None));
    }

    #[test]
    fn numbers_stay_within_their_length() {
        let mut long = claim(120);
        long.patient_control_number = "9".repeat(38);
        let numbers: Vec<usize> = split(long, 50).iter().map(|part| part.patient_control_number.len()).collect();
        assert_eq!(numbers, [38, 38, 38]);
        assert_eq!([0, 25, 26, 701, 702].map(letters), ["A", "Z", "AA", "ZZ", "AAA"]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost(lines in 0_usize..200, most in 1_usize..60) {
            let whole = claim(lines);
            let parts = split(whole.clone(), most);
            let rejoined: Vec<ServiceLine> = parts.iter().flat_map(|part| part.service_lines.clone()).collect();
            prop_assert_eq!(&rejoined, &whole.service_lines);
            prop_assert_eq!(parts.iter().map(|part| part.total_charge).sum::<Decimal>(), whole.total_charge);
            let paid: Decimal = parts.iter().filter_map(|part| part.other_payers[0].paid).sum();
            prop_assert_eq!(paid, Decimal::from(lines));
            prop_assert!(parts.iter().all(|part| part.service_lines.len() <= most));
        }
    }
}
