//! Periods and windows of time. Days are cut in the subscription's time zone, which is UTC here; weeks begin on Sunday.

use serde_json::Value;

use super::{
    expression::Expression,
    grammar,
    row::{Body, Context, Row},
};
use crate::sandbox::clock::{DAY_MS, date_of};

/// The length of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Period {
    Hour,
    Day,
    Week,
    Month,
    Quarter,
}

const HOUR_MS: i64 = 3_600_000;
/// The first Sunday was the epoch's fourth day.
const FIRST_SUNDAY: i64 = 3 * DAY_MS;

impl Period {
    /// The period by its name in a time series, and whether there is one result for each.
    pub(super) fn named(name: &str) -> Option<(Self, bool)> {
        Some(match name {
            "hourRange" => (Self::Hour, false),
            "dayRange" => (Self::Day, false),
            "weekRange" => (Self::Week, false),
            "monthRange" => (Self::Month, false),
            "hourly" => (Self::Hour, true),
            "daily" => (Self::Day, true),
            "weekly" => (Self::Week, true),
            "monthly" => (Self::Month, true),
            _ => return None,
        })
    }

    /// The period by its name as a unit of time.
    pub(super) fn of_unit(name: &str) -> Option<Self> {
        Some(match name {
            "hour" | "hours" => Self::Hour,
            "day" | "days" => Self::Day,
            "week" | "weeks" => Self::Week,
            "month" | "months" => Self::Month,
            _ => return None,
        })
    }

    /// The start of the period that holds an instant.
    pub(super) fn start(self, ms: i64) -> i64 {
        let cut = |ms: i64, length: i64| ms.div_euclid(length) * length;
        match self {
            Self::Hour => cut(ms, HOUR_MS),
            Self::Day => cut(ms, DAY_MS),
            Self::Week => cut(ms - FIRST_SUNDAY, 7 * DAY_MS) + FIRST_SUNDAY,
            Self::Month | Self::Quarter => {
                let day = date_of(ms.div_euclid(DAY_MS));
                let month = if self == Self::Quarter { (day.month() - 1) / 3 * 3 + 1 } else { day.month() };
                jiff::civil::Date::new(day.year(), month, 1).map_or(cut(ms, DAY_MS), midnight)
            }
        }
    }

    /// The instant so many periods later.
    pub(super) fn added(self, ms: i64, count: i64) -> i64 {
        let fixed = |length: i64| ms.saturating_add(length.saturating_mul(count));
        match self {
            Self::Hour => fixed(HOUR_MS),
            Self::Day => fixed(DAY_MS),
            Self::Week => fixed(7 * DAY_MS),
            Self::Month | Self::Quarter => {
                let months = count.saturating_mul(if self == Self::Quarter { 3 } else { 1 }).clamp(-24_000, 24_000);
                let moved = date_of(ms.div_euclid(DAY_MS)).checked_add(jiff::Span::new().months(months));
                moved.map_or(ms, |day| midnight(day) + ms.rem_euclid(DAY_MS))
            }
        }
    }
}

fn midnight(day: jiff::civil::Date) -> i64 {
    day.to_zoned(jiff::tz::TimeZone::UTC).map_or(0, |at| at.timestamp().as_millisecond())
}

/// The stretch of time that a source looks at, in milliseconds since the Unix epoch; `to` is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) period: Period,
    /// One result for each period.
    pub(super) iterative: bool,
    pub(super) from: i64,
    pub(super) to: i64,
}

/// The longest retention is seven years; a window may be a little longer.
const LONGEST_MS: i64 = 8 * 366 * DAY_MS;

impl Window {
    /// Reads `{period, first, count}` or `{period, first, last}`.
    pub(super) fn parse(series: &Value, context: &Context) -> Result<Self, String> {
        let period = series["period"].as_str().ok_or("no period specified for time series source")?;
        let (period, iterative) = Period::named(period).ok_or_else(|| format!("unknown period: {period}"))?;
        let first = period.start(instant(&series["first"], "first", context)?);
        let (from, to) = match (&series["count"], &series["last"]) {
            (Value::Null, Value::Null) => return Err("time series needs count or last".to_owned()),
            (Value::Null, last) => (first, period.added(period.start(instant(last, "last", context)?), 1)),
            (count, Value::Null) => match count.as_i64() {
                Some(count) if count < 0 => (period.added(first, count), first),
                Some(count) => (first, period.added(first, count)),
                None => return Err("time series count must be a number".to_owned()),
            },
            _ => return Err("time series takes count or last, not both".to_owned()),
        };
        if to - from > LONGEST_MS {
            return Err("time series is too long".to_owned());
        }
        Ok(Self { period, iterative, from, to })
    }

    /// The periods, each as a window of its own.
    pub(super) fn periods(self) -> impl Iterator<Item = Self> {
        let next = move |from: &i64| Some(self.period.added(*from, 1));
        let starts = std::iter::successors(Some(self.from), next).take_while(move |from| *from < self.to);
        starts.map(move |from| Self { from, to: self.period.added(from, 1), ..self })
    }
}

/// An instant: milliseconds as a number or in text, or an expression.
fn instant(value: &Value, name: &str, context: &Context) -> Result<i64, String> {
    let wrong = || format!("time series {name} is not a time");
    let expression = match value {
        Value::Number(number) => return number.as_i64().or_else(|| whole(number.as_f64()?)).ok_or_else(wrong),
        Value::String(text) => grammar::parse(text)?,
        _ => return Err(wrong()),
    };
    constant(&expression, context).ok_or_else(wrong)
}

fn constant(expression: &Expression, context: &Context) -> Option<i64> {
    let nothing = Row::new(0, Body::Json(std::sync::Arc::default()));
    whole(expression.evaluate(&nothing, context).as_number()?)
}

#[allow(clippy::cast_possible_truncation)]
fn whole(number: f64) -> Option<i64> {
    (number.abs() < 1e15).then_some(number as i64)
}
