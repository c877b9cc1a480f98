//! Reloading: a bad edit never stops the good version, and a receipt tells what happened. (H3)

use std::{fs, path::Path};

use tabi::{
    host::{
        Loaded, Workspace,
        clock::Clock,
        reload::{Receipt, reload},
        scan::scan,
    },
    script::{Generation, Limits},
};

const RULE: &str = r#"
rule("NAME", #{
    rule_for: "account",
    from: salesforce::object("Account"),
    show: ["Id", "Name"],
    actions: [load_to_sfdc(#{ object: "Account", operation: "update", identifiers: ["Id"], fields: #{ Id: "Id", FIELD: "Name" } })],
});
"#;

fn rule(name: &str, field: &str) -> String {
    RULE.replace("NAME", name).replace("FIELD", field)
}

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join("scripts").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn workspace(root: &Path) -> Workspace {
    Workspace::open(Some(root), false, Clock::machine()).unwrap()
}

fn declared(loaded: &Loaded) -> Vec<&str> {
    loaded.declarations().iter().map(|d| d.name.as_str()).collect()
}

fn errors(receipt: &Receipt) -> Vec<(&str, &str)> {
    receipt.diagnostics.iter().filter(|d| d.is_error()).map(|d| (d.file.as_str(), d.code)).collect()
}

#[test]
fn the_first_generation_adds_everything() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a.rhai", &rule("one", "Site"));
    write(dir.path(), "deep/b.rhai", &rule("two", "Fax"));
    let (loaded, receipt) = reload(&workspace(dir.path()), None);
    assert_eq!(declared(&loaded), ["one", "two"]);
    assert_eq!((receipt.generation, receipt.files, receipt.declarations), (1, 2, 2));
    assert_eq!(receipt.difference.added, ["one", "two"]);
    assert_eq!(receipt.hash.len(), 64);
}

#[test]
fn a_broken_file_keeps_its_last_good_version_while_others_go_on() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a.rhai", &rule("one", "Site"));
    write(dir.path(), "b.rhai", &rule("two", "Fax"));
    let workspace = workspace(dir.path());
    let (first, _) = reload(&workspace, None);
    write(dir.path(), "a.rhai", "rule(\"one\", #{");
    write(dir.path(), "b.rhai", &rule("two", "Phone"));
    let (second, receipt) = reload(&workspace, Some(&first));
    assert_eq!(declared(&second), ["one", "two"]);
    assert_eq!(errors(&receipt), [("scripts/a.rhai", "E0201")]);
    assert_eq!(receipt.kept, ["scripts/a.rhai"]);
    assert_eq!((receipt.difference.changed.as_slice(), receipt.difference.removed.len()), (["two".to_owned()].as_slice(), 0));

    write(dir.path(), "a.rhai", &rule("one", "Website"));
    let (third, receipt) = reload(&workspace, Some(&second));
    assert_eq!((third.number, errors(&receipt).len(), receipt.kept.len()), (3, 0, 0));
    assert_eq!(receipt.difference.changed, ["one"]);
}

#[test]
fn a_new_file_with_errors_declares_nothing_and_stops_nothing() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a.rhai", &rule("one", "Site"));
    let workspace = workspace(dir.path());
    let (first, _) = reload(&workspace, None);
    fs::write(dir.path().join("scripts/binary.rhai"), [0xff, 0x00, 0xfe]).unwrap();
    write(dir.path(), "empty.rhai", "");
    let (second, receipt) = reload(&workspace, Some(&first));
    assert_eq!(declared(&second), ["one"]);
    assert_eq!(errors(&receipt), [("scripts/binary.rhai", "E0102"), ("scripts/empty.rhai", "E0103")]);
}

#[test]
fn a_file_that_is_gone_takes_its_declarations_with_it() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a.rhai", &rule("one", "Site"));
    write(dir.path(), "b.rhai", &rule("two", "Fax"));
    let workspace = workspace(dir.path());
    let (first, _) = reload(&workspace, None);
    fs::remove_file(dir.path().join("scripts/a.rhai")).unwrap();
    let (second, receipt) = reload(&workspace, Some(&first));
    assert_eq!(declared(&second), ["two"]);
    assert_eq!(receipt.difference.removed, ["one"]);
    assert_eq!(declared(&first), ["one", "two"], "a run that holds the old generation finishes on it");
}

#[test]
fn five_hundred_files_of_one_checkout_are_one_generation() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = workspace(dir.path());
    let (first, _) = reload(&workspace, None);
    let fields = ["Site", "Fax", "Phone", "Website", "Description"];
    for n in 0..500 {
        let text = if n < fields.len() { rule(&format!("rule-{n}"), fields[n]) } else { format!("// {n}\nlet unused = {n};") };
        write(dir.path(), &format!("f{n:03}.rhai"), &text);
    }
    let (second, receipt) = reload(&workspace, Some(&first));
    assert_eq!((second.number, receipt.files, receipt.declarations), (2, 500, 5), "{:?}", receipt.diagnostics.first());
}

#[test]
fn what_scripts_import_from_beside_the_folder_is_part_of_what_is_loaded() {
    let dir = tempfile::tempdir().unwrap();
    let lib = dir.path().join("lib/names.rhai");
    write(dir.path(), "a.rhai", &format!("import \"../lib/names\" as names;\n{}", rule("one", "Site")));
    let workspace = workspace(dir.path());
    let (first, receipt) = reload(&workspace, None);
    assert_eq!(errors(&receipt), [("scripts/a.rhai", "E0106")]);
    assert!(first.is_of(&first.look(dir.path())));

    fs::create_dir(dir.path().join("lib")).unwrap();
    fs::write(&lib, "fn name() { \"x\" }").unwrap();
    assert!(!first.is_of(&first.look(dir.path())), "the missing file has come");
    let (second, receipt) = reload(&workspace, Some(&first));
    assert_eq!((errors(&receipt).len(), declared(&second)), (0, vec!["one"]));
    let found = second.look(dir.path());
    assert!(second.is_of(&found) && found.folders.contains(&fs::canonicalize(dir.path().join("lib")).unwrap()));

    fs::write(&lib, "fn name() { \"y\" }").unwrap();
    assert!(!second.is_of(&second.look(dir.path())));
    let (third, receipt) = reload(&workspace, Some(&second));
    assert_eq!(receipt.difference.changed, ["one"]);

    // Gone and back, as a checkout does it.
    fs::remove_file(&lib).unwrap();
    let (fourth, receipt) = reload(&workspace, Some(&third));
    assert_eq!((declared(&fourth), receipt.kept.as_slice()), (vec!["one"], ["scripts/a.rhai".to_owned()].as_slice()));
    assert!(fourth.is_of(&fourth.look(dir.path())));
    fs::write(&lib, "").unwrap();
    assert!(fourth.is_of(&fourth.look(dir.path())), "an empty file is no better than none");
    fs::write(&lib, "fn name() { \"z\" }").unwrap();
    let (fifth, receipt) = reload(&workspace, Some(&fourth));
    assert!(errors(&receipt).is_empty() && fifth.is_of(&fifth.look(dir.path())));
}

#[test]
fn a_file_that_vanishes_between_the_look_and_the_reading_is_an_error_of_its_own_and_keeps_its_good_version() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a.rhai", &rule("one", "Site"));
    write(dir.path(), "b.rhai", &rule("two", "Fax"));
    let seen = scan(dir.path());
    let limits = Limits::default();
    let names: Vec<&str> = seen.names().collect();
    let first = Generation::load(dir.path(), &names, &limits, None);
    fs::remove_file(dir.path().join("scripts/a.rhai")).unwrap();
    let second = Generation::load(dir.path(), &names, &limits, Some(&first));
    assert_eq!(second.declarations().map(|d| d.name.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(second.diagnostics().iter().map(|d| (d.file.as_str(), d.code)).collect::<Vec<_>>(), [("scripts/a.rhai", "E0101")]);
    // The next look finds it gone for good.
    assert_eq!(scan(dir.path()).files.keys().collect::<Vec<_>>(), ["scripts/b.rhai"]);
}

#[test]
fn a_saved_template_is_another_generation_and_a_broken_one_is_told() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "templates/w.html", "Subject: One\n<p>{{ name }}</p>");
    write(dir.path(), "templates/logo.svg", "no template {{");
    let (first, receipt) = reload(&workspace(dir.path()), None);
    assert_eq!((receipt.files, errors(&receipt)), (1, vec![]));
    assert!(first.is_of(&first.look(dir.path())));
    write(dir.path(), "templates/w.html", "Subject: Two\n<p>{{ name </p>");
    assert!(!first.is_of(&first.look(dir.path())), "a save is seen");
    let (second, receipt) = reload(&workspace(dir.path()), Some(&first));
    assert_eq!(errors(&receipt), [("scripts/templates/w.html", "E0701")]);
    assert_eq!((receipt.kept.len(), receipt.hash.as_str()), (1, first.generation.hash()), "what ran goes on");
    assert_eq!(second.generation.templates().has_subject("w"), Some(true));
}

#[test]
fn only_what_changed_and_its_importers_are_compiled_again() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "lib/base.rhai", "fn base() { \"b\" }");
    write(dir.path(), "lib/names.rhai", "import \"base\" as base;\nfn name() { base::base() }");
    write(dir.path(), "a.rhai", &format!("import \"lib/names\" as names;\n{}", rule("one", "Site")));
    write(dir.path(), "b.rhai", &rule("two", "Fax"));
    write(dir.path(), "c.rhai", &rule("three", "Phone"));
    let workspace = workspace(dir.path());
    let (first, receipt) = reload(&workspace, None);
    assert_eq!(receipt.compiled.len(), 5);

    write(dir.path(), "b.rhai", &rule("two", "Website"));
    let (second, receipt) = reload(&workspace, Some(&first));
    assert_eq!(receipt.compiled, ["scripts/b.rhai"]);

    write(dir.path(), "lib/base.rhai", "fn base() { \"B\" }");
    let (third, receipt) = reload(&workspace, Some(&second));
    assert_eq!(receipt.compiled, ["scripts/a.rhai", "scripts/lib/base.rhai", "scripts/lib/names.rhai"], "and what imports what imports it");
    assert_eq!(receipt.difference.changed, ["one"]);

    fs::rename(dir.path().join("scripts/c.rhai"), dir.path().join("scripts/d.rhai")).unwrap();
    let (fourth, receipt) = reload(&workspace, Some(&third));
    assert_eq!((receipt.compiled.as_slice(), receipt.difference), (["scripts/d.rhai".to_owned()].as_slice(), tabi::script::Difference::default()));

    // A file that comes to stand nearer is another import.
    write(dir.path(), "sub/e.rhai", "import \"lib/base\" as base;");
    let (fifth, _) = reload(&workspace, Some(&fourth));
    write(dir.path(), "sub/lib/base.rhai", "fn base() { \"nearer\" }");
    let (_, receipt) = reload(&workspace, Some(&fifth));
    assert_eq!(receipt.compiled, ["scripts/sub/e.rhai", "scripts/sub/lib/base.rhai"]);
}

#[test]
fn what_fills_templates_in_is_compiled_with_them_and_nothing_else_is() {
    let dir = tempfile::tempdir().unwrap();
    let mailing = r#"journey("welcome", #{ model: "dynamic", participants: [#{ email: "a@x.example" }], unique_on: "email",
        steps: [run("say", |p| email::send(#{ to: p.email, subject: "x", text: "y" })), finish()] });"#;
    write(dir.path(), "templates/w.html", "Subject: One\n<p>Hello</p>");
    write(dir.path(), "mail.rhai", mailing);
    write(dir.path(), "b.rhai", &rule("two", "Fax"));
    let workspace = workspace(dir.path());
    let (first, receipt) = reload(&workspace, None);
    assert_eq!(errors(&receipt), []);
    write(dir.path(), "templates/w.html", "Subject: Two\n<p>Hello</p>");
    let (second, receipt) = reload(&workspace, Some(&first));
    assert_eq!(receipt.compiled, ["scripts/mail.rhai"]);
    assert_eq!(receipt.difference, tabi::script::Difference::default(), "the journey does not use it");
    assert!(!std::sync::Arc::ptr_eq(first.templates(), second.templates()));
    write(dir.path(), "b.rhai", &rule("two", "Site"));
    let (third, receipt) = reload(&workspace, Some(&second));
    assert_eq!(receipt.compiled, ["scripts/b.rhai"]);
    assert!(std::sync::Arc::ptr_eq(second.templates(), third.templates()), "templates that are as they were are the same set");
}

#[test]
fn a_journey_is_another_one_with_another_template() {
    let dir = tempfile::tempdir().unwrap();
    let mailing = r#"journey("welcome", #{ model: "dynamic", participants: [#{ contact: "a@x.example" }], unique_on: "contact",
        steps: [TEMPLATE, finish()] });"#;
    write(dir.path(), "templates/w.html", "Subject: One\n<p>Hello</p>");
    write(dir.path(), "one.rhai", &mailing.replace("TEMPLATE", "send_email(\"say\", #{ template: \"w\" })"));
    write(dir.path(), "two.rhai", &mailing.replace("welcome", "silent").replace("TEMPLATE", "wait(\"a day\", days(1))"));
    let workspace = workspace(dir.path());
    let (first, receipt) = reload(&workspace, None);
    assert_eq!(errors(&receipt), []);
    write(dir.path(), "templates/w.html", "Subject: Two\n<p>Hello</p>");
    let (_, receipt) = reload(&workspace, Some(&first));
    assert_eq!(receipt.difference.changed, ["welcome"]);
}

#[test]
fn a_journey_is_made_of_the_templates_that_it_sends_and_of_none_that_a_step_is_named_like() {
    let dir = tempfile::tempdir().unwrap();
    let made_of = |steps: &str| {
        let text = format!(
            "import \"lib/mail\" as mail;\njourney(\"hello\", #{{ model: \"dynamic\", participants: [#{{ contact: \"a@x.example\" }}], unique_on: \"contact\",
                steps: [{steps}] }});"
        );
        write(dir.path(), "one.rhai", &text);
        let (loaded, receipt) = reload(&workspace(dir.path()), None);
        assert_eq!(errors(&receipt), []);
        let texts: Vec<String> = loaded.declarations()[0].sources.texts().keys().cloned().collect();
        let short = |name: &String| name.strip_prefix("scripts/").map(str::to_owned);
        texts.iter().filter_map(short).filter(|name| name != "one.rhai").collect::<Vec<_>>()
    };
    write(dir.path(), "lib/mail.rhai", "fn nothing() { 1 }");
    for name in ["sent", "named", "hello"] {
        write(dir.path(), &format!("templates/{name}.html"), "Subject: One\n{% include \"foot.html\" %}");
    }
    write(dir.path(), "templates/foot.html", "<p>Bye</p>");
    let by_step = made_of("send_email(\"named\", #{ template: \"sent\" }), finish()");
    assert_eq!(by_step, ["lib/mail.rhai", "templates/foot.html", "templates/sent.html"]);

    // Who mails by closure may name a template there, or hand its name on.
    let mailing = |given: &str| format!("wait(\"named\", days(1)), run(\"say\", |p| {given}), finish()");
    let written_out = mailing("email::send(#{ to: p.contact, template: \"sent\" })");
    assert_eq!(made_of(&written_out), ["lib/mail.rhai", "templates/foot.html", "templates/sent.html"]);
    write(dir.path(), "lib/mail.rhai", "fn say(p, name) { email::send(#{ to: p.contact, template: name }) }");
    let chosen = "let names = []; names.push(\"sent\"); for name in names { mail::say(p, name) }";
    let switched = "let name = switch p.contact { \"a\" => \"sent\", _ => () }; mail::say(p, name)";
    for handed_on in ["mail::say(p, \"sent\")", chosen, switched] {
        assert_eq!(made_of(&mailing(&format!("{{ {handed_on} }}"))), ["lib/mail.rhai", "templates/foot.html", "templates/sent.html"], "{handed_on}");
    }
}

#[test]
fn a_receipt_holds_the_texts_that_its_findings_are_about_h3() {
    let dir = tempfile::tempdir().unwrap();
    let (broken, good) = (rule("one", "Site").replace("\"Name\"]", "\"Name\""), rule("two", "Fax"));
    write(dir.path(), "a.rhai", &broken);
    write(dir.path(), "b.rhai", &good);
    let workspace = workspace(dir.path());
    let (first, receipt) = reload(&workspace, None);
    assert_eq!(receipt.texts.keys().collect::<Vec<_>>(), ["scripts/a.rhai"]);
    assert_eq!(receipt.texts["scripts/a.rhai"].as_ref(), broken);
    write(dir.path(), "a.rhai", &rule("one", "Site"));
    assert!(reload(&workspace, Some(&first)).1.texts.is_empty());
}

#[test]
fn a_pipe_among_the_scripts_is_told_and_never_read() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a.rhai", &rule("one", "Site"));
    assert!(std::process::Command::new("mkfifo").arg(dir.path().join("scripts/pipe.rhai")).status().unwrap().success());
    let (first, receipt) = reload(&workspace(dir.path()), None);
    assert_eq!((declared(&first), errors(&receipt)), (vec!["one"], vec![("scripts/pipe.rhai", "E0101")]));
}

#[test]
fn the_last_hundred_receipts_can_be_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let (_, receipt) = reload(&workspace(dir.path()), None);
    let receipts = tabi::host::Receipts::default();
    let asking = receipts.clone();
    for generation in 1..=130 {
        receipts.keep(&Receipt { generation, ..receipt.clone() });
    }
    let kept: Vec<u64> = asking.all().iter().map(|receipt| receipt.generation).collect();
    assert_eq!((kept.len(), kept[0], kept[99]), (100, 31, 130));
    let document = asking.all()[99].document();
    assert_eq!((&document["type"], &document["generation"], &document["compiled"]), (&"reload".into(), &130.into(), &serde_json::json!([])));
}
