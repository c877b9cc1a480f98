//! The real host and the sandbox's people over several of the sandbox's days: they open their mail, click, answer on the hosted page and
//! unsubscribe by the links of the mail, and the numbers of the report are those of the inbox. (B7, B16, B17)

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    bench::{Bench, settled},
    surveys::ASK,
};

const SCRIPT: &str = r#"
journey("trial", #{
    model: "nps",
    participants: salesforce::object("Contact").filter(#{ mail: ["Email", "is not null"] }),
    unique_on: "Email",
    steps: [
        survey("ask", #{ survey: "Mailed NPS", by: "email", template: "ask" }),
        wait_for("answered?", #{ when: responded("ask"), within: days(30), then: [drop("answered")] }),
    ],
});
"#;

const LATER: &str = r#"
journey("later", #{
    model: "dynamic",
    participants: salesforce::object("Contact").filter(#{ mail: ["Email", "is not null"] }),
    unique_on: "Email",
    steps: [send_email("news", #{ template: "news" }), wait("a while", days(30))],
});
"#;

/// Who did it, and came through.
fn who(events: &[Value], kind: &str, part: &str) -> BTreeSet<String> {
    let did = |event: &&Value| event["type"] == kind && event["url"].as_str().unwrap_or_default().contains(part);
    let through = |event: &&Value| matches!(event["status"].as_u64(), Some(200 | 302));
    events.iter().filter(did).filter(through).map(|event| event["recipient"].as_str().unwrap().to_lowercase()).collect()
}

#[test]
fn what_people_do_with_their_mail_is_what_the_report_says_b7_b16_b17() {
    let behaviour = json!({"open_rate": 0.8, "click_rate": 0.7, "unsubscribe_rate": 0.3});
    let bench = Bench::lively(SCRIPT, &[ASK, ("news.txt", "Subject: News\nHello.\n")], "", &behaviour);
    let asked =
        bench.until(|report| report["emails"][0]["sent"].as_u64() > Some(10) && report["emails"][0]["sent"] == report["participants"]["waiting"]);
    let asked = asked["emails"][0]["sent"].as_u64().unwrap();
    let mut days = Vec::new();
    for _ in 0..4 {
        bench.sandbox.post("px", "/_sandbox/clock", &json!({"advance_seconds": 86_400}));
        days.push(settled(&bench.sandbox));
    }
    let events = days.last().unwrap();
    assert!(days[0].len() < events.len(), "not all on the first day");
    let lost = events.iter().find(|event| event["url"].is_string() && !matches!(event["status"].as_u64(), Some(200 | 302)));
    assert_eq!(lost, None, "every link leads somewhere");
    let (opened, clicked, unsubscribed) = (who(events, "opened", "/o/"), who(events, "clicked", ""), who(events, "unsubscribed", "/u/"));
    let answered = who(events, "clicked", "score=");
    assert!(answered.len() > 3 && unsubscribed.len() > 3 && clicked.len() < opened.len(), "{events:?}");

    let report = bench.until(|report| report["participants"]["dropped"] == answered.len());
    let n = |of: &BTreeSet<String>| json!(of.len());
    let (mail, survey) = (&report["emails"][0], &report["surveys"][0]);
    assert_eq!([&mail["opened"], &mail["clicked"], &mail["unsubscribed"]], [&n(&opened), &n(&clicked), &n(&unsubscribed)], "{report:#}");
    assert_eq!([&survey["responded"], &survey["responded_email"], &survey["responded_px"]], [&n(&answered), &n(&answered), &json!(0)], "{report:#}");
    assert_eq!(survey["viewed"].as_u64().unwrap() + survey["not_viewed"].as_u64().unwrap(), asked, "{report:#}");
    let answers: Value = serde_json::from_str(&bench.workspace.tabi("journey report trial --responses --json").ended(0).stdout).unwrap();
    assert_eq!(answers.as_array().unwrap().len(), answered.len(), "each answer once (B16)");

    // Who has unsubscribed is not written to by any other journey either.
    bench.workspace.write("scripts/later.rhai", LATER);
    bench.line(|line| line["type"] == "reload");
    bench.workspace.tabi("journey publish later --yes").ended(0);
    let later =
        bench.until_of("later", |report| report["emails"][0]["sent"].as_u64().unwrap() + report["emails"][0]["failed"].as_u64().unwrap() >= asked);
    assert_eq!(later["emails"][0]["failed"], unsubscribed.len(), "{later:#}");
    let inbox: Value = serde_json::from_str(&super::bench::get(&bench.sandbox.inbox("/inbox"), &[]).text).unwrap();
    let news = inbox.as_array().unwrap().iter().filter(|mail| mail["subject"] == "News");
    let told: BTreeSet<String> = news.map(|mail| mail["to"][0].as_str().unwrap().to_lowercase()).collect();
    assert!(told.is_disjoint(&unsubscribed) && told.len() as u64 == later["emails"][0]["sent"].as_u64().unwrap());
}
