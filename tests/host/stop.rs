//! Stopping while a batch is in flight: within five seconds, with the batch finished, its outcome journaled and the run told as interrupted.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use tabi::{
    model::{Change, Value},
    store::{Outcome, RunId, Store},
};

use crate::support::{Sandbox, Workspace};

const RULE: &str = r#"
rule("sites", #{
    rule_for: "account",
    from: salesforce::object("Account"),
    show: ["Id", "Name"],
    actions: [load_to_sfdc(#{ object: "Account", operation: "update", identifiers: ["Id"], fields: #{ Id: "Id", Site: "Name" } })],
    every: "24h",
});
"#;

/// Ends the command by the signal while writes are under way, and looks at what it leaves behind.
fn stopped_by(signal: &str, command: &str) -> Option<i32> {
    let workspace = Workspace::with_script(RULE);
    // Ten calls of 200 rows a page, four at once, each 400 ms late: whenever one has been heard of, others are in flight.
    let sandbox = Sandbox::start(&workspace, "--accounts 4000 --people 10 --faults salesforce:slow=400@1");
    let mut child = workspace.command(command).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    while sandbox.writes("salesforce").is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it wrote");
        std::thread::yield_now();
    }
    let asked = Instant::now();
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
    let code = child.wait().unwrap().code();
    assert!(asked.elapsed() < Duration::from_secs(5), "it took {:?} to stop", asked.elapsed());

    let run = workspace.tabi("history --json").ended(0).lines()[0][0].clone();
    assert_eq!(run["status"], "interrupted", "{run}");
    let store = Store::open(workspace.path().join(".tabi/state.db")).unwrap();
    assert_eq!(store.unfinished("sites").unwrap(), [], "what became of every batch is known");
    let journal = store.journal(&RunId::new(run["run"].as_str().unwrap().to_owned()), None, 10_000).unwrap();
    let mut written: Vec<&str> = Vec::new();
    for row in &journal {
        if let (Outcome::Written { .. }, Change::Update { fields, .. }) = (&row.outcome, &row.change) {
            written.push(fields.get("Site").and_then(Value::as_str).unwrap());
        }
    }
    let accounts = sandbox.documents("salesforce", "Account");
    let mut changed: Vec<&str> = accounts.iter().filter(|account| account["Site"] == account["Name"]).filter_map(|a| a["Site"].as_str()).collect();
    assert!(!changed.is_empty() && changed.len() < 4000, "{} were written", changed.len());
    written.sort_unstable();
    changed.sort_unstable();
    assert_eq!(written, changed, "the journal tells exactly what was written");
    assert_eq!(run["written"], changed.len());
    code
}

#[test]
fn up_finishes_the_batch_in_flight_at_sigterm_and_ends_well() {
    assert_eq!(stopped_by("-TERM", "up --json"), Some(0));
}

#[test]
fn run_finishes_the_batch_in_flight_at_ctrl_c_and_says_that_it_was_interrupted() {
    assert_eq!(stopped_by("-INT", "run --json"), Some(130));
}
