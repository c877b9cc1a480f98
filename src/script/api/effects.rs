//! What the primitives of all namespaces share: building effects, and turning replies into script values.

use std::sync::Arc;

use rhai::{Array, Dynamic, EvalAltResult, Map, NativeCallContext};

use crate::model::{Change, Effect, Fault, FaultKind, ObjectSchema, Query, Read, Record, Reply, Request, RowOutcome, Source, System, Value, Write};
use crate::script::{
    desk::perform,
    failure::thrown,
    value::{from_dynamic, from_map, to_dynamic, to_map},
};

pub(super) type Outcome<T> = Result<T, Box<EvalAltResult>>;

/// Rows asked for at a time.
const PAGE: u32 = 2000;

pub(super) fn refuse<T>(message: impl Into<String>) -> Outcome<T> {
    Err(thrown(Fault::new(FaultKind::Invalid, message)))
}

/// Every record of a source, as maps. More than a list may hold is refused rather than cut.
pub(super) fn read_all(ctx: &NativeCallContext, source: &Source) -> Outcome<Array> {
    let (mut rows, mut after) = (Array::new(), None);
    loop {
        let read = Read { source: source.clone(), after, page_size: PAGE };
        let Reply::Page(page) = perform(ctx, Effect::Read(read))? else { return garbled("a page of records") };
        rows.extend(page.records.iter().map(|record| Dynamic::from(to_map(record))));
        if rows.len() > ctx.engine().max_array_size() {
            return refuse(format!("more than {} records: narrow the query, or declare a mapping", ctx.engine().max_array_size()));
        }
        after = page.next;
        if after.is_none() {
            return Ok(rows);
        }
    }
}

/// The one record of an object whose id has a value, with all its fields; null when there is none.
pub(super) fn read_one(ctx: &NativeCallContext, system: System, object: &str, by: &str, value: &str) -> Outcome<Dynamic> {
    let filter = crate::model::Filter::all(vec![(by.to_owned(), crate::model::Operator::Equal, Value::text(value))]);
    // Filters of PX ignore capitals, and its ids do not: there are as many records as there are spellings.
    let capitals_count = system == System::Px;
    let query = Query { filter: Some(filter), limit: (!capitals_count).then_some(1), ..Query::of(system, object) };
    let is_it = |record: &Dynamic| record.read_lock::<Map>().is_some_and(|record| record.get(by).is_some_and(|id| id.to_string() == value));
    let mut found = read_all(ctx, &Source::Object(query))?.into_iter().filter(|record| !capitals_count || is_it(record));
    Ok(found.next().unwrap_or(Dynamic::UNIT))
}

pub(super) fn describe(ctx: &NativeCallContext, system: System, object: &str) -> Outcome<Dynamic> {
    match perform(ctx, Effect::Describe { system, object: object.to_owned() })? {
        Reply::Schema(schema) => Ok(Dynamic::from(described(&schema))),
        _ => garbled("a schema"),
    }
}

/// Fields by name, each with its type and label.
fn described(schema: &ObjectSchema) -> Map {
    let text = |text: &str| Dynamic::from(text.to_owned());
    let fields: Map = schema
        .fields
        .iter()
        .map(|field| {
            let entry = Map::from([
                ("label".into(), text(&field.label)),
                ("type".into(), text(field.kind.word())),
                ("nillable".into(), field.nillable.into()),
                ("createable".into(), field.createable.into()),
                ("updateable".into(), field.updateable.into()),
                ("required".into(), field.required.into()),
            ]);
            (field.name.as_str().into(), Dynamic::from(entry))
        })
        .collect();
    Map::from([("name".into(), text(&schema.name)), ("label".into(), text(&schema.label)), ("fields".into(), fields.into())])
}

pub(super) fn objects(ctx: &NativeCallContext, system: System) -> Outcome<Dynamic> {
    value(perform(ctx, Effect::Objects { system })?)
}

/// One change; a refused row is thrown.
pub(super) fn write_one(ctx: &NativeCallContext, system: System, object: &str, change: Change) -> Outcome<Dynamic> {
    let outcome = write(ctx, system, object, vec![change])?.into_iter().next();
    match outcome {
        Some(RowOutcome { fault: Some(fault), .. }) => Err(thrown(fault)),
        Some(RowOutcome { id: Some(id), .. }) => Ok(id.into()),
        _ => Ok(Dynamic::UNIT),
    }
}

/// Many changes: a list of `#{ id, created, error }`, one for each row in order.
pub(super) fn write_many(ctx: &NativeCallContext, system: System, object: &str, changes: Vec<Change>) -> Outcome<Dynamic> {
    let outcomes = write(ctx, system, object, changes)?;
    let shown = outcomes.into_iter().map(|outcome| {
        let id = outcome.id.map_or(Dynamic::UNIT, Dynamic::from);
        let error = outcome.fault.map_or(Dynamic::UNIT, |fault| fault.to_string().into());
        Dynamic::from(Map::from([("id".into(), id), ("created".into(), outcome.created.into()), ("error".into(), error)]))
    });
    Ok(Dynamic::from(shown.collect::<Array>()))
}

fn write(ctx: &NativeCallContext, system: System, object: &str, rows: Vec<Change>) -> Outcome<Vec<RowOutcome>> {
    match perform(ctx, Effect::Write(Write { system, object: object.to_owned(), rows: Arc::new(rows) }))? {
        Reply::Written(outcomes) => Ok(outcomes),
        _ => garbled("row outcomes"),
    }
}

/// A call of a system's own API.
pub(super) fn request(ctx: &NativeCallContext, system: System, (method, path): (&str, &str), body: Option<Value>) -> Outcome<Dynamic> {
    let method = method.to_uppercase();
    if !["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].contains(&method.as_str()) {
        return refuse(format!("`{method}` is no HTTP method"));
    }
    // What is below the version's root of Salesforce needs no slash.
    if !path.starts_with('/') && system != System::Salesforce {
        return refuse(format!("the path `{path}` has to begin with `/`: it is relative to the system's base URL"));
    }
    let request = Request { system, method, path: path.to_owned(), query: Record::new(), body };
    value(perform(ctx, Effect::Request(request))?)
}

/// The same for a call that has to be answered with something: nothing comes with status 204 only.
pub(super) fn asked(ctx: &NativeCallContext, system: System, call: (&str, &str), body: Option<Value>) -> Outcome<Dynamic> {
    let answer = request(ctx, system, call, body)?;
    if answer.is_unit() {
        return Err(thrown(Fault::from_system(system, FaultKind::Garbled, "empty answer (status 204) where JSON is due")));
    }
    Ok(answer)
}

/// A reply that carries a plain value.
pub(super) fn value(reply: Reply) -> Outcome<Dynamic> {
    match reply {
        Reply::Value(value) => Ok(to_dynamic(&value)),
        Reply::Done => Ok(Dynamic::UNIT),
        _ => garbled("a value"),
    }
}

fn garbled<T>(wanted: &str) -> Outcome<T> {
    Err(thrown(Fault::new(FaultKind::Garbled, format!("the answer is not {wanted}"))))
}

/// An argument as plain data.
pub(super) fn data(value: &Dynamic) -> Outcome<Value> {
    from_dynamic(value).or_else(|what| refuse(format!("{what} cannot be sent")))
}

/// A map argument as a record.
pub(super) fn record(map: &Map) -> Outcome<Record> {
    from_map(map).or_else(|what| refuse(format!("{what} cannot be sent")))
}

/// A list of maps as records.
pub(super) fn records(rows: &Array) -> Outcome<Vec<Record>> {
    rows.iter()
        .map(|row| match row.as_map_ref() {
            Ok(map) => record(&map),
            Err(_) => refuse("a list of maps is wanted"),
        })
        .collect()
}

/// A record split into its key and the rest.
pub(super) fn keyed(mut fields: Record, key: &str) -> Outcome<(String, Record)> {
    match fields.remove(key) {
        Some(id) if !id.is_blank() => Ok((id.to_string(), fields)),
        _ => refuse(format!("every row needs its `{key}`")),
    }
}

pub(super) fn insert(fields: Record) -> Change {
    Change::Insert { key: String::new(), fields }
}

pub(super) fn update((id, fields): (String, Record)) -> Change {
    Change::Update { key: id.clone(), id, fields, before: Record::new() }
}

pub(super) fn upsert(by: &str, fields: Record) -> Outcome<Change> {
    match fields.get(by) {
        Some(key) if !key.is_blank() => Ok(Change::Upsert { key: key.to_string(), by: by.to_owned(), fields }),
        _ => refuse(format!("every row needs its `{by}`")),
    }
}

pub(super) fn delete(id: &str) -> Change {
    Change::Delete { key: id.to_owned(), id: id.to_owned(), before: Record::new() }
}
