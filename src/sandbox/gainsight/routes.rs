//! Which paths there are. Everything else is answered as a wrong path.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::to_bytes,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::{
    answer::{self, Answer, Answered, invalid, no_object, oops, too_many, unauthorized, wrong_path},
    auth,
    cta::{self, Way},
    export,
    filter::Times,
    limits::Window,
    meta, objects, people, plan, query,
    tenant::{self, Tenant},
    timeline, users,
    values::Dates,
    write,
};
use crate::sandbox::{
    documents::Documents,
    server::{Emulator, World, as_stored},
};

/// No documented body is larger.
const LARGEST_BODY: usize = 80 << 20;

/// Gainsight CS over the company and its documents.
pub(in crate::sandbox) fn emulator(world: &Arc<World>, documents: &Arc<Documents>) -> Emulator {
    let tenant = Arc::new(Tenant::new(world, documents));
    let router =
        Router::new().route("/_sandbox/settings", post(settings)).route("/_sandbox/objects", post(make_object)).fallback(call).with_state(tenant);
    let credentials = [("access_key", auth::ACCESS_KEY), ("client_id", auth::CLIENT_ID), ("client_secret", auth::CLIENT_SECRET)];
    let credentials = credentials.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect::<Map<_, _>>();
    Emulator { name: "gainsight", router, refuse: auth::refuse, credentials, shown: as_stored() }
}

/// A call with its body read.
struct Call {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

async fn call(State(tenant): State<Arc<Tenant>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let call = Call { method: parts.method, uri: parts.uri, headers: parts.headers, body };
    // A query may look at a million rows: not on a thread that serves connections.
    let answered = tokio::task::spawn_blocking(move || answered(&tenant, &call)).await;
    answered.unwrap_or_else(|_| oops().response("00000000-0000-4000-8000-000000000000"))
}

fn answered(tenant: &Tenant, call: &Call) -> Response {
    let window = Window::of(call.uri.path());
    let request = tenant.request_id();
    let now = tenant.world.clock.now_ms();
    let path = call.uri.path().trim_end_matches('/');
    if path == "/v1/users/m2m/oauth/token" && call.method == Method::POST {
        return match tenant.tokens.hand_out(&call.headers, &call.body, &request, now) {
            Ok(token) => Json(token).into_response(),
            Err(refused) => refused.response(&request),
        };
    }
    if !tenant.tokens.admit(&call.headers, now) {
        return answer::response(Err(unauthorized()), &request, window);
    }
    if tenant.settings().limits && !tenant.counters.allow(window, now) {
        return answer::response(Err(too_many()), &request, window);
    }
    answer::response(routed(tenant, call, path), &request, window)
}

fn routed(tenant: &Tenant, call: &Call, path: &str) -> Answered {
    let body = &call.body;
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    if let ["v1", "data", "objects", "query", object] | ["v1", "data", "objects", object, ..] | ["v3", "exports", "data", "bulk", object] =
        segments.as_slice()
        && objects::object(object).is_some_and(|object| !tenant.has(object))
    {
        return Err(no_object(object));
    }
    match (call.method.as_str(), segments.as_slice()) {
        ("POST", ["v1", "data", "objects", "query", object]) => query::run(tenant, object, body),
        ("POST", ["v1", "data", "objects", object]) => write::insert(tenant, object, body),
        ("PUT", ["v1", "data", "objects", object]) => write::update(tenant, object, parameter(&call.uri, "keys").as_deref(), body),
        ("DELETE", ["v1", "data", "objects", object, id]) => write::delete(tenant, object, id),
        ("PUT", ["v1", "peoplemgmt", "v1.0", "people"] | ["v1.0", "api", "people"]) => people::put(tenant, body),
        ("PUT", ["v1", "peoplemgmt", "v1.0", "people", "async"]) => people::put_async(tenant, body),
        ("GET", ["v1", "peoplemgmt", "v1.0", "people", "async", id]) => people::status(tenant, id),
        ("POST", ["v2", "cockpit", "cta"]) => cta::write(tenant, Way::Create, body),
        ("PUT", ["v2", "cockpit", "cta"]) => cta::write(tenant, Way::Update, body),
        ("POST", ["v2", "cockpit", "cta", "list"]) => cta::list(tenant, "call_to_action", body),
        ("POST", ["v2", "cockpit", "task", "list"]) => cta::list(tenant, "cs_task", body),
        ("POST", ["v2", "successPlan"]) => plan::write(tenant, Way::Create, body),
        ("PUT", ["v2", "successPlan"]) => plan::write(tenant, Way::Update, body),
        ("POST", ["v2", "successPlan", "list"]) => cta::list(tenant, "cta_group", body),
        ("GET", ["v2", "cockpit" | "successPlan", "admin", "picklist", "lite"]) => {
            cta::picklists(tenant, parameter(&call.uri, "category").as_deref())
        }
        ("POST", ["v1", "ant", "es", "activity"]) => timeline::create(tenant, body),
        ("PUT", ["v1", "ant", "es", "activity"]) => timeline::update(tenant, parameter(&call.uri, "identifier").as_deref(), body),
        ("POST", ["v1", "ant", "es", "activity", "bulk"]) => timeline::create_bulk(tenant, body),
        ("GET", ["v1", "ant", "es", "job", "status", id]) => timeline::status(tenant, id),
        ("POST", ["v1", "users", "services", "list"]) => users::list(tenant, body),
        ("GET", ["v1", "meta", "services", "objects", "list"]) => Ok(meta::list(tenant)),
        ("GET", ["v1", "meta", "services", "objects", object, "describe"]) => {
            Ok(meta::describe(tenant, object, parameter(&call.uri, "piec").as_deref() == Some("true")))
        }
        ("POST", ["v1", "meta", "services", "objects", "describe"]) => meta::describe_many(tenant, body),
        ("GET", ["v1", "meta", "services", "dropdowns", category]) => meta::dropdown(tenant, category),
        ("POST", ["v3", "exports", "data", "bulk", object]) => export::submit(tenant, object, body, &base(&call.headers)),
        ("GET", ["v3", "exports", "data", "bulk", "status", id]) => export::status(tenant, id, &base(&call.headers)),
        ("GET", ["v3", "exports", "data", "bulk", "chunk", id, offset]) => export::chunk(tenant, id, offset),
        _ => Err(wrong_path()),
    }
}

/// A query parameter, decoded.
fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.into_iter().find(|(key, _)| *key == name)?.1.replace('+', " ");
    Some(percent_decode_str(&value).decode_utf8_lossy().into_owned())
}

/// The address the caller knows this server by.
fn base(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    format!("http://{host}")
}

/// `POST /_sandbox/objects` `{"object": "measure_scores__gc"}`: as an administrator makes it in Data Management.
async fn make_object(State(tenant): State<Arc<Tenant>>, body: Bytes) -> Response {
    let made = tenant::body(&body).and_then(|sent| tenant.make(sent.get("object").and_then(Value::as_str).unwrap_or_default()));
    match made {
        Ok(object) => Json(json!({"object": object.name})).into_response(),
        Err(refused) => (StatusCode::BAD_REQUEST, Json(json!({"error": refused.text}))).into_response(),
    }
}

/// `POST /_sandbox/settings` `{"shape": "A" | "B", "dates": "iso" | "epoch", "times": "any" | 2, "limits": true}`: answers what holds now.
async fn settings(State(tenant): State<Arc<Tenant>>, body: Bytes) -> Response {
    match change_settings(&tenant, &body) {
        Ok(Answer::Body(body)) => Json(body).into_response(),
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(refused) => (StatusCode::BAD_REQUEST, Json(json!({"error": refused.text}))).into_response(),
    }
}

fn change_settings(tenant: &Tenant, bytes: &[u8]) -> Answered {
    let sent = tenant::body(bytes)?;
    let mut wanted = tenant.settings();
    for (key, value) in &sent {
        match (key.as_str(), value) {
            ("shape", Value::String(shape)) if shape == "A" || shape == "B" => wanted.bare_list = shape == "A",
            ("dates", Value::String(dates)) if dates == "iso" => wanted.dates = Dates::Iso,
            ("dates", Value::String(dates)) if dates == "epoch" => wanted.dates = Dates::Epoch,
            ("times", Value::String(times)) if times == "any" => wanted.times = Times::Any,
            ("times", Value::Number(ahead)) => {
                let ahead = ahead.as_i64().and_then(|hours| i8::try_from(hours).ok()).filter(|hours| (-12..=14).contains(hours));
                wanted.times = Times::Plain(ahead.ok_or_else(|| invalid("times: hours ahead of UTC, from -12 to 14"))?);
            }
            ("limits", Value::Bool(limits)) => wanted.limits = *limits,
            _ => return Err(invalid(format!("no such setting: {key} = {value}"))),
        }
    }
    let now = tenant.set(|settings| *settings = wanted);
    let shape = if now.bare_list { "A" } else { "B" };
    let dates = if now.dates == Dates::Iso { "iso" } else { "epoch" };
    let times = match now.times {
        Times::Any => json!("any"),
        Times::Plain(ahead) => json!(ahead),
    };
    Ok(Answer::Body(json!({"shape": shape, "dates": dates, "times": times, "limits": now.limits})))
}
