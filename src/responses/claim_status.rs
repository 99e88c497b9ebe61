//! 277CA, the claim acknowledgment (005010X214), and 277, the claim status answer (005010X212): one statement for each
//! claim with an STC; and one for a whole batch (2200B) or provider (2200C) where nothing below it says more.
//!
//! The levels differ only in their HL03: 20 payer, 21 receiver, 19 provider, then PT (277CA) or 22 and 23 (277).

use super::context::*;
use super::meaning::List;
use super::remittance::svc;
use super::requests;
use crate::billing::response::{AdjudicatedLine, ClaimStatus, CorrelationKeys, Decision, OtherSegment, PayerResponse};
use crate::fault::codes;
use crate::x12::segment::Segment;
use jiff::civil::Date;
use rust_decimal::Decimal;
use std::cmp::Reverse;

const PATIENT_LEVELS: &[&str] = &["PT", "22", "23"];
/// The composites of STC, and all its elements that a status has fields for.
const COMPOSITES: [usize; 3] = [1, 10, 11];
const STC_READ: [usize; 11] = [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12];

/// Elements of SVC that a status answer may leave out, and what they are.
const AMOUNTS: [(usize, &str); 3] = [(2, "charge"), (3, "paid"), (5, "unitsPaid")];

/// One HL with what hangs on it.
type Level<'s, 'a> = &'s [Segment<'a>];

/// What the levels above a claim say about it.
#[derive(Default, Clone, Copy)]
struct Above<'s, 'a> {
    /// 277CA or 277.
    kind: &'static str,
    payer: Option<Level<'s, 'a>>,
    batch: Option<Level<'s, 'a>>,
    provider: Option<Level<'s, 'a>>,
    subscriber: Option<Level<'s, 'a>>,
}

pub(super) fn read(context: &mut Context, segments: &[Segment]) {
    let (head, levels) = runs(segments, |segment| segment.id() == "HL");
    let kind = transaction(context, head);
    let mut above = Above { kind, ..Above::default() };
    for (n, level) in levels.iter().enumerate() {
        match level[0].element(3) {
            "20" => above = Above { payer: Some(level), kind, ..Above::default() },
            "21" => above = Above { batch: Some(level), payer: above.payer, kind, ..Above::default() },
            "19" => above = Above { provider: Some(level), subscriber: None, ..above },
            "22" => above.subscriber = Some(level),
            _ => {}
        }
        let code = level[0].element(3);
        if PATIENT_LEVELS.contains(&code) {
            read_claims(context, &above, level);
        } else if has_status(level) && !says_more(code, &levels[n + 1..]) {
            let response = statement(context, &above, level, level);
            context.reading.responses.push(response);
        } else if speaks(level) {
            let response = statement(context, &above, level, level);
            context.reading.batches.push(response);
        }
    }
    check_counts(context, &levels);
}

/// Whether a level above the claims says something of its own: of a whole batch or of one provider's part in it.
fn speaks(level: Level) -> bool {
    level.iter().any(|segment| matches!(segment.id(), "STC" | "QTY" | "AMT" | "TRN" | "DTP" | "REF"))
}

fn has_status(level: Level) -> bool {
    all(level, "STC").next().is_some()
}

/// Whether a level below one of this code has a status of its own.
fn says_more(code: &str, after: &[Level]) -> bool {
    let ends: &[&str] = if code == "19" { &["20", "21", "19"] } else { &["20", "21"] };
    after.iter().take_while(|level| !ends.contains(&level[0].element(3))).any(|level| has_status(level))
}

/// The claims of a patient: each begins with its TRN; a status without one is a claim too.
fn read_claims(context: &mut Context, above: &Above, level: Level) {
    let (head, claims) = runs(level, |segment| segment.id() == "TRN");
    for (n, claim) in std::iter::once(head).chain(claims).enumerate() {
        if has_status(claim) || n > 0 {
            let response = statement(context, above, level, claim);
            context.reading.responses.push(response);
        }
    }
}

fn statement(context: &mut Context, above: &Above, level: Level, claim: Level) -> PayerResponse {
    let (head, lines) = runs(claim, |segment| segment.id() == "SVC");
    let mut own = statuses(context, head, None);
    let payer = above.payer.and_then(|payer| qualified(payer, "NM1", &["PR", "AY"]));
    // What a clearinghouse takes is on its way: only the payer takes a claim into adjudication.
    let decision = match (decide(context, &own), payer.map(|payer| payer.element(1))) {
        (Decision::Accepted, Some("AY")) => Decision::Forwarded,
        (decision, _) => decision,
    };
    let mut response = PayerResponse { source: context.source(claim), ..PayerResponse::default() };
    for (n, run) in lines.iter().enumerate() {
        let line = status_line(context, run);
        own.extend(statuses(context, run, Some((n, line.control_number.as_deref()))));
        response.lines.push(line);
    }
    response.charge = own.iter_mut().filter(|status| status.line.is_none()).find_map(|status| status.charge.take());
    response.paid = own.iter_mut().filter(|status| status.line.is_none()).find_map(|status| status.paid.take());
    own.sort_by_key(|status| (status.line.is_some(), Reverse(weight(judge(context, status)))));
    response.transaction = above.kind.into();
    response.decision = decision.word().into();
    response.stated = own.iter().find_map(|status| status.date).or_else(|| context.sent());
    response.keys = keys(above, level, claim, &own, response.charge);
    response.disposition = own.first().and_then(|status| status.meaning.clone());
    response.payer_name = payer.and_then(|nm1| text(nm1, 3));
    response.payer_identifier = payer.and_then(|nm1| text(nm1, 9));
    response.payer_claim_control_number = known(reference(head, "1K"));
    let asked = own.iter().filter_map(|status| requests::of_status(context.meanings, status, judge(context, status)));
    response.requests = asked.collect();
    response.statuses = own;
    facts(context, &mut response, level, head);
    requests::until(&mut response.requests, &response.dates, &response.lines);
    if PATIENT_LEVELS.contains(&level[0].element(3)) {
        above_facts(&mut response, above, level);
    }
    response
}

/// Who stands above a patient: the provider, and the insured of a dependent. Of payer and receiver also what hangs on them,
/// where their levels tell nothing of their own.
fn above_facts(response: &mut PayerResponse, above: &Above, level: Level) {
    let named = |segment: &&Segment| segment.id() == "NM1";
    let insured = above.subscriber.filter(|_| level[0].element(3) == "23");
    for level in [above.provider, insured].into_iter().flatten() {
        response.parties.extend(level.iter().filter(named).map(response_party));
    }
    let silent = |level: &Level| !speaks(level);
    if let Some(payer) = above.payer.filter(silent) {
        let beside = payer.iter().filter(|segment| !matches!(segment.id(), "HL" | "NM1" | "SE"));
        beside.for_each(|segment| other(&mut response.others, segment, &[]));
    }
    if let Some(receiver) = above.batch.filter(silent) {
        response.parties.extend(receiver.iter().filter(named).map(response_party));
    }
}

/// What stands beside the statuses of a claim or level.
fn facts(context: &mut Context, response: &mut PayerResponse, level: Level, head: Level) {
    let before = if head.first().map(|s| s.ordinal) == level.first().map(|s| s.ordinal) { &[] } else { level };
    let of_the_level = before.iter().take_while(|segment| segment.id() != "TRN");
    for segment in of_the_level.chain(head) {
        match (segment.id(), segment.element(1)) {
            ("HL" | "SE", _) => {}
            ("STC", _) => beyond_status(&mut response.others, segment),
            // The number that names the claim has a field; a claim that was split has more.
            ("REF", "1K")
                if known(text(segment, 2)).is_none_or(|number| Some(number) == response.payer_claim_control_number) => {
            }
            ("PWK", _) => response.requests.push(requests::attachment(segment, None, None)),
            ("TRN", _) => response.traces.extend(trace(segment)),
            ("NM1", _) => response.parties.push(response_party(segment)),
            ("REF", _) => response.references.extend(referenced(segment, &mut response.others)),
            ("DTP", _) => response.dates.extend(qualified_date(segment, 3)),
            ("AMT", _) => response.amounts.extend(context.amount(segment, &mut response.others)),
            ("QTY", _) => response.quantities.extend(context.amount(segment, &mut response.others)),
            _ => other(&mut response.others, segment, &[]),
        }
    }
}

/// Elements of STC that no status has a field for; `stc` alone is the status itself.
fn beyond_status(others: &mut Vec<OtherSegment>, stc: &Segment) {
    let mut rest = spelled(stc, &STC_READ);
    if !rest.elements.is_empty() {
        rest.id = "stc-more".into();
        others.push(rest);
    }
}

/// Loop 2220D.
fn status_line(context: &mut Context, run: Level) -> AdjudicatedLine {
    let mut line = AdjudicatedLine { units_paid: Decimal::ONE, balanced: true, ..AdjudicatedLine::default() };
    for segment in run {
        match (segment.id(), segment.element(1)) {
            ("SVC", _) => {
                svc(context, &mut line, segment);
                let unstated = AMOUNTS.iter().filter(|(n, _)| segment.element(*n).trim().is_empty());
                line.unstated = unstated.map(|(_, name)| (*name).to_owned()).collect();
            }
            ("SE", _) => {}
            ("STC", _) => beyond_status(&mut line.others, segment),
            ("REF", "FJ") if line.control_number.is_none() => line.control_number = text(segment, 2),
            ("REF", _) => line.references.extend(referenced(segment, &mut line.others)),
            ("DTP", "472") if date(segment.element(3).get(..8).unwrap_or_default()).is_some() => {
                (line.service_start, line.service_end) = dates(segment.element(3));
            }
            ("DTP", _) => line.dates.extend(qualified_date(segment, 3)),
            _ => other(&mut line.others, segment, &[]),
        }
    }
    line
}

/// 277CA or 277: by the guide, else by BHT06 (TH is the acknowledgment).
fn transaction(context: &Context, head: Level) -> &'static str {
    let guide = context.standing.version.contains("X214");
    let kind = all(head, "BHT").next().is_some_and(|bht| bht.element(6) == "TH");
    if guide || kind { "277CA" } else { "277" }
}

/// The worst that the claim itself is said to be; its lines explain it.
fn decide(context: &Context, statuses: &[ClaimStatus]) -> Decision {
    let judged = statuses.iter().map(|status| judge(context, status));
    judged.max_by_key(|decision| weight(*decision)).unwrap_or(Decision::Informational)
}

/// What one composite decides: by its category; by STC03 only when the category is unknown.
fn judge(context: &Context, status: &ClaimStatus) -> Decision {
    let by_action = || match status.action.as_deref() {
        Some("U") => Decision::Rejected,
        Some("WQ") => Decision::Accepted,
        _ => Decision::Informational,
    };
    context.meanings.decision(List::StatusCategory, &status.category).unwrap_or_else(by_action)
}

/// How much a decision weighs against others about the same claim: a refusal most of all.
fn weight(decision: Decision) -> u8 {
    match decision {
        Decision::Rejected => 4,
        Decision::Pended => 3,
        Decision::Accepted => 2,
        Decision::Forwarded => 1,
        _ => 0,
    }
}

fn keys(above: &Above, level: Level, claim: Level, own: &[ClaimStatus], charge: Option<Decimal>) -> CorrelationKeys {
    let (head, lines) = runs(claim, |segment| segment.id() == "SVC");
    let patient = PATIENT_LEVELS.contains(&level[0].element(3));
    let name = qualified(level, "NM1", &["QC", "IL", "03"]).filter(|_| patient);
    let holder = name.filter(|nm1| !nm1.element(9).is_empty());
    let holder = holder.or_else(|| above.subscriber.filter(|_| patient).and_then(|nm1| qualified(nm1, "NM1", &["IL"])));
    let provider = above.provider.and_then(|provider| all(provider, "NM1").next());
    let (service_start, service_end) = service_dates(head, &lines);
    let echoed = || all(head, "TRN").next().and_then(|trn| text(trn, 2));
    let is_ca = above.kind == "277CA";
    CorrelationKeys {
        batch_number: above.batch.and_then(|batch| known(text(qualified(batch, "TRN", &["2"])?, 2))),
        provider: provider.and_then(|nm1| text(nm1, 9).or_else(|| text(nm1, 3))),
        // CLM01 as echoed: REF*EJ where there is one (277), else TRN02, which a 277CA fills with it.
        patient_control_number: known(reference(head, "EJ").or_else(|| echoed().filter(|_| is_ca))).filter(|_| patient),
        inquiry_number: known(echoed()).filter(|_| patient && !is_ca),
        trace_number: known(reference(head, "D9")),
        member_id: holder.and_then(|nm1| text(nm1, 9)),
        patient_last_name: name.and_then(|nm1| text(nm1, 3)),
        patient_first_name: name.and_then(|nm1| text(nm1, 4)),
        charge: charge.or_else(|| own.iter().find_map(|status| status.charge)).filter(|_| patient),
        service_start,
        service_end,
        ..CorrelationKeys::default()
    }
}

fn service_dates(claim: Level, lines: &[Level]) -> (Option<Date>, Option<Date>) {
    let own = qualified(claim, "DTP", &["472"]);
    let of_lines = lines.iter().filter_map(|line| qualified(line, "DTP", &["472"]));
    span(own.into_iter().chain(of_lines).map(|dtp| dates(dtp.element(3))).flat_map(|(from, to)| [from, to]).flatten())
}

/// Every composite of every STC. Date, action, money and text belong to all three, and stand with the first.
fn statuses(context: &mut Context, run: Level, line: Option<(usize, Option<&str>)>) -> Vec<ClaimStatus> {
    let mut statuses = Vec::new();
    for stc in all(run, "STC") {
        let [charge, paid] = [context.number(stc, 4), context.number(stc, 5)];
        let filled = COMPOSITES.into_iter().filter(|element| segment_says(stc, *element));
        let mut all: Vec<ClaimStatus> = filled.map(|element| composite(context, stc, element, line)).collect();
        if all.is_empty() {
            all.push(composite(context, stc, COMPOSITES[0], line));
        }
        all[0] = ClaimStatus {
            date: date(stc.element(2)),
            action: text(stc, 3),
            finalized: date(stc.element(6)),
            payment_date: date(stc.element(8)),
            payment_number: text(stc, 9),
            text: text(stc, 12),
            charge,
            paid,
            ..std::mem::take(&mut all[0])
        };
        statuses.extend(all);
    }
    statuses
}

fn segment_says(stc: &Segment, element: usize) -> bool {
    stc.components(element).any(|part| !part.trim().is_empty())
}

fn composite(context: &Context, stc: &Segment, element: usize, line: Option<(usize, Option<&str>)>) -> ClaimStatus {
    let category = part(stc, element, 1).unwrap_or_default();
    let [code, entity, list] = [2, 3, 4].map(|component| part(stc, element, component));
    ClaimStatus {
        // A code of another list (NCPDP, LOINC) has no words among the status codes.
        meaning: Some(match &list {
            Some(_) => context.meanings.foreign_status(&category, code.as_deref(), entity.as_deref()),
            None => context.meanings.status(&category, code.as_deref(), entity.as_deref()),
        })
        .filter(|words| !words.is_empty()),
        category,
        code,
        entity,
        list,
        line_control_number: line.and_then(|(_, number)| number.map(str::to_owned)),
        line: line.and_then(|(n, _)| u32::try_from(n + 1).ok()),
        ..ClaimStatus::default()
    }
}

/// 2200B says how many claims were taken and refused: more listed than counted is odd; fewer is common (some payers list
/// only what they refuse).
fn check_counts(context: &mut Context, levels: &[Level]) {
    let quantity = |id: &str| {
        let found = levels
            .iter()
            .filter(|level| level[0].element(3) == "21")
            .filter_map(|level| qualified(level, "QTY", &[id]));
        let counts: Vec<usize> = found.filter_map(|qty| qty.element(2).parse().ok()).collect();
        (!counts.is_empty()).then(|| counts.iter().sum::<usize>())
    };
    let (taken, refused) = (quantity("90"), quantity("AA"));
    let Some(announced) = taken.or(refused).map(|_| taken.unwrap_or(0) + refused.unwrap_or(0)) else { return };
    let patients = levels.iter().filter(|level| PATIENT_LEVELS.contains(&level[0].element(3)));
    let listed = patients.filter(|level| has_status(level)).count();
    if listed > announced {
        let text = format!("the batch announces {announced} claims and lists {listed}");
        context.warn(codes::RESPONSE_UNREADABLE, levels.first().and_then(|level| level.first()), text);
    }
}
