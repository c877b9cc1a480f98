//! `tabi definitions DIR`: the script API as `.d.rhai` files, for editors that know rhai.

use std::{collections::BTreeMap, fs, path::PathBuf};

use clap::Args;
use serde_json::json;

use crate::script::{Entry, Form, reference};

use super::{
    Context, Exit, Failure,
    render::{ADD, paint},
};

#[derive(Debug, Args)]
pub(crate) struct Definitions {
    /// The folder to write them to.
    dir: PathBuf,
}

/// Writes one file for each namespace, and `tabi.d.rhai` for what is known everywhere.
pub(crate) fn definitions(args: &Definitions, cx: &Context) -> Result<Exit, Failure> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for entry in reference() {
        let (file, module) = if entry.namespace.is_empty() { ("tabi", "static") } else { (entry.namespace.as_str(), entry.namespace.as_str()) };
        let text = files.entry(format!("{file}.d.rhai")).or_insert_with(|| format!("module {module};\n"));
        text.extend(entry.forms.iter().map(|form| declaration(&entry, form)));
    }
    let unwritable = |error: std::io::Error| Failure::new(Exit::Usage, "unwritable", format!("`{}` cannot be written: {error}", args.dir.display()));
    fs::create_dir_all(&args.dir).map_err(unwritable)?;
    for (name, text) in &files {
        fs::write(args.dir.join(name), text).map_err(unwritable)?;
        cx.out.line(format!("  {} {}", paint(ADD, "+"), args.dir.join(name).display()));
    }
    cx.out.json(&json!({"dir": args.dir, "files": files.keys().collect::<Vec<_>>()}));
    Ok(Exit::Done)
}

/// One function with its doc comment, its types in rhai's words.
fn declaration(entry: &Entry, form: &Form) -> String {
    let prefix = format!("{}::", entry.namespace);
    let signature = form.signature.strip_prefix(&prefix).unwrap_or(&form.signature);
    let (name, parameters) = signature.split_once('(').unwrap_or((signature, ")"));
    let typed: Vec<String> = parameters.trim_end_matches(')').split(", ").filter(|p| !p.is_empty()).map(parameter).collect();
    let docs: Vec<String> = form.text.lines().map(|line| format!("/// {line}").trim_end().to_owned() + "\n").collect();
    format!("\n{}fn {name}({});\n", docs.concat(), typed.join(", "))
}

fn parameter(written: &str) -> String {
    let (name, kind) = written.split_once(": ").unwrap_or((written, ""));
    let kind = match kind {
        "text" => "String",
        "integer" => "int",
        "list" => "Array",
        "map" => "Map",
        _ => "?",
    };
    format!("{name}: {kind}")
}
