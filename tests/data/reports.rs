//! Who and what a Pendo report counts: anonymous visitors, apps, features, segments.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::{Sandbox, Workspace};

const MOBILE: i64 = 5_629_499_534_213_120;

fn by_id(rows: Vec<Value>, key: &str) -> BTreeMap<String, Value> {
    rows.into_iter().map(|row| (row[key].as_str().unwrap_or_default().to_owned(), row)).collect()
}

fn now(sandbox: &Sandbox) -> i64 {
    sandbox.aggregate(&json!([{"source": {"accounts": null}}, {"limit": 1}, {"select": {"now": "now()"}}]))[0]["now"].as_i64().unwrap()
}

fn push(options: &str) -> String {
    format!(
        r#"pendo::salesforce_integration("usage", #{{ push: [#{{
               report: pendo::account_report(#{{ {options} days: 30,
                   columns: ["active_visitors", "users", "time_on_site", "events", "days_active", "nps_responses", "last_visit", "clicks:Scan code"] }}),
               fields: #{{ Pendo_visitors__c: "active_visitors", Pendo_users__c: "users", Pendo_minutes__c: "time_on_site", Pendo_events__c: "events",
                   Pendo_days__c: "days_active", Pendo_answers__c: "nps_responses", Pendo_last__c: "last_visit", Pendo_clicks__c: "clicks:Scan code" }} }}] }});"#
    )
}

#[test]
fn anonymous_visitors_count_only_where_that_is_asked_for() {
    let workspace = Workspace::with_script(&push(""));
    let sandbox = Sandbox::start(&workspace, "--accounts 12 --people 40");
    workspace.tabi("run --json").ended(0);
    let before = by_id(sandbox.documents("salesforce", "Account"), "Id");
    let (account, yesterday) = (before.keys().next().unwrap().clone(), now(&sandbox) - 93_600_000);
    for n in 0..3 {
        let event = json!({"type": "track", "event": "x", "visitorId": format!("_PENDO_T_anon{n}"), "accountId": account, "timestamp": yesterday});
        sandbox.track(&event);
    }
    let again = workspace.tabi("run --json").ended(0).summary("usage");
    assert_eq!((&again["status"], &again["read"], &again["rejected"]), (&json!("ok"), &json!(12), &json!(0)), "{again}");
    let after = by_id(sandbox.documents("salesforce", "Account"), "Id");
    for field in ["Pendo_visitors__c", "Pendo_users__c", "Pendo_events__c", "Pendo_days__c", "Pendo_minutes__c"] {
        assert_eq!(after[&account][field], before[&account][field], "{field}");
    }
    // Somebody who signed in counts.
    let known = json!({"type": "track", "event": "x", "visitorId": "new@somewhere.example", "accountId": account, "timestamp": yesterday});
    sandbox.track(&known);
    workspace.tabi("run --json").ended(0);
    let with_one = by_id(sandbox.documents("salesforce", "Account"), "Id");
    let more = |rows: &BTreeMap<String, Value>, field: &str| rows[&account][field].as_f64().unwrap() - before[&account][field].as_f64().unwrap();
    assert_eq!((more(&with_one, "Pendo_visitors__c"), more(&with_one, "Pendo_users__c"), more(&with_one, "Pendo_events__c")), (1.0, 1.0, 1.0));
    // And the others where the script asks for them.
    workspace.write("scripts/script.rhai", push("anonymous: true,"));
    workspace.tabi("run --json").ended(0);
    let all = by_id(sandbox.documents("salesforce", "Account"), "Id");
    assert_eq!((more(&all, "Pendo_visitors__c"), more(&all, "Pendo_users__c"), more(&all, "Pendo_events__c")), (4.0, 4.0, 4.0));
    for (id, row) in all.iter().filter(|(id, _)| **id != account) {
        assert_eq!(row["Pendo_visitors__c"], before[id]["Pendo_visitors__c"], "{row}");
    }
}

#[test]
fn a_report_per_visitor_leaves_anonymous_ones_out_too() {
    let script = |options: &str| {
        format!(
            r#"mapping("people", #{{ from: pendo::visitor_report(#{{ {options} days: 7, columns: ["events"] }}), to: salesforce::object("Contact"),
                   match_on: #{{ Email: "visitorId" }}, fields: #{{ Seen__c: #{{ from: "events", type: "number(18,0)" }} }} }});"#
        )
    };
    let workspace = Workspace::with_script(&script(""));
    let sandbox = Sandbox::start(&workspace, "--accounts 5 --people 20");
    let account = sandbox.documents("salesforce", "Account")[0]["Id"].clone();
    let event = json!({"type": "track", "event": "x", "visitorId": "_PENDO_T_a", "accountId": account, "timestamp": now(&sandbox) - 93_600_000});
    sandbox.track(&event);
    let summary = workspace.tabi("run --json").ended(0).summary("people");
    assert_eq!((&summary["status"], &summary["read"], &summary["rejected"]), (&json!("ok"), &json!(20), &json!(0)), "{summary}");
    workspace.write("scripts/script.rhai", script("anonymous: true,"));
    let summary = workspace.tabi("run --json").ended(1).summary("people");
    assert_eq!((&summary["status"], &summary["read"], &summary["rejected"]), (&json!("partial"), &json!(21), &json!(1)), "{summary}");
}

#[test]
fn with_an_app_every_measure_is_of_that_app() {
    let workspace = Workspace::with_script(&push(r#"app: "Mobile app","#));
    let sandbox = Sandbox::start(&workspace, "--accounts 15 --people 40");
    let summary = workspace.tabi("run --json").ended(0).summary("usage");
    assert_eq!((&summary["status"], &summary["read"]), (&json!("ok"), &json!(15)), "{summary}");
    let window = json!({"period": "dayRange", "first": "now()", "count": -30});
    let used = by_id(
        sandbox.aggregate(&json!([
            {"source": {"events": {"appId": MOBILE}, "timeSeries": window}}, {"identified": "accountId"},
            {"group": {"group": ["accountId"], "fields": [{"v": {"count": "visitorId"}}, {"m": {"sum": "numMinutes"}}, {"e": {"sum": "numEvents"}},
                {"d": {"count": "day"}}]}},
        ])),
        "accountId",
    );
    let ever = by_id(
        sandbox.aggregate(&json!([
            {"source": {"events": {"appId": MOBILE}, "timeSeries": {"period": "dayRange", "first": "now()", "count": -420}}},
            {"group": {"group": ["accountId"], "fields": [{"users": {"count": "visitorId"}}, {"last": {"max": "lastTime"}}]}},
        ])),
        "accountId",
    );
    let accounts = by_id(sandbox.documents("salesforce", "Account"), "Id");
    for (id, account) in &accounts {
        let of = |rows: &BTreeMap<String, Value>, field: &str| Some(rows.get(id).map_or(0.0, |row| row[field].as_f64().unwrap()));
        let number = |field: &str| account[field].as_f64();
        assert_eq!(number("Pendo_visitors__c"), of(&used, "v"), "{account}");
        assert_eq!(number("Pendo_minutes__c"), of(&used, "m"), "{account}");
        assert_eq!(number("Pendo_events__c"), of(&used, "e"), "{account}");
        assert_eq!(number("Pendo_days__c"), of(&used, "d"), "{account}");
        assert_eq!(number("Pendo_users__c"), of(&ever, "users"), "{account}");
        assert_eq!(number("Pendo_answers__c"), Some(0.0), "the survey is shown in the other app: {account}");
        let last =
            account["Pendo_last__c"].as_str().map(|text| text.replace("+0000", "Z").parse::<tabi::model::Timestamp>().unwrap().as_millisecond());
        assert_eq!(last, ever.get(id).and_then(|row| row["last"].as_i64()).map(|ms| ms / 1_000 * 1_000), "{account}");
    }
    assert!(ever.len() < accounts.len() && !used.is_empty(), "{} of {} use it", ever.len(), accounts.len());
    // By id, which is a number, it is the same.
    workspace.write("scripts/script.rhai", push(&format!("app: {MOBILE},")));
    assert_eq!(workspace.tabi("run --json").ended(0).summary("usage")["written"], 0);
}

#[test]
fn check_says_every_name_that_pendo_does_not_know_and_a_run_says_the_same() {
    let workspace = Workspace::with_script(
        r#"pendo::salesforce_integration("one", #{ push: [
               #{ report: pendo::account_report(#{ segment: "admins", days: 7, columns: ["active_visitors", "clicks:Quick ad"] }),
                  fields: #{ Pendo_a__c: "active_visitors" } },
               #{ report: pendo::account_report(#{ app: "Mobil app", days: 7, columns: ["events"] }), fields: #{ Pendo_b__c: "events" } },
           ] });
           mapping("two", #{ from: pendo::visitor_report(#{ app: "Web app", columns: ["clicks:Scan code"] }), to: salesforce::object("Contact"),
               match_on: #{ Email: "visitorId" }, fields: #{ Seen__c: #{ from: "clicks:Scan code", type: "number(18,0)" } } });
           pendo::segment("three", #{ filters: #{ a: ["metadata.custom.arr", ">", 1] }, guides: ["Renewal notice", "Product toor"] });"#,
    );
    let sandbox = Sandbox::start(&workspace, "--accounts 4 --people 10");
    let checked = workspace.tabi("check --online --json").ended(3);
    let document = &checked.lines()[0];
    let found: Vec<(&str, &str)> = document["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["code"] == "E0507")
        .map(|one| (one["message"].as_str().unwrap(), one["hint"].as_str().unwrap_or_default()))
        .collect();
    let wanted = [
        ("there is no segment `admins` in Pendo, or it is not shared", "did you mean `Admins`?"),
        ("there is no feature `Quick ad` in Pendo", "did you mean `Quick add`?"),
        ("there is no app `Mobil app` in Pendo", "did you mean `Mobile app`?"),
        ("the feature `Scan code` is of the app 5629499534213120, not of -323232: the report would say 0 of it for everybody", ""),
        ("there is no guide `Product toor` in Pendo", "did you mean `Product tour`?"),
    ];
    assert_eq!(found.iter().copied().collect::<BTreeSet<_>>(), wanted.into_iter().collect::<BTreeSet<_>>(), "{document}");
    let lines: BTreeSet<u64> = document["diagnostics"].as_array().unwrap().iter().map(|one| one["line"].as_u64().unwrap()).collect();
    assert!(lines.len() >= 4, "each at its place: {lines:?}");
    sandbox.forget_requests();
    for (name, said) in [("one", &wanted[..2]), ("two", &wanted[3..4]), ("three", &wanted[4..])] {
        let run = workspace.tabi(&format!("run {name} --json")).ended(1);
        assert_eq!(run.summary(name)["status"], "failed", "{}", run.stdout);
        let text = format!("{}{}", run.stdout, run.stderr);
        for (message, hint) in said {
            assert!(text.contains(message) && text.contains(hint), "{message} {hint}: {text}");
        }
    }
    assert_eq!(sandbox.writes("pendo"), Vec::<String>::new(), "nobody's membership changed");
    assert_eq!(sandbox.writes("salesforce"), Vec::<String>::new());
}

#[test]
fn two_of_one_name_are_told_apart_by_their_ids() {
    let workspace = Workspace::with_script(
        r#"pendo::salesforce_integration("usage", #{ push: [#{ report: pendo::account_report(#{ segment: "Twins", days: 7, columns: ["events"] }),
               fields: #{ Pendo_events__c: "events" } }] });"#,
    );
    let sandbox = Sandbox::start(&workspace, "--accounts 4 --people 12");
    let visitor = sandbox.documents("pendo", "visitor")[0]["visitorId"].as_str().unwrap().to_owned();
    let upload = format!(r#"pendo::request("POST", "/api/v1/segment/upload", #{{ name: "Twins", visitors: ["{visitor}"] }}).segmentId"#);
    workspace.write("upload.rhai", upload);
    let made: Vec<String> = (0..2).map(|_| workspace.tabi("exec upload.rhai --json").ended(0).lines()[0].as_str().unwrap().to_owned()).collect();
    let run = workspace.tabi("run --json").ended(1);
    assert_eq!(run.summary("usage")["status"], "failed");
    let said = format!("2 segments in Pendo are called `Twins`: write the id of the one that is meant, `{}`", made[0]);
    for text in [format!("{}{}", run.stdout, run.stderr), workspace.tabi("check --online --json").ended(3).stdout] {
        assert!(text.contains("2 segments in Pendo are called `Twins`") && made.iter().all(|id| text.contains(id.as_str())), "{said}: {text}");
    }
    // Whoever edits a segment of that name is told, too: neither changes.
    workspace.write("edit.rhai", r#"pendo::edit_segment("Twins", #{ add: ["a@b.example"] })"#);
    let edit = workspace.tabi("exec edit.rhai").ended(1);
    assert!(edit.stderr.contains("2 segments in Pendo are called `Twins`"), "{}", edit.stderr);
    workspace.write(
        "scripts/script.rhai",
        format!(
            r#"pendo::salesforce_integration("usage", #{{ push: [#{{ report: pendo::account_report(#{{ segment: "{}", days: 7, columns: ["events"] }}),
                   fields: #{{ Pendo_events__c: "events" }} }}] }});"#,
            made[1]
        ),
    );
    workspace.tabi("check --online").ended(0);
    assert_eq!(workspace.tabi("run --json").ended(0).summary("usage")["read"], 1);
}

#[test]
fn a_report_on_a_segment_of_the_workspace_comes_after_it() {
    let workspace = Workspace::with_script(
        r#"pendo::salesforce_integration("usage", #{ push: [#{ report: pendo::account_report(#{ segment: "big", days: 7, columns: ["events"] }),
               fields: #{ Pendo_events__c: "events" } }] });
           pendo::segment("big", #{ filters: #{ a: ["metadata.custom.arr", ">", 0] } });"#,
    );
    let sandbox = Sandbox::start(&workspace, "--accounts 6 --people 20");
    workspace.tabi("check --online").ended(0);
    let run = workspace.tabi("run --json").ended(0);
    let names: Vec<String> = run.of_type("summary").iter().map(|line| line["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["big", "usage"]);
    assert_eq!((&run.summary("usage")["status"], &run.summary("usage")["read"]), (&json!("ok"), &json!(6)));
    assert!(sandbox.documents("salesforce", "Account").iter().all(|account| account["Pendo_events__c"].is_number()));
}

#[test]
fn metadata_that_pendo_does_not_have_is_found_and_what_the_workspace_writes_is_not() {
    let workspace = Workspace::with_script(
        r#"pendo::salesforce_integration("usage", #{ push: [#{
               report: pendo::account_report(#{ days: 7, columns: ["metadata.agent.nane", "metadata.agent.name", "metadata.salesforce.rating"] }),
               fields: #{ Pendo_name__c: "metadata.agent.nane", Pendo_right__c: "metadata.agent.name", Pendo_rating__c: "metadata.salesforce.rating" } }],
               pull: ["Rating"] });"#,
    );
    let _sandbox = Sandbox::start(&workspace, "--accounts 4 --people 10");
    let checked = workspace.tabi("check --online --json").ended(3);
    let found = checked.lines()[0]["diagnostics"].clone();
    let said: Vec<(&str, &str)> =
        found.as_array().unwrap().iter().map(|one| (one["message"].as_str().unwrap(), one["hint"].as_str().unwrap())).collect();
    assert_eq!(said, [("pendo account has no metadata `metadata.agent.nane`", "did you mean `metadata.agent.name`?")], "{found}");
}
