//! Moves of participants: what each is after it, what it went through and what has to go out, a batch at once or not at all.

use rusqlite::{Connection, params};

use crate::model::Timestamp;

use super::{
    Error, Store,
    error::Fail,
    funnel::Tally,
    open::{micros, to_json},
    outbox::{self, NewIntent},
    participant::{Participant, must_exist},
    scratch::Scratch,
    timeline::{self, Entry},
};

/// One move.
#[derive(Debug, Clone, PartialEq)]
pub struct Move {
    /// As it is afterwards. Journey, key and time of entry never change.
    pub participant: Participant,
    pub entries: Vec<Entry>,
    pub intents: Vec<NewIntent>,
    /// Ids of the inbox events that this move has used up.
    pub events: Vec<i64>,
    /// Whether it may stand or have ended otherwise than is kept: its step, state, times, reason or revision; else none of them is written.
    pub moved: bool,
    /// Whether `participant.fields`, `email` or `px_id` may differ from what is kept; else they are not written.
    pub fields_changed: bool,
    /// From which place on `participant.facts` may differ from what is kept: those are counted. None: they are as they are kept.
    pub facts_from: Option<usize>,
}

impl Store {
    /// All moves or none. An intent with a known key is ignored.
    pub fn commit(&self, moves: &[Move]) -> Result<(), Error> {
        if moves.is_empty() {
            return Ok(());
        }
        let history = self.history();
        self.write(|sql| {
            let mut tally = Tally::default();
            for one in moves {
                make(sql, one, &mut tally, history)?;
            }
            tally.keep(sql)
        })
    }
}

/// What is done with that which has only to be told later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum History {
    Kept,
    /// Timelines, events that have moved their participants, and what was sent.
    Forgotten,
}

impl Store {
    pub(super) fn history(&self) -> History {
        if self.scratch.as_ref().is_some_and(Scratch::is_one_transaction) { History::Forgotten } else { History::Kept }
    }
}

pub(super) fn make(sql: &Connection, one: &Move, tally: &mut Tally, history: History) -> Result<(), Fail> {
    let person = &one.participant;
    update(sql, one)?;
    if history == History::Kept {
        timeline::append(sql, person.id, &one.entries)?;
    }
    if one.moved {
        tally.reached(sql, person.id, &person.journey, &one.entries, standing(person))?;
    }
    if let Some(from) = one.facts_from {
        tally.happened(sql, person.id, &person.journey, person.facts.get(from..).unwrap_or_default())?;
    }
    outbox::add(sql, &one.intents)?;
    for event in &one.events {
        // Answers are counted from the events themselves.
        let forgotten =
            history == History::Forgotten && sql.prepare_cached("DELETE FROM events WHERE id = ?1 AND kind <> 'responded'")?.execute([event])? > 0;
        if !forgotten {
            sql.prepare_cached("UPDATE events SET handled = 1 WHERE id = ?1")?.execute([event])?;
        }
    }
    Ok(())
}

fn standing(person: &Participant) -> Option<(&str, Timestamp)> {
    person.step.as_deref().map(|step| (step, person.since))
}

/// Many columns stand in indexes: those that may not differ are left out.
fn update(sql: &Connection, one: &Move) -> Result<(), Fail> {
    const MOVED: &str = "UPDATE participants SET state = ?2, step = ?3, since = ?4, due = ?5, reason = ?6, ended = ?7, revision = ?8, \
                         parked_as = CASE ?2 WHEN 'parked' THEN parked_as END, facts = coalesce(?9, facts) WHERE id = ?1";
    const CHANGED: &str = "UPDATE participants SET fields = ?2, email = ?3, px_id = ?4 WHERE id = ?1";
    const HEARD: &str = "UPDATE participants SET facts = ?2 WHERE id = ?1";
    let person = &one.participant;
    let id = person.id.as_i64();
    let facts = one.facts_from.map(|_| to_json(&person.facts)).transpose()?;
    let known = |updated: usize| if updated == 0 { Err(Fail::from(Error::NoParticipant { id })) } else { Ok(()) };
    if one.moved {
        let (since, due, ended) = (micros(person.since), person.due.map(micros), person.ended.map(micros));
        let (state, step, reason, revision) = (person.state.word(), &person.step, &person.reason, person.revision);
        known(sql.prepare_cached(MOVED)?.execute(params![id, state, step, since, due, reason, ended, revision, facts])?)?;
    } else if let Some(facts) = facts {
        known(sql.prepare_cached(HEARD)?.execute(params![id, facts])?)?;
    } else if !one.fields_changed {
        must_exist(sql, person.id)?;
    }
    if one.fields_changed {
        known(sql.prepare_cached(CHANGED)?.execute(params![id, to_json(&*person.fields)?, person.email, person.px_id])?)?;
    }
    Ok(())
}
