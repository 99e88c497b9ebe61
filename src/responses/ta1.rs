//! TA1, the interchange acknowledgment: `TA1*ISA13*ISA09*ISA10*code*note`, one statement about a whole interchange of ours.

use super::context::{Context, other, text};
use super::meaning::{List, with_codes};
use crate::billing::response::{Complaint, CorrelationKeys, Decision, PayerResponse};
use crate::x12::segment::Segment;

/// TA105 when all is well.
const NO_ERROR: &str = "000";

pub(super) fn read(context: &mut Context, ta1: &Segment) {
    let response = statement(context, ta1);
    context.reading.responses.push(response);
}

fn statement(context: &Context, ta1: &Segment) -> PayerResponse {
    let complaints = complaints(context, ta1);
    let decision = decide(context, ta1);
    // When we sent it, as they saw it; the rest is told with words.
    let mut others = Vec::new();
    other(&mut others, ta1, &[1, 4, 5]);
    PayerResponse {
        transaction: "TA1".into(),
        decision: decision.word().into(),
        stated: context.sent(),
        source: context.source(std::slice::from_ref(ta1)),
        keys: keys(ta1),
        disposition: Some(disposition(context, ta1)),
        complaints,
        others,
        ..PayerResponse::default()
    }
}

/// TA104: A accepted, E accepted with errors, R rejected.
fn decide(context: &Context, ta1: &Segment) -> Decision {
    context.meanings.decision(List::Acknowledgment, ta1.element(4)).unwrap_or(Decision::Informational)
}

fn keys(ta1: &Segment) -> CorrelationKeys {
    CorrelationKeys { interchange_control_number: text(ta1, 1), ..CorrelationKeys::default() }
}

fn complaints(context: &Context, ta1: &Segment) -> Vec<Complaint> {
    let note = text(ta1, 5).filter(|note| note != NO_ERROR);
    let complaint = |code: String| Complaint {
        meaning: context.meanings.of(List::InterchangeNote, &code).unwrap_or("unknown note").to_owned(),
        list: "TA105".into(),
        code,
        ..Complaint::default()
    };
    note.map(complaint).into_iter().collect()
}

fn disposition(context: &Context, ta1: &Segment) -> String {
    let (code, note) = (ta1.element(4), ta1.element(5));
    let verdict = context.meanings.of(List::Acknowledgment, code);
    let why = context.meanings.of(List::InterchangeNote, note).filter(|_| note != NO_ERROR);
    let words = [Some("interchange"), verdict].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let words = [Some(words.as_str()), why].into_iter().flatten().collect::<Vec<_>>().join(": ");
    with_codes(&words, &format!("TA1 {code} {note}"))
}
