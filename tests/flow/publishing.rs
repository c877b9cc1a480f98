//! What speaks against a journey, at `check` and when it is published, all at once; and the mark on what it shows. (B3, B10, B18)

use serde_json::{Value, json};

use super::live::{Live, number};
use crate::support::{Sandbox, Workspace};

fn journey(steps: &str) -> String {
    format!(
        r#"journey("trial", #{{
            model: "nps", type: "Onboarding", folder: "Adoption/2026",
            participants: [#{{ email: "ana@example.com", px_id: "ana", seats: 10, used: 4 }}, #{{ email: "ben@example.com", phone: "1", seats: 0 }}],
            unique_on: "email",
            calculated: #{{ share: |p| p.used * 100 / p.seats }},
            steps: [{steps}],
        }});"#
    )
}

/// Code, place and message of everything that `check` says.
fn checked(workspace: &Workspace, args: &str) -> Vec<(String, String, String)> {
    let checked: Value = serde_json::from_str(&workspace.tabi(&format!("check --json {args}")).stdout).unwrap();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let place = |finding: &Value| format!("{}:{}:{}", finding["file"].as_str().unwrap(), finding["line"], finding["column"]);
    checked["diagnostics"].as_array().unwrap().iter().map(|one| (text(one, "code"), place(one), text(one, "message"))).collect()
}

fn refused(workspace: &Workspace) -> Vec<String> {
    let refused: Value = serde_json::from_str(&workspace.tabi("journey publish trial --yes --json").ended(1).stdout).unwrap();
    assert_eq!(refused["status"], "draft");
    refused["reasons"].as_array().unwrap().iter().map(|reason| reason.as_str().unwrap().to_owned()).collect()
}

#[test]
fn missing_connections_are_named_in_one_clear_error_b18() {
    let steps = r#"send_email("hello", #{ template: "hello" }), engagement("tour", "Product tour"),
        survey("ask", #{ survey: "In-app NPS", by: "px" }), create_cta(#{ reason: "Churn", name: "Call" })"#;
    let workspace = Workspace::with_script(&journey(steps));
    workspace.write("scripts/templates/hello.txt", "Subject: Hello\nHello.\n");
    // Something is connected, so that not everything is the sandbox.
    let pendo = "[pendo]\nregion = \"us\"\nintegration_key = \"file:key\"\n";
    workspace.write("key", "k");
    workspace.write("tabi.toml", pendo);
    let expected = "the journey `trial` needs what tabi.toml does not have: [email] to send mail, [gainsight] and [px] to show engagements, \
                    [gainsight] and [px] to hand out surveys in the product, [gainsight] to create calls to action";
    assert_eq!(checked(&workspace, ""), [("E0619".to_owned(), "scripts/script.rhai:1:9".to_owned(), expected.to_owned())]);
    workspace.tabi("check").ended(3);

    workspace.write("tabi.toml", format!("{pendo}[px]\nsandbox = true\nsurvey_sync = false\n[gainsight]\nsandbox = true\n[email]\nsandbox = true\n"));
    let sync = "the journey `trial` needs what tabi.toml does not have: `survey_sync = true` under [px] to hear of answers as they are given";
    assert_eq!(checked(&workspace, "").len(), 1);
    assert_eq!(checked(&workspace, "")[0].2, sync);
    let reasons = refused(&workspace);
    assert!(reasons.len() == 1 && reasons[0].starts_with(sync) && reasons[0].contains("switch real-time survey sync on"), "{reasons:?}");

    workspace.write("tabi.toml", format!("{pendo}[px]\nsandbox = true\n[gainsight]\nsandbox = true\n[email]\nsandbox = true\n"));
    assert_eq!(checked(&workspace, ""), [], "the sandbox's PX has it on");
    workspace.tabi("journey publish trial --yes").ended(0);
}

#[test]
fn a_mail_that_nothing_tells_of_is_told_at_check() {
    let steps = r#"send_email("hello", #{ template: "hello" }),
        wait_for("read?", #{ any: [clicked("hello"), unsubscribed("hello")], within: days(1) }), survey("ask", #{ survey: "NPS", by: "email", template: "hello" })"#;
    let workspace = Workspace::with_script(&journey(steps));
    workspace.write("scripts/templates/hello.txt", "Subject: Hello\nHello.\n");
    workspace.write("tabi.toml", "[email]\nsmtp = \"smtp://localhost:1\"\nfrom = \"cs@example.com\"\n");
    let found = checked(&workspace, "");
    assert_eq!(found.iter().map(|(code, ..)| code.as_str()).collect::<Vec<_>>(), ["E0620"; 3], "{found:?}");
    assert!(found[0].2.contains("\"hello\" was clicked") && found[2].2.contains("survey \"ask\" goes by e-mail"), "{found:?}");
    workspace.write("tabi.toml", "");
    assert_eq!(checked(&workspace, ""), []);
}

#[test]
fn fields_that_nothing_gives_a_mail_are_told_at_check_and_keep_the_journey_a_draft_b18() {
    let steps = r#"set_field("mark", #{ tier: "gold" }), send_email("hello", #{ template: "hello", data: #{ greeting: "Hi" } }), finish()"#;
    let workspace = Workspace::with_script(&journey(steps));
    let body =
        "Subject: {{ greeting }} {{ emial }}\n{{ tier }} {{ share }} {{ phone|default('none') }} {% if nick is defined %}{{ nick }}{% endif %}\n";
    let sandbox = Sandbox::start(&workspace, "--accounts 5 --people 20");
    workspace.write("scripts/templates/hello.txt", format!("{body}{{{{ seets }}}} {{{{ survey_url }}}} {{{{ unsubscribe_url }}}}\n"));
    let found = checked(&workspace, "");
    let places: Vec<(&str, &str)> = found.iter().map(|(code, place, _)| (code.as_str(), place.as_str())).collect();
    let file = "scripts/templates/hello.txt";
    let expected = [format!("{file}:1:28"), format!("{file}:3:4"), format!("{file}:3:16")];
    assert_eq!(places, expected.each_ref().map(|place| ("E0703", place.as_str())), "{found:?}");
    let said = workspace.tabi("check").ended(3).stdout;
    assert!(said.contains("did you mean `email`?") && said.contains("`hello` of `trial` fills it in"), "{said}");
    let reasons = refused(&workspace);
    assert!(reasons.len() == 3 && reasons[1].starts_with("scripts/templates/hello.txt:3:4: there is no field `seets`"), "{reasons:?}");

    workspace.write("scripts/templates/hello.txt", body.replace("emial", "email"));
    workspace.tabi("journey publish trial --yes").ended(0);
    workspace.tabi("up --once");
    let inbox = sandbox.get("mail", "/inbox");
    let mails = inbox.as_array().unwrap();
    assert_eq!(mails.len(), 1, "whose share cannot be calculated gets none: {inbox}");
    assert_eq!((&mails[0]["subject"], mails[0]["text"].as_str().unwrap().trim()), (&json!("Hi ana@example.com"), "gold 40 none"), "{}", mails[0]);
    let ben = workspace.tabi("journey show trial --person ben").ended(0).stdout;
    assert!(ben.contains("`share` cannot be calculated"), "{ben}");
}

#[test]
fn fields_of_a_described_source_are_known_to_mails() {
    let script = r#"journey("trial", #{ participants: salesforce::object("Contact"), fields: #{ shout: |row| row.LastName.to_upper() },
        steps: [send_email("hello", #{ template: "hello" })] });"#;
    let workspace = Workspace::with_script(script);
    workspace.write("scripts/templates/hello.txt", "Subject: Hello {{ first_name }} {{ LastName }} {{ shout }}\n{{ Account.Name }} {{ Titel }}\n");
    assert_eq!(checked(&workspace, ""), [], "nothing is known of contacts yet");
    let found = checked(&workspace, "--online");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].0.as_str(), found[0].1.as_str()), ("E0703", "scripts/templates/hello.txt:2:23"));
}

#[test]
fn publishing_asks_for_the_fields_of_a_source_that_nobody_has_described_yet() {
    let script = r#"journey("trial", #{ participants: px::object("users"), unique_on: "identifyId", email: "identifyId",
        steps: [send_email("hello", #{ template: "hello" })] });"#;
    let workspace = Workspace::with_script(script);
    workspace.write("scripts/templates/hello.txt", "Subject: Hello {{ first_name }}\nYou have {{ seats }} seats.\n");
    let reasons = refused(&workspace);
    assert!(reasons.len() == 1 && reasons[0].starts_with("scripts/templates/hello.txt:2:13: there is no field `seats`"), "{reasons:?}");
    workspace.write("scripts/templates/hello.txt", "Subject: Hello {{ first_name }}\nThe tour waits.\n");
    workspace.tabi("journey publish trial --yes").ended(0);
}

#[test]
fn the_audience_of_a_published_engagement_is_marked_read_only_b3_b10() {
    let workspace = Workspace::with_script(&journey(r#"engagement("tour", "Product tour"), wait("a day", days(1))"#));
    let sandbox = Sandbox::start(&workspace, "--accounts 5 --people 20");
    let before: Value = serde_json::from_str(&workspace.tabi("journey show trial --json").ended(0).stdout).unwrap();
    assert_eq!(before["engagements"], json!([]), "a draft is associated with nothing");
    assert_eq!((&before["model"], &before["type"], &before["folder"]), (&json!("nps"), &json!("Onboarding"), &json!("Adoption/2026")));
    workspace.tabi("journey publish trial --yes").ended(0);
    let segments = sandbox.documents("px", "external_segment");
    assert_eq!(segments.len(), 1, "{segments:?}");
    assert!(segments[0]["description"].as_str().unwrap().starts_with("Read-only: "), "{segments:?}");
    let after: Value = serde_json::from_str(&workspace.tabi("journey show trial --json").ended(0).stdout).unwrap();
    assert_eq!((&after["engagements"][0]["segment"], &after["engagements"][0]["read_only"]), (&segments[0]["name"], &json!(true)), "{after}");
    let name = segments[0]["name"].as_str().unwrap();
    workspace.write("meddle.rhai", format!(r#"px::segment_add("{name}", ["ana@example.com"]);"#));
    let refused = workspace.tabi("exec meddle.rhai").ended(1).stderr;
    assert!(refused.contains("read-only"), "{refused}");
    assert_eq!(sandbox.documents("px", "membership"), Vec::<Value>::new());
    let shown = workspace.tabi("journey show trial").ended(0).stdout;
    assert!(shown.contains("\"Product tour\"") && shown.contains("read-only"), "{shown}");
}

#[test]
fn what_px_would_refuse_is_told_by_check_online_in_the_same_words_b1_b2_b7() {
    let steps = r#"
        engagement("news", "Release video"),
        wait_for("watched?", #{ when: completed("news"), within: days(1), then: [finish()], otherwise: [] }),
        survey("ask", #{ survey: "Product tour", by: "px" }),
        engagement("admin", "Admin tour"),
        engagement("late", "Integrations tour"),
        engagement("nowhere", "No such tour")"#;
    let workspace = Workspace::with_script(&journey(steps).replace("model: \"nps\"", "model: \"dynamic\""));
    let _sandbox = Sandbox::start(&workspace, "--accounts 5 --people 20");
    assert_eq!(checked(&workspace, ""), [], "nobody is asked");
    let found = checked(&workspace, "--online");
    let (codes, words): (Vec<(&str, &str)>, Vec<&String>) =
        found.iter().map(|(code, place, message)| ((code.as_str(), place.rsplit(':').nth(1).unwrap()), message)).unzip();
    assert_eq!(codes, [("E0621", "7"), ("E0621", "9"), ("W0622", "10"), ("W0622", "11"), ("E0621", "12")], "{found:#?}");
    assert!(words[0].contains("is no guide: only guides are completed") && words[1].contains("is no survey but IN_APP_GUIDE"), "{words:#?}");
    assert!(words[2].contains("is PAUSED") && words[3].contains("is IN_PROGRESS"), "{words:#?}");
    let (mut told, mut reasons) = (words.into_iter().cloned().collect::<Vec<_>>(), refused(&workspace));
    told.sort();
    reasons.sort();
    assert_eq!(told, reasons);
}

#[test]
fn the_raw_call_cannot_change_who_is_in_the_audience_of_a_journey_b10() {
    let workspace = Workspace::with_script(&journey(r#"engagement("tour", "Product tour"), wait("a day", days(1))"#));
    let sandbox = Sandbox::start(&workspace, "--accounts 5 --people 20");
    workspace.tabi("journey publish trial --yes").ended(0);
    let audience = sandbox.documents("px", "external_segment")[0].clone();
    let (name, id) = (audience["name"].as_str().unwrap(), audience["id"].as_str().unwrap());
    let members = |path: &str, segment: &str| {
        let one = format!(r#"#{{ segmentId: {segment}, identities: ["ana"], lastQualificationTime: "2026-01-12T00:25:15Z" }}"#);
        format!(r#"px::request("POST", "{path}", #{{ identityType: "IDENTIFY_ID", add: [{one}], remove: [] }})"#)
    };
    let path = "/v1/external_segment/update_membership";
    let (by_name, by_id) = (format!("{name:?}"), format!("{id:?}"));
    let renamed = format!(r#"px::request("PUT", "/v1/external_segment/metadata", #{{ id: "{id}", name: "mine" }})"#);
    for call in [members(path, &by_name), members(path, &by_id), members("/v1/external%5Fsegment/update_membership", &by_id), renamed] {
        workspace.write("raw.rhai", &call);
        for args in ["exec raw.rhai", "exec --plan raw.rhai"] {
            let refused = workspace.tabi(args).ended(1);
            assert!(refused.stderr.contains(&format!("`{name}` is the audience of a journey and read-only")), "{call}: {}", refused.stderr);
        }
    }
    assert_eq!(sandbox.documents("px", "external_segment"), [audience]);

    // Any other segment is the caller's own.
    let own = r#"let made = px::request("POST", "/v1/external_segment/metadata", #{ externalId: "mine", name: "mine" });"#;
    workspace.write("raw.rhai", format!("{own}\n{}", members(path, "made.id")));
    workspace.tabi("exec raw.rhai").ended(0);
    let members = sandbox.documents("px", "membership");
    assert_eq!((members.len(), &members[0]["participant"]), (1, &json!("ana")), "{members:?}");
}

/// A tour for everybody in PX, with people who see at once what they may see, on a sandbox started so.
fn tour(args: &str) -> Live {
    let script = r#"journey("tour", #{ participants: px::object("users"), unique_on: "identifyId", email: "identifyId",
        steps: [engagement("tour", "Product tour"), wait("long", days(60))] });"#;
    let live = Live::new(Workspace::with_script(script), &format!("--accounts 3 --people 12 {args}"));
    live.sandbox.post("px", "/_sandbox/behaviour", &json!({"visit_probability": 1.0, "view_rate": 1.0}));
    live.publish("tour");
    live
}

#[test]
fn an_engagement_is_unconfirmed_until_a_member_has_seen_it_and_who_waits_unseen_is_told_of_once_a_day() {
    let live = tour("--strict");
    let said = live.warnings();
    let todo = "pick the segment `tabi:tour:";
    assert!(said.len() == 1 && said[0].contains(todo) && said[0].contains("Gainsight's support"), "{said:?}");
    live.look();
    assert_eq!(live.warnings(), [""; 0], "they have only just come");
    live.days(1);
    assert_eq!(live.warnings(), [""; 0], "nor for more than a day");
    live.days(2);
    let (report, said) = (live.report("tour"), live.warnings());
    let people = number(&report, "/engagements/0/not_viewed");
    assert_eq!((number(&report, "/engagements/0/viewed"), &report["engagements"][0]["confirmed"]), (0, &Value::Null), "{report}");
    assert!(people > 5 && report["engagements"][0]["to_do"].as_str().unwrap().contains(todo), "{report}");
    let expected = format!("{people} people have qualified for the engagement \"Product tour\" for more than a day and nobody has seen it");
    assert!(!said.is_empty() && said.len() <= 2 && said.iter().all(|one| one.starts_with(&expected) && one.contains(todo)), "{said:?}");
    let shown = live.workspace.tabi("journey show tour").ended(0).stdout;
    assert!(shown.contains("unconfirmed") && shown.contains(todo), "{shown}");
    let told = live.workspace.tabi("journey report tour").ended(0).stdout;
    assert!(told.contains("unconfirmed:") && told.contains(todo), "{told}");

    let segment = live.sandbox.documents("px", "external_segment")[0]["name"].clone();
    live.sandbox.post("px", "/_sandbox/audience", &json!({"engagement": "Product tour", "segment": segment}));
    live.days(3);
    let report = live.report("tour");
    assert_eq!((number(&report, "/engagements/0/viewed"), &report["engagements"][0]["to_do"]), (people, &Value::Null), "{report}");
    assert!(report["engagements"][0]["confirmed"].is_string(), "{report}");
    live.warnings();
    live.days(2);
    assert_eq!(live.warnings(), [""; 0], "nothing to tell any more");
    let shown: Value = serde_json::from_str(&live.workspace.tabi("journey show tour --json").ended(0).stdout).unwrap();
    assert!(shown["engagements"][0]["confirmed"].is_string() && shown["engagements"][0]["to_do"].is_null(), "{shown}");
    let shown = live.workspace.tabi("journey show tour").ended(0).stdout;
    assert!(!shown.contains("unconfirmed"), "{shown}");
}

#[test]
fn the_sandbox_that_is_not_strict_picks_the_audience_by_itself() {
    let live = tour("");
    live.look();
    live.days(3);
    let report = live.report("tour");
    assert!(number(&report, "/engagements/0/viewed") > 5 && report["engagements"][0]["confirmed"].is_string(), "{report}");
    let said = live.warnings();
    assert!(said.len() == 1 && said[0].contains("unless it is strict"), "only what publishing says: {said:?}");
}

#[test]
fn publishing_tells_programs_what_is_to_be_done_in_px() {
    let steps = r#"engagement("tour", "Product tour"), survey("ask", #{ survey: "In-app NPS", by: "px" }), finish()"#;
    let workspace = Workspace::with_script(&journey(steps));
    let _sandbox = Sandbox::start(&workspace, "--accounts 5 --people 20 --strict");
    let published: Value = serde_json::from_str(&workspace.tabi("journey publish trial --yes --json").ended(0).stdout).unwrap();
    let engagements = published["engagements"].as_array().unwrap();
    assert_eq!((published["status"].as_str(), engagements.len()), (Some("active"), 2), "{published}");
    for one in engagements {
        let (segment, to_do) = (one["segment"].as_str().unwrap(), one["to_do"].as_str().unwrap());
        assert!(to_do.contains(segment) && to_do.contains(one["id"].as_str().unwrap()) && one["confirmed"].is_null(), "{one}");
    }
}
