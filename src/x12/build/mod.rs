//! What a mapping makes: loops and segments by their place in the guide, with elements as plain texts. Put into the order
//! of the guide ([`arrange`]), each value written as its element wants it ([`text_of`]), and checked ([`check`]).

mod arrange;
mod basic;
mod check;
mod value;

pub use arrange::arrange;
pub use basic::basic;
pub use check::check;
pub(crate) use value::problem_among;
pub use value::{ElementProblem, problem_of, text_of};
pub(crate) use value::{is_date, is_time};

use crate::x12::guide::{LoopIx, SegmentIx};
use crate::x12::segment::Segment;
use crate::x12::tree::Loop;

/// A loop to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct LoopNode {
    pub spec: LoopIx,
    pub segments: Vec<SegmentNode>,
    pub children: Vec<LoopNode>,
}

/// A segment to be written; element 01 first.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentNode {
    pub spec: SegmentIx,
    pub elements: Vec<Element>,
}

/// An element to be written.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Element {
    #[default]
    Absent,
    Text(String),
    Composite(Vec<String>),
    Repeated(Vec<Element>),
}

impl LoopNode {
    pub fn new(spec: LoopIx) -> LoopNode {
        LoopNode { spec, segments: Vec::new(), children: Vec::new() }
    }

    /// What was read, to be written anew; what the guide does not know is left out.
    pub fn of(found: &Loop<'_>) -> LoopNode {
        let known = found.segments.iter().zip(&found.specs).filter_map(|(segment, spec)| Some((segment, (*spec)?)));
        LoopNode {
            spec: found.spec,
            segments: known.map(|(segment, spec)| SegmentNode::of(segment, spec)).collect(),
            children: found.children.iter().map(LoopNode::of).collect(),
        }
    }
}

impl SegmentNode {
    pub fn new(spec: SegmentIx) -> SegmentNode {
        SegmentNode { spec, elements: Vec::new() }
    }

    fn of(segment: &Segment<'_>, spec: SegmentIx) -> SegmentNode {
        let elements = (1..=segment.len()).map(|n| Element::of(segment, n)).collect();
        SegmentNode { spec, elements }
    }

    /// Element `n` from 1, made when the segment is shorter.
    pub fn element_mut(&mut self, n: usize) -> &mut Element {
        let n = n.max(1);
        if self.elements.len() < n {
            self.elements.resize_with(n, Element::default);
        }
        &mut self.elements[n - 1]
    }

    /// Sets element `n`, from 1.
    pub fn set(&mut self, n: usize, text: impl Into<String>) {
        *self.element_mut(n) = Element::Text(text.into());
    }
}

impl Element {
    fn of(segment: &Segment<'_>, n: usize) -> Element {
        let one = |repetition| {
            let parts: Vec<_> = segment.parts(repetition).map(str::to_owned).collect();
            match <[String; 1]>::try_from(parts) {
                Ok([text]) => Element::Text(text),
                Err(parts) => Element::Composite(parts),
            }
        };
        let mut all: Vec<_> = segment.repetitions(n).map(one).collect();
        match all.len() {
            0 => Element::Absent,
            1 => all.swap_remove(0),
            _ => Element::Repeated(all),
        }
    }

    /// Nothing of it would be written.
    pub fn is_absent(&self) -> bool {
        match self {
            Element::Absent => true,
            Element::Text(text) => text.is_empty(),
            Element::Composite(parts) => parts.iter().all(String::is_empty),
            Element::Repeated(all) => all.iter().all(Element::is_absent),
        }
    }

    /// Sets component `c` (from 1), when it is empty.
    pub fn fill_component(&mut self, c: usize, text: &str) {
        if let Element::Text(only) = self {
            *self = Element::Composite(vec![std::mem::take(only)]);
        }
        match self {
            Element::Composite(parts) => {
                if parts.len() < c {
                    parts.resize_with(c, String::new);
                }
                if let Some(part) = parts.get_mut(c.max(1) - 1).filter(|part| part.is_empty()) {
                    part.push_str(text);
                }
            }
            Element::Repeated(all) => all.iter_mut().for_each(|one| one.fill_component(c, text)),
            _ => *self = Element::Composite([vec![String::new(); c.max(1) - 1], vec![text.to_owned()]].concat()),
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::x12::delimiters::Delimiters;
    use crate::x12::guide::{Guide, tests::shipped};
    use crate::x12::tree;
    use crate::x12::writer::write_loop;

    /// A claim of a dependent, as a mapping would make it: no numbers, no constants, in no order.
    pub fn claim() -> (&'static Guide, LoopNode) {
        let text = "ST*837*1~HL*1**20*1~NM1*85*2*ACME*****XX*1234567893~N3*1 MAIN ST~N4*TOWN*NY*10001~REF*EI*123456789~HL*2*1*22*1~\
                    SBR*P**G1******CI~NM1*IL*1*DOE*JOHN****MI*12345~NM1*PR*2*PAYER*****PI*999~HL*3*2*23*0~PAT*19~NM1*QC*1*DOE*JANE~\
                    N3*1 MAIN ST~N4*TOWN*NY*10001~DMG*D8*20100101*F~LX*1~SV1*HC:99213*100*UN*1***1~DTP*472*D8*20250303~LX*2~\
                    SV1*HC:87070*50*UN*1***1:2~DTP*472*D8*20250303";
        let claim =
            "CLM*A1*150***11:B:1*Y*A*Y*Y~REF*G1*AUTH1~HI*ABK:J020*ABF:R05~NM1*82*1*BEN*KILDARE****XX*1234567893~";
        let text = text.replacen("LX*1~", &format!("{claim}LX*1~"), 1);
        let guide = shipped().get("837p").unwrap();
        let (root, issues) = tree::assign(guide, &tree::tests::set(&text));
        assert!(issues.is_empty(), "{issues:?}");
        let mut node = LoopNode::of(&root);
        node.segments.clear();
        (guide, node)
    }

    fn written(guide: &Guide, node: &LoopNode) -> String {
        let mut out = Vec::new();
        write_loop(guide, node, &Delimiters::default(), &mut out);
        String::from_utf8(out).unwrap()
    }

    fn shuffle(node: &mut LoopNode) {
        node.segments.reverse();
        node.children.sort_by_key(|child| std::cmp::Reverse(child.spec));
        node.children.iter_mut().for_each(shuffle);
    }

    fn strip_numbers(guide: &Guide, node: &mut LoopNode) {
        node.segments.retain(|segment| !matches!(guide.segment_at(segment.spec).id.as_str(), "HL" | "LX"));
        node.children.iter_mut().for_each(|child| strip_numbers(guide, child));
    }

    #[test]
    fn order_and_numbers_are_the_guides_work() {
        let (guide, node) = claim();
        let expected = written(guide, &node);
        let mut made = node.clone();
        strip_numbers(guide, &mut made);
        shuffle(&mut made);
        arrange(guide, &mut made);
        assert_eq!(written(guide, &made), expected);
        assert_eq!(check(guide, &made), []);
    }

    #[test]
    fn constants_fill_what_can_hold_but_one_code() {
        let guide = shipped().get("837p").unwrap();
        let of = |in_loop: &str, key: &str| guide.segment_ix(guide.loop_ix(in_loop).unwrap(), key).unwrap();
        let mut hi = SegmentNode::new(of("2300", "HI*BP"));
        *hi.element_mut(1) = Element::Composite(vec![String::new(), "00100".into()]);
        let mut dtp = SegmentNode::new(of("2300", "DTP*431"));
        dtp.set(3, "20250303");
        let mut node = LoopNode { segments: vec![hi, dtp], ..LoopNode::new(guide.loop_ix("2300").unwrap()) };
        arrange(guide, &mut node);
        assert_eq!(written(guide, &node), "DTP*431*D8*20250303~HI*BP:00100~");
    }

    #[test]
    fn a_wrong_tree_is_told_all_that_is_wrong() {
        let (guide, mut node) = claim();
        let claim = &mut node.children[0].children[1].children[2].children[1];
        let clm = &mut claim.segments[0];
        clm.set(2, "12.345");
        *clm.element_mut(5) = Element::Composite(vec!["11".into(), "B".into()]);
        *clm.element_mut(7) = Element::Absent;
        claim.children[1].segments.retain(|segment| guide.segment_at(segment.spec).id != "SV1");
        let issues = check(guide, &node);
        let found: Vec<_> = issues.iter().map(|issue| issue.at.to_string()).collect();
        assert_eq!(
            found,
            [
                "loop 2300, segment 16, CLM02",
                "loop 2300, segment 16, CLM05-3",
                "loop 2300, segment 16, CLM07",
                "loop 2400, segment 20, SV1"
            ]
        );
    }

    #[test]
    fn empty_ends_are_not_written() {
        let guide = shipped().get("837p").unwrap();
        let ix = guide.segment_ix(guide.loop_ix("2400").unwrap(), "SV1").unwrap();
        let mut sv1 = SegmentNode::new(ix);
        *sv1.element_mut(1) = Element::Composite(vec!["HC".into(), "99213".into(), String::new()]);
        *sv1.element_mut(9) = Element::Text(String::new());
        let empty = SegmentNode::new(ix);
        let node = LoopNode { segments: vec![sv1, empty], ..LoopNode::new(guide.loop_ix("2400").unwrap()) };
        assert_eq!(written(guide, &node), "SV1*HC:99213~");
    }
}
