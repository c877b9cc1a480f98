//! `tabi sandbox`: ready line, one per workspace, a clean end.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    os::unix::fs::PermissionsExt as _,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::support::{Sandbox, Workspace};

fn start(workspace: &Workspace, args: &str) -> (Child, Value) {
    let mut child = workspace.command(args).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (child, serde_json::from_str(&line).unwrap())
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn it_says_where_its_systems_are_and_ends_when_asked() {
    let workspace = Workspace::new();
    let (mut child, ready) = start(&workspace, "sandbox --json --accounts 5 --people 20");
    let base_url = ready["pendo"]["base_url"].as_str().unwrap();
    assert!(base_url.starts_with("http://127.0.0.1:"), "{ready}");
    assert!(ready["pendo"]["integration_key"].is_string());
    let endpoint = workspace.path().join(".tabi/sandbox/endpoint.json");
    assert_eq!(fs::metadata(&endpoint).unwrap().permissions().mode() & 0o777, 0o600);

    let second = workspace.tabi("sandbox --json").ended(2);
    assert_eq!(second.lines()[0]["error"]["code"], "sandbox_running");

    signal(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut rest = String::new();
    child.stdout.unwrap().read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "one line is all");
    assert!(!endpoint.exists());
}

#[test]
fn a_killed_sandbox_leaves_nothing_in_the_way() {
    let workspace = Workspace::new();
    let (mut child, _) = start(&workspace, "sandbox --json --accounts 5");
    signal(&child, "-KILL");
    child.wait().unwrap();
    let (child, _) = start(&workspace, "sandbox --json --accounts 5");
    signal(&child, "-INT");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
}

#[test]
fn wrong_faults_and_another_company_are_usage_errors() {
    let workspace = Workspace::new();
    let wrong = workspace.tabi("sandbox --json --faults salesforce:bogus@2").ended(2);
    assert_eq!(wrong.lines()[0]["error"]["code"], "sandbox");
    let (child, _) = start(&workspace, "sandbox --json --accounts 5");
    signal(&child, "-INT");
    child.wait_with_output().unwrap();
    let other = workspace.tabi("sandbox --json --accounts 6").ended(2);
    assert!(other.lines()[0]["error"]["hint"].as_str().unwrap().contains("--fresh"));
}

#[test]
fn one_fixed_port_is_kept_and_taken_ones_are_an_error() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let workspace = Workspace::new();
    let refused = workspace.tabi(&format!("sandbox --json --pendo-port {port}")).ended(2);
    assert!(refused.lines()[0]["error"]["message"].as_str().unwrap().contains(&port.to_string()));
}

#[test]
fn other_commands_of_the_workspace_find_it() {
    let workspace = Workspace::new();
    workspace.write("count.rhai", "salesforce::query(\"SELECT Id FROM Account\").len()");
    let sandbox = Sandbox::start(&workspace, "--accounts 7");
    let counted = workspace.tabi("exec --json count.rhai").ended(0);
    assert_eq!(counted.stdout, "7\n");
    let asked = sandbox.get("salesforce", "/_sandbox/requests");
    assert!(asked.as_array().unwrap().iter().any(|request| request["path"].as_str().unwrap().contains("/query")), "{asked}");
}

#[test]
fn a_system_can_be_at_any_address_and_a_wrong_secret_is_told_by_its_system() {
    let provider = Workspace::new();
    let sandbox = Sandbox::start(&provider, "--accounts 3");
    let workspace = Workspace::new();
    let config = format!(
        "[salesforce]\nauth = \"client_credentials\"\nlogin_url = \"{}\"\nclient_id = \"{}\"\nclient_secret = \"file:secret.txt\"\n",
        sandbox.base_url("salesforce"),
        sandbox.ready()["salesforce"]["client_id"].as_str().unwrap(),
    );
    workspace.write("tabi.toml", config);
    workspace.write("count.rhai", "salesforce::query(\"SELECT Id FROM Account\").len()");

    workspace.write("secret.txt", sandbox.ready()["salesforce"]["client_secret"].as_str().unwrap());
    assert_eq!(workspace.tabi("exec --json count.rhai").ended(0).stdout, "3\n");
    workspace.write("secret.txt", "not the secret");
    let refused = workspace.tabi("exec --json count.rhai").ended(4);
    let error = &refused.lines()[0]["error"];
    assert_eq!(error["system"], "salesforce", "{error}");
    assert!(!format!("{}{}", refused.stdout, refused.stderr).contains("not the secret"));
    fs::remove_file(workspace.path().join("secret.txt")).unwrap();
    let absent = workspace.tabi("exec --json count.rhai").ended(2);
    assert_eq!(absent.lines()[0]["error"]["code"], "config_secret_missing");
}
