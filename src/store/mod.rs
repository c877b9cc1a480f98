//! What is remembered between runs, in one database file: the only room with SQL. Times come in as arguments; there is no clock here.
//!
//! Deliberately absent: a query language, an async interface, anything about what a run means.

/// What was last written to a record.
mod applied;
/// How far each declaration has read.
mod cursor;
/// What can go wrong with the state file.
mod error;
/// What was written, noted before it was sent.
mod journal;
/// The scripts' own key-value store.
mod kv;
/// Who is alive: locks that vanish with their process.
mod lease;
/// When each declaration last ran, for its next time.
mod mark;
/// Opening, migrating and reaching the file.
mod open;
/// Forgetting what is old.
mod retention;
/// Rows that a run could not write, and why.
mod row_error;
/// Runs, from begin to finish.
mod run;
/// What the systems last said about their objects.
mod schema;

pub use applied::Applied;
pub use error::Error;
pub use journal::{Batch, BatchId, JournalRow, Outcome};
pub use lease::{Holder, Lease, Take};
pub use mark::Mark;
pub use open::Store;
pub use retention::{Retention, Swept};
pub use row_error::RowError;
pub use run::{Begin, Finish, Run, RunFilter, RunId, Status};
pub use schema::CachedSchema;
