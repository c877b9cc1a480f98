//! Values on their way into fields: nothing is lost, changed or guessed without a word.

use serde_json::{Value, json};

use crate::support::{Ran, Sandbox, Workspace};

/// What a value is in each family of types; none where it has to be refused.
struct Odd {
    script: &'static str,
    text: Option<&'static str>,
    number: Option<f64>,
    truth: Option<bool>,
    /// RFC 3339, UTC.
    instant: Option<&'static str>,
    day: Option<&'static str>,
}

const fn odd(script: &'static str, text: Option<&'static str>) -> Odd {
    Odd { script, text, number: None, truth: None, instant: None, day: None }
}

const fn number(script: &'static str, text: &'static str, number: f64) -> Odd {
    Odd { number: Some(number), ..odd(script, Some(text)) }
}

const fn moment(script: &'static str, text: &'static str, instant: Option<&'static str>, day: &'static str) -> Odd {
    Odd { instant, day: Some(day), ..odd(script, Some(text)) }
}

const AT: Option<&str> = Some("2026-01-31T10:00:00.000Z");
const MIDNIGHT: Option<&str> = Some("2026-01-31T00:00:00.000Z");

const ODD: &[Odd] = &[
    number("0", "0", 0.0),
    number("-7", "-7", -7.0),
    number("1.5", "1.5", 1.5),
    number("-2.25", "-2.25", -2.25),
    number("\"123456789012345.67\"", "123456789012345.67", 123_456_789_012_345.67),
    number("-98765432101234.56", "-98765432101234.56", -98_765_432_101_234.56),
    odd("9007199254740993", Some("9007199254740993")),
    odd("\"9007199254740993\"", Some("9007199254740993")),
    odd("\"1234567890123456.78\"", Some("1234567890123456.78")),
    number("\" 12 \"", "12", 12.0),
    number("\"1e3\"", "1e3", 1000.0),
    odd("\"1,5\"", Some("1,5")),
    odd("\"1.234,56\"", Some("1.234,56")),
    odd("\"NaN\"", Some("NaN")),
    odd("0.0 / 0.0", None),
    Odd { truth: Some(true), ..odd("true", Some("true")) },
    Odd { truth: Some(false), ..odd("\"FALSE\"", Some("FALSE")) },
    odd("\"yes\"", Some("yes")),
    moment("\"2026-01-31\"", "2026-01-31", MIDNIGHT, "2026-01-31"),
    moment("date(\"2026-01-31\")", "2026-01-31", MIDNIGHT, "2026-01-31"),
    moment("\"2026-01-31 10:00:00\"", "2026-01-31 10:00:00", None, "2026-01-31"),
    moment("\"2026-01-31T10:00:00\"", "2026-01-31T10:00:00", None, "2026-01-31"),
    moment("\"2026-01-31T11:00:00[Europe/Berlin]\"", "2026-01-31T11:00:00[Europe/Berlin]", AT, "2026-01-31"),
    moment("\"2026-01-31T12:00:00+02:00\"", "2026-01-31T12:00:00+02:00", AT, "2026-01-31"),
    moment("\"2026-01-31T10:00:00.000Z\"", "2026-01-31T10:00:00.000Z", AT, "2026-01-31"),
    moment("timestamp(\"2026-01-31T10:00:00Z\")", "2026-01-31T10:00:00Z", AT, "2026-01-31"),
    odd("\"01/31/2026\"", Some("01/31/2026")),
    odd("\"#N/A\"", Some("#N/A")),
    odd("\"null\"", Some("null")),
    odd("\"quote \\\" comma, 'tick'\"", Some("quote \" comma, 'tick'")),
    odd("\"Ärger 😀\"", Some("Ärger 😀")),
    odd("[\"A\", \"B\"]", None),
    odd("#{ a: 1 }", None),
];

/// Blank values follow; they change nothing.
const BLANK: [&str; 3] = ["()", "\"\"", "\"  \""];

#[derive(Clone, Copy)]
enum Family {
    Text,
    Number,
    Truth,
    Instant,
    Day,
}

/// System, its object of the documents, mapping to, key, field as the script names it, field of the documents, family, declared type.
type Place = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str, Family, &'static str);

const PLACES: &[Place] = {
    const SALESFORCE: (&str, &str) = ("salesforce::object(\"Account\")", "Id: \"Id\"");
    const PENDO: (&str, &str) = ("pendo::account_metadata(\"custom\")", "accountId: \"Id\"");
    const GAINSIGHT: (&str, &str) = ("gainsight::object(\"Company\")", "SfdcAccountId: \"Id\"");
    const PX: (&str, &str) = ("px::object(\"accounts\")", "id: \"Id\"");
    &[
        ("salesforce", "Account", SALESFORCE.0, SALESFORCE.1, "Odd_Text__c", "Odd_Text__c", Family::Text, "text(255)"),
        ("salesforce", "Account", SALESFORCE.0, SALESFORCE.1, "Odd_Number__c", "Odd_Number__c", Family::Number, "number(18,2)"),
        ("salesforce", "Account", SALESFORCE.0, SALESFORCE.1, "Odd_Truth__c", "Odd_Truth__c", Family::Truth, "boolean"),
        ("salesforce", "Account", SALESFORCE.0, SALESFORCE.1, "Odd_Instant__c", "Odd_Instant__c", Family::Instant, "datetime"),
        ("salesforce", "Account", SALESFORCE.0, SALESFORCE.1, "Odd_Day__c", "Odd_Day__c", Family::Day, "date"),
        ("pendo", "account", PENDO.0, PENDO.1, "odd_text", "metadata.custom.odd_text", Family::Text, "text(255)"),
        ("pendo", "account", PENDO.0, PENDO.1, "odd_number", "metadata.custom.odd_number", Family::Number, "number(18,2)"),
        ("pendo", "account", PENDO.0, PENDO.1, "odd_truth", "metadata.custom.odd_truth", Family::Truth, "boolean"),
        ("pendo", "account", PENDO.0, PENDO.1, "odd_instant", "metadata.custom.odd_instant", Family::Instant, "datetime"),
        ("gainsight", "Company", GAINSIGHT.0, GAINSIGHT.1, "Summary", "Summary", Family::Text, ""),
        ("gainsight", "Company", GAINSIGHT.0, GAINSIGHT.1, "Arr", "Arr", Family::Number, ""),
        ("gainsight", "Company", GAINSIGHT.0, GAINSIGHT.1, "Auto_Renew__gc", "Auto_Renew__gc", Family::Truth, ""),
        ("gainsight", "Company", GAINSIGHT.0, GAINSIGHT.1, "Kickoff__gc", "Kickoff__gc", Family::Instant, ""),
        ("gainsight", "Company", GAINSIGHT.0, GAINSIGHT.1, "RenewalDate", "RenewalDate", Family::Day, ""),
        ("px", "accounts", PX.0, PX.1, "customAttributes.onboardingStatus", "onboardingStatus", Family::Text, ""),
        ("px", "accounts", PX.0, PX.1, "customAttributes.seats", "seats", Family::Number, ""),
        ("px", "accounts", PX.0, PX.1, "customAttributes.strategic", "strategic", Family::Truth, ""),
        ("px", "accounts", PX.0, PX.1, "customAttributes.kickoffOn", "kickoffOn", Family::Instant, ""),
    ]
};

fn mapping(name: &str, place: &Place) -> String {
    let (_, _, to, key, field, _, _, kind) = place;
    let values: Vec<&str> = ODD.iter().map(|odd| odd.script).chain(BLANK).collect();
    let arms: Vec<String> = values.iter().enumerate().map(|(at, value)| format!("\"{at}\" => {value}")).collect();
    let closure = format!("|row| switch row.Site {{ {}, _ => () }}", arms.join(", "));
    let from = if kind.is_empty() { closure } else { format!("#{{ from: {closure}, type: \"{kind}\" }}") };
    format!(
        r#"mapping("{name}", #{{ from: salesforce::soql("SELECT Id, Site FROM Account WHERE Site != null ORDER BY Id"), to: {to},
               match_on: #{{ {key} }}, fields: #{{ "{field}": {from} }} }});
"#
    )
}

/// Numbers the accounts of companies by their `Site`.
fn numbered(workspace: &Workspace) {
    let most = ODD.len() + BLANK.len();
    workspace.write(
        "number.rhai",
        format!(
            r#"let n = 0;
               for account in salesforce::query("SELECT Id, Site FROM Account ORDER BY Id") {{
                   let site = if n < {most} {{ `${{n}}` }} else {{ () }};
                   salesforce::update("Account", account.Id, #{{ Site: site }});
                   n += 1;
               }}"#
        ),
    );
    workspace.tabi("exec number.rhai").ended(0);
}

fn held(row: &Value, system: &str, field: &str) -> Value {
    match system {
        "px" => row["customAttributes"][field].clone(),
        "pendo" => field.split('.').fold(row.clone(), |value, part| value[part].clone()),
        _ => row[field].clone(),
    }
}

fn millis(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let text = value.as_str()?.replace("+0000", "Z");
        text.parse::<tabi::model::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
    })
}

/// Whether what a record holds is what the value is in that family.
fn same(family: Family, odd: &Odd, held: &Value) -> bool {
    match family {
        Family::Text => held.as_str() == odd.text,
        Family::Number => held.as_f64() == odd.number,
        Family::Truth => held.as_bool() == odd.truth,
        Family::Instant => millis(held) == odd.instant.and_then(|at| millis(&json!(at))),
        Family::Day => held.as_str() == odd.day,
    }
}

fn fits(family: Family, odd: &Odd) -> bool {
    match family {
        Family::Text => odd.text.is_some(),
        Family::Number => odd.number.is_some(),
        Family::Truth => odd.truth.is_some(),
        Family::Instant => odd.instant.is_some(),
        Family::Day => odd.day.is_some(),
    }
}

/// Every odd value into every family of types of every system: kept as it is or rejected with a reason, and the second run writes nothing.
fn odd_values_into(system: &str, toml: &str) {
    let workspace = Workspace::new();
    workspace.write("tabi.toml", toml);
    let places: Vec<(String, &Place)> =
        PLACES.iter().filter(|place| place.0 == system).enumerate().map(|(at, place)| (format!("odd-{at}"), place)).collect();
    let script: String = places.iter().map(|(name, place)| mapping(name, place)).collect();
    workspace.write("scripts/odd.rhai", script);
    let sandbox = Sandbox::start(&workspace, "--accounts 60 --people 60");
    numbered(&workspace);
    let accounts = sandbox.documents("salesforce", "Account");
    let account_of = |at: usize| {
        accounts.iter().find(|account| account["Site"].as_str() == Some(at.to_string().as_str())).unwrap()["Id"].as_str().unwrap().to_owned()
    };
    let first = workspace.tabi("run --json");
    let mut wrong = Vec::new();
    for (name, (_, object, _, key, _, field, family, _)) in &places {
        let rows = sandbox.documents(system, object);
        let (key, rejected) = (key.split(':').next().unwrap(), rejections(&workspace, &first, name));
        let mut expected = 0;
        for (at, odd) in ODD.iter().enumerate() {
            let id = account_of(at);
            let Some(row) = rows.iter().find(|row| row[key] == id.as_str()) else { continue };
            let (held, reason) = (held(row, system, field), rejected.iter().find(|row| row["key"] == id.as_str()));
            let right = match (fits(*family, odd), reason) {
                (true, None) => same(*family, odd, &held),
                (false, Some(reason)) => reason["reason"].as_str().is_some_and(|reason| reason.len() > 10),
                _ => false,
            };
            expected += u64::from(!fits(*family, odd));
            if !right {
                wrong.push(format!("{name} {field} {}: holds {held}, rejected {reason:?}", odd.script));
            }
        }
        for at in ODD.len()..ODD.len() + BLANK.len() {
            let id = account_of(at);
            if let Some(reason) = rejected.iter().find(|row| row["key"] == id.as_str() && rows.iter().any(|row| row[key] == id.as_str())) {
                wrong.push(format!("{name} {field} blank: {reason}"));
            }
        }
        let summary = first.summary(name);
        if summary["status"] != if expected > 0 { "partial" } else { "ok" } {
            wrong.push(format!("{name}: {summary}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "{}", first.stderr);
    sandbox.forget_requests();
    let second = workspace.tabi("run --json");
    for (name, place) in &places {
        let (before, after) = (first.summary(name), second.summary(name));
        assert_eq!((&after["written"], &after["rejected"]), (&json!(0), &before["rejected"]), "{name} {}: {after}", place.5);
    }
    assert_eq!(sandbox.writes(system), Vec::<String>::new());
}

fn rejections(workspace: &Workspace, ran: &Ran, name: &str) -> Vec<Value> {
    let run = ran.summary(name)["run"].clone();
    let run = run.as_str().map_or_else(|| run.to_string(), str::to_owned);
    let shown: Value = serde_json::from_str(&workspace.tabi(&format!("show {run} --json")).stdout).unwrap();
    shown["rows"].as_array().unwrap().clone()
}

#[test]
fn odd_values_into_salesforce() {
    odd_values_into("salesforce", "timezone = \"UTC\"");
}

#[test]
fn odd_values_into_salesforce_by_bulk_jobs() {
    odd_values_into("salesforce", "[salesforce]\nsandbox = true\nbulk_threshold = 1\n");
}

#[test]
fn odd_values_into_pendo() {
    odd_values_into("pendo", "");
}

#[test]
fn odd_values_into_gainsight() {
    odd_values_into("gainsight", "");
}

#[test]
fn odd_values_into_px() {
    odd_values_into("px", "");
}

/// Runs a script's mapping twice; the second run has to write nothing.
fn twice(workspace: &Workspace, name: &str) -> (Value, Value) {
    let first = workspace.tabi(&format!("run {name} --json")).summary(name);
    let second = workspace.tabi(&format!("run {name} --json")).summary(name);
    assert_eq!(second["written"], 0, "{first} {second}");
    (first, second)
}

const FIELDS: &str = r#"
fn add_field(name, meta) {
    meta.label = name;
    salesforce::request("POST", "/services/data/v68.0/tooling/sobjects/CustomField", #{ FullName: "Account." + name, Metadata: meta });
    let sets = salesforce::query("SELECT Id FROM PermissionSet ORDER BY Id LIMIT 1");
    salesforce::request("POST", "/services/data/v68.0/sobjects/FieldPermissions",
        #{ ParentId: sets[0].Id, SobjectType: "Account", Field: "Account." + name, PermissionsRead: true, PermissionsEdit: true });
}
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
    workspace.write("fields.rhai", FIELDS);
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
        format!("{FIELDS}\nadd_field(\"Number__c\", #{{ type: \"Number\", precision: 18, scale: 0, externalId: true, unique: true }});"),
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
