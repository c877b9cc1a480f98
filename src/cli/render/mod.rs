//! The only place that prints. Results go to standard output, everything else to standard error; with `--json`, standard output is JSON only.

/// The two streams: colours, pipes that close, JSON.
mod out;
/// What went wrong, for people and as `{error: ..}`.
mod failure;
/// Colours by meaning.
mod style;
/// Tables that fit the terminal.
mod table;
/// Numbers, times and cells as people read them.
mod words;

pub(crate) use failure::failure;
pub(crate) use out::{Color, Out};
pub(crate) use style::{ADD, BAD, BOLD, CHANGE, DIM, GOOD, REMOVE, WARN, paint};
pub(crate) use table::table;
pub(crate) use words::{ago, cell, count, many, seconds, time};
