//! What metadata fields accounts and visitors have, remembered until one is created.

use std::{collections::BTreeMap, sync::Arc};

use reqwest::Method;
use serde::{Deserialize, Serialize};

use crate::model::{CreateField, Fault, Field, FieldType, ObjectSchema, System};

use super::Pendo;
use crate::connectors::{
    http::{Repeat, invalid},
    rows::Cast,
};

/// Groups that can be written.
const WRITABLE: &[&str] = &["custom", "agent", "salesforce"];

/// Fields by `metadata.GROUP.FIELD`.
#[derive(Debug, Default)]
pub(super) struct Schema {
    fields: BTreeMap<String, WireField>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireField {
    #[serde(default, rename = "Type")]
    kind: String,
    #[serde(default)]
    display_name: String,
    #[serde(default, rename = "isDeleted")]
    deleted: bool,
}

#[derive(Debug, Serialize)]
struct NewField<'a> {
    name: &'a str,
    displayname: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// The kind of record, if the object is one: `account` or `visitor`.
pub(super) fn kind_of(object: &str) -> Option<&'static str> {
    ["account", "visitor"].into_iter().find(|kind| kind.eq_ignore_ascii_case(object) || object.eq_ignore_ascii_case(&format!("{kind}s")))
}

/// The id field of a kind.
pub(super) fn id_field(kind: &str) -> &'static str {
    if kind == "visitor" { "visitorId" } else { "accountId" }
}

/// Group and field of `metadata.GROUP.FIELD`.
pub(super) fn parts(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix("metadata.")?.split_once('.')
}

impl Schema {
    pub(super) fn cast(&self, path: &str) -> Cast {
        match self.fields.get(path) {
            Some(field) if field.kind == "time" => Cast::Instant,
            _ => Cast::Plain,
        }
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.fields.contains_key(path)
    }

    pub(super) fn is_time(&self, path: &str) -> bool {
        self.fields.get(path).is_some_and(|field| field.kind == "time")
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }
}

impl Pendo {
    pub(super) async fn schema(&self, kind: &'static str) -> Result<Arc<Schema>, Fault> {
        if let Some(known) = self.schemas.lock().await.get(kind) {
            return Ok(known.clone());
        }
        self.fresh_schema(kind).await
    }

    async fn fresh_schema(&self, kind: &'static str) -> Result<Arc<Schema>, Fault> {
        let groups: BTreeMap<String, BTreeMap<String, WireField>> = self.get(&format!("metadata/schema/{kind}")).await?;
        let flat = groups.into_iter().flat_map(|(group, fields)| {
            fields.into_iter().filter(|(_, field)| !field.deleted).map(move |(name, field)| (format!("metadata.{group}.{name}"), field))
        });
        let schema = Arc::new(Schema { fields: flat.collect() });
        self.schemas.lock().await.insert(kind, schema.clone());
        Ok(schema)
    }

    pub(in crate::connectors) async fn describe(&self, object: &str) -> Result<ObjectSchema, Fault> {
        let Some(kind) = kind_of(object) else { return super::lists::describe(object) };
        let schema = self.fresh_schema(kind).await?;
        let text = FieldType::Text { max: u32::MAX };
        let id = Field { key: true, required: true, createable: true, ..field(id_field(kind), id_field(kind), text, false) };
        let others = schema.fields.iter().map(|(path, wire)| {
            let writable = parts(path).is_some_and(|(group, _)| WRITABLE.contains(&group));
            let label = if wire.display_name.is_empty() { path.as_str() } else { &wire.display_name };
            field(path, label, type_of(&wire.kind), writable)
        });
        let fields = std::iter::once(id).chain(others).collect();
        Ok(ObjectSchema { system: System::Pendo, name: kind.to_owned(), label: kind.to_owned(), fields })
    }

    pub(in crate::connectors) async fn create_field(&self, wanted: &CreateField) -> Result<(), Fault> {
        let Some(kind) = kind_of(&wanted.object) else {
            return Err(invalid(System::Pendo, format!("only accounts and visitors have metadata fields, not `{}`", wanted.object)));
        };
        let wire = match &wanted.field.kind {
            FieldType::Bool => "boolean",
            FieldType::Int { .. } | FieldType::Number { .. } | FieldType::Float => "number",
            FieldType::Date | FieldType::DateTime { .. } => "time",
            _ => "string",
        };
        self.add_field(kind, &wanted.field.name, &wanted.field.label, wire).await
    }

    /// Creates a metadata field, or brings a deleted one back.
    pub(super) async fn add_field(&self, kind: &'static str, path: &str, label: &str, wire: &'static str) -> Result<(), Fault> {
        let Some((group, name)) = parts(path) else {
            return Err(invalid(System::Pendo, format!("`{path}` is no metadata field; write it as metadata.GROUP.FIELD")).field(path));
        };
        let displayname = if label.is_empty() { name } else { label };
        let body = [NewField { name, displayname, kind: wire }];
        let call = self.call(Method::POST, &format!("metadata/schema/{kind}/{group}")).repeat(Repeat::Always).json(System::Pendo, &body)?;
        self.http.read(&call, |_| Ok(())).await?;
        self.schemas.lock().await.remove(kind);
        Ok(())
    }
}

pub(super) fn field(name: &str, label: &str, kind: FieldType, writable: bool) -> Field {
    Field {
        name: name.to_owned(),
        label: label.to_owned(),
        kind,
        nillable: true,
        createable: writable,
        updateable: writable,
        required: false,
        key: false,
        // Pendo: "Visitor and Account IDs are case sensitive"; its filters compare letter by letter.
        case_sensitive: true,
    }
}

fn type_of(word: &str) -> FieldType {
    match word {
        "string" => FieldType::Text { max: u32::MAX },
        "boolean" => FieldType::Bool,
        // Numbers pass through doubles in Pendo: whole ones are kept up to 2^53.
        "integer" => FieldType::Int { bits: 54, digits: 0 },
        "float" | "number" => FieldType::Float,
        "time" => FieldType::DateTime { millis: true },
        other => FieldType::Other { name: other.to_owned() },
    }
}
