//! The engagements of PX that programs show (B10, B11).

use rusqlite::{Row, params};

use crate::model::Timestamp;

use super::{
    Error, Store,
    error::Fail,
    open::{instant, maybe_instant, micros, select},
};

/// An engagement that a program is associated with, by an external segment of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Association {
    pub journey: String,
    /// As the script names it.
    pub engagement: String,
    /// PX's own id.
    pub id: String,
    /// PX's type, such as `IN_APP_GUIDE`.
    pub kind: String,
    /// The external segment whose members are its audience.
    pub segment: String,
    pub since: Timestamp,
    /// When it was cut: nobody is added any more.
    pub cut: Option<Timestamp>,
}

const OF: &str = "SELECT journey, engagement, px_id, kind, segment, since, cut FROM associations WHERE journey = ?1 ORDER BY id";

impl Store {
    /// All associations a program has and had, oldest first.
    pub fn associations(&self, journey: &str) -> Result<Vec<Association>, Error> {
        self.read(|sql| select(sql, OF, [journey], read_association))
    }

    /// What a program shows from now on: what is not among it is cut, what is new is added, what is the same stays.
    pub fn associate(&self, journey: &str, wanted: &[Association], at: Timestamp) -> Result<(), Error> {
        self.write(|sql| {
            let present = select(sql, OF, [journey], read_association)?;
            let same = |a: &Association, b: &Association| a.engagement == b.engagement && a.id == b.id && a.segment == b.segment;
            for old in present.iter().filter(|old| old.cut.is_none() && !wanted.iter().any(|new| same(old, new))) {
                sql.prepare_cached("UPDATE associations SET cut = ?3 WHERE journey = ?1 AND engagement = ?2 AND cut IS NULL")?.execute(params![
                    journey,
                    old.engagement,
                    micros(at)
                ])?;
            }
            let mut insert =
                sql.prepare_cached("INSERT INTO associations (journey, engagement, px_id, kind, segment, since) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
            for new in wanted.iter().filter(|new| !present.iter().any(|old| old.cut.is_none() && same(old, new))) {
                insert.execute(params![journey, new.engagement, new.id, new.kind, new.segment, micros(new.since)])?;
            }
            Ok(())
        })
    }
}

fn read_association(row: &Row<'_>) -> Result<Association, Fail> {
    Ok(Association {
        journey: row.get(0)?,
        engagement: row.get(1)?,
        id: row.get(2)?,
        kind: row.get(3)?,
        segment: row.get(4)?,
        since: instant(row.get(5)?)?,
        cut: maybe_instant(row, 6)?,
    })
}
