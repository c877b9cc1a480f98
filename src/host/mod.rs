//! The living process: what time it is, what is due, what changed on disk, and one loop over one closed list of events.

/// People added to a journey by hand.
mod add;
/// What a save would make different, and the versions there were.
pub mod backtest;
/// One host for each workspace.
pub mod claim;
/// The only place that knows what time it is.
pub mod clock;
/// From configuration to connections.
pub mod connect;
/// What systems say of their objects.
pub mod describes;
/// What is due.
pub mod due;
/// Revisions that people go on under.
mod earlier;
/// Journeys in the living process.
pub mod journeys;
/// What is known before scripts are loaded.
pub mod known;
/// What is declared, as it stands.
pub mod listing;
/// What speaks against a journey before any system is asked.
mod objections;
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
/// What is old is forgotten.
mod sweep;
/// One's turn at what somebody else works on.
pub mod turn;
/// Earlier versions of declarations.
pub mod versions;
/// Hints that something in the scripts folder changed, and when it is quiet again.
pub mod watch;
/// A workspace: its folder, its configuration, its state file.
mod workspace;
/// A script as it is named at the REPL.
pub mod written;

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
/// Everything that is due, in order.
mod once;
/// What the systems answer to a plan, kept as a test.
pub mod record;
/// A journey in virtual time.
pub mod simulate;
/// The workspace's own tests.
pub mod test;
/// One loop over one closed list of events.
pub mod up;

pub use add::add as add_people;
pub use earlier::Earlier;
pub use error::Error;
pub use reload::{Loaded, Receipts};
pub use session::Session;
pub use signals::{Signals, on_interrupt};
pub use workspace::{Workspace, runtime};
