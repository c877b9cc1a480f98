//! Web hooks of Gainsight PX: `{user, account, event, configId}`. What they tell is turned into the words of the event feeds, so that the
//! same event counts once, whether it is told or polled. PX signs nothing.

use serde_json::{Map, Value, json};

use super::text;
use crate::{
    flow::{Error as FlowError, journey::of_px},
    model::Record,
    store::Error,
    web::desk::Desk,
};

/// Takes one event.
pub(super) fn told(desk: &Desk, body: &Value) -> Result<(), Error> {
    let row: Option<Record> = row(body).and_then(|row| serde_json::from_value(row).ok());
    let events = match row.map(|row| of_px(&desk.store, &row, (desk.now)())) {
        None => Vec::new(),
        Some(Ok(events)) => events,
        Some(Err(FlowError::Store(error))) => return Err(error),
        Some(Err(error)) => {
            tracing::warn!(%error, "an event of PX could not be read");
            Vec::new()
        }
    };
    if events.is_empty() {
        desk.ignore("px");
    }
    desk.take(&events).map(drop)
}

/// The event as the feed of engagements shows it; none for other kinds.
fn row(body: &Value) -> Option<Value> {
    let event = &body["event"];
    let user = text(&body["user"], &["identifyId", "id"]).or_else(|| text(event, &["identifyId"]))?;
    let mut row: Map<String, Value> = ["eventId", "date", "engagementId", "contentType", "executionId", "score", "questionType"]
        .iter()
        .filter_map(|field| Some(((*field).to_owned(), event.get(*field).filter(|value| !value.is_null())?.clone())))
        .collect();
    row.insert("identifyId".to_owned(), user.into());
    let said = text(event, &["interaction"]).unwrap_or_default().to_uppercase();
    let track = match text(event, &["eventType"])? {
        "SURVEY" => {
            row.insert("surveyState".to_owned(), "COMPLETED".into());
            row.insert("comment".to_owned(), event["userInput"].clone());
            let chosen = event["answers"].as_array().map(Vec::as_slice).unwrap_or_default();
            row.insert("selectionIds".to_owned(), chosen.iter().map(|answer| answer["answerId"].clone()).collect());
            if !row.get("contentType").and_then(Value::as_str).is_some_and(|kind| kind.contains("SURVEY")) {
                row.insert("contentType".to_owned(), "IN_APP_SURVEY".into());
            }
            "ENGAGEMENT_VIEW"
        }
        "ENGAGEMENT" if said.contains("COMPLETED") && row.get("contentType") == Some(&json!("IN_APP_DIALOG")) => "ENGAGEMENT_CLICK",
        "ENGAGEMENT" if said.contains("COMPLETED") => {
            if row.get("contentType") == Some(&json!("IN_APP_GUIDE")) {
                row.insert("guideState".to_owned(), "COMPLETED".into());
            }
            "ENGAGEMENT_VIEW"
        }
        "ENGAGEMENT" if said.contains("CLICK") => "ENGAGEMENT_CLICK",
        "ENGAGEMENT" => "ENGAGEMENT_VIEW",
        _ => return None,
    };
    row.insert("engagementTrackType".to_owned(), track.into());
    Some(row.into())
}
