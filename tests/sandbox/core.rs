//! What all systems share: `/_sandbox/`, faults, the clock, and documents that outlive the process.

use std::{path::Path, time::Duration};

use serde_json::{Map, Value, json};
use tabi::sandbox::{
    self, Error, Options, Sandbox,
    documents::{Change, Documents, Nothing},
};

pub(super) async fn sandbox(faults: &str) -> Sandbox {
    started(Options { faults: faults.to_owned(), ..at_noon() }).await
}

pub(super) fn at_noon() -> Options {
    Options { start: "2026-06-15T12:00:00Z".parse().ok(), ..Options::default() }
}

async fn started(options: Options) -> Sandbox {
    sandbox::start(options).await.unwrap()
}

fn stored_in(folder: &Path) -> Options {
    Options { folder: Some(folder.to_owned()), ..at_noon() }
}

pub(super) fn url(sandbox: &Sandbox, path: &str) -> String {
    format!("{}{path}", sandbox.base_url("pendo").unwrap())
}

/// A call with the right key. Nothing is kept alive: a cut connection must not hit the next call.
pub(super) async fn call(sandbox: &Sandbox, method: &str, path: &str, body: Option<Value>) -> reqwest::Result<reqwest::Response> {
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).timeout(Duration::from_secs(30)).build()?;
    let request = client.request(method.parse().unwrap(), url(sandbox, path));
    let request = request.header("x-pendo-integration-key", "sandbox-pendo-integration-key");
    match body {
        Some(body) => request.json(&body).send().await,
        None => request.send().await,
    }
}

pub(super) async fn verify(sandbox: &Sandbox) -> reqwest::Result<reqwest::Response> {
    call(sandbox, "GET", "/api/v1/token/verify", None).await
}

async fn log(sandbox: &Sandbox) -> Vec<Value> {
    call(sandbox, "GET", "/_sandbox/requests", None).await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn the_log_tells_each_request_but_not_its_own_until_reset() {
    let sandbox = sandbox("").await;
    verify(&sandbox).await.unwrap();
    call(&sandbox, "GET", "/api/v1/nothing?x=1", None).await.unwrap();
    let told = log(&sandbox).await;
    let told: Vec<_> =
        told.iter().map(|one| (one["method"].as_str(), one["path"].as_str(), one["status"].as_u64(), one["fault"].is_null())).collect();
    assert_eq!(told, [(Some("GET"), Some("/api/v1/token/verify"), Some(200), true), (Some("GET"), Some("/api/v1/nothing"), Some(404), true)]);
    call(&sandbox, "POST", "/_sandbox/reset", None).await.unwrap();
    assert!(log(&sandbox).await.is_empty());
    sandbox.stop().await;
}

#[tokio::test]
async fn vendor_refusals_strike_with_their_status() {
    for (kind, status) in [("429", 429), ("500", 500), ("503", 503), ("html", 503), ("expired", 403), ("limit", 429)] {
        let sandbox = sandbox(&format!("pendo:{kind}@1")).await;
        let answer = verify(&sandbox).await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.text().await.unwrap().contains("<html>"), kind == "html");
        assert_eq!(log(&sandbox).await[0]["fault"], kind);
    }
}

#[tokio::test]
async fn a_reset_cuts_the_connection_without_an_answer() {
    for kind in ["reset", "reset_after"] {
        let sandbox = sandbox(&format!("pendo:{kind}@1")).await;
        let broken = verify(&sandbox).await.unwrap_err();
        assert!(broken.is_request() && !broken.is_timeout(), "{broken:?}");
        assert_eq!((&log(&sandbox).await[0]["status"], &log(&sandbox).await[0]["fault"]), (&json!(0), &json!(kind)));
    }
}

#[tokio::test]
async fn a_truncated_body_promises_more_than_it_holds() {
    let sandbox = sandbox("*:truncate@1").await;
    let answer = verify(&sandbox).await.unwrap();
    let promised = answer.content_length().unwrap();
    let mut chunks = answer;
    let mut held = 0;
    let broken = loop {
        match chunks.chunk().await {
            Ok(Some(chunk)) => held += chunk.len() as u64,
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    assert!(broken && held == promised / 2, "{held} of {promised}");
}

#[tokio::test]
async fn a_slow_answer_comes_and_a_timeout_does_not() {
    let sandbox = sandbox("pendo:slow=1@1").await;
    assert_eq!(verify(&sandbox).await.unwrap().status(), 200);
    call(&sandbox, "POST", "/_sandbox/faults", Some(json!([{"system": "pendo", "kind": "timeout"}]))).await.unwrap();
    let impatient = reqwest::Client::builder().timeout(Duration::from_millis(50)).build().unwrap();
    assert!(impatient.get(url(&sandbox, "/api/v1/token/verify")).send().await.unwrap_err().is_timeout());
}

#[tokio::test]
async fn faults_are_the_same_for_the_same_seed_and_can_be_changed() {
    let mut drawn = Vec::new();
    for _ in 0..2 {
        let sandbox = sandbox("pendo:500@0.3,*:429@0.2").await;
        let mut statuses = Vec::new();
        for _ in 0..30 {
            statuses.push(verify(&sandbox).await.unwrap().status().as_u16());
        }
        drawn.push(statuses);
        call(&sandbox, "POST", "/_sandbox/faults", Some(json!({"faults": ""}))).await.unwrap();
        assert_eq!(verify(&sandbox).await.unwrap().status(), 200);
        let refused = call(&sandbox, "POST", "/_sandbox/faults", Some(json!("pendo:503@2"))).await.unwrap();
        assert_eq!(refused.status(), 400);
    }
    assert_eq!(drawn[0], drawn[1]);
    for status in [200, 429, 500] {
        assert!(drawn[0].contains(&status));
    }
}

#[tokio::test]
async fn locked_rows_are_drawn_for_each_row_and_not_for_requests() {
    let sandbox = sandbox("salesforce:lock@0.5").await;
    let locked: Vec<bool> = (0..40).map(|_| sandbox.world().faults.row_is_locked("salesforce")).collect();
    assert!(locked.contains(&true) && locked.contains(&false));
    assert!(!sandbox.world().faults.row_is_locked("gainsight") && sandbox.world().faults.request("salesforce").is_none());
}

#[tokio::test]
async fn the_clock_is_set_and_turned_and_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = started(stored_in(folder.path())).await;
    assert!(now(&sandbox).await.starts_with("2026-06-15T12:00:"));
    call(&sandbox, "POST", "/_sandbox/clock", Some(json!({"advance_seconds": 86_400}))).await.unwrap();
    assert!(now(&sandbox).await.starts_with("2026-06-16T12:00:"));
    call(&sandbox, "POST", "/_sandbox/clock", Some(json!({"now": "2027-01-01T00:00:00Z"}))).await.unwrap();
    assert_eq!(call(&sandbox, "POST", "/_sandbox/clock", Some(json!({}))).await.unwrap().status(), 400);
    let company = sandbox.world().company;
    sandbox.stop().await;
    let again = started(Options { folder: Some(folder.path().to_owned()), ..Options::default() }).await;
    assert!(now(&again).await.starts_with("2027-01-01T00:00:"));
    assert_eq!(again.world().company, company);
}

async fn now(sandbox: &Sandbox) -> String {
    let told: Value = call(sandbox, "GET", "/_sandbox/clock", None).await.unwrap().json().await.unwrap();
    told["now"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_folder_is_for_one_sandbox_and_one_company() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = started(stored_in(folder.path())).await;
    assert!(matches!(sandbox::start(stored_in(folder.path())).await, Err(Error::InUse { .. })));
    drop(sandbox);
    let other = Options { accounts: Some(7), ..stored_in(folder.path()) };
    assert!(matches!(sandbox::start(other.clone()).await, Err(Error::OtherCompany { what: "accounts", stored: 200, asked: 7 })));
    let fresh = started(Options { fresh: true, ..other }).await;
    assert_eq!((fresh.world().company.accounts, fresh.world().company.people), (7, 70));
}

#[tokio::test]
async fn wrong_fault_lists_are_told_with_the_part_that_is_wrong() {
    for wrong in ["pendo", "pendo:429", "hubspot:429@1", "pendo:418@1", "pendo:slow=x@1", "pendo:429@2", "pendo:429@many"] {
        let refused = sandbox::start(Options { faults: format!("*:500@0.1,{wrong}"), ..at_noon() }).await;
        assert!(matches!(refused, Err(Error::Fault { part, .. }) if part == wrong));
    }
}

#[allow(clippy::needless_pass_by_value)]
fn fields(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

/// Documents over a file without a server around them.
fn opened(path: &Path) -> Documents {
    let documents = Documents::new(Some(path.to_owned()));
    documents.table("Thing", Nothing);
    documents.replay().unwrap();
    documents
}

#[test]
fn what_was_written_is_there_after_a_restart_and_a_torn_last_line_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("things.jsonl");
    let documents = opened(&path);
    let table = documents.open("Thing");
    assert!(documents.insert(&table, "a", fields(json!({"x": 1, "y": "é", "z": [1, null]}))).unwrap());
    assert!(!documents.insert(&table, "a", fields(json!({}))).unwrap());
    assert!(documents.update(&table, "a", fields(json!({"x": 2.5, "w": null}))).unwrap());
    let changes =
        vec![Change::Insert("b".into(), fields(json!({"x": 3}))), Change::Delete("b".into()), Change::Update("b".into(), fields(json!({})))];
    assert_eq!(documents.write(&table, changes).unwrap(), [true, true, false]);
    assert!(documents.insert(&table, "c", fields(json!({"x": 4}))).unwrap());
    drop(documents);
    let text = std::fs::read(&path).unwrap();
    std::fs::write(&path, &text[..text.len() - 3]).unwrap();
    let table = opened(&path).open("Thing");
    assert_eq!(table.len(), 1);
    assert_eq!(Value::Object(table.get("a").unwrap().document()), json!({"x": 2.5, "y": "é", "z": [1, null], "w": null}));
}

#[test]
fn a_long_log_is_compacted_at_start_to_what_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("things.jsonl");
    let documents = opened(&path);
    let table = documents.open("Thing");
    documents.insert(&table, "a", fields(json!({"x": 0}))).unwrap();
    for x in 1..2_000 {
        documents.update(&table, "a", fields(json!({"x": x}))).unwrap();
    }
    drop(documents);
    let table = opened(&path).open("Thing");
    assert_eq!(*table.get("a").unwrap().get("x"), json!(1_999));
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
    assert_eq!(*opened(&path).open("Thing").get("a").unwrap().get("x"), json!(1_999));
}

#[test]
fn a_scan_takes_each_row_once_in_a_stable_order_and_goes_on_from_a_position() {
    let documents = Documents::new(None);
    let table = documents.open("Thing");
    for number in 0..1_000 {
        documents.insert(&table, &format!("id{number}"), fields(json!({"n": number}))).unwrap();
    }
    documents.delete(&table, "id500").unwrap();
    let ids: Vec<String> = table.scan().map(|row| row.id().into_owned()).collect();
    assert_eq!(ids.len(), 999);
    let position = table.scan().nth(299).unwrap().position();
    assert_eq!(table.scan_from(position + 1).next().unwrap().id(), "id300");
    assert_eq!(table.find("n", &json!(7))[0].id(), "id7");
}
