//! Values of scripts as people read them: lists of records as tables that fit the terminal, everything else as JSON; what is long is folded.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets};

use crate::model::{Record, Value};

use super::{DIM, Out, count, many, paint};

/// How much of a value is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fold {
    /// What fits a screen or two, of a table from this record on; the rest is counted.
    Page(usize),
    /// All of it.
    Nothing,
}

/// Rows of a folded table, and lines of a folded value.
const ROWS: usize = 20;
const LINES: usize = 40;

/// Characters of one cell and of one line of a folded value.
const CELL: usize = 40;
const LINE: usize = 400;

/// A value for people. Lists of records are tables on a terminal, and one JSON document elsewhere, where it is never folded.
pub(crate) fn value(value: &Value, fold: Fold) -> String {
    match (value, Out::width()) {
        (Value::Null, _) => String::new(),
        (Value::List(items), Some(width)) if records(items).is_some() => table(&records(items).unwrap_or_default(), width, fold),
        (Value::List(_) | Value::Map(_), width) => {
            let text = serde_json::to_string_pretty(value).unwrap_or_default();
            if width.is_some() { folded(&text, fold) } else { text }
        }
        (other, Some(_)) => folded(&other.to_string(), fold),
        (other, None) => other.to_string(),
    }
}

/// The items as records, when all are and there is something to show.
fn records(items: &[Value]) -> Option<Vec<&Record>> {
    let records: Vec<&Record> = items.iter().map(|item| if let Value::Map(record) = item { Some(record) } else { None }).collect::<Option<_>>()?;
    records.first().is_some_and(|first| !first.is_empty()).then_some(records)
}

fn table(records: &[&Record], width: u16, fold: Fold) -> String {
    let mut columns: Vec<&str> = Vec::new();
    for (name, _) in records.iter().flat_map(|record| record.iter()) {
        if !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    // A column takes four characters and two blanks at least.
    let fitting = usize::from(width / 6).max(1);
    let hidden = if fold == Fold::Nothing { Vec::new() } else { columns.split_off(columns.len().min(fitting)) };
    let (from, shown) = match fold {
        Fold::Page(from) => (from, records.len().saturating_sub(from).min(ROWS)),
        Fold::Nothing => (0, records.len()),
    };
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table.set_header(columns.iter().map(|column| comfy_table::Cell::new(column).add_attribute(comfy_table::Attribute::Dim)));
    for record in records.iter().skip(from).take(shown) {
        table.add_row(columns.iter().map(|column| cell(record.get(column).unwrap_or(&Value::Null), fold)));
    }
    for at in 0..columns.len() {
        if let Some(column) = table.column_mut(at) {
            column.set_padding((0, 2)).set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(4)));
        }
    }
    let mut lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.extend(rest(records.len(), from + shown, hidden.len(), width));
    lines.join("\n")
}

/// What a folded table leaves out; a line each where they do not fit one.
fn rest(all: usize, shown: usize, hidden: usize, width: u16) -> Vec<String> {
    let mut parts = Vec::new();
    if shown < all {
        parts.extend([format!("{} of {} records", count(shown as u64), count(all as u64)), "`:more` goes on".to_owned()]);
    }
    if hidden > 0 {
        parts.push(many(hidden as u64, "more column"));
    }
    if parts.is_empty() {
        return parts;
    }
    parts.push("`:full` shows all".to_owned());
    let line = parts.join(", ");
    let lines = if line.chars().count() <= usize::from(width) { vec![line] } else { parts };
    lines.into_iter().map(|line| paint(DIM, line).to_string()).collect()
}

fn cell(value: &Value, fold: Fold) -> comfy_table::Cell {
    let text = match value {
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let text = visible(&if fold == Fold::Nothing { text } else { cut(&text, CELL) });
    let cell = comfy_table::Cell::new(text);
    if matches!(value, Value::Int(_) | Value::Float(_)) { cell.set_alignment(CellAlignment::Right) } else { cell }
}

/// Data cannot move the cursor or change colours.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn folded(text: &str, fold: Fold) -> String {
    let clean = |line: &str| line.chars().map(|c| if c.is_control() && c != '\t' { ' ' } else { c }).collect::<String>();
    if fold == Fold::Nothing {
        return text.lines().map(clean).collect::<Vec<_>>().join("\n");
    }
    let lines = text.lines().count();
    let mut shown: Vec<String> = text.lines().take(LINES).map(|line| clean(&cut(line, LINE))).collect();
    let long = text.lines().take(LINES).any(|line| line.chars().count() > LINE);
    if lines > LINES || long {
        let what = if lines > LINES { format!("{} of {} lines", LINES, count(lines as u64)) } else { "cut".to_owned() };
        shown.push(paint(DIM, format!("{what}; `:full` shows all")).to_string());
    }
    shown.join("\n")
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
