//! Names of FHIR types: what may follow the name of a choice element, and what an item is.

use super::item::{Item, Node, Plain};
use crate::billing::shape::View;
use crate::json::property;
use serde_json::Value;

/// The types that a choice element `[x]` of FHIR R4 may take; the spelling is that of the type, not of the suffix.
const CHOICE_TYPES: &[&str] = &[
    "base64Binary",
    "boolean",
    "canonical",
    "code",
    "date",
    "dateTime",
    "decimal",
    "id",
    "instant",
    "integer",
    "markdown",
    "oid",
    "positiveInt",
    "string",
    "time",
    "unsignedInt",
    "uri",
    "url",
    "uuid",
    "Address",
    "Age",
    "Annotation",
    "Attachment",
    "CodeableConcept",
    "Coding",
    "ContactPoint",
    "Count",
    "Distance",
    "Duration",
    "HumanName",
    "Identifier",
    "Money",
    "Period",
    "Quantity",
    "Range",
    "Ratio",
    "Reference",
    "SampledData",
    "Signature",
    "Timing",
    "ContactDetail",
    "Contributor",
    "DataRequirement",
    "Expression",
    "ParameterDefinition",
    "RelatedArtifact",
    "TriggerDefinition",
    "UsageContext",
    "Dosage",
    "Meta",
];

/// Types of FHIR and of FHIRPath's System that have no property but their value.
const PRIMITIVES: &[&str] = &[
    "base64Binary",
    "boolean",
    "canonical",
    "code",
    "date",
    "dateTime",
    "decimal",
    "id",
    "instant",
    "integer",
    "markdown",
    "oid",
    "positiveInt",
    "string",
    "time",
    "unsignedInt",
    "uri",
    "url",
    "uuid",
    "xhtml",
];

/// The static spelling of a type name that items carry, `""` for all others.
pub fn interned(name: &str) -> &'static str {
    CHOICE_TYPES.iter().chain(PRIMITIVES).find(|known| **known == name).copied().unwrap_or("")
}

/// `valueQuantity`, `value` → `Quantity`; `None` when the key is no variant of the choice element.
pub fn choice_suffix(key: &str, name: &str) -> Option<&'static str> {
    let suffix = key.strip_prefix(name)?;
    let first = suffix.chars().next().filter(char::is_ascii_uppercase)?;
    let matches = |known: &&&str| {
        known.len() == suffix.len()
            && known.as_bytes()[1..] == suffix.as_bytes()[1..]
            && known.as_bytes()[0].eq_ignore_ascii_case(&(first as u8))
    };
    CHOICE_TYPES.iter().find(matches).copied()
}

/// The key that a choice element has when it holds a type: `value`, `Quantity` → `valueQuantity`.
pub fn choice_key(name: &str, kind: &str) -> Option<String> {
    let known = CHOICE_TYPES.iter().find(|known| **known == kind)?;
    let mut chars = known.chars();
    let first = chars.next()?.to_ascii_uppercase();
    Some(format!("{name}{first}{}", chars.as_str()))
}

/// A type name without its namespace, `System` names in FHIR's spelling.
pub fn plain_name(name: &str) -> &str {
    name.strip_prefix("FHIR.").unwrap_or(name)
}

/// Whether an item is of a type. What is not known from the source (the FHIR type of a string whose element the compiler
/// did not know) is judged by its JSON type.
pub fn is(item: &Item<'_>, name: &str) -> bool {
    if let Some(system) = name.strip_prefix("System.") {
        return !matches!(item, Item::Node(_) | Item::Plain(_)) && is_system(item, system);
    }
    let fhir = plain_name(name);
    match item {
        Item::Node(node) => is_fhir(node, fhir),
        Item::Plain(plain) => is_plain(plain, fhir),
        _ => fhir == name && is_system(item, name),
    }
}

fn is_system(item: &Item<'_>, name: &str) -> bool {
    match item {
        Item::Boolean(_) => name == "Boolean",
        Item::Integer(_) => name == "Integer",
        Item::Decimal(_) => name == "Decimal",
        Item::Text(_) => name == "String",
        Item::Quantity(_) => name == "Quantity",
        Item::Time(text) if text.starts_with('T') => name == "Time",
        Item::Time(text) => name == if text.contains('T') { "DateTime" } else { "Date" },
        Item::Node(_) | Item::Plain(_) | Item::Fields(_) => false,
    }
}

/// What a text or a whole number may be whose type is not known.
const TEXTS: &[&str] = &["string", "uri", "code", "id", "markdown", "date", "dateTime", "instant"];
const NUMBERS: &[&str] = &["integer", "decimal", "positiveInt", "unsignedInt"];

fn is_plain(plain: &Plain<'_>, name: &str) -> bool {
    match plain.view {
        _ if !plain.kind.is_empty() => plain.kind == name || parents(plain.kind).contains(&name),
        View::Text(_) | View::Date(_) | View::Decimal(_) => TEXTS.contains(&name),
        View::Integer(_) => NUMBERS.contains(&name),
        View::Boolean(_) => name == "boolean",
        View::List(_) | View::Object(_) => false,
    }
}

fn is_fhir(node: &Node<'_>, name: &str) -> bool {
    if !node.kind.is_empty() {
        return node.kind == name || parents(node.kind).contains(&name);
    }
    match node.value {
        Value::String(_) => TEXTS.contains(&name),
        Value::Number(number) if number.as_str().contains('.') => name == "decimal",
        Value::Number(_) => NUMBERS.contains(&name),
        Value::Bool(_) => name == "boolean",
        Value::Object(_) => match property(node.value, "resourceType").and_then(Value::as_str) {
            Some(kind) => kind == name || matches!(name, "Resource" | "DomainResource"),
            None => false,
        },
        _ => false,
    }
}

/// The types that a type specializes.
fn parents(kind: &str) -> &'static [&'static str] {
    match kind {
        "code" | "id" | "markdown" => &["string", "Element"],
        "url" | "canonical" | "uuid" | "oid" => &["uri", "Element"],
        "positiveInt" | "unsignedInt" => &["integer", "Element"],
        "Age" | "Count" | "Distance" | "Duration" => &["Quantity", "Element"],
        _ => &["Element"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choice_elements_are_recognised() {
        assert_eq!(choice_suffix("valueQuantity", "value"), Some("Quantity"));
        assert_eq!(choice_suffix("timingDate", "timing"), Some("date"));
        assert_eq!(choice_suffix("valueSet", "value"), None);
        assert_eq!(choice_suffix("value", "value"), None);
        assert_eq!(choice_key("serviced", "Period").as_deref(), Some("servicedPeriod"));
        assert_eq!(choice_key("serviced", "date").as_deref(), Some("servicedDate"));
    }
}
