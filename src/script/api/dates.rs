//! Days and instants in scripts. There is no "now": time comes from the systems, or as the rule date.

use std::cmp::Ordering;

use rhai::plugin::{Dynamic, EvalAltResult, ImmutableString, NativeCallContext, RhaiResult, export_module};

use jiff::civil::DateTime;

use crate::model::{
    Date, Fault, FaultKind, FieldType, Length, TimeZone, Timestamp, Value,
    day::{against_day, day_of as day_in},
    moment::Moment,
};
use crate::script::{
    desk::{Desk, desk, zone},
    failure::thrown,
};

/// A number of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::script) struct Days(pub(in crate::script) i32);

/// A length shorter than days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::script) struct Lasting(pub(in crate::script) Length);

pub(in crate::script) use crate::script::declaration::RuleDate;

type Outcome<T> = Result<T, Box<EvalAltResult>>;

fn refuse<T>(message: impl Into<String>) -> Outcome<T> {
    Err(thrown(Fault::new(FaultKind::Invalid, message)))
}

pub(in crate::script) fn moved(date: Date, days: i64) -> Outcome<Date> {
    let moved = date.checked_add(jiff::Span::new().try_days(days).unwrap_or_default());
    moved.or_else(|_| refuse(format!("{days} days from {date} is outside the calendar")))
}

/// The same time of day so many days later; where the clocks skip it, as much later as they skip.
pub(in crate::script) fn moved_instant(at: Timestamp, days: i64, zone: &TimeZone) -> Outcome<Timestamp> {
    let moved = at.to_zoned(zone.clone()).checked_add(jiff::Span::new().try_days(days).unwrap_or_default());
    moved.map(|moved| moved.timestamp()).or_else(|_| refuse(format!("{days} days from {at} is outside the calendar")))
}

/// An instant against a day, which stands for all of its instants.
pub(in crate::script) fn instant_against(at: Timestamp, date: Date, zone: &TimeZone) -> Ordering {
    against_day(at, date, zone)
}

fn date_of(value: &Value, zone: &TimeZone) -> Outcome<Dynamic> {
    match FieldType::Date.fit(value, zone) {
        Ok(Value::Date(date)) => Ok(Dynamic::from(date)),
        Ok(_) => Ok(Dynamic::UNIT),
        Err(misfit) => refuse(misfit.to_string()),
    }
}

fn instant_of(value: &Value, zone: &TimeZone) -> Outcome<Dynamic> {
    if let Some(Moment::Local(local)) = value.as_str().and_then(Moment::read) {
        return local_instant(local, zone).map(Dynamic::from);
    }
    match (FieldType::DateTime { millis: true }).fit(value, zone) {
        Ok(Value::Instant(at)) => Ok(Dynamic::from(at)),
        Ok(_) => Ok(Dynamic::UNIT),
        Err(misfit) => refuse(misfit.to_string()),
    }
}

/// The instant of a time in a zone; none is guessed for a time that the clocks of the zone skip, or show twice.
fn local_instant(local: DateTime, zone: &TimeZone) -> Outcome<Timestamp> {
    let name = zone.iana_name().unwrap_or("the zone");
    let refused = |_| refuse(format!("{local} is no time in {name}, or is there twice, for the clocks are changed then; write its offset"));
    zone.to_ambiguous_timestamp(local).unambiguous().or_else(refused)
}

fn from_millis(millis: i64) -> Outcome<Timestamp> {
    Timestamp::from_millisecond(millis).or_else(|_| refuse(format!("{millis} milliseconds are outside the calendar")))
}

fn lasting(count: i64, unit: fn(u32) -> Length) -> Outcome<Lasting> {
    u32::try_from(count).map(|count| Lasting(unit(count))).or_else(|_| refuse(format!("a length cannot be {count}")))
}

fn seconds(lasting: Lasting) -> jiff::SignedDuration {
    match lasting.0 {
        Length::Days(n) => jiff::SignedDuration::from_hours(i64::from(n) * 24),
        Length::Hours(n) => jiff::SignedDuration::from_hours(n.into()),
        Length::Minutes(n) => jiff::SignedDuration::from_mins(n.into()),
    }
}

pub(in crate::script) fn days_between(from: Date, to: Date) -> i64 {
    from.until(to).map_or(0, |span| i64::from(span.get_days()))
}

fn narrow(days: i64) -> Outcome<i32> {
    i32::try_from(days).or_else(|_| refuse(format!("{days} days are outside the calendar")))
}

/// Everything here is global: `date("2026-01-31") + days(7)`.
#[export_module]
#[allow(
    clippy::trivially_copy_pass_by_ref,
    clippy::needless_pass_by_value,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "the shapes that the engine calls"
)]
pub(super) mod functions {
    /// Makes a number of days, to add to dates, and the length of a wait in a journey.
    ///
    /// # Example
    /// ```rhai
    /// date("2026-01-31") + days(1) == date("2026-02-01")
    /// ```
    #[rhai_fn(return_raw)]
    pub fn days(count: i64) -> Outcome<Days> {
        narrow(count).map(Days)
    }

    /// Makes a length of hours: of a wait in a journey, or to add to instants.
    ///
    /// # Example
    /// ```rhai
    /// timestamp("2026-01-31T23:00:00Z") + hours(2) == timestamp("2026-02-01T01:00:00Z")
    /// ```
    #[rhai_fn(return_raw)]
    pub fn hours(count: i64) -> Outcome<Lasting> {
        lasting(count, Length::Hours)
    }

    /// Makes a length of minutes: of a wait in a journey, or to add to instants.
    ///
    /// # Example
    /// ```rhai
    /// timestamp("2026-01-31T23:30:00Z") - minutes(45) == timestamp("2026-01-31T22:45:00Z")
    /// ```
    #[rhai_fn(return_raw)]
    pub fn minutes(count: i64) -> Outcome<Lasting> {
        lasting(count, Length::Minutes)
    }

    #[rhai_fn(name = "to_string", name = "print", name = "to_debug", name = "debug")]
    pub fn lasting_shown(length: Lasting) -> ImmutableString {
        length.0.to_string().into()
    }

    #[rhai_fn(name = "+", return_raw)]
    pub fn timestamp_plus_lasting(at: Timestamp, length: Lasting) -> Outcome<Timestamp> {
        at.checked_add(seconds(length)).or_else(|_| refuse("outside the calendar"))
    }

    #[rhai_fn(name = "-", return_raw)]
    pub fn timestamp_minus_lasting(at: Timestamp, length: Lasting) -> Outcome<Timestamp> {
        at.checked_sub(seconds(length)).or_else(|_| refuse("outside the calendar"))
    }

    /// The date a rule is run for; days can be added to it or taken from it. In declarations it stands for that date, also as the value of a
    /// condition; in closures it is that date.
    ///
    /// # Example
    /// ```rhai
    /// let due = rule_date() + days(14);
    /// `${due}` == "rule date + 14 days"
    /// ```
    pub fn rule_date(ctx: NativeCallContext) -> Dynamic {
        match desk(&ctx) {
            Desk::Pure { rule_date: Some(date) } => Dynamic::from(date),
            _ => Dynamic::from(RuleDate::default()),
        }
    }

    #[rhai_fn(name = "+", return_raw)]
    pub fn rule_date_plus(date: RuleDate, days: Days) -> Outcome<RuleDate> {
        narrow(i64::from(date.plus_days) + i64::from(days.0)).map(|plus_days| RuleDate { plus_days })
    }

    #[rhai_fn(name = "-", return_raw)]
    pub fn rule_date_minus(date: RuleDate, days: Days) -> Outcome<RuleDate> {
        narrow(i64::from(date.plus_days) - i64::from(days.0)).map(|plus_days| RuleDate { plus_days })
    }

    #[rhai_fn(name = "to_string", name = "print", name = "to_debug", name = "debug")]
    pub fn rule_date_shown(date: RuleDate) -> ImmutableString {
        match date.plus_days {
            0 => "rule date".into(),
            n if n < 0 => format!("rule date - {} days", -n).into(),
            n => format!("rule date + {n} days").into(),
        }
    }

    /// Makes a day from text (`2026-01-31`, or an instant with its offset), from an instant (its day in the workspace's time zone,
    /// `timezone` in `tabi.toml`, UTC unless it says otherwise), or from nothing.
    /// An instant is compared with a day as a whole: `row.closed_at < date("2026-02-01")` is true up to the end of January there.
    ///
    /// # Example
    /// ```rhai
    /// date("2026-01-31T23:30:00-05:00") == date("2026-02-01")
    /// ```
    #[rhai_fn(return_raw)]
    pub fn date(ctx: NativeCallContext, text: &str) -> RhaiResult {
        date_of(&Value::text(text), &zone(&ctx))
    }

    #[rhai_fn(name = "date", return_raw)]
    pub fn date_of_instant(ctx: NativeCallContext, at: Timestamp) -> RhaiResult {
        date_of(&Value::Instant(at), &zone(&ctx))
    }

    #[rhai_fn(name = "date")]
    pub fn date_of_date(date: Date) -> Date {
        date
    }

    #[rhai_fn(name = "date")]
    pub fn date_of_nothing(_nothing: ()) {}

    /// Makes a day from milliseconds since 1970, as Pendo counts time: the day in the workspace's time zone.
    ///
    /// # Example
    /// ```rhai
    /// date(1769817600000) == date("2026-01-31")
    /// ```
    #[rhai_fn(name = "date", return_raw)]
    pub fn date_of_millis(ctx: NativeCallContext, millis: i64) -> Outcome<Date> {
        from_millis(millis).map(|at| day_in(at, &zone(&ctx)))
    }

    /// Makes a day from its year, month and day.
    ///
    /// # Example
    /// ```rhai
    /// date(2026, 1, 31).month == 1
    /// ```
    #[rhai_fn(name = "date", return_raw)]
    pub fn date_of_parts(year: i64, month: i64, day: i64) -> Outcome<Date> {
        let parts = (i16::try_from(year), i8::try_from(month), i8::try_from(day));
        let (Ok(y), Ok(m), Ok(d)) = parts else { return refuse(format!("{year}-{month}-{day} is no day")) };
        Date::new(y, m, d).or_else(|_| refuse(format!("{year}-{month}-{day} is no day")))
    }

    /// Makes an instant from text with an offset or a zone, from text without one (a time in the workspace's time zone), from a day (its first instant
    /// there), or from nothing. `days(1)` later is the same time of day in that zone, be it 23 or 25 hours; `hours(24)` later is 24 hours.
    /// `.date`, `.hour` and `.minute` are those of that zone, too.
    ///
    /// # Example
    /// ```rhai
    /// timestamp("2026-01-31T10:00:00Z").hour == 10 && timestamp("2026-01-31 10:00") == timestamp("2026-01-31T11:00[Europe/Berlin]")
    /// ```
    #[rhai_fn(return_raw)]
    pub fn timestamp(ctx: NativeCallContext, text: &str) -> RhaiResult {
        instant_of(&Value::text(text), &zone(&ctx))
    }

    #[rhai_fn(name = "timestamp", return_raw)]
    pub fn timestamp_of_date(ctx: NativeCallContext, date: Date) -> RhaiResult {
        instant_of(&Value::Date(date), &zone(&ctx))
    }

    #[rhai_fn(name = "timestamp")]
    pub fn timestamp_of_timestamp(at: Timestamp) -> Timestamp {
        at
    }

    #[rhai_fn(name = "timestamp")]
    pub fn timestamp_of_nothing(_nothing: ()) {}

    /// Makes an instant from milliseconds since 1970 (UTC).
    ///
    /// # Example
    /// ```rhai
    /// timestamp(1769853600000) == timestamp("2026-01-31T10:00:00Z")
    /// ```
    #[rhai_fn(name = "timestamp", return_raw)]
    pub fn timestamp_of_millis(millis: i64) -> Outcome<Timestamp> {
        from_millis(millis)
    }

    #[rhai_fn(name = "+", return_raw)]
    pub fn date_plus(date: Date, days: Days) -> Outcome<Date> {
        moved(date, i64::from(days.0))
    }

    #[rhai_fn(name = "-", return_raw)]
    pub fn date_minus(date: Date, days: Days) -> Outcome<Date> {
        moved(date, -i64::from(days.0))
    }

    #[rhai_fn(name = "-")]
    pub fn date_difference(to: Date, from: Date) -> i64 {
        days_between(from, to)
    }

    #[rhai_fn(name = "+", return_raw)]
    pub fn timestamp_plus(ctx: NativeCallContext, at: Timestamp, days: Days) -> Outcome<Timestamp> {
        moved_instant(at, i64::from(days.0), &zone(&ctx))
    }

    #[rhai_fn(name = "-", return_raw)]
    pub fn timestamp_minus(ctx: NativeCallContext, at: Timestamp, days: Days) -> Outcome<Timestamp> {
        moved_instant(at, -i64::from(days.0), &zone(&ctx))
    }

    #[rhai_fn(name = "==")]
    pub fn date_eq(a: Date, b: Date) -> bool {
        a == b
    }
    #[rhai_fn(name = "!=")]
    pub fn date_ne(a: Date, b: Date) -> bool {
        a != b
    }
    #[rhai_fn(name = "<")]
    pub fn date_lt(a: Date, b: Date) -> bool {
        a < b
    }
    #[rhai_fn(name = "<=")]
    pub fn date_le(a: Date, b: Date) -> bool {
        a <= b
    }
    #[rhai_fn(name = ">")]
    pub fn date_gt(a: Date, b: Date) -> bool {
        a > b
    }
    #[rhai_fn(name = ">=")]
    pub fn date_ge(a: Date, b: Date) -> bool {
        a >= b
    }

    #[rhai_fn(name = "==")]
    pub fn timestamp_eq(a: Timestamp, b: Timestamp) -> bool {
        a == b
    }
    #[rhai_fn(name = "!=")]
    pub fn timestamp_ne(a: Timestamp, b: Timestamp) -> bool {
        a != b
    }
    #[rhai_fn(name = "<")]
    pub fn timestamp_lt(a: Timestamp, b: Timestamp) -> bool {
        a < b
    }
    #[rhai_fn(name = "<=")]
    pub fn timestamp_le(a: Timestamp, b: Timestamp) -> bool {
        a <= b
    }
    #[rhai_fn(name = ">")]
    pub fn timestamp_gt(a: Timestamp, b: Timestamp) -> bool {
        a > b
    }
    #[rhai_fn(name = ">=")]
    pub fn timestamp_ge(a: Timestamp, b: Timestamp) -> bool {
        a >= b
    }

    #[rhai_fn(name = "==")]
    pub fn timestamp_date_eq(ctx: NativeCallContext, a: Timestamp, b: Date) -> bool {
        instant_against(a, b, &zone(&ctx)).is_eq()
    }
    #[rhai_fn(name = "==")]
    pub fn date_timestamp_eq(ctx: NativeCallContext, a: Date, b: Timestamp) -> bool {
        instant_against(b, a, &zone(&ctx)).is_eq()
    }
    #[rhai_fn(name = "!=")]
    pub fn timestamp_date_ne(ctx: NativeCallContext, a: Timestamp, b: Date) -> bool {
        instant_against(a, b, &zone(&ctx)).is_ne()
    }
    #[rhai_fn(name = "!=")]
    pub fn date_timestamp_ne(ctx: NativeCallContext, a: Date, b: Timestamp) -> bool {
        instant_against(b, a, &zone(&ctx)).is_ne()
    }
    #[rhai_fn(name = "<")]
    pub fn timestamp_date_lt(ctx: NativeCallContext, a: Timestamp, b: Date) -> bool {
        instant_against(a, b, &zone(&ctx)).is_lt()
    }
    #[rhai_fn(name = "<")]
    pub fn date_timestamp_lt(ctx: NativeCallContext, a: Date, b: Timestamp) -> bool {
        instant_against(b, a, &zone(&ctx)).is_gt()
    }
    #[rhai_fn(name = "<=")]
    pub fn timestamp_date_le(ctx: NativeCallContext, a: Timestamp, b: Date) -> bool {
        instant_against(a, b, &zone(&ctx)).is_le()
    }
    #[rhai_fn(name = "<=")]
    pub fn date_timestamp_le(ctx: NativeCallContext, a: Date, b: Timestamp) -> bool {
        instant_against(b, a, &zone(&ctx)).is_ge()
    }
    #[rhai_fn(name = ">")]
    pub fn timestamp_date_gt(ctx: NativeCallContext, a: Timestamp, b: Date) -> bool {
        instant_against(a, b, &zone(&ctx)).is_gt()
    }
    #[rhai_fn(name = ">")]
    pub fn date_timestamp_gt(ctx: NativeCallContext, a: Date, b: Timestamp) -> bool {
        instant_against(b, a, &zone(&ctx)).is_lt()
    }
    #[rhai_fn(name = ">=")]
    pub fn timestamp_date_ge(ctx: NativeCallContext, a: Timestamp, b: Date) -> bool {
        instant_against(a, b, &zone(&ctx)).is_ge()
    }
    #[rhai_fn(name = ">=")]
    pub fn date_timestamp_ge(ctx: NativeCallContext, a: Date, b: Timestamp) -> bool {
        instant_against(b, a, &zone(&ctx)).is_le()
    }

    #[rhai_fn(name = "to_string", name = "print", name = "to_debug", name = "debug")]
    pub fn date_shown(date: Date) -> ImmutableString {
        date.to_string().into()
    }
    #[rhai_fn(name = "to_string", name = "print", name = "to_debug", name = "debug")]
    pub fn timestamp_shown(at: Timestamp) -> ImmutableString {
        at.to_string().into()
    }
    #[rhai_fn(name = "to_string", name = "print", name = "to_debug", name = "debug")]
    pub fn days_shown(days: Days) -> ImmutableString {
        format!("{} days", days.0).into()
    }

    #[rhai_fn(get = "year", pure)]
    pub fn year(date: &mut Date) -> i64 {
        date.year().into()
    }
    #[rhai_fn(get = "month", pure)]
    pub fn month(date: &mut Date) -> i64 {
        date.month().into()
    }
    #[rhai_fn(get = "day", pure)]
    pub fn day(date: &mut Date) -> i64 {
        date.day().into()
    }
    /// Monday is 1, Sunday is 7.
    #[rhai_fn(get = "weekday", pure)]
    pub fn weekday(date: &mut Date) -> i64 {
        date.weekday().to_monday_one_offset().into()
    }
    /// The day of an instant in the workspace's time zone.
    #[rhai_fn(get = "date", pure)]
    pub fn day_of(ctx: NativeCallContext, at: &mut Timestamp) -> Date {
        day_in(*at, &zone(&ctx))
    }
    /// The hour of an instant, 0 to 23, in the workspace's time zone.
    #[rhai_fn(get = "hour", pure)]
    pub fn hour(ctx: NativeCallContext, at: &mut Timestamp) -> i64 {
        zone(&ctx).to_datetime(*at).hour().into()
    }
    #[rhai_fn(get = "minute", pure)]
    pub fn minute(ctx: NativeCallContext, at: &mut Timestamp) -> i64 {
        zone(&ctx).to_datetime(*at).minute().into()
    }
    #[rhai_fn(get = "millis", pure)]
    pub fn millis(at: &mut Timestamp) -> i64 {
        at.as_millisecond()
    }
}

#[cfg(test)]
mod tests {
    use super::{DateTime, TimeZone, local_instant};

    #[test]
    fn a_time_that_the_clocks_skip_or_repeat_is_refused() {
        let Ok(berlin) = TimeZone::get("Europe/Berlin") else { panic!("no time zones") };
        let at = |text: &str| {
            let local: DateTime = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
            local_instant(local, &berlin).map(|at| at.to_string()).map_err(|error| error.to_string())
        };
        assert_eq!(at("2026-01-31T10:00:00"), Ok("2026-01-31T09:00:00Z".to_owned()));
        assert_eq!(at("2026-07-31T10:00:00"), Ok("2026-07-31T08:00:00Z".to_owned()));
        assert!(at("2026-03-29T02:30:00").is_err());
        assert!(at("2026-10-25T02:30:00").is_err());
        assert_eq!(at("2026-10-25T03:30:00"), Ok("2026-10-25T02:30:00Z".to_owned()));
    }
}
