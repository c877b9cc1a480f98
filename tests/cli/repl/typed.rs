//! A person at a terminal: typing, completing, several lines, Ctrl-C, history, tables, carets. (H5)

use crate::support::{Sandbox, Workspace};

use super::{ENDLESS, terminal::Terminal};

#[test]
fn h5_lines_functions_and_open_brackets() {
    let workspace = Workspace::new();
    let terminal = Terminal::repl(&workspace, 80, true);
    terminal.say("fn twice(n) {");
    terminal.see("    | ");
    terminal.say("n * 2 }");
    terminal.ready();
    terminal.say("twice(21)");
    terminal.see("\n42\n");
    terminal.ready();
    terminal.say("_ + 0.5");
    terminal.see("\n42.5\n");
    // Texts are green while they are typed.
    terminal.press("\"green\"");
    terminal.written("\u{1b}[32m\"green\"");
    terminal.press("\u{3}");
    terminal.ready();
    terminal.say("unknown_name + 1");
    terminal.see("error[E0202]");
    terminal.see("^^^^^^^^^^^^");
    terminal.say(":quit");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn h5_tab_completes_functions_variables_objects_and_real_fields() {
    let workspace = Workspace::new();
    let _sandbox = Sandbox::start(&workspace, "--accounts 3 --people 3");
    let terminal = Terminal::repl(&workspace, 100, false);
    terminal.press("salesforce::que\t");
    terminal.see("salesforce::query");
    terminal.press("(\"SELECT NumberOfEmp\t");
    terminal.see("SELECT NumberOfEmployees");
    terminal.press(" FROM Accou\t");
    terminal.see("FROM Account");
    terminal.press("\u{3}");
    terminal.ready();
    terminal.say("let seldom_used = #{ number_of_seats: 5 }");
    terminal.ready();
    terminal.press("seldom\t");
    terminal.see("> seldom_used");
    terminal.press(".num\t");
    terminal.see("> seldom_used.number_of_seats");
    terminal.press("\r");
    terminal.see("\n5\n");
    terminal.press("salesforce::update(\"Account\", \"1\", #{ NumberOfEmp\t");
    terminal.see("#{ NumberOfEmployees");
}

#[test]
fn h5_control_c_ends_an_evaluation_and_nothing_else() {
    let workspace = Workspace::new();
    let terminal = Terminal::repl(&workspace, 80, false);
    terminal.say("let kept = 7");
    terminal.ready();
    terminal.say(ENDLESS);
    terminal.see("\nbegun");
    terminal.press("\u{3}");
    terminal.see("cancelled");
    terminal.say("loop { print(\"again\") }");
    terminal.see("again\nagain");
    terminal.press("\u{3}");
    terminal.see("cancelled\ntabi>");
    terminal.say("kept + 1");
    terminal.see("\n8\n");
    terminal.press("\u{4}");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn h5_history_lives_on_and_is_private() {
    let workspace = Workspace::new();
    let terminal = Terminal::repl(&workspace, 80, false);
    terminal.say("1000 + 1");
    terminal.see("\n1001\n");
    terminal.say(":quit");
    terminal.end();
    let again = Terminal::repl(&workspace, 80, false);
    again.press("\u{1b}[A");
    again.see(":quit");
    again.press("\u{1b}[A");
    again.see("> 1000 + 1");
    again.press("\r");
    again.see("\n1001\n");
    #[cfg(unix)]
    {
        let about = std::fs::metadata(workspace.path().join(".tabi/history")).unwrap();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o777, 0o600);
    }
}

#[test]
fn h5_records_are_tables_that_fit_even_twenty_columns() {
    let workspace = Workspace::new();
    let make = "let rows = []; for n in 0..50 { rows.push(#{ id: n, name: `customer ${n}`, region: \"north\", plan: \"gold\" }) } rows";
    let wide = Terminal::repl(&workspace, 100, false);
    wide.say(make);
    wide.see("20 of 50 records, `:more` goes on, `:full` shows all");
    wide.say(":more");
    wide.see("customer 39");
    wide.say(":full");
    wide.see("customer 49");
    let narrow = Terminal::repl(&workspace, 20, false);
    narrow.say(make);
    narrow.see("1 more column\n");
    narrow.ready();
    assert!(narrow.contents().lines().all(|line| line.chars().count() <= 20), "{}", narrow.contents());
}

#[test]
fn h5_commands_show_load_enter_and_save() {
    let workspace = Workspace::with_script("// A script.\nconst LIMIT = 10;\nfn over(n) { n > global::LIMIT }\n");
    workspace.write("lib.rhai", "let loaded = 3;\nloaded");
    let terminal = Terminal::repl(&workspace, 100, false);
    terminal.say(":load lib");
    terminal.see("\n3\n");
    terminal.say(":enter script");
    terminal.ready();
    terminal.say("over(11)");
    terminal.see("\ntrue\n");
    terminal.say(":reload");
    terminal.see("0 declarations");
    terminal.say("loaded + LIMIT");
    terminal.see("\n13\n");
    terminal.say("?score::bands");
    terminal.see("for example");
    terminal.say(":save test first");
    terminal.see("wrote tests/first_test.rhai");
    let saved = std::fs::read_to_string(workspace.path().join("tests/first_test.rhai")).unwrap();
    assert!(saved.contains("assert_eq(over(11), true);") && saved.contains("assert_eq(loaded + LIMIT, 13);"), "{saved}");
    terminal.say(":nothing");
    terminal.see("there is no command `:nothing`");
}

#[test]
fn h5_what_is_typed_ahead_waits_its_turn() {
    let workspace = Workspace::new();
    let terminal = Terminal::repl(&workspace, 80, false);
    terminal.say("let n = 0; print(\"begun\"); while n < 1000000 { n += 1 } print(\"over\")");
    terminal.see("\nbegun");
    terminal.press("let a = 20\rlet b = 22\r[a + b,\rn]\r:quit\r");
    terminal.see("[\n  42,\n  1000000\n]\n");
    assert_eq!(terminal.lines_with("let b = 22"), 1);
    assert_eq!(terminal.end(), 0);
}

#[test]
fn h5_a_list_of_completions_goes_away_with_its_word() {
    let workspace = Workspace::new();
    let terminal = Terminal::repl(&workspace, 100, false);
    terminal.say("let seats_sold = 40; let seats_left = 2;");
    terminal.ready();
    terminal.press("seats\t");
    terminal.see("seats_sold  ");
    terminal.say("left + seats_sold; seats_sold + seats_left");
    terminal.see("\n42\n");
    terminal.ready();
    // Also with the whole line, and what is typed instead is no choice from it.
    terminal.press("seats\t");
    terminal.see("seats_sold  ");
    terminal.press("\u{15}");
    terminal.say("seats_left");
    terminal.see("\n2\n");
    terminal.say(":quit");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn h5_what_prints_without_an_end_takes_no_memory_and_ends_by_control_c() {
    let workspace = Workspace::new();
    let terminal = Terminal::repl(&workspace, 80, false);
    terminal.say("let line = \"\"; for n in 0..1000 { line += \"0123456789\" } loop { print(line) }");
    terminal.wrote_bytes(1 << 20);
    let early = peak(terminal.process());
    terminal.wrote_bytes(33 << 20);
    let late = peak(terminal.process());
    terminal.press("\u{3}");
    terminal.see("cancelled\ntabi>");
    assert!(late < early + (16 << 10), "{early} kB after 1 MiB, {late} kB after 33");
    terminal.say(":quit");
    assert_eq!(terminal.end(), 0);
}

/// The highest resident memory so far, in kB; 0 where that is not told.
fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

#[test]
fn h5_without_colours_none_is_written() {
    let workspace = Workspace::new();
    let terminal = Terminal::repl(&workspace, 80, false);
    terminal.say("\"text\" + 1");
    terminal.see("text1");
    terminal.say("nope");
    terminal.see("error[E0202]");
    terminal.press("score::\t");
    terminal.see("colour    score");
    terminal.press("\u{15}");
    terminal.say("?score::bands");
    terminal.see("for example");
    terminal.say(":quit");
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    let styles: Vec<&str> = raw.split("\u{1b}[").skip(1).filter_map(|rest| rest.split_once('m')).map(|(style, _)| style).collect();
    let coloured =
        |style: &&&str| style.split(';').filter_map(|one| one.parse::<u32>().ok()).any(|n| (30..39).contains(&n) || (40..49).contains(&n) || n >= 90);
    assert_eq!(styles.iter().find(coloured), None);
    assert_eq!(terminal.end(), 0);
}

#[test]
fn h5_keys_that_are_no_text_and_large_pastes_harm_nothing() {
    let workspace = Workspace::new();
    let terminal = Terminal::repl(&workspace, 20, false);
    terminal.press(b"\xff\xfe\x80");
    terminal.say("20 + 22");
    terminal.see("\n42\n");
    terminal.press("\u{1b}[200~");
    terminal.press(vec![b'a'; 2 << 20]);
    terminal.press("\u{1b}[201~\r");
    terminal.see("E0104");
    terminal.say("40 + 3");
    terminal.see("\n43\n");
    terminal.say(":quit");
    assert_eq!(terminal.end(), 0);
}
