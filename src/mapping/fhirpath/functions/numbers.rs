//! Functions on numbers (FHIRPath 2.0, section 5.7), exact: never on floats.

use super::{Call, Function, Returns, handing, row};
use crate::mapping::fhirpath::eval::{Outcome, Problem};
use crate::mapping::fhirpath::gather::{Gathered, Taker};
use crate::mapping::fhirpath::item::{Item, Items, decimal};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

#[rustfmt::skip]
pub const FUNCTIONS: &[Function] = &[
    handing("sum()", (0, 0), Returns::Decimal, sum, "The sum of all items; 0 when there is none.", "item.net.value.sum() = 140.00"),
    row("min()", (0, 0), Returns::Input, |c, i| pick(c, i, std::cmp::Ordering::Less), "The smallest number, text or date.", "item.sequence.min() = 1"),
    row("max()", (0, 0), Returns::Input, |c, i| pick(c, i, std::cmp::Ordering::Greater), "The largest number, text or date.", "item.sequence.max() = 2"),
    row("abs()", (0, 0), Returns::Input, abs, "Without its sign.", "(-5).abs() = 5"),
    row("round([digits])", (0, 1), Returns::Decimal, round, "Rounded to so many digits after the point, half away from zero.", "2.345.round(2) = 2.35"),
    row("ceiling()", (0, 0), Returns::Integer, |c, i| whole(c, i, |n| n.ceil()), "The next whole number above.", "1.1.ceiling() = 2"),
    row("floor()", (0, 0), Returns::Integer, |c, i| whole(c, i, |n| n.floor()), "The next whole number below.", "1.9.floor() = 1"),
    row("truncate()", (0, 0), Returns::Integer, |c, i| whole(c, i, |n| n.trunc()), "Without what stands after the point.", "1.9.truncate() = 1"),
];

fn sum<'a>(call: &Call<'_, 'a>, taker: &mut dyn Taker<'a>) -> Gathered {
    let mut total = Decimal::ZERO;
    call.try_given(|item, _| {
        call.run.note(&item);
        let number = item.as_decimal().or_else(|| decimal(item.as_string()?.trim()));
        let wrong = || Problem::value("sum() takes numbers", "select the amounts first: item.net.value.sum()");
        let large = || Problem::value("the sum has more than 28 digits", "check the amounts");
        total = total.checked_add(number.ok_or_else(wrong)?).ok_or_else(large)?;
        Ok(true)
    })?;
    Ok(taker.take(Item::Decimal(total)))
}

fn pick<'a>(call: &Call<'_, 'a>, input: Items<'a>, wanted: std::cmp::Ordering) -> Outcome<'a> {
    let mut best: Option<Item<'a>> = None;
    for item in input {
        let better = match &best {
            Some(best) => item.compare(best).flatten() == Some(wanted),
            None => true,
        };
        if better {
            best = Some(item);
        }
    }
    best.iter().for_each(|item| call.run.note(item));
    Ok(best.into_iter().collect())
}

/// The one number before the dot.
fn number<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Result<Option<(Decimal, bool)>, Box<Problem>> {
    let Some(item) = call.one(input)? else { return Ok(None) };
    match item.as_decimal() {
        Some(number) => Ok(Some((number, item.is_integer()))),
        None => Err(Problem::value("a number is needed here", "use toDecimal() on a text")),
    }
}

fn abs<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    Ok(match number(call, input)? {
        Some((number, true)) => number.abs().to_i64().map(Item::Integer).into_iter().collect(),
        Some((number, false)) => Items::One(Item::Decimal(number.abs())),
        None => Items::None,
    })
}

fn round<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let digits = call.integer(0)?.unwrap_or(0).clamp(0, 28).to_u32().unwrap_or(0);
    let rounded =
        |(number, _): (Decimal, bool)| number.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero);
    Ok(number(call, input)?.map(rounded).map(Item::Decimal).into_iter().collect())
}

fn whole<'a>(call: &Call<'_, 'a>, input: Items<'a>, make: fn(Decimal) -> Decimal) -> Outcome<'a> {
    let made = number(call, input)?.and_then(|(number, _)| make(number).to_i64());
    Ok(made.map(Item::Integer).into_iter().collect())
}
