//! The JSON shape of the plain values, so that mappings can be checked against them and a JSON schema can be published.

use super::date::Moment;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::fmt::Debug;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What stands at a place of a JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    Text,
    /// A full calendar date, `YYYY-MM-DD`.
    Date,
    /// A date, with a time of day when it is known: `YYYY-MM-DD` or a FHIR dateTime.
    Moment,
    /// A decimal number in a JSON string, digits kept: `"12.50"`. Mappings may give a JSON number too.
    Decimal,
    Integer,
    Boolean,
    List(Box<Shape>),
    Object(&'static str, Vec<Field>),
}

/// A property of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// As it stands in JSON, in camel case.
    pub name: String,
    pub doc: &'static str,
    pub required: bool,
    pub shape: Shape,
    /// The kind of the object that it is a property of.
    pub kind: usize,
}

/// Where a property of a plain value stands: at a place among those of a kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlainPlace {
    pub kind: usize,
    pub place: usize,
}

impl Shape {
    /// The shape of a property; lists are looked through, as FHIRPath does.
    pub fn field(&self, name: &str) -> Option<&Field> {
        match self {
            Shape::Object(_, fields) => fields.iter().find(|field| field.name == name),
            Shape::List(item) => item.field(name),
            _ => None,
        }
    }

    /// Where a property of it stands.
    pub fn place(&self, name: &str) -> Option<PlainPlace> {
        match self {
            Shape::Object(_, fields) => {
                let (place, field) = fields.iter().enumerate().find(|(_, field)| field.name == name)?;
                Some(PlainPlace { kind: field.kind, place })
            }
            Shape::List(item) => item.place(name),
            _ => None,
        }
    }

    /// JSON schema (2020-12) of this shape, objects written in place.
    pub fn json_schema(&self) -> Value {
        match self {
            Shape::Text => json!({"type": "string", "minLength": 1}),
            Shape::Date => json!({"type": "string", "format": "date"}),
            Shape::Moment => json!({"type": "string"}),
            Shape::Decimal => json!({"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$"}),
            Shape::Integer => json!({"type": "integer"}),
            Shape::Boolean => json!({"type": "boolean"}),
            Shape::List(item) => json!({"type": "array", "items": item.json_schema()}),
            Shape::Object(name, fields) => object_schema(name, fields),
        }
    }
}

fn object_schema(name: &str, fields: &[Field]) -> Value {
    let required: Vec<&str> = fields.iter().filter(|f| f.required).map(|f| f.name.as_str()).collect();
    let properties: serde_json::Map<String, Value> = fields
        .iter()
        .map(|field| {
            let mut schema = field.shape.json_schema();
            schema["description"] = Value::from(field.doc.trim());
            (field.name.clone(), schema)
        })
        .collect();
    json!({"title": name, "type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// A type with a known JSON shape.
pub trait Shaped: Debug {
    const REQUIRED: bool = true;
    fn shape() -> Shape;
    /// What JSON would show of it; `None` when it is left out.
    fn view(&self) -> Option<View<'_>>;
}

macro_rules! simple_shape {
    ($($type:ty => $shape:expr, $view:expr;)*) => {
        $(impl Shaped for $type {
            fn shape() -> Shape { $shape }
            fn view(&self) -> Option<View<'_>> {
                let view: fn(&$type) -> View<'_> = $view;
                Some(view(self))
            }
        })*
    };
}

simple_shape! {
    String => Shape::Text, |text| View::Text(text);
    Date => Shape::Date, |date| View::Date(*date);
    Moment => Shape::Moment, |moment| View::Text(moment.text());
    Decimal => Shape::Decimal, |number| View::Decimal(*number);
    u32 => Shape::Integer, |number| View::Integer(*number);
    bool => Shape::Boolean, |yes| View::Boolean(*yes);
}

impl<T: Shaped> Shaped for Option<T> {
    const REQUIRED: bool = false;
    fn shape() -> Shape {
        T::shape()
    }
    fn view(&self) -> Option<View<'_>> {
        self.as_ref()?.view()
    }
}

impl<T: Shaped> Shaped for Vec<T> {
    const REQUIRED: bool = false;
    fn shape() -> Shape {
        Shape::List(Box::new(T::shape()))
    }
    fn view(&self) -> Option<View<'_>> {
        (!self.is_empty()).then_some(View::List(self))
    }
}

impl<T: Shaped> Shaped for Box<T> {
    const REQUIRED: bool = T::REQUIRED;
    fn shape() -> Shape {
        T::shape()
    }
    fn view(&self) -> Option<View<'_>> {
        self.as_ref().view()
    }
}

/// A part of a plain value as JSON would show it, read where it stands.
#[derive(Debug, Clone, Copy)]
pub enum View<'a> {
    Text(&'a str),
    Date(Date),
    Decimal(Decimal),
    Integer(u32),
    Boolean(bool),
    List(&'a dyn ListView),
    Object(&'a dyn ObjectView),
}

/// A list that can be looked through.
pub trait ListView: Debug {
    fn count(&self) -> usize;
    fn item(&self, place: usize) -> Option<View<'_>>;
}

impl<T: Shaped> ListView for Vec<T> {
    fn count(&self) -> usize {
        self.len()
    }

    fn item(&self, place: usize) -> Option<View<'_>> {
        self.get(place)?.view()
    }
}

/// An object whose properties can be asked for by place.
pub trait ObjectView: Debug {
    /// The number of its type, by which what is known of its names is found again.
    fn kind(&self) -> usize;
    /// All that it may have, as they stand in JSON.
    fn names(&self) -> &'static [&'static str];
    /// The property at a place of the names; `None` when it is left out.
    fn property(&self, place: usize) -> Option<View<'_>>;
    /// Every property that is not left out, with its place.
    fn visit<'v>(&'v self, visitor: &mut dyn FnMut(usize, View<'v>));
    /// The whole as JSON.
    fn json(&self) -> Value;
}

/// Gives each type of object a number of its own, in the order in which they are first asked for.
#[derive(Debug, Default)]
pub struct Kind(OnceLock<usize>);

static KINDS: AtomicUsize = AtomicUsize::new(0);

impl Kind {
    pub const fn new() -> Kind {
        Kind(OnceLock::new())
    }

    pub fn number(&self) -> usize {
        *self.0.get_or_init(|| KINDS.fetch_add(1, Ordering::Relaxed))
    }
}

impl View<'_> {
    /// As JSON.
    pub fn json(&self) -> Value {
        match self {
            View::Text(text) => Value::from(*text),
            View::Date(date) => Value::from(date.to_string()),
            View::Decimal(number) => Value::from(number.to_string()),
            View::Integer(number) => Value::from(*number),
            View::Boolean(yes) => Value::from(*yes),
            View::List(list) => (0..list.count()).filter_map(|n| list.item(n)).map(|item| item.json()).collect(),
            View::Object(object) => object.json(),
        }
    }
}

/// A name in camel case, made when the program is compiled.
pub struct Camel {
    bytes: [u8; Camel::MAX],
    len: usize,
}

impl Camel {
    /// Longest name of a property.
    const MAX: usize = 64;

    /// Of a name in snake case, as [`camel`].
    pub const fn of(snake: &str) -> Camel {
        let (snake, mut bytes, mut len, mut n, mut upper) = (snake.as_bytes(), [0; Camel::MAX], 0, 0, false);
        if snake.len() > 2 && snake[1] == b'#' {
            n = 2;
        }
        while n < snake.len() {
            if snake[n] != b'_' {
                bytes[len] = if upper { snake[n].to_ascii_uppercase() } else { snake[n] };
                len += 1;
            }
            upper = snake[n] == b'_';
            n += 1;
        }
        Camel { bytes, len }
    }

    pub const fn text(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }
}

/// `patient_control_number` → `patientControlNumber`, as serde's `camelCase` does; `r#type` → `type`.
pub fn camel(snake: &str) -> String {
    let snake = snake.strip_prefix("r#").unwrap_or(snake);
    let mut out = String::with_capacity(snake.len());
    let mut upper = false;
    for c in snake.chars() {
        match c {
            '_' => upper = true,
            c if upper => {
                out.extend(c.to_uppercase());
                upper = false;
            }
            c => out.push(c),
        }
    }
    out
}

/// Declares plain structs together with their shape. Absent options and empty lists are left out of the JSON, and unknown
/// properties are refused: a mapping that writes past the record must hear of it.
macro_rules! shaped {
    ($($(#[doc = $doc:literal])* pub struct $name:ident { $($(#[doc = $field_doc:literal])* $field:ident : $type:ty,)* })*) => {
        $(
            $(#[doc = $doc])*
            #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
            #[serde(rename_all = "camelCase", deny_unknown_fields, default)]
            pub struct $name {
                $($(#[doc = $field_doc])*
                  #[serde(skip_serializing_if = "crate::billing::shape::Absent::is_absent")]
                  pub $field: $type,)*
            }
            impl $name {
                fn kind_number() -> usize {
                    static KIND: crate::billing::shape::Kind = crate::billing::shape::Kind::new();
                    KIND.number()
                }
            }
            impl crate::billing::shape::Shaped for $name {
                fn shape() -> crate::billing::shape::Shape {
                    use crate::billing::shape::{Field, Shape, Shaped, camel};
                    Shape::Object(stringify!($name), vec![
                        $(Field {
                            name: camel(stringify!($field)),
                            doc: concat!($($field_doc, " ",)* ""),
                            required: <$type as Shaped>::REQUIRED,
                            shape: <$type as Shaped>::shape(),
                            kind: $name::kind_number(),
                        },)*
                    ])
                }
                fn view(&self) -> Option<crate::billing::shape::View<'_>> {
                    Some(crate::billing::shape::View::Object(self))
                }
            }
            impl crate::billing::shape::ObjectView for $name {
                fn kind(&self) -> usize {
                    $name::kind_number()
                }
                fn names(&self) -> &'static [&'static str] {
                    use crate::billing::shape::Camel;
                    const NAMES: &[&str] = &[$({
                        const NAME: &Camel = &Camel::of(stringify!($field));
                        NAME.text()
                    },)*];
                    NAMES
                }
                fn property(&self, place: usize) -> Option<crate::billing::shape::View<'_>> {
                    use crate::billing::shape::Shaped;
                    // The compiler makes one jump of it.
                    let mut n = 0;
                    $(if place == n {
                        return self.$field.view();
                    }
                    n += 1;)*
                    let _ = n;
                    None
                }
                fn visit<'v>(&'v self, visitor: &mut dyn FnMut(usize, crate::billing::shape::View<'v>)) {
                    use crate::billing::shape::Shaped;
                    let mut place = 0;
                    $(if let Some(view) = self.$field.view() {
                        visitor(place, view);
                    }
                    place += 1;)*
                    let _ = place;
                }
                fn json(&self) -> serde_json::Value {
                    serde_json::to_value(self).unwrap_or_default()
                }
            }
            impl crate::billing::shape::Absent for $name {}
        )*
    };
}
pub(crate) use shaped;

/// Whether a value is left out of JSON.
pub trait Absent {
    fn is_absent(&self) -> bool {
        false
    }
}

impl<T> Absent for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T> Absent for Vec<T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl<T: Absent> Absent for Box<T> {
    fn is_absent(&self) -> bool {
        self.as_ref().is_absent()
    }
}

impl Absent for String {}
impl Absent for Decimal {}
impl Absent for Date {}
impl Absent for Moment {}
impl Absent for u32 {}
impl Absent for bool {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::record::BillingRecord;
    use crate::billing::response::{PayerResponse, Remittance};

    #[test]
    fn views_show_the_names_of_the_shape() {
        let objects: [(&dyn ObjectView, Shape); 3] = [
            (&PayerResponse::default(), PayerResponse::shape()),
            (&Remittance::default(), Remittance::shape()),
            (&BillingRecord::default(), BillingRecord::shape()),
        ];
        for (object, shape) in objects {
            let Shape::Object(_, fields) = shape else { panic!("an object") };
            let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
            assert_eq!(object.names(), names);
        }
    }

    /// What a view shows property by property is what JSON shows at once.
    #[test]
    fn views_show_what_json_shows() {
        let response = PayerResponse {
            transaction: "835".into(),
            charge: Decimal::new(1250, 2).into(),
            stated: Some(jiff::civil::date(2025, 3, 3)),
            messages: vec!["a".into(), "b".into()],
            payment: Some(Default::default()),
            ..PayerResponse::default()
        };
        let object: &dyn ObjectView = &response;
        let shown = object.names().iter().enumerate();
        let shown: serde_json::Map<String, Value> =
            shown.filter_map(|(n, name)| Some(((*name).to_owned(), object.property(n)?.json()))).collect();
        assert_eq!(Value::Object(shown).to_string(), serde_json::to_string(&response).unwrap());
        assert!(object.property(object.names().len()).is_none());
    }
}
