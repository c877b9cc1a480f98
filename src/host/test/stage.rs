//! The systems and the state of one test. Nothing is opened before the test first needs it, and all of it goes with the test.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use serde_json::{Value as Json, json};
use tokio::runtime::Handle;

use crate::{
    connectors::{self, Stop, Systems},
    flow::{self, Sample, Wire, journey::Mailer},
    host::{Loaded, Workspace, clock, connect, journeys},
    model::{Effect, Fault, FaultKind, Reply, Timestamp},
    sandbox::{self, Sandbox},
    script::Perform,
    store::{Play, Store},
};

/// The company of a test: small, and the same for every test of a workspace.
const ACCOUNTS: u64 = 20;
const PEOPLE: u64 = 100;

/// How patient clients are with a sandbox in the same process: a fault shall not cost the test its time.
const FIRST_WAIT: Duration = Duration::from_millis(10);
const LONGEST_WAIT: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(2);
const ANSWER: Duration = Duration::from_secs(5);

/// What one test works on.
pub(super) struct Stage {
    /// On the test's own clock.
    pub(super) workspace: Workspace,
    pub(super) loaded: Arc<Loaded>,
    pub(super) stop: Stop,
    runtime: Handle,
    opened: OnceLock<Result<Opened, Fault>>,
}

/// What was opened.
pub(super) struct Opened {
    pub(super) store: Arc<Store>,
    pub(super) wire: Wire,
    sandbox: Sandbox,
}

impl Stage {
    pub(super) fn new(workspace: Workspace, loaded: Arc<Loaded>, runtime: Handle) -> Self {
        Self { workspace, loaded, stop: Stop::new(), runtime, opened: OnceLock::new() }
    }

    /// Systems and state, started at the first call.
    pub(super) fn opened(&self) -> Result<&Opened, Fault> {
        self.opened.get_or_init(|| self.open()).as_ref().map_err(Clone::clone)
    }

    /// Mails as scripts write them, with links where the workspace's would have some.
    pub(super) fn mailer(&self) -> Mailer {
        journeys::mailer(&self.loaded).unread().linked(self.workspace.links_on_paper())
    }

    /// How declarations are run: as by hand, at the test's time. Nothing is kept for back-tests: nobody could ask for it.
    pub(super) fn options(&self) -> flow::Options {
        let usual = self.workspace.run_options();
        let sample = Sample { records: 0, ..usual.sample };
        flow::Options { reason: "test".into(), owner: "tabi test".into(), mailer: self.mailer(), sample, ..usual }
    }

    /// Asks the sandbox from behind.
    pub(super) fn ask(&self, system: &str, path: &str, body: Option<&Json>) -> Result<Json, Fault> {
        let sandbox = &self.opened()?.sandbox;
        self.runtime.block_on(sandbox.ask(system, path, body)).map_err(|error| {
            let kind = if matches!(error, sandbox::Error::Refused { .. }) { FaultKind::Invalid } else { FaultKind::Unavailable };
            Fault::new(kind, error.to_string())
        })
    }

    /// Sets the test's clock, and the sandbox's where there is one already.
    pub(super) fn set_clock(&self, at: Timestamp) -> Result<(), Fault> {
        self.workspace.clock.set(at);
        if self.opened.get().is_some_and(Result::is_ok) {
            // All systems share one clock.
            self.ask("salesforce", "/_sandbox/clock", Some(&json!({ "now": at })))?;
        }
        Ok(())
    }

    /// A way to no system at all: for a run whose answers come from elsewhere.
    pub(super) fn unconnected(&self) -> Result<Wire, Fault> {
        let broken = |error: String| Fault::new(FaultKind::Unavailable, error);
        let entered = self.runtime.enter();
        let systems = Systems::new(connectors::Options::new(clock::now), self.stop.clone()).map_err(|error| broken(error.to_string()))?;
        drop(entered);
        let store = Store::scratch(Play::Test).map_err(|error| broken(error.to_string()))?;
        let clock = self.workspace.clock.clone();
        Ok(Wire::new(systems, self.runtime.clone(), Arc::new(store), move || clock.now()))
    }

    fn open(&self) -> Result<Opened, Fault> {
        let broken = |error: String| Fault::new(FaultKind::Unavailable, format!("the test's sandbox could not be started: {error}"));
        let (workspace, clock) = (&self.workspace, self.workspace.clock.clone());
        let options = sandbox::Options {
            accounts: Some(ACCOUNTS),
            people: Some(PEOPLE),
            seed: workspace.config.sandbox.seed,
            start: Some(clock.now()),
            ..sandbox::Options::default()
        };
        let sandbox = self.runtime.block_on(quiet(options)).map_err(|error| broken(error.to_string()))?;
        let mut options =
            connect::options(&workspace.config, &workspace.root, Some(&sandbox.credentials()), true).map_err(|error| broken(error.to_string()))?;
        let http = &mut options.http;
        (http.first_wait, http.longest_wait, http.patience) = (FIRST_WAIT, LONGEST_WAIT, PATIENCE);
        http.answer_timeout = http.answer_timeout.min(ANSWER);
        // The clients want to know the threads they wait on.
        let entered = self.runtime.enter();
        let systems = Systems::new(options, self.stop.clone()).map_err(|error| broken(error.to_string()))?;
        drop(entered);
        let store = Arc::new(Store::scratch(Play::Test).map_err(|error| broken(error.to_string()))?);
        let wire = Wire::new(systems, self.runtime.clone(), Arc::clone(&store), move || clock.now());
        Ok(Opened { store, wire, sandbox })
    }
}

/// A sandbox whose people do nothing by themselves: what happens is what the test says.
async fn quiet(options: sandbox::Options) -> Result<Sandbox, sandbox::Error> {
    let sandbox = sandbox::start(options).await?;
    let rates = json!({"view_rate": 0.0, "complete_rate": 0.0, "respond_rate": 0.0, "comment_rate": 0.0});
    sandbox.ask("px", "/_sandbox/behaviour", Some(&rates)).await?;
    let rates = json!({"open_rate": 0.0, "click_rate": 0.0, "unsubscribe_rate": 0.0, "bounce_rate": 0.0});
    sandbox.ask("mail", "/_sandbox/behaviour", Some(&rates)).await?;
    Ok(sandbox)
}

impl Perform for Stage {
    fn perform(&self, effect: Effect) -> Result<Reply, Fault> {
        self.opened()?.wire.perform(effect)
    }
}
