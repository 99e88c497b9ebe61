//! From the lines of a rule to the loops and segments of each guide that it is for.

use crate::fault::{Issue, codes};
use crate::x12::guide::{Guide, LoopIx, SegmentIx, Usage};
use crate::x12::situations::notation::{self, RawTerm, Stanza};
use crate::x12::situations::{Check, EVERY, LoopRules, Predicate, Scope, Situation, Term, Test, segment_bit};
use std::sync::Arc;

/// Loops above a loop, at most.
const DEPTH: usize = 8;

/// Puts a rule into each loop of each guide that it is for. A term that a guide does not know holds of nothing there; a
/// rule that no guide can follow is a mistake.
pub(crate) fn compile(stanza: &Stanza, guides: &mut [Guide]) -> Result<Arc<Check>, Vec<Issue>> {
    let check = Arc::new(words(stanza, codes::X12_SITUATION).map_err(|issue| vec![issue])?);
    let (clauses, issues) = clauses(stanza);
    if !issues.is_empty() {
        return Err(issues);
    }
    let names: Vec<&str> = stanza.line("in").map_or("*", |line| line.rest.as_str()).split_whitespace().collect();
    let mut used = 0;
    let wanted = |guide: &Guide| stanza.guides.is_empty() || stanza.guides.contains(&guide.name);
    for guide in guides.iter_mut().filter(|guide| wanted(guide)) {
        let is_named = |id: &str| names.contains(&"*") || names.contains(&id);
        let ixs: Vec<_> = guide.loop_ixs().filter(|(_, spec)| is_named(&spec.id)).map(|(ix, _)| ix).collect();
        for ix in ixs {
            let rules = in_loop(guide, ix, &check, &clauses);
            used += rules.len();
            guide.situations[usize::from(ix.0)].add(rules);
        }
    }
    match used {
        0 => Err(vec![stanza.at.issue("no guide has the loops, segments and elements that this rule speaks of")]),
        _ => Ok(check),
    }
}

/// The words of a check.
pub(crate) fn words(stanza: &Stanza, code: &'static str) -> Result<Check, Issue> {
    let Some(severity) = stanza.severity() else {
        return Err(stanza.at.issue("the severity is one of error, warning, note"));
    };
    let (name, say, mend) = (stanza.name.clone(), stanza.text("say"), stanza.text("mend"));
    match name.is_empty() || say.is_empty() || mend.is_empty() {
        true => Err(stanza.at.issue("a check has a name, and lines `say` and `mend`")),
        false => Ok(Check { name, severity, code, guides: stanza.guides.clone(), say, mend }),
    }
}

/// One line `when`, `need` or `forbid`.
struct Clause<'s> {
    key: &'s str,
    terms: Vec<RawTerm<'s>>,
    operator: &'s str,
    /// Values, or the one term to compare with.
    operand: &'s str,
    other: Option<RawTerm<'s>>,
}

fn clauses(stanza: &Stanza) -> (Vec<Clause<'_>>, Vec<Issue>) {
    let (mut clauses, mut issues) = (Vec::new(), Vec::new());
    for line in stanza.lines.iter().filter(|line| ["when", "need", "forbid"].contains(&line.key.as_str())) {
        match clause(line) {
            Some(clause) => clauses.push(clause),
            None => {
                issues.push(line.at.issue("not understood: a condition is `CLM05-3 = 7 8`, `DTP*439`, `N3 absent` …"))
            }
        }
    }
    if !clauses.iter().any(|clause| clause.key != "when") {
        issues.push(stanza.at.issue("a rule has a line `need` or `forbid`"));
    }
    (clauses, issues)
}

/// Operators, and whether a term stands behind them.
const OPERATORS: [(&str, bool); 13] = [
    ("present", false),
    ("absent", false),
    ("=", false),
    ("!=", false),
    ("zero", false),
    ("nonzero", false),
    ("distinct", false),
    ("ordered", false),
    ("sequence", false),
    ("==", true),
    (">=", true),
    ("<=", true),
    ("into", true),
];

fn clause(line: &notation::Line) -> Option<Clause<'_>> {
    let (terms, rest) = line.rest.split_once(char::is_whitespace).unwrap_or((&line.rest, "present"));
    let (operator, operand) = rest.trim().split_once(char::is_whitespace).unwrap_or((rest.trim(), ""));
    let takes_term = match OPERATORS.iter().find(|(name, _)| *name == operator) {
        Some((_, takes_term)) => *takes_term,
        None => return None,
    };
    let operand = operand.trim();
    let other = if takes_term { Some(notation::term(operand)?) } else { None };
    if ["=", "!="].contains(&operator) && operand.is_empty() {
        return None;
    }
    let terms: Option<Vec<_>> = terms.split(',').map(notation::term).collect();
    Some(Clause { key: &line.key, terms: terms?, operator, operand, other })
}

/// The rules of one loop: one for each line `need` or `forbid`.
fn in_loop(guide: &Guide, ix: LoopIx, check: &Arc<Check>, clauses: &[Clause<'_>]) -> Vec<Situation> {
    let (conditions, demands): (Vec<_>, Vec<_>) = clauses.iter().partition(|clause| clause.key == "when");
    let one = |demand: &&Clause<'_>| {
        let when: Option<Vec<_>> = conditions.iter().map(|clause| condition(guide, ix, clause)).collect();
        let when: Vec<Predicate> = when?.into_iter().flatten().collect();
        let asked = predicate(guide, ix, demand).filter(|asked| !asked.terms.is_empty())?;
        let forbids = demand.key == "forbid";
        let asked_gate = Some(&asked).filter(|asked| forbids || !matches!(asked.test, Test::Present));
        let all = when.iter().chain(asked_gate).filter_map(|predicate| gate(guide, ix, predicate));
        let (single, gates): (Vec<_>, Vec<_>) = all.partition(|gate: &u128| gate.is_power_of_two());
        let must = single.into_iter().fold(0, |all, gate| all | gate);
        let rule = Situation {
            check: check.clone(),
            when,
            demand: asked,
            forbids,
            looks_out: false,
            gates,
            must,
            probe: None,
        };
        let looks_out = rule.terms().filter_map(|term| term.scope.as_ref()).any(|scope| !scope.above.contains(ix));
        Some(Situation { looks_out, ..rule })
    };
    demands.iter().filter_map(one).collect()
}

impl LoopRules {
    /// Adds rules, and the probes of their first conditions.
    fn add(&mut self, rules: Vec<Situation>) {
        for mut rule in rules {
            let is_probed = |first: &&Predicate| matches!(first.test, Test::OneOf(_) | Test::Present | Test::Absent);
            if let Some(first) = rule.when.first().filter(is_probed) {
                let known = self.probes.iter().position(|terms| *terms == first.terms);
                rule.probe = Some(known.unwrap_or(self.probes.len()));
                if known.is_none() {
                    self.probes.push(first.terms.clone());
                }
            }
            self.rules.push(rule);
        }
    }
}

/// The segments of the loop of which one must be there for a predicate to say anything; none when it looks elsewhere, or holds
/// of what is absent.
fn gate(guide: &Guide, ix: LoopIx, predicate: &Predicate) -> Option<u128> {
    let own = predicate.terms.iter().all(|term| term.scope.is_none() && !term.segments.is_empty());
    let bits = predicate.terms.iter().flat_map(|term| &term.segments).map(|segment| segment_bit(guide, ix, *segment));
    (own && !matches!(predicate.test, Test::Absent)).then(|| bits.fold(0, |all, bit| all | bit))
}

/// A condition in a guide: `None` when it can't hold, `Some(None)` when it always does.
fn condition(guide: &Guide, ix: LoopIx, clause: &Clause<'_>) -> Option<Option<Predicate>> {
    let made = predicate(guide, ix, clause)?;
    match (made.terms.is_empty(), &made.test) {
        (false, _) => Some(Some(made)),
        (true, Test::Absent) => Some(None),
        (true, _) => None,
    }
}

fn predicate(guide: &Guide, ix: LoopIx, clause: &Clause<'_>) -> Option<Predicate> {
    let terms = clause.terms.iter().filter_map(|raw| term(guide, ix, raw)).collect();
    let other = || clause.other.as_ref().and_then(|raw| term(guide, ix, raw));
    let patterns = || notation::patterns(clause.operand);
    let test = match clause.operator {
        "present" => Test::Present,
        "absent" => Test::Absent,
        "=" => Test::OneOf(patterns()),
        "!=" => Test::NoneOf(patterns()),
        "zero" => Test::Zero,
        "nonzero" => Test::NonZero,
        "distinct" => Test::Distinct(patterns()),
        "ordered" => Test::Ordered,
        "sequence" => Test::Sequence,
        "==" => Test::Equals(other()?),
        ">=" => Test::NotBefore(other()?),
        "<=" => Test::NotAfter(other()?),
        _ => Test::PointsInto(other()?),
    };
    Some(Predicate { terms, test })
}

/// A term in a guide; `None` when the guide has no such loop, segment or element, or does not use it.
fn term(guide: &Guide, own: LoopIx, raw: &RawTerm<'_>) -> Option<Term> {
    let scope = match raw.in_loop {
        None => None,
        Some(id) => {
            let ix = guide.loop_ix(id)?;
            let apart = guide.loop_ixs().map(|(ix, _)| ix).filter(|ix| guide.is_apart(*ix)).collect();
            Some(Scope { ix, above: above(guide, ix).into_iter().collect(), apart }).filter(|scope| scope.ix != own)
        }
    };
    if scope.as_ref().is_some_and(|scope| !is_seen(guide, own, scope, raw)) {
        return None;
    }
    let ix = scope.as_ref().map_or(own, |scope| scope.ix);
    if raw.id.is_empty() {
        let (segments, qualifier, id) = Default::default();
        return Some(Term { scope, segments, qualifier, element: 0, component: 0, id });
    }
    let named = guide.segments_of(ix).filter(|(_, spec)| spec.id == raw.id && spec.usage != Usage::NotUsed);
    let answers = named.filter(|(_, spec)| raw.qualifier.is_none_or(|code| spec.answers_to(code)));
    let has = |ix: &SegmentIx| {
        let element = guide.segment_at(*ix).element(raw.element, raw.component);
        [0, EVERY].contains(&raw.element) || element.is_some_and(|spec| spec.usage != Usage::NotUsed)
    };
    let segments: Vec<SegmentIx> = answers.map(|(ix, _)| ix).filter(has).collect();
    let spec = guide.segment_at(*segments.first()?);
    let qualifier = raw.qualifier.map(|code| (spec.qualifier_at.0, spec.qualifier_at.1, code.replace('_', " ")));
    Some(Term { scope, segments, qualifier, element: raw.element, component: raw.component, id: raw.id.to_owned() })
}

/// Whether a loop may be seen from another: it is around it, or below it or one around it, and no unit or level between. Of
/// such a one it is seen whether it is there, but from the loop around it alone.
fn is_seen(guide: &Guide, own: LoopIx, scope: &Scope, raw: &RawTerm<'_>) -> bool {
    let around = above(guide, own);
    let is_around = |ix: &LoopIx| *ix == own || around.contains(ix);
    if is_around(&scope.ix) {
        return true;
    }
    let parents = &guide.loop_at(scope.ix).parents;
    match scope.apart.contains(scope.ix) {
        true => parents.contains(&own) && raw.id.is_empty(),
        false => {
            let between = scope.above.iter().filter(|ix| !scope.apart.contains(*ix));
            let holders = between.flat_map(|ix| &guide.loop_at(ix).parents).chain(parents);
            holders.into_iter().any(is_around)
        }
    }
}

/// The loops that a loop may stand in, and theirs.
fn above(guide: &Guide, ix: LoopIx) -> Vec<LoopIx> {
    let mut all: Vec<LoopIx> = guide.loop_at(ix).parents.clone();
    for _ in 0..DEPTH {
        let more: Vec<_> = all.iter().flat_map(|ix| guide.loop_at(*ix).parents.iter().copied()).collect();
        let fresh: Vec<_> = more.into_iter().filter(|ix| !all.contains(ix)).collect();
        all.extend(fresh);
    }
    all.dedup();
    all
}
