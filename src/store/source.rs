//! What participants' sources last said of them: people who are in are read again, and only what has changed is written.

use std::collections::{HashMap, HashSet};

use rusqlite::{Row, params};

use crate::model::{Record, Timestamp};

use super::{
    Error, Store,
    error::Fail,
    funnel::Tally,
    moves::{self, Move},
    open::{maybe_instant, select, to_json},
    participant::{ParticipantId, ParticipantState, read_state},
};

/// The newest participation of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    pub id: ParticipantId,
    pub state: ParticipantState,
    pub ended: Option<Timestamp>,
    /// It was refused at the door and never came to a step.
    pub at_door: bool,
    /// Of the fields that its source last gave, as `Store::source_hash` tells it; none for those who came in before it was kept.
    pub source: Option<i64>,
}

/// One answer for all keys of a page; the newest of each key comes last.
pub(super) const KNOWN: &str = "SELECT p.key, p.id, p.state, p.ended, p.source_hash, p.step IS NULL FROM json_each(?2) AS asked \
     CROSS JOIN participants AS p ON p.journey = ?1 AND p.key = asked.value ORDER BY p.id";

pub(super) const REACHED: &str = "SELECT m.participant, s.name FROM json_each(?2) AS step \
     CROSS JOIN journey_steps AS s ON s.journey = ?1 AND s.name = step.value CROSS JOIN json_each(?3) AS person \
     CROSS JOIN milestones AS m ON m.step = s.id AND m.kind = 'reached' AND m.participant = person.value";

impl Store {
    /// Which of the keys took part already, and how their newest participation stands.
    pub fn known_keys(&self, journey: &str, keys: &[String]) -> Result<HashMap<String, Known>, Error> {
        self.read(|sql| Ok(select(sql, KNOWN, params![journey, to_json(&keys)?], read_known)?.into_iter().collect()))
    }

    /// The newest participation of everybody who has this field, by its value as text.
    pub fn people_by_field(&self, journey: &str, field: &str) -> Result<HashMap<String, ParticipantId>, Error> {
        let query = "SELECT json_extract(fields, ?2), id FROM participants \
             WHERE journey = ?1 AND json_type(fields, ?2) = 'text' ORDER BY id";
        let path = format!("$.\"{field}\"");
        let read = |row: &Row<'_>| Ok((row.get(0)?, ParticipantId::from_i64(row.get(1)?)));
        self.read(|sql| Ok(select(sql, query, params![journey, path], read)?.into_iter().collect()))
    }

    /// A number that differs when the fields do.
    pub fn source_hash(fields: &Record) -> i64 {
        serde_json::to_string(fields).map_or(0, |text| hash(&text))
    }

    /// Keeps what was read of participants, with the moves that follow from it, each with its source's hash: all or none.
    pub fn commit_read(&self, read: &[(Move, i64)]) -> Result<(), Error> {
        let history = self.history();
        self.write(|sql| {
            let mut tally = Tally::default();
            for (one, source) in read {
                moves::make(sql, one, &mut tally, history)?;
                sql.prepare_cached("UPDATE participants SET source_hash = ?2 WHERE id = ?1")?.execute([one.participant.id.as_i64(), *source])?;
            }
            tally.keep(sql)
        })
    }

    /// Which of the participants have come to which of the steps.
    pub fn have_reached(&self, journey: &str, steps: &[&str], people: &[ParticipantId]) -> Result<HashSet<(ParticipantId, String)>, Error> {
        let read = |row: &Row<'_>| Ok((ParticipantId::from_i64(row.get(0)?), row.get(1)?));
        self.read(|sql| Ok(select(sql, REACHED, params![journey, to_json(&steps)?, to_json(&people)?], read)?.into_iter().collect()))
    }
}

/// Of a record's JSON.
pub(super) fn hash(text: &str) -> i64 {
    let bytes = blake3::hash(text.as_bytes());
    bytes.as_bytes().iter().take(8).fold(0_i64, |number, byte| number << 8 | i64::from(*byte))
}

fn read_known(row: &Row<'_>) -> Result<(String, Known), Fail> {
    let (id, state) = (ParticipantId::from_i64(row.get(1)?), read_state(row, 2)?);
    let at_door = state == ParticipantState::Failed && row.get(5)?;
    Ok((row.get(0)?, Known { id, state, ended: maybe_instant(row, 3)?, at_door, source: row.get(4)? }))
}
