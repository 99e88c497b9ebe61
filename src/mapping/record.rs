//! Mappings that make JSON, as the journeys call them: FHIR → billing record, and payer's answer → FHIR.

use super::Scope;
use super::fhirpath::eval::{Resolver, Run};
use super::fhirpath::item::Item;
use super::lineage::Lineage;
use super::maker::{Maker, Source, Trail};
use super::needs::Words;
use super::object::{Made, Rules, columns_of, make};
use super::tables::Tables;
use super::template::Frame;
use crate::fault::Issue;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The names that a caller may give values to, in the order of their slots.
pub const GIVEN: &[&str] = &["payer", "claim", "record", "previous", "submission"];

/// What every mapping holds beside its rules.
#[derive(Debug)]
pub struct Common {
    pub tables: Arc<Tables>,
    pub slots: usize,
    /// What its rules look for.
    pub words: Words,
    pub source: Source,
    /// Name of what is read, which begins its paths: `Claim`, `""` for a record.
    pub root: String,
    /// The header's `let`.
    pub frame: Frame,
}

impl Common {
    /// A run over what is read, with the variables of the scope.
    pub fn maker<'a>(&'a self, focal: &'a Value, scope: &'a Scope<'a>, lineage: bool) -> Maker<'a> {
        let mut run = Run::new(Item::node(focal), &self.tables, self.slots);
        run.now = scope.now.to_string().into();
        run.resolver = scope.resources;
        let mut roots = vec![(self.root_name(focal), focal)];
        for (slot, name) in GIVEN.iter().enumerate() {
            let given = scope.vars.iter().find(|(given, _)| given == name).map(|(_, value)| *value);
            let value = if *name == "payer" { Some(scope.payer) } else { given };
            if let Some(value) = value.filter(|value| !value.is_null()) {
                run.set(slot, Item::node(value).into());
                roots.push((format!("%{name}"), value));
            }
        }
        run.found = Some(self.words.find_in(self.sources(&roots, scope.resources)));
        Maker::new(run, self.source, roots, lineage)
    }

    /// Everything that the rules can read, each part once.
    fn sources<'v>(&self, roots: &[(String, &'v Value)], resources: Option<&'v dyn Resolver>) -> Vec<&'v Value> {
        let mut sources = resources.filter(|_| self.words.reaches()).map(Resolver::all).unwrap_or_default();
        for (_, root) in roots {
            if !sources.iter().any(|known| std::ptr::eq(*known, *root)) {
                sources.push(root);
            }
        }
        sources
    }

    fn root_name(&self, focal: &Value) -> String {
        match focal.get("resourceType").and_then(Value::as_str) {
            Some(kind) if self.source == Source::Fhir => kind.to_owned(),
            _ => self.root.clone(),
        }
    }
}

/// FHIR → billing record.
#[derive(Debug)]
pub struct RecordMapping {
    pub(super) common: Common,
    pub(super) rules: Rules,
}

impl RecordMapping {
    /// Makes the record of a focal resource. Issues name FHIRPaths of what the caller sent.
    pub fn make<'a>(&'a self, focal: &'a Value, scope: &'a Scope<'a>) -> (Value, Vec<Issue>) {
        run(&self.common, &self.rules, self.common.maker(focal, scope, false), focal, |value, maker| {
            (value, maker.issues())
        })
    }

    /// Where each field of the record comes from.
    pub fn lineage<'a>(&'a self, focal: &'a Value, scope: &'a Scope<'a>) -> Lineage {
        run(&self.common, &self.rules, self.common.maker(focal, scope, true), focal, |_, maker| maker.lineage())
    }
}

fn run<'a, T>(
    common: &'a Common,
    rules: &'a Rules,
    maker: Maker<'a>,
    focal: &'a Value,
    end: impl FnOnce(Value, Maker<'a>) -> T,
) -> T {
    let (focal, mut made) = (Item::node(focal), Made::default());
    maker.framed(&common.frame, &focal, &Trail::ROOT, &mut |item| make(&maker, rules, item, &Trail::ROOT, &mut made));
    let value = made.into_first().unwrap_or_else(|| Value::Object(Map::new()));
    end(value, maker)
}

/// A payer's answer → FHIR.
#[derive(Debug)]
pub struct ResponseMapping {
    pub(super) common: Common,
    pub(super) rules: Rules,
    /// The type of resource that is made.
    pub makes: String,
}

impl ResponseMapping {
    /// Makes the resource. The input is the answer itself with `claim`, `record`, `previous` and `submission` among the
    /// variables of the scope, or one object `{response, claim, record, previous, submission}`.
    pub fn make<'a>(&'a self, input: &'a Value, scope: &'a Scope<'a>) -> (Value, Vec<Issue>) {
        match input.get("response").filter(|response| response.is_object()) {
            None => self.made(input, scope),
            Some(response) => {
                let mut vars: Vec<(&str, &Value)> = scope.vars.to_vec();
                vars.extend(GIVEN.iter().filter_map(|name| Some((*name, input.get(*name)?))));
                self.made(response, &Scope { vars: &vars, ..*scope })
            }
        }
    }

    /// Where each field of the resource comes from.
    pub fn lineage<'a>(&'a self, input: &'a Value, scope: &'a Scope<'a>) -> Lineage {
        run(&self.common, &self.rules, self.common.maker(input, scope, true), input, |_, maker| maker.lineage())
    }

    fn made<'a>(&'a self, input: &'a Value, scope: &'a Scope<'a>) -> (Value, Vec<Issue>) {
        let maker = self.common.maker(input, scope, false);
        run(&self.common, &self.rules, maker, input, |value, maker| {
            let Value::Object(map) = value else { return (value, maker.issues()) };
            let mut resource = Map::with_capacity(map.len() + 1);
            resource.insert("resourceType".to_owned(), Value::from(self.makes.as_str()));
            resource.extend(map);
            (Value::Object(resource), maker.issues())
        })
    }
}

/// Billing record → a document of a payer's own shape.
#[derive(Debug)]
pub struct DocumentMapping {
    pub(super) common: Common,
    pub(super) rules: Rules,
    pub shape: DocumentShape,
}

/// What a mapping to a document makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentShape {
    /// One object.
    Json,
    /// Rows of equal columns.
    Csv,
}

impl DocumentShape {
    /// As a mapping's `makes` names it.
    pub fn named(name: &str) -> Option<DocumentShape> {
        [("JSON", DocumentShape::Json), ("CSV", DocumentShape::Csv)]
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, shape)| shape)
    }
}

impl DocumentMapping {
    /// Makes the document of one record: the object; or a list of rows, each a list of texts, of which the first names the
    /// columns. Issues name places in the record.
    pub fn make<'a>(&'a self, record: &'a Value, scope: &'a Scope<'a>) -> (Value, Vec<Issue>) {
        let maker = self.common.maker(record, scope, false);
        let (made, issues) = all(&self.common, &self.rules, maker, record, |made, maker| (made, maker.issues()));
        match self.shape {
            DocumentShape::Json => (made.into_iter().next().unwrap_or_else(|| Value::Object(Map::new())), issues),
            DocumentShape::Csv => (self.rows(&made), issues),
        }
    }

    /// Where each value comes from.
    pub fn lineage<'a>(&'a self, record: &'a Value, scope: &'a Scope<'a>) -> Lineage {
        all(&self.common, &self.rules, self.common.maker(record, scope, true), record, |_, maker| maker.lineage())
    }

    fn rows(&self, made: &[Value]) -> Value {
        let mut columns = Vec::new();
        columns_of(&self.rules, &mut columns);
        let row = |object: &Value| columns.iter().map(|column| Value::from(cell(&object[*column]))).collect::<Value>();
        let head = columns.iter().map(|column| Value::from(*column)).collect::<Value>();
        std::iter::once(head).chain(made.iter().map(row)).collect()
    }
}

/// A value as text; what is no single value is written as JSON.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn all<'a, T>(
    common: &'a Common,
    rules: &'a Rules,
    maker: Maker<'a>,
    focal: &'a Value,
    end: impl FnOnce(Vec<Value>, Maker<'a>) -> T,
) -> T {
    let (focal, mut made) = (Item::node(focal), Made::default());
    maker.framed(&common.frame, &focal, &Trail::ROOT, &mut |item| make(&maker, rules, item, &Trail::ROOT, &mut made));
    end(made.into_list(), maker)
}
