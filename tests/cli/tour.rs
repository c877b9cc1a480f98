//! The README's story by the real command: the repository's own scripts, planned, run, and run again. (A18)

use std::path::Path;

use crate::support::{Sandbox, Workspace};

/// The workspace that the repository itself is.
fn repository() -> Workspace {
    let workspace = Workspace::with_examples(&[""]);
    workspace.write("tabi.toml", std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tabi.toml")).unwrap());
    workspace
}

#[test]
fn the_plan_names_what_the_run_does_and_the_second_run_writes_nothing() {
    let workspace = repository();
    let sandbox = Sandbox::start(&workspace, "--accounts 40 --people 200");
    let plan = workspace.tabi("plan --json").ended(0);
    assert!(plan.of_type("create_field").iter().any(|line| line["field"] == "Pendo_daysactive_last7d__c"), "{}", plan.stdout);
    let written = ["salesforce", "pendo", "gainsight"].map(|system| sandbox.writes(system));
    assert!(written.iter().all(Vec::is_empty), "a plan writes nothing: {written:?}");

    let first = workspace.tabi("run --json").ended(0);
    assert_eq!(plan.summary("pendo-account-weekly")["update"], first.summary("pendo-account-weekly")["updated"]);
    assert!(first.summary("pendo-account")["written"].as_u64().unwrap() > 0);

    sandbox.forget_requests();
    let second = workspace.tabi("run --json").ended(0);
    assert!(second.of_type("summary").iter().all(|line| line["written"] == 0), "{}", second.stdout);
    let written = ["salesforce", "pendo", "gainsight"].map(|system| sandbox.writes(system));
    assert!(written.iter().all(Vec::is_empty), "{written:?}");

    let history = workspace.tabi("history --json").ended(0);
    assert_eq!(history.lines()[0].as_array().unwrap().len(), 12);
    let shown = workspace.tabi("show --json last").ended(0);
    assert_eq!(shown.lines()[0]["status"], "ok");
}

#[test]
fn up_once_runs_everything_the_first_time_and_nothing_the_second() {
    let workspace = repository();
    let _sandbox = Sandbox::start(&workspace, "--accounts 20 --people 100");
    let first = workspace.tabi("up --once --json").ended(0);
    assert_eq!(first.of_type("summary").len(), 6, "{}", first.stdout);
    let second = workspace.tabi("up --once --json").ended(0);
    assert_eq!(second.stdout, "");
}
