//! `tabi journey report NAME`: who is where, what was seen, answered and opened (B12, B17).

use clap::Args;

use crate::{
    cli::{
        Context, Exit, Failure,
        render::{BOLD, DIM, paint, plain, table},
    },
    flow::journey::report as told,
    model::{Record, Value},
};

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The journey's name.
    #[arg(add = super::names())]
    name: String,
}

/// Reports one journey from the state file.
pub(super) fn report(args: &Report, cx: &Context) -> Result<Exit, Failure> {
    let workspace = cx.workspace()?;
    let declaration = super::named(&workspace, &args.name, cx)?;
    let Some(journey) = super::body(&declaration) else { return Ok(Exit::Done) };
    let report = told(&*workspace.store()?, &declaration, journey).map_err(crate::host::Error::from)?;
    cx.out.json(&report);
    let text = |name: &str| report.get(name).map(ToString::to_string).unwrap_or_default();
    cx.out.line(format!("{} {}", paint(BOLD, &args.name), paint(DIM, format!("{}, revision {}", text("status"), text("revision")))));
    if let Some(Value::Map(people)) = report.get("participants") {
        let counts: Vec<String> = people.iter().map(|(state, n)| format!("{n} {state}")).collect();
        cx.out.line(format!("  {}", counts.join(", ")));
    }
    if let Some(Value::Map(reasons)) = report.get("failed_reasons") {
        for (reason, n) in reasons.iter() {
            cx.out.line(format!("  {} {n} {reason}", paint(DIM, "failed:")));
        }
    }
    for part in ["steps", "emails", "engagements", "surveys"] {
        let rows = rows(&report, part);
        if let Some(first) = rows.first() {
            let names: Vec<String> =
                first.iter().map(|(name, value)| if matches!(value, Value::Int(_)) { format!("#{name}") } else { name.to_string() }).collect();
            let heads: Vec<&str> = names.iter().map(String::as_str).collect();
            let cells = rows.iter().map(|row| row.iter().map(|(_, value)| plain(value.to_string().replace('_', " "))).collect()).collect();
            cx.out.line("");
            cx.out.line(table(&heads, cells));
        }
    }
    Ok(Exit::Done)
}

fn rows(report: &Record, part: &str) -> Vec<Record> {
    match report.get(part) {
        Some(Value::List(rows)) => rows.iter().filter_map(|row| if let Value::Map(row) = row { Some(row.clone()) } else { None }).collect(),
        _ => Vec::new(),
    }
}
