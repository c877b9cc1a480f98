//! People who are in, read again: their fields follow the source, and whoever waited for a field goes on at once.

use std::collections::{BTreeSet, HashSet};

use crate::{
    flow::Error,
    model::{Does, Record},
    store::{Known, Move, Participant, ParticipantState, Store},
};

use super::{
    enter::Candidate,
    pass::{Pass, one, still},
    when::{Known as About, holds, settled},
};

/// Whether the source says something else of somebody who is in than it did; with the hash of what it says now.
pub(super) fn changed(candidate: &Candidate, known: Known) -> Option<i64> {
    let source = Store::source_hash(&candidate.fields);
    (!known.state.is_over() && known.source != Some(source)).then_some(source)
}

/// Gives people the fields that were read now, and moves those who waited for it, all in one transaction. Gives back how many there were.
///
/// What the journey itself set (`set_field`) stays, and so does what the source does not speak of.
///
/// # Errors
/// When the state file fails.
pub(super) fn take(pass: &Pass<'_>, read: Vec<(Known, Candidate, i64)>) -> Result<u64, Error> {
    if read.is_empty() {
        return Ok(0);
    }
    let setting: Vec<&str> =
        pass.journey.graph.steps.iter().filter(|step| matches!(step.does, Does::SetField { .. })).map(|step| step.name.as_str()).collect();
    let ids: Vec<_> = read.iter().map(|(known, ..)| known.id).collect();
    let passed = if setting.is_empty() { HashSet::default() } else { pass.store.have_reached(pass.name(), &setting, &ids)? };
    let mut moves = Vec::with_capacity(read.len());
    for (known, candidate, source) in read {
        let Some(mut participant) = pass.store.participant(known.id)? else { continue };
        let set: BTreeSet<&str> =
            setting.iter().copied().filter(|step| passed.contains(&(known.id, (*step).to_owned()))).flat_map(|step| own(pass, step)).collect();
        participant.fields.change(|fields| merge(fields, candidate.fields, &set));
        participant.email = candidate.email;
        participant.px_id = candidate.px_id;
        let onward = if goes_on(pass, &participant) { one(pass, participant)? } else { Some(still(participant)) };
        let Some(onward) = onward else { continue };
        moves.push((Move { fields_changed: true, facts_from: None, ..onward }, source));
    }
    pass.store.commit_read(&moves)?;
    Ok(moves.len() as u64)
}

/// The fields that a step sets.
fn own<'a>(pass: &'a Pass<'_>, step: &str) -> impl Iterator<Item = &'a str> {
    pass.journey.parts(step).into_iter().flat_map(|parts| &parts.fields).map(|map| &*map.target)
}

fn merge(fields: &mut Record, read: Record, set: &BTreeSet<&str>) {
    for (name, value) in read {
        if !set.contains(&*name) {
            fields.set(name, value);
        }
    }
}

/// Whether what somebody waits for, or leaves by, has come true. Timers are left alone: a pause may have moved them.
fn goes_on(pass: &Pass<'_>, participant: &Participant) -> bool {
    if !matches!(participant.state, ParticipantState::Active | ParticipantState::Waiting) {
        return false;
    }
    let about = About { fields: &participant.fields, facts: &participant.facts, calculated: &pass.journey.calculated, zone: pass.calendar.zone() };
    // What fails here fails the participant, who is moved for it.
    let met = |when| holds(when, about).unwrap_or(true);
    let came = |when| settled(when, about).map_or(true, |held| held == Some(true));
    let step = participant.step.as_deref().and_then(|name| pass.journey.graph.step(name));
    let waited = matches!(step.map(|step| &step.does), Some(Does::WaitFor { when, .. }) if came(when));
    waited || pass.journey.exit.as_ref().is_some_and(met)
}
