//! Mappings that make JSON, as the journeys call them: FHIR → billing record, and payer's answer → FHIR.

use super::Scope;
use super::draft::Draft;
use super::fhirpath::eval::{Resolver, Run};
use super::fhirpath::item::Item;
use super::lineage::Lineage;
use super::maker::{Maker, Pick, Source, Trail};
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
        let mut draft = Draft::default();
        let maker = run(&self.common, &self.rules, self.common.maker(focal, scope, false), focal, &mut draft);
        (read(&draft), maker.issues())
    }

    /// Where each field of the record comes from.
    pub fn lineage<'a>(&'a self, focal: &'a Value, scope: &'a Scope<'a>) -> Lineage {
        let maker = self.common.maker(focal, scope, true);
        run(&self.common, &self.rules, maker, focal, &mut Draft::default()).lineage()
    }
}

/// Runs the rules over what is read; the draft holds one object in the end.
fn run<'a>(common: &'a Common, rules: &'a Rules, maker: Maker<'a>, focal: &'a Value, draft: &mut Draft) -> Maker<'a> {
    let (focal, mut made) = (Item::node(focal), Made::new(draft));
    maker.framed(&common.frame, &focal, &Trail::ROOT, &mut |item| make(&maker, rules, item, &Trail::ROOT, &mut made));
    if !made.keep_first() {
        draft.raw("{}");
    }
    maker
}

/// What was made, as a value.
fn read(draft: &Draft) -> Value {
    serde_json::from_str(draft.since(0)).unwrap_or_default()
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

    /// Writes the resource as JSON, under an id of its own and with the properties that `pick` takes.
    pub fn write<'a>(
        &'a self,
        input: &'a Value,
        scope: &'a Scope<'a>,
        (id, pick): (&str, Pick),
        draft: &mut Draft,
    ) -> Vec<Issue> {
        draft.raw("{\"resourceType\":");
        draft.text(&self.makes);
        draft.raw(",\"id\":");
        draft.text(id);
        self.rest(input, scope, (&["resourceType", "id"], pick), draft).issues()
    }

    /// Writes an object of these properties alone.
    pub fn write_part<'a>(
        &'a self,
        input: &'a Value,
        scope: &'a Scope<'a>,
        pick: Pick,
        draft: &mut Draft,
    ) -> Vec<Issue> {
        let maker = self.common.maker(input, scope, false).picking(&[], pick);
        run(&self.common, &self.rules, maker, input, draft).issues()
    }

    /// Where each field of the resource comes from.
    pub fn lineage<'a>(&'a self, input: &'a Value, scope: &'a Scope<'a>) -> Lineage {
        let maker = self.common.maker(input, scope, true);
        run(&self.common, &self.rules, maker, input, &mut Draft::default()).lineage()
    }

    fn made<'a>(&'a self, input: &'a Value, scope: &'a Scope<'a>) -> (Value, Vec<Issue>) {
        let mut draft = Draft::default();
        draft.raw("{\"resourceType\":");
        draft.text(&self.makes);
        let maker = self.rest(input, scope, (&["resourceType"], |_| true), &mut draft);
        (read(&draft), maker.issues())
    }

    /// Everything of the resource but what is written already.
    fn rest<'a>(
        &'a self,
        input: &'a Value,
        scope: &'a Scope<'a>,
        (written, pick): (&'static [&'static str], Pick),
        draft: &mut Draft,
    ) -> Maker<'a> {
        let start = draft.end();
        let maker = self.common.maker(input, scope, false).picking(written, pick);
        let maker = run(&self.common, &self.rules, maker, input, draft);
        draft.join(start);
        maker
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
        let (made, maker) = all(&self.common, &self.rules, maker, record);
        let issues = maker.issues();
        match self.shape {
            DocumentShape::Json => (made.into_iter().next().unwrap_or_else(|| Value::Object(Map::new())), issues),
            DocumentShape::Csv => (self.rows(&made), issues),
        }
    }

    /// Where each value comes from.
    pub fn lineage<'a>(&'a self, record: &'a Value, scope: &'a Scope<'a>) -> Lineage {
        all(&self.common, &self.rules, self.common.maker(record, scope, true), record).1.lineage()
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

/// Runs the rules over a record: everything that they make.
fn all<'a>(common: &'a Common, rules: &'a Rules, maker: Maker<'a>, focal: &'a Value) -> (Vec<Value>, Maker<'a>) {
    let (focal, mut draft) = (Item::node(focal), Draft::default());
    draft.raw("[");
    let mut made = Made::new(&mut draft);
    maker.framed(&common.frame, &focal, &Trail::ROOT, &mut |item| make(&maker, rules, item, &Trail::ROOT, &mut made));
    draft.raw("]");
    (serde_json::from_str(draft.since(0)).unwrap_or_default(), maker)
}
