//! Conditions on records, labelled and joined by logic such as `A AND (B OR C)`.

use serde::{Deserialize, Serialize};

use super::{Record, Timestamp, Value};

/// The operators a rule's filter can use; the words are those of scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operator {
    #[serde(rename = "=")]
    Equal,
    #[serde(rename = "!=")]
    NotEqual,
    #[serde(rename = "<")]
    Less,
    #[serde(rename = "<=")]
    LessOrEqual,
    #[serde(rename = ">")]
    Greater,
    #[serde(rename = ">=")]
    GreaterOrEqual,
    #[serde(rename = "in")]
    In,
    #[serde(rename = "not in")]
    NotIn,
    #[serde(rename = "contains")]
    Contains,
    #[serde(rename = "starts with")]
    StartsWith,
    #[serde(rename = "ends with")]
    EndsWith,
    #[serde(rename = "is null")]
    IsNull,
    #[serde(rename = "is not null")]
    IsNotNull,
}

impl Operator {
    pub const ALL: [(&'static str, Self); 13] = [
        ("=", Self::Equal),
        ("!=", Self::NotEqual),
        ("<", Self::Less),
        ("<=", Self::LessOrEqual),
        (">", Self::Greater),
        (">=", Self::GreaterOrEqual),
        ("in", Self::In),
        ("not in", Self::NotIn),
        ("contains", Self::Contains),
        ("starts with", Self::StartsWith),
        ("ends with", Self::EndsWith),
        ("is null", Self::IsNull),
        ("is not null", Self::IsNotNull),
    ];

    /// The operator of a word; `==` and `<>` are taken for `=` and `!=`.
    pub fn of(word: &str) -> Option<Self> {
        let word = match word {
            "==" => "=",
            "<>" => "!=",
            other => other,
        };
        Self::ALL.iter().find(|(w, _)| *w == word).map(|(_, operator)| *operator)
    }

    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, operator)| *operator == self).map_or("", |(w, _)| w)
    }
}

/// One comparison of a field with a value (a list for `in`, nothing for `is null`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    pub label: String,
    pub field: String,
    pub operator: Operator,
    pub value: Value,
}

/// How the conditions are joined; `Is` names a condition by its label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Logic {
    Is(String),
    Not(Box<Logic>),
    All(Vec<Logic>),
    Any(Vec<Logic>),
}

/// Conditions and the logic over them. Every label in `logic` is that of one condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Filter {
    pub conditions: Vec<Condition>,
    pub logic: Logic,
}

impl Filter {
    /// All conditions have to hold; labels are `a`, `b`, ...
    pub fn all(conditions: Vec<(String, Operator, Value)>) -> Self {
        let labels = conditions.iter().enumerate().map(|(i, _)| label(i));
        let logic = Logic::All(labels.map(Logic::Is).collect());
        let conditions =
            conditions.into_iter().enumerate().map(|(i, (field, operator, value))| Condition { label: label(i), field, operator, value });
        Self { conditions: conditions.collect(), logic }
    }

    pub fn condition(&self, label: &str) -> Option<&Condition> {
        self.conditions.iter().find(|c| c.label.eq_ignore_ascii_case(label))
    }

    /// The fields it reads, each once.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        let first = |at: usize, name: &str| !self.conditions.iter().take(at).any(|earlier| earlier.field == name);
        self.conditions.iter().enumerate().filter(move |(at, c)| first(*at, &c.field)).map(|(_, c)| c.field.as_str())
    }

    /// Whether a record passes. As in SQL, a comparison with null is false; text is compared without case.
    pub fn matches(&self, record: &Record) -> bool {
        self.holds(&self.logic, record)
    }

    fn holds(&self, logic: &Logic, record: &Record) -> bool {
        match logic {
            Logic::Is(label) => self.condition(label).is_some_and(|c| c.matches(record.path(&c.field).unwrap_or(&Value::Null))),
            Logic::Not(inner) => !self.holds(inner, record),
            Logic::All(parts) => parts.iter().all(|part| self.holds(part, record)),
            Logic::Any(parts) => parts.iter().any(|part| self.holds(part, record)),
        }
    }
}

impl Condition {
    pub fn matches(&self, value: &Value) -> bool {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let ordering = || compare(value, &self.value);
        match self.operator {
            Operator::IsNull => value.is_blank(),
            Operator::IsNotNull => !value.is_blank(),
            Operator::Equal => (value.is_blank() && self.value.is_blank()) || ordering() == Some(Equal),
            Operator::NotEqual => value.is_blank() != self.value.is_blank() || ordering().is_some_and(|o| o != Equal),
            Operator::Less => ordering() == Some(Less),
            Operator::LessOrEqual => matches!(ordering(), Some(Less | Equal)),
            Operator::Greater => ordering() == Some(Greater),
            Operator::GreaterOrEqual => matches!(ordering(), Some(Greater | Equal)),
            Operator::In => self.listed(value),
            Operator::NotIn => !self.listed(value),
            Operator::Contains => text_test(value, &self.value, |a, b| a.contains(b)),
            Operator::StartsWith => text_test(value, &self.value, |a, b| a.starts_with(b)),
            Operator::EndsWith => text_test(value, &self.value, |a, b| a.ends_with(b)),
        }
    }

    fn listed(&self, value: &Value) -> bool {
        match &self.value {
            Value::List(items) => items.iter().any(|item| compare(value, item) == Some(std::cmp::Ordering::Equal)),
            single => compare(value, single) == Some(std::cmp::Ordering::Equal),
        }
    }
}

fn compare(a: &Value, b: &Value) -> Option<std::cmp::Ordering> {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => Some(a.to_lowercase().cmp(&b.to_lowercase())),
        // A date written as text on one side, as JSON does.
        (Value::Date(_) | Value::Instant(_), Value::Text(_)) | (Value::Text(_), Value::Date(_) | Value::Instant(_)) => {
            a.to_string().partial_cmp(&b.to_string())
        }
        // Milliseconds since 1970, as Pendo keeps time.
        (Value::Int(millis), Value::Date(_) | Value::Instant(_)) => Value::Instant(Timestamp::from_millisecond(*millis).ok()?).compare(b),
        (Value::Date(_) | Value::Instant(_), Value::Int(millis)) => a.compare(&Value::Instant(Timestamp::from_millisecond(*millis).ok()?)),
        _ => a.compare(b),
    }
}

fn text_test(value: &Value, wanted: &Value, test: impl Fn(&str, &str) -> bool) -> bool {
    match (value, wanted) {
        (Value::Null, _) | (_, Value::Null) => false,
        (a, b) => test(&a.to_string().to_lowercase(), &b.to_string().to_lowercase()),
    }
}

/// `a`, `b`, ... `z`, `c26`, ...
fn label(at: usize) -> String {
    u8::try_from(at).ok().filter(|n| *n < 26).map_or_else(|| format!("c{at}"), |n| char::from(b'a' + n).to_string())
}

#[cfg(test)]
mod tests {
    use super::{Filter, Operator, Value};

    #[test]
    fn a_field_with_two_bounds_is_read_once() {
        let bound = |operator, day: &str| ("day".to_owned(), operator, Value::text(day));
        let filter = Filter::all(vec![bound(Operator::Greater, "2026-01-01"), bound(Operator::Less, "2026-02-01")]);
        assert_eq!(filter.fields().collect::<Vec<_>>(), ["day"]);
    }
}
