//! Bytes to text and back. X12 names no encoding: each segment is UTF-8 or, when it is not, Latin-1, where every byte is a
//! character, so that nothing is lost and the same bytes can be written again. Line breaks that cut a segment are no part
//! of its text.

use crate::x12::isa::wrapped_isa_shape;
use crate::x12::tokens::{Token, Tokens};
use std::borrow::Cow;
use std::ops::Range;

/// An input whose segments are text.
#[derive(Debug, Clone)]
pub struct Text<'a> {
    bytes: &'a [u8],
    /// The input, when the text of its segments is its own.
    utf8: Option<&'a str>,
    /// The segments whose text is another, one after another: Latin-1, or cut by line breaks.
    others: String,
    parts: Vec<Part>,
}

/// A segment in [`Text::others`].
#[derive(Debug, Clone)]
struct Part {
    text: Range<usize>,
    latin1: bool,
}

impl<'a> Text<'a> {
    pub fn decode(bytes: &'a [u8]) -> Text<'a> {
        let utf8 = std::str::from_utf8(bytes).ok().filter(|_| !is_wrapped(bytes));
        let mut text = Text { bytes, utf8, others: String::new(), parts: Vec::new() };
        if text.utf8.is_none() {
            for token in Tokens::new(bytes).filter(|token| own_text(token).is_none()) {
                let start = text.others.len();
                let latin1 = push_sent(&token, &mut text.others);
                text.parts.push(Part { text: start..text.others.len(), latin1 });
            }
        }
        text
    }

    /// The tokens of the input, and the text of each.
    pub(crate) fn tokens(&self) -> (Tokens<'_>, Texts<'_>) {
        let texts = Texts { utf8: self.utf8, others: &self.others, parts: self.parts.iter() };
        (Tokens::new(self.bytes), texts)
    }
}

/// Gives the text of each token of an input, if asked for every one of them in their order.
#[derive(Debug)]
pub(crate) struct Texts<'t> {
    utf8: Option<&'t str>,
    others: &'t str,
    parts: std::slice::Iter<'t, Part>,
}

impl<'t> Texts<'t> {
    pub fn utf8(input: &'t str) -> Texts<'t> {
        Texts { utf8: Some(input), others: "", parts: [].iter() }
    }

    /// The text of a token, and whether it is Latin-1.
    #[inline]
    pub fn of(&mut self, token: &Token<'t>) -> (&'t str, bool) {
        if let Some(input) = self.utf8 {
            let start = usize::try_from(token.offset).unwrap_or(usize::MAX);
            // A cut inside of a character can only be that of a segment which is too long.
            return (input.get(start..start.saturating_add(token.raw.len())).unwrap_or_default(), false);
        }
        self.of_any(*token)
    }

    /// As [`Texts::of`], of an input that is not all UTF-8.
    fn of_any(&mut self, token: Token<'t>) -> (&'t str, bool) {
        if let Some(text) = own_text(&token) {
            return (text, false);
        }
        let part = self.parts.next().and_then(|part| Some((self.others.get(part.text.clone())?, part.latin1)));
        part.unwrap_or_default()
    }
}

/// Whether an input has lines that are cut in the middle of segments: the ISA at the beginning of one of them tells.
fn is_wrapped(bytes: &[u8]) -> bool {
    memchr::memmem::find_iter(bytes, b"ISA").any(|at| {
        let begins_line = at == 0 || bytes[at - 1] == b'\n';
        begins_line && wrapped_isa_shape(&bytes[at..], 0, None).is_some_and(|shape| shape.width.is_some())
    })
}

/// The text of a token, when its bytes are it.
#[inline]
pub(crate) fn own_text<'t>(token: &Token<'t>) -> Option<&'t str> {
    token.text.or_else(|| own_bytes(token))
}

fn own_bytes<'t>(token: &Token<'t>) -> Option<&'t str> {
    match token.sent() {
        Cow::Borrowed(raw) => std::str::from_utf8(raw).ok(),
        Cow::Owned(_) => None,
    }
}

/// Appends what was sent of a token; whether it is Latin-1.
pub(crate) fn push_sent(token: &Token<'_>, out: &mut String) -> bool {
    let sent = token.sent();
    match std::str::from_utf8(&sent) {
        Ok(text) => out.push_str(text),
        Err(_) => push_latin1(&sent, out),
    }
    std::str::from_utf8(&sent).is_err()
}

/// Appends bytes of Latin-1.
fn push_latin1(bytes: &[u8], out: &mut String) {
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
