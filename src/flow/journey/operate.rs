//! Operating a program: publish now or later, pause, resume, stop; people taken from one step to another.

use std::sync::Arc;

use crate::{
    connectors::Stop,
    flow::{
        Error, Notify, Options,
        work::{Tally, Work},
    },
    model::{Fault, FaultKind, Timestamp, day::day_of},
    script::{Declaration, Journey, Perform},
    store::{Program, ProgramStatus, Store},
};

use super::{
    edit::{plan_edit, revision, take_up},
    pass::Pass,
    publish::{Publication, publish},
    run::{Hands, pass},
};

/// What operating a program is done with.
pub struct Desk<'a> {
    pub store: &'a Store,
    pub perform: Arc<dyn Perform>,
    pub options: &'a Options,
    pub notify: &'a Notify,
    pub stop: &'a Stop,
    pub now: Timestamp,
    /// What speaks against publishing before any system is asked.
    pub objections: &'a [String],
}

impl Desk<'_> {
    /// A look at one of its programs.
    pub(super) fn pass<'d>(&'d self, declaration: &'d Declaration, journey: &'d Journey, revision: u32) -> Result<Pass<'d>, Error> {
        let (options, notify, stop) = (self.options, self.notify, self.stop);
        let work = Work {
            name: &declaration.name,
            place: &declaration.place,
            perform: &*self.perform,
            notify,
            stop,
            date: day_of(self.now, &options.zone),
            today: day_of(self.now, &options.zone),
            zone: &options.zone,
            page_size: options.page_size,
            rule_updates: options.rule_updates.as_ref(),
            tally: Tally::default(),
            on_sample: false,
            held: crate::flow::cursor::Held::default(),
            owners: None,
        };
        let hands = Hands { store: self.store, perform: Arc::clone(&self.perform), zone: &options.zone, mailer: &options.mailer };
        pass(&work, declaration, journey, hands, revision, self.now)
    }
}

/// What became of a publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// It is active.
    Active(Program),
    /// It will be published then; until then nothing is associated.
    Scheduled(Program),
    /// It is a draft, for these reasons (B10).
    Draft(Vec<String>),
    /// It goes on under the revision that runs: the edit could not be published, for these reasons.
    Kept(Vec<String>),
}

/// Publishes a journey now, or sets the time for it (B10).
///
/// # Errors
/// When the state file fails or the work is interrupted.
pub fn publish_program(desk: &Desk<'_>, declaration: &Declaration, journey: &Journey, at: Option<Timestamp>) -> Result<Published, Error> {
    publish_moving(desk, declaration, journey, at, &[])
}

/// The same, with steps that got another name: old and new. Whoever stands at the old one stands at the new one.
///
/// # Errors
/// `Invalid` for a step that is in neither flow; as `publish_program`.
pub fn publish_moving(
    desk: &Desk<'_>,
    declaration: &Declaration,
    journey: &Journey,
    at: Option<Timestamp>,
    moves: &[(String, String)],
) -> Result<Published, Error> {
    let known = desk.store.program(&declaration.name)?;
    let program = known.unwrap_or_else(|| draft(declaration, journey));
    known_steps(desk, &program, journey, moves)?;
    if let Some(at) = at.filter(|at| *at > desk.now) {
        let program = Program { status: ProgramStatus::Scheduled, scheduled_for: Some(at), reasons: Vec::new(), ..program };
        desk.store.put_program(&program, desk.now)?;
        return Ok(Published::Scheduled(program));
    }
    let looked = desk.pass(declaration, journey, program.revision)?;
    match publish(&looked, desk.objections)? {
        Publication::Refused(reasons) if matches!(program.status, ProgramStatus::Active | ProgramStatus::Paused) => Ok(Published::Kept(reasons)),
        Publication::Refused(reasons) => {
            let back = Program { status: ProgramStatus::Draft, scheduled_for: None, reasons: reasons.clone(), ..program };
            desk.store.put_program(&back, desk.now)?;
            Ok(Published::Draft(reasons))
        }
        Publication::Done(associations) => {
            desk.store.associate(&declaration.name, &associations, desk.now)?;
            let revision = revise(desk, declaration, journey, &program, moves)?;
            // One that is paused takes the edit up and stays so.
            let status = if program.status == ProgramStatus::Paused { ProgramStatus::Paused } else { ProgramStatus::Active };
            let program = Program {
                status,
                hash: declaration.sources.hash().to_owned(),
                folder: journey.folder.clone(),
                revision,
                scheduled_for: None,
                published_at: program.published_at.or(Some(desk.now)),
                stopped_at: None,
                reasons: Vec::new(),
                ..program
            };
            desk.store.put_program(&program, desk.now)?;
            Ok(Published::Active(program))
        }
    }
}

/// The number of the revision that is published; a new one where it is made of other texts.
fn revise(desk: &Desk<'_>, declaration: &Declaration, journey: &Journey, program: &Program, moves: &[(String, String)]) -> Result<u32, Error> {
    let time = (&desk.options.zone, desk.now);
    if let Some(plan) = plan_edit(desk.store, program, declaration, journey, moves, time)? {
        return take_up(desk.store, &plan, declaration, journey, moves, time);
    }
    if desk.store.revision(&declaration.name, program.revision)?.is_some() {
        return Ok(program.revision);
    }
    let number = desk.store.revisions(&declaration.name)?.first().map_or(0, |newest| newest.number) + 1;
    desk.store.add_revision(&revision(number, declaration, journey, "published".to_owned(), desk.now))?;
    Ok(number)
}

fn known_steps(desk: &Desk<'_>, program: &Program, journey: &Journey, moves: &[(String, String)]) -> Result<(), Error> {
    let invalid = |message: String| Err(Error::Fault(Fault::new(FaultKind::Invalid, message)));
    let present = desk.store.revision(&program.name, program.revision)?;
    for (old, new) in moves {
        if present.as_ref().is_none_or(|present| present.graph.step(old).is_none()) {
            return invalid(format!("the flow that runs has no step \"{old}\""));
        }
        if journey.graph.step(old).is_some() {
            return invalid(format!("the step \"{old}\" is still there: only one that is gone can have got another name"));
        }
        if journey.graph.step(new).is_none() {
            return invalid(format!("the edited flow has no step \"{new}\""));
        }
    }
    Ok(())
}

/// Takes everybody who stands or is parked at a step to another one of the flow that runs; they arrive there now. How many they were.
///
/// # Errors
/// `Invalid` for a step that the flow does not have, `Conflict` when the journey is not published; the state file's errors.
pub fn move_people(store: &Store, name: &str, from: &str, to: &str, now: Timestamp) -> Result<u64, Error> {
    let refuse = |kind, message: String| Error::Fault(Fault::new(kind, message));
    let program = store.program(name)?.filter(|program| matches!(program.status, ProgramStatus::Active | ProgramStatus::Paused));
    let program = program.ok_or_else(|| refuse(FaultKind::Conflict, format!("`{name}` is not published: nobody is in it")))?;
    let runs = store.revision(name, program.revision)?.map(|revision| revision.graph).unwrap_or_default();
    if runs.step(to).is_none() {
        let steps: Vec<&str> = runs.steps.iter().map(|step| step.name.as_str()).collect();
        return Err(refuse(FaultKind::Invalid, format!("the flow that runs has no step \"{to}\"; it has {}", steps.join(", "))));
    }
    Ok(store.relocate(name, from, to, now)?)
}

pub(super) fn draft(declaration: &Declaration, journey: &Journey) -> Program {
    Program {
        name: declaration.name.clone(),
        status: ProgramStatus::Draft,
        revision: 0,
        hash: declaration.sources.hash().to_owned(),
        folder: journey.folder.clone(),
        scheduled_for: None,
        published_at: None,
        paused_at: None,
        stopped_at: None,
        reasons: Vec::new(),
        polled_at: None,
    }
}

/// Pauses, resumes or stops a program.
///
/// # Errors
/// `Conflict` when it is in no state for that; the state file's errors.
pub fn operate(store: &Store, name: &str, wanted: ProgramStatus, now: Timestamp) -> Result<Program, Error> {
    let program = store.program(name)?;
    let status = program.as_ref().map_or(ProgramStatus::Draft, |program| program.status);
    let refuse = |why: &str| Error::Fault(Fault::new(FaultKind::Conflict, format!("`{name}` is {}: {why}", status.word())));
    let Some(program) = program else { return Err(refuse("publish it first")) };
    match (status, wanted) {
        (ProgramStatus::Active, ProgramStatus::Paused) => store.pause(name, now)?,
        (ProgramStatus::Paused, ProgramStatus::Active) => store.resume(name, now)?,
        (ProgramStatus::Active | ProgramStatus::Paused | ProgramStatus::Scheduled, ProgramStatus::Stopped) => {
            let stopped = Program { status: ProgramStatus::Stopped, stopped_at: Some(now), scheduled_for: None, ..program };
            store.put_program(&stopped, now)?;
            store.drop_unsent(name, "the journey was stopped", now)?;
        }
        (_, ProgramStatus::Paused) => return Err(refuse("only an active journey can be paused")),
        (_, ProgramStatus::Active) => return Err(refuse("only a paused journey can be resumed")),
        _ => return Err(refuse("only a published journey can be stopped")),
    }
    store.program(name)?.ok_or_else(|| refuse("it is gone"))
}

/// What of the active programs has come to its time, and when the next of it will.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wake {
    /// Active programs with somebody due, something to send, or events to ask for.
    pub now: Vec<String>,
    /// Scheduled programs whose time has come.
    pub publish: Vec<String>,
    pub next: Option<Timestamp>,
}

/// How often events are asked for.
const POLL: jiff::SignedDuration = jiff::SignedDuration::from_mins(1);

/// What has to be done for journeys now.
///
/// # Errors
/// The state file's.
pub fn wake(store: &Store, now: Timestamp) -> Result<Wake, Error> {
    let mut wake = Wake::default();
    let mut later = |at: Timestamp| wake.next = Some(wake.next.map_or(at, |next| next.min(at)));
    for program in store.programs()? {
        match program.status {
            ProgramStatus::Scheduled => match program.scheduled_for {
                Some(at) if at > now => later(at),
                _ => wake.publish.push(program.name),
            },
            ProgramStatus::Active => {
                let shows = store.associations(&program.name)?.iter().any(|one| one.cut.is_none());
                let poll = program.polled_at.map(|at| at.saturating_add(POLL).unwrap_or(at)).filter(|_| shows);
                let due = store.next_due(&[&program.name])?;
                let sends = store.next_send_of(&program.name)?;
                let waiting = !store.unhandled(&program.name, 1)?.is_empty();
                let first = [due, sends, poll].into_iter().flatten().min();
                match first {
                    _ if waiting => wake.now.push(program.name),
                    Some(at) if at <= now => wake.now.push(program.name),
                    Some(at) => later(at),
                    None => (),
                }
            }
            _ => (),
        }
    }
    Ok(wake)
}

/// Whether a program is active: only then it is run with all the others.
pub fn is_active(store: &Store, name: &str) -> bool {
    store.program(name).ok().flatten().is_some_and(|program| program.status == ProgramStatus::Active)
}
