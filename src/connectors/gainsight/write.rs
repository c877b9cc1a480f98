//! Inserts, updates, upserts and deletes, 50 rows a call. One bad row has the whole call refused, so calls are halved until it stands alone.

use std::collections::HashMap;

use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use crate::{
    connectors::{
        http::{Repeat, broken_json, escape, invalid},
        outcomes::{Outcomes, failed, written},
    },
    model::{Bounds, Change, Fault, FaultKind, KeyRule, Lookup, Record, RowOutcome, System, Value, Write},
};

use super::{Gainsight, describe::Described, names::Names};

/// Rows of one call.
const ROWS_A_CALL: usize = 50;
/// Calls in flight.
const PARALLEL: usize = 4;

/// What one call does with its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Operation {
    Insert,
    Update,
    Delete,
}

/// A row on its way: its place in the request, its id where it has one, its fields under Gainsight's names.
#[derive(Debug, Clone)]
pub(super) struct Row<'a> {
    pub at: usize,
    pub id: Option<String>,
    pub fields: Map<String, Json>,
    pub change: &'a Change,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    records: Option<Vec<Inserted>>,
}

#[derive(Deserialize)]
struct Inserted {
    #[serde(rename = "Gsid", alias = "gsid", alias = "GSID")]
    gsid: Option<String>,
}

impl Gainsight {
    /// One outcome per row, in order. A fault for the whole when nothing at all could be written.
    pub(in crate::connectors) async fn write(&self, write: &Write) -> Result<Vec<RowOutcome>, Fault> {
        let names = Names::of(&write.object);
        let mut outcomes = Outcomes::new(write.rows.len());
        let existing = self.existing(write).await?;
        // Calls to action name their choices by labels.
        let object = if names.by_labels() { None } else { Some(self.described(names.object(&write.object)).await?) };
        for operation in [Operation::Insert, Operation::Update, Operation::Delete] {
            let mut rows = rows_of(names, operation, &write.rows, &existing);
            if let Some(object) = &object {
                rows.retain_mut(|row| match within(&write.object, row.change).and_then(|()| by_ids(object, &mut row.fields)) {
                    Ok(()) => true,
                    Err(fault) => {
                        outcomes.set(row.at, RowOutcome { id: row.id.clone(), ..failed(fault) });
                        false
                    }
                });
            }
            if let Some(api) = names.cockpit().filter(|_| !rows.is_empty()) {
                self.in_batches(rows, ROWS_A_CALL, &mut outcomes, async |batch| self.ctas((names, api), operation, batch).await).await;
                continue;
            }
            match (names, write.object.as_str()) {
                _ if rows.is_empty() => {}
                (Names::Timeline, _) => self.in_batches(rows, 1, &mut outcomes, async |batch| self.activities(operation, batch).await).await,
                (_, object) if object.eq_ignore_ascii_case("person") && operation != Operation::Delete => {
                    self.in_batches(rows, 1, &mut outcomes, async |batch| self.people(operation, batch).await).await;
                }
                (_, object) => {
                    let object = names.object(object);
                    let size = if operation == Operation::Delete { 1 } else { ROWS_A_CALL };
                    self.in_batches(rows, size, &mut outcomes, async |batch| self.isolate(object, operation, batch).await).await;
                }
            }
        }
        outcomes.finish()
    }

    /// For upserts, what is there already: the object API has no upsert of its own.
    async fn existing(&self, write: &Write) -> Result<HashMap<usize, String>, Fault> {
        let mut by_field: HashMap<&str, Vec<(usize, String)>> = HashMap::new();
        for (at, change) in write.rows.iter().enumerate() {
            if let Change::Upsert { by, fields, .. } = change
                && let Some(key) = fields.get(by).filter(|key| !key.is_blank())
            {
                by_field.entry(by).or_default().push((at, key.to_string()));
            }
        }
        let mut existing = HashMap::new();
        for (by, rows) in by_field {
            let keys = rows.iter().map(|(_, key)| Value::text(key)).collect();
            let (system, object) = (System::Gainsight, write.object.clone());
            let lookup = Lookup { system, object, by: by.to_owned(), keys, fields: Vec::new(), filter: None };
            let found = self.lookup(&lookup).await?;
            let names = Names::of(&write.object);
            let described = self.described(names.object(&write.object)).await?;
            let rule = described.schema.field(&names.wire(by)).map_or(KeyRule::Folded, |field| KeyRule::of(System::Gainsight, field));
            let id = |row: &Record| row.get("Gsid").map(Value::to_string);
            let ids: HashMap<String, String> = found.iter().filter_map(|row| Some((rule.held(row.get(by)?), id(row)?))).collect();
            existing.extend(rows.into_iter().filter_map(|(at, key)| Some((at, ids.get(&rule.held(&Value::text(key)))?.clone()))));
        }
        Ok(existing)
    }

    async fn in_batches<'a>(
        &self,
        rows: Vec<Row<'a>>,
        size: usize,
        outcomes: &mut Outcomes,
        send: impl AsyncFn(&[Row<'a>]) -> Result<Vec<RowOutcome>, Fault>,
    ) {
        let (halt, send) = (outcomes.halt(), &send);
        let batches = rows.chunks(size).map(|batch| {
            let halt = halt.clone();
            async move {
                let result = match halt.get() {
                    Some(fault) => Err(fault),
                    None => send(batch).await,
                };
                if let Err(fault) = &result {
                    halt.set_if_systemic(fault);
                }
                (batch, result)
            }
        });
        let mut answers = stream::iter(batches).buffer_unordered(PARALLEL);
        while let Some((batch, result)) = answers.next().await {
            outcomes.put(batch.iter().map(|row| row.at), result);
        }
    }

    /// One call, halved as long as it is refused for what is in its rows.
    async fn isolate(&self, object: &str, operation: Operation, batch: &[Row<'_>]) -> Result<Vec<RowOutcome>, Fault> {
        match self.batch(object, operation, batch).await {
            Err(fault) if batch.len() > 1 && may_be_one_row(&fault) => {
                let (left, right) = batch.split_at(batch.len() / 2);
                let mut all = Vec::with_capacity(batch.len());
                for half in [left, right] {
                    match Box::pin(self.isolate(object, operation, half)).await {
                        Ok(mut outcomes) => all.append(&mut outcomes),
                        Err(fault) => all.extend(half.iter().map(|_| failed(fault.clone()))),
                    }
                }
                Ok(all)
            }
            Err(fault) if matches!(fault.kind, FaultKind::Invalid | FaultKind::NotFound | FaultKind::Conflict) => {
                Ok(batch.iter().map(|row| RowOutcome { id: row.id.clone(), ..failed(fault.clone()) }).collect())
            }
            other => other,
        }
    }

    async fn batch(&self, object: &str, operation: Operation, batch: &[Row<'_>]) -> Result<Vec<RowOutcome>, Fault> {
        let path = format!("/v1/data/objects/{}", escape(object));
        let call = match operation {
            Operation::Insert => self.call(Method::POST, &path),
            Operation::Update => self.call(Method::PUT, &path).query("keys", "Gsid"),
            Operation::Delete => {
                let id = batch.iter().find_map(|row| row.id.as_deref()).unwrap_or_default();
                let call = self.call(Method::DELETE, &format!("{path}/{}", escape(id)));
                self.data(&call, |_| Ok(())).await?;
                return Ok(batch.iter().map(|row| written(row.id.clone(), false)).collect());
            }
        };
        let records: Vec<&Map<String, Json>> = batch.iter().map(|row| &row.fields).collect();
        let call = call.json(System::Gainsight, &json!({"records": records}))?;
        let ids = self.data(&call, |data| ids(data, operation, batch.len())).await?;
        let outcome =
            |(at, row): (usize, &Row<'_>)| written(row.id.clone().or_else(|| ids.get(at).cloned().flatten()), operation == Operation::Insert);
        Ok(batch.iter().enumerate().map(outcome).collect())
    }
}

/// Whether a refusal may be for what a single row holds: an unknown object or field is one of all rows.
fn may_be_one_row(fault: &Fault) -> bool {
    match fault.kind {
        FaultKind::Invalid | FaultKind::Conflict => true,
        // An update that matches no row.
        FaultKind::NotFound => fault.code.as_deref() == Some("GSOBJ_1011"),
        _ => false,
    }
}

/// The new rows' ids, if the answer has one for each.
fn ids(data: &str, operation: Operation, rows: usize) -> Result<Vec<Option<String>>, Fault> {
    if operation != Operation::Insert {
        return Ok(Vec::new());
    }
    let answer: Answer = serde_json::from_str(data).map_err(|error| broken_json(System::Gainsight, &error))?;
    let inserted = answer.records.unwrap_or_default();
    if inserted.len() != rows {
        return Ok(Vec::new());
    }
    Ok(inserted.into_iter().map(|row| row.gsid).collect())
}

/// The rows that one operation is for. An upsert is an update of what exists, else an insert.
fn rows_of<'a>(names: Names, operation: Operation, changes: &'a [Change], existing: &HashMap<usize, String>) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    for (at, change) in changes.iter().enumerate() {
        let (meant, id, fields) = match change {
            Change::Insert { fields, .. } => (Operation::Insert, None, Some(fields)),
            Change::Update { id, fields, .. } => (Operation::Update, Some(id.clone()), Some(fields)),
            Change::Upsert { fields, .. } => match existing.get(&at) {
                Some(id) => (Operation::Update, Some(id.clone()), Some(fields)),
                None => (Operation::Insert, None, Some(fields)),
            },
            Change::Delete { id, .. } => (Operation::Delete, Some(id.clone()), None),
        };
        if meant == operation {
            rows.push(Row { at, fields: wire_fields(names, fields, id.as_deref()), id, change });
        }
    }
    rows
}

fn wire_fields(names: Names, fields: Option<&Record>, id: Option<&str>) -> Map<String, Json> {
    let mut wire = Map::new();
    if let Some(id) = id {
        wire.insert("Gsid".to_owned(), id.into());
    }
    for (name, value) in fields.into_iter().flat_map(Record::iter).filter(|(name, _)| !name.eq_ignore_ascii_case("gsid")) {
        let key = match names {
            _ if names.by_labels() => name.to_string(),
            _ => names.wire(name).to_string(),
        };
        wire.insert(key, json_of(value));
    }
    wire
}

/// Puts the ids of options in the place of their labels.
fn by_ids(object: &Described, fields: &mut Map<String, Json>) -> Result<(), Fault> {
    for (name, value) in fields.iter_mut().filter(|(_, value)| !value.is_null()) {
        if let Some(dropdown) = object.dropdown(name) {
            let ids = dropdown.ids(&Value::from(value.clone())).map_err(|why| invalid(System::Gainsight, why).field(name))?;
            *value = if ids.is_empty() { Json::Null } else { ids.into() };
        }
    }
    Ok(())
}

/// Refuses numbers that mean nothing in their fields.
fn within(object: &str, change: &Change) -> Result<(), Fault> {
    for (name, value) in change.fields().into_iter().flat_map(Record::iter) {
        let checked = Bounds::of(System::Gainsight, object, name).map_or(Ok(()), |bounds| bounds.check(value));
        checked.map_err(|misfit| invalid(System::Gainsight, misfit.0).field(name.clone()))?;
    }
    Ok(())
}

fn json_of(value: &Value) -> Json {
    match value {
        value if value.is_blank() => Json::Null,
        Value::Instant(at) => at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string().into(),
        Value::List(items) => items.iter().map(Value::to_string).collect::<Vec<_>>().join(";").into(),
        value => value.into(),
    }
}

/// The fault of a row that lacks what its API identifies it by.
pub(super) fn lacking(what: &str) -> Fault {
    invalid(System::Gainsight, format!("the row has no {what}")).field(what)
}

/// Whether a call may be made again when its answer was lost.
pub(super) const fn repeat(operation: Operation) -> Repeat {
    match operation {
        Operation::Insert => Repeat::UnlessSent,
        Operation::Update | Operation::Delete => Repeat::Always,
    }
}
