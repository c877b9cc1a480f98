//! Recordings: what the systems answered to one plan, kept in a file that can be read, and the same answers given again without any system.
//! A recording is part of the workspace: whoever it names is pseudonymous in it, and secrets are not in it.
//!
//! Deliberately absent: writes. What is recorded is a plan, which asks for none.

/// What is asked and answered, written down.
mod recorder;
/// The same answers again.
mod replay;
/// A recording as a file.
mod tape;

pub use recorder::Recorder;
pub use replay::Replay;
pub use tape::Recording;
