//! 835, the claim payment (005010X221A1): one statement for each CLP, and one remittance for each transaction set. It is
//! read claim by claim, so that its length does not matter.
//!
//! Nothing is judged but the sums: a claim or payment that does not balance is kept and flagged.

use super::context::*;
use super::meaning::{List, Meanings, with_codes};
use super::requests;
use crate::billing::payer::Adjustment;
use crate::billing::record::Address;
use crate::billing::response::*;
use crate::fault::codes;
use crate::x12::segment::Segment;
use jiff::civil::Date;
use rust_decimal::Decimal;

/// Remarks of an inpatient claim (MIA) and of any other (MOA).
const MIA_REMARKS: [usize; 5] = [5, 20, 21, 22, 23];
const MOA_REMARKS: [usize; 5] = [3, 4, 5, 6, 7];
/// The six triples of CAS begin here, the six pairs of PLB there.
const CAS_TRIPLES: [usize; 6] = [2, 5, 8, 11, 14, 17];
const PLB_PAIRS: [usize; 6] = [3, 5, 7, 9, 11, 13];
/// Components of a PLB reason and of a procedure that have fields.
const PLB_PARTS: usize = 2;
const PROCEDURE_PARTS: usize = 7;
/// Adjustments that are the patient's part: deductible, coinsurance, copayment, blood deductible.
const PATIENTS_PART: [&str; 4] = ["1", "2", "3", "66"];
/// BPR elements that a payment has fields for; the rest are bank data.
const BPR_READ: [usize; 5] = [1, 2, 3, 4, 16];

type Run<'s, 'a> = &'s [Segment<'a>];

/// A remittance while its claims are read.
#[derive(Debug, Default)]
pub(super) struct Open {
    pub remittance: Remittance,
    /// Σ CLP04.
    paid: Decimal,
    /// BPR, for the issue when it does not balance.
    bpr: Option<crate::fault::Place>,
    /// Which statement its first claim is.
    first: usize,
    claims: usize,
}

/// What stands before the first claim.
pub(super) fn open(context: &mut Context, header: Run) -> Open {
    let mut remittance = Remittance { source: context.source(header), ..Remittance::default() };
    let (head, parties) = runs(header, |segment| segment.id() == "N1");
    for segment in head {
        head_segment(context, &mut remittance, segment);
    }
    for run in parties {
        let party = remittance_party(run);
        remittance.parties.push(party);
    }
    name_parties(&mut remittance);
    let bpr = all(header, "BPR").next().map(|bpr| context.standing.place(Some(bpr)));
    Open { remittance, bpr, first: context.reading.told(), ..Open::default() }
}

fn head_segment(context: &mut Context, remittance: &mut Remittance, segment: &Segment) {
    let payment = &mut remittance.payment;
    match (segment.id(), segment.element(1)) {
        ("ST", _) => {}
        ("BPR", _) => {
            (payment.handling, payment.direction) = (text(segment, 1), text(segment, 3));
            (payment.method, payment.date) = (text(segment, 4), date(segment.element(16)));
            payment.total = context.number(segment, 2).unwrap_or_default();
            // A date that is none is kept as it stands.
            let read = BPR_READ.len() - usize::from(payment.date.is_none());
            other(&mut remittance.others, segment, &BPR_READ[..read]);
        }
        ("TRN", _) => {
            payment.trace_number = text(segment, 2).unwrap_or_default();
            payment.originator = text(segment, 3);
            other(&mut remittance.others, segment, &[1, 2, 3]);
        }
        ("CUR", _) => {
            payment.currency = text(segment, 2);
            other(&mut remittance.others, segment, &[2]);
        }
        ("DTM", "405") if date(segment.element(2)).is_some() => payment.production_date = date(segment.element(2)),
        ("REF", _) => remittance.references.extend(referenced(segment, &mut remittance.others)),
        _ => other(&mut remittance.others, segment, &[]),
    }
}

/// Loop 1000A or 1000B.
fn remittance_party(run: Run) -> RemittanceParty {
    let n1 = &run[0];
    let mut party = RemittanceParty {
        entity: n1.element(1).trim().to_owned(),
        name: text(n1, 2),
        id_qualifier: text(n1, 3),
        id: text(n1, 4),
        ..RemittanceParty::default()
    };
    for segment in &run[1..] {
        match segment.id() {
            // An address that comes again is another's, whose N1 is missing.
            "N3" | "N4" if !has_address(&party, segment.id()) => {
                address(party.address.get_or_insert_default(), segment);
            }
            "REF" => party.references.extend(referenced(segment, &mut party.others)),
            "PER" => party.contacts.push(contact(segment)),
            _ => other(&mut party.others, segment, &[]),
        }
    }
    party
}

fn has_address(party: &RemittanceParty, segment: &str) -> bool {
    party.address.as_ref().is_some_and(|known| match segment {
        "N3" => known.line1.is_some() || known.line2.is_some(),
        _ => known.city.is_some() || known.state.is_some() || known.postal_code.is_some(),
    })
}

fn address(address: &mut Address, segment: &Segment) {
    match segment.id() {
        "N3" => (address.line1, address.line2) = (text(segment, 1), text(segment, 2)),
        _ => {
            (address.city, address.state) = (text(segment, 1), text(segment, 2));
            (address.postal_code, address.country) = (text(segment, 3), text(segment, 4));
            address.subdivision = text(segment, 7);
        }
    }
}

fn contact(per: &Segment) -> ResponseContact {
    let number = |at: usize| Some(ContactNumber { kind: text(per, at)?, value: text(per, at + 1)? });
    ResponseContact {
        function: per.element(1).trim().to_owned(),
        name: text(per, 2),
        numbers: [3, 5, 7].into_iter().filter_map(number).collect(),
    }
}

/// The payer's id is REF*2U or N104, else TRN03 without the leading 1.
fn name_parties(remittance: &mut Remittance) {
    let Remittance { parties, payment, payer_name, payer_identifier, .. } = remittance;
    let of = |entity: &str| parties.iter().find(|party| party.entity == entity);
    let originator = || {
        let number = payment.originator.as_deref()?;
        Some(if number.len() == 10 { number.strip_prefix('1').unwrap_or(number) } else { number }.to_owned())
    };
    if let Some(payer) = of("PR") {
        let own = payer.references.iter().find(|reference| reference.qualifier == "2U");
        payer_name.clone_from(&payer.name);
        *payer_identifier = own.map(|own| own.value.clone()).or_else(|| payer.id.clone());
    }
    *payer_identifier = payer_identifier.take().or_else(originator);
    if let Some(payee) = of("PE") {
        let npi = payee.id_qualifier.as_deref() == Some("XX");
        let (with_npi, without) = if npi { (payee.id.clone(), None) } else { (None, payee.id.clone()) };
        (payment.payee_npi, payment.payee_id) = (with_npi, without);
        payment.payee_qualifier = payee.id_qualifier.clone().filter(|_| !npi);
        payment.payee_name.clone_from(&payee.name);
    }
}

/// What stands between the claims and behind them: LX with the sums of a provider (TS3, TS2), PLB.
pub(super) fn between(context: &mut Context, open: &mut Open, run: Run) {
    for segment in run {
        match segment.id() {
            "PLB" => provider_adjustments(context, &mut open.remittance, segment),
            "SE" => open.remittance.source.last_segment = segment.ordinal,
            // A number of a group of claims says something only beside the sums of the group.
            "LX" if run.len() == 1 => {}
            _ => other(&mut open.remittance.others, segment, &[]),
        }
    }
}

/// Every pair of a PLB; one without an amount adjusts nothing and is kept as it stands.
fn provider_adjustments(context: &mut Context, remittance: &mut Remittance, plb: &Segment) {
    let mut told = Vec::new();
    for at in PLB_PAIRS {
        if let Some(amount) = context.number(plb, at + 1) {
            told.extend([1, at, at + 1]);
            told.extend(date(plb.element(2)).map(|_| 2));
            beyond(&mut remittance.others, plb, at, PLB_PARTS);
            remittance.provider_adjustments.push(ProviderAdjustment {
                provider: plb.element(1).trim().to_owned(),
                fiscal_period: date(plb.element(2)),
                reason: plb.component(at, 1).trim().to_owned(),
                identifier: part(plb, at, 2),
                amount,
            });
        }
    }
    other(&mut remittance.others, plb, &told);
}

/// One CLP with its lines.
pub(super) fn claim(context: &mut Context, open: &mut Open, run: Run) {
    let mut response = statement(context, run, &open.remittance.payment);
    response.payer_name.clone_from(&open.remittance.payer_name);
    response.payer_identifier.clone_from(&open.remittance.payer_identifier);
    let remitted = remitted(&response);
    open.paid += remitted.paid;
    open.claims += 1;
    open.remittance.claims.push(remitted);
    context.reading.responses.push(response);
}

/// The end of the set.
pub(super) fn close(context: &mut Context, open: Open) {
    let Open { mut remittance, paid, bpr, first, claims } = open;
    remittance.balanced = balance(context, bpr, &remittance, paid);
    context.reading.remitted.push(first..first + claims);
    context.reading.remittances.push(remittance);
}

fn statement(context: &mut Context, run: Run, payment: &Payment) -> PayerResponse {
    let (head, lines) = runs(run, |segment| segment.id() == "SVC");
    let mut adjudication = adjudication(context, head);
    adjudication.lines = lines.into_iter().map(|run| line(context, run)).collect();
    adjudication.balanced = balance_claim(context, head, &adjudication);
    let decision = decide(context.meanings, &adjudication.status);
    PayerResponse {
        transaction: "835".into(),
        decision: decision.word().into(),
        stated: payment.date.or_else(|| context.sent()),
        source: context.source(run),
        keys: keys(head, &adjudication),
        payment: Some(payment.clone()),
        payer_claim_control_number: known(head.first().and_then(|clp| text(clp, 7))),
        requests: requests::of_adjudication(context.meanings, &adjudication, decision),
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
    let of = |entity: &str| adjudication.parties.iter().find(|party| party.entity == entity);
    let reference = |qualifier: &str| {
        let mut found = adjudication.references.iter().filter(|reference| reference.qualifier == qualifier);
        known(found.next().map(|reference| reference.value.clone()))
    };
    let (patient, insured) = (of("QC"), of("IL").filter(|insured| insured.id.is_some()));
    let (service_start, service_end) = service_dates(adjudication);
    CorrelationKeys {
        patient_control_number: known(claim.first().and_then(|clp| text(clp, 1))),
        trace_number: reference("D9"),
        original_claim_control_number: reference("F8"),
        member_id: insured.or(patient).and_then(|party| party.id.clone()),
        patient_last_name: patient.and_then(|patient| patient.party.last_name.clone()),
        patient_first_name: patient.and_then(|patient| patient.party.first_name.clone()),
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

/// What a row of a table does with a segment.
type Take<T> = fn(&mut Context, &mut T, &Segment);

/// The segments of loop 2100, and what each gives; anything else is kept as it stands.
const CLAIM: &[(&str, Take<Adjudication>)] = &[
    ("CLP", clp),
    ("CAS", |context, claim, cas| adjustments(context, &mut claim.adjustments, &mut claim.others, cas)),
    ("NM1", |_, claim, nm1| claim.parties.push(response_party(nm1))),
    ("MIA", |context, claim, mia| details(context, claim, mia, &MIA_REMARKS)),
    ("MOA", |context, claim, moa| details(context, claim, moa, &MOA_REMARKS)),
    ("REF", |_, claim, segment| claim.references.extend(referenced(segment, &mut claim.others))),
    ("DTM", |_, claim, dtm| claim.dates.extend(dtm_date(dtm, &mut claim.others))),
    ("AMT", |context, claim, amt| claim.amounts.extend(context.amount(amt, &mut claim.others))),
    ("QTY", |context, claim, qty| claim.quantities.extend(context.amount(qty, &mut claim.others))),
    ("LQ", |context, claim, lq| remark(context.meanings, &mut claim.remarks, lq.element(1), lq.element(2))),
    ("SE", |_, _, _| {}),
];

/// The segments of loop 2110.
const LINE: &[(&str, Take<AdjudicatedLine>)] = &[
    ("SVC", svc),
    ("DTM", |_, line, dtm| service_date(line, dtm)),
    ("CAS", |context, line, cas| adjustments(context, &mut line.adjustments, &mut line.others, cas)),
    ("REF", |_, line, segment| reference_of_line(line, segment)),
    ("AMT", |context, line, amt| line.amounts.extend(context.amount(amt, &mut line.others))),
    ("QTY", |context, line, qty| line.quantities.extend(context.amount(qty, &mut line.others))),
    ("LQ", |context, line, lq| remark(context.meanings, &mut line.remarks, lq.element(1), lq.element(2))),
];

/// Loop 2100 without its lines.
fn adjudication(context: &mut Context, head: Run) -> Adjudication {
    let mut claim = Adjudication::default();
    for segment in head {
        let id = segment.id();
        match CLAIM.iter().find(|(known, _)| *known == id) {
            Some((_, take)) => take(context, &mut claim, segment),
            None => other(&mut claim.others, segment, &[]),
        }
    }
    claim
}

fn clp(context: &mut Context, claim: &mut Adjudication, clp: &Segment) {
    claim.status = clp.element(2).trim().to_owned();
    claim.charge = context.number(clp, 3).unwrap_or_default();
    claim.paid = context.number(clp, 4).unwrap_or_default();
    claim.patient_responsibility = context.number(clp, 5);
    claim.claim_filing_indicator = text(clp, 6);
    (claim.facility_code, claim.frequency_code) = (text(clp, 8), text(clp, 9));
    claim.drg = text(clp, 11);
    claim.drg_weight = context.number(clp, 12);
    claim.discharge_fraction = context.number(clp, 13);
    other(&mut claim.others, clp, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13]);
}

/// MIA and MOA: their remarks are remarks, the rest has names.
fn details(context: &mut Context, claim: &mut Adjudication, segment: &Segment, remarks: &[usize]) {
    claim.details.extend(spelled(segment, remarks).elements);
    for n in remarks {
        remark(context.meanings, &mut claim.remarks, "HE", segment.element(*n));
    }
}

/// Loop 2110.
fn line(context: &mut Context, run: Run) -> AdjudicatedLine {
    let mut line = AdjudicatedLine { units_paid: Decimal::ONE, ..AdjudicatedLine::default() };
    for segment in run {
        let id = segment.id();
        match LINE.iter().find(|(known, _)| *known == id) {
            Some((_, take)) => take(context, &mut line, segment),
            None => other(&mut line.others, segment, &[]),
        }
    }
    line.allowed = allowed(context.meanings, &line);
    line.balanced = line.charge - total(&line.adjustments) == line.paid;
    line
}

pub(super) fn svc(context: &mut Context, line: &mut AdjudicatedLine, svc: &Segment) {
    line.code = procedure(svc, 1).unwrap_or_default();
    line.charge = context.number(svc, 2).unwrap_or_default();
    line.paid = context.number(svc, 3).unwrap_or_default();
    line.revenue_code = text(svc, 4);
    line.units_paid = context.number(svc, 5).unwrap_or(Decimal::ONE);
    line.submitted_code = procedure(svc, 6);
    line.units_submitted = context.number(svc, 7);
    other(&mut line.others, svc, &[1, 2, 3, 4, 5, 6, 7]);
    [1, 6].into_iter().for_each(|element| beyond(&mut line.others, svc, element, PROCEDURE_PARTS));
}

fn service_date(line: &mut AdjudicatedLine, dtm: &Segment) {
    match (dtm.element(1), date(dtm.element(2))) {
        ("472" | "150", Some(day)) if line.service_start.is_none() => line.service_start = Some(day),
        ("151", Some(day)) if line.service_end.is_none() => line.service_end = Some(day),
        _ => return line.dates.extend(dtm_date(dtm, &mut line.others)),
    }
    other(&mut line.others, dtm, &[1, 2]);
}

fn reference_of_line(line: &mut AdjudicatedLine, segment: &Segment) {
    match (segment.element(1), text(segment, 2)) {
        ("6R", number @ Some(_)) if line.control_number.is_none() => line.control_number = number,
        _ => line.references.extend(referenced(segment, &mut line.others)),
    }
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

/// Every triple of a CAS. A triple without reason but with an amount is kept: the sum needs it. What is no number is kept
/// as it stands.
fn adjustments(
    context: &mut Context,
    adjustments: &mut Vec<Adjustment>,
    others: &mut Vec<OtherSegment>,
    cas: &Segment,
) {
    let mut unread = Vec::new();
    let count = cas.len();
    for at in CAS_TRIPLES.into_iter().take_while(|at| *at <= count) {
        let [amount, quantity] = [at + 1, at + 2].map(|n| {
            let number = context.number(cas, n);
            unread.extend(Some(n).filter(|n| number.is_none() && !trimmed(cas.element(*n)).is_empty()));
            number
        });
        let reason = trimmed(cas.element(at));
        if amount.is_some() || !reason.is_empty() {
            adjustments.push(Adjustment {
                group: trimmed(cas.element(1)).to_owned(),
                reason: reason.to_owned(),
                amount: amount.unwrap_or_default(),
                quantity,
            });
        }
    }
    if !unread.is_empty() {
        let read: Vec<usize> = (1..=cas.len()).filter(|n| !unread.contains(n)).collect();
        other(others, cas, &read);
    }
}

/// A remark of MIA, MOA or LQ. The same remark is said once.
fn remark(meanings: &Meanings, remarks: &mut Vec<Remark>, list: &str, code: &str) {
    let (list, code) = (list.trim(), code.trim());
    if code.is_empty() || remarks.iter().any(|known| known.code == code && known.list == list) {
        return;
    }
    let rarc = list == "HE";
    let text = meanings.of(List::Remark, code).filter(|_| rarc).map(str::to_owned);
    let alert = (rarc && meanings.column(List::Remark, code, "alert") == Some("Y")).then_some(true);
    remarks.push(Remark { code: code.to_owned(), list: list.to_owned(), text, alert });
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
fn balance(context: &mut Context, bpr: Option<crate::fault::Place>, remittance: &Remittance, claims: Decimal) -> bool {
    let debit = remittance.payment.direction.as_deref() == Some("D");
    let provider: Decimal = remittance.provider_adjustments.iter().map(|each| each.amount).sum();
    let total = if debit { -remittance.payment.total } else { remittance.payment.total };
    let balanced = total == claims - provider;
    if !balanced {
        let at = bpr.unwrap_or_else(|| context.standing.place(None));
        let text = format!("the payment is {total}, its claims less provider adjustments make {}", claims - provider);
        context.reading.issues.push(crate::fault::Issue::warning(codes::RESPONSE_UNBALANCED, at, text));
    }
    balanced
}
