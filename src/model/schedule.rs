//! When a declaration runs by itself. Days and times of day are in the workspace's time zone.

use std::fmt;

use jiff::{
    SignedDuration,
    civil::{Time, Weekday},
};
use serde::{Deserialize, Serialize};

/// A schedule as a script declares it. `host/schedule` computes the next time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// `every: "24h"`.
    Every(SignedDuration),
    /// `daily: "03:00"`.
    Daily(Time),
    /// `weekly: "mon 03:00"`.
    Weekly(#[serde(with = "weekday")] Weekday, Time),
    /// `monthly: "1 03:00"`; a day past the month's end runs on its last day.
    Monthly(i8, Time),
    /// `cron: "0 3 * * 1-5"`, five fields.
    Cron(String),
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |time: &Time| time.strftime("%H:%M").to_string();
        match self {
            Self::Every(gap) => write!(f, "every {}", short_duration(*gap)),
            Self::Daily(at) => write!(f, "daily {}", clock(at)),
            Self::Weekly(day, at) => write!(f, "weekly {} {}", weekday::word(*day), clock(at)),
            Self::Monthly(day, at) => write!(f, "monthly {day} {}", clock(at)),
            Self::Cron(text) => write!(f, "cron {text}"),
        }
    }
}

/// `90061 s` as `25h1m1s`, whole hours as `24h`.
fn short_duration(gap: SignedDuration) -> String {
    let total = gap.as_secs();
    let parts = [(total / 3600, "h"), (total / 60 % 60, "m"), (total % 60, "s")];
    parts.iter().filter(|(n, _)| *n > 0).fold(String::new(), |text, (n, unit)| text + n.to_string().as_str() + *unit)
}

mod weekday {
    //! Weekdays as three-letter words.

    use jiff::civil::Weekday;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    const WORDS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

    pub(super) fn word(day: Weekday) -> &'static str {
        WORDS[usize::try_from(day.to_monday_zero_offset()).unwrap_or(0)]
    }

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's shape")]
    pub(super) fn serialize<S: Serializer>(day: &Weekday, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(word(*day))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Weekday, D::Error> {
        let text = String::deserialize(from)?;
        let at = WORDS.iter().position(|w| *w == text).ok_or_else(|| D::Error::custom("not a weekday"))?;
        Weekday::from_monday_zero_offset(i8::try_from(at).unwrap_or(0)).map_err(D::Error::custom)
    }
}
