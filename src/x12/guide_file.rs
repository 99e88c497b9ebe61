//! The notation of the guides in `conformance/x12/`, read line by line; all mistakes at once.

use crate::fault::{Issue, Place, codes};
use crate::x12::guide::{
    Content, ElementKind, ElementSpec, Guide, Item, LoopIx, LoopSpec, Relation, SegmentIx, SegmentSpec, Syntax, Tag,
    Usage,
};
use crate::x12::needs::Needs;
use crate::x12::numbering;
use crate::x12::routes::Qualifiers;
use crate::x12::rules::MAX_KINDS;
use crate::x12::spots::Spots;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Reads the text of one guide; `path` names it in issues, and its stem is the guide's name.
pub(crate) fn parse(path: &str, text: &str) -> Result<Guide, Vec<Issue>> {
    let mut file = File { path, line: 0, issues: Vec::new(), guide: empty(path), units: (0, ""), links: Vec::new() };
    for (n, line) in text.lines().enumerate() {
        file.line = u32::try_from(n + 1).unwrap_or(u32::MAX);
        if !line.trim().is_empty() && file.take(line).is_none() {
            file.complain("not understood: see the README of this folder for the notation");
        }
    }
    file.link();
    file.finish()
}

fn empty(path: &str) -> Guide {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path).trim_end_matches(".guide").to_owned();
    let (id, transaction, functional_id, title) = Default::default();
    let others = Vec::new();
    let (units, loops, segments, qualifiers, situations, sight, codes) = Default::default();
    Guide {
        name,
        id,
        transaction,
        functional_id,
        others,
        title,
        units,
        loops,
        segments,
        qualifiers,
        situations,
        sight,
        codes,
    }
}

struct File<'t> {
    path: &'t str,
    line: u32,
    issues: Vec<Issue>,
    guide: Guide,
    /// The line of the units, and their ids.
    units: (u32, &'t str),
    /// Per loop: its line, the parents that it names, and where which child stands (after how many segments).
    links: Vec<Link<'t>>,
}

struct Link<'t> {
    line: u32,
    parents: Vec<&'t str>,
    items: Vec<Entry<'t>>,
}

enum Entry<'t> {
    Segment(SegmentIx),
    Child(&'t str, u32),
}

impl<'t> File<'t> {
    fn complain(&mut self, text: impl Into<String>) {
        self.complain_at(self.line, text);
    }

    fn complain_at(&mut self, line: u32, text: impl Into<String>) {
        let at = Place::File { path: self.path.to_owned(), line, column: 1 };
        self.issues.push(Issue::error(codes::MAPPING_SYNTAX, at, text));
    }

    /// One line, by its indentation.
    fn take(&mut self, line: &'t str) -> Option<()> {
        let words = Words { rest: line.trim() };
        match line.len() - line.trim_start().len() {
            0 => self.head(words),
            2 => self.item(words),
            4 => self.element(words),
            6 => self.component(words),
            _ => None,
        }
    }

    fn head(&mut self, mut words: Words<'t>) -> Option<()> {
        let guide = &mut self.guide;
        match words.next()? {
            "guide" => guide.id = words.rest.to_owned(),
            "also" => guide.others = words.rest.split_whitespace().map(str::to_owned).collect(),
            "transaction" => guide.transaction = words.rest.to_owned(),
            "group" => guide.functional_id = words.rest.to_owned(),
            "title" => guide.title = words.rest.to_owned(),
            "unit" => self.units = (self.line, words.rest),
            "loop" => return self.start_loop(words),
            _ => return None,
        }
        Some(())
    }

    fn start_loop(&mut self, mut words: Words<'t>) -> Option<()> {
        let id = words.next()?;
        let parents = match words.peek() == Some("under") {
            true => words.next().and(words.next())?.split(',').collect(),
            false => Vec::new(),
        };
        self.guide.loops.push(LoopSpec {
            id: Arc::from(id),
            parents: Vec::new(),
            usage: usage(words.next()?)?,
            max: max(words.next()?)?,
            name: words.rest.to_owned(),
            segments: Vec::new(),
            children: Vec::new(),
            items: Vec::new(),
            is_level: false,
            index: Vec::new(),
            spots: Spots::default(),
            needs: Needs::default(),
            leads_to_numbers: false,
        });
        self.links.push(Link { line: self.line, parents, items: Vec::new() });
        Some(())
    }

    /// A child loop (`> 2310A`) or a segment.
    fn item(&mut self, mut words: Words<'t>) -> Option<()> {
        let link = self.links.last_mut()?;
        if words.peek() == Some(">") {
            link.items.push(Entry::Child(words.next().and(words.next())?, self.line));
            return Some(());
        }
        let ix = SegmentIx(u16::try_from(self.guide.segments.len()).ok()?);
        link.items.push(Entry::Segment(ix));
        let spec = segment(&mut words)?;
        self.guide.segments.push(spec);
        Some(())
    }

    fn element(&mut self, mut words: Words<'t>) -> Option<()> {
        let elements = &mut self.guide.segments.last_mut()?.elements;
        let position: usize = words.next()?.parse().ok()?;
        place(elements, position, element(&mut words)?)
    }

    fn component(&mut self, mut words: Words<'t>) -> Option<()> {
        let elements = &mut self.guide.segments.last_mut()?.elements;
        let (element_at, position) = words.next()?.split_once('-')?;
        (element_at.parse() == Ok(elements.len())).then_some(())?;
        let composite = elements.last_mut().filter(|last| last.kind == ElementKind::Composite)?;
        place(&mut composite.components, position.parse().ok()?, element(&mut words)?)
    }

    /// Turns ids of loops into indices and checks that parents and children agree.
    fn link(&mut self) {
        let by_id: BTreeMap<Arc<str>, LoopIx> =
            (0..).map(LoopIx).zip(&self.guide.loops).map(|(ix, spec)| (spec.id.clone(), ix)).collect();
        for (n, link) in std::mem::take(&mut self.links).into_iter().enumerate() {
            let own = LoopIx(u16::try_from(n).unwrap_or(u16::MAX));
            for entry in link.items {
                match entry {
                    Entry::Segment(ix) => self.guide.loops[n].items.push(Item::Segment(ix)),
                    Entry::Child(id, line) => match by_id.get(id) {
                        Some(child) => self.adopt(own, *child),
                        None => self.complain_at(line, format!("no loop {id} in this guide")),
                    },
                }
            }
            self.links.push(Link { line: link.line, parents: link.parents, items: Vec::new() });
        }
        let (line, units) = self.units;
        for id in units.split(',').filter(|id| !id.is_empty()) {
            match by_id.get(id) {
                Some(ix) => self.guide.units.push(*ix),
                None => self.complain_at(line, format!("no loop {id} in this guide")),
            }
        }
        self.check_parents();
        self.index();
    }

    fn adopt(&mut self, parent: LoopIx, child: LoopIx) {
        self.guide.loops[usize::from(parent.0)].items.push(Item::Loop(child));
        self.guide.loops[usize::from(child.0)].parents.push(parent);
    }

    fn check_parents(&mut self) {
        for (n, link) in std::mem::take(&mut self.links).iter().enumerate() {
            let spec = &self.guide.loops[n];
            let found: Vec<_> = spec.parents.iter().map(|ix| &*self.guide.loop_at(*ix).id).collect();
            if found != link.parents {
                let text = format!("loop {} names other parents than list it: {}", spec.id, found.join(","));
                self.complain_at(link.line, text);
            }
        }
    }

    /// Fills what is derived: segments, children, index, constants.
    fn index(&mut self) {
        let starters: Vec<Option<SegmentIx>> = self.guide.loops.iter().map(first_segment).collect();
        for n in 0..self.guide.loops.len() {
            let spec = &self.guide.loops[n];
            let Some(index) = spec.items.iter().map(|item| self.index_of(*item, &starters)).collect::<Option<Vec<_>>>()
            else {
                let text = format!("loop {} or one of its children does not begin with a segment", spec.id);
                self.complain_at(0, text);
                continue;
            };
            if spec.items.len() > MAX_KINDS {
                let text = format!("loop {} holds more than {MAX_KINDS} segments and loops", spec.id);
                self.complain_at(0, text);
                continue;
            }
            let spec = &mut self.guide.loops[n];
            spec.spots = Spots::new(&index);
            spec.index = index;
            spec.is_level = spec.index.first().is_some_and(|(tag, _)| *tag == Tag::of("HL"));
            spec.segments = spec.items.iter().filter_map(Item::segment).collect();
            spec.children = spec.items.iter().filter_map(Item::child).collect();
        }
        for spec in &mut self.guide.segments {
            spec.qualifier_at = qualifier_at(spec);
            spec.constants = constants(spec);
            let required = (1..).zip(&spec.elements).filter(|(_, element)| element.usage == Usage::Required);
            spec.required = required.fold(0, |bits, (n, _)| bits | bit(n));
        }
        self.guide.qualifiers = Qualifiers::of_guide(&self.guide);
        let needs: Vec<_> = self.guide.loop_ixs().map(|(ix, _)| Needs::of(&self.guide, ix)).collect();
        self.guide.loops.iter_mut().zip(needs).for_each(|(spec, needs)| spec.needs = needs);
        let leads = numbering::leads(&self.guide);
        self.guide.loops.iter_mut().zip(leads).for_each(|(spec, leads)| spec.leads_to_numbers = leads);
    }

    fn index_of(&self, item: Item, starters: &[Option<SegmentIx>]) -> Option<(Tag, SegmentIx)> {
        let ix = match item {
            Item::Segment(ix) => ix,
            Item::Loop(ix) => starters[usize::from(ix.0)]?,
        };
        Some((self.guide.segment_at(ix).tag, ix))
    }

    fn finish(mut self) -> Result<Guide, Vec<Issue>> {
        let guide = &self.guide;
        // What stands in no set stands in no group.
        let needs_group = guide.segments.first().is_none_or(|first| first.id == "ST");
        let is_nameless = guide.id.is_empty() || guide.transaction.is_empty();
        if is_nameless || guide.loops.is_empty() || (needs_group && guide.functional_id.is_empty()) {
            self.complain_at(1, "a guide needs the lines guide, transaction, group and at least one loop");
        }
        if self.issues.is_empty() { Ok(self.guide) } else { Err(self.issues) }
    }
}

impl Item {
    fn segment(&self) -> Option<SegmentIx> {
        match self {
            Item::Segment(ix) => Some(*ix),
            Item::Loop(_) => None,
        }
    }

    fn child(&self) -> Option<LoopIx> {
        match self {
            Item::Segment(_) => None,
            Item::Loop(ix) => Some(*ix),
        }
    }
}

fn first_segment(spec: &LoopSpec) -> Option<SegmentIx> {
    spec.items.first()?.segment()
}

/// Puts an element at its position; positions that the file leaves out are not used.
fn place(elements: &mut Vec<ElementSpec>, position: usize, element: ElementSpec) -> Option<()> {
    (elements.len() < position && position < 100).then_some(())?;
    elements.resize_with(position - 1, ElementSpec::unused);
    elements.push(element);
    Some(())
}

/// `DTP*314,360,361 S 1 P0304 Date - Disability Dates`
fn segment(words: &mut Words<'_>) -> Option<SegmentSpec> {
    let key = words.next()?;
    let (id, rest) = key.split_once('*').unwrap_or((key, ""));
    let codes = rest.trim_start_matches('*');
    let mut spec = SegmentSpec {
        id: id.to_owned(),
        qualifiers: codes.split(',').filter(|code| !code.is_empty()).map(|code| code.replace('_', " ")).collect(),
        qualifier_at: (rest.len() - codes.len() + 1, 0),
        usage: usage(words.next()?)?,
        max: max(words.next()?)?,
        name: String::new(),
        elements: Vec::new(),
        syntax: Vec::new(),
        constants: Vec::new(),
        required: 0,
        tag: Tag::of(id),
    };
    while let Some(syntax) = words.peek().and_then(syntax) {
        words.next();
        spec.syntax.push(syntax);
    }
    spec.name = words.rest.to_owned();
    Some(spec)
}

/// `R ID 3/3 x2 [314 360] @list Name`, after the position.
fn element(words: &mut Words<'_>) -> Option<ElementSpec> {
    let mut spec = ElementSpec { usage: usage(words.next()?)?, kind: kind(words.next()?)?, ..ElementSpec::unused() };
    if spec.kind != ElementKind::Composite {
        let (min, max) = words.next()?.split_once('/')?;
        (spec.min, spec.max) = (min.parse().ok()?, max.parse().ok()?);
    }
    if let Some(times) = words.peek().and_then(|word| word.strip_prefix('x')?.parse().ok()) {
        words.next();
        spec.repeat = times;
    }
    if let Some(codes) = words.rest.strip_prefix('[') {
        let (codes, rest) = codes.split_once(']')?;
        spec.codes = codes.split_whitespace().map(str::to_owned).collect();
        words.rest = rest.trim_start();
    }
    if let Some(list) = words.peek().and_then(|word| word.strip_prefix('@')) {
        words.next();
        spec.external = Some(list.to_owned());
    }
    spec.name = words.rest.to_owned();
    spec.content = content(spec.kind, &spec.name);
    Some(spec)
}

/// Told from the words of the name.
fn content(kind: ElementKind, name: &str) -> Content {
    const FREE: [&str; 8] = ["Name", "Address", "City", "Description", "Text", "Message", "Format", "Copy"];
    const EXACT: [&str; 5] = ["Identifier", "Identification", "Number", "Code", "Qualifier"];
    const MONEY: [&str; 2] = ["Amount", "Charge"];
    let has = |words: &[&str]| name.split([' ', '/', '-']).any(|word| words.contains(&word));
    match kind {
        ElementKind::R if has(&MONEY) => Content::Money,
        ElementKind::AN if has(&FREE) && !has(&EXACT) => Content::FreeText,
        _ => Content::Exact,
    }
}

fn usage(word: &str) -> Option<Usage> {
    let all = [("R", Usage::Required), ("S", Usage::Situational), ("N", Usage::NotUsed)];
    all.iter().find(|(letter, _)| *letter == word).map(|(_, usage)| *usage)
}

/// `>1` is without limit.
fn max(word: &str) -> Option<Option<u32>> {
    if word == ">1" { Some(None) } else { word.parse().ok().map(Some) }
}

fn kind(word: &str) -> Option<ElementKind> {
    let all = [
        ("AN", ElementKind::AN),
        ("ID", ElementKind::ID),
        ("N0", ElementKind::N0),
        ("R", ElementKind::R),
        ("DT", ElementKind::DT),
        ("TM", ElementKind::TM),
        ("B", ElementKind::B),
        ("C", ElementKind::Composite),
    ];
    let decimals = || word.strip_prefix('N')?.parse().ok().map(ElementKind::N);
    all.iter().find(|(name, _)| *name == word).map(|(_, kind)| *kind).or_else(decimals)
}

/// `P0304`; `None` when the word is none (then the name begins).
fn syntax(word: &str) -> Option<Syntax> {
    let all = [
        ('P', Relation::Paired),
        ('R', Relation::AtLeastOne),
        ('E', Relation::Exclusive),
        ('C', Relation::Conditional),
        ('L', Relation::ListConditional),
    ];
    let letter = word.chars().next()?;
    let (_, relation) = all.iter().find(|(name, _)| *name == letter)?;
    let digits = &word[1..];
    let whole = digits.len() >= 4 && digits.len().is_multiple_of(2) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let pairs = digits.as_bytes().chunks(2).map(|pair| usize::from(pair[0] - b'0') * 10 + usize::from(pair[1] - b'0'));
    whole.then(|| {
        let elements: Vec<usize> = pairs.collect();
        let mask = elements.iter().fold(0, |mask, n| mask | bit(*n));
        Syntax { relation: *relation, elements, mask }
    })
}

/// The qualifier of a composite is its first component.
fn qualifier_at(spec: &SegmentSpec) -> (usize, usize) {
    let element = spec.qualifier_at.0;
    let composite = spec.element(element, 0).is_some_and(|element| element.kind == ElementKind::Composite);
    (element, usize::from(composite))
}

/// Whatever has but one value: a required element with one code, and the one qualifier.
fn constants(spec: &SegmentSpec) -> Vec<(usize, usize, String)> {
    let mut found = Vec::new();
    for (n, element) in spec.elements.iter().enumerate().filter(|(_, element)| element.usage != Usage::NotUsed) {
        let own = std::iter::once((0, element)).filter(|(_, element)| element.usage == Usage::Required);
        let components = (1..).zip(&element.components).filter(|(_, part)| part.usage == Usage::Required);
        let single = own.chain(components).filter(|(_, part)| part.codes.len() == 1 && part.external.is_none());
        found.extend(single.map(|(c, part)| (n + 1, c, part.codes[0].clone())));
    }
    if let ([only], (element, component)) = (spec.qualifiers.as_slice(), spec.qualifier_at)
        && !found.iter().any(|(n, c, _)| (*n, *c) == (element, component))
    {
        found.push((element, component, only.clone()));
    }
    found
}

/// Bit `n`; none beyond the last.
pub(crate) fn bit(n: usize) -> u128 {
    u32::try_from(n).ok().and_then(|n| 1u128.checked_shl(n)).unwrap_or(0)
}

/// The words of a line; what is left is its name.
struct Words<'t> {
    rest: &'t str,
}

impl<'t> Words<'t> {
    fn peek(&self) -> Option<&'t str> {
        self.rest.split_whitespace().next()
    }

    fn next(&mut self) -> Option<&'t str> {
        let word = self.peek()?;
        self.rest = self.rest.trim_start().get(word.len()..)?.trim_start();
        Some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "guide 1\ntransaction 837\ngroup HC\ntitle T\n\nloop ST R 1 Set\n  ST R 1 Header\n    01 R ID 3/3 [837] Id\n  > A\n\n\
                         loop A under ST S >1 Loop A\n  NM1*85,87 R 1 P0809 C1110 Name\n    01 R ID 2/3 [85 87] Code\n    03 S C Place\n      03-1 R AN 1/2 x5 @pos Place\n";

    #[test]
    fn the_notation_is_read() {
        let guide = parse("x/small.guide", SMALL).unwrap();
        let name = &guide.segments[1];
        assert_eq!((guide.name.as_str(), guide.loops.len(), guide.loops[1].max), ("small", 2, None));
        assert_eq!((name.qualifiers.len(), name.syntax.len(), name.name.as_str()), (2, 2, "Name"));
        assert_eq!(name.elements[1].usage, Usage::NotUsed);
        let place = &name.elements[2].components[0];
        assert_eq!((place.repeat, place.external.as_deref(), place.max), (5, Some("pos"), 2));
        assert_eq!(guide.segments[0].constants, [(1, 0, "837".to_owned())]);
    }

    #[test]
    fn all_mistakes_are_named_with_their_lines() {
        let text = SMALL.replace("under ST", "under B").replace("  > A", "  > A\n  > Z").replace("2/3", "2-3");
        let issues = parse("small.guide", &text).unwrap_err();
        let lines: Vec<_> = issues.iter().map(|issue| issue.at.to_string()).collect();
        assert_eq!(lines, ["small.guide:14:1", "small.guide:10:1", "small.guide:12:1"]);
    }

    #[test]
    fn nonsense_never_panics() {
        for text in [
            "",
            "loop",
            "  NM1",
            "    01",
            "      01-1",
            "loop A R 1 x\n  P R 1\n    00 R AN 1/1 x",
            "é é",
            "loop é R 1 x\n  é01 R 1 é0102",
        ] {
            assert!(parse("x.guide", text).is_err());
        }
    }
}
