//! Counts and control numbers of an envelope, compared as its segments come.

use crate::code_forms::is_digits;
use crate::fault::{Issue, Place, X12Place, codes};
use crate::x12::build::{is_date, is_time};
use crate::x12::isa;
use crate::x12::segment::Segment;
use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::ops::RangeInclusive;

/// Most interchanges of a file whose numbers are remembered.
const MAX_INTERCHANGES: usize = 1 << 16;

/// What was counted of the interchange that is open.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    /// ISA13, GS06 and ST02 of what is open.
    interchange: String,
    group: String,
    set: String,
    /// ISA12.
    version: String,
    /// What is wrong with it unless the groups are of this version.
    version_fault: Option<Issue>,
    /// The ISA has all its elements.
    is_whole: bool,
    /// The ST of the open set.
    st: X12Place,
    groups: u64,
    /// The open group has a GS.
    has_gs: bool,
    sets: u64,
    /// Segments of the open group stand outside of any set: one of them has lost its ST.
    has_strays: bool,
    group_numbers: Numbers,
    set_numbers: Numbers,
    /// ISA06, ISA08 and ISA13 of the interchanges before.
    interchange_numbers: Numbers,
}

/// Control numbers, to tell one that comes again. They are kept as hashes: a file may hold millions. Each has a seed of its own,
/// so that no file is made to fit it.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    hasher: foldhash::quality::RandomState,
    seen: HashSet<u64, BuildHasherDefault<AsIs>>,
}

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
        let hash = self.hasher.hash_one(number);
        self.seen.insert(hash)
    }

    /// As `is_new`, for a number of several parts, remembering no more than `max`.
    pub fn is_new_below(&mut self, max: usize, parts: &[&str]) -> bool {
        let hash = self.hasher.hash_one(parts);
        match self.seen.len() < max {
            true => self.seen.insert(hash),
            false => !self.seen.contains(&hash),
        }
    }
}

/// Elements of a GS, the AK905 when they do not hold what they must, and what is wrong.
type GsRow = (u8, &'static str, fn(&str) -> bool, &'static str);
const GS: [GsRow; 8] = [
    (1, "1", is_functional_id, "GS01 is no functional identifier of two letters"),
    (2, "", |text| is_code(text, 2..=15), "GS02 does not name the sender in 2 to 15 characters"),
    (3, "", |text| is_code(text, 2..=15), "GS03 does not name the receiver in 2 to 15 characters"),
    (4, "", |text| is_date(text) && text.len() == 8, "GS04 is no date (CCYYMMDD)"),
    (5, "", is_time, "GS05 is no time (HHMM)"),
    (6, "6", is_group_number, "GS06 is no number of 1 to 9 digits"),
    (7, "", |text| text == "X", "GS07 is not X"),
    (8, "2", |text| is_code(text, 1..=12), "GS08 names no version in 1 to 12 characters"),
];

/// GS01.
pub(crate) fn is_functional_id(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// GS06.
pub(crate) fn is_group_number(text: &str) -> bool {
    (1..=9).contains(&text.len()) && is_digits(text, text.len())
}

/// Characters of a name or version, so many of them.
fn is_code(text: &str, count: RangeInclusive<usize>) -> bool {
    count.contains(&text.chars().count()) && !text.trim().is_empty()
}

impl Totals {
    pub fn isa(&mut self, isa: &Segment<'_>, issues: &mut Vec<Issue>) {
        let interchange_numbers = std::mem::take(&mut self.interchange_numbers);
        *self = Totals {
            interchange: isa::control_number(isa).to_owned(),
            interchange_numbers,
            version: isa.element(12).to_owned(),
            is_whole: isa.len() == 16,
            ..Totals::default()
        };
        // Where the ISA does not have its shape, that is what is wrong with its elements.
        for (n, code, text) in isa::faults(isa).filter(|(n, ..)| isa::has_width(isa, usize::from(*n))) {
            let at = X12Place { element: Some(n), error_code: Some(code.to_owned()), ..self.of_interchange(isa) };
            // Whoever wrote a wrong ISA element may still have meant the rest.
            let issue = Issue::warning(codes::X12_ENVELOPE, Place::X12(at), text).hint(format!("correct ISA{n:02}"));
            match n {
                isa::VERSION_AT => self.version_fault = Some(issue),
                _ => issues.push(issue),
            }
        }
        let parts = [isa.element(6).trim(), isa.element(8).trim(), self.interchange.as_str()];
        if !self.interchange_numbers.is_new_below(MAX_INTERCHANGES, &parts) {
            let at = X12Place { element: Some(13), error_code: Some("025".to_owned()), ..self.of_interchange(isa) };
            let text = "the control number of the interchange is not unique in the file";
            let issue = Issue::warning(codes::X12_ENVELOPE, Place::X12(at), text);
            issues.push(
                issue.hint("the file may hold the same interchange twice; else send a number of its own in ISA13"),
            );
        }
    }

    pub fn gs(&mut self, gs: &Segment<'_>, issues: &mut Vec<Issue>) {
        gs.element(6).clone_into(&mut self.group);
        self.groups += 1;
        (self.sets, self.set_numbers, self.has_strays) = Default::default();
        self.has_gs = !gs.raw().is_empty();
        if !self.has_gs {
            return;
        }
        let is_other = !gs.element(8).starts_with(self.version.as_str());
        issues.extend(self.version_fault.take_if(|_| is_other));
        self.gs_elements(gs, issues);
        if !self.group_numbers.is_new(&self.group) {
            let text = "the control number of the group is not unique";
            issues.push(wrong(self.of_group(gs.place()), "19", text).hint("send a number of its own in each GS06"));
        }
    }

    fn gs_elements(&self, gs: &Segment<'_>, issues: &mut Vec<Issue>) {
        for (n, code, _, text) in GS.iter().filter(|(n, _, fits, _)| !fits(gs.element(usize::from(*n)))) {
            let error_code = Some(*code).filter(|code| !code.is_empty()).map(str::to_owned);
            let at = X12Place { element: Some(*n), error_code, ..self.of_group(gs.place()) };
            let hint = "a GS is GS*HC*sender*receiver*CCYYMMDD*HHMM*number*X*version";
            issues.push(Issue::warning(codes::X12_ENVELOPE, Place::X12(at), *text).hint(hint));
        }
    }

    /// A segment that stands in no set.
    pub fn stray(&mut self) {
        self.has_strays = true;
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
            let issue = wrong(self.st.clone(), "7", "ST02 is missing");
            issues.push(issue.hint("number the sets of each group in ST02 and SE02: 0001, 0002 …"));
        } else if !is_new {
            let text = "the control number of the transaction set is not unique in its group";
            issues.push(wrong(self.st.clone(), "23", text).hint("number the sets of each group in ST02: 0001, 0002 …"));
        }
    }

    /// An SE, whose ordinal is the number of segments.
    pub fn se(&mut self, se: &Segment<'_>, issues: &mut Vec<Issue>) {
        if number(se.element(1)) != Some(u64::from(se.ordinal)) {
            let hint = format!("send {} in SE01: ST and SE count, too", se.ordinal);
            issues.push(wrong(self.st.clone(), "4", "SE01 is not the number of segments").hint(hint));
        }
        if se.element(2).trim() != self.set.trim() && !self.set.is_empty() {
            let issue = wrong(self.st.clone(), "3", "SE02 is not the control number of the ST");
            issues.push(issue.hint("send the same number in ST02 and SE02"));
        }
    }

    pub fn ge(&mut self, ge: &Segment<'_>, issues: &mut Vec<Issue>) {
        let sets = number(ge.element(1));
        if sets != Some(self.sets) && !(self.has_strays && sets > Some(self.sets)) {
            let issue = wrong(self.of_group(ge.place()), "5", "GE01 is not the number of transaction sets");
            issues.push(issue.hint(format!("send {} in GE01", self.sets)));
        }
        let is_same = number(ge.element(2)).is_some() && number(ge.element(2)) == number(&self.group);
        if !is_same && self.has_gs && is_group_number(&self.group) {
            let issue = wrong(self.of_group(ge.place()), "4", "GE02 is not the control number of the GS");
            issues.push(issue.hint("send the same number in GS06 and GE02"));
        }
    }

    pub fn iea(&mut self, iea: &Segment<'_>, issues: &mut Vec<Issue>) {
        issues.extend(self.version_fault.take().filter(|_| self.groups == 0));
        if number(iea.element(1)) != Some(self.groups) {
            let issue = wrong(self.of_interchange(iea), "021", "IEA01 is not the number of groups");
            issues.push(issue.hint(format!("send {} in IEA01", self.groups)));
        }
        let is_same = number(iea.element(2)).is_some() && number(iea.element(2)) == number(&self.interchange);
        // A broken ISA may have lost its number.
        if !is_same && (self.is_whole || number(&self.interchange).is_some()) {
            let issue = wrong(self.of_interchange(iea), "001", "IEA02 is not the control number of the ISA");
            issues.push(issue.hint("send the same number in ISA13 and IEA02"));
        }
    }

    /// Says in which interchange and group something is.
    pub fn of_group(&self, at: X12Place) -> X12Place {
        X12Place { interchange: Some(self.interchange.clone()), group: Some(self.group.clone()), ..at }
    }

    /// ISA12 of the open interchange.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The place of a segment that stands in no group.
    pub fn of_interchange(&self, segment: &Segment<'_>) -> X12Place {
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
