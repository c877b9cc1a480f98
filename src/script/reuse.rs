//! What a generation takes over from the one before: files that are as they were, and whose imports are.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    declaration::Body,
    generation::{Generation, LoadedFile},
    library::{Input, Library},
    templates::{Templates, is_template},
};

/// The files to take over, and the generation that had them.
pub(super) struct Reuse<'g> {
    previous: Option<&'g Generation>,
    files: BTreeMap<&'g str, &'g Arc<LoadedFile>>,
}

impl<'g> Reuse<'g> {
    pub(super) fn of(library: &Library, templates: &Arc<Templates>, previous: Option<&'g Generation>) -> Self {
        let same_templates = previous.is_some_and(|previous| Arc::ptr_eq(templates, previous.templates()));
        // Of a file with errors it is not known what it is made of.
        let stands = |file: &&Arc<LoadedFile>| {
            file.sound
                && !is_template(&file.name)
                && (same_templates || !mails(file))
                && file.inputs.iter().all(|(name, input)| library.input(name) == *input)
        };
        let files = previous.into_iter().flat_map(|previous| &previous.present).filter(stands);
        Self { previous, files: files.map(|file| (file.name.as_str(), file)).collect() }
    }

    /// A file as it was; what is found out about it later is found in the library, too.
    pub(super) fn take(&self, name: &str, library: &Library) -> Option<&'g Arc<LoadedFile>> {
        let file = self.files.get(name).copied()?;
        for map in file.inputs.keys().filter_map(|name| self.previous?.maps.get(name)) {
            library.maps.share(map);
        }
        Some(file)
    }
}

/// Whether it may be another with other templates: a journey is made of those it sends, and closures fill them in by the namespace `email`.
fn mails(file: &LoadedFile) -> bool {
    file.declarations.iter().any(|declaration| matches!(declaration.body, Body::Journey(_)))
        || file.inputs.values().filter_map(Input::text).any(|text| text.contains("email"))
}
