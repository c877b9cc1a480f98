//! Accounts and visitors by id, or by a metadata field.

use std::collections::HashSet;

use crate::model::{Fault, Filter, Lookup, Name, Record, Value};

use super::{
    Pendo,
    read::only,
    report::{any_of, selected},
    rows::{Rows, literal},
    schema::{id_field, kind_of},
};
use crate::connectors::rows::Cast;

/// Up to so many ids are named one by one; more are found within the range from the first to the last.
const NAMED: usize = 100;

impl Pendo {
    pub(in crate::connectors) async fn lookup(&self, lookup: &Lookup) -> Result<Vec<Record>, Fault> {
        let Some(kind) = kind_of(&lookup.object) else { return self.lookup_list(lookup).await };
        let id = id_field(kind);
        let keys: HashSet<String> = lookup.keys.iter().filter(|key| !key.is_blank()).map(Value::to_string).collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let schema = self.schema(kind).await?;
        let mut fields: Vec<&str> = Vec::new();
        let of_filter = lookup.filter.iter().flat_map(Filter::fields);
        for field in std::iter::once(lookup.by.as_str()).chain(lookup.fields.iter().map(String::as_str)).chain(of_filter) {
            if field != id && !fields.contains(&field) {
                fields.push(field);
            }
        }
        let wanted: Vec<(&str, Cast)> = fields.iter().map(|field| (*field, schema.cast(field))).collect();
        let filters: Vec<String> = if lookup.by == id { vec![id_filter(id, &keys)] } else { Vec::new() };
        let (stages, columns) = selected(kind, &wanted, &filters);
        let mut rows = Rows::new(stages, (id, id), columns, None);
        let kept: Vec<Name> =
            std::iter::once(id).chain([lookup.by.as_str()]).chain(lookup.fields.iter().map(String::as_str)).map(Name::new).collect();
        let mut found = Vec::new();
        while let Some(row) = rows.next(self).await? {
            let here = row.get(&lookup.by).is_some_and(|value| keys.contains(&value.to_string()));
            if here && lookup.filter.as_ref().is_none_or(|filter| filter.matches(&row, &self.zone)) {
                found.push(only(row, &unique(&kept)));
            }
        }
        Ok(found)
    }
}

fn unique(names: &[Name]) -> Vec<Name> {
    let mut kept: Vec<Name> = Vec::with_capacity(names.len());
    for name in names {
        if !kept.contains(name) {
            kept.push(name.clone());
        }
    }
    kept
}

fn id_filter(id: &str, keys: &HashSet<String>) -> String {
    let mut sorted: Vec<&str> = keys.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    match sorted.as_slice() {
        few if few.len() <= NAMED => any_of(id, few),
        [first, .., last] => format!("{id} >= {} && {id} <= {}", literal(&Value::text(first)), literal(&Value::text(last))),
        other => any_of(id, other),
    }
}
