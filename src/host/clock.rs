//! The only place that knows what time it is. Time travels from here as an argument; tests turn a clock by hand.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::sync::watch;

/// Where the host's time comes from. Cheap to clone; clones are one clock.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    Machine,
    Hand(Arc<watch::Sender<Timestamp>>),
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

    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::Machine => Timestamp::now(),
            Source::Hand(clock) => *clock.borrow(),
        }
    }

    /// Sets a clock that is turned by hand; the machine's is left alone.
    pub fn set(&self, at: Timestamp) {
        if let Source::Hand(clock) = &self.0 {
            clock.send_replace(at);
        }
    }

    /// Returns once it is `at`, also when the machine slept or its clock was set meanwhile.
    pub async fn reach(&self, at: Timestamp) {
        match &self.0 {
            Source::Machine => {
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

/// A reading of a stopwatch: for measuring, never for telling the time.
pub fn stopwatch() -> Instant {
    Instant::now()
}

/// What time it is by the machine's clock: for those who are handed a function.
pub fn now() -> Timestamp {
    Timestamp::now()
}
