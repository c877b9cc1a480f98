//! What was written: each batch is noted before it is sent and completed after, so that a run can be explained, resumed and undone.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use crate::model::{Change, Effect, Fault, Record, RowOutcome, System, Timestamp, Write};

use super::{
    Error, RunId, Store,
    error::Fail,
    open::{count, from_json, instant, micros, to_json, uncount},
    run::run_seq,
};

/// A batch in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BatchId(i64);

/// A batch of which nobody knows what became: its process died between sending and hearing.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    pub id: BatchId,
    pub run: RunId,
    /// None for an effect that is no write of rows.
    pub system: Option<System>,
    pub object: Option<String>,
    pub effect: Option<Effect>,
    pub rows: u64,
    pub at: Timestamp,
}

/// One changed record.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalRow {
    /// Its place in the whole journal; hand it to `Store::journal` to read on after it.
    pub seq: u64,
    pub batch: BatchId,
    pub system: System,
    pub object: String,
    /// As it was asked for. Dates and instants come back as text.
    pub change: Change,
    pub outcome: Outcome,
    pub at: Timestamp,
}

/// What became of one changed record.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Not known: the batch is unfinished.
    Unknown,
    Written {
        id: Option<String>,
        created: bool,
    },
    Failed(Fault),
}

impl Store {
    /// Notes what is about to be written; on disk when this returns.
    pub fn intend(&self, run: &RunId, write: &Write, at: Timestamp) -> Result<BatchId, Error> {
        self.write(|sql| {
            let seq = run_seq(sql, run)?;
            let first = insert_rows(sql, &write.rows)?;
            let ids_known = write.rows.iter().all(|change| matches!(change, Change::Update { .. } | Change::Delete { .. }));
            sql.prepare_cached(
                "INSERT INTO journal_batches (run, system, object, first_row, row_count, ids_known, intended_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![seq, write.system.name(), write.object, first, count(write.rows.len() as u64), ids_known, micros(at)])?;
            Ok(BatchId(sql.last_insert_rowid()))
        })
    }

    /// Notes another effect that changes something outside: a field to create, a segment to edit, a raw call.
    pub fn intend_effect(&self, run: &RunId, effect: &Effect, at: Timestamp) -> Result<BatchId, Error> {
        self.write(|sql| {
            let seq = run_seq(sql, run)?;
            sql.prepare_cached("INSERT INTO journal_batches (run, effect, first_row, row_count, intended_at) VALUES (?1, ?2, 0, 0, ?3)")?
                .execute(params![seq, to_json(effect)?, micros(at)])?;
            Ok(BatchId(sql.last_insert_rowid()))
        })
    }

    /// Notes what became of a batch: one outcome per row in order; none for an effect without rows.
    pub fn complete(&self, batch: BatchId, outcomes: &[RowOutcome], at: Timestamp) -> Result<(), Error> {
        self.write(|sql| {
            let (first, rows, ids_known) = range(sql, batch)?;
            if rows != count(outcomes.len() as u64) {
                let rows = usize::try_from(rows).unwrap_or(0);
                return Err(Error::OutcomeCount { id: batch.0, rows, outcomes: outcomes.len() }.into());
            }
            // Most rows of most batches went well and told nothing new: those need no write of their own.
            let mut update = sql.prepare_cached("UPDATE journal_rows SET new_id = ?2, created = ?3, fault = ?4 WHERE seq = ?1")?;
            for (seq, outcome) in (first..).zip(outcomes) {
                if outcome.fault.is_some() || !ids_known {
                    let fault = outcome.fault.as_ref().map(to_json).transpose()?;
                    update.execute(params![seq, outcome.id, outcome.created, fault])?;
                }
            }
            close(sql, batch, None, at)
        })
    }

    /// Notes that a whole batch failed without touching anything.
    pub fn fail(&self, batch: BatchId, fault: &Fault, at: Timestamp) -> Result<(), Error> {
        self.write(|sql| {
            range(sql, batch)?;
            close(sql, batch, Some(&to_json(fault)?), at)
        })
    }

    /// Changed records of a run in the order they were sent, those after `after`, at most `limit`.
    pub fn journal(&self, run: &RunId, after: Option<u64>, limit: u32) -> Result<Vec<JournalRow>, Error> {
        self.read(|sql| {
            let seq = run_seq(sql, run)?;
            let after = after.map_or(0, count);
            select_rows(sql, "batch.run = ?1 AND batch.first_row + batch.row_count > ?2 + 1", seq, after, limit)
        })
    }

    /// The rows of one batch after `after`, at most `limit`.
    pub fn batch_rows(&self, batch: BatchId, after: Option<u64>, limit: u32) -> Result<Vec<JournalRow>, Error> {
        self.read(|sql| select_rows(sql, "batch.id = ?1", batch.0, after.map_or(0, count), limit))
    }

    /// Batches of a declaration whose outcome nobody knows, oldest first. Hold the declaration's lease: those of a live run count too.
    pub fn unfinished(&self, name: &str) -> Result<Vec<Batch>, Error> {
        self.read(|sql| {
            let mut statement = sql.prepare_cached(
                "SELECT batch.id, runs.id, batch.system, batch.object, batch.effect, batch.row_count, batch.intended_at \
                 FROM journal_batches batch JOIN runs ON runs.seq = batch.run \
                 WHERE batch.completed_at IS NULL AND runs.name = ?1 ORDER BY batch.id",
            )?;
            let mut rows = statement.query([name])?;
            let mut batches = Vec::new();
            while let Some(row) = rows.next()? {
                batches.push(read_batch(row)?);
            }
            Ok(batches)
        })
    }
}

/// Inserts the rows as one unbroken range and returns its first number.
fn insert_rows(sql: &Connection, changes: &[Change]) -> Result<i64, Fail> {
    let first: i64 = sql.prepare_cached("SELECT coalesce(max(seq), 0) + 1 FROM journal_rows")?.query_row([], |row| row.get(0))?;
    let mut insert = sql.prepare_cached("INSERT INTO journal_rows (seq, operation, key, target, fields, before) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    let (mut fields_text, mut before_text) = (Vec::new(), Vec::new());
    for (seq, change) in (first..).zip(changes) {
        let (target, fields, before) = parts(change);
        let fields = record_text(&mut fields_text, fields)?;
        let before = record_text(&mut before_text, before)?;
        insert.execute(params![seq, change.operation(), change.key(), target, fields, before])?;
    }
    Ok(first)
}

/// The id or external id field, the new values, the old values.
fn parts(change: &Change) -> (Option<&str>, Option<&Record>, Option<&Record>) {
    match change {
        Change::Insert { fields, .. } => (None, Some(fields), None),
        Change::Update { id, fields, before, .. } => (Some(id), Some(fields), Some(before)),
        Change::Upsert { by, fields, .. } => (Some(by), Some(fields), None),
        Change::Delete { id, before, .. } => (Some(id), None, Some(before)),
    }
}

/// JSON in a buffer that is used again for the next row.
fn record_text<'b>(buffer: &'b mut Vec<u8>, record: Option<&Record>) -> Result<Option<&'b str>, Fail> {
    let Some(record) = record else { return Ok(None) };
    buffer.clear();
    serde_json::to_writer(&mut *buffer, record).map_err(|error| Fail::Garbled("a row", error.to_string()))?;
    let text = std::str::from_utf8(buffer).map_err(|error| Fail::Garbled("a row", error.to_string()))?;
    Ok(Some(text))
}

/// Its first row, how many, and whether every row's id was known before.
fn range(sql: &Connection, batch: BatchId) -> Result<(i64, i64, bool), Fail> {
    let found = sql
        .prepare_cached("SELECT first_row, row_count, ids_known FROM journal_batches WHERE id = ?1")?
        .query_row([batch.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    found.ok_or_else(|| Error::NoBatch { id: batch.0 }.into())
}

fn close(sql: &Connection, batch: BatchId, fault: Option<&str>, at: Timestamp) -> Result<(), Fail> {
    sql.prepare_cached("UPDATE journal_batches SET completed_at = ?2, fault = ?3 WHERE id = ?1")?.execute(params![batch.0, micros(at), fault])?;
    Ok(())
}

fn select_rows(sql: &Connection, which: &str, id: i64, after: i64, limit: u32) -> Result<Vec<JournalRow>, Fail> {
    let mut statement = sql.prepare_cached(&format!(
        "SELECT r.seq, batch.id, batch.system, batch.object, batch.completed_at, batch.fault, batch.intended_at, \
                r.operation, r.key, r.target, r.fields, r.before, r.new_id, r.created, r.fault \
         FROM journal_batches batch CROSS JOIN journal_rows r \
         WHERE {which} AND r.seq >= max(batch.first_row, ?2 + 1) AND r.seq < batch.first_row + batch.row_count \
         ORDER BY batch.id, r.seq LIMIT ?3"
    ))?;
    let mut rows = statement.query(params![id, after, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read_row(row)?);
    }
    Ok(found)
}

fn read_row(row: &Row<'_>) -> Result<JournalRow, Fail> {
    let change = read_change(row)?;
    let completed: Option<i64> = row.get(4)?;
    let fault: Option<String> = match row.get(14)? {
        Some(fault) => Some(fault),
        None => row.get(5)?,
    };
    let outcome = match (completed, fault) {
        (None, _) => Outcome::Unknown,
        (Some(_), Some(fault)) => Outcome::Failed(from_json("a fault", &fault)?),
        (Some(_), None) => Outcome::Written { id: written_id(row, &change)?, created: row.get::<_, Option<bool>>(13)?.unwrap_or(false) },
    };
    Ok(JournalRow {
        seq: uncount(row.get(0)?),
        batch: BatchId(row.get(1)?),
        system: system(&row.get::<_, String>(2)?)?,
        object: row.get(3)?,
        change,
        outcome,
        at: instant(row.get(6)?)?,
    })
}

fn written_id(row: &Row<'_>, change: &Change) -> Result<Option<String>, Fail> {
    if let Some(told) = row.get(12)? {
        return Ok(Some(told));
    }
    Ok(match change {
        Change::Update { id, .. } | Change::Delete { id, .. } => Some(id.clone()),
        Change::Insert { .. } | Change::Upsert { .. } => None,
    })
}

fn read_change(row: &Row<'_>) -> Result<Change, Fail> {
    let operation: String = row.get(7)?;
    let key: String = row.get(8)?;
    let target = row.get::<_, Option<String>>(9)?.unwrap_or_default();
    let fields = read_record(row, 10)?;
    let before = read_record(row, 11)?;
    match operation.as_str() {
        "create" => Ok(Change::Insert { key, fields }),
        "update" => Ok(Change::Update { key, id: target, fields, before }),
        "upsert" => Ok(Change::Upsert { key, by: target, fields }),
        "delete" => Ok(Change::Delete { key, id: target, before }),
        _ => Err(Fail::Garbled("a journaled operation", operation)),
    }
}

fn read_record(row: &Row<'_>, column: usize) -> Result<Record, Fail> {
    let text: Option<String> = row.get(column)?;
    text.map_or_else(|| Ok(Record::new()), |text| from_json("a journaled row", &text))
}

fn read_batch(row: &Row<'_>) -> Result<Batch, Fail> {
    Ok(Batch {
        id: BatchId(row.get(0)?),
        run: RunId::new(row.get::<_, String>(1)?),
        system: row.get::<_, Option<String>>(2)?.map(|name| system(&name)).transpose()?,
        object: row.get(3)?,
        effect: row.get::<_, Option<String>>(4)?.map(|text| from_json("a journaled effect", &text)).transpose()?,
        rows: uncount(row.get(5)?),
        at: instant(row.get(6)?)?,
    })
}

fn system(name: &str) -> Result<System, Fail> {
    name.parse().map_err(|detail| Fail::Garbled("a system's name", detail))
}
