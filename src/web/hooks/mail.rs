//! Events of those who deliver mail: an object or a list of `{type, recipient, id, message_id, at, reason}`, `type` one of `bounced`,
//! `unsubscribed`, `complained`; others are forgotten. `SendGrid`'s own names (`event`, `email`, `sg_event_id`, `smtp-id`, `timestamp`) are
//! understood as well.

use serde_json::Value as Json;

use super::text;
use crate::{
    model::{EventKind, Record, Timestamp, Value},
    store::{Error, NewEvent, Participant},
    web::desk::Desk,
};

/// Takes one event.
pub(super) fn told(desk: &Desk, event: &Json) -> Result<(), Error> {
    let kind = match text(event, &["type", "event"]).unwrap_or_default().to_lowercase().as_str() {
        // SendGrid's `type` says what kind of bounce it is.
        "bounced" | "bounce" | "blocked" | "dropped" if text(event, &["bounce_type"]) != Some("soft") => EventKind::Bounced,
        "unsubscribed" | "unsubscribe" | "group_unsubscribe" | "complained" | "complaint" | "spamreport" => EventKind::Unsubscribed,
        _ => {
            desk.ignore("mail");
            return Ok(());
        }
    };
    let Some(recipient) = text(event, &["recipient", "email"]) else {
        desk.ignore("mail");
        return Ok(());
    };
    let people = desk.store.by_email(recipient)?;
    let told = Told { at: at(event).unwrap_or_else(|| (desk.now)()), message: text(event, &["message_id", "smtp-id"]) };
    let mut events = Vec::new();
    for who in &people {
        let Some(step) = told.step_of(desk, who)? else { continue };
        let id = text(event, &["id", "sg_event_id"]).map_or_else(|| told.at.to_string(), str::to_owned);
        let key = format!("mail/{id}/{}/{}/{step}", kind.word(), who.id);
        let reason = text(event, &["reason", "response"]).map(|reason| ("reason".into(), Value::text(reason)));
        let payload: Record = reason.into_iter().collect();
        events.push(NewEvent { key, participant: who.id, kind, step, at: told.at, received: (desk.now)(), payload });
    }
    if people.is_empty() {
        desk.ignore("mail");
        return Ok(());
    }
    let why = text(event, &["reason"]).unwrap_or("told by the mail provider");
    match kind {
        EventKind::Bounced => desk.store.bounced(recipient, told.at, why)?,
        _ => desk.store.unsubscribe(recipient, told.at, why)?,
    }
    desk.take(&events).map(drop)
}

struct Told<'e> {
    at: Timestamp,
    message: Option<&'e str>,
}

impl Told<'_> {
    /// The step whose mail it is about: by the message's id where it is told, else the latest one that was sent.
    fn step_of(&self, desk: &Desk, who: &Participant) -> Result<Option<String>, Error> {
        let sent: Vec<&str> = who.facts.iter().filter(|fact| fact.event == EventKind::Sent).map(|fact| fact.step.as_str()).collect();
        let bare = |id: &str| id.trim_matches(['<', '>']).to_owned();
        let mut latest = None;
        for step in sent {
            for payload in desk.store.told(who.id, EventKind::Sent, step)? {
                let Some(id) = payload.get("message_id").and_then(Value::as_str) else { continue };
                match self.message {
                    Some(message) if bare(message) == bare(id) => return Ok(Some(step.to_owned())),
                    _ => latest = Some(step.to_owned()),
                }
            }
        }
        Ok(latest.filter(|_| self.message.is_none()))
    }
}

/// RFC 3339, or seconds since 1970.
fn at(event: &Json) -> Option<Timestamp> {
    match event.get("at").or_else(|| event.get("timestamp"))? {
        Json::String(text) => text.parse().ok(),
        Json::Number(seconds) => Timestamp::from_second(seconds.as_i64()?).ok(),
        _ => None,
    }
}
