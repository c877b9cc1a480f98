//! What is due: by schedule, because a time was missed, or because its last run was cut short.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::{
    script::Declaration,
    store::{self, Mark, Store},
};

use super::schedule;

/// Names that are due now, and when the next one will be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Due {
    pub now: BTreeSet<String>,
    pub next: Option<Timestamp>,
}

/// What a host knows of a declaration besides its marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// When the host first knew it: what lay before was not missed.
    pub known: Timestamp,
    /// When the host last began it, whatever became of that: it is not tried again before its next time.
    pub tried: Option<Timestamp>,
}

/// When each declaration last ran, by name.
pub fn marks(store: &Store) -> Result<BTreeMap<String, Mark>, store::Error> {
    Ok(store.marks()?.into_iter().map(|mark| (mark.name.clone(), mark)).collect())
}

/// How far two clocks may be apart that are right.
const SKEW: SignedDuration = SignedDuration::from_mins(1);

/// Puts right what a clock that was ahead has left behind: else nothing would be due until it has come to that time again. What is to be said
/// of it, by name.
///
/// # Errors
/// The state file's.
pub fn put_right(store: &Store, now: Timestamp) -> Result<Vec<(String, String)>, store::Error> {
    let later_than = now.saturating_add(SKEW).unwrap_or(Timestamp::MAX);
    let say = |name: String| {
        (name, "its last run lies in the future: the clock was ahead then. It counts as run now, and is due again by its schedule".to_owned())
    };
    // Marks of the host's own work have names that no declaration can have.
    Ok(store.put_right(later_than, now)?.into_iter().filter(|name| !name.contains(' ')).map(say).collect())
}

/// What is due of the declarations that have a schedule.
pub fn due(
    declarations: &[Arc<Declaration>],
    marks: &BTreeMap<String, Mark>,
    since: &BTreeMap<String, Since>,
    now: Timestamp,
    zone: &TimeZone,
) -> Due {
    let mut found = Due::default();
    for declaration in declarations {
        let Some(at) = due_at(declaration, marks.get(&declaration.name), since.get(&declaration.name).copied(), now, zone) else { continue };
        if at <= now {
            found.now.insert(declaration.name.clone());
        } else {
            found.next = Some(found.next.map_or(at, |next| next.min(at)));
        }
    }
    found
}

fn due_at(declaration: &Declaration, mark: Option<&Mark>, since: Option<Since>, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let schedule = declaration.schedule.as_ref()?;
    let started = mark.and_then(|mark| mark.started);
    let finished = mark.and_then(|mark| mark.finished);
    // A clock that was put back has them in the future.
    let tried = since.and_then(|since| since.tried).filter(|tried| *tried <= now);
    // Its process was killed in the middle: it goes on at once, unless this host has tried already.
    let cut_short = started.is_some() && finished < started;
    if cut_short && tried.is_none() {
        return Some(now);
    }
    match schedule::due(schedule, started.max(tried), since.map_or(now, |since| since.known.min(now)), zone) {
        Ok(at) => Some(at),
        Err(error) => {
            tracing::warn!(name = declaration.name, %error, "never due");
            None
        }
    }
}

/// The named declarations and those that follow them without a schedule of their own, as declared.
pub fn with_followers(declarations: &[Arc<Declaration>], mut names: BTreeSet<String>) -> Vec<Arc<Declaration>> {
    loop {
        let follows = |d: &&Arc<Declaration>| d.schedule.is_none() && !names.contains(&d.name) && d.after.iter().any(|name| names.contains(name));
        let more: Vec<String> = declarations.iter().filter(follows).map(|d| d.name.clone()).collect();
        if more.is_empty() {
            break;
        }
        names.extend(more);
    }
    declarations.iter().filter(|d| names.contains(&d.name)).cloned().collect()
}
