//! The command line: one file per command; `render` is the only place that prints.

/// The command line as it is written.
mod args;
/// Exit codes, and what a command says when it did not do its work.
mod exit;
/// The only place that prints.
mod render;
/// From the command line to the command, and back to an exit code.
mod run_command;

/// `tabi backtest`.
mod backtest;
/// `tabi check`.
mod check;
/// `tabi completions`.
mod completions;
/// `tabi definitions`.
mod definitions;
/// `tabi docs`.
mod docs;
/// The reference as one HTML page.
mod docs_page;
/// `tabi exec`.
mod exec;
/// `tabi explain`.
mod explain;
/// `tabi check --fix`.
mod fix;
/// `tabi history`.
mod history;
/// `tabi hooks`.
mod hooks;
/// `tabi init`.
mod init;
/// `tabi journey`.
mod journey;
/// `tabi list`.
mod list;
/// `tabi plan`.
mod plan;
/// `tabi record`.
mod record;
/// `tabi repl`.
mod repl;
/// `tabi run`.
mod run;
/// `tabi sandbox`.
mod sandbox;
/// The server of `tabi up`.
mod server;
/// `tabi show`.
mod show;
/// `tabi simulate`.
mod simulate;
/// `tabi test`.
mod test;
/// `tabi up`.
mod up;
/// What `plan` and `run` share.
mod work;

pub use run_command::main;

use exit::{Exit, Failure};
use run_command::Context;
