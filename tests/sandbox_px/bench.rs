//! A sandbox on a Monday at noon, and calls with the right key.

use serde_json::{Value, json};
use tabi::sandbox::{Options, Sandbox, start};

pub(super) const DAY: i64 = 86_400_000;

pub(super) async fn sandbox(faults: &str) -> Sandbox {
    let start_at = "2026-06-15T12:00:00Z".parse().ok();
    start(Options { start: start_at, accounts: Some(40), faults: faults.to_owned(), ..Options::default() }).await.unwrap()
}

pub(super) fn url(sandbox: &Sandbox, path: &str) -> String {
    format!("{}{path}", sandbox.base_url("px").unwrap())
}

pub(super) async fn send_as(sandbox: &Sandbox, key: &str, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let request = client.request(method.parse().unwrap(), url(sandbox, path)).header("X-APTRINSIC-API-KEY", key);
    let request = body.iter().fold(request, reqwest::RequestBuilder::json);
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let bytes = answer.bytes().await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

pub(super) async fn send(sandbox: &Sandbox, method: &str, path: &str, body: Value) -> (u16, Value) {
    let key = sandbox.credentials()["px"]["api_key"].as_str().unwrap().to_owned();
    send_as(sandbox, &key, method, path, (!body.is_null()).then_some(body)).await
}

pub(super) async fn get(sandbox: &Sandbox, path: &str) -> Value {
    let (status, body) = send(sandbox, "GET", path, Value::Null).await;
    assert_eq!(status, 200, "{path}: {body}");
    body
}

/// All rows of a scroll, and how many pages they came in.
pub(super) async fn scroll(sandbox: &Sandbox, path: &str, list: &str, size: usize) -> (Vec<Value>, usize) {
    let (mut rows, mut pages, mut next) = (Vec::new(), 0, String::new());
    loop {
        let join = if path.contains('?') { '&' } else { '?' };
        let page = get(sandbox, &format!("{path}{join}pageSize={size}{next}")).await;
        let some = page[list].as_array().unwrap_or_else(|| panic!("no {list} in {page}")).clone();
        let ended = some.len() < size;
        rows.extend(some);
        pages += 1;
        if ended {
            assert_eq!(page["totalHits"].as_u64(), Some(rows.len() as u64), "{path}");
            assert!(page["scrollId"].is_string(), "there is one after the last page too");
            return (rows, pages);
        }
        next = format!("&scrollId={}", page["scrollId"].as_str().unwrap());
    }
}

pub(super) fn message(body: &Value) -> &str {
    body["externalapierror"]["message"].as_str().unwrap_or_default()
}

pub(super) async fn engagement(sandbox: &Sandbox, name: &str) -> String {
    let list = get(sandbox, "/v1/engagement").await;
    let found = list["engagements"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name}"));
    found["id"].as_str().unwrap().to_owned()
}

/// Puts users into the audience of an engagement.
pub(super) async fn qualify(sandbox: &Sandbox, journey: &str, engagement: &str, field: &str, users: &[String]) {
    let name = format!("tabi:{journey}:step:{engagement}");
    let (status, body) = send(sandbox, "POST", "/v1/external_segment/metadata?failIfExists=false", json!({"externalId": name, "name": name})).await;
    assert_eq!(status, 200, "{body}");
    let now = sandbox.world().clock.now().to_string();
    let mut edit = json!({"identityType": "IDENTIFY_ID", "add": [], "remove": []});
    edit[field] = json!([{"segmentId": body["id"], "identities": users, "lastQualificationTime": now}]);
    assert_eq!(send(sandbox, "POST", "/v1/external_segment/update_membership", edit).await.0, 200);
}

pub(super) async fn users(sandbox: &Sandbox) -> Vec<String> {
    let (rows, _) = scroll(sandbox, "/v1/users", "users", 1000).await;
    rows.iter().map(|row| row["identifyId"].as_str().unwrap().to_owned()).collect()
}

pub(super) async fn behave(sandbox: &Sandbox, model: Value) {
    let (status, body) = send(sandbox, "POST", "/_sandbox/behaviour", model).await;
    assert_eq!(status, 200, "{body}");
}

pub(super) fn advance(sandbox: &Sandbox, ms: i64) {
    sandbox.world().clock.advance_ms(ms);
}

/// A feed from the sandbox's first day on.
pub(super) async fn since_noon(sandbox: &Sandbox, feed: &str) -> Vec<Value> {
    scroll(sandbox, &format!("/v1/{feed}?filter=date>=2026-06-15T12:00:00Z"), "results", 200).await.0
}
