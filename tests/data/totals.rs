//! Aggregates: what is added, compared and counted, and what is refused instead.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::{Ran, Sandbox, Workspace};

/// A rule that groups accounts by industry and would load what it calculates into accounts, by `Site`.
fn rule(from: &str, calculated: &str, fields: &str) -> String {
    format!(
        r#"rule("totals", #{{ rule_for: "account", from: {from}, show: ["Industry"], group_by: ["Industry"], calculated: #{{ {calculated} }},
            actions: [load_to_sfdc(#{{ object: "Account", operation: "upsert", identifiers: ["Site"], fields: #{{ Site: "Industry", Name: "Industry", {fields} }} }})] }});"#
    )
}

const ACCOUNTS: &str = r#"salesforce::object("Account")"#;

/// What a plan would write, by key.
fn planned(ran: &Ran) -> BTreeMap<String, Value> {
    let line = |line: Value| (line["key"].as_str().unwrap().to_owned(), line["fields"].clone());
    ran.of_type("change").into_iter().map(line).collect()
}

/// Accounts by industry.
fn groups(sandbox: &Sandbox) -> BTreeMap<String, Vec<Value>> {
    let mut groups: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for account in sandbox.documents("salesforce", "Account") {
        groups.entry(account["Industry"].as_str().unwrap_or_default().to_owned()).or_default().push(account);
    }
    groups.remove("");
    groups
}

#[test]
fn numbers_are_added_and_everything_is_counted_and_compared_by_its_type() {
    let calculated = r#"staff: ["sum", "NumberOfEmployees"], rows: ["count", "*"], names: ["count_distinct", "Name"], last_name: ["max", "Name"],
        newest: ["max", "CreatedDate"]"#;
    let fields = r#"NumberOfEmployees: "staff", AccountNumber: |row| `${row.rows} ${row.names} ${row.newest}`, Description: "last_name""#;
    let workspace = Workspace::with_script(&rule(ACCOUNTS, calculated, fields));
    let sandbox = Sandbox::start(&workspace, "--accounts 20 --people 20");
    let ran = workspace.tabi("plan --json").ended(0);
    let summary = ran.summary("totals");
    assert_eq!((&summary["read"], &summary["rejected"]), (&20.into(), &0.into()), "{}", ran.stdout);
    let planned = planned(&ran);
    let groups = groups(&sandbox);
    assert!(groups.len() > 2, "{groups:?}");
    for (industry, accounts) in groups {
        let staff: i64 = accounts.iter().filter_map(|account| account["NumberOfEmployees"].as_i64()).sum();
        let names: BTreeSet<&str> = accounts.iter().filter_map(|account| account["Name"].as_str()).collect();
        let newest =
            accounts.iter().map(|account| account["CreatedDate"].as_str().unwrap().replace("+0000", "Z").parse::<jiff::Timestamp>().unwrap());
        let told = &planned[&industry];
        assert_eq!(told["NumberOfEmployees"]["to"], json!(staff), "{industry}");
        assert_eq!(told["Description"]["to"], json!(names.last().unwrap()), "{industry}");
        let all = format!("{} {} {}", accounts.len(), names.len(), newest.max().unwrap());
        assert_eq!(told["AccountNumber"]["to"], json!(all), "{industry}");
    }
}

/// Where the type of a field is known, a total that cannot be is an error before any row is read.
#[test]
fn a_sum_of_texts_or_truth_values_is_refused_whole() {
    let refused = [
        (r#"total: ["sum", "Name"]"#, "`sum` adds numbers, and `Name` is a field of type text"),
        (r#"total: ["avg", "IsDeleted"]"#, "`avg` adds numbers, and `IsDeleted` is a field of type boolean"),
        (r#"total: ["max", "IsDeleted"]"#, "`max` is of numbers, dates and texts, and `IsDeleted` is a field of type boolean"),
        (r#"total: ["sum", "CreatedDate"]"#, "`sum` adds numbers, and `CreatedDate` is a field of type datetime"),
    ];
    let workspace = Workspace::new();
    let sandbox = Sandbox::start(&workspace, "--accounts 10 --people 10");
    for (calculated, reason) in refused {
        workspace.write("scripts/script.rhai", rule(ACCOUNTS, calculated, r#"NumberOfEmployees: "total""#));
        let ran = workspace.tabi("run --json").ended(1);
        let summary = ran.summary("totals");
        assert_eq!((&summary["status"], &summary["read"], &summary["written"]), (&"failed".into(), &0.into(), &0.into()), "{summary}");
        assert!(format!("{}{}", ran.stdout, ran.stderr).contains(reason), "{reason}: {} {}", ran.stdout, ran.stderr);
        // By now the fields are known without a connection.
        let check: Value = serde_json::from_str(&workspace.tabi("check --json").ended(3).stdout).unwrap();
        let found: Vec<&str> = check["diagnostics"].as_array().unwrap().iter().filter_map(|found| found["message"].as_str()).collect();
        assert_eq!(found, [reason]);
    }
    assert_eq!(sandbox.writes("salesforce"), Vec::<String>::new());
}

/// Where it is not known, the group whose row does not go into the total is rejected with that value, and the others are written.
#[test]
fn a_group_with_a_value_that_is_no_number_is_rejected_with_it() {
    let rows = r#"salesforce::soql("SELECT Id, Industry, Name, NumberOfEmployees FROM Account ORDER BY Id")"#;
    let workspace = Workspace::new();
    let sandbox = Sandbox::start(&workspace, "--accounts 20 --people 20");
    let groups = groups(&sandbox);
    workspace.write("scripts/script.rhai", rule(rows, r#"total: ["sum", "Name"]"#, r#"NumberOfEmployees: "total""#));
    let ran = workspace.tabi("plan --json");
    let rejected = ran.of_type("rejected");
    let keys: BTreeSet<&str> = rejected.iter().map(|line| line["key"].as_str().unwrap()).collect();
    assert_eq!(keys, groups.keys().map(String::as_str).collect(), "{}", ran.stdout);
    for line in &rejected {
        assert_eq!((&line["field"], &line["reason"]), (&"Name".into(), &"`sum` adds numbers, and this is a text".into()), "{line}");
        let names: Vec<&Value> = groups[line["key"].as_str().unwrap()].iter().map(|account| &account["Name"]).collect();
        assert!(names.contains(&&line["value"]), "{line}");
    }
    assert_eq!(planned(&ran), BTreeMap::new());
    // A field that no row has is not worth 0.
    workspace.write("scripts/script.rhai", rule(rows, r#"total: ["sum", "NumberOfEmployes"]"#, r#"NumberOfEmployees: "total""#));
    let ran = workspace.tabi("run --json").ended(1);
    let summary = ran.summary("totals");
    assert_eq!((&summary["status"], &summary["written"]), (&"failed".into(), &0.into()), "{summary}");
    assert!(
        format!("{}{}", ran.stdout, ran.stderr).contains("no row of the source has the field `NumberOfEmployes`"),
        "{} {}",
        ran.stdout,
        ran.stderr
    );
    assert_eq!(sandbox.writes("salesforce"), Vec::<String>::new());
}

/// A window without rows gives 0 where something is counted or added, and nothing where there is nothing to compare.
#[test]
fn a_window_without_rows_is_no_number() {
    let window = |function: &str| format!(r#"{function}: ["{function}", "NumberOfEmployees", "CreatedDate", 1]"#);
    let calculated = ["sum", "count", "avg", "min", "max"].map(window).join(", ");
    let fields = "AccountNumber: |row| `${row.sum} ${row.count} ${row.avg == ()} ${row.min == ()} ${row.max == ()}`";
    let workspace = Workspace::with_script(&rule(ACCOUNTS, &calculated, fields));
    let _sandbox = Sandbox::start(&workspace, "--accounts 10 --people 10");
    let planned = planned(&workspace.tabi("plan --json --date 1999-01-01").ended(0));
    assert!(!planned.is_empty());
    for (industry, fields) in planned {
        assert_eq!(fields["AccountNumber"]["to"], json!("0 0 true true true"), "{industry}");
    }
}

/// What is left of a division by zero is never written, not even as text, and the place is told.
#[test]
fn a_division_by_zero_rejects_the_row_with_its_place() {
    let workspace = Workspace::with_script(
        r#"mapping("ratio", #{ from: salesforce::object("Account"), to: salesforce::object("Account"), match_on: #{ Id: "Id" },
            fields: #{ Site: |row| row.NumberOfEmployees / 0.0 } });"#,
    );
    let sandbox = Sandbox::start(&workspace, "--accounts 10 --people 10");
    let ran = workspace.tabi("run --json");
    let summary = ran.summary("ratio");
    assert_eq!((&summary["status"], &summary["rejected"], &summary["written"]), (&"partial".into(), &10.into(), &0.into()), "{summary}");
    let shown: Value = serde_json::from_str(&workspace.tabi(&format!("show --json {}", summary["run"].as_str().unwrap())).ended(0).stdout).unwrap();
    for row in shown["rows"].as_array().unwrap() {
        let reason = row["reason"].as_str().unwrap();
        assert!(reason.contains("Division by zero"), "{row}");
        assert_eq!(row["field"], "Site", "{row}");
    }
    assert_eq!(sandbox.writes("salesforce"), Vec::<String>::new());
}
