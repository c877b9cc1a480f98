//! Files as they come: unreadable, binary, importing, broken after having been good.

use tabi::script::{Limits, diff};

use super::bench::{Workspace, findings, mapping};

const GOOD: &str = "pendo::segment(\"NAME\", #{ filters: #{ risk: [\"metadata.salesforce.churn_risk__c\", \"=\", \"High\"] } });";

fn good(name: &str) -> String {
    GOOD.replace("NAME", name)
}

#[test]
fn files_that_are_no_scripts_are_told_apart() {
    let mut workspace = Workspace::new(&[]);
    workspace.write("scripts/binary.rhai", b"\x7fELF\0\0\x01");
    workspace.write("scripts/empty.rhai", b" \n\n");
    workspace.write("scripts/latin.rhai", b"// caf\xe9\n");
    workspace.write("scripts/huge.rhai", vec![b' '; 10 << 20]);
    workspace.write("scripts/good.rhai", good("good"));
    std::fs::create_dir(workspace.root().join("scripts/folder.rhai")).unwrap();
    workspace.add("scripts/folder.rhai");
    workspace.add("scripts/gone.rhai");
    let generation = workspace.load();
    let codes: Vec<String> = generation.diagnostics().iter().map(|d| format!("{} {}", d.code, d.file)).collect();
    let wanted = ["E0102 scripts/binary.rhai", "E0103 scripts/empty.rhai", "E0101 scripts/folder.rhai", "E0101 scripts/gone.rhai"];
    assert_eq!(codes, [&wanted[..], &["E0104 scripts/huge.rhai", "E0102 scripts/latin.rhai"]].concat());
    assert_eq!(generation.declarations().count(), 1, "the good file is not touched by the others");
}

#[cfg(unix)]
#[test]
fn a_dangling_link_and_a_pipe_cannot_be_read() {
    let mut workspace = Workspace::new(&[("scripts/good.rhai", &good("good"))]);
    std::os::unix::fs::symlink("/nowhere/at/all", workspace.root().join("scripts/link.rhai")).unwrap();
    std::process::Command::new("mkfifo").arg(workspace.root().join("scripts/pipe.rhai")).status().unwrap();
    workspace.add("scripts/link.rhai");
    workspace.add("scripts/pipe.rhai");
    let codes: Vec<String> = workspace.load().diagnostics().iter().map(|d| format!("{} {}", d.code, d.file)).collect();
    assert_eq!(codes, ["E0101 scripts/link.rhai", "E0101 scripts/pipe.rhai"]);
}

#[test]
fn imports_stay_inside_the_workspace() {
    for path in ["../../etc/passwd", "/etc/passwd", "../../../../../../etc/passwd", "..\\\\..\\\\x", "../../outside"] {
        let workspace = Workspace::new(&[("scripts/a.rhai", &format!("import \"{path}\" as x;"))]);
        let said = findings(&workspace.load());
        assert!(said.len() == 1 && said[0].starts_with("E0105 scripts/a.rhai:1:8"), "{path}: {said:?}");
    }
}

#[cfg(unix)]
#[test]
fn imports_do_not_follow_links_out_of_the_workspace() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.rhai"), "fn key() { 1 }").unwrap();
    let workspace = Workspace::new(&[("scripts/a.rhai", "import \"secret\" as s;\nimport \"folder/secret\" as t;")]);
    std::os::unix::fs::symlink(outside.path().join("secret.rhai"), workspace.root().join("scripts/secret.rhai")).unwrap();
    std::os::unix::fs::symlink(outside.path(), workspace.root().join("scripts/folder")).unwrap();
    let said = findings(&workspace.load());
    assert_eq!(said.iter().filter(|line| line.starts_with("E0105")).count(), 2, "{said:?}");
}

#[cfg(unix)]
#[test]
fn a_scripts_folder_that_is_a_link_may_import_its_own_files() {
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::write(elsewhere.path().join("lib.rhai"), "fn one() { 1 }").unwrap();
    std::fs::write(elsewhere.path().join("a.rhai"), mapping("import \"lib\" as lib;", "|row| lib::one()")).unwrap();
    let mut workspace = Workspace::new(&[]);
    std::os::unix::fs::symlink(elsewhere.path(), workspace.root().join("scripts")).unwrap();
    workspace.add("scripts/a.rhai");
    assert_eq!(findings(&workspace.load()), Vec::<String>::new());
}

#[test]
fn imports_that_go_in_circles_end() {
    let workspace = Workspace::new(&[("scripts/a.rhai", "import \"b\" as b;\nfn f() { 1 }"), ("scripts/b.rhai", "import \"a\" as a;\nfn g() { 2 }")]);
    let said = findings(&workspace.load());
    assert!(said.iter().any(|line| line.starts_with("E0107")), "{said:?}");
}

#[test]
fn an_imported_file_that_declares_is_declared_once() {
    let workspace = Workspace::new(&[
        ("scripts/a.rhai", &format!("import \"b\" as b;\nb::f();\n{}", good("a"))),
        ("scripts/b.rhai", &format!("fn f() {{ 1 }}\n{}", good("b"))),
    ]);
    let generation = workspace.load();
    assert_eq!(findings(&generation), Vec::<String>::new());
    assert_eq!(generation.declarations().map(|d| d.name.clone()).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn h3_a_broken_file_keeps_its_last_good_version() {
    let mut workspace = Workspace::new(&[("scripts/a.rhai", &good("a")), ("scripts/b.rhai", &good("b"))]);
    let first = workspace.load();
    workspace.write("scripts/a.rhai", "pendo::segment(\"a\", #{ filter");
    workspace.write("scripts/b.rhai", good("b2"));
    let second = workspace.load_with(&Limits::default(), Some(&first));
    let names = |generation: &tabi::script::Generation| generation.declarations().map(|d| d.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&second), ["a", "b2"]);
    assert!(!second.is_sound() && second.files()[0].kept && !second.files()[1].kept);
    let difference = diff(&first, &second);
    assert_eq!((difference.added, difference.changed, difference.removed), (vec!["b2".to_owned()], vec![], vec!["b".to_owned()]));
    // Still broken: the good version stays for as long as it takes.
    let third = workspace.load_with(&Limits::default(), Some(&second));
    assert_eq!(names(&third), ["a", "b2"]);
    workspace.write("scripts/a.rhai", good("a"));
    let fourth = workspace.load_with(&Limits::default(), Some(&third));
    assert!(fourth.is_sound() && fourth.files().iter().all(|file| !file.kept));
    // A file that is gone takes its declarations with it.
    let gone = Workspace::new(&[("scripts/b.rhai", &good("b2"))]);
    assert_eq!(names(&gone.load_with(&Limits::default(), Some(&fourth))), ["b2"]);
}

#[test]
fn h3_an_edit_that_clashes_with_another_file_falls_back_too() {
    let mut workspace = Workspace::new(&[("scripts/a.rhai", &good("a")), ("scripts/b.rhai", &good("b"))]);
    let first = workspace.load();
    workspace.write("scripts/b.rhai", good("a"));
    let second = workspace.load_with(&Limits::default(), Some(&first));
    assert_eq!(second.declarations().map(|d| d.name.clone()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(second.diagnostics()[0].code, "E0401");
}

#[test]
fn a_declarations_hash_covers_what_its_file_imports() {
    let mut workspace = Workspace::new(&[("lib/n.rhai", "fn n() { 1 }"), ("scripts/b.rhai", &good("b"))]);
    workspace.write("scripts/a.rhai", mapping("import \"../lib/n\" as n;", "|row| n::n()"));
    let first = workspace.load();
    workspace.write("lib/n.rhai", "fn n() { 2 }");
    let second = workspace.load();
    assert_eq!(diff(&first, &second).changed, ["m"]);
    assert_eq!(diff(&second, &workspace.load()), tabi::script::Difference::default());
    assert_ne!(first.hash(), second.hash());
    assert_eq!(second.hash(), workspace.load().hash());
}
