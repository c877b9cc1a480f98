//! From `tabi.toml` to connections: every option arrives, and a rotated refresh token survives the process.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode},
    routing,
};
use serde_json::json;
use tabi::{
    config::parse,
    connectors::{GainsightLimits, Options, SalesforceAuth, Stop, Systems},
    host::connect::options,
    model::{Effect, System},
};

fn connected(text: &str, root: &Path) -> Options {
    options(&parse(text, Path::new("tabi.toml")).unwrap(), root, None, false).unwrap()
}

#[test]
fn every_option_of_a_connection_arrives() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("key"), "k").unwrap();
    let text = r#"
[salesforce]
auth = "jwt_bearer"
login_url = "https://acme.my.salesforce.com"
client_id = "c"
username = "u"
private_key = "file:key"
audience = "https://acme.my.site.com"
permission_set = "Customer_Success"
bulk_threshold = 500
bulk_query_threshold = 900
parallel = 2
[pendo]
region = "eu"
integration_key = "file:key"
calls_per_minute = 90
[gainsight]
domain = "https://acme.gainsightcloud.com"
access_key = "file:key"
calls_per_minute = 40
[px]
region = "eu"
api_key = "file:key"
product_key = "AP-1-2"
"#;
    let found = connected(text, dir.path());
    let salesforce = found.salesforce.unwrap();
    assert_eq!((salesforce.permission_set.as_deref(), salesforce.bulk_threshold, salesforce.parallel), (Some("Customer_Success"), 500, 2));
    assert_eq!(salesforce.bulk_query_threshold, 900);
    assert!(matches!(salesforce.auth, SalesforceAuth::JwtBearer { audience: Some(to), .. } if to == "https://acme.my.site.com"));
    assert_eq!(found.pendo.unwrap().calls_per_minute, Some(90));
    assert_eq!(found.gainsight.unwrap().limits, Some(GainsightLimits { per_minute: 40, per_day: 50_000 }));
    let px = found.px.unwrap();
    assert_eq!((px.base_url.as_str(), px.product_key.as_deref()), ("https://api-eu.aptrinsic.com", Some("AP-1-2")));
}

#[test]
fn the_patience_for_an_answer_can_be_set() {
    let found = connected("[http]\ntimeout = \"2s\"\n", Path::new("."));
    assert_eq!((found.http.answer_timeout, found.http.read_timeout), (Duration::from_secs(2), Duration::from_secs(8)));
    let error = parse("[http]\ntimeout = \"0s\"\n", Path::new("tabi.toml")).expect_err("no patience at all");
    assert!(error.to_string().contains("longer than nothing"), "{error}");
}

#[test]
fn options_that_would_stop_all_work_are_refused() {
    for (section, key) in
        [("salesforce", "parallel"), ("salesforce", "bulk_threshold"), ("pendo", "calls_per_minute"), ("gainsight", "calls_per_day")]
    {
        let error = parse(&format!("[{section}]\nsandbox = true\n{key} = 0\n"), Path::new("tabi.toml")).expect_err(key);
        assert_eq!(error.place().map(|(_, line, _)| line), Some(3), "{error}");
    }
}

#[test]
fn the_sandbox_takes_rows_as_the_real_org_would() {
    let text = "[salesforce]\nsandbox = true\nbulk_threshold = 7\nparallel = 3\n";
    let config = parse(text, Path::new("tabi.toml")).unwrap();
    let credentials = json!({"salesforce": {"base_url": "http://127.0.0.1:9", "client_id": "c", "client_secret": "s"}});
    let salesforce = options(&config, Path::new("."), Some(&credentials), false).unwrap().salesforce.unwrap();
    assert_eq!((salesforce.bulk_threshold, salesforce.parallel), (7, 3));
}

/// An org that takes each refresh token once and hands out the next one; each session ends the one before.
async fn rotating_org() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (instance, used) = (address.clone(), Arc::new(Mutex::new(0)));
    let of_sessions = Arc::clone(&used);
    let token = async move |form: String| {
        let mut used = used.lock().unwrap();
        if !form.contains(&format!("&refresh_token=token-{used}&")) {
            return (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant", "error_description": "expired access/refresh token"})));
        }
        *used += 1;
        (StatusCode::OK, Json(json!({"access_token": format!("session-{used}"), "instance_url": instance, "refresh_token": format!("token-{used}")})))
    };
    let objects = async move |headers: HeaderMap| {
        if headers["authorization"] != format!("Bearer session-{}", of_sessions.lock().unwrap()) {
            return (StatusCode::UNAUTHORIZED, Json(json!([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}])));
        }
        (StatusCode::OK, Json(json!({"sobjects": []})))
    };
    let org = Router::new().route("/services/oauth2/token", routing::post(token)).fallback(objects);
    tokio::spawn(async move { axum::serve(listener, org).await });
    address
}

fn refreshing(url: &str, token: &str) -> String {
    format!("[salesforce]\nauth = \"refresh_token\"\nlogin_url = \"{url}\"\nclient_id = \"c\"\nrefresh_token = \"{token}\"\n")
}

#[tokio::test]
async fn a_rotated_refresh_token_is_there_at_the_next_start() {
    let (org, dir) = (rotating_org().await, tempfile::tempdir().unwrap());
    let file = dir.path().join("kept/token");
    fs::create_dir(dir.path().join("kept")).unwrap();
    fs::write(&file, "token-0\n").unwrap();
    std::os::unix::fs::symlink("kept/token", dir.path().join("token")).unwrap();
    for start in 1..4 {
        let systems = Systems::new(connected(&refreshing(&org, "file:token"), dir.path()), Stop::new()).unwrap();
        systems.perform(&Effect::Objects { system: System::Salesforce }).await.unwrap_or_else(|fault| panic!("start {start}: {fault}"));
        assert_eq!(fs::read_to_string(&file).unwrap(), format!("token-{start}\n"));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(dir.path().join("token").is_symlink());
    assert_eq!(fs::read_dir(dir.path().join("kept")).unwrap().count(), 1, "nothing is left beside it");
}

#[tokio::test]
async fn a_token_that_another_process_rotated_is_seen_at_the_next_renewal() {
    let (org, dir) = (rotating_org().await, tempfile::tempdir().unwrap());
    fs::write(dir.path().join("token"), "token-0\n").unwrap();
    let process = || Systems::new(connected(&refreshing(&org, "file:token"), dir.path()), Stop::new()).unwrap();
    let (host, other) = (process(), process());
    for round in 0..3 {
        for systems in [&other, &host] {
            systems.perform(&Effect::Objects { system: System::Salesforce }).await.unwrap_or_else(|fault| panic!("round {round}: {fault}"));
        }
    }
    assert_eq!(fs::read_to_string(dir.path().join("token")).unwrap(), "token-6\n");
}

/// What is logged meanwhile.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_token_that_cannot_be_kept_is_warned_of_once_and_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    // The one variable that is there wherever tests run.
    let found = connected(&refreshing("https://login.salesforce.com", "env:PATH"), dir.path());
    let Some(SalesforceAuth::RefreshToken { on_rotate: Some(tell), .. }) = found.salesforce.map(|s| s.auth) else { panic!("no way to tell") };
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    tracing::subscriber::with_default(subscriber, || {
        (tell.0)("new-secret-1");
        (tell.0)("new-secret-2");
    });
    let said = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(said.matches("file:PATH").count(), 1, "{said}");
    assert!(!said.contains("new-secret"));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
