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
    if faults.contains("timeout") {
        workspace.write("tabi.toml", "[http]\ntimeout = \"400ms\"\n");
    }
    go_through(&workspace, &sandbox, faults);
    sorted(story(&workspace, &sandbox))
}

/// Every kind there is. The waits between tries are real, so the kinds wait beside each other.
#[test]
fn faults_of_every_kind_end_as_undisturbed() {
    let kinds = ["429", "500", "503", "html", "timeout", "slow=5", "reset", "reset_after", "truncate", "expired", "lock", "limit", "stale_page"];
    let wanted = told("");
    std::thread::scope(|scope| {
        let told = kinds.map(|kind| (kind, scope.spawn(move || told(&format!("*:{kind}@0.1")))));
        for (kind, told) in told {
            assert_eq!(told.join().unwrap(), wanted, "after faults of kind {kind}");
        }
    });
}
