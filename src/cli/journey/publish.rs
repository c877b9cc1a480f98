//! `tabi journey publish NAME`: asks, checks everything, and makes the journey active, now or at a set time (B10).

use std::io::{BufRead as _, IsTerminal as _};

use clap::Args;
use jiff::{Timestamp, civil::DateTime};
use serde_json::json;

use crate::{
    cli::{
        Context, Exit, Failure,
        render::{BAD, BOLD, DIM, GOOD, WARN, many, paint, time},
    },
    flow::journey::{Published, plan_edit, to_do},
    host::{self, Session, Workspace, journeys},
    model::FaultKind,
    script::{Declaration, Journey},
    store::{Association, ProgramStatus},
};

#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// The journey's name.
    #[arg(add = super::names())]
    name: String,
    /// Publish without asking.
    #[arg(short, long)]
    yes: bool,
    /// When to publish instead of now: `2026-12-01T09:00`, in the workspace's time zone, or an instant with its offset.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Take up an edit that parks people or cuts engagements off.
    #[arg(long)]
    accept: bool,
    /// Only show what that would do to whoever is in.
    #[arg(long, conflicts_with_all = ["yes", "at", "accept"])]
    plan: bool,
    /// A step that got another name: whoever stands at the old one stands at the new one. May be given several times. With the name of this
    /// journey as the new one, the journey itself: its people and its history come along.
    #[arg(long = "move", value_name = "OLD=NEW", value_parser = renamed)]
    moves: Vec<(String, String)>,
}

fn renamed(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').map(|(old, new)| (old.trim().to_owned(), new.trim().to_owned()));
    parts.filter(|(old, new)| !old.is_empty() && !new.is_empty()).ok_or_else(|| "write it as \"old name=new name\"".to_owned())
}

/// Publishes one journey.
pub(super) fn publish(args: &Publish, cx: &Context) -> Result<Exit, Failure> {
    let workspace = cx.workspace()?;
    let declaration = super::named(&workspace, &args.name, cx)?;
    if args.plan {
        return show_plan(args, &declaration, &workspace, cx);
    }
    let at = args.at.as_deref().map(|text| instant(text, &workspace)).transpose()?;
    if let Some(past) = at.filter(|at| *at <= workspace.clock.now()) {
        return Err(Failure::usage(format!("--at {past} has passed; leave it out to publish now")));
    }
    let (renames, moves): (Vec<_>, Vec<_>) = args.moves.iter().cloned().partition(|(_, new)| *new == args.name);
    let old_name = renaming(&renames, (&args.name, &declaration), &workspace, cx)?;
    let status = workspace.store()?.program(&args.name)?.map(|program| program.status);
    if let Some(status @ (ProgramStatus::Active | ProgramStatus::Paused)) = status
        && !args.accept
    {
        let hint = "an edit is taken up by itself; `--accept` takes up one that waits, `--plan` shows what it would do";
        return Err(Failure::new(Exit::Usage, "already_active", format!("`{}` is {} already", args.name, status.word())).hint(hint));
    }
    if !args.yes && !confirmed(&declaration, at, &workspace, cx)? {
        cx.out.line("Nothing was published.");
        return Ok(Exit::Failed);
    }
    if let Some(old) = old_name {
        workspace.store()?.rename_program(&old, &args.name)?;
        cx.out.line(format!("{} {old} is {} now, with its people and its history", paint(GOOD, "Renamed:"), args.name));
    }
    let session = Session::open(&workspace)?;
    session.stop_when_asked(|| std::process::exit(Exit::Interrupted as i32));
    let warn = cx.out.clone();
    let notify: crate::flow::Notify = std::sync::Arc::new(move |notice| {
        if let crate::flow::Notice::Warning { message, .. } = notice {
            warn.note(message);
        }
    });
    let published = journeys::publish_moving((&workspace, &session, &workspace.load()), &declaration, at, &moves, &notify);
    session.close();
    let published = match published {
        Err(host::Error::Flow(crate::flow::Error::Fault(fault))) if fault.kind == FaultKind::Invalid => return Err(Failure::usage(fault.message)),
        other => other?,
    };
    Ok(tell((&args.name, super::body(&declaration)), published, &workspace, cx))
}

/// The journey that gets this one's name, if it is to be renamed. One that looks like a journey whose declaration is gone is not published
/// beside it: its people would get everything a second time.
fn renaming(
    renames: &[(String, String)],
    (name, declaration): (&str, &Declaration),
    workspace: &Workspace,
    cx: &Context,
) -> Result<Option<String>, Failure> {
    let gone = super::undeclared(workspace, &super::declared(workspace, cx)?, cx)?;
    if let Some((old, _)) = renames.first() {
        if !gone.iter().any(|(program, _)| program.name == *old) {
            return Err(Failure::usage(format!("`{old}` is no journey whose declaration is gone: only such a one can have got another name")));
        }
        if workspace.store()?.program(name)?.is_some() {
            return Err(Failure::usage(format!("`{name}` has been published already: `{old}` cannot become it any more")));
        }
        return Ok(Some(old.clone()));
    }
    if workspace.store()?.program(name)?.is_some() {
        return Ok(None);
    }
    let steps = |one: &Declaration| super::body(one).map(|journey| journey.graph.clone()).unwrap_or_default();
    let now = steps(declaration);
    let alike = |kept: &Declaration| {
        let before = steps(kept).steps;
        let same = before.iter().filter(|step| now.step(&step.name).is_some()).count();
        same * 2 >= before.len().max(1)
    };
    let Some((program, _)) = gone.iter().find(|(_, kept)| alike(kept)) else { return Ok(None) };
    let old = &program.name;
    let hint = format!("`tabi journey publish {name} --move {old}={name}` keeps its people and its history; `tabi journey stop {old}` ends it first");
    Err(Failure::new(
        Exit::Usage,
        "renamed",
        format!("`{name}` looks like `{old}` under another name, which is {} and which no file declares", program.status.word()),
    )
    .hint(hint))
}

/// What taking up the scripts as they are would do.
fn show_plan(args: &Publish, declaration: &Declaration, workspace: &Workspace, cx: &Context) -> Result<Exit, Failure> {
    let store = workspace.store()?;
    let time = (&workspace.config.timezone, workspace.clock.now());
    let (Some(program), Some(journey)) = (store.program(&args.name)?, super::body(declaration)) else {
        cx.out.json(&serde_json::Value::Null);
        cx.out.line(format!("{} was never published: nobody is in it.", args.name));
        return Ok(Exit::Done);
    };
    let plan = plan_edit(&store, &program, declaration, journey, &args.moves, time).map_err(host::Error::from)?;
    cx.out.json(&plan);
    match plan {
        None => cx.out.line("Nothing differs from the revision that runs."),
        Some(plan) => {
            cx.out.line(&plan);
            let next = if plan.applies {
                format!("{} a host takes it up by itself; nobody is asked", paint(GOOD, "applies:"))
            } else {
                format!("{} `tabi journey publish {} --accept` takes it up", paint(WARN, "waits:"), args.name)
            };
            cx.out.line(next);
        }
    }
    Ok(Exit::Done)
}

/// What the journey shows, and what is to be done in PX before it is shown there.
fn engagements(name: &str, workspace: &Workspace, journey: Option<&Journey>) -> Vec<serde_json::Value> {
    let Some(journey) = journey else { return Vec::new() };
    let known = workspace.store().ok().and_then(|store| store.associations(name).ok()).unwrap_or_default();
    let told = |one: &Association| {
        let to_do = to_do(journey, one);
        json!({"engagement": one.engagement, "id": one.id, "segment": one.segment, "confirmed": one.confirmed, "to_do": to_do})
    };
    known.iter().filter(|one| one.cut.is_none()).map(told).collect()
}

fn tell((name, journey): (&str, Option<&Journey>), published: Published, workspace: &Workspace, cx: &Context) -> Exit {
    match published {
        Published::Active(program) => {
            let engagements = engagements(name, workspace, journey);
            cx.out.json(&json!({"name": name, "status": program.status.word(), "revision": program.revision, "engagements": engagements}));
            let next = paint(DIM, "`tabi up` lets it run");
            cx.out.line(format!("{} {name}, revision {}. {next}", paint(GOOD, "Published"), program.revision));
            Exit::Done
        }
        Published::Scheduled(program) => {
            cx.out.json(&json!({"name": name, "status": program.status.word(), "scheduled_for": program.scheduled_for}));
            let at = program.scheduled_for.map(|at| time(at, &workspace.config.timezone)).unwrap_or_default();
            cx.out.line(format!("{} {name} for {at}", paint(GOOD, "Scheduled")));
            Exit::Done
        }
        refused @ (Published::Draft(_) | Published::Kept(_)) => {
            let (status, is, reasons) = match refused {
                Published::Kept(reasons) => ("active", "goes on as it was", reasons),
                Published::Draft(reasons) => ("draft", "is a draft", reasons),
                _ => return Exit::Failed,
            };
            cx.out.json(&json!({"name": name, "status": status, "reasons": reasons}));
            let head = format!("{} {name}: it {is}, for {}:", paint(BAD, "Not published"), many(reasons.len() as u64, "reason"));
            cx.out.line(head);
            for reason in reasons {
                cx.out.line(format!("  - {reason}"));
            }
            Exit::Failed
        }
    }
}

fn confirmed(declaration: &Declaration, at: Option<Timestamp>, workspace: &Workspace, cx: &Context) -> Result<bool, Failure> {
    if cx.out.is_json() || !std::io::stdin().is_terminal() {
        return Err(Failure::usage("publishing asks to confirm, and nobody can be asked here").hint("add `--yes`"));
    }
    let when = at.map_or("now".to_owned(), |at| format!("at {}", time(at, &workspace.config.timezone)));
    cx.out.line(format!("Publish {} {when}? People will be written to. [y/N]", paint(BOLD, &declaration.name)));
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    Ok(read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

fn instant(text: &str, workspace: &Workspace) -> Result<Timestamp, Failure> {
    let wrong = || Failure::usage(format!("--at {text} is no time: write 2026-12-01T09:00, or 2026-12-01T09:00:00Z"));
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let local: DateTime = text.parse().map_err(|_| wrong())?;
    local.to_zoned(workspace.config.timezone.clone()).map(|zoned| zoned.timestamp()).map_err(|_| wrong())
}
