//! How each of Salesforce's error codes is understood (REST API Developer Guide, "Status Codes and Error Responses").

use serde::Deserialize;

use crate::model::{Fault, FaultKind, System};

use crate::connectors::http::Refusal;

/// Codes of whole calls (`errorCode`) and of single rows (`statusCode`, `sf__Error`). What is missing here is `Invalid` for a row,
/// and what the HTTP status suggests for a call.
const TABLE: &[(&str, FaultKind)] = &[
    ("INVALID_SESSION_ID", FaultKind::Denied),
    ("INVALID_AUTH_HEADER", FaultKind::Denied),
    ("API_DISABLED_FOR_ORG", FaultKind::Denied),
    ("API_CURRENTLY_DISABLED", FaultKind::Denied),
    ("FORBIDDEN", FaultKind::Denied),
    ("INSUFFICIENT_ACCESS", FaultKind::Denied),
    ("INSUFFICIENT_ACCESS_OR_READONLY", FaultKind::Denied),
    ("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", FaultKind::Denied),
    ("TXN_SECURITY_METERING_ERROR", FaultKind::Denied),
    ("LIMIT_EXCEEDED", FaultKind::LimitExceeded),
    ("STORAGE_LIMIT_EXCEEDED", FaultKind::LimitExceeded),
    ("CUSTOM_ENTITY_OR_FIELD_LIMIT", FaultKind::LimitExceeded),
    ("SERVER_UNAVAILABLE", FaultKind::Unavailable),
    ("UNKNOWN_EXCEPTION", FaultKind::Unavailable),
    ("QUERY_TIMEOUT", FaultKind::Unavailable),
    ("REQUEST_RUNNING_TOO_LONG", FaultKind::Unavailable),
    ("NOT_FOUND", FaultKind::NotFound),
    ("ENTITY_IS_DELETED", FaultKind::NotFound),
    ("INVALID_CROSS_REFERENCE_KEY", FaultKind::NotFound),
    ("INVALID_TYPE", FaultKind::NotFound),
    ("UNABLE_TO_LOCK_ROW", FaultKind::Conflict),
    ("DUPLICATE_VALUE", FaultKind::Conflict),
    ("DUPLICATES_DETECTED", FaultKind::Conflict),
    ("DUPLICATE_EXTERNAL_ID", FaultKind::Conflict),
    ("DUPLICATE_DEVELOPER_NAME", FaultKind::Conflict),
    ("UNSUPPORTED_API_VERSION", FaultKind::Invalid),
];

/// `REQUEST_LIMIT_EXCEEDED` is the one code that only its text tells apart.
fn kind_of(code: &str, message: &str) -> Option<FaultKind> {
    match code {
        "REQUEST_LIMIT_EXCEEDED" if message.starts_with("Concurrent") => Some(FaultKind::RateLimited),
        "REQUEST_LIMIT_EXCEEDED" => Some(FaultKind::LimitExceeded),
        "INVALID_FIELD" if message.contains("No such column") => Some(FaultKind::NotFound),
        _ => TABLE.iter().find(|(known, _)| *known == code).map(|(_, kind)| *kind),
    }
}

#[derive(Deserialize)]
pub(super) struct WireError {
    #[serde(alias = "statusCode", alias = "exceptionCode")]
    #[serde(rename = "errorCode")]
    pub code: String,
    #[serde(default)]
    pub message: String,
    #[serde(default)]
    pub fields: Vec<String>,
}

#[derive(Deserialize)]
struct OAuthError {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// The fault of a refused call.
pub(super) fn judge(refusal: &Refusal) -> Fault {
    if let Ok([first, ..]) = serde_json::from_slice::<Vec<WireError>>(&refusal.body).as_deref() {
        return fault_of(first, refusal.usual_kind());
    }
    if let Ok(error) = serde_json::from_slice::<OAuthError>(&refusal.body) {
        return oauth(&error, refusal);
    }
    let message = format!("Salesforce answered with status {} and no error of its own", refusal.status.as_u16());
    Fault::from_system(System::Salesforce, refusal.usual_kind(), message)
}

fn oauth(error: &OAuthError, refusal: &Refusal) -> Fault {
    let kind = match error.error.as_str() {
        "rate_limit_exceeded" => FaultKind::RateLimited,
        _ if refusal.status.is_server_error() => FaultKind::Unavailable,
        _ => FaultKind::Denied,
    };
    Fault::from_system(System::Salesforce, kind, format!("login refused: {}", one_line(&error.error_description))).code(error.error.clone())
}

/// The fault of one error, of a call or a row.
pub(super) fn fault_of(error: &WireError, otherwise: FaultKind) -> Fault {
    let kind = kind_of(&error.code, &error.message).unwrap_or(otherwise);
    let mut fault = Fault::from_system(System::Salesforce, kind, one_line(&error.message)).code(error.code.clone());
    fault.field = error.fields.first().cloned();
    fault
}

/// Salesforce draws a caret under the place of a query error; the drawing means nothing on one line.
fn one_line(message: &str) -> String {
    match message.split_once("ERROR at Row:") {
        Some((_, rest)) => rest.split_once('\n').map_or(rest, |(_, text)| text).trim().to_owned(),
        None => message.trim().replace('\n', " "),
    }
}

/// A row that may be written a moment later: somebody else holds it or its parent.
pub(super) fn row_may_pass_later(fault: &Fault) -> bool {
    match fault.code.as_deref() {
        Some("UNABLE_TO_LOCK_ROW" | "UNPROCESSED") => true,
        Some("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY") => fault.message.contains("UNABLE_TO_LOCK_ROW"),
        _ => false,
    }
}
