//! `tabi repl`: expressions evaluated one after the other, from the command line, from a pipe, or typed.

/// From the command line, or line by line from a pipe.
mod batch;
/// Who evaluates.
mod partner;
/// What an evaluation came to, shown.
mod shown;
/// At a terminal.
mod talk;

use std::io::IsTerminal as _;

use clap::Args;

use crate::host::clock::Clock;

use super::{Context, Exit, Failure};

use partner::Partner;
use shown::Planned;

#[derive(Debug, Args)]
pub(crate) struct Repl {
    /// Evaluate this and print its value; may be given several times, all in one conversation.
    #[arg(short, long, value_name = "EXPR")]
    evaluate: Vec<String>,
    /// Writes are done, not only shown.
    #[arg(long)]
    live: bool,
    /// Talk with the running host of this workspace: evaluate within it, on its state and the scripts that it runs.
    #[arg(long)]
    attach: bool,
}

/// Evaluates what is given, or talks.
pub(crate) fn repl(args: &Repl, cx: &Context) -> Result<Exit, Failure> {
    let mut workspace = cx.workspace()?;
    workspace.clock = Clock::settable();
    let planned = Planned::default();
    let mut partner = if args.attach { Partner::there(&workspace, &planned, cx)? } else { Partner::here(&workspace, &planned) };
    if args.evaluate.is_empty() && std::io::stdin().is_terminal() && !cx.out.is_json() {
        return talk::talk(partner, args.live, &workspace, &planned, cx);
    }
    let ended = match args.evaluate.as_slice() {
        [] => batch::piped(&mut partner, args.live, &planned, cx),
        inputs => batch::given(inputs, &mut partner, args.live, &planned, cx),
    };
    partner.close();
    ended
}
