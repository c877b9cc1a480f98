//! Bulk jobs: what is known about each, and their JSON.

use crate::sandbox::salesforce::answer::{Call, Fault};
use crate::sandbox::salesforce::bulk::table;
use crate::sandbox::salesforce::ids::{id_of, long_form};
use crate::sandbox::salesforce::soql::plan::Plan;
use crate::sandbox::salesforce::soql::run::Hits;
use crate::sandbox::salesforce::time::format_datetime;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many bytes of content and results finished jobs may hold; the oldest are forgotten first.
const HELD: usize = 192 << 20;

/// The states of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Open,
    UploadComplete,
    InProgress,
    JobComplete,
    Failed,
    Aborted,
}

impl State {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::UploadComplete => "UploadComplete",
            Self::InProgress => "InProgress",
            Self::JobComplete => "JobComplete",
            Self::Failed => "Failed",
            Self::Aborted => "Aborted",
        }
    }

    pub(crate) const fn is_over(self) -> bool {
        matches!(self, Self::JobComplete | Self::Failed | Self::Aborted)
    }
}

/// How one row of an ingest job ended: the number of its id (0 for none), whether it was created, or its error.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) number: u64,
    pub(crate) created: bool,
    pub(crate) error: Option<Box<str>>,
}

/// What an ingest or a query job is about.
#[derive(Clone)]
pub(crate) enum Task {
    Ingest { key: Option<String>, content: Option<Bytes>, ended: Arc<Vec<Ended>> },
    Query { found: Arc<(Plan, Hits)> },
}

/// One job.
#[derive(Clone)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) operation: String,
    /// The object's name in the schema's capitals.
    pub(crate) object: String,
    pub(crate) state: State,
    pub(crate) created: i64,
    pub(crate) changed: i64,
    pub(crate) version: u32,
    pub(crate) delimiter_name: String,
    pub(crate) crlf: bool,
    pub(crate) processed: usize,
    pub(crate) failed: usize,
    pub(crate) error: Option<String>,
    pub(crate) user: String,
    pub(crate) task: Task,
}

impl Job {
    pub(crate) fn delimiter(&self) -> u8 {
        table::delimiter(&self.delimiter_name).unwrap_or(b',')
    }

    pub(crate) const fn line_end(&self) -> &'static str {
        if self.crlf { "\r\n" } else { "\n" }
    }

    const fn is_ingest(&self) -> bool {
        matches!(self.task, Task::Ingest { .. })
    }

    fn held(&self) -> usize {
        match &self.task {
            Task::Ingest { content, ended, .. } => content.as_ref().map_or(0, Bytes::len) + ended.len() * size_of::<Ended>(),
            Task::Query { found, .. } => match &found.1 {
                Hits::Picked(numbers) => numbers.len() * size_of::<u64>(),
                Hits::Whole(_) => 0,
            },
        }
    }

    /// The job as it is answered; `full` adds how to upload and what came of it.
    pub(crate) fn json(&self, full: bool) -> Value {
        let mut out = Map::new();
        let mut put = |key: &str, value: Value| out.insert(key.to_owned(), value);
        put("id", self.id.as_str().into());
        put("operation", self.operation.as_str().into());
        put("object", self.object.as_str().into());
        put("createdById", self.user.as_str().into());
        put("createdDate", format_datetime(self.created, "+0000").into());
        put("systemModstamp", format_datetime(self.changed, "+0000").into());
        put("state", self.state.name().into());
        if let Task::Ingest { key: Some(key), .. } = &self.task {
            put("externalIdFieldName", key.as_str().into());
        }
        put("concurrencyMode", "Parallel".into());
        put("contentType", "CSV".into());
        put("apiVersion", f64::from(self.version).into());
        if full {
            if self.is_ingest() {
                put("contentUrl", format!("services/data/v{}.0/jobs/ingest/{}/batches", self.version, self.id).into());
            }
            put("lineEnding", if self.crlf { "CRLF" } else { "LF" }.into());
            put("columnDelimiter", self.delimiter_name.as_str().into());
        }
        if full && self.state != State::Open {
            put("jobType", if self.is_ingest() { "V2Ingest" } else { "V2Query" }.into());
            put("numberRecordsProcessed", self.processed.into());
            if self.is_ingest() {
                put("numberRecordsFailed", self.failed.into());
                put("apiActiveProcessingTime", 10.into());
                put("apexProcessingTime", 0.into());
            } else {
                put("isPkChunkingSupported", true.into());
            }
            put("retries", 0.into());
            put("totalProcessingTime", 10.into());
            if let Some(error) = &self.error {
                put("errorMessage", error.as_str().into());
            }
        }
        Value::Object(out)
    }
}

/// All jobs by id.
#[derive(Default)]
pub(crate) struct Jobs {
    jobs: BTreeMap<String, Job>,
    next: u64,
}

impl Jobs {
    /// A new job; `described` is the request body.
    pub(crate) fn open(
        &mut self,
        call: &Call,
        described: &Map<String, Value>,
        object: String,
        user: String,
        state: State,
        task: Task,
    ) -> Result<Job, Fault> {
        let text = |key: &str| described.get(key).and_then(Value::as_str);
        let invalid = |text: String| Fault::new(400, "INVALIDJOB", format!("InvalidJob : {text}"));
        if let Some(kind) = text("contentType").filter(|kind| *kind != "CSV") {
            return Err(invalid(format!("Unsupported content type: {kind}")));
        }
        let delimiter_name = text("columnDelimiter").unwrap_or("COMMA").to_owned();
        if table::delimiter(&delimiter_name).is_none() {
            return Err(invalid(format!("Invalid column delimiter: {delimiter_name}")));
        }
        let crlf = match text("lineEnding").unwrap_or("LF") {
            "LF" => false,
            "CRLF" => true,
            other => return Err(invalid(format!("Invalid line ending: {other}"))),
        };
        self.next += 1;
        let job = Job {
            id: id_of("750", self.next),
            operation: text("operation").unwrap_or_default().to_owned(),
            object,
            state,
            created: call.now,
            changed: call.now,
            version: call.version,
            delimiter_name,
            crlf,
            processed: 0,
            failed: 0,
            error: None,
            user,
            task,
        };
        self.jobs.insert(job.id.clone(), job.clone());
        self.forget_oldest();
        Ok(job)
    }

    fn forget_oldest(&mut self) {
        let mut held: usize = self.jobs.values().map(Job::held).sum();
        let over: Vec<String> = self.jobs.values().filter(|job| job.state.is_over()).map(|job| job.id.clone()).collect();
        for id in over {
            if held <= HELD && self.jobs.len() < 10_000 {
                return;
            }
            held -= self.jobs.remove(&id).map_or(0, |job| job.held());
        }
    }

    /// The job behind an id of a path.
    pub(crate) fn get(&mut self, id: &str, ingest: bool) -> Result<&mut Job, Fault> {
        let id = long_form(id).ok_or_else(Fault::not_found)?;
        self.jobs.get_mut(&id).filter(|job| job.is_ingest() == ingest).ok_or_else(Fault::not_found)
    }

    pub(crate) fn remove(&mut self, id: &str) {
        self.jobs.remove(id);
    }

    /// `{"done": true, "records": [..]}` of one kind.
    pub(crate) fn list(&self, ingest: bool) -> Value {
        let records: Vec<Value> = self.jobs.values().filter(|job| job.is_ingest() == ingest).map(|job| job.json(false)).collect();
        json!({"done": true, "nextRecordsUrl": null, "records": records})
    }
}

/// A refusal of the bulk API.
pub(crate) fn bulk_fault(code: &'static str, text: impl Into<String>) -> Fault {
    Fault::new(400, code, text)
}
