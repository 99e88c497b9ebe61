//! Values: the text of a primitive, and the codes that a required binding allows.

use crate::fault::codes;
use crate::fhir::path::Path;
use crate::fhir::primitive::{Json, Primitive};
use crate::fhir::suggest;
use crate::fhir::validate::{At, Walk};
use serde_json::{Map, Value};

/// Codes shown in a hint.
const CODES_SHOWN: usize = 20;

impl Walk<'_> {
    pub(super) fn primitive(&mut self, value: &Value, primitive: &'static Primitive, at: At<'_>, path: &Path<'_>) {
        let text = match (primitive.json, value) {
            (Json::Boolean, Value::Bool(_)) => return,
            (Json::Number, Value::Number(number)) => number.as_str(),
            (Json::String, Value::String(text)) => text.as_str(),
            _ => return self.wrong_type(value, primitive, path),
        };
        if !(primitive.allows)(text) {
            let empty = text.is_empty();
            let code = if empty { codes::EMPTY_VALUE } else { codes::PRIMITIVE_FORMAT };
            let hint = if empty { "leave the element out" } else { primitive.what };
            return self.error(code, path, format!("not a {}: {}", primitive.name, primitive.what), hint);
        }
        if let Some(set) = at.element.binding.and_then(|ix| self.definitions.value_set(ix))
            && !set.has_code(text)
        {
            let shown: String = text.chars().take(64).collect();
            let near = suggest::nearest(&shown, set.codes());
            let hint =
                near.map_or(format!("use one of: {}", set.some(CODES_SHOWN)), |near| format!("did you mean `{near}`?"));
            self.error(codes::CODE_BINDING, path, format!("`{shown}` is no code of the value set {}", set.name), hint);
        }
    }

    fn wrong_type(&mut self, value: &Value, primitive: &Primitive, path: &Path<'_>) {
        let (expected, hint) = match (primitive.json, value) {
            (_, Value::Array(_)) => ("one value", "take it out of [ ]: the element does not repeat"),
            (Json::Boolean, _) => ("true or false", "write it without quotes"),
            (Json::Number, _) => ("a number", "write it without quotes"),
            (Json::String, Value::Object(_)) => {
                ("a text", "write the text itself; its extensions go into `_` and the name")
            }
            (Json::String, _) => ("a text", "write it in double quotes"),
        };
        self.error(codes::WRONG_TYPE, path, format!("{expected} is expected: a {}", primitive.name), hint);
    }

    /// Required binding of a Coding or CodeableConcept: one of its codings is of the value set.
    pub(super) fn concept(&mut self, object: &Map<String, Value>, at: At<'_>, path: &Path<'_>) {
        let Some(set) = at.element.binding.and_then(|ix| self.definitions.value_set(ix)) else { return };
        let fits = |coding: &Value| {
            let part = |name| coding.get(name).and_then(Value::as_str);
            part("code").is_none_or(|code| part("system").is_some_and(|system| set.has(system, code)))
        };
        let fit = match (at.of.name.as_str(), object.get("coding")) {
            ("CodeableConcept", Some(Value::Array(codings))) => codings.iter().any(fits),
            ("Coding", _) => {
                let part = |name| object.get(name).and_then(Value::as_str);
                part("code").is_none_or(|code| part("system").is_some_and(|system| set.has(system, code)))
            }
            _ => true,
        };
        if !fit {
            let hint = format!("use one of: {}", set.some(CODES_SHOWN));
            self.error(codes::CODE_BINDING, path, format!("no coding of the value set {}", set.name), hint);
        }
    }
}
