//! What is declared, as it stands: when it runs next, and how it ran last.

use std::sync::Arc;

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{
    script::Declaration,
    store::{RunFilter, RunId, Status, Store},
};

use super::{Error, schedule};

/// One declaration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Listed {
    pub name: String,
    pub kind: String,
    pub file: String,
    pub line: u32,
    pub hash: String,
    pub schedule: Option<String>,
    /// Names of what it follows.
    pub after: Vec<String>,
    /// When a host that runs would run it next.
    pub next: Option<Timestamp>,
    pub last: Option<LastRun>,
}

/// How it ran last.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LastRun {
    pub id: RunId,
    pub status: Status,
    pub started: Timestamp,
}

/// Declarations in their order; without a state file nothing has run yet.
///
/// # Errors
/// When the state cannot be read.
pub fn listed(declarations: &[Arc<Declaration>], store: Option<&Store>, now: Timestamp, zone: &TimeZone) -> Result<Vec<Listed>, Error> {
    let one = |declaration: &Arc<Declaration>| {
        Ok(Listed {
            name: declaration.name.clone(),
            kind: declaration.kind().word().to_owned(),
            file: declaration.place.file.clone(),
            line: declaration.place.line,
            hash: declaration.hash.clone(),
            schedule: declaration.schedule.as_ref().map(ToString::to_string),
            after: declaration.after.clone(),
            next: next_run(declaration, store, now, zone)?,
            last: last_run(declaration, store)?,
        })
    };
    declarations.iter().map(one).collect()
}

fn next_run(declaration: &Declaration, store: Option<&Store>, now: Timestamp, zone: &TimeZone) -> Result<Option<Timestamp>, Error> {
    let Some(schedule) = &declaration.schedule else { return Ok(None) };
    let mark = store.map(|store| store.mark(&declaration.name)).transpose()?.flatten();
    Ok(schedule::due(schedule, mark.and_then(|mark| mark.started), now, zone).ok())
}

fn last_run(declaration: &Declaration, store: Option<&Store>) -> Result<Option<LastRun>, Error> {
    let Some(store) = store else { return Ok(None) };
    let runs = store.runs(&RunFilter { name: Some(&declaration.name), before: None, limit: 1 })?;
    Ok(runs.into_iter().next().map(|run| LastRun { id: run.id, status: run.status, started: run.started }))
}
