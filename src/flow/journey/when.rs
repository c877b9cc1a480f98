//! Whether a condition holds for one participant: events from their facts, calculated fields by their closures, fields of their record.

use crate::{
    model::{Condition, Fault, Operator, Record, TimeZone, Value, When},
    script::Closure,
    store::Fact,
};

/// What is known of one participant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) fields: &'a Record,
    pub(super) facts: &'a [Fact],
    pub(super) calculated: &'a [(String, Closure)],
    /// Where days begin and end: the journey's.
    pub(super) zone: &'a TimeZone,
}

/// Whether the condition holds now.
///
/// # Errors
/// The fault of a calculated field's closure.
pub(super) fn holds(when: &When, known: Known<'_>) -> Result<bool, Fault> {
    match when {
        When::All(parts) => {
            for part in parts {
                if !holds(part, known)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        When::Any(parts) => {
            for part in parts {
                if holds(part, known)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        When::Not(inner) => holds(inner, known).map(|held| !held),
        When::Event { event, step } => Ok(known.facts.iter().any(|fact| fact.event == *event && fact.step == *step)),
        When::Score { step, operator, value } => Ok(compares(&score(known.facts, step), *operator, value, known.zone)),
        When::Calculated { name, operator, value } => {
            let Some((_, closure)) = known.calculated.iter().find(|(known, _)| known == name) else { return Ok(false) };
            Ok(compares(&closure.call_row(known.fields)?, *operator, value, known.zone))
        }
        When::Field { path, operator, value } => Ok(compares(known.fields.path(path).unwrap_or(&Value::Null), *operator, value, known.zone)),
    }
}

/// The latest score that was given at a step; null before there is one.
fn score(facts: &[Fact], step: &str) -> Value {
    facts.iter().rev().filter(|fact| fact.step == step).find_map(|fact| fact.score).map_or(Value::Null, Value::Float)
}

fn compares(value: &Value, operator: Operator, wanted: &Value, zone: &TimeZone) -> bool {
    Condition { label: String::new(), field: String::new(), operator, value: wanted.clone() }.matches(value, zone)
}
