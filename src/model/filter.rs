//! Conditions on records, labelled and joined by logic such as `A AND (B OR C)`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Record, TimeZone, Timestamp, Value, day, decimal::Decimal, moment::Moment};

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

    /// The condition of a label: the one spelt the same, else one that differs in case only.
    pub fn condition(&self, label: &str) -> Option<&Condition> {
        let exact = self.conditions.iter().find(|c| c.label == label);
        exact.or_else(|| self.conditions.iter().find(|c| c.label.eq_ignore_ascii_case(label)))
    }

    /// Both have to hold. Every condition keeps its meaning: where both filters use a label, the other's is changed.
    pub fn and(self, other: Self) -> Self {
        let mut taken: BTreeSet<String> = [&self, &other].into_iter().flat_map(|filter| &filter.conditions).map(|c| c.label.to_lowercase()).collect();
        let moved: BTreeMap<String, String> = other.conditions.iter().map(|c| (c.label.clone(), free(&c.label, &mut taken))).collect();
        let logic = Logic::All(vec![self.logic, renamed(&other, &other.logic, &moved)]);
        let others = other.conditions.into_iter().map(|c| Condition { label: moved.get(&c.label).cloned().unwrap_or_default(), ..c });
        Self { conditions: self.conditions.into_iter().chain(others).collect(), logic }
    }

    /// What has to hold of either; none when there is neither.
    pub fn joined(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) => Some(one.and(other)),
            (one, other) => one.or(other),
        }
    }

    /// The fields it reads, each once.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        let first = |at: usize, name: &str| !self.conditions.iter().take(at).any(|earlier| earlier.field == name);
        self.conditions.iter().enumerate().filter(move |(at, c)| first(*at, &c.field)).map(|(_, c)| c.field.as_str())
    }

    /// Whether a record passes. As in SQL, a comparison with null is false; text is compared without case. A day stands for all of its instants
    /// in the zone.
    pub fn matches(&self, record: &Record, zone: &TimeZone) -> bool {
        self.holds(&self.logic, record, zone)
    }

    fn holds(&self, logic: &Logic, record: &Record, zone: &TimeZone) -> bool {
        match logic {
            Logic::Is(label) => self.condition(label).is_some_and(|c| c.matches(record.path(&c.field).unwrap_or(&Value::Null), zone)),
            Logic::Not(inner) => !self.holds(inner, record, zone),
            Logic::All(parts) => parts.iter().all(|part| self.holds(part, record, zone)),
            Logic::Any(parts) => parts.iter().any(|part| self.holds(part, record, zone)),
        }
    }
}

impl Condition {
    pub fn matches(&self, value: &Value, zone: &TimeZone) -> bool {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let ordering = || compare(value, &self.value, zone);
        match self.operator {
            Operator::IsNull => value.is_blank(),
            Operator::IsNotNull => !value.is_blank(),
            Operator::Equal => (value.is_blank() && self.value.is_blank()) || ordering() == Some(Equal),
            Operator::NotEqual => value.is_blank() != self.value.is_blank() || ordering().is_some_and(|o| o != Equal),
            Operator::Less => ordering() == Some(Less),
            Operator::LessOrEqual => matches!(ordering(), Some(Less | Equal)),
            Operator::Greater => ordering() == Some(Greater),
            Operator::GreaterOrEqual => matches!(ordering(), Some(Greater | Equal)),
            Operator::In => self.listed(value, zone),
            Operator::NotIn => !self.listed(value, zone),
            Operator::Contains => text_test(value, &self.value, |a, b| a.contains(b)),
            Operator::StartsWith => text_test(value, &self.value, |a, b| a.starts_with(b)),
            Operator::EndsWith => text_test(value, &self.value, |a, b| a.ends_with(b)),
        }
    }

    fn listed(&self, value: &Value, zone: &TimeZone) -> bool {
        match &self.value {
            Value::List(items) => items.iter().any(|item| compare(value, item, zone) == Some(std::cmp::Ordering::Equal)),
            single => compare(value, single, zone) == Some(std::cmp::Ordering::Equal),
        }
    }
}

fn compare(a: &Value, b: &Value, zone: &TimeZone) -> Option<std::cmp::Ordering> {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => Some(a.to_lowercase().cmp(&b.to_lowercase())),
        // A date written as text on one side, as JSON does.
        (Value::Date(_) | Value::Instant(_), Value::Text(text)) => compare(a, &moment(text)?, zone),
        (Value::Text(text), Value::Date(_) | Value::Instant(_)) => compare(&moment(text)?, b, zone),
        // A number written as text on one side.
        (Value::Int(_) | Value::Float(_), Value::Text(text)) => a.compare(&number(text)?),
        (Value::Text(text), Value::Int(_) | Value::Float(_)) => number(text)?.compare(b),
        // Milliseconds since 1970, as Pendo keeps time.
        (Value::Int(millis), Value::Date(_) | Value::Instant(_)) => compare(&Value::Instant(Timestamp::from_millisecond(*millis).ok()?), b, zone),
        (Value::Date(_) | Value::Instant(_), Value::Int(millis)) => compare(a, &Value::Instant(Timestamp::from_millisecond(*millis).ok()?), zone),
        (Value::Date(a), Value::Instant(b)) => Some(a.cmp(&day::day_of(*b, zone))),
        (Value::Instant(a), Value::Date(b)) => Some(day::against_day(*a, *b, zone)),
        _ => a.compare(b),
    }
}

/// A day or an instant; a time without a zone is neither.
pub(super) fn moment(text: &str) -> Option<Value> {
    match Moment::read(text)? {
        Moment::Day(date) => Some(Value::Date(date)),
        Moment::Instant(at) => Some(Value::Instant(at)),
        Moment::Local(_) => None,
    }
}

fn number(text: &str) -> Option<Value> {
    let number = Decimal::read(text.trim())?;
    number.to_int().map(Value::Int).or_else(|| Some(Value::Float(number.nearest_float())))
}

fn text_test(value: &Value, wanted: &Value, test: impl Fn(&str, &str) -> bool) -> bool {
    match (value, wanted) {
        (Value::Null, _) | (_, Value::Null) => false,
        (a, b) => test(&a.to_string().to_lowercase(), &b.to_string().to_lowercase()),
    }
}

/// `label_2`, or with the next number that nobody has taken.
fn free(label: &str, taken: &mut BTreeSet<String>) -> String {
    let mut number = 2_u32;
    loop {
        let name = format!("{label}_{number}");
        if taken.insert(name.to_lowercase()) {
            return name;
        }
        number += 1;
    }
}

fn renamed(filter: &Filter, logic: &Logic, names: &BTreeMap<String, String>) -> Logic {
    let all = |parts: &[Logic]| parts.iter().map(|part| renamed(filter, part, names)).collect();
    match logic {
        Logic::Is(label) => Logic::Is(filter.condition(label).and_then(|c| names.get(&c.label)).unwrap_or(label).clone()),
        Logic::Not(inner) => Logic::Not(Box::new(renamed(filter, inner, names))),
        Logic::All(parts) => Logic::All(all(parts)),
        Logic::Any(parts) => Logic::Any(all(parts)),
    }
}

/// `a`, `b`, ... `z`, `c26`, ...
fn label(at: usize) -> String {
    u8::try_from(at).ok().filter(|n| *n < 26).map_or_else(|| format!("c{at}"), |n| char::from(b'a' + n).to_string())
}

#[cfg(test)]
mod tests {
    use super::{Condition, Filter, Logic, Operator, Record, TimeZone, Value};

    /// Numbers that look random and are the same in every run.
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self, sides: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.0 >> 33).unwrap_or(0) % sides
        }

        fn filter(&mut self) -> Filter {
            let labels = ["a", "A", "a_2", "b", "B_2", "a_3"];
            let (first, count) = (self.roll(labels.len()), 1 + self.roll(3));
            let labels: Vec<&str> = (0..count).map(|at| labels[(first + at) % labels.len()]).collect();
            let operators = [Operator::Equal, Operator::NotEqual, Operator::Less, Operator::GreaterOrEqual];
            let conditions = labels.iter().map(|label| Condition {
                label: (*label).to_owned(),
                field: ["x", "y"][self.roll(2)].to_owned(),
                operator: operators[self.roll(4)],
                value: Value::Int(i64::try_from(self.roll(4)).unwrap()),
            });
            let conditions = conditions.collect();
            Filter { conditions, logic: self.logic(&labels, 2) }
        }

        fn logic(&mut self, labels: &[&str], depth: usize) -> Logic {
            let parts = |dice: &mut Self| labels.iter().map(|_| dice.logic(labels, depth - 1)).collect();
            match self.roll(if depth == 0 { 1 } else { 4 }) {
                0 => Logic::Is(labels[self.roll(labels.len())].to_owned()),
                1 => Logic::Not(Box::new(self.logic(labels, depth - 1))),
                2 => Logic::All(parts(self)),
                _ => Logic::Any(parts(self)),
            }
        }
    }

    #[test]
    fn joined_filters_let_through_what_each_of_them_does_whatever_their_labels_are() {
        let mut dice = Dice(7);
        for _ in 0..300 {
            let filters: Vec<Filter> = (0..2 + dice.roll(3)).map(|_| dice.filter()).collect();
            let all = filters.iter().cloned().reduce(Filter::and).unwrap();
            for x in 0..4 {
                for y in 0..4 {
                    let row: Record = [("x".into(), Value::Int(x)), ("y".into(), Value::Int(y))].into_iter().collect();
                    assert_eq!(
                        all.matches(&row, &TimeZone::UTC),
                        filters.iter().all(|filter| filter.matches(&row, &TimeZone::UTC)),
                        "{filters:?} on {row:?}"
                    );
                }
            }
            assert_eq!(all.conditions.len(), filters.iter().map(|filter| filter.conditions.len()).sum::<usize>());
        }
    }

    #[test]
    fn a_field_with_two_bounds_is_read_once() {
        let bound = |operator, day: &str| ("day".to_owned(), operator, Value::text(day));
        let filter = Filter::all(vec![bound(Operator::Greater, "2026-01-01"), bound(Operator::Less, "2026-02-01")]);
        assert_eq!(filter.fields().collect::<Vec<_>>(), ["day"]);
    }
}
