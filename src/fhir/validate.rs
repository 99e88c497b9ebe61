//! The structure of a resource, held against HL7's definitions: element names, types, how often, choices, formats of
//! primitives, required codes. A clean resource costs no allocation; a broken one gets all its issues, each with its FHIRPath.

use crate::fault::{Issue, Place, codes};
use crate::fhir::definitions::{Definitions, ElementDefinition, Kind, Seen, TypeDefinition, TypeIx};
use crate::fhir::path::Path;
use crate::fhir::suggest;
use serde_json::{Map, Value};

mod values;

/// Modifier extensions that claimgate understands; any other may turn the meaning of its resource round.
const UNDERSTOOD_MODIFIERS: &[&str] = &[
    "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/modifierextension-infoCancelled",
    // The name it had in PAS 1.
    "http://hl7.org/fhir/us/davinci-pas/StructureDefinition/extension-itemCancelled",
];

/// All that is wrong with a resource that stands at `at` (`Claim`, `Bundle.entry[3].resource.ofType(Coverage)`).
pub fn resource(definitions: &Definitions, value: &Value, at: &str) -> Vec<Issue> {
    let mut walk = Walk { definitions, issues: Vec::new(), contained: false, shell: false };
    walk.root(value, Path::root(at));
    walk.issues
}

/// The same of a Bundle without the resources in its entries.
pub fn shell(definitions: &Definitions, bundle: &Value) -> Vec<Issue> {
    let mut walk = Walk { definitions, issues: Vec::new(), contained: false, shell: true };
    walk.root(bundle, Path::root("Bundle"));
    walk.issues
}

struct Walk<'d> {
    definitions: &'d Definitions,
    issues: Vec<Issue>,
    /// Inside a contained resource.
    contained: bool,
    /// Resources within are somebody else's work.
    shell: bool,
}

/// An element at hand: its definition, and of which type its value is.
#[derive(Clone, Copy)]
struct At<'d> {
    element: &'d ElementDefinition,
    of: &'d TypeDefinition,
    ix: TypeIx,
}

impl<'d> Walk<'d> {
    fn error(&mut self, code: &'static str, path: &Path<'_>, text: impl Into<String>, hint: impl Into<String>) {
        self.issues.push(Issue::error(code, Place::FhirPath(path.text()), text).hint(hint));
    }

    fn root(&mut self, value: &Value, path: Path<'_>) {
        if let Some((ix, object)) = self.resource_type(value, &path) {
            self.object(object, ix, &path);
        }
    }

    /// The type that a resource says it is of.
    fn resource_type<'v>(&mut self, value: &'v Value, path: &Path<'_>) -> Option<(TypeIx, &'v Map<String, Value>)> {
        let Some(object) = value.as_object() else {
            self.error(codes::NOT_A_RESOURCE, path, "a resource is a JSON object", "write {\"resourceType\": …}");
            return None;
        };
        let Some(name) = object.get("resourceType").and_then(Value::as_str) else {
            self.error(
                codes::NOT_A_RESOURCE,
                path,
                "`resourceType` is missing or no text",
                "name the type of the resource",
            );
            return None;
        };
        let known = self.definitions.ix(name).filter(|_| self.definitions.is_resource(name));
        if known.is_none() {
            let shown: String = name.chars().take(64).collect();
            let near = self.definitions.nearest_resource(&shown);
            let hint = near.map_or("FHIR R4 (4.0.1) is taken here".to_owned(), |near| format!("did you mean {near}?"));
            self.error(codes::NOT_A_RESOURCE, path, format!("`{shown}` is no resource type of FHIR R4"), hint);
        }
        known.map(|ix| (ix, object))
    }

    fn object(&mut self, object: &Map<String, Value>, ix: TypeIx, path: &Path<'_>) {
        let definitions = self.definitions;
        let of = definitions.at(ix);
        let mut seen: Seen = 0;
        for (key, value) in object {
            match of.property(key) {
                Some(property) => {
                    let bit = 1 << property.element;
                    let element = &of.elements[usize::from(property.element)];
                    let at = At { element, of: definitions.at(property.of), ix: property.of };
                    if seen & bit != 0 && element.choice {
                        self.choice(object, element, path);
                    }
                    seen |= bit;
                    self.property(object, key, value, at, path);
                }
                None => seen |= self.other_key(object, key, value, of, seen, path),
            }
        }
        if object.is_empty() {
            self.error(codes::EMPTY_VALUE, path, "an empty object", "leave the element out");
        }
        if of.required & !seen != 0 {
            self.missing(of, seen, path);
        }
        self.rules(object, of, path);
    }

    /// `resourceType`, the `_field` beside a primitive, or a name that FHIR does not know.
    fn other_key(
        &mut self,
        object: &Map<String, Value>,
        key: &str,
        value: &Value,
        of: &'d TypeDefinition,
        seen: Seen,
        path: &Path<'_>,
    ) -> Seen {
        if key == "resourceType" && matches!(of.kind, Kind::Resource) {
            return 0;
        }
        let sibling = key.strip_prefix('_').and_then(|name| of.property(name));
        let Some(property) = sibling.filter(|property| self.definitions.at(property.of).is_primitive()) else {
            self.unknown(key, of, path);
            return 0;
        };
        let bit = 1 << property.element;
        let element = &of.elements[usize::from(property.element)];
        if seen & bit != 0 && element.choice {
            self.choice(object, element, path);
        }
        self.sibling(object.get(&property.name), value, element, &path.name(&property.name));
        bit
    }

    fn unknown(&mut self, key: &str, of: &TypeDefinition, path: &Path<'_>) {
        let shown: String = key.chars().take(64).collect();
        let choice = of.elements.iter().find(|element| element.choice && element.name == key);
        let hint = match choice {
            Some(element) => {
                let names: Vec<&str> = element.types.iter().take(8).map(|each| each.property.as_str()).collect();
                format!("name its type: {}", names.join(", "))
            }
            None => match suggest::nearest(&shown, of.property_names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "FHIR R4 puts what it has no element for into `extension`".to_owned(),
            },
        };
        let text = format!("{} has no element `{shown}` in FHIR R4", of.name);
        self.error(codes::UNKNOWN_ELEMENT, &path.name(&shown), text, hint);
    }

    /// A second value for a choice element: once, for the pair.
    fn choice(&mut self, object: &Map<String, Value>, element: &ElementDefinition, path: &Path<'_>) {
        let present = |name: &str| object.contains_key(name) || object.contains_key(&format!("_{name}"));
        let given: Vec<&str> =
            element.types.iter().map(|each| each.property.as_str()).filter(|name| present(name)).collect();
        if given.len() > 1 {
            let text = format!("`{}` is given {} times: {}", element.name, given.len(), given.join(", "));
            self.error(codes::CHOICE, &path.name(&element.name), text, "keep one of them");
        }
    }

    fn property(&mut self, object: &Map<String, Value>, key: &str, value: &Value, at: At<'d>, path: &Path<'_>) {
        let named = path.name(key);
        match (at.element.list, value) {
            (true, Value::Array(items)) => self.list(object, key, items, at, &named),
            (true, _) if self.shell && matches!(at.of.kind, Kind::AnyResource) => {}
            (true, Value::Null) => self.error(codes::EMPTY_VALUE, &named, "null", "leave the element out"),
            (true, _) => {
                self.error(
                    codes::WRONG_TYPE,
                    &named,
                    "an array is expected: the element may repeat",
                    "write it in [ ]",
                );
            }
            (false, _) => self.one(value, at, &named),
        }
    }

    fn list(&mut self, object: &Map<String, Value>, key: &str, items: &[Value], at: At<'d>, path: &Path<'_>) {
        if items.is_empty() {
            self.error(codes::EMPTY_VALUE, path, "an empty array", "leave the element out");
        }
        for (n, item) in items.iter().enumerate() {
            let here = path.index(n);
            if item.is_null() && at.of.is_primitive() && has_sibling(object, key, n) {
                continue;
            }
            self.one(item, at, &here);
        }
    }

    fn one(&mut self, value: &Value, at: At<'d>, path: &Path<'_>) {
        match (at.of.kind, value) {
            (Kind::AnyResource, _) if self.shell => {}
            (_, Value::Null) => self.error(codes::EMPTY_VALUE, path, "null", "leave the element out"),
            (Kind::Primitive(primitive), _) => self.primitive(value, primitive, at, path),
            (Kind::AnyResource, _) => self.nested(value, at, path),
            (_, Value::Object(object)) => {
                self.object(object, at.ix, path);
                self.after(object, at, path);
            }
            (_, Value::Array(_)) => {
                self.error(
                    codes::WRONG_TYPE,
                    path,
                    "one value is expected: the element does not repeat",
                    "take it out of [ ]",
                );
            }
            _ => {
                let text = format!("an object is expected: a {}", at.of.name);
                self.error(codes::WRONG_TYPE, path, text, "write it in { }");
            }
        }
    }

    /// What hangs on the element rather than on its type: bindings of concepts, modifier extensions.
    fn after(&mut self, object: &Map<String, Value>, at: At<'d>, path: &Path<'_>) {
        if at.element.binding.is_some() {
            self.concept(object, at, path);
        }
        if at.element.name == "modifierExtension" {
            let url = object.get("url").and_then(Value::as_str).unwrap_or_default();
            if !UNDERSTOOD_MODIFIERS.contains(&url) {
                let text = "this modifier extension is not understood, and it may change what the resource means";
                self.error(codes::MODIFIER_EXTENSION, path, text, "remove it, or say it with elements of FHIR");
            }
        }
    }

    /// A resource inside another: in a Bundle, in Parameters, or contained.
    fn nested(&mut self, value: &Value, at: At<'d>, path: &Path<'_>) {
        let contained = at.element.name == "contained";
        if contained && self.contained {
            let hint = "contain it in the outermost resource";
            return self.error(codes::WRONG_TYPE, path, "a contained resource contains another", hint);
        }
        let Some((ix, object)) = self.resource_type(value, path) else { return };
        let here = path.of_type(&self.definitions.at(ix).name);
        if contained && !object.contains_key("id") {
            let hint = "give it an `id`, and point to it with `#id`";
            self.error(
                codes::CARDINALITY,
                &here.name("id"),
                "a contained resource without `id` can't be pointed to",
                hint,
            );
        }
        let outside = self.contained;
        self.contained |= contained;
        self.object(object, ix, &here);
        self.contained = outside;
    }

    /// The `_field` beside a primitive: an object with `id` or `extension`, or a list of such and null.
    fn sibling(&mut self, value: Option<&Value>, sibling: &Value, element: &ElementDefinition, path: &Path<'_>) {
        let of = self.definitions.element;
        match (element.list, sibling) {
            (false, Value::Object(object)) => self.object(object, of, path),
            (true, Value::Array(items)) => {
                let values = value.and_then(Value::as_array).map_or(0, Vec::len);
                for (n, item) in items.iter().enumerate() {
                    match item {
                        Value::Object(object) => self.object(object, of, &path.index(n)),
                        Value::Null if n < values => {}
                        _ => self.error(codes::WRONG_TYPE, &path.index(n), "an object or null is expected", SIBLING),
                    }
                }
            }
            (_, Value::Null) => self.error(codes::EMPTY_VALUE, path, "null", "leave the element out"),
            _ => self.error(codes::WRONG_TYPE, path, "not what may stand beside a primitive", SIBLING),
        }
    }

    fn missing(&mut self, of: &TypeDefinition, seen: Seen, path: &Path<'_>) {
        for (n, element) in of.elements.iter().enumerate() {
            if of.required & !seen & (1 << n) != 0 {
                let text = format!("`{}` is required in {}", element.name, of.name);
                let names: Vec<&str> = element.types.iter().take(8).map(|each| each.property.as_str()).collect();
                self.error(codes::CARDINALITY, &path.name(&element.name), text, format!("add {}", names.join(" or ")));
            }
        }
    }

    /// Rules of single types that the table can't say.
    fn rules(&mut self, object: &Map<String, Value>, of: &TypeDefinition, path: &Path<'_>) {
        if of.name != "Extension" || object.is_empty() {
            return;
        }
        let value = object.keys().any(|key| key.trim_start_matches('_').starts_with("value"));
        match (value, object.contains_key("extension")) {
            (true, true) => {
                self.error(
                    codes::CHOICE,
                    path,
                    "an extension has a value or extensions, not both",
                    "remove one of them",
                );
            }
            (false, false) => {
                self.error(codes::CARDINALITY, path, "an extension without value", "add value[x], or remove it")
            }
            _ => {}
        }
    }
}

const SIBLING: &str = "write {\"extension\": […]}, for a list one object or null an item";

/// Whether item `n` of a list of primitives has an object beside it.
fn has_sibling(object: &Map<String, Value>, key: &str, n: usize) -> bool {
    let sibling = object.get(&format!("_{key}")).and_then(Value::as_array);
    sibling.and_then(|items| items.get(n)).is_some_and(Value::is_object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::Folder;
    use serde_json::json;

    fn claim() -> Value {
        json!({
            "resourceType": "Claim", "id": "c1", "status": "active", "use": "claim", "created": "2026",
            "type": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional" }] },
            "patient": { "reference": "Patient/1" }, "provider": { "display": "x" },
            "priority": { "text": "normal" }, "_use": { "extension": [{ "url": "u", "valueCode": "c" }] },
            "insurance": [{ "sequence": 1, "focal": true, "coverage": { "reference": "Coverage/1" },
                            "preAuthRef": [null, "A1"], "_preAuthRef": [{ "id": "x" }, null] }],
            "item": [{ "sequence": 1, "productOrService": { "text": "x" }, "servicedDate": "2026-01-02",
                       "net": { "value": 100.00, "currency": "USD" } }],
            "contained": [{ "resourceType": "Patient", "id": "p", "gender": "female", "deceasedBoolean": false }],
        })
    }

    /// What a change of the claim leads to: each issue's code and place.
    fn found(change: impl Fn(&mut Value)) -> Vec<(&'static str, String)> {
        let definitions = Definitions::load(&Folder::ShippedConformance).unwrap();
        let mut value = claim();
        change(&mut value);
        let issues = resource(&definitions, &value, "Claim");
        assert!(issues.iter().all(|issue| issue.hint.as_ref().is_some_and(|hint| !hint.is_empty())));
        issues.into_iter().map(|issue| (issue.code, issue.at.to_string())).collect()
    }

    #[test]
    fn a_clean_claim_has_no_issue() {
        assert_eq!(found(|_| {}), []);
    }

    /// Pointer into the claim, value put there, code and place of the one issue.
    #[test]
    fn each_fault_is_found_at_its_place() {
        let big = "x".repeat(crate::fhir::primitive::STRING_BYTES_MAX + 1);
        let cases: &[(&str, Value, &str, &str)] = &[
            ("/item/0/colour", json!("red"), codes::UNKNOWN_ELEMENT, "Claim.item[0].colour"),
            ("/item/0/serviced", json!("2026"), codes::UNKNOWN_ELEMENT, "Claim.item[0].serviced"),
            ("/_item", json!([]), codes::UNKNOWN_ELEMENT, "Claim._item"),
            ("/item/0/resourceType", json!("x"), codes::UNKNOWN_ELEMENT, "Claim.item[0].resourceType"),
            ("/item", json!({}), codes::WRONG_TYPE, "Claim.item"),
            ("/item/0", json!([]), codes::WRONG_TYPE, "Claim.item[0]"),
            ("/patient", json!([]), codes::WRONG_TYPE, "Claim.patient"),
            ("/patient", json!("Patient/1"), codes::WRONG_TYPE, "Claim.patient"),
            ("/created", json!(2026), codes::WRONG_TYPE, "Claim.created"),
            ("/created", json!(["2026"]), codes::WRONG_TYPE, "Claim.created"),
            ("/item/0/sequence", json!("1"), codes::WRONG_TYPE, "Claim.item[0].sequence"),
            ("/insurance/0/focal", json!("true"), codes::WRONG_TYPE, "Claim.insurance[0].focal"),
            ("/item/0/net/value", json!("100"), codes::WRONG_TYPE, "Claim.item[0].net.value"),
            ("/_created", json!("x"), codes::WRONG_TYPE, "Claim.created"),
            ("/item/0/sequence", json!(0), codes::PRIMITIVE_FORMAT, "Claim.item[0].sequence"),
            ("/item/0/servicedDate", json!("2026-02-30"), codes::PRIMITIVE_FORMAT, "Claim.item[0].servicedDate"),
            ("/id", json!("a_b"), codes::PRIMITIVE_FORMAT, "Claim.id"),
            ("/priority/text", json!(big), codes::PRIMITIVE_FORMAT, "Claim.priority.text"),
            ("/status", json!("Active"), codes::CODE_BINDING, "Claim.status"),
            ("/use", json!("bill"), codes::CODE_BINDING, "Claim.use"),
            ("/item/0/net/currency", json!("DOLLAR"), codes::CODE_BINDING, "Claim.item[0].net.currency"),
            ("/contained/0/gender", json!("f"), codes::CODE_BINDING, "Claim.contained[0].ofType(Patient).gender"),
            ("/item/0/servicedPeriod", json!({ "start": "2026" }), codes::CHOICE, "Claim.item[0].serviced"),
            ("/item/0/_servicedPeriod", json!({ "id": "x" }), codes::UNKNOWN_ELEMENT, "Claim.item[0]._servicedPeriod"),
            ("/extension", json!([{ "url": "u" }]), codes::CARDINALITY, "Claim.extension[0]"),
            (
                "/item/0/modifierExtension",
                json!([{ "url": "u", "valueCode": "c" }]),
                codes::MODIFIER_EXTENSION,
                "Claim.item[0].modifierExtension[0]",
            ),
            ("/item", json!([]), codes::EMPTY_VALUE, "Claim.item"),
            ("/item", Value::Null, codes::EMPTY_VALUE, "Claim.item"),
            ("/created", Value::Null, codes::EMPTY_VALUE, "Claim.created"),
            ("/priority", json!({}), codes::EMPTY_VALUE, "Claim.priority"),
            ("/priority/text", json!(""), codes::EMPTY_VALUE, "Claim.priority.text"),
            ("/insurance/0/_preAuthRef", json!([null, null]), codes::EMPTY_VALUE, "Claim.insurance[0].preAuthRef[0]"),
            ("/contained/0/resourceType", json!("Pateint"), codes::NOT_A_RESOURCE, "Claim.contained[0]"),
            (
                "/contained/0",
                json!({ "resourceType": "Patient", "gender": "male" }),
                codes::CARDINALITY,
                "Claim.contained[0].ofType(Patient).id",
            ),
            (
                "/contained/0/contained",
                json!([{ "resourceType": "Patient", "id": "q" }]),
                codes::WRONG_TYPE,
                "Claim.contained[0].ofType(Patient).contained[0]",
            ),
        ];
        for (pointer, value, code, place) in cases {
            let issues = found(|claim| put(claim, pointer, value.clone()));
            assert_eq!(issues, [(*code, place.to_string())], "{pointer}");
        }
    }

    /// Sets what a JSON pointer names, whether it is there or not.
    fn put(claim: &mut Value, pointer: &str, value: Value) {
        let (parent, last) = pointer.rsplit_once('/').unwrap();
        let parent = claim.pointer_mut(parent).unwrap();
        match last.parse::<usize>() {
            Ok(n) if parent.is_array() => parent[n] = value,
            _ => parent[last] = value,
        }
    }

    #[test]
    fn all_that_is_missing_is_named() {
        let issues = found(|claim| {
            claim.as_object_mut().unwrap().retain(|key, _| key == "resourceType" || key == "status");
        });
        let places: Vec<&str> = issues.iter().map(|(_, place)| place.as_str()).collect();
        let expected = ["type", "use", "patient", "created", "provider", "priority", "insurance"];
        assert_eq!(places, expected.map(|name| format!("Claim.{name}")));
    }

    #[test]
    fn extensions_stand_in_for_a_required_value() {
        let absent = json!({ "extension": [{ "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown" }] });
        let issues = found(|claim| {
            claim.as_object_mut().unwrap().shift_remove("created");
            claim["_created"] = absent.clone();
        });
        assert_eq!(issues, []);
    }

    #[test]
    fn a_required_concept_needs_one_coding_of_its_set() {
        let definitions = Definitions::load(&Folder::ShippedConformance).unwrap();
        let condition = |system: &str, code: &str| {
            let status =
                json!({ "coding": [{ "system": "http://local", "code": "x" }, { "system": system, "code": code }] });
            let value = json!({ "resourceType": "Condition", "subject": { "display": "x" }, "clinicalStatus": status });
            resource(&definitions, &value, "Condition")
        };
        let system = "http://terminology.hl7.org/CodeSystem/condition-clinical";
        assert_eq!(condition(system, "active"), []);
        assert_eq!(condition(system, "actif")[0].code, codes::CODE_BINDING);
        assert_eq!(condition("http://elsewhere", "active")[0].code, codes::CODE_BINDING);
    }

    #[test]
    fn hints_name_what_was_meant() {
        let definitions = Definitions::load(&Folder::ShippedConformance).unwrap();
        let mut value = claim();
        value["item"][0]["productOrServise"] = json!({ "text": "x" });
        value["item"][0]["location"] = json!("11");
        let hints: Vec<_> =
            resource(&definitions, &value, "Claim").into_iter().filter_map(|issue| issue.hint).collect();
        assert!(hints[0].contains("productOrService") && hints[1].contains("locationCodeableConcept"), "{hints:?}");
    }

    #[test]
    fn what_is_no_resource_is_said_so() {
        let definitions = Definitions::load(&Folder::ShippedConformance).unwrap();
        for value in [
            json!([]),
            json!("x"),
            json!({}),
            json!({ "resourceType": 1 }),
            json!({ "resourceType": "DomainResource" }),
        ] {
            assert_eq!(resource(&definitions, &value, "Resource")[0].code, codes::NOT_A_RESOURCE, "{value}");
        }
    }
}
