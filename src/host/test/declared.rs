//! Declarations in tests, by the one path that `tabi run` and `tabi plan` take.

use std::{
    fs,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Value as Json, json};

use crate::{
    flow::{
        self, Hands, Notice, Notify, Rejection, Summary,
        journey::is_active,
        recording::{Recording, Replay},
    },
    host::record,
    model::{Date, Fault, FaultKind, Record, System, Value},
    script::{Action, ActionKind, Body, Cell, Declaration, FieldMap, Push},
};

use super::{bench::value, stage::Stage};

/// Rejected rows that a summary carries.
const REJECTED: usize = 1_000;

/// The declaration of a name.
pub(super) fn declared<'s>(stage: &'s Stage, name: &str) -> Result<&'s Arc<Declaration>, Fault> {
    let all = stage.loaded.declarations();
    all.iter().find(|declaration| declaration.name == name).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|declaration| declaration.name.as_str()).collect();
        let there = if known.is_empty() { "scripts/ declares nothing".to_owned() } else { format!("there are {}", known.join(", ")) };
        Fault::new(FaultKind::NotFound, format!("nothing is declared by the name `{name}`: {there}"))
    })
}

/// Runs declarations: a summary of each.
pub(super) fn run(stage: &Stage, names: &[String], date: Option<Date>, full: bool) -> Result<Value, Fault> {
    let rejected: Arc<Mutex<Vec<(String, Rejection)>>> = Arc::default();
    let gathering = Arc::clone(&rejected);
    let notify: Notify = Arc::new(move |notice| {
        if let Notice::Rejected { name, rejection } = notice {
            let mut all = gathering.lock().unwrap_or_else(PoisonError::into_inner);
            if all.len() < REJECTED {
                all.push((name, rejection));
            }
        }
    });
    let summaries = work(stage, names, Hands::Live, (date, full), &notify)?;
    let rejected = rejected.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(value(summaries.iter().map(|one| summary(one, &rejected)).collect()))
}

/// What a run would change.
pub(super) fn plan(stage: &Stage, names: &[String], date: Option<Date>, full: bool) -> Result<Value, Fault> {
    let told: Arc<Mutex<Vec<Json>>> = Arc::default();
    let gathering = Arc::clone(&told);
    let notify: Notify = Arc::new(move |notice| gathering.lock().unwrap_or_else(PoisonError::into_inner).extend(planned(&notice)));
    let summaries = work(stage, names, Hands::Plan, (date, full), &notify)?;
    if let Some(fault) = summaries.into_iter().find_map(|summary| summary.fault) {
        return Err(fault);
    }
    let told = std::mem::take(&mut *told.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(value(Json::Array(told)))
}

fn work(stage: &Stage, names: &[String], hands: Hands, (date, full): (Option<Date>, bool), notify: &Notify) -> Result<Vec<Summary>, Fault> {
    let opened = stage.opened()?;
    let chosen = names.iter().map(|name| declared(stage, name).cloned()).collect::<Result<Vec<_>, Fault>>()?;
    let is_idle = |one: &&Arc<Declaration>| matches!(one.body, Body::Journey(_)) && !is_active(&opened.store, &one.name);
    if let Some(journey) = chosen.iter().find(is_idle) {
        let message = format!("the journey `{0}` is not active: `journey::publish(\"{0}\")` comes first", journey.name);
        return Err(Fault::new(FaultKind::Conflict, message));
    }
    let usual = stage.options();
    let dates = date.map_or(usual.dates.clone(), |date| vec![date]);
    let options = flow::Options { hands, dates, full, ..usual };
    Ok(flow::run(&chosen, &options, &opened.wire, notify, &stage.stop, |_| ()))
}

fn summary(summary: &Summary, rejected: &[(String, Rejection)]) -> Json {
    let tally = &summary.tally;
    let calls: serde_json::Map<String, Json> =
        System::ALL.iter().map(|system| (system.name().to_owned(), summary.calls.get(system).copied().unwrap_or(0).into())).collect();
    let rows: Vec<Json> = rejected.iter().filter(|(name, _)| *name == summary.name).map(|(_, one)| row(one)).collect();
    json!({
        "name": summary.name, "status": summary.status.word(), "read": tally.read, "written": tally.written(), "created": tally.created,
        "updated": tally.updated, "deleted": tally.deleted, "unchanged": tally.unchanged, "rejected": tally.rejected,
        "unmatched": tally.unmatched, "left_out": tally.left_out, "filtered": tally.filtered, "grouped": tally.grouped, "again": tally.again,
        "create_fields": tally.fields, "calls": calls, "rows": rows,
        "error": summary.fault.as_ref().map(error),
    })
}

fn row(rejection: &Rejection) -> Json {
    json!({
        "key": rejection.key, "source": rejection.source, "field": rejection.field, "value": rejection.value, "reason": rejection.reason,
        "place": rejection.place,
    })
}

fn error(fault: &Fault) -> Json {
    json!({"kind": fault.kind.word(), "message": fault.message, "system": fault.system, "code": fault.code, "field": fault.field})
}

/// One thing that a plan tells, in the words of `tabi plan --json`.
fn planned(notice: &Notice) -> Option<Json> {
    Some(match notice {
        Notice::Change { name, system, object, key, operation, fields, before } => {
            let names = fields.iter().map(|(name, _)| name).chain(before.iter().map(|(name, _)| name).filter(|name| fields.get(name).is_none()));
            let fields: serde_json::Map<String, Json> =
                names.map(|name| (name.to_string(), json!({"from": before.get(name), "to": fields.get(name)}))).collect();
            json!({"type": "change", "name": name, "system": system, "object": object, "key": key, "operation": operation, "fields": fields})
        }
        Notice::CreateField { name, create } => json!({
            "type": "create_field", "name": name, "system": create.system, "object": create.object, "field": create.field.name,
            "field_type": create.field.kind.word(), "label": create.field.label,
        }),
        Notice::Segment { name, segment, add, remove } => json!({"type": "segment", "name": name, "segment": segment, "add": add, "remove": remove}),
        Notice::Rejected { name, rejection } => {
            let mut line = row(rejection);
            line["type"] = "rejected".into();
            line["name"] = name.as_str().into();
            line
        }
        Notice::Progress { .. } | Notice::Warning { .. } => return None,
    })
}

/// What a declaration makes of recorded answers: its summary, with the changes that it asks for.
pub(super) fn replay(stage: &Stage, name: &str) -> Result<Value, Fault> {
    let recording = recorded(stage, name)?;
    let declaration = declared(stage, &recording.name)?;
    let told: Arc<Mutex<Vec<Json>>> = Arc::default();
    let rejected: Arc<Mutex<Vec<(String, Rejection)>>> = Arc::default();
    let (telling, rejecting) = (Arc::clone(&told), Arc::clone(&rejected));
    let notify: Notify = Arc::new(move |notice| {
        telling.lock().unwrap_or_else(PoisonError::into_inner).extend(planned(&notice));
        if let Notice::Rejected { name, rejection } = notice {
            rejecting.lock().unwrap_or_else(PoisonError::into_inner).push((name, rejection));
        }
    });
    let options = flow::Options {
        hands: Hands::Plan,
        now: recording.recorded,
        dates: recording.dates.clone(),
        full: true,
        answers: Some(Arc::new(Replay::new(recording))),
        ..stage.options()
    };
    let one = std::slice::from_ref(declaration);
    let ended = flow::run(one, &options, &stage.unconnected()?, &notify, &stage.stop, |_| ()).pop();
    let Some(ended) = ended else { return Ok(Value::Null) };
    if let Some(fault) = ended.fault {
        return Err(fault);
    }
    let mut made = summary(&ended, &rejected.lock().unwrap_or_else(PoisonError::into_inner));
    made["changes"] = std::mem::take(&mut *told.lock().unwrap_or_else(PoisonError::into_inner)).into();
    Ok(value(made))
}

/// The recording of a name: the declaration's, or the file's without its ending.
fn recorded(stage: &Stage, name: &str) -> Result<Recording, Fault> {
    let files = record::Files::of(name);
    let path = stage.workspace.root.join(&files.recording);
    let text = fs::read_to_string(&path).map_err(|error| {
        let message = format!("`{}` cannot be read: {error}; `tabi record {name}` makes it", files.recording.display());
        Fault::new(FaultKind::NotFound, message)
    })?;
    Recording::parse(&text).map_err(|what| Fault::new(FaultKind::Invalid, format!("`{}` is no recording: {what}", files.recording.display())))
}

/// What a declaration makes of one row. No system is asked.
pub(super) fn transform(stage: &Stage, name: &str, row: &Record) -> Result<Value, Fault> {
    let (declaration, date, zone) = (declared(stage, name)?, stage.workspace.today(), &stage.workspace.config.timezone);
    match &declaration.on(date).body {
        Body::Mapping(one) => {
            let keys = one.match_on.iter().filter(|key| one.fields.iter().all(|map| map.target != key.target));
            let maps: Vec<FieldMap> = keys.chain(&one.fields).cloned().collect();
            flow::transform(&maps, row, date).map(Value::Map)
        }
        Body::Integration(one) => {
            let fitting: Vec<&Push> = one.push.iter().filter(|push| push.fields.iter().all(|map| serves(row, map))).collect();
            if fitting.is_empty() {
                let wanted: Vec<String> = one.push.iter().map(|push| columns(&push.fields).join(", ")).collect();
                let message = format!("the row serves none of the reports of `{name}`, which need {}", wanted.join("; or "));
                return Err(Fault::new(FaultKind::Invalid, message));
            }
            let mut made = Record::new();
            for push in fitting {
                for (field, value) in flow::transform(&push.fields, row, date)?.iter() {
                    made.set(field.clone(), value.clone());
                }
            }
            Ok(Value::Map(made))
        }
        Body::Rule(rule) => {
            if rule.filters.as_ref().is_some_and(|filters| !filters.matches(row, zone)) {
                return Ok(Value::List(Vec::new()));
            }
            let passing = rule.actions.iter().filter(|action| action.criteria.as_ref().is_none_or(|criteria| criteria.matches(row, zone)));
            passing.map(|action| acted(action, row, date)).collect::<Result<_, _>>().map(Value::List)
        }
        Body::Segment(_) | Body::Journey(_) => {
            let kind = declaration.kind().word();
            Err(Fault::new(FaultKind::Invalid, format!("`{name}` is a {kind}, which makes nothing of a row; mappings, integrations and rules do")))
        }
    }
}

/// Whether a row has what a field is made of.
fn serves(row: &Record, map: &FieldMap) -> bool {
    columns(std::slice::from_ref(map)).iter().all(|column| row.path(column).is_some())
}

/// Every source field that these are made of.
fn columns(maps: &[FieldMap]) -> Vec<String> {
    let mut found: Vec<String> = maps
        .iter()
        .flat_map(|map| match &map.from {
            Cell::Field(name) => vec![name.clone()],
            Cell::Compute(closure) => closure.reads().map(<[String]>::to_vec).unwrap_or_default(),
            Cell::Constant(_) | Cell::RuleDate(_) => Vec::new(),
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

fn acted(action: &Action, row: &Record, date: Date) -> Result<Value, Fault> {
    let cell = |name: &str, from: &Cell| FieldMap { target: name.into(), from: from.clone(), declared: None, place: action.place.clone() };
    let optional = |name: &str, from: &Option<Cell>| from.as_ref().map(|from| cell(name, from));
    let (word, object, maps): (&str, String, Vec<FieldMap>) = match &action.kind {
        ActionKind::Usage(load) => {
            let own = [cell("account", &load.account), cell("date", &load.date)].into_iter();
            let instance = [optional("instance_id", &load.instance_id), optional("instance_name", &load.instance_name)].into_iter().flatten();
            let object = load.into.clone().unwrap_or_else(|| "usage data".to_owned());
            ("load_to_usage", object, own.chain(instance).chain(load.measures.iter().cloned()).collect())
        }
        ActionKind::Object(load) => ("load", format!("{} {}", load.to.system, load.to.object), load.fields.clone()),
        ActionKind::Score(score) => {
            let maps = [Some(cell("score", &score.score)), optional("comments", &score.comments)];
            ("set_score", score.measure.clone(), maps.into_iter().flatten().collect())
        }
        ActionKind::Cta(cta) => {
            let own = [("name", &cta.name), ("type", &cta.cta_type), ("reason", &cta.reason), ("priority", &cta.priority)];
            let more = [("status", &cta.status), ("owner_email", &cta.owner_email), ("playbook", &cta.playbook), ("comments", &cta.comments)];
            let more = more.into_iter().filter_map(|(name, from)| optional(name, from));
            ("create_cta", "call to action".to_owned(), own.into_iter().map(|(name, from)| cell(name, from)).chain(more).collect())
        }
        ActionKind::Kept(kept) => {
            let maps = kept.values.iter().map(|(name, from)| cell(name, from)).collect();
            (kept.kind.word(), kept.kind.what().to_owned(), maps)
        }
    };
    let fields = flow::transform(&maps, row, date)?;
    let entry = [("action".into(), Value::text(word)), ("object".into(), Value::text(object)), ("fields".into(), Value::Map(fields))];
    Ok(Value::Map(entry.into_iter().collect()))
}
