//! `tabi init [DIR]`: a workspace with one working example of each kind.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;

use super::{
    Context, Exit, Failure,
    render::{ADD, BOLD, DIM, paint},
};

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The folder [default: this one].
    dir: Option<PathBuf>,
}

/// What a new workspace holds.
const FILES: &[(&str, &str)] = &[
    ("tabi.toml", include_str!("init/tabi.toml")),
    (".gitignore", "/.tabi/\n"),
    ("scripts/pendo_salesforce.rhai", include_str!("../../scripts/pendo_salesforce.rhai")),
    ("scripts/usage_to_gainsight.rhai", include_str!("../../scripts/usage_to_gainsight.rhai")),
    ("scripts/health_to_salesforce.rhai", include_str!("../../scripts/health_to_salesforce.rhai")),
    ("scripts/adoption_targets.rhai", include_str!("../../scripts/adoption_targets.rhai")),
    ("scripts/onboarding.rhai", include_str!("../../scripts/onboarding.rhai")),
    ("scripts/templates/layout.html", include_str!("../../scripts/templates/layout.html")),
    ("scripts/templates/welcome.html", include_str!("../../scripts/templates/welcome.html")),
    ("scripts/templates/nudge.html", include_str!("../../scripts/templates/nudge.html")),
    ("tests/usage_test.rhai", include_str!("../../tests/scripts/usage_test.rhai")),
    ("quiet_accounts.rhai", include_str!("init/quiet_accounts.rhai")),
];

/// Writes the files that are not there yet; never over one that is.
pub(crate) fn init(args: &Init, cx: &Context) -> Result<Exit, Failure> {
    let dir = args.dir.clone().or_else(|| cx.global.workspace.clone()).unwrap_or_else(|| PathBuf::from("."));
    if dir.join("tabi.toml").exists() {
        return Err(Failure::new(Exit::Usage, "workspace_exists", format!("`{}` is a workspace already", dir.display()))
            .hint("give another folder, or remove its tabi.toml"));
    }
    let mut made = Vec::new();
    for (name, text) in FILES {
        if write_new(&dir.join(name), text).map_err(|error| unwritable(&dir.join(name), &error))? {
            made.push(*name);
        }
    }
    cx.out.json(&json!({ "workspace": dir, "files": made }));
    for name in &made {
        cx.out.line(format!("  {} {name}", paint(ADD, "+")));
    }
    let into = if dir == Path::new(".") { String::new() } else { format!("cd {} && ", dir.display()) };
    cx.out.line(format!("\nNext: {} {}", paint(BOLD, format!("{into}tabi plan")), paint(DIM, "(on the sandbox: nothing is connected yet)")));
    Ok(Exit::Done)
}

/// Whether the file was made.
fn write_new(path: &Path, text: &str) -> io::Result<bool> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Usage, "unwritable", format!("`{}` cannot be written: {error}", path.display()))
}
