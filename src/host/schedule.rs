//! When a declaration runs next. Days and times of day are those of the workspace's zone.
//!
//! A time that a change of the clocks leaves out is moved on by what was left out; one that comes twice counts once.
//! Cron expressions with a `*` in the hours follow real time instead, as Vixie's cron does: every ten minutes stays every ten minutes.

use cronexpr::{Crontab, FallbackTimezoneOption, MakeTimestamp, ParseOptions};
use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};

use crate::model::Schedule;

/// A schedule without a next time.
#[derive(Debug, thiserror::Error)]
#[error("`{schedule}` has no next time: {reason}")]
pub struct Error {
    pub schedule: String,
    pub reason: String,
}

/// The first time strictly after `after`.
pub fn next(schedule: &Schedule, after: Timestamp, zone: &TimeZone) -> Result<Timestamp, Error> {
    let none = |reason: String| Error { schedule: schedule.to_string(), reason };
    let today = after.to_zoned(zone.clone()).date();
    let found = match schedule {
        Schedule::Every(gap) => after.checked_add(*gap).ok(),
        Schedule::Daily(at) => first(days(today, *at), after, zone),
        Schedule::Weekly(day, at) => first(days(today, *at).filter(|time| time.weekday() == *day), after, zone),
        Schedule::Monthly(day, at) => first(months(today, *day, *at), after, zone),
        Schedule::Cron(text) => next_cron(text, after, zone).map_err(|error| none(error.to_string()))?,
    };
    found.ok_or_else(|| none("the calendar holds none".into()))
}

/// When it is due: at once if it has never run and repeats by a gap, or if a time was missed since it last ran
/// (once, however many were missed); otherwise the next time.
///
/// `seen` is when this host first knew the declaration: what lay before it was not missed.
pub fn due(schedule: &Schedule, last: Option<Timestamp>, seen: Timestamp, zone: &TimeZone) -> Result<Timestamp, Error> {
    match (schedule, last) {
        (Schedule::Every(_), None) => Ok(seen),
        (_, last) => next(schedule, last.unwrap_or(seen), zone),
    }
}

/// The first civil time whose instant lies after `after`.
fn first(times: impl Iterator<Item = DateTime>, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    // Nine years hold every weekday, month end and leap day.
    times.take(3400).filter_map(|time| zone.to_timestamp(time).ok()).find(|at| *at > after)
}

fn days(from: Date, at: Time) -> impl Iterator<Item = DateTime> {
    from.series(1.day()).map(move |day| day.to_datetime(at))
}

/// The day of each month, or its last day where the month is shorter.
fn months(from: Date, day: i8, at: Time) -> impl Iterator<Item = DateTime> {
    let months = from.first_of_month().series(1.month());
    months
        .filter_map(move |month| Date::new(month.year(), month.month(), day.clamp(1, month.days_in_month())).ok())
        .map(move |day| day.to_datetime(at))
}

fn next_cron(text: &str, after: Timestamp, zone: &TimeZone) -> Result<Option<Timestamp>, cronexpr::Error> {
    let in_real_time = text.split_ascii_whitespace().nth(1).is_some_and(|hours| hours.starts_with('*'));
    if let Some(name) = zone.iana_name().filter(|_| in_real_time) {
        let cron = parse_cron(&format!("{text} {name}"))?;
        return Ok(Some(cron.find_next(MakeTimestamp(after))?.timestamp()));
    }
    let cron = parse_cron(text)?;
    // A day earlier: after the clocks went back, the civil time of `after` comes again.
    let mut time = after.to_zoned(zone.clone()).datetime().saturating_sub(1.day());
    for _ in 0..3000 {
        let Ok(start) = TimeZone::UTC.to_timestamp(time) else { break };
        time = cron.find_next(MakeTimestamp(start))?.datetime();
        if let Some(at) = zone.to_timestamp(time).ok().filter(|at| *at > after) {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

fn parse_cron(text: &str) -> Result<Crontab, cronexpr::Error> {
    let mut options = ParseOptions::default();
    options.fallback_timezone_option = FallbackTimezoneOption::UTC;
    cronexpr::parse_crontab_with(text, options)
}
