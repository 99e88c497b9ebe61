//! Files whose lines are all cut at one width, in the middle of segments, as mainframes and some transfers cut them. Such a
//! break is no part of what was sent. It is told apart from one that is only where the ISA leaves no doubt: it has its
//! 106 characters once the breaks are taken out, or the lines behind it are all as long as its own.

use crate::x12::isa::LOOK_AHEAD;

/// The shortest line that counts as cut.
const MIN_WIDTH: usize = 8;

/// Where a run of bytes stands in its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrap {
    /// Bytes of each line that was cut.
    pub width: usize,
    /// Bytes that stand before it in its line.
    pub column: usize,
}

impl Wrap {
    /// The first line break in `text`: where it stands, how long it is, and whether the line was cut there.
    fn first_break(self, text: &[u8]) -> Option<(usize, usize, bool)> {
        let at = memchr::memchr2(b'\r', b'\n', text)?;
        let length = if text[at..].starts_with(b"\r\n") { 2 } else { 1 };
        Some((at, length, self.column + at == self.width))
    }

    /// Appends `text` without the breaks of lines that were cut, as long as `out` is shorter than `most`; gives back how
    /// much of the text that was.
    pub fn join(self, text: &[u8], most: usize, out: &mut Vec<u8>) -> usize {
        let (mut wrap, mut at) = (self, 0);
        while at < text.len() && out.len() < most {
            let rest = &text[at..];
            let (length, skip, is_cut) = wrap.first_break(rest).unwrap_or((rest.len(), 0, true));
            let kept = length.min(most - out.len());
            out.extend_from_slice(&rest[..kept]);
            at += kept;
            if kept < length || out.len() == most {
                return at;
            }
            if !is_cut {
                out.extend_from_slice(&rest[length..length + skip]);
            }
            at += skip;
            wrap.column = 0;
        }
        at
    }

    /// Whether `text` holds a break, so that it has to be joined.
    pub fn is_broken(self, text: &[u8]) -> bool {
        memchr::memchr2(b'\r', b'\n', text).is_some()
    }

    /// The width of the line in which an ISA is cut. Inside of a file an ISA may stand anywhere in a line, when `before` is
    /// the width of the lines before it.
    pub fn of_isa(isa: &[u8], column: usize, before: Option<usize>) -> Option<Wrap> {
        let at = memchr::memchr2(b'\r', b'\n', isa)?;
        let width = column + at;
        let is_known = before == Some(width) || (column == 0 && width >= MIN_WIDTH);
        is_known.then_some(Wrap { width, column })
    }

    /// The width of lines that are longer than their ISA: two at least must be cut alike, one of them inside of a segment.
    pub fn of_lines(text: &[u8], column: usize, terminator: u8, before: Option<usize>) -> Option<Wrap> {
        let first = memchr::memchr2(b'\r', b'\n', text)?;
        let wrap = Wrap { width: column + first, column };
        if column > 0 {
            return (before == Some(wrap.width)).then_some(wrap);
        }
        let (mut at, mut lines, mut inside, mut is_all) = (0, 0, false, true);
        while let Some((length, skip, is_cut)) = (Wrap { column: 0, ..wrap }).first_break(&text[at..]) {
            if !is_cut {
                // The last line is as long as it is; behind it another file may begin.
                is_all = text[at + length..].trim_ascii_start().is_empty();
                break;
            }
            lines += 1;
            inside |= text[..at + length].last() != Some(&terminator);
            at += length + skip;
        }
        // One break is enough where no more can be: the rest of the file is shorter than its line, and begins no segment.
        let is_rest = lines == 1 && is_all && text.len() < LOOK_AHEAD && at > 0 && !begins_segment(&text[at..]);
        ((lines > 1 || is_rest) && inside).then_some(wrap)
    }
}

/// Whether a text may be the beginning of a segment: an id, and a separator behind it.
fn begins_segment(text: &[u8]) -> bool {
    let id = text.iter().take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()).count();
    (2..=3).contains(&id) && text.get(id).is_some_and(|byte| byte.is_ascii_punctuation())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x12::stream::Segments;
    use crate::x12::text::Text;
    use crate::x12::tokens::Tokens;
    use crate::x12::tokens::tests::isa;

    #[test]
    fn only_breaks_at_the_width_are_taken_out() {
        let wrap = Wrap { width: 4, column: 2 };
        let joined = |text: &str, most: usize| {
            let mut out = Vec::new();
            let read = wrap.join(text.as_bytes(), most, &mut out);
            (String::from_utf8(out).unwrap(), read)
        };
        assert_eq!(joined("ab\r\ncdef\nghi\njk", 99), ("abcdefghi\njk".to_owned(), 15));
        assert_eq!(joined("ab\r\ncdef\nghi", 3), ("abc".to_owned(), 5));
        assert_eq!(joined("ab\r\ncdef\nghi", 2), ("ab".to_owned(), 2));
        assert_eq!(joined("abc\rd", 99), ("abc\rd".to_owned(), 5));
    }

    #[test]
    fn long_lines_are_cut_when_all_are_alike() {
        let of = |text: &[u8]| Wrap::of_lines(text, 0, b'~', None).map(|wrap| wrap.width);
        assert_eq!(of(b"ISA*1~GS*A\nB~ST*1~SE*\n1~"), Some(10));
        assert_eq!(of(b"ISA*1~GS*A\nB~ST*1~SE*1\n1~"), None);
        assert_eq!(of(b"ISA*1~GS*A\nB~"), Some(10));
        assert_eq!(of(b"ISA*1~GS*A\nST*~"), None);
        assert_eq!(of(b"ISA*1~GS*A\nB~ST*1~SE*\n1~\n"), Some(10));
        assert_eq!(of(b"ISA*12345~\nGS*123456~\nST*1~"), None);
    }

    /// The segments of an input, as one reader gives them and as the other does.
    fn read(bytes: &[u8]) -> Vec<(String, bool)> {
        let text = Text::decode(bytes);
        let (tokens, mut texts) = text.tokens();
        let whole: Vec<_> =
            tokens.map(|token| texts.of(&token)).map(|(text, latin1)| (text.to_owned(), latin1)).collect();
        let (mut segments, mut streamed) = (Segments::new(bytes), Vec::new());
        while let Some(step) = segments.next_segment().unwrap() {
            streamed.push((step.segment.raw().to_owned(), step.segment.latin1));
        }
        assert_eq!(streamed, whole);
        whole
    }

    #[test]
    fn cut_lines_are_read_as_they_were_meant_whatever_their_width() {
        let head = isa('*', '^', ':', "~");
        let set = "ST*271*0001~N3*12 CAF\u{c9} ROAD~N4*TOWN*NY*10001~MSG*".to_owned()
            + &"A LONG  TEXT ".repeat(40)
            + "~SE*5*0001~";
        let mut bytes = format!("{head}GS*HB*A*B~{set}GE*1*1~IEA*1*000000001~{head}GS*HB*A*B~{set}").into_bytes();
        bytes.extend(b"N3*CAF\xC9 ROAD~GE*1*1~IEA*1*000000001~");
        let expected = read(&bytes);
        for width in MIN_WIDTH..250 {
            for line_end in [b"\n".as_slice(), b"\r\n"] {
                let cut = bytes.chunks(width).collect::<Vec<_>>().join(line_end);
                assert_eq!(read(&cut), expected, "{width}");
                let tokens: Vec<_> = Tokens::new(&cut).collect();
                let back: Vec<u8> = tokens.iter().flat_map(|token| [token.gap, token.raw, b"~"].concat()).collect();
                assert_eq!(back, cut);
            }
        }
    }

    #[test]
    fn lines_that_end_with_their_segments_are_not_cut() {
        let plain =
            isa('*', '^', ':', "~\n") + &format!("GS*{}~\nST*{}~\nSE*1~\nIEA*1*1~\n", "A".repeat(102), "B".repeat(102));
        for text in [plain.clone(), plain.replace('\n', "\r\n"), plain.replace("~\n", "\n")] {
            assert!(Tokens::new(&text).all(|token| token.wrap.is_none()), "{text}");
        }
    }
}
