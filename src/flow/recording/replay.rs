//! Answers from a recording. What a script asks may have changed since: a question is answered where the recording knows the answer, also
//! when it is for fewer fields, or for fewer keys or others that were asked for together; every other question is a fault that names it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value as Json;

use crate::{
    model::{Effect, Fault, FaultKind, Lookup, Reply, account_key},
    script::Perform,
};

use super::{
    recorder::asked,
    tape::{Answer, Exchange, Recording},
};

/// A recording that is asked.
pub struct Replay {
    name: String,
    exchanges: Vec<Exchange>,
    /// Where each question is, as it was asked.
    exact: HashMap<String, usize>,
}

impl Replay {
    pub fn new(recording: Recording) -> Self {
        let exact = recording.exchanges.iter().enumerate().rev().map(|(at, exchange)| (exchange.asked.to_string(), at)).collect();
        Self { name: recording.name, exchanges: recording.exchanges, exact }
    }

    /// Where the same was asked, but for fields, of which more were.
    fn wider(&self, asked: &Json) -> Option<&Answer> {
        let fits = |exchange: &&Exchange| {
            let then = &exchange.asked;
            without_fields(then) == without_fields(asked) && has_fields(then, asked) && demands(then).iter().all(|one| demands(asked).contains(one))
        };
        self.exchanges.iter().find(fits).map(|exchange| &exchange.answer)
    }

    /// The keys wherever they were asked for, when each of them was.
    fn looked_up(&self, lookup: &Lookup, asked: &Json) -> Option<Reply> {
        // Asked for by this very spelling; a system may have answered with another, which whoever asks compares by its rule.
        let mut wanted: BTreeSet<String> = lookup.keys.iter().map(ToString::to_string).collect();
        let keys: BTreeSet<String> = wanted.iter().map(|key| account_key(key).to_lowercase()).collect();
        let mut found = BTreeMap::new();
        for exchange in &self.exchanges {
            let same = without_fields(&exchange.asked) == without_fields(asked) && has_fields(&exchange.asked, asked);
            let Some(known) = exchange.asked.pointer("/lookup/keys").and_then(Json::as_array).filter(|_| same) else { continue };
            for key in known {
                wanted.remove(&text(key));
            }
            let Ok(Reply::Records(records)) = exchange.answer.reply() else { continue };
            for record in records {
                let key = record.path(&lookup.by).map(|value| account_key(&value.to_string()).to_lowercase()).unwrap_or_default();
                if keys.contains(&key) {
                    found.entry((key, format!("{record:?}"))).or_insert(record);
                }
            }
        }
        wanted.is_empty().then(|| Reply::Records(found.into_values().collect()))
    }
}

impl Perform for Replay {
    fn perform(&self, effect: Effect) -> Result<Reply, Fault> {
        let asked = asked(&effect);
        if let Some(exchange) = self.exact.get(&asked.to_string()).and_then(|at| self.exchanges.get(*at)) {
            return exchange.answer.reply();
        }
        let known = match &effect {
            Effect::Read(_) => self.wider(&asked).map(Answer::reply),
            Effect::Lookup(lookup) => self.looked_up(lookup, &asked).map(Ok),
            _ => None,
        };
        known.unwrap_or_else(|| {
            let (name, what) = (&self.name, told(&effect));
            let message = format!("the recording of `{name}` has no answer to {what}: `tabi record {name}` records it again");
            Err(Fault::new(FaultKind::NotFound, message))
        })
    }
}

/// A key as it was asked for.
fn text(key: &Json) -> String {
    key.as_str().map_or_else(|| key.to_string(), str::to_owned)
}

/// The lists of fields that a question may have.
const FIELDS: [&str; 2] = ["/read/source/object/fields", "/lookup/fields"];

/// A question without its fields, without keys, and without what its reader demands.
fn without_fields(asked: &Json) -> Json {
    let mut rest = asked.clone();
    for path in FIELDS.into_iter().chain(["/lookup/keys"]) {
        if let Some(list) = rest.pointer_mut(path) {
            *list = Json::Null;
        }
    }
    if let Some(query) = rest.pointer_mut("/read/source/object").and_then(Json::as_object_mut) {
        query.remove("demands");
    }
    rest
}

/// What the reader demanded of every record: where less was demanded, at least as many came.
fn demands(asked: &Json) -> &[Json] {
    asked.pointer("/read/source/object/demands").and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

/// Whether every field that is asked for now was asked for then; an empty list means all of them.
fn has_fields(then: &Json, now: &Json) -> bool {
    FIELDS.into_iter().all(|path| {
        let list = |question: &Json| question.pointer(path).and_then(Json::as_array).cloned().unwrap_or_default();
        let (then, now) = (list(then), list(now));
        then.is_empty() || (!now.is_empty() && now.iter().all(|field| then.contains(field)))
    })
}

/// A question in words.
fn told(effect: &Effect) -> String {
    match effect {
        Effect::Read(read) => match &read.source {
            crate::model::Source::Object(query) => format!("this reading of {} `{}`", query.system, query.object),
            other => format!("this reading of {}", other.system()),
        },
        Effect::Lookup(lookup) => format!("a look at {} `{}` by `{}`", lookup.system, lookup.object, lookup.by),
        Effect::Describe { system, object } => format!("the fields of {system} `{object}`"),
        Effect::Objects { system } => format!("the objects of {system}"),
        Effect::Request(request) => format!("{} {} of {}", request.method, request.path, request.system),
        Effect::State(_) => "a question to the key-value store".to_owned(),
        Effect::Http(call) => format!("{} {}", call.method, call.url),
        Effect::Write(_) | Effect::CreateField(_) | Effect::EditSegment(_) | Effect::SendEmail(_) => "a write".to_owned(),
    }
}
