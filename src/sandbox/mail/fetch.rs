//! Following links, as far as they lead to this machine: the sandbox never calls anybody else.

use std::{io, net::Ipv4Addr, time::Duration};

use axum::http::Uri;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const PATIENCE: Duration = Duration::from_secs(10);
/// Redirects that a browser follows.
const REDIRECTS: usize = 5;
/// Bytes of an answer that are looked at.
const ANSWER: u64 = 64 << 10;

/// The status of the last answer; none when the link leads elsewhere or nobody answers.
pub(super) async fn fetch(url: &str, post: bool) -> Option<u16> {
    let (mut url, mut post, mut status) = (url.to_owned(), post, None);
    for _ in 0..=REDIRECTS {
        let Ok(Some(answer)) = tokio::time::timeout(PATIENCE, ask(&url, post)).await.unwrap_or(Ok(None)) else { return status };
        status = Some(answer.status);
        match answer.location {
            Some(location) if (300..400).contains(&answer.status) => url = absolute(&url, &location),
            _ => return status,
        }
        post = false;
    }
    status
}

struct Answer {
    status: u16,
    location: Option<String>,
}

async fn ask(url: &str, post: bool) -> io::Result<Option<Answer>> {
    let Some((host, number, target)) = here(url) else { return Ok(None) };
    let mut stream = TcpStream::connect((host.trim_matches(['[', ']']), number)).await?;
    let (method, body) = if post { ("POST", "List-Unsubscribe=One-Click") } else { ("GET", "") };
    let head = if post { format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n", body.len()) } else { String::new() };
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: {host}:{number}\r\nUser-Agent: Mozilla/5.0 (tabi sandbox)\r\nAccept: */*\r\n{head}Connection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    // A connection that is cut after the head has told enough.
    let _ = stream.take(ANSWER).read_to_end(&mut answer).await;
    Ok(parsed(&String::from_utf8_lossy(&answer)))
}

fn parsed(answer: &str) -> Option<Answer> {
    let mut lines = answer.lines();
    let status = lines.next()?.split_ascii_whitespace().nth(1)?.parse().ok()?;
    let headers = lines.take_while(|line| !line.is_empty()).filter_map(|line| line.split_once(':'));
    let location = headers.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("location")).map(|(_, value)| value.trim().to_owned());
    Some(Answer { status, location })
}

/// Host, port and path of a URL of this machine.
fn here(url: &str) -> Option<(String, u16, String)> {
    let uri: Uri = url.split('#').next()?.parse().ok()?;
    let host = uri.host()?.to_owned();
    let ours = host == "localhost" || host == "[::1]" || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback());
    let target = uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    (ours && uri.scheme_str() == Some("http")).then(|| (host, uri.port_u16().unwrap_or(80), target))
}

/// A `Location` may leave out the host.
fn absolute(from: &str, location: &str) -> String {
    match here(from) {
        Some((host, port, _)) if location.starts_with('/') => format!("http://{host}:{port}{location}"),
        _ => location.to_owned(),
    }
}
