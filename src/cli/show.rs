//! `tabi show RUN`: one run, with the rows it could not write.

use clap::Args;
use serde_json::json;

use crate::store::{Error, RowError, Run, RunId, Store};

use super::{
    Context, Exit, Failure, history,
    render::{BOLD, DIM, count, many, paint, plain, seconds, table, time},
};

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The run's id, as `tabi history` lists it; `last` for the newest one.
    run: String,
    /// How many rejected rows to show at most; 0 for all.
    #[arg(long, default_value_t = 50, value_name = "N")]
    rows: u32,
}

impl Show {
    /// A run with its first rejected rows.
    pub(crate) fn of(run: String) -> Self {
        Self { run, rows: 50 }
    }
}

/// Rejected rows read at once.
const PAGE: u32 = 1_000;

/// Shows one run.
pub(crate) fn show(args: &Show, cx: &Context) -> Result<Exit, Failure> {
    let workspace = cx.workspace()?;
    let store = workspace.existing_store()?.ok_or_else(|| Error::NoRun { id: args.run.clone() })?;
    let id = if args.run == "last" { newest(&store)? } else { RunId::new(&args.run) };
    let run = store.run(&id)?;
    let most = if cx.out.is_json() || args.rows == 0 { u64::MAX } else { args.rows.into() };
    let rows = row_errors(&store, &id, most)?;
    if cx.out.is_json() {
        let mut document = history::document(&run);
        document["declaration"] = json!(run.hash);
        document["parameters"] = json!(run.parameters);
        document["rows"] = rows.iter().map(|row| json!({"key": row.key, "field": row.field, "value": row.value, "reason": row.reason})).collect();
        cx.out.json(&document);
        return Ok(Exit::Done);
    }
    head(&run, &workspace.config.timezone, cx);
    list(&run, &rows, cx);
    Ok(Exit::Done)
}

fn newest(store: &Store) -> Result<RunId, Error> {
    let runs = store.runs(&crate::store::RunFilter { limit: 1, ..Default::default() })?;
    runs.into_iter().next().map(|run| run.id).ok_or_else(|| Error::NoRun { id: "last".into() })
}

fn row_errors(store: &Store, id: &RunId, most: u64) -> Result<Vec<RowError>, Error> {
    let mut rows = Vec::new();
    while (rows.len() as u64) < most {
        let page = store.row_errors(id, rows.len() as u64, PAGE.min(u32::try_from(most - rows.len() as u64).unwrap_or(PAGE)))?;
        if page.is_empty() {
            break;
        }
        rows.extend(page);
    }
    Ok(rows)
}

fn head(run: &Run, zone: &jiff::tz::TimeZone, cx: &Context) {
    let line = |what: &str, value: String| cx.out.line(format!("  {} {value}", paint(DIM, format!("{what:<12}"))));
    cx.out.line(format!("{} {} {}", paint(BOLD, &run.id), paint(BOLD, &run.name), paint(history::style(run.status), run.status.word())));
    line("started", format!("{} ({})", time(run.started, zone), run.reason));
    line("took", seconds(run.seconds));
    line(
        "rows",
        format!("{} read, {} written, {} unchanged, {} rejected", count(run.read), count(run.written), count(run.unchanged), count(run.rejected)),
    );
    let calls: Vec<String> = run.calls.iter().filter(|(_, calls)| **calls > 0).map(|(system, calls)| format!("{} {system}", count(*calls))).collect();
    line("calls", if calls.is_empty() { "none".into() } else { calls.join(", ") });
    line("declaration", run.hash.chars().take(16).collect());
    if let Some(message) = &run.message {
        line("message", message.clone());
    }
}

fn list(run: &Run, rows: &[RowError], cx: &Context) {
    if rows.is_empty() {
        return;
    }
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let cells = rows.iter().map(|row| vec![plain(&row.key), plain(text(&row.field)), plain(text(&row.value)), plain(&row.reason)]);
    cx.out.line("");
    cx.out.line(table(&["key", "field", "value", "reason"], cells.collect()));
    let left = run.row_errors.saturating_sub(rows.len() as u64);
    if left > 0 {
        cx.out.line(paint(DIM, format!("and {} more", many(left, "row"))));
    }
}
