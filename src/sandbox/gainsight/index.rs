//! Rows by a field's value, without looking at all of them: seeded ones by the company's own way back, written ones by an index that
//! is made when it is first asked for. What it finds is a superset: the condition is evaluated on every row it gives.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

use serde_json::{Map, Value};
use xxhash_rust::xxh3::xxh3_64;

use super::{objects::Object, tenant::Tenant};
use crate::sandbox::{
    company::ids,
    documents::{Change, Row},
};

/// The fields whose values lead to rows.
const INDEXED: &[(&str, &[&str])] = &[
    ("Company", &["SfdcAccountId", "Name"]),
    ("Person", &["Email", "SfdcContactId"]),
    ("Company_Person", &["Person_ID", "Company_ID"]),
    ("call_to_action", &["CompanyId"]),
    ("cta_group", &["CompanyId"]),
    ("cs_task", &["CtaId"]),
    ("activity_timeline", &["ExternalId", "GsCompanyId"]),
    ("measure_scores__gc", &["CompanyId__gc"]),
    ("usage_data__gc", &["CompanyId__gc"]),
];

/// Numbers of rows by the hash of a written value.
type Index = HashMap<u64, Rows>;

/// Mostly one.
#[derive(Debug)]
enum Rows {
    One(u64),
    More(Vec<u64>),
}

impl Rows {
    fn add(&mut self, number: u64) {
        match self {
            Self::One(known) if *known == number => {}
            Self::One(known) => *self = Self::More(vec![*known, number]),
            Self::More(known) if known.contains(&number) => {}
            Self::More(known) => known.push(number),
        }
    }

    fn numbers(&self) -> &[u64] {
        match self {
            Self::One(number) => std::slice::from_ref(number),
            Self::More(numbers) => numbers,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Indexes(Mutex<HashMap<(&'static str, &'static str), Index>>);

fn indexed(object: &Object) -> &'static [&'static str] {
    INDEXED.iter().find(|(name, _)| *name == object.name).map_or(&[], |(_, fields)| fields)
}

/// Values that differ only in capitals share a place: a condition may compare them as equal.
fn key(value: &Value) -> u64 {
    xxh3_64(value.as_str().unwrap_or_default().to_lowercase().as_bytes())
}

/// What a change does to the indexes.
#[derive(Debug)]
pub(super) struct Note {
    object: &'static Object,
    /// The number of the row's id.
    number: u64,
    values: Vec<(&'static str, Value)>,
}

impl Note {
    /// None for a change that leads nowhere new.
    pub(super) fn of(object: &'static Object, change: &Change) -> Option<Self> {
        let fields: &Map<String, Value> = match change {
            Change::Insert(_, fields) | Change::Update(_, fields) => fields,
            Change::Delete(_) => return None,
        };
        let values: Vec<_> = indexed(object).iter().filter_map(|name| Some((*name, fields.get(*name)?.clone()))).collect();
        let number = ids::gainsight_number(object.prefix, change.id())?;
        (!values.is_empty()).then_some(Self { object, number, values })
    }
}

impl Indexes {
    /// Adds a written row to the indexes that have been made.
    pub(super) fn note(&self, note: &Note) {
        let mut indexes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (field, value) in &note.values {
            if let Some(index) = indexes.get_mut(&(note.object.name, *field)) {
                index.entry(key(value)).and_modify(|rows| rows.add(note.number)).or_insert(Rows::One(note.number));
            }
        }
    }
}

impl Tenant {
    /// Rows that may have one of the values in the field, by ascending id; none when only looking at all rows tells.
    pub(super) fn rows_by(&self, object: &'static Object, field: &str, values: &[Value]) -> Option<Vec<Row>> {
        let numbers = if field == "Gsid" {
            values.iter().filter_map(|value| ids::gainsight_number(object.prefix, value.as_str()?)).collect()
        } else {
            self.numbers_by(object, field, values)?
        };
        let mut numbers: Vec<u64> = numbers.into_iter().collect();
        numbers.sort_unstable();
        Some(numbers.into_iter().filter_map(|number| self.get(object, &ids::gainsight(object.prefix, number))).collect())
    }

    fn numbers_by(&self, object: &'static Object, field: &str, values: &[Value]) -> Option<HashSet<u64>> {
        let field = *indexed(object).iter().find(|name| **name == field)?;
        let mut numbers = HashSet::new();
        for value in values {
            numbers.extend(self.seed(object).find(field, value)?.into_iter().map(|index| index + 1));
        }
        let mut indexes = self.indexes.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = indexes.entry((object.name, field)).or_insert_with(|| self.made(object, field));
        for value in values {
            numbers.extend(index.get(&key(value)).map_or(&[][..], Rows::numbers));
        }
        Some(numbers)
    }

    fn made(&self, object: &Object, field: &str) -> Index {
        let mut index = Index::new();
        for row in self.table(object).written() {
            if let Some(value) = row.written(field)
                && let Some(number) = ids::gainsight_number(object.prefix, &row.id())
            {
                index.entry(key(&value)).and_modify(|rows| rows.add(number)).or_insert(Rows::One(number));
            }
        }
        index
    }
}
