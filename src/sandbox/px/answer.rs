//! Bodies of answers and refusals.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::sandbox::Error;

/// What a call is answered.
#[derive(Debug)]
pub(super) enum Answer {
    Body(Value),
    /// 201, with what was made where the vendor shows it.
    Created(Option<Value>),
    /// 204.
    Nothing,
    /// 200 without a body.
    Done,
}

/// Why a call was refused: `externalapierror`.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    message: String,
    /// Object, field and message.
    about: Option<(&'static str, String, String)>,
}

pub(super) type Answered = Result<Answer, Refused>;

pub(super) fn refused(status: StatusCode, message: impl Into<String>) -> Refused {
    Refused { status, message: message.into(), about: None }
}

pub(super) fn bad(message: impl Into<String>) -> Refused {
    refused(StatusCode::BAD_REQUEST, message)
}

/// A field that does not hold what it should.
pub(super) fn invalid(object: &'static str, field: impl Into<String>, message: impl Into<String>) -> Refused {
    Refused { about: Some((object, field.into(), message.into())), ..bad("Validation error") }
}

pub(super) fn not_found(what: &str, id: &str) -> Refused {
    refused(StatusCode::NOT_FOUND, format!("{what} was not found for parameters {{id={id}}}"))
}

pub(super) fn unauthorized() -> Refused {
    refused(StatusCode::UNAUTHORIZED, "Authentication failed in loginAwareAuthentication")
}

pub(super) fn forbidden() -> Refused {
    refused(StatusCode::FORBIDDEN, "The API key has no permission for this operation")
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        tracing::warn!(%error, "the sandbox could not store");
        refused(StatusCode::INTERNAL_SERVER_ERROR, "Unexpected error")
    }
}

/// `NOT_FOUND` for 404, and so on.
fn word(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or("ERROR").to_ascii_uppercase().replace(' ', "_")
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let about = self.about.map(|(object, field, message)| json!([{"object": object, "field": field, "rejectedValue": null, "message": message}]));
        let error = json!({"status": word(self.status), "message": self.message, "debugMessage": null, "subErrors": about});
        (self.status, Json(json!({"externalapierror": error}))).into_response()
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        match self {
            Self::Body(body) => Json(body).into_response(),
            Self::Created(Some(body)) => (StatusCode::CREATED, Json(body)).into_response(),
            Self::Created(None) => StatusCode::CREATED.into_response(),
            Self::Nothing => StatusCode::NO_CONTENT.into_response(),
            Self::Done => StatusCode::OK.into_response(),
        }
    }
}
