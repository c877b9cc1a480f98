//! `tabi list`: what is declared, where, on what schedule, and how it last ran.

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    host::{Workspace, schedule},
    script::Declaration,
    store::{Run, RunFilter, Store},
};

use super::{
    Context, Exit, Failure, check, history,
    render::{DIM, Tint, ago, paint, plain, table, time, tinted},
};

#[derive(Debug, Args)]
pub(crate) struct List {}

/// Lists the declarations.
pub(crate) fn list(cx: &Context) -> Result<Exit, Failure> {
    let workspace = cx.workspace()?;
    let declarations = check::declarations(&workspace, cx)?;
    let store = check::remembered(&workspace, cx);
    let mut entries = Vec::new();
    for declaration in &declarations {
        entries.push(Entry {
            declaration,
            next: next_run(declaration, store.as_deref(), &workspace)?,
            last: last_run(declaration, store.as_deref())?,
        });
    }
    cx.out.json(&entries.iter().map(Entry::document).collect::<Vec<_>>());
    if entries.is_empty() {
        cx.out.line(paint(DIM, "Nothing is declared. `tabi init` writes examples."));
        return Ok(Exit::Done);
    }
    let rows = entries.iter().map(|entry| entry.row(&workspace)).collect();
    cx.out.line(table(&["name", "kind", "schedule", "next run", "last run", "where"], rows));
    Ok(Exit::Done)
}

struct Entry<'a> {
    declaration: &'a Declaration,
    next: Option<Timestamp>,
    last: Option<Run>,
}

impl Entry<'_> {
    fn document(&self) -> Value {
        let Declaration { name, place, schedule, after, .. } = self.declaration;
        json!({
            "name": name, "kind": self.declaration.kind().word(), "file": place.file, "line": place.line, "hash": self.declaration.hash,
            "schedule": schedule.as_ref().map(ToString::to_string), "after": after, "next_run": self.next,
            "last_run": self.last.as_ref().map(|run| json!({"id": run.id, "status": run.status.word(), "at": run.started})),
        })
    }

    fn row(&self, workspace: &Workspace) -> Vec<comfy_table::Cell> {
        let Declaration { name, place, schedule, after, .. } = self.declaration;
        let schedule = match (schedule, after.as_slice()) {
            (Some(schedule), _) => schedule.to_string(),
            (None, []) => "by hand".into(),
            (None, after) => format!("after {}", after.join(", ")),
        };
        let now = workspace.clock.now();
        let next = match self.next {
            Some(at) if at <= now => "now".into(),
            Some(at) => time(at, &workspace.config.timezone),
            None => String::new(),
        };
        let last = match &self.last {
            Some(run) => {
                let text = format!("{}, {}", run.status.word(), ago(run.started, now));
                history::tint(run.status).map_or_else(|| plain(&text), |tint| tinted(tint, &text))
            }
            None => tinted(Tint::Dim, "never"),
        };
        let place = tinted(Tint::Dim, format!("{}:{}", place.file, place.line));
        vec![plain(name), plain(self.declaration.kind().word()), plain(schedule), plain(next), last, place]
    }
}

/// When a host that runs would run it next.
fn next_run(declaration: &Declaration, store: Option<&Store>, workspace: &Workspace) -> Result<Option<Timestamp>, Failure> {
    let Some(schedule) = &declaration.schedule else { return Ok(None) };
    let mark = store.map(|store| store.mark(&declaration.name)).transpose()?.flatten();
    let due = schedule::due(schedule, mark.and_then(|mark| mark.started), workspace.clock.now(), &workspace.config.timezone);
    Ok(due.ok())
}

fn last_run(declaration: &Declaration, store: Option<&Store>) -> Result<Option<Run>, Failure> {
    let Some(store) = store else { return Ok(None) };
    let runs = store.runs(&RunFilter { name: Some(&declaration.name), before: None, limit: 1 })?;
    Ok(runs.into_iter().next())
}
