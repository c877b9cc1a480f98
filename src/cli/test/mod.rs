//! `tabi test [FILTER]`: the workspace's own tests, each on a sandbox of its own.

/// Results for programs that read JUnit's format.
mod junit;
/// Results for people and as JSON.
mod shown;

use std::{path::PathBuf, time::Duration};

use clap::Args;

use crate::host::{
    Workspace, runtime,
    test::{Ended, Report, Suite, Wanted, Watching, load, run},
};

use super::{
    Context, Exit, Failure,
    render::{DIM, paint},
};

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Only tests whose name or file holds this text.
    filter: Option<String>,
    /// Tests at one time [default: as many as the machine has processors].
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// How long one test may take.
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    timeout: Duration,
    /// Keep the present values as snapshots, and remove those that no test compares any more.
    #[arg(long)]
    update: bool,
    /// Write the results to this file, in the XML that build servers read.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Run again whenever a script, a template or a test is saved.
    #[arg(long)]
    watch: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds is wanted".to_owned())?;
    let sound = seconds > 0.0 && seconds <= 86_400.0;
    if sound { Ok(Duration::from_secs_f64(seconds)) } else { Err("more than 0 and at most 86400 seconds".to_owned()) }
}

/// Runs the tests, once or after every save.
pub(crate) fn test(args: &Test, cx: &Context) -> Result<Exit, Failure> {
    let workspace = cx.workspace()?;
    if args.watch {
        return watch(args, &workspace, cx);
    }
    all(args, &workspace, &load(&workspace), cx)
}

fn all(args: &Test, workspace: &Workspace, suite: &Suite, cx: &Context) -> Result<Exit, Failure> {
    if !suite.loaded.generation.is_sound() {
        shown::broken_scripts(suite, cx);
        return Ok(Exit::Scripts);
    }
    shown::broken_files(suite, cx);
    let mut told = shown::Told::new(suite, cx);
    let wanted = Wanted { filter: args.filter.clone(), jobs: jobs(args), timeout: args.timeout, update: args.update };
    let report = run(workspace, suite, &wanted, |outcome| told.outcome(outcome))?;
    shown::report(suite, &report, cx);
    if let Some(file) = &args.junit {
        let unwritable = |error: std::io::Error| Failure::new(Exit::Usage, "unwritable", format!("`{}` cannot be written: {error}", file.display()));
        std::fs::write(file, junit::document(suite, &report)).map_err(unwritable)?;
    }
    cx.out.flush();
    Ok(exit(suite, &report))
}

fn jobs(args: &Test) -> usize {
    args.jobs.map_or_else(|| std::thread::available_parallelism().map_or(2, usize::from), usize::from)
}

fn exit(suite: &Suite, report: &Report) -> Exit {
    let failed = report.outcomes.iter().any(|outcome| outcome.ended() != Ended::Passed);
    match (suite.files.iter().all(crate::script::TestFile::is_sound), failed) {
        (false, _) => Exit::Scripts,
        (true, true) => Exit::Failed,
        (true, false) => Exit::Done,
    }
}

/// Until SIGINT or SIGTERM.
fn watch(args: &Test, workspace: &Workspace, cx: &Context) -> Result<Exit, Failure> {
    let runtime = runtime()?;
    let mut signals = {
        let _entered = runtime.enter();
        crate::host::Signals::listen()
    };
    let mut suite = load(workspace);
    let mut watching = Watching::start(workspace, &suite.loaded);
    loop {
        all(args, workspace, &suite, cx)?;
        cx.out.line(paint(DIM, "\nwaiting for an edit; Ctrl-C ends it"));
        cx.out.flush();
        let stopped = runtime.block_on(async {
            tokio::select! {
                () = watching.changed(workspace, &suite.loaded) => false,
                () = signals.asked_to_stop() => true,
            }
        });
        if stopped {
            return Ok(Exit::Done);
        }
        suite = load(workspace);
    }
}
