//! Revisions that people go on under although the scripts on disk say something else: each loaded from the texts that were kept with it, into a
//! generation of its own, with the same engine and the same limits.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};

use crate::{
    flow::journey,
    script::{Declaration, Generation},
    store::{Program, Store},
};

use super::{Error, Workspace, reload::limits};

/// How long what was found about an edit that waits holds: people move on meanwhile, and it may have come to strand nobody.
const AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// What is known of journeys whose scripts say something else than what runs.
#[derive(Debug, Default)]
pub struct Earlier {
    /// By journey: the revision, loaded, or none where it kept no texts or they do not load any more.
    loaded: BTreeMap<String, (u32, Option<Arc<Generation>>)>,
    /// By journey: the texts of the edit that waits, when it was looked at, and what was said of it.
    waiting: BTreeMap<String, (String, Timestamp, String)>,
}

impl Earlier {
    /// The revision that a program runs, as it was.
    ///
    /// # Errors
    /// The state file's.
    pub fn generation(&mut self, workspace: &Workspace, store: &Store, program: &Program) -> Result<Option<Arc<Generation>>, Error> {
        if let Some((number, generation)) = self.loaded.get(&program.name)
            && *number == program.revision
        {
            return Ok(generation.clone());
        }
        let sources = store.revision(&program.name, program.revision)?.map(|revision| journey::sources(&revision)).unwrap_or_default();
        let generation = (!sources.is_empty()).then(|| Generation::of_sources(&sources, &limits(&workspace.config)));
        let generation = generation.filter(|generation| generation.declaration(&program.name).is_some()).map(Arc::new);
        self.loaded.insert(program.name.clone(), (program.revision, generation.clone()));
        Ok(generation)
    }

    /// What was said of an edit that waits, and whether it was looked at lately.
    pub(super) fn waits(&self, declaration: &Declaration, now: Timestamp) -> Option<(&str, bool)> {
        let (hash, at, said) = self.waiting.get(&declaration.name)?;
        let lately = now.duration_since(*at) < AGAIN && *at <= now;
        (hash == declaration.sources.hash()).then_some((said.as_str(), lately))
    }

    /// Looked at now. What was said of the same edit before stays said: the numbers in it change with every move.
    pub(super) fn note(&mut self, declaration: &Declaration, said: String, now: Timestamp) {
        let said = self.waits(declaration, now).map_or(said, |(said, _)| said.to_owned());
        self.waiting.insert(declaration.name.clone(), (declaration.sources.hash().to_owned(), now, said));
    }
}
