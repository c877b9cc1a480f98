//! Journeys from declaration to report, by the host on a clock turned by hand. (B3, B5, B6, B8, B10, H4)

use serde_json::Value;
use tabi::{
    flow::{
        Notify, Status,
        journey::{Published, is_active, operate, report},
    },
    host::{Session, Workspace as Opened, clock::Clock, journeys, up::once},
    script::{Body, Declaration},
    store::{ParticipantFilter, ParticipantState, ProgramStatus},
};

use crate::support::{Sandbox, Workspace};

pub(super) const START: &str = "2026-12-01T09:00:00Z";

/// A journey of people who are written down: no system is asked for them.
pub(super) fn script(steps: &str, more: &str) -> String {
    format!(
        r#"journey("trial", #{{
            model: "dynamic",
            participants: [
                #{{ email: "ana@example.com", seats: 10, active_users: 9 }},
                #{{ email: "ben@example.com", seats: 10, active_users: 2 }},
            ],
            unique_on: "email",
            calculated: #{{ seats_used: |p| p.active_users * 100 / p.seats }},
            {more}
            steps: [{steps}],
        }});"#
    )
}

/// A workspace whose host is looked at from outside.
pub(super) struct Bench {
    pub(super) workspace: Workspace,
    pub(super) clock: Clock,
}

impl Bench {
    pub(super) fn new(script: &str) -> Self {
        Self { workspace: Workspace::with_script(script), clock: Clock::by_hand(START.parse().unwrap()) }
    }

    pub(super) fn with<T>(&self, work: impl FnOnce(&Opened, &Session) -> T) -> T {
        let opened = Opened::open(Some(&self.workspace.path()), false, self.clock.clone()).unwrap();
        let session = Session::open(&opened).unwrap();
        let result = work(&opened, &session);
        session.close();
        result
    }

    pub(super) fn publish(&self) -> Published {
        self.with(|opened, session| journeys::publish(opened, session, &opened.load(), &declared(opened), None, &silent()).unwrap())
    }

    /// Everything due at this time.
    pub(super) fn at(&self, time: &str) -> Vec<Status> {
        self.clock.set(time.parse().unwrap());
        self.with(|opened, session| {
            let summaries = once(opened, session, &opened.load(), &silent(), |_| ()).unwrap();
            summaries.iter().map(|summary| summary.status).collect()
        })
    }

    /// Address, state and step of everybody.
    pub(super) fn people(&self) -> Vec<(String, &'static str, String)> {
        self.with(|_, session| {
            let everybody = ParticipantFilter { limit: 100, ..ParticipantFilter::default() };
            let found = session.store.participants("trial", &everybody).unwrap();
            found.into_iter().map(|one| (one.email.unwrap_or_default(), one.state.word(), one.step.unwrap_or_default())).collect()
        })
    }

    pub(super) fn report(&self) -> Value {
        self.with(|opened, session| {
            let declaration = declared(opened);
            let Body::Journey(journey) = &declaration.body else { panic!("no journey") };
            serde_json::to_value(report(&session.store, &declaration, journey).unwrap()).unwrap()
        })
    }
}

pub(super) fn silent() -> Notify {
    std::sync::Arc::new(|_| ())
}

pub(super) fn declared(opened: &Opened) -> std::sync::Arc<Declaration> {
    let loaded = opened.load();
    loaded.declarations().first().cloned().expect("a sound journey")
}

pub(super) fn both(state: &'static str, step: &str) -> Vec<(String, &'static str, String)> {
    ["ana@example.com", "ben@example.com"].map(|who| (who.to_owned(), state, step.to_owned())).to_vec()
}

#[test]
fn nobody_enters_a_draft_and_everybody_a_published_journey_once_b8_b10() {
    let bench = Bench::new(&script(r#"wait("a day", days(1)), finish()"#, ""));
    assert!(bench.at(START).is_empty(), "a draft does not run");
    assert!(matches!(bench.publish(), Published::Active(program) if program.revision == 1));
    bench.at(START);
    assert_eq!(bench.people(), both("waiting", "a day"));
    bench.at("2026-12-01T12:00:00Z");
    assert_eq!(bench.people().len(), 2, "who is in is not let in again");
}

#[test]
fn a_wait_ends_at_its_time_and_not_before_b5() {
    let bench = Bench::new(&script(r#"wait("a day", days(1)), finish()"#, ""));
    bench.publish();
    bench.at(START);
    bench.at("2026-12-02T08:59:59Z");
    assert_eq!(bench.people(), both("waiting", "a day"));
    bench.at("2026-12-02T09:00:00Z");
    assert!(bench.people().iter().all(|(_, state, _)| *state == "completed"), "{:?}", bench.people());
}

#[test]
fn a_time_that_passed_while_the_host_was_down_is_made_up_for() {
    let bench = Bench::new(&script(r#"wait("a day", days(1)), wait("another", days(1)), finish()"#, ""));
    bench.publish();
    bench.at(START);
    bench.at("2027-01-15T10:00:00Z");
    assert_eq!(bench.people(), both("waiting", "another"), "the next wait begins when the host is there");
    bench.at("2027-01-16T10:00:00Z");
    assert!(bench.people().iter().all(|(_, state, _)| *state == "completed"));
}

#[test]
fn a_conditional_wait_goes_one_way_when_it_came_true_and_the_other_when_not_b6() {
    let steps = r#"wait_for("used?", #{ when: calculated("seats_used", ">=", 80), within: days(7),
        then: [drop("uses it")], otherwise: [drop("quiet")] })"#;
    let bench = Bench::new(&script(steps, ""));
    bench.publish();
    bench.at(START);
    let states: Vec<_> = bench.people().into_iter().map(|(who, state, _)| (who, state)).collect();
    assert_eq!(states, [("ana@example.com".to_owned(), "dropped"), ("ben@example.com".to_owned(), "waiting")]);
    bench.at("2026-12-08T09:00:00Z");
    let reasons = bench.with(|_, session| {
        let everybody = ParticipantFilter { limit: 100, ..ParticipantFilter::default() };
        session.store.participants("trial", &everybody).unwrap().into_iter().map(|one| one.reason.unwrap_or_default()).collect::<Vec<_>>()
    });
    assert_eq!(reasons, ["uses it", "quiet"]);
}

#[test]
fn a_split_gives_everybody_the_same_arm_every_time() {
    let steps = r#"split("half", #{ a: #{ weight: 50, steps: [drop("a")] }, b: #{ weight: 50, steps: [drop("b")] } })"#;
    let arms = |bench: &Bench| {
        bench.publish();
        bench.at(START);
        bench.with(|_, session| {
            let everybody = ParticipantFilter { limit: 100, ..ParticipantFilter::default() };
            session.store.participants("trial", &everybody).unwrap().into_iter().map(|one| one.reason).collect::<Vec<_>>()
        })
    };
    let first = arms(&Bench::new(&script(steps, "")));
    assert!(first.iter().flatten().all(|arm| arm == "a" || arm == "b"), "{first:?}");
    assert_eq!(first, arms(&Bench::new(&script(steps, ""))));
}

#[test]
fn whoever_meets_the_exit_criteria_leaves_wherever_they_stand() {
    let bench = Bench::new(&script(r#"wait("a day", days(1)), finish()"#, r#"exit: field("seats", ">", 5),"#));
    bench.publish();
    bench.at(START);
    assert!(bench.people().iter().all(|(_, state, _)| *state == "dropped"), "{:?}", bench.people());
}

#[test]
fn timers_grow_by_the_pause() {
    let bench = Bench::new(&script(r#"wait("a day", days(1)), finish()"#, ""));
    bench.publish();
    bench.at(START);
    let to = |status, time: &str| bench.with(|_, session| operate(&session.store, "trial", status, time.parse().unwrap()).unwrap());
    to(ProgramStatus::Paused, "2026-12-01T12:00:00Z");
    assert!(bench.at("2026-12-03T12:00:00Z").is_empty(), "nobody moves in a paused journey");
    to(ProgramStatus::Active, "2026-12-03T12:00:00Z");
    bench.at("2026-12-04T08:59:59Z");
    assert_eq!(bench.people(), both("waiting", "a day"));
    bench.at("2026-12-04T09:00:00Z");
    assert!(bench.people().iter().all(|(_, state, _)| *state == "completed"), "{:?}", bench.people());
}

#[test]
fn a_stopped_journey_stays_as_it_is_and_cannot_be_paused() {
    let bench = Bench::new(&script(r#"wait("a day", days(1)), finish()"#, ""));
    bench.publish();
    bench.at(START);
    bench.with(|_, session| {
        operate(&session.store, "trial", ProgramStatus::Stopped, START.parse().unwrap()).unwrap();
        assert!(!is_active(&session.store, "trial"));
        let refused = operate(&session.store, "trial", ProgramStatus::Paused, START.parse().unwrap()).unwrap_err().to_string();
        assert!(refused.contains("stopped"), "{refused}");
    });
    assert!(bench.at("2026-12-05T09:00:00Z").is_empty());
}

#[test]
fn a_closure_that_fails_for_one_person_fails_that_person_alone() {
    let steps = r#"branch("many?", #{ when: calculated("seats_used", ">=", 80), then: [drop("many")], otherwise: [drop("few")] })"#;
    let bench = Bench::new(&script(steps, "").replace("seats: 10, active_users: 2", "seats: 0, active_users: 2"));
    bench.publish();
    bench.at(START);
    let states: Vec<_> = bench.people().into_iter().map(|(_, state, _)| state).collect();
    assert_eq!(states, [ParticipantState::Dropped.word(), ParticipantState::Failed.word()]);
    let report = bench.report();
    assert_eq!(report["participants"]["failed"], 1);
    assert!(report["failed_reasons"].as_object().unwrap().keys().any(|reason| reason.contains("Division by zero")), "{report}");
}

#[test]
fn publishing_tells_every_reason_at_once_and_leaves_a_draft_b10() {
    let steps = r#"send_email("hello", #{ template: "missing" }), engagement("tour", "No such tour"), finish()"#;
    let bench = Bench::new(&script(steps, ""));
    let Published::Draft(reasons) = bench.publish() else { panic!("published") };
    assert!(reasons.iter().any(|reason| reason.contains("missing")), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains("No such tour") || reason.contains("PX")), "{reasons:?}");
    assert_eq!(bench.report()["status"], "draft");
}

/// Mail, an engagement and its events, against the sandbox: people of PX, whose clock is turned.
const TOUR: &str = r#"
journey("tour", #{
    model: "onboarding",
    participants: px::object("users").limit(40),
    unique_on: "identifyId",
    email: "identifyId",
    steps: [
        send_email("welcome", #{ template: "welcome" }),
        engagement("tour", "Product tour"),
        wait_for("seen?", #{ when: viewed("tour"), within: days(30), then: [drop("seen")], otherwise: [drop("not seen")] }),
    ],
});
"#;

#[test]
fn mail_goes_out_once_an_engagement_is_shown_and_what_people_do_moves_them_b4_b7_b12() {
    let workspace = Workspace::with_script(TOUR);
    workspace.write("scripts/templates/welcome.txt", "Subject: Welcome, {{ firstName }}\nHello {{ firstName }}.\n");
    let sandbox = Sandbox::start(&workspace, "--accounts 20 --people 200");
    workspace.tabi("journey publish tour --yes").ended(0);
    workspace.tabi("up --once --json").ended(0);
    let report = |workspace: &Workspace| -> Value { serde_json::from_str(&workspace.tabi("journey report tour --json").ended(0).stdout).unwrap() };
    let first = report(&workspace);
    let waiting = first["participants"]["waiting"].as_u64().unwrap();
    assert!(waiting > 20, "{first}");
    assert_eq!(first["emails"][0]["sent"], waiting, "{first}");
    let inbox = || sandbox.get("mail", "/inbox").as_array().map_or(0, Vec::len) as u64;
    assert_eq!(inbox(), waiting, "one mail for everybody");
    assert!(sandbox.writes("px").iter().any(|call| call.contains("update_membership")), "{:?}", sandbox.writes("px"));
    sandbox.post("px", "/_sandbox/clock", &serde_json::json!({"advance_seconds": 20 * 86_400}));
    workspace.tabi("journey pause tour").ended(0);
    workspace.tabi("journey resume tour").ended(0);
    workspace.tabi("up --once --json").ended(0);
    let then = report(&workspace);
    let viewed = then["engagements"][0]["viewed"].as_u64().unwrap();
    assert!(viewed > 0, "{then}");
    assert_eq!(then["participants"]["dropped"], viewed, "{then}");
    assert_eq!(then["engagements"][0]["not_viewed"], waiting - viewed, "{then}");
    assert_eq!(inbox(), waiting, "nobody is written to twice");
}

#[test]
fn whoever_has_no_px_user_lands_among_the_failed_b8() {
    let script = TOUR.replace("px::object(\"users\").limit(40)", r#"[#{ identifyId: "nobody@nowhere.example", firstName: "No" }]"#);
    let script = script.replace("email: \"identifyId\",", "email: \"identifyId\", px_id: \"identifyId\",");
    let workspace = Workspace::with_script(&script);
    workspace.write("scripts/templates/welcome.txt", "Subject: Welcome\nHello.\n");
    workspace.tabi("journey publish tour --yes").ended(0);
    let tour = workspace.tabi("up --once --json").ended(1).summary("tour");
    assert_eq!((tour["status"].as_str(), tour["rejected"].as_u64()), (Some("partial"), Some(1)), "who fails at the door is told: {tour}");
    let report: Value = serde_json::from_str(&workspace.tabi("journey report tour --json").ended(0).stdout).unwrap();
    assert_eq!(report["failed_reasons"], serde_json::json!({"Invalid PX user ID": 1}), "{report}");
}

#[test]
fn an_engagement_that_is_not_active_keeps_the_journey_a_draft_b2() {
    let workspace = Workspace::with_script(&TOUR.replace("\"Product tour\"", "\"In-app NPS\""));
    workspace.write("scripts/templates/welcome.txt", "Subject: Welcome\nHello.\n");
    let refused: Value = serde_json::from_str(&workspace.tabi("journey publish tour --yes --json").ended(1).stdout).unwrap();
    assert_eq!(refused["status"], "draft");
    assert!(refused["reasons"][0].as_str().unwrap().contains("is a survey"), "{refused}");
}

#[test]
fn the_command_publishes_shows_and_reports() {
    let workspace = Workspace::with_script(&script(r#"wait("a day", days(1)), finish()"#, ""));
    let refused = workspace.tabi("journey publish trial").ended(2);
    assert!(refused.stderr.contains("--yes"), "{}", refused.stderr);
    workspace.tabi("journey publish trial --yes").ended(0);
    workspace.tabi("up --once --json").ended(0);
    let report: Value = serde_json::from_str(&workspace.tabi("journey report trial --json").ended(0).stdout).unwrap();
    assert_eq!(report["participants"]["waiting"], 2);
    let shown = workspace.tabi("journey show trial --person ana").ended(0);
    assert!(shown.stdout.contains("next: \"finish\""), "{}", shown.stdout);
    workspace.tabi("journey pause trial").ended(0);
    workspace.tabi("journey pause trial").ended(2);
    workspace.tabi("journey resume trial").ended(0);
    workspace.tabi("journey stop trial").ended(0);
}

#[test]
fn a_call_to_action_is_made_once_and_closed_again_and_a_web_hook_needs_an_allowed_host() {
    let script = |steps: &str| {
        format!(
            r#"journey("trial", #{{ model: "dynamic", participants: gainsight::object("Company").limit(3), unique_on: "Gsid", company: "Gsid",
                steps: [{steps}] }});"#
        )
    };
    let steps = r#"create_cta(#{ reason: "Product Risk", name: "Tour not finished", type: "Risk" }),
        close_cta(#{ reason: "Product Risk" }), webhook("tell", #{ url: "http://127.0.0.1:9/hook", body: #{ who: field("Name") } }), finish()"#;
    let workspace = Workspace::with_script(&script(steps));
    let sandbox = Sandbox::start(&workspace, "--accounts 20 --people 100");
    let before = sandbox.documents("gainsight", "call_to_action").len();
    workspace.tabi("journey publish trial --yes").ended(0);
    let trial = workspace.tabi("up --once --json").ended(1).summary("trial");
    assert_eq!((trial["status"].as_str(), trial["rejected"].as_u64()), (Some("partial"), Some(3)), "the host of the hook is not allowed: {trial}");
    let all = sandbox.documents("gainsight", "call_to_action");
    assert_eq!(all.len(), before + 3, "one for each company");
    let ours: Vec<_> = all.iter().filter(|cta| cta["Name"] == "Tour not finished").collect();
    assert!(ours.iter().all(|cta| cta["IsClosed"] == true), "{ours:?}");
    assert_eq!(ours.len(), 3);
    let shown: Value = serde_json::from_str(&workspace.tabi("journey show trial --person 1p02 --json").ended(0).stdout).unwrap();
    let refused = |one: &&Value| one["timeline"].as_array().unwrap().iter().any(|entry| entry["step"] == "tell" && entry["kind"] == "failed");
    assert_eq!(shown.as_array().unwrap().iter().filter(refused).count(), 3, "the hook's host is not allowed: {shown}");
}

#[test]
fn what_nothing_would_tell_of_is_refused_rather_than_waited_for() {
    let steps = r#"send_email("hello", #{ template: "hello" }),
        wait_for("read?", #{ when: opened("hello"), within: days(1), then: [finish()], otherwise: [drop("unread")] })"#;
    let bench = Bench::new(&script(steps, ""));
    bench.workspace.write("scripts/templates/hello.txt", "Subject: Hello\nHello.\n");
    // Connected, so that there is no server but a configured one.
    let connected = "[email]\nsmtp = \"smtp://localhost:1\"\nfrom = \"cs@example.com\"\n";
    bench.workspace.write("tabi.toml", connected);
    let Published::Draft(reasons) = bench.publish() else { panic!("published") };
    assert_eq!(
        reasons,
        ["the journey asks whether the mail \"hello\" was opened, which only links of the host's own server tell: add [server] to tabi.toml"]
    );
    bench.workspace.write("tabi.toml", format!("{connected}[server]\nlisten = \"127.0.0.1:7878\"\n"));
    assert!(matches!(bench.publish(), Published::Active(_)));
}
