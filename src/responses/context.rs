//! What every reader needs: where it stands, how X12 values become plain ones, and where complaints go.

use super::Reading;
use super::meaning::Meanings;
use crate::billing::line::ProcedureCode;
use crate::billing::record::Party;
use crate::billing::response::SourceRange;
use crate::fault::{Issue, Place, X12Place, codes};
use crate::x12::reader::{Group, Interchange, TransactionSet};
use crate::x12::segment::Segment;
use jiff::civil::Date;
use rust_decimal::Decimal;

/// Where a reader stands, and what has been read so far.
pub(super) struct Context<'r, 'a> {
    pub meanings: &'r Meanings,
    pub interchange: &'r Interchange<'a>,
    pub group: Option<&'r Group<'a>>,
    pub set: Option<&'r TransactionSet<'a>>,
    pub reading: &'r mut Reading,
}

impl<'r, 'a> Context<'r, 'a> {
    pub fn new(meanings: &'r Meanings, interchange: &'r Interchange<'a>, reading: &'r mut Reading) -> Self {
        Context { meanings, interchange, group: None, set: None, reading }
    }

    pub fn enter(&mut self, group: &'r Group<'a>, set: &'r TransactionSet<'a>) {
        (self.group, self.set) = (Some(group), Some(set));
    }

    /// The segments of the set, ST to SE.
    pub fn segments(&self) -> &'r [Segment<'a>] {
        self.set.map_or(&[], |set| &set.segments)
    }

    /// Where a run of segments stands in the file.
    pub fn source(&self, run: &[Segment]) -> SourceRange {
        let number = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        SourceRange {
            interchange_control_number: number(self.interchange.control_number()),
            group_control_number: self.group.and_then(|group| number(group.control_number())),
            transaction_set_control_number: self.set.and_then(|set| number(set.control_number())),
            first_segment: run.first().map_or(0, |segment| segment.ordinal),
            last_segment: run.last().map_or(0, |segment| segment.ordinal),
        }
    }

    /// The date of the file: GS04, else ISA09.
    pub fn sent(&self) -> Option<Date> {
        self.group.and_then(|group| date(group.gs.element(4))).or_else(|| short_date(self.interchange.isa.element(9)))
    }

    /// An amount or number; `None` when it is absent. One that can't be read is an issue, and absent too.
    pub fn number(&mut self, segment: &Segment, element: usize) -> Option<Decimal> {
        let text = segment.element(element).trim();
        if text.is_empty() {
            return None;
        }
        let number = decimal(text);
        if number.is_none() {
            let text = format!("{}{element:02} is not a number: it is taken as absent", segment.id());
            self.warn(codes::RESPONSE_UNREADABLE, Some(segment), text);
        }
        number
    }

    pub fn warn(&mut self, code: &'static str, segment: Option<&Segment>, text: impl Into<String>) {
        let at = self.place(segment);
        self.reading.issues.push(Issue::warning(code, at, text));
    }

    fn place(&self, segment: Option<&Segment>) -> Place {
        let source = self.source(&[]);
        Place::X12(X12Place {
            interchange: source.interchange_control_number,
            transaction_set: source.transaction_set_control_number,
            segment: segment.map(|segment| segment.id().to_owned()),
            ordinal: segment.map(|segment| segment.ordinal),
            offset: segment.map(|segment| segment.offset),
            ..X12Place::default()
        })
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

/// Segments up to the first of these ids.
pub(super) fn until<'s, 'a>(segments: &'s [Segment<'a>], ids: &[&str]) -> &'s [Segment<'a>] {
    let end = segments.iter().position(|segment| ids.contains(&segment.id()));
    &segments[..end.unwrap_or(segments.len())]
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
    let text = segment.element(element).trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A component as text; `None` when it is empty.
pub(super) fn part(segment: &Segment, element: usize, component: usize) -> Option<String> {
    let text = segment.component(element, component).trim();
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
    let text = text.strip_prefix('+').unwrap_or(text);
    let number = text.parse().ok().or_else(|| Decimal::from_scientific(text).ok());
    number.filter(|number: &Decimal| number.abs() <= NUMBER_MAX)
}

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

/// SVC01 or SVC06 as a procedure: qualifier, code, modifiers, description.
pub(super) fn procedure(segment: &Segment, element: usize) -> Option<ProcedureCode> {
    let qualifier = part(segment, element, 1)?;
    Some(ProcedureCode {
        qualifier,
        value: segment.component(element, 2).trim().to_owned(),
        modifiers: (3..=6).filter_map(|n| part(segment, element, n)).collect(),
        description: part(segment, element, 7),
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
    fn zeros_name_nothing() {
        assert_eq!(known(Some("00000000".into())), None);
        assert_eq!(known(Some("0A".into())), Some("0A".into()));
    }
}
