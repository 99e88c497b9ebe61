//! Functions for what claims need: code tables, codes and ids in the spelling of X12, adjustments in segments.

use super::{Arguments, Call, Function, Returns, handing, row};
use crate::fault::codes;
use crate::mapping::fhirpath::eval::{Outcome, Problem};
use crate::mapping::fhirpath::gather::{Gathered, Taker};
use crate::mapping::fhirpath::item::{Item, Items};
use std::borrow::Cow;
use std::rc::Rc;

#[rustfmt::skip]
pub const FUNCTIONS: &[Function] = &[
    Function { arguments: Arguments::Table, ..handing("translate(table[, otherwise])", (1, 2), Returns::Text, translate, "The code that a table of `codes/` gives; a code without a line is an issue, unless a second argument says what to take.", "'self'.translate('relationship') = '18'") },
    row("icd()", (0, 0), Returns::Text, |c, i| each_text(c, i, icd), "An ICD code without its dot, in capital letters.", "'j02.0'.icd() = 'J020'"),
    row("digits()", (0, 0), Returns::Text, |c, i| each_text(c, i, digits), "The digits alone.", "'12-3456789'.digits() = '123456789'"),
    row("alnum()", (0, 0), Returns::Text, |c, i| each_text(c, i, alnum), "Letters and digits alone, letters in capitals.", "'ab-12 c'.alnum() = 'AB12C'"),
    row("zip()", (0, 0), Returns::Text, |c, i| checked(c, i, zip, "a US postal code has five or nine digits"), "A US postal code as digits, five or nine; codes with letters pass unchanged.", "'33411-1234'.zip() = '334111234'"),
    row("phone()", (0, 0), Returns::Text, |c, i| checked(c, i, phone, "a US telephone number has ten digits"), "A US telephone number as ten digits.", "'+1 (305) 555-0100'.phone() = '3055550100'"),
    row("ndc11()", (0, 0), Returns::Text, |c, i| checked(c, i, ndc11, "a national drug code has eleven digits, or ten with hyphens"), "A national drug code as eleven digits, 5-4-2.", "'0002-1433-80'.ndc11() = '00002143380'"),
    row("cas()", (0, 0), Returns::Unknown, cas, "Adjustments as CAS segments hold them: by group, six in each, as group, reason1, amount1, quantity1 to reason6, amount6, quantity6.", "{}.cas().empty()"),
    row("chunks(size)", (1, 1), Returns::Unknown, chunks, "The items in groups of so many: each has `items` and `index`.", "(1 | 2 | 3).chunks(2).first().items.count() = 2"),
];

fn translate<'a>(call: &Call<'_, 'a>, taker: &mut dyn Taker<'a>) -> Gathered {
    let Some(table) = call.table(0) else { return Ok(true) };
    call.try_given(|item, _| {
        call.run.note(&item);
        let Some(code) = item.text() else {
            return Err(Problem::value("translate() takes codes, not objects", "name the code: coding.code"));
        };
        match table.get(&code) {
            Some(translation) => Ok(taker.take(Item::Text(Cow::Borrowed(translation)))),
            None if call.arguments.len() > 1 => call.gather(1, taker),
            None => Err(untranslated(&code, table.name())),
        }
    })
}

fn untranslated(code: &str, table: &str) -> Box<Problem> {
    Box::new(Problem {
        code: codes::MAPPING_CODE,
        text: format!("the code table `{table}` does not know `{code}`"),
        hint: format!("send a code that the table knows, or add a line to codes/{table}.tsv"),
    })
}

/// A text made of each item; what becomes empty is left out.
fn each_text<'a>(call: &Call<'_, 'a>, input: Items<'a>, make: fn(&str) -> String) -> Outcome<'a> {
    let mut out = Items::None;
    for item in input.iter() {
        let made = make(&call.text_of(item)?);
        if !made.is_empty() {
            out.push(Item::Text(Cow::Owned(made)));
        }
    }
    Ok(out)
}

/// The same for texts that must have a certain form.
fn checked<'a>(
    call: &Call<'_, 'a>,
    input: Items<'a>,
    make: fn(&str) -> Option<String>,
    rule: &'static str,
) -> Outcome<'a> {
    let mut out = Items::None;
    for item in input.iter() {
        let made = make(&call.text_of(item)?).ok_or_else(|| Problem::value(rule, "correct the value"))?;
        out.push(Item::Text(Cow::Owned(made)));
    }
    Ok(out)
}

fn icd(text: &str) -> String {
    text.trim().chars().filter(|c| *c != '.').flat_map(char::to_uppercase).collect()
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn alnum(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

fn zip(text: &str) -> Option<String> {
    if text.chars().any(char::is_alphabetic) {
        return Some(text.trim().to_owned());
    }
    // Spreadsheets take the zero in front away; the repair of the record gives it back.
    Some(digits(text)).filter(|digits| matches!(digits.len(), 4 | 5 | 8 | 9))
}

fn phone(text: &str) -> Option<String> {
    let digits = digits(text);
    let national = if digits.len() == 11 { digits.strip_prefix('1').map(str::to_owned) } else { Some(digits) };
    national.filter(|digits| digits.len() == 10)
}

/// 4-4-2, 5-3-2 and 5-4-1 are filled up with zeros; ten digits without hyphens could be any of them.
fn ndc11(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.trim().split('-').collect();
    let made = match parts.as_slice() {
        [whole] => (*whole).to_owned(),
        [labeler, product, package] => format!("{labeler:0>5}{product:0>4}{package:0>2}"),
        _ => return None,
    };
    (made.len() == 11 && made.bytes().all(|b| b.is_ascii_digit())).then_some(made)
}

/// CAS holds one group and six triples (005010X222A1, loops 2320 and 2430).
const TRIPLES: [[&str; 3]; 6] = [
    ["reason1", "amount1", "quantity1"],
    ["reason2", "amount2", "quantity2"],
    ["reason3", "amount3", "quantity3"],
    ["reason4", "amount4", "quantity4"],
    ["reason5", "amount5", "quantity5"],
    ["reason6", "amount6", "quantity6"],
];

fn cas<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let mut groups: Vec<(Cow<'a, str>, Vec<Item<'a>>)> = Vec::new();
    for item in input {
        let group = property(&item, "group").and_then(|group| group.as_text()).unwrap_or_default();
        call.run.note(&item);
        match groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, members)) => members.push(item),
            None => groups.push((group, vec![item])),
        }
    }
    let segments = groups.iter().flat_map(|(group, members)| members.chunks(6).map(move |six| segment(group, six)));
    Ok(segments.collect())
}

fn segment<'a>(group: &Cow<'a, str>, six: &[Item<'a>]) -> Item<'a> {
    let mut fields = vec![("group", Items::text(group.clone()))];
    for (names, item) in TRIPLES.iter().zip(six) {
        for (name, source) in names.iter().zip(["reason", "amount", "quantity"]) {
            fields.extend(property(item, source).map(|value| (*name, Items::One(value))));
        }
    }
    Item::Fields(Rc::new(fields))
}

/// Whether a property may be one of an object that an expression made, and so stand in no source: those of `cas()` and
/// `chunks()`, and of quantities.
pub fn is_made_field(name: &str) -> bool {
    matches!(name, "group" | "items" | "index" | "value" | "unit") || TRIPLES.iter().flatten().any(|made| *made == name)
}

fn property<'a>(item: &Item<'a>, name: &str) -> Option<Item<'a>> {
    let kind = if matches!(name, "amount" | "quantity") { "decimal" } else { "" };
    item.property(name, kind)
}

fn chunks<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let size = call.count(0)?.unwrap_or(1).max(1);
    let group = |(n, items): (usize, &[Item<'a>])| {
        let index = Items::One(Item::Integer(crate::mapping::fhirpath::eval::integer(n)));
        Item::Fields(Rc::new(vec![("items", items.iter().cloned().collect()), ("index", index)]))
    };
    Ok(input.as_slice().chunks(size).enumerate().map(group).collect())
}
