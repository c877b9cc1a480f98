//! Waiting for the next edit of a script, a template or a test.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::{
    host::{
        Loaded, Workspace,
        clock::stopwatch,
        scan::Snapshot,
        watch::{Settle, Watch},
    },
    script::glance,
};

use super::find::find;

/// The watch over a workspace's scripts and tests.
pub struct Watching {
    watch: Watch,
    hints: UnboundedReceiver<()>,
    seen: Seen,
}

/// What was there at the last look.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    scripts: Snapshot,
    tests: BTreeMap<String, Option<Arc<str>>>,
}

impl Watching {
    /// Watches from now on; what lies there now is known.
    pub fn start(workspace: &Workspace, loaded: &Loaded) -> Self {
        let (send, hints) = unbounded_channel();
        // Nobody listens once the watch is over.
        let watch = Watch::start(move || {
            let _ = send.send(());
        });
        let mut watching = Self { watch, hints, seen: Seen::default() };
        watching.seen = watching.look(&workspace.root, loaded);
        watching
    }

    /// Returns once something was saved and it is quiet again.
    pub async fn changed(&mut self, workspace: &Workspace, loaded: &Loaded) {
        let mut settle = Settle::default();
        loop {
            let quiet = settle.ripe().map(|ripe| ripe.saturating_duration_since(stopwatch()));
            tokio::select! {
                biased;
                Some(()) = self.hints.recv() => settle.hint(stopwatch()),
                () = tokio::time::sleep(quiet.unwrap_or_else(|| self.watch.look_every())) => {
                    settle.looked();
                    let seen = self.look(&workspace.root, loaded);
                    if seen != self.seen {
                        self.seen = seen;
                        return;
                    }
                }
            }
        }
    }

    fn look(&mut self, root: &Path, loaded: &Loaded) -> Seen {
        let (scripts, found) = (loaded.look(root), find(root));
        let mut folders = scripts.folders.clone();
        folders.extend(found.folders.iter().cloned());
        self.watch.follow(&folders);
        // Helpers beside the tests count as well: whatever may be imported.
        let mut tests = BTreeMap::new();
        for folder in &found.folders {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.extension().is_some_and(|extension| extension == "rhai") {
                    let name = path.to_string_lossy().into_owned();
                    let text = glance(folder, &name);
                    tests.insert(name, text);
                }
            }
        }
        Seen { scripts, tests }
    }
}
