//! Keeps below a system's own limits, so that they are not met.

use std::{num::NonZeroU32, time::Duration};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use crate::model::{Fault, FaultKind, System};

use crate::connectors::Stop;

/// Limits of one system; without any, nothing waits.
#[derive(Debug, Default)]
pub(in crate::connectors) struct Pace {
    minute: Option<DefaultDirectRateLimiter>,
    day: Option<DefaultDirectRateLimiter>,
}

impl Pace {
    /// A fifth of a minute's calls at once and the others spread over it: so no window of a minute, wherever the
    /// system's own begins, sees more than all of them.
    pub(in crate::connectors) fn new(per_minute: Option<u32>, per_day: Option<u32>) -> Self {
        let minute = per_minute.and_then(|calls| {
            let burst = NonZeroU32::new((calls / 5).max(1))?;
            let rest = calls.saturating_sub(burst.get()).max(1);
            Some(RateLimiter::direct(Quota::with_period(Duration::from_mins(1) / rest)?.allow_burst(burst)))
        });
        let day = per_day.and_then(|calls| {
            let quota = Quota::with_period(Duration::from_hours(24) / calls.max(1))?;
            Some(RateLimiter::direct(quota.allow_burst(NonZeroU32::new(calls)?)))
        });
        Self { minute, day }
    }

    pub(in crate::connectors) async fn wait(&self, system: System, stop: &Stop) -> Result<(), Fault> {
        if self.day.as_ref().is_some_and(|day| day.check().is_err()) {
            let message = "the day's allowance of calls is used up; raise it in `tabi.toml` if the tenant has more";
            return Err(Fault::from_system(system, FaultKind::LimitExceeded, message));
        }
        let Some(minute) = &self.minute else { return Ok(()) };
        stop.race(minute.until_ready()).await
    }
}
