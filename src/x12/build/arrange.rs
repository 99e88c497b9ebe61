//! What the guide knows and a mapping need not say: order, numbers of levels and lines, constants.

use crate::x12::build::{Element, LoopNode, SegmentNode};
use crate::x12::guide::{Guide, LoopIx, SegmentIx, Usage};

/// Puts segments and loops into the order of the guide (those of one kind keep theirs), numbers HL01 to HL04 and LX01,
/// and fills elements that can hold but one code. A missing HL or LX is made.
pub fn arrange(guide: &Guide, node: &mut LoopNode) {
    let mut levels = 0;
    arrange_loop(guide, node, &mut levels, None, 1);
}

/// `level` is the HL01 of the level around; `nth` counts the loop among its like.
fn arrange_loop(guide: &Guide, node: &mut LoopNode, levels: &mut u32, level: Option<u32>, nth: u32) {
    let spec = guide.loop_at(node.spec);
    make_starter(guide, node);
    // The segments of a loop have rising indices, in the order of the guide.
    if !node.segments.is_sorted_by_key(|segment| segment.spec) {
        node.segments.sort_by_key(|segment| segment.spec);
    }
    let position = |child: &LoopNode| spec.children.iter().position(|ix| *ix == child.spec);
    if !node.children.is_sorted_by_key(position) {
        node.children.sort_by_cached_key(position);
    }
    let own_level = spec.is_level.then(|| {
        *levels += 1;
        *levels
    });
    if let Some(own) = own_level {
        number_level(guide, node, own, level);
    } else if guide.starter(node.spec).is_some_and(|starter| starter.id == "LX") {
        number_line(node, nth);
    }
    for segment in &mut node.segments {
        fill_constants(guide, segment);
    }
    let mut before: Option<(LoopIx, u32)> = None;
    for child in &mut node.children {
        let nth = before.filter(|(spec, _)| *spec == child.spec).map_or(1, |(_, nth)| nth + 1);
        before = Some((child.spec, nth));
        arrange_loop(guide, child, levels, own_level.or(level), nth);
    }
}

/// A loop that begins with HL or LX gets one: it holds nothing but numbers.
fn make_starter(guide: &Guide, node: &mut LoopNode) {
    let Some(first) = guide.loop_at(node.spec).segments.first().copied() else { return };
    let numbered = matches!(guide.segment_at(first).id.as_str(), "HL" | "LX");
    if numbered && !node.segments.iter().any(|segment| segment.spec == first) {
        node.segments.insert(0, SegmentNode::new(first));
    }
}

/// HL01 own number, HL02 the level around, HL04 whether levels follow inside.
fn number_level(guide: &Guide, node: &mut LoopNode, own: u32, parent: Option<u32>) {
    let has_levels = node.children.iter().any(|child| guide.loop_at(child.spec).is_level);
    let Some(hl) = node.segments.first_mut() else { return };
    let used = |n| guide.segment_at(hl.spec).element(n, 0).is_some_and(|spec| spec.usage != Usage::NotUsed);
    let (parent_used, child_used) = (used(2), used(4));
    hl.set(1, own.to_string());
    *hl.element_mut(2) =
        parent.filter(|_| parent_used).map_or(Element::Absent, |parent| Element::Text(parent.to_string()));
    if child_used {
        hl.set(4, if has_levels { "1" } else { "0" });
    }
}

fn number_line(node: &mut LoopNode, nth: u32) {
    if let Some(lx) = node.segments.first_mut() {
        lx.set(1, nth.to_string());
    }
}

fn fill_constants(guide: &Guide, segment: &mut SegmentNode) {
    for (n, component, text) in &guide.segment_at(segment.spec).constants {
        let absent = segment.elements.get(n - 1).is_none_or(Element::is_absent);
        match component {
            0 if absent => segment.set(*n, text.as_str()),
            0 => {}
            // A composite that nobody sends needs no qualifier.
            _ if absent => {}
            _ => segment.element_mut(*n).fill_component(*component, text),
        }
    }
}

/// Whether a segment of this kind is written for its numbers alone.
pub(super) fn is_numbered(guide: &Guide, ix: SegmentIx) -> bool {
    matches!(guide.segment_at(ix).id.as_str(), "HL" | "LX")
}
