//! The day is the workspace's: what belongs to a rule date, to a day in a condition and to a day in a script is one question with one answer.

use std::{collections::BTreeMap, fmt::Write as _};

use jiff::{
    ToSpan as _,
    civil::{Date, date},
    tz::TimeZone,
};
use serde_json::Value;

use crate::support::{Sandbox, Workspace};

/// Adds fields to Salesforce accounts, readable and writable by everybody.
const ADD_FIELDS: &str = r#"
fn add_field(name, kind) {
    salesforce::request("POST", "/services/data/v68.0/tooling/sobjects/CustomField", #{ FullName: "Account." + name, Metadata: #{ label: name, type: kind } });
    let sets = salesforce::query("SELECT Id FROM PermissionSet ORDER BY Id LIMIT 1");
    salesforce::request("POST", "/services/data/v68.0/sobjects/FieldPermissions", #{ ParentId: sets[0].Id, SobjectType: "Account", Field: "Account." + name, PermissionsRead: true, PermissionsEdit: true });
}
"#;

fn in_zone(script: &str, zone: &str) -> Workspace {
    let workspace = Workspace::with_script(script);
    workspace.write("tabi.toml", format!("timezone = \"{zone}\"\n"));
    workspace
}

/// The first and the last second of ten days around a change of clocks, and the day of each.
fn edges(zone: &str, change: Date) -> Vec<(String, Date)> {
    let zone = TimeZone::get(zone).unwrap();
    let days = change.saturating_sub(5.days()).series(1.day()).take(10);
    let both = days.flat_map(|day| [day.at(0, 0, 0, 0), day.at(23, 59, 59, 0)]);
    both.map(|time| {
        let at = time.to_zoned(zone.clone()).unwrap();
        (at.timestamp().to_string(), at.date())
    })
    .collect()
}

/// Every account belongs to exactly one rule date: the day of its date and time in the workspace's zone.
fn rule_dates_part_the_accounts(zone: &str, change: Date) {
    let workspace = in_zone(
        r#"rule("day", #{ rule_for: "account", from: salesforce::object("Account"), show: ["Id", "When__c"],
            filters: #{ a: ["When__c", ">=", rule_date()], b: ["When__c", "<", rule_date() + days(1)], c: ["When__c", "=", rule_date()], logic: "a AND b AND c" },
            actions: [load_to_sfdc(#{ object: "Account", fields: #{ Id: "Id", Day__c: rule_date(), Own__c: "When__c" } })] });"#,
        zone,
    );
    let sandbox = Sandbox::start(&workspace, "--accounts 20 --people 20");
    let edges = edges(zone, change);
    let mut setup = ADD_FIELDS.to_owned();
    setup += "add_field(\"When__c\", \"DateTime\"); add_field(\"Day__c\", \"Date\"); add_field(\"Own__c\", \"Date\");\n";
    setup += "let all = salesforce::query(\"SELECT Id FROM Account ORDER BY Id\");\n";
    for (at, (when, _)) in edges.iter().enumerate() {
        writeln!(setup, "salesforce::update(\"Account\", all[{at}].Id, #{{ When__c: \"{when}\" }});").unwrap();
    }
    workspace.write("setup.rhai", setup);
    workspace.tabi("exec setup.rhai").ended(0);
    let (first, last) = (change.saturating_sub(5.days()), change.saturating_add(4.days()));
    let summary = workspace.tabi(&format!("run --json --from {first} --to {last}")).ended(0).summary("day");
    assert_eq!((&summary["status"], &summary["read"], &summary["rejected"]), (&"ok".into(), &20.into(), &0.into()), "{zone}: {summary}");
    let days: BTreeMap<String, Date> = edges.iter().cloned().collect();
    for account in sandbox.documents("salesforce", "Account") {
        let at: jiff::Timestamp = account["When__c"].as_str().unwrap().replace("+0000", "Z").parse().unwrap();
        let wanted: Value = days[&at.to_string()].to_string().into();
        assert_eq!((&account["Day__c"], &account["Own__c"]), (&wanted, &wanted), "{at} in {zone}");
    }
}

#[test]
fn every_account_belongs_to_one_rule_date_when_clocks_are_set_back() {
    rule_dates_part_the_accounts("America/Los_Angeles", date(2026, 11, 1));
}

#[test]
fn every_account_belongs_to_one_rule_date_where_midnight_is_skipped() {
    rule_dates_part_the_accounts("America/Sao_Paulo", date(2018, 11, 4));
}

/// What a system is asked for with a day is what a script finds in all records.
#[test]
fn a_day_in_a_condition_stands_for_its_instants_where_systems_filter() {
    let workspace = in_zone("", "Asia/Kolkata");
    let _sandbox = Sandbox::start(&workspace, "--accounts 20 --people 40");
    workspace.write(
        "compare.rhai",
        r#"
fn ask(system, object, options) {
    switch system {
        "gainsight" => gainsight::query(object, options),
        _ => px::query(object, options)
    }
}
fn holds(at, word, day) {
    if at == () { return word == "!="; }
    switch word { "=" => at == day, "!=" => at != day, "<" => at < day, "<=" => at <= day, ">" => at > day, _ => at >= day }
}
let wrong = [];
let asked = 0;
for source in [["gainsight", "Company", "CreatedDate"], ["px", "users", "signUpDate"], ["px", "users", "lastSeenDate"]] {
    let all = ask(source[0], source[1], #{ fields: [source[2]] });
    let days = all.map(|row| row[source[2]]).filter(|at| at != ()).map(|at| at.date);
    for day in [days[0], days[days.len() / 2], days[days.len() - 1]] {
        for word in ["=", "!=", "<", "<=", ">", ">="] {
            for written in [day, `${day}`] {
                let found = ask(source[0], source[1], #{ fields: [source[2]], filters: #{ a: [source[2], word, written] } }).len();
                let wanted = all.filter(|row| holds(row[source[2]], word, day)).len();
                asked += 1;
                if found != wanted { wrong.push(`${source} ${word} ${written}: ${found}, not ${wanted}`); }
            }
        }
    }
}
#{ wrong: wrong, asked: asked }
"#,
    );
    let told: Value = serde_json::from_str(&workspace.tabi("exec --json compare.rhai").ended(0).stdout).unwrap();
    assert_eq!(told, serde_json::json!({"wrong": [], "asked": 3 * 3 * 6 * 2}));
}

#[test]
fn the_parts_of_a_date_are_those_of_the_workspace() {
    let parts = r#"
let at = timestamp("2026-11-21T07:30:00Z");
let row = #{ at: at };
[
    `${at.date}`, at.hour, at.minute, `${date(at)}`, `${date("2026-11-21T07:30:00Z")}`, `${timestamp(date("2026-11-01"))}`, `${date(1795246200000)}`,
    at < date("2026-11-21"), at == date("2026-11-20"), date("2026-11-20") >= at, at != date("2026-11-20"), at >= date("2026-11-21"),
    `${timestamp("2026-10-31T19:00:00Z") + days(1)}`, `${timestamp("2026-10-31T19:00:00Z") + hours(24)}`
]
"#;
    let told = |zone: &str| {
        let workspace = in_zone("", zone);
        workspace.write("parts.rhai", parts);
        serde_json::from_str::<Value>(&workspace.tabi("exec --json parts.rhai").ended(0).stdout).unwrap()
    };
    assert_eq!(
        told("America/Los_Angeles"),
        serde_json::json!([
            "2026-11-20",
            23,
            30,
            "2026-11-20",
            "2026-11-20",
            "2026-11-01T07:00:00Z",
            "2026-11-20",
            true,
            true,
            true,
            false,
            false,
            "2026-11-01T20:00:00Z",
            "2026-11-01T19:00:00Z",
        ])
    );
    assert_eq!(
        told("UTC"),
        serde_json::json!([
            "2026-11-21",
            7,
            30,
            "2026-11-21",
            "2026-11-21",
            "2026-11-01T00:00:00Z",
            "2026-11-21",
            false,
            false,
            false,
            true,
            true,
            "2026-11-01T19:00:00Z",
            "2026-11-01T19:00:00Z",
        ])
    );
}

/// A text that is no date would hold for no record, without a word.
#[test]
fn a_text_that_is_no_date_is_refused_where_it_is_compared_with_one() {
    let workspace = Workspace::new();
    let sandbox = Sandbox::start(&workspace, "--accounts 10 --people 10");
    let reads = [
        r#"gainsight::query("Company", #{ filters: #{ a: ["CreatedDate", ">=", "TODAY"] } })"#,
        r#"px::query("users", #{ filters: #{ a: ["signUpDate", "in", ["2026-01-31", "soon"]] } })"#,
    ];
    for read in reads {
        workspace.write("read.rhai", read);
        let ran = workspace.tabi("exec --json read.rhai");
        assert_ne!(ran.code, Some(0), "{read}: {}", ran.stdout);
        assert!(format!("{}{}", ran.stdout, ran.stderr).contains("is no date; write it as 2026-01-31"), "{read}: {} {}", ran.stdout, ran.stderr);
    }
    workspace.write(
        "scripts/script.rhai",
        r#"rule("late", #{ rule_for: "person", from: pendo::visitors(), show: ["visitorId"], filters: #{ a: ["metadata.auto.lastvisit", "!=", "31.01.2026"] },
            actions: [load_to_sfdc(#{ object: "Contact", identifiers: ["Email"], fields: #{ Email: "visitorId" } })] });"#,
    );
    let ran = workspace.tabi("run --json").ended(1);
    assert_eq!((&ran.summary("late")["status"], &ran.summary("late")["written"]), (&"failed".into(), &0.into()), "{}", ran.stdout);
    assert!(format!("{}{}", ran.stdout, ran.stderr).contains("`31.01.2026` is no date"), "{} {}", ran.stdout, ran.stderr);
    let rule = |value: &str| {
        format!(
            r#"rule("late", #{{ rule_for: "account", from: salesforce::object("Account"), show: ["Id"], filters: #{{ a: ["CreatedDate", "<=", "{value}"] }},
                actions: [load_to_sfdc(#{{ object: "Account", fields: #{{ Id: "Id", Site: constant("seen") }} }})] }});"#
        )
    };
    workspace.write("scripts/script.rhai", rule("31.01.2026"));
    let summary = workspace.tabi("run --json").ended(1).summary("late");
    assert_eq!((&summary["status"], &summary["written"]), (&"failed".into(), &0.into()), "{summary}");
    assert_eq!(sandbox.writes("salesforce"), Vec::<String>::new());
    let check: Value = serde_json::from_str(&workspace.tabi("check --json").ended(3).stdout).unwrap();
    let told = check["diagnostics"][0]["message"].as_str().unwrap();
    assert_eq!(
        told,
        "`CreatedDate` is datetime, and `31.01.2026` is no date; write it as 2026-01-31, or as 2026-01-31T10:00:00Z, or say `rule_date()`"
    );
    // Salesforce reads words of its own.
    workspace.write("scripts/script.rhai", rule("TODAY"));
    workspace.tabi("check").ended(0);
    let summary = workspace.tabi("run --json").ended(0).summary("late");
    assert_eq!((&summary["status"], &summary["written"]), (&"ok".into(), &10.into()), "{summary}");
}
