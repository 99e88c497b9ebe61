//! Segments to bytes.

use crate::x12::build::{Element, LoopNode, SegmentNode};
use crate::x12::delimiters::Delimiters;
use crate::x12::guide::{Guide, Item, LoopSpec};
use crate::x12::segment::Segment;
use crate::x12::text;

/// Writes an arranged loop and all loops inside it. What is empty at the end of a segment or composite is left out, and so
/// is a segment without data. Gives back how many segments were written.
pub fn write_loop(guide: &Guide, node: &LoopNode, delimiters: &Delimiters, out: &mut Vec<u8>) -> u32 {
    let spec = guide.loop_at(node.spec);
    // Where segments follow loops (271 LE, 999 IK5, 835 PLB), each has its own place.
    if node.children.is_empty() || !segments_follow_loops(spec) {
        let own: u32 = node.segments.iter().map(|segment| write_node(guide, segment, delimiters, out)).sum();
        return node.children.iter().fold(own, |count, child| count + write_loop(guide, child, delimiters, out));
    }
    let place = |item: Item| spec.items.iter().position(|other| *other == item);
    let segments = node.segments.iter().map(|segment| (place(Item::Segment(segment.spec)), Ok(segment)));
    let children = node.children.iter().map(|child| (place(Item::Loop(child.spec)), Err(child)));
    let mut all: Vec<_> = segments.chain(children).collect();
    all.sort_by_key(|(place, _)| *place);
    let write = |count, (_, item)| match item {
        Ok(segment) => count + write_node(guide, segment, delimiters, out),
        Err(child) => count + write_loop(guide, child, delimiters, out),
    };
    all.into_iter().fold(0, write)
}

fn segments_follow_loops(spec: &LoopSpec) -> bool {
    let first_loop = spec.items.iter().position(|item| matches!(item, Item::Loop(_)));
    first_loop.is_some_and(|at| at < spec.segments.len())
}

/// Writes one segment; 1 when there was anything to write.
pub fn write_node(guide: &Guide, node: &SegmentNode, delimiters: &Delimiters, out: &mut Vec<u8>) -> u32 {
    let Some(last) = node.elements.iter().rposition(|element| !element.is_absent()) else { return 0 };
    out.extend_from_slice(guide.segment_at(node.spec).id.as_bytes());
    for element in &node.elements[..=last] {
        out.push(delimiters.element);
        write_element(element, delimiters, out);
    }
    end_segment(delimiters, out);
    1
}

fn write_element(element: &Element, delimiters: &Delimiters, out: &mut Vec<u8>) {
    match element {
        Element::Absent => {}
        Element::Text(text) => out.extend_from_slice(text.as_bytes()),
        Element::Composite(parts) => {
            let count = parts.iter().rposition(|part| !part.is_empty()).map_or(0, |last| last + 1);
            for (n, part) in parts.iter().take(count).enumerate() {
                if n > 0 {
                    out.push(delimiters.component);
                }
                out.extend_from_slice(part.as_bytes());
            }
        }
        Element::Repeated(all) => {
            let separator = delimiters.repetition.unwrap_or(delimiters.component);
            for (n, one) in all.iter().filter(|one| !one.is_absent()).enumerate() {
                if n > 0 {
                    out.push(separator);
                }
                write_element(one, delimiters, out);
            }
        }
    }
}

/// Writes a segment that was read, byte for byte, with the terminator of its interchange.
pub fn write_segment(segment: &Segment<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(&text::encode(segment.raw(), segment.latin1));
    end_segment(&segment.delimiters, out);
}

fn end_segment(delimiters: &Delimiters, out: &mut Vec<u8>) {
    out.push(delimiters.terminator);
    if delimiters.newline {
        out.push(b'\n');
    }
}

/// Segments written from texts, counted.
#[derive(Debug)]
pub(crate) struct Lines {
    pub out: Vec<u8>,
    pub delimiters: Delimiters,
    /// Segments since the last count began.
    pub count: u32,
}

impl Lines {
    pub fn new(delimiters: Delimiters) -> Lines {
        Lines { out: Vec::new(), delimiters, count: 0 }
    }

    /// A whole segment.
    pub fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
        end_segment(&self.delimiters, &mut self.out);
        self.count += 1;
    }

    /// A segment that was read, byte for byte.
    pub fn segment(&mut self, segment: &Segment<'_>) {
        self.out.extend_from_slice(&text::encode(segment.raw(), segment.latin1));
        end_segment(&self.delimiters, &mut self.out);
        self.count += 1;
    }

    /// A segment of these elements, its id first; empty ones at the end are left out.
    pub fn line(&mut self, elements: &[&str]) {
        let last = elements.iter().rposition(|element| !element.is_empty()).unwrap_or(0);
        for (n, element) in elements.iter().take(last + 1).enumerate() {
            if n > 0 {
                self.out.push(self.delimiters.element);
            }
            self.out.extend_from_slice(element.as_bytes());
        }
        end_segment(&self.delimiters, &mut self.out);
        self.count += 1;
    }
}
