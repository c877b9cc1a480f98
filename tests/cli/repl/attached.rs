//! `tabi repl --attach`: within a running host, and what becomes of it when that ends, or is none. (H5)

#![cfg(unix)]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    process::Stdio,
};

use crate::{
    host::up::Host,
    support::{Ran, Workspace},
};

use super::{ENDLESS, terminal::Terminal};

const SCRIPT: &str = "import \"lib\" as lib;\nrule(\"nightly\", #{ rule_for: \"account\", from: salesforce::object(\"Account\"), show: [\"Id\"],\n    actions: [load_to_sfdc(#{ object: \"Account\", operation: \"update\", identifiers: [\"Id\"], fields: #{ Id: \"Id\", Site: \"Id\" } })] });\n";

fn workspace() -> Workspace {
    let workspace = Workspace::with_script(SCRIPT);
    workspace.write("tabi.toml", "[sandbox]\naccounts = 5\npeople = 5\n");
    workspace.write("scripts/lib.rhai", "const STEP = 41;\nfn more(n) { n + 1 }\nmore(STEP)");
    workspace
}

fn host(workspace: &Workspace) -> Host {
    let host = Host::start(workspace);
    host.wait("ready");
    host
}

fn attach(workspace: &Workspace) -> Terminal {
    let terminal = Terminal::start("repl --attach", workspace, 120, false);
    terminal.see("\nhost> ");
    terminal
}

fn evaluate(workspace: &Workspace, input: &str) -> Ran {
    let output = workspace.command("repl --attach --json").args(["-e", input]).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

fn socket(workspace: &Workspace) -> PathBuf {
    workspace.path().join(".tabi/host.sock")
}

fn code(ran: &Ran) -> String {
    ran.lines().last().unwrap()["error"]["code"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn h5_list_and_load_are_of_what_the_host_runs() {
    let workspace = workspace();
    let host = host(&workspace);
    let terminal = attach(&workspace);
    workspace.write("scripts/lib.rhai", "const STEP = ");
    host.reload(|line| line["diagnostics"].as_array().is_some_and(|found| !found.is_empty()));
    workspace.write("scripts/script.rhai", "rule(");
    host.reload(|line| line["diagnostics"].as_array().is_some_and(|found| found.len() > 1));
    terminal.say(":list");
    terminal.see("nightly");
    terminal.see("by hand");
    terminal.say(":load lib");
    terminal.see("\n42\n");
    terminal.say(":enter lib");
    terminal.say("more(STEP + 1)");
    terminal.see("\n43\n");
    terminal.say(":load nothing");
    terminal.see("there is no file `nothing` here nor under scripts/");
    terminal.say(":quit");
    assert_eq!(terminal.end(), 0);
    assert_eq!(host.end("-TERM"), Some(0));
}

#[test]
fn h5_a_host_that_ends_ends_the_variables_and_the_next_one_goes_on() {
    let workspace = workspace();
    let first = host(&workspace);
    let terminal = attach(&workspace);
    terminal.say("let kept = 6 * 7; kept");
    terminal.see("\n42\n");
    terminal.say(":attach");
    terminal.see("in the running host already");
    terminal.say(ENDLESS);
    terminal.lines("begun", 1);
    first.end("-KILL");
    terminal.see("the host has ended, and with it the variables and functions of this conversation");
    terminal.see("`:attach` goes on in the host that runs by then");
    terminal.see("\nno host> ");
    terminal.say("kept");
    terminal.see("error: there is no host\n");
    terminal.press("kep\t\u{15}");
    terminal.say(":attach");
    terminal.see("the host of this workspace has died");
    terminal.say(":live");
    terminal.see("there is no host: `:attach` calls the one that runs now");
    let second = host(&workspace);
    terminal.say(":attach");
    terminal.see("variables and functions begin anew");
    terminal.see("\nhost> ");
    terminal.say("kept + 1");
    terminal.see("error[E0202]");
    terminal.say("6 * 9");
    terminal.see("\n54\n");
    // In good order it ends as well, also while somebody is at work there.
    terminal.say(ENDLESS);
    terminal.lines("begun", 2);
    assert_eq!(second.end("-TERM"), Some(0));
    terminal.see("\nno host> ");
    terminal.say(":full");
    terminal.see(":full\n54\n");
    terminal.say(":quit");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn h5_a_conversation_of_its_own_can_go_on_in_the_host() {
    let workspace = workspace();
    let terminal = Terminal::repl(&workspace, 120, false);
    terminal.say(":attach");
    terminal.see("no host of this workspace runs");
    let host = host(&workspace);
    terminal.say(":attach");
    terminal.see("\nhost> ");
    terminal.say(":list");
    terminal.see("nightly");
    assert_eq!(host.end("-TERM"), Some(0));
    terminal.say("1");
    terminal.see("\nno host> ");
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn h5_a_command_line_is_told_that_its_host_died_and_a_new_host_replaces_the_socket() {
    let workspace = workspace();
    let host_ = host(&workspace);
    let mut command = workspace.command("repl --attach --json");
    let mut child = command.args(["-e", ENDLESS]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    told.read_line(&mut line).unwrap();
    assert_eq!(line, "begun\n");
    host_.end("-KILL");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("\"host_gone\""), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(socket(&workspace).exists());
    let dead = evaluate(&workspace, "1").ended(2);
    assert!(code(&dead) == "no_host" && dead.stdout.contains("has died and left its socket"), "{}", dead.stdout);
    let again = host(&workspace);
    assert_eq!(evaluate(&workspace, "6 * 7").ended(0).stdout, "42\n");
    assert_eq!(again.end("-TERM"), Some(0));
    assert_eq!(code(&evaluate(&workspace, "1").ended(2)), "no_host");
}

#[test]
fn h5_what_is_no_host_is_told_as_such() {
    static ENDLESS: [u8; 1 << 20] = [b'x'; 1 << 20];
    let workspace = workspace();
    std::fs::create_dir_all(workspace.path().join(".tabi")).unwrap();
    let listener = UnixListener::bind(socket(&workspace)).unwrap();
    let said: [&[u8]; 6] =
        [b"", b"hello\n", b"\xff\xfe\x00\n", b"{\"say\":\"answer\",\"answer\":\"entered\"}\n", b"{\"say\":\"printed\",\"line\":\"x\"}\n", &ENDLESS];
    let speaking = std::thread::spawn(move || {
        for said in said {
            let (mut stream, _) = listener.accept().unwrap();
            let mut ask = String::new();
            BufReader::new(stream.try_clone().unwrap()).read_line(&mut ask).unwrap();
            // The other side need not hear it to its end.
            let _ = stream.write_all(said);
        }
        // And one who says nothing.
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    });
    assert_eq!(code(&evaluate(&workspace, "1").ended(1)), "host_gone");
    for _ in 1..said.len() {
        let strange = evaluate(&workspace, "1").ended(2);
        assert!(strange.stdout.contains("is no host that this tabi understands"), "{}", strange.stdout);
    }
    assert_eq!(code(&evaluate(&workspace, "1").ended(1)), "host_silent");
    speaking.join().unwrap();
}

#[test]
fn h5_a_host_outlives_whoever_talks_nonsense_to_it() {
    let workspace = workspace();
    let host = host(&workspace);
    let answer = |said: &[u8]| {
        let mut stream = UnixStream::connect(socket(&workspace)).unwrap();
        // It may hang up in the middle.
        let _ = stream.write_all(said);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut heard = Vec::new();
        let _ = stream.read_to_end(&mut heard);
        String::from_utf8(heard).unwrap()
    };
    assert_eq!(answer(b""), "");
    for said in [&b"hello\n"[..], b"\xff\xfe\x00\n", b"{\"ask\":\"nothing\"}\n", b"[[[[\n", b"{\"ask\":\"evaluate\",\"input\":1}\n"] {
        assert!(answer(said).contains("that is no question"), "{}", String::from_utf8_lossy(said));
    }
    assert!(answer(&vec![b'x'; 10 << 20]).contains("a question has 8 MiB at most"));
    assert_eq!(answer(b"{\"ask\":\"time\""), "");
    let cut = evaluate(&workspace, &format!("\"{}\"", "ü".repeat(60_000))).ended(0);
    assert_eq!(cut.stdout.chars().count(), 60_003);
    assert_eq!(evaluate(&workspace, "6 * 7").ended(0).stdout, "42\n");
    assert_eq!(host.end("-TERM"), Some(0));
}

#[test]
fn h5_inputs_that_are_none_are_refused_by_a_host_as_elsewhere() {
    let workspace = workspace();
    let host = host(&workspace);
    let piped = |text: Vec<u8>| {
        let mut child = workspace.command("repl --attach").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut to = child.stdin.take().unwrap();
        // Whoever refuses it may not read it to its end.
        let writing = std::thread::spawn(move || drop(to.write_all(&text)));
        let output = child.wait_with_output().unwrap();
        writing.join().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let refused = |text: &[u8], why: &str| {
        let (code, stderr) = piped(text.to_vec());
        assert!(code == Some(3) && stderr.contains(why), "{code:?} {stderr}");
    };
    refused(&vec![b'a'; 10 << 20], "E0104");
    refused(b"1\nbad\xff\n", "line 2 of standard input is not UTF-8: byte 4");
    refused(b"1\0", "E0102");
    refused(format!("{}1{}", "(".repeat(20_000), ")".repeat(20_000)).as_bytes(), "complex");
    assert_eq!(piped(b"let a = [1,\n2]\na.len()\n".to_vec()).0, Some(0));
    assert_eq!(host.end("-TERM"), Some(0));
}

#[test]
fn h5_control_c_ends_what_prints_without_an_end_within_a_host() {
    let workspace = workspace();
    let host = host(&workspace);
    let terminal = attach(&workspace);
    terminal.say("loop { print(\"again\") }");
    terminal.see("again\nagain");
    terminal.press("\u{3}");
    terminal.see("cancelled\nhost>");
    terminal.say("6 * 7");
    terminal.see("\n42\n");
    terminal.say(":quit");
    assert_eq!(terminal.end(), 0);
    assert_eq!(host.end("-TERM"), Some(0));
}
