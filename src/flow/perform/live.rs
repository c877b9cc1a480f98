//! For real: every write is in the journal before it is sent, with what it replaces, and again when it is answered; what a journey's outbox
//! remembers is not.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{
    model::{Effect, Fault, FaultKind, ObjectSchema, Reply, Write},
    script::Perform,
    store::{self, RunId},
};

use super::Wire;

pub struct Live {
    wire: Wire,
    run: RunId,
    written: AtomicU64,
    rejected: AtomicU64,
}

impl Live {
    pub fn new(wire: Wire, run: RunId) -> Self {
        Self { wire, run, written: AtomicU64::new(0), rejected: AtomicU64::new(0) }
    }

    /// Rows and other changes that were made, and rows that were refused: what a plain script did.
    pub fn counts(&self) -> (u64, u64) {
        (self.written.load(Ordering::Relaxed), self.rejected.load(Ordering::Relaxed))
    }

    fn write(&self, write: Write) -> Result<Reply, Fault> {
        let (wire, store) = (&self.wire, self.wire.store());
        let batch = store.intend(&self.run, &write, wire.now()).map_err(state)?;
        match wire.perform(Effect::Write(write)) {
            Ok(Reply::Written(outcomes)) => {
                store.complete(batch, &outcomes, wire.now()).map_err(state)?;
                let refused = outcomes.iter().filter(|outcome| outcome.fault.is_some()).count() as u64;
                self.rejected.fetch_add(refused, Ordering::Relaxed);
                self.written.fetch_add(outcomes.len() as u64 - refused, Ordering::Relaxed);
                Ok(Reply::Written(outcomes))
            }
            Ok(other) => Ok(other),
            Err(fault) => {
                store.fail(batch, &fault, wire.now()).map_err(state)?;
                Err(fault)
            }
        }
    }

    fn other_write(&self, effect: Effect) -> Result<Reply, Fault> {
        let (wire, store) = (&self.wire, self.wire.store());
        let batch = store.intend_effect(&self.run, &effect, wire.now()).map_err(state)?;
        let created = if let Effect::CreateField(create) = &effect { Some(create.clone()) } else { None };
        match wire.perform(effect) {
            Ok(reply) => {
                store.complete(batch, &[], wire.now()).map_err(state)?;
                if let Some(create) = created {
                    store.add_field(create.system, &create.object, create.field, wire.now()).map_err(state)?;
                }
                self.written.fetch_add(1, Ordering::Relaxed);
                Ok(reply)
            }
            Err(fault) => {
                store.fail(batch, &fault, wire.now()).map_err(state)?;
                Err(fault)
            }
        }
    }

    /// A describe is kept for `check`, which works without a connection.
    fn keep(&self, schema: ObjectSchema) -> Result<Reply, Fault> {
        self.wire.store().keep_schema(&schema, self.wire.now()).map_err(state)?;
        Ok(Reply::Schema(schema))
    }
}

impl Perform for Live {
    fn perform(&self, effect: Effect) -> Result<Reply, Fault> {
        match effect {
            Effect::Write(write) => self.write(write),
            Effect::State(call) => self.wire.perform(Effect::State(call)),
            effect if effect.writes() => self.other_write(effect),
            effect => match self.wire.perform(effect)? {
                Reply::Schema(schema) => self.keep(schema),
                other => Ok(other),
            },
        }
    }

    /// Counted, and left out of the journal: two transactions for each of a hundred thousand mails say nothing that the outbox does not.
    fn perform_noted(&self, effect: Effect) -> Result<Reply, Fault> {
        let reply = self.wire.perform(effect)?;
        self.written.fetch_add(1, Ordering::Relaxed);
        Ok(reply)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the shape of `map_err`")]
fn state(error: store::Error) -> Fault {
    Fault::new(FaultKind::State, error.to_string())
}
