//! What goes over the wire, as the vendors' own schemas ask for it.

use std::{
    io::Read,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{Answering, Asked, Said, Sandbox, Workspace};

/// Every section of `tabi.toml` whose calls go to one address.
fn section(system: &str, url: &str) -> String {
    let host = url.trim_start_matches("http://");
    match system {
        "salesforce" => format!("[salesforce]\nauth = \"access_token\"\nlogin_url = \"{url}\"\naccess_token = \"file:key\"\n"),
        "pendo" => format!("[pendo]\nbase_url = \"{url}\"\nintegration_key = \"file:key\"\n"),
        "gainsight" => format!("[gainsight]\ndomain = \"{url}\"\naccess_key = \"file:key\"\n"),
        "px" => format!("[px]\nbase_url = \"{url}\"\napi_key = \"file:key\"\nproduct_key = \"AP-X-2\"\n"),
        _ => format!("[email]\nsmtp = \"smtp://{host}?tls=none\"\nfrom = \"cs@example.com\"\n"),
    }
}

fn connected(system: &str, url: &str) -> Workspace {
    let workspace = Workspace::new();
    workspace.write("key", "k");
    workspace.write("tabi.toml", section(system, url));
    workspace
}

fn exec(workspace: &Workspace, script: &str, code: i32) -> String {
    workspace.write("once.rhai", script);
    let ran = workspace.tabi("exec once.rhai").ended(code);
    format!("{}{}", ran.stdout, ran.stderr)
}

#[test]
fn members_of_external_segments_change_as_the_schema_asks_and_a_segment_that_is_there_is_kept() {
    let workspace = Workspace::new();
    let sandbox = Sandbox::start(&workspace, "--accounts 3 --people 6");
    exec(&workspace, r#"px::segment_add("vip", ["ana@example.com", "ben@example.com"]); px::segment_remove("vip", ["ben@example.com"]);"#, 0);
    let segments = sandbox.documents("px", "external_segment");
    assert_eq!((segments.len(), &segments[0]["name"], &segments[0]["externalId"]), (1, &json!("vip"), &json!("vip")), "{segments:?}");
    assert_eq!(segments[0].get("description"), None, "a script's own segment is not marked as a journey's: {segments:?}");
    let members = sandbox.documents("px", "membership");
    let of = |who: &str| members.iter().find(|row| row["participant"] == who).unwrap_or_else(|| panic!("no {who} in {members:?}"));
    assert_eq!((members.len(), of("ana@example.com")["removedAt"].is_null(), of("ben@example.com")["removedAt"].is_i64()), (2, true, true));
    let made = |what: &str| sandbox.writes("px").iter().filter(|line| line.ends_with(what)).count();
    assert_eq!((made("external_segment/metadata"), made("external_segment/update_membership")), (1, 2), "{:?}", sandbox.writes("px"));

    // One that somebody else made is neither made again nor told what it is.
    sandbox.post("px", "/_sandbox/reset", &json!({}));
    let theirs = json!({"externalId": "beta-42", "name": "Beta", "description": "Kept by marketing"});
    let url = format!("{}/v1/external_segment/metadata", sandbox.base_url("px"));
    let key = sandbox.ready()["px"]["api_key"].as_str().unwrap().to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { reqwest::Client::new().post(url).header("X-APTRINSIC-API-KEY", key).json(&theirs).send().await.unwrap() });
    exec(&workspace, r#"px::segment_add("Beta", ["ana@example.com"]);"#, 0);
    let beta: Vec<Value> = sandbox.documents("px", "external_segment").into_iter().filter(|one| one["name"] == "Beta").collect();
    assert_eq!(beta.len(), 1);
    assert_eq!((&beta[0]["externalId"], &beta[0]["description"]), (&json!("beta-42"), &json!("Kept by marketing")));
    assert_eq!(made("external_segment/metadata"), 1, "only the one of the test itself");
    assert_eq!(sandbox.documents("px", "membership").len(), 3);
}

/// The connection that a command makes, which must not end before.
fn reached_by(listener: &TcpListener, command: &mut Child) -> TcpStream {
    listener.set_nonblocking(true).unwrap();
    loop {
        if let Ok((connection, _)) = listener.accept() {
            connection.set_nonblocking(false).unwrap();
            return connection;
        }
        assert_eq!(command.try_wait().unwrap(), None, "it ended before it asked");
        std::thread::yield_now();
    }
}

#[test]
fn the_command_ends_within_a_moment_whatever_system_says_nothing() {
    let write = |system: &str| format!(r#"{system}::request("POST", "/anything", #{{ a: 1 }});"#);
    let mut scripts: Vec<(&str, String)> = vec![
        ("salesforce", r#"salesforce::query("SELECT Id FROM Account");"#.to_owned()),
        ("pendo", "pendo::segments();".to_owned()),
        ("gainsight", r#"gainsight::query("company");"#.to_owned()),
        ("px", r#"px::query("users");"#.to_owned()),
        ("email", r#"email::send(#{ to: "ana@example.com", subject: "Hello", text: "Hello" });"#.to_owned()),
    ];
    scripts.extend(["salesforce", "pendo", "gainsight", "px"].map(|system| (system, write(system))));
    std::thread::scope(|scope| {
        for (system, script) in &scripts {
            scope.spawn(move || {
                let silent = TcpListener::bind("127.0.0.1:0").unwrap();
                let workspace = connected(system, &format!("http://{}", silent.local_addr().unwrap()));
                workspace.write("once.rhai", script);
                let mut child =
                    workspace.command("exec once.rhai").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
                let mut connection = reached_by(&silent, &mut child);
                // Mail waits to be greeted; the others have asked.
                assert!(*system == "email" || connection.read(&mut [0; 1]).unwrap() == 1);
                let asked = Instant::now();
                assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
                let code = child.wait().unwrap().code();
                let mut said = String::new();
                child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                assert!(asked.elapsed() < Duration::from_secs(5), "{system} {script}: {:?}", asked.elapsed());
                assert_eq!(code, Some(130), "{system} {script}: {said}");
            });
        }
    });
}

#[test]
fn an_empty_answer_is_told_with_its_status_and_never_asked_for_again() {
    for status in [200, 202, 204] {
        for (system, script) in [
            ("salesforce", r#"salesforce::describe("Account");"#),
            ("salesforce", r#"salesforce::query("SELECT Id FROM Account");"#),
            ("pendo", "pendo::segments();"),
            ("pendo", "pendo::aggregate([#{ source: #{ accounts: () } }]);"),
            ("pendo", "pendo::account(\"a\");"),
            ("gainsight", r#"gainsight::describe("company");"#),
            ("px", r#"px::query("users");"#),
            ("px", r#"px::describe("users");"#),
        ] {
            let server = Answering::start(move |_| Said::Nothing(status));
            let said = exec(&connected(system, server.url()), script, 1);
            assert!(said.contains(&format!("empty answer (status {status})")), "{system} {script}: {said}");
            let mut lines: Vec<String> = server.asked().iter().map(Asked::line).collect();
            let all = lines.len();
            lines.sort();
            lines.dedup();
            assert_eq!(all, lines.len(), "{system} {script}: asked again: {lines:?}");
        }
    }
}

/// A Salesforce of two accounts that says nothing about an update of several; `does` it or not.
fn mute(does: bool) -> Answering {
    let sites = Arc::new(Mutex::new([("001000000000001AAA", "One", String::new()), ("001000000000002AAA", "Two", String::new())]));
    Answering::start(move |asked| {
        let mut sites = sites.lock().unwrap();
        let row = |(id, name, site): &(&str, &str, String)| {
            let site = if site.is_empty() { Value::Null } else { json!(site) };
            json!({"attributes": {"type": "Account"}, "Id": id, "Name": name, "Site": site})
        };
        let field = |name: &str, kind: &str| json!({"name": name, "label": name, "type": kind, "length": 255, "nillable": true, "createable": true, "updateable": true});
        let line = asked.line();
        let path = line.rsplit_once("/v").map_or("", |(_, path)| path.split_once('/').map_or("", |(_, below)| below));
        match (asked.method.as_str(), path) {
            ("GET", "sobjects/Account/describe") => Said::Json(
                200,
                json!({"name": "Account", "label": "Account", "keyPrefix": "001", "fields": [field("Id", "id"), field("Name", "string"), field("Site", "string")]}),
            ),
            ("GET", "query") => {
                let records: Vec<Value> = sites.iter().map(row).collect();
                Said::Json(200, json!({"totalSize": 2, "done": true, "records": records}))
            }
            ("POST", "composite/sobjects/Account") => Said::Json(200, sites.iter().map(row).collect()),
            ("PATCH", "composite/sobjects") => {
                for record in asked.body["records"].as_array().unwrap().iter().filter(|_| does) {
                    let one = sites.iter_mut().find(|(id, ..)| record["Id"] == *id || record["id"] == *id).unwrap();
                    record["Site"].as_str().unwrap().clone_into(&mut one.2);
                }
                Said::Nothing(204)
            }
            _ => Said::Json(404, json!([{"errorCode": "NOT_FOUND", "message": line}])),
        }
    })
}

const SITES: &str = r#"
rule("sites", #{
    rule_for: "account",
    from: salesforce::object("Account"),
    show: ["Id", "Name"],
    actions: [load_to_sfdc(#{ object: "Account", operation: "update", identifiers: ["Id"], fields: #{ Id: "Id", Site: "Name" } })],
    every: "24h",
});
"#;

#[test]
fn updates_of_unknown_outcome_are_looked_up_and_not_repeated() {
    for (does, status, code) in [(true, "ok", 0), (false, "partial", 1)] {
        let server = mute(does);
        let workspace = connected("salesforce", server.url());
        workspace.write("scripts/sites.rhai", SITES);
        let ran = workspace.tabi("run sites --json").ended(code);
        let (summary, asked) = (ran.summary("sites"), server.asked());
        assert_eq!(summary["status"], status, "{summary}");
        let updates = asked.iter().filter(|asked| asked.method == "PATCH").count();
        let looks = asked.iter().filter(|asked| asked.line().ends_with("/composite/sobjects/Account")).count();
        if does {
            assert_eq!((summary["updated"].as_u64(), summary["rejected"].as_u64(), updates, looks), (Some(2), Some(0), 1, 2), "{summary}");
            continue;
        }
        assert_eq!((summary["updated"].as_u64(), summary["rejected"].as_u64()), (Some(0), Some(2)), "{summary}");
        assert_eq!(looks, updates, "a look before each: {updates}");
        let shown = workspace.tabi("show last --json").ended(0).stdout;
        assert!(shown.contains("empty answer (status 204)"), "{shown}");
    }
}

#[test]
fn an_access_token_needs_the_login_url_alone_and_paths_of_the_version_need_no_slash() {
    let server = Answering::start(|asked| Said::Json(200, json!({"path": asked.path})));
    let workspace = connected("salesforce", server.url());
    workspace.tabi("check").ended(0);
    let said = exec(&workspace, r#"print(salesforce::request("GET", "limits").path); print(salesforce::request("GET", "/services/data").path);"#, 0);
    let paths: Vec<String> = server.asked().into_iter().map(|asked| asked.path).collect();
    assert!(paths[0].starts_with("/services/data/v") && paths[0].ends_with("/limits"), "{paths:?}");
    assert_eq!((paths[1].as_str(), paths.len()), ("/services/data", 2), "{said}");
}

#[test]
fn a_server_without_tls_is_named_as_such() {
    let server = Answering::start(|_| Said::Nothing(200));
    let workspace = connected("pendo", &server.url().replace("http://", "https://"));
    let begun = Instant::now();
    let said = exec(&workspace, "pendo::segments();", 4);
    assert!(said.contains("answers without TLS") && said.contains("[pendo]"), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(10), "it is not asked again and again");
}

/// A rule whose action is the given one.
fn rule(action: &str) -> String {
    format!(
        r#"rule("scores", #{{ rule_for: "account", from: salesforce::object("Account"), show: ["Id", "NumberOfEmployees"], actions: [
    {action},
], every: "24h" }});"#
    )
}

#[test]
fn objects_that_a_tenant_lacks_are_told_with_what_to_declare_by_check_and_by_runs() {
    let gainsight = ["CompanyId__gc", "Level__gc", "Date__gc"];
    let scores = ["CompanyId__gc", "Measure__gc", "Score__gc", "Date__gc", "Comments__gc"];
    let usage = r#"load_to_usage(#{ account: "Id", measures: #{ "Seats used": "NumberOfEmployees" } })"#;
    let into = r#"load_to_usage(#{ account: "Id", measures: #{ "Active Visitors (30d)": "NumberOfEmployees" }, into: "usage_data__gc" })"#;
    let workspace = Workspace::new();
    let sandbox = Sandbox::start(&workspace, "--accounts 3 --people 6 --strict");
    for (action, object, fields, more) in [
        (r#"set_score("Product usage", |row| row.NumberOfEmployees % 101)"#, "measure_scores__gc", &scores[..], "scorecard rule"),
        (usage, "JBCXM__UsageData__c", &gainsight[..], "`into: \"usage_data__gc\"`"),
        (into, "usage_data__gc", &gainsight[..], "Active Visitors (30d)"),
    ] {
        workspace.write("scripts/scores.rhai", rule(action));
        workspace.tabi("check").ended(0);
        let checked: Value = serde_json::from_str(&workspace.tabi("check --online --json").ended(3).stdout).unwrap();
        let found = checked["diagnostics"].as_array().unwrap();
        assert_eq!((found.len(), &found[0]["code"], &found[0]["line"]), (1, &json!("E0509"), &json!(2)), "{checked}");
        let ran = workspace.tabi("run scores");
        assert_eq!(ran.code, Some(1), "{}{}", ran.stdout, ran.stderr);
        for said in [format!("{} {}", found[0]["message"], found[0]["hint"]), format!("{}{}", ran.stdout, ran.stderr)] {
            let said = said.replace("\\\"", "\"");
            assert!(said.contains(object) && said.contains("Data Management") && said.contains(more), "{said}");
            assert!(fields.iter().all(|field| said.contains(field)), "{said}");
        }
        // Where the object is made, the rule works as it stands.
        if object != "JBCXM__UsageData__c" {
            sandbox.post("gainsight", "/_sandbox/objects", &json!({"object": object}));
            workspace.tabi("check --online").ended(0);
            let summary = workspace.tabi("run scores --json").ended(0).summary("scores");
            assert_eq!(summary["status"], "ok", "{summary}");
            assert!(!sandbox.documents("gainsight", object).is_empty());
        }
    }
    assert_eq!(sandbox.get("gainsight", "/_sandbox/documents/custom_object").as_array().unwrap().len(), 2);
}
