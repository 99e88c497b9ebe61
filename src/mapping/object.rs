//! Mappings that make JSON: the billing record, and FHIR resources.

use super::draft::Draft;
use super::fhirpath::compile::Compiler;
use super::mistakes::did_you_mean;
use super::needs::Need;
use super::source::{FhirTypes, Type};
use super::target::{self, Property, Target, Write, clash, literal};
use super::template::{Frame, Parts, Rule, Templates, frame, leave, parts, rule};
use super::verdicts::Asked;
use super::yaml::{Key, Node, Scalar, Spot};
use crate::fault::codes;
use std::sync::{Arc, OnceLock};

mod making;
mod pattern;

use pattern::{Leaf, leaves};

pub use making::{Made, make};
pub use pattern::Patterns;

/// What stands at a place of a compiled mapping.
#[derive(Debug)]
pub enum Rules {
    Value(Arc<Rule>, Write),
    Object(Box<ObjectRules>),
    List(Vec<Member>),
    /// An object with `make`: for each of its items, everything that the list makes.
    Make(Box<Frame>, Vec<Member>),
}

/// One of several that stand at a place.
#[derive(Debug)]
pub struct Member {
    /// Without this nothing happens here: no value is made, and no complaint.
    need: Asked,
    rules: Rules,
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
            Rules::List(all) => all.iter().for_each(|member| member.rules.rules(visit)),
            Rules::Make(frame, all) => {
                frame.rules(visit);
                all.iter().for_each(|member| member.rules.rules(visit));
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
    need: Asked,
    /// Its number among the objects of the mapping.
    number: usize,
    /// What its patterns are about: its values, and the steps of the objects in it.
    leaves: Box<[Leaf]>,
    /// Nothing here depends on the source: the object is meant as it stands.
    fixed: bool,
    /// What a fixed object is, once it has been made without a complaint.
    ready: OnceLock<Box<[u8]>>,
}

#[derive(Debug)]
struct FieldRules {
    name: String,
    /// How it begins in JSON, as the first property of its object and as any other: brace or comma, name, colon, and the
    /// bracket of a list.
    first: Box<str>,
    next: Box<str>,
    many: bool,
    required: bool,
    /// The whole of it as JSON, where it is one fixed value.
    whole: Option<Box<str>>,
    rules: Rules,
    /// Without this nothing happens here: no value is made, and no complaint.
    need: Asked,
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
                Rules::List(self.members(nodes, target, many, this))
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

    fn members(&mut self, nodes: &'n [Node], target: &Target, many: bool, this: &Type) -> Vec<Member> {
        let member = |node| {
            let rules = self.rules(node, target, many, this);
            Member { need: self.compiler.words.ask(touch(&rules)), rules }
        };
        nodes.iter().map(member).collect()
    }

    fn value(&mut self, scalar: &Scalar, target: &Target, this: &Type) -> Rules {
        let (rule, kind) = rule(self.compiler, scalar, this);
        if let Some(text) = clash(target, &rule.expr, &kind, self.types) {
            let text = format!("`{}`: {text}", scalar.text);
            self.compiler.mistakes.add(codes::MAPPING_TYPE, &scalar.at, text, "convert it, or name a property of it");
        }
        Rules::Value(Arc::new(rule), target.write().unwrap_or(Write::Object))
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
        Rules::Make(Box::new(frame), self.members(nodes, target, true, this))
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
        let need = self.compiler.words.ask(Need::any(fields.iter().map(|field| need(&field.rules))));
        let (number, leaves) = (self.compiler.words.number_object(), leaves(&fields));
        Rules::Object(Box::new(ObjectRules { frame, fields, need, number, leaves, fixed, ready: OnceLock::new() }))
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
                let need = self.compiler.words.ask(if required { Need::Always } else { touch(&rules) });
                let begin = format!("{}:{}", serde_json::Value::from(key.name.as_str()), if many { "[" } else { "" });
                let (first, next) = (format!("{{{begin}").into(), format!(",{begin}").into());
                let whole =
                    fixed_json(&rules).map(|value| format!("{begin}{value}{}", if many { "]" } else { "" }).into());
                Some(FieldRules { name: key.name.clone(), first, next, many, required, whole, rules, need })
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

/// The JSON of one fixed value that needs no second look.
fn fixed_json(rules: &Rules) -> Option<String> {
    match rules {
        Rules::Value(rule, how) => {
            let mut draft = Draft::default();
            let written = target::put(*how, &literal(&rule.expr)?, &mut draft);
            written.is_ok_and(|written| written).then(|| draft.into_text())
        }
        _ => None,
    }
}

fn is_fixed(rules: &Rules) -> bool {
    match rules {
        Rules::Value(rule, _) => rule.fixed,
        Rules::Object(object) => object.fixed && !object.frame.asks(),
        Rules::List(all) => all.iter().all(|member| is_fixed(&member.rules)),
        Rules::Make(..) => false,
    }
}

/// What must be found for a place to have a value from the source, as it can be asked from outside.
fn need(rules: &Rules) -> Need {
    match rules {
        Rules::Value(rule, _) if rule.fixed => Need::Never,
        Rules::Value(rule, _) => rule.need.need.clone().outside(),
        Rules::Object(object) if object.frame.asks() => object.frame.need(),
        Rules::Object(object) => object.need.need.clone(),
        Rules::List(all) => need_of_any(all),
        Rules::Make(frame, all) => Need::all([frame.need(), need_of_any(all)]),
    }
}

fn need_of_any(members: &[Member]) -> Need {
    Need::any(members.iter().map(|member| need(&member.rules)))
}

/// What must be found for anything to happen at a place, fixed values and complaints included.
fn touch(rules: &Rules) -> Need {
    match rules {
        Rules::Value(rule, _) if rule.fixed => Need::Always,
        Rules::Value(rule, _) => rule.need.need.clone().outside(),
        Rules::Object(object) => match object.frame.touch() {
            Need::Always if !object.frame.asks() && !object.frame.computes() && !object.fixed => {
                object.need.need.clone()
            }
            touch => touch,
        },
        Rules::List(all) => Need::any(all.iter().map(|member| member.need.need.clone())),
        Rules::Make(frame, _) => frame.touch(),
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
        Rules::List(all) | Rules::Make(_, all) => all.iter().for_each(|member| columns_of(&member.rules, columns)),
    }
}

/// The rule to name when a field has none or too many values.
fn first_rule(rules: &Rules) -> Option<&Rule> {
    match rules {
        Rules::Value(rule, _) => Some(rule),
        Rules::Object(object) => object.frame.each.as_ref().or_else(|| first_rule(&object.fields.first()?.rules)),
        Rules::List(all) | Rules::Make(_, all) => first_rule(&all.first()?.rules),
    }
}
