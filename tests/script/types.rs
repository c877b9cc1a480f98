//! Types that cannot work together: what is reported, at which place, and what has to stay silent.

use std::{fs, path::Path};

use tabi::script::reference;

use super::bench::{Workspace, findings};

/// Snippet, code, line and column.
const WRONG: &[(&str, &str)] = &[
    ("let x = math::round(\"x\", 1);", "E0209 1:21"),
    ("set_score(\"S\", |row| math::round(row.a, \"1\"));", "E0209 1:41"),
    ("set_score(\"S\", |row| math::clamp(row.a, 0, [100]));", "E0209 1:44"),
    ("set_score(\"S\", |row| text::cut(row.Name, \"8\"));", "E0209 1:42"),
    ("set_score(\"S\", |row| records::total(\"rows\", \"n\"));", "E0209 1:37"),
    ("set_score(\"S\", |row| score::colour(date(row.day)));", "E0209 1:36"),
    ("fn f(row) { math::percent(row.a > 1, 3) }", "E0209 1:33"),
    ("set_score(\"S\", |row| 10 * \"2\");", "E0210 1:25"),
    ("set_score(\"S\", |row| date(row.day) + 7);", "E0210 1:36"),
    ("set_score(\"S\", |row| math::round(row.a) - \"2\");", "E0210 1:41"),
    ("fn f(row) { if row.a { date(row.a) * 2 } else { 0 } }", "E0210 1:36"),
    ("set_score(\"S\", |row| [1].map(|x| true + 1));", "E0210 1:39"),
    ("set_score(\"S\", |row| date(row.day) > 30);", "W0211 1:36"),
    ("set_score(\"S\", |row| if math::round(row.a) == \"3\" { 1 } else { 2 });", "W0211 1:44"),
    ("set_score(\"S\", |row| timestamp(row.at) < 30);", "W0211 1:40"),
    ("const LIMIT = 30;\nlet late = LIMIT == \"30\";", "W0211 2:18"),
    ("set_score(\"S\", |row| math::round(row.a) + \"10\");", "W0212 1:41"),
    (
        "pendo::salesforce_integration(\"p\", #{ push: [#{ report: pendo::account_report(#{ columns: [\"last_visit\"] }),\nfields: #{ Pendo_a__c: |row| row.last_visit > 5 } }] });",
        "W0211 2:45",
    ),
    (
        "pendo::salesforce_integration(\"p\", #{ push: [#{ report: pendo::account_report(#{ columns: [\"users\"] }),\nfields: #{ Pendo_a__c: |row| row.users * \"5\" } }] });",
        "E0210 2:40",
    ),
    ("let x = salesforce::object(\"A\").filter(#{ a: [\"Name\", \"contains\", 5] });", "E0303 1:67"),
    // What a `catch` gives is dropped.
    ("fn f(s) { try { date(s) } catch { \"unknown\" } }", "E0213 1:35"),
    ("fn f(s) { let x = 0; try { x = s / 0; } catch (e) { x + 1 } x }", "E0213 1:53"),
    ("set_score(\"S\", |row| { try { row.a / row.b } catch { 0 } });", "E0213 1:54"),
    ("set_score(\"S\", |row| { try { row.a / row.b } catch { [row.a] } });", "E0213 1:54"),
    ("fn f(s) { try { date(s) } catch { g(s) } }\nfn g(s) { 1 }", "W0214 1:35"),
    ("let x = salesforce::object(\"A\").filter(#{ a: [\"Active\", \">\", true] });", "E0303 1:62"),
];

/// What works, or may work.
const RIGHT: &[&str] = &[
    "set_score(\"S\", |row| row.a + 1);",
    "set_score(\"S\", |row| \"n = \" + 3 + \" of \" + 4.5);",
    "set_score(\"S\", |row| 3 + \" users\");",
    "set_score(\"S\", |row| row.a * row.b - 2 / 3.0);",
    "set_score(\"S\", |row| date(row.day) + days(7) > date(\"2026-01-31\"));",
    "set_score(\"S\", |row| date(row.day) - date(\"2026-01-31\") > 30);",
    "set_score(\"S\", |row| math::round(row.a ?? 0, 1) == ());",
    "set_score(\"S\", |row| if row.a == () || row.a == \"x\" { 0 } else { row.a });",
    "set_score(\"S\", |row| { let n = 0; n = \"x\"; n == \"x\" });",
    "let n = 1;\nset_score(\"S\", |n| n.a == \"x\");",
    "fn date(x) { x }\nset_score(\"S\", |row| date(row.day) + 7);",
    "set_score(\"S\", |row| timestamp(row.at) + hours(3) > timestamp(row.other));",
    "set_score(\"S\", |row| timestamp(row.at) < date(row.day));",
    "set_score(\"S\", |row| score::bands(row.a, [[50, \"high\"], [0, \"low\"]]) == \"high\");",
    "set_score(\"S\", |row| fields::first([row.a, 3]) + 1);",
    "set_score(\"S\", |row| -row.a + -3);",
    "for x in [1, \"a\"] { let y = x == \"a\"; }",
    "fn f(s) { try { date(s) } catch { return \"unknown\"; } }",
    "fn f(s) { let x = 0; try { x = s / 2; } catch { x = 1; } x }",
    "fn f(s) { try { date(s) } catch { () } }",
    "fn f(s) { try { date(s) } catch (e) { throw e } }",
    "fn f(s) { try { let x = s / 2; } catch { print(\"no\") } }",
    "fn f(s) { try { return date(s); } catch { print(\"no\"); } 5 }",
    "try { let e = 1; } catch (e) { let y = e == \"x\"; }",
    "pendo::salesforce_integration(\"p\", #{ push: [#{ report: pendo::account_report(#{ columns: [\"last_visit\", \"metadata.agent.plan\"] }),\nfields: #{ Pendo_a__c: |row| date(row.last_visit) > date(\"2026-01-31\"), Pendo_b__c: |row| row[\"metadata.agent.plan\"] == \"x\" } }] });",
    "let x = salesforce::object(\"A\").filter(#{ a: [\"Name\", \">\", \"M\"], b: [\"N\", \"contains\", \"5\"] });",
];

fn said(script: &str) -> Vec<String> {
    let found = Workspace::new(&[("scripts/a.rhai", script)]).load().diagnostics().to_vec();
    found.iter().map(|d| format!("{} {}:{}", d.code, d.line, d.column)).collect()
}

#[test]
fn what_cannot_work_is_reported_at_its_place() {
    let wrong: Vec<String> = WRONG
        .iter()
        .map(|(script, wanted)| (script, wanted, said(script)))
        .filter(|(_, wanted, said)| *said != [**wanted])
        .map(|x| format!("{x:?}"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_may_work_stays_silent() {
    for script in RIGHT {
        assert_eq!(said(script), Vec::<String>::new(), "{script}");
    }
}

#[test]
fn everything_this_repository_ships_stays_silent() {
    for folder in ["scripts", "tests/script/journeys"] {
        for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap().map(|entry| entry.unwrap().path()) {
            if file.extension().is_some_and(|extension| extension == "rhai") {
                let about_types =
                    said(&fs::read_to_string(&file).unwrap()).into_iter().filter(|line| line[1..].starts_with("02")).collect::<Vec<_>>();
                assert_eq!(about_types, Vec::<String>::new(), "{}", file.display());
            }
        }
    }
    for entry in reference() {
        for example in entry.forms.iter().flat_map(|form| &form.examples) {
            let about_types: Vec<String> =
                said(example).into_iter().filter(|line| ["E0209", "E0210", "W021"].iter().any(|code| line.starts_with(code))).collect();
            assert_eq!(about_types, Vec::<String>::new(), "{}: {example}", entry.name);
        }
    }
}

#[test]
fn both_sides_of_an_operator_are_labelled() {
    let generation = Workspace::new(&[("scripts/a.rhai", "set_score(\"S\", |row| date(row.day) + 7);")]).load();
    let finding = &generation.diagnostics()[0];
    let labels: Vec<(u32, &str)> = finding.labels.iter().map(|label| (label.column, label.text.as_str())).collect();
    assert_eq!((labels, finding.hint.as_deref()), (vec![(22, "a date"), (38, "a number")], Some("write `+ days(..)`")));
    assert_eq!(findings(&generation).len(), 1);
}
