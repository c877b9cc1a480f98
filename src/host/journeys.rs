//! Journeys in the living process: which of them run, and what the others wait for.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    connectors::Stop,
    flow::{
        self, Notify,
        journey::{self, Desk, Edit, Mailer, Published, Rendered},
    },
    model::{Fault, FaultKind, Timestamp},
    script::{Body, Declaration},
    store::{Begin, Finish, ProgramStatus, Status, Store},
};

use super::{Error, Loaded, Session, Workspace};

/// Declarations that can run, and what is to be said about journeys that cannot.
#[derive(Debug, Default)]
pub struct Runnable {
    pub declarations: Vec<Arc<Declaration>>,
    /// Edits taken up, journeys that stand still.
    pub remarks: Vec<String>,
}

/// Everything but journeys that are not active or whose edit waits for a yes.
pub fn runnable(store: &Store, declarations: &[Arc<Declaration>], now: Timestamp) -> Result<Runnable, Error> {
    let mut found = Runnable::default();
    for declaration in declarations {
        let Body::Journey(one) = &declaration.body else {
            found.declarations.push(Arc::clone(declaration));
            continue;
        };
        let Some(program) = store.program(&declaration.name)?.filter(|program| program.status == ProgramStatus::Active) else { continue };
        let name = &declaration.name;
        match journey::take_edit(store, &program, declaration, one, now).map_err(Error::from)? {
            Edit::None => found.declarations.push(Arc::clone(declaration)),
            Edit::Applied(revision) => {
                found.remarks.push(format!("journey `{name}` goes on as revision {revision}; everybody keeps their place"));
                found.declarations.push(Arc::clone(declaration));
            }
            Edit::Held(reasons) => {
                let reasons = reasons.join("; ");
                found.remarks.push(format!("journey `{name}` stands still: {reasons}. `tabi journey publish {name} --accept` takes the edit up"));
            }
        }
    }
    Ok(found)
}

/// Names of journeys that are active but declared nowhere any more: their people wait.
pub fn orphans(store: &Store, declarations: &[Arc<Declaration>]) -> Result<Vec<String>, Error> {
    let names: BTreeSet<&str> = declarations.iter().map(|declaration| declaration.name.as_str()).collect();
    let active = store.programs()?.into_iter().filter(|program| program.status == ProgramStatus::Active);
    Ok(active.map(|program| program.name).filter(|name| !names.contains(name.as_str())).collect())
}

/// Fills in the templates of a generation.
pub fn mailer(loaded: &Loaded) -> Mailer {
    let (filling, looking) = (Arc::clone(loaded.templates()), Arc::clone(loaded.templates()));
    Mailer::new(
        move |name, data| {
            let invalid = |message: String| Fault::new(FaultKind::Invalid, message);
            let filled = filling.render(name, data).map_err(|d| invalid(format!("{}:{}: {}", d.file, d.line, d.message)))?;
            let subject = filled.subject.ok_or_else(|| invalid(format!("the template `{name}` does not begin with `Subject: ...`")))?;
            Ok(Rendered { subject, text: Some(filled.text), html: filled.html })
        },
        move |name| looking.names().contains(name),
    )
}

/// The same, with the links of the workspace's server.
///
/// # Errors
/// When the key of links cannot be had.
pub fn linked_mailer(workspace: &Workspace, loaded: &Loaded) -> Result<Mailer, Error> {
    Ok(mailer(loaded).linked(workspace.links()?))
}

/// What publishing is done with.
pub struct Publishing<'a> {
    pub mailer: Mailer,
    pub workspace: &'a Workspace,
    pub store: &'a Arc<Store>,
    pub wire: &'a flow::Wire,
    pub stop: &'a Stop,
    pub notify: &'a Notify,
}

/// Publishes a journey of an open workspace.
pub fn publish(
    workspace: &Workspace,
    session: &Session,
    loaded: &Loaded,
    declaration: &Declaration,
    at: Option<Timestamp>,
    notify: &Notify,
) -> Result<Published, Error> {
    let mailer = linked_mailer(workspace, loaded)?;
    publish_with(&Publishing { mailer, workspace, store: &session.store, wire: &session.wire, stop: &session.stop, notify }, declaration, at)
}

/// Publishes a journey, now or at a set time; what it does outside is journaled as a run of its own.
pub fn publish_with(hands: &Publishing<'_>, declaration: &Declaration, at: Option<Timestamp>) -> Result<Published, Error> {
    let Body::Journey(one) = &declaration.body else { return Err(Error::NoJourney { name: declaration.name.clone() }) };
    let (store, now) = (hands.store, hands.workspace.clock.now());
    let options = flow::Options { mailer: hands.mailer.clone(), ..hands.workspace.run_options() };
    let begin = Begin {
        name: &declaration.name,
        kind: declaration.kind().word(),
        hash: &declaration.hash,
        reason: "publish",
        parameters: &crate::model::Record::new(),
        at: now,
    };
    let run = store.begin(&begin)?;
    let perform = Arc::new(flow::Live::new(hands.wire.clone(), run.clone()));
    let desk = Desk { store, perform, options: &options, notify: hands.notify, stop: hands.stop, now };
    let published = journey::publish_program(&desk, declaration, one, at);
    let (status, message) = match &published {
        Ok(Published::Draft(reasons)) => (Status::Failed, Some(reasons.join("; "))),
        Err(error) => (Status::Failed, Some(error.to_string())),
        Ok(_) => (Status::Ok, None),
    };
    store.finish(&run, &Finish { message, ..Finish::new(status, hands.workspace.clock.now()) })?;
    Ok(published?)
}
