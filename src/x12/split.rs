//! One file for each claim, payment or answer of an interchange. A set that has none, or no guide, stays whole.

use crate::fault::{Fault, Issue, Place, X12Place, codes};
use crate::x12::delimiters::Delimiters;
use crate::x12::envelope::Role;
use crate::x12::guide::{Guide, Guides};
use crate::x12::portions::{self, Portion, Visitor};
use crate::x12::segment::Segment;
use crate::x12::stream::Step;
use crate::x12::writer::{Lines, write_segment};
use std::io::Read;
use std::ops::ControlFlow;

/// An interchange of one unit, or of one set that has none.
#[derive(Debug, Clone)]
pub struct Part {
    /// Ordinal of the part in the file, from 1.
    pub number: usize,
    /// The first element of its first segment: CLM01, CLP01; ST02 of a whole set.
    pub id: String,
    pub bytes: Vec<u8>,
}

/// Sets that are named when they are left out.
const NAMED: usize = 1_000;

/// What a file held.
#[derive(Debug, Default)]
pub struct Found {
    pub an_interchange: bool,
    /// Sets of which nothing was given; at most 1 000 are named, and the last issue tells how many more there are.
    pub left_out: Vec<Issue>,
    unnamed: u64,
}

/// Gives each unit to `each` as an interchange of its own, with the envelope and control numbers of the file; levels are
/// numbered anew, segments, sets and groups counted anew. In constant memory; stops when `each` says no.
pub fn split(guides: &Guides, source: impl Read, each: impl FnMut(Part) -> bool) -> Result<Found, Fault> {
    let (isa, gs, found) = (Head::default(), Head::default(), Found::default());
    let mut splitter = Splitter { isa, gs, number: 0, found, is_whole: false, is_given: false, each };
    portions::visit(guides, source, &mut splitter)?;
    Ok(splitter.found.complete())
}

impl Found {
    /// With an issue that tells how many sets were left out besides those that are named.
    fn complete(mut self) -> Found {
        let text = match self.unnamed {
            0 => return self,
            1 => "1 more transaction set was left out for the same reason".to_owned(),
            more => format!("{more} more transaction sets were left out for the same reason"),
        };
        self.left_out.push(Issue::error(codes::TOO_MANY, Place::Whole, text));
        self
    }
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
    found: Found,
    /// Nothing of the open set was seen yet.
    is_whole: bool,
    /// Something of the open set was given.
    is_given: bool,
    each: F,
}

impl<F: FnMut(Part) -> bool> Visitor for Splitter<F> {
    fn segment(&mut self, step: &Step<'_>) -> ControlFlow<()> {
        match step.role {
            Role::Isa => {
                self.found.an_interchange = true;
                (self.isa, self.gs) = (Head::of(&step.segment, 13), Head::default());
            }
            Role::St { .. } => (self.is_whole, self.is_given) = (true, false),
            Role::Gs => self.gs = Head::of(&step.segment, 6),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn portion(&mut self, portion: &Portion<'_>) -> ControlFlow<()> {
        let is_whole = self.is_whole;
        self.is_whole &= !portion.has_news;
        let is_part = portion.has_unit || (is_whole && portion.is_last);
        if !is_part {
            if portion.is_last && !self.is_given {
                match self.found.left_out.len() < NAMED {
                    true => self.found.left_out.push(left_out(portion)),
                    false => self.found.unnamed += 1,
                }
            }
            return ControlFlow::Continue(());
        }
        self.is_given = true;
        self.number += 1;
        let part = self.part(portion.guide.filter(|_| portion.has_unit), portion);
        if (self.each)(part) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn envelope(&mut self, _: Vec<Issue>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl<F> Splitter<F> {
    fn part(&self, guide: Option<&Guide>, portion: &Portion<'_>) -> Part {
        // The first unit of a level stands in later portions by the segment that began it, and is no part of them.
        let segments: Vec<_> = portion.around().collect();
        let delimiters = segments.first().map_or_else(Delimiters::default, |st| st.delimiters);
        let levels = Levels::of(&segments);
        let mut lines = Lines::new(delimiters);
        lines.out.extend_from_slice(&self.isa.bytes);
        lines.out.extend_from_slice(&self.gs.bytes);
        for segment in segments.iter().filter(|segment| segment.id() != "SE") {
            match segment.id() {
                "HL" if guide.is_some() => levels.write(segment, &mut lines),
                _ => lines.segment(segment),
            }
        }
        let count = (lines.count + 1).to_string();
        lines.line(&["SE", &count, portion.set.control_number()]);
        lines.line(&["GE", "1", &self.gs.number]);
        lines.line(&["IEA", "1", &self.isa.number]);
        let id = guide.map_or_else(|| portion.set.control_number().to_owned(), |guide| id_of(guide, &segments));
        Part { number: self.number, id, bytes: lines.out }
    }
}

/// A set without a unit is held whole only when it comes in one portion.
fn left_out(portion: &Portion<'_>) -> Issue {
    let number = Some(portion.set.control_number().to_owned());
    let at = portion.set.segments.first().map(Segment::place).unwrap_or_default();
    let at = Place::X12(X12Place { transaction_set: number, ..at });
    let text = "the transaction set was left out: it holds no claim, payment or answer, and is too long, or of too many levels, to be held whole";
    Issue::error(codes::TOO_MANY, at, text).hint("take this set from the file as it stands")
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
    fn how_many_more_were_left_out_is_told() {
        for (unnamed, words) in
            [(0, None), (1, Some("1 more transaction set was")), (7, Some("7 more transaction sets were"))]
        {
            let found = Found { unnamed, ..Found::default() }.complete();
            assert_eq!(found.left_out.len(), usize::from(words.is_some()));
            assert!(found.left_out.iter().zip(words).all(|(issue, words)| issue.text.starts_with(words)), "{found:?}");
        }
        // A set without a unit that is longer than what is held is given to nobody, and named.
        let notes = "REF*ZZ*1~".repeat(portions::MAX_SEGMENTS + 10);
        let text = format!("{}GS*HC~ST*824*0001~{notes}SE*9*0001~GE*1*1~IEA*1*1~", isa('*', '^', ':', "~"));
        let found = split(shipped(), text.as_bytes(), |_| true).unwrap();
        assert_eq!((found.left_out.len(), found.unnamed), (1, 0), "{found:?}");
    }

    #[test]
    fn each_claim_becomes_an_interchange_of_its_own() {
        let text = format!(
            "{}GS*HC*SND*RCV*20250303*1200*7*X*005010X222A1~ST*837*0001~HL*1**20*1~NM1*85~HL*2*1*22*1~SBR*P~CLM*A~LX*1~HL*3*2*23*0~PAT*19~\
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
    #[test]
    fn a_set_without_units_stays_whole() {
        let head = isa('*', '^', ':', "~");
        let sets = ["ST*834*0001~BGN*00~HL*7**20~SE*4*0001~", "ST*835*0002~BPR*I*0~N1*PR*A~SE*4*0002~"];
        let text = format!("{head}GS*BE*A*B*20250303*1200*7*X*005010X220A1~{}GE*2*7~IEA*1*000000001~", sets.concat());
        let mut parts = Vec::new();
        let found = split(shipped(), text.as_bytes(), |part| {
            parts.push((part.id, String::from_utf8(part.bytes).unwrap()));
            true
        });
        let found = found.unwrap();
        assert!(found.an_interchange && found.left_out.is_empty());
        assert_eq!(parts.len(), 2);
        for ((id, part), (number, set)) in parts.iter().zip([("0001", sets[0]), ("0002", sets[1])]) {
            assert!(id == number && part.contains(set), "{part}");
        }
        assert!(!split(shipped(), b"hello".as_slice(), |_| true).unwrap().an_interchange);
    }

    #[test]
    fn a_set_that_can_be_held_neither_way_is_named() {
        let head = isa('*', '^', ':', "~");
        let long = "REF*0F*1~".repeat(portions::MAX_SEGMENTS + 10);
        let sets = format!("ST*834*0001~{long}SE*4*0001~ST*834*0002~BGN*00~SE*3*0002~");
        let text = format!("{head}GS*BE*A*B*20250303*1200*7*X*005010X220A1~{sets}GE*2*7~IEA*1*000000001~");
        let mut ids = Vec::new();
        let found = split(shipped(), text.as_bytes(), |part| {
            ids.push(part.id);
            true
        });
        let left_out = found.unwrap().left_out;
        assert_eq!((ids, left_out.len()), (vec!["0002".to_owned()], 1));
        assert!(left_out[0].to_string().contains("0001"), "{}", left_out[0]);
    }
}
