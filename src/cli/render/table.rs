//! Tables that fit the terminal: no frames, columns two blanks apart.

use comfy_table::{CellAlignment, ContentArrangement, Table};

use super::Out;

/// A table of text; headers that begin with `#` mark columns of numbers.
pub(crate) fn table(headers: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_preset("                   ").set_content_arrangement(ContentArrangement::Dynamic).set_width(Out::width());
    table.set_header(headers.iter().map(|header| header.trim_start_matches('#')));
    for row in rows {
        table.add_row(row);
    }
    for (at, header) in headers.iter().enumerate() {
        if let Some(column) = table.column_mut(at) {
            column.set_padding((0, 2));
            if header.starts_with('#') {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
    }
    table.lines().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}
