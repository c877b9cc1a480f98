//! The SOAP login of API versions up to 64.

use crate::sandbox::salesforce::answer::{Answer, Call, Content};
use crate::sandbox::salesforce::auth::{knows, open_session};
use crate::sandbox::salesforce::org::Org;
use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::Event;

/// The texts of the elements a login reads, by local name.
#[derive(Default)]
struct Login {
    method: String,
    username: String,
    password: String,
}

/// `POST /services/Soap/u/V`.
pub(crate) fn answer(org: &Org, call: &Call, version: u32) -> Answer {
    let Some(login) = read(&call.body) else { return fault("sf:UNKNOWN_EXCEPTION", "UNKNOWN_EXCEPTION", "Premature end of file.") };
    if version >= 65 {
        let text = format!("login is not available in API version {version}.0 and later; use OAuth");
        return fault("sf:INVALID_OPERATION", "INVALID_OPERATION", &text);
    }
    if login.method != "login" {
        return fault("sf:INVALID_SESSION_ID", "INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader: Illegal Session");
    }
    if !knows(org, &login.username, &login.password) {
        return fault("sf:INVALID_LOGIN", "INVALID_LOGIN", "Invalid username, password, security token; or user locked out.");
    }
    xml(200, success(org, call, version))
}

fn success(org: &Org, call: &Call, version: u32) -> String {
    let token = open_session(org, call.now);
    let (organization, user, host) = (Org::organization_id(), org.user_id(), &call.host);
    let short = &organization[..15];
    let name = org.world.company.user(0);
    let (full, email) = (name.name(), name.email());
    let (full, email) = (escape(full.as_str()), escape(email.as_str()));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns=\"urn:partner.soap.sforce.com\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body><loginResponse><result>\
         <metadataServerUrl>{host}/services/Soap/m/{version}.0/{short}</metadataServerUrl><passwordExpired>false</passwordExpired>\
         <sandbox>false</sandbox><serverUrl>{host}/services/Soap/u/{version}.0/{short}</serverUrl><sessionId>{token}</sessionId>\
         <userId>{user}</userId><userInfo><organizationId>{organization}</organizationId><organizationName>Tabi Sandbox</organizationName>\
         <sessionSecondsValid>7200</sessionSecondsValid><userEmail>{email}</userEmail><userFullName>{full}</userFullName><userId>{user}</userId>\
         <userLanguage>en_US</userLanguage><userLocale>en_US</userLocale><userName>{email}</userName><userTimeZone>UTC</userTimeZone>\
         <userType>Standard</userType></userInfo></result></loginResponse></soapenv:Body></soapenv:Envelope>"
    )
}

fn fault(code: &str, exception: &str, message: &str) -> Answer {
    let message = escape(message);
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:sf=\"urn:fault.partner.soap.sforce.com\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body><soapenv:Fault>\
         <faultcode>{code}</faultcode><faultstring>{exception}: {message}</faultstring><detail><sf:LoginFault xsi:type=\"sf:LoginFault\">\
         <sf:exceptionCode>{exception}</sf:exceptionCode><sf:exceptionMessage>{message}</sf:exceptionMessage></sf:LoginFault></detail>\
         </soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    );
    xml(500, text)
}

fn xml(status: u16, text: String) -> Answer {
    Answer { status, body: Content::Text("text/xml; charset=utf-8", text.into()), headers: Vec::new() }
}

fn read(body: &[u8]) -> Option<Login> {
    let text = std::str::from_utf8(body).ok()?;
    let mut reader = Reader::from_str(text);
    let mut login = Login::default();
    let mut path: Vec<String> = Vec::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                let name = start.local_name().as_ref().to_owned();
                if path.last().is_some_and(|last| last == "Body") {
                    login.method.clone_from(&name);
                }
                path.push(name);
            }
            Event::End(_) => _ = path.pop(),
            Event::Text(found) => put(&mut login, path.last(), &found.xml10_content()),
            Event::CData(found) => put(&mut login, path.last(), &found),
            Event::GeneralRef(found) => put(&mut login, path.last(), &resolved(&found)?),
            Event::Eof => return path.is_empty().then_some(login),
            _ => {}
        }
    }
}

fn put(login: &mut Login, element: Option<&String>, text: &str) {
    match element.map_or("", String::as_str) {
        "username" => login.username.push_str(text.trim()),
        "password" => login.password.push_str(text),
        _ => {}
    }
}

/// `&amp;`, `&#38;` and the like.
fn resolved(entity: &str) -> Option<String> {
    if let Some(known) = quick_xml::escape::resolve_predefined_entity(entity) {
        return Some(known.to_owned());
    }
    let code = entity.strip_prefix('#')?;
    let number = code.strip_prefix(['x', 'X']).map_or_else(|| code.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok())?;
    char::from_u32(number).map(String::from)
}
