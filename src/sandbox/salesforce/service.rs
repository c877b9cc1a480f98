//! Which path is whose: versions, login, and everything under `/services/data/vN.N`.

use crate::sandbox::documents::Documents;
use crate::sandbox::salesforce::answer::{Answer, Answered, Call, Content, Fault, settle};
use crate::sandbox::salesforce::bulk::{extract, ingest};
use crate::sandbox::salesforce::cell::Cell;
use crate::sandbox::salesforce::org::{DAILY_CALLS, Org};
use crate::sandbox::salesforce::schema::Kind;
use crate::sandbox::salesforce::{auth, collections, composite, query, records, soap, tooling};
use crate::sandbox::server::{Emulator, Refusal, Shown, World};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, Uri, header};
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The served API versions.
const OLDEST: u32 = 31;
const NEWEST: u32 = 68;

/// The most bytes of a request.
const MOST: usize = 160 << 20;
/// The most bytes of a request's line and headers.
const MOST_URI: usize = 16_384;

/// Salesforce over the company and its documents.
pub(in crate::sandbox) fn emulator(world: &Arc<World>, documents: &Arc<Documents>) -> Emulator {
    let org = Arc::new(Org::new(Arc::clone(world), Arc::clone(documents)));
    let credentials = [
        ("client_id", auth::CLIENT_ID.to_owned()),
        ("client_secret", auth::CLIENT_SECRET.to_owned()),
        ("username", auth::username(&org)),
        ("password", auth::PASSWORD.to_owned()),
        ("security_token", auth::SECURITY_TOKEN.to_owned()),
        ("refresh_token", auth::REFRESH_TOKEN.to_owned()),
        ("access_token", auth::standing_token()),
    ];
    let credentials = credentials.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value))).collect::<Map<_, _>>();
    let shown = shown(&org);
    Emulator { name: "salesforce", router: Router::new().fallback(handle).with_state(org), refuse, credentials, shown }
}

/// Instants are stored as milliseconds; Salesforce shows them as text.
fn shown(org: &Arc<Org>) -> Shown {
    let org = Arc::clone(org);
    Arc::new(move |object, mut row| {
        let data = org.data();
        let Some(object) = data.schema.object(object).map(|at| &data.schema.objects[at]) else { return row };
        for (name, value) in &mut row {
            let kind = object.place(name).map(|place| object.fields[place].kind);
            if kind == Some(Kind::Datetime) {
                *value = Cell::load(value, Kind::Datetime).json(Kind::Datetime);
            }
        }
        row
    })
}

/// The vendor's own refusals. Logins know no sessions and no daily limit.
fn refuse(refusal: Refusal, uri: &Uri) -> Option<Response<Body>> {
    let rest = uri.path().starts_with("/services/data/v");
    let fault = match refusal {
        Refusal::TooManyRequests => Fault::new(429, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."),
        Refusal::ServerError => Fault::new(
            500,
            "UNKNOWN_EXCEPTION",
            "An unexpected error occurred. Please include this ErrorId if you contact support: 1234567890-12345 (-123456789)",
        ),
        Refusal::Unavailable => Fault::new(503, "SERVER_UNAVAILABLE", "Server unavailable; please try again later."),
        Refusal::Expired if rest => auth::expired(),
        Refusal::Limit if rest => Fault::new(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
        Refusal::StalePage if uri.path().contains("/query/") && !uri.path().contains("/jobs/") => query::lost(),
        Refusal::Expired | Refusal::Limit | Refusal::StalePage => return None,
    };
    let mut answer = settle(Err(fault));
    if refusal == Refusal::Limit {
        answer = answer.with("Sforce-Limit-Info", format!("api-usage={DAILY_CALLS}/{DAILY_CALLS}"));
    }
    Some(answer.http())
}

async fn handle(State(org): State<Arc<Org>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let size = parts.uri.path_and_query().map_or(0, |text| text.as_str().len());
    if size + parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>() > MOST_URI {
        let page = "<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>";
        return Answer { status: 414, body: Content::Text("text/html;charset=iso-8859-1", page.into()), headers: Vec::new() }.http();
    }
    let Ok(body) = to_bytes(body, MOST).await else {
        return settle(Err(Fault::new(413, "REQUEST_TOO_LARGE", "The request body is too large or was cut short"))).http();
    };
    let answered = tokio::task::spawn_blocking(move || outermost(&org, parts.method.as_str(), &parts.uri, parts.headers, body)).await;
    answered.unwrap_or_else(|error| {
        tracing::warn!(%error, "a Salesforce call failed");
        settle(Err(Fault::new(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred."))).http()
    })
}

fn host_of(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or("localhost");
    format!("http://{host}")
}

fn outermost(org: &Arc<Org>, method: &str, uri: &Uri, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let (host, now) = (host_of(&headers), org.world.clock.now_ms());
    let path: Vec<&str> = uri.path().split('/').filter(|part| !part.is_empty()).collect();
    if let Some(call) = taken_apart(method, uri.path_and_query().map_or("", |url| url.as_str()), headers.clone(), body.clone(), &host, now) {
        return data_call(org, &call).http();
    }
    // Everything else has no version of its own.
    let call = Call {
        method: method.to_owned(),
        path: Vec::new(),
        query: pairs(uri.query().unwrap_or_default()),
        base: String::new(),
        version: NEWEST,
        body,
        headers,
        host,
        now,
        journal: None,
    };
    let answered = match path.as_slice() {
        ["services", "data"] => Answer::ok(versions()),
        ["services", "oauth2", "token"] if method == "POST" => Ok(auth::token(org, &call)),
        ["services", "oauth2", "revoke"] => auth::revoke(org, &call),
        ["services", "oauth2", "userinfo"] => guarded(org, &call).and_then(|()| auth::userinfo(org, &call)),
        ["id", _, _] => guarded(org, &call).and_then(|()| auth::identity(org, &call)),
        ["services", "Soap", "u" | "c", version, ..] if method == "POST" => {
            Ok(soap::answer(org, &call, version.split('.').next().and_then(|v| v.parse().ok()).unwrap_or(0)))
        }
        _ => Err(Fault::not_found()),
    };
    settle(answered).http()
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let decode = |part: &str| percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned();
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| (decode(key), decode(value)))
        .collect()
}

/// A call under `/services/data/vN.N`, taken apart; none for any other path. Parts of composite calls may have longer URLs than HTTP allows.
pub(crate) fn taken_apart(method: &str, url: &str, headers: HeaderMap, body: Bytes, host: &str, now: i64) -> Option<Call> {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    if (parts.next(), parts.next()) != (Some("services"), Some("data")) {
        return None;
    }
    let name = parts.next()?;
    let version = if name == "latest" { NEWEST } else { name.strip_prefix('v')?.strip_suffix(".0")?.parse().ok()? };
    let path = parts.map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned()).collect();
    let query = pairs(query);
    let told = query.iter().find(|(key, _)| key == "_HttpMethod" || key == "_HTTP_METHOD").map(|(_, value)| value.to_ascii_uppercase());
    let method = told.filter(|_| method == "POST").unwrap_or_else(|| method.to_owned());
    let base = format!("/services/data/v{version}.0");
    Some(Call { method, path, query, base, version, body, headers, host: host.to_owned(), now, journal: None })
}

fn guarded(org: &Org, call: &Call) -> Result<(), Fault> {
    let header = call.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let named = call.parameter("oauth_token").map(|token| format!("Bearer {token}"));
    auth::check(org, header.or(named.as_deref()), call.now)
}

/// One call of the data API, with its session checked and its use counted.
fn data_call(org: &Arc<Org>, call: &Call) -> Answer {
    if call.version < OLDEST {
        return settle(Err(Fault::new(410, "UNSUPPORTED_API_VERSION", format!("API version {}.0 is retired", call.version))));
    }
    if call.version > NEWEST {
        return settle(Err(Fault::not_found()));
    }
    if call.headers.get(header::CONTENT_ENCODING).is_some_and(|value| value != "identity") {
        return settle(Err(Fault::new(415, "UNSUPPORTED_MEDIA_TYPE", "Content-Encoding is not supported here")));
    }
    let answered = guarded(org, call).map(|()| {
        let used = org.count_call();
        let settled = settle(answer(org, call));
        settled.with("Sforce-Limit-Info", format!("api-usage={used}/{DAILY_CALLS}"))
    });
    let answer = settle(answered).with("Cache-Control", "no-cache,must-revalidate,max-age=0,no-store,private");
    if answer.status == 401 { answer.with("WWW-Authenticate", "Token") } else { answer }
}

/// Any call of the data API; also parts of composite calls.
pub(crate) fn answer(org: &Arc<Org>, call: &Call) -> Answered {
    match call.parts().as_slice() {
        [] => Answer::ok(resources(org, call)),
        ["query", rest @ ..] => query::answer(org, call, rest, false),
        ["queryAll", rest @ ..] => query::answer(org, call, rest, true),
        ["search" | "parameterizedSearch", ..] => query::search(call),
        ["sobjects", rest @ ..] => records::answer(org, call, rest),
        ["composite", "sobjects", rest @ ..] => collections::answer(org, call, rest),
        ["composite", rest @ ..] => composite::answer(org, call, rest),
        ["jobs", "ingest", rest @ ..] => ingest::answer(org, call, rest),
        ["jobs", "query", rest @ ..] => extract::answer(org, call, rest),
        ["tooling", rest @ ..] => tooling::answer(org, call, rest),
        ["limits"] => Answer::ok(limits(org)),
        ["limits", "recordCount"] => Answer::ok(counts(org, call)),
        _ => Err(Fault::not_found()),
    }
}

fn versions() -> Value {
    let label = |version: u32| {
        let (season, year) = match version % 3 {
            0 => ("Spring", 2004 + version / 3),
            1 => ("Summer", 2004 + version / 3),
            _ => ("Winter", 2005 + version / 3),
        };
        format!("{season} '{:02}", year % 100)
    };
    (OLDEST..=NEWEST).map(|v| json!({"label": label(v), "url": format!("/services/data/v{v}.0"), "version": format!("{v}.0")})).collect()
}

fn resources(org: &Org, call: &Call) -> Value {
    let mut out = Map::new();
    for name in ["sobjects", "query", "queryAll", "limits", "composite", "jobs", "tooling", "search", "parameterizedSearch"] {
        out.insert(name.to_owned(), format!("{}/{name}", call.base).into());
    }
    out.insert("identity".to_owned(), format!("{}/id/{}/{}", call.host, Org::organization_id(), org.user_id()).into());
    Value::Object(out)
}

/// Allocations that are counted, and sample figures for the others.
fn limits(org: &Org) -> Value {
    let mut out = Map::new();
    let fixed: [(&str, u64); 27] = [
        ("ActiveScratchOrgs", 6),
        ("AnalyticsExternalDataSizeMB", 40_960),
        ("ConcurrentAsyncGetReportInstances", 200),
        ("ConcurrentSyncReportRuns", 20),
        ("DailyAsyncApexExecutions", 250_000),
        ("DailyAsyncApexTests", 500),
        ("DailyBulkApiBatches", 15_000),
        ("DailyBulkV2QueryFileStorageMB", 976_562),
        ("DailyBulkV2QueryJobs", 10_000),
        ("DailyDeliveredPlatformEvents", 10_000),
        ("DailyDurableGenericStreamingApiEvents", 10_000),
        ("DailyDurableStreamingApiEvents", 10_000),
        ("DailyGenericStreamingApiEvents", 10_000),
        ("DailyScratchOrgs", 6),
        ("DailyStandardVolumePlatformEvents", 10_000),
        ("DailyStreamingApiEvents", 10_000),
        ("DailyWorkflowEmails", 100_000),
        ("DataStorageMB", 1_024),
        ("DurableStreamingApiConcurrentClients", 20),
        ("FileStorageMB", 1_024),
        ("HourlyAsyncReportRuns", 1_200),
        ("HourlyPublishedPlatformEvents", 50_000),
        ("HourlyTimeBasedWorkflow", 1_000),
        ("MassEmail", 5_000),
        ("PermissionSets", 1_500),
        ("SingleEmail", 5_000),
        ("StreamingApiConcurrentClients", 20),
    ];
    for (name, most) in fixed {
        out.insert(name.to_owned(), json!({"Max": most, "Remaining": most}));
    }
    out.insert("DailyApiRequests".to_owned(), json!({"Max": DAILY_CALLS, "Remaining": DAILY_CALLS.saturating_sub(org.calls())}));
    out.sort_keys();
    Value::Object(out)
}

fn counts(org: &Org, call: &Call) -> Value {
    let data = org.data();
    let asked: Option<Vec<&str>> = call.parameter("sObjects").map(|names| names.split(',').map(str::trim).collect());
    let objects = data.schema.objects.iter().enumerate();
    let wanted = objects.filter(|(_, object)| asked.as_ref().is_none_or(|names| names.iter().any(|name| object.name.eq_ignore_ascii_case(name))));
    let list: Vec<Value> = wanted
        .map(|(place, object)| (data.live(place), object))
        .filter(|(count, _)| *count > 0)
        .map(|(count, object)| json!({"count": count, "name": object.name.as_str()}))
        .collect();
    json!({"sObjects": list})
}
