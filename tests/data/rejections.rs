//! Rejected rows can be found, read and acted on; nothing vanishes from the sum.

use serde_json::{Value, json};

use crate::support::{Ran, Sandbox, Workspace};

/// Ten accounts, whose companies are customers but for two.
fn small(script: &str) -> (Workspace, Sandbox) {
    let workspace = Workspace::with_script(script);
    let sandbox = Sandbox::start(&workspace, "--accounts 10 --people 20");
    (workspace, sandbox)
}

fn exec(workspace: &Workspace, script: &str) {
    workspace.write("do.rhai", script);
    workspace.tabi("exec do.rhai").ended(0);
}

fn number(line: &Value, key: &str) -> u64 {
    line[key].as_u64().unwrap_or_else(|| panic!("no `{key}` in {line}"))
}

/// Read rows, and rows given to a further action, are all accounted for.
#[track_caller]
fn adds_up(line: &Value) {
    let sum = |keys: &[&str]| keys.iter().map(|key| number(line, key)).sum::<u64>();
    let written = if line.get("created").is_some() { ["created", "updated", "deleted"] } else { ["create", "update", "delete"] };
    let became = sum(&written) + sum(&["unchanged", "rejected", "unmatched", "left_out", "filtered", "grouped"]);
    assert_eq!(sum(&["read", "again"]), became, "{line}");
}

fn shown(workspace: &Workspace, ran: &Ran, name: &str) -> Value {
    let run = ran.summary(name)["run"].as_str().unwrap().to_owned();
    workspace.tabi(&format!("show {run} --json")).ended(0).lines()[0].clone()
}

const KEYLESS: &str = r#"mapping("keyless", #{ from: salesforce::object("Contact"), to: gainsight::people(), match_on: "Email",
    fields: #{ Name: "Name" }, mode: "upsert" });"#;

#[test]
fn a_row_without_a_key_goes_by_its_sources_own() {
    let (workspace, _sandbox) = small(KEYLESS);
    exec(&workspace, r#"for n in 0..12 { salesforce::create("Contact", #{ LastName: `Nomail ${n}` }); }"#);
    for command in ["plan", "run"] {
        let told = workspace.tabi(command).ended(1).stdout;
        assert_eq!(told.matches("no value for `Email`").count(), 1, "equal reasons once: {told}");
        assert!(told.contains("12 rows rejected: Email: ") && told.contains("Contact 003") && told.contains("and 9 more"), "{told}");
        assert!(told.contains("scripts/script.rhai:1:"), "{told}");
    }
    let ran = workspace.tabi("run --json").ended(1);
    let (summary, shown) = (ran.summary("keyless"), shown(&workspace, &ran, "keyless"));
    assert_eq!((&summary["status"], &summary["rejected"]), (&json!("partial"), &json!(12)), "{summary}");
    adds_up(&summary);
    let rows = shown["rows"].as_array().unwrap();
    let keys: std::collections::BTreeSet<&str> = rows.iter().map(|row| row["key"].as_str().unwrap()).collect();
    assert_eq!((rows.len(), keys.len()), (12, 12), "each by its own name: {shown}");
    assert!(rows.iter().all(|row| row["key"] == row["source"] && row["key"].as_str().unwrap().starts_with("Contact 003")), "{shown}");
    assert!(rows.iter().all(|row| row["place"].as_str().unwrap().starts_with("scripts/script.rhai:")), "{shown}");
    let reasons = shown["reasons"].as_array().unwrap();
    assert_eq!((reasons.len(), &reasons[0]["count"], reasons[0]["keys"].as_array().unwrap().len()), (1, &json!(12), 3), "{shown}");
    let text = workspace.tabi("show last").ended(0).stdout;
    assert_eq!(text.matches("no value for").count(), 1, "{text}");
    let all = workspace.tabi("show last --rows 0").ended(0).stdout;
    assert_eq!(all.matches("no value for").count(), 13, "{all}");
}

#[test]
fn whatever_it_is_a_row_is_rejected_for_the_source_can_be_found_and_the_line() {
    // A value that does not fit, a key that comes twice, no counterpart, two counterparts, and what the system itself refuses.
    let cases = [
        r#"mapping("m", #{ from: salesforce::object("Account"), to: gainsight::object("Company"), match_on: #{ SfdcAccountId: "Id" }, fields: #{ Employees: |row| "many" } });"#,
        r#"mapping("m", #{ from: salesforce::object("Contact"), to: salesforce::object("Account"), match_on: #{ Id: "AccountId" }, fields: #{ Site: "LastName" } });"#,
        r#"mapping("m", #{ from: salesforce::object("Account"), to: gainsight::people(), match_on: #{ Email: |row| row.Id + "@nowhere.test" }, fields: #{ LastName: "Name" } });"#,
        r#"mapping("m", #{ from: salesforce::object("Account"), to: salesforce::object("Contact"), match_on: #{ AccountId: "Id" }, fields: #{ Department: "Name" } });"#,
        r#"mapping("m", #{ from: salesforce::object("Account"), to: salesforce::object("Account"), match_on: "Id", fields: #{ ParentId: |row| "001000000000000AAA" } });"#,
        r#"rule("m", #{ from: salesforce::object("Contact"), show: ["Email"], actions: [load_to_people(#{ fields: #{ Email: |row| "", LastName: "Email" } })] });"#,
        r#"rule("m", #{ from: salesforce::object("Contact"), show: ["AccountId", "Email"], group_by: ["AccountId"], actions: [load_to_people(#{ fields: #{ Email: |row| "", LastName: "Email" } })] });"#,
        r#"pendo::salesforce_integration("m", #{ key: #{ pendo: "accountId", salesforce: "Id" }, push: [#{ report: pendo::account_report(#{ days: 30, columns: ["users"] }),
            fields: #{ Pendo_users__c: #{ from: |row| "many", type: "number(18,0)" } } }] });"#,
    ];
    let (workspace, _sandbox) = small("");
    for script in cases {
        workspace.write("scripts/script.rhai", script);
        let ran = workspace.tabi("run --json").ended(1);
        let (summary, shown) = (ran.summary("m"), shown(&workspace, &ran, "m"));
        assert_eq!(summary["status"], "partial", "{script}\n{summary}");
        adds_up(&summary);
        let rows = shown["rows"].as_array().unwrap();
        assert_eq!(rows.len() as u64, number(&summary, "rejected"), "{script}\n{shown}");
        for row in rows {
            let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
            let (key, source, place) = (text("key"), text("source"), text("place"));
            assert!(!key.is_empty() && source.contains(' ') && !text("reason").is_empty(), "{script}\n{row}");
            assert!(place.starts_with("scripts/script.rhai:"), "{script}\n{row}");
        }
    }
}

#[test]
fn the_sum_holds_for_every_kind_of_declaration_in_plan_and_run() {
    let cases = [
        r#"mapping("d", #{ from: salesforce::object("Contact"), to: gainsight::people(), match_on: "Email", fields: #{ LastName: "LastName" }, mode: "upsert" });"#,
        r#"mapping("d", #{ from: salesforce::object("Contact"), to: gainsight::people(), match_on: "Email", fields: #{ LastName: "LastName" }, mode: "insert" });"#,
        r#"mapping("d", #{ from: salesforce::object("Account"), to: pendo::account_metadata("custom"), match_on: #{ accountId: "Id" }, fields: #{ tier: "Name" } });"#,
        r#"mapping("d", #{ from: salesforce::object("Account"), to: pendo::account_metadata("custom"), match_on: #{ accountId: |row| row.Id + "x" }, fields: #{ tier: "Name" }, mode: "upsert" });"#,
        r#"mapping("d", #{ from: px::object("users"), to: salesforce::object("Contact"), match_on: #{ Email: "email" }, fields: #{ Department: "identifyId" } });"#,
        r#"mapping("d", #{ from: salesforce::soql("SELECT AccountId, COUNT(Id) n FROM Contact GROUP BY AccountId"), to: salesforce::object("Account"), match_on: #{ Id: "AccountId" }, fields: #{ NumberOfEmployees: "n" } });"#,
        r#"rule("d", #{ from: salesforce::object("Account"), show: ["Id"], customers_only: true, actions: [set_score("Product usage", 20)] });"#,
        r#"rule("d", #{ from: salesforce::object("Account"), show: ["Id", "Industry", "NumberOfEmployees"], filters: #{ a: ["NumberOfEmployees", ">", 0] }, customers_only: true,
            actions: [set_score("Product usage", 20), create_cta(#{ reason: "Product usage", criteria: #{ a: ["NumberOfEmployees", ">", 2] } }),
                load_to_usage(#{ account: "Id", measures: #{ "Staff": "NumberOfEmployees" } })] });"#,
        r#"rule("d", #{ from: salesforce::object("Contact"), show: ["AccountId", "Id"], account: "AccountId", group_by: ["AccountId"], calculated: #{ n: ["count", "Id"] }, customers_only: true,
            actions: [load_to_sfdc(#{ object: "Account", fields: #{ Id: "AccountId", NumberOfEmployees: "n" } }), set_score("Contacts", "n")] });"#,
        r#"rule("d", #{ from: pendo::account_report(#{ days: 30, columns: ["users"] }), show: ["accountId", "users"], filters: #{ a: ["users", ">", 1] },
            actions: [load_to_sfdc(#{ object: "Account", fields: #{ Id: "accountId", NumberOfEmployees: "users" } })] });"#,
        r#"pendo::salesforce_integration("d", #{ key: #{ pendo: "accountId", salesforce: "Id" }, pull: ["Industry"],
            push: [#{ report: pendo::account_report(#{ days: 30, columns: ["users"] }), fields: #{ Pendo_users__c: "users" } }] });"#,
        r#"pendo::segment("d", #{ filters: #{ a: ["metadata.agent.name", "!=", ""] } });"#,
        r#"pendo::segment("d", #{ per: "visitor", filters: #{ a: ["visitorId", "!=", "nobody"] } });"#,
    ];
    let (workspace, _sandbox) = small("");
    exec(&workspace, r#"salesforce::create("Contact", #{ LastName: "Nomail" }); salesforce::create("Account", #{ Name: "Prospect" });"#);
    for script in cases {
        workspace.write("scripts/script.rhai", script);
        for command in ["plan --json", "run --json", "run --json"] {
            let ran = workspace.tabi(command);
            let summary = ran.summary("d");
            assert_ne!(summary["status"], "failed", "{script}\n{summary}");
            assert!(number(&summary, "read") > 0, "{script}\n{summary}");
            adds_up(&summary);
        }
        let run = &workspace.tabi("history --json").ended(0).lines()[0][0];
        let keys = ["written", "unchanged", "rejected", "unmatched", "left_out", "filtered", "grouped"];
        let became: u64 = keys.iter().map(|key| number(run, key)).sum();
        assert_eq!(number(run, "read") + number(run, "again"), became, "remembered so, too: {script}\n{run}");
    }
}

#[test]
fn rows_left_out_as_no_customers_are_counted_and_said() {
    let script =
        r#"rule("r", #{ from: salesforce::object("Account"), show: ["Id"], customers_only: true, actions: [set_score("Product usage", 20)] });"#;
    let (workspace, _sandbox) = small(script);
    exec(&workspace, r#"for n in 0..3 { salesforce::create("Account", #{ Name: `Prospect ${n}` }); }"#);
    let ran = workspace.tabi("run --json").ended(0);
    let summary = ran.summary("r");
    assert!(number(&summary, "left_out") >= 3, "{summary}");
    assert_eq!((&summary["status"], &summary["rejected"]), (&json!("ok"), &json!(0)), "{summary}");
    adds_up(&summary);
    let left_out = format!("{} no customers", summary["left_out"]);
    for command in ["plan", "run", "show last"] {
        let told = workspace.tabi(command).ended(0).stdout;
        assert!(told.contains(&left_out), "{command}: {told}");
    }
}
