//! A span of time that is asked for, and how others compare with it: the prefixes of a FHIR R4 search for dates.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

/// How a moment has to lie to the span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// `eq`, or no prefix: wholly within it.
    Within,
    /// `ne`.
    NotWithin,
    /// `gt`: at least partly behind its end.
    EndsBehind,
    /// `lt`: at least partly before its start.
    BeginsBefore,
    /// `ge`.
    EndsAfterStart,
    /// `le`.
    BeginsBeforeEnd,
    /// `sa`: wholly behind it.
    After,
    /// `eb`: wholly before it.
    Before,
}

impl Compare {
    const PREFIXES: [(&str, Compare); 8] = [
        ("eq", Compare::Within),
        ("ne", Compare::NotWithin),
        ("gt", Compare::EndsBehind),
        ("lt", Compare::BeginsBefore),
        ("ge", Compare::EndsAfterStart),
        ("le", Compare::BeginsBeforeEnd),
        ("sa", Compare::After),
        ("eb", Compare::Before),
    ];
}

/// A span, its end not included; both ends as [`exact`] writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub compare: Compare,
    pub start: String,
    pub end: String,
}

impl Span {
    /// `ge2026-03`, `2026-03-03`, `lt2026-03-03T10:00Z`: a year, month, day, minute, second or millisecond. A time without a
    /// zone is UTC. `None` when it is none of these.
    pub fn parse(text: &str) -> Option<Span> {
        let prefix =
            Compare::PREFIXES.iter().find_map(|(prefix, compare)| Some((text.strip_prefix(prefix)?, *compare)));
        let (text, compare) = prefix.unwrap_or((text, Compare::Within));
        let (start, end) = if text.contains('T') { time(text)? } else { days(text)? };
        Some(Span { compare, start: exact(start), end: exact(end) })
    }
}

/// A time in UTC with milliseconds, 24 characters: texts compare as times do.
pub fn exact(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// A date or time of a resource, as it stands in an index: a time as [`exact`], anything less as it was written.
pub fn indexed(text: &str) -> String {
    match text.contains('T').then(|| text.parse::<Timestamp>()) {
        Some(Ok(at)) => exact(at),
        _ => text.get(..10).unwrap_or(text).to_owned(),
    }
}

fn days(text: &str) -> Option<(Timestamp, Timestamp)> {
    let digits =
        text.bytes().enumerate().all(|(n, byte)| if matches!(n, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() });
    let (first, length) = match text.len() {
        _ if !digits => return None,
        4 => (format!("{text}-01-01"), 1.year()),
        7 => (format!("{text}-01"), 1.month()),
        10 => (text.to_owned(), 1.day()),
        _ => return None,
    };
    let first: Date = first.parse().ok()?;
    let start = |day: Date| TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok();
    Some((start(first)?, start(first.checked_add(length).ok()?)?))
}

fn time(text: &str) -> Option<(Timestamp, Timestamp)> {
    // A plus of an offset is a space where a query was not escaped.
    let text = text.replace(' ', "+");
    let (_, clock) = text.split_once('T')?;
    let local = clock.find(['Z', '+', '-']).unwrap_or(clock.len());
    let zoned = if local == clock.len() { format!("{text}Z") } else { text.clone() };
    let precision = match clock[..local].len() {
        5 => SignedDuration::from_mins(1),
        8 => SignedDuration::from_secs(1),
        10.. => SignedDuration::from_millis(1),
        _ => return None,
    };
    let start: Timestamp = zoned.parse().ok()?;
    Some((start, start.checked_add(precision).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_as_long_as_they_are_exact() {
        for (text, start, end) in [
            ("2026", "2026-01-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"),
            ("ge2026-02", "2026-02-01T00:00:00.000Z", "2026-03-01T00:00:00.000Z"),
            ("2026-12-31", "2026-12-31T00:00:00.000Z", "2027-01-01T00:00:00.000Z"),
            ("lt2026-03-03T10:00", "2026-03-03T10:00:00.000Z", "2026-03-03T10:01:00.000Z"),
            ("2026-03-03T10:00:05-05:00", "2026-03-03T15:00:05.000Z", "2026-03-03T15:00:06.000Z"),
            ("2026-03-03T10:00:05.25 01:00", "2026-03-03T09:00:05.250Z", "2026-03-03T09:00:05.251Z"),
        ] {
            let span = Span::parse(text).unwrap();
            assert_eq!((span.start.as_str(), span.end.as_str()), (start, end), "{text}");
        }
        for text in ["", "ge", "26", "2026-3-3", "2026-02-30", "xx2026", "2026-03-03T", "2026-03-03T10", "9999", "é026"]
        {
            assert_eq!(Span::parse(text), None, "{text}");
        }
    }

    #[test]
    fn times_stand_in_an_index_in_utc_and_days_as_they_are() {
        assert_eq!(indexed("2026-03-03T23:30:00-05:00"), "2026-03-04T04:30:00.000Z");
        assert_eq!(indexed("2026-03-03T10:00:00.123456789Z"), "2026-03-03T10:00:00.123Z");
        assert_eq!(indexed("2026-03-03"), "2026-03-03");
        assert_eq!(indexed("2026"), "2026");
    }
}
