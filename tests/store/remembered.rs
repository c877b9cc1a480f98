//! Runs, row errors, cursors, marks, schemas, keys.

use std::collections::BTreeMap;

use tabi::{
    model::{Field, FieldType, ObjectSchema, System, Value},
    store::{Begin, Error, Finish, RowError, RunFilter, RunId, Status, Store},
};

use super::{at, begin, record};

fn open() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path().join("state.db")).expect("open");
    (folder, store)
}

#[test]
fn a_run_is_remembered_from_begin_to_finish() {
    let (_folder, store) = open();
    let parameters = record(&[("date", Value::text("2026-11-20")), ("full", Value::Bool(true))]);
    let run =
        store.begin(&Begin { name: "usage", kind: "rule", hash: "abc", reason: "after pendo", parameters: &parameters, at: at(0) }).expect("begin");
    assert_eq!(store.run(&run).expect("run").status, Status::Running);
    let calls = BTreeMap::from([(System::Salesforce, 12), (System::Pendo, 3)]);
    let end = Finish {
        read: 200,
        written: 150,
        unchanged: 48,
        rejected: 2,
        calls: calls.clone(),
        seconds: 1.5,
        message: Some("2 rows were rejected".into()),
        ..Finish::new(Status::Partial, at(9))
    };
    store.finish(&run, &end).expect("finish");
    let seen = store.run(&run).expect("run");
    assert_eq!((seen.read, seen.written, seen.unchanged, seen.rejected), (200, 150, 48, 2));
    assert_eq!((seen.status, seen.calls, seen.seconds, seen.parameters), (Status::Partial, calls, 1.5, parameters));
    assert_eq!((seen.started, seen.ended, seen.message.as_deref()), (at(0), Some(at(9)), Some("2 rows were rejected")));
    assert!(matches!(store.finish(&run, &end), Err(Error::RunFinished { .. })), "a run ends once");
    assert!(matches!(store.run(&RunId::new("261121-9999")), Err(Error::NoRun { .. })));
}

#[test]
fn run_ids_are_short_and_sort_by_time_and_listings_page() {
    let (_folder, store) = open();
    let runs: Vec<RunId> = (0..5).map(|n| begin(&store, if n % 2 == 0 { "even" } else { "odd" }, at(n * 40_000))).collect();
    assert!(runs.is_sorted() && runs.iter().all(|run| run.as_str().len() == 11), "{runs:?}");
    let all: Vec<RunId> = store.runs(&RunFilter::default()).expect("runs").into_iter().map(|run| run.id).collect();
    assert_eq!(all, runs.iter().rev().cloned().collect::<Vec<_>>());
    let page = store.runs(&RunFilter { name: Some("even"), before: Some(&runs[4]), limit: 1 }).expect("page");
    assert_eq!((page.len(), &page[0].id), (1, &runs[2]));
}

#[test]
fn row_errors_are_bounded_per_run_but_all_counted() {
    let (_folder, store) = open();
    let run = begin(&store, "usage", at(0));
    let row = |n: usize| RowError {
        key: format!("k{n}"),
        field: Some("Pendo_x__c".into()),
        value: Some("é".repeat(5_000)),
        reason: "not a number".into(),
        source: Some(format!("Account {n}")),
        place: Some("scripts/a.rhai:1:2".into()),
    };
    store.reject(&run, &[row(0), row(1)], 3).expect("reject");
    store.reject(&run, &[row(2), row(3), row(4)], 3).expect("reject");
    store.reject(&run, &[row(5)], 3).expect("reject");
    let kept = store.row_errors(&run, 0, 100).expect("rows");
    assert_eq!(kept.iter().map(|row| row.key.as_str()).collect::<Vec<_>>(), ["k0", "k1", "k2"]);
    assert!(kept.iter().all(|row| row.value.as_ref().is_some_and(|value| value.len() <= RowError::VALUE_BYTES)));
    assert_eq!(store.row_errors(&run, 1, 1).expect("a page")[0].key, "k1");
    assert_eq!(store.run(&run).expect("run").row_errors, 6);
}

#[test]
fn cursors_move_only_with_a_runs_success() {
    let (_folder, store) = open();
    let with = |status, value: &str| Finish { cursors: vec![("Account".into(), value.into())], ..Finish::new(status, at(9)) };
    for (status, value, then) in
        [(Status::Failed, "1", None), (Status::Ok, "2", Some("2")), (Status::Interrupted, "3", Some("2")), (Status::Partial, "4", Some("4"))]
    {
        let run = begin(&store, "usage", at(0));
        store.finish(&run, &with(status, value)).expect("finish");
        assert_eq!(store.cursor("usage", "Account").expect("cursor").as_deref(), then, "{status:?}");
    }
    assert_eq!(store.cursor("usage", "Contact").expect("cursor"), None);
    store.clear_cursors("usage").expect("clear");
    assert_eq!(store.cursor("usage", "Account").expect("cursor"), None);
}

#[test]
fn the_scripts_store_keeps_json_under_keys() {
    let (_folder, store) = open();
    let value = Value::Map(record(&[("n", Value::Int(3)), ("list", Value::List(vec![Value::Null, Value::text("é")]))]));
    store.kv_set("a/1", &value, at(0)).expect("set");
    store.kv_set("a/1", &value, at(1)).expect("set again");
    store.kv_set("a/2", &Value::Bool(true), at(1)).expect("set");
    store.kv_set("b%", &Value::Null, at(1)).expect("set");
    assert_eq!(store.kv_get("a/1").expect("get"), Some(value));
    assert_eq!(store.kv_get("b%").expect("get"), Some(Value::Null));
    assert_eq!(store.kv_keys("a/").expect("keys"), ["a/1", "a/2"]);
    assert_eq!(store.kv_keys("%").expect("keys"), [""; 0]);
    assert!(store.kv_delete("a/1").expect("delete") && !store.kv_delete("a/1").expect("delete"));
    assert_eq!(store.kv_get("a/1").expect("get"), None);
}

#[test]
fn describes_and_marks_survive_reopening() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.db");
    let field = Field {
        name: "Name".into(),
        label: "Account Name".into(),
        kind: FieldType::Bool,
        nillable: false,
        createable: true,
        updateable: true,
        required: true,
        key: false,
        case_sensitive: false,
    };
    let schema = ObjectSchema { system: System::Salesforce, name: "Account".into(), label: "Account".into(), fields: vec![field] };
    {
        let store = Store::open(&path).expect("open");
        store.keep_schema(&schema, at(4)).expect("keep");
        store.mark_started("usage", at(1)).expect("mark");
        store.mark_started("usage", at(5)).expect("mark");
        store.mark_finished("usage", at(6)).expect("mark");
    }
    let store = Store::open(&path).expect("open");
    let seen = store.schema(System::Salesforce, "Account").expect("schema").expect("cached");
    assert_eq!((seen.schema, seen.at), (schema, at(4)));
    let mark = store.mark("usage").expect("mark").expect("there");
    assert_eq!((mark.started, mark.finished), (Some(at(5)), Some(at(6))));
    assert_eq!(store.marks().expect("marks"), [mark]);
    store.forget_schemas(System::Salesforce).expect("forget");
    assert_eq!(store.schema(System::Salesforce, "Account").expect("schema"), None);
}

#[test]
fn all_state_files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join(".tabi");
    let store = Store::open(state.join("state.db")).expect("open");
    begin(&store, "usage", at(0));
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o700);
    for file in ["state.db", "state.db-wal", "state.db-shm"] {
        assert_eq!(mode(&state.join(file)), 0o600, "{file}");
    }
    for lock in std::fs::read_dir(state.join("locks")).expect("locks") {
        assert_eq!(mode(&lock.expect("a lock").path()), 0o600);
    }
}
