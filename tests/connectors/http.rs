//! What all systems have in common: being down, refusing the key, faults on the way, answers that are no answers, stopping.

use std::time::Duration;

use tabi::{
    connectors::{Options, PendoOptions, SalesforceAuth, SalesforceOptions, Secret, Stop, Systems},
    model::{Effect, Fault, FaultKind, HttpCall, Query, Record, Reply, Request, Source, System, Timestamp, Value},
};

use super::bench::{bench, options, query, quick, sandbox, with};

/// A port that nobody listens on.
fn closed_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

async fn refused(systems: &Systems, effect: Effect) -> Fault {
    systems.perform(&effect).await.unwrap_err()
}

fn accounts() -> Source {
    Source::Object(query(System::Pendo, "account", &["accountId"]))
}

#[tokio::test]
async fn a_system_that_is_down_is_named_with_its_address_and_what_to_do() {
    let address = closed_port();
    let mut options = Options::new(Timestamp::now);
    options.http = quick();
    options.salesforce = Some(SalesforceOptions::new(&address, SalesforceAuth::AccessToken { access_token: Secret::from("secret-token") }));
    options.pendo = Some(PendoOptions::new(&address, Secret::from("secret-key")));
    let systems = Systems::new(options, Stop::new()).unwrap();
    for system in [System::Salesforce, System::Pendo] {
        let fault = refused(&systems, Effect::Describe { system, object: "account".into() }).await;
        assert_eq!(fault.kind, FaultKind::Unavailable);
        assert_eq!(fault.system, Some(system));
        assert!(fault.message.contains(&address) && fault.message.contains("tabi.toml") | fault.message.contains('['), "{}", fault.message);
        assert!(!fault.message.contains("secret"));
    }
    assert_eq!(systems.calls().pendo, 4, "a few knocks at a door that never opened");
}

#[tokio::test]
async fn a_system_without_connection_says_what_to_configure() {
    let systems = Systems::new(Options::new(Timestamp::now), Stop::new()).unwrap();
    let fault = refused(&systems, Effect::Objects { system: System::Gainsight }).await;
    assert_eq!(fault.kind, FaultKind::Denied);
    assert!(fault.message.contains("[gainsight]"), "{}", fault.message);
}

#[tokio::test]
async fn a_wrong_key_is_denied_and_named() {
    let sandbox = sandbox(5, "").await;
    let mut options = options(&sandbox);
    options.pendo = Some(PendoOptions::new(sandbox.base_url("pendo").unwrap(), Secret::from("wrong-key")));
    let bench = with(sandbox, options);
    let fault = bench.page(&accounts(), None, 10).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Denied);
    assert!(fault.message.contains("integration_key"), "{}", fault.message);
    assert!(!fault.message.contains("wrong-key"));
}

#[test]
fn secrets_do_not_show_in_debug() {
    let options = PendoOptions::new("https://app.pendo.io", Secret::from("hunter2"));
    assert!(!format!("{options:?}").contains("hunter2"));
}

#[tokio::test]
async fn every_passing_fault_is_outlasted() {
    let clean = bench(40, "").await;
    let (wanted, _) = clean.read(&accounts(), 7).await.unwrap();
    assert_eq!(wanted.len(), 40);
    for kind in ["429", "500", "503", "html", "reset", "reset_after", "truncate", "slow=1", "expired"] {
        let bench = bench(40, &format!("pendo:{kind}@0.3")).await;
        let (rows, _) = bench.read(&accounts(), 7).await.unwrap_or_else(|fault| panic!("{kind}: {fault}"));
        assert_eq!(rows, wanted, "{kind}");
    }
}

#[tokio::test]
async fn an_outage_ends_with_the_kind_of_fault_it_is() {
    for (kind, expected, part) in [
        ("429", FaultKind::RateLimited, "too many calls"),
        ("500", FaultKind::Unavailable, "500"),
        ("html", FaultKind::Unavailable, "HTML"),
        ("reset", FaultKind::Unavailable, "cut"),
        ("truncate", FaultKind::Unavailable, "broke off"),
        ("expired", FaultKind::Denied, "integration_key"),
    ] {
        let bench = bench(5, &format!("pendo:{kind}@1")).await;
        let fault = bench.page(&accounts(), None, 10).await.unwrap_err();
        assert_eq!(fault.kind, expected, "{kind}: {fault}");
        assert!(fault.message.contains(part), "{kind}: {fault}");
        assert!(!fault.message.contains("<html"), "{kind}: {fault}");
    }
}

#[tokio::test]
async fn silence_ends_at_the_read_timeout() {
    let sandbox = sandbox(5, "pendo:timeout@1").await;
    let mut options = options(&sandbox);
    options.http.read_timeout = Duration::from_millis(30);
    options.http.attempts = 2;
    let fault = with(sandbox, options).page(&accounts(), None, 10).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unavailable);
    assert!(fault.message.contains("in time"), "{fault}");
}

#[tokio::test]
async fn an_answer_that_does_not_begin_is_given_up_sooner() {
    let sandbox = sandbox(5, "salesforce:timeout@1").await;
    let mut options = options(&sandbox);
    options.http.answer_timeout = Duration::from_millis(30);
    options.http.read_timeout = Duration::from_hours(1);
    options.http.attempts = 2;
    let object = Source::Object(query(System::Salesforce, "Account", &["Id"]));
    let fault = with(sandbox, options).page(&object, None, 10).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unavailable);
    assert!(fault.message.contains("in time"), "{fault}");
}

#[tokio::test]
async fn stopping_ends_the_pauses_and_lets_nothing_new_begin() {
    let sandbox = sandbox(5, "pendo:500@1").await;
    let mut options = options(&sandbox);
    options.http.first_wait = Duration::from_hours(1);
    options.http.longest_wait = Duration::from_hours(1);
    options.http.patience = Duration::from_hours(10);
    let bench = with(sandbox, options);
    let stop = async {
        while bench.systems.calls().pendo == 0 {
            tokio::task::yield_now().await;
        }
        bench.stop.request();
    };
    let ((), answered) = tokio::join!(stop, bench.page_owned());
    assert_eq!(answered.unwrap_err().kind, FaultKind::Interrupted);
    let before = bench.systems.calls();
    assert_eq!(bench.page_owned().await.unwrap_err().kind, FaultKind::Interrupted);
    assert_eq!(bench.systems.calls(), before);
}

impl super::bench::Bench {
    async fn page_owned(&self) -> Result<tabi::model::Page, Fault> {
        self.page(&accounts(), None, 10).await
    }
}

#[tokio::test]
async fn an_answer_too_large_to_hold_is_refused() {
    let sandbox = sandbox(50, "").await;
    let mut options = options(&sandbox);
    options.http.answer_limit = 100;
    let bench = with(sandbox, options);
    let fault = bench.all_segments().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Invalid);
    assert!(fault.message.contains("larger than"), "{fault}");
}

impl super::bench::Bench {
    async fn all_segments(&self) -> Result<tabi::model::Page, Fault> {
        self.page(&Source::Object(Query::of(System::Pendo, "segment")), None, 100).await
    }
}

#[tokio::test]
async fn hosts_are_called_only_when_allowed() {
    let sandbox = sandbox(5, "").await;
    let base = sandbox.base_url("pendo").unwrap().to_owned();
    let call = |url: String| Effect::Http(HttpCall { method: "GET".into(), url, headers: Record::new(), body: None });
    let mut options = options(&sandbox);
    options.hosts = vec![base.trim_start_matches("http://").to_owned()];
    let bench = with(sandbox, options);
    let Ok(Reply::Value(Value::Map(answer))) = bench.systems.perform(&call(format!("{base}/_sandbox/requests"))).await else {
        panic!("no answer");
    };
    assert_eq!(answer.get("status"), Some(&Value::Int(200)));
    assert!(matches!(answer.get("body"), Some(Value::List(_))));
    for other in ["http://example.com/", "file:///etc/passwd", "nonsense"] {
        let fault = refused(&bench.systems, call(other.into())).await;
        assert!(matches!(fault.kind, FaultKind::Denied | FaultKind::Invalid), "{other}: {fault}");
    }
}

#[tokio::test]
async fn a_request_of_a_script_is_authenticated_and_answered_as_it_came() {
    let bench = bench(5, "").await;
    let request = Request { system: System::Pendo, method: "GET".into(), path: "token/verify".into(), query: Record::new(), body: None };
    let Ok(Reply::Value(answer)) = bench.systems.perform(&Effect::Request(request)).await else { panic!("no answer") };
    let Value::Map(answer) = answer else { panic!("{answer:?}") };
    assert_eq!(answer.get("valid"), Some(&Value::Bool(true)));
}
