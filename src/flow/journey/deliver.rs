//! What participants' moves asked for, carried out: mails, audiences, actions. Each intent is remembered until it is known to be done, is
//! tried again while that may help, and carries one key through all its tries. Many go out at once; what became of them is one transaction.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use crate::{
    connectors::Stop,
    flow::{
        Error,
        rule::{COMPANY, PARTICIPANT, companies_of, for_rows, needs_company},
    },
    model::{Does, Effect, EventKind, Fault, FaultKind, Record, SegmentEdit, Value},
    script::{Action, Closure, Journey},
    store::{Association, Fact, Intent as Stored, Participant, ParticipantId, ParticipantState},
};

use super::{
    Intent,
    advance::EXITED,
    mail, outside,
    pass::{Pass, person},
    settle::Settling,
    together::together,
};

/// Intents taken at a time.
const AT_ONCE: u32 = 1_000;
/// Mails and web hooks between two transactions: what a kill makes go out a second time, under the same keys, is no more than that.
const BETWEEN: usize = 200;

/// Intents by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Delivered {
    pub done: u64,
    pub later: u64,
    pub refused: u64,
}

/// One intent with whom it is about.
pub(super) struct Due {
    pub(super) stored: Stored,
    pub(super) participant: Participant,
}

/// A mail that is due.
struct Letter {
    due: Due,
    step: String,
    template: String,
}

/// Carries out what is due, for each participant in the order it was asked for.
///
/// # Errors
/// When the state file fails or the work is interrupted. What a system refuses is remembered with its intent.
pub(super) fn deliver(pass: &Pass<'_>) -> Result<Delivered, Error> {
    let mut delivered = Delivered::default();
    loop {
        let mut rest = pass.store.outbox_of(pass.name(), pass.now, AT_ONCE)?;
        if rest.is_empty() {
            return Ok(delivered);
        }
        let mut people = people(pass, &rest)?;
        while !rest.is_empty() {
            // The first of everybody; what they asked for after that has its turn next.
            let mut seen = BTreeSet::new();
            let (first, later): (Vec<Stored>, Vec<Stored>) = rest.into_iter().partition(|intent| seen.insert(intent.participant));
            let mut settling = Settling::new(pass, &mut delivered);
            wave(pass, first, &mut people, &mut settling)?;
            let held = settling.held();
            rest = later.into_iter().filter(|intent| !held.contains(&intent.participant)).collect();
        }
    }
}

/// Whom these intents are about.
fn people(pass: &Pass<'_>, intents: &[Stored]) -> Result<HashMap<ParticipantId, Participant>, Error> {
    let ids: BTreeSet<ParticipantId> = intents.iter().map(|intent| intent.participant).collect();
    let found = pass.store.participants_of(&ids.into_iter().collect::<Vec<_>>())?;
    Ok(found.into_iter().map(|participant| (participant.id, participant)).collect())
}

/// One intent of each of several participants.
fn wave(pass: &Pass<'_>, intents: Vec<Stored>, people: &mut HashMap<ParticipantId, Participant>, settling: &mut Settling<'_>) -> Result<(), Error> {
    let mut letters: Vec<Letter> = Vec::new();
    let mut joins: BTreeMap<(String, bool), Vec<Due>> = BTreeMap::new();
    let mut acts: BTreeMap<String, Vec<(Due, Record)>> = BTreeMap::new();
    for stored in intents {
        let Some(participant) = people.get(&stored.participant).cloned() else {
            settling.lost(stored.id, Fault::new(FaultKind::NotFound, "the participant is gone"));
            continue;
        };
        let intent = serde_json::from_str::<Intent>(&stored.intent);
        let due = Due { stored, participant };
        if let Some(why) = intent.as_ref().ok().and_then(|intent| gone(pass.journey, &due, intent)) {
            settling.dropped(due.stored.id, why);
            continue;
        }
        match intent {
            Ok(Intent::Mail { step, template, .. }) => letters.push(Letter { due, step, template }),
            Ok(Intent::Join { engagement, .. }) => joins.entry((engagement, true)).or_default().push(due),
            Ok(Intent::Leave { engagement, .. }) => joins.entry((engagement, false)).or_default().push(due),
            Ok(Intent::Act { step, fields }) => acts.entry(step).or_default().push((due, fields)),
            Err(error) => settling.lost(due.stored.id, Fault::new(FaultKind::State, error.to_string())),
        }
    }
    mails(pass, &letters, settling)?;
    for ((engagement, join), all) in joins {
        interrupted(pass.stop)?;
        audience(pass, &engagement, join, &all, settling)?;
    }
    for (step, all) in acts {
        interrupted(pass.stop)?;
        act(pass, &step, all, settling)?;
    }
    settling.keep()
}

/// Why what was asked for has no reason any more; none where it has. It may have waited: for a system that was away, for the end of a pause.
/// Records that a step writes are written all the same.
fn gone(journey: &Journey, due: &Due, intent: &Intent) -> Option<&'static str> {
    let participant = &due.participant;
    let step = match intent {
        Intent::Mail { step, .. } | Intent::Join { step, .. } | Intent::Act { step, .. } => step,
        Intent::Leave { .. } => return None,
    };
    let does = journey.graph.step(step).map(|step| &step.does);
    if matches!(intent, Intent::Act { .. }) && !matches!(does, Some(Does::Webhook { .. })) {
        return None;
    }
    if participant.state == ParticipantState::Dropped && participant.reason.as_deref() == Some(EXITED) {
        return Some("left the journey by its exit before this went out");
    }
    let asked = match does? {
        Does::Survey { .. } => step,
        Does::Remind { of, .. } => of,
        _ => return None,
    };
    let answered = |fact: &Fact| fact.event == EventKind::Responded && fact.step == *asked && fact.at >= due.stored.at;
    participant.facts.iter().any(answered).then_some("answered before this went out")
}

pub(super) fn interrupted(stop: &Stop) -> Result<(), Error> {
    if stop.requested() { Err(Error::Interrupted) } else { Ok(()) }
}

/// Nothing new begins once the work is to end.
fn unless_stopped<T>(stop: &Stop, work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    if stop.requested() { Err(Fault::new(FaultKind::Interrupted, "interrupted")) } else { work() }
}

fn mails(pass: &Pass<'_>, letters: &[Letter], settling: &mut Settling<'_>) -> Result<(), Error> {
    for some in letters.chunks(BETWEEN) {
        let send = |letter: &Letter| mail::send(pass, &letter.due.participant, &letter.due.stored.key, &letter.step, &letter.template);
        let outcomes = together(some, |letter| unless_stopped(pass.stop, || send(letter)));
        for (letter, outcome) in some.iter().zip(outcomes) {
            let messaged = outcome.is_ok().then(|| person(&letter.due.participant)).flatten().map(str::to_owned);
            settling.message(&letter.due, &letter.step, outcome, messaged);
        }
        settling.keep()?;
    }
    Ok(())
}

/// People join or leave an engagement's audience, all that are due in one call.
fn audience(pass: &Pass<'_>, engagement: &str, join: bool, all: &[Due], settling: &mut Settling<'_>) -> Result<(), Error> {
    let association = pass.associations.iter().find(|one| one.engagement == engagement && one.cut.is_none());
    let outcome = match association {
        None => Err(Fault::new(FaultKind::NotFound, format!("the engagement \"{engagement}\" is not associated with the journey any more"))),
        // Tried again while that may help (B2).
        Some(Association { trouble: Some(trouble), .. }) if join => {
            Err(Fault::new(FaultKind::Unavailable, format!("the engagement \"{engagement}\" {trouble}")))
        }
        Some(association) => edit(pass, association, all.iter().filter_map(|due| due.participant.px_id.clone()).collect(), join),
    };
    for due in all {
        let mut one = match (&outcome, &due.participant.px_id) {
            (_, None) => Err(Fault::new(FaultKind::Invalid, super::INVALID_PX_USER)),
            (Ok(()), Some(_)) => Ok(()),
            (Err(fault), Some(_)) => Err(fault.clone()),
        };
        // One id that PX does not take must not keep the others out.
        if let (Err(fault), Some(association), Some(px_id)) = (&one, association, &due.participant.px_id)
            && fault.kind == FaultKind::Invalid
            && all.len() > 1
        {
            one = unless_stopped(pass.stop, || edit(pass, association, vec![px_id.clone()], join));
        }
        if join {
            let detail = [("engagement".into(), Value::text(engagement))].into_iter().collect();
            settling.outcome(due, &due.stored.step, one.map(|()| detail));
        } else {
            settling.left(due, one);
        }
    }
    settling.keep()
}

fn edit(pass: &Pass<'_>, association: &Association, people: Vec<String>, join: bool) -> Result<(), Fault> {
    if people.is_empty() {
        return Ok(());
    }
    let (add, remove) = if join { (people, Vec::new()) } else { (Vec::new(), people) };
    let edit = SegmentEdit { add, remove, at: Some(pass.now), ..super::publish::audience(&association.segment) };
    pass.perform.perform_noted(Effect::EditSegment(edit)).map(|_| ())
}

/// What a step does for everybody who is due there, as the declaration says it now.
fn act(pass: &Pass<'_>, step: &str, all: Vec<(Due, Record)>, settling: &mut Settling<'_>) -> Result<(), Error> {
    let Some(parts) = pass.journey.steps.get(step) else {
        let gone = Fault::new(FaultKind::NotFound, format!("the step \"{step}\" is gone"));
        for (due, _) in &all {
            settling.outcome(due, step, Err(gone.clone()));
        }
        return settling.keep();
    };
    if let Some(closure) = &parts.run {
        return run(pass, step, closure, &all, settling);
    }
    if let Some(action) = &parts.action {
        return load(pass, step, action, all, settling);
    }
    match pass.journey.graph.step(step).map(|step| &step.does) {
        Some(Does::Webhook { url }) => hooks(pass, step, url, &all, settling),
        Some(Does::CloseCta { reason }) => close(pass, step, reason, &all, settling),
        _ => {
            let other = Fault::new(FaultKind::NotFound, format!("the step \"{step}\" is another one now"));
            for (due, _) in &all {
                settling.outcome(due, step, Err(other.clone()));
            }
            settling.keep()
        }
    }
}

/// A closure may ask for anything: what became of one is kept before the next one begins.
fn run(pass: &Pass<'_>, step: &str, closure: &Closure, all: &[(Due, Record)], settling: &mut Settling<'_>) -> Result<(), Error> {
    for (due, fields) in all {
        interrupted(pass.stop)?;
        let outcome = closure.call(Arc::clone(&pass.perform), &[Value::Map(fields.clone())]);
        settling.outcome(due, step, outcome.map(|value| [("returned".into(), value)].into_iter().collect()));
        settling.keep()?;
    }
    Ok(())
}

fn hooks(pass: &Pass<'_>, step: &str, url: &str, all: &[(Due, Record)], settling: &mut Settling<'_>) -> Result<(), Error> {
    for some in all.chunks(BETWEEN) {
        let outcomes = together(some, |(due, fields)| unless_stopped(pass.stop, || outside::hook(pass, step, url, &due.stored.key, fields)));
        some.iter().zip(outcomes).for_each(|((due, _), outcome)| settling.outcome(due, step, outcome));
        settling.keep()?;
    }
    Ok(())
}

/// One after the other: two people of one company close the same calls to action.
fn close(pass: &Pass<'_>, step: &str, reason: &str, all: &[(Due, Record)], settling: &mut Settling<'_>) -> Result<(), Error> {
    for some in all.chunks(BETWEEN) {
        for (due, _) in some {
            let outcome = unless_stopped(pass.stop, || outside::close(pass, &due.participant, reason));
            settling.outcome(due, step, outcome);
        }
        settling.keep()?;
    }
    Ok(())
}

/// A load, a score, a call to action: all rows at once, as a rule does them. A rejected row is a refused intent, for the same reason.
fn load(pass: &Pass<'_>, step: &str, action: &Action, all: Vec<(Due, Record)>, settling: &mut Settling<'_>) -> Result<(), Error> {
    let own = |fields: &Record| fields.path(&pass.journey.identity.company).cloned();
    let named: Vec<Value> = all.iter().filter_map(|(_, fields)| own(fields)).filter(|_| needs_company(&action.kind)).collect();
    let companies = match companies_of(&pass.work(), &named) {
        Ok(companies) => companies,
        Err(Error::Interrupted) => return Err(Error::Interrupted),
        Err(error) => {
            let fault = error.fault();
            for (due, _) in &all {
                settling.outcome(due, step, Err(fault.clone()));
            }
            return settling.keep();
        }
    };
    let (mut dues, mut rows) = (Vec::with_capacity(all.len()), Vec::with_capacity(all.len()));
    for (due, mut fields) in all {
        if let Some(company) = own(&fields).and_then(|company| companies.get(&company.to_string()).cloned()) {
            fields.set(COMPANY, company);
        }
        fields.set(PARTICIPANT, Value::text(&due.participant.key));
        dues.push(due);
        rows.push(fields);
    }
    let outcomes = match for_rows(&mut pass.work(), action, &pass.source(), rows) {
        Ok(outcomes) => outcomes,
        Err(error) => {
            let fault = error.fault();
            dues.iter().map(|_| Err(fault.clone())).collect()
        }
    };
    for (due, outcome) in dues.iter().zip(outcomes) {
        let detail = |written: Option<bool>| written.map(|written| ("written".into(), Value::Bool(written))).into_iter().collect();
        settling.outcome(due, step, outcome.map(detail));
    }
    settling.keep()
}
