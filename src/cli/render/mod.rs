//! The only place that prints. Results go to standard output, everything else to standard error; with `--json`, standard output is JSON only.

/// What went wrong, for people and as `{error: ..}`.
mod failure;
/// What the program says about itself.
mod logs;
/// The two streams: colours, pipes that close, JSON.
mod out;
/// Colours by meaning.
mod style;
/// Tables that fit the terminal.
mod table;
/// Numbers, times and cells as people read them.
mod words;

pub(crate) use failure::failure;
pub(crate) use logs::logs;
pub(crate) use out::{Color, Out};
pub(crate) use style::{ADD, BAD, BOLD, DIM, GOOD, WARN, paint};
pub(crate) use table::{Tint, plain, table, tinted};
pub(crate) use words::{count, many, seconds, time};
