//! 278, the answer to a request for services (005010X217): one statement for each patient event (2000E), and for each level
//! above that refuses the whole request (AAA). A request itself, which is no answer, is read all the same.

use super::context::*;
use super::eligibility::{complaints, demographics};
use super::meaning::{List, with_codes};
use super::requests;
use crate::billing::response::{CorrelationKeys, Decision, PayerResponse, ResponseParty, Review, ReviewedService};
use crate::x12::segment::Segment;

/// One HL with what hangs on it.
type Level<'s, 'a> = &'s [Segment<'a>];

/// Loops of the levels, before NM1 and behind it.
const LOOPS: &[(&str, [&str; 2])] = &[
    ("20", ["2000A", "2010A"]),
    ("21", ["2000B", "2010B"]),
    ("22", ["2000C", "2010C"]),
    ("23", ["2000D", "2010D"]),
    ("EV", ["2000E", "2010EA"]),
    ("SS", ["2000F", "2010F"]),
];

/// A level of people, not of services.
const PEOPLE: &[&str] = &["20", "21", "22", "23", "19"];

pub(super) fn read(context: &mut Context, segments: &[Segment]) {
    let (head, levels) = runs(segments, |segment| segment.id() == "HL");
    let events = levels.iter().filter(|level| level[0].element(3) == "EV").count();
    let (mut people, mut units): (Vec<Level>, Vec<Level>) = (Vec::new(), Vec::new());
    for level in levels {
        if PEOPLE.contains(&level[0].element(3)) {
            if !units.is_empty() {
                tell(context, head, &people, &units);
                units.clear();
            }
            people.retain(|above| comes_before(above, level));
            // Some payers hang the decision on the patient.
            let (person, decided) = level.split_at(decision_at(level).unwrap_or(level.len()));
            people.push(person);
            units.extend(Some(decided).filter(|decided| !decided.is_empty()));
        } else {
            if level[0].element(3) == "EV" && !units.is_empty() {
                tell(context, head, &people, &units);
                units.clear();
            }
            units.push(level);
        }
    }
    if !units.is_empty() || events == 0 {
        tell(context, head, &people, &units);
    }
}

/// Where a level of people goes on to a service: at its UM or HCR, and the TRN before them.
fn decision_at(level: Level) -> Option<usize> {
    let at = level.iter().position(|segment| matches!(segment.id(), "UM" | "HCR"))?;
    Some(level[..at].iter().rposition(|segment| segment.id() == "TRN").unwrap_or(at))
}

/// Whether a level stays open when another of the people begins.
fn comes_before(above: Level, next: Level) -> bool {
    let place = |level: Level| PEOPLE.iter().position(|code| *code == level[0].element(3));
    place(above) < place(next)
}

fn tell(context: &mut Context, head: Level, people: &[Level], units: &[Level]) {
    let response = statement(context, head, people, units);
    context.reading.responses.push(response);
}

fn statement(context: &mut Context, head: Level, people: &[Level], units: &[Level]) -> PayerResponse {
    let mut response = PayerResponse { transaction: "278".into(), stated: context.sent(), ..PayerResponse::default() };
    let first = units.first().or(people.last()).copied().unwrap_or(head);
    let last = units.last().or(people.last()).copied().unwrap_or(head);
    response.source = context.source(first);
    response.source.last_segment = context.source(last).last_segment;
    let mut review = review(head);
    for level in people {
        person(context, &mut response, &mut review, level);
    }
    let mut place = 0;
    for level in units {
        let is_event = level[0].element(3) == "EV" || (review.event.is_none() && review.services.is_empty());
        place += u32::from(!is_event);
        let service = service(context, &mut response, level, (!is_event).then_some(place));
        match is_event {
            true => review.event = Some(service),
            false => review.services.push(service),
        }
    }
    response.decision = decide(context, &response, &review).word().into();
    response.disposition = Some(disposition(context, &response, &review));
    response.keys = keys(&response, &review);
    response.review = Some(review);
    response
}

/// BHT.
fn review(head: Level) -> Review {
    let bht = all(head, "BHT").next();
    let element = |n: usize| bht.and_then(|bht| text(bht, n));
    Review { purpose: element(2), number: element(3), status: element(6), ..Review::default() }
}

fn loop_of(code: &str, at: usize) -> &'static str {
    LOOPS.iter().find(|(known, _)| *known == code).map_or("2000", |(_, loops)| loops[at])
}

/// Loops 2000A to 2010D.
fn person(context: &mut Context, response: &mut PayerResponse, review: &mut Review, level: Level) {
    let code = level[0].element(3);
    complain(context, response, level, None);
    let mut named: Option<ResponseParty> = None;
    for segment in level {
        match (segment.id(), &mut named) {
            ("HL" | "AAA" | "SE", _) => {}
            ("NM1", None) => named = Some(response_party(segment)),
            ("NM1", _) => response.parties.push(response_party(segment)),
            ("N3" | "N4" | "DMG", Some(who)) if matches!(code, "22" | "23") => demographics(response, who, segment),
            ("TRN", _) => response.traces.extend(trace(segment)),
            ("REF", _) => response.references.extend(referenced(segment, &mut response.others)),
            ("DTP", _) => response.dates.extend(qualified_date(segment, 3)),
            ("MSG", _) => response.messages.extend(text(segment, 1)),
            _ => other(&mut response.others, segment, &[]),
        }
    }
    match (code, named) {
        ("22", who) => review.subscriber = who,
        ("23", who) => review.dependent = who,
        // Some payers put the member at the top.
        ("20", Some(who)) if who.entity == "IL" => review.subscriber = Some(who),
        ("20", Some(payer)) => {
            response.payer_name.clone_from(&payer.party.last_name);
            response.payer_identifier.clone_from(&payer.id);
            response.parties.push(payer);
        }
        (_, who) => response.parties.extend(who),
    }
}

fn complain(context: &mut Context, response: &mut PayerResponse, level: Level, line: Option<u32>) {
    let code = level[0].element(3);
    let (before, behind) =
        level.split_at(level.iter().position(|segment| segment.id() == "NM1").unwrap_or(level.len()));
    response.complaints.extend(complaints(context, before, loop_of(code, 0), line));
    response.complaints.extend(complaints(context, behind, loop_of(code, 1), line));
}

/// Loop 2000E or 2000F, with the parties below it.
fn service(context: &mut Context, response: &mut PayerResponse, level: Level, line: Option<u32>) -> ReviewedService {
    complain(context, response, level, line);
    let mut service = ReviewedService { item_sequence: line, ..ReviewedService::default() };
    for segment in level {
        match (segment.id(), segment.element(1)) {
            ("HL" | "AAA" | "SE", _) => {}
            ("HCR", _) => decision(&mut service, segment),
            ("UM", _) => category(&mut service, segment),
            ("SV1" | "SV2" | "SV3", _) => procedure_of(context, &mut service, segment),
            ("HSD", _) => {
                (service.certified_unit, service.certified_quantity) = (text(segment, 1), context.number(segment, 2));
                other(&mut service.others, segment, &[1, 2]);
            }
            ("PWK", _) => {
                response.requests.push(requests::attachment(segment, service.item_sequence, number_of(&service)));
            }
            ("HI", "") => {}
            ("HI", _) if segment.component(1, 1) == "LOI" => {
                let number = number_of(&service);
                response.requests.extend(requests::documents(segment, service.item_sequence, number.as_ref()));
            }
            ("NM1", _) => service.parties.push(response_party(segment)),
            ("N3" | "N4" | "PER" | "PRV", _) => {
                let whose = service.parties.last_mut().map_or(&mut service.others, |party| &mut party.others);
                other(whose, segment, &[]);
            }
            ("TRN", _) => service.traces.extend(trace(segment)),
            ("REF", _) => service.references.extend(referenced(segment, &mut service.others)),
            ("DTP", _) => service.dates.extend(qualified_date(segment, 3)),
            ("MSG", _) => service.messages.extend(text(segment, 1)),
            _ => other(&mut service.others, segment, &[]),
        }
    }
    service
}

fn decision(service: &mut ReviewedService, hcr: &Segment) {
    (service.action, service.number) = (text(hcr, 1), text(hcr, 2));
    service.reasons = hcr.repetitions(3).map(|code| code.trim().to_owned()).filter(|code| !code.is_empty()).collect();
    service.second_opinion = text(hcr, 4);
    other(&mut service.others, hcr, &[1, 2, 3, 4]);
}

fn category(service: &mut ReviewedService, um: &Segment) {
    (service.category, service.certification, service.service_type) = (text(um, 1), text(um, 2), text(um, 3));
    let facility: Vec<&str> = um.components(4).map(str::trim).collect();
    service.facility = text(um, 4).map(|_| facility.join(":"));
    service.level = text(um, 6);
    other(&mut service.others, um, &[1, 2, 3, 4, 6]);
}

/// The elements of SV1, SV2 and SV3: procedure, charge, unit, quantity, revenue code.
const SERVICES: &[(&str, [usize; 5])] = &[("SV1", [1, 2, 3, 4, 0]), ("SV2", [2, 3, 4, 5, 1]), ("SV3", [1, 2, 0, 6, 0])];

fn procedure_of(context: &mut Context, service: &mut ReviewedService, segment: &Segment) {
    let Some((_, places)) = SERVICES.iter().find(|(id, _)| *id == segment.id()) else { return };
    let [code, charge, unit, quantity, revenue] = *places;
    let element = |n: usize| if n == 0 { None } else { text(segment, n) };
    service.code = procedure(segment, code);
    service.code_end = part(segment, code, 8);
    service.charge = context.number(segment, charge);
    service.quantity = context.number(segment, quantity);
    (service.unit, service.revenue_code) = (element(unit), element(revenue));
    other(&mut service.others, segment, places);
}

/// The number of a service that something is asked about.
fn number_of(service: &ReviewedService) -> Option<String> {
    service.item_sequence.and(service.traces.first()).map(|trace| trace.number.clone())
}

/// Pended as long as anything is; denied when all is; refused when nothing was reviewed.
fn decide(context: &Context, response: &PayerResponse, review: &Review) -> Decision {
    let actions = review.event.iter().chain(&review.services).filter_map(|service| service.action.as_deref());
    let decisions: Vec<Decision> = actions
        .map(|action| context.meanings.decision(List::ReviewAction, action).unwrap_or(Decision::Informational))
        .collect();
    let all = |wanted: Decision| !decisions.is_empty() && decisions.iter().all(|decision| *decision == wanted);
    match () {
        () if decisions.contains(&Decision::Pended) => Decision::Pended,
        () if all(Decision::Denied) => Decision::Denied,
        () if decisions.iter().any(|d| *d != Decision::Informational) => Decision::Adjudicated,
        () if !response.complaints.is_empty() => Decision::Rejected,
        () => Decision::Informational,
    }
}

fn keys(response: &PayerResponse, review: &Review) -> CorrelationKeys {
    let of_event = review.event.iter().flat_map(|event| &event.traces);
    let traces: Vec<_> = of_event.chain(&response.traces).collect();
    let ours = traces.iter().find(|trace| trace.kind == "2").or(traces.first());
    let patient = review.dependent.as_ref().or(review.subscriber.as_ref());
    CorrelationKeys {
        inquiry_number: ours.map(|trace| trace.number.clone()),
        batch_number: review.number.clone(),
        member_id: review.subscriber.as_ref().and_then(|party| party.id.clone()),
        patient_last_name: patient.and_then(|party| party.party.last_name.clone()),
        patient_first_name: patient.and_then(|party| party.party.first_name.clone()),
        ..CorrelationKeys::default()
    }
}

fn disposition(context: &Context, response: &PayerResponse, review: &Review) -> String {
    let action = review.event.iter().chain(&review.services).find_map(|service| service.action.as_deref());
    match (action, response.complaints.first()) {
        (Some(action), _) => {
            with_codes(context.meanings.of(List::ReviewAction, action).unwrap_or_default(), &format!("HCR01={action}"))
        }
        (None, Some(complaint)) => with_codes(&complaint.meaning, &format!("AAA03={}", complaint.code)),
        (None, None) => "No decision in the answer".into(),
    }
}
