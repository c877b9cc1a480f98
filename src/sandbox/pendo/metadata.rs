//! Metadata: schema and values.
//!
//! A field must be in the schema before it is written. Groups `auto` and `pendo` belong to the vendor; all others can be written,
//! `salesforce` included, where the vendor's documents do not say. Values must fit the field's type: one that does not counts as failed.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::{
    people,
    state::{Pendo, fields, not_stored, refused},
};
use crate::sandbox::documents::Change;

type Shared = State<Arc<Pendo>>;

/// Fields that are always there: kind (both when empty), group, name, type, shown name, whether it is kept per app.
const SCHEMA: [(&str, &str, &str, &str, &str, bool); 30] = [
    ("", "auto", "id", "string", "ID", false),
    ("", "auto", "idhash", "integer", "ID Hash", false),
    ("", "auto", "firstvisit", "time", "First Visit", true),
    ("", "auto", "lastvisit", "time", "Last Visit", true),
    ("", "auto", "lastupdated", "time", "Last Updated", true),
    ("visitor", "auto", "accountid", "string", "Account ID", false),
    ("visitor", "auto", "accountids", "list", "Account IDs", false),
    ("visitor", "auto", "lastbrowsername", "string", "Last Browser Name", false),
    ("visitor", "auto", "lastbrowserversion", "string", "Last Browser Version", false),
    ("visitor", "auto", "lastoperatingsystem", "string", "Last Operating System", false),
    ("visitor", "auto", "lastservername", "string", "Last Server Name", false),
    ("", "auto__323232", "firstvisit", "time", "First Visit", true),
    ("", "auto__323232", "lastvisit", "time", "Last Visit", true),
    ("", "auto__323232", "lastupdated", "time", "Last Updated", true),
    ("", "auto_5629499534213120", "firstvisit", "time", "First Visit", true),
    ("", "auto_5629499534213120", "lastvisit", "time", "Last Visit", true),
    ("", "auto_5629499534213120", "lastupdated", "time", "Last Updated", true),
    ("visitor", "agent", "email", "string", "Email", false),
    ("visitor", "agent", "full_name", "string", "Full Name", false),
    ("visitor", "agent", "role", "string", "Role", false),
    ("account", "agent", "name", "string", "Name", false),
    ("account", "agent", "industry", "string", "Industry", false),
    ("account", "agent", "creationdate", "time", "Creation Date", false),
    ("account", "agent", "planlevel", "string", "Plan Level", false),
    ("account", "custom", "arr", "float", "ARR", false),
    ("account", "custom", "seats", "integer", "Seats", false),
    ("visitor", "pendo", "blacklistguides", "boolean", "Blacklist Guides", false),
    ("visitor", "pendo", "designerenabled", "boolean", "Designer Enabled", false),
    ("visitor", "pendo", "donotprocess", "boolean", "Do Not Process", false),
    ("account", "pendo", "blacklistguides", "boolean", "Blacklist Guides", false),
];

/// A field of the schema.
struct Field {
    kind_of_value: String,
    shown: Value,
}

/// A field as the vendor shows it, with its mixed capitals.
fn described(kind_of_value: &str, shown: &str, per_app: bool, deleted: bool) -> Field {
    Field {
        kind_of_value: kind_of_value.to_owned(),
        shown: json!({
            "Type": kind_of_value, "DisplayName": shown, "ElementType": "", "ElementFormat": "", "Dirty": false, "isHidden": false,
            "isDeleted": deleted, "isCalculated": false, "isPerApp": per_app, "neverIndex": false,
        }),
    }
}

/// The field, unless it was never made or is deleted.
fn field(pendo: &Pendo, kind: &str, group: &str, name: &str) -> Option<Field> {
    if let Some(written) = pendo.schema.get(&format!("{kind}/{group}/{name}")) {
        let text = |field: &str| written.get(field).as_str().unwrap_or_default().to_owned();
        let deleted = *written.get("isDeleted") == Value::Bool(true);
        return (!deleted).then(|| described(&text("type"), &text("displayname"), false, false));
    }
    let seeded = SCHEMA.iter().find(|(of, in_group, known, ..)| (of.is_empty() || *of == kind) && *in_group == group && *known == name);
    seeded.map(|(_, _, _, of_value, shown, per_app)| described(of_value, shown, *per_app, false))
}

/// `GET /metadata/schema/{kind}`.
pub(super) async fn schema(State(pendo): Shared, Path(kind): Path<String>) -> Response {
    if pendo.kind(&kind).is_none() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let mut groups: Map<String, Value> = Map::new();
    let mut put = |group: &str, name: &str, shown: Value| {
        if let Value::Object(fields) = groups.entry(group).or_insert_with(|| json!({})) {
            fields.insert(name.to_owned(), shown);
        }
    };
    for (of, group, name, of_value, shown, per_app) in SCHEMA {
        if of.is_empty() || of == kind {
            put(group, name, described(of_value, shown, per_app, false).shown);
        }
    }
    for written in pendo.schema.scan() {
        let id = written.id().into_owned();
        let mut parts = id.splitn(3, '/');
        if let (Some(of), Some(group), Some(name)) = (parts.next(), parts.next(), parts.next())
            && of == kind
        {
            let text = |field: &str| written.get(field).as_str().unwrap_or_default().to_owned();
            put(group, name, described(&text("type"), &text("displayname"), false, *written.get("isDeleted") == Value::Bool(true)).shown);
        }
    }
    Json(groups).into_response()
}

/// `POST /metadata/schema/{kind}/{group}` with `[{name, displayname, type}]`: makes fields, or brings deleted ones back.
pub(super) async fn create(State(pendo): Shared, Path((kind, group)): Path<(String, String)>, body: Bytes) -> Response {
    if pendo.kind(&kind).is_none() || !writable(&group) {
        return refused(StatusCode::BAD_REQUEST, format!("cannot create fields in {kind}/{group}"));
    }
    let Ok(Value::Array(wanted)) = serde_json::from_slice(&body) else {
        return refused(StatusCode::BAD_REQUEST, "a list of fields is needed");
    };
    let mut made = Vec::new();
    for one in &wanted {
        let (Some(name), Some(of_value)) = (one["name"].as_str().filter(|name| is_name(name)), one["type"].as_str()) else {
            return refused(StatusCode::BAD_REQUEST, "each field needs a name and a type");
        };
        let Some(of_value) = stored_type(of_value) else {
            return refused(StatusCode::BAD_REQUEST, format!("invalid type {of_value}"));
        };
        let name = name.to_lowercase();
        if field(&pendo, &kind, &group, &name).is_some_and(|known| known.kind_of_value != of_value) {
            return refused(StatusCode::BAD_REQUEST, format!("field {name} exists with another type"));
        }
        let shown = one["displayname"].as_str().unwrap_or(&name);
        made.push((format!("{kind}/{group}/{name}"), fields(json!({"type": of_value, "displayname": shown, "isDeleted": false}))));
    }
    let changes = made.into_iter().map(|(id, fields)| match pendo.schema.get(&id) {
        Some(_) => Change::Update(id, fields),
        None => Change::Insert(id, fields),
    });
    match pendo.documents.write(&pendo.schema, changes.collect()) {
        Ok(_) => schema(State(Arc::clone(&pendo)), Path(kind)).await,
        Err(error) => not_stored(&error),
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// The type as the schema tells it of the one a field is made with.
fn stored_type(asked: &str) -> Option<&'static str> {
    Some(match asked {
        "string" => "string",
        "number" | "float" => "float",
        "integer" => "integer",
        "time" => "time",
        "boolean" => "boolean",
        _ => return None,
    })
}

/// Groups that are not the vendor's own.
fn writable(group: &str) -> bool {
    is_name(group) && group != "pendo" && group != "auto" && !group.starts_with("auto__")
}

/// `DELETE /metadata/schema/{kind}/{group}/{field}`.
pub(super) async fn remove(State(pendo): Shared, Path((kind, group, name)): Path<(String, String, String)>) -> Response {
    let Some(known) = field(&pendo, &kind, &group, &name).filter(|_| writable(&group)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let id = format!("{kind}/{group}/{name}");
    let deleted = fields(json!({"type": known.kind_of_value, "displayname": known.shown["DisplayName"], "isDeleted": true}));
    let change = if pendo.schema.get(&id).is_some() { Change::Update(id, deleted) } else { Change::Insert(id, deleted) };
    match pendo.documents.write(&pendo.schema, vec![change]) {
        Ok(_) => StatusCode::OK.into_response(),
        Err(error) => not_stored(&error),
    }
}

type Place = Path<(String, String, String, String)>;

/// `GET /metadata/{kind}/{group}/value/{id}/{field}`: the bare value.
pub(super) async fn value(State(pendo): Shared, Path((kind, group, id, name)): Place) -> Response {
    let row = pendo.kind(&kind).and_then(|table| table.get(&id));
    match (row, field(&pendo, &kind, &group, &name)) {
        (Some(row), Some(_)) => Json(people::value(&row, &format!("metadata.{group}.{name}"))).into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `PUT /metadata/{kind}/{group}/value/{id}/{field}` with the bare value.
pub(super) async fn set(State(pendo): Shared, Path((kind, group, id, name)): Place, body: Bytes) -> Response {
    let Some(table) = pendo.kind(&kind) else { return StatusCode::NOT_FOUND.into_response() };
    let Ok(value) = serde_json::from_slice::<Value>(&body) else {
        return refused(StatusCode::BAD_REQUEST, "the body must be a JSON value");
    };
    let switch = group == "pendo" && matches!(name.as_str(), "donotprocess" | "blacklistguides") && value.is_boolean();
    let Some(known) = field(&pendo, &kind, &group, &name) else {
        return refused(StatusCode::BAD_REQUEST, format!("unknown field {group}/{name}"));
    };
    if !(switch || writable(&group) && fits(&known.kind_of_value, &value)) {
        return refused(StatusCode::BAD_REQUEST, format!("invalid value for {group}/{name}"));
    }
    let written = [(format!("metadata.{group}.{name}"), value)];
    match pendo.documents.update(table, &id, stamped(&pendo, written)) {
        Ok(true) => StatusCode::OK.into_response(),
        Ok(false) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => not_stored(&error),
    }
}

/// The written fields and the time of the last change.
fn stamped(pendo: &Pendo, written: impl IntoIterator<Item = (String, Value)>) -> Map<String, Value> {
    let times = ["metadata.auto.lastupdated", "metadata.auto__323232.lastupdated"].map(|field| (field.to_owned(), pendo.now().into()));
    written.into_iter().chain(times).collect()
}

/// Whether a value fits a field's type. Nothing fits every type.
fn fits(kind_of_value: &str, value: &Value) -> bool {
    let is_time = |text: &str| text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok() || text.parse::<jiff::Timestamp>().is_ok();
    match (kind_of_value, value) {
        (_, Value::Null) | ("", _) | ("string", Value::String(_)) | ("boolean", Value::Bool(_)) | ("float", Value::Number(_)) => true,
        ("list", value) => value.is_array(),
        ("integer", value) => value.is_i64(),
        ("time", Value::Number(number)) => number.is_i64(),
        ("time", Value::String(text)) => is_time(text),
        _ => false,
    }
}

/// `POST /metadata/{kind}/{group}/value` with `[{"accountId" or "visitorId", "values"}]`; `?create=true` makes unknown records.
pub(super) async fn set_many(
    State(pendo): Shared,
    Path((kind, group)): Path<(String, String)>,
    Query(query): Query<Map<String, Value>>,
    body: Bytes,
) -> Response {
    let Some(table) = pendo.kind(&kind).filter(|_| writable(&group)) else {
        return refused(StatusCode::BAD_REQUEST, format!("cannot write {kind}/{group}"));
    };
    let Ok(Value::Array(records)) = serde_json::from_slice(&body) else {
        return refused(StatusCode::BAD_REQUEST, "a list of records is needed");
    };
    let (id_key, create) = (format!("{kind}Id"), query.get("create").and_then(Value::as_str) == Some("true"));
    let (mut missing, mut errors, mut changes) = (Vec::new(), Vec::new(), Vec::new());
    for record in &records {
        let Some(id) = record[&id_key].as_str().filter(|id| !id.is_empty()) else {
            errors.push(format!("{id_key} is missing"));
            continue;
        };
        match checked(&pendo, &kind, &group, &record["values"]) {
            Err(why) => errors.push(format!("{id}: {why}")),
            Ok(written) if table.get(id).is_some() || changes.iter().any(|change: &Change| create && change.id() == id) => {
                changes.push(Change::Update(id.to_owned(), stamped(&pendo, written)));
            }
            Ok(written) if create => changes.push(Change::Insert(id.to_owned(), stamped(&pendo, written.into_iter().chain(identity(&kind, id))))),
            Ok(_) => missing.push(id.to_owned()),
        }
    }
    let updated = changes.len();
    if let Err(error) = pendo.documents.write(table, changes) {
        return not_stored(&error);
    }
    let failed = errors.len() + missing.len();
    let mut told = json!({"total": records.len(), "updated": updated, "failed": failed, "missing": missing, "kind": kind});
    if !errors.is_empty() {
        told["errors"] = errors.into();
    }
    Json(told).into_response()
}

/// What a record that was just made knows about itself.
pub(super) fn identity(kind: &str, id: &str) -> Vec<(String, Value)> {
    let mut fields = vec![(format!("{kind}Id"), Value::from(id)), ("metadata.auto.id".to_owned(), id.into())];
    if kind == "visitor" {
        fields.push(("accountIds".to_owned(), json!([])));
    }
    fields
}

/// The values as fields of a row, if each is known and fits.
fn checked(pendo: &Pendo, kind: &str, group: &str, values: &Value) -> Result<Vec<(String, Value)>, String> {
    let values = values.as_object().ok_or("values is missing")?;
    let one = |(name, value): (&String, &Value)| {
        let known = field(pendo, kind, group, name).ok_or_else(|| format!("unknown field {name}"))?;
        if !fits(&known.kind_of_value, value) {
            return Err(format!("{name} is not of type {}", known.kind_of_value));
        }
        Ok((format!("metadata.{group}.{name}"), value.clone()))
    };
    values.iter().map(one).collect()
}
