//! One action for rows that are at hand, and what became of each of them: what a step of a journey does for those who come to it.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    flow::{Error, Notice, Notify, Rejection, origin::Origin, slots::Sample, work::Work},
    model::{Fault, FaultKind, Record, Source},
    script::Action,
};

use super::{
    action::{self, Ready},
    enabled_only,
};

/// What became of a row: whether it was written, where that is known of it alone.
type Outcome = Result<Option<bool>, Fault>;

/// Does the action for all rows, each key one after the other where several rows have the same one. Gives back one outcome per row in order.
///
/// # Errors
/// When the action cannot be done at all; nothing was written then.
#[allow(clippy::result_large_err, reason = "a rejected row is rare, and told at once")]
pub(crate) fn for_rows(work: &mut Work<'_>, action: &Action, source: &Source, rows: Vec<Record>) -> Result<Vec<Outcome>, Error> {
    enabled_only(work, std::slice::from_ref(action))?;
    // Rows that do not meet the criteria are done with.
    let mut outcomes: Vec<Outcome> = rows.iter().map(|_| Ok(Some(false))).collect();
    let zone = work.zone;
    let meets = |row: &Record| action.criteria.as_ref().is_none_or(|criteria| criteria.matches(row, zone));
    let (places, rows): (Vec<usize>, Vec<Record>) = rows.into_iter().enumerate().filter(|(_, row)| meets(row)).unzip();
    if rows.is_empty() {
        return Ok(outcomes);
    }
    let mut ready = action::prepare(work, action, &Sample { source, schema: None, rows: &rows }, &Origin::of(source))?;
    let mut rounds: Vec<Round> = Vec::new();
    for (place, row) in places.into_iter().zip(rows) {
        let fitting = action::fit(&ready, row, work.date, zone).and_then(|row| Ok((action::key(&ready, &row, work.date, zone)?, row)));
        match fitting {
            Err(rejection) => {
                work.reject(rejection.clone());
                outcomes[place] = Err(refused(rejection));
            }
            Ok((key, row)) => {
                // The second row of a key is compared with what the first one has written.
                let free = rounds.iter().position(|round| !round.keys.contains(&key.compared)).unwrap_or_else(|| {
                    rounds.push(Round::default());
                    rounds.len() - 1
                });
                let round = &mut rounds[free];
                round.keys.insert(key.compared);
                round.places.insert(key.shown, place);
                round.rows.push(row);
            }
        }
    }
    let mut failed: Option<Fault> = None;
    for round in rounds {
        if failed.is_none() {
            failed = one_round(work, &mut ready, &round, &mut outcomes).err().map(|error| error.fault());
        }
        if let Some(fault) = &failed {
            round.places.values().for_each(|place| outcomes[*place] = Err(fault.clone()));
        }
    }
    Ok(outcomes)
}

/// Rows of different keys.
#[derive(Default)]
struct Round {
    keys: HashSet<String>,
    /// By the key that people read: rejections carry it.
    places: HashMap<String, usize>,
    rows: Vec<Record>,
}

fn one_round(work: &mut Work<'_>, ready: &mut Ready, round: &Round, outcomes: &mut [Outcome]) -> Result<(), Error> {
    let rejected: Arc<Mutex<Vec<Rejection>>> = Arc::default();
    let (kept, notify) = (Arc::clone(&rejected), Arc::clone(work.notify));
    let listening: Notify = Arc::new(move |notice| {
        if let Notice::Rejected { rejection, .. } = &notice {
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(rejection.clone());
        }
        notify(notice);
    });
    action::begin_again(ready);
    let before = work.tally.written();
    let mut listened = Work { notify: &listening, ..*work };
    let ended = action::take_fitted(&mut listened, ready, &round.rows).and_then(|()| action::finish(&mut listened, ready));
    work.tally = listened.tally;
    ended?;
    let rejections = std::mem::take(&mut *rejected.lock().unwrap_or_else(PoisonError::into_inner));
    let (written, taken) = (work.tally.written() - before, round.rows.len() - rejections.len());
    let each = match written {
        0 => Some(false),
        n if usize::try_from(n) == Ok(taken) => Some(true),
        _ => None,
    };
    round.places.values().for_each(|place| outcomes[*place] = Ok(each));
    for rejection in rejections {
        if let Some(place) = round.places.get(&rejection.key) {
            outcomes[*place] = Err(refused(rejection));
        }
    }
    Ok(())
}

fn refused(rejection: Rejection) -> Fault {
    Fault { field: rejection.field, ..Fault::new(FaultKind::Invalid, rejection.reason) }
}
