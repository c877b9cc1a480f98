//! What another version of a declaration would make different: for people in a few lines with examples, for programs line by line.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::{
    flow::backtest::{Comparison, Difference},
    host::backtest::Backtest,
    model::Value,
};

use super::{ADD, BAD, BOLD, CHANGE, DIM, GOOD, Out, REMOVE, WARN, cell, count, many, paint};

/// Tells one back-test. `examples` of each kind of difference are shown to people.
pub(crate) fn backtest(done: &Backtest, examples: usize, out: &Out) {
    if out.is_json() {
        let (summary, differences) = backtest_documents(done);
        differences.iter().chain([&summary]).for_each(|line| out.json(line));
        return;
    }
    let name = match &done.renamed {
        Some(earlier) => format!("{} (was {earlier})", done.name),
        None => done.name.clone(),
    };
    let name = paint(BOLD, name);
    let Some(comparison) = &done.comparison else {
        let next = "no sample yet; one is kept when it runs";
        return out.line(format!("{} {name}: {}", paint(DIM, "backtest"), paint(DIM, next)));
    };
    let took = paint(DIM, format!("({} over {} in {} ms)", versions(done), many(comparison.records as u64, "record"), done.took.as_millis()));
    let verdict = match (&comparison.fault, comparison.rows()) {
        (Some(_), _) => paint(BAD, "the new version fails".to_owned()),
        (None, 0) => paint(GOOD, "nothing would be different".to_owned()),
        (None, rows) => paint(CHANGE, format!("{} would be different", many(rows as u64, noun(comparison)))),
    };
    out.line(format!("{} {name}: {verdict} {took}", paint(DIM, "backtest")));
    if let Some(fault) = &comparison.fault {
        out.line(format!("  {} {fault}", paint(BAD, "!")));
    }
    if let Some(fault) = &comparison.earlier_fault {
        out.line(format!("  {} the earlier version fails: {fault}", paint(WARN, "!")));
    }
    for line in lines(comparison, examples) {
        out.line(line);
    }
    if comparison.unfit > 0 {
        let fields = comparison.missing.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ");
        let what = if fields.is_empty() { "a field it reads".to_owned() } else { fields };
        let (records, have) = (many(comparison.unfit as u64, "record"), if comparison.unfit == 1 { "has" } else { "have" });
        out.line(format!(
            "  {} {records} of the sample {have} no {what}: the next run brings some, and `--fresh N` reads them now",
            paint(WARN, "!")
        ));
    }
    for note in &comparison.notes {
        out.line(format!("  {} {note}", paint(DIM, "note:")));
    }
}

fn versions(done: &Backtest) -> String {
    let short = |hash: &str| hash.get(..8).unwrap_or(hash).to_owned();
    format!("{} -> {}", short(&done.earlier), short(&done.new))
}

fn noun(comparison: &Comparison) -> &'static str {
    let person = |difference: &Difference| matches!(difference, Difference::Branch { .. } | Difference::LeftOut { .. } | Difference::LetIn { .. });
    if comparison.differences.iter().all(person) { "participant" } else { "row" }
}

/// One heading for each kind, and each field, with its first examples.
fn lines(comparison: &Comparison, examples: usize) -> Vec<String> {
    let mut groups: BTreeMap<(usize, String), Vec<String>> = BTreeMap::new();
    for difference in &comparison.differences {
        let (heading, example) = told(difference);
        groups.entry(heading).or_default().push(example);
    }
    let mut found = Vec::new();
    for ((kind, what), all) in groups {
        let (style, sign) = [(CHANGE, "~"), (ADD, "+"), (REMOVE, "-"), (BAD, "!"), (GOOD, "+"), (CHANGE, "~"), (REMOVE, "-"), (ADD, "+")][kind];
        found.push(format!("  {} {what}: {}", paint(style, sign), count(all.len() as u64)));
        found.extend(all.iter().take(examples).map(|example| format!("      {example}")));
        if all.len() > examples && examples > 0 {
            found.push(format!("      {}", paint(DIM, format!("and {} more", count((all.len() - examples) as u64)))));
        }
    }
    found
}

/// The kind's place and heading, and the difference as an example of it.
fn told(difference: &Difference) -> ((usize, String), String) {
    let because = |key: &str, field: &Option<String>, reason: &str| match field {
        Some(field) => format!("{key} {field}: {reason}"),
        None => format!("{key}: {reason}"),
    };
    match difference {
        Difference::Field { object, key, field, from, to } => ((0, format!("{object} {field}")), format!("{key}: {} -> {}", cell(from), cell(to))),
        Difference::Included { object, key } => ((1, format!("written now to {object}")), key.clone()),
        Difference::Excluded { object, key } => ((2, format!("not written any more to {object}")), key.clone()),
        Difference::Rejected { key, field, reason } => ((3, "rejected now".to_owned()), because(key, field, reason)),
        Difference::Accepted { key, field, reason } => ((4, "rejected no longer".to_owned()), because(key, field, reason)),
        Difference::Branch { key, step, from, to } => ((5, format!("another way from \"{step}\"")), format!("{key}: {from} -> {to}")),
        Difference::LeftOut { key, reason } => ((6, "left out at the door now".to_owned()), format!("{key}: {reason}")),
        Difference::LetIn { key } => ((7, "let in now".to_owned()), key.clone()),
    }
}

/// The summary, and a line for each difference.
pub(crate) fn backtest_documents(done: &Backtest) -> (Json, Vec<Json>) {
    let differences = done.comparison.iter().flat_map(|comparison| comparison.differences.iter().map(|one| document(&done.name, one))).collect();
    let nothing = Comparison::default();
    let comparison = done.comparison.as_ref().unwrap_or(&nothing);
    let mut summary = json!({
        "type": "summary", "name": done.name, "renamed": done.renamed, "earlier": done.earlier, "new": done.new,
        "sample": done.comparison.is_some(), "records": comparison.records, "rows": comparison.rows(), "fields": comparison.fields(),
        "unfit": comparison.unfit, "missing": comparison.missing, "notes": comparison.notes,
        "error": comparison.fault.as_ref().map(ToString::to_string), "earlier_error": comparison.earlier_fault.as_ref().map(ToString::to_string),
        "millis": u64::try_from(done.took.as_millis()).unwrap_or(u64::MAX),
    });
    for kind in ["included", "excluded", "rejected", "accepted", "branch", "left_out", "let_in"] {
        summary[kind] = json!(comparison.count(kind));
    }
    (summary, differences)
}

fn document(name: &str, difference: &Difference) -> Json {
    let mut line = json!({"type": "difference", "name": name, "kind": difference.kind(), "key": difference.key()});
    let mut set = |key: &str, value: Json| line[key] = value;
    let json_of = |value: &Value| Json::from(value);
    match difference {
        Difference::Field { object, field, from, to, .. } => {
            set("object", json!(object));
            set("field", json!(field));
            set("from", json_of(from));
            set("to", json_of(to));
        }
        Difference::Included { object, .. } | Difference::Excluded { object, .. } => set("object", json!(object)),
        Difference::Rejected { field, reason, .. } | Difference::Accepted { field, reason, .. } => {
            set("field", json!(field));
            set("reason", json!(reason));
        }
        Difference::Branch { step, from, to, .. } => {
            set("field", json!(step));
            set("from", json!(from));
            set("to", json!(to));
        }
        Difference::LeftOut { reason, .. } => set("reason", json!(reason)),
        Difference::LetIn { .. } => (),
    }
    line
}
