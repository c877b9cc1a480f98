//! What a plan would change: old -> new, per record and field; and how a run went.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde_json::{Map, Value as Json, json};

use crate::{
    flow::{Group, Groups, Notice, Status, Summary},
    model::{CreateField, Record, System, Value},
    store::RowError,
};

use super::{ADD, BAD, BOLD, CHANGE, DIM, GOOD, Out, Progress, REMOVE, WARN, cell, count, many, paint, seconds};

/// Changes shown to people per declaration, unless all are asked for.
const SHOWN: u64 = 20;

/// Shows what happens while declarations are planned or run.
pub(crate) struct Teller {
    out: Out,
    progress: Progress,
    planning: bool,
    /// How many lines at most per declaration.
    most: u64,
    /// Lines told and held back, by declaration.
    told: Mutex<BTreeMap<String, (u64, u64)>>,
    /// Rejected rows, by declaration: equal reasons are told once, at its end.
    rejected: Mutex<BTreeMap<String, Groups>>,
}

impl Teller {
    pub(crate) fn new(out: &Out, planning: bool, all: bool) -> Self {
        let most = if all || out.is_json() { u64::MAX } else { SHOWN };
        Self { out: out.clone(), progress: Progress::new(out), planning, most, told: Mutex::default(), rejected: Mutex::default() }
    }

    pub(crate) fn notice(&self, notice: &Notice) {
        match notice {
            Notice::Progress { name, read, total } => return self.progress.tell(name, *read, *total),
            Notice::Warning { name, message } => {
                self.progress.around(|| self.out.note(format!("{} {name}: {message}", paint(WARN, "warning:"))));
                if self.out.is_json() {
                    self.out.json(&document(notice));
                }
                return;
            }
            // The run's state file keeps them; a plan has nowhere else to say it.
            Notice::Rejected { .. } if self.out.is_json() && !self.planning => return,
            _ => (),
        }
        if self.out.is_json() {
            return self.out.json(&document(notice));
        }
        if let Notice::Rejected { name, rejection } = notice {
            let mut rejected = self.rejected.lock().unwrap_or_else(PoisonError::into_inner);
            return rejected.entry(name.clone()).or_default().add(&RowError::from(rejection));
        }
        self.progress.around(|| self.line(notice));
    }

    fn line(&self, notice: &Notice) {
        let Some((name, text)) = told(notice) else { return };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let (shown, held_back) = told.entry(name.clone()).or_default();
        if *shown >= self.most {
            *held_back += 1;
            return;
        }
        if *shown == 0 {
            self.out.line(paint(BOLD, name));
        }
        *shown += 1;
        self.out.line(text);
    }

    /// How a declaration ended.
    pub(crate) fn summary(&self, summary: &Summary) {
        self.out.json(&if self.planning { planned(summary) } else { ran(summary) });
        // What still works draws its own anew.
        self.progress.end();
        self.progress.around(|| {
            let (shown, held_back) = self.told.lock().unwrap_or_else(PoisonError::into_inner).remove(&summary.name).unwrap_or_default();
            if held_back > 0 {
                self.out.line(paint(
                    DIM,
                    format!("  and {} more ({})", count(held_back), if self.planning { "--all shows them" } else { "tabi show RUN" }),
                ));
            }
            let rejected = self.rejected.lock().unwrap_or_else(PoisonError::into_inner).remove(&summary.name).unwrap_or_default();
            if shown == 0 && !rejected.is_empty() {
                self.out.line(paint(BOLD, &summary.name));
            }
            for line in rejections(rejected) {
                self.out.line(line);
            }
            self.out.line(sentence(summary, self.planning));
            if let Some(fault) = &summary.fault {
                self.out.line(format!("    {fault}"));
            }
        });
        self.out.flush();
    }

    pub(crate) fn end(&self) {
        self.progress.end();
    }
}

/// The declaration that something is told of, and what, for people; nothing for what is told in other ways.
pub(crate) fn told(notice: &Notice) -> Option<(&String, String)> {
    Some(match notice {
        Notice::Change { name, system, object, key, operation, fields, before } => (name, change(*system, object, key, operation, fields, before)),
        Notice::CreateField { name, create } => (name, create_field(create)),
        Notice::Segment { name, segment, add, remove } => {
            (name, format!("  {} pendo segment {segment:?}: {add} in, {remove} out", paint(CHANGE, "~")))
        }
        Notice::Rejected { .. } | Notice::Progress { .. } | Notice::Warning { .. } => return None,
    })
}

/// One line of JSON for what is told.
fn document(notice: &Notice) -> Json {
    match notice {
        Notice::Change { name, system, object, key, operation, fields, before } => json!({
            "type": "change", "name": name, "system": system, "object": object, "key": key, "operation": operation,
            "fields": from_to(fields, before),
        }),
        Notice::CreateField { name, create } => {
            let mut line = json!({
                "type": "create_field", "name": name, "system": create.system, "object": create.object, "field": create.field.name,
                "field_type": create.field.kind.word(), "label": create.field.label,
            });
            if let Some(description) = &create.description {
                line["description"] = json!(description);
            }
            line
        }
        Notice::Segment { name, segment, add, remove } => {
            json!({"type": "segment", "name": name, "segment": segment, "add": add, "remove": remove})
        }
        Notice::Rejected { name, rejection } => json!({
            "type": "rejected", "name": name, "key": rejection.key, "source": rejection.source, "field": rejection.field,
            "value": rejection.value, "reason": rejection.reason, "place": rejection.place,
        }),
        Notice::Progress { name, read, total } => json!({"type": "progress", "name": name, "read": read, "total": total}),
        Notice::Warning { name, message } => json!({"type": "notice", "name": name, "message": message}),
    }
}

fn from_to(fields: &Record, before: &Record) -> Map<String, Json> {
    let names = fields.iter().map(|(name, _)| name).chain(before.iter().map(|(name, _)| name).filter(|name| fields.get(name).is_none()));
    names
        .map(|name| (name.to_string(), json!({"from": before.get(name).unwrap_or(&Value::Null), "to": fields.get(name).unwrap_or(&Value::Null)})))
        .collect()
}

fn change(system: System, object: &str, key: &str, operation: &str, fields: &Record, before: &Record) -> String {
    let (style, sign) = match operation {
        "create" | "send" => (ADD, "+"),
        "delete" => (REMOVE, "-"),
        _ => (CHANGE, "~"),
    };
    let mut lines = format!("  {} {system} {object} {}", paint(style, sign), paint(BOLD, key));
    let width = fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, value) in fields.iter() {
        let old = before.get(name).unwrap_or(&Value::Null);
        let arrow = if matches!(operation, "create" | "send") { String::new() } else { format!("{} -> ", paint(DIM, cell(old))) };
        lines.extend(["\n      ", &format!("{name:<width$}"), "  ", &arrow, &paint(style, cell(value)).to_string()]);
    }
    lines
}

fn create_field(create: &CreateField) -> String {
    let CreateField { system, object, field, description } = create;
    let about = description.as_ref().map(|description| format!(", {description}")).unwrap_or_default();
    format!("  {} {system} field {object}.{} ({}, {:?}{about})", paint(ADD, "+"), paint(BOLD, &field.name), field.kind.word(), field.label)
}

/// Each reason once: how many rows, the field, why, where in the script, and some of the rows.
fn rejections(groups: Groups) -> Vec<String> {
    let (groups, others) = groups.told();
    let mut lines: Vec<String> = groups.iter().map(rejection).collect();
    if others > 0 {
        lines.push(format!("  {} {} for other reasons (tabi show RUN lists them)", paint(BAD, "!"), many(others, "row")));
    }
    lines
}

fn rejection(group: &Group) -> String {
    let field = group.field.as_ref().map(|field| format!("{field}: ")).unwrap_or_default();
    let place = group.place.as_ref().map(|place| format!(" {}", paint(DIM, format!("({place})")))).unwrap_or_default();
    format!("  {} {} rejected: {field}{}{place}\n      {}", paint(BAD, "!"), paint(BOLD, many(group.count, "row")), group.reason, examples(group))
}

/// The first rows of a group, with their values.
pub(crate) fn examples(group: &Group) -> String {
    let tail = if group.more() > 0 { format!(" and {} more", count(group.more())) } else { String::new() };
    group.rows() + tail.as_str()
}

fn planned(summary: &Summary) -> Json {
    let tally = &summary.tally;
    let mut line = json!({
        "type": "summary", "name": summary.name, "status": summary.status.word(), "read": tally.read, "create": tally.created,
        "update": tally.updated, "delete": tally.deleted, "unchanged": tally.unchanged, "rejected": tally.rejected,
        "unmatched": tally.unmatched, "left_out": tally.left_out, "filtered": tally.filtered, "grouped": tally.grouped, "again": tally.again,
        "create_fields": tally.fields, "seconds": summary.seconds,
    });
    add_fault(&mut line, summary);
    line
}

fn ran(summary: &Summary) -> Json {
    let tally = &summary.tally;
    let calls: Map<String, Json> = System::ALL.iter().map(|s| (s.name().to_owned(), summary.calls.get(s).copied().unwrap_or(0).into())).collect();
    let mut line = json!({
        "type": "summary", "run": summary.run, "name": summary.name, "status": summary.status.word(), "read": tally.read,
        "written": tally.written(), "created": tally.created, "updated": tally.updated, "deleted": tally.deleted,
        "unchanged": tally.unchanged, "rejected": tally.rejected, "unmatched": tally.unmatched, "left_out": tally.left_out,
        "filtered": tally.filtered, "grouped": tally.grouped, "again": tally.again, "calls": calls, "seconds": summary.seconds,
    });
    add_fault(&mut line, summary);
    line
}

fn add_fault(line: &mut Json, summary: &Summary) {
    if let Some(fault) = &summary.fault {
        let code = fault.code.as_deref().unwrap_or(fault.kind.word());
        line["error"] = json!({"code": code, "kind": fault.kind.word(), "message": fault.message, "system": fault.system, "field": fault.field});
    }
}

/// One line for people.
fn sentence(summary: &Summary, planning: bool) -> String {
    let tally = &summary.tally;
    let (style, sign) = match summary.status {
        Status::Ok => (GOOD, "ok"),
        Status::Partial => (WARN, "partial"),
        Status::Skipped => (WARN, "skipped"),
        Status::Interrupted => (WARN, "interrupted"),
        Status::Failed => (BAD, "failed"),
        Status::Running => (DIM, "running"),
    };
    let mut parts = vec![many(tally.read, "row") + " read"];
    let (create, update, delete) = if planning { ("to create", "to update", "to delete") } else { ("created", "updated", "deleted") };
    let counts = [
        (tally.created, create),
        (tally.updated, update),
        (tally.deleted, delete),
        (tally.unchanged, "unchanged"),
        (tally.unmatched, "without a match"),
        (tally.left_out, "no customers"),
        (tally.filtered, "filtered out"),
        (tally.grouped, "folded into groups"),
        (tally.again, "given to a further action"),
    ];
    parts.extend(counts.iter().filter(|(n, what)| *n > 0 || *what == "unchanged").map(|(n, what)| format!("{} {what}", count(*n))));
    if tally.rejected > 0 {
        parts.push(paint(BAD, format!("{} rejected", count(tally.rejected))).to_string());
    }
    let run = summary.run.as_ref().map(|run| format!("  {run}")).unwrap_or_default();
    let calls: Vec<String> = summary.calls.iter().filter(|(_, n)| **n > 0).map(|(system, n)| format!("{} {system}", count(*n))).collect();
    let calls = if calls.is_empty() { String::new() } else { format!(", calls: {}", calls.join(", ")) };
    let tail = format!("({}{calls}){run}", seconds(summary.seconds));
    format!("{} {}  {}  {}", paint(style, format!("{sign:<8}")), paint(BOLD, &summary.name), parts.join(", "), paint(DIM, tail))
}
