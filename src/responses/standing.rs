//! Which payments of a claim stand, whatever order payers' files come in: what was said twice counts once, a reversal takes back
//! what it reverses though that comes later, and never its own correction.

use crate::billing::response::{PayerResponse, SourceRange};
use crate::responses::pairing;
use rust_decimal::Decimal;

/// A statement about a part of a claim.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    pub part: u32,
    pub answer: PayerResponse,
}

/// Whether two statements say the same: all but for the envelope they came in.
pub fn repeats(one: &PayerResponse, other: &PayerResponse) -> bool {
    let bare = |said: &PayerResponse| PayerResponse { source: SourceRange::default(), ..said.clone() };
    let alike = one.transaction == other.transaction && one.decision == other.decision && one.stated == other.stated;
    alike && bare(one) == bare(other)
}

/// The payments that stand, those decided first first; what was decided on one day in the order of its coming.
pub fn standing(heard: &[Said]) -> Vec<&Said> {
    let mut payments: Vec<&Said> = Vec::new();
    let mut reversals: Vec<&Said> = Vec::new();
    for said in heard.iter().filter(|said| said.answer.adjudication.is_some()) {
        let kind = if pairing::is_reversal(&said.answer) { &mut reversals } else { &mut payments };
        if !kind.iter().any(|known| known.part == said.part && repeats(&known.answer, &said.answer)) {
            kind.push(said);
        }
    }
    payments.sort_by_key(|said| said.answer.stated);
    for reversal in reversals {
        if let Some(taken) = taken_back(reversal, &payments) {
            let taken = payments.remove(taken);
            payments.retain(|payment| !is_reissued(payment, taken));
        }
    }
    payments
}

/// Which of the payments a reversal takes back: the one whose number and money it names best, of several the newest; one that
/// it does not name at all only when that was decided before, and there is no other.
fn taken_back(reversal: &Said, payments: &[&Said]) -> Option<usize> {
    let eligible = |payment: &Said| payment.part == reversal.part && could_be_meant(&reversal.answer, &payment.answer);
    let found: Vec<usize> = (0..payments.len()).filter(|n| eligible(payments[*n])).collect();
    let fit = |n: &usize| fit(&reversal.answer, &payments[*n].answer);
    let before = |n: &usize| payments[*n].answer.stated < reversal.answer.stated;
    match found.as_slice() {
        [only] if fit(only) > 0 || before(only) => Some(*only),
        _ => found.into_iter().filter(|n| fit(n) > 0).max_by_key(|n| (fit(n), before(n), *n)),
    }
}

/// Whether a payment that was taken back is this one, told under another number of the transfer.
fn is_reissued(earlier: &Said, taken: &Said) -> bool {
    let (one, other) = (&earlier.answer, &taken.answer);
    earlier.part == taken.part
        && one.stated <= other.stated
        && one.payer_claim_control_number.is_some()
        && one.payer_claim_control_number == other.payer_claim_control_number
        && one.adjudication == other.adjudication
}

/// What was decided later, in the same set or as its correction is not what a reversal is about.
fn could_be_meant(reversal: &PayerResponse, payment: &PayerResponse) -> bool {
    let later = payment.stated.zip(reversal.stated).is_some_and(|(payment, reversal)| payment > reversal);
    let corrects = match &payment.keys.original_claim_control_number {
        Some(named) => {
            reversal.payer_claim_control_number.as_ref() == Some(named)
                && payment.payer_claim_control_number.as_ref() != Some(named)
        }
        None => false,
    };
    !later && !corrects && !same_set(reversal, payment)
}

fn same_set(one: &PayerResponse, other: &PayerResponse) -> bool {
    let set = |said: &PayerResponse| SourceRange { first_segment: 0, last_segment: 0, ..said.source.clone() };
    set(one) == set(other) && one.payment == other.payment
}

/// How well a reversal names a payment: 3 by number and amount paid, 2 by number and charge, 1 by amount where a number is not
/// known, 0 not at all.
fn fit(reversal: &PayerResponse, payment: &PayerResponse) -> u8 {
    let said = [&reversal.payer_claim_control_number, &reversal.keys.original_claim_control_number];
    let number = payment.payer_claim_control_number.as_ref();
    let known = number.is_some() && said.iter().any(|number| number.is_some());
    let same_number = known && said.into_iter().flatten().any(|said| Some(said) == number);
    let turned = |of: fn(&PayerResponse) -> Option<Decimal>| of(reversal) == of(payment).map(|amount| -amount);
    let paid = turned(|said| said.adjudication.as_ref().map(|money| money.paid));
    let charge = turned(|said| said.adjudication.as_ref().map(|money| money.charge));
    match (same_number, known) {
        (true, _) if paid => 3,
        (true, _) if charge => 2,
        (false, false) if paid => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::response::{Adjudication, CorrelationKeys, Decision, Payment};

    /// `file` is the number of its interchange, and the day of March when it was decided.
    fn said(file: i8, status: &str, number: &str, original: Option<&str>, paid: i64) -> Said {
        let (decision, sign) = if status == "22" { (Decision::Reversed, -1) } else { (Decision::Adjudicated, 1) };
        let money = Adjudication { charge: (120 * sign).into(), paid: (paid * sign).into(), ..Adjudication::default() };
        let answer = PayerResponse {
            transaction: "835".into(),
            decision: decision.word().into(),
            stated: Some(jiff::civil::date(2026, 3, file)),
            source: SourceRange { interchange_control_number: Some(file.to_string()), ..SourceRange::default() },
            payer_claim_control_number: Some(number.into()),
            keys: CorrelationKeys {
                original_claim_control_number: original.map(str::to_owned),
                ..CorrelationKeys::default()
            },
            adjudication: Some(money),
            ..PayerResponse::default()
        };
        Said { part: 1, answer }
    }

    /// What stands of each order that the statements can come in.
    fn in_any_order(heard: &[Said], expected: &[i64]) {
        let mut orders: Vec<Vec<Said>> = vec![Vec::new()];
        for said in heard {
            let longer = |order: &Vec<Said>| {
                (0..=order.len())
                    .map(|n| [&order[..n], std::slice::from_ref(said), &order[n..]].concat())
                    .collect::<Vec<_>>()
            };
            orders = orders.iter().flat_map(longer).collect();
        }
        for order in orders {
            let paid = |said: &&Said| said.answer.adjudication.as_ref().map(|money| money.paid);
            let stands: Vec<Decimal> = standing(&order).iter().filter_map(paid).collect();
            let expected: Vec<Decimal> = expected.iter().map(|paid| Decimal::from(*paid)).collect();
            assert_eq!(stands, expected, "{order:?}");
        }
    }

    #[test]
    fn a_reversal_takes_back_what_came_before_and_not_its_correction() {
        let first = said(1, "1", "I1", None, 80);
        let reversal = said(9, "22", "I1", None, 80);
        in_any_order(&[first.clone(), reversal.clone(), said(9, "1", "I2", Some("I1"), 100)], &[100]);
        in_any_order(&[first.clone(), reversal.clone(), said(9, "1", "I1", None, 80)], &[80]);
        in_any_order(&[first.clone(), reversal.clone(), said(12, "1", "I1", None, 80)], &[80]);
        in_any_order(&[reversal.clone(), said(9, "1", "I2", Some("I1"), 100)], &[100]);
        in_any_order(&[first, reversal], &[]);
    }

    #[test]
    fn a_payment_that_was_told_under_two_numbers_of_the_transfer_is_taken_back_once() {
        let mut again = said(1, "1", "I1", None, 80);
        again.answer.source.interchange_control_number = Some("77".into());
        again.answer.payment = Some(Payment { trace_number: "EFT2".into(), ..Payment::default() });
        in_any_order(&[said(1, "1", "I1", None, 80), again, said(5, "22", "I1", None, 80)], &[]);
    }

    #[test]
    fn corrections_are_corrected_again() {
        let all = [
            said(1, "1", "I1", None, 80),
            said(5, "22", "I1", None, 80),
            said(5, "1", "I1", None, 100),
            said(9, "22", "I1", None, 100),
            said(9, "1", "I1", None, 90),
        ];
        in_any_order(&all, &[90]);
    }

    #[test]
    fn pieces_are_taken_back_one_by_one() {
        in_any_order(
            &[said(1, "1", "I1", None, 30), said(1, "1", "I2", None, 30), said(5, "22", "I2", None, 30)],
            &[30],
        );
    }

    #[test]
    fn a_number_that_is_not_known_is_made_up_for_by_the_amount_or_by_being_the_only_one() {
        let mut nameless = said(5, "22", "", None, 30);
        nameless.answer.payer_claim_control_number = None;
        in_any_order(&[said(1, "1", "I1", None, 30), said(2, "1", "I2", None, 40), nameless.clone()], &[40]);
        in_any_order(&[said(1, "1", "I1", None, 31), nameless], &[]);
    }

    #[test]
    fn what_is_said_twice_counts_once() {
        let mut again = said(1, "1", "I1", None, 80);
        again.answer.source.interchange_control_number = Some("77".into());
        in_any_order(&[said(1, "1", "I1", None, 80), again], &[80]);
        let mut part = said(1, "1", "I1", None, 80);
        part.part = 2;
        in_any_order(&[said(1, "1", "I1", None, 80), part], &[80, 80]);
    }
}
