//! Calls to action by the Cockpit API: listed by page number, created and updated with an outcome per reference.

use std::collections::HashMap;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use crate::{
    connectors::{
        http::{broken_json, invalid},
        outcomes::{failed, written},
        rows::Columns,
    },
    model::{Fault, FaultKind, Record, RowOutcome, System},
};

use super::{
    Gainsight,
    conditions::Where,
    names::CTA,
    query::{CTAS_A_CALL, nothing_found, records},
    write::{Operation, Row, repeat},
};

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    success: Vec<HashMap<String, Json>>,
    #[serde(default)]
    failure: Vec<HashMap<String, Json>>,
}

impl Gainsight {
    /// A page of the list, numbered from 0. No order of the list is documented, and none can be asked for.
    pub(super) async fn cta_page(&self, select: &[String], clause: &Where, page: u64, columns: &Columns) -> Result<Vec<Record>, Fault> {
        let ask = async |clause: Option<Json>| {
            let mut body = json!({"select": select, "linkedObject": false, "pageSize": CTAS_A_CALL, "pageNumber": page + 1});
            if let Some(clause) = clause {
                body["where"] = clause;
            }
            let call = self.ask("/v2/cockpit/cta/list").json(System::Gainsight, &body)?;
            nothing_found(self.data(&call, |data| records(data, columns)).await)
        };
        self.timed(clause, ask).await
    }

    pub(super) async fn ctas(&self, operation: Operation, batch: &[Row<'_>]) -> Result<Vec<RowOutcome>, Fault> {
        let method = match operation {
            Operation::Insert => Method::POST,
            Operation::Update => Method::PUT,
            Operation::Delete => {
                let fault = invalid(System::Gainsight, "calls to action are closed by their status, not deleted");
                return Ok(batch.iter().map(|_| failed(fault.clone())).collect());
            }
        };
        let requests: Vec<Json> = batch.iter().enumerate().map(|(at, row)| json!({"record": record(at, row)})).collect();
        let call = self.call(method, "/v2/cockpit/cta/").repeat(repeat(operation)).json(System::Gainsight, &json!({"requests": requests}))?;
        let answer = self.data(&call, |data| serde_json::from_str::<Answer>(data).map_err(|error| broken_json(System::Gainsight, &error))).await?;
        let (done, refused) = (merged(answer.success), merged(answer.failure));
        let outcome = |(at, row): (usize, &Row<'_>)| {
            let reference = reference(at);
            if let Some(reason) = refused.get(&reference) {
                return RowOutcome { id: row.id.clone(), ..failed(Fault::from_system(System::Gainsight, FaultKind::Invalid, text(reason))) };
            }
            match done.get(&reference) {
                Some(id) => written(Some(text(id)), operation == Operation::Insert),
                None => failed(Fault::from_system(System::Gainsight, FaultKind::Garbled, "the answer tells nothing of this row")),
            }
        };
        Ok(batch.iter().enumerate().map(outcome).collect())
    }
}

fn reference(at: usize) -> String {
    (at + 1).to_string()
}

/// The row in the words of a Cockpit request.
fn record(at: usize, row: &Row<'_>) -> Map<String, Json> {
    let mut record = Map::from_iter([("referenceId".to_owned(), Json::from(reference(at)))]);
    for (name, value) in &row.fields {
        let key = CTA.iter().find(|(ours, ..)| ours.eq_ignore_ascii_case(name)).map_or(name.as_str(), |(_, _, key)| key);
        record.insert(key.to_owned(), value.clone());
    }
    record
}

fn merged(parts: Vec<HashMap<String, Json>>) -> HashMap<String, Json> {
    parts.into_iter().flatten().collect()
}

fn text(json: &Json) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}
