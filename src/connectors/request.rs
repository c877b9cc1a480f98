//! Calls that a script words itself: of a system's own API, and of allowed hosts.

use std::time::Duration;

use reqwest::{Method, StatusCode, Url};

use crate::model::{Fault, FaultKind, HttpCall, Record, Request, System, Value};

use super::{
    Stop,
    http::{Answer, Call, GRACE, distrusted, root_cause},
};

/// The call of a request; `path` is where its path leads.
pub(super) fn call_of(request: &Request, path: String) -> Result<Call, Fault> {
    let system = request.system;
    let method = method_of(&request.method).map_err(|fault| Fault { system: Some(system), ..fault })?;
    let call = Call::new(method, path).slow();
    let mut call = if request.writes() { call } else { call.reading() };
    for (name, value) in request.query.iter() {
        call = call.query(name, value.to_string());
    }
    match &request.body {
        Some(Value::Text(csv)) if call.url.ends_with("/batches") => Ok(call.body("text/csv", csv.to_string())),
        Some(body) => call.json(system, body),
        None => Ok(call),
    }
}

fn method_of(word: &str) -> Result<Method, Fault> {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
    let word = word.to_ascii_uppercase();
    match Method::from_bytes(word.as_bytes()) {
        Ok(method) if known.contains(&word.as_str()) => Ok(method),
        _ => Err(Fault::new(FaultKind::Invalid, format!("`{word}` is none of {}", known.join(", ")))),
    }
}

/// The body as a value: JSON as such, anything else as text, nothing as null.
pub(super) fn value_of(answer: &Answer) -> Result<Value, Fault> {
    if answer.body.is_empty() {
        return Ok(Value::Null);
    }
    match serde_json::from_slice(&answer.body) {
        Ok(value) => Ok(value),
        Err(error) if error.is_eof() && declares_json(answer) => Err(Fault::new(FaultKind::Garbled, "the answer breaks off")),
        Err(_) => Ok(Value::text(String::from_utf8_lossy(&answer.body))),
    }
}

/// How the answer to a script's own call is taken apart: to one that reads something is due, unless its status says that there is nothing.
pub(super) fn answer_of(request: &Request) -> fn(&Answer) -> Result<Value, Fault> {
    if request.writes() || request.method == "HEAD" { value_of } else { value_due }
}

fn value_due(answer: &Answer) -> Result<Value, Fault> {
    if answer.body.trim_ascii().is_empty() && answer.status != StatusCode::NO_CONTENT {
        return Err(Fault::new(FaultKind::Garbled, "the answer is empty"));
    }
    value_of(answer)
}

fn declares_json(answer: &Answer) -> bool {
    let kind = answer.headers.get(reqwest::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.contains("json"))
}

/// Calls an allowed host, without retries: what a status means is the script's to judge.
pub(super) async fn http(client: &reqwest::Client, hosts: &[String], (limit, stop): (usize, &Stop), call: &HttpCall) -> Result<Value, Fault> {
    let bad = |_| Fault::new(FaultKind::Invalid, format!("`{}` is not a URL", call.url));
    let url = Url::parse(&call.url).map_err(bad)?;
    allow(hosts, &url)?;
    let mut request = client.request(method_of(&call.method)?, url.clone());
    for (name, value) in call.headers.iter() {
        request = request.header(name.as_str(), value.to_string());
    }
    request = match &call.body {
        Some(Value::Text(text)) => request.body(text.to_string()),
        Some(body) => request.json(body),
        None => request,
    };
    let grace = if matches!(call.method.to_ascii_uppercase().as_str(), "GET" | "HEAD") { Duration::ZERO } else { GRACE };
    let broke = |error: reqwest::Error| {
        let base = url.origin().ascii_serialization();
        if let Some(why) = distrusted(&root_cause(&error), &base, "the address in the script") {
            return Fault::new(FaultKind::Unavailable, why);
        }
        let what = if error.is_connect() { "cannot be reached" } else { "did not answer as it should" };
        Fault::new(FaultKind::Unavailable, format!("{base} {what}"))
    };
    let mut response = stop.race_with_grace(grace, request.send()).await?.map_err(broke)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = bytes::BytesMut::new();
    while let Some(chunk) = stop.race_with_grace(grace, response.chunk()).await?.map_err(broke)? {
        body.extend_from_slice(&chunk);
        if body.len() > limit {
            return Err(Fault::new(FaultKind::Invalid, format!("the answer is larger than {} MB", limit / 1_048_576)));
        }
    }
    let answer = Answer { status, headers, body: body.freeze() };
    let shown = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        Some((crate::model::Name::new(name.as_str()), Value::text(value.to_str().ok()?)))
    };
    let mut reply = Record::new();
    reply.set("status", Value::Int(i64::from(answer.status.as_u16())));
    reply.set("headers", Value::Map(answer.headers.iter().filter_map(shown).collect()));
    reply.set("body", value_of(&answer)?);
    Ok(Value::Map(reply))
}

fn allow(hosts: &[String], url: &Url) -> Result<(), Fault> {
    let host = url.host_str().unwrap_or_default();
    let with_port = format!("{host}:{}", url.port_or_known_default().unwrap_or(0));
    let sound = matches!(url.scheme(), "http" | "https") && !host.is_empty();
    if sound && hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host) || allowed.eq_ignore_ascii_case(&with_port)) {
        return Ok(());
    }
    let message = format!("`{host}` is not an allowed host; add it to `hosts` under [http] in tabi.toml");
    Err(Fault::new(FaultKind::Denied, message))
}

/// The fault for a system that no connection is configured for.
pub(super) fn not_connected(system: System) -> Fault {
    let message = format!("{system} is not connected; configure [{system}] in tabi.toml, or run with --sandbox");
    Fault::from_system(system, FaultKind::Denied, message)
}
