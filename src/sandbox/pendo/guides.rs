//! States of guides: publishing, whom they are for, showing them again.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};

use super::state::{Pendo, not_stored, refused};

type Shared = State<Arc<Pendo>>;

/// `PUT /guide/{id}/state` with `{"state"}`.
pub(super) async fn set_state(State(pendo): Shared, Path(id): Path<String>, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    match body["state"].as_str() {
        Some("public" | "staged" | "disabled" | "draft") => change(&pendo, &id, "state", body["state"].clone()),
        _ => refused(StatusCode::BAD_REQUEST, "state is one of public, staged, disabled, draft"),
    }
}

/// `PUT /guide/{id}/segment` with `{"segmentId"}`.
pub(super) async fn set_segment(State(pendo): Shared, Path(id): Path<String>, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    match body["segmentId"].as_str() {
        Some(segment) if pendo.segments.get(segment).is_some() => change(&pendo, &id, "segmentId", segment.into()),
        Some(segment) => refused(StatusCode::NOT_FOUND, format!("segment not found: {segment}")),
        None => refused(StatusCode::BAD_REQUEST, "segmentId is required"),
    }
}

/// `POST /guide/{id}/reset`: everybody is shown it again.
pub(super) async fn reset(State(pendo): Shared, Path(id): Path<String>) -> Response {
    let now = pendo.now();
    change(&pendo, &id, "resetAt", now.into())
}

/// `POST /guide/{id}/visitor/{visitorId}/reset`, `id` may be `all`: one visitor is shown it again. What was seen stays seen.
pub(super) async fn reset_visitor(State(pendo): Shared, Path((id, visitor)): Path<(String, String)>) -> Response {
    let known = (id == "all" || pendo.guides.get(&id).is_some()) && pendo.visitors.get(&visitor).is_some();
    if known { StatusCode::OK.into_response() } else { StatusCode::NOT_FOUND.into_response() }
}

/// `GET /guide/{id}`.
pub(super) async fn show(State(pendo): Shared, Path(id): Path<String>) -> Response {
    match pendo.guides.get(&id) {
        Some(row) => Json(row.document()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn change(pendo: &Pendo, id: &str, field: &str, value: Value) -> Response {
    let changed = Map::from_iter([(field.to_owned(), value), ("lastUpdatedAt".to_owned(), pendo.now().into())]);
    match pendo.documents.update(&pendo.guides, id, changed) {
        Ok(true) => pendo.guides.get(id).map_or_else(|| StatusCode::OK.into_response(), |row| Json(row.document()).into_response()),
        Ok(false) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => not_stored(&error),
    }
}
