//! The JSON that a mapping makes, written down as it comes. What turns out to be nothing (an object in which no value came from the
//! source) is taken back by cutting the text, so that nothing is built that is not told.

use serde_json::Value;
use std::fmt::Write;

/// JSON text that grows, and can be cut back.
#[derive(Debug, Default)]
pub struct Draft(String);

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
        self.0.push_str(json);
    }

    /// A text, in quotes.
    pub fn text(&mut self, text: &str) {
        if text.bytes().any(|byte| byte < 0x20 || matches!(byte, b'"' | b'\\')) {
            return self.value(&Value::from(text));
        }
        self.0.push('"');
        self.0.push_str(text);
        self.0.push('"');
    }

    /// A whole value.
    pub fn value(&mut self, value: &Value) {
        // Writing to a text can't fail.
        let _ = write!(self.0, "{value}");
    }

    /// Makes one object of an open one that ends where the whole one behind it starts.
    pub fn join(&mut self, start: usize) {
        match self.since(start) {
            "{}" => self.0.replace_range(start..=start, ""),
            _ => self.0.replace_range(start..=start, ","),
        }
    }

    /// What was written from a place on.
    pub fn since(&self, start: usize) -> &str {
        self.0.get(start..).unwrap_or_default()
    }

    pub fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_are_written_as_serde_json_writes_them() {
        for text in ["", "plain", "é", "\"", "\\", "a\nb", "\u{7f}", "\u{1}", "</script>"] {
            let mut draft = Draft::default();
            draft.text(text);
            assert_eq!(draft.since(0), json!(text).to_string());
        }
    }

    #[test]
    fn what_was_nothing_is_taken_back() {
        let mut draft = Draft::default();
        draft.raw("[");
        let end = draft.end();
        draft.value(&json!({"a": [1, "x"]}));
        assert_eq!(draft.since(end), r#"{"a":[1,"x"]}"#);
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
            assert_eq!(draft.since(0), joined);
        }
    }
}
