//! A temporary workspace and the real command run in it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

/// A folder that is removed at the end of the test.
pub(crate) struct Workspace {
    folder: tempfile::TempDir,
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Workspace {
    /// An empty one, with a `tabi.toml` that connects nothing: every system is the sandbox.
    pub(crate) fn new() -> Self {
        let workspace = Self { folder: tempfile::tempdir().unwrap() };
        workspace.write("tabi.toml", "");
        workspace
    }

    /// With files and folders of this repository's own `scripts/` folder; an empty name is all of it.
    pub(crate) fn with_examples(names: &[&str]) -> Self {
        let workspace = Self::new();
        for name in names {
            let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(name);
            if from.is_dir() {
                let to = workspace.path().join("scripts").join(name);
                fs::create_dir_all(&to).unwrap();
                copy(&from, &to);
                continue;
            }
            workspace.write(&format!("scripts/{name}"), fs::read_to_string(&from).unwrap_or_else(|e| panic!("{}: {e}", from.display())));
        }
        workspace
    }

    /// A copy of a folder.
    pub(crate) fn copy_of(folder: &Path) -> Self {
        let workspace = Self { folder: tempfile::tempdir().unwrap() };
        copy(folder, workspace.folder.path());
        workspace
    }

    /// With one script.
    pub(crate) fn with_script(text: &str) -> Self {
        let workspace = Self::new();
        workspace.write("scripts/script.rhai", text);
        workspace
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    pub(crate) fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        let path = self.folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// `tabi ARGS`, words split at blanks, ended by itself.
    pub(crate) fn tabi(&self, args: &str) -> Ran {
        let output = self.command(args).stdin(Stdio::null()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// The command, not yet started.
    pub(crate) fn command(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tabi"));
        command.args(args.split_whitespace()).current_dir(self.folder.path()).env_remove("RUST_LOG").env("NO_COLOR", "1");
        command
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

impl Ran {
    /// The lines of JSON on stdout.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("not JSON ({e}): {line}"))).collect()
    }

    /// The lines of one `type`.
    pub(crate) fn of_type(&self, kind: &str) -> Vec<Value> {
        self.lines().into_iter().filter(|line| line["type"] == kind).collect()
    }

    /// The summary line of a declaration.
    pub(crate) fn summary(&self, name: &str) -> Value {
        let found = self.of_type("summary").into_iter().find(|line| line["name"] == name);
        found.unwrap_or_else(|| panic!("no summary of {name} in\n{}\n{}", self.stdout, self.stderr))
    }

    /// Fails the test unless the command ended with this code.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}
