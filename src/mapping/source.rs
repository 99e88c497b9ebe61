//! What a mapping reads: the types of names, as far as they are known before a run. What is not known is never
//! complained about.

use super::fhirpath::types::{choice_suffix, interned};
use crate::billing::record::BillingRecord;
use crate::billing::response::{PayerResponse, Remittance};
use crate::billing::shape::{Shape, Shaped};
use std::rc::Rc;
use std::sync::LazyLock;

static BILLING_RECORD: LazyLock<Shape> = LazyLock::new(BillingRecord::shape);
static PAYER_RESPONSE: LazyLock<Shape> = LazyLock::new(PayerResponse::shape);
static REMITTANCE: LazyLock<Shape> = LazyLock::new(Remittance::shape);

/// The plain values that mappings read and make, by name.
pub fn shape(name: &str) -> Option<&'static Shape> {
    match name {
        "BillingRecord" => Some(&BILLING_RECORD),
        "PayerResponse" => Some(&PAYER_RESPONSE),
        "Remittance" => Some(&REMITTANCE),
        _ => None,
    }
}

/// An element of a FHIR type, as the definitions give it.
#[derive(Debug, Clone)]
pub struct FhirElement {
    /// Its types; more than one, or a name that ends in `[x]`, is a choice.
    pub types: Vec<String>,
    pub choice: bool,
    /// The resource types that a Reference may point to; empty when any.
    pub targets: Vec<String>,
    pub required: bool,
    pub many: bool,
}

/// The definitions of FHIR, as far as mappings ask them.
pub trait FhirTypes {
    /// Whether the elements of a type (`Claim`, `Claim.item`, `HumanName`) are known.
    fn knows(&self, name: &str) -> bool;
    /// An element by its name, choice elements without `[x]`.
    fn element(&self, of: &str, name: &str) -> Option<FhirElement>;
    /// The names of all elements of a type.
    fn names(&self, of: &str) -> Vec<String>;
}

/// What is known of an expression's items.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    Any,
    /// Computed by an expression.
    Boolean,
    Text,
    Integer,
    Decimal,
    Time,
    /// A FHIR type, or a part of a resource such as `Claim.item`.
    Fhir(Rc<str>),
    /// A Reference to one of these.
    Reference(Rc<[Rc<str>]>),
    /// A part of the billing record or of a payer's response.
    Record(&'static Shape),
    OneOf(Rc<[Type]>),
}

impl Type {
    pub fn fhir(name: &str) -> Type {
        Type::Fhir(Rc::from(name))
    }

    /// Either of several types.
    pub fn one_of(types: impl IntoIterator<Item = Type>) -> Type {
        let mut distinct: Vec<Type> = Vec::new();
        for kind in types {
            match kind {
                Type::Any => return Type::Any,
                Type::OneOf(inner) => {
                    distinct.extend(inner.iter().filter(|kind| !distinct.contains(kind)).cloned().collect::<Vec<_>>())
                }
                kind if !distinct.contains(&kind) => distinct.push(kind),
                _ => {}
            }
        }
        match distinct.len() {
            0 => Type::Any,
            1 => distinct.swap_remove(0),
            _ => Type::OneOf(distinct.into()),
        }
    }

    /// The name that items of this type carry at run time.
    pub fn kind(&self) -> &'static str {
        match self {
            Type::Fhir(name) => interned(name),
            Type::Reference(_) => "Reference",
            Type::Record(Shape::Decimal) => "decimal",
            Type::Record(Shape::Date) => "date",
            Type::Record(Shape::Moment) => "dateTime",
            Type::Record(Shape::Text) => "string",
            Type::Record(Shape::List(item)) => match **item {
                Shape::Decimal => "decimal",
                Shape::Date => "date",
                Shape::Text => "string",
                _ => "",
            },
            _ => "",
        }
    }

    /// How people call it.
    pub fn describe(&self) -> String {
        match self {
            Type::Any => "a value".to_owned(),
            Type::Boolean => "a boolean".to_owned(),
            Type::Text => "a text".to_owned(),
            Type::Integer | Type::Decimal => "a number".to_owned(),
            Type::Time => "a date".to_owned(),
            Type::Fhir(name) => (**name).to_owned(),
            Type::Reference(_) => "Reference".to_owned(),
            Type::Record(shape) => match shape.object_name() {
                Some(name) => name.to_owned(),
                None => format!("{shape:?}").to_lowercase(),
            },
            Type::OneOf(types) => types.iter().map(Type::describe).collect::<Vec<_>>().join(" or "),
        }
    }
}

impl Shape {
    fn object_name(&self) -> Option<&'static str> {
        match self {
            Shape::Object(name, _) => Some(name),
            Shape::List(item) => item.object_name(),
            _ => None,
        }
    }
}

/// What a name after a dot leads to.
#[derive(Debug, Clone, PartialEq)]
pub enum Member {
    Found {
        kind: Type,
        choice: bool,
    },
    /// No such name; these there are.
    Missing(Vec<String>),
}

/// What every element and resource of FHIR may have.
const EVERYWHERE: &[(&str, &str)] = &[
    ("id", "id"),
    ("extension", "Extension"),
    ("modifierExtension", "Extension"),
    ("resourceType", "code"),
    ("contained", "Resource"),
    ("meta", "Meta"),
    ("implicitRules", "uri"),
    ("language", "code"),
    ("text", "Narrative"),
];

/// Names of choice elements in FHIR R4, for values whose type is not known.
const CHOICES: &[&str] = &[
    "abatement",
    "actor",
    "age",
    "allowed",
    "amount",
    "asNeeded",
    "born",
    "chargeItem",
    "content",
    "created",
    "deceased",
    "defaultValue",
    "definition",
    "detail",
    "diagnosis",
    "dose",
    "due",
    "effective",
    "entity",
    "event",
    "fastFluid",
    "identified",
    "indicated",
    "instantiates",
    "item",
    "location",
    "medication",
    "module",
    "multipleBirth",
    "name",
    "occurrence",
    "onset",
    "performed",
    "population",
    "procedure",
    "product",
    "protocol",
    "rate",
    "reason",
    "reported",
    "scheduled",
    "serviced",
    "source",
    "start",
    "statusReason",
    "subject",
    "substance",
    "target",
    "time",
    "timing",
    "topic",
    "used",
    "value",
    "valueSet",
    "versionAlgorithm",
    "when",
];

/// Looks a name up in a type.
pub fn member(types: Option<&dyn FhirTypes>, of: &Type, name: &str) -> Member {
    match of {
        Type::Fhir(of) => fhir_member(types, of, name),
        Type::Reference(_) => fhir_member(types, "Reference", name),
        Type::Record(shape) => record_member(shape, name),
        Type::OneOf(several) => one_of_member(types, several, name),
        Type::Any | Type::Boolean | Type::Text | Type::Integer | Type::Decimal | Type::Time => {
            Member::Found { kind: Type::Any, choice: CHOICES.contains(&name) }
        }
    }
}

fn record_member(shape: &'static Shape, name: &str) -> Member {
    match shape.field(name) {
        Some(field) => Member::Found { kind: Type::Record(&field.shape), choice: false },
        None => Member::Missing(field_names(shape)),
    }
}

/// The names of the properties of an object, lists looked through.
pub fn field_names(shape: &Shape) -> Vec<String> {
    match shape {
        Shape::Object(_, fields) => fields.iter().map(|field| field.name.clone()).collect(),
        Shape::List(item) => field_names(item),
        _ => Vec::new(),
    }
}

fn fhir_member(types: Option<&dyn FhirTypes>, of: &str, name: &str) -> Member {
    let unknown = || Member::Found { kind: Type::Any, choice: CHOICES.contains(&name) };
    let Some(types) = types else { return unknown() };
    if let Some(element) = types.element(of, name) {
        return Member::Found { kind: element_type(&element), choice: element.choice };
    }
    if let Some((_, kind)) = EVERYWHERE.iter().find(|(known, _)| *known == name) {
        return Member::Found { kind: Type::fhir(kind), choice: false };
    }
    let variant = types.names(of).into_iter().find_map(|base| {
        let kind = choice_suffix(name, &base)?;
        types.element(of, &base).filter(|element| element.choice && element.types.iter().any(|known| known == kind))?;
        Some(kind)
    });
    match variant {
        Some(kind) => Member::Found { kind: Type::fhir(kind), choice: false },
        None if is_primitive(of) => Member::Missing(Vec::new()),
        None if !types.knows(of) => unknown(),
        None => Member::Missing(types.names(of)),
    }
}

fn is_primitive(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase()) && !interned(name).is_empty()
}

/// The type of what an element holds.
pub fn element_type(element: &FhirElement) -> Type {
    let one = |kind: &String| match kind.as_str() {
        "Reference" if !element.targets.is_empty() => {
            Type::Reference(element.targets.iter().map(|target| Rc::from(target.as_str())).collect())
        }
        "Resource" | "DomainResource" | "Element" | "*" => Type::Any,
        kind => Type::fhir(kind),
    };
    Type::one_of(element.types.iter().map(one))
}

fn one_of_member(types: Option<&dyn FhirTypes>, several: &[Type], name: &str) -> Member {
    let (mut kinds, mut missing, mut any_choice) = (Vec::new(), Vec::new(), false);
    for of in several {
        match member(types, of, name) {
            Member::Found { kind, choice } => {
                kinds.push(kind);
                any_choice |= choice;
            }
            Member::Missing(names) => missing.extend(names),
        }
    }
    if kinds.is_empty() {
        Member::Missing(missing)
    } else {
        Member::Found { kind: Type::one_of(kinds), choice: any_choice }
    }
}
