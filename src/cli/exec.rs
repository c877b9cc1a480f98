//! `tabi exec FILE [ARGS...]`: runs a plain automation script once, top to bottom.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;

use crate::{
    flow::Notify,
    host::{
        Session, Workspace,
        exec::{Exec as Given, exec as run},
    },
    model::{Fault, FaultKind, Value},
    script::{self, Diagnostic, PrintSink, RunError},
};

use super::{
    Context, Exit, Failure,
    exit::{Spot, exit_of},
    render::Teller,
};

#[derive(Debug, Args)]
pub(crate) struct Exec {
    /// The script.
    file: PathBuf,
    /// What the script sees as `args`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
    /// Show what it would change; nothing is written.
    #[arg(long)]
    plan: bool,
}

/// Runs the script.
pub(crate) fn exec(args: &Exec, cx: &Context) -> Result<Exit, Failure> {
    let workspace = cx.workspace()?;
    let file = inside(&args.file, &workspace)?;
    let session = Session::open(&workspace)?;
    session.stop_when_asked(|| std::process::exit(Exit::Interrupted as i32));
    let teller = Arc::new(Teller::new(&cx.out, args.plan, false));
    let plan = args.plan.then(|| {
        let teller = Arc::clone(&teller);
        Arc::new(move |notice| teller.notice(&notice)) as Notify
    });
    let given = Given { file: &file, arguments: args.args.clone(), print: print(cx), plan };
    let ended = run(&workspace, &session, given);
    teller.end();
    session.close();
    let value = ended?.map_err(|why| failure(&why, cx))?;
    if !args.plan {
        show(&value, cx);
    }
    Ok(Exit::Done)
}

/// The file as the workspace names it.
fn inside(file: &Path, workspace: &Workspace) -> Result<PathBuf, Failure> {
    let real = file.canonicalize().map_err(|error| Failure::usage(format!("`{}` cannot be read: {error}", file.display())))?;
    Ok(real.strip_prefix(&workspace.root).map(Path::to_owned).unwrap_or(real))
}

/// What the script prints belongs to its result, unless that is for programs.
fn print(cx: &Context) -> PrintSink {
    let out = cx.out.clone();
    Arc::new(move |line| if out.is_json() { out.note(line) } else { out.line(line) })
}

fn show(value: &Value, cx: &Context) {
    cx.out.json(value);
    match value {
        Value::Null => (),
        Value::List(_) | Value::Map(_) => cx.out.line(serde_json::to_string_pretty(value).unwrap_or_default()),
        other => cx.out.line(other),
    }
}

fn failure(why: &RunError, cx: &Context) -> Failure {
    match why {
        RunError::Unsound { diagnostics, text } => {
            for finding in diagnostics {
                cx.out.note(format!("{}\n", script::render(finding, |_| Some(text), cx.out.is_colored())));
            }
            let first = diagnostics.iter().find(|finding| finding.is_error());
            first.map_or_else(|| Failure::new(Exit::Scripts, "script", why.to_string()), unsound)
        }
        RunError::Failed(failed) => {
            let place = failed.place.as_ref().map(|at| Box::new(Spot { file: at.file.clone(), line: at.line as usize, column: at.column as usize }));
            let exit = if failed.fault.kind == FaultKind::Script { Exit::Failed } else { exit_of(&failed.fault) };
            let spot = |at: &script::Place| Spot { file: at.file.clone(), line: at.line as usize, column: at.column as usize };
            let stack = failed.stack.iter().map(|frame| (frame.function.clone(), spot(&frame.place))).collect();
            Failure { exit, place, stack, ..Failure::from(Fault::clone(&failed.fault)) }
        }
    }
}

fn unsound(finding: &Diagnostic) -> Failure {
    let place = Spot { file: finding.file.clone(), line: finding.line as usize, column: finding.column as usize };
    Failure {
        place: Some(Box::new(place)),
        hint: finding.hint.clone(),
        shown: true,
        ..Failure::new(Exit::Scripts, finding.code, finding.message.clone())
    }
}
