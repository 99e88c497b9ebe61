//! A transaction set as JSON, for people and for programs that do not read X12.

use crate::x12::guide::{Guide, Guides};
use crate::x12::reader::{Group, Interchange, TransactionSet};
use crate::x12::segment::Segment;
use crate::x12::tree::{self, Loop};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};
use std::io::Write;

/// An object of these members. Values are moved into it: `json!` would copy what lies inside, once for each loop around.
fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// One segment as an object: `{"ordinal", "id", "loop", "offset", "elements"}`. A composite is an array of its components,
/// a repeated element an object `{"repeats": […]}`, binary data (BIN, BDS) one text; elements that are empty at the end are left out.
pub fn segment(segment: &Segment<'_>, loop_id: &str) -> Value {
    let mut elements: Vec<Value> = match segment.binary_length_at() {
        Some(_) => segment.values().map(Value::from).collect(),
        None => segment.elements().map(|text| element(segment, text)).collect(),
    };
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

/// Writes what [`segment`] gives, and a line feed, without making a value of it first.
pub fn write_segment(segment: &Segment<'_>, loop_id: &str, out: &mut impl Write) -> std::io::Result<()> {
    write!(out, "{{\"ordinal\":{},\"id\":", segment.ordinal)?;
    write_text(segment.id(), out)?;
    if !loop_id.is_empty() {
        out.write_all(b",\"loop\":")?;
        write_text(loop_id, out)?;
    }
    write!(out, ",\"offset\":{},\"elements\":[", segment.offset)?;
    let delimiters = segment.delimiters;
    let is_isa = segment.id() == "ISA";
    // ISA names the separators themselves.
    let repetition = delimiters.repetition.filter(|_| !is_isa);
    let component = Some(delimiters.component).filter(|_| !is_isa);
    let raw = segment.raw();
    let (_, elements) = raw.split_once(char::from(delimiters.element)).unwrap_or((raw, ""));
    let elements = elements.trim_end_matches(char::from(delimiters.element));
    if segment.binary_length_at().is_some() {
        let values: Vec<_> = segment.values().collect();
        let count = values.iter().rposition(|value| !value.is_empty()).map_or(0, |last| last + 1);
        for (n, value) in values.iter().take(count).enumerate() {
            out.write_all(if n > 0 { b"," } else { b"" })?;
            write_text(value, out)?;
        }
    } else if !elements.is_empty() {
        write_parts(elements, Some(delimiters.element), out, |text, out| match has(text, repetition) {
            true => {
                out.write_all(b"{\"repeats\":[")?;
                write_parts(text, repetition, out, |text, out| write_composite(text, component, out))?;
                out.write_all(b"]}")
            }
            false => write_composite(text, component, out),
        })?;
    }
    out.write_all(b"]}\n")
}

fn write_composite<W: Write>(text: &str, component: Option<u8>, out: &mut W) -> std::io::Result<()> {
    if !has(text, component) {
        return write_text(text, out);
    }
    out.write_all(b"[")?;
    write_parts(text, component, out, write_text)?;
    out.write_all(b"]")
}

fn has(text: &str, separator: Option<u8>) -> bool {
    separator.is_some_and(|separator| memchr::memchr(separator, text.as_bytes()).is_some())
}

fn write_parts<W: Write>(
    text: &str,
    separator: Option<u8>,
    out: &mut W,
    mut write: impl FnMut(&str, &mut W) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let separator = separator.map_or('\0', char::from);
    for (n, part) in text.split(separator).enumerate() {
        if n > 0 {
            out.write_all(b",")?;
        }
        write(part, out)?;
    }
    Ok(())
}

fn write_text<W: Write>(text: &str, out: &mut W) -> std::io::Result<()> {
    if text.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        return Ok(serde_json::to_writer(out, text)?);
    }
    out.write_all(b"\"")?;
    out.write_all(text.as_bytes())?;
    out.write_all(b"\"")
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
struct Plain<'s, 'a>(&'s [Segment<'a>]);

impl Serialize for Plain<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|one| segment(one, "")))
    }
}

/// A whole interchange: envelope, groups, sets, and the loops of each set that has a guide.
pub fn interchange(guides: &Guides, found: &Interchange<'_>) -> Value {
    object([
        ("controlNumber", found.control_number().into()),
        ("sender", found.sender().into()),
        ("receiver", found.receiver().into()),
        ("isa", segment(&found.isa, "")),
        ("ta1", value(&Plain(&found.ta1))),
        ("groups", found.groups.iter().map(|one| group(guides, one)).collect()),
        ("strays", value(&Plain(&found.strays))),
        ("iea", envelope(found.iea.as_ref())),
    ])
}

fn group(guides: &Guides, found: &Group<'_>) -> Value {
    object([
        ("functionalId", found.functional_id().into()),
        ("controlNumber", found.control_number().into()),
        ("version", found.version().into()),
        ("gs", envelope(Some(&found.gs))),
        ("sets", found.sets.iter().map(|set| value(&ShownSet { guides, set })).collect()),
        ("ge", envelope(found.ge.as_ref())),
    ])
}

/// A segment of the envelope, or null when it is missing: a set outside of any group has an empty GS.
pub(crate) fn envelope(found: Option<&Segment<'_>>) -> Value {
    found.filter(|found| !found.raw().is_empty()).map_or(Value::Null, |found| segment(found, ""))
}

/// A set: `{"transaction", "controlNumber", "version", "guide", "tree"}`, or its `segments` when no guide knows it. It is
/// written as it is, and no value is made of the whole.
pub(crate) struct ShownSet<'s, 'a> {
    pub guides: &'s Guides,
    pub set: &'s TransactionSet<'a>,
}

impl Serialize for ShownSet<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (guide, set) = (self.guides.for_transaction(self.set), self.set);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("transaction", set.id())?;
        map.serialize_entry("controlNumber", set.control_number())?;
        map.serialize_entry("version", set.version())?;
        map.serialize_entry("guide", &guide.map(|guide| guide.id.as_str()))?;
        match guide {
            Some(guide) => {
                let (root, _) = tree::assign(guide, set);
                map.serialize_entry("tree", &ShownLoop { guide, found: &root })?;
            }
            None => map.serialize_entry("segments", &Plain(&set.segments))?,
        }
        map.end()
    }
}

/// A loop: `{"loop", "name", "segments", "loops"}`.
struct ShownLoop<'s, 'a> {
    guide: &'s Guide,
    found: &'s Loop<'a>,
}

impl Serialize for ShownLoop<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ShownLoop { guide, found } = *self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("loop", &*found.id)?;
        map.serialize_entry("name", &guide.loop_at(found.spec).name)?;
        map.serialize_entry("segments", &Plain(&found.segments))?;
        map.serialize_entry("loops", &Inner { guide, loops: &found.children })?;
        map.end()
    }
}

/// The loops inside a loop.
struct Inner<'s, 'a> {
    guide: &'s Guide,
    loops: &'s [Loop<'a>],
}

impl Serialize for Inner<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.loops.iter().map(|found| ShownLoop { guide: self.guide, found }))
    }
}

/// What is shown, as a value.
fn value(shown: &impl Serialize) -> Value {
    serde_json::to_value(shown).unwrap_or_default()
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
    fn a_segment_is_written_as_it_is_shown() {
        for raw in [
            "EB*1**30^33*HM*A:B*",
            "NTE*ADD*\"a\\b\tc\u{c9}",
            "ZZZ",
            "",
            "*",
            "ISA*:*^",
            "SV1*^:*a::b^*:",
            "HI*A:B^C:D**",
        ] {
            let segment = Segment { ordinal: 7, ..Segment::new(raw, Default::default()) };
            for loop_id in ["2400", ""] {
                let mut out = Vec::new();
                write_segment(&segment, loop_id, &mut out).unwrap();
                assert_eq!(
                    String::from_utf8(out).unwrap(),
                    format!("{}\n", super::segment(&segment, loop_id)),
                    "{raw}"
                );
            }
        }
    }

    #[test]
    fn a_set_shows_its_loops() {
        let set = parsed("ST*835*1~N1*PR~N3*A~SE*4*1");
        let found = value(&ShownSet { guides: shipped(), set: &set });
        let shown = &found["tree"];
        assert_eq!((&found["transaction"], &found["guide"]), (&Value::from("835"), &Value::from("005010X221A1")));
        assert_eq!(shown["loops"][0]["loop"], "1000A");
        assert_eq!(shown["loops"][0]["segments"][1]["elements"][0], "A");
        assert_eq!(shown["segments"][1]["id"], "SE");
    }
}
