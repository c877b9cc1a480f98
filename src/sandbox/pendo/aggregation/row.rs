//! One row on its way through a pipeline, and reading its fields.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    datum::Datum,
    usage::{Event, EventField},
};
use crate::sandbox::{
    company::Company,
    documents,
    pendo::{people, state::Pendo},
};

/// What evaluation knows besides the row.
#[derive(Clone)]
pub(in crate::sandbox::pendo) struct Context {
    pub(in crate::sandbox::pendo) pendo: Arc<Pendo>,
    /// One instant for the whole pipeline, in milliseconds since the Unix epoch.
    pub(in crate::sandbox::pendo) now: i64,
    pub(in crate::sandbox::pendo) company: Company,
}

impl Context {
    pub(in crate::sandbox::pendo) fn new(pendo: &Arc<Pendo>) -> Self {
        Self { now: pendo.now(), company: pendo.company(), pendo: Arc::clone(pendo) }
    }
}

/// A field's name.
pub(super) type Name = Arc<str>;

/// The place of a value in a row: `a`, `a.b`, `a[0].b`.
#[derive(Debug, Clone)]
pub(super) struct Path {
    pub(super) first: Name,
    pub(super) rest: Vec<Step>,
    /// As it was written.
    pub(super) text: Name,
    event: Option<EventField>,
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    Field(Name),
    Index(usize),
}

impl Path {
    pub(super) fn new(first: &str, rest: Vec<Step>) -> Self {
        let step = |text: String, step: &Step| match step {
            Step::Field(name) => format!("{text}.{name}"),
            Step::Index(index) => format!("{text}[{index}]"),
        };
        let text = rest.iter().fold(first.to_owned(), step);
        Self { first: first.into(), event: EventField::named(first), rest, text: text.into() }
    }

    /// Whether it is a plain name.
    pub(super) fn is_plain(&self) -> bool {
        self.rest.is_empty()
    }
}

/// One row. Rows with the same block are neighbours where the pipeline says so.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) block: u64,
    pub(super) body: Body,
    /// Fields that stages put over those of the body.
    pub(super) added: Vec<(Name, Datum)>,
}

/// What a row was made of.
#[derive(Clone)]
pub(super) enum Body {
    Event(Event),
    Visitor(documents::Row),
    Account(documents::Row),
    /// A visitor and its account, as a segment's rule sees them.
    Member(Option<documents::Row>, Option<documents::Row>),
    Fields(Arc<[Name]>, Box<[Datum]>),
    Json(Arc<Map<String, Value>>),
}

impl Row {
    pub(super) fn new(block: u64, body: Body) -> Self {
        Self { block, body, added: Vec::new() }
    }

    pub(super) fn get(&self, path: &Path, context: &Context) -> Datum {
        if let Some((_, value)) = self.added.iter().find(|(name, _)| *name == path.first) {
            return drilled(value.clone(), &path.rest);
        }
        match &self.body {
            Body::Event(event) => path.event.map_or(Datum::Null, |field| drilled(event.get(field, context), &path.rest)),
            Body::Visitor(row) => recorded(row, path, "visitorId", context),
            Body::Account(row) => recorded(row, path, "accountId", context),
            Body::Member(_, account) if *path.first == *"account" => account.as_ref().map_or(Datum::Null, |row| grouped(row, &path.rest)),
            Body::Member(visitor, _) => visitor.as_ref().map_or(Datum::Null, |row| recorded(row, path, "visitorId", context)),
            Body::Fields(names, values) => {
                let found = names.iter().position(|name| *name == path.first);
                found.map_or(Datum::Null, |place| drilled(values[place].clone(), &path.rest))
            }
            Body::Json(fields) => fields.get(path.first.as_ref()).map_or(Datum::Null, |value| within(value, &path.rest)),
        }
    }

    /// Puts a field over the others.
    pub(super) fn put(&mut self, name: &Name, value: Datum) {
        match self.added.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value,
            None => self.added.push((Arc::clone(name), value)),
        }
    }

    /// The whole row as it is answered.
    pub(super) fn into_json(self, context: &Context) -> Map<String, Value> {
        let company = &context.company;
        let mut shown = match self.body {
            Body::Event(event) => event.into_json(context),
            Body::Visitor(row) => record("visitorId", &row),
            Body::Account(row) => record("accountId", &row),
            Body::Member(visitor, _) => visitor.map_or_else(Map::new, |row| record("visitorId", &row)),
            Body::Fields(names, values) => {
                names.iter().zip(values).map(|(name, value)| (name.as_ref().to_owned(), value.into_json(company))).collect()
            }
            Body::Json(fields) => Arc::unwrap_or_clone(fields),
        };
        for (name, value) in self.added {
            shown.insert(name.as_ref().to_owned(), value.into_json(company));
        }
        shown
    }
}

/// A visitor or account as an aggregation shows it.
fn record(id: &str, row: &documents::Row) -> Map<String, Value> {
    Map::from_iter([(id.to_owned(), Value::from(row.id())), ("metadata".to_owned(), people::metadata(row, None))])
}

/// A field of a visitor or account.
fn recorded(row: &documents::Row, path: &Path, id: &str, context: &Context) -> Datum {
    if *path.first == *id && path.rest.is_empty() {
        return match row.index() {
            Some(index) if id == "visitorId" => Datum::Visitor(index),
            Some(index) => Datum::Account(index),
            None => Datum::id(&row.id(), &context.company),
        };
    }
    match (path.first.as_ref(), path.rest.as_slice()) {
        ("metadata", [Step::Field(_), Step::Field(_)]) => people::value(row, &path.text).into(),
        ("metadata", rest) => grouped(row, rest),
        _ => Datum::Null,
    }
}

/// What a row's metadata says at a place of group and field.
fn grouped(row: &documents::Row, steps: &[Step]) -> Datum {
    match steps {
        [] => people::metadata(row, None).into(),
        [Step::Field(group)] => people::metadata(row, Some(group)).into(),
        [Step::Field(group), Step::Field(field), rest @ ..] => within(&people::value(row, &format!("metadata.{group}.{field}")), rest),
        _ => Datum::Null,
    }
}

/// What a row says at a dotted place below a value.
fn drilled(value: Datum, steps: &[Step]) -> Datum {
    match (steps, &value) {
        ([], _) => value,
        (_, Datum::Json(json)) => within(json, steps),
        _ => Datum::Null,
    }
}

fn within(value: &Value, steps: &[Step]) -> Datum {
    let mut place = value;
    for step in steps {
        let next = match step {
            Step::Field(name) => place.get(name.as_ref()),
            Step::Index(index) => place.get(*index),
        };
        let Some(next) = next else { return Datum::Null };
        place = next;
    }
    Datum::from(place)
}
