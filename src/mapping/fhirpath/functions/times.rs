//! Dates as X12 writes them. Dates and hours are those that the writer saw on the clock: no zone is converted.

use super::{Call, Function, Returns, row};
use crate::mapping::fhirpath::eval::{Outcome, Problem};
use crate::mapping::fhirpath::item::{Item, Items};
use crate::mapping::fhirpath::time::Moment;
use std::borrow::Cow;

#[rustfmt::skip]
pub const FUNCTIONS: &[Function] = &[
    row("now()", (0, 0), Returns::Time, |c, _| Ok(Items::One(Item::Time(Cow::Borrowed(c.run.now)))), "The moment of this run, the same in the whole run (`%now`).", "now() = %now"),
    row("today()", (0, 0), Returns::Time, today, "The date of this run.", "today() = %now.toDate()"),
    row("ccyymmdd()", (0, 0), Returns::Text, |c, i| format(c, i, date), "A full date as X12 format D8 writes it; a partial date is an issue.", "@2025-03-03.ccyymmdd() = '20250303'"),
    row("hhmm()", (0, 0), Returns::Text, hhmm, "Hour and minute as X12 format TM writes them; empty without a time of day.", "@2025-03-03T14:30:00-05:00.hhmm() = '1430'"),
    row("ccyymmddhhmm()", (0, 0), Returns::Text, |c, i| format(c, i, date_and_time), "Date, hour and minute as X12 format DT writes them; without a time of day an issue.", "@2025-03-03T14:30:00-05:00.ccyymmddhhmm() = '202503031430'"),
    row("rd8()", (0, 0), Returns::Text, rd8, "A Period or DateRange as X12 format RD8 writes it; a missing end is the start.", "billablePeriod.rd8() = '20250303-20250305'"),
    row("hasTime()", (0, 0), Returns::Boolean, has_time, "Whether hour and minute are given.", "'2025-03-03'.hasTime() = false"),
];

fn today<'a>(call: &Call<'_, 'a>, _: Items<'a>) -> Outcome<'a> {
    let now = call.run.now;
    let end = now.find('T').unwrap_or(now.len());
    Ok(Items::One(Item::Time(Cow::Owned(now[..end].to_owned()))))
}

/// Takes the one text before the dot as a moment and writes it.
fn format<'a>(call: &Call<'_, 'a>, input: Items<'a>, write: fn(&str) -> Result<String, Box<Problem>>) -> Outcome<'a> {
    match call.one_text(input)? {
        Some(text) => Ok(Items::text(write(&text)?)),
        None => Ok(Items::None),
    }
}

fn date(text: &str) -> Result<String, Box<Problem>> {
    match Moment::parse(text).filter(Moment::is_full_date) {
        Some(moment) => {
            let (year, month, day) = moment.ymd();
            Ok(format!("{year:04}{month:02}{day:02}"))
        }
        None => Err(Problem::value("a full date is needed here", "give year, month and day: 2025-03-03")),
    }
}

fn date_and_time(text: &str) -> Result<String, Box<Problem>> {
    let day = date(text)?;
    match Moment::parse(text).and_then(|moment| moment.clock()) {
        Some((hour, minute)) => Ok(format!("{day}{hour:02}{minute:02}")),
        None => Err(Problem::value("a date with a time of day is needed here", "give 2025-03-03T14:30:00-05:00")),
    }
}

fn hhmm<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let clock = call.one(input)?.and_then(|item| clock_of(&item));
    Ok(clock.map(|(hour, minute)| Item::Text(Cow::Owned(format!("{hour:02}{minute:02}")))).into_iter().collect())
}

fn clock_of(item: &Item<'_>) -> Option<(i32, i32)> {
    item.as_moment().or_else(|| Moment::parse(&item.as_text()?)).and_then(|moment| moment.clock())
}

fn has_time<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    Ok(call.one(input)?.map(|item| Item::Boolean(clock_of(&item).is_some())).into_iter().collect())
}

fn rd8<'a>(call: &Call<'_, 'a>, input: Items<'a>) -> Outcome<'a> {
    let Some(item) = call.one(input)? else { return Ok(Items::None) };
    if let Some(text) = item.as_text() {
        let day = date(&text)?;
        return Ok(Items::text(format!("{day}-{day}")));
    }
    let side = |name| item.property(name, "").and_then(|side| side.as_string());
    let (Some(start), end) = (side("start").or_else(|| side("end")), side("end")) else { return Ok(Items::None) };
    Ok(Items::text(format!("{}-{}", date(&start)?, date(end.as_ref().unwrap_or(&start))?)))
}
