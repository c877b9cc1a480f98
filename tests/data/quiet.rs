//! Accounts of which a grouped rule has no rows: 0 and nothing, for those whom the rule is about, and for nobody else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::{Sandbox, Workspace};

fn by_id(sandbox: &Sandbox) -> BTreeMap<String, Value> {
    sandbox.documents("salesforce", "Account").into_iter().map(|row| (row["Id"].as_str().unwrap().to_owned(), row)).collect()
}

fn customers(sandbox: &Sandbox) -> BTreeSet<String> {
    sandbox.documents("gainsight", "Company").iter().filter_map(|row| row["SfdcAccountId"].as_str().map(str::to_owned)).collect()
}

/// One source of each system whose rows are of accounts: how it is written, its account field, and a number, by which rows are counted.
const SOURCES: [(&str, &str, &str); 5] = [
    (r#"salesforce::object("Opportunity")"#, "AccountId", "Amount"),
    (r#"salesforce::soql("SELECT Id, AccountId, Amount FROM Opportunity")"#, "AccountId", "Amount"),
    (r#"gainsight::object("Company")"#, "SfdcAccountId", "Gsid"),
    ("pendo::visitors()", "metadata.auto.accountid", "visitorId"),
    (r#"px::object("users")"#, "accountId", "identifyId"),
];

fn rule(n: usize, filter: &str, for_every: &str) -> String {
    let (from, account, field) = SOURCES[n];
    format!(
        r#"rule("quiet", #{{ from: {from}, account: "{account}", show: ["{account}"], {filter}
               calculated: #{{ rows: ["count", "*"], kinds: ["count_distinct", "{field}"], most: ["max", "{field}"], one: ["first", "{field}"] }}, {for_every}
               actions: [load_to_sfdc(#{{ object: "Account", fields: #{{ Id: "{account}", Rows{n}__c: #{{ from: "rows", type: "number(18,0)" }},
                   Kinds{n}__c: #{{ from: "kinds", type: "number(18,0)" }}, Most{n}__c: #{{ from: |r| if r.most == () {{ () }} else {{ `${{r.most}}` }}, type: "text(200)" }},
                   One{n}__c: #{{ from: |r| if r.one == () {{ () }} else {{ `${{r.one}}` }}, type: "text(200)" }} }} }})] }});"#
    )
}

#[test]
fn whoever_has_no_rows_any_more_has_zero_and_nothing_in_every_system() {
    let workspace = Workspace::new();
    let sandbox = Sandbox::start(&workspace, "--accounts 12 --people 60");
    let customers = customers(&sandbox);
    for (n, source) in SOURCES.iter().enumerate() {
        let note = source.0;
        let [rows, kinds, most, one] = ["Rows", "Kinds", "Most", "One"].map(|name| format!("{name}{n}__c"));
        let (rows, kinds, most, one) = (rows.as_str(), kinds.as_str(), most.as_str(), one.as_str());
        workspace.write("scripts/script.rhai", rule(n, "", ""));
        workspace.tabi("run --json --full").ended(0);
        let first = by_id(&sandbox);
        let with_rows: Vec<&String> = first.iter().filter(|(_, row)| row[rows].as_f64() > Some(0.0)).map(|(id, _)| id).collect();
        assert!(with_rows.len() > 3, "{note}");
        // Half of them have no rows any more.
        let gone: Vec<&String> = with_rows.iter().copied().step_by(2).collect();
        let listed = gone.iter().map(|id| format!("\"{id}\"")).collect::<Vec<_>>().join(", ");
        let filter = format!(r#"filters: #{{ a: ["{}", "not in", [{listed}]] }},"#, source.1);
        // Without a word of the script they keep what they have, and check says so.
        workspace.write("scripts/script.rhai", rule(n, &filter, ""));
        let checked = workspace.tabi("check --json").ended(0);
        assert!(checked.stdout.contains("W0510"), "{note}: {}", checked.stdout);
        let run = workspace.tabi("run --json").ended(0);
        assert_eq!(run.summary("quiet")["written"], 0, "{note}: {}", run.stdout);
        // Customers only.
        workspace.write("scripts/script.rhai", rule(n, &filter, r#"for_every: "customer","#));
        assert!(!workspace.tabi("check --json").ended(0).stdout.contains("W0510"));
        let run = workspace.tabi("run --json").ended(0);
        let now = by_id(&sandbox);
        let mut written = 0;
        for (id, row) in &now {
            let silent = gone.contains(&id) || !with_rows.contains(&id);
            if silent && customers.contains(id) {
                let numbers = [rows, kinds].map(|field| row[field].as_f64());
                assert_eq!((numbers, &row[most], &row[one]), ([Some(0.0); 2], &Value::Null, &Value::Null), "{note}: {row}");
                written += usize::from(*row != first[id]);
            } else {
                let of = |row: &Value| [rows, kinds, most, one].map(|field| row[field].clone());
                assert_eq!(of(row), of(&first[id]), "{note}: not meant");
            }
        }
        let summary = run.summary("quiet");
        assert_eq!((&summary["status"], &summary["written"], &summary["rejected"]), (&json!("ok"), &json!(written), &json!(0)), "{note}: {summary}");
        assert!(written > 1, "{note}: nobody fell silent");
        let again = workspace.tabi("run --json").ended(0);
        assert_eq!(again.summary("quiet")["written"], 0, "{note}: {}", again.stdout);
        // Every account.
        workspace.write("scripts/script.rhai", rule(n, &filter, r#"for_every: "account","#));
        assert_eq!(workspace.tabi("run --json").ended(0).summary("quiet")["rejected"], 0);
        for (id, row) in by_id(&sandbox) {
            let silent = gone.contains(&&id) || !with_rows.contains(&&id);
            assert_eq!(silent, row[rows].as_f64() == Some(0.0), "{note}: {row}");
        }
    }
}

#[test]
fn scores_and_usage_of_silent_customers_are_loaded_too() {
    let rule = |filter: &str| {
        format!(
            r#"rule("open", #{{ from: salesforce::object("Opportunity"), show: ["AccountId"], for_every: "customer", customers_only: true, {filter}
                   calculated: #{{ rows: ["count", "*"], mean: ["avg", "Amount"] }},
                   actions: [set_score("Pipeline", |r| if r.rows > 0 {{ 80 }} else {{ 20 }}), set_score("Size", |r| if r.mean == () {{ () }} else {{ 50 }}),
                       load_to_usage(#{{ account: "AccountId", measures: #{{ Opportunities: "rows" }} }})] }});"#
        )
    };
    let workspace = Workspace::with_script(&rule(""));
    let sandbox = Sandbox::start(&workspace, "--accounts 12 --people 20");
    let companies: BTreeMap<String, Value> = sandbox
        .documents("gainsight", "Company")
        .into_iter()
        .map(|row| (row["Gsid"].as_str().unwrap().to_owned(), row["SfdcAccountId"].clone()))
        .collect();
    let scores = |measure: &str| -> BTreeMap<String, Value> {
        let rows = sandbox.documents("gainsight", "measure_scores__gc").into_iter().filter(|row| row["Measure__gc"] == measure);
        rows.map(|row| (companies[row["CompanyId__gc"].as_str().unwrap()].as_str().unwrap().to_owned(), row["Score__gc"].clone())).collect()
    };
    workspace.tabi("run --json").ended(0);
    let first = scores("Pipeline");
    assert_eq!(first.len(), companies.len(), "every customer has a score");
    assert!(first.values().any(|score| score.as_f64() == Some(80.0)), "{first:?}");
    // Nobody has any.
    workspace.write("scripts/script.rhai", rule(r#"filters: #{ a: ["Name", "=", "no such name"] },"#));
    let run = workspace.tabi("run --json").ended(0);
    assert_eq!((&run.summary("open")["status"], &run.summary("open")["rejected"]), (&json!("ok"), &json!(0)), "{}", run.stdout);
    assert!(scores("Pipeline").values().all(|score| score.as_f64() == Some(20.0)), "{:?}", scores("Pipeline"));
    assert!(scores("Size").values().all(Value::is_null), "a mean of nothing is emptied: {:?}", scores("Size"));
    let usage = sandbox.documents("salesforce", "JBCXM__UsageData__c");
    assert_eq!(usage.len(), companies.len());
    assert!(usage.iter().all(|row| row["Opportunities__c"].as_f64() == Some(0.0)), "{usage:?}");
}

#[test]
fn nobody_is_called_silent_where_nobody_can_know() {
    let workspace = Workspace::new();
    let sandbox = Sandbox::start(&workspace, "--accounts 6 --people 12");
    // A row that cannot be told may be the only one of its account.
    let with_rows = sandbox.documents("salesforce", "Opportunity")[0]["AccountId"].clone();
    let doubtful = format!(
        r#"rule("r", #{{ from: salesforce::object("Opportunity").filter(|o| if o.AccountId == {with_rows} {{ throw "odd" }} else {{ true }}), show: ["AccountId"],
        calculated: #{{ rows: ["count", "*"] }}, for_every: "account",
        actions: [load_to_sfdc(#{{ object: "Account", fields: #{{ Id: "AccountId", Rows__c: #{{ from: "rows", type: "number(18,0)" }} }} }})] }});"#
    );
    workspace.write("scripts/script.rhai", doubtful);
    let run = workspace.tabi("run --json").ended(1);
    let summary = run.summary("r");
    assert!(summary["status"] == "partial" && summary["rejected"].as_u64() > Some(0), "{summary}");
    assert!(run.stderr.contains("so nobody knows who has none"), "{}", run.stderr);
    assert!(by_id(&sandbox).values().all(|row| row["Rows__c"].as_f64() != Some(0.0)));
    // Ids of something else are not silence.
    let other = r#"rule("r", #{ from: salesforce::object("Opportunity"), account: "StageName", show: ["StageName"], calculated: #{ rows: ["count", "*"] },
        for_every: "account", actions: [load_to_sfdc(#{ object: "Account", fields: #{ Id: "StageName", Rows__c: "rows" } })] });"#;
    workspace.write("scripts/script.rhai", other);
    sandbox.forget_requests();
    let run = workspace.tabi("run --json").ended(1);
    assert_eq!(run.summary("r")["status"], "failed");
    assert!(run.stdout.contains("`for_every` needs the ids of Salesforce accounts, and `StageName` holds none"), "{}", run.stdout);
    assert_eq!(sandbox.writes("salesforce"), Vec::<String>::new());
    // What cannot be meant is refused before anything runs.
    for (options, said) in [
        (r#"for_every: "customer","#, "`for_every` is for a rule with `calculated`"),
        (r#"for_every: "account", calculated: #{ n: ["count", "*"] }, group_by: ["StageName"],"#, "grouped by `AccountId` alone"),
        (r#"for_every: "account", calculated: #{ n: ["count", "*"] }, rule_for: "person","#, "grouped by `AccountId` alone"),
        (r#"for_every: "everyone", calculated: #{ n: ["count", "*"] },"#, "it can be customer, account, group"),
    ] {
        workspace.write(
            "scripts/script.rhai",
            format!(r#"rule("r", #{{ from: salesforce::object("Opportunity"), show: ["AccountId"], {options} actions: [set_score("X", 1)] }});"#),
        );
        let checked = workspace.tabi("check --json").ended(3);
        assert!(checked.stdout.contains(said), "{said}: {}", checked.stdout);
    }
}
