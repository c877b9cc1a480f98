//! What systems tell of: once, however often and by whatever way.

use serde_json::{Value, json};

use super::bench::{Bench, post, tell};

const TOUR: &str = r#"
journey("trial", #{
    model: "onboarding",
    participants: px::object("users").limit(5),
    unique_on: "identifyId",
    email: "email",
    steps: [
        send_email("hello", #{ template: "hello" }),
        engagement("tour", "Product tour"),
        wait_for("seen?", #{ when: viewed("tour"), within: days(30), then: [drop("seen")], otherwise: [drop("not seen")] }),
    ],
});
"#;

fn bench(config: &str) -> Bench {
    Bench::start(TOUR, &[("hello.html", "Subject: Hello\n<p>Hello</p>"), ("../../pendo.secret", "shared\n")], config)
}

fn viewed(bench: &Bench, id: &str) -> Value {
    json!({"user": {"identifyId": id}, "event": {"eventType": "ENGAGEMENT", "eventId": "e-1", "date": 4_102_444_800_000_i64,
        "engagementId": engagement(bench), "contentType": "IN_APP_GUIDE", "interaction": "VIEWED"}, "configId": "c"})
}

fn engagement(bench: &Bench) -> String {
    let all = bench.sandbox.documents("px", "engagements");
    all.iter().find(|one| one["name"] == "Product tour").unwrap()["id"].as_str().unwrap().to_owned()
}

fn somebody(bench: &Bench) -> String {
    bench.until(|report| report["participants"]["waiting"] == 5);
    let shown = bench.workspace.tabi("journey show trial --person @ --json").ended(0).stdout;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    shown[0]["px_id"].as_str().unwrap().to_owned()
}

#[test]
fn px_tells_twice_and_it_counts_once_forged_malformed_and_large_calls_leave_no_trace() {
    let bench = bench("");
    let (who, hook) = (somebody(&bench), bench.hook("px"));
    let event = viewed(&bench, &who);
    let forged = format!("{}/AAAAAAAAAAAAAAAAAAAAAA", hook.rsplit_once('/').unwrap().0);
    assert_eq!(tell(&forged, &event).status, 404);
    assert_eq!(post(&hook, "application/json", "{\"user\":", &[]).status, 400);
    assert_eq!(post(&hook, "application/json", "[1]", &[]).status, 400);
    assert_eq!(tell(&hook, &viewed(&bench, "nobody")).status, 200, "who is unknown is forgotten");
    assert_eq!(post(&hook, "application/json", vec![b' '; 10 << 20], &[]).status, 413);
    assert_eq!(bench.report()["participants"]["waiting"], 5);
    for _ in 0..3 {
        assert_eq!(tell(&hook, &event).status, 200);
    }
    let report = bench.until(|report| report["participants"]["dropped"] == 1);
    assert_eq!(report["engagements"][0]["viewed"], 1);
    assert_eq!(bench.timeline(&who, "viewed").len(), 1);
}

#[test]
fn a_bounce_that_is_told_belongs_to_its_mail_and_stops_all_others() {
    let bench = bench("");
    let who = somebody(&bench);
    let participant: Value = serde_json::from_str(&bench.workspace.tabi(&format!("journey show trial --person {who} --json")).stdout).unwrap();
    let email = participant[0]["email"].as_str().unwrap();
    let hook = bench.hook("mail");
    let bounce = json!([{"type": "bounced", "id": "b-1", "recipient": email, "reason": "550 5.1.1 No such user"}]);
    assert_eq!((tell(&hook, &bounce).status, tell(&hook, &bounce).status), (200, 200));
    assert_eq!(tell(&hook, &json!({"type": "bounced", "id": "b-2", "recipient": "nobody@nowhere.example"})).status, 200);
    bench.until(|report| report["emails"][0]["bounced"] == 1);
    assert_eq!(bench.timeline(&who, "bounced").len(), 1);
}

#[test]
fn pendo_has_to_sign() {
    let bench = bench("[pendo]\nsandbox = true\nwebhook_secret = \"file:pendo.secret\"\n");
    let hook = bench.hook("pendo");
    let body = r#"{"event":"guideDisplayed","visitorId":"v"}"#;
    assert_eq!(post(&hook, "application/json", body, &[]).status, 401);
    assert_eq!(post(&hook, "application/json", body, &[("x-pendo-signature", &"0".repeat(64))]).status, 401);
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"shared");
    let signature = aws_lc_rs::hmac::sign(&key, body.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    assert_eq!(post(&hook, "application/json", body, &[("x-pendo-signature", &signature)]).status, 200);
}

#[test]
fn what_comes_late_or_in_another_order_counts_once_and_moves_nobody_twice_b7() {
    let script = TOUR.replace(
        r#"wait_for("seen?", #{ when: viewed("tour"), within: days(30), then: [drop("seen")], otherwise: [drop("not seen")] })"#,
        r#"wait_for("done?", #{ when: completed("tour"), within: days(30), then: [drop("done")], otherwise: [drop("not done")] })"#,
    );
    let mut bench = Bench::start(&script, &[("hello.html", "Subject: Hello\n<p>Hello</p>")], "");
    let (who, hook) = (somebody(&bench), bench.hook("px"));
    let event = |id: &str, interaction: &str, seconds: i64| {
        let mut event = viewed(&bench, &who);
        event["event"]["eventId"] = id.into();
        event["event"]["interaction"] = interaction.into();
        event["event"]["date"] = (4_102_444_800_000_i64 + seconds * 1_000).into();
        event
    };
    let (late, early, before) = (event("e-2", "COMPLETED", 60), event("e-1", "VIEWED", 0), {
        // From before anything was shown to them.
        let mut event = event("e-0", "VIEWED", 0);
        event["event"]["date"] = 1_000_000_000_000_i64.into();
        event
    });
    assert_eq!(tell(&hook, &late).status, 200);
    bench.until(|report| report["participants"]["dropped"] == 1 && report["engagements"][0]["completed"] == 1);
    assert_eq!((tell(&hook, &early).status, tell(&hook, &before).status, tell(&hook, &late).status), (200, 200, 200));
    bench.until(|report| report["engagements"][0]["viewed"] == 1);
    bench.end();
    bench.again();
    // Another test may have the default port by now.
    let hook = bench.hook("px");
    assert_eq!((tell(&hook, &early).status, tell(&hook, &late).status), (200, 200), "told again after a restart");
    bench.line(|line| line["type"] == "ready");
    let report = bench.report();
    assert_eq!((&report["engagements"][0]["viewed"], &report["engagements"][0]["completed"]), (&json!(1), &json!(1)), "{report:#}");
    assert_eq!((&report["participants"]["dropped"], &report["participants"]["waiting"]), (&json!(1), &json!(4)), "{report:#}");
    assert_eq!((bench.timeline(&who, "completed").len(), bench.timeline(&who, "ended").len()), (1, 1));
}
