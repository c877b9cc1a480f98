//! What objects and fields an org has, remembered for the session (REST API, "sObject Describe").

use std::{collections::HashMap, sync::Arc};

use serde::Deserialize;

use crate::model::{Choices, Fault, FaultKind, Field, FieldType, ObjectSchema, System, Value};

use super::Salesforce;
use crate::connectors::{
    http::{Call, escape},
    rows::Cast,
};

/// An object as this room needs it.
#[derive(Debug)]
pub(super) struct Described {
    pub schema: ObjectSchema,
    /// `001` of Account.
    pub key_prefix: Option<String>,
    /// Relationship name, in lower case, and the objects it leads to.
    pub relations: HashMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireObject {
    name: String,
    label: String,
    key_prefix: Option<String>,
    fields: Vec<WireField>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireField {
    name: String,
    label: String,
    #[serde(rename = "type")]
    kind: String,
    length: Option<u32>,
    /// Of whole numbers: how many there may be.
    #[serde(default)]
    digits: u8,
    #[serde(default)]
    precision: u8,
    #[serde(default)]
    scale: u8,
    #[serde(default)]
    nillable: bool,
    #[serde(default)]
    createable: bool,
    #[serde(default)]
    updateable: bool,
    #[serde(default)]
    defaulted_on_create: bool,
    #[serde(default)]
    external_id: bool,
    #[serde(default)]
    case_sensitive: bool,
    #[serde(default)]
    id_lookup: bool,
    #[serde(default)]
    restricted_picklist: bool,
    #[serde(default)]
    picklist_values: Vec<WireChoice>,
    #[serde(default)]
    reference_to: Vec<String>,
    relationship_name: Option<String>,
}

#[derive(Deserialize)]
struct WireChoice {
    value: String,
    label: Option<String>,
    #[serde(default)]
    active: bool,
}

#[derive(Deserialize)]
struct WireList {
    sobjects: Vec<WireName>,
}

#[derive(Deserialize)]
struct WireName {
    name: String,
}

impl Salesforce {
    /// The object's fields, asked for once a session.
    pub(super) async fn described(&self, object: &str) -> Result<Arc<Described>, Fault> {
        let key = object.to_ascii_lowercase();
        if let Some(known) = self.described.lock().await.get(&key) {
            return Ok(known.clone());
        }
        let fresh = Arc::new(self.describe_now(object).await?);
        self.described.lock().await.insert(key, fresh.clone());
        Ok(fresh)
    }

    async fn describe_now(&self, object: &str) -> Result<Described, Fault> {
        let call = Call::get(self.path(&format!("sobjects/{}/describe", escape(object))));
        let wire: WireObject = self.json(&call).await.map_err(|fault| match fault.kind {
            FaultKind::NotFound => Fault { message: format!("there is no object `{object}`, or the connected user may not see it"), ..fault },
            _ => fault,
        })?;
        let relations = wire.fields.iter().filter_map(|f| Some((f.relationship_name.as_ref()?.to_ascii_lowercase(), f.reference_to.clone())));
        let relations = relations.collect();
        let fields = wire.fields.into_iter().map(field_of).collect();
        let schema = ObjectSchema { system: System::Salesforce, name: wire.name, label: wire.label, fields };
        Ok(Described { schema, key_prefix: wire.key_prefix, relations })
    }

    /// Always asked anew, so that a changed object is seen.
    pub(in crate::connectors) async fn describe(&self, object: &str) -> Result<ObjectSchema, Fault> {
        let fresh = Arc::new(self.describe_now(object).await?);
        self.described.lock().await.insert(object.to_ascii_lowercase(), fresh.clone());
        Ok(fresh.schema.clone())
    }

    pub(super) async fn forget(&self, object: &str) {
        self.described.lock().await.remove(&object.to_ascii_lowercase());
    }

    pub(in crate::connectors) async fn objects(&self) -> Result<Value, Fault> {
        let list: WireList = self.json(&Call::get(self.path("sobjects"))).await?;
        Ok(Value::List(list.sobjects.into_iter().map(|object| Value::text(object.name)).collect()))
    }

    /// The type of a field by its dotted path, through up to five relationships.
    pub(super) async fn kind_of(&self, object: &Arc<Described>, path: &str) -> Result<FieldType, Fault> {
        let mut object = object.clone();
        let mut rest = path;
        while let Some((head, tail)) = rest.split_once('.') {
            let Some(targets) = object.relations.get(&head.to_ascii_lowercase()) else {
                return Err(no_field(&object.schema.name, head, path));
            };
            // An owner may be a user or a queue: the fields asked for are nearly always a user's.
            let Some(target) = targets.iter().find(|name| *name == "User").or_else(|| targets.first()) else {
                return Ok(FieldType::Text { max: 255 });
            };
            object = Box::pin(self.described(target)).await?;
            rest = tail;
        }
        match object.schema.field(rest) {
            Some(field) => Ok(field.kind.clone()),
            None => Err(no_field(&object.schema.name, rest, path)),
        }
    }

    pub(super) async fn cast_of(&self, object: &Arc<Described>, path: &str) -> Result<Cast, Fault> {
        Ok(Cast::of(&self.kind_of(object, path).await?))
    }
}

fn no_field(object: &str, name: &str, path: &str) -> Fault {
    let message = format!("{object} has no field `{name}`, or the connected user may not see it");
    Fault::from_system(System::Salesforce, FaultKind::NotFound, message).code("INVALID_FIELD").field(path)
}

fn field_of(wire: WireField) -> Field {
    let required = wire.createable && !wire.nillable && !wire.defaulted_on_create;
    Field {
        required,
        key: wire.external_id || wire.id_lookup,
        case_sensitive: wire.case_sensitive,
        nillable: wire.nillable,
        createable: wire.createable,
        updateable: wire.updateable,
        kind: type_of(&wire),
        name: wire.name,
        label: wire.label,
    }
}

/// Salesforce's field types (REST API, "Field Types") as the model's.
fn type_of(wire: &WireField) -> FieldType {
    // An org that tells no length has one nobody knows, not none.
    let max = wire.length.filter(|length| *length > 0).unwrap_or(u32::MAX);
    match wire.kind.as_str() {
        "id" => FieldType::Id,
        "reference" => FieldType::Reference { to: wire.reference_to.clone() },
        "string" | "textarea" | "phone" | "url" | "encryptedstring" | "combobox" => FieldType::Text { max },
        "email" => FieldType::Email { max },
        "picklist" => FieldType::Picklist(choices(wire)),
        "multipicklist" => FieldType::MultiPicklist(choices(wire)),
        "boolean" => FieldType::Bool,
        "int" => FieldType::Int { bits: 32, digits: wire.digits },
        "long" => FieldType::Int { bits: 64, digits: 0 },
        "double" | "currency" | "percent" if wire.precision > 0 => FieldType::Number { digits: wire.precision, scale: wire.scale },
        "double" | "currency" | "percent" => FieldType::Float,
        "date" => FieldType::Date,
        "datetime" => FieldType::DateTime { millis: false },
        "time" => FieldType::Time,
        other => FieldType::Other { name: other.to_owned() },
    }
}

/// Records hold the values of choices; people know them by their labels.
fn choices(wire: &WireField) -> Choices {
    let active = || wire.picklist_values.iter().filter(|choice| choice.active);
    let other_name = |choice: &WireChoice| choice.label.clone().filter(|label| *label != choice.value).map(|label| (label, choice.value.clone()));
    Choices {
        values: active().map(|choice| choice.value.clone()).collect(),
        other_names: active().filter_map(other_name).collect(),
        restricted: wire.restricted_picklist,
    }
}
