//! Pages of an object's rows, and rows by key.
//!
//! Rows of an object are paged by key: each page asks for what is behind the last Gsid of the one before, so that rows which come or go meanwhile
//! move no other across the border of a page. Calls to action can only be asked for by page number; `sweep` makes up for it.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
};

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize, de::DeserializeSeed};
use serde_json::{Value as Json, json, value::RawValue};

use crate::{
    connectors::{
        http::{broken_json, garbled, invalid},
        rows::{Cast, Column, Columns, RowsSeed},
        sweep::Sweep,
    },
    model::{Condition, Fault, FieldType, Filter, Logic, Lookup, Name, Page, Query, Record, System, TimeZone, Timestamp, Value, field_called},
};

use super::{
    Gainsight,
    conditions::{Operand, Times, Where, operand, sound},
    describe::Described,
    dropdown::Dropdown,
    names::{Cockpit, Names},
};

/// Rows of one call.
const ROWS_A_CALL: u32 = 5_000;
/// Calls to action of one call; every page has this size.
pub(super) const CTAS_A_CALL: u32 = 1_000;
/// Keys of one `IN` list.
const KEYS_A_CALL: usize = 1_000;
/// Lists of calls to action kept open between pages.
const MOST_OPEN: usize = 16;
/// What a date-time of the wrong form is refused with.
const WRONG_TIME: &str = "GSOBJ_1005";

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
    /// The change field of an incremental read, and the instant from which on it is read.
    since: Option<(Name, Timestamp)>,
    zone: TimeZone,
}

/// Where the next page of an object begins: what travels as its token.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Place {
    /// Records given out so far.
    given: u64,
    /// The Gsid of the last row read.
    last: Option<String>,
    /// An incremental read is at the records whose change field is empty: they come after the changed ones.
    empty: bool,
    /// The number of an open list of calls to action.
    list: Option<u64>,
}

/// Lists of calls to action whose next page nobody has asked for yet, oldest first.
#[derive(Debug, Default)]
pub(super) struct OpenLists {
    serial: u64,
    lists: Vec<(u64, Sweep)>,
}

impl Gainsight {
    /// One page.
    pub(in crate::connectors) async fn read_object(&self, query: &Query, after: Option<&str>, page: u32) -> Result<Page, Fault> {
        let wrong = |_| invalid(System::Gainsight, "the token of the page before is not one of Gainsight's");
        let mut place: Place = after.map_or(Ok(Place::default()), |token| serde_json::from_str(token).map_err(wrong))?;
        let mut plan = self.plan(&query.object, &query.fields, query.filter.as_ref(), "Gsid").await?;
        let mut clause = plan.clause();
        if let Some(filter) = &query.filter
            && !clause.add(filter, plan.names, &plan.object, &plan.zone)
        {
            plan.sift = Some(filter.clone());
        }
        plan.demand(&query.demands, &mut clause);
        if let Some((field, at)) = &query.since {
            plan.since(field, *at, place.empty, &mut clause);
        }
        let (rows, ended) = match plan.names.cockpit() {
            Some(api) => self.listed(api, &plan, &clause, &mut place).await?,
            None => self.behind(&plan, &clause, &mut place, page.clamp(1, ROWS_A_CALL)).await?,
        };
        let mut records = plan.records(rows);
        place.given += records.len() as u64;
        if let Some(limit) = query.limit.filter(|limit| place.given >= *limit) {
            records.truncate(records.len().saturating_sub(usize::try_from(place.given - limit).unwrap_or(usize::MAX)));
            return Ok(Page { records, next: None, total: None });
        }
        let next = if ended { place.then_empty(&plan, query) } else { Some(place) };
        Ok(Page { records, next: next.map(|place| serde_json::to_string(&place).unwrap_or_default()), total: None })
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
        let of_choice = |dropdown: &Dropdown, key: &Value| dropdown.ids(key).ok().map(|ids| Operand::Json(Json::from(ids)));
        let wire = |key: &Value| dropdown.map_or_else(|| operand(key, &kind, &self.zone), |dropdown| of_choice(dropdown, key));
        let keys: Vec<Operand> = lookup.keys.iter().filter_map(wire).collect();
        let plan = &plan;
        let chunks = keys.chunks(KEYS_A_CALL).map(|keys| {
            let mut clause = plan.clause();
            clause.and(&by, "IN", keys.to_vec());
            if let Some(filter) = &lookup.filter {
                clause.add(filter, plan.names, &plan.object, &plan.zone);
            }
            self.all(plan, clause)
        });
        let mut found = Vec::new();
        let mut answers = stream::iter(chunks).buffer_unordered(2);
        while let Some(rows) = answers.try_next().await? {
            found.append(&mut plan.records(rows));
        }
        Ok(found)
    }

    /// Every row of a clause.
    async fn all(&self, plan: &Plan, clause: Where) -> Result<Vec<Record>, Fault> {
        let Some(api) = plan.names.cockpit() else {
            return self.every_row(&plan.object.schema.name, &plan.select, &clause, &plan.columns).await;
        };
        let (mut sweep, mut all) = (Sweep::default(), Vec::new());
        loop {
            let rows = self.cta_page(api, &plan.select, &clause, sweep.page, &plan.columns).await?;
            let last = rows.len() < CTAS_A_CALL as usize;
            let (mut new, done) = sweep.take(System::Gainsight, plan.gsid(), rows, last)?;
            all.append(&mut new);
            if done {
                return Ok(all);
            }
        }
    }

    /// The next rows of a list of calls to action that no page has brought yet, and whether they were the last. Nothing of it is held but their ids.
    async fn listed(&self, api: Cockpit, plan: &Plan, clause: &Where, place: &mut Place) -> Result<(Vec<Record>, bool), Fault> {
        let mut sweep = match place.list.take() {
            None => Sweep::default(),
            Some(number) => {
                let mut open = self.lists.lock().await;
                let at = open.lists.iter().position(|(known, _)| *known == number);
                let lost = || {
                    let message = format!("the list of {} was left alone for too long; it has to be read from its begin again", api.what);
                    invalid(System::Gainsight, message).code(Fault::PLACE_LOST)
                };
                open.lists.remove(at.ok_or_else(lost)?).1
            }
        };
        let rows = self.cta_page(api, &plan.select, clause, sweep.page, &plan.columns).await?;
        let last = rows.len() < CTAS_A_CALL as usize;
        let (new, done) = sweep.take(System::Gainsight, plan.gsid(), rows, last)?;
        if !done {
            let mut open = self.lists.lock().await;
            open.serial += 1;
            let serial = open.serial;
            if open.lists.len() >= MOST_OPEN {
                open.lists.remove(0);
            }
            open.lists.push((serial, sweep));
            place.list = Some(serial);
        }
        Ok((new, done))
    }

    /// The rows behind the last one, and whether there are no more.
    async fn behind(&self, plan: &Plan, clause: &Where, place: &mut Place, size: u32) -> Result<(Vec<Record>, bool), Fault> {
        let object = &plan.object.schema.name;
        let rows = self.rows(object, &plan.select, clause, (place.last.as_deref(), size), &plan.columns).await?;
        let ended = rows.len() < size as usize;
        if !ended {
            place.last = Some(last_key(&rows, plan.gsid(), place.last.as_deref())?);
        }
        Ok((rows, ended))
    }

    /// Every row of an object that meets a clause; `Gsid` is among its columns.
    pub(super) async fn every_row(&self, object: &str, select: &[String], clause: &Where, columns: &Columns) -> Result<Vec<Record>, Fault> {
        let (mut all, mut last): (Vec<Record>, Option<String>) = (Vec::new(), None);
        loop {
            let mut rows = self.rows(object, select, clause, (last.as_deref(), ROWS_A_CALL), columns).await?;
            let ended = rows.len() < ROWS_A_CALL as usize;
            if !ended {
                last = Some(last_key(&rows, gsid(columns), last.as_deref())?);
            }
            all.append(&mut rows);
            if ended {
                return Ok(all);
            }
        }
    }

    async fn plan(&self, object: &str, fields: &[String], filter: Option<&Filter>, key: &str) -> Result<Plan, Fault> {
        let names = Names::of(object);
        let described = self.described(names.object(object)).await?;
        if let Some(field) = fields.iter().find(|field| names.is_write_only(field)) {
            let message = format!("`{field}` of {object} can only be written: Gainsight does not give it back; leave it out of what is read");
            return Err(invalid(System::Gainsight, message).field(field.clone()));
        }
        filter.map_or(Ok(()), |filter| sound(filter, names, &described))?;
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
            since: None,
            zone: self.zone.clone(),
            asked: asked.clone(),
            object: described,
        };
        let of_filter = filter.iter().flat_map(|filter| filter.fields()).map(Name::new);
        for name in asked.into_iter().chain(of_filter).chain([Name::new(key), Name::new("Gsid")]) {
            plan.add(&name);
        }
        if plan.dropdowns.iter().any(|(_, dropdown)| !dropdown.is_told()) {
            plan.labels = Some(self.choices().await?);
        }
        Ok(plan)
    }

    /// Rows of the object API behind a Gsid; none when nothing matches, in whichever way it is said.
    async fn rows(
        &self,
        object: &str,
        select: &[String],
        clause: &Where,
        (after, size): (Option<&str>, u32),
        columns: &Columns,
    ) -> Result<Vec<Record>, Fault> {
        let path = format!("/v1/data/objects/query/{}", crate::connectors::http::escape(object));
        let mut clause = clause.clone();
        if let Some(after) = after {
            clause.and("Gsid", "GT", vec![Operand::Json(after.into())]);
        }
        let ask = async |clause: Option<Json>| {
            let mut body = json!({"select": select, "orderBy": {"Gsid": "asc"}, "limit": size, "offset": 0});
            if let Some(clause) = clause {
                body["where"] = clause;
            }
            let call = self.ask(&path).json(System::Gainsight, &body)?;
            nothing_found(self.data(&call, |data| records(data, columns)).await)
        };
        self.timed(&clause, ask).await
    }

    /// Asks with instants in the form that this connection takes. Documents show several; the other one is tried once, and then kept to.
    pub(super) async fn timed(&self, clause: &Where, ask: impl AsyncFn(Option<Json>) -> Result<Vec<Record>, Fault>) -> Result<Vec<Record>, Fault> {
        if !clause.has_times() || self.plain_times.load(Ordering::Relaxed) {
            return ask(clause.json(Times::Plain)).await;
        }
        match ask(clause.json(Times::Iso)).await {
            Err(fault) if fault.code.as_deref() == Some(WRONG_TIME) => {
                let rows = ask(clause.json(Times::Plain)).await?;
                self.plain_times.store(true, Ordering::Relaxed);
                Ok(rows)
            }
            other => other,
        }
    }
}

impl Place {
    /// Where the records without a change instant begin, once those with one are read; none when there can be no such records.
    fn then_empty(self, plan: &Plan, query: &Query) -> Option<Self> {
        let (field, _) = query.since.as_ref().filter(|_| !self.empty)?;
        let may_be = plan.object.schema.field(&plan.names.wire(field)).is_none_or(|field| field.nillable);
        may_be.then(|| Self { given: self.given, empty: true, ..Self::default() })
    }
}

/// The Gsid of a page's last row.
///
/// # Errors
/// When the page is not in the order of its Gsids: what is behind the last one could not be told from what was read.
fn last_key(rows: &[Record], gsid: &str, before: Option<&str>) -> Result<String, Fault> {
    let keys: Vec<String> = rows.iter().filter_map(|row| row.get(gsid)).filter(|key| !key.is_blank()).map(ToString::to_string).collect();
    let ascending = keys.is_sorted_by(|a, b| a < b) && before.is_none_or(|before| keys.first().is_some_and(|first| first.as_str() > before));
    match keys.last().filter(|_| ascending && keys.len() == rows.len()) {
        Some(last) => Ok(last.clone()),
        None => Err(garbled(System::Gainsight, "the rows of a page do not come in the order of their Gsid, so the next page cannot be asked for")),
    }
}

/// The name under which rows hold their Gsid.
fn gsid(columns: &Columns) -> &str {
    columns.list.iter().find(|column| column.wire.eq_ignore_ascii_case("Gsid")).map_or("Gsid", |column| column.name.as_str())
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
    let added: Vec<(&str, &str)> = names.added().into_iter().filter_map(|(ours, wire)| Some((ours, wire?))).collect();
    let mut fields: Vec<Name> = object.schema.fields.iter().map(|field| Name::new(&field.name)).collect();
    fields.retain(|field| !added.iter().any(|(_, wire)| wire.eq_ignore_ascii_case(field)));
    fields.extend(added.iter().map(|(ours, _)| Name::new(ours)));
    fields
}

impl Plan {
    /// An empty clause in the words of the API that is asked.
    fn clause(&self) -> Where {
        Where::new(if self.names.cockpit().is_some() { "fieldName" } else { "name" })
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

    /// Reads what changed from an instant on, or else what has no change instant.
    fn since(&mut self, field: &str, at: Timestamp, empty: bool, clause: &mut Where) {
        let name = Name::new(field);
        self.add(&name);
        let wire = self.names.wire(field);
        if empty {
            clause.and(&wire, "IS_NULL", Vec::new());
        } else {
            clause.and(&wire, "GTE", vec![Operand::Instant(at)]);
            self.since = Some((name, at));
        }
    }

    fn gsid(&self) -> &str {
        gsid(&self.columns)
    }

    fn changed(&self, row: &Record) -> bool {
        let Some((field, since)) = &self.since else { return true };
        !matches!(row.get(field), Some(Value::Instant(at)) if at < since)
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
        let passing = labelled.filter(|row| self.changed(row) && self.sift.as_ref().is_none_or(|filter| filter.matches(row, &self.zone)));
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
