//! One file for each claim, payment or answer of an interchange.

use crate::fault::{Fault, Issue};
use crate::x12::delimiters::Delimiters;
use crate::x12::envelope::Role;
use crate::x12::guide::{Guide, Guides};
use crate::x12::portions::{self, Portion, Visitor};
use crate::x12::segment::Segment;
use crate::x12::stream::Step;
use crate::x12::writer::{Lines, write_segment};
use std::io::Read;
use std::ops::ControlFlow;

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
pub fn split(guides: &Guides, source: impl Read, each: impl FnMut(Part) -> bool) -> Result<(), Fault> {
    let (isa, gs) = (Head::default(), Head::default());
    portions::visit(guides, source, &mut Splitter { isa, gs, number: 0, each })
}

/// An ISA or GS as it was written, and its control number.
#[derive(Debug, Default)]
struct Head {
    bytes: Vec<u8>,
    number: String,
}

impl Head {
    fn of(segment: &Segment<'_>, number: usize) -> Head {
        let mut bytes = Vec::new();
        write_segment(segment, &mut bytes);
        Head { bytes, number: segment.element(number).trim().to_owned() }
    }
}

struct Splitter<F> {
    isa: Head,
    gs: Head,
    number: usize,
    each: F,
}

impl<F: FnMut(Part) -> bool> Visitor for Splitter<F> {
    fn segment(&mut self, step: &Step<'_>) -> ControlFlow<()> {
        match step.role {
            Role::Isa => (self.isa, self.gs) = (Head::of(&step.segment, 13), Head::default()),
            Role::Gs => self.gs = Head::of(&step.segment, 6),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn portion(&mut self, portion: &Portion<'_>) -> ControlFlow<()> {
        let Some(guide) = portion.guide.filter(|_| portion.has_unit) else { return ControlFlow::Continue(()) };
        self.number += 1;
        let part = self.part(guide, portion);
        if (self.each)(part) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn envelope(&mut self, _: Vec<Issue>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl<F> Splitter<F> {
    fn part(&self, guide: &Guide, portion: &Portion<'_>) -> Part {
        // The first unit of a level stands in later portions by the segment that began it, and is no part of them.
        let segments: Vec<_> = portion.around().collect();
        let delimiters = segments.first().map_or_else(Delimiters::default, |st| st.delimiters);
        let levels = Levels::of(&segments);
        let mut lines = Lines::new(delimiters);
        lines.out.extend_from_slice(&self.isa.bytes);
        lines.out.extend_from_slice(&self.gs.bytes);
        for segment in segments.iter().filter(|segment| segment.id() != "SE") {
            match segment.id() {
                "HL" => levels.write(segment, &mut lines),
                _ => lines.segment(segment),
            }
        }
        let count = (lines.count + 1).to_string();
        lines.line(&["SE", &count, portion.set.control_number()]);
        lines.line(&["GE", "1", &self.gs.number]);
        lines.line(&["IEA", "1", &self.isa.number]);
        Part { number: self.number, id: id_of(guide, &segments), bytes: lines.out }
    }
}

/// The first element of the segment that begins the unit: the last one of its kind.
fn id_of(guide: &Guide, segments: &[Segment<'_>]) -> String {
    let begins = |id: &str| guide.units.iter().any(|ix| guide.starter(*ix).is_some_and(|spec| spec.id == id));
    let unit = segments.iter().rev().find(|segment| begins(segment.id()));
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
