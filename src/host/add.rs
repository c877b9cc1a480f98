//! People added to a journey by hand or from a list, as the host would let them in. A host that is just at it is waited for.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    flow::{
        self, Notice, Notify,
        journey::{self, Added, Desk},
    },
    model::{Fault, FaultKind, Record, day::day_of},
    script::Body,
    store::{Holder, ProgramStatus, Store},
};

use super::{
    Earlier, Error, Loaded, Session, Workspace,
    journeys::{Look, running},
    turn::{Patience, turn, waits_for},
};

/// Adds people to an active journey, under the revision that runs; with `on_paper` only tells what would become of them.
///
/// # Errors
/// `Conflict` when the journey is not active or an edit holds it; when another process is at it; as `flow::journey::add`.
pub fn add(
    (workspace, session, loaded): (&Workspace, &Session, &Loaded),
    name: &str,
    people: Vec<Result<Record, String>>,
    on_paper: bool,
    notify: &Notify,
) -> Result<Vec<Added>, Error> {
    let store = &session.store;
    let refuse = |why: String| Error::Flow(flow::Error::Fault(Fault::new(FaultKind::Conflict, why)));
    if let Some(why) = closed(store, name)? {
        return Err(refuse(why));
    }
    let waits = |holder: &Holder| notify(Notice::Warning { name: name.to_owned(), message: waits_for(holder, name) });
    let _alone = turn((store, &workspace.clock, &session.stop), (name, "tabi journey add"), Patience::USUAL, waits)?;
    // It may be another one by now.
    if let Some(why) = closed(store, name)? {
        return Err(refuse(why));
    }
    let now = workspace.clock.now();
    let look = Look { workspace, store, loaded, busy: &BTreeSet::new(), now };
    let found = running(&look, &mut Earlier::default(), name)?;
    for message in found.remarks {
        notify(Notice::Warning { name: name.to_owned(), message });
    }
    let today = day_of(now, &workspace.config.timezone);
    let declaration = found.declarations.into_iter().next().map(|declaration| declaration.on(today));
    let Some((declaration, Body::Journey(one))) = declaration.as_ref().map(|declaration| (declaration, &declaration.body)) else {
        return Err(refuse(format!("`{name}` stands still because of an edit: `tabi journey publish {name} --accept` takes it up")));
    };
    let options = workspace.run_options();
    let desk = Desk { store, perform: Arc::new(session.wire.clone()), options: &options, notify, stop: &session.stop, now, objections: &[] };
    Ok(journey::add(&desk, declaration, one, people, on_paper)?)
}

/// Why nobody can enter a journey.
fn closed(store: &Store, name: &str) -> Result<Option<String>, Error> {
    let status = store.program(name)?.map_or(ProgramStatus::Draft, |program| program.status);
    let next = match status {
        ProgramStatus::Active => return Ok(None),
        ProgramStatus::Paused => "resume",
        ProgramStatus::Draft | ProgramStatus::Scheduled | ProgramStatus::Stopped => "publish",
    };
    Ok(Some(format!("`{name}` is {}: nobody can enter it; `tabi journey {next} {name}` first", status.word())))
}
