//! The only place that knows what time it is. Time travels from here as an argument; tests turn a clock by hand.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Span, Timestamp, civil::DateTime, tz::TimeZone};
use tokio::sync::watch;

/// Where the host's time comes from. Cheap to clone; clones are one clock.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    Machine,
    Hand(Arc<watch::Sender<Timestamp>>),
    /// The machine's, set forward or back by so many milliseconds.
    Set(Arc<AtomicI64>),
}

/// How long the machine's clock is trusted not to be set or suspended while somebody sleeps by it.
const NAP: Duration = Duration::from_secs(30);

impl Clock {
    /// The machine's clock.
    pub const fn machine() -> Self {
        Self(Source::Machine)
    }

    /// A clock that stands still until it is turned.
    pub fn by_hand(at: Timestamp) -> Self {
        Self(Source::Hand(Arc::new(watch::Sender::new(at))))
    }

    /// A clock that goes like the machine's and can be set.
    pub fn settable() -> Self {
        Self(Source::Set(Arc::default()))
    }

    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::Machine => Timestamp::now(),
            Source::Hand(clock) => *clock.borrow(),
            Source::Set(by) => {
                let now = Timestamp::now();
                now.checked_add(SignedDuration::from_millis(by.load(Ordering::Relaxed))).unwrap_or(now)
            }
        }
    }

    /// Sets a clock that is turned by hand, or can be set; the machine's is left alone.
    pub fn set(&self, at: Timestamp) {
        match &self.0 {
            Source::Machine => (),
            Source::Hand(clock) => drop(clock.send_replace(at)),
            Source::Set(by) => by.store(at.as_millisecond() - Timestamp::now().as_millisecond(), Ordering::Relaxed),
        }
    }

    /// Returns once it is `at`, also when the machine slept or its clock was set meanwhile.
    pub async fn reach(&self, at: Timestamp) {
        match &self.0 {
            Source::Machine | Source::Set(_) => {
                while let Some(left) = until(self.now(), at) {
                    tokio::time::sleep(left.min(NAP)).await;
                }
            }
            Source::Hand(clock) => {
                // The sender lives in `self`: the wait cannot end for want of one.
                let _ = clock.subscribe().wait_for(|now| *now >= at).await;
            }
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

/// What is left until `at`; nothing once it has come.
fn until(now: Timestamp, at: Timestamp) -> Option<Duration> {
    Duration::try_from(at.duration_since(now)).ok().filter(|left| !left.is_zero())
}

/// A moment as people write it: an instant, a day or a time in the zone, or `+3d` from now.
pub fn moment(written: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    if let Some(later) = written.strip_prefix('+') {
        let span: Span = later.trim().parse().ok()?;
        return Some(now.to_zoned(zone.clone()).checked_add(span).ok()?.timestamp());
    }
    if let Ok(at) = written.parse() {
        return Some(at);
    }
    let local: DateTime = written.parse().ok()?;
    Some(local.to_zoned(zone.clone()).ok()?.timestamp())
}

/// A reading of a stopwatch: for measuring, never for telling the time.
pub fn stopwatch() -> Instant {
    Instant::now()
}

/// What time it is by the machine's clock: for those who are handed a function.
pub fn now() -> Timestamp {
    Timestamp::now()
}
