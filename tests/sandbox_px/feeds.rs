//! Feeds of events: windows, filters, scrolls.

use serde_json::{Value, json};

use super::bench::{DAY, get, message, sandbox, scroll, send, users};

const FEEDS: [(&str, &str); 11] = [
    ("events/custom", "customEvents"),
    ("events/email", "results"),
    ("events/engagementView", "results"),
    ("events/feature_match", "featureMatchEvents"),
    ("events/segment_match", "featureMatchEvents"),
    ("events/formSubmit", "results"),
    ("events/pageView", "results"),
    ("events/identify", "identifyEvents"),
    ("events/lead", "results"),
    ("events/session", "sessionInitializedEvents"),
    ("survey/responses", "results"),
];

#[tokio::test]
async fn every_feed_gives_the_last_day_unless_told_otherwise_and_events_keep_their_ids() {
    let sandbox = sandbox("").await;
    let now = sandbox.world().clock.now_ms();
    for (feed, list) in FEEDS {
        let (day, _) = scroll(&sandbox, &format!("/v1/{feed}"), list, 100).await;
        let (month, _) = scroll(&sandbox, &format!("/v1/{feed}?filter=date>={}", now - 30 * DAY), list, 1000).await;
        let dates: Vec<i64> = month.iter().map(|event| event["date"].as_i64().unwrap()).collect();
        assert!(dates.is_sorted() && dates.iter().all(|at| (now - 30 * DAY..now + 60_000).contains(at)), "{feed}");
        assert_eq!(month.is_empty(), feed == "events/lead", "{feed}");
        let mut ids: Vec<&str> = month.iter().map(|event| event["eventId"].as_str().unwrap()).collect();
        ids.sort_unstable();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{feed}: each once");
        assert!(day.iter().all(|event| ids.binary_search(&event["eventId"].as_str().unwrap()).is_ok()), "{feed}: the same event");
        assert!(day.len() <= month.len() && day.iter().all(|event| event["date"].as_i64() >= Some(now - DAY)), "{feed}");
    }
}

#[tokio::test]
async fn more_than_190_days_at_once_are_refused() {
    let sandbox = sandbox("").await;
    let now = sandbox.world().clock.now_ms();
    let feed = |from: i64| format!("/v1/events/session?filter=date>={from}");
    assert_eq!(send(&sandbox, "GET", &feed(now - 190 * DAY + 60_000), Value::Null).await.0, 200);
    let (status, body) = send(&sandbox, "GET", &feed(now - 191 * DAY), Value::Null).await;
    assert_eq!((status, message(&body)), (400, "Exceeded date range190days"));
    let window = format!("/v1/events/session?filter=date>={};date<{}", now - 300 * DAY, now - 250 * DAY);
    assert_eq!(send(&sandbox, "GET", &window, Value::Null).await.0, 200);
}

#[tokio::test]
async fn feeds_are_filtered_by_what_they_have_and_sorted() {
    let sandbox = sandbox("").await;
    let all = scroll(&sandbox, "/v1/events/pageView?filter=date>=2026-06-01T00:00:00Z", "results", 1000).await.0;
    let (user, account, path) = (&all[3]["identifyId"], &all[40]["accountId"], &all[9]["path"]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for (term, field, value) in [("identifyId", "identifyId", user), ("accountId", "accountId", account), ("path", "path", path)] {
        let feed = format!("/v1/events/pageView?filter=date>=2026-06-01T00:00:00Z;{term}=={}", text(value));
        let found = scroll(&sandbox, &feed, "results", 7).await.0;
        let wanted: Vec<&Value> = all.iter().filter(|event| event[field] == *value).collect();
        assert!(!wanted.is_empty() && found.iter().collect::<Vec<_>>() == wanted, "{term}: {} of {}", found.len(), wanted.len());
    }
    let latest = get(&sandbox, "/v1/events/pageView?sort=-date&pageSize=5").await;
    let dates: Vec<i64> = latest["results"].as_array().unwrap().iter().map(|event| -event["date"].as_i64().unwrap()).collect();
    assert!(dates.len() == 5 && dates.is_sorted());
    assert_eq!(send(&sandbox, "GET", "/v1/events/session?filter=path==/x", Value::Null).await.0, 400);
}

#[tokio::test]
async fn a_custom_event_is_kept_as_it_was_sent() {
    let sandbox = sandbox("").await;
    let user = users(&sandbox).await[0].clone();
    let event =
        json!({"identifyId": user, "propertyKey": "AP-1", "userType": "USER", "eventName": "Invoice Paid", "attributes": {"amount": 12, "ok": true}});
    assert_eq!(send(&sandbox, "POST", "/v1/events/custom", event.clone()).await.0, 201);
    let found = scroll(&sandbox, "/v1/events/custom?filter=eventName==Invoice Paid", "customEvents", 10).await.0;
    assert_eq!((found.len(), &found[0]["attributes"], &found[0]["identifyId"]), (1, &json!({"amount": 12, "ok": true}), &json!(user)));
    let mut nested = event.clone();
    nested["attributes"] = json!({"a": {"b": 1}});
    assert_eq!(send(&sandbox, "POST", "/v1/events/custom", nested).await.0, 400);
    let mut nameless = event;
    nameless["eventName"] = Value::Null;
    let (status, body) = send(&sandbox, "POST", "/v1/events/custom", nameless).await;
    assert_eq!((status, body["externalapierror"]["subErrors"][0]["field"].as_str()), (400, Some("eventName")));
}
