//! `tabi record NAME`: what the systems answer to a plan, kept as a test that asks them no more.

use std::{sync::Arc, time::Duration};

use clap::Args;
use clap_complete::engine::ArgValueCandidates;
use serde_json::json;

use crate::{
    flow::{Notify, Status, Summary, recording::Recording},
    host::{
        Session, Workspace,
        record::{Files, keep, record as recorded},
        test::{self, Ended},
    },
    model::Date,
};

use super::{
    Context, Exit, Failure, check,
    exit::exit_of,
    render::{ADD, BOLD, DIM, paint},
    work::{chosen, declared_names},
};

#[derive(Debug, Args)]
pub(crate) struct Record {
    /// The mapping, integration, rule or segment.
    #[arg(add = ArgValueCandidates::new(declared_names))]
    name: String,
    /// The rule date, such as 2026-01-31 [default: today in the workspace's zone].
    #[arg(long, value_name = "DATE")]
    date: Option<Date>,
    /// Records of each source that are read, at most.
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

/// How long the new test may take.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Records one declaration.
pub(crate) fn record(args: &Record, cx: &Context) -> Result<Exit, Failure> {
    let workspace = cx.workspace()?;
    let declarations = chosen(check::declarations(&workspace, cx)?, std::slice::from_ref(&args.name))?;
    let Some(declaration) = declarations.into_iter().next() else { return Ok(Exit::Done) };
    let session = Session::open(&workspace)?;
    session.stop_when_asked(|| std::process::exit(Exit::Interrupted as i32));
    let dates = vec![args.date.unwrap_or_else(|| workspace.today())];
    let silent: Notify = Arc::new(|_| ());
    let (summary, recording) = recorded(&workspace, &session, &declaration, (dates, usize::try_from(args.limit).unwrap_or(usize::MAX)), &silent)?;
    session.close();
    let Some(summary) = summary else { return Ok(Exit::Done) };
    if let Some(fault) = &summary.fault {
        return Err(Failure::new(exit_of(fault), "not_recorded", format!("`{}` was not recorded: {fault}", args.name)));
    }
    kept(args, &workspace, &recording, &summary, cx)
}

fn kept(args: &Record, workspace: &Workspace, recording: &Recording, summary: &Summary, cx: &Context) -> Result<Exit, Failure> {
    let files = Files::of(&args.name);
    let is_new = keep(&workspace.root, &files, recording, &text(args, &files, recording, summary.status)).map_err(|error| {
        Failure::new(Exit::Usage, "unwritable", format!("`{}` cannot be written: {error}", workspace.root.join(&files.recording).display()))
    })?;
    let suite = test::load(workspace);
    let file = files.test.display().to_string();
    let wanted = test::Wanted { filter: Some(file.clone()), jobs: 1, timeout: TIMEOUT, update: true };
    let report = test::run(workspace, &suite, &wanted, |_| ())?;
    let broken = report.outcomes.iter().find(|outcome| outcome.ended() != Ended::Passed).and_then(|outcome| outcome.broken.as_ref());
    cx.out.json(&json!({
        "name": args.name, "recording": files.recording, "test": files.test, "snapshot": files.snapshot(), "new": is_new, "questions": recording.questions(),
        "records": recording.records(), "status": summary.status.word(), "passed": broken.is_none(),
    }));
    let line = |file: &std::path::Path, what: String| cx.out.line(format!("  {} {}  {}", paint(ADD, "+"), file.display(), paint(DIM, what)));
    line(&files.recording, format!("{} questions, {} records", recording.questions(), recording.records()));
    line(&files.test, if is_new { "a test of its own".to_owned() } else { "was there already and is left as it is".to_owned() });
    if broken.is_none() {
        line(&files.snapshot(), "what the script makes of it".to_owned());
    }
    if let Some(broken) = broken {
        let message = format!("the test does not pass on what was recorded: {}", broken.diagnostic.message);
        let hint = "names and addresses are pseudonyms in it: a script that looks into them sees others; `[state] redact` in tabi.toml says which";
        return Err(Failure::new(Exit::Failed, "not_replayed", message).hint(hint));
    }
    cx.out.line(format!("\nIt passes: {}", paint(BOLD, format!("tabi test {}", files.slug))));
    Ok(Exit::Done)
}

/// The test that is written beside a recording.
fn text(args: &Record, files: &Files, recording: &Recording, status: Status) -> String {
    let (name, slug, status) = (args.name.replace('"', "\\\""), &files.slug, status.word());
    let day = recording.recorded.strftime("%Y-%m-%d");
    format!(
        r#"// What the systems answered on {day}: {limit} records of each source at most, with pseudonyms for names and addresses.
// `tabi record "{name}"` records it again; `tabi test --update` keeps what the script makes of it now.
test("{name} makes of the recorded answers what it did", || {{
    let again = replay("{slug}");
    assert_eq(again.status, "{status}");
    snapshot("{slug}", again.changes);
}});
"#,
        limit = args.limit
    )
}
