//! Closures: what they see, what they keep, what they read.

use tabi::{
    model::{Effect, FaultKind, Record, Reply, Source, Value},
    script::{Body, Cell, Generation, Limits},
};

use super::bench::{Scripted, Workspace, closure, findings, first_closure, mapping};

fn row(fields: &[(&str, i64)]) -> Record {
    fields.iter().map(|(name, n)| ((*name).into(), Value::Int(*n))).collect()
}

fn value(script: &str, row: &Record) -> Value {
    closure(script).1.call_row(row).unwrap()
}

#[test]
fn constants_functions_and_captures_of_the_file_are_seen() {
    let before = "const LIMIT = 3; let k = 100; fn add(x) { x + global::LIMIT }";
    assert_eq!(value(&mapping(before, "|row| add(row.n) + k + global::LIMIT + LIMIT"), &row(&[("n", 1)])), Value::Int(110));
}

#[test]
fn imports_are_seen_also_through_functions_and_their_own_constants() {
    let mut workspace = Workspace::new(&[("lib/num.rhai", "const TWO = 2; fn twice(x) { x * global::TWO } fn apply(f, x) { f.call(x) }")]);
    let script =
        mapping("import \"../lib/num\" as num;\nfn via(x) { num::twice(x) }", "|row| num::twice(row.n) + via(row.n) + num::apply(|x| x + 1, row.n)");
    workspace.write("scripts/a.rhai", script);
    let generation = workspace.load();
    assert_eq!(findings(&generation), Vec::<String>::new());
    assert_eq!(first_closure(&generation).call_row(&row(&[("n", 5)])).unwrap(), Value::Int(26));
}

#[test]
fn a_declaration_made_by_an_imported_function_keeps_that_files_functions() {
    let mut workspace = Workspace::new(&[]);
    workspace.write("lib/make.rhai", mapping("fn h(x) { x + 9 }\nfn setup() {", "|row| h(row.n)") + "}");
    workspace.write("scripts/a.rhai", "import \"../lib/make\" as make;\nmake::setup();");
    let generation = workspace.load();
    assert_eq!(findings(&generation), Vec::<String>::new());
    assert_eq!(first_closure(&generation).call_row(&row(&[("n", 1)])).unwrap(), Value::Int(10));
}

#[test]
fn captured_values_are_frozen_when_declared() {
    let (_workspace, closure) = closure(&mapping("let n = 0; let list = [1];", "|row| { n += 1; list.push(n); list.len() }"));
    let calls: Vec<Value> = (0..3).map(|_| closure.call_row(&row(&[])).unwrap()).collect();
    assert_eq!(calls, [Value::Int(2), Value::Int(2), Value::Int(2)]);
}

#[test]
fn a_captured_closure_is_frozen_with_what_it_captured() {
    let (_workspace, closure) = closure(&mapping("let k = 1; let f = |x| { k += 1; x + k };", "|row| f.call(row.n)"));
    assert_eq!((closure.call_row(&row(&[("n", 1)])).unwrap(), closure.call_row(&row(&[("n", 1)])).unwrap()), (Value::Int(3), Value::Int(3)));
}

#[test]
fn closures_outlive_their_workspace_and_work_on_many_threads() {
    let (workspace, closure) = closure(&mapping("const K = 2; fn f(x) { x * global::K }", "|row| f(row.n)"));
    drop(workspace);
    let threads: Vec<_> = (0..4)
        .map(|t| {
            let closure = closure.clone();
            std::thread::spawn(move || (0..200).all(|n| closure.call_row(&row(&[("n", n + t)])).unwrap() == Value::Int((n + t) * 2)))
        })
        .collect();
    assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
}

#[test]
fn what_a_closure_reads_is_told_from_its_tree() {
    for (text, wanted) in [
        ("|row| row.a + row.b", Some(vec!["a", "b"])),
        ("|row| row.Owner.Name", Some(vec!["Owner"])),
        ("|row| row[\"clicks:Export\"]", Some(vec!["clicks:Export"])),
        ("|row| `${row.a}`", Some(vec!["a"])),
        ("|row| if row.a > 1 { row.b } else { row.a }", Some(vec!["a", "b"])),
        ("|row| 1", Some(vec![])),
        ("|row| f(row)", None),
        ("|row| row.keys()", None),
        ("|row| [1].map(|x| row.a + x)", None),
        ("|row| { let row = #{ a: 1 }; row.a }", None),
        ("|row| { let k = \"a\"; row[k] }", None),
        ("|row| { let other = row; other.a }", None),
    ] {
        let (_workspace, closure) = closure(&mapping("fn f(x) { x }", text));
        assert_eq!(closure.reads().map(<[String]>::to_vec), wanted.map(|w| w.into_iter().map(str::to_owned).collect()), "{text}");
    }
}

#[test]
fn a_missing_field_is_named_with_those_there_are() {
    let (_workspace, closure) = closure(&mapping("", "|row| row.visits + 1"));
    let fault = closure.call_row(&row(&[("visitors", 3)])).unwrap_err();
    assert_eq!((fault.kind, fault.field.as_deref()), (FaultKind::Script, Some("visits")));
    assert_eq!(fault.message, "the row has no field `visits`; it has visitors (scripts/a.rhai:2:148)");
}

#[test]
fn arithmetic_on_null_says_what_to_do() {
    let (_workspace, closure) = closure(&mapping("", "|row| row.n / 60.0"));
    let fault = closure.call_row(&Record::from_iter([("n".into(), Value::Null)])).unwrap_err();
    assert!(fault.message.starts_with("`/` between null and number: the value is null, give it a default (`x ?? 0`)"), "{}", fault.message);
}

#[test]
fn a_row_closure_is_pure() {
    let (_workspace, closure) = closure(&mapping("", "|row| { try { state::set(\"k\", 1); } catch { } 1 }"));
    assert_eq!(closure.call_row(&row(&[])).unwrap_err().kind, FaultKind::NotAllowed);
}

#[test]
fn a_called_closure_hands_its_effects_on() {
    let (_workspace, closure) = closure(&mapping("", "|row| state::get(row.key)"));
    let perform = Scripted::new(|_| Ok(Reply::Value(Value::Int(7))));
    let argument = Value::Map(Record::from_iter([("key".into(), Value::text("k"))]));
    assert_eq!(closure.call(perform.clone(), &[argument]).unwrap(), Value::Int(7));
    assert!(matches!(perform.asked.lock().unwrap().as_slice(), [Effect::State(_)]));
}

#[test]
fn all_kinds_of_values_come_and_go() {
    let date = Value::Date("2026-01-31".parse().unwrap());
    let instant = Value::Instant("2026-01-31T10:00:00Z".parse().unwrap());
    let values = [
        Value::Null,
        Value::Bool(true),
        Value::Int(-3),
        Value::Float(1.5),
        Value::text("é😀"),
        date,
        instant,
        Value::List(vec![Value::Int(1), Value::Null]),
    ];
    let (_workspace, closure) = closure(&mapping("", "|row| row.x"));
    for value in values {
        let row = Record::from_iter([("x".into(), value.clone())]);
        assert_eq!(closure.call_row(&row).unwrap(), value);
    }
}

#[test]
fn dates_compare_count_and_print() {
    let day = |text: &str| Value::Date(text.parse().unwrap());
    let x = Record::from_iter([("d".into(), day("2026-01-31")), ("at".into(), Value::Instant("2026-01-31T23:00:00Z".parse().unwrap()))]);
    for (text, wanted) in [
        ("|row| row.d + days(1)", day("2026-02-01")),
        ("|row| row.d - days(31)", day("2025-12-31")),
        ("|row| row.d - date(\"2026-01-01\")", Value::Int(30)),
        ("|row| row.d < date(\"2026-02-01\") && row.d == date(row.at) && row.d != date(2026, 1, 1)", Value::Bool(true)),
        ("|row| row.d.year * 100 + row.d.month", Value::Int(202_601)),
        ("|row| `${row.d} ${row.at}`", Value::text("2026-01-31 2026-01-31T23:00:00Z")),
        ("|row| row.at + days(1) > row.at", Value::Bool(true)),
        ("|row| date(())", Value::Null),
        ("|row| timestamp(row.d).hour", Value::Int(0)),
        ("|row| dates::quarter(row.d)", Value::text("2026-Q1")),
    ] {
        assert_eq!(value(&mapping("", text), &x), wanted, "{text}");
    }
    let (_workspace, bad) = closure(&mapping("", "|row| date(\"31/01/2026\")"));
    assert!(bad.call_row(&x).unwrap_err().message.contains("write it as 2026-01-31"));
}

#[test]
fn a12_closures_and_filters_are_settled_on_the_rule_date() {
    let script = mapping("", "|row| row.d - rule_date()")
        .replace("object(\"Account\")", "object(\"Account\").filter(#{ a: [\"D\", \">\", rule_date() - days(30)] })");
    let workspace = Workspace::new(&[("scripts/a.rhai", &script)]);
    let generation = workspace.load();
    assert_eq!(findings(&generation), Vec::<String>::new());
    let declaration = generation.declaration("m").unwrap().on("2026-01-31".parse().unwrap());
    let Body::Mapping(mapping) = &declaration.body else { panic!("a mapping") };
    let Source::Object(query) = &mapping.from else { panic!("an object") };
    assert_eq!(query.filter.as_ref().unwrap().conditions[0].value, Value::Date("2026-01-01".parse().unwrap()));
    let Cell::Compute(closure) = &mapping.fields[0].from else { panic!("a closure") };
    let row = Record::from_iter([("d".into(), Value::Date("2026-02-10".parse().unwrap()))]);
    assert_eq!(closure.call_row(&row).unwrap(), Value::Int(10));
}

#[test]
fn nothing_has_no_fields() {
    let (_workspace, closure) = closure(&mapping("", "|row| row.Owner.Name"));
    let row = Record::from_iter([("Owner".into(), Value::Null)]);
    let fault = closure.call_row(&row).unwrap_err();
    assert!(fault.message.starts_with("null has no field `Name`: write `?.Name`"), "{}", fault.message);
    let (_workspace, closure) = super::bench::closure(&mapping("", "|row| row.Owner?.Name ?? \"nobody\""));
    assert_eq!(closure.call_row(&row).unwrap(), Value::text("nobody"));
}

#[test]
fn the_declaration_knows_where_its_closures_stand() {
    let (_workspace, closure) = closure(&mapping("// one", "|row| row.a"));
    assert_eq!((closure.place().file.as_str(), closure.place().line), ("scripts/a.rhai", 2));
}

#[test]
fn generations_can_be_handed_around() {
    fn shared<T: Send + Sync + 'static>(_: &T) {}
    let generation: Generation = Workspace::new(&[]).load_with(&Limits::default(), None);
    shared(&generation);
}
