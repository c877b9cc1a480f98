//! What each participant went through, told in order.

use rusqlite::{Connection, Row, params};

use crate::model::{EventKind, Record, Timestamp};

use super::{
    Error, Store,
    error::Fail,
    open::{from_json, instant, micros, select, to_json},
    participant::ParticipantId,
};

/// What an entry of a timeline tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    Entered,
    Moved,
    /// Something happened with a step. Its word is that of the event.
    Event(EventKind),
    Sent,
    Effect,
    Failed,
    Ended,
    Parked,
    Note,
}

impl EntryKind {
    const OWN: [Self; 8] = [Self::Entered, Self::Moved, Self::Sent, Self::Effect, Self::Failed, Self::Ended, Self::Parked, Self::Note];

    /// The word in timelines, JSON and the state file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Entered => "entered",
            Self::Moved => "moved",
            Self::Event(kind) => kind.word(),
            Self::Sent => "sent",
            Self::Effect => "effect",
            Self::Failed => "failed",
            Self::Ended => "ended",
            Self::Parked => "parked",
            Self::Note => "note",
        }
    }

    /// `sent` and `failed` are the entry's own kinds, not the events of the same word.
    pub fn of(word: &str) -> Option<Self> {
        let own = Self::OWN.into_iter().find(|kind| kind.word() == word);
        own.or_else(|| EventKind::of(word).map(Self::Event))
    }
}

/// One line of a participant's timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub at: Timestamp,
    /// `EntryKind::word`.
    pub kind: String,
    pub step: Option<String>,
    pub detail: Record,
}

impl Store {
    /// In the order it was written down.
    pub fn timeline(&self, id: ParticipantId) -> Result<Vec<Entry>, Error> {
        let query = "SELECT at, kind, step, detail FROM timeline WHERE participant = ?1 ORDER BY id";
        self.read(|sql| select(sql, query, [id.as_i64()], read_entry))
    }

    /// Appends to a participant's timeline outside of a move. Moves nobody, counts in no funnel.
    pub fn note(&self, id: ParticipantId, entries: &[Entry]) -> Result<(), Error> {
        self.write(|sql| {
            super::participant::must_exist(sql, id)?;
            append(sql, id, entries)
        })
    }
}

pub(super) fn append(sql: &Connection, id: ParticipantId, entries: &[Entry]) -> Result<(), Fail> {
    let mut insert = sql.prepare_cached("INSERT INTO timeline (participant, at, kind, step, detail) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for entry in entries {
        insert.execute(params![id.as_i64(), micros(entry.at), entry.kind, entry.step, to_json(&entry.detail)?])?;
    }
    Ok(())
}

fn read_entry(row: &Row<'_>) -> Result<Entry, Fail> {
    Ok(Entry {
        at: instant(row.get(0)?)?,
        kind: row.get(1)?,
        step: row.get(2)?,
        detail: from_json("a timeline's detail", &row.get::<_, String>(3)?)?,
    })
}
