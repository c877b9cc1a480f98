//! What a call asks for, and what all answers have. A body is read as far as it may go and no further.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use axum::{
    body::{Body, BodyDataStream},
    extract::{ConnectInfo, Request},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;

/// Bytes of a form, and of a web hook.
const FORM: usize = 64 << 10;
const HOOK: usize = 1 << 20;

/// Of a body that is too large so much is read and dropped, so that whoever sends it hears why it is refused; after that, or after so long,
/// the connection is cut.
const DROPPED: usize = 64 << 20;
const PATIENCE: Duration = Duration::from_secs(10);

/// Words in the names of programs that follow links before people do.
const ROBOTS: [&str; 10] =
    ["bot", "crawler", "spider", "preview", "scanner", "barracuda", "mimecast", "proofpoint", "existence discovery", "safelinks"];

/// A call with its body read.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The machine that called, which may have passed on what another one asked.
    pub(super) peer: Option<IpAddr>,
}

impl Call {
    /// Reads it; of what is too large nothing is kept.
    pub(super) async fn read(request: Request) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let most = if path.starts_with("/hooks/") { HOOK } else { FORM };
        let too_large = || (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large\n").into_response();
        let mut body = body.into_data_stream();
        let told = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if told.is_some_and(|length| length > most as u64) {
            drop_rest(&mut body).await;
            return Err(too_large());
        }
        let mut read = BytesMut::new();
        while let Some(part) = body.next().await {
            let Ok(part) = part else { return Err((StatusCode::BAD_REQUEST, "the body broke off\n").into_response()) };
            if read.len() + part.len() > most {
                drop_rest(&mut body).await;
                return Err(too_large());
            }
            read.extend_from_slice(&part);
        }
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
        Ok(Self { method: parts.method, path, query, headers: parts.headers, body: read.freeze(), peer })
    }

    /// Whether a program asks ahead of a person: it may see, and nothing is counted.
    pub(super) fn is_ahead(&self) -> bool {
        let says = |name: &str, words: &[&str]| {
            let value = self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
            words.iter().any(|word| value.contains(word))
        };
        let prefetches = ["purpose", "sec-purpose", "x-purpose", "x-moz"].iter().any(|name| says(name, &["prefetch", "preview"]));
        self.method == Method::HEAD || prefetches || says("user-agent", &ROBOTS)
    }

    /// The fields of a query.
    pub(super) fn asked(&self, name: &str) -> Option<String> {
        field(self.query.as_bytes(), name)
    }

    /// The fields of a form.
    pub(super) fn sent(&self, name: &str) -> Option<String> {
        field(&self.body, name)
    }
}

/// Reads on without keeping anything.
async fn drop_rest(body: &mut BodyDataStream) {
    let dropped = async {
        let mut left = DROPPED;
        while let Some(Ok(part)) = body.next().await {
            let Some(rest) = left.checked_sub(part.len()) else { break };
            left = rest;
        }
    };
    // Whatever is left after that is not waited for.
    let _ = tokio::time::timeout(PATIENCE, dropped).await;
}

fn field(text: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(text).find(|(key, _)| key == name).map(|(_, value)| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// Nothing of an answer is kept by anybody, and no page can be put into another one or run anything.
pub(super) fn guarded(mut answer: Response) -> Response {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// An answer in plain words, for programs.
pub(super) fn plain(status: StatusCode, text: impl Into<String>) -> Response {
    (status, Body::from(text.into())).into_response()
}

/// Why there is no answer, for programs that read JSON.
pub(super) fn refused(status: StatusCode, code: &str, message: &str) -> Response {
    (status, axum::Json(serde_json::json!({"error": {"code": code, "message": message}}))).into_response()
}
