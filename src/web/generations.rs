//! What saves came to, for programs: each receipt is the line that `tabi up --json` said of it. A host keeps the last hundred.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::Value;

use super::{
    call::{Call, refused},
    desk::Desk,
};

/// `GET /api/generations`, newest first: those after the generation `after`, where it is given. A save that was refused is among them: its
/// `errors` say why, and the files of `kept` go on as their last good versions.
pub(super) fn all(desk: &Desk, call: &Call) -> Response {
    let after = match call.asked("after").map(|text| text.parse::<u64>()).transpose() {
        Ok(after) => after.unwrap_or(0),
        Err(_) => return refused(StatusCode::BAD_REQUEST, "usage", "`after` is the number of a generation: ?after=7"),
    };
    let receipts = desk.receipts.all();
    let wanted = receipts.iter().rev().take_while(|receipt| receipt.generation > after);
    Json(wanted.map(|receipt| receipt.document()).collect::<Value>()).into_response()
}

/// `GET /api/generation`: the receipt of the one that runs.
pub(super) fn latest(desk: &Desk) -> Response {
    match desk.receipts.latest() {
        Some(receipt) => Json(receipt.document()).into_response(),
        None => refused(StatusCode::SERVICE_UNAVAILABLE, "starting", "the host is starting: ask again in a moment"),
    }
}
