//! Operating a program: publish now or later, pause, resume, stop; and how it reports.

use std::sync::Arc;

use crate::{
    connectors::Stop,
    flow::{
        Error, Notify, Options,
        work::{Tally, Work},
    },
    model::{Channel, Does, EventKind, Fault, FaultKind, Record, Timestamp, Value},
    script::{Declaration, Journey, Perform},
    store::{Program, ProgramStatus, Revision, Store},
};

use super::{
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
}

/// Publishes a journey now, or sets the time for it (B10).
///
/// # Errors
/// When the state file fails or the work is interrupted.
pub fn publish_program(desk: &Desk<'_>, declaration: &Declaration, journey: &Journey, at: Option<Timestamp>) -> Result<Published, Error> {
    let known = desk.store.program(&declaration.name)?;
    let program = known.unwrap_or_else(|| draft(declaration, journey));
    if let Some(at) = at.filter(|at| *at > desk.now) {
        let program = Program { status: ProgramStatus::Scheduled, scheduled_for: Some(at), reasons: Vec::new(), ..program };
        desk.store.put_program(&program, desk.now)?;
        return Ok(Published::Scheduled(program));
    }
    let work = Work {
        name: &declaration.name,
        perform: &*desk.perform,
        notify: desk.notify,
        stop: desk.stop,
        date: desk.now.to_zoned(desk.options.zone.clone()).date(),
        page_size: desk.options.page_size,
        rule_updates: desk.options.rule_updates.as_ref(),
        tally: Tally::default(),
    };
    let hands = Hands { store: desk.store, perform: Arc::clone(&desk.perform), zone: &desk.options.zone, mailer: &desk.options.mailer };
    let looked = pass(&work, declaration, journey, hands, program.revision, desk.now)?;
    match publish(&looked)? {
        Publication::Refused(reasons) => {
            let back = Program { status: ProgramStatus::Draft, scheduled_for: None, reasons: reasons.clone(), ..program };
            desk.store.put_program(&back, desk.now)?;
            Ok(Published::Draft(reasons))
        }
        Publication::Done(associations) => {
            desk.store.associate(&declaration.name, &associations, desk.now)?;
            park_lost(desk, declaration, journey)?;
            let program = Program {
                status: ProgramStatus::Active,
                hash: declaration.hash.clone(),
                folder: journey.folder.clone(),
                revision: revise(desk, declaration, journey, &program)?,
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

/// The number of the revision that is published; a new one where the flow differs.
fn revise(desk: &Desk<'_>, declaration: &Declaration, journey: &Journey, program: &Program) -> Result<u32, Error> {
    let present = desk.store.revision(&declaration.name, program.revision)?;
    if present.as_ref().is_some_and(|revision| revision.graph == journey.graph) {
        return Ok(program.revision);
    }
    let number = desk.store.revisions(&declaration.name)?.first().map_or(0, |newest| newest.number) + 1;
    let revision = Revision {
        journey: declaration.name.clone(),
        number,
        hash: declaration.hash.clone(),
        graph: journey.graph.clone(),
        sources: Record::new(),
        at: desk.now,
        note: "published".to_owned(),
    };
    desk.store.add_revision(&revision)?;
    Ok(number)
}

/// Whoever stands at a step that is gone is parked there, for somebody to look at.
fn park_lost(desk: &Desk<'_>, declaration: &Declaration, journey: &Journey) -> Result<(), Error> {
    let lost: Vec<String> = desk
        .store
        .step_counts(&declaration.name)?
        .into_iter()
        .filter(|(step, _, standing)| *standing > 0 && journey.graph.step(step).is_none())
        .map(|(step, ..)| step)
        .collect();
    if !lost.is_empty() {
        desk.store.park(&declaration.name, &lost, "its step is gone after an edit", desk.now)?;
    }
    Ok(())
}

fn draft(declaration: &Declaration, journey: &Journey) -> Program {
    Program {
        name: declaration.name.clone(),
        status: ProgramStatus::Draft,
        revision: 0,
        hash: declaration.hash.clone(),
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
        }
        (_, ProgramStatus::Paused) => return Err(refuse("only an active journey can be paused")),
        (_, ProgramStatus::Active) => return Err(refuse("only a paused journey can be resumed")),
        _ => return Err(refuse("only a published journey can be stopped")),
    }
    store.program(name)?.ok_or_else(|| refuse("it is gone"))
}

/// The report of a program, as the state file has it.
///
/// # Errors
/// The state file's.
pub fn report(store: &Store, declaration: &Declaration, journey: &Journey) -> Result<Record, Error> {
    let name = declaration.name.as_str();
    let program = store.program(name)?.unwrap_or_else(|| draft(declaration, journey));
    let counts = store.participant_counts(name)?;
    let events = store.event_counts(name)?;
    let answers = store.answer_counts(name)?;
    let of = |step: &str, kind: EventKind| events.iter().find(|(s, k, _)| s == step && *k == kind).map_or(0, |(_, _, n)| *n);
    let (mut engagements, mut surveys, mut emails) = (Vec::new(), Vec::new(), Vec::new());
    for step in &journey.graph.steps {
        let n = |kind| of(&step.name, kind);
        let (sent, viewed) = (n(EventKind::Sent), n(EventKind::Viewed));
        let mut line = vec![("step", Value::text(&step.name))];
        match &step.does {
            Does::Engagement { engagement } => {
                line.push(("engagement", Value::text(engagement)));
                line.extend(numbers([
                    ("viewed", viewed),
                    ("not_viewed", sent.saturating_sub(viewed)),
                    ("completed", n(EventKind::Completed)),
                    ("failed", n(EventKind::Failed)),
                ]));
                engagements.push(record(line));
            }
            Does::Survey { survey, channel, .. } => {
                let responded = n(EventKind::Responded);
                let by = |way: Channel| answers.iter().find(|(step_name, c, _)| *step_name == step.name && *c == way).map_or(0, |(_, _, n)| *n);
                line.push(("survey", Value::text(survey)));
                line.extend(numbers([
                    ("viewed", viewed),
                    ("not_viewed", sent.saturating_sub(viewed)),
                    ("responded", responded),
                    ("responded_email", by(Channel::Email)),
                    ("responded_px", by(Channel::Px)),
                ]));
                surveys.push(record(line));
                if *channel == Channel::Email {
                    emails.push(mailed(&step.name, n));
                }
            }
            Does::SendEmail { .. } | Does::Remind { channel: Channel::Email, .. } => {
                emails.push(mailed(&step.name, n));
            }
            _ => (),
        }
    }
    let participants = numbers([
        ("active", counts.active),
        ("waiting", counts.waiting),
        ("completed", counts.completed),
        ("dropped", counts.dropped),
        ("failed", counts.failed),
        ("parked", counts.parked),
    ]);
    let reasons: Record = store.failed_reasons(name)?.into_iter().map(|(reason, n)| (reason.into(), int(n))).collect();
    let steps: Vec<Value> = store
        .step_counts(name)?
        .into_iter()
        .map(|(step, reached, standing)| {
            let mut line = vec![("step", Value::text(step))];
            line.extend(numbers([("reached", reached), ("standing", standing)]));
            record(line)
        })
        .collect();
    let fields = [
        ("name", Value::text(name)),
        ("status", Value::text(program.status.word())),
        ("revision", int(u64::from(program.revision))),
        ("participants", record(participants.collect())),
        ("failed_reasons", Value::Map(reasons)),
        ("engagements", Value::List(engagements)),
        ("surveys", Value::List(surveys)),
        ("emails", Value::List(emails)),
        ("steps", Value::List(steps)),
    ];
    Ok(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// What became of the mails of a step.
fn mailed(step: &str, n: impl Fn(EventKind) -> u64) -> Value {
    let counts = numbers([
        ("sent", n(EventKind::Sent)),
        ("opened", n(EventKind::Opened)),
        ("clicked", n(EventKind::Clicked)),
        ("bounced", n(EventKind::Bounced)),
        ("unsubscribed", n(EventKind::Unsubscribed)),
        ("failed", n(EventKind::Failed)),
    ]);
    record([("step", Value::text(step))].into_iter().chain(counts).collect())
}

fn record(fields: Vec<(&'static str, Value)>) -> Value {
    Value::Map(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

fn numbers<const N: usize>(numbers: [(&'static str, u64); N]) -> impl Iterator<Item = (&'static str, Value)> {
    numbers.into_iter().map(|(name, n)| (name, int(n)))
}

fn int(n: u64) -> Value {
    Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
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
