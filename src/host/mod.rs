//! The living process: what time it is, what is due, what changed on disk, and one loop over one closed list of events.

/// The only place that knows what time it is.
pub mod clock;
/// From configuration to connections.
pub mod connect;
/// What is due.
pub mod due;
/// Revisions that people go on under.
mod earlier;
/// Journeys in the living process.
pub mod journeys;
/// Scripts loaded beside those that run.
pub mod reload;
/// What lies in the scripts folder at one moment.
pub mod scan;
/// When a declaration runs next.
pub mod schedule;
/// The address and the key of the workspace's own server.
mod server;
/// Threads, state, connections and the sandbox, opened together.
mod session;
/// The sandbox of a workspace, one for all its commands.
pub mod shared;
/// Being asked to stop.
mod signals;
/// Hints that something in the scripts folder changed, and when it is quiet again.
pub mod watch;
/// A workspace: its folder, its configuration, its state file.
mod workspace;

/// Talking with a running host.
pub mod attach;
/// Objects and fields for completion.
pub mod catalogue;
/// What the REPL evaluates.
pub mod console;
/// What can go wrong, besides the work itself.
mod error;
/// One plain script, once.
pub mod exec;
/// A journey in virtual time.
pub mod simulate;
/// The workspace's own tests.
pub mod test;
/// One loop over one closed list of events.
pub mod up;

pub use earlier::Earlier;
pub use error::Error;
pub use reload::Loaded;
pub use session::Session;
pub use signals::{Signals, on_interrupt};
pub use workspace::{Workspace, runtime};
