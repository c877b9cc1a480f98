//! What a cell of a declaration gives for one source row.

use crate::{
    model::{Date, Fault, Record, Value},
    script::{Cell, FieldMap},
};

/// One source row as the target fields that a declaration gives it, before they are fitted to the target's types.
///
/// # Errors
/// The fault of the first closure that fails.
pub fn transform(maps: &[FieldMap], row: &Record, date: Date) -> Result<Record, Fault> {
    let mut fields = Record::with_capacity(maps.len());
    for map in maps {
        fields.push(map.target.clone(), compute(&map.from, row, date)?);
    }
    Ok(fields)
}

/// A cell's value for one row.
pub(crate) fn compute(cell: &Cell, row: &Record, date: Date) -> Result<Value, Fault> {
    match cell {
        Cell::Field(name) => Ok(row.path(name).cloned().unwrap_or_default()),
        Cell::Constant(value) => Ok(value.clone()),
        Cell::RuleDate(moved) => Ok(Value::Date(date.saturating_add(jiff::Span::new().days(moved.plus_days)))),
        Cell::Compute(closure) => closure.call_row(row),
    }
}
