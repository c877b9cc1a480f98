//! Due dates in a journey's own time zone: days are calendar days there, so that a day across a change of clocks has 23 or 25 hours.

use jiff::{SignedDuration, Timestamp, ToSpan, Zoned, civil::Time, tz::TimeZone};

use crate::model::{Date, Length, Pace, day::day_of};

/// A journey's days and hours.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: TimeZone,
    pace: Pace,
}

impl Calendar {
    /// The journey's zone is the workspace's when it names none, or one that this machine does not know; `check` refuses the latter.
    pub fn new(pace: &Pace, workspace: &TimeZone) -> Self {
        let own = pace.time_zone.as_deref().and_then(|name| TimeZone::get(name).ok());
        Self { zone: own.unwrap_or_else(|| workspace.clone()), pace: pace.clone() }
    }

    /// So long after an instant.
    pub fn after(&self, at: Timestamp, length: Length) -> Timestamp {
        match length {
            Length::Days(days) => self.local(at).saturating_add(i64::from(days).days()).timestamp(),
            Length::Hours(hours) => at.saturating_add(SignedDuration::from_hours(i64::from(hours))).unwrap_or(Timestamp::MAX),
            Length::Minutes(minutes) => at.saturating_add(SignedDuration::from_mins(i64::from(minutes))).unwrap_or(Timestamp::MAX),
        }
    }

    /// So long before an instant.
    pub fn before(&self, at: Timestamp, length: Length) -> Timestamp {
        match length {
            Length::Days(days) => self.local(at).saturating_sub(i64::from(days).days()).timestamp(),
            Length::Hours(hours) => at.saturating_sub(SignedDuration::from_hours(i64::from(hours))).unwrap_or(Timestamp::MIN),
            Length::Minutes(minutes) => at.saturating_sub(SignedDuration::from_mins(i64::from(minutes))).unwrap_or(Timestamp::MIN),
        }
    }

    /// When a message that is ready at an instant may go out: at once, or when the quiet hours and the days off are over.
    pub fn open(&self, at: Timestamp) -> Timestamp {
        let mut moment = self.local(at);
        // A week has a working day, and each day of it has one end of the quiet hours.
        for _ in 0..16 {
            let later = self.past_quiet(&moment).or_else(|| self.past_day_off(&moment));
            match later {
                Some(later) => moment = later,
                None => return moment.timestamp(),
            }
        }
        moment.timestamp()
    }

    /// Where its days begin and end.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The day of an instant.
    pub fn day(&self, at: Timestamp) -> Date {
        day_of(at, &self.zone)
    }

    fn local(&self, at: Timestamp) -> Zoned {
        at.to_zoned(self.zone.clone())
    }

    fn past_quiet(&self, moment: &Zoned) -> Option<Zoned> {
        let (from, to) = self.pace.quiet?;
        let now = moment.time();
        if from <= to {
            return (from <= now && now < to).then(|| at_time(moment, to));
        }
        // Over midnight.
        if now >= from {
            return Some(at_time(&moment.saturating_add(1.day()), to));
        }
        (now < to).then(|| at_time(moment, to))
    }

    fn past_day_off(&self, moment: &Zoned) -> Option<Zoned> {
        (!self.pace.works_on(moment.weekday())).then(|| at_time(&moment.saturating_add(1.day()), Time::midnight()))
    }
}

/// When the day after that of an instant begins.
pub fn day_after(at: Timestamp, zone: &TimeZone) -> Timestamp {
    let next = day_of(at, zone).saturating_add(1.day());
    next.to_zoned(zone.clone()).map_or(Timestamp::MAX, |begins| begins.timestamp())
}

/// That time of the moment's day; where the clocks skip it, the first instant after the gap.
fn at_time(moment: &Zoned, time: Time) -> Zoned {
    moment.date().to_datetime(time).to_zoned(moment.time_zone().clone()).unwrap_or_else(|_| moment.clone())
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::{Calendar, Length, Pace, Timestamp};

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn berlin(pace: Pace) -> Calendar {
        Calendar::new(&Pace { time_zone: Some("Europe/Berlin".into()), ..pace }, &TimeZone::UTC)
    }

    #[test]
    fn a_day_is_a_calendar_day_also_when_the_clocks_change() {
        let calendar = berlin(Pace::default());
        assert_eq!(calendar.after(at("2026-03-28T09:00:00Z"), Length::Days(1)), at("2026-03-29T08:00:00Z"));
        assert_eq!(calendar.after(at("2026-10-24T08:00:00Z"), Length::Days(1)), at("2026-10-25T09:00:00Z"));
        assert_eq!(calendar.after(at("2026-03-28T09:00:00Z"), Length::Hours(24)), at("2026-03-29T09:00:00Z"));
        assert_eq!(calendar.before(at("2026-03-29T08:00:00Z"), Length::Days(1)), at("2026-03-28T09:00:00Z"));
    }

    #[test]
    fn quiet_hours_over_midnight_end_in_the_morning() {
        let time = |text: &str| text.parse().expect("a time");
        let calendar = berlin(Pace { quiet: Some((time("20:00:00"), time("08:00:00"))), ..Pace::default() });
        assert_eq!(calendar.open(at("2026-06-01T19:30:00Z")), at("2026-06-02T06:00:00Z"));
        assert_eq!(calendar.open(at("2026-06-02T01:00:00Z")), at("2026-06-02T06:00:00Z"));
        assert_eq!(calendar.open(at("2026-06-02T06:00:00Z")), at("2026-06-02T06:00:00Z"));
    }

    #[test]
    fn a_message_that_is_ready_on_friday_night_waits_for_monday_morning() {
        let time = |text: &str| text.parse().expect("a time");
        let calendar = berlin(Pace { quiet: Some((time("18:00:00"), time("09:00:00"))), working_days: vec![1, 2, 3, 4, 5], ..Pace::default() });
        // Friday 2026-06-05, 19:00 in Berlin.
        assert_eq!(calendar.open(at("2026-06-05T17:00:00Z")), at("2026-06-08T07:00:00Z"));
    }
}
