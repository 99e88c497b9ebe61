use super::*;
use crate::billing::response::CorrelationKeys;
use proptest::prelude::*;

fn about() -> About<'static> {
    About { payer: "northwind", day: jiff::civil::date(2026, 3, 1) }
}

fn adjustment(group: &str, reason: &str, amount: i64) -> Adjustment {
    Adjustment { group: group.into(), reason: reason.into(), amount: amount.into(), quantity: None }
}

fn line(charge: i64, adjustments: Vec<Adjustment>) -> AdjudicatedLine {
    let taken: Decimal = adjustments.iter().map(|each| each.amount).sum();
    let charge = Decimal::from(charge);
    AdjudicatedLine { charge, paid: charge - taken, adjustments, ..AdjudicatedLine::default() }
}

/// A claim whose sums agree, as the 835 asks for.
fn claim(lines: Vec<AdjudicatedLine>, charge: i64, adjustments: Vec<Adjustment>, reversed: bool) -> PayerResponse {
    let sign = Decimal::from(if reversed { -1 } else { 1 });
    let turned = |mut adjustment: Adjustment| {
        adjustment.amount *= sign;
        adjustment
    };
    let lines: Vec<AdjudicatedLine> = lines
        .into_iter()
        .map(|line| AdjudicatedLine {
            charge: line.charge * sign,
            paid: line.paid * sign,
            adjustments: line.adjustments.into_iter().map(turned).collect(),
            ..line
        })
        .collect();
    let adjustments: Vec<Adjustment> = adjustments.into_iter().map(turned).collect();
    let charge = match lines.is_empty() {
        true => Decimal::from(charge) * sign,
        false => lines.iter().map(|line| line.charge).sum(),
    };
    let taken = adjustments.iter().chain(lines.iter().flat_map(|line| &line.adjustments)).map(|each| each.amount);
    let paid = charge - taken.sum::<Decimal>();
    PayerResponse {
        decision: if reversed { "reversed" } else { "adjudicated" }.into(),
        keys: CorrelationKeys { patient_control_number: Some("A1".into()), ..CorrelationKeys::default() },
        adjudication: Some(Adjudication {
            status: if reversed { "22" } else { "1" }.into(),
            charge,
            paid,
            adjustments,
            lines,
            ..Adjudication::default()
        }),
        ..PayerResponse::default()
    }
}

fn adjustments() -> impl Strategy<Value = Vec<Adjustment>> {
    let group = prop::sample::select(vec!["CO", "PR", "OA", "PI", "CR"]);
    let reason = prop::sample::select(vec!["1", "2", "3", "45", "50", "23"]);
    let one = (group, reason, -500_i64..500).prop_map(|(group, reason, amount)| adjustment(group, reason, amount));
    prop::collection::vec(one, 0..4)
}

fn claims() -> impl Strategy<Value = Vec<PayerResponse>> {
    let lines =
        prop::collection::vec((0_i64..1_000, adjustments()).prop_map(|(charge, each)| line(charge, each)), 0..4);
    let one = (lines, 0_i64..1_000, adjustments(), any::<bool>())
        .prop_map(|(lines, charge, adjustments, reversed)| claim(lines, charge, adjustments, reversed));
    prop::collection::vec(one, 0..6)
}

fn sum(entries: &[Entry], kinds: &[&str]) -> Decimal {
    entries.iter().filter(|entry| kinds.contains(&entry.kind.as_str())).map(|entry| entry.amount).sum()
}

proptest! {
    /// Every balanced claim: charge = payment + adjustments + the patient's share. Every balanced payment: payments, interest
    /// and provider-level lines are BPR02.
    #[test]
    fn the_journal_balances(claims in claims(), plb in prop::collection::vec((any::<bool>(), -300_i64..300), 0..4)) {
        let mut all = Vec::new();
        for claim in &claims {
            let of_claim = entries(&about(), claim);
            let charge = claim.adjudication.as_ref().unwrap().charge;
            prop_assert_eq!(sum(&of_claim, &["charge"]), charge);
            prop_assert_eq!(charge, sum(&of_claim, &["payment", "adjustment", "patientResponsibility"]));
            all.extend(of_claim);
        }
        let provider = |(interest, amount): &(bool, i64)| ProviderAdjustment {
            reason: if *interest { "L6" } else { "WO" }.into(),
            amount: (*amount).into(),
            ..ProviderAdjustment::default()
        };
        let remittance = Remittance {
            provider_adjustments: plb.iter().map(provider).collect(),
            ..Remittance::default()
        };
        let paid: Decimal = claims.iter().map(|claim| claim.adjudication.as_ref().unwrap().paid).sum();
        let taken: Decimal = plb.iter().map(|(_, amount)| Decimal::from(*amount)).sum();
        all.extend(provider_entries(&about(), &remittance));
        prop_assert_eq!(sum(&all, PAID_KINDS), paid - taken);
        prop_assert!(all.iter().all(|entry| !entry.amount.is_zero()));
    }
}

#[test]
fn adjustments_have_their_kind_by_group() {
    let kind = |group, reason| category(&adjustment(group, reason, 1));
    assert_eq!(kind("CO", "45"), ("adjustment", "contractual"));
    assert_eq!(kind("PR", "1"), ("patientResponsibility", "deductible"));
    assert_eq!(kind("PR", "2"), ("patientResponsibility", "coinsurance"));
    assert_eq!(kind("PR", "3"), ("patientResponsibility", "copayment"));
    assert_eq!(kind("PR", "96"), ("patientResponsibility", "other"));
    assert_eq!(kind("OA", "23"), ("adjustment", "other"));
    assert_eq!(kind("PI", "16"), ("adjustment", "payerInitiated"));
}

#[test]
fn denials_are_what_was_not_paid_and_no_contract_price() {
    let priced = || line(100, vec![adjustment("CO", "45", 40)]);
    let refused = || line(50, vec![adjustment("CO", "50", 50)]);
    let told = |claim: &PayerResponse| -> Vec<(String, Option<String>)> {
        denials(about().day, claim).into_iter().map(|denial| (denial.reason, denial.line)).collect()
    };
    assert_eq!(told(&claim(vec![priced(), refused()], 0, vec![], false)), [("CO-50".to_owned(), Some("2".to_owned()))]);
    assert_eq!(
        told(&claim(vec![priced(), refused()], 0, vec![], true)),
        [],
        "a reversal takes back, and denies nothing"
    );
    let mut denied = claim(vec![], 100, vec![adjustment("PR", "1", 100)], false);
    assert_eq!(told(&denied), [], "a deductible is no denial");
    denied.decision = "denied".into();
    assert_eq!(told(&denied), [("PR-1".to_owned(), None)], "unless the claim is denied for nothing else");
    let status = ClaimStatus { category: "A7".into(), code: Some("562".into()), ..ClaimStatus::default() };
    let good = ClaimStatus { category: "A2".into(), code: Some("20".into()), ..ClaimStatus::default() };
    let rejected = PayerResponse { statuses: vec![good, status], ..PayerResponse::default() };
    assert_eq!(told(&rejected), [("A7:562".to_owned(), None)]);
}
