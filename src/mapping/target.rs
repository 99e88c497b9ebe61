//! What a mapping to JSON makes: the names and types of the target, and how a value is written for it.

use super::draft::Draft;
use super::fhirpath::eval::Problem;
use super::fhirpath::expr::Expr;
use super::fhirpath::item::{Item, Plain, decimal};
use super::fhirpath::time::Moment;
use super::source::{FhirTypes, Type};
use crate::billing::shape::{Shape, View};
use crate::digits::Digits;
use rust_decimal::Decimal;
use serde_json::Value;
use std::borrow::Cow;

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    Text,
    /// A full date.
    Date,
    /// A full date, perhaps with a time of day.
    Moment,
    /// A date of FHIR: it may be partial.
    PartialDate,
    /// A decimal in a JSON text.
    Decimal,
    /// A decimal as a JSON number.
    Number,
    Integer,
    Boolean,
    /// An object of the source, as it is.
    Object,
    /// Whatever comes.
    Any,
}

/// A place in the target.
#[derive(Debug, Clone)]
pub enum Target {
    Record(&'static Shape),
    /// A FHIR type or part of a resource: `ClaimResponse`, `ClaimResponse.item`, `Money`.
    Fhir(String),
    Any,
}

/// A property of a target.
#[derive(Debug, Clone)]
pub struct Property {
    pub target: Target,
    pub many: bool,
    pub required: bool,
}

impl Target {
    /// A property by its name, or the names that there are.
    pub fn property(&self, types: &dyn FhirTypes, name: &str) -> Result<Property, Vec<String>> {
        match self {
            Target::Any => Ok(Property { target: Target::Any, many: false, required: false }),
            Target::Record(shape) => match shape.field(name) {
                Some(field) => Ok(Property {
                    target: Target::Record(inner(&field.shape)),
                    many: matches!(field.shape, Shape::List(_)),
                    required: field.required,
                }),
                None => Err(super::source::field_names(shape)),
            },
            Target::Fhir(of) => fhir_property(types, of, name),
        }
    }

    /// The names of the properties that must be there; for FHIR choices, the ways to fill them.
    pub fn required(&self, types: &dyn FhirTypes) -> Vec<Vec<String>> {
        match self {
            Target::Any => Vec::new(),
            Target::Record(Shape::Object(_, fields)) => {
                fields.iter().filter(|field| field.required).map(|field| vec![field.name.clone()]).collect()
            }
            Target::Record(_) => Vec::new(),
            Target::Fhir(of) => {
                let names = types.names(of).into_iter();
                names
                    .filter_map(|name| types.element(of, &name).filter(|e| e.required).map(|e| ways(&name, &e)))
                    .collect()
            }
        }
    }

    /// How a single value is written here; `None` for objects.
    pub fn write(&self) -> Option<Write> {
        Some(match self {
            Target::Any => Write::Any,
            Target::Record(Shape::Text) => Write::Text,
            Target::Record(Shape::Date) => Write::Date,
            Target::Record(Shape::Moment) => Write::Moment,
            Target::Record(Shape::Decimal) => Write::Decimal,
            Target::Record(Shape::Integer) => Write::Integer,
            Target::Record(Shape::Boolean) => Write::Boolean,
            Target::Record(Shape::Object(..) | Shape::List(_)) => return None,
            Target::Fhir(name) => match name.as_str() {
                "boolean" => Write::Boolean,
                "decimal" => Write::Number,
                "integer" | "positiveInt" | "unsignedInt" => Write::Integer,
                "date" | "dateTime" | "instant" => Write::PartialDate,
                name if name.starts_with(|c: char| c.is_ascii_lowercase()) => Write::Text,
                _ => return None,
            },
        })
    }

    pub fn describe(&self) -> String {
        match self {
            Target::Record(shape) => Type::Record(shape).describe(),
            Target::Fhir(name) => name.clone(),
            Target::Any => "a value".to_owned(),
        }
    }
}

fn inner(shape: &'static Shape) -> &'static Shape {
    match shape {
        Shape::List(item) => item,
        other => other,
    }
}

/// `value` with its types → `valueQuantity`, `valueString` …
fn ways(name: &str, element: &super::source::FhirElement) -> Vec<String> {
    if !element.choice {
        return vec![name.to_owned()];
    }
    element.types.iter().filter_map(|kind| super::fhirpath::types::choice_key(name, kind)).collect()
}

fn fhir_property(types: &dyn FhirTypes, of: &str, name: &str) -> Result<Property, Vec<String>> {
    let open = Property { target: Target::Any, many: false, required: false };
    if !types.knows(of) || name.starts_with('_') || name == "resourceType" {
        return Ok(open);
    }
    let Some(element) = types.element(of, name).filter(|element| !element.choice) else {
        return variant(types, of, name);
    };
    let target = match element.types.as_slice() {
        [one] if !matches!(one.as_str(), "Resource" | "xhtml") => Target::Fhir(one.clone()),
        _ => Target::Any,
    };
    Ok(Property { target, many: element.many, required: element.required })
}

/// `valueQuantity`: one way to fill the choice `value`.
fn variant(types: &dyn FhirTypes, of: &str, name: &str) -> Result<Property, Vec<String>> {
    let mut known = Vec::new();
    for base in types.names(of) {
        let Some(element) = types.element(of, &base) else { continue };
        let ways = ways(&base, &element);
        if let Some(n) = ways.iter().position(|way| way == name)
            && let Some(kind) = element.types.get(n)
        {
            return Ok(Property { target: Target::Fhir(kind.clone()), many: element.many, required: element.required });
        }
        known.extend(ways);
    }
    Err(known)
}

/// A value as it is written.
#[derive(Debug)]
pub enum Written<'i> {
    /// An empty text says nothing.
    Nothing,
    Text(Cow<'i, str>),
    /// Its digits, as JSON spells numbers.
    Number(Cow<'i, str>),
    Spelled(Digits),
    /// Digits and signs in quotes.
    SpelledText(Digits),
    Boolean(bool),
    /// A part of the source, as it stands there.
    Part(&'i Value),
    View(View<'i>),
}

impl Written<'_> {
    /// As people read it: texts without quotes.
    pub fn shown(&self) -> String {
        match self {
            Written::Nothing => String::new(),
            Written::Text(text) | Written::Number(text) => text.as_ref().to_owned(),
            Written::Boolean(yes) => yes.to_string(),
            Written::Spelled(digits) | Written::SpelledText(digits) => digits.as_str().to_owned(),
            Written::Part(part) => part.as_str().map_or_else(|| part.to_string(), str::to_owned),
            Written::View(view) => view.json().to_string(),
        }
    }

    /// As JSON.
    pub fn put(&self, draft: &mut Draft) {
        match self {
            Written::Nothing => {}
            Written::Text(text) => draft.text(text),
            Written::Number(digits) => draft.raw(digits),
            Written::Boolean(yes) => draft.raw(if *yes { "true" } else { "false" }),
            Written::Spelled(digits) => draft.bytes(digits.as_bytes()),
            Written::SpelledText(digits) => draft.quoted(digits.as_bytes()),
            Written::Part(part) => draft.value(part),
            Written::View(view) => draft.view(*view),
        }
    }
}

/// Writes an item into a draft as its target wants it; false when there is nothing to write.
pub fn put(how: Write, item: &Item<'_>, draft: &mut Draft) -> Result<bool, Box<Problem>> {
    if how == Write::Text
        && let Some(text) = item.borrowed()
        && text.bytes().next().is_some_and(|first| first.is_ascii_graphic())
    {
        draft.text(text);
        return Ok(true);
    }
    let written = write(how, item)?;
    written.put(draft);
    Ok(!matches!(written, Written::Nothing))
}

/// Writes an item as its target wants it.
pub fn write<'i>(how: Write, item: &'i Item<'_>) -> Result<Written<'i>, Box<Problem>> {
    if how == Write::Object || how == Write::Any {
        return match item {
            Item::Node(node) if how == Write::Any || node.value.is_object() => Ok(Written::Part(node.value)),
            Item::Plain(plain) if how == Write::Any || matches!(plain.view, View::Object(_)) => {
                Ok(Written::View(plain.view))
            }
            _ if how == Write::Any => write_plain(item),
            _ => Err(Problem::value("an object is needed here", "name the object, not a property of it")),
        };
    }
    if let Some(written) = spelled(how, item) {
        return Ok(written);
    }
    let Some(text) = item.as_text() else {
        return Err(Problem::value("a single value is needed here, not an object", "name a property of it"));
    };
    let full = || Moment::parse(&text).filter(Moment::is_full_date);
    match how {
        Write::Boolean => item
            .as_boolean()
            .or_else(|| text.parse().ok())
            .map(Written::Boolean)
            .ok_or_else(|| Problem::value("true or false is needed here", "compare the value with something")),
        Write::Date => match full().and_then(|_| text.get(..10)) {
            Some(date) if date.len() == text.len() => Ok(Written::Text(text)),
            Some(date) => Ok(Written::Text(date.to_owned().into())),
            None => Err(Problem::value("a full date is needed here", "give year, month and day: 2025-03-03")),
        },
        Write::Moment if full().is_none() => {
            Err(Problem::value("a full date is needed here", "give year, month and day, and the time of day if known"))
        }
        Write::PartialDate if Moment::parse(&text).is_none() => {
            Err(Problem::value("a date is needed here", "give it as 2025-03-03 or 2025-03-03T14:30:00-05:00"))
        }
        Write::Decimal => number(&text).map(|_| Written::Text(text)),
        Write::Number => number(&text).map(|number| Written::Number(plain(text, number))),
        Write::Integer => text
            .parse::<i64>()
            .ok()
            .or_else(|| decimal(&text).filter(Decimal::is_integer)?.try_into().ok())
            .map(|number| Written::Number(number.to_string().into()))
            .ok_or_else(|| Problem::value("a whole number is needed here", "correct the value")),
        _ if text.chars().all(char::is_whitespace) => Ok(Written::Nothing),
        _ => Ok(Written::Text(text)),
    }
}

fn number(text: &str) -> Result<Decimal, Box<Problem>> {
    decimal(text).ok_or_else(|| Problem::value("a number of at most 28 digits is needed here", "correct the value"))
}

/// What needs no second look: numbers where numbers are wanted, dates where dates are.
fn spelled<'i>(how: Write, item: &'i Item<'_>) -> Option<Written<'i>> {
    let number = match item {
        Item::Decimal(number) | Item::Plain(Plain { view: View::Decimal(number), .. }) => *number,
        Item::Plain(Plain { view: View::Date(date), .. }) => {
            let dated = matches!(how, Write::Date | Write::Moment | Write::PartialDate | Write::Text);
            return dated.then(|| Written::SpelledText(Digits::of_date(*date)));
        }
        // Of a full time that stands in a mapping, or that is now, nothing more need be known.
        Item::Time(Cow::Borrowed(text)) if is_full(text) && matches!(how, Write::Moment | Write::PartialDate) => {
            return Some(Written::Text(Cow::Borrowed(text)));
        }
        Item::Integer(number) => {
            let whole = matches!(how, Write::Integer | Write::Number).then_some(*number)?;
            return u64::try_from(whole).ok().map(Digits::of_integer).map(Written::Spelled);
        }
        _ => return None,
    };
    match how {
        Write::Number => Some(Written::Spelled(Digits::of_decimal(number))),
        Write::Decimal | Write::Text => Some(Written::SpelledText(Digits::of_decimal(number))),
        _ => None,
    }
}

/// Year, month and day of a time that was read already.
fn is_full(text: &str) -> bool {
    text.len() >= 10 && text.as_bytes().first().is_some_and(u8::is_ascii_digit)
}

/// Digits as they stand where JSON has them so, else as they are usually written: `.5`, `007`.
fn plain(text: Cow<'_, str>, number: Decimal) -> Cow<'_, str> {
    let digits = text.strip_prefix('-').unwrap_or(&text);
    let whole = digits.bytes().take_while(u8::is_ascii_digit).count();
    let as_json = whole > 0 && (whole == 1 || !digits.starts_with('0')) && !digits.ends_with('.');
    if as_json { text } else { number.to_string().into() }
}

fn write_plain<'i>(item: &'i Item<'_>) -> Result<Written<'i>, Box<Problem>> {
    let written = match item {
        Item::Boolean(yes) => Some(Written::Boolean(*yes)),
        Item::Integer(_) | Item::Decimal(_) => item.as_text().map(Written::Number),
        _ => item.as_text().map(Written::Text),
    };
    written.ok_or_else(|| Problem::value("this can't be written", "name a property of it"))
}

/// What is wrong with writing an expression of a known type here; `None` when nothing is known to be.
pub fn clash(target: &Target, expr: &Expr, kind: &Type, types: &dyn FhirTypes) -> Option<String> {
    let Some(wanted) = target.write() else { return object_clash(target, kind) };
    if wanted == Write::Any {
        return None;
    }
    if let Some(literal) = literal(expr) {
        return write(wanted, &literal).err().map(|problem| problem.text);
    }
    let single = |what: &Type| match &computed(what) {
        Type::Boolean => !matches!(wanted, Write::Boolean | Write::Text),
        Type::Integer | Type::Decimal => {
            matches!(wanted, Write::Boolean | Write::Date | Write::Moment | Write::PartialDate)
        }
        Type::Time => matches!(wanted, Write::Boolean | Write::Decimal | Write::Number | Write::Integer),
        Type::Reference(_) | Type::Record(Shape::Object(..)) => true,
        Type::Record(Shape::List(item)) => matches!(**item, Shape::Object(..)),
        Type::Fhir(name) => name.starts_with(|c: char| c.is_ascii_uppercase()) && types.knows(name),
        _ => false,
    };
    let wrong = match kind {
        Type::OneOf(all) => all.iter().all(single),
        one => single(one),
    };
    wrong.then(|| format!("{} can't be written as {}", kind.describe(), target.describe()))
}

/// A primitive of a source as what is computed of it; everything else as it is.
fn computed(kind: &Type) -> Type {
    match kind {
        Type::Fhir(name) => match &**name {
            "boolean" => Type::Boolean,
            "integer" | "positiveInt" | "unsignedInt" => Type::Integer,
            "decimal" => Type::Decimal,
            "date" | "dateTime" | "instant" => Type::Time,
            _ => kind.clone(),
        },
        Type::Record(Shape::Boolean) => Type::Boolean,
        Type::Record(Shape::Integer) => Type::Integer,
        Type::Record(Shape::Decimal) => Type::Decimal,
        Type::Record(Shape::Date | Shape::Moment) => Type::Time,
        other => other.clone(),
    }
}

/// The same where the target is an object: nothing in the sources of a record has its shape, and a FHIR type needs an
/// object.
fn object_clash(target: &Target, kind: &Type) -> Option<String> {
    let single = match kind {
        Type::Boolean | Type::Text | Type::Integer | Type::Decimal | Type::Time => true,
        Type::Fhir(name) => name.starts_with(|c: char| c.is_ascii_lowercase()),
        _ => false,
    };
    let wrong = single || matches!(target, Target::Record(_));
    wrong.then(|| format!("{} is an object: write its properties below it", target.describe()))
}

/// The item that a literal is.
pub fn literal(expr: &Expr) -> Option<Item<'_>> {
    Some(match expr {
        Expr::Text(text) => Item::Text(text.as_str().into()),
        Expr::Time(text) => Item::Time(text.as_str().into()),
        Expr::Integer(number) => Item::Integer(*number),
        Expr::Decimal(number) => Item::Decimal(*number),
        Expr::Boolean(yes) => Item::Boolean(*yes),
        _ => return None,
    })
}
