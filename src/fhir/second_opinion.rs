//! A second judge of FHIR: fhirbolt's element model, which was made from HL7's definitions by other people. It is ten times
//! slower than our own check and says no place, so it speaks at `$validate`, on the command line and in tests of all that
//! claimgate writes; never on the way of a claim.

use crate::fault::{Issue, Place, codes};
use fhirbolt::FhirReleases;
use fhirbolt::element::Element;
use serde_json::{Map, Value};

/// What fhirbolt, in its strict mode, has against a resource.
pub fn judge(value: &Value) -> Vec<Issue> {
    let ordered = type_first(value);
    let opinion =
        std::panic::catch_unwind(|| fhirbolt::json::from_json_value::<Element<{ FhirReleases::R4 }>>(ordered, None));
    let text = match opinion {
        Ok(Ok(_)) => return Vec::new(),
        Ok(Err(error)) => first_words(&error.to_string()),
        Err(_) => "it could not read the resource".to_owned(),
    };
    let kind = value.get("resourceType").and_then(Value::as_str).unwrap_or("Resource");
    let at = Place::FhirPath(kind.chars().take(64).collect());
    let text = format!("fhirbolt does not take it as FHIR R4: {text}");
    vec![Issue::error(codes::UNKNOWN_ELEMENT, at, text).hint("compare the resource with http://hl7.org/fhir/R4")]
}

/// fhirbolt wants `resourceType` before all others; FHIR does not.
fn type_first(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(type_first).collect(),
        Value::Object(object) => {
            let kind = object.get_key_value("resourceType").into_iter();
            let rest = object.iter().filter(|(key, _)| *key != "resourceType");
            Value::Object(kind.chain(rest).map(|(key, value)| (key.clone(), type_first(value))).collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

/// Its complaint about an unknown field goes on to list all known ones.
fn first_words(text: &str) -> String {
    text.split(", expected").next().unwrap_or(text).chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::judge;
    use serde_json::json;

    #[test]
    fn agrees_and_disagrees() {
        let patient = json!({ "id": "p", "resourceType": "Patient", "contained": [{ "id": "o", "resourceType": "Organization" }] });
        assert_eq!(judge(&patient), []);
        assert_eq!(judge(&json!({ "resourceType": "Patient", "colour": "red" })).len(), 1);
        assert_eq!(judge(&json!({ "resourceType": "Nothing", "a": "b" })).len(), 1);
        assert_eq!(judge(&json!([])).len(), 1);
        judge(&json!({ "resourceType": "Claim", "item": [] }));
    }
}
