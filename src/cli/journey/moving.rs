//! `tabi journey move NAME --from STEP --to STEP`: people who are parked, or stand at the wrong step, go on elsewhere.

use clap::Args;
use serde_json::json;

use crate::{
    cli::{
        Context, Exit, Failure,
        render::{GOOD, WARN, many, paint},
    },
    connectors::Stop,
    flow::{Error, journey::move_people},
    host::turn::{Patience, turn, waits_for},
    model::FaultKind,
    store::Holder,
};

#[derive(Debug, Args)]
pub(crate) struct Move {
    /// The journey's name.
    #[arg(add = super::names())]
    name: String,
    /// The step where they stand or are parked.
    #[arg(long, value_name = "STEP")]
    from: String,
    /// The step of the flow that runs where they arrive now.
    #[arg(long, value_name = "STEP")]
    to: String,
}

/// Moves them; the next host that runs takes them on from there.
pub(super) fn go(args: &Move, cx: &Context) -> Result<Exit, Failure> {
    let workspace = cx.workspace()?;
    let store = workspace.store()?;
    let waits = |holder: &Holder| cx.out.note(format!("{} {}", paint(WARN, "warning:"), waits_for(holder, &args.name)));
    let _alone = turn((&store, &workspace.clock, &Stop::new()), (&args.name, "tabi journey move"), Patience::USUAL, waits)?;
    let now = workspace.clock.now();
    let moved = match move_people(&store, &args.name, &args.from, &args.to, now) {
        Ok(moved) => moved,
        Err(Error::Fault(fault)) if fault.kind == FaultKind::Conflict => return Err(Failure::new(Exit::Usage, "wrong_state", fault.message)),
        Err(Error::Fault(fault)) => return Err(Failure::usage(fault.message)),
        Err(error) => return Err(crate::host::Error::from(error).into()),
    };
    cx.out.json(&json!({"name": args.name, "from": args.from, "to": args.to, "moved": moved}));
    let people = if moved == 1 { "1 person".to_owned() } else { many(moved, "person").replace("persons", "people") };
    cx.out.line(format!("{} {people} from \"{}\" to \"{}\"", paint(GOOD, "Moved"), args.from, args.to));
    Ok(Exit::Done)
}
