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
    // Fields are often mapped in the order in which the row has them.
    let mut next = 0;
    for map in maps {
        let value = match &map.from {
            Cell::Field(name) => match row.get_near(next, name) {
                Some((at, value)) => {
                    next = at + 1;
                    value.clone()
                }
                None => compute(&map.from, row, date)?,
            },
            _ => compute(&map.from, row, date)?,
        };
        fields.push(map.target.clone(), value);
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
