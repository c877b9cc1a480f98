//! The paths of the inbox: what was delivered, what became of it, and how people behave. No fault strikes here.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Office, behaviour::Behaviour, hooks, message::view, office::raw};
use crate::sandbox::documents::Row;

/// Events in one answer.
const PAGE: usize = 1000;

/// The inbox of an office.
pub(in crate::sandbox) fn routes(office: Arc<Office>) -> Router {
    Router::new()
        .route("/inbox", get(list))
        .route("/inbox/{id}", get(show))
        .route("/inbox/{id}/raw", get(source))
        .route("/events", get(events))
        .route("/_sandbox/behaviour", get(behaviour).post(behave))
        .route("/_sandbox/webhooks", axum::routing::post(hooks::set))
        .with_state(office)
}

#[derive(Deserialize)]
struct Wanted {
    to: Option<String>,
    message_id: Option<String>,
    #[serde(default)]
    copies: bool,
}

/// Messages in the order they came; `?to=` of one recipient, `?message_id=` of one id. What came again under one `Message-ID` is seen once,
/// as mailboxes do it; `?copies=true` shows every copy.
async fn list(State(office): State<Arc<Office>>, Query(wanted): Query<Wanted>) -> Response {
    let to = |row: &Row| wanted.to.as_ref().is_none_or(|to| recipients(row).any(|one| one.eq_ignore_ascii_case(to)));
    let id = |row: &Row| wanted.message_id.as_ref().is_none_or(|id| row.get("message_id").as_str() == Some(id));
    let seen = |row: &Row| wanted.copies || row.get("duplicate_of").is_null();
    let messages: Vec<Value> = office.messages.scan().filter(|row| seen(row) && to(row) && id(row)).map(|row| document(&row)).collect();
    Json(messages).into_response()
}

fn recipients(row: &Row) -> impl Iterator<Item = String> {
    let to = row.get("to").into_owned();
    let to = if let Value::Array(to) = to { to } else { Vec::new() };
    to.into_iter().filter_map(|one| one.as_str().map(str::to_owned))
}

async fn show(State(office): State<Arc<Office>>, Path(id): Path<String>) -> Response {
    office.messages.get(&id).map_or_else(no_message, |row| Json(document(&row)).into_response())
}

async fn source(State(office): State<Arc<Office>>, Path(id): Path<String>) -> Response {
    office.messages.get(&id).map_or_else(no_message, |row| ([(header::CONTENT_TYPE, "message/rfc822")], raw(&row)).into_response())
}

fn no_message() -> Response {
    (StatusCode::NOT_FOUND, Json(json!({"error": "no such message"}))).into_response()
}

fn document(row: &Row) -> Value {
    let view = view(&raw(row));
    json!({
        "id": row.id(), "from": view.from.as_deref().map_or_else(|| row.get("from").into_owned(), Value::from), "from_name": view.from_name,
        "to": row.get("to").into_owned(), "envelope_from": row.get("from").into_owned(), "subject": view.subject, "date": view.date,
        "received": row.get("received").into_owned(), "message_id": view.message_id, "duplicate_of": row.get("duplicate_of").into_owned(),
        "size": row.get("size").into_owned(), "headers": view.headers, "text": view.text, "html": view.html, "links": view.links,
        "images": view.images,
    })
}

#[derive(Deserialize)]
struct Since {
    /// The `next` of the answer before.
    after: Option<u64>,
    to: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// What became of messages, in the order it was found out: `{events, next, settled}`; `next` goes into `?after=` for those after them, and
/// `settled` tells whether everything due by the clock has been done.
async fn events(State(office): State<Arc<Office>>, Query(since): Query<Since>) -> Response {
    // Asked first: what is settled now is among the rows read after.
    let settled = office.is_settled();
    let begin = since.after.unwrap_or(0);
    let mut next = begin;
    let mut events: Vec<Map<String, Value>> = Vec::new();
    for row in office.events.scan_from(begin) {
        if events.len() == PAGE {
            break;
        }
        next = row.position() + 1;
        let is = |field: &str, wanted: &Option<String>| {
            wanted.as_ref().is_none_or(|wanted| row.get(field).as_str().is_some_and(|value| value.eq_ignore_ascii_case(wanted)))
        };
        if is("recipient", &since.to) && is("type", &since.kind) {
            events.push(row.document());
        }
    }
    Json(json!({"events": events, "next": next, "settled": settled})).into_response()
}

async fn behaviour(State(office): State<Arc<Office>>) -> Response {
    Json(office.behaviour()).into_response()
}

/// Sets what is named; the rest stays. It holds for messages from then on.
async fn behave(State(office): State<Arc<Office>>, body: Bytes) -> Response {
    let wrong = |why: &str| (StatusCode::BAD_REQUEST, Json(json!({"error": why}))).into_response();
    let Ok(Value::Object(named)) = serde_json::from_slice::<Value>(&body) else { return wrong("send an object of rates") };
    let Value::Object(mut all) = json!(office.behaviour()) else { return wrong("send an object of rates") };
    all.extend(named);
    let behaviour: Behaviour = match serde_json::from_value(Value::Object(all)) {
        Ok(behaviour) => behaviour,
        Err(error) => return wrong(&error.to_string()),
    };
    if let Some(why) = behaviour.wrong() {
        return wrong(why);
    }
    match office.behave(&behaviour) {
        Ok(()) => Json(behaviour).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({"error": error.to_string()}))).into_response(),
    }
}
