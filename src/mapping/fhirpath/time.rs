//! Dates and times as text: read with the precision they were written with, compared as FHIRPath does.

use jiff::civil::Date;
use std::cmp::Ordering;

/// A date, date and time, or time of day, taken apart. Parts: year, month, day, hour, minute, milliseconds of the minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    parts: [i32; 6],
    /// How many parts were given, counted from the year.
    given: usize,
    /// The first part that can be given: 0, or 3 for a time of day alone.
    first: usize,
    /// Minutes east of Greenwich.
    offset: Option<i32>,
}

impl Moment {
    /// `2025`, `2025-03`, `2025-03-03`, `2025-03-03T10:00:00.000Z`, `T10:00`.
    pub fn parse(text: &str) -> Option<Moment> {
        let (date, time) = match text.split_once('T') {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let mut moment = Moment { parts: [0; 6], given: 3, first: 3, offset: None };
        if !date.is_empty() {
            moment.first = 0;
            moment.date(date)?;
        }
        match time {
            Some(time) if !time.is_empty() => moment.time(time)?,
            _ if date.is_empty() => return None,
            _ => {}
        }
        Some(moment)
    }

    /// A full calendar date.
    pub fn of(date: Date) -> Moment {
        let parts = [date.year().into(), date.month().into(), date.day().into(), 0, 0, 0];
        Moment { parts, given: 3, first: 0, offset: None }
    }

    fn date(&mut self, text: &str) -> Option<()> {
        let mut parts = text.split('-');
        for (n, width) in [4, 2, 2].into_iter().enumerate() {
            let Some(part) = parts.next() else {
                self.given = n;
                return (n > 0).then_some(());
            };
            self.parts[n] = digits(part, width)?;
        }
        let [year, month, day, ..] = self.parts;
        Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()?;
        parts.next().is_none().then_some(())
    }

    fn time(&mut self, text: &str) -> Option<()> {
        if self.given != 3 {
            return None;
        }
        let (clock, offset) = match text.find(['Z', '+', '-']) {
            Some(at) => (&text[..at], Some(&text[at..])),
            None => (text, None),
        };
        self.offset = match offset {
            Some(offset) => Some(minutes_east(offset)?),
            None => None,
        };
        let mut parts = clock.splitn(3, ':');
        self.parts[3] = digits(parts.next()?, 2).filter(|hour| *hour < 24)?;
        self.given = 4;
        let Some(minute) = parts.next() else { return Some(()) };
        self.parts[4] = digits(minute, 2).filter(|minute| *minute < 60)?;
        self.given = 5;
        let Some(seconds) = parts.next() else { return Some(()) };
        self.parts[5] = milliseconds(seconds)?;
        self.given = 6;
        Some(())
    }

    /// Whether a full calendar date is given.
    pub fn is_full_date(&self) -> bool {
        self.first == 0 && self.given >= 3
    }

    /// Hour and minute, when both are given.
    pub fn clock(&self) -> Option<(i32, i32)> {
        (self.given >= 5).then_some((self.parts[3], self.parts[4]))
    }

    /// Year, month, day.
    pub fn ymd(&self) -> (i32, i32, i32) {
        (self.parts[0], self.parts[1], self.parts[2])
    }

    /// In Greenwich time, when the offset is known.
    fn normal(self) -> Moment {
        let (Some(offset), true) = (self.offset, self.given >= 5 && self.first == 0) else { return self };
        let [year, month, day, hour, minute, _] = self.parts.map(|part| i8::try_from(part).unwrap_or_default());
        let _ = year;
        let year = i16::try_from(self.parts[0]).unwrap_or_default();
        let Ok(date) = Date::new(year, month, day) else { return self };
        let span = jiff::Span::new().minutes(i64::from(offset));
        let Ok(at) = date.at(hour, minute, 0, 0).checked_sub(span) else { return self };
        let mut parts = self.parts;
        parts[..5].copy_from_slice(&[
            at.year().into(),
            at.month().into(),
            at.day().into(),
            at.hour().into(),
            at.minute().into(),
        ]);
        Moment { parts, offset: Some(0), ..self }
    }

    /// Whether both are dates (with or without a time of day), or both times of day.
    pub fn is_like(&self, other: &Moment) -> bool {
        self.first == other.first
    }

    /// Compares as FHIRPath does: `None` when the one is less precise than the other and they agree so far, or when only one
    /// of two times of day has an offset.
    pub fn compare(self, other: Moment) -> Option<Ordering> {
        let timed = self.given > 3 && other.given > 3;
        if self.first != other.first || (timed && self.offset.is_some() != other.offset.is_some()) {
            return None;
        }
        let (left, right) = if timed { (self.normal(), other.normal()) } else { (self, other) };
        let shared = left.given.min(right.given);
        let order = left.parts[..shared].cmp(&right.parts[..shared]);
        (order != Ordering::Equal || left.given == right.given).then_some(order)
    }
}

fn digits(text: &str, width: usize) -> Option<i32> {
    (text.len() == width && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// `59.123` → 59123.
fn milliseconds(text: &str) -> Option<i32> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let seconds = digits(seconds, 2).filter(|seconds| *seconds <= 60)?;
    let three: String = fraction.chars().chain("000".chars()).take(3).collect();
    Some(seconds * 1000 + digits(&three, 3)?)
}

/// `Z`, `+05:30` → minutes.
fn minutes_east(text: &str) -> Option<i32> {
    if text == "Z" {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = text[1..].split_once(':')?;
    Some(sign * (digits(hours, 2)? * 60 + digits(minutes, 2)?))
}

/// Whether a text may follow `@`.
pub fn is_literal(text: &str) -> bool {
    Moment::parse(text).is_some_and(|moment| moment.first == 0 || moment.offset.is_none())
}

/// Whether a text of unknown type is to be compared as a date: at least year and month.
pub fn looks_like_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 7 && bytes[4] == b'-' && bytes[..4].iter().all(u8::is_ascii_digit) && Moment::parse(text).is_some()
}

/// Moves a date by a unit; what is not given of it, and the offset, stay as they are written. Months and years of UCUM are
/// no calendar units, so they are none here.
pub fn add(text: &str, amount: i64, unit: &str) -> Option<String> {
    let span = jiff::Span::new();
    let span = match unit.trim_end_matches('s') {
        "year" => span.try_years(amount),
        "month" => span.try_months(amount),
        "week" | "wk" => span.try_weeks(amount),
        "day" | "d" => span.try_days(amount),
        _ => return add_time(text, amount, unit),
    };
    let moment = Moment::parse(text)?;
    let (year, month, day) = moment.ymd();
    let full = |part: i32| i8::try_from(part.max(1)).ok();
    let date = Date::new(year.try_into().ok()?, full(month)?, full(day)?).ok()?;
    let moved = date.checked_add(span.ok()?).ok()?.to_string();
    let kept = text.split_once('T').map_or(text.len(), |(date, _)| date.len());
    Some(format!("{}{}", moved.get(..kept)?, &text[kept..]))
}

/// Moves a date with a time of day by hours and less.
fn add_time(text: &str, amount: i64, unit: &str) -> Option<String> {
    let milliseconds = match unit {
        "hour" | "hours" | "h" => 3_600_000,
        "minute" | "minutes" | "min" => 60_000,
        "second" | "seconds" | "s" => 1_000,
        "millisecond" | "milliseconds" | "ms" => 1,
        _ => return None,
    };
    let (date, time) = text.split_once('T')?;
    let clock_end = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let at: jiff::civil::DateTime = format!("{date}T{}", &time[..clock_end]).parse().ok()?;
    let span = jiff::Span::new().try_milliseconds(amount.checked_mul(milliseconds)?).ok()?;
    let moved = at.checked_add(span).ok()?;
    let written = match clock_end {
        0..=5 => moved.strftime("%Y-%m-%dT%H:%M").to_string(),
        6..=8 => moved.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
        _ => moved.strftime("%Y-%m-%dT%H:%M:%S%.3f").to_string(),
    };
    Some(format!("{written}{}", &time[clock_end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(left: &str, right: &str) -> Option<Ordering> {
        Moment::parse(left).unwrap().compare(Moment::parse(right).unwrap())
    }

    #[test]
    fn precision_rules_comparison() {
        assert_eq!(compare("2025", "2024-12-31"), Some(Ordering::Greater));
        assert_eq!(compare("2025", "2025-01"), None);
        assert_eq!(compare("2025-03-03T10:00:00-05:00", "2025-03-03T15:00:00Z"), Some(Ordering::Equal));
        assert_eq!(compare("2025-03-03T10:00:00", "2025-03-03T10:00"), None);
        assert_eq!(compare("T10:00", "T11:00"), Some(Ordering::Less));
        assert_eq!(compare("T10:00", "2025"), None);
        assert_eq!(compare("2025-03-03T10:00:00Z", "2025-03-03T10:00:00"), None);
    }

    #[test]
    fn impossible_moments_are_none() {
        for text in
            ["", "2025-13-01", "2025-02-30", "20", "2025-1", "T", "T25:00", "2025T10:00", "2025-01-01T10:00:61.5+5"]
        {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }

    #[test]
    fn dates_move_by_calendar() {
        assert_eq!(add("2025-01-31", 1, "month").as_deref(), Some("2025-02-28"));
        assert_eq!(add("2025-03", -3, "months").as_deref(), Some("2024-12"));
        assert_eq!(add("2025-03-01T10:00:00Z", 1, "day").as_deref(), Some("2025-03-02T10:00:00Z"));
        assert_eq!(add("2025-03-03T23:59:00-05:00", 1, "minute").as_deref(), Some("2025-03-04T00:00:00-05:00"));
        assert_eq!(add("2025-03-03", 1, "hour"), None);
        assert_eq!(add("x", 1, "day"), None);
    }
}
