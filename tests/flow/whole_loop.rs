//! The whole loop (A18) with this repository's own scripts, and with the contract's canon.

use crate::support::{Sandbox, Workspace};

const EXAMPLES: [&str; 4] = ["pendo_salesforce.rhai", "usage_to_gainsight.rhai", "health_to_salesforce.rhai", "adoption_targets.rhai"];
const SYSTEMS: [&str; 3] = ["salesforce", "pendo", "gainsight"];

#[test]
fn a_second_pass_with_nothing_changed_writes_nothing_anywhere_a18() {
    let workspace = Workspace::with_examples(&EXAMPLES);
    let sandbox = Sandbox::start(&workspace, "--accounts 40 --people 300");
    // Later scripts read fields that earlier ones create: a plan knows them too.
    let plan = workspace.tabi("plan --json").ended(0);
    assert!(plan.of_type("create_field").iter().any(|line| line["field"] == "Pendo_daysactive_last7d__c"), "{}", plan.stdout);
    for system in SYSTEMS {
        assert_eq!(sandbox.writes(system), Vec::<String>::new(), "the plan wrote to {system}");
    }
    let first = workspace.tabi("run --json").ended(0);
    assert!(first.summary("pendo-account")["written"].as_u64().unwrap() > 0, "{}", first.stdout);
    assert!(first.summary("usage-push-from-pendo-account")["written"].as_u64().unwrap() > 0, "{}", first.stdout);
    assert!(first.summary("pendo-sync-from-gainsight-to-account")["written"].as_u64().unwrap() > 0, "{}", first.stdout);
    sandbox.forget_requests();
    let second = workspace.tabi("run --json").ended(0);
    for line in second.of_type("summary") {
        assert_eq!(line["written"], 0, "{line}");
    }
    for system in SYSTEMS {
        assert_eq!(sandbox.writes(system), Vec::<String>::new(), "{system} was written to in the second pass");
    }
}

#[test]
fn usage_reaches_salesforce_and_gainsight_and_health_comes_back_to_pendo() {
    let workspace = Workspace::with_examples(&EXAMPLES);
    let sandbox = Sandbox::start(&workspace, "--accounts 30 --people 200");
    workspace.tabi("run --json").ended(0);
    let accounts = sandbox.documents("salesforce", "Account");
    let pushed = accounts.iter().filter(|account| !account["Pendo_numberofvisitors_last30d__c"].is_null()).count();
    assert!(pushed > 10, "only {pushed} accounts have visitors");
    let usage = sandbox.documents("salesforce", "JBCXM__UsageData__c");
    assert!(!usage.is_empty() && usage.iter().all(|row| row["Name"] == "ACCOUNTLEVEL" && !row["JBCXM__Date__c"].is_null()), "{usage:?}");
    let healthy = accounts.iter().filter(|account| !account["Health_Score__c"].is_null()).count();
    assert!(healthy > 10, "only {healthy} accounts have a health score");
    let pulled = sandbox.documents("pendo", "account");
    let with_health = pulled.iter().filter(|account| !account["metadata"]["salesforce"]["health_score__c"].is_null()).count();
    assert!(with_health > 10, "only {with_health} Pendo accounts know their health: {:?}", pulled.first());
}

#[test]
fn a_plan_shows_every_change_and_writes_nothing() {
    let workspace = Workspace::with_examples(&EXAMPLES[..1]);
    let sandbox = Sandbox::start(&workspace, "--accounts 20 --people 100");
    let plan = workspace.tabi("plan --json").ended(0);
    let changes = plan.of_type("change");
    let visitors = changes.iter().find(|line| line["fields"]["Pendo_numberofvisitors_last30d__c"].is_object()).expect("a change of the visitors");
    assert_eq!(visitors["system"], "salesforce");
    assert_eq!(visitors["object"], "Account");
    assert_eq!(visitors["operation"], "update");
    assert!(visitors["fields"]["Pendo_numberofvisitors_last30d__c"]["from"].is_null());
    assert!(visitors["fields"]["Pendo_numberofvisitors_last30d__c"]["to"].is_number());
    let summary = plan.summary("pendo-account");
    assert_eq!(summary["update"].as_u64().unwrap() + summary["create"].as_u64().unwrap(), changes.len() as u64);
    for system in SYSTEMS {
        assert_eq!(sandbox.writes(system), Vec::<String>::new(), "the plan wrote to {system}");
    }
    workspace.tabi("run --json").ended(0);
    let after = workspace.tabi("plan --json").ended(0);
    assert_eq!(after.of_type("change"), Vec::<serde_json::Value>::new());
}

#[test]
fn starting_the_integration_by_name_runs_push_and_pull_a6() {
    let workspace = Workspace::with_examples(&EXAMPLES[..1]);
    let sandbox = Sandbox::start(&workspace, "--accounts 10 --people 60");
    workspace.tabi("run pendo-account --json").ended(0);
    assert!(!sandbox.writes("salesforce").is_empty(), "nothing was pushed");
    assert!(
        sandbox.writes("pendo").iter().any(|call| call.contains("/metadata/account/salesforce/value")),
        "nothing was pulled: {:?}",
        sandbox.writes("pendo")
    );
}

#[test]
fn documents_stay_between_commands_without_a_running_sandbox() {
    let workspace = Workspace::with_examples(&EXAMPLES[..1]);
    let first = workspace.tabi("plan --json --sandbox").ended(0);
    assert!(!first.of_type("change").is_empty());
    workspace.tabi("run --json --sandbox").ended(0);
    let after = workspace.tabi("plan --json --sandbox").ended(0);
    assert_eq!(after.of_type("change"), Vec::<serde_json::Value>::new());
}

#[test]
fn a_missing_pendo_field_is_planned_and_created_with_its_type_a1() {
    let script = r#"
        pendo::salesforce_integration("push", #{
            object: "Account", key: #{ pendo: "accountId", salesforce: "Id" },
            push: [#{ report: pendo::account_report(#{ days: 7, columns: ["active_visitors", "last_visit"] }),
                      fields: #{ Pendo_visitors_last7d__c: "active_visitors",
                                 Pendo_seen__c: |row| date(row.last_visit),
                                 Pendo_ratio__c: #{ from: "active_visitors", type: "number(10,2)", label: "Pendo Ratio" } } }],
        });
    "#;
    let workspace = Workspace::with_script(script);
    let sandbox = Sandbox::start(&workspace, "--accounts 10 --people 60");
    let plan = workspace.tabi("plan --json").ended(0);
    let created: Vec<(String, String)> =
        plan.of_type("create_field").iter().map(|line| (line["field"].to_string(), line["field_type"].to_string())).collect();
    assert_eq!(created.len(), 3, "{created:?}");
    assert!(created.iter().any(|(field, kind)| field.contains("Pendo_seen__c") && kind.contains("date")), "{created:?}");
    assert!(sandbox.writes("salesforce").is_empty(), "a plan created something");
    workspace.tabi("run --json").ended(0);
    let accounts = sandbox.documents("salesforce", "Account");
    assert!(accounts.iter().any(|account| account["Pendo_visitors_last7d__c"].is_number()), "{:?}", accounts.first());
    let again = workspace.tabi("run --json").ended(0);
    assert_eq!(again.summary("push")["written"], 0);
}
