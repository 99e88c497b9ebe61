//! A transaction set as JSON, for people and for programs that do not read X12.

use crate::x12::guide::{Guide, Guides};
use crate::x12::reader::{Group, Interchange, TransactionSet};
use crate::x12::segment::Segment;
use crate::x12::tree::{self, Loop};
use serde_json::{Map, Value};

/// An object of these members. Values are moved into it: `json!` would copy what lies inside, once for each loop around.
fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// One segment as an object: `{"ordinal", "id", "loop", "offset", "elements"}`. A composite is an array of its components,
/// a repeated element an object `{"repeats": […]}`; elements that are empty at the end are left out.
pub fn segment(segment: &Segment<'_>, loop_id: &str) -> Value {
    let mut elements: Vec<_> = segment.elements().map(|text| element(segment, text)).collect();
    let count = elements.iter().rposition(|value| value.as_str() != Some("")).map_or(0, |last| last + 1);
    elements.truncate(count);
    let mut object = Map::new();
    object.insert("ordinal".to_owned(), segment.ordinal.into());
    object.insert("id".to_owned(), segment.id().into());
    if !loop_id.is_empty() {
        object.insert("loop".to_owned(), loop_id.into());
    }
    object.insert("offset".to_owned(), segment.offset.into());
    object.insert("elements".to_owned(), elements.into());
    Value::Object(object)
}

fn element(segment: &Segment<'_>, text: &str) -> Value {
    // ISA names the separators themselves.
    let repetition = segment.delimiters.repetition.filter(|_| segment.id() != "ISA").map(char::from);
    match repetition.filter(|separator| text.contains(*separator)) {
        Some(separator) => object([("repeats", text.split(separator).map(|one| composite(segment, one)).collect())]),
        None => composite(segment, text),
    }
}

fn composite(segment: &Segment<'_>, text: &str) -> Value {
    let separator = char::from(segment.delimiters.component);
    match segment.id() != "ISA" && text.contains(separator) {
        true => text.split(separator).map(Value::from).collect(),
        false => text.into(),
    }
}

/// Segments without loops.
fn plain(segments: &[Segment<'_>]) -> Value {
    segments.iter().map(|one| segment(one, "")).collect()
}

/// A whole interchange: envelope, groups, sets, and the loops of each set that has a guide.
pub fn interchange(guides: &Guides, found: &Interchange<'_>) -> Value {
    object([
        ("controlNumber", found.control_number().into()),
        ("sender", found.sender().into()),
        ("receiver", found.receiver().into()),
        ("isa", segment(&found.isa, "")),
        ("ta1", plain(&found.ta1)),
        ("groups", found.groups.iter().map(|one| group(guides, one)).collect()),
        ("strays", plain(&found.strays)),
    ])
}

fn group(guides: &Guides, found: &Group<'_>) -> Value {
    object([
        ("functionalId", found.functional_id().into()),
        ("controlNumber", found.control_number().into()),
        ("version", found.version().into()),
        ("gs", segment(&found.gs, "")),
        ("sets", found.sets.iter().map(|one| set(guides, one)).collect()),
    ])
}

fn set(guides: &Guides, found: &TransactionSet<'_>) -> Value {
    let guide = guides.for_transaction(found);
    object([
        ("transaction", found.id().into()),
        ("controlNumber", found.control_number().into()),
        ("version", found.version().into()),
        ("guide", guide.map(|guide| guide.id.as_str()).into()),
        match guide {
            Some(guide) => ("tree", tree(guide, found)),
            None => ("segments", plain(&found.segments)),
        },
    ])
}

/// The loops of a set: `{"loop", "name", "segments", "loops"}`.
pub fn tree(guide: &Guide, set: &TransactionSet<'_>) -> Value {
    let (root, _) = tree::assign(guide, set);
    loop_object(guide, &root)
}

fn loop_object(guide: &Guide, found: &Loop<'_>) -> Value {
    object([
        ("loop", Value::from(&*found.id)),
        ("name", guide.loop_at(found.spec).name.as_str().into()),
        ("segments", plain(&found.segments)),
        ("loops", found.children.iter().map(|child| loop_object(guide, child)).collect()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x12::guide::tests::shipped;
    use crate::x12::tree::tests::set as parsed;

    #[test]
    fn a_segment_shows_composites_and_repetitions() {
        let set = parsed("EB*1**30^33*HM*A:B*~");
        let shown = segment(&set.segments[0], "2110C");
        assert_eq!(
            shown.to_string(),
            r#"{"ordinal":1,"id":"EB","loop":"2110C","offset":0,"elements":["1","",{"repeats":["30","33"]},"HM",["A","B"]]}"#
        );
    }

    #[test]
    fn a_set_shows_its_loops() {
        let set = parsed("ST*835*1~N1*PR~N3*A~SE*4*1");
        let shown = tree(shipped().get("835").unwrap(), &set);
        assert_eq!(shown["loops"][0]["loop"], "1000A");
        assert_eq!(shown["loops"][0]["segments"][1]["elements"][0], "A");
        assert_eq!(shown["segments"][1]["id"], "SE");
    }
}
