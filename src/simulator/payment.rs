//! 835 of the simulated payer: one transaction set and one payment for each payee.

use super::Decided;
use super::claim::{Claim, Line};
use super::envelope::{Paper, Segments, money};
use super::scenario::{Outcome, Scenario};
use super::settlement::{self, Adjustment, SettledLine, Settlement};
use rust_decimal::Decimal;

const GUIDE_835: &str = "005010X221A1";
/// Most triples in one CAS.
const TRIPLES: usize = 6;
/// Most RARC in one MOA.
const REMARKS: usize = 5;

/// One CLP.
struct Payment<'c> {
    claim: &'c Claim,
    settlement: Settlement,
    /// CLP07.
    number: String,
    /// REF*F8.
    original: String,
}

/// The 835 that pays.
pub fn pay(paper: &Paper, scenario: &Scenario, claims: &[&Decided]) -> String {
    write(paper, scenario, claims, false)
}

/// The later 835 that takes a payment back and pays anew.
pub fn correct(paper: &Paper, scenario: &Scenario, claims: &[&Decided]) -> String {
    write(paper, scenario, claims, true)
}

fn write(paper: &Paper, scenario: &Scenario, claims: &[&Decided], correction: bool) -> String {
    let mut payees: Vec<Vec<Payment>> = Vec::new();
    for payment in claims.iter().flat_map(|each| payments(paper, each, correction)) {
        match payees.iter_mut().find(|known| known[0].claim.npi == payment.claim.npi) {
            Some(known) => known.push(payment),
            None => payees.push(vec![payment]),
        }
    }
    let sets: Vec<String> = (payees.iter().enumerate())
        .map(|(n, payments)| paper.set(n, &["835"], |out| write_set(out, paper, scenario, n, payments)))
        .collect();
    paper.group("HP", GUIDE_835, &sets)
}

/// The payer's own number of a claim: of the file and the claim's place in it.
pub fn payer_number(paper: &Paper, claim: &Claim) -> String {
    format!("{:09}{:05}00", paper.source, claim.index + 1)
}

/// The CLPs for one claim.
fn payments<'c>(paper: &Paper, each: &'c Decided, correction: bool) -> Vec<Payment<'c>> {
    let (claim, number) = (&each.claim, payer_number(paper, &each.claim));
    let plain = |settlement| Payment { claim, settlement, number: number.clone(), original: claim.original.clone() };
    match (each.outcome, correction) {
        // A void takes back what the payer would have paid for the same claim.
        (Outcome::Pay(terms) | Outcome::Pend { then: terms, .. }, _) if claim.frequency == "8" => {
            let settlement = settlement::reverse(&settlement::pay(claim, terms));
            vec![Payment { claim, settlement, number: claim.original.clone(), original: String::new() }]
        }
        (Outcome::Pay(terms) | Outcome::Pend { then: terms, .. }, _) => vec![plain(settlement::pay(claim, terms))],
        (Outcome::Deny(denial), _) => vec![plain(settlement::deny(claim, denial))],
        (Outcome::Correct { first, .. }, false) => vec![plain(settlement::pay(claim, first))],
        (Outcome::Correct { first, then }, true) => {
            let corrected = format!("{}01", number.strip_suffix("00").unwrap_or(&number));
            let reversal = plain(settlement::reverse(&settlement::pay(claim, first)));
            vec![
                reversal,
                Payment { claim, settlement: settlement::pay(claim, then), number: corrected, original: number },
            ]
        }
        _ => Vec::new(),
    }
}

fn write_set(out: &mut Segments, paper: &Paper, scenario: &Scenario, n: usize, payments: &[Payment]) {
    let claims: Decimal = payments.iter().map(|payment| payment.settlement.paid).sum();
    let interest: Decimal = payments.iter().map(|payment| payment.settlement.interest).sum();
    // More is taken back than paid: nothing is paid, and the rest is carried forward.
    let forward = (claims + interest).min(Decimal::ZERO);
    let total = claims + interest - forward;
    header(out, paper, scenario, n, total, payments[0].claim);
    out.write(&["LX", "1"]);
    for payment in payments {
        write_claim(out, paper, payment);
    }
    provider_adjustments(out, paper, payments, forward);
}

/// BPR to 1000B. No bank details: the payment is a check.
fn header(out: &mut Segments, paper: &Paper, scenario: &Scenario, n: usize, total: Decimal, claim: &Claim) {
    let payer = &scenario.payer;
    let (method, handling) = if total.is_zero() { ("NON", "H") } else { ("CHK", "I") };
    let mut bpr = vec!["BPR", handling];
    let total = money(total);
    bpr.extend([total.as_str(), "C", method]);
    bpr.extend([""; 11]);
    bpr.push(&paper.date);
    out.write(&bpr);
    out.write(&["TRN", "1", &format!("{}{:02}", paper.control_number(), n + 1), &format!("1{}", payer.tax_id)]);
    out.write(&["DTM", "405", &paper.date]);
    out.write(&["N1", "PR", payer.name.as_ref().unwrap_or(&claim.payer)]);
    out.write(&["N3", &payer.street]);
    out.write(&["N4", &payer.city, &payer.state, &payer.postal_code]);
    out.reference("2U", payer.id.as_ref().unwrap_or(&claim.payer_id));
    out.write(&["PER", "BL", "CLAIMS SERVICE", "TE", &payer.telephone]);
    out.write(&["N1", "PE", &claim.provider, "XX", &claim.npi]);
}

/// Loop 2100.
fn write_claim(out: &mut Segments, paper: &Paper, payment: &Payment) {
    let (claim, settlement) = (payment.claim, &payment.settlement);
    let patient = if settlement.status == "22" { String::new() } else { money(settlement.patient) };
    out.write(&[
        "CLP",
        &claim.number,
        settlement.status,
        &money(settlement.charge),
        &money(settlement.paid),
        &patient,
        "12",
        &payment.number,
        &claim.facility,
        &claim.frequency,
    ]);
    write_adjustments(out, &settlement.adjustments);
    out.write(&["NM1", "QC", "1", &claim.patient.0, &claim.patient.1, "", "", "", "MI", &claim.member_id]);
    let mut moa = vec!["MOA", "", ""];
    moa.extend(settlement.remarks.iter().take(REMARKS).map(String::as_str));
    out.write(&moa);
    out.reference("F8", &payment.original);
    out.write(&["DTM", "050", &paper.date]);
    for (line, settled) in claim.lines.iter().zip(&settlement.lines) {
        write_line(out, line, settled);
    }
}

/// Loop 2110.
fn write_line(out: &mut Segments, line: &Line, settled: &SettledLine) {
    let code = out.composite(&line.code);
    out.write(&["SVC", &code, &money(settled.charge), &money(settled.paid), &line.revenue, &line.units]);
    match line.last_day() {
        None => out.write(&["DTM", "472", line.first_day()]),
        Some(last) => {
            out.write(&["DTM", "150", line.first_day()]);
            out.write(&["DTM", "151", last]);
        }
    }
    write_adjustments(out, &settled.adjustments);
    out.reference("6R", &line.number);
    if let Some(allowed) = settled.allowed {
        out.write(&["AMT", "B6", &money(allowed)]);
    }
    for remark in &settled.remarks {
        out.write(&["LQ", "HE", remark]);
    }
}

/// A CAS for each group, its triples in their order.
fn write_adjustments(out: &mut Segments, adjustments: &[Adjustment]) {
    let mut groups: Vec<&str> = Vec::new();
    for adjustment in adjustments {
        if !groups.contains(&adjustment.group.as_str()) {
            groups.push(&adjustment.group);
        }
    }
    for group in groups {
        let triples: Vec<&Adjustment> = adjustments.iter().filter(|each| each.group == group).collect();
        for chunk in triples.chunks(TRIPLES) {
            let mut cas = vec!["CAS".to_owned(), group.to_owned()];
            for adjustment in chunk {
                cas.extend([adjustment.reason.clone(), money(adjustment.amount), String::new()]);
            }
            out.write(&cas.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }
}

/// PLB: interest of each claim (negative pays more), and what is carried forward.
fn provider_adjustments(out: &mut Segments, paper: &Paper, payments: &[Payment], forward: Decimal) {
    let year_end = format!("{}1231", paper.date.get(..4).unwrap_or_default());
    let npi = &payments[0].claim.npi;
    for payment in payments.iter().filter(|payment| !payment.settlement.interest.is_zero()) {
        let reason = out.composite(&["L6", &payment.number]);
        out.write(&["PLB", npi, &year_end, &reason, &money(-payment.settlement.interest)]);
    }
    if !forward.is_zero() {
        let reason = out.composite(&["FB", &paper.control_number()]);
        out.write(&["PLB", npi, &year_end, &reason, &money(forward)]);
    }
}
