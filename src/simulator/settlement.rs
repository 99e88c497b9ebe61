//! What a claim is paid: every line reckoned so that charge less adjustments is payment, to the cent.

use super::claim::{Claim, Line};
use super::scenario::{Denial, Share, Terms, matches};
use rust_decimal::Decimal;

/// A claim as the 835 tells it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settlement {
    /// CLP02.
    pub status: &'static str,
    pub charge: Decimal,
    pub paid: Decimal,
    /// CLP05: the sum of PR.
    pub patient: Decimal,
    /// CAS of the claim.
    pub adjustments: Vec<Adjustment>,
    pub lines: Vec<SettledLine>,
    /// RARC of the claim.
    pub remarks: Vec<String>,
    /// PLB L6.
    pub interest: Decimal,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct SettledLine {
    pub charge: Decimal,
    pub paid: Decimal,
    /// AMT*B6; none for a line that is denied.
    pub allowed: Option<Decimal>,
    pub adjustments: Vec<Adjustment>,
    pub remarks: Vec<String>,
}

/// A triple of CAS.
#[derive(Debug, Clone, PartialEq)]
pub struct Adjustment {
    pub group: String,
    pub reason: String,
    pub amount: Decimal,
}

/// What is left of the amounts that are taken once a claim.
struct Pools {
    deductible: Decimal,
    copay: Decimal,
}

/// Pays a claim by terms. Replacements are paid as claims of their own.
pub fn pay(claim: &Claim, terms: &Terms) -> Settlement {
    let mut pools = Pools { deductible: pool(terms.deductible, claim.charge), copay: pool(terms.copay, claim.charge) };
    let lines: Vec<SettledLine> = claim.lines.iter().map(|line| pay_line(line, terms, &mut pools)).collect();
    let mut settlement = sum(claim, lines);
    settlement.status = match claim.sequence.as_str() {
        "S" => "2",
        "T" => "3",
        _ => "1",
    };
    settlement.remarks = terms.remarks.clone();
    settlement.interest = terms.interest.of(settlement.paid);
    settlement
}

/// Denies a claim, or those of its lines that the denial names (a claim is denied when all its lines are).
pub fn deny(claim: &Claim, denial: &Denial) -> Settlement {
    let terms = Terms { denied: vec![denial.clone()], ..Terms::default() };
    let settlement = pay(claim, &terms);
    let all = settlement.paid.is_zero();
    Settlement { status: if all { "4" } else { settlement.status }, ..settlement }
}

/// The same settlement taken back: every amount turned round. A reversal says nothing of the patient's share.
pub fn reverse(settlement: &Settlement) -> Settlement {
    let turned = |adjustments: &[Adjustment]| {
        adjustments.iter().map(|each| Adjustment { amount: -each.amount, ..each.clone() }).collect::<Vec<_>>()
    };
    Settlement {
        status: "22",
        charge: -settlement.charge,
        paid: -settlement.paid,
        patient: Decimal::ZERO,
        adjustments: turned(&settlement.adjustments),
        lines: (settlement.lines.iter())
            .map(|line| SettledLine {
                charge: -line.charge,
                paid: -line.paid,
                allowed: None,
                adjustments: turned(&line.adjustments),
                remarks: Vec::new(),
            })
            .collect(),
        remarks: Vec::new(),
        interest: Decimal::ZERO,
    }
}

fn pool(share: Share, charge: Decimal) -> Decimal {
    share.of(charge)
}

fn pay_line(line: &Line, terms: &Terms, pools: &mut Pools) -> SettledLine {
    let denial = terms.denied.iter().find(|denial| denies(denial, line));
    let mut rest = line.charge;
    let mut adjustments = Vec::new();
    let mut take = |rest: &mut Decimal, group: &str, reason: &str, amount: Decimal| {
        let amount = amount.min(*rest).max(Decimal::ZERO);
        *rest -= amount;
        if !amount.is_zero() {
            adjustments.push(Adjustment { group: group.to_owned(), reason: reason.to_owned(), amount });
        }
        amount
    };
    if let Some(denial) = denial {
        take(&mut rest, &denial.group, &denial.reason, line.charge);
        let remarks = denial.remarks.clone();
        return SettledLine { charge: line.charge, paid: rest, allowed: None, adjustments, remarks };
    }
    // The contract is between the provider and the payer that comes first.
    let contractual = if line.prior.is_zero() { terms.contractual.of(line.charge) } else { Decimal::ZERO };
    take(&mut rest, "OA", "23", line.prior);
    take(&mut rest, "CO", "45", contractual);
    let allowed = Some(line.charge - contractual);
    pools.deductible -= take(&mut rest, "PR", "1", pools.deductible);
    pools.copay -= take(&mut rest, "PR", "3", pools.copay);
    let coinsurance = terms.coinsurance.of(rest);
    take(&mut rest, "PR", "2", coinsurance);
    SettledLine { charge: line.charge, paid: rest, allowed, adjustments, remarks: Vec::new() }
}

fn denies(denial: &Denial, line: &Line) -> bool {
    denial.code.as_ref().is_none_or(|code| matches(code, line.procedure()))
}

/// The claim of its lines. What other payers paid without saying on which line is taken off the claim.
fn sum(claim: &Claim, lines: Vec<SettledLine>) -> Settlement {
    let of_lines: Decimal = lines.iter().map(|line| line.paid).sum();
    // A claim without lines is settled as a whole.
    let before = if lines.is_empty() { claim.charge } else { of_lines };
    let told = claim.lines.iter().any(|line| !line.prior.is_zero());
    let prior = if told { Decimal::ZERO } else { claim.prior_paid.min(before) };
    let mut adjustments = Vec::new();
    if !prior.is_zero() {
        adjustments.push(Adjustment { group: "OA".into(), reason: "23".into(), amount: prior });
    }
    let patient = |adjustments: &[Adjustment]| -> Decimal {
        adjustments.iter().filter(|each| each.group == "PR").map(|each| each.amount).sum()
    };
    Settlement {
        charge: if lines.is_empty() { claim.charge } else { lines.iter().map(|line| line.charge).sum() },
        paid: before - prior,
        patient: lines.iter().map(|line| patient(&line.adjustments)).sum(),
        adjustments,
        lines,
        ..Settlement::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(charges: &[&str]) -> Claim {
        let line = |charge: &&str| Line {
            code: vec!["HC".into(), "99213".into()],
            charge: charge.parse().unwrap(),
            ..Line::default()
        };
        let lines: Vec<Line> = charges.iter().map(line).collect();
        Claim { charge: lines.iter().map(|line| line.charge).sum(), lines, ..Claim::default() }
    }

    fn balances(settlement: &Settlement) {
        for line in &settlement.lines {
            let adjusted: Decimal = line.adjustments.iter().map(|each| each.amount).sum();
            assert_eq!(line.charge - adjusted, line.paid);
        }
        let own: Decimal = settlement.adjustments.iter().map(|each| each.amount).sum();
        let lines: Decimal = settlement.lines.iter().map(|line| line.paid).sum();
        assert_eq!(lines - own, settlement.paid);
    }

    #[test]
    fn deductible_then_copay_then_coinsurance() {
        let terms = Terms {
            contractual: Share::Percent(20.into()),
            deductible: Share::Amount(90.into()),
            copay: Share::Amount(10.into()),
            coinsurance: Share::Percent(20.into()),
            ..Terms::default()
        };
        let settlement = pay(&claim(&["100.00", "50.05"]), &terms);
        balances(&settlement);
        let amounts = |n: usize| {
            settlement.lines[n]
                .adjustments
                .iter()
                .map(|a| (a.reason.as_str(), a.amount.to_string()))
                .collect::<Vec<_>>()
        };
        assert_eq!(amounts(0), [("45", "20.00".into()), ("1", "80.00".into())]);
        assert_eq!(
            amounts(1),
            [("45", "10.01".into()), ("1", "10.00".into()), ("3", "10".into()), ("2", "4.01".into())]
        );
        assert_eq!((settlement.status, settlement.paid.to_string().as_str()), ("1", "16.03"));
    }

    #[test]
    fn a_denial_of_all_lines_denies_the_claim() {
        let denial = Denial { code: None, group: "CO".into(), reason: "16".into(), remarks: vec!["M119".into()] };
        let settlement = deny(&claim(&["25", "10"]), &denial);
        balances(&settlement);
        assert_eq!((settlement.status, settlement.paid), ("4", Decimal::ZERO));
        let other = Denial { code: Some("J*".into()), ..denial };
        assert_eq!(deny(&claim(&["25"]), &other).status, "1");
    }

    #[test]
    fn the_second_payer_takes_off_what_the_first_paid() {
        let mut second = claim(&["100"]);
        second.sequence = "S".into();
        second.lines[0].prior = 70.into();
        let by_line = pay(&second, &Terms { contractual: Share::Percent(20.into()), ..Terms::default() });
        balances(&by_line);
        assert_eq!((by_line.status, by_line.paid), ("2", Decimal::from(30)));
        second.lines[0].prior = Decimal::ZERO;
        second.prior_paid = 65.into();
        let by_claim = pay(&second, &Terms::default());
        balances(&by_claim);
        assert_eq!(by_claim.paid, Decimal::from(35));
    }

    #[test]
    fn a_reversal_turns_every_amount() {
        let settlement = pay(&claim(&["100"]), &Terms { contractual: Share::Percent(20.into()), ..Terms::default() });
        let reversal = reverse(&settlement);
        balances(&reversal);
        assert_eq!((reversal.status, reversal.paid, reversal.charge), ("22", -settlement.paid, -settlement.charge));
    }
}
