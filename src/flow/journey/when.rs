//! Whether a condition holds for one participant: events from their facts, calculated fields by their closures, fields of their record.

use crate::{
    model::{Condition, Fault, FaultKind, Operator, Record, TimeZone, Value, When},
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
        // Without an answer it does not hold, whatever is asked of it.
        When::Score { step, operator, value } => Ok(score(known.facts, step).is_some_and(|score| compares(&score, *operator, value, known.zone))),
        When::Calculated { name, operator, value } => {
            let Some((_, closure)) = known.calculated.iter().find(|(known, _)| known == name) else { return Ok(false) };
            Ok(compares(&number(name, closure.call_row(known.fields)?)?, *operator, value, known.zone))
        }
        When::Field { path, operator, value } => Ok(compares(known.fields.path(path).unwrap_or(&Value::Null), *operator, value, known.zone)),
    }
}

/// Whether the condition holds for somebody who still waits: none as long as what has not happened yet may decide it. So a negation of
/// something that may still happen is open until the wait ends, where `holds` decides.
///
/// # Errors
/// The fault of a calculated field's closure.
pub(super) fn settled(when: &When, known: Known<'_>) -> Result<Option<bool>, Fault> {
    match when {
        When::All(parts) => {
            for part in parts {
                match settled(part, known)? {
                    Some(true) => (),
                    other => return Ok(other),
                }
            }
            Ok(Some(true))
        }
        When::Any(parts) => {
            let mut all = Some(false);
            for part in parts {
                match settled(part, known)? {
                    Some(true) => return Ok(Some(true)),
                    Some(false) => (),
                    None => all = None,
                }
            }
            Ok(all)
        }
        When::Not(inner) => Ok(settled(inner, known)?.map(|held| !held)),
        When::Event { .. } => Ok(holds(when, known)?.then_some(true)),
        When::Score { step, .. } => score(known.facts, step).map(|_| holds(when, known)).transpose(),
        When::Calculated { .. } | When::Field { .. } => holds(when, known).map(Some),
    }
}

/// The latest score that was given at a step; none before there is one.
fn score(facts: &[Fact], step: &str) -> Option<Value> {
    facts.iter().rev().filter(|fact| fact.step == step).find_map(|fact| fact.score).map(Value::Float)
}

/// What a calculated field came to; infinity and what is no number at all can be compared with nothing.
fn number(name: &str, value: Value) -> Result<Value, Fault> {
    match value {
        Value::Float(number) if !number.is_finite() => {
            Err(Fault::new(FaultKind::Script, format!("`{name}` came to {number}, which is no number that can be compared")))
        }
        value => Ok(value),
    }
}

fn compares(value: &Value, operator: Operator, wanted: &Value, zone: &TimeZone) -> bool {
    Condition { label: String::new(), field: String::new(), operator, value: wanted.clone() }.matches(value, zone)
}
