//! The one HTTP layer of all systems: patience, limits, sizes and silence about secrets.

/// What to ask: method, address, headers, body, and whether asking twice is harmless.
mod call;
/// Certificates that are not trusted, by name.
mod certificate;
/// Asking: one try, judged; and again where that may help.
mod client;
/// Not asking too often.
mod pace;
/// What went wrong, in the words of a `Fault`.
mod refusal;

pub(super) use call::{Call, Repeat, escape};
pub(super) use certificate::distrusted;
pub(super) use client::{Answer, GRACE, Http, KNOCKS, Scene, Streamed, broken_json, root_cause, waits};
pub(super) use pace::Pace;
pub(super) use refusal::{Refusal, garbled, invalid, unknown_outcome};

/// Whether a base URL is of this machine.
pub(super) fn is_loopback(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    match url.host_str() {
        Some("localhost" | "[::1]") => true,
        Some(host) => host.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback()),
        None => false,
    }
}
