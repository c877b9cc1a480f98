//! `tabi repl -e`, and lines of a pipe. (H5)

use std::{io::Write as _, process::Stdio};

use crate::support::{Ran, Sandbox, Workspace};

fn evaluate(workspace: &Workspace, before: &str, inputs: &[&str]) -> Ran {
    let mut command = workspace.command(&format!("repl {before}"));
    for input in inputs {
        command.args(["-e", input]);
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    ran(&output)
}

fn ran(output: &std::process::Output) -> Ran {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// What comes of text on standard input.
fn piped(workspace: &Workspace, args: &str, text: &[u8]) -> Ran {
    let mut command = workspace.command(&format!("repl {args}"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let text = text.to_owned();
    // The command may end before it has read everything.
    let writing = std::thread::spawn(move || drop(stdin.write_all(&text)));
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap();
    ran(&output)
}

#[test]
fn h5_expressions_share_variables_functions_closures_constants_and_the_last_value() {
    let workspace = Workspace::new();
    let inputs = [
        "let x = 40",
        "fn more(n) { n + global::STEP }",
        "const STEP = 1",
        "more(x)",
        "let f = |n| n + 1",
        "f.call(_)",
        "switch _ { 42 => #{ ok: _ }, _ => 0 }",
    ];
    assert_eq!(evaluate(&workspace, "--json", &inputs).ended(0).stdout, "{\"ok\":42}\n");
    assert_eq!(evaluate(&workspace, "", &["1 + 1", "[1, 2]"]).ended(0).stdout, "2\n[\n  1,\n  2\n]\n");
}

#[test]
fn h5_a_failure_within_an_earlier_function_points_at_its_line() {
    let workspace = Workspace::new();
    let wrong = evaluate(&workspace, "", &["fn name_of(row) {\n  row.naem\n}", "let row = #{ name: 1 }", "name_of(row)"]).ended(1);
    assert!(wrong.stderr.contains(" --> repl:2:7") && wrong.stderr.contains("|   row.naem"), "{}", wrong.stderr);
}

#[test]
fn h5_exit_codes_tell_wrong_scripts_from_failed_ones_and_from_systems_that_are_away() {
    let workspace = Workspace::new();
    let unknown = evaluate(&workspace, "--json", &["1 +\nnothing_like_this()"]).ended(3);
    let error = &unknown.lines()[0]["error"];
    assert_eq!((error["code"].as_str(), error["line"].as_u64(), error["column"].as_u64()), (Some("E0203"), Some(2), Some(1)));
    evaluate(&workspace, "", &["throw \"no\""]).ended(1);
    workspace.write("tabi.toml", "[http]\ntimeout = \"1s\"\n[pendo]\nbase_url = \"http://127.0.0.1:9\"\nintegration_key = \"env:TABI_TEST_KEY\"\n");
    let run = |input: &str| ran(&workspace.command("repl").args(["-e", input]).env("TABI_TEST_KEY", "k").output().unwrap());
    run("1 + 1").ended(0);
    run("pendo::segments()").ended(4);
}

#[test]
fn h5_writes_are_shown_and_done_only_when_live() {
    let workspace = Workspace::new();
    let sandbox = Sandbox::start(&workspace, "--accounts 5 --people 5");
    let input = "let id = salesforce::query(\"SELECT Id FROM Account LIMIT 1\")[0].Id";
    let change = "salesforce::update(\"Account\", id, #{ Name: \"Renamed\" })";
    let plan = evaluate(&workspace, "--json", &[input, change]).ended(0);
    assert!(plan.stderr.contains("Name  null -> \"Renamed\"") && plan.stderr.contains("nothing was written"), "{}", plan.stderr);
    assert_eq!(plan.stdout.lines().count(), 1);
    assert_eq!(sandbox.writes("salesforce"), Vec::<String>::new());
    evaluate(&workspace, "--live", &[input, change]).ended(0);
    assert_eq!(sandbox.writes("salesforce").len(), 1);
    let history = workspace.tabi("history --json").ended(0);
    assert_eq!((history.lines()[0][0]["name"].as_str(), history.lines()[0][0]["written"].as_u64()), (Some("repl"), Some(1)));
}

#[test]
fn h5_a_pipe_is_evaluated_line_by_line_until_the_first_failure() {
    let workspace = Workspace::new();
    let all = piped(&workspace, "", b"let a = [1,\n  2]\n\na.len() // two\n`x${a[0]}`").ended(0);
    assert_eq!((all.stdout.as_str(), all.stderr.as_str()), ("2\nx1\n", ""));
    let stopped = piped(&workspace, "--json", b"1\nnope()\n2\n").ended(3);
    assert_eq!(stopped.stdout.lines().next(), Some("1"));
    assert!(!stopped.stdout.contains("\n2\n"), "{}", stopped.stdout);
}

#[test]
fn h5_bad_input_is_refused_with_its_reason() {
    let workspace = Workspace::new();
    let odd = piped(&workspace, "", b"1\nbad\xff\n").ended(3);
    assert!(odd.stderr.contains("line 2 of standard input is not UTF-8: byte 4"), "{}", odd.stderr);
    let large = piped(&workspace, "", &vec![b'a'; 10 << 20]).ended(3);
    assert!(large.stderr.contains("E0104"), "{}", large.stderr);
    let deep = format!("{}1{}", "(".repeat(20_000), ")".repeat(20_000));
    assert!(piped(&workspace, "", deep.as_bytes()).ended(3).stderr.contains("complex"));
    assert!(piped(&workspace, "", "[".repeat(20_000).as_bytes()).ended(3).stderr.contains("E0201"));
    piped(&workspace, "", b"\0").ended(3);
}

#[test]
fn h5_loops_without_an_end_reach_a_limit() {
    let workspace = Workspace::new();
    workspace.write("tabi.toml", "[limits]\ntime = \"100ms\"\n");
    let looped = evaluate(&workspace, "", &["loop { }"]).ended(1);
    assert!(looped.stderr.contains("longer than 0.1 s"), "{}", looped.stderr);
    assert!(evaluate(&workspace, "", &["fn down(n) { down(n + 1) }", "down(1)"]).ended(1).stderr.contains("recursion"));
}
