//! `tabi completions SHELL`: a script for the shell, which asks `tabi` itself what fits, names of declarations included.

use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, env::Shells};

use super::{Context, Exit, Failure, args::Cli};

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// bash, zsh, fish, elvish or powershell.
    shell: Shell,
}

/// Prints the script.
pub(crate) fn completions(args: &Completions, cx: &Context) -> Result<Exit, Failure> {
    let name = args.shell.to_string();
    let shells = Shells::builtins();
    let shell = shells.completer(&name).ok_or_else(|| Failure::usage(format!("no completions for {name}")))?;
    let mut script = Vec::new();
    shell.write_registration("COMPLETE", "tabi", "tabi", "tabi", &mut script).map_err(|error| Failure::new(Exit::Failed, "io", error.to_string()))?;
    cx.out.line(String::from_utf8_lossy(&script).trim_end());
    Ok(Exit::Done)
}

/// Answers the shell when it asks; otherwise returns at once.
pub(crate) fn answer_shell() {
    clap_complete::CompleteEnv::with_factory(Cli::command).complete();
}
