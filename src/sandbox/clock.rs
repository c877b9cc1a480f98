//! The sandbox's own time: real time plus an offset that can be set and turned.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use jiff::Timestamp;
use tokio::sync::watch;

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;

/// A clock that goes on like the real one, from wherever it was set.
#[derive(Debug, Default)]
pub struct Clock {
    offset_ms: AtomicI64,
    /// Told of every turn.
    turns: watch::Sender<()>,
}

impl Clock {
    /// A clock that is `offset_ms` milliseconds ahead of the real one.
    pub fn with_offset(offset_ms: i64) -> Self {
        Self { offset_ms: AtomicI64::new(offset_ms), ..Self::default() }
    }

    /// Milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> i64 {
        real_ms() + self.offset_ms()
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        instant(self.now_ms())
    }

    /// Today, as days since the Unix epoch, UTC.
    pub fn today(&self) -> i64 {
        self.now_ms().div_euclid(DAY_MS)
    }

    /// Sets the time; it goes on from there.
    pub fn set_ms(&self, now_ms: i64) {
        self.offset_ms.store(now_ms - real_ms(), Ordering::Relaxed);
        self.turns.send_replace(());
    }

    /// Turns the clock by so many milliseconds, also back.
    pub fn advance_ms(&self, by_ms: i64) {
        self.offset_ms.fetch_add(by_ms, Ordering::Relaxed);
        self.turns.send_replace(());
    }

    /// Changes whenever the clock is set or turned from now on.
    pub fn turned(&self) -> watch::Receiver<()> {
        self.turns.subscribe()
    }

    /// How far ahead of the real clock it is.
    pub fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::Relaxed)
    }
}

/// The calendar day with this number since the Unix epoch.
pub fn date_of(day: i64) -> jiff::civil::Date {
    Timestamp::from_millisecond(day.saturating_mul(DAY_MS)).map_or(jiff::civil::Date::ZERO, |at| at.to_zoned(jiff::tz::TimeZone::UTC).date())
}

/// The instant at so many milliseconds since the Unix epoch.
pub fn instant(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// For telling how long something took.
pub(super) fn stopwatch() -> Instant {
    Instant::now()
}

fn real_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
