//! `tabi journey report NAME`: who is where, what was seen, answered and opened, now and over time (B12, B16, B17).

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::{
    cli::{
        Context, Exit, Failure,
        render::{BAD, BOLD, DIM, WARN, paint, plain, table},
    },
    flow::journey::{Per, over_time, report as told, responses},
    model::{Record, Value},
};

use super::report_csv::{self, Table};

/// No folder.
const STDOUT: &str = "-";

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The journey's name.
    #[arg(add = super::names())]
    name: String,
    /// What happened in each day, week or month (UTC; weeks begin on Monday).
    #[arg(long, value_name = "STRETCH", conflicts_with = "responses")]
    by: Option<By>,
    /// Every answer to its surveys.
    #[arg(long)]
    responses: bool,
    /// As CSV on standard output, or every table as a file in a folder.
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = STDOUT)]
    csv: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    Day,
    Week,
    Month,
}

impl From<By> for Per {
    fn from(by: By) -> Self {
        match by {
            By::Day => Self::Day,
            By::Week => Self::Week,
            By::Month => Self::Month,
        }
    }
}

/// Reports one journey from the state file.
pub(super) fn report(args: &Report, cx: &Context) -> Result<Exit, Failure> {
    let workspace = cx.workspace()?;
    let declaration = super::named_or_kept(&workspace, &args.name, cx)?;
    let Some(journey) = super::body(&declaration) else { return Ok(Exit::Done) };
    let store = workspace.store()?;
    let failed = |error: crate::flow::Error| Failure::from(crate::host::Error::from(error));
    let by = |per: Per| over_time(&store, &args.name, per).map_err(failed);
    let answers = || -> Result<Vec<Record>, Failure> {
        let mut all = Vec::new();
        responses(&store, &args.name, journey, |answer| all.push(answer)).map_err(failed)?;
        Ok(all)
    };
    let report = told(&store, &declaration, journey).map_err(failed)?;
    if let Some(folder) = args.csv.as_ref().filter(|folder| folder.as_os_str() != STDOUT) {
        let mut tables = report_csv::tables(&report);
        tables.push(Table { name: "over_time", rows: by(args.by.map_or(Per::Day, Per::from))? });
        tables.push(Table { name: "responses", rows: answers()? });
        return report_csv::write(folder, &tables, cx);
    }
    let listed = match (args.by, args.responses) {
        (Some(stretch), _) => Some(by(stretch.into())?),
        (None, true) => Some(answers()?),
        (None, false) => None,
    };
    if args.csv.is_some() {
        let rows = listed.unwrap_or_else(|| report_csv::long(&report_csv::tables(&report)));
        cx.out.json(&rows);
        cx.out.line(report_csv::text(&rows)?.trim_end());
        return Ok(Exit::Done);
    }
    match listed {
        Some(rows) => {
            cx.out.json(&rows);
            list(&rows, args.responses, cx);
        }
        None => {
            cx.out.json(&report);
            whole(&args.name, &report, cx);
        }
    }
    Ok(Exit::Done)
}

/// Columns where something is more than nothing.
fn list(rows: &[Record], are_answers: bool, cx: &Context) {
    let Some(first) = rows.first() else {
        return cx.out.line(paint(DIM, if are_answers { "Nobody has answered yet." } else { "Nothing has happened yet." }));
    };
    let says = |name: &str| rows.iter().any(|row| row.get(name).is_some_and(|value| !matches!(value, Value::Int(0)) && !value.is_blank()));
    let names: Vec<&str> =
        first.iter().map(|(name, _)| name.as_str()).filter(|name| *name != "participant" && *name != "more" && says(name)).collect();
    show(rows, &names.iter().map(|name| (*name, *name)).collect::<Vec<_>>(), cx);
}

/// What a table of people shows: the key, and the word above it.
type Columns = [(&'static str, &'static str)];

const STEPS: &Columns = &[("step", "step"), ("reached", "reached"), ("conversion", "of all"), ("standing", "standing")];
const EMAILS: &Columns =
    &[("step", "email"), ("sent", "sent"), ("opened", "opened"), ("clicked", "clicked"), ("bounced", "bounced"), ("failed", "failed")];
const ENGAGEMENTS: &Columns = &[
    ("step", "engagement"),
    ("viewed", "viewed"),
    ("not_viewed", "not viewed"),
    ("completed", "completed"),
    ("failed", "failed"),
    ("failure_rate", "failure rate"),
];
const SURVEYS: &Columns = &[
    ("step", "survey"),
    ("viewed", "viewed"),
    ("not_viewed", "not viewed"),
    ("responded", "responded"),
    ("responded_email", "by e-mail"),
    ("responded_px", "by PX"),
    ("average_score", "average"),
    ("nps", "NPS"),
];

fn whole(name: &str, report: &Record, cx: &Context) {
    let text = |name: &str| report.get(name).map(ToString::to_string).unwrap_or_default();
    cx.out.line(format!("{} {}", paint(BOLD, name), paint(DIM, format!("{}, revision {}", text("status"), text("revision")))));
    if let Some(Value::Map(people)) = report.get("participants") {
        let counts: Vec<String> = people.iter().map(|(state, n)| format!("{n} {state}")).collect();
        cx.out.line(format!("  {}", counts.join(", ")));
    }
    if let Some(Value::Map(reasons)) = report.get("failed_reasons") {
        for (reason, n) in reasons.iter() {
            cx.out.line(format!("  {} {n} {reason}", paint(DIM, "failed:")));
        }
    }
    let tables = report_csv::tables(report);
    for (part, columns) in [("steps", STEPS), ("emails", EMAILS), ("engagements", ENGAGEMENTS), ("surveys", SURVEYS)] {
        let rows = tables.iter().find(|table| table.name == part).map(|table| table.rows.as_slice()).unwrap_or_default();
        if rows.is_empty() {
            continue;
        }
        cx.out.line("");
        show(rows, columns, cx);
        for row in rows {
            below(row, cx);
        }
    }
}

fn show(rows: &[Record], columns: &[(&str, &str)], cx: &Context) {
    let number = |name: &str| rows.iter().all(|row| matches!(row.get(name), Some(Value::Int(_) | Value::Float(_) | Value::Null) | None));
    let heads: Vec<String> = columns.iter().map(|(name, word)| if number(name) { format!("#{word}") } else { (*word).to_owned() }).collect();
    let cell = |name: &str, value: Option<&Value>| match (name, value) {
        (_, None | Some(Value::Null)) => plain(""),
        ("conversion" | "failure_rate" | "response_rate", Some(Value::Float(share))) => plain(format!("{:.1} %", share * 100.0)),
        (_, Some(value)) => plain(value),
    };
    let cells = rows.iter().map(|row| columns.iter().map(|(name, _)| cell(name, row.get(name))).collect()).collect();
    cx.out.line(table(&heads.iter().map(String::as_str).collect::<Vec<_>>(), cells));
}

/// What does not fit into a row: how often each score was given, and what is wrong with the engagement.
fn below(row: &Record, cx: &Context) {
    let step = row.get("step").map(ToString::to_string).unwrap_or_default();
    if let Some(Value::Map(scores)) = row.get("scores").filter(|scores| !scores.is_blank())
        && !scores.is_empty()
    {
        let given: Vec<String> = scores.iter().map(|(score, n)| format!("{score}: {n}")).collect();
        cx.out.line(format!("  {} {}", paint(DIM, format!("{step} scores")), given.join(", ")));
    }
    if let Some(Value::Text(to_do)) = row.get("to_do") {
        cx.out.line(format!("  {} {to_do}", paint(WARN, "unconfirmed:")));
    }
    if let Some(Value::Text(error)) = row.get("error") {
        cx.out.line(format!("  {} the engagement of \"{step}\" {error}", paint(BAD, "error:")));
    }
}
