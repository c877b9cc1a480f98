//! The bridge from a blocking worker thread to the connectors, and to the scripts' own key-value store.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    connectors::{Counting, Stop, Systems},
    model::{Effect, Fault, FaultKind, Reply, SegmentEdit, StateCall, System, Timestamp, Value},
    script::Perform,
    store::Store,
};

/// Carries out every effect as it is asked. Remembers nothing: `Live` does.
#[derive(Clone)]
pub struct Wire {
    systems: Systems,
    runtime: tokio::runtime::Handle,
    store: Arc<Store>,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Ends reads of this clone besides what ends all.
    until: Option<Stop>,
    counting: Counting,
    places: Arc<BTreeMap<System, String>>,
}

impl Wire {
    /// `clock` tells what time it is to what is remembered.
    pub fn new(systems: Systems, runtime: tokio::runtime::Handle, store: Arc<Store>, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { systems, runtime, store, clock: Arc::new(clock), until: None, counting: Counting::default(), places: Arc::default() }
    }

    /// The same, whose reads end at once when `stop` is requested. A write in flight finishes: what became of it has to be known.
    pub fn until(mut self, stop: Stop) -> Self {
        self.until = Some(stop);
        self
    }

    /// The same, which knows where its systems are, in words that are the same as long as they are the same organisations.
    pub fn at(self, places: BTreeMap<System, String>) -> Self {
        Self { places: Arc::new(places), ..self }
    }

    /// Where a system is, as far as that is known.
    pub fn place(&self, system: System) -> Option<&str> {
        self.places.get(&system).map(String::as_str)
    }

    /// The same, whose calls are counted by themselves.
    pub fn counted_alone(&self) -> Self {
        Self { counting: Counting::default(), ..self.clone() }
    }

    /// The calls of this clone and of those made of it.
    pub fn counting(&self) -> &Counting {
        &self.counting
    }

    pub fn systems(&self) -> &Systems {
        &self.systems
    }

    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn state(&self, call: StateCall) -> Result<Reply, Fault> {
        let answer = match call {
            StateCall::Get { key } => self.store.kv_get(&key).map(Option::unwrap_or_default),
            StateCall::Set { key, value } => self.store.kv_set(&key, &value, self.now()).map(|()| Value::Null),
            StateCall::Delete { key } => self.store.kv_delete(&key).map(Value::Bool),
            StateCall::Keys { prefix } => self.store.kv_keys(&prefix).map(|keys| Value::List(keys.into_iter().map(Value::text).collect())),
        };
        answer.map(Reply::Value).map_err(|error| Fault::new(FaultKind::State, error.to_string()))
    }
}

impl Perform for Wire {
    fn perform(&self, effect: Effect) -> Result<Reply, Fault> {
        match effect {
            Effect::State(call) => self.state(call),
            Effect::EditSegment(edit) if edit.at.is_none() => self.perform(Effect::EditSegment(SegmentEdit { at: Some(self.now()), ..edit })),
            other => match self.until.as_ref() {
                Some(stop) if other.writes() => {
                    stop.check()?;
                    self.runtime.block_on(self.counting.over(self.systems.perform(&other)))
                }
                Some(stop) => self.runtime.block_on(stop.race(self.counting.over(self.systems.perform(&other))))?,
                None => self.runtime.block_on(self.counting.over(self.systems.perform(&other))),
            },
        }
    }
}
