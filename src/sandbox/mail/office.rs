//! What is kept: messages and events. A second message of the same `Message-ID` to the same people is kept too and told as a duplicate;
//! mailboxes show the first one only, so nobody does anything with it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use base64::Engine as _;
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use super::{
    behaviour::{Act, Behaviour, acts},
    message::view,
};
use crate::sandbox::{
    Error,
    clock::instant,
    documents::{Change, Documents, Nothing, Row, Table},
    faults::Kind,
    server::{Logged, Requests, World},
};

/// The envelope of a message on its way.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    pub(super) from: String,
    pub(super) to: Vec<String>,
    pub(super) utf8: bool,
}

/// The mail of one sandbox.
pub(in crate::sandbox) struct Office {
    pub(super) world: Arc<World>,
    documents: Arc<Documents>,
    pub(super) messages: Arc<Table>,
    pub(super) events: Arc<Table>,
    settings: Arc<Table>,
    requests: Requests,
    /// What people will do: by time, message and place among its acts.
    agenda: Mutex<BTreeMap<Due, Act>>,
    /// Whether something taken from the agenda is being done.
    working: AtomicBool,
    /// Rung when the agenda may begin earlier than before.
    pub(super) bell: Notify,
}

/// Milliseconds, the message's id, and the act's place.
pub(super) type Due = (i64, String, usize);

/// The row of the settings.
const BEHAVIOUR: &str = "behaviour";

impl Office {
    pub(in crate::sandbox) fn new(world: &Arc<World>, documents: &Arc<Documents>, requests: &Requests) -> Self {
        Self {
            world: Arc::clone(world),
            messages: documents.table("message", Nothing),
            events: documents.table("event", Nothing),
            settings: documents.table("setting", Nothing),
            documents: Arc::clone(documents),
            requests: requests.clone(),
            agenda: Mutex::default(),
            working: AtomicBool::new(false),
            bell: Notify::new(),
        }
    }

    /// Keeps a message and returns its id.
    pub(super) fn accept(&self, letter: &Letter, raw: &[u8]) -> Result<String, Error> {
        let view = view(raw);
        let now = self.world.clock.now_ms();
        // One at a time: whether a message is a duplicate hangs on those before it.
        let mut agenda = self.agenda();
        let base = match &view.message_id {
            Some(id) => digest(&[id.as_bytes(), letter.to.join(",").to_lowercase().as_bytes()]),
            None => digest(&[raw, letter.to.join(",").as_bytes()]),
        };
        let id = self.free(&base);
        let duplicate_of = (id != base && view.message_id.is_some()).then_some(base);
        let known_as = view.message_id.as_deref().unwrap_or(&id);
        let behaviour = self.behaviour();
        let each = |to: &String| acts(&behaviour, self.world.company.seed, to, known_as, &view, now);
        let plan: Vec<Act> = if duplicate_of.is_some() { Vec::new() } else { letter.to.iter().flat_map(each).collect() };
        let (text, encoding) = match std::str::from_utf8(raw) {
            Ok(text) => (text.to_owned(), Value::Null),
            Err(_) => (base64::engine::general_purpose::STANDARD.encode(raw), "base64".into()),
        };
        let message = json!({
            "id": id, "from": letter.from, "to": letter.to, "subject": view.subject, "message_id": view.message_id,
            "received": instant(now), "received_ms": now, "size": raw.len(), "duplicate_of": duplicate_of, "encoding": encoding,
            "plan": plan, "raw": text,
        });
        let mut changes = vec![(self.messages.as_ref(), Change::Insert(id.clone(), fields(message)))];
        if duplicate_of.is_none() {
            let bounces = |to: &&String| !plan.iter().any(|act| act.kind == super::behaviour::Kind::Bounced && act.recipient == **to);
            for (at, to) in letter.to.iter().enumerate().filter(|(_, to)| bounces(to)) {
                let event = event(&format!("{id}-d{at}"), "delivered", now, &id, view.message_id.as_deref(), to);
                changes.push((self.events.as_ref(), Change::Insert(format!("{id}-d{at}"), event)));
            }
        }
        self.documents.write_all(changes)?;
        agenda.extend(plan.into_iter().enumerate().map(|(at, act)| ((act.at_ms, id.clone(), at), act)));
        drop(agenda);
        self.bell.notify_one();
        Ok(id)
    }

    /// The id itself, or with the number of the copy.
    fn free(&self, base: &str) -> String {
        let copies = (2..).map(|number: u64| format!("{base}-{number}"));
        let mut ids = std::iter::once(base.to_owned()).chain(copies);
        ids.find(|id| self.messages.get(id).is_none()).unwrap_or_default()
    }

    pub(super) fn behaviour(&self) -> Behaviour {
        self.setting(BEHAVIOUR).and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default()
    }

    pub(super) fn setting(&self, name: &str) -> Option<Value> {
        self.settings.get(name).map(|row| row.get("value").into_owned())
    }

    /// Of messages from now on.
    pub(super) fn behave(&self, behaviour: &Behaviour) -> Result<(), Error> {
        self.set(BEHAVIOUR, json!(behaviour))
    }

    pub(super) fn set(&self, name: &str, value: Value) -> Result<(), Error> {
        let value = Map::from_iter([("value".to_owned(), value)]);
        if !self.documents.update(&self.settings, name, value.clone())? {
            self.documents.insert(&self.settings, name, value)?;
        }
        Ok(())
    }

    /// What was not done yet of the messages that are kept: after a start.
    pub(super) fn remember(&self) {
        let mut agenda = self.agenda();
        for row in self.messages.scan() {
            let plan: Vec<Act> = serde_json::from_value(row.get("plan").into_owned()).unwrap_or_default();
            for (at, act) in plan.into_iter().enumerate() {
                if self.events.get(&act_id(&row.id(), at)).is_none() {
                    agenda.insert((act.at_ms, row.id().into_owned(), at), act);
                }
            }
        }
    }

    /// Takes what is due out of the agenda, at most so many.
    pub(super) fn due(&self, most: usize) -> Vec<(Due, Act)> {
        let now = self.world.clock.now_ms();
        let mut agenda = self.agenda();
        let mut due = Vec::new();
        while due.len() < most
            && let Some(first) = agenda.first_entry().filter(|first| first.key().0 <= now)
        {
            due.push(first.remove_entry());
        }
        self.working.store(!due.is_empty(), Ordering::Relaxed);
        due
    }

    /// Whether everything that is due was done and told.
    pub(super) fn is_settled(&self) -> bool {
        let now = self.world.clock.now_ms();
        let agenda = self.agenda();
        !self.working.load(Ordering::Relaxed) && agenda.first_key_value().is_none_or(|((at, ..), _)| *at > now)
    }

    /// When something is due next.
    pub(super) fn next_ms(&self) -> Option<i64> {
        self.agenda().first_key_value().map(|((at, ..), _)| *at)
    }

    /// Writes down what was done, with the status that each fetch came to, and gives the bounces among it back. Of messages that are gone by now nothing is told.
    pub(super) fn done(&self, acts: &[(Due, Act, Vec<Option<u16>>)]) -> Result<Vec<Map<String, Value>>, Error> {
        let (mut changes, mut bounces) = (Vec::new(), Vec::new());
        for ((_, id, at), act, statuses) in acts {
            let Some(message) = self.messages.get(id) else { continue };
            let message_id = message.get("message_id");
            let event_id = act_id(id, *at);
            let mut event = event(&event_id, act.kind.word(), act.at_ms, id, message_id.as_str(), &act.recipient);
            if !act.urls.is_empty() {
                event.insert("url".to_owned(), act.urls.first().cloned().into());
                event.insert("status".to_owned(), statuses.first().copied().flatten().into());
            }
            if act.kind == super::behaviour::Kind::Bounced {
                event.insert("reason".to_owned(), "550 5.1.1 No such user".into());
                bounces.push(event.clone());
            }
            changes.push((self.events.as_ref(), Change::Insert(event_id, event)));
        }
        self.documents.write_all(changes)?;
        Ok(bounces)
    }

    /// One line of the log of requests for each message offered.
    pub(super) fn log(&self, letter: &Letter, code: u16, fault: Option<Kind>) {
        let path = if letter.to.is_empty() { letter.from.clone() } else { letter.to.join(",") };
        self.requests.push(Logged {
            method: "MAIL".to_owned(),
            path,
            query: None,
            status: code,
            time: self.world.clock.now(),
            fault: fault.map(|kind| kind.to_string()),
        });
    }

    fn agenda(&self) -> MutexGuard<'_, BTreeMap<Due, Act>> {
        self.agenda.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bytes of a kept message.
pub(super) fn raw(row: &Row) -> Vec<u8> {
    let raw = row.get("raw");
    let text = raw.as_str().unwrap_or_default();
    if row.get("encoding").is_null() { text.as_bytes().to_vec() } else { base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_default() }
}

fn act_id(message: &str, at: usize) -> String {
    format!("{message}-a{at}")
}

fn event(id: &str, kind: &str, at_ms: i64, message: &str, message_id: Option<&str>, recipient: &str) -> Map<String, Value> {
    fields(json!({"id": id, "type": kind, "at": instant(at_ms), "message": message, "message_id": message_id, "recipient": recipient}))
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn digest(parts: &[&[u8]]) -> String {
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    for part in parts {
        hasher.update(part);
        hasher.update(b"\0");
    }
    format!("{:016x}", hasher.digest())
}
