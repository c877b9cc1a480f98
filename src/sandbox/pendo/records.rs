//! Reading visitors and accounts, and deleting them.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use base64::Engine as _;
use serde_json::{Map, Value, json};

use super::{
    catalogue, people,
    state::{Pendo, fields, happened, moment, new_id, not_stored, refused},
};
use crate::sandbox::{
    clock::DAY_MS,
    company::product,
    documents::{Change, Row, Table},
};

type Shared = State<Arc<Pendo>>;

/// The row with this id, given plain or in base64.
fn find(table: &Table, id: &str) -> Option<Row> {
    let decoded = |id: &str| {
        let engines = [&base64::engine::general_purpose::STANDARD, &base64::engine::general_purpose::URL_SAFE_NO_PAD];
        let text = |engine: &base64::engine::GeneralPurpose| String::from_utf8(engine.decode(id).ok()?).ok();
        engines.into_iter().find_map(text)
    };
    table.get(id).or_else(|| table.get(&decoded(id)?))
}

/// `GET /visitor/{id}`, `GET /account/{id}`.
pub(super) async fn show(State(pendo): Shared, Path((kind, id)): Path<(String, String)>) -> Response {
    match pendo.kind(&kind).and_then(|table| find(table, &id)) {
        Some(row) => Json(shown(&kind, &row)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn shown(kind: &str, row: &Row) -> Value {
    let mut metadata = people::metadata(row, None);
    let last = people::value(row, "metadata.auto.lastvisit");
    if let Some(Value::Object(auto)) = metadata.get_mut("auto") {
        let first = auto.get("firstvisit").cloned().unwrap_or_default();
        auto.insert("firstidentifiedvisit".to_owned(), first);
    }
    if kind == "account" {
        return json!({"id": row.id(), "lastStartTime": last, "metadata": metadata});
    }
    json!({"id": row.id(), "accountIds": row.get("accountIds"), "lastStartTime": last, "metadata": metadata})
}

/// `GET /visitor/{id}/history?starttime=MS`: one day of activity.
pub(super) async fn history(State(pendo): Shared, Path(id): Path<String>, Query(query): Query<Map<String, Value>>) -> Response {
    let Some(start) = query.get("starttime").and_then(Value::as_str).and_then(|start| start.parse::<i64>().ok()) else {
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({"overall": {}, "fields": {"starttime": "Required"}}))).into_response();
    };
    let Some(row) = find(&pendo.visitors, &id) else { return StatusCode::NOT_FOUND.into_response() };
    let mut moments: Vec<Value> = row.index().map(|person| activity(&pendo, person, start)).unwrap_or_default();
    moments.retain(|one| one["ts"].as_i64().is_some_and(|time| (start..start + DAY_MS).contains(&time)));
    Json(moments).into_response()
}

/// What a person did on the days that a day from `start` on touches.
fn activity(pendo: &Pendo, person: u64, start: i64) -> Vec<Value> {
    let (company, now, day) = (pendo.company(), pendo.now(), start.div_euclid(DAY_MS));
    let (browser, version, system) = people::browser(&company, person);
    let mut moments = Vec::new();
    for usage in (day..=day + 1).filter_map(|day| company.usage(person, day)).filter(|usage| happened(usage, now)) {
        let (first, last) = (moment(usage.day, usage.first_minute), moment(usage.day, usage.last_minute));
        let mut add = |kind: &str, time: i64, app: usize, more: Value| {
            let mut fields = json!({
                "type": kind, "ts": time, "lastTs": last, "duration": last - time, "untaggedUrl": "", "uri": format!("https://{}/", people::SERVER),
                "appId": product::APPS[app].id, "parsedUserAgent": {"name": browser, "version": version, "os": system},
            });
            if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
                fields.extend(more);
            }
            moments.push(fields);
        };
        for page in product::pages().filter(|page| usage.page_views(page.number) > 0) {
            add("pageView", first, page.app, json!({"pageId": page.id()}));
        }
        for feature in product::features().filter(|feature| usage.feature_clicks(feature.number) > 0) {
            add("featureClick", first + 30_000, feature.app, json!({"featureId": feature.id()}));
        }
        for view in company.guide_views(person, usage.day) {
            let guide = product::guides().nth(view.guide).map(|guide| guide.id());
            add("guideSeen", moment(view.day, view.minute), 0, json!({"guideId": guide, "guideStepId": catalogue::step_id(view.guide)}));
        }
    }
    moments.sort_by_key(|one| one["ts"].as_i64());
    moments
}

/// `POST /bulkdelete/{visitor|account}` with the list of ids under the kind's plural: a job, done at once.
pub(super) async fn delete(State(pendo): Shared, Path(kind): Path<String>, body: Bytes) -> Response {
    let Some(table) = pendo.kind(&kind) else { return StatusCode::NOT_FOUND.into_response() };
    let body: Value = match serde_json::from_slice(&body) {
        Ok(body) => body,
        Err(wrong) => return refused(StatusCode::BAD_REQUEST, wrong.to_string()),
    };
    let plural = format!("{kind}s");
    let Some(ids) = body[&plural].as_array().filter(|ids| ids.iter().all(Value::is_string)) else {
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({"overall": {}, "fields": {plural: "Required"}}))).into_response();
    };
    let changes = ids.iter().filter_map(Value::as_str).map(|id| Change::Delete(id.to_owned())).collect();
    let made = match pendo.documents.write(table, changes) {
        Ok(made) => made.into_iter().filter(|made| *made).count(),
        Err(error) => return not_stored(&error),
    };
    let id = new_id(&pendo.jobs);
    let job = json!({"id": id, "kind": kind, "status": "completed", "total": ids.len(), "deleted": made, "createdAt": pendo.now()});
    match pendo.documents.insert(&pendo.jobs, &id, fields(job.clone())) {
        Ok(_) => Json(job).into_response(),
        Err(error) => not_stored(&error),
    }
}

/// `GET /bulkdelete`.
pub(super) async fn jobs(State(pendo): Shared) -> Response {
    let deletions = pendo.jobs.scan().filter(|job| !job.get("deleted").is_null());
    Json(deletions.map(|job| job.document()).collect::<Vec<_>>()).into_response()
}

/// `GET /bulkdelete/{id}`.
pub(super) async fn job(State(pendo): Shared, Path(id): Path<String>) -> Response {
    match pendo.jobs.get(&id) {
        Some(job) => Json(job.document()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `GET /visitor`, `GET /account` without an id.
pub(super) async fn without_id() -> StatusCode {
    StatusCode::NOT_FOUND
}
