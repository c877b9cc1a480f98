//! Timeline entries, success plans and milestones as actions of rules and steps of journeys: a second run writes nothing.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Ran, Sandbox, Workspace};

const SMALL: &str = "--accounts 12 --people 12";

#[track_caller]
fn counts(ran: &Ran, name: &str, expected: (&str, u64, u64, u64)) {
    let summary = ran.summary(name);
    let counts = ["written", "unchanged", "rejected"].map(|key| summary[key].as_u64().unwrap());
    assert_eq!((summary["status"].as_str().unwrap(), counts[0], counts[1], counts[2]), expected, "{}", ran.stdout);
}

fn found(workspace: &Workspace) -> Vec<(String, String)> {
    let check: Value = serde_json::from_str(&workspace.tabi("check --json").stdout).unwrap();
    let text = |found: &Value, key: &str| found[key].as_str().unwrap_or_default().to_owned();
    check["diagnostics"].as_array().unwrap().iter().map(|found| (text(found, "code"), text(found, "message"))).collect()
}

/// A rule over all accounts with one action.
fn rule(action: &str) -> String {
    format!(
        r#"rule("log", #{{ from: salesforce::object("Account"), show: ["Id", "Name", "NumberOfEmployees"], customers_only: true, actions: [{action}] }});"#
    )
}

/// What a run of `log` rejected, as it is remembered.
fn rejected(workspace: &Workspace, ran: &Ran) -> Vec<Value> {
    let run = ran.summary("log")["run"].as_str().unwrap().to_owned();
    workspace.tabi(&format!("show {run} --json")).ended(0).lines()[0]["rows"].as_array().unwrap().clone()
}

fn a_user(sandbox: &Sandbox) -> Value {
    sandbox.documents("gainsight", "gsuser").swap_remove(0)
}

#[test]
fn an_entry_of_the_timeline_is_logged_once_for_a_date_and_updated_when_it_differs() {
    let workspace = Workspace::with_script("let nothing = 1;");
    let sandbox = Sandbox::start(&workspace, SMALL);
    let author = a_user(&sandbox);
    let email = author["Email"].as_str().unwrap();
    let log = |notes: &str| rule(&format!(r#"log_timeline(#{{ subject: "Usage", notes: {notes}, author: "{email}" }})"#));
    workspace.write("scripts/script.rhai", log("|row| `<p>${row.Name}</p>`"));
    let companies = sandbox.documents("gainsight", "Company");
    let all = companies.len() as u64;

    let plan = workspace.tabi("plan --json --all").ended(0);
    assert_eq!((&plan.summary("log")["create"], sandbox.documents("gainsight", "activity_timeline").len()), (&json!(all), 0), "{}", plan.stdout);
    counts(&workspace.tabi("run log --date 2026-06-01 --json").ended(0), "log", ("ok", all, 0, 0));
    let entries = sandbox.documents("gainsight", "activity_timeline");
    for company in &companies {
        let of: Vec<&Value> = entries.iter().filter(|entry| entry["GsCompanyId"] == company["Gsid"]).collect();
        let [entry] = of.as_slice() else { panic!("{company}: {of:?}") };
        let expected = [
            ("ExternalId", json!(format!("tabi|log|{}|2026-06-01", company["SfdcAccountId"].as_str().unwrap()))),
            ("ContextName", json!("Company")),
            ("TypeName", json!("Update")),
            ("Subject", json!("Usage")),
            ("Notes", json!(format!("<p>{}</p>", company["Name"].as_str().unwrap()))),
            ("AuthorId", author["Gsid"].clone()),
        ];
        assert!(expected.iter().all(|(name, value)| entry[*name] == *value), "{entry}");
    }
    // The same date again writes nothing; another date is another entry; other notes update the entry, and one call is one entry.
    sandbox.forget_requests();
    counts(&workspace.tabi("run log --date 2026-06-01 --json").ended(0), "log", ("ok", 0, all, 0));
    assert_eq!(sandbox.writes("gainsight"), Vec::<String>::new());
    workspace.write("scripts/script.rhai", log("|row| `<p>${row.Name}!</p>`"));
    counts(&workspace.tabi("run log --date 2026-06-01 --json").ended(0), "log", ("ok", all, 0, 0));
    counts(&workspace.tabi("run log --date 2026-06-02 --json").ended(0), "log", ("ok", all, 0, 0));
    let after = sandbox.documents("gainsight", "activity_timeline");
    assert_eq!(after.len(), entries.len() * 2);
    assert!(after.iter().all(|entry| entry["Notes"].as_str().unwrap().ends_with("!</p>")), "{after:?}");
    assert!(sandbox.writes("gainsight").iter().filter(|line| line.starts_with("PUT")).count() == entries.len());
}

#[test]
fn what_the_timeline_does_not_take_is_a_rejection_that_names_record_and_field() {
    let workspace = Workspace::with_script("let nothing = 1;");
    let sandbox = Sandbox::start(&workspace, SMALL);
    let email = a_user(&sandbox)["Email"].as_str().unwrap().to_owned();
    let all = sandbox.documents("gainsight", "Company").len() as u64;
    let cases = [
        (format!(r#"subject: |row| "x".pad(256, 'x') , notes: "n", author: "{email}""#), "Subject"),
        (r#"subject: "s", notes: "n", author: "nobody@nowhere.example""#.to_owned(), "Author"),
        (format!(r#"subject: "s", notes: |row| "", author: "{email}""#), "Notes"),
    ];
    for (options, field) in cases {
        let options = options.replace(r#"|row| "x".pad(256, 'x')"#, &format!("\"{}\"", "x".repeat(256)));
        workspace.write("scripts/script.rhai", rule(&format!("log_timeline(#{{ {options} }})")));
        let ran = workspace.tabi("run log --json").ended(1);
        counts(&ran, "log", ("partial", 0, 0, all));
        let rows = rejected(&workspace, &ran);
        let named = |row: &&Value| row["field"] == field && row["source"].as_str().unwrap().starts_with("Account 001");
        assert_eq!(rows.iter().filter(named).count() as u64, all, "{field}: {rows:?}");
    }
    // One id is one entry; and what it should hang on has to be there.
    let options = format!(r#"subject: "s", notes: "n", author: "{email}", external_id: "one", context: "CTA", context_id: "1S01NONE""#);
    workspace.write("scripts/script.rhai", rule(&format!("log_timeline(#{{ {options} }})")));
    let ran = workspace.tabi("run log --json").ended(1);
    counts(&ran, "log", ("partial", 0, 0, all));
    let rows = rejected(&workspace, &ran);
    let because = |reason: &str| rows.iter().filter(|row| row["reason"].as_str().unwrap().contains(reason)).count() as u64;
    assert_eq!((because("duplicate key"), because("CTA not found")), (all - 1, 1), "{rows:?}");
    assert_eq!(sandbox.documents("gainsight", "activity_timeline"), Vec::<Value>::new());
}

#[test]
fn options_that_cannot_be_are_found_by_check() {
    let workspace = Workspace::new();
    let cases = [
        (r#"log_timeline(#{ notes: "n", author: "a@b.example" })"#, "subject"),
        (r#"log_timeline(#{ subject: "s", notes: "n" })"#, "author"),
        (r#"log_timeline(#{ subject: "s", notes: "n", author: "a@b.example", context: "CTA" })"#, "which CTA"),
        (r#"log_timeline(#{ subject: "s", notes: "n", author: "a@b.example", context_id: field("Id") })"#, "no `context_id`"),
        (r#"log_timeline(#{ subject: "s", notes: "n", author: "a@b.example", context: "Nothing" })"#, "Nothing"),
        (r#"log_timeline(#{ subject: "s", notes: field("Unshown"), author: "a@b.example" })"#, "Unshown"),
        (r#"create_success_plan(#{ name: "n", owner_email: "a@b.example" })"#, "type"),
        (r#"load_to_milestones(#{ comments: "c" })"#, "milestone"),
    ];
    for (action, said) in cases {
        workspace.write("scripts/script.rhai", rule(action));
        let found = found(&workspace);
        assert!(found.len() == 1 && found[0].1.contains(said), "{action}: {found:?}");
    }
}

#[test]
fn a_success_plan_that_is_open_is_updated_rather_than_doubled() {
    let workspace = Workspace::with_script("let nothing = 1;");
    let sandbox = Sandbox::start(&workspace, SMALL);
    let users = sandbox.documents("gainsight", "gsuser");
    let email = |at: usize| users[at]["Email"].as_str().unwrap().to_owned();
    let plan = |owner: &str, more: &str| {
        rule(&format!(r#"create_success_plan(#{{ name: "Start", type: "onboarding", owner_email: "{owner}", due_in_days: 30, {more} }})"#))
    };
    workspace.write("scripts/script.rhai", plan(&email(0), r#"template: "Onboarding Template""#));
    let all = sandbox.documents("gainsight", "Company").len();
    let n = all as u64;
    assert_eq!(workspace.tabi("plan --json").ended(0).summary("log")["create"], n);
    counts(&workspace.tabi("run log --date 2026-06-01 --json").ended(0), "log", ("ok", n, 0, 0));
    let plans = sandbox.documents("gainsight", "cta_group");
    assert_eq!(plans.len(), all);
    let companies: BTreeSet<String> = plans.iter().map(|plan| plan["CompanyId"].to_string()).collect();
    assert!(companies.len() == all && plans.iter().all(|plan| plan["DueDate"] == "2026-07-01" && plan["OwnerId"] == users[0]["Gsid"]), "{plans:?}");
    let objectives = sandbox.documents("gainsight", "call_to_action");
    assert_eq!(objectives.iter().filter(|cta| cta["CtaGroupId"].is_string()).count(), 3 * all);

    sandbox.forget_requests();
    counts(&workspace.tabi("run log --date 2026-06-20 --json").ended(0), "log", ("ok", 0, n, 0));
    assert_eq!(sandbox.writes("gainsight"), Vec::<String>::new());
    workspace.write("scripts/script.rhai", plan(&email(1), ""));
    counts(&workspace.tabi("run log --json").ended(0), "log", ("ok", n, 0, 0));
    let owned = sandbox.documents("gainsight", "cta_group");
    assert!(owned.len() == all && owned.iter().all(|plan| plan["OwnerId"] == users[1]["Gsid"] && plan["DueDate"] == "2026-07-01"), "{owned:?}");

    // A plan that was closed is not open: there is another one. What Gainsight does not know is refused by record.
    workspace.write(
        "scripts/script.rhai",
        rule(&format!(r#"create_success_plan(#{{ name: "Later", type: "Onboarding", owner_email: "{}", status: "Closed" }})"#, email(0))),
    );
    for _ in 0..2 {
        counts(&workspace.tabi("run log --json").ended(0), "log", ("ok", n, 0, 0));
    }
    workspace.write("scripts/script.rhai", plan(&email(0), r#"template: "Nothing""#).replace("Start", "Other"));
    let ran = workspace.tabi("run log --json").ended(1);
    counts(&ran, "log", ("partial", 0, 0, n));
    assert!(rejected(&workspace, &ran).iter().all(|row| row["field"] == "Templates"), "{}", ran.stdout);
}

#[test]
fn a_milestone_is_loaded_once_for_account_and_date() {
    let workspace = Workspace::with_script(&rule(r#"load_to_milestones(#{ milestone: "Renewal", comments: |row| row.Name })"#));
    let sandbox = Sandbox::start(&workspace, SMALL);
    let all = sandbox.documents("gainsight", "Company").len();
    let n = all as u64;
    counts(&workspace.tabi("run log --date 2026-06-01 --json").ended(0), "log", ("ok", n, 0, 0));
    counts(&workspace.tabi("run log --date 2026-06-01 --json").ended(0), "log", ("ok", 0, n, 0));
    let choices = sandbox.documents("salesforce", "JBCXM__Picklist__c");
    let renewal = choices.iter().find(|choice| choice["Name"] == "Renewal" && choice["JBCXM__Category__c"] == "Milestones").unwrap();
    let rows = sandbox.documents("salesforce", "JBCXM__Milestone__c");
    let accounts = sandbox.documents("salesforce", "Account");
    assert_eq!(rows.len(), all);
    for row in &rows {
        let account = accounts.iter().find(|account| account["Id"] == row["JBCXM__Account__c"]).unwrap();
        assert_eq!(
            (&row["JBCXM__Milestone__c"], &row["JBCXM__Date__c"], &row["JBCXM__Comment__c"]),
            (&renewal["Id"], &json!("2026-06-01"), &account["Name"])
        );
    }
    workspace.write("scripts/script.rhai", rule(r#"load_to_milestones(#{ milestone: "Nothing" })"#));
    let ran = workspace.tabi("run log --json").ended(1);
    let said = ran.stdout.contains("no milestone `Nothing`") && ran.stdout.contains("JBCXM__Milestone__c");
    assert!(ran.summary("log")["status"] == "failed" && said, "{}", ran.stdout);
    assert_eq!(sandbox.documents("salesforce", "JBCXM__Milestone__c").len(), all);
}

#[test]
fn a_step_of_a_journey_logs_an_entry_for_everybody_who_comes() {
    let workspace = Workspace::with_script("let nothing = 1;");
    let sandbox = Sandbox::start(&workspace, SMALL);
    let email = a_user(&sandbox)["Email"].as_str().unwrap().to_owned();
    let log = |subject: &str| format!(r#"log_timeline(#{{ subject: "{subject}", notes: field("Name"), author: "{email}" }})"#);
    workspace.write(
        "scripts/script.rhai",
        format!(
            r#"journey("log", #{{ model: "dynamic", participants: gainsight::object("Company").limit(3), unique_on: "Gsid", company: "Gsid",
                steps: [{}, {}, finish()] }});"#,
            log("Began"),
            log("Ended")
        ),
    );
    workspace.tabi("journey publish log --yes").ended(0);
    workspace.tabi("up --once --json").ended(0);
    workspace.tabi("up --once --json").ended(0);
    let entries = sandbox.documents("gainsight", "activity_timeline");
    let ids: BTreeSet<String> = entries.iter().map(|entry| entry["ExternalId"].as_str().unwrap().to_owned()).collect();
    assert_eq!((entries.len(), ids.len()), (6, 6), "{entries:?}");
    for entry in &entries {
        let step = format!("tabi|log/log_timeline {}|{}|", entry["Subject"].as_str().unwrap(), entry["GsCompanyId"].as_str().unwrap());
        assert!(entry["ExternalId"].as_str().unwrap().to_lowercase().starts_with(&step.to_lowercase()), "{step}: {entry}");
    }
}

#[test]
fn several_entries_of_one_rule_are_told_apart_and_a_field_gives_the_date() {
    let workspace = Workspace::with_script("let nothing = 1;");
    let sandbox = Sandbox::start(&workspace, SMALL);
    let email = a_user(&sandbox)["Email"].as_str().unwrap().to_owned();
    let log = |subject: &str| {
        format!(r#"log_timeline(#{{ subject: "{subject}", notes: "n", author: "{email}", date: |row| date("2026-03-0" + row.Id.len % 7) }})"#)
    };
    workspace.write("scripts/script.rhai", rule(&[log("One"), log("Two")].join(", ")));
    let all = sandbox.documents("gainsight", "Company").len() as u64;
    counts(&workspace.tabi("run log --json").ended(0), "log", ("ok", 2 * all, 0, 0));
    counts(&workspace.tabi("run log --date 2026-01-01 --json").ended(0), "log", ("ok", 0, 2 * all, 0));
    let entries = sandbox.documents("gainsight", "activity_timeline");
    let second = |entry: &&Value| entry["ExternalId"].as_str().unwrap().starts_with("tabi|log/2|") && entry["Subject"] == "Two";
    assert_eq!((entries.len() as u64, entries.iter().filter(second).count() as u64), (2 * all, all), "{entries:?}");
    assert!(entries.iter().all(|entry| entry["ExternalId"].as_str().unwrap().ends_with("|2026-03-04")), "{entries:?}");
}
