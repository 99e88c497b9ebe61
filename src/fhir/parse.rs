//! JSON from outside: bounded in depth, no property twice, numbers with the digits they came with.

use crate::fault::{Fault, Place, codes};
use crate::fhir::quick;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// Reads one JSON text; `depth` is how deep arrays and objects may nest.
pub fn json(bytes: &[u8], depth: usize) -> Result<Value, Fault> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let quick = std::str::from_utf8(bytes).ok().and_then(|text| quick::read(text, depth));
    quick.map_or_else(|| slow(bytes, depth).map_err(|error| refusal(bytes, depth, &error)), Ok)
}

/// Reads it with serde_json, which knows what is wrong and where.
pub(super) fn slow(bytes: &[u8], depth: usize) -> Result<Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let read = Bounded { depth }.deserialize(&mut deserializer);
    read.and_then(|value| deserializer.end().map(|()| value))
}

/// Some clients write it before UTF-8, which needs none.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// How serde_json hands over a number whose digits it keeps.
const NUMBER: &str = "$serde_json::private::Number";

// What our own errors begin with, to tell them from serde_json's.
const TOO_DEEP: &str = "too deep";
const TWICE: &str = "twice";

/// A value of which so many levels are left.
#[derive(Clone, Copy)]
struct Bounded {
    depth: usize,
}

impl Bounded {
    fn inside<E: Error>(self) -> Result<Bounded, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Bounded { depth }),
            None => Err(E::custom(TOO_DEEP)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Bounded {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inside)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        let mut next = entries.next_key::<String>()?;
        if next.as_deref() == Some(NUMBER) {
            return number(&mut entries);
        }
        let inside = self.inside()?;
        while let Some(key) = next {
            let value = entries.next_value_seed(inside)?;
            if object.contains_key(&key) {
                let shown: String = key.chars().take(64).collect();
                return Err(A::Error::custom(format_args!("{TWICE} `{shown}`")));
            }
            object.insert(key, value);
            next = entries.next_key()?;
        }
        Ok(Value::Object(object))
    }
}

fn number<'de, A: MapAccess<'de>>(entries: &mut A) -> Result<Value, A::Error> {
    let digits: String = entries.next_value()?;
    digits.parse().map(Value::Number).map_err(A::Error::custom)
}

/// Says where the text stops being JSON, and how to mend the usual mistakes.
fn refusal(bytes: &[u8], depth: usize, error: &serde_json::Error) -> Fault {
    let at = Place::Text { line: error.line() as u32, column: error.column() as u32 };
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or_default();
    if what.starts_with(TOO_DEEP) || what.starts_with("recursion limit") {
        let text = format!("the JSON nests deeper than {depth} levels");
        return Fault::refuse(
            codes::NESTING_TOO_DEEP,
            at,
            text,
            "flatten it, or send fewer levels of `contained` and `extension`",
        );
    }
    if let Some(key) = what.strip_prefix(TWICE) {
        let text = format!("the property{key} stands twice in one object");
        return Fault::refuse(codes::DUPLICATE_KEY, at, text, "keep one of them; several values belong into one array");
    }
    Fault::refuse(codes::JSON_SYNTAX, at, format!("not JSON: {what}"), hint(bytes, what))
}

/// What a mistake usually is.
fn hint(bytes: &[u8], what: &str) -> &'static str {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    let hints: &[(bool, &str)] = &[
        (first.is_none(), "the body is empty: send the resource as JSON"),
        (first == Some(&b'<'), "this is XML or HTML: send JSON, as application/fhir+json"),
        (first == Some(&b'I'), "this looks like X12: post it to /payers/{id}/interchanges"),
        (what.starts_with("trailing comma"), "remove the comma before the closing bracket"),
        (what.starts_with("EOF"), "the text ends too early: was it cut off on its way?"),
        (what.starts_with("trailing characters"), "send one resource; several belong into a Bundle"),
        (what.starts_with("key must be a string"), "write names in double quotes; JSON has no comments"),
        (what.contains("unicode") || what.contains("UTF-8"), "write the text in UTF-8"),
        (what.starts_with("control character"), "write line breaks inside strings as \\n"),
    ];
    hints
        .iter()
        .find(|(holds, _)| *holds)
        .map_or("write it as JSON (RFC 8259): no comments, no trailing commas", |(_, hint)| hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Fault {
        json(text.as_bytes(), 64).expect_err(text)
    }

    #[test]
    fn numbers_keep_their_digits() {
        let text = r#"{"a":100.00,"b":0.1234567890123456789012345678,"c":-0,"d":[1.10,2]}"#;
        assert_eq!(json(text.as_bytes(), 64).unwrap().to_string(), text);
    }

    #[test]
    fn order_is_kept_and_a_byte_order_mark_forgiven() {
        let value = json(b"\xEF\xBB\xBF{\"z\":1,\"a\":\"\\u00e9\\n\",\"n\":null,\"t\":true}", 64).unwrap();
        assert_eq!(value.to_string(), "{\"z\":1,\"a\":\"\u{e9}\\n\",\"n\":null,\"t\":true}");
    }

    #[test]
    fn says_where_and_how_to_mend() {
        let cases = [
            ("", "CG-1001", "empty"),
            ("<Claim/>", "CG-1001", "XML"),
            ("ISA*00*", "CG-1001", "X12"),
            ("{\"a\":1,}", "CG-1001", "remove the comma"),
            ("{\"a\":1", "CG-1001", "ends too early"),
            ("{} {}", "CG-1001", "Bundle"),
            ("{a:1}", "CG-1001", "quotes"),
            ("{\"a\":1,\"b\":{},\"a\":2}", "CG-1014", "array"),
            ("{\"a\":01}", "CG-1001", "RFC 8259"),
            ("{\"a\":\"\\ud800\"}", "CG-1001", "RFC 8259"),
        ];
        for (text, code, hint) in cases {
            let fault = refused(text);
            assert_eq!(fault.issues[0].code, code, "{text}");
            assert!(fault.issues[0].hint.as_deref().unwrap().contains(hint), "{text}: {fault}");
        }
        let fault = refused("{\n  \"a\": 1\n  \"b\": 2}");
        assert_eq!(fault.issues[0].at, Place::Text { line: 3, column: 3 });
        assert!(json(b"{\"a\":\"\xff\"}", 64).is_err());
    }

    #[test]
    fn depth_is_limited() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(json(nested(5).as_bytes(), 5).is_ok());
        assert_eq!(json(nested(6).as_bytes(), 5).unwrap_err().issues[0].code, codes::NESTING_TOO_DEEP);
        assert_eq!(json(nested(100_000).as_bytes(), 120).unwrap_err().issues[0].code, codes::NESTING_TOO_DEEP);
        assert!(json(br#"{"a":{"b":1.5}}"#, 2).is_ok());
        assert!(json(br#"{"a":{"b":{}}}"#, 2).is_err());
    }

    #[test]
    fn the_private_name_of_numbers_is_no_way_in() {
        assert!(json(br#"{"$serde_json::private::Number":"1} evil"}"#, 64).is_err());
    }
}
