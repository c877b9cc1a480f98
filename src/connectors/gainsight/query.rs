//! Pages of an object's rows, and rows by key.

use std::{collections::HashMap, sync::Arc};

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, de::DeserializeSeed};
use serde_json::{Value as Json, json, value::RawValue};

use crate::{
    connectors::{
        http::{broken_json, invalid},
        rows::{Cast, Column, Columns, RowsSeed},
    },
    model::{Condition, Fault, FieldType, Filter, Logic, Lookup, Name, Page, Query, Record, System, TimeZone, Value, field_called},
};

use super::{
    Gainsight,
    conditions::{Where, operand},
    describe::Described,
    dropdown::Dropdown,
    names::Names,
};

/// Rows of one call.
const ROWS_A_CALL: u32 = 5_000;
/// Calls to action of one call.
const CTAS_A_CALL: u32 = 1_000;
/// Keys of one `IN` list.
const KEYS_A_CALL: usize = 1_000;

/// What is read and how its rows become records.
struct Plan {
    names: Names,
    object: Arc<Described>,
    /// Fields as Gainsight calls them.
    select: Vec<String>,
    columns: Columns,
    /// Fields of the records.
    asked: Vec<Name>,
    /// Fields that hold choices, as they are called in records; and labels of choices that the describe does not tell.
    dropdowns: Vec<(Name, Dropdown)>,
    labels: Option<Arc<HashMap<Name, Name>>>,
    /// What the API could not say.
    sift: Option<Filter>,
    zone: TimeZone,
}

impl Gainsight {
    /// One page. The token is the offset of the next row, and how many records were given out so far.
    pub(in crate::connectors) async fn read_object(&self, query: &Query, after: Option<&str>, page: u32) -> Result<Page, Fault> {
        let (offset, given) = place(after)?;
        let most = if Names::of(&query.object) == Names::Cta { CTAS_A_CALL } else { ROWS_A_CALL };
        let size = page.clamp(1, most);
        let mut plan = self.plan(&query.object, &query.fields, query.filter.as_ref(), "Gsid").await?;
        let mut clause = plan.clause();
        if let Some(filter) = &query.filter
            && !clause.add(filter, plan.names, &plan.object, &plan.zone)
        {
            plan.sift = Some(filter.clone());
        }
        plan.demand(&query.demands, &mut clause);
        if let Some((field, at)) = &query.since {
            let field = plan.names.wire(field);
            let kind = plan.object.kind(&field).cloned().unwrap_or(FieldType::DateTime { millis: true });
            let value = operand(&Value::Instant(*at), &kind, &self.zone).unwrap_or_default();
            clause.and(&field, "GTE", &[value]);
        }
        let rows = self.page(&plan, clause.json(), (offset, size)).await?;
        let read = rows.len() as u64;
        let mut records = plan.records(rows);
        let given = given + records.len() as u64;
        let mut next = (read == u64::from(size)).then(|| format!("{} {given}", offset + read));
        if let Some(limit) = query.limit.filter(|limit| given >= *limit) {
            // Pages keep their size, since calls to action are paged by number: what is too much is cut off.
            records.truncate(records.len().saturating_sub(usize::try_from(given - limit).unwrap_or(usize::MAX)));
            next = None;
        }
        Ok(Page { records, next, total: None })
    }

    pub(in crate::connectors) async fn lookup(&self, lookup: &Lookup) -> Result<Vec<Record>, Fault> {
        let mut fields = vec!["Gsid".to_owned(), lookup.by.clone()];
        fields.extend(lookup.fields.iter().cloned());
        let mut plan = self.plan(&lookup.object, &fields, lookup.filter.as_ref(), &lookup.by).await?;
        plan.sift = lookup.filter.clone().filter(|filter| !plan.clause().add(filter, plan.names, &plan.object, &plan.zone));
        let by = plan.names.wire(&lookup.by);
        let kind = plan.object.kind(&by).cloned().unwrap_or(FieldType::Text { max: u32::MAX });
        let dropdown = plan.object.dropdown(&by);
        // A key that is no option is found nowhere.
        let wire = |key: &Value| dropdown.map_or_else(|| operand(key, &kind, &self.zone), |dropdown| dropdown.ids(key).ok().map(Json::from));
        let keys: Vec<Json> = lookup.keys.iter().filter_map(wire).collect();
        let plan = &plan;
        let chunks = keys.chunks(KEYS_A_CALL).map(|keys| {
            let mut clause = plan.clause();
            clause.and(&by, "IN", keys);
            if let (Some(filter), None) = (&lookup.filter, &plan.sift) {
                clause.add(filter, plan.names, &plan.object, &plan.zone);
            }
            self.all(plan, clause.json())
        });
        let mut found = Vec::new();
        let mut answers = stream::iter(chunks).buffer_unordered(2);
        while let Some(rows) = answers.try_next().await? {
            found.append(&mut plan.records(rows));
        }
        Ok(found)
    }

    /// Every row of a clause.
    async fn all(&self, plan: &Plan, clause: Option<Json>) -> Result<Vec<Record>, Fault> {
        let size = if plan.names == Names::Cta { CTAS_A_CALL } else { ROWS_A_CALL };
        let mut all = Vec::new();
        loop {
            let mut rows = self.page(plan, clause.clone(), (all.len() as u64, size)).await?;
            let ended = rows.len() < size as usize;
            all.append(&mut rows);
            if ended {
                return Ok(all);
            }
        }
    }

    async fn page(&self, plan: &Plan, clause: Option<Json>, (offset, size): (u64, u32)) -> Result<Vec<Record>, Fault> {
        match plan.names {
            Names::Cta => self.cta_rows(&plan.select, clause, (offset, size), &plan.columns).await,
            _ => self.rows(&plan.object.schema.name, &plan.select, clause, (offset, size), &plan.columns).await,
        }
    }

    async fn plan(&self, object: &str, fields: &[String], filter: Option<&Filter>, key: &str) -> Result<Plan, Fault> {
        let names = Names::of(object);
        let described = self.described(names.object(object)).await?;
        for condition in filter.iter().flat_map(|filter| &filter.conditions) {
            let kind = described.kind(&names.wire(&condition.field));
            if matches!(kind, Some(FieldType::Date | FieldType::DateTime { .. }))
                && let Some(reason) = condition.no_moment()
            {
                return Err(invalid(System::Gainsight, reason).field(&condition.field));
            }
        }
        let asked: Vec<Name> = if fields.is_empty() { all_fields(names, &described) } else { unique(fields) };
        let mut plan = Plan {
            names,
            select: Vec::new(),
            columns: Columns::default(),
            dropdowns: Vec::new(),
            labels: None,
            sift: None,
            zone: self.zone.clone(),
            asked: asked.clone(),
            object: described,
        };
        let of_filter = filter.iter().flat_map(|filter| filter.fields()).map(Name::new);
        for name in asked.into_iter().chain(of_filter).chain([Name::new(key)]) {
            plan.add(&name);
        }
        if plan.dropdowns.iter().any(|(_, dropdown)| !dropdown.is_told()) {
            plan.labels = Some(self.choices().await?);
        }
        Ok(plan)
    }

    /// Rows of the object API; none when nothing matches, in whichever way it is said.
    pub(super) async fn rows(
        &self,
        object: &str,
        select: &[String],
        clause: Option<Json>,
        (offset, size): (u64, u32),
        columns: &Columns,
    ) -> Result<Vec<Record>, Fault> {
        let mut body = json!({"select": select, "orderBy": {"Gsid": "asc"}, "limit": size, "offset": offset});
        if let Some(clause) = clause {
            body["where"] = clause;
        }
        let path = format!("/v1/data/objects/query/{}", crate::connectors::http::escape(object));
        let call = self.ask(&path).json(System::Gainsight, &body)?;
        nothing_found(self.data(&call, |data| records(data, columns)).await)
    }
}

/// Offset and count of a token.
fn place(token: Option<&str>) -> Result<(u64, u64), Fault> {
    let Some(token) = token else { return Ok((0, 0)) };
    let parsed = token.split_once(' ').and_then(|(offset, given)| Some((offset.parse().ok()?, given.parse().ok()?)));
    parsed.ok_or_else(|| invalid(System::Gainsight, "the token of the page before is not one of Gainsight's"))
}

/// A list, an object with `records`, or nothing: both shapes are in use.
pub(super) fn records(data: &str, columns: &Columns) -> Result<Vec<Record>, Fault> {
    #[derive(Deserialize)]
    struct Wrapped<'a> {
        #[serde(borrow)]
        records: Option<&'a RawValue>,
    }
    let broken = |error: serde_json::Error| broken_json(System::Gainsight, &error);
    let list = if data.trim_start().starts_with('{') {
        let wrapped: Wrapped<'_> = serde_json::from_str(data).map_err(broken)?;
        wrapped.records.map_or("null", RawValue::get)
    } else {
        data
    };
    let mut json = serde_json::Deserializer::from_str(list);
    RowsSeed(columns).deserialize(&mut json).map_err(broken)
}

pub(super) fn nothing_found(result: Result<Vec<Record>, Fault>) -> Result<Vec<Record>, Fault> {
    match result {
        Err(fault) if fault.code.as_deref() == Some("GSOBJ_1011") || fault.message.starts_with("No data found") => Ok(Vec::new()),
        other => other,
    }
}

/// Columns under the very names of the fields.
pub(super) fn rows_of(fields: &[String]) -> Columns {
    let mut columns = Columns::default();
    for field in fields {
        columns.list.push(Column { wire: field.into(), name: field.into(), cast: Cast::Plain, inner: None });
    }
    columns
}

fn unique(fields: &[String]) -> Vec<Name> {
    let mut kept: Vec<Name> = Vec::with_capacity(fields.len());
    for field in fields {
        if !kept.iter().any(|known| known == field) {
            kept.push(Name::new(field));
        }
    }
    kept
}

fn all_fields(names: Names, object: &Described) -> Vec<Name> {
    let added = names.added();
    let mut fields: Vec<Name> = object.schema.fields.iter().map(|field| Name::new(&field.name)).collect();
    fields.retain(|field| !added.iter().any(|(_, wire)| wire.eq_ignore_ascii_case(field)));
    fields.extend(added.iter().map(|(ours, _)| Name::new(ours)));
    fields
}

impl Plan {
    /// An empty clause in the words of the API that is asked.
    fn clause(&self) -> Where {
        Where::new(if self.names == Names::Cta { "fieldName" } else { "name" })
    }

    /// Adds what the reader demands of records anyway, where the API can say it. A field that records do not have is for the reader to find
    /// missing, in every one of them.
    fn demand(&self, demands: &[Condition], clause: &mut Where) {
        clause.exactly();
        for demand in demands {
            let Some(field) = field_called(&demand.field, self.asked.iter()) else { return };
            if self.object.is_comparable(&self.names.wire(field)) {
                let condition = Condition { field: field.to_string(), ..demand.clone() };
                let filter = Filter { logic: Logic::Is(condition.label.clone()), conditions: vec![condition] };
                clause.add(&filter, self.names, &self.object, &self.zone);
            }
        }
    }

    fn add(&mut self, name: &Name) {
        if self.columns.list.iter().any(|column| column.name == *name) {
            return;
        }
        let wire = self.names.wire(name);
        if let Some(dropdown) = self.object.dropdown(&wire) {
            self.dropdowns.push((name.clone(), dropdown.clone()));
        }
        let cast = self.object.cast(&wire);
        if !self.select.iter().any(|known| known.eq_ignore_ascii_case(&wire)) {
            self.select.push(wire.to_string());
        }
        self.columns.list.push(Column { wire, name: name.clone(), cast, inner: None });
    }

    /// Rows as they were asked for: choices by label, sifted, in the order of the fields.
    fn records(&self, rows: Vec<Record>) -> Vec<Record> {
        let labelled = rows.into_iter().map(|row| self.labelled(row));
        let passing = labelled.filter(|row| self.sift.as_ref().is_none_or(|filter| filter.matches(row, &self.zone)));
        let exact = self.asked.len() == self.columns.list.len();
        passing.map(|row| if exact { row } else { self.only_asked(row) }).collect()
    }

    fn only_asked(&self, mut row: Record) -> Record {
        self.asked.iter().map(|name| (name.clone(), row.remove(name).unwrap_or_default())).collect()
    }

    fn labelled(&self, mut row: Record) -> Record {
        for (name, dropdown) in &self.dropdowns {
            let Some(Value::Text(ids)) = row.get(name) else { continue };
            let label = dropdown.labelled(ids, self.labels.as_deref());
            row.set(name.clone(), Value::Text(label));
        }
        row
    }
}
