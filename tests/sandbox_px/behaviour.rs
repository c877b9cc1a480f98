//! How people see, complete and answer engagements they are in the audience of.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tabi::sandbox::Sandbox;

use super::bench::{DAY, advance, behave, engagement, get, qualify, sandbox, send, since_noon, users};

fn keen() -> Value {
    json!({"visit_probability": 1.0, "view_rate": 1.0, "complete_rate": 1.0, "respond_rate": 1.0, "comment_rate": 1.0})
}

async fn views_of(sandbox: &Sandbox, engagement: &str) -> Vec<Value> {
    since_noon(sandbox, "events/engagementView").await.into_iter().filter(|event| event["engagementId"] == engagement).collect()
}

fn who(events: &[Value]) -> BTreeSet<String> {
    events.iter().map(|event| event["identifyId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn only_the_audience_sees_a_guide_and_completes_it() {
    let sandbox = sandbox("").await;
    let (people, tour) = (users(&sandbox).await, engagement(&sandbox, "Product tour").await);
    behave(&sandbox, keen()).await;
    qualify(&sandbox, "onboarding", &tour, "add", &people[..20]).await;
    assert_eq!(views_of(&sandbox, &tour).await.len(), 0);
    advance(&sandbox, 2 * DAY);
    let events = views_of(&sandbox, &tour).await;
    assert_eq!(who(&events), people[..20].iter().cloned().collect());
    let states = |state: &str| events.iter().filter(|event| event["guideState"] == state).count();
    assert_eq!((states("VIEWED"), states("COMPLETED")), (20, 20));
    assert!(events.iter().all(|event| event["contentType"] == "IN_APP_GUIDE"));
    let rows = get(&sandbox, "/_sandbox/qualifications").await;
    assert!(rows.as_array().unwrap().iter().all(|row| row["viewedAt"].is_i64() && row["completedAt"].as_i64() > row["viewedAt"].as_i64()), "{rows}");
}

#[tokio::test]
async fn the_same_seed_gives_the_same_responses_however_often_and_when_one_asks() {
    let mut told = Vec::new();
    for often in [false, true] {
        let sandbox = sandbox("").await;
        sandbox.world().clock.set_ms(1_781_524_800_000);
        let (people, survey) = (users(&sandbox).await, engagement(&sandbox, "In-app NPS").await);
        let since = "2026-06-15T11:30:00Z";
        let edit =
            json!({"identityType": "IDENTIFY_ID", "add": [{"segmentId": "s", "identities": people, "lastQualificationTime": since}], "remove": []});
        let segment = json!({"id": "s", "name": format!("tabi:nps:ask:{survey}")});
        assert_eq!(send(&sandbox, "POST", "/v1/external_segment/metadata", segment).await.0, 200);
        assert_eq!(send(&sandbox, "POST", "/v1/external_segment/update_membership", edit).await.0, 200);
        for _ in 0..if often { 14 } else { 1 } {
            advance(&sandbox, if often { DAY } else { 14 * DAY });
            views_of(&sandbox, &survey).await;
        }
        sandbox.world().clock.set_ms(1_781_524_800_000 + 14 * DAY);
        let events = views_of(&sandbox, &survey).await;
        let answers = events.iter().filter(|event| event["surveyState"] == "COMPLETED").count();
        let viewed = events.len() - answers;
        assert!(viewed > people.len() / 2 && viewed < people.len() && answers > viewed / 5 && answers < viewed / 2, "{viewed} {answers}");
        told.push(events);
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn who_left_the_audience_before_visiting_sees_nothing_b15() {
    let sandbox = sandbox("").await;
    let (people, tour) = (users(&sandbox).await, engagement(&sandbox, "Product tour").await);
    behave(&sandbox, keen()).await;
    qualify(&sandbox, "a", &tour, "add", &people[..5]).await;
    qualify(&sandbox, "b", &tour, "add", &people[5..8]).await;
    qualify(&sandbox, "b", &tour, "remove", &people[5..8]).await;
    advance(&sandbox, 5 * DAY);
    assert_eq!(who(&views_of(&sandbox, &tour).await), people[..5].iter().cloned().collect());
    let rows = get(&sandbox, "/_sandbox/qualifications").await;
    assert_eq!(rows.as_array().unwrap().iter().filter(|row| row["removedAt"].is_i64() && row["viewedAt"].is_null()).count(), 3);
}

#[tokio::test]
async fn a_paused_engagement_is_seen_again_only_after_it_is_started_b2() {
    let sandbox = sandbox("").await;
    let (people, tour) = (users(&sandbox).await, engagement(&sandbox, "Admin tour").await);
    behave(&sandbox, keen()).await;
    qualify(&sandbox, "a", &tour, "add", &people[..10]).await;
    advance(&sandbox, 3 * DAY);
    assert_eq!(views_of(&sandbox, &tour).await.len(), 0);
    let started = sandbox.world().clock.now_ms();
    assert_eq!(send(&sandbox, "PUT", "/v1/engagement/state", json!({"engagementId": tour, "state": "START"})).await.0, 200);
    advance(&sandbox, 2 * DAY);
    let events = views_of(&sandbox, &tour).await;
    assert!(who(&events).len() == 10 && events.iter().all(|event| event["date"].as_i64() >= Some(started)));
}

#[tokio::test]
async fn an_engagement_not_triggered_by_journeys_has_no_audience_b2() {
    let sandbox = sandbox("").await;
    let (people, tips) = (users(&sandbox).await, engagement(&sandbox, "Report builder tips").await);
    behave(&sandbox, keen()).await;
    let before = {
        advance(&sandbox, 3 * DAY);
        views_of(&sandbox, &tips).await.len()
    };
    qualify(&sandbox, "a", &tips, "add", &people).await;
    assert_eq!(views_of(&sandbox, &tips).await.len(), before);
    assert_eq!(get(&sandbox, "/_sandbox/qualifications").await, json!([]));
}

#[tokio::test]
async fn surveys_are_answered_each_in_its_own_way_and_again_when_asked_again_b16() {
    let sandbox = sandbox("").await;
    let people = users(&sandbox).await;
    behave(&sandbox, keen()).await;
    let surveys = [
        ("In-app NPS", "IN_APP_SURVEY_NPS", 0..=10),
        ("Support CSAT", "IN_APP_SURVEY_RATING", 1..=5),
        ("Setup effort", "IN_APP_SURVEY_CES", 1..=7),
        ("Renewal interest", "IN_APP_SURVEY_BOOLEAN", 0..=1),
    ];
    for (name, ..) in &surveys {
        qualify(&sandbox, "s", &engagement(&sandbox, name).await, "add", &people[..30]).await;
    }
    let poll = engagement(&sandbox, "Feature poll").await;
    qualify(&sandbox, "s", &poll, "add", &people[..30]).await;
    advance(&sandbox, 2 * DAY);
    let answers = since_noon(&sandbox, "survey/responses").await;
    for (name, kind, scores) in surveys {
        let id = engagement(&sandbox, name).await;
        let mine: Vec<&Value> = answers.iter().filter(|answer| answer["engagementId"] == id.as_str()).collect();
        assert_eq!(mine.len(), 30, "{name}");
        assert!(mine.iter().all(|answer| answer["contentType"] == kind && scores.contains(&answer["score"].as_i64().unwrap())), "{name}");
        assert!(mine.iter().all(|answer| answer["comment"].as_str().is_some_and(|comment| !comment.is_empty())), "{name}");
    }
    let questions: Vec<&Value> = answers.iter().filter(|answer| answer["engagementId"] == poll.as_str()).collect();
    assert_eq!(questions.len(), 60);
    let showings: BTreeSet<&str> = questions.iter().map(|answer| answer["executionId"].as_str().unwrap()).collect();
    assert_eq!(showings.len(), 30, "one execution for the answers of one showing");
    let csat = engagement(&sandbox, "Support CSAT").await;
    for field in ["remove", "add"] {
        advance(&sandbox, 1_000);
        qualify(&sandbox, "s", &csat, field, &people[..1]).await;
    }
    advance(&sandbox, 2 * DAY);
    let again = since_noon(&sandbox, "survey/responses").await;
    let mine = again.iter().filter(|answer| answer["engagementId"] == csat.as_str() && answer["identifyId"] == people[0].as_str()).count();
    assert_eq!(mine, 2);
}

#[tokio::test]
async fn a_model_out_of_bounds_is_refused_and_the_rest_is_kept() {
    let sandbox = sandbox("").await;
    behave(&sandbox, json!({"respond_rate": 0.7})).await;
    for wrong in [json!({"view_rate": 1.5}), json!({"open_rate": 0.5}), json!({"view_delay_seconds": -1.0})] {
        assert_eq!(send(&sandbox, "POST", "/_sandbox/behaviour", wrong).await.0, 400);
    }
    let model = get(&sandbox, "/_sandbox/behaviour").await;
    assert_eq!((&model["respond_rate"], &model["view_rate"], &model["visit_probability"]), (&json!(0.7), &json!(0.9), &Value::Null));
}

#[tokio::test]
async fn the_same_person_is_shown_a_completed_guide_once_by_two_journeys_b9() {
    let sandbox = sandbox("").await;
    let (people, tour) = (users(&sandbox).await, engagement(&sandbox, "Product tour").await);
    behave(&sandbox, keen()).await;
    qualify(&sandbox, "a", &tour, "add", &people[..4]).await;
    qualify(&sandbox, "b", &tour, "add", &people[2..6]).await;
    advance(&sandbox, 2 * DAY);
    qualify(&sandbox, "a", &tour, "remove", &people[..4]).await;
    qualify(&sandbox, "c", &tour, "add", &people[..4]).await;
    advance(&sandbox, 2 * DAY);
    let viewed: Vec<Value> = views_of(&sandbox, &tour).await.into_iter().filter(|event| event["guideState"] == "VIEWED").collect();
    assert_eq!((viewed.len(), who(&viewed).len()), (6, 6));
}
