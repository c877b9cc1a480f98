//! The house rules that a machine can hold: which room may name which, which room alone may name which crate, and tidiness.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Ground floor first. A room may name only the rooms listed beside it; `sandbox` names nothing, not even the nouns.
const ROOMS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("config", &[]),
    ("store", &["model"]),
    ("connectors", &["model"]),
    ("script", &["model"]),
    ("sandbox", &[]),
    ("flow", &["model", "store", "connectors", "script"]),
    ("host", &["model", "config", "store", "connectors", "script", "sandbox", "flow"]),
    ("web", &["model", "store", "connectors", "script", "sandbox", "flow", "host"]),
    ("repl", &["model", "store", "connectors", "script", "sandbox", "flow", "host"]),
    ("cli", &["model", "config", "store", "connectors", "script", "sandbox", "flow", "host", "web", "repl"]),
];

/// Outside crates that exactly these rooms may name.
const OWNED: &[(&str, &[&str])] = &[
    ("rusqlite", &["store"]),
    ("reqwest", &["connectors"]),
    ("lettre", &["connectors"]),
    ("rhai", &["script"]),
    ("minijinja", &["script"]),
    ("html2text", &["script"]),
    ("axum", &["sandbox", "web"]),
    ("smtp_proto", &["sandbox"]),
    ("mail_parser", &["sandbox"]),
    ("notify", &["host"]),
    ("toml", &["config"]),
    ("reedline", &["repl"]),
    ("nu_ansi_term", &["repl"]),
    ("rustix", &["repl"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("comfy_table", &["cli"]),
    ("indicatif", &["cli"]),
    ("pulldown_cmark", &["cli"]),
];

/// The only files that may read the machine's clock.
const CLOCKS: [&str; 2] = ["src/host/clock.rs", "src/sandbox/clock.rs"];

/// What the repository's top level may hold.
const TOP: &[&str] = &[
    ".ci",
    ".clippy.toml",
    ".gitattributes",
    ".gitignore",
    ".rustfmt.toml",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "benches",
    "deny.toml",
    "rust-toolchain.toml",
    "scripts",
    "src",
    "stdlib",
    "tabi.toml",
    "tests",
];

/// What is there on a machine that works on it, and is never committed.
const IGNORED: &[&str] = &[".git", ".tabi", "target"];

#[test]
fn rooms_name_only_the_floors_below() {
    let mut faults = BTreeSet::new();
    for (path, text) in sources() {
        let Some(room) = room_of(&path) else { continue };
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            faults.insert(format!("{}: `{room}` is no room of the floor plan", path.display()));
            continue;
        };
        let at_room_root = path.components().count() == 3 && path.ends_with("mod.rs");
        if text.contains("super::super") || (at_room_root && text.contains(" super::")) {
            faults.insert(format!("{}: climbs out with `super::`; write `crate::`", path.display()));
        }
        for used in crate_paths(&text) {
            if used != room && ROOMS.iter().any(|(r, _)| *r == used) && !allowed.contains(&used.as_str()) {
                faults.insert(format!("{}: `{room}` may not name `{used}`", path.display()));
            }
        }
    }
    report(&faults);
}

#[test]
fn outside_crates_stay_in_their_rooms() {
    let mut faults = BTreeSet::new();
    for (path, text) in sources() {
        let room = room_of(&path).unwrap_or_default();
        for (krate, owners) in OWNED {
            if names_crate(&text, krate) && !owners.contains(&room.as_str()) {
                faults.insert(format!("{}: only {owners:?} may name `{krate}`", path.display()));
            }
        }
    }
    report(&faults);
}

#[test]
fn files_say_what_they_are_for_and_stay_short() {
    let mut faults = BTreeSet::new();
    for (path, text) in sources().into_iter().chain(texts(Path::new("tests"))).chain(texts(Path::new("benches"))) {
        if !text.starts_with("//!") {
            faults.insert(format!("{}: no `//!` first line", path.display()));
        }
        let lines = text.lines().count();
        if lines > 800 {
            faults.insert(format!("{}: {lines} lines, more than 800", path.display()));
        }
    }
    report(&faults);
}

#[test]
fn modules_are_listed_with_a_comment_each() {
    let mut faults = BTreeSet::new();
    for (path, text) in sources().into_iter().filter(|(path, _)| path.ends_with("mod.rs")) {
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let declares = line.trim_start_matches("pub ").trim_start_matches("pub(crate) ").starts_with("mod ") && line.ends_with(';');
            if declares && !(at > 0 && (lines[at - 1].starts_with("//") || lines[at - 1].starts_with("#["))) {
                faults.insert(format!("{}:{}: `{line}` without a comment", path.display(), at + 1));
            }
        }
    }
    report(&faults);
}

#[test]
fn time_enters_at_the_clock_files_only() {
    let mut faults = BTreeSet::new();
    for (path, text) in sources().into_iter().filter(|(path, _)| !CLOCKS.iter().any(|clock| path.ends_with(clock))) {
        for (at, line) in code_lines(&text) {
            if line.contains("::now()") || line.contains("UNIX_EPOCH.elapsed") {
                faults.insert(format!("{}:{at}: reads the clock", path.display()));
            }
        }
    }
    report(&faults);
}

#[test]
fn only_render_prints() {
    let words = ["println!", "eprintln!", "print!(", "stdout()", "stderr()"];
    let mut faults = BTreeSet::new();
    for (path, text) in sources().into_iter().filter(|(path, _)| !path.starts_with("src/cli/render")) {
        for (at, line) in code_lines(&text) {
            if words.iter().any(|word| line.contains(word)) {
                faults.insert(format!("{}:{at}: prints", path.display()));
            }
        }
    }
    report(&faults);
}

#[test]
fn no_leftovers() {
    let words =
        [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("todo", "!("), concat!("unimplemented", "!("), concat!("dbg", "!(")];
    let mut faults = BTreeSet::new();
    for dir in ["src", "tests", "benches", "stdlib", "scripts", ".ci"] {
        for (path, text) in every_text(Path::new(dir)) {
            for (at, line) in text.lines().enumerate() {
                if let Some(word) = words.iter().find(|word| line.contains(**word)) {
                    faults.insert(format!("{}:{}: {word}", path.display(), at + 1));
                }
            }
        }
    }
    report(&faults);
}

#[test]
fn the_top_level_is_exactly_what_it_should_be() {
    let mut faults = BTreeSet::new();
    for entry in fs::read_dir(".").unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        if !TOP.contains(&name.as_str()) && !IGNORED.contains(&name.as_str()) {
            faults.insert(format!("`{name}` does not belong to the top level"));
        }
    }
    report(&faults);
}

fn report(faults: &BTreeSet<String>) {
    assert!(faults.is_empty(), "\n{}", faults.iter().map(String::as_str).collect::<Vec<_>>().join("\n"));
}

/// The room of a file under `src`: a folder, or a file beside `lib.rs` and `main.rs` with its own name.
fn room_of(path: &Path) -> Option<String> {
    let first = path.components().nth(1)?.as_os_str().to_string_lossy().into_owned();
    let room = first.strip_suffix(".rs").unwrap_or(&first).to_owned();
    (!matches!(room.as_str(), "lib" | "main")).then_some(room)
}

/// Whether a path of the crate is used: `krate::` not preceded by a letter or another path.
fn names_crate(text: &str, krate: &str) -> bool {
    let path = format!("{krate}::");
    code_lines(text)
        .any(|(_, line)| line.match_indices(&path).any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')))
}

/// Lines without comments, numbered from 1.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(at, line)| (at + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// The first segment after every `crate::`, including those inside `crate::{a, b::c}`.
fn crate_paths(text: &str) -> Vec<String> {
    let ident = |s: &str| s.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = Vec::new();
    for tail in text.split("crate::").skip(1) {
        let Some(group) = tail.strip_prefix('{') else {
            found.push(ident(tail));
            continue;
        };
        let (mut depth, mut item) = (0, String::new());
        for c in group.chars() {
            match c {
                '}' if depth == 0 => break,
                ',' if depth == 0 => found.push(ident(std::mem::take(&mut item).trim())),
                '{' => depth += 1,
                '}' => depth -= 1,
                _ if depth == 0 => item.push(c),
                _ => (),
            }
        }
        found.push(ident(item.trim()));
    }
    found
}

fn sources() -> Vec<(PathBuf, String)> {
    texts(Path::new("src"))
}

/// Every Rust file below a folder and its text.
fn texts(dir: &Path) -> Vec<(PathBuf, String)> {
    every_text(dir).into_iter().filter(|(path, _)| path.extension().is_some_and(|x| x == "rs")).collect()
}

/// Every file below a folder that is text.
fn every_text(dir: &Path) -> Vec<(PathBuf, String)> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut found = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(every_text(&path));
        } else if let Ok(text) = fs::read_to_string(&path) {
            found.push((path, text));
        }
    }
    found
}
