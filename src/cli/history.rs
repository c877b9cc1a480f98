//! `tabi history [NAME]`: what ran, when, and how it ended.

use clap::Args;
use serde_json::{Value, json};

use crate::store::{Run, RunFilter, Status};

use super::{
    Context, Exit, Failure,
    render::{BAD, DIM, GOOD, Tint, WARN, count, paint, plain, seconds, table, time, tinted},
};

#[derive(Debug, Args)]
pub(crate) struct History {
    /// Only runs of this declaration.
    name: Option<String>,
    /// How many at most, newest first.
    #[arg(short = 'n', long, default_value_t = 50, value_name = "N")]
    limit: u32,
}

/// Lists runs, newest first.
pub(crate) fn history(args: &History, cx: &Context) -> Result<Exit, Failure> {
    let workspace = cx.workspace()?;
    let runs = match workspace.existing_store()? {
        Some(store) => store.runs(&RunFilter { name: args.name.as_deref(), before: None, limit: args.limit })?,
        None => Vec::new(),
    };
    cx.out.json(&runs.iter().map(document).collect::<Vec<_>>());
    if runs.is_empty() {
        cx.out.line(paint(DIM, "No runs yet."));
        return Ok(Exit::Done);
    }
    let zone = &workspace.config.timezone;
    let rows = runs.iter().map(|run| {
        vec![
            plain(&run.id),
            plain(&run.name),
            tint(run.status).map_or_else(|| plain(run.status.word()), |tint| tinted(tint, run.status.word())),
            plain(time(run.started, zone)),
            plain(seconds(run.seconds)),
            plain(count(run.read)),
            plain(count(run.written)),
            plain(count(run.rejected)),
        ]
    });
    cx.out.line(table(&["run", "name", "status", "started", "#took", "#read", "#written", "#rejected"], rows.collect()));
    Ok(Exit::Done)
}

/// The colour of a status in a table.
pub(super) const fn tint(status: Status) -> Option<Tint> {
    match status {
        Status::Ok => Some(Tint::Good),
        Status::Partial | Status::Skipped | Status::Interrupted => Some(Tint::Warn),
        Status::Failed => Some(Tint::Bad),
        Status::Running => None,
    }
}

/// The colour of a status in a line.
pub(super) const fn style(status: Status) -> anstyle::Style {
    match status {
        Status::Ok => GOOD,
        Status::Partial | Status::Skipped | Status::Interrupted => WARN,
        Status::Failed => BAD,
        Status::Running => anstyle::Style::new(),
    }
}

/// A run as JSON tells it.
pub(super) fn document(run: &Run) -> Value {
    json!({
        "run": run.id, "name": run.name, "kind": run.kind, "status": run.status.word(), "reason": run.reason,
        "started": run.started, "ended": run.ended, "read": run.read, "written": run.written, "unchanged": run.unchanged,
        "rejected": run.rejected, "unmatched": run.beside.unmatched, "left_out": run.beside.left_out, "filtered": run.beside.filtered,
        "grouped": run.beside.grouped, "again": run.beside.again, "calls": run.calls, "seconds": run.seconds, "message": run.message,
    })
}
