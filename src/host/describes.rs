//! What systems say of their objects, PX of its engagements and Pendo of what has names there, each asked once.

use std::{
    cell::{OnceCell, RefCell},
    collections::BTreeMap,
};

use crate::{
    model::{Effect, Fault, FaultKind, Listed, Listing, ObjectSchema, Query, Read, Record, Reply, Source, System},
    script::Perform,
};

/// Records asked for at once.
const PAGE: u32 = 200;

/// What a system said of an object; none when it has no such object.
type Answer = Result<Option<ObjectSchema>, Fault>;

/// Describes that are asked for as they are needed.
pub struct Describes<'a> {
    perform: &'a dyn Perform,
    answers: RefCell<BTreeMap<(System, String), Answer>>,
    engagements: OnceCell<Result<Vec<Record>, Fault>>,
    listed: OnceCell<Result<Listed, Fault>>,
}

impl<'a> Describes<'a> {
    pub const fn new(perform: &'a dyn Perform) -> Self {
        Self { perform, answers: RefCell::new(BTreeMap::new()), engagements: OnceCell::new(), listed: OnceCell::new() }
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

    /// Whether a system says that it has no such object.
    pub fn lacks(&self, system: System, object: &str) -> bool {
        self.schema(system, object).is_none() && matches!(self.answers.borrow().get(&(system, object.to_owned())), Some(Ok(None)))
    }

    /// All engagements of PX; none when it did not say.
    pub fn engagements(&self) -> Option<&[Record]> {
        self.engagements.get_or_init(|| all(self.perform, System::Px, "engagements")).as_deref().ok()
    }

    /// These lists of Pendo; none when it did not say.
    pub fn listed(&self, listings: impl IntoIterator<Item = Listing>) -> Option<&Listed> {
        let ask = || {
            let mut listed = Listed::default();
            for listing in listings {
                listed.add(listing, all(self.perform, System::Pendo, listing.word())?);
            }
            Ok(listed)
        };
        self.listed.get_or_init(ask).as_ref().ok()
    }

    /// The first system that did not say, and why.
    pub fn trouble(self) -> Option<Fault> {
        let engagements = self.engagements.into_inner().and_then(Result::err);
        let listed = self.listed.into_inner().and_then(Result::err);
        self.answers.into_inner().into_values().find_map(Result::err).or(engagements).or(listed)
    }
}

fn all(perform: &dyn Perform, system: System, object: &str) -> Result<Vec<Record>, Fault> {
    let source = Source::Object(Query::of(system, object));
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let Reply::Page(page) = perform.perform(Effect::Read(Read { source: source.clone(), after, page_size: PAGE }))? else {
            return Err(Fault::new(FaultKind::Garbled, format!("{system} did not answer with a page of {object}")));
        };
        found.extend(page.records);
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}
