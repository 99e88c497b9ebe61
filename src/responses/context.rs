//! What every reader needs: where it stands, how X12 values become plain ones, and where complaints go.

use super::Reading;
use super::meaning::Meanings;
use crate::billing::line::ProcedureCode;
use crate::billing::record::Party;
use crate::billing::response::{
    OtherElement, OtherSegment, QualifiedAmount, QualifiedDate, Reference, ResponseParty, SourceRange, Trace,
};
use crate::fault::{Issue, Place, X12Place, codes};
use crate::x12::delimiters::Delimiters;
use crate::x12::segment::Segment;
use jiff::civil::Date;
use rust_decimal::Decimal;

/// Where a reader stands, and what has been read so far.
pub(super) struct Context<'r> {
    pub meanings: &'r Meanings,
    pub standing: &'r Standing,
    pub reading: &'r mut Reading,
}

/// The envelope around a unit.
#[derive(Debug, Clone, Default)]
pub(super) struct Standing {
    pub delimiters: Delimiters,
    /// ISA13.
    pub interchange: Option<String>,
    /// ISA09, YYMMDD.
    pub interchange_date: Option<Date>,
    /// GS06.
    pub group: Option<String>,
    /// GS04.
    pub group_date: Option<Date>,
    /// GS08.
    pub group_version: String,
    /// ST01.
    pub id: String,
    /// ST02.
    pub set: Option<String>,
    /// ST03, else GS08.
    pub version: String,
}

impl Standing {
    pub fn isa(&mut self, isa: &Segment) {
        let date = short_date(isa.element(9));
        *self = Standing {
            delimiters: isa.delimiters,
            interchange: text(isa, 13),
            interchange_date: date,
            ..Standing::default()
        };
    }

    pub fn gs(&mut self, gs: &Segment) {
        (self.group, self.group_date) = (text(gs, 6), date(gs.element(4)));
        self.group_version = gs.element(8).trim().to_owned();
        self.leave();
    }

    pub fn st(&mut self, st: &Segment) {
        (self.id, self.set) = (st.element(1).trim().to_owned(), text(st, 2));
        self.version = text(st, 3).unwrap_or_else(|| self.group_version.clone());
    }

    /// Behind a set.
    pub fn leave(&mut self) {
        (self.id, self.set, self.version) = Default::default();
    }

    /// Where a segment stands.
    pub fn place(&self, segment: Option<&Segment>) -> Place {
        Place::X12(X12Place {
            interchange: self.interchange.clone(),
            transaction_set: self.set.clone(),
            segment: segment.map(|segment| segment.id().to_owned()),
            ordinal: segment.map(|segment| segment.ordinal),
            offset: segment.map(|segment| segment.offset),
            ..X12Place::default()
        })
    }
}

impl Context<'_> {
    /// Where a run of segments stands in the file.
    pub fn source(&self, run: &[Segment]) -> SourceRange {
        SourceRange {
            interchange_control_number: self.standing.interchange.clone(),
            group_control_number: self.standing.group.clone(),
            transaction_set_control_number: self.standing.set.clone(),
            first_segment: run.first().map_or(0, |segment| segment.ordinal),
            last_segment: run.last().map_or(0, |segment| segment.ordinal),
        }
    }

    /// The date of the file: GS04, else ISA09.
    pub fn sent(&self) -> Option<Date> {
        self.standing.group_date.or(self.standing.interchange_date)
    }

    /// An amount or number; `None` when it is absent. One that can't be read is an issue, and absent too.
    pub fn number(&mut self, segment: &Segment, element: usize) -> Option<Decimal> {
        let text = trimmed(segment.element(element));
        if text.is_empty() {
            return None;
        }
        let number = decimal(text);
        if number.is_none() {
            let text = format!("{}{element:02} is not a number: it is taken as absent", segment.id());
            self.lost(segment, text);
        }
        number
    }

    /// AMT or QTY. What can't be read as a number is kept as it stands.
    pub fn amount(&mut self, segment: &Segment, others: &mut Vec<OtherSegment>) -> Option<QualifiedAmount> {
        let qualifier = segment.element(1).trim();
        // An amount of nothing stays as it stands.
        let value = self.number(segment, 2).filter(|_| !qualifier.is_empty());
        other(others, segment, if value.is_some() { &[1, 2] } else { &[] });
        Some(QualifiedAmount { qualifier: qualifier.to_owned(), value: value? })
    }

    /// Something could be read only in part.
    pub fn lost(&mut self, segment: &Segment, text: impl Into<String>) {
        let at = self.standing.place(Some(segment));
        self.reading.issues.push(Issue::error(codes::RESPONSE_UNREADABLE, at, text));
    }

    pub fn warn(&mut self, code: &'static str, segment: Option<&Segment>, text: impl Into<String>) {
        let at = self.standing.place(segment);
        self.reading.issues.push(Issue::warning(code, at, text));
    }
}

/// Cuts segments into what stands before the first opener, and runs that an opener begins.
pub(super) fn runs<'s, 'a>(
    segments: &'s [Segment<'a>],
    opens: impl Fn(&Segment<'a>) -> bool,
) -> (&'s [Segment<'a>], Vec<&'s [Segment<'a>]>) {
    let starts: Vec<usize> = (0..segments.len()).filter(|n| opens(&segments[*n])).collect();
    let head = &segments[..starts.first().copied().unwrap_or(segments.len())];
    let ends = starts.iter().skip(1).copied().chain([segments.len()]);
    (head, starts.iter().zip(ends).map(|(start, end)| &segments[*start..end]).collect())
}

pub(super) fn all<'s, 'a>(segments: &'s [Segment<'a>], id: &'s str) -> impl Iterator<Item = &'s Segment<'a>> {
    segments.iter().filter(move |segment| segment.id() == id)
}

/// The first segment of an id whose first element is one of the qualifiers.
pub(super) fn qualified<'s, 'a>(segments: &'s [Segment<'a>], id: &str, of: &[&str]) -> Option<&'s Segment<'a>> {
    segments.iter().find(|segment| segment.id() == id && of.contains(&segment.element(1)))
}

/// An element as text; `None` when it is empty.
pub(super) fn text(segment: &Segment, element: usize) -> Option<String> {
    let text = trimmed(segment.element(element));
    (!text.is_empty()).then(|| text.to_owned())
}

/// Without white space around it; there seldom is any.
pub(super) fn trimmed(text: &str) -> &str {
    let is_plain = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_graphic);
    match is_plain(text.as_bytes().first()) && is_plain(text.as_bytes().last()) {
        true => text,
        false => text.trim(),
    }
}

/// A component as text; `None` when it is empty.
pub(super) fn part(segment: &Segment, element: usize, component: usize) -> Option<String> {
    let text = trimmed(segment.component(element, component));
    (!text.is_empty()).then(|| text.to_owned())
}

/// REF02 behind a qualifier.
pub(super) fn reference(segments: &[Segment], qualifier: &str) -> Option<String> {
    qualified(segments, "REF", &[qualifier]).and_then(|segment| text(segment, 2))
}

/// A number that names something: payers write zeros when they know none.
pub(super) fn known(number: Option<String>) -> Option<String> {
    number.filter(|number| number.chars().any(|c| c != '0'))
}

/// Largest amount that is believed, either way: beyond it sums could overflow.
pub(super) const NUMBER_MAX: Decimal = Decimal::from_parts(2_764_472_320, 232_830, 0, false, 0);

/// A number of type R or N0, up to [`NUMBER_MAX`]: `100`, `-.5`, `1.5E2`.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    if let Some(number) = short_decimal(text.as_bytes()) {
        return Some(number);
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    let number = text.parse().ok().or_else(|| Decimal::from_scientific(text).ok());
    number.filter(|number: &Decimal| number.abs() <= NUMBER_MAX)
}

/// Digits with a point among them or none, as nearly all amounts are, so few that none needs a second look.
fn short_decimal(text: &[u8]) -> Option<Decimal> {
    if text.is_empty() || text.len() > SHORT_DECIMAL || text.ends_with(b".") {
        return None;
    }
    let (mut number, mut scale) = (0, None);
    for byte in text {
        match byte {
            b'0'..=b'9' => number = number * 10 + i64::from(byte - b'0'),
            b'.' if scale.is_none() => scale = Some(0),
            _ => return None,
        }
        scale = scale.map(|scale| scale + u32::from(*byte != b'.'));
    }
    Some(Decimal::new(number, scale.unwrap_or_default()))
}

/// Digits that stay below [`NUMBER_MAX`].
const SHORT_DECIMAL: usize = 15;

/// `CCYYMMDD`.
pub(super) fn date(text: &str) -> Option<Date> {
    let digits = text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
    let (year, month, day) = digits.then(|| (&text[..4], &text[4..6], &text[6..]))?;
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// `YYMMDD` of the ISA: this century.
fn short_date(text: &str) -> Option<Date> {
    date(&format!("20{text}"))
}

/// A date or a range as DTP writes it: `20250303`, `20250301-20250303`. The end is given only by a range.
pub(super) fn dates(text: &str) -> (Option<Date>, Option<Date>) {
    match text.split_once('-') {
        Some((start, end)) => (date(start), date(end)),
        None => (date(text), None),
    }
}

/// First and last of many dates.
pub(super) fn span(dates: impl Iterator<Item = Date>) -> (Option<Date>, Option<Date>) {
    dates.fold((None, None), |(first, last), date| {
        (Some(first.map_or(date, |first: Date| first.min(date))), Some(last.map_or(date, |last: Date| last.max(date))))
    })
}

/// REF with what it says; `None` when it says nothing.
pub(super) fn referenced(segment: &Segment, others: &mut Vec<OtherSegment>) -> Option<Reference> {
    other(others, segment, &[1, 2, 3]);
    let (value, words) = (text(segment, 2), text(segment, 3));
    (value.is_some() || words.is_some()).then(|| Reference {
        qualifier: segment.element(1).trim().to_owned(),
        value: value.unwrap_or_default(),
        text: words,
    })
}

/// TRN.
pub(super) fn trace(segment: &Segment) -> Option<Trace> {
    Some(Trace {
        kind: segment.element(1).trim().to_owned(),
        number: text(segment, 2)?,
        assigner: text(segment, 3),
        division: text(segment, 4),
    })
}

/// DTM; a time of day is kept beside it.
pub(super) fn dtm_date(dtm: &Segment, others: &mut Vec<OtherSegment>) -> Option<QualifiedDate> {
    other(others, dtm, &[1, 2]);
    qualified_date(dtm, 2)
}

/// DTM (`element` 2) or DTP (3). What is neither a date nor a range of dates is kept as it stands.
pub(super) fn qualified_date(segment: &Segment, element: usize) -> Option<QualifiedDate> {
    let written = text(segment, element)?;
    let (start, end) = dates(&written);
    let read = start.is_some() && (end.is_some() || !written.contains('-'));
    Some(QualifiedDate {
        qualifier: segment.element(1).trim().to_owned(),
        start: start.filter(|_| read),
        end: end.filter(|_| read),
        text: (!read).then_some(written),
    })
}

/// A segment that has no typed home, but for the elements named, which have one.
pub(super) fn spelled(segment: &Segment, but: &[usize]) -> OtherSegment {
    let id = segment.id().to_ascii_lowercase();
    let mut elements = Vec::new();
    for (n, element) in segment.elements().enumerate().map(|(n, element)| (n + 1, element)) {
        if !element.is_empty() && !but.contains(&n) {
            spell(segment, n, &id, &mut elements);
        }
    }
    OtherSegment { id, elements }
}

fn spell(segment: &Segment, n: usize, id: &str, elements: &mut Vec<OtherElement>) {
    for repetition in segment.repetitions(n) {
        let parts: Vec<&str> = segment.parts(repetition).collect();
        for (c, part) in parts.iter().enumerate().filter(|(_, part)| !part.trim().is_empty()) {
            let name = if parts.len() == 1 { format!("{id}{n:02}") } else { format!("{id}{n:02}-{}", c + 1) };
            elements.push(OtherElement { name, value: part.trim().to_owned() });
        }
    }
}

/// What has no field is kept as it stands.
pub(super) fn other(others: &mut Vec<OtherSegment>, segment: &Segment, but: &[usize]) {
    let bit = |n: usize| u32::try_from(n).ok().and_then(|n| 1_u64.checked_shl(n)).unwrap_or_default();
    let read = but.iter().fold(0, |read, n| read | bit(*n));
    let is_read = |n| read & bit(n) != 0;
    if segment.elements().zip(1..).all(|(element, n)| is_read(n) || element.is_empty()) {
        return;
    }
    let spelled = spelled(segment, but);
    if !spelled.elements.is_empty() {
        others.push(spelled);
    }
}

/// The components of an element behind those that have fields.
pub(super) fn beyond(others: &mut Vec<OtherSegment>, segment: &Segment, element: usize, read: usize) {
    if segment.components(element).nth(read).is_none() {
        return;
    }
    let id = segment.id().to_ascii_lowercase();
    let unread = segment.components(element).enumerate().skip(read);
    let said = unread.map(|(n, part)| (n + 1, part.trim())).filter(|(_, part)| !part.is_empty());
    let name = |n| format!("{id}{element:02}-{n}");
    let elements: Vec<_> = said.map(|(n, part)| OtherElement { name: name(n), value: part.to_owned() }).collect();
    if !elements.is_empty() {
        others.push(OtherSegment { id, elements });
    }
}

/// Elements of NM1 that a party has fields for.
const NM1_READ: [usize; 8] = [1, 2, 3, 4, 5, 7, 8, 9];

/// NM1 with its qualifiers.
pub(super) fn response_party(nm1: &Segment) -> ResponseParty {
    let mut said = ResponseParty {
        entity: trimmed(nm1.element(1)).to_owned(),
        party: party(nm1),
        id_qualifier: text(nm1, 8),
        id: text(nm1, 9),
        others: Vec::new(),
    };
    // A separator too few: the qualifier stands as a suffix, and the number, which no qualifier is as long as, as one.
    let misplaced = |said: &ResponseParty| {
        let (qualifier, id) = (said.party.suffix.as_ref()?, said.id_qualifier.as_ref().filter(|_| said.id.is_none())?);
        (qualifier.len() <= QUALIFIER_MOST && id.len() > QUALIFIER_MOST).then(|| (qualifier.clone(), id.clone()))
    };
    if let Some((qualifier, id)) = misplaced(&said) {
        (said.party.suffix, said.id_qualifier, said.id) = (None, Some(qualifier), Some(id));
    }
    other(&mut said.others, nm1, &NM1_READ);
    said
}

/// Characters of NM108.
const QUALIFIER_MOST: usize = 2;

/// NM1 as a party.
pub(super) fn party(nm1: &Segment) -> Party {
    let id = |qualifiers: &[&str]| text(nm1, 9).filter(|_| qualifiers.contains(&nm1.element(8)));
    Party {
        organization: nm1.element(2) == "2",
        last_name: text(nm1, 3),
        first_name: text(nm1, 4),
        middle_name: text(nm1, 5),
        suffix: text(nm1, 7),
        npi: id(&["XX"]),
        member_id: id(&["MI", "HN", "C1"]),
        ..Party::default()
    }
}

/// Separators that stand for the one that the ISA names in files that were put together of others.
const FOREIGN_SEPARATORS: [char; 4] = [':', '>', '|', '<'];

/// `HC>99213>25` where the separator is said to be another: a qualifier of two letters or digits, and what follows.
fn foreign_parts(whole: &str) -> Option<Vec<&str>> {
    let (qualifier, rest) = whole.split_at_checked(2)?;
    let separator = rest.chars().next().filter(|c| FOREIGN_SEPARATORS.contains(c))?;
    let plain = qualifier.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    plain.then(|| whole.split(separator).collect())
}

/// SVC01 or SVC06 as a procedure: qualifier, code, modifiers, description. A code that came without its qualifier is still
/// a code.
pub(super) fn procedure(segment: &Segment, element: usize) -> Option<ProcedureCode> {
    let mut parts = segment.components(element).collect::<Vec<_>>();
    if let [whole] = parts[..] {
        parts = foreign_parts(whole).unwrap_or(parts);
    }
    let mut parts = parts.into_iter().map(str::trim);
    let (first, second) = (parts.next()?, parts.next());
    let (qualifier, value) = match second {
        // A code without a qualifier, or a qualifier without its code: what stands there is kept as what it is written.
        None => ("", first),
        Some(second) => (first, second),
    };
    if qualifier.is_empty() && value.is_empty() {
        return None;
    }
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Some(ProcedureCode {
        qualifier: qualifier.to_owned(),
        value: value.to_owned(),
        modifiers: parts.by_ref().take(4).filter_map(text).collect(),
        description: parts.next().and_then(text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_payers_write_them() {
        for (written, number) in [("100", "100"), ("-.5", "-0.5"), ("+12.50", "12.50"), ("0", "0"), ("1E2", "100")] {
            assert_eq!(decimal(written), number.parse().ok(), "{written}");
        }
        for written in ["", "1,000", "12-", "abc", "1e999999"] {
            assert_eq!(decimal(written), None, "{written}");
        }
    }

    #[test]
    fn numbers_end_where_sums_could_overflow() {
        assert_eq!(NUMBER_MAX.to_string(), "1000000000000000");
        for (written, believed) in
            [("1000000000000000", true), ("-1000000000000000", true), ("1000000000000000.01", false)]
        {
            assert_eq!(decimal(written).is_some(), believed, "{written}");
        }
    }

    #[test]
    fn dates_as_payers_write_them() {
        assert_eq!(dates("20250301-20250303").1.unwrap().to_string(), "2025-03-03");
        assert_eq!(short_date("250310").unwrap().to_string(), "2025-03-10");
        for text in ["2025030", "20250230", "2025-3-3", "é0250303", "", "202503031"] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn a_code_with_another_separator_than_the_file_is_still_a_code() {
        let read = |svc: &str| procedure(&Segment::new(svc, Delimiters::default()), 1).unwrap();
        let code = read("SVC*HC>99213>25*1");
        assert_eq!(
            (code.qualifier.as_str(), code.value.as_str(), code.modifiers),
            ("HC", "99213", vec!["25".to_owned()])
        );
        assert_eq!(read("SVC*99213*1").value, "99213");
        assert_eq!(read("SVC*HCX>99213*1").value, "HCX>99213");
    }

    #[test]
    fn zeros_name_nothing() {
        assert_eq!(known(Some("00000000".into())), None);
        assert_eq!(known(Some("0A".into())), Some("0A".into()));
    }
}
