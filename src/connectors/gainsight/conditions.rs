//! Where-clauses from filters. What the API cannot say is left to whoever has the rows.

use serde_json::{Value as Json, json};

use crate::model::{Condition, FieldType, Filter, Logic, Operator, TimeZone, Value};

use super::{describe::Described, names::Names};

/// A where-clause being built: conditions with aliases, and the expression over them.
#[derive(Debug, Default)]
pub(super) struct Where {
    conditions: Vec<Json>,
    expression: String,
    /// `name`; the Cockpit lists say `fieldName`.
    field_key: Option<&'static str>,
    /// Text is asked for in its very letters, as closures compare it. Filters compare without case, and whether Gainsight does is not
    /// written anywhere: such conditions are left to whoever has the rows.
    exact: bool,
}

/// A filter, what its fields are called and are, and where days begin.
type Given<'a> = (&'a Filter, Names, &'a Described, &'a TimeZone);

impl Where {
    pub(super) fn new(field_key: &'static str) -> Self {
        Self { field_key: Some(field_key), ..Self::default() }
    }

    /// A further condition that has to hold too.
    pub(super) fn and(&mut self, field: &str, operator: &str, values: &[Json]) {
        let alias = self.condition(field, operator, values);
        self.join(&alias);
    }

    /// What is added from here on compares text letter by letter.
    pub(super) fn exactly(&mut self) {
        self.exact = true;
    }

    fn join(&mut self, part: &str) {
        if self.expression.is_empty() {
            part.clone_into(&mut self.expression);
        } else {
            self.expression = format!("{} AND {part}", self.expression);
        }
    }

    fn condition(&mut self, field: &str, operator: &str, values: &[Json]) -> String {
        let alias = alias(self.conditions.len());
        let key = self.field_key.unwrap_or("name");
        self.conditions.push(json!({key: field, "alias": alias, "value": values, "operator": operator}));
        alias
    }

    /// Adds a filter; false when the API cannot say it, and then nothing is added. A day compared with a date and time is said with the
    /// instants of that day in the zone, whatever the tenant's own zone is.
    pub(super) fn add(&mut self, filter: &Filter, names: Names, object: &Described, zone: &TimeZone) -> bool {
        let before = self.conditions.len();
        let is_time = |condition: &Condition| matches!(object.kind(&names.wire(&condition.field)), Some(FieldType::DateTime { .. }));
        let filter = &filter.in_instants(is_time, zone);
        match self.logic(&filter.logic, (filter, names, object, zone)) {
            Some(part) => {
                self.join(&part);
                true
            }
            None => {
                self.conditions.truncate(before);
                false
            }
        }
    }

    fn logic(&mut self, logic: &Logic, given: Given<'_>) -> Option<String> {
        match logic {
            Logic::Is(label) => self.comparison(given.0.condition(label)?, given),
            Logic::Not(_) => None,
            Logic::All(parts) => self.parts(parts, " AND ", given),
            Logic::Any(parts) => self.parts(parts, " OR ", given),
        }
    }

    fn parts(&mut self, parts: &[Logic], with: &str, given: Given<'_>) -> Option<String> {
        let parts: Option<Vec<String>> = parts.iter().map(|part| self.logic(part, given)).collect();
        match parts?.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            many => Some(format!("({})", many.join(with))),
        }
    }

    fn comparison(&mut self, condition: &Condition, (_, names, object, zone): Given<'_>) -> Option<String> {
        let field = names.wire(&condition.field);
        let kind = object.kind(&field)?;
        // Choices are stored as ids, and filters name labels.
        if object.dropdown(&field).is_some() {
            return match condition.operator {
                Operator::IsNull => Some(self.condition(&field, "IS_NULL", &[])),
                Operator::IsNotNull => Some(self.condition(&field, "IS_NOT_NULL", &[])),
                _ => None,
            };
        }
        if !self.exact && is_text(kind) && !has_one_case(&condition.value) {
            return None;
        }
        let value = || operand(&condition.value, kind, zone);
        let simple = match condition.operator {
            Operator::Equal => "EQ",
            Operator::Less => "LT",
            Operator::LessOrEqual => "LTE",
            Operator::Greater => "GT",
            Operator::GreaterOrEqual => "GTE",
            Operator::Contains => "CONTAINS",
            Operator::StartsWith => "STARTS_WITH",
            Operator::EndsWith => "ENDS_WITH",
            Operator::IsNull => return Some(self.condition(&field, "IS_NULL", &[])),
            Operator::IsNotNull => return Some(self.condition(&field, "IS_NOT_NULL", &[])),
            // A null is unlike any value; whether the API agrees is not written anywhere.
            Operator::NotEqual => {
                let unlike = self.condition(&field, "NE", &[value()?]);
                let null = self.condition(&field, "IS_NULL", &[]);
                return Some(format!("({unlike} OR {null})"));
            }
            Operator::In => {
                let Value::List(items) = &condition.value else { return None };
                let values: Option<Vec<Json>> = items.iter().map(|item| operand(item, kind, zone)).collect();
                return Some(self.condition(&field, "IN", &values.filter(|values| !values.is_empty())?));
            }
            Operator::NotIn => return None,
        };
        Some(self.condition(&field, simple, &[value()?]))
    }

    /// The clause, if there are conditions.
    pub(super) fn json(&self) -> Option<Json> {
        (!self.conditions.is_empty()).then(|| json!({"conditions": self.conditions, "expression": self.expression}))
    }
}

/// A value to compare with; none for null, and for what does not fit the field.
pub(super) fn operand(value: &Value, kind: &FieldType, zone: &TimeZone) -> Option<Json> {
    if value.is_blank() {
        return None;
    }
    let fitted = match kind {
        FieldType::Date | FieldType::DateTime { .. } | FieldType::Bool => kind.fit(value, zone).ok()?,
        FieldType::Number { .. } | FieldType::Int { .. } | FieldType::Float => FieldType::Float.fit(value, zone).ok()?,
        _ => Value::text(value.to_string()),
    };
    Some(match fitted {
        Value::Instant(at) => at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string().into(),
        Value::Float(x) => value.as_i64().map_or_else(|| json!(x), |n| json!(n)),
        other => Json::from(&other),
    })
}

const fn is_text(kind: &FieldType) -> bool {
    matches!(kind, FieldType::Text { .. } | FieldType::Other { .. })
}

/// Whether a value, or each of a list, is the same in capitals: digits, signs, nothing.
fn has_one_case(value: &Value) -> bool {
    match value {
        Value::Text(text) => text.to_lowercase() == text.to_uppercase(),
        Value::List(items) => items.iter().all(has_one_case),
        _ => true,
    }
}

/// `A` to `Z`, then `A1`, `B1`, ...
fn alias(at: usize) -> String {
    let letter = char::from(b'A' + u8::try_from(at % 26).unwrap_or(0));
    match at / 26 {
        0 => letter.to_string(),
        round => format!("{letter}{round}"),
    }
}
