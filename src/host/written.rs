//! A script as it is named at the REPL: relative to the workspace or to `scripts/`; `.rhai` may be left out.

use std::{path::Path, sync::Arc};

use crate::script::{Texts, glance};

/// A script that was found.
#[derive(Debug, Clone)]
pub struct Script {
    /// Its path within the workspace.
    pub file: String,
    pub text: Arc<str>,
}

/// Finds it among the texts that run, which may differ from those on disk, else on disk.
///
/// # Errors
/// Why there is none, for people.
pub fn script(root: &Path, running: &Texts, written: &str) -> Result<Script, String> {
    let candidates = [written.to_owned(), format!("{written}.rhai"), format!("scripts/{written}"), format!("scripts/{written}.rhai")];
    for name in &candidates {
        if let Some(text) = running.get(name) {
            return Ok(Script { file: name.clone(), text: Arc::clone(text) });
        }
        let path = root.join(name);
        if path.is_file() {
            return of_disk(root, &path, written);
        }
    }
    Err(format!("there is no file `{written}` here nor under scripts/"))
}

fn of_disk(root: &Path, path: &Path, written: &str) -> Result<Script, String> {
    let real = path.canonicalize().map_err(|error| format!("`{written}` cannot be read: {error}"))?;
    let within = real.strip_prefix(root).map_err(|_| format!("`{written}` leads outside the workspace"))?;
    let file = within.to_string_lossy().into_owned();
    let text = glance(root, &file).ok_or_else(|| format!("`{written}` is no script: `tabi check` says why"))?;
    Ok(Script { file, text })
}
