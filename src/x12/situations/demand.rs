//! Whether what a rule demands is there, and the place to complain at when it is not.

use crate::fault::X12Place;
use crate::x12::guide::Guide;
use crate::x12::segment::Segment;
use crate::x12::situations::find::{loops, segments, visit};
use crate::x12::situations::{Pattern, Predicate, Situation, Spot, Term, Test, position};
use crate::x12::tree::Loop;

/// Error codes of the 999, at a segment (IK304) and at an element (IK403), for what a test finds.
type Codes = (&'static str, &'static str);

/// Something is missing: I6 dependent segment missing, I9 dependent element missing.
const MISSING: Codes = ("I6", "I9");
/// Something stands that must not: I9 dependent not-used segment, I13 dependent not-used element.
const NOT_USED: Codes = ("I9", "I13");
/// A value that does not go with the others: I6 code value not used in the implementation.
const VALUE: Codes = ("8", "I6");
/// A date that does not go with the others.
const DATE: Codes = ("8", "8");
/// A number that names nothing.
const NUMBER: Codes = ("8", "7");

/// Where a rule is broken; `None` when its demand is met.
pub(super) fn broken(rule: &Situation, guide: &Guide, path: &[&Loop<'_>]) -> Option<X12Place> {
    let demand = &rule.demand;
    if rule.forbids {
        let spot = demand.holds(path)??;
        let codes = if matches!(demand.test, Test::Present) { NOT_USED } else { VALUE };
        return Some(at_spot(guide, &spot, codes));
    }
    if let Some((offence, codes)) = compared(demand, path) {
        return offence.map(|spot| at_spot(guide, &spot, codes));
    }
    if demand.holds(path).is_some() {
        return None;
    }
    // A value that is there and is wrong, or nothing at all.
    let mut wrong = None;
    let mut take = |spot| {
        wrong = Some(spot);
        true
    };
    demand.terms.iter().any(|term| visit(term, path, &mut take));
    match wrong {
        Some(spot) => Some(at_spot(guide, &spot, VALUE)),
        None => demand.terms.first().and_then(|term| missing(guide, term, path)),
    }
}

/// What a comparison finds wrong; `None` when the test is none.
fn compared<'t, 'a>(demand: &Predicate, path: &[&'t Loop<'a>]) -> Option<(Option<Spot<'t, 'a>>, Codes)> {
    Some(match &demand.test {
        Test::Equals(other) => (unlike(demand, path, other, |left, right| left == right), VALUE),
        Test::NotBefore(other) => {
            (unlike(demand, path, other, |left, right| first_day(left) >= first_day(right)), DATE)
        }
        Test::NotAfter(other) => (unlike(demand, path, other, |left, right| last_day(left) <= last_day(right)), DATE),
        Test::Distinct(except) => (repeated(demand, path, except), VALUE),
        Test::Ordered => {
            (first(demand, path, |spot| last_day(spot.value) < first_day(spot.value) && spot.value.contains('-')), DATE)
        }
        Test::Sequence => (out_of_sequence(demand, path), NUMBER),
        Test::PointsInto(other) => (astray(demand, path, other), NUMBER),
        _ => return None,
    })
}

/// The first value that agrees with none of the other ones; with nothing to compare there is none.
fn unlike<'t, 'a>(
    demand: &Predicate,
    path: &[&'t Loop<'a>],
    other: &Term,
    agree: impl Fn(&str, &str) -> bool,
) -> Option<Spot<'t, 'a>> {
    first(demand, path, |spot| {
        let mut compared = false;
        let agrees = visit(other, path, &mut |right| {
            compared = true;
            agree(spot.value, right.value)
        });
        compared && !agrees
    })
}

/// The first that is as `is_wrong` says.
fn first<'t, 'a>(
    demand: &Predicate,
    path: &[&'t Loop<'a>],
    mut is_wrong: impl FnMut(&Spot<'t, 'a>) -> bool,
) -> Option<Spot<'t, 'a>> {
    let mut offence = None;
    let mut take = |spot: Spot<'t, 'a>| {
        let wrong = is_wrong(&spot);
        offence = wrong.then_some(spot);
        wrong
    };
    demand.terms.iter().any(|term| visit(term, path, &mut take));
    offence
}

/// `20250301` of `20250301`, `20250301-20250331` and `202503011200`; nothing that is no date is before another.
fn first_day(value: &str) -> &str {
    value.get(..8).unwrap_or("99999999")
}

fn last_day(value: &str) -> &str {
    let end = value.split_once('-').map_or(value, |(_, end)| end);
    end.get(..8).unwrap_or("00000000")
}

fn repeated<'t, 'a>(demand: &Predicate, path: &[&'t Loop<'a>], except: &[Pattern]) -> Option<Spot<'t, 'a>> {
    let mut seen: Vec<&str> = Vec::new();
    first(demand, path, |spot| {
        let again = seen.contains(&spot.value) && !except.iter().any(|pattern| pattern.holds(spot.value));
        seen.push(spot.value);
        again
    })
}

fn out_of_sequence<'t, 'a>(demand: &Predicate, path: &[&'t Loop<'a>]) -> Option<Spot<'t, 'a>> {
    let mut expected = 0;
    first(demand, path, |spot| {
        expected += 1;
        spot.value.trim().parse::<u32>().is_ok_and(|number| number != expected)
    })
}

/// The first value with a component that is not the number of an element of the other segment.
fn astray<'t, 'a>(demand: &Predicate, path: &[&'t Loop<'a>], other: &Term) -> Option<Spot<'t, 'a>> {
    let mut count = 0;
    visit(other, path, &mut |spot| {
        let filled = |segment: &Segment<'_>| segment.elements().filter(|element| !element.is_empty()).count();
        count += spot.segment.map_or(0, filled);
        false
    });
    first(demand, path, |spot| {
        let Some(segment) = spot.segment else { return false };
        let beyond = |part: &str| part.trim().parse::<usize>().is_ok_and(|number| number == 0 || number > count);
        count > 0 && segment.parts(spot.value).any(beyond)
    })
}

fn at_spot(guide: &Guide, spot: &Spot<'_, '_>, codes: Codes) -> X12Place {
    let Some(segment) = spot.segment else { return at_loop(guide, spot.found, codes.0, None) };
    let error_code = if spot.element > 0 { codes.1 } else { codes.0 };
    X12Place {
        loop_id: Some(spot.found.id.to_string()),
        element: position(spot.element),
        component: position(spot.component),
        error_code: Some(error_code.to_owned()),
        ..segment.place()
    }
}

/// The element that is missing in its segment, or the segment that is missing in its loop.
fn missing(guide: &Guide, term: &Term, path: &[&Loop<'_>]) -> Option<X12Place> {
    let mut holder = None;
    let mut segment = None;
    loops(term, path, &mut |found| {
        holder = holder.or(Some(found));
        segments(term, found, &mut |found| {
            segment = Some(*found);
            true
        })
    });
    let own = holder.or(path.last().copied())?;
    let Some(segment) = segment.filter(|_| term.element > 0) else {
        return Some(at_loop(guide, own, MISSING.0, Some(term)));
    };
    Some(X12Place {
        loop_id: Some(own.id.to_string()),
        element: position(term.element),
        component: position(term.component),
        error_code: Some(MISSING.1.to_owned()),
        ..segment.place()
    })
}

/// The first segment of a loop; of a term, named by the segment that should be there.
fn at_loop(guide: &Guide, found: &Loop<'_>, error_code: &str, term: Option<&Term>) -> X12Place {
    let first = found.descend().filter_map(|inner| inner.segments.first()).min_by_key(|segment| segment.ordinal);
    let starter = |term: &Term| match (&term.scope, term.segments.is_empty()) {
        (Some(scope), true) => guide.starter(scope.ix).map(|spec| spec.id.clone()),
        _ => Some(term.id.clone()),
    };
    let place = first.map(Segment::place).unwrap_or_default();
    X12Place {
        segment: term.and_then(starter).or(place.segment),
        loop_id: Some(found.id.to_string()),
        error_code: Some(error_code.to_owned()),
        ..place
    }
}
