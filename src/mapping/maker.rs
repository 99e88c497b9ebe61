//! One run of a mapping: frames carried out, problems turned into issues with the caller's own paths, lineage kept when
//! it is asked for.

use super::fhirpath::eval::{Focus, Problem, Resolver, Run};
use super::fhirpath::gather::{Taker, With};
use super::fhirpath::item::{Item, Items};
use super::lineage::{Lineage, LineageRow};
use super::template::{Frame, FrameStep, Rule};
use crate::fault::{Issue, Place, codes};
use serde_json::Value;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;

/// Where in the target the run is: names with places, from the inside out. Costs nothing unless it is shown.
#[derive(Debug, Clone, Copy)]
pub struct Trail<'t> {
    pub outer: Option<&'t Trail<'t>>,
    pub name: &'t str,
    /// Place in a list, from 0.
    pub index: Option<usize>,
    /// What stands before the name: `.` in JSON, `/` in X12.
    pub joint: &'static str,
}

impl<'t> Trail<'t> {
    pub const ROOT: Trail<'static> = Trail { outer: None, name: "", index: None, joint: "." };

    pub fn step(&'t self, name: &'t str, index: Option<usize>) -> Trail<'t> {
        Trail { outer: Some(self), name, index, joint: "." }
    }

    pub fn slash(&'t self, name: &'t str, index: Option<usize>) -> Trail<'t> {
        Trail { outer: Some(self), name, index, joint: "/" }
    }

    pub fn text(&self) -> String {
        let mut text = match self.outer {
            Some(outer) => outer.text(),
            None => return String::new(),
        };
        if !text.is_empty() && !self.name.is_empty() {
            text.push_str(self.joint);
        }
        text.push_str(self.name);
        if let Some(index) = self.index {
            text.push_str(&format!("[{index}]"));
        }
        text
    }
}

/// What the paths of issues are paths of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Fhir,
    Record,
    /// A payer's answer: nothing that a person could mend in it, so issues name the rule.
    Answer,
}

/// What the paths of a source begin with.
pub type Root = Cow<'static, str>;

/// Which properties of the whole are made, by their names.
pub type Pick = fn(&str) -> bool;

/// A run with all that it gathers.
pub struct Maker<'a> {
    pub run: Run<'a>,
    source: Source,
    /// The roots that paths are named from, with the name that stands before them.
    roots: Vec<(Root, &'a Value)>,
    resolver: Option<&'a dyn Resolver>,
    issues: RefCell<Vec<Issue>>,
    rows: Option<RefCell<Vec<LineageRow>>>,
    paths: RefCell<HashMap<*const Value, String>>,
    /// Properties of the whole that are not made, and a choice among the others.
    left_out: &'static [&'static str],
    pick: Pick,
}

impl<'a> Maker<'a> {
    pub fn new(run: Run<'a>, source: Source, roots: Vec<(Root, &'a Value)>, lineage: bool) -> Maker<'a> {
        run.trace(lineage);
        let resolver = run.resolver;
        let rows = lineage.then(RefCell::default);
        let (issues, paths) = Default::default();
        Maker { run, source, roots, resolver, issues, rows, paths, left_out: &[], pick: |_| true }
    }

    /// Makes but some properties of the whole.
    pub fn picking(self, left_out: &'static [&'static str], pick: Pick) -> Maker<'a> {
        Maker { left_out, pick, ..self }
    }

    /// Whether a property of the whole is made.
    pub fn picks(&self, name: &str) -> bool {
        !self.left_out.contains(&name) && (self.pick)(name)
    }

    pub fn issues(self) -> Vec<Issue> {
        self.issues.into_inner()
    }

    pub fn lineage(self) -> Lineage {
        Lineage::new(self.rows.map(RefCell::into_inner).unwrap_or_default())
    }

    /// Whether lineage was asked for.
    pub fn keeps_lineage(&self) -> bool {
        self.rows.is_some()
    }

    pub fn issue_count(&self) -> usize {
        self.issues.borrow().len()
    }

    /// Runs a frame: the work once for each item for which all conditions hold.
    pub fn framed(&self, frame: &'a Frame, this: &Item<'a>, trail: &Trail<'_>, work: &mut dyn FnMut(&Item<'a>)) {
        let Some(each) = &frame.each else {
            if frame.steps.is_empty() {
                return work(this);
            }
            return self.wanted(frame, this, trail, work);
        };
        if !self.run.may(&each.need) {
            return;
        }
        let items = match self.run.muted(|| self.run.eval(&each.expr, Focus::on(this))) {
            Ok(items) => items,
            Err(problem) => return self.problem(each, this, trail, *problem),
        };
        for (index, item) in items.iter().enumerate() {
            each.used.mark();
            let before = self.run.swap_each_index(index);
            self.wanted(frame, item, trail, work);
            self.run.swap_each_index(before);
        }
    }

    fn wanted(&self, frame: &'a Frame, this: &Item<'a>, trail: &Trail<'_>, work: &mut dyn FnMut(&Item<'a>)) {
        for step in &frame.steps {
            match step {
                FrameStep::Let(slot, rule) => self.run.set(*slot, self.value(rule, this, trail)),
                FrameStep::When(when) if !self.run.may(&when.need) => return,
                FrameStep::When(when) => match self.run.muted(|| self.run.truth(&when.expr, Focus::on(this))) {
                    Ok(Some(true)) => when.used.mark(),
                    Ok(_) => return,
                    Err(problem) => return self.problem(when, this, trail, *problem),
                },
            }
        }
        work(this);
    }

    /// The value of a rule; a problem becomes an issue and gives nothing.
    pub fn value(&self, rule: &'a Rule, this: &Item<'a>, trail: &Trail<'_>) -> Items<'a> {
        if self.keeps_lineage() {
            // What a rule before this one read without making anything.
            self.run.take_trace();
        }
        if !self.run.may(&rule.need) {
            return Items::None;
        }
        match self.run.written(&rule.expr, Focus::on(this)) {
            Ok(items) => {
                if items.iter().next().is_some() {
                    rule.used.mark();
                }
                items
            }
            Err(problem) => {
                self.problem(rule, this, trail, *problem);
                Items::None
            }
        }
    }

    /// Hands on the items of a rule; a problem becomes an issue, and makes false of it.
    pub fn hand(&self, rule: &'a Rule, this: &Item<'a>, trail: &Trail<'_>, taker: &mut dyn Taker<'a>) -> bool {
        if self.keeps_lineage() {
            // What was read is known when the rule has run to its end.
            self.value(rule, this, trail).hand_to(taker);
            return true;
        }
        if !self.run.may(&rule.need) {
            return true;
        }
        let mut any = false;
        let handed = self.run.gather(
            &rule.expr,
            Focus::on(this),
            &mut With(|item| {
                any = true;
                taker.take(item)
            }),
        );
        match handed {
            Ok(_) if any => rule.used.mark(),
            Ok(_) => {}
            Err(problem) => {
                self.problem(rule, this, trail, *problem);
                return false;
            }
        }
        true
    }

    /// Tells of a rule that could not be carried out.
    pub fn problem(&self, rule: &'a Rule, this: &Item<'a>, trail: &Trail<'_>, problem: Problem) {
        let at = self.place(rule, this);
        let target = trail.text();
        let text = if target.is_empty() { problem.text } else { format!("{target}: {}", problem.text) };
        let issue = Issue::error(problem.code, at, text).hint(problem.hint);
        let mut issues = self.issues.borrow_mut();
        if !issues.contains(&issue) {
            issues.push(issue);
        }
    }

    /// Tells of a value that the target requires and the source lacks.
    pub fn missing(&self, rule: Option<&'a Rule>, this: &Item<'a>, trail: &Trail<'_>) {
        let mut at = self.path_of(this).unwrap_or_default();
        if let Some(path) = rule.and_then(Rule::plain_path) {
            at = if at.is_empty() { path } else { format!("{at}.{path}") };
        }
        let text = format!("{}: this value is required, but missing", trail.text());
        let hint = match rule {
            Some(rule) => format!("it is read from `{}`", shortened(&rule.text)),
            None => "the mapping has no rule for it".to_owned(),
        };
        let place = match (self.source, rule) {
            (Source::Fhir, _) => Place::FhirPath(at),
            (Source::Record, _) => Place::Record(at),
            (Source::Answer, Some(rule)) => super::mistakes::place(&rule.at),
            (Source::Answer, None) => Place::Whole,
        };
        self.issues.borrow_mut().push(Issue::error(codes::MAPPING_MISSING, place, text).hint(hint));
    }

    /// The place of what a rule read, found by running it again with a trace.
    fn place(&self, rule: &'a Rule, this: &Item<'a>) -> Place {
        if self.source == Source::Answer {
            return super::mistakes::place(&rule.at);
        }
        if self.rows.is_none() {
            self.run.trace(true);
        }
        self.run.take_trace();
        let _ = self.run.written(&rule.expr, Focus::on(this));
        let read = self.run.take_trace();
        self.run.trace(self.rows.is_some());
        let path = read.last().and_then(|value| self.path_of_value(value)).or_else(|| self.path_of(this));
        let path = path.unwrap_or_default();
        if self.source == Source::Fhir { Place::FhirPath(path) } else { Place::Record(path) }
    }

    /// Keeps where a made value came from, when lineage is asked for. Call it right after the rule has run.
    pub fn keep(&self, rule: &'a Rule, trail: &Trail<'_>, value: &str) {
        let Some(rows) = &self.rows else { return };
        let mut read = self.run.take_trace();
        // Objects were passed through on the way to what they hold; alone, they are the source.
        if read.iter().any(|part| !part.is_object()) {
            read.retain(|part| !part.is_object());
        }
        let mut sources: Vec<String> = Vec::new();
        for part in read {
            sources.extend(self.path_of_value(part).filter(|path| !sources.contains(path)));
        }
        let rule = format!("{}:{}", rule.at.file, rule.at.line);
        let (target, value) = (trail.text(), value.to_owned());
        rows.borrow_mut().push(LineageRow { target, rule, sources, value, ordinal: None });
    }

    /// How many values lineage has been kept of.
    pub fn row_count(&self) -> usize {
        self.rows.as_ref().map_or(0, |rows| rows.borrow().len())
    }

    fn path_of(&self, item: &Item<'a>) -> Option<String> {
        self.path_of_value(item.value()?)
    }

    /// The path of a part of the source. All paths are found at the first question.
    fn path_of_value(&self, part: &Value) -> Option<String> {
        let mut paths = self.paths.borrow_mut();
        if paths.is_empty() {
            for (name, root) in &self.roots {
                index(root, name.clone().into_owned(), &mut paths);
            }
            let resolver = self.resolver.into_iter();
            for (resolver, resource) in
                resolver.flat_map(|resolver| resolver.all().into_iter().map(move |r| (resolver, r)))
            {
                if !paths.contains_key(&std::ptr::from_ref(resource)) {
                    index(resource, resolver.path_of(resource).unwrap_or_default(), &mut paths);
                }
            }
        }
        paths.get(&std::ptr::from_ref(part)).cloned()
    }
}

/// The path of every part below a value.
fn index(value: &Value, path: String, paths: &mut HashMap<*const Value, String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                index(value, inner, paths);
            }
        }
        Value::Array(items) => {
            for (n, value) in items.iter().enumerate() {
                index(value, format!("{path}[{n}]"), paths);
            }
        }
        _ => {}
    }
    paths.insert(std::ptr::from_ref(value), path);
}

/// How much of a rule a hint shows.
const SHOWN: usize = 120;

fn shortened(text: &str) -> String {
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    text.chars().take(SHOWN).chain("…".chars()).collect()
}
