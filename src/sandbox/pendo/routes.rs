//! Which paths there are.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    middleware,
    response::{IntoResponse, Response},
    routing::{MethodRouter, delete, get, post, put},
};
use serde_json::{Map, json};

use super::{aggregation, auth, catalogue, guides, metadata, records, reports, segments, state::Pendo, track};
use crate::sandbox::{
    documents::Documents,
    server::{Emulator, World, as_stored},
};

/// Pendo over the company and its documents.
pub(in crate::sandbox) fn emulator(world: &Arc<World>, documents: &Arc<Documents>) -> Emulator {
    let pendo = Arc::new(Pendo::new(world, documents));
    let api = api(&pendo).layer(middleware::from_fn(auth::guard));
    let collector = Router::new().route("/data/track", post(track::track)).with_state(pendo);
    let router = Router::new().nest("/api/v1", api).merge(collector).fallback(|| async { StatusCode::NOT_FOUND });
    let keys = [("integration_key", auth::KEY), ("read_key", auth::READ_KEY), ("track_key", auth::TRACK_KEY)];
    let credentials: Map<_, _> = keys.map(|(name, key)| (name.to_owned(), key.into())).into_iter().collect();
    Emulator { name: "pendo", router, refuse: auth::refuse, credentials, shown: as_stored() }
}

fn api(pendo: &Arc<Pendo>) -> Router {
    let list = |table: catalogue::Pick| -> MethodRouter { get(catalogue::list).with_state((Arc::clone(pendo), table)) };
    Router::new()
        .route("/token/verify", get(verify))
        .route("/aggregation", post(aggregate))
        .route("/{kind}/{id}", get(records::show))
        .route("/visitor", get(records::without_id))
        .route("/account", get(records::without_id))
        .route("/visitor/{id}/history", get(records::history))
        .route("/bulkdelete", get(records::jobs))
        .route("/bulkdelete/{kind}", post(records::delete).get(records::job))
        .route("/metadata/schema/{kind}", get(metadata::schema))
        .route("/metadata/schema/{kind}/{group}", post(metadata::create))
        .route("/metadata/schema/{kind}/{group}/{field}", delete(metadata::remove))
        .route("/metadata/{kind}/{group}/value", post(metadata::set_many))
        .route("/metadata/{kind}/{group}/value/{id}/{field}", get(metadata::value).put(metadata::set))
        .route("/segment/upload", post(segments::upload))
        .route("/segment/{id}", get(segments::show).put(segments::replace).delete(segments::delete))
        .route("/segment/{id}/status", get(segments::status))
        .route("/segment/{id}/visitor", axum::routing::patch(segments::patch))
        .route("/segment/{id}/visitor/{visitor}", put(segments::add).delete(segments::remove))
        .route("/segment/{id}/visitors", post(segments::export))
        .route("/segment/{id}/visitors/{job}/status", get(segments::export_status))
        .route("/segment/{id}/visitors/{job}/results/{format}", get(segments::export_results))
        .route("/guide/{id}", get(guides::show))
        .route("/guide/{id}/state", put(guides::set_state))
        .route("/guide/{id}/segment", put(guides::set_segment))
        .route("/guide/{id}/reset", post(guides::reset))
        .route("/guide/{id}/visitor/{visitor}/reset", post(guides::reset_visitor))
        .route("/report/{id}/{file}", get(reports::results))
        .with_state(Arc::clone(pendo))
        .route("/page", list(|pendo| &pendo.pages))
        .route("/feature", list(|pendo| &pendo.features))
        .route("/tracktype", list(|pendo| &pendo.track_types))
        .route("/guide", list(|pendo| &pendo.guides))
        .route("/report", list(|pendo| &pendo.reports))
        .route("/segment", list(|pendo| &pendo.segments))
}

async fn verify(headers: HeaderMap) -> Response {
    Json(json!({"valid": true, "writeAccess": auth::access(&headers) == Some(auth::Access::Write)})).into_response()
}

async fn aggregate(State(pendo): State<Arc<Pendo>>, body: Bytes) -> Response {
    aggregation::answer(&pendo, &body)
}
