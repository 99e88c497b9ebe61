//! 277CA, the claim acknowledgment (005010X214), and 277, the claim status answer (005010X212): one statement for each
//! claim with an STC; and one for a whole batch (2200B) or provider (2200C) where nothing below it says more.
//!
//! The levels differ only in their HL03: 20 payer, 21 receiver, 19 provider, then PT (277CA) or 22 and 23 (277).

use super::context::{Context, all, date, dates, known, part, qualified, reference, runs, span, text};
use super::meaning::List;
use crate::billing::response::{ClaimStatus, CorrelationKeys, Decision, PayerResponse};
use crate::fault::codes;
use crate::x12::segment::Segment;
use jiff::civil::Date;
use rust_decimal::Decimal;
use std::cmp::Reverse;

const PATIENT_LEVELS: &[&str] = &["PT", "22", "23"];
/// The composites of STC.
const COMPOSITES: [usize; 3] = [1, 10, 11];

/// One HL with what hangs on it.
type Level<'s, 'a> = &'s [Segment<'a>];

/// What the levels above a claim say about it.
#[derive(Default, Clone, Copy)]
struct Above<'s, 'a> {
    payer: Option<Level<'s, 'a>>,
    batch: Option<Level<'s, 'a>>,
    provider: Option<Level<'s, 'a>>,
    subscriber: Option<Level<'s, 'a>>,
}

pub(super) fn read(context: &mut Context) {
    let (_, levels) = runs(context.segments(), |segment| segment.id() == "HL");
    let mut above = Above::default();
    for (n, level) in levels.iter().enumerate() {
        match level[0].element(3) {
            "20" => above = Above { payer: Some(level), ..Above::default() },
            "21" => above = Above { batch: Some(level), payer: above.payer, ..Above::default() },
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
        }
    }
    check_counts(context, &levels);
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
    for claim in std::iter::once(head).chain(claims).filter(|claim| has_status(claim)) {
        let response = statement(context, above, level, claim);
        context.reading.responses.push(response);
    }
}

fn statement(context: &mut Context, above: &Above, level: Level, claim: Level) -> PayerResponse {
    let (head, lines) = runs(claim, |segment| segment.id() == "SVC");
    let mut own = statuses(context, head, None);
    let decision = decide(context, &own);
    for line in lines {
        own.extend(statuses(context, line, reference(line, "FJ")));
    }
    own.sort_by_key(|status| (status.line_control_number.is_some(), Reverse(weight(judge(context, status)))));
    let payer = above.payer.and_then(|payer| qualified(payer, "NM1", &["PR", "AY"]));
    PayerResponse {
        transaction: transaction(context).into(),
        decision: decision.word().into(),
        stated: own.iter().find_map(|status| status.date).or_else(|| context.sent()),
        source: context.source(claim),
        keys: keys(context, above, level, claim, &own),
        disposition: own.first().and_then(|status| status.meaning.clone()),
        statuses: own,
        payer_name: payer.and_then(|nm1| text(nm1, 3)),
        payer_identifier: payer.and_then(|nm1| text(nm1, 9)),
        payer_claim_control_number: known(reference(head, "1K")),
        ..PayerResponse::default()
    }
}

/// 277CA or 277: by the guide, else by BHT06 (TH is the acknowledgment).
fn transaction(context: &Context) -> &'static str {
    let guide = context.set.is_some_and(|set| set.version().contains("X214"));
    let kind = all(context.segments(), "BHT").next().is_some_and(|bht| bht.element(6) == "TH");
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

fn keys(context: &Context, above: &Above, level: Level, claim: Level, own: &[ClaimStatus]) -> CorrelationKeys {
    let (head, lines) = runs(claim, |segment| segment.id() == "SVC");
    let patient = PATIENT_LEVELS.contains(&level[0].element(3));
    let name = qualified(level, "NM1", &["QC", "IL"]).filter(|_| patient);
    let holder = name.filter(|nm1| !nm1.element(9).is_empty());
    let holder = holder.or_else(|| above.subscriber.filter(|_| patient).and_then(|nm1| qualified(nm1, "NM1", &["IL"])));
    let provider = above.provider.and_then(|provider| all(provider, "NM1").next());
    let (service_start, service_end) = service_dates(head, &lines);
    CorrelationKeys {
        batch_number: above.batch.and_then(|batch| known(text(qualified(batch, "TRN", &["2"])?, 2))),
        provider: provider.and_then(|nm1| text(nm1, 9).or_else(|| text(nm1, 3))),
        patient_control_number: own_number(context, head).filter(|_| patient),
        trace_number: known(reference(head, "D9")),
        member_id: holder.and_then(|nm1| text(nm1, 9)),
        patient_last_name: name.and_then(|nm1| text(nm1, 3)),
        patient_first_name: name.and_then(|nm1| text(nm1, 4)),
        charge: own.iter().find_map(|status| status.charge).filter(|_| patient),
        service_start,
        service_end,
        ..CorrelationKeys::default()
    }
}

/// CLM01 as echoed: REF*EJ where there is one (277), else TRN02, which a 277CA fills with it.
fn own_number(context: &Context, claim: Level) -> Option<String> {
    let trace = || all(claim, "TRN").next().filter(|_| transaction(context) == "277CA").and_then(|trn| text(trn, 2));
    known(reference(claim, "EJ").or_else(trace))
}

fn service_dates(claim: Level, lines: &[Level]) -> (Option<Date>, Option<Date>) {
    let own = qualified(claim, "DTP", &["472"]);
    let of_lines = lines.iter().filter_map(|line| qualified(line, "DTP", &["472"]));
    span(own.into_iter().chain(of_lines).map(|dtp| dates(dtp.element(3))).flat_map(|(from, to)| [from, to]).flatten())
}

/// Every composite of every STC. Date, action, charge and text are said once and belong to all three.
fn statuses(context: &mut Context, run: Level, line: Option<String>) -> Vec<ClaimStatus> {
    let mut statuses = Vec::new();
    for stc in all(run, "STC") {
        let money: [Option<Decimal>; 2] = [context.number(stc, 4), context.number(stc, 5)];
        let filled = COMPOSITES.into_iter().filter(|element| part(stc, *element, 1).is_some());
        statuses.extend(filled.map(|element| composite(context, stc, element, money, line.clone())));
    }
    statuses
}

fn composite(
    context: &Context,
    stc: &Segment,
    element: usize,
    [charge, paid]: [Option<Decimal>; 2],
    line_control_number: Option<String>,
) -> ClaimStatus {
    let category = part(stc, element, 1).unwrap_or_default();
    let (code, entity) = (part(stc, element, 2), part(stc, element, 3));
    ClaimStatus {
        meaning: Some(context.meanings.status(&category, code.as_deref(), entity.as_deref())),
        category,
        code,
        entity,
        date: date(stc.element(2)),
        action: text(stc, 3),
        charge,
        paid,
        text: text(stc, 12),
        line_control_number,
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
