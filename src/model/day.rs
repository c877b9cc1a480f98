//! Days and the instants they are made of, in one time zone: the workspace's, or a journey's own.
//!
//! A day begins with its first instant there, whatever the clocks do: at midnight, or when they jump where they jump over midnight. It ends
//! where the next one begins. So every instant belongs to exactly one day, and a day has 23, 24 or 25 hours.

use std::cmp::Ordering;

use jiff::{
    SignedDuration, Timestamp,
    civil::Date,
    tz::{AmbiguousOffset, TimeZone},
};

/// The first instant of a day.
pub fn begin_of(date: Date, zone: &TimeZone) -> Timestamp {
    let midnight = date.at(0, 0, 0, 0);
    let outside = if date.year() < 0 { Timestamp::MIN } else { Timestamp::MAX };
    match zone.to_ambiguous_timestamp(midnight).offset() {
        AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => offset.to_timestamp(midnight).unwrap_or(outside),
        AmbiguousOffset::Gap { before, .. } => {
            // Midnight by the old clock: at the jump, or soon after it where the clocks jump a while before midnight.
            let old = before.to_timestamp(midnight).unwrap_or(outside);
            let after = old.saturating_add(SignedDuration::from_nanos(1)).unwrap_or(old);
            zone.preceding(after).next().map_or(old, |jump| jump.timestamp())
        }
    }
}

/// The first instant that no longer belongs to a day.
pub fn end_of(date: Date, zone: &TimeZone) -> Timestamp {
    date.tomorrow().map_or(Timestamp::MAX, |next| begin_of(next, zone))
}

/// The day of an instant.
pub fn day_of(at: Timestamp, zone: &TimeZone) -> Date {
    let date = zone.to_datetime(at).date();
    // Clocks that are set back over midnight show the end of the day before once more: the day has begun all the same.
    match date.tomorrow() {
        Ok(next) if at >= begin_of(next, zone) => next,
        _ => date,
    }
}

/// Where an instant lies: before a day, within it, after it.
pub fn against_day(at: Timestamp, date: Date, zone: &TimeZone) -> Ordering {
    day_of(at, zone).cmp(&date)
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, civil::Date, civil::date, tz::TimeZone};

    use super::{begin_of, day_of, end_of};

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).expect("a zone")
    }

    fn begins(name: &str, day: Date, at: &str) {
        assert_eq!(begin_of(day, &zone(name)).to_string(), at, "{day} in {name}");
    }

    #[test]
    fn a_day_begins_at_midnight_or_where_the_clocks_jump_over_it() {
        begins("America/Los_Angeles", date(2026, 11, 20), "2026-11-20T08:00:00Z");
        begins("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00:00Z");
        begins("Asia/Beirut", date(2024, 3, 31), "2024-03-30T22:00:00Z");
        begins("Africa/Cairo", date(2024, 4, 26), "2024-04-25T22:00:00Z");
        // The clocks went from 23:30 to 00:30.
        begins("America/Toronto", date(1919, 3, 31), "1919-03-31T04:30:00Z");
        // Midnight comes twice.
        begins("America/Havana", date(2024, 11, 3), "2024-11-03T04:00:00Z");
        // A day that was left out.
        assert_eq!(begin_of(date(2011, 12, 30), &zone("Pacific/Apia")), end_of(date(2011, 12, 30), &zone("Pacific/Apia")));
    }

    #[test]
    fn a_day_has_as_many_hours_as_the_clocks_give_it() {
        let hours = |name: &str, day: Date| end_of(day, &zone(name)).duration_since(begin_of(day, &zone(name))).as_hours();
        assert_eq!(hours("America/Los_Angeles", date(2026, 3, 8)), 23);
        assert_eq!(hours("America/Los_Angeles", date(2026, 11, 1)), 25);
        assert_eq!(hours("America/Sao_Paulo", date(2018, 11, 4)), 23);
        assert_eq!(hours("Europe/Berlin", date(2024, 2, 29)), 24);
    }

    /// Every instant of two weeks around a change of clocks is in exactly one day: the one whose first instant it does not precede.
    #[test]
    fn every_instant_belongs_to_one_day() {
        let weeks = [
            ("UTC", date(2026, 2, 22)),
            ("America/Los_Angeles", date(2026, 10, 25)),
            ("America/Los_Angeles", date(2026, 3, 1)),
            ("America/Sao_Paulo", date(2018, 10, 28)),
            ("America/Sao_Paulo", date(2018, 2, 10)),
            ("Asia/Beirut", date(2024, 3, 24)),
            ("Africa/Cairo", date(2024, 4, 19)),
            ("Africa/Cairo", date(2024, 10, 25)),
            ("America/Havana", date(2024, 10, 27)),
            ("America/Toronto", date(1919, 3, 24)),
            ("America/St_Johns", date(2006, 10, 22)),
            ("Australia/Lord_Howe", date(2026, 3, 29)),
            ("Pacific/Apia", date(2011, 12, 24)),
        ];
        for (name, first) in weeks {
            let zone = zone(name);
            let days: Vec<Date> = first.series(jiff::ToSpan::days(1)).take(14).collect();
            let (mut at, end) = (begin_of(first, &zone), end_of(days[13], &zone));
            let mut before = days[0];
            while at < end {
                let within: Vec<Date> = days.iter().copied().filter(|day| begin_of(*day, &zone) <= at && at < end_of(*day, &zone)).collect();
                assert_eq!(within, [day_of(at, &zone)], "{at} in {name}");
                assert!(before <= within[0], "days go on in {name}");
                before = within[0];
                at = Timestamp::from_second(at.as_second() + 421).expect("an instant");
            }
            for day in days {
                let begin = begin_of(day, &zone);
                let last = begin.checked_sub(jiff::SignedDuration::from_nanos(1)).expect("an instant");
                assert!(day_of(begin, &zone) >= day && day_of(last, &zone) < day, "{day} in {name}");
            }
        }
    }
}
