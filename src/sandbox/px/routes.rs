//! Which paths there are. Everything else is 404.

use std::sync::{Arc, PoisonError};

use axum::{
    Json, Router,
    body::to_bytes,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::{
    admin,
    answer::{Answered, refused},
    audience, auth, behaviour, engagements,
    events::{self, FEEDS},
    external, happened, hooks,
    people::Someone,
    query::Query,
    records::{self, Kind},
    state::Px,
};
use crate::sandbox::{
    documents::Documents,
    server::{Emulator, World},
};

/// No documented body is larger.
const LARGEST_BODY: usize = 16 << 20;

/// Gainsight PX over the company and its documents.
pub(in crate::sandbox) fn emulator(world: &Arc<World>, documents: &Arc<Documents>) -> Emulator {
    let px = Arc::new(Px::new(world, documents));
    hooks::follow(&px);
    let router = Router::new()
        .route("/_sandbox/behaviour", get(sandbox).post(sandbox))
        .route("/_sandbox/webhooks", get(sandbox).post(sandbox))
        .route("/_sandbox/attributes", axum::routing::post(sandbox))
        .route("/_sandbox/audience", axum::routing::post(sandbox))
        .route("/_sandbox/qualifications", get(qualifications))
        .fallback(call)
        .with_state(px);
    let keys = [("api_key", auth::KEY), ("read_key", auth::READ_KEY), ("product_key", auth::PRODUCT_KEY)];
    let credentials: Map<_, _> = keys.map(|(name, key)| (name.to_owned(), key.into())).into_iter().collect();
    Emulator { name: "px", router, refuse: auth::refuse, shown: crate::sandbox::server::as_stored(), credentials }
}

/// A call with its body read.
struct Call {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

async fn call(State(px): State<Arc<Px>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let call = Call { method: parts.method, uri: parts.uri, headers: parts.headers, body };
    // A feed may look at all people: not on a thread that serves connections.
    let answered = tokio::task::spawn_blocking(move || match auth::admit(&call.headers, &call.method, call.uri.path()) {
        Ok(()) => response(routed(&px, &call)),
        Err(refused) => refused.into_response(),
    });
    answered.await.unwrap_or_else(|_| refused(StatusCode::INTERNAL_SERVER_ERROR, "Unexpected error").into_response())
}

fn response(answered: Answered) -> Response {
    answered.map_or_else(IntoResponse::into_response, IntoResponse::into_response)
}

fn routed(px: &Px, call: &Call) -> Answered {
    let (query, body) = (Query::of(&call.uri), call.body.as_ref());
    let path = call.uri.path().trim_matches('/');
    let segments: Vec<String> = path.split('/').map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned()).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    if let (&Method::GET, Some(feed)) = (&call.method, FEEDS.iter().find(|feed| path.strip_prefix("v1/") == Some(feed.path))) {
        return events::list(px, feed, &query);
    }
    match (call.method.as_str(), segments.as_slice()) {
        ("POST", ["v1", "events", "custom"]) => events::create(px, body),
        (_, [_, "users" | "accounts" | "user", ..]) => people(px, call, &segments, &query),
        ("GET", ["v1", "admin", "model", "user", "attributes"]) => Ok(admin::attributes(px, Kind::User)),
        ("GET", ["v1", "admin", "model", "account", "attributes"]) => Ok(admin::attributes(px, Kind::Account)),
        ("GET", ["v1", "admin", "subscription"]) => Ok(admin::subscription()),
        ("GET", ["v1", "admin", "subscription", "users", "notSeenAfter"]) => admin::not_seen_after(px, &query),
        ("GET", ["v1", "engagement"]) => engagements::list(px, &query, false),
        ("GET", ["v1", "engagement", "extended"]) => engagements::list(px, &query, true),
        ("GET", ["v1", "engagement", "metadata", "survey"]) => engagements::survey(px, &query),
        ("PUT", ["v1", "engagement", "state"]) => engagements::set_state(px, body),
        ("PUT", ["v1", "engagement", "env" | "envs"]) => engagements::set_envs(px, body),
        ("GET", ["v1", "engagement", id]) => engagements::get(px, id),
        ("DELETE", ["v1", "engagement", id]) => engagements::delete(px, id),
        ("GET", ["v1", "feature"]) => engagements::catalogue(&px.features, "features", &query),
        ("GET", ["v1", "feature", id]) => engagements::feature(px, id),
        ("PUT", ["v1", "feature", id]) => engagements::set_feature(px, id, body),
        ("GET", ["v1", "segment"]) => engagements::segments(px, &query),
        ("GET", ["v1", "segment", id]) => engagements::segment(px, id),
        ("POST" | "PUT", ["v1", "external_segment", "metadata"]) => external::metadata(px, body, &query),
        ("POST", ["v1", "external_segment", "update_membership"]) => external::update_membership(px, body),
        _ => no_path(call),
    }
}

fn no_path(call: &Call) -> Answered {
    Err(refused(StatusCode::NOT_FOUND, format!("No handler found for {} {}", call.method, call.uri.path())))
}

/// Paths of users and accounts.
fn people(px: &Px, call: &Call, segments: &[&str], query: &Query) -> Answered {
    let body = call.body.as_ref();
    match (call.method.as_str(), segments) {
        ("GET", ["v1", "users"]) => records::list(px, Kind::User, query),
        ("GET", ["v1", "accounts"]) => records::list(px, Kind::Account, query),
        ("POST", ["v1", "users"]) => records::create(px, Kind::User, body),
        ("POST", ["v1", "accounts"]) => records::create(px, Kind::Account, body),
        ("PUT", ["v1", "users", "update"]) => records::update(px, Kind::User, None, body),
        ("PUT", ["v1", "accounts", "update"]) => records::update(px, Kind::Account, None, body),
        ("DELETE", ["v1", "users", "delete"]) => records::delete_user_in_body(px, body, query),
        ("GET", ["v1", "users", "denylist", id]) => records::denylist(px, id, None),
        ("PUT", ["v1", "users", "denylist", id]) => records::denylist(px, id, Some(body)),
        ("GET", ["v1", "users", id]) => records::get(px, Kind::User, id),
        ("PUT", ["v1", "users", id]) => records::update(px, Kind::User, Some(id), body),
        ("DELETE", ["v1", "users", id]) => records::delete_user(px, id, query),
        ("GET", ["v1", "accounts", id]) => records::get(px, Kind::Account, id),
        ("PUT", ["v1", "accounts", id]) => records::update(px, Kind::Account, Some(id), body),
        ("DELETE", ["v1", "accounts", id]) => records::delete_account(px, id),
        (method @ ("GET" | "PUT"), [version @ ("v1" | "v2"), "user", "preferences", id]) => {
            records::preferences(px, Some(id), body, method == "PUT", *version == "v2")
        }
        (method @ ("POST" | "PUT"), [version @ ("v1" | "v2"), "user", "preferences"]) => {
            records::preferences(px, None, body, method == "PUT", *version == "v2")
        }
        _ => no_path(call),
    }
}

/// `/_sandbox/behaviour`, `/_sandbox/webhooks`, `/_sandbox/attributes`, `/_sandbox/audience`.
async fn sandbox(State(px): State<Arc<Px>>, method: Method, uri: Uri, body: Bytes) -> Response {
    let sent = (method == Method::POST).then_some(body.as_ref());
    response(match uri.path().rsplit('/').next() {
        Some("behaviour") => behaviour::settings(&px, sent),
        Some("webhooks") => hooks::settings(&px, sent),
        Some("audience") => audience::pick(&px, &body),
        _ => admin::add_attribute(&px, &body),
    })
}

/// `GET /_sandbox/qualifications`: who had the right to see which engagement, and how far they came by now.
async fn qualifications(State(px): State<Arc<Px>>) -> Response {
    let rows = tokio::task::spawn_blocking(move || {
        let mut audiences = px.audiences.write().unwrap_or_else(PoisonError::into_inner);
        audiences.refresh(&px);
        let participants: Vec<String> = audiences.participants().map(str::to_owned).collect();
        drop(audiences);
        let now = px.now() + 1;
        let users = participants.iter().filter_map(|id| px.users.get(id)).filter_map(|row| Someone::of(&px, &row));
        let rows = users.flat_map(|who| {
            let shown = happened::showings(&px, &who, now);
            shown.into_iter().map(move |(engagement, spell, showing)| {
                let viewed = showing.map(|showing| showing.viewed).filter(|at| *at < now);
                let completed = showing.and_then(|showing| showing.ended).filter(|at| *at < now);
                json!({
                    "participant": who.id, "engagementId": engagement.id, "qualifiedAt": spell.from, "viewedAt": viewed,
                    "completedAt": completed, "removedAt": spell.to,
                })
            })
        });
        rows.collect::<Vec<Value>>()
    });
    Json(rows.await.unwrap_or_default()).into_response()
}
