//! Mappings that make JSON: the billing record, and FHIR resources.

use super::fhirpath::compile::Compiler;
use super::fhirpath::eval::several;
use super::fhirpath::item::Item;
use super::maker::{Maker, Trail};
use super::mistakes::did_you_mean;
use super::needs::Need;
use super::source::{FhirTypes, Type};
use super::target::{Property, Target, Write, clash, write};
use super::template::{Frame, Parts, Rule, Templates, frame, leave, parts, rule};
use super::yaml::{Key, Node, Scalar, Spot};
use crate::fault::codes;
use serde_json::{Map, Value};
use std::sync::OnceLock;

/// What stands at a place of a compiled mapping.
#[derive(Debug)]
pub enum Rules {
    Value(Rule, Write),
    Object(Box<ObjectRules>),
    List(Vec<Rules>),
    /// An object with `make`: for each of its items, everything that the list makes.
    Make(Box<Frame>, Vec<Rules>),
}

impl Rules {
    /// Every rule here and below.
    pub fn rules<'r>(&'r self, visit: &mut dyn FnMut(&'r Rule)) {
        match self {
            Rules::Value(rule, _) => visit(rule),
            Rules::Object(object) => {
                object.frame.rules(visit);
                object.fields.iter().for_each(|field| field.rules.rules(visit));
            }
            Rules::List(all) => all.iter().for_each(|rules| rules.rules(visit)),
            Rules::Make(frame, all) => {
                frame.rules(visit);
                all.iter().for_each(|rules| rules.rules(visit));
            }
        }
    }
}

/// One object.
#[derive(Debug)]
pub struct ObjectRules {
    frame: Frame,
    fields: Vec<FieldRules>,
    /// Without this none of the fields has a value from the source.
    need: Need,
    /// Nothing here depends on the source: the object is meant as it stands.
    fixed: bool,
    /// What a fixed object is, once it has been made without a complaint.
    ready: OnceLock<Value>,
}

#[derive(Debug)]
struct FieldRules {
    name: String,
    many: bool,
    required: bool,
    rules: Rules,
    /// Without this nothing happens here: no value is made, and no complaint.
    need: Need,
}

/// Compiles the body of a mapping to JSON.
pub struct ObjectCompiler<'o, 'c, 'n> {
    pub compiler: &'o mut Compiler<'c>,
    pub templates: &'o Templates<'n>,
    pub types: &'o dyn FhirTypes,
}

impl<'n> ObjectCompiler<'_, '_, 'n> {
    /// Compiles what stands at a place; `many` says that the target takes a list.
    pub fn rules(&mut self, node: &'n Node, target: &Target, many: bool, this: &Type) -> Rules {
        match node {
            Node::Scalar(scalar) => self.value(scalar, target, this),
            Node::Map(at, entries) => self.object(at, entries, target, this),
            Node::List(at, nodes) => {
                if !many && !matches!(target, Target::Any) {
                    let text = format!("a list, where {} takes one", target.describe());
                    self.compiler.mistakes.add(codes::MAPPING_TYPE, at, text, "write one value or one object");
                }
                Rules::List(nodes.iter().map(|node| self.rules(node, target, many, this)).collect())
            }
            Node::Nothing(at) => {
                let text = "nothing stands after the colon";
                self.compiler.mistakes.add(
                    codes::MAPPING_SYNTAX,
                    at,
                    text,
                    "write an expression, {} when nothing is meant",
                );
                Rules::List(Vec::new())
            }
        }
    }

    fn value(&mut self, scalar: &Scalar, target: &Target, this: &Type) -> Rules {
        let (rule, kind) = rule(self.compiler, scalar, this);
        if let Some(text) = clash(target, &rule.expr, &kind, self.types) {
            let text = format!("`{}`: {text}", scalar.text);
            self.compiler.mistakes.add(codes::MAPPING_TYPE, &scalar.at, text, "convert it, or name a property of it");
        }
        Rules::Value(rule, target.write().unwrap_or(Write::Object))
    }

    fn object(&mut self, at: &Spot, entries: &'n [(Key, Node)], target: &Target, this: &Type) -> Rules {
        let is_field = |name: &str| target.property(self.types, name).is_ok() && !matches!(target, Target::Any);
        let parts = parts(at, entries, self.templates, &is_field, self.compiler.mistakes);
        let before = self.compiler.variables.len();
        let (frame, inner) = frame(self.compiler, &parts, this);
        let rules = match parts.make {
            Some(node) => self.make(frame, node, &parts, target, &inner),
            None => self.fields(frame, &parts, target, &inner),
        };
        leave(self.compiler, before);
        rules
    }

    fn make(&mut self, frame: Frame, node: &'n Node, parts: &Parts<'n>, target: &Target, this: &Type) -> Rules {
        for (key, _) in &parts.fields {
            let text = format!("`{}` beside `make`", key.name);
            self.compiler.mistakes.add(codes::MAPPING_SYNTAX, &key.at, text, "write it in the objects of `make`");
        }
        let nodes = match node {
            Node::List(_, nodes) => nodes.as_slice(),
            one => std::slice::from_ref(one),
        };
        Rules::Make(Box::new(frame), nodes.iter().map(|node| self.rules(node, target, true, this)).collect())
    }

    fn fields(&mut self, frame: Frame, parts: &Parts<'n>, target: &Target, this: &Type) -> Rules {
        if target.write().is_some_and(|write| write != Write::Any) {
            let text = format!("an object, where {} is a single value", target.describe());
            self.compiler.mistakes.add(codes::MAPPING_TYPE, &parts.at, text, "write one expression");
            return Rules::List(Vec::new());
        }
        let target = &self.specific(parts, target);
        let mut fields = Vec::with_capacity(parts.fields.len());
        for (key, node) in &parts.fields {
            fields.extend(self.field(key, node, target, this));
        }
        self.check_required(parts, target);
        let fixed = fields.iter().all(|field| is_fixed(&field.rules));
        let need = Need::any(fields.iter().map(|field| need(&field.rules)));
        Rules::Object(Box::new(ObjectRules { frame, fields, need, fixed, ready: OnceLock::new() }))
    }

    /// A resource that says its own type: `resourceType: "'Patient'"` in `contained` or in an entry.
    fn specific(&self, parts: &Parts<'n>, target: &Target) -> Target {
        let kind = parts.fields.iter().find(|(key, _)| key.name == "resourceType").and_then(|(_, node)| node.text());
        match (target, kind) {
            (Target::Any, Some(kind)) => Target::Fhir(kind.trim_matches('\'').to_owned()),
            _ => target.clone(),
        }
    }

    fn field(&mut self, key: &Key, node: &'n Node, target: &Target, this: &Type) -> Option<FieldRules> {
        match target.property(self.types, &key.name) {
            Ok(Property { target, many, required }) => {
                // Where nothing says what the target takes, a list of the mapping makes a list.
                let many = many || matches!((&target, node), (Target::Any, Node::List(..)));
                let rules = self.rules(node, &target, many, this);
                let need = if required { Need::Always } else { touch(&rules) };
                Some(FieldRules { name: key.name.clone(), many, required, rules, need })
            }
            Err(known) => {
                let text = format!("{} has no `{}`", target.describe(), key.name);
                let hint = did_you_mean(&key.name, known);
                self.compiler.mistakes.add(codes::MAPPING_TARGET, &key.at, text, hint);
                None
            }
        }
    }

    fn check_required(&mut self, parts: &Parts<'n>, target: &Target) {
        for ways in target.required(self.types) {
            if !parts.fields.iter().any(|(key, _)| ways.contains(&key.name)) {
                let text = format!("{} requires `{}`, which has no rule", target.describe(), ways.join("` or `"));
                self.compiler.mistakes.add(codes::MAPPING_REQUIRED, &parts.at, text, "add a rule for it");
            }
        }
    }
}

fn is_fixed(rules: &Rules) -> bool {
    match rules {
        Rules::Value(rule, _) => rule.fixed,
        Rules::Object(object) => object.fixed && !object.frame.asks(),
        Rules::List(all) => all.iter().all(is_fixed),
        Rules::Make(..) => false,
    }
}

/// What must be found for a place to have a value from the source, as it can be asked from outside.
fn need(rules: &Rules) -> Need {
    match rules {
        Rules::Value(rule, _) if rule.fixed => Need::Never,
        Rules::Value(rule, _) => rule.need.clone().outside(),
        Rules::Object(object) if object.frame.asks() => object.frame.need(),
        Rules::Object(object) => object.need.clone(),
        Rules::List(all) => Need::any(all.iter().map(need)),
        Rules::Make(frame, all) => Need::all([frame.need(), Need::any(all.iter().map(need))]),
    }
}

/// What must be found for anything to happen at a place, fixed values and complaints included: the names of a frame are
/// computed before its conditions are asked, and may complain.
fn touch(rules: &Rules) -> Need {
    match rules {
        Rules::Value(rule, _) if rule.fixed => Need::Always,
        Rules::Value(rule, _) => rule.need.clone().outside(),
        Rules::Object(object) => match object.frame.touch() {
            Need::Always if !object.frame.asks() && !object.frame.computes() && !object.fixed => object.need.clone(),
            touch => touch,
        },
        Rules::List(all) => Need::any(all.iter().map(touch)),
        Rules::Make(frame, _) => frame.touch(),
    }
}

/// What a list of values is gathered in, with whether anything in it came from the source.
#[derive(Default)]
pub struct Made {
    /// Most places take one value, and need no list for it.
    first: Option<Value>,
    more: Vec<Value>,
    pub substantial: bool,
}

impl Made {
    fn push(&mut self, value: Value) {
        match self.first {
            None => self.first = Some(value),
            Some(_) => self.more.push(value),
        }
    }

    fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.more.len()
    }

    pub fn into_first(self) -> Option<Value> {
        self.first
    }

    pub fn into_list(self) -> Vec<Value> {
        self.first.into_iter().chain(self.more).collect()
    }
}

/// Makes what stands at a place.
pub fn make<'a>(maker: &Maker<'a>, rules: &'a Rules, this: &Item<'a>, trail: &Trail<'_>, made: &mut Made) {
    match rules {
        Rules::Value(rule, how) => value(maker, rule, *how, this, trail, made),
        Rules::Object(object) => {
            maker.framed(&object.frame, this, trail, &mut |item| {
                let place = indexed(trail, made.len());
                if let Some(value) = make_object(maker, object, item, &place) {
                    made.substantial |= !object.fixed || object.frame.asks();
                    made.push(value);
                }
            });
        }
        Rules::List(all) => all.iter().for_each(|rules| make(maker, rules, this, trail, made)),
        Rules::Make(frame, all) => {
            maker.framed(frame, this, trail, &mut |item| {
                all.iter().for_each(|rules| make(maker, rules, item, trail, made));
            });
        }
    }
}

/// The trail of the next item of a list; a trail that has no place is none of a list.
fn indexed<'t>(trail: &Trail<'t>, n: usize) -> Trail<'t> {
    Trail { index: trail.index.map(|_| n), ..*trail }
}

fn value<'a>(maker: &Maker<'a>, rule: &'a Rule, how: Write, this: &Item<'a>, trail: &Trail<'_>, made: &mut Made) {
    let items = maker.value(rule, this, trail);
    for item in items.iter() {
        match write(how, item) {
            Ok(Value::Null) => {}
            Ok(value) => {
                if maker.keeps_lineage() {
                    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    maker.keep(rule, &indexed(trail, made.len()), &shown);
                }
                made.substantial |= !rule.fixed;
                made.push(value);
            }
            Err(problem) => maker.problem(rule, this, trail, *problem),
        }
    }
}

/// One object; `None` when nothing in it came from the source.
fn make_object<'a>(maker: &Maker<'a>, object: &'a ObjectRules, this: &Item<'a>, trail: &Trail<'_>) -> Option<Value> {
    if !object.fixed || maker.keeps_lineage() {
        return make_fields(maker, object, this, trail);
    }
    if let Some(ready) = object.ready.get() {
        return Some(ready.clone());
    }
    let before = maker.issue_count();
    let made = make_fields(maker, object, this, trail);
    if let Some(value) = made.as_ref().filter(|_| maker.issue_count() == before) {
        object.ready.get_or_init(|| value.clone());
    }
    made
}

fn make_fields<'a>(maker: &Maker<'a>, object: &'a ObjectRules, this: &Item<'a>, trail: &Trail<'_>) -> Option<Value> {
    let (mut substantial, mut missing) = (object.fixed || object.frame.asks(), Vec::new());
    if !substantial && trail.outer.is_some() && !maker.run.may(&object.need) {
        return None;
    }
    let mut map = Map::new();
    for field in object.fields.iter().filter(|field| maker.run.may(&field.need)) {
        let place = trail.step(&field.name, field.many.then_some(0));
        let before = if field.required { maker.issue_count() } else { 0 };
        let mut made = Made::default();
        make(maker, &field.rules, this, &place, &mut made);
        substantial |= made.substantial;
        if made.first.is_none() && field.required && maker.issue_count() == before {
            missing.push(field);
        }
        if made.first.is_some() && map.is_empty() {
            map = Map::with_capacity(object.fields.len().min(FEW));
        }
        settle(maker, field, made, this, &place, &mut map);
    }
    if map.is_empty() || !(substantial || trail.outer.is_none()) {
        return None;
    }
    for field in missing {
        maker.missing(first_rule(&field.rules), this, &trail.step(&field.name, None));
    }
    Some(Value::Object(map))
}

/// Properties that most objects have room for.
const FEW: usize = 8;

/// Puts what was made for a field into its object.
fn settle<'a>(
    maker: &Maker<'a>,
    field: &'a FieldRules,
    made: Made,
    this: &Item<'a>,
    trail: &Trail<'_>,
    map: &mut Map<String, Value>,
) {
    if made.first.is_none() {
        return;
    }
    if field.many {
        map.insert(field.name.clone(), Value::Array(made.into_list()));
        return;
    }
    if made.len() > 1
        && let Some(rule) = first_rule(&field.rules)
    {
        return maker.problem(rule, this, trail, *several(made.len()));
    }
    if let Some(value) = made.into_first() {
        map.insert(field.name.clone(), value);
    }
}

/// The names of what rows are made of, in the order they are written.
pub fn columns_of<'r>(rules: &'r Rules, columns: &mut Vec<&'r str>) {
    match rules {
        Rules::Value(..) => {}
        Rules::Object(object) => {
            for field in &object.fields {
                if !columns.contains(&field.name.as_str()) {
                    columns.push(&field.name);
                }
            }
        }
        Rules::List(all) | Rules::Make(_, all) => all.iter().for_each(|rules| columns_of(rules, columns)),
    }
}

/// The rule to name when a field has none or too many values.
fn first_rule(rules: &Rules) -> Option<&Rule> {
    match rules {
        Rules::Value(rule, _) => Some(rule),
        Rules::Object(object) => object.frame.each.as_ref().or_else(|| first_rule(&object.fields.first()?.rules)),
        Rules::List(all) | Rules::Make(_, all) => first_rule(all.first()?),
    }
}
