//! What a guide says about the elements of one segment and the contents of one loop: the same rules for what is read and
//! for what is about to be written.

use crate::x12::build::{Element, ElementProblem, problem_of};
use crate::x12::delimiters::Delimiters;
use crate::x12::guide::{ElementKind, ElementSpec, Guide, LoopIx, Relation, SegmentIx, SegmentSpec, Syntax, Usage};
use crate::x12::guide_file::bit;
use crate::x12::segment;

/// Something wrong with an element. Positions count from 1; 0 is none.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    pub element: usize,
    pub component: usize,
    pub repetition: usize,
    pub fault: ElementFault,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ElementFault {
    Missing,
    NotUsed,
    TooManyElements,
    TooManyComponents,
    TooManyRepetitions(u32),
    /// Elements of a relational note, of which this one is missing.
    Relation(Syntax),
    Value(ElementProblem),
    /// Empty elements or components at the end.
    TrailingEmpty,
}

impl ElementFault {
    /// IK403 of a 999.
    pub fn error_code(&self) -> &'static str {
        match self {
            ElementFault::Missing => "1",
            ElementFault::NotUsed => "I10",
            ElementFault::TooManyElements | ElementFault::TrailingEmpty => "3",
            ElementFault::TooManyComponents => "13",
            ElementFault::TooManyRepetitions(_) => "12",
            ElementFault::Relation(syntax) if syntax.relation == Relation::Exclusive => "10",
            ElementFault::Relation(_) => "2",
            ElementFault::Value(problem) => problem.error_code(),
        }
    }

    /// Breaks X12 itself, not only the guide (SNIP 1).
    pub fn is_syntax(&self) -> bool {
        let value = |problem: &ElementProblem| !matches!(problem, ElementProblem::Code | ElementProblem::Decimals);
        match self {
            ElementFault::TrailingEmpty | ElementFault::TooManyElements | ElementFault::TooManyComponents => true,
            ElementFault::Value(problem) => value(problem),
            _ => false,
        }
    }

    /// Everybody reads it as it was meant.
    pub fn is_harmless(&self) -> bool {
        matches!(self, ElementFault::TrailingEmpty | ElementFault::Value(ElementProblem::Spaces))
    }

    /// What is wrong, for people; `spec` is the element's when it has one.
    pub fn text(&self, spec: Option<&ElementSpec>) -> String {
        match (self, spec) {
            (ElementFault::Missing, _) => "is required and missing".to_owned(),
            (ElementFault::NotUsed, _) => "is not used here".to_owned(),
            (ElementFault::TooManyElements, _) => "stands after the last element of the segment".to_owned(),
            (ElementFault::TooManyComponents, _) => "has more components than it may".to_owned(),
            (ElementFault::TooManyRepetitions(1), _) => "may not repeat".to_owned(),
            (ElementFault::TooManyRepetitions(max), _) => format!("repeats more than {max} times"),
            (ElementFault::TrailingEmpty, _) => "is empty at the end, and should have been left out".to_owned(),
            (ElementFault::Relation(syntax), _) => relation_text(syntax),
            (ElementFault::Value(problem), Some(spec)) => problem.text(spec),
            (ElementFault::Value(_), None) => "has a value that can't stand here".to_owned(),
        }
    }
}

impl ElementFault {
    /// How to mend it; `name` is the element's: `NM109`, `CLM05-3`.
    pub fn hint(&self, name: &str) -> String {
        match self {
            ElementFault::Missing => format!("fill {name}"),
            ElementFault::NotUsed => format!("leave {name} empty; the value may belong to another element or segment"),
            ElementFault::TooManyElements | ElementFault::TooManyComponents => {
                format!("count the separators before {name}: one may be too many, or stand inside a value")
            }
            ElementFault::TooManyRepetitions(_) => "leave the others out, or send the segment again".to_owned(),
            ElementFault::TrailingEmpty => "end the segment after its last value".to_owned(),
            ElementFault::Relation(_) => format!("fill {name}, or leave out what goes with it"),
            ElementFault::Value(ElementProblem::Code) => format!("send one of these codes in {name}, in capitals"),
            ElementFault::Value(_) => format!("correct {name}"),
        }
    }
}

fn relation_text(syntax: &Syntax) -> String {
    let (first, rest) = syntax.elements.split_first().unwrap_or((&0, &[]));
    let names = |elements: &[usize]| elements.iter().map(|n| format!("{n:02}")).collect::<Vec<_>>().join(", ");
    match syntax.relation {
        Relation::Paired => format!("is needed: elements {} go together", names(&syntax.elements)),
        Relation::AtLeastOne => format!("is needed: one of the elements {} must be there", names(&syntax.elements)),
        Relation::Exclusive => {
            format!("excludes another: only one of the elements {} may be there", names(&syntax.elements))
        }
        Relation::Conditional => format!("is needed: with element {first:02} go {}", names(rest)),
        Relation::ListConditional => format!("is needed: with element {first:02} goes one of {}", names(rest)),
    }
}

/// An element of either kind: as read, or to be written.
pub(crate) trait View<'v>: Copy {
    fn is_absent(self) -> bool;
    fn repetitions(self) -> impl Iterator<Item = Self>;
    /// Repetitions are parted as components are: the ISA names no separator of their own, or the same for both.
    fn is_parted_alike(self) -> bool;
    fn parts(self) -> impl Iterator<Item = &'v str>;
    /// The text, when it is known to have neither repetitions nor components.
    fn plain(self) -> Option<&'v str> {
        None
    }
}

/// An element as it was read.
#[derive(Clone, Copy)]
pub(crate) struct Read<'v> {
    pub text: &'v str,
    pub delimiters: Delimiters,
}

impl<'v> View<'v> for Read<'v> {
    fn is_absent(self) -> bool {
        self.text.is_empty()
    }

    fn repetitions(self) -> impl Iterator<Item = Self> {
        segment::split(self.text, self.delimiters.repetition).map(move |text| Read { text, ..self })
    }

    fn is_parted_alike(self) -> bool {
        self.delimiters.repetition.is_none()
    }

    fn parts(self) -> impl Iterator<Item = &'v str> {
        segment::split(self.text, Some(self.delimiters.component))
    }

    fn plain(self) -> Option<&'v str> {
        let Delimiters { component, repetition, .. } = self.delimiters;
        let repetition = repetition.unwrap_or(component);
        let has_parts = self.text.bytes().any(|byte| byte == component || byte == repetition);
        (!has_parts).then_some(self.text)
    }
}

impl<'v> View<'v> for &'v Element {
    fn is_absent(self) -> bool {
        Element::is_absent(self)
    }

    fn repetitions(self) -> impl Iterator<Item = Self> {
        match self {
            Element::Repeated(all) => all.iter(),
            one => std::slice::from_ref(one).iter(),
        }
    }

    fn is_parted_alike(self) -> bool {
        false
    }

    fn parts(self) -> impl Iterator<Item = &'v str> {
        let parts = match self {
            Element::Composite(parts) => parts.as_slice(),
            Element::Text(text) => std::slice::from_ref(text),
            _ => &[],
        };
        parts.iter().map(String::as_str)
    }
}

/// Checks the elements of a segment, of which there are `count`.
pub(crate) fn check_elements<'v, V: View<'v>>(
    spec: &SegmentSpec,
    count: usize,
    elements: impl Iterator<Item = V>,
    report: &mut impl FnMut(Finding),
) {
    let mut present = 0u128;
    let (mut last, mut is_over) = (0, false);
    for (n, view) in (1..).zip(elements) {
        if view.is_absent() {
            continue;
        }
        last = n;
        present |= bit(n);
        match spec.elements.get(n - 1) {
            Some(element) => check_element(element, n, view, report),
            // The first that is too many stands for all.
            None if std::mem::replace(&mut is_over, true) => {}
            None => report(finding(n, ElementFault::TooManyElements)),
        }
    }
    if count > last {
        report(finding(count, ElementFault::TrailingEmpty));
    }
    let missing = spec.required & !present;
    let last = if missing == 0 { 0 } else { spec.elements.len() };
    for n in (1..=last).filter(|n| missing & bit(*n) != 0) {
        report(finding(n, ElementFault::Missing));
    }
    for syntax in &spec.syntax {
        if let Some(n) = broken(syntax, present)
            .filter(|n| spec.element(*n, 0).is_none_or(|element| element.usage != Usage::Required))
        {
            report(finding(n, ElementFault::Relation(syntax.clone())));
        }
    }
}

fn finding(element: usize, fault: ElementFault) -> Finding {
    Finding { element, component: 0, repetition: 0, fault }
}

/// The element at which a relational note is broken; bit n of `present` is set when element n is there.
fn broken(syntax: &Syntax, present: u128) -> Option<usize> {
    let is_exclusive = syntax.relation == Relation::Exclusive;
    // All of them or none of them is fine, but where one is demanded or forbidden.
    match (present & syntax.mask, syntax.relation) {
        (0, Relation::AtLeastOne) => return syntax.elements.first().copied(),
        (0, _) => return None,
        (here, _) if here == syntax.mask && !is_exclusive => return None,
        _ => {}
    }
    let elements = &syntax.elements;
    let first = *elements.first()?;
    let has = |n: usize| present & bit(n) != 0;
    let count = elements.iter().filter(|n| has(**n)).count();
    let missing = || elements.iter().copied().find(|n| !has(*n));
    match syntax.relation {
        Relation::Paired => missing().filter(|_| count > 0),
        Relation::AtLeastOne => (count == 0).then_some(first),
        Relation::Exclusive => elements.iter().copied().filter(|n| has(*n)).nth(1),
        Relation::Conditional => missing().filter(|_| has(first)),
        Relation::ListConditional => missing().filter(|_| has(first) && count == 1),
    }
}

/// Repetitions that are looked at though they are too many: what is wrong with the others is for the same reason.
const REPETITIONS_OVER: u32 = 3;

fn check_element<'v, V: View<'v>>(spec: &ElementSpec, n: usize, view: V, report: &mut impl FnMut(Finding)) {
    if spec.usage == Usage::NotUsed {
        return report(finding(n, ElementFault::NotUsed));
    }
    if spec.kind == ElementKind::B {
        return;
    }
    if spec.kind != ElementKind::Composite
        && let Some(text) = view.plain()
    {
        if let Some(problem) = problem_of(spec, text) {
            let repetition = usize::from(spec.repeat > 1);
            report(Finding { repetition, ..finding(n, ElementFault::Value(problem)) });
        }
        return;
    }
    let (mut repetitions, is_composite) = (0, spec.kind == ElementKind::Composite);
    for (nth, view) in (1..).zip(view.repetitions()) {
        repetitions = nth;
        // Of those that are too many the first few are looked at, and only at their separators.
        let is_over = nth > spec.repeat;
        if nth > spec.repeat.saturating_add(REPETITIONS_OVER) || (is_over && is_composite) {
            continue;
        }
        let mut report = |component, fault| {
            let repetition = if spec.repeat > 1 { nth as usize } else { 0 };
            report(Finding { element: n, component, repetition, fault });
        };
        match is_composite {
            true => check_composite(spec, view, &mut report),
            false => check_simple(spec, view, is_over, &mut report),
        }
    }
    if repetitions > spec.repeat {
        report(finding(n, ElementFault::TooManyRepetitions(spec.repeat)));
    }
}

/// `is_over`: it is one repetition too many.
fn check_simple<'v, V: View<'v>>(
    spec: &ElementSpec,
    view: V,
    is_over: bool,
    report: &mut impl FnMut(usize, ElementFault),
) {
    // A separator that may not stand there is the one fault, whatever its parts are.
    if view.parts().nth(1).is_some() && !(spec.repeat > 1 && view.is_parted_alike()) {
        return report(0, ElementFault::TooManyComponents);
    }
    for problem in view.parts().filter(|_| !is_over).filter_map(|text| problem_of(spec, text)) {
        report(0, ElementFault::Value(problem));
    }
}

fn check_composite<'v, V: View<'v>>(spec: &ElementSpec, view: V, report: &mut impl FnMut(usize, ElementFault)) {
    let (mut last, mut count) = (0, 0);
    let mut parts = view.parts();
    for (c, part) in (1..).zip(&spec.components) {
        let text = parts.next();
        count += usize::from(text.is_some());
        let text = text.unwrap_or_default();
        if !text.is_empty() {
            last = c;
        }
        match (part.usage, text.is_empty()) {
            (Usage::Required, true) => report(c, ElementFault::Missing),
            (_, true) => {}
            (Usage::NotUsed, false) => report(c, ElementFault::NotUsed),
            (_, false) => {
                problem_of(part, text).into_iter().for_each(|problem| report(c, ElementFault::Value(problem)))
            }
        }
    }
    if count > last && last > 0 {
        report(count, ElementFault::TrailingEmpty);
    }
    // A composite whose parts the guide does not list is taken as it is.
    if parts.any(|part| !part.is_empty()) && !spec.components.is_empty() {
        report(0, ElementFault::TooManyComponents);
    }
}

/// Something wrong with what a loop holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum LoopFault {
    SegmentMissing(SegmentIx),
    SegmentNotUsed(SegmentIx),
    /// A segment stands more often than it may; the first that is too many.
    SegmentTooOften(SegmentIx, u32),
    LoopMissing(LoopIx),
    LoopTooOften(LoopIx, u32),
}

impl LoopFault {
    /// IK304 of a 999.
    pub fn error_code(self) -> &'static str {
        match self {
            LoopFault::SegmentMissing(_) | LoopFault::LoopMissing(_) => "3",
            LoopFault::SegmentNotUsed(_) => "I4",
            LoopFault::SegmentTooOften(..) => "5",
            LoopFault::LoopTooOften(..) => "4",
        }
    }

    pub fn text(self, guide: &Guide) -> String {
        let segment = |ix| {
            let spec = guide.segment_at(ix);
            format!("{} ({})", spec.key(), spec.name)
        };
        let inner = |ix| {
            let spec = guide.loop_at(ix);
            format!("loop {} ({})", spec.id, spec.name)
        };
        match self {
            LoopFault::SegmentMissing(ix) => format!("{} is required and missing", segment(ix)),
            LoopFault::SegmentNotUsed(ix) => format!("{} is not used here", segment(ix)),
            LoopFault::SegmentTooOften(ix, max) => format!("{} stands more than {max} times", segment(ix)),
            LoopFault::LoopMissing(ix) => format!("{} is required and missing", inner(ix)),
            LoopFault::LoopTooOften(ix, max) => format!("{} stands more than {max} times", inner(ix)),
        }
    }

    /// How to mend it.
    pub fn hint(self, guide: &Guide) -> String {
        let key = |ix| guide.segment_at(ix).key();
        let starter =
            |ix| guide.starter(ix).map_or_else(String::new, |spec| format!(", which begins with {}", spec.key()));
        match self {
            LoopFault::SegmentMissing(ix) => format!("send {}", key(ix)),
            LoopFault::SegmentNotUsed(ix) => {
                format!("leave {} out, or move it to the loop that it belongs to", key(ix))
            }
            LoopFault::SegmentTooOften(ix, max) => format!("send {} at most {max} times", key(ix)),
            LoopFault::LoopMissing(ix) => format!("send loop {}{}", guide.loop_at(ix).id, starter(ix)),
            LoopFault::LoopTooOften(ix, max) => format!("send loop {} at most {max} times", guide.loop_at(ix).id),
        }
    }

    /// The segment that it is about: of a loop, the one that begins it.
    pub fn segment(self, guide: &Guide) -> Option<SegmentIx> {
        match self {
            LoopFault::SegmentMissing(ix) | LoopFault::SegmentNotUsed(ix) | LoopFault::SegmentTooOften(ix, _) => {
                Some(ix)
            }
            LoopFault::LoopMissing(ix) | LoopFault::LoopTooOften(ix, _) => guide.loop_at(ix).segments.first().copied(),
        }
    }
}

/// Most kinds of segments or loops in one loop of a guide.
pub(crate) const MAX_KINDS: usize = 128;

/// Counts the segments and loops of a loop against the guide.
pub(crate) fn check_counts(
    guide: &Guide,
    of: LoopIx,
    segments: impl Iterator<Item = SegmentIx> + Clone,
    children: impl Iterator<Item = LoopIx> + Clone,
    report: &mut impl FnMut(LoopFault),
) {
    let spec = guide.loop_at(of);
    if spec.needs.are_met(segments.clone(), children.clone()) {
        return;
    }
    // The segments of a loop have indices one after another.
    let first = spec.segments.first().map_or(0, |ix| usize::from(ix.0));
    let mut counts = [0u32; MAX_KINDS];
    tally(segments.map(|ix| usize::from(ix.0).wrapping_sub(first)), &mut counts);
    for (ix, count) in spec.segments.iter().zip(counts.iter().copied()) {
        let segment = guide.segment_at(*ix);
        match (segment.usage, count) {
            (Usage::Required, 0) => report(LoopFault::SegmentMissing(*ix)),
            (_, 0) => {}
            (Usage::NotUsed, _) => report(LoopFault::SegmentNotUsed(*ix)),
            _ => too_often(count, segment.max).into_iter().for_each(|max| report(LoopFault::SegmentTooOften(*ix, max))),
        }
    }
    if spec.children.is_empty() {
        return;
    }
    let position = |child| spec.children.iter().position(|ix| *ix == child).unwrap_or(usize::MAX);
    counts.fill(0);
    tally(children.map(position), &mut counts);
    for (ix, count) in spec.children.iter().zip(counts.iter().copied()) {
        let child = guide.loop_at(*ix);
        match (child.usage, count) {
            (Usage::Required, 0) => report(LoopFault::LoopMissing(*ix)),
            (_, 0) => {}
            _ => too_often(count, child.max).into_iter().for_each(|max| report(LoopFault::LoopTooOften(*ix, max))),
        }
    }
}

/// Counts how often each number comes.
fn tally(numbers: impl Iterator<Item = usize>, counts: &mut [u32; MAX_KINDS]) {
    for number in numbers {
        if let Some(count) = counts.get_mut(number) {
            *count = count.saturating_add(1);
        }
    }
}

fn too_often(count: u32, max: Option<u32>) -> Option<u32> {
    max.filter(|max| count > *max)
}
