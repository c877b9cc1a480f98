//! `tabi record`: what the systems answered becomes a test that asks them no more.

use serde_json::Value;

use crate::support::Workspace;

const PEOPLE: &str = r#"
mapping("people-to-contacts", #{
    from: gainsight::people(),
    to: salesforce::object("Contact"),
    match_on: #{ Email: |row| row.Email.to_lower() },
    fields: #{ LastName: |row| row.Name.split(" ").pop(), Title: |row| `${row.Name} of CS` },
    mode: "update",
});
"#;

fn read(workspace: &Workspace, path: &str) -> String {
    std::fs::read_to_string(workspace.path().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn a_recording_is_a_test_that_passes_without_the_systems_and_tells_what_an_edit_changes() {
    let workspace = Workspace::with_script(PEOPLE);
    workspace.write("tabi.toml", "[state]\nredact = [\"*email*\", \"name\"]\n");
    let told = workspace.tabi("record people-to-contacts --limit 7 --json").ended(0).lines().remove(0);
    assert_eq!((&told["new"], &told["passed"], &told["status"]), (&true.into(), &true.into(), &"ok".into()), "{told}");
    let recording: Value = serde_json::from_str(&read(&workspace, "tests/recordings/people-to-contacts.json")).unwrap();
    let page = &recording["exchanges"].as_array().unwrap().iter().find(|one| one["answer"]["page"].is_object()).unwrap()["answer"]["page"];
    let people = page["records"].as_array().unwrap();
    assert_eq!(people.len(), 7, "so many and no more");
    let all = recording.to_string();
    assert!(people.iter().all(|one| one["Email"].as_str().unwrap().ends_with("@redacted.invalid")), "{page}");
    let redacted = all.matches("@redacted.invalid").count();
    assert_eq!(all.matches('@').count(), redacted, "no address of anybody is in it, nor in what was looked up by it");
    let looked = recording["exchanges"].as_array().unwrap().iter().find(|one| one["asked"]["lookup"].is_object()).unwrap();
    assert!(!looked["answer"]["records"].as_array().unwrap().is_empty(), "a pseudonym is asked for by what it stands for: {looked}");

    let changes = read(&workspace, told["snapshot"].as_str().unwrap());
    assert!(changes.contains("\"update\""), "{changes}");
    workspace.tabi("test").ended(0);

    workspace.write("scripts/script.rhai", PEOPLE.replace("of CS", "of ACME"));
    let ran = workspace.tabi("test").ended(1);
    assert!(ran.stdout.contains("error[E0806]") && ran.stdout.contains("of ACME"), "{}", ran.stdout);
    workspace.write("scripts/script.rhai", PEOPLE.replace("Title: |row| `${row.Name} of CS`", "Title: \"Name\""));
    let ran = workspace.tabi("test").ended(1);
    assert!(ran.stdout.contains("error[E0806]"), "other fields of what was read are known: {}", ran.stdout);
    workspace.write("scripts/script.rhai", PEOPLE.replace("gainsight::people()", "gainsight::object(\"Company\")"));
    let ran = workspace.tabi("test").ended(1);
    assert!(ran.stdout.contains("has no answer to") && ran.stdout.contains("tabi record people-to-contacts"), "{}", ran.stdout);
}

#[test]
fn the_canon_is_recorded_and_a_second_recording_leaves_the_test_as_it_is() {
    let workspace = Workspace::with_examples(&["pendo_salesforce.rhai", "usage_to_gainsight.rhai", "health_to_salesforce.rhai"]);
    workspace.tabi("run").ended(0);
    for name in ["pendo-account", "usage-push-from-pendo-account", "pendo-sync-from-gainsight-to-account"] {
        let told = workspace.tabi(&format!("record {name} --limit 5 --json")).ended(0).lines().remove(0);
        assert_eq!(told["passed"], true, "{told}");
    }
    let test = "tests/pendo-account_recorded_test.rhai";
    let edited = format!("// ours\n{}", read(&workspace, test));
    workspace.write(test, &edited);
    let told = workspace.tabi("record pendo-account --limit 5 --json").ended(0).lines().remove(0);
    assert_eq!(told["new"], false);
    assert_eq!(read(&workspace, test), edited);
    workspace.tabi("test").ended(0);
}

#[test]
fn what_cannot_be_recorded_is_told() {
    let workspace = Workspace::with_examples(&["onboarding.rhai", "templates", "pendo_salesforce.rhai"]);
    assert!(workspace.tabi("record pendo-acount").ended(2).stderr.contains("pendo-account"));
    assert!(workspace.tabi("record new-customer-onboarding").ended(2).stderr.contains("journey"));
    workspace.write("tests/a_test.rhai", "test(\"a\", || replay(\"nothing\"));\n");
    let ran = workspace.tabi("test").ended(1);
    assert!(ran.stdout.contains("tests/recordings/nothing.json") && ran.stdout.contains("tabi record nothing"), "{}", ran.stdout);
    workspace.write("tests/recordings/nothing.json", "{\"name\": 1}");
    let ran = workspace.tabi("test").ended(1);
    assert!(ran.stdout.contains("is no recording") && ran.stdout.contains("line 1"), "{}", ran.stdout);
}
