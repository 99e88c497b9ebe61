//! An interchange written anew: as it was, one segment a line, or indented by its loops.

use crate::fault::Fault;
use crate::x12::guide::Guides;
use crate::x12::segment::Segment;
use crate::x12::stream::{Follower, Segments, Streamed, TokenStream};
use crate::x12::text;
use std::io::{Read, Write};

/// Every byte as it was read: what was understood is what was there. Reads and writes in constant memory, and tells
/// whether there was an interchange. A file that can't be written is an [`std::io::Error`] in the result.
pub fn as_read(source: impl Read, out: &mut impl Write) -> Result<std::io::Result<bool>, Fault> {
    let mut tokens = TokenStream::new(source);
    let mut found = false;
    loop {
        let written = match tokens.next_token()? {
            Streamed::Token(token) => {
                found |= token.kind.is_segment();
                let terminator = [token.delimiters.terminator];
                let end = if token.terminated { terminator.as_slice() } else { &[] };
                [token.gap, token.raw, end].iter().try_for_each(|part| out.write_all(part))
            }
            Streamed::End(gap) => return Ok(out.write_all(gap).map(|()| found)),
        };
        if let Err(error) = written {
            return Ok(Err(error));
        }
    }
}

/// One segment a line, without empty elements at the end; with `indent`, two spaces for each loop around it. Reads and
/// writes in constant memory, and gives back what [`as_read`] does.
pub fn lines(
    guides: &Guides,
    source: impl Read,
    indent: bool,
    out: &mut impl Write,
) -> Result<std::io::Result<bool>, Fault> {
    let mut segments = Segments::new(source);
    let mut found = false;
    let mut follower = Follower::new(guides);
    while let Some(step) = segments.next_segment()? {
        if step.garbage {
            continue;
        }
        found = true;
        follower.take(&step);
        let depth = if indent { follower.depth() } else { 0 };
        if let Err(error) = line(&step.segment, depth, out) {
            return Ok(Err(error));
        }
    }
    Ok(Ok(found))
}

fn line(segment: &Segment<'_>, depth: usize, out: &mut impl Write) -> std::io::Result<()> {
    let raw = match segment.id() {
        // The last element of an ISA is a separator, and binary data may end with one.
        "ISA" | "BIN" | "BDS" => segment.raw(),
        _ => segment.raw().trim_end_matches(char::from(segment.delimiters.element)),
    };
    write!(out, "{:width$}", "", width = 2 * depth)?;
    out.write_all(&text::encode(raw, segment.latin1))?;
    let newline = if segment.delimiters.terminator == b'\n' { "" } else { "\n" };
    write!(out, "{}{newline}", char::from(segment.delimiters.terminator))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x12::guide::tests::shipped;
    use crate::x12::tokens::tests::isa;

    #[test]
    fn lines_are_indented_by_loop() {
        let text = format!(
            "{}GS*HP*A*B*1*1*1*X*005010X221A1~ST*835*1~N1*PR**~LX*1~CLP*A~SVC*HC:1~SE*6*1~",
            isa('*', '^', ':', "~")
        );
        let mut out = Vec::new();
        lines(shipped(), text.as_bytes(), true, &mut out).unwrap().unwrap();
        let shown = String::from_utf8(out).unwrap();
        let body: Vec<_> = shown.lines().skip(2).collect();
        assert_eq!(body, ["ST*835*1~", "  N1*PR~", "  LX*1~", "    CLP*A~", "      SVC*HC:1~", "SE*6*1~"]);
    }

    #[test]
    fn as_read_is_byte_equal() {
        let head = isa('*', '^', ':', "~");
        for bytes in [b"".to_vec(), b" junk".to_vec(), [head.as_bytes(), b"\r\n GS*\xC9**~ IEA*1~\n\n"].concat()] {
            let mut out = Vec::new();
            as_read(bytes.as_slice(), &mut out).unwrap().unwrap();
            assert_eq!(out, bytes);
        }
    }
}
