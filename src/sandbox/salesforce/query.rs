//! `query`, `queryAll` and their pages, `explain`, `columns=true`, and `search`.

use crate::sandbox::salesforce::answer::{Answer, Answered, Call, Fault};
use crate::sandbox::salesforce::data::Data;
use crate::sandbox::salesforce::ids::id_of;
use crate::sandbox::salesforce::org::Org;
use crate::sandbox::salesforce::schema::Kind;
use crate::sandbox::salesforce::soql::plan::{Bound, Column, Plan};
use crate::sandbox::salesforce::soql::run::Hits;
use crate::sandbox::salesforce::soql::{self, group, run, shape};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many cursors stay open; the oldest go first.
const OPEN: u64 = 200;
/// Children of one record told at once.
const CHILDREN: usize = 200;

/// Open query cursors by their number.
#[derive(Default)]
pub(crate) struct Cursors {
    open: BTreeMap<u64, Arc<Cursor>>,
    next: u64,
    /// For cursors over whole objects: the last id of each page that was given, by cursor and offset of the next page.
    reached: BTreeMap<(u64, usize), u64>,
    /// Children beyond the first page of their list.
    children: BTreeMap<u64, Children>,
}

/// The rest of a list of children.
struct Children {
    /// The cursor of their parents, if it has further pages.
    parents: Option<u64>,
    /// All of them, as they are told.
    records: Arc<Vec<Value>>,
}

struct Cursor {
    plan: Plan,
    hits: Hits,
    page: usize,
}

impl Cursors {
    fn add(&mut self, cursor: Arc<Cursor>) -> u64 {
        self.next += 1;
        self.open.insert(self.next, cursor);
        while self.open.len() as u64 > OPEN
            && let Some((number, _)) = self.open.pop_first()
        {
            self.reached.retain(|(of, _), _| *of != number);
        }
        self.next
    }

    fn add_children(&mut self, children: Children) -> u64 {
        self.next += 1;
        self.children.insert(self.next, children);
        while self.children.len() as u64 > OPEN && self.children.pop_first().is_some() {}
        self.next
    }
}

/// `query/...` and `queryAll/...` over the org's rows.
pub(crate) fn answer(org: &Org, call: &Call, rest: &[&str], all_rows: bool) -> Answered {
    answer_over(org, &org.data(), call, rest, all_rows)
}

/// A query over some rows (the org's, or the definitions of the Tooling API).
pub(crate) fn answer_over(org: &Org, data: &Data, call: &Call, rest: &[&str], all_rows: bool) -> Answered {
    if !matches!(call.method.as_str(), "GET" | "HEAD") {
        return Err(Fault::new(405, "METHOD_NOT_ALLOWED", format!("HTTP Method '{}' not allowed. Allowed are GET,HEAD", call.method)));
    }
    if let Some(locator) = rest.first() {
        return next_page(org, data, call, locator);
    }
    if let Some(text) = call.parameter("explain") {
        return explain(data, text, call.now);
    }
    let text = call.parameter("q").ok_or_else(|| Fault::new(400, "MALFORMED_QUERY", "SOQL statements cannot be empty or null"))?;
    let plan = soql::prepare(data, text, call.now, all_rows)?;
    if call.flag("columns") {
        return Answer::ok(columns(data, &plan));
    }
    if plan.count_only {
        return Answer::ok(json!({"totalSize": run::count(data, &plan), "done": true, "records": []}));
    }
    if plan.grouped {
        let records: Vec<Value> = group::rows(data, &plan).iter().map(|cells| shape::group_record(&plan, cells)).collect();
        return Answer::ok(json!({"totalSize": records.len(), "done": true, "records": records}));
    }
    let hits = run::hits(data, &plan);
    let cursor = Arc::new(Cursor { page: page_size(data, call, &plan), plan, hits });
    if cursor.hits.total() <= cursor.page {
        let mut page = page(data, call, &cursor, 0, None).0;
        cut_children(org, call, None, &mut page);
        return Answer::ok(page);
    }
    let number = org.cursors().add(Arc::clone(&cursor));
    Answer::ok(open_page(org, data, call, (number, &cursor), 0))
}

/// 200 to 2,000 rows as asked for; at most 200 when two or more long texts are selected.
fn page_size(data: &Data, call: &Call, plan: &Plan) -> usize {
    let options = call.headers.get("sforce-query-options").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let asked = options.split([',', ';']).find_map(|option| {
        let (name, value) = option.split_once('=')?;
        name.trim().eq_ignore_ascii_case("batchSize").then(|| value.trim().parse::<usize>().ok())?
    });
    let fields = &data.schema.objects[plan.object].fields;
    let long = |column: &&Column| matches!(column, Column::Value { expr: Bound::Field { hops, field, .. }, .. } if hops.is_empty() && fields[*field].length > 4000);
    let most = if plan.columns.iter().filter(long).count() >= 2 { 200 } else { 2000 };
    asked.unwrap_or(2000).clamp(200, 2000).min(most)
}

/// The refusal of a locator that is unknown, or too old.
pub(super) fn lost() -> Fault {
    Fault::new(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
}

fn next_page(org: &Org, data: &Data, call: &Call, locator: &str) -> Answered {
    let (id, offset) = locator.split_once('-').ok_or_else(lost)?;
    let number = crate::sandbox::salesforce::ids::number_of("0r8", id).ok_or_else(lost)?;
    let offset: usize = offset.parse().map_err(|_| lost())?;
    let children = org.cursors().children.get(&number).map(|children| Arc::clone(&children.records));
    if let Some(children) = children {
        return if offset == 0 || offset >= children.len() { Err(lost()) } else { Answer::ok(children_from(call, number, &children, offset)) };
    }
    let cursor = org.cursors().open.get(&number).cloned().ok_or_else(lost)?;
    // As the vendor's documentation says: asking for more parents makes the cursors of the children told before void.
    org.cursors().children.retain(|_, children| children.parents != Some(number));
    if offset == 0 || offset >= cursor.hits.total() {
        return Err(lost());
    }
    Answer::ok(open_page(org, data, call, (number, &cursor), offset))
}

fn open_page(org: &Org, data: &Data, call: &Call, (number, cursor): (u64, &Cursor), offset: usize) -> Value {
    let after = org.cursors().reached.get(&(number, offset)).copied();
    let (mut page, last) = page(data, call, cursor, offset, after);
    cut_children(org, call, Some(number), &mut page);
    let next = offset + cursor.page;
    if next < cursor.hits.total() {
        page["done"] = false.into();
        page["nextRecordsUrl"] = format!("{}/query/{}-{next}", call.base, id_of("0r8", number)).into();
        if let (Hits::Whole(_), Some(last)) = (&cursor.hits, last) {
            org.cursors().reached.insert((number, next), last);
        }
    }
    ordered(page)
}

/// Cuts lists of children after their first page, at every depth. How many the vendor tells at once is documented nowhere.
fn cut_children(org: &Org, call: &Call, parents: Option<u64>, list: &mut Value) {
    let Some(records) = list.get_mut("records").and_then(Value::as_array_mut) else { return };
    for record in records {
        let Some(fields) = record.as_object_mut() else { continue };
        for list in fields.values_mut().filter(|value| value.get("records").is_some()) {
            cut_children(org, call, parents, list);
            let Some(children) = list["records"].as_array().filter(|children| children.len() > CHILDREN) else { continue };
            let all = Arc::new(children.clone());
            let number = org.cursors().add_children(Children { parents, records: Arc::clone(&all) });
            *list = children_from(call, number, &all, 0);
        }
    }
}

/// A page of a list of children.
fn children_from(call: &Call, number: u64, all: &[Value], offset: usize) -> Value {
    let next = offset + CHILDREN;
    let records: Vec<Value> = all.iter().skip(offset).take(CHILDREN).cloned().collect();
    let mut page = json!({"totalSize": all.len(), "done": next >= all.len(), "records": records});
    if next < all.len() {
        page["nextRecordsUrl"] = format!("{}/query/{}-{next}", call.base, id_of("0r8", number)).into();
    }
    ordered(page)
}

/// The keys in the service's order.
fn ordered(mut page: Value) -> Value {
    let mut out = Map::new();
    for key in ["totalSize", "done", "nextRecordsUrl", "records"] {
        if let Some(value) = page.get_mut(key) {
            out.insert(key.to_owned(), value.take());
        }
    }
    Value::Object(out)
}

/// One page and the number of its last row; `after` spares a cursor over a whole object to start from the first row.
fn page(data: &Data, call: &Call, cursor: &Cursor, offset: usize, after: Option<u64>) -> (Value, Option<u64>) {
    let plan = &cursor.plan;
    let mut last = None;
    let shaped = |row: crate::sandbox::documents::Row| {
        last = Some(data.number(plan.object, &row));
        Value::Object(shape::record(data, &call.base, plan.object, &row, &plan.columns))
    };
    let records: Vec<Value> = match (&cursor.hits, after) {
        (Hits::Whole(_), Some(after)) => {
            let rows = data.scan_from(plan.object, after).filter(|row| data.number(plan.object, row) > after && !Data::is_deleted(row));
            rows.take(cursor.page).map(shaped).collect()
        }
        _ => cursor.hits.rows(data, plan, offset).take(cursor.page).map(shaped).collect(),
    };
    (json!({"totalSize": cursor.hits.total(), "done": true, "records": records}), last)
}

fn explain(data: &Data, text: &str, now: i64) -> Answered {
    let plan = soql::prepare(data, text, now, false)?;
    let object = &data.schema.objects[plan.object];
    let rows = data.live(plan.object);
    let indexed = plan.filter.is_some();
    Answer::ok(json!({
        "plans": [{
            "cardinality": if indexed { rows.div_ceil(10) } else { rows },
            "fields": [],
            "leadingOperationType": "TableScan",
            "notes": [{"description": "Not considering filter for optimization because unindexed", "fields": ["IsDeleted"], "tableEnumOrId": object.name.as_str()}],
            "relativeCost": 1.0,
            "sobjectCardinality": rows,
            "sobjectType": object.name.as_str(),
        }],
        "sourceQuery": text,
    }))
}

fn columns(data: &Data, plan: &Plan) -> Value {
    let selects_id = plan.columns.iter().any(|column| matches!(column, Column::Value { keys, .. } if keys.len() == 1 && keys[0] == "Id"));
    let object = &data.schema.objects[plan.object];
    json!({
        "columnMetadata": column_list(plan),
        "entityName": object.name.as_str(),
        "groupBy": !plan.group.is_empty(),
        "idSelected": selects_id,
        "keyPrefix": object.prefix.as_str(),
    })
}

fn column_list(plan: &Plan) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::new();
    for column in &plan.columns {
        match column {
            Column::Value { keys, expr } => {
                let mut list = &mut out;
                for key in &keys[..keys.len() - 1] {
                    let at = list.iter().position(|known| known["columnName"] == key.as_str()).unwrap_or_else(|| {
                        list.push(column_item(key, Kind::Reference, false, &[]));
                        list.len() - 1
                    });
                    let Some(inner) = list[at]["joinColumns"].as_array_mut() else { return out };
                    list = inner;
                }
                let own = keys.last().map(smol_str::SmolStr::as_str).unwrap_or_default();
                list.push(column_item(own, expr.kind(), expr.is_aggregate(), &[]));
            }
            Column::Children { key, plan, .. } => out.push(column_item(key, Kind::Text, false, &column_list(plan))),
            Column::Typeof { key, .. } => out.push(column_item(key, Kind::Reference, false, &[])),
        }
    }
    out
}

fn column_item(name: &str, kind: Kind, aggregate: bool, join: &[Value]) -> Value {
    let (apex, number, text) = match kind {
        Kind::Id | Kind::Reference => ("Id", false, true),
        Kind::Boolean => ("Boolean", false, false),
        Kind::Int => ("Integer", true, false),
        Kind::Double | Kind::Currency | Kind::Percent => ("Double", true, false),
        Kind::Date => ("Date", false, false),
        Kind::Datetime => ("Datetime", false, false),
        Kind::Time => ("Time", false, false),
        _ => ("String", false, true),
    };
    json!({
        "aggregate": aggregate, "apexType": apex, "booleanType": kind == Kind::Boolean, "columnName": name, "custom": name.ends_with("__c"),
        "displayName": name, "foreignKeyName": null, "insertable": false, "joinColumns": join, "numberType": number, "textType": text, "updatable": false,
    })
}

/// `search?q=FIND {..}`: SOSL is not emulated beyond its own refusals.
pub(crate) fn search(call: &Call) -> Answered {
    let text = call.parameter("q").unwrap_or_default();
    if !text.contains('{') {
        return Err(Fault::new(400, "MALFORMED_SEARCH", "No search term found. The search term must be enclosed in braces."));
    }
    Err(Fault::new(400, "MALFORMED_SEARCH", "search is not available in this organization"))
}

/// The record of one row with the given fields (all readable ones when none are given).
pub(crate) fn whole_record(data: &Data, base: &str, object: usize, row: &crate::sandbox::documents::Row, places: &[usize]) -> Value {
    let fields = &data.schema.objects[object].fields;
    let column = |place: &usize| {
        let kind = fields[*place].kind;
        let (hops, field) = (Vec::new(), *place);
        let expr = if kind == Kind::Address { Bound::Address { hops, object, field } } else { Bound::Field { hops, field, kind } };
        Column::Value { keys: vec![fields[*place].name.clone()], expr }
    };
    let columns: Vec<Column> = places.iter().map(column).collect();
    Value::Object(shape::record(data, base, object, row, &columns))
}

/// The places of the named fields, or of all readable ones.
pub(crate) fn places(data: &Data, object: usize, names: Option<Vec<&str>>) -> Result<Vec<usize>, Fault> {
    let described = &data.schema.objects[object];
    let Some(names) = names else { return Ok(described.describe_order().collect()) };
    let place = |name: &str| {
        let unknown = || Fault::new(400, "INVALID_FIELD", format!("No such column '{name}' on sobject of type {}", described.name));
        described.field(name.trim()).ok_or_else(unknown)
    };
    names.into_iter().filter(|name| !name.trim().is_empty()).map(place).collect()
}
