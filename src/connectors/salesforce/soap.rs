//! The SOAP login of the partner API, which Salesforce keeps up to version 64.0.

use quick_xml::{Reader, events::Event};

use crate::model::{Fault, FaultKind, System};

use super::auth::{Session, with_security_token};
use crate::connectors::{
    Secret,
    http::{Answer, Call, Http, Refusal, garbled},
};

const VERSION: &str = "64.0";

pub(super) async fn login(http: &Http, login_url: &str, username: &str, password: &Secret, token: Option<&Secret>) -> Result<Session, Fault> {
    let url = format!("{}/services/Soap/u/{VERSION}", login_url.trim_end_matches('/'));
    let body = envelope(username, with_security_token(password, token).reveal());
    let call = Call::ask(url).header("soapaction", "login").body("text/xml; charset=UTF-8", body);
    http.read(&call, session).await
}

fn envelope(username: &str, password: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?><env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Body><n1:login xmlns:n1="urn:partner.soap.sforce.com"><n1:username>{}</n1:username><n1:password>{}</n1:password></n1:login></env:Body></env:Envelope>"#,
        quick_xml::escape::escape(username),
        quick_xml::escape::escape(password),
    )
}

fn session(answer: &Answer) -> Result<Session, Fault> {
    let text = String::from_utf8_lossy(&answer.body);
    let (Some(server), Some(token)) = (element(&text, "serverUrl"), element(&text, "sessionId")) else {
        return Err(garbled(System::Salesforce, "the login's answer has no session"));
    };
    let instance = reqwest::Url::parse(&server).map(|url| url.origin().ascii_serialization());
    let instance = instance.map_err(|_| garbled(System::Salesforce, "the login's answer names no server"))?;
    Ok(Session { instance, token: Secret::new(token), user: element(&text, "userId"), rotated: None })
}

/// The fault of a SOAP error, if the body is one. Faults come with status 500.
pub(super) fn judge(refusal: &Refusal) -> Option<Fault> {
    let text = std::str::from_utf8(&refusal.body).ok()?;
    let code = element(text, "exceptionCode").or_else(|| element(text, "faultcode"))?;
    let message = element(text, "exceptionMessage").or_else(|| element(text, "faultstring")).unwrap_or_default();
    let code = code.trim_start_matches("sf:").to_owned();
    let kind = match code.as_str() {
        "SERVER_UNAVAILABLE" | "UNKNOWN_EXCEPTION" => FaultKind::Unavailable,
        "REQUEST_LIMIT_EXCEEDED" => FaultKind::LimitExceeded,
        "UNSUPPORTED_API_VERSION" => FaultKind::Invalid,
        _ => FaultKind::Denied,
    };
    Some(Fault::from_system(System::Salesforce, kind, format!("login refused: {message}")).code(code))
}

/// The text of the first element of that local name.
fn element(xml: &str, name: &str) -> Option<String> {
    let mut reader = Reader::from_str(xml);
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) if start.local_name().as_ref() == name => {
                let raw = reader.read_text(start.name()).ok()?;
                return quick_xml::escape::unescape(&raw).ok().map(std::borrow::Cow::into_owned);
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}
