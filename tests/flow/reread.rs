//! People who are in are read again, and what somebody did before counts. (B6, B9)

use std::collections::BTreeSet;

use super::live::{Live, number};
use crate::support::Workspace;

const PROMOTION: &str = r#"
journey("promotion", #{
    model: "dynamic",
    participants: salesforce::object("Contact").limit(3),
    unique_on: "Id",
    calculated: #{ rank: |p| if p.title == "Chief" { 10 } else { 1 } },
    steps: [
        set_field("mark", #{ department: "ours" }),
        wait_for("promoted?", #{ when: calculated("rank", ">=", 10), within: days(30), then: [drop("promoted")], otherwise: [drop("not promoted")] }),
    ],
    every: "1h",
});
"#;

#[test]
fn fields_follow_the_source_and_whoever_waited_for_one_goes_on_at_once_b6() {
    let live = Live::new(Workspace::with_script(PROMOTION), "--accounts 5 --people 20");
    live.publish("promotion");
    live.look();
    let before = live.people("promotion");
    assert!(before.iter().all(|one| one.step.as_deref() == Some("promoted?")), "{before:?}");
    let id = |n: usize| before[n].fields.get("Id").unwrap().to_string();
    live.workspace.write(
        "change.rhai",
        format!(
            r#"salesforce::update("Contact", "{}", #{{ Title: "Chief" }});
            salesforce::update("Contact", "{}", #{{ Department: "theirs", Email: "new.address@example.com", Phone: "1" }});"#,
            id(0),
            id(1)
        ),
    );
    live.workspace.tabi("exec change.rhai").ended(0);
    live.days(1);
    let after = live.people("promotion");
    assert_eq!(after.iter().map(|one| one.state.word()).collect::<Vec<_>>(), ["dropped", "waiting", "waiting"]);
    assert_eq!(after[0].reason.as_deref(), Some("promoted"));
    assert_eq!(after[1].email.as_deref(), Some("new.address@example.com"));
    assert_eq!(after[1].fields.get("Phone").map(ToString::to_string).as_deref(), Some("1"));
    assert_eq!(after[1].fields.get("department").map(ToString::to_string).as_deref(), Some("ours"), "what the journey set stays");
    assert_eq!(after[1].due, before[1].due, "timers stay as they are");
    assert_eq!(after[2], before[2], "who is the same is not written");
    live.turn(jiff::SignedDuration::from_hours(1));
    let summary = live.look().pop().unwrap();
    assert_eq!((summary.tally.read, summary.tally.updated), (3, 0), "nothing differs any more");
}

/// Two journeys that show one engagement to the same people.
fn tours(name: &str) -> String {
    format!(
        r#"journey("{name}", #{{
            model: "onboarding",
            participants: px::object("users").limit(40),
            unique_on: "identifyId", email: "identifyId",
            steps: [
                engagement("tour", "Product tour"),
                wait_for("done?", #{{ when: completed("tour"), within: days(30), then: [drop("done")], otherwise: [drop("not done")] }}),
            ],
        }});"#
    )
}

#[test]
fn who_comes_again_is_set_to_what_they_did_before_with_the_same_engagement_b9() {
    let live = Live::new(Workspace::with_script(&tours("first")), "--accounts 20 --people 200");
    live.publish("first");
    live.look();
    live.days(12);
    let done: BTreeSet<Option<String>> =
        live.people("first").into_iter().filter(|one| one.reason.as_deref() == Some("done")).map(|one| one.px_id).collect();
    let report = live.report("first");
    assert!(!done.is_empty() && done.len() < 40, "{report}");

    live.workspace.write("scripts/second.rhai", tours("second"));
    live.publish("second");
    live.look();
    let at_once: BTreeSet<Option<String>> =
        live.people("second").into_iter().filter(|one| one.reason.as_deref() == Some("done")).map(|one| one.px_id).collect();
    assert_eq!(at_once, done, "exactly those who had completed it, and on the same day");
    let second = live.report("second");
    assert_eq!(number(&second, "/engagements/0/completed"), done.len() as u64);
    assert_eq!(number(&second, "/engagements/0/viewed"), number(&report, "/engagements/0/viewed"), "{second}");
    let someone = done.into_iter().flatten().next().unwrap();
    let shown = live.workspace.tabi(&format!("journey show second --person {someone}")).ended(0);
    assert!(shown.stdout.contains("did so before, with the same engagement"), "{}", shown.stdout);
}
