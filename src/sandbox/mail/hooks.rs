//! Web hooks of the mail server: bounces are posted to whoever asked for them, as `[{id, type, at, message, message_id, recipient, reason}]`.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::Office;
use crate::sandbox::post::post;

/// The row of the settings.
const HOOK: &str = "webhook";

/// `POST /_sandbox/webhooks` `{"url"}`: instead of the one before.
pub(super) async fn set(State(office): State<Arc<Office>>, body: Bytes) -> Response {
    let wrong = || (StatusCode::BAD_REQUEST, Json(json!({"error": "url must be an http:// address"}))).into_response();
    let Ok(sent) = serde_json::from_slice::<Value>(&body) else { return wrong() };
    let sound = |url: &&str| url.parse::<Uri>().is_ok_and(|url| url.scheme_str() == Some("http") && url.host().is_some());
    let Some(url) = sent["url"].as_str().filter(sound) else { return wrong() };
    match office.set(HOOK, url.into()) {
        Ok(()) => (StatusCode::CREATED, Json(json!({"url": url}))).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({"error": error.to_string()}))).into_response(),
    }
}

/// Tells of bounces; one that nobody takes is not told again.
pub(super) async fn tell(office: &Office, bounces: Vec<Map<String, Value>>) {
    let Some(hook) = office.setting(HOOK).filter(|_| !bounces.is_empty()) else { return };
    let url = hook.as_str().and_then(|url| url.parse::<Uri>().ok()).unwrap_or_default();
    let told = tokio::time::timeout(std::time::Duration::from_secs(5), post(&mut None, &url, &json!(bounces))).await;
    if let Err(error) = told.unwrap_or_else(|_| Err("no answer in time".into())) {
        tracing::debug!(%error, %url, "bounces were not taken");
    }
}
