//! What text says of a day or an instant.

use jiff::{
    Timestamp, Zoned,
    civil::{Date, DateTime},
};

/// A time that was read, with what was said of its zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// `2026-01-31`.
    Day(Date),
    /// `2026-01-31 10:00`: which instant that is depends on the zone, which is not said.
    Local(DateTime),
    /// With an offset (`Z`, `+01:00`, `+0100`), or a zone (`[Europe/Berlin]`).
    Instant(Timestamp),
}

impl Moment {
    /// ISO 8601 only: `01/02/2026` is one day in one country and another in the next. A zone in brackets counts; beside an offset that is not
    /// the zone's at that time the text contradicts itself, and is not read.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.contains('[') {
            return text.parse::<Zoned>().ok().map(|zoned| Self::Instant(zoned.timestamp()));
        }
        if !text.contains(['T', 't', ' ', ':']) {
            return text.parse().ok().map(Self::Day);
        }
        let instant = text.parse().ok().or_else(|| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok());
        instant.map(Self::Instant).or_else(|| text.parse().ok().map(Self::Local))
    }
}

/// A time of day as Salesforce writes it (`10:30:00.000Z`), from text with or without seconds, milliseconds and `Z`; none for a time with an
/// offset, for it has no day to be turned by.
pub(crate) fn time_of_day(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    if !text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b':' | b'.')) || !text.contains(':') {
        return None;
    }
    let time: jiff::civil::Time = text.parse().ok()?;
    let rest = time.subsec_nanosecond() % 1_000_000;
    (rest == 0).then(|| time.strftime("%H:%M:%S%.3fZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::{Moment, time_of_day};

    fn instant(text: &str) -> Option<String> {
        match Moment::read(text)? {
            Moment::Instant(at) => Some(at.to_string()),
            Moment::Day(_) | Moment::Local(_) => None,
        }
    }

    #[test]
    fn an_instant_has_an_offset_or_a_zone() {
        for text in ["2026-01-31T10:00:00Z", "2026-01-31t10:00:00z", "2026-01-31 10:00:00Z", "2026-01-31T11:00:00+01:00", "2026-01-31T11:00:00+0100"]
        {
            assert_eq!(instant(text).as_deref(), Some("2026-01-31T10:00:00Z"), "{text}");
        }
        for text in ["2026-01-31T11:00:00[Europe/Berlin]", "2026-01-31 11:00[Europe/Berlin]", "2026-01-31T11:00:00+01:00[Europe/Berlin]"] {
            assert_eq!(instant(text).as_deref(), Some("2026-01-31T10:00:00Z"), "{text}");
        }
        assert_eq!(instant("2026-01-31T10:00:00.123+0000").as_deref(), Some("2026-01-31T10:00:00.123Z"));
        // The offset is not Berlin's in January; there is no such zone.
        assert_eq!(Moment::read("2026-01-31T11:00:00+05:00[Europe/Berlin]"), None);
        assert_eq!(Moment::read("2026-01-31T11:00:00[Mars/Olympus]"), None);
    }

    #[test]
    fn a_time_without_a_zone_is_no_instant_and_no_day() {
        for text in ["2026-01-31 10:00:00", "2026-01-31T10:00:00", "2026-01-31T10:00", "2026-01-31 10:00", " 2026-01-31 10:00:00.5 "] {
            assert!(matches!(Moment::read(text), Some(Moment::Local(_))), "{text}: {:?}", Moment::read(text));
        }
        assert!(matches!(Moment::read("2026-01-31"), Some(Moment::Day(_))));
        for text in ["01/31/2026", "2026-02-30", "31.01.2026", "2026-01-31T25:00:00", "10:00", "tomorrow", "", "2026-01-31T", "20260131T"] {
            assert_eq!(Moment::read(text), None, "{text}");
        }
    }

    #[test]
    fn times_of_day_have_one_spelling() {
        for text in ["10:30", "10:30:00", "10:30:00Z", "10:30:00.000Z", "10:30:00.0", " 10:30:00.000 "] {
            assert_eq!(time_of_day(text).as_deref(), Some("10:30:00.000Z"), "{text}");
        }
        assert_eq!(time_of_day("23:59:59.999").as_deref(), Some("23:59:59.999Z"));
        for text in ["24:00", "10:60", "10", "1030", "10:30+02:00", "10:30:00.0001", "", "noon", "2026-01-31T10:30:00Z"] {
            assert_eq!(time_of_day(text), None, "{text}");
        }
    }
}
