//! What saves came to, asked of the host over HTTP. (H3)

use std::fs;

use serde_json::{Value, json};

use super::bench::{Bench, get};
use crate::support::{Sandbox, Workspace};

const JOURNEY: &str = r#"
journey("trial", #{
    model: "dynamic",
    participants: [#{ email: "ana@example.com" }],
    unique_on: "email",
    steps: [wait("a while", days(3)), send_email("hello", #{ template: "hello" }), finish()],
});
"#;

fn host() -> Bench {
    let workspace = Workspace::with_script(JOURNEY);
    workspace.write("scripts/templates/frame.html", "<div>{% block inner %}{% endblock %}</div>");
    workspace.write("scripts/templates/hello.html", "Subject: Hello\n{% extends \"frame.html\" %}{% block inner %}One{% endblock %}");
    let sandbox = Sandbox::start(&workspace, "--accounts 5 --people 10");
    Bench::up(workspace, sandbox)
}

impl Bench {
    fn asked(&self, path: &str) -> Value {
        let answer = get(&format!("{}/api/{path}", self.server["url"].as_str().unwrap()), &[]);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        serde_json::from_str(&answer.text).unwrap()
    }

    /// A save that nobody sees half done, and the line that it is told by.
    fn saved(&self, file: &str, text: &str) -> Value {
        self.workspace.write("saving", text);
        fs::rename(self.workspace.path().join("saving"), self.workspace.path().join("scripts").join(file)).unwrap();
        self.line(|line| line["type"] == "reload")
    }
}

#[test]
fn what_saves_came_to_can_be_asked_for() {
    let bench = host();
    let ready = bench.line(|line| line["type"] == "ready");
    assert_eq!((&bench.asked("generation"), &bench.asked("generations")), (&ready, &json!([ready])));
    assert!(ready["at"].as_str().is_some_and(|at| at.parse::<jiff::Timestamp>().is_ok()), "{ready}");

    let refused = bench.saved("script.rhai", "journey(\"trial\", #{ broken");
    assert_eq!((&refused["kept"], &refused["declarations"], &refused["hash"]), (&json!(["scripts/script.rhai"]), &json!(1), &ready["hash"]));
    assert_eq!((&refused["errors"][0]["code"], &refused["errors"][0]["file"]), (&json!("E0201"), &json!("scripts/script.rhai")));
    let mended = bench.saved("script.rhai", &JOURNEY.replace("days(3)", "days(4)"));
    assert_eq!((&mended["changed"], &mended["errors"], &mended["kept"]), (&json!(["trial"]), &json!([]), &json!([])));
    assert_eq!(bench.asked("generations"), json!([mended, refused, ready]), "newest first, each as it was told");
    assert_eq!(bench.asked("generations?after=1"), json!([mended, refused]));
    assert_eq!(bench.asked("generations?after=3"), json!([]));
    assert_eq!(bench.asked("generation"), mended);
}

#[test]
fn receipts_are_for_those_who_may_see_the_dashboard_and_a_number_is_a_number() {
    let bench = host();
    bench.line(|line| line["type"] == "ready");
    let url = bench.server["url"].as_str().unwrap();
    for path in ["generations", "generation"] {
        assert_eq!(get(&format!("{url}/api/{path}"), &[("host", "evil.example")]).status, 404, "{path}");
    }
    for wrong in ["x", "-1", "1.5"] {
        let answer = get(&format!("{url}/api/generations?after={wrong}"), &[]);
        let error: Value = serde_json::from_str(&answer.text).unwrap();
        assert_eq!((answer.status, &error["error"]["code"]), (400, &json!("usage")), "{wrong}");
    }
}

#[test]
fn a_saved_template_changes_the_journeys_that_are_made_of_it() {
    let bench = host();
    let ready = bench.line(|line| line["type"] == "ready");
    let changed = |receipt: &Value| (receipt["added"].clone(), receipt["changed"].clone(), receipt["removed"].clone());
    let only_trial = (json!([]), json!(["trial"]), json!([]));
    let own = bench.saved("templates/hello.html", "Subject: Hello\n{% extends \"frame.html\" %}{% block inner %}Two{% endblock %}");
    assert_eq!(changed(&own), only_trial);
    assert_ne!(own["hash"], ready["hash"]);
    let frame = bench.saved("templates/frame.html", "<p>{% block inner %}{% endblock %}</p>");
    assert_eq!(changed(&frame), only_trial, "what a template extends is part of it");
    let text = bench.saved("templates/hello.txt", "Hello!");
    assert_eq!(changed(&text), only_trial, "its other body");
    let broken = bench.saved("templates/hello.txt", "Hello {{ !");
    assert_eq!((changed(&broken), &broken["kept"]), ((json!([]), json!([]), json!([])), &json!(["scripts/templates/hello.txt"])));
    let other = bench.saved("templates/other.html", "Subject: Other\nNobody sends it.");
    assert_eq!(changed(&other), (json!([]), json!([]), json!([])));
}
