//! Journeys in tests: people are put in by hand, things happen to them, and the clock jumps from one thing that is due to the next.

use std::sync::{Arc, atomic::Ordering};

use jiff::SignedDuration;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value as Json, json};

use crate::{
    flow::{
        self, Notify, Status,
        journey::{Desk, Occasion, Placed, Published, is_active, place as let_in, wake},
    },
    host::journeys::{Publishing, publish_with},
    model::{EventKind, Fault, FaultKind, Record, Timestamp, Value},
    script::{Body, Declaration, Journey, Look},
    store::{self, AskedFor, NewEvent, Participant, ParticipantId, ParticipantState, Store},
};

use super::{
    bench::{Surroundings, value},
    declared::declared,
    stage::{Opened, Stage},
};

/// How often is looked at what the sandbox's people do by themselves, where they do.
const LOOK: SignedDuration = SignedDuration::from_hours(1);

fn silent() -> Notify {
    Arc::new(|_| ())
}

#[allow(clippy::needless_pass_by_value, reason = "the shape of `map_err`")]
fn state(error: crate::store::Error) -> Fault {
    Fault::new(FaultKind::State, error.to_string())
}

fn journey_of(declaration: &Declaration) -> Result<&Journey, Fault> {
    match &declaration.body {
        Body::Journey(journey) => Ok(journey),
        _ => Err(Fault::new(FaultKind::Invalid, format!("`{}` is a {}, no journey", declaration.name, declaration.kind().word()))),
    }
}

/// Publishes a journey: what became of it.
pub(super) fn publish(stage: &Stage, name: &str) -> Result<Value, Fault> {
    let (status, reasons) = match published(stage, declared(stage, name)?)? {
        Published::Active(_) => ("active", Vec::new()),
        Published::Scheduled(_) => ("scheduled", Vec::new()),
        Published::Kept(reasons) => ("active", reasons),
        Published::Draft(reasons) => ("draft", reasons),
    };
    Ok(value(json!({"status": status, "reasons": reasons})))
}

fn published(stage: &Stage, declaration: &Declaration) -> Result<Published, Fault> {
    journey_of(declaration)?;
    let opened = stage.opened()?;
    let (stop, notify) = (&stage.stop, silent());
    let hands = Publishing {
        mailer: stage.mailer(),
        workspace: &stage.workspace,
        store: &opened.store,
        wire: &opened.wire,
        stop,
        notify: &notify,
        loaded: &stage.loaded,
    };
    publish_with(&hands, declaration, None).map_err(|error| match error {
        crate::host::Error::Flow(error) => error.fault(),
        other => Fault::new(FaultKind::State, other.to_string()),
    })
}

/// Lets a person in, and does what is due for them at once.
pub(super) fn place(stage: &Stage, name: &str, person: Record, step: Option<&str>) -> Result<Value, Fault> {
    let declaration = declared(stage, name)?;
    let (today, opened) = (declaration.on(stage.workspace.today()), stage.opened()?);
    let journey = journey_of(&today)?;
    if let Some(step) = step {
        known_step(journey, name, step)?;
    }
    if !is_active(&opened.store, name)
        && let Published::Draft(reasons) = published(stage, declaration)?
    {
        return Err(Fault::new(FaultKind::Conflict, format!("the journey `{name}` cannot be published: {}", reasons.join("; "))));
    }
    let (options, notify) = (stage.options(), silent());
    let desk = Desk {
        store: &opened.store,
        perform: Arc::new(opened.wire.clone()),
        options: &options,
        notify: &notify,
        stop: &stage.stop,
        now: stage.workspace.clock.now(),
        objections: &[],
    };
    match let_in(&desk, declaration, journey, person, step).map_err(|error| error.fault())? {
        Placed::Outside(why) => Err(Fault::new(FaultKind::Invalid, format!("the person does not come into `{name}`: {why}"))),
        Placed::In(participant) => {
            look_after(stage, opened, declaration)?;
            Ok(value(json!({
                "journey": name, "id": participant.id.as_i64(), "key": participant.key.trim_end_matches('\u{1f}').replace('\u{1f}', "|"),
                "email": participant.email, "px_id": participant.px_id,
            })))
        }
    }
}

fn known_step(journey: &Journey, name: &str, step: &str) -> Result<(), Fault> {
    if journey.graph.step(step).is_some() {
        return Ok(());
    }
    let known: Vec<&str> = journey.graph.steps.iter().map(|step| step.name.as_str()).collect();
    Err(Fault::new(FaultKind::NotFound, format!("`{name}` has no step \"{step}\"; it has {}", known.join(", "))))
}

/// Something happened to a participant, who goes on if that is what they waited for.
pub(super) fn event(around: &Surroundings, id: i64, kind: &str, step: &str, payload: Record) -> Result<Value, Fault> {
    let stage = around.stage.as_ref();
    let (opened, participant) = participant(stage, id)?;
    let declaration = declared(stage, &participant.journey)?;
    known_step(journey_of(declaration)?, &declaration.name, step)?;
    let Some(kind) = EventKind::of(kind) else {
        let known: Vec<&str> = EventKind::ALL.iter().map(|(word, _)| *word).collect();
        return Err(Fault::new(FaultKind::Invalid, format!("`{kind}` is nothing that happens; there are {}", known.join(", "))));
    };
    let now = stage.workspace.clock.now();
    let key = format!("test/{}", around.events.fetch_add(1, Ordering::Relaxed));
    let event = NewEvent { key, participant: participant.id, kind, step: step.to_owned(), at: now, received: now, payload };
    suppress(&opened.store, &participant, kind, now).map_err(state)?;
    opened.store.receive(&[event]).map_err(state)?;
    look_after(stage, opened, declaration)?;
    Ok(Value::Null)
}

/// Whoever unsubscribed, or whose mail came back, gets no more mail from any journey, as with the link and the provider's hook.
fn suppress(store: &Store, participant: &Participant, kind: EventKind, now: Timestamp) -> Result<(), store::Error> {
    match (kind, &participant.email) {
        (EventKind::Unsubscribed, Some(email)) => store.unsubscribe(email, now, "by a test"),
        (EventKind::Bounced, Some(email)) => store.bounced(email, now, "by a test"),
        _ => Ok(()),
    }
}

/// Lets time pass until `target`: whatever is due happens at its own time.
pub(super) fn pass(around: &Surroundings, target: Timestamp) -> Result<Value, Fault> {
    let stage = around.stage.as_ref();
    let opened = stage.opened()?;
    loop {
        if stage.stop.requested() {
            return Err(Fault::new(FaultKind::Interrupted, "the test was asked to stop"));
        }
        let now = stage.workspace.clock.now();
        look_after_all(stage, opened, now)?;
        if now >= target {
            return Ok(Value::Null);
        }
        let mut next = next(opened, now)?.map_or(target, |next| next.min(target));
        if around.lively.load(Ordering::Relaxed) {
            next = next.min(now.saturating_add(LOOK).unwrap_or(target));
        }
        stage.set_clock(next)?;
    }
}

/// When something is due next, after `now`.
fn next(opened: &Opened, now: Timestamp) -> Result<Option<Timestamp>, Fault> {
    let store = &opened.store;
    let mut next: Option<Timestamp> = None;
    for program in store.programs().map_err(state)? {
        let due = store.next_due(&[&program.name]).map_err(state)?;
        let send = store.next_send_of(&program.name).map_err(state)?;
        next = [next, due, send, program.scheduled_for].into_iter().flatten().filter(|at| *at > now).min();
    }
    Ok(next)
}

/// Everything that is due now, in every active journey; and journeys whose time to be published has come.
fn look_after_all(stage: &Stage, opened: &Opened, now: Timestamp) -> Result<(), Fault> {
    for name in wake(&opened.store, now).map_err(|error| error.fault())?.publish {
        published(stage, declared(stage, &name)?)?;
    }
    for declaration in stage.loaded.declarations() {
        if matches!(declaration.body, Body::Journey(_)) && is_active(&opened.store, &declaration.name) {
            look_after(stage, opened, declaration)?;
        }
    }
    Ok(())
}

/// Everything that is due now in one journey, as the host does it; its source is not asked for people.
fn look_after(stage: &Stage, opened: &Opened, declaration: &Arc<Declaration>) -> Result<(), Fault> {
    let options = flow::Options { occasion: Occasion::Timer, ..stage.options() };
    let summaries = flow::run(std::slice::from_ref(declaration), &options, &opened.wire, &silent(), &stage.stop, |_| ());
    let failed = summaries.into_iter().find(|summary| !matches!(summary.status, Status::Ok | Status::Partial));
    failed.and_then(|summary| summary.fault).map_or(Ok(()), Err)
}

fn participant(stage: &Stage, id: i64) -> Result<(&Opened, Participant), Fault> {
    let opened = stage.opened()?;
    let found = opened.store.participant(ParticipantId::from_i64(id)).map_err(state)?;
    found.map(|one| (opened, one)).ok_or_else(|| Fault::new(FaultKind::NotFound, format!("no participant of this test has the id {id}")))
}

/// How a participant stands.
pub(super) fn look(stage: &Stage, id: i64, at: Look) -> Result<Value, Fault> {
    let (opened, participant) = participant(stage, id)?;
    let optional = |text: Option<String>| text.map_or(Value::Null, Value::text);
    match at {
        Look::Step => Ok(optional(participant.step)),
        Look::State => Ok(Value::text(ParticipantState::word(participant.state))),
        Look::Reason => Ok(optional(participant.reason)),
        Look::Timeline => {
            let entries = opened.store.timeline(participant.id).map_err(state)?;
            let entry = |entry: &crate::store::Entry| {
                let fields = [
                    ("at", Value::Instant(entry.at)),
                    ("kind", Value::text(&entry.kind)),
                    ("step", optional(entry.step.clone())),
                    ("detail", Value::Map(entry.detail.clone())),
                ];
                Value::Map(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
            };
            Ok(Value::List(entries.iter().map(entry).collect()))
        }
        Look::Effects => {
            let asked = opened.store.asked_for(participant.id).map_err(state)?;
            Ok(value(asked.iter().map(effect).collect()))
        }
        Look::Mails => {
            let Some(email) = participant.email else { return Ok(Value::List(Vec::new())) };
            stage.ask("mail", &format!("/inbox?to={}", utf8_percent_encode(&email, NON_ALPHANUMERIC)), None).map(value)
        }
    }
}

/// What a step asked for, and what became of it.
fn effect(asked: &AskedFor) -> Json {
    let mut told = asked.intent.clone();
    told["step"] = asked.step.as_str().into();
    told["state"] = asked.state.as_str().into();
    told["attempts"] = asked.attempts.into();
    told["at"] = json!(asked.at);
    told["detail"] = json!(asked.detail);
    told["error"] = asked.fault.as_ref().map_or(Json::Null, |fault| fault.to_string().into());
    told
}
