//! Journeys edited while people are in them: who keeps which place, under which revision, and what is told before. (B11, H3)

use tabi::{
    flow::journey::{Edit, Published, take_edit},
    host::up::once,
    script::Body,
    store::{ParticipantFilter, ProgramStatus},
};

use crate::support::Sandbox;

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
