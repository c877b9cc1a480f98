//! Everything that work needs, opened together and closed in order: threads, state, connections, the sandbox.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{runtime::Runtime, sync::Notify};

use crate::{
    connectors::{Stop, Systems},
    flow::Wire,
    host::{Workspace, connect, shared},
    store::Store,
};

use super::{Error, Signals, attach::Current, reload::Receipts, runtime};

/// How long other commands may go on using this one's sandbox after it is done.
const GUESTS: Duration = Duration::from_mins(10);

/// An open workspace, ready to work.
pub struct Session {
    pub store: Arc<Store>,
    pub wire: Wire,
    /// Ends the work: no new call starts, what is in flight finishes.
    pub stop: Stop,
    /// Set together with `stop`: for scripts, which only look.
    pub interrupted: Arc<AtomicBool>,
    /// What was loaded lately, when this is a host.
    pub receipts: Receipts,
    /// What this one runs, when it is a host.
    pub current: Current,
    /// Rung when something came in from outside: a living host looks at once.
    pub stirred: Arc<Notify>,
    sandbox: Option<shared::Shared>,
    runtime: Runtime,
}

impl Session {
    /// Opens state and connections; nothing is called yet, except that a sandbox is started where one is needed and none runs.
    pub fn open(workspace: &Workspace) -> Result<Self, Error> {
        let runtime = runtime()?;
        let all = workspace.is_sandboxed();
        let sandbox = (all || connect::wants_sandbox(&workspace.config))
            .then(|| runtime.block_on(shared::join_or_start(&workspace.sandbox_folder(), workspace.sandbox_options())))
            .transpose()?;
        let credentials = sandbox.as_ref().map(shared::Shared::credentials);
        let options = connect::options(&workspace.config, &workspace.root, credentials.as_ref(), all)?;
        let (stop, places) = (Stop::new(), connect::places(&options, credentials.as_ref()));
        // The clients want to know the threads they wait on.
        let entered = runtime.enter();
        let systems = Systems::new(options, stop.clone())?;
        drop(entered);
        let store = workspace.store()?;
        let clock = workspace.clock.clone();
        let wire = Wire::new(systems, runtime.handle().clone(), Arc::clone(&store), move || clock.now()).at(places);
        Ok(Self {
            store,
            wire,
            stop,
            interrupted: Arc::default(),
            receipts: Receipts::default(),
            stirred: Arc::default(),
            current: Current::default(),
            sandbox,
            runtime,
        })
    }

    /// Ends the work at SIGINT or SIGTERM, letting what is in flight finish; `again` is called at the second one.
    pub fn stop_when_asked(&self, again: impl FnOnce() + Send + 'static) {
        let (stop, interrupted, mut signals) = (self.stop.clone(), Arc::clone(&self.interrupted), self.signals());
        self.runtime.spawn(async move {
            signals.asked_to_stop().await;
            interrupted.store(true, Ordering::Relaxed);
            stop.request();
            signals.asked_to_stop().await;
            again();
        });
    }

    /// Listens to SIGINT and SIGTERM from now on.
    pub fn signals(&self) -> Signals {
        let _entered = self.runtime.enter();
        Signals::listen()
    }

    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// What the sandbox's systems are reached by, where there is one.
    pub fn sandbox_credentials(&self) -> Option<serde_json::Value> {
        self.sandbox.as_ref().map(shared::Shared::credentials)
    }

    /// Whether another process runs the sandbox that this one uses.
    pub fn is_guest(&self) -> bool {
        matches!(self.sandbox, Some(shared::Shared::Guest(_)))
    }

    /// Closes everything. A sandbox of our own waits for other commands that use it, unless the work was stopped.
    pub fn close(self) {
        let patience = if self.stop.requested() { Duration::from_secs(1) } else { GUESTS };
        if let Some(sandbox) = self.sandbox {
            self.runtime.block_on(sandbox.leave(patience));
        }
        drop(self.wire);
        self.runtime.shutdown_timeout(Duration::from_secs(1));
    }
}
