//! Ingest jobs: create, upload once, process, results.

use crate::sandbox::salesforce::answer::{Answer, Answered, Call, Fault};
use crate::sandbox::salesforce::bulk::jobs::{Ended, Job, State, Task, bulk_fault};
use crate::sandbox::salesforce::bulk::table::{ends_as_declared, header, push_line, rows, text};
use crate::sandbox::salesforce::collections::{locked, unknown_row};
use crate::sandbox::salesforce::data::Data;
use crate::sandbox::salesforce::ids::{id_of, long_form, number_of};
use crate::sandbox::salesforce::org::Org;
use crate::sandbox::salesforce::save::Work;
use crate::sandbox::salesforce::schema::{ID, Kind};
use crate::sandbox::salesforce::values::Source;
use bytes::Bytes;
use csv::ByteRecord;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The most bytes of one upload.
const MOST: usize = 150 << 20;
/// Rows that are written before others get their turn.
const BATCH: usize = 1_000;
/// Jobs of so many rows are done before their completion is answered; larger ones go on behind it.
const AT_ONCE: usize = 10_000;

const OPERATIONS: [&str; 5] = ["insert", "update", "upsert", "delete", "hardDelete"];

/// `jobs/ingest/...`.
pub(crate) fn answer(org: &Arc<Org>, call: &Call, rest: &[&str]) -> Answered {
    match (call.method.as_str(), rest) {
        ("POST", []) => create(org, call),
        ("GET" | "HEAD", []) => Answer::ok(org.jobs().list(true)),
        ("GET" | "HEAD", [id]) => Answer::ok(org.jobs().get(id, true)?.json(true)),
        ("PATCH", [id]) => change(org, call, id),
        ("DELETE", [id]) => delete(org, id),
        ("PUT", [id, "batches"]) => upload(org, call, id),
        ("GET" | "HEAD", [id, kind]) => results(org, id, kind),
        (method, [] | [_] | [_, "batches"]) => Err(Fault::new(405, "METHOD_NOT_ALLOWED", format!("HTTP Method '{method}' not allowed."))),
        _ => Err(Fault::not_found()),
    }
}

fn create(org: &Org, call: &Call) -> Answered {
    let body = call.object()?;
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
    let data = org.data();
    let object = data.schema.object(text("object"));
    let object = object
        .ok_or_else(|| bulk_fault("INVALIDENTITY", format!("InvalidEntity : Entity '{}' is not supported by the Bulk API.", text("object"))))?;
    let described = &data.schema.objects[object];
    if !OPERATIONS.contains(&text("operation")) {
        return Err(bulk_fault("INVALIDJOB", format!("InvalidJob : Invalid operation: {}", text("operation"))));
    }
    let key = if text("operation") == "upsert" {
        let place = described.field(text("externalIdFieldName")).filter(|place| {
            let field = &described.fields[*place];
            field.external_id || field.id_lookup
        });
        let missing =
            || bulk_fault("INVALIDJOB", "InvalidJob : External ID field is required for upsert and must be an external ID or idLookup field");
        Some(described.fields[place.ok_or_else(missing)?].name.to_string())
    } else {
        None
    };
    let (name, user) = (described.name.to_string(), data.user.clone());
    drop(data);
    let task = Task::Ingest { key, content: None, ended: Arc::default() };
    let job = org.jobs().open(call, &body, name, user, State::Open, task)?;
    Answer::ok(job.json(true))
}

fn upload(org: &Org, call: &Call, id: &str) -> Answered {
    let kind = call.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("text/csv");
    if !kind.to_ascii_lowercase().starts_with("text/csv") {
        return Err(Fault::new(415, "UNSUPPORTED_MEDIA_TYPE", format!("Content-Type {kind} is not supported for this resource")));
    }
    if call.body.len() > MOST {
        return Err(bulk_fault("BULK_API_ERROR", "ClientInputError : The uploaded content is larger than 150 MB"));
    }
    let mut jobs = org.jobs();
    let job = jobs.get(id, true)?;
    let job_id = job.id.clone();
    let state = job.state;
    let Task::Ingest { content, .. } = &mut job.task else { return Err(Fault::not_found()) };
    if state != State::Open || content.is_some() {
        let text = format!(
            "Found multiple contents for job: <{job_id}>, please 'Close' / 'Abort' / 'Delete' the current Job then create a new Job and make sure you only \
             do 'PUT' once on a given Job."
        );
        return Err(bulk_fault("BULK_API_ERROR", text));
    }
    *content = Some(call.body.clone());
    Answer::empty(201)
}

fn change(org: &Arc<Org>, call: &Call, id: &str) -> Answered {
    let body = call.object()?;
    let wanted = body.get("state").and_then(Value::as_str).unwrap_or_default();
    let mut jobs = org.jobs();
    let job = jobs.get(id, true)?;
    job.changed = call.now;
    let rows = match (wanted, job.state, &job.task) {
        ("UploadComplete", State::Open, Task::Ingest { content: Some(content), .. }) => content.split(|b| *b == b'\n').count(),
        ("UploadComplete", State::Open, _) => {
            return Err(bulk_fault("INVALIDJOBSTATE", "InvalidJobState : No content was uploaded for this job"));
        }
        ("Aborted", state, _) if !state.is_over() => {
            job.state = State::Aborted;
            return Answer::ok(job.json(false));
        }
        (wanted, state, _) => {
            return Err(bulk_fault("INVALIDJOBSTATE", format!("InvalidJobState : Invalid job state: cannot go from {} to {wanted}", state.name())));
        }
    };
    job.state = State::UploadComplete;
    let told = job.json(false);
    let (id, now) = (job.id.clone(), call.now);
    drop(jobs);
    if rows <= AT_ONCE {
        process(org, &id, now);
    } else {
        let org = Arc::clone(org);
        tokio::task::spawn_blocking(move || process(&org, &id, now));
    }
    Answer::ok(told)
}

fn delete(org: &Org, id: &str) -> Answered {
    let mut jobs = org.jobs();
    let job = jobs.get(id, true)?;
    if !(job.state.is_over() || job.state == State::UploadComplete) {
        return Err(bulk_fault("INVALIDJOBSTATE", format!("InvalidJobState : A job in state {} cannot be deleted", job.state.name())));
    }
    let id = job.id.clone();
    jobs.remove(&id);
    Answer::empty(204)
}

/// What a column is written to.
enum Column {
    Field(String),
    /// A parent's relationship and its key field.
    Parent(String, String),
}

/// Does the work of a job whose upload is complete.
fn process(org: &Arc<Org>, id: &str, now: i64) {
    let Some((job, content)) = begin(org, id) else { return };
    let columns = match prepared(&org.data(), &job, &content) {
        Ok(columns) => columns,
        Err(error) => return finish(org, id, State::Failed, Vec::new(), Some(error)),
    };
    let mut ended: Vec<Ended> = Vec::new();
    let mut reader = rows(&content, job.delimiter());
    let mut records = reader.byte_records();
    loop {
        let batch: Vec<ByteRecord> = records.by_ref().take(BATCH).map(Result::unwrap_or_default).collect();
        if batch.is_empty() {
            break;
        }
        let mut data = org.data_mut();
        let Some(object) = data.schema.object(&job.object) else { break };
        for record in &batch {
            ended.push(if org.row_is_locked() { refused(&locked(""), &columns) } else { one(&mut data, object, &job, &columns, record, now) });
        }
        drop(data);
        if !progressed(org, id, &ended) {
            return finish(org, id, State::Aborted, ended, None);
        }
    }
    finish(org, id, State::JobComplete, ended, None);
}

fn begin(org: &Org, id: &str) -> Option<(Job, Bytes)> {
    let mut jobs = org.jobs();
    let job = jobs.get(id, true).ok()?;
    if job.state != State::UploadComplete {
        return None;
    }
    job.state = State::InProgress;
    let Task::Ingest { content: Some(content), .. } = &job.task else { return None };
    Some((job.clone(), content.clone()))
}

/// Notes how far the work is; false when the job was aborted or deleted meanwhile.
fn progressed(org: &Org, id: &str, ended: &[Ended]) -> bool {
    let mut jobs = org.jobs();
    let Ok(job) = jobs.get(id, true) else { return false };
    job.processed = ended.len();
    job.failed = ended.iter().filter(|row| row.error.is_some()).count();
    job.state == State::InProgress
}

fn finish(org: &Org, id: &str, state: State, ended: Vec<Ended>, error: Option<String>) {
    let mut jobs = org.jobs();
    let Ok(job) = jobs.get(id, true) else { return };
    job.state = state;
    job.processed = ended.len();
    job.failed = ended.iter().filter(|row| row.error.is_some()).count();
    job.error = error;
    if let Task::Ingest { ended: kept, .. } = &mut job.task {
        *kept = Arc::new(ended);
    }
}

/// Checks the line ending and the header; the text of the job's failure otherwise.
fn prepared(data: &Data, job: &Job, content: &[u8]) -> Result<Vec<Column>, String> {
    if !ends_as_declared(content, job.crlf) {
        let name = if job.crlf { "CRLF" } else { "LF" };
        return Err(format!("ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is {name}"));
    }
    let names = header(content, job.delimiter()).ok_or("InvalidBatch : The 'header' row is missing")?;
    let object = data.schema.object(&job.object).ok_or("InvalidEntity : the object is gone")?;
    if job.operation.to_ascii_lowercase().ends_with("delete") && (names.len() != 1 || !names[0].eq_ignore_ascii_case("Id")) {
        return Err("InvalidBatch : delete accepts only the Id field".to_owned());
    }
    names.iter().map(|name| column(data, object, name)).collect()
}

fn column(data: &Data, object: usize, name: &str) -> Result<Column, String> {
    let missing = || format!("InvalidBatch : Field name not found : {name}");
    let described = &data.schema.objects[object];
    let Some((relationship, key)) = name.split_once('.') else {
        return described.field(name).map(|place| Column::Field(described.fields[place].name.to_string())).ok_or_else(missing);
    };
    // Polymorphic: `User:Owner.Email`.
    let (kind, relationship) = relationship.split_once(':').map_or((None, relationship), |(kind, rest)| (Some(kind), rest));
    let reference = &described.fields[described.parent(relationship).ok_or_else(missing)?];
    let fits = |target: &&smol_str::SmolStr| kind.is_none_or(|kind| target.eq_ignore_ascii_case(kind));
    let known = reference
        .refers
        .iter()
        .filter(fits)
        .filter_map(|target| data.schema.object(target))
        .any(|target| data.schema.objects[target].field(key).is_some());
    if known { Ok(Column::Parent(relationship.to_owned(), key.to_owned())) } else { Err(missing()) }
}

fn one(data: &mut Data, object: usize, job: &Job, columns: &[Column], record: &ByteRecord, now: i64) -> Ended {
    let mut work = Work::at(data, now, Source::Csv);
    let done = written(&mut work, object, job, columns, record);
    match done {
        Ok((id, created)) => {
            let prefix = work.data.schema.objects[object].prefix.clone();
            Ended { number: long_form(&id).and_then(|id| number_of(&prefix, &id)).unwrap_or(0), created, error: None }
        }
        Err(fault) => {
            // A delete that failed half-way is undone; when that cannot be stored, the row's own error still says why.
            let _ = work.take_back();
            refused(&fault, columns)
        }
    }
}

fn written(work: &mut Work<'_>, object: usize, job: &Job, columns: &[Column], record: &ByteRecord) -> Result<(String, bool), Fault> {
    if record.len() != columns.len() {
        let text = format!("The row has {} values, the header has {}", record.len(), columns.len());
        return Err(Fault { fields: Some(Vec::new()), ..Fault::new(400, "INVALID_FIELD", text) });
    }
    let mut fields = fields(columns, record);
    let id = fields.remove("Id").and_then(|id| id.as_str().map(str::to_owned));
    let missing = || Fault { fields: Some(vec!["Id".to_owned()]), ..Fault::new(400, "MISSING_ARGUMENT", "Id not specified") };
    let right = |work: &Work<'_>, id: Option<String>| {
        let id = id.ok_or_else(missing)?;
        let prefix = &work.data.schema.objects[object].prefix;
        let malformed = || Fault { fields: Some(vec!["Id".to_owned()]), ..Fault::new(400, "MALFORMED_ID", format!("bad id {id}")) };
        long_form(&id).filter(|long| long.starts_with(prefix.as_str())).ok_or_else(malformed)
    };
    match (job.operation.as_str(), &job.task) {
        ("insert", _) => {
            if let Some(id) = id {
                fields.insert("Id".to_owned(), id.into());
            }
            work.create(object, &fields).map(|id| (id, true))
        }
        ("update", _) => {
            let id = right(work, id)?;
            work.update(object, &id, &fields).map_err(unknown_row).map(|()| (id, false))
        }
        ("upsert", Task::Ingest { key: Some(key), .. }) => {
            let place = work.data.schema.objects[object].field(key).ok_or_else(Fault::not_found)?;
            if place == ID || work.data.schema.objects[object].fields[place].kind == Kind::Id {
                return match id {
                    None => work.create(object, &fields).map(|id| (id, true)),
                    id => {
                        let id = right(work, id)?;
                        work.update(object, &id, &fields).map_err(unknown_row).map(|()| (id, false))
                    }
                };
            }
            let value = fields.remove(key).unwrap_or(Value::Null);
            work.upsert(object, place, &value, &fields)
        }
        ("hardDelete", _) => {
            let id = right(work, id)?;
            work.erase(object, &id).map(|()| (id, false))
        }
        _ => {
            let id = right(work, id)?;
            work.delete(object, &id).map(|()| (id, false))
        }
    }
}

/// The cells of a row by field: blank means unchanged, `#N/A` means null.
fn fields(columns: &[Column], record: &ByteRecord) -> Map<String, Value> {
    let mut out = Map::new();
    for (i, column) in columns.iter().enumerate() {
        let value = match text(record, i) {
            blank if blank.is_empty() => continue,
            null if null == "#N/A" => Value::Null,
            value => value.into(),
        };
        match column {
            Column::Field(name) => _ = out.insert(name.clone(), value),
            Column::Parent(relationship, key) => _ = out.insert(relationship.clone(), Value::Object(Map::from_iter([(key.clone(), value)]))),
        }
    }
    out
}

/// `CODE:message:FIELDS --`.
fn refused(fault: &Fault, columns: &[Column]) -> Ended {
    let fields = fault.fields.as_deref().unwrap_or_default();
    let place = fields.first().and_then(|name| columns.iter().position(|column| matches!(column, Column::Field(known) if known == name)));
    let message = fault.message.replace("at col 0.", &format!("at col {}.", place.unwrap_or(0)));
    let fields = fields.join(",");
    Ended { number: 0, created: false, error: Some(format!("{}:{message}:{fields} --", fault.code).into()) }
}

fn results(org: &Org, id: &str, kind: &str) -> Answered {
    let kind = kind.to_ascii_lowercase();
    if !matches!(kind.as_str(), "successfulresults" | "failedresults" | "unprocessedrecords") {
        return Err(Fault::not_found());
    }
    let job = org.jobs().get(id, true)?.clone();
    if !job.state.is_over() {
        return Err(bulk_fault("INVALIDJOBSTATE", "InvalidJobState : Results are available when the job is complete"));
    }
    let Task::Ingest { content, ended, .. } = &job.task else { return Err(Fault::not_found()) };
    let content = content.clone().unwrap_or_default();
    let prefix = {
        let data = org.data();
        data.schema.object(&job.object).map(|object| data.schema.objects[object].prefix.clone()).unwrap_or_default()
    };
    let mut out = Vec::new();
    let names = header(&content, job.delimiter()).unwrap_or_default();
    let delimiter = char::from(job.delimiter()).to_string();
    let own = match kind.as_str() {
        "successfulresults" => &["\"sf__Id\"", "\"sf__Created\""][..],
        "failedresults" => &["\"sf__Id\"", "\"sf__Error\""][..],
        _ => &[][..],
    };
    let head: Vec<&str> = own.iter().copied().chain(names.iter().map(String::as_str)).collect();
    out.extend_from_slice(head.join(&delimiter).as_bytes());
    out.extend_from_slice(job.line_end().as_bytes());
    let mut reader = rows(&content, job.delimiter());
    let mut numbered = reader.byte_records().map(Result::unwrap_or_default).enumerate();
    loop {
        let mut chunk: Vec<(usize, ByteRecord)> = numbered.by_ref().take(200).collect();
        if chunk.is_empty() {
            break;
        }
        // As in the service, results do not come in the order of the input.
        chunk.reverse();
        for (i, record) in &chunk {
            push_result(&mut out, &job, kind.as_str(), &prefix, ended.get(*i), record);
        }
    }
    Ok(Answer::csv(out))
}

fn push_result(out: &mut Vec<u8>, job: &Job, kind: &str, prefix: &str, ended: Option<&Ended>, record: &ByteRecord) {
    let own: Vec<String> = match (kind, ended) {
        ("successfulresults", Some(Ended { number, created, error: None })) => vec![id_of(prefix, *number), created.to_string()],
        ("failedresults", Some(Ended { number, error: Some(error), .. })) => {
            vec![if *number > 0 { id_of(prefix, *number) } else { String::new() }, error.to_string()]
        }
        ("unprocessedrecords", None) => Vec::new(),
        _ => return,
    };
    push_line(out, own.iter().map(String::as_bytes).chain(record.iter()), job.delimiter(), job.line_end());
}
