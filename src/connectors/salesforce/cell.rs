//! A row's cells as Salesforce takes them, in JSON and in CSV (REST API, "Field Types"; Bulk API 2.0, "Prepare CSV Files").

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::model::{Record, Value};

use super::soql;

/// A record of a collections call.
pub(super) struct Body<'a> {
    pub object: &'a str,
    pub id: Option<&'a str>,
    pub fields: &'a Record,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("attributes", &Attributes { object: self.object })?;
        if let Some(id) = self.id {
            map.serialize_entry("id", id)?;
        }
        for (name, value) in self.fields.iter().filter(|(name, _)| self.id.is_none() || !name.eq_ignore_ascii_case("id")) {
            match name.split_once('.') {
                // A parent named by its external id: `Owner.Username`.
                Some((parent, field)) => map.serialize_entry(parent, &Parent { field, value })?,
                None => map.serialize_entry(name, &Cell(value))?,
            }
        }
        map.end()
    }
}

#[derive(Serialize)]
struct Attributes<'a> {
    #[serde(rename = "type")]
    object: &'a str,
}

struct Parent<'a> {
    field: &'a str,
    value: &'a Value,
}

impl Serialize for Parent<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(1))?;
        map.serialize_entry(self.field, &Cell(self.value))?;
        map.end()
    }
}

struct Cell<'a>(&'a Value);

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            value if value.is_blank() => to.serialize_unit(),
            Value::Instant(at) => to.serialize_str(&soql::instant(*at)),
            Value::List(_) => to.serialize_str(&text(self.0)),
            value => value.serialize(to),
        }
    }
}

/// A CSV cell; `#N/A` empties a field.
pub(super) fn csv(value: &Value) -> String {
    if value.is_blank() { "#N/A".to_owned() } else { text(value) }
}

/// Whether a row would be another one in CSV: the text `#N/A` is no text there.
pub(super) fn means_empty_in_csv(fields: &Record) -> bool {
    fields.iter().any(|(_, value)| matches!(value, Value::Text(_) | Value::List(_)) && text(value).trim().eq_ignore_ascii_case("#N/A"))
}

fn text(value: &Value) -> String {
    match value {
        Value::Instant(at) => soql::instant(*at),
        Value::List(items) => items.iter().map(Value::to_string).collect::<Vec<_>>().join(";"),
        value => value.to_string(),
    }
}
