//! Opened, clicked, unsubscribed.

use super::bench::{Bench, form, get, head, link};

const STEPS: &str = r#"
journey("trial", #{
    model: "dynamic",
    participants: [#{ email: "ana@example.com", name: "<script>alert(1)</script>" }, #{ email: "ben@example.com", name: "Ben" }],
    unique_on: "email",
    steps: [
        send_email("hello", #{ template: "hello" }),
        wait_for("read?", #{ when: WHEN, within: days(3), then: [drop("yes")], otherwise: [drop("no")] }),
    ],
});
"#;

const HELLO: (&str, &str) = (
    "hello.html",
    "Subject: Hello\n<html><body><p>{{ name }}</p><a href=\"https://a.example/x?b=1&amp;c=2#d\">a</a><a href=\"mailto:x@a.example\">m</a></body></html>",
);

fn bench(when: &str) -> Bench {
    Bench::start(&STEPS.replace("WHEN", when), &[HELLO], "")
}

#[test]
fn an_opened_mail_moves_its_participant_and_counts_once_b7() {
    let bench = bench("opened(\"hello\")");
    let mail = bench.mail("ana@example.com");
    let picture = link(&mail, "/o/");
    assert_eq!(head(&picture).status, 200, "looking ahead is no opening");
    assert_eq!(bench.report()["emails"][0]["opened"], 0);
    for _ in 0..5 {
        assert_eq!(get(&picture, &[]).status, 200);
    }
    let report = bench.until(|report| report["participants"]["dropped"] == 1);
    assert_eq!(report["emails"][0]["opened"], 1);
    assert_eq!(bench.timeline("ana", "opened").len(), 1);
    let mut forged = picture.clone();
    forged.truncate(picture.len() - 3);
    assert_eq!(get(&format!("{forged}AAA"), &[]).status, 404);
    assert_eq!(get(&picture.replace("/o/", "/u/"), &[]).status, 404, "a link is for one thing");
}

#[test]
fn a_click_leads_on_to_where_the_link_led_and_nowhere_else_b7() {
    let bench = bench("clicked(\"hello\")");
    let mail = bench.mail("ana@example.com");
    assert!(mail["html"].as_str().unwrap().contains("mailto:x@a.example"));
    assert!(!mail["html"].as_str().unwrap().contains("<script>"), "{mail}");
    let clicked = get(&link(&mail, "/c/"), &[]);
    assert_eq!((clicked.status, clicked.location.as_str()), (302, "https://a.example/x?b=1&c=2#d"));
    bench.until(|report| report["participants"]["dropped"] == 1 && report["emails"][0]["clicked"] == 1);
    assert_eq!(bench.timeline("ana", "clicked")[0]["detail"]["url"], "https://a.example/x?b=1&c=2#d");
    let url = link(&mail, "/c/");
    let changed = url.replacen("/c/A", "/c/B", 1);
    assert_eq!(get(&changed, &[]).status, 404);
    assert_eq!(get(&format!("{}/c/aHR0cHM6Ly9ldmlsLmV4YW1wbGU", bench.server["url"].as_str().unwrap()), &[]).status, 404);
}

#[test]
fn one_click_unsubscribes_and_a_look_at_the_link_does_not() {
    let bench = bench("unsubscribed(\"hello\")");
    let mail = bench.mail("ana@example.com");
    assert_eq!(mail["headers"]["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click", "{mail:#}");
    let url = mail["headers"]["List-Unsubscribe"].as_str().unwrap().trim_matches(['<', '>']).to_owned();
    let page = get(&url, &[]);
    assert!(page.status == 200 && page.text.contains("<form method=\"post\">"), "{}", page.text);
    assert_eq!(form(&url, "").status, 400);
    assert_eq!(bench.report()["participants"]["waiting"], 2);
    assert_eq!(form(&url, "List-Unsubscribe=One-Click").status, 200);
    bench.until(|report| report["participants"]["dropped"] == 1 && report["emails"][0]["unsubscribed"] == 1);
}
