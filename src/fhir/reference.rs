//! References: how they are written, and where they stand in a resource.

use crate::fhir::definitions::{Definitions, ElementDefinition, Kind, TypeIx};
use crate::fhir::path::Path;
use crate::json;
use serde_json::Value;

/// What `Reference.reference` says, its version left aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Literal<'r> {
    /// `#id`; empty is the container itself.
    Contained(&'r str),
    /// `urn:uuid:…`, `urn:oid:…`.
    Urn(&'r str),
    /// `https://…/Patient/1`.
    Absolute(&'r str),
    /// `Patient/1`.
    Relative(&'r str),
}

impl<'r> Literal<'r> {
    /// Takes a reference apart; `None` when it is empty.
    pub fn of(reference: &'r Value) -> Option<Literal<'r>> {
        json::text(reference, "reference").and_then(Literal::parse)
    }

    pub fn parse(text: &'r str) -> Option<Literal<'r>> {
        if text.is_empty() {
            return None;
        }
        if let Some(id) = text.strip_prefix('#') {
            return Some(Literal::Contained(id));
        }
        let text = text.split_once("/_history/").map_or(text, |(before, _)| before);
        Some(if text.starts_with("urn:") {
            Literal::Urn(text)
        } else if text.contains("://") {
            Literal::Absolute(text)
        } else {
            Literal::Relative(text)
        })
    }

    /// The type and id that it ends with: `Patient/1`.
    pub fn kind_and_id(self) -> Option<(&'r str, &'r str)> {
        self.name()?.split_once('/')
    }

    /// The same as one text.
    pub fn name(self) -> Option<&'r str> {
        let (Literal::Absolute(text) | Literal::Relative(text)) = self else { return None };
        let (front, id) = text.rsplit_once('/')?;
        let name = front.rfind('/').map_or(text, |slash| &text[slash + 1..]);
        let named = name.starts_with(|letter: char| letter.is_ascii_uppercase());
        (named && !id.is_empty()).then_some(name)
    }
}

/// The base of a RESTful URL: `https://ehr/fhir/Claim/9` → `https://ehr/fhir/`.
pub fn base(full_url: &str) -> Option<&str> {
    let (kind, id) = Literal::Absolute(full_url).kind_and_id()?;
    full_url.len().checked_sub(kind.len() + id.len() + 1).and_then(|end| full_url.get(..end))
}

/// A Reference in a resource.
pub struct Met<'v, 'p> {
    pub path: &'p Path<'p>,
    pub element: &'p ElementDefinition,
    pub reference: &'v Value,
}

/// Visits every Reference of a resource, contained resources and extensions included.
pub fn each<'v>(definitions: &Definitions, resource: &'v Value, at: &Path<'_>, visit: &mut dyn FnMut(Met<'v, '_>)) {
    let kind = json::text(resource, "resourceType");
    if let Some(ix) = kind.and_then(|kind| definitions.ix(kind)) {
        object(definitions, resource, ix, at, visit);
    }
}

fn object<'v>(
    definitions: &Definitions,
    value: &'v Value,
    ix: TypeIx,
    at: &Path<'_>,
    visit: &mut dyn FnMut(Met<'v, '_>),
) {
    let of = definitions.at(ix);
    for (key, value) in value.as_object().into_iter().flatten() {
        let Some(property) = of.property(key) else { continue };
        let inner = definitions.at(property.of);
        let Some(element) = of.elements.get(usize::from(property.element)).filter(|_| !inner.is_primitive()) else {
            continue;
        };
        let here = &at.name(key);
        let single = std::slice::from_ref(value);
        for (n, item) in value.as_array().map_or(single, Vec::as_slice).iter().enumerate() {
            let indexed = here.index(n);
            let here = if value.is_array() { &indexed } else { here };
            match inner.kind {
                Kind::AnyResource => nested(definitions, item, here, visit),
                _ if inner.name == "Reference" => visit(Met { path: here, element, reference: item }),
                _ => object(definitions, item, property.of, here, visit),
            }
        }
    }
}

fn nested<'v>(definitions: &Definitions, value: &'v Value, at: &Path<'_>, visit: &mut dyn FnMut(Met<'v, '_>)) {
    let kind = json::text(value, "resourceType").unwrap_or_default();
    each(definitions, value, &at.of_type(kind), visit);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::Folder;
    use serde_json::json;

    #[test]
    fn takes_references_apart() {
        let parse = |text| Literal::parse(text).unwrap();
        assert_eq!(parse("#p"), Literal::Contained("p"));
        assert_eq!(parse("Patient/1/_history/3"), Literal::Relative("Patient/1"));
        assert_eq!(parse("https://ehr/fhir/Patient/1").kind_and_id(), Some(("Patient", "1")));
        assert_eq!(parse("Patient/1").kind_and_id(), Some(("Patient", "1")));
        assert_eq!(parse("urn:uuid:1").kind_and_id(), None);
        assert_eq!(parse("patients/1").kind_and_id(), None);
        assert_eq!(Literal::parse(""), None);
        assert_eq!(base("https://ehr/fhir/Claim/9"), Some("https://ehr/fhir/"));
        assert_eq!(base("urn:uuid:1"), None);
    }

    #[test]
    fn finds_every_reference() {
        let definitions = Definitions::load(&Folder::ShippedConformance).unwrap();
        let claim = json!({
            "resourceType": "Claim",
            "patient": { "reference": "Patient/1" },
            "careTeam": [{ "provider": { "reference": "#x" } }],
            "diagnosis": [{ "diagnosisReference": { "reference": "Condition/1" } }],
            "related": [{ "reference": { "value": "an Identifier" } }],
            "extension": [{ "url": "u", "valueReference": { "reference": "Task/1" } }],
            "contained": [{ "resourceType": "Patient", "managingOrganization": { "reference": "#y" } }],
        });
        let mut met = Vec::new();
        each(&definitions, &claim, &Path::root("Claim"), &mut |each| met.push(each.path.text()));
        assert_eq!(
            met,
            [
                "Claim.patient",
                "Claim.careTeam[0].provider",
                "Claim.diagnosis[0].diagnosisReference",
                "Claim.extension[0].valueReference",
                "Claim.contained[0].ofType(Patient).managingOrganization",
            ]
        );
    }
}
