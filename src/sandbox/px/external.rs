//! External segments and their members: the only way to aim an engagement at somebody by API.
//!
//! What the Swagger says (0.1.6, tag `ExternalSegments`): `ExternalSegmentDto {id, externalId, name, description}`, none of them required;
//! both calls that send one are answered with one, status 200. `SegmentPayload` requires `add` and `remove`, and each of their entries
//! (`SegmentAction`) requires `segmentId`, `identities` and `lastQualificationTime` (ISO 8601). `segmentId` is the segment's own id.

use std::{collections::HashSet, sync::PoisonError};

use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, Answered, Refused, bad, invalid},
    audience::bound_to,
    query::{Query, body, instant, needed},
    state::{Px, guid, new_id},
};
use crate::sandbox::documents::{Change, Row};

/// What a refusal of a membership says it is about.
const PAYLOAD: &str = "segmentPayload";

/// How far back a qualification is believed: whoever sends it may have another clock than this sandbox's, which can be turned.
const BELIEVED_MS: i64 = 3_600_000;

/// A segment by its own id or by its external one.
fn find(px: &Px, id: &str) -> Option<Row> {
    px.external.get(id).or_else(|| px.external.find("externalId", &id.into()).into_iter().next())
}

fn text<'b>(body: &'b Map<String, Value>, field: &str) -> Option<&'b str> {
    body.get(field).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// `POST|PUT /v1/external_segment/metadata` `{id, externalId, name, description}`: made when it is new, else changed
/// (refused with `failIfExists=true`).
pub(super) fn metadata(px: &Px, bytes: &[u8], query: &Query) -> Answered {
    let sent = body(bytes)?;
    let known = ["id", "externalId"].into_iter().find_map(|field| find(px, text(&sent, field)?));
    let mut fields: Map<String, Value> =
        ["externalId", "name", "description"].iter().filter_map(|field| Some(((*field).to_owned(), text(&sent, field)?.into()))).collect();
    if let Some(row) = known {
        if query.is_true("failIfExists") {
            return Err(bad("External segment could not be created, possible duplicate"));
        }
        px.documents.update(&px.external, &row.id(), fields)?;
        let row = px.external.get(&row.id()).unwrap_or(row);
        return Ok(Answer::Body(row.document().into()));
    }
    needed("externalSegment", &sent, "name")?;
    let id = text(&sent, "id").map_or_else(|| new_id(&px.external), str::to_owned);
    fields.insert("id".to_owned(), id.as_str().into());
    px.documents.insert(&px.external, &id, fields.clone())?;
    Ok(Answer::Body(fields.into()))
}

/// One entry of `add` or `remove`.
struct Action {
    segment: Row,
    identities: Vec<String>,
    /// When they came to meet the conditions.
    qualified: i64,
}

/// The list of a payload, which has to be there even when it is empty.
fn actions(px: &Px, sent: &Map<String, Value>, field: &str, global: bool) -> Result<Vec<Action>, Refused> {
    let lacking = || invalid(PAYLOAD, field, "must not be null");
    let entries = sent.get(field).filter(|list| !list.is_null()).ok_or_else(lacking)?;
    let entries = entries.as_array().ok_or_else(|| bad(format!("Malformed JSON request: `{field}` is no list")))?;
    entries.iter().enumerate().map(|(at, entry)| action(px, entry, &format!("{field}[{at}]"), global)).collect()
}

fn action(px: &Px, entry: &Value, place: &str, global: bool) -> Result<Action, Refused> {
    let null = |field: &str| invalid(PAYLOAD, format!("{place}.{field}"), "must not be null");
    let id = entry["segmentId"].as_str().ok_or_else(|| null("segmentId"))?;
    let identities = entry["identities"].as_array().ok_or_else(|| null("identities"))?;
    let since = entry["lastQualificationTime"].as_str().ok_or_else(|| null("lastQualificationTime"))?;
    let iso = since.contains('T').then(|| instant(since)).flatten();
    let since = iso.ok_or_else(|| invalid(PAYLOAD, format!("{place}.lastQualificationTime"), "must be a time in ISO 8601 format"))?;
    let unknown = || invalid(PAYLOAD, format!("{place}.segmentId"), format!("External segment was not found for parameters {{id={id}}}"));
    let segment = px.external.get(id).ok_or_else(unknown)?;
    let named = |identity: &str| {
        let user = global.then(|| px.users.find("globalId", &identity.into()).into_iter().next()).flatten();
        user.map_or_else(|| identity.to_owned(), |user| user.id().into_owned())
    };
    let now = px.now();
    let qualified = if (now - BELIEVED_MS..=now).contains(&since) { since } else { now };
    Ok(Action { segment, identities: identities.iter().filter_map(Value::as_str).map(named).collect(), qualified })
}

/// `POST /v1/external_segment/update_membership`. Adding a member that is in already changes nothing.
pub(super) fn update_membership(px: &Px, bytes: &[u8]) -> Answered {
    let sent = body(bytes)?;
    // The schema does not require it; which one is meant without it is not said.
    let global = match needed(PAYLOAD, &sent, "identityType")? {
        "IDENTIFY_ID" => false,
        "GLOBAL_ID" => true,
        _ => return Err(invalid(PAYLOAD, "identityType", "must be IDENTIFY_ID or GLOBAL_ID")),
    };
    let (add, remove) = (actions(px, &sent, "add", global)?, actions(px, &sent, "remove", global)?);
    let (now, mut changes) = (px.now(), Vec::new());
    let mut audiences = px.audiences.write().unwrap_or_else(PoisonError::into_inner);
    audiences.refresh(px);
    for Action { segment, identities, qualified: since } in add {
        let engagement = bound_to(px, &segment.document().into());
        let mut seen = HashSet::new();
        for identity in identities.iter().filter(|identity| audiences.open(&segment.id(), identity).is_none()) {
            if !seen.insert(identity) {
                continue;
            }
            let fields =
                json!({"participant": identity, "segmentId": segment.id(), "engagementId": engagement, "qualifiedAt": since, "removedAt": null});
            let id = format!("{}/{identity}/{since}", segment.id());
            // Removed and added again within one millisecond.
            let id = if px.members.get(&id).is_some() { guid("membership", &format!("{id}/{}", px.members.len())) } else { id };
            if let Value::Object(fields) = fields {
                changes.push((px.members.as_ref(), Change::Insert(id, fields)));
            }
        }
    }
    for Action { segment, identities, .. } in remove {
        let removed = Map::from_iter([("removedAt".to_owned(), now.into())]);
        let rows = identities.iter().filter_map(|identity| audiences.open(&segment.id(), identity));
        changes.extend(rows.map(|row| (px.members.as_ref(), Change::Update(row.to_owned(), removed.clone()))));
    }
    px.documents.write_all(changes)?;
    audiences.forget();
    Ok(Answer::Done)
}
