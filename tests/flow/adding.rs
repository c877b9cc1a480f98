//! People added by hand or from a list, and what became of each. (B8)

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
    time::Duration,
};

use serde_json::{Value, json};
use tabi::{
    connectors::Stop,
    host::{
        Error,
        clock::Clock,
        turn::{Patience, turn},
    },
    store::{Lease, Store, Take},
};

use crate::support::{Ran, Sandbox, Workspace};

/// Nobody comes by themselves but Ana.
fn published(steps: &str, more: &str) -> Workspace {
    let workspace = Workspace::with_script(&format!(
        r#"journey("trial", #{{
            model: "dynamic",
            participants: [#{{ email: "ana@example.com", seats: 10 }}],
            unique_on: "email",
            {more}
            steps: [{steps}],
        }});"#
    ));
    workspace.tabi("journey publish trial --yes").ended(0);
    workspace.tabi("up --once").ended(0);
    workspace
}

fn told(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

/// Person, what became of them, and why.
fn rows(ran: &Ran) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    told(ran)["rows"].as_array().unwrap().iter().map(|row| (text(&row["person"]), text(&row["became"]), text(&row["reason"]))).collect()
}

fn person(workspace: &Workspace, who: &str) -> Value {
    let shown = workspace.tabi(&format!("journey show trial --person {who} --json"));
    serde_json::from_str::<Value>(&shown.stdout).unwrap()[0].clone()
}

fn report(workspace: &Workspace) -> Value {
    serde_json::from_str(&workspace.tabi("journey report trial --json").ended(0).stdout).unwrap()
}

#[test]
fn a_list_is_explained_row_by_row_and_a_second_time_changes_nothing_b8() {
    let workspace = published(r#"wait("a day", days(1)), finish()"#, "");
    let list = "\u{feff}email;seats;code\nAna@Example.com ;5;1\nben@example.com;4;007\n;3;1\nBEN@example.com;2;1\ncy@example.com;1.50\n";
    workspace.write("people.csv", list);
    let plan = workspace.tabi("journey add trial people.csv --plan --json").ended(1);
    assert_eq!(told(&plan)["entered"], 1);
    assert_eq!(report(&workspace)["participants"]["waiting"], 1, "a plan adds nobody");

    let added = workspace.tabi("journey add trial people.csv --json").ended(1);
    let expected = [
        ("ana@example.com", "stayed", "is in the journey already (waiting)"),
        ("ben@example.com", "entered", ""),
        ("", "failed", "has no `email`, which tells people apart"),
        ("ben@example.com", "stayed", "is the same person as in row 2"),
        ("", "failed", "has 2 cells where the first line has 3"),
    ];
    assert_eq!(rows(&added), expected.map(|(who, became, why)| (who.to_owned(), became.to_owned(), why.to_owned())));
    let ben = person(&workspace, "ben");
    assert_eq!(ben["fields"], json!({"email": "ben@example.com", "seats": 4, "code": "007"}));
    assert_eq!((&ben["timeline"][0]["kind"], &ben["timeline"][0]["detail"]["by"]), (&json!("entered"), &json!("hand")));
    assert_eq!(person(&workspace, "ana")["fields"]["seats"], 10, "who is in stays as they are");

    workspace.tabi("up --once").ended(0);
    assert_eq!(report(&workspace)["participants"]["waiting"], 2, "added people go the way of all");
    let again = told(&workspace.tabi("journey add trial people.csv --json").ended(1));
    assert_eq!((&again["entered"], &again["stayed"], &again["failed"]), (&json!(0), &json!(3), &json!(2)));
}

#[test]
fn whoever_is_named_in_full_is_shown_alone_and_more_than_are_shown_are_told_b8() {
    let workspace = published(r#"wait("a day", days(1)), finish()"#, "");
    let many: Vec<String> = (0..20).map(|n| format!("dan{n}.ana@example.com")).collect();
    workspace.write("people.csv", format!("email\ndiana@example.com\n{}\n", many.join("\n")));
    workspace.tabi("journey add trial people.csv").ended(0);
    let show = |who: &str| workspace.tabi(&format!("journey show trial --person {who} --json")).ended(0);
    let emails = |ran: &Ran| told(ran).as_array().unwrap().iter().map(|one| one["email"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let ana = show("Ana@example.com");
    assert_eq!((emails(&ana), ana.stderr.as_str()), (vec!["ana@example.com".to_owned()], ""), "diana is somebody else");
    let all = show("ana@");
    assert_eq!(emails(&all).len(), 20);
    assert!(all.stderr.contains("`ana@` is found in more people than the 20 shown"), "{all:?}");
    let twenty = show("dan");
    assert_eq!((emails(&twenty).len(), twenty.stderr.as_str()), (20, ""));
}

#[test]
fn whoever_has_been_through_comes_again_only_where_the_journey_says_so_b8() {
    let once = published("finish()", "");
    let again = once.tabi("journey add trial --set email=ana@example.com --json").ended(0);
    assert!(rows(&again)[0].2.contains("nobody enters it twice"), "{again:?}");
    let twice = published("finish()", r#"reentry: "after_end","#);
    let again = twice.tabi("journey add trial --set email=ana@example.com --set seats=2.50 --json").ended(0);
    assert_eq!(rows(&again), [("ana@example.com".to_owned(), "entered".to_owned(), String::new())]);
    let shown: Value = serde_json::from_str(&twice.tabi("journey show trial --person ana --json").ended(0).stdout).unwrap();
    let seats: Vec<&Value> = shown.as_array().unwrap().iter().map(|one| &one["fields"]["seats"]).collect();
    assert_eq!(seats, [&json!(10), &json!(2.5)], "two participations");
}

#[test]
fn whoever_px_does_not_know_is_a_failed_participant_once_b8() {
    let workspace = Workspace::with_script(
        r#"journey("trial", #{ model: "onboarding", participants: [], unique_on: "email", px_id: "email",
            steps: [engagement("tour", "Product tour"), wait("a day", days(1))] });"#,
    );
    let sandbox = Sandbox::start(&workspace, "--accounts 5 --people 20");
    workspace.tabi("journey publish trial --yes").ended(0);
    let known = sandbox.documents("px", "users")[0]["identifyId"].as_str().unwrap().to_owned();
    workspace.write("people.json", json!([{"email": known}, {"email": "nobody@nowhere.example"}, 5]).to_string());
    for entered in [1, 0] {
        let added = workspace.tabi("journey add trial people.json --json").ended(1);
        assert_eq!(told(&added)["entered"], entered);
        assert_eq!(rows(&added)[1].2, "Invalid PX user ID");
        assert!(rows(&added)[2].2.contains("no map of fields"), "{added:?}");
    }
    workspace.tabi("up --once").ended(0);
    let report = report(&workspace);
    assert_eq!((&report["failed_reasons"], &report["participants"]["waiting"]), (&json!({"Invalid PX user ID": 1}), &json!(1)), "{report}");
}

#[test]
fn computed_fields_come_with_added_people_and_the_filter_of_the_source_is_not_asked() {
    let workspace = Workspace::with_script(
        r#"journey("trial", #{ model: "dynamic", unique_on: "Email", email: "Email",
            participants: salesforce::object("Contact").filter(|row| row.Title == "nobody"), 
            fields: #{ shout: |row| row.Email.to_upper(), weeks: |row| (rule_date() - date("2026-01-01")) / 7 },
            steps: [wait("a day", days(1))] });"#,
    );
    workspace.tabi("check").ended(0);
    workspace.tabi("journey publish trial --yes").ended(0);
    workspace.write("people.jsonl", "{\"Email\": \"ana@example.com\"}\n{\"Email\": \"ben@example.com\", \"shout\": \"B\"}\n");
    let added = workspace.tabi("journey add trial people.jsonl").ended(0);
    assert!(added.stdout.contains("trial: 2 entered, 0 stayed as they were, 0 failed"), "{}", added.stdout);
    assert_eq!(person(&workspace, "ana")["fields"]["shout"], "ANA@EXAMPLE.COM");
    assert_eq!(person(&workspace, "ben")["fields"]["shout"], "B");
    assert!(person(&workspace, "ben")["fields"]["weeks"].is_number(), "the rule date is known");
}

#[test]
fn lists_that_are_none_and_journeys_that_are_not_active_are_refused() {
    let workspace =
        Workspace::with_script(r#"journey("trial", #{ model: "dynamic", participants: [], unique_on: "email", steps: [wait("a day", days(1))] });"#);
    let draft = workspace.tabi("journey add trial --set email=ana@example.com").ended(2);
    assert!(draft.stderr.contains("`trial` is draft") && draft.stderr.contains("tabi journey publish trial"), "{}", draft.stderr);
    workspace.tabi("journey publish trial --yes").ended(0);
    for (text, says) in [
        (b"email,email\na@b.example,c\n".as_slice(), "two columns `email`"),
        (b"email,\na@b.example,c\n", "a column without a name"),
        (b"[{\"email\": \"a@b.example\"", "is no JSON"),
        (b"email\n\xff\n", "is not UTF-8"),
    ] {
        workspace.write("people", text);
        let refused = workspace.tabi("journey add trial people").ended(2);
        assert!(refused.stderr.contains(says), "{says}: {}", refused.stderr);
    }
    let nothing = workspace.tabi("journey add trial").ended(2);
    assert!(nothing.stderr.contains("<FILE>"), "{}", nothing.stderr);
    workspace.tabi("journey pause trial").ended(0);
    let paused = workspace.tabi("journey add trial --set email=ana@example.com").ended(2);
    assert!(paused.stderr.contains("tabi journey resume trial"), "{}", paused.stderr);
}

/// As a host has it that moves the people of `trial`.
fn held(workspace: &Workspace) -> Lease {
    let store = Store::open(workspace.path().join(".tabi/state.db")).unwrap();
    match store.take("trial", "tabi up", "2026-12-01T09:00:00Z".parse().unwrap()).unwrap() {
        Take::Got(lease) => lease,
        Take::Held(holder) => panic!("{holder:?} holds it"),
    }
}

#[test]
fn whoever_moves_the_people_of_a_journey_is_waited_for() {
    let workspace = published(r#"wait("a day", days(1)), finish()"#, "");
    for command in ["journey add trial --set email=ben@example.com --json", "journey move trial --from gone --to a --json"] {
        let lease = held(&workspace);
        let mut child = workspace.command(command).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Its word that it waits; until then it says nothing.
        let mut said = String::new();
        BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut said).unwrap();
        assert!(said.contains("tabi up (process ") && said.contains("is moving the people of `trial` right now; it is waited for"), "{said}");
        assert_eq!(child.try_wait().unwrap(), None);
        drop(lease);
        let ended = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(!told.contains("busy"), "{told}");
        if command.contains(" add ") {
            assert_eq!((ended.status.code(), &serde_json::from_str::<Value>(&told).unwrap()["entered"]), (Some(0), &json!(1)), "{told}");
        }
    }
}

#[test]
fn nobody_is_waited_for_longer_than_patience_lasts() {
    let workspace = published("finish()", "");
    let _lease = held(&workspace);
    let store = Store::open(workspace.path().join(".tabi/state.db")).unwrap();
    let (said, none) = (std::cell::Cell::new(0), Patience { quiet: Duration::ZERO, most: Duration::ZERO });
    let some = Patience { most: Duration::from_millis(120), ..none };
    let (clock, stop) = (Clock::machine(), Stop::new());
    for (patience, times) in [(none, 0), (some, 1)] {
        said.set(0);
        let refused = turn((&store, &clock, &stop), ("trial", "a test"), patience, |_| said.set(said.get() + 1));
        assert!(matches!(refused, Err(Error::Busy { ref owner, .. }) if owner == "tabi up"), "{refused:?}");
        assert_eq!(said.get(), times);
    }
    stop.request();
    let stopped = turn((&store, &clock, &stop), ("trial", "a test"), Patience::USUAL, |_| ());
    assert!(stopped.is_err_and(|error| !matches!(error, Error::Busy { .. })));
    assert!(turn((&store, &clock, &stop), ("other", "a test"), none, |_| ()).is_ok());
}
