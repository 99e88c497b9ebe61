//! The quick way through JSON that is as it should be: one pass over the text, each list and object made in its final size.
//! Whatever else it meets (no JSON, a property twice, too many levels, half of a surrogate pair) it leaves alone:
//! [`super::parse`] then reads the text the slow way and finds the words for it.

use serde_json::{Map, Number, Value};

/// Levels that the slow way takes at most, whatever it is allowed.
const LEVELS_MOST: usize = 127;

/// The value of a JSON text that nests at most so deep; `None` when it has to be looked at more closely.
pub fn read(text: &str, depth: usize) -> Option<Value> {
    let mut reader = Reader { text, at: 0, items: Vec::new(), entries: Vec::new() };
    let value = reader.value(depth.min(LEVELS_MOST))?;
    reader.skip_space();
    (reader.at == text.len()).then_some(value)
}

struct Reader<'t> {
    text: &'t str,
    /// The next byte.
    at: usize,
    // What the lists and objects around hold so far, the innermost last.
    items: Vec<Value>,
    entries: Vec<(String, Value)>,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let space = rest.iter().position(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t'));
        self.at += space.unwrap_or(rest.len());
    }

    /// The next byte behind white space; it is taken.
    fn take(&mut self) -> Option<u8> {
        self.skip_space();
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        match self.take()? {
            b'"' => self.string().map(Value::String),
            b'{' => self.object(depth.checked_sub(1)?),
            b'[' => self.list(depth.checked_sub(1)?),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'n' => self.word("null", Value::Null),
            _ => None,
        }
    }

    /// `true`, `false` or `null`, whose first letter is taken.
    fn word(&mut self, word: &str, value: Value) -> Option<Value> {
        let from = self.at - 1;
        self.at = from + word.len();
        (self.text.get(from..self.at)? == word).then_some(value)
    }

    /// A number, whose first byte is taken. Its grammar is serde_json's work.
    fn number(&mut self) -> Option<Value> {
        let from = self.at - 1;
        while matches!(self.peek(), Some(b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E')) {
            self.at += 1;
        }
        self.text.get(from..self.at)?.parse::<Number>().ok().map(Value::Number)
    }

    fn list(&mut self, depth: usize) -> Option<Value> {
        let first = self.items.len();
        self.skip_space();
        if self.peek()? == b']' {
            self.at += 1;
            return Some(Value::Array(Vec::new()));
        }
        loop {
            let value = self.value(depth)?;
            self.items.push(value);
            match self.take()? {
                b',' => {}
                b']' => return Some(Value::Array(self.items.drain(first..).collect())),
                _ => return None,
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        let first = self.entries.len();
        self.skip_space();
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(Value::Object(Map::new()));
        }
        loop {
            if self.take()? != b'"' {
                return None;
            }
            // `$…` is what serde_json calls numbers whose digits it keeps; no property of FHIR begins so.
            let key = self.string().filter(|key| !key.starts_with('$'))?;
            if self.take()? != b':' {
                return None;
            }
            let value = self.value(depth)?;
            self.entries.push((key, value));
            match self.take()? {
                b',' => {}
                b'}' => return self.made(first),
                _ => return None,
            }
        }
    }

    /// The object of the entries from this one on.
    fn made(&mut self, first: usize) -> Option<Value> {
        let entries = self.entries.drain(first..);
        let mut object = Map::with_capacity(entries.len());
        for (key, value) in entries {
            if object.insert(key, value).is_some() {
                return None;
            }
        }
        Some(Value::Object(object))
    }

    /// A text, whose opening quote is taken.
    fn string(&mut self) -> Option<String> {
        let plain = self.plain()?;
        if self.peek()? == b'"' {
            self.at += 1;
            return Some(plain.to_owned());
        }
        let mut text = plain.to_owned();
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => text.push(self.escape()?),
                _ => return None,
            }
            text.push_str(self.plain()?);
        }
        self.at += 1;
        Some(text)
    }

    /// Everything up to a quote, a backslash or a control character.
    fn plain(&mut self) -> Option<&'t str> {
        let (text, from) = (self.text, self.at);
        self.at += plain_bytes(text.as_bytes().get(from..)?);
        text.get(from..self.at)
    }

    /// One character behind a backslash.
    fn escape(&mut self) -> Option<char> {
        let letter = *self.text.as_bytes().get(self.at + 1)?;
        self.at += 2;
        Some(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => return self.unicode(),
            _ => return None,
        })
    }

    fn unicode(&mut self) -> Option<char> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        let all = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        char::from_u32(u32::from_str_radix(digits, 16).ok().filter(|_| all)?)
    }
}

/// A byte in each of eight places.
const EACH: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * EACH;

/// How many bytes there are before a quote, a backslash or a control character: eight at a time.
fn plain_bytes(bytes: &[u8]) -> usize {
    let mut count = 0;
    while let Some(eight) = bytes.get(count..).and_then(<[u8]>::first_chunk) {
        let eight = u64::from_le_bytes(*eight);
        // The lowest high bit that is set stands in the first byte below the limit, or equal to the character.
        let below = |eight: u64, limit: u64| eight.wrapping_sub(limit * EACH) & !eight;
        let (quote, backslash) = (eight ^ (u64::from(b'"') * EACH), eight ^ (u64::from(b'\\') * EACH));
        let found = (below(eight, 0x20) | below(quote, 1) | below(backslash, 1)) & HIGH;
        if found != 0 {
            return count + found.trailing_zeros() as usize / 8;
        }
        count += 8;
    }
    let rest = bytes.get(count..).unwrap_or_default();
    count + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stops_at_the_first_byte_that_is_not_plain() {
        for stop in ["\"", "\\", "\n", "\u{1f}", "\0"] {
            for before in 0..20 {
                let text = format!("{}{stop}\"\\\n", "é{ ".chars().cycle().take(before).collect::<String>());
                assert_eq!(plain_bytes(text.as_bytes()), text.len() - stop.len() - 3, "{text:?}");
            }
        }
        assert_eq!(plain_bytes(b"no end of it"), 12);
    }

    #[test]
    fn leaves_alone_what_needs_a_word() {
        let texts = [
            "",
            "{} {}",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\":1,\"a\":2}",
            "[01]",
            "[1.]",
            "[+1]",
            "[tru]",
            "[truely]",
            "\"\n\"",
            "\"a",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\\u+123\"",
            "\"\\ud83d\\ude00\"",
            "{\"$serde_json::private::Number\":\"1\"}",
            "[[[[]]]]",
        ];
        for text in texts {
            assert_eq!(read(text, 3), None, "{text}");
        }
        assert!(read(&format!("{}{}", "[".repeat(128), "]".repeat(128)), 1000).is_none());
    }

    /// JSON of every kind, and what is nearly JSON.
    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,9})?([eE][+-]?[0-9]{1,2})?",
            "[-+0-9.eE]{1,6}",
            any::<String>().prop_map(|text| Value::String(text).to_string()),
            "\"(\\\\[\"\\\\/bfnrtu]|\\\\u[0-9a-f]{4}|[a-zé ]){0,12}\"",
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            let key = "\"[a-d$_]{1,3}\"";
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(|items| format!("[{}]", items.join(" , "))),
                prop::collection::vec((key, inner), 0..6).prop_map(|entries| {
                    let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{key} :\n{value}")).collect();
                    format!("{{ {} }}", entries.join(","))
                }),
            ]
        })
    }

    proptest! {
        /// What the quick way gives, the slow way gives too.
        #[test]
        fn gives_what_the_slow_way_gives(text in json()) {
            if let Some(value) = read(&text, 6) {
                let slow = crate::fhir::parse::slow(text.as_bytes(), 6).map_err(|error| error.to_string());
                prop_assert_eq!(slow.as_ref(), Ok(&value));
                prop_assert_eq!(slow.map(|value| value.to_string()), Ok(value.to_string()));
            }
        }
    }
}
