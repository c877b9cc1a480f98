//! Conditions that PX can check itself. What it lets through is checked again here, so a condition is handed over only when PX lets
//! through at least what passes.

use std::collections::HashMap;

use crate::model::{Condition, FieldType, Filter, Logic, Operator, Query, TimeZone, Timestamp, Value};

use super::objects::{Object, Style, TIMES};

/// Types by field, as far as they matter to conditions.
pub(super) type Types = HashMap<String, FieldType>;

/// Values of one `in` that become alternatives.
pub(super) const ALTERNATIVES: usize = 50;

/// Times that every record has.
const ALWAYS_SET: [&str; 3] = ["date", "createDate", "lastModifiedDate"];

/// Terms that all have to hold, and the alternatives of one more.
#[derive(Debug, Default, Clone)]
pub(super) struct Pushed {
    terms: Vec<String>,
    alternatives: Vec<String>,
    /// The window of a feed's `date`: from, and before.
    pub(super) from: Option<Timestamp>,
    pub(super) before: Option<Timestamp>,
}

impl Pushed {
    /// The part of a filter that the object's calls can carry.
    pub(super) fn of(object: &Object, query: &Query, types: &Types, zone: &TimeZone) -> Self {
        let mut pushed = Self::default();
        // A field that PX does not set itself may be empty, and then the record is wanted, too: that is looked at here.
        if let Some((field, at)) = query.since.as_ref().filter(|(field, _)| ALWAYS_SET.contains(&field.as_str())) {
            pushed.condition(
                (object, types),
                &Condition { label: String::new(), field: field.clone(), operator: Operator::GreaterOrEqual, value: Value::Instant(*at) },
            );
        }
        if let Some(filter) = query.filter.as_ref().map(|filter| filter.in_instants(|condition| is_time(condition, types), zone)) {
            for condition in joined(&filter, &filter.logic) {
                pushed.condition((object, types), condition);
            }
        }
        pushed
    }

    /// The records whose field has one of these values.
    pub(super) fn any_of(field: &str, values: &[String]) -> Self {
        Self { alternatives: values.iter().map(|value| format!("{field}=={value}")).collect(), ..Self::default() }
    }

    fn condition(&mut self, (object, types): (&Object, &Types), condition: &Condition) {
        let field = condition.field.as_str();
        if object.feed && field == "date" {
            return self.date(condition);
        }
        let known = object.style == Style::Scroll && (object.filters.is_empty() || object.filters.contains(&field));
        if !known || object.filters.is_empty() && field.contains(['=', '!', '<', '>', '~', ';', ' ']) {
            return;
        }
        if types.get(field).is_some_and(|kind| !is_of(kind, &condition.value)) {
            return;
        }
        match (condition.operator, &condition.value) {
            (Operator::In, Value::List(items)) if self.alternatives.is_empty() && !items.is_empty() && items.len() <= ALTERNATIVES => {
                let values: Option<Vec<String>> = items.iter().map(operand).collect();
                self.alternatives = values.map_or_else(Vec::new, |values| values.iter().map(|value| format!("{field}=={value}")).collect());
            }
            (Operator::Contains, Value::Text(text)) if operand(&condition.value).is_some() && !text.contains(['*', '?']) => {
                self.terms.push(format!("{field}~*{text}*"));
            }
            (operator, value) => {
                let word = match operator {
                    Operator::Equal => "==",
                    Operator::Less => "<",
                    Operator::LessOrEqual => "<=",
                    Operator::Greater => ">",
                    Operator::GreaterOrEqual => ">=",
                    _ => return,
                };
                // How PX orders text is not written anywhere.
                let ordered = matches!(value, Value::Int(_) | Value::Float(_) | Value::Instant(_));
                if let Some(value) = operand(value).filter(|_| ordered || operator == Operator::Equal) {
                    self.terms.push(format!("{field}{word}{value}"));
                }
            }
        }
    }

    fn date(&mut self, condition: &Condition) {
        let Some(at) = instant(&condition.value) else { return };
        let next = at + jiff::SignedDuration::from_millis(1);
        match condition.operator {
            Operator::GreaterOrEqual | Operator::Greater => self.from = self.from.max(Some(at)),
            Operator::Less => self.before = self.before.map_or(Some(at), |before| Some(before.min(at))),
            Operator::LessOrEqual => self.before = self.before.map_or(Some(next), |before| Some(before.min(next))),
            Operator::Equal if matches!(condition.value, Value::Instant(_)) => (self.from, self.before) = (Some(at), Some(next)),
            _ => {}
        }
    }

    /// The values of the `filter` parameters, with more terms in each.
    pub(super) fn parameters(&self, more: &[String]) -> Vec<String> {
        let all: Vec<&str> = self.terms.iter().chain(more).map(String::as_str).collect();
        if self.alternatives.is_empty() {
            return if all.is_empty() { Vec::new() } else { vec![all.join(";")] };
        }
        self.alternatives.iter().map(|one| all.iter().copied().chain([one.as_str()]).collect::<Vec<_>>().join(";")).collect()
    }
}

/// Times are milliseconds at PX.
fn is_time(condition: &Condition, types: &Types) -> bool {
    match types.get(&condition.field) {
        Some(kind) => matches!(kind, FieldType::DateTime { .. }),
        None => TIMES.contains(&condition.field.as_str()) || matches!(condition.value, Value::Date(_)),
    }
}

/// Whether PX keeps values of a type in the form in which a condition's value, or each of its list, is written.
fn is_of(kind: &FieldType, value: &Value) -> bool {
    match (kind, value) {
        (kind, Value::List(items)) => items.iter().all(|item| is_of(kind, item)),
        (FieldType::DateTime { .. }, Value::Instant(_) | Value::Int(_))
        | (FieldType::Float, Value::Int(_) | Value::Float(_))
        | (FieldType::Bool, Value::Bool(_))
        | (FieldType::Text { .. }, Value::Text(_)) => true,
        _ => false,
    }
}

/// The conditions that all have to hold.
fn joined<'f>(filter: &'f Filter, logic: &'f Logic) -> Vec<&'f Condition> {
    match logic {
        Logic::Is(label) => filter.condition(label).into_iter().collect(),
        Logic::All(parts) => parts.iter().flat_map(|part| joined(filter, part)).collect(),
        Logic::Any(parts) if parts.len() == 1 => parts.iter().flat_map(|part| joined(filter, part)).collect(),
        Logic::Any(_) | Logic::Not(_) => Vec::new(),
    }
}

/// A value in a filter; none when it cannot be written there.
pub(super) fn operand(value: &Value) -> Option<String> {
    match value {
        Value::Int(_) | Value::Float(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Instant(at) => Some(at.as_millisecond().to_string()),
        Value::Text(text) if !value.is_blank() && !text.contains([';', '\n', '\r']) && text.trim().len() == text.len() => Some(text.to_string()),
        _ => None,
    }
}

fn instant(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Instant(at) => Some(*at),
        Value::Int(ms) => Timestamp::from_millisecond(*ms).ok(),
        Value::Text(text) => crate::connectors::rows::instant_of(text),
        _ => None,
    }
}
