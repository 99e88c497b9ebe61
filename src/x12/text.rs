//! Bytes to text and back. X12 names no encoding: UTF-8 is tried first, and what is no UTF-8 is read as Latin-1, where
//! every byte is a character, so that nothing is lost and the same bytes can be written again.

use std::borrow::Cow;

/// An input as text.
#[derive(Debug, Clone)]
pub struct Text<'a> {
    pub text: Cow<'a, str>,
    /// The input was no UTF-8: each of its bytes is one character of the text.
    pub latin1: bool,
}

impl<'a> Text<'a> {
    pub fn decode(bytes: &'a [u8]) -> Text<'a> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Text { text: Cow::Borrowed(text), latin1: false },
            Err(_) => Text { text: Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect()), latin1: true },
        }
    }

    /// The bytes that `part`, a piece of this text, was read from.
    pub fn encode<'b>(&self, part: &'b str) -> Cow<'b, [u8]> {
        match self.latin1 && !part.is_ascii() {
            true => Cow::Owned(part.chars().map(|character| u8::try_from(character).unwrap_or(b'?')).collect()),
            false => Cow::Borrowed(part.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_both_readings() {
        for bytes in [b"N3*CAF\xC3\x89".as_slice(), b"N3*CAF\xC9", b"N3*CAFE"] {
            let text = Text::decode(bytes);
            assert_eq!(text.encode(&text.text), bytes);
        }
        assert_eq!(Text::decode(b"CAF\xC9").text, "CAF\u{c9}");
    }
}
