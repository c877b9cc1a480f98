//! What happened outside, by webhook or by polling: each thing taken once, and kept until it has moved its participant.

use rusqlite::{Connection, Row, params};

use crate::model::{EventKind, Record, Timestamp};

use super::{
    Error, Store,
    error::Fail,
    open::{from_json, instant, micros, select, to_json},
    participant::ParticipantId,
};

/// Something that happened to a participant.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// The same for the same thing, however often it is told.
    pub key: String,
    pub participant: ParticipantId,
    pub kind: EventKind,
    pub step: String,
    /// When it happened.
    pub at: Timestamp,
    /// When it was heard of.
    pub received: Timestamp,
    pub payload: Record,
}

/// An event that has not moved its participant yet.
#[derive(Debug, Clone, PartialEq)]
pub struct InboxEvent {
    /// For `Move::events`.
    pub id: i64,
    pub key: String,
    pub participant: ParticipantId,
    pub kind: EventKind,
    pub step: String,
    pub at: Timestamp,
    pub received: Timestamp,
    pub payload: Record,
}

pub(super) const UNHANDLED: &str = "SELECT id, key, participant, kind, step, at, received, payload FROM events \
     WHERE journey = ?1 AND handled = 0 ORDER BY participant, at, id LIMIT ?2";

impl Store {
    /// Takes events in, and says how many are new. Those with a known key and those of unknown participants are passed over.
    pub fn receive(&self, events: &[NewEvent]) -> Result<usize, Error> {
        if events.is_empty() {
            return Ok(0);
        }
        self.write(|sql| {
            let mut taken = 0;
            for event in events {
                taken += take(sql, event)?;
            }
            Ok(taken)
        })
    }

    /// What a participant was told to have done with a step, in the order it was heard of: handled or not.
    pub fn told(&self, participant: ParticipantId, kind: EventKind, step: &str) -> Result<Vec<Record>, Error> {
        let query = "SELECT payload FROM events INDEXED BY events_of WHERE participant = ?1 AND kind = ?2 AND step = ?3 ORDER BY id";
        let read = |row: &Row<'_>| from_json("an event's payload", &row.get::<_, String>(0)?);
        self.read(|sql| select(sql, query, params![participant.as_i64(), kind.word(), step], read))
    }

    /// Events of a journey that have moved nobody yet: by participant, then by the time they happened.
    pub fn unhandled(&self, journey: &str, limit: u32) -> Result<Vec<InboxEvent>, Error> {
        self.read(|sql| select(sql, UNHANDLED, params![journey, limit], read_event))
    }
}

/// 1 when it is new.
pub(super) fn take(sql: &Connection, event: &NewEvent) -> Result<usize, Fail> {
    let mut insert = sql.prepare_cached(
        "INSERT INTO events (key, participant, journey, kind, step, at, received, payload) \
         SELECT ?1, id, journey, ?3, ?4, ?5, ?6, ?7 FROM participants WHERE id = ?2 ON CONFLICT (key) DO NOTHING",
    )?;
    let (id, kind, payload) = (event.participant.as_i64(), event.kind.word(), to_json(&event.payload)?);
    Ok(insert.execute(params![event.key, id, kind, event.step, micros(event.at), micros(event.received), payload])?)
}

fn read_event(row: &Row<'_>) -> Result<InboxEvent, Fail> {
    let kind: String = row.get(3)?;
    Ok(InboxEvent {
        id: row.get(0)?,
        key: row.get(1)?,
        participant: ParticipantId::from_i64(row.get(2)?),
        kind: EventKind::of(&kind).ok_or_else(|| Fail::Garbled("an event's kind", kind))?,
        step: row.get(4)?,
        at: instant(row.get(5)?)?,
        received: instant(row.get(6)?)?,
        payload: from_json("an event's payload", &row.get::<_, String>(7)?)?,
    })
}
