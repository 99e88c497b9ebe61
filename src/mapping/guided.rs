//! Compiles mappings to X12 against their guide: every loop, segment, element, code and length that the mapping names is
//! looked up here, and what the guide requires must have a rule.

use super::fhirpath::compile::Compiler;
use super::fhirpath::expr::Expr;
use super::mistakes::did_you_mean;
use super::needs::Need;
use super::source::Type;
use super::template::{Frame, Parts, Rule, Templates, frame, leave, parts, rule};
use super::transaction::{ElementRules, LoopRules, SegmentRules, Spread};
use super::yaml::{Key, Node, Scalar, Spot};
use crate::fault::codes;
use crate::x12::build::text_of;
use crate::x12::delimiters::Delimiters;
use crate::x12::guide::{ElementKind, ElementSpec, Guide, LoopIx, LoopSpec, SegmentSpec, Usage};
use std::collections::BTreeSet;

/// Compiles the loops of one mapping.
pub struct GuideCompiler<'o, 'c, 'n> {
    pub compiler: &'o mut Compiler<'c>,
    pub templates: &'o Templates<'n>,
    pub guide: &'o Guide,
    /// Every loop that has a rule, wherever it stands.
    pub ruled: BTreeSet<LoopIx>,
}

impl<'n> GuideCompiler<'_, '_, 'n> {
    /// Compiles the loops at the top of a mapping.
    pub fn top(&mut self, entries: &'n [(Key, Node)], at: &Spot, this: &Type) -> Vec<LoopRules> {
        let mut loops = Vec::new();
        for (key, node) in entries {
            match self.guide.loop_ix(&key.name) {
                Some(ix) => self.loop_rules(key, node, ix, this, &mut loops),
                None => {
                    let known = self.guide.loops.iter().map(|spec| spec.id.to_string());
                    let text = format!("{} has no loop {}", self.guide.id, key.name);
                    self.compiler.mistakes.add(codes::MAPPING_TARGET, &key.at, text, did_you_mean(&key.name, known));
                }
            }
        }
        self.check_loops(at);
        loops
    }

    /// Loops that hang in the air, and loops that the guide requires of those that have rules.
    fn check_loops(&mut self, at: &Spot) {
        for ix in self.ruled.clone() {
            let spec = self.guide.loop_at(ix);
            let hangs = spec.parents.iter().any(|parent| *parent == self.guide.root() || self.ruled.contains(parent));
            if !hangs {
                let names: Vec<&str> = spec.parents.iter().map(|parent| &*self.guide.loop_at(*parent).id).collect();
                let text = format!("loop {} hangs in the air: {} has no rule", spec.id, names.join(" or "));
                self.compiler.mistakes.add(codes::MAPPING_REQUIRED, at, text, "add the loop around it");
            }
            for child in spec.children.iter().map(|child| self.guide.loop_at(*child)) {
                if child.usage != Usage::Required || self.has_rule(child) {
                    continue;
                }
                let child = &child.id;
                let text = format!("loop {} requires loop {child}, which has no rule", spec.id);
                self.compiler.mistakes.add(codes::MAPPING_REQUIRED, at, text, "add the loop");
            }
        }
    }

    fn has_rule(&self, spec: &LoopSpec) -> bool {
        self.ruled.iter().any(|ix| self.guide.loop_at(*ix).id == spec.id)
    }

    fn loop_rules(&mut self, key: &Key, node: &'n Node, ix: LoopIx, this: &Type, out: &mut Vec<LoopRules>) {
        match node {
            Node::Map(at, entries) => {
                self.ruled.insert(ix);
                let parts = parts(at, entries, self.templates, &|_| false, self.compiler.mistakes);
                out.push(self.one_loop(&parts, ix, this));
            }
            Node::List(_, nodes) => nodes.iter().for_each(|node| self.loop_rules(key, node, ix, this, out)),
            other => {
                let text = format!("loop {} takes segments, not an expression", key.name);
                self.compiler.mistakes.add(codes::MAPPING_TYPE, other.at(), text, "write its segments below it");
            }
        }
    }

    fn one_loop(&mut self, parts: &Parts<'n>, ix: LoopIx, this: &Type) -> LoopRules {
        let before = self.compiler.variables.len();
        let (frame, inner) = frame(self.compiler, parts, this);
        let (segments, loops) = (Vec::new(), Vec::new());
        let need = self.compiler.words.ask(Need::Always);
        let mut rules = LoopRules { spec: ix, frame, need, segments, loops };
        for (key, node) in &parts.fields {
            let child = self.guide.loop_ix(&key.name).filter(|child| self.guide.loop_at(*child).parents.contains(&ix));
            match (child, self.guide.segment_ix(ix, &key.name)) {
                (Some(child), _) => self.loop_rules(key, node, child, &inner, &mut rules.loops),
                (None, Some(_)) => self.segment_rules(key, node, ix, &inner, &mut rules.segments),
                (None, None) => self.unknown_in_loop(key, ix),
            }
        }
        self.check_segments(parts, ix, &rules);
        rules.need = self.compiler.words.ask(rules.need_inside());
        leave(self.compiler, before);
        rules
    }

    fn unknown_in_loop(&mut self, key: &Key, ix: LoopIx) {
        let spec = self.guide.loop_at(ix);
        let segments = self.guide.segments_of(ix).flat_map(|(_, segment)| keys_of(segment));
        let children = spec.children.iter().map(|child| self.guide.loop_at(*child).id.to_string());
        let text = format!("loop {} of {} has no {}", spec.id, self.guide.id, key.name);
        let hint = did_you_mean(&key.name, segments.chain(children));
        self.compiler.mistakes.add(codes::MAPPING_TARGET, &key.at, text, hint);
    }

    fn check_segments(&mut self, parts: &Parts<'n>, ix: LoopIx, rules: &LoopRules) {
        for (segment, spec) in self.guide.segments_of(ix).filter(|(_, spec)| spec.usage == Usage::Required) {
            let ruled = rules.segments.iter().any(|rules| rules.spec == segment);
            if !ruled && !matches!(spec.id.as_str(), "HL" | "LX") {
                let text = format!(
                    "loop {} requires {} ({}), which has no rule",
                    self.guide.loop_at(ix).id,
                    spec.key(),
                    spec.name
                );
                self.compiler.mistakes.add(codes::MAPPING_REQUIRED, &parts.at, text, "add the segment");
            }
        }
    }

    fn segment_rules(&mut self, key: &Key, node: &'n Node, ix: LoopIx, this: &Type, out: &mut Vec<SegmentRules>) {
        match node {
            Node::Map(at, entries) => {
                let parts = parts(at, entries, self.templates, &|_| false, self.compiler.mistakes);
                out.extend(self.one_segment(key, &parts, ix, this));
            }
            Node::List(_, nodes) => nodes.iter().for_each(|node| self.segment_rules(key, node, ix, this, out)),
            other => {
                let text = format!("{} takes elements, not an expression", key.name);
                self.compiler.mistakes.add(codes::MAPPING_TYPE, other.at(), text, "write `01: …` below it");
            }
        }
    }

    fn one_segment(&mut self, key: &Key, parts: &Parts<'n>, ix: LoopIx, this: &Type) -> Option<SegmentRules> {
        let spec = self.guide.segment_ix(ix, &key.name)?;
        let before = self.compiler.variables.len();
        let (frame, inner) = frame(self.compiler, parts, this);
        let (elements, spread) = (Vec::new(), None);
        let qualifier = self.qualifier(key, self.guide.segment_at(spec));
        let (key_name, need) = (key.name.clone(), self.compiler.words.ask(Need::Always));
        let mut rules = SegmentRules { spec, key: key_name, frame, qualifier, elements, spread, need, fixed: false };
        for (n, (key, node)) in parts.fields.iter().enumerate() {
            self.element(key, node, n < parts.own, &inner, &mut rules);
        }
        self.check_elements(parts, self.guide.segment_at(spec), &rules);
        rules.need = self.compiler.words.ask(rules.need_inside());
        rules.fixed = rules.spread.is_none() && rules.elements.iter().all(|element| element.rule.fixed);
        leave(self.compiler, before);
        Some(rules)
    }

    /// The code that a key such as `DTP*431` says.
    fn qualifier(&self, key: &Key, spec: &SegmentSpec) -> Option<(usize, usize, String)> {
        let (_, qualifier) = key.name.split_once('*')?;
        let (element, component) = spec.qualifier_at;
        (element > 0).then(|| (element, component, qualifier.trim_start_matches('*').to_owned()))
    }

    /// `own` is false for elements of a template: what the guide does not use of it is left to the run, where a value is
    /// an issue.
    fn element(&mut self, key: &Key, node: &'n Node, own: bool, this: &Type, out: &mut SegmentRules) {
        let spec = self.guide.segment_at(out.spec);
        let Some(place) = place_of(&key.name) else {
            let text = format!("`{}` is no element of {}", key.name, spec.key());
            let hint = "elements are written 02, components 05-1, ranges 02..12";
            return self.compiler.mistakes.add(codes::MAPPING_TARGET, &key.at, text, hint);
        };
        let known = self.known_element(key, spec, place.from, place.component, own);
        if !known || (place.to != place.from && !self.known_element(key, spec, place.to, 0, own)) {
            return;
        }
        match (place.to == place.from, node) {
            (false, _) => out.spread = self.spread(key, node, spec, &place, this),
            (true, Node::Scalar(scalar)) => {
                let Some(element) = spec.element(place.from, place.component) else { return };
                let rule = self.element_rule(scalar, element, this);
                let (name, element, component) = (key.name.clone(), place.from, place.component);
                out.elements.push(ElementRules { name, element, component, rule });
            }
            (true, other) => {
                let text = format!("element {} takes one expression", key.name);
                self.compiler.mistakes.add(codes::MAPPING_TYPE, other.at(), text, "write components as 05-1, 05-2");
            }
        }
    }

    /// Whether the guide knows and uses an element; composites are written by component.
    fn known_element(&mut self, key: &Key, spec: &SegmentSpec, element: usize, component: usize, own: bool) -> bool {
        let name = |n: usize| format!("{}{n:02}", spec.id);
        let (text, hint) = match (spec.element(element, 0), spec.element(element, component)) {
            (None, _) => {
                let last = spec.elements.len();
                (format!("{} has no element {element:02}", spec.key()), format!("the last is {last:02}"))
            }
            (Some(whole), None) if whole.components.is_empty() => {
                (format!("{} ({}) has no components", name(element), whole.name), format!("write {element:02}"))
            }
            (Some(whole), None) => {
                let last = whole.components.len();
                (format!("{} has no component {component}", name(element)), format!("the last is {element:02}-{last}"))
            }
            (_, Some(found)) if own && found.usage == Usage::NotUsed => {
                (format!("{} {} is not used by {}", spec.key(), key.name, self.guide.id), "take it out".to_owned())
            }
            (Some(whole), Some(_))
                if component == 0 && whole.kind == ElementKind::Composite && !key.name.contains("..") =>
            {
                (format!("{} ({}) is a composite", name(element), whole.name), format!("write {element:02}-1"))
            }
            _ => return true,
        };
        self.compiler.mistakes.add(codes::MAPPING_TARGET, &key.at, text, hint);
        false
    }

    fn element_rule(&mut self, scalar: &Scalar, spec: &ElementSpec, this: &Type) -> Rule {
        let (rule, kind) = rule(self.compiler, scalar, this);
        let wrong = match &rule.expr {
            Expr::Text(text) | Expr::Time(text) => self.literal_problem(spec, text),
            Expr::Integer(number) => self.literal_problem(spec, &number.to_string()),
            Expr::Decimal(number) => self.literal_problem(spec, &number.to_string()),
            Expr::Boolean(_) => Some("true and false are no values of X12".to_owned()),
            _ => type_problem(&kind, spec),
        };
        if let Some(wrong) = wrong {
            let text = format!("`{}`: {} {wrong}", scalar.text, spec.name);
            self.compiler.mistakes.add(codes::MAPPING_TYPE, &scalar.at, text, "correct the value, or convert it");
        }
        rule
    }

    fn literal_problem(&self, spec: &ElementSpec, text: &str) -> Option<String> {
        text_of(spec, text, &Delimiters::default()).err().map(|problem| problem.text(spec))
    }

    fn spread(&mut self, key: &Key, node: &'n Node, spec: &SegmentSpec, place: &Place, this: &Type) -> Option<Spread> {
        let name = key.name.clone();
        let (from, to) = (place.from, place.to);
        match node {
            Node::Scalar(scalar) => {
                let (each, kind) = rule(self.compiler, scalar, this);
                let element = spec.element(from, 0)?;
                let at = &scalar.at;
                let this = Scalar::plain("$this", at.clone());
                let rule = self.element_rule(&this, element, &kind);
                Some(Spread {
                    name,
                    from,
                    to,
                    frame: Frame { each: Some(each), ..Frame::default() },
                    parts: vec![(0, rule)],
                })
            }
            Node::Map(at, entries) => {
                let parts = parts(at, entries, self.templates, &|_| false, self.compiler.mistakes);
                let before = self.compiler.variables.len();
                let (frame, inner) = frame(self.compiler, &parts, this);
                let mut rules = Vec::new();
                for (key, node) in &parts.fields {
                    rules.extend(self.spread_part(key, node, spec, from, &inner));
                }
                leave(self.compiler, before);
                Some(Spread { name, from, to, frame, parts: rules })
            }
            other => {
                let text = format!("the range {} takes `each` and components", key.name);
                self.compiler.mistakes.add(
                    codes::MAPPING_TYPE,
                    other.at(),
                    text,
                    "write `02..12: { each: …, 1: …, 2: … }`",
                );
                None
            }
        }
    }

    fn spread_part(
        &mut self,
        key: &Key,
        node: &'n Node,
        spec: &SegmentSpec,
        from: usize,
        this: &Type,
    ) -> Option<(usize, Rule)> {
        let component = key.name.parse::<usize>().ok();
        let element = component.and_then(|component| spec.element(from, component));
        let (Some(component), Some(element), Node::Scalar(scalar)) = (component, element, node) else {
            let text = format!("`{}` is no component of {}{from:02}", key.name, spec.id);
            self.compiler.mistakes.add(codes::MAPPING_TARGET, &key.at, text, "components are written 1, 2, 3");
            return None;
        };
        Some((component, self.element_rule(scalar, element, this)))
    }

    /// What the guide requires of a segment that is made.
    fn check_elements(&mut self, parts: &Parts<'n>, spec: &SegmentSpec, rules: &SegmentRules) {
        for (n, element) in (1..).zip(&spec.elements) {
            if element.kind != ElementKind::Composite {
                let known = |_: usize| self.is_ruled(spec, rules, n, 0);
                if element.usage == Usage::Required && !known(0) {
                    self.unruled(parts, spec, n, 0, element);
                }
                continue;
            }
            let wanted = element.usage == Usage::Required || rules.elements.iter().any(|rule| rule.element == n);
            for (c, component) in (1..).zip(&element.components) {
                let required = wanted && component.usage == Usage::Required;
                if required && !self.is_ruled(spec, rules, n, c) {
                    self.unruled(parts, spec, n, c, component);
                }
            }
        }
    }

    fn is_ruled(&self, spec: &SegmentSpec, rules: &SegmentRules, n: usize, c: usize) -> bool {
        let by_rule = rules.elements.iter().any(|rule| rule.element == n && rule.component == c);
        let by_key = rules.qualifier.as_ref().is_some_and(|(element, component, _)| (*element, *component) == (n, c));
        let by_guide = spec.constants.iter().any(|(element, component, _)| (*element, *component) == (n, c));
        let by_range = rules.spread.as_ref().is_some_and(|spread| (spread.from..=spread.to).contains(&n));
        by_rule || by_key || by_guide || by_range
    }

    fn unruled(&mut self, parts: &Parts<'n>, spec: &SegmentSpec, n: usize, c: usize, element: &ElementSpec) {
        let name = if c == 0 { format!("{}{n:02}", spec.id) } else { format!("{}{n:02}-{c}", spec.id) };
        let text = format!("{} requires {name} ({}), which has no rule", spec.key(), element.name);
        self.compiler.mistakes.add(codes::MAPPING_REQUIRED, &parts.at, text, "add a rule for it");
    }
}

/// The keys that a segment answers to.
fn keys_of(segment: &SegmentSpec) -> Vec<String> {
    if segment.qualifiers.is_empty() {
        return vec![segment.id.clone()];
    }
    segment.qualifiers.iter().map(|qualifier| format!("{}*{qualifier}", segment.id)).collect()
}

/// What is wrong with a type for an element, as far as it can be known.
fn type_problem(kind: &Type, spec: &ElementSpec) -> Option<String> {
    use crate::billing::shape::Shape;
    let numeric = matches!(spec.kind, ElementKind::R | ElementKind::N0 | ElementKind::N(_));
    let object = |shape: &Shape| match shape {
        Shape::Object(..) => true,
        Shape::List(item) => matches!(**item, Shape::Object(..)),
        _ => false,
    };
    match kind {
        Type::Boolean | Type::Record(Shape::Boolean) => Some("can't hold a boolean".to_owned()),
        Type::Record(shape) if object(shape) => Some(format!("can't hold {}", kind.describe())),
        Type::Record(Shape::Date | Shape::Moment) | Type::Time if numeric => Some("can't hold a date".to_owned()),
        Type::Record(Shape::Date | Shape::Moment) if spec.kind == ElementKind::AN && spec.max > 8 => {
            Some("needs a date as its format qualifier says: ccyymmdd(), rd8()".to_owned())
        }
        _ => None,
    }
}

/// The place that the key of an element names.
struct Place {
    from: usize,
    to: usize,
    component: usize,
}

/// `02`, `05-1`, `02..12`.
fn place_of(key: &str) -> Option<Place> {
    let number = |text: &str| text.parse::<usize>().ok().filter(|n| (1..100).contains(n) && text.len() <= 2);
    if let Some((from, to)) = key.split_once("..") {
        let (from, to) = (number(from)?, number(to)?);
        return (from < to).then_some(Place { from, to, component: 0 });
    }
    let (element, component) = match key.split_once('-') {
        Some((element, component)) => (number(element)?, number(component)?),
        None => (number(key)?, 0),
    };
    Some(Place { from: element, to: element, component })
}
