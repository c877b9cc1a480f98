//! The typed side of the REPL: a line editor that knows scripts, and the commands that begin with a colon. It neither evaluates nor prints.

/// `:help` and the others.
mod command;
/// Lines of a terminal.
mod editor;
/// Colours of what is typed.
mod highlight;
/// The terminal between two inputs.
mod quiet;

pub use command::{COMMANDS, Command, parse};
pub use editor::{Editor, Line, Suggest};
pub use quiet::Quiet;
