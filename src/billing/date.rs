//! Dates that keep the precision and the zone they were written with.

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize};

/// A point in time as a caller or payer wrote it: a full date, or a date with a time of day and perhaps an offset
/// (`2025-02-20`, `2025-02-20T14:30`, `2025-02-20T14:30:00-05:00`). The text is kept; nothing is converted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Moment(String);

impl Moment {
    /// Takes a text; `None` when it is no full date with an optional time of day.
    pub fn parse(text: &str) -> Option<Moment> {
        let date = text.get(..10)?;
        date.parse::<Date>().ok()?;
        let rest = &text[10..];
        (rest.is_empty() || time_of(rest).is_some()).then(|| Moment(text.to_owned()))
    }

    pub fn text(&self) -> &str {
        &self.0
    }

    /// The calendar date as written, in the writer's own zone.
    pub fn date(&self) -> Date {
        self.0.get(..10).and_then(|date| date.parse().ok()).unwrap_or_default()
    }

    /// Hour and minute as written, when a time of day was given.
    pub fn time(&self) -> Option<(u8, u8)> {
        self.0.get(10..).and_then(time_of)
    }
}

/// `T14:30…` → (14, 30).
fn time_of(rest: &str) -> Option<(u8, u8)> {
    let time = rest.strip_prefix('T')?;
    let (hour, minute) = (time.get(..2)?.parse().ok()?, time.get(3..5)?.parse().ok()?);
    (time.as_bytes()[2] == b':' && hour < 24 && minute < 60).then_some((hour, minute))
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Moment, D::Error> {
        let text = String::deserialize(deserializer)?;
        Moment::parse(&text).ok_or_else(|| serde::de::Error::custom("not a full date with an optional time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precision_and_zone_are_kept() {
        let moment = Moment::parse("2025-02-20T14:30:00-05:00").unwrap();
        assert_eq!(moment.text(), "2025-02-20T14:30:00-05:00");
        assert_eq!((moment.date().to_string().as_str(), moment.time()), ("2025-02-20", Some((14, 30))));
        assert_eq!(Moment::parse("2025-02-20").unwrap().time(), None);
    }

    #[test]
    fn partial_and_impossible_dates_are_refused() {
        for text in ["2025", "2025-02", "2025-02-30", "2025-02-20T25:00", "2025-02-20 14:30", "", "2025-02-2é"] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }
}
