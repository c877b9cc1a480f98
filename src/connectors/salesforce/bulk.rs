//! Many rows through Bulk API 2.0: one CSV up, results down, joined back by what is in the rows, never by their order.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use bytes::Bytes;
use reqwest::Method;
use serde::{Deserialize, Serialize};

use crate::model::{Change, Fault, FaultKind, System};

use super::{
    Salesforce, cell,
    errors::{WireError, fault_of},
    write::{Operation, Row, gone_is_deleted, id_of},
};
use crate::connectors::{
    http::{Call, Repeat, garbled, unknown_outcome},
    outcomes::{Outcomes, failed, written},
};

/// Bytes of one job's CSV; the service takes 100 MB.
const CSV_LIMIT: usize = 90 * 1024 * 1024;
/// The longest pause between two looks at a job, and how many looks there are (about two hours).
pub(super) const LONGEST_LOOK: Duration = Duration::from_secs(10);
pub(super) const LOOKS: usize = 720;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewJob<'a> {
    object: &'a str,
    operation: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id_field_name: Option<&'a str>,
    content_type: &'static str,
    line_ending: &'static str,
    column_delimiter: &'static str,
}

#[derive(Serialize)]
struct NewState {
    state: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Job {
    id: String,
    state: String,
    error_message: Option<String>,
}

/// The CSV of one job and the rows in it.
struct Part<'a> {
    header: Vec<&'a str>,
    csv: Bytes,
    rows: Vec<Row<'a>>,
}

impl Salesforce {
    pub(super) async fn bulk<'a>(&self, object: &str, operation: Operation<'a>, rows: &[Row<'a>], outcomes: &mut Outcomes) {
        let header = header(operation, rows);
        let mut rest = rows;
        while !rest.is_empty() {
            let part = match part(&header, operation, rest) {
                Ok(part) => part,
                Err(fault) => return outcomes.put(rest.iter().map(|(at, _)| *at), Err(fault)),
            };
            rest = &rest[part.rows.len()..];
            let result = match outcomes.halt().get() {
                Some(fault) => Err(fault),
                None => self.job(object, operation, &part, outcomes).await,
            };
            if let Err(fault) = result {
                outcomes.halt().set_if_systemic(&fault);
                outcomes.put(part.rows.iter().map(|(at, _)| *at), Err(fault));
            }
        }
    }

    /// Outcomes are told only when all of them are there: a fault is for every row of the part.
    async fn job<'a>(&self, object: &str, operation: Operation<'a>, part: &Part<'a>, outcomes: &mut Outcomes) -> Result<(), Fault> {
        let job = self.open_job(object, operation).await?;
        let path = self.path(&format!("jobs/ingest/{}", job.id));
        self.upload(&path, part.csv.clone()).await?;
        // From here on the rows may be written whatever happens to our side of the talk.
        let lost = |fault: Fault| if operation == Operation::Insert { unknown_outcome(&fault) } else { fault };
        let done = self.finished(&path).await.map_err(lost)?;
        self.results(&path, &done, operation, part, outcomes).await.map_err(lost)
    }

    async fn open_job(&self, object: &str, operation: Operation<'_>) -> Result<Job, Fault> {
        let (operation, by) = match operation {
            Operation::Insert => ("insert", None),
            Operation::Update => ("update", None),
            Operation::Upsert(by) => ("upsert", Some(by)),
            Operation::Delete => ("delete", None),
        };
        let job = NewJob { object, operation, external_id_field_name: by, content_type: "CSV", line_ending: "LF", column_delimiter: "COMMA" };
        // An empty job that nobody uses does nothing, so opening one twice is harmless.
        let call = Call::new(Method::POST, self.path("jobs/ingest")).repeat(Repeat::Always).json(System::Salesforce, &job)?;
        self.json(&call).await
    }

    async fn upload(&self, path: &str, csv: Bytes) -> Result<(), Fault> {
        let call = Call::new(Method::PUT, format!("{path}/batches")).slow().body("text/csv", csv);
        match self.read(&call, |_| Ok(())).await {
            // The first try had arrived after all.
            Err(fault) if fault.message.contains("Found multiple contents") => Ok(()),
            other => other,
        }
    }

    /// Closes the upload and waits for the job's end.
    async fn finished(&self, path: &str) -> Result<Job, Fault> {
        let close = Call::new(Method::PATCH, path).json(System::Salesforce, &NewState { state: "UploadComplete" })?;
        let closed = self.json::<Job>(&close).await;
        let mut wait = Duration::from_millis(50);
        for look in 0..LOOKS {
            let job: Job = match (&closed, look) {
                (Err(fault), 0) if fault.kind != FaultKind::Invalid && fault.kind != FaultKind::Conflict => return Err(fault.clone()),
                // Closed by a try whose answer was lost: its state says so.
                _ => self.json(&Call::get(path)).await?,
            };
            match job.state.as_str() {
                "JobComplete" | "Failed" | "Aborted" => return Ok(job),
                "Open" if closed.is_err() => return closed,
                _ => self.http.stop().sleep(wait).await?,
            }
            wait = (wait * 3 / 2).min(LONGEST_LOOK);
        }
        let message = format!("bulk job {path} did not end in two hours; look at it in Setup, Bulk Data Load Jobs");
        Err(Fault::from_system(System::Salesforce, FaultKind::Unavailable, message).code("BULK_JOB_STUCK"))
    }

    async fn results<'a>(&self, path: &str, job: &Job, operation: Operation<'a>, part: &Part<'a>, outcomes: &mut Outcomes) -> Result<(), Fault> {
        let mut waiting = Waiting::new(operation, part)?;
        let (good, bad) = (self.result_file(path, "successfulResults").await?, self.result_file(path, "failedResults").await?);
        each_result(&good, &part.header, |id, created, cells| {
            if let Some(at) = waiting.take(cells) {
                outcomes.set(at, written(id, created.eq_ignore_ascii_case("true") || operation == Operation::Insert));
            }
        })?;
        each_result(&bad, &part.header, |id, error, cells| {
            if let Some(at) = waiting.take(cells) {
                outcomes.set(at, gone_is_deleted(operation, id, row_fault(error)));
            }
        })?;
        let fault = unprocessed(operation, job);
        for at in waiting.rest() {
            outcomes.set(at, failed(fault.clone()));
        }
        Ok(())
    }

    async fn result_file(&self, path: &str, which: &str) -> Result<Bytes, Fault> {
        let call = Call::get(format!("{path}/{which}")).header("accept", "text/csv");
        self.read(&call, |answer| each_result(&answer.body, &[], |_, _, _| ()).map(|()| answer.body.clone())).await
    }
}

/// The union of all rows' fields; a delete's is exactly the id.
fn header<'a>(operation: Operation<'a>, rows: &[Row<'a>]) -> Vec<&'a str> {
    let mut header: Vec<&str> = Vec::new();
    if matches!(operation, Operation::Update | Operation::Delete) {
        header.push("Id");
    }
    for (_, change) in rows {
        let Some(fields) = change.fields() else { continue };
        // Rows nearly always have the same fields: look only for those that differ from what stands at their place.
        for (name, _) in fields.iter() {
            if !header.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                header.push(name);
            }
        }
    }
    header
}

fn cells(header: &[&str], operation: Operation<'_>, change: &Change) -> Vec<String> {
    let by_id = matches!(operation, Operation::Update | Operation::Delete);
    let cell = |(at, name): (usize, &&str)| {
        if by_id && at == 0 {
            return id_of(change).unwrap_or_default().to_owned();
        }
        change.fields().and_then(|fields| fields.get(name)).map_or_else(String::new, cell::csv)
    };
    header.iter().enumerate().map(cell).collect()
}

/// As many of the rows as fit one job.
fn part<'a>(header: &[&'a str], operation: Operation<'a>, rows: &[Row<'a>]) -> Result<Part<'a>, Fault> {
    let unwritable = |_| garbled(System::Salesforce, "the rows cannot be written as CSV");
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(header).map_err(unwritable)?;
    let mut taken = Vec::with_capacity(rows.len());
    let mut size = 0;
    for row in rows {
        let cells = cells(header, operation, row.1);
        size += cells.iter().map(|cell| cell.len() + 3).sum::<usize>();
        if size > CSV_LIMIT && !taken.is_empty() {
            break;
        }
        csv.write_record(&cells).map_err(unwritable)?;
        taken.push(*row);
    }
    let csv = csv.into_inner().map_err(|_| garbled(System::Salesforce, "the rows cannot be written as CSV"))?;
    Ok(Part { header: header.to_vec(), csv: csv.into(), rows: taken })
}

fn some(id: &str) -> Option<String> {
    (!id.is_empty()).then(|| id.to_owned())
}

/// Rows of a result file, one at a time: the id, `sf__Created` or `sf__Error`, and the cells in the order of our header.
/// The file may be empty, or only a header.
fn each_result(body: &[u8], header: &[&str], mut each: impl FnMut(Option<String>, &str, &[&str])) -> Result<(), Fault> {
    let broken = |_| garbled(System::Salesforce, "the bulk result is not the CSV that was expected");
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(body);
    let columns = reader.headers().map_err(broken)?.clone();
    let place = |name: &str| columns.iter().position(|column| column.eq_ignore_ascii_case(name));
    let places: Vec<Option<usize>> = header.iter().map(|name| place(name)).collect();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(broken)? {
        let get = |at: Option<usize>| at.and_then(|at| record.get(at)).unwrap_or_default();
        let cells: Vec<&str> = places.iter().map(|at| get(*at)).collect();
        each(some(get(Some(0))), get(Some(1)), &cells);
    }
    Ok(())
}

/// `CODE:message:FIELD --`.
fn row_fault(text: &str) -> Fault {
    let (code, rest) = text.split_once(':').unwrap_or(("UNKNOWN", text));
    let rest = rest.trim_end().trim_end_matches("--").trim_end();
    let (message, fields) = rest.rsplit_once(':').unwrap_or((rest, ""));
    let fields = fields.split(',').map(str::trim).filter(|field| !field.is_empty()).map(str::to_owned).collect();
    fault_of(&WireError { code: code.to_owned(), message: message.to_owned(), fields }, FaultKind::Invalid)
}

/// Rows whose result has not been seen yet, found by what tells them apart.
struct Waiting {
    key: Key,
    /// By the hash of the key, the first row that has it (its place in `rows`).
    first: HashMap<u64, usize>,
    rows: Vec<Waiter>,
}

struct Waiter {
    /// Its place in the whole write.
    at: usize,
    /// The next row with the same key.
    next: Option<usize>,
    told: bool,
}

/// What a row is found by: a column of the header, or all of them.
enum Key {
    Column(usize),
    Whole,
}

impl Waiting {
    fn new(operation: Operation<'_>, part: &Part<'_>) -> Result<Self, Fault> {
        let key = match operation {
            Operation::Update | Operation::Delete => Key::Column(0),
            Operation::Upsert(by) => {
                let at = part.header.iter().position(|name| name.eq_ignore_ascii_case(by));
                Key::Column(at.ok_or_else(|| crate::connectors::http::invalid(System::Salesforce, format!("no row has the external id `{by}`")))?)
            }
            Operation::Insert => Key::Whole,
        };
        let mut rows: Vec<Waiter> = part.rows.iter().map(|(at, _)| Waiter { at: *at, next: None, told: false }).collect();
        let mut first = HashMap::with_capacity(rows.len());
        for (place, (_, change)) in part.rows.iter().enumerate().rev() {
            let cells = cells(&part.header, operation, change);
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            rows[place].next = first.insert(key.of(&cells), place);
        }
        Ok(Self { key, first, rows })
    }

    /// The place in the write of the first row with these cells that has not been told.
    fn take(&mut self, cells: &[&str]) -> Option<usize> {
        let hash = self.key.of(cells);
        let place = *self.first.get(&hash)?;
        let row = &mut self.rows[place];
        row.told = true;
        match row.next {
            Some(next) => self.first.insert(hash, next),
            None => self.first.remove(&hash),
        };
        Some(row.at)
    }

    /// Rows in neither result.
    fn rest(self) -> impl Iterator<Item = usize> {
        self.rows.into_iter().filter(|row| !row.told).map(|row| row.at)
    }
}

/// Why a row is in neither result: it was not processed, or the job says why it failed.
fn unprocessed(operation: Operation<'_>, job: &Job) -> Fault {
    let reason = job.error_message.as_deref().unwrap_or("the job ended without a result for this row");
    if job.state == "Failed" {
        // `InvalidBatch : Field name not found : Foo__c`
        let kind = if reason.contains("Field name not found") { FaultKind::NotFound } else { FaultKind::Invalid };
        let code = reason.split(':').next().unwrap_or_default().trim().to_owned();
        return Fault::from_system(System::Salesforce, kind, reason.to_owned()).code(code);
    }
    let fault = Fault::from_system(System::Salesforce, FaultKind::Unavailable, reason.to_owned());
    if operation == Operation::Insert { unknown_outcome(&fault) } else { fault.code("UNPROCESSED") }
}

impl Key {
    fn of(&self, cells: &[&str]) -> u64 {
        let mut hasher = DefaultHasher::new();
        match self {
            Self::Column(at) => cells.get(*at).hash(&mut hasher),
            // An emptied cell may come back as it was sent or as nothing.
            Self::Whole => cells.iter().for_each(|cell| if *cell == "#N/A" { "" } else { *cell }.hash(&mut hasher)),
        }
        hasher.finish()
    }
}
