//! `tabi journey show NAME --person WHO`: where somebody is, why, and what happens next (B8, B9).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    cli::{
        Context, Exit, Failure,
        render::{BOLD, DIM, WARN, paint, plain, table, time},
    },
    host::Workspace,
    model::{Does, Graph},
    script::Journey,
    store::{self, Entry, Participant, ParticipantFilter, ParticipantState, Pending, Program, ProgramStatus, Store},
};

/// How many participations of one search are shown.
const MOST: u32 = 20;

/// Shows whoever has this address or PX id; if nobody has, everybody whose key, address or PX id it is found in.
pub(super) fn person(workspace: &Workspace, name: &str, journey: &Journey, who: &str, cx: &Context) -> Result<Exit, Failure> {
    let store = workspace.store()?;
    let program = store.program(name)?;
    // Where they go is said by the flow that runs, which the scripts may no longer say.
    let runs = program.as_ref().map(|program| store.revision(name, program.revision)).transpose()?.flatten().map(|revision| revision.graph);
    let about = About { name, program: program.as_ref(), graph: runs.as_ref().unwrap_or(&journey.graph) };
    let (found, more) = sought(&store, name, who)?;
    let mut documents = Vec::new();
    for participant in &found {
        let timeline = store.timeline(participant.id)?;
        let pending = store.pending_of(participant.id)?;
        if cx.out.is_json() {
            documents.push(document(participant, &about, &pending, &timeline));
        } else {
            show(participant, &about, &pending, &timeline, workspace, cx);
        }
    }
    cx.out.json(&documents);
    if more {
        cx.out.note(format!("{} `{who}` is found in more people than the {MOST} shown; write more of the address", paint(WARN, "warning:")));
    }
    if found.is_empty() {
        cx.out.line(paint(DIM, format!("Nobody in {name} is known as `{who}`.")));
        return Ok(Exit::Failed);
    }
    Ok(Exit::Done)
}

/// Who is meant, and whether there are more than are told.
fn sought(store: &Store, name: &str, who: &str) -> Result<(Vec<Participant>, bool), store::Error> {
    let mut found: BTreeMap<i64, Participant> = BTreeMap::new();
    for participant in store.by_email(who)?.into_iter().chain(store.by_px(who)?).filter(|one| one.journey == name) {
        found.insert(participant.id.as_i64(), participant);
    }
    if !found.is_empty() {
        return Ok((found.into_values().collect(), false));
    }
    let filter = ParticipantFilter { search: Some(who), limit: MOST + 1, ..ParticipantFilter::default() };
    let mut found = store.participants(name, &filter)?;
    let more = found.len() > MOST as usize;
    found.truncate(MOST as usize);
    Ok((found, more))
}

/// The journey that somebody is in.
struct About<'a> {
    name: &'a str,
    program: Option<&'a Program>,
    graph: &'a Graph,
}

fn document(participant: &Participant, about: &About<'_>, pending: &[Pending], timeline: &[Entry]) -> Value {
    let waits = |one: &Pending| json!({"step": one.step, "not_before": one.not_before, "attempts": one.attempts, "fault": one.fault});
    let entry = |entry: &Entry| json!({"at": entry.at, "kind": entry.kind, "step": entry.step, "detail": entry.detail});
    json!({
        "participant": participant.id.as_i64(), "email": participant.email, "px_id": participant.px_id, "state": participant.state.word(),
        "step": participant.step, "since": participant.since, "due": participant.due, "reason": participant.reason,
        "entered": participant.entered, "ended": participant.ended, "revision": participant.revision,
        "next": next(about, participant, pending), "pending": pending.iter().map(waits).collect::<Vec<_>>(), "fields": *participant.fields, "timeline": timeline.iter().map(entry).collect::<Vec<_>>(),
    })
}

fn show(participant: &Participant, about: &About<'_>, pending: &[Pending], timeline: &[Entry], workspace: &Workspace, cx: &Context) {
    let zone = &workspace.config.timezone;
    let who = participant.email.as_deref().or(participant.px_id.as_deref()).unwrap_or(&participant.key);
    cx.out.line(format!("{} {}", paint(BOLD, who), paint(DIM, format!("participant {}", participant.id))));
    let step = participant.step.as_ref().map(|step| format!(" at \"{step}\"")).unwrap_or_default();
    let reason = participant.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    cx.out.line(format!("  {}{step} since {}{reason}", participant.state.word(), time(participant.since, zone)));
    cx.out.line(format!("  entered {} with revision {}", time(participant.entered, zone), participant.revision));
    if let Some(ended) = participant.ended {
        cx.out.line(format!("  ended {}; nothing happens any more", time(ended, zone)));
    }
    if let Some(next) = next(about, participant, pending) {
        let runs = about.program.is_some_and(|program| program.status == ProgramStatus::Active);
        let due = participant
            .due
            .filter(|_| runs && participant.state == ParticipantState::Waiting)
            .map(|due| format!(" (at the latest {})", time(due, zone)))
            .unwrap_or_default();
        cx.out.line(format!("  next: {next}{due}"));
    }
    let rows = timeline.iter().map(|entry| {
        let detail = if entry.detail.is_empty() { String::new() } else { serde_json::to_string(&entry.detail).unwrap_or_default() };
        vec![plain(time(entry.at, zone)), plain(&entry.kind), plain(entry.step.as_deref().unwrap_or("")), plain(detail)]
    });
    cx.out.line(table(&["when", "what", "step", "detail"], rows.collect()));
}

/// What happens next, and what that hangs on.
fn next(about: &About<'_>, participant: &Participant, pending: &[Pending]) -> Option<String> {
    let status = about.program.map_or(ProgramStatus::Draft, |program| program.status);
    let name = about.name;
    match participant.state {
        ParticipantState::Completed | ParticipantState::Dropped | ParticipantState::Failed => return None,
        ParticipantState::Parked => {
            let step = participant.step.as_deref().unwrap_or_default();
            return Some(format!("waits for an edit that brings \"{step}\" back; or `tabi journey move {name} --from \"{step}\" --to STEP`"));
        }
        ParticipantState::Active | ParticipantState::Waiting => (),
    }
    if status == ProgramStatus::Stopped {
        return Some("nothing: the journey is stopped".to_owned());
    }
    let going_out = pending.first().map(|one| {
        let why = one.fault.as_ref().map(|fault| format!(", because {fault}")).unwrap_or_default();
        format!("what \"{}\" asks for goes out{why}; then ", one.step)
    });
    let moves = moves(about.graph, participant)?;
    let paused = if status == ProgramStatus::Paused { "nothing until the journey is resumed; then " } else { "" };
    Some(format!("{paused}{}{moves}", going_out.unwrap_or_default()))
}

fn moves(graph: &Graph, participant: &Participant) -> Option<String> {
    let step = participant.step.as_deref()?;
    let Some(step) = graph.step(step) else { return Some(format!("is parked: the flow that runs has no \"{step}\"")) };
    let to = |name: &Option<String>| name.as_ref().map_or("the end".to_owned(), |name| format!("\"{name}\""));
    Some(match &step.does {
        Does::WaitFor { when, then, otherwise, .. } => format!("{} when {when}, else {}", to(then), to(otherwise)),
        Does::Wait { .. } => to(&step.next),
        does => format!("{} goes out when messages may", does.word()),
    })
}
