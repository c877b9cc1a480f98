//! Rows of a rule folded into one per group, with its calculated fields. Memory grows with the groups, not with the rows.

use std::collections::{HashMap, HashSet};

use crate::{
    model::{Date, FieldType, Record, Value},
    script::{Aggregate, Rule},
};

/// Groups in the order in which their first rows came.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    at: HashMap<String, usize>,
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    /// The first row: shown fields that are not calculated come from it.
    first: Record,
    states: Vec<State>,
}

#[derive(Debug, Default)]
struct State {
    rows: u64,
    count: u64,
    sum: f64,
    min: Option<Value>,
    max: Option<Value>,
    first: Option<Value>,
    last: Option<Value>,
    distinct: HashSet<String>,
}

impl Groups {
    pub(crate) fn add(&mut self, rule: &Rule, row: &Record, date: Date) {
        let names: &[String] = if rule.group_by.is_empty() { std::slice::from_ref(&rule.account) } else { &rule.group_by };
        let key: String = names.iter().map(|name| row.path(name).map_or_else(String::new, ToString::to_string) + "\u{1f}").collect();
        let at = *self.at.entry(key).or_insert_with(|| {
            let states = rule.calculated.iter().map(|_| State::default()).collect();
            self.groups.push(Group { first: row.clone(), states });
            self.groups.len() - 1
        });
        for (aggregate, state) in rule.calculated.iter().zip(&mut self.groups[at].states) {
            if within(aggregate, row, date) {
                state.add(aggregate, row.path(&aggregate.field).unwrap_or(&Value::Null));
            }
        }
    }

    pub(crate) fn len(&self) -> u64 {
        self.groups.len() as u64
    }

    /// One row per group, calculated fields set.
    pub(crate) fn into_rows(self, rule: &Rule) -> impl Iterator<Item = Record> {
        self.groups.into_iter().map(|group| {
            let mut row = group.first;
            for (aggregate, state) in rule.calculated.iter().zip(&group.states) {
                row.set(aggregate.name.as_str(), state.result(&aggregate.function));
            }
            row
        })
    }
}

/// Within the days up to and including the rule date.
fn within(aggregate: &Aggregate, row: &Record, date: Date) -> bool {
    let Some((field, days)) = &aggregate.window else { return true };
    let Ok(Value::Date(day)) = FieldType::Date.fit(row.path(field).unwrap_or(&Value::Null)) else { return false };
    let first = date.saturating_sub(jiff::Span::new().days(i64::from(*days)));
    day > first && day <= date
}

impl State {
    fn add(&mut self, aggregate: &Aggregate, value: &Value) {
        self.rows += 1;
        if value.is_blank() {
            return;
        }
        self.count += 1;
        self.sum += value.as_f64().unwrap_or(0.0);
        match aggregate.function.as_str() {
            "min" if better(self.min.as_ref(), value, std::cmp::Ordering::Less) => self.min = Some(value.clone()),
            "max" if better(self.max.as_ref(), value, std::cmp::Ordering::Greater) => self.max = Some(value.clone()),
            "first" if self.first.is_none() => self.first = Some(value.clone()),
            "last" => self.last = Some(value.clone()),
            "count_distinct" => {
                self.distinct.insert(value.to_string());
            }
            _ => (),
        }
    }

    /// As the vendor's rules do: a sum over nothing is 0, an average, minimum or maximum over nothing is null.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_wrap)]
    fn result(&self, function: &str) -> Value {
        match function {
            "sum" => number(self.sum),
            "avg" if self.count > 0 => Value::Float(self.sum / self.count as f64),
            "count" => Value::Int(self.count as i64),
            "count_rows" => Value::Int(self.rows as i64),
            "count_distinct" => Value::Int(self.distinct.len() as i64),
            "min" => self.min.clone().unwrap_or_default(),
            "max" => self.max.clone().unwrap_or_default(),
            "first" => self.first.clone().unwrap_or_default(),
            "last" => self.last.clone().unwrap_or_default(),
            _ => Value::Null,
        }
    }
}

fn better(best: Option<&Value>, value: &Value, wanted: std::cmp::Ordering) -> bool {
    best.is_none_or(|best| value.compare(best) == Some(wanted))
}

fn number(sum: f64) -> Value {
    #[allow(clippy::cast_possible_truncation)]
    if sum.fract() == 0.0 && sum.abs() < 9_007_199_254_740_992.0 { Value::Int(sum as i64) } else { Value::Float(sum) }
}
