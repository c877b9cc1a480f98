//! What journeys have to send: noted with the move that asks for it, tried until it went out or was given up, never twice for one key.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::model::{Fault, Record, Timestamp, Value};

use super::{
    Error, Store,
    edits::AT_ONCE,
    error::Fail,
    event::{self, NewEvent},
    message,
    moves::History,
    open::{from_json, instant, micros, select, to_json, uncount},
    participant::ParticipantId,
    timeline::{self, Entry, EntryKind},
};

/// Something that has to go out.
#[derive(Debug, Clone, PartialEq)]
pub struct NewIntent {
    /// Idempotency key: what has the same key goes out once.
    pub key: String,
    pub participant: ParticipantId,
    pub journey: String,
    pub step: String,
    /// JSON, an object.
    pub intent: String,
    pub at: Timestamp,
    /// Not to be sent earlier: quiet hours, working days, caps.
    pub not_before: Timestamp,
}

/// What somebody asked for and has not got yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    pub step: String,
    pub not_before: Timestamp,
    pub attempts: u32,
    /// Why it did not go out the last time.
    pub fault: Option<Fault>,
}

/// Something that waits in the outbox.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    pub id: i64,
    pub key: String,
    pub participant: ParticipantId,
    pub journey: String,
    pub step: String,
    /// JSON, an object.
    pub intent: String,
    /// How often it was tried.
    pub attempts: u32,
    pub at: Timestamp,
    pub not_before: Timestamp,
}

/// What became of an intent that was tried.
#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    /// It went out; what the other side said about it.
    Sent(Record),
    /// It did not go out, and is tried again from then on. What its participant asked for after it waits as long.
    Later(Timestamp, Fault),
    /// It did not go out and never will.
    GaveUp(Fault),
    /// What it was asked for is gone, and why: it does not go out, and nothing has gone wrong.
    Dropped(String),
}

/// An intent that was tried, and what follows from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    pub intent: i64,
    pub fate: Fate,
    /// What happened to the participant by it.
    pub event: Option<NewEvent>,
    /// The address or PX user id of whoever got a message by it.
    pub messaged: Option<String>,
}

/// How much of a journey's messages and effects went out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutboxCounts {
    /// Also what is held back while the program is paused.
    pub pending: u64,
    pub sent: u64,
    pub failed: u64,
}

/// The longest due first, so that a long queue is never walked through; a batch is by id.
pub(super) const OUTBOX: &str = "SELECT id, key, participant, journey, step, intent, attempts, at, not_before FROM intents WHERE id IN \
     (SELECT id FROM intents INDEXED BY intents_pending WHERE state = 'pending' AND not_before <= ?1 ORDER BY not_before, id LIMIT ?2) ORDER BY id";

/// By the time it may go out, then by id. Nothing of a participant comes before what the same participant asked for earlier: `add` and
/// `again` see to it that times never fall with the ids.
pub(super) const OUTBOX_OF: &str = "SELECT id, key, participant, journey, step, intent, attempts, at, not_before FROM intents INDEXED BY intents_next \
     WHERE journey = ?1 AND state = 'pending' AND not_before <= ?2 ORDER BY not_before, id LIMIT ?3";

pub(super) const NEXT_SEND_OF: &str =
    "SELECT not_before FROM intents INDEXED BY intents_next WHERE journey = ?1 AND state = 'pending' ORDER BY not_before LIMIT 1";

pub(super) const NEXT_SEND: &str = "SELECT not_before FROM intents INDEXED BY intents_pending WHERE state = 'pending' ORDER BY not_before LIMIT 1";

pub(super) const COUNTS: &str = "SELECT state, count(*) FROM intents WHERE journey = ?1 GROUP BY state";

impl Store {
    /// What may go out at `now`, by id; when there is more than `limit`, what may go out the longest. Not that of paused programs.
    pub fn outbox(&self, now: Timestamp, limit: u32) -> Result<Vec<Intent>, Error> {
        self.read(|sql| select(sql, OUTBOX, params![micros(now), limit], read_intent))
    }

    /// The same for one program.
    pub fn outbox_of(&self, journey: &str, now: Timestamp, limit: u32) -> Result<Vec<Intent>, Error> {
        self.read(|sql| select(sql, OUTBOX_OF, params![journey, micros(now), limit], read_intent))
    }

    /// When the next thing may go out.
    pub fn next_send(&self) -> Result<Option<Timestamp>, Error> {
        self.read(|sql| {
            let next: Option<i64> = sql.prepare_cached(NEXT_SEND)?.query_row([], |row| row.get(0)).optional()?;
            next.map(instant).transpose()
        })
    }

    /// When the next thing of one program may go out.
    pub fn next_send_of(&self, journey: &str) -> Result<Option<Timestamp>, Error> {
        self.read(|sql| {
            let next: Option<i64> = sql.prepare_cached(NEXT_SEND_OF)?.query_row([journey], |row| row.get(0)).optional()?;
            next.map(instant).transpose()
        })
    }

    /// What of a participant's has not gone out yet, in the order it was asked for.
    pub fn pending_of(&self, participant: ParticipantId) -> Result<Vec<Pending>, Error> {
        let query = "SELECT step, not_before, attempts, fault FROM intents INDEXED BY intents_of \
                     WHERE participant = ?1 AND state IN ('pending', 'held') ORDER BY id";
        let read = |row: &Row<'_>| {
            let fault: Option<String> = row.get(3)?;
            let fault = fault.map(|fault| from_json("a fault", &fault)).transpose()?;
            Ok(Pending { step: row.get(0)?, not_before: instant(row.get(1)?)?, attempts: row.get(2)?, fault })
        };
        self.read(|sql| select(sql, query, [participant.as_i64()], read))
    }

    /// Notes what became of intents, with what that means for their participants and for the log of messages: all of it or nothing.
    ///
    /// # Errors
    /// `NoIntent` for an id that the outbox does not have.
    pub fn settle(&self, settled: &[Settled], at: Timestamp) -> Result<(), Error> {
        if settled.is_empty() {
            return Ok(());
        }
        let history = self.history();
        self.write(|sql| {
            for one in settled {
                settle(sql, one, at, history)?;
            }
            Ok(())
        })?;
        if let Some(scratch) = &self.scratch {
            scratch.sent(settled.iter().filter(|one| matches!(one.fate, Fate::Sent(_))).map(|one| one.intent));
        }
        Ok(())
    }

    /// Drops what a program that was stopped still had to send: nobody gets it when the program is published again. People leave the audiences
    /// that they are in all the same.
    pub fn drop_unsent(&self, journey: &str, why: &str, at: Timestamp) -> Result<(), Error> {
        let some =
            "SELECT id FROM intents WHERE journey = ?1 AND state IN ('pending', 'held') AND json_extract(intent, '$.kind') <> 'leave' LIMIT ?2";
        let history = self.history();
        loop {
            let dropped = self.write(|sql| {
                let ids: Vec<i64> = sql.prepare_cached(some)?.query_map(params![journey, AT_ONCE], |row| row.get(0))?.collect::<Result<_, _>>()?;
                ids.iter().try_for_each(|id| drop_one(sql, *id, why, at, history))?;
                Ok(ids.len())
            })?;
            if dropped == 0 {
                return Ok(());
            }
        }
    }

    pub fn outbox_counts(&self, journey: &str) -> Result<OutboxCounts, Error> {
        let rows = self.read(|sql| select(sql, COUNTS, [journey], |row| Ok((row.get::<_, String>(0)?, uncount(row.get(1)?)))))?;
        let mut counts = OutboxCounts::default();
        for (state, n) in rows {
            match state.as_str() {
                "sent" => counts.sent += n,
                "failed" => counts.failed += n,
                "pending" | "held" => counts.pending += n,
                _ => (),
            }
        }
        Ok(counts)
    }
}

/// Notes what has to go out; a known key is passed over. Nothing goes out before what its participant is still trying to send.
pub(super) fn add(sql: &Connection, intents: &[NewIntent]) -> Result<(), Fail> {
    let mut insert = sql.prepare_cached(
        "INSERT INTO intents (key, participant, journey, step, intent, at, not_before, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, \
         max(?7, coalesce((SELECT max(not_before) FROM intents INDEXED BY intents_again \
         WHERE participant = ?2 AND attempts > 0 AND state IN ('pending', 'held')), ?7)), \
         CASE (SELECT status FROM programs WHERE name = ?3) WHEN 'paused' THEN 'held' ELSE 'pending' END) ON CONFLICT (key) DO NOTHING",
    )?;
    for intent in intents {
        insert.execute(params![
            intent.key,
            intent.participant.as_i64(),
            intent.journey,
            intent.step,
            intent.intent,
            micros(intent.at),
            micros(intent.not_before)
        ])?;
    }
    Ok(())
}

fn settle(sql: &Connection, one: &Settled, at: Timestamp, history: History) -> Result<(), Fail> {
    const SENT: &str = "UPDATE intents SET state = 'sent', attempts = attempts + 1, done_at = ?2, detail = ?3, fault = NULL WHERE id = ?1";
    const DONE: &str = "UPDATE intents SET state = 'sent' WHERE id = ?1";
    const GAVE_UP: &str = "UPDATE intents SET state = 'failed', attempts = attempts + 1, done_at = ?2, fault = ?3 WHERE id = ?1";
    if let Some(event) = &one.event {
        event::take(sql, event)?;
    }
    if let Some(person) = &one.messaged {
        message::note(sql, person, at, one.intent)?;
    }
    match &one.fate {
        Fate::Sent(_) if history == History::Forgotten => known(one.intent, sql.prepare_cached(DONE)?.execute([one.intent])?),
        Fate::Sent(detail) => known(one.intent, sql.prepare_cached(SENT)?.execute(params![one.intent, micros(at), to_json(detail)?])?),
        Fate::GaveUp(fault) => known(one.intent, sql.prepare_cached(GAVE_UP)?.execute(params![one.intent, micros(at), to_json(fault)?])?),
        Fate::Dropped(why) => drop_one(sql, one.intent, why, at, history),
        Fate::Later(not_before, fault) => again(sql, one.intent, at, *not_before, fault),
    }
}

/// Told in the timeline: whoever looks for a mail finds why there was none.
fn drop_one(sql: &Connection, id: i64, why: &str, at: Timestamp, history: History) -> Result<(), Fail> {
    let dropped = "UPDATE intents SET state = 'dropped', done_at = ?2 WHERE id = ?1 RETURNING participant, step";
    let mut statement = sql.prepare_cached(dropped)?;
    let found: Option<(i64, String)> = statement.query_row(params![id, micros(at)], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let (participant, step) = found.ok_or(Error::NoIntent { id })?;
    if history == History::Forgotten {
        return Ok(());
    }
    let detail = [("not_sent".into(), Value::text(why))].into_iter().collect();
    let entry = Entry { at, kind: EntryKind::Note.word().to_owned(), step: Some(step), detail };
    timeline::append(sql, ParticipantId::from_i64(participant), &[entry])
}

/// What comes after it waits as long as it does.
fn again(sql: &Connection, id: i64, at: Timestamp, not_before: Timestamp, fault: &Fault) -> Result<(), Fail> {
    const AGAIN: &str = "UPDATE intents SET attempts = attempts + 1, done_at = ?2, not_before = ?3, fault = ?4 WHERE id = ?1";
    const AFTER: &str = "UPDATE intents SET not_before = max(not_before, ?2) \
         WHERE participant = (SELECT participant FROM intents WHERE id = ?1) AND id > ?1 AND state IN ('pending', 'held')";
    known(id, sql.prepare_cached(AGAIN)?.execute(params![id, micros(at), micros(not_before), to_json(fault)?])?)?;
    sql.prepare_cached(AFTER)?.execute(params![id, micros(not_before)])?;
    Ok(())
}

fn known(id: i64, updated: usize) -> Result<(), Fail> {
    if updated == 0 { Err(Error::NoIntent { id }.into()) } else { Ok(()) }
}

fn read_intent(row: &Row<'_>) -> Result<Intent, Fail> {
    Ok(Intent {
        id: row.get(0)?,
        key: row.get(1)?,
        participant: ParticipantId::from_i64(row.get(2)?),
        journey: row.get(3)?,
        step: row.get(4)?,
        intent: row.get(5)?,
        attempts: row.get(6)?,
        at: instant(row.get(7)?)?,
        not_before: instant(row.get(8)?)?,
    })
}
