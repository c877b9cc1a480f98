//! Metadata values in bulk, 500 records a call, one group at a time.

use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde::{Deserialize, Serialize};

use crate::model::{Change, Fault, FaultKind, FieldType, Name, Record, RowOutcome, System, TimeZone, Value, Write};

use super::{
    Pendo,
    schema::{Schema, id_field, kind_of, parts},
};
use crate::connectors::{
    http::{Repeat, garbled, invalid},
    outcomes::{Outcomes, failed, written},
};

/// Records of one call; Pendo publishes no limit, connectors use 100 to 1,000.
const ROWS_A_CALL: usize = 500;

/// A row's values of one group.
struct Row<'a> {
    at: usize,
    id: &'a str,
    values: Vec<(&'a str, Value)>,
}

#[derive(Serialize)]
struct WireRow<'a> {
    #[serde(rename = "accountId", skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    #[serde(rename = "visitorId", skip_serializing_if = "Option::is_none")]
    visitor: Option<&'a str>,
    values: Record,
}

#[derive(Deserialize)]
struct WireAnswer {
    #[serde(default)]
    failed: usize,
    #[serde(default)]
    missing: Option<Vec<Value>>,
}

impl Pendo {
    /// One outcome per row, in order. A row with fields of several groups succeeds when all of them are written.
    pub(in crate::connectors) async fn write(&self, write: &Write) -> Result<Vec<RowOutcome>, Fault> {
        let Some(kind) = kind_of(&write.object) else {
            return Err(invalid(System::Pendo, format!("only accounts and visitors have metadata to write, not `{}`", write.object)));
        };
        self.add_missing_fields(kind, &write.rows).await?;
        let schema = self.schema(kind).await?;
        let mut outcomes = Outcomes::new(write.rows.len());
        for create in [false, true] {
            let mut refused = Vec::new();
            let groups = grouped(kind, create, &write.rows, (&schema, &self.zone), &mut refused);
            for (at, fault) in refused {
                outcomes.put(std::iter::once(at), Ok(vec![failed(fault)]));
            }
            for (group, rows) in groups {
                self.write_group(kind, group, create, rows, &mut outcomes).await;
            }
        }
        outcomes.finish()
    }

    async fn write_group(&self, kind: &'static str, group: &str, create: bool, mut rows: Vec<Row<'_>>, outcomes: &mut Outcomes) {
        rows.retain(|row| outcomes.fault(row.at).is_none());
        let halt = outcomes.halt();
        let batches = rows.chunks(ROWS_A_CALL).map(|batch| {
            let halt = halt.clone();
            async move {
                let result = match halt.get() {
                    Some(fault) => Err(fault),
                    None => self.isolate(kind, group, create, batch).await,
                };
                if let Err(fault) = &result {
                    halt.set_if_systemic(fault);
                }
                (batch, result)
            }
        });
        let mut answers = stream::iter(batches).buffer_unordered(2);
        while let Some((batch, result)) = answers.next().await {
            outcomes.put(batch.iter().map(|row| row.at), result);
        }
    }

    /// One call; where rows failed that the answer does not name, the batch is halved until they stand alone.
    async fn isolate(&self, kind: &'static str, group: &str, create: bool, batch: &[Row<'_>]) -> Result<Vec<RowOutcome>, Fault> {
        let answer = self.batch(kind, group, create, batch).await;
        let (failures, missing) = match answer {
            Ok(answer) => (answer.failed, answer.missing.unwrap_or_default()),
            Err(fault) if fault.kind == FaultKind::Invalid && batch.len() > 1 => (usize::MAX, Vec::new()),
            Err(fault) if fault.kind == FaultKind::Invalid => return Ok(vec![failed(fault)]),
            Err(fault) => return Err(fault),
        };
        let missing: std::collections::HashSet<String> = missing.iter().map(Value::to_string).collect();
        let (absent, present): (Vec<&Row<'_>>, Vec<&Row<'_>>) = batch.iter().partition(|row| missing.contains(row.id));
        if failures <= absent.len() {
            return Ok(batch.iter().map(|row| outcome(kind, row, missing.contains(row.id), create)).collect());
        }
        if let ([_], []) = (present.as_slice(), absent.as_slice()) {
            let message = "Pendo refused the values, most likely for their type, without saying why";
            return Ok(vec![failed(Fault::from_system(System::Pendo, FaultKind::Invalid, message))]);
        }
        self.halves(kind, group, create, batch).await
    }

    async fn halves(&self, kind: &'static str, group: &str, create: bool, batch: &[Row<'_>]) -> Result<Vec<RowOutcome>, Fault> {
        let (left, right) = batch.split_at(batch.len() / 2);
        let mut all = Vec::with_capacity(batch.len());
        for half in [left, right].into_iter().filter(|half| !half.is_empty()) {
            match Box::pin(self.isolate(kind, group, create, half)).await {
                Ok(mut outcomes) => all.append(&mut outcomes),
                Err(fault) => all.extend(half.iter().map(|_| failed(fault.clone()))),
            }
        }
        Ok(all)
    }

    async fn batch(&self, kind: &str, group: &str, create: bool, batch: &[Row<'_>]) -> Result<WireAnswer, Fault> {
        let visitor = kind == "visitor";
        let wire: Vec<WireRow<'_>> = batch
            .iter()
            .map(|row| WireRow {
                account: (!visitor).then_some(row.id),
                visitor: visitor.then_some(row.id),
                values: row.values.iter().map(|(name, value)| (Name::new(name), value.clone())).collect(),
            })
            .collect();
        // Setting a value twice sets it once.
        let mut call = self.call(Method::POST, &format!("metadata/{kind}/{group}/value")).repeat(Repeat::Always);
        if create {
            call = call.query("create", "true");
        }
        self.http.json(&call.json(System::Pendo, &wire)?).await
    }

    /// Fields that rows name and the schema lacks are created, typed by their first value.
    async fn add_missing_fields(&self, kind: &'static str, rows: &[Change]) -> Result<(), Fault> {
        let schema = self.schema(kind).await?;
        let mut missing: Vec<(&str, Option<&'static str>)> = Vec::new();
        for (path, value) in rows.iter().filter_map(Change::fields).flat_map(Record::iter) {
            if schema.has(path) || parts(path).is_none() {
                continue;
            }
            match missing.iter_mut().find(|(known, _)| known == path) {
                Some((_, known)) => *known = known.or_else(|| wire_type(value)),
                None => missing.push((path, wire_type(value))),
            }
        }
        for (path, wire) in missing {
            self.add_field(kind, path, "", wire.unwrap_or("string")).await?;
        }
        Ok(())
    }
}

/// Pendo's word for a value's type; none for null.
const fn wire_type(value: &Value) -> Option<&'static str> {
    match value {
        Value::Null => None,
        Value::Bool(_) => Some("boolean"),
        Value::Int(_) | Value::Float(_) => Some("number"),
        Value::Date(_) | Value::Instant(_) => Some("time"),
        Value::Text(_) | Value::List(_) | Value::Map(_) => Some("string"),
    }
}

/// Rows by metadata group. `create` picks inserts and upserts, else updates.
fn grouped<'a>(
    kind: &str,
    create: bool,
    rows: &'a [Change],
    (schema, zone): (&Schema, &TimeZone),
    refused: &mut Vec<(usize, Fault)>,
) -> Vec<(&'a str, Vec<Row<'a>>)> {
    let mut groups: Vec<(&str, Vec<Row<'_>>)> = Vec::new();
    for (at, change) in rows.iter().enumerate() {
        let (id, fields) = match change {
            Change::Update { id, fields, .. } if !create => (Some(id.as_str()), fields),
            Change::Insert { fields, .. } | Change::Upsert { fields, .. } if create => (fields.get(id_field(kind)).and_then(Value::as_str), fields),
            Change::Delete { .. } if create => {
                refused.push((at, invalid(System::Pendo, "accounts and visitors are not deleted through metadata")));
                continue;
            }
            _ => continue,
        };
        let Some(id) = id else {
            refused.push((at, invalid(System::Pendo, format!("the row has no {}", id_field(kind))).field(id_field(kind))));
            continue;
        };
        for (path, value) in fields.iter().filter(|(path, _)| *path != id_field(kind)) {
            match parts(path) {
                None => refused.push((at, invalid(System::Pendo, format!("`{path}` is no metadata field")).field(path.as_str()))),
                Some((group, name)) => match on_the_wire(schema, path, value, zone) {
                    Ok(value) => put(&mut groups, group, at, id, (name, value)),
                    Err(fault) => refused.push((at, fault)),
                },
            }
        }
    }
    groups
}

fn put<'a>(groups: &mut Vec<(&'a str, Vec<Row<'a>>)>, group: &'a str, at: usize, id: &'a str, value: (&'a str, Value)) {
    let place = groups.iter().position(|(known, _)| *known == group).unwrap_or_else(|| {
        groups.push((group, Vec::new()));
        groups.len() - 1
    });
    match groups[place].1.last_mut() {
        Some(row) if row.at == at => row.values.push(value),
        _ => groups[place].1.push(Row { at, id, values: vec![value] }),
    }
}

/// Times are milliseconds since 1970, in fields of that type.
fn on_the_wire(schema: &Schema, path: &str, value: &Value, zone: &TimeZone) -> Result<Value, Fault> {
    // Milliseconds already.
    if !schema.is_time(path) || matches!(value, Value::Int(_)) {
        return Ok(value.clone());
    }
    match (FieldType::DateTime { millis: true }).fit(value, zone) {
        Ok(Value::Instant(at)) => Ok(Value::Int(at.as_millisecond())),
        Ok(other) => Ok(other),
        Err(misfit) => Err(invalid(System::Pendo, misfit.0).field(path)),
    }
}

fn outcome(kind: &str, row: &Row<'_>, missing: bool, create: bool) -> RowOutcome {
    if missing && !create {
        let message = format!("Pendo has no {kind} `{}`", row.id);
        return failed(Fault::from_system(System::Pendo, FaultKind::NotFound, message));
    }
    if missing {
        return failed(garbled(System::Pendo, format!("the {kind} was not made")));
    }
    written(Some(row.id.to_owned()), create)
}
