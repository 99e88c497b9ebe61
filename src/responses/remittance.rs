//! 835, the claim payment (005010X221A1): one statement for each CLP, and one remittance for each transaction set.
//!
//! Nothing is judged but the sums: a claim or payment that does not balance is kept and flagged.

use super::context::{Context, all, date, known, party, procedure, qualified, reference, runs, span, text, until};
use super::meaning::{List, Meanings, with_codes};
use crate::billing::payer::Adjustment;
use crate::billing::response::*;
use crate::fault::codes;
use crate::x12::segment::Segment;
use jiff::civil::Date;
use rust_decimal::Decimal;

/// What ends a claim: the next provider's header, the provider adjustments, the trailer.
const AFTER_A_CLAIM: &[&str] = &["LX", "TS3", "TS2", "PLB", "SE"];
/// Remarks of an inpatient claim (MIA) and of any other (MOA).
const MIA_REMARKS: [usize; 5] = [5, 20, 21, 22, 23];
const MOA_REMARKS: [usize; 5] = [3, 4, 5, 6, 7];
/// The six triples of CAS begin here, the six pairs of PLB there.
const CAS_TRIPLES: [usize; 6] = [2, 5, 8, 11, 14, 17];
const PLB_PAIRS: [usize; 6] = [3, 5, 7, 9, 11, 13];
/// Adjustments that are the patient's part: deductible, coinsurance, copayment, blood deductible.
const PATIENTS_PART: [&str; 4] = ["1", "2", "3", "66"];

type Run<'s, 'a> = &'s [Segment<'a>];

pub(super) fn read(context: &mut Context) {
    let (header, claims) = runs(context.segments(), |segment| segment.id() == "CLP");
    let payment = payment(context, header);
    let (payer_name, payer_identifier) = payer(header);
    let first = context.reading.responses.len();
    for run in claims {
        let mut response = statement(context, until(run, AFTER_A_CLAIM), &payment);
        (response.payer_name, response.payer_identifier) = (payer_name.clone(), payer_identifier.clone());
        context.reading.responses.push(response);
    }
    let mut remittance = Remittance {
        source: context.source(context.segments()),
        payment,
        payer_name,
        payer_identifier,
        claims: context.reading.responses[first..].iter().map(remitted).collect(),
        provider_adjustments: provider_adjustments(context),
        ..Remittance::default()
    };
    remittance.balanced = balance(context, header, &remittance);
    context.reading.remitted.push(first..context.reading.responses.len());
    context.reading.remittances.push(remittance);
}

fn statement(context: &mut Context, claim: Run, payment: &Payment) -> PayerResponse {
    let (head, lines) = runs(claim, |segment| segment.id() == "SVC");
    let mut adjudication = adjudication(context, head);
    adjudication.lines = lines.into_iter().map(|run| line(context, run)).collect();
    adjudication.balanced = balance_claim(context, head, &adjudication);
    let decision = decide(context.meanings, &adjudication.status);
    PayerResponse {
        transaction: "835".into(),
        decision: decision.word().into(),
        stated: payment.date.or_else(|| context.sent()),
        source: context.source(claim),
        keys: keys(head, &adjudication),
        payment: Some(payment.clone()),
        payer_claim_control_number: known(head.first().and_then(|clp| text(clp, 7))),
        disposition: Some(disposition(context.meanings, &adjudication.status)),
        adjudication: Some(adjudication),
        ..PayerResponse::default()
    }
}

/// CLP02. A status that is not of the list comes with money all the same.
fn decide(meanings: &Meanings, status: &str) -> Decision {
    meanings.decision(List::ClaimStatus, status).unwrap_or(Decision::Adjudicated)
}

fn keys(claim: Run, adjudication: &Adjudication) -> CorrelationKeys {
    let patient = qualified(claim, "NM1", &["QC"]);
    let insured = qualified(claim, "NM1", &["IL"]).filter(|nm1| !nm1.element(9).is_empty());
    let (service_start, service_end) = service_dates(adjudication);
    CorrelationKeys {
        patient_control_number: known(claim.first().and_then(|clp| text(clp, 1))),
        trace_number: known(reference(claim, "D9")),
        original_claim_control_number: known(reference(claim, "F8")),
        member_id: insured.or(patient).and_then(|nm1| text(nm1, 9)),
        patient_last_name: patient.and_then(|nm1| text(nm1, 3)),
        patient_first_name: patient.and_then(|nm1| text(nm1, 4)),
        charge: Some(adjudication.charge),
        service_start,
        service_end,
        ..CorrelationKeys::default()
    }
}

/// The claim's own statement dates, else those of its lines.
fn service_dates(adjudication: &Adjudication) -> (Option<Date>, Option<Date>) {
    let own = adjudication.dates.iter().filter(|date| matches!(date.qualifier.as_str(), "232" | "233" | "472"));
    match span(own.flat_map(|date| [date.start, date.end]).flatten()) {
        (None, None) => {
            span(adjudication.lines.iter().flat_map(|line| [line.service_start, line.service_end]).flatten())
        }
        own => own,
    }
}

fn disposition(meanings: &Meanings, status: &str) -> String {
    with_codes(meanings.of(List::ClaimStatus, status).unwrap_or_default(), &format!("CLP02={status}"))
}

/// Loop 2100 without its lines.
fn adjudication(context: &mut Context, head: Run) -> Adjudication {
    let Some(clp) = head.first() else { return Adjudication::default() };
    Adjudication {
        status: clp.element(2).trim().to_owned(),
        charge: context.number(clp, 3).unwrap_or_default(),
        paid: context.number(clp, 4).unwrap_or_default(),
        patient_responsibility: context.number(clp, 5),
        claim_filing_indicator: text(clp, 6),
        facility_code: text(clp, 8),
        frequency_code: text(clp, 9),
        drg: text(clp, 11),
        adjustments: adjustments(context, head),
        amounts: amounts(context, head, "AMT"),
        quantities: amounts(context, head, "QTY"),
        remarks: remarks(context.meanings, head),
        references: references(head),
        dates: all(head, "DTM").map(qualified_date).collect(),
        parties: all(head, "NM1").map(response_party).collect(),
        ..Adjudication::default()
    }
}

/// Loop 2110.
fn line(context: &mut Context, run: Run) -> AdjudicatedLine {
    let svc = &run[0];
    let day = |qualifier| qualified(run, "DTM", &[qualifier]).and_then(|dtm| date(dtm.element(2)));
    let mut line = AdjudicatedLine {
        control_number: reference(run, "6R"),
        code: procedure(svc, 1).unwrap_or_default(),
        submitted_code: procedure(svc, 6),
        revenue_code: text(svc, 4),
        charge: context.number(svc, 2).unwrap_or_default(),
        paid: context.number(svc, 3).unwrap_or_default(),
        units_paid: context.number(svc, 5).unwrap_or(Decimal::ONE),
        units_submitted: context.number(svc, 7),
        service_start: day("472").or_else(|| day("150")),
        service_end: day("151"),
        adjustments: adjustments(context, run),
        amounts: amounts(context, run, "AMT"),
        quantities: amounts(context, run, "QTY"),
        remarks: remarks(context.meanings, run),
        references: references(run).into_iter().filter(|reference| reference.qualifier != "6R").collect(),
        ..AdjudicatedLine::default()
    };
    line.allowed = allowed(context.meanings, &line);
    line.balanced = line.charge - total(&line.adjustments) == line.paid;
    line
}

/// AMT*B6; else the charge less what the contract takes off, unless the line was refused altogether.
fn allowed(meanings: &Meanings, line: &AdjudicatedLine) -> Option<Decimal> {
    if let Some(said) = line.amounts.iter().find(|amount| amount.qualifier == "B6") {
        return Some(said.value);
    }
    let sum =
        |of: &dyn Fn(&&Adjustment) -> bool| line.adjustments.iter().filter(of).map(|each| each.amount).sum::<Decimal>();
    let contractual = |each: &&Adjustment| {
        each.group != "PR" && meanings.column(List::Adjustment, &each.reason, "kind") == Some("contractual")
    };
    let patients = |each: &&Adjustment| each.group == "PR" && PATIENTS_PART.contains(&each.reason.as_str());
    let allowed = line.charge - sum(&contractual);
    let refused = line.paid.is_zero() && sum(&patients).is_zero() && !allowed.is_zero();
    (!refused).then_some(allowed)
}

fn total(adjustments: &[Adjustment]) -> Decimal {
    adjustments.iter().map(|each| each.amount).sum()
}

/// Every triple of every CAS. A triple without reason but with an amount is kept: the sum needs it.
fn adjustments(context: &mut Context, run: Run) -> Vec<Adjustment> {
    let mut adjustments = Vec::new();
    for cas in all(run, "CAS") {
        for at in CAS_TRIPLES {
            let amount = context.number(cas, at + 1);
            let reason = cas.element(at).trim();
            if amount.is_some() || !reason.is_empty() {
                adjustments.push(Adjustment {
                    group: cas.element(1).trim().to_owned(),
                    reason: reason.to_owned(),
                    amount: amount.unwrap_or_default(),
                    quantity: context.number(cas, at + 2),
                });
            }
        }
    }
    adjustments
}

/// AMT or QTY.
fn amounts(context: &mut Context, run: Run, id: &str) -> Vec<QualifiedAmount> {
    let mut amounts = Vec::new();
    for segment in run.iter().filter(|segment| segment.id() == id) {
        if let Some(value) = context.number(segment, 2) {
            amounts.push(QualifiedAmount { qualifier: segment.element(1).to_owned(), value });
        }
    }
    amounts
}

/// MIA, MOA and LQ. The same remark is said once.
fn remarks(meanings: &Meanings, run: Run) -> Vec<Remark> {
    let said = run.iter().flat_map(|segment| match segment.id() {
        "MIA" => remarks_at(segment, &MIA_REMARKS),
        "MOA" => remarks_at(segment, &MOA_REMARKS),
        "LQ" => text(segment, 2).map(|code| (segment.element(1).to_owned(), code)).into_iter().collect(),
        _ => Vec::new(),
    });
    let mut remarks: Vec<Remark> = Vec::new();
    for (list, code) in said {
        if !remarks.iter().any(|known| known.code == code && known.list == list) {
            remarks.push(remark(meanings, list, code));
        }
    }
    remarks
}

fn remark(meanings: &Meanings, list: String, code: String) -> Remark {
    let rarc = list == "HE";
    let text = meanings.of(List::Remark, &code).filter(|_| rarc).map(str::to_owned);
    let alert = (rarc && meanings.column(List::Remark, &code, "alert") == Some("Y")).then_some(true);
    Remark { code, list, text, alert }
}

fn remarks_at(segment: &Segment, elements: &[usize]) -> Vec<(String, String)> {
    elements.iter().filter_map(|n| Some(("HE".to_owned(), text(segment, *n)?))).collect()
}

fn references(run: Run) -> Vec<Reference> {
    let reference = |segment: &Segment| Reference {
        qualifier: segment.element(1).to_owned(),
        value: segment.element(2).trim().to_owned(),
    };
    all(run, "REF").map(reference).filter(|reference| !reference.value.is_empty()).collect()
}

fn qualified_date(dtm: &Segment) -> QualifiedDate {
    QualifiedDate { qualifier: dtm.element(1).to_owned(), start: date(dtm.element(2)), end: None }
}

fn response_party(nm1: &Segment) -> ResponseParty {
    ResponseParty { entity: nm1.element(1).to_owned(), party: party(nm1), id_qualifier: text(nm1, 8), id: text(nm1, 9) }
}

/// BPR, TRN, CUR, DTM*405 and the payee.
fn payment(context: &mut Context, header: Run) -> Payment {
    let find = |id: &str| header.iter().find(|segment| segment.id() == id);
    let (bpr, trn) = (find("BPR"), find("TRN"));
    let payee = qualified(header, "N1", &["PE"]);
    Payment {
        trace_number: trn.and_then(|trn| text(trn, 2)).unwrap_or_default(),
        originator: trn.and_then(|trn| text(trn, 3)),
        date: bpr.and_then(|bpr| date(bpr.element(16))),
        total: bpr.and_then(|bpr| context.number(bpr, 2)).unwrap_or_default(),
        handling: bpr.and_then(|bpr| text(bpr, 1)),
        method: bpr.and_then(|bpr| text(bpr, 4)),
        payee_name: payee.and_then(|n1| text(n1, 2)),
        payee_npi: payee.filter(|n1| n1.element(3) == "XX").and_then(|n1| text(n1, 4)),
        production_date: qualified(header, "DTM", &["405"]).and_then(|dtm| date(dtm.element(2))),
        currency: find("CUR").and_then(|cur| text(cur, 2)),
    }
}

/// N1*PR: its name; its id is REF*2U or N104, else TRN03 without the leading 1.
fn payer(header: Run) -> (Option<String>, Option<String>) {
    let (_, parties) = runs(header, |segment| segment.id() == "N1");
    let payer = parties.into_iter().find(|party| party[0].element(1) == "PR").unwrap_or_default();
    let own = reference(payer, "2U").or_else(|| payer.first().and_then(|n1| text(n1, 4)));
    let originator = || {
        let number = all(header, "TRN").next().and_then(|trn| text(trn, 3))?;
        Some(if number.len() == 10 { number.strip_prefix('1').unwrap_or(&number).to_owned() } else { number })
    };
    (payer.first().and_then(|n1| text(n1, 2)), own.or_else(originator))
}

fn remitted(response: &PayerResponse) -> RemittedClaim {
    let (status, paid) = response.adjudication.as_ref().map(|a| (a.status.clone(), a.paid)).unwrap_or_default();
    RemittedClaim {
        patient_control_number: response.keys.patient_control_number.clone().unwrap_or_else(|| "0".into()),
        payer_claim_control_number: response.payer_claim_control_number.clone(),
        status,
        paid,
        request: None,
        response: None,
    }
}

/// Every pair of every PLB.
fn provider_adjustments(context: &mut Context) -> Vec<ProviderAdjustment> {
    let mut adjustments = Vec::new();
    for plb in all(context.segments(), "PLB") {
        for at in PLB_PAIRS {
            if let Some(amount) = context.number(plb, at + 1) {
                adjustments.push(ProviderAdjustment {
                    provider: plb.element(1).to_owned(),
                    fiscal_period: date(plb.element(2)),
                    reason: plb.component(at, 1).to_owned(),
                    identifier: Some(plb.component(at, 2).to_owned()).filter(|id| !id.is_empty()),
                    amount,
                });
            }
        }
    }
    adjustments
}

/// CLP03 − Σ CAS of claim and lines = CLP04; and when lines are given, their charges and payments make up the claim's.
fn balance_claim(context: &mut Context, head: Run, claim: &Adjudication) -> bool {
    let (own, lines) = (total(&claim.adjustments), &claim.lines);
    let of_lines: Decimal = lines.iter().map(|line| total(&line.adjustments)).sum();
    let (charges, payments): (Decimal, Decimal) =
        (lines.iter().map(|line| line.charge).sum(), lines.iter().map(|line| line.paid).sum());
    let lines_agree = lines.is_empty() || (charges == claim.charge && payments - own == claim.paid);
    let difference = claim.charge - own - of_lines - claim.paid;
    let balanced = difference.is_zero() && lines_agree && lines.iter().all(|line| line.balanced);
    if !balanced {
        context.warn(codes::RESPONSE_UNBALANCED, head.first(), "charge, adjustments and payment of the claim disagree");
    }
    balanced
}

/// BPR02 = Σ CLP04 − Σ PLB; a debit (BPR03 D) takes money back.
fn balance(context: &mut Context, header: Run, remittance: &Remittance) -> bool {
    let bpr = all(header, "BPR").next();
    let debit = bpr.is_some_and(|bpr| bpr.element(3) == "D");
    let claims: Decimal = remittance.claims.iter().map(|claim| claim.paid).sum();
    let provider: Decimal = remittance.provider_adjustments.iter().map(|each| each.amount).sum();
    let total = if debit { -remittance.payment.total } else { remittance.payment.total };
    let balanced = total == claims - provider;
    if !balanced {
        let text = format!("the payment is {total}, its claims less provider adjustments make {}", claims - provider);
        context.warn(codes::RESPONSE_UNBALANCED, bpr, text);
    }
    balanced
}
