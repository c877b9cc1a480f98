//! `tabi journey pause`, `resume` and `stop`.

use clap::Args;
use serde_json::json;

use crate::{
    cli::{
        Context, Exit, Failure,
        render::{GOOD, paint},
    },
    flow::journey::operate as change,
    store::ProgramStatus,
};

#[derive(Debug, Args)]
pub(crate) struct Name {
    /// The journey's name.
    #[arg(add = super::names())]
    name: String,
}

/// Brings a program into another state.
pub(super) fn operate(args: &Name, wanted: ProgramStatus, cx: &Context) -> Result<Exit, Failure> {
    let workspace = cx.workspace()?;
    let store = workspace.store()?;
    if store.program(&args.name)?.is_none() {
        super::named(&workspace, &args.name, cx)?;
    }
    let program = match change(&store, &args.name, wanted, workspace.clock.now()) {
        Ok(program) => program,
        Err(crate::flow::Error::Fault(fault)) => return Err(Failure::new(Exit::Usage, "wrong_state", fault.message)),
        Err(error) => return Err(crate::host::Error::from(error).into()),
    };
    cx.out.json(&json!({"name": program.name, "status": program.status.word(), "revision": program.revision}));
    cx.out.line(format!("{} is {}", program.name, paint(GOOD, program.status.word())));
    Ok(Exit::Done)
}
