//! What went wrong, before a system's own table gives it a name.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{StatusCode, header::HeaderMap};

use crate::model::{Fault, FaultKind, System, Timestamp};

/// An answer that is not a success. The body is cut at 64 kB and never becomes part of a message as it is.
#[derive(Debug)]
pub(in crate::connectors) struct Refusal {
    pub status: StatusCode,
    pub body: Bytes,
}

impl Refusal {
    /// The kind that a status alone suggests, for answers without a code of the system.
    pub(in crate::connectors) fn usual_kind(&self) -> FaultKind {
        match self.status.as_u16() {
            401 | 403 => FaultKind::Denied,
            404 | 410 => FaultKind::NotFound,
            409 | 423 => FaultKind::Conflict,
            420 | 429 => FaultKind::RateLimited,
            408 | 500..=599 => FaultKind::Unavailable,
            300..=399 => FaultKind::Garbled,
            _ => FaultKind::Invalid,
        }
    }
}

/// How long to wait by `Retry-After`: seconds, or an HTTP date (against the answer's own `Date` if it has one).
pub(super) fn retry_after(headers: &HeaderMap, clock: fn() -> Timestamp) -> Option<Duration> {
    let text = headers.get(reqwest::header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = http_date(text)?;
    let sent = headers.get(reqwest::header::DATE).and_then(|date| http_date(date.to_str().ok()?));
    let seconds = until.as_second() - sent.unwrap_or_else(clock).as_second();
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

fn http_date(text: &str) -> Option<Timestamp> {
    let zoned = jiff::fmt::rfc2822::DateTimeParser::new().parse_zoned(text).ok()?;
    Some(zoned.timestamp())
}

pub(super) fn looks_like_html(headers: &HeaderMap, body: &[u8]) -> bool {
    let kind = headers.get(reqwest::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    if kind.starts_with("text/html") {
        return true;
    }
    let start = body.trim_ascii_start();
    let has = |tag: &[u8]| start.get(..tag.len()).is_some_and(|s| s.eq_ignore_ascii_case(tag));
    has(b"<!doctype") || has(b"<html")
}

pub(in crate::connectors) fn garbled(system: System, message: impl Into<String>) -> Fault {
    Fault::from_system(system, FaultKind::Garbled, message)
}

pub(in crate::connectors) fn invalid(system: System, message: impl Into<String>) -> Fault {
    Fault::from_system(system, FaultKind::Invalid, message)
}

/// Nothing came where an answer is due: asking again brings nothing either.
pub(super) fn empty(system: System, status: StatusCode) -> Fault {
    garbled(system, format!("empty answer (status {}) where JSON is due", status.as_u16()))
}

/// The code of a write of which nobody knows what became.
pub(super) const UNKNOWN_OUTCOME: &str = "UNKNOWN_OUTCOME";

/// For a write whose answer was lost, or says nothing: it may have happened.
pub(in crate::connectors) fn unknown_outcome(cause: &Fault) -> Fault {
    let message = format!("the request was sent but nothing is known of its outcome, so it may or may not have been carried out: {}", cause.message);
    // Work that was asked to end ends: the next run looks what is there.
    let kind = if cause.kind == FaultKind::Interrupted { FaultKind::Interrupted } else { FaultKind::Unavailable };
    Fault { kind, code: Some(UNKNOWN_OUTCOME.to_owned()), message, ..cause.clone() }
}
