//! The page of every diagnostic code: its wrong example gives exactly that code, the mended one is clean of everything.

use std::{collections::BTreeMap, fs, path::Path, process::Command, time::Duration};

use tabi::{
    flow::journey::unfit,
    host::{Workspace, clock::Clock, test},
    model::{Field, FieldType, Listed, Listing, ObjectSchema, Record, System, Value},
    script::{
        Body, CODES, Declaration, Example, RunError, ScriptRun, check_against, check_connections, check_enabled, check_mails, check_named,
        check_shown, check_targets, check_templates, page, run_script,
    },
};

use super::bench::Scripted;

/// Only the example of a test that never ends waits for it.
const TIMEOUT: Duration = Duration::from_secs(5);

#[test]
fn every_code_has_a_page_whose_examples_do_what_it_says() {
    let mut wrong: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for code in CODES {
        let mut report = |what: String| wrong.entry(code.code).or_default().push(what);
        let Some(page) = page(code.code) else {
            report("has no page".to_owned());
            continue;
        };
        let (given, mended) = (said(code.code, &page.wrong), said(code.code, &page.right));
        if given.is_empty() || given.iter().any(|line| !line.starts_with(code.code)) {
            report(format!("the wrong example gives {given:#?}"));
        }
        if !mended.is_empty() {
            report(format!("the mended example gives {mended:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Everything that is said about the files of an example: by `check`, with a describe of Account at hand, and when its plain scripts run.
fn said(code: &str, examples: &[Example]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let root = fs::canonicalize(folder.path()).unwrap();
    fs::write(root.join("tabi.toml"), "").unwrap();
    for example in examples {
        write(&root, example);
    }
    let workspace = Workspace::open(Some(&root), false, Clock::machine()).unwrap();
    let loaded = workspace.load();
    let declared: Vec<&Declaration> = loaded.generation.declared().iter().map(AsRef::as_ref).collect();
    let mut found = loaded.generation.diagnostics().to_vec();
    found.extend(check_enabled(&declared, workspace.rule_updates(), workspace.reaches_salesforce()));
    let templates = loaded.templates().names().into_iter().map(str::to_owned).collect();
    found.extend(declared.iter().flat_map(|declaration| check_templates(declaration, &templates)));
    let describe = |system, object: &str| (system == System::Salesforce && object == "Account").then(account);
    found.extend(check_against(&declared, describe));
    let connected = workspace.connected(workspace.server_url().is_some());
    found.extend(declared.iter().flat_map(|declaration| check_connections(declaration, &connected)));
    found.extend(declared.iter().flat_map(|declaration| check_mails(declaration, loaded.templates(), describe)));
    found.extend(declared.iter().flat_map(|declaration| match &declaration.body {
        Body::Journey(journey) => check_shown(declaration, &unfit(journey, &engagements())),
        _ => Vec::new(),
    }));
    if code == "E0509" {
        found.extend(check_targets(&declared, |_, object| object == "JBCXM__UsageData__c"));
    }
    if code == "E0507" {
        found.extend(check_named(&declared, &listed()));
    }
    let mut lines: Vec<String> = found.iter().map(|finding| format!("{} {}: {}", finding.code, finding.place(), finding.message)).collect();
    for name in templates.iter().filter(|_| code.starts_with("E07") && found.is_empty()) {
        let rendered = loaded.templates().render(name, &ana());
        lines.extend(rendered.err().map(|finding| format!("{} {}", finding.code, finding.message)));
    }
    let scripts = examples.iter().filter(|example| example.file.starts_with("jobs/"));
    lines.extend(scripts.filter_map(|example| exec(&root, example.file)));
    if examples.iter().any(|example| example.file.starts_with("tests/")) {
        lines.extend(tested(&workspace));
    }
    lines
}

/// What is wrong with test files, and what their tests end with.
fn tested(workspace: &Workspace) -> Vec<String> {
    let suite = test::load(workspace);
    let unsound = suite.files.iter().flat_map(|file| &file.diagnostics).cloned().collect::<Vec<_>>();
    let wanted = test::Wanted { filter: None, jobs: 1, timeout: TIMEOUT, update: false };
    let report = test::run(workspace, &suite, &wanted, |_| ()).unwrap();
    let broken = report.outcomes.into_iter().filter_map(|outcome| outcome.broken).map(|broken| broken.diagnostic);
    unsound.into_iter().chain(broken).map(|finding| format!("{} {}: {}", finding.code, finding.place(), finding.message)).collect()
}

fn write(root: &Path, example: &Example) {
    if example.file == "sh" {
        assert!(Command::new("sh").args(["-c", example.text]).current_dir(root).status().unwrap().success(), "{}", example.text);
        return;
    }
    let path = root.join(example.file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, example.text).unwrap();
}

/// Code and message of what ends a plain script.
fn exec(root: &Path, file: &str) -> Option<String> {
    match run_script(root, Path::new(file), ScriptRun::with(Scripted::agreeable())) {
        Ok(_) => None,
        Err(RunError::Unsound { diagnostics, .. }) => Some(format!("{diagnostics:?}")),
        Err(RunError::Failed(failure)) => Some(format!("{} {failure}", failure.fault.code.clone().unwrap_or_default())),
    }
}

fn ana() -> Record {
    let person = Record::from_iter([("name".into(), Value::text("Ana")), ("seats".into(), Value::Int(4))]);
    Record::from_iter([("person".into(), Value::Map(person))])
}

/// What Pendo lists.
fn listed() -> Listed {
    let one = |id: &str, name: &str, app: i64| -> Record {
        [("id".into(), Value::text(id)), ("name".into(), Value::text(name)), ("appId".into(), Value::Int(app))].into_iter().collect()
    };
    let mut listed = Listed::default();
    listed.add(Listing::Segment, vec![one("s-1", "Admins", 1)]);
    listed.add(Listing::App, vec![one("1", "Web app", 1), one("2", "Mobile app", 2)]);
    listed.add(Listing::Feature, vec![one("f-1", "Export", 1), one("f-2", "Export", 2)]);
    listed
}

/// What PX lists.
fn engagements() -> Vec<Record> {
    let one = |name: &str, kind: &str, state: &str| {
        let fields = [("id", name), ("name", name), ("type", kind), ("state", state), ("description", "Triggered by: Journey Orchestrator")];
        fields.into_iter().map(|(field, text)| (field.into(), Value::text(text))).collect()
    };
    vec![
        one("Product tour", "IN_APP_GUIDE", "STARTED"),
        one("Admin tour", "IN_APP_GUIDE", "PAUSED"),
        one("Release video", "IN_APP_DIALOG", "STARTED"),
        one("NPS", "IN_APP_NPS_SURVEY", "STARTED"),
    ]
}

fn account() -> ObjectSchema {
    let field = |name: &str, kind| Field {
        name: name.into(),
        label: name.into(),
        kind,
        nillable: true,
        createable: true,
        updateable: true,
        required: false,
        key: false,
        case_sensitive: false,
    };
    let created = Field { updateable: false, createable: false, ..field("CreatedDate", FieldType::DateTime { millis: false }) };
    let texts = ["Name", "Type", "Industry", "Churn_Risk__c"].map(|name| field(name, FieldType::Text { max: 255 }));
    let numbers = ["Health_Score__c", "Seats__c", "Pendo_Visitors__c"].map(|name| field(name, FieldType::Number { digits: 18, scale: 1 }));
    let others = [field("Id", FieldType::Id), field("Renewal_Date__c", FieldType::Date), created];
    let fields = texts.into_iter().chain(numbers).chain(others).collect();
    ObjectSchema { system: System::Salesforce, name: "Account".into(), label: "Account".into(), fields }
}
