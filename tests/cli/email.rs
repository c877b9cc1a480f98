//! Mail by the real command: `exec` sends to the sandbox's server, `--plan` only says so, `check` finds broken templates.

use serde_json::{Value, json};

use crate::support::{Sandbox, Workspace};

const SCRIPT: &str = "for person in [\"Ana <ana@x.example>\", \"ben@x.example\"] {\n    \
    email::send(#{ to: person, template: \"welcome\", data: #{ name: \"<b>you</b>\" }, key: `welcome/${person}` });\n}\n\
    email::templates()";

fn workspace() -> Workspace {
    let workspace = Workspace::new();
    workspace.write("tabi.toml", "[email]\nfrom = \"Zoë at Acme <cs@acme.example>\"\nreply_to = \"owner@acme.example\"\n");
    workspace.write("scripts/templates/welcome.html", "Subject: Welcome, {{ name }}\n<p>Hello {{ name }}</p>");
    workspace.write("welcome.rhai", SCRIPT);
    workspace
}

fn inbox(sandbox: &Sandbox) -> Vec<Value> {
    sandbox.get("mail", "/inbox?copies=true").as_array().unwrap().clone()
}

#[test]
fn a_plan_tells_the_mail_and_a_run_sends_it() {
    let workspace = workspace();
    let sandbox = Sandbox::start(&workspace, "--accounts 2");
    let mail = &sandbox.ready()["mail"];
    assert!(mail["smtp"].as_str().unwrap().starts_with("smtp://127.0.0.1:") && mail["inbox_url"].as_str().unwrap().starts_with("http://127.0.0.1:"));

    let plan = workspace.tabi("exec --plan --json welcome.rhai").ended(0);
    let changes = plan.of_type("change");
    assert_eq!(changes.len(), 2, "{}", plan.stdout);
    let first = &changes[0];
    assert_eq!(
        (&first["system"], &first["object"], &first["operation"], &first["key"]),
        (&json!("mail"), &json!("email"), &json!("send"), &json!("Ana <ana@x.example>"))
    );
    assert_eq!(first["fields"]["subject"], json!({"from": null, "to": "Welcome, <b>you</b>"}));
    let shown = workspace.tabi("exec --plan welcome.rhai").ended(0).stdout;
    assert!(shown.contains("+ mail email ben@x.example") && shown.contains("Welcome, <b>you</b>"), "{shown}");
    assert!(inbox(&sandbox).is_empty(), "a plan sends nothing");

    let ran = workspace.tabi("exec --json welcome.rhai").ended(0);
    assert_eq!(ran.lines()[0], json!(["welcome"]));
    workspace.tabi("exec welcome.rhai").ended(0);
    let inbox = inbox(&sandbox);
    assert_eq!(inbox.len(), 4);
    let seen: Vec<&Value> = inbox.iter().filter(|mail| mail["duplicate_of"].is_null()).collect();
    assert_eq!(seen.len(), 2, "sent twice under one key, seen once");
    assert_eq!((&seen[0]["from_name"], &seen[0]["from"]), (&json!("Zoë at Acme"), &json!("cs@acme.example")));
    assert_eq!(seen[0]["headers"]["Reply-To"], "owner@acme.example");
    assert!(seen[0]["html"].as_str().unwrap().contains("&lt;b&gt;you&lt;"), "{}", seen[0]["html"]);
    let history = workspace.tabi("history --json").ended(0);
    assert_eq!(history.lines()[0][0]["written"], 2);
}

#[test]
fn a_server_that_refuses_ends_the_script_with_its_words() {
    let workspace = workspace();
    let _sandbox = Sandbox::start(&workspace, "--accounts 2");
    workspace.write("bad.rhai", "email::send(#{ to: \"bounce@x.example\", subject: \"S\", text: \"x\" });");
    let refused = workspace.tabi("exec --json bad.rhai").ended(1);
    let error = &refused.lines()[0]["error"];
    assert_eq!((&error["code"], &error["system"], &error["line"]), (&json!("550 5.1.1"), &json!("mail"), &json!(1)), "{error}");
    workspace.write(
        "caught.rhai",
        "try { email::send(#{ to: \"bounce@x.example\", subject: \"S\", text: \"x\" }); } catch (err) { print(err.kind + \" \" + err.system); }",
    );
    assert_eq!(workspace.tabi("exec caught.rhai").ended(0).stdout, "invalid mail\n");
}

#[test]
fn check_tells_broken_templates() {
    let workspace = workspace();
    assert_eq!(workspace.tabi("check --json").ended(0).lines()[0]["files"], 1);
    workspace.write("scripts/templates/welcome.html", "Subject: Hi\n<p>{{ name | uper }}</p>\n{% if %}");
    let found = workspace.tabi("check --json").ended(3);
    let finding = &found.lines()[0]["diagnostics"][0];
    assert_eq!((&finding["code"], &finding["file"], &finding["line"]), (&json!("E0701"), &json!("scripts/templates/welcome.html"), &json!(3)));
    let shown = workspace.tabi("check").ended(3).stdout;
    assert!(shown.contains("scripts/templates/welcome.html:3:") && shown.contains("{% if %}"), "{shown}");
}

#[test]
fn a_mail_server_is_configured_with_care() {
    let workspace = workspace();
    let cases = [
        ("[email]\nsmtp = \"http://x.example\"\nfrom = \"a@b.example\"\n", "config_invalid"),
        ("[email]\nsmtp = \"smtp://u:hunter2@x.example\"\nfrom = \"a@b.example\"\n", "config_literal_secret"),
        ("[email]\nsmtp = \"smtp://x.example\"\nfrom = \"a@b.example\"\npassword = \"hunter2\"\n", "config_literal_secret"),
        ("[email]\nsmtp = \"smtp://x.example\"\n", "config_missing_key"),
        ("[email]\nusername = \"u\"\nfrom = \"a@b.example\"\n", "config_missing_key"),
        ("[email]\nsmtp = \"smtp://127.0.0.1:1\"\nfrom = \"not an address\"\n", "config_invalid"),
    ];
    for (text, code) in cases {
        workspace.write("tabi.toml", text);
        let refused = workspace.tabi("exec --json welcome.rhai").ended(2);
        assert_eq!(refused.lines()[0]["error"]["code"], code, "{text}");
        assert!(!refused.stdout.contains("hunter2") && !refused.stderr.contains("hunter2"));
    }
    // A real server alone is a connection: the other systems are not the sandbox then.
    workspace.write("tabi.toml", "[email]\nsmtp = \"smtp://127.0.0.1:1\"\nfrom = \"a@b.example\"\n");
    let away = workspace.tabi("exec --json welcome.rhai").ended(4);
    let error = &away.lines()[0]["error"];
    assert_eq!((&error["system"], &error["code"]), (&json!("mail"), &json!("unavailable")), "{error}");
}
