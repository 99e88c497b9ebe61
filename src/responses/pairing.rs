//! Reversal and correction: CLP02 22 takes an earlier payment back with every amount turned round; the payment that
//! takes its place is a CLP of its own, usually right behind it.

use crate::billing::response::{Decision, PayerResponse};
use std::collections::HashMap;

/// A reversal and what replaces it, as positions in a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    pub reversal: usize,
    /// None when the correction has not come with this file.
    pub correction: Option<usize>,
}

/// Pairs each reversal with its correction: the same claim, after it or before it, each correction used once.
pub fn pairs(responses: &[PayerResponse]) -> Vec<Pair> {
    let reversals: Vec<usize> = (0..responses.len()).filter(|n| is_reversal(&responses[*n])).collect();
    let mut named: HashMap<&str, Vec<usize>> = HashMap::new();
    if !reversals.is_empty() {
        for (n, answer) in responses.iter().enumerate().filter(|(_, answer)| !is_reversal(answer)) {
            let keys = &answer.keys;
            let names = [&keys.patient_control_number, &keys.original_claim_control_number];
            names.into_iter().flatten().for_each(|name| named.entry(name).or_default().push(n));
        }
    }
    let mut used = vec![false; responses.len()];
    let mut pair = |reversal: usize| {
        let said = &responses[reversal];
        let names = [&said.keys.patient_control_number, &said.payer_claim_control_number];
        let mut found: Vec<usize> =
            names.into_iter().flatten().filter_map(|name| named.get(&**name)).flatten().copied().collect();
        found.sort_by_key(|n| (*n < reversal, *n));
        let correction = found.into_iter().find(|n| !used[*n] && corrects(&responses[*n], said));
        if let Some(n) = correction {
            used[n] = true;
        }
        Pair { reversal, correction }
    };
    reversals.into_iter().map(&mut pair).collect()
}

/// The statements of a file as they are taken in: a reversal before its correction, wherever they stand; else as they come.
pub fn order(responses: &[PayerResponse]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..responses.len()).collect();
    if !responses.iter().any(is_reversal) {
        return order;
    }
    let place: HashMap<usize, usize> = pairs(responses)
        .into_iter()
        .filter_map(|pair| Some((pair.reversal, pair.correction.filter(|correction| *correction < pair.reversal)?)))
        .collect();
    order.sort_by_key(|n| (*place.get(n).unwrap_or(n), !place.contains_key(n)));
    order
}

pub fn is_reversal(response: &PayerResponse) -> bool {
    response.decision == Decision::Reversed.word()
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
    fn a_reversal_is_taken_in_before_its_correction() {
        let reversal = claim("22", "A", "I1", None, -60);
        let correction = claim("1", "A", "I2", Some("I1"), 80);
        let other = claim("1", "B", "I9", None, 10);
        assert_eq!(order(&[other.clone(), correction.clone(), other.clone(), reversal.clone()]), [0, 3, 1, 2]);
        assert_eq!(order(&[reversal, other.clone(), correction]), [0, 1, 2]);
        assert_eq!(order(&[other.clone(), other]), [0, 1]);
    }
}
