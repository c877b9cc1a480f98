//! Rows of visitors, accounts, apps and catalogues.

use std::{collections::BTreeSet, ops::Range, sync::Arc};

use serde_json::{Map, Value, json};

use super::row::{Body, Context, Row};
use crate::sandbox::{company::product, documents, pendo::people};

type Rows = Box<dyn Iterator<Item = Row> + Send>;

/// Visitors, those of one account as neighbours; of these the ones seen in a stretch of time. Seeded ones only when they are among `only`.
pub(super) fn visitors(context: &Context, from: Option<i64>, to: Option<i64>, only: Option<BTreeSet<u64>>) -> Rows {
    let company = context.company;
    let seen = move |row: &documents::Row| {
        let at = |field: &str| people::value(row, field).as_i64();
        from.is_none_or(|from| at("metadata.auto.lastvisit").is_some_and(|last| last >= from))
            && to.is_none_or(|to| at("metadata.auto.firstvisit").is_some_and(|first| first <= to))
    };
    let row = move |row: documents::Row| {
        let block = row.index().map_or(company.accounts + row.position(), |person| company.account_of(person));
        Row::new(block, Body::Visitor(row))
    };
    let table = Arc::clone(&context.pendo.visitors);
    let rows: Box<dyn Iterator<Item = documents::Row> + Send> = match only {
        None => Box::new(table.scan()),
        Some(people) => {
            let inserted = table.scan_from(company.people);
            Box::new(people.into_iter().filter_map(move |person| table.at(person)).chain(inserted))
        }
    };
    Box::new(rows.filter(move |row| (from.is_none() && to.is_none()) || seen(row)).map(row))
}

/// Accounts by index, seeded ones only within `only`; tells also whether all of them are in the order of their ids.
pub(super) fn accounts(context: &Context, only: Range<u64>) -> (Rows, bool) {
    let table = &context.pendo.accounts;
    let seeded = table.scan_from(only.start).take_while(move |row| row.position() < only.end);
    let rows = seeded.chain(table.scan_from(context.company.accounts)).map(|row| Row::new(row.position(), Body::Account(row)));
    (Box::new(rows), !table.has_inserted())
}

/// Visitors that are not to be processed.
pub(super) fn do_not_process(context: &Context) -> Rows {
    let marked = context.pendo.visitors.written().into_iter().filter(|row| *row.get("metadata.pendo.donotprocess") == Value::Bool(true));
    let ids = marked.map(|row| json!({"visitorId": row.id()}));
    from_values(ids.collect())
}

pub(super) fn catalogue(context: &Context, kind: &str) -> Rows {
    let pendo = &context.pendo;
    let table = match kind {
        "page" => &pendo.pages,
        "feature" => &pendo.features,
        "tracktype" => &pendo.track_types,
        _ => &pendo.guides,
    };
    from_values(table.scan().map(|row| row.document().into()).collect())
}

pub(super) fn apps() -> Rows {
    from_values(product::APPS.iter().map(|app| json!({"id": app.id, "appId": app.id, "name": app.name, "platform": app.platform})).collect())
}

fn from_values(values: Vec<Value>) -> Rows {
    let fields = |value| match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    let rows = values.into_iter().map(fields).enumerate();
    Box::new(rows.map(|(number, fields)| Row::new(number as u64, Body::Json(Arc::new(fields)))))
}
