//! The JSON that a mapping makes, written down as it comes. What turns out to be nothing (an object in which no value came from the
//! source) is taken back by cutting the text, so that nothing is built that is not told.

use crate::billing::shape::View;
use crate::digits::Digits;
use serde_json::Value;
use std::io::Write;

/// JSON text that grows, and can be cut back.
#[derive(Debug, Default)]
pub struct Draft(Vec<u8>);

impl Draft {
    /// Where it ends now: what [`Draft::cut`] goes back to.
    pub fn end(&self) -> usize {
        self.0.len()
    }

    pub fn cut(&mut self, end: usize) {
        self.0.truncate(end);
    }

    /// Text that is JSON already.
    pub fn raw(&mut self, json: &str) {
        self.bytes(json.as_bytes());
    }

    /// The same as bytes.
    pub fn bytes(&mut self, json: &[u8]) {
        self.0.extend_from_slice(json);
    }

    /// A text, in quotes.
    pub fn text(&mut self, text: &str) {
        if !is_plain(text.as_bytes()) {
            // Writing to a text can't fail.
            let _ = write!(self.0, "{}", Value::from(text));
            return;
        }
        self.quoted(text.as_bytes());
    }

    /// A text without anything that JSON writes otherwise.
    pub fn quoted(&mut self, text: &[u8]) {
        self.0.reserve(text.len() + 2);
        self.0.push(b'"');
        self.0.extend_from_slice(text);
        self.0.push(b'"');
    }

    /// A whole value.
    pub fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.raw("null"),
            Value::Bool(yes) => self.raw(if *yes { "true" } else { "false" }),
            Value::Number(number) => self.raw(number.as_str()),
            Value::String(text) => self.text(text),
            Value::Array(items) => self.all("[", items, "]", |draft, item| draft.value(item)),
            Value::Object(map) => self.all("{", map, "}", |draft, (name, value)| {
                draft.text(name);
                draft.raw(":");
                draft.value(value);
            }),
        }
    }

    /// A part of a plain value.
    pub fn view(&mut self, view: View<'_>) {
        match view {
            View::Text(text) => self.text(text),
            View::Date(date) => self.quoted(Digits::of_date(date).as_bytes()),
            View::Decimal(number) => self.quoted(Digits::of_decimal(number).as_bytes()),
            View::Integer(number) => self.bytes(Digits::of_integer(number.into()).as_bytes()),
            View::Boolean(yes) => self.raw(if yes { "true" } else { "false" }),
            View::List(list) => {
                self.all("[", (0..list.count()).filter_map(|n| list.item(n)), "]", |draft, item| draft.view(item));
            }
            View::Object(object) => {
                let mut open = "{";
                object.visit(&mut |place, view| {
                    self.raw(open);
                    self.text(object.names().get(place).copied().unwrap_or_default());
                    self.raw(":");
                    self.view(view);
                    open = ",";
                });
                self.raw(if open == "{" { "{}" } else { "}" });
            }
        }
    }

    /// Parts between brackets, with commas between them.
    fn all<T>(&mut self, open: &str, parts: impl IntoIterator<Item = T>, close: &str, put: fn(&mut Draft, T)) {
        self.raw(open);
        for (n, part) in parts.into_iter().enumerate() {
            if n > 0 {
                self.raw(",");
            }
            put(self, part);
        }
        self.raw(close);
    }

    /// Makes one object of an open one that ends where the whole one behind it starts.
    pub fn join(&mut self, start: usize) {
        match self.since(start) {
            b"{}" => drop(self.0.remove(start)),
            _ => self.0.iter_mut().skip(start).take(1).for_each(|brace| *brace = b','),
        }
    }

    /// What was written from a place on.
    pub fn since(&self, start: usize) -> &[u8] {
        self.0.get(start..).unwrap_or_default()
    }

    pub fn into_text(self) -> String {
        String::from_utf8(self.0).unwrap_or_default()
    }
}

/// Whether JSON writes a text as it stands, looked at many bytes at a time.
#[inline]
fn is_plain(bytes: &[u8]) -> bool {
    match bytes.last_chunk::<WIDE>() {
        Some(last) => bytes.as_chunks::<WIDE>().0.iter().fold(is_odd(last), |odd, chunk| odd | is_odd(chunk)) == 0,
        None => is_odd(bytes) == 0,
    }
}

/// Bytes that the processor compares at once.
const WIDE: usize = 16;

/// Whether some of the bytes are a control character, a quote or a backslash; else 0.
#[inline(always)]
fn is_odd(bytes: &[u8]) -> u8 {
    let odd = |byte: u8| u8::from(byte < 0x20) | u8::from(byte == b'"') | u8::from(byte == b'\\');
    bytes.iter().fold(0, |any, byte| any | odd(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_are_written_as_serde_json_writes_them() {
        let long = ["a long text with a \" in it", "a long text that ends in \\", "\u{1f}1234567", "1234567é~\u{7f}"];
        for text in ["", "plain", "é", "\"", "\\", "a\nb", "\u{7f}", "\u{1}", "</script>"].into_iter().chain(long) {
            let mut draft = Draft::default();
            draft.text(text);
            assert_eq!(draft.into_text(), json!(text).to_string());
        }
    }

    #[test]
    fn what_was_nothing_is_taken_back() {
        let mut draft = Draft::default();
        draft.raw("[");
        let end = draft.end();
        let value = json!({"a": [1, "x", null, true, -1.50], "b": {}, "c": [{"é\n": []}]});
        draft.value(&value);
        assert_eq!(draft.since(end), value.to_string().as_bytes());
        draft.cut(end);
        draft.raw("]");
        assert_eq!(draft.into_text(), "[]");
    }

    #[test]
    fn an_object_goes_on_in_the_next() {
        for (whole, joined) in [("{}", r#"{"a":1}"#), (r#"{"b":2}"#, r#"{"a":1,"b":2}"#)] {
            let mut draft = Draft::default();
            draft.raw(r#"{"a":1"#);
            let start = draft.end();
            draft.raw(whole);
            draft.join(start);
            assert_eq!(draft.since(0), joined.as_bytes());
        }
    }
}
