//! What `plan` and `run` share: which declarations, on which dates, and how their end becomes an exit code.

use std::sync::Arc;

use clap::Args;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use jiff::ToSpan as _;

use crate::{
    flow::{self, Hands, Notify, Status, Summary},
    host::{Session, Workspace, backtest::keep_versions, clock::Clock},
    model::{Date, FaultKind},
    script::{Declaration, Kind},
};

use super::{
    Context, Exit, Failure, check,
    exit::exit_of,
    render::{Teller, WARN, closest, paint},
};

/// Which declarations.
#[derive(Debug, Args)]
pub(crate) struct Names {
    /// Names of declarations [default: all].
    #[arg(add = ArgValueCandidates::new(declared_names))]
    names: Vec<String>,
}

/// For which rule dates.
#[derive(Debug, Args)]
pub(crate) struct Dates {
    /// The rule date, such as 2026-01-31 [default: today in the workspace's zone]. Pendo reports end with the day before it.
    #[arg(long, value_name = "DATE", conflicts_with_all = ["from", "to"])]
    date: Option<Date>,
    /// The first of several rule dates.
    #[arg(long, value_name = "DATE", requires = "to")]
    from: Option<Date>,
    /// The last of several rule dates.
    #[arg(long, value_name = "DATE", requires = "from")]
    to: Option<Date>,
    /// Ignore cursors: read everything, not only what changed since the last run.
    #[arg(long)]
    full: bool,
}

/// Rule dates of one run, at most.
const MOST_DATES: usize = 1_000;

/// Plans or runs declarations to the end.
pub(super) fn work(hands: Hands, names: &Names, dates: &Dates, all_lines: bool, cx: &Context) -> Result<Exit, Failure> {
    let workspace = cx.workspace()?;
    let loaded = check::loaded(&workspace, cx)?;
    let declared = loaded.declarations().to_vec();
    let any = !declared.is_empty();
    let declarations = chosen(declared, &names.names)?;
    let dates_of_run = dates.list(&workspace)?;
    if declarations.is_empty() {
        let nothing = if any {
            "Only journeys are declared; `tabi up` lets people move through them."
        } else {
            "Nothing is declared. `tabi init` writes examples."
        };
        cx.out.line(nothing);
        return Ok(Exit::Done);
    }
    let session = Session::open(&workspace)?;
    session.stop_when_asked(|| std::process::exit(Exit::Interrupted as i32));
    if hands == Hands::Live
        && let Err(error) =
            keep_versions(&workspace, &session.store, &loaded, None).and_then(|()| session.store.keep_claims(loaded.generation.claims()))
    {
        cx.out.note(format!("{} the versions of scripts could not be kept: {error}", paint(WARN, "warning:")));
    }
    let teller = Arc::new(Teller::new(&cx.out, hands == Hands::Plan, all_lines));
    let options = flow::Options {
        hands,
        reason: "by hand".into(),
        owner: if hands == Hands::Plan { "tabi plan" } else { "tabi run" }.into(),
        dates: dates_of_run,
        full: dates.full,
        ..workspace.run_options()
    };
    let notify = notify(&teller, &session, hands, cx);
    let summaries = flow::run(&declarations, &options, &session.wire, &notify, &session.stop, |summary| teller.summary(summary));
    teller.end();
    let exit = exit(&summaries);
    session.close();
    Ok(exit)
}

/// Tells what happens; a plan that nobody reads any more ends.
fn notify(teller: &Arc<Teller>, session: &Session, hands: Hands, cx: &Context) -> Notify {
    let (teller, stop, out) = (Arc::clone(teller), session.stop.clone(), cx.out.clone());
    Arc::new(move |notice| {
        teller.notice(&notice);
        if hands == Hands::Plan && out.is_closed() {
            stop.request();
        }
    })
}

/// The named declarations, or all of them but journeys.
pub(super) fn chosen(declarations: Vec<Arc<Declaration>>, names: &[String]) -> Result<Vec<Arc<Declaration>>, Failure> {
    if let Some(unknown) = names.iter().find(|name| declarations.iter().all(|d| d.name != **name)) {
        let known: Vec<&str> = declarations.iter().map(|d| d.name.as_str()).collect();
        return Err(Failure::new(Exit::Usage, "unknown_name", format!("nothing is declared by the name `{unknown}`")).hint(closest(unknown, &known)));
    }
    let is_journey = |d: &Arc<Declaration>| d.kind() == Kind::Journey;
    if let Some(journey) = declarations.iter().find(|d| names.contains(&d.name) && is_journey(d)) {
        let message = format!("`{}` is a journey: people move through it while `tabi up` runs", journey.name);
        return Err(Failure::new(Exit::Usage, "journey", message).hint(format!("`tabi journey show {} --graph` prints its flow", journey.name)));
    }
    Ok(declarations.into_iter().filter(|d| !is_journey(d) && (names.is_empty() || names.contains(&d.name))).collect())
}

/// The worst of what happened.
pub(super) fn exit(summaries: &[Summary]) -> Exit {
    let of = |summary: &Summary| match (summary.status, &summary.fault) {
        (Status::Ok | Status::Running, _) => Exit::Done,
        (Status::Interrupted, _) => Exit::Interrupted,
        (Status::Failed, Some(fault)) if fault.kind == FaultKind::Interrupted => Exit::Interrupted,
        (Status::Failed, Some(fault)) => exit_of(fault),
        _ => Exit::Failed,
    };
    summaries.iter().map(of).max().unwrap_or(Exit::Done)
}

impl Dates {
    fn list(&self, workspace: &Workspace) -> Result<Vec<Date>, Failure> {
        let (Some(from), Some(to)) = (self.from, self.to) else {
            return Ok(vec![self.date.unwrap_or_else(|| workspace.today())]);
        };
        let dates: Vec<Date> = from.series(1.day()).take_while(|date| *date <= to).take(MOST_DATES + 1).collect();
        match dates.len() {
            0 => Err(Failure::usage(format!("--from {from} is after --to {to}"))),
            n if n > MOST_DATES => Err(Failure::usage(format!("more than {MOST_DATES} rule dates in one run"))),
            _ => Ok(dates),
        }
    }
}

/// For the shell: the names declared in the workspace around it.
pub(super) fn declared_names() -> Vec<CompletionCandidate> {
    let Ok(workspace) = Workspace::open(None, false, Clock::machine()) else { return Vec::new() };
    let loaded = workspace.load();
    loaded.declarations().iter().map(|d| CompletionCandidate::new(&d.name).help(Some(d.kind().word().into()))).collect()
}
