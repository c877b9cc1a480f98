//! On paper: reads are real, writes are told to whoever watches and answered as if they had been done.

use crate::{
    model::{Change, Effect, Fault, Record, Reply, RowOutcome, SegmentEdit, Value, Write},
    script::Perform,
};

use super::{
    super::{Notice, Notify},
    Wire,
};

pub struct Plan {
    wire: Wire,
    name: String,
    notify: Notify,
}

impl Plan {
    pub fn new(wire: Wire, name: impl Into<String>, notify: Notify) -> Self {
        Self { wire, name: name.into(), notify }
    }

    fn tell(&self, notice: Notice) {
        (self.notify)(notice);
    }

    fn write(&self, write: Write) -> Reply {
        let (system, object) = (write.system, write.object);
        let outcomes = write.rows.into_iter().map(|change| {
            let operation = change.operation();
            let created = matches!(change, Change::Insert { .. });
            let (key, fields, before, id) = match change {
                Change::Insert { key, fields } | Change::Upsert { key, fields, .. } => (key, fields, Record::new(), None),
                Change::Update { key, id, fields, before } => (key, fields, before, Some(id)),
                Change::Delete { key, id, before } => (key, Record::new(), before, Some(id)),
            };
            self.tell(Notice::Change { name: self.name.clone(), system, object: object.clone(), key, operation, fields, before });
            RowOutcome { id, created, fault: None }
        });
        Reply::Written(outcomes.collect())
    }

    fn segment(&self, edit: SegmentEdit) -> Reply {
        self.tell(Notice::Segment { name: self.name.clone(), segment: edit.name, add: edit.add.len(), remove: edit.remove.len() });
        Reply::Done
    }

    /// Any other call that writes: told as a change of the path it goes to.
    fn request(&self, system: crate::model::System, method: &str, path: String, body: Option<Value>) -> Reply {
        let fields: Record = [("body".into(), body.unwrap_or_default())].into_iter().collect();
        let operation = match method {
            "POST" => "create",
            "DELETE" => "delete",
            _ => "update",
        };
        self.tell(Notice::Change { name: self.name.clone(), system, object: path, key: method.to_owned(), operation, fields, before: Record::new() });
        Reply::Value(Value::Null)
    }
}

impl Perform for Plan {
    fn perform(&self, effect: Effect) -> Result<Reply, Fault> {
        match effect {
            Effect::Write(write) => Ok(self.write(write)),
            Effect::CreateField(create) => {
                self.tell(Notice::CreateField { name: self.name.clone(), create });
                Ok(Reply::Done)
            }
            Effect::EditSegment(edit) => Ok(self.segment(edit)),
            Effect::Request(request) if request.writes() => Ok(self.request(request.system, &request.method, request.path, request.body)),
            Effect::Http(call) if !matches!(call.method.as_str(), "GET" | "HEAD") => {
                let message = format!("would send {} {}", call.method, call.url);
                self.tell(Notice::Warning { name: self.name.clone(), message });
                Ok(Reply::Value(Value::Null))
            }
            effect @ Effect::State(_) if effect.writes() => Ok(Reply::Value(Value::Null)),
            other => self.wire.perform(other),
        }
    }
}
