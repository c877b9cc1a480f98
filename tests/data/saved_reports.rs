//! Reports that somebody saved in Pendo, as the source of a push, a mapping or a rule.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Sandbox, Workspace};

const PUSH: &str = r#"pendo::salesforce_integration("saved", #{ push: [
    #{ report: pendo::report("Account usage, last 30 days"),
       fields: #{ Pendo_people__c: #{ from: "activeVisitors", type: "number(18,0)" }, Pendo_days__c: |row| row.daysActive * 2 } } ] });"#;

/// What Pendo answers for the seeded report, by account.
fn answered(sandbox: &Sandbox) -> BTreeMap<String, Value> {
    let window = json!({"period": "dayRange", "first": "now()", "count": -30});
    let rows = sandbox.aggregate(&json!([
        {"source": {"events": {"appId": "expandAppIds(\"*\")"}, "timeSeries": window}}, {"identified": "accountId"},
        {"group": {"group": ["accountId"], "fields": [{"activeVisitors": {"count": "visitorId"}}, {"daysActive": {"count": "day"}}]}},
    ]));
    rows.into_iter().map(|row| (row["accountId"].as_str().unwrap().to_owned(), row)).collect()
}

#[test]
fn a_push_of_a_saved_report_writes_its_rows_and_touches_nobody_else_a4() {
    let workspace = Workspace::with_script(PUSH);
    let sandbox = Sandbox::start(&workspace, "--accounts 30 --people 40");
    workspace.tabi("check --online").ended(0);
    let planned = workspace.tabi("plan --json").ended(0);
    assert_eq!(sandbox.writes("salesforce"), Vec::<String>::new());
    let rows = answered(&sandbox);
    assert!(!rows.is_empty() && rows.len() < 30, "{} of 30 accounts were active", rows.len());
    let run = workspace.tabi("run --json").ended(0).summary("saved");
    assert_eq!((&run["status"], &run["read"], &run["rejected"]), (&json!("ok"), &json!(rows.len()), &json!(0)), "{run}");
    assert_eq!(json!(planned.of_type("change").len()), run["written"]);
    for account in sandbox.documents("salesforce", "Account") {
        let row = rows.get(account["Id"].as_str().unwrap());
        assert_eq!(account["Pendo_people__c"].as_f64(), row.and_then(|row| row["activeVisitors"].as_f64()), "{account}");
        assert_eq!(account["Pendo_days__c"].as_f64(), row.and_then(|row| row["daysActive"].as_f64()).map(|days| days * 2.0), "{account}");
    }
    let again = workspace.tabi("run --json").ended(0).summary("saved");
    assert_eq!((&again["status"], &again["written"], &again["unchanged"]), (&json!("ok"), &json!(0), &json!(rows.len())), "{again}");
}

#[test]
fn rules_and_mappings_read_them_too_with_filters_and_limits() {
    let workspace = Workspace::with_script(
        r#"rule("busy", #{ from: pendo::report("Account usage, last 30 days").filter(#{ a: ["activeVisitors", ">", 1] }).limit(3), show: ["*"],
               actions: [load_to_sfdc(#{ object: "Account", operation: "update", identifiers: ["Id"],
                   fields: #{ Id: "accountId", Busy__c: #{ from: "activeVisitors", type: "number(18,0)" } } })] });
           mapping("people", #{ from: pendo::report("Visitor usage, last 30 days", #{ per: "visitor" }).filter(|row| row.daysActive > 2),
               to: salesforce::object("Contact"), match_on: #{ Email: "visitorId" },
               fields: #{ Days__c: #{ from: "daysActive", type: "number(18,0)" } } });"#,
    );
    let sandbox = Sandbox::start(&workspace, "--accounts 12 --people 30");
    workspace.tabi("check --online").ended(0);
    let rows = answered(&sandbox);
    let busy: Vec<&str> = rows.iter().filter(|(_, row)| row["activeVisitors"].as_i64() > Some(1)).map(|(id, _)| id.as_str()).take(3).collect();
    let run = workspace.tabi("run --json").ended(0);
    assert_eq!((run.summary("busy")["status"].as_str(), run.summary("busy")["written"].as_u64()), (Some("ok"), Some(busy.len() as u64)));
    let accounts = sandbox.documents("salesforce", "Account");
    let written: Vec<&str> = accounts.iter().filter(|one| !one["Busy__c"].is_null()).filter_map(|one| one["Id"].as_str()).collect();
    assert_eq!(written.iter().collect::<std::collections::BTreeSet<_>>(), busy.iter().collect(), "the first three by id that pass");
    let people = run.summary("people");
    assert_eq!((&people["status"], &people["rejected"]), (&json!("ok"), &json!(0)), "{people}");
    assert!(people["written"].as_u64() > Some(0), "{people}");
    for contact in sandbox.documents("salesforce", "Contact") {
        assert!(contact["Days__c"].is_null() || contact["Days__c"].as_f64() > Some(2.0), "{contact}");
    }
    assert_eq!(workspace.tabi("run --json").ended(0).summary("people")["written"], 0);
}

#[test]
fn an_unknown_report_or_key_is_refused_in_check_and_run_with_what_was_meant() {
    let workspace = Workspace::with_script(&PUSH.replace("Account usage", "Acount usage"));
    let sandbox = Sandbox::start(&workspace, "--accounts 4 --people 10");
    let checked = workspace.tabi("check --online --json").ended(3);
    let found = &checked.lines()[0]["diagnostics"][0];
    assert_eq!((&found["code"], &found["line"]), (&json!("E0507"), &json!(2)), "{found}");
    assert_eq!(found["message"], "there is no report `Acount usage, last 30 days` in Pendo, or its visibility is not Everyone");
    assert_eq!(found["hint"], "did you mean `Account usage, last 30 days`?");
    let run = workspace.tabi("run --json").ended(1);
    assert_eq!(run.summary("saved")["status"], "failed");
    assert!(format!("{}{}", run.stdout, run.stderr).contains("did you mean `Account usage, last 30 days`?"), "{}", run.stderr);
    // Its rows are of accounts: nothing tells them apart by a visitor.
    let visitors = PUSH.replace(r#"30 days")"#, r#"30 days", #{ key: "account" })"#);
    workspace.write("scripts/script.rhai", visitors);
    let run = workspace.tabi("run --json").ended(1);
    assert_eq!(run.summary("saved")["status"], "failed");
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(said.contains("has no column `account` that would identify its rows; it has accountId, activeVisitors"), "{said}");
    assert_eq!(sandbox.writes("salesforce"), Vec::<String>::new());
}
