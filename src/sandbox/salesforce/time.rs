//! Days, instants and times of day as numbers, read and written in the forms Salesforce uses.

/// Milliseconds in one day.
pub(crate) const DAY: i64 = 86_400_000;

/// The epoch day of a civil date (proleptic Gregorian).
pub(crate) fn days_from_civil(year: i32, month: u32, day: u32) -> i32 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let m = i32::try_from(month).unwrap_or(1);
    let doy = (153 * (if m > 2 { m - 3 } else { m + 9 }) + 2) / 5 + i32::try_from(day).unwrap_or(1) - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

/// Year, month and day of an epoch day.
pub(crate) fn civil_from_days(days: i32) -> (i32, u32, u32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i32::from(month <= 2);
    (year, month.unsigned_abs(), (doy - (153 * mp + 2) / 5 + 1).unsigned_abs())
}

/// Days in a month.
pub(crate) fn month_length(year: i32, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The first day of the month that lies `months` after the month of `day`.
pub(crate) fn month_start(day: i32, months: i32) -> i32 {
    let (y, m, _) = civil_from_days(day);
    let total = y * 12 + i32::try_from(m).unwrap_or(1) - 1 + months;
    days_from_civil(total.div_euclid(12), total.rem_euclid(12).unsigned_abs() + 1, 1)
}

/// Sunday is 0.
pub(crate) fn weekday(day: i32) -> i32 {
    (day + 4).rem_euclid(7)
}

/// The epoch day of an instant in milliseconds.
pub(crate) fn day_of(ms: i64) -> i32 {
    i32::try_from(ms.div_euclid(DAY)).unwrap_or(0)
}

fn digits(text: &str, from: usize, count: usize) -> Option<u32> {
    let part = text.get(from..from + count)?;
    part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
}

/// `2026-01-31` between 1700 and 4000.
pub(crate) fn parse_date(text: &str) -> Option<i32> {
    if text.len() != 10 || text.as_bytes()[4] != b'-' || text.as_bytes()[7] != b'-' {
        return None;
    }
    let (y, m, d) = (i32::try_from(digits(text, 0, 4)?).ok()?, digits(text, 5, 2)?, digits(text, 8, 2)?);
    let valid = (1700..=4000).contains(&y) && (1..=12).contains(&m) && d >= 1 && d <= month_length(y, m);
    valid.then(|| days_from_civil(y, m, d))
}

/// `10:30:00[.000][Z]` as milliseconds of the day.
pub(crate) fn parse_time(text: &str) -> Option<u32> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let bytes = text.as_bytes();
    if bytes.len() < 8 || bytes[2] != b':' || bytes[5] != b':' {
        return None;
    }
    let (h, m, s) = (digits(text, 0, 2)?, digits(text, 3, 2)?, digits(text, 6, 2)?);
    let ms = match text.get(8..)? {
        "" => 0,
        rest => {
            let part = rest.strip_prefix('.')?;
            if part.is_empty() || part.len() > 9 || !part.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            format!("{part:0<3}").get(..3)?.parse::<u32>().ok()?
        }
    };
    (h < 24 && m < 60 && s < 60).then_some(((h * 60 + m) * 60 + s) * 1000 + ms)
}

/// `2026-01-31T10:00:00[.000](Z|+01:00|+0100)` as milliseconds since 1970.
pub(crate) fn parse_datetime(text: &str) -> Option<i64> {
    let day = parse_date(text.get(..10)?)?;
    let rest = text.get(10..)?.strip_prefix('T')?;
    let zone_at = rest.find(['Z', '+', '-'])?;
    let time = parse_time(&rest[..zone_at])?;
    let zone = &rest[zone_at..];
    let offset = match zone {
        "Z" => 0,
        _ => {
            let sign = if zone.starts_with('-') { -1 } else { 1 };
            let minutes = match zone.len() {
                5 => digits(zone, 1, 2)? * 60 + digits(zone, 3, 2)?,
                6 if zone.as_bytes()[3] == b':' => digits(zone, 1, 2)? * 60 + digits(zone, 4, 2)?,
                _ => return None,
            };
            sign * i64::from(minutes) * 60_000
        }
    };
    Some(i64::from(day) * DAY + i64::from(time) - offset)
}

/// `2026-01-31`.
pub(crate) fn format_date(day: i32) -> String {
    let (y, m, d) = civil_from_days(day);
    format!("{y:04}-{m:02}-{d:02}")
}

/// `10:30:00.000Z`.
pub(crate) fn format_time(ms: u32) -> String {
    let s = ms / 1000;
    format!("{:02}:{:02}:{:02}.{:03}Z", s / 3600, s / 60 % 60, s % 60, ms % 1000)
}

/// `2026-01-31T10:00:00.000` followed by the given zone text (`+0000` in JSON, `Z` in bulk CSV).
pub(crate) fn format_datetime(ms: i64, zone: &str) -> String {
    let time = format_time(u32::try_from(ms.rem_euclid(DAY)).unwrap_or(0));
    format!("{}T{}{zone}", format_date(day_of(ms)), time.trim_end_matches('Z'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_instants_are_read_and_written() {
        for (text, same) in [("2026-01-31", true), ("1700-01-01", true), ("2024-02-29", true), ("2026-02-29", false), ("2026-1-31", false)] {
            assert_eq!(parse_date(text).map(format_date).as_deref() == Some(text), same, "{text}");
        }
        for text in ["2026-01-31T11:00:00+01:00", "2026-01-31T10:00:00Z", "2026-01-31T10:00:00.000+0000", "2026-01-31T08:30:00.0-01:30"] {
            assert_eq!(parse_datetime(text).map(|ms| format_datetime(ms, "+0000")).as_deref(), Some("2026-01-31T10:00:00.000+0000"), "{text}");
        }
        assert_eq!(parse_datetime("2026-01-31 10:00"), None);
        assert_eq!(format_date(month_start(days_from_civil(2026, 1, 15), -1)), "2025-12-01");
        assert_eq!(weekday(days_from_civil(2026, 11, 22)), 0);
    }
}
