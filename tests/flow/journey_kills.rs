//! `kill -9` at every commit point of a journey: whoever is in takes exactly the steps of an undisturbed run, and the systems see each
//! mail, each change of an audience and each call to action once.

use std::{
    io::{BufRead, BufReader, Write as _},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use tabi::{
    host::{Session, Workspace as Opened, clock::Clock, up::once},
    store::{ParticipantFilter, Store},
};
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::support::{Sandbox, Workspace};

const JOURNEY: &str = r#"
journey("trial", #{
    model: "dynamic",
    participants: px::object("users").limit(PEOPLE),
    unique_on: "identifyId",
    email: "identifyId",
    steps: [
        send_email("welcome", #{ template: "hello" }),
        split("which?", #{
            shown: #{ weight: 3, steps: [engagement("tour", "Product tour")] },
            noted: #{ weight: 1, steps: [set_field("mark", #{ noted: "yes" }), run("note", |p| state::set("noted/" + p.identifyId, true))] },
        }),
        wait("a day", days(1)),
        send_email("again", #{ template: "hello" }),
        drop("done"),
    ],
});
"#;
pub(super) const TIMES: [&str; 2] = ["2026-12-01T09:00:00Z", "2026-12-02T09:00:00Z"];

pub(super) fn prepared(people: u32) -> (Workspace, Sandbox) {
    let workspace = Workspace::with_script(&JOURNEY.replace("PEOPLE", &people.to_string()));
    workspace.write("scripts/templates/hello.txt", "Subject: Hello\nHello {{ firstName }}.\n");
    let accounts = people.div_ceil(8).max(20);
    let sandbox = Sandbox::start(&workspace, &format!("--accounts {accounts} --people {} --now {}", people * 2, TIMES[0]));
    // What people do by themselves hangs on when the sandbox's clock stood where.
    sandbox.post("px", "/_sandbox/behaviour", &serde_json::json!({"view_rate": 0.0}));
    workspace.tabi("journey publish trial --yes").ended(0);
    (workspace, sandbox)
}

/// Everything that is due at this time, in a process of its own that is killed at a commit point; when it came to its end before, after
/// how many of them.
fn killed_at(workspace: &Workspace, time: &str, commit: u32) -> Option<u32> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "flow::journey_kills::job", "--ignored", "--nocapture"]);
    command.env("KILLS_WORKSPACE", workspace.path()).env("KILLS_TIME", time).env("KILLS_COMMIT", commit.to_string());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let told = said.into_iter().find(|line| line.contains("child: ")).unwrap_or_default();
    child.kill().unwrap();
    child.wait().unwrap();
    if told.contains("at commit") {
        return None;
    }
    let (_, commits) = told.split_once("ended after ").unwrap_or_else(|| panic!("the child said {told:?}"));
    Some(commits.parse().unwrap())
}

/// Stops its process at a commit point, and waits there to be killed.
struct Commits {
    seen: Arc<AtomicU32>,
    at: u32,
}

impl<S: tracing::Subscriber> Layer<S> for Commits {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "tabi::store::open" && self.seen.fetch_add(1, Ordering::SeqCst) + 1 == self.at {
            say("at commit");
            loop {
                std::thread::park();
            }
        }
    }
}

#[test]
#[ignore = "other tests run it as a process of its own"]
fn job() {
    let Ok(folder) = std::env::var("KILLS_WORKSPACE") else { return };
    let number = std::env::var("KILLS_COMMIT").unwrap().parse().unwrap();
    let seen = Arc::new(AtomicU32::new(0));
    tracing_subscriber::registry().with(Commits { seen: Arc::clone(&seen), at: number }).init();
    let clock = Clock::by_hand(std::env::var("KILLS_TIME").unwrap().parse().unwrap());
    let opened = Opened::open(Some(folder.as_ref()), false, clock).unwrap();
    let session = Session::open(&opened).unwrap();
    once(&opened, &session, &opened.load(), &(Arc::new(|_| ()) as tabi::flow::Notify), |_| ()).unwrap();
    say(&format!("ended after {}", seen.load(Ordering::SeqCst)));
    std::io::stdin().lines().for_each(drop);
}

fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "child: {what}").and_then(|()| out.flush()).unwrap();
}

/// What everybody went through, what they were sent, and whose audience they are in, without ids and times that differ from run to run.
pub(super) fn story(workspace: &Workspace, sandbox: &Sandbox) -> Vec<String> {
    let mut story = Vec::new();
    let state = Store::open(workspace.path().join(".tabi/state.db")).unwrap();
    for person in state.participants("trial", &ParticipantFilter::default()).unwrap() {
        let timeline = state.timeline(person.id).unwrap();
        let steps = timeline.iter().map(|entry| format!("{} {}", entry.kind, entry.step.as_deref().unwrap_or_default()));
        story.push(format!("{} {} {}", person.key, person.state.word(), steps.collect::<Vec<_>>().join(", ")));
    }
    for mail in sandbox.get("mail", "/inbox").as_array().unwrap() {
        story.push(format!("mail {} {}", mail["to"], mail["subject"]));
    }
    let (mut joined, users) = (0, sandbox.documents("px", "users"));
    for call in sandbox.documents("px", "membership") {
        joined += 1;
        assert!(users.iter().any(|user| user["identifyId"] == call["participant"]), "{call}");
        story.push(format!("audience {} {} {}", call["participant"], call["engagementId"], call["removedAt"]));
    }
    assert!(joined > 0, "nobody came into an audience");
    story.sort();
    story
}

/// What comes of it, and how many commit points each time has.
fn undisturbed(people: u32) -> (Vec<String>, [u32; 2]) {
    let (workspace, sandbox) = prepared(people);
    let commits = TIMES.map(|time| killed_at(&workspace, time, u32::MAX).unwrap());
    (story(&workspace, &sandbox), commits)
}

/// Every commit point is met once by somebody: before the commit, and after it.
#[test]
fn killed_at_every_commit_point_everybody_takes_the_same_steps_once() {
    let (wanted, _) = undisturbed(6);
    let (workspace, sandbox) = prepared(6);
    for time in TIMES {
        let mut commit = 1;
        while killed_at(&workspace, time, commit).is_none() {
            commit += 1;
        }
        assert!(commit > 10, "the work of {time} has more commit points than {commit}");
    }
    assert_eq!(story(&workspace, &sandbox), wanted);
}

/// A thousand people, killed at seeded places until the work is done.
#[test]
fn a_thousand_people_killed_in_a_loop_take_the_steps_of_an_undisturbed_run() {
    let (wanted, commits) = undisturbed(1_000);
    let (workspace, sandbox) = prepared(1_000);
    let mut seed = 20_261_125_u32;
    for (time, commits) in TIMES.into_iter().zip(commits) {
        let mut kills = 0;
        while killed_at(&workspace, time, 1 + (seed >> 16) % (commits / 4)).is_none() {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            kills += 1;
        }
        assert!(kills > 3, "the work of {time} was killed {kills} times only");
    }
    assert_eq!(story(&workspace, &sandbox), wanted);
}
