//! Programs, one row each, and the revisions of their flows.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::model::{Graph, Record, Timestamp};

use super::{
    Error, Store,
    edits::{self, AT_ONCE},
    error::Fail,
    open::{from_json, instant, maybe_instant, micros, select, to_json},
};

/// How a program stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProgramStatus {
    Draft,
    /// Published, to begin at a set time.
    Scheduled,
    Active,
    Paused,
    Stopped,
}

impl ProgramStatus {
    pub const ALL: [Self; 5] = [Self::Draft, Self::Scheduled, Self::Active, Self::Paused, Self::Stopped];

    /// The word in listings, JSON and the state file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Scheduled => "scheduled",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        }
    }

    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }
}

/// A journey as it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    pub name: String,
    pub status: ProgramStatus,
    /// The one that people who enter now are given.
    pub revision: u32,
    /// The declaration's content hash.
    pub hash: String,
    pub folder: Option<String>,
    pub scheduled_for: Option<Timestamp>,
    pub published_at: Option<Timestamp>,
    pub paused_at: Option<Timestamp>,
    pub stopped_at: Option<Timestamp>,
    /// Why it went back to draft (B10).
    pub reasons: Vec<String>,
    /// When events were last asked for.
    pub polled_at: Option<Timestamp>,
}

/// A flow as it was at some time, with its sources.
#[derive(Debug, Clone, PartialEq)]
pub struct Revision {
    pub journey: String,
    pub number: u32,
    pub hash: String,
    pub graph: Graph,
    /// File name and text.
    pub sources: Record,
    pub at: Timestamp,
    pub note: String,
}

const PROGRAM: &str = "name, status, revision, hash, folder, scheduled_for, published_at, paused_at, stopped_at, reasons, polled_at";
const REVISION: &str = "journey, number, hash, graph, sources, at, note";

impl Store {
    pub fn program(&self, name: &str) -> Result<Option<Program>, Error> {
        let query = format!("SELECT {PROGRAM} FROM programs WHERE name = ?1");
        self.read(|sql| sql.prepare_cached(&query)?.query_row([name], |row| Ok(read_program(row))).optional()?.transpose())
    }

    /// All programs, by name.
    pub fn programs(&self) -> Result<Vec<Program>, Error> {
        let query = format!("SELECT {PROGRAM} FROM programs ORDER BY name");
        self.read(|sql| select(sql, &query, [], read_program))
    }

    /// Inserts the program or replaces it whole. `pause` and `resume` do more than this.
    pub fn put_program(&self, program: &Program, at: Timestamp) -> Result<(), Error> {
        // Columns that are not named here stay as they are.
        let query = format!(
            "INSERT INTO programs ({PROGRAM}, changed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
             ON CONFLICT (name) DO UPDATE SET (status, revision, hash, folder, scheduled_for, published_at, paused_at, stopped_at, reasons, polled_at, \
             changed_at) = (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
        );
        self.write(|sql| {
            sql.prepare_cached(&query)?.execute(params![
                program.name,
                program.status.word(),
                program.revision,
                program.hash,
                program.folder,
                program.scheduled_for.map(micros),
                program.published_at.map(micros),
                program.paused_at.map(micros),
                program.stopped_at.map(micros),
                to_json(&program.reasons)?,
                program.polled_at.map(micros),
                micros(at)
            ])?;
            Ok(())
        })
    }

    /// Events were asked for at this instant; nothing else about the program changes.
    pub fn polled(&self, name: &str, at: Timestamp) -> Result<(), Error> {
        self.write(|sql| {
            sql.prepare_cached("UPDATE programs SET polled_at = ?2 WHERE name = ?1")?.execute(params![name, micros(at)])?;
            Ok(())
        })
    }

    /// Gives a program that nobody declares any more another name, with its revisions, people and history. Whether there was one; nothing
    /// happens where the new name is taken.
    pub fn rename_program(&self, old: &str, new: &str) -> Result<bool, Error> {
        const BY_JOURNEY: [&str; 7] = ["revisions", "participants", "events", "intents", "messages", "journey_steps", "associations"];
        const BY_NAME: [&str; 4] = ["marks", "runs", "samples", "versions"];
        self.write(|sql| {
            if sql.prepare("SELECT 1 FROM programs WHERE name = ?1")?.exists([new])? {
                return Ok(false);
            }
            let renamed = sql.execute("UPDATE programs SET name = ?2 WHERE name = ?1", [old, new])? > 0;
            if renamed {
                for table in BY_JOURNEY {
                    sql.execute(&format!("UPDATE {table} SET journey = ?2 WHERE journey = ?1"), [old, new])?;
                }
                for table in BY_NAME {
                    sql.execute(&format!("UPDATE OR IGNORE {table} SET name = ?2 WHERE name = ?1"), [old, new])?;
                }
            }
            Ok(renamed)
        })
    }

    /// Stops the clock of an active program and holds back what it has to send. Nothing for one that is not active.
    pub fn pause(&self, name: &str, at: Timestamp) -> Result<(), Error> {
        let paused = self.write(|sql| {
            must_exist(sql, name)?;
            Ok(sql
                .prepare_cached(
                    "UPDATE programs SET status = 'paused', paused_at = ?2, resume_at = NULL, resumed_to = 0, changed_at = ?2 \
                     WHERE name = ?1 AND status = 'active'",
                )?
                .execute(params![name, micros(at)])?)
        })?;
        if paused > 0 { self.hold_back(name, "pending", "held") } else { Ok(()) }
    }

    /// Makes a paused program active again. What its participants wait for comes later by as long as they were held: the pause, or what was
    /// left of it when they began to wait. What was held back goes out. Nothing for one that is not paused.
    ///
    /// The timers grow some at a time, and the program is active once all have: when this is cut short, the next time goes on.
    pub fn resume(&self, name: &str, at: Timestamp) -> Result<(), Error> {
        while let Some(last) = self.write(|sql| grow_some(sql, name, at))? {
            if last {
                self.hold_back(name, "held", "pending")?;
                return self.write(|sql| {
                    sql.prepare_cached(
                        "UPDATE programs SET status = 'active', paused_at = NULL, resume_at = NULL, resumed_to = 0, changed_at = ?2 WHERE name = ?1",
                    )?
                    .execute(params![name, micros(at)])?;
                    Ok(())
                });
            }
        }
        Ok(())
    }

    /// Everything that a program has to send, from one state to another, some at a time.
    fn hold_back(&self, name: &str, from: &str, to: &str) -> Result<(), Error> {
        let some = "UPDATE intents SET state = ?3 WHERE id IN (SELECT id FROM intents INDEXED BY intents_by_state WHERE journey = ?1 AND state = ?2 LIMIT ?4)";
        while self.write(|sql| Ok(sql.prepare_cached(some)?.execute(params![name, from, to, AT_ONCE])?))? > 0 {}
        Ok(())
    }

    /// Keeps a revision; one of the same number is replaced.
    pub fn add_revision(&self, revision: &Revision) -> Result<(), Error> {
        self.write(|sql| insert_revision(sql, revision))
    }

    pub fn revision(&self, journey: &str, number: u32) -> Result<Option<Revision>, Error> {
        let query = format!("SELECT {REVISION} FROM revisions WHERE journey = ?1 AND number = ?2");
        self.read(|sql| sql.prepare_cached(&query)?.query_row(params![journey, number], |row| Ok(read_revision(row))).optional()?.transpose())
    }

    /// Newest first.
    pub fn revisions(&self, journey: &str) -> Result<Vec<Revision>, Error> {
        let query = format!("SELECT {REVISION} FROM revisions WHERE journey = ?1 ORDER BY number DESC");
        self.read(|sql| select(sql, &query, [journey], read_revision))
    }
}

pub(super) fn insert_revision(sql: &Connection, revision: &Revision) -> Result<(), Fail> {
    let query = format!("INSERT OR REPLACE INTO revisions ({REVISION}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    sql.prepare_cached(&query)?.execute(params![
        revision.journey,
        revision.number,
        revision.hash,
        to_json(&revision.graph)?,
        to_json(&revision.sources)?,
        micros(revision.at),
        revision.note
    ])?;
    Ok(())
}

/// Lets the timers of the next participants of a paused program grow. Whether these were the last; none for a program that is not paused.
fn grow_some(sql: &Connection, name: &str, at: Timestamp) -> Result<Option<bool>, Fail> {
    let Some(paused) = must_exist(sql, name)? else { return Ok(None) };
    let (begun, done): (Option<i64>, i64) =
        sql.prepare_cached("SELECT resume_at, resumed_to FROM programs WHERE name = ?1")?.query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let until = begun.unwrap_or(micros(at));
    let mut note = sql.prepare_cached("UPDATE programs SET paused_at = ?2, resume_at = ?3, resumed_to = ?4 WHERE name = ?1")?;
    let Some(last) = edits::chunk(sql, name, done)? else {
        // What an earlier attempt began is done: the pause goes on from there.
        let again = until < micros(at);
        note.execute(params![name, until, None::<i64>, 0])?;
        return Ok(Some(!again));
    };
    sql.prepare_cached(
        "UPDATE participants SET due = due + max(0, ?4 - max(since, ?3)) WHERE journey = ?1 AND id > ?2 AND id <= ?5 AND due IS NOT NULL \
         AND (state = 'waiting' OR state = 'parked' AND parked_as = 'waiting')",
    )?
    .execute(params![name, done, paused, until, last])?;
    // What is counted from when they came to their step grows as well.
    sql.prepare_cached(
        "UPDATE participants SET since = since + max(0, ?4 - max(since, ?3)) WHERE journey = ?1 AND id > ?2 AND id <= ?5 \
         AND state IN ('active', 'waiting', 'parked')",
    )?
    .execute(params![name, done, paused, until, last])?;
    note.execute(params![name, paused, until, last])?;
    Ok(Some(false))
}

/// Since when the program is paused; none for one that is not.
fn must_exist(sql: &Connection, name: &str) -> Result<Option<i64>, Fail> {
    let found = sql
        .prepare_cached("SELECT CASE status WHEN 'paused' THEN coalesce(paused_at, changed_at) END FROM programs WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    found.ok_or_else(|| Error::NoProgram { name: name.to_owned() }.into())
}

fn read_program(row: &Row<'_>) -> Result<Program, Fail> {
    let status: String = row.get(1)?;
    Ok(Program {
        name: row.get(0)?,
        status: ProgramStatus::of(&status).ok_or_else(|| Fail::Garbled("a program's status", status))?,
        revision: row.get(2)?,
        hash: row.get(3)?,
        folder: row.get(4)?,
        scheduled_for: maybe_instant(row, 5)?,
        published_at: maybe_instant(row, 6)?,
        paused_at: maybe_instant(row, 7)?,
        stopped_at: maybe_instant(row, 8)?,
        reasons: from_json("a program's reasons", &row.get::<_, String>(9)?)?,
        polled_at: maybe_instant(row, 10)?,
    })
}

fn read_revision(row: &Row<'_>) -> Result<Revision, Fail> {
    Ok(Revision {
        journey: row.get(0)?,
        number: row.get(1)?,
        hash: row.get(2)?,
        graph: from_json("a revision's flow", &row.get::<_, String>(3)?)?,
        sources: from_json("a revision's sources", &row.get::<_, String>(4)?)?,
        at: instant(row.get(5)?)?,
        note: row.get(6)?,
    })
}
