//! A journey's edits as they reach the state file: who stands where, new revisions, timers that move, steps that got another name. What
//! concerns many people is done in small transactions, so that everybody else can write meanwhile; each of them can be done again.

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::{Record, Timestamp, Value};

use super::{
    Error, Revision, Store,
    error::Fail,
    funnel::Tally,
    journey::insert_revision,
    open::{instant, micros, select, to_json, uncount},
    participant::ParticipantId,
    timeline::{self, Entry, EntryKind},
};

/// People in one transaction.
pub(super) const AT_ONCE: u32 = 5_000;

/// A step and who is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub step: String,
    /// Active and waiting.
    pub standing: u64,
    /// Set aside there.
    pub parked: u64,
}

/// When somebody who waits moves on by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timer {
    pub participant: ParticipantId,
    pub since: Timestamp,
    pub due: Timestamp,
}

/// Somebody who is known by another key or address from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rekeyed {
    pub participant: ParticipantId,
    pub key: String,
    pub email: Option<String>,
    pub px_id: Option<String>,
}

pub(super) const STANDING: &str = "SELECT step, sum(state <> 'parked'), sum(state = 'parked') FROM participants INDEXED BY participants_by_step \
     WHERE journey = ?1 AND state IN ('active', 'waiting', 'parked') AND step IS NOT NULL GROUP BY step ORDER BY step";

pub(super) const TIMERS: &str = "SELECT id, since, due FROM participants INDEXED BY participants_by_step \
     WHERE journey = ?1 AND state = 'waiting' AND step = ?2 AND id > ?3 AND due IS NOT NULL ORDER BY id LIMIT ?4";

pub(super) const SINCE: &str = "SELECT count(*) FROM participants INDEXED BY participants_by_step \
     WHERE journey = ?1 AND state = 'waiting' AND step = ?2 AND since <= ?3";

/// The last of the next so many participants of a journey.
pub(super) const CHUNK: &str = "SELECT max(id) FROM (SELECT id FROM participants INDEXED BY participants_of \
     WHERE journey = ?1 AND id > ?2 ORDER BY id LIMIT ?3)";

impl Store {
    /// Gives participants other keys and addresses.
    pub fn rekey(&self, people: &[Rekeyed]) -> Result<(), Error> {
        if people.is_empty() {
            return Ok(());
        }
        self.write(|sql| {
            let mut update = sql.prepare_cached("UPDATE participants SET key = ?2, email = ?3, px_id = ?4 WHERE id = ?1")?;
            for one in people {
                update.execute(params![one.participant.as_i64(), one.key, one.email, one.px_id])?;
            }
            Ok(())
        })
    }

    /// Everybody who is in, by step.
    pub fn standing(&self, journey: &str) -> Result<Vec<Standing>, Error> {
        let read = |row: &rusqlite::Row<'_>| Ok(Standing { step: row.get(0)?, standing: uncount(row.get(1)?), parked: uncount(row.get(2)?) });
        self.read(|sql| select(sql, STANDING, [journey], read))
    }

    /// How many wait at a step since then or longer.
    pub fn waiting_since(&self, journey: &str, step: &str, since: Timestamp) -> Result<u64, Error> {
        self.read(|sql| Ok(uncount(sql.prepare_cached(SINCE)?.query_row(params![journey, step, micros(since)], |row| row.get(0))?)))
    }

    /// Keeps a revision and makes it the one that the program runs, in one transaction. Nothing else about the program changes.
    pub fn take_up(&self, revision: &Revision) -> Result<(), Error> {
        self.write(|sql| {
            insert_revision(sql, revision)?;
            sql.prepare_cached("UPDATE programs SET revision = ?2, hash = ?3, changed_at = ?4 WHERE name = ?1")?.execute(params![
                revision.journey,
                revision.number,
                revision.hash,
                micros(revision.at)
            ])?;
            Ok(())
        })
    }

    /// The timers of those who wait at a step, after one of them.
    pub fn timers(&self, journey: &str, step: &str, after: Option<ParticipantId>) -> Result<Vec<Timer>, Error> {
        let after = after.map_or(0, ParticipantId::as_i64);
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Timer { participant: ParticipantId::from_i64(row.get(0)?), since: instant(row.get(1)?)?, due: instant(row.get(2)?)? })
        };
        self.read(|sql| select(sql, TIMERS, params![journey, step, after, AT_ONCE], read))
    }

    /// Sets timers. Whoever has moved meanwhile is left alone.
    pub fn retime(&self, timers: &[Timer]) -> Result<(), Error> {
        self.write(|sql| {
            let mut set = sql.prepare_cached("UPDATE participants SET due = ?3 WHERE id = ?1 AND since = ?2 AND state = 'waiting'")?;
            for timer in timers {
                set.execute(params![timer.participant.as_i64(), micros(timer.since), micros(timer.due)])?;
            }
            Ok(())
        })
    }

    /// A step has another name: whoever stands there stands there, what happened there happened there, and what is to go out goes out from
    /// there. Their timers stay.
    pub fn rename_step(&self, journey: &str, old: &str, new: &str, at: Timestamp) -> Result<(), Error> {
        let fact = |step: &str| to_json(&step).map(|step| format!("\"step\":{step}"));
        let tell = "INSERT INTO timeline (participant, at, kind, step, detail) SELECT id, ?5, 'note', ?4, json_object('text', 'the step got another \
                    name', 'was', ?3) FROM participants WHERE journey = ?1 AND id > ?6 AND id <= ?2 AND step = ?3 \
                    AND state IN ('active', 'waiting', 'parked')";
        let rename = "UPDATE participants SET step = CASE step WHEN ?3 THEN ?4 ELSE step END, facts = replace(facts, ?5, ?6) \
                      WHERE journey = ?1 AND id > ?7 AND id <= ?2 AND state IN ('active', 'waiting', 'parked') AND (step = ?3 OR instr(facts, ?5))";
        self.in_chunks(journey, |sql, after, last| {
            sql.prepare_cached(tell)?.execute(params![journey, last, old, new, micros(at), after])?;
            sql.prepare_cached(rename)?.execute(params![journey, last, old, new, fact(old)?, fact(new)?, after])?;
            Ok(())
        })?;
        self.write(|sql| {
            let steps = "UPDATE OR IGNORE journey_steps SET name = ?3 WHERE journey = ?1 AND name = ?2";
            let events = "UPDATE events INDEXED BY events_unhandled SET step = ?3 WHERE journey = ?1 AND handled = 0 AND step = ?2";
            let intents = "UPDATE intents SET step = ?3, intent = json_replace(intent, '$.step', ?3) \
                           WHERE journey = ?1 AND state IN ('pending', 'held') AND step = ?2";
            for query in [steps, events, intents] {
                sql.prepare_cached(query)?.execute(params![journey, old, new])?;
            }
            Ok(())
        })
    }

    /// Takes everybody who stands or is parked at one step to another one, where they arrive now. How many they were.
    pub fn relocate(&self, journey: &str, from: &str, to: &str, at: Timestamp) -> Result<u64, Error> {
        let mut moved = 0;
        loop {
            let some = self.write(|sql| {
                let ids: Vec<i64> = sql
                    .prepare_cached(
                        "SELECT id FROM participants INDEXED BY participants_by_step \
                         WHERE journey = ?1 AND state IN ('active', 'waiting', 'parked') AND step = ?2 \
                         AND (step <> ?5 OR since < ?3) LIMIT ?4",
                    )?
                    .query_map(params![journey, from, micros(at), AT_ONCE, to], |row| row.get(0))?
                    .collect::<Result<_, _>>()?;
                let mut tally = Tally::default();
                for id in &ids {
                    arrive(sql, &mut tally, (journey, *id), (from, to), at)?;
                }
                tally.keep(sql)?;
                Ok(ids.len() as u64)
            })?;
            moved += some;
            if some == 0 {
                return Ok(moved);
            }
        }
    }

    /// Does something for all participants of a journey, some at a time: with the last id that is done, and the last one to do.
    pub(super) fn in_chunks(&self, journey: &str, mut work: impl FnMut(&Connection, i64, i64) -> Result<(), Fail>) -> Result<(), Error> {
        let mut after = 0;
        while let Some(last) = self.write(|sql| {
            let last = chunk(sql, journey, after)?;
            last.map_or(Ok(()), |last| work(sql, after, last))?;
            Ok(last)
        })? {
            after = last;
        }
        Ok(())
    }
}

pub(super) fn chunk(sql: &Connection, journey: &str, after: i64) -> Result<Option<i64>, Fail> {
    let last: Option<Option<i64>> = sql.prepare_cached(CHUNK)?.query_row(params![journey, after, AT_ONCE], |row| row.get(0)).optional()?;
    Ok(last.flatten())
}

fn arrive(sql: &Connection, tally: &mut Tally, (journey, id): (&str, i64), (from, to): (&str, &str), at: Timestamp) -> Result<(), Fail> {
    sql.prepare_cached("UPDATE participants SET step = ?2, state = 'active', parked_as = NULL, reason = NULL, since = ?3, due = ?3 WHERE id = ?1")?
        .execute(params![id, to, micros(at)])?;
    let detail: Record = [("by", Value::text("hand")), ("from", Value::text(from))].into_iter().map(|(name, value)| (name.into(), value)).collect();
    let entry = Entry { at, kind: EntryKind::Moved.word().to_owned(), step: Some(to.to_owned()), detail };
    let id = ParticipantId::from_i64(id);
    timeline::append(sql, id, std::slice::from_ref(&entry))?;
    tally.reached(sql, id, journey, &[entry], None)
}
