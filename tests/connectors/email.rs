//! Mail by SMTP against the sandbox's server: what arrives, what is refused, and what becomes of a message whose answer was lost.

use serde_json::{Value as Json, json};
use tabi::{
    connectors::{EmailOptions, Options, Secret, Stop, Systems},
    model::{Effect, Email, Fault, FaultKind, Query, Read, Reply, Source, System, Timestamp, Value},
};

use super::bench::{Bench, bench, credential, options, quick, sandbox, with};

fn welcome(key: &str) -> Email {
    Email {
        to: vec!["Ana Lima <ana@customer.example>".into()],
        subject: "Welcome".into(),
        text: Some("Hello Ana".into()),
        html: Some("<p>Hello <b>Ana</b></p>".into()),
        key: Some(key.into()),
        ..Email::default()
    }
}

impl Bench {
    async fn send(&self, email: Email) -> Result<String, Fault> {
        match self.systems.perform(&Effect::SendEmail(email)).await? {
            Reply::Value(Value::Map(answer)) => {
                assert!(answer.get("accepted").is_some_and(|said| said.to_string().contains("queued")), "{answer:?}");
                Ok(answer.get("message_id").unwrap().to_string())
            }
            other => panic!("{other:?}"),
        }
    }

    async fn inbox(&self, to: &str) -> Vec<Json> {
        let url = format!("{}/inbox?copies=true&to={to}", credential(&self.sandbox, "mail", "inbox_url"));
        reqwest::get(url).await.unwrap().json::<Json>().await.unwrap().as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn a_message_arrives_whole_with_its_headers() {
    let bench = bench(1, "").await;
    let unsubscribe = format!("<https://host.example/u/{}>", "x".repeat(90));
    let email = Email {
        to: vec!["\"Zoë, Müller\" <zoe@customer.example>".into(), "ben@customer.example".into()],
        reply_to: Some("Owner <owner@acme.example>".into()),
        subject: "Grüße – und ein sehr langer Betreff, der über mehr als eine Zeile der Kopfzeilen geht 🎉".into(),
        headers: vec![("List-Unsubscribe".into(), unsubscribe.clone()), ("List-Unsubscribe-Post".into(), "List-Unsubscribe=One-Click".into())],
        text: Some("Ein Text\n.\n..mit Punkten\n".into()),
        ..welcome("a")
    };
    let id = bench.send(email.clone()).await.unwrap();
    let inbox = bench.inbox("zoe@customer.example").await;
    assert_eq!(inbox.len(), 1);
    let mail = &inbox[0];
    assert_eq!((&mail["from"], &mail["from_name"]), (&json!("cs@acme.example"), &json!("CS team")));
    assert_eq!(mail["to"], json!(["zoe@customer.example", "ben@customer.example"]));
    assert_eq!(mail["subject"], email.subject.as_str());
    assert_eq!(mail["message_id"], id.as_str());
    assert_eq!(mail["headers"]["List-Unsubscribe"], unsubscribe.as_str());
    assert_eq!(mail["headers"]["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click");
    assert!(mail["headers"]["Reply-To"].as_str().unwrap().contains("owner@acme.example"));
    assert_eq!(mail["text"].as_str().unwrap().replace("\r\n", "\n"), "Ein Text\n.\n..mit Punkten\n");
    assert!(mail["html"].as_str().unwrap().contains("<b>Ana</b>"));
    assert!(!mail["date"].as_str().unwrap().is_empty());
    let one = reqwest::get(format!("{}/inbox/{}", credential(&bench.sandbox, "mail", "inbox_url"), mail["id"].as_str().unwrap())).await.unwrap();
    assert_eq!(one.json::<Json>().await.unwrap(), *mail);
}

#[tokio::test]
async fn the_same_key_is_the_same_message_and_another_key_another_one() {
    let bench = bench(1, "").await;
    let first = bench.send(welcome("journey/1/step")).await.unwrap();
    assert_eq!(bench.send(welcome("journey/1/step")).await.unwrap(), first);
    assert_ne!(bench.send(welcome("journey/2/step")).await.unwrap(), first);
    let keyless = Email { key: None, ..welcome("") };
    assert_ne!(bench.send(keyless.clone()).await.unwrap(), bench.send(keyless).await.unwrap());
    assert!(first.starts_with('<') && first.ends_with("@acme.example>"), "{first}");
    let inbox = bench.inbox("ana@customer.example").await;
    let originals: Vec<&Json> = inbox.iter().filter(|mail| mail["duplicate_of"].is_null()).collect();
    assert_eq!((inbox.len(), originals.len()), (5, 4));
    assert_eq!(inbox[1]["duplicate_of"], inbox[0]["id"]);
}

#[tokio::test]
async fn nothing_in_a_field_becomes_a_header() {
    let bench = bench(1, "").await;
    let evil = "x\r\nBcc: everybody@customer.example";
    let cases = [
        Email { subject: evil.into(), ..welcome("a") },
        Email { subject: "x\nBcc: y@z.example".into(), ..welcome("a") },
        Email { to: vec![format!("{evil} <ana@customer.example>")], ..welcome("a") },
        Email { to: vec!["ana@customer.example\r\nRCPT TO:<eve@customer.example>".into()], ..welcome("a") },
        Email { from: Some("A\r\nBcc: b@c.example <cs@acme.example>".into()), ..welcome("a") },
        Email { reply_to: Some("a@b.example\nBcc: b@c.example".into()), ..welcome("a") },
        Email { headers: vec![("X-Note".into(), evil.into())], ..welcome("a") },
        Email { headers: vec![("X-Note: a\r\nBcc".into(), "eve@customer.example".into())], ..welcome("a") },
        Email { headers: vec![("Bcc".into(), "eve@customer.example".into())], ..welcome("a") },
        Email { headers: vec![("Content-Type".into(), "text/html".into())], ..welcome("a") },
    ];
    for email in cases {
        let shown = format!("{email:?}");
        let fault = bench.send(email).await.unwrap_err();
        assert_eq!((fault.kind, fault.system), (FaultKind::Invalid, Some(System::Mail)), "{shown}");
    }
    assert_eq!(bench.requests("mail").await.len(), 0, "nothing was offered to the server");
    // A name that only looks like more than a name stays one.
    bench.send(Email { to: vec!["Bcc: eve@customer.example, \"x\" <ana@customer.example>".into()], ..welcome("b") }).await.unwrap();
    assert_eq!(bench.inbox("ana@customer.example").await[0]["to"], json!(["ana@customer.example"]));
}

#[tokio::test]
async fn messages_that_cannot_be_are_told_by_field() {
    let bench = bench(1, "").await;
    let cases = [
        (Email { to: vec![], ..welcome("a") }, "to"),
        (Email { to: vec!["nobody".into()], ..welcome("a") }, "to"),
        (Email { to: vec!["a@b.example, c@d.example".into()], ..welcome("a") }, "to"),
        (Email { from: Some("@acme.example".into()), ..welcome("a") }, "from"),
        (Email { text: None, html: None, ..welcome("a") }, "text"),
    ];
    for (email, field) in cases {
        let fault = bench.send(email).await.unwrap_err();
        assert_eq!((fault.kind, fault.field.as_deref()), (FaultKind::Invalid, Some(field)), "{fault}");
    }
}

#[tokio::test]
async fn a_refused_recipient_is_hard_and_not_asked_again() {
    let bench = bench(1, "").await;
    let fault = bench.send(Email { to: vec!["bounce-7@customer.example".into()], ..welcome("a") }).await.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_deref(), fault.field.as_deref()), (FaultKind::Invalid, Some("550 5.1.1"), Some("to")), "{fault}");
    assert!(!fault.is_transient() && fault.message.contains("bounce-7@customer.example"), "{fault}");
    let offered = bench.requests("mail").await;
    assert_eq!((offered.len(), &offered[0]["status"]), (1, &json!(550)));
}

#[tokio::test]
async fn what_may_pass_is_tried_again_until_it_does() {
    for spec in ["mail:429@0.5", "mail:500@0.5", "mail:503@0.5", "mail:lock@0.5", "mail:slow=1@1", "mail:429@0.3,mail:503@0.3,mail:500@0.3"] {
        let bench = bench(1, spec).await;
        for number in 0..10 {
            bench.send(welcome(&format!("{number}"))).await.unwrap_or_else(|fault| panic!("{spec}: {fault}"));
        }
        let inbox = bench.inbox("ana@customer.example").await;
        assert_eq!(inbox.len(), 10, "{spec}: refused messages were not stored");
    }
}

#[tokio::test]
async fn lasting_refusals_are_named() {
    let cases = [
        ("mail:429@1", FaultKind::RateLimited, "450 4.7.0"),
        ("mail:500@1", FaultKind::Unavailable, "451 4.3.0"),
        ("mail:503@1", FaultKind::Unavailable, "421 4.3.2"),
        ("mail:limit@1", FaultKind::LimitExceeded, "452 4.5.3"),
        ("mail:expired@1", FaultKind::Denied, "535 5.7.8"),
        ("mail:lock@1", FaultKind::Unavailable, "450 4.2.1"),
    ];
    for (spec, kind, code) in cases {
        let bench = bench(1, spec).await;
        let fault = bench.send(welcome("a")).await.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_deref()), (kind, Some(code)), "{spec}: {fault}");
        assert!(bench.inbox("ana@customer.example").await.is_empty(), "{spec}");
    }
}

#[tokio::test]
async fn b9_a_message_whose_answer_was_lost_is_sent_again_under_its_key_and_shown_once() {
    for spec in ["mail:reset_after@0.5", "mail:truncate@0.5", "mail:reset@0.5", "mail:reset@0.2,mail:reset_after@0.2"] {
        let bench = bench(1, spec).await;
        for number in 0..12 {
            bench.send(welcome(&format!("{number}"))).await.unwrap_or_else(|fault| panic!("{spec}: {fault}"));
        }
        let inbox = bench.inbox("ana@customer.example").await;
        let shown = inbox.iter().filter(|mail| mail["duplicate_of"].is_null()).count();
        assert_eq!(shown, 12, "{spec}");
        assert_eq!(inbox.len() > 12, spec.contains("after") || spec.contains("truncate"), "{spec}: copies are seen as such");
    }
}

#[tokio::test]
async fn without_a_key_a_lost_answer_is_told_and_left_to_the_caller() {
    let bench = bench(1, "mail:reset_after@1").await;
    let fault = bench.send(Email { key: None, ..welcome("") }).await.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_deref()), (FaultKind::Unavailable, Some("UNKNOWN_OUTCOME")));
    assert_eq!(bench.inbox("ana@customer.example").await.len(), 1);
}

#[tokio::test]
async fn a_server_that_falls_silent_is_not_waited_for_without_end() {
    let sandbox = sandbox(1, "mail:timeout@1").await;
    let mut options = options(&sandbox);
    options.http.read_timeout = std::time::Duration::from_millis(50);
    let bench = with(sandbox, options);
    let fault = bench.send(welcome("a")).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unavailable);
    assert!(fault.message.contains("did not answer in time"), "{fault}");
}

#[tokio::test]
async fn credentials_are_sent_and_never_shown() {
    let sandbox = sandbox(1, "").await;
    let mut options = options(&sandbox);
    let email = options.email.take().unwrap();
    let email = EmailOptions { username: Some("cs".into()), password: Some(Secret::new("hunter2")), ..email };
    options.email = Some(email);
    assert!(!format!("{options:?}").contains("hunter2"));
    let bench = with(sandbox, options);
    bench.send(welcome("a")).await.unwrap();
    assert!(!format!("{:?}", bench.systems).contains("hunter2"));
}

fn only_mail(url: &str) -> Result<Systems, tabi::connectors::Error> {
    let mut options = Options::new(Timestamp::now);
    options.http = quick();
    options.email = Some(EmailOptions::new(url, "cs@acme.example"));
    Systems::new(options, Stop::new())
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_and_a_wrong_address_is_told_at_once() {
    // Of a port that was just free.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let systems = only_mail(&format!("smtp://127.0.0.1:{port}")).unwrap();
    let fault = systems.perform(&Effect::SendEmail(welcome("a"))).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unavailable);
    assert!(fault.code.is_none() && fault.message.contains("[email] smtp"), "{fault}");
    for (url, reason) in [("http://localhost", "smtp://"), ("smtp://", "host"), ("localhost:25", "smtp://"), ("smtp://h?tls=maybe", "tls")] {
        let error = only_mail(url).unwrap_err().to_string();
        assert!(error.starts_with("`[email] smtp` ") && error.contains(reason), "{url}: {error}");
    }
}

#[tokio::test]
async fn plain_text_goes_to_this_machine_only_unless_it_is_asked_for() {
    let sandbox = sandbox(1, "").await;
    let address = credential(&sandbox, "mail", "smtp");
    // The sandbox offers no STARTTLS: as for any other machine, nothing is sent then.
    let strict = only_mail(&format!("{address}?tls=required")).unwrap();
    let fault = strict.perform(&Effect::SendEmail(welcome("a"))).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Denied, "{fault}");
    assert!(fault.message.contains("tls=none"), "{fault}");
    for address in [address.clone(), format!("{address}?tls=none")] {
        only_mail(&address).unwrap().perform(&Effect::SendEmail(welcome("a"))).await.unwrap();
    }
}

#[tokio::test]
async fn mail_holds_no_records_and_is_counted() {
    let bench = bench(1, "").await;
    let read = Read { source: Source::Object(Query::of(System::Mail, "inbox")), after: None, page_size: 10 };
    assert_eq!(bench.systems.perform(&Effect::Read(read)).await.unwrap_err().kind, FaultKind::Invalid);
    bench.send(welcome("a")).await.unwrap();
    assert_eq!(bench.systems.calls().mail, 1);
    let mut none = Options::new(Timestamp::now);
    none.http = quick();
    let unconnected = Systems::new(none, Stop::new()).unwrap();
    let fault = unconnected.perform(&Effect::SendEmail(welcome("a"))).await.unwrap_err();
    assert!(fault.message.contains("[email]"), "{fault}");
}
