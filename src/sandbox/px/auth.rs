//! Keys, and what the vendor says when it refuses.

use axum::{
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};

use super::answer::{Refused, bad, forbidden, refused, unauthorized};
use crate::sandbox::server::Refusal;

const HEADER: &str = "x-aptrinsic-api-key";

/// The key that may read and write, and launch.
pub(super) const KEY: &str = "7ab15a4d-0b0c-4e00-9e6f-5a4db0c5a11d";
/// The key that may only read.
pub(super) const READ_KEY: &str = "7ab15a4d-0b0c-4e00-9e6f-5a4db0c54ead";
/// The product's own key.
pub(super) const PRODUCT_KEY: &str = "AP-TABISANDBOX1-2";

/// Whether a call carries a key that allows it. Preferences can be read by POST.
pub(super) fn admit(headers: &HeaderMap, method: &Method, path: &str) -> Result<(), Refused> {
    let reads = method.is_safe() || (method == Method::POST && path.ends_with("/user/preferences"));
    match headers.get(HEADER).and_then(|key| key.to_str().ok()) {
        Some(KEY) => Ok(()),
        Some(READ_KEY) if reads => Ok(()),
        Some(READ_KEY) => Err(forbidden()),
        _ => Err(unauthorized()),
    }
}

/// The vendor's own refusals. No `Retry-After` is documented, so none is sent.
pub(super) fn refuse(refusal: Refusal, uri: &Uri) -> Option<Response> {
    let refused = match refusal {
        Refusal::TooManyRequests => refused(StatusCode::TOO_MANY_REQUESTS, "Too many requests"),
        Refusal::Limit => refused(StatusCode::TOO_MANY_REQUESTS, "Daily request limit exceeded"),
        Refusal::ServerError => refused(StatusCode::INTERNAL_SERVER_ERROR, "Unexpected error"),
        Refusal::Unavailable => refused(StatusCode::SERVICE_UNAVAILABLE, "Service unavailable"),
        Refusal::Expired => unauthorized(),
        Refusal::StalePage if uri.query().is_some_and(|query| query.contains("scrollId=")) => bad("Invalid scrollId"),
        Refusal::StalePage => return None,
    };
    Some(refused.into_response())
}
