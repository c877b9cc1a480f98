//! Pages of a query: the first by its text, the others by the locator that came with the page before.

use std::{
    fmt::{self, Write as _},
    sync::Arc,
};

use serde::{
    Deserialize, Serialize,
    de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::model::{Fault, FaultKind, FieldType, Filter, Operator, Page, Query, Record, System, Value, day::day_of, id_of};

use super::{
    Salesforce,
    describe::Described,
    errors::{WireError, fault_of},
    extract,
    soql::{self, Kinds},
};
use crate::connectors::{
    http::{Answer, Call, broken_json, escape, garbled},
    rows::{Cast, Columns, RowsSeed},
};

/// Addresses longer than this are refused by the service (16 kB with all headers), so such queries go into a body.
const LONGEST_IN_URL: usize = 6_000;

impl Salesforce {
    /// One page of an object's records, in the order of their ids.
    pub(in crate::connectors) async fn read_object(&self, query: &Query, after: Option<&str>, page: u32) -> Result<Page, Fault> {
        let object = self.described(&query.object).await?;
        let fields = asked_fields(query, &object);
        let columns = self.columns(&object, &fields).await?;
        match after.map(|after| (after, extract::place(after))) {
            Some((_, Some((job, locator)))) => {
                let typed = self.typed(&query.object, &fields).await?.unwrap_or_default();
                self.extracted(job, locator, &typed, page).await
            }
            Some((token, None)) => {
                let place = Place::of(token);
                match self.next_page(place.locator, &columns, page).await {
                    Err(fault) if is_lost(&fault) => self.behind(query, &object, &fields, &columns, (place, page)).await,
                    next => Ok(place.before(next?)),
                }
            }
            None => {
                let soql = self.statement(query, &object, &fields).await?;
                let first = self.first_page(&soql, &columns, page).await?;
                let first = self.in_bulk_if_many(first, &soql, self.typed(&query.object, &fields).await?, page).await?;
                Ok(Place::default().before(first))
            }
        }
    }

    /// The page behind the last record of the page before, where Salesforce has forgotten its locator: records come in the order of their ids.
    async fn behind(
        &self,
        query: &Query,
        object: &Arc<Described>,
        fields: &[String],
        columns: &Columns,
        (place, page): (Place<'_>, u32),
    ) -> Result<Page, Fault> {
        let Some(last) = place.last else { return Err(lost_place()) };
        let behind = Filter::all(vec![("Id".to_owned(), Operator::Greater, Value::text(last))]);
        let limit = query.limit.map(|limit| limit.saturating_sub(place.given));
        let rest = Query { filter: Filter::joined(query.filter.clone(), Some(behind)), limit, ..query.clone() };
        let found = self.first_page(&self.statement(&rest, object, fields).await?, columns, page).await?;
        // How many are left is not how many there are.
        Ok(place.before(Page { total: None, ..found }))
    }

    /// One page of a whole statement. Fields are typed where they are plain fields of its object.
    pub(in crate::connectors) async fn read_soql(&self, soql: &str, after: Option<&str>, page: u32) -> Result<Page, Fault> {
        let columns = self.soql_columns(soql).await?;
        match after.map(|after| (after, extract::place(after))) {
            Some((_, Some((job, locator)))) => {
                let typed = self.typed_statement(soql).await?.unwrap_or_default();
                self.extracted(job, locator, &typed, page).await
            }
            Some((locator, None)) => {
                let next = self.next_page(locator, &columns, page).await;
                next.map_err(|fault| if is_lost(&fault) { lost_place() } else { fault })
            }
            None => {
                let first = self.first_page(soql, &columns, page).await?;
                self.in_bulk_if_many(first, soql, self.typed_statement(soql).await?, page).await
            }
        }
    }

    async fn statement(&self, query: &Query, object: &Arc<Described>, fields: &[String]) -> Result<String, Fault> {
        let mut conditions = Vec::new();
        if let Some(filter) = &query.filter {
            conditions.push(soql::condition(filter, &self.kinds(object, filter.fields()).await?, &self.zone)?);
        }
        if let Some((field, at)) = &query.since {
            let changed = match self.kind_of(object, field).await? {
                FieldType::Date => format!("{field} >= {}", day_of(*at, &self.zone)),
                _ => format!("{field} >= {}", soql::instant(*at)),
            };
            // Nobody knows when a record without an instant changed.
            let always = object.schema.field(field).is_some_and(|field| !field.nillable);
            conditions.push(if always { changed } else { format!("({changed} OR {field} = null)") });
        }
        let mut text = format!("SELECT {} FROM {}", fields.join(","), query.object);
        if !conditions.is_empty() {
            text.push_str(" WHERE ");
            text.push_str(&conditions.join(" AND "));
        }
        text.push_str(" ORDER BY Id");
        if let Some(limit) = query.limit {
            let _ = write!(text, " LIMIT {limit}");
        }
        Ok(text)
    }

    pub(super) async fn kinds<'a>(&self, object: &Arc<Described>, fields: impl Iterator<Item = &'a str>) -> Result<Kinds, Fault> {
        let mut kinds = Kinds::new();
        for field in fields {
            kinds.insert(field.to_ascii_lowercase(), self.kind_of(object, field).await?);
        }
        Ok(kinds)
    }

    pub(super) async fn columns(&self, object: &Arc<Described>, fields: &[String]) -> Result<Columns, Fault> {
        let mut columns = Columns::default();
        for field in fields {
            columns.add(field, field, self.cast_of(object, field).await?);
        }
        Ok(columns)
    }

    async fn soql_columns(&self, text: &str) -> Result<Columns, Fault> {
        let mut columns = Columns { open: true, ..Columns::default() };
        let Some((items, from)) = soql::outline(text) else { return Ok(columns) };
        let grouped = text.to_ascii_lowercase().contains("group by");
        if grouped || !items.iter().any(|item| is_plain(item)) {
            return Ok(columns);
        }
        let object = self.described(from).await?;
        for item in items.iter().filter(|item| is_plain(item)) {
            // A mistaken field is for Salesforce to refuse, with its own words.
            let cast = self.cast_of(&object, item).await.unwrap_or(Cast::Guess);
            columns.add(item, item, cast);
        }
        Ok(columns)
    }

    pub(super) async fn first_page(&self, soql: &str, columns: &Columns, page: u32) -> Result<Page, Fault> {
        if soql.len() > LONGEST_IN_URL {
            return self.long_query(soql, columns).await;
        }
        let call = sized(Call::get(self.path("query")).query("q", soql), page);
        self.with_all_children(self.read(&call, |answer| page_of(answer, columns)).await?).await
    }

    async fn next_page(&self, locator: &str, columns: &Columns, page: u32) -> Result<Page, Fault> {
        self.with_all_children(self.page_at(locator, columns, page).await?).await
    }

    /// The page at a locator as it comes.
    pub(super) async fn page_at(&self, locator: &str, columns: &Columns, page: u32) -> Result<Page, Fault> {
        let call = sized(Call::get(locator), page);
        self.read(&call, |answer| page_of(answer, columns)).await
    }

    /// A query too long for an address, as a GET inside a composite call.
    async fn long_query(&self, soql: &str, columns: &Columns) -> Result<Page, Fault> {
        let url = format!("{}?q={}", self.path("query"), escape(soql));
        let body = Composite { composite_request: [Subrequest { method: "GET", url, reference_id: "q" }] };
        let call = Call::ask(self.path("composite")).json(System::Salesforce, &body)?;
        self.with_all_children(self.read(&call, |answer| composite_page(answer, columns)).await?).await
    }

    /// Every row of a query, however many pages it has.
    pub(super) async fn all_rows(&self, soql: &str, columns: &Columns) -> Result<Vec<Record>, Fault> {
        let mut page = self.first_page(soql, columns, 2_000).await?;
        let mut rows = std::mem::take(&mut page.records);
        while let Some(next) = page.next.take() {
            page = self.next_page(&next, columns, 2_000).await?;
            rows.append(&mut page.records);
        }
        Ok(rows)
    }
}

/// What stands between the parts of a place.
const BETWEEN: char = '\u{1f}';

/// Where the next page of an object's records begins: what travels as its token.
#[derive(Debug, Default, Clone, Copy)]
struct Place<'a> {
    locator: &'a str,
    /// The id of the last record before it.
    last: Option<&'a str>,
    /// Records given out before it.
    given: u64,
}

impl<'a> Place<'a> {
    fn of(token: &'a str) -> Self {
        let mut parts = token.split(BETWEEN);
        let (locator, last) = (parts.next().unwrap_or_default(), parts.next());
        Self { locator, last, given: parts.next().and_then(|given| given.parse().ok()).unwrap_or_default() }
    }

    /// The page that begins here, with a token for the one behind it.
    fn before(self, page: Page) -> Page {
        let Some(locator) = page.next.as_deref().filter(|next| extract::place(next).is_none()) else { return page };
        let last = page.records.last().and_then(|record| id_of(System::Salesforce, "", record));
        let given = self.given + page.records.len() as u64;
        let next = last.map_or_else(|| locator.to_owned(), |last| format!("{locator}{BETWEEN}{last}{BETWEEN}{given}"));
        Page { next: Some(next), ..page }
    }
}

/// Whether Salesforce knows a locator no more: it keeps them for two days.
fn is_lost(fault: &Fault) -> bool {
    fault.code.as_deref() == Some("INVALID_QUERY_LOCATOR")
}

fn lost_place() -> Fault {
    let message = "Salesforce has forgotten where the next page of the query begins, and its rows have no order by which it could go on: run it \
                   again, or read the object itself (salesforce::object)";
    Fault::from_system(System::Salesforce, FaultKind::Invalid, message).code("INVALID_QUERY_LOCATOR")
}

/// A field or a path of fields, without function or alias.
fn is_plain(item: &str) -> bool {
    !item.is_empty() && item.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
}

/// The fields asked for; without any, all that a query can select.
fn asked_fields(query: &Query, object: &Described) -> Vec<String> {
    if !query.fields.is_empty() {
        return without_repeats(query.fields.iter().cloned());
    }
    let compound = |kind: &FieldType| matches!(kind, FieldType::Other { name } if matches!(name.as_str(), "address" | "location" | "base64"));
    object.schema.fields.iter().filter(|field| !compound(&field.kind)).map(|field| field.name.clone()).collect()
}

/// A field named twice is an error in SOQL, also in another spelling.
pub(super) fn without_repeats(fields: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for field in fields {
        if !kept.iter().any(|known| known.eq_ignore_ascii_case(&field)) {
            kept.push(field);
        }
    }
    kept
}

fn sized(call: Call, page: u32) -> Call {
    call.header("sforce-query-options", &format!("batchSize={}", page.clamp(200, 2_000)))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Composite {
    composite_request: [Subrequest; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Subrequest {
    method: &'static str,
    url: String,
    reference_id: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CompositeAnswer<'a> {
    #[serde(borrow)]
    composite_response: Vec<Subanswer<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subanswer<'a> {
    #[serde(borrow)]
    body: &'a RawValue,
    http_status_code: u16,
}

fn composite_page(answer: &Answer, columns: &Columns) -> Result<Page, Fault> {
    let broken = |error: serde_json::Error| broken_json(System::Salesforce, &error);
    let all: CompositeAnswer<'_> = serde_json::from_slice(&answer.body).map_err(broken)?;
    let Some(sub) = all.composite_response.first() else {
        return Err(garbled(System::Salesforce, "the composite answer is empty"));
    };
    if sub.http_status_code == 200 {
        return decode(sub.body.get().as_bytes(), columns);
    }
    let errors: Vec<WireError> = serde_json::from_str(sub.body.get()).map_err(broken)?;
    Err(errors.first().map_or_else(|| garbled(System::Salesforce, "a refused query without a reason"), |e| fault_of(e, FaultKind::Invalid)))
}

fn page_of(answer: &Answer, columns: &Columns) -> Result<Page, Fault> {
    decode(&answer.body, columns)
}

fn decode(body: &[u8], columns: &Columns) -> Result<Page, Fault> {
    let mut json = serde_json::Deserializer::from_slice(body);
    PageSeed(columns).deserialize(&mut json).map_err(|error| broken_json(System::Salesforce, &error))
}

/// `{"totalSize", "done", "nextRecordsUrl", "records"}`.
struct PageSeed<'a>(&'a Columns);

impl<'de> DeserializeSeed<'de> for PageSeed<'_> {
    type Value = Page;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Page, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PageSeed<'_> {
    type Value = Page;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a query result")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Page, A::Error> {
        let mut page = Page::default();
        let mut seen = false;
        while let Some(key) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            match key.as_ref() {
                "totalSize" => page.total = map.next_value()?,
                "nextRecordsUrl" => page.next = map.next_value()?,
                "records" => {
                    page.records = map.next_value_seed(RowsSeed(self.0))?;
                    seen = true;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if seen { Ok(page) } else { Err(serde::de::Error::missing_field("records")) }
    }
}
