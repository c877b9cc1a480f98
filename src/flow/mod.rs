//! Doing the work that scripts declare: read, transform, compare, write only differences. One path for planning and running.

/// Rows of a rule folded into one per group.
mod aggregate;
/// Two versions of a declaration over a sample of what it read.
pub mod backtest;
/// What a cell gives for one row.
mod cell;
/// Where an incremental run begins, and where the next one will.
mod cursor;
/// Why a piece of work stopped.
mod error;
/// `pendo::salesforce_integration(..)`: push and pull.
mod integration;
/// `journey(..)`.
pub mod journey;
/// Rows compared with what a target holds, and the differences written.
mod load;
/// `mapping(..)`.
mod mapping;
/// Which stage comes before which.
mod order;
/// What a source row is called.
mod origin;
/// Whose a target record is, where two source records are one.
mod owners;
/// Pages of a source, read one ahead.
mod pages;
/// Who carries effects out: for real, or only on paper.
mod perform;
/// Records as JSON that keeps dates apart from text.
mod plain;
/// What a declaration asks its source for.
mod reading;
/// What systems answered to a plan, kept and given again.
pub mod recording;
/// Rejected rows told together.
mod rejections;
/// `rule(..)` and its actions.
mod rule;
/// Declarations in order, each with its lock, run record and summary.
mod run;
/// Keys that came in one run.
mod seen;
/// `pendo::segment(..)`.
mod segment;
/// Target fields found, typed, created where missing.
mod slots;
/// What a cursor stands on.
mod standing;
/// Sums without drift.
mod sum;
/// Where the window of a usage report ends.
mod window;
/// What one piece of work is given, counts and tells.
mod work;

pub use cell::transform;
pub use error::Error;
pub use order::{Part, Stage, order};
pub use perform::{Counted, Live, Plan, Planned, Simulate, Wire};
pub use rejections::{EXAMPLES, Group, Groups};
pub use run::{Hands, Options, Sample, Status, Summary, run};
pub use work::{Notice, Notify, Rejection, Tally};
