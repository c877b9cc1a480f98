//! External segments and their members: made when they are new, then changed in pieces.
//!
//! The Swagger (0.1.6) requires both lists of a membership update, `add` and `remove`, though one of them be empty, and of every entry the
//! segment's own id, the members and `lastQualificationTime`. A segment's id is looked for among those PX lists, and told by the answer to
//! the call that makes one; what that call does to a segment that is there already is not documented, so it is made only when none is listed.

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::{
    connectors::{http::Repeat, request::value_of},
    model::{Fault, FaultKind, Lookup, SegmentEdit, System, Timestamp, Value},
};

use super::Px;

/// Members of one call.
const MEMBERS_A_CALL: usize = 1_000;

impl Px {
    /// A segment without an id goes by its name, which is its external id too; it is made when there is none, and kept as it is otherwise.
    pub(in crate::connectors) async fn edit_segment(&self, edit: &SegmentEdit) -> Result<(), Fault> {
        let id = match &edit.id {
            Some(id) => id.clone(),
            None => self.segment_id(edit).await?,
        };
        let at = edit.at.unwrap_or_else(|| self.http.clock());
        for body in payloads(&id, at, &edit.add, &edit.remove) {
            // A member is in or out, however often it is said.
            let call = self.call(Method::POST, "external_segment/update_membership").repeat(Repeat::Always).json(System::Px, &body)?;
            if let Err(fault) = self.done(&call).await {
                return Err(self.forgotten(edit, fault).await);
            }
        }
        Ok(())
    }

    /// The id of the segment of a name, asked for once.
    async fn segment_id(&self, edit: &SegmentEdit) -> Result<String, Fault> {
        let mut known = self.segments.lock().await;
        if let Some(id) = known.get(&edit.name) {
            return Ok(id.clone());
        }
        let id = match self.listed(&edit.name).await? {
            Some(id) => id,
            None => self.make(edit).await?,
        };
        known.insert(edit.name.clone(), id.clone());
        Ok(id)
    }

    /// The id of the only segment that PX lists under a name.
    async fn listed(&self, name: &str) -> Result<Option<String>, Fault> {
        let (system, object, by) = (System::Px, "segments".to_owned(), "name".to_owned());
        let found = self.lookup(&Lookup { system, object, by, keys: vec![Value::text(name)], fields: Vec::new(), filter: None }).await?;
        let mut ids = found.iter().filter_map(|segment| segment.get("id").and_then(Value::as_str));
        match (ids.next(), ids.next()) {
            (Some(_), Some(_)) => {
                let message = format!("PX has several segments called `{name}`, so nobody knows whose members to change: give this one another name");
                Err(Fault::from_system(System::Px, FaultKind::Conflict, message))
            }
            (id, _) => Ok(id.map(str::to_owned)),
        }
    }

    async fn make(&self, edit: &SegmentEdit) -> Result<String, Fault> {
        let mut body = json!({"externalId": edit.name, "name": edit.name});
        if let Some(description) = &edit.description {
            body["description"] = description.as_str().into();
        }
        let call = self.call(Method::POST, "external_segment/metadata").query("failIfExists", "false").repeat(Repeat::Always);
        let made = self.http.read(&call.json(System::Px, &body)?, value_of).await?;
        let told = if let Value::Map(made) = &made { made.get("id").and_then(Value::as_str).filter(|id| !id.is_empty()) } else { None };
        if let Some(id) = told {
            return Ok(id.to_owned());
        }
        let untold = || Fault::from_system(System::Px, FaultKind::Garbled, format!("PX did not tell the id of the segment `{}`", edit.name));
        self.listed(&edit.name).await?.ok_or_else(untold)
    }

    /// A segment that PX refuses may be gone, or be none whose members can be given: its id is asked for again next time.
    async fn forgotten(&self, edit: &SegmentEdit, mut fault: Fault) -> Fault {
        if matches!(fault.kind, FaultKind::Invalid | FaultKind::NotFound) && self.segments.lock().await.remove(&edit.name).is_some() {
            fault.message = format!(
                "the members of the segment `{}` could not be changed: {}. Members can be given to external segments only, which Gainsight's \
                 support switches on for a subscription",
                edit.name, fault.message
            );
        }
        fault
    }
}

/// The bodies that put members in and take members out; both at once, as long as there are both.
fn payloads(id: &str, at: Timestamp, add: &[String], remove: &[String]) -> Vec<Json> {
    let entry = |some: Option<&[String]>| -> Vec<Json> {
        some.map(|members| json!({"segmentId": id, "identities": members, "lastQualificationTime": at.to_string()})).into_iter().collect()
    };
    let (mut adding, mut removing) = (add.chunks(MEMBERS_A_CALL), remove.chunks(MEMBERS_A_CALL));
    let calls = adding.len().max(removing.len());
    (0..calls).map(|_| json!({"identityType": "IDENTIFY_ID", "add": entry(adding.next()), "remove": entry(removing.next())})).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The properties that the schema requires, for every number of members on both sides.
    #[test]
    fn every_payload_has_both_lists_and_every_entry_what_the_schema_requires() {
        let people = |n: usize| (0..n).map(|at| format!("p{at}")).collect::<Vec<_>>();
        let at: Timestamp = "2026-01-12T00:25:15Z".parse().unwrap_or(Timestamp::UNIX_EPOCH);
        for add in [0, 1, 999, 1_000, 1_001, 2_500] {
            for remove in [0, 1, 1_000, 3_001] {
                let (adding, removing) = (people(add), people(remove));
                let all = payloads("s-1", at, &adding, &removing);
                assert_eq!(all.len(), add.max(remove).div_ceil(MEMBERS_A_CALL));
                let of = |field: &str| -> Vec<String> {
                    let entries = all.iter().flat_map(|body| body[field].as_array().cloned().unwrap_or_default());
                    entries
                        .flat_map(|entry| {
                            assert_eq!((&entry["segmentId"], &entry["lastQualificationTime"]), (&json!("s-1"), &json!("2026-01-12T00:25:15Z")));
                            entry["identities"].as_array().cloned().unwrap_or_default()
                        })
                        .filter_map(|one| one.as_str().map(str::to_owned))
                        .collect()
                };
                assert!(all.iter().all(|body| body["add"].is_array() && body["remove"].is_array()));
                assert_eq!((of("add"), of("remove")), (adding, removing));
            }
        }
    }
}
