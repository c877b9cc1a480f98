//! What a user of PX did with an engagement before (B9): PX does not show it again, so whoever comes again is set to viewed or completed at
//! once. Surveys are left out: whoever is asked again is to answer again (B15).

use crate::{
    flow::Error,
    model::{Does, EventKind, Value},
    store::{Entry, Fact, InboxEvent, Participant},
};

use super::pass::Pass;

/// What follows at once from somebody having come into an engagement's audience.
///
/// # Errors
/// When the state file fails.
pub(super) fn doings(pass: &Pass<'_>, participant: &Participant, joined: &InboxEvent) -> Result<Vec<(Fact, Entry)>, Error> {
    let step = pass.journey.graph.step(&joined.step);
    let (EventKind::Sent, Some(Does::Engagement { engagement })) = (joined.kind, step.map(|step| &step.does)) else { return Ok(Vec::new()) };
    let association = pass.associations.iter().find(|one| one.engagement == *engagement && one.cut.is_none());
    let (Some(association), Some(px_id)) = (association, &participant.px_id) else { return Ok(Vec::new()) };
    let found = pass.store.doings(px_id, &association.id)?.into_iter();
    let before = found.filter(|(kind, at)| matches!(kind, EventKind::Viewed | EventKind::Completed) && *at < joined.at);
    Ok(before.map(|(kind, at)| known(joined, kind, at)).collect())
}

fn known(joined: &InboxEvent, kind: EventKind, at: crate::model::Timestamp) -> (Fact, Entry) {
    let (step, now) = (joined.step.clone(), joined.at);
    let detail = [("note".into(), Value::text("did so before, with the same engagement")), ("first".into(), Value::Instant(at))];
    let entry = Entry { at: now, kind: kind.word().to_owned(), step: Some(step.clone()), detail: detail.into_iter().collect() };
    (Fact { event: kind, step, at: now, score: None, channel: None }, entry)
}
