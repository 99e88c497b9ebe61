//! 271, the eligibility answer (005010X279A1): one statement for each subscriber or dependent who is answered about, and for
//! each level above that refuses the whole inquiry (AAA).

use super::context::*;
use super::meaning::{List, with_codes};
use crate::billing::response::{
    Benefit, Complaint, CorrelationKeys, Decision, Eligibility, PayerResponse, ResponseParty,
};
use crate::x12::segment::Segment;
use jiff::civil::Date;

/// One HL with what hangs on it.
type Level<'s, 'a> = &'s [Segment<'a>];

/// Loops of the levels: before NM1, behind it, behind EB.
const LOOPS: &[(&str, [&str; 3])] = &[
    ("20", ["2000A", "2100A", "2100A"]),
    ("21", ["2000B", "2100B", "2100B"]),
    ("22", ["2000C", "2100C", "2110C"]),
    ("23", ["2000D", "2100D", "2110D"]),
];
/// Dates on which a plan, a benefit or eligibility begins, ends, or both.
const BEGINS: &[&str] = &["291", "307", "346", "348", "356"];
const ENDS: &[&str] = &["347", "349", "357"];

/// The levels above a subject.
#[derive(Default, Clone, Copy)]
struct Above<'s, 'a> {
    payer: Option<Level<'s, 'a>>,
    receiver: Option<Level<'s, 'a>>,
    subscriber: Option<Level<'s, 'a>>,
}

pub(super) fn read(context: &mut Context, segments: &[Segment]) {
    let (head, levels) = runs(segments, |segment| segment.id() == "HL");
    let mut above = Above::default();
    let before = context.reading.responses.len();
    for (n, level) in levels.iter().enumerate() {
        match level[0].element(3) {
            "20" => above = Above { payer: Some(level), ..Above::default() },
            "21" => above = Above { receiver: Some(level), subscriber: None, ..above },
            "22" => above.subscriber = Some(level),
            _ => {}
        }
        let is_subject = matches!(level[0].element(3), "22" | "23");
        if speaks(level) || (is_subject && !has_dependents(&levels[n + 1..], level)) {
            let response = statement(context, head, &above, level);
            context.reading.responses.push(response);
        }
    }
    // An answer that says nothing of anybody has come all the same.
    if let (true, Some(last)) = (context.reading.responses.len() == before, levels.last()) {
        let response = statement(context, head, &above, last);
        context.reading.responses.push(response);
    }
}

fn speaks(level: Level) -> bool {
    level.iter().any(|segment| matches!(segment.id(), "EB" | "AAA"))
}

fn has_dependents(after: &[Level], level: Level) -> bool {
    level[0].element(3) == "22" && after.first().is_some_and(|next| next[0].element(3) == "23")
}

fn statement(context: &mut Context, head: Level, above: &Above, level: Level) -> PayerResponse {
    let (own, benefits) = runs(level, |segment| segment.id() == "EB");
    let mut response = PayerResponse {
        transaction: "271".into(),
        stated: context.sent(),
        source: context.source(level),
        ..PayerResponse::default()
    };
    let mut eligibility = Eligibility { number: bht(head), ..Eligibility::default() };
    let code = level[0].element(3);
    parties(&mut response, above, code);
    subject(context, &mut response, &mut eligibility, own);
    if let ("23", Some(insured)) = (code, above.subscriber) {
        subscriber(context, &mut response, &mut eligibility, insured);
    }
    for (n, run) in benefits.iter().enumerate() {
        let benefit = benefit(context, run);
        response.complaints.extend(complaints(context, run, loop_of(code, 2), u32::try_from(n + 1).ok()));
        eligibility.benefits.push(benefit);
    }
    eligibility.active = active(&eligibility.benefits);
    response.decision = decide(&response, &eligibility).word().into();
    response.disposition = Some(disposition(context, &response, &eligibility));
    response.keys = keys(&response, &eligibility);
    response.eligibility = Some(eligibility);
    response
}

/// BHT03.
fn bht(head: Level) -> Option<String> {
    all(head, "BHT").next().and_then(|bht| text(bht, 3))
}

fn loop_of(code: &str, at: usize) -> &'static str {
    LOOPS.iter().find(|(known, _)| *known == code).map_or("2000", |(_, loops)| loops[at])
}

fn name(level: Level) -> Option<ResponseParty> {
    all(level, "NM1").next().map(response_party)
}

/// Who says it, to whom, about whom.
fn parties(response: &mut PayerResponse, above: &Above, code: &str) {
    let payer = above.payer.and_then(name);
    response.payer_name = payer.as_ref().and_then(|payer| payer.party.last_name.clone());
    response.payer_identifier = payer.as_ref().and_then(|payer| payer.id.clone());
    response.parties.extend(payer);
    response.parties.extend(above.receiver.filter(|_| code != "20").and_then(name));
    // What the levels above say beside their names.
    let receiver = above.receiver.filter(|_| code != "21");
    for level in [above.payer.filter(|_| code != "20"), receiver].into_iter().flatten() {
        let beside = level.iter().filter(|segment| !matches!(segment.id(), "HL" | "NM1" | "AAA" | "SE"));
        beside.for_each(|segment| other(&mut response.others, segment, &[]));
    }
}

/// Loops 2000C and 2100C, 2000D and 2100D; or a level above that refuses.
fn subject(context: &mut Context, response: &mut PayerResponse, eligibility: &mut Eligibility, own: Level) {
    let code = own[0].element(3);
    let (before, behind) = own.split_at(own.iter().position(|segment| segment.id() == "NM1").unwrap_or(own.len()));
    response.complaints.extend(complaints(context, before, loop_of(code, 0), None));
    response.complaints.extend(complaints(context, behind, loop_of(code, 1), None));
    let mut who = name(own).filter(|_| matches!(code, "22" | "23"));
    for segment in own {
        match (segment.id(), &mut who) {
            ("HL" | "NM1" | "AAA" | "SE", _) => {}
            ("N3" | "N4" | "DMG", Some(who)) => demographics(response, who, segment),
            ("TRN", _) => response.traces.extend(trace(segment)),
            ("REF", _) => response.references.extend(referenced(segment, &mut response.others)),
            ("DTP", _) => plan_date(response, eligibility, segment),
            ("MSG", _) => response.messages.extend(text(segment, 1)),
            _ => other(&mut response.others, segment, &[]),
        }
    }
    match code {
        "22" => eligibility.subscriber = who,
        "23" => eligibility.dependent = who,
        _ => {}
    }
}

/// The subscriber above a dependent: who it is; and what is said of it, where that is no answer by itself.
fn subscriber(context: &mut Context, response: &mut PayerResponse, eligibility: &mut Eligibility, level: Level) {
    let (own, _) = runs(level, |segment| segment.id() == "EB");
    let mut said = PayerResponse::default();
    let mut its =
        Eligibility { benefit_start: Some(Date::MIN), benefit_end: Some(Date::MIN), ..Eligibility::default() };
    subject(context, &mut said, &mut its, own);
    eligibility.subscriber = its.subscriber;
    if !speaks(level) {
        response.traces.extend(said.traces);
        response.references.extend(said.references);
        response.dates.extend(said.dates);
        response.messages.extend(said.messages);
        response.others.extend(said.others);
    }
}

pub(super) fn demographics(response: &mut PayerResponse, who: &mut ResponseParty, segment: &Segment) {
    let party = &mut who.party;
    if segment.id() == "DMG" {
        (party.birth_date, party.sex) = (date(segment.element(2)), text(segment, 3));
        let read: &[usize] = if party.birth_date.is_some() { &[1, 2, 3] } else { &[3] };
        return other(&mut response.others, segment, read);
    }
    let address = party.address.get_or_insert_default();
    if segment.id() == "N3" {
        (address.line1, address.line2) = (text(segment, 1), text(segment, 2));
    } else {
        (address.city, address.state) = (text(segment, 1), text(segment, 2));
        (address.postal_code, address.country) = (text(segment, 3), text(segment, 4));
        address.subdivision = text(segment, 7);
    }
}

/// The plan's or benefit's own period; any other date is kept with its qualifier.
fn plan_date(response: &mut PayerResponse, eligibility: &mut Eligibility, dtp: &Segment) {
    let qualifier = dtp.element(1).trim();
    match dates(dtp.element(3).trim()) {
        (start @ Some(_), end) if BEGINS.contains(&qualifier) && eligibility.benefit_start.is_none() => {
            eligibility.benefit_start = start;
            eligibility.benefit_end = eligibility.benefit_end.or(end);
        }
        (end @ Some(_), None) if ENDS.contains(&qualifier) && eligibility.benefit_end.is_none() => {
            eligibility.benefit_end = end;
        }
        _ => response.dates.extend(qualified_date(dtp, 3)),
    }
}

/// Each AAA of a run; `line` is the place of what it is about.
pub(super) fn complaints(context: &Context, run: Level, loop_id: &str, line: Option<u32>) -> Vec<Complaint> {
    let complaint = |aaa: &Segment| {
        // Some payers send words behind the code, or both an element too early.
        let code = [3, 2].into_iter().map(|n| aaa.element(n).trim()).find(|text| !text.is_empty());
        let mut parts = code.unwrap_or_default().splitn(2, ':');
        let (code, own_words) = (parts.next().unwrap_or_default().trim(), parts.next());
        Complaint {
            code: code.to_owned(),
            list: "AAA03".into(),
            segment: Some("AAA".into()),
            ordinal: Some(aaa.ordinal),
            loop_id: Some(loop_id.to_owned()),
            value: text(aaa, 1),
            context: own_words.map(str::to_owned).into_iter().collect(),
            follow_up: text(aaa, 4),
            line,
            meaning: context.meanings.of(List::Reject, code).unwrap_or("rejected").to_owned(),
            ..Complaint::default()
        }
    };
    all(run, "AAA").filter(|aaa| !aaa.is_empty()).map(complaint).collect()
}

/// Loop 2110 with its 2115 and 2120.
fn benefit(context: &mut Context, run: Level) -> Benefit {
    let eb = &run[0];
    let mut benefit = Benefit {
        code: eb.element(1).trim().to_owned(),
        coverage_level: text(eb, 2),
        service_types: service_types(eb),
        insurance_type: text(eb, 4),
        plan: text(eb, 5),
        period: text(eb, 6),
        amount: context.number(eb, 7),
        percent: context.number(eb, 8),
        quantity_qualifier: text(eb, 9),
        quantity: context.number(eb, 10),
        authorization: text(eb, 11),
        network: text(eb, 12),
        procedure: procedure(eb, 13),
        diagnoses: eb.components(14).map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect(),
        ..Benefit::default()
    };
    for segment in &run[1..] {
        match segment.id() {
            "AAA" | "LS" | "LE" | "SE" => {}
            // Behind an NM1 it is about that party.
            "REF" | "N3" | "N4" | "PER" | "PRV" if !benefit.parties.is_empty() => {
                benefit.parties.iter_mut().last().into_iter().for_each(|party| other(&mut party.others, segment, &[]));
            }
            "REF" => benefit.references.extend(referenced(segment, &mut benefit.others)),
            "DTP" => benefit.dates.extend(qualified_date(segment, 3)),
            "MSG" => benefit.messages.extend(text(segment, 1)),
            "NM1" => benefit.parties.push(response_party(segment)),
            _ => other(&mut benefit.others, segment, &[]),
        }
    }
    benefit
}

/// EB03, whose repetitions some senders part with the component separator.
fn service_types(eb: &Segment) -> Vec<String> {
    let codes = eb.repetitions(3).flat_map(|repetition| eb.parts(repetition));
    codes.map(|code| code.trim().to_owned()).filter(|code| !code.is_empty()).collect()
}

/// Coverage as a whole, by EB01: active where anything says so.
fn active(benefits: &[Benefit]) -> Option<bool> {
    let any = |codes: &[&str]| benefits.iter().any(|benefit| codes.contains(&benefit.code.as_str()));
    match (any(&["1", "2", "3", "4", "5"]), any(&["6", "7", "8"])) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        _ => None,
    }
}

fn decide(response: &PayerResponse, eligibility: &Eligibility) -> Decision {
    match (eligibility.benefits.is_empty(), response.complaints.is_empty()) {
        (false, _) => Decision::Adjudicated,
        (true, false) => Decision::Rejected,
        (true, true) => Decision::Informational,
    }
}

fn keys(response: &PayerResponse, eligibility: &Eligibility) -> CorrelationKeys {
    let ours = response.traces.iter().find(|trace| trace.kind == "2").or(response.traces.first());
    let subject = eligibility.dependent.as_ref().or(eligibility.subscriber.as_ref());
    CorrelationKeys {
        inquiry_number: ours.map(|trace| trace.number.clone()),
        batch_number: eligibility.number.clone(),
        member_id: eligibility.subscriber.as_ref().and_then(|party| party.id.clone()),
        patient_last_name: subject.and_then(|party| party.party.last_name.clone()),
        patient_first_name: subject.and_then(|party| party.party.first_name.clone()),
        ..CorrelationKeys::default()
    }
}

fn disposition(context: &Context, response: &PayerResponse, eligibility: &Eligibility) -> String {
    if let (true, Some(complaint)) = (eligibility.benefits.is_empty(), response.complaints.first()) {
        return with_codes(&complaint.meaning, &format!("AAA03={}", complaint.code));
    }
    let code = eligibility.benefits.first().map_or("", |benefit| benefit.code.as_str());
    match eligibility.active {
        Some(true) => "Coverage is active".into(),
        Some(false) => "Coverage is inactive".into(),
        None => with_codes(context.meanings.of(List::Benefit, code).unwrap_or_default(), &format!("EB01={code}")),
    }
}
