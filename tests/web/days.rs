//! A survey by mail with a reminder in the product, day by day, with host, server and sandbox on one clock. (B13-B17)

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc};

use jiff::{SignedDuration, tz::TimeZone};
use serde_json::{Value, json};
use tabi::{store::Store, web};

use super::{bench::settled, surveys::ASK};
use crate::{
    flow::live::{Live, number},
    support::Workspace,
};

const SCRIPT: &str = r#"
journey("nps", #{
    model: "nps",
    participants: px::object("users").limit(80),
    unique_on: "identifyId", email: "identifyId",
    steps: [
        survey("ask", #{ survey: "In-app NPS", by: "email", template: "ask" }),
        wait_for("answered?", #{ when: responded("ask"), within: days(3), then: [drop("answered")], otherwise: [remind("again", #{ by: "px" })] }),
        wait_for("at last?", #{ when: responded("ask"), within: days(5), then: [drop("answered at last")], otherwise: [drop("no answer")] }),
    ],
});
"#;

/// The server of the host, on the clock of the test.
struct Served {
    runtime: tokio::runtime::Runtime,
    serving: Option<web::Serving>,
}

impl Served {
    fn new(live: &Live) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let options = live.with(|opened, _| {
            let (listener, bound) = web::bind(runtime.handle(), SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
            opened.listens_at(bound).unwrap();
            let clock = opened.clock.clone();
            let options = web::Options {
                store: Arc::new(Store::open(opened.state_file()).unwrap()),
                now: Arc::new(move || clock.now()),
                links: opened.links().unwrap().unwrap(),
                stirred: Arc::default(),
                pendo_secret: None,
                current: tabi::host::attach::Current::default(),
                receipts: tabi::host::Receipts::default(),
                zone: TimeZone::UTC,
                title: String::new(),
                access: web::Access { said: None, is_public: false },
            };
            (listener, options)
        });
        let serving = Some(web::start(runtime.handle(), options.0, options.1));
        Self { runtime, serving }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(serving) = self.serving.take() {
            self.runtime.block_on(serving.end());
        }
    }
}

#[test]
fn a_mailed_survey_is_reminded_of_in_the_product_and_whoever_answers_leaves_b13_b14_b15_b16_b17() {
    let workspace = Workspace::with_script(SCRIPT);
    workspace.write(&format!("scripts/templates/{}", ASK.0), ASK.1);
    let live = Live::new(workspace, "--accounts 20 --people 300");
    live.sandbox.post_to_inbox("/_sandbox/behaviour", &json!({"open_rate": 0.6, "click_rate": 0.6}));
    let _served = Served::new(&live);
    live.publish("nps");
    live.look();
    let asked = number(&live.report("nps"), "/emails/0/sent");
    assert!(asked > 40, "{asked}");
    let mut events = Vec::new();
    for day in 1..=10 {
        live.turn(SignedDuration::from_hours(24));
        events = settled(&live.sandbox);
        live.look();
        let reminded = live.sandbox.documents("px", "membership").len();
        assert_eq!(reminded > 0, day >= 3, "nobody is reminded before the third day: {reminded} on day {day}");
    }
    let report = live.report("nps");
    let answering = |event: &&Value| event["type"] == "clicked" && event["url"].as_str().unwrap().contains("score=");
    let by_mail: BTreeSet<&str> = events.iter().filter(answering).map(|event| event["recipient"].as_str().unwrap()).collect();
    let (responded, in_px) = (number(&report, "/surveys/0/responded"), number(&report, "/surveys/0/responded_px"));
    assert_eq!(number(&report, "/surveys/0/responded_email"), by_mail.len() as u64, "{report:#}");
    assert!(by_mail.len() > 3 && in_px > 0, "{report:#}");
    assert_eq!(responded, by_mail.len() as u64 + in_px, "nobody answers twice: {report:#}");
    assert_eq!(number(&report, "/surveys/0/viewed") + number(&report, "/surveys/0/not_viewed"), asked, "{report:#}");
    assert_eq!(number(&report, "/participants/dropped"), asked, "everybody goes one way: {report:#}");
    assert_eq!(live.inbox().len() as u64, asked, "the reminder goes through PX, not by mail (B14)");

    let members = live.sandbox.documents("px", "membership");
    let reminded: BTreeSet<&str> = members.iter().map(|row| row["participant"].as_str().unwrap()).collect();
    let early: BTreeSet<String> =
        live.people("nps").into_iter().filter(|one| one.reason.as_deref() == Some("answered")).filter_map(|one| one.px_id).collect();
    assert!(early.iter().all(|who| !reminded.contains(who.as_str())), "who has answered is not asked again");
    assert_eq!(reminded.len() as u64, asked - early.len() as u64);
    assert!(members.iter().all(|row| !row["removedAt"].is_null()), "nobody stays in the audience (B15)");

    let answers: Value = serde_json::from_str(&live.workspace.tabi("journey report nps --responses --json").ended(0).stdout).unwrap();
    let ways = |way: &str| answers.as_array().unwrap().iter().filter(|answer| answer["channel"] == way).count() as u64;
    assert_eq!((ways("email"), ways("px")), (by_mail.len() as u64, in_px), "{answers:#}");
}
