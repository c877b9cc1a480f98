//! When declarations run: month ends, leap days, and the two days a year when clocks change. (A12)

use tabi::{
    host::schedule::{due, next},
    model::{Schedule, Timestamp},
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn zone(name: &str) -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::get(name).unwrap()
}

fn time(text: &str) -> jiff::civil::Time {
    text.parse().unwrap()
}

/// The next runs after a time, each as civil time in the zone.
fn runs(schedule: &Schedule, after: &str, zone_name: &str, count: usize) -> Vec<String> {
    let zone = zone(zone_name);
    let mut from = at(after);
    let mut runs = Vec::new();
    for _ in 0..count {
        from = next(schedule, from, &zone).unwrap();
        runs.push(from.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M%z").to_string());
    }
    runs
}

#[test]
fn daily_weekly_and_monthly_times_are_the_zones() {
    let daily = Schedule::Daily(time("03:00"));
    assert_eq!(runs(&daily, "2026-11-21T01:59:00Z", "Europe/Berlin", 2), ["2026-11-21 03:00+0100", "2026-11-22 03:00+0100"]);
    assert_eq!(runs(&daily, "2026-11-21T02:00:00Z", "Europe/Berlin", 1), ["2026-11-22 03:00+0100"], "strictly after");
    let weekly = Schedule::Weekly(jiff::civil::Weekday::Monday, time("03:00"));
    assert_eq!(runs(&weekly, "2026-11-21T00:00:00Z", "UTC", 2), ["2026-11-23 03:00+0000", "2026-11-30 03:00+0000"]);
    let every = Schedule::Every(jiff::SignedDuration::from_hours(24));
    assert_eq!(runs(&every, "2026-11-21T05:06:00Z", "UTC", 1), ["2026-11-22 05:06+0000"]);
}

#[test]
fn a_day_past_the_months_end_is_its_last_day() {
    let monthly = Schedule::Monthly(31, time("03:00"));
    assert_eq!(
        runs(&monthly, "2027-12-31T03:00:00Z", "UTC", 4),
        ["2028-01-31 03:00+0000", "2028-02-29 03:00+0000", "2028-03-31 03:00+0000", "2028-04-30 03:00+0000"]
    );
    assert_eq!(runs(&Schedule::Monthly(1, time("03:00")), "2026-11-01T04:00:00Z", "UTC", 1), ["2026-12-01 03:00+0000"]);
}

#[test]
fn a_time_left_out_by_summer_time_is_moved_on_and_runs_once() {
    let daily = Schedule::Daily(time("02:30"));
    assert_eq!(runs(&daily, "2026-03-28T12:00:00Z", "Europe/Berlin", 2), ["2026-03-29 03:30+0200", "2026-03-30 02:30+0200"]);
    let cron = Schedule::Cron("30 2 * * *".into());
    assert_eq!(runs(&cron, "2026-03-28T12:00:00Z", "Europe/Berlin", 2), ["2026-03-29 03:30+0200", "2026-03-30 02:30+0200"]);
}

#[test]
fn a_time_that_comes_twice_runs_once() {
    let daily = Schedule::Daily(time("02:30"));
    assert_eq!(runs(&daily, "2026-10-24T12:00:00Z", "Europe/Berlin", 2), ["2026-10-25 02:30+0200", "2026-10-26 02:30+0100"]);
    let cron = Schedule::Cron("30 2 * * *".into());
    assert_eq!(runs(&cron, "2026-10-24T12:00:00Z", "Europe/Berlin", 2), ["2026-10-25 02:30+0200", "2026-10-26 02:30+0100"]);
}

#[test]
fn cron_with_a_star_in_the_hours_keeps_its_pace_when_clocks_change() {
    let cron = Schedule::Cron("*/30 * * * *".into());
    assert_eq!(
        runs(&cron, "2026-10-25T00:10:00Z", "Europe/Berlin", 4),
        ["2026-10-25 02:30+0200", "2026-10-25 02:00+0100", "2026-10-25 02:30+0100", "2026-10-25 03:00+0100"]
    );
}

#[test]
fn cron_knows_weekdays_and_says_what_it_cannot_read() {
    let cron = Schedule::Cron("0 3 * * 1-5".into());
    assert_eq!(runs(&cron, "2026-11-20T12:00:00Z", "America/New_York", 2), ["2026-11-23 03:00-0500", "2026-11-24 03:00-0500"]);
    let error = next(&Schedule::Cron("0 25 * * *".into()), at("2026-01-01T00:00:00Z"), &zone("UTC")).unwrap_err();
    assert!(error.to_string().contains("cron 0 25 * * *"), "{error}");
    assert!(next(&Schedule::Cron("0 0 31 2 *".into()), at("2026-01-01T00:00:00Z"), &zone("UTC")).is_err(), "the 31st of February never comes");
}

#[test]
fn a_missed_time_is_due_at_once_and_counts_once() {
    let utc = zone("UTC");
    let daily = Schedule::Daily(time("03:00"));
    let started = at("2026-11-21T12:00:00Z");
    let missed = due(&daily, Some(at("2026-11-18T03:00:00Z")), started, &utc).unwrap();
    assert!(missed <= started);
    let after_it_ran = due(&daily, Some(started), started, &utc).unwrap();
    assert_eq!(after_it_ran, at("2026-11-22T03:00:00Z"), "three missed nights are one run");
}

#[test]
fn what_never_ran_is_due_by_its_kind() {
    let utc = zone("UTC");
    let started = at("2026-11-21T12:00:00Z");
    assert_eq!(due(&Schedule::Every(jiff::SignedDuration::from_hours(24)), None, started, &utc).unwrap(), started);
    assert_eq!(due(&Schedule::Daily(time("03:00")), None, started, &utc).unwrap(), at("2026-11-22T03:00:00Z"));
}
