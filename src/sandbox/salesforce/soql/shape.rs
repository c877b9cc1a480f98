//! Rows of a query as JSON records and as CSV cells.

use crate::sandbox::documents::Row;
use crate::sandbox::salesforce::cell::Cell;
use crate::sandbox::salesforce::data::Data;
use crate::sandbox::salesforce::derived;
use crate::sandbox::salesforce::schema::ID;
use crate::sandbox::salesforce::soql::plan::{Bound, Column, Plan};
use crate::sandbox::salesforce::soql::run;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

/// `{"type": .., "url": ..}` of a row.
pub(crate) fn attributes(data: &Data, base: &str, object: usize, id: &str) -> Value {
    let name = data.schema.objects[object].name.as_str();
    json!({"type": name, "url": format!("{base}/sobjects/{name}/{id}")})
}

/// One record of a plain query.
pub(crate) fn record(data: &Data, base: &str, object: usize, row: &Row, columns: &[Column]) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("attributes".to_owned(), attributes(data, base, object, &row.id()));
    for column in columns {
        match column {
            Column::Value { keys, expr } => nested(data, base, (object, row), &mut out, keys, expr),
            Column::Children { key, field, plan } => _ = out.insert(key.to_string(), children(data, base, object, row, *field, plan)),
            Column::Typeof { key, field, arms } => _ = out.insert(key.to_string(), chosen(data, base, object, row, *field, arms)),
        }
    }
    out
}

fn nested(data: &Data, base: &str, (object, row): (usize, &Row), out: &mut Map<String, Value>, keys: &[SmolStr], expr: &Bound) {
    let hops = match expr {
        Bound::Field { hops, .. } | Bound::Address { hops, .. } | Bound::ParentType { hops } if keys.len() == hops.len() + 1 => hops.as_slice(),
        _ => &[],
    };
    let mut place = out;
    for (i, key) in keys.iter().take(hops.len()).enumerate() {
        if !place.contains_key(key.as_str()) {
            let parent = data.follow(object, row, &hops[..=i]);
            let value = parent.map_or(Value::Null, |(object, row)| json!({"attributes": attributes(data, base, object, &row.id())}));
            place.insert(key.to_string(), value);
        }
        let Some(Value::Object(inner)) = place.get_mut(key.as_str()) else { return };
        place = inner;
    }
    let Some(last) = keys.last() else { return };
    let value = match expr {
        Bound::Address { hops, object: at, field } => data
            .follow(object, row, hops)
            .map_or(Value::Null, |(_, row)| derived::address(data, *at, &row, &data.schema.objects[*at].fields[*field].name)),
        _ => data.value(object, row, expr).json(expr.kind()),
    };
    place.insert(last.to_string(), value);
}

fn children(data: &Data, base: &str, object: usize, row: &Row, field: usize, plan: &Plan) -> Value {
    let hits = run::child_hits(data, plan, field, &data.cell(object, row, ID));
    if hits.total() == 0 {
        return Value::Null;
    }
    let records: Vec<Value> = hits.rows(data, plan, 0).map(|row| Value::Object(record(data, base, plan.object, &row, &plan.columns))).collect();
    json!({"totalSize": records.len(), "done": true, "records": records})
}

fn chosen(data: &Data, base: &str, object: usize, row: &Row, field: usize, arms: &[(usize, Vec<Column>)]) -> Value {
    let id = data.cell(object, row, field);
    let Some(id) = id.as_text() else { return Value::Null };
    let found = arms.iter().find_map(|(object, columns)| Some((*object, data.row(*object, id)?, columns)));
    found.map_or(Value::Null, |(object, row, columns)| Value::Object(record(data, base, object, &row, columns)))
}

/// One record of a grouped query.
pub(crate) fn group_record(plan: &Plan, cells: &[Cell]) -> Value {
    let mut out = Map::new();
    out.insert("attributes".to_owned(), json!({"type": "AggregateResult"}));
    for (column, cell) in plan.columns.iter().zip(cells) {
        if let Column::Value { keys, expr } = column {
            out.insert(keys.join("."), cell.json(expr.kind()));
        }
    }
    Value::Object(out)
}

/// The header of a bulk result.
pub(crate) fn csv_header(plan: &Plan) -> Vec<String> {
    plan.columns.iter().filter_map(|column| if let Column::Value { keys, .. } = column { Some(keys.join(".")) } else { None }).collect()
}

/// One row of a bulk result.
pub(crate) fn csv_row(data: &Data, plan: &Plan, row: &Row) -> Vec<String> {
    let values = plan.columns.iter().filter_map(|column| if let Column::Value { expr, .. } = column { Some(expr) } else { None });
    values.map(|expr| data.value(plan.object, row, expr).csv(expr.kind())).collect()
}
