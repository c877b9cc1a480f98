//! Two values side by side: what differs, field by field for maps, item by item for lists, line by line for long text.

use similar::{ChangeTag, TextDiff};

use crate::model::{Record, Value};

/// Differences that are told of one comparison.
const MOST: usize = 40;
/// Characters of a value that is told on one line.
const LONG: usize = 100;
/// Equal lines that are told around those that differ.
const AROUND: usize = 2;

/// Whether two values are equal: whole numbers and others by their value, maps in any order of their fields.
pub(in crate::script) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Int(_), Value::Float(_)) | (Value::Float(_), Value::Int(_)) => left.as_f64() == right.as_f64(),
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Map(a), Value::Map(b)) => a.len() == b.len() && a.iter().all(|(name, value)| b.get(name).is_some_and(|other| same(value, other))),
        _ => left == right,
    }
}

/// What differs, one line each; nothing when the two values say it all.
pub(in crate::script) fn difference(left: &Value, right: &Value) -> Vec<String> {
    let mut found = Vec::new();
    match (left, right) {
        (Value::Map(_), Value::Map(_)) | (Value::List(_), Value::List(_)) => gather("", left, right, &mut found),
        (Value::Text(a), Value::Text(b)) if a.contains('\n') || b.contains('\n') || a.len().max(b.len()) > LONG => found = lines(a, b),
        _ if left.to_string() == right.to_string() => found.push(format!("left is {}, right is {}", a_type(left), a_type(right))),
        _ => (),
    }
    if found.len() > MOST {
        let more = found.len() - MOST;
        found.truncate(MOST);
        found.push(format!("... and {more} more"));
    }
    found
}

/// Lines of two texts: `-` only left, `+` only right, with a few equal ones around them.
pub(in crate::script) fn lines(left: &str, right: &str) -> Vec<String> {
    let diff = TextDiff::from_lines(left, right);
    let mut told = Vec::new();
    for (at, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if at > 0 {
            told.push("  ...".to_owned());
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            told.push(format!("{sign} {}", change.value().trim_end_matches('\n')));
        }
    }
    told
}

fn gather(path: &str, left: &Value, right: &Value, found: &mut Vec<String>) {
    match (left, right) {
        _ if same(left, right) => (),
        (Value::Map(a), Value::Map(b)) => fields(path, a, b, found),
        (Value::List(a), Value::List(b)) => {
            for at in 0..a.len().max(b.len()) {
                one(&format!("{path}[{at}]"), a.get(at), b.get(at), found);
            }
        }
        _ => one(path, Some(left), Some(right), found),
    }
}

fn fields(path: &str, left: &Record, right: &Record, found: &mut Vec<String>) {
    let more = right.iter().map(|(name, _)| name).filter(|name| left.get(name).is_none());
    for name in left.iter().map(|(name, _)| name).chain(more) {
        one(&format!("{path}.{name}"), left.get(name), right.get(name), found);
    }
}

fn one(path: &str, left: Option<&Value>, right: Option<&Value>, found: &mut Vec<String>) {
    match (left, right) {
        (Some(left), Some(right)) if same(left, right) => (),
        (Some(left @ (Value::Map(_) | Value::List(_))), Some(right @ (Value::Map(_) | Value::List(_)))) if alike(left, right) => {
            gather(path, left, right, found);
        }
        (Some(left), Some(right)) => {
            let kinds = if left.to_string() == right.to_string() { format!(" ({}, {})", a_type(left), a_type(right)) } else { String::new() };
            found.push(format!("{path}: {} != {}{kinds}", shown(left), shown(right)));
        }
        (Some(left), None) => found.push(format!("{path}: {}, only left", shown(left))),
        (None, Some(right)) => found.push(format!("{path}: {}, only right", shown(right))),
        (None, None) => (),
    }
}

const fn alike(left: &Value, right: &Value) -> bool {
    matches!((left, right), (Value::Map(_), Value::Map(_)) | (Value::List(_), Value::List(_)))
}

/// A value as it would be written in a script, cut where it is long.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::Text(_) => serde_json::to_string(value).unwrap_or_default(),
        other => other.to_string(),
    };
    match text.char_indices().nth(LONG) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

fn a_type(value: &Value) -> String {
    format!("a {}", value.type_name())
}

#[cfg(test)]
mod tests {
    use super::{Value, difference, lines, same};

    fn value(json: &str) -> Value {
        serde_json::from_str(json).expect("JSON")
    }

    #[test]
    fn fields_are_compared_by_name_and_numbers_by_value() {
        assert!(same(&value(r#"{"a": 1, "b": [2.0]}"#), &value(r#"{"b": [2], "a": 1.0}"#)));
        assert!(!same(&value(r#"{"a": 1}"#), &value(r#"{"a": "1"}"#)));
    }

    #[test]
    fn what_differs_is_told_by_its_path() {
        let told =
            difference(&value(r#"{"name": "Ana", "tags": ["a", "b"], "x": 1, "n": 5}"#), &value(r#"{"name": "Anna", "tags": ["a"], "n": "5"}"#));
        assert_eq!(told, [r#".name: "Ana" != "Anna""#, r#".tags[1]: "b", only left"#, ".x: 1, only left", r#".n: 5 != "5" (a integer, a text)"#]);
    }

    #[test]
    fn long_text_is_compared_line_by_line() {
        assert_eq!(lines("a\nb\nc\n", "a\nx\nc\n"), ["  a", "- b", "+ x", "  c"]);
    }
}
