//! On paper: reads are real, writes are told to whoever watches and answered as if they had been done.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    flow::{Notice, Notify},
    model::{
        Change, CreateField, Effect, Email, Fault, Filter, Query, Read, Record, Reply, RowOutcome, SegmentEdit, Source, System, TimeZone, Value,
        Write,
    },
    script::Perform,
};

pub struct Plan {
    /// Who is asked.
    answers: Arc<dyn Perform>,
    name: String,
    notify: Notify,
    planned: Planned,
    zone: TimeZone,
}

/// Fields that the declarations of one plan would create: those that come later read them as null.
#[derive(Debug, Clone, Default)]
pub struct Planned(Arc<Mutex<BTreeSet<(System, String)>>>);

impl Planned {
    fn add(&self, create: &CreateField) {
        let name = format!("{}/{}", create.object, create.field.name).to_lowercase();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((create.system, name));
    }

    fn has(&self, query: &Query, field: &str) -> bool {
        let name = format!("{}/{field}", query.object).to_lowercase();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&(query.system, name))
    }

    /// The query without fields that are not there yet, and the filter to apply to what it brings when that names one.
    fn without(&self, query: &Query) -> Option<(Query, Option<Filter>)> {
        let in_filter = query.filter.iter().flat_map(Filter::fields).any(|field| self.has(query, field));
        if !in_filter && !query.fields.iter().any(|field| self.has(query, field)) {
            return None;
        }
        let mut asked = query.clone();
        let filter = if in_filter { asked.filter.take() } else { None };
        if filter.is_some() {
            // Which rows count is known only here.
            asked.limit = None;
        }
        if !asked.fields.is_empty() {
            asked.fields.extend(filter.iter().flat_map(Filter::fields).map(str::to_owned));
            asked.fields.retain(|field| !self.has(query, field));
            let mut seen = BTreeSet::new();
            asked.fields.retain(|field| seen.insert(field.clone()));
        }
        Some((asked, filter))
    }
}

impl Plan {
    /// `answers` is asked whatever changes nothing; days are the zone's.
    pub fn new(answers: Arc<dyn Perform>, name: impl Into<String>, notify: Notify, planned: Planned, zone: TimeZone) -> Self {
        Self { answers, name: name.into(), notify, planned, zone }
    }

    /// Reads as if the fields that the plan creates were there and empty.
    fn read(&self, read: Read) -> Result<Reply, Fault> {
        let Source::Object(query) = &read.source else { return self.answers.perform(Effect::Read(read)) };
        let Some((asked, filter)) = self.planned.without(query) else { return self.answers.perform(Effect::Read(read)) };
        let missing: Vec<String> = query.fields.iter().filter(|field| self.planned.has(query, field)).cloned().collect();
        let mut page = match self.answers.perform(Effect::Read(Read { source: Source::Object(asked), ..read }))? {
            Reply::Page(page) => page,
            other => return Ok(other),
        };
        for record in &mut page.records {
            for field in &missing {
                record.set(field.as_str(), Value::Null);
            }
        }
        if let Some(filter) = filter {
            page.records.retain(|record| filter.matches(record, &self.zone));
            page.total = None;
        }
        Ok(Reply::Page(page))
    }

    fn tell(&self, notice: Notice) {
        (self.notify)(notice);
    }

    fn write(&self, write: Write) -> Reply {
        let (system, object) = (write.system, write.object);
        let outcomes = std::sync::Arc::unwrap_or_clone(write.rows).into_iter().map(|change| {
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

    /// A message is told as a change of its own kind: to whom, and about what.
    fn mail(&self, email: Email) -> Reply {
        let text = |text: Option<String>| text.map(Value::text);
        let fields =
            [("subject", Some(Value::text(email.subject))), ("from", text(email.from)), ("text", text(email.text)), ("html", text(email.html))];
        let fields = fields.into_iter().filter_map(|(name, value)| Some((name.into(), value?))).collect();
        let (name, key) = (self.name.clone(), email.to.join(", "));
        let (system, object, before) = (System::Mail, "email".to_owned(), Record::new());
        self.tell(Notice::Change { name, system, object, key, operation: "send", fields, before });
        let unsent = [("message_id".into(), Value::Null), ("accepted".into(), Value::Null)];
        Reply::Value(Value::Map(unsent.into_iter().collect()))
    }

    /// Any other call that writes: told as a change of the path it goes to.
    fn request(&self, system: System, method: &str, path: String, body: Option<Value>) -> Reply {
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
                self.planned.add(&create);
                self.tell(Notice::CreateField { name: self.name.clone(), create });
                Ok(Reply::Done)
            }
            Effect::Read(read) => self.read(read),
            Effect::EditSegment(edit) => Ok(self.segment(edit)),
            Effect::Request(request) if request.writes() => Ok(self.request(request.system, &request.method, request.path, request.body)),
            Effect::Http(call) if !matches!(call.method.as_str(), "GET" | "HEAD") => {
                let message = format!("would send {} {}", call.method, call.url);
                self.tell(Notice::Warning { name: self.name.clone(), message });
                Ok(Reply::Value(Value::Null))
            }
            Effect::SendEmail(email) => Ok(self.mail(email)),
            effect @ Effect::State(_) if effect.writes() => Ok(Reply::Value(Value::Null)),
            other => self.answers.perform(other),
        }
    }
}
