//! Keys and tokens: the tenant's access key, or a token of the machine-to-machine login.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use axum::{
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::answer::{self, Refused};
use crate::sandbox::server::Refusal;

pub(super) const ACCESS_KEY: &str = "sandbox-gainsight-access-key";
pub(super) const CLIENT_ID: &str = "sandbox-gainsight-client";
pub(super) const CLIENT_SECRET: &str = "sandbox-gainsight-client-secret";

/// A token lives for a day.
const LIFE_SECONDS: i64 = 86_400;

/// Tokens that were handed out, and when they end.
#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<HashMap<String, i64>>);

impl Tokens {
    /// Whether a call carries the access key (header `accesskey`, or `authentication` as the export article has it) or a live token.
    pub(super) fn admit(&self, headers: &HeaderMap, now_ms: i64) -> bool {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(token) = text("authorization").and_then(|value| value.strip_prefix("Bearer ")) {
            let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            return tokens.get(token).is_some_and(|ends| *ends > now_ms);
        }
        text("accesskey").or_else(|| text("authentication")) == Some(ACCESS_KEY)
    }

    /// `POST /v1/users/m2m/oauth/token`.
    pub(super) fn hand_out(&self, headers: &HeaderMap, form: &[u8], id: &str, now_ms: i64) -> Result<Value, Refused> {
        let basic = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Basic "));
        let pair = basic.and_then(|text| BASE64_STANDARD.decode(text).ok());
        if pair.as_deref() != Some(format!("{CLIENT_ID}:{CLIENT_SECRET}").as_bytes()) {
            return Err(answer::unauthorized());
        }
        if !form.split(|byte| *byte == b'&').any(|part| part == b"grant_type=client_credentials") {
            return Err(answer::invalid("grant_type must be client_credentials"));
        }
        let token = format!("m2m-{id}");
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone(), now_ms + LIFE_SECONDS * 1000);
        Ok(json!({"access_token": token, "token_type": "Bearer", "expires_in": LIFE_SECONDS}))
    }
}

/// The vendor's own refusals.
pub(super) fn refuse(refusal: Refusal, _uri: &Uri) -> Option<Response> {
    const REQUEST: &str = "00000000-0000-4000-8000-000000000000";
    Some(match refusal {
        Refusal::TooManyRequests | Refusal::Limit => answer::too_many().response(REQUEST),
        Refusal::ServerError => answer::oops().response(REQUEST),
        Refusal::Unavailable => Refused { status: StatusCode::SERVICE_UNAVAILABLE, ..answer::oops() }.response(REQUEST).into_response(),
        Refusal::Expired => answer::unauthorized().response(REQUEST),
        // Its pages are numbered, or begin behind a key.
        Refusal::StalePage => return None,
    })
}
