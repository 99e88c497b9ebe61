//! Counts and control numbers of an envelope, compared as its segments come.

use crate::code_forms::is_digits;
use crate::fault::{Issue, Place, X12Place, codes};
use crate::x12::build::{is_date, is_time};
use crate::x12::segment::Segment;
use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hasher};

/// Most interchanges of a file whose numbers are remembered.
const MAX_INTERCHANGES: usize = 1 << 16;

/// What was counted of the interchange that is open.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    /// ISA13, GS06 and ST02 of what is open.
    interchange: String,
    group: String,
    set: String,
    /// The ST of the open set.
    st: X12Place,
    groups: u64,
    sets: u64,
    group_numbers: Numbers,
    set_numbers: Numbers,
    /// ISA06, ISA08 and ISA13 of the interchanges before.
    interchange_numbers: Numbers,
}

/// Control numbers, to tell one that comes again. They are kept as hashes: a file may hold millions.
#[derive(Debug, Default)]
pub(crate) struct Numbers(HashSet<u64, BuildHasherDefault<AsIs>>);

/// Hashes what is a hash.
#[derive(Debug, Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl Numbers {
    fn is_new(&mut self, number: &str) -> bool {
        self.0.insert(hash(number))
    }

    /// As `is_new`, for a number of several parts, remembering no more than `max`.
    pub fn is_new_below(&mut self, max: usize, parts: &[&str]) -> bool {
        match self.0.len() < max {
            true => self.0.insert(hash(parts)),
            false => !self.0.contains(&hash(parts)),
        }
    }
}

fn hash(value: impl std::hash::Hash) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(value)
}

/// Elements of an ISA, what they must hold, and the TA105 when they do not.
type IsaRow = (u8, &'static str, fn(&str) -> bool, &'static str);
const ISA: [IsaRow; 12] = [
    (1, "010", |text| matches!(text, "00" | "03"), "ISA01 is neither 00 nor 03"),
    (3, "012", |text| matches!(text, "00" | "01"), "ISA03 is neither 00 nor 01"),
    (5, "005", is_id_qualifier, "ISA05 is no qualifier of an id"),
    (6, "006", |text| !text.trim().is_empty(), "ISA06 names no sender"),
    (7, "007", is_id_qualifier, "ISA07 is no qualifier of an id"),
    (8, "008", |text| !text.trim().is_empty(), "ISA08 names no receiver"),
    (9, "014", |text| is_date(text) && text.len() == 6, "ISA09 is no date (YYMMDD)"),
    (10, "015", |text| is_time(text), "ISA10 is no time (HHMM)"),
    (12, "017", |text| text == "00501", "ISA12 is not 00501"),
    (13, "018", |text| text.len() == 9 && number(text).is_some(), "ISA13 is no number of nine digits"),
    (14, "019", |text| matches!(text, "0" | "1"), "ISA14 is neither 0 nor 1"),
    (15, "020", |text| matches!(text, "P" | "T"), "ISA15 is neither P nor T"),
];

/// ISA05 and ISA07 (X12 005010, I05); the guides use few of them.
fn is_id_qualifier(text: &str) -> bool {
    (is_digits(text, 2) && ("01"..="38").contains(&text)) || matches!(text, "AM" | "NR" | "SA" | "SN" | "ZZ")
}

impl Totals {
    pub fn isa(&mut self, isa: &Segment<'_>, issues: &mut Vec<Issue>) {
        let interchange_numbers = std::mem::take(&mut self.interchange_numbers);
        *self = Totals { interchange: isa.element(13).trim().to_owned(), interchange_numbers, ..Totals::default() };
        for (n, code, _, text) in ISA.iter().filter(|(n, _, fits, _)| !fits(isa.element(usize::from(*n)))) {
            let at = X12Place { element: Some(*n), error_code: Some((*code).to_owned()), ..self.of_interchange(isa) };
            // Whoever wrote a wrong ISA element may still have meant the rest.
            issues.push(Issue::warning(codes::X12_ENVELOPE, Place::X12(at), *text));
        }
        let parts = [6, 8, 13].map(|n| isa.element(n).trim());
        if !self.interchange_numbers.is_new_below(MAX_INTERCHANGES, &parts) {
            let at = X12Place { element: Some(13), error_code: Some("025".to_owned()), ..self.of_interchange(isa) };
            let text = "the control number of the interchange is not unique in the file";
            issues.push(Issue::warning(codes::X12_ENVELOPE, Place::X12(at), text));
        }
    }

    pub fn gs(&mut self, gs: &Segment<'_>, issues: &mut Vec<Issue>) {
        gs.element(6).clone_into(&mut self.group);
        self.groups += 1;
        (self.sets, self.set_numbers) = Default::default();
        if !self.group_numbers.is_new(&self.group) {
            let text = "the control number of the group is not unique";
            issues.push(wrong(self.of_group(gs.place()), "19", text));
        }
    }

    /// An ST; `grouped` when a GS came before it.
    pub fn st(&mut self, st: &Segment<'_>, grouped: bool, issues: &mut Vec<Issue>) {
        if !grouped {
            self.gs(&st.emptied(), issues);
        }
        self.sets += 1;
        st.element(2).clone_into(&mut self.set);
        self.st = self.of_group(X12Place {
            transaction_set: Some(self.set.clone()),
            offset: Some(st.offset),
            line: Some(st.line),
            ..X12Place::default()
        });
        let is_new = self.set_numbers.is_new(&self.set);
        if self.set.is_empty() {
            issues.push(wrong(self.st.clone(), "7", "ST02 is missing"));
        } else if !is_new {
            let text = "the control number of the transaction set is not unique in its group";
            issues.push(wrong(self.st.clone(), "23", text));
        }
    }

    /// An SE, whose ordinal is the number of segments.
    pub fn se(&mut self, se: &Segment<'_>, issues: &mut Vec<Issue>) {
        if number(se.element(1)) != Some(u64::from(se.ordinal)) {
            issues.push(wrong(self.st.clone(), "4", "SE01 is not the number of segments"));
        }
        if se.element(2) != self.set {
            issues.push(wrong(self.st.clone(), "3", "SE02 is not the control number of the ST"));
        }
    }

    pub fn ge(&mut self, ge: &Segment<'_>, issues: &mut Vec<Issue>) {
        if number(ge.element(1)) != Some(self.sets) {
            issues.push(wrong(self.of_group(ge.place()), "5", "GE01 is not the number of transaction sets"));
        }
        if number(ge.element(2)).is_none() || number(ge.element(2)) != number(&self.group) {
            issues.push(wrong(self.of_group(ge.place()), "4", "GE02 is not the control number of the GS"));
        }
    }

    pub fn iea(&mut self, iea: &Segment<'_>, issues: &mut Vec<Issue>) {
        if number(iea.element(1)) != Some(self.groups) {
            issues.push(wrong(self.of_interchange(iea), "021", "IEA01 is not the number of groups"));
        }
        if number(iea.element(2)).is_none() || number(iea.element(2)) != number(&self.interchange) {
            issues.push(wrong(self.of_interchange(iea), "001", "IEA02 is not the control number of the ISA"));
        }
    }

    /// Says in which interchange and group something is.
    pub fn of_group(&self, at: X12Place) -> X12Place {
        X12Place { interchange: Some(self.interchange.clone()), group: Some(self.group.clone()), ..at }
    }

    fn of_interchange(&self, segment: &Segment<'_>) -> X12Place {
        X12Place { interchange: Some(self.interchange.clone()), ..segment.place() }
    }
}

fn wrong(at: X12Place, code: &str, text: &str) -> Issue {
    let at = X12Place { error_code: Some(code.to_owned()), ..at };
    Issue::error(codes::X12_ENVELOPE, Place::X12(at), text)
}

fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}
