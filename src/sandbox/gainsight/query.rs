//! Reading an object: `POST /v1/data/objects/query/{Object}`.

use std::{cmp::Ordering, sync::Arc};

use serde_json::{Map, Value};
use xxhash_rust::xxh3::xxh3_64;

use super::{
    answer::{Answer, Answered, Refused, invalid, no_object},
    filter::{self, Filter, OBJECT, Times},
    objects::{self, Object},
    pages::QueryKey,
    path::{self, Path},
    tenant::{self, Tenant},
    values::{self, Dates},
};
use crate::sandbox::{company::ids, documents::Row};

/// The most rows of one call, and what it gives when nothing is said.
const MOST: u64 = 5_000;

/// A read as it was asked for.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) object: &'static Object,
    pub(super) select: Vec<Path>,
    filter: Filter,
    order: Vec<(Path, bool)>,
    pub(super) limit: u64,
    pub(super) offset: u64,
    /// Everything but the limit and the offset.
    key: QueryKey,
}

pub(super) fn run(tenant: &Tenant, name: &str, bytes: &[u8]) -> Answered {
    let object = objects::object(name).ok_or_else(|| no_object(name))?;
    let query = parse(object, tenant::body(bytes)?, MOST, tenant.settings().times)?;
    if object.name == "record_delete_log" {
        return Ok(rows_answer(tenant, &query, &deleted_lately(tenant, &query)));
    }
    Ok(rows_answer(tenant, &query, &tenant.select(&query)))
}

/// Reads the body of a query; `most` is the greatest limit, and the default.
pub(super) fn parse(object: &'static Object, mut body: Map<String, Value>, most: u64, times: Times) -> Result<Query, Refused> {
    filter::known_keys(&body, &["select", "where", "orderBy", "limit", "offset"], "the query")?;
    let limit = number(body.remove("limit"), "limit", most)?;
    let offset = number(body.remove("offset"), "offset", 0)?;
    if limit == 0 || limit > most {
        return Err(invalid(format!("limit must be between 1 and {most}")));
    }
    let select = match body.get("select") {
        Some(Value::Array(fields)) if !fields.is_empty() => fields.iter().map(|field| select_field(object, field)).collect::<Result<_, _>>()?,
        _ => return Err(invalid("select is mandatory: a list of fields")),
    };
    let filter = Filter::parse(object, body.get("where").unwrap_or(&Value::Null), OBJECT.with(times))?;
    let order = match body.get("orderBy") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Object(fields)) => fields.iter().map(|(field, way)| order_field(object, field, way)).collect::<Result<_, _>>()?,
        Some(_) => return Err(invalid("orderBy must be an object of field and asc or desc")),
    };
    body.remove("select");
    body.insert("object".to_owned(), object.name.into());
    let key = xxh3_64(&serde_json::to_vec(&body).unwrap_or_default());
    Ok(Query { object, select, filter, order, limit, offset, key })
}

fn number(sent: Option<Value>, what: &str, default: u64) -> Result<u64, Refused> {
    match sent {
        None | Some(Value::Null) => Ok(default),
        Some(value) => value.as_u64().ok_or_else(|| invalid(format!("{what} must be a whole number"))),
    }
}

fn select_field(object: &'static Object, field: &Value) -> Result<Path, Refused> {
    Path::parse(object, field.as_str().ok_or_else(|| invalid("select must be a list of field names"))?)
}

fn order_field(object: &'static Object, field: &str, way: &Value) -> Result<(Path, bool), Refused> {
    let way = way.as_str().unwrap_or_default();
    let descending = way.eq_ignore_ascii_case("desc");
    if !descending && !way.eq_ignore_ascii_case("asc") {
        return Err(invalid(format!("orderBy of {field} must be asc or desc")));
    }
    Ok((Path::parse(object, field)?, descending))
}

/// The answer in the shape of the settings, written without a tree in between: a company's people are many.
fn rows_answer(tenant: &Tenant, query: &Query, rows: &[Row]) -> Answer {
    let settings = tenant.settings();
    let bare = settings.bare_list;
    let mut json = Vec::with_capacity(64 + rows.len() * query.select.len() * 32);
    json.extend_from_slice(if bare { b"[" } else { b"{\"records\":[" });
    let columns = columns(query);
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            json.push(b',');
        }
        write_row((tenant, settings.dates), &columns, row, &mut json);
    }
    json.extend_from_slice(if bare { b"]" } else { b"]}" });
    // What is written is JSON.
    Answer::Rows(String::from_utf8(json).unwrap_or_default())
}

/// The selected fields with their names as JSON, each spelled as it was asked for, and once.
fn columns(query: &Query) -> Vec<(String, &Path)> {
    let mut columns: Vec<(String, &Path)> = Vec::with_capacity(query.select.len());
    for path in &query.select {
        let name = Value::from(path.spelled.as_str()).to_string();
        if !columns.iter().any(|(known, _)| *known == name) {
            columns.push((name, path));
        }
    }
    columns
}

fn write_row((tenant, dates): (&Tenant, Dates), columns: &[(String, &Path)], row: &Row, json: &mut Vec<u8>) {
    json.push(b'{');
    for (at, (name, path)) in columns.iter().enumerate() {
        if at > 0 {
            json.push(b',');
        }
        json.extend_from_slice(name.as_bytes());
        json.push(b':');
        let value = path.value(tenant, row);
        let written = if values::told_as_kept(path.kind(), dates) {
            serde_json::to_writer(&mut *json, &*value)
        } else {
            serde_json::to_writer(&mut *json, &values::tell(path.kind(), &value, dates))
        };
        debug_assert!(written.is_ok(), "a value is JSON");
    }
    json.push(b'}');
}

/// The delete log goes back 15 days.
fn deleted_lately(tenant: &Tenant, query: &Query) -> Vec<Row> {
    const KEPT_MS: i64 = 15 * crate::sandbox::clock::DAY_MS;
    let oldest = tenant.world.clock.now_ms() - KEPT_MS;
    let kept = |row: &Row| row.get("DeletedOn").as_i64().is_some_and(|at| at >= oldest);
    let rows = sorted(tenant, query, tenant.table(query.object).scan().filter(kept).filter(|row| query.filter.matches(tenant, row)).collect());
    page(rows.into_iter(), query)
}

fn page(rows: impl Iterator<Item = Row>, query: &Query) -> Vec<Row> {
    rows.skip(usize::try_from(query.offset).unwrap_or(usize::MAX)).take(usize::try_from(query.limit).unwrap_or(usize::MAX)).collect()
}

impl Tenant {
    /// The rows of one page.
    pub(super) fn select(&self, query: &Query) -> Vec<Row> {
        if let Some(candidates) = query.filter.candidates(self, query.object) {
            let matching = candidates.into_iter().filter(|row| query.filter.matches(self, row)).collect();
            return page(sorted(self, query, matching).into_iter(), query);
        }
        if natural(query) { self.scanned(query) } else { self.ordered(query) }
    }

    /// How many rows match in all.
    pub(super) fn count(&self, query: &Query) -> u64 {
        self.table(query.object).scan().filter(|row| query.filter.matches(self, row)).count() as u64
    }

    /// Rows in the order of their ids, from where the page before ended.
    fn scanned(&self, query: &Query) -> Vec<Row> {
        let object = query.object.name;
        let known = self.pages.place(object, query.key, query.offset);
        let begin = known.or_else(|| self.begin(query)).unwrap_or(0);
        let skip = if known.is_some() { 0 } else { query.offset };
        let matching = self.table(query.object).scan_from(begin).filter(|row| query.filter.matches(self, row));
        let rows: Vec<Row> =
            matching.skip(usize::try_from(skip).unwrap_or(usize::MAX)).take(usize::try_from(query.limit).unwrap_or(usize::MAX)).collect();
        if let Some(last) = rows.last() {
            self.pages.remember(object, query.key, query.offset + rows.len() as u64, last.position() + 1);
            self.pages.remember(object, after(&last.id()), 0, last.position() + 1);
        }
        rows
    }

    /// Where rows with an id above the asked one begin.
    fn begin(&self, query: &Query) -> Option<u64> {
        let id = query.filter.after_id()?;
        if let Some(index) = self.seed(query.object).index(id) {
            return Some(index);
        }
        self.pages.place(query.object.name, after(id), 0).map(|position| position.saturating_sub(1))
    }

    /// Rows in an order of their own, which is made once for all pages.
    fn ordered(&self, query: &Query) -> Vec<Row> {
        let object = query.object;
        let kept = self.pages.order(object.name, query.key);
        let order = kept.unwrap_or_else(|| {
            let order = Arc::new(self.order_of(query));
            self.pages.keep_order(object.name, query.key, Arc::clone(&order));
            order
        });
        let from = usize::try_from(query.offset).unwrap_or(usize::MAX).min(order.len());
        let to = from.saturating_add(usize::try_from(query.limit).unwrap_or(usize::MAX)).min(order.len());
        order[from..to].iter().filter_map(|number| self.get(object, &ids::gainsight(object.prefix, *number))).collect()
    }

    /// Only the values it is ordered by are held, not the rows.
    fn order_of(&self, query: &Query) -> Vec<u64> {
        let matching = self.table(query.object).scan().filter(|row| query.filter.matches(self, row));
        let keyed = matching.filter_map(|row| Some((sort_key(self, query, &row), ids::gainsight_number(query.object.prefix, &row.id())?)));
        let mut keyed: Vec<(Vec<Value>, u64)> = keyed.collect();
        keyed.sort_by(|(a, _), (b, _)| by_key(query, a, b));
        keyed.into_iter().map(|(_, number)| number).collect()
    }
}

/// The key under which the end of a page is remembered by its last id.
fn after(id: &str) -> QueryKey {
    xxh3_64(id.as_bytes())
}

/// Whether the table's own order is the asked one: ids ascend with the position.
fn natural(query: &Query) -> bool {
    match query.order.first() {
        None => true,
        Some((path, descending)) => !descending && path.own().is_some_and(|field| field.name == "Gsid"),
    }
}

fn sort_key(tenant: &Tenant, query: &Query, row: &Row) -> Vec<Value> {
    query.order.iter().map(|(path, _)| path.value(tenant, row).into_owned()).collect()
}

fn by_key(query: &Query, a: &[Value], b: &[Value]) -> Ordering {
    let compared = query.order.iter().zip(a.iter().zip(b)).map(|((path, descending), (a, b))| {
        let order = filter::order(path.kind(), a, b);
        if *descending { order.reverse() } else { order }
    });
    compared.fold(Ordering::Equal, Ordering::then)
}

/// Rows come by ascending id; sorting keeps that order among equals.
fn sorted(tenant: &Tenant, query: &Query, rows: Vec<Row>) -> Vec<Row> {
    if query.order.is_empty() {
        return rows;
    }
    let mut keyed: Vec<(Vec<Value>, Row)> = rows.into_iter().map(|row| (sort_key(tenant, query, &row), row)).collect();
    keyed.sort_by(|(a, _), (b, _)| by_key(query, a, b));
    keyed.into_iter().map(|(_, row)| row).collect()
}

/// One row of an export: the selected fields as text.
pub(super) fn csv_row(tenant: &Tenant, query: &Query, row: &Row) -> Vec<String> {
    let dates = tenant.settings().dates;
    let cell = |path: &Path| match values::tell(path.kind(), &path.value(tenant, row), dates) {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    };
    query.select.iter().map(cell).collect()
}

/// The whole row as describes know it, for answers that echo it.
pub(super) fn whole(tenant: &Tenant, object: &Object, row: &Row) -> Map<String, Value> {
    let dates = tenant.settings().dates;
    object.fields.iter().map(|field| (field.name.to_owned(), values::tell(field.kind, &path::get(row, field), dates))).collect()
}
