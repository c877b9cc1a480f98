//! What users of PX did with engagements, whichever journey showed them, or none (B9).

use rusqlite::{Row, params};

use crate::model::{EventKind, Timestamp};

use super::{
    Error, Store,
    error::Fail,
    open::{instant, micros, select},
};

/// Something that a user did with an engagement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doing {
    pub px_id: String,
    /// PX's own id of it.
    pub engagement: String,
    pub kind: EventKind,
    pub at: Timestamp,
}

pub(super) const DONE: &str = "SELECT kind, at FROM doings WHERE px_id = ?1 AND engagement = ?2 ORDER BY at, kind DESC";

impl Store {
    /// Keeps the first time of each.
    pub fn did(&self, doings: &[Doing]) -> Result<(), Error> {
        if doings.is_empty() {
            return Ok(());
        }
        self.write(|sql| {
            let mut insert = sql.prepare_cached(
                "INSERT INTO doings (px_id, engagement, kind, at) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (px_id, engagement, kind) DO UPDATE SET at = min(at, excluded.at)",
            )?;
            for doing in doings {
                insert.execute(params![doing.px_id, doing.engagement, doing.kind.word(), micros(doing.at)])?;
            }
            Ok(())
        })
    }

    /// What a user did with an engagement and when first, in the order it happened.
    pub fn doings(&self, px_id: &str, engagement: &str) -> Result<Vec<(EventKind, Timestamp)>, Error> {
        self.read(|sql| select(sql, DONE, [px_id, engagement], read_doing))
    }

    /// Whether what was done with an engagement before it was first associated has been read.
    pub fn knows_history(&self, engagement: &str) -> Result<bool, Error> {
        self.read(|sql| Ok(sql.prepare_cached("SELECT 1 FROM histories WHERE engagement = ?1")?.exists([engagement])?))
    }

    /// It has been, up to now.
    pub fn has_history(&self, engagement: &str, at: Timestamp) -> Result<(), Error> {
        self.write(|sql| {
            sql.prepare_cached("INSERT INTO histories (engagement, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
                .execute(params![engagement, micros(at)])?;
            Ok(())
        })
    }
}

fn read_doing(row: &Row<'_>) -> Result<(EventKind, Timestamp), Fail> {
    let kind: String = row.get(0)?;
    let kind = EventKind::of(&kind).ok_or_else(|| Fail::Garbled("what a user did", kind))?;
    Ok((kind, instant(row.get(1)?)?))
}
