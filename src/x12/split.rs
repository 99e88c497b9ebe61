//! One file for each claim, payment or answer of an interchange.

use crate::fault::Fault;
use crate::x12::guide::Guides;
use crate::x12::pieces::{Piece, Pieces};
use crate::x12::segment::Segment;
use crate::x12::writer::Lines;
use std::io::Read;

/// An interchange of one unit.
#[derive(Debug, Clone)]
pub struct Part {
    /// Ordinal of the unit in the file, from 1.
    pub number: usize,
    /// The first element of its first segment: CLM01, CLP01.
    pub id: String,
    pub bytes: Vec<u8>,
}

/// Gives each unit to `each` as an interchange of its own, with the envelope and control numbers of the file; levels are
/// numbered anew, segments, sets and groups counted anew. In constant memory; stops when `each` says no.
pub fn split(guides: &Guides, source: impl Read, mut each: impl FnMut(Part) -> bool) -> Result<(), Fault> {
    let mut pieces = Pieces::new(guides, source);
    let mut number = 0;
    while let Some(piece) = pieces.next_piece()? {
        if !piece.has_unit {
            continue;
        }
        number += 1;
        if !each(part(guides, &piece, number)) {
            break;
        }
    }
    Ok(())
}

fn part(guides: &Guides, piece: &Piece, number: usize) -> Part {
    let set = piece.set.view();
    let delimiters = piece.set.delimiters;
    let levels = Levels::of(&set.segments);
    let mut lines = Lines::new(delimiters);
    lines.raw(&piece.set.isa);
    lines.raw(&piece.set.gs);
    lines.count = 0;
    for segment in set.segments.iter().filter(|segment| segment.id() != "SE") {
        match segment.id() {
            "HL" => levels.write(segment, &mut lines),
            _ => lines.raw(segment.raw()),
        }
    }
    let count = (lines.count + 1).to_string();
    lines.line(&["SE", &count, set.control_number()]);
    let control = |raw: &str, element| Segment::new(raw, delimiters).element(element).trim().to_owned();
    lines.line(&["GE", "1", &control(&piece.set.gs, 6)]);
    lines.line(&["IEA", "1", &control(&piece.set.isa, 13)]);
    Part { number, id: id_of(guides, piece), bytes: lines.out }
}

/// The first element of the segment that begins the unit: the last one of its kind.
fn id_of(guides: &Guides, piece: &Piece) -> String {
    let set = piece.set.view();
    let starters = guides.for_transaction(&set).map(|guide| {
        let starter = |ix| guide.starter(ix).map(|spec| spec.id.clone());
        guide.units.iter().filter_map(|ix| starter(*ix)).collect::<Vec<_>>()
    });
    let starters = starters.unwrap_or_default();
    let unit = set.segments.iter().rev().find(|segment| starters.iter().any(|id| id == segment.id()));
    unit.map_or("", |segment| segment.element(1)).to_owned()
}

/// The levels of a part, by their old numbers.
struct Levels<'a> {
    numbers: Vec<(&'a str, &'a str)>,
}

impl<'a> Levels<'a> {
    fn of(segments: &[Segment<'a>]) -> Levels<'a> {
        let levels = segments.iter().filter(|segment| segment.id() == "HL");
        Levels { numbers: levels.map(|hl| (hl.element(1), hl.element(2))).collect() }
    }

    fn number(&self, old: &str) -> String {
        let at = self.numbers.iter().position(|(own, _)| *own == old && !old.is_empty());
        at.map_or_else(String::new, |at| (at + 1).to_string())
    }

    fn write(&self, hl: &Segment<'_>, lines: &mut Lines) {
        let has_children = self.numbers.iter().any(|(_, parent)| *parent == hl.element(1));
        let child_code = match (hl.element(4), has_children) {
            ("", _) => "",
            (_, true) => "1",
            (_, false) => "0",
        };
        lines.line(&["HL", &self.number(hl.element(1)), &self.number(hl.element(2)), hl.element(3), child_code]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x12::check::check_envelope;
    use crate::x12::guide::tests::shipped;
    use crate::x12::reader;
    use crate::x12::tokens::tests::isa;

    #[test]
    fn each_claim_becomes_an_interchange_of_its_own() {
        let text = format!(
            "{}GS*HC*A*B*20250303*1200*7*X*005010X222A1~ST*837*0001~HL*1**20*1~NM1*85~HL*2*1*22*1~SBR*P~CLM*A~LX*1~HL*3*2*23*0~PAT*19~\
             CLM*B~LX*1~SE*12*0001~GE*1*7~IEA*1*000000001~",
            isa('*', '^', ':', "~")
        );
        let mut parts = Vec::new();
        split(shipped(), text.as_bytes(), |part| {
            parts.push(part);
            true
        })
        .unwrap();
        let ids: Vec<_> = parts.iter().map(|part| (part.number, part.id.as_str())).collect();
        assert_eq!(ids, [(1, "A"), (2, "B")]);
        for (part, body) in parts.iter().zip([
            "ST*837*0001~HL*1**20*1~NM1*85~HL*2*1*22*0~SBR*P~CLM*A~LX*1~SE*8*0001~",
            "ST*837*0001~HL*1**20*1~NM1*85~HL*2*1*22*1~SBR*P~HL*3*2*23*0~PAT*19~CLM*B~LX*1~SE*10*0001~",
        ]) {
            let text = String::from_utf8(part.bytes.clone()).unwrap();
            assert!(text.contains(body), "{text}");
            let (read, _) = reader::read(&text);
            assert_eq!(check_envelope(&read[0]), []);
        }
        let mut count = 0;
        split(shipped(), text.as_bytes(), |_| {
            count += 1;
            false
        })
        .unwrap();
        assert_eq!(count, 1);
    }
}
