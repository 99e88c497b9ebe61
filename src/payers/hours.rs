//! When a payer takes interchanges.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use std::time::Duration;

/// From `open` to `close`, local time, on the days on which it opens.
#[derive(Debug, Clone, PartialEq)]
pub struct Hours {
    pub zone: TimeZone,
    pub open: Time,
    /// Before `open`: of the next day.
    pub close: Time,
    /// Empty: every day.
    pub days: Vec<Weekday>,
}

impl Hours {
    /// How long it is closed from now on; nothing while it is open.
    pub fn closed_for(&self, now: Timestamp) -> Duration {
        let today = self.zone.to_datetime(now).date();
        // Yesterday's hours may reach into today; a week holds every opening.
        let windows = (-1..=8).filter_map(|days| self.window(today, days));
        let mut next = None;
        for (open, close) in windows {
            if open <= now && now < close {
                return Duration::ZERO;
            }
            if open > now {
                next = next.or(Some(open));
            }
        }
        next.and_then(|open| Duration::try_from(open.duration_since(now)).ok()).unwrap_or_default()
    }

    /// Opening and closing of the day that is so many days from today; nothing on other days.
    fn window(&self, today: Date, days: i64) -> Option<(Timestamp, Timestamp)> {
        let date = today.checked_add(days.days()).ok()?;
        if !self.days.is_empty() && !self.days.contains(&date.weekday()) {
            return None;
        }
        let end = if self.close <= self.open { date.tomorrow().ok()? } else { date };
        let moment = |date: Date, time: Time| self.zone.to_timestamp(date.to_datetime(time)).ok();
        Some((moment(date, self.open)?, moment(end, self.close)?))
    }
}

/// `America/Chicago`.
pub fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

/// `06:00`.
pub fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':').filter(|_| text.len() == 5)?;
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

const DAYS: &[(&str, Weekday)] = &[
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// `mon`, `tue` …
pub fn day(text: &str) -> Option<Weekday> {
    DAYS.iter().find(|(name, _)| *name == text).map(|(_, day)| *day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(hours: &Hours, now: &str) -> u64 {
        hours.closed_for(now.parse().unwrap()).as_secs() / 60
    }

    fn hours(open: &str, close: &str, days: &[&str]) -> Hours {
        let days = days.iter().filter_map(|text| day(text)).collect();
        Hours { zone: TimeZone::UTC, open: time(open).unwrap(), close: time(close).unwrap(), days }
    }

    #[test]
    fn claims_wait_until_the_payer_opens() {
        let week = hours("06:00", "22:00", &["mon", "tue", "wed", "thu", "fri"]);
        assert_eq!(closed(&week, "2026-03-10T06:00:00Z"), 0);
        assert_eq!(closed(&week, "2026-03-10T05:59:00Z"), 1);
        assert_eq!(closed(&week, "2026-03-10T22:00:00Z"), 8 * 60);
        // Friday evening: until Monday.
        assert_eq!(closed(&week, "2026-03-13T22:00:00Z"), (2 * 24 + 8) * 60);
    }

    #[test]
    fn hours_may_reach_over_midnight() {
        let night = hours("20:00", "04:00", &["sun"]);
        assert_eq!(closed(&night, "2026-03-09T03:59:00Z"), 0);
        assert_eq!(closed(&night, "2026-03-09T04:00:00Z"), (6 * 24 + 16) * 60);
    }

    #[test]
    fn times_and_days_are_strict() {
        assert!(time("6:00").is_none() && time("24:00").is_none() && time("06:00").is_some());
        assert!(day("Mon").is_none() && zone("Nowhere/Land").is_none());
    }
}
