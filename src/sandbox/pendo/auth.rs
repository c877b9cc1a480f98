//! Keys, and what the vendor says when it refuses.

use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, Uri},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::sandbox::server::Refusal;

/// The header of every call.
const HEADER: &str = "x-pendo-integration-key";

/// The key that may read and write.
pub(super) const KEY: &str = "sandbox-pendo-integration-key";
/// The key that may only read.
pub(super) const READ_KEY: &str = "sandbox-pendo-read-key";

/// The shared secret of track events.
pub(super) const TRACK_KEY: &str = "sandbox-pendo-track-key";

/// Whether a call may send track events: with their shared secret, or with the key that may write, which is all that some clients
/// can be given.
pub(super) fn may_track(headers: &HeaderMap) -> bool {
    headers.get(HEADER).is_some_and(|key| key == TRACK_KEY || key == KEY)
}

/// What the key of a call allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Write,
    Read,
}

/// The access of a call; none without a right key.
pub(super) fn access(headers: &HeaderMap) -> Option<Access> {
    match headers.get(HEADER)?.to_str().ok()? {
        KEY => Some(Access::Write),
        READ_KEY => Some(Access::Read),
        _ => None,
    }
}

/// Lets calls with a right key through; everything else gets 403 with an empty body.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    let reads = request.method().is_safe() || request.uri().path().ends_with("/aggregation");
    match access(request.headers()) {
        Some(Access::Write) => next.run(request).await,
        Some(Access::Read) if reads => next.run(request).await,
        _ => StatusCode::FORBIDDEN.into_response(),
    }
}

/// The vendor's own refusals. A key does not expire at Pendo; one that was revoked is answered like a wrong one, and the collector of
/// track events knows no such key.
pub(super) fn refuse(refusal: Refusal, uri: &Uri) -> Option<Response> {
    Some(match refusal {
        Refusal::TooManyRequests | Refusal::Limit => (StatusCode::TOO_MANY_REQUESTS, "Too Many Requests").into_response(),
        Refusal::ServerError => (StatusCode::INTERNAL_SERVER_ERROR, "Unexpected error occurred").into_response(),
        Refusal::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable").into_response(),
        // Its lists are answered whole.
        Refusal::StalePage => return None,
        Refusal::Expired if uri.path() == "/data/track" => return None,
        Refusal::Expired => StatusCode::FORBIDDEN.into_response(),
    })
}
