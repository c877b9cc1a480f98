//! Webhooks: posted when the clock is turned.

use std::sync::{Arc, Mutex};

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use serde_json::{Value, json};

use super::bench::{behave, engagement, get, qualify, sandbox, send, users};

type Taken = Arc<Mutex<(Vec<Value>, bool)>>;

async fn take(State(taken): State<Taken>, Json(body): Json<Value>) -> StatusCode {
    let mut taken = taken.lock().unwrap();
    if taken.1 {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    taken.0.push(body);
    StatusCode::OK
}

async fn receiver() -> (String, Taken) {
    let taken = Taken::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook?source=px", listener.local_addr().unwrap());
    let router = Router::new().route("/hook", post(take)).with_state(Arc::clone(&taken));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, taken)
}

#[tokio::test]
async fn what_becomes_due_by_a_turn_of_the_clock_is_posted_before_that_is_answered() {
    let sandbox = sandbox("").await;
    let (people, tour, nps) = (users(&sandbox).await, engagement(&sandbox, "Product tour").await, engagement(&sandbox, "In-app NPS").await);
    behave(&sandbox, json!({"visit_probability": 1.0, "view_rate": 1.0, "complete_rate": 1.0, "respond_rate": 1.0})).await;
    let (url, taken) = receiver().await;
    let (status, made) = send(&sandbox, "POST", "/_sandbox/webhooks", json!({"url": url, "kinds": ["ENGAGEMENT", "SURVEY"]})).await;
    assert_eq!(status, 201);
    for id in [&tour, &nps] {
        qualify(&sandbox, "a", id, "add", &people[..4]).await;
    }
    let day = json!({"advance_seconds": 86_400});
    assert_eq!(send(&sandbox, "POST", "/_sandbox/clock", day.clone()).await.0, 200);
    send(&sandbox, "POST", "/_sandbox/clock", day).await;
    let bodies = taken.lock().unwrap().0.clone();
    let of = |kind: &str, id: &str| -> Vec<Value> {
        bodies.iter().map(|body| body["event"].clone()).filter(|event| event["eventType"] == kind && event["engagementId"] == id).collect()
    };
    let interactions = |word: &str| of("ENGAGEMENT", &tour).iter().filter(|event| event["interaction"] == word).count();
    assert_eq!((interactions("VIEWED"), interactions("COMPLETED"), of("SURVEY", &nps).len()), (4, 4, 4));
    let answer = &of("SURVEY", &nps)[0];
    assert_eq!((&answer["surveyType"], &answer["interaction"]), (&json!("NPS"), &json!("SINGLE_STEP_SURVEY_RESPONDED")));
    for body in &bodies {
        assert!(body["user"]["identifyId"].is_string() && body["account"]["name"].is_string(), "{body}");
        assert_eq!(body["configId"], made["configId"]);
    }
}

#[tokio::test]
async fn what_was_not_taken_comes_with_the_next_turn() {
    let sandbox = sandbox("").await;
    let (people, tour) = (users(&sandbox).await, engagement(&sandbox, "Product tour").await);
    behave(&sandbox, json!({"visit_probability": 1.0, "view_rate": 1.0})).await;
    let (url, taken) = receiver().await;
    taken.lock().unwrap().1 = true;
    send(&sandbox, "POST", "/_sandbox/webhooks", json!({"url": url, "kinds": ["ENGAGEMENT"]})).await;
    qualify(&sandbox, "a", &tour, "add", &people[..6]).await;
    send(&sandbox, "POST", "/_sandbox/clock", json!({"advance_seconds": 172_800})).await;
    assert_eq!(taken.lock().unwrap().0.len(), 0);
    taken.lock().unwrap().1 = false;
    send(&sandbox, "POST", "/_sandbox/clock", json!({"advance_seconds": 1})).await;
    let seen = taken
        .lock()
        .unwrap()
        .0
        .iter()
        .filter(|body| body["event"]["engagementId"] == tour.as_str() && body["event"]["interaction"] == "VIEWED")
        .count();
    assert!(seen >= 6, "{seen}");
    assert!(get(&sandbox, "/_sandbox/webhooks").await[0]["sentUntil"].is_i64());
    assert_eq!(send(&sandbox, "POST", "/_sandbox/webhooks", json!({"url": "https://x.io/"})).await.0, 400);
}
