//! What the steps of one participant asked for, and what became of it.

use rusqlite::Row;

use crate::model::{Fault, Record, Timestamp};

use super::{
    Error, Store,
    error::Fail,
    open::{from_json, instant, maybe_instant, select},
    participant::ParticipantId,
};

/// One thing that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct AskedFor {
    pub step: String,
    /// As the journey wrote it.
    pub intent: serde_json::Value,
    /// `pending`, `held` (its program is paused), `sent` or `failed`.
    pub state: String,
    /// How often it was tried.
    pub attempts: u32,
    pub at: Timestamp,
    /// When it was last tried.
    pub tried: Option<Timestamp>,
    /// What the other side said.
    pub detail: Option<Record>,
    pub fault: Option<Fault>,
}

impl Store {
    /// In the order it was asked for.
    pub fn asked_for(&self, id: ParticipantId) -> Result<Vec<AskedFor>, Error> {
        let query = "SELECT step, intent, state, attempts, at, done_at, detail, fault FROM intents WHERE participant = ?1 ORDER BY id";
        self.read(|sql| select(sql, query, [id.as_i64()], read_asked))
    }
}

fn read_asked(row: &Row<'_>) -> Result<AskedFor, Fail> {
    let detail: Option<String> = row.get(6)?;
    let fault: Option<String> = row.get(7)?;
    Ok(AskedFor {
        step: row.get(0)?,
        intent: from_json("an outbox message", &row.get::<_, String>(1)?)?,
        state: row.get(2)?,
        attempts: row.get(3)?,
        at: instant(row.get(4)?)?,
        tried: maybe_instant(row, 5)?,
        detail: detail.map(|text| from_json("what was said about an outbox message", &text)).transpose()?,
        fault: fault.map(|text| from_json("the fault of an outbox message", &text)).transpose()?,
    })
}
