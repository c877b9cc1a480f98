//! The reference: complete, and every example runs.

use tabi::{
    model::Value,
    script::{RunError, reference},
};

use super::bench::{Scripted, Workspace, findings, run};

#[test]
fn every_function_has_a_sentence_and_an_example() {
    let entries = reference();
    let bare: Vec<_> = entries
        .iter()
        .filter(|entry| entry.summary.is_empty() || entry.forms.iter().any(|form| form.examples.is_empty()))
        .map(|entry| entry.name.clone())
        .filter(|name| name != "weekday")
        .collect();
    assert_eq!(bare, Vec::<String>::new());
    let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    for wanted in ["rule", "mapping", "pendo::segment", "salesforce::query", "score::bands", "math::round", "days", "create_cta", "state::get"] {
        assert!(names.contains(&wanted), "{wanted} is not among {names:?}");
    }
}

#[test]
fn every_function_of_the_standard_library_is_there() {
    let entries = reference();
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/stdlib")).unwrap().map(|entry| entry.unwrap().path()) {
        let namespace = file.file_stem().unwrap().to_string_lossy().into_owned();
        for line in std::fs::read_to_string(&file).unwrap().lines().filter_map(|line| line.strip_prefix("fn ")) {
            let name = format!("{namespace}::{}", line.split('(').next().unwrap());
            assert!(entries.iter().any(|entry| entry.name == name && entry.forms.iter().all(|form| form.scripted)), "{name}");
        }
    }
}

#[test]
fn signatures_name_their_parameters() {
    let entries = reference();
    let signature =
        |name: &str| entries.iter().find(|entry| entry.name == name).unwrap().forms.iter().map(|f| f.signature.clone()).collect::<Vec<_>>();
    assert_eq!(signature("score::bands"), ["score::bands(value, bands)"]);
    assert_eq!(signature("salesforce::query"), ["salesforce::query(statement: text)"]);
    assert_eq!(signature("math::round"), ["math::round(value)", "math::round(value, places: integer)"]);
}

#[test]
fn every_example_runs_and_those_that_claim_something_are_right() {
    for entry in reference() {
        for example in entry.forms.iter().flat_map(|form| &form.examples) {
            // Declarations and actions run as a file under scripts/, everything else as a plain script.
            match run(example, Scripted::agreeable()) {
                Ok(Value::Bool(holds)) => assert!(holds, "{}: does not hold: {example}", entry.name),
                Ok(_) => (),
                Err(RunError::Failed(failure)) if failure.fault.code.as_deref() == Some("E0309") => declares(&entry.name, example),
                // What only tests can say is run as a test: `cli::testing::every_example_of_the_functions_of_tests_holds`.
                Err(RunError::Unsound { diagnostics, .. }) if diagnostics.iter().all(|finding| finding.code == "E0801") => (),
                Err(RunError::Unsound { diagnostics, .. }) => panic!("{}: {diagnostics:?}", entry.name),
                Err(error) => panic!("{}: {error}\n{example}", entry.name),
            }
        }
    }
}

fn declares(name: &str, example: &str) {
    let said = findings(&Workspace::new(&[("scripts/example.rhai", example)]).load());
    assert_eq!(said, Vec::<String>::new(), "{name}: {example}");
}
