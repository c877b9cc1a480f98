//! Relative date literals as half-open ranges of days, and the date functions (UTC, fiscal year = calendar year).

use crate::sandbox::salesforce::time::{DAY, civil_from_days, days_from_civil, month_start, weekday};

const PLAIN: [&str; 23] = [
    "YESTERDAY",
    "TODAY",
    "TOMORROW",
    "LAST_WEEK",
    "THIS_WEEK",
    "NEXT_WEEK",
    "LAST_MONTH",
    "THIS_MONTH",
    "NEXT_MONTH",
    "LAST_QUARTER",
    "THIS_QUARTER",
    "NEXT_QUARTER",
    "LAST_YEAR",
    "THIS_YEAR",
    "NEXT_YEAR",
    "LAST_90_DAYS",
    "NEXT_90_DAYS",
    "LAST_FISCAL_QUARTER",
    "THIS_FISCAL_QUARTER",
    "NEXT_FISCAL_QUARTER",
    "LAST_FISCAL_YEAR",
    "THIS_FISCAL_YEAR",
    "NEXT_FISCAL_YEAR",
];

/// `TODAY`, `LAST_WEEK` and the like, in capitals.
pub(crate) fn is_plain(name: &str) -> bool {
    PLAIN.contains(&name)
}

/// `LAST_N_DAYS`, `N_WEEKS_AGO` and the like, which take a count, in capitals.
pub(crate) fn is_counted(name: &str) -> bool {
    counted(name).is_some()
}

/// Where a counted literal lies.
#[derive(Clone, Copy)]
enum Side {
    Last,
    Next,
    Ago,
}

fn counted(name: &str) -> Option<(Side, &str)> {
    let (side, unit) = if let Some(unit) = name.strip_prefix("LAST_N_") {
        (Side::Last, unit)
    } else if let Some(unit) = name.strip_prefix("NEXT_N_") {
        (Side::Next, unit)
    } else {
        (Side::Ago, name.strip_prefix("N_")?.strip_suffix("_AGO")?)
    };
    let unit = unit.strip_prefix("FISCAL_").filter(|rest| matches!(*rest, "QUARTERS" | "YEARS")).unwrap_or(unit);
    matches!(unit, "DAYS" | "WEEKS" | "MONTHS" | "QUARTERS" | "YEARS").then_some((side, unit))
}

/// The first day of the unit that lies `by` units from the one holding `today`.
fn unit_start(unit: &str, today: i32, by: i32) -> i32 {
    let (_, month, _) = civil_from_days(today);
    let month = i32::try_from(month).unwrap_or(1) - 1;
    match unit {
        "WEEK" | "WEEKS" => today - weekday(today) + by.saturating_mul(7),
        "MONTH" | "MONTHS" => month_start(today, by),
        "QUARTER" | "QUARTERS" => month_start(today, by.saturating_mul(3) - month % 3),
        "YEAR" | "YEARS" => month_start(today, by.saturating_mul(12) - month),
        _ => today + by,
    }
}

/// The days a literal means, from the first up to but not including the last.
pub(crate) fn range(name: &str, count: i32, today: i32) -> (i32, i32) {
    match name {
        "YESTERDAY" => return (today - 1, today),
        "TODAY" => return (today, today + 1),
        "TOMORROW" => return (today + 1, today + 2),
        "LAST_90_DAYS" => return (today - 90, today + 1),
        "NEXT_90_DAYS" => return (today + 1, today + 91),
        _ => {}
    }
    if let Some((side, unit)) = counted(name) {
        return match (side, unit) {
            (Side::Last, "DAYS") => (today - count, today + 1),
            (Side::Next, "DAYS") => (today + 1, today + 1 + count),
            (Side::Last, _) => (unit_start(unit, today, -count), unit_start(unit, today, 0)),
            (Side::Next, _) => (unit_start(unit, today, 1), unit_start(unit, today, 1 + count)),
            (Side::Ago, _) => (unit_start(unit, today, -count), unit_start(unit, today, 1 - count)),
        };
    }
    let (side, unit) = name.split_once('_').unwrap_or(("THIS", name));
    let by = match side {
        "LAST" => -1,
        "NEXT" => 1,
        _ => 0,
    };
    let unit = unit.trim_start_matches("FISCAL_");
    (unit_start(unit, today, by), unit_start(unit, today, by + 1))
}

/// The date functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DateFn {
    Year,
    Quarter,
    Month,
    DayInMonth,
    DayInWeek,
    DayInYear,
    DayOnly,
    Hour,
    WeekInMonth,
    WeekInYear,
}

impl DateFn {
    /// By its name, whatever the case.
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "CALENDAR_YEAR" | "FISCAL_YEAR" => Self::Year,
            "CALENDAR_QUARTER" | "FISCAL_QUARTER" => Self::Quarter,
            "CALENDAR_MONTH" | "FISCAL_MONTH" => Self::Month,
            "DAY_IN_MONTH" => Self::DayInMonth,
            "DAY_IN_WEEK" => Self::DayInWeek,
            "DAY_IN_YEAR" => Self::DayInYear,
            "DAY_ONLY" => Self::DayOnly,
            "HOUR_IN_DAY" => Self::Hour,
            "WEEK_IN_MONTH" => Self::WeekInMonth,
            "WEEK_IN_YEAR" => Self::WeekInYear,
            _ => return None,
        })
    }

    /// The function of an instant, as a number; the day itself for `DAY_ONLY`.
    pub(crate) fn of(self, ms: i64) -> i64 {
        let day = i32::try_from(ms.div_euclid(DAY)).unwrap_or(0);
        let (year, month, date) = civil_from_days(day);
        let in_year = day - days_from_civil(year, 1, 1);
        match self {
            Self::Year => i64::from(year),
            Self::Quarter => i64::from((month - 1) / 3 + 1),
            Self::Month => i64::from(month),
            Self::DayInMonth => i64::from(date),
            Self::DayInWeek => i64::from(weekday(day) + 1),
            Self::DayInYear => i64::from(in_year + 1),
            Self::DayOnly => i64::from(day),
            Self::Hour => ms.rem_euclid(DAY) / 3_600_000,
            Self::WeekInMonth => i64::from((date - 1) / 7 + 1),
            Self::WeekInYear => i64::from(in_year / 7 + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::salesforce::time::{format_date, parse_date};

    #[test]
    fn literals_mean_the_documented_days() {
        let today = parse_date("2026-11-21").unwrap_or(0);
        for (name, count, from, to) in [
            ("TODAY", 1, "2026-11-21", "2026-11-22"),
            ("THIS_WEEK", 1, "2026-11-15", "2026-11-22"),
            ("LAST_MONTH", 1, "2026-10-01", "2026-11-01"),
            ("NEXT_QUARTER", 1, "2027-01-01", "2027-04-01"),
            ("THIS_FISCAL_YEAR", 1, "2026-01-01", "2027-01-01"),
            ("LAST_N_DAYS", 7, "2026-11-14", "2026-11-22"),
            ("NEXT_N_DAYS", 7, "2026-11-22", "2026-11-29"),
            ("N_DAYS_AGO", 3, "2026-11-18", "2026-11-19"),
            ("LAST_N_MONTHS", 2, "2026-09-01", "2026-11-01"),
            ("NEXT_N_YEARS", 1, "2027-01-01", "2028-01-01"),
            ("N_QUARTERS_AGO", 1, "2026-07-01", "2026-10-01"),
            ("LAST_90_DAYS", 1, "2026-08-23", "2026-11-22"),
        ] {
            let (start, end) = range(name, count, today);
            assert_eq!((format_date(start).as_str(), format_date(end).as_str()), (from, to), "{name}:{count}");
        }
    }
}
