//! What a 999 says of a transaction set: IK3, IK4 and CTX, and the codes of IK5, AK9 and TA1.

use super::echo;
use crate::fault::{Issue, Place, Severity, X12Place, X12Trigger};
use crate::x12::delimiters::Delimiters;
use crate::x12::reader::TransactionSet;
use crate::x12::segment::Segment;
use crate::x12::writer::Lines;

/// IK502 of a set that we have no guide for: we do not take it, however clean it is.
const UNSUPPORTED: [&str; 2] = ["1", "19"];
/// Most errors that a 999 names for one transaction set; it is rejected all the same.
pub const MAX_NOTES: usize = 1_000;
/// Longest copy of a bad value (IK404).
const MAX_COPY: usize = 99;

/// Whether an issue makes an acknowledgment refuse what it is in.
pub fn refuses(issue: &Issue) -> bool {
    noted(issue).is_some_and(|noted| noted.is_error)
}

/// A fault that an acknowledgment has a code for.
pub(super) struct Noted<'i> {
    pub at: &'i X12Place,
    pub code: &'i str,
    pub is_error: bool,
}

pub(super) fn noted(issue: &Issue) -> Option<Noted<'_>> {
    let Place::X12(at) = &issue.at else { return None };
    let code = at.error_code.as_deref()?;
    let is_unsupported = at.transaction_set.is_some() && at.ordinal.is_none() && UNSUPPORTED.contains(&code);
    // Notes, and doubts about situations and codes, are for the reader of the file and not for its sender.
    let told_from = if at.check.is_some() { Severity::Error } else { Severity::Warning };
    let is_told = issue.severity >= told_from || is_unsupported;
    is_told.then_some(Noted { at, code, is_error: issue.is_error() || is_unsupported })
}

/// Codes of what is wrong with an interchange, a group or a set as a whole, each once.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<(String, bool)>);

impl Faults {
    pub fn add(&mut self, code: &str, is_error: bool) {
        match self.0.iter_mut().find(|(known, _)| known == code) {
            Some((_, known)) => *known |= is_error,
            None => self.0.push((code.to_owned(), is_error)),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|(_, is_error)| *is_error)
    }

    /// As many as an acknowledgment has room for.
    pub fn first_five(&self) -> impl Iterator<Item = &str> {
        self.0.iter().take(5).map(|(code, _)| code.as_str())
    }

    /// TA104 and TA105.
    pub fn verdict(&self) -> (&'static str, &str) {
        let error = self.0.iter().find(|(_, is_error)| *is_error);
        match (error, self.0.first()) {
            (Some((note, _)), _) => ("R", note),
            (None, Some((note, _))) => ("E", note),
            (None, None) => ("A", "000"),
        }
    }
}

/// What is wrong with a segment or element, with all that an acknowledgment says of it.
#[derive(Debug)]
pub(super) struct Note {
    code: String,
    segment: String,
    ordinal: u32,
    loop_id: String,
    /// Element, component and repetition, as far as they are known.
    position: [Option<u32>; 3],
    trigger: Option<X12Trigger>,
    /// The element's value, in as far as it may be sent.
    copy: String,
    /// What CTX calls the claim or inquiry, and its number.
    unit: Option<(&'static str, String)>,
}

impl Note {
    pub fn of(noted: &Noted<'_>, set: Option<&TransactionSet<'_>>, delimiters: Delimiters) -> Note {
        let at = noted.at;
        let ordinal = at.ordinal.unwrap_or_default();
        let segment = set.and_then(|set| segment_at(set, ordinal));
        let of_value = matches!(noted.code, "4" | "5" | "6" | "7" | "8" | "9" | "I6" | "I12");
        let value = segment.filter(|_| of_value && at.element.is_some()).map_or("", |segment| value_at(segment, at));
        let unit = set.and_then(|set| business_unit(set, ordinal));
        Note {
            code: noted.code.to_owned(),
            segment: echo::segment_id(at.segment.as_deref().unwrap_or_default()),
            ordinal,
            loop_id: at.loop_id.as_deref().map(short_loop).unwrap_or_default().to_owned(),
            position: [at.element, at.component, at.repetition]
                .map(|n| n.map(u32::from).filter(|n| *n > 0).map(|n| n.min(99))),
            trigger: at.trigger.as_deref().cloned(),
            copy: plain(delimiters, value, MAX_COPY).trim().to_owned(),
            unit: unit.map(|(name, value)| (name, plain(delimiters, value, 35))),
        }
    }

    /// Where it stands among others.
    pub fn order(&self) -> (u32, [Option<u32>; 3], &str, &str) {
        (self.ordinal, self.position, &self.segment, &self.code)
    }

    fn is_of_element(&self) -> bool {
        self.position[0].is_some()
    }
}

/// Writes the notes of a set, which are in order; gives back how many there were.
pub(super) fn write(lines: &mut Lines, notes: &[Note]) -> usize {
    let mut before: Option<&Note> = None;
    for note in notes {
        // Elements of one segment follow one IK3.
        let follows = note.is_of_element()
            && before.is_some_and(|before| before.ordinal == note.ordinal && before.is_of_element());
        if !follows {
            segment_note(lines, note);
        }
        if note.is_of_element() {
            element_note(lines, note);
        }
        before = Some(note);
    }
    notes.len()
}

/// IK3, and the CTX that names the claim or inquiry.
fn segment_note(lines: &mut Lines, note: &Note) {
    let code = if note.is_of_element() { "8" } else { &note.code };
    lines.line(&["IK3", &note.segment, &echo::count(note.ordinal), &note.loop_id, code]);
    if !note.is_of_element() {
        situational_trigger(lines, note.trigger.as_ref());
    }
    if let Some((name, value)) = &note.unit {
        let context = format!("{name}{}{value}", char::from(lines.delimiters.component));
        lines.line(&["CTX", context.trim_end_matches(char::from(lines.delimiters.component))]);
    }
}

/// IK4: which element, what is wrong, and a copy of the value where the value is at fault.
fn element_note(lines: &mut Lines, note: &Note) {
    let separator = char::from(lines.delimiters.component);
    let position = note.position.map(|n| n.map(|n| n.to_string()).unwrap_or_default()).join(&separator.to_string());
    lines.line(&["IK4", position.trim_end_matches(separator), "", &note.code, &note.copy]);
    situational_trigger(lines, note.trigger.as_ref());
}

/// CTX: what made something required, or not used.
fn situational_trigger(lines: &mut Lines, trigger: Option<&X12Trigger>) {
    let Some(trigger) = trigger else { return };
    let separator = char::from(lines.delimiters.component);
    let positions = [trigger.element, trigger.component].map(|n| n.map(|n| n.to_string()).unwrap_or_default());
    let position = positions.join(&separator.to_string());
    let in_loop = short_loop(&trigger.loop_id);
    let ordinal = echo::count(trigger.ordinal);
    let position = position.trim_end_matches(separator);
    lines.line(&["CTX", "SITUATIONAL TRIGGER", &trigger.segment, &ordinal, in_loop, position]);
}

/// Element 447 has room for four characters, loops of the guides have up to six.
fn short_loop(id: &str) -> &str {
    if id.len() <= 4 && id != "ST" { id } else { "" }
}

/// The segment of an ordinal, also where a set is there in part.
fn segment_at<'s, 'a>(set: &'s TransactionSet<'a>, ordinal: u32) -> Option<&'s Segment<'a>> {
    let n = set.segments.binary_search_by_key(&ordinal, |segment| segment.ordinal).ok()?;
    set.segments.get(n)
}

fn value_at<'a>(segment: &Segment<'a>, at: &X12Place) -> &'a str {
    let element = usize::from(at.element.unwrap_or_default());
    let repetition = usize::from(at.repetition.unwrap_or(1)).saturating_sub(1);
    match (at.component, at.repetition) {
        (None, None) => segment.element(element),
        (component, _) => {
            let repetition = segment.repetitions(element).nth(repetition).unwrap_or_default();
            match component.map(usize::from) {
                Some(component) => segment.parts(repetition).nth(component.saturating_sub(1)).unwrap_or_default(),
                None => repetition,
            }
        }
    }
}

/// What can be sent of a value, and no more than fits.
fn plain(delimiters: Delimiters, value: &str, width: usize) -> String {
    let fits = |character: &char| (' '..='~').contains(character) && !delimiters.contains(*character as u8);
    value.chars().filter(fits).take(width).collect()
}

/// A business unit: the transaction, the segment that names it, its qualifier (element 1; empty for any), the element of the
/// name, and what the 999 calls it (CTX01-1).
type UnitRow = (&'static str, &'static str, &'static str, usize, &'static str);

/// The first row that fits wins.
const BUSINESS_UNITS: [UnitRow; 12] = [
    ("837", "CLM", "", 1, "CLM01"),
    ("835", "TRN", "", 2, "TRN02"),
    ("270", "TRN", "", 2, "TRN02"),
    ("271", "TRN", "", 2, "TRN02"),
    ("276", "TRN", "", 2, "TRN02"),
    ("277", "TRN", "", 2, "TRN02"),
    ("277", "NM1", "QC", 9, "PATIENT NAME NM109"),
    ("278", "TRN", "", 2, "TRN02"),
    ("278", "NM1", "IL", 9, "SUBSCRIBER NAME NM109"),
    ("820", "ENT", "", 1, "ENT01"),
    ("834", "REF", "0F", 2, "SUBSCRIBER NUMBER REF02"),
    ("270", "NM1", "IL", 9, "SUBSCRIBER NAME NM109"),
];

/// The business unit that a segment stands in: the last that began before it, inside the same level.
fn business_unit<'a>(set: &TransactionSet<'a>, ordinal: u32) -> Option<(&'static str, &'a str)> {
    let count = set.segments.partition_point(|segment| segment.ordinal <= ordinal);
    // The trailer of the set belongs to none.
    let before = set.segments.get(..count).filter(|before| before.last().is_some_and(|last| last.id() != "SE"))?;
    let rows = BUSINESS_UNITS.iter().filter(|(transaction, ..)| *transaction == set.id());
    let mut found = rows.filter_map(|(_, id, qualifier, element, name)| {
        let level = before.iter().rev().take_while(|segment| segment.id() != "HL");
        let is_unit =
            |segment: &&Segment<'_>| segment.id() == *id && (qualifier.is_empty() || segment.element(1) == *qualifier);
        let value = level.into_iter().find(is_unit)?.element(*element);
        (!value.is_empty()).then_some((*name, value))
    });
    found.next()
}
