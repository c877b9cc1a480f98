//! One HTTP call as data, cheap to repeat.

use bytes::Bytes;
use reqwest::{
    Method,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde::Serialize;

use crate::model::{Fault, FaultKind, System};

use crate::connectors::Secret;

/// Whether a call may be made again when its answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::connectors) enum Repeat {
    /// It reads, or doing it twice ends the same.
    Always,
    /// It creates: only when it surely was not carried out.
    UnlessSent,
}

#[derive(Debug, Clone)]
pub(in crate::connectors) struct Call {
    pub method: Method,
    /// Absolute, without query.
    pub url: String,
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    pub body: Option<Bytes>,
    pub repeat: Repeat,
    /// It changes nothing, whatever its method.
    pub reads: bool,
    /// A `Conflict` is worth another try too.
    pub patient: bool,
    /// Its answer may begin late.
    pub slow: bool,
}

impl Call {
    pub(in crate::connectors) fn new(method: Method, url: impl Into<String>) -> Self {
        let repeat = if method == Method::POST { Repeat::UnlessSent } else { Repeat::Always };
        let reads = method == Method::GET || method == Method::HEAD;
        Self { method, url: url.into(), query: Vec::new(), headers: HeaderMap::new(), body: None, repeat, reads, patient: false, slow: false }
    }

    pub(in crate::connectors) fn get(url: impl Into<String>) -> Self {
        Self::new(Method::GET, url)
    }

    /// A POST that only reads.
    pub(in crate::connectors) fn ask(url: impl Into<String>) -> Self {
        Self::new(Method::POST, url).reading()
    }

    pub(in crate::connectors) fn repeat(mut self, repeat: Repeat) -> Self {
        self.repeat = repeat;
        self
    }

    /// The call only reads, so it may be made as often as it takes.
    pub(in crate::connectors) const fn reading(mut self) -> Self {
        self.repeat = Repeat::Always;
        self.reads = true;
        self
    }

    /// It may change something, so that it matters whether it was carried out.
    pub(in crate::connectors) const fn writes(&self) -> bool {
        !self.reads
    }

    pub(in crate::connectors) const fn patient(mut self) -> Self {
        self.patient = true;
        self
    }

    pub(in crate::connectors) const fn slow(mut self) -> Self {
        self.slow = true;
        self
    }

    pub(in crate::connectors) fn query(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.to_owned(), value.into()));
        self
    }

    pub(in crate::connectors) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// A header that logs do not show.
    pub(in crate::connectors) fn secret(mut self, name: &'static str, prefix: &str, secret: &Secret) -> Self {
        if let Ok(mut value) = HeaderValue::from_str(&format!("{prefix}{}", secret.reveal())) {
            value.set_sensitive(true);
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    pub(in crate::connectors) fn json(self, system: System, body: &impl Serialize) -> Result<Self, Fault> {
        let bytes = serde_json::to_vec(body)
            .map_err(|error| Fault::from_system(system, FaultKind::Invalid, format!("the request cannot be written as JSON: {error}")))?;
        Ok(self.body("application/json", bytes))
    }

    pub(in crate::connectors) fn form(self, fields: &[(&str, &str)]) -> Self {
        let mut form = String::new();
        for (name, value) in fields {
            if !form.is_empty() {
                form.push('&');
            }
            form.extend(escape(name));
            form.push('=');
            form.extend(escape(value));
        }
        self.body("application/x-www-form-urlencoded", form)
    }

    pub(in crate::connectors) fn body(mut self, kind: &'static str, bytes: impl Into<Bytes>) -> Self {
        self.headers.insert(reqwest::header::CONTENT_TYPE, HeaderValue::from_static(kind));
        self.body = Some(bytes.into());
        self
    }
}

/// Percent-encodes everything but letters, digits and `-._~`: safe in a path segment, a query and a form.
pub(in crate::connectors) fn escape(text: &str) -> percent_encoding::PercentEncode<'_> {
    const KEPT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    percent_encoding::utf8_percent_encode(text, KEPT)
}
