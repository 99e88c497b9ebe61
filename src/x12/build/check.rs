//! Whether what a mapping made is what the guide wants, before it is written.

use crate::fault::{Issue, Place, X12Place, codes};
use crate::x12::build::arrange::is_numbered;
use crate::x12::build::{Element, LoopNode};
use crate::x12::guide::{Guide, LoopSpec, SegmentSpec};
use crate::x12::rules::{self, ElementFault, Finding, LoopFault};

/// Checks usage, repeats, relational notes, codes and lengths of an arranged tree. The header of the set (ST to 1000B) is
/// not looked for. Ordinals of the places count the segments of the tree, in the order in which they are written.
pub fn check(guide: &Guide, node: &LoopNode) -> Vec<Issue> {
    let mut check = Check { guide, issues: Vec::new(), ordinal: 0 };
    check.take(node);
    check.issues
}

struct Check<'g> {
    guide: &'g Guide,
    issues: Vec<Issue>,
    ordinal: u32,
}

impl Check<'_> {
    fn take(&mut self, node: &LoopNode) {
        let spec = self.guide.loop_at(node.spec);
        let first = self.ordinal + 1;
        for segment in &node.segments {
            self.ordinal += 1;
            self.segment(spec, self.guide.segment_at(segment.spec), &segment.elements);
        }
        if node.spec != self.guide.root() {
            self.counts(spec, node, first);
        }
        node.children.iter().for_each(|child| self.take(child));
    }

    fn segment(&mut self, in_loop: &LoopSpec, spec: &SegmentSpec, elements: &[Element]) {
        let (issues, ordinal) = (&mut self.issues, self.ordinal);
        // Whatever is empty at the end is trimmed by the writer.
        let count = elements.iter().rposition(|element| !element.is_absent()).map_or(0, |last| last + 1);
        let written = elements.iter().take(count);
        rules::check_elements(spec, count, written, &mut |finding| {
            if finding.fault != ElementFault::TrailingEmpty {
                issues.push(element_issue(in_loop, spec, ordinal, &finding));
            }
        });
    }

    fn counts(&mut self, spec: &LoopSpec, node: &LoopNode, first: u32) {
        let guide = self.guide;
        let issues = &mut self.issues;
        let written = |ix| is_numbered(guide, ix);
        let segments = node.segments.iter().map(|segment| segment.spec);
        let children = node.children.iter().map(|child| child.spec);
        rules::check_counts(guide, node.spec, segments, children, &mut |fault| {
            let numbered = matches!(fault, LoopFault::SegmentMissing(ix) if written(ix));
            if !numbered {
                issues.push(loop_issue(guide, spec, first, fault));
            }
        });
    }
}

fn element_issue(in_loop: &LoopSpec, spec: &SegmentSpec, ordinal: u32, finding: &Finding) -> Issue {
    let number = |n: usize| (n > 0).then(|| u8::try_from(n).unwrap_or(u8::MAX));
    let at = X12Place {
        loop_id: Some(in_loop.id.to_string()),
        segment: Some(spec.id.clone()),
        ordinal: Some(ordinal),
        element: number(finding.element),
        component: number(finding.component),
        repetition: number(finding.repetition),
        error_code: Some(finding.fault.error_code().to_owned()),
        ..X12Place::default()
    };
    let element = spec.element(finding.element, finding.component);
    let name = element.map_or("the element", |element| element.name.as_str());
    Issue::error(codes::X12_GUIDE, Place::X12(at), format!("{name} {}", finding.fault.text(element)))
}

fn loop_issue(guide: &Guide, in_loop: &LoopSpec, first: u32, fault: LoopFault) -> Issue {
    let at = X12Place {
        loop_id: Some(in_loop.id.to_string()),
        segment: fault.segment(guide).map(|ix| guide.segment_at(ix).id.clone()),
        ordinal: Some(first),
        error_code: Some(fault.error_code().to_owned()),
        ..X12Place::default()
    };
    Issue::error(codes::X12_GUIDE, Place::X12(at), fault.text(guide))
}
