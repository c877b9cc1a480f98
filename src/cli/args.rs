//! The command line as it is written.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::{
    backtest, check, completions, definitions, docs, exec, explain, history, hooks, init, journey, list, plan, record, render::Color, repl, run,
    sandbox, show, simulate, test, up,
};

/// Customer-success automation by scripts: Salesforce, Pendo and Gainsight kept in agreement.
#[derive(Debug, Parser)]
#[command(name = "tabi", version, propagate_version = true, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done, 1 something failed, 2 usage or configuration, 3 a script has errors, 4 a system refused or is away, 130 interrupted."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// The workspace [default: the nearest folder upward with a tabi.toml, else this one].
    #[arg(long, global = true, value_name = "DIR", help_heading = "Everywhere")]
    pub(crate) workspace: Option<PathBuf>,
    /// Every system is the sandbox, whatever tabi.toml connects.
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(crate) sandbox: bool,
    /// JSON on standard output, and nothing else there.
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(crate) json: bool,
    /// Colours.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = "Everywhere")]
    pub(crate) color: Color,
    /// More of what happens, on standard error; twice for even more.
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Everywhere")]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a workspace with one working example of each kind.
    Init(init::Init),
    /// Find everything that is wrong with the scripts.
    Check(check::Check),
    /// List what is declared, when it runs next, and how it last ran.
    List(list::List),
    /// Show what a run would change, field by field. Nothing is written.
    Plan(plan::Plan),
    /// Run mappings, rules and segments now, in dependency order.
    Run(run::Run),
    /// Journeys: list them, show their flow.
    Journey(journey::Journey),
    /// Play a journey in virtual time: who comes where, what goes out when, what is likely to be a mistake.
    Simulate(simulate::Simulate),
    /// Run a plain automation script once, top to bottom.
    Exec(exec::Exec),
    /// Show what the present version of a declaration would make different from an earlier one.
    Backtest(backtest::BacktestArgs),
    /// Try things: evaluate rhai line by line with the same primitives as scripts.
    Repl(repl::Repl),
    /// The host: watch the scripts, reload them, keep their schedules.
    Up(up::Up),
    /// List what ran, when, and how it ended.
    History(history::History),
    /// Show one run, with the rows it could not write.
    Show(show::Show),
    /// Run the workspace's tests, each on a sandbox of its own.
    Test(test::Test),
    /// Keep what the systems answer to a plan as a test that asks them no more.
    Record(record::Record),
    /// The addresses to enter where Pendo, PX and the mail provider send web hooks, and that of the dashboard.
    Hooks(hooks::Hooks),
    /// The emulated systems alone, until they are asked to stop.
    Sandbox(sandbox::Sandbox),
    /// The reference of every function with its examples, and the guide; as one HTML page, too.
    Docs(docs::Docs),
    /// Explain a diagnostic code: what triggers it, and the same mended.
    Explain(explain::Explain),
    /// Write the script API as `.d.rhai` files, for editors.
    Definitions(definitions::Definitions),
    /// Print a script that completes commands and names in a shell.
    Completions(completions::Completions),
}
