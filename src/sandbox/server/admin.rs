//! The paths under `/_sandbox/`: what was asked, what is stored, the clock, the faults.

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::Served;
use crate::sandbox::{documents::Row, faults};

pub(super) fn router(served: Served) -> Router {
    Router::new()
        .route("/requests", get(requests))
        .route("/documents", get(objects))
        .route("/documents/{object}", get(documents))
        .route("/reset", post(reset))
        .route("/clock", get(clock).post(turn))
        .route("/faults", get(list_faults).post(set_faults))
        .with_state(served)
}

async fn requests(State(served): State<Served>) -> Response {
    let requests: Vec<_> = served.log().requests.iter().cloned().collect();
    Json(requests).into_response()
}

async fn objects(State(served): State<Served>) -> Response {
    Json(served.documents.names()).into_response()
}

/// All rows of an object, as one JSON array that is never held whole.
async fn documents(State(served): State<Served>, Path(object): Path<String>) -> Response {
    let Some(table) = served.documents.find(&object) else {
        return (StatusCode::NOT_FOUND, Json(json!({"error": format!("no object `{object}`"), "objects": served.documents.names()}))).into_response();
    };
    // Salesforce keeps the id apart from the fields; whoever looks expects it among them.
    let id_field = (served.name == "salesforce").then_some("Id");
    let mut rows = table.scan().map(move |row| (served.shown)(&object, document(&row, id_field)));
    let mut place = Place::Before;
    let chunks = std::iter::from_fn(move || next_chunk(&mut rows, &mut place)).map(Ok::<_, std::convert::Infallible>);
    ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(futures_util::stream::iter(chunks))).into_response()
}

/// A row with its id first, where the fields do not hold it.
fn document(row: &Row, id_field: Option<&str>) -> Map<String, Value> {
    let id = id_field.map(|name| (name.to_owned(), Value::from(row.id().into_owned())));
    id.into_iter().chain(row.document()).collect()
}

/// Where in the array the text is.
enum Place {
    Before,
    Within,
    After,
}

/// The next rows as text; the closing bracket comes last.
fn next_chunk(rows: &mut impl Iterator<Item = Map<String, Value>>, place: &mut Place) -> Option<Bytes> {
    let mut text = match place {
        Place::Before => b"[".to_vec(),
        Place::Within => Vec::new(),
        Place::After => return None,
    };
    let mut written = 0;
    for row in rows.by_ref().take(256) {
        if written > 0 || matches!(place, Place::Within) {
            text.extend_from_slice(b",\n");
        }
        serde_json::to_writer(&mut text, &row).ok()?;
        written += 1;
    }
    *place = Place::Within;
    if written < 256 {
        text.push(b']');
        *place = Place::After;
    }
    Some(text.into())
}

async fn reset(State(served): State<Served>, body: Bytes) -> Response {
    let body: Value = match serde_json::from_slice(if body.is_empty() { b"{}" } else { &body }) {
        Ok(body) => body,
        Err(wrong) => return refused(&wrong.to_string()),
    };
    served.log().clear();
    if body["documents"] == Value::Bool(true)
        && let Err(wrong) = served.documents.clear()
    {
        return (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({"error": wrong.to_string()}))).into_response();
    }
    Json(json!({"reset": true})).into_response()
}

async fn clock(State(served): State<Served>) -> Response {
    Json(json!({"now": served.world.clock.now()})).into_response()
}

/// `{"now": INSTANT}` (RFC 3339, or milliseconds) or `{"advance_seconds": N}`.
async fn turn(State(served): State<Served>, body: Bytes) -> Response {
    let body: Value = match serde_json::from_slice(&body) {
        Ok(body) => body,
        Err(wrong) => return refused(&wrong.to_string()),
    };
    let clock = &served.world.clock;
    match (&body["now"], &body["advance_seconds"]) {
        (Value::String(now), Value::Null) => match now.parse::<jiff::Timestamp>() {
            Ok(now) => clock.set_ms(now.as_millisecond()),
            Err(wrong) => return refused(&wrong.to_string()),
        },
        (Value::Number(now), Value::Null) if now.is_i64() => clock.set_ms(now.as_i64().unwrap_or_default()),
        #[allow(clippy::cast_possible_truncation)]
        (Value::Null, Value::Number(seconds)) => clock.advance_ms((seconds.as_f64().unwrap_or_default() * 1000.0) as i64),
        _ => return refused("send {\"now\": INSTANT} or {\"advance_seconds\": N}"),
    }
    (served.turned)();
    served.world.turns.done().await;
    Json(json!({"now": clock.now()})).into_response()
}

async fn list_faults(State(served): State<Served>) -> Response {
    Json(json!({"faults": served.world.faults.spec()})).into_response()
}

/// The list as text, as a JSON string, or as JSON with `faults`: a string, or a list of strings or `{system, kind, probability}`.
async fn set_faults(State(served): State<Served>, body: String) -> Response {
    let spec = match serde_json::from_str::<Value>(&body) {
        Ok(sent) => spec_of(&sent),
        Err(_) => body,
    };
    match faults::parse(&spec) {
        Ok(rules) => served.world.faults.replace(rules),
        Err(wrong) => return refused(&wrong.to_string()),
    }
    list_faults(State(served)).await
}

fn spec_of(sent: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match sent {
        Value::String(spec) => spec.clone(),
        Value::Array(rules) => rules.iter().map(spec_of).collect::<Vec<_>>().join(","),
        Value::Object(rule) if rule.contains_key("kind") => {
            let system = rule.get("system").map_or_else(|| "*".to_owned(), text);
            format!("{system}:{}@{}", text(&rule["kind"]), rule.get("probability").map_or_else(|| "1".to_owned(), text))
        }
        Value::Object(body) => body.get("faults").or_else(|| body.get("spec")).map_or_else(String::new, spec_of),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn refused(why: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"error": why}))).into_response()
}
