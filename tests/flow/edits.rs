//! Journeys edited while people are in them: who keeps which place, under which revision, and what is told before. (B11, H3)

use serde_json::{Value, json};
use tabi::{
    flow::journey::{Edit, Published, take_edit},
    host::up::once,
    script::Body,
    store::{ParticipantFilter, ProgramStatus},
};

use crate::support::{Sandbox, Workspace};

use super::journeys::{Bench, START, both, declared, script};

const DAY_2: &str = "2026-12-02T09:00:00Z";

/// Published, with both people waiting for a day.
fn waiting(steps: &str) -> Bench {
    let bench = Bench::new(&script(steps, ""));
    assert!(matches!(bench.publish(), Published::Active(_)));
    bench.at(START);
    bench
}

fn save(bench: &Bench, steps: &str) {
    bench.workspace.write("scripts/script.rhai", script(steps, ""));
}

/// What comes of a save.
fn edit(bench: &Bench, steps: &str) -> Edit {
    save(bench, steps);
    bench.with(|opened, session| {
        let declaration = declared(opened);
        let Body::Journey(journey) = &declaration.body else { panic!("no journey") };
        let program = session.store.program("trial").unwrap().unwrap();
        take_edit(&session.store, &program, &declaration, journey, &opened.config.timezone, opened.clock.now()).unwrap()
    })
}

fn reasons(bench: &Bench) -> Vec<String> {
    bench.with(|_, session| {
        let everybody = ParticipantFilter { limit: 100, ..ParticipantFilter::default() };
        session.store.participants("trial", &everybody).unwrap().into_iter().map(|one| one.reason.unwrap_or_default()).collect()
    })
}

/// What the host says when it does everything due.
fn said(bench: &Bench, time: &str) -> Vec<String> {
    bench.clock.set(time.parse().unwrap());
    bench.with(|opened, session| {
        let said: std::sync::Arc<std::sync::Mutex<Vec<String>>> = std::sync::Arc::default();
        let saying = std::sync::Arc::clone(&said);
        let notify: tabi::flow::Notify = std::sync::Arc::new(move |notice| {
            if let tabi::flow::Notice::Warning { message, .. } = notice {
                saying.lock().unwrap().push(message);
            }
        });
        once(opened, session, &opened.load(), &notify, |_| ()).unwrap();
        std::mem::take(&mut *said.lock().unwrap())
    })
}

#[test]
fn an_edit_that_strands_nobody_is_taken_up_and_another_waits_for_a_yes_b11() {
    let bench = waiting(r#"wait("a day", days(1)), finish()"#);
    let Edit::Applied(plan) = edit(&bench, r#"wait("a day", days(1)), wait("one more", days(1)), finish()"#) else { panic!("not taken up") };
    assert_eq!((plan.from, plan.to, plan.changes.added.as_slice()), (1, 2, ["one more".to_owned()].as_slice()));
    let Edit::Held(plan) = edit(&bench, r#"wait("another name", days(1)), finish()"#) else { panic!("nobody was asked") };
    assert_eq!(plan.reasons, ["2 people stand at \"a day\", which is gone: they would be parked"]);
    assert!(matches!(bench.publish(), Published::Active(program) if program.revision == 3));
    assert_eq!(bench.people(), both("parked", "a day"));
}

#[test]
fn while_an_edit_waits_everybody_goes_on_under_the_revision_before_b11() {
    let bench = waiting(r#"wait("a day", days(1)), drop("as it was")"#);
    save(&bench, r#"wait("another name", days(1)), drop("as it is now")"#);
    let told = said(&bench, "2026-12-01T10:00:00Z");
    assert!(told.iter().any(|line| line.contains("\"a day\": 2 people parked") && line.contains("goes on as revision 1 until then")), "{told:?}");
    assert_eq!(bench.people(), both("waiting", "a day"));
    bench.at(DAY_2);
    assert_eq!(reasons(&bench), ["as it was", "as it was"]);
    // Nobody stands there any more, so that nobody has to be asked.
    assert!(said(&bench, "2026-12-02T10:00:00Z").iter().any(|line| line.contains("taken up: it goes on as revision 2")));
}

#[test]
fn while_an_edit_waits_mails_are_made_from_the_templates_of_the_revision_before() {
    let steps = |wait: &str| format!(r#"wait("{wait}", days(1)), send_email("hello", #{{ template: "hello" }}), finish()"#);
    let bench = Bench::new(&script(&steps("a day"), ""));
    bench.workspace.write("scripts/templates/hello.txt", "Subject: As it was\nHello. {% include \"foot.txt\" %}\n");
    bench.workspace.write("scripts/templates/foot.txt", "Old foot.");
    let sandbox = Sandbox::start(&bench.workspace, "--accounts 5 --people 10");
    assert!(matches!(bench.publish(), Published::Active(_)));
    bench.at(START);
    save(&bench, &steps("another name"));
    bench.workspace.write("scripts/templates/hello.txt", "Subject: As it is now\nHello.\n");
    bench.workspace.write("scripts/templates/foot.txt", "New foot.");
    bench.at(DAY_2);
    let inbox = sandbox.get("mail", "/inbox");
    let mails = inbox.as_array().unwrap();
    assert_eq!(mails.len(), 2, "{inbox}");
    assert!(mails.iter().all(|mail| mail.to_string().contains("As it was")), "{inbox}");
    assert!(mails.iter().all(|mail| mail["headers"]["List-Unsubscribe"].as_str().is_some_and(|link| link.contains("/u/"))), "with links: {inbox}");
    let first = &mails[0];
    assert!(first.to_string().contains("Old foot") || first.get("text").is_none(), "{first}");
}

#[test]
fn another_template_is_an_edit_that_is_taken_up_at_once_and_told() {
    let bench = Bench::new(&script(r#"wait("a day", days(1)), send_email("hello", #{ template: "hello" }), finish()"#, ""));
    bench.workspace.write("scripts/templates/hello.txt", "Subject: As it was\nHello.\n");
    bench.publish();
    bench.at(START);
    bench.workspace.write("scripts/templates/hello.txt", "Subject: As it is now\nHello.\n");
    let told = said(&bench, "2026-12-01T10:00:00Z");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("the flow is the same") && told[0].contains("files: scripts/templates/hello.txt"), "{told:?}");
    assert!(said(&bench, "2026-12-01T11:00:00Z").is_empty(), "told once");
}

#[test]
fn people_of_a_deleted_file_wait_and_go_on_where_they_were_when_it_is_back() {
    let steps = r#"wait("a day", days(1)), drop("went on")"#;
    let bench = waiting(steps);
    let text = script(steps, "");
    std::fs::remove_file(bench.workspace.path().join("scripts/script.rhai")).unwrap();
    let told = said(&bench, "2026-12-03T09:00:00Z");
    assert!(told.iter().any(|line| line.contains("no file declares it: its people wait")), "{told:?}");
    assert_eq!(bench.people(), both("waiting", "a day"), "deleting a file is not stopping a journey");
    bench.workspace.write("scripts/script.rhai", text);
    assert!(said(&bench, "2026-12-03T10:00:00Z").is_empty(), "it is what was published");
    assert_eq!(reasons(&bench), ["went on", "went on"]);
}

#[test]
fn a_host_that_starts_beside_a_broken_file_goes_on_from_the_kept_texts() {
    let bench = waiting(r#"wait("a day", days(1)), drop("went on")"#);
    bench.workspace.write("scripts/script.rhai", "journey(\"trial\", #{");
    let told = said(&bench, DAY_2);
    assert!(told.iter().any(|line| line.contains("its file has errors; it goes on as revision 1")), "{told:?}");
    assert_eq!(reasons(&bench), ["went on", "went on"]);
}

#[test]
fn timers_move_with_the_length_of_their_wait_counted_from_when_it_began() {
    let bench = waiting(r#"wait("a week", days(7)), drop("done")"#);
    bench.clock.set("2026-12-02T09:00:00Z".parse().unwrap());
    let Edit::Applied(plan) = edit(&bench, r#"wait("a week", days(3)), drop("done")"#) else { panic!("not taken up") };
    let timers = plan.steps[0].timers.as_ref().unwrap();
    assert_eq!((timers.earlier, timers.later, timers.due_at_once), (2, 0, 0));
    bench.at("2026-12-04T08:59:59Z");
    assert_eq!(bench.people(), both("waiting", "a week"));
    let Edit::Applied(plan) = edit(&bench, r#"wait("a week", hours(5)), drop("done")"#) else { panic!("not taken up") };
    assert_eq!(plan.steps[0].timers.as_ref().unwrap().due_at_once, 2);
    bench.at("2026-12-04T08:59:59Z");
    assert_eq!(reasons(&bench), ["done", "done"]);
}

#[test]
fn a_longer_wait_keeps_people_longer_and_what_a_pause_has_added_stays() {
    let bench = waiting(r#"wait("a day", days(1)), drop("done")"#);
    let to = |status, time: &str| {
        bench.with(|_, session| tabi::flow::journey::operate(&session.store, "trial", status, time.parse().unwrap()).unwrap());
    };
    to(ProgramStatus::Paused, "2026-12-01T12:00:00Z");
    to(ProgramStatus::Active, "2026-12-01T18:00:00Z");
    bench.clock.set("2026-12-01T19:00:00Z".parse().unwrap());
    assert!(matches!(edit(&bench, r#"wait("a day", days(2)), drop("done")"#), Edit::Applied(_)));
    bench.at("2026-12-03T14:59:59Z");
    assert_eq!(bench.people(), both("waiting", "a day"));
    bench.at("2026-12-03T15:00:00Z");
    assert_eq!(reasons(&bench), ["done", "done"]);
}

#[test]
fn whoever_is_parked_goes_on_when_the_step_is_there_again() {
    let bench = waiting(r#"wait("a day", days(1)), drop("done")"#);
    save(&bench, r#"wait("another", days(1)), drop("done")"#);
    bench.publish();
    assert_eq!(bench.people(), both("parked", "a day"));
    save(&bench, r#"wait("a day", days(1)), drop("done")"#);
    bench.at("2026-12-01T12:00:00Z");
    assert_eq!(bench.people(), both("waiting", "a day"));
    bench.at(DAY_2);
    assert_eq!(reasons(&bench), ["done", "done"]);
}

/// Published by the command, with both people waiting for a day.
fn by_command(steps: &str) -> Workspace {
    let workspace = Workspace::with_script(&script(steps, ""));
    workspace.tabi("journey publish trial --yes").ended(0);
    workspace.tabi("up --once --json").ended(0);
    workspace
}

fn json(workspace: &Workspace, command: &str) -> Value {
    serde_json::from_str(&workspace.tabi(&format!("{command} --json")).ended(0).stdout).unwrap()
}

#[test]
fn the_plan_says_step_by_step_what_an_edit_would_do_and_accepting_does_it() {
    let workspace = by_command(r#"wait("pause", days(1)), drop("done")"#);
    assert_eq!(json(&workspace, "journey publish trial --plan"), Value::Null, "nothing differs");
    workspace.write("scripts/script.rhai", script(r#"wait("rest", days(1)), drop("done")"#, ""));
    let plan = json(&workspace, "journey publish trial --plan");
    assert_eq!((&plan["from"], &plan["to"], &plan["applies"]), (&json!(1), &json!(2), &json!(false)), "{plan}");
    assert_eq!(plan["steps"][0]["goes"], "parked", "{plan}");
    assert_eq!(plan["changes"], json!({"added": ["rest"], "removed": ["pause"], "changed": []}), "{plan}");
    let told = workspace.tabi("journey publish trial --plan").ended(0).stdout;
    assert!(told.contains("\"pause\": 2 people parked") && told.contains("--accept"), "{told}");
    assert_eq!(json(&workspace, "journey show trial --revisions").as_array().unwrap().len(), 1, "a plan does nothing");

    let renamed = json(&workspace, "journey publish trial --plan --move pause=rest");
    assert_eq!((&renamed["steps"][0]["goes"], &renamed["applies"]), (&json!("renamed"), &json!(true)), "{renamed}");
    workspace.tabi("journey publish trial --accept --yes --move pause=nowhere").ended(2);
    workspace.tabi("journey publish trial --accept --yes --move pause=rest").ended(0);
    let shown = json(&workspace, "journey show trial --person ana");
    assert_eq!((&shown[0]["step"], &shown[0]["state"]), (&json!("rest"), &json!("waiting")), "{shown}");

    let revisions = json(&workspace, "journey show trial --revisions");
    let numbers: Vec<_> = revisions.as_array().unwrap().iter().map(|one| (one["revision"].as_u64(), one["runs"].as_bool())).collect();
    assert_eq!(numbers, [(Some(2), Some(true)), (Some(1), Some(false))], "{revisions}");
    assert_eq!((&revisions[0]["added"], &revisions[0]["removed"]), (&json!(["rest"]), &json!(["pause"])), "{revisions}");
    assert_eq!(revisions[0]["files"], json!(["scripts/script.rhai"]), "{revisions}");
    let first = workspace.tabi("journey show trial --revision 1 --graph").ended(0).stdout;
    assert!(first.contains("pause") && first.contains("wait 1 day") && !first.contains("rest"), "{first}");
    workspace.tabi("journey show trial --revision 7").ended(2);
}

#[test]
fn people_who_are_parked_can_be_moved_by_hand_and_everybody_is_told_what_comes_next() {
    let workspace = by_command(r#"wait("pause", days(1)), drop("done")"#);
    workspace.write("scripts/script.rhai", script(r#"wait("rest", days(1)), drop("done")"#, ""));
    workspace.tabi("journey publish trial --accept --yes").ended(0);
    let parked = json(&workspace, "journey show trial --person ana");
    assert_eq!(parked[0]["state"], "parked", "{parked}");
    assert!(parked[0]["next"].as_str().unwrap().contains("tabi journey move trial --from \"pause\""), "{parked}");
    workspace.tabi("journey move trial --from pause --to nowhere").ended(2);
    assert_eq!(json(&workspace, "journey move trial --from pause --to rest")["moved"], 2);
    workspace.tabi("up --once --json").ended(0);
    let moved = json(&workspace, "journey show trial --person ana");
    assert_eq!((&moved[0]["step"], &moved[0]["state"]), (&json!("rest"), &json!("waiting")), "{moved}");
    workspace.tabi("journey pause trial").ended(0);
    let paused = json(&workspace, "journey show trial --person ana");
    assert!(paused[0]["next"].as_str().unwrap().starts_with("nothing until the journey is resumed"), "{paused}");
    let listed = json(&workspace, "journey list");
    assert_eq!((&listed[0]["status"], &listed[0]["revision"], &listed[0]["in"]), (&json!("paused"), &json!(2), &json!(2)), "{listed}");
}

const SHOWN: &str = r#"
journey("NAME", #{
    model: "onboarding",
    participants: px::object("users").limit(LIMIT),
    unique_on: "identifyId",
    email: "identifyId",
    steps: [
        engagement("tour", "Product tour"),
        wait_for("seen?", #{ when: viewed("tour"), within: days(30), then: [drop("seen")], otherwise: [drop("not seen")] }),
    ],
});
"#;

fn shown(name: &str, limit: u32) -> String {
    SHOWN.replace("NAME", name).replace("LIMIT", &limit.to_string())
}

#[test]
fn another_engagement_cuts_the_old_one_and_only_newcomers_get_the_new_one_b11() {
    let bench = Bench::new(&shown("trial", 5));
    let sandbox = Sandbox::start(&bench.workspace, "--accounts 10 --people 60");
    assert!(matches!(bench.publish(), Published::Active(_)));
    bench.at(START);
    let of = |name: &str| sandbox.documents("px", "engagements").into_iter().find(|one| one["name"] == name).unwrap()["id"].clone();
    let (tour, video) = (of("Product tour"), of("Release video"));
    let joined = |engagement: &Value| {
        let all = sandbox.get("px", "/_sandbox/qualifications");
        all.as_array().unwrap().iter().filter(|one| one["engagementId"] == *engagement).count()
    };
    let before = joined(&tour);
    assert!(before > 0, "{}", sandbox.get("px", "/_sandbox/qualifications"));

    bench.workspace.write("scripts/script.rhai", shown("trial", 12).replace("Product tour", "Release video"));
    let plan = json(&bench.workspace, "journey publish trial --plan");
    assert_eq!(plan["engagements"], json!({"cut": ["Product tour"], "new": ["Release video"]}), "{plan}");
    assert_eq!(plan["applies"], false, "{plan}");
    assert_eq!(said(&bench, "2026-12-01T11:00:00Z").len(), 1, "while it waits the old one is shown");
    let with_old = joined(&tour);
    assert_eq!(joined(&video), 0, "nothing is associated that nobody has said yes to");

    assert!(matches!(bench.publish(), Published::Active(program) if program.revision == 2));
    bench.at("2026-12-01T13:00:00Z");
    assert_eq!(joined(&tour), with_old, "the old one is cut: nobody joins it any more");
    let newcomers = bench.people().len() - with_old;
    assert!(newcomers > 0, "{:?}", bench.people());
    assert_eq!(joined(&video), newcomers, "whoever was at the step before stays with what they had");
}

#[test]
fn an_engagement_that_is_paused_in_px_midway_is_an_error_of_its_step_until_it_is_active_again_b2() {
    let bench = Bench::new(&shown("trial", 3));
    let sandbox = Sandbox::start(&bench.workspace, "--accounts 10 --people 60");
    assert!(matches!(bench.publish(), Published::Active(_)));
    let tour = sandbox.documents("px", "engagements").into_iter().find(|one| one["name"] == "Product tour").unwrap()["id"].clone();
    let state = |state: &str| put(&sandbox, "/v1/engagement/state", &json!({"engagementId": tour, "state": state}));
    state("PAUSE");
    let told = said(&bench, START);
    assert!(told.iter().any(|line| line.contains("\"Product tour\" is PAUSED in PX")), "{told:?}");
    assert!(said(&bench, "2026-12-01T09:02:00Z").is_empty(), "told once");
    let report = bench.report();
    assert_eq!(report["engagements"][0]["error"], "is PAUSED in PX", "{report}");
    assert!(bench.workspace.tabi("journey show trial").ended(0).stdout.contains("\"Product tour\" is PAUSED in PX"));
    assert_eq!((&report["engagements"][0]["failed"], &report["engagements"][0]["not_viewed"]), (&json!(0), &json!(0)), "they wait: {report}");
    let shown = json(&bench.workspace, &format!("journey show trial --person {}", bench.people()[0].0));
    assert!(shown[0]["pending"][0]["fault"].to_string().contains("is PAUSED in PX"), "{shown}");

    state("START");
    let told = said(&bench, "2026-12-01T09:04:00Z");
    assert!(told.iter().any(|line| line.contains("is active in PX again")), "{told:?}");
    let report = bench.report();
    assert_eq!(report["engagements"][0]["error"], Value::Null, "{report}");
    assert_eq!(report["engagements"][0]["not_viewed"].as_u64(), Some(bench.people().len() as u64), "all have joined: {report}");
}

fn put(sandbox: &Sandbox, path: &str, body: &Value) {
    let url = format!("{}{path}", sandbox.base_url("px"));
    let key = sandbox.ready()["px"]["api_key"].as_str().unwrap().to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let sent = runtime.block_on(async { reqwest::Client::new().put(url).header("X-APTRINSIC-API-KEY", key).json(body).send().await.unwrap() });
    assert!(sent.status().is_success(), "{path}: {}", sent.status());
}

#[test]
fn two_journeys_that_trigger_one_engagement_are_told_of_when_the_second_is_published() {
    let workspace = Workspace::with_script(&format!("{}{}", shown("one", 3), shown("two", 3)));
    let _sandbox = Sandbox::start(&workspace, "--accounts 10 --people 60");
    let first = workspace.tabi("journey publish one --yes").ended(0);
    assert!(!first.stderr.contains("triggered by"), "{}", first.stderr);
    let second = workspace.tabi("journey publish two --yes").ended(0);
    assert!(second.stderr.contains("\"Product tour\" is triggered by `one`, too"), "{}", second.stderr);
}

#[test]
fn a_report_counts_by_step_and_by_day_and_goes_out_as_csv_b12_b17() {
    let workspace = by_command(r#"wait("pause", days(1)), drop("done")"#);
    let report = json(&workspace, "journey report trial");
    assert_eq!(report["steps"], json!([{"step": "pause", "reached": 2, "standing": 2, "parked": 0, "conversion": 1.0}]), "{report}");
    for stretch in ["day", "week", "month"] {
        let lines = json(&workspace, &format!("journey report trial --by {stretch}"));
        assert_eq!((&lines[0]["step"], &lines[0]["reached"], lines.as_array().unwrap().len()), (&json!("pause"), &json!(2), 1), "{lines}");
        let from = lines[0]["from"].as_str().unwrap();
        assert!(stretch != "month" || from.ends_with("-01"), "{from}");
    }
    let csv = workspace.tabi("journey report trial --csv").ended(0).stdout;
    assert!(csv.starts_with("table,of,measure,value\n") && csv.contains("steps,pause,reached,2\n"), "{csv}");
    workspace.tabi("journey report trial --csv out").ended(0);
    let steps = std::fs::read_to_string(workspace.path().join("out/steps.csv")).unwrap();
    assert_eq!(steps, "step,reached,standing,parked,conversion\npause,2,2,0,1\n");
    assert_eq!(json(&workspace, "journey report trial --responses"), json!([]));
    let told = workspace.tabi("journey report trial").ended(0).stdout;
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
}

/// A survey of the sandbox's people, whose clock is turned until they have answered.
const SURVEY: &str = r#"
journey("nps", #{
    model: "nps",
    participants: px::object("users").limit(40),
    unique_on: "identifyId",
    email: "identifyId",
    steps: [
        survey("ask", #{ survey: "In-app NPS", by: "px" }),
        wait_for("answered?", #{ when: responded("ask"), within: days(60), then: [drop("answered")], otherwise: [drop("silent")] }),
    ],
});
"#;

#[test]
fn answers_are_listed_and_summed_up_by_score_b16_b17() {
    let workspace = Workspace::with_script(SURVEY);
    let sandbox = Sandbox::start(&workspace, "--accounts 20 --people 200");
    workspace.tabi("journey publish nps --yes").ended(0);
    workspace.tabi("up --once --json").ended(0);
    sandbox.post("px", "/_sandbox/clock", &json!({"advance_seconds": 30 * 86_400}));
    workspace.tabi("up --once --json").ended(0);
    let report = json(&workspace, "journey report nps");
    let survey = &report["surveys"][0];
    let responded = survey["responded"].as_u64().unwrap();
    assert!(responded > 0 && survey["responded_px"] == responded, "{report}");
    let answers = json(&workspace, "journey report nps --responses");
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len() as u64, responded, "{answers:?}");
    assert!(answers.iter().all(|one| one["channel"] == "px" && one["step"] == "ask" && one["who"].is_string()), "{answers:?}");
    let scores: Vec<f64> = answers.iter().filter_map(|one| one["score"].as_f64()).collect();
    let count = |wanted: &dyn Fn(f64) -> bool| f64::from(u32::try_from(scores.iter().filter(|score| wanted(**score)).count()).unwrap());
    let all = count(&|_| true);
    let average = scores.iter().sum::<f64>() / all;
    assert!((survey["average_score"].as_f64().unwrap() - average).abs() < 0.006, "{survey} {average}");
    let nps = (count(&|score| score >= 9.0) - count(&|score| score <= 6.0)) * 100.0 / all;
    assert!((survey["nps"].as_f64().unwrap() - nps).abs() < 0.06, "{survey} {nps}");
    let given: u64 = survey["scores"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    assert_eq!(given, scores.len() as u64, "{survey}");
    assert!(workspace.tabi("journey report nps").ended(0).stdout.contains("ask scores"));
}

/// One edit of everything but the flow, what is said of it, and whether somebody has to say yes.
#[test]
fn what_an_edit_changes_besides_the_flow_is_told_and_only_what_harms_nobody_is_taken_up_at_once() {
    let steps = r#"wait("a day", days(1)), finish()"#;
    let bench = waiting(steps);
    let with = |from: &str, to: &str, more: &str| {
        bench.workspace.write("scripts/script.rhai", script(steps, more).replace(from, to));
        bench.with(|opened, session| {
            let declaration = declared(opened);
            let Body::Journey(journey) = &declaration.body else { panic!("no journey") };
            let program = session.store.program("trial").unwrap().unwrap();
            let time = (&opened.config.timezone, opened.clock.now());
            tabi::flow::journey::plan_edit(&session.store, &program, &declaration, journey, &[], time).unwrap().expect("an edit")
        })
    };
    let held = [
        ("unique_on: \"email\"", "unique_on: [\"email\", \"seats\"]", "", "2 people would be in twice"),
        ("unique_on: \"email\"", "unique_on: \"customer\"", "", "2 people who took part have no `customer`"),
        ("zz", "zz", "email: \"other\",", "the address or PX user id of 2 people who are in would be another one"),
        ("zz", "zz", "exit: field(\"active_users\", \">\", 5),", "1 person would leave at once"),
        ("zz", "zz", "exit: field(\"active_users\", \">\", 50),", "nobody of them at once"),
    ];
    for (from, to, more, said) in held {
        let plan = with(from, to, more);
        assert!(!plan.applies && plan.reasons.iter().any(|reason| reason.contains(said)), "{to} {more}: {plan}");
        assert!(plan.to_string().contains(said), "{plan}");
    }
    let harmless = [
        ("zz", "zz", "reentry: days(3),", "0 people who are out"),
        ("* 100", "* 101", "", "calculated fields are other ones"),
        ("zz", "zz", "cap: #{ messages: 3, within: days(7) },", "cap of its messages"),
    ];
    for (from, to, more, said) in harmless {
        let plan = with(from, to, more);
        assert!(plan.applies && plan.to_string().contains(said), "{to} {more}: {plan}");
    }
    // Accepted, everybody is the same person under another key.
    bench.workspace.write("scripts/script.rhai", script(steps, "").replace("unique_on: \"email\"", "unique_on: [\"email\", \"seats\"]"));
    assert!(said(&bench, "2026-12-01T10:00:00Z").iter().any(|line| line.contains("the edit waits")));
    assert!(matches!(bench.publish(), Published::Active(program) if program.revision == 2));
    bench.at("2026-12-01T11:00:00Z");
    assert_eq!(bench.people(), both("waiting", "a day"));
}
