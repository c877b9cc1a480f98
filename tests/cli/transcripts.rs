//! Transcripts. Each folder of `tests/cli/cases` is a workspace; its `session.txt` is a session in it.
//!
//! A line `$ tabi ..` is a command; what follows is its standard output, `! ` lines its standard error, `[N]` its exit code
//! where it is not 0. `[..]` stands for anything within a line, a line `...` for any lines. `UPDATE=1 cargo test` writes them anew.

use std::{fs, path::PathBuf};

use crate::support::Workspace;

macro_rules! sessions {
    ($($name:ident)*) => {
        $(#[test] fn $name() { play(stringify!($name)); })*
        const SESSIONS: &[&str] = &[$(stringify!($name)),*];
    };
}

sessions! {
    check_says_everything
    config_errors
    docs_explain
    init_refuses_a_workspace
    journeys
    names_and_dates
    no_runs_yet
    plain_scripts
    usage_errors
}

fn cases() -> PathBuf {
    PathBuf::from("tests/cli/cases")
}

#[test]
fn every_case_is_played() {
    let folders = fs::read_dir(cases()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let forgotten: Vec<String> = folders.filter(|name| !SESSIONS.contains(&name.as_str())).collect();
    assert!(forgotten.is_empty(), "not in the list above: {forgotten:?}");
}

fn play(name: &str) {
    let folder = cases().join(name);
    let file = folder.join("session.txt");
    let expected = fs::read_to_string(&file).unwrap();
    let bench = Workspace::copy_of(&folder);
    let mut actual = String::new();
    for command in expected.lines().filter_map(|line| line.strip_prefix("$ ")) {
        actual += &transcript(&bench, command);
    }
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, actual).unwrap();
        return;
    }
    let (expected, actual): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), actual.lines().collect());
    assert!(lines_match(&expected, &actual), "{name}: the session was\n\n{}\n\nnot\n\n{}\n", actual.join("\n"), expected.join("\n"));
}

/// One command and what came of it.
fn transcript(bench: &Workspace, command: &str) -> String {
    let words = words(command);
    assert_eq!(words[0], "tabi", "only tabi is run: {command}");
    let args: Vec<&str> = words[1..].iter().map(String::as_str).collect();
    let output = bench.command("").args(args).output().unwrap();
    let root = bench.path().to_string_lossy().into_owned();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&root, "[WORKSPACE]");
    let mut lines = format!("$ {command}\n{}", text(&output.stdout));
    for line in text(&output.stderr).lines() {
        lines.extend(["! ", line, "\n"]);
    }
    match output.status.code() {
        Some(0) => (),
        Some(code) => lines.extend(["[", &code.to_string(), "]\n"]),
        None => lines += "[killed]\n",
    }
    lines
}

/// Words, with those in quotes together.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in command.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words
}

fn lines_match(expected: &[&str], actual: &[&str]) -> bool {
    match (expected, actual) {
        ([], []) => true,
        (["...", rest @ ..], _) => (0..=actual.len()).any(|skipped| lines_match(rest, &actual[skipped..])),
        ([first, rest @ ..], [line, lines @ ..]) => line_matches(first, line) && lines_match(rest, lines),
        _ => false,
    }
}

fn line_matches(expected: &str, actual: &str) -> bool {
    let mut parts = expected.split("[..]");
    let Some(mut rest) = actual.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut open = false;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        open = part.is_empty();
    }
    open || rest.is_empty()
}
