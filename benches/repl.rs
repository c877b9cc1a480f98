//! What a person at the REPL waits for: the first prompt, through a terminal of its own, and one completion in a large org.
//! `cargo bench --bench repl` prints each figure beside its bar. Unix only.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::{
    hint::black_box,
    io::{Read as _, Write as _},
    path::Path,
    time::{Duration, Instant},
};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use tabi::{
    model::{Field, FieldType, System},
    script::{Catalogue, Console, Limits, complete, reference},
};

const OBJECTS: usize = 500;
const FIELDS: usize = 300;

fn main() {
    prompts();
    completions();
}

fn prompts() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tabi.toml"), "").unwrap();
    let first = prompt(folder.path());
    println!("tabi repl, from process start to the first prompt, the very first time: {:.1} ms", millis(first));
    let times = (0..21).map(|_| prompt(folder.path()));
    println!("tabi repl, from process start to the first prompt: {:.1} ms (median of 21, bar 100)", median(times.collect()));
}

/// From the start of the process until the terminal shows the prompt.
fn prompt(folder: &Path) -> Duration {
    let pair = native_pty_system().openpty(PtySize { rows: 40, cols: 100, pixel_width: 0, pixel_height: 0 }).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_tabi"));
    command.arg("repl");
    command.cwd(folder);
    command.env("TERM", "xterm-256color");
    command.env("NO_COLOR", "1");
    let (mut from, mut keys) = (pair.master.try_clone_reader().unwrap(), pair.master.take_writer().unwrap());
    let start = Instant::now();
    let mut child = pair.slave.spawn_command(command).unwrap();
    let (mut shown, mut bytes) = (Vec::new(), [0; 4096]);
    let elapsed = loop {
        let read = from.read(&mut bytes).unwrap();
        assert!(read > 0, "no prompt: {}", String::from_utf8_lossy(&shown));
        // Where is the cursor? A terminal answers.
        if bytes[..read].windows(4).any(|four| four == b"\x1b[6n") {
            keys.write_all(b"\x1b[3;1R").unwrap();
        }
        shown.extend_from_slice(&bytes[..read]);
        if shown.windows(6).any(|six| six == b"tabi> ") {
            break start.elapsed();
        }
    };
    keys.write_all(b"\x04").unwrap();
    drop(keys);
    // What is not read would keep it from ending.
    std::thread::spawn(move || while matches!(from.read(&mut bytes), Ok(1..)) {});
    assert!(child.wait().unwrap().success());
    elapsed
}

/// An org as its describes tell it, in memory.
struct Org {
    objects: Vec<String>,
    fields: Vec<Field>,
}

impl Catalogue for Org {
    fn objects(&self, _system: System) -> Vec<String> {
        self.objects.clone()
    }

    fn fields(&self, _system: System, object: &str) -> Vec<Field> {
        if self.objects.iter().any(|name| name.eq_ignore_ascii_case(object)) { self.fields.clone() } else { Vec::new() }
    }

    fn declared(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

fn completions() {
    let field = |n: usize| Field {
        name: format!("Custom_Field_{n:03}__c"),
        label: format!("Custom field {n}"),
        kind: FieldType::Text { max: 255 },
        nillable: true,
        createable: true,
        updateable: true,
        required: false,
        key: false,
        case_sensitive: false,
    };
    let org = Org { objects: (0..OBJECTS).map(|n| format!("Custom_Object_{n:03}__c")).collect(), fields: (0..FIELDS).map(field).collect() };
    let folder = tempfile::tempdir().unwrap();
    let console = Console::new(folder.path(), Limits::for_scripts());
    let reference = reference();
    for (what, before, after) in [
        ("an object", "salesforce::query(\"SELECT Id FROM Custom_Obj", ""),
        ("a field, its object behind the cursor", "salesforce::query(\"SELECT Custom_Fie", " FROM Custom_Object_499__c\")"),
        ("a key of a record", "salesforce::update(\"Custom_Object_499__c\", \"1\", #{ Custom_Fie", ""),
        ("a function", "salesforce::", ""),
    ] {
        let times = (0..201).map(|_| {
            let start = Instant::now();
            let found = black_box(complete(&console, &reference, &org, black_box(before), after));
            let elapsed = start.elapsed();
            assert!(!found.is_empty(), "nothing completes {before}");
            elapsed
        });
        let took = median(times.collect());
        println!("completion of {what}, {OBJECTS} objects of {FIELDS} fields: {took:.3} ms (median of 201, bar 20)");
    }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    millis(times[times.len() / 2])
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
