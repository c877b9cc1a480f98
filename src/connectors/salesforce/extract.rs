//! Many rows out of Salesforce through a Bulk API 2.0 query job: typed by the object's describe, as the pages of a query would be.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{Fault, FaultKind, FieldType, Name, Page, Record, System, Value};

use super::{
    Salesforce,
    bulk::{LONGEST_LOOK, LOOKS},
    soql,
};
use crate::connectors::{
    http::{Answer, Call, garbled},
    rows::Cast,
};

/// How the place after a page of a job's result begins: `bulk|JOB|LOCATOR`.
const PLACE: &str = "bulk|";

/// The columns of a result and their types.
pub(super) type Typed = Vec<(Name, FieldType)>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewJob<'a> {
    operation: &'static str,
    query: &'a str,
    content_type: &'static str,
    line_ending: &'static str,
    column_delimiter: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Job {
    id: String,
    state: String,
    error_message: Option<String>,
}

/// The job and the locator of a place.
pub(super) fn place(after: &str) -> Option<(&str, &str)> {
    after.strip_prefix(PLACE)?.split_once('|')
}

impl Salesforce {
    /// The first page by a job when the query found more rows than are paged through, else that page as it is.
    /// Statements that jobs cannot answer (`typed` is none, or Salesforce says so) go on by pages.
    pub(super) async fn in_bulk_if_many(&self, first: Page, soql: &str, typed: Option<Typed>, page: u32) -> Result<Page, Fault> {
        let many = first.next.is_some() && first.total.is_some_and(|total| total > self.options.bulk_query_threshold);
        let Some(typed) = typed.filter(|_| many) else { return Ok(first) };
        let total = first.total;
        match self.extract(soql).await {
            Ok(job) => Ok(Page { total, ..self.extracted(&job, "", &typed, page).await? }),
            Err(fault) if matches!(fault.kind, FaultKind::Invalid | FaultKind::NotFound | FaultKind::Denied | FaultKind::LimitExceeded) => {
                tracing::debug!(%fault, "the query goes on by pages");
                Ok(first)
            }
            Err(fault) => Err(fault),
        }
    }

    /// The types of plain fields of one object; none when a job cannot bring them as a query would: fields of related objects
    /// (an absent parent and an empty field look alike in CSV), compound ones, functions.
    pub(super) async fn typed(&self, object: &str, fields: &[impl AsRef<str>]) -> Result<Option<Typed>, Fault> {
        let object = self.described(object).await?;
        let mut typed = Typed::new();
        for name in fields.iter().map(AsRef::as_ref) {
            match object.schema.field(name).map(|field| field.kind.clone()) {
                None | Some(FieldType::Other { .. }) => return Ok(None),
                Some(kind) => typed.push((Name::new(name), kind)),
            }
        }
        Ok(Some(typed))
    }

    /// The types of a whole statement's fields, when it selects nothing but plain ones.
    pub(super) async fn typed_statement(&self, text: &str) -> Result<Option<Typed>, Fault> {
        match soql::outline(text) {
            Some((items, from)) if !text.to_ascii_lowercase().contains("group by") => self.typed(from, &items).await,
            _ => Ok(None),
        }
    }

    /// Runs a query job to its end.
    async fn extract(&self, soql: &str) -> Result<String, Fault> {
        let job = NewJob { operation: "query", query: soql, content_type: "CSV", line_ending: "LF", column_delimiter: "COMMA" };
        let mut job: Job = self.json(&Call::ask(self.path("jobs/query")).json(System::Salesforce, &job)?).await?;
        let path = self.path(&format!("jobs/query/{}", job.id));
        let mut wait = Duration::from_millis(50);
        for _ in 0..LOOKS {
            job = self.json(&Call::get(&path)).await?;
            match job.state.as_str() {
                "JobComplete" => return Ok(job.id),
                "Failed" | "Aborted" => {
                    let why = job.error_message.unwrap_or_else(|| format!("the job ended as {}", job.state));
                    return Err(Fault::from_system(System::Salesforce, FaultKind::Invalid, format!("bulk query: {why}")).code("BULK_QUERY_FAILED"));
                }
                _ => self.http.stop().sleep(wait).await?,
            }
            wait = (wait * 3 / 2).min(LONGEST_LOOK);
        }
        let message = format!("bulk query job {path} did not end in two hours; look at it in Setup, Bulk Data Load Jobs");
        Err(Fault::from_system(System::Salesforce, FaultKind::Unavailable, message).code("BULK_JOB_STUCK"))
    }

    /// One page of a finished job's result; an empty locator is its begin.
    pub(super) async fn extracted(&self, job: &str, locator: &str, typed: &Typed, page: u32) -> Result<Page, Fault> {
        let mut call = Call::get(self.path(&format!("jobs/query/{job}/results"))).header("accept", "text/csv").slow();
        call = call.query("maxRecords", page.clamp(200, 10_000).to_string());
        if !locator.is_empty() {
            call = call.query("locator", locator);
        }
        self.read(&call, |answer| page_of(answer, job, typed)).await
    }
}

fn page_of(answer: &Answer, job: &str, typed: &Typed) -> Result<Page, Fault> {
    let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok());
    let records = records(&answer.body, typed)?;
    if header("sforce-numberofrecords").and_then(|count| count.parse().ok()).is_some_and(|count: usize| count != records.len()) {
        return Err(garbled(System::Salesforce, "the bulk result has not as many rows as it says"));
    }
    let next = header("sforce-locator").filter(|locator| !matches!(*locator, "" | "null")).map(|locator| format!("{PLACE}{job}|{locator}"));
    Ok(Page { records, next, ..Page::default() })
}

/// The rows of a result. It may be empty, or only a header.
fn records(body: &[u8], typed: &Typed) -> Result<Vec<Record>, Fault> {
    let broken = |_| garbled(System::Salesforce, "the bulk result is not the CSV that was expected");
    let mut reader = csv::Reader::from_reader(body);
    let header = reader.headers().map_err(broken)?.clone();
    let places: Vec<Option<usize>> = typed.iter().map(|(name, _)| header.iter().position(|column| column.eq_ignore_ascii_case(name))).collect();
    let (mut records, mut row) = (Vec::new(), csv::StringRecord::new());
    while reader.read_record(&mut row).map_err(broken)? {
        let mut record = Record::with_capacity(typed.len());
        for ((name, kind), place) in typed.iter().zip(&places) {
            record.push(name.clone(), cell(place.and_then(|at| row.get(at)).unwrap_or_default(), kind));
        }
        records.push(record);
    }
    Ok(records)
}

/// A cell as it would come in JSON. Salesforce holds no empty text: nothing is null.
fn cell(text: &str, kind: &FieldType) -> Value {
    match kind {
        _ if text.is_empty() => Value::Null,
        FieldType::Bool | FieldType::Int { .. } | FieldType::Number { .. } | FieldType::Float => {
            serde_json::from_str(text).unwrap_or_else(|_| Value::text(text))
        }
        kind => Cast::of(kind).apply(Value::text(text)),
    }
}
