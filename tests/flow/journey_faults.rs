//! Faults of every kind while people go through a journey: each ends where an undisturbed run ends, and gets everything once.

use serde_json::Value;
use tabi::host::{Session, Workspace as Opened, clock::Clock, up::once};

use super::journey_kills::{TIMES, prepared, story};
use crate::support::{Sandbox, Workspace};

const PEOPLE: u32 = 12;
const SYSTEMS: [&str; 3] = ["gainsight", "px", "mail"];

/// Looks at the journey at its times and, as long as something has to be tried again, hours later.
fn go_through(workspace: &Workspace, sandbox: &Sandbox, faults: &str) {
    let clock = Clock::by_hand(TIMES[0].parse().unwrap());
    let strike = |faults: &str| SYSTEMS.iter().for_each(|system| sandbox.post(system, "/_sandbox/faults", &Value::String(faults.to_owned())));
    let opened = Opened::open(Some(&workspace.path()), false, clock.clone()).unwrap();
    let loaded = opened.load();
    for time in TIMES {
        clock.set(time.parse().unwrap());
        strike(faults);
        for hours in [1, 2, 6, 0] {
            if hours == 0 {
                strike("");
            }
            let session = Session::open(&opened).unwrap();
            once(&opened, &session, &loaded, &(std::sync::Arc::new(|_| ()) as tabi::flow::Notify), |_| ()).unwrap();
            session.close();
            clock.set(clock.now() + jiff::SignedDuration::from_hours(hours));
        }
    }
}

/// Without the order in which things were known: a try that failed is made up for later.
fn sorted(mut story: Vec<String>) -> Vec<String> {
    for line in &mut story {
        let mut steps: Vec<&str> = line.split(", ").collect();
        steps.sort_unstable();
        *line = steps.join(", ");
    }
    story
}

fn told(faults: &str) -> Vec<String> {
    let (workspace, sandbox) = prepared(PEOPLE);
    workspace.write("tabi.toml", "[http]\ntimeout = \"700ms\"\n");
    go_through(&workspace, &sandbox, faults);
    sorted(story(&workspace, &sandbox))
}

#[track_caller]
fn end_as_undisturbed(kinds: &[&str]) {
    let wanted = told("");
    for kind in kinds {
        assert_eq!(told(&format!("*:{kind}@0.1")), wanted, "after faults of kind {kind}");
    }
}

#[test]
fn a_server_error_and_a_lost_answer_end_as_undisturbed() {
    end_as_undisturbed(&["500", "reset_after"]);
}

#[test]
#[ignore = "minutes of work: cargo test --test main -- --ignored journey_faults"]
fn errors_and_throttling_end_as_undisturbed() {
    end_as_undisturbed(&["429", "500", "503", "html"]);
}

#[test]
#[ignore = "minutes of work: cargo test --test main -- --ignored journey_faults"]
fn cut_connections_and_truncated_answers_end_as_undisturbed() {
    end_as_undisturbed(&["reset", "reset_after", "truncate"]);
}

#[test]
#[ignore = "minutes of work: cargo test --test main -- --ignored journey_faults"]
fn expired_sessions_locks_and_late_answers_end_as_undisturbed() {
    end_as_undisturbed(&["expired", "lock", "slow=5", "timeout"]);
}

#[test]
#[ignore = "minutes of work: cargo test --test main -- --ignored journey_faults"]
fn a_used_up_day_is_made_up_for() {
    end_as_undisturbed(&["limit"]);
}
