//! In virtual time: what is read comes from a sandbox made for it, what is written is answered as if it had been done, and counted. No
//! real system is asked for anything.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::{
    model::{Effect, Fault, Query, Read, Record, Reply, Source, System, TimeZone, Value},
    script::Perform,
};

use super::{
    super::{Notice, Notify},
    Plan, Planned, Wire,
};

/// Rows written, by system, object and operation.
pub type Counted = BTreeMap<(System, String, &'static str), u64>;

pub struct Simulate {
    plan: Plan,
    /// Engagements that the sandbox does not have.
    more: Vec<Record>,
    counted: Arc<Mutex<Counted>>,
}

impl Simulate {
    /// `more` are engagements to be found in PX besides the sandbox's.
    pub fn new(wire: Wire, name: &str, more: Vec<Record>, zone: TimeZone) -> Self {
        let counted: Arc<Mutex<Counted>> = Arc::default();
        let kept = Arc::clone(&counted);
        let notify: Notify = Arc::new(move |notice| {
            if let Notice::Change { system, object, operation, .. } = notice {
                *kept.lock().unwrap_or_else(PoisonError::into_inner).entry((system, object, operation)).or_default() += 1;
            }
        });
        Self { plan: Plan::new(Arc::new(wire), name, notify, Planned::default(), zone), more, counted }
    }

    pub fn counted(&self) -> Counted {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn read(&self, read: Read) -> Result<Reply, Fault> {
        let engagements = read.after.is_none() && matches!(&read.source, Source::Object(query) if *query == Query::of(System::Px, "engagements"));
        match self.plan.perform(Effect::Read(read))? {
            Reply::Page(mut page) if engagements => {
                page.records.extend(self.more.iter().cloned());
                Ok(Reply::Page(page))
            }
            other => Ok(other),
        }
    }
}

impl Perform for Simulate {
    fn perform(&self, effect: Effect) -> Result<Reply, Fault> {
        match effect {
            Effect::SendEmail(email) => {
                let id = email.key.map_or(Value::Null, Value::text);
                let accepted = Value::List(email.to.into_iter().map(Value::text).collect());
                Ok(Reply::Value(Value::Map([("message_id".into(), id), ("accepted".into(), accepted)].into_iter().collect())))
            }
            Effect::EditSegment(_) => Ok(Reply::Done),
            Effect::Http(_) => {
                let answer = [("status".into(), Value::Int(200)), ("headers".into(), Value::Map(Record::new())), ("body".into(), Value::Null)];
                Ok(Reply::Value(Value::Map(answer.into_iter().collect())))
            }
            Effect::Read(read) => self.read(read),
            other => self.plan.perform(other),
        }
    }
}
