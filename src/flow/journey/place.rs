//! One person let in by hand, by the same rules as those of the journey's source.

use crate::{
    flow::Error,
    model::{Aliases, Fault, FaultKind, Record},
    script::{Declaration, Journey},
    store::{Entry, EntryKind, Move, Participant, ParticipantState},
};

use super::{
    Desk,
    enter::{Candidate, Earlier, Entrance, Gate, entrance},
    pass::{Intake, Pass, chosen, take_people},
};

/// What became of somebody who was brought to a journey's door.
#[derive(Debug, Clone, PartialEq)]
pub enum Placed {
    /// In, or failed at the door with a reason of the vendor's (B8).
    In(Box<Participant>),
    /// Stays outside, for this reason.
    Outside(String),
}

/// Lets a person into an active journey; with a step, puts them there. Nobody moves by this: the next run of the journey does it.
///
/// # Errors
/// When a closure of the journey fails on the person, PX cannot be asked, or the state file fails.
pub fn place(desk: &Desk<'_>, declaration: &Declaration, journey: &Journey, person: Record, step: Option<&str>) -> Result<Placed, Error> {
    let revision = desk.store.program(&declaration.name)?.map_or(0, |program| program.revision);
    let pass = desk.pass(declaration, journey, revision)?;
    let Some(person) = chosen(&pass, person, &mut Aliases::default())? else {
        return Ok(Placed::Outside("the filter of the journey's participants leaves them out".to_owned()));
    };
    let candidate = match Candidate::of(journey, person.clone()) {
        Ok(candidate) => candidate,
        Err(why) => return Ok(Placed::Outside(why)),
    };
    let before = desk.store.by_key(&declaration.name, &candidate.key)?.into_iter().next();
    let mut intake = Intake::default();
    take_people(&pass, vec![person], &mut intake)?;
    let newest = desk.store.by_key(&declaration.name, &candidate.key)?.into_iter().next();
    let is_new = |one: &Participant| before.as_ref().is_none_or(|before| before.id != one.id);
    let Some(participant) = newest.filter(is_new) else {
        let earlier = before.map(|before| {
            let at_door = before.state == ParticipantState::Failed && before.step.is_none();
            Earlier { state: before.state, ended: before.ended, at_door }
        });
        let gate = Gate { journey, calendar: &pass.calendar, now: pass.now, needs_px: false, px_known: false };
        let why = match entrance(gate, &candidate, earlier) {
            Entrance::Stays(why) | Entrance::Fails(why) => why,
            Entrance::Enter => "was in the journey before and cannot enter again".to_owned(),
        };
        return Ok(Placed::Outside(why));
    };
    match step {
        Some(step) if !participant.state.is_over() => put(&pass, participant, step).map(|participant| Placed::In(Box::new(participant))),
        _ => Ok(Placed::In(Box::new(participant))),
    }
}

/// As if they had come to the step at this moment.
fn put(pass: &Pass<'_>, participant: Participant, step: &str) -> Result<Participant, Error> {
    if pass.journey.graph.step(step).is_none() {
        let known: Vec<&str> = pass.journey.graph.steps.iter().map(|step| step.name.as_str()).collect();
        let message = format!("`{}` has no step \"{step}\"; it has {}", pass.declaration.name, known.join(", "));
        return Err(Error::Fault(Fault::new(FaultKind::NotFound, message)));
    }
    let placed = Participant { state: ParticipantState::Active, step: Some(step.to_owned()), since: pass.now, due: Some(pass.now), ..participant };
    let entry = Entry { at: pass.now, kind: EntryKind::Moved.word().to_owned(), step: Some(step.to_owned()), detail: Record::new() };
    let moved = Move {
        participant: placed.clone(),
        entries: vec![entry],
        intents: Vec::new(),
        events: Vec::new(),
        moved: true,
        fields_changed: false,
        facts_from: None,
    };
    pass.store.commit(&[moved])?;
    Ok(placed)
}
