//! `tabi journey show NAME`: what a journey says of itself, and its flow.

use clap::Args;
use serde_json::{Value, json};

use crate::{
    cli::{
        Context, Exit, Failure,
        render::{BAD, BOLD, DIM, WARN, many, paint},
    },
    flow::journey::to_do,
    host::Workspace,
    model::{Pace, Reentry, Source},
    script::{Declaration, Journey, Participants},
    store::Association,
};

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The journey's name.
    #[arg(add = super::names())]
    name: String,
    /// Only the flow.
    #[arg(long)]
    graph: bool,
    /// The flow as a Mermaid flowchart.
    #[arg(long)]
    mermaid: bool,
    /// Only this person: an e-mail address, a PX user id, or a part of one.
    #[arg(long, value_name = "WHO", conflicts_with_all = ["graph", "mermaid"])]
    person: Option<String>,
    /// The revisions of its flow, newest first.
    #[arg(long, conflicts_with_all = ["graph", "mermaid", "person"])]
    revisions: bool,
    /// The flow as it was in one revision.
    #[arg(long, value_name = "N", conflicts_with_all = ["person", "revisions"])]
    revision: Option<u32>,
}

/// Shows one journey.
pub(super) fn show(args: &Show, cx: &Context) -> Result<Exit, Failure> {
    let workspace = cx.workspace()?;
    if args.revisions || args.revision.is_some() {
        // A journey that no file declares any more has its past.
        if workspace.store()?.program(&args.name)?.is_none() {
            super::named(&workspace, &args.name, cx)?;
        }
        return match args.revision {
            Some(number) => super::revisions::one(&workspace, &args.name, number, args.mermaid, cx),
            None => super::revisions::list(&workspace, &args.name, cx),
        };
    }
    let declaration = super::named_or_kept(&workspace, &args.name, cx)?;
    let Some(journey) = super::body(&declaration) else { return Ok(Exit::Done) };
    if let Some(who) = &args.person {
        return super::person::person(&workspace, &args.name, journey, who, cx);
    }
    let associated = associated(&workspace, &args.name, cx);
    cx.out.json(&document(&declaration, journey, &associated));
    if args.mermaid {
        cx.out.line(journey.graph.mermaid().trim_end());
        return Ok(Exit::Done);
    }
    if !args.graph {
        head(&declaration, journey, cx);
        shows(journey, &associated, cx);
        cx.out.line("");
    }
    cx.out.line(journey.graph.outline().trim_end());
    Ok(Exit::Done)
}

fn document(declaration: &Declaration, journey: &Journey, associated: &[Association]) -> Value {
    let shown = |one: &Association| {
        json!({
            "engagement": one.engagement, "id": one.id, "kind": one.kind, "segment": one.segment, "read_only": true, "trouble": one.trouble,
            "confirmed": one.confirmed, "to_do": to_do(journey, one),
        })
    };
    json!({
        "name": declaration.name, "file": declaration.place.file, "line": declaration.place.line, "hash": declaration.hash,
        "schedule": declaration.schedule.as_ref().map(ToString::to_string), "after": declaration.after,
        "model": journey.model, "type": journey.program_type, "folder": journey.folder,
        "participants": people(&journey.participants), "unique_on": journey.unique_on, "reentry": journey.reentry,
        "calculated": journey.calculated.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "exit": journey.exit, "pace": journey.pace,
        "identity": {"email": journey.identity.email, "px_id": journey.identity.px_id, "company": journey.identity.company},
        "engagements": associated.iter().map(shown).collect::<Vec<_>>(), "graph": journey.graph, "outline": journey.graph.outline(), "mermaid": journey.graph.mermaid(),
    })
}

/// The engagements that the journey is associated with.
fn associated(workspace: &Workspace, name: &str, cx: &Context) -> Vec<Association> {
    let all = crate::cli::check::remembered(workspace, cx).and_then(|store| store.associations(name).ok()).unwrap_or_default();
    all.into_iter().filter(|one| one.cut.is_none()).collect()
}

/// Whom engagements are shown to, which is not to be changed in PX (B10), and those that PX does not show at the moment (B2).
fn shows(journey: &Journey, associated: &[Association], cx: &Context) {
    for one in associated {
        let mark = paint(DIM, "(read-only: only the journey changes who is in)");
        cx.out.line(format!("  {} \"{}\" to the members of {} {mark}", paint(DIM, "shows       "), one.engagement, one.segment));
        if let Some(to_do) = to_do(journey, one) {
            cx.out.line(format!("  {} {to_do}", paint(WARN, "unconfirmed ")));
        }
        if let Some(trouble) = &one.trouble {
            cx.out.line(format!("  {} the engagement \"{}\" {trouble}", paint(BAD, "error       "), one.engagement));
        }
    }
}

fn head(declaration: &Declaration, journey: &Journey, cx: &Context) {
    let line = |what: &str, value: String| cx.out.line(format!("  {} {value}", paint(DIM, format!("{what:<12}"))));
    cx.out.line(format!("{} {}", paint(BOLD, &declaration.name), paint(DIM, format!("{}:{}", declaration.place.file, declaration.place.line))));
    let kind = journey.program_type.iter().map(|kind| format!(", {kind}"));
    let folder = journey.folder.iter().map(|folder| format!(", in {folder}"));
    line("model", [journey.model.word().to_owned()].into_iter().chain(kind).chain(folder).collect());
    line("people", format!("{}, looked for {}", people(&journey.participants), looks(declaration)));
    line("unique on", journey.unique_on.join(", "));
    line("again", reentry(journey.reentry));
    if !journey.calculated.is_empty() {
        line("calculated", journey.calculated.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", "));
    }
    if let Some(exit) = &journey.exit {
        line("leaves when", exit.to_string());
    }
    for (what, value) in pace(&journey.pace) {
        line(what, value);
    }
}

/// How often people are looked for.
pub(super) fn looks(declaration: &Declaration) -> String {
    match (&declaration.schedule, declaration.after.as_slice()) {
        (Some(schedule), _) => schedule.to_string(),
        (None, after) => format!("after {}", after.join(", ")),
    }
}

fn people(participants: &Participants) -> String {
    match participants {
        Participants::List(people) if people.len() == 1 => "a list of one".to_owned(),
        Participants::List(people) => format!("a list of {}", people.len()),
        Participants::Source { source, rows, .. } => {
            let narrowed = !rows.all() || matches!(source, Source::Object(query) if query.filter.is_some());
            let what = match source {
                Source::Object(query) => format!("{} {}", query.system, query.object),
                Source::Soql(text) => format!("salesforce {text}"),
                Source::Report(report) => format!("pendo {} report of {}", report.per, many(report.days.into(), "day")),
                Source::Aggregation { .. } => "pendo aggregation".to_owned(),
                Source::Saved(report) => format!("pendo report `{}`", report.name),
            };
            if narrowed { format!("{what}, filtered") } else { what }
        }
    }
}

fn reentry(reentry: Reentry) -> String {
    match reentry {
        Reentry::Never => "never".to_owned(),
        Reentry::AfterEnd => "once the earlier time has ended".to_owned(),
        Reentry::After(length) => format!("{length} after the earlier time has ended"),
    }
}

fn pace(pace: &Pace) -> Vec<(&'static str, String)> {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let quiet = pace.quiet.map(|(from, to)| ("quiet", format!("{} to {}", from.strftime("%H:%M"), to.strftime("%H:%M"))));
    let words = |days: &[i8]| days.iter().filter_map(|day| DAYS.get(usize::try_from(day - 1).ok()?).copied()).collect::<Vec<_>>().join(", ");
    let days = (!pace.working_days.is_empty()).then(|| ("days", words(&pace.working_days)));
    let cap = pace.cap.map(|(messages, within)| ("cap", format!("{} within {within}", many(messages.into(), "message"))));
    let zone = pace.time_zone.clone().map(|zone| ("time zone", zone));
    [quiet, days, cap, zone].into_iter().flatten().collect()
}
