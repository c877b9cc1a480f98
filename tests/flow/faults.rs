//! Faults during the whole loop: it must end in the state of an undisturbed one.

use serde_json::Value;

use crate::support::{Sandbox, Workspace};

const EXAMPLES: [&str; 3] = ["pendo_salesforce.rhai", "usage_to_gainsight.rhai", "health_to_salesforce.rhai"];
const SIZE: &str = "--accounts 25 --people 120 --now 2026-11-20T12:00:00Z";

/// What the loop leaves behind, without ids and times that differ from run to run.
fn state(sandbox: &Sandbox) -> Vec<String> {
    let keep = |row: &Value, fields: &[&str]| fields.iter().map(|field| row[*field].to_string()).collect::<Vec<_>>().join(" ");
    let mut state = Vec::new();
    for account in sandbox.documents("salesforce", "Account") {
        let fields = [
            "Id",
            "Pendo_numberofvisitors_last30d__c",
            "Pendo_timeonsite_last30d__c",
            "Pendo_lastvisit_last30d__c",
            "Health_Score__c",
            "Renewal_Date__c",
        ];
        state.push(keep(&account, &fields));
    }
    for usage in sandbox.documents("salesforce", "JBCXM__UsageData__c") {
        state.push(keep(&usage, &["JBCXM__Account__c", "Name", "JBCXM__Date__c", "Active_Visitors_30d__c", "Time_on_Site_30d__c"]));
    }
    for score in sandbox.documents("gainsight", "measure_scores__gc") {
        state.push(keep(&score, &["CompanyId__gc", "Measure__gc", "Score__gc"]));
    }
    for account in sandbox.documents("pendo", "account") {
        state.push(account["metadata"]["salesforce"].to_string());
    }
    state.sort();
    state
}

fn loop_with(faults: &str) -> Vec<String> {
    let workspace = Workspace::with_examples(&EXAMPLES);
    // Nobody waits for the 60 s of a `timeout`.
    workspace.write("tabi.toml", "[http]\ntimeout = \"700ms\"\n");
    let sandbox = Sandbox::start(&workspace, &format!("{SIZE} {faults}"));
    for _ in 0..6 {
        if workspace.tabi("run --json --date 2026-11-20").code == Some(0) {
            break;
        }
    }
    // The last word without faults: whatever a fault left undone is done now, and nothing twice.
    for system in ["salesforce", "pendo", "gainsight"] {
        sandbox.post(system, "/_sandbox/faults", &Value::String(String::new()));
    }
    workspace.tabi("run --json --date 2026-11-20").ended(0);
    state(&sandbox)
}

#[track_caller]
fn ends_as_undisturbed(kind: &str) {
    assert_eq!(loop_with(&format!("--faults *:{kind}@0.1")), loop_with(""), "after faults of kind {kind}");
}

#[test]
fn server_errors_and_throttling() {
    for kind in ["429", "500", "503", "html"] {
        ends_as_undisturbed(kind);
    }
}

#[test]
fn cut_connections_and_truncated_answers() {
    for kind in ["reset", "reset_after", "truncate"] {
        ends_as_undisturbed(kind);
    }
}

#[test]
fn expired_sessions_row_locks_and_late_answers() {
    for kind in ["expired", "lock", "slow=5"] {
        ends_as_undisturbed(kind);
    }
}

#[test]
fn answers_that_never_come() {
    ends_as_undisturbed("timeout");
}

#[test]
fn a_used_up_day_ends_the_run_and_the_next_day_makes_up_for_it() {
    ends_as_undisturbed("limit");
    let workspace = Workspace::with_examples(&EXAMPLES);
    let sandbox = Sandbox::start(&workspace, &format!("{SIZE} --faults salesforce:limit@1"));
    let ended = workspace.tabi("run --json --date 2026-11-20").ended(4);
    assert_eq!(ended.summary("pendo-account")["status"], "failed", "{}", ended.stdout);
    assert!(ended.stdout.contains("TotalRequests"), "the limit is named: {}", ended.stdout);
    assert!(sandbox.writes("salesforce").len() < 5, "no hammering at a used-up limit: {:?}", sandbox.writes("salesforce"));
    sandbox.post("salesforce", "/_sandbox/faults", &Value::String(String::new()));
    workspace.tabi("run --json --date 2026-11-20").ended(0);
    assert_eq!(state(&sandbox), loop_with(""));
}
