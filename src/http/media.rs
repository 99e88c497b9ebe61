//! Media types: what a body says it is, and what a caller can read.

use crate::fault::{Fault, Place, codes};
use crate::http::routes::Takes;

/// Media type of FHIR as JSON.
pub const FHIR_JSON: &str = "application/fhir+json";
/// Media type of X12.
pub const X12: &str = "application/edi-x12";

const FHIR_TYPES: &[&str] = &[FHIR_JSON, "application/json", "text/json"];
const X12_TYPES: &[&str] = &[X12, "application/x12", "application/octet-stream", "text/plain"];
/// What fits a reply in FHIR; `_format` may also say `json`.
const FHIR_RANGES: &[&str] = &[FHIR_JSON, "application/json", "text/json", "application/*", "*/*", "json"];

/// Whether a body of this Content-Type is taken.
pub fn check(takes: Takes, content_type: Option<&str>, encoding: Option<&str>) -> Result<(), Fault> {
    let types = match takes {
        Takes::Nothing => return Ok(()),
        Takes::Fhir => FHIR_TYPES,
        Takes::X12 => X12_TYPES,
    };
    let refuse = |text: String| {
        Err(Fault::refuse(codes::MEDIA_TYPE, Place::Whole, text, format!("send Content-Type: {}", types[0])))
    };
    if encoding.is_some_and(|encoding| !encoding.trim().eq_ignore_ascii_case("identity")) {
        return refuse("compressed bodies are not taken".to_owned());
    }
    let Some(given) = content_type else { return refuse("the body has no Content-Type".to_owned()) };
    let mut parts = given.split(';').map(|part| part.trim().to_ascii_lowercase());
    let name = parts.next().unwrap_or_default();
    let utf8 = |part: String| part.strip_prefix("charset=").is_none_or(|set| set.trim_matches('"') == "utf-8");
    if types.contains(&name.as_str()) && (takes == Takes::X12 || parts.all(utf8)) {
        return Ok(());
    }
    let shown: String = given.chars().filter(|letter| !letter.is_control()).take(64).collect();
    refuse(format!("the media type `{shown}` is not taken here"))
}

/// Whether the caller can read FHIR as JSON, by `_format` or else by `Accept`.
pub fn acceptable(format: Option<&str>, accept: Option<&str>) -> Result<(), Fault> {
    let wanted = format.or(accept).unwrap_or("*/*");
    let readable = |range: &str| {
        let mut parts = range.split(';').map(|part| part.trim().to_ascii_lowercase());
        let name = parts.next().unwrap_or_default().replace(' ', "+");
        FHIR_RANGES.contains(&name.as_str())
            && !parts.any(|part| matches!(part.as_str(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    };
    if wanted.trim().is_empty() || wanted.split(',').any(readable) {
        return Ok(());
    }
    let text = "the only representation is application/fhir+json";
    Err(Fault::refuse(codes::NOT_ACCEPTABLE, Place::Whole, text, "send Accept: application/fhir+json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_say_what_they_are() {
        for good in [
            "application/fhir+json",
            "Application/FHIR+JSON; charset=UTF-8",
            "application/json;fhirVersion=4.0",
            "text/json; charset=\"utf-8\"",
        ] {
            assert!(check(Takes::Fhir, Some(good), None).is_ok(), "{good}");
        }
        for bad in ["text/csv", "application/fhir+xml", "", "application/json; charset=latin1"] {
            assert_eq!(check(Takes::Fhir, Some(bad), None).unwrap_err().issues[0].code, codes::MEDIA_TYPE, "{bad}");
        }
        assert!(check(Takes::Fhir, None, None).is_err());
        assert!(check(Takes::Fhir, Some(FHIR_JSON), Some("gzip")).is_err());
        assert!(check(Takes::X12, Some("application/EDI-X12"), Some("identity")).is_ok());
        assert!(check(Takes::X12, Some(FHIR_JSON), None).is_err());
        assert!(check(Takes::Nothing, None, None).is_ok());
    }

    #[test]
    fn callers_say_what_they_read() {
        for good in [
            None,
            Some("*/*"),
            Some("application/fhir+json;q=0.9, text/html"),
            Some("text/html, application/*"),
            Some(""),
        ] {
            assert!(acceptable(None, good).is_ok(), "{good:?}");
        }
        for bad in ["application/fhir+xml", "text/html", "application/json;q=0"] {
            assert_eq!(acceptable(None, Some(bad)).unwrap_err().issues[0].code, codes::NOT_ACCEPTABLE, "{bad}");
        }
        assert!(acceptable(Some("json"), Some("text/html")).is_ok());
        assert!(acceptable(Some("application/fhir json"), None).is_ok(), "a plus in a query is a space");
        assert!(acceptable(Some("xml"), None).is_err());
    }
}
