//! `tabi test`: the workspace's own tests, and everything that can be wrong with them.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::Stdio,
};

use serde_json::Value;

use crate::support::{Ran, Workspace};

/// A workspace with one script and one test file.
fn workspace(script: &str, tests: &str) -> Workspace {
    let workspace = if script.is_empty() { Workspace::new() } else { Workspace::with_script(script) };
    workspace.write("tests/a_test.rhai", tests);
    workspace
}

/// The line of the only test of that name.
fn line(ran: &Ran, name: &str) -> Value {
    ran.of_type("test").into_iter().find(|line| line["name"] == name).unwrap_or_else(|| panic!("no test {name} in {}", ran.stdout))
}

fn only_summary(ran: &Ran) -> Value {
    ran.of_type("summary").remove(0)
}

/// Two waits, and a mail whose fate is waited for.
const JOURNEYS: &str = r#"
journey("trial", #{
    model: "dynamic",
    participants: [#{ email: "zoe@example.com", seats: 3 }],
    unique_on: "email",
    steps: [wait("a day", days(1)), wait("another day", days(1)), finish()],
});

journey("welcome", #{
    model: "onboarding",
    participants: [#{ email: "zoe@example.com", seats: 3 }],
    unique_on: "email",
    steps: [
        send_email("hello", #{ template: "hello" }),
        wait_for("arrived?", #{ when: bounced("hello"), within: days(7), then: [drop("bounced")], otherwise: [finish()] }),
    ],
});

mapping("people-to-contacts", #{
    from: gainsight::people(),
    to: salesforce::object("Contact"),
    match_on: #{ Email: "Email" },
    fields: #{ Email: "Email", LastName: |row| row.Name.split(" ").pop(), Title: |row| `${row.Name} of CS` },
    mode: "upsert",
});
"#;

fn journeys(tests: &str) -> Workspace {
    let workspace = workspace(JOURNEYS, tests);
    workspace.write("scripts/templates/hello.txt", "Subject: Hello, {{ email }}\nYou have {{ seats }} seats.\n");
    workspace
}

#[test]
fn the_repositorys_own_tests_pass() {
    let anywhere = Workspace::new();
    let ran = anywhere.tabi(&format!("test --json --workspace {}", env!("CARGO_MANIFEST_DIR"))).ended(0);
    let summary = only_summary(&ran);
    assert!(summary["tests"].as_u64().unwrap() >= 11, "{summary}");
    assert_eq!(summary["passed"], summary["tests"]);
    let files: std::collections::BTreeSet<String> = ran.of_type("test").iter().map(|test| test["file"].as_str().unwrap().to_owned()).collect();
    assert!(files.iter().all(|file| file.starts_with("tests/scripts/")), "fixtures are no tests: {files:?}");
}

#[test]
fn every_example_of_the_functions_of_tests_holds() {
    let only = ["test", "assert", "assert_eq", "assert_ne", "assert_close", "assert_throws", "snapshot", "run", "plan", "transform", "inject"];
    let mut text = String::new();
    let mut examples = 0;
    for entry in tabi::script::reference() {
        let ours = only.contains(&entry.name.as_str()) || ["clock", "sandbox", "journey"].contains(&entry.namespace.as_str());
        for (at, example) in entry.forms.iter().filter(|_| ours).flat_map(|form| &form.examples).enumerate() {
            examples += 1;
            // `run` is a step of journeys, too, and `test` stands at the top.
            match entry.name.as_str() {
                "run" if example.contains("run(\"note it\"") => (),
                "test" => text.extend([example, "\n"]),
                name => text.extend([format!("test(\"{name} {at}\", || {{\n{example}\n}});\n")]),
            }
        }
    }
    assert!(examples > 30, "{examples}");
    let ran = journeys(&text).tabi("test --update");
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.stdout, ran.stderr);
}

#[test]
fn a_failed_assertion_shows_its_line_both_values_and_what_differs() {
    let tests = "test(\"fails\", || {\n    let got = #{ name: \"Ana\", seats: 3 };\n    assert_eq(got, #{ name: \"Anna\", seats: 3 });\n});\n\ntest(\"holds\", || assert(1 < 2));\n";
    let workspace = workspace("", tests);
    let ran = workspace.tabi("test").ended(1);
    for expected in [
        "error[E0802]: the two values differ",
        "tests/a_test.rhai:3:5",
        "assert_eq(got, #{ name: \"Anna\", seats: 3 });",
        "^^^^^^^^^",
        " left: {\"name\":\"Ana\",\"seats\":3}",
        "right: {\"name\":\"Anna\",\"seats\":3}",
        ".name: \"Ana\" != \"Anna\"",
        "ok     holds",
        "1 passed, 1 failed",
    ] {
        assert!(ran.stdout.contains(expected), "no `{expected}` in\n{}", ran.stdout);
    }
    let failure = &line(&workspace.tabi("test --json").ended(1), "fails")["failure"];
    assert_eq!((&failure["line"], &failure["column"], &failure["code"]), (&3.into(), &5.into(), &"E0802".into()), "{failure}");
    assert_eq!(failure["difference"], serde_json::json!([".name: \"Ana\" != \"Anna\""]));
}

#[test]
fn no_try_catches_an_assertion_and_an_error_that_nobody_caught_fails_the_test() {
    let tests = r#"test("caught", || { try { assert(false, "told") } catch { } });
test("within a throw", || assert_throws(|| assert_eq(1, 2)));
test("thrown", || { throw "oh" });
test("another kind", || assert_throws(|| salesforce::query("SELECT"), "not_found"));
test("nothing thrown", || assert_throws(|| 1));
"#;
    let ran = workspace("", tests).tabi("test --json").ended(1);
    let message = |name: &str| line(&ran, name)["failure"]["message"].as_str().unwrap_or_default().to_owned();
    assert_eq!(message("caught"), "told");
    assert_eq!(message("within a throw"), "the two values differ");
    assert!(message("thrown").contains("oh"), "{}", message("thrown"));
    assert_eq!(line(&ran, "thrown")["failure"]["code"], "E0807");
    assert!(message("another kind").contains("kind `not_found` is wanted"), "{}", message("another kind"));
    assert!(message("nothing thrown").contains("nothing was thrown"), "{}", message("nothing thrown"));
}

#[test]
fn a_test_that_hangs_ends_with_its_place_and_the_others_are_told() {
    let tests = "test(\"loops\", || {\n    let n = 0;\n    loop { n += 1; if n > 10 { n = 0; } }\n});\ntest(\"waits\", || {\n    sandbox::faults(\"salesforce:timeout@1\");\n    salesforce::query(\"SELECT Id FROM Account\");\n});\ntest(\"holds\", || assert(true));\n";
    let ran = workspace("", tests).tabi("test --json --timeout 2").ended(1);
    for (name, at) in [("loops", 3), ("waits", 7)] {
        let test = line(&ran, name);
        assert_eq!(test["status"], "timed_out", "{test}");
        assert_eq!((&test["failure"]["code"], &test["failure"]["line"]), (&"E0803".into(), &at.into()), "{test}");
    }
    assert_eq!(line(&ran, "holds")["status"], "passed");
}

#[test]
fn a_file_that_does_not_compile_is_told_and_the_others_run() {
    let workspace = workspace("", "test(\"never\", || { assert(true \n");
    workspace.write("tests/good_test.rhai", "test(\"holds\", || assert(true));\n");
    let ran = workspace.tabi("test --json").ended(3);
    assert_eq!(ran.of_type("diagnostic")[0]["file"], "tests/a_test.rhai");
    assert_eq!(line(&ran, "holds")["status"], "passed");
    let summary = only_summary(&ran);
    assert_eq!((&summary["broken_files"], &summary["tests"]), (&1.into(), &1.into()), "{summary}");
}

#[test]
fn what_a_test_file_may_not_hold_is_told_with_its_place() {
    let tests = "test(\"same\", || assert(true));\ntest(\"same\", || assert(true));\ntest(\"with a parameter\", |x| assert(x));\nsalesforce::query(\"SELECT Id FROM Account\");\n";
    let ran = workspace("", tests).tabi("test --json").ended(3);
    let found: Vec<(String, u64)> =
        ran.of_type("diagnostic").iter().map(|d| (d["code"].as_str().unwrap().to_owned(), d["line"].as_u64().unwrap())).collect();
    for (code, line) in [("E0804", 2), ("E0207", 4)] {
        assert!(found.contains(&(code.to_owned(), line)), "no {code} at {line} in {found:?}");
    }
    assert!(found.iter().any(|(_, line)| *line == 3), "{found:?}");
    let ran = workspace("", "mapping(\"m\", #{ from: salesforce::object(\"Account\"), to: gainsight::object(\"Company\"), match_on: #{ A: \"Id\" }, fields: #{ B: \"Name\" } });\ntest(\"t\", || assert(true));\n").tabi("test --json").ended(3);
    assert_eq!(ran.of_type("diagnostic")[0]["code"], "E0309");
}

#[test]
fn a_script_that_calls_what_only_tests_have_is_told_by_check_and_by_exec() {
    let script = "test(\"t\", || assert(true));\nlet now = clock::now();\nfn mine(row) { assert(row.x > 0); row.x }\n";
    let workspace = workspace(script, "test(\"holds\", || assert(true));\n");
    let checked: Value = serde_json::from_str(&workspace.tabi("check --json").ended(3).stdout).unwrap();
    let lines: Vec<(&str, u64)> =
        checked["diagnostics"].as_array().unwrap().iter().map(|d| (d["code"].as_str().unwrap(), d["line"].as_u64().unwrap())).collect();
    for line in [1, 2, 3] {
        assert!(lines.contains(&("E0801", line)), "{lines:?}");
    }
    let ran = workspace.tabi("test").ended(3);
    assert!(ran.stdout.contains("exists only in tests") && ran.stdout.contains("no test was run"), "{}", ran.stdout);
    workspace.write("once.rhai", "assert_eq(1, 1);\n");
    let refused = workspace.tabi("exec once.rhai").ended(3);
    assert!(refused.stderr.contains("`assert_eq` exists only in tests"), "{}", refused.stderr);
    // A function of one's own by such a name is nobody else's business.
    workspace.write("once.rhai", "fn plan(x) { x + 1 }\nplan(1)\n");
    workspace.tabi("exec once.rhai").ended(0);
}

#[test]
fn an_assertion_that_a_declarations_closure_reaches_through_a_helper_fails_the_row_and_says_why() {
    let script = r#"import "../tests/helpers" as helpers;
mapping("names", #{
    from: gainsight::people(), to: salesforce::object("Contact"), match_on: #{ Email: "Email" },
    fields: #{ LastName: |row| helpers::checked(row.Name) }, mode: "upsert",
});"#;
    let tests = "test(\"rows fail\", || {\n    let all = run(\"names\");\n    assert_eq(all.status, \"partial\");\n    assert(all.rows[0].reason.contains(\"exists only in tests\"), all.rows[0].reason);\n});\n";
    let workspace = workspace(script, tests);
    workspace.write("tests/helpers.rhai", "fn checked(name) { assert(name.len() > 0); name }\n");
    workspace.tabi("test").ended(0);
}

#[test]
fn no_tests_and_a_filter_that_matches_none_are_said() {
    let none = Workspace::new();
    none.write("tests/helpers.rhai", "fn helper() { 1 }\n");
    assert!(none.tabi("test").ended(0).stdout.contains("No tests: files under tests/"));
    let workspace = workspace("", "test(\"holds\", || assert(true));\ntest(\"other\", || assert(false));\n");
    let ran = workspace.tabi("test nothing-like-it").ended(0);
    assert!(ran.stdout.contains("No test matches: 2 tests in 1 file."), "{}", ran.stdout);
    let ran = workspace.tabi("test --json holds").ended(0);
    let summary = only_summary(&ran);
    assert_eq!((&summary["tests"], &summary["filtered"]), (&1.into(), &1.into()));
    workspace.write("tests/a_test.rhai", "fn helper() { 1 }\n");
    assert_eq!(workspace.tabi("test --json").ended(3).of_type("diagnostic")[0]["code"], "E0805");
}

/// What would be seen by the others if they shared anything.
const ALONE: &str = r#"test("t{n}", || {
    assert_eq(state::get("n"), ());
    state::set("n", {n});
    assert_eq(clock::now().to_string(), "2026-01-05T09:00:00Z");
    clock::advance(days(3));
    assert_eq(clock::now().to_string(), "2026-01-08T09:00:00Z");
    sandbox::insert("salesforce", "Account", #{ Name: "only here" });
    assert_eq(salesforce::query("SELECT Id FROM Account WHERE Name = 'only here'").len(), 1);
});
"#;

#[test]
fn tests_do_not_see_each_other_and_are_told_in_the_order_they_are_written() {
    let tests: Vec<String> = (0..6).map(|n| ALONE.replace("{n}", &n.to_string())).collect();
    let ran = workspace("", &tests.concat()).tabi("test --json --jobs 4").ended(0);
    let names: Vec<Value> = ran.of_type("test").into_iter().map(|test| test["name"].clone()).collect();
    assert_eq!(names, ["t0", "t1", "t2", "t3", "t4", "t5"]);
}

#[test]
fn a_fault_that_is_injected_reaches_the_run_and_the_requests_tell_of_it() {
    let tests = r#"test("limit", || {
    inject("salesforce:limit@1");
    let summary = run("people-to-contacts");
    assert_eq(summary.status, "failed");
    assert_eq(summary.error.system, "salesforce");
    assert(sandbox::requests("salesforce").some(|one| one.fault == "limit"));
    assert_throws(|| inject("salesforce:nonsense@1"), "invalid");
});
"#;
    journeys(tests).tabi("test").ended(0);
}

#[test]
fn people_are_placed_events_are_fed_and_the_clock_jumps_from_timer_to_timer() {
    let tests = r#"test("two waits", || {
    let ana = journey::place("trial", #{ email: "Ana@example.com", seats: 10 });
    assert_eq([journey::step(ana), journey::state(ana)], ["a day", "waiting"]);
    journey::advance(hours(23));
    assert_eq(journey::step(ana), "a day");
    journey::advance(hours(1));
    assert_eq(journey::step(ana), "another day");
    journey::advance(days(1));
    assert_eq(journey::state(ana), "completed");
    let moved = journey::timeline(ana).filter(|entry| entry.kind == "ended").map(|entry| entry.at.to_string());
    assert_eq(moved, ["2026-01-07T09:00:00Z"]);
});
test("a month at once", || {
    let ana = journey::place("trial", #{ email: "ana@example.com", seats: 10 });
    journey::advance(days(30));
    let moved = journey::timeline(ana).filter(|entry| entry.kind == "ended").map(|entry| entry.at.to_string());
    assert_eq(moved, ["2026-01-07T09:00:00Z"]);
    assert_eq(clock::now().to_string(), "2026-02-04T09:00:00Z");
});
test("a mail and its bounce", || {
    let ana = journey::place("welcome", #{ email: "ana@example.com", seats: 10 });
    let ben = journey::place("welcome", #{ email: "ben@example.com", seats: 2 });
    assert(journey::mails(ana)[0].text.contains("You have 10 seats."));
    assert_eq(sandbox::inbox().len(), 2);
    assert_eq(journey::effects(ana).map(|one| [one.kind, one.step, one.state]), [["mail", "hello", "sent"]]);
    journey::event(ana, "bounced", "hello", #{ why: "the mailbox is full" });
    assert_eq([journey::state(ana), journey::reason(ana)], ["dropped", "bounced"]);
    assert_eq(journey::state(ben), "waiting");
    journey::advance(days(7));
    assert_eq(journey::state(ben), "completed");
});
test("placed at a step", || {
    let ana = journey::place("trial", #{ email: "ana@example.com" }, "another day");
    assert_eq(journey::step(ana), "another day");
    journey::advance(days(1));
    assert_eq(journey::state(ana), "completed");
});
test("the door", || {
    journey::place("trial", #{ email: "ana@example.com" });
    let twice = assert_throws(|| journey::place("trial", #{ email: "ANA@example.com" }), "invalid");
    assert(twice.message.contains("is in the journey already"), twice.message);
    let nobody = assert_throws(|| journey::place("trial", #{ seats: 1 }));
    assert(nobody.message.contains("no `email`"), nobody.message);
    let nowhere = assert_throws(|| journey::place("trial", #{ email: "b@example.com" }, "no such step"), "not_found");
    assert(nowhere.message.contains("a day"), nowhere.message);
    assert_throws(|| journey::place("no such journey", #{ email: "b@example.com" }), "not_found");
    let ana = journey::place("welcome", #{ email: "ana@example.com", seats: 1 });
    assert_throws(|| journey::event(ana, "danced", "hello"), "invalid");
    assert_throws(|| journey::event(ana, "sent", "no such step"), "not_found");
});
test("a source lets its own people in", || {
    journey::publish("trial");
    assert_eq(run("trial").created, 1);
});
"#;
    let ran = journeys(tests).tabi("test");
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.stdout, ran.stderr);
}

/// The README's journey.
const TOUR: &str = r#"
journey("tour", #{
    model: "onboarding",
    participants: px::object("users"),
    unique_on: "identifyId",
    email: "identifyId",
    steps: [
        send_email("welcome", #{ template: "welcome" }),
        engagement("tour", "Product tour"),
        wait_for("seen?", #{ when: viewed("tour"), within: days(7), then: [finish()], otherwise: [drop("never saw it")] }),
    ],
});
"#;

#[test]
fn engagements_of_px_are_seen_when_the_test_says_so_or_when_it_lets_people_live() {
    let tests = r#"test("told", || {
    let users = px::query("users");
    let ana = journey::place("tour", users[0]);
    journey::event(ana, "viewed", "tour");
    assert_eq(journey::state(ana), "completed");
    let ben = journey::place("tour", users[1]);
    assert_eq(journey::effects(ben).map(|one| one.kind), ["mail", "join"]);
    journey::advance(days(6));
    assert_eq(journey::state(ben), "waiting");
    journey::advance(days(1));
    assert_eq([journey::state(ben), journey::reason(ben)], ["dropped", "never saw it"]);
    assert_eq(journey::mails(ben).len(), 1);
});
test("lived", || {
    sandbox::set("px", #{ view_rate: 1.0, visit_probability: 1.0 });
    let people = px::query("users").extract(0, 10).map(|user| journey::place("tour", user));
    journey::advance(days(6));
    assert(people.some(|one| journey::state(one) == "completed"), "nobody has seen it in six days");
});
test("not in PX", || {
    let nobody = journey::place("tour", #{ identifyId: "nobody@nowhere.example" });
    assert_eq([journey::state(nobody), journey::reason(nobody)], ["failed", "Invalid PX user ID"]);
});
"#;
    let workspace = workspace(TOUR, tests);
    workspace.write("scripts/templates/welcome.txt", "Subject: Welcome\nHello {{ firstName }}.\n");
    let ran = workspace.tabi("test");
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.stdout, ran.stderr);
}

#[test]
fn snapshots_are_kept_compared_and_told_when_nobody_needs_them() {
    let workspace = workspace("", "test(\"kept\", || snapshot(\"a\", #{ n: 1, list: [1, 2] }));\n");
    let ran = workspace.tabi("test").ended(1);
    assert!(ran.stdout.contains("there is no snapshot \"a\" yet") && ran.stdout.contains("--update"), "{}", ran.stdout);
    workspace.tabi("test --update").ended(0);
    let kept = std::fs::read_to_string(workspace.path().join("tests/snapshots/a_test/a.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&kept).unwrap(), serde_json::json!({"n": 1, "list": [1, 2]}));
    workspace.tabi("test").ended(0);
    workspace.write("tests/a_test.rhai", "test(\"kept\", || snapshot(\"a\", #{ n: 2, list: [1, 2] }));\n");
    let ran = workspace.tabi("test").ended(1);
    assert!(ran.stdout.contains("error[E0806]"), "{}", ran.stdout);
    assert!(ran.stdout.contains("-   \"n\": 1") && ran.stdout.contains("+   \"n\": 2"), "{}", ran.stdout);
    workspace.write("tests/a_test.rhai", "test(\"kept\", || assert(true));\n");
    assert_eq!(only_summary(&workspace.tabi("test --json").ended(0))["unused_snapshots"], serde_json::json!(["tests/snapshots/a_test/a.json"]));
    workspace.tabi("test --update").ended(0);
    assert!(!workspace.path().join("tests/snapshots/a_test/a.json").exists());
    workspace.write("tests/a_test.rhai", "test(\"outside\", || snapshot(\"../../../a\", 1));\n");
    assert!(workspace.tabi("test --update").ended(1).stdout.contains("cannot be the name of a snapshot"));
}

#[test]
fn junit_holds_every_test_and_every_broken_file() {
    let workspace = workspace("", "test(\"holds & <more>\", || print(\"said\"));\ntest(\"fails\", || assert_eq(\"<a>\", \"b\"));\n");
    workspace.write("tests/broken_test.rhai", "test(\"x\", || {\n");
    workspace.tabi("test --junit out.xml").ended(3);
    let text = std::fs::read_to_string(workspace.path().join("out.xml")).unwrap();
    let mut reader = quick_xml::Reader::from_str(&text);
    let mut names = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Start(tag) => names.push(tag.name().as_ref().to_owned()),
            quick_xml::events::Event::Eof => break,
            _ => (),
        }
    }
    let count = |name: &str| names.iter().filter(|known| *known == name).count();
    assert_eq!([count("testsuite"), count("testcase"), count("failure"), count("error"), count("system-out")], [2, 3, 1, 1, 1], "{text}");
    assert!(text.contains("holds &amp; &lt;more&gt;"), "{text}");
}

#[test]
fn a_save_runs_the_tests_again() {
    let workspace = workspace("", "test(\"first\", || assert(true));\n");
    let mut child = workspace.command("test --watch --json").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next_name = || loop {
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        if line["type"] == "test" {
            return line["name"].as_str().unwrap().to_owned();
        }
    };
    assert_eq!(next_name(), "first");
    workspace.write("tests/a_test.rhai", "test(\"second\", || assert(true));\n");
    assert_eq!(next_name(), "second");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_new_workspace_has_tests_that_pass() {
    let workspace = Workspace::new();
    workspace.tabi("init fresh").ended(0);
    let summary = only_summary(&workspace.tabi("test --json --workspace fresh").ended(0));
    assert!(summary["passed"].as_u64().unwrap() > 0 && Path::new(&workspace.path()).join("fresh/tests/usage_test.rhai").is_file(), "{summary}");
}
