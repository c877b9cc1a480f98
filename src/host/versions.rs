//! Earlier versions of declarations: by the hash of one that was live, by a file, or as git has them.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use crate::{
    script::{Declaration, Generation, Sources, is_template},
    store::Store,
};

use super::{Workspace, reload::limits, scan::is_script};

/// Why there is no such version.
#[derive(Debug, thiserror::Error)]
pub enum NoVersion {
    #[error("no earlier version of `{name}` is known")]
    None { name: String },
    #[error("no version of `{name}` begins with `{prefix}`")]
    Unknown { name: String, prefix: String, known: Vec<String> },
    #[error("`{prefix}` begins more than one version of `{name}`")]
    Ambiguous { name: String, prefix: String, known: Vec<String> },
    #[error("that version does not declare `{name}`")]
    NotDeclared { name: String },
    #[error("git: {0}")]
    Git(String),
    #[error("cannot use {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Store(#[from] crate::store::Error),
}

/// Which version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Against {
    /// The one before the present one.
    Last,
    /// The first letters of a hash.
    Hash(String),
    File(PathBuf),
    /// Whatever git takes for a commit.
    Git(String),
}

impl Against {
    /// `git:REF`, a file that is there, or a hash.
    pub fn of(text: &str) -> Self {
        match text.strip_prefix("git:") {
            Some(commit) => Self::Git(commit.to_owned()),
            None if Path::new(text).is_file() => Self::File(PathBuf::from(text)),
            None => Self::Hash(text.to_owned()),
        }
    }
}

/// The declaration as it was in that version.
///
/// # Errors
/// When there is none, or it cannot be loaded any more.
pub fn earlier(workspace: &Workspace, store: Option<&Store>, present: &Declaration, against: &Against) -> Result<Arc<Declaration>, NoVersion> {
    let name = &present.name;
    let files = match against {
        Against::Last => kept(store, present, "")?,
        Against::Hash(prefix) => kept(store, present, prefix)?,
        Against::File(path) => {
            let text = fs::read_to_string(path).map_err(|source| NoVersion::Io { path: path.clone(), source })?;
            // Imports are those that lie there now.
            let mut files = present_files(workspace);
            files.insert(present.place.file.clone(), text);
            files
        }
        Against::Git(commit) => of_git(&workspace.root, commit)?,
    };
    let texts = files.into_iter().map(|(name, text)| (name, text.trim_start_matches('\u{feff}').into())).collect();
    let generation = Generation::of_sources(&Sources::of(texts), &limits(&workspace.config));
    // What it says of others, such as what it runs after, is not wrong because they are not there.
    let found = generation.declared().iter().find(|declaration| declaration.name == *name);
    found.cloned().ok_or_else(|| NoVersion::NotDeclared { name: name.clone() })
}

/// Texts by name of the file.
type Files = BTreeMap<String, String>;

fn kept(store: Option<&Store>, present: &Declaration, prefix: &str) -> Result<Files, NoVersion> {
    let name = present.name.clone();
    let store = store.ok_or_else(|| NoVersion::None { name: name.clone() })?;
    let all = store.versions(&name, "")?;
    let others: Vec<_> =
        all.iter().filter(|version| if prefix.is_empty() { version.hash != present.hash } else { version.hash.starts_with(prefix) }).collect();
    let known = || all.iter().map(|version| version.hash.chars().take(12).collect()).collect();
    let prefix = prefix.to_owned();
    match others.as_slice() {
        [] if prefix.is_empty() => Err(NoVersion::None { name }),
        [] => Err(NoVersion::Unknown { name, prefix, known: known() }),
        [one] => Ok(store.version_files(&one.hash)?),
        [newest, ..] if prefix.is_empty() => Ok(store.version_files(&newest.hash)?),
        _ => Err(NoVersion::Ambiguous { name, prefix, known: known() }),
    }
}

/// Every script as it lies there now, and what they import.
fn present_files(workspace: &Workspace) -> Files {
    let loaded = workspace.load();
    let names = loaded.generation.files().iter().map(|file| file.name.clone()).chain(loaded.generation.sought().map(str::to_owned));
    names.filter_map(|name| Some((name.clone(), loaded.generation.text(&name)?.to_owned()))).collect()
}

/// The scripts of a commit, and whatever else of the workspace a script may import.
fn of_git(root: &Path, commit: &str) -> Result<Files, NoVersion> {
    if commit.is_empty() || commit.starts_with('-') {
        return Err(NoVersion::Git(format!("`{commit}` is no commit")));
    }
    let listed = git(root, &["ls-tree", "-r", "-z", "--name-only", commit, "--", "."], "")?;
    let names: Vec<String> =
        String::from_utf8_lossy(&listed).split('\0').filter(|name| is_script(Path::new(name)) || is_template(name)).map(str::to_owned).collect();
    let asked: Vec<String> = names.iter().filter(|name| !name.contains('\n')).map(|name| format!("{commit}:./{name}\n")).collect();
    let answer = git(root, &["cat-file", "--batch"], &asked.concat())?;
    let (mut rest, mut files) = (answer.as_slice(), BTreeMap::new());
    for name in names.into_iter().filter(|name| !name.contains('\n')) {
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { break };
        let head = String::from_utf8_lossy(&rest[..end]).into_owned();
        rest = &rest[end + 1..];
        let words: Vec<&str> = head.rsplitn(3, ' ').collect();
        let [length, "blob", _] = words.as_slice() else { continue };
        let length = length.parse::<usize>().unwrap_or(0).min(rest.len());
        if let Ok(text) = std::str::from_utf8(&rest[..length]) {
            files.insert(name, text.to_owned());
        }
        rest = rest.get(length + 1..).unwrap_or_default();
    }
    Ok(files)
}

fn git(root: &Path, arguments: &[&str], input: &str) -> Result<Vec<u8>, NoVersion> {
    let failed = |source: io::Error| NoVersion::Git(source.to_string());
    let mut command = Command::new("git");
    command.arg("-C").arg(root).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    let (stdin, input) = (child.stdin.take(), input.to_owned());
    // Beside the reading: either pipe may be full.
    let writing = std::thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().map_err(failed)?;
    // What it could not be told, it says itself.
    drop(writing.join());
    if output.status.success() { Ok(output.stdout) } else { Err(NoVersion::Git(String::from_utf8_lossy(&output.stderr).trim().to_owned())) }
}
