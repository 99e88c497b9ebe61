//! Mappings that make JSON, as the journeys call them: FHIR → billing record, and payer's answer → FHIR.

use super::Scope;
use super::draft::Draft;
use super::fhirpath::eval::{Resolver, Run};
use super::fhirpath::item::Item;
use super::lineage::Lineage;
use super::maker::{Maker, Pick, Root, Source, Trail};
use super::needs::Words;
use super::object::{Made, Rules, columns_of, make};
use super::tables::Tables;
use super::template::Frame;
use super::verdicts::Judge;
use crate::billing::shape::{ObjectView, View};
use crate::fault::Issue;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::sync::Arc;

/// The names that a caller may give values to, in the order of their slots.
pub const GIVEN: &[&str] = &["payer", "claim", "record", "previous", "submission"];

/// The same as paths begin with them.
const GIVEN_ROOTS: &[&str] = &["%payer", "%claim", "%record", "%previous", "%submission"];

/// What a mapping reads.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    Json(&'a Value),
    /// A plain value that need not become JSON for it. It has no lineage.
    Plain(&'a dyn ObjectView),
}

impl<'a> Input<'a> {
    fn item(self) -> Item<'a> {
        match self {
            Input::Json(value) => Item::node(value),
            Input::Plain(object) => Item::plain(object),
        }
    }

    fn json(self) -> Option<&'a Value> {
        match self {
            Input::Json(value) => Some(value),
            Input::Plain(_) => None,
        }
    }

    fn plain(self) -> Option<&'a dyn ObjectView> {
        match self {
            Input::Json(_) => None,
            Input::Plain(object) => Some(object),
        }
    }

    fn is_null(self) -> bool {
        self.json().is_some_and(Value::is_null)
    }
}

impl<'a> From<&'a Value> for Input<'a> {
    fn from(value: &'a Value) -> Input<'a> {
        Input::Json(value)
    }
}

impl<'a, T: ObjectView> From<&'a T> for Input<'a> {
    fn from(object: &'a T) -> Input<'a> {
        Input::Plain(object)
    }
}

/// What every mapping holds beside its rules.
#[derive(Debug)]
pub struct Common {
    pub tables: Arc<Tables>,
    pub slots: usize,
    /// What its rules look for.
    pub words: Words,
    /// What is known of the words of its sources.
    pub judge: Judge,
    pub source: Source,
    /// Name of what is read, which begins its paths: `Claim`, `""` for a record.
    pub root: String,
    /// The header's `let`.
    pub frame: Frame,
}

impl Common {
    /// A run over what is read, with the variables of the scope.
    pub fn maker<'a>(&'a self, focal: impl Into<Input<'a>>, scope: &'a Scope<'a>, lineage: bool) -> Maker<'a> {
        let focal = focal.into();
        let mut run = Run::new(focal.item(), &self.tables, self.slots);
        run.now = scope.now;
        run.resolver = scope.resources;
        let mut roots = Vec::with_capacity(GIVEN.len() + 1);
        roots.extend(focal.json().map(|value| (Cow::Owned(self.root_name(value)), value)));
        let mut plain: Vec<&dyn ObjectView> = focal.plain().into_iter().collect();
        for (slot, name) in GIVEN.iter().enumerate() {
            let given = scope.vars.iter().find(|(given, _)| given == name).map(|(_, input)| *input);
            let input = if *name == "payer" { Some(Input::Json(scope.payer)) } else { given };
            let Some(input) = input.filter(|input| !input.is_null()) else { continue };
            run.set(slot, input.item().into());
            plain.extend(input.plain());
            roots.extend(input.json().map(|value| (Cow::Borrowed(GIVEN_ROOTS[slot]), value)));
        }
        let mut found = self.words.find_in(self.sources(&roots, scope.resources));
        plain.iter().for_each(|object| self.words.find_view(View::Object(*object), &mut found));
        run.verdicts = Some(self.judge.verdicts(&self.words, found));
        Maker::new(run, self.source, roots, lineage)
    }

    /// Everything that the rules can read, each part once.
    fn sources<'v>(&self, roots: &[(Root, &'v Value)], resources: Option<&'v dyn Resolver>) -> Vec<&'v Value> {
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
fn run<'a>(
    common: &'a Common,
    rules: &'a Rules,
    maker: Maker<'a>,
    focal: impl Into<Input<'a>>,
    draft: &mut Draft,
) -> Maker<'a> {
    let (focal, mut made) = (focal.into().item(), Made::new(draft));
    maker.framed(&common.frame, &focal, &Trail::ROOT, &mut |item| make(&maker, rules, item, &Trail::ROOT, &mut made));
    if !made.keep_first() {
        draft.raw("{}");
    }
    maker
}

/// What was made, as a value.
fn read(draft: &Draft) -> Value {
    serde_json::from_slice(draft.since(0)).unwrap_or_default()
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
    pub fn make<'a>(&'a self, input: impl Into<Input<'a>>, scope: &'a Scope<'a>) -> (Value, Vec<Issue>) {
        let input = input.into();
        let bundled = input.json().filter(|input| input.get("response").is_some_and(Value::is_object));
        match bundled {
            None => self.made(input, scope),
            Some(input) => {
                let mut vars: Vec<(&str, Input<'_>)> = scope.vars.to_vec();
                vars.extend(GIVEN.iter().filter_map(|name| Some((*name, input.get(*name)?.into()))));
                self.made(Input::Json(&input["response"]), &Scope { vars: &vars, ..*scope })
            }
        }
    }

    /// Writes the resource as JSON, under an id of its own and with the properties that `pick` takes.
    pub fn write<'a>(
        &'a self,
        input: impl Into<Input<'a>>,
        scope: &'a Scope<'a>,
        (id, pick): (&str, Pick),
        draft: &mut Draft,
    ) -> Vec<Issue> {
        draft.raw("{\"resourceType\":");
        draft.text(&self.makes);
        draft.raw(",\"id\":");
        draft.text(id);
        self.rest(input.into(), scope, (&["resourceType", "id"], pick), draft).issues()
    }

    /// Writes an object of these properties alone.
    pub fn write_part<'a>(
        &'a self,
        input: impl Into<Input<'a>>,
        scope: &'a Scope<'a>,
        pick: Pick,
        draft: &mut Draft,
    ) -> Vec<Issue> {
        let input = input.into();
        let maker = self.common.maker(input, scope, false).picking(&[], pick);
        run(&self.common, &self.rules, maker, input, draft).issues()
    }

    /// Where each field of the resource comes from.
    pub fn lineage<'a>(&'a self, input: &'a Value, scope: &'a Scope<'a>) -> Lineage {
        let maker = self.common.maker(input, scope, true);
        run(&self.common, &self.rules, maker, input, &mut Draft::default()).lineage()
    }

    fn made<'a>(&'a self, input: Input<'a>, scope: &'a Scope<'a>) -> (Value, Vec<Issue>) {
        let mut draft = Draft::default();
        draft.raw("{\"resourceType\":");
        draft.text(&self.makes);
        let maker = self.rest(input, scope, (&["resourceType"], |_| true), &mut draft);
        (read(&draft), maker.issues())
    }

    /// Everything of the resource but what is written already.
    fn rest<'a>(
        &'a self,
        input: Input<'a>,
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
    (serde_json::from_slice(draft.since(0)).unwrap_or_default(), maker)
}
