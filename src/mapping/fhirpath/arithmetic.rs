//! `+ - * / div mod &` on decimals, texts, dates and quantities; never on floats.

use super::ast::Operator;
use super::eval::{Outcome, Problem};
use super::item::{Item, Items};
use super::time;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::borrow::Cow;

pub fn arithmetic<'a>(operator: Operator, left: Option<Item<'a>>, right: Option<Item<'a>>) -> Outcome<'a> {
    let (Some(left), Some(right)) = (left, right) else { return Ok(Items::None) };
    if let (Some(a), Some(b)) = (left.as_decimal(), right.as_decimal()) {
        let whole = left.is_integer() && right.is_integer();
        return Ok(numbers(operator, a, b, whole).into_iter().collect());
    }
    if let Item::Quantity(amount) = &right {
        return with_quantity(operator, &left, amount);
    }
    match (operator, left.as_string(), right.as_string()) {
        (Operator::Plus, Some(left), Some(right)) => Ok(Items::text(left.into_owned() + &right)),
        _ => Err(Problem::value(
            "this operator needs two numbers, two texts, or a date and a quantity",
            "use toDecimal() on texts that hold numbers, & to join",
        )),
    }
}

/// `&`: what is empty counts as an empty text.
pub fn concatenate(text: &mut String, item: &Item<'_>) -> Result<(), Box<Problem>> {
    match item.text() {
        Some(more) => text.push_str(&more),
        None => return Err(Problem::value("& joins texts, not objects", "name a property of it")),
    }
    Ok(())
}

/// `None` where FHIRPath says empty: division by zero, overflow.
fn numbers<'a>(operator: Operator, a: Decimal, b: Decimal, whole: bool) -> Option<Item<'a>> {
    let result = match operator {
        Operator::Plus => a.checked_add(b),
        Operator::Less => a.checked_sub(b),
        Operator::Times => a.checked_mul(b),
        Operator::Over => return a.checked_div(b).map(|result| Item::Decimal(result.normalize())),
        Operator::Div => return a.checked_div(b)?.trunc().to_i64().map(Item::Integer),
        Operator::Mod => a.checked_rem(b),
        _ => None,
    }?;
    if whole { result.to_i64().map(Item::Integer) } else { Some(Item::Decimal(result)) }
}

fn with_quantity<'a>(operator: Operator, left: &Item<'a>, amount: &(Decimal, String)) -> Outcome<'a> {
    let sign = match operator {
        Operator::Plus => Decimal::ONE,
        Operator::Less => -Decimal::ONE,
        _ => return Err(Problem::value("only + and - take a quantity", "write the number without a unit")),
    };
    let units = (sign * amount.0).trunc().to_i64().unwrap_or_default();
    let moved = left.as_moment().and_then(|_| time::add(&left.as_text()?, units, &amount.1));
    moved.map(|text| Items::One(Item::Time(Cow::Owned(text)))).ok_or_else(|| {
        Problem::value("only a date can be moved by a quantity", "units are years, months, weeks and days")
    })
}
