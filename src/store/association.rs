//! The engagements of PX that programs show (B10, B11).

use rusqlite::{OptionalExtension, Row, params};

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
    /// Why PX does not show it at the moment (B2).
    pub trouble: Option<String>,
    /// When a member of the segment first saw it: until then nothing tells that the segment is its audience in PX.
    pub confirmed: Option<Timestamp>,
    /// When somebody was last told that nobody has seen it.
    pub warned: Option<Timestamp>,
}

const OF: &str = "SELECT journey, engagement, px_id, kind, segment, since, cut, trouble, confirmed, warned FROM associations \
     WHERE journey = ?1 ORDER BY id";

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
            // What can be published has nothing wrong with it.
            sql.prepare_cached("UPDATE associations SET trouble = NULL WHERE journey = ?1 AND cut IS NULL AND trouble IS NOT NULL")?
                .execute([journey])?;
            let mut insert =
                sql.prepare_cached("INSERT INTO associations (journey, engagement, px_id, kind, segment, since) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
            for new in wanted.iter().filter(|new| !present.iter().any(|old| old.cut.is_none() && same(old, new))) {
                insert.execute(params![journey, new.engagement, new.id, new.kind, new.segment, micros(new.since)])?;
            }
            Ok(())
        })
    }

    /// Other programs that are associated with an engagement, by its PX id.
    pub fn also_associated(&self, px_id: &str, but: &str) -> Result<Vec<String>, Error> {
        let query = "SELECT DISTINCT journey FROM associations INDEXED BY associations_of_engagement JOIN programs ON programs.name = journey \
                     WHERE px_id = ?1 AND cut IS NULL AND journey <> ?2 AND programs.status IN ('active', 'paused') ORDER BY journey";
        self.read(|sql| select(sql, query, [px_id, but], |row| Ok(row.get(0)?)))
    }

    /// What is wrong with an engagement from now on; with nothing, whoever waits for it has their turn at once.
    pub fn trouble(&self, journey: &str, engagement: &str, trouble: Option<&str>, at: Timestamp) -> Result<(), Error> {
        self.write(|sql| {
            sql.prepare_cached("UPDATE associations SET trouble = ?3 WHERE journey = ?1 AND engagement = ?2 AND cut IS NULL")?
                .execute(params![journey, engagement, trouble])?;
            if trouble.is_none() {
                sql.prepare_cached(
                    "UPDATE intents INDEXED BY intents_by_state SET not_before = ?3 WHERE journey = ?1 AND state = 'pending' AND not_before > ?3 \
                     AND json_extract(intent, '$.kind') = 'join' AND json_extract(intent, '$.engagement') = ?2",
                )?
                .execute(params![journey, engagement, micros(at)])?;
            }
            Ok(())
        })
    }

    /// A member of the segment has seen the engagement.
    pub fn confirm(&self, journey: &str, px_id: &str, at: Timestamp) -> Result<(), Error> {
        self.write(|sql| {
            sql.prepare_cached("UPDATE associations SET confirmed = ?3 WHERE journey = ?1 AND px_id = ?2 AND cut IS NULL AND confirmed IS NULL")?
                .execute(params![journey, px_id, micros(at)])?;
            Ok(())
        })
    }

    /// Somebody was told that nobody has seen the engagement.
    pub fn warned(&self, journey: &str, px_id: &str, at: Timestamp) -> Result<(), Error> {
        self.write(|sql| {
            sql.prepare_cached("UPDATE associations SET warned = ?3 WHERE journey = ?1 AND px_id = ?2 AND cut IS NULL")?.execute(params![
                journey,
                px_id,
                micros(at)
            ])?;
            Ok(())
        })
    }

    /// When a program's engagements were last looked at.
    pub fn checked_at(&self, journey: &str) -> Result<Option<Timestamp>, Error> {
        self.read(|sql| {
            let query = "SELECT checked_at FROM programs WHERE name = ?1";
            let found: Option<Option<i64>> = sql.prepare_cached(query)?.query_row([journey], |row| row.get(0)).optional()?;
            found.flatten().map(instant).transpose()
        })
    }

    /// They were looked at.
    pub fn checked(&self, journey: &str, at: Timestamp) -> Result<(), Error> {
        self.write(|sql| {
            sql.prepare_cached("UPDATE programs SET checked_at = ?2 WHERE name = ?1")?.execute(params![journey, micros(at)])?;
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
        trouble: row.get(7)?,
        confirmed: maybe_instant(row, 8)?,
        warned: maybe_instant(row, 9)?,
    })
}
