//! Tables without frames, columns two blanks apart. Long text is folded to fit the terminal; ids, names and paths stay whole, to be copied.

use comfy_table::{Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, presets};

use super::Out;

/// What a cell's colour means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tint {
    Good,
    Warn,
    Bad,
    Dim,
}

/// A cell in a colour.
pub(crate) fn tinted(tint: Tint, text: impl ToString) -> Cell {
    let cell = Cell::new(text);
    match tint {
        Tint::Good => cell.fg(Color::Green),
        Tint::Warn => cell.fg(Color::Yellow),
        Tint::Bad => cell.fg(Color::Red),
        Tint::Dim => cell.add_attribute(Attribute::Dim),
    }
}

/// A cell.
pub(crate) fn plain(text: impl ToString) -> Cell {
    Cell::new(text)
}

/// Columns of free text.
const FOLDED: [&str; 2] = ["value", "reason"];

/// A table; headers that begin with `#` mark columns of numbers.
pub(crate) fn table(headers: &[&str], rows: Vec<Vec<Cell>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).enforce_styling();
    if let Some(width) = Out::width() {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    table.set_header(headers.iter().map(|header| Cell::new(header.trim_start_matches('#')).add_attribute(Attribute::Dim)));
    for row in rows {
        table.add_row(row);
    }
    for (at, header) in headers.iter().enumerate() {
        if let Some(column) = table.column_mut(at) {
            column.set_padding((0, 2));
            if !FOLDED.contains(header) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
            if header.starts_with('#') {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
    }
    table.lines().map(|line| trimmed(&line)).collect::<Vec<_>>().join("\n")
}

/// The line without blanks at its end, also where colours end after them.
fn trimmed(line: &str) -> String {
    let (mut rest, mut ends) = (line.trim_end(), String::new());
    while let Some(at) = rest.rfind('\u{1b}').filter(|at| rest[*at..].ends_with('m') && !rest[*at..].contains(' ')) {
        ends.insert_str(0, &rest[at..]);
        rest = rest[..at].trim_end();
    }
    format!("{rest}{ends}")
}
