//! A source's own filter is obeyed by every declaration that reads it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Sandbox, Workspace};

/// Whether a document of the sandbox passes, found out without the program.
type Passes<'a> = &'a dyn Fn(&Value) -> bool;

/// Ids of the accounts that hold `value` in `Site`.
fn sites(sandbox: &Sandbox, value: &str) -> BTreeSet<String> {
    let accounts = sandbox.documents("salesforce", "Account");
    accounts.iter().filter(|account| account["Site"] == value).map(|account| account["Id"].as_str().unwrap().to_owned()).collect()
}

fn accounts(sandbox: &Sandbox, passes: impl Fn(&Value) -> bool) -> BTreeSet<String> {
    let accounts = sandbox.documents("salesforce", "Account");
    accounts.iter().filter(|account| passes(account)).map(|account| account["Id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_rule_reads_what_passes_the_filter_of_its_source_and_its_own() {
    let rule = |name: &str, from: &str, filters: &str| {
        format!(
            r#"rule("{name}", #{{ rule_for: "account", from: salesforce::object("Account"){from}, {filters}
                actions: [load_to_sfdc(#{{ object: "Account", fields: #{{ Id: "Id", Site: constant("{name}") }} }})] }});"#
        )
    };
    let (own, other) = (r#".filter(#{ a: ["Industry", "=", "Technology"] })"#, r#"filters: #{ a: ["NumberOfEmployees", ">", 200] },"#);
    let workspace = Workspace::new();
    let sandbox = Sandbox::start(&workspace, "--accounts 40 --people 40");
    let technology = |account: &Value| account["Industry"] == "Technology";
    let large = |account: &Value| account["NumberOfEmployees"].as_i64().is_some_and(|n| n > 200);
    let cases: [(&str, &str, &str, Passes<'_>); 4] = [
        ("source", own, "", &technology),
        ("where", r#".where(#{ Industry: "Technology" })"#, "", &technology),
        ("rule", "", other, &large),
        ("both", own, other, &|account| technology(account) && large(account)),
    ];
    for (name, from, filters, passes) in cases {
        workspace.write("scripts/script.rhai", rule(name, from, filters));
        let expected = accounts(&sandbox, passes);
        assert!(!expected.is_empty() && expected.len() < 40, "{name}: {expected:?}");
        let summary = workspace.tabi("run --json").ended(0).summary(name);
        assert_eq!((&summary["status"], &summary["read"], &summary["rejected"]), (&"ok".into(), &expected.len().into(), &0.into()), "{summary}");
        assert_eq!(sites(&sandbox, name), expected, "{name}");
    }
}
