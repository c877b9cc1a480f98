//! Where the mail server is and how it is spoken to, from an address such as `smtps://mail.example.com`.

use lettre::transport::smtp::{
    authentication::Credentials,
    client::{Tls, TlsParameters},
};
use percent_encoding::percent_decode_str;
use reqwest::Url;

use crate::connectors::{EmailOptions, Error, http};

/// The submission ports of RFC 8314 and RFC 6409.
const SUBMISSIONS: u16 = 465;
const SUBMISSION: u16 = 587;

/// How to reach the mail server.
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Tls,
    pub(super) credentials: Option<Credentials>,
}

/// `smtps://` is TLS from the first byte. `smtp://` is STARTTLS, required of every other machine, and used on this one where it is
/// offered; `?tls=none` does without, `?tls=required` insists.
pub(super) fn server(options: &EmailOptions) -> Result<Server, Error> {
    let wrong = |reason: &'static str| Error::Smtp { reason };
    let url = Url::parse(&options.url).map_err(|_| wrong("is no address; write it as `smtp://mail.example.com:587`"))?;
    if !matches!(url.scheme(), "smtp" | "smtps") {
        return Err(wrong("begins with neither smtp:// nor smtps://"));
    }
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("names no host"))?;
    let host = host.trim_matches(['[', ']']).to_owned();
    let asked = url.query_pairs().find(|(key, _)| key == "tls").map(|(_, value)| value.into_owned());
    let secured = || TlsParameters::new(host.clone()).map_err(|_| wrong("cannot be reached securely from this machine"));
    let ours = http::is_loopback(&format!("http://{}", url.host_str().unwrap_or_default()));
    let (tls, port) = match (url.scheme(), asked.as_deref()) {
        ("smtps", None | Some("required")) => (Tls::Wrapper(secured()?), SUBMISSIONS),
        ("smtp", Some("none")) => (Tls::None, SUBMISSION),
        ("smtp", None) if ours => (Tls::Opportunistic(secured()?), SUBMISSION),
        ("smtp", None | Some("required")) => (Tls::Required(secured()?), SUBMISSION),
        _ => return Err(wrong("has another `tls` than none or required")),
    };
    Ok(Server { port: url.port().unwrap_or(port), tls, credentials: credentials(options, &url), host })
}

/// Those of the options, else those of the address itself.
fn credentials(options: &EmailOptions, url: &Url) -> Option<Credentials> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (name, password) = match (&options.username, &options.password) {
        (Some(name), password) => (name.clone(), password.as_ref().map(|secret| secret.reveal().to_owned()).unwrap_or_default()),
        (None, _) if url.username().is_empty() => return None,
        (None, _) => (decoded(url.username()), decoded(url.password().unwrap_or_default())),
    };
    Some(Credentials::new(name, password))
}
