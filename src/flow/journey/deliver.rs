//! What participants' moves asked for, carried out: mails, audiences, actions. Each intent is remembered until it is known to be done, is
//! tried again while that may help, and carries one key through all its tries.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use jiff::SignedDuration;

use crate::{
    connectors::Stop,
    flow::{
        Error, Notice, Notify, Rejection,
        rule::{COMPANY, companies_of, for_rows, needs_company},
        work::Work,
    },
    model::{Does, Effect, EventKind, Fault, FaultKind, Record, SegmentEdit, System, Timestamp, Value},
    script::Action,
    store::{Association, NewEvent, Participant},
};

use super::{
    Intent, mail, outside,
    pass::{Pass, person},
};

/// Intents taken at a time.
const AT_ONCE: u32 = 200;
/// Tries before an intent is given up: with doubling pauses, about two days.
const TRIES: u32 = 12;
/// The first pause.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);
/// The longest one.
const LONGEST: SignedDuration = SignedDuration::from_hours(6);

/// Intents by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Delivered {
    pub done: u64,
    pub later: u64,
    pub refused: u64,
}

/// One intent with whom it is about.
struct Due {
    stored: crate::store::Intent,
    participant: Participant,
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
        while !rest.is_empty() {
            // The first of everybody; what they asked for after that has its turn next.
            let mut seen = BTreeSet::new();
            let (first, later) = rest.into_iter().partition(|intent| seen.insert(intent.participant));
            rest = later;
            wave(pass, first, &mut delivered)?;
        }
    }
}

/// One intent of each of several participants.
fn wave(pass: &Pass<'_>, intents: Vec<crate::store::Intent>, delivered: &mut Delivered) -> Result<(), Error> {
    let mut joins: BTreeMap<(String, bool), Vec<Due>> = BTreeMap::new();
    let mut acts: BTreeMap<String, Vec<(Due, Record)>> = BTreeMap::new();
    for stored in intents {
        interrupted(pass.stop)?;
        let Some(participant) = pass.store.participant(stored.participant)? else {
            pass.store.gave_up(stored.id, pass.now, &Fault::new(FaultKind::NotFound, "the participant is gone"))?;
            continue;
        };
        let intent = serde_json::from_value::<Intent>(stored.intent.clone());
        let due = Due { stored, participant };
        match intent {
            Ok(Intent::Mail { step, template, .. }) => written_to(pass, &due, &step, &template, delivered)?,
            Ok(Intent::Join { engagement, .. }) => joins.entry((engagement, true)).or_default().push(due),
            Ok(Intent::Leave { engagement, .. }) => joins.entry((engagement, false)).or_default().push(due),
            Ok(Intent::Act { step, fields }) => acts.entry(step).or_default().push((due, fields)),
            Err(error) => pass.store.gave_up(due.stored.id, pass.now, &Fault::new(FaultKind::State, error.to_string()))?,
        }
    }
    for ((engagement, join), all) in joins {
        audience(pass, &engagement, join, &all, delivered)?;
    }
    for (step, all) in acts {
        act(pass, &step, all, delivered)?;
    }
    Ok(())
}

fn written_to(pass: &Pass<'_>, due: &Due, step: &str, template: &str, delivered: &mut Delivered) -> Result<(), Error> {
    let outcome = mail::send(pass, &due.participant, &due.stored.key, step, template);
    if let (Ok(_), Some(person)) = (&outcome, person(&due.participant)) {
        pass.store.sent_message(person, pass.now, pass.name(), step)?;
    }
    settle(pass, due, step, outcome, delivered)
}

fn interrupted(stop: &Stop) -> Result<(), Error> {
    if stop.requested() { Err(Error::Interrupted) } else { Ok(()) }
}

/// Remembers what became of an intent, and tells the participant's journey of it.
fn settle(pass: &Pass<'_>, due: &Due, step: &str, outcome: Result<Record, Fault>, delivered: &mut Delivered) -> Result<(), Error> {
    let id = due.stored.id;
    match outcome {
        Ok(detail) => {
            delivered.done += 1;
            happened(pass, due, EventKind::Sent, step, detail.clone())?;
            pass.store.sent(id, pass.now, &detail)?;
        }
        Err(fault) if fault.kind == FaultKind::Interrupted => return Err(Error::Interrupted),
        Err(fault) if may_pass(&fault) && due.stored.attempts + 1 < TRIES => {
            delivered.later += 1;
            pass.store.retry(id, pass.now, again(pass.now, due.stored.attempts, &fault), &fault)?;
        }
        Err(fault) => {
            delivered.refused += 1;
            let detail = [("reason".into(), Value::text(fault.to_string()))].into_iter().collect();
            let kind = if fault.code.as_deref().is_some_and(|code| code.starts_with("550") || code.starts_with("5.1")) {
                EventKind::Bounced
            } else {
                EventKind::Failed
            };
            happened(pass, due, kind, step, detail)?;
            pass.store.gave_up(id, pass.now, &fault)?;
        }
    }
    Ok(())
}

fn may_pass(fault: &Fault) -> bool {
    // A system may let us in tomorrow; what tabi.toml does not allow is refused for good.
    let by_system = fault.kind == FaultKind::Denied && fault.system.is_some();
    fault.is_transient() || by_system || fault.kind == FaultKind::LimitExceeded
}

/// Doubling pauses, and never before the system wants to be asked again.
fn again(now: Timestamp, attempts: u32, fault: &Fault) -> Timestamp {
    let doubled = PAUSE.checked_mul(1_i32.checked_shl(attempts.min(20)).unwrap_or(i32::MAX)).unwrap_or(LONGEST).min(LONGEST);
    let asked = fault.retry_after.and_then(|wait| SignedDuration::try_from(wait).ok()).unwrap_or_default();
    now.saturating_add(doubled.max(asked)).unwrap_or(now)
}

/// Something that this program itself saw happen.
fn happened(pass: &Pass<'_>, due: &Due, kind: EventKind, step: &str, payload: Record) -> Result<(), Error> {
    let key = format!("{}/{}", due.stored.key, kind.word());
    let event = NewEvent { key, participant: due.participant.id, kind, step: step.to_owned(), at: pass.now, received: pass.now, payload };
    pass.store.receive(&[event])?;
    Ok(())
}

/// People join or leave an engagement's audience, all that are due in one call.
fn audience(pass: &Pass<'_>, engagement: &str, join: bool, all: &[Due], delivered: &mut Delivered) -> Result<(), Error> {
    let association = pass.associations.iter().find(|one| one.engagement == engagement && one.cut.is_none());
    let outcome = match association {
        None => Err(Fault::new(FaultKind::NotFound, format!("the engagement \"{engagement}\" is not associated with the journey any more"))),
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
            one = edit(pass, association, vec![px_id.clone()], join);
        }
        let detail = || -> Record { [("engagement".into(), Value::text(engagement))].into_iter().collect() };
        if join {
            settle(pass, due, &due.stored.step, one.map(|()| detail()), delivered)?;
        } else {
            left(pass, due, one, delivered)?;
        }
    }
    Ok(())
}

/// Leaving is nothing that a journey waits for.
fn left(pass: &Pass<'_>, due: &Due, outcome: Result<(), Fault>, delivered: &mut Delivered) -> Result<(), Error> {
    match outcome {
        Ok(()) => {
            delivered.done += 1;
            pass.store.sent(due.stored.id, pass.now, &Record::new())?;
        }
        Err(fault) if may_pass(&fault) && due.stored.attempts + 1 < TRIES => {
            delivered.later += 1;
            pass.store.retry(due.stored.id, pass.now, again(pass.now, due.stored.attempts, &fault), &fault)?;
        }
        Err(fault) => {
            delivered.refused += 1;
            pass.store.gave_up(due.stored.id, pass.now, &fault)?;
        }
    }
    Ok(())
}

fn edit(pass: &Pass<'_>, association: &Association, people: Vec<String>, join: bool) -> Result<(), Fault> {
    if people.is_empty() {
        return Ok(());
    }
    let (add, remove) = if join { (people, Vec::new()) } else { (Vec::new(), people) };
    let edit = SegmentEdit { system: System::Px, name: association.segment.clone(), id: Some(association.segment.clone()), add, remove };
    pass.perform.perform(Effect::EditSegment(edit)).map(|_| ())
}

/// Actions of one step for everybody who is due, as a rule does them for its rows.
fn act(pass: &Pass<'_>, step: &str, all: Vec<(Due, Record)>, delivered: &mut Delivered) -> Result<(), Error> {
    let Some(parts) = pass.journey.steps.get(step) else {
        for (due, _) in &all {
            settle(pass, due, step, Err(Fault::new(FaultKind::NotFound, format!("the step \"{step}\" is gone"))), delivered)?;
        }
        return Ok(());
    };
    if let Some(run) = &parts.run {
        for (due, fields) in &all {
            let outcome = run.call(std::sync::Arc::clone(&pass.perform), &[Value::Map(fields.clone())]);
            settle(pass, due, step, outcome.map(|value| [("returned".into(), value)].into_iter().collect()), delivered)?;
        }
        return Ok(());
    }
    let does = pass.journey.graph.step(step).map(|step| &step.does);
    let Some(action) = &parts.action else {
        for (due, fields) in all {
            let outcome = match does {
                Some(Does::Webhook { url }) => outside::hook(pass, step, url, &due.stored.key, &fields),
                Some(Does::CloseCta { reason }) => outside::close(pass, &due.participant, reason),
                _ => Err(Fault::new(FaultKind::NotFound, format!("the step \"{step}\" is another one now"))),
            };
            settle(pass, &due, step, outcome, delivered)?;
        }
        return Ok(());
    };
    let own = |fields: &Record| fields.path(&pass.journey.identity.company).cloned();
    let named: Vec<Value> = all.iter().filter_map(|(_, fields)| own(fields)).filter(|_| needs_company(&action.kind)).collect();
    let companies = match companies_of(&pass.work(), &named) {
        Ok(companies) => companies,
        Err(Error::Interrupted) => return Err(Error::Interrupted),
        Err(error) => return all.iter().try_for_each(|(due, _)| settle(pass, due, step, Err(error.fault()), delivered)),
    };
    for (due, mut fields) in all {
        if let Some(company) = own(&fields).and_then(|company| companies.get(&company.to_string()).cloned()) {
            fields.set(COMPANY, company);
        }
        let outcome = one_row(pass, action, fields);
        if matches!(outcome, Err(ref fault) if fault.kind == FaultKind::Interrupted) {
            return Err(Error::Interrupted);
        }
        settle(pass, &due, step, outcome, delivered)?;
    }
    Ok(())
}

/// A rejected row is a refused intent, for the reason the row was rejected.
fn one_row(pass: &Pass<'_>, action: &Action, fields: Record) -> Result<Record, Fault> {
    let rejected: Arc<Mutex<Option<Rejection>>> = Arc::default();
    let (kept, notify) = (Arc::clone(&rejected), Arc::clone(pass.notify));
    let listening: Notify = Arc::new(move |notice| {
        if let Notice::Rejected { rejection, .. } = &notice {
            kept.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(rejection.clone());
        }
        notify(notice);
    });
    let mut work = Work { notify: &listening, ..pass.work() };
    for_rows(&mut work, action, &pass.source(), vec![fields]).map_err(|error| error.fault())?;
    let tally = work.tally;
    match rejected.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(rejection) => Err(Fault { field: rejection.field, ..Fault::new(FaultKind::Invalid, rejection.reason) }),
        None => Ok([("written".into(), Value::Bool(tally.written() > 0))].into_iter().collect()),
    }
}
