//! Conversions between the kinds of values (FHIRPath 2.0, section 5.5). What can't be converted is empty.

use super::{Call, Function, Returns, row};
use crate::mapping::fhirpath::eval::Outcome;
use crate::mapping::fhirpath::item::{Item, Items, decimal};
use crate::mapping::fhirpath::time::Moment;
use std::borrow::Cow;

#[rustfmt::skip]
pub const FUNCTIONS: &[Function] = &[
    row("toString()", (0, 0), Returns::Text, |c, i| convert(c, i, string), "As text, digits of decimals kept.", "12.50.toString() = '12.50'"),
    row("convertsToString()", (0, 0), Returns::Boolean, |c, i| converts(c, i, string), "Whether toString() gives something.", "12.50.convertsToString()"),
    row("toInteger()", (0, 0), Returns::Integer, |c, i| convert(c, i, whole), "As a whole number.", "'12'.toInteger() = 12"),
    row("convertsToInteger()", (0, 0), Returns::Boolean, |c, i| converts(c, i, whole), "Whether toInteger() gives something.", "'1x'.convertsToInteger() = false"),
    row("toDecimal()", (0, 0), Returns::Decimal, |c, i| convert(c, i, number), "As a decimal.", "'12.50'.toDecimal() = 12.5"),
    row("convertsToDecimal()", (0, 0), Returns::Boolean, |c, i| converts(c, i, number), "Whether toDecimal() gives something.", "'12.5'.convertsToDecimal()"),
    row("toBoolean()", (0, 0), Returns::Boolean, |c, i| convert(c, i, boolean), "As true or false: true, t, yes, y, 1, 1.0 and their opposites.", "'Y'.toBoolean()"),
    row("convertsToBoolean()", (0, 0), Returns::Boolean, |c, i| converts(c, i, boolean), "Whether toBoolean() gives something.", "'perhaps'.convertsToBoolean() = false"),
    row("toDate()", (0, 0), Returns::Time, |c, i| convert(c, i, date), "As a date: the time of day is dropped, the date is the writer's own.", "'2025-03-03T23:00:00-05:00'.toDate() = @2025-03-03"),
    row("convertsToDate()", (0, 0), Returns::Boolean, |c, i| converts(c, i, date), "Whether toDate() gives something.", "'2025-03'.convertsToDate()"),
    row("toDateTime()", (0, 0), Returns::Time, |c, i| convert(c, i, date_time), "As a date with a time of day where it has one.", "'2025-03-03'.toDateTime().exists()"),
    row("convertsToDateTime()", (0, 0), Returns::Boolean, |c, i| converts(c, i, date_time), "Whether toDateTime() gives something.", "'2025-03-03T10:00'.convertsToDateTime()"),
];

fn convert<'a>(call: &Call<'_, 'a>, input: Items<'a>, make: for<'i> fn(Item<'i>) -> Option<Item<'i>>) -> Outcome<'a> {
    Ok(call.one(input)?.and_then(make).into_iter().collect())
}

fn converts<'a>(call: &Call<'_, 'a>, input: Items<'a>, make: for<'i> fn(Item<'i>) -> Option<Item<'i>>) -> Outcome<'a> {
    Ok(call.one(input)?.map(|item| Item::Boolean(make(item).is_some())).into_iter().collect())
}

fn string(item: Item<'_>) -> Option<Item<'_>> {
    item.as_text().map(Item::Text)
}

fn whole(item: Item<'_>) -> Option<Item<'_>> {
    if let Some(yes) = item.as_boolean() {
        return Some(Item::Integer(i64::from(yes)));
    }
    let text = item.as_text()?;
    let digits = text.strip_prefix(['+', '-']).unwrap_or(&text);
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok().map(Item::Integer))?
}

fn number(item: Item<'_>) -> Option<Item<'_>> {
    if let Some(yes) = item.as_boolean() {
        return Some(Item::Decimal(i64::from(yes).into()));
    }
    let number = item.as_decimal().or_else(|| decimal(item.as_text()?.trim_start_matches('+')));
    number.map(Item::Decimal)
}

/// What toBoolean() takes for true and for false.
const YES: &[&str] = &["true", "t", "yes", "y", "1", "1.0"];
const NO: &[&str] = &["false", "f", "no", "n", "0", "0.0"];

fn boolean(item: Item<'_>) -> Option<Item<'_>> {
    let text = item.as_text()?.to_lowercase();
    let known = YES.contains(&text.as_str()) || NO.contains(&text.as_str());
    known.then(|| Item::Boolean(YES.contains(&text.as_str())))
}

fn date(item: Item<'_>) -> Option<Item<'_>> {
    let text = item.as_text()?;
    Moment::parse(&text)?;
    let end = text.find('T').unwrap_or(text.len());
    (end > 0).then(|| match text {
        Cow::Borrowed(text) => Item::Time(Cow::Borrowed(&text[..end])),
        Cow::Owned(text) => Item::Time(Cow::Owned(text[..end].to_owned())),
    })
}

fn date_time(item: Item<'_>) -> Option<Item<'_>> {
    let text = item.as_text()?;
    Moment::parse(&text).filter(|_| !text.starts_with('T'))?;
    Some(Item::Time(text))
}
