//! Templates of mail: what they are made of, what is wrong with them, what they use, and what comes of filling them in.

use serde_json::json;
use tabi::{
    model::{Effect, Email, Record, Value},
    script::{Generation, Limits, Rendered, RunError, ScriptRun, run_source},
};

use super::bench::{Scripted, Workspace, findings};

fn data(json: serde_json::Value) -> Record {
    match Value::from(json) {
        Value::Map(record) => record,
        other => panic!("{other:?}"),
    }
}

fn ana() -> Record {
    data(json!({"person": {"name": "Ana", "title": null, "seats": 3}, "links": [{"label": "Tour", "url": "https://a.example/?x=1&y=2"}]}))
}

/// A workspace of templates only, by their names within the folder.
fn templates(files: &[(&str, &str)]) -> Workspace {
    let named: Vec<(String, &str)> = files.iter().map(|(name, text)| (format!("scripts/templates/{name}"), *text)).collect();
    Workspace::new(&named.iter().map(|(name, text)| (name.as_str(), *text)).collect::<Vec<_>>())
}

fn sound(files: &[(&str, &str)]) -> Generation {
    let generation = templates(files).load();
    assert_eq!(findings(&generation), Vec::<String>::new());
    generation
}

fn rendered(files: &[(&str, &str)], name: &str, data: &Record) -> Rendered {
    sound(files).templates().render(name, data).unwrap_or_else(|finding| panic!("{finding:?}"))
}

const LAYOUT: &str = "<html><body>{% block body %}{% endblock %}{% include \"parts/footer.html\" %}</body></html>";
const FOOTER: &str = "<p>Sent to {{ person.name }}</p>";

#[test]
fn a_template_is_a_subject_and_one_or_two_bodies() {
    let both = rendered(
        &[
            ("welcome.txt", "Subject: Welcome, {{ person.name }}\nHello {{ person.name }}, {{ person.seats }} seats.\n"),
            ("welcome.html", "{% extends \"layout.html\" %}{% block body %}<h1>Hello {{ person.name }}</h1>{% endblock %}"),
            ("layout.html", LAYOUT),
            ("parts/footer.html", FOOTER),
        ],
        "welcome",
        &ana(),
    );
    assert_eq!(both.subject.as_deref(), Some("Welcome, Ana"));
    assert_eq!(both.text, "Hello Ana, 3 seats.");
    assert_eq!(both.html.as_deref(), Some("<html><body><h1>Hello Ana</h1><p>Sent to Ana</p></body></html>"));

    let html = "subject: Hi\n<p>See <a href=\"{{ links[0].url }}\">{{ links[0].label }}</a>{% for x in links %} {{ loop.index }}{% endfor %}</p>";
    let only_html = rendered(&[("nudge.html", html)], "nudge", &ana());
    assert_eq!(only_html.subject.as_deref(), Some("Hi"));
    assert!(only_html.text.contains("Tour") && only_html.text.contains("https://a.example/?x=1&y=2"), "{}", only_html.text);

    let only_text = rendered(&[("note.txt", "{{ person.name }}{{ person.title }}!")], "note", &ana());
    assert_eq!((only_text.subject, only_text.text.as_str(), only_text.html), (None, "Ana!", None), "null shows as nothing");
}

#[test]
fn a_script_in_a_name_stays_text() {
    let evil = data(json!({"person": {"name": "<script>alert(1)</script>\"'&\r\nBcc: eve@x.example"}, "url": "javascript:\" onclick=\"x"}));
    let mail = rendered(
        &[("w.txt", "Subject: Hi {{ person.name }}\n{{ person.name }}"), ("w.html", "<p title=\"{{ url }}\">{{ person.name }}</p>")],
        "w",
        &evil,
    );
    let html = mail.html.unwrap();
    assert!(!html.contains("<script") && html.contains("&lt;script&gt;") && !html.contains("\" onclick"), "{html}");
    assert!(mail.text.starts_with("<script>alert(1)</script>"), "text is no HTML");
    assert_eq!(mail.subject.as_deref(), Some("Hi <script>alert(1)</script>\"'& Bcc: eve@x.example"), "one line");
}

#[test]
fn everything_wrong_is_found_at_its_place() {
    let workspace = templates(&[
        ("a.html", "Subject: Hi {{ person.\n<p>ok</p>"),
        ("b.html", "Subject: fine\n<p>\n  {% if x %}\n"),
        ("c.txt", "Hello\n  {% include \"foter.html\" %}"),
        ("d.html", "<p>{{ name | captialize }}</p>{# {{ x|nothing }} #}{% raw %}{{ y|nothing }}{% endraw %}"),
        ("e.txt", "Subject: One\nx"),
        ("e.html", "Subject:  Two\nx"),
        ("footer.html", "<p>{{ \"a | b\" | upper }}</p>"),
        ("f.html", "{% include \"../../secret.html\" %}{% include maybe ignore missing %}{% include \"gone.html\" ignore missing %}"),
        ("empty.txt", ""),
        ("style.css", "not a template {{"),
    ]);
    let generation = workspace.load();
    let said = findings(&generation);
    let wanted = [
        "E0701 scripts/templates/a.html:1:",
        "E0701 scripts/templates/b.html:",
        "E0702 scripts/templates/c.txt:2:14 there is no template `foter.html`",
        "E0704 scripts/templates/d.html:1:14 there is no filter `captialize`",
        "E0705 scripts/templates/e.html:1:11 ",
        "E0103 scripts/templates/empty.txt",
        "E0702 scripts/templates/f.html:1:12 there is no template `../../secret.html`",
    ];
    for (line, wanted) in said.iter().zip(wanted) {
        assert!(line.starts_with(wanted), "{line}\n{wanted}\n{said:#?}");
    }
    let templates_only: Vec<&String> = said.iter().filter(|line| !line.contains("style.css")).collect();
    assert_eq!(templates_only.len(), wanted.len(), "{said:#?}");
    let hint = generation.diagnostics().iter().find(|finding| finding.code == "E0702").unwrap().hint.clone();
    assert_eq!(hint.as_deref(), Some("did you mean `footer.html`?"));
}

#[test]
fn b18_fields_that_a_template_uses_are_compared_with_those_there_are() {
    let generation = sound(&[
        ("w.txt", "Subject: {{ person.nmae }}\n{% set own = company.name %}{{ own }}{{ range(3) }}"),
        ("w.html", "{% for link in links %}{% include \"row.html\" %}{% endfor %}\n  <i>{{ compny.name|upper }}</i>"),
        ("row.html", "{{ link.url }} {{ person.name }}"),
    ]);
    let set = generation.templates();
    let used: Vec<String> = set.fields_used("w").unwrap().into_iter().collect();
    assert_eq!(used, ["company.name", "compny.name", "links", "person.name", "person.nmae"]);
    let unknown = set.unknown_fields("w", &["person.name", "company", "links"]).unwrap();
    let told: Vec<String> = unknown.iter().map(|d| format!("{} {}:{}:{} {}", d.code, d.file, d.line, d.column, d.hint.clone().unwrap())).collect();
    assert_eq!(
        told,
        ["E0703 scripts/templates/w.html:2:9 did you mean `company`?", "E0703 scripts/templates/w.txt:1:13 did you mean `person.name`?",]
    );
    assert_eq!(set.unknown_fields("welcme", &[]).unwrap_err().code, "E0702");
    assert_eq!(set.has_subject("w"), Some(true));
}

#[test]
fn filling_in_what_is_not_there_is_an_error_with_place_and_hint() {
    let generation = sound(&[
        ("w.html", "Subject: Hi\n<p>\n{% include \"foot.html\" %}"),
        ("foot.html", "<i>\n {{ person.nmae }}</i>"),
        ("s.txt", "Subject: Hi {{ nobody }}\nx"),
        ("endless.txt", "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}"),
        ("wrong.txt", "{{ person.name / 2 }}"),
    ]);
    let fails = |name: &str| *generation.templates().render(name, &ana()).unwrap_err();
    let missing = fails("w");
    assert_eq!((missing.code, missing.file.as_str(), missing.line, missing.column), ("E0703", "scripts/templates/foot.html", 2, 5), "{missing:?}");
    assert_eq!(missing.message, "the data has no `person.nmae`");
    assert_eq!(missing.hint.as_deref(), Some("did you mean `person.name`?"));
    let subject = fails("s");
    assert_eq!((subject.code, subject.file.as_str(), subject.line, subject.column), ("E0703", "scripts/templates/s.txt", 1, 16), "{subject:?}");
    assert_eq!(fails("endless").code, "E0706");
    assert_eq!(fails("wrong").code, "E0706");
    let nowhere = fails("w2");
    assert_eq!((nowhere.code, nowhere.line), ("E0702", 0));
}

#[test]
fn h3_a_broken_template_keeps_its_last_good_version() {
    let mut workspace = templates(&[("w.txt", "Subject: One\nfirst"), ("other.txt", "x")]);
    let first = workspace.load();
    workspace.write("scripts/templates/w.txt", "Subject: Two\n{% if");
    workspace.write("scripts/templates/other.txt", "y");
    let second = workspace.load_with(&Limits::default(), Some(&first));
    assert!(!second.is_sound());
    assert_eq!(second.templates().render("w", &ana()).unwrap().subject.as_deref(), Some("One"));
    assert_eq!(second.templates().render("other", &ana()).unwrap().text, "y");
    // A name that leads nowhere is as bad as a bracket that is not closed.
    workspace.write("scripts/templates/w.txt", "{% include \"gone.txt\" %}");
    let third = workspace.load_with(&Limits::default(), Some(&second));
    assert_eq!(third.templates().render("w", &ana()).unwrap().text, "first");
    assert!(third.files().iter().any(|file| file.kept && file.name.ends_with("w.txt")));
    workspace.write("scripts/templates/w.txt", "third");
    let fourth = workspace.load_with(&Limits::default(), Some(&third));
    assert!(fourth.is_sound());
    assert_eq!(fourth.templates().render("w", &ana()).unwrap().text, "third");
    assert_ne!(first.hash(), fourth.hash(), "templates are part of what runs");
    assert_eq!(first.templates().render("w", &ana()).unwrap().text, "first", "a generation is never changed");
}

fn mail_of(workspace: &Workspace, script: &str) -> Result<Email, RunError> {
    let scripted = Scripted::agreeable();
    run_source(&workspace.root(), script, ScriptRun::with(scripted.clone()))?;
    let asked = scripted.asked.lock().unwrap();
    match &asked[..] {
        [Effect::SendEmail(email)] => Ok(email.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn scripts_send_mail_by_template_or_written_out() {
    let workspace = templates(&[
        ("welcome.txt", "Subject: Welcome, {{ name }}\nHello {{ name }}"),
        ("welcome.html", "<p>Hello {{ name }}</p>"),
        ("bare.txt", "x"),
    ]);
    let email = mail_of(
        &workspace,
        "email::send(#{ to: \"ana@x.example\", template: \"welcome\", data: #{ name: \"<Ana>\" }, key: \"k\", reply_to: \"o@x.example\", \
         headers: #{ \"List-Unsubscribe\": \"<https://x.example/u>\" } });",
    );
    let wanted = Email {
        to: vec!["ana@x.example".into()],
        reply_to: Some("o@x.example".into()),
        subject: "Welcome, <Ana>".into(),
        text: Some("Hello <Ana>".into()),
        html: Some("<p>Hello &lt;Ana&gt;</p>".into()),
        headers: vec![("List-Unsubscribe".into(), "<https://x.example/u>".into())],
        key: Some("k".into()),
        ..Email::default()
    };
    assert_eq!(email.unwrap(), wanted);
    let written =
        mail_of(&workspace, "email::send(#{ to: [\"a@x.example\", \"b@x.example\"], subject: \"S\", html: \"<p>Hi <b>you</b></p>\" })").unwrap();
    assert_eq!((written.to.len(), written.html.as_deref()), (2, Some("<p>Hi <b>you</b></p>")));
    assert!(written.text.is_some_and(|text| text.contains("you") && !text.contains('<')));

    let refused = [
        ("email::send(#{ subject: \"S\", text: \"x\" })", "lacks the option `to`"),
        ("email::send(#{ to: \"a@x.example\", text: \"x\" })", "needs a subject"),
        ("email::send(#{ to: \"a@x.example\", subject: \"S\" })", "needs `text`"),
        ("email::send(#{ to: \"a@x.example\", template: \"bare\" })", "needs a subject"),
        ("email::send(#{ to: \"a@x.example\", template: \"welcome\", text: \"x\" })", "not both"),
        ("email::send(#{ to: \"a@x.example\", template: \"welcom\" })", "did you mean `welcome`"),
        ("email::send(#{ to: \"a@x.example\", template: \"welcome\", data: #{ nam: 1 } })", "scripts/templates/welcome.txt:2:10"),
        ("email::send(#{ to: \"a@x.example\", sbject: \"S\", text: \"x\" })", "no option `sbject`"),
    ];
    for (script, wanted) in refused {
        let error = mail_of(&workspace, script).unwrap_err().to_string();
        assert!(error.contains(wanted), "{script}: {error}");
    }
}

#[test]
fn mail_is_an_effect_and_none_happens_while_a_script_loads() {
    let workspace = Workspace::new(&[("scripts/a.rhai", "email::send(#{ to: \"a@x.example\", subject: \"S\", text: \"x\" });")]);
    let said = findings(&workspace.load());
    assert!(said.len() == 1 && said[0].starts_with("E0207 scripts/a.rhai:1:8 a script may not send mail"), "{said:?}");
}
