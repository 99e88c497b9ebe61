//! The basic character set of X12.5, for payers that take no other.

use crate::fault::{Issue, Place, X12Place, codes};
use crate::x12::build::{Element, LoopNode, SegmentNode};
use crate::x12::guide::{Content, ElementSpec, Guide};

/// Whether a character belongs to the basic set: capitals, digits, space and ! " & ' ( ) * + , - . / : ; ? =.
fn is_basic(c: char) -> bool {
    c.is_ascii_uppercase() || c.is_ascii_digit() || " !\"&'()*+,-./:;?=".contains(c)
}

/// Brings an arranged tree into the basic set: in names, addresses and notes another character becomes a space; elsewhere it
/// is an issue, because to alter an identifier would make another of it.
pub fn basic(guide: &Guide, node: &mut LoopNode) -> Vec<Issue> {
    let mut basic = Basic { guide, ordinal: 0, issues: Vec::new() };
    basic.take(node);
    basic.issues
}

struct Basic<'g> {
    guide: &'g Guide,
    ordinal: u32,
    issues: Vec<Issue>,
}

impl Basic<'_> {
    fn take(&mut self, node: &mut LoopNode) {
        let loop_id = self.guide.loop_at(node.spec).id.to_string();
        for segment in &mut node.segments {
            self.ordinal += 1;
            self.segment(&loop_id, segment);
        }
        node.children.iter_mut().for_each(|child| self.take(child));
    }

    fn segment(&mut self, loop_id: &str, node: &mut SegmentNode) {
        let spec = self.guide.segment_at(node.spec);
        for (n, element) in (1u8..).zip(&mut node.elements) {
            let Some(whole) = spec.element(usize::from(n), 0) else { continue };
            for wrong in element_wrong(element, whole) {
                let at = X12Place {
                    loop_id: Some(loop_id.to_owned()),
                    segment: Some(spec.id.clone()),
                    ordinal: Some(self.ordinal),
                    element: Some(n),
                    component: wrong.component,
                    ..X12Place::default()
                };
                let text = format!("{} holds `{}`, which this payer's character set has not", wrong.name, wrong.found);
                let issue = Issue::error(codes::MAPPING_VALUE, Place::X12(at), text);
                self.issues.push(issue.hint("use capitals, digits and ! \" & ' ( ) * + , - . / : ; ? ="));
            }
        }
    }
}

/// A character that can't be sent.
struct Wrong {
    component: Option<u8>,
    name: String,
    found: char,
}

fn element_wrong(element: &mut Element, spec: &ElementSpec) -> Vec<Wrong> {
    match element {
        Element::Absent => Vec::new(),
        Element::Text(text) => text_wrong(text, spec, None).into_iter().collect(),
        Element::Composite(parts) => {
            let parts = parts.iter_mut().zip(&spec.components).zip(1u8..);
            parts.filter_map(|((text, spec), c)| text_wrong(text, spec, Some(c))).collect()
        }
        Element::Repeated(all) => all.iter_mut().flat_map(|one| element_wrong(one, spec)).collect(),
    }
}

fn text_wrong(text: &mut String, spec: &ElementSpec, component: Option<u8>) -> Option<Wrong> {
    let found = text.chars().find(|c| !is_basic(*c))?;
    if spec.content != Content::FreeText {
        return Some(Wrong { component, name: spec.name.clone(), found });
    }
    let plain: String = text.chars().map(|c| if is_basic(c) { c } else { ' ' }).collect();
    *text = plain.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x12::build::tests::claim;

    /// Sets the first element of this segment anywhere in the tree.
    fn set(guide: &Guide, node: &mut LoopNode, id: &str, n: usize, text: &str) {
        for segment in node.segments.iter_mut().filter(|segment| guide.segment_at(segment.spec).id == id) {
            segment.set(n, text);
        }
        node.children.iter_mut().for_each(|child| set(guide, child, id, n, text));
    }

    fn texts(node: &LoopNode) -> String {
        format!("{node:?}")
    }

    #[test]
    fn free_text_is_brought_into_the_set_and_identifiers_are_told() {
        let (guide, mut node) = claim();
        assert!(basic(guide, &mut node).is_empty());
        set(guide, &mut node, "N3", 1, "1 MAIN ST #4 @HOME");
        set(guide, &mut node, "CLM", 1, "A_1");
        let issues = basic(guide, &mut node);
        assert!(texts(&node).contains("\"1 MAIN ST 4 HOME\""), "{}", texts(&node));
        assert_eq!(issues.len(), 1, "{issues:?}");
        assert!(issues[0].at.to_string().contains("CLM01") && issues[0].text.contains("`_`"), "{}", issues[0]);
    }
}
