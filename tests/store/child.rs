//! What a test needs another process for: this test binary, started again with one job.

use std::{
    io::{BufRead, BufReader, Lines, Read, Write as _},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use tabi::store::{Store, Take};

use super::{at, begin, updates};

/// A running child and the lines it prints.
pub(super) struct Helper {
    pub(super) process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Helper {
    /// The next line the job printed; none when it ended.
    pub(super) fn line(&mut self) -> Option<String> {
        let mark = |line: Result<String, _>| line.ok()?.split_once("child: ").map(|(_, said)| said.to_owned());
        self.lines.by_ref().find_map(mark)
    }

    /// `kill -9`.
    pub(super) fn kill(mut self) {
        self.process.kill().expect("killed");
        self.process.wait().expect("gone");
    }
}

/// Starts a job on a state file, as `user` when it is given.
pub(super) fn start(job: &str, path: &Path, user: Option<u32>) -> Helper {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["--exact", "store::child::job", "--ignored", "--nocapture"]).env("STORE_JOB", job).env("STORE_PATH", path);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    if let Some(user) = user {
        std::os::unix::process::CommandExt::uid(&mut command, user);
    }
    let mut process = command.spawn().expect("a child");
    let lines = BufReader::new(process.stdout.take().expect("its output")).lines();
    Helper { process, lines }
}

#[test]
#[ignore = "other tests run it as a process of its own"]
fn job() {
    let Ok(path) = std::env::var("STORE_PATH") else { return };
    let path = Path::new(&path);
    match std::env::var("STORE_JOB").expect("a job").as_str() {
        "hold" => hold(path),
        "write" => write(path),
        "write forever" => write_forever(path),
        "move forever" => super::journeys::move_forever(path, say),
        "open" => say(&Store::open(path).map_or_else(|error| format!("{error:?}"), |_| "opened".into())),
        other => panic!("no job {other}"),
    }
}

fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "child: {what}").and_then(|()| out.flush()).expect("said");
}

/// Until killed, or until the parent is gone.
fn stay() {
    let _ = std::io::stdin().read(&mut [0]);
}

fn hold(path: &Path) {
    let store = Store::open(path).expect("open");
    let lease = store.take("pendo-account", "tabi up", at(5)).expect("take");
    say(if matches!(lease, Take::Got(_)) { "held" } else { "refused" });
    stay();
}

/// One batch finished, one not.
fn write(path: &Path) {
    let store = Store::open(path).expect("open");
    let run = begin(&store, "pendo-account", at(0));
    let first = store.intend(&run, &updates(3), at(1)).expect("intend");
    let outcome = tabi::model::RowOutcome { id: None, created: false, fault: None };
    store.complete(first, &vec![outcome; 3], at(2)).expect("complete");
    store.intend(&run, &updates(2_000), at(3)).expect("intend");
    say(run.as_str());
    stay();
}

fn write_forever(path: &Path) {
    let store = Store::open(path).expect("open");
    let run = begin(&store, "pendo-account", at(0));
    say(run.as_str());
    for n in 1.. {
        store.intend(&run, &updates(500), at(n)).expect("intend");
        say("batch");
    }
}
