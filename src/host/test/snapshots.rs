//! Values that are kept beside the tests: `tests/snapshots/FILE/NAME.json`, where FILE is the test file without `tests/` and `.rhai`.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use crate::model::{Fault, FaultKind, Value};

/// The folder of all of them.
const FOLDER: &str = "tests/snapshots";

/// The snapshots of one run of all tests.
#[derive(Debug)]
pub(super) struct Snapshots {
    root: PathBuf,
    /// Whether present values are kept.
    update: bool,
    /// What was compared, by path within the workspace.
    used: Mutex<BTreeMap<String, String>>,
}

/// The snapshots of one test file.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    all: Arc<Snapshots>,
    folder: String,
}

impl Snapshots {
    pub(super) fn new(root: &Path, update: bool) -> Arc<Self> {
        Arc::new(Self { root: root.to_owned(), update, used: Mutex::default() })
    }

    /// Those of one test file.
    pub(super) fn of(self: &Arc<Self>, file: &str) -> Kept {
        Kept { all: Arc::clone(self), folder: folder_of(file) }
    }

    /// Snapshots on disk of these files that no test has compared, as paths within the workspace. Files that are gone count too.
    pub(super) fn unused(&self) -> Vec<String> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = Vec::new();
        gather(&self.root, FOLDER, &mut found);
        found.retain(|path| !used.contains_key(path));
        found.sort();
        found
    }

    /// Forgets one of them.
    pub(super) fn remove(&self, path: &str) -> io::Result<()> {
        fs::remove_file(self.root.join(path))
    }
}

impl Kept {
    /// Null where the text is the one that is kept; otherwise the kept text, which is empty where there is none.
    pub(super) fn compare(&self, name: &str, text: &str) -> Result<Value, Fault> {
        let sound = !name.is_empty() && name.len() <= 80 && name.chars().all(|c| c.is_alphanumeric() || "-_. ".contains(c)) && !name.starts_with('.');
        if !sound {
            let message = format!("`{name}` cannot be the name of a snapshot: it has 1 to 80 letters, digits, blanks, `-`, `_` and `.`");
            return Err(Fault::new(FaultKind::Invalid, message));
        }
        let path = format!("{}/{name}.json", self.folder);
        let all = self.all.as_ref();
        let earlier = all.used.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone(), text.to_owned());
        if earlier.is_some_and(|earlier| earlier != text) {
            let message = format!("two different values are compared with the snapshot \"{name}\" of this file: give each a name of its own");
            return Err(Fault::new(FaultKind::Invalid, message));
        }
        let file = all.root.join(&path);
        let kept = fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
        if kept == text {
            return Ok(Value::Null);
        }
        if !all.update {
            return Ok(Value::text(kept));
        }
        let written = file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&file, text));
        written.map(|()| Value::Null).map_err(|error| Fault::new(FaultKind::State, format!("`{path}` cannot be written: {error}")))
    }
}

fn folder_of(file: &str) -> String {
    let inner = file.strip_prefix("tests/").unwrap_or(file);
    format!("{FOLDER}/{}", inner.strip_suffix(".rhai").unwrap_or(inner))
}

fn gather(root: &Path, folder: &str, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(root.join(folder)) else { return };
    for entry in entries.flatten() {
        let Some(inner) = entry.file_name().to_str().map(|name| format!("{folder}/{name}")) else { continue };
        if entry.path().is_dir() {
            gather(root, &inner, found);
        } else if Path::new(&inner).extension().is_some_and(|extension| extension == "json") {
            found.push(inner);
        }
    }
}
