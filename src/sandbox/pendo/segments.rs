//! Who is in a segment, and changing that. Writes are asynchronous at the vendor; here they are done when they are answered.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::{
    aggregation::{Context, Membership, evaluate},
    catalogue,
    state::{Pendo, fields, new_id, not_stored, refused},
};

type Shared = State<Arc<Pendo>>;

/// The most members that one patch may change.
const PATCHED: usize = 1_000;

/// `GET /segment/{id}`.
pub(super) async fn show(State(pendo): Shared, Path(id): Path<String>) -> Response {
    match pendo.segments.get(&id) {
        Some(row) => Json(catalogue::shown(&row)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A status and a short text.
type Refused = (StatusCode, String);

/// Name and visitors of an upload; each visitor once, in the order they came.
fn uploaded(body: &[u8]) -> Result<(String, Vec<String>), Refused> {
    let wrong = |why: &str| (StatusCode::BAD_REQUEST, why.to_owned());
    let body: Value = serde_json::from_slice(body).map_err(|error| wrong(&error.to_string()))?;
    let name = body["name"].as_str().filter(|name| !name.is_empty()).ok_or_else(|| wrong("name is required"))?;
    let visitors = texts(&body["visitors"]).filter(|visitors| !visitors.is_empty()).ok_or_else(|| wrong("at least one visitor is required"))?;
    let mut seen = BTreeSet::new();
    Ok((name.to_owned(), visitors.into_iter().filter(|visitor| seen.insert(visitor.clone())).collect()))
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|one| one.as_str().map(str::to_owned)).collect()
}

/// `POST /segment/upload` with `{"name", "visitors"}`.
pub(super) async fn upload(State(pendo): Shared, body: Bytes) -> Response {
    let (name, visitors) = match uploaded(&body) {
        Ok(uploaded) => uploaded,
        Err(refusal) => return refusal.into_response(),
    };
    let (id, now) = (new_id(&pendo.segments), pendo.now());
    let segment = json!({
        "id": id, "name": name, "kind": "Segment", "appId": crate::sandbox::company::product::APPS[0].id, "definition": {}, "pipeline": [], "shared": true,
        "createdByApi": true, "dependentMetadata": [], "isFocusGroup": false, "createdAt": now, "lastUpdatedAt": now, "visitors": visitors,
    });
    match pendo.documents.insert(&pendo.segments, &id, fields(segment)) {
        Ok(_) => Json(json!({"segmentId": id})).into_response(),
        Err(error) => not_stored(&error),
    }
}

/// The members of a segment that was uploaded; a refusal for any other.
fn members(pendo: &Pendo, id: &str) -> Result<Vec<String>, Refused> {
    let row = pendo.segments.get(id).ok_or((StatusCode::NOT_FOUND, String::new()))?;
    if *row.get("createdByApi") != Value::Bool(true) {
        return Err((StatusCode::BAD_REQUEST, "only segments that were uploaded can be changed".to_owned()));
    }
    Ok(texts(&row.get("visitors")).unwrap_or_default())
}

fn store(pendo: &Pendo, id: &str, visitors: &[String], name: Option<String>) -> Option<Response> {
    let mut changed = Map::from_iter([("visitors".to_owned(), json!(visitors)), ("lastUpdatedAt".to_owned(), pendo.now().into())]);
    changed.extend(name.map(|name| ("name".to_owned(), name.into())));
    pendo.documents.update(&pendo.segments, id, changed).err().map(|error| not_stored(&error))
}

/// `PUT /segment/{id}` with `{"name", "visitors"}`: replaces both.
pub(super) async fn replace(State(pendo): Shared, Path(id): Path<String>, body: Bytes) -> Response {
    if let Err(refusal) = members(&pendo, &id) {
        return refusal.into_response();
    }
    match uploaded(&body) {
        Ok((name, visitors)) => store(&pendo, &id, &visitors, Some(name)).unwrap_or_else(|| Json(json!({"segmentId": id})).into_response()),
        Err(refusal) => refusal.into_response(),
    }
}

/// `DELETE /segment/{id}`.
pub(super) async fn delete(State(pendo): Shared, Path(id): Path<String>) -> Response {
    if let Err(refusal) = members(&pendo, &id) {
        return refusal.into_response();
    }
    match pendo.documents.delete(&pendo.segments, &id) {
        Ok(_) => StatusCode::OK.into_response(),
        Err(error) => not_stored(&error),
    }
}

/// `GET /segment/{id}/status`.
pub(super) async fn status(State(pendo): Shared, Path(id): Path<String>) -> Response {
    match members(&pendo, &id) {
        Ok(visitors) => Json(json!({"segmentId": id, "status": "completed", "total": visitors.len(), "processed": visitors.len()})).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

/// `PUT /segment/{id}/visitor/{visitorId}`.
pub(super) async fn add(State(pendo): Shared, Path((id, visitor)): Path<(String, String)>) -> Response {
    change(&pendo, &id, |visitors| {
        if !visitors.contains(&visitor) {
            visitors.push(visitor);
        }
    })
}

/// `DELETE /segment/{id}/visitor/{visitorId}`.
pub(super) async fn remove(State(pendo): Shared, Path((id, visitor)): Path<(String, String)>) -> Response {
    change(&pendo, &id, |visitors| visitors.retain(|member| *member != visitor))
}

fn change(pendo: &Pendo, id: &str, edit: impl FnOnce(&mut Vec<String>)) -> Response {
    match members(pendo, id) {
        Ok(mut visitors) => {
            edit(&mut visitors);
            store(pendo, id, &visitors, None).unwrap_or_else(|| StatusCode::OK.into_response())
        }
        Err(refusal) => refusal.into_response(),
    }
}

/// `PATCH /segment/{id}/visitor` with `{"patch": [{"op": "add" or "remove", "path": "/visitors", "value": [...]}]}`.
pub(super) async fn patch(State(pendo): Shared, Path(id): Path<String>, body: Bytes) -> Response {
    let mut visitors = match members(&pendo, &id) {
        Ok(visitors) => visitors,
        Err(refusal) => return refusal.into_response(),
    };
    let body: Value = match serde_json::from_slice(&body) {
        Ok(body) => body,
        Err(wrong) => return refused(StatusCode::BAD_REQUEST, wrong.to_string()),
    };
    let Some(operations) = body["patch"].as_array() else {
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({"overall": {}, "fields": {"patch": "Required"}}))).into_response();
    };
    if operations.iter().filter_map(|operation| operation["value"].as_array()).map(Vec::len).sum::<usize>() > PATCHED {
        return refused(StatusCode::BAD_REQUEST, format!("at most {PATCHED} visitors in one call"));
    }
    let told: Vec<Value> = operations
        .iter()
        .map(|operation| {
            let done = patched(&mut visitors, operation);
            json!({"status": if done.is_some() { 200 } else { 400 }, "message": if done.is_some() { "" } else { "invalid operation" }, "operation": operation})
        })
        .collect();
    store(&pendo, &id, &visitors, None).unwrap_or_else(|| Json(json!({"multistatus": told})).into_response())
}

fn patched(visitors: &mut Vec<String>, operation: &Value) -> Option<()> {
    let value = texts(&operation["value"]).filter(|_| operation["path"] == "/visitors")?;
    match operation["op"].as_str()? {
        "add" => {
            let mut known: BTreeSet<String> = visitors.iter().cloned().collect();
            visitors.extend(value.into_iter().filter(|visitor| known.insert(visitor.clone())));
        }
        "remove" => {
            let gone: BTreeSet<String> = value.into_iter().collect();
            visitors.retain(|visitor| !gone.contains(visitor));
        }
        _ => return None,
    }
    Some(())
}

/// `POST /segment/{id}/visitors`: begins an export of the members.
pub(super) async fn export(State(pendo): Shared, Path(id): Path<String>) -> Response {
    if Membership::of(&id, &Context::new(&pendo)).is_none() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let job = new_id(&pendo.jobs);
    match pendo.documents.insert(&pendo.jobs, &job, fields(json!({"id": job, "segmentId": id, "createdAt": pendo.now()}))) {
        Ok(_) => Json(json!({"jobId": job})).into_response(),
        Err(error) => not_stored(&error),
    }
}

fn is_export(pendo: &Pendo, id: &str, job: &str) -> bool {
    pendo.jobs.get(job).is_some_and(|job| *job.get("segmentId") == id)
}

/// `GET /segment/{id}/visitors/{jobId}/status`.
pub(super) async fn export_status(State(pendo): Shared, Path((id, job)): Path<(String, String)>) -> Response {
    if is_export(&pendo, &id, &job) {
        return Json(json!({"jobId": job, "status": "completed"})).into_response();
    }
    StatusCode::NOT_FOUND.into_response()
}

/// `GET /segment/{id}/visitors/{jobId}/results/{json|csv}`: the members' ids.
pub(super) async fn export_results(State(pendo): Shared, Path((id, job, format)): Path<(String, String, String)>) -> Response {
    if !is_export(&pendo, &id, &job) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let pipeline = json!([{"source": {"visitors": null}}, {"segment": {"id": id}}, {"select": {"visitorId": "visitorId"}}]);
    let Ok(Ok(members)) = tokio::task::spawn_blocking(move || evaluate(&pendo, &pipeline)).await else {
        return refused(StatusCode::INTERNAL_SERVER_ERROR, "Unexpected error occurred");
    };
    let ids = members.iter().filter_map(|member| member["visitorId"].as_str());
    match format.as_str() {
        "json" => Json(ids.collect::<Vec<_>>()).into_response(),
        "csv" => {
            let text = ids.fold("visitorId\n".to_owned(), |text, id| text + id + "\n");
            ([(header::CONTENT_TYPE, "text/csv")], text).into_response()
        }
        _ => refused(StatusCode::BAD_REQUEST, "results come as json or csv"),
    }
}
