//! The only place that prints. Results go to standard output, everything else to standard error; with `--json`, standard output is JSON only.

/// What another version would make different.
mod backtest;
/// What a plan would change, and how a run went.
mod changes;
/// What a script author is told.
mod diagnostics;
/// What went wrong, for people and as `{error: ..}`.
mod failure;
/// What the program says about itself.
mod logs;
/// The two streams: colours, pipes that close, JSON.
mod out;
/// How far long work is.
mod progress;
/// What came of a simulation.
mod simulated;
/// Colours by meaning.
mod style;
/// Tables that fit the terminal.
mod table;
/// Values of scripts as people read them.
mod value;
/// Numbers, times and cells as people read them.
mod words;

pub(crate) use backtest::{backtest, backtest_documents};
pub(crate) use changes::{Teller, examples, told};
pub(crate) use diagnostics::{diagnostic, diagnostics};
pub(crate) use failure::failure;
pub(crate) use logs::logs;
pub(crate) use out::{Color, Out};
use progress::Progress;
pub(crate) use simulated::{VirtualTime, simulated};
pub(crate) use style::{ADD, BAD, BOLD, CHANGE, DIM, GOOD, REMOVE, WARN, paint};
pub(crate) use table::{Tint, plain, table, tinted};
pub(crate) use value::{Fold, value};
pub(crate) use words::{ago, cell, closest, count, many, seconds, time};
