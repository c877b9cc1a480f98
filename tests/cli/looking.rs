//! Commands that only look do without a state file that they cannot use.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _},
        process::CommandExt as _,
    },
    process::Stdio,
};

use crate::support::{Ran, Workspace};

/// A user who is not root.
const NOBODY: u32 = 65_534;

fn workspace() -> Workspace {
    Workspace::with_examples(&["pendo_salesforce.rhai"])
}

fn look(workspace: &Workspace, args: &str) -> Ran {
    let mut command = workspace.command(args);
    if fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
        command.uid(NOBODY);
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[test]
fn check_and_list_work_in_a_folder_that_may_not_be_written() {
    let workspace = workspace();
    workspace.write(".tabi/state.db", "");
    let mode = |path: &str, mode| fs::set_permissions(workspace.path().join(path), fs::Permissions::from_mode(mode)).unwrap();
    for (path, bits) in [(".tabi/state.db", 0o444), (".tabi", 0o555), ("", 0o555)] {
        mode(path, bits);
    }
    for args in ["check --json", "list --json"] {
        let ran = look(&workspace, args).ended(0);
        assert!(ran.stderr.contains("cannot be written"), "{args}: {}", ran.stderr);
        assert!(ran.stdout.contains("pendo-account"), "{args}: {}", ran.stdout);
    }
    for (path, bits) in [("", 0o755), (".tabi", 0o755)] {
        mode(path, bits);
    }
    fs::remove_dir_all(workspace.path().join(".tabi")).unwrap();
    mode("", 0o555);
    for args in ["check --json", "list --json"] {
        assert_eq!(look(&workspace, args).ended(0).stderr, "", "{args}: nothing to say when there is no state file");
    }
    mode("", 0o755);
}

#[test]
fn check_and_list_do_without_a_state_file_that_cannot_be_read() {
    let workspace = workspace();
    workspace.write(".tabi/state.db", "no database at all, but long enough to be looked at as one".repeat(20));
    for args in ["check --json", "list --json"] {
        let ran = workspace.tabi(args).ended(0);
        assert!(ran.stderr.contains("goes on without what is remembered"), "{args}: {}", ran.stderr);
        assert_eq!(ran.lines().len(), 1);
    }
    workspace.tabi("history").ended(1);
}
