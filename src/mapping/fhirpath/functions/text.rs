//! Functions on text (FHIRPath 2.0, section 5.6). Positions count characters, from 0. Those that make one text of another
//! do so for each item, where FHIRPath allows one item only.

use super::{Arguments, Call, Function, Returns, row};
use crate::mapping::fhirpath::eval::{Outcome, Problem, integer};
use crate::mapping::fhirpath::item::{Item, Items};
use std::borrow::Cow;

const fn pattern(function: Function) -> Function {
    Function { arguments: Arguments::Pattern, ..function }
}

#[rustfmt::skip]
pub const FUNCTIONS: &[Function] = &[
    row("upper()", (0, 0), Returns::Text, |c, i| map(c, i, |t| t.to_uppercase()), "In capital letters.", "'ab'.upper() = 'AB'"),
    row("lower()", (0, 0), Returns::Text, |c, i| map(c, i, |t| t.to_lowercase()), "In small letters.", "'AB'.lower() = 'ab'"),
    row("trim()", (0, 0), Returns::Text, |c, i| map(c, i, |t| t.trim().to_owned()), "Without white space at both ends.", "' a '.trim() = 'a'"),
    row("length()", (0, 0), Returns::Integer, length, "The number of characters.", "'abc'.length() = 3"),
    row("substring(start[, length])", (1, 2), Returns::Text, substring, "The characters from a position on; empty when it lies outside.", "'abcd'.substring(1, 2) = 'bc'"),
    row("left(count)", (1, 1), Returns::Text, left, "At most so many characters from the beginning.", "'abcd'.left(2) = 'ab'"),
    row("right(count)", (1, 1), Returns::Text, right, "At most so many characters from the end.", "'abcd'.right(2) = 'cd'"),
    row("pad(width[, filler])", (1, 2), Returns::Text, pad, "Filled up at the beginning to a width, with zeros unless told otherwise.", "'450'.pad(4) = '0450'"),
    row("indexOf(part)", (1, 1), Returns::Integer, index_of, "The position of a part, -1 when it is not there.", "'abc'.indexOf('b') = 1"),
    row("startsWith(part)", (1, 1), Returns::Boolean, |c, i| test(c, i, |t, p| t.starts_with(p)), "Whether the text begins so.", "'abc'.startsWith('ab')"),
    row("endsWith(part)", (1, 1), Returns::Boolean, |c, i| test(c, i, |t, p| t.ends_with(p)), "Whether the text ends so.", "'abc'.endsWith('bc')"),
    row("contains(part)", (1, 1), Returns::Boolean, |c, i| test(c, i, |t, p| t.contains(p)), "Whether the part stands in the text.", "'abc'.contains('b')"),
    row("replace(part, other)", (2, 2), Returns::Text, replace, "With every occurrence of a part replaced.", "'a-b'.replace('-', '') = 'ab'"),
    pattern(row("matches(pattern)", (1, 1), Returns::Boolean, matches, "Whether the regular expression is found in the text.", "'99213'.matches('^[0-9]{5}$')")),
    pattern(row("matchesFull(pattern)", (1, 1), Returns::Boolean, matches_full, "Whether the regular expression covers the whole text.", "'99213'.matchesFull('[0-9]{5}')")),
    pattern(row("replaceMatches(pattern, other)", (2, 2), Returns::Text, replace_matches, "With everything that the regular expression finds replaced.", "'a1b2'.replaceMatches('[0-9]', '') = 'ab'")),
    row("toChars()", (0, 0), Returns::Text, to_chars, "The characters, one item each.", "'abc'.toChars().count() = 3"),
    row("split(separator)", (1, 1), Returns::Text, split, "The parts between separators.", "'a,b'.split(',').last() = 'b'"),
    row("join([separator])", (0, 1), Returns::Text, join, "All items in one text.", "('a' | 'b').join('+') = 'a+b'"),
];

/// A text made of each item.
fn map<'a>(call: &Call<'_, 'a>, input: Items<'a>, make: impl Fn(&str) -> String) -> Outcome<'a> {
    let mut out = Items::None;
    for item in input.iter() {
        out.push(Item::Text(Cow::Owned(make(&call.text_of(item)?))));
    }
    Ok(out)
}

fn test<'a>(call: &Call<'_, 'a>, input: Items<'a>, test: fn(&str, &str) -> bool) -> Outcome<'a> {
    let (text, part) = (call.one_text(input)?, call.text(0)?);
    Ok(text.zip(part).map(|(text, part)| Item::Boolean(test(&text, &part))).into_iter().collect())
}

fn length<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let text = call.one_text(input)?;
    Ok(text.map(|text| Item::Integer(integer(text.chars().count()))).into_iter().collect())
}

fn substring<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let (Some(text), Some(start)) = (call.one_text(input)?, call.integer(0)?) else { return Ok(Items::None) };
    let start = usize::try_from(start).ok().filter(|start| *start < text.chars().count());
    let length = call.count(1)?.unwrap_or(usize::MAX);
    Ok(start.map(|start| Item::Text(text.chars().skip(start).take(length).collect())).into_iter().collect())
}

fn left<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let Some(count) = call.count(0)? else { return Ok(Items::None) };
    map(call, input, |text| text.chars().take(count).collect())
}

fn right<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let Some(count) = call.count(0)? else { return Ok(Items::None) };
    map(call, input, |text| text.chars().skip(text.chars().count().saturating_sub(count)).collect())
}

/// The widest text that `pad` makes: nothing in X12 is wider than this.
pub const MAX_PAD: usize = 256;

fn pad<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let Some(width) = call.count(0)? else { return Ok(Items::None) };
    let filler = call.text(1)?.and_then(|filler| filler.chars().next()).unwrap_or('0');
    let missing = |text: &str| width.min(MAX_PAD).saturating_sub(text.chars().count());
    map(call, input, |text| std::iter::repeat_n(filler, missing(text)).collect::<String>() + text)
}

fn index_of<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let (text, part) = (call.one_text(input)?, call.text(0)?);
    let place = |(text, part): (Cow<'a, str>, Cow<'a, str>)| {
        text.find(&*part).map_or(-1, |at| integer(text[..at].chars().count()))
    };
    Ok(text.zip(part).map(place).map(Item::Integer).into_iter().collect())
}

fn replace<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let (Some(part), Some(other)) = (call.text(0)?, call.text(1)?) else { return Ok(Items::None) };
    map(call, input, |text| text.replace(&*part, &other))
}

fn matches<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let (Some(text), Some(pattern)) = (call.one_text(input)?, call.pattern(0)?) else { return Ok(Items::None) };
    Ok(Items::boolean(pattern.is_match(&text)))
}

fn matches_full<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let (Some(text), Some(pattern)) = (call.one_text(input)?, call.pattern(0)?) else { return Ok(Items::None) };
    let whole = pattern.find_iter(&text).any(|found| found.start() == 0 && found.end() == text.len());
    Ok(Items::boolean(whole))
}

fn replace_matches<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let (Some(pattern), Some(other)) = (call.pattern(0)?, call.text(1)?) else { return Ok(Items::None) };
    if pattern.as_str().is_empty() {
        return Ok(input);
    }
    map(call, input, |text| pattern.replace_all(text, &*other).into_owned())
}

fn to_chars<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let Some(text) = call.one_text(input)? else { return Ok(Items::None) };
    Ok(text.chars().map(|c| Item::Text(Cow::Owned(c.to_string()))).collect())
}

fn split<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let (Some(text), Some(separator)) = (call.one_text(input)?, call.text(0)?) else { return Ok(Items::None) };
    Ok(text.split(&*separator).map(|part| Item::Text(Cow::Owned(part.to_owned()))).collect())
}

fn join<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let separator = call.text(0)?.unwrap_or_default();
    let mut parts = Vec::with_capacity(input.len());
    for item in input.iter() {
        call.run.note(item);
        let wrong = || Problem::value("join() takes texts, not objects", "select a property first");
        parts.push(item.text().ok_or_else(wrong)?);
    }
    if parts.is_empty() {
        return Ok(Items::None);
    }
    Ok(Items::text(parts.join(&separator)))
}
