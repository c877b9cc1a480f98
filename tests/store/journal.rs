//! The journal of writes: noted before, completed after, read in pages, forgotten by age and size.

use tabi::{
    model::{Change, CreateField, Effect, Fault, FaultKind, Field, FieldType, RowOutcome, System, Value, Write},
    store::{Error, Finish, Outcome, Retention, Status, Store},
};

use super::{at, begin, record, updates};

fn open() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path().join("state.db")).expect("open");
    (folder, store)
}

fn written() -> RowOutcome {
    RowOutcome { id: None, created: false, fault: None }
}

#[test]
fn a_batch_comes_back_as_it_was_asked_for_with_what_became_of_each_row() {
    let (_folder, store) = open();
    let run = begin(&store, "health", at(0));
    let fields = record(&[("Health_Score__c", Value::Float(71.5)), ("Note", Value::text("🚀 ok")), ("Gone", Value::Null)]);
    let before = record(&[("Health_Score__c", Value::Int(3))]);
    let rows = vec![
        Change::Update { key: "a".into(), id: "001A".into(), fields: fields.clone(), before: before.clone() },
        Change::Insert { key: "b".into(), fields: fields.clone() },
        Change::Upsert { key: "c".into(), by: "Ext__c".into(), fields },
        Change::Delete { key: "d".into(), id: "001D".into(), before },
    ];
    let write = Write { system: System::Gainsight, object: "Company".into(), rows: rows.clone().into() };
    let batch = store.intend(&run, &write, at(1)).expect("intend");
    let seen = store.journal(&run, None, 100).expect("journal");
    assert_eq!(seen.iter().map(|row| row.change.clone()).collect::<Vec<_>>(), rows);
    assert!(seen.iter().all(|row| row.outcome == Outcome::Unknown && row.at == at(1)));

    let locked = Fault::from_system(System::Gainsight, FaultKind::Conflict, "locked").code("UNABLE_TO_LOCK_ROW").field("Name");
    let outcomes = [
        RowOutcome { fault: Some(locked.clone()), ..written() },
        RowOutcome { id: Some("1P02NEW".into()), created: true, fault: None },
        RowOutcome { id: Some("1P02OLD".into()), ..written() },
        written(),
    ];
    store.complete(batch, &outcomes, at(2)).expect("complete");
    let became: Vec<Outcome> = store.batch_rows(batch, None, 100).expect("rows").into_iter().map(|row| row.outcome).collect();
    let done = |id: &str, created| Outcome::Written { id: Some(id.into()), created };
    assert_eq!(became, [Outcome::Failed(locked), done("1P02NEW", true), done("1P02OLD", false), done("001D", false)]);
    assert_eq!(store.unfinished("health").expect("unfinished"), []);
}

#[test]
fn outcomes_that_do_not_match_their_batch_are_refused() {
    let (_folder, store) = open();
    let run = begin(&store, "health", at(0));
    let batch = store.intend(&run, &updates(3), at(1)).expect("intend");
    assert!(matches!(store.complete(batch, &[written()], at(2)), Err(Error::OutcomeCount { rows: 3, outcomes: 1, .. })));
    assert_eq!(store.unfinished("health").expect("still open").len(), 1);
    let down = Fault::new(FaultKind::Unavailable, "down");
    store.fail(batch, &down, at(3)).expect("fail");
    let rows = store.journal(&run, None, 10).expect("journal");
    assert!(rows.iter().all(|row| row.outcome == Outcome::Failed(down.clone())));
}

#[test]
fn effects_without_rows_are_journaled_too() {
    let (_folder, store) = open();
    let run = begin(&store, "fields", at(0));
    let field = Field {
        name: "Pendo_x__c".into(),
        label: "Pendo X".into(),
        kind: FieldType::Bool,
        nillable: true,
        createable: true,
        updateable: true,
        required: false,
        key: false,
        case_sensitive: false,
    };
    let effect = Effect::CreateField(CreateField { system: System::Salesforce, object: "Account".into(), field, description: None });
    let batch = store.intend_effect(&run, &effect, at(1)).expect("intend");
    let open = store.unfinished("fields").expect("unfinished");
    assert_eq!((open.len(), open[0].effect.as_ref()), (1, Some(&effect)));
    store.complete(batch, &[], at(2)).expect("complete");
    assert_eq!(store.unfinished("fields").expect("unfinished"), []);
}

#[test]
fn pages_join_without_gap_or_overlap_across_batches_and_runs() {
    let (_folder, store) = open();
    let (one, two) = (begin(&store, "one", at(0)), begin(&store, "two", at(0)));
    for n in 0..5 {
        store.intend(&one, &updates(7 + n), at(1)).expect("intend");
        store.intend(&two, &updates(3), at(1)).expect("intend");
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = store.journal(&one, after, 4).expect("page");
        let Some(last) = page.last() else { break };
        after = Some(last.seq);
        seen.extend(page.into_iter().map(|row| row.seq));
    }
    assert_eq!(seen.len(), 7 + 8 + 9 + 10 + 11);
    assert!(seen.is_sorted_by(|a, b| a < b));
}

#[test]
fn old_and_surplus_rows_are_forgotten_but_never_unfinished_ones() {
    let (_folder, store) = open();
    let day = 86_400;
    let run = begin(&store, "old", at(0));
    let old = store.intend(&run, &updates(10), at(0)).expect("intend");
    store.complete(old, &vec![written(); 10], at(1)).expect("complete");
    let unfinished = store.intend(&run, &updates(5), at(2)).expect("intend");
    for n in 0..4 {
        let batch = store.intend(&run, &updates(10), at(40 * day + n)).expect("intend");
        store.complete(batch, &vec![written(); 10], at(40 * day + n)).expect("complete");
    }
    let days = Retention { journal_days: Some(30), ..Retention::default() };
    assert_eq!(store.sweep(days, at(41 * day)).expect("sweep").journal_rows, 10);
    let rows = Retention { journal_rows: Some(25), ..Retention::default() };
    assert_eq!(store.sweep(rows, at(41 * day)).expect("sweep").journal_rows, 10, "whole batches: 30 rows stay");
    assert_eq!(store.batch_rows(unfinished, None, 100).expect("rows").len(), 5);
    assert_eq!(store.journal(&run, None, 1_000).expect("journal").len(), 35);
}

#[test]
fn old_runs_are_forgotten_but_each_declarations_last_one_stays() {
    let (_folder, store) = open();
    for n in 0..3 {
        let run = begin(&store, "daily", at(n));
        store.finish(&run, &Finish::new(Status::Ok, at(n))).expect("finish");
    }
    let swept = store.sweep(Retention { run_days: Some(7), ..Retention::default() }, at(100 * 86_400)).expect("sweep");
    assert_eq!(swept.runs, 2);
    assert_eq!(store.runs(&tabi::store::RunFilter::default()).expect("runs").len(), 1);
}

#[test]
fn the_value_last_written_to_a_field_is_known_with_its_run() {
    let (_folder, store) = open();
    let change = |id: &str, fields: &[(&str, Value)]| Change::Update { key: "k".into(), id: id.into(), fields: record(fields), before: record(&[]) };
    let mut clock = 0;
    let mut write = |rows: Vec<Change>, outcomes: Option<Vec<RowOutcome>>| {
        clock += 1;
        let run = begin(&store, "health", at(clock));
        let batch =
            store.intend(&run, &Write { system: System::Salesforce, object: "Account".into(), rows: rows.into() }, at(clock)).expect("intend");
        if let Some(outcomes) = outcomes {
            store.complete(batch, &outcomes, at(clock)).expect("complete");
        }
        run
    };
    let insert = Change::Insert { key: "n".into(), fields: record(&[("Name", Value::text("New")), ("Score", Value::Int(1))]) };
    let made = RowOutcome { id: Some("001N".into()), created: true, fault: None };
    let refused = || RowOutcome { fault: Some(Fault::new(FaultKind::Invalid, "no")), ..written() };
    let first = write(vec![insert, change("001X", &[("Score", Value::Int(9))])], Some(vec![made, written()]));
    let second = write(vec![change("001N", &[("Score", Value::Int(2))])], Some(vec![written()]));
    write(vec![change("001N", &[("Score", Value::Int(3))])], Some(vec![refused()]));
    write(vec![change("001N", &[("Score", Value::Int(4))])], None);

    let seen = store.last_applied(System::Salesforce, "Account", "001N").expect("applied");
    let told: Vec<_> = seen.iter().map(|(field, last)| (field.as_str(), last.value.clone(), last.run.clone(), last.at)).collect();
    assert_eq!(told, [("Name", Value::text("New"), first, at(1)), ("Score", Value::Int(2), second, at(2))]);
    assert!(store.last_applied(System::Gainsight, "Account", "001N").expect("another system").is_empty());
    write(vec![Change::Delete { key: "n".into(), id: "001N".into(), before: record(&[]) }], Some(vec![written()]));
    assert!(store.last_applied(System::Salesforce, "Account", "001N").expect("deleted").is_empty());
}
