//! External segments and their members: the only way to aim an engagement at somebody by API.

use std::{collections::HashSet, sync::PoisonError};

use serde_json::{Map, Value, json};

use super::{
    answer::{Answer, Answered, Refused, bad, invalid, not_found},
    audience::bound_to,
    query::{Query, body, instant, needed},
    state::{Px, guid, new_id},
};
use crate::sandbox::documents::{Change, Row};

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
    Ok(Answer::Created(Some(fields.into())))
}

/// The members that one entry of `add` or `remove` names, with their segment.
fn members(px: &Px, entry: &Value, global: bool) -> Result<(Row, Vec<String>), Refused> {
    let id = entry["segmentId"].as_str().ok_or_else(|| invalid("externalSegment", "segmentId", "must not be empty"))?;
    let segment = find(px, id).ok_or_else(|| not_found("External segment", id))?;
    let identities = entry["identities"].as_array().ok_or_else(|| invalid("externalSegment", "identities", "must be a list"))?;
    let identities = identities.iter().filter_map(Value::as_str);
    let named = |identity: &str| {
        let user = global.then(|| px.users.find("globalId", &identity.into()).into_iter().next()).flatten();
        user.map_or_else(|| identity.to_owned(), |user| user.id().into_owned())
    };
    Ok((segment, identities.map(named).collect()))
}

/// `POST /v1/external_segment/update_membership`. Adding a member that is in already changes nothing.
pub(super) fn update_membership(px: &Px, bytes: &[u8]) -> Answered {
    let sent = body(bytes)?;
    let global = match needed("externalSegment", &sent, "identityType")? {
        "IDENTIFY_ID" => false,
        "GLOBAL_ID" => true,
        _ => return Err(invalid("externalSegment", "identityType", "must be IDENTIFY_ID or GLOBAL_ID")),
    };
    let list = |field: &str| sent.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
    let (now, mut changes) = (px.now(), Vec::new());
    let mut audiences = px.audiences.write().unwrap_or_else(PoisonError::into_inner);
    audiences.refresh(px);
    for entry in list("add") {
        let (segment, identities) = members(px, &entry, global)?;
        let engagement = bound_to(px, &segment.document().into());
        let since = entry["lastQualificationTime"].as_str().and_then(instant).filter(|at| *at <= now).unwrap_or(now);
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
    for entry in list("remove") {
        let (segment, identities) = members(px, &entry, global)?;
        let removed = Map::from_iter([("removedAt".to_owned(), now.into())]);
        let rows = identities.iter().filter_map(|identity| audiences.open(&segment.id(), identity));
        changes.extend(rows.map(|row| (px.members.as_ref(), Change::Update(row.to_owned(), removed.clone()))));
    }
    px.documents.write_all(changes)?;
    audiences.forget();
    Ok(Answer::Done)
}
