//! The example scripts of this repository load without a finding and declare what they say.

use std::path::Path;

use tabi::{
    model::{Date, Record, Timestamp, Value},
    script::{ActionKind, Body, Cell, Generation, Limits},
};

fn record(fields: &[(&str, Value)]) -> Record {
    fields.iter().map(|(name, value)| ((*name).into(), value.clone())).collect()
}

fn canon() -> Generation {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = std::fs::read_dir(root.join("scripts")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rhai"));
    let generation = Generation::load(root, &files, &Limits::default(), None);
    let shown: Vec<String> = generation.diagnostics().iter().map(|d| tabi::script::render(d, |file| generation.text(file), false)).collect();
    assert!(shown.is_empty(), "{}", shown.join("\n"));
    generation
}

#[test]
fn every_example_script_is_sound() {
    let canon = canon();
    let mut names: Vec<&str> = canon.declarations().map(|d| d.name.as_str()).collect();
    names.sort_unstable();
    let wanted = [
        "csat-after-case",
        "falling-usage",
        "new-customer-onboarding",
        "nps-in-app",
        "pendo-account",
        "pendo-account-weekly",
        "pendo-sync-from-gainsight-to-account",
        "release-video",
        "renewal-at-risk",
        "usage-push-from-pendo-account",
    ];
    assert_eq!(names, wanted);
}

#[test]
fn a4_closures_of_the_push_compute_their_fields() {
    let canon = canon();
    let Body::Integration(integration) = &canon.declaration("pendo-account").unwrap().body else { panic!("an integration") };
    let row = record(&[
        ("accountId", Value::text("a-1")),
        ("time_on_site", Value::Int(754)),
        ("last_visit", Value::Instant("2026-01-31T23:10:00Z".parse::<Timestamp>().unwrap())),
    ]);
    let mut values = Vec::new();
    for map in &integration.push[0].fields {
        if let Cell::Compute(closure) = &map.from {
            values.push((map.target.as_str(), closure.reads().unwrap().to_vec(), closure.call_row(&row).unwrap()));
        }
    }
    values.sort_by_key(|(target, ..)| *target);
    let day: Date = "2026-01-31".parse().unwrap();
    assert_eq!(
        values,
        [
            ("Pendo_lastvisit_last30d__c", vec!["last_visit".to_owned()], Value::Date(day)),
            ("Pendo_timeonsite_last30d__c", vec!["time_on_site".to_owned()], Value::Float(12.6)),
        ]
    );
}

#[test]
fn a16_scores_come_from_the_standard_library() {
    let canon = canon();
    let Body::Rule(rule) = &canon.declaration("usage-push-from-pendo-account").unwrap().body else { panic!("a rule") };
    let ActionKind::Score(score) = &rule.actions[1].kind else { panic!("a score") };
    let Cell::Compute(closure) = &score.score else { panic!("a closure") };
    let scored = |visitors: Value| closure.call_row(&record(&[("Pendo_numberofvisitors_last30d__c", visitors)])).unwrap();
    assert_eq!([scored(Value::Int(70)), scored(Value::Int(12)), scored(Value::Null)], [Value::Int(100), Value::Int(60), Value::Int(20)]);
}

#[test]
fn closures_see_constants_and_functions_of_their_file() {
    let canon = canon();
    let Body::Rule(rule) = &canon.declaration("falling-usage").unwrap().body else { panic!("a rule") };
    let ActionKind::Cta(cta) = &rule.actions[0].kind else { panic!("a call to action") };
    let Cell::Compute(priority) = &cta.priority else { panic!("a closure") };
    let row = |week: i64| record(&[("Pendo_numberofvisitors_last7d__c", Value::Int(week)), ("Pendo_numberofvisitors_last30d__c", Value::Int(40))]);
    assert_eq!(priority.reads(), None, "the row is handed on");
    assert_eq!((priority.call_row(&row(9)).unwrap(), priority.call_row(&row(10)).unwrap()), (Value::text("High"), Value::text("Medium")));
}
