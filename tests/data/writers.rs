//! One writer for each field, measure, score, usage row, segment: the older one stays live.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::json;
use tabi::{
    host::{
        Loaded, Workspace as Opened,
        clock::Clock,
        known::known,
        reload::{reload, reload_after},
    },
    model::{Columns, Known},
    script::{Generation, Limits},
};

use crate::{
    host::up::Host,
    support::{Sandbox, Workspace},
};

fn loaded(first: &str, second: &str) -> Generation {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("a.rhai", first), ("b.rhai", second)] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    Generation::load(folder.path(), &["a.rhai", "b.rhai"], &Limits::default(), None)
}

/// What is wrong between two files: codes, with both places.
fn between(first: &str, second: &str) -> Vec<(&'static str, String, Vec<String>)> {
    let told = |d: &tabi::script::Diagnostic| {
        (d.code, format!("{}:{}", d.file, d.line), d.labels.iter().map(|l| format!("{}:{}", l.file, l.line)).collect())
    };
    loaded(first, second).diagnostics().iter().filter(|d| d.is_error()).map(told).collect()
}

fn rule(name: &str, action: &str) -> String {
    format!(r#"rule("{name}", #{{ from: salesforce::object("Account"), show: ["Id", "Name", "NumberOfEmployees"], actions: [{action}] }});"#)
}

fn mapping(name: &str, to: &str, match_on: &str, fields: &str) -> String {
    format!(r#"mapping("{name}", #{{ from: salesforce::object("Account"), to: {to}, match_on: {match_on}, fields: {fields} }});"#)
}

fn journey(name: &str, step: &str) -> String {
    format!(r#"journey("{name}", #{{ model: "dynamic", participants: gainsight::people(), steps: [{step}, finish()] }});"#)
}

/// Ways of writing, each list all of one thing.
fn same() -> Vec<Vec<String>> {
    let usage =
        |name: &str, measure: &str| rule(name, &format!(r#"load_to_usage(#{{ account: "Id", measures: #{{ "{measure}": "NumberOfEmployees" }} }})"#));
    let sfdc = r#"load_to_sfdc(#{ object: "account", fields: #{ Id: "Id", SITE: "Name" } })"#;
    let account = r#"salesforce::object("Account")"#;
    let company = r#"gainsight::object("Company")"#;
    let cta = r#"create_cta(#{ name: "N", reason: "Product usage" })"#;
    let segment =
        |name: &str| format!(r#"pendo::segment("{name}", #{{ filters: #{{ a: ["metadata.agent.name", "!=", ""] }}, guides: ["Welcome"] }});"#);
    let pull = r#"pendo::salesforce_integration("NAME", #{ key: #{ pendo: "accountId", salesforce: "Id" }, pull: ["Industry"] });"#;
    let visitor = r#"pendo::salesforce_integration("NAME", #{ object: "Contact", key: #{ pendo: "visitorId", salesforce: "Email" },
        push: [#{ report: pendo::visitor_report(#{ days: 30, columns: ["days_active"] }), fields: #{ Pendo_days__c: "days_active" } }] });"#;
    vec![
        vec![mapping("p", account, r#""Id""#, r#"#{ Site: "Name" }"#), rule("q", sfdc)],
        vec![
            mapping("p", company, r#"#{ SfdcAccountId: "Id" }"#, r#"#{ Industry: "Industry" }"#),
            rule("q", r#"load_to_company(#{ fields: #{ SfdcAccountId: "Id", Industry: "Name" } })"#),
            rule(
                "r",
                r#"load_to_object(#{ object: "company", identifiers: ["SfdcAccountId"], fields: #{ SfdcAccountId: "Id", industry: "Name" } })"#,
            ),
        ],
        vec![
            mapping("p", "gainsight::people()", r#"#{ Email: "Name" }"#, r#"#{ LastName: "Name" }"#),
            rule("q", r#"load_to_people(#{ fields: #{ Email: "Name", LastName: "Name" } })"#),
        ],
        vec![
            rule("p", r#"set_score("Product usage", 20)"#),
            rule("q", r#"set_score("Product Usage", 80)"#),
            rule(
                "r",
                r#"load_to_object(#{ object: "measure_scores__gc", identifiers: ["CompanyId__gc", "Measure__gc"],
                fields: #{ CompanyId__gc: "Id", Measure__gc: constant("Product usage"), Score__gc: "NumberOfEmployees" } })"#,
            ),
        ],
        vec![usage("p", "Staff (30d)"), usage("q", "staff (30d)"), usage("r", "Staff_30d__c")],
        vec![rule("p", cta), rule("q", cta)],
        vec![
            mapping("p", r#"pendo::account_metadata("custom")"#, r#"#{ accountId: "Id" }"#, r#"#{ tier: "Name" }"#),
            mapping("q", r#"pendo::account_metadata("custom")"#, r#"#{ accountId: "Id" }"#, r#"#{ Tier: "Industry" }"#),
        ],
        vec![
            mapping("p", r#"px::object("users")"#, r#"#{ identifyId: "Id" }"#, r#"#{ "customAttributes.tier": "Name" }"#),
            mapping("q", r#"px::object("users")"#, r#"#{ identifyId: "Id" }"#, r#"#{ "customAttributes.tier": "Industry" }"#),
        ],
        vec![
            pull.replace("NAME", "p"),
            pull.replace("NAME", "q"),
            mapping("r", r#"pendo::account_metadata("salesforce")"#, r#"#{ accountId: "Id" }"#, r#"#{ industry: "Industry" }"#),
        ],
        vec![visitor.replace("NAME", "p"), visitor.replace("NAME", "q")],
        vec![segment("p"), segment("q")],
        vec![
            journey("p", r#"set_score("Onboarding", 20)"#),
            journey("q", r#"set_score("Onboarding", 80)"#),
            rule("r", r#"set_score("onboarding", 50)"#),
        ],
        vec![
            journey("p", r#"load_to_people(#{ fields: #{ Email: "Email", Title: "Name" } })"#),
            journey("q", r#"load_to_people(#{ fields: #{ Email: "Email", Title: "LastName" } })"#),
            mapping("r", "gainsight::people()", r#"#{ Email: "Name" }"#, r#"#{ Title: "Industry" }"#),
        ],
        vec![
            rule("p", r#"create_success_plan(#{ name: "Start", type: "Onboarding", owner_email: "a@example.com" })"#),
            rule("q", r#"create_success_plan(#{ name: "start", type: "onboarding", owner_email: |row| row.Name })"#),
        ],
        vec![
            rule("p", r#"load_to_milestones(#{ milestone: "Renewal", comments: "one" })"#),
            rule("q", r#"load_to_milestones(#{ milestone: "renewal", comments: |row| row.Name })"#),
            journey("r", r#"load_to_milestones(#{ milestone: "Renewal", account: "SfdcAccountId", comments: "three" })"#),
            rule("s", r#"load_to_sfdc(#{ object: "JBCXM__Milestone__c", fields: #{ Id: "Id", JBCXM__Comment__c: "Name" } })"#),
        ],
        vec![
            rule("p", r#"log_timeline(#{ subject: "One", notes: "n", author: "a@example.com", external_id: field("Id") })"#),
            rule("q", r#"log_timeline(#{ subject: "Two", notes: "n", author: "b@example.com", external_id: field("Id"), type: "Call" })"#),
        ],
    ]
}

#[test]
fn two_ways_of_writing_one_thing_are_found_whichever_comes_first() {
    for ways in same() {
        for (at, first) in ways.iter().enumerate() {
            assert_eq!(between(first, "let unused = 1;"), [], "{first}");
            for second in ways.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, second)| second) {
                let found = between(first, second);
                assert!(found.iter().all(|(code, ..)| *code == "E0402") && !found.is_empty(), "{first}\n{second}\n{found:?}");
                assert!(
                    found.iter().all(|(_, at, labels)| at.starts_with("b.rhai:") && labels.iter().all(|l| l.starts_with("a.rhai:"))),
                    "{found:?}"
                );
            }
        }
    }
}

#[test]
fn what_is_not_the_same_thing_is_no_fault() {
    let all = same();
    for (at, ways) in all.iter().enumerate() {
        for other in all.iter().skip(at + 1) {
            let renamed = other[0].replacen("\"p\"", "\"z\"", 1);
            assert_eq!(between(&ways[0], &renamed), [], "{}\n{renamed}", ways[0]);
        }
    }
    let usage = |name: &str, level: &str| {
        rule(name, &format!(r#"load_to_usage(#{{ account: "Id", level: "{level}", measures: #{{ Staff: "NumberOfEmployees" }} }})"#))
    };
    let apart = [
        (rule("p", r#"set_score("Usage", 20)"#), rule("q", r#"set_score("Fit", 20)"#)),
        (usage("p", "ACCOUNTLEVEL"), usage("q", "INSTANCELEVEL")),
        // Entries without an external id of the script's own are of their declaration; plans of other names and milestones without comments are apart.
        (
            rule("p", r#"log_timeline(#{ subject: "One", notes: "n", author: "a@example.com" })"#),
            rule("q", r#"log_timeline(#{ subject: "One", notes: "n", author: "a@example.com" })"#),
        ),
        (
            rule("p", r#"create_success_plan(#{ name: "Start", type: "Onboarding", owner_email: "a@example.com" })"#),
            rule("q", r#"create_success_plan(#{ name: "Later", type: "Onboarding", owner_email: "a@example.com" })"#),
        ),
        (
            rule("p", r#"load_to_milestones(#{ milestone: "Renewal" })"#),
            rule("q", r#"load_to_milestones(#{ milestone: "Renewal", comments: "said" })"#),
        ),
        // Steps of one journey come one after the other; two journeys agree when one says so.
        (journey("p", r#"set_score("Usage", 20), set_score("Usage", 80, #{ step: "later" })"#), rule("q", r#"set_score("Fit", 20)"#)),
        (journey("p", r#"set_score("Usage", 20)"#), journey("q", r#"set_score("Usage", 20)"#).replace("model:", r#"overrides: "p", model:"#)),
        (rule("p", r#"create_cta(#{ reason: "Usage" })"#), rule("q", r#"create_cta(#{ reason: "Renewal" })"#)),
        (rule("p", r#"set_score("Usage", 20)"#), rule("q", r#"set_score("Usage", 20)"#).replace("actions:", "overrides: \"p\", actions:")),
    ];
    for (first, second) in apart {
        assert_eq!(between(&first, &second), [], "{first}\n{second}");
    }
    let twice = rule(
        "p",
        r#"set_score("Usage", 20, #{ criteria: #{ a: ["Name", "=", "a"] } }), set_score("Usage", 80, #{ criteria: #{ a: ["Name", "!=", "a"] } })"#,
    );
    assert_eq!(between(&twice, "let unused = 1;"), [], "actions of one rule may share a score");
}

#[test]
fn a_measure_is_one_by_its_name_its_column_and_its_label() {
    let usage = |name: &str, measure: &str, more: &str| {
        rule(name, &format!(r#"load_to_usage(#{{ account: "Id", measures: #{{ "{measure}": "NumberOfEmployees" }} {more} }})"#))
    };
    // A group says which column it is.
    let group = r#"gainsight::measures("Adoption", #{ "Active": "AV30__c" }); "#;
    for (first, second) in [("Active", "AV30__c"), ("av30__c", "Active")] {
        let (first, second) = (usage("p", first, ""), usage("q", second, ""));
        for (one, other) in [(format!("{group}{first}"), second.clone()), (first, format!("{group}{second}"))] {
            let found = between(&one, &other);
            assert!(
                matches!(found.as_slice(), [("E0402", at, labels)] if at.starts_with("b.rhai:") && labels[0].starts_with("a.rhai:")),
                "{found:?}"
            );
        }
    }
    // Two groups cannot name one measure, nor one column.
    let other = r#"gainsight::measures("Usage", #{ "Active": "Other__c" });"#;
    assert_eq!(between(group, other)[0].0, "E0401");
    assert_eq!(between(group, r#"gainsight::measures("Usage", #{ "Visitors": "av30__c" });"#)[0].0, "E0402");

    // Or the system does: known since it was described.
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("scripts")).unwrap();
    let workspace = opened(folder.path());
    let field = |name: &str, label: &str| {
        json!({"name": name, "label": label, "kind": {"type": "number", "digits": 18, "scale": 2}, "nillable": true, "createable": true,
            "updateable": true, "required": false, "key": false})
    };
    let schemas = [("salesforce", "JBCXM__UsageData__c", "AV__c"), ("gainsight", "usage__gc", "av_30__gc")].map(|(system, object, name)| {
        serde_json::from_value(json!({"system": system, "name": object, "label": object, "fields": [field(name, "Active Visitors")]})).unwrap()
    });
    let known = Known { columns: Columns::of(&schemas), claims: Vec::new() };
    for (called, column, into) in [("Active Visitors", "AV__c", ""), ("Active Visitors", "av_30__gc", r#", into: "usage__gc""#)] {
        for (first, second) in [(called, column), (column, called)] {
            fs::write(folder.path().join("scripts/a.rhai"), usage("p", first, into)).unwrap();
            fs::write(folder.path().join("scripts/b.rhai"), usage("q", second, into)).unwrap();
            let told = |known: &Known| {
                let (loaded, receipt) = reload_after(&workspace, None, known);
                (live(&loaded).len(), receipt.errors().map(|d| (d.code, d.file.clone())).collect::<Vec<_>>())
            };
            assert_eq!(told(&known), (1, vec![("E0402", "scripts/b.rhai".to_owned())]), "{first} {second}");
            assert_eq!(told(&Known::default()), (2, vec![]), "nobody knows: {first} {second}");
        }
    }
}

#[test]
fn a_label_that_a_run_has_learned_shows_the_second_writer() {
    let workspace = Workspace::new();
    let usage = |name: &str, measure: &str| {
        rule(name, &format!(r#"load_to_usage(#{{ account: "Id", date: rule_date(), measures: #{{ "{measure}": "NumberOfEmployees" }} }})"#))
    };
    workspace.write("scripts/m.rhai", format!("{}\n{}", r#"gainsight::measures("Adoption", #{ "Staff": "Heads__c" });"#, usage("old", "Staff")));
    let sandbox = Sandbox::start(&workspace, "--accounts 5 --people 5");
    workspace.tabi("run --json").ended(0);
    assert_eq!(sandbox.documents("salesforce", "JBCXM__UsageData__c").iter().filter(|row| row["Heads__c"].is_number()).count(), 5);
    // The group is gone: the label tells which column it is.
    workspace.write("scripts/m.rhai", usage("old", "Staff"));
    workspace.write("scripts/a.rhai", usage("new", "heads__c"));
    workspace.tabi("plan --json").ended(3);
    let checked: serde_json::Value = serde_json::from_str(&workspace.tabi("check --json").ended(3).stdout).unwrap();
    let found = checked["diagnostics"].as_array().unwrap();
    assert_eq!(found.len(), 1, "{checked}");
    assert_eq!((&found[0]["code"], &found[0]["file"]), (&json!("E0402"), &json!("scripts/a.rhai")), "the older one is at fault: {checked}");
}

#[test]
fn check_says_what_the_running_host_would_refuse() {
    let workspace = Workspace::new();
    let errors = || {
        let ran = workspace.tabi("check --json");
        let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        let found = document["diagnostics"].as_array().unwrap();
        found.iter().map(|d| (d["code"].as_str().unwrap().to_owned(), d["file"].as_str().unwrap().to_owned())).collect::<Vec<_>>()
    };
    workspace.write("scripts/m.rhai", rule("old", r#"set_score("Usage", 20)"#));
    workspace.write("scripts/a.rhai", rule("new", r#"set_score("Usage", 80)"#));
    let owned = |code: &str, file: &str| (code.to_owned(), file.to_owned());
    assert_eq!(errors(), [owned("E0402", "scripts/m.rhai")], "nothing ran yet: the first file wins");
    fs::remove_file(workspace.path().join("scripts/a.rhai")).unwrap();
    let host = Host::start(&workspace);
    host.wait("ready");
    workspace.write("scripts/a.rhai", rule("new", r#"set_score("Usage", 80)"#));
    let line = host.reload(|line| line["files"] == 2);
    assert_eq!((&line["errors"][0]["file"], line["errors"].as_array().unwrap().len()), (&json!("scripts/a.rhai"), 1), "{line}");
    assert_eq!(errors(), [owned("E0402", "scripts/a.rhai")]);
    // The older one has errors: its last good version runs on, and the newcomer waits.
    workspace.write("scripts/m.rhai", "rule(");
    let line = host.reload(|line| line["kept"] == json!(["scripts/m.rhai"]));
    assert_eq!(line["declarations"], 1, "{line}");
    let both =
        |found: &[(String, String)]| found.iter().any(|(_, file)| file == "scripts/m.rhai") && found.contains(&owned("E0402", "scripts/a.rhai"));
    assert!(both(&errors()), "{:?}", errors());
    assert_eq!(host.end("-TERM"), Some(0));
    // Started again nothing of the older one runs; the newcomer waits all the same.
    let host = Host::start(&workspace);
    let line = host.wait("ready");
    assert_eq!(line["declarations"], 0, "{line}");
    assert!(both(&errors()), "{:?}", errors());
    // Mended, it goes on; deleted, the other one does.
    workspace.write("scripts/m.rhai", rule("old", r#"set_score("Usage", 30)"#));
    let line = host.reload(|line| line["declarations"] == 1);
    assert_eq!((&line["added"], &line["errors"][0]["file"]), (&json!(["old"]), &json!("scripts/a.rhai")), "{line}");
    fs::remove_file(workspace.path().join("scripts/m.rhai")).unwrap();
    let line = host.reload(|line| line["files"] == 1);
    assert_eq!((&line["added"], &line["errors"]), (&json!(["new"]), &json!([])), "{line}");
    assert_eq!(errors(), []);
    assert_eq!(host.end("-TERM"), Some(0));
}

fn opened(root: &Path) -> Opened {
    Opened::open(Some(root), false, Clock::machine()).unwrap()
}

/// Name, file and what it writes.
fn live(loaded: &Loaded) -> BTreeSet<(String, String)> {
    loaded.declarations().iter().map(|d| (d.name.clone(), d.place.file.clone())).collect()
}

/// The rules of a file.
type Rules = Vec<Named>;
/// The name of a rule, and its score.
type Named = (&'static str, &'static str);

const POOL: [Named; 7] = [("a", "X"), ("a", "Y"), ("b", "X"), ("b", "Z"), ("c", "Y"), ("d", "W"), ("e", "Z")];

fn text_of(rules: &[Named], salt: u64) -> String {
    let rules: String = rules.iter().map(|(name, score)| rule(name, &format!(r#"set_score("{score}", {})"#, salt % 100)) + "\n").collect();
    format!("// {salt}\n{rules}let unused = 1;\n")
}

fn clash(one: &[Named], other: &[Named]) -> bool {
    one.iter().any(|a| other.iter().any(|b| a.0 == b.0 || a.1 == b.1))
}

fn sound(rules: &[Named]) -> bool {
    (0..rules.len()).all(|at| !clash(&rules[at..=at], &rules[at + 1..]))
}

#[test]
fn whatever_is_saved_in_whatever_order_the_older_one_goes_on_and_the_other_comes_when_it_can() {
    let mut seed: u64 = 20_261_130;
    let mut roll = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for round in 0..12 {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("scripts")).unwrap();
        let workspace = opened(folder.path());
        let (mut current, _) = reload(&workspace, None);
        let mut disk: BTreeMap<String, (Rules, u64)> = BTreeMap::new();
        let mut running: BTreeMap<String, Rules> = BTreeMap::new();
        for step in 0..25 {
            // One save of one or two files.
            let before = disk.clone();
            for _ in 0..=roll(2) {
                let file = format!("scripts/{}.rhai", ["m", "k", "z", "a"][usize::try_from(roll(4)).unwrap()]);
                if roll(4) == 0 {
                    let _ = fs::remove_file(folder.path().join(&file));
                    disk.remove(&file);
                    continue;
                }
                let mut rules: Rules = Vec::new();
                for _ in 0..=roll(2) {
                    rules.push(POOL[usize::try_from(roll(POOL.len() as u64)).unwrap()]);
                }
                let salt = roll(1_000);
                fs::write(folder.path().join(&file), text_of(&rules, salt)).unwrap();
                disk.insert(file, (rules, salt));
            }
            let (next, receipt) = reload(&workspace, Some(&current));
            let said = || format!("round {round} step {step}: {disk:?} was {running:?} runs {:?}\n{:?}", live(&next), receipt.diagnostics);
            // One name and one writer.
            let mut names = BTreeSet::new();
            let mut scores = BTreeSet::new();
            let mut now: BTreeMap<String, Rules> = BTreeMap::new();
            for declaration in next.declarations() {
                let tabi::script::Body::Rule(rule) = &declaration.body else { panic!("no rule") };
                let tabi::script::ActionKind::Score(score) = &rule.actions[0].kind else { panic!("no score") };
                let of_pool = POOL.iter().find(|(name, measure)| *name == declaration.name && *measure == score.measure).unwrap();
                assert!(names.insert(declaration.name.clone()) && scores.insert(score.measure.clone()), "{}", said());
                now.entry(declaration.place.file.clone()).or_default().push(*of_pool);
            }
            for (file, (rules, salt)) in &disk {
                let unchanged = before.get(file) == Some(&(rules.clone(), *salt));
                let ran = running.get(file) == Some(rules);
                // What ran and was not touched goes on.
                assert!(!(unchanged && ran) || now.get(file) == Some(rules), "{file} went away: {}", said());
                // What is on disk and nothing runs against it runs.
                let free = now.iter().filter(|(other, _)| *other != file).all(|(_, other)| !clash(rules, other));
                assert!(!(sound(rules) && free) || now.get(file) == Some(rules), "{file} waits for nothing: {}", said());
                // What does not run is told, at its own place.
                let errors = receipt.diagnostics.iter().any(|d| d.is_error() && d.file == *file);
                assert!(now.get(file) == Some(rules) || errors, "{file} waits without a word: {}", said());
            }
            assert!(now.keys().all(|file| disk.contains_key(file)), "{}", said());
            running = now;
            current = next;
        }
    }
}

#[test]
fn which_one_is_older_is_known_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: String| fs::write(folder.path().join("scripts").join(file), text).unwrap();
    fs::create_dir_all(folder.path().join("scripts")).unwrap();
    write("m.rhai", rule("old", r#"set_score("Usage", 20)"#));
    let workspace = opened(folder.path());
    let (first, _) = reload(&workspace, None);
    write("a.rhai", rule("new", r#"set_score("Usage", 80)"#));
    let (second, _) = reload(&workspace, Some(&first));
    let store = workspace.store().unwrap();
    store.keep_claims(second.generation.claims()).unwrap();
    assert_eq!(reload(&workspace, None).0.declarations()[0].name, "new", "without memory the first file wins");
    let (again, receipt) = reload_after(&workspace, None, &known(&store).unwrap());
    assert_eq!(live(&again), BTreeSet::from([("old".to_owned(), "scripts/m.rhai".to_owned())]));
    let error = receipt.errors().next().unwrap();
    assert_eq!((error.code, error.file.as_str(), error.labels[0].file.as_str()), ("E0402", "scripts/a.rhai", "scripts/m.rhai"));
    fs::remove_file(folder.path().join("scripts/m.rhai")).unwrap();
    let (last, receipt) = reload(&workspace, Some(&again));
    assert_eq!((live(&last).len(), last.declarations()[0].name.as_str(), receipt.errors().count()), (1, "new", 0));
}

#[test]
fn a_living_host_refuses_the_newcomer_and_takes_it_up_once_the_older_one_is_gone() {
    let workspace = Workspace::new();
    let old = r#"mapping("old", #{ from: salesforce::object("Account").limit(5), to: pendo::account_metadata("custom"), match_on: #{ accountId: "Id" }, fields: #{ tier: |row| "old" } });"#;
    workspace.write("scripts/m.rhai", old);
    let host = Host::start(&workspace);
    assert_eq!(host.wait("ready")["added"], json!(["old"]));
    workspace.write("scripts/a.rhai", old.replace("\"old\"", "\"new\""));
    let line = host.reload(|line| line["files"] == 2);
    assert_eq!((&line["declarations"], &line["added"], &line["removed"]), (&json!(1), &json!([]), &json!([])), "{line}");
    assert_eq!((&line["errors"][0]["code"], &line["errors"][0]["file"]), (&json!("E0402"), &json!("scripts/a.rhai")), "{line}");
    // A copy under the same name waits, too, though it sorts first.
    workspace.write("scripts/a copy of m.rhai", old.replace("tier", "level"));
    let line = host.reload(|line| line["files"] == 3);
    assert_eq!((&line["declarations"], &line["changed"]), (&json!(1), &json!([])), "{line}");
    assert_eq!(host.end("-TERM"), Some(0));
    // Another host knows who was there first.
    let host = Host::start(&workspace);
    assert_eq!(host.wait("ready")["added"], json!(["old"]));
    // The older one goes: both that waited are live, untouched.
    fs::remove_file(workspace.path().join("scripts/m.rhai")).unwrap();
    let line = host.reload(|line| line["files"] == 2);
    assert_eq!((&line["errors"], &line["declarations"]), (&json!([]), &json!(2)), "{line}");
    assert_eq!(host.end("-TERM"), Some(0));
}
