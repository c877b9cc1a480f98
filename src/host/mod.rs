//! The living process: what time it is, what is due, what changed on disk, and one loop over one closed list of events.

/// The only place that knows what time it is.
pub mod clock;
/// What lies in the scripts folder at one moment.
pub mod scan;
/// When a declaration runs next.
pub mod schedule;
/// Hints that something in the scripts folder changed, and when it is quiet again.
pub mod watch;
/// A workspace: its folder, its configuration, its state file.
mod workspace;

pub use workspace::Workspace;
