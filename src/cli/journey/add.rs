//! `tabi journey add NAME FILE`: people added by hand or from a list, and what became of each (B8).

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::{
    cli::{
        Context, Exit, Failure, check,
        render::{BOLD, DIM, Tint, WARN, paint, plain, table, tinted},
    },
    flow::{
        Notice,
        journey::{Added, Became},
    },
    host::{self, Session, add_people},
    model::{FaultKind, FieldType, Record, Source, alias},
    script::{Journey, Participants},
};

use super::people::{self, Texts};

/// Rows that people are shown of those that did not enter.
const SHOWN: usize = 40;

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The journey's name.
    #[arg(add = super::names())]
    name: String,
    /// People as CSV with a line of headers, as a JSON list or as JSON lines; `-` reads standard input.
    #[arg(required_unless_present = "set")]
    file: Option<PathBuf>,
    /// A field of everybody in the file; without a file, of one person. May be given several times.
    #[arg(long, value_name = "FIELD=VALUE", value_parser = field)]
    set: Vec<(String, String)>,
    /// Only say what would become of them.
    #[arg(long)]
    plan: bool,
}

fn field(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()));
    parts.filter(|(name, _)| !name.is_empty()).ok_or_else(|| "write it as FIELD=VALUE, such as email=ana@example.com".to_owned())
}

/// Adds them; the next host that runs takes them on from there.
pub(super) fn add(args: &Add, cx: &Context) -> Result<Exit, Failure> {
    let workspace = cx.workspace()?;
    let declaration = super::named(&workspace, &args.name, cx)?;
    let Some(journey) = super::body(&declaration) else { return Ok(Exit::Done) };
    let texts = texts(journey, &workspace, cx);
    let people = people(args, &texts)?;
    let session = Session::open(&workspace)?;
    session.stop_when_asked(|| std::process::exit(Exit::Interrupted as i32));
    let warn = cx.out.clone();
    let notify: crate::flow::Notify = std::sync::Arc::new(move |notice| {
        if let Notice::Warning { message, .. } = notice {
            warn.note(format!("{} {message}", paint(WARN, "warning:")));
        }
    });
    let added = add_people((&workspace, &session, &workspace.load()), &args.name, people, args.plan, &notify);
    session.close();
    match added {
        Err(host::Error::Flow(crate::flow::Error::Fault(fault))) if fault.kind == FaultKind::Conflict => {
            Err(Failure::new(Exit::Usage, "wrong_state", fault.message))
        }
        other => Ok(tell(args, &other?, cx)),
    }
}

/// Which fields of the source hold text, so far as it was described: `007` stays as it is there.
fn texts(journey: &Journey, workspace: &host::Workspace, cx: &Context) -> Texts {
    let Participants::Source { source: Source::Object(query), .. } = &journey.participants else { return Texts::default() };
    let schema = check::remembered(workspace, cx).and_then(|store| store.schema(query.system, &query.object).ok().flatten());
    let is_text = |kind: &FieldType| {
        !matches!(kind, FieldType::Int { .. } | FieldType::Number { .. } | FieldType::Float | FieldType::Bool | FieldType::Other { .. })
    };
    let fields = schema.into_iter().flat_map(|kept| kept.schema.fields).filter(|field| is_text(&field.kind));
    fields.flat_map(|field| [alias(&field.name), field.name]).collect()
}

/// The rows of the file, each with the fields that all of them have.
fn people(args: &Add, texts: &Texts) -> Result<Vec<Result<Record, String>>, Failure> {
    let mut people = match &args.file {
        Some(file) => people::read(file, texts)?,
        None => vec![Ok(Record::new())],
    };
    for (name, text) in &args.set {
        let value = people::typed(name, text, texts);
        people.iter_mut().flatten().for_each(|person| person.set(name.as_str(), value.clone()));
    }
    Ok(people)
}

fn tell(args: &Add, added: &[Added], cx: &Context) -> Exit {
    let count = |became: Became| added.iter().filter(|one| one.became == became).count();
    let (entered, stayed, failed) = (count(Became::Entered), count(Became::Stayed), count(Became::Failed));
    let row = |(at, one): (usize, &Added)| {
        json!({
            "row": at + 1, "person": one.person, "became": one.became.word(), "reason": one.reason,
            "participant": one.participant.map(crate::store::ParticipantId::as_i64),
        })
    };
    let rows: Vec<serde_json::Value> = added.iter().enumerate().map(row).collect();
    cx.out.json(&json!({"name": args.name, "plan": args.plan, "entered": entered, "stayed": stayed, "failed": failed, "rows": rows}));
    let others: Vec<(usize, &Added)> = added.iter().enumerate().filter(|(_, one)| one.became != Became::Entered).collect();
    let shown = others.iter().take(SHOWN).map(|(at, one)| {
        let tint = if one.became == Became::Failed { Tint::Bad } else { Tint::Dim };
        let reason = one.reason.as_deref().unwrap_or_default();
        vec![plain(at + 1), plain(&one.person), tinted(tint, one.became.word()), plain(reason)]
    });
    if !others.is_empty() {
        cx.out.line(table(&["#row", "person", "what", "why"], shown.collect()));
    }
    if others.len() > SHOWN {
        cx.out.line(paint(DIM, format!("and {} more; `--json` tells of every row", others.len() - SHOWN)));
    }
    let would = if args.plan { "would be " } else { "" };
    let next = if args.plan || entered == 0 { "" } else { "; `tabi up` takes them on from the first step" };
    cx.out.line(format!("{}: {entered} {would}entered, {stayed} stayed as they were, {failed} failed{}", paint(BOLD, &args.name), paint(DIM, next)));
    if failed > 0 { Exit::Failed } else { Exit::Done }
}
