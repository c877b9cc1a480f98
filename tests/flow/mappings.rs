//! `mapping(..)` between any two objects: modes, blanks, cursors, keys.

use serde_json::json;

use crate::support::{Sandbox, Workspace};

#[test]
fn an_update_matches_by_key_and_writes_only_what_differs() {
    let workspace = Workspace::with_script(
        r#"mapping("sites", #{ from: gainsight::object("Company"), to: salesforce::object("Account"), match_on: #{ Id: "SfdcAccountId" },
                               fields: #{ Site: "Name" } });"#,
    );
    let sandbox = Sandbox::start(&workspace, "--accounts 20 --people 40");
    let first = workspace.tabi("run --json").ended(0);
    let summary = first.summary("sites");
    assert_eq!((&summary["status"], &summary["rejected"]), (&json!("ok"), &json!(0)), "{summary}");
    let companies = sandbox.documents("gainsight", "Company").len() as u64;
    assert_eq!(summary["read"], companies, "{summary}");
    assert_eq!(summary["written"], companies, "{summary}");
    sandbox.forget_requests();
    assert_eq!(workspace.tabi("run --json").ended(0).summary("sites")["unchanged"], companies);
    assert_eq!(sandbox.writes("salesforce"), Vec::<String>::new());
}

#[test]
fn upsert_inserts_what_is_missing_and_insert_leaves_the_rest_alone() {
    let workspace = Workspace::with_script(
        r#"mapping("ups", #{ from: gainsight::object("Company"), to: salesforce::object("Account"), match_on: #{ AccountNumber: "Gsid" },
                             fields: #{ Name: |c| "GS " + c.Name }, mode: "upsert" });
           mapping("ins", #{ from: gainsight::object("Company"), to: salesforce::object("Account"), match_on: #{ AccountNumber: "Gsid" },
                             fields: #{ Name: |c| "Other " + c.Name }, mode: "insert", overrides: "ups", after: "ups" });"#,
    );
    let sandbox = Sandbox::start(&workspace, "--accounts 10 --people 20");
    let companies = sandbox.documents("gainsight", "Company").len() as u64;
    let run = workspace.tabi("run --json").ended(0);
    assert_eq!(run.summary("ups")["written"], companies);
    assert_eq!(run.summary("ins")["written"], 0);
    assert_eq!(run.summary("ins")["unchanged"], companies);
    let accounts = sandbox.documents("salesforce", "Account");
    assert_eq!(accounts.iter().filter(|a| a["Name"].as_str().is_some_and(|name| name.starts_with("GS "))).count() as u64, companies);
}

#[test]
fn blank_values_skip_or_clear_as_the_script_says() {
    let script = |blank: &str| {
        format!(
            r#"mapping("m", #{{ from: gainsight::object("Company"), to: salesforce::object("Account"), match_on: #{{ Id: "SfdcAccountId" }},
                               fields: #{{ Site: |c| () }}, blank: "{blank}" }});"#
        )
    };
    let workspace = Workspace::with_script(
        r#"mapping("m", #{ from: gainsight::object("Company"), to: salesforce::object("Account"), match_on: #{ Id: "SfdcAccountId" }, fields: #{ Site: |c| "x" } });"#,
    );
    let sandbox = Sandbox::start(&workspace, "--accounts 8 --people 20");
    workspace.tabi("run --json").ended(0);
    workspace.write("scripts/script.rhai", script("skip"));
    assert_eq!(workspace.tabi("run --json").ended(0).summary("m")["written"], 0);
    workspace.write("scripts/script.rhai", script("clear"));
    assert!(workspace.tabi("run --json").ended(0).summary("m")["written"].as_u64().unwrap() > 0);
    let accounts = sandbox.documents("salesforce", "Account");
    assert!(accounts.iter().all(|account| account["Site"].is_null()), "{accounts:?}");
}

#[test]
fn an_incremental_mapping_reads_only_what_changed_and_full_reads_all() {
    let workspace = Workspace::with_script(
        r#"mapping("inc", #{ from: salesforce::object("Account"), to: pendo::account_metadata("custom"), match_on: #{ accountId: "Id" },
                             fields: #{ tier: "Rating" }, cursor: "SystemModstamp" });"#,
    );
    let sandbox = Sandbox::start(&workspace, "--accounts 12 --people 80");
    workspace.write(
        "scripts/touch.rhai",
        r#"mapping("touch", #{ from: gainsight::object("Company"), to: salesforce::object("Account"), match_on: #{ Id: "SfdcAccountId" }, fields: #{ Rating: |c| "Hot" } });"#,
    );
    let first = workspace.tabi("run inc --json").ended(0);
    assert_eq!(first.summary("inc")["read"], 12);
    sandbox.post("salesforce", "/_sandbox/clock", &json!({ "advance_seconds": 3600 }));
    let touched = workspace.tabi("run touch --json").ended(0).summary("touch")["written"].as_u64().unwrap();
    assert!(touched > 0);
    let second = workspace.tabi("run inc --json").ended(0);
    // The row on the boundary is read again: better once too often than lost.
    let read = second.summary("inc")["read"].as_u64().unwrap();
    assert!((touched..=touched + 1).contains(&read), "{}", second.stdout);
    assert_eq!(workspace.tabi("run inc --json --full").ended(0).summary("inc")["read"], 12);
}

#[test]
fn visitor_level_works_the_same_by_contact_a8() {
    let workspace = Workspace::with_script(
        r#"pendo::salesforce_integration("people", #{
               object: "Contact", key: #{ pendo: "visitorId", salesforce: "Email" },
               push: [#{ report: pendo::visitor_report(#{ days: 30, columns: ["time_on_site", "events"] }),
                         fields: #{ Pendo_timeonsite__c: "time_on_site" } }],
               pull: ["Title"] });"#,
    );
    let sandbox = Sandbox::start(&workspace, "--accounts 5 --people 40");
    let run = workspace.tabi("run --json");
    let summary = run.summary("people");
    assert!(summary["written"].as_u64().unwrap() > 0, "{summary} {}", run.stderr);
    assert!(sandbox.documents("salesforce", "Contact").iter().any(|contact| contact["Pendo_timeonsite__c"].is_number()));
    assert_eq!(workspace.tabi("run --json").summary("people")["written"], 0);
}

#[test]
fn rows_of_long_text_go_in_smaller_batches() {
    let workspace = Workspace::with_script(
        r#"mapping("long", #{ from: salesforce::object("Contact"), to: salesforce::object("Contact"), match_on: #{ Id: "Id" },
                              fields: #{ Description: |c| { let text = c.Id; text.pad(15000, "x"); text } } });"#,
    );
    workspace.write("tabi.toml", "[salesforce]\nsandbox = true\nbulk_threshold = 1\n");
    let sandbox = Sandbox::start(&workspace, "--accounts 100 --people 1300");
    let run = workspace.tabi("run --json").ended(0);
    assert_eq!(run.summary("long")["written"], sandbox.documents("salesforce", "Contact").len());
    let jobs = sandbox.writes("salesforce").iter().filter(|call| call.starts_with("POST") && call.ends_with("/jobs/ingest")).count();
    // About 19 MB of text: held all at once it would be one job.
    assert!(jobs >= 2, "{jobs} jobs");
}
