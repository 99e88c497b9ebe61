//! Bytes to text and back. X12 names no encoding: each segment is UTF-8 or, when it is not, Latin-1, where every byte is a
//! character, so that nothing is lost and the same bytes can be written again.

use crate::x12::tokens::{Token, Tokens};
use std::borrow::Cow;
use std::ops::Range;

/// An input whose segments are text.
#[derive(Debug, Clone)]
pub struct Text<'a> {
    bytes: &'a [u8],
    /// The input, when all of it is UTF-8.
    utf8: Option<&'a str>,
    /// The segments that are none, one after another.
    latin1: String,
    parts: Vec<Range<usize>>,
}

impl<'a> Text<'a> {
    pub fn decode(bytes: &'a [u8]) -> Text<'a> {
        let utf8 = std::str::from_utf8(bytes).ok();
        let mut text = Text { bytes, utf8, latin1: String::new(), parts: Vec::new() };
        if text.utf8.is_none() {
            for token in Tokens::new(bytes).filter(|token| std::str::from_utf8(token.raw).is_err()) {
                let start = text.latin1.len();
                push_latin1(token.raw, &mut text.latin1);
                text.parts.push(start..text.latin1.len());
            }
        }
        text
    }

    /// The tokens of the input, and the text of each.
    pub(crate) fn tokens(&self) -> (Tokens<'_>, Texts<'_>) {
        let texts = Texts { utf8: self.utf8, latin1: &self.latin1, parts: self.parts.iter() };
        (Tokens::new(self.bytes), texts)
    }
}

/// Gives the text of each token of an input, if asked for every one of them in their order.
#[derive(Debug)]
pub(crate) struct Texts<'t> {
    utf8: Option<&'t str>,
    latin1: &'t str,
    parts: std::slice::Iter<'t, Range<usize>>,
}

impl<'t> Texts<'t> {
    pub fn utf8(input: &'t str) -> Texts<'t> {
        Texts { utf8: Some(input), latin1: "", parts: [].iter() }
    }

    /// The text of a token, and whether it is Latin-1.
    pub fn of(&mut self, token: &Token<'t>) -> (&'t str, bool) {
        if let Some(input) = self.utf8 {
            let start = usize::try_from(token.offset).unwrap_or(usize::MAX);
            // A cut inside of a character can only be that of a segment which is too long.
            return (input.get(start..start.saturating_add(token.raw.len())).unwrap_or_default(), false);
        }
        match std::str::from_utf8(token.raw) {
            Ok(text) => (text, false),
            Err(_) => (self.parts.next().and_then(|part| self.latin1.get(part.clone())).unwrap_or_default(), true),
        }
    }
}

/// Appends bytes of Latin-1.
pub(crate) fn push_latin1(bytes: &[u8], out: &mut String) {
    out.extend(bytes.iter().map(|byte| char::from(*byte)));
}

/// The bytes that a text was read from.
pub(crate) fn encode(text: &str, latin1: bool) -> Cow<'_, [u8]> {
    match latin1 && !text.is_ascii() {
        true => Cow::Owned(text.chars().map(|character| u8::try_from(character).unwrap_or(b'?')).collect()),
        false => Cow::Borrowed(text.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x12::tokens::tests::isa;

    #[test]
    fn each_segment_has_its_own_encoding() {
        let head = isa('*', '^', ':', "~");
        let bytes = [head.as_bytes(), b"N3*CAF\xC3\x89~N3*CAF\xC9~N3*CAFE~N4*\xC9\xC3~"].concat();
        let text = Text::decode(&bytes);
        let (tokens, mut texts) = text.tokens();
        let read: Vec<_> = tokens.skip(1).map(|token| (texts.of(&token), token.raw)).collect();
        let shown: Vec<_> = read.iter().map(|((text, latin1), _)| (*text, *latin1)).collect();
        assert_eq!(
            shown,
            [("N3*CAF\u{c9}", false), ("N3*CAF\u{c9}", true), ("N3*CAFE", false), ("N4*\u{c9}\u{c3}", true)]
        );
        assert!(read.iter().all(|((text, latin1), raw)| encode(text, *latin1) == *raw));
    }
}
