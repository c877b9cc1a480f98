//! Which paths there are.

use std::sync::Arc;

use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Map, json};

use super::auth;
use crate::sandbox::{
    documents::Documents,
    server::{Emulator, World},
};

/// Pendo over the company and its documents.
pub(in crate::sandbox) fn emulator(_world: &Arc<World>, _documents: &Arc<Documents>) -> Emulator {
    let api = Router::new().route("/token/verify", get(verify)).layer(middleware::from_fn(auth::guard));
    let router = Router::new().nest("/api/v1", api).fallback(|| async { StatusCode::NOT_FOUND });
    let credentials = Map::from_iter([("integration_key".to_owned(), auth::KEY.into()), ("read_key".to_owned(), auth::READ_KEY.into())]);
    Emulator { name: "pendo", router, refuse: auth::refuse, credentials }
}

async fn verify(headers: HeaderMap) -> Response {
    Json(json!({"valid": true, "writeAccess": auth::access(&headers) == Some(auth::Access::Write)})).into_response()
}
