//! Parameters of a call: those of its path's query, and its JSON body.

use axum::http::Uri;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::answer::{Refused, bad};

/// Names and values in the order they came.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn of(uri: &Uri) -> Self {
        let parts = uri.query().unwrap_or_default().split('&').filter(|part| !part.is_empty());
        Self(parts.map(|part| part.split_once('=').unwrap_or((part, ""))).map(|(name, value)| (decoded(name), decoded(value))).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    pub(super) fn all<'q>(&'q self, name: &'q str) -> impl Iterator<Item = &'q str> {
        self.0.iter().filter(move |(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// A whole number within bounds, or the default.
    pub(super) fn number(&self, name: &str, default: u64, least: u64, most: u64) -> Result<u64, Refused> {
        let Some(text) = self.get(name) else { return Ok(default) };
        let number = text.parse::<u64>().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| bad(format!("{name} must be a number from {least} to {most}")))
    }

    /// Milliseconds since 1970, or ISO text.
    pub(super) fn instant(&self, name: &str) -> Result<Option<i64>, Refused> {
        let parse = |text: &str| instant(text).ok_or_else(|| bad(format!("{name} must be milliseconds since 1970")));
        self.get(name).map(parse).transpose()
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// Milliseconds since 1970 of such a number, or of an ISO date or time, UTC when it names no offset.
pub(super) fn instant(text: &str) -> Option<i64> {
    let text = text.trim();
    let at = || text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond);
    let civil = || text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|at| at.timestamp().as_millisecond());
    text.parse::<i64>().ok().or_else(at).or_else(civil)
}

/// The body as a JSON object.
pub(super) fn body(bytes: &[u8]) -> Result<Map<String, Value>, Refused> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(bad("Malformed JSON request")),
        Err(wrong) => Err(bad(format!("Malformed JSON request: {wrong}"))),
    }
}

/// A text of a body that has to be there.
pub(super) fn needed<'b>(object: &'static str, body: &'b Map<String, Value>, field: &str) -> Result<&'b str, Refused> {
    let text = body.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or_else(|| super::answer::invalid(object, field, "must not be empty"))
}
