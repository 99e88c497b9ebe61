//! The frame of the language, common to all three uses: `each`, `let`, `when`, `use`, `make`, overlays.

use super::fhirpath::compile::{Compiler, Variable, VariableExpr};
use super::fhirpath::expr::Expr;
use super::mistakes::{Mistakes, did_you_mean};
use super::needs::{Need, Words};
use super::source::Type;
use super::verdicts::Asked;
use super::yaml::{Key, Node, Scalar, Spot};
use crate::fault::codes;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// One compiled expression with its place in the mapping.
#[derive(Debug)]
pub struct Rule {
    pub expr: Expr,
    /// Without this it gives nothing; of a condition: without this it does not hold.
    pub need: Asked,
    /// Whether it gives the same for every source.
    pub fixed: bool,
    pub text: String,
    pub at: Spot,
    pub used: Used,
}

/// Whether a rule has ever given something, for coverage. Written once and read ever after, so that runs on many threads do
/// not wait for each other.
#[derive(Debug, Default)]
pub struct Used(AtomicBool);

impl Used {
    pub fn mark(&self) {
        if !self.0.load(Ordering::Relaxed) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    pub fn is_marked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Rule {
    /// The path of a rule that is nothing but names: `net.value`.
    pub fn plain_path(&self) -> Option<String> {
        let Expr::Path(None, steps) = &self.expr else { return None };
        Some(steps.iter().map(|step| &*step.name).collect::<Vec<_>>().join("."))
    }
}

/// An object of a mapping, taken apart; templates that it uses are taken in.
#[derive(Debug)]
pub struct Parts<'n> {
    pub at: Spot,
    pub each: Option<&'n Scalar>,
    /// In the order in which they are run: the object's own names and conditions, then those of its templates.
    pub steps: Vec<PartStep<'n>>,
    pub make: Option<&'n Node>,
    /// Everything else: the properties, segments or elements.
    pub fields: Vec<(&'n Key, &'n Node)>,
    /// How many of the fields, from the first, are the object's own; the others come from templates.
    pub own: usize,
}

/// One `let` or `when`.
#[derive(Debug)]
pub enum PartStep<'n> {
    Let(&'n Key, &'n Scalar),
    When(&'n Scalar),
}

/// The templates of one mapping, by name.
pub type Templates<'n> = BTreeMap<&'n str, &'n Node>;

/// The value that takes a rule away.
pub const REMOVE: &str = "remove";

/// Takes an object apart. `is_field` says whether a reserved word is the name of a property of the target (`use` is one
/// of many FHIR types: there it is a template only when one has that name).
pub fn parts<'n>(
    at: &Spot,
    entries: &'n [(Key, Node)],
    templates: &Templates<'n>,
    is_field: &dyn Fn(&str) -> bool,
    mistakes: &mut Mistakes,
) -> Parts<'n> {
    let (steps, fields) = (Vec::new(), Vec::new());
    let mut parts = Parts { at: at.clone(), each: None, steps, make: None, fields, own: 0 };
    Reader { templates, is_field, mistakes, open: Vec::new(), removed: Vec::new() }.take(entries, &mut parts);
    parts
}

struct Reader<'r, 'n> {
    templates: &'r Templates<'n>,
    is_field: &'r dyn Fn(&str) -> bool,
    mistakes: &'r mut Mistakes,
    /// Templates that are being taken in.
    open: Vec<&'n str>,
    /// Fields of templates that the object leaves out.
    removed: Vec<&'n str>,
}

impl<'n> Reader<'_, 'n> {
    fn take(&mut self, entries: &'n [(Key, Node)], parts: &mut Parts<'n>) {
        let (mut used, mut whens) = (None, Vec::new());
        for (key, node) in entries {
            match key.name.as_str() {
                "each" => self.each(key, node, parts),
                "when" => whens.extend(self.scalar(key, node).map(PartStep::When)),
                "let" => self.lets(node, parts),
                "make" => parts.make = parts.make.or(Some(node)),
                "use" if self.is_template(node) => used = Some((key, node)),
                _ if node.text() == Some(REMOVE) => self.removed.push(&key.name),
                _ => self.field(key, node, parts),
            }
        }
        parts.steps.append(&mut whens);
        if self.open.is_empty() {
            parts.own = parts.fields.len();
        }
        match used {
            Some((key, node)) => self.template(key, node, parts),
            None if self.open.is_empty() => self.nothing_removed(entries),
            None => {}
        }
    }

    /// `remove` where there is no template to remove something from.
    fn nothing_removed(&mut self, entries: &'n [(Key, Node)]) {
        for (key, _) in entries.iter().filter(|(_, node)| node.text() == Some(REMOVE)) {
            let text = format!("there is no rule `{}` to remove", key.name);
            let hint = "`remove` stands in an overlay (`extends`) or beside `use`";
            self.mistakes.add(codes::MAPPING_TARGET, &key.at, text, hint);
        }
    }

    /// Whether `use` names a template rather than being a property called `use`.
    fn is_template(&self, node: &Node) -> bool {
        node.text().is_some_and(|name| self.templates.contains_key(name)) || !(self.is_field)("use")
    }

    fn field(&mut self, key: &'n Key, node: &'n Node, parts: &mut Parts<'n>) {
        let known = parts.fields.iter().any(|(known, _)| known.name == key.name);
        if !known && !self.removed.contains(&key.name.as_str()) {
            parts.fields.push((key, node));
        }
    }

    fn each(&mut self, key: &'n Key, node: &'n Node, parts: &mut Parts<'n>) {
        let scalar = self.scalar(key, node);
        if parts.each.is_some() && scalar.is_some() {
            let text = "the object and the template that it uses both have an `each`";
            self.mistakes.add(
                codes::MAPPING_SYNTAX,
                &key.at,
                text,
                "put the outer one on an object around, with `make`",
            );
        } else {
            parts.each = scalar;
        }
    }

    fn scalar(&mut self, key: &Key, node: &'n Node) -> Option<&'n Scalar> {
        if let Node::Scalar(scalar) = node {
            return Some(scalar);
        }
        let text = format!("`{}` takes one expression", key.name);
        self.mistakes.add(codes::MAPPING_SYNTAX, node.at(), text, "write the expression after the colon");
        None
    }

    fn lets(&mut self, node: &'n Node, parts: &mut Parts<'n>) {
        let Node::Map(_, entries) = node else {
            let hint = "write `let: { name: expression }`";
            return self.mistakes.add(codes::MAPPING_SYNTAX, node.at(), "`let` takes names with expressions", hint);
        };
        for (key, node) in entries {
            let same = |step: &PartStep<'_>| matches!(step, PartStep::Let(known, _) if known.name == key.name);
            let known = parts.steps.iter().any(same);
            let scalar = self.scalar(key, node);
            parts.steps.extend(scalar.filter(|_| !known).map(|scalar| PartStep::Let(key, scalar)));
        }
    }

    /// Takes in what a template holds, behind what the object says itself.
    fn template(&mut self, key: &Key, node: &'n Node, parts: &mut Parts<'n>) {
        let name = node.text().unwrap_or_default();
        let Some((name, template)) = self.templates.get_key_value(name) else {
            let text = format!("there is no template `{name}` in this mapping");
            let hint = did_you_mean(name, self.templates.keys());
            return self.mistakes.add(codes::MAPPING_FUNCTION, node.at(), text, hint);
        };
        if self.open.contains(name) {
            let text = format!("the template `{name}` uses itself");
            return self.mistakes.add(codes::MAPPING_SYNTAX, &key.at, text, "take one `use` out");
        }
        let Node::Map(_, entries) = template else {
            let text = format!("the template `{name}` is no object");
            return self.mistakes.add(
                codes::MAPPING_SYNTAX,
                template.at(),
                text,
                "write its properties below its name",
            );
        };
        self.open.push(name);
        self.take(entries, parts);
        self.open.pop();
    }
}

/// `each`, `let` and `when` of an object, compiled.
#[derive(Debug, Default)]
pub struct Frame {
    pub each: Option<Rule>,
    pub steps: Vec<FrameStep>,
}

/// One `let`, with the place of its value, or one `when`.
#[derive(Debug)]
pub enum FrameStep {
    Let(usize, Arc<Rule>),
    When(Arc<Rule>),
}

impl Frame {
    /// Adds a condition before the names that it does not read: what is not wanted need not be computed.
    fn ask(&mut self, when: Rule) {
        let before = |step: &&FrameStep| matches!(step, FrameStep::Let(slot, _) if !when.expr.reads(*slot));
        let place = self.steps.len() - self.steps.iter().rev().take_while(before).count();
        self.steps.insert(place, FrameStep::When(Arc::new(when)));
    }

    /// What must be found for anything inside to be made, as it can be asked from outside.
    pub fn need(&self) -> Need {
        self.needs(self.steps.iter())
    }

    /// Without this nothing of it is run, not even a name.
    pub fn touch(&self) -> Need {
        self.needs(self.steps.iter().take_while(|step| matches!(step, FrameStep::When(_))))
    }

    fn needs<'s>(&'s self, steps: impl Iterator<Item = &'s FrameStep>) -> Need {
        let whens = steps.filter_map(|step| match step {
            FrameStep::When(rule) => Some(&**rule),
            FrameStep::Let(..) => None,
        });
        Need::all(self.each.iter().chain(whens).map(|rule| rule.need.need.clone())).outside()
    }

    /// Whether it has names of its own that are computed.
    pub fn computes(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, FrameStep::Let(..)))
    }

    /// Every rule of it.
    pub fn rules<'r>(&'r self, visit: &mut dyn FnMut(&'r Rule)) {
        self.each.iter().for_each(&mut *visit);
        for step in &self.steps {
            match step {
                FrameStep::Let(_, rule) | FrameStep::When(rule) => visit(rule),
            }
        }
    }

    /// Whether the mapping says by itself when the object is wanted, so that fixed values alone make it.
    pub fn asks(&self) -> bool {
        self.each.is_some() || self.steps.iter().any(|step| matches!(step, FrameStep::When(_)))
    }
}

/// Compiles one scalar as a rule.
pub fn rule(compiler: &mut Compiler<'_>, scalar: &Scalar, this: &Type) -> (Rule, Type) {
    needing(compiler, scalar, this, Words::of)
}

/// The same, with what an expression needs as `of` says.
fn needing(
    compiler: &mut Compiler<'_>,
    scalar: &Scalar,
    this: &Type,
    of: fn(&mut Words, &Expr) -> Need,
) -> (Rule, Type) {
    let (expr, kind) = compiler.compile(scalar, this);
    let fixed = matches!(
        expr,
        Expr::Text(_)
            | Expr::Texts(_)
            | Expr::Integer(_)
            | Expr::Decimal(_)
            | Expr::Boolean(_)
            | Expr::Time(_)
            | Expr::Quantity(..)
    );
    let need = of(&mut compiler.words, &expr);
    let need = compiler.words.ask(need);
    (Rule { expr, need, fixed, text: scalar.text.clone(), at: scalar.at.clone(), used: Used::default() }, kind)
}

/// Compiles the frame of an object; its variables stay in scope until [`leave`]. Gives the type of `$this` inside.
pub fn frame(compiler: &mut Compiler<'_>, parts: &Parts<'_>, this: &Type) -> (Frame, Type) {
    let mut frame = Frame::default();
    let mut inner = this.clone();
    if let Some(scalar) = parts.each {
        let (each, kind) = rule(compiler, scalar, this);
        never(compiler, &each, "each");
        (frame.each, inner) = (Some(each), kind);
    }
    for step in &parts.steps {
        match step {
            PartStep::Let(key, scalar) => {
                let (value, kind) = rule(compiler, scalar, &inner);
                let name = key.name.clone();
                if let Some(texts) = value.expr.texts() {
                    compiler.variables.push(Variable { name, kind, expr: VariableExpr::Texts(texts) });
                    continue;
                }
                let slot = compiler.new_slot();
                compiler.variables.push(Variable { name, kind, expr: VariableExpr::Slot(slot) });
                frame.steps.push(FrameStep::Let(slot, Arc::new(value)));
            }
            PartStep::When(scalar) => {
                let (when, _) = needing(compiler, scalar, &inner, Words::of_truth);
                never(compiler, &when, "when");
                frame.ask(when);
            }
        }
    }
    (frame, inner)
}

/// A condition that never holds: the rule can never run.
fn never(compiler: &mut Compiler<'_>, rule: &Rule, word: &str) {
    if matches!(rule.expr, Expr::Boolean(false)) || (matches!(rule.expr, Expr::Empty) && rule.text.trim() == "{}") {
        let text = format!("`{word}: {}` never holds: what stands here can never run", rule.text);
        compiler.mistakes.add(codes::MAPPING_DEAD, &rule.at, text, "correct the condition, or take the rule out");
    }
}

/// Ends the scope of an object's variables.
pub fn leave(compiler: &mut Compiler<'_>, before: usize) {
    compiler.variables.truncate(before);
}

/// Lays an overlay over its base: objects are merged key by key, `remove` takes a key away, all else is replaced.
pub fn overlay(base: &Node, over: &Node, mistakes: &mut Mistakes) -> Node {
    let (Node::Map(_, below), Node::Map(at, above)) = (base, over) else { return over.clone() };
    let uses = base.get("use").is_some();
    let mut merged = below.clone();
    for (key, node) in above {
        let place = merged.iter().position(|(known, _)| known.name == key.name);
        let removed = node.text() == Some(REMOVE);
        match place {
            Some(place) if removed && !uses => drop(merged.remove(place)),
            Some(place) if removed => merged[place] = (key.clone(), node.clone()),
            Some(place) => {
                let lower = merged[place].1.clone();
                merged[place] = (key.clone(), overlay(&lower, node, mistakes));
            }
            None if removed && !uses => {
                let text = format!("there is no rule `{}` to remove", key.name);
                let hint = did_you_mean(&key.name, below.iter().map(|(key, _)| &key.name));
                mistakes.add(codes::MAPPING_TARGET, &key.at, text, hint);
            }
            None => merged.push((key.clone(), node.clone())),
        }
    }
    Node::Map(at.clone(), merged)
}
