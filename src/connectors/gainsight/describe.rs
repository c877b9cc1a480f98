//! Objects, their fields, and the choices of dropdowns, remembered for the session.

use std::{collections::HashMap, sync::Arc};

use reqwest::Method;
use serde::Deserialize;

use crate::{
    connectors::{
        http::{broken_json, escape, garbled},
        rows::Cast,
    },
    model::{Fault, FaultKind, Field, FieldType, Name, ObjectSchema, System, Value},
};

use super::{Gainsight, conditions::Where, dropdown::Dropdown, names::Names, query::rows_of};

/// An object as this room needs it, under Gainsight's own names.
#[derive(Debug)]
pub(super) struct Described {
    pub schema: ObjectSchema,
    /// Fields whose values are the ids of choices, in lower case.
    pub dropdowns: HashMap<String, Dropdown>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireObject {
    object_name: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    fields: Vec<WireField>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireField {
    field_name: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    data_type: String,
    options: Option<Vec<WireOption>>,
    #[serde(default)]
    meta: WireMeta,
}

/// What may be chosen: the value of an option is its id.
#[derive(Deserialize)]
pub(super) struct WireOption {
    pub(super) value: String,
    #[serde(default)]
    pub(super) label: String,
    pub(super) active: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireMeta {
    createable: bool,
    updateable: bool,
    required: bool,
    nillable: Option<bool>,
    read_only: bool,
    length: Option<u32>,
    decimal_places: Option<u8>,
    lookup_detail: Option<WireLookup>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireLookup {
    #[serde(default)]
    lookup_objects: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireListed {
    object_name: String,
}

impl Described {
    pub(super) fn kind(&self, field: &str) -> Option<&FieldType> {
        self.schema.field(field).map(|field| &field.kind)
    }

    pub(super) fn cast(&self, field: &str) -> Cast {
        self.kind(field).map_or(Cast::Plain, Cast::of)
    }

    /// Whether a condition can surely compare its values: plain text, numbers, ids and booleans.
    pub(super) fn is_comparable(&self, field: &str) -> bool {
        self.schema.field(field).is_some_and(|field| field.key || matches!(field.kind, FieldType::Number { .. } | FieldType::Bool))
    }

    pub(super) fn dropdown(&self, field: &str) -> Option<&Dropdown> {
        self.dropdowns.get(&field.to_ascii_lowercase())
    }
}

impl Gainsight {
    /// The object's fields under Gainsight's names, asked for once a session.
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
        let call = self.call(Method::GET, &format!("/v1/meta/services/objects/{}/describe", escape(object)));
        let call = ["ic", "idd", "ihc"].into_iter().fold(call, |call, key| call.query(key, "false")).query("cl", "0").query("piec", "true");
        let list = self.data(&call, |data| serde_json::from_str::<Vec<WireObject>>(data).map_err(|error| broken_json(System::Gainsight, &error)));
        let list = list.await.map_err(|fault| match fault.kind {
            FaultKind::NotFound => Fault { message: format!("there is no object `{object}` in Gainsight"), ..fault },
            _ => fault,
        })?;
        let wire = list.into_iter().next().ok_or_else(|| garbled(System::Gainsight, format!("the describe of `{object}` is empty")))?;
        let dropdowns = wire.fields.iter().filter_map(|field| Some((field.field_name.to_ascii_lowercase(), dropdown_of(field)?))).collect();
        let label = if wire.label.is_empty() { wire.object_name.clone() } else { wire.label };
        let fields = wire.fields.into_iter().map(field_of).collect();
        Ok(Described { schema: ObjectSchema { system: System::Gainsight, name: wire.object_name, label, fields }, dropdowns })
    }

    /// Always asked anew, under the names that scripts use.
    pub(in crate::connectors) async fn describe(&self, object: &str) -> Result<ObjectSchema, Fault> {
        let names = Names::of(object);
        let wire = names.object(object);
        let fresh = Arc::new(self.describe_now(wire).await?);
        self.described.lock().await.insert(wire.to_ascii_lowercase(), fresh.clone());
        let mut schema = fresh.schema.clone();
        if names != Names::Plain {
            object.clone_into(&mut schema.name);
        }
        for (ours, theirs) in names.added() {
            match schema.fields.iter_mut().find(|field| field.name.eq_ignore_ascii_case(theirs.unwrap_or(ours))) {
                Some(field) => ours.clone_into(&mut field.name),
                None => schema.fields.push(added(ours)),
            }
        }
        Ok(schema)
    }

    pub(in crate::connectors) async fn objects(&self) -> Result<Value, Fault> {
        let call = self.call(Method::GET, "/v1/meta/services/objects/list").query("po", "company").query("em", "false");
        let list = self.data(&call, |data| serde_json::from_str::<Vec<WireListed>>(data).map_err(|error| broken_json(System::Gainsight, &error)));
        let names = list.await?.into_iter().map(|object| Value::text(object.object_name));
        Ok(Value::List(std::iter::once(Value::text("customer_info")).chain(names).collect()))
    }

    /// Labels of choices by GSID, read once a session from `da_picklist`.
    pub(super) async fn choices(&self) -> Result<Arc<HashMap<Name, Name>>, Fault> {
        let mut kept = self.choices.lock().await;
        if let Some(known) = kept.as_ref() {
            return Ok(known.clone());
        }
        let select = ["Gsid".to_owned(), "Name".to_owned()];
        let mut labels = HashMap::new();
        for row in self.every_row("da_picklist", &select, &Where::new("name"), &rows_of(&select)).await? {
            if let (Some(Value::Text(id)), Some(Value::Text(label))) = (row.get("Gsid"), row.get("Name")) {
                labels.insert(id.clone(), label.clone());
            }
        }
        let labels = Arc::new(labels);
        *kept = Some(labels.clone());
        Ok(labels)
    }
}

fn added(name: &str) -> Field {
    Field {
        name: name.to_owned(),
        label: name.to_owned(),
        kind: FieldType::Text { max: 255 },
        nillable: true,
        createable: true,
        updateable: true,
        required: false,
        key: false,
        case_sensitive: false,
    }
}

fn field_of(wire: WireField) -> Field {
    let key = matches!(wire.data_type.as_str(), "STRING" | "GSID" | "NUMBER" | "EMAIL");
    // Undocumented: taken as the stricter of both, so that two records are never taken for one. Choices go by label, people by address.
    let case_sensitive = !matches!(wire.data_type.as_str(), "EMAIL" | "PICKLIST" | "MULTISELECTDROPDOWNLIST");
    Field {
        kind: type_of(&wire),
        label: if wire.label.is_empty() { wire.field_name.clone() } else { wire.label },
        name: wire.field_name,
        nillable: wire.meta.nillable.unwrap_or(!wire.meta.required),
        createable: wire.meta.createable && !wire.meta.read_only,
        updateable: wire.meta.updateable && !wire.meta.read_only,
        required: wire.meta.required,
        key,
        case_sensitive,
    }
}

/// Gainsight's data types as the model's. Choices go by their labels.
fn type_of(wire: &WireField) -> FieldType {
    let max = wire.meta.length.filter(|length| *length > 0).unwrap_or(u32::MAX);
    let scale = wire.meta.decimal_places.unwrap_or(9).min(15);
    match wire.data_type.as_str() {
        "GSID" if wire.field_name.eq_ignore_ascii_case("gsid") => FieldType::Id,
        "GSID" | "LOOKUP" => {
            let objects = wire.meta.lookup_detail.iter().flat_map(|detail| &detail.lookup_objects);
            let name = |object: &serde_json::Value| object.as_str().or_else(|| object["objectName"].as_str()).map(str::to_owned);
            FieldType::Reference { to: objects.filter_map(name).collect() }
        }
        "STRING" | "URL" | "RICHTEXTAREA" | "TEXTAREA" => FieldType::Text { max },
        "EMAIL" => FieldType::Email { max },
        "BOOLEAN" => FieldType::Bool,
        "NUMBER" | "CURRENCY" | "PERCENTAGE" => FieldType::Number { digits: 15_u8.saturating_add(scale), scale },
        "DATE" => FieldType::Date,
        "DATETIME" => FieldType::DateTime { millis: true },
        "PICKLIST" => FieldType::Picklist(dropdown_of(wire).map(|dropdown| dropdown.choices()).unwrap_or_default()),
        "MULTISELECTDROPDOWNLIST" => FieldType::MultiPicklist(dropdown_of(wire).map(|dropdown| dropdown.choices()).unwrap_or_default()),
        other => FieldType::Other { name: other.to_owned() },
    }
}

fn dropdown_of(wire: &WireField) -> Option<Dropdown> {
    let many = match wire.data_type.as_str() {
        "PICKLIST" => false,
        "MULTISELECTDROPDOWNLIST" => true,
        _ => return None,
    };
    Some(Dropdown::new(many, wire.options.as_deref().unwrap_or_default()))
}
