//! The journal: what an 835 means for the books, as lines that an accounting system can post. Nothing is computed that the
//! payer did not say: the lines of a claim add up to its CLP, and the payments with the provider-level lines to BPR02.
//!
//! Signs are those of the 835: a charge, a payment and what reduces the claim are positive, and a reversal (CLP02 22) turns
//! all of them. Interest and provider-level lines have the sign that they give the payment: PLB turned round.

use super::payer::Adjustment;
use super::remittance::{AdjudicatedLine, Adjudication, Payment, ProviderAdjustment, Remark, Remittance};
use super::response::{ClaimStatus, Decision, PayerResponse, SourceRange};
use super::shape::shaped;
use jiff::civil::Date;
use rust_decimal::Decimal;

shaped! {
/// One line of the journal.
pub struct Entry {
    /// BPR16, else DTM*405, else the day of the file.
    date: Date,
    /// `charge`, `payment`, `adjustment`, `patientResponsibility`, `interest`, `providerAdjustment`;
    /// and `claimInterest`, which only says how much of the interest of the payment (PLB L6) is the claim's (AMT*I).
    kind: String,
    /// Of an adjustment `contractual`, `other`, `payerInitiated`, `correction`; of the patient's share `deductible`,
    /// `coinsurance`, `copayment`, `other`; of a provider-level line the reason of PLB03-1.
    category: Option<String>,
    /// Positive or negative, as the head of the module says.
    amount: Decimal,
    /// Id of the payer's profile.
    payer: String,
    /// CLM01.
    claim_number: Option<String>,
    /// CLP07.
    payer_claim_control_number: Option<String>,
    /// CLP02.
    claim_status: Option<String>,
    /// REF*6R, else the place of the line in the answer; absent for what is said of the claim as a whole.
    line: Option<String>,
    /// SVC01: code and modifiers with `:` between; the revenue code where there is no procedure.
    procedure: Option<String>,
    /// CAS01.
    group: Option<String>,
    /// CARC, or PLB03-1.
    reason: Option<String>,
    /// TRN02: check or EFT number.
    trace_number: Option<String>,
    /// PLB01.
    provider: Option<String>,
    /// PLB03-2.
    reference: Option<String>,
    /// ISA13 of the payer's interchange.
    interchange: Option<String>,
    /// ST02.
    transaction_set: Option<String>,
}
}

/// Whom a line of the journal is about, the same for all lines of one statement.
#[derive(Debug, Clone)]
pub struct About<'a> {
    pub payer: &'a str,
    /// The day of the file, for statements without a date of their own.
    pub day: Date,
}

/// The lines of one claim's payment; none when the statement holds no money.
pub fn entries(about: &About, response: &PayerResponse) -> Vec<Entry> {
    let Some(adjudication) = &response.adjudication else { return Vec::new() };
    // A predetermination is a price, no payment.
    if adjudication.status == PREDETERMINATION && adjudication.paid.is_zero() {
        return Vec::new();
    }
    let mut lines = Lines { out: Vec::new(), head: head(about, response, adjudication) };
    for (n, line) in adjudication.lines.iter().enumerate() {
        lines.of_line(n, line);
    }
    lines.of_claim(adjudication);
    lines.out
}

/// CLP02 of a predetermination.
const PREDETERMINATION: &str = "25";

fn head(about: &About, response: &PayerResponse, adjudication: &Adjudication) -> Entry {
    let head = of_payment(about, response.payment.as_ref(), response.stated, &response.source);
    Entry {
        claim_number: response.keys.patient_control_number.clone(),
        payer_claim_control_number: response.payer_claim_control_number.clone(),
        claim_status: Some(adjudication.status.clone()).filter(|status| !status.is_empty()),
        ..head
    }
}

fn of_payment(about: &About, payment: Option<&Payment>, stated: Option<Date>, source: &SourceRange) -> Entry {
    let date = payment.and_then(|payment| payment.date.or(payment.production_date)).or(stated);
    let trace = payment.map(|payment| payment.trace_number.clone()).filter(|trace| !trace.is_empty());
    Entry {
        date: date.unwrap_or(about.day),
        payer: about.payer.to_owned(),
        trace_number: trace,
        interchange: source.interchange_control_number.clone(),
        transaction_set: source.transaction_set_control_number.clone(),
        ..Entry::default()
    }
}

struct Lines {
    out: Vec<Entry>,
    /// What all lines of the claim have in common.
    head: Entry,
}

impl Lines {
    fn of_line(&mut self, n: usize, line: &AdjudicatedLine) {
        let head = Entry {
            line: Some(line.control_number.clone().unwrap_or_else(|| (n + 1).to_string())),
            procedure: procedure(line),
            ..self.head.clone()
        };
        self.add(&head, "charge", line.charge);
        self.add(&head, "payment", line.paid);
        line.adjustments.iter().for_each(|adjustment| self.adjust(&head, adjustment));
    }

    /// What the claim says beyond its lines: all of it when there are none, else what its own adjustments take away.
    fn of_claim(&mut self, adjudication: &Adjudication) {
        let head = self.head.clone();
        let sum = |of: fn(&AdjudicatedLine) -> Decimal| adjudication.lines.iter().map(of).sum::<Decimal>();
        self.add(&head, "charge", adjudication.charge - sum(|line| line.charge));
        self.add(&head, "payment", adjudication.paid - sum(|line| line.paid));
        adjudication.adjustments.iter().for_each(|adjustment| self.adjust(&head, adjustment));
        let interest = adjudication.amounts.iter().filter(|amount| amount.qualifier == CLAIM_INTEREST);
        interest.for_each(|amount| self.add(&head, "claimInterest", amount.value));
    }

    fn adjust(&mut self, head: &Entry, adjustment: &Adjustment) {
        let (kind, category) = category(adjustment);
        let entry = Entry {
            category: Some(category.to_owned()),
            group: Some(adjustment.group.clone()),
            reason: Some(adjustment.reason.clone()),
            ..head.clone()
        };
        self.add(&entry, kind, adjustment.amount);
    }

    fn add(&mut self, head: &Entry, kind: &str, amount: Decimal) {
        if !amount.is_zero() {
            self.out.push(Entry { kind: kind.to_owned(), amount, ..head.clone() });
        }
    }
}

fn procedure(line: &AdjudicatedLine) -> Option<String> {
    let parts = std::iter::once(&line.code.value).chain(&line.code.modifiers);
    let code = parts.filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join(":");
    Some(code).filter(|code| !code.is_empty()).or_else(|| line.revenue_code.clone())
}

/// Kind and category of an adjustment, by its group.
pub fn category(adjustment: &Adjustment) -> (&'static str, &'static str) {
    match (adjustment.group.as_str(), adjustment.reason.as_str()) {
        ("PR", "1" | "66") => ("patientResponsibility", "deductible"),
        ("PR", "2") => ("patientResponsibility", "coinsurance"),
        ("PR", "3") => ("patientResponsibility", "copayment"),
        ("PR", _) => ("patientResponsibility", "other"),
        ("CO", _) => ("adjustment", "contractual"),
        ("PI", _) => ("adjustment", "payerInitiated"),
        ("CR", _) => ("adjustment", "correction"),
        _ => ("adjustment", "other"),
    }
}

/// AMT01 of the interest that belongs to a claim.
const CLAIM_INTEREST: &str = "I";

/// PLB03-1 of interest that the payer owes.
const INTEREST: &str = "L6";

/// The provider-level lines of one 835: PLB, with the sign that it gives the payment.
pub fn provider_entries(about: &About, remittance: &Remittance) -> Vec<Entry> {
    let head = of_payment(about, Some(&remittance.payment), None, &remittance.source);
    let entry = |adjustment: &ProviderAdjustment| {
        let kind = if adjustment.reason == INTEREST { "interest" } else { "providerAdjustment" };
        Entry {
            kind: kind.to_owned(),
            category: Some(adjustment.reason.clone()).filter(|reason| !reason.is_empty()),
            reason: Some(adjustment.reason.clone()).filter(|reason| !reason.is_empty()),
            amount: -adjustment.amount,
            provider: Some(adjustment.provider.clone()).filter(|provider| !provider.is_empty()),
            reference: adjustment.identifier.clone(),
            ..head.clone()
        }
    };
    remittance.provider_adjustments.iter().filter(|each| !each.amount.is_zero()).map(entry).collect()
}

/// Kinds whose sum is what was paid.
pub const PAID_KINDS: &[&str] = &["payment", "interest", "providerAdjustment"];

/// One reason why a claim, or a line of it, was not paid: what a biller works through.
#[derive(Debug, Clone, PartialEq)]
pub struct Denial {
    pub date: Date,
    /// `CO-50`, `PI-16`; of a status its category and code, `A7:164`.
    pub reason: String,
    /// RARC beside it, or the entity of a status; empty when there is none.
    pub remark: String,
    /// REF*6R, else the place of the line; absent for the claim as a whole.
    pub line: Option<String>,
    pub procedure: Option<String>,
    /// What was not paid because of it.
    pub amount: Decimal,
    /// Said by a status (STC), not by an adjustment: what an 835 says takes its place.
    pub by_status: bool,
}

/// Adjustments that every paid claim may have: contract prices and the patient's or another payer's share.
const ORDINARY: &[&str] = &["1", "2", "3", "23", "24", "44", "45", "59", "66", "94", "131", "142", "237", "241", "253"];

/// STC01-1 of what was refused before adjudication, or denied.
const REFUSED: &[&str] = &["A3", "A4", "A6", "A7", "A8", "F2"];

/// Why a claim was not paid: the adjustments of a denied claim and of lines that were not paid at all, or the statuses that
/// refuse it.
pub fn denials(day: Date, response: &PayerResponse) -> Vec<Denial> {
    let date = response.payment.as_ref().and_then(|payment| payment.date).or(response.stated).unwrap_or(day);
    match &response.adjudication {
        _ if response.decision == Decision::Reversed.word() => Vec::new(),
        Some(adjudication) => of_adjudication(date, response, adjudication),
        None => of_statuses(date, response),
    }
}

fn of_adjudication(date: Date, response: &PayerResponse, adjudication: &Adjudication) -> Vec<Denial> {
    let denied = response.decision == Decision::Denied.word();
    let said = said_of(date, adjudication);
    let unpaid = |denial: &&Said| denied || denial.unpaid;
    let explained: Vec<Denial> =
        said.iter().filter(unpaid).filter(|each| each.explains).map(|each| each.denial.clone()).collect();
    match (denied, explained.is_empty(), said.is_empty()) {
        (true, true, false) => said.into_iter().map(|each| each.denial).collect(),
        // Denied without a word: the status is the reason.
        (true, true, true) => vec![Denial {
            date,
            reason: format!("CLP02-{}", adjudication.status),
            remark: String::new(),
            line: None,
            procedure: None,
            amount: adjudication.charge,
            by_status: false,
        }],
        _ => explained,
    }
}

/// One adjustment as a reason.
struct Said {
    denial: Denial,
    /// Nothing was paid on its line, or on the claim when it has none.
    unpaid: bool,
    explains: bool,
}

fn said_of(date: Date, adjudication: &Adjudication) -> Vec<Said> {
    let said = |adjustment: &Adjustment, remark: &str, line: Option<&(String, Option<String>)>, unpaid: bool| Said {
        denial: Denial {
            date,
            reason: format!("{}-{}", adjustment.group, adjustment.reason),
            remark: remark.to_owned(),
            line: line.map(|(number, _)| number.clone()),
            procedure: line.and_then(|(_, procedure)| procedure.clone()),
            amount: adjustment.amount,
            by_status: false,
        },
        unpaid,
        explains: !ORDINARY.contains(&adjustment.reason.as_str()),
    };
    let mut out = Vec::new();
    for (n, line) in adjudication.lines.iter().enumerate() {
        let unpaid = line.paid.is_zero() && !line.charge.is_zero();
        let number = line.control_number.clone().unwrap_or_else(|| (n + 1).to_string());
        let (remark, place) = (remarks(&line.remarks), (number, procedure(line)));
        out.extend(line.adjustments.iter().map(|adjustment| said(adjustment, &remark, Some(&place), unpaid)));
    }
    let unpaid = adjudication.paid.is_zero() && adjudication.lines.is_empty();
    let remark = remarks(&adjudication.remarks);
    out.extend(adjudication.adjustments.iter().map(|adjustment| said(adjustment, &remark, None, unpaid)));
    out
}

/// RARCs that explain an adjustment, with a blank between.
fn remarks(remarks: &[Remark]) -> String {
    let codes = remarks.iter().filter(|remark| remark.alert != Some(true)).map(|remark| remark.code.as_str());
    codes.collect::<Vec<_>>().join(" ")
}

fn of_statuses(date: Date, response: &PayerResponse) -> Vec<Denial> {
    let refused = response.statuses.iter().filter(|status| REFUSED.contains(&status.category.as_str()));
    let denial = |status: &ClaimStatus| Denial {
        date: status.date.unwrap_or(date),
        reason: [Some(status.category.as_str()), status.code.as_deref()]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(":"),
        remark: status.entity.clone().unwrap_or_default(),
        line: status.line_control_number.clone().or_else(|| status.line.map(|line| line.to_string())),
        procedure: None,
        amount: status.charge.or(response.charge).or(response.keys.charge).unwrap_or_default(),
        by_status: true,
    };
    refused.map(denial).collect()
}

#[cfg(test)]
mod tests;
