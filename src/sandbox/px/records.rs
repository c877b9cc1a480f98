//! Users and accounts: reading, and changing them.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, Answered, Refused, bad, invalid, not_found, refused},
    filter::{self, Filter},
    pages::{self, Held, Place},
    query::{Query, body, needed},
    seed::{ACCOUNT_FIELDS, USER_FIELDS, blank},
    state::{Px, guid, within},
};
use crate::sandbox::{
    clock::DAY_MS,
    documents::{Change, Row, Table},
};

/// One of the two models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    User,
    Account,
}

/// Not shown with a user.
const HIDDEN: [&str; 3] = ["denied", "preferences", "historyFrom"];
/// A deleted user comes back with everything within so long.
const REVIVAL: i64 = 7 * DAY_MS;

const USER_FIXED: &[&str] = &["aptrinsicId", "id", "lastSeenDate", "numberOfVisits", "createDate", "lastModifiedDate", "globalId"];
const ACCOUNT_FIXED: &[&str] = &["numberOfUsers", "createDate", "lastModifiedDate", "lastSeenDate"];
const DATES: &[&str] = &["signUpDate", "firstVisitDate", "renewalDate"];

impl Kind {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Account => "account",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Account => "Account",
        }
    }

    const fn id_field(self) -> &'static str {
        match self {
            Self::User => "identifyId",
            Self::Account => "id",
        }
    }

    pub(super) const fn fields(self) -> &'static [&'static str] {
        match self {
            Self::User => USER_FIELDS,
            Self::Account => ACCOUNT_FIELDS,
        }
    }

    const fn fixed(self) -> &'static [&'static str] {
        match self {
            Self::User => USER_FIXED,
            Self::Account => ACCOUNT_FIXED,
        }
    }

    pub(super) fn table(self, px: &Px) -> &Arc<Table> {
        match self {
            Self::User => &px.users,
            Self::Account => &px.accounts,
        }
    }

    /// The name that an answer has for a field of a filter.
    fn own(field: &str) -> String {
        field.replace("cityName", "city")
    }

    fn knows(self, field: &str) -> bool {
        let field = Self::own(field);
        let groups = ["customAttributes.", "lastVisitedUserAgentData.", "lastInferredLocation.", "location."];
        self.fields().contains(&field.as_str()) || groups.iter().any(|group| field.starts_with(group))
    }
}

/// A field of a user or account by its dotted path.
fn value(kind: Kind, row: &Row, field: &str) -> Value {
    let field = Kind::own(field);
    if kind.fields().contains(&field.as_str()) {
        return row.get(&field).into_owned();
    }
    match field.split_once('.') {
        Some((head @ ("customAttributes" | "lastVisitedUserAgentData"), rest)) => within(&row.get(head), rest),
        _ => Value::Null,
    }
}

/// A user or account as answers have it.
pub(super) fn shown(row: &Row) -> Value {
    let mut document = row.document();
    document.retain(|field, _| !HIDDEN.contains(&field.as_str()));
    document.into()
}

/// `GET /v1/users`, `GET /v1/accounts`.
pub(super) fn list(px: &Px, kind: Kind, query: &Query) -> Answered {
    let key = if kind == Kind::User { "users" } else { "accounts" };
    let (size, place) = (pages::size(query)?, Place::of(query)?);
    let filter = Filter::of(query, |field| kind.knows(field))?;
    let sort = filter::sort(query, |field| kind.knows(field))?;
    let table = kind.table(px);
    let passes = |row: &Row| filter.matches(|field| value(kind, row, field));
    if let Some(found) = narrowed(kind, table, &filter) {
        // By their ids they were found.
        let rows: Vec<Row> = if filter.is_only(kind.id_field()) { found } else { found.into_iter().filter(passes).collect() };
        return Ok(from_list(key, &rows, &sorted(kind, &rows, &sort), size, place));
    }
    if !sort.is_empty() {
        let rows: Vec<Row> =
            if place.is_some_and(|place| px.scrolls.get(place.serial).is_some()) { Vec::new() } else { table.scan().filter(passes).collect() };
        return Ok(from_order(px, kind, key, place, size, || sorted(kind, &rows, &sort)));
    }
    let total = place.map(|place| place.total);
    let total = total.unwrap_or_else(|| if filter.is_empty() { table.len() } else { table.scan().filter(|row| passes(row)).count() as u64 });
    let rows: Vec<Row> = table.scan_from(place.map_or(0, |place| place.offset)).filter(passes).take(size).collect();
    let offset = rows.last().map_or_else(|| place.map_or(0, |place| place.offset), |row| row.position() + 1);
    Ok(pages::scrolled(key, rows.iter().map(shown).collect(), Place { serial: 0, offset, total }))
}

/// The rows of a filter that names ids, without looking at all of them.
fn narrowed(kind: Kind, table: &Arc<Table>, filter: &Filter) -> Option<Vec<Row>> {
    let ids = filter.only(kind.id_field())?;
    let (mut found, mut positions): (Vec<Row>, HashSet<u64>) = Default::default();
    for id in ids {
        found.extend(table.in_any_capitals(id).into_iter().filter(|row| positions.insert(row.position())));
    }
    Some(found)
}

/// A page of rows that are few.
fn from_list(key: &str, rows: &[Row], order: &[u64], size: usize, place: Option<Place>) -> Answer {
    let from = place.map_or(0, |place| usize::try_from(place.offset).unwrap_or(usize::MAX)).min(order.len());
    let chosen = &order[from..(from + size).min(order.len())];
    let by_position: HashMap<u64, &Row> = rows.iter().map(|row| (row.position(), row)).collect();
    let page = chosen.iter().filter_map(|at| by_position.get(at).copied()).map(shown).collect();
    pages::scrolled(key, page, Place { serial: 0, offset: (from + chosen.len()) as u64, total: order.len() as u64 })
}

/// A page of rows in an order that is remembered.
fn from_order(px: &Px, kind: Kind, key: &str, place: Option<Place>, size: usize, order: impl Fn() -> Vec<u64>) -> Answer {
    let held = place.and_then(|place| px.scrolls.get(place.serial).map(|held| (place.serial, held)));
    let (serial, order) = match held {
        Some((serial, Held::Rows(order))) => (serial, order),
        _ => {
            let order = Arc::new(order());
            (px.scrolls.keep(Held::Rows(Arc::clone(&order))), order)
        }
    };
    let from = place.map_or(0, |place| usize::try_from(place.offset).unwrap_or(usize::MAX)).min(order.len());
    let chosen = &order[from..(from + size).min(order.len())];
    let row = |at: &u64| kind.table(px).scan_from(*at).next().filter(|row| row.position() == *at);
    let rows: Vec<Value> = chosen.iter().filter_map(row).map(|row| shown(&row)).collect();
    pages::scrolled(key, rows, Place { serial, offset: (from + chosen.len()) as u64, total: order.len() as u64 })
}

/// The positions of rows in their order.
fn sorted(kind: Kind, rows: &[Row], sort: &[(String, bool)]) -> Vec<u64> {
    let keys = |row: &Row| sort.iter().map(|(field, _)| value(kind, row, field)).collect::<Vec<_>>();
    let mut keyed: Vec<(Vec<Value>, u64)> = rows.iter().map(|row| (keys(row), row.position())).collect();
    keyed.sort_by(|(a, _), (b, _)| filter::ordered(sort, a, b));
    keyed.into_iter().map(|(_, position)| position).collect()
}

/// `GET /v1/users/{id}`, `GET /v1/accounts/{id}`; ids count their capitals.
pub(super) fn get(px: &Px, kind: Kind, id: &str) -> Answered {
    let row = kind.table(px).get(id).ok_or_else(|| not_found(kind.label(), id))?;
    Ok(Answer::Body(shown(&row)))
}

/// `POST /v1/users`, `POST /v1/accounts`.
pub(super) fn create(px: &Px, kind: Kind, bytes: &[u8]) -> Answered {
    let sent = body(bytes)?;
    let id = needed(kind.word(), &sent, kind.id_field())?.to_owned();
    if kind == Kind::Account {
        needed(kind.word(), &sent, "name")?;
    }
    if sent.get("propertyKeys").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        return Err(invalid(kind.word(), "propertyKeys", "must not be empty"));
    }
    if kind.table(px).get(&id).is_some() {
        return Err(bad(format!("{} {id} could not be created, possible duplicate", kind.label())));
    }
    locked(px)?;
    let now = px.now();
    let mut fields: Map<String, Value> = kind.fields().iter().map(|field| ((*field).to_owned(), blank(field))).collect();
    fields.extend(checked(px, kind, &sent, None)?);
    let dates = if kind == Kind::User { ["signUpDate", "createDate", "lastModifiedDate"] } else { ["createDate"; 3] };
    fields.extend(dates.map(|field| (field.to_owned(), now.into())));
    if let Some(at) = sent.get("signUpDate").filter(|at| at.is_i64()) {
        fields.insert("signUpDate".to_owned(), at.clone());
    }
    if kind == Kind::User {
        fields.insert("aptrinsicId".to_owned(), guid("user", &id).into());
        if !revived(px, &id, now) {
            fields.insert("historyFrom".to_owned(), now.into());
        }
    }
    fields.extend([(kind.id_field(), Value::from(id.as_str())), ("id", id.as_str().into())].map(|(field, id)| (field.to_owned(), id)));
    px.documents.insert(kind.table(px), &id, fields)?;
    Ok(Answer::Created(None))
}

/// Whether a user of this id was deleted so lately that its history comes back.
fn revived(px: &Px, id: &str, now: i64) -> bool {
    let gone = px.gone.get(id);
    gone.is_some_and(|gone| *gone.get("hard") != Value::Bool(true) && gone.get("at").as_i64().is_some_and(|at| now - at <= REVIVAL))
}

/// The transient failure of single rows that a fault asks for.
fn locked(px: &Px) -> Result<(), Refused> {
    if px.world.faults.row_is_locked("px") {
        return Err(refused(StatusCode::INTERNAL_SERVER_ERROR, "Could not acquire lock on entity"));
    }
    Ok(())
}

/// `PUT /v1/users/{id}` and the like: fields that are not named keep their values, custom attributes too.
pub(super) fn update(px: &Px, kind: Kind, id: Option<&str>, bytes: &[u8]) -> Answered {
    let sent = body(bytes)?;
    let id = match id {
        Some(id) => id.to_owned(),
        None => needed(kind.word(), &sent, kind.id_field())?.to_owned(),
    };
    let row = kind.table(px).get(&id).ok_or_else(|| not_found(kind.label(), &id))?;
    locked(px)?;
    let mut fields = checked(px, kind, &sent, Some(&row))?;
    fields.insert("lastModifiedDate".to_owned(), px.now().into());
    px.documents.update(kind.table(px), &id, fields)?;
    Ok(Answer::Nothing)
}

/// What a body writes, under the table's names.
fn checked(px: &Px, kind: Kind, sent: &Map<String, Value>, before: Option<&Row>) -> Result<Map<String, Value>, Refused> {
    let mut fields = Map::new();
    for (name, value) in sent {
        if *name == kind.id_field() || kind.fixed().contains(&name.as_str()) || name == "lastInferredLocation" {
            continue;
        }
        match (name.as_str(), value) {
            ("customAttributes", Value::Null) => {}
            ("customAttributes", Value::Object(attributes)) => {
                let known = before.map(|row| row.get("customAttributes").into_owned());
                let mut all = known.and_then(|known| known.as_object().cloned()).unwrap_or_default();
                all.extend(custom(px, kind, attributes)?);
                fields.insert(name.clone(), all.into());
            }
            ("location", Value::Object(_)) => flatten(&mut fields, kind, name, value),
            (date, value) if DATES.contains(&date) && !value.is_i64() => return Err(invalid(kind.word(), date, "must be a date")),
            // As a real client's rows show, what is null changes nothing.
            (field, Value::Null) if kind.fields().contains(&field) => {}
            (field, value) if kind.fields().contains(&field) => {
                let usual = blank(field);
                if !usual.is_null() && std::mem::discriminant(&usual) != std::mem::discriminant(value) {
                    return Err(invalid(kind.word(), field, "has the wrong type"));
                }
                fields.insert(name.clone(), value.clone());
            }
            _ => return Err(invalid(kind.word(), name.as_str(), "is unknown")),
        }
    }
    Ok(fields)
}

fn flatten(fields: &mut Map<String, Value>, kind: Kind, path: &str, value: &Value) {
    match value {
        Value::Object(inner) => inner.iter().for_each(|(name, value)| flatten(fields, kind, &format!("{path}.{name}"), value)),
        value if kind.fields().contains(&path) && !value.is_null() => drop(fields.insert(path.to_owned(), value.clone())),
        _ => {}
    }
}

/// Custom attributes of the types that the model has for them; dates in milliseconds.
fn custom(px: &Px, kind: Kind, sent: &Map<String, Value>) -> Result<Map<String, Value>, Refused> {
    let mut kept = Map::new();
    for (name, value) in sent {
        let about = |message: &str| invalid(kind.word(), format!("customAttributes.{name}"), message);
        let Some(attribute) = px.attributes.get(&format!("{}/{name}", kind.word())) else { return Err(about("is no attribute of the model")) };
        let date = value.as_i64().or_else(|| value.as_str().and_then(super::query::instant));
        let value = match (attribute.get("type").as_str().unwrap_or_default(), value) {
            ("STRING", Value::String(_)) | ("NUMBER", Value::Number(_)) | ("BOOLEAN", Value::Bool(_)) => value.clone(),
            ("STRING" | "NUMBER" | "BOOLEAN", Value::Null) => Value::Null,
            ("DATE_TIME", _) if date.is_some() => json!(date),
            (wanted, _) => return Err(about(&format!("must be a {wanted}"))),
        };
        kept.insert(name.clone(), value);
    }
    Ok(kept)
}

/// `DELETE /v1/users/{id}`, `DELETE /v1/users/delete`.
pub(super) fn delete_user(px: &Px, id: &str, query: &Query) -> Answered {
    if px.users.get(id).is_none() {
        return Err(not_found("User", id));
    }
    px.documents.write_all(gone(px, id, query.is_true("hardDelete")))?;
    Ok(Answer::Nothing)
}

fn gone<'p>(px: &'p Px, id: &str, hard: bool) -> [(&'p Table, Change); 2] {
    let noted = Map::from_iter([("at".to_owned(), px.now().into()), ("hard".to_owned(), hard.into())]);
    let noted = if px.gone.get(id).is_some() { Change::Update(id.to_owned(), noted) } else { Change::Insert(id.to_owned(), noted) };
    [(px.users.as_ref(), Change::Delete(id.to_owned())), (px.gone.as_ref(), noted)]
}

pub(super) fn delete_user_in_body(px: &Px, bytes: &[u8], query: &Query) -> Answered {
    delete_user(px, needed("user", &body(bytes)?, "identifyId")?, query)
}

/// `DELETE /v1/accounts/{id}`: its users go too.
pub(super) fn delete_account(px: &Px, id: &str) -> Answered {
    if px.accounts.get(id).is_none() {
        return Err(not_found("Account", id));
    }
    let users: Vec<String> = px.users.find("accountId", &id.into()).iter().map(|row| row.id().into_owned()).collect();
    let users = users.iter().flat_map(|user| gone(px, user, false));
    px.documents.write_all(users.chain([(px.accounts.as_ref(), Change::Delete(id.to_owned()))]))?;
    Ok(Answer::Nothing)
}

/// `GET|PUT /v1/users/denylist/{id}`.
pub(super) fn denylist(px: &Px, id: &str, bytes: Option<&[u8]>) -> Answered {
    let row = px.users.get(id).ok_or_else(|| not_found("User", id))?;
    let Some(bytes) = bytes else {
        return Ok(Answer::Body(json!({"identifyId": id, "denied": *row.get("denied") == Value::Bool(true)})));
    };
    let denied = body(bytes)?.get("denied").and_then(Value::as_bool).ok_or_else(|| invalid("user", "denied", "must be true or false"))?;
    px.documents.update(&px.users, id, Map::from_iter([("denied".to_owned(), denied.into())]))?;
    Ok(Answer::Nothing)
}

const PREFERENCES: [&str; 5] = ["guidedTours", "onboardingBot", "productUpdates", "surveys", "trackUsage"];

/// The preferences of a user; `mail` adds `trackEmailAnalytics` (v2).
pub(super) fn preferences(px: &Px, id: Option<&str>, bytes: &[u8], writes: bool, mail: bool) -> Answered {
    let sent = if bytes.is_empty() && !writes { Map::new() } else { body(bytes)? };
    let id = match id {
        Some(id) => id,
        None => needed("user", &sent, "identifyId")?,
    };
    let row = px.users.get(id).ok_or_else(|| not_found("User", id))?;
    let names = PREFERENCES.into_iter().chain(mail.then_some("trackEmailAnalytics"));
    let kept = row.get("preferences").into_owned();
    let mut now: Map<String, Value> = names.map(|name| (name.to_owned(), kept[name].as_bool().unwrap_or(true).into())).collect();
    if !writes {
        now.insert("identifyId".to_owned(), id.into());
        return Ok(Answer::Body(now.into()));
    }
    for (name, value) in sent.iter().filter(|(_, value)| value.is_boolean()) {
        if now.contains_key(name) {
            now.insert(name.clone(), value.clone());
        }
    }
    let mut all = kept.as_object().cloned().unwrap_or_default();
    all.extend(now);
    px.documents.update(&px.users, id, Map::from_iter([("preferences".to_owned(), all.into())]))?;
    Ok(Answer::Nothing)
}
