//! Gainsight PX from a plain script, by the real command.

use serde_json::json;

use crate::support::{Sandbox, Workspace};

const SCRIPT: &str = r#"
let tour = px::engagements().filter(|one| one.name == "Product tour" && one.triggeredByJourney)[0];
let people = px::query("users", #{ fields: ["identifyId"], filters: #{ a: ["role", "=", "admin"] }, limit: 3 }).map(|one| one.identifyId);
let segment = `script:tour:${tour.id}`;
px::segment_add(segment, people);
px::segment_remove(segment, [people[2]]);
px::update("users", people[0], #{ customAttributes: #{ champion: true } });
px::event(#{ eventName: "Invited", identifyId: people[1], attributes: #{ seats: 3 } });
px::pause(px::engagements().filter(|one| one.name == "Release video")[0].id);
#{ people: people, champion: px::user(people[0]).customAttributes.champion, nobody: px::user("nobody@x.io"), state: tour.state }
"#;

#[test]
fn a_plain_script_aims_an_engagement_at_people_and_its_plan_does_nothing_h7() {
    let workspace = Workspace::new();
    workspace.write("aim.rhai", SCRIPT);
    let sandbox = Sandbox::start(&workspace, "--accounts 20");
    assert!(sandbox.ready()["px"]["api_key"].is_string() && sandbox.ready()["px"]["product_key"].as_str().unwrap().starts_with("AP-"));
    let plan = workspace.tabi("exec aim.rhai --plan --json");
    assert_eq!(sandbox.writes("px"), Vec::<String>::new(), "{plan:?}");
    let ran = workspace.tabi("exec aim.rhai --json").ended(0);
    let answer = ran.lines().pop().unwrap();
    assert_eq!((&answer["champion"], &answer["nobody"], &answer["state"]), (&json!(true), &json!(null), &json!("STARTED")));
    let rows = sandbox.get("px", "/_sandbox/qualifications");
    let mut there: Vec<(&str, bool)> =
        rows.as_array().unwrap().iter().map(|row| (row["participant"].as_str().unwrap(), row["removedAt"].is_null())).collect();
    let mut wanted: Vec<(&str, bool)> =
        answer["people"].as_array().unwrap().iter().enumerate().map(|(at, person)| (person.as_str().unwrap(), at < 2)).collect();
    there.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(there, wanted);
    assert_eq!(sandbox.documents("px", "custom_event")[0]["attributes"], json!({"seats": 3}));
    let states: Vec<_> = sandbox.documents("px", "engagements").into_iter().filter(|one| one["name"] == "Release video").collect();
    assert_eq!(states[0]["state"], "PAUSED");
}

#[test]
fn a_mapping_writes_px_attributes_once() {
    let workspace = Workspace::with_script(
        r#"mapping("health-to-px", #{
            from: gainsight::object("customer_info"), to: px::accounts(), match_on: #{ id: "AccountId" },
            fields: #{ "customAttributes.churnRisk": |row| if row.HealthScore < 50 { "High" } else { "Low" } },
        });"#,
    );
    let _sandbox = Sandbox::start(&workspace, "--accounts 20");
    let first = workspace.tabi("run --json").ended(0);
    assert!(first.summary("health-to-px")["written"].as_u64().unwrap() > 10, "{}", first.stdout);
    assert!(first.summary("health-to-px")["calls"]["px"].as_u64().unwrap() > 10);
    let second = workspace.tabi("run --json --full").ended(0);
    assert_eq!(second.summary("health-to-px")["written"], 0, "{}", second.stdout);
}
