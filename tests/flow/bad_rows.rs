//! Rows that cannot be written: recorded with key, field, value and reason, while the rest goes on.

use crate::support::{Ran, Sandbox, Workspace};

fn mapping(fields: &str) -> String {
    format!(
        r#"mapping("m", #{{ from: gainsight::object("Company"), to: salesforce::object("Account"), match_on: #{{ Id: "SfdcAccountId" }}, fields: #{{ {fields} }} }});"#
    )
}

/// Runs one mapping in which the first half of the companies gets a bad cell.
fn run(fields: &str) -> (Workspace, Sandbox, Ran) {
    let workspace = Workspace::with_script(&mapping(fields));
    let sandbox = Sandbox::start(&workspace, "--accounts 20 --people 20");
    let ran = workspace.tabi("run --json");
    (workspace, sandbox, ran)
}

#[track_caller]
fn rejected_with(fields: &str, field: &str, words: &str) {
    let (workspace, _sandbox, ran) = run(fields);
    let summary = ran.summary("m");
    assert_eq!(ran.code, Some(1), "{summary}");
    assert_eq!(summary["status"], "partial", "{summary}");
    assert!(
        summary["rejected"].as_u64().unwrap() > 0 && summary["written"].as_u64().unwrap() > 0,
        "some rows fail, the others are written: {summary}"
    );
    let shown = workspace.tabi(&format!("show {} --json", summary["run"].as_str().unwrap())).ended(0).lines();
    let row = &shown[0]["rows"][0];
    assert_eq!(row["field"], field, "{row}");
    assert!(row["reason"].as_str().unwrap().contains(words), "{row}");
    assert!(!row["key"].as_str().unwrap().is_empty(), "{row}");
}

const HALF: &str = "c.Name.len() % 2 == 0";

#[test]
fn a_wrong_type_in_a_cell() {
    rejected_with(&format!(r#"NumberOfEmployees: |c| if {HALF} {{ "many" }} else {{ 5 }}"#), "NumberOfEmployees", "not a number");
}

#[test]
fn a_32_bit_overflow() {
    rejected_with(&format!("NumberOfEmployees: |c| if {HALF} {{ 3000000000 }} else {{ 5 }}"), "NumberOfEmployees", "32 bits");
}

#[test]
fn not_a_number() {
    rejected_with(&format!("AnnualRevenue: |c| if {HALF} {{ 0.0 / 0.0 }} else {{ 5.0 }}"), "AnnualRevenue", "ivision by zero");
}

#[test]
fn an_over_long_string() {
    rejected_with(
        &format!(r#"AccountNumber: |c| if {HALF} {{ let long = "x"; long.pad(300, "x"); long }} else {{ c.Name.sub_string(0, 3) }}"#),
        "AccountNumber",
        "longer than",
    );
}

#[test]
fn a_date_that_is_not_iso() {
    rejected_with(&format!(r#"Renewal_Date__c: |c| if {HALF} {{ "01/31/2026" }} else {{ "2026-01-31" }}"#), "Renewal_Date__c", "2026-01-31");
}

#[test]
fn a_value_outside_a_closed_picklist() {
    rejected_with(&format!(r#"CleanStatus: |c| if {HALF} {{ "Sparkling" }} else {{ "Matched" }}"#), "CleanStatus", "not one of");
}

#[test]
fn a_closure_that_fails_for_some_rows() {
    rejected_with(&format!(r#"Site: |c| if {HALF} {{ throw "no site" }} else {{ "ok" }}"#), "Site", "no site");
}

#[test]
fn emoji_and_other_scripts_arrive_unharmed() {
    let (_workspace, sandbox, ran) = run(r#"Site: |c| "旅 🚀 é""#);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(sandbox.documents("salesforce", "Account").iter().any(|account| account["Site"] == "旅 🚀 é"));
}

#[test]
fn an_account_without_a_match_is_recorded() {
    let workspace = Workspace::with_script(
        r#"mapping("m", #{ from: gainsight::object("Company"), to: salesforce::object("Account"), match_on: #{ AccountNumber: "Gsid" }, fields: #{ Site: "Name" } });"#,
    );
    let _sandbox = Sandbox::start(&workspace, "--accounts 6 --people 6");
    let ran = workspace.tabi("run --json").ended(1);
    let summary = ran.summary("m");
    assert_eq!(summary["rejected"], summary["read"], "{summary}");
}

#[test]
fn duplicate_keys_on_either_side_are_told_apart() {
    let source = Workspace::with_script(
        r#"mapping("m", #{ from: salesforce::object("Contact"), to: salesforce::object("Account"), match_on: #{ Id: "AccountId" }, fields: #{ Site: "LastName" } });"#,
    );
    let _one = Sandbox::start(&source, "--accounts 3 --people 12");
    let ran = source.tabi("run --json").ended(1);
    let run = ran.summary("m")["run"].as_str().unwrap().to_owned();
    let rows = source.tabi(&format!("show {run} --json")).lines()[0]["rows"].clone();
    assert!(rows[0]["reason"].as_str().unwrap().contains("duplicate key"), "{rows}");

    let target = Workspace::with_script(
        r#"mapping("m", #{ from: salesforce::object("Account"), to: salesforce::object("Contact"), match_on: #{ AccountId: "Id" }, fields: #{ Department: "Name" } });"#,
    );
    let _two = Sandbox::start(&target, "--accounts 3 --people 12");
    let ran = target.tabi("run --json").ended(1);
    let run = ran.summary("m")["run"].as_str().unwrap().to_owned();
    let rows = target.tabi(&format!("show {run} --json")).lines()[0]["rows"].clone();
    assert!(rows[0]["reason"].as_str().unwrap().contains("it has to be one"), "{rows}");
}

#[test]
fn an_unknown_field_fails_the_run_before_anything_is_written_and_names_the_near_one() {
    let (_workspace, sandbox, ran) = run(r#"Industri: "Name""#);
    assert_ne!(ran.code, Some(0));
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("Industri") && said.contains("did you mean `Industry`"), "{said}");
    assert_eq!(sandbox.writes("salesforce"), Vec::<String>::new());
}

#[test]
fn types_that_cannot_fit_fail_before_anything_is_written() {
    let (_workspace, sandbox, ran) = run(r#"Renewal_Date__c: "Employees""#);
    assert_ne!(ran.code, Some(0));
    assert!(format!("{}{}", ran.stdout, ran.stderr).contains("Renewal_Date__c"), "{}", ran.stdout);
    assert_eq!(sandbox.writes("salesforce"), Vec::<String>::new());
}

#[test]
fn a_field_deleted_between_plan_and_run_fails_the_run_before_anything_is_written() {
    let (workspace, sandbox, first) = run(r#"Site: "Name", Tier__c: #{ from: |row| "gold", type: "text(40)", label: "Tier" }"#);
    first.ended(0);
    workspace.write("scripts/script.rhai", mapping(r#"Site: |row| "other " + row.Name, Tier__c: |row| "silver""#));
    let plan = workspace.tabi("plan --json").ended(0);
    assert!(plan.summary("m")["update"].as_u64().unwrap() > 0, "{}", plan.stdout);
    workspace.write(
        "drop.rhai",
        r#"let found = salesforce::request("GET", "/tooling/query?q=" + "SELECT+Id+FROM+CustomField+WHERE+DeveloperName='Tier'");
           salesforce::request("DELETE", "/tooling/sobjects/CustomField/" + found.records[0].Id);"#,
    );
    workspace.tabi("exec drop.rhai").ended(0);
    sandbox.forget_requests();
    let failed = workspace.tabi("run --json").ended(1);
    assert_eq!(failed.summary("m")["status"], "failed", "{}", failed.stdout);
    assert!(failed.stdout.contains("Tier__c") && failed.stdout.contains("Account"), "object and field are named: {}", failed.stdout);
    assert_eq!(sandbox.writes("salesforce"), Vec::<String>::new());
}
