//! The vendor's fixed windows of calls. They are told in a header always and enforced only when the settings say so.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// A family of calls with limits of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Window {
    /// Objects, people, calls to action, metadata.
    Synchronous,
    /// Bulk export.
    Bulk,
    Timeline,
    TimelineBulk,
    Users,
}

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

impl Window {
    /// Calls and the milliseconds they are counted over.
    const fn limits(self) -> &'static [(u64, i64)] {
        match self {
            Self::Synchronous => &[(100, MINUTE), (50_000, DAY)],
            Self::Bulk => &[(10, HOUR), (100, DAY)],
            Self::Timeline => &[(200, MINUTE)],
            Self::TimelineBulk => &[(12, HOUR)],
            Self::Users => &[(100, HOUR), (1_000, DAY)],
        }
    }

    /// `100;w=60, 50000;w=86400`.
    pub(super) fn header(self) -> String {
        self.limits().iter().map(|(calls, window)| format!("{calls};w={}", window / 1000)).collect::<Vec<_>>().join(", ")
    }

    /// The family a path belongs to.
    pub(super) fn of(path: &str) -> Self {
        if path.starts_with("/v3/exports") {
            Self::Bulk
        } else if path.starts_with("/v1/ant/es/activity/bulk") {
            Self::TimelineBulk
        } else if path.starts_with("/v1/ant") {
            Self::Timeline
        } else if path.starts_with("/v1/users/services") {
            Self::Users
        } else {
            Self::Synchronous
        }
    }
}

/// How many calls came in each window that is open.
#[derive(Debug, Default)]
pub(super) struct Counters(Mutex<HashMap<(Window, i64), (i64, u64)>>);

impl Counters {
    /// Counts a call; false when a window is full.
    pub(super) fn allow(&self, window: Window, now_ms: i64) -> bool {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut allowed = true;
        for (calls, length) in window.limits() {
            let (began, count) = counters.entry((window, *length)).or_default();
            let current = now_ms.div_euclid(*length);
            if *began != current {
                (*began, *count) = (current, 0);
            }
            *count += 1;
            allowed &= *count <= *calls;
        }
        allowed
    }
}
