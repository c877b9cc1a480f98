//! `tabi repl`: expressions of the command line and of a pipe, and a person at a terminal.

/// `-e` and pipes.
mod batch;
/// The conversation in the README.
mod readme;
/// A terminal of our own, with the command in it.
pub(super) mod terminal;
/// A person who types.
mod typed;
