//! The JSON shape of the plain values, so that mappings can be checked against them and a JSON schema can be published.

use super::date::Moment;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Value, json};

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
pub trait Shaped {
    const REQUIRED: bool = true;
    fn shape() -> Shape;
}

macro_rules! simple_shape {
    ($($type:ty => $shape:expr;)*) => {
        $(impl Shaped for $type { fn shape() -> Shape { $shape } })*
    };
}

simple_shape! {
    String => Shape::Text;
    Date => Shape::Date;
    Moment => Shape::Moment;
    Decimal => Shape::Decimal;
    u32 => Shape::Integer;
    bool => Shape::Boolean;
}

impl<T: Shaped> Shaped for Option<T> {
    const REQUIRED: bool = false;
    fn shape() -> Shape {
        T::shape()
    }
}

impl<T: Shaped> Shaped for Vec<T> {
    const REQUIRED: bool = false;
    fn shape() -> Shape {
        Shape::List(Box::new(T::shape()))
    }
}

impl<T: Shaped> Shaped for Box<T> {
    const REQUIRED: bool = T::REQUIRED;
    fn shape() -> Shape {
        T::shape()
    }
}

/// `patient_control_number` → `patientControlNumber`, as serde's `camelCase` does.
pub fn camel(snake: &str) -> String {
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
            impl crate::billing::shape::Shaped for $name {
                fn shape() -> crate::billing::shape::Shape {
                    use crate::billing::shape::{Field, Shape, Shaped, camel};
                    Shape::Object(stringify!($name), vec![
                        $(Field {
                            name: camel(stringify!($field)),
                            doc: concat!($($field_doc, " ",)* ""),
                            required: <$type as Shaped>::REQUIRED,
                            shape: <$type as Shaped>::shape(),
                        },)*
                    ])
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
