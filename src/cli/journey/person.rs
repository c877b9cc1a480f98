//! `tabi journey show NAME --person WHO`: where somebody is, why, and what happens next (B8, B9).

use serde_json::{Value, json};

use crate::{
    cli::{
        Context, Exit, Failure,
        render::{BOLD, DIM, paint, plain, table, time},
    },
    host::Workspace,
    model::Does,
    script::Journey,
    store::{Entry, Participant, ParticipantFilter, ParticipantState},
};

/// How many participations of one search are shown.
const MOST: u32 = 20;

/// Shows everybody in the journey whose key, address or PX id the words are found in.
pub(super) fn person(workspace: &Workspace, name: &str, journey: &Journey, who: &str, cx: &Context) -> Result<Exit, Failure> {
    let store = workspace.store()?;
    let filter = ParticipantFilter { search: Some(who), limit: MOST, ..ParticipantFilter::default() };
    let found = store.participants(name, &filter)?;
    let mut documents = Vec::new();
    for participant in &found {
        let timeline = store.timeline(participant.id)?;
        if cx.out.is_json() {
            documents.push(document(participant, journey, &timeline));
        } else {
            show(participant, journey, &timeline, workspace, cx);
        }
    }
    cx.out.json(&documents);
    if found.is_empty() {
        cx.out.line(paint(DIM, format!("Nobody in {name} is known as `{who}`.")));
        return Ok(Exit::Failed);
    }
    Ok(Exit::Done)
}

fn document(participant: &Participant, journey: &Journey, timeline: &[Entry]) -> Value {
    let entry = |entry: &Entry| json!({"at": entry.at, "kind": entry.kind, "step": entry.step, "detail": entry.detail});
    json!({
        "participant": participant.id.as_i64(), "email": participant.email, "px_id": participant.px_id, "state": participant.state.word(),
        "step": participant.step, "since": participant.since, "due": participant.due, "reason": participant.reason,
        "entered": participant.entered, "ended": participant.ended, "revision": participant.revision,
        "next": next(participant, journey), "fields": participant.fields, "timeline": timeline.iter().map(entry).collect::<Vec<_>>(),
    })
}

fn show(participant: &Participant, journey: &Journey, timeline: &[Entry], workspace: &Workspace, cx: &Context) {
    let zone = &workspace.config.timezone;
    let who = participant.email.as_deref().or(participant.px_id.as_deref()).unwrap_or(&participant.key);
    cx.out.line(format!("{} {}", paint(BOLD, who), paint(DIM, format!("participant {}", participant.id))));
    let step = participant.step.as_ref().map(|step| format!(" at \"{step}\"")).unwrap_or_default();
    let reason = participant.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    cx.out.line(format!("  {}{step} since {}{reason}", participant.state.word(), time(participant.since, zone)));
    if let Some(next) = next(participant, journey) {
        let due = participant.due.map(|due| format!(" (at the latest {})", time(due, zone))).unwrap_or_default();
        cx.out.line(format!("  next: {next}{due}"));
    }
    let rows = timeline.iter().map(|entry| {
        let detail = if entry.detail.is_empty() { String::new() } else { serde_json::to_string(&entry.detail).unwrap_or_default() };
        vec![plain(time(entry.at, zone)), plain(&entry.kind), plain(entry.step.as_deref().unwrap_or("")), plain(detail)]
    });
    cx.out.line(table(&["when", "what", "step", "detail"], rows.collect()));
}

/// What would move them on.
fn next(participant: &Participant, journey: &Journey) -> Option<String> {
    match participant.state {
        ParticipantState::Completed | ParticipantState::Dropped | ParticipantState::Failed => return None,
        ParticipantState::Parked => return Some("the step comes back, or somebody publishes with `--accept`".to_owned()),
        ParticipantState::Active | ParticipantState::Waiting => (),
    }
    let step = journey.graph.step(participant.step.as_deref()?)?;
    let to = |name: &Option<String>| name.as_ref().map_or("the end".to_owned(), |name| format!("\"{name}\""));
    Some(match &step.does {
        Does::WaitFor { when, then, otherwise, .. } => format!("{} when {when}, else {}", to(then), to(otherwise)),
        Does::Wait { .. } => to(&step.next),
        does => format!("{} goes out when messages may", does.word()),
    })
}
