//! `tabi repl`: expressions of the command line and of a pipe, and a person at a terminal.

/// Within a running host.
mod attached;
/// `-e` and pipes.
mod batch;
/// The conversation in the README.
mod readme;
/// A conversation as a test.
mod saving;
/// A terminal of our own, with the command in it.
pub(super) mod terminal;
/// A person who types.
mod typed;

/// Says `begun` and does not come to an end by itself: few steps that take long, so that no limit ends it.
const ENDLESS: &str = "let list = []; for n in 0..20000 { list.push(n) } print(\"begun\"); loop { list.reverse(); list.sort() }";
