//! The shared flag that ends waiting: no new call starts, pauses between tries end, and so does waiting for a system that says nothing.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::model::{Fault, FaultKind};

/// Cloned freely; asking any clone to stop stops all.
#[derive(Debug, Clone, Default)]
pub struct Stop(CancellationToken);

impl Stop {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn request(&self) {
        self.0.cancel();
    }

    pub fn requested(&self) -> bool {
        self.0.is_cancelled()
    }

    /// A fault once stopping was asked for.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        if self.requested() { Err(interrupted()) } else { Ok(()) }
    }

    /// Waits, unless asked to stop before or meanwhile.
    pub(super) async fn sleep(&self, wait: Duration) -> Result<(), Fault> {
        self.race(tokio::time::sleep(wait)).await
    }

    /// Waits for `done` to come, and at most `grace` longer once asked to stop: what was sent may be about to be answered.
    pub(super) async fn race_with_grace<T>(&self, grace: Duration, done: impl Future<Output = T>) -> Result<T, Fault> {
        let over = async {
            self.0.cancelled().await;
            tokio::time::sleep(grace).await;
        };
        tokio::select! {
            biased;
            value = done => Ok(value),
            () = over => Err(interrupted()),
        }
    }

    /// Waits for `done` to come, unless asked to stop before or meanwhile.
    pub(crate) async fn race<T>(&self, done: impl Future<Output = T>) -> Result<T, Fault> {
        tokio::select! {
            biased;
            () = self.0.cancelled() => Err(interrupted()),
            value = done => Ok(value),
        }
    }
}

fn interrupted() -> Fault {
    Fault::new(FaultKind::Interrupted, "the run was asked to stop")
}
