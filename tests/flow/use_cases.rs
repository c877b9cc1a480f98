//! The four use cases (B19), as the repository's own scripts, from the first look to the end over the sandbox, day by day.

use std::collections::BTreeSet;

use serde_json::Value;
use tabi::store::ParticipantState;

use super::live::{Live, number};
use crate::support::Workspace;

fn live(script: &str, sandbox: &str) -> Live {
    Live::new(Workspace::with_examples(&[script, "templates"]), sandbox)
}

fn text<'v>(row: &'v Value, field: &str) -> &'v str {
    row[field].as_str().unwrap_or_default()
}

/// Addresses of the people whom PX knows.
fn px_users(live: &Live) -> BTreeSet<String> {
    live.sandbox.documents("px", "users").iter().map(|user| text(user, "identifyId").to_owned()).collect()
}

/// Everybody is counted once.
#[track_caller]
fn adds_up(report: &Value, everybody: usize) {
    let states = report["participants"].as_object().unwrap().values().filter_map(Value::as_u64);
    assert_eq!(states.sum::<u64>(), everybody as u64, "{report}");
}

#[test]
fn new_customers_are_welcomed_shown_around_and_nudged_b6_b8_b12_b19() {
    const NAME: &str = "new-customer-onboarding";
    let live = live("onboarding.rhai", "--accounts 300 --people 1500");
    let everybody = live.sandbox.documents("gainsight", "Person");
    let new: Vec<&Value> = everybody.iter().filter(|person| person["Lifecycle__gc"] == "onboarding").collect();
    let users = px_users(&live);
    let (valid, invalid): (Vec<&Value>, Vec<&Value>) = new.iter().partition(|person| users.contains(text(person, "Email")));
    assert!(valid.len() > 20 && !invalid.is_empty(), "{} valid, {} invalid", valid.len(), invalid.len());
    assert!(new.len() * 10 < everybody.len(), "a believable share is new");
    live.publish(NAME);
    live.look();

    let report = live.report(NAME);
    assert_eq!(number(&report, "/participants/waiting"), valid.len() as u64, "{report}");
    assert_eq!(report["failed_reasons"], serde_json::json!({"Invalid PX user ID": invalid.len()}));
    assert_eq!(number(&report, "/emails/0/sent"), valid.len() as u64);
    let welcomed: BTreeSet<String> = live.inbox().into_iter().filter(|(_, subject)| subject.starts_with("Welcome, ")).map(|(to, _)| to).collect();
    let wanted: BTreeSet<String> = valid.iter().map(|person| text(person, "Email").to_owned()).collect();
    assert_eq!(welcomed, wanted, "everybody once, and nobody else");
    assert!(live.sandbox.documents("px", "membership").is_empty(), "the tour comes a day later");

    live.days(1);
    let audience = live.sandbox.documents("px", "membership").iter().map(|row| text(row, "participant").to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(audience, wanted, "everybody is in the audience");

    live.days(8);
    let report = live.report(NAME);
    adds_up(&report, new.len());
    assert_eq!(number(&report, "/participants/completed"), valid.len() as u64, "{report}");
    let (viewed, not_viewed, completed) =
        (number(&report, "/engagements/0/viewed"), number(&report, "/engagements/0/not_viewed"), number(&report, "/engagements/0/completed"));
    assert_eq!(viewed + not_viewed, valid.len() as u64);
    assert!(0 < completed && completed <= viewed, "{report}");
    let nudged: BTreeSet<String> = live.inbox().into_iter().filter(|(_, subject)| subject.starts_with("The tour")).map(|(to, _)| to).collect();
    assert_eq!(nudged.len() as u64, number(&report, "/emails/1/sent"));
    let reached = |step: &str| report["steps"].as_array().unwrap().iter().find(|one| one["step"] == step).map(|one| number(one, "/reached"));
    let (Some(finished), Some(late)) = (reached("finish"), reached("nudge")) else { panic!("{report}") };
    assert_eq!((finished + late, late), (valid.len() as u64, nudged.len() as u64), "everybody goes one way: {report}");
    assert!(late > 0 && finished <= completed, "who is nudged may still complete it: {report}");
    let companies: BTreeSet<&str> =
        valid.iter().filter(|person| nudged.contains(text(person, "Email"))).map(|person| text(person, "Company_ID")).collect();
    let calls = live.sandbox.documents("gainsight", "call_to_action");
    assert_eq!(calls.iter().map(|call| text(call, "CompanyId")).collect::<BTreeSet<_>>(), companies);
    assert_eq!(calls.len(), companies.len(), "an open one is updated rather than doubled");
}

#[test]
fn the_release_video_reaches_everybody_but_those_held_out_b1_b4_b19() {
    const NAME: &str = "release-video";
    let live = live("release_video.rhai", "--accounts 20 --people 100");
    let everybody = live.sandbox.documents("gainsight", "Person").len();
    live.publish(NAME);
    live.look();
    let report = live.report(NAME);
    adds_up(&report, everybody);
    let held_out = number(&report, "/participants/completed");
    assert!(0 < held_out && held_out < everybody as u64 / 3, "about one in ten: {report}");
    live.days(15);
    let report = live.report(NAME);
    adds_up(&report, everybody);
    let viewed = number(&report, "/engagements/0/viewed");
    assert!(viewed > 0, "{report}");
    let reached = |step: &str| report["steps"].as_array().unwrap().iter().find(|one| one["step"] == step).map(|one| number(one, "/reached"));
    let Some(marked) = reached("mark") else { panic!("{report}") };
    assert_eq!(number(&report, "/participants/completed"), held_out + marked, "{report}");
    assert!(marked <= viewed, "some come by when nobody waits for them any more: {report}");
    assert_eq!(live.inbox().len() as u64, number(&report, "/participants/dropped"), "who did not come by gets it by mail");
    let seen = live.people(NAME).into_iter().filter(|one| one.fields.get("release_video").is_some_and(|value| value.to_string() == "seen"));
    assert_eq!(seen.count() as u64, marked);
}

#[test]
fn nps_is_asked_in_the_product_and_reminded_of_by_mail_b13_b14_b15_b16_b17_b19() {
    const NAME: &str = "nps-in-app";
    let live = live("nps.rhai", "--accounts 20 --people 100");
    live.publish(NAME);
    live.look();
    let asked = number(&live.report(NAME), "/participants/waiting");
    let customers = live.sandbox.documents("gainsight", "Person").len();
    assert!(asked > 20, "{}", live.report(NAME));
    assert!(live.inbox().is_empty(), "the survey itself goes by PX");
    live.days(7);
    let report = live.report(NAME);
    let (reminded, early) = (number(&report, "/emails/0/sent"), number(&report, "/surveys/0/responded"));
    assert!(early > 0 && reminded > 0, "{report}");
    live.days(14);
    let report = live.report(NAME);
    adds_up(&report, customers);
    let responded = number(&report, "/surveys/0/responded");
    assert_eq!(responded, number(&report, "/surveys/0/responded_px"));
    assert_eq!(number(&report, "/participants/completed"), responded, "{report}");
    assert_eq!(number(&report, "/participants/dropped"), asked - responded, "{report}");
    assert_eq!(number(&report, "/surveys/0/viewed") + number(&report, "/surveys/0/not_viewed"), asked, "{report}");
    let members = live.sandbox.documents("px", "membership");
    assert!(members.len() as u64 >= asked && members.iter().all(|row| !row["removedAt"].is_null()), "nobody stays in the audience (B15)");
    let scored = |one: &tabi::store::Participant| one.facts.iter().rev().find_map(|fact| fact.score);
    let people = live.people(NAME);
    let happy = people.iter().filter(|one| scored(one).is_some_and(|score| score >= 9.0)).count();
    let unhappy: BTreeSet<String> = people
        .iter()
        .filter(|one| scored(one).is_some_and(|score| score <= 6.0))
        .filter_map(|one| one.fields.get("AccountId"))
        .map(ToString::to_string)
        .collect();
    assert_eq!(people.iter().filter(|one| scored(one).is_some()).count() as u64, responded, "the answer is kept (B16)");
    assert_eq!(live.inbox().iter().filter(|(_, subject)| subject.starts_with("Thank you")).count(), happy);
    assert_eq!(live.sandbox.documents("gainsight", "call_to_action").len(), unhappy.len(), "one for each unhappy company");
}

#[test]
fn support_is_rated_after_a_case_closes_b13_b17_b19() {
    const NAME: &str = "csat-after-case";
    let live = live("csat_after_case.rhai", "--accounts 800 --people 4000");
    live.publish(NAME);
    live.look();
    let first = live.people(NAME).len();
    live.days(12);
    let people = live.people(NAME);
    assert!(people.len() > first, "cases close as time goes by: {} then {first}", people.len());
    let report = live.report(NAME);
    adds_up(&report, people.len());
    let responded = number(&report, "/surveys/0/responded");
    assert!(responded > 0, "{report}");
    assert_eq!(number(&report, "/participants/completed"), responded, "{report}");
    let closed: BTreeSet<String> = live
        .sandbox
        .documents("salesforce", "Case")
        .iter()
        .filter(|case| case["Status"] == "Closed")
        .map(|case| text(case, "CaseNumber").to_owned())
        .collect();
    let asked: BTreeSet<String> = people.iter().filter_map(|one| one.fields.get("CaseNumber")).map(ToString::to_string).collect();
    assert_eq!(asked.len(), people.len(), "each case once");
    assert!(asked.is_subset(&closed));
    let settled = people.iter().filter(|one| one.state != ParticipantState::Failed && one.facts.iter().any(|fact| fact.step == "how was it?"));
    assert!(settled.clone().all(|one| one.facts[0].at.duration_since(one.entered).as_mins() >= 30), "half an hour later");
    assert!(settled.count() as u64 >= responded);
}
