//! Grouping rows: keys, and what is kept for each group.

use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
    sync::Arc,
};

use serde_json::{Map, Value};

use super::{
    datum::{Datum, Key, Quick},
    expression::Expression,
    grammar,
    row::{Body, Context, Name, Path, Row},
    stage::{only, paths},
};

/// A grouping; without keys everything is one group.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) keys: Vec<Path>,
    fields: Vec<(Aggregate, Expression)>,
    /// Of the rows that come out: keys, then fields.
    names: Arc<[Name]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aggregate {
    Sum,
    Average,
    /// Rows.
    Count,
    /// Different values.
    Distinct,
    Max,
    Min,
    First,
}

impl Group {
    /// Reads `{"group": [...], "fields": {...} or [{...}]}`.
    pub(super) fn parse(value: &Value) -> Result<Self, String> {
        let value = only(value.as_object().ok_or("group must be an object")?, "group", &["group", "fields"])?;
        Self::new(paths(value.get("group"))?, value.get("fields").unwrap_or(&Value::Null))
    }

    /// Reads the fields alone.
    pub(super) fn reduce(value: &Value) -> Result<Self, String> {
        Self::new(Vec::new(), value)
    }

    fn new(keys: Vec<Path>, fields: &Value) -> Result<Self, String> {
        let mut names: Vec<Name> = keys.iter().map(|key| Arc::clone(&key.text)).collect();
        let mut read = Vec::new();
        let mut add = |fields: &Map<String, Value>| -> Result<(), String> {
            for (name, aggregate) in fields {
                names.push(name.as_str().into());
                read.push(parse_aggregate(aggregate)?);
            }
            Ok(())
        };
        match fields {
            Value::Null => {}
            Value::Object(fields) => add(fields)?,
            Value::Array(list) => list.iter().try_for_each(|fields| add(fields.as_object().ok_or("fields must be objects")?))?,
            _ => return Err("fields must be an object or a list of objects".to_owned()),
        }
        Ok(Self { keys, fields: read, names: names.into() })
    }
}

fn parse_aggregate(value: &Value) -> Result<(Aggregate, Expression), String> {
    let wrong = || format!("not an aggregate: {value}");
    let mut parts = value.as_object().ok_or_else(wrong)?.iter();
    let (Some((name, of)), None) = (parts.next(), parts.next()) else { return Err(wrong()) };
    let aggregate = match name.as_str() {
        "sum" => Aggregate::Sum,
        "avg" => Aggregate::Average,
        "count" if of.is_null() => return Ok((Aggregate::Count, Expression::Constant(Datum::Null))),
        "count" => Aggregate::Distinct,
        "max" => Aggregate::Max,
        "min" => Aggregate::Min,
        "first" => Aggregate::First,
        _ => return Err(format!("unknown aggregate: {name}")),
    };
    Ok((aggregate, grammar::parse(of.as_str().ok_or_else(wrong)?)?))
}

/// What is kept of the rows of a group for one field.
enum State {
    Number { sum: f64, count: u64 },
    Distinct { values: HashSet<Key, Quick>, last: Option<Key> },
    Value(Option<Datum>),
}

impl Aggregate {
    fn begin(self) -> State {
        match self {
            Self::Sum | Self::Average | Self::Count => State::Number { sum: 0.0, count: 0 },
            Self::Distinct => State::Distinct { values: HashSet::default(), last: None },
            Self::Max | Self::Min | Self::First => State::Value(None),
        }
    }

    fn add(self, state: &mut State, value: Datum, context: &Context) {
        match state {
            State::Number { count, .. } if self == Self::Count => *count += 1,
            State::Number { sum, count } => {
                if let Some(number) = value.as_number() {
                    *sum += number;
                    *count += 1;
                }
            }
            State::Distinct { .. } | State::Value(_) if matches!(value, Datum::Null) => {}
            State::Distinct { values, last } => {
                // Rows of one visitor are neighbours: most values are the one just seen.
                let key = value.key(&context.company);
                if last.as_ref() != Some(&key) {
                    values.insert(key.clone());
                    *last = Some(key);
                }
            }
            State::Value(held) => {
                let better = match (self, &held) {
                    (_, None) => true,
                    (Self::Max, Some(held)) => value.order(held, &context.company) == Ordering::Greater,
                    (Self::Min, Some(held)) => value.order(held, &context.company) == Ordering::Less,
                    _ => false,
                };
                if better {
                    *held = Some(value);
                }
            }
        }
    }

    #[allow(clippy::cast_precision_loss)]
    fn end(self, state: State) -> Datum {
        match state {
            State::Number { count, .. } if self == Self::Count => Datum::Number(count as f64),
            State::Number { count: 0, .. } if self == Self::Average => Datum::Null,
            State::Number { sum, count } if self == Self::Average => Datum::Number(sum / count as f64),
            State::Number { sum, .. } => Datum::Number(sum),
            State::Distinct { values, .. } => Datum::Number(values.len() as f64),
            State::Value(held) => held.unwrap_or(Datum::Null),
        }
    }
}

/// The groups so far, in the order they came up.
pub(super) struct Groups {
    group: Arc<Group>,
    by_keys: HashMap<Box<[Key]>, usize, Quick>,
    states: Vec<(u64, Vec<Datum>, Vec<State>)>,
    /// The keys of the last row and their group.
    last: Option<(Vec<Key>, usize)>,
}

impl Groups {
    pub(super) fn new(group: &Arc<Group>) -> Self {
        let mut groups = Self { group: Arc::clone(group), by_keys: HashMap::default(), states: Vec::new(), last: None };
        if group.keys.is_empty() {
            groups.place(0, Vec::new(), Vec::new());
        }
        groups
    }

    pub(super) fn add(&mut self, row: &Row, context: &Context) {
        let company = &context.company;
        let same = |keys: &Vec<Key>| self.group.keys.iter().zip(keys).all(|(path, key)| row.get(path, context).key(company) == *key);
        let place = match &self.last {
            Some((keys, place)) if same(keys) => *place,
            _ => {
                let values: Vec<Datum> = self.group.keys.iter().map(|path| row.get(path, context)).collect();
                let keys = values.iter().map(|value| value.key(company)).collect();
                self.place(row.block, values, keys)
            }
        };
        for ((aggregate, of), state) in self.group.fields.iter().zip(&mut self.states[place].2) {
            aggregate.add(state, of.evaluate(row, context), context);
        }
    }

    fn place(&mut self, block: u64, values: Vec<Datum>, keys: Vec<Key>) -> usize {
        let place = match self.by_keys.get(keys.as_slice()) {
            Some(place) => *place,
            None => {
                let states = self.group.fields.iter().map(|(aggregate, _)| aggregate.begin()).collect();
                self.states.push((block, values, states));
                self.by_keys.insert(keys.clone().into(), self.states.len() - 1);
                self.states.len() - 1
            }
        };
        self.last = Some((keys, place));
        place
    }

    /// The rows of the groups so far; then it is empty again.
    pub(super) fn take(&mut self) -> Vec<Row> {
        self.by_keys.clear();
        self.last = None;
        let group = Arc::clone(&self.group);
        let rows = self.states.drain(..).map(|(block, mut values, states)| {
            values.extend(group.fields.iter().zip(states).map(|((aggregate, _), state)| aggregate.end(state)));
            Row::new(block, Body::Fields(Arc::clone(&group.names), values.into()))
        });
        rows.collect()
    }
}
