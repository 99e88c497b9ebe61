//! The resources that a caller sent, taken out of their Bundle and indexed, so that references find them.

use crate::fault::{Fault, Place, codes};
use crate::fhir::reference::{self, Literal};
use crate::json;
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// Kinds of Bundle that can carry a submission.
const BUNDLE_TYPES: &[&str] = &["collection", "batch", "transaction", "document", "message"];

/// Resources that a submission can be about; the first kind that is there is focal.
const FOCAL: &[&str] = &["Claim", "CoverageEligibilityRequest", "Encounter"];

/// What the caller sent.
pub(super) struct Given {
    /// The Bundle without its resources.
    pub(super) shell: Option<Value>,
    pub(super) entries: Vec<Entry>,
    pub(super) by_url: HashMap<String, usize>,
    pub(super) by_id: HashMap<String, Vec<usize>>,
}

pub(super) struct Entry {
    pub(super) full_url: Option<String>,
    pub(super) value: Value,
    /// FHIRPath of the resource for issues.
    pub(super) path: String,
    /// Number in the Bundle.
    pub(super) number: usize,
}

impl Given {
    pub(super) fn take(body: Value, entries_max: usize) -> Result<Given, Fault> {
        match kind(&body) {
            "Bundle" => Given::bundle(body, entries_max),
            "Parameters" => Given::take(parameter(body)?, entries_max),
            "" => {
                let hint = "send a Bundle, or a Claim, with its `resourceType`";
                Err(Fault::refuse(codes::NOT_A_RESOURCE, Place::Whole, "the body is no FHIR resource", hint))
            }
            _ => Ok(Given::index(None, vec![entry(0, None, body, None)])),
        }
    }

    fn bundle(mut bundle: Value, entries_max: usize) -> Result<Given, Fault> {
        let at = |path: &str| Place::FhirPath(path.into());
        let of = json::text(&bundle, "type").unwrap_or_default();
        if !BUNDLE_TYPES.contains(&of) {
            let shown: String = of.chars().take(64).collect();
            let hint = format!("send one of: {}", BUNDLE_TYPES.join(", "));
            let text = format!("a Bundle of type `{shown}` carries no submission");
            return Err(Fault::refuse(codes::BUNDLE_SHAPE, at("Bundle.type"), text, hint));
        }
        let Some(items) = bundle.get_mut("entry").and_then(Value::as_array_mut) else {
            let hint = "put the Claim and what it refers to into `entry`";
            return Err(Fault::refuse(codes::BUNDLE_SHAPE, at("Bundle.entry"), "the Bundle has no entries", hint));
        };
        if items.len() > entries_max {
            let text = format!("{} entries; {} are allowed", items.len(), entries_max);
            return Err(Fault::refuse(codes::TOO_MANY, at("Bundle.entry"), text, "send several smaller Bundles"));
        }
        let entries = items.iter_mut().enumerate().filter_map(|(n, item)| {
            let full_url = json::text(item, "fullUrl").map(str::to_owned);
            let resource = item.get_mut("resource").map(Value::take)?;
            Some(entry(n, full_url, resource, Some(n)))
        });
        let entries = entries.collect();
        Ok(Given::index(Some(bundle), entries))
    }

    fn index(shell: Option<Value>, entries: Vec<Entry>) -> Given {
        let mut by_url = HashMap::new();
        let mut by_id: HashMap<String, Vec<usize>> = HashMap::new();
        for (n, entry) in entries.iter().enumerate() {
            if let Some(url) = &entry.full_url {
                by_url.entry(url.clone()).or_insert(n);
            }
            if let Some(id) = json::text(&entry.value, "id") {
                by_id.entry([kind(&entry.value), "/", id].concat()).or_default().push(n);
            }
        }
        Given { shell, entries, by_url, by_id }
    }

    /// Entries to be submitted: a Claim that another one replaces is there as its past.
    pub(super) fn focals(&self) -> Vec<usize> {
        let all = |kind_wanted: &str| -> Vec<usize> {
            let entries = self.entries.iter().enumerate();
            entries.filter(|(_, entry)| kind(&entry.value) == kind_wanted).map(|(n, _)| n).collect()
        };
        let mut found = FOCAL.iter().map(|kind| all(kind)).find(|found| !found.is_empty()).unwrap_or_default();
        if found.len() > 1 {
            let past: HashSet<usize> = found.iter().flat_map(|focal| self.related(*focal)).collect();
            if found.iter().any(|focal| !past.contains(focal)) {
                found.retain(|focal| !past.contains(focal));
            }
        }
        found
    }

    /// Claims of the Bundle that a Claim names as related.
    fn related(&self, focal: usize) -> Vec<usize> {
        let Some(entry) = self.entries.get(focal) else { return Vec::new() };
        let related = json::property(&entry.value, "related").and_then(Value::as_array).into_iter().flatten();
        let literals = related.filter_map(|each| Literal::of(json::property(each, "claim")?));
        literals
            .filter_map(|literal| self.literal(entry.full_url.as_deref(), literal))
            .filter(|n| *n != focal)
            .collect()
    }

    /// The entry that a literal reference leads to, seen from a resource of this fullUrl.
    pub(super) fn literal(&self, from: Option<&str>, literal: Literal<'_>) -> Option<usize> {
        match literal {
            Literal::Contained(_) => None,
            Literal::Urn(url) => self.by_url.get(url).or_else(|| self.by_url.get(&url.to_ascii_lowercase())).copied(),
            Literal::Absolute(url) => self.by_url.get(url).copied().or_else(|| self.by_kind_and_id(literal, true)),
            Literal::Relative(relative) => {
                let absolute = from.and_then(reference::base).map(|base| [base, relative].concat());
                let found = absolute.and_then(|url| self.by_url.get(&url).copied());
                found.or_else(|| self.by_kind_and_id(literal, false))
            }
        }
    }

    /// By `Type/id`; for an absolute reference only when the entry has no other URL.
    fn by_kind_and_id(&self, literal: Literal<'_>, without_url: bool) -> Option<usize> {
        let found = self.by_id.get(literal.name()?)?.iter().copied();
        found.into_iter().find(|n| !without_url || self.entries.get(*n).is_some_and(|entry| entry.full_url.is_none()))
    }
}

fn entry(number: usize, full_url: Option<String>, value: Value, in_bundle: Option<usize>) -> Entry {
    let path = match in_bundle {
        Some(n) => format!("Bundle.entry[{n}].resource.ofType({})", kind(&value)),
        None => kind(&value).to_owned(),
    };
    Entry { full_url, value, path, number }
}

/// The `resource` of operation Parameters.
fn parameter(mut body: Value) -> Result<Value, Fault> {
    let named = |each: &&mut Value| json::text(each, "name") == Some("resource");
    let list = body.get_mut("parameter").and_then(Value::as_array_mut);
    let found = list.and_then(|list| list.iter_mut().find(named)).and_then(|each| each.get_mut("resource"));
    found.map(Value::take).filter(|resource| kind(resource) != "Parameters").ok_or_else(|| {
        let hint = "send {\"name\": \"resource\", \"resource\": {…}}, or the resource itself";
        let at = Place::FhirPath("Parameters.parameter".into());
        Fault::refuse(codes::BUNDLE_SHAPE, at, "there is no parameter `resource`", hint)
    })
}

pub(super) fn kind(resource: &Value) -> &str {
    json::text(resource, "resourceType").unwrap_or_default()
}

pub(super) fn contained(resource: &Value) -> impl Iterator<Item = &Value> {
    json::property(resource, "contained").and_then(Value::as_array).into_iter().flatten()
}

pub(super) fn has_id(resource: &Value, id: &str) -> bool {
    json::text(resource, "id") == Some(id)
}

pub(super) fn identifiers(resource: &Value) -> impl Iterator<Item = &Value> {
    let value = json::property(resource, "identifier");
    let list = value.and_then(Value::as_array).map(Vec::as_slice);
    list.or(value.map(std::slice::from_ref)).into_iter().flatten()
}

pub(super) fn system_and_value(identifier: &Value) -> Option<(&str, &str)> {
    let system = json::text(identifier, "system").unwrap_or_default();
    json::text(identifier, "value").map(|value| (system, value))
}
