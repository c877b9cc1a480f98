//! The collector of track events: each is kept and counted as usage from then on.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::{
    auth, metadata,
    state::{Pendo, fields, new_id, not_stored, refused},
};
use crate::sandbox::{
    clock::DAY_MS,
    company::{ids, product},
    documents::{Change, Table},
};

/// Events that are later than this are dropped.
const LATEST_DAYS: i64 = 7;

/// `POST /data/track`: one event. Its visitor, account and track type are made when they are new.
pub(super) async fn track(State(pendo): State<Arc<Pendo>>, headers: HeaderMap, body: Bytes) -> Response {
    if !auth::may_track(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Ok(event) = serde_json::from_slice::<Value>(&body) else { return refused(StatusCode::BAD_REQUEST, "invalid JSON") };
    let text = |field: &str| event[field].as_str().filter(|text| !text.is_empty());
    let (Some("track"), Some(name), Some(visitor), Some(account), Some(time)) =
        (text("type"), text("event"), text("visitorId"), text("accountId"), event["timestamp"].as_i64())
    else {
        return refused(StatusCode::BAD_REQUEST, "type, event, visitorId, accountId and timestamp are required");
    };
    if time < pendo.now() - LATEST_DAYS * DAY_MS {
        return "OK".into_response();
    }
    let (id, track_type) = (new_id(&pendo.tracked), track_type(&pendo, name));
    let kept = json!({
        "event": name, "trackTypeId": track_type, "visitorId": visitor, "accountId": account, "timestamp": time, "properties": event["properties"],
    });
    let mut changes = vec![(pendo.tracked.as_ref(), Change::Insert(id, fields(kept)))];
    changes.extend(seen(&pendo.visitors, "visitor", visitor, time, account));
    changes.extend(seen(&pendo.accounts, "account", account, time, account));
    if pendo.track_types.get(&track_type).is_none() {
        let made = json!({"id": track_type, "name": name, "kind": "TrackType", "appId": product::APPS[0].id, "trackTypeName": name, "trackTypeRules": [name]});
        changes.push((pendo.track_types.as_ref(), Change::Insert(track_type, fields(made))));
    }
    match pendo.documents.write_all(changes) {
        Ok(_) => "OK".into_response(),
        Err(error) => not_stored(&error),
    }
}

/// The id of the track type of this name: the one there is, or the one that is to be made.
fn track_type(pendo: &Pendo, name: &str) -> String {
    let known = pendo.track_types.scan().find(|row| *row.get("trackTypeName") == name);
    known.map_or_else(|| ids::pendo("tracktype-sent", xxhash_rust::xxh3::xxh3_64(name.as_bytes())), |row| row.id().into_owned())
}

/// The times of a visitor or account that was seen: made when it is new, moved on when this is its latest visit.
///
/// A visitor belongs to every account it was ever seen with.
fn seen<'a>(table: &'a Table, kind: &str, id: &str, time: i64, account: &str) -> Option<(&'a Table, Change)> {
    let times = |names: &[&str]| -> Map<String, Value> {
        let groups = ["metadata.auto", "metadata.auto__323232"];
        groups.iter().flat_map(|group| names.iter().map(move |name| (format!("{group}.{name}"), Value::from(time)))).collect()
    };
    let Some(row) = table.get(id) else {
        let mut made: Map<String, Value> = metadata::identity(kind, id).into_iter().collect();
        made.extend(times(&["firstvisit", "lastvisit", "lastupdated"]));
        if kind == "visitor" {
            made.extend(belonging(Vec::new(), account));
        }
        return Some((table, Change::Insert(id.to_owned(), made)));
    };
    let last = super::people::value(&row, "metadata.auto.lastvisit").as_i64();
    let mut changed = if last < Some(time) { times(&["lastvisit", "lastupdated"]) } else { Map::new() };
    if kind == "visitor" {
        let known = row.get("metadata.auto.accountids").as_array().cloned().unwrap_or_default();
        if !known.iter().any(|one| one == account) {
            changed.extend(belonging(known, account));
        }
    }
    (!changed.is_empty()).then(|| (table, Change::Update(id.to_owned(), changed)))
}

/// The accounts of a visitor, with one that is new.
fn belonging(mut known: Vec<Value>, account: &str) -> [(String, Value); 3] {
    known.push(account.into());
    let all = Value::from(known);
    [("accountIds".to_owned(), all.clone()), ("metadata.auto.accountids".to_owned(), all), ("metadata.auto.accountid".to_owned(), account.into())]
}
