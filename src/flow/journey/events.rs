//! What people did in PX, polled from its event feeds. A feed is read again from before where it was read to: what is late is found, and
//! what comes twice counts once by its id.

use jiff::SignedDuration;

use crate::{
    flow::{Error, pages::for_each_page},
    model::{Channel, Does, EventKind, Graph, Query, Record, Source, System, Timestamp, Value},
    store::{Association, Doing, NewEvent, Participant, Store},
};

use super::pass::Pass;

/// How long an event may take to show up in the feed.
const LATE: SignedDuration = SignedDuration::from_hours(2);
/// The furthest back that PX tells of events.
const HISTORY: SignedDuration = SignedDuration::from_hours(24 * 190 - 1);

/// Reads what happened with the journey's engagements and hands it to their participants. Gives back how many events were new.
///
/// # Errors
/// When PX cannot be asked; nothing is lost then, the next look asks from the same point.
pub(super) fn poll(pass: &Pass<'_>) -> Result<usize, Error> {
    let live: Vec<&Association> = pass.associations.iter().filter(|one| one.cut.is_none()).collect();
    if live.is_empty() {
        return Ok(0);
    }
    history(pass, &live)?;
    let kept = pass.store.program(pass.name())?.and_then(|program| program.polled_at);
    let begun = live.iter().map(|one| one.since).min().unwrap_or(pass.now);
    let oldest = pass.now.saturating_sub(HISTORY).unwrap_or(begun);
    let since = kept.map_or(begun, |at| at.saturating_sub(LATE).unwrap_or(at)).max(oldest);
    let mut fresh = 0;
    // The feed knows no condition on the engagement.
    let source = Source::Object(Query { since: Some(("date".to_owned(), since)), ..Query::of(System::Px, "engagement_views") });
    for_each_page(&mut pass.work(), &source, |_, rows| {
        let (mut events, mut did) = (Vec::new(), Vec::new());
        for row in &rows {
            if let Some(association) = live.iter().find(|one| is_of(row, &one.id)) {
                let told = of_row(pass, association, row)?;
                if association.confirmed.is_none()
                    && let Some(first) = told.iter().map(|event| event.at).min()
                {
                    pass.store.confirm(pass.name(), &association.id, first)?;
                }
                events.extend(told);
                did.extend(doings(row, &association.id));
            }
        }
        fresh += pass.store.receive(&events)?;
        pass.store.did(&did)?;
        Ok(())
    })?;
    pass.store.polled(pass.name(), pass.now)?;
    Ok(fresh)
}

/// Reads back, once for each engagement, what was done with it before it was first associated: whoever comes again is known by it (B9).
fn history(pass: &Pass<'_>, live: &[&Association]) -> Result<(), Error> {
    let mut unread = Vec::new();
    for one in live.iter().filter(|one| !one.kind.ends_with("_SURVEY")) {
        if !pass.store.knows_history(&one.id)? {
            unread.push(one.id.as_str());
        }
    }
    if unread.is_empty() {
        return Ok(());
    }
    let oldest = pass.now.saturating_sub(HISTORY).unwrap_or(pass.now);
    let source = Source::Object(Query { since: Some(("date".to_owned(), oldest)), ..Query::of(System::Px, "engagement_views") });
    for_each_page(&mut pass.work(), &source, |_, rows| {
        let did = rows.iter().flat_map(|row| unread.iter().filter(|id| is_of(row, id)).flat_map(|id| doings(row, id)));
        Ok(pass.store.did(&did.collect::<Vec<_>>())?)
    })?;
    unread.into_iter().try_for_each(|id| pass.store.has_history(id, pass.now)).map_err(Error::from)
}

fn is_of(row: &Record, engagement: &str) -> bool {
    row.get("engagementId").and_then(Value::as_str) == Some(engagement)
}

/// What a row says that its user did.
fn doings(row: &Record, engagement: &str) -> Vec<Doing> {
    let (Some(px_id), Some(at)) = (text(row, "identifyId"), instant(row)) else { return Vec::new() };
    let doing = |kind| Doing { px_id: px_id.clone(), engagement: engagement.to_owned(), kind, at };
    kinds(row).into_iter().map(doing).collect()
}

/// One row of the feed for everybody it concerns in this journey.
fn of_row(pass: &Pass<'_>, association: &Association, row: &Record) -> Result<Vec<NewEvent>, Error> {
    let Some(px_id) = text(row, "identifyId") else { return Ok(Vec::new()) };
    let people = pass.store.by_px(&px_id)?;
    let ours = people.iter().filter(|participant| participant.journey == pass.name());
    Ok(ours.flat_map(|participant| happened(participant, &pass.journey.graph, &association.engagement, row, pass.now)).collect())
}

/// One thing that PX tells of, in the words of its feeds, for everybody it concerns in any journey: what its web hooks bring. It has the
/// keys that the polled feed gives it, so that it counts once whichever comes first. The engagement's association is confirmed by it.
///
/// # Errors
/// The state file's.
pub fn of_px(store: &Store, row: &Record, now: Timestamp) -> Result<Vec<NewEvent>, Error> {
    let (Some(px_id), Some(engagement)) = (text(row, "identifyId"), text(row, "engagementId")) else { return Ok(Vec::new()) };
    let mut events = Vec::new();
    for participant in store.by_px(&px_id)? {
        let associations = store.associations(&participant.journey)?;
        let Some(association) = associations.iter().find(|one| one.id == engagement && one.cut.is_none()) else { continue };
        let Some(program) = store.program(&participant.journey)? else { continue };
        let Some(revision) = store.revision(&participant.journey, program.revision)? else { continue };
        let told = happened(&participant, &revision.graph, &association.engagement, row, now);
        if association.confirmed.is_none()
            && let Some(first) = told.iter().map(|event| event.at).min()
        {
            store.confirm(&participant.journey, &association.id, first)?;
        }
        events.extend(told);
    }
    Ok(events)
}

/// What a row says of one participant: the same PX user may take part more than once.
fn happened(participant: &Participant, graph: &Graph, engagement: &str, row: &Record, now: Timestamp) -> Vec<NewEvent> {
    let (Some(event_id), Some(at)) = (text(row, "eventId"), instant(row)) else { return Vec::new() };
    let mut events = Vec::new();
    for (step, reminds) in steps_of(graph, engagement) {
        if !shown_to(participant, &step, at) {
            continue;
        }
        // A reminder is seen; the answer belongs to its survey.
        for kind in kinds(row).into_iter().filter(|kind| !reminds || *kind == EventKind::Viewed) {
            let key = format!("px/{event_id}/{}/{}/{step}", kind.word(), participant.id);
            let (participant, step, payload) = (participant.id, step.clone(), payload(row, kind));
            events.push(NewEvent { key, participant, kind, step, at, received: now, payload });
        }
    }
    events
}

/// Steps that show the engagement, and whether they only remind of it.
fn steps_of(graph: &Graph, engagement: &str) -> Vec<(String, bool)> {
    let is_survey = |step: &str| matches!(graph.step(step).map(|step| &step.does), Some(Does::Survey { survey, .. }) if survey == engagement);
    let shows = |does: &Does| match does {
        Does::Engagement { engagement: shown } => (shown == engagement).then_some(false),
        Does::Survey { survey, .. } => (survey == engagement).then_some(false),
        Does::Remind { of, channel: Channel::Px, .. } => is_survey(of).then_some(true),
        _ => None,
    };
    graph.steps.iter().filter_map(|step| Some((step.name.clone(), shows(&step.does)?))).collect()
}

/// Whether the participant was in the audience by the step when it happened.
fn shown_to(participant: &Participant, step: &str, at: Timestamp) -> bool {
    participant.facts.iter().any(|fact| fact.event == EventKind::Sent && fact.step == step && fact.at <= at)
}

/// What a row of the feed says: seen, gone through to the end, answered.
fn kinds(row: &Record) -> Vec<EventKind> {
    let is = |field: &str, word: &str| row.get(field).and_then(Value::as_str) == Some(word);
    let survey = row.get("contentType").and_then(Value::as_str).is_some_and(|kind| kind.contains("SURVEY"));
    let answered = survey && (is("surveyState", "COMPLETED") || row.get("score").is_some_and(|score| !score.is_blank()));
    let mut kinds = Vec::new();
    if is("engagementTrackType", "ENGAGEMENT_VIEW") {
        kinds.push(EventKind::Viewed);
    }
    if answered {
        kinds.push(EventKind::Responded);
    } else if is("guideState", "COMPLETED") {
        kinds.push(EventKind::Completed);
    }
    if is("engagementTrackType", "ENGAGEMENT_CLICK") && !answered {
        kinds.push(EventKind::Clicked);
    }
    kinds
}

/// What is worth keeping of an answer.
fn payload(row: &Record, kind: EventKind) -> Record {
    let names = ["score", "comment", "questionType", "selectionIds", "contactMeAllowed", "executionId", "linkUrl"];
    let kept = names.iter().filter_map(|name| Some(((*name).into(), row.get(name).filter(|value| !value.is_blank())?.clone())));
    let way = (kind == EventKind::Responded).then(|| ("channel".into(), Value::text("px")));
    kept.chain(way).collect()
}

fn text(row: &Record, field: &str) -> Option<String> {
    row.get(field).filter(|value| !value.is_blank()).map(ToString::to_string)
}

/// PX tells time in milliseconds since 1970.
fn instant(row: &Record) -> Option<Timestamp> {
    match row.get("date")? {
        Value::Instant(at) => Some(*at),
        Value::Int(millis) => Timestamp::from_millisecond(*millis).ok(),
        Value::Text(text) => text.parse().ok(),
        _ => None,
    }
}
