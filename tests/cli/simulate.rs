//! `tabi simulate`: a quarter of a year in seconds, the same for one seed, and warnings of what is likely to be a mistake.

use serde_json::Value;

use crate::support::Workspace;

/// Users of PX, who get a mail and a tour.
fn journey(steps: &str, more: &str) -> Workspace {
    let script = format!(
        r#"journey("trial", #{{ model: "dynamic", participants: px::object("users").limit(120), unique_on: "identifyId",
            email: "identifyId", px_id: "identifyId", company: "accountId", {more} steps: [{steps}] }});"#
    );
    let workspace = Workspace::with_script(&script);
    workspace.write("scripts/templates/hello.txt", "Subject: Hello\nHello {{ firstName }}.\n");
    workspace
}

const TOUR: &str = r#"send_email("hello", #{ template: "hello" }), wait("a day", days(1)), engagement("tour", "Product tour"),
    wait_for("done?", #{ when: completed("tour"), within: days(7), then: [finish()], otherwise: [drop("not done")] })"#;

fn simulate(workspace: &Workspace, args: &str) -> Value {
    serde_json::from_str(&workspace.tabi(&format!("simulate trial --json --participants 100 --days 30 {args}")).ended(0).stdout).unwrap()
}

/// What must not differ.
fn told(mut document: Value) -> String {
    document.as_object_mut().unwrap().remove("wall_seconds").expect("it says how long it took");
    document.to_string()
}

fn warned(document: &Value, of: &str) -> bool {
    document["warnings"].as_array().unwrap().iter().any(|warning| warning.as_str().unwrap().contains(of))
}

#[test]
fn one_seed_tells_one_story_and_another_one_another() {
    let workspace = journey(TOUR, "");
    let first = simulate(&workspace, "");
    assert_eq!(told(first.clone()), told(simulate(&workspace, "")), "byte for byte");
    assert_ne!(told(first.clone()), told(simulate(&workspace, "--seed 2")));
    for key in ["name", "status", "revision", "participants", "failed_reasons", "engagements", "surveys", "emails", "virtual_days", "seed", "events"]
    {
        assert!(!first[key].is_null(), "{key}: {first}");
    }
    assert_eq!((&first["virtual_days"], &first["seed"]), (&30.into(), &1.into()));
    let n = |part: &str, field: &str| first[part][0][field].as_u64().unwrap();
    assert_eq!(n("emails", "sent"), 100, "{first}");
    assert!((1..100).contains(&n("emails", "opened")) && (1..100).contains(&n("engagements", "completed")), "{first}");
    let day = &first["calendar"][0];
    assert_eq!((&day["day"], &day["mails"], &day["steps"]["hello"]), (&"2026-01-05".into(), &100.into(), &100.into()));
    assert_eq!(first["calendar"][1]["engagements"], 100, "the tour a day later");
}

/// The README shows what the command says; only how long it took differs.
#[test]
fn the_readme_shows_the_examples_own_simulation() {
    const COMMAND: &str = "simulate new-customer-onboarding --participants 500";
    let readme = include_str!("../../README.md");
    let block = readme.split("```console\n").find_map(|block| block.strip_prefix(&format!("$ tabi {COMMAND}\n")));
    let shown = block.and_then(|block| block.split("```").next()).expect("the README has the transcript");
    let workspace = Workspace::with_examples(&["onboarding.rhai", "templates"]);
    let told = workspace.tabi(COMMAND).ended(0).stdout;
    assert_eq!(without_time(&told), without_time(shown), "the README is to say:\n{told}");
}

fn without_time(told: &str) -> String {
    let (first, rest) = told.split_once('\n').unwrap();
    format!("{}\n{}", first.rsplit_once(", in ").expect("the first line ends with the time").0, rest.trim_end())
}

#[test]
fn people_respond_as_they_are_told_to() {
    let workspace = journey(TOUR, "");
    let opened = |rate: &str| simulate(&workspace, &format!("--set open_rate={rate}"))["emails"][0]["opened"].clone();
    assert_eq!((opened("0"), opened("1")), (0.into(), 100.into()));
    let refused = workspace.tabi("simulate trial --set opne_rate=1").ended(2);
    assert!(refused.stderr.contains("opne_rate") && refused.stderr.contains("unsubscribe_rate"), "{}", refused.stderr);
    assert!(workspace.tabi("simulate trial --set open_rate=2").ended(2).stderr.contains("from 0 to 1"));
    assert!(workspace.tabi("simulate trail").ended(2).stderr.contains("trial"));
}

#[test]
fn a_draft_is_simulated_and_nothing_of_the_workspace_is_touched() {
    let workspace = journey(TOUR, "");
    simulate(&workspace, "");
    assert!(!workspace.path().join(".tabi/state.db").exists() && !workspace.path().join(".tabi/sandbox").exists());
    let shown = workspace.tabi("simulate trial --participants 100 --days 30").ended(0).stdout;
    assert!(shown.contains("sends by week") && shown.contains("what happened"), "{shown}");
}

#[test]
fn a_way_that_nobody_takes_is_told() {
    let steps = r#"branch("many?", #{ when: field("numberOfVisits", "<", 0), then: [drop("few")], otherwise: [finish()] })"#;
    let simulated = simulate(&journey(steps, ""), "");
    assert!(warned(&simulated, "nobody ever left \"many?\" by arm 1"), "{}", simulated["warnings"]);
    assert!(!warned(&simulate(&journey(TOUR, ""), ""), "nobody ever left"));
}

#[test]
fn what_is_put_off_or_never_goes_out_is_told() {
    let steps = r#"send_email("hello", #{ template: "hello" }), wait("a day", days(1)), send_email("again", #{ template: "hello" })"#;
    let quiet = simulate(&journey(steps, r#"quiet_hours: ["08:00", "10:00"],"#), "");
    assert!(warned(&quiet, "\"hello\" was put off for 100 of 100 people"), "{}", quiet["warnings"]);
    let capped = simulate(&journey(steps, "cap: #{ messages: 1, within: days(60) },"), "");
    assert!(warned(&capped, "\"again\" never went out to 100 people"), "{}", capped["warnings"]);
}

#[test]
fn a_wait_that_never_ends_and_a_journey_without_people_are_told() {
    let waiting = simulate(&journey(r#"wait("long", days(60)), finish()"#, ""), "");
    assert!(warned(&waiting, "the wait \"long\" ended for nobody"), "{}", waiting["warnings"]);
    let nobody = simulate(&journey(TOUR, "filter: |p| false,"), "");
    assert!(warned(&nobody, "nobody came in"), "{}", nobody["warnings"]);
}

#[test]
fn a_template_that_fails_is_told_with_its_reason() {
    let workspace = journey(TOUR, "");
    workspace.write("scripts/templates/hello.txt", "Subject: Hello\nHello {{ nickname }}.\n");
    let simulated = simulate(&workspace, "");
    assert!(warned(&simulated, "the mail \"hello\" failed for 100") && warned(&simulated, "nickname"), "{}", simulated["warnings"]);
}

/// What a simulation forgets on its way is nothing that its report counts.
/// Answers to a reminder that goes by mail are answers to the survey that it reminds of.
#[test]
fn every_answer_is_counted_with_its_score_b16() {
    let workspace = Workspace::with_examples(&["nps.rhai", "templates"]);
    let told = workspace.tabi("simulate nps-in-app --participants 300 --days 30 --json").ended(0);
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    let survey = &told["surveys"][0];
    let scores: u64 = survey["scores"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    assert!(scores > 20 && survey["responded"] == scores, "{survey}");
    let mail = told["emails"].as_array().unwrap().iter().find(|mail| mail["step"] == "by mail").unwrap();
    assert!(mail["sent"].as_u64().unwrap() > 100 && mail["failed"] == 0, "{mail}");
    assert!(!warned(&told, "by mail\" failed") && !warned(&told, "answered at last?"), "somebody answers the mail: {told}");
}

/// The journeys of the examples, each as it stands.
#[test]
fn every_use_case_is_simulated_b19() {
    let workspace = Workspace::with_examples(&["onboarding.rhai", "release_video.rhai", "nps.rhai", "csat_after_case.rhai", "templates"]);
    for name in ["new-customer-onboarding", "release-video", "nps-in-app", "csat-after-case"] {
        let told = workspace.tabi(&format!("simulate {name} --days 12 --json")).ended(0);
        let told: Value = serde_json::from_str(&told.stdout).unwrap();
        let n = |what: &str| told["participants"][what].as_u64().unwrap();
        assert!(n("active") + n("waiting") + n("completed") + n("dropped") > 10, "{told}");
        assert!(!warned(&told, "failed for") && !warned(&told, "nobody came"), "{told}");
    }
}

/// A day that a script counts from is the virtual one.
#[test]
fn the_rule_date_is_the_virtual_day() {
    let script = r#"journey("trial", #{
        model: "dynamic",
        participants: salesforce::object("Account").filter(#{ lately: ["CreatedDate", "<=", rule_date() + days(1)] })
            .limit(40).filter(|a| a.Id != () && rule_date() >= date("2026-01-07")),
        unique_on: "Id",
        every: "1d",
        steps: [set_field("mark", #{ day: |a| `${rule_date()}` }), branch("which?", #{ arms: ARMS })],
    });"#;
    let arms = r#"[#{ when: field("day", "=", "2026-01-07"), then: [drop("on time")] }]"#;
    let workspace = Workspace::with_script(&script.replace("ARMS", arms));
    let told: Value = serde_json::from_str(&workspace.tabi("simulate trial --days 6 --json").ended(0).stdout).unwrap();
    let step = told["steps"].as_array().unwrap().iter().find(|step| step["step"] == "drop on time").unwrap();
    assert!(step["reached"].as_u64().unwrap() > 10, "{told}");
}
