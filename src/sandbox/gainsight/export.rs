//! Bulk export: a query, its status, its rows in CSV chunks. Also the statuses of other calls that are done in the background.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Value, json};

use super::{
    answer::{Answer, Answered, Refused, no_object, oops, wrong},
    objects,
    query::{self, Query},
    tenant::{self, Tenant},
};

/// Rows of one export at most, and of one chunk.
const MOST: u64 = 1_000_000;
const CHUNK: u64 = 20_000;

#[derive(Debug, Default)]
pub(super) struct Jobs {
    exports: Mutex<HashMap<String, Arc<Export>>>,
    statuses: Mutex<HashMap<String, Value>>,
}

#[derive(Debug)]
struct Export {
    /// The body it was asked for with: each chunk is a page of it.
    body: Vec<u8>,
    query: Query,
    total: u64,
}

impl Jobs {
    /// Keeps what a status call will answer, and gives its id back.
    pub(super) fn keep_status(&self, id: String, status: Value) -> String {
        self.statuses.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), status);
        id
    }

    pub(super) fn status(&self, id: &str) -> Option<Value> {
        self.statuses.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn export(&self, id: &str) -> Result<Arc<Export>, Refused> {
        let exports = self.exports.lock().unwrap_or_else(PoisonError::into_inner);
        exports.get(id).cloned().ok_or_else(|| wrong("GSOBJ_1011", "No data found for given criteria"))
    }
}

/// `POST /v3/exports/data/bulk/{Object}`.
pub(super) fn submit(tenant: &Tenant, name: &str, bytes: &[u8], base: &str) -> Answered {
    let object = objects::object(name).ok_or_else(|| no_object(name))?;
    let body = tenant::body(bytes).map_err(malformed)?;
    if body.get("select").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        return Err(wrong("GSOBJ_ESS_9104", "Select clause is empty"));
    }
    let query = query::parse(object, body, MOST, tenant.settings().times).map_err(malformed)?;
    let total = tenant.count(&query).saturating_sub(query.offset).min(query.limit);
    let id = tenant.request_id();
    let export = Arc::new(Export { body: bytes.to_owned(), query, total });
    tenant.jobs.exports.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), export);
    Ok(Answer::Data(json!({"jobId": id, "statusURL": format!("{base}/v3/exports/data/bulk/status/{id}")})))
}

fn malformed(refused: Refused) -> Refused {
    Refused { code: "GSOBJ_ESS_9150", ..refused }
}

/// `GET` of the status URL.
pub(super) fn status(tenant: &Tenant, id: &str, base: &str) -> Answered {
    let export = tenant.jobs.export(id)?;
    let chunks = (0..export.total).step_by(usize::try_from(CHUNK).unwrap_or(usize::MAX)).map(|offset| {
        json!({"chunkURL": format!("{base}/v3/exports/data/bulk/chunk/{id}/{offset}"), "offset": offset, "limit": CHUNK.min(export.total - offset)})
    });
    let chunks: Vec<Value> = chunks.collect();
    Ok(Answer::Data(json!({"jobId": id, "jobStatus": "COMPLETED", "totalRecords": export.total, "chunkDetails": chunks})))
}

/// `GET` of a chunk's URL: CSV with a header.
pub(super) fn chunk(tenant: &Tenant, id: &str, offset: &str) -> Answered {
    let export = tenant.jobs.export(id)?;
    let offset: u64 = offset.parse().ok().filter(|offset| *offset < export.total).ok_or_else(super::answer::wrong_path)?;
    let mut page = query::parse(export.query.object, tenant::body(&export.body)?, MOST, tenant.settings().times)?;
    page.offset = export.query.offset + offset;
    page.limit = CHUNK.min(export.total - offset);
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(page.select.iter().map(|path| path.spelled.as_str())).map_err(|_| oops())?;
    for row in tenant.select(&page) {
        csv.write_record(query::csv_row(tenant, &page, &row)).map_err(|_| oops())?;
    }
    let text = csv.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(oops)?;
    Ok(Answer::Csv(text))
}
