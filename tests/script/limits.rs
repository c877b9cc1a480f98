//! Every limit of the engine is reached, and says so.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tabi::{
    model::{FaultKind, Record, Value},
    script::{Limits, RunError, ScriptRun, run_source},
};

use super::bench::{Scripted, Workspace, findings, first_closure, mapping};

fn tight() -> Limits {
    Limits {
        operations: 20_000,
        call_depth: 12,
        expression_depth: 20,
        top_depth: 20,
        text: 1000,
        list: 100,
        map: 100,
        variables: 20,
        functions: 20,
        imports: 4,
        ..Limits::default()
    }
}

/// What loading the script says under tight limits.
fn loaded(script: &str) -> String {
    let workspace = Workspace::new(&[("scripts/a.rhai", script)]);
    findings(&workspace.load_with(&tight(), None)).join("\n")
}

#[test]
fn endless_loops_run_out_of_steps() {
    assert!(loaded("loop { }").starts_with("E0206 scripts/a.rhai:1:"), "{}", loaded("loop { }"));
}

#[test]
fn endless_recursion_runs_out_of_depth() {
    let said = loaded("fn f(n) { f(n + 1) }\nf(0);");
    assert!(said.starts_with("E0206") && said.contains("recursion"), "{said}");
}

#[test]
fn the_deepest_recursion_that_is_allowed_fits_the_stack() {
    for script in ["fn f(n) { let x = [[#{ a: [1 + (2 * f(n + 1))] }]]; x }\nf(0);", "fn f(n) { [n].map(|x| { if true { [f(x + 1)] } }) }\nf(0);"] {
        let said = findings(&Workspace::new(&[("scripts/a.rhai", script)]).load()).join("\n");
        assert!(said.starts_with("E0206"), "{said}");
    }
}

#[test]
fn the_deepest_closure_of_a_file_fits_the_stack_also_when_it_calls_itself() {
    let script = |depth: usize| format!("let g = |f, n| {}f.call(f, n + 1){};\ng.call(g, 0);", "[".repeat(depth), "]".repeat(depth));
    let said = |depth| findings(&Workspace::new(&[("scripts/a.rhai", &script(depth))]).load()).join("\n");
    let deepest = (1..64).rev().map(said).find(|said| !said.starts_with("E0201")).unwrap();
    assert!(deepest.starts_with("E0206"), "{deepest}");
}

#[test]
fn deep_expressions_are_refused() {
    let said = loaded(&format!("let x = {}1{};", "(".repeat(60), ")".repeat(60)));
    assert!(said.starts_with("E0201") && said.contains("expression exceeds maximum complexity"), "{said}");
}

#[test]
fn text_lists_and_maps_have_a_largest_size() {
    for (script, what) in [
        ("let s = \"x\"; loop { s += s; }", "string"),
        ("let l = [1]; loop { l += l; }", "array"),
        ("let m = #{}; for i in 0..1000 { m.set(`k${i}`, i); }", "object map"),
    ] {
        let said = loaded(script);
        assert!(said.starts_with("E0206") && said.contains(what), "{script}: {said}");
    }
}

#[test]
fn a_gigabyte_of_text_is_never_built() {
    let workspace = Workspace::new(&[("scripts/a.rhai", "let s = \"0123456789\"; loop { s += s; }")]);
    let said = findings(&workspace.load()).join("\n");
    assert!(said.starts_with("E0206") && said.contains("larger than it may"), "{said}");
    let said = findings(&Workspace::new(&[("scripts/a.rhai", "let s = \"x\"; s.pad(1000000000, \"y\");")]).load()).join("\n");
    assert!(said.starts_with("E0206"), "{said}");
}

#[test]
fn variables_and_functions_are_counted() {
    let many = (0..40).map(|i| format!("let v{i} = {i};\n")).collect::<Vec<_>>().concat();
    assert!(loaded(&many).starts_with("E0206"), "{}", loaded(&many));
    let many = (0..40).map(|i| format!("fn f{i}() {{ {i} }}\n")).collect::<Vec<_>>().concat();
    assert!(loaded(&many).starts_with("E0201"), "{}", loaded(&many));
}

#[test]
fn imports_are_counted() {
    let mut workspace = Workspace::new(&[]);
    let file = |i: usize| {
        workspace.write(&format!("lib/l{i}.rhai"), "fn one() { 1 }");
        format!("import \"../lib/l{i}\" as l{i};\n")
    };
    let script = (0..10).map(file).collect::<Vec<_>>().concat();
    workspace.write("scripts/a.rhai", script);
    let said = findings(&workspace.load_with(&tight(), None)).join("\n");
    assert!(said.starts_with("E0206") && said.contains("imported"), "{said}");
}

/// A stopwatch that moves a second at each reading: no test waits.
fn hurried() -> Instant {
    static READINGS: AtomicU64 = AtomicU64::new(0);
    static BEGAN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    *BEGAN.get_or_init(Instant::now) + Duration::from_secs(READINGS.fetch_add(1, Ordering::Relaxed))
}

#[test]
fn time_runs_out_and_cannot_be_caught() {
    let workspace = Workspace::new(&[("scripts/a.rhai", "try { loop { } } catch { }")]);
    let limits = Limits { operations: u64::MAX, stopwatch: hurried, ..Limits::default() };
    let said = findings(&workspace.load_with(&limits, None)).join("\n");
    assert!(said.starts_with("E0206") && said.contains("longer than 5 s"), "{said}");
}

#[test]
fn waiting_for_a_system_is_not_the_scripts_time() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { stopwatch: hurried, time: Duration::from_mins(2), ..Limits::for_scripts() };
    let run = ScriptRun { limits, ..ScriptRun::with(Scripted::agreeable()) };
    // Two readings before and after each of 100 effects: their seconds are given back.
    let value = run_source(folder.path(), "let n = 0; for i in 0..100 { state::get(\"k\"); n += 1; } n", run);
    assert_eq!(value.unwrap(), Value::Int(100));
}

#[test]
fn steps_cannot_be_caught_either() {
    let said = loaded("try { loop { } } catch { }");
    assert!(said.starts_with("E0206"), "{said}");
}

#[test]
fn a_closure_is_bounded_each_time_it_is_called() {
    let script = mapping("", "|row| { let n = 0; while n < row.n { n += 1; } n }");
    let workspace = Workspace::new(&[("scripts/a.rhai", &script)]);
    let closure = first_closure(&workspace.load_with(&tight(), None));
    let row = |n: i64| Record::from_iter([("n".into(), Value::Int(n))]);
    for _ in 0..50 {
        assert_eq!(closure.call_row(&row(1000)).unwrap(), Value::Int(1000));
    }
    let fault = closure.call_row(&row(10_000_000)).unwrap_err();
    assert_eq!((fault.kind, fault.code.as_deref()), (FaultKind::Script, Some("LIMIT")));
}

#[test]
fn a_running_script_can_be_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let stop = Arc::new(AtomicBool::new(true));
    let run = ScriptRun { stop: Some(stop), ..ScriptRun::with(Scripted::agreeable()) };
    let RunError::Failed(failure) = run_source(folder.path(), "try { loop { } } catch { }", run).unwrap_err() else { panic!("it ran") };
    assert_eq!(failure.fault.kind, FaultKind::Interrupted);
}

#[test]
fn there_is_no_eval_no_sleep_and_no_clock() {
    for script in ["eval(\"1\");", "sleep(1);", "let t = timestamp();"] {
        assert_ne!(loaded(script), "", "{script}");
    }
}
