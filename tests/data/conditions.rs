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

#[test]
fn text_is_compared_with_a_number_as_text_and_never_by_size() {
    let workspace = Workspace::new();
    let sandbox = Sandbox::start(&workspace, "--accounts 8 --people 12");
    workspace.write(
        "codes.rhai",
        r#"let codes = ["10", "9", "9.0", "09", "9 of 10", "nine"];
           let n = 0;
           for company in gainsight::query("Company", #{ fields: ["Gsid", "SfdcAccountId"], limit: 6 }) {
               salesforce::update("Account", company.SfdcAccountId, #{ Site: codes[n] });
               gainsight::update("Company", company.Gsid, #{ TickerSymbol: codes[n] });
               px::update("accounts", company.SfdcAccountId, #{ "customAttributes.onboardingStatus": codes[n] });
               n += 1;
           }"#,
    );
    workspace.tabi("exec codes.rhai").ended(0);
    let sources = [
        (r#"salesforce::object("Account")"#, ("Account", "Id"), "Site"),
        (r#"gainsight::object("Company")"#, ("Account", "SfdcAccountId"), "TickerSymbol"),
        ("px::accounts()", ("Account", "id"), "customAttributes.onboardingStatus"),
    ];
    for (source, key, field) in sources {
        let written = sandbox.writes("salesforce");
        for operator in ["<", "<=", ">", ">="] {
            workspace.write("scripts/script.rhai", rule(source, key, &format!(r#"["{field}", "{operator}", 9]"#)));
            let ran = workspace.tabi("run --json").ended(1);
            assert_eq!((&ran.summary("mark")["status"], &ran.summary("mark")["written"]), (&json!("failed"), &json!(0)), "{source}: {}", ran.stdout);
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert!(said.contains(&format!("`{field}`")) && said.contains("the field holds text"), "{source} {operator}: {said}");
            let checked = workspace.tabi("check --online --json").ended(3);
            assert!(checked.lines()[0]["diagnostics"].to_string().contains("the field holds text"), "{source}: {}", checked.stdout);
        }
        assert_eq!(sandbox.writes("salesforce"), written, "{source}");
        // "9" is the text 9; "9.0" and "09" are other texts: in a system's own filter and in ours.
        let read = |filter: &str| {
            workspace.write("scripts/script.rhai", rule(source, key, filter));
            workspace.tabi("plan --json").ended(0).summary("mark")["read"].clone()
        };
        for (filter, wanted) in [
            (format!(r#"["{field}", "=", 9]"#), 1),
            (format!(r#"["{field}", "in", [9, 10]]"#), 2),
            (format!(r#"["{field}", "=", "9"]"#), 1),
            (format!(r#"["{field}", "=", 9.5]"#), 0),
        ] {
            assert_eq!(read(&filter), wanted, "{source} {filter}");
        }
    }
}

#[test]
fn a_date_is_asked_of_custom_attributes_of_px_in_the_form_in_which_px_keeps_them() {
    let workspace = Workspace::new();
    workspace.write("tabi.toml", "timezone = \"Europe/Berlin\"");
    let sandbox = Sandbox::start(&workspace, "--accounts 8 --people 12");
    workspace.write(
        "set.rhai",
        r#"let at = ["2026-03-28T22:59:59Z", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z"];
           let n = 0;
           for account in px::query("accounts", #{ limit: 8 }) {
               let kickoff = if n < 4 { timestamp(at[n]) } else { timestamp("2020-01-01T00:00:00Z") };
               px::update("accounts", account.id, #{ "customAttributes.kickoffOn": kickoff, "customAttributes.onboardingStatus": "2026-03-29" });
               n += 1;
           }"#,
    );
    workspace.tabi("exec set.rhai").ended(0);
    let count = |filter: &str| -> i64 {
        workspace.write("count.rhai", format!(r#"print(px::query("accounts", #{{ filters: #{{ a: {filter} }} }}).len());"#));
        let ran = workspace.tabi("exec count.rhai").ended(0);
        let said = format!("{}\n{}", ran.stdout, ran.stderr);
        said.lines().find_map(|line| line.trim().parse().ok()).unwrap_or_else(|| panic!("{filter}: {said}"))
    };
    let kickoff = |rest: &str| format!(r#"["customAttributes.kickoffOn", {rest}]"#);
    for day in [r#""2026-03-29""#, r#"date("2026-03-29")"#] {
        // The day in the workspace's zone, on which the clocks go forward: 23 hours.
        for (operator, wanted) in [("=", 2), ("<", 5), ("<=", 7), (">", 1), (">=", 3)] {
            assert_eq!(count(&kickoff(&format!(r#""{operator}", {day}"#))), wanted, "{operator} {day}");
        }
        assert_eq!(count(&kickoff(&format!(r#""in", [{day}]"#))), 2, "{day}");
        // A text that looks like a day is text.
        assert_eq!(count(&format!(r#"["customAttributes.onboardingStatus", "=", {day}]"#)), 8, "{day}");
    }
    assert_eq!(count(&kickoff(r#""=", timestamp("2026-03-28T23:00:00Z")"#)), 1);
    workspace.write("soon.rhai", r#"print(px::query("accounts", #{ filters: #{ a: ["customAttributes.kickoffOn", ">", "soon"] } }).len());"#);
    let refused = workspace.tabi("exec soon.rhai");
    assert!(refused.code != Some(0) && refused.stderr.contains("`soon` is no date"), "{refused:?}");
    assert!(!sandbox.documents("px", "accounts").is_empty());
}
