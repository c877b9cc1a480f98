//! States and environments of engagements; features and segments.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, Answered, bad, invalid, not_found},
    catalogue::BY_JOURNEY,
    pages,
    query::{Query, body, needed},
    state::Px,
};
use crate::sandbox::documents::{Row, Table};

/// An engagement as deriving what happened needs it.
#[derive(Debug)]
pub(super) struct Engagement {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) by_journey: bool,
    /// States and since when, oldest first.
    history: Vec<(i64, String)>,
}

impl Engagement {
    pub(super) fn of(row: &Row) -> Self {
        let text = |field: &str| row.get(field).as_str().unwrap_or_default().to_owned();
        let history = row.get("history").as_array().cloned().unwrap_or_default();
        let history = history.iter().filter_map(|step| Some((step[0].as_i64()?, step[1].as_str()?.to_owned()))).collect();
        let by_journey = text("description").to_lowercase().contains(&BY_JOURNEY.to_lowercase());
        Self { id: text("id"), name: text("name"), kind: text("type"), by_journey, history }
    }

    /// One that people can see at any time.
    pub(super) fn started(id: &str, kind: &str) -> Self {
        let history = vec![(i64::MIN, "STARTED".to_owned())];
        Self { id: id.to_owned(), name: String::new(), kind: kind.to_owned(), by_journey: true, history }
    }

    /// Whether people can see it at an instant.
    pub(super) fn is_started(&self, at: i64) -> bool {
        self.history.iter().rev().find(|(since, _)| *since <= at).is_some_and(|(_, state)| state == "STARTED")
    }

    pub(super) fn is_survey(&self) -> bool {
        self.kind.ends_with("_SURVEY")
    }

    /// As event feeds spell the type.
    pub(super) fn content_type(&self) -> &str {
        match self.kind.as_str() {
            "IN_APP_NPS_SURVEY" => "IN_APP_SURVEY_NPS",
            "IN_APP_CES_SURVEY" => "IN_APP_SURVEY_CES",
            "IN_APP_RATING_SURVEY" => "IN_APP_SURVEY_RATING",
            "IN_APP_BOOLEAN_SURVEY" => "IN_APP_SURVEY_BOOLEAN",
            other => other,
        }
    }
}

pub(super) fn all(px: &Px) -> Vec<Arc<Engagement>> {
    px.engagements.scan().map(|row| Arc::new(Engagement::of(&row))).collect()
}

fn shown(row: &Row) -> Value {
    let mut document = row.document();
    document.remove("history");
    document.into()
}

/// `GET /v1/engagement`, and `/extended`, which adds the custom events that trigger it.
pub(super) fn list(px: &Px, query: &Query, extended: bool) -> Answered {
    let wanted: Vec<&str> = query.all("contentTypes").flat_map(|types| types.split(',')).collect();
    let of_type = px.engagements.scan().filter(|row| wanted.is_empty() || wanted.iter().any(|kind| *row.get("type") == *kind));
    let rows = of_type.map(|row| {
        let mut one = shown(&row);
        if extended {
            one["customEvents"] = json!([]);
        }
        one
    });
    pages::numbered(query, "engagements", 200, 500, &rows.collect::<Vec<_>>())
}

pub(super) fn get(px: &Px, id: &str) -> Answered {
    Ok(Answer::Body(shown(&px.engagements.get(id).ok_or_else(|| not_found("Engagement", id))?)))
}

pub(super) fn delete(px: &Px, id: &str) -> Answered {
    if px.documents.delete(&px.engagements, id)? { Ok(Answer::Nothing) } else { Err(not_found("Engagement", id)) }
}

/// `PUT /v1/engagement/state`: starting one that has never left the editor launches it in the environments named.
pub(super) fn set_state(px: &Px, bytes: &[u8]) -> Answered {
    let sent = body(bytes)?;
    let id = needed("engagement", &sent, "engagementId")?;
    let state = match needed("engagement", &sent, "state")? {
        "START" => "STARTED",
        "PAUSE" => "PAUSED",
        _ => return Err(invalid("engagement", "state", "must be START or PAUSE")),
    };
    let row = px.engagements.get(id).ok_or_else(|| not_found("Engagement", id))?;
    if state == "PAUSED" && *row.get("state") != "STARTED" && *row.get("state") != "PAUSED" {
        return Err(bad("Only a started engagement can be paused"));
    }
    let mut changed = Map::new();
    if *row.get("state") != state {
        let mut history = row.get("history").as_array().cloned().unwrap_or_default();
        history.push(json!([px.now(), state]));
        changed.extend([("state".to_owned(), state.into()), ("history".to_owned(), history.into())]);
    }
    if let Some(envs) = sent.get("envs").and_then(Value::as_array).filter(|envs| !envs.is_empty()) {
        changed.insert("envs".to_owned(), environments(envs)?);
    }
    px.documents.update(&px.engagements, id, changed)?;
    Ok(Answer::Body(json!({"status": 200, "errors": []})))
}

/// `PUT /v1/engagement/env` and `/envs`.
pub(super) fn set_envs(px: &Px, bytes: &[u8]) -> Answered {
    let sent = body(bytes)?;
    let id = needed("engagement", &sent, "engagementId")?;
    let named = sent.get("envs").and_then(Value::as_array).cloned().or_else(|| sent.get("env").map(|env| vec![env.clone()]));
    let envs = environments(&named.ok_or_else(|| invalid("engagement", "envs", "must not be empty"))?)?;
    if !px.documents.update(&px.engagements, id, Map::from_iter([("envs".to_owned(), envs)]))? {
        return Err(not_found("Engagement", id));
    }
    Ok(Answer::Body(json!({"status": 200, "errors": []})))
}

/// In the spelling of answers, whatever the capitals.
fn environments(sent: &[Value]) -> Result<Value, super::answer::Refused> {
    let named = |env: &str| ["Production", "Stage", "QA", "Integration"].into_iter().find(|name| name.eq_ignore_ascii_case(env.trim()));
    let known = |env: &Value| env.as_str().and_then(named);
    let envs: Option<Vec<&str>> = sent.iter().map(known).collect();
    envs.map(|envs| json!(envs)).ok_or_else(|| invalid("engagement", "envs", "must be Production, Stage, QA or Integration"))
}

/// `GET /v1/engagement/metadata/survey?engagementId=`.
pub(super) fn survey(px: &Px, query: &Query) -> Answered {
    let id = query.get("engagementId").ok_or_else(|| bad("engagementId is required"))?;
    let engagement = px.engagements.get(id).map(|row| Engagement::of(&row)).filter(Engagement::is_survey);
    let engagement = engagement.ok_or_else(|| not_found("Survey", id))?;
    let questions: Vec<Value> = super::behaviour::questions(&engagement.kind).iter().map(super::behaviour::Question::metadata).collect();
    Ok(Answer::Body(json!({"engagementId": id, "name": engagement.name, "questions": questions})))
}

/// `GET /v1/feature`, `GET /v1/segment`: numbered pages of a table.
pub(super) fn catalogue(table: &Arc<Table>, key: &str, query: &Query) -> Answered {
    let product = query.get("propertyKey");
    let rows = table.scan().filter(|row| product.is_none_or(|key| row.get("propertyKey").is_null() || *row.get("propertyKey") == key));
    pages::numbered(query, key, 25, 200, &rows.map(|row| row.document().into()).collect::<Vec<Value>>())
}

pub(super) fn feature(px: &Px, id: &str) -> Answered {
    Ok(Answer::Body(px.features.get(id).ok_or_else(|| not_found("Feature", id))?.document().into()))
}

/// `PUT /v1/feature/{id}`: name and parent only, `ROOT` for none.
pub(super) fn set_feature(px: &Px, id: &str, bytes: &[u8]) -> Answered {
    let sent = body(bytes)?;
    let mut changed = Map::new();
    if let Some(name) = sent.get("name").filter(|name| name.is_string()) {
        changed.insert("name".to_owned(), name.clone());
    }
    match sent.get("parentFeatureId").and_then(Value::as_str) {
        Some("ROOT") => drop(changed.insert("parentFeatureId".to_owned(), Value::Null)),
        Some(parent) if px.features.get(parent).is_some() => drop(changed.insert("parentFeatureId".to_owned(), parent.into())),
        Some(parent) => return Err(not_found("Feature", parent)),
        None => {}
    }
    if px.documents.update(&px.features, id, changed)? { Ok(Answer::Nothing) } else { Err(not_found("Feature", id)) }
}

/// `GET /v1/segment/{id}`.
pub(super) fn segment(px: &Px, id: &str) -> Answered {
    let of = |row: Row| json!({"id": row.id(), "name": row.get("name")});
    let found = px.segments.get(id).or_else(|| px.external.get(id));
    found.map(|row| Answer::Body(of(row))).ok_or_else(|| not_found("Segment", id))
}

/// `GET /v1/segment`: external ones too.
pub(super) fn segments(px: &Px, query: &Query) -> Answered {
    let rows = px.segments.scan().chain(px.external.scan()).map(|row| json!({"id": row.id(), "name": row.get("name")}));
    pages::numbered(query, "segments", 25, 200, &rows.collect::<Vec<_>>())
}
