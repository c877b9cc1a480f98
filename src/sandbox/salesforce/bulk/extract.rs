//! Query jobs: create, state, results by pages.

use crate::sandbox::salesforce::answer::{Answer, Answered, Call, Fault};
use crate::sandbox::salesforce::bulk::jobs::{State, Task, bulk_fault};
use crate::sandbox::salesforce::bulk::table::push_line;
use crate::sandbox::salesforce::data::Data;
use crate::sandbox::salesforce::org::Org;
use crate::sandbox::salesforce::soql::plan::{Bound, Column, Plan};
use crate::sandbox::salesforce::soql::run::{self, Hits};
use crate::sandbox::salesforce::soql::{self, shape};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Value, json};
use std::sync::Arc;

/// Rows of one page when none are asked for.
const PAGE: usize = 50_000;

/// `jobs/query/...`.
pub(crate) fn answer(org: &Org, call: &Call, rest: &[&str]) -> Answered {
    match (call.method.as_str(), rest) {
        ("POST", []) => create(org, call),
        ("GET" | "HEAD", []) => Answer::ok(org.jobs().list(false)),
        ("GET" | "HEAD", [id]) => state(org, id),
        ("PATCH", [id]) => abort(org, call, id),
        ("DELETE", [id]) => {
            let id = org.jobs().get(id, false)?.id.clone();
            org.jobs().remove(&id);
            Answer::empty(204)
        }
        ("GET" | "HEAD", [id, "results"]) => results(org, call, id),
        ("GET" | "HEAD", [id, "resultPages"]) => pages(org, call, id),
        (method, [] | [_] | [_, "results" | "resultPages"]) => {
            Err(Fault::new(405, "METHOD_NOT_ALLOWED", format!("HTTP Method '{method}' not allowed.")))
        }
        _ => Err(Fault::not_found()),
    }
}

fn create(org: &Org, call: &Call) -> Answered {
    let body = call.object()?;
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
    let all_rows = match text("operation") {
        "query" => false,
        "queryAll" => true,
        other => return Err(bulk_fault("INVALIDJOB", format!("InvalidJob : Invalid operation: {other}"))),
    };
    let data = org.data();
    let plan = soql::prepare(&data, text("query"), call.now, all_rows)?;
    allowed(&plan)?;
    let hits = run::hits(&data, &plan);
    let (object, user) = (data.schema.objects[plan.object].name.to_string(), data.user.clone());
    drop(data);
    let task = Task::Query { found: Arc::new((plan, hits)) };
    let job = org.jobs().open(call, &body, object, user, State::UploadComplete, task)?;
    Answer::ok(job.json(false))
}

fn allowed(plan: &Plan) -> Result<(), Fault> {
    let refused = |text: &str| Err(bulk_fault("API_ERROR", text));
    if plan.grouped || plan.count_only {
        return refused("Aggregate Relationships not supported in Bulk Query");
    }
    if plan.offset > 0 {
        return refused("OFFSET clause not supported in Bulk Query");
    }
    for column in &plan.columns {
        match column {
            Column::Children { .. } => return refused("Aggregate Relationships not supported in Bulk Query"),
            Column::Typeof { .. } => return refused("TYPEOF clause not supported in Bulk Query"),
            Column::Value { expr: Bound::Address { .. }, .. } => return refused("Selecting compound data not supported in Bulk Query"),
            Column::Value { .. } => {}
        }
    }
    Ok(())
}

/// The rows were found when the job was made: it is complete as soon as somebody asks.
fn state(org: &Org, id: &str) -> Answered {
    let mut jobs = org.jobs();
    let job = jobs.get(id, false)?;
    if let (State::UploadComplete, Task::Query { found, .. }) = (job.state, &job.task) {
        job.processed = found.1.total();
        job.state = State::JobComplete;
    }
    Answer::ok(job.json(true))
}

fn abort(org: &Org, call: &Call, id: &str) -> Answered {
    let body = call.object()?;
    let mut jobs = org.jobs();
    let job = jobs.get(id, false)?;
    if body.get("state").and_then(Value::as_str) != Some("Aborted") || job.state.is_over() {
        return Err(bulk_fault("INVALIDJOBSTATE", format!("InvalidJobState : Invalid job state: {}", job.state.name())));
    }
    job.state = State::Aborted;
    Answer::ok(job.json(false))
}

/// Delimiter and line end.
type Dialect = (u8, &'static str);

/// The plan and the rows of a complete job.
fn found(org: &Org, call: &Call, id: &str) -> Result<(Arc<(Plan, Hits)>, Dialect), Fault> {
    let mut jobs = org.jobs();
    let job = jobs.get(id, false)?;
    if job.version != call.version {
        return Err(Fault::new(409, "INVALIDJOBSTATE", "Results must be read with the API version of the job"));
    }
    match (&job.task, job.state) {
        (Task::Query { found, .. }, State::JobComplete) => Ok((Arc::clone(found), (job.delimiter(), job.line_end()))),
        _ => Err(bulk_fault("INVALIDJOBSTATE", "InvalidJobState : can only download query results of successfully completed bulk job")),
    }
}

/// `OFFSET:NUMBER`, the number being that of the last row before it (0 where it is not needed), in base64.
fn locator(offset: usize, last: u64) -> String {
    STANDARD_NO_PAD.encode(format!("{offset}:{last}"))
}

fn located(locator: &str) -> Option<(usize, u64)> {
    let text = String::from_utf8(STANDARD_NO_PAD.decode(locator.trim_end_matches('=')).ok()?).ok()?;
    let (offset, last) = text.split_once(':')?;
    Some((offset.parse().ok()?, last.parse().ok()?))
}

fn results(org: &Org, call: &Call, id: &str) -> Answered {
    let (found, (delimiter, end)) = found(org, call, id)?;
    let (plan, hits) = found.as_ref();
    let (offset, last) = match call.parameter("locator").filter(|text| !text.is_empty() && *text != "null") {
        Some(text) => located(text).ok_or_else(|| bulk_fault("INVALID_QUERY_LOCATOR", "invalid query locator"))?,
        None => (0, 0),
    };
    let most = call.parameter("maxRecords").and_then(|text| text.parse().ok()).unwrap_or(PAGE).max(1);
    let data = org.data();
    let mut out = Vec::new();
    let names = shape::csv_header(plan);
    push_line(&mut out, names.iter().map(String::as_bytes), delimiter, end);
    let mut count = 0;
    let mut reached = last;
    for row in rows(&data, plan, hits, offset, last).take(most) {
        let cells = shape::csv_row(&data, plan, &row);
        push_line(&mut out, cells.iter().map(String::as_bytes), delimiter, end);
        reached = data.number(plan.object, &row);
        count += 1;
    }
    let more = offset + most < hits.total() && count > 0;
    let next = if more { locator(offset + most, reached) } else { "null".to_owned() };
    Ok(Answer::csv(out).with("Sforce-NumberOfRecords", count.to_string()).with("Sforce-Locator", next))
}

fn rows<'a>(
    data: &'a Data,
    plan: &'a Plan,
    hits: &'a Hits,
    offset: usize,
    last: u64,
) -> Box<dyn Iterator<Item = crate::sandbox::documents::Row> + 'a> {
    if matches!(hits, Hits::Whole(_)) && last > 0 {
        let after = data.scan_from(plan.object, last).filter(move |row| data.number(plan.object, row) > last);
        return Box::new(after.filter(|row| !Data::is_deleted(row)));
    }
    hits.rows(data, plan, offset)
}

fn pages(org: &Org, call: &Call, id: &str) -> Answered {
    let (found, ..) = found(org, call, id)?;
    let most = call.parameter("maxRecords").and_then(|text| text.parse().ok()).unwrap_or(PAGE).max(1);
    let page =
        |offset: usize| json!({"resultUrl": format!("{}/jobs/query/{id}/results?locator={}&maxRecords={most}", call.base, locator(offset, 0))});
    let urls: Vec<Value> = (0..found.1.total()).step_by(most).map(page).collect();
    Answer::ok(json!({"resultPages": urls, "nextRecordsUrl": null, "done": true}))
}
