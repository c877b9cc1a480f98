//! Posting JSON to a machine's own address: web hooks, and asking a sandbox for them.

use axum::{
    body::{Body, to_bytes},
    http::{Request, Uri, header},
};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// Why it was not taken.
pub type Failed = Box<dyn std::error::Error + Send + Sync>;

/// One post over the line that is open, or a new one.
pub(super) async fn post(line: &mut Option<SendRequest<Body>>, url: &Uri, body: &Value) -> Result<(), Failed> {
    let host = url.host().unwrap_or_default().to_owned();
    let port = url.port_u16().unwrap_or(80);
    let mut sender = match line.take().filter(|line| !line.is_closed()) {
        Some(sender) => sender,
        None => {
            let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
            let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
            // Its end is told to whoever sends.
            tokio::spawn(async move { drop(connection.await) });
            sender
        }
    };
    sender.ready().await?;
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::post(path).header(header::HOST, format!("{host}:{port}")).header(header::CONTENT_TYPE, "application/json");
    let answer = sender.send_request(request.body(Body::from(serde_json::to_vec(body)?))?).await?;
    let status = answer.status();
    to_bytes(Body::new(answer.into_body()), 1 << 20).await?;
    *line = Some(sender);
    if status.is_success() { Ok(()) } else { Err(format!("status {status}").into()) }
}

/// Sets the clock of a running sandbox, which all its systems (one of them has this base URL) share; `now` is RFC 3339.
///
/// # Errors
/// When it cannot be reached or does not want to.
pub async fn turn(base_url: &str, now: &str) -> Result<(), Failed> {
    let url: Uri = format!("{base_url}/_sandbox/clock").parse()?;
    post(&mut None, &url, &json!({ "now": now })).await
}

/// Has a running sandbox's system (its base URL) tell `hook` of what happens from now on, instead of whom it told for this host before.
///
/// # Errors
/// When it cannot be reached or does not want to.
pub async fn enlist(base_url: &str, hook: &str) -> Result<(), Failed> {
    let url: Uri = format!("{base_url}/_sandbox/webhooks").parse()?;
    post(&mut None, &url, &json!({"url": hook, "name": "tabi up"})).await
}
