//! Rows of a rule folded into one per group, with its calculated fields. Memory grows with the groups, not with the rows.
//!
//! Nothing is guessed: a group of which one value does not go into its aggregates is rejected with that value, and gives no row.

use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
};

use crate::{
    model::{Date, Fault, FaultKind, FieldType, ObjectSchema, Record, TimeZone, Timestamp, Value, account_key, day},
    script::{Aggregate, EVERY_ROW, Rule},
};

use super::{Rejection, sum::Sum, work::brief};

/// Stands after each part of a group's key.
const BETWEEN: char = '\u{1f}';
const SEPARATED: &str = "\u{1f}";

/// Groups in the order in which their first rows came.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    at: HashMap<String, usize>,
    list: Vec<Group>,
    /// Fields that aggregates read and that some row had.
    seen: HashSet<String>,
    rows: u64,
}

#[derive(Debug)]
struct Group {
    /// As people read it.
    key: String,
    /// The first row: shown fields that are not calculated come from it.
    first: Record,
    states: Vec<State>,
    /// The first value that does not go into an aggregate.
    wrong: Option<Rejection>,
}

#[derive(Debug, Default)]
struct State {
    count: u64,
    sum: Sum,
    best: Option<Value>,
    first: Option<Value>,
    last: Option<Value>,
    distinct: HashSet<String>,
}

/// Why a value does not go into an aggregate: field, value, reason.
type Unfit<'a> = (&'a str, &'a Value, String);

/// What rows are folded by: the rule, what its source's fields are, the rule date, and where days begin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Folding<'a> {
    pub(crate) rule: &'a Rule,
    pub(crate) schema: Option<&'a ObjectSchema>,
    pub(crate) date: Date,
    pub(crate) zone: &'a TimeZone,
}

/// Refuses what no row could make right: a sum of texts, the smallest of lists.
///
/// # Errors
/// `Invalid`, with the field.
pub(crate) fn addable(rule: &Rule, schema: Option<&ObjectSchema>) -> Result<(), Fault> {
    for aggregate in &rule.calculated {
        let kind = schema.and_then(|schema| schema.field(&aggregate.field)).map(|field| &field.kind);
        if let Some(reason) = kind.and_then(|kind| aggregate.refuses(kind)) {
            return Err(Fault::new(FaultKind::Invalid, reason).field(&aggregate.field));
        }
    }
    Ok(())
}

impl Groups {
    pub(crate) fn add(&mut self, folding: Folding<'_>, row: &Record) {
        let rule = folding.rule;
        let names: &[String] = if rule.group_by.is_empty() { std::slice::from_ref(&rule.account) } else { &rule.group_by };
        let key: String = names.iter().map(|name| row.path(name).map_or_else(String::new, ToString::to_string) + SEPARATED).collect();
        self.rows += 1;
        self.note(rule, row);
        let shown = key.trim_end_matches(BETWEEN).replace(BETWEEN, "|");
        let at = *self.at.entry(key).or_insert_with(|| {
            let states = rule.calculated.iter().map(|_| State::default()).collect();
            self.list.push(Group { key: shown, first: row.clone(), states, wrong: None });
            self.list.len() - 1
        });
        let group = &mut self.list[at];
        for (aggregate, state) in rule.calculated.iter().zip(&mut group.states) {
            if let Err((field, value, reason)) = state.take(folding, aggregate, row)
                && group.wrong.is_none()
            {
                group.wrong = Some(Rejection {
                    key: group.key.clone(),
                    field: Some(field.to_owned()),
                    value: Some(brief(value)),
                    reason,
                    ..Rejection::default()
                });
            }
        }
    }

    /// Adds the group of an account without rows, unless it is there; whether it was added. Shown fields are null in it.
    pub(crate) fn add_silent(&mut self, rule: &Rule, account: Value) -> bool {
        let key = format!("{}{BETWEEN}", account_key(&account.to_string()));
        if self.at.contains_key(&key) {
            return false;
        }
        let mut first = Record::new();
        for name in rule.show.iter().filter(|name| *name != "*") {
            first.set(name.as_str(), Value::Null);
        }
        let shown = account.to_string();
        first.set(rule.account.as_str(), account);
        let states = rule.calculated.iter().map(|_| State::default()).collect();
        self.at.insert(key, self.list.len());
        self.list.push(Group { key: shown, first, states, wrong: None });
        true
    }

    /// The accounts of all groups, in the form in which they are compared.
    pub(crate) fn keys(&self, account: &str) -> HashSet<String> {
        let ids = self.list.iter().filter_map(|group| group.first.path(account)).filter(|id| !id.is_blank());
        ids.map(|id| account_key(&id.to_string())).collect()
    }

    pub(crate) fn len(&self) -> u64 {
        self.list.len() as u64
    }

    /// Notes which fields of aggregates there are at all.
    fn note(&mut self, rule: &Rule, row: &Record) {
        for name in fields(rule) {
            if !self.seen.contains(name) && row.path(name).is_some() {
                self.seen.insert(name.to_owned());
            }
        }
    }

    /// One row per group with its calculated fields set, or why there is none.
    ///
    /// # Errors
    /// `Invalid` when an aggregate reads a field that no row has: a total of nothing would look like a total.
    #[allow(clippy::result_large_err, reason = "a rejected group is rare, and told at once")]
    pub(crate) fn into_rows(self, rule: &Rule) -> Result<impl Iterator<Item = Result<Record, Rejection>>, Fault> {
        let missing = fields(rule).find(|name| self.rows > 0 && !self.seen.contains(*name));
        if let Some(name) = missing {
            return Err(
                Fault::new(FaultKind::Invalid, format!("no row of the source has the field `{name}`, which is to be calculated with")).field(name)
            );
        }
        Ok(self.list.into_iter().map(|group| {
            if let Some(wrong) = group.wrong {
                return Err(wrong);
            }
            let mut row = group.first;
            for (aggregate, state) in rule.calculated.iter().zip(&group.states) {
                let rejection =
                    |reason| Rejection { key: group.key.clone(), field: Some(aggregate.name.clone()), value: None, reason, ..Rejection::default() };
                let value = state.result(&aggregate.function).map_err(rejection)?;
                row.set(aggregate.name.as_str(), value);
            }
            Ok(row)
        }))
    }
}

/// The fields that aggregates read of a row.
fn fields(rule: &Rule) -> impl Iterator<Item = &str> {
    rule.calculated.iter().flat_map(|aggregate| {
        let field = (aggregate.field != EVERY_ROW).then_some(aggregate.field.as_str());
        field.into_iter().chain(aggregate.window.iter().map(|(field, _)| field.as_str()))
    })
}

/// Whether a row lies within the days up to and including the rule date.
fn within<'r>(folding: Folding<'_>, aggregate: &'r Aggregate, row: &'r Record) -> Result<bool, Unfit<'r>> {
    let Some((field, days)) = &aggregate.window else { return Ok(true) };
    let value = row.path(field).unwrap_or(&Value::Null);
    let fitted = match value {
        // Milliseconds since 1970, as Pendo keeps time.
        Value::Int(millis) => Timestamp::from_millisecond(*millis).ok().map(|at| Value::Date(day::day_of(at, folding.zone))),
        _ => FieldType::Date.fit(value, folding.zone).ok(),
    };
    match fitted {
        Some(Value::Date(day)) => {
            let first = folding.date.saturating_sub(jiff::Span::new().days(i64::from(*days)));
            Ok(day > first && day <= folding.date)
        }
        // What has no date lies in no window.
        Some(_) => Ok(false),
        None => Err((
            field,
            value,
            format!("{} is no date, so nobody knows whether the row is within the {days} days of `{}`", value.type_name(), aggregate.name),
        )),
    }
}

impl State {
    fn take<'r>(&mut self, folding: Folding<'_>, aggregate: &'r Aggregate, row: &'r Record) -> Result<(), Unfit<'r>> {
        if !within(folding, aggregate, row)? {
            return Ok(());
        }
        let value = row.path(&aggregate.field).unwrap_or(&Value::Null);
        if aggregate.field == EVERY_ROW {
            self.count += 1;
            return Ok(());
        }
        if value.is_blank() {
            return Ok(());
        }
        self.count += 1;
        let field = folding.schema.and_then(|schema| schema.field(&aggregate.field));
        self.add(&aggregate.function, value, field.map(|field| &field.kind), folding.zone).map_err(|reason| (aggregate.field.as_str(), value, reason))
    }

    fn add(&mut self, function: &str, value: &Value, kind: Option<&FieldType>, zone: &TimeZone) -> Result<(), String> {
        match function {
            "sum" | "avg" => self.sum.add(&number(function, value, kind, zone)?),
            "min" => self.better(function, typed(value, kind, zone)?, Ordering::Less),
            "max" => self.better(function, typed(value, kind, zone)?, Ordering::Greater),
            "first" => {
                self.first.get_or_insert_with(|| value.clone());
                Ok(())
            }
            "last" => {
                self.last = Some(value.clone());
                Ok(())
            }
            "count_distinct" => {
                self.distinct.insert(value.to_string());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Keeps the value if it is the better one. Values of different types have no order.
    fn better(&mut self, function: &str, value: Value, wanted: Ordering) -> Result<(), String> {
        if matches!(value, Value::Bool(_) | Value::List(_) | Value::Map(_)) {
            return Err(format!("`{function}` is of numbers, dates and texts, and this is a {}", value.type_name()));
        }
        match &self.best {
            None => self.best = Some(value),
            Some(best) => match value.compare(best) {
                Some(ordering) if ordering == wanted => self.best = Some(value),
                Some(_) => (),
                None => return Err(format!("`{function}` cannot tell a {} from a {}: the group has both", value.type_name(), best.type_name())),
            },
        }
        Ok(())
    }

    /// As the vendor's rules do: a sum over nothing is 0, an average, minimum or maximum over nothing is null.
    #[allow(clippy::cast_possible_wrap)]
    fn result(&self, function: &str) -> Result<Value, String> {
        Ok(match function {
            "sum" => self.sum.total()?,
            "avg" => self.sum.mean(self.count)?,
            "count" => Value::Int(self.count as i64),
            "count_distinct" => Value::Int(self.distinct.len() as i64),
            "min" | "max" => self.best.clone().unwrap_or_default(),
            "first" => self.first.clone().unwrap_or_default(),
            "last" => self.last.clone().unwrap_or_default(),
            _ => Value::Null,
        })
    }
}

/// A number to add. Text becomes one only where its field is one of numbers.
fn number(function: &str, value: &Value, kind: Option<&FieldType>, zone: &TimeZone) -> Result<Value, String> {
    match typed(value, kind, zone)? {
        number @ (Value::Int(_) | Value::Float(_)) => Ok(number),
        other => Err(format!("`{function}` adds numbers, and this is a {}", other.type_name())),
    }
}

/// The value as its field's type has it; without a type, as it came.
fn typed(value: &Value, kind: Option<&FieldType>, zone: &TimeZone) -> Result<Value, String> {
    match kind {
        Some(FieldType::Int { .. } | FieldType::Number { .. } | FieldType::Float) if !matches!(value, Value::Int(_) | Value::Float(_)) => {
            FieldType::Float.fit(value, zone).map_err(|misfit| misfit.0)
        }
        Some(kind @ (FieldType::Date | FieldType::DateTime { .. })) => kind.fit(value, zone).map_err(|misfit| misfit.0),
        _ => Ok(value.clone()),
    }
}
