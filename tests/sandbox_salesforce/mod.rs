//! The Salesforce emulator over real HTTP, section by section of its API notes.

/// Bulk API 2.0.
mod bulk;
/// Collections, composite, batch, tree, graph.
mod composite;
/// Logins, sessions, versions, limits, faults.
mod login;
/// One record at a time, and what is refused.
mod records;
/// Describes and custom fields.
mod schema;
/// Queries.
mod soql;

use serde_json::Value;
use tabi::sandbox::{self, Options, Sandbox};

/// A sandbox at noon of a fixed day, and a client with its standing token.
pub(super) struct Org {
    pub(super) sandbox: Sandbox,
    pub(super) client: reqwest::Client,
}

/// The status and the JSON (null when there is none) of an answer.
pub(super) type Told = (u16, Value);

pub(super) const V: &str = "/services/data/v68.0";

impl Org {
    pub(super) async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub(super) async fn with(options: Options) -> Self {
        let options = Options { start: "2026-06-15T12:00:00Z".parse().ok(), ..options };
        let sandbox = sandbox::start(options).await.unwrap();
        Self { sandbox, client: reqwest::Client::new() }
    }

    pub(super) fn credential(&self, name: &str) -> String {
        self.sandbox.credentials()["salesforce"][name].as_str().unwrap().to_owned()
    }

    pub(super) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("{V}/{path}") };
        let url = format!("{}{path}", self.sandbox.base_url("salesforce").unwrap());
        self.client.request(method.parse().unwrap(), url).bearer_auth(self.credential("access_token"))
    }

    pub(super) async fn send(&self, method: &str, path: &str, body: Value) -> Told {
        let request = self.request(method, path);
        let request = if body.is_null() { request } else { request.json(&body) };
        told(request.send().await.unwrap()).await
    }

    pub(super) async fn get(&self, path: &str) -> Told {
        self.send("GET", path, Value::Null).await
    }

    pub(super) async fn query(&self, soql: &str) -> Told {
        told(self.request("GET", "query").query(&[("q", soql)]).send().await.unwrap()).await
    }

    /// The records of a query that must be answered.
    pub(super) async fn rows(&self, soql: &str) -> Vec<Value> {
        let (status, told) = self.query(soql).await;
        assert_eq!(status, 200, "{soql}: {told}");
        told["records"].as_array().unwrap().clone()
    }

    /// One column of the records of a query, as text.
    pub(super) async fn column(&self, field: &str, soql: &str) -> Vec<String> {
        self.rows(soql).await.iter().map(|row| row[field].as_str().map_or_else(|| row[field].to_string(), str::to_owned)).collect()
    }

    pub(super) async fn create(&self, object: &str, fields: Value) -> String {
        let (status, told) = self.send("POST", &format!("sobjects/{object}"), fields).await;
        assert_eq!(status, 201, "{told}");
        told["id"].as_str().unwrap().to_owned()
    }
}

pub(super) async fn told(response: reqwest::Response) -> Told {
    let status = response.status().as_u16();
    let bytes = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

/// The error code of a refusal.
pub(super) fn code(told: &Told) -> (u16, &str) {
    (told.0, told.1[0]["errorCode"].as_str().unwrap_or("none"))
}
