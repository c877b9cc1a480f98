//! The people in journeys: one row each, found by key, by address and by what is due.

use std::fmt;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use crate::model::{Channel, EventKind, Record, Timestamp};

use super::{
    Error, Store,
    error::Fail,
    fields::Fields,
    funnel::Tally,
    moves::History,
    open::{from_json, instant, maybe_instant, micros, select, to_json, uncount},
    source,
    timeline::{self, Entry},
};

/// A participation. Never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ParticipantId(i64);

impl ParticipantId {
    /// From a link or a command line; whether there is such a one only the store knows.
    pub const fn from_i64(id: i64) -> Self {
        Self(id)
    }

    pub const fn as_i64(self) -> i64 {
        self.0
    }
}

impl fmt::Display for ParticipantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a participant stands or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ParticipantState {
    /// Its step has still to be done.
    Active,
    /// Its step is done but for a timer or an event.
    Waiting,
    Completed,
    Dropped,
    Failed,
    /// Its step is gone after an edit.
    Parked,
}

impl ParticipantState {
    pub const ALL: [Self; 6] = [Self::Active, Self::Waiting, Self::Completed, Self::Dropped, Self::Failed, Self::Parked];

    /// The word in listings, JSON and the state file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Waiting => "waiting",
            Self::Completed => "completed",
            Self::Dropped => "dropped",
            Self::Failed => "failed",
            Self::Parked => "parked",
        }
    }

    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Nothing more happens to it.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Dropped | Self::Failed)
    }
}

/// What has happened to one participant with one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    pub event: EventKind,
    pub step: String,
    pub at: Timestamp,
    /// The answer to a survey.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// By which way a survey was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
}

/// Somebody in a journey.
#[derive(Debug, Clone, PartialEq)]
pub struct Participant {
    pub id: ParticipantId,
    pub journey: String,
    /// What makes it one and the same within the journey.
    pub key: String,
    pub email: Option<String>,
    pub px_id: Option<String>,
    pub fields: Fields,
    pub facts: Vec<Fact>,
    pub state: ParticipantState,
    pub step: Option<String>,
    /// When it came to its step.
    pub since: Timestamp,
    /// When it moves on by itself; for an active one, when it became so.
    pub due: Option<Timestamp>,
    /// Why it failed, was dropped or parked.
    pub reason: Option<String>,
    pub entered: Timestamp,
    pub ended: Option<Timestamp>,
    pub revision: u32,
}

/// Somebody who enters: a participant that has no id yet.
#[derive(Debug, Clone, PartialEq)]
pub struct NewParticipant {
    pub journey: String,
    pub key: String,
    pub email: Option<String>,
    pub px_id: Option<String>,
    pub fields: Record,
    pub facts: Vec<Fact>,
    pub state: ParticipantState,
    pub step: Option<String>,
    pub since: Timestamp,
    pub due: Option<Timestamp>,
    pub reason: Option<String>,
    pub entered: Timestamp,
    pub ended: Option<Timestamp>,
    pub revision: u32,
}

/// Which participants to list, in the order they entered.
#[derive(Debug, Clone, Default)]
pub struct ParticipantFilter<'a> {
    pub state: Option<ParticipantState>,
    pub step: Option<&'a str>,
    /// Text within the key, the e-mail address or the PX user id, in any case.
    pub search: Option<&'a str>,
    /// Only those after this one, for paging.
    pub after: Option<ParticipantId>,
    /// 0 means all.
    pub limit: u32,
}

/// How many participants stand or ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub active: u64,
    pub waiting: u64,
    pub completed: u64,
    pub dropped: u64,
    pub failed: u64,
    pub parked: u64,
}

const COLUMNS: &str = "id, journey, key, email, px_id, fields, facts, state, step, since, due, reason, entered, ended, revision";

impl Store {
    /// All of them with their first timeline entries (one list each), or none. Ids in the same order.
    pub fn enter(&self, people: &[NewParticipant], history: &[Vec<Entry>]) -> Result<Vec<ParticipantId>, Error> {
        let history_kept = self.history() == History::Kept;
        self.write(|sql| {
            let mut tally = Tally::default();
            let mut ids = Vec::with_capacity(people.len());
            for (n, person) in people.iter().enumerate() {
                let entries = history.get(n).map_or(&[][..], Vec::as_slice);
                let id = insert(sql, person)?;
                if history_kept {
                    timeline::append(sql, id, entries)?;
                }
                tally.reached(sql, id, &person.journey, entries, person.step.as_deref().map(|step| (step, person.since)))?;
                tally.happened(sql, id, &person.journey, &person.facts)?;
                ids.push(id);
            }
            tally.keep(sql)?;
            Ok(ids)
        })
    }

    pub fn participant(&self, id: ParticipantId) -> Result<Option<Participant>, Error> {
        let query = format!("SELECT {COLUMNS} FROM participants WHERE id = ?1");
        let read = self.reading();
        self.read(|sql| sql.prepare_cached(&query)?.query_row([id.0], |row| Ok(read(row))).optional()?.transpose())
    }

    /// Those of these ids that there are, in their order.
    pub fn participants_of(&self, ids: &[ParticipantId]) -> Result<Vec<Participant>, Error> {
        let query = format!("SELECT {COLUMNS} FROM participants WHERE id = ?1");
        let read = self.reading();
        self.read(|sql| {
            let mut statement = sql.prepare_cached(&query)?;
            let mut found = Vec::with_capacity(ids.len());
            for id in ids {
                found.extend(statement.query_row([id.0], |row| Ok(read(row))).optional()?.transpose()?);
            }
            Ok(found)
        })
    }

    pub fn participants(&self, journey: &str, filter: &ParticipantFilter<'_>) -> Result<Vec<Participant>, Error> {
        let query = listing(filter);
        let limit = if filter.limit == 0 { -1 } else { i64::from(filter.limit) };
        let after = filter.after.map_or(0, ParticipantId::as_i64);
        let search = filter.search.map(str::to_lowercase);
        let params = params![journey, after, limit, filter.state.map(ParticipantState::word), filter.step, search];
        self.read(|sql| select(sql, &query, params, self.reading()))
    }

    /// Newest first.
    pub fn by_key(&self, journey: &str, key: &str) -> Result<Vec<Participant>, Error> {
        self.read(|sql| select(sql, &by_key(), [journey, key], self.reading()))
    }

    /// In any journey: those that are not over first, then the newest first.
    pub fn by_px(&self, px_id: &str) -> Result<Vec<Participant>, Error> {
        self.read(|sql| select(sql, &by_person("px_id"), [px_id], self.reading()))
    }

    /// Like `by_px`; the address in any case.
    pub fn by_email(&self, email: &str) -> Result<Vec<Participant>, Error> {
        self.read(|sql| select(sql, &by_person("email"), [email], self.reading()))
    }

    /// Who has to move at `now`, the longest overdue first, whatever the program's status.
    pub fn due(&self, journey: &str, now: Timestamp, limit: u32) -> Result<Vec<Participant>, Error> {
        self.read(|sql| select(sql, &due(), params![journey, micros(now), limit], self.reading()))
    }

    /// When the next participant of these journeys has to move; programs that are not active do not count.
    pub fn next_due(&self, journeys: &[impl AsRef<str>]) -> Result<Option<Timestamp>, Error> {
        self.read(|sql| {
            let mut statement = sql.prepare_cached(NEXT_DUE)?;
            let mut next: Option<i64> = None;
            for journey in journeys {
                let found: Option<Option<i64>> = statement.query_row([journey.as_ref()], |row| row.get(0)).optional()?;
                next = next.into_iter().chain(found.flatten()).min();
            }
            next.map(instant).transpose()
        })
    }

    /// What a scratch file holds was written by this very program.
    fn reading(&self) -> fn(&Row<'_>) -> Result<Participant, Fail> {
        if self.scratch.is_some() { read_own } else { read_checked }
    }

    pub fn participant_counts(&self, journey: &str) -> Result<Counts, Error> {
        let rows = self.read(|sql| select(sql, COUNTS, [journey], |row| Ok((read_state(row, 0)?, uncount(row.get(1)?)))))?;
        let mut counts = Counts::default();
        for (state, n) in rows {
            match state {
                ParticipantState::Active => counts.active = n,
                ParticipantState::Waiting => counts.waiting = n,
                ParticipantState::Completed => counts.completed = n,
                ParticipantState::Dropped => counts.dropped = n,
                ParticipantState::Failed => counts.failed = n,
                ParticipantState::Parked => counts.parked = n,
            }
        }
        Ok(counts)
    }

    /// Why participants failed and how many for each reason, the most frequent first.
    pub fn failed_reasons(&self, journey: &str) -> Result<Vec<(String, u64)>, Error> {
        self.read(|sql| select(sql, FAILED, [journey], |row| Ok((row.get(0)?, uncount(row.get(1)?)))))
    }
}

/// The program is asked first: as one more condition on participants it would be tried on each of them.
pub(super) const NEXT_DUE: &str = "SELECT (SELECT due FROM participants INDEXED BY participants_due \
     WHERE journey = ?1 AND due IS NOT NULL AND state IN ('active', 'waiting') ORDER BY due LIMIT 1) \
     FROM programs WHERE name = ?1 AND status = 'active'";

pub(super) const COUNTS: &str = "SELECT state, count(*) FROM participants WHERE journey = ?1 GROUP BY state";

pub(super) const FAILED: &str = "SELECT coalesce(reason, '') AS why, count(*) FROM participants INDEXED BY participants_failed \
     WHERE journey = ?1 AND state = 'failed' GROUP BY reason ORDER BY count(*) DESC, why";

pub(super) fn due() -> String {
    format!(
        "SELECT {COLUMNS} FROM participants INDEXED BY participants_due \
         WHERE journey = ?1 AND due <= ?2 AND due IS NOT NULL AND state IN ('active', 'waiting') ORDER BY due, id LIMIT ?3"
    )
}

pub(super) fn by_key() -> String {
    format!("SELECT {COLUMNS} FROM participants WHERE journey = ?1 AND key = ?2 ORDER BY id DESC")
}

pub(super) fn by_person(column: &str) -> String {
    format!("SELECT {COLUMNS} FROM participants WHERE {column} = ?1 ORDER BY state IN ('completed', 'dropped', 'failed'), id DESC")
}

/// Only the conditions that are asked for, so that the fitting index is taken.
pub(super) fn listing(filter: &ParticipantFilter<'_>) -> String {
    let mut query = format!("SELECT {COLUMNS} FROM participants WHERE journey = ?1 AND id > ?2");
    for (asked, condition) in [
        (filter.state.is_some(), " AND state = ?4"),
        (filter.step.is_some(), " AND step = ?5"),
        (filter.search.is_some(), " AND (instr(lower(key), ?6) OR instr(lower(email), ?6) OR instr(lower(px_id), ?6))"),
    ] {
        query.push_str(if asked { condition } else { "" });
    }
    query.push_str(" AND coalesce(?4, ?5, ?6, 1) IS NOT NULL ORDER BY id LIMIT ?3");
    query
}

pub(super) fn must_exist(sql: &Connection, id: ParticipantId) -> Result<(), Fail> {
    let found = sql.prepare_cached("SELECT 1 FROM participants WHERE id = ?1")?.exists([id.0])?;
    if found { Ok(()) } else { Err(Error::NoParticipant { id: id.0 }.into()) }
}

/// Whoever comes in has the fields that the source gave.
fn insert(sql: &Connection, person: &NewParticipant) -> Result<ParticipantId, Fail> {
    let fields = to_json(&person.fields)?;
    sql.prepare_cached(
        "INSERT INTO participants (journey, key, email, px_id, fields, facts, state, step, since, due, reason, entered, ended, revision, \
         source_hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?
    .execute(params![
        person.journey,
        person.key,
        person.email,
        person.px_id,
        fields,
        to_json(&person.facts)?,
        person.state.word(),
        person.step,
        micros(person.since),
        person.due.map(micros),
        person.reason,
        micros(person.entered),
        person.ended.map(micros),
        person.revision,
        source::hash(&fields)
    ])?;
    Ok(ParticipantId(sql.last_insert_rowid()))
}

pub(super) fn read_state(row: &Row<'_>, column: usize) -> Result<ParticipantState, Fail> {
    let word = row.get_ref(column)?.as_str().unwrap_or_default();
    ParticipantState::of(word).ok_or_else(|| Fail::Garbled("a participant's state", word.to_owned()))
}

fn read_checked(row: &Row<'_>) -> Result<Participant, Fail> {
    read_participant(row, Fields::checked)
}

fn read_own(row: &Row<'_>) -> Result<Participant, Fail> {
    read_participant(row, |text| Ok(Fields::trusted(text)))
}

fn read_participant(row: &Row<'_>, fields: impl Fn(&str) -> Result<Fields, Fail>) -> Result<Participant, Fail> {
    Ok(Participant {
        id: ParticipantId(row.get(0)?),
        journey: row.get(1)?,
        key: row.get(2)?,
        email: row.get(3)?,
        px_id: row.get(4)?,
        fields: fields(row.get_ref(5)?.as_str().unwrap_or_default())?,
        facts: from_json("a participant's facts", row.get_ref(6)?.as_str().unwrap_or_default())?,
        state: read_state(row, 7)?,
        step: row.get(8)?,
        since: instant(row.get(9)?)?,
        due: maybe_instant(row, 10)?,
        reason: row.get(11)?,
        entered: instant(row.get(12)?)?,
        ended: maybe_instant(row, 13)?,
        revision: row.get(14)?,
    })
}
