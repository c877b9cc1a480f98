//! Records as JSON that keeps dates apart from text: `{"$date": ..}`, `{"$instant": ..}`.

use serde_json::{Value as Json, json};

use crate::model::{Date, Record, Timestamp, Value};

pub(super) fn to_json(record: &Record) -> Json {
    Json::Object(record.iter().map(|(name, value)| (name.to_string(), value_to_json(value))).collect())
}

pub(super) fn value_to_json(value: &Value) -> Json {
    match value {
        Value::Date(date) => json!({"$date": date.to_string()}),
        Value::Instant(at) => json!({"$instant": at.to_string()}),
        Value::List(items) => Json::Array(items.iter().map(value_to_json).collect()),
        Value::Map(inner) => to_json(inner),
        other => Json::from(other),
    }
}

/// A record again; nothing for JSON that is none.
pub(super) fn from_json(document: &Json) -> Option<Record> {
    document.as_object().map(|fields| fields.iter().map(|(name, value)| (name.as_str().into(), value_from_json(value))).collect())
}

pub(super) fn value_from_json(document: &Json) -> Value {
    match document {
        Json::Object(fields) if fields.len() == 1 => tagged(fields).unwrap_or_else(|| Value::Map(from_json(document).unwrap_or_default())),
        Json::Object(_) => Value::Map(from_json(document).unwrap_or_default()),
        Json::Array(items) => Value::List(items.iter().map(value_from_json).collect()),
        other => Value::from(other.clone()),
    }
}

/// A date or an instant.
fn tagged(fields: &serde_json::Map<String, Json>) -> Option<Value> {
    let date = fields.get("$date").and_then(Json::as_str).and_then(|text| text.parse::<Date>().ok()).map(Value::Date);
    date.or_else(|| fields.get("$instant")?.as_str()?.parse::<Timestamp>().ok().map(Value::Instant))
}
