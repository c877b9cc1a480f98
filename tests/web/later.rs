//! Mails that are made while no server runs: their links work once one does.

use std::{net::TcpListener, time::Duration};

use serde_json::Value;

use super::bench::{Bench, form, get, link};

#[test]
fn links_of_mails_made_without_a_server_lead_to_the_one_that_comes() {
    let script = r#"journey("trial", #{
        model: "dynamic", participants: [#{ email: "ana@example.com" }], unique_on: "email",
        steps: [send_email("hello", #{ template: "hello" }), wait("a while", days(30))],
    });"#;
    // The default is taken and stays so: by this test once other tests are not there, or by who is always there.
    let _taken = (0..1_000).find_map(|_| {
        std::thread::sleep(Duration::from_millis(10));
        TcpListener::bind("127.0.0.1:7878").ok()
    });
    let mut bench = Bench::start(script, &[("hello.html", "Subject: Hello\n<p>Hello</p>")], "");
    bench.mail("ana@example.com");
    let url = bench.server["url"].clone();
    bench.end();
    bench.workspace.tabi("journey add trial --set email=ben@example.com").ended(0);
    bench.workspace.tabi("up --once").ended(0);
    let inbox: Value = serde_json::from_str(&get(&bench.sandbox.inbox("/inbox?to=ben@example.com"), &[]).text).unwrap();
    let picture = link(&inbox[0], "/o/");
    bench.again();
    assert_eq!(bench.server["url"], url, "the server of a sandboxed workspace keeps its port");
    assert_eq!(get(&picture, &[]).status, 200);
    bench.until(|report| report["emails"][0]["opened"] == 1);
    let unsubscribe = inbox[0]["headers"]["List-Unsubscribe"].as_str().unwrap().trim_matches(['<', '>']).to_owned();
    assert_eq!(form(&unsubscribe, "List-Unsubscribe=One-Click").status, 200);
}
