//! What a mapping makes: loops and segments by their place in the guide, with elements as plain texts.

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
