//! Loading scripts beside those that run: the new generation is whole or, file by file, the last good version; and a receipt for it.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    config,
    model::{Known, Timestamp},
    script::{self, Declaration, Diagnostic, Difference, Generation, Limits, Texts},
};

use super::{
    Workspace,
    clock::stopwatch,
    scan::{Snapshot, scan},
};

/// The number of the generation that a host begins with.
const FIRST: u64 = 1;

/// A generation, its number, and what lay on disk when it was loaded.
#[derive(Debug)]
pub struct Loaded {
    pub number: u64,
    pub generation: Arc<Generation>,
    declarations: Vec<Arc<Declaration>>,
    snapshot: Snapshot,
    /// Where imports were looked for.
    sought: BTreeSet<String>,
}

/// What one reload came to.
#[derive(Debug, Clone)]
pub struct Receipt {
    pub generation: u64,
    /// When it was live.
    pub at: Timestamp,
    /// Files on disk, those with errors included.
    pub files: usize,
    /// Files of which an earlier version runs, because the present one has errors.
    pub kept: Vec<String>,
    /// Scripts that were compiled: what changed, and what imports it.
    pub compiled: Vec<String>,
    pub declarations: usize,
    /// BLAKE3 over all that runs, hex.
    pub hash: String,
    pub difference: Difference,
    pub diagnostics: Vec<Diagnostic>,
    /// Places in `diagnostics` of what the receipt before told already, of files that are as they were.
    pub known: BTreeSet<usize>,
    /// The texts that these quote, by file.
    pub texts: Texts,
    pub took: Duration,
}

impl Receipt {
    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(|finding| finding.is_error())
    }

    /// What is new or was said of a file that was saved since.
    pub fn fresh(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().enumerate().filter(|(at, _)| !self.known.contains(at)).map(|(_, finding)| finding)
    }

    /// What is as it was, by file.
    pub fn still(&self) -> BTreeMap<&str, Vec<&Diagnostic>> {
        let mut found: BTreeMap<&str, Vec<&Diagnostic>> = BTreeMap::new();
        for finding in self.known.iter().filter_map(|at| self.diagnostics.get(*at)) {
            found.entry(&finding.file).or_default().push(finding);
        }
        found
    }

    /// Whether it is of the generation that a host began with.
    pub const fn is_first(&self) -> bool {
        self.generation == FIRST
    }

    /// As JSON, under a `type`: `ready` for a host's first one, else `reload`.
    pub fn document(&self) -> Value {
        let errors: Vec<&Diagnostic> = self.errors().collect();
        let kind = if self.is_first() { "ready" } else { "reload" };
        json!({
            "type": kind, "generation": self.generation, "at": self.at, "files": self.files, "declarations": self.declarations, "hash": self.hash,
            "added": self.difference.added, "changed": self.difference.changed, "removed": self.difference.removed,
            "compiled": self.compiled, "kept": self.kept, "errors": errors, "diagnostics": self.diagnostics,
            "millis": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
        })
    }
}

/// The last receipts of a host, oldest first; shared by everybody who holds a copy.
#[derive(Debug, Clone, Default)]
pub struct Receipts(Arc<Mutex<VecDeque<Arc<Receipt>>>>);

impl Receipts {
    /// How many are kept.
    pub const KEPT: usize = 100;

    pub fn keep(&self, receipt: &Receipt) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == Self::KEPT {
            kept.pop_front();
        }
        kept.push_back(Arc::new(receipt.clone()));
    }

    pub fn all(&self) -> Vec<Arc<Receipt>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// That of the generation that runs; none before the host has begun.
    pub fn latest(&self) -> Option<Arc<Receipt>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).back().cloned()
    }
}

/// Loads what lies on disk now. What `current` runs is kept where the present version of a file has errors.
pub fn reload(workspace: &Workspace, current: Option<&Loaded>) -> (Loaded, Receipt) {
    let known = Known { columns: current.map(|current| current.generation.columns().clone()).unwrap_or_default(), claims: Vec::new() };
    reload_after(workspace, current, &known)
}

/// The same, with what is known of who was there first where nothing is loaded yet, and of what columns are labelled.
pub fn reload_after(workspace: &Workspace, current: Option<&Loaded>, known: &Known) -> (Loaded, Receipt) {
    let began = stopwatch();
    let mut snapshot = scan(&workspace.root);
    let names: Vec<&str> = snapshot.names().collect();
    let previous = current.map(|current| current.generation.as_ref());
    let generation = Generation::load_after(&workspace.root, &names, &limits(&workspace.config), previous, known);
    let sought = sought(&generation, current);
    for name in &sought {
        // As it was when it was read, so that a later edit is another text.
        let text = generation.text(name).map(Arc::from).or_else(|| script::glance(&workspace.root, name));
        snapshot.import(&workspace.root, name, text);
    }
    let loaded = Loaded {
        number: current.map_or(FIRST, |current| current.number + 1),
        declarations: generation.declarations().cloned().collect(),
        generation: Arc::new(generation),
        snapshot,
        sought,
    };
    let receipt = loaded.receipt(current, workspace.clock.now(), stopwatch().saturating_duration_since(began));
    (loaded, receipt)
}

/// Where imports are looked for. A broken file may not tell any more what it imports: what was known before stays.
fn sought(generation: &Generation, current: Option<&Loaded>) -> BTreeSet<String> {
    let before = current.filter(|_| !generation.is_sound()).into_iter().flat_map(|current| current.sought.iter().cloned());
    generation.sought().map(str::to_owned).chain(before).collect()
}

/// The texts that findings are about.
fn quoted(generation: &Generation) -> Texts {
    let places = |finding: &'_ Diagnostic| {
        let labels = finding.labels.iter().map(|label| label.file.clone());
        let edits = finding.suggestions.iter().map(|edit| edit.file.clone());
        std::iter::once(finding.file.clone()).chain(labels).chain(edits).collect::<Vec<_>>()
    };
    let files: BTreeSet<String> = generation.diagnostics().iter().flat_map(places).collect();
    files.into_iter().filter_map(|file| Some((file.clone(), generation.shared_text(&file)?))).collect()
}

/// Places of findings that were there before, of files whose text has not changed.
fn known(before: &Generation, after: &Generation) -> BTreeSet<usize> {
    let mut earlier: BTreeMap<&str, Vec<&Diagnostic>> = BTreeMap::new();
    for finding in before.diagnostics() {
        earlier.entry(&finding.file).or_default().push(finding);
    }
    let stands = |finding: &Diagnostic| {
        let file = finding.file.as_str();
        before.text(file) == after.text(file) && earlier.get(file).is_some_and(|found| found.contains(&finding))
    };
    after.diagnostics().iter().enumerate().filter(|(_, finding)| stands(finding)).map(|(at, _)| at).collect()
}

/// The engine's limits, where `tabi.toml` says nothing else.
pub fn limits(config: &config::Config) -> Limits {
    let (usual, zone) = (Limits::default(), config.timezone.clone());
    let config = &config.limits;
    Limits {
        operations: config.operations.unwrap_or(usual.operations),
        call_depth: config.call_depth.unwrap_or(usual.call_depth),
        text: config.text.unwrap_or(usual.text),
        list: config.list.unwrap_or(usual.list),
        map: config.map.unwrap_or(usual.map),
        variables: config.variables.unwrap_or(usual.variables),
        time: config.time.unwrap_or(usual.time),
        zone,
        ..usual
    }
}

impl Loaded {
    /// What runs: declarations of good files, and of the good versions of broken ones.
    pub fn declarations(&self) -> &[Arc<Declaration>] {
        &self.declarations
    }

    /// The templates of mail.
    pub fn templates(&self) -> &Arc<script::Templates> {
        self.generation.templates()
    }

    /// What lies on disk now of all that this was loaded from.
    pub fn look(&self, root: &Path) -> Snapshot {
        let mut found = scan(root);
        for name in &self.sought {
            found.import(root, name, script::glance(root, name));
        }
        found
    }

    /// Whether this is what was loaded for these files.
    pub fn is_of(&self, found: &Snapshot) -> bool {
        let loaded = &self.snapshot;
        loaded.files == found.files && loaded.imported == found.imported && loaded.problems == found.problems
    }

    fn receipt(&self, before: Option<&Self>, at: Timestamp, took: Duration) -> Receipt {
        let all_new = || Difference { added: self.declarations.iter().map(|d| d.name.clone()).collect(), ..Difference::default() };
        let files = self.generation.files();
        Receipt {
            generation: self.number,
            at,
            files: files.len(),
            kept: files.iter().filter(|file| file.kept).map(|file| file.name.clone()).collect(),
            compiled: self.generation.compiled().to_vec(),
            declarations: self.declarations.len(),
            hash: self.generation.hash().to_owned(),
            difference: before.map_or_else(all_new, |before| script::diff(&before.generation, &self.generation)),
            diagnostics: self.generation.diagnostics().to_vec(),
            known: before.map(|before| known(&before.generation, &self.generation)).unwrap_or_default(),
            texts: quoted(&self.generation),
            took,
        }
    }
}
