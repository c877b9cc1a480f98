//! `tabi docs [NAME]`: the reference of everything scripts can say, and of every diagnostic code.

use clap::Args;
use serde_json::json;

use crate::script::{Code, Entry, explain, reference};

use super::{
    Context, Exit, Failure,
    render::{BOLD, DIM, closest, paint},
};

#[derive(Debug, Args)]
pub(crate) struct Docs {
    /// A function (`salesforce::query`), a namespace (`score`), or the code of a diagnostic (`E0402`).
    name: Option<String>,
}

impl Docs {
    /// What a name means.
    pub(crate) fn of(name: String) -> Self {
        Self { name: Some(name) }
    }
}

/// Shows the reference, or the part of it that is asked for.
pub(crate) fn docs(args: &Docs, cx: &Context) -> Result<Exit, Failure> {
    let entries = reference();
    let Some(name) = &args.name else {
        cx.out.json(&entries);
        overview(&entries, cx);
        return Ok(Exit::Done);
    };
    if let Some(code) = explain(name) {
        return Ok(code_explained(code, cx));
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
    cx.out.line(paint(DIM, "\n`tabi docs NAME` shows one with its examples; `tabi docs CODE` explains a diagnostic."));
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

fn code_explained(code: &Code, cx: &Context) -> Exit {
    cx.out.json(&json!({"code": code.code, "title": code.title, "explanation": code.explanation}));
    cx.out.line(format!("{} {}\n\n  {}", paint(BOLD, code.code), paint(BOLD, code.title), code.explanation));
    Exit::Done
}
