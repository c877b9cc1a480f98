//! What comes in and what goes out, in forms that composite requests can pass on.

use crate::sandbox::salesforce::save::Journal;
use crate::sandbox::salesforce::soql::fault::QueryFault;
use axum::body::Body;
use axum::http::{HeaderMap, Response, StatusCode, header};
use bytes::Bytes;
use serde_json::{Value, json};

/// One call, taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    /// Decoded path segments behind `/services/data/vN.N`, without empty ones.
    pub(crate) path: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    /// `/services/data/vN.N`.
    pub(crate) base: String,
    /// 68.0 as 68.
    pub(crate) version: u32,
    pub(crate) body: Bytes,
    pub(crate) headers: HeaderMap,
    /// Where clients reach the org, such as `http://127.0.0.1:1234`.
    pub(crate) host: String,
    /// Milliseconds since 1970.
    pub(crate) now: i64,
    /// Where a part of a composite call notes how to undo what it wrote.
    pub(crate) journal: Option<Journal>,
}

impl Call {
    /// A parameter of the query string, its name in any case.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether a parameter says `true`.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.parameter(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The path segments as texts.
    pub(crate) fn parts(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<Value, Fault> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            Fault::new(400, "JSON_PARSER_ERROR", format!("{} at [line:{line}, column:{column}]", parser_words(&self.body, line, column)))
        })
    }

    /// The body as a JSON object.
    pub(crate) fn object(&self) -> Result<serde_json::Map<String, Value>, Fault> {
        match self.json()? {
            Value::Object(object) => Ok(object),
            _ => Err(Fault::new(400, "JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has no entity body.")),
        }
    }
}

fn parser_words(body: &[u8], line: usize, column: usize) -> String {
    let text = String::from_utf8_lossy(body);
    let found = text.lines().nth(line.saturating_sub(1)).and_then(|l| l.chars().nth(column.saturating_sub(1)));
    match found {
        Some(c) => format!("Unexpected character ('{c}' (code {})): was expecting a valid value", u32::from(c)),
        None => "Unexpected end-of-input".to_owned(),
    }
}

/// A refusal of a whole call: the error array with its HTTP status.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// Named for errors of validation, absent for errors of routing and parsing.
    pub(crate) fields: Option<Vec<String>>,
}

impl Fault {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), fields: None }
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404, "NOT_FOUND", "The requested resource does not exist")
    }

    /// The sandbox itself cannot store something (a full disk): the service's own words for its own trouble.
    pub(crate) fn unexpected(error: &crate::sandbox::Error) -> Self {
        tracing::warn!(%error, "the sandbox could not store a row");
        Self::new(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId if you contact support: 0-0 (0)")
    }

    /// `[{"message", "errorCode", "fields"?}]`.
    pub(crate) fn body(&self) -> Value {
        let mut error = json!({"message": self.message, "errorCode": self.code});
        if let Some(fields) = &self.fields {
            error["fields"] = json!(fields);
        }
        json!([error])
    }

    /// `{"statusCode", "message", "fields"}` as it stands inside a 200 answer.
    pub(crate) fn item(&self) -> Value {
        json!({"statusCode": self.code, "message": self.message, "fields": self.fields.clone().unwrap_or_default()})
    }
}

impl From<QueryFault> for Fault {
    fn from(fault: QueryFault) -> Self {
        Self::new(400, fault.code, fault.message)
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Content,
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// The body of an answer.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Empty,
    Json(Value),
    Text(&'static str, Bytes),
}

/// An answer or a refusal.
pub(crate) type Answered = Result<Answer, Fault>;

impl Answer {
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self { status, body: Content::Json(body), headers: Vec::new() }
    }

    #[allow(clippy::unnecessary_wraps, reason = "what handlers return")]
    pub(crate) fn ok(body: Value) -> Answered {
        Ok(Self::json(200, body))
    }

    #[allow(clippy::unnecessary_wraps, reason = "what handlers return")]
    pub(crate) fn empty(status: u16) -> Answered {
        Ok(Self { status, body: Content::Empty, headers: Vec::new() })
    }

    pub(crate) fn csv(body: impl Into<Bytes>) -> Self {
        Self { status: 200, body: Content::Text("text/csv", body.into()), headers: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The JSON body, null for anything else.
    pub(crate) fn value(&self) -> Value {
        if let Content::Json(value) = &self.body { value.clone() } else { Value::Null }
    }

    /// The HTTP form.
    pub(crate) fn http(self) -> Response<Body> {
        let mut response = Response::builder().status(StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        let made = match self.body {
            Content::Empty => response.body(Body::empty()),
            Content::Json(value) => {
                let bytes = serde_json::to_vec(&value).unwrap_or_default();
                response.header(header::CONTENT_TYPE, "application/json;charset=UTF-8").body(Body::from(bytes))
            }
            Content::Text(kind, bytes) => response.header(header::CONTENT_TYPE, kind).body(Body::from(bytes)),
        };
        made.unwrap_or_else(|_| Response::new(Body::empty()))
    }
}

/// The answer to give: a refusal becomes its error array.
pub(crate) fn settle(answered: Answered) -> Answer {
    answered.unwrap_or_else(|fault| Answer::json(fault.status, fault.body()))
}
