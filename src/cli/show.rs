//! `tabi show RUN`: one run, with the rows it could not write.

use clap::Args;
use serde_json::{Value, json};

use crate::{
    flow::{Group, Groups},
    store::{Error, RowError, Run, RunId, Store},
};

use super::{
    Context, Exit, Failure, history,
    render::{BOLD, DIM, count, examples, many, paint, plain, seconds, table, time},
};

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The run's id, as `tabi history` lists it; `last` for the newest one.
    run: String,
    /// List so many rejected rows one by one, too; 0 for all. Without it each reason is told once, with some of its rows.
    #[arg(long, value_name = "N")]
    rows: Option<u32>,
}

impl Show {
    /// A run with its rejected rows.
    pub(crate) fn of(run: String) -> Self {
        Self { run, rows: None }
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
    let rows = row_errors(&store, &id)?;
    let mut groups = Groups::default();
    for row in &rows {
        groups.add(row);
    }
    let (groups, others) = groups.told();
    if cx.out.is_json() {
        let mut document = history::document(&run);
        document["declaration"] = json!(run.hash);
        document["parameters"] = json!(run.parameters);
        document["reasons"] = groups.iter().map(reason).collect();
        document["rows"] = rows.iter().map(rejected).collect();
        cx.out.json(&document);
        return Ok(Exit::Done);
    }
    head(&run, &workspace.config.timezone, cx);
    told(&groups, others, cx);
    if let Some(most) = args.rows {
        list(&rows, if most == 0 { usize::MAX } else { most as usize }, cx);
    }
    let left = run.row_errors.saturating_sub(rows.len() as u64);
    if left > 0 {
        cx.out.line(paint(DIM, format!("and {} more that were only counted", many(left, "row"))));
    }
    Ok(Exit::Done)
}

fn newest(store: &Store) -> Result<RunId, Error> {
    let runs = store.runs(&crate::store::RunFilter { limit: 1, ..Default::default() })?;
    runs.into_iter().next().map(|run| run.id).ok_or_else(|| Error::NoRun { id: "last".into() })
}

/// All that were kept, which are 10,000 at most.
fn row_errors(store: &Store, id: &RunId) -> Result<Vec<RowError>, Error> {
    let mut rows = Vec::new();
    loop {
        let page = store.row_errors(id, rows.len() as u64, PAGE)?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}

fn reason(group: &Group) -> Value {
    let rows: Vec<&String> = group.examples.iter().map(|(key, _)| key).collect();
    json!({"count": group.count, "field": group.field, "reason": group.reason, "place": group.place, "keys": rows})
}

fn rejected(row: &RowError) -> Value {
    json!({"key": row.key, "source": row.source, "field": row.field, "value": row.value, "reason": row.reason, "place": row.place})
}

fn head(run: &Run, zone: &jiff::tz::TimeZone, cx: &Context) {
    let line = |what: &str, value: String| cx.out.line(format!("  {} {value}", paint(DIM, format!("{what:<12}"))));
    cx.out.line(format!("{} {} {}", paint(BOLD, &run.id), paint(BOLD, &run.name), paint(history::style(run.status), run.status.word())));
    line("started", format!("{} ({})", time(run.started, zone), run.reason));
    line("took", seconds(run.seconds));
    line(
        "rows",
        format!(
            "{} read, {} written, {} unchanged, {} rejected{}",
            count(run.read),
            count(run.written),
            count(run.unchanged),
            count(run.rejected),
            beside(run)
        ),
    );
    let calls: Vec<String> = run.calls.iter().filter(|(_, calls)| **calls > 0).map(|(system, calls)| format!("{} {system}", count(*calls))).collect();
    line("calls", if calls.is_empty() { "none".into() } else { calls.join(", ") });
    line("declaration", run.hash.chars().take(16).collect());
    if let Some(message) = &run.message {
        line("message", message.clone());
    }
}

/// The other rows of the sum, those that there are.
fn beside(run: &Run) -> String {
    let rows = &run.beside;
    let all = [
        (rows.unmatched, "without a match"),
        (rows.left_out, "no customers"),
        (rows.filtered, "filtered out"),
        (rows.grouped, "folded into groups"),
        (rows.again, "given to a further action"),
    ];
    all.iter().filter(|(n, _)| *n > 0).fold(String::new(), |told, (n, what)| format!("{told}, {} {what}", count(*n)))
}

/// Each reason once, with some of its rows.
fn told(groups: &[Group], others: u64, cx: &Context) {
    if groups.is_empty() {
        return;
    }
    let text = |value: &Option<String>| plain(value.clone().unwrap_or_default());
    let cells = groups
        .iter()
        .map(|group| vec![plain(count(group.count)), text(&group.field), plain(&group.reason), plain(examples(group)), text(&group.place)]);
    cx.out.line("");
    cx.out.line(table(&["#rows", "field", "reason", "such as", "asked for at"], cells.collect()));
    if others > 0 {
        cx.out.line(paint(DIM, format!("and {} for other reasons (--rows 0 lists them)", many(others, "row"))));
    }
}

/// Rejected rows one by one.
fn list(rows: &[RowError], most: usize, cx: &Context) {
    if rows.is_empty() {
        return;
    }
    let text = |value: &Option<String>| plain(value.clone().unwrap_or_default());
    let cells = rows.iter().take(most).map(|row| vec![plain(&row.key), text(&row.source), text(&row.field), text(&row.value), plain(&row.reason)]);
    cx.out.line("");
    cx.out.line(table(&["key", "source", "field", "value", "reason"], cells.collect()));
    let left = rows.len().saturating_sub(most);
    if left > 0 {
        cx.out.line(paint(DIM, format!("and {} more", many(left as u64, "row"))));
    }
}
