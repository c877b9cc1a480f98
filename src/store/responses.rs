//! Answers to surveys: each with its time and payload, and their sums per step (B16, B17).

use rusqlite::{Row, params};

use crate::model::{Record, Timestamp};

use super::{
    Error, Store,
    error::Fail,
    open::{from_json, instant, select, uncount},
    participant::ParticipantId,
};

/// One answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// For paging.
    pub id: i64,
    pub at: Timestamp,
    pub step: String,
    pub participant: ParticipantId,
    /// None once the participant's addresses were forgotten.
    pub email: Option<String>,
    pub px_id: Option<String>,
    pub payload: Record,
}

/// Answers of one step by score and by what carried them.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    pub step: String,
    /// None for an answer without one.
    pub score: Option<f64>,
    /// What the answer says of the way it came; none when it says nothing.
    pub channel: Option<String>,
    pub count: u64,
}

pub(super) const RESPONSES: &str = "SELECT event.id, event.at, event.step, event.participant, person.email, person.px_id, event.payload \
     FROM events event INDEXED BY events_responded JOIN participants person ON person.id = event.participant \
     WHERE event.journey = ?1 AND event.kind = 'responded' ORDER BY event.at, event.id LIMIT ?2 OFFSET ?3";

/// One answer of each person to each survey: the latest that has a score, else the latest. The columns beside a `max` are those of its row
/// (`SQLite`, "bare columns in an aggregate query").
pub(super) const SCORES: &str = "SELECT step, score, channel, count(*) FROM \
     (SELECT step, json_extract(payload, '$.score') AS score, json_extract(payload, '$.channel') AS channel, \
      max(id + CASE WHEN json_extract(payload, '$.score') IS NULL THEN 0 ELSE 1 << 62 END) \
      FROM events INDEXED BY events_responded WHERE journey = ?1 AND kind = 'responded' GROUP BY participant, step) \
     GROUP BY step, score, channel ORDER BY step, score, channel";

impl Store {
    /// Answers in the order they were given, so many after so many.
    pub fn responses(&self, journey: &str, limit: u32, passed: u32) -> Result<Vec<Response>, Error> {
        self.read(|sql| select(sql, RESPONSES, params![journey, limit, passed], read_response))
    }

    /// How many people gave each score: whoever changed an answer, or added to it, counts once, by the latest score.
    pub fn scores(&self, journey: &str) -> Result<Vec<Score>, Error> {
        self.read(|sql| select(sql, SCORES, [journey], read_score))
    }
}

fn read_response(row: &Row<'_>) -> Result<Response, Fail> {
    Ok(Response {
        id: row.get(0)?,
        at: instant(row.get(1)?)?,
        step: row.get(2)?,
        participant: ParticipantId::from_i64(row.get(3)?),
        email: row.get(4)?,
        px_id: row.get(5)?,
        payload: from_json("an answer", &row.get::<_, String>(6)?)?,
    })
}

/// A score may have come as text.
fn read_score(row: &Row<'_>) -> Result<Score, Fail> {
    let score: rusqlite::types::Value = row.get(1)?;
    #[allow(clippy::cast_precision_loss, reason = "scores are small")]
    let score = match score {
        rusqlite::types::Value::Integer(whole) => Some(whole as f64),
        rusqlite::types::Value::Real(number) => Some(number),
        rusqlite::types::Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    let channel: rusqlite::types::Value = row.get(2)?;
    let channel = if let rusqlite::types::Value::Text(channel) = channel { Some(channel) } else { None };
    Ok(Score { step: row.get(0)?, score, channel, count: uncount(row.get(3)?) })
}
