//! Who reached which step and what happened there: each participant counts once per step and kind, on the day it happened first (UTC).
//! Sums per day are kept with every move, so that a funnel of a million people is read from a few rows.

use std::collections::HashMap;

use jiff::{ToSpan, civil::Date};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::model::{Channel, EventKind, Timestamp};

use super::{
    Error, Store,
    error::Fail,
    open::{micros, select, uncount},
    participant::{Fact, ParticipantId},
    timeline::Entry,
};

/// The kind of a milestone that is no event.
const REACHED: &str = "reached";
/// Answers by the way they came.
const BY_EMAIL: &str = "responded_email";
const BY_PX: &str = "responded_px";
const MICROS_A_DAY: i64 = 86_400_000_000;

/// In the order the steps were first reached.
pub(super) const EVENTS: &str = "SELECT step.name, day.kind, sum(day.n) FROM journey_steps step JOIN milestone_days day ON day.step = step.id \
     WHERE step.journey = ?1 AND day.kind NOT IN ('reached', 'responded_email', 'responded_px') GROUP BY step.id, day.kind ORDER BY step.id, day.kind";

pub(super) const STEPS: &str = "SELECT step.name, coalesce((SELECT sum(n) FROM milestone_days day WHERE day.step = step.id AND day.kind = 'reached'), 0), \
     (SELECT count(*) FROM participants WHERE journey = ?1 AND state IN ('active', 'waiting', 'parked') AND step = step.name) \
     FROM journey_steps step WHERE step.journey = ?1 ORDER BY step.id";

pub(super) const DAYS: &str = "SELECT day.day, step.name, day.kind, day.n FROM journey_steps step JOIN milestone_days day ON day.step = step.id \
     WHERE step.journey = ?1 AND (day.kind = 'reached') = ?2 AND day.kind NOT IN ('responded_email', 'responded_px') ORDER BY day.day, step.id, day.kind";

impl Store {
    /// To how many participants each thing happened, per step.
    pub fn event_counts(&self, journey: &str) -> Result<Vec<(String, EventKind, u64)>, Error> {
        self.read(|sql| select(sql, EVENTS, [journey], |row| Ok((row.get(0)?, read_kind(row, 1)?, uncount(row.get(2)?)))))
    }

    /// How many participants answered by a way, per step: whoever answered by both counts in both.
    pub fn answer_counts(&self, journey: &str) -> Result<Vec<(String, Channel, u64)>, Error> {
        let query = "SELECT step.name, day.kind, sum(day.n) FROM journey_steps step JOIN milestone_days day ON day.step = step.id \
             WHERE step.journey = ?1 AND day.kind IN ('responded_email', 'responded_px') GROUP BY step.id, day.kind ORDER BY step.id, day.kind";
        let channel =
            |row: &Row<'_>| Ok::<_, Fail>(if row.get_ref(1)?.as_str().unwrap_or_default() == BY_EMAIL { Channel::Email } else { Channel::Px });
        self.read(|sql| select(sql, query, [journey], |row| Ok((row.get(0)?, channel(row)?, uncount(row.get(2)?)))))
    }

    /// Each step with how many participants ever reached it and how many stand there now, parked ones too.
    pub fn step_counts(&self, journey: &str) -> Result<Vec<(String, u64, u64)>, Error> {
        self.read(|sql| select(sql, STEPS, [journey], |row| Ok((row.get(0)?, uncount(row.get(1)?), uncount(row.get(2)?)))))
    }

    /// Like `event_counts`, by the UTC day on which it first happened to each participant.
    pub fn counts_by_day(&self, journey: &str) -> Result<Vec<(Date, String, EventKind, u64)>, Error> {
        let read = |row: &Row<'_>| Ok((read_day(row)?, row.get(1)?, read_kind(row, 2)?, uncount(row.get(3)?)));
        self.read(|sql| select(sql, DAYS, params![journey, false], read))
    }

    /// How many participants first reached each step, by UTC day.
    pub fn reached_by_day(&self, journey: &str) -> Result<Vec<(Date, String, u64)>, Error> {
        self.read(|sql| select(sql, DAYS, params![journey, true], |row| Ok((read_day(row)?, row.get(1)?, uncount(row.get(3)?)))))
    }
}

/// What is new in one transaction: counted while it goes on, added to the sums at its end.
#[derive(Default)]
pub(super) struct Tally {
    /// Numbers of steps by journey and name.
    steps: HashMap<String, HashMap<String, i64>>,
    new: HashMap<(i64, &'static str, i64), i64>,
}

impl Tally {
    /// Every step that the entries name, and the one where the participant stands, since when.
    pub(super) fn reached(
        &mut self,
        sql: &Connection,
        id: ParticipantId,
        journey: &str,
        entries: &[Entry],
        standing: Option<(&str, Timestamp)>,
    ) -> Result<(), Fail> {
        let named = entries.iter().filter_map(|entry| Some((entry.step.as_deref()?, entry.at)));
        let mut last = None;
        for (step, at) in named.chain(standing) {
            if last.replace(step) != Some(step) {
                self.note(sql, id, journey, step, REACHED, at)?;
            }
        }
        Ok(())
    }

    pub(super) fn happened(&mut self, sql: &Connection, id: ParticipantId, journey: &str, facts: &[Fact]) -> Result<(), Fail> {
        for fact in facts {
            self.note(sql, id, journey, &fact.step, fact.event.word(), fact.at)?;
            // Those who answered by either way are counted by each of them, too.
            match (fact.event, fact.channel) {
                (EventKind::Responded, Some(Channel::Email)) => self.note(sql, id, journey, &fact.step, BY_EMAIL, fact.at)?,
                (EventKind::Responded, Some(Channel::Px)) => self.note(sql, id, journey, &fact.step, BY_PX, fact.at)?,
                _ => (),
            }
        }
        Ok(())
    }

    /// Adds what was new to the sums.
    pub(super) fn keep(self, sql: &Connection) -> Result<(), Fail> {
        let mut add = sql.prepare_cached(
            "INSERT INTO milestone_days (step, kind, day, n) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (step, kind, day) DO UPDATE SET n = n + excluded.n",
        )?;
        for ((step, kind, day), n) in self.new {
            add.execute(params![step, kind, day, n])?;
        }
        Ok(())
    }

    fn note(&mut self, sql: &Connection, id: ParticipantId, journey: &str, step: &str, kind: &'static str, at: Timestamp) -> Result<(), Fail> {
        let step = self.step(sql, journey, step)?;
        let new = sql
            .prepare_cached("INSERT INTO milestones (step, kind, participant) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
            .execute(params![step, kind, id.as_i64()])?;
        if new > 0 {
            *self.new.entry((step, kind, micros(at).div_euclid(MICROS_A_DAY))).or_default() += 1;
        }
        Ok(())
    }

    fn step(&mut self, sql: &Connection, journey: &str, name: &str) -> Result<i64, Fail> {
        if let Some(number) = self.steps.get(journey).and_then(|steps| steps.get(name)) {
            return Ok(*number);
        }
        let number = step_number(sql, journey, name)?;
        self.steps.entry(journey.to_owned()).or_default().insert(name.to_owned(), number);
        Ok(number)
    }
}

fn step_number(sql: &Connection, journey: &str, name: &str) -> Result<i64, Fail> {
    let known = sql
        .prepare_cached("SELECT id FROM journey_steps WHERE journey = ?1 AND name = ?2")?
        .query_row([journey, name], |row| row.get(0))
        .optional()?;
    if let Some(number) = known {
        return Ok(number);
    }
    sql.prepare_cached("INSERT INTO journey_steps (journey, name) VALUES (?1, ?2)")?.execute([journey, name])?;
    Ok(sql.last_insert_rowid())
}

fn read_kind(row: &Row<'_>, column: usize) -> Result<EventKind, Fail> {
    let word: String = row.get(column)?;
    EventKind::of(&word).ok_or_else(|| Fail::Garbled("an event's kind", word))
}

fn read_day(row: &Row<'_>) -> Result<Date, Fail> {
    let days: i64 = row.get(0)?;
    let garbled = |error: jiff::Error| Fail::Garbled("a day", error.to_string());
    let span = 0.days().try_days(days).map_err(garbled)?;
    Date::constant(1970, 1, 1).checked_add(span).map_err(garbled)
}
