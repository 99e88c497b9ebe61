//! Amounts that must add up (SNIP 3): 837 lines and other payers' payments, 835 lines, claims and payment.

use crate::fault::{Issue, Place, X12Place, codes};
use crate::x12::amount::Amount;
use crate::x12::reader::TransactionSet;
use crate::x12::segment::Segment;
use crate::x12::tree::Loop;

/// What must add up in a transaction.
type Rule = fn(&mut Balance, &Loop<'_>, &mut Sums);

/// What was added up of a set so far, when it comes in portions.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    /// CLP04 of all claims of an 835.
    paid: Amount,
}

/// Transactions and their rules.
const RULES: [(&str, Rule); 2] = [("837", Balance::claims), ("835", Balance::remittance)];

/// Two sums that must be alike: the name of the check, what is wrong when they are not, and how to mend it.
type Sum = (&'static str, &'static str, &'static str);

const CLAIM_CHARGE: Sum = (
    "claim-charge",
    "the claim's charge is not the sum of its lines",
    "correct the charge of the claim (CLM02, CLP03) or of a line",
);
const LINE_ADJUDICATION: Sum = (
    "other-payer-line",
    "the line's charge is not what the payer paid and adjusted",
    "send SVD02 and every CAS of the line as they stand in that payer's remittance",
);
const CLAIM_ADJUDICATION: Sum = (
    "other-payer-claim",
    "the claim's charge is not what the other payer paid and adjusted",
    "send AMT*D and every CAS of claim and lines as they stand in that payer's remittance",
);
const PAYMENT: Sum = (
    "payment-sum",
    "the payment is not the sum of its claims less the provider adjustments",
    "BPR02 is the sum of all CLP04 less that of all PLB amounts; ask the payer for a corrected remittance before posting",
);
const CLAIM_PAYMENT: Sum = (
    "claim-payment",
    "the claim's payment is not its charge less the adjustments",
    "CLP04 is CLP03 less every CAS of claim and lines; ask the payer before posting",
);
const LINES_PAYMENT: Sum = (
    "claim-payment-lines",
    "the claim's payment is not the sum of its lines",
    "CLP04 is the sum of all SVC03 less the claim's own CAS; ask the payer before posting",
);
const LINE_PAYMENT: Sum = (
    "line-payment",
    "the line's payment is not its charge less the adjustments",
    "SVC03 is SVC02 less every CAS of the line; ask the payer before posting",
);

/// All of them, for profiles and documents.
pub(crate) const SUMS: [Sum; 7] =
    [CLAIM_CHARGE, LINE_ADJUDICATION, CLAIM_ADJUDICATION, PAYMENT, CLAIM_PAYMENT, LINES_PAYMENT, LINE_PAYMENT];

/// The segment of a service line, and the element of its charge (005010X222A1, X223A2, X224A2 loop 2400).
const LINE_CHARGES: [(&str, usize); 3] = [("SV1", 2), ("SV2", 3), ("SV3", 2)];

/// The issues of the balances of one set, or of the loops that ended in this part of it.
pub(crate) fn check(set: &TransactionSet<'_>, root: &Loop<'_>, sums: &mut Sums) -> Vec<Issue> {
    let mut balance = Balance { set: set.control_number().to_owned(), issues: Vec::new() };
    for (_, rule) in RULES.iter().filter(|(id, _)| *id == set.id()) {
        rule(&mut balance, root, sums);
    }
    balance.issues
}

struct Balance {
    /// ST02.
    set: String,
    issues: Vec<Issue>,
}

impl Balance {
    /// Complains at an element when two sums differ. One that is no number was named as such.
    fn expect(&mut self, found: &Loop<'_>, at: (&Segment<'_>, u8), left: Amount, right: Amount, sum: Sum) {
        let is_number = |text: &str| text.is_empty() || Amount::known(text).is_some();
        if left == right || !is_number(at.0.element(at.1.into())) {
            return;
        }
        let place = X12Place {
            transaction_set: Some(self.set.clone()),
            loop_id: Some(found.id.to_string()),
            element: Some(at.1),
            check: Some(sum.0.to_owned()),
            ..at.0.place()
        };
        let (_, what, mend) = sum;
        let text = format!("{what}: {} against {}", left.decimal(), right.decimal());
        self.issues.push(Issue::error(codes::X12_BALANCE, Place::X12(place), text).hint(mend));
    }

    /// CLM02 is the sum of the lines; what each other payer paid and adjusted is the charge.
    fn claims(&mut self, root: &Loop<'_>, _: &mut Sums) {
        let whole = |found: &&Loop<'_>| &*found.id == "2300" && found.part.is_complete();
        for claim in root.descend_into(|found| &*found.id != "2300").filter(whole) {
            let Some(clm) = claim.segment("CLM") else { continue };
            let charge = Amount::of(clm.element(2));
            let lines: Vec<_> = claim.children_of("2400").collect();
            if !lines.is_empty() {
                let sum = lines.iter().filter_map(|line| line_charge(line)).map(|(_, charge)| charge).sum();
                self.expect(claim, (clm, 2), charge, sum, CLAIM_CHARGE);
            }
            for other in claim.children_of("2320") {
                self.other_payer(other, charge, &lines);
            }
        }
    }

    /// One other payer (2320): its payment and adjustments of the claim and of all lines make up the charge, and so on each
    /// line that it adjudicated (2430).
    fn other_payer(&mut self, other: &Loop<'_>, charge: Amount, lines: &[&Loop<'_>]) {
        let payer = other.child("2330B").and_then(|found| found.segment("NM1")).map_or("", |nm1| nm1.element(9));
        let own = adjustments(other);
        let mut on_lines = Amount::default();
        for line in lines {
            let is_own = |found: &&Loop<'_>| found.segment("SVD").is_some_and(|svd| svd.element(1) == payer);
            let adjudicated: Vec<_> = line.children_of("2430").filter(is_own).collect();
            on_lines += adjudicated.iter().map(|found| adjustments(found)).sum::<Amount>();
            if let (Some(first), Some((segment, charge))) = (adjudicated.first(), line_charge(line)) {
                let paid: Amount = adjudicated
                    .iter()
                    .filter_map(|found| found.segment("SVD"))
                    .map(|svd| Amount::of(svd.element(2)))
                    .sum();
                let adjusted: Amount = adjudicated.iter().map(|found| adjustments(found)).sum();
                let at = first.segment("SVD").unwrap_or(segment);
                self.expect(first, (at, 2), charge, paid + adjusted, LINE_ADJUDICATION);
            }
        }
        let Some(paid) = other.qualified("AMT", "D") else { return };
        let total = Amount::of(paid.element(2)) + own + on_lines;
        self.expect(other, (paid, 2), charge, total, CLAIM_ADJUDICATION);
    }

    /// Lines, claims and the payment of a remittance (005010X221A1 section 1.10.2).
    fn remittance(&mut self, root: &Loop<'_>, sums: &mut Sums) {
        let claims = root.descend_into(|found| &*found.id != "2100");
        for claim in claims.filter(|found| &*found.id == "2100" && !found.part.is_context) {
            let Some(clp) = claim.segment("CLP") else { continue };
            let paid = Amount::of(clp.element(4));
            sums.paid += paid;
            if claim.part.is_complete() {
                self.remitted_claim(claim, clp, paid);
            }
        }
        if !root.part.is_complete() {
            return;
        }
        let Some(bpr) = root.segment("BPR") else { return };
        let provider: Amount =
            root.all("PLB").flat_map(|plb| plb.elements().skip(3).step_by(2).take(6).map(Amount::of)).sum();
        self.expect(root, (bpr, 2), Amount::of(bpr.element(2)), sums.paid - provider, PAYMENT);
    }

    fn remitted_claim(&mut self, claim: &Loop<'_>, clp: &Segment<'_>, paid: Amount) {
        let charge = Amount::of(clp.element(3));
        let lines = || claim.children_of("2110").map(|found| (found, RemittedLine::of(found)));
        let own = adjustments(claim);
        let (mut all, mut count, mut are_right) = (RemittedLine::default(), 0, true);
        for (_, line) in lines() {
            are_right &= line.paid == line.charge - line.adjusted;
            all.charge += line.charge;
            all.paid += line.paid;
            all.adjusted += line.adjusted;
            count += 1;
        }
        self.expect(claim, (clp, 4), paid, charge - own - all.adjusted, CLAIM_PAYMENT);
        if count > 0 {
            self.expect(claim, (clp, 3), charge, all.charge, CLAIM_CHARGE);
            self.expect(claim, (clp, 4), paid, all.paid - own, LINES_PAYMENT);
        }
        if are_right {
            return;
        }
        for (found, line) in lines() {
            if let Some(svc) = line.svc {
                self.expect(found, (svc, 3), line.paid, line.charge - line.adjusted, LINE_PAYMENT);
            }
        }
    }
}

/// A service line of a remittance (loop 2110): SVC02, SVC03 and its CAS. The default holds nothing.
#[derive(Default)]
struct RemittedLine<'l, 'a> {
    svc: Option<&'l Segment<'a>>,
    charge: Amount,
    paid: Amount,
    adjusted: Amount,
}

impl<'l, 'a> RemittedLine<'l, 'a> {
    fn of(line: &'l Loop<'a>) -> RemittedLine<'l, 'a> {
        let svc = line.segment("SVC");
        let element = |n| svc.map_or(Amount::default(), |svc| Amount::of(svc.element(n)));
        RemittedLine { svc, charge: element(2), paid: element(3), adjusted: adjustments(line) }
    }
}

/// The segment that charges a line, and its charge.
fn line_charge<'l, 'a>(line: &'l Loop<'a>) -> Option<(&'l Segment<'a>, Amount)> {
    LINE_CHARGES.iter().find_map(|(id, n)| line.segment(id).map(|segment| (segment, Amount::of(segment.element(*n)))))
}

/// Sum of the amounts of all CAS: each holds up to six (CAS03, 06, 09, 12, 15, 18).
fn adjustments(found: &Loop<'_>) -> Amount {
    let mut sum = Amount::default();
    for cas in found.all("CAS") {
        let mut elements = cas.elements();
        (0..6).map_while(|_| elements.nth(2)).for_each(|amount| sum += Amount::of(amount));
    }
    sum
}
