//! Values on their way into fields: nothing is lost, changed or guessed without a word.

use serde_json::{Value, json};

use crate::support::{Ran, Sandbox, Workspace};

pub(super) fn rejections(workspace: &Workspace, ran: &Ran, name: &str) -> Vec<Value> {
    let run = ran.summary(name)["run"].clone();
    let run = run.as_str().map_or_else(|| run.to_string(), str::to_owned);
    let shown: Value = serde_json::from_str(&workspace.tabi(&format!("show {run} --json")).stdout).unwrap();
    shown["rows"].as_array().unwrap().clone()
}

/// Runs a script's mapping twice; the second run has to write nothing.
fn twice(workspace: &Workspace, name: &str) -> (Value, Value) {
    let first = workspace.tabi(&format!("run {name} --json")).summary(name);
    let second = workspace.tabi(&format!("run {name} --json")).summary(name);
    assert_eq!(second["written"], 0, "{first} {second}");
    (first, second)
}

/// A function of scripts that makes a custom field of accounts.
pub(super) const ADD_FIELD: &str = r#"
fn add_field(name, meta) {
    meta.label = name;
    salesforce::request("POST", "/services/data/v68.0/tooling/sobjects/CustomField", #{ FullName: "Account." + name, Metadata: meta });
    let sets = salesforce::query("SELECT Id FROM PermissionSet ORDER BY Id LIMIT 1");
    salesforce::request("POST", "/services/data/v68.0/sobjects/FieldPermissions",
        #{ ParentId: sets[0].Id, SobjectType: "Account", Field: "Account." + name, PermissionsRead: true, PermissionsEdit: true });
}
"#;

const FIELDS: &str = r#"
fn choices(restricted) {
    let choice = |name, label| #{ fullName: name, label: label, "default": false };
    #{ restricted: restricted, valueSetDefinition: #{ sorted: false, value: [choice.call("CORE", "Core product"), choice.call("Surveys", "Surveys")] } }
}
add_field("Multi__c", #{ type: "MultiselectPicklist", visibleLines: 4, valueSet: choices(false) });
add_field("Choice__c", #{ type: "Picklist", valueSet: choices(true) });
add_field("Flag__c", #{ type: "Checkbox", defaultValue: "false" });
add_field("At__c", #{ type: "Time" });
"#;

#[test]
fn what_salesforce_stores_in_another_form_is_written_once() {
    let one = |name: &str, field: &str, value: &str, more: &str| {
        format!(
            r#"mapping("{name}", #{{ from: salesforce::soql("SELECT Id FROM Account ORDER BY Id LIMIT 1"), to: salesforce::object("Account"),
                   match_on: "Id", fields: #{{ {field}: |row| {value} }}, overrides: "first"{more} }});
"#
        )
    };
    let cases = [
        ("case", "Multi__c", "\"surveys;core\"", json!("CORE;Surveys")),
        ("trailing", "Multi__c", "\"Surveys;\"", json!("Surveys")),
        ("list", "Multi__c", "[\"Surveys\", \"Core product\", \"core\"]", json!("CORE;Surveys")),
        ("new-choices", "Multi__c", "\"zebra;Surveys;ape\"", json!("Surveys;ape;zebra")),
        ("label", "Choice__c", "\"core PRODUCT\"", json!("CORE")),
        ("value", "Choice__c", "\"surveys\"", json!("Surveys")),
        ("time", "At__c", "\"10:30\"", json!("10:30:00.000Z")),
        ("seconds", "At__c", "\"10:30:15.5Z\"", json!("10:30:15.500Z")),
        ("truth", "Flag__c", "\"TRUE\"", json!(true)),
    ];
    let workspace = Workspace::new();
    let emptied = [("no-list", "Multi__c", "[]"), ("no-choice", "Choice__c", "\" \""), ("no-flag", "Flag__c", "()"), ("no-time", "At__c", "\"\"")];
    for (name, field, value, _) in &cases {
        workspace.write(&format!("scripts/{name}.rhai"), one(name, field, value, "").replace(", overrides: \"first\"", ""));
        workspace.write(&format!("{name}.txt"), "");
    }
    let sandbox = Sandbox::start(&workspace, "--accounts 3 --people 5");
    workspace.write("fields.rhai", format!("{ADD_FIELD}{FIELDS}"));
    workspace.tabi("exec fields.rhai").ended(0);
    let first_account = |field: &str| {
        let mut accounts = sandbox.documents("salesforce", "Account");
        accounts.sort_by(|a, b| a["Id"].as_str().cmp(&b["Id"].as_str()));
        accounts[0][field].clone()
    };
    for (name, field, value, wanted) in &cases {
        // One script at a time: they write the same fields.
        for (other, ..) in &cases {
            let _ = std::fs::remove_file(workspace.path().join(format!("scripts/{other}.rhai")));
        }
        workspace.write("scripts/one.rhai", one(name, field, value, "").replace(", overrides: \"first\"", ""));
        let (first, _) = twice(&workspace, name);
        assert_eq!((&first["status"], &first["written"], &first_account(field)), (&json!("ok"), &json!(1), wanted), "{name}: {first}");
    }
    for (name, field, value) in emptied {
        workspace.write("scripts/one.rhai", one(name, field, value, ", blank: \"clear\"").replace(", overrides: \"first\"", ""));
        let (first, _) = twice(&workspace, name);
        assert_eq!((&first["status"], &first["written"]), (&json!("ok"), &json!(1)), "{name}: {first}");
        assert!(matches!(first_account(field), Value::Null | Value::Bool(false)), "{name}: {}", first_account(field));
    }
    for (name, field, value) in
        [("no-such-choice", "Choice__c", "\"Kernel\""), ("no-hour", "At__c", "\"25:00\""), ("zoned", "At__c", "\"10:30+02:00\"")]
    {
        workspace.write("scripts/one.rhai", one(name, field, value, "").replace(", overrides: \"first\"", ""));
        let before = first_account(field);
        let summary = workspace.tabi(&format!("run {name} --json")).ended(1).summary(name);
        assert_eq!((&summary["status"], &summary["rejected"]), (&json!("partial"), &json!(1)), "{name}: {summary}");
        assert_eq!(first_account(field), before);
    }
    // A real org refuses a checkbox that is nothing.
    workspace.write(
        "clear.rhai",
        r#"let id = salesforce::query("SELECT Id FROM Account ORDER BY Id LIMIT 1")[0].Id;
           try { salesforce::update("Account", id, #{ Flag__c: () }); print("written"); } catch (e) { print(e.message); }"#,
    );
    let refused = workspace.tabi("exec clear.rhai").ended(0);
    assert!(refused.stdout.contains("value not of required type"), "{}{}", refused.stdout, refused.stderr);
}

#[test]
fn dropdowns_of_gainsight_are_named_by_labels_and_written_as_ids() {
    let script = |fields: &str, more: &str| {
        format!(
            r#"mapping("choose", #{{ from: gainsight::object("Company").filter(#{{ a: ["Stage", "=", "aDOPTION"] }}), to: gainsight::object("Company"),
                   match_on: "Gsid", fields: #{{ {fields} }}{more} }});"#
        )
    };
    let workspace = Workspace::with_script(&script("Status: |c| \"churn\", Tags: |c| [\"partner\", \"Beta\"]", ""));
    let sandbox = Sandbox::start(&workspace, "--accounts 30 --people 40");
    let options = sandbox.documents("gainsight", "da_picklist");
    let id = |category: &str, label: &str| {
        let option = options.iter().find(|option| option["Category"] == category && option["Name"] == label);
        option.unwrap_or_else(|| panic!("{label} in {options:?}"))["Gsid"].as_str().unwrap().to_owned()
    };
    let onboarding = id("COMPANY_STAGE", "Adoption");
    let chosen = |sandbox: &Sandbox| -> Vec<Value> {
        sandbox.documents("gainsight", "Company").into_iter().filter(|company| company["Stage"] == onboarding.as_str()).collect()
    };
    let count = chosen(&sandbox).len();
    assert!(count > 0);
    let (first, _) = twice(&workspace, "choose");
    assert_eq!((&first["status"], &first["read"], &first["written"]), (&json!("ok"), &json!(count), &json!(count)), "{first}");
    let tags = format!("{};{}", id("COMPANY_TAGS", "Beta"), id("COMPANY_TAGS", "Partner"));
    for company in chosen(&sandbox) {
        assert_eq!((&company["Status"], &company["Tags"]), (&json!(id("COMPANY_STATUS", "Churn")), &json!(tags)));
    }
    // By the id as well, and read by the label: nothing is left to write.
    workspace.write("scripts/script.rhai", script(&format!("Status: |c| \"{}\", Tags: \"Tags\"", id("COMPANY_STATUS", "Churn")), ""));
    assert_eq!(workspace.tabi("run --json").ended(0).summary("choose")["written"], 0);
    // What is no option is rejected, and nothing is written.
    workspace.write("scripts/script.rhai", script("Status: |c| \"Churned\"", ""));
    let summary = workspace.tabi("run --json").ended(1).summary("choose");
    assert_eq!((&summary["status"], &summary["written"], &summary["rejected"]), (&json!("partial"), &json!(0), &json!(count)), "{summary}");
    workspace.write("scripts/script.rhai", script("Tags: |c| ()", ", blank: \"clear\""));
    let (first, _) = twice(&workspace, "choose");
    assert_eq!((&first["status"], &first["written"]), (&json!("ok"), &json!(count)), "{first}");
    assert!(chosen(&sandbox).iter().all(|company| company["Tags"].is_null()));
    // The primitives, too.
    workspace.write(
        "update.rhai",
        r#"let company = gainsight::query("Company", #{ fields: ["Gsid", "Stage"], filters: #{ a: ["Stage", "=", "Adoption"] }, limit: 1 })[0];
           gainsight::update("Company", company.Gsid, #{ Status: "Active" });
           print(gainsight::query("Company", #{ fields: ["Status"], filters: #{ a: ["Gsid", "=", company.Gsid] } })[0].Status);
           try { gainsight::update("Company", company.Gsid, #{ Status: "Nonsense" }); print("written"); } catch (e) { print(e.message); }"#,
    );
    let ran = workspace.tabi("exec update.rhai").ended(0);
    assert!(ran.stdout.contains("Active") && ran.stdout.contains("`Nonsense` is no option"), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn a_number_that_cannot_be_held_is_no_key_of_another_record() {
    let workspace = Workspace::with_script(
        r#"mapping("big", #{ from: salesforce::soql("SELECT Id, Department FROM Contact WHERE Department LIKE '9007%'"),
               to: salesforce::object("Account"), match_on: #{ Number__c: "Department" }, fields: #{ Site: "Department" } });"#,
    );
    workspace.write(
        "fields.rhai",
        format!("{ADD_FIELD}{FIELDS}\nadd_field(\"Number__c\", #{{ type: \"Number\", precision: 18, scale: 0, externalId: true, unique: true }});"),
    );
    let sandbox = Sandbox::start(&workspace, "--accounts 5 --people 10");
    workspace.tabi("exec fields.rhai").ended(0);
    workspace.write(
        "set.rhai",
        r#"salesforce::update("Account", salesforce::query("SELECT Id FROM Account ORDER BY Id LIMIT 1")[0].Id, #{ Number__c: 9007199254740992 });
           salesforce::update("Contact", salesforce::query("SELECT Id FROM Contact ORDER BY Id LIMIT 1")[0].Id, #{ Department: "9007199254740993" });"#,
    );
    workspace.tabi("exec set.rhai").ended(0);
    let ran = workspace.tabi("run --json").ended(1);
    let summary = ran.summary("big");
    assert_eq!((&summary["status"], &summary["written"], &summary["rejected"]), (&json!("partial"), &json!(0), &json!(1)), "{summary}");
    let rows = rejections(&workspace, &ran, "big");
    assert!(rows[0]["reason"].as_str().unwrap().contains("has more digits than the field can hold exactly"), "{rows:?}");
    assert!(sandbox.documents("salesforce", "Account").iter().all(|account| account["Site"] != "9007199254740993"));
}

#[test]
fn a_time_without_a_zone_keeps_its_time_in_scripts() {
    let workspace = Workspace::new();
    workspace.write(
        "times.rhai",
        r#"for text in ["2026-03-29T14:45:00", "2026-03-29 14:45", "2026-03-29T16:45[Europe/Berlin]", "2026-03-29T14:45:00Z"] { print(timestamp(text)); }
           let read = |row| timestamp(row.at);
           print(read.call(#{ at: "2026-03-29 14:45" }));
           for text in ["1.234,56", "1.234.567", "12,5", "12 of 20"] { print(fields::number(text) == ()); }
           print(fields::number("(1,234)"));
           try { timestamp("2026-03-29T14:45:00+05:00[Europe/Berlin]"); print("read"); } catch { print("refused"); }
           try { math::round(9007199254740993, 1); print("rounded"); } catch { print("refused"); }
           print(math::round(9007199254740993));"#,
    );
    let ran = workspace.tabi("exec times.rhai --sandbox").ended(0);
    let at = "2026-03-29T14:45:00Z";
    let wanted = [at, at, at, at, at, "true", "true", "true", "true", "-1234.0", "refused", "refused", "9007199254740993"];
    let printed: Vec<&str> = ran.stdout.lines().chain(ran.stderr.lines()).map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(printed[..wanted.len()], wanted, "{}\n{}", ran.stdout, ran.stderr);
}

#[test]
fn text_is_compared_without_case_wherever_the_filter_is_looked_at() {
    let workspace = Workspace::new();
    workspace.write(
        "count.rhai",
        r#"for text in ["Technology", "technology", "TECHNOLOGY"] {
               let filters = #{ a: ["Industry", "=", text] };
               let by_salesforce = salesforce::query("SELECT Id FROM Account WHERE Industry = '" + text + "'").len();
               let by_gainsight = gainsight::query("Company", #{ fields: ["Gsid"], filters: filters }).len();
               let by_px = px::query("accounts", #{ filters: #{ a: ["industry", "=", text] } }).len();
               print(`${by_salesforce} ${by_gainsight} ${by_px}`);
           }"#,
    );
    let ran = workspace.tabi("exec count.rhai --sandbox").ended(0);
    let counts: Vec<&str> = ran.stdout.lines().chain(ran.stderr.lines()).map(str::trim).filter(|line| line.split(' ').count() == 3).collect();
    assert_eq!(counts.len(), 3, "{}{}", ran.stdout, ran.stderr);
    assert!(counts[0].split(' ').all(|count| count != "0"), "{counts:?}");
    assert!(counts.iter().all(|line| *line == counts[0]), "{counts:?}");
}

#[test]
fn numbers_of_px_are_emptied_once() {
    let workspace = Workspace::with_script(
        r#"mapping("set", #{ from: salesforce::soql("SELECT Id FROM Account ORDER BY Id LIMIT 2"), to: px::object("accounts"), match_on: #{ id: "Id" },
               fields: #{ numberOfEmployees: |row| 7, "customAttributes.seats": |row| 7, "customAttributes.strategic": |row| true } });"#,
    );
    let sandbox = Sandbox::start(&workspace, "--accounts 3 --people 5");
    let (first, _) = twice(&workspace, "set");
    assert_eq!((&first["status"], &first["written"]), (&json!("ok"), &json!(2)), "{first}");
    workspace.write(
        "scripts/script.rhai",
        r#"mapping("clear", #{ from: salesforce::soql("SELECT Id FROM Account ORDER BY Id LIMIT 2"), to: px::object("accounts"), match_on: #{ id: "Id" },
               fields: #{ numberOfEmployees: |row| (), "customAttributes.seats": |row| "", "customAttributes.strategic": |row| () }, blank: "clear" });"#,
    );
    let (first, _) = twice(&workspace, "clear");
    assert_eq!((&first["status"], &first["written"]), (&json!("ok"), &json!(2)), "{first}");
    let cleared = sandbox.documents("px", "accounts").into_iter().filter(|account| account["numberOfEmployees"].as_f64() == Some(0.0));
    assert!(cleared.filter(|account| account["customAttributes"]["seats"].is_null()).count() >= 2);
}
