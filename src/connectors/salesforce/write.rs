//! Inserts, updates, upserts and deletes: 200 a call, or Bulk API 2.0 for many; locked rows are tried again. Rows that hold the text `#N/A`
//! go 200 a call however many there are: in a job it would empty the field.

use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde::{Deserialize, Serialize};

use crate::model::{Change, Fault, FaultKind, RowOutcome, System, Write};

use super::{
    Salesforce,
    cell::{Body, means_empty_in_csv},
    errors::{WireError, fault_of, row_may_pass_later},
};
use crate::connectors::{
    http::{Call, Repeat, escape, garbled},
    outcomes::{Outcomes, failed, written},
};

/// Records of one collections call.
const ROWS_A_CALL: usize = 200;

/// What is done to rows, where rows of one call have to agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation<'a> {
    Insert,
    Update,
    Upsert(&'a str),
    Delete,
}

impl<'a> Operation<'a> {
    fn of(change: &'a Change) -> Self {
        match change {
            Change::Insert { .. } => Self::Insert,
            Change::Update { .. } => Self::Update,
            Change::Upsert { by, .. } => Self::Upsert(by),
            Change::Delete { .. } => Self::Delete,
        }
    }
}

/// A row and its place in the request.
pub(super) type Row<'a> = (usize, &'a Change);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Collection<'a> {
    all_or_none: bool,
    records: Vec<Body<'a>>,
}

#[derive(Deserialize)]
struct WireOutcome {
    id: Option<String>,
    success: bool,
    #[serde(default)]
    created: Option<bool>,
    #[serde(default)]
    errors: Vec<WireError>,
}

impl Salesforce {
    /// One outcome per row, in order. A fault for the whole when nothing at all could be written.
    pub(in crate::connectors) async fn write(&self, write: &Write) -> Result<Vec<RowOutcome>, Fault> {
        let mut outcomes = Outcomes::new(write.rows.len());
        for (operation, rows) in by_operation(&write.rows) {
            self.write_group(&write.object, operation, rows, &mut outcomes).await;
        }
        outcomes.finish()
    }

    /// Rows of one operation; those that only met a lock go again after a pause.
    async fn write_group<'a>(&self, object: &str, operation: Operation<'a>, mut rows: Vec<Row<'a>>, outcomes: &mut Outcomes) {
        let mut waits = self.http.waits();
        loop {
            if rows.len() >= self.options.bulk_threshold {
                let (others, rows): (Vec<Row<'a>>, Vec<Row<'a>>) =
                    rows.iter().partition(|(_, change)| change.fields().is_some_and(means_empty_in_csv));
                self.bulk(object, operation, &rows, outcomes).await;
                self.collections(object, operation, &others, outcomes).await;
            } else {
                self.collections(object, operation, &rows, outcomes).await;
            }
            rows.retain(|(at, _)| outcomes.fault(*at).is_some_and(row_may_pass_later));
            if rows.is_empty() || outcomes.halted() {
                return;
            }
            let Some(wait) = waits.next() else { return };
            if self.http.stop().sleep(wait).await.is_err() {
                return;
            }
        }
    }

    async fn collections<'a>(&self, object: &str, operation: Operation<'a>, rows: &[Row<'a>], outcomes: &mut Outcomes) {
        let halt = outcomes.halt();
        let batches = rows.chunks(ROWS_A_CALL).map(|batch| {
            let halt = halt.clone();
            async move {
                let result = match halt.get() {
                    Some(fault) => Err(fault),
                    None => self.isolate(object, operation, batch).await,
                };
                if let Err(fault) = &result {
                    halt.set_if_systemic(fault);
                }
                (batch, result)
            }
        });
        let mut answers = stream::iter(batches).buffer_unordered(self.options.parallel.max(1));
        while let Some((batch, result)) = answers.next().await {
            outcomes.put(batch.iter().map(|(at, _)| *at), result);
        }
    }

    /// One call; a batch that was refused whole because one row cannot be read is halved until that row stands alone.
    async fn isolate<'a>(&self, object: &str, operation: Operation<'a>, batch: &[Row<'a>]) -> Result<Vec<RowOutcome>, Fault> {
        match self.collection(object, operation, batch).await {
            Err(fault) if batch.len() > 1 && fault.code.as_deref() == Some("JSON_PARSER_ERROR") => {
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
            other => other,
        }
    }

    async fn collection<'a>(&self, object: &str, operation: Operation<'a>, batch: &[Row<'a>]) -> Result<Vec<RowOutcome>, Fault> {
        let call = self.collection_call(object, operation, batch)?;
        let results: Vec<WireOutcome> = self.json(&call).await?;
        if results.len() != batch.len() {
            return Err(garbled(System::Salesforce, format!("{} results came for {} rows", results.len(), batch.len())));
        }
        Ok(results.into_iter().zip(batch).map(|(result, (_, change))| outcome_of(result, operation, change)).collect())
    }

    fn collection_call<'a>(&self, object: &str, operation: Operation<'a>, batch: &[Row<'a>]) -> Result<Call, Fault> {
        let path = self.path("composite/sobjects");
        let call = match operation {
            Operation::Insert => Call::new(Method::POST, path),
            Operation::Update => Call::new(Method::PATCH, path),
            // Without an external id in the row this creates, so it is never repeated blindly.
            Operation::Upsert(by) => {
                let keyed =
                    batch.iter().all(|(_, change)| matches!(change, Change::Upsert { fields, .. } if fields.get(by).is_some_and(|v| !v.is_blank())));
                let repeat = if keyed { Repeat::Always } else { Repeat::UnlessSent };
                Call::new(Method::PATCH, format!("{path}/{}/{}", escape(object), escape(by))).repeat(repeat)
            }
            Operation::Delete => {
                let ids: Vec<&str> = batch.iter().filter_map(|(_, change)| id_of(change)).collect();
                return Ok(Call::new(Method::DELETE, path).query("ids", ids.join(",")).query("allOrNone", "false"));
            }
        };
        let records = batch.iter().filter_map(|(_, change)| Some(Body { object, id: id_of(change), fields: change.fields()? })).collect();
        call.json(System::Salesforce, &Collection { all_or_none: false, records })
    }
}

/// Rows grouped so that each group is of one operation, in the order of first appearance.
fn by_operation(rows: &[Change]) -> Vec<(Operation<'_>, Vec<Row<'_>>)> {
    let mut groups: Vec<(Operation<'_>, Vec<Row<'_>>)> = Vec::new();
    for (at, change) in rows.iter().enumerate() {
        let operation = Operation::of(change);
        match groups.iter_mut().find(|(known, _)| *known == operation) {
            Some((_, group)) => group.push((at, change)),
            None => groups.push((operation, vec![(at, change)])),
        }
    }
    groups
}

pub(super) fn id_of(change: &Change) -> Option<&str> {
    match change {
        Change::Update { id, .. } | Change::Delete { id, .. } => Some(id),
        Change::Insert { .. } | Change::Upsert { .. } => None,
    }
}

fn outcome_of(result: WireOutcome, operation: Operation<'_>, change: &Change) -> RowOutcome {
    let id = result.id.or_else(|| id_of(change).map(str::to_owned));
    if result.success {
        return written(id, result.created.unwrap_or(operation == Operation::Insert));
    }
    let fault = match result.errors.first() {
        Some(error) => fault_of(error, FaultKind::Invalid),
        None => garbled(System::Salesforce, "the row was refused without a reason"),
    };
    gone_is_deleted(operation, id, fault)
}

/// A row that is deleted already is deleted: a repeated call, or somebody else, was faster.
pub(super) fn gone_is_deleted(operation: Operation<'_>, id: Option<String>, fault: Fault) -> RowOutcome {
    if operation == Operation::Delete && fault.code.as_deref() == Some("ENTITY_IS_DELETED") {
        return written(id, false);
    }
    RowOutcome { id, ..failed(fault) }
}
