//! Who gets what, and who does not: people who failed, conditions on the day, negations, messages whose reason is gone. (B6, B7, B11)

use crate::support::Workspace;

use super::journeys::{Bench, START, script};

const SCRIPTS: &str = r#"
fn mail(name, more) { send_email(name, #{ template: "a" }) }
let used = #{ used: |p| p.active * 100 / p.seats };
journey("again", #{ participants: [#{ email: "ana@ex.example", first_name: "Ana", active: 1, seats: 0 }, #{ email: "ben@ex.example", first_name: "Ben", active: 1, seats: 0.0 }], calculated: used,
  steps: [mail("hello", 1), wait_for("full?", #{ when: calculated("used", ">=", 80), within: days(7), then: [finish()], otherwise: [] })] });
journey("later", #{ participants: [#{ email: "ana@ex.example", first_name: "Ana", active: 1, seats: 0 }], calculated: used, reentry: days(2),
  steps: [mail("hello", 1), wait_for("full?", #{ when: calculated("used", ">=", 80), within: days(7), then: [finish()], otherwise: [] })] });

// Each wait asks its condition about the mail `m`; `then` is a drop, so that the reason tells the way that was taken.
fn waiting(name, condition) {
  journey(name, #{ participants: [], steps: [send_email("m", #{ template: "a" }),
    wait_for("w", #{ when: condition, within: days(2), then: [drop("then")], otherwise: [drop("otherwise")] })] });
}
waiting("opened", opened("m"));
waiting("not-opened", not_(opened("m")));
waiting("not-not-opened", not_(not_(opened("m"))));
waiting("clicked-not-opened", all_of([clicked("m"), not_(opened("m"))]));
waiting("clicked-or-not-opened", any_of([clicked("m"), not_(opened("m"))]));
waiting("neither", not_(any_of([clicked("m"), opened("m")])));

journey("by-the-day", #{ participants: [], unique_on: "uid", steps: [branch("b", #{ arms: [
  #{ when: field("renewal", "<=", rule_date() + days(30)), then: [drop("near")] },
  #{ when: field("renewal", ">", rule_date() + days(30)), then: [drop("far")] } ], otherwise: [drop("unknown")] })] });
journey("comes-near", #{ participants: [], unique_on: "uid", steps: [wait_for("w", #{ when: field("renewal", "<=", rule_date() + days(3)), within: days(20),
  then: [drop("near")], otherwise: [drop("too late")] })] });
journey("leaves-by-day", #{ participants: [], unique_on: "uid", exit: not_(field("renewal", ">", rule_date())), steps: [wait("w", days(20))] });

journey("reminded", #{ model: "nps", participants: [], steps: [
  survey("ask", #{ survey: "NPS Q1", by: "email", template: "ask", kind: "nps" }),
  wait_for("answered?", #{ when: responded("ask"), within: days(1), then: [finish()], otherwise: [remind("again", #{ of: "ask", by: "email", template: "ask" })] }),
  wait("after", days(9)) ] });
journey("left", #{ participants: [], exit: clicked("m1"), steps: [mail("m1", 1), wait("w", days(1)), mail("m2", 1), wait("w2", days(9))] });
journey("goodbye", #{ participants: [], steps: [mail("m1", 1), wait("w", days(1)), mail("m2", 1), drop("the end")] });
journey("contacts", #{ participants: salesforce::object("Contact").filter(|p| p.Title == "Onboarding"), exit: field("Title", "!=", "Onboarding"),
  steps: [send_email("m1", #{ template: "a", data: #{ first_name: field("FirstName") } }), wait("w", days(3)),
    send_email("m2", #{ template: "a", data: #{ first_name: field("FirstName") } }), wait("w2", days(9))] });
journey("two-mails", #{ participants: [], steps: [mail("m1", 1), wait("w", days(1)), mail("m2", 1), wait("w2", days(9))] });
"#;

const TESTS: &str = r#"
fn to(who) { sandbox::inbox().filter(|m| `${m.to}`.contains(who)).len() }
fn here(n) { #{ email: `p${n}@ex.example`, first_name: `P${n}` } }
test("who failed on a step has taken part", || {
    journey::publish("again"); journey::publish("later");
    for hour in 0..4 { run("again"); run("later"); clock::advance(hours(1)); }
    assert_eq([to("ana@"), to("ben@")], [2, 1]);
    clock::advance(days(2)); run("again"); run("later");
    assert_eq([to("ana@"), to("ben@")], [3, 1]);
});
test("a condition is judged when nothing can change it any more, and else at the end", || {
    // What happens on the first day; what is known after it, and at the end.
    let cases = [
        ["opened", [], "", "otherwise"], ["opened", ["opened"], "then", "then"],
        ["not-opened", [], "", "then"], ["not-opened", ["opened"], "", "otherwise"],
        ["not-not-opened", [], "", "otherwise"], ["not-not-opened", ["opened"], "then", "then"],
        ["clicked-not-opened", ["clicked"], "", "then"], ["clicked-not-opened", ["clicked", "opened"], "", "otherwise"],
        ["clicked-or-not-opened", [], "", "then"], ["clicked-or-not-opened", ["clicked"], "then", "then"], ["clicked-or-not-opened", ["opened"], "", "otherwise"],
        ["neither", [], "", "then"], ["neither", ["clicked"], "", "otherwise"],
    ];
    let people = cases.map(|one| journey::place(one[0], here(one[0].len() * 100 + one[1].len() * 10 + one[2].len())));
    for (one, n) in cases { for kind in one[1] { journey::event(people[n], kind, "m"); } }
    journey::advance(days(1));
    for (one, n) in cases { assert_eq([one[0], `${one[1]}`, one[2]], [one[0], `${one[1]}`, reason(people[n])]); }
    journey::advance(days(1));
    for (one, n) in cases { assert_eq([one[0], `${one[1]}`, one[3]], [one[0], `${one[1]}`, reason(people[n])]); }
});
fn reason(one) { let why = journey::reason(one); if why == () { "" } else { why } }
test("a condition on the rule date is asked on each day", || {
    let person = |n, on| #{ uid: `${n}`, email: `d${n}@ex.example`, renewal: date(on) };
    clock::set("2026-06-01T09:00:00Z"); let today = date("2026-06-01");
    let near = journey::place("by-the-day", #{ uid: "1", email: "d1@ex.example", renewal: today + days(30) });
    let far = journey::place("by-the-day", #{ uid: "2", email: "d2@ex.example", renewal: today + days(31) });
    assert_eq([journey::reason(near), journey::reason(far)], ["near", "far"]);
    let comes = journey::place("comes-near", #{ uid: "3", email: "d3@ex.example", renewal: today + days(6) });
    let stays = journey::place("comes-near", #{ uid: "4", email: "d4@ex.example", renewal: today + days(60) });
    let leaves = journey::place("leaves-by-day", #{ uid: "5", email: "d5@ex.example", renewal: today + days(2) });
    journey::advance(days(1));
    assert_eq([comes, stays, leaves].map(|one| journey::state(one)), ["waiting", "waiting", "waiting"]);
    journey::advance(days(3));
    assert_eq([comes, leaves].map(|one| journey::state(one)), ["dropped", "dropped"]);
    assert_eq([journey::reason(comes), journey::state(stays)], ["near", "waiting"]);
    journey::advance(days(16));
    assert_eq(journey::reason(stays), "too late");
});
test("what waits in the outbox goes out only while it has a reason", || {
    let people = ["reminded", "left", "goodbye"].map(|name| journey::place(name, here(name.len())));
    let others = ["reminded", "left"].map(|name| journey::place(name, here(50 + name.len())));
    sandbox::faults("mail:503@1");
    journey::advance(days(1));
    journey::event(people[0], "responded", "ask", #{ score: 9 });
    journey::event(people[1], "clicked", "m1");
    sandbox::faults("");
    journey::advance(days(2));
    assert_eq(people.map(|one| journey::mails(one).len()), [1, 1, 2]);
    assert_eq(others.map(|one| journey::mails(one).len()), [2, 2]);
});
test("an address that is corrected in the source follows the person", || {
    let some = salesforce::query("SELECT Id, Email FROM Contact LIMIT 2");
    for one in some { salesforce::update("Contact", one.Id, #{ Title: "Onboarding" }); }
    journey::publish("contacts");
    run("contacts"); clock::advance(days(1));
    salesforce::update("Contact", some[0].Id, #{ Email: "new.address@ex.example" });
    run("contacts"); clock::advance(days(5)); run("contacts");
    assert_eq([to(some[0].Email), to("new.address@"), to(some[1].Email)], [1, 1, 2]);
});
test("whoever unsubscribed or bounced in a test gets no more mail from any journey", || {
    for kind in ["unsubscribed", "bounced"] {
        let one = journey::place("two-mails", #{ email: `q${kind.len()}@ex.example`, first_name: kind });
        journey::event(one, kind, "m1");
        let other = journey::place("goodbye", #{ email: `q${kind.len()}@ex.example`, first_name: kind });
        journey::advance(days(2));
        // Both list what went to the address: the first mail, and no other one.
        assert_eq([journey::mails(one).len(), journey::mails(other).len(), journey::state(other)], [1, 1, "dropped"]);
    }
});
"#;

#[test]
fn nobody_gets_what_does_not_concern_them() {
    let workspace = Workspace::with_script(SCRIPTS);
    workspace.write("scripts/templates/a.txt", "Subject: a\nHello {{ first_name }}\n");
    workspace.write(
        "scripts/templates/ask.html",
        "Subject: ask\n<p>{% if survey %}{% for one in survey.scores %}<a href=\"{{ one.url }}\">{{ one.score }}</a>{% endfor %}{% endif %}</p>\n",
    );
    workspace.write("tests/people_test.rhai", TESTS);
    let ran = workspace.tabi("test");
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.stdout, ran.stderr);
}

#[test]
fn a_pause_moves_every_deadline_and_what_comes_after_the_limit_is_too_late() {
    let bench = Bench::new(&script(
        r#"wait_for("full?", #{ when: field("seats", ">", 10), within: days(7), then: [drop("then")], otherwise: [drop("otherwise")] })"#,
        "",
    ));
    bench.publish();
    bench.at(START);
    let operate = |time: &str, wanted| {
        bench.clock.set(time.parse().unwrap());
        bench.with(|opened, session| tabi::flow::journey::operate(&session.store, "trial", wanted, opened.clock.now()).unwrap());
    };
    operate("2026-12-02T09:00:00Z", tabi::store::ProgramStatus::Paused);
    operate("2026-12-07T09:00:00Z", tabi::store::ProgramStatus::Active);
    let dues = || {
        bench.with(|_, session| {
            let all = session.store.participants("trial", &tabi::store::ParticipantFilter::default()).unwrap();
            all.into_iter().map(|one| one.due.map(|due| due.to_string()).unwrap_or_default()).collect::<Vec<_>>()
        })
    };
    // Something that they do not wait for.
    let stirred = |n: i64, time: &str| {
        bench.clock.set(time.parse().unwrap());
        bench.with(|opened, session| {
            let now = opened.clock.now();
            let people = session.store.participants("trial", &tabi::store::ParticipantFilter::default()).unwrap();
            let event = |one: &tabi::store::Participant| tabi::store::NewEvent {
                key: format!("{n}/{}", one.id),
                participant: one.id,
                kind: tabi::model::EventKind::Opened,
                step: "full?".into(),
                at: now,
                received: now,
                payload: tabi::model::Record::new(),
            };
            session.store.receive(&people.iter().map(event).collect::<Vec<_>>()).unwrap();
        });
        bench.at(time)
    };
    assert_eq!(dues(), ["2026-12-13T09:00:00Z"; 2]);
    stirred(1, "2026-12-09T09:00:00Z");
    assert_eq!(dues(), ["2026-12-13T09:00:00Z"; 2], "what is told stays");
    operate("2026-12-10T09:00:00Z", tabi::store::ProgramStatus::Paused);
    operate("2026-12-11T09:00:00Z", tabi::store::ProgramStatus::Active);
    stirred(2, "2026-12-14T08:59:59Z");
    assert_eq!(dues(), ["2026-12-14T09:00:00Z"; 2]);
    bench.at("2026-12-14T09:00:00Z");
    assert!(bench.people().iter().all(|(_, state, _)| *state == "dropped"), "{:?}", bench.people());
}

#[test]
fn a_journey_that_no_file_declares_is_seen_and_keeps_its_people_under_another_name() {
    let journey = |name: &str| format!(r#"journey("{name}", #{{ participants: [], steps: [ wait("w", days(5)) ] }});"#);
    let workspace = Workspace::with_script(&journey("five"));
    workspace.tabi("journey publish five --yes").ended(0);
    workspace.tabi("journey add five --set email=ana@ex.example").ended(0);
    workspace.write("scripts/script.rhai", journey("six"));
    let listed = workspace.tabi("journey list").ended(0);
    assert!(listed.stdout.contains("no file declares `five` any more"), "{}", listed.stdout);
    let report = workspace.tabi("journey report five --json").ended(0);
    assert!(report.stdout.contains("\"name\":\"five\"") && report.stdout.contains("\"active\":1"), "{}", report.stdout);
    assert!(workspace.tabi("journey show five --person ana").ended(0).stdout.contains("ana@ex.example participant 1"));
    let refused = workspace.tabi("journey publish six --yes").ended(2);
    assert!(refused.stderr.contains("--move five=six"), "{}", refused.stderr);
    workspace.tabi("journey publish six --yes --move four=six").ended(2);
    workspace.tabi("journey publish six --yes --move five=six").ended(0);
    let shown = workspace.tabi("journey show six --person ana").ended(0);
    assert!(shown.stdout.contains("ana@ex.example participant 1") && shown.stdout.contains("entered"), "{}", shown.stdout);
    let listed = workspace.tabi("journey list").ended(0);
    assert!(!listed.stdout.contains("five") && listed.stdout.contains("six"), "{}", listed.stdout);
}
