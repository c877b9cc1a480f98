//! What a living host runs at the moment, for those who look at it from beside: its server.

use std::sync::{Arc, Mutex, PoisonError};

use super::Loaded;

/// The generation that runs; none before the host has begun.
#[derive(Debug, Default)]
pub struct Running(Mutex<Option<Arc<Loaded>>>);

impl Running {
    /// Told at every swap.
    pub(super) fn set(&self, loaded: &Arc<Loaded>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(loaded));
    }

    pub fn get(&self) -> Option<Arc<Loaded>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
