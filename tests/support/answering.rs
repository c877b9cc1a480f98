//! A server of the test's own, whose answers the test gives: what a vendor says in some case, or nothing at all.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    http::{Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    pub(crate) body: Value,
}

impl Asked {
    /// `PATCH /services/data/...`, without the query.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path.split('?').next().unwrap_or_default())
    }
}

/// What is answered.
pub(crate) enum Said {
    Json(u16, Value),
    Text(u16, &'static str, String),
    Nothing(u16),
    /// No answer, ever.
    Silence,
}

/// Ends with the test.
pub(crate) struct Answering {
    url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Answering {
    pub(crate) fn start(answer: impl Fn(&Asked) -> Said + Send + Sync + 'static) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (asked, answer) = (Arc::<Mutex<Vec<Asked>>>::default(), Arc::new(answer));
        let log = Arc::clone(&asked);
        let handler = move |method: Method, uri: Uri, body: Bytes| {
            let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
            async move {
                let body = serde_json::from_slice(&body).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&body).into_owned()));
                let path = uri.path_and_query().map(ToString::to_string).unwrap_or_default();
                let asked = Asked { method: method.to_string(), path, body };
                log.lock().unwrap().push(asked.clone());
                said(answer(&asked)).await
            }
        };
        // A test may have a runtime of its own, within which this one cannot be waited for.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), Router::new().fallback(handler)).await });
        Self { url, asked, runtime: Some(runtime) }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Everything asked so far, in order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How often a line was asked.
    pub(crate) fn count(&self, line: &str) -> usize {
        self.asked().iter().filter(|asked| asked.line() == line).count()
    }
}

async fn said(what: Said) -> Response {
    let status = |status: u16| StatusCode::from_u16(status).unwrap();
    match what {
        Said::Json(code, body) => (status(code), [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response(),
        Said::Text(code, kind, body) => (status(code), [(header::CONTENT_TYPE, kind)], body).into_response(),
        Said::Nothing(code) => status(code).into_response(),
        Said::Silence => std::future::pending().await,
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
