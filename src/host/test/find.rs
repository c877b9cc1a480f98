//! Test files on disk. Below `tests/` a script is a test file when it is called so (`NAME_test.rhai`, `test_NAME.rhai`), or when one of its
//! lines begins with `test(`; every other is a helper or a fixture and is left alone. A folder that is a workspace of its own is left out.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::config;

/// The folder of a workspace that holds its tests.
const TESTS: &str = "tests";

/// How deep folders may be nested.
const DEEPEST: usize = 32;

/// What lies there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Relative to the workspace, in order.
    pub files: Vec<PathBuf>,
    /// Every folder that may hold one, for a watch.
    pub folders: BTreeSet<PathBuf>,
}

/// The test files of a workspace, in order of their names.
pub fn find(root: &Path) -> Found {
    let mut found = Found::default();
    walk(&root.join(TESTS), root, 0, &mut found);
    found.files.sort();
    found
}

fn walk(folder: &Path, root: &Path, depth: usize, found: &mut Found) {
    let Ok(real) = fs::canonicalize(folder) else { return };
    if depth > DEEPEST || !found.folders.insert(real) {
        return;
    }
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        if path.is_dir() {
            if !path.join(config::FILE).is_file() {
                walk(&path, root, depth + 1, found);
            }
        } else if is_test(&path, name) {
            found.files.push(path.strip_prefix(root).map(Path::to_owned).unwrap_or(path));
        }
    }
}

fn is_test(path: &Path, name: &str) -> bool {
    let Some(stem) = name.strip_suffix(".rhai") else { return false };
    let called_so = stem.ends_with("_test") || stem.starts_with("test_");
    called_so || fs::read_to_string(path).is_ok_and(|text| text.lines().any(|line| line.starts_with("test(")))
}
