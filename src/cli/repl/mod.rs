//! `tabi repl`: expressions evaluated one after the other, from the command line, from a pipe, or typed.

/// From the command line, or line by line from a pipe.
mod batch;
/// What an evaluation came to, shown.
mod shown;
/// At a terminal.
mod talk;

use std::io::IsTerminal as _;

use clap::Args;

use crate::host::console::{Console, Reach};

use super::{Context, Exit, Failure};

use shown::Planned;

#[derive(Debug, Args)]
pub(crate) struct Repl {
    /// Evaluate this and print its value; may be given several times, all in one conversation.
    #[arg(short, long, value_name = "EXPR")]
    evaluate: Vec<String>,
    /// Writes are done, not only shown.
    #[arg(long)]
    live: bool,
}

/// Evaluates what is given, or talks.
pub(crate) fn repl(args: &Repl, cx: &Context) -> Result<Exit, Failure> {
    let workspace = cx.workspace()?;
    let planned = Planned::default();
    let mut console = Console::new(&workspace, Reach::later(&workspace), planned.notify());
    console.live = args.live;
    if args.evaluate.is_empty() && std::io::stdin().is_terminal() && !cx.out.is_json() {
        return talk::talk(console, &planned, cx);
    }
    let ended = match args.evaluate.as_slice() {
        [] => batch::piped(&mut console, &planned, cx),
        inputs => batch::given(inputs, &mut console, &planned, cx),
    };
    console.reach.close();
    ended
}
