//! Journeys as scripts declare them: the four use cases of B19 load as written, become flows, and are drawn.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

use tabi::{
    model::{Channel, Does, EventKind, Field, FieldType, Length, ObjectSchema, ProgramModel, Record, Reentry, System, Value, When, with_aliases},
    script::{Body, Cell, Declaration, Generation, Journey, Limits, Participants, Rows, check_against, check_templates, render},
};

use super::bench::{Workspace, findings};

const USE_CASES: [&str; 4] = ["csat", "nps", "onboarding", "release_video"];

fn load(name: &str) -> Generation {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/script/journeys");
    let generation = Generation::load(&root, &[root.join(format!("{name}.rhai"))], &Limits::default(), None);
    let shown: Vec<String> = generation.diagnostics().iter().map(|d| render(d, |file| generation.text(file), false)).collect();
    assert!(shown.is_empty(), "{}", shown.join("\n"));
    generation
}

fn only(generation: &Generation) -> &Declaration {
    let mut all = generation.declarations();
    let first = all.next().unwrap();
    assert!(all.next().is_none());
    first
}

fn body(declaration: &Declaration) -> &Journey {
    let Body::Journey(journey) = &declaration.body else { panic!("a journey") };
    journey
}

fn declared(script: &str) -> (Workspace, Generation) {
    let workspace = Workspace::new(&[("scripts/a.rhai", script)]);
    let generation = workspace.load();
    assert_eq!(findings(&generation), Vec::<String>::new());
    (workspace, generation)
}

#[test]
fn the_canon_journey_is_what_it_says_b3_b4_b5_b6() {
    let generation = load("onboarding");
    let declaration = only(&generation);
    let journey = body(declaration);
    assert_eq!((declaration.name.as_str(), declaration.kind().word()), ("new-customer-onboarding", "journey"));
    assert_eq!(declaration.schedule.as_ref().map(ToString::to_string).as_deref(), Some("every 1h"), "people are looked for every hour");
    assert_eq!((journey.model, journey.reentry), (ProgramModel::Onboarding, Reentry::Never));
    assert_eq!(journey.unique_on, ["company_id", "email"]);
    let names: Vec<&str> = journey.graph.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["welcome", "settle in", "tour", "tour done?", "finish", "nudge", "create_cta Tour not finished"]);
    let Does::WaitFor { when, within, then, otherwise } = &journey.graph.step("tour done?").unwrap().does else { panic!("a conditional wait") };
    assert_eq!((*within, then.as_deref(), otherwise.as_deref()), (Length::Days(7), Some("finish"), Some("nudge")));
    assert!(matches!(when, When::Any(parts) if parts.len() == 2), "{when}");
    assert_eq!(journey.graph.step("settle in").unwrap().does, Does::Wait { length: Length::Days(1) });
    assert_eq!(journey.graph.step("nudge").unwrap().next.as_deref(), Some("create_cta Tour not finished"));
    assert_eq!(journey.graph.step("create_cta Tour not finished").unwrap().next, None);
    assert!(journey.parts("create_cta Tour not finished").unwrap().action.is_some());
    assert!(journey.graph.steps.iter().all(|step| journey.parts(&step.name).is_some_and(|parts| parts.place.line == step.line)));
}

#[test]
fn participants_are_known_by_one_spelling_b8() {
    let generation = load("onboarding");
    let journey = body(only(&generation));
    let Participants::Source { source, rows: Rows { keep: Some(keep), .. }, .. } = &journey.participants else { panic!("a filtered source") };
    assert_eq!(source.system(), System::Gainsight);
    let person = |lifecycle: &str| {
        with_aliases(Record::from_iter([
            ("Lifecycle__gc".into(), Value::text(lifecycle)),
            ("Active_Users__gc".into(), Value::Int(45)),
            ("Seats__gc".into(), Value::Int(50)),
        ]))
    };
    assert_eq!(keep.call_row(&person("onboarding")).unwrap(), Value::Bool(true));
    assert_eq!(keep.call_row(&person("mature")).unwrap(), Value::Bool(false));
    let (name, closure) = &journey.calculated[0];
    assert_eq!((name.as_str(), closure.call_row(&person("onboarding")).unwrap()), ("seats_used", Value::Int(90)));
    assert_eq!((journey.identity.email.as_str(), journey.identity.px_id.as_str()), ("email", "external_id"));
}

#[test]
fn every_use_case_is_drawn_b19() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/script/journeys");
    let mut wrong = String::new();
    for name in USE_CASES {
        let generation = load(name);
        let graph = &body(only(&generation)).graph;
        for (extension, drawn) in [("txt", graph.outline()), ("mmd", graph.mermaid())] {
            let file = folder.join(format!("{name}.{extension}"));
            if std::env::var_os("UPDATE").is_some() {
                fs::write(&file, &drawn).unwrap();
            }
            let wanted = fs::read_to_string(&file).unwrap_or_default();
            if drawn != wanted {
                writeln!(wrong, "== {name}.{extension}\n-- wanted\n{wanted}-- drawn\n{drawn}").unwrap();
            }
            let missing: Vec<&str> = graph.steps.iter().map(|step| step.name.as_str()).filter(|step| !drawn.contains(*step)).collect();
            assert!(missing.is_empty(), "{name}.{extension} leaves out {missing:?}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn nested_lists_go_on_behind_the_enclosing_step() {
    let script = r#"journey("j", #{ participants: [#{ email: "a@example.com" }], steps: [
        branch("a", #{ when: field("x", "=", 1), then: [
            branch("b", #{ when: field("y", "=", 1), then: [wait("c", days(1))], otherwise: [finish()] }),
        ] }),
        wait_for("d", #{ when: field("z", "=", 1), within: minutes(5), then: [], otherwise: [go_to("a")] }),
        drop("e"),
    ] });"#;
    let (_workspace, generation) = declared(script);
    let graph = &body(only(&generation)).graph;
    let exits = |name: &str| graph.step(name).unwrap().exits().iter().map(|(_, to)| to.unwrap_or("-").to_owned()).collect::<Vec<_>>();
    assert_eq!(exits("a"), ["b", "d"]);
    assert_eq!(exits("b"), ["c", "finish"]);
    assert_eq!(exits("c"), ["d"]);
    assert_eq!(exits("d"), ["drop e", "a"]);
    assert_eq!(exits("drop e"), Vec::<String>::new());
}

#[test]
fn a_reminder_reminds_of_the_nearest_survey_before_it_b14() {
    let generation = load("nps");
    let Does::Remind { of, channel, .. } = &body(only(&generation)).graph.step("by mail").unwrap().does else { panic!("a reminder") };
    assert_eq!((of.as_str(), *channel), ("ask", Channel::Email));
}

#[test]
fn pace_and_identity_are_read() {
    let generation = load("nps");
    let journey = body(only(&generation));
    let (from, to) = journey.pace.quiet.unwrap();
    assert_eq!((from.hour(), to.hour()), (20, 8));
    assert_eq!((journey.pace.working_days.as_slice(), journey.pace.time_zone.as_deref()), (&[1, 2, 3, 4, 5][..], Some("Europe/Berlin")));
    assert_eq!((journey.unique_on.as_slice(), journey.reentry), (&["Email".to_owned()][..], Reentry::After(Length::Days(90))));
    let generation = load("csat");
    let journey = body(only(&generation));
    assert_eq!((journey.identity.email.as_str(), journey.identity.company.as_str()), ("contact_email", "account_id"));
    let Participants::Source { rows: Rows { keep: Some(keep), .. }, .. } = &journey.participants else { panic!("a filtered source") };
    let case = with_aliases(Record::from_iter([("Origin".into(), Value::text("Internal"))]));
    assert_eq!(keep.call_row(&case).unwrap(), Value::Bool(false));
    let generation = load("release_video");
    assert_eq!(body(only(&generation)).pace.cap, Some((2, Length::Days(7))));
}

#[test]
fn values_of_steps_stand_for_themselves() {
    let generation = load("release_video");
    let journey = body(only(&generation));
    let mark = &journey.parts("mark").unwrap().fields[0];
    assert!(matches!(&mark.from, Cell::Constant(value) if *value == Value::text("seen")), "{mark:?}");
    let body = &journey.parts("tell the community").unwrap().body;
    assert!(body.iter().any(|map| matches!(&map.from, Cell::Field(field) if field == "email")), "{body:?}");
    assert!(journey.graph.step("note it").is_some(), "`step` names an action");
}

#[test]
fn names_are_safe_in_mermaid() {
    let script = r#"journey("j", #{ participants: [#{ email: "a@example.com" }], steps: [
        wait("a \"quoted\" <b>name</b> #1 & `more`", days(1)),
    ] });"#;
    let (_workspace, generation) = declared(script);
    let drawn = body(only(&generation)).graph.mermaid();
    let label = drawn.lines().find(|line| line.contains("quoted")).unwrap();
    assert!(label.contains("a #34;quoted#34; #60;b#62;name#60;/b#62; #35;1 #38; #96;more#96;<br/>wait 1 day"), "{label}");
}

#[test]
fn e0614_templates_that_are_not_there_are_told_with_their_step() {
    let generation = load("nps");
    let declaration = only(&generation);
    let known = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    assert_eq!(check_templates(declaration, &known(&["nps-reminder", "nps-thanks"])), []);
    let found = check_templates(declaration, &known(&["nps-remainder"]));
    let told: Vec<_> = found.iter().map(|d| (d.code, d.message.as_str(), d.hint.as_deref().unwrap_or_default())).collect();
    assert_eq!(
        told,
        [
            ("E0702", "there is no template `nps-reminder`", "did you mean `nps-remainder`?"),
            ("E0702", "there is no template `nps-thanks`", "templates are nps-remainder"),
        ]
    );
    assert!(found.iter().all(|d| d.line > 1 && d.file == "nps.rhai"), "{found:?}");
}

#[test]
fn fields_are_checked_against_what_the_system_describes() {
    let generation = load("csat");
    let field = |name: &str| Field {
        name: name.to_owned(),
        label: name.to_owned(),
        kind: FieldType::Text { max: 255 },
        nillable: true,
        createable: true,
        updateable: true,
        required: false,
        key: false,
        case_sensitive: false,
    };
    let schema = |names: &[&str]| ObjectSchema {
        system: System::Salesforce,
        name: "Case".to_owned(),
        label: "Case".to_owned(),
        fields: names.iter().map(|name| field(name)).collect(),
    };
    let whole = schema(&["Id", "Status", "Origin", "Subject", "ContactEmail", "AccountId"]);
    assert_eq!(check_against(&[only(&generation)], |_, _| Some(whole.clone())), []);
    let lacking = schema(&["Id", "Status", "ContactEmail", "AccountId"]);
    let found = check_against(&[only(&generation)], |_, _| Some(lacking.clone()));
    let told: Vec<&str> = found.iter().map(|d| d.message.as_str()).collect();
    assert_eq!(told, ["participants have no field `origin`", "participants have no field `subject`"]);
}

#[test]
fn what_can_happen_depends_on_the_step_b7() {
    use EventKind::{Completed, Opened, Responded, Viewed};
    let engagement = Does::Engagement { engagement: "e".to_owned() }.events();
    let mail = Does::SendEmail { template: "t".to_owned() }.events();
    let survey = |channel| Does::Survey { survey: "s".to_owned(), channel, template: None, questions: Vec::new(), by_model: None }.events();
    let can = |events: &[EventKind]| [Viewed, Completed, Opened, Responded].map(|event| events.contains(&event));
    assert_eq!(can(&engagement), [true, true, false, false]);
    assert_eq!(can(&mail), [false, false, true, false]);
    assert_eq!(can(&survey(Channel::Px)), [true, false, false, true]);
    assert_eq!(can(&survey(Channel::Email)), [true, false, true, true]);
    assert_eq!(Does::Finish.events(), []);
}
