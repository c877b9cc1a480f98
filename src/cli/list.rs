//! `tabi list`: what is declared, where, on what schedule, and how it last ran.

use clap::Args;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use crate::host::listing::{Listed, listed};

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
    let (now, zone) = (workspace.clock.now(), &workspace.config.timezone);
    let entries = listed(&declarations, store.as_deref(), now, zone)?;
    cx.out.json(&entries.iter().map(document).collect::<Vec<_>>());
    show(&entries, now, zone, cx);
    Ok(Exit::Done)
}

/// Shows them to people.
pub(super) fn show(entries: &[Listed], now: Timestamp, zone: &TimeZone, cx: &Context) {
    if entries.is_empty() {
        cx.out.line(paint(DIM, "Nothing is declared. `tabi init` writes examples."));
        return;
    }
    let rows = entries.iter().map(|entry| row(entry, now, zone)).collect();
    cx.out.line(table(&["name", "kind", "schedule", "next run", "last run", "where"], rows));
}

fn document(entry: &Listed) -> Value {
    json!({
        "name": entry.name, "kind": entry.kind, "file": entry.file, "line": entry.line, "hash": entry.hash,
        "schedule": entry.schedule, "after": entry.after, "next_run": entry.next,
        "last_run": entry.last.as_ref().map(|run| json!({"id": run.id, "status": run.status.word(), "at": run.started})),
    })
}

fn row(entry: &Listed, now: Timestamp, zone: &TimeZone) -> Vec<comfy_table::Cell> {
    let schedule = match (&entry.schedule, entry.after.as_slice()) {
        (Some(schedule), _) => schedule.clone(),
        (None, []) => "by hand".into(),
        (None, after) => format!("after {}", after.join(", ")),
    };
    let next = match entry.next {
        Some(at) if at <= now => "now".into(),
        Some(at) => time(at, zone),
        None => String::new(),
    };
    let last = match &entry.last {
        Some(run) => {
            let text = format!("{}, {}", run.status.word(), ago(run.started, now));
            history::tint(run.status).map_or_else(|| plain(&text), |tint| tinted(tint, &text))
        }
        None => tinted(Tint::Dim, "never"),
    };
    let place = tinted(Tint::Dim, format!("{}:{}", entry.file, entry.line));
    vec![plain(&entry.name), plain(&entry.kind), plain(schedule), plain(next), last, place]
}
