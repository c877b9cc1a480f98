//! Back-tests: what a save would make different, on what was read lately. (H5)

use std::{fs, process::Command};

use serde_json::{Value, json};
use tabi::{
    connectors::Stop,
    flow::backtest::{Difference, Given, People, compare_journeys},
    host::{
        Loaded, Workspace as Opened, backtest,
        clock::Clock,
        reload::reload,
        versions::{Against, earlier},
    },
    model::{Record, Timestamp},
    script::{Body, Declaration, Journey},
    store::{NewParticipant, ParticipantFilter, ParticipantState, Sampled, Store},
};

use super::up::Host;
use crate::support::Workspace;

const RULE: &str = r#"
rule("NAME", #{
    rule_for: "account",
    from: salesforce::object("Account"),
    show: ["Id", "Name", "Phone"MORE],
    FILTERS
    actions: [load_to_sfdc(#{ object: "Account", operation: "update", identifiers: ["Id"], fields: #{ Id: "Id", Site: CELL } })],
});
"#;

fn rule(cell: &str) -> String {
    RULE.replace("NAME", "sync").replace("MORE", "").replace("FILTERS", "").replace("CELL", cell)
}

/// A workspace on a company of twenty accounts with one script, that has run once.
fn ran(script: &str) -> Workspace {
    let workspace = Workspace::with_script(script);
    workspace.write("tabi.toml", "[sandbox]\naccounts = 20\npeople = 40\n");
    workspace.tabi("run --json").ended(0);
    workspace
}

fn save(workspace: &Workspace, text: &str) {
    workspace.write("scripts/.new", text);
    fs::rename(workspace.path().join("scripts/.new"), workspace.path().join("scripts/script.rhai")).unwrap();
}

fn opened(workspace: &Workspace) -> Opened {
    Opened::open(Some(&workspace.path()), false, Clock::machine()).unwrap()
}

/// The summary of one kind of difference, and the lines of it.
fn against(workspace: &Workspace, arguments: &str) -> (Value, Vec<Value>) {
    let ran = workspace.tabi(&format!("backtest sync --json {arguments}")).ended(0);
    (ran.summary("sync"), ran.of_type("difference"))
}

#[test]
fn a_save_tells_what_would_be_different_h5() {
    let workspace = ran(&rule("|row| row.Name"));
    let host = Host::start(&workspace);
    host.wait("ready");
    save(&workspace, &rule("|row| \"* \" + row.Name"));
    let told = host.wait("backtest");
    assert_eq!((&told["name"], &told["records"], &told["rows"], &told["fields"]), (&json!("sync"), &json!(20), &json!(20), &json!({"Site": 20})));
    let first = &told["differences"][0];
    assert_eq!(
        (&first["kind"], &first["field"], first["to"].as_str()),
        (&json!("field"), &json!("Site"), Some(format!("* {}", first["from"].as_str().unwrap()).as_str()))
    );

    save(&workspace, &format!("// Only said differently.\n{}", rule("|r| \"* \" + r.Name")));
    let told = host.wait("backtest");
    assert_eq!((&told["rows"], &told["differences"], &told["error"]), (&json!(0), &json!([]), &Value::Null));

    // A broken save runs nothing: what was live goes on, and so does what it is held against.
    save(&workspace, "rule(");
    host.reload(|line| line["errors"] != json!([]));
    save(&workspace, &rule("|r| \"# \" + r.Name"));
    let told = host.wait("backtest");
    assert_eq!(told["differences"][0]["from"].as_str().map(|text| &text[..2]), Some("* "));
    assert_eq!(host.end("-TERM"), Some(0));
}

#[test]
fn filters_rejections_and_failures_are_told_at_their_place() {
    let workspace = ran(&rule("|row| row.Name"));
    let filtered = rule("|row| row.Name").replace("show:", "filters: #{ a: [\"Name\", \">\", \"M\"] }, show:");
    save(&workspace, &filtered);
    let (summary, lines) = against(&workspace, "");
    let excluded = summary["excluded"].as_u64().unwrap();
    assert!(excluded > 0 && excluded < 20 && summary["rows"] == excluded, "{summary}");
    assert!(lines.iter().all(|line| line["kind"] == "excluded"), "{lines:?}");
    assert_eq!(summary["notes"].as_array().unwrap().len(), 1, "what only the new filter lets through is not in the sample: {summary}");

    save(&workspace, &rule("|row| if row.Name > \"M\" { throw \"no good\" } else { row.Name }"));
    let (summary, lines) = against(&workspace, "");
    assert_eq!((&summary["rejected"], &summary["rows"]), (&excluded_from(20, excluded), &excluded_from(20, excluded)), "{summary}");
    let reason = lines[0]["reason"].as_str().unwrap();
    assert!(reason.contains("no good") && reason.contains("scripts/script.rhai:7:"), "{reason}");
    workspace.tabi("backtest sync --fail").ended(1);

    // A field that Salesforce does not have is what a run would end with, too.
    save(&workspace, &rule("\"Name\"").replace("Site", "Sight__c"));
    let ran = workspace.tabi("backtest sync --json").ended(1);
    assert!(ran.summary("sync")["error"].as_str().unwrap().contains("Sight__c"), "{}", ran.stdout);
}

fn excluded_from(all: u64, excluded: u64) -> Value {
    // The filter keeps what the closure throws at.
    json!(all - excluded)
}

#[test]
fn a_field_the_sample_does_not_have_is_said_and_fresh_records_have_it() {
    let workspace = ran(&rule("|row| row.Name"));
    save(&workspace, &rule("|row| `${row.Name} ${row.Industry}`").replace("\"Phone\"", "\"Phone\", \"Industry\""));
    let (summary, lines) = against(&workspace, "");
    assert_eq!((&summary["unfit"], &summary["missing"], lines.len()), (&json!(20), &json!(["Industry"]), 0), "{summary}");
    let shown = workspace.tabi("backtest sync").ended(0).stdout;
    assert!(shown.contains("20 records of the sample have no `Industry`") && shown.contains("--fresh N"), "{shown}");
    let (summary, lines) = against(&workspace, "--fresh 5");
    assert_eq!((&summary["records"], &summary["unfit"], lines.len()), (&json!(5), &json!(0), 5), "{summary}");
    // And without any sample at all.
    let fresh = Workspace::with_script(&rule("|row| row.Name"));
    fresh.write("tabi.toml", "[sandbox]\naccounts = 20\npeople = 40\n[state]\nsample = 0\n");
    fresh.tabi("run --json").ended(0);
    save(&fresh, &rule("\"Phone\""));
    let failed = fresh.tabi("backtest sync --json").ended(2);
    assert_eq!(failed.lines()[0]["error"]["code"], "no_sample", "{}", failed.stdout);
    assert!(failed.lines()[0]["error"]["hint"].as_str().unwrap().contains("--fresh"));
    assert_eq!(against(&fresh, "--fresh 7").0["records"], 7);
}

#[test]
fn earlier_versions_are_found_by_hash_file_and_commit() {
    let workspace = Workspace::with_script(&format!("import \"lib/say\" as say;\n{}", rule("|row| say::it(row.Name)")));
    workspace.write("tabi.toml", "[sandbox]\naccounts = 20\npeople = 40\n");
    workspace.write("scripts/lib/say.rhai", "fn it(x) { \"1 \" + x }");
    workspace.tabi("run --json").ended(0);
    let git = |arguments: &str| {
        let status = Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@b"])
            .args(arguments.split(' '))
            .current_dir(workspace.path())
            .output()
            .unwrap();
        assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    };
    git("init -q");
    git("add scripts tabi.toml");
    git("commit -qm one");
    let first = workspace.tabi("history --json").lines()[0][0]["run"].as_str().unwrap().to_owned();
    let hash = workspace.tabi(&format!("show {first} --json")).lines()[0]["declaration"].as_str().unwrap().to_owned();
    // Two more versions: the last one that ran is what is compared with unless something else is said.
    for n in [2, 3] {
        workspace.write("scripts/lib/say.rhai", format!("fn it(x) {{ \"{n} \" + x }}"));
        workspace.tabi("run --json").ended(0);
    }
    workspace.write("scripts/lib/say.rhai", "fn it(x) { \"4 \" + x }");
    let from = |arguments: &str| {
        let (summary, lines) = against(&workspace, arguments);
        assert_eq!(summary["rows"], 20, "{summary}");
        lines[0]["from"].as_str().unwrap()[..1].to_owned()
    };
    assert_eq!(from(""), "3");
    assert_eq!(from(&format!("--against {}", &hash[..10])), "1");
    assert_eq!(from("--against git:HEAD"), "1");
    workspace.write("old.rhai", rule("|row| \"0 \" + row.Name"));
    assert_eq!(from("--against old.rhai"), "0");
    for (arguments, code) in [("sync --against ffffffffffff", 2), ("sync --against git:nowhere", 2), ("sink", 2), ("sync --fresh 0", 2)] {
        workspace.tabi(&format!("backtest {arguments}")).ended(code);
    }
    let hint = workspace.tabi("backtest sync --against ffffffff --json").lines()[0]["error"]["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains(&hash[..12]), "{hint}");
    assert!(!workspace.path().join(".tabi/backtest").exists(), "nothing is written for it");
}

#[test]
fn an_earlier_version_needs_neither_the_other_files_nor_the_templates_of_today() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join("scripts").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let after = |cell: &str| rule(cell).replace("})],", "})],\n    after: \"first\",");
    let mailing = |days: u32| {
        format!(
            r#"journey("welcome", #{{ model: "dynamic", participants: [#{{ contact: "a@x.example" }}], unique_on: "contact",
                steps: [send_email("say", #{{ template: "old" }}), wait("rest", days({days})), finish()] }});"#
        )
    };
    write("first.rhai", &rule("\"Phone\"").replace("sync", "first").replace("Site", "Fax"));
    write("sync.rhai", &after("|row| row.Phone"));
    write("welcome.rhai", &mailing(1));
    write("templates/old.html", "Subject: Hello\n<p>Hello</p>");
    let opened = Opened::open(Some(dir.path()), true, Clock::machine()).unwrap();
    let store = Store::open(dir.path().join("state.db")).unwrap();
    let (before, receipt) = reload(&opened, None);
    assert_eq!(receipt.diagnostics.iter().filter(|finding| finding.is_error()).count(), 0, "{:?}", receipt.diagnostics);
    backtest::keep_versions(&opened, &store, &before, None).unwrap();
    fs::remove_file(dir.path().join("scripts/templates/old.html")).unwrap();
    fs::remove_file(dir.path().join("scripts/first.rhai")).unwrap();
    for name in ["sync", "welcome"] {
        let was = before.generation.declaration(name).unwrap();
        let present = Declaration { hash: "another".to_owned(), ..was.as_ref().clone() };
        let found = earlier(&opened, Some(&store), &present, &Against::Last).unwrap();
        assert_eq!((&found.name, &found.hash), (&was.name, &was.hash));
    }
}

#[test]
fn what_is_kept_is_bounded_and_says_nothing_about_people() {
    let workspace = Workspace::with_script(&rule("|row| row.Phone"));
    workspace.write("tabi.toml", "[sandbox]\naccounts = 30\npeople = 40\n[state]\nsample = 10\n");
    workspace.tabi("run --json").ended(0);
    workspace.tabi("run --json").ended(0);
    let store = Store::open(workspace.path().join(".tabi/state.db")).unwrap();
    let kept = store.sample("sync").unwrap();
    assert_eq!(kept.iter().map(|one| one.records.len()).collect::<Vec<_>>(), [10]);
    let records: Vec<Record> = kept[0].records.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    assert!(
        records.iter().all(|record| record.get("Phone").is_none_or(|phone| phone.is_blank() || phone.to_string().starts_with('~'))),
        "{records:?}"
    );
    assert!(records.iter().any(|record| record.get("Phone").is_some_and(|phone| !phone.is_blank())), "{records:?}");
    assert!(records.iter().all(|record| !record.get("Name").unwrap().to_string().starts_with('~')));

    // Pseudonyms are enough to compare by.
    save(&workspace, &rule("|row| if row.Phone == () { \"none\" } else { row.Phone }"));
    assert!(workspace.tabi("backtest sync --json").ended(0).summary("sync")["error"].is_null());
}

#[test]
fn a_sample_is_bounded_in_bytes_and_the_newest_records_stay() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("state.db")).unwrap();
    let of = |from: usize, to: usize| {
        vec![Sampled { source: "s".into(), records: (from..to).map(|n| format!("{{\"n\":{n},\"text\":\"{}\"}}", "x".repeat(100_000))).collect() }]
    };
    store.keep_sample("big", &of(0, 30), 1_000).unwrap();
    store.keep_sample("big", &of(30, 60), 1_000).unwrap();
    let kept = store.sample("big").unwrap().remove(0).records;
    assert!(kept.len() < 45 && kept.iter().map(String::len).sum::<usize>() <= 4 << 20, "{}", kept.len());
    assert!(kept.last().unwrap().starts_with("{\"n\":59,"));
    store.rename_sample("big", "large").unwrap();
    assert_eq!((store.sample("big").unwrap().len(), store.sample("large").unwrap()[0].records.len()), (0, kept.len()));
    store.forget_sample("large").unwrap();
    assert!(store.sample("large").unwrap().is_empty());
}

#[test]
fn a_state_file_that_takes_no_sample_does_not_fail_the_run() {
    let workspace = ran(&rule("\"Name\""));
    let state = rusqlite::Connection::open(workspace.path().join(".tabi/state.db")).unwrap();
    state.execute_batch("CREATE TRIGGER full BEFORE INSERT ON samples BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END").unwrap();
    drop(state);
    let ran = workspace.tabi("run --json").ended(0);
    assert_eq!(ran.summary("sync")["status"], "ok");
    assert!(ran.stderr.contains("the records for back-tests could not be kept"), "{}", ran.stderr);
}

/// Two generations of a workspace by hand.
fn generations(workspace: &Workspace, texts: &[&str]) -> Vec<Loaded> {
    let opened = opened(workspace);
    let mut found: Vec<Loaded> = Vec::new();
    for text in texts {
        save(workspace, text);
        let (next, receipt) = reload(&opened, found.last());
        assert_eq!(receipt.errors().count(), 0, "{:?}", receipt.diagnostics);
        found.push(next);
    }
    found
}

#[test]
fn a_save_in_the_middle_of_a_back_test_wins_and_nothing_goes_untold() {
    let workspace = ran(&rule("|row| \"1 \" + row.Name"));
    let (one, two, three) = (rule("|row| \"1 \" + row.Name"), rule("|row| \"2 \" + row.Name"), rule("|row| \"3 \" + row.Name"));
    let generations = generations(&workspace, &[&one, &two, &three]);
    let (opened, store) = (opened(&workspace), Store::open(workspace.path().join(".tabi/state.db")).unwrap());
    let stop = Stop::new();
    stop.request();
    let cut_short = backtest::run(&opened, &store, (&generations[0], &generations[1]), &stop);
    assert!(cut_short.backtests.is_empty());
    let told = backtest::run(&opened, &store, (&generations[0], &generations[2]), &Stop::new());
    let comparison = told.backtests[0].comparison.as_ref().unwrap();
    assert!(
        matches!(&comparison.differences[0], Difference::Field { from, to, .. } if from.to_string().starts_with("1 ") && to.to_string().starts_with("3 "))
    );
}

#[test]
fn a_declaration_that_goes_by_another_name_takes_its_sample_along() {
    let workspace = ran(&rule("|row| \"1 \" + row.Name"));
    let generations =
        generations(&workspace, &[&rule("|row| \"1 \" + row.Name"), &rule("|row| \"2 \" + row.Name").replace("\"sync\"", "\"synced\"")]);
    let (opened, store) = (opened(&workspace), Store::open(workspace.path().join(".tabi/state.db")).unwrap());
    let told = backtest::run(&opened, &store, (&generations[0], &generations[1]), &Stop::new());
    let done = &told.backtests[0];
    assert_eq!((done.name.as_str(), done.renamed.as_deref(), done.comparison.as_ref().unwrap().rows()), ("synced", Some("sync"), 20));
    assert!(store.sample("sync").unwrap().is_empty() && !store.sample("synced").unwrap().is_empty());
}

const JOURNEY: &str = r#"journey("trial", #{
    model: "dynamic",
    participants: gainsight::people().filter(|p| DOOR),
    unique_on: "email",
    calculated: #{ share: |p| p.used * 100 / p.seats },
    steps: [
        wait("settle in", days(1)),
        branch("busy?", #{ when: calculated("share", ">=", LIMIT), then: [finish()], otherwise: [wait("nudge later", days(7))] }),
    ],
});"#;

fn journey(door: &str, limit: u32) -> String {
    JOURNEY.replace("DOOR", door).replace("LIMIT", &limit.to_string())
}

fn body(declaration: &Declaration) -> &Journey {
    match &declaration.body {
        Body::Journey(journey) => journey,
        _ => panic!("a journey"),
    }
}

#[test]
fn participants_who_would_take_another_branch_or_stay_at_the_door_are_told() {
    let workspace = Workspace::new();
    let generations = generations(&workspace, &[&journey("p.used > 0", 80), &journey("p.used > 2", 50)]);
    let (opened, store) = (opened(&workspace), Store::open(workspace.path().join(".tabi/state.db")).unwrap());
    let now: Timestamp = "2026-12-01T09:00:00Z".parse().unwrap();
    let person = |key: &str, used: i64| NewParticipant {
        journey: "trial".into(),
        key: key.into(),
        email: None,
        px_id: None,
        fields: [("used".into(), tabi::model::Value::Int(used)), ("seats".into(), tabi::model::Value::Int(10))].into_iter().collect(),
        facts: Vec::new(),
        state: ParticipantState::Waiting,
        step: Some("settle in".into()),
        since: now,
        due: Some("2026-12-02T09:00:00Z".parse().unwrap()),
        reason: None,
        entered: now,
        ended: None,
        revision: 1,
    };
    let people = [person("few\u{1f}", 1), person("some\u{1f}", 6), person("many\u{1f}", 9)];
    store.enter(&people, &[Vec::new(), Vec::new(), Vec::new()]).unwrap();
    let told = backtest::run(&opened, &store, (&generations[0], &generations[1]), &Stop::new());
    let comparison = told.backtests[0].comparison.as_ref().unwrap();
    let branch = Difference::Branch { key: "some".into(), step: "settle in".into(), from: "nudge later".into(), to: "completed".into() };
    assert_eq!(comparison.differences, [branch]);

    // People whom the source brought lately.
    let records = [("a@x", 0), ("b@x", 1), ("c@x", 5)].map(|(email, used)| json!({"email": email, "used": used, "seats": 10}).to_string()).to_vec();
    let source =
        json!({"object": {"system": "gainsight", "object": "Person", "fields": [], "filter": null, "since": null, "limit": null}}).to_string();
    let given = Given::from_kept(&[Sampled { source, records }]);
    assert_eq!(given.records(), 3);
    let (before, after) = (generations[0].generation.declaration("trial").unwrap(), generations[1].generation.declaration("trial").unwrap());
    let zone = opened.config.timezone.clone();
    let stop = Stop::new();
    let looked = People { name: "trial", standing: Vec::new(), given: &given, now, zone: &zone, stop: &stop };
    let comparison = compare_journeys(body(before), body(after), &looked);
    assert_eq!(comparison.differences, [Difference::LeftOut { key: "b@x".into(), reason: "does not pass the filter".into() }]);
    let looked = People { name: "trial", standing: Vec::new(), given: &given, now, zone: &zone, stop: &stop };
    assert_eq!(compare_journeys(body(after), body(before), &looked).differences, [Difference::LetIn { key: "b@x".into() }]);
    assert_eq!(store.participants("trial", &ParticipantFilter::default()).unwrap().len(), 3, "nobody has moved");
}

#[test]
fn an_edited_filter_lets_in_people_whom_the_system_was_not_asked_for() {
    let script = |lifecycle: &str| {
        format!(
            r#"journey("trial", #{{
                model: "dynamic", participants: gainsight::people().filter(|p| p.lifecycle == "{lifecycle}" && p.seats > 0),
                unique_on: "email", steps: [wait("a day", days(1)), finish()],
            }});"#
        )
    };
    let workspace = Workspace::with_script(&script("onboarding"));
    workspace.write("tabi.toml", "[sandbox]\naccounts = 100\npeople = 900\n[state]\nsample = 200\n[server]\nlisten = \"127.0.0.1:0\"\n");
    workspace.tabi("journey publish trial --yes").ended(0);
    let host = Host::start(&workspace);
    let ran = host.wait("summary");
    drop(host);
    let store = Store::open(workspace.path().join(".tabi/state.db")).unwrap();
    let people = store.participants("trial", &ParticipantFilter::default()).unwrap().len();
    assert_eq!((&ran["read"], people < 100), (&json!(people), true), "only they were handed out: {ran}");
    let sampled = store.sample("trial").unwrap();
    assert_eq!((sampled.len(), sampled[0].records.len()), (1, 200), "one source");
    let lifecycles: Vec<Value> = sampled[0].records.iter().map(|record| record.parse::<Value>().unwrap()["Lifecycle__gc"].clone()).collect();
    let of = |lifecycle: &str| lifecycles.iter().filter(|one| **one == lifecycle).count();
    assert!(people > 0 && of("onboarding") == people && of("adopting") > 20, "{people} {lifecycles:?}");

    save(&workspace, &script("adopting"));
    let told = workspace.tabi("backtest trial --json").ended(0);
    let kinds: Vec<Value> = told.of_type("difference").iter().map(|line| line["kind"].clone()).collect();
    let of = |kind: &str| kinds.iter().filter(|one| **one == kind).count();
    assert!(of("let_in") > 20 && of("left_out") == people, "{}", told.stdout);
}

#[test]
fn people_by_the_rule_date_are_compared_on_the_day_it_is() {
    let script = |days: u32| {
        format!(
            r#"journey("trial", #{{
                model: "dynamic", participants: salesforce::object("Account").filter(#{{ lately: ["CreatedDate", ">=", rule_date() - days({days})] }}),
                unique_on: "Id", steps: [wait("a day", days(1)), finish()],
            }});"#
        )
    };
    let workspace = Workspace::with_script(&script(100_000));
    workspace.write("tabi.toml", "[sandbox]\naccounts = 30\n[server]\nlisten = \"127.0.0.1:0\"\n");
    workspace.tabi("journey publish trial --yes").ended(0);
    let host = Host::start(&workspace);
    host.wait("summary");
    drop(host);
    let told = |days: u32| {
        save(&workspace, &script(days));
        let told = workspace.tabi("backtest trial --json").ended(0);
        told.of_type("difference").iter().filter(|line| line["kind"] == "left_out").count()
    };
    assert_eq!(told(90_000), 0, "they are all within both");
    assert_eq!(told(0), 30, "nobody was created today");
}
