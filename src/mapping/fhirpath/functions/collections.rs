//! Filters, projections and set operations (FHIRPath 2.0, sections 5.1 to 5.4 and 7).

use super::{Arguments, Call, Focus, Function, MANY, Returns, condition, handing, row};
use crate::mapping::fhirpath::eval::{Outcome, Problem, Truth, integer, several, singleton};
use crate::mapping::fhirpath::gather::{First, Gathered, Taker, With};
use crate::mapping::fhirpath::item::{Item, Items};
use std::cmp::Ordering;

/// The same, with arguments that are read against each item.
const fn each(function: Function) -> Function {
    Function { arguments: Arguments::Each, ..function }
}

#[rustfmt::skip]
pub const FUNCTIONS: &[Function] = &[
    condition("empty()", (0, 0), empty, "Whether there is no item.", "{}.empty()"),
    each(condition("exists([criteria])", (0, 1), exists, "Whether there is an item (that meets the criteria).", "item.exists(sequence = 1)")),
    each(row("all(criteria)", (1, 1), Returns::Boolean, all, "Whether every item meets the criteria.", "item.all(sequence > 0)")),
    row("allTrue()", (0, 0), Returns::Boolean, all_true, "Whether every item is true.", "(true | true).allTrue()"),
    row("anyTrue()", (0, 0), Returns::Boolean, any_true, "Whether some item is true.", "(true | false).anyTrue()"),
    row("allFalse()", (0, 0), Returns::Boolean, all_false, "Whether every item is false.", "(false | false).allFalse()"),
    row("anyFalse()", (0, 0), Returns::Boolean, any_false, "Whether some item is false.", "(true | false).anyFalse()"),
    condition("not()", (0, 0), not, "The opposite of a boolean; empty stays empty.", "false.not()"),
    row("count()", (0, 0), Returns::Integer, count, "The number of items.", "item.count() = 2"),
    row("distinct()", (0, 0), Returns::Input, |_, input| Ok(distinct(input)), "The items without repetitions, in their order.", "(1 | 2).combine(1).distinct().count() = 2"),
    row("isDistinct()", (0, 0), Returns::Boolean, is_distinct, "Whether no item stands twice.", "item.sequence.isDistinct()"),
    row("subsetOf(other)", (1, 1), Returns::Boolean, subset_of, "Whether every item is in the other collection.", "(1 | 2).subsetOf(1 | 2 | 3)"),
    row("supersetOf(other)", (1, 1), Returns::Boolean, superset_of, "Whether every item of the other collection is in this one.", "(1 | 2 | 3).supersetOf(1 | 2)"),
    each(handing("where(criteria)", (1, 1), Returns::Input, filter, "The items that meet the criteria.", "item.where(sequence = 2).count() = 1")),
    each(handing("select(projection)", (1, 1), Returns::Projection, select, "What the projection gives for each item, in one collection.", "item.select(sequence + 1) = (2 | 3)")),
    each(row("repeat(projection)", (1, 1), Returns::Unknown, repeat, "The projection again and again, until nothing new comes.", "item.repeat(detail).count() = 1")),
    row("single()", (0, 0), Returns::Input, single, "The only item; an issue when there are several.", "item.where(sequence = 1).single().exists()"),
    handing("first()", (0, 0), Returns::Input, first, "The first item.", "item.first().sequence = 1"),
    row("last()", (0, 0), Returns::Input, last, "The last item.", "item.last().sequence = 2"),
    row("tail()", (0, 0), Returns::Input, |_, input| Ok(part(input, 1, usize::MAX)), "All items but the first.", "item.tail().count() = 1"),
    row("skip(count)", (1, 1), Returns::Input, skip, "The items after the first ones.", "item.skip(1).sequence = 2"),
    row("take(count)", (1, 1), Returns::Input, take, "The first ones.", "item.take(1).sequence = 1"),
    row("intersect(other)", (1, 1), Returns::Input, intersect, "The items that are in both, once each.", "(1 | 2).intersect(2 | 3) = 2"),
    row("exclude(other)", (1, 1), Returns::Input, exclude, "The items that are not in the other collection.", "(1 | 2).exclude(2) = 1"),
    row("union(other)", (1, 1), Returns::InputOr, union, "Both collections without repetitions, as `|`.", "(1 | 2).union(2 | 3).count() = 3"),
    handing("combine(other)", (1, 1), Returns::InputOr, combine, "Both collections with repetitions.", "(1 | 2).combine(2).count() = 3"),
    each(row("iif(criterion, then[, otherwise])", (2, 3), Returns::Branches, iif, "The second argument when the criterion holds, else the third.", "iif(item.count() = 2, 'two', 'other') = 'two'")),
    handing("coalesce(value, …)", (1, MANY), Returns::Either, coalesce, "The first argument that is not empty; what stands before the dot is ignored.", "coalesce(subType.text, use) = 'claim'"),
    row("default(value)", (1, 1), Returns::InputOr, default, "What stands before the dot, or the argument when that is empty.", "subType.text.default('none') = 'none'"),
    each(row("aggregate(step[, start])", (1, 2), Returns::Unknown, aggregate, "Runs the step for each item, with what came before as `$total`.", "item.aggregate($total + sequence, 0) = 3")),
    each(row("sort([key, …])", (0, MANY), Returns::Input, sort, "The items ordered by their keys (`-key` turns the order); equal ones keep their places.", "item.sort(-sequence).first().sequence = 2")),
    each(row("distinctBy(key)", (1, 1), Returns::Input, distinct_by, "The first item of each key.", "item.distinctBy(sequence).count() = 2")),
    row("positionIn(list)", (1, 1), Returns::Integer, position, "The place of each item in the list, from 1; what is not in the list has none.", "(2).positionIn(item.sequence) = 2"),
    each(row("trace(name[, projection])", (1, 2), Returns::Input, |_, input| Ok(input), "Nothing: items pass unchanged (FHIRPath logs them, which is not done with patients' data).", "use.trace('use') = 'claim'")),
];

fn empty(call: &Call<'_, '_>) -> Truth {
    call.given(&mut With(|_| false)).map(Some)
}

fn exists(call: &Call<'_, '_>) -> Truth {
    let none = call.try_given(|item, index| {
        let holds = call.holds(0, &item, index)?;
        if holds {
            call.run.note(&item);
        }
        Ok(!holds)
    })?;
    Ok(Some(!none))
}

fn all<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    for (index, item) in input.iter().enumerate() {
        if !call.holds(0, item, index)? {
            return Ok(Items::boolean(false));
        }
    }
    Ok(Items::boolean(true))
}

/// The booleans of a collection; anything else is an issue.
fn booleans(input: &Items<'_>) -> Result<Vec<bool>, Box<Problem>> {
    let wrong = || Problem::value("booleans are needed here", "compare the items with something first");
    input.iter().map(|item| item.as_boolean().ok_or_else(wrong)).collect()
}

fn all_true<'a>(_: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    Ok(Items::boolean(booleans(&input)?.into_iter().all(|yes| yes)))
}

fn any_true<'a>(_: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    Ok(Items::boolean(booleans(&input)?.into_iter().any(|yes| yes)))
}

fn all_false<'a>(_: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    Ok(Items::boolean(booleans(&input)?.into_iter().all(|yes| !yes)))
}

fn any_false<'a>(_: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    Ok(Items::boolean(booleans(&input)?.into_iter().any(|yes| !yes)))
}

fn not(call: &Call<'_, '_>) -> Truth {
    let truth = match call.base {
        Some(base) => call.run.truth(base, call.focus)?,
        None => Some(call.focus.this.as_boolean().unwrap_or(true)),
    };
    Ok(truth.map(|yes| !yes))
}

fn count<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    input.iter().for_each(|item| call.run.note(item));
    Ok(Items::One(Item::Integer(integer(input.len()))))
}

/// The items without repetitions.
pub fn distinct(input: Items<'_>) -> Items<'_> {
    let Items::Many(items) = input else { return input };
    let mut kept: Vec<Item<'_>> = Vec::with_capacity(items.len());
    for item in items {
        if !has(&kept, &item) {
            kept.push(item);
        }
    }
    Items::Many(kept).settled()
}

impl<'a> Items<'a> {
    /// One item is `One`, none is `None`.
    fn settled(self) -> Items<'a> {
        match self {
            Items::Many(items) if items.len() < 2 => items.into_iter().collect(),
            items => items,
        }
    }
}

fn has<'a>(items: &[Item<'a>], wanted: &Item<'a>) -> bool {
    items.iter().any(|item| item.equals(wanted) == Some(true))
}

fn is_distinct<'a>(_: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let before = input.len();
    Ok(Items::boolean(distinct(input).len() == before))
}

fn subset_of<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let other = call.items(0)?;
    Ok(Items::boolean(input.iter().all(|item| has(other.as_slice(), item))))
}

fn superset_of<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    Ok(Items::boolean(call.items(0)?.iter().all(|item| has(input.as_slice(), item))))
}

fn filter<'a>(call: &Call<'_, 'a>, taker: &mut dyn Taker<'a>) -> Gathered {
    call.try_given(|item, index| Ok(!call.holds(0, &item, index)? || taker.take(item)))
}

fn select<'a>(call: &Call<'_, 'a>, taker: &mut dyn Taker<'a>) -> Gathered {
    let Some(projection) = call.arguments.first() else { return Ok(true) };
    call.try_given(|item, index| {
        call.run.gather(projection, Focus { this: &item, index, total: call.focus.total }, taker)
    })
}

/// The most items that `repeat` gathers: past that it is taken for a circle.
pub const MAX_REPEATED: usize = 1_000;

fn repeat<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let mut found: Vec<Item<'a>> = Vec::new();
    let mut wave = input;
    while !wave.is_empty() {
        let mut next = Items::None;
        for (index, item) in wave.iter().enumerate() {
            for new in call.each(0, item, index)? {
                if !has(&found, &new) {
                    found.push(new.clone());
                    next.push(new);
                }
            }
        }
        if found.len() > MAX_REPEATED {
            return Err(Problem::value(format!("repeat() found more than {MAX_REPEATED} items"), "use select()"));
        }
        wave = next;
    }
    Ok(found.into_iter().collect())
}

fn single<'a>(_: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    if input.len() > 1 { Err(several(input.len())) } else { Ok(input) }
}

fn first<'a>(call: &Call<'_, 'a>, taker: &mut dyn Taker<'a>) -> Gathered {
    let mut first = First::default();
    call.given(&mut first)?;
    Ok(first.0.is_none_or(|item| taker.take(item)))
}

fn last<'a>(_: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    Ok(input.into_iter().last().into_iter().collect())
}

fn part(input: Items<'_>, skip: usize, take: usize) -> Items<'_> {
    input.into_iter().skip(skip).take(take).collect()
}

fn skip<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    Ok(part(input, call.count(0)?.unwrap_or(0), usize::MAX))
}

fn take<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    Ok(part(input, 0, call.count(0)?.unwrap_or(0)))
}

fn intersect<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let other = call.items(0)?;
    Ok(distinct(input.into_iter().filter(|item| has(other.as_slice(), item)).collect()))
}

fn exclude<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let other = call.items(0)?;
    Ok(input.into_iter().filter(|item| !has(other.as_slice(), item)).collect())
}

fn union<'a>(call: &Call<'_, 'a>, mut input: Items<'a>) -> Outcome<'a> {
    input.append(call.items(0)?);
    Ok(distinct(input))
}

fn combine<'a>(call: &Call<'_, 'a>, taker: &mut dyn Taker<'a>) -> Gathered {
    Ok(call.given(taker)? && call.gather(0, taker)?)
}

/// The item that `iif` and its like are about: the one before the dot, else the `$this` around.
fn iif<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let this = singleton(input)?.unwrap_or_else(|| call.focus.this.clone());
    let chosen = if call.holds(0, &this, call.focus.index)? { 1 } else { 2 };
    call.each(chosen, &this, call.focus.index)
}

fn coalesce<'a>(call: &Call<'_, 'a>, taker: &mut dyn Taker<'a>) -> Gathered {
    let (mut any, mut more) = (false, true);
    for n in 0..call.arguments.len() {
        more = call.gather(
            n,
            &mut With(|item| {
                any = true;
                taker.take(item)
            }),
        )?;
        if any {
            break;
        }
    }
    Ok(more)
}

fn default<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    if input.is_empty() { call.items(0) } else { Ok(input) }
}

fn aggregate<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let mut total = call.items(1)?;
    for (index, item) in input.iter().enumerate() {
        let focus = Focus { this: item, index, total: Some(&total) };
        let Some(step) = call.arguments.first() else { break };
        total = call.run.eval(step, focus)?;
    }
    Ok(total)
}

fn sort<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    use crate::mapping::fhirpath::expr::Expr;
    let turned: Vec<bool> = call.arguments.iter().map(|key| matches!(key, Expr::Minus(_))).collect();
    let mut keyed = Vec::with_capacity(input.len());
    for (index, item) in input.into_iter().enumerate() {
        let mut keys = Vec::with_capacity(turned.len().max(1));
        for argument in call.arguments {
            let key = if let Expr::Minus(key) = argument { key } else { argument };
            let focus = Focus { this: &item, index, total: None };
            keys.push(call.run.muted(|| call.run.eval(key, focus))?.into_first());
        }
        if keys.is_empty() {
            keys.push(Some(item.clone()));
        }
        keyed.push((keys, item));
    }
    keyed.sort_by(|(left, _), (right, _)| {
        let orders = left.iter().zip(right).enumerate().map(|(n, (left, right))| {
            let order = by_key(left.as_ref(), right.as_ref());
            let turns = turned.get(n) == Some(&true) && left.is_some() && right.is_some();
            if turns { order.reverse() } else { order }
        });
        orders.fold(Ordering::Equal, Ordering::then)
    });
    Ok(keyed.into_iter().map(|(_, item)| item).collect())
}

/// What has no key stands first.
fn by_key<'a>(left: Option<&Item<'a>>, right: Option<&Item<'a>>) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) => left.compare(right).flatten().unwrap_or(Ordering::Equal),
        (left, right) => left.is_some().cmp(&right.is_some()),
    }
}

fn distinct_by<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let mut seen: Vec<Item<'a>> = Vec::new();
    let mut out = Items::None;
    for (index, item) in input.into_iter().enumerate() {
        let key = call.run.muted(|| call.each(0, &item, index))?.into_first();
        let known = key.as_ref().is_some_and(|key| has(&seen, key));
        seen.extend(key);
        if !known {
            out.push(item);
        }
    }
    Ok(out)
}

fn position<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let list = call.items(0)?;
    let place = |item: &Item<'a>| list.iter().position(|other| other.equals(item) == Some(true));
    let mut out = Items::None;
    for item in input.iter() {
        call.run.note(item);
        out.append(place(item).map(|n| Item::Integer(integer(n + 1))).into_iter().collect());
    }
    Ok(out)
}
