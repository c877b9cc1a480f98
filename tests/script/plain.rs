//! Plain scripts: effects, replies, faults caught and not, what they print.

use std::sync::{Arc, Mutex};

use tabi::{
    model::{Change, Effect, Fault, FaultKind, Page, Record, Reply, Source, System, Value},
    script::{RunError, ScriptRun, run_script, run_source},
};

use super::bench::{Scripted, Workspace, run};

fn record(fields: &[(&str, &str)]) -> Record {
    fields.iter().map(|(name, text)| ((*name).into(), Value::text(text))).collect()
}

#[test]
fn h7_a_script_runs_once_with_its_arguments_and_returns_its_last_value() {
    let workspace =
        Workspace::new(&[("auto/hello.rhai", "import \"../lib/x\" as x;\nprint(`hello ${args[0]}`);\n#{ n: x::one(), d: date(\"2026-01-31\") }")]);
    let mut workspace = workspace;
    workspace.write("lib/x.rhai", "fn one() { 1 }");
    let printed: Arc<Mutex<Vec<String>>> = Arc::default();
    let sink = Arc::clone(&printed);
    let print: tabi::script::PrintSink = Arc::new(move |line: &str| sink.lock().unwrap().push(line.to_owned()));
    let run = ScriptRun { arguments: vec!["Ana".into()], print: Some(print), ..ScriptRun::with(Scripted::agreeable()) };
    let value = run_script(&workspace.root(), &workspace.root().join("auto/hello.rhai"), run).unwrap();
    assert_eq!(serde_json::to_string(&value).unwrap(), r#"{"d":"2026-01-31","n":1}"#);
    assert_eq!(*printed.lock().unwrap(), ["hello Ana"]);
}

#[test]
fn a_query_reads_every_page() {
    let perform = Scripted::new(|effect| {
        let Effect::Read(read) = effect else { panic!("{effect:?}") };
        assert_eq!(read.source, Source::Soql("SELECT Id FROM Account".into()));
        let (id, next) = if read.after.is_none() { ("1", Some("more".to_owned())) } else { ("2", None) };
        Ok(Reply::Page(Page { records: vec![record(&[("Id", id)])], next, total: None }))
    });
    let value = run("salesforce::query(\"SELECT Id FROM Account\").map(|row| row.Id)", perform).unwrap();
    assert_eq!(value, Value::List(vec![Value::text("1"), Value::text("2")]));
}

#[test]
fn writes_are_effects_with_plain_rows() {
    let perform = Scripted::agreeable();
    run(
        "salesforce::update(\"Account\", \"001\", #{ Name: \"Acme\" }); pendo::set_metadata(\"account\", \"custom\", \"001\", #{ tier: 1 });",
        perform.clone(),
    )
    .unwrap();
    let asked = perform.asked.lock().unwrap();
    let Effect::Write(first) = &asked[0] else { panic!("{asked:?}") };
    let wanted = Change::Update { key: "001".into(), id: "001".into(), fields: record(&[("Name", "Acme")]), before: Record::new() };
    assert_eq!((first.system, first.object.as_str(), &*first.rows), (System::Salesforce, "Account", &vec![wanted]));
    let Effect::Write(second) = &asked[1] else { panic!("{asked:?}") };
    assert_eq!(second.rows[0].key(), "001");
    assert!(format!("{:?}", second.rows).contains("metadata.custom.tier"));
}

#[test]
fn faults_are_maps_that_can_be_caught() {
    let perform = Scripted::new(|_| {
        let fault = Fault::from_system(System::Salesforce, FaultKind::RateLimited, "slow down").code("REQUEST_LIMIT_EXCEEDED").field("Name");
        Err(fault.retry_after(Some(std::time::Duration::from_secs(30))))
    });
    let script = "let said = \"\"; try { salesforce::create(\"Task\", #{ Subject: \"x\" }); } catch (e) { \
                  said = `${e.kind} ${e.message} ${e.system} ${e.code} ${e.field} ${e.retry_after}`; } said";
    assert_eq!(run(script, perform).unwrap(), Value::text("rate_limited slow down salesforce REQUEST_LIMIT_EXCEEDED Name 30"));
}

#[test]
fn an_uncaught_fault_keeps_its_kind_and_tells_its_place() {
    let perform = Scripted::new(|_| Err(Fault::from_system(System::Pendo, FaultKind::NotFound, "no such account").code("404")));
    let RunError::Failed(failure) = run("let x = 1;\nfn f() { pendo::account(\"a\") }\nf()", perform).unwrap_err() else { panic!("it ran") };
    assert_eq!((failure.fault.kind, failure.fault.system, failure.fault.code.as_deref()), (FaultKind::NotFound, Some(System::Pendo), Some("404")));
    assert_eq!(failure.place.map(|place| (place.line, place.column)), Some((2, 17)));
}

#[test]
fn a_fault_thrown_again_is_the_same_fault() {
    let perform = Scripted::new(|_| Err(Fault::from_system(System::Pendo, FaultKind::Conflict, "busy")));
    let RunError::Failed(failure) = run("try { pendo::guides(); } catch (e) { throw e; }", perform).unwrap_err() else { panic!("it ran") };
    assert_eq!(failure.fault.kind, FaultKind::Conflict);
}

#[test]
fn an_interrupt_cannot_be_caught() {
    let perform = Scripted::new(|_| Err(Fault::new(FaultKind::Interrupted, "stopping")));
    let RunError::Failed(failure) = run("try { pendo::guides(); } catch { } 1", perform).unwrap_err() else { panic!("it ran") };
    assert_eq!(failure.fault.kind, FaultKind::Interrupted);
}

#[test]
fn a_refused_row_is_thrown_by_the_single_form_and_told_by_the_list_form() {
    let perform = || {
        Scripted::new(|effect| {
            let Effect::Write(write) = effect else { panic!("{effect:?}") };
            let outcome = |n: usize| tabi::model::RowOutcome {
                id: (n == 0).then(|| "id-0".to_owned()),
                created: n == 0,
                fault: (n > 0).then(|| Fault::new(FaultKind::Invalid, "bad row")),
            };
            Ok(Reply::Written((0..write.rows.len()).map(|n| outcome(if write.rows.len() == 1 { 1 } else { n })).collect()))
        })
    };
    let caught = run("let said = (); try { salesforce::create(\"Task\", #{ A: 1 }); } catch (e) { said = e.message; } said", perform()).unwrap();
    assert_eq!(caught, Value::text("bad row"));
    let told = run("salesforce::create(\"Task\", [#{ A: 1 }, #{ A: 2 }]).map(|o| `${o.id} ${o.created} ${o.error}`)", perform()).unwrap();
    assert_eq!(told, Value::List(vec![Value::text("id-0 true "), Value::text(" false bad row")]));
}

#[test]
fn a_script_with_mistakes_is_not_started() {
    let perform = Scripted::agreeable();
    let RunError::Unsound { diagnostics, .. } =
        run("state::set(\"a\", 1);\nif false { nosuch(1); }\nstate::gett(\"a\");", perform.clone()).unwrap_err()
    else {
        panic!("it ran")
    };
    let codes: Vec<_> = diagnostics.iter().map(|d| (d.code, d.line)).collect();
    assert_eq!((codes, perform.asked.lock().unwrap().len()), (vec![("E0203", 2), ("E0203", 3)], 0));
}

#[test]
fn a_misspelt_variable_does_not_hide_the_arguments() {
    let RunError::Unsound { diagnostics, .. } = run("let n = args.len();\nprint(n + nn);", Scripted::agreeable()).unwrap_err() else {
        panic!("it ran")
    };
    assert_eq!(diagnostics.iter().map(|d| d.message.as_str()).collect::<Vec<_>>(), ["unknown variable `nn`"]);
}

#[test]
fn a_script_from_elsewhere_may_import_from_the_workspace_only() {
    let workspace = Workspace::new(&[("scripts/lib.rhai", "fn one() { 1 }")]);
    let elsewhere = Workspace::new(&[
        ("auto.rhai", "import \"lib\" as lib; lib::one()"),
        ("other.rhai", "fn two() { 2 }"),
        ("bad.rhai", "import \"other\" as o;"),
    ]);
    let value = run_script(&workspace.root(), &elsewhere.root().join("auto.rhai"), ScriptRun::with(Scripted::agreeable())).unwrap();
    assert_eq!(value, Value::Int(1));
    let refused = run_script(&workspace.root(), &elsewhere.root().join("bad.rhai"), ScriptRun::with(Scripted::agreeable())).unwrap_err();
    let RunError::Unsound { diagnostics, .. } = refused else { panic!("it ran") };
    assert_eq!(diagnostics[0].code, "E0105");
}

#[test]
fn declarations_do_not_belong_in_plain_scripts() {
    let script = "pendo::segment(\"s\", #{ filters: #{ a: [\"x\", \"=\", 1] } });";
    let RunError::Failed(failure) = run(script, Scripted::agreeable()).unwrap_err() else { panic!("it ran") };
    assert_eq!(failure.fault.code.as_deref(), Some("E0309"));
}

#[test]
fn mistakes_in_option_maps_are_faults_at_run_time() {
    let RunError::Failed(failure) = run("gainsight::query(\"Company\", #{ feilds: [\"Name\"] })", Scripted::agreeable()).unwrap_err() else {
        panic!("it ran")
    };
    assert_eq!(failure.fault.message, "a query has no option `feilds`; did you mean `fields`?");
}

#[test]
fn a_value_that_is_no_data_is_shown() {
    assert_eq!(run("salesforce::object(\"Account\")", Scripted::agreeable()).unwrap(), Value::text("salesforce Account"));
    assert_eq!(run("exit(5); 6", Scripted::agreeable()).unwrap(), Value::Int(5));
}

#[test]
fn source_without_a_file_finds_imports_in_the_workspace() {
    let workspace = Workspace::new(&[("scripts/lib.rhai", "fn one() { 1 }")]);
    let run = ScriptRun::with(Scripted::agreeable());
    assert_eq!(run_source(&workspace.root(), "import \"lib\" as lib; lib::one() + 1", run).unwrap(), Value::Int(2));
}
