//! The living process: what time it is, what is due, what changed on disk, and one loop over one closed list of events.

/// The only place that knows what time it is.
pub mod clock;
/// When a declaration runs next.
pub mod schedule;
