//! `tabi journey publish NAME`: asks, checks everything, and makes the journey active, now or at a set time (B10).

use std::io::{BufRead as _, IsTerminal as _};

use clap::Args;
use jiff::{Timestamp, civil::DateTime};
use serde_json::json;

use crate::{
    cli::{
        Context, Exit, Failure,
        render::{BAD, BOLD, DIM, GOOD, many, paint, time},
    },
    flow::journey::Published,
    host::{Session, Workspace, journeys},
    script::Declaration,
    store::ProgramStatus,
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
}

/// Publishes one journey.
pub(super) fn publish(args: &Publish, cx: &Context) -> Result<Exit, Failure> {
    let workspace = cx.workspace()?;
    let declaration = super::named(&workspace, &args.name, cx)?;
    let at = args.at.as_deref().map(|text| instant(text, &workspace)).transpose()?;
    if let Some(past) = at.filter(|at| *at <= workspace.clock.now()) {
        return Err(Failure::usage(format!("--at {past} has passed; leave it out to publish now")));
    }
    let status = workspace.store()?.program(&args.name)?.map(|program| program.status);
    if status == Some(ProgramStatus::Active) && !args.accept {
        let hint = "an edit is taken up by itself; `--accept` takes up one that stands still";
        return Err(Failure::new(Exit::Usage, "already_active", format!("`{}` is active already", args.name)).hint(hint));
    }
    if !args.yes && !confirmed(&declaration, at, &workspace, cx)? {
        cx.out.line("Nothing was published.");
        return Ok(Exit::Failed);
    }
    let session = Session::open(&workspace)?;
    session.stop_when_asked(|| std::process::exit(Exit::Interrupted as i32));
    let warn = cx.out.clone();
    let notify: crate::flow::Notify = std::sync::Arc::new(move |notice| {
        if let crate::flow::Notice::Warning { message, .. } = notice {
            warn.note(message);
        }
    });
    let published = journeys::publish(&workspace, &session, &workspace.load(), &declaration, at, &notify);
    session.close();
    Ok(tell(&args.name, published?, &workspace, cx))
}

fn tell(name: &str, published: Published, workspace: &Workspace, cx: &Context) -> Exit {
    match published {
        Published::Active(program) => {
            cx.out.json(&json!({"name": name, "status": program.status.word(), "revision": program.revision}));
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
