//! Diagnostics, one folder per case: what is under `scripts/`, and what is said about it. `UPDATE=1` writes what is said now.

use std::{collections::BTreeSet, fmt::Write, fs, path::Path};

use tabi::script::{CODES, Generation, Limits, explain, render};

fn said(case: &Path) -> String {
    let mut files: Vec<_> = fs::read_dir(case.join("scripts")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let generation = Generation::load(case, &files, &Limits::default(), None);
    generation.diagnostics().iter().map(|finding| render(finding, |file| generation.text(file), false) + "\n\n").collect()
}

fn cases() -> Vec<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/script/cases");
    let mut cases: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

#[test]
fn every_case_says_what_it_should() {
    let mut wrong = String::new();
    for case in cases() {
        let (said, expected) = (said(&case), case.join("expected.txt"));
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&expected, &said).unwrap();
        }
        let wanted = fs::read_to_string(&expected).unwrap_or_default();
        if said != wanted {
            writeln!(wrong, "== {}\n-- wanted\n{wanted}-- said\n{said}", case.display()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_code_is_registered_once_explained_and_shown_by_a_test() {
    let codes: BTreeSet<&str> = CODES.iter().map(|code| code.code).collect();
    assert_eq!(codes.len(), CODES.len());
    assert!(explain("e0402").is_some_and(|code| code.title.contains("two")));
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut sources: String =
        fs::read_dir(tests.join("script")).unwrap().filter_map(|entry| fs::read_to_string(entry.unwrap().path()).ok()).collect();
    // Those of tests come from the command that runs them.
    sources.push_str(&fs::read_to_string(tests.join("cli/testing.rs")).unwrap());
    let expected: String = cases().iter().map(|case| fs::read_to_string(case.join("expected.txt")).unwrap()).collect();
    let unseen: Vec<&&str> = codes.iter().filter(|code| !expected.contains(**code) && !sources.contains(**code)).collect();
    assert!(unseen.is_empty(), "no test shows {unseen:?}");
}
