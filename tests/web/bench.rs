//! A workspace whose host runs as the real process, and what is asked of it.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
    sync::mpsc,
    time::Duration,
};

use serde_json::{Value, json};

use crate::support::{Sandbox, Workspace};

/// Longer than anything here takes; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_mins(1);

pub(super) struct Bench {
    pub(super) workspace: Workspace,
    pub(super) sandbox: Sandbox,
    host: Child,
    lines: mpsc::Receiver<Value>,
    pub(super) server: Value,
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) location: String,
    pub(super) text: String,
}

impl Bench {
    /// Publishes the journey `trial` and lets the host run.
    pub(super) fn start(script: &str, templates: &[(&str, &str)], config: &str) -> Self {
        let workspace = Workspace::with_script(script);
        workspace.write("tabi.toml", config);
        for (name, text) in templates {
            workspace.write(&format!("scripts/templates/{name}"), text);
        }
        let sandbox = Sandbox::start(&workspace, "--accounts 20 --people 60");
        // Nobody opens anything by themselves.
        sandbox.post_to_inbox("/_sandbox/behaviour", &json!({"open_rate": 0.0, "click_rate": 0.0}));
        workspace.tabi("journey publish trial --yes").ended(0);
        let mut host = workspace.command("up --json").stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(host.stdout.take().unwrap());
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = send.send(serde_json::from_str(&line).unwrap());
            }
        });
        let mut bench = Self { workspace, sandbox, host, lines, server: Value::Null };
        bench.server = bench.line(|line| line["type"] == "server");
        bench
    }

    pub(super) fn line(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).expect("the host says nothing more");
            if wanted(&line) {
                return line;
            }
        }
    }

    /// Waits for the end of runs of the journey until its report is as wanted.
    pub(super) fn until(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let report = self.report();
            if wanted(&report) {
                return report;
            }
            self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("nothing comes any more; the report is {report:#}"));
        }
    }

    pub(super) fn report(&self) -> Value {
        serde_json::from_str(&self.workspace.tabi("journey report trial --json").ended(0).stdout).unwrap()
    }

    /// The newest mail to somebody, once it is there.
    pub(super) fn mail(&self, to: &str) -> Value {
        loop {
            let inbox: Value = serde_json::from_str(&get(&self.sandbox.inbox(&format!("/inbox?to={to}")), &[]).text).unwrap();
            if let Some(mail) = inbox.as_array().and_then(|all| all.last()) {
                return mail.clone();
            }
            self.lines.recv_timeout(PATIENCE).expect("no mail came");
        }
    }

    pub(super) fn hook(&self, system: &str) -> String {
        self.server["hooks"][system].as_str().unwrap().to_owned()
    }

    /// A person's timeline, of one kind.
    pub(super) fn timeline(&self, person: &str, kind: &str) -> Vec<Value> {
        let shown: Value =
            serde_json::from_str(&self.workspace.tabi(&format!("journey show trial --person {person} --json")).ended(0).stdout).unwrap();
        let entries = shown[0]["timeline"].as_array().unwrap();
        entries.iter().filter(|entry| entry["kind"] == kind).cloned().collect()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = self.host.kill();
        let _ = self.host.wait();
    }
}

pub(super) fn link(mail: &Value, part: &str) -> String {
    let links = mail["links"].as_array().unwrap().iter().chain(mail["images"].as_array().unwrap());
    let found = links.filter_map(Value::as_str).find(|link| link.contains(part));
    found.unwrap_or_else(|| panic!("no {part} in {mail:#}")).to_owned()
}

pub(super) fn get(url: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = client().get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    asked(request)
}

pub(super) fn head(url: &str) -> Answer {
    asked(client().head(url))
}

pub(super) fn post(url: &str, kind: &str, body: impl Into<reqwest::Body>, headers: &[(&str, &str)]) -> Answer {
    let mut request = client().post(url).header("content-type", kind).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    asked(request)
}

pub(super) fn form(url: &str, body: &str) -> Answer {
    post(url, "application/x-www-form-urlencoded", body.to_owned(), &[])
}

pub(super) fn tell(url: &str, body: &Value) -> Answer {
    post(url, "application/json", body.to_string(), &[])
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

fn asked(request: reqwest::RequestBuilder) -> Answer {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let location = answer.headers().get("location").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        let text = String::from_utf8_lossy(&answer.bytes().await.unwrap()).into_owned();
        Answer { status, location, text }
    })
}
