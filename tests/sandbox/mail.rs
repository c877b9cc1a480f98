//! The sandbox's mail: SMTP as any client speaks it, the inbox, bounces, and people who open and click by the clock.

use std::sync::{Arc, Mutex};

use axum::{Router, extract::Request, http::StatusCode, response::Redirect, routing::get};
use serde_json::{Value, json};
use tabi::sandbox::{self, Options, Sandbox};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

use super::core::{at_noon, sandbox};

/// A raw conversation.
struct Talk(BufReader<TcpStream>);

impl Talk {
    async fn with(sandbox: &Sandbox) -> Self {
        let smtp = sandbox.credentials()["mail"]["smtp"].as_str().unwrap().trim_start_matches("smtp://").to_owned();
        let mut talk = Self(BufReader::new(TcpStream::connect(smtp).await.unwrap()));
        assert!(talk.heard().await.starts_with("220 "));
        talk
    }

    async fn greeted(sandbox: &Sandbox) -> Self {
        let mut talk = Self::with(sandbox).await;
        talk.says("EHLO client.example", "250").await;
        talk
    }

    /// A whole reply; empty when the connection ended.
    async fn heard(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).await.unwrap_or(0) == 0 {
                return reply;
            }
            let last = line.as_bytes().get(3) != Some(&b'-');
            reply.push_str(&line);
            if last {
                return reply;
            }
        }
    }

    async fn write(&mut self, text: impl AsRef<[u8]>) {
        self.0.write_all(text.as_ref()).await.unwrap();
    }

    async fn says(&mut self, command: &str, wanted: &str) -> String {
        self.write(format!("{command}\r\n")).await;
        let reply = self.heard().await;
        assert!(reply.starts_with(wanted), "{command}: {reply}");
        reply
    }

    async fn delivers(&mut self, to: &str, message: &str) {
        self.says("MAIL FROM:<cs@acme.example>", "250").await;
        self.says(&format!("RCPT TO:<{to}>"), "250").await;
        self.says("DATA", "354").await;
        self.write(format!("{message}\r\n.\r\n")).await;
        assert!(self.heard().await.starts_with("250 "));
    }
}

fn message(id: &str, html: &str) -> String {
    format!("From: cs@acme.example\r\nTo: x\r\nSubject: Hello\r\nMessage-ID: <{id}@acme.example>\r\nContent-Type: text/html\r\n\r\n{html}")
}

async fn fetch(sandbox: &Sandbox, path: &str) -> Value {
    reqwest::get(format!("{}{path}", sandbox.base_url("mail").unwrap())).await.unwrap().json().await.unwrap()
}

async fn post(sandbox: &Sandbox, path: &str, body: Value) -> StatusCode {
    let url = format!("{}{path}", sandbox.base_url("mail").unwrap());
    reqwest::Client::new().post(url).json(&body).send().await.unwrap().status()
}

async fn turn(sandbox: &Sandbox, minutes: u64) {
    assert_eq!(post(sandbox, "/_sandbox/clock", json!({"advance_seconds": minutes * 60})).await, 200);
}

/// The events of one type (of all, when it is empty), once everything due was done.
async fn events(sandbox: &Sandbox, kind: &str) -> Vec<Value> {
    let path = if kind.is_empty() { "/events".to_owned() } else { format!("/events?type={kind}") };
    for _ in 0..10_000 {
        let found = fetch(sandbox, &path).await;
        if found["settled"] == true {
            return found["events"].as_array().unwrap().clone();
        }
        tokio::task::yield_now().await;
    }
    panic!("people are never done");
}

#[tokio::test]
async fn a_conversation_by_hand_is_an_esmtp_one() {
    let sandbox = sandbox("").await;
    let mut talk = Talk::with(&sandbox).await;
    talk.says("MAIL FROM:<a@b.example>", "503").await;
    let offered = talk.says("EHLO client.example", "250-").await;
    for extension in ["PIPELINING", "SIZE 26214400", "8BITMIME", "SMTPUTF8", "AUTH PLAIN LOGIN", "ENHANCEDSTATUSCODES"] {
        assert!(offered.contains(extension), "{offered}");
    }
    talk.says("NOOP", "250 2.0.0").await;
    talk.says("BOGUS", "500 5.5.2").await;
    talk.says("STARTTLS", "502").await;
    talk.says("RCPT TO:<a@b.example>", "503").await;
    talk.says("DATA", "503").await;
    talk.says("AUTH PLAIN AGNzAGh1bnRlcjI=", "235").await;
    talk.says("AUTH LOGIN", "334 VXNlcm5hbWU6").await;
    talk.says("Y3M=", "334 UGFzc3dvcmQ6").await;
    talk.says("aHVudGVyMg==", "235").await;
    talk.says("AUTH PLAIN", "334").await;
    talk.says("*", "501").await;
    talk.says("AUTH CRAM-MD5", "504").await;
    talk.says("MAIL FROM:<a@b.example> SIZE=99999999", "552").await;
    talk.says("MAIL FROM:<zo\u{eb}@b.example>", "553").await;
    talk.says("MAIL FROM:<zo\u{eb}@b.example> SMTPUTF8 BODY=8BITMIME", "250").await;
    talk.says("MAIL FROM:<a@b.example>", "503").await;
    talk.says("RSET", "250").await;
    talk.says("MAIL FROM:<>", "250").await;
    talk.says("RCPT TO:<not-an-address>", "553").await;
    talk.says("DATA", "503").await;
    talk.says("QUIT", "221").await;
    assert_eq!(talk.heard().await, "");
}

#[tokio::test]
async fn commands_may_come_all_at_once_and_dots_are_taken_off() {
    let sandbox = sandbox("").await;
    let mut talk = Talk::greeted(&sandbox).await;
    talk.write("MAIL FROM:<a@b.example>\r\nRCPT TO:<ana@c.example>\r\nRCPT TO:<ben@c.example>\r\nDATA\r\n").await;
    for wanted in ["250", "250", "250", "354"] {
        assert!(talk.heard().await.starts_with(wanted));
    }
    talk.write("Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\n..one\r\n.. two\r\nhttps://a.example/x, and (https://b.example/y).\r\n.\r\nQUIT\r\n")
        .await;
    assert!(talk.heard().await.starts_with("250"));
    assert!(talk.heard().await.starts_with("221"));
    let mail = &fetch(&sandbox, "/inbox?to=BEN@c.example").await[0];
    assert_eq!(mail["subject"], "Grüße");
    assert!(mail["text"].as_str().unwrap().starts_with(".one\r\n. two\r\n"));
    assert_eq!(mail["links"], json!(["https://a.example/x", "https://b.example/y"]));
    let raw = reqwest::get(format!("{}/inbox/{}/raw", sandbox.base_url("mail").unwrap(), mail["id"].as_str().unwrap())).await.unwrap();
    assert!(raw.text().await.unwrap().starts_with("Subject: =?utf-8?q?"));
    let log = fetch(&sandbox, "/_sandbox/requests").await;
    assert_eq!((&log[0]["method"], &log[0]["path"], &log[0]["status"]), (&json!("MAIL"), &json!("ana@c.example,ben@c.example"), &json!(250)));
    assert_eq!(fetch(&sandbox, "/_sandbox/documents/message").await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn only_crlf_ends_a_message() {
    let sandbox = sandbox("").await;
    let mut talk = Talk::greeted(&sandbox).await;
    talk.says("MAIL FROM:<a@b.example>", "250").await;
    talk.says("RCPT TO:<ana@c.example>", "250").await;
    talk.says("DATA", "354").await;
    talk.write("Subject: one\r\n\r\nx\n.\r\nMAIL FROM:<evil@b.example>\r\n.\nRCPT TO:<ana@c.example>\r\n\r\n.\r\n").await;
    assert!(talk.heard().await.starts_with("250"));
    let inbox = fetch(&sandbox, "/inbox").await;
    assert_eq!(inbox.as_array().unwrap().len(), 1);
    assert!(inbox[0]["text"].as_str().unwrap().contains("evil@b.example"), "it is text of the one message");
}

#[tokio::test]
async fn sizes_have_limits_and_the_conversation_goes_on_or_ends_in_order() {
    let sandbox = sandbox("").await;
    let mut talk = Talk::greeted(&sandbox).await;
    talk.says(&format!("NOOP {}", "x".repeat(100_000)), "500 5.5.2").await;
    talk.says("MAIL FROM:<a@b.example>", "250").await;
    talk.says("RCPT TO:<ana@c.example>", "250").await;
    talk.says("DATA", "354").await;
    talk.write(format!("Subject: x\r\n\r\n{}\r\n.\r\n", "y".repeat(2_000_000))).await;
    assert!(talk.heard().await.starts_with("554 5.6.0"));
    talk.says("MAIL FROM:<a@b.example>", "250").await;
    talk.says("RCPT TO:<ana@c.example>", "250").await;
    talk.says("DATA", "354").await;
    let line = "z".repeat(900) + "\r\n";
    talk.write(line.repeat(30_000)).await;
    talk.write(".\r\n").await;
    assert!(talk.heard().await.starts_with("552 5.3.4"));
    assert_eq!(fetch(&sandbox, "/inbox").await, json!([]));
    talk.says("MAIL FROM:<a@b.example>", "250").await;
    for number in 0..100 {
        talk.says(&format!("RCPT TO:<a{number}@c.example>"), "250").await;
    }
    talk.says("RCPT TO:<a100@c.example>", "452 4.5.3").await;
    // Junk is borne for a while.
    let mut last = String::new();
    for _ in 0..30 {
        talk.write("\u{0}\u{1}junk\r\n").await;
        last = talk.heard().await;
        if last.starts_with("421") || last.is_empty() {
            break;
        }
    }
    let mut rest = Vec::new();
    let _ = talk.0.read_to_end(&mut rest).await;
    assert!(last.starts_with("421") || String::from_utf8_lossy(&rest).starts_with("421"), "{last}");
}

#[tokio::test]
async fn bytes_that_are_no_text_are_kept_as_they_are() {
    let sandbox = sandbox("").await;
    let mut talk = Talk::greeted(&sandbox).await;
    talk.says("MAIL FROM:<a@b.example> BODY=8BITMIME", "250").await;
    talk.says("RCPT TO:<ana@c.example>", "250").await;
    talk.says("DATA", "354").await;
    let bytes = b"Subject: latin\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\ncaf\xe9\r\n";
    talk.write(bytes).await;
    talk.write(".\r\n").await;
    assert!(talk.heard().await.starts_with("250"));
    let mail = &fetch(&sandbox, "/inbox").await[0];
    assert!(mail["text"].as_str().unwrap().starts_with("café"), "{mail}");
    let raw = reqwest::get(format!("{}/inbox/{}/raw", sandbox.base_url("mail").unwrap(), mail["id"].as_str().unwrap())).await.unwrap();
    assert_eq!(raw.bytes().await.unwrap().as_ref(), bytes);
}

#[tokio::test]
async fn mail_outlives_the_process_and_people_go_on_where_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let stored = || Options { folder: Some(folder.path().to_owned()), ..at_noon() };
    let first = sandbox::start(stored()).await.unwrap();
    assert_eq!(post(&first, "/_sandbox/behaviour", json!({"open_rate": 1.0, "open_minutes": [60, 60]})).await, 200);
    Talk::greeted(&first).await.delivers("ana@c.example", &message("1", "hello")).await;
    first.stop().await;
    let second = sandbox::start(stored()).await.unwrap();
    assert_eq!(fetch(&second, "/inbox").await[0]["message_id"], "<1@acme.example>");
    assert_eq!(fetch(&second, "/_sandbox/behaviour").await["open_rate"], 1.0);
    Talk::greeted(&second).await.delivers("ana@c.example", &message("1", "hello")).await;
    assert_eq!(fetch(&second, "/inbox").await.as_array().unwrap().len(), 1, "seen once");
    let inbox = fetch(&second, "/inbox?copies=true").await;
    assert_eq!(inbox[1]["duplicate_of"], inbox[0]["id"]);
    turn(&second, 61).await;
    let opened = events(&second, "opened").await;
    assert_eq!((opened.len(), &opened[0]["message"]), (1, &inbox[0]["id"]));
    second.stop().await;
    let third = sandbox::start(stored()).await.unwrap();
    assert_eq!(events(&third, "opened").await, opened);
    assert_eq!(post(&third, "/_sandbox/reset", json!({"documents": true})).await, 200);
    assert_eq!(fetch(&third, "/inbox").await, json!([]));
}

#[tokio::test]
async fn some_addresses_bounce_at_once_and_some_later() {
    let sandbox = sandbox("").await;
    let mut talk = Talk::greeted(&sandbox).await;
    talk.says("MAIL FROM:<cs@acme.example>", "250").await;
    talk.says("RCPT TO:<hard.Bounce+1@c.example>", "550 5.1.1").await;
    talk.says("RSET", "250").await;
    talk.delivers("ana@eu.bounce.example", &message("1", "hello")).await;
    talk.delivers("ben@c.example", &message("2", "hello")).await;
    let delivered = events(&sandbox, "delivered").await;
    assert_eq!((delivered.len(), &delivered[0]["recipient"]), (1, &json!("ben@c.example")));
    turn(&sandbox, 6).await;
    let bounced = events(&sandbox, "bounced").await;
    assert_eq!(bounced[0]["recipient"], "ana@eu.bounce.example");
    assert_eq!(bounced[0]["message_id"], "<1@acme.example>");
    assert!(bounced[0]["at"].as_str().unwrap().starts_with("2026-06-15T12:0"), "as of the sandbox's clock: {bounced:?}");
}

/// A web server that writes down what it is asked.
async fn web() -> (String, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let seen = move |request: Request| {
        log.lock().unwrap().push(format!("{} {}", request.method(), request.uri()));
        async { "ok" }
    };
    let router = Router::new().route("/go", get(|| async { Redirect::to("/landing?x=1") })).fallback(seen);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (base, asked)
}

#[tokio::test]
async fn people_load_the_pixel_follow_links_and_unsubscribe_when_their_time_comes() {
    let sandbox = sandbox("").await;
    let (base, asked) = web().await;
    let rates = json!({"open_rate": 1, "click_rate": 1, "unsubscribe_rate": 1, "open_minutes": [30, 30], "click_minutes": [5, 5]});
    assert_eq!(post(&sandbox, "/_sandbox/behaviour", rates).await, 200);
    let html = format!(
        "<p>Hi</p><a class=x href=\"{base}/go?a=1&amp;b=2\">go</a><a href='{base}/unsubscribe/1'>no more</a>\
         <img alt=\"\" src=\"{base}/o/abc.gif\"><img src=\"http://203.0.113.9/elsewhere.gif\">"
    );
    let headers =
        format!("List-Unsubscribe: <mailto:u@acme.example>, <{base}/unsubscribe/1>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n");
    Talk::greeted(&sandbox).await.delivers("ana@c.example", &format!("{headers}{}", message("1", &html))).await;
    let mail = &fetch(&sandbox, "/inbox").await[0];
    assert_eq!(mail["links"], json!([format!("{base}/go?a=1&b=2"), format!("{base}/unsubscribe/1")]));
    turn(&sandbox, 29).await;
    assert!(asked.lock().unwrap().is_empty(), "nobody is early");
    turn(&sandbox, 60).await;
    let unsubscribed = events(&sandbox, "unsubscribed").await;
    assert_eq!(unsubscribed[0]["status"], 200);
    let mut fetched = asked.lock().unwrap().clone();
    fetched.sort();
    assert_eq!(fetched, ["GET /landing?x=1", "GET /o/abc.gif", "POST /unsubscribe/1"]);
    let clicked = events(&sandbox, "clicked").await;
    assert_eq!((&clicked[0]["url"], &clicked[0]["status"]), (&json!(format!("{base}/go?a=1&b=2")), &json!(200)));
    assert!(clicked[0]["at"].as_str().unwrap().starts_with("2026-06-15T12:35:"), "{clicked:?}");
    let feed = fetch(&sandbox, "/events").await;
    let kinds: Vec<&str> = feed["events"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds[..2], ["delivered", "opened"]);
    let rest = fetch(&sandbox, &format!("/events?after={}", feed["next"])).await;
    assert_eq!(rest, json!({"events": [], "next": feed["next"], "settled": true}));
}

#[tokio::test]
async fn behaviour_is_the_same_for_one_seed_and_near_its_rates() {
    let story = async |seed: u64, rate: f64| {
        let sandbox = sandbox::start(Options { seed: Some(seed), accounts: Some(5), ..at_noon() }).await.unwrap();
        assert_eq!(post(&sandbox, "/_sandbox/behaviour", json!({"open_rate": rate, "click_rate": 0.5})).await, 200);
        let mut talk = Talk::greeted(&sandbox).await;
        for number in 0..200 {
            talk.delivers(
                &format!("p{number}@c.example"),
                &message(&number.to_string(), "<a href=\"https://x.example/1\">a</a><a href=\"https://x.example/2\">b</a>"),
            )
            .await;
        }
        turn(&sandbox, 60 * 24 * 5).await;
        let rows = events(&sandbox, "").await;
        let told = |row: &Value| format!("{} {} {}", row["type"], row["recipient"], row["url"]);
        let mut told: Vec<String> = rows.iter().map(told).collect();
        told.sort();
        told
    };
    let first = story(7, 0.4).await;
    assert_eq!(first, story(7, 0.4).await);
    assert_ne!(first, story(8, 0.4).await);
    let count = |told: &[String], kind: &str| told.iter().filter(|row| row.starts_with(&format!("\"{kind}\""))).count();
    assert_eq!(count(&first, "delivered"), 200);
    assert!((60..=100).contains(&count(&first, "opened")), "{}", count(&first, "opened"));
    assert!((20..=60).contains(&count(&first, "clicked")), "{}", count(&first, "clicked"));
    assert_eq!(count(&story(7, 0.0).await, "opened"), 0);
}

#[tokio::test]
async fn rates_that_cannot_be_are_refused() {
    let sandbox = sandbox("").await;
    let before = fetch(&sandbox, "/_sandbox/behaviour").await;
    for wrong in [json!({"open_rate": 2}), json!({"opn_rate": 0.5}), json!({"open_minutes": [5, 1]}), json!({"click_rate": "much"}), json!([1])] {
        assert_eq!(post(&sandbox, "/_sandbox/behaviour", wrong.clone()).await, 400, "{wrong}");
    }
    assert_eq!(fetch(&sandbox, "/_sandbox/behaviour").await, before);
    assert_eq!(post(&sandbox, "/_sandbox/behaviour", json!({"open_rate": 0.9})).await, 200);
    let after = fetch(&sandbox, "/_sandbox/behaviour").await;
    assert_eq!((&after["open_rate"], &after["click_rate"]), (&json!(0.9), &before["click_rate"]));
}

#[tokio::test]
async fn faults_strike_mail_and_never_its_inbox() {
    let sandbox = sandbox("mail:500@1").await;
    for _ in 0..5 {
        assert_eq!(fetch(&sandbox, "/inbox").await, json!([]));
    }
    let mut talk = Talk::greeted(&sandbox).await;
    talk.says("MAIL FROM:<a@b.example>", "250").await;
    talk.says("RCPT TO:<ana@c.example>", "250").await;
    talk.says("DATA", "354").await;
    talk.write("Subject: x\r\n\r\ny\r\n.\r\n").await;
    assert!(talk.heard().await.starts_with("451 4.3.0"));
    assert_eq!(fetch(&sandbox, "/_sandbox/requests").await[0]["fault"], "500");
    post(&sandbox, "/_sandbox/faults", json!("mail:reset_after@1")).await;
    talk.says("MAIL FROM:<a@b.example>", "250").await;
    talk.says("RCPT TO:<ana@c.example>", "250").await;
    talk.says("DATA", "354").await;
    talk.write("Subject: x\r\n\r\ny\r\n.\r\n").await;
    assert_eq!(talk.heard().await, "", "cut before the answer");
    assert_eq!(fetch(&sandbox, "/inbox").await.as_array().unwrap().len(), 1, "and yet taken");
}
