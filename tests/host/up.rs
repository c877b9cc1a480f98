//! The host: schedules by a clock turned by hand, and the real process with its receipts and its clean end. (H3, issue point 9)

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
    time::Duration,
};

use serde_json::Value;
use tabi::{
    flow::Notify,
    host::{
        Session, Workspace as Opened,
        clock::Clock,
        up::{Tell, Told, Watching, up},
    },
};

use crate::support::Workspace;

const RULE: &str = r#"
rule("nightly", #{
    rule_for: "account",
    from: salesforce::object("Account"),
    show: ["Id", "Name"],
    actions: [load_to_sfdc(#{ object: "Account", operation: "update", identifiers: ["Id"], fields: #{ Id: "Id", Site: "Name" } })],
    SCHEDULE
});
"#;

/// Longer than anything here takes; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn what_is_due_begins_when_the_clock_says_so_and_once() {
    let workspace = Workspace::with_script(&RULE.replace("SCHEDULE", "daily: \"03:00\","));
    let clock = Clock::by_hand("2099-11-21T02:59:00Z".parse().unwrap());
    let opened = Opened::open(Some(&workspace.path()), false, clock.clone()).unwrap();
    let (say, told) = mpsc::channel();
    let tell: Tell = Arc::new(move |said| {
        let word = match said {
            Told::Ready(_) => "ready".to_owned(),
            Told::Began(names) => format!("began {}", names.join(" ")),
            Told::Ended(summary) => format!("ended {}", summary.name),
            Told::Stopping => "stopping".to_owned(),
            Told::Reloaded(_) | Told::Backtested(_) | Told::Configured(_) | Told::Trouble(_) => return,
        };
        say.send(word).unwrap();
    });
    let notify: Notify = Arc::new(|_| ());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let host = std::thread::spawn(move || {
        let session = Session::open(&opened).unwrap();
        up(&opened, &session, Watching::Told, &notify, &tell, async move { stopped.await.unwrap_or_default() });
        session.close();
    });
    let next = || told.recv_timeout(PATIENCE).unwrap();
    assert_eq!(next(), "ready");
    clock.set("2099-11-21T03:00:00Z".parse().unwrap());
    assert_eq!((next(), next()), ("began nightly".to_owned(), "ended nightly".to_owned()));
    clock.set("2099-11-24T12:00:00Z".parse().unwrap());
    assert_eq!((next(), next()), ("began nightly".to_owned(), "ended nightly".to_owned()), "three missed nights are one run");
    stop.send(()).unwrap();
    assert_eq!(next(), "stopping");
    host.join().unwrap();
}

/// The real process and the lines it says.
pub(crate) struct Host {
    child: Child,
    lines: mpsc::Receiver<Value>,
}

impl Host {
    pub(crate) fn start(workspace: &Workspace) -> Self {
        Self::run(workspace, "up --json")
    }

    pub(crate) fn run(workspace: &Workspace, command: &str) -> Self {
        let mut child = workspace.command(command).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = send.send(serde_json::from_str(&line).unwrap());
            }
        });
        Self { child, lines }
    }

    /// The next line of a type.
    pub(crate) fn wait(&self, kind: &str) -> Value {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no `{kind}` line"));
            if line["type"] == kind {
                return line;
            }
        }
    }

    /// Reloads until one satisfies: a save may be seen in two steps.
    pub(crate) fn reload(&self, what: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.wait("reload");
            if what(&line) {
                return line;
            }
        }
    }

    pub(crate) fn end(mut self, signal: &str) -> Option<i32> {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

/// A host that a failed test leaves behind would go on for ever.
impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_save_is_live_at_once_a_bad_one_keeps_the_good_version_and_sigterm_ends_it() {
    let workspace = Workspace::with_script(&RULE.replace("SCHEDULE", ""));
    let host = Host::start(&workspace);
    let ready = host.wait("ready");
    assert_eq!((&ready["generation"], &ready["added"]), (&1.into(), &serde_json::json!(["nightly"])));

    workspace.write("scripts/second.rhai", RULE.replace("nightly", "second").replace("Site", "Fax").replace("SCHEDULE", ""));
    let receipt = host.reload(|line| line["added"] == serde_json::json!(["second"]));
    assert_eq!(receipt["errors"], serde_json::json!([]));

    // As an editor does it: written beside, renamed over.
    workspace.write("scripts/.second.tmp", "rule(\"second\", #{ broken");
    fs::rename(workspace.path().join("scripts/.second.tmp"), workspace.path().join("scripts/second.rhai")).unwrap();
    let receipt = host.reload(|line| line["errors"] != serde_json::json!([]));
    assert_eq!((&receipt["kept"], &receipt["removed"]), (&serde_json::json!(["scripts/second.rhai"]), &serde_json::json!([])));
    assert_eq!(receipt["errors"][0]["file"], "scripts/second.rhai");
    assert_eq!(receipt["declarations"], 2);
    assert_eq!(host.end("-TERM"), Some(0));
}

#[test]
fn what_is_wrong_is_shown_with_its_line_h3() {
    let workspace = Workspace::with_script(&RULE.replace("SCHEDULE", "daly: \"03:00\""));
    let mut child = workspace.command("up").stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let told: Vec<String> = lines.take_while(|line| !line.contains("did you mean")).collect();
    assert!(told.iter().any(|line| line.starts_with("errors generation 1")), "{told:?}");
    assert!(told.iter().any(|line| line.ends_with("--> scripts/script.rhai:7:5")), "{told:?}");
    assert!(told.iter().any(|line| line.ends_with("daly: \"03:00\"")), "{told:?}");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    child.wait().unwrap();
}

#[test]
fn what_was_told_of_a_file_that_is_as_it_was_is_one_line_h3() {
    let broken = RULE.replace("SCHEDULE", "daly: \"03:00\"");
    let workspace = Workspace::with_script(&broken);
    let mut child = workspace.command("up").stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    // Each save adds a file; that it is told ends what is told of the save before, and the rest of a receipt comes before anything is saved.
    let mut until = |wanted: &str| -> Vec<String> {
        let mut told = Vec::new();
        for line in lines.by_ref() {
            told.push(line);
            if told.iter().any(|line| line.contains(wanted)) {
                return told;
            }
        }
        panic!("no `{wanted}` in {told:#?}");
    };
    let save = |file: &str, text: &str| {
        workspace.write("saving", text);
        fs::rename(workspace.path().join("saving"), workspace.path().join("scripts").join(file)).unwrap();
    };
    until("did you mean");
    save("other.rhai", &RULE.replace("nightly", "other").replace("Site", "Fax").replace("SCHEDULE", ""));
    let told = until("still broken: scripts/script.rhai (E0301)");
    assert!(told.iter().any(|line| line == "  + other") && !told.iter().any(|line| line.contains("-->")), "{told:#?}");
    save("script.rhai", &format!("// A remark.\n{broken}"));
    let told = until("did you mean");
    assert!(told.iter().any(|line| line.ends_with("--> scripts/script.rhai:8:5")), "saved, and shown in full: {told:#?}");
    save("other.rhai", "rule(\"other\", #{");
    let told = until("still broken");
    assert!(told.iter().any(|line| line.contains("error[E0201]")) && !told.iter().any(|line| line.contains("script.rhai:8:5")), "{told:#?}");
    let told = until("scripts/other.rhai keeps its last good version");
    save("third.rhai", "let x = 1;");
    let more = until("still broken: scripts/script.rhai (E0301)");
    let known = "still broken: scripts/other.rhai (E0201); its last good version goes on";
    assert!(more.iter().any(|line| line.trim() == known), "{told:#?} {more:#?}");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    child.wait().unwrap();
}

#[test]
fn ctrl_c_ends_it_too() {
    let workspace = Workspace::new();
    let host = Host::start(&workspace);
    host.wait("ready");
    assert_eq!(host.end("-INT"), Some(0));
}

#[test]
fn an_edited_import_is_taken_up_and_an_edited_configuration_is_told() {
    let workspace = Workspace::new();
    workspace.write("lib/names.rhai", "fn name() { \"a\" }");
    workspace.write("scripts/script.rhai", format!("import \"../lib/names\" as names;\n{}", RULE.replace("SCHEDULE", "")));
    let host = Host::start(&workspace);
    host.wait("ready");
    workspace.write("lib/names.rhai", "fn name() { \"b\" }");
    host.reload(|line| line["changed"] == serde_json::json!(["nightly"]));

    // By renaming, so that no half of it is seen.
    let save = |text: &str| {
        workspace.write("tabi.new", text);
        fs::rename(workspace.path().join("tabi.new"), workspace.path().join("tabi.toml")).unwrap();
        host.wait("config")["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(save("timezone = \"Europe/Berlin\"\n"), "tabi.toml has changed; restart to take it up");
    assert_eq!(save("\ntimezon = 1\n"), "tabi.toml has changed and is wrong in line 2: there is no key `timezon` here");
    assert_eq!(save(""), "tabi.toml is as it was at the start again");
    assert_eq!(host.end("-TERM"), Some(0));
}

#[test]
fn a_save_that_nobody_tells_of_is_found_by_looking() {
    let workspace = Workspace::new();
    let host = Host::run(&workspace, "up --json --poll");
    host.wait("ready");
    workspace.write("scripts/script.rhai", RULE.replace("SCHEDULE", ""));
    host.reload(|line| line["added"] == serde_json::json!(["nightly"]));
    assert_eq!(host.end("-TERM"), Some(0));
}

#[test]
fn a_second_host_on_one_workspace_says_who_is_there_and_ends() {
    let workspace = Workspace::with_script(&RULE.replace("SCHEDULE", ""));
    let host = Host::start(&workspace);
    host.wait("ready");
    let second = workspace.tabi("up --json").ended(2);
    let error = &second.lines().pop().unwrap()["error"];
    assert_eq!(error["code"], "host_running");
    assert!(error["message"].as_str().unwrap().contains(&format!("tabi up of this workspace runs already (process {}", host.child.id())), "{error}");
    // The first one goes on.
    workspace.write("scripts/.new", RULE.replace("nightly", "second").replace("Site", "Fax").replace("SCHEDULE", ""));
    fs::rename(workspace.path().join("scripts/.new"), workspace.path().join("scripts/second.rhai")).unwrap();
    host.reload(|line| line["added"] == serde_json::json!(["second"]));
    assert_eq!(host.end("-KILL"), None);
    // Whoever is killed holds nothing any more.
    let third = Host::start(&workspace);
    third.wait("ready");
    assert_eq!(third.end("-TERM"), Some(0));
}

#[test]
fn a_checkout_of_five_hundred_files_is_one_generation() {
    let workspace = Workspace::new();
    let git = |arguments: &[&str]| {
        let done =
            Command::new("git").args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(arguments).current_dir(workspace.path()).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    workspace.write(".gitignore", ".tabi\n");
    workspace.write("scripts/first.rhai", RULE.replace("SCHEDULE", ""));
    git(&["init", "-q", "-b", "few"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "few"]);
    git(&["checkout", "-qb", "many"]);
    for n in 0..500 {
        workspace.write(&format!("scripts/deep{}/f{n:03}.rhai", n % 7), format!("// {n}\nlet unused = {n};"));
    }
    git(&["add", "."]);
    git(&["commit", "-qm", "many"]);
    git(&["checkout", "-q", "few"]);
    let host = Host::start(&workspace);
    assert_eq!(host.wait("ready")["files"], 1);
    git(&["checkout", "-q", "many"]);
    let line = host.wait("reload");
    assert_eq!((&line["generation"], &line["files"]), (&2.into(), &501.into()));
    assert_eq!(line["compiled"].as_array().unwrap().len(), 500, "what was there is taken over");
    git(&["checkout", "-q", "few"]);
    let line = host.wait("reload");
    assert_eq!((&line["generation"], &line["files"], &line["compiled"]), (&3.into(), &1.into(), &serde_json::json!([])));
    assert_eq!(host.end("-TERM"), Some(0));
}
