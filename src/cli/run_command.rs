//! From the command line to the command, and back to an exit code.

use std::process::ExitCode;

use clap::{Parser as _, error::ErrorKind};

use crate::host::{Workspace, clock::Clock};

use super::{
    Exit, Failure,
    args::{Cli, Command, Global},
    backtest, check, completions, definitions, docs, exec, explain, history, hooks, init, journey, list, plan, record,
    render::{Out, failure, logs},
    repl, run, sandbox, show, simulate, test, up,
};

/// What every command is given.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) out: Out,
    pub(super) global: Global,
}

impl Context {
    /// The workspace that the command is about.
    pub(super) fn workspace(&self) -> Result<Workspace, Failure> {
        Ok(Workspace::open(self.global.workspace.as_deref(), self.global.sandbox, Clock::machine())?)
    }
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    completions::answer_shell();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misread(&error).into(),
    };
    let out = Out::new(cli.global.json, cli.global.color);
    logs(cli.global.verbose, out.is_colored());
    let context = Context { out: out.clone(), global: cli.global };
    let exit = dispatch(&cli.command, &context).unwrap_or_else(|why| {
        failure(&out, &why);
        why.exit
    });
    out.flush();
    exit.into()
}

fn dispatch(command: &Command, context: &Context) -> Result<Exit, Failure> {
    match command {
        Command::Init(args) => init::init(args, context),
        Command::Check(args) => check::check(args, context),
        Command::List(_) => list::list(context),
        Command::Plan(args) => plan::plan(args, context),
        Command::Run(args) => run::run(args, context),
        Command::Journey(args) => journey::journey(args, context),
        Command::Simulate(args) => simulate::simulate(args, context),
        Command::Exec(args) => exec::exec(args, context),
        Command::Backtest(args) => backtest::backtest(args, context),
        Command::Repl(args) => repl::repl(args, context),
        Command::Up(args) => up::up(args, context),
        Command::History(args) => history::history(args, context),
        Command::Show(args) => show::show(args, context),
        Command::Test(args) => test::test(args, context),
        Command::Record(args) => record::record(args, context),
        Command::Hooks(_) => hooks::hooks(context),
        Command::Sandbox(args) => sandbox::sandbox(args, context),
        Command::Docs(args) => docs::docs(args, context),
        Command::Explain(args) => explain::explain(args, context),
        Command::Definitions(args) => definitions::definitions(args, context),
        Command::Completions(args) => completions::completions(args, context),
    }
}

/// Help and version are answers; anything else is a usage error, as JSON where JSON was asked for.
fn misread(error: &clap::Error) -> Exit {
    let answer = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let wants_json = std::env::args_os().any(|arg| arg == "--json");
    if answer || !wants_json {
        // Nobody is left to be told.
        let _ = error.print();
        return if answer { Exit::Done } else { Exit::Usage };
    }
    let text = error.to_string();
    // The message goes on in indented lines (the options that exclude it, say) up to the first empty one.
    let message = text.lines().take_while(|line| !line.trim().is_empty()).map(str::trim).collect::<Vec<_>>().join(" ");
    let message = message.trim_start_matches("error: ");
    let out = Out::new(true, super::render::Color::Never);
    failure(&out, &Failure::usage(message).hint("see `tabi --help`"));
    out.flush();
    Exit::Usage
}
