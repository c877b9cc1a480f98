//! What lies in the scripts folder at one moment: the text of every script and template, and the folders to watch.
//!
//! Links are followed, each real folder once. A file that vanishes between listing and reading was never there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{config, script::is_template};

/// The folder of a workspace that holds its scripts.
pub const SCRIPTS: &str = "scripts";

/// A script larger than this is a mistake.
const LARGEST: u64 = 4 << 20;

/// How deep folders may be nested.
const DEEPEST: usize = 32;

/// Links that lead to links.
const HOPS: usize = 40;

/// Everything found in one walk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Path within the workspace, with `/` between folders -> text.
    pub files: BTreeMap<String, Arc<str>>,
    /// Files beside the scripts folder that scripts import, or would import if they were there -> text.
    pub imported: BTreeMap<String, Option<Arc<str>>>,
    /// The text of `tabi.toml`.
    pub config: Option<Arc<str>>,
    /// Real folders whose change may change the above, the workspace itself among them.
    pub folders: BTreeSet<PathBuf>,
    /// Files and folders that cannot be read as scripts.
    pub problems: Vec<Problem>,
}

/// Why something in the folder is no script.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Problem {
    pub file: String,
    pub reason: String,
}

/// Walks the scripts folder of a workspace. A workspace without one has no scripts.
pub fn scan(root: &Path) -> Snapshot {
    let mut found = Snapshot::default();
    found.folders.extend(fs::canonicalize(root));
    found.config = fs::read_to_string(root.join(config::FILE)).ok().map(Arc::from);
    let scripts = root.join(SCRIPTS);
    if scripts.is_symlink() {
        trail(&scripts, &mut found);
    }
    match fs::metadata(&scripts) {
        Ok(_) => walk(&scripts, SCRIPTS, 0, (&mut found, &mut BTreeSet::new())),
        Err(_) if scripts.is_symlink() => found.problem(SCRIPTS, "a link to a folder that is not there".into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (),
        Err(error) => found.problem(SCRIPTS, error.to_string()),
    }
    found
}

/// `walked` are the real folders that were seen already: a circle of links ends there.
fn walk(folder: &Path, name: &str, depth: usize, (found, walked): (&mut Snapshot, &mut BTreeSet<PathBuf>)) {
    let Ok(real) = fs::canonicalize(folder) else { return };
    if depth > DEEPEST || !walked.insert(real.clone()) {
        return;
    }
    found.folders.insert(real);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return found.problem(name, error.to_string()),
    };
    for entry in entries.flatten() {
        let (path, entry_name) = (entry.path(), entry.file_name());
        let Some(entry_name) = entry_name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        let inner = format!("{name}/{entry_name}");
        if entry.file_type().is_ok_and(|kind| kind.is_symlink()) {
            trail(&path, found);
        }
        match fs::metadata(&path) {
            Ok(meta) if meta.is_dir() => walk(&path, &inner, depth + 1, (&mut *found, &mut *walked)),
            Ok(meta) if !meta.is_file() && (is_script(&path) || is_template(&inner)) => {
                // A pipe would be read for ever.
                found.problem(&inner, "not a regular file: not a script".into());
            }
            Ok(meta) if is_script(&path) || is_template(&inner) => read(&path, inner, meta.len(), found),
            Err(_) if path.is_symlink() && (is_script(&path) || is_template(&inner)) => {
                found.problem(&inner, "a link to a file that is not there".into());
            }
            _ => (),
        }
    }
}

/// Follows a link to where it leads. Each folder on the way in which a link stands decides where that is, and so does the folder at the end:
/// a mounted configuration is swapped by a link far from the files (`..data`).
fn trail(link: &Path, found: &mut Snapshot) {
    let mut path = link.to_owned();
    for _ in 0..HOPS {
        let links: Vec<&Path> = path.ancestors().filter(|part| part.is_symlink()).collect();
        let Some(first) = links.last() else { break };
        let (Some(beside), Ok(target)) = (first.parent(), fs::read_link(first)) else { break };
        found.folders.extend(fs::canonicalize(beside));
        let rest = path.strip_prefix(first).unwrap_or(Path::new(""));
        path = beside.join(target).components().chain(rest.components()).collect();
    }
    // Of a target that is not there, the nearest folder that is.
    found.folders.extend(path.ancestors().skip(1).find_map(|folder| fs::canonicalize(folder).ok()));
}

/// Whether a file's name is that of a script.
pub(super) fn is_script(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rhai")
}

fn read(path: &Path, name: String, length: u64, found: &mut Snapshot) {
    if length > LARGEST {
        return found.problem(&name, format!("larger than {} MB: not a script", LARGEST >> 20));
    }
    match fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => drop(found.files.insert(name, text.into())),
        Ok(Err(_)) => found.problem(&name, "not text (UTF-8): not a script".into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (),
        Err(error) => found.problem(&name, error.to_string()),
    }
}

impl Snapshot {
    /// Adds a file that scripts import, unless it is one of them, and the folders that tell of its changes.
    pub fn import(&mut self, root: &Path, name: &str, text: Option<Arc<str>>) {
        if self.names().any(|script| script == name) {
            return;
        }
        let file = root.join(name);
        // Where it is by name, and where links lead; of a folder that is not there, the nearest that is.
        let named = file.ancestors().skip(1).find_map(|folder| fs::canonicalize(folder).ok());
        let real = fs::canonicalize(&file).ok().and_then(|real| real.parent().map(Path::to_owned));
        self.folders.extend([named, real].into_iter().flatten());
        self.imported.insert(name.to_owned(), text);
    }

    /// Everything that should be a script, whether it can be read or not.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str).chain(self.problems.iter().map(|problem| problem.file.as_str()))
    }

    fn problem(&mut self, file: &str, reason: String) {
        self.problems.push(Problem { file: file.to_owned(), reason });
    }
}
