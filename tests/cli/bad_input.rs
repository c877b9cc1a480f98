//! Scripts as nobody should write them: they are told apart quickly, at the right place, in bounded output.

use crate::support::Workspace;

/// Code, line and column of the first finding of a script.
fn first(script: impl AsRef<[u8]>) -> (String, u64, u64) {
    let workspace = Workspace::new();
    workspace.write("scripts/a.rhai", script);
    let ran = workspace.tabi("check --json").ended(3);
    let found = &ran.lines()[0]["diagnostics"][0];
    (found["code"].as_str().unwrap().to_owned(), found["line"].as_u64().unwrap(), found["column"].as_u64().unwrap())
}

#[test]
fn a_script_of_ten_megabytes_and_one_that_is_not_utf_8() {
    assert_eq!(first(vec![b' '; 10 << 20]).0, "E0104");
    assert_eq!(first(b"let a = \"caf\xe9\";\n").0, "E0102");
}

#[test]
fn a_thousand_brackets_end_in_an_error_rather_than_a_crash() {
    for (open, close) in [("(", ")"), ("[", "]"), ("#{ a: ", "}"), ("if true { ", " }"), ("-", ""), ("!", "")] {
        let script = format!("let a = {}1{};\n", open.repeat(1000), close.repeat(1000));
        assert_eq!(first(script).0, "E0201", "{open}");
    }
}

#[test]
fn a_text_that_is_not_closed_is_told_within_the_file() {
    let (code, line, _) = first("let a = 1;\nlet b = \"never closed;\n");
    assert_eq!((code.as_str(), line), ("E0201", 2));
    let (code, line, _) = first("let a = `never\nclosed");
    assert_eq!((code.as_str(), (1..=2).contains(&line)), ("E0201", true));
}

#[test]
fn columns_count_characters_whatever_stands_before() {
    assert_eq!(first("\u{feff}let a = mystery(1);\r\n"), ("E0203".into(), 1, 9));
    assert_eq!(first("let a = 1;\r\nlet b = mystery(1);\r\n"), ("E0203".into(), 2, 9));
    assert_eq!(first("\tlet a = mystery(1);\n"), ("E0203".into(), 1, 10));
    assert_eq!(first("let a = \"日本語\" + mystery(1);\n"), ("E0203".into(), 1, 17));
}

#[test]
fn the_caret_stands_under_the_word_behind_tabs_and_wide_characters() {
    let workspace = Workspace::with_script("\tlet a = \"日本語\" + mystery(1);\n");
    let ran = workspace.tabi("check --color never").ended(3);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let at = lines.iter().position(|line| line.contains("mystery(1)")).unwrap();
    // Each of the three characters takes two columns of a terminal.
    let column = lines[at].find("mystery").unwrap() - "日本語".len() + 6;
    assert_eq!(lines[at + 1].find('^'), Some(column), "{}", ran.stdout);
    assert!(!ran.stdout.contains('\u{1b}'));
}

#[test]
fn five_hundred_errors_in_twenty_thousand_lines_are_shown_in_part_and_told_in_whole() {
    let line = |n: u32| if n.is_multiple_of(40) { format!("mystery{n}(1);") } else { "let a = 1;".to_owned() };
    let script = (0..20_000).map(line).collect::<Vec<_>>().join("\n");
    let workspace = Workspace::with_script(&script);
    let ran = workspace.tabi("check").ended(3);
    assert!(ran.stdout.lines().count() < 600, "{} lines", ran.stdout.lines().count());
    assert!(ran.stdout.contains("and 450 findings more; `tabi check --all` shows them"), "{}", &ran.stdout[ran.stdout.len() - 300..]);
    assert!(ran.stdout.contains("500 errors"));
    let all = workspace.tabi("check --json").ended(3).lines()[0]["diagnostics"].as_array().unwrap().len();
    assert_eq!(all, 500);
}

#[test]
fn a_failing_script_names_its_calls() {
    let workspace = Workspace::new();
    workspace.write("job.rhai", "fn inner(row) { row.a - \"x\" }\nfn outer(row) { inner(row) }\nouter(#{ a: 1 });\n");
    let ran = workspace.tabi("exec job.rhai --json").ended(1);
    let error = &ran.lines()[0]["error"];
    assert_eq!((error["line"].as_u64(), error["file"].as_str()), (Some(1), Some("job.rhai")), "{error}");
    let stack: Vec<(String, u64)> =
        error["stack"].as_array().unwrap().iter().map(|f| (f["function"].as_str().unwrap().to_owned(), f["line"].as_u64().unwrap())).collect();
    assert_eq!(stack, [("inner".to_owned(), 2), ("outer".to_owned(), 3)]);
    let told = workspace.tabi("exec job.rhai").ended(1).stderr;
    assert!(told.contains("called at job.rhai:2:17 (inner)"), "{told}");
}

#[test]
fn a_rejected_row_names_its_record_its_field_and_the_calls_that_led_to_the_failure() {
    let workspace = Workspace::with_script(
        "fn inner(row) { row.Name - row.NumberOfEmployees }\nfn outer(row) { inner(row) }\nmapping(\"m\", #{\n    from: salesforce::object(\"Account\").limit(3), to: gainsight::object(\"Company\"), match_on: #{ SfdcAccountId: \"Id\" },\n    fields: #{ Industry: |row| outer(row) },\n});\n",
    );
    let ran = workspace.tabi("run --sandbox --json").ended(1);
    assert_eq!(ran.summary("m")["rejected"], 3, "{}", ran.stdout);
    let shown = workspace.tabi("show last --json").ended(0);
    let row = &shown.lines()[0]["rows"][0];
    assert!(row["key"].as_str().is_some_and(|key| !key.is_empty()) && row["field"] == "Industry", "{row}");
    let reason = row["reason"].as_str().unwrap();
    for part in ["scripts/script.rhai:1:26", "called at scripts/script.rhai:2:17", "called at scripts/script.rhai:5:32"] {
        assert!(reason.contains(part), "{part}: {reason}");
    }
}

#[test]
fn codes_are_explained_with_an_example_and_the_same_mended() {
    let workspace = Workspace::new();
    let told = workspace.tabi("explain e0301").ended(0).stdout;
    assert!(told.contains("this gives it") && told.contains("shwo:") && told.contains("mended"), "{told}");
    let near = workspace.tabi("explain E0300").ended(2).stderr;
    assert!(near.contains("did you mean E0301"), "{near}");
    assert!(workspace.tabi("explain").ended(0).stdout.lines().count() > 60);
}
