//! What systems say of their objects, each asked once.

use std::{cell::RefCell, collections::BTreeMap};

use crate::{
    model::{Effect, Fault, FaultKind, ObjectSchema, Reply, System},
    script::Perform,
};

/// What a system said of an object; none when it has no such object.
type Answer = Result<Option<ObjectSchema>, Fault>;

/// Describes that are asked for as they are needed.
pub struct Describes<'a> {
    perform: &'a dyn Perform,
    answers: RefCell<BTreeMap<(System, String), Answer>>,
}

impl<'a> Describes<'a> {
    pub const fn new(perform: &'a dyn Perform) -> Self {
        Self { perform, answers: RefCell::new(BTreeMap::new()) }
    }

    /// None when there is no such object, and when the system did not say.
    pub fn schema(&self, system: System, object: &str) -> Option<ObjectSchema> {
        let mut answers = self.answers.borrow_mut();
        let answer = answers.entry((system, object.to_owned())).or_insert_with(|| {
            match self.perform.perform(Effect::Describe { system, object: object.to_owned() }) {
                Ok(Reply::Schema(schema)) => Ok(Some(schema)),
                Ok(_) => Ok(None),
                // The object itself is looked for when the declaration is planned.
                Err(fault) if fault.kind == FaultKind::NotFound => Ok(None),
                Err(fault) => Err(fault),
            }
        });
        answer.as_ref().ok().cloned().flatten()
    }

    /// The first system that did not say, and why.
    pub fn trouble(self) -> Option<Fault> {
        self.answers.into_inner().into_values().find_map(Result::err)
    }
}
