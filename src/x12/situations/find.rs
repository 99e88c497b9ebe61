//! Finding what a rule speaks of.

use crate::x12::guide::LoopIx;
use crate::x12::segment::Segment;
use crate::x12::situations::{EVERY, Predicate, Scope, Spot, Term, Test};
use crate::x12::tree::Loop;
use rust_decimal::Decimal;

impl Predicate {
    /// Whether it holds, and what it holds by. Comparisons hold of everything here; [`super::demand`] judges them.
    pub fn holds<'t, 'a>(&self, path: &[&'t Loop<'a>]) -> Option<Option<Spot<'t, 'a>>> {
        let mut witness = None;
        let mut seek = |fits: &dyn Fn(&str) -> bool| {
            let mut take = |spot: Spot<'t, 'a>| {
                let found = fits(spot.value);
                witness = found.then_some(spot);
                found
            };
            self.terms.iter().any(|term| visit(term, path, &mut take))
        };
        let holds = match &self.test {
            Test::Present => seek(&|_| true),
            Test::Absent => !seek(&|_| true),
            Test::OneOf(patterns) => seek(&|value| patterns.iter().any(|pattern| pattern.holds(value))),
            Test::NoneOf(patterns) => seek(&|value| !patterns.iter().any(|pattern| pattern.holds(value))),
            Test::Zero => seek(&|value| number(value) == Some(Decimal::ZERO)),
            Test::NonZero => seek(&|value| number(value).is_some_and(|number| !number.is_zero())),
            _ => true,
        };
        holds.then_some(witness)
    }
}

fn number(value: &str) -> Option<Decimal> {
    value.trim().parse().ok()
}

/// Goes through everything that a term names, until `take` has enough (true). Empty elements are not there.
pub(super) fn visit<'t, 'a>(term: &Term, path: &[&'t Loop<'a>], take: &mut impl FnMut(Spot<'t, 'a>) -> bool) -> bool {
    loops(term, path, &mut |found| match term.segments.is_empty() {
        true => take(Spot { found, segment: None, element: 0, component: 0, value: "" }),
        false => segments(term, found, &mut |segment| elements(term, found, segment, take)),
    })
}

/// The loops that a term means: the rule's own, one around it, or those below the nearest one around that may hold them.
pub(super) fn loops<'t, 'a>(term: &Term, path: &[&'t Loop<'a>], take: &mut impl FnMut(&'t Loop<'a>) -> bool) -> bool {
    let Some((origin, depth)) = origin(term, path) else { return false };
    let Some(scope) = term.scope.as_ref().filter(|scope| scope.ix != origin.spec) else { return take(origin) };
    let next = path.get(depth + 1).map(|next| next.spec);
    // What comes before the loops that the path goes down to is not looked for behind the first of them.
    let stop = next.filter(|next| scope.ix < *next);
    let is_here = |child: &LoopIx| Some(*child) != stop && (next.is_none() || !scope.apart.contains(*child));
    let children = origin.children.iter().take_while(|child| is_here(&child.spec));
    children.into_iter().any(|child| below(child, scope, take))
}

/// The loop from which a term is looked for, the one it means or one that may hold it, and its depth in the path.
pub(super) fn origin<'t, 'a>(term: &Term, path: &[&'t Loop<'a>]) -> Option<(&'t Loop<'a>, usize)> {
    let depth = match &term.scope {
        None => path.len().checked_sub(1),
        Some(scope) => {
            let around = path.iter().rposition(|found| found.spec == scope.ix);
            around.or_else(|| path.iter().rposition(|found| scope.above.contains(found.spec)))
        }
    }?;
    Some((path.get(depth)?, depth))
}

/// A loop, and what it holds unless it stands apart.
fn below<'t, 'a>(found: &'t Loop<'a>, scope: &Scope, take: &mut impl FnMut(&'t Loop<'a>) -> bool) -> bool {
    if found.spec == scope.ix && take(found) {
        return true;
    }
    let goes_down = scope.above.contains(found.spec) && !scope.apart.contains(found.spec);
    goes_down && found.children.iter().any(|child| below(child, scope, take))
}

/// The segments of a loop that a term means.
pub(super) fn segments<'t, 'a>(
    term: &Term,
    found: &'t Loop<'a>,
    take: &mut impl FnMut(&'t Segment<'a>) -> bool,
) -> bool {
    let own = found.segments.iter().zip(&found.specs);
    let named = own.filter(|(_, spec)| spec.is_some_and(|spec| term.segments.contains(&spec)));
    let qualified = |segment: &Segment<'a>| match &term.qualifier {
        None => true,
        Some((element, 0, code)) => segment.element(*element) == code,
        Some((element, component, code)) => segment.component(*element, *component) == code,
    };
    named.map(|(segment, _)| segment).filter(|segment| qualified(segment)).any(take)
}

fn elements<'t, 'a>(
    term: &Term,
    found: &'t Loop<'a>,
    segment: &'t Segment<'a>,
    take: &mut impl FnMut(Spot<'t, 'a>) -> bool,
) -> bool {
    let mut one = |element: usize| {
        let value = match (element, term.component) {
            (0, _) => "",
            (_, 0) => segment.element(element),
            (_, component) => segment.component(element, component),
        };
        let is_there = element == 0 || !value.is_empty();
        is_there && take(Spot { found, segment: Some(segment), element, component: term.component, value })
    };
    match term.element {
        EVERY => (1..=segment.len()).any(one),
        element => one(element),
    }
}
