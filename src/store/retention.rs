//! Forgetting what is old: runs with their errors, and the journal by age and by size. What is unfinished is never forgotten.

use rusqlite::params;

use crate::model::Timestamp;

use super::{
    Error, Store,
    open::{count, micros, select, uncount},
};

/// How much is kept. None keeps everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Runs and their row errors older than this, with their journal. The last run of each declaration stays.
    pub run_days: Option<u32>,
    pub journal_days: Option<u32>,
    /// Changed records in all.
    pub journal_rows: Option<u64>,
    /// What people went through whose participation ended longer ago: their timelines, events, what was sent, fields and addresses. That they
    /// took part stays, and how it ended: nobody enters twice because of it, and the sums of the funnel stay.
    pub participant_days: Option<u32>,
    /// The texts of revisions, so many newest ones of each journey; that of the running one stays. Their flows stay.
    pub revision_texts: Option<u32>,
}

/// What was forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    pub runs: u64,
    pub journal_rows: u64,
    pub participants: u64,
}

impl Store {
    /// Forgets what the retention says and gives the room back to the disk. Small transactions, so that runs go on meanwhile.
    pub fn sweep(&self, keep: Retention, now: Timestamp) -> Result<Swept, Error> {
        let mut swept = Swept::default();
        if let Some(days) = keep.journal_days {
            swept.journal_rows += self.forget_batches("intended_at < ?1", days_before(now, days))?;
        }
        if let Some(rows) = keep.journal_rows {
            let oldest = self.read(|sql| Ok(sql.query_row("SELECT coalesce(max(seq), 0) FROM journal_rows", [], |row| row.get::<_, i64>(0))?))?;
            swept.journal_rows += self.forget_batches("row_count > 0 AND first_row + row_count <= ?1", oldest.saturating_sub(count(rows)) + 1)?;
        }
        if let Some(days) = keep.run_days {
            let before = days_before(now, days);
            swept.journal_rows += self.forget_batches(&format!("run IN (SELECT seq FROM runs WHERE {OLD_RUNS})"), before)?;
            swept.runs =
                self.write(|sql| Ok(uncount(i64::try_from(sql.execute(&format!("DELETE FROM runs WHERE {OLD_RUNS}"), [before])?).unwrap_or(0))))?;
        }
        if let Some(days) = keep.participant_days {
            swept.participants = self.forget_participants(days_before(now, days))?;
        }
        if let Some(newest) = keep.revision_texts {
            self.write(|sql| Ok(sql.execute(OLD_TEXTS, [newest])?))?;
        }
        self.outside_transaction(|sql| {
            sql.execute_batch("PRAGMA incremental_vacuum")?;
            Ok(sql.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?)
        })?;
        Ok(swept)
    }

    /// Forgets what ended participants went through, some at a time, looked for in stretches of ids so that nothing is locked for long.
    fn forget_participants(&self, before: i64) -> Result<u64, Error> {
        const AT_A_TIME: i64 = 2_000;
        let last: i64 = self.read(|sql| Ok(sql.query_row("SELECT coalesce(max(id), 0) FROM participants", [], |row| row.get(0))?))?;
        let (mut forgotten, mut from) = (0, 0);
        while from < last {
            let to = from + AT_A_TIME;
            let ids: Vec<i64> = self.read(|sql| select(sql, ENDED, params![from, to, before], |row| Ok(row.get(0)?)))?;
            if !ids.is_empty() {
                self.write(|sql| {
                    for query in FORGET {
                        let mut forget = sql.prepare_cached(query)?;
                        for id in &ids {
                            forget.execute([id])?;
                        }
                    }
                    Ok(())
                })?;
            }
            forgotten += ids.len() as u64;
            from = to;
        }
        Ok(forgotten)
    }

    /// Forgets completed batches, some at a time.
    fn forget_batches(&self, which: &str, bound: i64) -> Result<u64, Error> {
        const AT_A_TIME: u32 = 20;
        let query =
            format!("SELECT id, first_row, row_count FROM journal_batches WHERE completed_at IS NOT NULL AND {which} ORDER BY id LIMIT {AT_A_TIME}");
        let mut forgotten = 0;
        loop {
            let (batches, rows) = self.write(|sql| {
                let batches: Vec<(i64, i64, i64)> =
                    sql.prepare_cached(&query)?.query_map([bound], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect::<Result<_, _>>()?;
                let mut rows = 0;
                for (id, first, length) in &batches {
                    rows += sql.prepare_cached("DELETE FROM journal_rows WHERE seq >= ?1 AND seq < ?2")?.execute(params![first, first + length])?;
                    sql.prepare_cached("DELETE FROM journal_batches WHERE id = ?1")?.execute([id])?;
                }
                Ok((batches.len(), rows))
            })?;
            forgotten += rows as u64;
            if batches == 0 {
                return Ok(forgotten);
            }
        }
    }
}

/// Out for long, with nothing left to be sent or heard, and not forgotten yet.
const ENDED: &str = "SELECT id FROM participants person WHERE id > ?1 AND id <= ?2 AND ended < ?3 AND state IN ('completed', 'dropped', 'failed') \
     AND (fields <> '{}' OR facts <> '[]' OR email IS NOT NULL OR px_id IS NOT NULL) \
     AND NOT EXISTS (SELECT 1 FROM intents WHERE participant = person.id AND state IN ('pending', 'held')) \
     AND NOT EXISTS (SELECT 1 FROM events WHERE participant = person.id AND handled = 0)";

/// The row itself stays, with its key: it guards who may enter again.
const FORGET: [&str; 5] = [
    "DELETE FROM timeline WHERE participant = ?1",
    "DELETE FROM events WHERE participant = ?1",
    "DELETE FROM intents WHERE participant = ?1",
    "DELETE FROM messages WHERE person IN (SELECT coalesce(email, px_id) FROM participants WHERE id = ?1) \
     AND at < (SELECT ended FROM participants WHERE id = ?1)",
    "UPDATE participants SET fields = '{}', facts = '[]', email = NULL, px_id = NULL WHERE id = ?1",
];

const OLD_TEXTS: &str = "UPDATE revisions SET sources = '{}' WHERE sources <> '{}' \
     AND number <= (SELECT max(number) FROM revisions newest WHERE newest.journey = revisions.journey) - ?1 \
     AND number IS NOT (SELECT revision FROM programs WHERE name = revisions.journey)";

/// Ended long ago, nothing unfinished in the journal, and not the last one of its name.
const OLD_RUNS: &str = "ended_at < ?1 AND seq NOT IN (SELECT max(seq) FROM runs GROUP BY name) \
                        AND seq NOT IN (SELECT run FROM journal_batches WHERE completed_at IS NULL)";

fn days_before(now: Timestamp, days: u32) -> i64 {
    micros(now) - i64::from(days) * 86_400_000_000
}
