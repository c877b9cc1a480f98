//! Attributes of users and accounts as fields; custom ones go by `customAttributes.NAME`.

use std::{collections::HashMap, sync::Arc};

use serde::Deserialize;

use crate::model::{Fault, Field, FieldType, ObjectSchema, System, Value};

use super::{
    Px,
    objects::{OBJECTS, Object, TIMES, object},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attribute {
    #[serde(default)]
    name: String,
    api_name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    origin: String,
}

/// What no call writes.
const FIXED: &[&str] = &[
    "aptrinsicId",
    "id",
    "lastSeenDate",
    "numberOfVisits",
    "numberOfUsers",
    "createDate",
    "lastModifiedDate",
    "lastInferredLocation",
    "globalId",
    "channelMetricList",
    "lastVisitedUserAgentData",
];

/// Fields of the objects that have no attributes to ask for.
const EVENT: &[&str] = &["eventId", "identifyId", "accountId", "propertyKey", "date", "eventType", "sessionId", "userType"];
const ENGAGED: &[&str] = &[
    "engagementId",
    "engagementTrackType",
    "contentType",
    "executionId",
    "executionDate",
    "carouselState",
    "guideState",
    "surveyState",
    "score",
    "comment",
    "questionType",
    "linkUrl",
];

/// The model of an object that has attributes.
pub(super) fn model_of(object: &Object) -> Option<&'static str> {
    match object.name {
        "users" => Some("user"),
        "accounts" => Some("account"),
        _ => None,
    }
}

impl Px {
    pub(in crate::connectors) fn objects() -> Value {
        Value::List(OBJECTS.iter().map(|object| Value::text(object.name)).collect())
    }

    pub(in crate::connectors) async fn describe(&self, name: &str) -> Result<ObjectSchema, Fault> {
        let object = object(name)?;
        let fields = match model_of(object) {
            Some(model) => self.fresh(object, model).await?,
            None => listed(object),
        };
        Ok(ObjectSchema { system: System::Px, name: object.name.to_owned(), label: object.name.to_owned(), fields })
    }

    async fn fresh(&self, object: &Object, model: &'static str) -> Result<Vec<Field>, Fault> {
        let attributes: Vec<Attribute> = self.get(&format!("admin/model/{model}/attributes")).await?;
        let mut fields =
            vec![Field { key: true, required: true, case_sensitive: true, ..field(object.id, object.id, FieldType::Text { max: 255 }, true) }];
        for attribute in attributes.iter().filter(|attribute| attribute.state != "DELETED" && attribute.api_name != object.id) {
            let custom = attribute.origin == "CUSTOM";
            let name = if custom { format!("customAttributes.{}", attribute.api_name) } else { attribute.api_name.clone() };
            let writable = !FIXED.contains(&attribute.api_name.as_str()) && attribute.state != "DISABLED";
            let required = !custom && model == "account" && attribute.api_name == "name";
            // Its own numbers and truth values PX keeps as 0 and false where there is none.
            let nillable = custom || !matches!(attribute.kind.as_str(), "NUMBER" | "BOOLEAN");
            fields.push(Field { nillable, required, ..field(&name, &attribute.name, type_of(&attribute.kind), writable) });
        }
        for part in ["countryName", "stateName", "city", "street", "postalCode", "regionName", "timeZone"] {
            let name = format!("location.{part}");
            fields.push(field(&name, &name, FieldType::Text { max: 255 }, true));
        }
        let types: HashMap<String, FieldType> = fields.iter().map(|field| (field.name.clone(), field.kind.clone())).collect();
        self.attributes.lock().await.insert(model, Arc::new(types));
        Ok(fields)
    }

    /// Types of a model's fields, remembered for the session.
    pub(super) async fn types(&self, object: &Object, model: &'static str) -> Result<Arc<HashMap<String, FieldType>>, Fault> {
        if let Some(known) = self.attributes.lock().await.get(model) {
            return Ok(Arc::clone(known));
        }
        self.fresh(object, model).await?;
        Ok(self.attributes.lock().await.get(model).cloned().unwrap_or_default())
    }
}

fn listed(object: &Object) -> Vec<Field> {
    let names: Vec<&str> = match object.name {
        "engagements" => vec!["id", "name", "description", "type", "state", "triggeredByJourney"],
        "features" => vec!["id", "name", "type", "parentFeatureId", "propertyKey", "status"],
        "segments" => vec!["id", "name"],
        "custom_events" => EVENT.iter().copied().chain(["eventName", "url"]).collect(),
        "feature_matches" => EVENT.iter().copied().chain(["featureId"]).collect(),
        "segment_matches" => EVENT.iter().copied().chain(["segmentId"]).collect(),
        "page_views" | "form_submits" => EVENT.iter().copied().chain(["host", "path", "queryString", "pageTitle"]).collect(),
        "email_events" => EVENT.iter().copied().chain(["engagementId", "email", "emailTrackType", "linkUrl"]).collect(),
        "identify_events" | "lead_events" => EVENT.iter().copied().chain(["email"]).collect(),
        "engagement_views" | "survey_responses" => EVENT.iter().chain(ENGAGED).copied().collect(),
        _ => EVENT.to_vec(),
    };
    let kind = |name: &str| match name {
        "score" => FieldType::Int { bits: 64, digits: 0 },
        "triggeredByJourney" => FieldType::Bool,
        time if TIMES.contains(&time) => FieldType::DateTime { millis: true },
        _ => FieldType::Text { max: u32::MAX },
    };
    let writable = |name: &str| object.name == "engagements" && name == "state";
    names
        .into_iter()
        .map(|name| Field { key: name == object.id, case_sensitive: name == object.id, ..field(name, name, kind(name), writable(name)) })
        .collect()
}

fn field(name: &str, label: &str, kind: FieldType, writable: bool) -> Field {
    let label = if label.is_empty() { name } else { label };
    Field {
        name: name.to_owned(),
        label: label.to_owned(),
        kind,
        nillable: true,
        createable: writable,
        updateable: writable,
        required: false,
        key: false,
        // "Not case-sensitive" is what the reference says of filters; ids are (PX REST API, "Users").
        case_sensitive: false,
    }
}

fn type_of(word: &str) -> FieldType {
    match word {
        "NUMBER" => FieldType::Float,
        "BOOLEAN" => FieldType::Bool,
        "DATE_TIME" => FieldType::DateTime { millis: true },
        "STRING" => FieldType::Text { max: u32::MAX },
        other => FieldType::Other { name: other.to_owned() },
    }
}
