//! Participants whose step is gone after an edit: set aside where they stand, and taken back when the step is there again.

use rusqlite::params;

use crate::model::Timestamp;

use super::{Error, Store, open::micros};

/// Who stands on a step and is not over.
const STANDING: &str = "journey = ?1 AND state IN ('active', 'waiting') AND step = ?2";
const SET_ASIDE: &str = "journey = ?1 AND state = 'parked' AND step = ?2";

impl Store {
    /// Sets aside everybody who stands on one of the steps and tells so in their timelines. How many they were. They keep step and timer.
    pub fn park(&self, journey: &str, steps: &[impl AsRef<str>], reason: &str, at: Timestamp) -> Result<u64, Error> {
        let tell = format!(
            "INSERT INTO timeline (participant, at, kind, step, detail) \
             SELECT id, ?4, 'parked', step, json_object('reason', ?3) FROM participants WHERE {STANDING}"
        );
        let park = format!("UPDATE participants SET parked_as = state, state = 'parked', reason = ?3 WHERE {STANDING}");
        self.write(|sql| {
            let mut parked = 0;
            for step in steps.iter().map(AsRef::as_ref) {
                sql.prepare_cached(&tell)?.execute(params![journey, step, reason, micros(at)])?;
                parked += sql.prepare_cached(&park)?.execute(params![journey, step, reason])? as u64;
            }
            Ok(parked)
        })
    }

    /// Takes everybody back who is parked on the step, as they were. A timer that ran out meanwhile is due at once. How many they were.
    pub fn unpark(&self, journey: &str, step: &str, at: Timestamp) -> Result<u64, Error> {
        let tell = format!(
            "INSERT INTO timeline (participant, at, kind, step, detail) \
             SELECT id, ?3, 'note', step, json_object('text', 'no longer parked') FROM participants WHERE {SET_ASIDE}"
        );
        // One who was active has something to do, whenever that was.
        let unpark = format!(
            "UPDATE participants SET state = coalesce(parked_as, 'active'), parked_as = NULL, reason = NULL, \
             due = CASE WHEN parked_as IS 'waiting' THEN due ELSE coalesce(due, ?3) END WHERE {SET_ASIDE}"
        );
        self.write(|sql| {
            sql.prepare_cached(&tell)?.execute(params![journey, step, micros(at)])?;
            Ok(sql.prepare_cached(&unpark)?.execute(params![journey, step, micros(at)])? as u64)
        })
    }
}
