//! Silence is a value: who did nothing in the window has 0, or nothing, and keeps no old number.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Sandbox, Workspace};

/// Usage of the last days by account or visitor, as Pendo itself adds it up.
fn usage(sandbox: &Sandbox, id: &str, days: i64) -> BTreeMap<String, Value> {
    let rows = sandbox.aggregate(&json!([
        {"source": {"events": {"appId": "expandAppIds(\"*\")"}, "timeSeries": {"period": "dayRange", "first": "now()", "count": -days}}},
        {"identified": id},
        {"group": {"group": [id], "fields": [{"visitors": {"count": "visitorId"}}, {"minutes": {"sum": "numMinutes"}}, {"events": {"sum": "numEvents"}},
            {"days": {"count": "day"}}]}},
    ]));
    rows.into_iter().map(|row| (row[id].as_str().unwrap().to_owned(), row)).collect()
}

/// A metadata field of every account or visitor.
fn metadata(sandbox: &Sandbox, source: &str, id: &str, field: &str) -> BTreeMap<String, Value> {
    let rows = sandbox.aggregate(&json!([{"source": {source: null}}, {"select": {id: id, "value": field}}]));
    rows.into_iter().map(|row| (row[id].as_str().unwrap().to_owned(), row["value"].clone())).collect()
}

fn by_id(rows: Vec<Value>, key: &str) -> BTreeMap<String, Value> {
    rows.into_iter().map(|row| (row[key].as_str().unwrap_or_default().to_owned(), row)).collect()
}

fn millis(value: &Value) -> Option<i64> {
    let text = value.as_str()?.replace("+0000", "Z");
    Some(text.parse::<tabi::model::Timestamp>().unwrap().as_millisecond())
}

const EVERYTHING: &str = r#"pendo::salesforce_integration("usage", #{ push: [#{
    report: pendo::account_report(#{ days: 7, columns: ["active_visitors", "time_on_site", "events", "days_active", "sign_in_frequency", "last_visit",
        "users", "clicks:Export report", "nps_responses"] }),
    fields: #{
        Pendo_visitors__c: "active_visitors", Pendo_minutes__c: "time_on_site", Pendo_events__c: "events", Pendo_days__c: "days_active",
        Pendo_frequency__c: #{ from: "sign_in_frequency", type: "number(18,6)" }, Pendo_last__c: "last_visit", Pendo_users__c: "users",
        Pendo_clicks__c: "clicks:Export report", Pendo_answers__c: "nps_responses",
    } }] });"#;

#[test]
fn every_account_has_numbers_whether_it_was_used_or_not() {
    let workspace = Workspace::with_script(EVERYTHING);
    let sandbox = Sandbox::start(&workspace, "--accounts 20 --people 60");
    let mut stale = 0;
    let mut before = BTreeMap::new();
    for days in [0, 90] {
        sandbox.days_pass(days);
        let run = workspace.tabi("run --json").ended(0);
        let summary = run.summary("usage");
        assert_eq!((&summary["status"], &summary["read"], &summary["rejected"]), (&json!("ok"), &json!(20), &json!(0)), "{summary}");
        let (used, last) = (usage(&sandbox, "accountId", 7), metadata(&sandbox, "accounts", "accountId", "metadata.auto.lastvisit"));
        let accounts = by_id(sandbox.documents("salesforce", "Account"), "Id");
        assert_eq!(accounts.len(), 20);
        for (id, account) in &accounts {
            let number = |field: &str| account[field].as_f64();
            let wanted = |field: &str| Some(used.get(id).map_or(0.0, |row| row[field].as_f64().unwrap()));
            assert_eq!(number("Pendo_visitors__c"), wanted("visitors"), "{account}");
            assert_eq!(number("Pendo_minutes__c"), wanted("minutes"), "{account}");
            assert_eq!(number("Pendo_events__c"), wanted("events"), "{account}");
            assert_eq!(number("Pendo_days__c"), wanted("days"), "{account}");
            assert!((number("Pendo_frequency__c").unwrap() - wanted("days").unwrap() / 7.0).abs() < 1e-5, "{account}");
            assert!(number("Pendo_users__c") >= number("Pendo_visitors__c") && number("Pendo_users__c") > Some(0.0), "{account}");
            assert!(account["Pendo_clicks__c"].is_number() && account["Pendo_answers__c"].is_number(), "{account}");
            assert_eq!(millis(&account["Pendo_last__c"]), last[id].as_i64().map(|ms| ms / 1_000 * 1_000), "the last visit ever: {account}");
            stale += usize::from(!used.contains_key(id) && before.get(id).is_some_and(|old: &Value| old["Pendo_visitors__c"].as_f64() > Some(0.0)));
        }
        before = accounts;
        let again = workspace.tabi("run --json").ended(0).summary("usage");
        assert_eq!((&again["written"], &again["unchanged"]), (&json!(0), &json!(20)), "{again}");
    }
    assert!(stale > 0, "nobody fell silent: the test says nothing");
}

#[test]
fn every_visitor_has_numbers_whether_seen_or_not() {
    let workspace = Workspace::with_script(
        r#"pendo::salesforce_integration("people", #{ object: "Contact", key: #{ pendo: "visitorId", salesforce: "Email" }, push: [#{
               report: pendo::visitor_report(#{ days: 7, columns: ["days_active", "time_on_site", "last_visit"] }),
               fields: #{ Pendo_days__c: "days_active", Pendo_minutes__c: "time_on_site", Pendo_last__c: "last_visit" } }] });"#,
    );
    let sandbox = Sandbox::start(&workspace, "--accounts 5 --people 40");
    for days in [0, 60] {
        sandbox.days_pass(days);
        let summary = workspace.tabi("run --json").ended(0).summary("people");
        assert_eq!((&summary["status"], &summary["read"], &summary["rejected"]), (&json!("ok"), &json!(40), &json!(0)), "{summary}");
        let (used, last) = (usage(&sandbox, "visitorId", 7), metadata(&sandbox, "visitors", "visitorId", "metadata.auto.lastvisit"));
        let contacts = by_id(sandbox.documents("salesforce", "Contact"), "Email");
        assert!(contacts.len() == 40 && used.len() < 40, "{} of {} seen", used.len(), contacts.len());
        for (email, contact) in &contacts {
            let wanted = |field: &str| Some(used.get(email).map_or(0.0, |row| row[field].as_f64().unwrap()));
            assert_eq!((contact["Pendo_days__c"].as_f64(), contact["Pendo_minutes__c"].as_f64()), (wanted("days"), wanted("minutes")), "{contact}");
            assert_eq!(millis(&contact["Pendo_last__c"]), last[email].as_i64().map(|ms| ms / 1_000 * 1_000), "{contact}");
        }
    }
}

#[test]
fn a_score_of_nobody_is_emptied_and_metadata_that_is_missing_is_not() {
    let workspace = Workspace::with_script(
        r#"pendo::salesforce_integration("nps", #{ push: [#{
               report: pendo::account_report(#{ days: 30, columns: ["nps_score", "nps_responses", "metadata.custom.nick"] }),
               fields: #{ Pendo_score__c: #{ from: "nps_score", type: "number(18,2)" }, Pendo_answers__c: "nps_responses",
                          Pendo_rounded__c: #{ from: |row| if row.nps_score == () { () } else { math::round(row.nps_score, 0) }, type: "number(18,0)" },
                          Pendo_nick__c: #{ from: "metadata.custom.nick", type: "text(80)" } } }] });"#,
    );
    let sandbox = Sandbox::start(&workspace, "--accounts 12 --people 200");
    workspace.tabi("run --json").ended(0);
    let first = by_id(sandbox.documents("salesforce", "Account"), "Id");
    workspace.write(
        "name.rhai",
        r#"for a in salesforce::query("SELECT Id FROM Account") { salesforce::update("Account", a.Id, #{ Pendo_nick__c: "by hand" }); }"#,
    );
    workspace.tabi("exec name.rhai").ended(0);
    sandbox.days_pass(75);
    let summary = workspace.tabi("run --json").ended(0).summary("nps");
    assert_eq!((&summary["status"], &summary["rejected"]), (&json!("ok"), &json!(0)));
    let answers = sandbox.aggregate(&json!([
        {"source": {"pollEvents": {"appId": "expandAppIds(\"*\")"}, "timeSeries": {"period": "dayRange", "first": "now()", "count": -30}}},
        {"filter": "pollType == \"NPSRating\""},
        {"group": {"group": ["accountId"], "fields": [{"all": {"count": null}}, {"up": {"sum": "if(pollResponse >= 9, 1, 0)"}},
            {"down": {"sum": "if(pollResponse < 7, 1, 0)"}}]}},
    ]));
    let answers = by_id(answers, "accountId");
    let mut emptied = 0;
    for (id, account) in by_id(sandbox.documents("salesforce", "Account"), "Id") {
        let of = |field: &str| answers.get(&id).map(|row| row[field].as_f64().unwrap());
        let score = of("all").map(|all| (of("up").unwrap() - of("down").unwrap()) * 100.0 / all);
        assert_eq!(account["Pendo_answers__c"].as_f64(), Some(of("all").unwrap_or(0.0)), "{account}");
        assert_eq!(account["Pendo_score__c"].as_f64().map(f64::round), score.map(f64::round), "{account}");
        assert_eq!(account["Pendo_rounded__c"].as_f64(), score.map(f64::round), "{account}");
        assert_eq!(account["Pendo_nick__c"], "by hand", "blanks are skipped");
        emptied += usize::from(score.is_none() && first[&id]["Pendo_score__c"].is_number());
    }
    assert!(emptied > 0, "no score ran out: the test says nothing");
}

#[test]
fn a_segment_narrows_who_has_a_row_and_who_leaves_keeps_the_last_numbers() {
    let workspace = Workspace::with_script(
        r#"pendo::salesforce_integration("chosen", #{ push: [#{
               report: pendo::account_report(#{ segment: "Chosen", days: 7, columns: ["active_visitors", "users", "last_visit"] }),
               fields: #{ Pendo_visitors__c: "active_visitors", Pendo_users__c: "users", Pendo_last__c: "last_visit" } }] });"#,
    );
    let sandbox = Sandbox::start(&workspace, "--accounts 20 --people 60");
    let people = metadata(&sandbox, "visitors", "visitorId", "metadata.auto.accountid");
    // Two people of each of the accounts that have two.
    let mut of_account: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (visitor, account) in &people {
        of_account.entry(account.as_str().unwrap()).or_default().push(visitor);
    }
    let chosen: Vec<(&str, Vec<&str>)> =
        of_account.iter().filter(|(_, all)| all.len() > 2).map(|(id, all)| (*id, all[..2].to_vec())).take(8).collect();
    let members: Vec<&str> = chosen.iter().flat_map(|(_, members)| members.iter().copied()).collect();
    let edit = |add: &[&str], remove: &[&str]| {
        workspace.write("edit.rhai", format!("pendo::edit_segment(\"Chosen\", #{{ add: {}, remove: {} }});", json!(add), json!(remove)));
        workspace.tabi("exec edit.rhai").ended(0);
    };
    edit(&members, &[]);
    sandbox.days_pass(60);
    let summary = workspace.tabi("run --json").ended(0).summary("chosen");
    assert_eq!((&summary["status"], &summary["read"], &summary["written"]), (&json!("ok"), &json!(chosen.len()), &json!(chosen.len())), "{summary}");
    let (used, last) = (usage(&sandbox, "visitorId", 7), metadata(&sandbox, "accounts", "accountId", "metadata.auto.lastvisit"));
    let accounts = by_id(sandbox.documents("salesforce", "Account"), "Id");
    let mut silent = 0;
    for (id, account) in &accounts {
        let Some((_, members)) = chosen.iter().find(|(chosen, _)| chosen == id) else {
            assert!(account["Pendo_visitors__c"].is_null() && account["Pendo_users__c"].is_null(), "{account}");
            continue;
        };
        let active = members.iter().filter(|member| used.contains_key(**member)).count();
        assert_eq!((account["Pendo_visitors__c"].as_u64(), account["Pendo_users__c"].as_u64()), (Some(active as u64), Some(2)), "{account}");
        assert_eq!(millis(&account["Pendo_last__c"]), last[id].as_i64().map(|ms| ms / 1_000 * 1_000), "the account's own: {account}");
        silent += usize::from(active == 0);
    }
    assert!(silent > 0, "everybody is active: the test says nothing");
    // An account leaves the segment.
    edit(&[], &chosen[0].1);
    sandbox.days_pass(30);
    let summary = workspace.tabi("run --json").ended(0).summary("chosen");
    assert_eq!((&summary["status"], &summary["read"]), (&json!("ok"), &json!(chosen.len() - 1)), "{summary}");
    let left = by_id(sandbox.documents("salesforce", "Account"), "Id");
    assert_eq!(left[chosen[0].0]["Pendo_visitors__c"], accounts[chosen[0].0]["Pendo_visitors__c"]);
}

#[test]
fn an_account_with_events_that_is_on_no_list_has_a_row_too() {
    let workspace = Workspace::with_script(
        r#"pendo::salesforce_integration("usage", #{ push: [#{ report: pendo::account_report(#{ days: 7, columns: ["events", "last_visit"] }),
               fields: #{ Pendo_events__c: "events", Pendo_last__c: "last_visit" } }] });"#,
    );
    let sandbox = Sandbox::start(&workspace, "--accounts 6 --people 20");
    let now = sandbox.aggregate(&json!([{"source": {"accounts": null}}, {"limit": 1}, {"select": {"now": "now()"}}]))[0]["now"].as_i64().unwrap();
    // Ids differ by case, and stand on both sides of the others.
    for account in ["ACME", "acme", "Zzz", "_x"] {
        sandbox
            .track(&json!({"type": "track", "event": "e", "visitorId": format!("v@{account}"), "accountId": account, "timestamp": now - 93_600_000}));
    }
    let run = workspace.tabi("run --json").ended(1);
    let summary = run.summary("usage");
    assert_eq!((&summary["status"], &summary["read"], &summary["rejected"]), (&json!("partial"), &json!(10), &json!(4)), "{summary}");
    let shown = workspace.tabi(&format!("show {} --json", summary["run"].as_str().unwrap())).ended(0);
    let rows = shown.lines()[0]["rows"].clone();
    let keys: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["ACME", "Zzz", "_x", "acme"], "each once, in Pendo's order");
}

#[test]
fn the_example_of_falling_usage_finds_who_went_quiet() {
    let workspace = Workspace::with_examples(&["pendo_salesforce.rhai", "adoption_targets.rhai", "health_to_salesforce.rhai"]);
    let sandbox = Sandbox::start(&workspace, "--accounts 40 --people 400");
    let run = |name: &str| workspace.tabi(&format!("run {name} --json")).ended(0).summary(name);
    for name in ["pendo-account", "pendo-account-weekly"] {
        assert_eq!(run(name)["status"], "ok");
    }
    sandbox.days_pass(90);
    for name in ["pendo-account", "pendo-account-weekly"] {
        assert_eq!(run(name)["status"], "ok");
    }
    let (month, last) = (usage(&sandbox, "accountId", 30), metadata(&sandbox, "accounts", "accountId", "metadata.auto.lastvisit"));
    let customers = by_id(sandbox.documents("gainsight", "Company"), "SfdcAccountId");
    let gone: Vec<&String> = last.iter().filter(|(id, at)| at.is_number() && !month.contains_key(*id)).map(|(id, _)| id).collect();
    let gone: Vec<&&String> = gone.iter().filter(|id| customers.contains_key(**id)).collect();
    assert!(!gone.is_empty(), "nobody went quiet: the test says nothing");
    let planned = workspace.tabi("plan falling-usage --json").ended(0).of_type("change");
    assert_eq!(run("falling-usage")["status"], "ok");
    let calls = sandbox.documents("gainsight", "call_to_action");
    for id in gone {
        let name = format!("Usage of {} is falling", customers[*id]["Name"].as_str().unwrap());
        let found: Vec<&Value> = calls.iter().filter(|call| call["Name"] == name.as_str()).collect();
        assert_eq!(found.len(), 1, "{name} among {calls:?}");
        let change = planned.iter().find(|change| change["fields"]["Name"]["to"] == name.as_str()).unwrap();
        assert_eq!(change["fields"]["priority"]["to"], "High", "{change}");
    }
    assert_eq!(run("falling-usage")["written"], 0, "each once");
}
