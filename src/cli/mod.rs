//! The command line: one file per command; `render` is the only place that prints.

/// The command line as it is written.
mod args;
/// Exit codes, and what a command says when it did not do its work.
#[allow(dead_code, reason = "used by the commands that follow")]
mod exit;
/// The only place that prints.
#[allow(dead_code, unused_imports, reason = "used by the commands that follow")]
mod render;
/// From the command line to the command, and back to an exit code.
mod run_command;

/// `tabi completions`.
mod completions;
/// `tabi history`.
mod history;
/// `tabi init`.
mod init;
/// `tabi sandbox`.
mod sandbox;
/// `tabi show`.
mod show;

pub use run_command::main;

use exit::{Exit, Failure};
use run_command::Context;
