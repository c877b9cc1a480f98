//! Pages of records, and records by key.

use std::{collections::HashSet, sync::Arc};

use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::Method;
use serde::{Deserialize, Serialize};

use crate::{
    connectors::{
        http::{Call, escape, garbled, invalid},
        rows::Cast,
        sweep::Sweep,
    },
    model::{Condition, Fault, FaultKind, FieldType, Filter, Lookup, Page, Query, Record, System, TimeZone, Timestamp, Value},
};

use super::{
    Px,
    describe::model_of,
    errors::TOO_WIDE,
    filters::{ALTERNATIVES, Pushed, Types, operand},
    objects::{Object, Style, TIMES, object},
};

/// Feeds are read in windows of so many days: PX allows 190 at most.
const WINDOW_DAYS: i64 = 189;
/// Questions for records by key at a time.
const PARALLEL: usize = 4;
const CUSTOM: &str = "customAttributes";

/// Where the next page begins: what travels as its token.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
struct Place {
    scroll: Option<String>,
    number: u64,
    /// The window being read: from, and before; no end until PX refuses that.
    from: Option<Timestamp>,
    before: Option<Timestamp>,
    /// Records given out.
    given: u64,
}

impl Px {
    /// One page of users, accounts, engagements, features, segments, or of a feed.
    ///
    /// A feed without a condition on `date` gives what PX gives then: the last day.
    pub(in crate::connectors) async fn read_object(&self, query: &Query, after: Option<&str>, page_size: u32) -> Result<Page, Fault> {
        let object = object(&query.object)?;
        let types = self.types_of(object, query.filter.as_ref()).await?;
        let is_time = |condition: &Condition| match types.get(&condition.field) {
            Some(kind) => matches!(kind, FieldType::DateTime { .. }),
            None => TIMES.contains(&condition.field.as_str()),
        };
        for condition in query.filter.iter().flat_map(|filter| &filter.conditions).filter(|condition| is_time(condition)) {
            if let Some(reason) = condition.no_moment() {
                return Err(invalid(System::Px, reason).field(&condition.field));
            }
        }
        let pushed = Pushed::of(object, query, &types, &self.zone);
        let wrong = |_| invalid(System::Px, "the token of the page before is not one of PX's");
        let mut place: Place = match after {
            Some(token) => serde_json::from_str(token).map_err(wrong)?,
            None => first(object, &pushed),
        };
        let size = page_size.clamp(1, object.most);
        let (mut records, total, mut ended) = match object.style {
            Style::Numbered => (self.numbered(object, size).await?, None, true),
            Style::Scroll => self.page(object, &pushed, &mut place, size).await?,
        };
        records.retain(|record| passes(query, record, &self.zone));
        if let Some(limit) = query.limit {
            let left = limit.saturating_sub(place.given);
            ended |= records.len() as u64 >= left;
            records.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        }
        place.given += records.len() as u64;
        let records = records.into_iter().map(|record| only(record, &query.fields)).collect();
        let next = (!ended).then(|| serde_json::to_string(&place).unwrap_or_default());
        Ok(Page { records, next, total: total.filter(|_| query.filter.is_none() && query.since.is_none() && query.limit.is_none()) })
    }

    /// The records at a place, how many there are in all, and whether they were the last; moves the place on.
    async fn page(&self, object: &Object, pushed: &Pushed, place: &mut Place, size: u32) -> Result<(Vec<Record>, Option<u64>, bool), Fault> {
        let answer = loop {
            match self.http.json::<Record>(&self.call_of(object, pushed, place, size)).await {
                // Up to now is too far: in windows then.
                Err(fault) if fault.code.as_deref() == Some(TOO_WIDE) && place.from.is_some() && place.before.is_none() => {
                    place.before = place.from.map(|from| from + jiff::SignedDuration::from_hours(24 * WINDOW_DAYS));
                }
                // The call is that of the page before but for its scrollId: only that can be what PX does not like.
                Err(fault) if place.scroll.is_some() && matches!(fault.kind, FaultKind::Invalid | FaultKind::NotFound) => {
                    let message = format!("PX has forgotten where the next page of {} begins: {}", object.path, fault.message);
                    return Err(Fault { message, code: Some(Fault::PLACE_LOST.to_owned()), ..fault });
                }
                answer => break answer?,
            }
        };
        let mut answer = answer;
        let Some(Value::List(items)) = answer.remove(object.list) else {
            return Err(garbled(System::Px, format!("the answer has no list `{}`", object.list)));
        };
        let rows = items.len();
        let mut records: Vec<Record> = items.into_iter().filter_map(|item| if let Value::Map(record) = item { Some(record) } else { None }).collect();
        for record in &mut records {
            object.typed(record);
        }
        self.type_custom(object, &mut records).await?;
        let ended = match object.style {
            Style::Numbered => {
                place.number += 1;
                answer.get("isLastPage") == Some(&Value::Bool(true)) || rows == 0
            }
            // A scrollId comes after the last page too.
            Style::Scroll => {
                place.scroll = answer.get("scrollId").and_then(Value::as_str).map(str::to_owned);
                let whole = rows < size as usize || place.scroll.is_none();
                whole && !next_window(place, pushed)
            }
        };
        // A window's total is not that of all.
        let total = answer.get("totalHits").and_then(Value::as_i64).and_then(|total| u64::try_from(total).ok()).filter(|_| !object.feed);
        Ok((records, total, ended))
    }

    /// The types of custom attributes that a filter names: its values do not tell them.
    async fn types_of(&self, object: &Object, filter: Option<&Filter>) -> Result<Arc<Types>, Fault> {
        let names_custom = filter.is_some_and(|filter| filter.fields().any(|field| field.starts_with("customAttributes.")));
        match model_of(object).filter(|_| names_custom) {
            Some(model) => self.types(object, model).await,
            None => Ok(Arc::default()),
        }
    }

    /// Dates among custom attributes are milliseconds too: only their types tell.
    async fn type_custom(&self, object: &Object, records: &mut [Record]) -> Result<(), Fault> {
        let is_number = |value: &Value| matches!(value, Value::Int(_));
        let doubtful = |record: &Record| matches!(record.get(CUSTOM), Some(Value::Map(custom)) if custom.iter().any(|(_, value)| is_number(value)));
        let Some(model) = model_of(object).filter(|_| records.iter().any(doubtful)) else { return Ok(()) };
        let types = self.types(object, model).await?;
        for record in records {
            let Some(Value::Map(custom)) = record.get(CUSTOM) else { continue };
            let mut custom = custom.clone();
            let dates = types.iter().filter(|(_, kind)| matches!(kind, FieldType::DateTime { .. }));
            for name in dates.filter_map(|(name, _)| name.strip_prefix("customAttributes.")) {
                if let Some(value) = custom.get(name).cloned() {
                    custom.set(name, Cast::Instant.apply(value));
                }
            }
            record.set(CUSTOM, Value::Map(custom));
        }
        Ok(())
    }

    fn call_of(&self, object: &Object, pushed: &Pushed, place: &Place, size: u32) -> Call {
        let call = self.call(Method::GET, object.path).query("pageSize", size.to_string()).slow();
        if object.style == Style::Numbered {
            return call.query("pageNumber", place.number.to_string());
        }
        let bound = |word: &str, at: Option<Timestamp>| at.map(|at| format!("date{word}{}", at.as_millisecond()));
        let window: Vec<String> = bound(">=", place.from).into_iter().chain(bound("<", place.before)).collect();
        let call = pushed.parameters(&window).into_iter().fold(call, |call, filter| call.query("filter", filter));
        place.scroll.iter().fold(call, |call, scroll| call.query("scrollId", scroll))
    }

    /// Records whose `by` is one of the keys.
    pub(in crate::connectors) async fn lookup(&self, lookup: &Lookup) -> Result<Vec<Record>, Fault> {
        let object = object(&lookup.object)?;
        let mut keys: Vec<Value> = lookup.keys.iter().filter(|key| !key.is_blank()).cloned().collect();
        keys.dedup();
        let asked = object.style == Style::Scroll && !object.feed;
        let (plain, odd): (Vec<Value>, Vec<Value>) = keys.into_iter().partition(|key| !asked || operand(key).is_some());
        let mut found = Vec::new();
        if asked {
            let calls = plain.chunks(ALTERNATIVES).map(|some| {
                let values: Vec<String> = some.iter().filter_map(operand).collect();
                self.all(object, Pushed::any_of(&lookup.by, &values))
            });
            let mut answers = stream::iter(calls).buffered(PARALLEL);
            while let Some(records) = answers.try_next().await? {
                found.extend(records);
            }
            for key in odd.iter().filter(|_| lookup.by == object.id) {
                found.extend(self.one(object, &key.to_string()).await?);
            }
        } else if !plain.is_empty() {
            found = self.all(object, Pushed::default()).await?;
        }
        // Filters ignore capitals, and ids do not.
        let key = |value: &Value| if lookup.by == object.id { value.to_string() } else { value.to_string().to_lowercase() };
        let wanted: HashSet<String> = plain.iter().chain(&odd).map(key).collect();
        found.retain(|record| record.path(&lookup.by).is_some_and(|value| wanted.contains(&key(value))));
        found.retain(|record| lookup.filter.as_ref().is_none_or(|filter| filter.matches(record, &self.zone)));
        let mut fields = vec![object.id.to_owned(), lookup.by.clone()];
        fields.extend(lookup.fields.iter().cloned());
        Ok(found.into_iter().map(|record| only(record, &fields)).collect())
    }

    /// All of a list that is paged by number. No order of it is documented; it is short.
    async fn numbered(&self, object: &Object, size: u32) -> Result<Vec<Record>, Fault> {
        let (mut sweep, mut found) = (Sweep::default(), Vec::new());
        loop {
            let mut place = Place { number: sweep.page, ..Place::default() };
            let (records, _, last) = self.page(object, &Pushed::default(), &mut place, size).await?;
            let (mut new, done) = sweep.take(System::Px, object.id, records, last)?;
            found.append(&mut new);
            if done {
                return Ok(found);
            }
        }
    }

    async fn all(&self, object: &Object, pushed: Pushed) -> Result<Vec<Record>, Fault> {
        if object.style == Style::Numbered {
            return self.numbered(object, object.most).await;
        }
        let (mut place, mut found) = (first(object, &pushed), Vec::new());
        loop {
            let (records, _, ended) = self.page(object, &pushed, &mut place, object.most).await?;
            found.extend(records);
            if ended {
                return Ok(found);
            }
        }
    }

    async fn one(&self, object: &Object, id: &str) -> Result<Option<Record>, Fault> {
        match self.get::<Record>(&format!("{}/{}", object.path, escape(id))).await {
            Ok(mut record) => {
                object.typed(&mut record);
                Ok(Some(record))
            }
            Err(fault) if fault.kind == FaultKind::NotFound => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}

/// The first window of a feed: whole when both ends are known and near enough.
fn first(object: &Object, pushed: &Pushed) -> Place {
    let (from, before) = if object.feed { (pushed.from, pushed.before) } else { (None, None) };
    let capped = from.zip(before).map(|(from, before)| before.min(from + jiff::SignedDuration::from_hours(24 * WINDOW_DAYS)));
    Place { from, before: capped.or(before), ..Place::default() }
}

/// Goes on to the next window; false when there is none.
fn next_window(place: &mut Place, pushed: &Pushed) -> bool {
    let (Some(_), Some(before)) = (place.from, place.before) else { return false };
    if pushed.before.is_some_and(|end| before >= end) {
        return false;
    }
    let end = pushed.before.map(|end| end.min(before + jiff::SignedDuration::from_hours(24 * WINDOW_DAYS)));
    (place.scroll, place.from, place.before) = (None, Some(before), end);
    true
}

fn passes(query: &Query, record: &Record, zone: &TimeZone) -> bool {
    let recent = query.since.as_ref().is_none_or(|(field, at)| !matches!(record.path(field), Some(Value::Instant(changed)) if changed < at));
    recent && query.filter.as_ref().is_none_or(|filter| filter.matches(record, zone))
}

/// The fields asked for, nested as their dotted names say; all of them when none are.
fn only(record: Record, fields: &[String]) -> Record {
    if fields.is_empty() {
        return record;
    }
    let mut kept = Record::with_capacity(fields.len());
    for field in fields {
        put(&mut kept, field, record.path(field).cloned().unwrap_or_default());
    }
    kept
}

pub(super) fn put(record: &mut Record, path: &str, value: Value) {
    let Some((head, rest)) = path.split_once('.') else { return record.set(path, value) };
    let mut inner = match record.remove(head) {
        Some(Value::Map(inner)) => inner,
        _ => Record::new(),
    };
    put(&mut inner, rest, value);
    record.set(head, Value::Map(inner));
}
