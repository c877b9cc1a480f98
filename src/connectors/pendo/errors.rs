//! How Pendo's statuses are understood: it has no error codes of its own, and few bodies.

use crate::model::{Fault, FaultKind, System};

use crate::connectors::http::Refusal;

/// Status, kind, and what to tell. What is missing here is what the status suggests.
const TABLE: &[(u16, FaultKind, &str)] = &[
    (401, FaultKind::Denied, "the key was refused; look at [pendo] integration_key and region (a key works in one region only)"),
    (403, FaultKind::Denied, "the key was refused; look at [pendo] integration_key and region, and that the key has write access"),
    (404, FaultKind::NotFound, "no such thing"),
    (408, FaultKind::Unavailable, "the query ran too long"),
    (409, FaultKind::Conflict, "another change of the same segment is going on"),
    (429, FaultKind::RateLimited, "too many calls"),
];

pub(super) fn judge(refusal: &Refusal) -> Fault {
    let status = refusal.status.as_u16();
    let known = TABLE.iter().find(|(code, ..)| *code == status);
    let kind = known.map_or_else(|| refusal.usual_kind(), |(_, kind, _)| *kind);
    let message = match known {
        Some((.., text)) => (*text).to_owned(),
        None => format!("status {status}{}", said(&refusal.body)),
    };
    Fault::from_system(System::Pendo, kind, message).code(status.to_string())
}

/// The begin of a short plain or JSON reason.
fn said(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
    if text.is_empty() { text } else { format!(": {text}") }
}
