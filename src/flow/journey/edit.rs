//! An edit of a journey with people in it: they keep their place by the step's name. What would leave somebody without a step, write to
//! somebody twice or change what PX shows waits until somebody has said yes; until then everybody goes on under the revision before.

use jiff::{SignedDuration, tz::TimeZone};

use crate::{
    flow::Error,
    model::{Length, Record, Timestamp, Value},
    script::{Declaration, Journey, Sources},
    store::{ParticipantId, Program, Revision, Store, Timer},
};

use super::{
    plan::{EditPlan, Edited, plan},
    settings::rekey,
    time::Calendar,
};

/// What an edit comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// The published flow, made of the published texts.
    None,
    /// The new flow runs.
    Applied(Box<EditPlan>),
    /// The revision before goes on until this one is published.
    Held(Box<EditPlan>),
}

/// Takes an edit up, if nobody has to be asked.
///
/// # Errors
/// The state file's.
pub fn take_edit(
    store: &Store,
    program: &Program,
    declaration: &Declaration,
    journey: &Journey,
    zone: &TimeZone,
    now: Timestamp,
) -> Result<Edit, Error> {
    let Some(plan) = plan_edit(store, program, declaration, journey, &[], (zone, now))? else { return Ok(Edit::None) };
    if !plan.applies {
        return Ok(Edit::Held(Box::new(plan)));
    }
    take_up(store, &plan, declaration, journey, &[], (zone, now))?;
    Ok(Edit::Applied(Box::new(plan)))
}

/// What taking up the present declaration would do; none when it is the one that was published. `moves` are steps that got another name.
///
/// # Errors
/// The state file's.
pub fn plan_edit(
    store: &Store,
    program: &Program,
    declaration: &Declaration,
    journey: &Journey,
    moves: &[(String, String)],
    (zone, now): (&TimeZone, Timestamp),
) -> Result<Option<EditPlan>, Error> {
    if program.hash == declaration.sources.hash() {
        return Ok(None);
    }
    let Some(present) = store.revision(&program.name, program.revision)? else { return Ok(None) };
    let calendar = Calendar::new(&journey.pace, zone);
    let (graph, sources) = (&journey.graph, &declaration.sources);
    let edited =
        Edited { journey: &program.name, present: &present, graph, sources, declaration, declared: journey, moves, calendar: &calendar, now };
    plan(store, &edited).map(Some)
}

/// Makes the edit the revision that runs: nobody loses their place, timers move, whoever has no step any more is parked, and whoever was
/// parked at a step that is there again is taken back. Each part can be done again when it was cut short.
pub(super) fn take_up(
    store: &Store,
    plan: &EditPlan,
    declaration: &Declaration,
    journey: &Journey,
    moves: &[(String, String)],
    (zone, now): (&TimeZone, Timestamp),
) -> Result<u32, Error> {
    let name = &plan.journey;
    for (old, new) in moves {
        store.rename_step(name, old, new, now)?;
    }
    if plan.rekeys {
        rekey(store, name, journey)?;
    }
    let calendar = Calendar::new(&journey.pace, zone);
    // A timer that is too early only asks too early, which moves nobody; so the earlier ones come before the flow, the later ones after it.
    retime(store, plan, &calendar, now, |old, new| new < old)?;
    store.take_up(&revision(plan.to, declaration, journey, note(plan), now))?;
    retime(store, plan, &calendar, now, |old, new| new > old)?;
    for group in &plan.steps {
        match &group.to {
            None => drop(store.park(name, &[&group.step], "its step is gone after an edit", now)?),
            Some(step) if group.parked > 0 => drop(store.unpark(name, step, now)?),
            Some(_) => (),
        }
    }
    Ok(plan.to)
}

/// A revision of what is declared now.
pub(super) fn revision(number: u32, declaration: &Declaration, journey: &Journey, note: String, at: Timestamp) -> Revision {
    Revision {
        journey: declaration.name.clone(),
        number,
        hash: declaration.sources.hash().to_owned(),
        graph: journey.graph.clone(),
        sources: kept(&declaration.sources),
        at,
        note,
    }
}

fn kept(sources: &Sources) -> Record {
    sources.texts().iter().map(|(name, text)| (name.as_str().into(), Value::text(text.as_ref()))).collect()
}

/// The texts that a revision was made of; empty for one that kept none.
pub fn sources(revision: &Revision) -> Sources {
    Sources::of(revision.sources.iter().filter_map(|(name, text)| Some((name.to_string(), text.as_str()?.into()))).collect())
}

fn note(plan: &EditPlan) -> String {
    let steps = [("added", &plan.changes.added), ("removed", &plan.changes.removed), ("changed", &plan.changes.changed)];
    let told: Vec<String> = steps.iter().filter(|(_, steps)| !steps.is_empty()).map(|(word, steps)| format!("{word} {}", steps.join(", "))).collect();
    match (told.is_empty(), plan.files.is_empty()) {
        (false, _) => format!("edited: {}", told.join("; ")),
        (true, false) => format!("edited: the flow is the same, other text in {}", plan.files.join(", ")),
        (true, true) => "edited".to_owned(),
    }
}

/// Moves the timers of whoever waits at a step whose length has changed, as far as `wanted` says of the old and the new time.
fn retime(store: &Store, plan: &EditPlan, calendar: &Calendar, now: Timestamp, wanted: impl Fn(Timestamp, Timestamp) -> bool) -> Result<(), Error> {
    for (group, step) in plan.steps.iter().filter_map(|group| Some((group, group.to.as_deref().filter(|_| group.timers.is_some())?))) {
        let lengths = group.timers.as_ref().map(|timers| (timers.from, timers.to)).unwrap_or_default();
        let mut after: Option<ParticipantId> = None;
        loop {
            let timers = store.timers(&plan.journey, step, after)?;
            let Some(last) = timers.last() else { break };
            after = Some(last.participant);
            let moved = timers.into_iter().map(|timer| (timer.due, Timer { due: due(timer, lengths, calendar, now), ..timer }));
            let moved: Vec<Timer> = moved.filter(|(old, new)| wanted(*old, new.due)).map(|(_, new)| new).collect();
            store.retime(&moved)?;
        }
    }
    Ok(())
}

/// Counted from when they came to the step, and later by as much as pauses have made it.
fn due(timer: Timer, (from, to): (Option<Length>, Option<Length>), calendar: &Calendar, now: Timestamp) -> Timestamp {
    let Some(to) = to else { return now };
    let grown = from.map_or(SignedDuration::ZERO, |from| timer.due.duration_since(calendar.after(timer.since, from)).max(SignedDuration::ZERO));
    calendar.after(timer.since, to).saturating_add(grown).unwrap_or(Timestamp::MAX)
}
