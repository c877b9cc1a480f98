//! Reading: rows of one or several sorted streams become pages; a stream stays open under its token until the next page.

use std::cmp::Ordering;

use crate::model::{Fault, Filter, Measure, Name, Page, Query, Record, Report, Source, System, TimeZone, Value};

use super::{
    Pendo,
    report::{Layout, Piece, Stream, selected},
    rows::Rows,
    schema::{id_field, kind_of},
};
use crate::connectors::{
    http::{garbled, invalid},
    rows::{Cast, Columns, instant_of_millis},
};

/// Streams kept open between pages; the oldest is dropped and would be opened anew.
const MOST_OPEN: usize = 16;

/// Reads whose next page nobody has asked for yet.
#[derive(Debug, Default)]
pub(super) struct OpenReads {
    serial: u64,
    /// Token and read, oldest first.
    reads: Vec<(String, OpenRead)>,
}

#[derive(Debug)]
struct OpenRead {
    source: Source,
    streams: Vec<Stream>,
    /// The rows of the streams that wait for their turn.
    heads: Vec<Option<Record>>,
    /// The key of the last row given out.
    last: Option<Value>,
    shape: Shape,
    /// Rows that may still be given out.
    left: Option<u64>,
}

#[derive(Debug)]
enum Shape {
    /// Rows of one stream as they are.
    Raw,
    /// Rows of one stream that pass, with these fields.
    Query { filter: Option<Filter>, fields: Vec<Name> },
    /// Rows made of several streams.
    Report { id: Name, pieces: Vec<(Name, Piece)> },
}

impl Pendo {
    /// One page of a report, an aggregation, or of accounts, visitors, segments, guides, pages, features, reports.
    pub(in crate::connectors) async fn read(&self, source: &Source, after: Option<&str>, page_size: u32) -> Result<Page, Fault> {
        if let Source::Object(query) = source
            && kind_of(&query.object).is_none()
        {
            return self.read_list(query).await;
        }
        let mut read = match after {
            None => self.begin(source, None, None).await?,
            Some(token) => self.resume(source, token).await?,
        };
        let (records, ended) = read.page(self, page_size.max(1) as usize).await?;
        let next = if ended { None } else { Some(self.keep(read).await) };
        Ok(Page { records, next, total: None })
    }

    async fn begin(&self, source: &Source, after: Option<Value>, left: Option<u64>) -> Result<OpenRead, Fault> {
        let last = after.clone();
        let (streams, shape, limit) = match source {
            Source::Report(report) => self.begin_report(report, after).await?,
            Source::Aggregation { pipeline, key } => {
                let stages = pipeline.as_array().cloned();
                let stages = stages.ok_or_else(|| invalid(System::Pendo, "a pipeline is a list of stages"))?;
                let columns = Columns { open: true, ..Columns::default() };
                (alone(Rows::new(stages, (key, key), columns, after)), Shape::Raw, None)
            }
            Source::Saved(saved) => (alone(self.saved(saved, after).await?), Shape::Raw, None),
            Source::Object(query) => self.begin_query(query, after).await?,
            Source::Soql(_) => return Err(invalid(System::Pendo, "SOQL is for Salesforce")),
        };
        let heads = streams.iter().map(|_| None).collect();
        Ok(OpenRead { source: source.clone(), streams, heads, last, shape, left: left.or(limit) })
    }

    async fn begin_report(&self, report: &Report, after: Option<Value>) -> Result<(Vec<Stream>, Shape, Option<u64>), Fault> {
        if report.columns.iter().any(|(_, measure)| matches!(measure, Measure::Metadata(path) if super::schema::parts(path).is_none())) {
            return Err(invalid(System::Pendo, "a metadata column is written as metadata.GROUP.FIELD"));
        }
        let Layout { streams, pieces } = self.layout(report, after).await?;
        Ok((streams, Shape::Report { id: id_field(&report.per).into(), pieces }, None))
    }

    async fn begin_query(&self, query: &Query, after: Option<Value>) -> Result<(Vec<Stream>, Shape, Option<u64>), Fault> {
        let kind = kind_of(&query.object).unwrap_or("account");
        let schema = self.schema(kind).await?;
        for condition in query.filter.iter().flat_map(|filter| &filter.conditions).filter(|condition| schema.is_time(&condition.field)) {
            if let Some(reason) = condition.no_moment() {
                return Err(invalid(System::Pendo, reason).field(&condition.field));
            }
        }
        let fields: Vec<String> = if query.fields.is_empty() {
            std::iter::once(id_field(kind).to_owned()).chain(schema.paths().map(str::to_owned)).collect()
        } else {
            query.fields.clone()
        };
        let mut wanted: Vec<(&str, Cast)> = Vec::new();
        let of_filter = query.filter.iter().flat_map(Filter::fields);
        for field in fields.iter().map(String::as_str).chain(of_filter).filter(|field| *field != id_field(kind)) {
            if !wanted.iter().any(|(known, _)| *known == field) {
                wanted.push((field, schema.cast(field)));
            }
        }
        // What is no number is no instant either: nobody knows when that record changed.
        let since = query.since.iter().map(|(field, at)| format!("!isNumber({field}) || {field} >= {}", at.as_millisecond())).collect::<Vec<_>>();
        let (stages, columns) = selected(kind, &wanted, &since);
        let rows = Rows::new(stages, (id_field(kind), id_field(kind)), columns, after);
        let shape = Shape::Query { filter: query.filter.clone(), fields: fields.into_iter().map(Name::from).collect() };
        Ok((alone(rows), shape, query.limit))
    }

    /// The read of a token: still open, or begun anew behind the token's last row.
    async fn resume(&self, source: &Source, token: &str) -> Result<OpenRead, Fault> {
        let kept = {
            let mut open = self.open.lock().await;
            let at = open.reads.iter().position(|(known, read)| known == token && read.source == *source);
            at.map(|at| open.reads.remove(at).1)
        };
        if let Some(read) = kept {
            return Ok(read);
        }
        let mut parts = token.splitn(3, ' ').skip(1);
        let left = parts.next().and_then(|left| left.parse().ok());
        let last: Option<Value> = parts.next().and_then(|last| serde_json::from_str(last).ok());
        let last = last.ok_or_else(|| invalid(System::Pendo, "the token of the page before is not one of Pendo's"))?;
        self.begin(source, Some(last), left).await
    }

    async fn keep(&self, read: OpenRead) -> String {
        let mut open = self.open.lock().await;
        open.serial += 1;
        let left = read.left.map_or_else(|| "-".to_owned(), |left| left.to_string());
        let last = read.last.clone().unwrap_or_default();
        let token = format!("{} {left} {}", open.serial, serde_json::to_string(&last).unwrap_or_default());
        if open.reads.len() >= MOST_OPEN {
            open.reads.remove(0);
        }
        open.reads.push((token.clone(), read));
        token
    }
}

impl OpenRead {
    /// Up to so many rows, and whether they were the last ones.
    async fn page(&mut self, pendo: &Pendo, size: usize) -> Result<(Vec<Record>, bool), Fault> {
        let mut records = Vec::with_capacity(size.min(10_000));
        while records.len() < size {
            if self.left == Some(0) {
                return Ok((records, true));
            }
            let Some(row) = self.next(pendo).await? else { return Ok((records, true)) };
            if let Some(record) = self.shape.record(row, &pendo.zone) {
                records.push(record);
                self.left = self.left.map(|left| left - 1);
            }
        }
        Ok((records, false))
    }

    /// The rows of all streams at the next key.
    async fn next(&mut self, pendo: &Pendo) -> Result<Option<Vec<Option<Record>>>, Fault> {
        if let ([only], [_]) = (self.streams.as_mut_slice(), self.heads.as_slice()) {
            let row = only.rows.next(pendo).await?;
            self.last = only.rows.last().cloned();
            return Ok(row.map(|row| vec![Some(row)]));
        }
        for (stream, head) in self.streams.iter_mut().zip(&mut self.heads).filter(|(stream, _)| stream.drives) {
            fill(pendo, stream, head).await?;
        }
        let standing = self.streams.iter().zip(&self.heads).filter(|(stream, _)| stream.drives);
        let Some(key) = standing.filter_map(|(stream, head)| head.as_ref()?.get(&stream.rows.key)).min_by(|a, b| order(a, b)).cloned() else {
            return Ok(None);
        };
        let mut rows = Vec::with_capacity(self.streams.len());
        for (stream, head) in self.streams.iter_mut().zip(&mut self.heads) {
            rows.push(advance(pendo, stream, head, &key).await?);
        }
        self.last = Some(key);
        Ok(Some(rows))
    }
}

/// Rows of one stream, which says which there are.
fn alone(rows: Rows) -> Vec<Stream> {
    vec![Stream { rows, drives: true }]
}

/// The next row of a stream where none waits. Streams are held together by the order of their ids: one that breaks it is refused.
async fn fill(pendo: &Pendo, stream: &mut Stream, head: &mut Option<Record>) -> Result<(), Fault> {
    if head.is_some() {
        return Ok(());
    }
    let before = stream.rows.last().cloned();
    *head = stream.rows.next(pendo).await?;
    match (before, head.as_ref().and_then(|head| head.get(&stream.rows.key))) {
        (Some(before), Some(now)) if order(&before, now).is_ge() => Err(garbled(System::Pendo, "rows do not come in the order of their ids")),
        _ => Ok(()),
    }
}

/// Moves a stream up to a key, and gives its row there.
async fn advance(pendo: &Pendo, stream: &mut Stream, head: &mut Option<Record>, key: &Value) -> Result<Option<Record>, Fault> {
    loop {
        fill(pendo, stream, head).await?;
        let Some(standing) = head.as_ref() else { return Ok(None) };
        match order(standing.get(&stream.rows.key).unwrap_or(&Value::Null), key) {
            Ordering::Less => *head = None,
            Ordering::Equal => return Ok(head.take()),
            Ordering::Greater => return Ok(None),
        }
    }
}

/// Pendo's order of ids, which are text and differ by case: by their characters, one by one.
fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        _ => a.compare(b).unwrap_or_else(|| a.to_string().cmp(&b.to_string())),
    }
}

impl Shape {
    /// The record of a row, if it passes.
    fn record(&self, mut rows: Vec<Option<Record>>, zone: &TimeZone) -> Option<Record> {
        match self {
            Self::Raw => rows.swap_remove(0),
            Self::Query { filter, fields } => {
                let row = rows.swap_remove(0)?;
                if filter.as_ref().is_some_and(|filter| !filter.matches(&row, zone)) {
                    return None;
                }
                Some(only(row, fields))
            }
            Self::Report { id, pieces } => {
                let mut record = Record::with_capacity(pieces.len() + 1);
                record.push(id.clone(), rows.iter().flatten().next()?.get(id)?.clone());
                for (name, piece) in pieces {
                    record.set(name.clone(), piece.value(&rows));
                }
                Some(record)
            }
        }
    }
}

/// The fields asked for, in their order.
pub(super) fn only(mut row: Record, fields: &[Name]) -> Record {
    fields.iter().map(|name| (name.clone(), row.remove(name).unwrap_or_default())).collect()
}

/// Times of lists (`createdAt`) are milliseconds.
pub(super) fn instant_fields(record: &mut Record) {
    const TIMES: &[&str] = &["createdAt", "lastUpdatedAt", "publishedAt", "resetAt", "lastRunAt", "lastSuccessRunAt"];
    for name in TIMES {
        if let Some(Value::Int(ms)) = record.get(name)
            && let Some(at) = instant_of_millis(*ms)
        {
            record.set(*name, Value::Instant(at));
        }
    }
}
