//! What a resource can be found by: the search parameters of FHIR R4 that claimgate keeps an index of, as rows. Tokens are
//! written `system|value`, references `Type/id`, times in UTC; the store compares texts and nothing else.

use crate::fault::{Fault, Place, codes};
use crate::fhir::definitions::Definitions;
use crate::span::{self, Span};
use serde_json::Value;

/// How the values of a parameter are written and asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An Identifier: by `system|value`, `|value` or `value`.
    Identifier,
    /// A code: by itself; a system before it is not compared.
    Code,
    Reference,
    /// A date or dateTime.
    Day,
}

/// One search parameter of one resource type.
#[derive(Debug)]
pub struct Parameter {
    pub on: &'static str,
    pub name: &'static str,
    pub kind: Kind,
    /// Element that it reads, from the resource down.
    pub path: &'static str,
}

macro_rules! parameters {
    ($($on:ident { $($name:literal $kind:ident $path:literal;)* })*) => {
        /// All parameters, by resource type.
        pub static PARAMETERS: &[Parameter] =
            &[$($(Parameter { on: stringify!($on), name: $name, kind: Kind::$kind, path: $path }),*),*];
    };
}

parameters! {
    Claim {
        "identifier" Identifier "identifier"; "status" Code "status"; "use" Code "use"; "patient" Reference "patient";
        "provider" Reference "provider"; "insurer" Reference "insurer"; "created" Day "created";
        "encounter" Reference "item.encounter";
    }
    ClaimResponse {
        "identifier" Identifier "identifier"; "status" Code "status"; "use" Code "use"; "patient" Reference "patient";
        "request" Reference "request"; "outcome" Code "outcome"; "created" Day "created";
        "insurer" Reference "insurer"; "payment-date" Day "payment.date";
    }
    Coverage {
        "identifier" Identifier "identifier"; "status" Code "status"; "beneficiary" Reference "beneficiary";
        "patient" Reference "beneficiary"; "subscriber" Reference "subscriber"; "payor" Reference "payor";
    }
    CoverageEligibilityRequest {
        "identifier" Identifier "identifier"; "status" Code "status"; "patient" Reference "patient";
        "created" Day "created";
    }
    CoverageEligibilityResponse {
        "identifier" Identifier "identifier"; "status" Code "status"; "patient" Reference "patient";
        "request" Reference "request"; "outcome" Code "outcome"; "created" Day "created";
    }
    Encounter {
        "identifier" Identifier "identifier"; "status" Code "status"; "subject" Reference "subject";
        "patient" Reference "subject"; "date" Day "period.start"; "part-of" Reference "partOf";
        "service-provider" Reference "serviceProvider";
    }
    ExplanationOfBenefit {
        "identifier" Identifier "identifier"; "status" Code "status"; "patient" Reference "patient";
        "claim" Reference "claim"; "created" Day "created";
    }
    PaymentReconciliation {
        "identifier" Identifier "identifier"; "status" Code "status"; "outcome" Code "outcome"; "created" Day "created";
        "payment-issuer" Reference "paymentIssuer"; "payment-identifier" Identifier "paymentIdentifier";
    }
    Patient { "identifier" Identifier "identifier"; }
    RelatedPerson { "identifier" Identifier "identifier"; "patient" Reference "patient"; }
    Practitioner { "identifier" Identifier "identifier"; }
    PractitionerRole {
        "identifier" Identifier "identifier"; "practitioner" Reference "practitioner";
        "organization" Reference "organization";
    }
    Organization { "identifier" Identifier "identifier"; }
    Location { "identifier" Identifier "identifier"; "organization" Reference "managingOrganization"; }
    Condition {
        "identifier" Identifier "identifier"; "subject" Reference "subject"; "patient" Reference "subject";
        "encounter" Reference "encounter";
    }
    Procedure {
        "identifier" Identifier "identifier"; "status" Code "status"; "subject" Reference "subject";
        "patient" Reference "subject"; "encounter" Reference "encounter";
    }
    ServiceRequest {
        "identifier" Identifier "identifier"; "status" Code "status"; "subject" Reference "subject";
        "patient" Reference "subject"; "encounter" Reference "encounter";
    }
    ChargeItem {
        "identifier" Identifier "identifier"; "subject" Reference "subject"; "patient" Reference "subject";
        "context" Reference "context";
    }
    DocumentReference { "identifier" Identifier "identifier"; "subject" Reference "subject"; "patient" Reference "subject"; }
    MedicationRequest { "identifier" Identifier "identifier"; "subject" Reference "subject"; "patient" Reference "subject"; }
    Device { "identifier" Identifier "identifier"; "patient" Reference "patient"; }
    Subscription { "status" Code "status"; "type" Code "channel.type"; }
    Task { "identifier" Identifier "identifier"; "status" Code "status"; "focus" Reference "focus"; }
}

/// Parameters of a resource type.
pub fn parameters(kind: &str) -> impl Iterator<Item = &'static Parameter> {
    PARAMETERS.iter().filter(move |parameter| parameter.on == kind)
}

/// Everything a resource can be found by: name of the parameter and value.
pub fn index(resource: &Value) -> Vec<(String, String)> {
    let kind = resource.get("resourceType").and_then(Value::as_str).unwrap_or_default();
    let mut out: Vec<(String, String)> = Vec::new();
    // A parameter that reads the same element as one before it is asked for by that one's name.
    for parameter in parameters(kind).filter(|parameter| canonical(parameter).name == parameter.name) {
        collect(resource, parameter.path, &mut |value| {
            for text in texts(parameter.kind, value) {
                let entry = (parameter.name.to_owned(), text);
                if !out.contains(&entry) {
                    out.push(entry);
                }
            }
        });
    }
    out
}

/// The first parameter that reads the same element.
fn canonical(parameter: &'static Parameter) -> &'static Parameter {
    let mut same = parameters(parameter.on).filter(|each| each.path == parameter.path && each.kind == parameter.kind);
    same.next().unwrap_or(parameter)
}

/// Visits the values of a path, through lists.
fn collect(value: &Value, path: &str, visit: &mut dyn FnMut(&Value)) {
    if let Value::Array(items) = value {
        return items.iter().for_each(|item| collect(item, path, visit));
    }
    match path.split_once('.') {
        _ if path.is_empty() => visit(value),
        Some((first, rest)) => value.get(first).into_iter().for_each(|inner| collect(inner, rest, visit)),
        None => value.get(path).into_iter().for_each(|inner| collect(inner, "", visit)),
    }
}

/// How a value stands in the index.
fn texts(kind: Kind, value: &Value) -> Vec<String> {
    let part = |name: &str| value.get(name).and_then(Value::as_str);
    match kind {
        Kind::Identifier => match part("value") {
            Some(number) => vec![format!("{}|{number}", part("system").unwrap_or_default()), number.to_owned()],
            None => Vec::new(),
        },
        Kind::Code => value.as_str().map(str::to_owned).into_iter().collect(),
        Kind::Reference => {
            let literal = part("reference").filter(|text| !text.starts_with('#'));
            literal.map(|text| text.split("/_history/").next().unwrap_or(text).to_owned()).into_iter().collect()
        }
        Kind::Day => value.as_str().map(span::indexed).into_iter().collect(),
    }
}

/// A search parameter as the store is asked for it: name and values, of which any may match.
pub fn condition(
    definitions: &Definitions,
    kind: &str,
    name: &str,
    given: &str,
) -> Result<(String, Vec<String>), Fault> {
    let refuse = |text: String, hint: String| Fault::refuse(codes::SEARCH_PARAMETER, Place::Whole, text, hint);
    let Some(parameter) = parameters(kind).find(|parameter| parameter.name == name) else {
        let names: Vec<&str> = parameters(kind).map(|parameter| parameter.name).collect();
        let shown: String = name.chars().take(64).collect();
        return Err(refuse(
            format!("{kind} can't be searched by `{shown}`"),
            format!("offered: _id, {}", names.join(", ")),
        ));
    };
    let mut values = Vec::new();
    for value in given.split(',').filter(|value| !value.is_empty()) {
        let asked = ask(definitions, parameter, value);
        values.extend(
            asked.ok_or_else(|| refuse(format!("`{name}` has a value of the wrong form"), form(parameter.kind)))?,
        );
    }
    if values.is_empty() {
        return Err(refuse(format!("`{name}` has no value"), form(parameter.kind)));
    }
    Ok((canonical(parameter).name.to_owned(), values))
}

/// The times that a search parameter asks for, of which any may match; `None` when the parameter is none of dates.
pub fn spans(kind: &str, name: &str, given: &str) -> Option<Result<(String, Vec<Span>), Fault>> {
    let parameter = parameters(kind).find(|parameter| parameter.name == name && parameter.kind == Kind::Day)?;
    let spans: Option<Vec<Span>> = given.split(',').filter(|value| !value.is_empty()).map(Span::parse).collect();
    let refuse = || {
        let hint = "write a date or time, perhaps with eq, ne, gt, lt, ge, le, sa or eb before it: ge2026-03-01";
        Fault::refuse(codes::SEARCH_PARAMETER, Place::Whole, format!("`{name}` has a value of the wrong form"), hint)
    };
    let spans = spans.filter(|spans| !spans.is_empty()).ok_or_else(refuse);
    Some(spans.map(|spans| (canonical(parameter).name.to_owned(), spans)))
}

fn form(kind: Kind) -> String {
    let form = match kind {
        Kind::Identifier => "write system|value or value",
        Kind::Code => "write the code",
        Kind::Reference => "write Type/id",
        Kind::Day => "write a full date, YYYY-MM-DD; comparisons (ge, le) are not offered",
    };
    form.to_owned()
}

/// What the index holds for a value that is asked for; `None` when it is not of the right form.
fn ask(definitions: &Definitions, parameter: &'static Parameter, value: &str) -> Option<Vec<String>> {
    match parameter.kind {
        Kind::Identifier => (!value.ends_with('|')).then(|| vec![value.to_owned()]),
        Kind::Code => Some(vec![value.rsplit('|').next().unwrap_or(value).to_owned()]),
        Kind::Reference if value.contains('/') => Some(vec![value.to_owned()]),
        Kind::Reference => {
            let last = parameter.path.rsplit_once('.');
            let parent = last.map_or(parameter.on.to_owned(), |(path, _)| format!("{}.{path}", parameter.on));
            let element = definitions.element(&parent, last.map_or(parameter.path, |(_, name)| name))?;
            Some(element.targets.iter().map(|target| format!("{target}/{value}")).collect())
        }
        Kind::Day => {
            let digits = value.len() == 10
                && value.bytes().enumerate().all(|(n, byte)| matches!((n, byte), (4 | 7, b'-') | (_, b'0'..=b'9')));
            digits.then(|| vec![value.to_owned()])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::Folder;
    use serde_json::json;

    #[test]
    fn a_resource_is_found_by_what_it_says() {
        let response = json!({
            "resourceType": "ClaimResponse", "status": "active", "outcome": "queued", "created": "2026-03-03T10:00:00Z",
            "identifier": [{ "system": "s", "value": "1" }, { "value": "2" }],
            "request": { "reference": "Claim/c/_history/1" }, "patient": { "reference": "#p" },
        });
        let entries = index(&response);
        let has = |name: &str, value: &str| entries.contains(&(name.into(), value.into()));
        assert!(
            has("identifier", "s|1") && has("identifier", "1") && has("identifier", "|2") && has("identifier", "2")
        );
        assert!(has("request", "Claim/c") && has("outcome", "queued") && has("created", "2026-03-03T10:00:00.000Z"));
        assert!(!entries.iter().any(|(name, _)| name == "patient"));
        assert!(index(&json!({ "resourceType": "Provenance" })).is_empty());
    }

    #[test]
    fn two_names_of_one_element_are_one_entry() {
        let coverage = json!({ "resourceType": "Coverage", "beneficiary": { "reference": "Patient/1" } });
        assert_eq!(index(&coverage), [("beneficiary".to_owned(), "Patient/1".to_owned())]);
    }

    #[test]
    fn questions_are_put_in_the_words_of_the_index() {
        let definitions = Definitions::load(&Folder::ShippedConformance).unwrap();
        let ask = |kind, name, value| condition(&definitions, kind, name, value);
        let is =
            |name: &str, values: &[&str]| (name.to_owned(), values.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(ask("ClaimResponse", "request", "Claim/1").unwrap(), is("request", &["Claim/1"]));
        assert_eq!(ask("ClaimResponse", "request", "1").unwrap(), is("request", &["Claim/1"]));
        assert_eq!(ask("Coverage", "patient", "1,2").unwrap(), is("beneficiary", &["Patient/1", "Patient/2"]));
        assert_eq!(ask("Claim", "status", "http://hl7.org/fhir/fm-status|active").unwrap(), is("status", &["active"]));
        assert_eq!(ask("Claim", "identifier", "s|1").unwrap(), is("identifier", &["s|1"]));
        for (name, value) in
            [("identifier", "s|"), ("created", "ge2026-01-01"), ("created", "2026"), ("colour", "red"), ("status", "")]
        {
            assert_eq!(
                ask("Claim", name, value).unwrap_err().issues[0].code,
                codes::SEARCH_PARAMETER,
                "{name}={value}"
            );
        }
    }

    #[test]
    fn times_are_asked_for_by_spans() {
        let (name, spans) = spans("ClaimResponse", "created", "ge2026-03-03,2025").unwrap().unwrap();
        assert_eq!((name.as_str(), spans.len(), spans[1].end.as_str()), ("created", 2, "2026-01-01T00:00:00.000Z"));
        assert!(super::spans("ClaimResponse", "status", "active").is_none());
        for wrong in ["", "soon", "ge", "2026-02-30"] {
            let fault = super::spans("Claim", "created", wrong).unwrap().unwrap_err();
            assert_eq!(fault.issues[0].code, codes::SEARCH_PARAMETER, "{wrong}");
        }
    }

    #[test]
    fn every_row_reads_an_element_of_fhir() {
        let definitions = Definitions::load(&Folder::ShippedConformance).unwrap();
        for parameter in PARAMETERS {
            let mut at = parameter.on.to_owned();
            for step in parameter.path.split('.') {
                let element = definitions.element(&at, step);
                at = element.unwrap_or_else(|| panic!("{at} has no {step}")).types[0].name.clone();
            }
            let fits = match parameter.kind {
                Kind::Identifier => at == "Identifier",
                Kind::Code => at == "code",
                Kind::Reference => at == "Reference",
                Kind::Day => at == "date" || at == "dateTime",
            };
            assert!(fits, "{}.{} is a {at}", parameter.on, parameter.path);
        }
    }
}
