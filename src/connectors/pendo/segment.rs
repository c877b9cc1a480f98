//! Who is in a segment: uploaded whole when new, changed in pieces afterwards.

use reqwest::Method;
use serde::{Deserialize, Serialize};

use crate::model::{Fault, FaultKind, Listed, Listing, SegmentEdit, System, Value};

use super::Pendo;
use crate::connectors::http::Repeat;

/// Members of one call.
const MEMBERS_A_CALL: usize = 1_000;
/// Stands in for members when an empty segment is made, since an upload needs one; taken out at once.
const NOBODY: &str = "nobody@tabi.invalid";

#[derive(Serialize)]
struct Upload<'a> {
    name: &'a str,
    visitors: &'a [String],
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Uploaded {
    segment_id: String,
}

#[derive(Serialize)]
struct Patch<'a> {
    patch: [Operation<'a>; 1],
}

#[derive(Serialize)]
struct Operation<'a> {
    op: &'static str,
    path: &'static str,
    value: &'a [String],
}

#[derive(Deserialize)]
struct Patched {
    #[serde(default)]
    multistatus: Vec<Multistatus>,
}

#[derive(Deserialize)]
struct Multistatus {
    status: u16,
    #[serde(default)]
    message: String,
}

impl Pendo {
    pub(in crate::connectors) async fn edit_segment(&self, edit: &SegmentEdit) -> Result<(), Fault> {
        let known = match &edit.id {
            Some(id) => Some(id.clone()),
            None => self.segment_named(&edit.name).await?,
        };
        let (id, add) = match known {
            Some(id) => (id, edit.add.as_slice()),
            None => self.upload(edit).await?,
        };
        for members in add.chunks(MEMBERS_A_CALL) {
            self.patch(&id, "add", members).await?;
        }
        for members in edit.remove.chunks(MEMBERS_A_CALL) {
            self.patch(&id, "remove", members).await?;
        }
        Ok(())
    }

    async fn segment_named(&self, name: &str) -> Result<Option<String>, Fault> {
        let mut listed = Listed::default();
        listed.add(Listing::Segment, self.list("segment").await?);
        listed.known(Listing::Segment, name).map_err(|misnamed| Fault::from_system(System::Pendo, FaultKind::Conflict, misnamed.to_string()))
    }

    /// Makes the segment with its first members; the rest is still to be added.
    async fn upload<'a>(&self, edit: &'a SegmentEdit) -> Result<(String, &'a [String]), Fault> {
        let (first, rest) = edit.add.split_at(edit.add.len().min(MEMBERS_A_CALL));
        let nobody = [NOBODY.to_owned()];
        let visitors = if first.is_empty() { &nobody[..] } else { first };
        let call = self.call(Method::POST, "segment/upload").patient().json(System::Pendo, &Upload { name: &edit.name, visitors })?;
        let mut waits = self.http.waits();
        let id = loop {
            match self.http.json::<Uploaded>(&call).await {
                Ok(uploaded) => break uploaded.segment_id,
                // The answer was lost: the segment is there, or it is not and can be uploaded again.
                Err(fault) if fault.code.as_deref() == Some("UNKNOWN_OUTCOME") => {
                    let Some(wait) = waits.next() else { return Err(fault) };
                    self.http.stop().sleep(wait).await?;
                    if let Some(id) = self.segment_named(&edit.name).await? {
                        break id;
                    }
                }
                Err(fault) => return Err(fault),
            }
        };
        if first.is_empty() {
            self.patch(&id, "remove", &nobody).await?;
        }
        Ok((id, rest))
    }

    /// Adding a member twice adds it once, so this may be repeated; while the segment is busy it is.
    async fn patch(&self, id: &str, op: &'static str, members: &[String]) -> Result<(), Fault> {
        let body = Patch { patch: [Operation { op, path: "/visitors", value: members }] };
        let call = self.call(Method::PATCH, &format!("segment/{id}/visitor")).repeat(Repeat::Always).patient().json(System::Pendo, &body)?;
        let parse = |answer: &crate::connectors::http::Answer| {
            if answer.body.is_empty() {
                return Ok(());
            }
            let patched: Patched = answer.json(System::Pendo)?;
            match patched.multistatus.iter().find(|part| part.status >= 300) {
                None => Ok(()),
                Some(part) => {
                    let kind = if part.status == 409 { FaultKind::Conflict } else { FaultKind::Invalid };
                    Err(Fault::from_system(System::Pendo, kind, format!("the segment's members were not changed: {}", part.message)))
                }
            }
        };
        self.http.read(&call, parse).await
    }

    pub(in crate::connectors) fn objects() -> Value {
        super::lists::objects()
    }
}
