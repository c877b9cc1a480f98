//! Reports and their results: the stored pipeline, evaluated when it is asked for.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};

use super::{
    aggregation::evaluate,
    state::{Pendo, refused},
};

/// `GET /report/{id}/results.json` and `.csv`.
pub(super) async fn results(State(pendo): State<Arc<Pendo>>, Path((id, file)): Path<(String, String)>) -> Response {
    let Some(report) = pendo.reports.get(&id) else { return StatusCode::NOT_FOUND.into_response() };
    let pipeline = report.get("aggregation")["pipeline"].clone();
    let Ok(Ok(rows)) = tokio::task::spawn_blocking(move || evaluate(&pendo, &pipeline)).await else {
        return refused(StatusCode::INTERNAL_SERVER_ERROR, "Unexpected error occurred");
    };
    match file.as_str() {
        "results.json" => Json(rows).into_response(),
        "results.csv" => match table(&rows) {
            Ok(text) => ([(header::CONTENT_TYPE, "text/csv")], text).into_response(),
            Err(_) => refused(StatusCode::INTERNAL_SERVER_ERROR, "Unexpected error occurred"),
        },
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The rows as CSV, with the first row's fields as columns.
fn table(rows: &[Map<String, Value>]) -> csv::Result<Vec<u8>> {
    let mut text = csv::Writer::from_writer(Vec::new());
    let columns: Vec<&String> = rows.first().map(|row| row.keys().collect()).unwrap_or_default();
    text.write_record(&columns)?;
    for row in rows {
        text.write_record(columns.iter().map(|column| match row.get(*column) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
        }))?;
    }
    text.into_inner().map_err(|broken| csv::Error::from(broken.into_error()))
}
