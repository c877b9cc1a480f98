//! What went wrong, for people and as `{error: ..}`.

use serde_json::{Map, Value, json};

use crate::cli::Failure;

use super::{BAD, BOLD, DIM, Out, paint};

/// Calls of a stack that people are shown, at most.
const TOLD: usize = 20;

/// Tells why a command did not do its work.
pub(crate) fn failure(out: &Out, failure: &Failure) {
    out.json(&Value::Object(Map::from_iter([("error".to_owned(), Value::Object(document(failure)))])));
    if failure.shown {
        return;
    }
    let place = failure.place.as_ref().map(|at| format!("{}:{}:{}", at.file, at.line, at.column));
    out.note(format!("{}{} {}", paint(BAD, "error"), paint(BOLD, ":"), failure.message));
    if let Some(place) = place {
        out.note(format!("  {} {place}", paint(DIM, "at")));
    }
    for (function, at) in failure.stack.iter().take(TOLD) {
        out.note(format!("  {} {}:{}:{} {}", paint(DIM, "called at"), at.file, at.line, at.column, paint(DIM, format!("({function})"))));
    }
    if failure.stack.len() > TOLD {
        out.note(format!("  {}", paint(DIM, format!("and {} calls more", failure.stack.len() - TOLD))));
    }
    if let Some(hint) = &failure.hint {
        out.note(format!("  {} {hint}", paint(DIM, "next:")));
    }
}

fn document(failure: &Failure) -> Map<String, Value> {
    let mut error = Map::new();
    error.insert("code".into(), failure.code.as_str().into());
    error.insert("message".into(), failure.message.as_str().into());
    let optional = [
        ("file", failure.place.as_ref().map(|at| Value::from(at.file.as_str()))),
        ("line", failure.place.as_ref().map(|at| Value::from(at.line))),
        ("column", failure.place.as_ref().map(|at| Value::from(at.column))),
        ("hint", failure.hint.as_deref().map(Value::from)),
        ("system", failure.system.map(|system| Value::from(system.name()))),
    ];
    if !failure.stack.is_empty() {
        let frames = failure.stack.iter().map(|(function, at)| json!({"function": function, "file": at.file, "line": at.line, "column": at.column}));
        error.insert("stack".into(), frames.collect());
    }
    error.extend(optional.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    error
}
