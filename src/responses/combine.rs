//! A claim of more lines than one transaction takes goes out in parts, and each part is answered by itself: the answers
//! together are one answer to the claim.

use crate::billing::response::{Adjudication, Decision, PayerResponse, Reference};
use rust_decimal::Decimal;

/// REF qualifier of a payer claim control number.
const PAYER_NUMBER: &str = "1K";

/// The answers to the parts of a claim as one: money added up, lines and remarks put together, the payer's numbers of the
/// other parts kept as references. `complete` is whether every part has been answered. Payment and dates are those of the
/// newest answer.
pub fn combine(answers: Vec<PayerResponse>, complete: bool) -> PayerResponse {
    let mut whole = newest(&answers).cloned().unwrap_or_default();
    let denied = !answers.is_empty() && answers.iter().all(|answer| answer.decision == Decision::Denied.word());
    whole.decision = if denied { Decision::Denied } else { Decision::Adjudicated }.word().into();
    whole.payer_claim_control_number = answers.iter().find_map(|answer| answer.payer_claim_control_number.clone());
    let mut sum = Adjudication { balanced: true, incomplete: (!complete).then_some(true), ..Adjudication::default() };
    for answer in answers {
        if let Some(number) =
            answer.payer_claim_control_number.filter(|n| Some(n) != whole.payer_claim_control_number.as_ref())
        {
            sum.references.push(Reference { qualifier: PAYER_NUMBER.into(), value: number, text: None });
        }
        add(&mut sum, answer.adjudication.unwrap_or_default());
    }
    whole.keys.charge = Some(sum.charge);
    whole.adjudication = Some(sum);
    whole
}

fn newest(answers: &[PayerResponse]) -> Option<&PayerResponse> {
    answers.iter().max_by_key(|answer| answer.stated)
}

fn add(sum: &mut Adjudication, part: Adjudication) {
    // A part that was denied does not make the claim denied.
    if sum.status.is_empty() || sum.status == "4" {
        sum.status = part.status;
    }
    sum.charge += part.charge;
    sum.paid += part.paid;
    sum.patient_responsibility = plus(sum.patient_responsibility, part.patient_responsibility);
    sum.claim_filing_indicator = sum.claim_filing_indicator.take().or(part.claim_filing_indicator);
    sum.facility_code = sum.facility_code.take().or(part.facility_code);
    sum.frequency_code = sum.frequency_code.take().or(part.frequency_code);
    sum.drg = sum.drg.take().or(part.drg);
    sum.drg_weight = sum.drg_weight.or(part.drg_weight);
    sum.discharge_fraction = sum.discharge_fraction.or(part.discharge_fraction);
    sum.details.extend(part.details);
    sum.others.extend(part.others);
    sum.adjustments.extend(part.adjustments);
    sum.amounts.extend(part.amounts);
    sum.quantities.extend(part.quantities);
    sum.references.extend(part.references);
    sum.dates.extend(part.dates);
    sum.lines.extend(part.lines);
    sum.balanced &= part.balanced;
    for remark in part.remarks {
        if !sum.remarks.contains(&remark) {
            sum.remarks.push(remark);
        }
    }
    if sum.parties.is_empty() {
        sum.parties = part.parties;
    }
}

fn plus(a: Option<Decimal>, b: Option<Decimal>) -> Option<Decimal> {
    match (a, b) {
        (None, None) => None,
        (a, b) => Some(a.unwrap_or_default() + b.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::response::AdjudicatedLine;

    fn part(status: &str, charge: i64, paid: i64, number: &str, day: &str) -> PayerResponse {
        let decision = if status == "4" { Decision::Denied } else { Decision::Adjudicated };
        PayerResponse {
            decision: decision.word().into(),
            stated: day.parse().ok(),
            payer_claim_control_number: Some(number.into()),
            adjudication: Some(Adjudication {
                status: status.into(),
                charge: charge.into(),
                paid: paid.into(),
                lines: vec![AdjudicatedLine::default()],
                balanced: true,
                ..Adjudication::default()
            }),
            ..PayerResponse::default()
        }
    }

    #[test]
    fn money_adds_up_and_numbers_are_kept() {
        let whole = combine(vec![part("4", 50, 0, "I1", "2025-01-02"), part("1", 30, 20, "I2", "2025-01-01")], true);
        let sum = whole.adjudication.unwrap();
        assert_eq!((sum.charge, sum.paid, sum.lines.len()), (Decimal::from(80), Decimal::from(20), 2));
        assert_eq!((sum.status.as_str(), sum.incomplete), ("1", None));
        assert_eq!(whole.decision, "adjudicated");
        assert_eq!(whole.stated, "2025-01-02".parse().ok());
        assert_eq!(whole.payer_claim_control_number.as_deref(), Some("I1"));
        assert_eq!(sum.references[0].value, "I2");
    }

    #[test]
    fn a_part_that_is_missing_leaves_it_incomplete() {
        let whole = combine(vec![part("4", 50, 0, "I1", "2025-01-02")], false);
        assert_eq!(whole.decision, "denied");
        assert_eq!(whole.adjudication.unwrap().incomplete, Some(true));
        assert_eq!(combine(Vec::new(), false).adjudication.unwrap().lines.len(), 0);
    }
}
