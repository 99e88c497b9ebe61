//! A transaction set as JSON, for people and for programs that do not read X12.

use crate::x12::guide::Guide;
use crate::x12::guide::Guides;
use crate::x12::reader::{Group, Interchange, TransactionSet};
use crate::x12::segment::Segment;
use crate::x12::tree::{self, Loop};
use serde_json::{Map, Value, json};

/// One segment as an object: `{"ordinal", "id", "loop", "offset", "elements"}`. A composite is an array of its components,
/// a repeated element an object `{"repeats": […]}`; elements that are empty at the end are left out.
pub fn segment(segment: &Segment<'_>, loop_id: &str) -> Value {
    let count = (1..=segment.len()).rev().find(|n| !segment.element(*n).is_empty()).unwrap_or(0);
    let elements: Vec<_> = (1..=count).map(|n| element(segment, n)).collect();
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

fn element(segment: &Segment<'_>, n: usize) -> Value {
    // ISA names the separators themselves.
    if segment.id() == "ISA" {
        return segment.element(n).into();
    }
    let all: Vec<Value> = segment.repetitions(n).map(|repetition| composite(segment.parts(repetition))).collect();
    match <[Value; 1]>::try_from(all) {
        Ok([only]) => only,
        Err(all) if all.is_empty() => "".into(),
        Err(all) => json!({ "repeats": all }),
    }
}

fn composite<'a>(parts: impl Iterator<Item = &'a str>) -> Value {
    let parts: Vec<&str> = parts.collect();
    match parts.as_slice() {
        [only] => (*only).into(),
        _ => parts.into(),
    }
}

/// A whole interchange: envelope, groups, sets, and the loops of each set that has a guide.
pub fn interchange(guides: &Guides, found: &Interchange<'_>) -> Value {
    json!({
        "controlNumber": found.control_number(),
        "sender": found.sender(),
        "receiver": found.receiver(),
        "isa": segment(&found.isa, ""),
        "ta1": found.ta1.iter().map(|ta1| segment(ta1, "")).collect::<Vec<_>>(),
        "groups": found.groups.iter().map(|one| group(guides, one)).collect::<Vec<_>>(),
        "strays": found.strays.iter().map(|stray| segment(stray, "")).collect::<Vec<_>>(),
    })
}

fn group(guides: &Guides, found: &Group<'_>) -> Value {
    json!({
        "functionalId": found.functional_id(),
        "controlNumber": found.control_number(),
        "version": found.version(),
        "gs": segment(&found.gs, ""),
        "sets": found.sets.iter().map(|one| set(guides, one)).collect::<Vec<_>>(),
    })
}

fn set(guides: &Guides, found: &TransactionSet<'_>) -> Value {
    let guide = guides.for_transaction(found);
    let content = match guide {
        Some(guide) => ("tree", tree(guide, found)),
        None => ("segments", found.segments.iter().map(|one| segment(one, "")).collect()),
    };
    let mut object = Map::new();
    object.insert("transaction".to_owned(), found.id().into());
    object.insert("controlNumber".to_owned(), found.control_number().into());
    object.insert("version".to_owned(), found.version().into());
    object.insert("guide".to_owned(), guide.map(|guide| guide.id.as_str()).into());
    object.insert(content.0.to_owned(), content.1);
    Value::Object(object)
}

/// The loops of a set: `{"loop", "name", "segments", "loops"}`.
pub fn tree(guide: &Guide, set: &TransactionSet<'_>) -> Value {
    let (root, _) = tree::assign(guide, set);
    loop_object(guide, &root)
}

fn loop_object(guide: &Guide, found: &Loop<'_>) -> Value {
    json!({
        "loop": &*found.id,
        "name": guide.loop_at(found.spec).name,
        "segments": found.segments.iter().map(|one| segment(one, "")).collect::<Vec<_>>(),
        "loops": found.children.iter().map(|child| loop_object(guide, child)).collect::<Vec<_>>(),
    })
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
