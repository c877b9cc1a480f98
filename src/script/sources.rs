//! The texts that a journey was made of: its script, what that imports, and the templates it uses. They are kept with each revision, so that
//! people can go on under a flow that is no longer on disk.

use std::{collections::BTreeMap, sync::Arc};

/// Path within the workspace -> text.
pub type Texts = BTreeMap<String, Arc<str>>;

/// The texts and their hash. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    texts: Arc<Texts>,
    hash: Arc<str>,
}

impl Sources {
    pub fn of(texts: Texts) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in texts.iter().flat_map(|(name, text)| [name.as_str(), text.as_ref()]) {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        Self { hash: hasher.finalize().to_hex().as_str().into(), texts: Arc::new(texts) }
    }

    pub fn texts(&self) -> &Texts {
        &self.texts
    }

    /// BLAKE3 over all names and texts, hex.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// No text: nothing that could be loaded.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}
