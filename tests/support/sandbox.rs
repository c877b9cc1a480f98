//! A sandbox as another process, and what it was asked.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
};

use serde_json::Value;

use super::Workspace;

/// `tabi sandbox --json` of a workspace; stopped at the end of the test. Commands of the same workspace find and use it.
pub(crate) struct Sandbox {
    child: Child,
    ready: Value,
}

impl Sandbox {
    /// Starts it and waits for its ready line. `args` such as `--accounts 50 --faults salesforce:500@0.1`.
    pub(crate) fn start(workspace: &Workspace, args: &str) -> Self {
        let mut command = workspace.command(&format!("sandbox --json {args}"));
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|e| panic!("the ready line is not JSON ({e}): {line:?}"));
        Self { child, ready }
    }

    pub(crate) fn ready(&self) -> &Value {
        &self.ready
    }

    pub(crate) fn base_url(&self, system: &str) -> String {
        self.ready[system]["base_url"].as_str().unwrap_or_else(|| panic!("no base_url of {system} in {}", self.ready)).to_owned()
    }

    pub(crate) fn get(&self, system: &str, path: &str) -> Value {
        let url = format!("{}{path}", self.base_url(system));
        runtime().block_on(async { reqwest::get(url).await.unwrap().json().await.unwrap() })
    }

    pub(crate) fn post(&self, system: &str, path: &str, body: &Value) {
        let url = format!("{}{path}", self.base_url(system));
        let sent = runtime().block_on(async { reqwest::Client::new().post(url).json(body).send().await.unwrap() });
        assert!(sent.status().is_success(), "{path}: {}", sent.status());
    }

    /// An address of the inbox.
    pub(crate) fn inbox(&self, path: &str) -> String {
        format!("{}{path}", self.ready["mail"]["inbox_url"].as_str().unwrap())
    }

    /// To a path of the inbox.
    pub(crate) fn post_to_inbox(&self, path: &str, body: &Value) {
        let url = self.inbox(path);
        let sent = runtime().block_on(async { reqwest::Client::new().post(&url).json(body).send().await.unwrap() });
        assert!(sent.status().is_success(), "{url}: {}", sent.status());
    }

    /// Forgets what was asked so far.
    pub(crate) fn forget_requests(&self) {
        for system in ["salesforce", "pendo", "gainsight", "px", "mail"] {
            self.post(system, "/_sandbox/reset", &serde_json::json!({}));
        }
    }

    /// Method and path of everything asked that could change something, queries by POST left out.
    pub(crate) fn writes(&self, system: &str) -> Vec<String> {
        let requests = self.get(system, "/_sandbox/requests");
        let all = requests.as_array().unwrap().iter().map(|request| {
            let text = |key: &str| request[key].as_str().unwrap_or_default().to_owned();
            (text("method"), text("path"))
        });
        all.filter(|(method, path)| !matches!(method.as_str(), "GET" | "HEAD") && !only_reads(path))
            .map(|(method, path)| format!("{method} {path}"))
            .collect()
    }

    /// The rows of a pipeline, by Pendo's own API.
    pub(crate) fn aggregate(&self, pipeline: &Value) -> Vec<Value> {
        let url = format!("{}/api/v1/aggregation", self.base_url("pendo"));
        let key = self.ready["pendo"]["integration_key"].as_str().unwrap();
        let body = serde_json::json!({"response": {"mimeType": "application/json"}, "request": {"pipeline": pipeline}});
        runtime().block_on(async {
            let answer = reqwest::Client::new().post(url).header("x-pendo-integration-key", key).json(&body).send().await.unwrap();
            assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
            answer.json::<Value>().await.unwrap()["results"].as_array().unwrap().clone()
        })
    }

    /// Sends a track event of Pendo's.
    pub(crate) fn track(&self, event: &Value) {
        let url = format!("{}/data/track", self.base_url("pendo"));
        let key = self.ready["pendo"]["track_key"].as_str().unwrap();
        let sent =
            runtime().block_on(async { reqwest::Client::new().post(url).header("x-pendo-integration-key", key).json(event).send().await.unwrap() });
        assert!(sent.status().is_success(), "{event}: {}", sent.status());
    }

    /// Lets so many days go by.
    pub(crate) fn days_pass(&self, days: i64) {
        self.post("pendo", "/_sandbox/clock", &serde_json::json!({ "advance_seconds": days * 86_400 }));
    }

    /// All rows of an object.
    pub(crate) fn documents(&self, system: &str, object: &str) -> Vec<Value> {
        self.get(system, &format!("/_sandbox/documents/{object}")).as_array().unwrap().clone()
    }
}

/// Logins and queries that go by POST.
fn only_reads(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or(path).trim_end_matches('/');
    // Retrieve by ids is `POST composite/sobjects/OBJECT`; creation is `POST composite/sobjects`.
    let retrieve = path.split_once("/composite/sobjects/").is_some_and(|(_, object)| !object.contains('/'));
    retrieve
        || path.ends_with("/composite")
        || path.ends_with("/token")
        || path.ends_with("/aggregation")
        || path.ends_with("/list")
        || path.ends_with("/describe")
        || path.contains("/objects/query/")
        || path.contains("/Soap/")
        || path.contains("/jobs/query")
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
