//! Conditions that could never hold, in every system: they are refused, not answered with nothing.

use serde_json::{Value, json};

use crate::support::{Sandbox, Workspace};

/// A rule that marks the contacts or accounts of a source, and a condition of it.
fn rule(source: &str, key: (&str, &str), filter: &str) -> String {
    let (object, field) = key;
    let target = if object == "Account" { "Id" } else { "Email" };
    format!(
        r#"rule("mark", #{{ rule_for: "person", from: {source}.filter(#{{ a: {filter} }}), show: ["*"],
            actions: [load_to_sfdc(#{{ object: "{object}", operation: "update", identifiers: ["{target}"],
                fields: #{{ {target}: "{field}", Description: constant("seen") }} }})] }});"#
    )
}

#[test]
fn text_that_is_no_number_is_refused_where_it_is_compared_with_one() {
    let workspace = Workspace::new();
    let sandbox = Sandbox::start(&workspace, "--accounts 8 --people 12");
    let account = ("Account", "accountId");
    let sources = [
        (r#"salesforce::object("Account")"#, ("Account", "Id"), "NumberOfEmployees", true),
        (r#"salesforce::soql("SELECT Id, NumberOfEmployees FROM Account")"#, ("Account", "Id"), "NumberOfEmployees", false),
        (r#"gainsight::object("Company")"#, ("Account", "SfdcAccountId"), "CurrentScore", true),
        ("pendo::accounts()", account, "metadata.custom.arr", true),
        (r#"pendo::account_report(#{ columns: ["events"] })"#, account, "events", true),
        (r#"pendo::report("Account usage, last 30 days")"#, account, "numEvents", false),
        ("px::users()", ("Contact", "email"), "numberOfVisits", true),
    ];
    for (source, key, field, typed) in sources {
        let written = sandbox.writes("salesforce");
        for operator in [">", "<=", "=", "!="] {
            workspace.write("scripts/script.rhai", rule(source, key, &format!(r#"["{field}", "{operator}", "many"]"#)));
            let ran = workspace.tabi("run --json").ended(1);
            let summary = ran.summary("mark");
            assert_eq!((&summary["status"], &summary["written"]), (&json!("failed"), &json!(0)), "{source}: {}", ran.stdout);
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert!(said.contains(&format!("`{field}`")) && said.contains("`many` is no number"), "{source} {operator}: {said}");
        }
        if typed {
            let checked = workspace.tabi("check --online --json").ended(3);
            let told = checked.lines()[0]["diagnostics"].to_string();
            assert!(told.contains("`many` is no number") && told.contains(field), "{source}: {told}");
        }
        assert_eq!(sandbox.writes("salesforce"), written, "{source}");
        // A number in quotes is one.
        workspace.write("scripts/script.rhai", rule(source, key, &format!(r#"["{field}", ">=", "0"]"#)));
        let summary = workspace.tabi("run --json").ended(0).summary("mark");
        assert_eq!(summary["status"], "ok", "{source}: {summary}");
    }
}

#[test]
fn a_choice_is_asked_for_by_its_value_its_label_or_its_id() {
    let workspace = Workspace::new();
    let sandbox = Sandbox::start(&workspace, "--accounts 20 --people 20");
    let stage = r#"gainsight::object("Company")"#;
    let options = sandbox.documents("gainsight", "da_picklist");
    let option = options.iter().find(|one| one["Category"] == "COMPANY_STAGE" && one["Name"] == "Adoption").unwrap();
    let id = option["Gsid"].as_str().unwrap();
    let read = |filter: &str| -> Value {
        workspace.write("scripts/script.rhai", rule(stage, ("Account", "SfdcAccountId"), filter));
        workspace.tabi("plan --json").ended(0).summary("mark")["read"].clone()
    };
    let by_label = read(r#"["Stage", "=", "Adoption"]"#);
    assert!(by_label.as_u64() > Some(0), "{by_label}");
    assert_eq!(read(&format!(r#"["Stage", "=", "{id}"]"#)), by_label, "by its id");
    assert_eq!(read(r#"["Stage", "in", ["adoption"]]"#), by_label);
    workspace.write("scripts/script.rhai", rule(stage, ("Account", "SfdcAccountId"), r#"["Stage", "=", "Adopted"]"#));
    let ran = workspace.tabi("run --json").ended(1);
    assert_eq!((&ran.summary("mark")["status"], &ran.summary("mark")["written"]), (&json!("failed"), &json!(0)));
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("`Adopted` is not one of the field's values") && said.contains("scripts/script.rhai:1"), "{said}");
    assert_eq!(sandbox.writes("salesforce"), Vec::<String>::new());
}

#[test]
fn a_segment_is_not_emptied_by_a_condition_that_cannot_hold() {
    let segment = |value: &str| format!(r#"pendo::segment("Large", #{{ filters: #{{ a: ["metadata.custom.arr", ">", {value}] }} }});"#);
    let workspace = Workspace::with_script(&segment("0"));
    let sandbox = Sandbox::start(&workspace, "--accounts 6 --people 12");
    let made = workspace.tabi("run --json").ended(0).summary("Large");
    assert!(made["written"].as_u64() > Some(0), "{made}");
    sandbox.forget_requests();
    workspace.write("scripts/script.rhai", segment("\"many\""));
    let ran = workspace.tabi("run --json").ended(1);
    assert_eq!((&ran.summary("Large")["status"], &ran.summary("Large")["written"]), (&json!("failed"), &json!(0)), "{}", ran.stdout);
    assert!(format!("{}{}", ran.stdout, ran.stderr).contains("`many` is no number"), "{}", ran.stderr);
    assert_eq!(sandbox.writes("pendo"), Vec::<String>::new(), "nobody left the segment");
}
