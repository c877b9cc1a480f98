//! `:save test`: what it makes of a conversation runs green. (H6)

use crate::support::Workspace;

use super::terminal::Terminal;

/// Types a conversation, saves it and runs the test; gives back what was saved.
fn saved(workspace: &Workspace, name: &str, inputs: &[&str]) -> String {
    let terminal = Terminal::repl(workspace, 120, false);
    for (at, input) in inputs.iter().enumerate() {
        terminal.say(input);
        terminal.say(&format!("print(\"done {at}\")"));
        terminal.see(&format!("\ndone {at}\n"));
    }
    terminal.say(&format!(":save test {name}"));
    terminal.see(&format!("wrote tests/{name}_test.rhai"));
    let text = std::fs::read_to_string(workspace.path().join(format!("tests/{name}_test.rhai"))).unwrap();
    let ran = workspace.tabi(&format!("test {name}"));
    assert!(ran.code == Some(0) && ran.stdout.contains("1 passed"), "{}{}\n{text}", ran.stdout, ran.stderr);
    text
}

#[test]
fn h6_inputs_that_failed_leave_what_they_did_before() {
    let workspace = Workspace::new();
    let text = saved(
        &workspace,
        "errors",
        &[
            "fn name_of(row) { row.name }",
            "1 +* 2",
            "nothing_like_this()",
            "let a = 1; let b = 2; name_of(#{}); let c = 3;",
            "throw \"no\"",
            "let kept = [a, b]; loop { throw 1 }",
            "kept.len() + b",
        ],
    );
    assert!(text.contains("assert_eq(kept.len() + b, 4);") && !text.contains("let c") && !text.contains("nothing_like"), "{text}");
}

#[test]
fn h6_imports_functions_defined_again_and_the_last_value() {
    let workspace = Workspace::new();
    workspace.write("scripts/tiers.rhai", "fn tier(seats) { if seats > 100 { \"large\" } else { \"small\" } }\n");
    let text = saved(
        &workspace,
        "imports",
        &[
            "_ == ()",
            "import \"tiers\" as tiers",
            "tiers::tier(500) // large",
            "fn twice(n) { n * 3 } let last = 7;",
            "twice(2)",
            "fn twice(n) { n * 2 }",
            "twice(last)",
            "let m = #{ \"a b\": [1.5, 1e300, -0.0], day: date(\"2026-01-04\") }; m.day",
            "_",
            "if true { 5 }",
            "_ + 1",
            "|n| n + _",
            "_.call(1)",
            "[1.0 / 0.0, 9223372036854775807, -9223372036854775807 - 1]",
            "`${_.len()} \"quoted\"\\`",
        ],
    );
    assert!(text.contains("import \"tiers\" as tiers;") && text.matches("fn twice").count() == 1, "{text}");
    assert!(!text.contains("twice(2)") && text.contains("14);"), "{text}");
}

#[test]
fn h6_a_name_that_cannot_be_one_and_one_that_is_taken_write_nothing() {
    let workspace = Workspace::new();
    workspace.write("tests/taken_test.rhai", "// Mine.\ntest(\"mine\", || {});\n");
    let terminal = Terminal::repl(&workspace, 100, false);
    terminal.say("1 + 1");
    terminal.see("\n2\n");
    terminal.say(":save test taken");
    terminal.see("tests/taken_test.rhai is there already");
    for name in ["../evil", "a/b", "a.b", "a\\b"] {
        terminal.say(&format!(":save test {name}"));
        terminal.see(&format!(":save test {name}\nerror: a test's name has letters, digits, `-` and `_`\n"));
    }
    terminal.say(":save test two words");
    terminal.see("write it as `:save test NAME`");
    terminal.say(":quit");
    assert_eq!(terminal.end(), 0);
    let files: Vec<_> = std::fs::read_dir(workspace.path().join("tests")).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(files, ["taken_test.rhai"]);
    assert!(std::fs::read_to_string(workspace.path().join("tests/taken_test.rhai")).unwrap().starts_with("// Mine."));
}
