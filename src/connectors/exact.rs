//! Whole numbers that no double is: every system reads JSON numbers as doubles, and would keep another one.

use std::sync::Arc;

use crate::model::{Change, Fault, RowOutcome, System, Value, Write};

use super::{http::invalid, outcomes::failed};

/// Why a row would not arrive as it is, if so.
fn inexact(system: System, change: &Change) -> Option<Fault> {
    let (name, n) = change.fields()?.iter().find_map(|(name, value)| Some((name, number_in(value)?)))?;
    let message = format!("`{n}` has more digits than the field can hold exactly; where the field holds text, write it as text");
    Some(invalid(system, message).field(name.as_str()))
}

fn number_in(value: &Value) -> Option<i64> {
    match value {
        Value::Int(n) => (!is_double(*n)).then_some(*n),
        Value::List(items) => items.iter().find_map(number_in),
        Value::Map(record) => record.iter().find_map(|(_, value)| number_in(value)),
        _ => None,
    }
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "whether something is lost is the question")]
fn is_double(n: i64) -> bool {
    (n as f64) as i128 == i128::from(n)
}

/// The rows that arrive as they are, where that is not all of them; and for each row its refusal, or none.
pub(super) fn sorted_out(write: &Write) -> Option<(Write, Vec<Option<Fault>>)> {
    let faults: Vec<Option<Fault>> = write.rows.iter().map(|change| inexact(write.system, change)).collect();
    if faults.iter().all(Option::is_none) {
        return None;
    }
    let rows: Vec<Change> = write.rows.iter().zip(&faults).filter(|(_, fault)| fault.is_none()).map(|(change, _)| change.clone()).collect();
    Some((Write { system: write.system, object: write.object.clone(), rows: Arc::new(rows) }, faults))
}

/// The outcomes of all rows, in order.
pub(super) fn together(faults: Vec<Option<Fault>>, written: Vec<RowOutcome>) -> Vec<RowOutcome> {
    let mut written = written.into_iter();
    faults.into_iter().filter_map(|fault| fault.map(failed).or_else(|| written.next())).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{sorted_out, together};
    use crate::{
        connectors::outcomes::written,
        model::{Change, Record, System, Value, Write},
    };

    #[test]
    fn a_number_that_would_become_another_stays_behind() {
        let row = |n: i64| Change::Update {
            key: n.to_string(),
            id: n.to_string(),
            fields: Record::from_iter([("N".into(), Value::List(vec![Value::Int(n)]))]),
            before: Record::new(),
        };
        let write = |rows: Vec<Change>| Write { system: System::Px, object: "accounts".to_owned(), rows: Arc::new(rows) };
        assert!(sorted_out(&write(vec![row(1), row(1 << 53), row(-(1 << 60))])).is_none());
        let Some((rest, faults)) = sorted_out(&write(vec![row(1), row((1 << 53) + 1), row(3), row(i64::MAX)])) else { panic!("all of them") };
        assert_eq!(rest.rows.iter().map(Change::key).collect::<Vec<_>>(), ["1", "3"]);
        let outcomes = together(faults, vec![written(Some("1".to_owned()), false), written(Some("3".to_owned()), false)]);
        let told: Vec<Option<&str>> = outcomes.iter().map(|outcome| outcome.id.as_deref()).collect();
        assert_eq!(told, [Some("1"), None, Some("3"), None]);
        assert!(outcomes[1].fault.as_ref().is_some_and(|fault| fault.message.contains("9007199254740993")));
    }
}
