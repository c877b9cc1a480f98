//! The envelope of every answer, and every refusal in the vendor's own words and codes.

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::limits::Window;

/// What a call is answered.
#[derive(Debug)]
pub(super) enum Answer {
    /// The envelope around `data`.
    Data(Value),
    /// The same around JSON text.
    Rows(String),
    /// A body of the service's own shape.
    Body(Value),
    /// 400 with a body of the service's own shape.
    OwnRefusal(Value),
    /// A chunk of an export.
    Csv(String),
}

/// Why a call was refused.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) text: String,
    pub(super) data: Value,
}

pub(super) type Answered = Result<Answer, Refused>;

/// 400 with a code of the vendor's table.
pub(super) fn wrong(code: &'static str, text: impl Into<String>) -> Refused {
    Refused { status: StatusCode::BAD_REQUEST, code, text: text.into(), data: Value::Null }
}

/// `GSOBJ_1008`, the vendor's code for all that has none of its own.
pub(super) fn invalid(text: impl Into<String>) -> Refused {
    wrong("GSOBJ_1008", text)
}

pub(super) fn wrong_path() -> Refused {
    wrong("GSOBJ_1023", "Invalid request path")
}

pub(super) fn no_object(name: &str) -> Refused {
    wrong("OBJECT_NOT_FOUND", format!("Object {name} not found"))
}

pub(super) fn no_field(name: &str, object: &str) -> Refused {
    wrong("GSOBJ_1002", format!("Invalid field {name} for object {object}"))
}

/// 500, as the vendor says it.
pub(super) fn oops() -> Refused {
    Refused { status: StatusCode::INTERNAL_SERVER_ERROR, code: "GU_1101", text: "Oops, something went wrong.".into(), data: Value::Null }
}

pub(super) fn unauthorized() -> Refused {
    Refused { status: StatusCode::UNAUTHORIZED, code: "GS_APIG_2401", text: "Unauthorized".into(), data: Value::Null }
}

pub(super) fn too_many() -> Refused {
    Refused { status: StatusCode::TOO_MANY_REQUESTS, code: "GU_2400", text: "Too many request".into(), data: Value::Null }
}

impl Refused {
    pub(super) fn response(self, request: &str) -> Response {
        let message = if self.code == "GS_APIG_2401" { json!("Unauthorized") } else { Value::Null };
        let body = json!({
            "result": false, "errorCode": self.code, "errorDesc": self.text, "requestId": request, "data": self.data, "message": message,
        });
        (self.status, Json(body)).into_response()
    }
}

/// The whole answer, with the header that tells the limits.
pub(super) fn response(answered: Answered, request: &str, window: Window) -> Response {
    let mut response = match answered {
        Ok(Answer::Data(data)) => {
            let body = json!({"result": true, "errorCode": null, "errorDesc": null, "requestId": request, "data": data, "message": null});
            Json(body).into_response()
        }
        Ok(Answer::Rows(data)) => {
            let head = "{\"result\":true,\"errorCode\":null,\"errorDesc\":null,\"requestId\":";
            let body = format!("{head}{},\"data\":{data},\"message\":null}}", Value::from(request));
            ([(header::CONTENT_TYPE, "application/json")], body).into_response()
        }
        Ok(Answer::Body(body)) => Json(body).into_response(),
        Ok(Answer::OwnRefusal(body)) => (StatusCode::BAD_REQUEST, Json(body)).into_response(),
        Ok(Answer::Csv(text)) => ([(header::CONTENT_TYPE, "text/csv;charset=UTF-8")], text).into_response(),
        Err(refused) => refused.response(request),
    };
    if let Ok(limits) = window.header().parse() {
        response.headers_mut().insert("x-ratelimit-limit", limits);
    }
    response
}
