//! The host without a loop: everything that is due, in order, and no more.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    flow::{
        self, Hands, Notify, Summary,
        journey::{Occasion, Published, wake},
    },
    script::{Declaration, Kind},
};

use super::{
    Earlier, Error, Loaded, Session, Workspace, due,
    journeys::{self, Look},
    sweep::sweep,
};

/// Runs everything that is due, in order, and returns what became of it.
pub fn once(
    workspace: &Workspace,
    session: &Session,
    loaded: &Loaded,
    notify: &Notify,
    mut each: impl FnMut(&Summary),
) -> Result<Vec<Summary>, Error> {
    let now = workspace.clock.now();
    for (name, message) in due::put_right(&session.store, now)? {
        notify(flow::Notice::Warning { name, message });
    }
    let marks = due::marks(&session.store)?;
    publish_scheduled(workspace, session, loaded, notify)?;
    let look = Look { workspace, store: &session.store, loaded, busy: &BTreeSet::new(), now };
    let runnable = journeys::runnable(&look, &mut Earlier::default())?;
    for message in runnable.remarks {
        notify(flow::Notice::Warning { name: "up".to_owned(), message });
    }
    let declarations = runnable.declarations.as_slice();
    let first_time = |d: &Declaration| !marks.contains_key(&d.name);
    let mut names: BTreeSet<String> = declarations.iter().filter(|d| first_time(d)).map(|d| d.name.clone()).collect();
    names.extend(due::due(declarations, &marks, &BTreeMap::new(), now, &workspace.config.timezone).now);
    let batch = due::with_followers(declarations, names);
    // Active journeys whose people need not be looked for yet: what happened is asked for, and whoever is due moves.
    let others = declarations.iter().filter(|d| d.kind() == Kind::Journey && batch.iter().all(|due| due.name != d.name)).cloned().collect();
    let mut summaries = Vec::new();
    for (batch, occasion) in [(batch, Occasion::People), (others, Occasion::Timer)] {
        let options = flow::Options {
            hands: Hands::Live,
            reason: "schedule".into(),
            owner: "tabi up --once".into(),
            occasion,
            mailer: journeys::linked_mailer(workspace, loaded)?,
            mailers: runnable.mailers.clone(),
            ..workspace.run_options()
        };
        summaries.extend(flow::run(&batch, &options, &session.wire, notify, &session.stop, |summary| each(summary)));
    }
    sweep(workspace, &session.store, now)?;
    Ok(summaries)
}

/// Publishes the journeys whose time has come (B10).
fn publish_scheduled(workspace: &Workspace, session: &Session, loaded: &Loaded, notify: &Notify) -> Result<(), Error> {
    for name in wake(&session.store, workspace.clock.now())?.publish {
        let Some(declaration) = loaded.declarations().iter().find(|declaration| declaration.name == name) else { continue };
        let message = match journeys::publish(workspace, session, loaded, declaration, None, notify)? {
            Published::Draft(reasons) => format!("could not be published and is a draft again: {}", reasons.join("; ")),
            _ => "is published".to_owned(),
        };
        notify(flow::Notice::Warning { name, message });
    }
    Ok(())
}
