//! From the lines of `codes.rules` to the segments of each guide.

use crate::assets::Folder;
use crate::fault::{Issue, codes};
use crate::x12::code_sets::forms::FORMS;
use crate::x12::code_sets::lists::{self, Lists};
use crate::x12::code_sets::{CodeCheck, CodeSet, Condition};
use crate::x12::guide::{Guide, SegmentSpec, Usage};
use crate::x12::situations::notation::{self, Line, RawTerm, Stanza};
use crate::x12::situations::{Check, EVERY, words};
use std::collections::HashMap;
use std::sync::Arc;

/// The sets by name, and the code checks put into the segments of all guides; all mistakes at once.
pub(crate) fn compile(
    stanzas: &[Stanza],
    guides: &mut [Guide],
    folder: &Folder,
    lists: &Lists,
) -> (Vec<Arc<Check>>, Vec<Issue>) {
    let (mut sets, mut checks, mut issues) = (HashMap::new(), Vec::new(), Vec::new());
    for stanza in stanzas.iter().filter(|stanza| stanza.kind == "set") {
        match set(stanza, folder, lists) {
            Ok(set) => _ = sets.insert(stanza.name.as_str(), Arc::new(set)),
            Err(issue) => issues.push(issue),
        }
    }
    for stanza in stanzas.iter().filter(|stanza| stanza.kind == "code") {
        match code(stanza, guides, &sets) {
            Ok(check) => checks.push(check),
            Err(issue) => issues.push(issue),
        }
    }
    (checks, issues)
}

/// `set npi form npi`, `set states table states to`, `set country list country`: any of them together.
fn set(stanza: &Stanza, folder: &Folder, lists: &Lists) -> Result<CodeSet, Issue> {
    let mut set = CodeSet { name: stanza.name.clone(), ..CodeSet::default() };
    let mut words = stanza.words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let name = words.next().unwrap_or_default();
        match word {
            "form" => set.form = FORMS.iter().find(|(form, _)| *form == name).map(|(_, form)| *form),
            "table" => set.list = lists.table(name, words.next().unwrap_or_default()),
            "list" => set.list = folder.text(&format!("x12/codes/{name}.txt")).map(|text| lists::codes(&text)),
            _ => return Err(stanza.at.issue("a set has a form, a table and its column, or a list")),
        }
    }
    if set.form.is_none() && set.list.is_none() {
        return Err(stanza.at.issue("there is no such form, table, column or list"));
    }
    if let Some(whole) = lists.whole(&set.name) {
        set.list = Some(whole);
    }
    Ok(set)
}

fn code(stanza: &Stanza, guides: &mut [Guide], sets: &HashMap<&str, Arc<CodeSet>>) -> Result<Arc<Check>, Issue> {
    let (error_code, family) = kind(stanza)?;
    let check = Arc::new(words(stanza, family)?);
    let Some(set) = stanza.line("in").and_then(|line| sets.get(line.rest.as_str())) else {
        return Err(stanza.at.issue("a code check has a line `in` with the name of a set"));
    };
    let mut used = 0;
    for line in stanza.lines("at") {
        let target =
            target(line).ok_or_else(|| line.at.issue("not understood: `NM109 when NM108 = XX`, or `@states`"))?;
        let when = target.conditions();
        for guide in guides.iter_mut().filter(|guide| stanza.guides.is_empty() || stanza.guides.contains(&guide.name)) {
            for ix in segments(stanza, guide) {
                let (spec, known) = (&guide.segments[ix], &guide.codes[ix]);
                let make = |(element, component)| CodeCheck {
                    check: check.clone(),
                    set: set.clone(),
                    element,
                    component,
                    when: when.clone(),
                    error_code,
                };
                // Several lines may name one element.
                let is_new = |made: &CodeCheck| {
                    !known.iter().any(|other| other.check.name == made.check.name && other.is_at(made))
                };
                let made: Vec<_> = target.at(spec).map(make).filter(is_new).collect();
                used += made.len();
                guide.codes[ix].extend(made);
            }
        }
    }
    match used {
        0 => Err(stanza.at.issue("no guide has the elements that this check is for")),
        _ => Ok(check),
    }
}

/// The segments of the loops that a check is for (line `loops`); all of them when it names none.
fn segments(stanza: &Stanza, guide: &Guide) -> Vec<usize> {
    let Some(line) = stanza.line("loops") else { return (0..guide.segments.len()).collect() };
    let named = guide.loops.iter().filter(|spec| line.rest.split_whitespace().any(|id| id == &*spec.id));
    named.flat_map(|spec| &spec.segments).map(|ix| usize::from(ix.0)).collect()
}

/// IK403 (line `ik`) and family: 7 invalid code when nothing is said; 8 invalid date and 9 invalid time are syntax.
fn kind(stanza: &Stanza) -> Result<(&'static str, &'static str), Issue> {
    const KINDS: [(&str, &str); 3] = [("7", codes::X12_CODE), ("8", codes::X12_SYNTAX), ("9", codes::X12_SYNTAX)];
    let Some(line) = stanza.line("ik") else { return Ok(KINDS[0]) };
    let found = KINDS.iter().find(|(code, _)| *code == line.rest).copied();
    found.ok_or_else(|| line.at.issue("ik is 7, 8 or 9"))
}

/// What one line `at` names.
struct Target<'s> {
    what: What<'s>,
    when: Vec<(RawTerm<'s>, &'s str)>,
}

enum What<'s> {
    /// Elements that the guides say to be of an external list.
    External(&'s str),
    Terms(Vec<RawTerm<'s>>),
}

/// `CAS02,CAS05`, `NM109 when NM108 = XX`, `HI**-2 when HI**-1 = ABK ABF`, `@states`.
fn target(line: &Line) -> Option<Target<'_>> {
    let (what, conditions) = line.rest.split_once(" when ").unwrap_or((&line.rest, ""));
    let mut when = Vec::new();
    for condition in conditions.split(" and ").filter(|text| !text.is_empty()) {
        let (term, values) = condition.split_once(" = ")?;
        when.push((notation::term(term.trim())?, values));
    }
    let what = match what.strip_prefix('@') {
        Some(list) => What::External(list.trim()),
        None => What::Terms(what.split(',').map(|text| notation::term(text.trim())).collect::<Option<_>>()?),
    };
    Some(Target { what, when })
}

impl Target<'_> {
    /// Elements and components of a segment that are meant.
    fn at(&self, spec: &SegmentSpec) -> impl Iterator<Item = (usize, usize)> {
        let found = match &self.what {
            What::External(list) => external(spec, list),
            What::Terms(terms) => {
                let own = terms.iter().filter(|term| term.id == spec.id && self.may_hold(spec));
                own.filter(|term| is_used(spec, term)).map(|term| (term.element, term.component)).collect()
            }
        };
        found.into_iter()
    }

    /// Whether the conditions are not such that the codes of the guide rule them out.
    fn may_hold(&self, spec: &SegmentSpec) -> bool {
        self.when.iter().all(|(term, values)| {
            let codes = spec.element(term.element, term.component).map_or(&[][..], |element| &element.codes);
            let patterns = notation::patterns(values);
            codes.is_empty() || codes.iter().any(|code| patterns.iter().any(|pattern| pattern.holds(code)))
        })
    }

    fn conditions(&self) -> Arc<[Condition]> {
        let one = |(term, values): &(RawTerm<'_>, &str)| Condition {
            element: term.element,
            component: term.component,
            patterns: notation::patterns(values),
        };
        self.when.iter().map(one).collect()
    }
}

fn is_used(spec: &SegmentSpec, term: &RawTerm<'_>) -> bool {
    term.element == EVERY || spec.element(term.element, term.component).is_some_and(|spec| spec.usage != Usage::NotUsed)
}

/// Elements and components of a segment that the guide says to be of an external list.
fn external(spec: &SegmentSpec, list: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (n, element) in (1..).zip(&spec.elements) {
        let own = std::iter::once((0, element));
        let all = own.chain((1..).zip(&element.components)).filter(|(_, part)| part.usage != Usage::NotUsed);
        found.extend(all.filter(|(_, part)| part.external.as_deref() == Some(list)).map(|(c, _)| (n, c)));
    }
    found
}
