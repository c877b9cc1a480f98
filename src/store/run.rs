//! Runs: one row each, from begin to finish; those of a dead process are found and marked.

use std::{collections::BTreeMap, fmt};

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use crate::model::{Record, System, Timestamp};

use super::{
    Error, Store,
    error::Fail,
    open::{count, from_json, instant, micros, to_json, uncount},
};

/// A run's name for people: its UTC day and its number that day, `261121-0007`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// From a command line or a URL; whether there is such a run only the store knows.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a run stands or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Running,
    Ok,
    /// Some rows were rejected.
    Partial,
    Failed,
    /// Not due, or what it follows failed.
    Skipped,
    /// Its process ended before it did.
    Interrupted,
}

impl Status {
    const ALL: [Self; 6] = [Self::Running, Self::Ok, Self::Partial, Self::Failed, Self::Skipped, Self::Interrupted];

    /// The word in listings, JSON and the state file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Ok => "ok",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What is known when a run begins.
#[derive(Debug, Clone)]
pub struct Begin<'a> {
    /// The declaration's name, or the file of a plain script.
    pub name: &'a str,
    /// `mapping`, `rule`, `exec`...
    pub kind: &'a str,
    /// The declaration's content hash.
    pub hash: &'a str,
    /// `by hand`, `schedule`, `after NAME`...
    pub reason: &'a str,
    pub parameters: &'a Record,
    pub at: Timestamp,
}

/// Rows that were neither written, nor unchanged, nor rejected: with them all rows are accounted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Beside {
    /// Without a counterpart, where that is no fault.
    pub unmatched: u64,
    /// No Gainsight customers.
    pub left_out: u64,
    /// Did not meet a filter or the criteria of an action.
    pub filtered: u64,
    /// Folded into another row of their group.
    pub grouped: u64,
    /// Given to a further action, and so counted once more.
    pub again: u64,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct Finish {
    pub status: Status,
    pub read: u64,
    pub written: u64,
    pub unchanged: u64,
    pub rejected: u64,
    pub beside: Beside,
    /// HTTP calls per system.
    pub calls: BTreeMap<System, u64>,
    pub seconds: f64,
    pub message: Option<String>,
    /// Source and value of each cursor; kept only when the status is ok or partial, together with it.
    pub cursors: Vec<(String, String)>,
    pub at: Timestamp,
}

impl Finish {
    /// Nothing counted yet.
    pub const fn new(status: Status, at: Timestamp) -> Self {
        let beside = Beside { unmatched: 0, left_out: 0, filtered: 0, grouped: 0, again: 0 };
        let calls = BTreeMap::new();
        Self { status, read: 0, written: 0, unchanged: 0, rejected: 0, beside, calls, seconds: 0.0, message: None, cursors: Vec::new(), at }
    }
}

/// A run as it is remembered.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    pub id: RunId,
    pub name: String,
    pub kind: String,
    pub hash: String,
    pub reason: String,
    pub parameters: Record,
    pub status: Status,
    pub started: Timestamp,
    pub ended: Option<Timestamp>,
    pub read: u64,
    pub written: u64,
    pub unchanged: u64,
    pub rejected: u64,
    pub beside: Beside,
    pub calls: BTreeMap<System, u64>,
    pub seconds: f64,
    pub message: Option<String>,
    /// Row errors that came, also those beyond the number that is kept.
    pub row_errors: u64,
}

/// Which runs to list, newest first.
#[derive(Debug, Clone, Default)]
pub struct RunFilter<'a> {
    pub name: Option<&'a str>,
    /// Only runs older than this one, for paging.
    pub before: Option<&'a RunId>,
    /// 0 means all.
    pub limit: u32,
}

const COLUMNS: &str = "id, name, kind, hash, reason, parameters, status, started_at, ended_at, rows_read, rows_written, rows_unchanged, \
                       rows_rejected, calls, seconds, message, row_errors, rows_unmatched, rows_left_out, rows_filtered, rows_grouped, rows_again";

impl Store {
    /// Notes a run as running, by this process.
    pub fn begin(&self, run: &Begin<'_>) -> Result<RunId, Error> {
        let owner = self.owner_id()?;
        self.write(|sql| {
            let id = next_id(sql, run.at)?;
            sql.prepare_cached(
                "INSERT INTO runs (id, name, kind, hash, reason, parameters, status, owner, started_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'running', ?7, ?8)",
            )?
            .execute(params![id.0, run.name, run.kind, run.hash, run.reason, to_json(run.parameters)?, owner, micros(run.at)])?;
            Ok(id)
        })
    }

    /// Notes how a run ended and moves its cursors, at once or not at all.
    pub fn finish(&self, run: &RunId, end: &Finish) -> Result<(), Error> {
        self.write(|sql| {
            let (seq, name, status) = open_run(sql, run)?;
            if status != Status::Running.word() {
                return Err(Error::RunFinished { id: run.0.clone() }.into());
            }
            sql.prepare_cached(
                "UPDATE runs SET status = ?2, ended_at = ?3, rows_read = ?4, rows_written = ?5, rows_unchanged = ?6, rows_rejected = ?7, \
                 calls = ?8, seconds = ?9, message = ?10, rows_unmatched = ?11, rows_left_out = ?12, rows_filtered = ?13, rows_grouped = ?14, \
                 rows_again = ?15 WHERE seq = ?1",
            )?
            .execute(params![
                seq,
                end.status.word(),
                micros(end.at),
                count(end.read),
                count(end.written),
                count(end.unchanged),
                count(end.rejected),
                to_json(&end.calls)?,
                end.seconds,
                end.message,
                count(end.beside.unmatched),
                count(end.beside.left_out),
                count(end.beside.filtered),
                count(end.beside.grouped),
                count(end.beside.again)
            ])?;
            if matches!(end.status, Status::Ok | Status::Partial) {
                super::cursor::move_all(sql, &name, &end.cursors, end.at)?;
            }
            Ok(())
        })
    }

    pub fn run(&self, id: &RunId) -> Result<Run, Error> {
        let query = format!("SELECT {COLUMNS} FROM runs WHERE id = ?1");
        let found = self.read(|sql| sql.prepare_cached(&query)?.query_row([&id.0], |row| Ok(read_run(row))).optional()?.transpose())?;
        found.ok_or_else(|| Error::NoRun { id: id.0.clone() })
    }

    pub fn runs(&self, filter: &RunFilter<'_>) -> Result<Vec<Run>, Error> {
        let query = format!(
            "SELECT {COLUMNS} FROM runs WHERE (?1 IS NULL OR name = ?1) \
             AND (?2 IS NULL OR seq < (SELECT seq FROM runs WHERE id = ?2)) ORDER BY seq DESC LIMIT ?3"
        );
        let limit = if filter.limit == 0 { -1 } else { i64::from(filter.limit) };
        self.read(|sql| {
            let mut statement = sql.prepare_cached(&query)?;
            let mut rows = statement.query(params![filter.name, filter.before.map(RunId::as_str), limit])?;
            let mut runs = Vec::new();
            while let Some(row) = rows.next()? {
                runs.push(read_run(row)?);
            }
            Ok(runs)
        })
    }

    /// Marks the runs of processes that are gone as interrupted, and lists them. Their journal may hold unfinished batches.
    pub fn interrupt_dead(&self, at: Timestamp) -> Result<Vec<RunId>, Error> {
        let owners: Vec<i64> = self.read(|sql| {
            let mut statement = sql.prepare_cached("SELECT DISTINCT owner FROM runs WHERE status = 'running'")?;
            Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
        })?;
        let mut interrupted = Vec::new();
        for owner in owners {
            if self.owner_is_dead(owner)? {
                interrupted.extend(self.interrupt(owner, at)?);
            }
        }
        Ok(interrupted)
    }

    fn interrupt(&self, owner: i64, at: Timestamp) -> Result<Vec<RunId>, Error> {
        self.write(|sql| {
            let mut statement = sql.prepare_cached(
                "UPDATE runs SET status = 'interrupted', ended_at = ?2, message = 'its process ended before it did' \
                 WHERE owner = ?1 AND status = 'running' RETURNING id",
            )?;
            let ids = statement.query_map(params![owner, micros(at)], |row| Ok(RunId(row.get(0)?)))?.collect::<Result<_, _>>()?;
            self.forget_owner(owner)?;
            Ok(ids)
        })
    }
}

fn next_id(sql: &Connection, at: Timestamp) -> Result<RunId, Fail> {
    let day = at.strftime("%y%m%d").to_string();
    let last: Option<i64> = sql
        .prepare_cached("SELECT max(CAST(substr(id, 8) AS INTEGER)) FROM runs WHERE id >= ?1 || '-' AND id < ?1 || '.'")?
        .query_row([&day], |row| row.get(0))?;
    Ok(RunId(format!("{day}-{:04}", last.unwrap_or(0) + 1)))
}

/// Its number in the file, name and status.
fn open_run(sql: &Connection, run: &RunId) -> Result<(i64, String, String), Fail> {
    let found = sql
        .prepare_cached("SELECT seq, name, status FROM runs WHERE id = ?1")?
        .query_row([&run.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    found.ok_or_else(|| Error::NoRun { id: run.0.clone() }.into())
}

pub(super) fn run_seq(sql: &rusqlite::Connection, run: &RunId) -> Result<i64, Fail> {
    let found = sql.prepare_cached("SELECT seq FROM runs WHERE id = ?1")?.query_row([&run.0], |row| row.get(0)).optional()?;
    found.ok_or_else(|| Error::NoRun { id: run.0.clone() }.into())
}

fn read_run(row: &Row<'_>) -> Result<Run, Fail> {
    let status: String = row.get(6)?;
    let status = Status::ALL.into_iter().find(|s| s.word() == status).ok_or_else(|| Fail::Garbled("a run's status", status))?;
    Ok(Run {
        id: RunId(row.get(0)?),
        name: row.get(1)?,
        kind: row.get(2)?,
        hash: row.get(3)?,
        reason: row.get(4)?,
        parameters: from_json("a run's parameters", &row.get::<_, String>(5)?)?,
        status,
        started: instant(row.get(7)?)?,
        ended: row.get::<_, Option<i64>>(8)?.map(instant).transpose()?,
        read: uncount(row.get(9)?),
        written: uncount(row.get(10)?),
        unchanged: uncount(row.get(11)?),
        rejected: uncount(row.get(12)?),
        calls: from_json("a run's calls", &row.get::<_, String>(13)?)?,
        seconds: row.get(14)?,
        message: row.get(15)?,
        row_errors: uncount(row.get(16)?),
        beside: Beside {
            unmatched: uncount(row.get(17)?),
            left_out: uncount(row.get(18)?),
            filtered: uncount(row.get(19)?),
            grouped: uncount(row.get(20)?),
            again: uncount(row.get(21)?),
        },
    })
}
