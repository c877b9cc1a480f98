//! What systems tell of: verified by a signature where a system signs, else by a path that cannot be guessed. What is told twice, late or
//! in another order counts once; what concerns nobody here is forgotten.

/// Bounces and the like, from whoever delivers mail.
mod mail;
/// Pendo.
mod pendo;
/// Gainsight PX.
mod px;

use axum::{http::StatusCode, response::Response};
use serde_json::Value;

use super::{
    call::{Call, plain},
    desk::Desk,
    page::unknown,
};
use crate::store::Error;

pub(super) const SYSTEMS: [&str; 3] = ["px", "pendo", "mail"];

/// `POST /hooks/SYSTEM/SECRET`.
pub(super) fn told(desk: &Desk, call: &Call, system: &str, secret: &str) -> Result<Response, Error> {
    if !SYSTEMS.contains(&system) || !desk.links.is_secret(system, secret) {
        return Ok(unknown());
    }
    if system == "pendo" && !pendo::is_signed(desk, call) {
        return Ok(plain(StatusCode::UNAUTHORIZED, "the signature is missing or wrong\n"));
    }
    let Ok(body) = serde_json::from_slice::<Value>(&call.body) else { return Ok(plain(StatusCode::BAD_REQUEST, "this is no JSON\n")) };
    let all: Vec<Value> = match body {
        Value::Array(all) => all,
        one => vec![one],
    };
    if all.iter().any(|one| !one.is_object()) {
        return Ok(plain(StatusCode::BAD_REQUEST, "an event is an object\n"));
    }
    for one in &all {
        match system {
            "px" => px::told(desk, one)?,
            "pendo" => pendo::told(desk, one)?,
            _ => mail::told(desk, one)?,
        }
    }
    Ok(plain(StatusCode::OK, "ok\n"))
}

/// The first of some fields that holds text.
fn text<'v>(value: &'v Value, fields: &[&str]) -> Option<&'v str> {
    fields.iter().find_map(|field| value[field].as_str()).map(str::trim).filter(|text| !text.is_empty())
}
