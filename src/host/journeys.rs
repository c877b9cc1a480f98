//! Journeys in the living process: which of them run, and what the others wait for.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    connectors::Stop,
    flow::{
        self, Notify,
        journey::{self, Desk, Edit, Mailer, Published, Rendered},
    },
    model::{Fault, FaultKind, Record, Timestamp},
    script::{Body, Declaration, Diagnostic, Filled, Generation, Journey, Templates},
    store::{Begin, Finish, Program, ProgramStatus, Status, Store, Take},
};

use super::{
    Earlier, Error, Loaded, Session, Workspace,
    objections::{errors_of, objections},
};

/// Declarations that can run, and what is to be said about journeys that cannot as they stand.
#[derive(Debug, Default)]
pub struct Runnable {
    pub declarations: Vec<Arc<Declaration>>,
    /// Of journeys that go on under an earlier revision: its own templates, with links like all others.
    pub mailers: BTreeMap<String, Mailer>,
    /// Edits taken up, edits that wait, journeys that stand still.
    pub remarks: Vec<String>,
}

impl Runnable {
    /// A journey goes on as it was.
    fn go_on(&mut self, generation: &Generation, name: &str, workspace: &Workspace) -> bool {
        let Some(declaration) = generation.declaration(name) else { return false };
        self.declarations.push(Arc::clone(declaration));
        // A key of links that cannot be had is told where the other mails are made.
        let links = workspace.links().ok().flatten();
        self.mailers.insert(name.to_owned(), mailer_of(generation.templates()).linked(links));
        true
    }
}

/// What is looked at.
pub struct Look<'a> {
    pub workspace: &'a Workspace,
    pub store: &'a Store,
    pub loaded: &'a Loaded,
    /// Names at work: their edits are taken up when they have come to an end.
    pub busy: &'a BTreeSet<String>,
    pub now: Timestamp,
}

/// Everything but journeys that are not active. One whose edit waits for a yes, or whose file has errors since the host began, goes on under
/// its last accepted revision.
pub fn runnable(look: &Look<'_>, earlier: &mut Earlier) -> Result<Runnable, Error> {
    let mut found = Runnable::default();
    for declaration in look.loaded.declarations() {
        let Body::Journey(one) = &declaration.body else {
            found.declarations.push(Arc::clone(declaration));
            continue;
        };
        let Some(program) = look.store.program(&declaration.name)?.filter(|program| program.status == ProgramStatus::Active) else { continue };
        if look.busy.contains(&declaration.name) {
            found.remarks.extend(earlier.waits(declaration, look.now).map(|(said, _)| said.to_owned()));
            found.declarations.push(Arc::clone(declaration));
            continue;
        }
        take_up(look, earlier, &mut found, (declaration, one), &program)?;
    }
    for program in undeclared(look)? {
        let name = &program.name;
        let broken = earlier.generation(look.workspace, look.store, &program)?.filter(|kept| has_errors(look.loaded, kept, name));
        match broken {
            Some(kept) if found.go_on(&kept, name, look.workspace) => found.remarks.push(format!(
                "journey `{name}`: its file has errors; it goes on as revision {}, from the texts that were kept with it",
                program.revision
            )),
            _ => found.remarks.push(format!(
                "journey `{name}` is active and no file declares it: its people wait for it to come back. `tabi journey stop {name}` ends it"
            )),
        }
    }
    Ok(found)
}

/// One active journey as it runs: as it lies on disk, or under the revision before where an edit waits. Nothing where it stands still.
pub(super) fn running(look: &Look<'_>, earlier: &mut Earlier, name: &str) -> Result<Runnable, Error> {
    let mut found = Runnable::default();
    let declared = look.loaded.declarations().iter().find(|declaration| declaration.name == name);
    let program = look.store.program(name)?.filter(|program| program.status == ProgramStatus::Active);
    if let (Some(declaration), Some(program)) = (declared, program)
        && let Body::Journey(one) = &declaration.body
    {
        take_up(look, earlier, &mut found, (declaration, one), &program)?;
    }
    Ok(found)
}

fn take_up(
    look: &Look<'_>,
    earlier: &mut Earlier,
    found: &mut Runnable,
    (declaration, one): (&Arc<Declaration>, &Journey),
    program: &Program,
) -> Result<(), Error> {
    let name = &declaration.name;
    if earlier.waits(declaration, look.now).is_none_or(|(_, lately)| !lately) {
        match edit(look, (declaration, one), program)? {
            Edit::None => {
                found.declarations.push(Arc::clone(declaration));
                return Ok(());
            }
            Edit::Applied(plan) => {
                found.remarks.push(format!("{plan}\n  taken up: it goes on as revision {}, and everybody keeps their place", plan.to));
                found.declarations.push(Arc::clone(declaration));
                return Ok(());
            }
            Edit::Held(plan) => {
                let goes_on = earlier.generation(look.workspace, look.store, program)?.is_some();
                let meanwhile =
                    if goes_on { format!("goes on as revision {} until then", program.revision) } else { "stands still until then".to_owned() };
                let next = match plan.errors.as_slice() {
                    [] => format!("`tabi journey publish {name} --accept` takes it up"),
                    _ => "what is wrong with it has to be mended first".to_owned(),
                };
                earlier.note(declaration, format!("{plan}\n  the edit waits: {next}; the journey {meanwhile}"), look.now);
            }
        }
    }
    found.remarks.extend(earlier.waits(declaration, look.now).map(|(said, _)| said.to_owned()));
    if let Some(kept) = earlier.generation(look.workspace, look.store, program)? {
        found.go_on(&kept, name, look.workspace);
    }
    Ok(())
}

/// Takes an edit up unless somebody has to say yes, or `check` calls something in it an error.
fn edit(look: &Look<'_>, (declaration, one): (&Declaration, &Journey), program: &Program) -> Result<Edit, Error> {
    let zone = &look.workspace.config.timezone;
    if program.hash != declaration.sources.hash() {
        let errors = errors_of(look.loaded, look.store, declaration);
        if !errors.is_empty()
            && let Some(plan) = journey::plan_edit(look.store, program, declaration, one, &[], (zone, look.now))?
        {
            return Ok(Edit::Held(Box::new(plan.with_errors(errors))));
        }
    }
    Ok(journey::take_edit(look.store, program, declaration, one, zone, look.now)?)
}

/// Active programs that nothing declares at the moment.
fn undeclared(look: &Look<'_>) -> Result<Vec<Program>, Error> {
    let names: BTreeSet<&str> = look.loaded.declarations().iter().map(|declaration| declaration.name.as_str()).collect();
    let active = look.store.programs()?.into_iter().filter(|program| program.status == ProgramStatus::Active);
    Ok(active.filter(|program| !names.contains(program.name.as_str())).collect())
}

/// Whether the file that declared a journey is there and has errors, rather than being gone or not declaring it any more.
fn has_errors(loaded: &Loaded, kept: &Generation, name: &str) -> bool {
    let file = kept.declaration(name).map(|declaration| declaration.place.file.as_str());
    loaded.generation.files().iter().any(|present| Some(present.name.as_str()) == file && !present.sound)
}

/// Fills in the templates of what is loaded.
pub fn mailer(loaded: &Loaded) -> Mailer {
    mailer_of(loaded.templates())
}

/// The same for mails that go to nobody: whether they can be filled in is all that is asked. HTML gets no plain text made of it.
pub fn unread_mailer(loaded: &Loaded) -> Mailer {
    filled_by(loaded.templates(), Templates::fill).unread()
}

fn mailer_of(templates: &Arc<Templates>) -> Mailer {
    filled_by(templates, |templates, name, data| {
        let filled = templates.render(name, data)?;
        Ok(Filled { subject: filled.subject, text: Some(filled.text), html: filled.html })
    })
}

fn filled_by(templates: &Arc<Templates>, fill: fn(&Templates, &str, &Record) -> Result<Filled, Box<Diagnostic>>) -> Mailer {
    let (filling, looking) = (Arc::clone(templates), Arc::clone(templates));
    Mailer::new(
        move |name, data| {
            let invalid = |message: String| Fault::new(FaultKind::Invalid, message);
            let filled = fill(&filling, name, data).map_err(|d| invalid(format!("{}:{}: {}", d.file, d.line, d.message)))?;
            let subject = filled.subject.ok_or_else(|| invalid(format!("the template `{name}` does not begin with `Subject: ...`")))?;
            Ok(Rendered { subject, text: filled.text, html: filled.html })
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
    /// What the declaration is part of.
    pub loaded: &'a Loaded,
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
    publish_moving((workspace, session, loaded), declaration, at, &[], notify)
}

/// The same, with steps that got another name: old and new.
pub fn publish_moving(
    (workspace, session, loaded): (&Workspace, &Session, &Loaded),
    declaration: &Declaration,
    at: Option<Timestamp>,
    moves: &[(String, String)],
    notify: &Notify,
) -> Result<Published, Error> {
    let hands = Publishing {
        mailer: linked_mailer(workspace, loaded)?,
        workspace,
        store: &session.store,
        wire: &session.wire,
        stop: &session.stop,
        notify,
        loaded,
    };
    publish_in(&hands, declaration, at, moves)
}

/// Publishes a journey, now or at a set time; what it does outside is journaled as a run of its own.
pub fn publish_with(hands: &Publishing<'_>, declaration: &Declaration, at: Option<Timestamp>) -> Result<Published, Error> {
    publish_in(hands, declaration, at, &[])
}

/// Nobody moves meanwhile: a host that is just at it is not disturbed.
fn publish_in(hands: &Publishing<'_>, declaration: &Declaration, at: Option<Timestamp>, moves: &[(String, String)]) -> Result<Published, Error> {
    let Body::Journey(one) = &declaration.body else { return Err(Error::NoJourney { name: declaration.name.clone() }) };
    let (store, now) = (hands.store, hands.workspace.clock.now());
    let options = flow::Options { mailer: hands.mailer.clone(), ..hands.workspace.run_options() };
    let _alone = match store.take(&declaration.name, "tabi journey publish", now)? {
        Take::Got(lease) => lease,
        Take::Held(holder) => return Err(Error::Busy { name: declaration.name.clone(), owner: holder.owner, process: holder.pid }),
    };
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
    let objections = objections((hands.workspace, hands.loaded), (store, &*perform), declaration, &hands.mailer);
    let desk = Desk { store, perform, options: &options, notify: hands.notify, stop: hands.stop, now, objections: &objections };
    let published = journey::publish_moving(&desk, declaration, one, at, moves);
    let (status, message) = match &published {
        Ok(Published::Draft(reasons) | Published::Kept(reasons)) => (Status::Failed, Some(reasons.join("; "))),
        Err(error) => (Status::Failed, Some(error.to_string())),
        Ok(_) => (Status::Ok, None),
    };
    store.finish(&run, &Finish { message, ..Finish::new(status, hands.workspace.clock.now()) })?;
    Ok(published?)
}
