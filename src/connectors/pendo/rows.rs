//! Rows as a stream sorted by key: of an aggregation in bounded memory, where a cut connection is taken up again behind the last row, or held
//! whole.

use std::time::Duration;

use serde::de::DeserializeSeed;
use serde_json::json;

use crate::model::{Fault, FaultKind, Name, Record, System, Value};

use super::{Pendo, splitter::Splitter};
use crate::connectors::{
    http::{Streamed, broken_json, garbled},
    rows::{Columns, RowSeed},
};

/// A stream of rows.
pub(super) struct Rows {
    /// The pipeline up to where its rows are complete, without order.
    stages: Vec<serde_json::Value>,
    /// How the key is called on the wire and in the records.
    wire_key: String,
    pub key: Name,
    columns: Columns,
    last: Option<Value>,
    open: Option<(Streamed, Splitter)>,
    done: bool,
    /// Rows that came in one answer and wait to be given out.
    held: std::vec::IntoIter<Record>,
    waits: Option<Box<dyn Iterator<Item = Duration> + Send>>,
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("key", &self.key).field("done", &self.done).finish_non_exhaustive()
    }
}

impl Rows {
    /// Rows behind `after`, or all.
    pub(super) fn new(stages: Vec<serde_json::Value>, (wire_key, key): (&str, &str), columns: Columns, after: Option<Value>) -> Self {
        let (wire_key, key) = (wire_key.to_owned(), Name::new(key));
        Self { stages, wire_key, key, columns, last: after, open: None, done: false, held: Vec::new().into_iter(), waits: None }
    }

    /// Rows that are there already. Where one of them stands is its number, since their key need not be theirs alone.
    pub(super) fn held(rows: Vec<Record>, key: &str, after: Option<&Value>) -> Self {
        let given = after.and_then(Value::as_i64).and_then(|given| usize::try_from(given).ok()).unwrap_or_default();
        let mut held = rows.into_iter();
        if given > 0 {
            held.nth(given - 1);
        }
        Self {
            last: Some(Value::Int(i64::try_from(given).unwrap_or_default())),
            done: true,
            held,
            ..Self::new(Vec::new(), (key, key), Columns::default(), None)
        }
    }

    /// The key of the last row given out.
    pub(super) const fn last(&self) -> Option<&Value> {
        self.last.as_ref()
    }

    pub(super) async fn next(&mut self, pendo: &Pendo) -> Result<Option<Record>, Fault> {
        if let Some(row) = self.held.next() {
            self.last = self.last.as_ref().and_then(Value::as_i64).map(|given| Value::Int(given + 1));
            return Ok(Some(row));
        }
        while !self.done {
            let Some((source, splitter)) = &mut self.open else {
                self.open(pendo).await?;
                continue;
            };
            if let Some(element) = splitter.next() {
                let record = parse(element, &self.columns)?;
                return self.given(record).map(Some);
            }
            if splitter.complete() {
                self.done = true;
                self.open = None;
                break;
            }
            match source.chunk().await {
                Ok(Some(piece)) => splitter.push(&piece),
                Ok(None) => match source.emptiness() {
                    Some(fault) => return Err(fault),
                    None => self.broke(pendo, garbled(System::Pendo, "the answer breaks off, or is not the list of rows expected")).await?,
                },
                Err(fault) => self.broke(pendo, fault).await?,
            }
        }
        Ok(None)
    }

    fn given(&mut self, record: Record) -> Result<Record, Fault> {
        match record.get(&self.key) {
            Some(key) if !key.is_blank() => {
                self.last = Some(key.clone());
                self.waits = None;
                Ok(record)
            }
            _ => Err(garbled(System::Pendo, format!("a row has no `{}`, so it cannot be told from others", self.key))),
        }
    }

    async fn open(&mut self, pendo: &Pendo) -> Result<(), Fault> {
        let mut pipeline = self.stages.clone();
        if let Some(last) = &self.last {
            pipeline.push(json!({"filter": format!("{} > {}", self.wire_key, literal(last))}));
        }
        pipeline.push(json!({"sort": [self.wire_key]}));
        let stream = pendo.http.stream(&pendo.aggregation(&pipeline)?).await?;
        self.open = Some((stream, Splitter::default()));
        Ok(())
    }

    /// After a pause the stream goes on behind its last row; rows that came in between renew the patience.
    async fn broke(&mut self, pendo: &Pendo, fault: Fault) -> Result<(), Fault> {
        self.open = None;
        let waits = self.waits.get_or_insert_with(|| Box::new(pendo.http.waits()));
        let Some(wait) = waits.next() else { return Err(Fault { kind: FaultKind::Unavailable, ..fault }) };
        tracing::debug!(system = "pendo", "an answer broke off; taking it up again");
        pendo.http.stop().sleep(wait).await
    }
}

fn parse(element: &[u8], columns: &Columns) -> Result<Record, Fault> {
    let mut json = serde_json::Deserializer::from_slice(element);
    match RowSeed(columns).deserialize(&mut json) {
        Ok(Value::Map(record)) => Ok(record),
        Ok(_) => Err(garbled(System::Pendo, "a row is not an object")),
        Err(error) => Err(broken_json(System::Pendo, &error)),
    }
}

/// A value in a filter expression.
pub(super) fn literal(value: &Value) -> String {
    match value {
        Value::Int(_) | Value::Float(_) | Value::Bool(_) => value.to_string(),
        Value::Instant(at) => at.as_millisecond().to_string(),
        other => format!("\"{}\"", other.to_string().replace('\\', "\\\\").replace('"', "\\\"")),
    }
}
