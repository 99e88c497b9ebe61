//! Names for what a caller handed in: each resource gets an id of ours, and the references between them follow. Ids of
//! the caller's own Bundle mean nothing outside it: two systems may both have a `Patient/1`.

use crate::fhir::bundle::Resources;
use serde_json::Value;
use std::collections::HashMap;

/// A submission's resources under their stored names.
pub struct Named {
    /// `Claim/…`
    pub focal_reference: String,
    pub resources: Vec<Value>,
    focal: usize,
}

impl Named {
    /// A resource under the name that it has already, alone.
    pub fn alone(reference: &str, resource: Value) -> Named {
        Named { focal_reference: reference.to_owned(), resources: vec![resource], focal: 0 }
    }

    /// Resources that have their names; `focal` is one of them.
    pub fn settled(focal: &str, resources: Vec<Value>) -> Named {
        let is_focal = |each: &Value| {
            focal.split_once('/').is_some_and(|(kind, id)| each["resourceType"] == kind && each["id"] == id)
        };
        let at = resources.iter().position(is_focal).unwrap_or(0);
        Named { focal_reference: focal.to_owned(), resources, focal: at }
    }

    /// References of all of them, in their order.
    pub fn references(&self) -> Vec<String> {
        let text = |resource: &Value, name: &str| resource[name].as_str().unwrap_or_default().to_owned();
        self.resources.iter().map(|each| format!("{}/{}", text(each, "resourceType"), text(each, "id"))).collect()
    }

    pub fn focal(&self) -> &Value {
        &self.resources[self.focal]
    }
}

/// Names every resource that came along; what was stored before keeps its name.
pub fn name(resources: &Resources) -> Named {
    name_as(resources, None)
}

/// The same; the focal resource gets this name, when it is the next version of one that is stored.
pub fn name_as(resources: &Resources, focal: Option<&str>) -> Named {
    let entries: Vec<&Value> = resources.handed_in().collect();
    let mut names: HashMap<*const Value, String> = HashMap::with_capacity(entries.len());
    for entry in &entries {
        let kind = entry["resourceType"].as_str().unwrap_or_default();
        names.insert(std::ptr::from_ref(*entry), format!("{kind}/{}", uuid::Uuid::now_v7()));
    }
    if let Some(focal) = focal {
        names.insert(std::ptr::from_ref(resources.focal()), focal.to_owned());
    }
    for (reference, stored) in resources.stored() {
        names.insert(std::ptr::from_ref(stored), reference.to_owned());
    }
    let name_of = |value: &Value| names.get(&std::ptr::from_ref(value)).cloned().unwrap_or_default();
    let focal = entries.iter().position(|entry| std::ptr::eq(*entry, resources.focal())).unwrap_or(0);
    Named {
        focal_reference: name_of(resources.focal()),
        resources: entries.iter().map(|entry| renamed(resources, entry, &names)).collect(),
        focal,
    }
}

/// A copy of a resource with its new id and its references rewritten.
fn renamed(resources: &Resources, entry: &Value, names: &HashMap<*const Value, String>) -> Value {
    let mut copy = entry.clone();
    rewrite(&mut copy, entry, resources, names);
    if let Some(name) = names.get(&std::ptr::from_ref(entry)) {
        let id = name.rsplit('/').next().unwrap_or_default();
        set_id(&mut copy, id);
    }
    copy
}

/// The id stands behind `resourceType`, where people look for it.
pub fn set_id(resource: &mut Value, id: &str) {
    if let Some(object) = resource.as_object_mut() {
        object.shift_remove("id");
        let at = object.len().min(1);
        object.shift_insert(at, "id".into(), Value::from(id));
    }
}

/// Lets the references of a copy follow the new names of what they lead to.
pub fn rewrite(value: &mut Value, container: &Value, resources: &Resources, names: &HashMap<*const Value, String>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite(item, container, resources, names)),
        Value::Object(object) => {
            if object.get("reference").is_some_and(Value::is_string) {
                let copy = Value::Object(object.clone());
                let target = resources.resolve(container, &copy);
                if let Some(name) = target.and_then(|target| names.get(&std::ptr::from_ref(target))) {
                    object.insert("reference".into(), Value::from(name.clone()));
                }
            }
            object.values_mut().for_each(|item| rewrite(item, container, resources, names));
        }
        _ => {}
    }
}
