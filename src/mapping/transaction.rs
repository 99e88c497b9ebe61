//! Mappings that make X12: billing record → the loops of one transaction set. What stands where is checked against the
//! guide when the mapping is loaded ([`super::guided`]); order, levels and constants are `x12::build`'s work.

use super::Scope;
use super::fhirpath::eval::several;
use super::fhirpath::item::{Item, Items};
use super::lineage::Lineage;
use super::maker::{Maker, Trail};
use super::needs::Need;
use super::record::Common;
use super::template::{Frame, Rule};
use super::verdicts::Asked;
use crate::fault::Issue;
use crate::mapping::fhirpath::eval::Problem;
use crate::x12::build::{Element, LoopNode, SegmentNode, arrange, text_of};
use crate::x12::delimiters::Delimiters;
use crate::x12::guide::{ElementSpec, Guide, LoopIx, SegmentIx, Usage};
use serde_json::Value;
use std::sync::Arc;

/// Billing record → transaction set.
#[derive(Debug)]
pub struct TransactionMapping {
    pub guide: Arc<Guide>,
    pub(super) common: Common,
    pub(super) loops: Vec<LoopRules>,
}

/// One loop. Loops at the top of the mapping hang under the innermost loop made so far that the guide allows.
#[derive(Debug)]
pub struct LoopRules {
    pub spec: LoopIx,
    pub frame: Frame,
    /// Without this nothing in it comes from the record.
    pub need: Asked,
    pub segments: Vec<SegmentRules>,
    pub loops: Vec<LoopRules>,
}

impl LoopRules {
    /// What must be found for the loop to be made, as it can be asked from outside.
    fn need(&self) -> Need {
        if self.frame.asks() { self.frame.need() } else { self.need.need.clone() }
    }

    /// Every rule here and below.
    pub fn rules<'r>(&'r self, visit: &mut dyn FnMut(&'r Rule)) {
        self.frame.rules(visit);
        self.segments.iter().for_each(|segment| segment.rules(visit));
        self.loops.iter().for_each(|inner| inner.rules(visit));
    }

    /// The same of what stands in it.
    pub fn need_inside(&self) -> Need {
        let segments = self.segments.iter().map(SegmentRules::need);
        Need::any(segments.chain(self.loops.iter().map(LoopRules::need)))
    }
}

#[derive(Debug)]
pub struct SegmentRules {
    pub spec: SegmentIx,
    pub key: String,
    pub frame: Frame,
    /// Element, component (0 in a simple element) and code that the key says.
    pub qualifier: Option<(usize, usize, String)>,
    pub elements: Vec<ElementRules>,
    pub spread: Option<Spread>,
    /// Without this nothing in it comes from the record.
    pub need: Asked,
    /// Nothing here depends on the record.
    pub fixed: bool,
}

impl SegmentRules {
    /// What must be found for the segment to be made, as it can be asked from outside. Fixed values alone make no loop.
    fn need(&self) -> Need {
        if self.frame.asks() { self.frame.need() } else { self.need.need.clone() }
    }

    /// Every rule of it.
    pub fn rules<'r>(&'r self, visit: &mut dyn FnMut(&'r Rule)) {
        self.frame.rules(visit);
        self.elements.iter().for_each(|element| visit(&element.rule));
        if let Some(spread) = &self.spread {
            spread.frame.rules(visit);
            spread.parts.iter().for_each(|(_, rule)| visit(rule));
        }
    }

    /// Element, component and rule of everything that it makes; of a range, each element.
    pub fn places(&self) -> impl Iterator<Item = (usize, usize, &Rule)> {
        let own = self.elements.iter().map(|element| (element.element, element.component, &element.rule));
        let spread = self.spread.iter().flat_map(|spread| {
            (spread.from..=spread.to)
                .flat_map(|n| spread.parts.iter().map(move |(component, rule)| (n, *component, rule)))
        });
        own.chain(spread)
    }

    /// The same of what stands in it.
    pub fn need_inside(&self) -> Need {
        let own = self.elements.iter().map(|element| &element.rule);
        let own = own.filter(|rule| !rule.fixed).map(|rule| rule.need.need.clone().outside());
        let spread = self.spread.iter().map(|spread| spread.frame.need());
        Need::any(own.chain(spread))
    }
}

/// One element, or one component of a composite.
#[derive(Debug)]
pub struct ElementRules {
    /// As it stands in the mapping: `05-1`.
    pub name: String,
    pub element: usize,
    /// 0 in a simple element.
    pub component: usize,
    pub rule: Rule,
}

/// `02..12`: item by item from one element to another, and on into further segments.
#[derive(Debug)]
pub struct Spread {
    pub name: String,
    pub from: usize,
    pub to: usize,
    pub frame: Frame,
    /// Component and rule; component 0 is the whole element.
    pub parts: Vec<(usize, Rule)>,
}

impl TransactionMapping {
    /// Makes the loops of one record, with the usual delimiters. Issues name places in the record.
    pub fn make<'a>(&'a self, record: &'a Value, scope: &'a Scope<'a>) -> (LoopNode, Vec<Issue>) {
        self.make_with(record, scope, &Delimiters::default())
    }

    /// The same for a payer's own delimiters, which no value may hold.
    pub fn make_with<'a>(
        &'a self,
        record: &'a Value,
        scope: &'a Scope<'a>,
        delimiters: &Delimiters,
    ) -> (LoopNode, Vec<Issue>) {
        let writer = Writer { guide: &self.guide, maker: self.common.maker(record, scope, false), delimiters };
        let root = self.run(&writer, record);
        (root, writer.maker.issues())
    }

    /// Where each element comes from, with the ordinals that the segments have when they are written.
    pub fn lineage<'a>(&'a self, record: &'a Value, scope: &'a Scope<'a>) -> Lineage {
        let delimiters = Delimiters::default();
        let writer =
            Writer { guide: &self.guide, maker: self.common.maker(record, scope, true), delimiters: &delimiters };
        let mut root = self.run(&writer, record);
        arrange(&self.guide, &mut root);
        let mut lineage = writer.maker.lineage();
        number(&root, &mut 0, &mut lineage);
        lineage
    }

    fn run<'a>(&'a self, writer: &Writer<'_, 'a>, record: &'a Value) -> LoopNode {
        let mut tree = Tree { root: LoopNode::new(self.guide.root()), open: Vec::new() };
        let record = Item::node(record);
        writer.maker.framed(&self.common.frame, &record, &Trail::ROOT, &mut |item| {
            for rules in &self.loops {
                let mut made = Vec::new();
                writer.loops(rules, item, &Trail::ROOT, &mut made);
                made.into_iter().for_each(|node| tree.hang(&self.guide, node));
            }
        });
        tree.root
    }
}

/// The tree while the loops at the top of a mapping are hung into it.
struct Tree {
    root: LoopNode,
    /// The loops from the root to the one made last, as places among the children.
    open: Vec<usize>,
}

impl Tree {
    fn hang(&mut self, guide: &Guide, node: LoopNode) {
        let parents = &guide.loop_at(node.spec).parents;
        // A loop without its parent stays in sight below the root: the check of the guide names it.
        let depth = (0..=self.open.len())
            .rev()
            .find(|depth| self.at(*depth).is_some_and(|around| parents.contains(&around.spec)));
        self.open.truncate(depth.unwrap_or(0));
        let mut around = &mut self.root;
        for place in &self.open {
            around = match around.children.get_mut(*place) {
                Some(child) => child,
                None => return,
            };
        }
        around.children.push(node);
        let place = around.children.len() - 1;
        self.open.push(place);
    }

    fn at(&self, depth: usize) -> Option<&LoopNode> {
        self.open.iter().take(depth).try_fold(&self.root, |node, place| node.children.get(*place))
    }
}

/// The element number that carries a segment's mark while lineage is kept: past all that any guide has.
const MARK: usize = 200;

/// Writes the ordinals of marked segments into the lineage, in the order in which the tree is written.
fn number(node: &LoopNode, ordinal: &mut u32, lineage: &mut Lineage) {
    for segment in &node.segments {
        *ordinal += 1;
        if let Some(Element::Text(mark)) = segment.elements.get(MARK - 1)
            && let Some((from, to)) = mark.split_once('-')
            && let (Ok(from), Ok(to)) = (from.parse(), to.parse())
        {
            lineage.number(from, to, *ordinal);
        }
    }
    node.children.iter().for_each(|child| number(child, ordinal, lineage));
}

/// One run towards a guide.
struct Writer<'w, 'a> {
    guide: &'a Guide,
    maker: Maker<'a>,
    delimiters: &'w Delimiters,
}

impl<'a> Writer<'_, 'a> {
    fn loops(&self, rules: &'a LoopRules, this: &Item<'a>, trail: &Trail<'_>, made: &mut Vec<LoopNode>) {
        let id = &self.guide.loop_at(rules.spec).id;
        self.maker.framed(&rules.frame, this, trail, &mut |item| {
            if !rules.frame.asks() && !self.maker.run.may(&rules.need) {
                return;
            }
            let nth = || made.iter().filter(|node| node.spec == rules.spec).count() + 1;
            let place = trail.slash(id, rules.frame.each.is_some().then(nth));
            let mut node = LoopNode::new(rules.spec);
            let mut substantial = rules.frame.asks();
            for segment in &rules.segments {
                substantial |= self.segments(segment, item, &place, &mut node.segments);
            }
            for inner in &rules.loops {
                self.loops(inner, item, &place, &mut node.children);
            }
            if (substantial && !node.segments.is_empty()) || !node.children.is_empty() {
                made.push(node);
            }
        });
    }

    /// Makes the segments of one rule; whether anything in them came from the record.
    fn segments(
        &self,
        rules: &'a SegmentRules,
        this: &Item<'a>,
        trail: &Trail<'_>,
        out: &mut Vec<SegmentNode>,
    ) -> bool {
        let mut substantial = false;
        let before = out.len();
        self.maker.framed(&rules.frame, this, trail, &mut |item| {
            let nth = out.len() - before + 1;
            let place = trail.slash(&rules.key, rules.frame.each.is_some().then_some(nth));
            substantial |= self.segment(rules, item, &place, out);
        });
        substantial
    }

    fn segment(&self, rules: &'a SegmentRules, this: &Item<'a>, trail: &Trail<'_>, out: &mut Vec<SegmentNode>) -> bool {
        if !rules.frame.asks() && !rules.fixed && !self.maker.run.may(&rules.need) {
            return false;
        }
        let mut node = SegmentNode::new(rules.spec);
        node.elements.reserve(rules.elements.len() + 2);
        let first_row = self.maker.row_count();
        let mut substantial = false;
        for element in &rules.elements {
            substantial |= self.element(rules, element, this, trail, &mut node);
        }
        let more = rules.spread.as_ref().map(|spread| self.spread(rules, spread, this, trail, &mut node));
        let more = more.unwrap_or_default();
        substantial |= more.substantial;
        let any = node.elements.iter().any(|element| !element.is_absent());
        if !(substantial || (any && (rules.frame.asks() || rules.fixed))) {
            return false;
        }
        self.finish(rules, &mut node, first_row);
        out.push(node);
        for mut further in more.further {
            self.finish(rules, &mut further, self.maker.row_count());
            out.push(further);
        }
        substantial || rules.frame.asks()
    }

    /// Fills the qualifier of the key, and marks the segment when lineage is kept.
    fn finish(&self, rules: &SegmentRules, node: &mut SegmentNode, first_row: usize) {
        if let Some((element, component, code)) = &rules.qualifier {
            match component {
                0 if node.element_mut(*element).is_absent() => node.set(*element, code.as_str()),
                0 => {}
                component => node.element_mut(*element).fill_component(*component, code),
            }
        }
        if self.maker.keeps_lineage() {
            node.set(MARK, format!("{first_row}-{}", self.maker.row_count()));
        }
    }

    fn element(
        &self,
        segment: &SegmentRules,
        rules: &'a ElementRules,
        this: &Item<'a>,
        trail: &Trail<'_>,
        node: &mut SegmentNode,
    ) -> bool {
        let Some(spec) = self.guide.segment_at(segment.spec).element(rules.element, rules.component) else {
            return false;
        };
        let items = self.maker.value(&rules.rule, this, trail);
        if items.is_empty() {
            return false;
        }
        let place = trail.slash(&rules.name, None);
        let texts = self.texts(spec, &rules.rule, &items, this, &place);
        if texts.count() > 1 && spec.repeat <= 1 {
            self.maker.problem(&rules.rule, this, &place, *several(texts.count()));
            return false;
        }
        let substantial = texts.count() > 0 && !rules.rule.fixed;
        put(node, rules.element, rules.component, texts);
        substantial
    }

    /// The values of a rule as their element wants them; empty ones are left out.
    fn texts(
        &self,
        spec: &ElementSpec,
        rule: &'a Rule,
        items: &Items<'a>,
        this: &Item<'a>,
        trail: &Trail<'_>,
    ) -> Texts {
        let texts = items.iter().filter_map(|item| self.text(spec, rule, item, this, trail));
        let mut texts = texts.filter(|text| !text.is_empty());
        Texts { first: texts.next(), more: texts.collect() }
    }

    /// A value as its element wants it.
    fn text(
        &self,
        spec: &ElementSpec,
        rule: &'a Rule,
        item: &Item<'a>,
        this: &Item<'a>,
        trail: &Trail<'_>,
    ) -> Option<String> {
        let Some(raw) = item.as_text() else {
            let problem = Problem::value("a single value is needed here, not an object", "name a property of it");
            self.maker.problem(rule, this, trail, *problem);
            return None;
        };
        match text_of(spec, &raw, self.delimiters) {
            Ok(text) if spec.usage == Usage::NotUsed && !text.is_empty() => {
                let text = format!("{} has no use for this value", self.guide.id);
                self.maker.problem(rule, this, trail, *Problem::value(text, "leave it out, or say it elsewhere"));
                None
            }
            Ok(text) => {
                if self.maker.keeps_lineage() {
                    self.maker.keep(rule, trail, &text);
                }
                Some(text.into_owned())
            }
            Err(problem) => {
                let text = format!("{} {}", spec.name, problem.text(spec));
                self.maker.problem(rule, this, trail, *Problem::value(text, "correct the value"));
                None
            }
        }
    }

    /// Puts item after item into the elements of a range; what is left goes into further segments.
    fn spread(
        &self,
        segment: &SegmentRules,
        rules: &'a Spread,
        this: &Item<'a>,
        trail: &Trail<'_>,
        node: &mut SegmentNode,
    ) -> More {
        let mut more = More::default();
        let (mut element, mut last) = (rules.from, Some(SegmentNode::new(segment.spec)));
        self.maker.framed(&rules.frame, this, trail, &mut |item| {
            if element > rules.to {
                more.further.extend(last.take().filter(|_| more.wrapped));
                (more.wrapped, element, last) = (true, rules.from, Some(SegmentNode::new(segment.spec)));
            }
            let into =
                if more.wrapped { last.get_or_insert_with(|| SegmentNode::new(segment.spec)) } else { &mut *node };
            if self.spread_item(segment, rules, element, item, trail, into) {
                more.substantial = true;
                element += 1;
            }
        });
        more.further.extend(last.filter(|_| more.wrapped));
        more
    }

    fn spread_item(
        &self,
        segment: &SegmentRules,
        rules: &'a Spread,
        element: usize,
        this: &Item<'a>,
        trail: &Trail<'_>,
        into: &mut SegmentNode,
    ) -> bool {
        let mut any = false;
        for (component, rule) in &rules.parts {
            let Some(spec) = self.guide.segment_at(segment.spec).element(element, *component) else { continue };
            let name = if *component == 0 { format!("{element:02}") } else { format!("{element:02}-{component}") };
            let place = trail.slash(&name, None);
            let items = self.maker.value(rule, this, &place);
            let texts = self.texts(spec, rule, &items, this, &place);
            any |= texts.count() > 0 && !rule.fixed;
            put(into, element, *component, texts);
        }
        any
    }
}

/// What a range made beyond its first segment.
#[derive(Default)]
struct More {
    substantial: bool,
    wrapped: bool,
    further: Vec<SegmentNode>,
}

/// The values of one rule. Most rules give one, and need no list for it.
struct Texts {
    first: Option<String>,
    more: Vec<String>,
}

impl Texts {
    fn count(&self) -> usize {
        usize::from(self.first.is_some()) + self.more.len()
    }
}

/// Puts texts into an element or component; several are repetitions.
fn put(node: &mut SegmentNode, element: usize, component: usize, texts: Texts) {
    let Some(first) = texts.first else { return };
    match (texts.more.is_empty(), component) {
        (true, 0) => node.set(element, first),
        (false, 0) => {
            let all = std::iter::once(first).chain(texts.more);
            *node.element_mut(element) = Element::Repeated(all.map(Element::Text).collect());
        }
        (_, component) => node.element_mut(element).fill_component(component, &first),
    }
}
