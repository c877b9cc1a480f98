//! `tabi docs [NAME]`: the reference of everything scripts can say, of every diagnostic code, the guide, and what the calls stand on; as one HTML
//! page, too.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;

use crate::script::{Entry, explain, reference};

use super::{
    Context, Exit, Failure, docs_page,
    render::{ADD, BOLD, DIM, closest, paint},
};

#[derive(Debug, Args)]
pub(crate) struct Docs {
    /// A function (`salesforce::query`), a namespace (`score`), the code of a diagnostic (`E0402`), `guide`, or `wire`: what each call stands on.
    name: Option<String>,
    /// Write everything to this file as one HTML page with search.
    #[arg(long, value_name = "FILE", conflicts_with = "name")]
    html: Option<PathBuf>,
}

impl Docs {
    /// What a name means.
    pub(crate) fn of(name: String) -> Self {
        Self { name: Some(name), html: None }
    }
}

/// From the screens of the three consoles to lines of script.
const GUIDE: &str = include_str!("docs_page/guide.md");

/// For each call what evidence says that the vendor takes it so, and what is assumed.
const WIRE: &str = include_str!("docs_page/wire.md");

/// Shows the reference, or the part of it that is asked for.
pub(crate) fn docs(args: &Docs, cx: &Context) -> Result<Exit, Failure> {
    let entries = reference();
    if let Some(file) = &args.html {
        return written(file, &docs_page::html(&entries, GUIDE), cx);
    }
    let Some(name) = &args.name else {
        cx.out.json(&entries);
        overview(&entries, cx);
        return Ok(Exit::Done);
    };
    if let Some((name, text)) = [("guide", GUIDE), ("wire", WIRE)].into_iter().find(|(known, _)| known == name) {
        cx.out.json(&json!({name: text}));
        whole(text, cx);
        return Ok(Exit::Done);
    }
    if let Some(code) = explain(name) {
        super::explain::explained(code, cx);
        return Ok(Exit::Done);
    }
    let found: Vec<&Entry> = entries.iter().filter(|e| e.name == *name || e.namespace == *name || e.name.ends_with(&format!("::{name}"))).collect();
    cx.out.json(&found);
    match found.as_slice() {
        [] => {
            let known: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
            Err(Failure::new(Exit::Usage, "unknown_name", format!("there is no function, namespace or code `{name}`")).hint(hint(name, &known)))
        }
        [one] => {
            page(one, cx);
            Ok(Exit::Done)
        }
        many if many.iter().all(|entry| entry.name.ends_with(&format!("::{name}"))) => {
            for entry in many {
                page(entry, cx);
            }
            Ok(Exit::Done)
        }
        many => {
            for entry in many {
                summary(entry, cx);
            }
            cx.out.line(paint(DIM, "\n`tabi docs NAME` shows one with its examples."));
            Ok(Exit::Done)
        }
    }
}

fn written(file: &Path, html: &str, cx: &Context) -> Result<Exit, Failure> {
    fs::write(file, html).map_err(|error| Failure::new(Exit::Usage, "unwritable", format!("`{}` cannot be written: {error}", file.display())))?;
    cx.out.json(&json!({"file": file, "bytes": html.len()}));
    cx.out.line(format!("  {} {}", paint(ADD, "+"), file.display()));
    Ok(Exit::Done)
}

/// A text as it is written, headings in bold and fences left out.
fn whole(text: &str, cx: &Context) {
    let mut script = false;
    for line in text.lines() {
        match (line.starts_with("```"), line.trim_start_matches('#').trim_start()) {
            (true, _) => script = !script,
            (false, _) if script => cx.out.line(format!("    {line}")),
            (false, heading) if line.starts_with('#') => cx.out.line(paint(BOLD, heading)),
            (false, _) => cx.out.line(line),
        }
    }
}

fn hint(name: &str, known: &[&str]) -> String {
    let near = closest(name, known);
    if near.starts_with("did you mean") { near } else { "`tabi docs` lists all of them".into() }
}

fn overview(entries: &[Entry], cx: &Context) {
    let mut namespace = None;
    for entry in entries {
        if namespace != Some(&entry.namespace) {
            namespace = Some(&entry.namespace);
            let title = if entry.namespace.is_empty() { "everywhere".to_owned() } else { format!("{}::", entry.namespace) };
            cx.out.line(format!("\n{}", paint(BOLD, title)));
        }
        summary(entry, cx);
    }
    cx.out.line(paint(DIM, "\n`tabi docs NAME` shows one with its examples; `tabi docs guide` goes through the consoles' screens; `tabi docs wire` says what each call stands on; `tabi explain CODE` explains a diagnostic."));
}

fn summary(entry: &Entry, cx: &Context) {
    let signature = entry.forms.first().map_or(entry.name.as_str(), |form| form.signature.as_str());
    cx.out.line(format!("  {signature}\n      {}", paint(DIM, &entry.summary)));
}

fn page(entry: &Entry, cx: &Context) {
    for form in &entry.forms {
        cx.out.line(paint(BOLD, &form.signature));
        for line in form.text.lines() {
            cx.out.line(format!("  {line}"));
        }
        for example in &form.examples {
            cx.out.line(format!("\n  {}", paint(DIM, "for example")));
            for line in example.lines() {
                cx.out.line(format!("    {line}"));
            }
        }
        if form.scripted {
            cx.out.line(paint(DIM, "\n  written in rhai: see stdlib/"));
        }
        cx.out.line("");
    }
}
