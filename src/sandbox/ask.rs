//! Questions to a running sandbox from within the process, over the same paths that everybody else has: `/_sandbox/documents`, `/inbox`.

use std::error::Error as StdError;

use axum::{
    body::{Body, to_bytes},
    http::{Request, header},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::{Error, Sandbox};

type Broken = Box<dyn StdError + Send + Sync>;

impl Sandbox {
    /// Asks a system by `GET`, or with a body by `POST`, and gives back its answer.
    ///
    /// # Errors
    /// `Silent` when there is no such system or it gave no JSON, `Refused` with its own words when it did not agree.
    pub async fn ask(&self, system: &str, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        let silent = |reason: String| Error::Silent { system: system.to_owned(), path: path.to_owned(), reason };
        let url = self.base_url(system).ok_or_else(|| silent("there is no such system".to_owned()))?;
        let host = url.trim_start_matches("http://");
        let (is_good, answer) = asked(host, path, body).await.map_err(|error| silent(error.to_string()))?;
        if is_good {
            return Ok(answer);
        }
        let said = answer["error"].as_str().map_or_else(|| answer.to_string(), str::to_owned);
        Err(Error::Refused { system: system.to_owned(), path: path.to_owned(), reason: said })
    }
}

async fn asked(host: &str, path: &str, body: Option<&Value>) -> Result<(bool, Value), Broken> {
    let stream = TcpStream::connect(host).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let line = tokio::spawn(connection);
    let request = if body.is_some() { Request::post(path) } else { Request::get(path) };
    let request = request.header(header::HOST, host).header(header::CONTENT_TYPE, "application/json");
    let sent = body.map_or_else(|| Ok(Body::empty()), |body| serde_json::to_vec(body).map(Body::from))?;
    let answer = sender.send_request(request.body(sent)?).await?;
    let is_good = answer.status().is_success();
    let text = to_bytes(Body::new(answer.into_body()), usize::MAX).await?;
    drop(sender);
    line.abort();
    Ok((is_good, serde_json::from_slice(&text)?))
}
