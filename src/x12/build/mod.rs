//! What a mapping makes: loops and segments by their place in the guide, with elements as plain texts. Put into the order
//! of the guide ([`arrange`]), each value written as its element wants it ([`text_of`]), and checked ([`check`]).

mod arrange;
mod check;
mod value;

pub use arrange::arrange;
pub use check::check;
pub use value::{ElementProblem, problem_of, text_of};

use crate::x12::guide::{LoopIx, SegmentIx};

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
}

impl SegmentNode {
    pub fn new(spec: SegmentIx) -> SegmentNode {
        SegmentNode { spec, elements: Vec::new() }
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
