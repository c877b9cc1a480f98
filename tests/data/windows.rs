//! The window of a usage report ends with the rule date: the same numbers whenever the rule is run for it.

use std::collections::BTreeMap;

use jiff::{ToSpan as _, civil::Date, tz::TimeZone};
use serde_json::{Value, json};

use crate::support::{Sandbox, Workspace};

/// Usage of the full days before one, as Pendo adds it up, asked for by instants.
fn before(sandbox: &Sandbox, date: Date, days: i32) -> BTreeMap<String, Value> {
    let millis = |day: Date| day.to_zoned(TimeZone::UTC).unwrap().timestamp().as_millisecond();
    let series = json!({"period": "dayRange", "first": millis(date.saturating_sub(days.days())), "last": millis(date.yesterday().unwrap())});
    let rows = sandbox.aggregate(&json!([
        {"source": {"events": {"appId": "expandAppIds(\"*\")"}, "timeSeries": series}},
        {"identified": "accountId"},
        {"group": {"group": ["accountId"], "fields": [{"visitors": {"count": "visitorId"}}, {"events": {"sum": "numEvents"}}, {"days": {"count": "day"}}]}},
    ]));
    rows.into_iter().map(|row| (row["accountId"].as_str().unwrap().to_owned(), row)).collect()
}

fn today() -> Date {
    tabi::host::clock::now().to_zoned(TimeZone::UTC).date()
}

#[test]
fn numbers_of_a_rule_date_are_of_the_days_before_it_whenever_they_are_read() {
    let script = |days: i32| {
        format!(
            r#"rule("usage", #{{ from: pendo::account_report(#{{ days: {days}, columns: ["active_visitors", "events", "days_active", "sign_in_frequency"] }}),
                   show: ["accountId", "active_visitors", "events", "days_active", "sign_in_frequency"],
                   actions: [load_to_usage(#{{ account: "accountId", measures: #{{ Visitors: "active_visitors", Events: "events",
                       Days: "days_active", Often: "sign_in_frequency" }} }})] }});
               mapping("copy", #{{ from: pendo::account_report(#{{ days: {days}, columns: ["events"] }}), to: salesforce::object("Account"),
                   match_on: #{{ Id: "accountId" }}, fields: #{{ Events__c: #{{ from: "events", type: "number(18,0)" }} }} }});"#
        )
    };
    let workspace = Workspace::with_script(&script(7));
    let sandbox = Sandbox::start(&workspace, "--accounts 8 --people 40");
    let today = today();
    let mut different = 0;
    for (days, first, last) in [(1, 5, 3), (7, 12, 10), (30, 400, 400), (366, 31, 31)] {
        workspace.write("scripts/script.rhai", script(days));
        let (first, last) = (today.saturating_sub(first.days()), today.saturating_sub(last.days()));
        let run = workspace.tabi(&format!("run --json --from {first} --to {last}")).ended(0);
        assert_eq!(run.summary("usage")["rejected"], 0, "{}", run.stdout);
        let rows = sandbox.documents("salesforce", "JBCXM__UsageData__c");
        for date in first.series(1.day()).take_while(|date| *date <= last) {
            let (then, now) = (before(&sandbox, date, days), before(&sandbox, today, days));
            let of_day: Vec<&Value> = rows.iter().filter(|row| row["JBCXM__Date__c"] == date.to_string().as_str()).collect();
            assert_eq!(of_day.len(), 8, "each account for {date}");
            for row in of_day {
                let account = row["JBCXM__Account__c"].as_str().unwrap();
                let wanted =
                    |of: &BTreeMap<String, Value>, field: &str| of.get(account).map_or(0, |row| i32::try_from(row[field].as_i64().unwrap()).unwrap());
                let number = |field: &str| row[field].as_f64().unwrap();
                let whole = |field: &str| format!("{}", number(field));
                assert_eq!(whole("Visitors__c"), wanted(&then, "visitors").to_string(), "{days} days before {date}: {row}");
                assert_eq!(whole("Events__c"), wanted(&then, "events").to_string(), "{days} days before {date}: {row}");
                assert_eq!(whole("Days__c"), wanted(&then, "days").to_string(), "{days} days before {date}: {row}");
                assert!((number("Often__c") - f64::from(wanted(&then, "days")) / f64::from(days)).abs() < 0.006, "{row}");
                different += usize::from(wanted(&then, "events") != wanted(&now, "events"));
            }
        }
        // A mapping is run once, for the last of the dates.
        let then = before(&sandbox, last, days);
        for account in sandbox.documents("salesforce", "Account") {
            let wanted = then.get(account["Id"].as_str().unwrap()).map_or(0.0, |row| row["events"].as_f64().unwrap());
            assert_eq!(account["Events__c"].as_f64(), Some(wanted), "{days} days before {last}: {account}");
        }
        // A plan asks for the same window, and so does another run on another day.
        assert_eq!(workspace.tabi(&format!("plan --json --date {last}")).ended(0).of_type("change"), Vec::<Value>::new());
        sandbox.days_pass(1);
        let again = workspace.tabi(&format!("run --json --date {last}")).ended(0);
        assert_eq!((&again.summary("usage")["written"], &again.summary("copy")["written"]), (&json!(0), &json!(0)), "{}", again.stdout);
        sandbox.days_pass(-1);
    }
    assert!(different > 20, "the windows hold the same: the test says nothing");
}

#[test]
fn a_past_date_says_what_is_read_as_it_is_now_and_a_date_to_come_is_refused() {
    let workspace = Workspace::with_script(
        r#"rule("usage", #{ from: pendo::account_report(#{ days: 7, columns: ["events", "last_visit", "users", "metadata.custom.arr"] }), show: ["accountId", "events", "users"],
               actions: [load_to_usage(#{ account: "accountId", measures: #{ Events: "events", Users: "users" } })] });"#,
    );
    let sandbox = Sandbox::start(&workspace, "--accounts 2 --people 6");
    let warned = |text: &str| text.contains("`last_visit`, `users`, `metadata.custom.arr` is read as it is now");
    let today = today();
    let now = workspace.tabi("plan --json").ended(0);
    assert!(!warned(&now.stderr), "{}", now.stderr);
    let past = workspace.tabi(&format!("run --json --date {}", today.yesterday().unwrap())).ended(0);
    assert!(warned(&past.stderr) && past.summary("usage")["written"] == 2, "{}{}", past.stdout, past.stderr);
    sandbox.forget_requests();
    let tomorrow = today.tomorrow().unwrap();
    for command in ["plan", "run"] {
        let run = workspace.tabi(&format!("{command} --json --date {}", tomorrow.tomorrow().unwrap())).ended(1);
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(said.contains("looks at days that are not over"), "{said}");
    }
    assert_eq!(sandbox.writes("salesforce"), Vec::<String>::new());
}
