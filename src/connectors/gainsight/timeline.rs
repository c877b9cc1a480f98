//! Activities of the Timeline API: one a call, known by their external id or their GSID.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use crate::{
    connectors::{
        http::{broken_json, invalid},
        outcomes::{failed, written},
    },
    model::{Fault, FaultKind, RowOutcome, System},
};

use super::{
    Gainsight,
    cta::of_row,
    names::Names,
    write::{Operation, Row, repeat},
};

const ACTIVITY: &str = "/v1/ant/es/activity";

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    success: Map<String, Json>,
    #[serde(default)]
    failures: Map<String, Json>,
}

impl Gainsight {
    /// One activity; the batch has one row.
    pub(super) async fn activities(&self, operation: Operation, batch: &[Row<'_>]) -> Result<Vec<RowOutcome>, Fault> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for row in batch {
            outcomes.push(match self.activity(operation, row).await {
                Ok(outcome) => outcome,
                Err(fault) if matches!(fault.kind, FaultKind::Invalid | FaultKind::NotFound | FaultKind::Conflict) => {
                    RowOutcome { id: row.id.clone(), ..failed(of_row(row, fault)) }
                }
                Err(fault) => return Err(fault),
            });
        }
        Ok(outcomes)
    }

    async fn activity(&self, operation: Operation, row: &Row<'_>) -> Result<RowOutcome, Fault> {
        let call = match operation {
            Operation::Insert => self.call(Method::POST, ACTIVITY),
            Operation::Update => self.call(Method::PUT, ACTIVITY).query("identifier", "gsid"),
            Operation::Delete => return Err(invalid(System::Gainsight, "entries of the timeline are kept: this program deletes none")),
        };
        let record: Map<String, Json> = row.fields.iter().map(|(name, value)| (Names::Timeline.key(name).to_owned(), value.clone())).collect();
        let call = call.repeat(repeat(operation)).json(System::Gainsight, &json!({"records": [record]}))?;
        let answer = self.data(&call, |data| serde_json::from_str::<Answer>(data).map_err(|error| broken_json(System::Gainsight, &error))).await?;
        if let Some(refusal) = answer.failures.values().next() {
            return Ok(RowOutcome { id: row.id.clone(), ..failed(of_row(row, fault_of(refusal))) });
        }
        // The activity's own id is not its GSID: nothing is told that could be used as one.
        match answer.success.values().next() {
            Some(_) => Ok(written(row.id.clone(), operation == Operation::Insert)),
            None => Err(Fault::from_system(System::Gainsight, FaultKind::Garbled, "the answer tells nothing of this entry")),
        }
    }
}

/// `[{"errorCode": .., "Message": ..}]`, with a capital.
fn fault_of(refusal: &Json) -> Fault {
    let first = refusal.get(0).unwrap_or(refusal);
    let text = |key: &str| first.get(key).and_then(Json::as_str);
    let message = text("Message").or_else(|| text("message")).map_or_else(|| refusal.to_string(), str::to_owned);
    let fault = Fault::from_system(System::Gainsight, FaultKind::Invalid, message);
    Fault { code: text("errorCode").map(str::to_owned).or(fault.code.clone()), ..fault }
}
