//! Gainsight CS as its clients see it: over HTTP, by the vendor's articles.

/// Keys, tokens, envelope, errors, limits, settings.
mod access;
/// Calls to action, tasks, timeline, users.
mod cockpit;
/// Metadata and bulk export.
mod metadata;
/// Reading objects.
mod query;
/// Inserting, updating, deleting; scores; people.
mod write;

use std::time::Duration;

use serde_json::{Value, json};
use tabi::sandbox::{self, Options, Sandbox};

const KEY: &str = "sandbox-gainsight-access-key";

struct Tenant {
    sandbox: Sandbox,
    client: reqwest::Client,
}

impl Tenant {
    async fn start() -> Self {
        Self::with(Options::default()).await
    }

    async fn with(options: Options) -> Self {
        let options = Options { start: "2026-06-15T12:00:00Z".parse().ok(), ..options };
        let client = reqwest::Client::builder().timeout(Duration::from_mins(1)).build().unwrap();
        Self { sandbox: sandbox::start(options).await.unwrap(), client }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.base_url("gainsight").unwrap())
    }

    /// Status and body of a call with the right key.
    async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let request = self.client.request(method.parse().unwrap(), self.url(path)).header("AccessKey", KEY);
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// The `data` of a call that must succeed.
    async fn ok(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(method, path, body).await;
        assert_eq!((status, &answer["result"]), (200, &json!(true)), "{method} {path}: {answer}");
        answer["data"].clone()
    }

    /// Status and code of a call that must be refused.
    async fn refused(&self, method: &str, path: &str, body: Value) -> (u16, String) {
        let (status, answer) = self.call(method, path, body).await;
        assert_eq!(answer["result"], false, "{method} {path}: {answer}");
        (status, answer["errorCode"].as_str().unwrap_or_default().to_owned())
    }

    async fn query(&self, object: &str, body: Value) -> Vec<Value> {
        let data = self.ok("POST", &format!("/v1/data/objects/query/{object}"), body).await;
        data["records"].as_array().unwrap().clone()
    }

    /// One condition.
    async fn find(&self, object: &str, select: &[&str], field: &str, operator: &str, value: Value) -> Vec<Value> {
        let condition = json!({"name": field, "alias": "A", "value": value, "operator": operator});
        self.query(object, json!({"select": select, "where": {"conditions": [condition], "expression": "A"}})).await
    }

    /// A company that is a customer.
    async fn company(&self) -> Value {
        self.query("Company", json!({"select": ["Gsid", "Name", "SfdcAccountId", "CurrentScore"], "limit": 1})).await.remove(0)
    }
}
