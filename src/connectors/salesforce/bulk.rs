//! Many rows through Bulk API 2.0: one CSV up, results down, joined back by what is in the rows, never by their order.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use reqwest::Method;
use serde::{Deserialize, Serialize};

use crate::model::{Change, Fault, FaultKind, RowOutcome, System};

use super::{
    Salesforce, cell,
    errors::{WireError, fault_of},
    write::{Operation, Row, fields_of, gone_is_deleted, id_of},
};
use crate::connectors::{
    http::{Call, Repeat, garbled, unknown_outcome},
    outcomes::{Outcomes, failed, written},
};

/// Bytes of one job's CSV; the service takes 100 MB.
const CSV_LIMIT: usize = 90 * 1024 * 1024;
/// The longest pause between two looks at a job, and how many looks there are (about two hours).
const LONGEST_LOOK: Duration = Duration::from_secs(10);
const LOOKS: usize = 720;

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
    csv: Vec<u8>,
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
            let places = part.rows.iter().map(|(at, _)| *at).collect::<Vec<_>>();
            let result = match outcomes.halt().get() {
                Some(fault) => Err(fault),
                None => self.job(object, operation, part).await,
            };
            if let Err(fault) = &result {
                outcomes.halt().set_if_systemic(fault);
            }
            outcomes.put(places.into_iter(), result);
        }
    }

    async fn job<'a>(&self, object: &str, operation: Operation<'a>, part: Part<'a>) -> Result<Vec<RowOutcome>, Fault> {
        let job = self.open_job(object, operation).await?;
        let path = self.path(&format!("jobs/ingest/{}", job.id));
        self.upload(&path, part.csv.clone()).await?;
        // From here on the rows may be written whatever happens to our side of the talk.
        let lost = |fault: Fault| if operation == Operation::Insert { unknown_outcome(&fault) } else { fault };
        let done = self.finished(&path).await.map_err(lost)?;
        self.results(&path, &done, operation, &part).await.map_err(lost)
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

    async fn upload(&self, path: &str, csv: Vec<u8>) -> Result<(), Fault> {
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

    async fn results<'a>(&self, path: &str, job: &Job, operation: Operation<'a>, part: &Part<'a>) -> Result<Vec<RowOutcome>, Fault> {
        let mut waiting = Waiting::new(operation, part)?;
        for row in self.result_rows(path, "successfulResults", &part.header).await? {
            let created = row.second.eq_ignore_ascii_case("true") || operation == Operation::Insert;
            waiting.settle(&row.cells, written(some(row.id), created));
        }
        for row in self.result_rows(path, "failedResults", &part.header).await? {
            let fault = row_fault(&row.second);
            waiting.settle(&row.cells, gone_is_deleted(operation, some(row.id), fault));
        }
        Ok(waiting.finish(operation, job))
    }

    async fn result_rows(&self, path: &str, which: &str, header: &[&str]) -> Result<Vec<ResultRow>, Fault> {
        let call = Call::get(format!("{path}/{which}")).header("accept", "text/csv");
        self.read(&call, |answer| result_rows(&answer.body, header)).await
    }
}

/// The union of all rows' fields; a delete's is exactly the id.
fn header<'a>(operation: Operation<'a>, rows: &[Row<'a>]) -> Vec<&'a str> {
    let mut header: Vec<&str> = Vec::new();
    if matches!(operation, Operation::Update | Operation::Delete) {
        header.push("Id");
    }
    for (_, change) in rows {
        let Some(fields) = fields_of(change) else { continue };
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
        fields_of(change).and_then(|fields| fields.get(name)).map_or_else(String::new, cell::csv)
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
    Ok(Part { header: header.to_vec(), csv, rows: taken })
}

fn some(id: String) -> Option<String> {
    (!id.is_empty()).then_some(id)
}

struct ResultRow {
    id: String,
    /// `sf__Created` or `sf__Error`.
    second: String,
    /// In the order of our header.
    cells: Vec<String>,
}

/// Rows of a result file. It may be empty, or only a header.
fn result_rows(body: &[u8], header: &[&str]) -> Result<Vec<ResultRow>, Fault> {
    let broken = |_| garbled(System::Salesforce, "the bulk result is not the CSV that was expected");
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(body);
    let columns = reader.headers().map_err(broken)?.clone();
    let place = |name: &str| columns.iter().position(|column| column.eq_ignore_ascii_case(name));
    let places: Vec<Option<usize>> = header.iter().map(|name| place(name)).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let get = |at: Option<usize>| at.and_then(|at| record.get(at)).unwrap_or_default().to_owned();
        rows.push(ResultRow { id: get(Some(0)), second: get(Some(1)), cells: places.iter().map(|at| get(*at)).collect() });
    }
    Ok(rows)
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
    places: HashMap<String, VecDeque<usize>>,
    outcomes: Vec<Option<RowOutcome>>,
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
        let mut places: HashMap<String, VecDeque<usize>> = HashMap::with_capacity(part.rows.len());
        for (at, (_, change)) in part.rows.iter().enumerate() {
            places.entry(key.of(&cells(&part.header, operation, change))).or_default().push_back(at);
        }
        Ok(Self { key, places, outcomes: vec![None; part.rows.len()] })
    }

    fn settle(&mut self, cells: &[String], outcome: RowOutcome) {
        if let Some(at) = self.places.get_mut(&self.key.of(cells)).and_then(VecDeque::pop_front) {
            self.outcomes[at] = Some(outcome);
        }
    }

    /// Rows in neither result were not processed, or the job says why it failed.
    fn finish(self, operation: Operation<'_>, job: &Job) -> Vec<RowOutcome> {
        let reason = job.error_message.as_deref().unwrap_or("the job ended without a result for this row");
        let fault = if job.state == "Failed" {
            // `InvalidBatch : Field name not found : Foo__c`
            let kind = if reason.contains("Field name not found") { FaultKind::NotFound } else { FaultKind::Invalid };
            let code = reason.split(':').next().unwrap_or_default().trim().to_owned();
            Fault::from_system(System::Salesforce, kind, reason.to_owned()).code(code)
        } else {
            let fault = Fault::from_system(System::Salesforce, FaultKind::Unavailable, reason.to_owned());
            if operation == Operation::Insert { unknown_outcome(&fault) } else { fault.code("UNPROCESSED") }
        };
        self.outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| failed(fault.clone()))).collect()
    }
}

impl Key {
    fn of(&self, cells: &[String]) -> String {
        match self {
            Self::Column(at) => cells.get(*at).cloned().unwrap_or_default(),
            // An emptied cell may come back as it was sent or as nothing.
            Self::Whole => cells.iter().map(|cell| if cell == "#N/A" { "" } else { cell.as_str() }).collect::<Vec<_>>().join("\u{1f}"),
        }
    }
}
