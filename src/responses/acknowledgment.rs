//! 999, the implementation acknowledgment (005010X231A1), and its elder sister 997: one statement for each transaction
//! set of ours that it names (AK2), or one for the whole group (AK1) when it names none.
//!
//! The 997 says AK3, AK4 and AK5 where the 999 says IK3, IK4 and IK5; some senders mix them. Both are read in both.

use super::context::{Context, all, other, part, runs, text};
use super::meaning::{List, with_codes};
use crate::billing::response::{Complaint, CorrelationKeys, Decision, PayerResponse};
use crate::fault::X12Place;
use crate::x12::segment::Segment;

pub(super) fn read(context: &mut Context, segments: &[Segment]) {
    // Some senders put several AK1 … AK9 into one set.
    let (before, groups) = runs(segments, |segment| segment.id() == "AK1");
    // And some leave it out.
    let nameless = Some(before).filter(|before| judges(before));
    for group in nameless.into_iter().chain(groups) {
        read_group(context, group);
    }
}

/// Whether something is said of a set, or of the group.
fn judges(run: &[Segment]) -> bool {
    run.iter().any(|segment| matches!(segment.id(), "AK2" | "AK9")) || speaks_of_a_set(run)
}

fn speaks_of_a_set(run: &[Segment]) -> bool {
    run.iter().any(|segment| matches!(segment.id(), "IK3" | "AK3" | "IK4" | "AK4" | "IK5" | "AK5"))
}

fn read_group(context: &mut Context, group: &[Segment]) {
    let ak9 = all(group, "AK9").next();
    let group_complaints = ak9.map(|ak9| codes(context, ak9, 5..=9, (List::GroupError, "AK905"))).unwrap_or_default();
    let (before, named) = runs(group, |segment| segment.id() == "AK2");
    // A set that no AK2 names.
    let nameless = Some(before).filter(|before| speaks_of_a_set(before));
    let sets: Vec<&[Segment]> = nameless.into_iter().chain(named).collect();
    for set in &sets {
        let mut response = statement(context, group, Some(set), decide(context, ak9, Some(set)));
        if response.decision == Decision::Rejected.word() {
            response.complaints.extend(group_complaints.iter().cloned());
        }
        context.reading.responses.push(response);
    }
    if speaks_for_the_rest(ak9, sets.len()) {
        let mut response = statement(context, group, None, decide(context, ak9, None));
        response.complaints = group_complaints;
        ak9.into_iter().for_each(|ak9| other(&mut response.others, ak9, &GROUP_ERRORS));
        context.reading.responses.push(response);
    } else if let (Some(ak9), Some(last)) = (ak9, context.reading.responses.last_mut()) {
        // The counts of the group stand once, behind its last set.
        let refused = last.decision == Decision::Rejected.word();
        other(&mut last.others, ak9, if refused { &GROUP_ERRORS } else { &[] });
    }
}

/// Whether AK9 stands for sets that no AK2 names: accepted sets may be left out, and a refused group names none.
fn speaks_for_the_rest(ak9: Option<&Segment>, named: usize) -> bool {
    let received = ak9.and_then(|ak9| ak9.element(3).parse::<usize>().ok()).unwrap_or(0);
    let partial = ak9.is_some_and(|ak9| ak9.element(1) == "P");
    named == 0 || (received > named && !partial)
}

fn statement(context: &Context, group: &[Segment], set: Option<&[Segment]>, decision: Decision) -> PayerResponse {
    let run = set.unwrap_or(group);
    let complaints = set.map(|set| complaints(context, set)).unwrap_or_default();
    let mut others = Vec::new();
    if let Some(ik5) = set.and_then(|set| verdict(set)) {
        let told = |n: &usize| complaints.iter().any(|each| each.list == "IK502" && each.code == ik5.element(*n));
        other(&mut others, ik5, &(2..=6).filter(told).collect::<Vec<_>>());
    }
    PayerResponse {
        transaction: context.standing.id.clone(),
        decision: decision.word().into(),
        stated: context.sent(),
        source: context.source(run),
        keys: keys(group, set),
        disposition: Some(disposition(context, decision, set.is_some(), &complaints)),
        complaints,
        others,
        ..PayerResponse::default()
    }
}

/// IK5.
fn verdict<'s, 'a>(set: &'s [Segment<'a>]) -> Option<&'s Segment<'a>> {
    set.iter().find(|segment| matches!(segment.id(), "IK5" | "AK5"))
}

/// Elements of AK9 that are told as complaints.
const GROUP_ERRORS: [usize; 5] = [5, 6, 7, 8, 9];

/// IK501, overruled by an AK901 that refuses the whole group; AK901 alone where there is no IK5.
fn decide(context: &Context, ak9: Option<&Segment>, set: Option<&[Segment]>) -> Decision {
    let word = |segment: &Segment| context.meanings.decision(List::Acknowledgment, segment.element(1));
    let group = ak9.and_then(word);
    if group == Some(Decision::Rejected) {
        return Decision::Rejected;
    }
    let own = set.and_then(|set| verdict(set)).and_then(word);
    own.or(group).unwrap_or(Decision::Informational)
}

fn keys(group: &[Segment], set: Option<&[Segment]>) -> CorrelationKeys {
    CorrelationKeys {
        group_control_number: all(group, "AK1").next().and_then(|ak1| text(ak1, 2)),
        transaction_set_control_number: set.and_then(|set| text(all(set, "AK2").next()?, 2)),
        ..CorrelationKeys::default()
    }
}

/// What is wrong with one set: each IK4, each IK3 that has none below, and what IK5 adds to them.
fn complaints(context: &Context, set: &[Segment]) -> Vec<Complaint> {
    let (before, segments) = runs(set, |segment| matches!(segment.id(), "IK3" | "AK3"));
    let mut complaints = placeless(context, before);
    complaints.extend(segments.iter().flat_map(|segment| segment_complaints(context, segment)));
    if let Some(ik5) = verdict(set) {
        let of_the_set = codes(context, ik5, 2..=6, (List::SetError, "IK502"));
        // 5 and I5 only say that there are segments in error: news when none has been named.
        let known = !complaints.is_empty();
        complaints.extend(of_the_set.into_iter().filter(|each| !known || !matches!(each.code.as_str(), "5" | "I5")));
    }
    complaints
}

/// What is said of elements whose segment is not named, or of nothing but a CTX.
fn placeless(context: &Context, run: &[Segment]) -> Vec<Complaint> {
    let (head, elements) = runs(run, |segment| matches!(segment.id(), "IK4" | "AK4"));
    let about = Complaint {
        list: "IK304".into(),
        context: contexts(context, head),
        meaning: explained("", None),
        ..Complaint::default()
    };
    match (elements.is_empty(), about.context.is_empty()) {
        (true, true) => Vec::new(),
        (true, false) => vec![about],
        (false, _) => elements.iter().map(|element| element_complaint(context, &about, element)).collect(),
    }
}

/// IK3 with its CTX, and each IK4 with its own.
fn segment_complaints(context: &Context, run: &[Segment]) -> Vec<Complaint> {
    let (head, elements) = runs(run, |segment| matches!(segment.id(), "IK4" | "AK4"));
    let Some(ik3) = head.first() else { return Vec::new() };
    let about = Complaint {
        code: ik3.element(4).to_owned(),
        list: "IK304".into(),
        segment: text(ik3, 1),
        ordinal: ik3.element(2).parse().ok(),
        loop_id: text(ik3, 3),
        context: contexts(context, head),
        meaning: explained(ik3.element(1), context.meanings.of(List::SegmentError, ik3.element(4))),
        ..Complaint::default()
    };
    if elements.is_empty() {
        return vec![about];
    }
    elements.iter().map(|element| element_complaint(context, &about, element)).collect()
}

fn element_complaint(context: &Context, about: &Complaint, run: &[Segment]) -> Complaint {
    let ik4 = &run[0];
    let position = |component| part(ik4, 1, component).and_then(|text| text.parse::<u32>().ok());
    let place = X12Place {
        segment: about.segment.clone(),
        element: position(1).and_then(|n| u8::try_from(n).ok()),
        component: position(2).and_then(|n| u8::try_from(n).ok()),
        ..X12Place::default()
    };
    let place = place.element_name().unwrap_or_default();
    Complaint {
        code: ik4.element(3).to_owned(),
        list: "IK403".into(),
        element: position(1),
        component: position(2),
        repetition: position(3),
        data_element: text(ik4, 2),
        value: text(ik4, 4),
        context: about.context.iter().cloned().chain(contexts(context, run)).collect(),
        meaning: explained(&place, context.meanings.of(List::ElementError, ik4.element(3))),
        ..about.clone()
    }
}

/// `CLM05-3: invalid code value`.
fn explained(place: &str, words: Option<&str>) -> String {
    let words = words.unwrap_or("in error");
    if place.is_empty() { words.to_owned() } else { format!("{place}: {words}") }
}

/// CTX: `CLM01:value`, or `SITUATIONAL TRIGGER` with the place that pulled it. Delimiters are written as `:` and `*`.
fn contexts(context: &Context, run: &[Segment]) -> Vec<String> {
    let delimiters = &context.standing.delimiters;
    let plain = |text: &str| text.replace(char::from(delimiters.component), ":");
    let words = |ctx: &Segment| {
        let elements: Vec<String> = (1..=ctx.len()).map(|n| plain(ctx.element(n))).collect();
        elements.join("*").trim_end_matches('*').to_owned()
    };
    all(run, "CTX").map(words).filter(|words| !words.is_empty()).collect()
}

/// The error codes that stand in a row of elements.
fn codes(
    context: &Context,
    segment: &Segment,
    elements: std::ops::RangeInclusive<usize>,
    (list, name): (List, &str),
) -> Vec<Complaint> {
    let complaint = |code: String| Complaint {
        meaning: context.meanings.of(list, &code).unwrap_or("in error").to_owned(),
        list: name.to_owned(),
        code,
        ..Complaint::default()
    };
    elements.filter_map(|n| text(segment, n)).map(complaint).collect()
}

fn disposition(context: &Context, decision: Decision, set: bool, complaints: &[Complaint]) -> String {
    let what = if set { "transaction set" } else { "functional group" };
    let verdict = match decision {
        Decision::Rejected => "rejected",
        Decision::Acknowledged if complaints.is_empty() => "accepted",
        Decision::Acknowledged => "accepted with errors noted",
        _ => "partly accepted",
    };
    with_codes(&format!("{what} {verdict}"), &context.standing.id)
}
