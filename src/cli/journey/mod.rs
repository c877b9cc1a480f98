//! `tabi journey`: journeys, one file per subcommand.

/// `tabi journey add`.
mod add;
/// `tabi journey list`.
mod list;
/// `tabi journey move`.
mod moving;
/// `tabi journey pause`, `resume` and `stop`.
mod operate;
/// Lists of people in files.
mod people;
/// `tabi journey show --person`.
mod person;
/// `tabi journey publish`.
mod publish;
/// `tabi journey report`.
mod report;
/// `tabi journey report --csv`.
mod report_csv;
/// `tabi journey show --revisions`.
mod revisions;
/// `tabi journey show`.
mod show;

use std::sync::Arc;

use clap::{Args, Subcommand};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};

use crate::{
    host::{Earlier, Workspace, clock::Clock},
    script::{Body, Declaration, Journey as Declared, Kind},
    store::{Program, ProgramStatus},
};

use super::{Context, Exit, Failure, check, render};

#[derive(Debug, Args)]
pub(crate) struct Journey {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the journeys.
    List,
    /// Show one journey, only its flow, or where somebody is in it.
    Show(show::Show),
    /// Check everything, associate the engagements, and let people in, now or later.
    Publish(publish::Publish),
    /// Let nobody move until it is resumed; what happens meanwhile is remembered.
    Pause(operate::Name),
    /// Let a paused journey go on; its timers have grown by the pause.
    Resume(operate::Name),
    /// End it: nobody enters and nobody moves any more.
    Stop(operate::Name),
    /// Add people by hand or from a list, and say what became of each.
    Add(add::Add),
    /// Take whoever stands or is parked at one step to another one.
    Move(moving::Move),
    /// Who is where, and what was seen, answered and opened.
    Report(report::Report),
}

/// Runs the subcommand.
pub(crate) fn journey(args: &Journey, cx: &Context) -> Result<Exit, Failure> {
    match &args.command {
        Command::List => list::list(cx),
        Command::Show(args) => show::show(args, cx),
        Command::Publish(args) => publish::publish(args, cx),
        Command::Pause(args) => operate::operate(args, ProgramStatus::Paused, cx),
        Command::Resume(args) => operate::operate(args, ProgramStatus::Active, cx),
        Command::Stop(args) => operate::operate(args, ProgramStatus::Stopped, cx),
        Command::Add(args) => add::add(args, cx),
        Command::Move(args) => moving::go(args, cx),
        Command::Report(args) => report::report(args, cx),
    }
}

/// The journeys of the workspace, when nothing is wrong with its scripts.
fn declared(workspace: &Workspace, cx: &Context) -> Result<Vec<Arc<Declaration>>, Failure> {
    let all = check::declarations(workspace, cx)?;
    Ok(all.into_iter().filter(|declaration| declaration.kind() == Kind::Journey).collect())
}

/// What a declaration says as a journey; none when it is no journey.
fn body(declaration: &Declaration) -> Option<&Declared> {
    if let Body::Journey(journey) = &declaration.body { Some(journey) } else { None }
}

/// A journey by its name.
pub(super) fn named(workspace: &Workspace, name: &str, cx: &Context) -> Result<Arc<Declaration>, Failure> {
    let journeys = declared(workspace, cx)?;
    journeys.iter().find(|declaration| declaration.name == name).cloned().ok_or_else(|| {
        let known: Vec<&str> = journeys.iter().map(|declaration| declaration.name.as_str()).collect();
        let hint = if known.is_empty() { "no journey is declared".to_owned() } else { render::closest(name, &known) };
        Failure::new(Exit::Usage, "unknown_name", format!("no journey is declared by the name `{name}`")).hint(hint)
    })
}

/// The same; one that no file declares any more is as its last accepted revision declared it, which is said.
fn named_or_kept(workspace: &Workspace, name: &str, cx: &Context) -> Result<Arc<Declaration>, Failure> {
    let gone = undeclared(workspace, &declared(workspace, cx)?, cx)?.into_iter().find(|(_, kept)| kept.name == name);
    let Some((program, kept)) = gone else { return named(workspace, name, cx) };
    cx.out.note(format!("{} {}\n", render::paint(render::WARN, "warning:".to_owned()), stands_still(&program)));
    Ok(kept)
}

/// What becomes of a journey whose declaration is gone, and what to do.
fn stands_still(program: &Program) -> String {
    let name = &program.name;
    format!(
        "no file declares `{name}` any more ({}, revision {}): nobody in it moves. Bring it back, `tabi journey stop {name}` ends it, and where it got \
         another name, `tabi journey publish NEW --move {name}=NEW` keeps its people and its history",
        program.status.word(),
        program.revision
    )
}

/// Programs that run, pause or wait for their time and that no file declares, each as its last accepted revision declared it.
fn undeclared(workspace: &Workspace, declared: &[Arc<Declaration>], cx: &Context) -> Result<Vec<(Program, Arc<Declaration>)>, Failure> {
    let Some(store) = check::remembered(workspace, cx) else { return Ok(Vec::new()) };
    let mut earlier = Earlier::default();
    let mut found = Vec::new();
    for program in store.programs()? {
        let known = declared.iter().any(|declaration| declaration.name == program.name);
        if known || !matches!(program.status, ProgramStatus::Active | ProgramStatus::Paused | ProgramStatus::Scheduled) {
            continue;
        }
        let kept = earlier.generation(workspace, &store, &program)?.and_then(|kept| kept.declaration(&program.name).cloned());
        found.extend(kept.map(|kept| (program, kept)));
    }
    Ok(found)
}

/// For the shell: the names of the journeys in the workspace around it.
pub(super) fn names() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let Ok(workspace) = Workspace::open(None, false, Clock::machine()) else { return Vec::new() };
        let loaded = workspace.load();
        let journeys = loaded.declarations().iter().filter(|declaration| declaration.kind() == Kind::Journey);
        journeys.map(|declaration| CompletionCandidate::new(&declaration.name)).collect::<Vec<_>>()
    })
}
