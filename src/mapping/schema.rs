//! A JSON schema of mapping files, so that editors complete and check them while they are written: every name of the target
//! (record, FHIR resource or guide) with its description. Expressions are checked by `claimgate mapping check`.

use super::source::{FhirTypes, shape};
use super::target::Target;
use crate::billing::shape::Shape;
use crate::x12::guide::{ElementSpec, Guide, Guides, LoopIx, SegmentSpec, Usage};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The FHIR resources that mappings make.
const RESOURCES: &[&str] = &[
    "ClaimResponse",
    "CoverageEligibilityResponse",
    "ExplanationOfBenefit",
    "PaymentReconciliation",
    "Task",
    "Bundle",
];

/// The schema of every mapping: what stands below the head depends on `guide` or `makes`.
pub fn mapping(guides: &Guides, types: &dyn FhirTypes) -> Value {
    let mut definitions = Definitions { types, made: Map::new(), open: BTreeSet::new() };
    let mut kinds = Vec::new();
    for guide in guides.iter() {
        let properties = loops(guide, guide.root());
        definitions.made.insert(guide.id.clone(), json!({"properties": properties}));
        kinds.push(choice("guide", &guide.id, json!({"$ref": format!("#/$defs/{}", guide.id)})));
    }
    if let Some(record) = shape("BillingRecord") {
        let body = object(definitions.record(record));
        kinds.push(choice("makes", "BillingRecord", json!({"properties": {"body": body}})));
    }
    for resource in RESOURCES {
        let body = definitions.fhir(resource);
        kinds.push(choice("makes", resource, json!({"properties": {"body": body}})));
    }
    let mut made = definitions.made;
    made.insert("expression".into(), expression());
    made.insert("words".into(), words());
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "claimgate mapping",
        "type": "object",
        "properties": head(guides),
        "allOf": kinds,
        "$defs": made,
    })
}

fn head(guides: &Guides) -> Value {
    let guides: Vec<&str> = guides.iter().map(|guide| guide.id.as_str()).collect();
    json!({
        "from": {"type": "string", "description": "What is read: a FHIR resource type, BillingRecord, PayerResponse or Remittance"},
        "makes": {"type": "string", "description": "What is made: BillingRecord or a FHIR resource type"},
        "guide": {"enum": guides, "description": "The guide of the transaction set that is made"},
        "extends": {"type": "string", "description": "The mapping that this one is laid over, such as x12/837p"},
        "let": {"type": "object", "additionalProperties": {"$ref": "#/$defs/expression"}, "description": "Names for values, read as %name"},
        "templates": {"type": "object", "description": "Objects to be used in several places with `use`"},
    })
}

fn choice(key: &str, value: &str, then: Value) -> Value {
    json!({"if": {"properties": {key: {"const": value}}, "required": [key]}, "then": then})
}

/// A FHIRPath, a number, true or false, or `remove` in an overlay.
fn expression() -> Value {
    json!({"type": ["string", "number", "boolean"], "description": "FHIRPath; a fixed text is \"'text'\""})
}

/// The words that every object may hold.
fn words() -> Value {
    let expression = json!({"$ref": "#/$defs/expression"});
    json!({"properties": {
        "each": expression,
        "when": expression,
        "let": {"type": "object", "additionalProperties": expression},
        "use": {"type": "string", "description": "A template whose rules are taken in"},
        "make": {"type": "array", "description": "All that is made for each item of the `each` beside it"},
    }})
}

/// An object with these properties and the words of the language; one, several, or taken away in an overlay.
fn object(properties: Map<String, Value>) -> Value {
    let one = json!({
        "type": "object",
        "allOf": [{"$ref": "#/$defs/words"}],
        "properties": properties,
        "unevaluatedProperties": false,
    });
    several(one)
}

fn several(one: Value) -> Value {
    json!({"anyOf": [one, {"type": "array"}, {"$ref": "#/$defs/expression"}]})
}

/// The types that targets are made of, each written once.
struct Definitions<'d> {
    types: &'d dyn FhirTypes,
    made: Map<String, Value>,
    open: BTreeSet<String>,
}

impl Definitions<'_> {
    fn record(&mut self, shape: &Shape) -> Map<String, Value> {
        let Shape::Object(_, fields) = shape else { return Map::new() };
        let of = |field: &crate::billing::shape::Field| {
            let mut schema = self.record_field(&field.shape);
            schema["description"] = Value::from(field.doc.trim());
            (field.name.clone(), schema)
        };
        fields.iter().map(of).collect()
    }

    fn record_field(&mut self, shape: &Shape) -> Value {
        match shape {
            Shape::List(item) => self.record_field(item),
            Shape::Object(name, _) => {
                if self.open.insert((*name).to_owned()) {
                    let schema = object(self.record(shape));
                    self.made.insert((*name).to_owned(), schema);
                }
                json!({"$ref": format!("#/$defs/{name}")})
            }
            _ => json!({"anyOf": [{"$ref": "#/$defs/expression"}, {"type": ["array", "object"]}]}),
        }
    }

    /// A FHIR type by reference; it is written at the first question.
    fn fhir(&mut self, name: &str) -> Value {
        if !self.types.knows(name) || name.starts_with(|c: char| c.is_ascii_lowercase()) {
            return json!({"anyOf": [{"$ref": "#/$defs/expression"}, {"type": ["array", "object"]}]});
        }
        if self.open.insert(name.to_owned()) {
            let target = Target::Fhir(name.to_owned());
            let mut properties = Map::new();
            let names = self.types.names(name);
            let keys: Vec<String> = names.iter().flat_map(|element| self.ways(name, element)).collect();
            for element in keys {
                let Ok(property) = target.property(self.types, &element) else { continue };
                let schema = match &property.target {
                    Target::Fhir(kind) => self.fhir(kind),
                    _ => json!({}),
                };
                properties.insert(element, schema);
            }
            self.made.insert(name.to_owned(), object(properties));
        }
        json!({"$ref": format!("#/$defs/{name}")})
    }

    /// The keys of an element: of a choice, one for each of its types.
    fn ways(&self, of: &str, name: &str) -> Vec<String> {
        let Some(element) = self.types.element(of, name) else { return Vec::new() };
        if !element.choice {
            return vec![name.to_owned()];
        }
        element.types.iter().filter_map(|kind| super::fhirpath::types::choice_key(name, kind)).collect()
    }
}

/// The loops of a guide below a loop; at the top of a mapping every loop may stand.
fn loops(guide: &Guide, below: LoopIx) -> Map<String, Value> {
    let wanted =
        |ix: LoopIx| ix != guide.root() && (below == guide.root() || guide.loop_at(below).children.contains(&ix));
    let found = guide.loop_ixs().filter(|(ix, _)| wanted(*ix));
    found
        .map(|(ix, spec)| {
            let mut properties = segments(guide, ix);
            // At the top all loops stand side by side, so their inner loops are told by name only.
            properties.extend(spec.children.iter().map(|child| (guide.loop_at(*child).id.to_string(), json!({}))));
            let mut schema = object(properties);
            schema["description"] = Value::from(spec.name.as_str());
            (spec.id.to_string(), schema)
        })
        .collect()
}

fn segments(guide: &Guide, ix: LoopIx) -> Map<String, Value> {
    let mut out = Map::new();
    for (_, spec) in guide.segments_of(ix).filter(|(_, spec)| spec.usage != Usage::NotUsed) {
        let mut schema = object(elements(spec));
        schema["description"] = Value::from(spec.name.as_str());
        for key in keys(spec) {
            out.insert(key, schema.clone());
        }
    }
    out
}

fn keys(spec: &SegmentSpec) -> Vec<String> {
    let star = if spec.qualifier_at.0 == 2 { "**" } else { "*" };
    match spec.qualifiers.is_empty() {
        true => vec![spec.id.clone()],
        false => spec.qualifiers.iter().map(|qualifier| format!("{}{star}{qualifier}", spec.id)).collect(),
    }
}

fn elements(spec: &SegmentSpec) -> Map<String, Value> {
    let mut out = Map::new();
    let used = |element: &ElementSpec| element.usage != Usage::NotUsed;
    for (n, element) in (1..).zip(&spec.elements).filter(|(_, element)| used(element)) {
        if element.components.is_empty() {
            out.insert(format!("{n:02}"), rule(element));
        }
        for (c, component) in (1..).zip(&element.components).filter(|(_, component)| used(component)) {
            out.insert(format!("{n:02}-{c}"), rule(component));
        }
        let ranges = (n + 1..=spec.elements.len()).map(|to| format!("{n:02}..{to:02}"));
        out.extend(ranges.map(|range| (range, json!({"type": ["object", "string"]}))));
    }
    out
}

fn rule(element: &ElementSpec) -> Value {
    let mut text = format!("{}, {} to {} characters", element.name, element.min, element.max);
    if !element.codes.is_empty() {
        text.push_str(&format!("; codes: {}", element.codes.join(", ")));
    }
    json!({"$ref": "#/$defs/expression", "description": text})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::Folder;
    use crate::fhir::definitions::Definitions as Fhir;

    #[test]
    fn the_schema_names_what_mappings_may_make() {
        let guides = Guides::load(&Folder::ShippedConformance).unwrap();
        let types = Fhir::load(&Folder::ShippedConformance).unwrap();
        let schema = mapping(&guides, &types);
        let claim = &schema["$defs"]["005010X222A1"]["properties"]["2300"]["anyOf"][0]["properties"];
        assert!(claim["CLM"]["anyOf"][0]["properties"]["05-3"]["description"].as_str().unwrap().contains("1 to 1"));
        assert!(claim["DTP*431"]["description"].as_str().unwrap().contains("Onset"), "{}", claim["DTP*431"]);
        assert!(schema["$defs"]["ServiceLine"]["anyOf"][0]["properties"]["charge"].is_object());
        assert!(schema["$defs"]["ClaimResponse"]["anyOf"][0]["properties"]["outcome"].is_object());
        // Whatever is referred to is there.
        let text = schema.to_string();
        for name in text.split("#/$defs/").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(schema["$defs"].get(name).is_some(), "{name}");
        }
    }
}
