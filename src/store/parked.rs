//! Participants whose step is gone after an edit: set aside where they stand, and taken back when the step is there again.

use rusqlite::{Connection, params};

use crate::model::{Timestamp, Value};

use super::{
    Error, Store,
    edits::AT_ONCE,
    error::Fail,
    open::micros,
    participant::ParticipantId,
    timeline::{self, Entry},
};

/// Some of those who stand on a step and are not over.
pub(super) const STANDING: &str = "SELECT id FROM participants INDEXED BY participants_by_step \
     WHERE journey = ?1 AND state IN ('active', 'waiting') AND step = ?2 LIMIT ?3";
pub(super) const SET_ASIDE: &str =
    "SELECT id FROM participants INDEXED BY participants_by_step WHERE journey = ?1 AND state = 'parked' AND step = ?2 LIMIT ?3";

const PARK: &str = "UPDATE participants SET parked_as = state, state = 'parked', reason = ?2 WHERE id = ?1";
/// One who was active has something to do, whenever that was.
const UNPARK: &str = "UPDATE participants SET state = coalesce(parked_as, 'active'), parked_as = NULL, reason = NULL, \
     due = CASE WHEN parked_as IS 'waiting' THEN due ELSE coalesce(due, ?2) END WHERE id = ?1";

impl Store {
    /// Sets aside everybody who stands on one of the steps and tells so in their timelines. How many they were. They keep step and timer.
    pub fn park(&self, journey: &str, steps: &[impl AsRef<str>], reason: &str, at: Timestamp) -> Result<u64, Error> {
        let mut parked = 0;
        for step in steps.iter().map(AsRef::as_ref) {
            parked += self.each(STANDING, (journey, step), |sql, id| {
                sql.prepare_cached(PARK)?.execute(params![id, reason])?;
                tell(sql, id, "parked", step, ("reason", reason), at)
            })?;
        }
        Ok(parked)
    }

    /// Takes everybody back who is parked on the step, as they were. A timer that ran out meanwhile is due at once. How many they were.
    pub fn unpark(&self, journey: &str, step: &str, at: Timestamp) -> Result<u64, Error> {
        self.each(SET_ASIDE, (journey, step), |sql, id| {
            sql.prepare_cached(UNPARK)?.execute(params![id, micros(at)])?;
            tell(sql, id, "note", step, ("text", "no longer parked"), at)
        })
    }

    /// Does something to everybody that a query finds, which they are not found by any more afterwards; some in one transaction.
    fn each(&self, query: &str, (journey, step): (&str, &str), work: impl Fn(&Connection, i64) -> Result<(), Fail>) -> Result<u64, Error> {
        let mut done = 0;
        loop {
            let some = self.write(|sql| {
                let ids: Vec<i64> =
                    sql.prepare_cached(query)?.query_map(params![journey, step, AT_ONCE], |row| row.get(0))?.collect::<Result<_, _>>()?;
                ids.iter().try_for_each(|id| work(sql, *id))?;
                Ok(ids.len() as u64)
            })?;
            done += some;
            if some == 0 {
                return Ok(done);
            }
        }
    }
}

fn tell(sql: &Connection, id: i64, kind: &str, step: &str, (name, text): (&str, &str), at: Timestamp) -> Result<(), Fail> {
    let detail = [(name.into(), Value::text(text))].into_iter().collect();
    timeline::append(sql, ParticipantId::from_i64(id), &[Entry { at, kind: kind.to_owned(), step: Some(step.to_owned()), detail }])
}
