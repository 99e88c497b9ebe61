//! Reversal and correction: CLP02 22 takes an earlier payment back with every amount turned round; the payment that
//! takes its place is a CLP of its own, usually right behind it.

use crate::billing::response::{Decision, PayerResponse};
use rust_decimal::Decimal;

/// A reversal and what replaces it, as positions in a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    pub reversal: usize,
    /// None when the correction has not come with this file.
    pub correction: Option<usize>,
}

/// Pairs each reversal with its correction: the same claim, after it or before it, each correction used once.
pub fn pairs(responses: &[PayerResponse]) -> Vec<Pair> {
    let mut used = vec![false; responses.len()];
    let reversals = (0..responses.len()).filter(|n| is_reversal(&responses[*n]));
    let mut pairs = Vec::new();
    for reversal in reversals {
        let after = reversal + 1..responses.len();
        let found = after.chain(0..reversal).find(|n| !used[*n] && corrects(&responses[*n], &responses[reversal]));
        if let Some(n) = found {
            used[n] = true;
        }
        pairs.push(Pair { reversal, correction: found });
    }
    pairs
}

pub fn is_reversal(response: &PayerResponse) -> bool {
    response.decision == Decision::Reversed.word()
}

/// Whether a reversal takes back the payment that an earlier answer told of: the same number of the payer, when both know
/// it, and the amount with its sign turned. A reversal never takes back its own correction, which pays another amount.
pub fn takes_back(reversal: &PayerResponse, earlier_number: Option<&str>, earlier_paid: Decimal) -> bool {
    let said = [&reversal.payer_claim_control_number, &reversal.keys.original_claim_control_number];
    let mut said = said.into_iter().flatten().peekable();
    let numbers_agree = match earlier_number {
        Some(earlier) if said.peek().is_some() => said.any(|number| number == earlier),
        _ => true,
    };
    let paid = reversal.adjudication.as_ref().map(|adjudication| adjudication.paid);
    is_reversal(reversal) && numbers_agree && paid == Some(-earlier_paid)
}

/// Whether an answer is the correction of a reversal: it names the reversed number (REF*F8), or it is another payment of
/// the same claim number and charge.
fn corrects(answer: &PayerResponse, reversal: &PayerResponse) -> bool {
    let (Some(new), Some(old)) = (&answer.adjudication, &reversal.adjudication) else { return false };
    if is_reversal(answer) {
        return false;
    }
    let named = answer.keys.original_claim_control_number.as_ref();
    let same_claim = answer.keys.patient_control_number.is_some()
        && answer.keys.patient_control_number == reversal.keys.patient_control_number;
    match named {
        Some(named) => reversal.payer_claim_control_number.as_ref() == Some(named) || same_claim,
        None => same_claim && new.charge == -old.charge,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::response::{Adjudication, CorrelationKeys};

    fn claim(status: &str, number: &str, icn: &str, original: Option<&str>, paid: i64) -> PayerResponse {
        let decision = if status == "22" { Decision::Reversed } else { Decision::Adjudicated };
        let sign = if status == "22" { -1 } else { 1 };
        PayerResponse {
            transaction: "835".into(),
            decision: decision.word().into(),
            payer_claim_control_number: Some(icn.into()),
            keys: CorrelationKeys {
                patient_control_number: Some(number.into()),
                original_claim_control_number: original.map(str::to_owned),
                ..CorrelationKeys::default()
            },
            adjudication: Some(Adjudication {
                charge: (120 * sign).into(),
                paid: paid.into(),
                ..Adjudication::default()
            }),
            ..PayerResponse::default()
        }
    }

    #[test]
    fn a_correction_is_found_behind_before_or_not_at_all() {
        let reversal = claim("22", "A", "I1", None, -60);
        let correction = claim("1", "A", "I2", Some("I1"), 80);
        let other = claim("1", "B", "I9", None, 10);
        let found = pairs(&[other.clone(), reversal.clone(), correction.clone()]);
        assert_eq!(found, [Pair { reversal: 1, correction: Some(2) }]);
        assert_eq!(pairs(&[correction, reversal.clone()]), [Pair { reversal: 1, correction: Some(0) }]);
        assert_eq!(pairs(&[other, reversal]), [Pair { reversal: 1, correction: None }]);
    }

    #[test]
    fn two_reversals_of_one_number_take_two_corrections() {
        let reversal = claim("22", "A", "I1", None, -60);
        let correction = claim("1", "A", "I2", None, 80);
        let found = pairs(&[reversal.clone(), reversal, correction.clone(), correction]);
        assert_eq!(found.iter().filter_map(|pair| pair.correction).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn a_reversal_takes_back_what_was_paid_and_nothing_else() {
        let reversal = claim("22", "A", "I1", None, -60);
        assert!(takes_back(&reversal, Some("I1"), Decimal::from(60)));
        assert!(takes_back(&reversal, None, Decimal::from(60)));
        assert!(!takes_back(&reversal, Some("I2"), Decimal::from(60)));
        assert!(!takes_back(&reversal, Some("I1"), Decimal::from(80)));
    }
}
