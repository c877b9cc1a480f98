//! Calls to action by the Cockpit API, and success plans by theirs: listed by page number, created and updated with an outcome per reference.

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
    names::{Cockpit, Names},
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
    pub(super) async fn cta_page(&self, api: Cockpit, select: &[String], clause: &Where, page: u64, columns: &Columns) -> Result<Vec<Record>, Fault> {
        let ask = async |clause: Option<Json>| {
            let mut body = json!({"select": select, "linkedObject": false, "pageSize": CTAS_A_CALL, "pageNumber": page + 1});
            if let Some(clause) = clause {
                body["where"] = clause;
            }
            let call = self.ask(api.list).json(System::Gainsight, &body)?;
            nothing_found(self.data(&call, |data| records(data, columns)).await)
        };
        self.timed(clause, ask).await
    }

    pub(super) async fn ctas(&self, (names, api): (Names, Cockpit), operation: Operation, batch: &[Row<'_>]) -> Result<Vec<RowOutcome>, Fault> {
        let method = match operation {
            Operation::Insert => Method::POST,
            Operation::Update => Method::PUT,
            Operation::Delete => {
                let fault = invalid(System::Gainsight, format!("{} are closed by their status, not deleted", api.what));
                return Ok(batch.iter().map(|_| failed(fault.clone())).collect());
            }
        };
        let requests: Vec<Json> = batch.iter().enumerate().map(|(at, row)| json!({"record": record(names, at, row)})).collect();
        let call = self.call(method, api.write).repeat(repeat(operation)).json(System::Gainsight, &json!({"requests": requests}))?;
        let answer = self.data(&call, |data| serde_json::from_str::<Answer>(data).map_err(|error| broken_json(System::Gainsight, &error))).await?;
        let (done, refused) = (merged(answer.success), merged(answer.failure));
        let outcome = |(at, row): (usize, &Row<'_>)| {
            let reference = reference(at);
            if let Some(reason) = refused.get(&reference) {
                return RowOutcome {
                    id: row.id.clone(),
                    ..failed(of_row(row, Fault::from_system(System::Gainsight, FaultKind::Invalid, text(reason))))
                };
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

/// The row in the words of a Cockpit request. Templates come as a list.
fn record(names: Names, at: usize, row: &Row<'_>) -> Map<String, Json> {
    let mut record = Map::from_iter([("referenceId".to_owned(), Json::from(reference(at)))]);
    for (name, value) in &row.fields {
        let key = names.key(name);
        let value = if key == "Templates" && !value.is_array() { json!([value]) } else { value.clone() };
        record.insert(key.to_owned(), value);
    }
    record
}

/// A refusal with the field of the row that it names, where it names one.
pub(super) fn of_row(row: &Row<'_>, fault: Fault) -> Fault {
    let named =
        row.fields.keys().find(|name| fault.message.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word.eq_ignore_ascii_case(name)));
    match named {
        Some(name) => fault.field(name),
        None => fault,
    }
}

fn merged(parts: Vec<HashMap<String, Json>>) -> HashMap<String, Json> {
    parts.into_iter().flatten().collect()
}

fn text(json: &Json) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}
