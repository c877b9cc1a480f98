//! Tests of a workspace: found, run in parallel, each on a sandbox, a state and a clock of its own.

/// What a test asks, answered: clock, sandbox, and the way to the rest.
mod bench;
/// Declarations in tests: run, planned, applied to one row.
mod declared;
/// Test files on disk.
mod find;
/// Journeys in tests.
mod people;
/// Values that are kept beside the tests.
mod snapshots;
/// The systems and the state of one test, opened when they are first needed.
mod stage;
/// All tests, run.
mod suite;
/// Waiting for the next edit.
mod watching;

pub use find::find;
pub use suite::{Ended, Outcome, Report, Suite, Wanted, load, run};
pub use watching::Watching;
