//! `rule(..)`: filters with logic, customers only, groups, dates, and every action.

use std::collections::BTreeSet;

use crate::support::{Sandbox, Workspace};

fn usage_rule(date: &str) -> String {
    format!(
        r#"rule("usage", #{{ rule_for: "account", from: salesforce::object("Account"), show: ["Id", "NumberOfEmployees"], customers_only: true,
               actions: [load_to_usage(#{{ account: "Id", level: "ACCOUNTLEVEL", date: {date}, measures: #{{ "Employees": "NumberOfEmployees" }} }})] }});"#
    )
}

#[test]
fn loading_usage_twice_for_one_date_changes_nothing_a11() {
    let workspace = Workspace::with_script(&usage_rule("rule_date()"));
    let sandbox = Sandbox::start(&workspace, "--accounts 20 --people 40");
    let first = workspace.tabi("run --json --date 2026-11-01").ended(0);
    let written = first.summary("usage")["written"].as_u64().unwrap();
    let customers = sandbox.documents("gainsight", "Company").len() as u64;
    assert_eq!(written, customers, "one row per Gainsight customer: {}", first.stdout);
    sandbox.forget_requests();
    let second = workspace.tabi("run --json --date 2026-11-01").ended(0);
    assert_eq!(second.summary("usage")["written"], 0);
    assert_eq!(sandbox.writes("salesforce"), Vec::<String>::new());
    let rows = sandbox.documents("salesforce", "JBCXM__UsageData__c");
    let keys: BTreeSet<String> = rows.iter().map(|row| format!("{}{}{}", row["JBCXM__Account__c"], row["Name"], row["JBCXM__Date__c"])).collect();
    assert_eq!(keys.len(), rows.len());
}

#[test]
fn a_rule_runs_for_a_range_of_past_dates_a12() {
    let workspace = Workspace::with_script(&usage_rule("rule_date()"));
    let sandbox = Sandbox::start(&workspace, "--accounts 10 --people 20");
    workspace.tabi("run --json --from 2026-11-01 --to 2026-11-03").ended(0);
    let dates: BTreeSet<String> =
        sandbox.documents("salesforce", "JBCXM__UsageData__c").iter().map(|row| row["JBCXM__Date__c"].to_string()).collect();
    assert_eq!(dates.into_iter().collect::<Vec<_>>(), ["\"2026-11-01\"", "\"2026-11-02\"", "\"2026-11-03\""]);
}

#[test]
fn only_fields_enabled_for_rule_updates_may_be_written_a13() {
    let script = r#"rule("back", #{ rule_for: "account", from: gainsight::object("customer_info"), show: ["AccountId", "HealthScore"],
        actions: [load_to_sfdc(#{ object: "Account", operation: "update", identifiers: ["Id"], fields: #{ Id: "AccountId", Health_Score__c: "HealthScore" } })] });"#;
    let workspace = Workspace::with_script(script);
    workspace.write("tabi.toml", "[salesforce.rule_updates]\nAccount = [\"Id\"]\n");
    let sandbox = Sandbox::start(&workspace, "--accounts 10 --people 20");
    let run = workspace.tabi("run --json");
    assert_ne!(run.code, Some(0), "{}", run.stdout);
    assert!(format!("{}{}", run.stdout, run.stderr).contains("Health_Score__c"), "the error names the field: {} {}", run.stdout, run.stderr);
    assert_eq!(sandbox.writes("salesforce"), Vec::<String>::new());
    workspace.write("tabi.toml", "[salesforce.rule_updates]\nAccount = [\"Id\", \"Health_Score__c\"]\n");
    let run = workspace.tabi("run --json").ended(0);
    assert!(run.summary("back")["written"].as_u64().unwrap() > 0);
}

#[test]
fn a_list_that_leaves_an_object_out_enables_nothing_of_it_a13() {
    let script = r#"rule("back", #{ rule_for: "account", from: gainsight::object("customer_info"), show: ["AccountId", "HealthScore"],
        actions: [load_to_sfdc(#{ object: "Account", operation: "update", identifiers: ["Id"], fields: #{ Id: "AccountId", Health_Score__c: "HealthScore" } })] });"#;
    let workspace = Workspace::with_script(script);
    workspace.write("tabi.toml", "[salesforce.rule_updates]\nContact = [\"Id\"]\n");
    let sandbox = Sandbox::start(&workspace, "--accounts 10 --people 20");
    let run = workspace.tabi("run --json").ended(1);
    assert!(run.stdout.contains("Health_Score__c"), "the error names the field: {}", run.stdout);
    assert_eq!(sandbox.writes("salesforce"), Vec::<String>::new());
    let check: serde_json::Value = serde_json::from_str(&workspace.tabi("check --json").ended(3).stdout).unwrap();
    let codes: Vec<_> =
        check["diagnostics"].as_array().unwrap().iter().map(|found| (found["code"].as_str().unwrap(), found["hint"].as_str().unwrap())).collect();
    let hint = "under [salesforce.rule_updates] in tabi.toml: Account = [\"Id\", \"Health_Score__c\"]";
    assert_eq!(codes, [("E0505", hint), ("E0505", hint)]);
    workspace.write("tabi.toml", "[salesforce.rule_updates]\naccount = [\"ID\", \"Health_Score__c\"]\n");
    workspace.tabi("check").ended(0);
    workspace.tabi("run --json").ended(0);
}

#[test]
fn a_real_org_without_a_list_is_worth_one_warning_a13() {
    let workspace = Workspace::with_examples(&["health_to_salesforce.rhai"]);
    let org = "[salesforce]\nauth = \"access_token\"\nbase_url = \"http://127.0.0.1:9\"\naccess_token = \"file:token\"\n";
    let warned = |workspace: &Workspace, args: &str| {
        let check: serde_json::Value = serde_json::from_str(&workspace.tabi(args).ended(0).stdout).unwrap();
        check["diagnostics"].as_array().unwrap().iter().filter(|found| found["code"] == "W0506").count()
    };
    assert_eq!(warned(&workspace, "check --json"), 0, "the sandbox may be written as one likes");
    workspace.write("tabi.toml", org);
    assert_eq!(warned(&workspace, "check --json"), 1);
    assert_eq!(warned(&workspace, "check --json --sandbox"), 0);
}

#[test]
fn filters_are_joined_by_their_logic_a10() {
    let script = r#"rule("f", #{ rule_for: "account", from: salesforce::object("Account"), show: ["Id", "Industry", "NumberOfEmployees"],
        filters: #{ a: ["NumberOfEmployees", ">=", 0], b: ["Industry", "=", "Banking"], c: ["Industry", "=", "Technology"], logic: "a AND (b OR c)" },
        actions: [load_to_sfdc(#{ object: "Account", operation: "update", identifiers: ["Id"], fields: #{ Id: "Id", Site: "Industry" } })] });"#;
    let workspace = Workspace::with_script(script);
    let sandbox = Sandbox::start(&workspace, "--accounts 60 --people 60");
    workspace.tabi("run --json").ended(0);
    for account in sandbox.documents("salesforce", "Account") {
        let wanted = account["Industry"] == "Banking" || account["Industry"] == "Technology";
        assert_eq!(account["Site"] == account["Industry"], wanted, "{account}");
    }
}

#[test]
fn an_open_call_to_action_is_updated_rather_than_doubled_a16() {
    let script = |priority: &str| {
        format!(
            r#"rule("cta", #{{ rule_for: "account", from: salesforce::object("Account"), show: ["Id", "Name"], customers_only: true,
                 actions: [create_cta(#{{ name: |row| "Usage falls: " + row.Name, type: "Risk", reason: "Adoption", priority: "{priority}", due_in_days: 7 }})] }});"#
        )
    };
    let workspace = Workspace::with_script(&script("high"));
    let sandbox = Sandbox::start(&workspace, "--accounts 8 --people 16");
    let before = sandbox.documents("gainsight", "call_to_action").len();
    let first = workspace.tabi("run --json").ended(0);
    let made = first.summary("cta")["written"].as_u64().unwrap();
    assert!(made > 0);
    let count = sandbox.documents("gainsight", "call_to_action").len();
    assert!(count > before);
    assert_eq!(workspace.tabi("run --json").ended(0).summary("cta")["written"], 0);
    let computed = script("X").replace(r#""X""#, r#"|row| "high""#);
    workspace.write("scripts/script.rhai", computed);
    assert_eq!(workspace.tabi("run --json").ended(0).summary("cta")["written"], 0, "a closure spells it in another way");
    workspace.write("scripts/script.rhai", script("Low"));
    assert_eq!(workspace.tabi("run --json").ended(0).summary("cta")["written"], made);
    assert_eq!(sandbox.documents("gainsight", "call_to_action").len(), count, "an open call to action was doubled");
}

#[test]
fn each_action_has_its_own_criteria_and_scores_reach_the_company_a16() {
    let script = r#"rule("scores", #{ rule_for: "account", from: salesforce::object("Account"), show: ["Id", "NumberOfEmployees"], customers_only: true,
        actions: [ set_score("Size", |row| if row.NumberOfEmployees > 100 { 90 } else { 30 }),
                   load_to_company(#{ operation: "update", identifiers: ["SfdcAccountId"], fields: #{ SfdcAccountId: "Id", Employees: "NumberOfEmployees" },
                                      criteria: #{ a: ["NumberOfEmployees", ">", 100], logic: "a" } }) ] });"#;
    let workspace = Workspace::with_script(script);
    let sandbox = Sandbox::start(&workspace, "--accounts 20 --people 20");
    workspace.tabi("run --json").ended(0);
    let scores = sandbox.documents("gainsight", "measure_scores__gc");
    assert_eq!(scores.len(), sandbox.documents("gainsight", "Company").len());
    let again = workspace.tabi("run --json").ended(0);
    assert_eq!(again.summary("scores")["written"], 0, "{}", again.stdout);
}

#[test]
fn rows_are_grouped_and_aggregated_within_a_window_a10() {
    let script = r#"
        rule("fill", #{ rule_for: "account", from: salesforce::object("Account"), show: ["Id"], customers_only: true,
            actions: [load_to_usage(#{ account: "Id", level: "ACCOUNTLEVEL", date: rule_date(), measures: #{ "Logins": |row| 10 } })] });
        rule("sum", #{ rule_for: "account", from: salesforce::object("JBCXM__UsageData__c"), show: ["JBCXM__Account__c"], account: "JBCXM__Account__c",
            group_by: ["JBCXM__Account__c"],
            calculated: #{ logins: #{ function: "sum", field: "Logins__c", date: "JBCXM__Date__c", days: 14 } },
            actions: [load_to_sfdc(#{ object: "Account", operation: "update", identifiers: ["Id"],
                                      fields: #{ Id: "JBCXM__Account__c", AnnualRevenue: "logins" } })], after: "fill" });"#;
    let workspace = Workspace::with_script(script);
    let sandbox = Sandbox::start(&workspace, "--accounts 6 --people 12");
    workspace.tabi("run fill --json --from 2026-11-01 --to 2026-11-20").ended(0);
    workspace.tabi("run sum --json --date 2026-11-20").ended(0);
    let accounts = sandbox.documents("salesforce", "Account");
    assert!(accounts.iter().any(|account| account["AnnualRevenue"].as_f64() == Some(140.0)), "fourteen days of ten logins: {accounts:?}");
}
