//! `tabi check --fix`: what is certain is mended, what is in doubt is left alone, and nothing else about a file changes.

use std::fs;

use serde_json::Value;

use crate::support::Workspace;

const TYPOS: &str = "// Größe 日本\r\nrule(\"score\", #{\r\n\tfrom: salesforce::object(\"Account\"), shwo: [\"Id\", \"Seats__c\"],\r\n\tactions: [set_score(\"Fit\", |row| math::rond(row.Seat__c, 1))],\r\n});\r\n";

fn read(workspace: &Workspace) -> Vec<u8> {
    fs::read(workspace.path().join("scripts/script.rhai")).unwrap()
}

fn document(workspace: &Workspace, args: &str) -> Value {
    workspace.tabi(args).lines().remove(0)
}

#[test]
fn what_is_certain_is_mended_with_its_line_endings_its_mark_and_its_mode() {
    let workspace = Workspace::with_script("");
    workspace.write("scripts/script.rhai", format!("\u{feff}{TYPOS}"));
    let ran = workspace.tabi("check --fix").ended(0);
    let wanted = TYPOS.replace("shwo", "show").replace("rond", "round").replace("row.Seat__c", "row.Seats__c");
    assert_eq!(String::from_utf8(read(&workspace)).unwrap(), format!("\u{feff}{wanted}"));
    assert!(ran.stdout.contains("    3 - \tfrom: salesforce::object(\"Account\"), shwo:"), "{}", ran.stdout);
    assert!(ran.stdout.contains("    3 + \tfrom: salesforce::object(\"Account\"), show:"), "{}", ran.stdout);
    let before = read(&workspace);
    let again = document(&workspace, "check --fix --json");
    assert_eq!((again["fixed"].as_array().unwrap().len(), again["ok"].as_bool()), (0, Some(true)), "{again}");
    assert_eq!(read(&workspace), before);
    assert_eq!(fs::read_dir(workspace.path().join("scripts")).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn a_dry_run_only_shows() {
    let workspace = Workspace::with_script(TYPOS);
    let ran = workspace.tabi("check --fix --dry-run").ended(3);
    assert!(ran.stdout.contains("would be mended"), "{}", ran.stdout);
    assert_eq!(read(&workspace), TYPOS.as_bytes());
    workspace.tabi("check --dry-run").ended(2);
}

#[test]
fn a_missing_sign_is_put_where_the_code_ends() {
    for (before, after) in [
        ("let a = 1 // one; two\nlet b = 2;", "let a = 1; // one; two\nlet b = 2;"),
        ("let a = \"; // no\" /* x */\n\nlet b = 2;", "let a = \"; // no\"; /* x */\n\nlet b = 2;"),
        ("let a = [1 2];", "let a = [1, 2];"),
        ("let a = #{ x: 1 y: 2 };", "let a = #{ x: 1, y: 2 };"),
    ] {
        let workspace = Workspace::with_script(before);
        workspace.tabi("check --fix").ended(0);
        assert_eq!(String::from_utf8(read(&workspace)).unwrap(), after);
    }
}

#[test]
fn a_file_with_any_doubt_is_left_alone() {
    // `scor` may be `score`; but `total` is near two names, so that the file is not touched at all.
    let script = "let totals = 1;\nlet a = totls + math::rond(1.5);\n";
    let workspace = Workspace::with_script(script);
    let document = document(&workspace, "check --fix --json");
    assert_eq!(read(&workspace), script.as_bytes());
    assert_eq!(document["left"][0]["file"], "scripts/script.rhai", "{document}");
    assert_eq!(document["fixed"].as_array().unwrap().len(), 0);
}

/// Two numbers are two things, however alike they are written.
#[test]
fn a_number_is_no_slip() {
    let script = "fn visitors_last30d(row) { row }\nlet a = visitors_last7d(1);\n";
    let workspace = Workspace::with_script(script);
    let document = document(&workspace, "check --fix --json");
    assert_eq!(read(&workspace), script.as_bytes());
    assert!(document["diagnostics"][0]["hint"].as_str().unwrap().contains("visitors_last30d"), "it is still named: {document}");
}

#[test]
fn suggestions_tell_programs_what_to_replace() {
    let workspace = Workspace::with_script("let a = math::rond(1.5);\n");
    let document = document(&workspace, "check --json");
    let suggestion = &document["diagnostics"][0]["suggestions"][0];
    let wanted = serde_json::json!({
        "file": "scripts/script.rhai", "line": 1, "column": 15, "end_line": 1, "end_column": 19, "replacement": "round", "certain": true,
    });
    assert_eq!(*suggestion, wanted);
}

#[test]
fn the_name_in_after_is_pointed_at_and_mended() {
    let workspace = Workspace::with_script(
        "pendo::salesforce_integration(\"pendo-account\", #{ pull: [\"Churn_Risk__c\"] });\nrule(\"score\", #{\n    from: salesforce::object(\"Account\"), actions: [set_score(\"Fit\", 80)],\n    after: \"pendo-acount\",\n});\n",
    );
    let before = document(&workspace, "check --json");
    let found = &before["diagnostics"][0];
    assert_eq!((found["code"].as_str(), found["line"].as_u64(), found["column"].as_u64()), (Some("E0403"), Some(4), Some(12)), "{before}");
    workspace.tabi("check --fix").ended(0);
    assert!(String::from_utf8(read(&workspace)).unwrap().contains("after: \"pendo-account\","));
}
