//! What a host runs at this moment, for those who talk with it: set by its loop, read by the conversations.

use std::sync::{Arc, PoisonError, RwLock};

use crate::{host::Loaded, script::Texts};

/// The generation that runs, and the texts it was made of. Clones are one.
#[derive(Debug, Clone, Default)]
pub struct Current(Arc<RwLock<Option<Running>>>);

#[derive(Debug, Clone)]
pub(super) struct Running {
    pub(super) loaded: Arc<Loaded>,
    /// Of a file with errors, its last good version.
    pub(super) texts: Arc<Texts>,
}

impl Current {
    /// This one runs from now on.
    pub(in crate::host) fn set(&self, loaded: &Arc<Loaded>) {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = held.as_ref().map(|running| Arc::clone(&running.texts)).unwrap_or_default();
        *held = Some(Running { loaded: Arc::clone(loaded), texts: Arc::new(texts(loaded, &before)) });
    }

    pub(super) fn get(&self) -> Option<Running> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The generation that runs; none before the host has begun.
    pub fn loaded(&self) -> Option<Arc<Loaded>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(|running| Arc::clone(&running.loaded))
    }

    /// Names of what runs, each with its kind; none where nothing was loaded yet.
    pub(in crate::host) fn declared(&self) -> Option<Vec<(String, String)>> {
        let running = self.get()?;
        Some(running.loaded.declarations().iter().map(|one| (one.name.clone(), one.kind().word().to_owned())).collect())
    }
}

fn texts(loaded: &Loaded, before: &Texts) -> Texts {
    let generation = &loaded.generation;
    let text = |name: &str| generation.text(name).map(Into::into);
    let mut found: Texts = generation.sought().filter_map(|name| Some((name.to_owned(), text(name)?))).collect();
    for file in generation.files() {
        let good = if file.sound { text(&file.name) } else { before.get(&file.name).cloned() };
        found.remove(&file.name);
        found.extend(good.map(|good| (file.name.clone(), good)));
    }
    found
}
