//! Writes down what is asked and answered. Scripts see what the recording will show: pseudonyms in place of names, and so many records
//! of each source; what they ask by a pseudonym is asked by what it stands for. So a replay asks what was asked here.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value as Json;

use crate::{
    flow::backtest::Redaction,
    model::{Date, Effect, Fault, Lookup, Page, Read, Record, Reply, Timestamp, Value},
    script::Perform,
};

use super::tape::{Answer, Exchange, Recording, question};

/// Stands between a plan and the systems.
pub struct Recorder {
    inner: Arc<dyn Perform>,
    redaction: Arc<Redaction>,
    key: [u8; 32],
    /// Records of each source.
    most: usize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    exchanges: Vec<Exchange>,
    /// Records that came of each source, as JSON.
    came: HashMap<String, usize>,
    /// Pseudonyms and what they stand for, both as text.
    real: HashMap<String, Value>,
    pseudonyms: HashMap<String, Value>,
}

impl Recorder {
    /// `key` makes the pseudonyms: the same value has the same one under the same key. `most` is how many records of each source are let through.
    pub fn new(inner: Arc<dyn Perform>, redaction: Arc<Redaction>, key: [u8; 32], most: usize) -> Self {
        Self { inner, redaction, key, most: most.max(1), held: Mutex::default() }
    }

    /// What was recorded so far.
    pub fn recording(&self, name: &str, recorded: Timestamp, dates: Vec<Date>) -> Recording {
        Recording { name: name.to_owned(), recorded, dates, exchanges: self.hold().exchanges.clone() }
    }

    fn hold(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, record: &Record) -> Record {
        let kept = self.redaction.redact(record, &self.key);
        let mut held = self.hold();
        held.learn(record, &kept);
        held.covered(kept)
    }

    fn reply(&self, reply: Reply) -> Reply {
        let records = |found: Vec<Record>| found.iter().map(|record| self.record(record)).collect();
        match reply {
            Reply::Page(page) => Reply::Page(Page { records: records(page.records), ..page }),
            Reply::Records(found) => Reply::Records(records(found)),
            // A value may be anything: it is looked at as a field without a name.
            Reply::Value(value) => {
                let kept = self.record(&Record::from_iter([("".into(), value)]));
                Reply::Value(kept.get("").cloned().unwrap_or_default())
            }
            other => other,
        }
    }

    /// So many records of a source, however many pages they come in.
    fn read(&self, read: Read) -> Result<Reply, Fault> {
        let source = serde_json::to_string(&read.source).unwrap_or_default();
        let left = self.most.saturating_sub(self.hold().came.get(&source).copied().unwrap_or(0));
        let page_size = read.page_size.min(u32::try_from(left).unwrap_or(u32::MAX)).max(1);
        let mut reply = self.inner.perform(Effect::Read(Read { page_size, ..read }))?;
        if let Reply::Page(page) = &mut reply {
            page.records.truncate(left);
            if page.records.len() == left {
                page.next = None;
            }
            *self.hold().came.entry(source).or_default() += page.records.len();
        }
        Ok(reply)
    }

    fn lookup(&self, lookup: Lookup) -> Result<Reply, Fault> {
        let keys = {
            let held = self.hold();
            lookup.keys.iter().map(|key| held.real.get(&key.to_string()).unwrap_or(key).clone()).collect()
        };
        self.inner.perform(Effect::Lookup(Lookup { keys, ..lookup }))
    }
}

impl Held {
    /// Pairs of what was there and what is shown.
    fn learn(&mut self, real: &Record, shown: &Record) {
        for (name, value) in real.iter() {
            if let Some(kept) = shown.get(name) {
                self.pair(value, kept);
            }
        }
    }

    fn pair(&mut self, real: &Value, shown: &Value) {
        match (real, shown) {
            (Value::Map(real), Value::Map(shown)) => self.learn(real, shown),
            (Value::List(real), Value::List(shown)) => real.iter().zip(shown).for_each(|(real, shown)| self.pair(real, shown)),
            (Value::Text(text), _) if real != shown => {
                self.real.insert(shown.to_string(), real.clone());
                self.pseudonyms.insert(text.to_string(), shown.clone());
            }
            _ => (),
        }
    }

    /// The same value under another name of a field has its pseudonym there, too: records are matched by it.
    fn covered(&self, record: Record) -> Record {
        if self.pseudonyms.is_empty() {
            return record;
        }
        record.iter().map(|(name, value)| (name.clone(), self.cover(value))).collect()
    }

    fn cover(&self, value: &Value) -> Value {
        match value {
            Value::Text(text) => self.pseudonyms.get(text.as_str()).unwrap_or(value).clone(),
            Value::Map(inner) => Value::Map(self.covered(inner.clone())),
            Value::List(items) => Value::List(items.iter().map(|item| self.cover(item)).collect()),
            other => other.clone(),
        }
    }
}

impl Perform for Recorder {
    fn perform(&self, effect: Effect) -> Result<Reply, Fault> {
        let asked = asked(&effect);
        let answer = match effect {
            Effect::Read(read) => self.read(read),
            Effect::Lookup(lookup) => self.lookup(lookup),
            other => self.inner.perform(other),
        };
        let answer = answer.map(|reply| self.reply(reply));
        if let Some(kept) = Answer::of(&answer) {
            self.hold().exchanges.push(Exchange { asked, answer: kept });
        }
        answer
    }
}

/// The question as it is kept: how many records a page should have is none of it.
pub(super) fn asked(effect: &Effect) -> Json {
    match effect {
        Effect::Read(read) => question(&Effect::Read(Read { page_size: 0, ..read.clone() })),
        other => question(other),
    }
}
