//! Sessions: the OAuth token endpoint, revoking, user info and identity.

use crate::sandbox::salesforce::answer::{Answer, Answered, Call, Fault};
use crate::sandbox::salesforce::cell::Cell;
use crate::sandbox::salesforce::org::Org;
use crate::sandbox::salesforce::time::{DAY, format_datetime};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use xxhash_rust::xxh3::xxh3_128;

pub(crate) const CLIENT_ID: &str = "3MVG9sandboxTabiConsumerKey0001";
pub(crate) const CLIENT_SECRET: &str = "sandbox-salesforce-client-secret";
pub(crate) const PASSWORD: &str = "sandbox-password";
pub(crate) const SECURITY_TOKEN: &str = "sandboxSecurityToken";
pub(crate) const REFRESH_TOKEN: &str = "5Aep861sandboxRefreshToken0001";
/// Accepted beside the tokens that logins give; it never expires.
const STANDING_SECRET: &str = "AQsandbox.standing.access.token";

/// The sessions that were opened, with the time they were last used.
#[derive(Default)]
pub(crate) struct Sessions {
    open: HashMap<String, i64>,
    opened: u64,
}

/// Two hours without a call end a session.
const IDLE: i64 = 2 * 3_600_000;

/// The access token that is always accepted.
pub(crate) fn standing_token() -> String {
    format!("{}!{STANDING_SECRET}", &Org::organization_id()[..15])
}

/// Opens a session.
pub(crate) fn open_session(org: &Org, now: i64) -> String {
    let mut sessions = org.sessions();
    sessions.opened += 1;
    let seed = format!("{}/{now}/{}", sessions.opened, org.world.company.seed);
    let token = format!("{}!AQ{:032x}.{:08x}", &Org::organization_id()[..15], xxh3_128(seed.as_bytes()), sessions.opened);
    sessions.open.insert(token.clone(), now);
    token
}

/// Checks the `Authorization` header of a call.
pub(crate) fn check(org: &Org, header: Option<&str>, now: i64) -> Result<(), Fault> {
    let token = header
        .and_then(|header| header.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth"));
    let Some((_, token)) = token else { return Err(Fault::new(401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE")) };
    if is_open(org, token.trim(), now) { Ok(()) } else { Err(expired()) }
}

/// The refusal of a session.
pub(crate) fn expired() -> Fault {
    Fault::new(401, "INVALID_SESSION_ID", "Session expired or invalid")
}

fn is_open(org: &Org, token: &str, now: i64) -> bool {
    if token == standing_token() {
        return true;
    }
    let mut sessions = org.sessions();
    match sessions.open.get_mut(token) {
        Some(used) if now - *used < IDLE => {
            *used = now;
            true
        }
        Some(_) => {
            sessions.open.remove(token);
            false
        }
        None => false,
    }
}

/// The user name of the user that all sessions run as.
pub(crate) fn username(org: &Org) -> String {
    org.world.company.user(0).email()
}

/// Whether a user name and a password with the security token appended are right.
pub(crate) fn knows(org: &Org, name: &str, password: &str) -> bool {
    name.eq_ignore_ascii_case(&username(org)) && (password == format!("{PASSWORD}{SECURITY_TOKEN}") || password == PASSWORD)
}

/// Fields of a form body or a query string.
pub(crate) fn form(text: &str) -> HashMap<String, String> {
    let decode = |part: &str| percent_encoding::percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned();
    text.split('&').filter_map(|pair| pair.split_once('=')).map(|(key, value)| (decode(key), decode(value))).collect()
}

fn refused(error: &str, description: &str) -> Answer {
    Answer::json(400, json!({"error": error, "error_description": description}))
}

/// `POST /services/oauth2/token`.
pub(crate) fn token(org: &Org, call: &Call) -> Answer {
    let mut fields = form(&String::from_utf8_lossy(&call.body));
    for (key, value) in &call.query {
        fields.entry(key.clone()).or_insert_with(|| value.clone());
    }
    let basic = call.headers.get("authorization").and_then(|header| basic(header.to_str().ok()?));
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    let (id, secret) = basic.unwrap_or_else(|| (field("client_id").to_owned(), field("client_secret").to_owned()));
    let login = |with_signature: bool| granted(org, call, with_signature, false);
    match field("grant_type") {
        "client_credentials" => client(&id, &secret).unwrap_or_else(|| login(true)),
        "password" => match client(&id, &secret) {
            Some(refusal) => refusal,
            None if knows(org, field("username"), field("password")) => login(true),
            None => refused("invalid_grant", "authentication failure"),
        },
        "refresh_token" if id != CLIENT_ID => refused("invalid_client_id", "client identifier invalid"),
        "refresh_token" if !secret.is_empty() && secret != CLIENT_SECRET => refused("invalid_client", "invalid client credentials"),
        "refresh_token" if field("refresh_token") == REFRESH_TOKEN => login(true),
        "refresh_token" => refused("invalid_grant", "expired access/refresh token"),
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => match assertion(org, field("assertion")) {
            Ok(()) => granted(org, call, false, true),
            Err((error, description)) => refused(error, description),
        },
        _ => refused("unsupported_grant_type", "grant type not supported"),
    }
}

fn basic(header: &str) -> Option<(String, String)> {
    let encoded = header.strip_prefix("Basic ").or_else(|| header.strip_prefix("basic "))?;
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    text.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned()))
}

fn client(id: &str, secret: &str) -> Option<Answer> {
    match (id, secret) {
        (CLIENT_ID, CLIENT_SECRET) => None,
        (CLIENT_ID, _) => Some(refused("invalid_client", "invalid client credentials")),
        _ => Some(refused("invalid_client_id", "client identifier invalid")),
    }
}

/// Claims of a JWT assertion. The certificate of the app is not kept: any well-formed RS256 assertion of the right client and user counts.
fn assertion(org: &Org, token: &str) -> Result<(), (&'static str, &'static str)> {
    let invalid = ("invalid_grant", "invalid assertion");
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else { return Err(invalid) };
    let json = |part: &str| -> Option<Value> { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?).ok() };
    let (header, claims) = (json(header).ok_or(invalid)?, json(claims).ok_or(invalid)?);
    if header["alg"] != "RS256" || signature.is_empty() {
        return Err(invalid);
    }
    if claims["iss"] != CLIENT_ID {
        return Err(("invalid_client_id", "client identifier invalid"));
    }
    let subject = claims["sub"].as_str().or_else(|| claims["prn"].as_str()).unwrap_or_default();
    if !subject.eq_ignore_ascii_case(&username(org)) {
        return Err(("invalid_grant", "user hasn't approved this consumer"));
    }
    if claims["aud"].as_str().is_none_or(|aud| !aud.starts_with("http")) {
        return Err(("invalid_grant", "Audience validation failed"));
    }
    let expires = claims["exp"]
        .as_i64()
        .or_else(|| claims["exp"].as_f64().map(crate::sandbox::salesforce::cell::whole))
        .or_else(|| claims["exp"].as_str()?.parse().ok());
    // Some clients send milliseconds. Clients live in real time and the sandbox's clock can be turned: only absurd times are refused.
    let expires = expires.map(|at| if at > 100_000_000_000 { at } else { at.saturating_mul(1000) }).ok_or(invalid)?;
    if expires < FLOOR { Err(("invalid_grant", "expired authorization code")) } else { Ok(()) }
}

/// Assertions that expired before 2020 are refused.
const FLOOR: i64 = 18_262 * DAY;

fn identity_url(org: &Org, call: &Call) -> String {
    format!("{}/id/{}/{}", call.host, Org::organization_id(), org.user_id())
}

fn granted(org: &Org, call: &Call, with_signature: bool, with_scope: bool) -> Answer {
    let id = identity_url(org, call);
    let mut body = json!({"access_token": open_session(org, call.now), "instance_url": call.host, "id": id, "token_type": "Bearer"});
    if with_signature {
        let issued = call.now.to_string();
        body["signature"] = signature(&format!("{id}{issued}")).into();
        body["issued_at"] = issued.into();
    }
    if with_scope || with_signature {
        body["scope"] = "api refresh_token".into();
    }
    Answer::json(200, body).with("Cache-Control", "no-cache, no-store")
}

/// base64 of the HMAC-SHA256 under the client's secret; few clients look at it.
fn signature(message: &str) -> String {
    use jsonwebtoken::{Algorithm, EncodingKey, crypto};
    let signed = crypto::sign(message.as_bytes(), &EncodingKey::from_secret(CLIENT_SECRET.as_bytes()), Algorithm::HS256).unwrap_or_default();
    STANDARD.encode(URL_SAFE_NO_PAD.decode(signed).unwrap_or_default())
}

/// `POST /services/oauth2/revoke`.
pub(crate) fn revoke(org: &Org, call: &Call) -> Answered {
    let fields = form(&String::from_utf8_lossy(&call.body));
    let token = fields.get("token").cloned().or_else(|| call.parameter("token").map(str::to_owned)).unwrap_or_default();
    if org.sessions().open.remove(&token).is_none() && token != REFRESH_TOKEN && token != standing_token() {
        return Ok(refused("unsupported_token_type", "this token type is not supported"));
    }
    Answer::empty(200)
}

fn person(org: &Org) -> Map<String, Value> {
    let data = org.data();
    let mut out = Map::new();
    let Some((object, row)) = data.schema.object("User").and_then(|object| Some((object, data.row(object, &org.user_id())?))) else { return out };
    for (key, field) in [
        ("username", "Username"),
        ("nick_name", "CommunityNickname"),
        ("display_name", "Name"),
        ("email", "Email"),
        ("first_name", "FirstName"),
        ("last_name", "LastName"),
    ] {
        let value = if let Cell::Text(text) = data.named(object, &row, field) { text.as_str().into() } else { Value::Null };
        out.insert(key.to_owned(), value);
    }
    out
}

fn urls(call: &Call) -> Value {
    let rest = format!("{}/services/data/v{{version}}/", call.host);
    let soap = |kind: &str| format!("{}/services/Soap/{kind}/{{version}}/{}", call.host, &Org::organization_id()[..15]);
    json!({
        "enterprise": soap("c"), "metadata": soap("m"), "partner": soap("u"), "rest": rest, "sobjects": format!("{rest}sobjects/"),
        "search": format!("{rest}search/"), "query": format!("{rest}query/"), "recent": format!("{rest}recent/"),
        "tooling_rest": format!("{rest}tooling/"), "profile": format!("{}/{{user}}", call.host),
    })
}

/// `GET /services/oauth2/userinfo`.
pub(crate) fn userinfo(org: &Org, call: &Call) -> Answered {
    let who = person(org);
    Answer::ok(json!({
        "sub": identity_url(org, call), "user_id": org.user_id(), "organization_id": Org::organization_id(), "preferred_username": who.get("username"),
        "nickname": who.get("nick_name"), "name": who.get("display_name"), "email": who.get("email"), "email_verified": true,
        "given_name": who.get("first_name"), "family_name": who.get("last_name"), "zoneinfo": "UTC", "urls": urls(call), "active": true,
        "user_type": "STANDARD", "language": "en_US", "locale": "en_US", "utcOffset": 0,
    }))
}

/// `GET /id/ORG/USER`.
pub(crate) fn identity(org: &Org, call: &Call) -> Answered {
    let mut body = Map::from_iter([
        ("id".to_owned(), identity_url(org, call).into()),
        ("asserted_user".to_owned(), true.into()),
        ("user_id".to_owned(), org.user_id().into()),
        ("organization_id".to_owned(), Org::organization_id().into()),
    ]);
    body.extend(person(org));
    body.extend([
        ("active".to_owned(), true.into()),
        ("user_type".to_owned(), "STANDARD".into()),
        ("language".to_owned(), "en_US".into()),
        ("locale".to_owned(), "en_US".into()),
        ("utcOffset".to_owned(), 0.into()),
        ("urls".to_owned(), urls(call)),
        ("last_modified_date".to_owned(), format_datetime(call.now, "+0000").into()),
    ]);
    Answer::ok(Value::Object(body))
}
