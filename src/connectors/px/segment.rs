//! External segments and their members: made when they are new, then changed in pieces.

use reqwest::Method;
use serde_json::json;

use crate::{
    connectors::{http::Repeat, request::value_of},
    model::{Fault, SegmentEdit, System, Value},
};

use super::Px;

/// The mark on an audience (B10): PX shows it to whoever would change it there.
const READ_ONLY: &str = "Read-only: Tabi keeps the members of this audience. Change who is in by the journey, not here.";

/// Members of one call.
const MEMBERS_A_CALL: usize = 1_000;

impl Px {
    /// A segment without an id is made under its name, which is its external id too; one that is there is kept.
    pub(in crate::connectors) async fn edit_segment(&self, edit: &SegmentEdit) -> Result<(), Fault> {
        let id = match &edit.id {
            Some(id) => id.clone(),
            None => self.make(&edit.name).await?,
        };
        for (field, members) in [("add", &edit.add), ("remove", &edit.remove)] {
            for some in members.chunks(MEMBERS_A_CALL) {
                let body = json!({"identityType": "IDENTIFY_ID", field: [{"segmentId": id, "identities": some}]});
                // A member is in or out, however often it is said.
                let call = self.call(Method::POST, "external_segment/update_membership").repeat(Repeat::Always).json(System::Px, &body)?;
                self.done(&call).await?;
            }
        }
        Ok(())
    }

    /// The segment's id, or its external id where the answer tells none: what it holds is not documented.
    async fn make(&self, name: &str) -> Result<String, Fault> {
        let body = json!({"externalId": name, "name": name, "description": READ_ONLY});
        let call = self.call(Method::POST, "external_segment/metadata").query("failIfExists", "false").repeat(Repeat::Always);
        let answer = self.http.read(&call.json(System::Px, &body)?, value_of).await?;
        Ok(match answer {
            Value::Map(made) => made.get("id").and_then(Value::as_str).unwrap_or(name).to_owned(),
            _ => name.to_owned(),
        })
    }
}
