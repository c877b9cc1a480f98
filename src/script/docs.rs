//! The reference of everything scripts can say, from the doc comments of the native functions and of the standard library.

use std::collections::BTreeMap;

use rhai::FuncInfo;

use super::{engine::engine, limits::Limits};

/// One function: all its forms.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Entry {
    /// `salesforce::query`, `rule`.
    pub name: String,
    /// Empty for global functions.
    pub namespace: String,
    /// Its first sentence.
    pub summary: String,
    pub forms: Vec<Form>,
}

/// One way to call a function.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Form {
    /// `salesforce::query(statement: text)`.
    pub signature: String,
    /// The whole text without the examples.
    pub text: String,
    /// Runnable examples; one that ends in an expression of truth holds.
    pub examples: Vec<String>,
    /// Written in rhai, and readable under `stdlib/`.
    pub scripted: bool,
}

/// Every documented function, by namespace and name.
pub fn reference() -> Vec<Entry> {
    let engine = engine(&Limits::default());
    let mut rows = engine.collect_fn_metadata(None, |info| row(&info), false);
    rows.sort();
    rows.dedup();
    let mut entries: BTreeMap<(String, String), Entry> = BTreeMap::new();
    for (namespace, name, signature, comment, scripted) in rows {
        let (text, examples) = split(&comment);
        let full = if namespace.is_empty() { name.clone() } else { format!("{namespace}::{name}") };
        let fresh = || Entry { name: full, namespace: namespace.clone(), summary: sentence(&text), forms: Vec::new() };
        let entry = entries.entry((namespace.clone(), name)).or_insert_with(fresh);
        entry.forms.push(Form { signature, text, examples, scripted });
    }
    entries.into_values().collect()
}

type Row = (String, String, String, String, bool);

/// What has a doc comment and a name that people write.
fn row(info: &FuncInfo) -> Option<Row> {
    let (about, namespace) = (info.metadata, info.namespace.to_string());
    let comment = info.script.as_ref().map_or_else(|| about.comments.join("\n"), |script| script.comments.join("\n"));
    let name = about.name.to_string();
    if comment.trim().is_empty() || !name.starts_with(|c: char| c.is_alphabetic()) || name.contains('$') {
        return None;
    }
    let parameters: Vec<String> = match &info.script {
        Some(script) => script.params.iter().map(ToString::to_string).collect(),
        None => about.params_info.iter().take(about.num_params).map(|parameter| plain(parameter)).collect(),
    };
    let full = if namespace.is_empty() { name.clone() } else { format!("{namespace}::{name}") };
    Some((namespace, name, format!("{full}({})", parameters.join(", ")), comment, info.script.is_some()))
}

/// `name: &str` in the words of scripts.
fn plain(parameter: &str) -> String {
    let (name, kind) = parameter.split_once(':').unwrap_or((parameter, ""));
    let kind = match kind.trim().trim_start_matches("&mut ").trim_start_matches('&') {
        "str" | "String" | "ImmutableString" => "text",
        "i64" | "INT" => "integer",
        "Array" => "list",
        "Map" => "map",
        "FnPtr" => "closure",
        "Origin" | "Source" => "source",
        "Date" => "date",
        "Timestamp" => "timestamp",
        _ => "",
    };
    let name = name.trim().trim_start_matches('_');
    if kind.is_empty() || name.is_empty() { name.to_owned() } else { format!("{name}: {kind}") }
}

/// Text and examples of a doc comment.
fn split(comment: &str) -> (String, Vec<String>) {
    let lines = comment.lines().map(|line| {
        let line = line.trim_start().trim_start_matches("///");
        line.strip_prefix(' ').unwrap_or(line)
    });
    let (mut text, mut examples, mut example): (Vec<&str>, Vec<String>, Option<Vec<&str>>) = (Vec::new(), Vec::new(), None);
    for line in lines {
        match (&mut example, line.trim_start().starts_with("```")) {
            (Some(_), true) => examples.extend(example.take().map(|lines| lines.join("\n"))),
            (Some(lines), false) => lines.push(line),
            (None, true) => example = Some(Vec::new()),
            (None, false) if line.starts_with("# Example") => (),
            (None, false) => text.push(line),
        }
    }
    (text.join("\n").trim().to_owned(), examples)
}

/// The first sentence, on one line.
fn sentence(text: &str) -> String {
    let first = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    first.find(". ").map_or(first.clone(), |end| first.get(..=end).unwrap_or(&first).to_owned())
}
