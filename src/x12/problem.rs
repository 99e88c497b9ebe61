//! What can be odd about the place of a segment, and what is said of it.

use crate::fault::{Issue, Place, X12Place, codes};
use crate::x12::guide::{Guide, LoopIx};
use crate::x12::reader::TransactionSet;
use crate::x12::segment::Segment;
use std::mem::discriminant;

/// What is odd about a segment's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// Its id is none (IK304 = 1).
    NoId,
    /// The guide knows no such segment (IK304 = 6).
    Unknown,
    /// The guide does not expect it here (IK304 = 2).
    Unexpected,
    /// It stands after what should follow it (IK304 = 7).
    OutOfOrder,
    /// The segment that begins a loop around it is missing (IK304 = 3).
    LoopMissing(LoopIx),
    /// HL02 does not name the level that it stands in (IK403 = 7).
    WrongParent,
    /// HL02 names the level that it stands in by the number that it should have, and has not (IK403 = 7).
    WrongNumber,
}

/// A problem, its IK304 or IK403, whether it is an error, what to say of it, and how to mend it.
type ProblemRow = (Problem, &'static str, bool, &'static str, &'static str);

const PROBLEMS: [ProblemRow; 7] = [
    (
        Problem::NoId,
        "1",
        true,
        "this is no segment id",
        "an id is two or three capitals and digits; look for a terminator that is missing, or one too many",
    ),
    (Problem::Unknown, "6", true, "the guide knows no such segment", "leave it out, or correct its id"),
    (
        Problem::Unexpected,
        "2",
        true,
        "the guide does not expect this segment here",
        "move it to the loop that it belongs to, or correct its qualifier",
    ),
    (
        Problem::OutOfOrder,
        "7",
        false,
        "the segment stands after what should follow it",
        "send the segments in the order of the guide",
    ),
    (
        Problem::LoopMissing(LoopIx(0)),
        "3",
        true,
        "is missing before this segment",
        "send what begins the loop before its other segments",
    ),
    (
        Problem::WrongParent,
        "7",
        true,
        "HL02 does not name the level that this one stands in",
        "send in HL02 the HL01 of the level above",
    ),
    (
        Problem::WrongNumber,
        "7",
        true,
        "HL02 names no level: the one above has another number in its HL01",
        "number the HL segments 1, 2, 3 … (HL01), and send in HL02 the HL01 of the level above",
    ),
];

impl Problem {
    pub(crate) fn issue(
        self,
        guide: &Guide,
        in_loop: LoopIx,
        set: &TransactionSet<'_>,
        segment: &Segment<'_>,
    ) -> Issue {
        let is_same = |(problem, ..): &&ProblemRow| discriminant(problem) == discriminant(&self);
        let row = PROBLEMS.iter().find(is_same).unwrap_or(&PROBLEMS[0]);
        let (_, error_code, is_error, text, hint) = row;
        let (in_loop, missing) = match self {
            Problem::LoopMissing(ix) => (ix, guide.starter(ix)),
            _ => (in_loop, None),
        };
        let id = guide.loop_at(in_loop).id.to_string();
        let text = match missing {
            Some(spec) => format!("{} ({}), which begins loop {id}, {text}", spec.key(), spec.name),
            None => (*text).to_owned(),
        };
        let place = segment.place();
        let at = X12Place {
            transaction_set: Some(set.control_number().to_owned()),
            loop_id: Some(id),
            error_code: Some((*error_code).to_owned()),
            element: matches!(self, Problem::WrongParent | Problem::WrongNumber).then_some(2),
            segment: missing.map(|spec| spec.id.clone()).or(place.segment),
            ..place
        };
        let make = if *is_error { Issue::error } else { Issue::warning };
        make(codes::X12_GUIDE, Place::X12(at), text).hint(*hint)
    }
}
