//! Clocks that jump, people who vanish midway, names that bite, two journeys at one engagement.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tabi::{flow::journey::Published, store::ProgramStatus};

use super::{
    journeys::{Bench, START, both, script},
    live::{Live, number},
};
use crate::support::{Sandbox, Workspace};

const MAIL: &str = r#"wait("a day", days(1)), send_email("hello", #{ template: "hello" }), wait("a week", days(7))"#;

fn mails(sandbox: &Sandbox) -> usize {
    sandbox.get("mail", "/inbox").as_array().unwrap().len()
}

/// People who wait for a day and are written to then.
fn published(more: &str) -> (Bench, Sandbox) {
    let bench = Bench::new(&script(MAIL, more));
    bench.workspace.write("scripts/templates/hello.txt", "Subject: Hello\nHello.\n");
    let sandbox = Sandbox::start(&bench.workspace, "--accounts 5 --people 10");
    (bench, sandbox)
}

#[test]
fn a_clock_that_is_set_back_moves_nobody_and_one_that_jumps_ahead_moves_everybody_once() {
    let (bench, sandbox) = published("");
    assert!(matches!(bench.publish(), Published::Active(_)));
    bench.at(START);
    for earlier in ["2026-11-30T09:00:00Z", "2020-01-01T00:00:00Z", "2026-12-02T08:59:59Z"] {
        bench.at(earlier);
        assert_eq!((bench.people(), mails(&sandbox)), (both("waiting", "a day"), 0), "at {earlier}");
    }
    bench.at("2036-01-01T00:00:00Z");
    assert_eq!((bench.people(), mails(&sandbox)), (both("waiting", "a week"), 2), "years later, once");
    for back in ["2026-12-02T09:00:00Z", "2036-01-01T00:00:01Z"] {
        bench.at(back);
        assert_eq!((bench.people(), mails(&sandbox)), (both("waiting", "a week"), 2), "nobody is written to again at {back}");
    }
    bench.at("2036-01-08T00:00:00Z");
    assert!(bench.people().iter().all(|(_, state, _)| *state == "completed"), "{:?}", bench.people());
}

#[test]
fn what_people_went_through_is_forgotten_in_time_also_where_the_host_only_looks_in() {
    let bench = Bench::new(&script("finish()", ""));
    bench.workspace.write("tabi.toml", "[state]\nparticipants = \"2d\"\n");
    assert!(matches!(bench.publish(), Published::Active(_)));
    let known = || bench.people().into_iter().filter(|(email, ..)| !email.is_empty()).count();
    for (time, remembered) in [(START, 2), ("2026-12-03T08:59:59Z", 2), ("2026-12-04T09:00:00Z", 0)] {
        bench.at(time);
        assert_eq!((known(), bench.people().len()), (remembered, 2), "at {time}");
    }
    assert_eq!(bench.report()["participants"]["completed"], 2, "that they took part stays, and nobody enters twice");
}

#[test]
fn a_day_across_a_change_of_clocks_is_a_calendar_day_of_the_journeys_zone() {
    for (start, before, then) in [
        ("2026-10-24T08:00:00Z", "2026-10-25T08:59:59Z", "2026-10-25T09:00:00Z"),
        ("2027-03-27T09:00:00Z", "2027-03-28T07:59:59Z", "2027-03-28T08:00:00Z"),
    ] {
        let (bench, sandbox) = published(r#"time_zone: "Europe/Berlin","#);
        bench.clock.set(start.parse().unwrap());
        assert!(matches!(bench.publish(), Published::Active(_)));
        bench.at(start);
        bench.at(before);
        assert_eq!((bench.people(), mails(&sandbox)), (both("waiting", "a day"), 0), "at {before}");
        bench.at(then);
        assert_eq!((bench.people(), mails(&sandbox)), (both("waiting", "a week"), 2), "at {then}");
    }
}

#[test]
fn quiet_hours_end_at_their_time_of_day_also_in_the_night_of_a_change() {
    // 02:30 is left out on 28 March 2027 in Berlin, and comes twice on 25 October 2026.
    for (quiet, start, before, then) in [
        ("22:00\", \"08:00", "2027-03-27T00:00:00Z", "2027-03-28T05:59:59Z", "2027-03-28T06:00:00Z"),
        ("22:00\", \"08:00", "2026-10-23T23:00:00Z", "2026-10-25T06:59:59Z", "2026-10-25T07:00:00Z"),
        ("22:00\", \"02:30", "2027-03-27T00:00:00Z", "2027-03-28T00:59:59Z", "2027-03-28T01:30:00Z"),
        ("22:00\", \"02:30", "2026-10-23T23:00:00Z", "2026-10-25T00:29:59Z", "2026-10-25T00:30:00Z"),
    ] {
        let (bench, sandbox) = published(&format!(r#"time_zone: "Europe/Berlin", quiet_hours: ["{quiet}"],"#));
        bench.clock.set(start.parse().unwrap());
        assert!(matches!(bench.publish(), Published::Active(_)));
        bench.at(start);
        bench.at(before);
        assert_eq!(mails(&sandbox), 0, "quiet until {quiet}: at {before}");
        bench.at(then);
        assert_eq!(mails(&sandbox), 2, "quiet until {quiet}: at {then}");
    }
}

#[test]
fn a_script_and_new_lines_in_a_name_stay_words_of_the_mail() {
    let people = r#"[
        #{ email: "ana@example.com", name: "<script>alert(1)</script>\r\nBcc: evil@example.com\r\n\r\n<b>all yours</b>" },
        #{ email: "ben@example.com\r\nBcc: evil@example.com", name: "Ben" },
    ]"#;
    let workspace = Workspace::with_script(&format!(
        r#"journey("trial", #{{ model: "dynamic", participants: {people}, unique_on: "email",
            steps: [send_email("hello", #{{ template: "hello" }}), wait("a week", days(7))] }});"#
    ));
    workspace.write("scripts/templates/hello.html", "Subject: Hello {{ name }}\n<p title=\"{{ name }}\">Hello {{ name }}</p>\n");
    let sandbox = Sandbox::start(&workspace, "--accounts 5 --people 10");
    workspace.tabi("journey publish trial --yes").ended(0);
    workspace.tabi("up --once");
    let inbox = sandbox.get("mail", "/inbox");
    let all = inbox.as_array().unwrap();
    assert_eq!(all.len(), 1, "an address with a line break is none: {inbox}");
    assert_eq!((&all[0]["to"], &all[0]["headers"]["Bcc"]), (&json!(["ana@example.com"]), &Value::Null), "{inbox}");
    assert_eq!(all[0]["subject"], "Hello <script>alert(1)</script> Bcc: evil@example.com <b>all yours</b>");
    let html = all[0]["html"].as_str().unwrap();
    assert!(!html.contains("<script") && !html.contains("<b>") && html.contains("&lt;script&gt;"), "{html}");
    let ben = workspace.tabi("journey show trial --person ben --json").ended(0).stdout;
    let ben: Value = serde_json::from_str(&ben).unwrap();
    assert!(ben[0]["timeline"].as_array().unwrap().iter().any(|entry| entry["kind"] == "failed"), "{ben}");
}

const TOUR: &str = r#"
journey("tour", #{
    model: "onboarding",
    participants: px::object("users").limit(12),
    unique_on: "identifyId", email: "identifyId",
    steps: [
        wait("a day", days(1)),
        engagement("tour", "Product tour"),
        wait_for("seen?", #{ when: viewed("tour"), within: days(20), then: [drop("seen")], otherwise: [drop("not seen")] }),
    ],
    every: "1h",
});
"#;

#[test]
fn whoever_is_deleted_in_px_midway_goes_on_unseen_and_disturbs_nobody() {
    let live = Live::new(Workspace::with_script(TOUR), "--accounts 20 --people 200");
    live.publish("tour");
    live.look();
    let gone = live.people("tour")[0].px_id.clone().unwrap();
    live.workspace.write("delete.rhai", format!("px::remove(\"users\", \"{gone}\");"));
    live.workspace.tabi("exec delete.rhai").ended(0);
    assert!(live.sandbox.documents("px", "users").iter().all(|user| user["identifyId"] != *gone));
    live.days(24);
    let people = live.people("tour");
    let reason = |of: &str| people.iter().find(|one| one.px_id.as_deref() == Some(of)).unwrap().reason.clone();
    assert_eq!(reason(&gone).as_deref(), Some("not seen"), "nobody sees what is shown to nobody");
    let report = live.report("tour");
    let seen = people.iter().filter(|one| one.reason.as_deref() == Some("seen")).count() as u64;
    assert!(seen > 3 && people.iter().all(|one| one.state.is_over() || one.entered > people[0].entered), "{report:#}");
    assert_eq!(number(&report, "/engagements/0/viewed"), seen, "{report:#}");
}

#[test]
fn whoever_is_deleted_in_the_source_midway_keeps_their_place_and_what_was_known() {
    let script = r#"journey("trial", #{ model: "dynamic", participants: salesforce::object("Contact").limit(3), unique_on: "Id",
        steps: [wait("a day", days(1)), load_to_sfdc(#{ object: "Contact", fields: #{ Id: "Id", Title: "LastName" } }),
            send_email("hello", #{ template: "hello" }), drop("through")], every: "1h" });"#;
    let workspace = Workspace::with_script(script);
    workspace.write("scripts/templates/hello.txt", "Subject: Hello {{ last_name }}\nHello.\n");
    let live = Live::new(workspace, "--accounts 5 --people 20");
    live.publish("trial");
    live.look();
    let first = live.people("trial");
    let id = first[0].fields.get("Id").unwrap().to_string();
    live.workspace.write("delete.rhai", format!("salesforce::delete(\"Contact\", \"{id}\");"));
    live.workspace.tabi("exec delete.rhai").ended(0);
    live.days(2);
    let after = live.people("trial");
    for one in &first {
        let now = after.iter().find(|now| now.id == one.id).unwrap();
        assert_eq!(now.reason.as_deref(), Some("through"), "{now:?}");
    }
    let name = first[0].fields.get("LastName").unwrap().to_string();
    assert!(live.inbox().iter().any(|(_, subject)| *subject == format!("Hello {name}")), "{:?}", live.inbox());
    let shown: Value = serde_json::from_str(&live.workspace.tabi(&format!("journey show trial --person {id} --json")).ended(0).stdout).unwrap();
    let failed = shown[0]["timeline"].as_array().unwrap().iter().filter(|entry| entry["kind"] == "failed").count();
    assert_eq!(failed, 1, "the write to a record that is gone, and nothing else: {shown:#}");
}

/// Two journeys that hand out one survey to the same people.
fn rivals() -> String {
    let one = |name: &str| {
        format!(
            r#"journey("{name}", #{{ model: "nps", participants: px::object("users").limit(30), unique_on: "identifyId", email: "identifyId",
                steps: [survey("ask", #{{ survey: "In-app NPS", by: "px" }}),
                    wait_for("answered?", #{{ when: responded("ask"), within: days(15), then: [drop("answered")], otherwise: [drop("no answer")] }})],
            }});"#
        )
    };
    format!("{}{}", one("one"), one("two"))
}

fn answered(live: &Live, name: &str) -> BTreeSet<String> {
    live.people(name).into_iter().filter(|one| one.reason.as_deref() == Some("answered")).filter_map(|one| one.px_id).collect()
}

#[test]
fn of_two_journeys_at_one_survey_an_answer_counts_in_both_and_ends_both_audiences_b15() {
    let live = Live::new(Workspace::with_script(&rivals()), "--accounts 20 --people 200");
    live.publish("one");
    live.publish("two");
    live.look();
    live.days(18);
    let (one, two) = (answered(&live, "one"), answered(&live, "two"));
    assert!(!one.is_empty() && one == two, "{one:?} {two:?}");
    for name in ["one", "two"] {
        let report = live.report(name);
        assert_eq!(number(&report, "/surveys/0/responded"), one.len() as u64, "{report:#}");
    }
    let members = live.sandbox.documents("px", "membership");
    let audiences: BTreeSet<&str> = members.iter().map(|row| row["segmentId"].as_str().unwrap()).collect();
    assert_eq!(audiences.len(), 2, "an audience for each");
    assert!(members.iter().all(|row| !row["removedAt"].is_null()), "{members:?}");
}

#[test]
fn stopping_one_of_two_journeys_at_one_survey_leaves_the_other_as_it_was() {
    let live = Live::new(Workspace::with_script(&rivals()), "--accounts 20 --people 200");
    live.publish("one");
    live.publish("two");
    live.look();
    live.workspace.tabi("journey stop one").ended(0);
    live.days(18);
    assert_eq!(live.with(|_, session| session.store.program("one").unwrap().unwrap().status), ProgramStatus::Stopped);
    assert!(live.people("one").iter().all(|one| !one.state.is_over()), "whoever was in stands still");
    let report = live.report("two");
    let responded = number(&report, "/surveys/0/responded");
    assert!(responded > 0 && number(&report, "/participants/dropped") > responded, "{report:#}");
    let in_time = answered(&live, "two").len() as u64;
    assert!(0 < in_time && in_time <= responded, "an answer that comes after all is counted: {report:#}");
}

#[test]
fn a_clock_that_was_ahead_and_is_put_right_silences_no_schedule_and_no_cap() {
    let rules = |name: &str, score: &str, schedule: &str| {
        format!(
            r#"rule("{name}", #{{ from: salesforce::object("Account").limit(1), show: ["Id"], actions: [set_score("{score}", 20)], {schedule} }});"#
        )
    };
    let workspace =
        Workspace::with_script(&format!("{}\n{}", rules("daily", "Product usage", "daily: \"09:00\""), rules("hourly", "Support", "every: \"1h\"")));
    workspace.write("tabi.toml", "timezone = \"UTC\"\n");
    let at = |time: &str| {
        let said: std::sync::Arc<std::sync::Mutex<Vec<String>>> = std::sync::Arc::default();
        let saying = std::sync::Arc::clone(&said);
        let notify: tabi::flow::Notify = std::sync::Arc::new(move |notice| {
            if let tabi::flow::Notice::Warning { name, message } = notice
                && message.contains("the clock was ahead")
            {
                saying.lock().unwrap().push(name);
            }
        });
        let opened = tabi::host::Workspace::open(Some(&workspace.path()), true, tabi::host::clock::Clock::by_hand(time.parse().unwrap())).unwrap();
        let session = tabi::host::Session::open(&opened).unwrap();
        let ran = tabi::host::up::once(&opened, &session, &opened.load(), &notify, |_| ()).unwrap();
        session.close();
        (ran.into_iter().map(|summary| summary.name).collect::<Vec<_>>(), std::mem::take(&mut *said.lock().unwrap()))
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
    assert_eq!(at("2027-01-01T10:00:00Z"), (names(&["daily", "hourly"]), Vec::new()));
    assert_eq!(at("2026-03-01T10:00:00Z"), (Vec::new(), names(&["daily", "hourly"])), "it counts as run now, and that is said");
    assert_eq!(at("2026-03-01T11:00:00Z"), (names(&["hourly"]), Vec::new()));
    assert_eq!(at("2026-03-02T09:00:00Z"), (names(&["daily", "hourly"]), Vec::new()));
}
